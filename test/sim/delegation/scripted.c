/* SPDX-License-Identifier: BSD-3-Clause */
/* Scenarios written down, where something definite has to come out. */
#include "scenario.h"

static void expect(struct world *world, bool holds, const char *what)
{
    if (!holds)
        world_violates(world, "script", "%s does not hold", what);
}

static struct plan plan_of(size_t secondaries, size_t mobiles)
{
    return (struct plan){
        .secondaries = secondaries,
        .mobiles = mobiles,
        .faults = {.delay_ns = 200 * NSEC_PER_US, .jitter_ns = 200 * NSEC_PER_US},
        .when = WHEN_MANUAL,
        .policy = POLICY_EQUAL,
        .max_care_of = 1,
        .families = FAMILIES_BOTH,
        .linger_ms = 4000,
        .lifetime_low_s = 300,
        .lifetime_high_s = 300,
        .packet_us = 5000,
    };
}

/* ---- Words of the scripts ---- */
static void wait_ms(struct world *world, uint64_t ms)
{
    world_run(world, ms * NSEC_PER_MS);
}

static void register_all(struct world *world, uint16_t lifetime_s)
{
    for (size_t i = 0; i < world->n_mobiles; i++)
        mobile_register(&world->mobiles[i], true, lifetime_s);
    wait_ms(world, 200);
    while (agent_bindings(world->nodes[0].agent) < world->n_mobiles && world->now_ns < 60 * NSEC_PER_S)
        wait_ms(world, 1000);
    expect(world, agent_bindings(world->nodes[0].agent) == world->n_mobiles, "everybody is registered");
}

static void delegate(struct world *world, size_t mobile, const char *name)
{
    struct appliance *primary = &world->nodes[0];
    const enum agent_refusal refusal =
        agent_delegate(primary->agent, &world->mobiles[mobile].home, name, appliance_instant(primary));
    appliance_settle(primary);
    if (refusal != REFUSAL_DONE)
        world_violates(world, "script", "m%zu is not delegated to %s: %s", mobile, name,
                       agent_refusal_text(refusal));
}

static void recall(struct world *world, size_t mobile)
{
    struct appliance *primary = &world->nodes[0];
    agent_recall(primary->agent, &world->mobiles[mobile].home, appliance_instant(primary));
    appliance_settle(primary);
}

static size_t intercepted_by(const struct world *world, size_t node)
{
    size_t n = 0;
    for (size_t i = 0; i < world->n_mobiles; i++)
        n += appliance_is_live(&world->nodes[node]) &&
             agent_intercepts(world->nodes[node].agent, &world->mobiles[i].home);
    return n;
}

static size_t intercepted(const struct world *world)
{
    size_t n = 0;
    for (size_t i = 0; i < world->n_mobiles; i++) {
        bool found = false;
        for (size_t j = 0; j < world->n_nodes; j++)
            found |= appliance_is_live(&world->nodes[j]) &&
                     agent_intercepts(world->nodes[j].agent, &world->mobiles[i].home);
        n += found;
    }
    return n;
}

static void delegate_all_to_s1(struct world *world)
{
    for (size_t i = 0; i < world->n_mobiles; i++)
        delegate(world, i, "s1");
    wait_ms(world, 3000);
    expect(world, intercepted_by(world, 1) == world->n_mobiles, "s1 has everything");
    expect(world, intercepted_by(world, 0) == 0, "the primary intercepts nothing any more");
}

/* ---- The first k of any message are lost (P25) ---- */
enum { DROPS_MAX = 5 };

static void live_a_life(struct world *world)
{
    wait_ms(world, 4000);
    register_all(world, 300);
    for (size_t i = 0; i < world->n_mobiles; i++)
        delegate(world, i, "s1");
    wait_ms(world, 4000);
    mobile_register(&world->mobiles[0], true, 300);
    wait_ms(world, 8000);
    for (size_t i = 1; i < world->n_mobiles; i++)
        if (i % 2 == 0)
            delegate(world, i, "s2");
    wait_ms(world, 8000);
    recall(world, 0);
    mobile_return(&world->mobiles[1]);
}

