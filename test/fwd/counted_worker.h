/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker as it is, that says how often it took the express way out of a reverse tunnel. */
#ifndef TEST_FWD_COUNTED_WORKER_H
#define TEST_FWD_COUNTED_WORKER_H

#include "worker.h"

struct counted_reverse {
    unsigned ipv4, ipv6;
};
extern struct counted_reverse counted_reverse;

void counted_burst(struct worker *w, unsigned port_index, struct rte_mbuf **frames, unsigned n);
unsigned counted_turn(struct worker *w);
void counted_start(struct worker *w);
void counted_offline(struct worker *w);
void counted_online(struct worker *w);

#endif
