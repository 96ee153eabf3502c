/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets and bytes in one word: a counter's differences, wherever it stands. */
#include "../check_main.h"
#include "tally.h"

static const struct {
    const char *what;
    uint64_t packets, bytes; /* modulo 2^64 */
} counters[] = {
    {"new", 0, 0},
    {"one byte before its bytes carry", 5, TALLY_BYTES_END - 1},
    {"one packet before they are lost", TALLY_PACKETS_END - 1, 0},
    {"one byte before it is 0 again", TALLY_PACKETS_END - 1, TALLY_BYTES_END - 1},
    {"after years", UINT64_C(0x123456789abcdef), UINT64_C(0x123456789abcdef0)},
};

static const struct {
    uint64_t packets, bytes;
} differences[] = {
    {0, 0},
    {1, 0},
    {1, 46},
    {3, 65535},
    {TALLY_PACKETS_END - 1, 0},
    {1, TALLY_BYTES_END - 1},
    {TALLY_PACKETS_END - 1, TALLY_BYTES_END - 1},
};

START_TEST(differences_are_exact)
{
    const uint64_t before = tally_of(counters[_i].packets, counters[_i].bytes);
    for (int i = 0; i < ROWS(differences); i++) {
        uint64_t grown = before + tally_of(differences[i].packets, differences[i].bytes) - before;
        ck_assert_msg(tally_packets(grown) == differences[i].packets &&
                          tally_bytes(grown) == differences[i].bytes,
                      "%s, difference %d", counters[_i].what, i);
    }
}
END_TEST

/* As a worker does it, one after the other. */
START_TEST(packets_add_up)
{
    const uint64_t before = tally_of(counters[_i].packets, counters[_i].bytes);
    uint64_t counter = before, bytes = 0;
    for (uint64_t packets = 1; packets <= 100000; packets++) {
        uint32_t size = (uint32_t)(packets * 7919 % 65536);
        counter += tally_of(1, size);
        bytes += size;
        if (tally_packets(counter - before) != packets || tally_bytes(counter - before) != bytes)
            ck_abort_msg("%s, after %lu packets", counters[_i].what, (unsigned long)packets);
    }
}
END_TEST

/* Several workers' counters of one binding: the sum of their differences is one. */
START_TEST(differences_add_up)
{
    uint64_t now = 0, before = 0;
    for (int i = 0; i < ROWS(counters); i++) {
        before += tally_of(counters[i].packets, counters[i].bytes);
        now += tally_of(counters[i].packets + TALLY_PACKETS_END / 8, counters[i].bytes + TALLY_BYTES_END / 8);
    }
    ck_assert_uint_eq(tally_packets(now - before), ROWS(counters) * (TALLY_PACKETS_END / 8));
    ck_assert_uint_eq(tally_bytes(now - before), ROWS(counters) * (TALLY_BYTES_END / 8));
}
END_TEST

/* Beyond the bounds a difference is short by them, and the next one exact again. */
START_TEST(too_much_spoils_one_difference)
{
    uint64_t counter = tally_of(TALLY_PACKETS_END + 3, 100);
    ck_assert_uint_eq(tally_packets(counter), 3);
    ck_assert_uint_eq(tally_bytes(counter), 100);
    uint64_t before = counter;
    counter += tally_of(2, TALLY_BYTES_END + 50);
    ck_assert_uint_eq(tally_packets(counter - before), 2 + 1);
    ck_assert_uint_eq(tally_bytes(counter - before), 50);
    before = counter;
    counter += tally_of(4, 400);
    ck_assert_uint_eq(tally_packets(counter - before), 4);
    ck_assert_uint_eq(tally_bytes(counter - before), 400);
}
END_TEST

/* The bounds that the header derives. */
START_TEST(bounds_are_seconds_of_a_fast_link)
{
    const double bits_a_second = 100e9;
    ck_assert_double_gt((double)TALLY_BYTES_END * 8 / bits_a_second, 2.7);
    ck_assert_double_gt((double)TALLY_PACKETS_END * 84 * 8 / bits_a_second, 3.6);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("tally");
    TCase *c = tcase_create("tally");
    tcase_add_loop_test(c, differences_are_exact, 0, ROWS(counters));
    tcase_add_loop_test(c, packets_add_up, 0, ROWS(counters));
    tcase_add_test(c, differences_add_up);
    tcase_add_test(c, too_much_spoils_one_difference);
    tcase_add_test(c, bounds_are_seconds_of_a_fast_link);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return check_main(suite());
}
