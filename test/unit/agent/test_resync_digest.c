/* SPDX-License-Identifier: BSD-3-Clause */
/* doc/delegation-protocol.md, "Synchronisation", the primary's half: what two digests that differ bring
 * about. */
#include "former_check.h"

/* The script's table becomes what the primary thinks it is, for mobile nodes 0 to n - 1. */
static void agree(size_t n)
{
    script(0)->n_table = 0;
    for (size_t i = 0; i < n; i++) {
        const struct delegation_start *start = start_at(0, i);
        flock_hold(&flock, 0, i, start->generation, ACTIVE)->care_of = start->care_of;
    }
    script(0)->load.digest = node(0)->digest;
}

static void three_delegated(void)
{
    up(0);
    for (size_t i = 0; i < 3; i++)
        delegated(i, 0);
    agree(3);
    flock_wait_ms(&flock, 1000);
    ck_assert_uint_eq(script(0)->buckets, 0);
}

/* The digest that the script reports is that of its table. */
static void report_table(void)
{
    uint64_t digest = 0;
    for (size_t i = 0; i < script(0)->n_table; i++) {
        const struct delegation_start *e = &script(0)->table[i];
        if (e->flags & START_INTERCEPT)
            digest ^= delegation_entry_digest(0, &e->home, e->generation, &e->care_of, 1);
    }
    script(0)->load.digest = digest;
}

START_TEST(two_mismatches_start_a_synchronisation)
{
    three_delegated();
    const unsigned requests = script(0)->requests;
    script(0)->silent = true;
    script(0)->load.digest ^= 1;
    flock_keepalive(&flock, 0);
    flock_wait_ms(&flock, 10);
    ck_assert_uint_eq(script(0)->requests, requests);
    script(0)->load.digest ^= 1;
    flock_keepalive(&flock, 0); /* a match between */
    script(0)->load.digest ^= 1;
    flock_keepalive(&flock, 0);
    flock_wait_ms(&flock, 10);
    ck_assert_uint_eq(script(0)->requests, requests);
    flock_keepalive(&flock, 0);
    flock_wait_ms(&flock, 10);
    ck_assert_uint_eq(script(0)->requests, requests + 7);
    ck_assert_uint_eq(script(0)->buckets, DELEGATION_BUCKETS);
    ck_assert_uint_eq(counted(AGENT_SYNCHRONISATIONS), 2);
    ck_assert_int_eq(node(0)->state, PEER_READY);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(start_at(0, i)->generation, script(0)->table[i].generation);
}
END_TEST

START_TEST(small_datagrams_take_more_requests)
{
    three_delegated();
    const unsigned requests = script(0)->requests;
    node(0)->peer.payload_max = PEER_SMALL_PAYLOAD;
    script(0)->load.digest ^= 1;
    flock_wait_ms(&flock, 1200);
    ck_assert_uint_eq(script(0)->buckets, DELEGATION_BUCKETS);
    ck_assert_uint_eq(script(0)->requests, requests + 16);
}
END_TEST

START_TEST(one_request_is_outstanding_at_a_time)
{
    three_delegated();
    const unsigned requests = script(0)->requests;
    script(0)->syncs_nothing = true;
    script(0)->load.digest ^= 1;
    flock_wait_ms(&flock, 1100);
    const uint32_t request = script(0)->request;
    ck_assert_uint_gt(script(0)->requests, requests);
    flock_wait_ms(&flock, 2000);
    ck_assert_uint_eq(script(0)->request, request);
}
END_TEST

static const struct {
    const char *what;
    int missing;    /* mobile node; -1: none */
    int generation; /* of this one it is another */
    int lingers;    /* this one does not intercept */
    bool surplus;
    bool restarted[3];
} differences[] = {
    {"one is missing", 1, -1, -1, false, {false, true, false}},
    {"one is another", -1, 2, -1, false, {false, false, true}},
    {"one lingers", -1, -1, 0, false, {true, false, false}},
    {"one is too much", -1, -1, -1, true, {false, false, false}},
    {"all of it", 0, 1, 2, true, {true, true, true}},
};