static void lose_the_first(struct world *world, uint64_t variant)
{
    struct plan plan = plan_of(2, 4);
    plan.drop_type = (uint8_t)(DELEGATION_HELLO + variant / DROPS_MAX);
    plan.drops = 1 + (uint32_t)(variant % DROPS_MAX);
    scenario_begin(world, variant, &plan);
    world->disturbed = true; /* five KEEPALIVEs are more than a lease */
    wait_ms(world, 4000);
    live_a_life(world);
    wait_ms(world, 5000);
    const uint32_t left = world->network.drop_left;
    world_settle(world);
    if (plan.drop_type <= DELEGATION_SYNC_ACK) /* nothing calls for an EVENT here */
        expect(world, left == 0, "as many were lost as were to be");
    expect(world, intercepted(world) == world->n_mobiles - 1, "everybody away is intercepted");
}

/* Operations alone are lost, nobody dies: no packet may be. */
static void move_under_loss(struct world *world, uint64_t variant)
{
    struct plan plan = plan_of(3, 8);
    plan.faults.loss = 10;
    plan.faults.duplicate = 10;
    plan.faults.slow = 10;
    plan.faults.slow_ns = 30 * NSEC_PER_MS;
    scenario_begin(world, variant, &plan);
    wait_ms(world, 6000);
    register_all(world, 300);
    static const char *const names[] = {"s1", "s2", "s3"};
    for (size_t round = 0; round < 6; round++) {
        for (size_t i = 0; i < world->n_mobiles; i++) {
            struct appliance *primary = &world->nodes[0];
            agent_delegate(primary->agent, &world->mobiles[i].home, names[(i + round) % 3],
                           appliance_instant(primary));
            appliance_settle(primary);
        }
        wait_ms(world, 1500);
    }
    world_settle(world);
}

/* ---- A secondary dies with everything ---- */
static void secondary_dies(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(1 + variant % 3, 1000);
    scenario_begin(world, variant, &plan);
    world->mobiles->sa.replay = REPLAY_TIMESTAMP;
    wait_ms(world, 4000);
    register_all(world, 300);
    delegate_all_to_s1(world);
    appliance_crash(&world->nodes[1], TIMER_NEVER);
    wait_ms(world, 1500 + 250 + 500);
    expect(world, intercepted(world) == world->n_mobiles,
           "lease and detection later somebody intercepts each");
    const uint64_t lost = world->tally.lost;
    wait_ms(world, 2000);
    expect(world, world->tally.lost == lost, "no packet is lost any more");
    world_settle(world);
}

/* ---- The primary restarts without its state ---- */
static void primary_restarts(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(2, 20);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_all(world, 300);
    for (size_t i = 0; i < world->n_mobiles; i++) /* what is replayed leads elsewhere */
        mobile_register(&world->mobiles[i], true, 300);
    wait_ms(world, 3000);
    delegate_all_to_s1(world);
    appliance_crash(&world->nodes[0], (20 + variant * 300) * NSEC_PER_MS);
    world->disturbed = variant > 2; /* longer than what is left of a lease */
    for (uint64_t ms = 0; ms < 6000; ms += 20) {
        wait_ms(world, 20);
        for (size_t i = 0; i < world->n_mobiles; i++)
            expect(world, appliance_entry(&world->nodes[1], i) != NULL, "s1 goes on forwarding");
    }
    expect(world, agent_bindings(world->nodes[0].agent) == world->n_mobiles, "all bindings are rebuilt");
    for (size_t i = 0; i < world->n_mobiles; i++) {
        struct mobile *m = &world->mobiles[i];
        const uint64_t changed = m->changed_ns;
        mobile_deliver(world, m, &m->old_source, m->old, m->old_len);
        expect(world, m->changed_ns == changed, "an old registration is refused");
    }
    wait_ms(world, 1000);
    expect(world, intercepted(world) == world->n_mobiles, "everybody is intercepted");
    world_settle(world);
}

/* ---- One direction is cut ---- */
static void one_way(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(2, 6);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_all(world, 300);
    delegate_all_to_s1(world);
    world->disturbed = true;
    if (variant % 2 == 0)
        world->network.up[1].cut = true;
    else
        world->network.down[1].cut = true;
    wait_ms(world, 1500 + 250 + 2500 + variant * 100);
    expect(world, intercepted_by(world, 1) == 0, "s1 intercepts nothing any more");
    expect(world, intercepted(world) == world->n_mobiles, "others intercept all");
    world_settle(world);
}

