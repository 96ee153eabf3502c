/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Synchronisation, the primary's half: whether a secondary's table is what we think it is, and after a
 * restart without a store, what bindings there are at all (doc/delegation-protocol.md, "Synchronisation").
 */
#ifndef AGENT_PRIMARY_RESYNC_H
#define AGENT_PRIMARY_RESYNC_H

#include "node.h"

/* Asks for everything. Also sends the session's first datagram. False: no memory. */
bool resync_begin(struct agent *agent, struct node *node, struct instant now);
/* The node's table digest came with a LOAD: compares; two mismatches with nothing in flight start a
 * synchronisation. */
void resync_compare(struct agent *agent, struct node *node, uint64_t digest, struct instant now);
/* SYNC_ACK, SYNC_DATA. */
void resync_receive(struct agent *agent, struct node *node, const struct delegation_header *header,
                    struct delegation_records *records, struct instant now);
/* The session ended. */
void resync_abandon(struct agent *agent, struct node *node);
/* One step of a walk over the bindings (digests to be computed, missing entries to be started). False: none
 * is under way. */
bool resync_step(struct agent *agent, struct node *node, struct instant now);
bool resync_has_work(const struct node *node);
bool resync_is_over(const struct node *node); /* of this session's first one */

#endif
