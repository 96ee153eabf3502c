/* SPDX-License-Identifier: BSD-3-Clause */
/* doc/delegation-protocol.md, "Timers, flow control, liveness", the primary's half. */
#include "flock_check.h"

/* ---- Lease ---- */
START_TEST(keepalive_is_answered_with_a_lease)
{
    up(0);
    const uint64_t before = script(0)->leases;
    flock_keepalive(&flock, 0);
    ck_assert_uint_eq(script(0)->leases, before + 1);
    const struct delegation_lease *lease = &script(0)->lease;
    ck_assert_uint_eq(lease->lease_ms, LEASE_MS);
    ck_assert_uint_eq(lease->sequence, script(0)->agent->peers->session.sent);
    ck_assert_uint_eq(lease->report_ms, NODE_REPORT_MS);
    ck_assert_uint_eq(lease->report_top, NODE_REPORT_TOP);
    ck_assert_uint_eq(lease->floor, agent()->generation);
    ck_assert_uint_eq(node(0)->load.state, LOAD_READY);
}
END_TEST

START_TEST(floor_is_0_before_synchronisation)
{
    script(0)->syncs_nothing = true;
    flock_boot(&flock, 0);
    generation_next(agent());
    flock_wait_ms(&flock, 2000);
    ck_assert_uint_gt(script(0)->leases, 0);
    ck_assert_uint_eq(script(0)->lease.floor, 0);
}
END_TEST

/* Found by seed 117665099492461 of the simulation: a primary restarts while a secondary is frozen, which,
 * thawed, tells it the highest term that it knows, and only then obeys what the former life had sent in the
 * term above, which now is that of the new life, too. */
START_TEST(tombstones_of_an_earlier_life_are_outgrown)
{
    up(0);
    flock_keepalive(&flock, 0);
    const uint32_t term = agent()->term;
    script(0)->load.tombstones = 3;
    script(0)->load.floor = script(0)->lease.floor;
    flock_keepalive(&flock, 0); /* they may be about to go */
    ck_assert_uint_eq(agent()->term, term);
    flock_keepalive(&flock, 0);
    ck_assert_uint_eq(agent()->term, term + 1);
    ck_assert_uint_eq(script(0)->lease.floor, agent()->generation);
    ck_assert_uint_gt(script(0)->lease.floor, script(0)->load.floor);
    script(0)->load.floor = script(0)->lease.floor;
    script(0)->load.tombstones = 0;
    flock_keepalive(&flock, 0);
    flock_keepalive(&flock, 0);
    ck_assert_uint_eq(agent()->term, term + 1);
}
END_TEST

START_TEST(silence_makes_suspect_then_dead_after_lease_and_detection)
{
    up(0);
    script(0)->silent = true;
    flock_keepalive(&flock, 0); /* the last one */
    flock_wait_ms(&flock, NODE_SILENCE_MS - 1);
    ck_assert_int_eq(node(0)->state, PEER_READY);
    flock_wait_ms(&flock, 1);
    ck_assert_int_eq(node(0)->state, PEER_SUSPECT);
    ck_assert(!node_is_eligible(node(0)));
    flock_wait_ms(&flock, COUNT_MS - NODE_SILENCE_MS - 1);
    ck_assert_int_eq(node(0)->state, PEER_SUSPECT);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 0);
    flock_wait_ms(&flock, 1);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 1);
    ck_assert_uint_eq(flock.notes[NOTE_PEER_DEAD], 1);
}
END_TEST

START_TEST(shorter_lease_does_not_shorten_the_count_of_a_longer_one)
{
    up(0);
    script(0)->silent = true;
    flock_keepalive(&flock, 0);
    flock.lab.settings.delegation.lease_ms = 600;
    ck_assert_int_eq(agent_configure(agent(), &flock.lab.settings), 0);
    flock_keepalive(&flock, 0);
    ck_assert_uint_eq(script(0)->lease.lease_ms, 600);
    flock_wait_ms(&flock, COUNT_MS - 1);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 0);
    flock_wait_ms(&flock, 1);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 1);
}
END_TEST

START_TEST(suspect_heard_again_is_ready)
{
    up(0);
    script(0)->silent = true;
    flock_keepalive(&flock, 0);
    flock_wait_ms(&flock, NODE_SILENCE_MS + 1);
    ck_assert_int_eq(node(0)->state, PEER_SUSPECT);
    flock_keepalive(&flock, 0);
    ck_assert_int_eq(node(0)->state, PEER_READY);
    ck_assert(node_is_eligible(node(0)));
    flock_wait_ms(&flock, NODE_SILENCE_MS - 1);
    ck_assert_int_eq(node(0)->state, PEER_READY);
}
END_TEST

