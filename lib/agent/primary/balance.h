/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arithmetic of balancing (doc/delegation-protocol.md, "Balancing"): from what each node carries and
 * bears, the one binding that should move next, or that none should. Pure: it knows neither bindings nor
 * nodes, but numbers, and asks an index for a binding of a certain rate. The caller accounts each move at
 * once and calls again; so the work of a turn is bounded.
 *
 * Load is in any unit that is the same throughout, a node's capacity in any other.
 */
#ifndef AGENT_PRIMARY_BALANCE_H
#define AGENT_PRIMARY_BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BALANCE_NODES_MAX = 64 };

/* Of the mean, in permille. */
enum {
    BALANCE_HOT = 1100,
    BALANCE_COLD = 950,
    BALANCE_EVEN_ENOUGH = 1030,
    BALANCE_OVERLOADED = 900 /* of utilisation: not to be waited for */
};

struct balance_node {
    uint64_t load;
    uint64_t capacity; /* or weight; 0: no part in it */
    uint64_t heaviest; /* its busiest binding, whether it may move or not */
    uint32_t count;    /* of bindings */
    bool closed;       /* may not be given any now */
};

struct balance_index {
    void *context;
    /* A binding of node n that may move now, with a rate from least to most: the busiest, as far as a bounded
     * search tells. Sets *rate. NULL: none. */
    void *(*busiest)(void *context, size_t n, uint64_t least, uint64_t most, uint64_t *rate);
};

struct balance_move {
    size_t from, to;
    void *binding;
    uint64_t rate;
};

enum balance_result {
    BALANCE_MOVE,
    BALANCE_IS_EVEN, /* nothing to be done */
    BALANCE_IS_STUCK /* uneven, but no binding that may move now would mend it */
};

/* By rates. A run begins when some node is above `begin` permille of its share of the load, or one is cold;
 * once begun it goes on, begin being BALANCE_EVEN_ENOUGH, until none is above that. A node whose busiest
 * binding alone exceeds its share is to carry that one and nothing else; the others share the rest. */
enum balance_result balance_by_rate(const struct balance_node *nodes, size_t n, unsigned begin,
                                    const struct balance_index *index, struct balance_move *move);

/* By numbers: each node's share of all bindings by its capacity, to within one binding. */
enum balance_result balance_by_count(const struct balance_node *nodes, size_t n,
                                     const struct balance_index *index, struct balance_move *move);
/* Who gets the next binding, by numbers; n: nobody. */
size_t balance_next(const struct balance_node *nodes, size_t n);

/* What a node bears and carries; a capacity of 0 is not known. */
struct balance_usage {
    uint64_t pps, kbps;
    uint64_t capacity_pps, capacity_kbps;
    uint16_t busiest_permille; /* of the busiest lcore's time */
};
/* The largest of packets and bits by capacity, and the busiest lcore; 0: no capacity is known. */
uint32_t balance_utilisation(const struct balance_usage *usage);

#endif
