/* SPDX-License-Identifier: BSD-3-Clause */
/* Bounds of each byte: those at both ends, one beyond either; both ways of testing agree. */
#include "eal.h"

#include "form.h"

static void check_fits(const struct form *form, const uint8_t *bytes, bool expected)
{
    ck_assert(form_fits(form, bytes) == expected);
    ck_assert(form_fits_scalar(form, bytes) == expected);
}

START_TEST(any_bytes_are_of_any_form)
{
    const struct form form = form_of_any();
    uint8_t bytes[FORM_LEN] = {0};
    check_fits(&form, bytes, true);
    memset(bytes, 0xff, sizeof(bytes));
    check_fits(&form, bytes, true);
}
END_TEST

/* _i: where. */
START_TEST(a_byte_is_within_its_bounds)
{
    static const uint8_t bounds[][2] = {{0, 0}, {0, 0x7f}, {1, 0xdf}, {2, 0xff}, {0x80, 0x80}, {0xff, 0xff}};
    uint8_t bytes[FORM_LEN + 1], *at = bytes + 1; /* wherever they begin */
    memset(bytes, 0xa5, sizeof(bytes));
    for (int row = 0; row < ROWS(bounds); row++) {
        struct form form = form_of_any();
        form_bound(&form, (unsigned)_i, bounds[row][0], bounds[row][1]);
        for (int value = 0; value < 256; value++) {
            at[_i] = (uint8_t)value;
            check_fits(&form, at, value >= bounds[row][0] && value <= bounds[row][1]);
        }
    }
}
END_TEST

START_TEST(all_that_is_fixed_counts)
{
    uint8_t bytes[FORM_LEN];
    uint64_t random = eal_seed("all that is fixed counts");
    for (int i = 0; i < FORM_LEN; i++)
        bytes[i] = (uint8_t)eal_random(&random);
    struct form form = form_of_any();
    form_fix(&form, 0, bytes, FORM_LEN);
    check_fits(&form, bytes, true);
    for (int i = 0; i < FORM_LEN; i++) {
        bytes[i]++;
        check_fits(&form, bytes, false);
        bytes[i] = (uint8_t)(bytes[i] - 2);
        check_fits(&form, bytes, false);
        bytes[i]++;
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("form");
    TCase *t = tcase_create("form");
    tcase_add_test(t, any_bytes_are_of_any_form);
    tcase_add_loop_test(t, a_byte_is_within_its_bounds, 0, FORM_LEN);
    tcase_add_test(t, all_that_is_fixed_counts);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return check_main(suite());
}
