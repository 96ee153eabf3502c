/* SPDX-License-Identifier: BSD-3-Clause */
/* doc/delegation-protocol.md, "Session" and "Timers, flow control, liveness", the primary's half. */
#include "flock_check.h"

enum { LEASE_MS = 1500, COUNT_MS = LEASE_MS + NODE_DETECTION_MS };

/* ---- Terms ---- */
START_TEST(term_is_above_all_that_was_seen)
{
    static const struct {
        const char *what;
        uint32_t first, second, expected;
    } rows[] = {
        {"nobody has seen any", 0, 0, 1},
        {"the first has", 4, 0, 5},
        {"the second has seen a higher one", 4, 9, 10},
        {"a node not met yet has seen ours: from another's lips", 4, 5, 6},
        {"the second has seen a lower one", 4, 3, 5},
    };
    flock_open(&flock, 2);
    script(0)->term = rows[_i].first;
    script(1)->term = rows[_i].second;
    up(0);
    ck_assert_uint_gt(agent()->term, script(0)->term);
    up(1);
    ck_assert_msg(agent()->term == rows[_i].expected, "%s: term %u", rows[_i].what, agent()->term);
    ck_assert_uint_eq(script(1)->term, rows[_i].second); /* not told ours before it has told its own */
    delegated(0, 1);
    ck_assert_uint_eq(delegation_term(start_at(1, 0)->generation), agent()->term);
    flock_close(&flock);
}
END_TEST

START_TEST(own_term_heard_back_is_no_reason_to_raise_it)
{
    script(0)->term = 4;
    up(0);
    ck_assert_uint_eq(agent()->term, 5);
    for (int again = 0; again < 3; again++) {
        flock_boot(&flock, 0);
        script(0)->term = 5;
        flock_wait_ms(&flock, 3000);
        ck_assert_uint_eq(agent()->term, 5);
    }
    ck_assert_uint_ge(node(0)->sessions, 3);
}
END_TEST

START_TEST(counter_begins_anew_in_a_new_term)
{
    const uint64_t first = generation_next(agent());
    ck_assert_uint_eq(first, delegation_first_generation(1) + 1);
    ck_assert_uint_eq(generation_next(agent()), first + 1);
    node_raise_term(agent(), 6);
    ck_assert_uint_eq(generation_next(agent()), delegation_first_generation(7) + 1);
    node_raise_term(agent(), 3);
    ck_assert_uint_eq(generation_next(agent()), delegation_first_generation(7) + 2);
}
END_TEST

/* ---- Coming and going ---- */
START_TEST(id_slots_are_distinct_and_stay)
{
    flock_open(&flock, 3);
    const uint8_t slots[] = {node(0)->peer.id_slot, node(1)->peer.id_slot, node(2)->peer.id_slot};
    for (int i = 0; i < 3; i++) {
        ck_assert(slots[i] >= 1 && slots[i] < 64);
        ck_assert_uint_ne(slots[i], slots[(i + 1) % 3]);
    }
    flock_configure(&flock, 6);
    ck_assert_ptr_null(node(0));
    flock_configure(&flock, 7);
    ck_assert_uint_eq(node(1)->peer.id_slot, slots[1]);
    ck_assert_uint_eq(node(2)->peer.id_slot, slots[2]);
    ck_assert_uint_ne(node(0)->peer.id_slot, slots[1]);
    ck_assert_uint_ne(node(0)->peer.id_slot, slots[2]);
    flock_close(&flock);
}
END_TEST

START_TEST(dismissed_goes_when_it_holds_nothing)
{
    up(0);
    delegated(0, 0);
    script(0)->acks_nothing = true;
    flock_configure(&flock, 0);
    flock_wait_ms(&flock, 500);
    ck_assert_ptr_nonnull(node(0));
    ck_assert(node(0)->draining && !node_is_eligible(node(0)));
    script(0)->acks_nothing = false;
    flock_wait_ms(&flock, 60000);
    ck_assert_ptr_null(node(0));
    ck_assert_ptr_null(agent()->peers);
    ck_assert(mobile_intercepts(agent(), flock_mobile(&flock, 0)));
}
END_TEST

