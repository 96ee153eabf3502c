/* SPDX-License-Identifier: BSD-3-Clause */
/* The listener's part of RFC 3810 and RFC 2710, in virtual time. Sections without a number of their RFC are
 * RFC 3810's. */
#include "listener.h"

#include "../check_main.h"
#include "timerq.h"

#define MS(n)      ((uint64_t)(n)*NSEC_PER_MS)
#define SECONDS(n) ((uint64_t)(n)*NSEC_PER_S)

enum { MTU = 1500, FULL = 72, MANY = 1000000, RECORDS = 4096 };

static struct listener l;
static uint64_t now, began;

/* What was said since forget(). */
static struct said {
    uint64_t at;
    unsigned message;
    uint8_t version;
    enum mld_record_type type;
    struct addr group;
    size_t n_sources;
} said[RECORDS];
static size_t n_said;
static unsigned n_messages;

static void forget(void)
{
    n_said = 0;
    n_messages = 0;
}

static void setup(void)
{
    now = began = SECONDS(100);
    listener_open(&l, MTU, 1);
    forget();
}

static void teardown(void)
{
    listener_close(&l);
}

static bool say(void)
{
    static struct listener_message m;
    if (!listener_next(&l, now, &m))
        return false;
    ck_assert_uint_gt(m.n, 0);
    for (size_t i = 0; i < m.n && n_said < RECORDS; i++)
        said[n_said++] = (struct said){.at = now - began,
                                       .message = n_messages,
                                       .version = m.version,
                                       .type = m.record[i].type,
                                       .group = m.record[i].group,
                                       .n_sources = m.record[i].n_sources};
    n_messages++;
    return true;
}

static void wait_until(uint64_t end)
{
    for (;;) {
        while (say())
            ;
        const uint64_t next = listener_deadline(&l, now);
        if (next > end)
            break;
        now = next > now ? next : now + 1;
    }
    now = end;
}

static void wait(uint64_t ns)
{
    wait_until(now + ns);
}

static void join(uint32_t group)
{
    ck_assert(listener_join(&l, group, now));
}

/* Past all that was to be said, which is forgotten. */
static void join_quietly(uint32_t group)
{
    join(group);
    wait(SECONDS(60));
    forget();
    began = now;
}

static struct mld query(uint8_t version, uint32_t delay_ms)
{
    return (struct mld){.type = MLD_QUERY,
                        .version = version,
                        .delay_ms = delay_ms,
                        .robustness = version == 2 ? 2 : 0,
                        .interval_s = version == 2 ? 125 : 0};
}

static struct mld query_of(uint8_t version, uint32_t delay_ms, uint32_t group)
{
    struct mld q = query(version, delay_ms);
    q.group = group_address(group);
    return q;
}

static void hear(struct mld m)
{
    listener_heard(&l, &m, now);
}

static void check_said(size_t i, enum mld_record_type type, uint32_t group)
{
    const struct addr right = group_address(group);
    ck_assert_uint_lt(i, n_said);
    ck_assert_int_eq(said[i].type, type);
    ck_assert(addr_equal(&said[i].group, &right));
}

/* ---- Groups ---- */

START_TEST(group_names)
{
    struct addr a;
    uint32_t group;
    ck_assert(addr_parse("2001:db8:1::12:3456", &a));
    const struct addr right = addr_solicited_node(&a), named = group_address(group_of(&a));
    ck_assert(addr_equal(&named, &right));
    ck_assert(group_named(&right, &group) && group == 0x123456);
    ck_assert(group_named(&addr_all_routers, &group) && group == GROUP_ALL_ROUTERS);
    const struct addr routers = group_address(GROUP_ALL_ROUTERS);
    ck_assert(addr_equal(&routers, &addr_all_routers));
    ck_assert(!group_named(&addr_all_nodes, &group)); /* section 6: never reported */
    ck_assert(!group_named(&a, &group));
}
END_TEST

START_TEST(group_table)
{
    static const uint32_t some[] = {0, 1, 63, 64, 4095, 4096, 0x123456, 0xffffff, GROUP_ALL_ROUTERS};
    struct groups *groups = groups_create();
    for (int i = 0; i < ROWS(some); i++)
        groups_get(groups, some[i])->addresses = (uint32_t)i + 1;
    uint32_t at = 0;
    for (int i = 0; i < ROWS(some); i++, at++) {
        at = groups_next(groups, at);
        ck_assert_uint_eq(at, some[i]);
        ck_assert_uint_eq(groups_find(groups, at)->addresses, i + 1);
    }
    ck_assert_uint_eq(groups_next(groups, at), GROUPS_END);
    ck_assert_ptr_null(groups_find(groups, 2));
    for (int i = 0; i < ROWS(some); i += 2)
        groups_drop(groups, some[i]);
    ck_assert_uint_eq(groups_next(groups, 0), 1);
    ck_assert_uint_eq(groups_next(groups, 2), 64);
    ck_assert_uint_eq(groups_get(groups, 63)->addresses, 0);
    groups_destroy(groups);
}
END_TEST

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

