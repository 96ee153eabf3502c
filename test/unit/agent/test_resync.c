/* SPDX-License-Identifier: BSD-3-Clause */
/* doc/delegation-protocol.md, "Synchronisation", the primary's half. */
#include "flock_check.h"

#include "secondary/held.h"

enum { OLD_TERM = 3, ACTIVE = START_INTERCEPT };

static uint64_t old(uint64_t counter)
{
    return delegation_first_generation(OLD_TERM) + counter;
}

static struct mobile *mobile(size_t i)
{
    return flock_mobile(&flock, i);
}

static struct node *node(size_t i)
{
    return flock_node(&flock, i);
}

/* Secondary i was there before the primary's start. */
static void from_before(size_t i)
{
    script(i)->term = OLD_TERM;
    flock_boot(&flock, i);
    flock_wait_ms(&flock, 200);
}

/* ---- Asking ---- */
START_TEST(session_that_we_begin_begins_with_sync_req)
{
    from_before(0);
    ck_assert_uint_eq(script(0)->types[0], DELEGATION_SYNC_REQ);
    ck_assert_uint_eq(script(0)->requests, 1);
    ck_assert_uint_eq(script(0)->buckets, 0); /* everything */
    ck_assert_uint_eq(script(0)->data_acks, 1);
    ck_assert_uint_eq(counted(AGENT_SYNCHRONISATIONS), 1);
    ck_assert_uint_eq(flock.notes[NOTE_SYNCHRONISED], 1);
    ck_assert_int_eq(node(0)->state, PEER_READY);
    ck_assert(resync_is_over(node(0)));
}
END_TEST

START_TEST(every_session_is_synchronised)
{
    from_before(0);
    for (unsigned n = 2; n < 5; n++) {
        flock_greet(&flock, 0);
        flock_keepalive(&flock, 0);
        ck_assert_uint_eq(script(0)->requests, 1);
        ck_assert_uint_eq(counted(AGENT_SYNCHRONISATIONS), n);
    }
}
END_TEST

START_TEST(it_is_syncing_until_the_last_one)
{
    script(0)->never_last = true;
    from_before(0);
    ck_assert_int_eq(node(0)->state, PEER_SYNCING);
    ck_assert(!node_is_eligible(node(0)) && !resync_is_over(node(0)));
    struct packet packet;
    packet_begin(&packet, script(0)->agent->peers, DELEGATION_SYNC_DATA, 99);
    packet.flags |= DELEGATION_LAST;
    packet.request = (uint16_t)(script(0)->request + 1);
    flock_say(&flock, 0, &packet);
    ck_assert_int_eq(node(0)->state, PEER_SYNCING); /* the answer to another request */
    packet_begin(&packet, script(0)->agent->peers, DELEGATION_SYNC_DATA, 100);
    packet.flags |= DELEGATION_LAST;
    packet.request = (uint16_t)script(0)->request;
    flock_say(&flock, 0, &packet);
    ck_assert_int_eq(node(0)->state, PEER_READY);
    ck_assert_uint_eq(script(0)->data_acks, 3);
}
END_TEST

START_TEST(request_is_repeated_until_answered)
{
    script(0)->syncs_nothing = true;
    from_before(0);
    flock_wait_ms(&flock, 3000);
    ck_assert_uint_gt(script(0)->requests, 3);
    ck_assert_int_eq(node(0)->state, PEER_SYNCING);
    const uint32_t request = script(0)->request;
    script(0)->syncs_nothing = false;
    flock_wait_ms(&flock, 3600);
    ck_assert_uint_eq(script(0)->request, request);
    ck_assert_int_eq(node(0)->state, PEER_READY);
}
END_TEST

START_TEST(data_is_acknowledged_again_after_the_end)
{
    from_before(0);
    const unsigned before = script(0)->data_acks;
    struct packet packet;
    packet_begin(&packet, script(0)->agent->peers, DELEGATION_SYNC_DATA, script(0)->transaction);
    packet.request = (uint16_t)script(0)->request;
    packet.flags |= DELEGATION_LAST;
    flock_say(&flock, 0, &packet);
    ck_assert_uint_eq(script(0)->data_acks, before + 1);
    ck_assert_uint_eq(flock.notes[NOTE_SYNCHRONISED], 1);
}
END_TEST