START_TEST(dismissed_and_configured_again_stays)
{
    up(0);
    delegated(0, 0);
    script(0)->acks_nothing = true;
    flock_configure(&flock, 0);
    flock_wait_ms(&flock, 500);
    flock_configure(&flock, 1);
    script(0)->acks_nothing = false;
    flock_wait_ms(&flock, 60000);
    ck_assert_ptr_nonnull(node(0));
    ck_assert(!node(0)->draining && node_is_eligible(node(0)));
}
END_TEST

START_TEST(dismissed_and_dead_goes)
{
    up(0);
    delegated(0, 0);
    script(0)->silent = script(0)->acks_nothing = true;
    flock_configure(&flock, 0);
    flock_wait_ms(&flock, COUNT_MS + 600);
    ck_assert_ptr_null(agent()->peers);
    ck_assert(mobile_intercepts(agent(), flock_mobile(&flock, 0)));
}
END_TEST

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
    ck_assert(mobile_intercepts(agent(), flock_mobile(&flock, 0)));
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

START_TEST(lease_is_withheld_without_progress)
{
    static const struct {
        const char *what;
        bool sync;
    } rows[] = {{"of an operation", false}, {"of a synchronisation", true}};
    flock_open(&flock, 1);
    const bool sync = rows[_i].sync;
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
    ck_assert_msg(counted(AGENT_LEASES_WITHHELD) == 1, "%s", rows[_i].what);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 0);
    flock_wait_ms(&flock, COUNT_MS);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 1);
    flock_wait_ms(&flock, 1100);
    ck_assert(peer_in_session(&node(0)->peer));
    ck_assert_uint_eq(node(0)->peer.payload_max, PEER_SMALL_PAYLOAD);
    flock_close(&flock);
}
END_TEST

START_TEST(others_progress_is_none_of_this_operation)
{
    static const struct {
        const char *what;
        bool ignores; /* one of two */
        unsigned withheld;
    } rows[] = {{"all are acknowledged", false, 0}, {"one never is", true, 1}};
    flock_open(&flock, 1);
    up(0);
    delegated(0, 0);
    delegated(1, 0);
    const struct addr home = lab_home(1);
    if (rows[_i].ignores)
        script(0)->ignores = home;
    ck_assert_int_eq(agent_recall(agent(), &home, flock.lab.now), REFUSAL_DONE);
    for (int i = 0; i < 24; i++) {
        ck_assert_msg(i > 18 || counted(AGENT_LEASES_WITHHELD) == 0, "%s: too early", rows[_i].what);
        delegation_announce_again(agent(), flock_mobile(&flock, 0), flock.lab.now);
        flock_wait_ms(&flock, 500);
    }
    ck_assert_msg(counted(AGENT_LEASES_WITHHELD) == rows[_i].withheld, "%s", rows[_i].what);
    flock_close(&flock);
}
END_TEST

/* ---- [S] The count runs on over a change of session ---- */
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
    ck_assert(!mobile_intercepts(agent(), flock_mobile(&flock, 0)));
    beat(10);
    flock_wait_ms(&flock, 1);
    ck_assert_uint_eq(counted(AGENT_NODES_DEAD), 0);
    ck_assert_uint_eq(counted(AGENT_STARTS_GIVEN_UP), 0);
    ck_assert(mobile_intercepts(agent(), flock_mobile(&flock, 0)));
    ck_assert(mobile_intercepts(agent(), flock_mobile(&flock, 1)));
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
    ck_assert_ptr_eq(delegation_owner(flock_mobile(&flock, 0)), node(0));
    ck_assert(!mobile_intercepts(agent(), flock_mobile(&flock, 0)));
    flock_wait_ms(&flock, 2);
    ck_assert_uint_eq(counted(AGENT_STARTS_GIVEN_UP), 0);
    ck_assert(mobile_intercepts(agent(), flock_mobile(&flock, 0)));
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
    ck_assert(!mobile_intercepts(agent(), flock_mobile(&flock, 0)));
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

/* ---- [S] A primary without its store intercepts nothing at first ---- */
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
    ck_assert(!mobile_intercepts(agent(), flock_mobile(&flock, 0)));
    ck_assert_uint_eq(flock.announced[0], 0);
    flock_wait_ms(&flock, 1);
    ck_assert(node_may_intercept(agent(), flock.lab.now));
    flock_wait_ms(&flock, 100);
    ck_assert(mobile_intercepts(agent(), flock_mobile(&flock, 0)));
    ck_assert_uint_ge(flock.announced[0], 1);
}
END_TEST

