/* SPDX-License-Identifier: BSD-3-Clause */
/* What a listener says by itself, in what version: its part of RFC 3810 and RFC 2710. Sections without a
 * number of their RFC are RFC 3810's. Answers are in test_listener_queries.c. */
#include "listener_check.h"

/* ---- Changes (section 6.1) ---- */

START_TEST(joined)
{
    join(7);
    ck_assert_uint_le(listener_deadline(&l, now), now);
    wait(MS(LISTENER_UNSOLICITED_MS));
    ck_assert_uint_eq(n_said, 2); /* [Robustness Variable] times */
    ck_assert_uint_eq(said[0].at, 0);
    check_said(0, MLD_TO_EXCLUDE, 7);
    check_said(1, MLD_TO_EXCLUDE, 7);
    ck_assert_uint_eq(said[0].version, 2);
    ck_assert_uint_eq(listener_deadline(&l, now), TIMER_NEVER);
}
END_TEST

START_TEST(left)
{
    join_quietly(7);
    listener_leave(&l, 7, now);
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 2);
    check_said(0, MLD_TO_INCLUDE, 7);
    check_said(1, MLD_TO_INCLUDE, 7);
    uint32_t group = 0, addresses;
    ck_assert(!listener_group_next(&l, &group, &addresses));
    ck_assert_uint_eq(groups_next(l.groups, 0), GROUPS_END); /* nothing is kept */
    listener_leave(&l, 7, now);
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 2);
}
END_TEST

START_TEST(shared)
{
    uint32_t group = 0, addresses;
    join_quietly(7);
    join(7);
    ck_assert(listener_group_next(&l, &group, &addresses));
    ck_assert(group == 7 && addresses == 2);
    listener_leave(&l, 7, now);
    wait(SECONDS(10));
    ck_assert_uint_eq(n_said, 0);
    listener_leave(&l, 7, now);
    wait(SECONDS(10));
    ck_assert_uint_eq(n_said, 2);
}
END_TEST

/* What it has become is said, as often as it takes from then on. */
START_TEST(changed_again_meanwhile)
{
    join(7);
    say();
    listener_leave(&l, 7, now);
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 3);
    check_said(1, MLD_TO_INCLUDE, 7);
    check_said(2, MLD_TO_INCLUDE, 7);
    ck_assert_uint_eq(groups_next(l.groups, 0), GROUPS_END);
    forget();
    join(8);
    listener_leave(&l, 8, now);
    join(8);
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 2);
    check_said(0, MLD_TO_EXCLUDE, 8);
}
END_TEST

START_TEST(told_again)
{
    join_quietly(7);
    listener_tell(&l, 7, now);
    listener_tell(&l, 7, now);
    listener_tell(&l, 9, now);
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 2);
    check_said(0, MLD_TO_EXCLUDE, 7);
}
END_TEST

/* As many as the link takes in one report, and in its repeat (section 5.2.15). */
START_TEST(batches)
{
    for (uint32_t i = 0; i < 100; i++)
        join(i * 5000);
    while (say())
        ;
    ck_assert_uint_eq(n_messages, 2);
    ck_assert_uint_eq(n_said, 100);
    ck_assert_uint_eq(said[FULL - 1].message, 0);
    ck_assert_uint_eq(said[FULL].message, 1);
    wait(SECONDS(1));
    ck_assert_uint_eq(n_messages, 4);
    ck_assert_uint_eq(n_said, 200);
}
END_TEST

START_TEST(repeats_by_chance)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        listener_close(&l);
        listener_open(&l, MTU, seed);
        began = now;
        forget();
        join(7);
        wait(SECONDS(1));
        ck_assert_uint_eq(n_said, 2);
        least = said[1].at < least ? said[1].at : least;
        most = said[1].at > most ? said[1].at : most;
    }
    ck_assert_uint_lt(least, MS(50));
    ck_assert_uint_gt(most, MS(950));
}
END_TEST

