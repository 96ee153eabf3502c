/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an operator asks of a primary.
 */
#include "policy_state.h"

#include <stdio.h>

/* ---- One binding ---- */
static enum agent_refusal can_take(const struct node *node)
{
    if (node == NULL)
        return REFUSAL_NO_SECONDARY;
    if (node->draining)
        return REFUSAL_IS_DRAINING;
    return node_is_eligible(node) ? REFUSAL_DONE : REFUSAL_NOT_READY;
}

static enum agent_refusal find_binding(struct agent *agent, const struct addr *home, struct mobile **mobile)
{
    if (agent->policy == NULL)
        return REFUSAL_NOT_PRIMARY;
    *mobile = mobile_by_home(agent, home);
    if (*mobile == NULL || (*mobile)->cares == NULL)
        return REFUSAL_NO_BINDING;
    if (policy_rated(agent, *mobile) == NULL || !effects_reserve(&agent->effects))
        return REFUSAL_OUT_OF_MEMORY;
    return REFUSAL_DONE;
}

static enum agent_refusal put(struct agent *agent, struct mobile *mobile, struct node *to, bool by_hand,
                              struct instant now)
{
    struct rated *rated = mobile->rated;
    if (!rated->pending && delegation_owner(mobile) == to) {
        rated->by_hand = by_hand;
        return REFUSAL_ALREADY;
    }
    const enum agent_refusal refusal = pace_move(agent, rated, to, "by hand", now);
    if (refusal != REFUSAL_DONE)
        return refusal;
    rated->by_hand = by_hand;
    policy_wake(agent);
    return REFUSAL_DONE;
}

enum agent_refusal agent_delegate(struct agent *agent, const struct addr *home, const char *secondary,
                                  struct instant now)
{
    struct mobile *mobile;
    enum agent_refusal refusal = find_binding(agent, home, &mobile);
    if (refusal != REFUSAL_DONE)
        return refusal;
    struct node *to =
        secondary == NULL ? placement_choose(agent, mobile, NULL, now) : node_by_name(agent, secondary);
    if (to == NULL && secondary == NULL)
        return REFUSAL_NOT_READY;
    refusal = can_take(to);
    return refusal == REFUSAL_DONE ? put(agent, mobile, to, secondary != NULL, now) : refusal;
}

/* It stays with the primary: else the policy would undo at once what the operator asked for. */
enum agent_refusal agent_recall(struct agent *agent, const struct addr *home, struct instant now)
{
    struct mobile *mobile;
    const enum agent_refusal refusal = find_binding(agent, home, &mobile);
    return refusal == REFUSAL_DONE ? put(agent, mobile, NULL, true, now) : refusal;
}

/* ---- Many ---- */
static enum agent_refusal find_takers(const struct agent *agent)
{
    if (agent->policy == NULL)
        return REFUSAL_NOT_PRIMARY;
    if (agent->peers == NULL)
        return REFUSAL_NO_SECONDARY;
    NODES_FOREACH(agent, node)
    {
        if (node_is_eligible(node))
            return REFUSAL_DONE;
    }
    return REFUSAL_NOT_READY;
}

static void ask_for_run(struct agent *agent)
{
    struct run *run = &agent->policy->run;
    run->asked = true;
    run->next_ns = 0;
    policy_wake(agent);
}

enum agent_refusal agent_delegate_all(struct agent *agent, struct instant now)
{
    (void)now;
    const enum agent_refusal refusal = find_takers(agent);
    if (refusal != REFUSAL_DONE)
        return refusal;
    struct policy *policy = agent->policy;
    policy->walking = policy->releasing = policy->dividing = true;
    policy->walk_at = 0;
    ask_for_run(agent);
    return REFUSAL_DONE;
}

enum agent_refusal agent_delegate_busiest(struct agent *agent, uint32_t count, const char *secondary,
                                          struct instant now)
{
    (void)now;
    enum agent_refusal refusal = find_takers(agent);
    if (refusal == REFUSAL_DONE && secondary != NULL)
        refusal = can_take(node_by_name(agent, secondary));
    if (refusal != REFUSAL_DONE)
        return refusal;
    struct errand *errand = &agent->policy->errand;
    errand->left = count;
    snprintf(errand->to, sizeof(errand->to), "%s", secondary == NULL ? "" : secondary);
    policy_wake(agent);
    return REFUSAL_DONE;
}

enum agent_refusal agent_drain(struct agent *agent, const char *secondary, bool drain, struct instant now)
{
    if (agent->policy == NULL)
        return REFUSAL_NOT_PRIMARY;
    struct node *node = node_by_name(agent, secondary);
    if (node == NULL)
        return REFUSAL_NO_SECONDARY;
    if (node->draining == drain)
        return REFUSAL_ALREADY;
    if (!effects_reserve(&agent->effects))
        return REFUSAL_OUT_OF_MEMORY;
    node_set_draining(agent, node, drain, now);
    policy_membership(agent, now);
    return REFUSAL_DONE;
}

enum agent_refusal agent_rebalance(struct agent *agent, struct instant now)
{
    (void)now;
    const enum agent_refusal refusal = find_takers(agent);
    if (refusal == REFUSAL_DONE)
        ask_for_run(agent);
    return refusal;
}

/* ---- Settings ---- */
enum agent_refusal agent_set_policy(struct agent *agent, enum delegation_policy policy)
{
    if (agent->policy == NULL)
        return REFUSAL_NOT_PRIMARY;
    if (agent->settings.delegation.policy == policy)
        return REFUSAL_ALREADY;
    agent->settings.delegation.policy = policy;
    policy_wake(agent);
    return REFUSAL_DONE;
}

enum agent_refusal agent_set_threshold(struct agent *agent, uint32_t pps)
{
    if (agent->policy == NULL)
        return REFUSAL_NOT_PRIMARY;
    agent->settings.delegation.threshold_pps = pps;
    policy_wake(agent);
    return REFUSAL_DONE;
}
