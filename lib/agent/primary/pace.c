/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The policy's work, one binding at a time and no faster than the settings allow.
 */
#include "policy_state.h"

static const uint64_t rest_ns = 250 * NSEC_PER_MS; /* between looks, when nothing waits */
static const uint64_t pace_ns = 10 * NSEC_PER_MS;  /* when the pace holds something up */
static const uint64_t refused_ns = NSEC_PER_S;     /* before a binding that may not be moved is tried again */

/* ---- Moving ---- */
bool pace_may_move(const void *context, const struct rated *rated)
{
    const struct mobility *m = context;
    if (rated->pending || rated->mobile->cares == NULL || rated->rest_ns > m->now.mono_ns)
        return false;
    if (rated->by_hand && !m->by_hand)
        return false;
    if (m->plan != 0 && rated->planned == m->plan)
        return false;
    return m->dwell_ns == 0 || m->now.mono_ns - rated->since_ns >= m->dwell_ns;
}

static bool has_room(const struct agent *agent)
{
    const uint32_t most = agent->policy->moves.per_s;
    return agent->policy->n_pending < (most < 64 ? 64 : most);
}

bool pace_allows(struct agent *agent, struct instant now)
{
    struct limit trial = agent->policy->moves;
    return has_room(agent) && limit_take(&trial, now.mono_ns);
}

/* Refused: it stands where it stood, and rests a while. */
static void put_back(struct agent *agent, struct rated *rated, struct instant now)
{
    policy_unpend(agent, rated);
    policy_settle(agent, rated, delegation_owner(rated->mobile));
    rated->rest_ns = now.mono_ns + refused_ns;
}

enum agent_refusal pace_move(struct agent *agent, struct rated *rated, struct node *to, const char *why,
                             struct instant now)
{
    struct mobile *mobile = rated->mobile;
    const struct decision decision =
        decision_of(rated, policy_name(delegation_owner(mobile)), policy_name(to), why, now);
    policy_settle(agent, rated, to);
    policy_pend(agent, rated, now); /* before it is asked for: it may be done when that returns */
    const enum agent_refusal refusal = delegation_move(agent, mobile, to, now);
    if (refusal == REFUSAL_DONE)
        decision_keep(agent, &decision);
    else
        put_back(agent, rated, now);
    return refusal;
}

/* Counts against the pace even where it is refused: so refusals cannot become a loop without end. */
enum outcome pace_spend(struct agent *agent, struct rated *rated, struct node *to, const char *why,
                        struct instant now)
{
    (void)limit_take(&agent->policy->moves, now.mono_ns);
    (void)pace_move(agent, rated, to, why, now);
    return DONE;
}

/* ---- The turn ---- */
static enum outcome (*const kinds[])(struct agent *agent, struct instant now) = {
    handover_from_dead, upkeep_reconcile, upkeep_decay,  upkeep_walk, handover_drain,
    handover_errand,    handover_shed,    handover_rest, rebalance,
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void sleep_until(struct agent *agent, uint64_t at_ns)
{
    struct policy *policy = agent->policy;
    policy->awake = !timerq_set(agent->timers, &policy->timer, at_ns);
}

bool policy_step(struct agent *agent, struct instant now)
{
    bool held_up = false;
    if (!agent->policy->awake)
        return false;
    if (agent->peers == NULL) {
        agent->policy->awake = false;
        return false;
    }
    for (size_t i = 0; i < KINDS; i++) {
        const enum outcome outcome = kinds[i](agent, now);
        if (outcome == DONE)
            return true;
        held_up |= outcome == HELD_UP;
    }
    sleep_until(agent, now.mono_ns + (held_up ? pace_ns : rest_ns));
    return false;
}

bool policy_has_work(const struct agent *agent, uint64_t now_ns)
{
    (void)now_ns;
    return agent->policy->awake;
}

void policy_due(struct agent *agent, struct timer *timer, struct instant now)
{
    (void)timer;
    upkeep_loads(agent);
    policy_membership(agent, now); /* a lease withheld changes it without more ado */
}