/* ---- Queries (sections 6.2 and 6.3) ---- */

START_TEST(general_query)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        listener_close(&l);
        listener_open(&l, MTU, seed);
        join_quietly(7);
        hear(query(2, 10000));
        wait(SECONDS(10));
        ck_assert_uint_eq(n_said, 1);
        check_said(0, MLD_IS_EXCLUDE, 7);
        least = said[0].at < least ? said[0].at : least;
        most = said[0].at > most ? said[0].at : most;
    }
    ck_assert_uint_lt(least, MS(500));
    ck_assert_uint_gt(most, MS(9500));
}
END_TEST

START_TEST(nothing_to_answer)
{
    hear(query(2, 1000));
    hear(query_of(2, 1000, 7));
    ck_assert_uint_eq(listener_deadline(&l, now), TIMER_NEVER);
    wait(SECONDS(2));
    ck_assert_uint_eq(n_said, 0);
}
END_TEST

/* Rule 1: what is planned sooner is not put off. */
START_TEST(a_query_after_another)
{
    join_quietly(7);
    hear(query(2, 1000));
    for (int i = 0; i < 20; i++)
        hear(query(2, 1000000));
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 1);
    wait(SECONDS(1000));
    ck_assert_uint_eq(n_said, 1);
}
END_TEST

/* Who asks in the middle of an answer hears all of it. */
START_TEST(a_query_during_an_answer)
{
    for (uint32_t i = 0; i < 10 * FULL; i++)
        join(i * 77);
    wait(SECONDS(60));
    forget();
    hear(query(2, 10000));
    wait(SECONDS(5));
    ck_assert_uint_gt(n_said, 0);
    ck_assert_uint_lt(n_said, 10 * FULL);
    forget();
    hear(query(2, 10000));
    wait(SECONDS(10));
    ck_assert_uint_eq(n_said, 10 * FULL);
}
END_TEST

/* Sections 6.3: spread over the time, each group once, and no turn is long. */
START_TEST(a_million_groups)
{
    static uint8_t seen[MANY];
    static struct listener_message m;
    size_t total = 0, before = 0;
    for (uint32_t i = 0; i < MANY; i++)
        join(i * 16);
    while (listener_deadline(&l, now) != TIMER_NEVER) {
        while (listener_next(&l, now, &m))
            ;
        now += MS(1);
    }
    forget();
    hear(query(2, 10000));
    const uint64_t end = now + MS(10000);
    for (unsigned ms = 0; now <= end; now += MS(1), ms++) {
        if (ms % 1000 == 0 && ms > 0) {
            ck_assert_uint_gt(total - before, MANY / 10 - 5 * FULL);
            ck_assert_uint_lt(total - before, MANY / 10 + 5 * FULL);
            before = total;
        }
        for (unsigned k = 0; listener_next(&l, now, &m); k++) {
            ck_assert_uint_lt(k, 4);
            total += m.n;
            for (size_t i = 0; i < m.n; i++)
                seen[group_of(&m.record[i].group) / 16]++;
        }
    }
    ck_assert_uint_eq(total, MANY);
    for (size_t i = 0; i < MANY; i++)
        ck_assert_uint_eq(seen[i], 1);
}
END_TEST

START_TEST(joined_and_left_during_an_answer)
{
    for (uint32_t i = 0; i < 10 * FULL; i++)
        join(i * 2);
    wait(SECONDS(60));
    hear(query(2, 10000));
    wait(SECONDS(5));
    forget();
    for (uint32_t i = 0; i < 10 * FULL; i++)
        listener_leave(&l, i * 2, now);
    wait(SECONDS(60));
    for (size_t i = 0; i < n_said; i++)
        ck_assert_int_eq(said[i].type, MLD_TO_INCLUDE);
    ck_assert_uint_eq(n_said, 20 * FULL);
    ck_assert_uint_eq(listener_deadline(&l, now), TIMER_NEVER);
}
END_TEST

START_TEST(query_of_a_group)
{
    join(8);
    join_quietly(7);
    for (int i = 0; i < 5; i++)
        hear(query_of(2, 1000, 7));
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 1);
    check_said(0, MLD_IS_EXCLUDE, 7);
    forget();
    hear(query_of(2, 1000, 7));
    listener_leave(&l, 7, now);
    wait(SECONDS(5));
    ck_assert_uint_eq(n_said, 2);
    check_said(0, MLD_TO_INCLUDE, 7); /* it is no listener any more */
}
END_TEST

