/* SPDX-License-Identifier: BSD-3-Clause */
/* What a listener answers: RFC 3810, sections 6.2 and 6.3. */
#include "listener_check.h"

enum { MANY = 1000000 };

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

/* Rule 1: who asks again and gives more time does not stretch the answer. */
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

int main(void)
{
    Suite *suite = suite_create("listener_queries");
    TCase *tcase = listener_case(suite, "queries");
    tcase_add_test(tcase, general_query);
    tcase_add_test(tcase, nothing_to_answer);
    tcase_add_test(tcase, a_query_after_another);
    tcase_add_test(tcase, a_query_during_an_answer);
    tcase_add_test(tcase, the_sooner_answer_stays);
    tcase_add_test(tcase, a_million_groups);
    tcase_add_test(tcase, joined_and_left_during_an_answer);
    tcase_add_test(tcase, query_of_a_group);
    tcase_add_test(tcase, a_group_twice);
    tcase_add_test(tcase, more_groups_than_are_remembered);
    tcase_add_loop_test(tcase, query_of_a_group_and_sources, 0, ROWS(sources));
    return check_main(suite);
}