START_TEST(difference_is_mended)
{
    three_delegated();
    const struct addr surplus = ip("10.1.9.9");
    uint64_t before[3];
    struct script *s = script(0);
    for (size_t i = 0; i < 3; i++)
        before[i] = s->table[i].generation;
    if (differences[_i].generation >= 0)
        s->table[differences[_i].generation].generation--;
    if (differences[_i].lingers >= 0)
        s->table[differences[_i].lingers].flags = 0;
    if (differences[_i].surplus)
        flock_hold(&flock, 0, 5, old(7), ACTIVE)->home = surplus;
    if (differences[_i].missing >= 0)
        s->table[differences[_i].missing] = s->table[--s->n_table];
    report_table();
    flock_wait_ms(&flock, 1200);
    for (size_t i = 0; i < 3; i++) {
        const struct delegation_start *start = start_at(0, i);
        ck_assert_msg((start->generation > before[i]) == differences[_i].restarted[i], "%s: %zu",
                      differences[_i].what, i);
        ck_assert(start->flags & START_INTERCEPT);
        ck_assert_ptr_eq(delegation_owner(mobile(i)), node(0));
    }
    const struct delegation_record *stop = flock_heard(&flock, 0, &surplus);
    ck_assert_msg((stop != NULL) == differences[_i].surplus, "%s", differences[_i].what);
    ck_assert(stop == NULL || stop->type == DELEGATION_RECORD_STOP);
}
END_TEST

/* What is named in a bucket that differs, and is right, is not missing. */
START_TEST(what_is_right_in_a_bucket_that_differs_stays)
{
    three_delegated();
    const struct addr home = lab_home(0);
    struct addr surplus = ip("10.1.16.0");
    while (delegation_bucket(0, &surplus) != delegation_bucket(0, &home))
        surplus = addr_from_ipv4(addr_ipv4(&surplus) + 1);
    flock_hold(&flock, 0, 5, old(7), ACTIVE)->home = surplus;
    report_table();
    flock_wait_ms(&flock, 1200);
    ck_assert_uint_eq(stop_at(0, &surplus)->mode, STOP_DROP);
    ck_assert_uint_eq(start_at(0, 0)->generation, script(0)->table[0].generation);
}
END_TEST

static const struct {
    const char *what;
    bool after;   /* issued after the request */
    bool missing; /* in the answer; else it is of another generation there */
} flights[] = {
    {"open when the request was sent", false, false},
    {"issued after", true, false},
    {"open when the request was sent, not in the answer", false, true},
    {"issued after, not in the answer", true, true},
};

/* Not acknowledged when the request is sent, or issued after: the answer does not describe it. */
START_TEST(operations_in_flight_are_left_alone)
{
    three_delegated();
    struct script *s = script(0);
    const struct addr home = lab_home(0);
    s->table[0].generation--;
    if (flights[_i].missing)
        s->table[0] = s->table[--s->n_table];
    s->syncs_below = delegation_bucket(0, &home);
    s->silent = s->acks_nothing = true;
    node(0)->compared_ns = flock.lab.now.mono_ns - 60 * NSEC_PER_S;
    report_table();
    if (!flights[_i].after)
        delegation_announce_again(agent(), mobile(0), flock.lab.now);
    flock_keepalive(&flock, 0);
    flock_keepalive(&flock, 0);
    flock_wait_ms(&flock, 8);
    ck_assert_ptr_nonnull(node(0)->resync);
    if (flights[_i].after)
        delegation_announce_again(agent(), mobile(0), flock.lab.now);
    flock_wait_ms(&flock, 8);
    const uint64_t generation = start_at(0, 0)->generation;
    s->acks_nothing = false;
    for (int i = 0; holding_find(mobile(0)->delegation, node(0))->open; i++) {
        ck_assert_int_lt(i, 200);
        flock_wait_ms(&flock, 1);
    }
    s->syncs_below = DELEGATION_BUCKETS;
    flock_wait_ms(&flock, 600);
    ck_assert_ptr_null(node(0)->resync);
    ck_assert_msg(start_at(0, 0)->generation == generation, "%s", flights[_i].what);
}
END_TEST

