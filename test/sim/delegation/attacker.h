/* SPDX-License-Identifier: BSD-3-Clause */
/* Somebody who hears every datagram and may send anything, but knows no key (invariant I7). */
#ifndef SIM_ATTACKER_H
#define SIM_ATTACKER_H

#include "agent.h"
#include "timerq.h"

struct world;
struct flight;
struct mobile;

enum { ATTACKER_HEARD = 64 };

struct attacker {
    struct timer next;
    struct flight *heard[ATTACKER_HEARD]; /* delivered and taken as authentic */
    uint64_t n_heard;
};

void attacker_init(struct world *world);
void attacker_fini(struct world *world);
void attacker_hears(struct world *world, const struct flight *flight);
void attacker_due(struct world *world);
/* Sends an accepted request of that mobile node to the primary again, if there is one. */
void attacker_replays(struct world *world, struct mobile *mobile);

#endif
