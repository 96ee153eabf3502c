/* SPDX-License-Identifier: BSD-3-Clause */
/* doc/delegation-protocol.md, "Session", the primary's half. */
#include "flock_check.h"

static void open_3(void)
{
    flock_open(&flock, 3);
}

/* ---- Terms ---- */
static const struct {
    const char *what;
    uint32_t first, second, expected;
} terms[] = {
    {"nobody has seen any", 0, 0, 1},
    {"the first has", 4, 0, 5},
    {"the second has seen a higher one", 4, 9, 10},
    {"a node not met yet has seen ours: from another's lips", 4, 5, 6},
    {"the second has seen a lower one", 4, 3, 5},
};

START_TEST(term_is_above_all_that_was_seen)
{
    script(0)->term = terms[_i].first;
    script(1)->term = terms[_i].second;
    up(0);
    ck_assert_uint_gt(agent()->term, script(0)->term);
    up(1);
    ck_assert_msg(agent()->term == terms[_i].expected, "%s: term %u", terms[_i].what, agent()->term);
    ck_assert_uint_eq(script(1)->term, terms[_i].second); /* not told ours before it has told its own */
    delegated(0, 1);
    ck_assert_uint_eq(delegation_term(start_at(1, 0)->generation), agent()->term);
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
    ck_assert(mobile_intercepts(agent(), mobile(0)));
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
    ck_assert(mobile_intercepts(agent(), mobile(0)));
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
    ck_assert_ptr_nonnull(mobile(0)->rated);
}
END_TEST

static const uint8_t types[] = {DELEGATION_START, DELEGATION_STOP, DELEGATION_SYNC_REQ, 77};

START_TEST(a_secondarys_business_is_unexpected)
{
    up(0);
    struct packet packet;
    packet_begin(&packet, script(0)->agent->peers, types[_i], 5);
    flock_say(&flock, 0, &packet);
    ck_assert_uint_eq(counted(AGENT_PEER_UNEXPECTED), 1);
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

int main(void)
{
    Suite *suite = suite_create("node");
    TCase *one = flock_case(suite, "one secondary", open_1);
    tcase_add_test(one, own_term_heard_back_is_no_reason_to_raise_it);
    tcase_add_test(one, counter_begins_anew_in_a_new_term);
    tcase_add_test(one, dismissed_goes_when_it_holds_nothing);
    tcase_add_test(one, dismissed_and_configured_again_stays);
    tcase_add_test(one, dismissed_and_dead_goes);
    tcase_add_test(one, rates_are_acknowledged);
    tcase_add_test(one, keepalive_without_load_is_malformed);
    tcase_add_loop_test(one, a_secondarys_business_is_unexpected, 0, ROWS(types));
    TCase *two = flock_case(suite, "two secondaries", open_2);
    tcase_add_loop_test(two, term_is_above_all_that_was_seen, 0, ROWS(terms));
    tcase_add_test(two, views_tell_how_it_stands);
    TCase *three = flock_case(suite, "three secondaries", open_3);
    tcase_add_test(three, id_slots_are_distinct_and_stay);
    return check_main(suite);
}