/* After a change of session what is owned is started again once, whatever is found, and not announced. */
START_TEST(session_change_starts_again_once)
{
    three_delegated();
    script(0)->table[0].generation--;
    const size_t before = script(0)->n_heard;
    flock_greet(&flock, 0);
    flock_keepalive(&flock, 0);
    flock_wait_ms(&flock, 200);
    ck_assert_uint_eq(script(0)->n_heard, before + 3);
    ck_assert(!(start_at(0, 0)->flags & START_ANNOUNCE));
}
END_TEST

/* What costs much is not done all the time, however long the tables differ. */
START_TEST(synchronisations_by_digest_take_a_rest)
{
    three_delegated();
    script(0)->syncs_below = 0;
    script(0)->load.digest ^= 1; /* which mends nothing */
    flock_wait_ms(&flock, 1500);
    ck_assert_ptr_nonnull(node(0)->resync);
    script(0)->syncs_below = DELEGATION_BUCKETS;
    flock_wait_ms(&flock, 1500);
    ck_assert_ptr_null(node(0)->resync);
    const uint64_t begun = counted(AGENT_SYNCHRONISATIONS);
    flock_wait_ms(&flock, 2500);
    ck_assert_uint_eq(counted(AGENT_SYNCHRONISATIONS), begun);
    flock_wait_ms(&flock, 20000);
    ck_assert_uint_gt(counted(AGENT_SYNCHRONISATIONS), begun);
}
END_TEST

START_TEST(nothing_is_compared_with_something_in_flight_but_for_a_minute)
{
    three_delegated();
    script(0)->load.digest ^= 1;
    const unsigned requests = script(0)->requests;
    for (int i = 0; i < 59 * 4; i++) {
        delegation_announce_again(agent(), mobile(i % 3), flock.lab.now);
        script(0)->silent = true;
        if (i % 2 == 0)
            flock_keepalive(&flock, 0);
        flock_wait_ms(&flock, 250);
    }
    ck_assert_uint_eq(script(0)->requests, requests);
    delegation_announce_again(agent(), mobile(0), flock.lab.now);
    flock_wait_ms(&flock, 100);
    delegation_announce_again(agent(), mobile(0), flock.lab.now);
    script(0)->silent = false;
    for (int i = 0; i < 8; i++) {
        delegation_announce_again(agent(), mobile(0), flock.lab.now);
        flock_keepalive(&flock, 0);
        flock_wait_ms(&flock, 250);
    }
    ck_assert_uint_gt(script(0)->requests, requests);
}
END_TEST

START_TEST(session_that_ends_takes_its_synchronisation_along)
{
    three_delegated();
    script(0)->syncs_nothing = true;
    script(0)->load.digest ^= 1;
    flock_wait_ms(&flock, 1100);
    ck_assert_ptr_nonnull(node(0)->resync);
    script(0)->silent = script(0)->lost = true;
    flock_wait_ms(&flock, 1750);
    ck_assert_int_eq(counted(AGENT_NODES_DEAD), 1);
    ck_assert_ptr_null(node(0)->resync);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resync_digest");
    TCase *one = flock_case(suite, "one secondary", open_1);
    tcase_add_test(one, two_mismatches_start_a_synchronisation);
    tcase_add_test(one, small_datagrams_take_more_requests);
    tcase_add_test(one, one_request_is_outstanding_at_a_time);
    tcase_add_loop_test(one, difference_is_mended, 0, ROWS(differences));
    tcase_add_test(one, what_is_right_in_a_bucket_that_differs_stays);
    tcase_add_loop_test(one, operations_in_flight_are_left_alone, 0, ROWS(flights));
    tcase_add_test(one, session_change_starts_again_once);
    tcase_add_test(one, synchronisations_by_digest_take_a_rest);
    tcase_add_test(one, nothing_is_compared_with_something_in_flight_but_for_a_minute);
    tcase_add_test(one, session_that_ends_takes_its_synchronisation_along);
    return check_main(suite);
}
