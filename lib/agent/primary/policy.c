/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_state.h"

#include <stdlib.h>

enum { REFUSED_REST_S = 10, RESTLESS_LOADS = 10 };
/* Nodes that come within this time of the first one, when nothing was delegated yet, come together: none of
 * them ramps up. */
static const uint64_t cold_start_ns = 10 * NSEC_PER_S;

void policy_wake(struct agent *agent)
{
    agent->policy->awake = agent->peers != NULL;
}

const char *policy_name(const struct node *node)
{
    return node == NULL ? "self" : node->peer.is.name;
}

/* ---- Shelves ---- */
static struct shelf *shelf_create(struct policy *policy, struct node *node)
{
    struct shelf *shelf = calloc(1, sizeof(*shelf));
    if (shelf == NULL)
        return NULL;
    shelf->node = node;
    node->shelf = shelf;
    LL_PREPEND(policy->shelves, shelf);
    return shelf;
}

struct shelf *policy_shelf(struct agent *agent, struct node *node)
{
    if (node == NULL)
        return &agent->policy->own;
    return node->shelf != NULL ? node->shelf : shelf_create(agent->policy, node);
}

static bool is_in_use(const struct agent *agent, const struct shelf *shelf)
{
    NODES_FOREACH(agent, node)
    {
        if (node->shelf == shelf)
            return true;
    }
    return false;
}

/* Nodes go when they hold nothing; what is still accounted to one that is gone was on its way there. */
static void shelf_clear(struct shelf *shelf, struct shelf *to)
{
    for (size_t b = 0; b < SHELF_BUCKETS; b++)
        while (shelf->buckets[b] != NULL)
            shelf_put(to, shelf->buckets[b]);
}

static void sweep_shelves(struct agent *agent)
{
    struct shelf *shelf, *next;
    LL_FOREACH_SAFE(agent->policy->shelves, shelf, next)
    {
        if (is_in_use(agent, shelf))
            continue;
        shelf_clear(shelf, &agent->policy->own);
        LL_DELETE(agent->policy->shelves, shelf);
        free(shelf);
    }
}

/* ---- Bindings ---- */
struct rated *policy_rated(struct agent *agent, struct mobile *mobile)
{
    (void)agent;
    if (mobile->rated == NULL)
        mobile->rated = rated_create(mobile);
    return mobile->rated;
}

/* Those with a rate are asked for after a while of silence. */
static void listen(struct policy *policy, struct rated *rated)
{
    if (rated->sounding)
        DL_DELETE2(policy->sounding, rated, sounding_prev, sounding_next);
    rated->sounding = !rated_is_silent(rated);
    if (rated->sounding)
        DL_APPEND2(policy->sounding, rated, sounding_prev, sounding_next);
}

/* One that counts for more than a hundredth of it came or goes. */
static void unsettle(struct shelf *shelf, const struct rated *rated)
{
    if (shelf != NULL && rated->traffic.rate * 100 > shelf->sum.rate)
        shelf->restless = RESTLESS_LOADS;
}

void policy_settle(struct agent *agent, struct rated *rated, struct node *node)
{
    struct shelf *shelf = policy_shelf(agent, node);
    if (shelf != NULL && shelf == rated->shelf)
        return;
    unsettle(shelf, rated);
    unsettle(rated->shelf, rated);
    if (shelf == NULL)
        shelf_take(rated);
    else
        shelf_put(shelf, rated);
}

void policy_pend(struct agent *agent, struct rated *rated, struct instant now)
{
    struct policy *policy = agent->policy;
    policy_unpend(agent, rated);
    rated->pending = true;
    rated->asked_ns = now.mono_ns;
    DL_APPEND2(policy->pending, rated, pending_prev, pending_next);
    policy->n_pending++;
}

void policy_unpend(struct agent *agent, struct rated *rated)
{
    if (!rated->pending)
        return;
    rated->pending = false;
    DL_DELETE2(agent->policy->pending, rated, pending_prev, pending_next);
    agent->policy->n_pending--;
}

/* Its owner died; one that has lost its table is being told again. */
static bool is_orphan(const struct delegation *d)
{
    if (d == NULL || !d->orphan || d->owner == NULL)
        return false;
    const struct holding *h = holding_find(d, d->owner);
    return h == NULL || h->wish != WISH_INTERCEPT;
}

/* Where it stands, by what delegation.c says. */
void policy_see(struct agent *agent, struct mobile *mobile)
{
    struct rated *rated = mobile->cares == NULL ? NULL : policy_rated(agent, mobile);
    if (rated == NULL)
        return;
    if (is_orphan(mobile->delegation))
        shelf_put(&agent->policy->orphans, rated);
    else if (!rated->pending)
        policy_settle(agent, rated, delegation_owner(mobile));
    if (!rated->sounding)
        listen(agent->policy, rated);
}

void policy_forget(struct agent *agent, struct mobile *mobile)
{
    struct rated *rated = mobile->rated;
    if (rated == NULL)
        return;
    mobile->rated = NULL;
    shelf_take(rated);
    policy_unpend(agent, rated);
    if (rated->sounding)
        DL_DELETE2(agent->policy->sounding, rated, sounding_prev, sounding_next);
    rated_destroy(rated);
}

/* ---- Placement ---- */
static bool places_by_itself(const struct agent *agent)
{
    const uint8_t when = agent->settings.delegation.when;
    return when == WHEN_AFTER_REGISTRATION || when == WHEN_ON_REGISTRATION;
}

/* Accounts mobile to node at once: those that follow see it there. */
static void account(struct agent *agent, struct rated *rated, struct node *node, struct instant now)
{
    if (rated == NULL)
        return;
    policy_settle(agent, rated, node);
    if (node == NULL)
        policy_unpend(agent, rated);
    else
        policy_pend(agent, rated, now);
}

