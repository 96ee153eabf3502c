/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who forwards has to change: its secondary is dead or being drained, or the primary has what it need not
 * keep.
 */
#include "policy_state.h"

enum { SHED_TO_PERCENT = 70 }; /* of the threshold */

static struct rated *busiest(struct shelf *shelf, const struct mobility *mobility, uint64_t least)
{
    const struct shelf_query query = {
        .least = least, .most = UINT64_MAX, .may_move = pace_may_move, .context = mobility};
    return shelf_find(shelf, &query);
}

/* ---- Taking over ---- */

/* Its bindings come one at a time; which one is the busiest is known when all are there. */
static bool somebody_is_being_buried(const struct agent *agent)
{
    NODES_FOREACH(agent, node)
    {
        if (node->moot != NULL)
            return true;
    }
    return false;
}

/* By the primary itself, at once: ARP is answered for it from then on. Announcing has its own pace
 * (announce.c), and handing on that of moves. */
enum outcome handover_from_dead(struct agent *agent, struct instant now)
{
    struct policy *policy = agent->policy;
    if (policy->orphans.count == 0)
        return NOTHING;
    if (somebody_is_being_buried(agent))
        return HELD_UP;
    const struct shelf_query any = {.most = UINT64_MAX};
    struct rated *rated = shelf_find(&policy->orphans, &any);
    struct mobile *mobile = rated->mobile;
    const struct decision decision =
        decision_of(rated, policy_name(delegation_owner(mobile)), policy_name(NULL),
                    "its secondary is dead, or lost its table", now);
    if (mobile->delegation == NULL || mobile->delegation->state != DELEGATION_STATE_ORPHAN) {
        policy_settle(agent, rated, delegation_owner(mobile));
        return DONE; /* found another end meanwhile */
    }
    policy_settle(agent, rated, NULL);
    rated->since_ns = now.mono_ns;
    delegation_take_over(agent, mobile, NULL, now);
    decision_keep(agent, &decision);
    return DONE;
}

/* ---- Draining ---- */
static enum outcome empty(struct agent *agent, struct node *node, struct instant now)
{
    const struct mobility mobility = {.now = now, .by_hand = true};
    struct rated *rated = busiest(node->shelf, &mobility, 0);
    if (rated == NULL)
        return NOTHING;
    if (!pace_allows(agent, now))
        return HELD_UP;
    rated->by_hand = false;
    return pace_spend(agent, rated, placement_choose(agent, rated->mobile, node, now),
                      "its secondary is drained", now);
}

static void tell_drained(struct agent *agent, struct node *node)
{
    struct shelf *shelf = node->shelf;
    struct note note = {.kind = NOTE_DRAINED, .peer = node->peer.is.address};
    memcpy(note.name, node->peer.is.name, sizeof(note.name));
    shelf->told_drained = true;
    effect_note(agent, &note);
}

static bool is_drained(const struct node *node)
{
    const struct shelf *shelf = node->shelf;
    return shelf->count == 0 && node->n_owned == 0;
}

static enum outcome drain_node(struct agent *agent, struct node *node, struct instant now)
{
    struct shelf *shelf = policy_shelf(agent, node);
    if (shelf == NULL)
        return NOTHING;
    if (!node->draining) {
        shelf->told_drained = false;
        return NOTHING;
    }
    if (shelf->count > 0)
        return empty(agent, node, now);
    if (shelf->told_drained || !is_drained(node))
        return NOTHING;
    tell_drained(agent, node);
    return DONE;
}

enum outcome handover_drain(struct agent *agent, struct instant now)
{
    enum outcome all = NOTHING;
    NODES_FOREACH(agent, node)
    {
        const enum outcome one = drain_node(agent, node, now);
        if (one == DONE)
            return DONE;
        all = one == HELD_UP ? HELD_UP : all;
    }
    return all;
}

/* ---- What the primary forwards itself ---- */
static enum outcome hand_on(struct agent *agent, const struct mobility *mobility, uint64_t least,
                            const char *why)
{
    if (!pace_allows(agent, mobility->now))
        return HELD_UP;
    struct rated *rated = busiest(&agent->policy->own, mobility, least);
    struct node *to = rated == NULL ? NULL : placement_choose(agent, rated->mobile, NULL, mobility->now);
    return to == NULL ? NOTHING : pace_spend(agent, rated, to, why, mobility->now);
}

static bool keeps_all(const struct agent *agent)
{
    const uint8_t when = agent->settings.delegation.when;
    return when == WHEN_ON_LOAD || when == WHEN_MANUAL;
}

/* Those that found no node when they registered, that a node refused, or that were taken over. */
enum outcome handover_rest(struct agent *agent, struct instant now)
{
    const struct mobility mobility = {.now = now};
    if (agent->policy->own.count == 0 || (keeps_all(agent) && !agent->policy->dividing))
        return NOTHING;
    return hand_on(agent, &mobility, 0, "a secondary can take it");
}

/* Above the threshold, busiest first, until well below it. */
enum outcome handover_shed(struct agent *agent, struct instant now)
{
    struct policy *policy = agent->policy;
    const uint64_t threshold = agent->settings.delegation.threshold_pps;
    const struct mobility mobility = {.now = now};
    if (agent->settings.delegation.when != WHEN_ON_LOAD)
        return NOTHING;
    if (policy->own.sum.last > threshold)
        policy->shedding = true;
    else if (policy->own.sum.last * 100 <= threshold * SHED_TO_PERCENT)
        policy->shedding = false;
    return policy->shedding ? hand_on(agent, &mobility, 1, "the primary is above its threshold") : NOTHING;
}

static struct node *errand_goal(struct agent *agent, const struct rated *rated, struct instant now)
{
    const char *name = agent->policy->errand.to;
    if (name[0] == '\0')
        return placement_choose(agent, rated->mobile, NULL, now);
    struct node *node = node_by_name(agent, name);
    return node != NULL && node_is_eligible(node) ? node : NULL;
}

enum outcome handover_errand(struct agent *agent, struct instant now)
{
    struct errand *errand = &agent->policy->errand;
    const struct mobility mobility = {.now = now, .by_hand = true};
    if (errand->left == 0)
        return NOTHING;
    if (!pace_allows(agent, now))
        return HELD_UP;
    struct rated *rated = busiest(&agent->policy->own, &mobility, 0);
    struct node *to = rated == NULL ? NULL : errand_goal(agent, rated, now);
    if (to == NULL) {
        errand->left = 0;
        return NOTHING;
    }
    errand->left--;
    rated->by_hand = errand->to[0] != '\0';
    return pace_spend(agent, rated, to, "by hand", now);
}
