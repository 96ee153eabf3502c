/* SPDX-License-Identifier: BSD-3-Clause */
#include "scenario.h"

/* ---- What it is like ---- */

/* What may go wrong besides datagrams that get lost, doubled, late. */
enum temper { CALM, CRASHING, CUTTING, EVERYTHING, TEMPERS };

static enum temper temper_of(const struct world *world)
{
    return (enum temper)(world->seed % TEMPERS);
}

static struct faults draw_faults(struct chance *c)
{
    struct faults f = {.delay_ns = chance_between(c, 50, 1000) * NSEC_PER_US,
                       .jitter_ns = chance_between(c, 10, 2000) * NSEC_PER_US};
    if (chance_percent(c, 25))
        return f;
    f.loss = (uint8_t)chance_below(c, chance_percent(c, 30) ? 40 : 12);
    f.duplicate = (uint8_t)chance_below(c, 30);
    f.slow = (uint8_t)chance_below(c, 30);
    f.slow_ns = chance_between(c, 1, chance_percent(c, 35) ? 3000 : 100) * NSEC_PER_MS;
    return f;
}

static struct plan draw_plan(struct chance *c)
{
    struct plan plan = {
        .secondaries = chance_between(c, 1, chance_percent(c, 20) ? 5 : 3),
        .mobiles = chance_between(c, 1, 8),
        .faults = draw_faults(c),
        .announcement_loss = chance_percent(c, 50) ? 0 : (unsigned)chance_below(c, 50),
        .when = (uint8_t)chance_below(c, WHEN_MANUAL + 1),
        .policy = (uint8_t)chance_below(c, POLICY_RATE + 1),
        .own_source = chance_percent(c, 20),
        .max_care_of = chance_percent(c, 30) ? 3 : 1,
        .linger_ms = (uint32_t)chance_between(c, 4000, 8000),
        .lifetime_low_s = 3,
        .lifetime_high_s = chance_percent(c, 50) ? 20 : 300,
        .act_ms = (uint32_t)chance_between(c, 1000, 8000),
        .packet_us = (uint32_t)chance_between(c, 10000, 60000),
        .threshold_pps = 50,
        .attacks = chance_percent(c, 40),
        .room = chance_percent(c, 25) ? (uint32_t)chance_between(c, 1, 3) : 0,
        .prohibits = chance_percent(c, 20),
        .families = chance_percent(c, 60) ? FAMILIES_BOTH : (uint8_t)(2 * chance_below(c, 2)),
        .ipv6_peers = chance_percent(c, 30),
    };
    /* Who refuses for good, and has no room to remember what, always has something open: the primary asks
     * again, as it should. */
    if (plan.room > 0 && (plan.prohibits || plan.own_source))
        plan.room += (uint32_t)plan.mobiles;
    return plan;
}

void scenario_begin(struct world *world, uint64_t seed, const struct plan *plan)
{
    world_open(world, seed, plan);
    for (size_t i = 0; i < world->n_nodes; i++)
        appliance_start(&world->nodes[i]);
    for (size_t i = 0; i < world->n_mobiles; i++) {
        struct mobile *m = &world->mobiles[i];
        if (plan->act_ms > 0)
            world_at(world, &m->act, WAKE_ACT, chance_below(&world->chance, plan->act_ms * NSEC_PER_MS));
        if (plan->packet_us > 0)
            world_at(world, &m->packet, WAKE_PACKET,
                     chance_below(&world->chance, plan->packet_us * NSEC_PER_US));
    }
}

/* ---- Mischief ---- */
static struct appliance *some_node(struct world *world)
{
    return &world->nodes[chance_below(&world->chance, world->n_nodes)];
}

static struct appliance *some_secondary(struct world *world)
{
    return &world->nodes[chance_between(&world->chance, 1, world->n_nodes - 1)];
}

static const struct addr *some_home(struct world *world)
{
    return &world->mobiles[chance_below(&world->chance, world->n_mobiles)].home;
}

