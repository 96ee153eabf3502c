/* SPDX-License-Identifier: BSD-3-Clause */
#include "floor.h"

#include <rte_prefetch.h>

#include "floor_packet.h"

enum { AHEAD = 12 };

/* What the loops need, in registers. */
struct laps {
    struct floor floor;
    struct rte_mbuf **frames;
    const uint32_t *number;
};

static struct laps laps_of(const struct lane *lane)
{
    struct laps l = {
        .floor = floor_from(&lane->traffic->port, tunnel_family_outside(lane->setup->encapsulation)),
        .frames = lane->frames,
        .number = lane->number,
    };
    l.floor.entries = lane->population->entries;
    l.floor.counters = lane->counters;
    l.floor.adjacencies = lane->population->adjacencies;
    return l;
}

/* ---- What is fetched beforehand ---- */

static inline void prefetch_first(const struct laps *l, unsigned k)
{
    rte_prefetch0(l->frames[k]);
    rte_prefetch0(&l->floor.entries[l->number[k]]);
}

/* The lines that are known once those of the first stage are there. */
static inline void prefetch_second(const struct laps *l, unsigned k)
{
    const uint8_t *data = rte_pktmbuf_mtod(l->frames[k], const uint8_t *);
    rte_prefetch0(data);
    rte_prefetch0(data - FLOOR_FRONT);
    rte_prefetch0(&l->floor.counters[l->floor.entries[l->number[k]].slot]);
}

/* ---- Laps ---- */

static inline __attribute__((always_inline)) void staged_burst(const struct laps *l, unsigned from,
                                                               unsigned to, enum encapsulation how)
{
    for (unsigned k = from; k < to; k++)
        prefetch_first(l, k);
    for (unsigned k = from; k < to; k++)
        prefetch_second(l, k);
    for (unsigned k = from; k < to; k++)
        floor_encapsulate(&l->floor, l->frames[k], l->number[k], how);
}

static inline __attribute__((always_inline)) unsigned staged(struct laps l, unsigned n, unsigned burst,
                                                             enum encapsulation how)
{
    for (unsigned k = 0; k < n; k += burst)
        staged_burst(&l, k, RTE_MIN(k + burst, n), how);
    return n;
}

static inline __attribute__((always_inline)) unsigned rolling(struct laps l, unsigned n,
                                                              enum encapsulation how)
{
    for (unsigned k = 0; k < RTE_MIN(2U * AHEAD, n); k++)
        prefetch_first(&l, k);
    for (unsigned k = 0; k < RTE_MIN((unsigned)AHEAD, n); k++)
        prefetch_second(&l, k);
    for (unsigned k = 0; k < n; k++) {
        if (k + 2 * AHEAD < n)
            prefetch_first(&l, k + 2 * AHEAD);
        if (k + AHEAD < n)
            prefetch_second(&l, k + AHEAD);
        floor_encapsulate(&l.floor, l.frames[k], l.number[k], how);
    }
    return n;
}

/* A loop of its own for each encapsulation. */
unsigned floor_staged(struct lane *lane)
{
    switch (lane->setup->encapsulation) {
#define X(name, number, text, bytes) \
    case ENCAPSULATION_##name:       \
        return staged(laps_of(lane), lane->work, lane->setup->burst, ENCAPSULATION_##name);
        ENCAPSULATIONS(X)
#undef X
    }
    return 0;
}

unsigned floor_rolling(struct lane *lane)
{
    switch (lane->setup->encapsulation) {
#define X(name, number, text, bytes) \
    case ENCAPSULATION_##name:       \
        return rolling(laps_of(lane), lane->work, ENCAPSULATION_##name);
        ENCAPSULATIONS(X)
#undef X
    }
    return 0;
}
