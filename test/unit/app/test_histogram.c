/* SPDX-License-Identifier: BSD-3-Clause */
#include "../check_main.h"
#include "histogram.h"

static struct histogram h;

static void setup(void)
{
    h = (struct histogram){0};
}

START_TEST(empty)
{
    ck_assert_uint_eq(histogram_percentile(&h, 50), 0);
    ck_assert_uint_eq(h.max, 0);
}
END_TEST

START_TEST(small_values_are_exact)
{
    for (uint64_t v = 1; v <= 20; v++)
        histogram_add(&h, v);
    ck_assert_uint_eq(histogram_percentile(&h, 50), 10);
    ck_assert_uint_eq(histogram_percentile(&h, 90), 18);
    ck_assert_uint_eq(histogram_percentile(&h, 99), 20);
    ck_assert_uint_eq(h.max, 20);
}
END_TEST

START_TEST(percentile_is_at_most_a_step_too_high)
{
    for (uint64_t v = 1; v <= 100000; v++)
        histogram_add(&h, v);
    for (unsigned p = 1; p <= 100; p++) {
        const uint64_t exact = p * 1000;
        ck_assert_uint_ge(histogram_percentile(&h, p), exact);
        ck_assert_uint_le(histogram_percentile(&h, p), exact + exact / HISTOGRAM_STEPS);
    }
}
END_TEST

START_TEST(extremes)
{
    histogram_add(&h, 0);
    histogram_add(&h, UINT64_MAX);
    ck_assert_uint_eq(histogram_percentile(&h, 50), 0);
    ck_assert_uint_eq(histogram_percentile(&h, 99), UINT64_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("histogram");
    TCase *c = tcase_create("histogram");
    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, empty);
    tcase_add_test(c, small_values_are_exact);
    tcase_add_test(c, percentile_is_at_most_a_step_too_high);
    tcase_add_test(c, extremes);
    suite_add_tcase(suite, c);
    return check_main(suite);
}
