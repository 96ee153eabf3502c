/* SPDX-License-Identifier: BSD-3-Clause */
#include "balance.h"

enum { DRIZZLE = 50 }; /* more moves than that for one node's excess are too many */

/* ---- By rates ---- */

/* What each node should carry. */
struct shares {
    double load[BALANCE_NODES_MAX];
    bool isolated[BALANCE_NODES_MAX]; /* it has a binding above its share */
};

/* Load for each unit of capacity, among those that are not isolated. */
static double level(const struct balance_node *nodes, size_t n, const struct shares *shares)
{
    double load = 0, capacity = 0;
    for (size_t i = 0; i < n; i++) {
        if (nodes[i].capacity == 0)
            continue;
        load += (double)nodes[i].load - (shares->isolated[i] ? (double)nodes[i].heaviest : 0);
        capacity += shares->isolated[i] ? 0 : (double)nodes[i].capacity;
    }
    return capacity > 0 ? load / capacity : 0;
}

/* Each elephant taken out lowers the level for the rest, and may make another one. */
static bool isolate_one(const struct balance_node *nodes, size_t n, struct shares *shares)
{
    const double mean = level(nodes, n, shares);
    for (size_t i = 0; i < n; i++) {
        if (nodes[i].capacity == 0 || shares->isolated[i])
            continue;
        shares->load[i] = mean * (double)nodes[i].capacity;
        if ((double)nodes[i].heaviest > shares->load[i]) {
            shares->isolated[i] = true;
            shares->load[i] = (double)nodes[i].heaviest;
            return true;
        }
    }
    return false;
}

static struct shares shares_of(const struct balance_node *nodes, size_t n)
{
    struct shares shares = {0};
    while (isolate_one(nodes, n, &shares))
        ;
    return shares;
}

static bool takes_part(const struct balance_node *node, const struct shares *shares, size_t i)
{
    return node->capacity > 0 && shares->load[i] > 0;
}

/* In permille of its share. */
static double heat(const struct balance_node *nodes, const struct shares *shares, size_t i)
{
    return 1000 * (double)nodes[i].load / shares->load[i];
}

static bool must_begin(const struct balance_node *nodes, size_t n, const struct shares *shares,
                       unsigned begin)
{
    bool hot = false, cold = false, uneven = false;
    for (size_t i = 0; i < n; i++) {
        if (!takes_part(&nodes[i], shares, i))
            continue;
        const double permille = heat(nodes, shares, i);
        hot |= permille > begin;
        cold |= permille < BALANCE_COLD;
        uneven |= permille > BALANCE_EVEN_ENOUGH;
    }
    return uneven && (hot || cold);
}

/* The next after those that were tried; n: none is above the level where to stop. */
static size_t hottest(const struct balance_node *nodes, size_t n, const struct shares *shares,
                      const bool *tried)
{
    size_t best = n;
    double most = BALANCE_EVEN_ENOUGH;
    for (size_t i = 0; i < n; i++) {
        if (tried[i] || !takes_part(&nodes[i], shares, i) || heat(nodes, shares, i) <= most)
            continue;
        most = heat(nodes, shares, i);
        best = i;
    }
    return best;
}

static bool may_take(const struct balance_node *nodes, const struct shares *shares, size_t i)
{
    return !nodes[i].closed && takes_part(&nodes[i], shares, i) && (double)nodes[i].load < shares->load[i];
}

static size_t coldest(const struct balance_node *nodes, size_t n, const struct shares *shares)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (may_take(nodes, shares, i) && (best == n || heat(nodes, shares, i) < heat(nodes, shares, best)))
            best = i;
    return best;
}

/* Nodes of different capacities: the coldest need not be the one with the most room. */
static size_t roomiest(const struct balance_node *nodes, size_t n, const struct shares *shares)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (may_take(nodes, shares, i) && (best == n || shares->load[i] - (double)nodes[i].load >
                                                            shares->load[best] - (double)nodes[best].load))
            best = i;
    return best;
}