/* [S] Declaring a secondary dead destroys the session; it is greeted at once. */
START_TEST(death_destroys_the_session)
{
    up(0);
    delegated(0, 0);
    script(0)->silent = true;
    script(0)->lost = true;
    flock_keepalive(&flock, 0);
    flock_wait_ms(&flock, COUNT_MS);
    ck_assert_int_eq(node(0)->state, PEER_DEAD);
    ck_assert(!peer_in_session(&node(0)->peer));
    ck_assert(timer_is_set(&node(0)->peer.greeting));
    flock_wait_ms(&flock, 100);
    ck_assert(mobile_intercepts(agent(), mobile(0)));
    ck_assert_uint_ge(flock.announced[0], 1);
    const uint32_t sessions = node(0)->sessions;
    script(0)->silent = script(0)->lost = false;
    flock_wait_ms(&flock, 3000);
    ck_assert_uint_eq(node(0)->sessions, sessions + 1);
    ck_assert_int_eq(node(0)->state, PEER_READY);
}
END_TEST

START_TEST(never_met_is_not_declared_dead)
{
    flock_wait_ms(&flock, 10000);
    ck_assert_int_eq(node(0)->state, PEER_UNMET);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 0);
    up(0);
}
END_TEST

START_TEST(session_without_keepalives_ends_in_death)
{
    flock_wait_ms(&flock, 10000);
    script(0)->silent = true;
    flock_boot(&flock, 0);
    flock_wait_ms(&flock, 1100); /* the next HELLO */
    ck_assert(peer_in_session(&node(0)->peer));
    flock_wait_ms(&flock, COUNT_MS);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 1);
}
END_TEST

/* ---- [S] Withholding ---- */
START_TEST(lease_is_withheld_from_a_node_that_hears_none)
{
    script(0)->deaf = true;
    flock_boot(&flock, 0);
    flock_wait_ms(&flock, 0);
    ck_assert_uint_eq(script(0)->leases, 1);
    flock_wait_ms(&flock, LEASE_MS); /* counted from the first one answered */
    ck_assert_uint_eq(script(0)->leases, 4);
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 0);
    flock_wait_ms(&flock, 500);
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 1);
    ck_assert_uint_eq(script(0)->leases, 4);
    ck_assert_uint_eq(script(0)->acks, 5);
    ck_assert(!node_is_eligible(node(0)));
    flock_wait_ms(&flock, COUNT_MS - 501);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 0);
    flock_wait_ms(&flock, 1);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 1);
}
END_TEST

START_TEST(lease_is_withheld_from_a_node_that_hears_no_more)
{
    up(0);
    flock_wait_ms(&flock, 20000); /* far beyond the ring */
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 0);
    script(0)->lost = true;
    flock_wait_ms(&flock, LEASE_MS);
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 0);
    flock_wait_ms(&flock, 1000);
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 1);
    flock_wait_ms(&flock, COUNT_MS);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 1);
}
END_TEST

/* Hears nothing until it is given no lease any more. */
static void let_go_deaf(void)
{
    up(0);
    script(0)->lost = true;
    flock_wait_ms(&flock, LEASE_MS + 500);
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 1);
    ck_assert_int_eq(node(0)->state, PEER_SUSPECT); /* whatever it may hold, it intercepts nothing */
    script(0)->lost = false;
}

/* The session goes on, and what was delegated in it. */
START_TEST(whoever_hears_again_is_given_a_lease)
{
    let_go_deaf();
    const uint64_t leases = script(0)->leases, acks = script(0)->acks;
    flock_keepalive(&flock, 0);
    ck_assert_uint_eq(script(0)->acks, acks + 1);
    ck_assert_uint_eq(script(0)->leases, leases);
    ck_assert_int_eq(node(0)->state, PEER_SUSPECT);
    flock_keepalive(&flock, 0);
    ck_assert_uint_eq(script(0)->leases, leases + 1);
    ck_assert_int_eq(node(0)->state, PEER_SUSPECT); /* it may not have heard that */
    flock_keepalive(&flock, 0);
    ck_assert_int_eq(node(0)->state, PEER_READY);
    ck_assert(node_is_eligible(node(0)));
    flock_wait_ms(&flock, 10000);
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 1);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 0);
}
END_TEST

/* Only leases are lost: it cannot go on like that, with nobody intercepting. */
START_TEST(whoever_hears_no_lease_then_is_given_no_more)
{
    let_go_deaf();
    script(0)->misses = true;
    flock_keepalive(&flock, 0);
    flock_keepalive(&flock, 0); /* answered with a lease */
    const uint64_t acks = script(0)->acks;
    flock_wait_ms(&flock, COUNT_MS - 1);
    ck_assert_uint_ge(script(0)->acks, acks + 3);
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 2);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 0);
    flock_wait_ms(&flock, 1);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 1);
}
END_TEST

