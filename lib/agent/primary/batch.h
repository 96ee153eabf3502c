/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operations on their way to a node: queues by order of sending, and batches, each a transaction that bears
 * STARTs or STOPs. A batch lists its holdings; what is superseded leaves it, and a retransmission is built
 * anew from those that are left (doc/delegation-protocol.md, principle 1).
 */
#ifndef AGENT_PRIMARY_BATCH_H
#define AGENT_PRIMARY_BATCH_H

#include "operation.h"

enum {
    START_TRIES = 4,
    BATCH_URGENT_MS = 1, /* how long a datagram may wait for more */
    BATCH_MS = 5,
    BATCH_AGAIN_MS = 20, /* what an answer left out */
    BATCH_FULL = (DELEGATION_MAX - DELEGATION_HEADER - DELEGATION_AUTHENTICATOR) / DELEGATION_START_SIZE,
    BATCH_SEND_AT_ONCE = 4 /* datagrams of one step */
};

/* It waits to be sent, in the queue of its order. */
void batch_enqueue(struct agent *agent, struct holding *holding, struct instant now);
/* Out of its queue, or of the batch that bears it. Before its wish or order is changed. */
void batch_withdraw(struct agent *agent, struct holding *holding);
/* The node's queue is to be looked at by then. */
void batch_schedule(struct agent *agent, struct node *node, uint64_t at_ns);

#endif
