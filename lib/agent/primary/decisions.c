/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is shown of the policy: loads, the decisions made lately, and the plan of a rebalancing.
 */
#include "policy_state.h"

#include <stdio.h>

struct decision decision_of(const struct rated *rated, const char *from, const char *to, const char *why,
                            struct instant now)
{
    struct decision d = {.at_ns = now.mono_ns,
                         .home = rated->mobile->home,
                         .pps = (uint32_t)(rated->traffic.rate / RATE_UNIT),
                         .why = why};
    snprintf(d.from, sizeof(d.from), "%s", from);
    snprintf(d.to, sizeof(d.to), "%s", to);
    return d;
}

void decision_keep(struct agent *agent, const struct decision *decision)
{
    struct policy *policy = agent->policy;
    policy->decisions[policy->n_decisions++ % DECISIONS_KEPT] = *decision;
}

bool agent_decision(const struct agent *agent, size_t i, struct decision *out)
{
    const struct policy *policy = agent->policy;
    if (policy == NULL || i >= DECISIONS_KEPT || i >= policy->n_decisions)
        return false;
    *out = policy->decisions[(policy->n_decisions - 1 - i) % DECISIONS_KEPT];
    return true;
}

/* ---- Load ---- */
static uint64_t all_packets(const struct policy *policy)
{
    uint64_t sum = policy->own.sum.pps + policy->orphans.sum.pps;
    for (const struct shelf *shelf = policy->shelves; shelf != NULL; shelf = shelf->next)
        sum += shelf->sum.pps;
    return sum;
}

static void view(const struct policy *policy, const struct shelf *shelf, struct load_view *out)
{
    const uint64_t all = all_packets(policy);
    out->bindings = shelf->count;
    out->pps = (uint32_t)(shelf->sum.pps / RATE_UNIT);
    out->kbps = (uint32_t)(shelf->sum.kbps / RATE_UNIT);
    out->permille_of_all = all == 0 ? 0 : (uint32_t)(shelf->sum.pps * 1000 / all);
}

/* Without secondaries bindings are not sorted by who forwards them: all are ours. */
static void view_alone(const struct agent *agent, struct load_view *out)
{
    out->bindings = (uint32_t)agent->n_bindings;
    out->pps = agent->load.tx_pps;
    out->kbps = agent->load.tx_kbps;
    out->permille_of_all = out->pps == 0 ? 0 : 1000;
}

static void view_self(const struct agent *agent, struct load_view *out)
{
    const struct agent_load *load = &agent->load;
    if (agent->peers == NULL)
        view_alone(agent, out);
    else
        view(agent->policy, &agent->policy->own, out);
    const struct balance_usage usage = {.pps = load->tx_pps > out->pps ? load->tx_pps : out->pps,
                                        .kbps = load->tx_kbps > out->kbps ? load->tx_kbps : out->kbps,
                                        .capacity_pps = load->capacity_pps,
                                        .busiest_permille = load->busiest_permille};
    out->utilisation_permille = balance_utilisation(&usage);
}

static void view_node(const struct agent *agent, const struct node *node, struct instant now,
                      struct load_view *out)
{
    const struct balance_usage usage = placement_usage(node);
    out->name = node->peer.is.name;
    if (node->shelf != NULL)
        view(agent->policy, node->shelf, out);
    out->utilisation_permille = balance_utilisation(&usage);
    out->weight = (uint16_t)((placement_weight(node, now) + 999) / 1000);
}

bool agent_load_next(const struct agent *agent, size_t *cursor, struct instant now, struct load_view *out)
{
    if (agent->policy == NULL)
        return false;
    const size_t at = (*cursor)++;
    *out = (struct load_view){0};
    if (at == 0) {
        view_self(agent, out);
        return true;
    }
    size_t i = 1;
    NODES_FOREACH(agent, node)
    {
        if (i++ != at)
            continue;
        view_node(agent, node, now, out);
        return true;
    }
    return false;
}

/* ---- One binding ---- */
void policy_view(const struct agent *agent, const struct mobile *mobile, struct instant now,
                 struct binding_view *out)
{
    (void)agent;
    if (mobile->rated == NULL)
        return;
    struct rated r = *mobile->rated;
    r.shelf = NULL;
    if (now.mono_ns - r.heard_ns > RATED_QUIET_NS)
        rated_sample(&r, 0, 0, now);
    out->packets = r.packets;
    out->bytes = r.bytes;
    out->pps = (uint32_t)(r.traffic.pps / RATE_UNIT);
    out->kbps = (uint32_t)(r.traffic.kbps / RATE_UNIT);
}

/* ---- The plan ---- */
static void account(struct balance_node *as, const struct balance_move *move)
{
    as[move->from].load -= move->rate;
    as[move->from].count--;
    as[move->to].load += move->rate;
    as[move->to].count++;
    if (as[move->to].heaviest < move->rate)
        as[move->to].heaviest = move->rate;
    if (as[move->from].heaviest > as[move->from].load)
        as[move->from].heaviest = as[move->from].load;
}

static void make_plan(struct agent *agent, struct instant now)
{
    struct policy *policy = agent->policy;
    struct candidates c;
    struct balance_move move;
    placement_candidates(agent, now, &c);
    const struct mobility mobility = {.now = now, .plan = ++policy->plan_number};
    policy->n_plan = 0;
    while (policy->n_plan < PLAN_MAX &&
           rebalance_find(agent, &c, &mobility, BALANCE_EVEN_ENOUGH, &move) == BALANCE_MOVE) {
        struct rated *rated = move.binding;
        rated->planned = policy->plan_number;
        policy->plan[policy->n_plan++] = decision_of(
            rated, policy_name(c.node[move.from]), policy_name(c.node[move.to]), "would even the load", now);
        account(c.as, &move);
    }
}

bool agent_plan(struct agent *agent, size_t i, struct instant now, struct decision *out)
{
    struct policy *policy = agent->policy;
    if (policy == NULL)
        return false;
    if (i == 0)
        make_plan(agent, now);
    if (i >= policy->n_plan)
        return false;
    *out = policy->plan[i];
    return true;
}