struct node *policy_place(struct agent *agent, const struct mobile *mobile, struct instant now)
{
    if (agent->peers == NULL)
        return NULL;
    struct node *node = places_by_itself(agent) ? placement_choose(agent, mobile, NULL, now) : NULL;
    account(agent, policy_rated(agent, agent->slots[mobile->slot]), node, now);
    policy_wake(agent);
    return node;
}

static void note_refusal(const struct node *from, struct instant now)
{
    struct shelf *shelf = from->shelf;
    if (shelf == NULL || !node_is_eligible(from))
        return;
    shelf->refused_ns = now.mono_ns;
    if (shelf->refusals < UINT8_MAX)
        shelf->refusals++;
}

struct node *policy_replace(struct agent *agent, const struct mobile *mobile, const struct node *from,
                            struct instant now)
{
    if (from != NULL)
        note_refusal(from, now);
    struct node *node = placement_choose(agent, mobile, from, now);
    struct rated *rated = policy_rated(agent, agent->slots[mobile->slot]);
    account(agent, rated, node, now);
    if (rated != NULL)
        rated->rest_ns = now.mono_ns + REFUSED_REST_S * NSEC_PER_S;
    policy_wake(agent);
    return node;
}

/* ---- What happened ---- */
void policy_moved(struct agent *agent, struct mobile *mobile, struct node *from, struct node *to,
                  struct instant now)
{
    (void)from;
    struct rated *rated = agent->peers == NULL || mobile->cares == NULL ? NULL : policy_rated(agent, mobile);
    if (rated == NULL)
        return;
    policy_unpend(agent, rated);
    policy_settle(agent, rated, to);
    rated->since_ns = now.mono_ns;
    if (to != NULL && to->shelf != NULL)
        to->shelf->refusals = 0;
    policy_wake(agent);
}

/* Without memory for it the walk comes upon it. */
void policy_orphan(struct agent *agent, struct mobile *mobile, struct instant now)
{
    struct policy *policy = agent->policy;
    struct rated *rated = policy_rated(agent, mobile);
    if (rated == NULL) {
        policy->walking = true;
        policy->walk_at = 0;
    } else {
        policy_unpend(agent, rated);
        shelf_put(&policy->orphans, rated);
        rated->by_hand = false;
        rated->since_ns = now.mono_ns;
    }
    policy_wake(agent);
}

void policy_rate(struct agent *agent, struct mobile *mobile, struct node *node, const struct agent_rate *rate,
                 struct instant now)
{
    struct policy *policy = agent->policy;
    struct rated *rated = mobile->cares == NULL ? NULL : policy_rated(agent, mobile);
    if (rated == NULL)
        return;
    rated_count(rated, node == NULL ? 0 : node->peer.id, rate);
    if (delegation_owner(mobile) != node)
        return;
    rated_sample(rated, rate->pps, rate->kbps, now);
    if (agent->peers == NULL)
        return;
    listen(policy, rated);
    if (policy->own.sum.last > agent->settings.delegation.threshold_pps)
        policy_wake(agent);
}

/* ---- Membership ---- */
static bool nothing_is_delegated(const struct policy *policy)
{
    for (const struct shelf *shelf = policy->shelves; shelf != NULL; shelf = shelf->next)
        if (shelf->count > 0)
            return false;
    return true;
}

/* A node that comes back to what it had does not ramp up. */
static void welcome(struct policy *policy, struct shelf *shelf, struct instant now)
{
    if (nothing_is_delegated(policy))
        policy->cold_ns = now.mono_ns;
    const bool together = policy->cold_ns != 0 && now.mono_ns - policy->cold_ns < cold_start_ns;
    shelf->joined_ns = together || shelf->count > 0 ? 0 : now.mono_ns;
}

static void look_at(struct agent *agent, struct node *node, struct instant now)
{
    struct shelf *shelf = policy_shelf(agent, node);
    if (shelf == NULL || shelf->eligible == node_is_eligible(node))
        return;
    shelf->eligible = !shelf->eligible;
    shelf->refusals = 0;
    agent->policy->changed_ns = now.mono_ns;
    if (shelf->eligible)
        welcome(agent->policy, shelf, now);
}

void policy_membership(struct agent *agent, struct instant now)
{
    struct policy *policy = agent->policy;
    sweep_shelves(agent);
    NODES_FOREACH(agent, node)
    look_at(agent, node, now);
    if (agent->peers == NULL) {
        policy->indexed = false;
    } else if (!policy->indexed) {
        policy->indexed = policy->walking = true;
        policy->walk_at = 0;
    }
    policy_wake(agent);
}

/* ---- Life ---- */
static uint32_t at_least_one(uint32_t n)
{
    return n == 0 ? 1 : n;
}

/* A twentieth of a second's worth at once. */
static struct limit pace_of(uint32_t per_s)
{
    return limit_of(at_least_one(per_s), at_least_one(per_s / 20));
}

void policy_configured(struct agent *agent)
{
    agent->policy->moves = pace_of(agent->settings.delegation.moves_per_s);
    policy_wake(agent);
}

struct policy *policy_create(struct agent *agent)
{
    struct policy *policy = calloc(1, sizeof(*policy));
    if (policy == NULL)
        return NULL;
    policy->timer.kind = TIMER_POLICY;
    agent->policy = policy;
    policy_configured(agent);
    return policy;
}

void policy_destroy(struct agent *agent)
{
    struct shelf *shelf, *next;
    LL_FOREACH_SAFE(agent->policy->shelves, shelf, next)
    free(shelf);
    timerq_cancel(agent->timers, &agent->policy->timer);
    free(agent->policy);
    agent->policy = NULL;
}
