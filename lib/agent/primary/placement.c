/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_state.h"

/* "New secondary: weight ramps 1, 5, 20, 100 %." */
static const uint32_t ramp_permille[] = {10, 50, 200, 1000};
enum { RAMP_STEPS = sizeof(ramp_permille) / sizeof(ramp_permille[0]) };
static const uint64_t ramp_step_ns = 5 * NSEC_PER_S;

/* A node that refuses so many in a row is left alone for a while. */
enum { REFUSALS_MAX = 8 };
static const uint64_t refusing_ns = 5 * NSEC_PER_S;

/* ---- What a node bears ---- */
static uint32_t ramp(const struct shelf *shelf, struct instant now)
{
    if (shelf == NULL || shelf->joined_ns == 0)
        return 1000;
    const uint64_t step = (now.mono_ns - shelf->joined_ns) / ramp_step_ns;
    return step < RAMP_STEPS ? ramp_permille[step] : 1000;
}

bool placement_joins(const struct shelf *shelf, struct instant now)
{
    return shelf != NULL && shelf->joined_ns != 0 &&
           now.mono_ns - shelf->joined_ns < RAMP_STEPS * ramp_step_ns;
}

uint32_t placement_weight(const struct node *node, struct instant now)
{
    const uint32_t weight = node->peer.is.weight == 0 ? 1 : node->peer.is.weight;
    return node->draining ? 0 : weight * ramp(node->shelf, now);
}

struct balance_usage placement_usage(const struct node *node)
{
    const struct shelf *shelf = node->shelf;
    return (struct balance_usage){
        .pps = shelf == NULL ? 0 : (shelf->sum.rate + shelf->rest) / RATE_UNIT,
        .kbps = shelf == NULL ? 0 : shelf->sum.kbps / RATE_UNIT,
        .capacity_pps = node->load.capacity_pps,
        .busiest_permille = node->load.busiest_permille,
    };
}

/* So much load that the node would be fully used: where bits or an lcore are scarcer than packets, that is
 * less than its capacity for packets. */
static uint64_t bearable(const struct node *node)
{
    const struct balance_usage usage = placement_usage(node);
    const uint64_t permille = balance_utilisation(&usage);
    if (usage.pps * 1000 / usage.capacity_pps >= permille)
        return usage.capacity_pps;
    return usage.pps * 1000 / permille + 1;
}

static bool capacities_are_known(const struct candidates *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->node[i]->load.capacity_pps == 0)
            return false;
    return c->n > 0;
}

static bool is_full(const struct node *node)
{
    return node->load.max_bindings != 0 && node->load.bindings >= node->load.max_bindings;
}

static bool takes_no_more(const struct node *node, const struct shelf *shelf, struct instant now)
{
    return is_full(node) || node->load.state == LOAD_OVERLOADED ||
           (shelf->refusals >= REFUSALS_MAX && now.mono_ns - shelf->refused_ns < refusing_ns);
}

static void add(struct agent *agent, struct node *node, struct instant now, struct candidates *out)
{
    const struct shelf *shelf = policy_shelf(agent, node);
    if (shelf == NULL)
        return;
    out->node[out->n] = node;
    out->as[out->n++] = (struct balance_node){
        .load = shelf->sum.rate + shelf->rest,
        .capacity = placement_weight(node, now),
        .heaviest = shelf_heaviest(shelf),
        .count = shelf->count,
        .closed = takes_no_more(node, shelf, now),
    };
}

void placement_candidates(struct agent *agent, struct instant now, struct candidates *out)
{
    out->n = 0;
    NODES_FOREACH(agent, node)
    {
        if (out->n < BALANCE_NODES_MAX && node_is_eligible(node))
            add(agent, node, now, out);
    }
    if (agent->settings.delegation.policy != POLICY_RATE || !capacities_are_known(out))
        return;
    for (size_t i = 0; i < out->n; i++)
        out->as[i].capacity = bearable(out->node[i]) * ramp(out->node[i]->shelf, now);
}

/* ---- Weighted rendezvous ---- */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t hash_of(const struct addr *home, const struct node *node)
{
    uint64_t halves[2];
    memcpy(halves, home, sizeof(halves));
    return mix(mix(mix(halves[0] + UINT64_C(0x9e3779b97f4a7c15)) ^ halves[1]) ^ node->peer.id);
}

/* -log2((hash + 1) / 2^64) in 1/2^16, digit by digit. */
static uint64_t minus_log2(uint64_t hash)
{
    const uint64_t x = hash | 1;
    const unsigned zeros = (unsigned)__builtin_clzll(x);
    uint64_t mantissa = x << zeros >> 32, fraction = 0;
    for (unsigned bit = 0; bit < 16; bit++) {
        mantissa = mantissa * mantissa >> 31;
        fraction <<= 1;
        if (mantissa >> 32 == 0)
            continue;
        mantissa >>= 1;
        fraction |= 1;
    }
    return ((uint64_t)(zeros + 1) << 16) - fraction;
}

/* The smallest wins: an exponential variate, divided by the weight, so that each node is the first for its
 * share of all home addresses, and few change when a node comes or goes. */
static double score(const struct candidates *c, size_t i, const struct addr *home)
{
    return (double)minus_log2(hash_of(home, c->node[i])) / (double)c->as[i].capacity;
}

static size_t first_by_score(const struct candidates *c, const struct addr *home, size_t but)
{
    size_t best = c->n;
    double least = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (i == but || c->as[i].closed || c->as[i].capacity == 0)
            continue;
        const double s = score(c, i, home);
        if (best < c->n && s >= least)
            continue;
        least = s;
        best = i;
    }
    return best;
}

/* By load; while there is none, by numbers. */
static bool is_less_used(const struct balance_node *a, const struct balance_node *b)
{
    const double of_a = (double)a->load / (double)a->capacity, of_b = (double)b->load / (double)b->capacity;
    if (of_a < of_b || of_b < of_a)
        return of_a < of_b;
    return (double)a->count / (double)a->capacity < (double)b->count / (double)b->capacity;
}

static size_t better_of_two(const struct candidates *c, const struct addr *home)
{
    const size_t first = first_by_score(c, home, c->n);
    const size_t second = first_by_score(c, home, first);
    return second < c->n && is_less_used(&c->as[second], &c->as[first]) ? second : first;
}

struct node *placement_choose(struct agent *agent, const struct mobile *mobile, const struct node *except,
                              struct instant now)
{
    struct candidates c;
    placement_candidates(agent, now, &c);
    for (size_t i = 0; i < c.n; i++)
        c.as[i].closed |= c.node[i] == except;
    const size_t i = agent->settings.delegation.policy == POLICY_RATE ? better_of_two(&c, &mobile->home)
                                                                      : balance_next(c.as, c.n);
    return i < c.n ? c.node[i] : NULL;
}
