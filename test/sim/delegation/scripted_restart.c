/* SPDX-License-Identifier: BSD-3-Clause */
/* Scripts in which an agent comes back without what it knew. */
#include "script.h"

/* ---- The primary restarts without its state ---- */
void primary_restarts(struct world *world, uint64_t variant)
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

/* ---- New bindings meet the restart of their secondary ---- */
static void register_those(struct world *world, bool ipv6)
{
    for (size_t i = 0; i < world->n_mobiles; i++)
        if (paper_is_ipv6(&world->mobiles[i]) == ipv6)
            mobile_register(&world->mobiles[i], true, 300);
}

void starts_meet_restart(struct world *world, uint64_t variant)
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

/* ---- Nothing is heard of a secondary after the session has begun: its lease goes on ---- */
void session_unheard(struct world *world, uint64_t variant)
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

void two_holders(struct world *world, uint64_t variant)
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
void old_meets_restart(struct world *world, uint64_t variant)
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
