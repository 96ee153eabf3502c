/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet counts and rates per binding: what the workers reported of a slot, and what their counters grew by,
 * since the slot was given to its present address. Control takes the workers' reports out of the ring, a
 * bounded number each turn.
 *
 * Control's alone; it reads the workers' counters with relaxed loads and never writes them.
 */
#ifndef FWD_RATE_H
#define FWD_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rate_report.h"
#include "worker.h"

struct rates;

/* name: of the ring, unique in the process. NULL with rte_errno. */
struct rates *rates_create(const char *name, uint32_t slots, int socket);
void rates_destroy(struct rates *rates);
/* Where workers put their reports. */
struct rte_ring *rates_ring(const struct rates *rates);
/* Takes in at most budget reports, and the time with them: call it every turn. Returns how many there were.
 */
size_t rates_collect(struct rates *rates, uint64_t now_tsc, size_t budget);

struct rate_view {
    uint32_t slot;
    uint32_t pps, kbps;      /* in the last whole period: inner packets, inner bits */
    uint64_t packets, bytes; /* as reported, since the slot was forgotten last */
};
/* Once a period each slot that had traffic lately, and once more, with rates of 0, when it has fallen silent.
 * False: none left in this period, *out is untouched. */
bool rates_next(struct rates *rates, struct rate_view *out);

/* Packets per second of a slot in the last whole period. */
uint64_t rates_pps(const struct rates *rates, uint32_t slot);

struct rate_total {
    uint64_t packets, bytes; /* inner packets, inner bytes */
};
/* All workers together, this moment, since the slot was forgotten last. workers, here and below: all that
 * report here, and whose counters were zero before. Exact as long as what they have counted of the slot and
 * control has not taken in is within the bounds of one difference (tally.h). */
struct rate_total rates_total(const struct rates *rates, uint32_t slot, struct worker *const *workers,
                              unsigned n_workers);
/* Counts a slot from zero: it was given to another address. What workers have counted for the former one and
 * not reported yet is taken off what they will report. */
void rates_forget(struct rates *rates, uint32_t slot, struct worker *const *workers, unsigned n_workers);

#endif
