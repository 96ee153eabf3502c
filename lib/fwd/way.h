/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ways: by which port and with which Ethernet header frames leave for a next hop. Those lately taken are kept
 * ready made in the worker, by the lowest bits of the adjacency's number; one is good while the adjacency
 * says what it was made of, so what control changes counts at once.
 *
 * Of the worker alone.
 */
#ifndef FWD_WAY_H
#define FWD_WAY_H

#include <rte_branch_prediction.h>

#include "worker.h"

/* What no adjacency says: made of nothing. */
#define WAY_UNMADE ((adjacency_word)1)

/* 0: not resolved. */
static inline adjacency_word way_by(const struct worker *w, uint32_t adjacency)
{
    adjacency_word way = adjacency_read(w->adjacencies, adjacency);
    return (way & ADJACENCY_VALID) != 0 && adjacency_port(way) < w->n_ports ? way : 0;
}

static inline struct worker_way *way_place(struct worker *w, enum pkt_family family, uint32_t adjacency)
{
    return &w->ways[family == PKT_IPV6][adjacency % WORKER_WAYS];
}

static inline void way_unmake_all(struct worker *w)
{
    for (uint32_t i = 0; i < WORKER_WAYS; i++)
        way_place(w, PKT_IPV4, i)->word = way_place(w, PKT_IPV6, i)->word = WAY_UNMADE;
}

static __rte_noinline const struct worker_way *way_make(struct worker *w, enum pkt_family family,
                                                        uint32_t adjacency)
{
    adjacency_word word = way_by(w, adjacency);
    if (word == 0)
        return NULL;
    struct worker_way *way = way_place(w, family, adjacency);
    way->word = word;
    way->tx = &w->tx[adjacency_port(word)];
    ethernet_write(way->header, &w->port[adjacency_port(word)].mac, word, pkt_ethertype(family));
    return way;
}

/* Of frames of that family. NULL: not resolved. */
static inline const struct worker_way *way_of(struct worker *w, enum pkt_family family, uint32_t adjacency)
{
    const struct worker_way *way = way_place(w, family, adjacency);
    return likely(way->word == adjacency_read(w->adjacencies, adjacency)) ? way
                                                                          : way_make(w, family, adjacency);
}

#endif