/* The LEASE on trial is heard, but so late that it is over: that is no reason for another one. */
START_TEST(a_lease_heard_when_it_is_over_earns_no_other)
{
    let_go_deaf();
    flock_keepalive(&flock, 0);
    flock_keepalive(&flock, 0); /* the trial: answered with a lease */
    script(0)->silent = true;
    for (int i = 0; i < 20 && counted(AGENT_NODES_DEAD) == 0; i++) {
        flock_wait_ms(&flock, LEASE_MS + 1);
        flock_keepalive(&flock, 0); /* tells of the lease that is over */
        flock_keepalive(&flock, 0); /* and of the answer without one */
    }
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 1);
}
END_TEST

static const struct {
    const char *what;
    bool sync;
} stalls[] = {{"of an operation", false}, {"of a synchronisation", true}};

START_TEST(lease_is_withheld_without_progress)
{
    const bool sync = stalls[_i].sync;
    if (sync) {
        script(0)->syncs_nothing = true;
        flock_boot(&flock, 0);
        flock_wait_ms(&flock, 0);
    } else {
        up(0);
        delegated(0, 0);
        script(0)->acks_nothing = true;
        const struct addr home = lab_home(0);
        ck_assert_int_eq(agent_recall(agent(), &home, flock.lab.now), REFUSAL_DONE);
    }
    flock_wait_ms(&flock, NODE_STALLED_MS - 500);
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 0);
    flock_wait_ms(&flock, 1500);
    ck_assert_msg(counted(AGENT_LEASES_WITHHELD) == 1, "%s", stalls[_i].what);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 0);
    flock_wait_ms(&flock, COUNT_MS);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 1);
    flock_wait_ms(&flock, 1100);
    ck_assert(peer_in_session(&node(0)->peer));
    ck_assert_uint_eq(node(0)->peer.payload_max, PEER_SMALL_PAYLOAD);
}
END_TEST

static const struct {
    const char *what;
    bool ignores; /* one of two */
    unsigned withheld;
} stragglers[] = {{"all are acknowledged", false, 0}, {"one never is", true, 1}};

START_TEST(others_progress_is_none_of_this_operation)
{
    up(0);
    delegated(0, 0);
    delegated(1, 0);
    const struct addr home = lab_home(1);
    if (stragglers[_i].ignores)
        script(0)->ignores = home;
    ck_assert_int_eq(agent_recall(agent(), &home, flock.lab.now), REFUSAL_DONE);
    for (int i = 0; i < 24; i++) {
        ck_assert_msg(i > 18 || counted(AGENT_LEASES_WITHHELD) == 0, "%s: too early", stragglers[_i].what);
        delegation_announce_again(agent(), mobile(0), flock.lab.now);
        flock_wait_ms(&flock, 500);
    }
    ck_assert_msg(counted(AGENT_LEASES_WITHHELD) == stragglers[_i].withheld, "%s", stragglers[_i].what);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("liveness");
    TCase *one = flock_case(suite, "one secondary", open_1);
    tcase_add_test(one, keepalive_is_answered_with_a_lease);
    tcase_add_test(one, floor_is_0_before_synchronisation);
    tcase_add_test(one, tombstones_of_an_earlier_life_are_outgrown);
    tcase_add_test(one, silence_makes_suspect_then_dead_after_lease_and_detection);
    tcase_add_test(one, shorter_lease_does_not_shorten_the_count_of_a_longer_one);
    tcase_add_test(one, suspect_heard_again_is_ready);
    tcase_add_test(one, death_destroys_the_session);
    tcase_add_test(one, never_met_is_not_declared_dead);
    tcase_add_test(one, session_without_keepalives_ends_in_death);
    tcase_add_test(one, lease_is_withheld_from_a_node_that_hears_none);
    tcase_add_test(one, lease_is_withheld_from_a_node_that_hears_no_more);
    tcase_add_test(one, whoever_hears_again_is_given_a_lease);
    tcase_add_test(one, whoever_hears_no_lease_then_is_given_no_more);
    tcase_add_test(one, a_lease_heard_when_it_is_over_earns_no_other);
    tcase_add_loop_test(one, lease_is_withheld_without_progress, 0, ROWS(stalls));
    tcase_add_loop_test(one, others_progress_is_none_of_this_operation, 0, ROWS(stragglers));
    return check_main(suite);
}
