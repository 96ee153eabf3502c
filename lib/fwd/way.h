/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ways: by which port and with which Ethernet header frames leave for a next hop. Those lately taken are kept
 * ready made in the worker, by the lowest bits of the adjacency's number. They are good while control changes
 * none of the adjacencies, which is asked each time a burst has been looked up.
 *
 * Of the worker alone.
 */
#ifndef FWD_WAY_H
#define FWD_WAY_H

#include <rte_branch_prediction.h>

#include "worker.h"

/* The number of no adjacency. */
#define WAY_UNMADE UINT32_MAX

/* 0: not resolved. */
static inline adjacency_word way_by(const struct worker *w, uint32_t adjacency)
{
    adjacency_word way = adjacency_read(w->adjacencies, adjacency);
    return (way & ADJACENCY_VALID) != 0 && adjacency_port(way) < w->n_ports ? way : 0;
}

static inline struct worker_way *way_place(struct worker_ways *ways, enum pkt_family family,
                                           uint32_t adjacency)
{
    return &ways->at[family == PKT_IPV6][adjacency % WORKER_WAYS];
}

static inline void way_unmake_all(struct worker_ways *ways)
{
    for (uint32_t i = 0; i < WORKER_WAYS; i++)
        way_place(ways, PKT_IPV4, i)->adjacency = way_place(ways, PKT_IPV6, i)->adjacency = WAY_UNMADE;
}

/* None is made. */
static inline void way_begin(struct worker_ways *ways, struct worker *w)
{
    ways->worker = w;
    ways->changes = adjacency_changes(w->adjacencies);
    way_unmake_all(ways);
}

/* After the lookup that names the adjacencies, before way_of is asked: what was made of an adjacency before
 * it went to another next hop is not taken for that one's. Later changes are seen by the next burst. */
static inline void way_renew_all(struct worker_ways *ways)
{
    const uint32_t changes = adjacency_changes(ways->worker->adjacencies);
    if (likely(changes == ways->changes))
        return;
    way_unmake_all(ways);
    ways->changes = changes;
}

static __rte_noinline const struct worker_way *way_make(struct worker_ways *ways, enum pkt_family family,
                                                        uint32_t adjacency)
{
    struct worker *w = ways->worker;
    adjacency_word word = way_by(w, adjacency);
    if (word == 0)
        return NULL;
    struct worker_way *way = way_place(ways, family, adjacency);
    way->adjacency = adjacency;
    way->port_index = adjacency_port(word);
    way->tx = &w->tx[way->port_index];
    ethernet_write(way->header, &w->port[way->port_index].mac, word, pkt_ethertype(family));
    return way;
}

/* Of frames of that family. NULL: not resolved. */
static inline const struct worker_way *way_of(struct worker_ways *ways, enum pkt_family family,
                                              uint32_t adjacency)
{
    const struct worker_way *way = way_place(ways, family, adjacency);
    return likely(way->adjacency == adjacency) ? way : way_make(ways, family, adjacency);
}

#endif
