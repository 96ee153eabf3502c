/* SPDX-License-Identifier: BSD-3-Clause */
#include "instant.h"

#include "../check_main.h"

static const struct {
    int64_t unix_s;
    uint32_t ns;
    uint64_t ntp;
} moments[] = {
    {0, 0, UINT64_C(0x83aa7e8000000000)},                   /* 1970 */
    {0, 500000000, UINT64_C(0x83aa7e8080000000)},           /* half a second */
    {0, 999999999, UINT64_C(0x83aa7e80fffffffb)},           /* a fraction never carries */
    {-2208988800, 0, 0},                                    /* 1900 */
    {INT64_C(2085978495), 0, UINT64_C(0xffffffff00000000)}, /* the era's last second, 7 February 2036 */
    {INT64_C(2085978496), 0, 0},
};

START_TEST(ntp_of_unix_time)
{
    ck_assert(ntp_from_unix(moments[_i].unix_s, moments[_i].ns) == moments[_i].ntp);
}
END_TEST

START_TEST(order_of_timestamps)
{
    uint64_t before = ntp_from_unix(INT64_C(2085978495), 900000000);
    uint64_t after = ntp_from_unix(INT64_C(2085978497), 100000000);
    ck_assert(ntp_since(after, before) > 0); /* across the end of the era */
    ck_assert(ntp_since(before, after) < 0);
    ck_assert(ntp_since(after, after) == 0);
    ck_assert(ntp_since(after, before) > (int64_t)ntp_from_seconds(1));
    ck_assert(ntp_since(after, before) < (int64_t)ntp_from_seconds(2));
}
END_TEST

START_TEST(both_clocks_advance)
{
    struct instant first = instant_now();
    struct instant second;
    do
        second = instant_now();
    while (second.mono_ns == first.mono_ns);
    ck_assert(second.mono_ns > first.mono_ns);
    ck_assert(first.ntp > ntp_from_unix(1577836800, 0)); /* 2020 */
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("instant");
    TCase *tc = tcase_create("instant");
    tcase_add_loop_test(tc, ntp_of_unix_time, 0, ROWS(moments));
    tcase_add_test(tc, order_of_timestamps);
    tcase_add_test(tc, both_clocks_advance);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