static double excess(const struct balance_node *nodes, const struct shares *shares, size_t i)
{
    return (double)nodes[i].load - shares->load[i];
}

/* "Does not overshoot either target", to within what counts as even: rates are measured ones. */
static uint64_t most_movable(const struct balance_node *nodes, const struct shares *shares, size_t from,
                             size_t to)
{
    const double slack = (BALANCE_EVEN_ENOUGH - 1000) / 1000.0;
    const double surplus = excess(nodes, shares, from) + shares->load[from] * slack;
    const double room = shares->load[to] * slack - excess(nodes, shares, to);
    const double most = surplus < room ? surplus : room;
    return most > 0 ? (uint64_t)most : 0;
}

static bool find(const struct balance_node *nodes, const struct shares *shares,
                 const struct balance_index *index, struct balance_move *move)
{
    const uint64_t most = most_movable(nodes, shares, move->from, move->to);
    if (most == 0)
        return false;
    move->binding = index->busiest(index->context, move->from, 1, most, &move->rate);
    return move->binding != NULL;
}

/* The most that may go without `to` becoming as hot as `from` was. */
static double most_by_pair(const struct balance_node *nodes, const struct shares *shares,
                           const struct balance_move *move, double left)
{
    const struct balance_node *from = &nodes[move->from], *to = &nodes[move->to];
    const double ratio = (double)to->capacity / (double)from->capacity;
    const double most = (double)from->load * ratio * 1000 / left - (double)to->load;
    const double others = (double)from->load - (double)from->heaviest;
    /* An elephant stays where it is: the others make room for it. */
    return shares->isolated[move->from] && most > others ? others : most;
}

/* Where nothing fits, bindings being few and large: one whose move still leaves the hotter of the two cooler
 * than the hotter one was, by more than what counts as even; so this comes to an end, too. */
static bool find_lesser_evil(const struct balance_node *nodes, const struct shares *shares,
                             const struct balance_index *index, struct balance_move *move)
{
    const double most = most_by_pair(nodes, shares, move, BALANCE_EVEN_ENOUGH);
    if (most < 1)
        return false;
    move->binding = index->busiest(index->context, move->from, 1, (uint64_t)most, &move->rate);
    return move->binding != NULL;
}

/* What fits is so small that it would take a great many: one that makes `to` no hotter than it leaves `from`,
 * and which `to` passes on in parts. */
static void enlarge(const struct balance_node *nodes, const struct shares *shares,
                    const struct balance_index *index, struct balance_move *move)
{
    const double all = excess(nodes, shares, move->from);
    const double ratio = (double)nodes[move->to].capacity / (double)nodes[move->from].capacity;
    double most = ((double)nodes[move->from].load * ratio - (double)nodes[move->to].load) / (1 + ratio);
    const double by_pair = most_by_pair(nodes, shares, move, 1000);
    if ((double)move->rate * DRIZZLE >= all)
        return;
    most = most < all ? most : all;
    most = most < by_pair ? most : by_pair;
    const uint64_t least = 4 * move->rate;
    uint64_t rate;
    if (most < (double)least)
        return;
    void *larger = index->busiest(index->context, move->from, least, (uint64_t)most, &rate);
    if (larger == NULL)
        return;
    move->binding = larger;
    move->rate = rate;
}

enum balance_result balance_by_rate(const struct balance_node *nodes, size_t n, unsigned begin,
                                    const struct balance_index *index, struct balance_move *move)
{
    bool tried[BALANCE_NODES_MAX] = {false};
    const struct shares shares = shares_of(nodes, n);
    if (!must_begin(nodes, n, &shares, begin))
        return BALANCE_IS_EVEN;
    const size_t cold = coldest(nodes, n, &shares), roomy = roomiest(nodes, n, &shares);
    if (cold == n)
        return BALANCE_IS_STUCK;
    const size_t worst = hottest(nodes, n, &shares, tried);
    for (size_t from = worst; from < n; from = hottest(nodes, n, &shares, tried)) {
        tried[from] = true;
        *move = (struct balance_move){.from = from, .to = cold};
        if (!find(nodes, &shares, index, move)) {
            move->to = roomy;
            if (roomy == cold || !find(nodes, &shares, index, move))
                continue;
        }
        enlarge(nodes, &shares, index, move);
        return BALANCE_MOVE;
    }
    *move = (struct balance_move){.from = worst, .to = cold};
    return find_lesser_evil(nodes, &shares, index, move) ? BALANCE_MOVE : BALANCE_IS_STUCK;
}