/* Often shorter than a lease, sometimes longer than anybody's patience. */
static uint64_t some_while(struct world *world)
{
    const uint64_t longest_ms = chance_percent(&world->chance, 50) ? 1500 : 6000;
    return chance_between(&world->chance, 20, longest_ms) * NSEC_PER_MS;
}

static void crash(struct world *world)
{
    appliance_crash(some_node(world), some_while(world));
}

static void freeze(struct world *world)
{
    appliance_freeze(some_node(world), some_while(world));
}

static void cut_or_mend(struct world *world)
{
    const size_t i = some_secondary(world)->number;
    struct path *path = chance_percent(&world->chance, 50) ? &world->network.up[i] : &world->network.down[i];
    path->cut = !path->cut;
    path->calm_ns = world->now_ns;
    world->disturbed = true;
    world->tally.cuts++;
    world_trace(world, path->cut ? "cut" : "mended", path == &world->network.up[i] ? (int)i : 0,
                path == &world->network.up[i] ? 0 : (int)i, TRACE_NOBODY, 0, 0);
}

static void change_faults(struct world *world)
{
    const size_t i = some_secondary(world)->number;
    struct path *path = chance_percent(&world->chance, 50) ? &world->network.up[i] : &world->network.down[i];
    path->faults = draw_faults(&world->chance);
    path->calm_ns = world->now_ns;
}

/* Not to be reached by console while it stands still. */
static struct appliance *console(struct world *world)
{
    struct appliance *primary = &world->nodes[0];
    return appliance_is_live(primary) ? primary : NULL;
}

static void ask_operator(struct world *world, struct appliance *primary)
{
    struct agent *agent = primary->agent;
    const struct instant now = appliance_instant(primary);
    const char *name = some_secondary(world)->name;
    enum agent_refusal refusal = REFUSAL_DONE;
    const uint64_t dice = chance_below(&world->chance, 10);
    if (dice < 3)
        refusal = agent_delegate(agent, some_home(world), name, now);
    else if (dice < 5)
        refusal = agent_recall(agent, some_home(world), now);
    else if (dice < 6)
        refusal = agent_delegate_all(agent, now);
    else if (dice < 7)
        refusal = agent_delegate_busiest(agent, 1 + (uint32_t)chance_below(&world->chance, 4), name, now);
    else if (dice < 9)
        refusal = agent_drain(agent, name, chance_percent(&world->chance, 40), now);
    else
        refusal = agent_rebalance(agent, now);
    world_trace(world, "the operator", 0, TRACE_NOBODY, TRACE_NOBODY, dice, refusal);
    appliance_settle(primary);
}

static void operate(struct world *world)
{
    if (console(world) != NULL)
        ask_operator(world, console(world));
}

static void revoke(struct world *world)
{
    struct appliance *primary = console(world);
    if (primary == NULL)
        return;
    struct mobile *m = &world->mobiles[chance_below(&world->chance, world->n_mobiles)];
    world_trace(world, "the operator revokes", 0, TRACE_NOBODY, (int)m->number, 0, 0);
    if (agent_revoke(primary->agent, &m->home, appliance_instant(primary)))
        m->asked_ns = TIMER_NEVER; /* a reply held would tell what is not so any more */
    appliance_settle(primary);
}

static void reconfigure(struct world *world)
{
    struct appliance *primary = console(world);
    if (primary == NULL)
        return;
    struct appliance *secondary = some_secondary(world);
    secondary->wanted = !secondary->wanted;
    world_trace(world, secondary->wanted ? "configured" : "not configured", 0, (int)secondary->number,
                TRACE_NOBODY, 0, 0);
    appliance_configure(primary);
}

static void lose_or_find_the_link(struct world *world)
{
    struct appliance *secondary = some_secondary(world);
    secondary->link_down = !secondary->link_down;
    world_trace(world, secondary->link_down ? "link down" : "link up", (int)secondary->number, TRACE_NOBODY,
                TRACE_NOBODY, 0, 0);
}

