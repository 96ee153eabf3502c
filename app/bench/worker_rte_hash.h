/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The daemon's own worker, compiled once more on the table's peer: what differs between the two in a figure
 * is the table alone. Used as those of worker.h.
 */
#ifndef BENCH_WORKER_RTE_HASH_H
#define BENCH_WORKER_RTE_HASH_H

#include "worker.h"

void peer_worker_start(struct worker *w);
unsigned peer_worker_turn(struct worker *w);
void peer_worker_burst(struct worker *w, unsigned port_index, struct rte_mbuf **frames, unsigned n);
void peer_worker_offline(struct worker *w);
void peer_worker_online(struct worker *w);

#endif