/* ---- The primary stands still: durations end by themselves (P14) ---- */
static void primary_stands_still(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(1, 4);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_all(world, 10);
    for (size_t i = 0; i < world->n_mobiles; i++)
        delegate(world, i, "s1");
    wait_ms(world, 500);
    expect(world, intercepted_by(world, 1) == world->n_mobiles, "s1 has everything");
    appliance_freeze(&world->nodes[0], 20 * NSEC_PER_S);
    wait_ms(world, 1600);
    expect(world, intercepted_by(world, 1) == 0, "its lease is over");
    for (size_t i = 0; i < world->n_mobiles; i++)
        expect(world, appliance_entry(&world->nodes[1], i) != NULL, "it goes on forwarding");
    wait_ms(world, 9500);
    for (size_t i = 0; i < world->n_mobiles; i++)
        expect(world, appliance_entry(&world->nodes[1], i) == NULL, "it has stopped by itself");
    wait_ms(world, 20000);
    world_settle(world);
}

/* ---- On registration, with a secondary that is dead: the reply comes in time (P17, I6) ---- */
static void held_reply(struct world *world, uint64_t variant)
{
    struct plan plan = plan_of(1, 6);
    plan.when = WHEN_ON_REGISTRATION;
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    if (variant == 0)
        appliance_crash(&world->nodes[1], TIMER_NEVER);
    else if (variant == 1)
        appliance_freeze(&world->nodes[1], 3 * NSEC_PER_S);
    for (size_t i = 0; i < world->n_mobiles; i++)
        mobile_register(&world->mobiles[i], true, 300);
    wait_ms(world, 600);
    for (size_t i = 0; i < world->n_mobiles; i++) {
        const struct mobile *m = &world->mobiles[i];
        expect(world, paper_is_ipv6(m) || m->asked_ns == TIMER_NEVER,
               "each is answered within half a second");
    }
    wait_ms(world, 1000);
    for (size_t i = 0; i < world->n_mobiles; i++) {
        const struct mobile *m = &world->mobiles[i];
        expect(world, m->asked_ns == TIMER_NEVER, "each is answered within half a second of being unique");
    }
    wait_ms(world, 3000);
    expect(world, variant != 2 || intercepted_by(world, 1) == world->n_mobiles, "a live one has them");
    world_settle(world);
}

/* ---- A secondary is added, and one drained, by settings alone: nothing lost (P21) ---- */
static void join_and_drain(struct world *world, uint64_t variant)
{
    struct plan plan = plan_of(3, 12);
    plan.when = WHEN_AFTER_REGISTRATION;
    scenario_begin(world, variant, &plan);
    struct appliance *primary = &world->nodes[0];
    world->nodes[3].wanted = false;
    appliance_configure(primary);
    wait_ms(world, 4000);
    register_all(world, 300);
    wait_ms(world, 3000);
    expect(world, intercepted_by(world, 1) == 6 && intercepted_by(world, 2) == 6, "two share equally");
    world->nodes[3].wanted = true;
    appliance_configure(primary);
    wait_ms(world, 3000);
    agent_drain(primary->agent, "s1", true, appliance_instant(primary));
    appliance_settle(primary);
    wait_ms(world, 10000);
    expect(world, intercepted_by(world, 1) == 0, "s1 is drained");
    agent_delegate_all(primary->agent, appliance_instant(primary));
    appliance_settle(primary);
    wait_ms(world, 15000);
    expect(world, intercepted(world) == world->n_mobiles, "everybody is intercepted");
    world_settle(world);
    expect(world, world->tally.lost == 0, "no packet was lost");
}

/* ---- A care-of address changes while its binding moves, and the former owner does not hear of it ---- */
static bool leads_elsewhere(const struct world *world, size_t node, size_t mobile)
{
    const struct entry *own = appliance_entry(&world->nodes[0], mobile);
    const struct entry *e = appliance_entry(&world->nodes[node], mobile);
    return own != NULL && e != NULL && !addr_equal(&own->is.care_of[0].address, &e->is.care_of[0].address);
}

static void change_meets_move(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(2, 20);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_all(world, 300);
    delegate_all_to_s1(world);
    world->network.down[1].cut = true;
    for (size_t i = 0; i < world->n_mobiles; i++)
        mobile_register(&world->mobiles[i], true, 300);
    for (size_t i = 0; i < world->n_mobiles; i++) {
        struct appliance *primary = &world->nodes[0];
        wait_ms(world, 1);
        agent_delegate(primary->agent, &world->mobiles[i].home, "s2", appliance_instant(primary));
        appliance_settle(primary);
    }
    wait_ms(world, 100);
    world->network.down[1].cut = false;
    wait_ms(world, 1000);
    for (size_t i = 0; i < world->n_mobiles; i++)
        expect(world, !leads_elsewhere(world, 1, i), "who lingers forwards to the present care-of address");
    world_settle(world);
}

