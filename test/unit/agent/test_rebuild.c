/* SPDX-License-Identifier: BSD-3-Clause */
/* What a primary that has lost its state takes from a secondary's table (doc/delegation-protocol.md,
 * "Synchronisation"). */
#include "rebuild_check.h"

START_TEST(bindings_are_rebuilt)
{
    const uint64_t cookie = flock.lab.now.ntp + ntp_from_seconds(5);
    struct delegation_start *entry = flock_hold(&flock, 0, 0, old(7), ACTIVE | START_CO_LOCATED);
    entry->duration_ms = 12300;
    entry->cookie = cookie;
    entry->tunnel_mtu = 1300;
    from_before(0);
    struct binding_view view;
    ck_assert(agent_binding(agent(), &entry->home, flock.lab.now, &view));
    ck_assert_uint_eq(counted(AGENT_REBUILT), 1);
    ck_assert_uint_eq(view.n_care_of, 1);
    ck_assert(addr_equal(&view.care_of[0].address, &entry->care_of));
    ck_assert(addr_equal(&view.home_agent, &entry->source));
    ck_assert_uint_eq(view.care_of[0].path_mtu, 1300);
    ck_assert(mobile(0)->cares->co_located);
    ck_assert_uint_eq(mobile(0)->newest, cookie);
    ck_assert_ptr_eq(delegation_owner(mobile(0)), node(0));
    ck_assert(!mobile_intercepts(agent(), mobile(0)));
    ck_assert_uint_eq(flock.announced[0], 0);
    /* [S] An entry intercepts only after a START in the session. */
    ck_assert_uint_gt(start_at(0, 0)->generation, delegation_first_generation(OLD_TERM + 1));
    ck_assert(start_at(0, 0)->flags & START_INTERCEPT && !(start_at(0, 0)->flags & START_ANNOUNCE));
    flock_wait_ms(&flock, 12000);
    ck_assert(agent_binding(agent(), &entry->home, flock.lab.now, &view));
    flock_wait_ms(&flock, 300);
    ck_assert(!agent_binding(agent(), &entry->home, flock.lab.now, &view));
    ck_assert_uint_eq(stop_at(0, &entry->home)->mode, STOP_DROP);
}
END_TEST

/* What it held may be behind what it was told since, and it is not to linger with that. */
START_TEST(rebuilt_and_recalled)
{
    const struct addr home = lab_home(0);
    flock_hold(&flock, 0, 0, old(7), ACTIVE)->care_of = addr_from_ipv4(0xc0000263);
    script(0)->acks_nothing = true;
    from_before(0);
    ck_assert_ptr_eq(delegation_owner(mobile(0)), node(0));
    flock_register(&flock, 0);
    ck_assert_int_eq(delegation_move(agent(), mobile(0), NULL, flock.lab.now), REFUSAL_DONE);
    flock_wait_ms(&flock, 10);
    const struct delegation_record *last = flock_heard(&flock, 0, &home);
    ck_assert_int_eq(last->type, DELEGATION_RECORD_START);
    ck_assert_uint_eq(last->start.flags & START_INTERCEPT, 0);
}
END_TEST

START_TEST(a_set_is_rebuilt_as_a_whole)
{
    for (uint8_t i = 0; i < 3; i++) {
        struct delegation_start *entry = flock_hold(&flock, 0, 0, old(7), ACTIVE);
        entry->care_of = lab_care_of(10 + i);
        entry->index = i;
        entry->count = 3;
    }
    flock_hold(&flock, 0, 1, old(8), ACTIVE);
    from_before(0);
    struct binding_view view;
    const struct addr home = lab_home(0);
    ck_assert(agent_binding(agent(), &home, flock.lab.now, &view));
    ck_assert_uint_eq(view.n_care_of, 3);
    ck_assert_uint_eq(counted(AGENT_REBUILT), 2);
}
END_TEST

static const struct {
    const char *what;
    uint8_t flags, policy;
    bool reverse;
} grants[] = {
    {"granted then and now", ACTIVE | START_DECAPSULATE, REVERSE_TUNNEL_OPTIONAL, true},
    {"not granted any more", ACTIVE | START_DECAPSULATE, REVERSE_TUNNEL_OFF, false},
    {"never granted", ACTIVE, REVERSE_TUNNEL_OPTIONAL, false},
};