/* ---- Rebuilding ---- */
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

/* What a secondary remembers of reverse tunnels, and nobody but the primary grants. */
START_TEST(reverse_tunnels_are_rebuilt)
{
    static const struct {
        const char *what;
        uint8_t flags, policy;
        bool reverse;
    } rows[] = {
        {"granted then and now", ACTIVE | START_DECAPSULATE, REVERSE_TUNNEL_OPTIONAL, true},
        {"not granted any more", ACTIVE | START_DECAPSULATE, REVERSE_TUNNEL_OFF, false},
        {"never granted", ACTIVE, REVERSE_TUNNEL_OPTIONAL, false},
    };
    flock_open(&flock, 1);
    flock.lab.settings.reverse_tunnel = rows[_i].policy;
    ck_assert_int_eq(agent_configure(agent(), &flock.lab.settings), 0);
    struct delegation_start *entry = flock_hold(&flock, 0, 0, old(7), rows[_i].flags);
    from_before(0);
    struct binding_view view;
    ck_assert(agent_binding(agent(), &entry->home, flock.lab.now, &view));
    ck_assert_msg(view.care_of[0].reverse == rows[_i].reverse, "%s", rows[_i].what);
    const bool told = (start_at(0, 0)->flags & START_DECAPSULATE) != 0;
    ck_assert_msg(told == rows[_i].reverse, "%s", rows[_i].what);
    flock_close(&flock);
}
END_TEST

START_TEST(what_is_no_whole_set_is_passed_over)
{
    static const struct {
        const char *what;
        uint8_t index[2], count[2];
        uint64_t generation[2];
    } rows[] = {
        {"the second is missing", {0, 0}, {2, 1}, {7, 7}},
        {"out of order", {1, 0}, {2, 2}, {7, 7}},
        {"of two generations", {0, 1}, {2, 2}, {7, 8}},
        {"of two counts", {0, 1}, {3, 2}, {7, 7}},
        {"a gap", {0, 2}, {2, 2}, {7, 7}},
    };
    flock_open(&flock, 1);
    for (int i = 0; i < 2; i++) {
        struct delegation_start *entry = flock_hold(&flock, 0, 0, old(rows[_i].generation[i]), ACTIVE);
        entry->care_of = lab_care_of(10 + (size_t)i);
        entry->index = rows[_i].index[i];
        entry->count = rows[_i].count[i];
    }
    from_before(0);
    ck_assert_msg(counted(AGENT_REBUILT) == (_i == 0), "%s", rows[_i].what);
    ck_assert_int_eq(node(0)->state, PEER_READY);
    flock_close(&flock);
}
END_TEST

/* [S] What it had may lead elsewhere: it goes on, for as long as it lingers, to where the binding leads. */
static void forwards_only(size_t s, size_t i, const struct addr *care_of)
{
    const struct delegation_start *start = start_at(s, i);
    ck_assert(!(start->flags & START_INTERCEPT));
    ck_assert(addr_equal(&start->care_of, care_of));
    ck_assert_uint_le(start->duration_ms, flock.lab.settings.delegation.linger_ms);
}

START_TEST(newest_of_several_holders_wins)
{
    static const struct {
        const char *what;
        uint64_t first, second;
        uint8_t flags; /* of the loser's */
    } rows[] = {{"the first to be heard", 9, 7, ACTIVE},
                {"the second", 7, 9, ACTIVE},
                {"the first, and the second lingers", 9, 7, 0},
                {"the second, and the first lingers", 7, 9, 0}};
    flock_open(&flock, 2);
    const struct addr home = lab_home(0);
    const size_t winner = rows[_i].second > rows[_i].first, loser = !winner;
    flock_hold(&flock, 0, 0, old(rows[_i].first), loser == 0 ? rows[_i].flags : ACTIVE)->care_of =
        lab_care_of(10);
    flock_hold(&flock, 1, 0, old(rows[_i].second), loser == 1 ? rows[_i].flags : ACTIVE)->care_of =
        lab_care_of(11);
    from_before(0);
    from_before(1);
    flock_wait_ms(&flock, 1000);
    struct binding_view view;
    const struct addr care_of = lab_care_of(10 + winner);
    ck_assert(agent_binding(agent(), &home, flock.lab.now, &view));
    ck_assert_ptr_eq(delegation_owner(mobile(0)), node(winner));
    ck_assert_msg(addr_equal(&view.care_of[0].address, &care_of), "%s", rows[_i].what);
    forwards_only(loser, 0, &care_of);
    ck_assert(start_at(winner, 0)->flags & START_INTERCEPT);
    flock_close(&flock);
}
END_TEST

