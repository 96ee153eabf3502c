/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether a secondary lives, hears us and makes progress, and what that allows: its lease, and the count
 * until it is dead for certain (doc/delegation-protocol.md, "Timers, flow control, liveness").
 *
 * All times are monotonic nanoseconds.
 */
#ifndef AGENT_PRIMARY_LIVENESS_H
#define AGENT_PRIMARY_LIVENESS_H

#include "node.h"

/* A node has been configured. What it holds from before our start may intercept until a count from then is
 * over [S]. False: out of memory. */
bool liveness_create(struct agent *agent, struct node *node) __attribute__((warn_unused_result));
void liveness_destroy(struct agent *agent, struct node *node);
void liveness_session_began(struct agent *agent, struct node *node, struct instant now);
/* A KEEPALIVE came: takes in its LOAD, and answers it. */
void liveness_keepalive(struct agent *agent, struct node *node, const struct delegation_header *header,
                        const struct delegation_load *load, struct instant now);

#endif