/* What a secondary remembers of reverse tunnels, and nobody but the primary grants. */
START_TEST(reverse_tunnels_are_rebuilt)
{
    flock.lab.settings.reverse_tunnel = grants[_i].policy;
    ck_assert_int_eq(agent_configure(agent(), &flock.lab.settings), 0);
    struct delegation_start *entry = flock_hold(&flock, 0, 0, old(7), grants[_i].flags);
    from_before(0);
    struct binding_view view;
    ck_assert(agent_binding(agent(), &entry->home, flock.lab.now, &view));
    ck_assert_msg(view.care_of[0].reverse == grants[_i].reverse, "%s", grants[_i].what);
    const bool told = (start_at(0, 0)->flags & START_DECAPSULATE) != 0;
    ck_assert_msg(told == grants[_i].reverse, "%s", grants[_i].what);
}
END_TEST

static const struct {
    const char *what;
    uint8_t index[2], count[2];
    uint64_t generation[2];
} parts[] = {
    {"the second is missing", {0, 0}, {2, 1}, {7, 7}},
    {"out of order", {1, 0}, {2, 2}, {7, 7}},
    {"of two generations", {0, 1}, {2, 2}, {7, 8}},
    {"of two counts", {0, 1}, {3, 2}, {7, 7}},
    {"a gap", {0, 2}, {2, 2}, {7, 7}},
};

START_TEST(what_is_no_whole_set_is_passed_over)
{
    for (int i = 0; i < 2; i++) {
        struct delegation_start *entry = flock_hold(&flock, 0, 0, old(parts[_i].generation[i]), ACTIVE);
        entry->care_of = lab_care_of(10 + (size_t)i);
        entry->index = parts[_i].index[i];
        entry->count = parts[_i].count[i];
    }
    from_before(0);
    ck_assert_msg(counted(AGENT_REBUILT) == (_i == 0), "%s", parts[_i].what);
    ck_assert_int_eq(node(0)->state, PEER_READY);
}
END_TEST

/* [S] What it had may lead elsewhere: it goes on, for as long as it lingers, to where the binding leads. */
static void forwards_only(size_t s, const struct addr *home, const struct addr *care_of)
{
    const struct delegation_start *start = start_for(s, home);
    ck_assert(!(start->flags & START_INTERCEPT));
    ck_assert(addr_equal(&start->care_of, care_of));
    ck_assert_uint_le(start->duration_ms, flock.lab.settings.delegation.linger_ms);
}

static const struct {
    const char *what;
    uint64_t first, second;
    uint8_t flags; /* of the loser's */
    bool ipv6;
} holders[] = {
    {"the first to be heard", 9, 7, ACTIVE, false},
    {"the second", 7, 9, ACTIVE, false},
    {"the first, and the second lingers", 9, 7, 0, false},
    {"the second, and the first lingers", 7, 9, 0, false},
    {"the first to be heard, of IPv6", 9, 7, ACTIVE, true},
    {"the second, of IPv6", 7, 9, ACTIVE, true},
};

START_TEST(newest_of_several_holders_wins)
{
    const bool ipv6 = holders[_i].ipv6;
    const uint64_t counters[] = {holders[_i].first, holders[_i].second};
    const struct addr home = ipv6 ? lab6_home(0) : lab_home(0);
    const size_t winner = counters[1] > counters[0], loser = !winner;
    for (size_t s = 0; s < 2; s++)
        former(ipv6, s, counters[s], s == loser ? holders[_i].flags : ACTIVE)->care_of =
            ipv6 ? lab6_care_of(10 + s) : lab_care_of(10 + s);
    from_before(0);
    from_before(1);
    flock_wait_ms(&flock, 1000);
    struct binding_view view;
    const struct addr care_of = ipv6 ? lab6_care_of(10 + winner) : lab_care_of(10 + winner);
    ck_assert(agent_binding(agent(), &home, flock.lab.now, &view));
    ck_assert_ptr_eq(delegation_owner(mobile_by_home(agent(), &home)), node(winner));
    ck_assert_msg(addr_equal(&view.care_of[0].address, &care_of), "%s", holders[_i].what);
    forwards_only(loser, &home, &care_of);
    ck_assert(start_for(winner, &home)->flags & START_INTERCEPT);
}
END_TEST

