/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Synchronisation, the secondary's half (doc/delegation-protocol.md, "Synchronisation"): what was in the
 * table when the request arrived, in datagrams of our own that are each acknowledged. It is a walk through
 * the entries in the order of their coming, which ends before the first that came after the request: so it
 * ends under constant change, and takes no memory but that of the datagrams in flight. An entry that changes
 * meanwhile does so by an operation issued after the request, and is ignored by the primary.
 */
#ifndef AGENT_SECONDARY_SNAPSHOT_H
#define AGENT_SECONDARY_SNAPSHOT_H

#include "secondary/held.h"

/* A SYNC_REQ: acknowledges it, and begins anew unless it is the same one again. */
void snapshot_request(struct agent *agent, struct principal *principal,
                      const struct delegation_header *header, struct delegation_records *records,
                      struct instant now);
/* The entry is about to leave the list. */
void snapshot_pass(struct principal *principal, const struct held *held);
bool snapshot_has_work(const struct principal *principal);
/* False: nothing can be done now. */
bool snapshot_step(struct agent *agent, struct principal *principal, struct instant now);
void snapshot_end(struct agent *agent, struct principal *principal);

#endif