/* ---- New bindings meet the restart of their secondary ---- */
static void register_those(struct world *world, bool ipv6)
{
    for (size_t i = 0; i < world->n_mobiles; i++)
        if (paper_is_ipv6(&world->mobiles[i]) == ipv6)
            mobile_register(&world->mobiles[i], true, 300);
}

static void starts_meet_restart(struct world *world, uint64_t variant)
{
    struct plan plan = plan_of(1, 24);
    plan.when = WHEN_AFTER_REGISTRATION;
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_those(world, true); /* their detection ends as the others begin */
    wait_ms(world, 320);
    appliance_crash(&world->nodes[1], 700 * NSEC_PER_MS);
    wait_ms(world, 680);
    register_those(world, false);
    wait_ms(world, 20);
    for (size_t i = 0; i < world->n_mobiles; i++)
        if (i / 2 % 2 == 0)
            mobile_return(&world->mobiles[i]);
    wait_ms(world, 5000);
    world_settle(world);
}

/* ---- The primary stands still while home addresses are detected: lifetimes begin after ---- */
static void detection_meets_standstill(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(1, 4);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    for (size_t i = 0; i < world->n_mobiles; i++)
        mobile_register(&world->mobiles[i], true, 8);
    wait_ms(world, 500);
    appliance_freeze(&world->nodes[0], 10 * NSEC_PER_S);
    wait_ms(world, 10 * 1000 + 100);
    for (size_t i = 0; i < world->n_mobiles; i++)
        expect(world, mobile_is_bound(&world->mobiles[i]) == paper_is_ipv6(&world->mobiles[i]),
               "who was detected has its lifetime before it, who was bound at once has had it");
    wait_ms(world, 7500);
    expect(world, intercepted(world) == world->n_mobiles / 2, "that lasts");
    wait_ms(world, 6000); /* whoever heard nothing has asked once more */
    expect(world, intercepted(world) == 0, "and ends");
    world_settle(world);
}

/* ---- Renewed in the last moment: the START comes when the entry has ended ---- */
static void request_at_once(struct mobile *m, uint16_t lifetime_s)
{
    struct letter *letter = world_alloc(sizeof(*letter));
    m->wish = (struct wish){.lifetime_s = lifetime_s, .care_of = m->care_of};
    paper_write(m, &m->wish);
    letter->mobile = m->number;
    letter->source = m->care_of;
    letter->len = m->pending_len;
    memcpy(letter->bytes, m->pending, m->pending_len);
    mobile_request_arrives(m->world, letter);
}

static void renewal_at_the_end(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(1, 8);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_all(world, 300);
    delegate_all_to_s1(world);
    for (size_t i = 0; i < world->n_mobiles; i++)
        request_at_once(&world->mobiles[i], 8);
    wait_ms(world, 7980);
    world->network.down[1].faults.delay_ns = 60 * NSEC_PER_MS;
    for (size_t i = 0; i < world->n_mobiles; i++)
        request_at_once(&world->mobiles[i], 8);
    wait_ms(world, 1000);
    expect(world, intercepted_by(world, 1) == world->n_mobiles, "s1 has everything again");
    world_settle(world);
}

/* ---- What a secondary says of its table waits at a primary that stands still ---- */
static void table_meets_standstill(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(1, 8);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_all(world, 16);
    delegate_all_to_s1(world);
    const uint64_t before = world->network.sent[DELEGATION_SYNC_DATA];
    appliance_crash(&world->nodes[0], 20 * NSEC_PER_MS);
    while (world->network.sent[DELEGATION_SYNC_DATA] == before)
        world_run(world, 10 * NSEC_PER_US);
    appliance_freeze(&world->nodes[0], 8 * NSEC_PER_S);
    wait_ms(world, 30000);
    expect(world, intercepted(world) == 0, "all has ended");
    world_settle(world);
}

/* ---- Nothing is heard of a secondary after the session has begun: its lease goes on ---- */
static void session_unheard(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(1, 4);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_all(world, 300);
    delegate_all_to_s1(world);
    wait_ms(world, variant * 50);
    world->network.drop_type = DELEGATION_SYNC_REQ;
    world->network.drop_left = UINT32_MAX;
    appliance_crash(&world->nodes[0], 20 * NSEC_PER_MS);
    wait_ms(world, 3000);
    world_settle(world);
    expect(world, intercepted(world) == world->n_mobiles, "everybody is intercepted");
}