static const struct {
    const char *what;
    const char *home, *care_of; /* NULL: as former() has it */
    uint8_t flags, encapsulation;
    uint8_t mode;
    bool ipv6;
} others[] = {
    {"of no configured mobile node", "10.1.9.9", NULL, ACTIVE, ENCAPSULATION_IPIP, STOP_DROP, false},
    {"of no home network", "10.9.1.1", NULL, ACTIVE, ENCAPSULATION_IPIP, STOP_DROP, false},
    {"one that lingers: a forwarder may yet be found", NULL, NULL, 0, ENCAPSULATION_IPIP, STOP_LINGER, false},
    {"of an encapsulation that is not granted", NULL, NULL, ACTIVE, 3, STOP_LINGER, false},
    {"to no host", NULL, "224.0.0.1", ACTIVE, ENCAPSULATION_IPIP, STOP_LINGER, false},
    {"of IPv6, in IPv4's encapsulation", NULL, NULL, ACTIVE, ENCAPSULATION_IPIP, STOP_LINGER, true},
    {"of IPv6, in one that is not granted", NULL, NULL, ACTIVE, ENCAPSULATION_IPV6_IN_IPV4, STOP_LINGER,
     true},
    {"of IPv6, in one that there is not", NULL, NULL, ACTIVE, 31, STOP_LINGER, true},
    {"of IPv6, to an IPv4 address", NULL, "192.0.2.1", ACTIVE, ENCAPSULATION_IPV6_IN_IPV6, STOP_LINGER, true},
    {"of IPv6, to a link-local address", NULL, "fe80::1", ACTIVE, ENCAPSULATION_IPV6_IN_IPV6, STOP_LINGER,
     true},
    {"of IPv6, to a multicast address", NULL, "ff0e::1", ACTIVE, ENCAPSULATION_IPV6_IN_IPV6, STOP_LINGER,
     true},
};

START_TEST(what_is_not_rebuilt_is_stopped)
{
    struct delegation_start *entry = former(others[_i].ipv6, 0, 7, others[_i].flags);
    if (others[_i].home != NULL)
        entry->home = ip(others[_i].home);
    if (others[_i].care_of != NULL)
        entry->care_of = ip(others[_i].care_of);
    entry->encapsulation = others[_i].encapsulation;
    const size_t mobiles = agent_mobiles(agent());
    from_before(0);
    ck_assert_msg(counted(AGENT_REBUILT) == 0, "%s", others[_i].what);
    ck_assert_uint_eq(agent_bindings(agent()), 0);
    ck_assert_msg(stop_at(0, &entry->home)->mode == others[_i].mode, "%s", others[_i].what);
    ck_assert_uint_gt(stop_at(0, &entry->home)->generation, delegation_first_generation(OLD_TERM + 1));
    flock_wait_ms(&flock, 40000);
    ck_assert_uint_eq(agent_mobiles(agent()), mobiles);
    ck_assert_uint_eq(agent_bindings(agent()), 0);
}
END_TEST

/* What was taken in only to be stopped is no mobile node of ours. */
START_TEST(unknown_at_two_secondaries_is_stopped_at_both)
{
    const struct addr home = ip("10.1.9.9");
    for (size_t s = 0; s < 2; s++)
        flock_hold(&flock, s, 0, old(7), ACTIVE)->home = home;
    script(0)->acks_nothing = true;
    from_before(0);
    from_before(1);
    ck_assert_uint_eq(counted(AGENT_REBUILT), 0);
    ck_assert_uint_eq(stop_at(0, &home)->mode, STOP_DROP);
    ck_assert_uint_eq(stop_at(1, &home)->mode, STOP_DROP);
}
END_TEST