START_TEST(what_is_not_rebuilt_is_stopped)
{
    static const struct {
        const char *what;
        const char *home, *care_of;
        uint8_t flags, encapsulation;
        uint8_t mode;
    } rows[] = {
        {"of no configured mobile node", "10.1.9.9", "192.0.2.1", ACTIVE, 1, STOP_DROP},
        {"of no home network", "10.9.1.1", "192.0.2.1", ACTIVE, 1, STOP_DROP},
        {"one that lingers: a forwarder may yet be found", "10.1.1.0", "192.0.2.1", 0, 1, STOP_LINGER},
        {"of an encapsulation that is not granted", "10.1.1.0", "192.0.2.1", ACTIVE, 3, STOP_LINGER},
        {"to no host", "10.1.1.0", "224.0.0.1", ACTIVE, 1, STOP_LINGER},
    };
    flock_open(&flock, 1);
    struct delegation_start *entry = flock_hold(&flock, 0, 0, old(7), rows[_i].flags);
    entry->home = ip(rows[_i].home);
    entry->care_of = ip(rows[_i].care_of);
    entry->encapsulation = rows[_i].encapsulation;
    const size_t mobiles = agent_mobiles(agent());
    from_before(0);
    ck_assert_msg(counted(AGENT_REBUILT) == 0, "%s", rows[_i].what);
    ck_assert_msg(stop_at(0, &entry->home)->mode == rows[_i].mode, "%s", rows[_i].what);
    ck_assert_uint_gt(stop_at(0, &entry->home)->generation, delegation_first_generation(OLD_TERM + 1));
    flock_wait_ms(&flock, 40000);
    ck_assert_uint_eq(agent_mobiles(agent()), mobiles);
    ck_assert_uint_eq(agent_bindings(agent()), 0);
    flock_close(&flock);
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

START_TEST(what_we_heard_ourselves_counts_for_more)
{
    static const struct {
        const char *what;
        bool ended;
    } rows[] = {{"bound since our start", false}, {"bound and gone", true}};
    flock_open(&flock, 1);
    flock_hold(&flock, 0, 0, old(7), ACTIVE)->care_of = lab_care_of(20);
    const struct addr home = lab_home(0);
    flock_register(&flock, 0);
    if (rows[_i].ended)
        ck_assert(agent_revoke(agent(), &home, flock.lab.now));
    from_before(0);
    ck_assert_uint_eq(counted(AGENT_REBUILT), 0);
    const struct addr care_of = lab_care_of(0);
    if (rows[_i].ended)
        ck_assert_msg(stop_at(0, &home)->mode == STOP_LINGER, "%s", rows[_i].what);
    else
        forwards_only(0, 0, &care_of);
    ck_assert_uint_eq(agent_bindings(agent()), !rows[_i].ended);
    flock_close(&flock);
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
    const struct addr care_of = lab_care_of(0);
    flock_hold(&flock, 1, 0, old(7), ACTIVE)->care_of = lab_care_of(20);
    flock_greet(&flock, 1);
    flock_keepalive(&flock, 1);
    flock_wait_ms(&flock, 200);
    forwards_only(1, 0, &care_of);
    ck_assert_uint_gt(start_at(0, 0)->generation, start_at(1, 0)->generation);
    ck_assert_uint_gt(start_at(0, 0)->generation, before);
    ck_assert(start_at(0, 0)->flags & START_ANNOUNCE);
}
END_TEST

/* ---- By digest ---- */

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

START_TEST(difference_is_mended)
{
    static const struct {
        const char *what;
        int missing;    /* mobile node; -1: none */
        int generation; /* of this one it is another */
        int lingers;    /* this one does not intercept */
        bool surplus;
        bool restarted[3];
    } rows[] = {
        {"one is missing", 1, -1, -1, false, {false, true, false}},
        {"one is another", -1, 2, -1, false, {false, false, true}},
        {"one lingers", -1, -1, 0, false, {true, false, false}},
        {"one is too much", -1, -1, -1, true, {false, false, false}},
        {"all of it", 0, 1, 2, true, {true, true, true}},
    };
    flock_open(&flock, 1);
    three_delegated();
    const struct addr surplus = ip("10.1.9.9");
    uint64_t before[3];
    struct script *s = script(0);
    for (size_t i = 0; i < 3; i++)
        before[i] = s->table[i].generation;
    if (rows[_i].generation >= 0)
        s->table[rows[_i].generation].generation--;
    if (rows[_i].lingers >= 0)
        s->table[rows[_i].lingers].flags = 0;
    if (rows[_i].surplus)
        flock_hold(&flock, 0, 5, old(7), ACTIVE)->home = surplus;
    if (rows[_i].missing >= 0)
        s->table[rows[_i].missing] = s->table[--s->n_table];
    report_table();
    flock_wait_ms(&flock, 1200);
    for (size_t i = 0; i < 3; i++) {
        const struct delegation_start *start = start_at(0, i);
        ck_assert_msg((start->generation > before[i]) == rows[_i].restarted[i], "%s: %zu", rows[_i].what, i);
        ck_assert(start->flags & START_INTERCEPT);
        ck_assert_ptr_eq(delegation_owner(mobile(i)), node(0));
    }
    const struct delegation_record *stop = flock_heard(&flock, 0, &surplus);
    ck_assert_msg((stop != NULL) == rows[_i].surplus, "%s", rows[_i].what);
    ck_assert(stop == NULL || stop->type == DELEGATION_RECORD_STOP);
    flock_close(&flock);
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

/* Not acknowledged when the request is sent, or issued after: the answer does not describe it. */
START_TEST(operations_in_flight_are_left_alone)
{
    static const struct {
        const char *what;
        bool after;   /* issued after the request */
        bool missing; /* in the answer; else it is of another generation there */
    } rows[] = {
        {"open when the request was sent", false, false},
        {"issued after", true, false},
        {"open when the request was sent, not in the answer", false, true},
        {"issued after, not in the answer", true, true},
    };
    flock_open(&flock, 1);
    three_delegated();
    struct script *s = script(0);
    const struct addr home = lab_home(0);
    s->table[0].generation--;
    if (rows[_i].missing)
        s->table[0] = s->table[--s->n_table];
    s->syncs_below = delegation_bucket(0, &home);
    s->silent = s->acks_nothing = true;
    node(0)->compared_ns = flock.lab.now.mono_ns - 60 * NSEC_PER_S;
    report_table();
    if (!rows[_i].after)
        delegation_announce_again(agent(), mobile(0), flock.lab.now);
    flock_keepalive(&flock, 0);
    flock_keepalive(&flock, 0);
    flock_wait_ms(&flock, 8);
    ck_assert_ptr_nonnull(node(0)->resync);
    if (rows[_i].after)
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
    ck_assert_msg(start_at(0, 0)->generation == generation, "%s", rows[_i].what);
    flock_close(&flock);
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

START_TEST(long_synchronisation_makes_progress)
{
    script(0)->never_last = true;
    from_before(0);
    for (int i = 0; i < 10; i++) {
        struct packet packet;
        packet_begin(&packet, script(0)->agent->peers, DELEGATION_SYNC_DATA, 100 + (uint32_t)i);
        packet.request = (uint16_t)script(0)->request;
        flock_say(&flock, 0, &packet);
        flock_wait_ms(&flock, 2000);
    }
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 0);
    flock_wait_ms(&flock, 10000);
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 1);
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

/* ---- With a real secondary ---- */
enum { MANY = 400 };

static struct addr many(size_t i)
{
    return addr_from_ipv4(0x0a010400u + (uint32_t)i);
}

static void configure_many(void)
{
    const struct association sa = lab_association(0);
    for (size_t i = 0; i < MANY; i++) {
        const struct addr home = many(i);
        ck_assert_int_eq(agent_mobile_set(agent(), &home, &sa, NULL), 0);
    }
}

static void delegate_many(void)
{
    for (size_t i = 0; i < MANY; i++) {
        const struct addr home = many(i);
        struct mobile *m = mobile_by_home(agent(), &home);
        const struct grant grant = {.care_of = lab_care_of(i % 200),
                                    .source = ip("10.1.0.1"),
                                    .encapsulation = ENCAPSULATION_IPIP,
                                    .lifetime_s = 300};
        ck_assert(effects_reserve(&agent()->effects));
        ck_assert_int_eq(binding_grant(agent(), m, &grant, flock.lab.now), BINDING_CREATED);
        delegation_bound(agent(), m, flock.lab.now);
        ck_assert_int_eq(agent_delegate(agent(), &home, "s0", flock.lab.now), REFUSAL_DONE);
        flock_wait_ms(&flock, 1);
    }
    flock_wait_ms(&flock, 2000);
}

static const struct principal *principal(void)
{
    return principal_of(script(0)->agent->peers);
}

static void both_agree(void)
{
    ck_assert_uint_eq(node(0)->n_owned, MANY);
    ck_assert_uint_eq(principal()->n_active, MANY);
    ck_assert_uint_eq(node(0)->n_open, 0);
    ck_assert_uint_eq(node(0)->digest, principal()->digest);
    for (size_t i = 0; i < MANY; i++) {
        const struct addr home = many(i);
        ck_assert(agent_intercepts(script(0)->agent, &home));
        ck_assert(agent_forwards(agent(), &home) && !agent_intercepts(agent(), &home));
    }
}

static void many_delegated(void)
{
    configure_many();
    flock_boot_real(&flock, 0);
    flock_wait_ms(&flock, 3000);
    ck_assert_int_eq(node(0)->state, PEER_READY);
    delegate_many();
    both_agree();
}

START_TEST(primary_without_store_gets_all_back)
{
    many_delegated();
    const uint32_t term = agent()->term;
    flock_restart(&flock);
    configure_many();
    flock_wait_ms(&flock, 3000);
    both_agree();
    ck_assert_uint_gt(agent()->term, term);
    ck_assert_uint_eq(counted(AGENT_REBUILT), MANY);
    ck_assert_uint_eq(agent_counters(script(0)->agent)->n[AGENT_LEASES_LOST], 0);
}
END_TEST

START_TEST(lost_entries_come_back)
{
    many_delegated();
    for (size_t i = 0; i < MANY; i += 7) {
        const struct addr home = many(i);
        struct mobile *m = mobile_by_home(script(0)->agent, &home);
        ck_assert(effects_reserve(&script(0)->agent->effects));
        held_destroy(script(0)->agent, held_entry(m));
    }
    ck_assert_uint_ne(node(0)->digest, principal()->digest);
    flock_wait_ms(&flock, 3000);
    both_agree();
    ck_assert_uint_eq(counted(AGENT_SYNCHRONISATIONS), 2);
}
END_TEST

START_TEST(forgotten_entries_are_stopped)
{
    many_delegated();
    for (size_t i = 0; i < MANY; i += 7) {
        const struct addr home = many(i);
        struct mobile *m = mobile_by_home(agent(), &home);
        ck_assert(effects_reserve(&agent()->effects));
        binding_end(agent(), m);
        delegation_destroy(agent(), m->delegation);
    }
    flock_wait_ms(&flock, 3000);
    ck_assert_uint_eq(node(0)->digest, principal()->digest);
    ck_assert_uint_eq(principal()->n_active, node(0)->n_owned);
    ck_assert_uint_eq(principal()->n_active, MANY - (MANY + 6) / 7);
}
END_TEST

/* Each of them is announced by the primary and told of: more than the effects of one step have room for. */
START_TEST(many_are_given_up_at_once)
{
    many_delegated();
    for (size_t i = 0; i < MANY; i++) {
        const struct addr home = many(i);
        struct mobile *m = mobile_by_home(agent(), &home);
        delegation_changed(agent(), m, flock.lab.now);
        holding_find(m->delegation, node(0))->tries = UINT8_MAX; /* waits for its turn to be given up */
    }
    flock_wait_ms(&flock, 1000);
    ck_assert_uint_eq(counted(AGENT_STARTS_GIVEN_UP), MANY);
    ck_assert_uint_eq(node(0)->n_owned, 0);
    ck_assert_uint_eq(principal()->n_active, 0);
}
END_TEST

/* A new session comes before all of a death is through: what the table still has is found too much. */
START_TEST(death_is_finished_first)
{
    many_delegated();
    peer_end_session(agent(), &node(0)->peer);
    operations_node_dead(agent(), node(0), flock.lab.now);
    flock_greet(&flock, 0);
    ck_assert(peer_in_session(&node(0)->peer));
    ck_assert_ptr_nonnull(node(0)->moot);
    flock_wait_ms(&flock, 1000);
    ck_assert(resync_is_over(node(0)));
    ck_assert_uint_eq(node(0)->n_owned, 0);
    ck_assert_uint_eq(principal()->n_active, 0);
    for (size_t i = 0; i < MANY; i++) {
        const struct addr home = many(i);
        ck_assert(agent_intercepts(agent(), &home));
        ck_assert(agent_forwards(script(0)->agent, &home)); /* it lingers */
    }
}
END_TEST

START_TEST(secondary_that_restarts_gets_all_again)
{
    many_delegated();
    flock_boot_real(&flock, 0);
    flock_wait_ms(&flock, 5000);
    both_agree();
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

static Suite *resync_suite(void)
{
    Suite *suite = suite_create("resync");
    TCase *one = case_of(suite, "one secondary", open_1);
    tcase_add_test(one, session_that_we_begin_begins_with_sync_req);
    tcase_add_test(one, every_session_is_synchronised);
    tcase_add_test(one, it_is_syncing_until_the_last_one);
    tcase_add_test(one, request_is_repeated_until_answered);
    tcase_add_test(one, data_is_acknowledged_again_after_the_end);
    tcase_add_test(one, bindings_are_rebuilt);
    tcase_add_test(one, rebuilt_and_recalled);
    tcase_add_test(one, a_set_is_rebuilt_as_a_whole);
    tcase_add_test(one, later_sessions_rebuild_nothing);
    tcase_add_test(one, two_mismatches_start_a_synchronisation);
    tcase_add_test(one, small_datagrams_take_more_requests);
    tcase_add_test(one, one_request_is_outstanding_at_a_time);
    tcase_add_test(one, nothing_is_compared_with_something_in_flight_but_for_a_minute);
    tcase_add_test(one, session_that_ends_takes_its_synchronisation_along);
    tcase_add_test(one, outside_the_home_networks_nothing_is_rebuilt);
    tcase_add_test(one, what_is_right_in_a_bucket_that_differs_stays);
    tcase_add_test(one, session_change_starts_again_once);
    tcase_add_test(one, synchronisations_by_digest_take_a_rest);
    tcase_add_test(one, long_synchronisation_makes_progress);
    TCase *real = case_of(suite, "a real secondary", open_1);
    tcase_add_test(real, primary_without_store_gets_all_back);
    tcase_add_test(real, lost_entries_come_back);
    tcase_add_test(real, forgotten_entries_are_stopped);
    tcase_add_test(real, secondary_that_restarts_gets_all_again);
    tcase_add_test(real, many_are_given_up_at_once);
    tcase_add_test(real, death_is_finished_first);
    TCase *two = case_of(suite, "two secondaries", open_2);
    tcase_add_test(two, surplus_that_intercepts_makes_the_owner_announce);
    tcase_add_test(two, unknown_at_two_secondaries_is_stopped_at_both);
    TCase *rows = case_of(suite, "rows", NULL);
    tcase_add_loop_test(rows, what_is_no_whole_set_is_passed_over, 0, 5);
    tcase_add_loop_test(rows, newest_of_several_holders_wins, 0, 4);
    tcase_add_loop_test(rows, what_is_not_rebuilt_is_stopped, 0, 5);
    tcase_add_loop_test(rows, reverse_tunnels_are_rebuilt, 0, 3);
    tcase_add_loop_test(rows, what_we_heard_ourselves_counts_for_more, 0, 2);
    tcase_add_loop_test(rows, difference_is_mended, 0, 5);
    tcase_add_loop_test(rows, operations_in_flight_are_left_alone, 0, 4);
    return suite;
}

int main(void)
{
    return check_main(resync_suite());
}