static const struct {
    uint8_t told;
    size_t times;
} robustness[] = {{0, 2}, {1, 2}, {2, 2}, {3, 3}, {7, 7}};

START_TEST(as_robust_as_the_querier)
{
    struct mld q = query(2, 1000);
    q.robustness = robustness[_i].told;
    hear(q);
    join(7);
    wait(SECONDS(8));
    ck_assert_uint_eq(n_said, robustness[_i].times);
}
END_TEST

START_TEST(all_told)
{
    for (uint32_t i = 0; i < 100; i++)
        join(i);
    wait(SECONDS(60));
    forget();
    began = now;
    listener_tell_all(&l, 2, now);
    wait(SECONDS(2));
    ck_assert_uint_eq(n_said, 200);
    check_said(0, MLD_IS_EXCLUDE, 0);
    check_said(100, MLD_IS_EXCLUDE, 0);
    ck_assert_uint_eq(listener_deadline(&l, now), TIMER_NEVER);
}
END_TEST

/* ---- Version 1 (section 8.2.1, RFC 2710) ---- */

START_TEST(as_version_1)
{
    for (uint32_t i = 0; i < 3; i++)
        join(i);
    wait(SECONDS(60));
    forget();
    began = now;
    hear(query(1, 10000));
    wait(SECONDS(10));
    ck_assert_uint_eq(n_said, 3);
    ck_assert_uint_eq(n_messages, 3);
    for (size_t i = 0; i < 3; i++) {
        check_said(i, MLD_IS_EXCLUDE, (uint32_t)i);
        ck_assert_uint_eq(said[i].version, 1);
    }
    forget();
    began = now;
    join(9);
    wait(SECONDS(10));
    ck_assert_uint_eq(n_said, 2);
    check_said(1, MLD_TO_EXCLUDE, 9);
    forget();
    listener_leave(&l, 9, now);
    wait(SECONDS(20));
    ck_assert_uint_eq(n_said, 1); /* RFC 2710 section 4: a single done message */
    check_said(0, MLD_TO_INCLUDE, 9);
    forget();
    hear(query_of(1, 1000, 2));
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 1);
    check_said(0, MLD_IS_EXCLUDE, 2);
}
END_TEST

/* Section 9.12: robustness times the interval, and a response delay; a query of version 2 ends nothing. */
START_TEST(version_2_again)
{
    join_quietly(7);
    hear(query(1, 10000));
    wait(SECONDS(10));
    forget();
    hear(query(2, 1000));
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 1);
    ck_assert_uint_eq(said[0].version, 1);
    now += SECONDS(2 * 125 + 10 - 11) - 1;
    forget();
    hear(query(2, 0));
    wait(0);
    ck_assert_uint_eq(said[0].version, 1);
    now += 1;
    forget();
    hear(query(2, 1000));
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 1);
    ck_assert_uint_eq(said[0].version, 2);
}
END_TEST

/* Section 8.2.1: whoever changes cancels what is pending. */
START_TEST(repeats_end_with_their_version)
{
    join(7);
    while (say())
        ;
    hear(query_of(2, 1000, 7));
    hear(query_of(1, 2000, 8));
    forget();
    wait(SECONDS(20));
    ck_assert_uint_eq(n_said, 0);
    listener_leave(&l, 7, now);
    wait(SECONDS(20));
    ck_assert_uint_eq(n_said, 1);
    ck_assert_uint_eq(groups_next(l.groups, 0), GROUPS_END);
}
END_TEST

/* What was still to be repeated in the other version takes nothing from a newer change. */
START_TEST(a_change_outlives_repeats_of_the_other_version)
{
    join(7);
    while (say())
        ;
    hear(query_of(1, 2000, 8));
    forget();
    listener_tell(&l, 7, now);
    wait(SECONDS(10));
    ck_assert_uint_eq(n_said, 2);
    check_said(0, MLD_TO_EXCLUDE, 7);
    check_said(1, MLD_TO_EXCLUDE, 7);
    ck_assert_uint_eq(said[1].version, 1);
}
END_TEST