/* Rule 4: at the earliest of both. */
START_TEST(a_group_twice)
{
    join_quietly(7);
    hear(query_of(2, 1000000, 7));
    hear(query_of(2, 1000, 7));
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 1);
}
END_TEST

START_TEST(more_groups_than_are_remembered)
{
    for (uint32_t i = 0; i < 2 * LISTENER_ASKED_MAX; i++)
        join(i);
    wait(SECONDS(60));
    forget();
    for (uint32_t i = 0; i < LISTENER_ASKED_MAX; i++)
        hear(query_of(2, 1000, i));
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, LISTENER_ASKED_MAX);
    forget();
    for (uint32_t i = 0; i < 2 * LISTENER_ASKED_MAX; i++)
        hear(query_of(2, 1000, i));
    wait(SECONDS(1));
    ck_assert_uint_ge(n_said, 2 * LISTENER_ASKED_MAX);
}
END_TEST

static struct mld query_of_sources(size_t n)
{
    static const uint8_t sources[32 * 16] = {0x20, 0x01, 0x0d, 0xb8};
    struct mld q = query_of(2, 1000, 7);
    q.sources = sources;
    q.n_sources = n;
    return q;
}

/* Section 6.3: EXCLUDE {} has all of them; rule 5: they add up; rule 4: but not to all. */
static const struct {
    const char *what;
    size_t first, second, answered;
    bool twice;
} sources[] = {
    {"two", 2, 0, 2, false},
    {"two and three", 2, 3, 5, true},
    {"two, then all", 2, 0, 0, true},
    {"all, then two", 0, 2, 0, true},
    {"too many", LISTENER_SOURCES_MAX + 1, 0, 0, false},
    {"too many in the end", LISTENER_SOURCES_MAX, 1, 0, true},
};

START_TEST(query_of_a_group_and_sources)
{
    join_quietly(7);
    hear(query_of_sources(sources[_i].first));
    if (sources[_i].twice)
        hear(query_of_sources(sources[_i].second));
    wait(SECONDS(1));
    ck_assert_uint_eq(n_said, 1);
    check_said(0, sources[_i].answered > 0 ? MLD_IS_INCLUDE : MLD_IS_EXCLUDE, 7);
    ck_assert_uint_eq(said[0].n_sources, sources[_i].answered);
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

/* RFC 3810 section 6.2, rule 1: who asks again and gives more time does not stretch the answer. */
START_TEST(the_sooner_answer_stays)
{
    for (uint32_t i = 0; i < 3 * FULL; i++)
        join(i);
    wait(SECONDS(60));
    forget();
    hear(query(2, 10000));
    hear(query(2, 8000000));
    wait(SECONDS(10));
    ck_assert_uint_eq(n_said, 3 * FULL);
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
    TCase *tc = tcase_create("listener");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, group_names);
    tcase_add_test(tc, group_table);
    tcase_add_test(tc, joined);
    tcase_add_test(tc, left);
    tcase_add_test(tc, shared);
    tcase_add_test(tc, changed_again_meanwhile);
    tcase_add_test(tc, told_again);
    tcase_add_test(tc, batches);
    tcase_add_test(tc, repeats_by_chance);
    tcase_add_loop_test(tc, as_robust_as_the_querier, 0, ROWS(robustness));
    tcase_add_test(tc, all_told);
    tcase_add_test(tc, general_query);
    tcase_add_test(tc, nothing_to_answer);
    tcase_add_test(tc, a_query_after_another);
    tcase_add_test(tc, a_query_during_an_answer);
    tcase_add_test(tc, a_million_groups);
    tcase_add_test(tc, joined_and_left_during_an_answer);
    tcase_add_test(tc, query_of_a_group);
    tcase_add_test(tc, a_group_twice);
    tcase_add_test(tc, more_groups_than_are_remembered);
    tcase_add_loop_test(tc, query_of_a_group_and_sources, 0, ROWS(sources));
    tcase_add_test(tc, as_version_1);
    tcase_add_test(tc, version_2_again);
    tcase_add_test(tc, repeats_end_with_their_version);
    tcase_add_loop_test(tc, suppressed, 0, 2);
    tcase_add_test(tc, suppressed_in_any_round);
    tcase_add_test(tc, the_sooner_answer_stays);
    tcase_add_test(tc, repeats_are_suppressed);
    tcase_add_test(tc, paced);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
