/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet counts and rates per binding: what the workers' counters of a slot grew by since the slot was given
 * to its present address, and lately. Control looks at a slice of the slots each turn, so that a million
 * bindings never cost one long turn.
 *
 * Control's alone; it reads the workers' counters with relaxed loads and never writes them.
 */
#ifndef FWD_RATE_H
#define FWD_RATE_H

#include <stddef.h>
#include <stdint.h>

#include "worker.h"

struct rates;

enum {
    RATE_PERIOD_MS = 1000
}; /* every slot is looked at once in this time, if slices are asked for often enough */

struct rates *rates_create(uint32_t slots);
void rates_destroy(struct rates *rates);
/* Looks at the next slots that are due, at most budget of them. */
void rates_sample(struct rates *rates, struct worker *const *workers, unsigned n_workers, uint64_t now_ns,
                  size_t budget);
/* Packets per second of a slot over the last RATE_PERIOD_MS or so. */
uint64_t rates_pps(const struct rates *rates, uint32_t slot);
/* All workers together, since the slot was forgotten last. */
struct binding_counter rates_total(const struct rates *rates, uint32_t slot, struct worker *const *workers,
                                   unsigned n_workers);
/* Counts a slot from zero: it was given to another address. */
void rates_forget(struct rates *rates, uint32_t slot, struct worker *const *workers, unsigned n_workers);

#endif