START_TEST(may_intercept_at_once_without_secondaries)
{
    flock_open(&flock, 0);
    ck_assert(node_may_intercept(agent(), flock.lab.now));
    flock_register(&flock, 0);
    ck_assert(mobile_intercepts(agent(), flock_mobile(&flock, 0)));
    flock_close(&flock);
}
END_TEST

/* ---- Draining ---- */
static void say_event(size_t s, size_t i, uint16_t code, uint64_t generation, uint32_t mtu)
{
    struct packet packet;
    struct delegation_event event = {.home = lab_home(i), .generation = generation, .code = code};
    struct writer w = writer_over(event.auxiliary, sizeof(event.auxiliary));
    write_u32(&w, mtu);
    packet_begin(&packet, script(s)->agent->peers, DELEGATION_EVENT, 7);
    delegation_event_encode(&packet.w, &event);
    flock_say(&flock, s, &packet);
}

START_TEST(draining_has_several_causes)
{
    up(0);
    struct node *n = node(0);
    node_set_draining(agent(), n, true, flock.lab.now);
    ck_assert(n->draining && n->state == PEER_DRAINING);
    script(0)->load.state = LOAD_DRAINING;
    flock_wait_ms(&flock, 500);
    node_set_draining(agent(), n, false, flock.lab.now);
    ck_assert(n->draining && !node_is_eligible(n));
    script(0)->load.state = LOAD_READY;
    flock_wait_ms(&flock, 500);
    ck_assert(!n->draining && n->state == PEER_READY);
    say_event(0, 0, EVENT_LINK_DOWN, 0, 0);
    ck_assert(n->draining);
    say_event(0, 0, EVENT_LINK_UP, 0, 0);
    ck_assert(!n->draining && node_is_eligible(n));
    script(0)->load.state = LOAD_OVERLOADED;
    flock_wait_ms(&flock, 500);
    ck_assert(!n->draining && n->state == PEER_OVERLOADED && !node_is_eligible(n));
}
END_TEST

/* The repetition of an event that comes after the next one tells what was, not what is. */
START_TEST(late_copy_of_a_link_event)
{
    up(0);
    struct session *session = &script(0)->agent->peers->session;
    say_event(0, 0, EVENT_LINK_DOWN, 0, 0);
    session->sent++;
    say_event(0, 0, EVENT_LINK_UP, 0, 0);
    session->sent -= 2;
    say_event(0, 0, EVENT_LINK_DOWN, 0, 0);
    session->sent++;
    ck_assert_uint_eq(script(0)->answered[DELEGATION_EVENT_ACK], 3);
    ck_assert(!node(0)->draining && node_is_eligible(node(0)));
    say_event(0, 0, EVENT_LINK_DOWN, 0, 0);
    ck_assert(node(0)->draining);
}
END_TEST

/* ---- Events ---- */
START_TEST(events_are_acknowledged_and_acted_on)
{
    static const struct {
        const char *what;
        uint16_t code;
        bool old;      /* it tells of an older generation */
        bool restarts; /* the owner announces again */
    } rows[] = {
        {"expired", EVENT_EXPIRED, false, true},
        {"expired, of an older START", EVENT_EXPIRED, true, false},
        {"strays at the owner", EVENT_STRAYS, false, false},
        {"conflict", EVENT_CONFLICT, false, false},
        {"unknown", 99, false, false},
    };
    flock_open(&flock, 1);
    up(0);
    delegated(0, 0);
    const uint64_t generation = start_at(0, 0)->generation;
    say_event(0, 0, rows[_i].code, generation - rows[_i].old, 0);
    flock_wait_ms(&flock, 50);
    ck_assert_uint_eq(script(0)->answered[DELEGATION_EVENT_ACK], 1);
    ck_assert_uint_eq(counted(AGENT_EVENTS_HEARD), 1);
    ck_assert_msg((start_at(0, 0)->generation > generation) == rows[_i].restarts, "%s", rows[_i].what);
    ck_assert_msg(!rows[_i].restarts || start_at(0, 0)->flags & START_ANNOUNCE, "%s", rows[_i].what);
    ck_assert_uint_eq(flock.notes[NOTE_CONFLICT], rows[_i].code == EVENT_CONFLICT);
    flock_close(&flock);
}
END_TEST

