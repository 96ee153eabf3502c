/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ESP between the primary and each of its secondaries, where the world has it, and an ear that knows the
 * keys: what is judged is what is inside. Sequence numbers of ESP are not judged, as with keys that outlive
 * restarts (RFC 4303 section 3.4.3): what comes again, or in another order, is the session's to find out.
 */
#ifndef SIM_PROTECTION_H
#define SIM_PROTECTION_H

#include "agent.h"

struct world;
struct appliance;
struct esp;

enum { PROTECTION_SECONDARIES = 8 };

struct protection {
    struct esp *up[PROTECTION_SECONDARIES]; /* from that node to the primary; NULL: in clear */
    struct esp *down[PROTECTION_SECONDARIES];
};

void protection_init(struct world *world);
void protection_fini(struct world *world);
/* What node is to know of it; secondary is itself or its peer. */
void protection_configure(const struct appliance *node, const struct appliance *secondary,
                          struct agent_peer *peer);
/* The delegation datagram in what was sent; inner has room for any. False: it is not protected as it should
 * be. */
bool protection_open(struct world *world, size_t from, size_t to, const struct message *sent,
                     struct message *inner);

#endif