/* ---- A primary without its store hears first from the one, then from the other who had a binding ---- */
static void fall_silent(struct world *world, size_t node, bool silent)
{
    world->network.up[node].cut = world->network.down[node].cut = silent;
}

static void two_holders(struct world *world, uint64_t variant)
{
    const size_t first = 1 + variant % 2, second = 3 - first; /* to be heard again */
    const struct plan plan = plan_of(2, 8);
    scenario_begin(world, variant, &plan);
    world->disturbed = true;
    wait_ms(world, 4000);
    register_all(world, 300);
    delegate_all_to_s1(world);
    fall_silent(world, 1, true);
    wait_ms(world, 6000);
    for (size_t i = 0; i < world->n_mobiles; i++) {
        mobile_register(&world->mobiles[i], true, 300);
        wait_ms(world, 3000);
        delegate(world, i, "s2");
    }
    wait_ms(world, 35000); /* nobody repeats a registration any more */
    expect(world, intercepted_by(world, 2) == world->n_mobiles, "s2 has everything");
    fall_silent(world, first, false);
    fall_silent(world, second, true);
    appliance_crash(&world->nodes[0], 100 * NSEC_PER_MS);
    wait_ms(world, 6000);
    fall_silent(world, second, false);
    wait_ms(world, 1500);
    expect(world, intercepted_by(world, 2) == world->n_mobiles, "the newest START wins");
    for (size_t i = 0; i < world->n_mobiles; i++)
        expect(world, !leads_elsewhere(world, 1, i), "s1 lingers towards the present care-of address");
    world_settle(world);
}

/* ---- A primary without its store hears old registrations again (RFC 5944 section 5.7.1) ---- */
static void refuses_all_old(struct world *world)
{
    for (size_t i = 0; i < world->n_mobiles; i++) {
        struct mobile *m = &world->mobiles[i];
        attacker_replays(world, m);
        expect(world, !mobile_is_bound(m), "who has left is not bound");
    }
}

/* Some by a clock that is ahead. */
static void old_meets_restart(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(1, 8);
    scenario_begin(world, variant, &plan);
    for (size_t i = 0; i < world->n_mobiles; i++)
        world->mobiles[i].shift = ntp_from_seconds((uint32_t)(i / 2 % 4));
    wait_ms(world, 4000);
    register_all(world, 300);
    for (size_t i = 0; i < world->n_mobiles; i++)
        mobile_return(&world->mobiles[i]);
    wait_ms(world, 100);
    while (agent_bindings(world->nodes[0].agent) > 0 && world->now_ns < 60 * NSEC_PER_S)
        wait_ms(world, 1000);
    refuses_all_old(world);
    appliance_crash(&world->nodes[0], (20 + variant * 300) * NSEC_PER_MS);
    wait_ms(world, 2000);
    refuses_all_old(world);
    wait_ms(world, 8000); /* longer than the tolerance */
    for (size_t i = 0; i < world->n_mobiles; i++) {
        struct mobile *m = &world->mobiles[i];
        if (m->sa.replay == REPLAY_TIMESTAMP)
            mobile_deliver(world, m, &m->old_source, m->old, m->old_len);
        expect(world, !mobile_is_bound(m), "an old registration is refused");
    }
    world_settle(world);
}

const struct script scripts[] = {
    {"lose-the-first", lose_the_first, DELEGATION_EVENT_ACK *DROPS_MAX},
    {"move-under-loss", move_under_loss, 10},
    {"secondary-dies", secondary_dies, 3},
    {"primary-restarts", primary_restarts, 6},
    {"one-way", one_way, 6},
    {"primary-stands-still", primary_stands_still, 2},
    {"held-reply", held_reply, 3},
    {"change-meets-move", change_meets_move, 5},
    {"starts-meet-restart", starts_meet_restart, 20},
    {"detection-meets-standstill", detection_meets_standstill, 2},
    {"renewal-at-the-end", renewal_at_the_end, 2},
    {"table-meets-standstill", table_meets_standstill, 6},
    {"session-unheard", session_unheard, 10},
    {"two-holders", two_holders, 4},
    {"old-meets-restart", old_meets_restart, 6},
    {"join-and-drain", join_and_drain, 3},
};
const size_t n_scripts = sizeof(scripts) / sizeof(scripts[0]);
