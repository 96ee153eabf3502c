/* SPDX-License-Identifier: BSD-3-Clause */
#include "../check_main.h"
#include "sequence.h"

enum { NUMBERS_MAX = 12 };

static const struct {
    const char *what;
    uint64_t numbers[NUMBERS_MAX];
    int count;
    uint64_t received, lost, duplicates, out_of_order;
} rows[] = {
    {"nothing", {0}, 0, 0, 0, 0, 0},
    {"in order", {0, 1, 2, 3}, 4, 4, 0, 0, 0},
    {"the first ones lost", {3, 4}, 2, 2, 3, 0, 0},
    {"one lost", {0, 1, 3}, 3, 3, 1, 0, 0},
    {"one late", {0, 2, 1, 3}, 4, 4, 0, 0, 1},
    {"one doubled", {0, 1, 1, 2}, 4, 4, 0, 1, 0},
    {"late and doubled", {0, 2, 1, 1}, 4, 4, 0, 1, 1},
    {"zero doubled", {0, 0}, 2, 2, 0, 1, 0},
    {"a leap beyond the window", {0, 5000, 4999}, 3, 3, 4998, 0, 1},
    {"a leap of the window exactly", {0, 1, 1024, 1025, 2}, 5, 5, 1021, 0, 1},
    {"what left the window is late, not doubled", {0, 5000, 0}, 3, 3, 4998, 0, 1},
    {"oldest in the window doubled", {1, 1024, 1}, 3, 3, 1023, 1, 0},
    {"no such number", {0, UINT64_MAX, 1}, 3, 2, 0, 0, 0},
};

START_TEST(row)
{
    struct sequence s = {0};
    for (int i = 0; i < rows[_i].count; i++)
        sequence_note(&s, rows[_i].numbers[i]);
    ck_assert_msg(s.received == rows[_i].received, "%s: received %lu", rows[_i].what,
                  (unsigned long)s.received);
    ck_assert_msg(sequence_lost(&s) == rows[_i].lost, "%s: lost %lu", rows[_i].what,
                  (unsigned long)sequence_lost(&s));
    ck_assert_msg(s.duplicates == rows[_i].duplicates, "%s: duplicates", rows[_i].what);
    ck_assert_msg(s.out_of_order == rows[_i].out_of_order, "%s: out of order", rows[_i].what);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sequence");
    TCase *c = tcase_create("sequence");
    tcase_add_loop_test(c, row, 0, ROWS(rows));
    suite_add_tcase(suite, c);
    return check_main(suite);
}