START_TEST(strays_make_the_owner_announce_again)
{
    up(0);
    up(1);
    delegated(0, 0);
    const uint64_t generation = start_at(0, 0)->generation;
    say_event(1, 0, EVENT_STRAYS, 0, 0);
    flock_wait_ms(&flock, 50);
    ck_assert_uint_gt(start_at(0, 0)->generation, generation);
    ck_assert(start_at(0, 0)->flags & START_ANNOUNCE);
}
END_TEST

START_TEST(strays_make_the_primary_announce_again)
{
    up(0);
    flock_register(&flock, 0);
    flock_wait_ms(&flock, 5000);
    const size_t before = flock.announced[0];
    say_event(0, 0, EVENT_STRAYS, 0, 0);
    ck_assert_uint_eq(flock.announced[0], before + 1);
}
END_TEST

START_TEST(too_big_goes_to_the_owner)
{
    up(0);
    up(1);
    delegated(0, 0);
    say_event(1, 0, EVENT_TOO_BIG, 0, 1280);
    flock_wait_ms(&flock, 50);
    ck_assert_uint_eq(start_at(0, 0)->tunnel_mtu, 1280);
}
END_TEST

START_TEST(full_table_gets_nothing_until_it_reports_again)
{
    up(0);
    script(0)->silent = true;
    say_event(0, 0, EVENT_TABLE_FULL, 0, 0);
    ck_assert(!node_is_eligible(node(0)));
    flock_keepalive(&flock, 0);
    ck_assert(node_is_eligible(node(0)));
}
END_TEST

/* ---- Dispatch ---- */
START_TEST(rates_are_acknowledged)
{
    up(0);
    delegated(0, 0);
    struct packet packet;
    const struct delegation_rate rate = {.home = lab_home(0), .pps = 100, .kbps = 10, .packets = 7};
    packet_begin(&packet, script(0)->agent->peers, DELEGATION_RATES, 5);
    delegation_rate_encode(&packet.w, &rate);
    flock_say(&flock, 0, &packet);
    ck_assert_uint_eq(script(0)->answered[DELEGATION_RATES_ACK], 1);
    ck_assert_ptr_nonnull(flock_mobile(&flock, 0)->rated);
}
END_TEST

START_TEST(a_secondarys_business_is_unexpected)
{
    static const uint8_t types[] = {DELEGATION_START, DELEGATION_STOP, DELEGATION_SYNC_REQ, 77};
    flock_open(&flock, 1);
    up(0);
    struct packet packet;
    packet_begin(&packet, script(0)->agent->peers, types[_i], 5);
    flock_say(&flock, 0, &packet);
    ck_assert_uint_eq(counted(AGENT_PEER_UNEXPECTED), 1);
    flock_close(&flock);
}
END_TEST

START_TEST(keepalive_without_load_is_malformed)
{
    up(0);
    const uint64_t before = script(0)->acks;
    struct packet packet;
    packet_begin(&packet, script(0)->agent->peers, DELEGATION_KEEPALIVE, 0);
    flock_say(&flock, 0, &packet);
    ck_assert_uint_eq(counted(AGENT_PEER_MALFORMED), 1);
    ck_assert_uint_eq(script(0)->acks, before);
}
END_TEST

/* ---- Views ---- */
START_TEST(views_tell_how_it_stands)
{
    up(0);
    delegated(0, 0);
    size_t cursor = 0;
    struct peer_view view;
    ck_assert(agent_peer_next(agent(), &cursor, flock.lab.now, &view));
    ck_assert_str_eq(view.name, "s0");
    ck_assert_int_eq(view.state, PEER_READY);
    ck_assert_uint_eq(view.bindings, 1);
    ck_assert_uint_eq(view.pending, 0);
    ck_assert_uint_eq(view.id, 2);
    ck_assert_uint_eq(view.term, agent()->term);
    ck_assert_uint_le(view.last_heard_ms, 500);
    ck_assert(view.lease_left_ms > 0 && view.lease_left_ms <= LEASE_MS);
    ck_assert(agent_peer_next(agent(), &cursor, flock.lab.now, &view));
    ck_assert_str_eq(view.name, "s1");
    ck_assert_int_eq(view.state, PEER_UNMET);
    ck_assert_uint_eq(view.last_heard_ms, UINT32_MAX);
    ck_assert(!agent_peer_next(agent(), &cursor, flock.lab.now, &view));

    struct holding_view holding;
    const struct addr home = lab_home(0), other = lab_home(1);
    cursor = 0;
    ck_assert(agent_holding_next(agent(), &home, &cursor, &holding));
    ck_assert_str_eq(holding.node, "s0");
    ck_assert_uint_eq(holding.generation, start_at(0, 0)->generation);
    ck_assert(holding.acknowledged && holding.may_intercept && holding.wanted && !holding.lingering);
    ck_assert(!agent_holding_next(agent(), &home, &cursor, &holding));
    cursor = 0;
    ck_assert(!agent_holding_next(agent(), &other, &cursor, &holding));
}
END_TEST

