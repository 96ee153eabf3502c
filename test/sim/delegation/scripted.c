/* SPDX-License-Identifier: BSD-3-Clause */
/* Scenarios written down, where something definite has to come out. */
#include "script.h"

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

const struct script scripts[] = {
    {"lose-the-first", lose_the_first, DELEGATION_EVENT_ACK *DROPS_MAX},
    {"move-under-loss", move_under_loss, 10},
    {"secondary-dies", secondary_dies, 3},
    {"primary-restarts", primary_restarts, 6},
    {"one-way", one_way, 6},
    {"cut-for-a-second", cut_for_a_second, CUT_VARIANTS},
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
