/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold (doc/delegation-protocol.md, "Invariants"); each check leaves by world_violates. */
#ifndef SIM_INVARIANTS_H
#define SIM_INVARIANTS_H

#include "agent.h"

struct world;
struct appliance;
struct mobile;
struct cached;
struct flight;

/* After an event at node: I5, I6, I8; all mobile nodes where they are few, else some of them in turn. */
void invariants_check(struct world *world, const struct appliance *node);
/* I3 and I4, where a packet to mobile goes through the entry of node. */
void invariants_forwarded(struct world *world, const struct mobile *mobile, const struct appliance *node);
/* I3, where a packet finds no entry at the node that a neighbour cache names. */
void invariants_not_forwarded(struct world *world, const struct mobile *mobile, const struct appliance *node,
                              const struct cached *cached);
/* Its binding is in its last second, or there is none. */
bool invariants_is_about_to_end(const struct mobile *mobile);
/* I4: for how long that was under way it may be late. */
void invariants_arrived(struct world *world, const struct flight *flight);
/* An acknowledgement on the wire: I1. */
void invariants_acknowledged(struct world *world, const struct appliance *from,
                             const struct message *message);
void invariants_init(struct world *world);
void invariants_fini(struct world *world);
/* NULL: everything has come to rest and agrees (I2 among it); else what has not. */
const char *invariants_unquiet(struct world *world);
/* All that may not be changed by a stranger, as one number. */
uint64_t invariants_fingerprint(const struct appliance *node);

#endif