/* What waited is said as often as the version has it in which it is said. */
START_TEST(left_in_one_version_and_told_in_the_other)
{
    join_quietly(7);
    listener_leave(&l, 7, now);
    hear(query_of(1, 2000, 8));
    wait(SECONDS(20));
    ck_assert_uint_eq(n_said, 1);
    check_said(0, MLD_TO_INCLUDE, 7);
    ck_assert_uint_eq(said[0].version, 1);
}
END_TEST

static struct mld report_of(uint32_t group)
{
    return (struct mld){.type = MLD_REPORT_V1, .group = group_address(group)};
}

/* RFC 2710 section 4: another's answer is enough; of version 2 it is not. */
START_TEST(suppressed)
{
    for (uint32_t i = 0; i < 3; i++)
        join(i);
    wait(SECONDS(60));
    hear(query(_i == 0 ? 1 : 2, 10000));
    hear(query_of(_i == 0 ? 1 : 2, 10000, 2));
    forget();
    hear(report_of(1));
    hear(report_of(2));
    hear(report_of(77));
    wait(SECONDS(10));
    if (_i != 0) {
        ck_assert_uint_eq(n_said, 4);
        return;
    }
    ck_assert_uint_eq(n_said, 1);
    check_said(0, MLD_IS_EXCLUDE, 0);
    forget();
    hear(query(1, 10000)); /* the next round is another one */
    wait(SECONDS(10));
    ck_assert_uint_eq(n_said, 3);
}
END_TEST

/* Rounds are told apart by their numbers. */
START_TEST(suppressed_in_any_round)
{
    for (uint32_t i = 0; i < 3; i++)
        join(i);
    wait(SECONDS(60));
    for (int round = 0; round < 5; round++) {
        hear(query(1, 10000));
        forget();
        hear(report_of(1));
        wait(SECONDS(10));
        ck_assert_msg(n_said == 2, "round %d", round);
    }
}
END_TEST

START_TEST(repeats_are_suppressed)
{
    hear(query(1, 1000));
    join(7);
    while (say())
        ;
    forget();
    hear(report_of(7));
    wait(SECONDS(20));
    ck_assert_uint_eq(n_said, 0);
}
END_TEST

/* ---- Pace ---- */

START_TEST(paced)
{
    hear(query(1, 1000));
    for (uint32_t i = 0; i < 10000; i++)
        join(i);
    wait(0);
    ck_assert_uint_eq(n_messages, LISTENER_BURST);
    ck_assert_uint_gt(listener_deadline(&l, now), now);
    wait(SECONDS(1));
    ck_assert_uint_le(n_messages, LISTENER_BURST + LISTENER_PER_S);
    ck_assert_uint_ge(n_messages, LISTENER_PER_S);
    wait(SECONDS(30));
    ck_assert_uint_eq(n_messages, 20000);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("listener");
    TCase *tc = listener_case(s, "listener");
    tcase_add_test(tc, joined);
    tcase_add_test(tc, left);
    tcase_add_test(tc, shared);
    tcase_add_test(tc, changed_again_meanwhile);
    tcase_add_test(tc, told_again);
    tcase_add_test(tc, batches);
    tcase_add_test(tc, repeats_by_chance);
    tcase_add_loop_test(tc, as_robust_as_the_querier, 0, ROWS(robustness));
    tcase_add_test(tc, all_told);
    tcase_add_test(tc, as_version_1);
    tcase_add_test(tc, version_2_again);
    tcase_add_test(tc, repeats_end_with_their_version);
    tcase_add_test(tc, a_change_outlives_repeats_of_the_other_version);
    tcase_add_test(tc, left_in_one_version_and_told_in_the_other);
    tcase_add_loop_test(tc, suppressed, 0, 2);
    tcase_add_test(tc, suppressed_in_any_round);
    tcase_add_test(tc, repeats_are_suppressed);
    tcase_add_test(tc, paced);
    return s;
}

int main(void)
{
    return check_main(suite());
}
