/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Balancing: when it runs, how far it goes, and what it leaves alone.
 */
#include "policy_state.h"

static const uint64_t period_ns = 5 * NSEC_PER_S;
static const uint64_t urgent_ns = NSEC_PER_S;        /* between two runs that could not wait for it */
static const uint64_t settling_ns = 10 * NSEC_PER_S; /* after a change of membership */
static const uint64_t dwell_ns = 60 * NSEC_PER_S;

enum {
    RUN_MIN = 16,     /* moves of a run at least */
    RUN_PERCENT = 10, /* of all bindings at most */
    WARM = 1050,      /* permille of its share that a node is not left above for ... */
    WARM_PERIODS = 6  /* ... so many periods */
};

struct search {
    const struct candidates *candidates;
    const struct mobility *mobility;
};

static void *search(void *context, size_t n, uint64_t least, uint64_t most, uint64_t *rate)
{
    const struct search *s = context;
    const struct shelf_query query = {
        .least = least, .most = most, .may_move = pace_may_move, .context = s->mobility};
    struct rated *rated = shelf_find(s->candidates->node[n]->shelf, &query);
    if (rated != NULL)
        *rate = rated->traffic.rate;
    return rated;
}

enum balance_result rebalance_find(struct agent *agent, const struct candidates *candidates,
                                   const struct mobility *mobility, unsigned begin, struct balance_move *move)
{
    struct search s = {candidates, mobility};
    const struct balance_index index = {&s, search};
    if (agent->settings.delegation.policy == POLICY_RATE)
        return balance_by_rate(candidates->as, candidates->n, begin, &index, move);
    return balance_by_count(candidates->as, candidates->n, &index, move);
}

static bool somebody_is_suspect(const struct agent *agent)
{
    NODES_FOREACH(agent, node)
    {
        if (node->state == PEER_SUSPECT)
            return true;
    }
    return false;
}

/* By what was counted last: averages are too slow for that. */
static uint32_t utilisation_now(const struct node *node)
{
    const struct shelf *shelf = node->shelf;
    struct balance_usage usage = placement_usage(node);
    if (shelf != NULL && shelf->sum.last > usage.pps)
        usage.pps = shelf->sum.last;
    if (node->load.tx_pps > usage.pps)
        usage.pps = node->load.tx_pps;
    return balance_utilisation(&usage);
}

static bool is_overloaded(const struct agent *agent)
{
    NODES_FOREACH(agent, node)
    {
        if (node_is_eligible(node) && utilisation_now(node) > BALANCE_OVERLOADED)
            return true;
    }
    return false;
}

static uint32_t bindings(const struct policy *policy)
{
    uint32_t n = policy->own.count + policy->orphans.count;
    for (const struct shelf *shelf = policy->shelves; shelf != NULL; shelf = shelf->next)
        n += shelf->count;
    return n;
}

static void begin_run(struct agent *agent, struct instant now)
{
    struct run *run = &agent->policy->run;
    const uint32_t all = bindings(agent->policy);
    const uint32_t share =
        run->asked ? all : all / 100 * RUN_PERCENT; /* asked for: only the pace holds it up */
    run->on = true;
    run->budget = share < RUN_MIN ? RUN_MIN : share;
    run->next_ns = now.mono_ns + period_ns;
}

/* Every period, or at once when a node is nearly at its end. */
static bool is_run_due(struct agent *agent, struct instant now)
{
    struct run *run = &agent->policy->run;
    if (now.mono_ns >= run->next_ns)
        return true;
    if (run->on || now.mono_ns < run->urgent_ns || !is_overloaded(agent))
        return false;
    run->urgent_ns = now.mono_ns + urgent_ns;
    run->begun = true;
    return true;
}

/* Shortly after a change of membership only those that joined are given any. */
static void close_settling(struct agent *agent, struct candidates *c, struct instant now)
{
    const struct policy *policy = agent->policy;
    if (policy->run.asked || policy->changed_ns == 0 || now.mono_ns - policy->changed_ns >= settling_ns)
        return;
    for (size_t i = 0; i < c->n; i++)
        c->as[i].closed |= !placement_joins(c->node[i]->shelf, now);
}

static struct mobility mobility_of(struct agent *agent, struct instant now)
{
    const bool stays = agent->settings.delegation.policy == POLICY_RATE && !agent->policy->run.asked;
    return (struct mobility){.now = now, .dwell_ns = stays ? dwell_ns : 0};
}

static unsigned begin_level(const struct run *run)
{
    if (run->begun || run->asked)
        return BALANCE_EVEN_ENOUGH;
    return run->warm >= WARM_PERIODS ? WARM : BALANCE_HOT;
}

/* Neither hot nor even: that is not borne for ever. */
static void end_run(struct agent *agent, const struct candidates *c, enum balance_result result,
                    struct instant now)
{
    struct run *run = &agent->policy->run;
    struct balance_move move;
    const struct mobility mobility = mobility_of(agent, now);
    const bool even = result == BALANCE_IS_EVEN;
    const bool warm = even && !run->begun && rebalance_find(agent, c, &mobility, WARM, &move) == BALANCE_MOVE;
    run->warm = warm ? run->warm + 1 : 0;
    run->begun = run->begun && !even;
    run->on = run->asked = false;
    if (agent->policy->own.count == 0 || result != BALANCE_MOVE)
        agent->policy->dividing = false;
}

static enum outcome balance_step(struct agent *agent, struct instant now)
{
    struct run *run = &agent->policy->run;
    struct candidates c;
    struct balance_move m;
    if (!pace_allows(agent, now))
        return HELD_UP;
    placement_candidates(agent, now, &c);
    close_settling(agent, &c, now);
    const struct mobility mobility = mobility_of(agent, now);
    const enum balance_result result = rebalance_find(agent, &c, &mobility, begin_level(run), &m);
    if (result != BALANCE_MOVE) {
        end_run(agent, &c, result, now);
        return NOTHING;
    }
    run->begun = true;
    run->on = --run->budget > 0;
    return pace_spend(agent, m.binding, c.node[m.to],
                      run->asked ? "rebalancing was asked for" : "evens the load", now);
}

enum outcome rebalance(struct agent *agent, struct instant now)
{
    struct run *run = &agent->policy->run;
    if (agent->settings.delegation.when == WHEN_MANUAL && !run->asked)
        return NOTHING;
    if (somebody_is_suspect(agent))
        return NOTHING;
    if (is_run_due(agent, now))
        begin_run(agent, now);
    return run->on ? balance_step(agent, now) : NOTHING;
}
