/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeping the accounts right: every binding seen, moves that came to nothing put back, silence believed, what
 * nodes carry beyond what they report.
 */
#include "policy_state.h"

static const uint64_t pending_ns = 500 * NSEC_PER_MS;
/* Before a move that failed is tried again: lost datagrams are no reason to wait long. */
static const uint64_t failed_ns = NSEC_PER_S;

enum { WALK_STEP = 8, DECAY_STEP = 16, LOADS_AVERAGED = 8 };

enum outcome upkeep_walk(struct agent *agent, struct instant now)
{
    struct policy *policy = agent->policy;
    (void)now;
    if (!policy->walking)
        return NOTHING;
    for (size_t i = 0; i < WALK_STEP && policy->walk_at < agent->n_slots; i++, policy->walk_at++) {
        struct mobile *mobile = agent->slots[policy->walk_at];
        if (mobile == NULL)
            continue;
        policy_see(agent, mobile);
        if (policy->releasing && mobile->rated != NULL)
            mobile->rated->by_hand = false;
    }
    policy->walking = policy->walk_at < agent->n_slots;
    policy->releasing &= policy->walking;
    return DONE;
}

static bool is_under_way(const struct mobile *mobile)
{
    return mobile->delegation != NULL && mobile->delegation->target != NULL;
}

/* A move that came to nothing without anybody saying so. */
enum outcome upkeep_reconcile(struct agent *agent, struct instant now)
{
    struct rated *rated = agent->policy->pending;
    if (rated == NULL || now.mono_ns - rated->asked_ns < pending_ns)
        return NOTHING;
    const struct shelf *meant = rated->shelf;
    if (is_under_way(rated->mobile)) {
        policy_pend(agent, rated, now);
        return DONE;
    }
    policy_unpend(agent, rated);
    policy_settle(agent, rated, delegation_owner(rated->mobile));
    if (rated->shelf != meant)
        rated->rest_ns = now.mono_ns + failed_ns;
    return DONE;
}

enum outcome upkeep_decay(struct agent *agent, struct instant now)
{
    struct policy *policy = agent->policy;
    bool any = false;
    for (size_t i = 0; i < DECAY_STEP; i++) {
        struct rated *rated = policy->sounding;
        if (rated == NULL || now.mono_ns - rated->heard_ns < RATED_QUIET_NS)
            break;
        any = true;
        DL_DELETE2(policy->sounding, rated, sounding_prev, sounding_next);
        rated_sample(rated, 0, 0, now);
        rated->sounding = !rated_is_silent(rated);
        if (rated->sounding)
            DL_APPEND2(policy->sounding, rated, sounding_prev, sounding_next);
        else
            rated_sample(rated, 0, 0, now); /* what was left of it is nothing */
    }
    return any ? DONE : NOTHING;
}

/* Reports name the busiest only, and a node may serve others as well: what it says that it sends in all is
 * more. Not looked at shortly after a move, which reports and totals show at different times. */
static void take_load(struct node *node, struct shelf *shelf)
{
    const uint64_t told = (uint64_t)node->load.tx_pps * RATE_UNIT;
    const uint64_t rest = told > shelf->sum.rate ? told - shelf->sum.rate : 0;
    if (shelf->load_ns == node->load_ns)
        return;
    shelf->load_ns = node->load_ns;
    if (shelf->restless > 0)
        shelf->restless--;
    else
        shelf->rest = (shelf->rest * (LOADS_AVERAGED - 1) + rest) / LOADS_AVERAGED;
}

void upkeep_loads(struct agent *agent)
{
    NODES_FOREACH(agent, node)
    {
        if (node->shelf != NULL)
            take_load(node, node->shelf);
    }
}
