/* SPDX-License-Identifier: BSD-3-Clause */
/* [S] A lease that was given before a change of session, or before our start, still counts
 * (doc/delegation-protocol.md, "Timers, flow control, liveness", the primary's half). */
#include "flock_check.h"

static void open_0(void)
{
    flock_open(&flock, 0);
}

/* ---- The count runs on over a change of session ---- */
/* Begun with a datagram that asks for no lease. */
static void new_session(size_t i)
{
    struct packet packet;
    const uint32_t sessions = node(i)->sessions;
    flock_greet(&flock, i);
    packet_begin(&packet, script(i)->agent->peers, DELEGATION_RATES, 1);
    flock_say(&flock, i, &packet);
    ck_assert_uint_eq(node(i)->sessions, sessions + 1);
}

static void beat(uint64_t ms)
{
    for (; ms > 0; ms -= 10) {
        flock_keepalive(&flock, 0);
        flock_wait_ms(&flock, 10);
    }
}

START_TEST(what_is_not_started_again_lapses_with_the_former_lease)
{
    const uint64_t count_ms = 40 + NODE_DETECTION_MS; /* before a START would be given up */
    up(0);
    delegated(0, 0);
    delegated(1, 0);
    script(0)->silent = true;
    beat(100);
    flock.lab.settings.delegation.lease_ms = 40;
    ck_assert_int_eq(agent_configure(agent(), &flock.lab.settings), 0);
    beat(COUNT_MS + 10);
    flock_keepalive(&flock, 0);
    script(0)->acks_nothing = true;
    new_session(0);
    const size_t announced = flock.announced[0];
    beat(count_ms - 10);
    ck_assert(!mobile_intercepts(agent(), mobile(0)));
    beat(10);
    flock_wait_ms(&flock, 1);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 0);
    ck_assert_uint_eq(counted(AGENT_STARTS_GIVEN_UP), 0);
    ck_assert(mobile_intercepts(agent(), mobile(0)));
    ck_assert(mobile_intercepts(agent(), mobile(1)));
    ck_assert_uint_ge(flock.announced[0], announced + 1);
}
END_TEST

/* ... from our start, for what was held before it. */
START_TEST(what_was_held_before_our_start_lapses)
{
    flock_hold(&flock, 0, 0, 7, START_INTERCEPT);
    flock_wait_ms(&flock, COUNT_MS - 150);
    script(0)->acks_nothing = true;
    flock_boot(&flock, 0);
    flock_wait_ms(&flock, 149);
    ck_assert_ptr_eq(delegation_owner(mobile(0)), node(0));
    ck_assert(!mobile_intercepts(agent(), mobile(0)));
    flock_wait_ms(&flock, 2);
    ck_assert_uint_eq(counted(AGENT_STARTS_GIVEN_UP), 0);
    ck_assert(mobile_intercepts(agent(), mobile(0)));
    ck_assert_uint_ge(flock.announced[0], 1);
}
END_TEST

START_TEST(what_is_started_again_stays)
{
    up(0);
    delegated(0, 0);
    const uint64_t before = start_at(0, 0)->generation;
    const size_t announced = flock.announced[0];
    new_session(0);
    flock_wait_ms(&flock, 50);
    ck_assert_uint_gt(start_at(0, 0)->generation, before);
    flock_wait_ms(&flock, COUNT_MS);
    ck_assert(!mobile_intercepts(agent(), mobile(0)));
    ck_assert_uint_eq(flock.announced[0], announced);
}
END_TEST

START_TEST(death_count_runs_on_over_a_change_of_session)
{
    up(0);
    script(0)->silent = true;
    flock_keepalive(&flock, 0);
    flock_wait_ms(&flock, 1000);
    new_session(0);
    ck_assert(peer_in_session(&node(0)->peer));
    flock_wait_ms(&flock, COUNT_MS - 1000 - 1);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 0);
    flock_wait_ms(&flock, 1);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 1);
}
END_TEST

/* ---- A primary without its store intercepts nothing at first ---- */
START_TEST(may_intercept_when_all_are_synchronised)
{
    ck_assert(!node_may_intercept(agent(), flock.lab.now));
    flock_boot(&flock, 0);
    flock_wait_ms(&flock, 1100);
    ck_assert(!node_may_intercept(agent(), flock.lab.now));
    flock_boot(&flock, 1);
    script(1)->syncs_nothing = true;
    flock_wait_ms(&flock, 0);
    ck_assert(!node_may_intercept(agent(), flock.lab.now));
    script(1)->syncs_nothing = false;
    flock_greet(&flock, 1);
    flock_wait_ms(&flock, 300);
    ck_assert_int_eq(node(1)->state, PEER_READY);
    ck_assert(node_may_intercept(agent(), flock.lab.now));
}
END_TEST

START_TEST(may_intercept_when_former_leases_are_over)
{
    flock_register(&flock, 0);
    flock_wait_ms(&flock, COUNT_MS - 1);
    ck_assert(!node_may_intercept(agent(), flock.lab.now));
    ck_assert(!mobile_intercepts(agent(), mobile(0)));
    ck_assert_uint_eq(flock.announced[0], 0);
    flock_wait_ms(&flock, 1);
    ck_assert(node_may_intercept(agent(), flock.lab.now));
    flock_wait_ms(&flock, 100);
    ck_assert(mobile_intercepts(agent(), mobile(0)));
    ck_assert_uint_ge(flock.announced[0], 1);
}
END_TEST

START_TEST(may_intercept_at_once_without_secondaries)
{
    ck_assert(node_may_intercept(agent(), flock.lab.now));
    flock_register(&flock, 0);
    ck_assert(mobile_intercepts(agent(), mobile(0)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("former_lease");
    TCase *one = flock_case(suite, "one secondary", open_1);
    tcase_add_test(one, what_is_not_started_again_lapses_with_the_former_lease);
    tcase_add_test(one, what_was_held_before_our_start_lapses);
    tcase_add_test(one, what_is_started_again_stays);
    tcase_add_test(one, death_count_runs_on_over_a_change_of_session);
    tcase_add_test(one, may_intercept_when_former_leases_are_over);
    TCase *two = flock_case(suite, "two secondaries", open_2);
    tcase_add_test(two, may_intercept_when_all_are_synchronised);
    TCase *none = flock_case(suite, "none", open_0);
    tcase_add_test(none, may_intercept_at_once_without_secondaries);
    return check_main(suite);
}