static TCase *case_of(Suite *suite, const char *name, void (*setup)(void))
{
    TCase *tcase = tcase_create(name);
    if (setup != NULL)
        tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static void add_alone(Suite *suite)
{
    TCase *one = case_of(suite, "one secondary", open_1);
    tcase_add_test(one, own_term_heard_back_is_no_reason_to_raise_it);
    tcase_add_test(one, counter_begins_anew_in_a_new_term);
    tcase_add_test(one, dismissed_goes_when_it_holds_nothing);
    tcase_add_test(one, dismissed_and_configured_again_stays);
    tcase_add_test(one, dismissed_and_dead_goes);
    tcase_add_test(one, keepalive_is_answered_with_a_lease);
    tcase_add_test(one, floor_is_0_before_synchronisation);
    tcase_add_test(one, tombstones_of_an_earlier_life_are_outgrown);
    tcase_add_test(one, silence_makes_suspect_then_dead_after_lease_and_detection);
    tcase_add_test(one, suspect_heard_again_is_ready);
    tcase_add_test(one, shorter_lease_does_not_shorten_the_count_of_a_longer_one);
    tcase_add_test(one, what_was_held_before_our_start_lapses);
    tcase_add_test(one, death_destroys_the_session);
    tcase_add_test(one, never_met_is_not_declared_dead);
    tcase_add_test(one, session_without_keepalives_ends_in_death);
    tcase_add_test(one, lease_is_withheld_from_a_node_that_hears_none);
    tcase_add_test(one, lease_is_withheld_from_a_node_that_hears_no_more);
    tcase_add_test(one, what_is_not_started_again_lapses_with_the_former_lease);
    tcase_add_test(one, what_is_started_again_stays);
    tcase_add_test(one, death_count_runs_on_over_a_change_of_session);
    tcase_add_test(one, may_intercept_when_former_leases_are_over);
    tcase_add_test(one, draining_has_several_causes);
    tcase_add_test(one, late_copy_of_a_link_event);
    tcase_add_test(one, strays_make_the_primary_announce_again);
    tcase_add_test(one, full_table_gets_nothing_until_it_reports_again);
    tcase_add_test(one, rates_are_acknowledged);
    tcase_add_test(one, keepalive_without_load_is_malformed);
}

static Suite *node_suite(void)
{
    Suite *suite = suite_create("node");
    add_alone(suite);
    TCase *two = case_of(suite, "two secondaries", open_2);
    tcase_add_test(two, may_intercept_when_all_are_synchronised);
    tcase_add_test(two, strays_make_the_owner_announce_again);
    tcase_add_test(two, too_big_goes_to_the_owner);
    tcase_add_test(two, views_tell_how_it_stands);
    TCase *rows = case_of(suite, "rows", NULL);
    tcase_add_loop_test(rows, term_is_above_all_that_was_seen, 0, 5);
    tcase_add_test(rows, id_slots_are_distinct_and_stay);
    tcase_add_loop_test(rows, lease_is_withheld_without_progress, 0, 2);
    tcase_add_loop_test(rows, others_progress_is_none_of_this_operation, 0, 2);
    tcase_add_test(rows, may_intercept_at_once_without_secondaries);
    tcase_add_loop_test(rows, events_are_acknowledged_and_acted_on, 0, 5);
    tcase_add_loop_test(rows, a_secondarys_business_is_unexpected, 0, 4);
    return suite;
}

int main(void)
{
    return check_main(node_suite());
}