/* ---- By numbers ---- */

/* More than its due of `all` bindings; negative: less. */
static double beyond_due(const struct balance_node *node, double all, double capacity)
{
    return (double)node->count - all * (double)node->capacity / capacity;
}

struct sums {
    double count, capacity;
};

static struct sums sum(const struct balance_node *nodes, size_t n)
{
    struct sums sums = {0};
    for (size_t i = 0; i < n; i++) {
        if (nodes[i].capacity == 0)
            continue;
        sums.count += nodes[i].count;
        sums.capacity += (double)nodes[i].capacity;
    }
    return sums;
}

size_t balance_next(const struct balance_node *nodes, size_t n)
{
    const struct sums sums = sum(nodes, n);
    size_t best = n;
    double least = 0;
    for (size_t i = 0; i < n; i++) {
        if (nodes[i].capacity == 0 || nodes[i].closed)
            continue;
        const double s = beyond_due(&nodes[i], sums.count + 1, sums.capacity);
        if (best != n && s >= least)
            continue;
        least = s;
        best = i;
    }
    return best;
}

/* The largest remainder: who has more than its due, and who less, so that a move leaves both nearer to it. */
static bool pick_pair(const struct balance_node *nodes, size_t n, struct balance_move *move)
{
    const struct sums sums = sum(nodes, n);
    double most = 0, least = 0;
    move->from = move->to = n;
    for (size_t i = 0; i < n; i++) {
        if (nodes[i].capacity == 0)
            continue;
        const double s = beyond_due(&nodes[i], sums.count, sums.capacity);
        if (nodes[i].count > 0 && (move->from == n || s > most)) {
            most = s;
            move->from = i;
        }
        if (!nodes[i].closed && (move->to == n || s < least)) {
            least = s;
            move->to = i;
        }
    }
    return move->from < n && move->to < n && most - least > 1.001;
}

/* Neither the idle ones first nor the busy ones: what is typical of the node, so that numbers bring load. */
static bool find_typical(const struct balance_node *node, const struct balance_index *index,
                         struct balance_move *move)
{
    const uint64_t mean = node->load / node->count;
    move->binding = index->busiest(index->context, move->from, 0, mean, &move->rate);
    if (move->binding == NULL)
        move->binding = index->busiest(index->context, move->from, 0, UINT64_MAX, &move->rate);
    return move->binding != NULL;
}

enum balance_result balance_by_count(const struct balance_node *nodes, size_t n,
                                     const struct balance_index *index, struct balance_move *move)
{
    if (!pick_pair(nodes, n, move))
        return BALANCE_IS_EVEN;
    return find_typical(&nodes[move->from], index, move) ? BALANCE_MOVE : BALANCE_IS_STUCK;
}

/* ---- Utilisation ---- */
static uint64_t permille_of(uint64_t part, uint64_t all)
{
    return all == 0 ? 0 : part * 1000 / all;
}

uint32_t balance_utilisation(const struct balance_usage *u)
{
    if (u->capacity_pps == 0 && u->capacity_kbps == 0)
        return 0;
    uint64_t most = u->busiest_permille;
    const uint64_t packets = permille_of(u->pps, u->capacity_pps);
    const uint64_t bits = permille_of(u->kbps, u->capacity_kbps);
    most = packets > most ? packets : most;
    most = bits > most ? bits : most;
    return most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
}
