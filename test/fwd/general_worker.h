/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker whose express way is closed, for tests: worker.h once more, under other names. */
#ifndef TEST_FWD_GENERAL_WORKER_H
#define TEST_FWD_GENERAL_WORKER_H

#include "worker.h"

void general_burst(struct worker *w, unsigned port_index, struct rte_mbuf **frames, unsigned n);
unsigned general_turn(struct worker *w);
void general_start(struct worker *w);
void general_offline(struct worker *w);
void general_online(struct worker *w);

#endif