/* Whoever cannot be reached by console now keeps the former key, which is good as well, until the next
 * change. One that the primary is not to know is left alone: with a key of its own it would end a session
 * that the primary cannot, and hear of nothing any more, as if it were cut off. */
static void change_key(struct world *world)
{
    struct appliance *secondary = some_secondary(world);
    if (console(world) == NULL || !appliance_is_live(secondary) || !secondary->wanted)
        return;
    secondary->keys++;
    world->disturbed = true; /* a new key ends the session */
    world_trace(world, "key changed", 0, (int)secondary->number, TRACE_NOBODY, secondary->keys, 0);
    appliance_configure(&world->nodes[0]);
    appliance_configure(secondary);
}

struct mischief {
    void (*do_it)(struct world *world);
    uint8_t share[TEMPERS];
};

static const struct mischief mischiefs[] = {
    {operate, {60, 30, 30, 30}},           {revoke, {4, 4, 4, 4}},     {reconfigure, {6, 6, 6, 6}},
    {change_faults, {10, 10, 10, 10}},     {crash, {0, 30, 0, 20}},    {freeze, {0, 15, 0, 15}},
    {lose_or_find_the_link, {3, 3, 3, 3}}, {change_key, {2, 2, 2, 2}}, {cut_or_mend, {0, 0, 50, 30}},
};
enum { MISCHIEFS = sizeof(mischiefs) / sizeof(mischiefs[0]) };

static void mischief_due(struct world *world)
{
    const enum temper temper = temper_of(world);
    uint64_t total = 0;
    for (size_t i = 0; i < MISCHIEFS; i++)
        total += mischiefs[i].share[temper];
    uint64_t dice = chance_below(&world->chance, total);
    size_t i = 0;
    while (dice >= mischiefs[i].share[temper])
        dice -= mischiefs[i++].share[temper];
    mischiefs[i].do_it(world);
    world_at(world, &world->mischief, WAKE_MISCHIEF, chance_between(&world->chance, 20, 1500) * NSEC_PER_MS);
}

static void everybody_is_wanted(struct world *world)
{
    for (size_t i = 1; i < world->n_nodes; i++) {
        world->nodes[i].wanted = true;
        world->nodes[i].link_down = false;
    }
    for (size_t i = 1; i < world->n_nodes; i++)
        if (appliance_is_live(&world->nodes[0]))
            agent_drain(world->nodes[0].agent, world->nodes[i].name, false,
                        appliance_instant(&world->nodes[0]));
    appliance_configure(&world->nodes[0]);
}

/* ---- Whole scenarios ---- */
void scenario_random(struct world *world, uint64_t seed)
{
    struct chance c = {~seed};
    const struct plan plan = draw_plan(&c);
    scenario_begin(world, seed, &plan);
    world->mischief_due = mischief_due;
    world_at(world, &world->mischief, WAKE_MISCHIEF, chance_between(&c, 500, 4000) * NSEC_PER_MS);
    world_run(world, chance_between(&c, 5, 20) * NSEC_PER_S);
    world_heal(world);
    world_run(world, 6 * NSEC_PER_S); /* whoever is frozen thaws */
    everybody_is_wanted(world);
    world_settle(world);
}

void scenario_large(struct world *world, uint64_t seed)
{
    struct chance c = {~seed};
    struct plan plan = draw_plan(&c);
    plan.secondaries = 5;
    plan.mobiles = 2000;
    plan.when = WHEN_AFTER_REGISTRATION;
    plan.policy = POLICY_EQUAL;
    plan.packet_us = 500000;
    plan.act_ms = 20000;
    plan.lifetime_high_s = 300;
    plan.room = 0;
    plan.prohibits = false;
    scenario_begin(world, seed | 3, &plan);
    world->mischief_due = mischief_due;
    world_at(world, &world->mischief, WAKE_MISCHIEF, 5 * NSEC_PER_S);
    world_run(world, 60 * NSEC_PER_S);
    world_heal(world);
    world_run(world, 6 * NSEC_PER_S);
    everybody_is_wanted(world);
    world_settle(world);
}
