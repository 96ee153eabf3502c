/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"

void expect(struct world *world, bool holds, const char *what)
{
    if (!holds)
        world_violates(world, "script", "%s does not hold", what);
}

struct plan plan_of(size_t secondaries, size_t mobiles)
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

void wait_ms(struct world *world, uint64_t ms)
{
    world_run(world, ms * NSEC_PER_MS);
}

void register_all(struct world *world, uint16_t lifetime_s)
{
    for (size_t i = 0; i < world->n_mobiles; i++)
        mobile_register(&world->mobiles[i], true, lifetime_s);
    wait_ms(world, 200);
    while (agent_bindings(world->nodes[0].agent) < world->n_mobiles && world->now_ns < 60 * NSEC_PER_S)
        wait_ms(world, 1000);
    expect(world, agent_bindings(world->nodes[0].agent) == world->n_mobiles, "everybody is registered");
}

void delegate(struct world *world, size_t mobile, const char *name)
{
    struct appliance *primary = &world->nodes[0];
    const enum agent_refusal refusal =
        agent_delegate(primary->agent, &world->mobiles[mobile].home, name, appliance_instant(primary));
    appliance_settle(primary);
    if (refusal != REFUSAL_DONE)
        world_violates(world, "script", "m%zu is not delegated to %s: %s", mobile, name,
                       agent_refusal_text(refusal));
}

void recall(struct world *world, size_t mobile)
{
    struct appliance *primary = &world->nodes[0];
    agent_recall(primary->agent, &world->mobiles[mobile].home, appliance_instant(primary));
    appliance_settle(primary);
}

size_t intercepted_by(const struct world *world, size_t node)
{
    size_t n = 0;
    for (size_t i = 0; i < world->n_mobiles; i++)
        n += appliance_is_live(&world->nodes[node]) &&
             agent_intercepts(world->nodes[node].agent, &world->mobiles[i].home);
    return n;
}

size_t intercepted(const struct world *world)
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

void delegate_all_to_s1(struct world *world)
{
    for (size_t i = 0; i < world->n_mobiles; i++)
        delegate(world, i, "s1");
    wait_ms(world, 3000);
    expect(world, intercepted_by(world, 1) == world->n_mobiles, "s1 has everything");
    expect(world, intercepted_by(world, 0) == 0, "the primary intercepts nothing any more");
}

bool leads_elsewhere(const struct world *world, size_t node, size_t mobile)
{
    const struct entry *own = appliance_entry(&world->nodes[0], mobile);
    const struct entry *e = appliance_entry(&world->nodes[node], mobile);
    return own != NULL && e != NULL && !addr_equal(&own->is.care_of[0].address, &e->is.care_of[0].address);
}