START_TEST(outside_the_home_networks_nothing_is_rebuilt)
{
    const struct addr home = ip("10.9.1.1");
    const struct association sa = lab_association(0);
    ck_assert_int_eq(agent_mobile_set(agent(), &home, &sa, NULL), 0);
    flock_hold(&flock, 0, 0, old(7), ACTIVE)->home = home;
    from_before(0);
    ck_assert_uint_eq(counted(AGENT_REBUILT), 0);
    ck_assert_uint_eq(stop_at(0, &home)->generation > old(7), 1);
}
END_TEST

static const struct {
    const char *what;
    bool ended;
} heard[] = {{"bound since our start", false}, {"bound and gone", true}};

START_TEST(what_we_heard_ourselves_counts_for_more)
{
    flock_hold(&flock, 0, 0, old(7), ACTIVE)->care_of = lab_care_of(20);
    const struct addr home = lab_home(0);
    flock_register(&flock, 0);
    if (heard[_i].ended)
        ck_assert(agent_revoke(agent(), &home, flock.lab.now));
    from_before(0);
    ck_assert_uint_eq(counted(AGENT_REBUILT), 0);
    const struct addr care_of = lab_care_of(0);
    if (heard[_i].ended)
        ck_assert_msg(stop_at(0, &home)->mode == STOP_LINGER, "%s", heard[_i].what);
    else
        forwards_only(0, &home, &care_of);
    ck_assert_uint_eq(agent_bindings(agent()), !heard[_i].ended);
}
END_TEST

START_TEST(later_sessions_rebuild_nothing)
{
    from_before(0);
    flock_hold(&flock, 0, 0, old(7), ACTIVE);
    flock_greet(&flock, 0);
    flock_keepalive(&flock, 0);
    flock_wait_ms(&flock, 100);
    const struct addr home = lab_home(0);
    ck_assert_uint_eq(counted(AGENT_REBUILT), 0);
    ck_assert_uint_eq(stop_at(0, &home)->mode, STOP_DROP);
}
END_TEST

/* [S] When an intercepting entry found too much intercepts no more, the owner announces again. */
START_TEST(surplus_that_intercepts_makes_the_owner_announce)
{
    up(0);
    up(1);
    delegated(0, 0);
    const uint64_t before = start_at(0, 0)->generation;
    const struct addr home = lab_home(0), care_of = lab_care_of(0);
    flock_hold(&flock, 1, 0, old(7), ACTIVE)->care_of = lab_care_of(20);
    flock_greet(&flock, 1);
    flock_keepalive(&flock, 1);
    flock_wait_ms(&flock, 200);
    forwards_only(1, &home, &care_of);
    ck_assert_uint_gt(start_at(0, 0)->generation, start_at(1, 0)->generation);
    ck_assert_uint_gt(start_at(0, 0)->generation, before);
    ck_assert(start_at(0, 0)->flags & START_ANNOUNCE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rebuild");
    TCase *one = flock_case(suite, "one secondary", open_both_1);
    tcase_add_test(one, bindings_are_rebuilt);
    tcase_add_test(one, rebuilt_and_recalled);
    tcase_add_test(one, a_set_is_rebuilt_as_a_whole);
    tcase_add_loop_test(one, reverse_tunnels_are_rebuilt, 0, ROWS(grants));
    tcase_add_loop_test(one, what_is_no_whole_set_is_passed_over, 0, ROWS(parts));
    tcase_add_loop_test(one, what_is_not_rebuilt_is_stopped, 0, ROWS(others));
    tcase_add_test(one, outside_the_home_networks_nothing_is_rebuilt);
    tcase_add_loop_test(one, what_we_heard_ourselves_counts_for_more, 0, ROWS(heard));
    tcase_add_test(one, later_sessions_rebuild_nothing);
    TCase *two = flock_case(suite, "two secondaries", open_both_2);
    tcase_add_loop_test(two, newest_of_several_holders_wins, 0, ROWS(holders));
    tcase_add_test(two, unknown_at_two_secondaries_is_stopped_at_both);
    tcase_add_test(two, surplus_that_intercepts_makes_the_owner_announce);
    return check_main(suite);
}
