/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker knows of the packets of one burst while they pass its stages, an array for each thing. Of
 * the worker alone (stream.h and what it is made of).
 */
#ifndef FWD_BURST_H
#define FWD_BURST_H

#include "pkt.h"
#include "worker.h"

struct burst {
    struct worker *w;
    struct worker_ways *ways; /* this and bindings are of w */
    struct binding_counter *bindings;
    const struct worker_settings *settings;
    uint16_t id_step; /* from one of a worker's identifications to its next */
    unsigned port_index;
    unsigned n;
    struct rte_mbuf *frame[WORKER_BURST];

    const struct cuckoo *cuckoo;
    uint64_t odd;     /* bits of the packets that express.h has not parsed: they are in pkt and verdict */
    uint64_t ipv6;    /* of those that it has, and IPv6 */
    uint64_t version; /* of the table's hash, before it was searched */
    uint32_t tag[WORKER_BURST]; /* of what is looked up; of others any */
    struct cuckoo_pair pair[WORKER_BURST];
    const struct entry *entry[WORKER_BURST]; /* of what is looked up: found, then proved; then NULL: a miss */
    struct pkt pkt[WORKER_BURST];
    enum verdict verdict[WORKER_BURST]; /* VERDICT_COUNT (PKT_LOOK_UP) until it is decided */
    uint8_t exit[WORKER_BURST];         /* port by which a frame leaves that is forwarded */
    uint32_t next_hop[WORKER_BURST];    /* the adjacency that PUNT_RESOLVE waits for */

    unsigned n_aside; /* packets that may be of a reverse tunnel */
    uint8_t aside[WORKER_BURST];
    uint64_t unread;       /* bits of those of them that express.h has put aside */
    struct entry by_route; /* stands for what a packet is sent by that no entry is for */

    struct binding_counter *counter[WORKER_BURST]; /* counts the packet when it has come from memory */
    uint32_t counted[WORKER_BURST];                /* the size that it counts */
    struct binding_counter nobodys;                /* where packets of no binding are counted */

    unsigned n_dropped; /* freed when all the others are sent */
    struct rte_mbuf *dropped[WORKER_BURST];
};
static_assert((int)VERDICT_COUNT <= UINT8_MAX, "a verdict fits into a byte");
static_assert((int)WORKER_BURST <= (int)CUCKOO_BURST, "a burst is looked up at once");

/* A packet of no binding. */
static inline void burst_count_nobodys(struct burst *b, unsigned i)
{
    b->counter[i] = &b->nobodys;
    b->counted[i] = 0;
}

/* A whole packet of the burst ends here. */
static inline void burst_drop(struct burst *b, struct rte_mbuf *frame, enum verdict verdict)
{
    b->dropped[b->n_dropped++] = frame;
    b->w->counters.verdict[verdict]++;
}

#endif
