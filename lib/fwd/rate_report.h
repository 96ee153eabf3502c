/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How workers tell control what each binding carries: every worker looks at a few of its counters at a
 * time, so that it has seen all of them once in RATE_PERIOD_MS, and puts a report for each that grew into one
 * bounded ring. A million counters never make one long turn.
 *
 * struct rate_sweep belongs to one worker; the ring has many producers and one consumer, control.
 */
#ifndef FWD_RATE_REPORT_H
#define FWD_RATE_REPORT_H

#include <assert.h>
#include <stdint.h>

#include <rte_cycles.h>
#include <rte_ring.h>

#include "tally.h"

enum {
    RATE_PERIOD_MS = 1000,
    RATE_RING = 32768, /* reports */
    RATE_SLICE = 1024, /* counters looked at in one turn, at most: 16 KiB of memory */
    RATE_MOST = 1024,  /* reports of one turn: as many as packets come in it, or sweeps would fall behind */
    RATE_BATCH = 32    /* slots that must be due before any are looked at */
};

struct binding_counter {
    uint64_t tally; /* inner packets, inner bytes */
};

struct rate_report {
    uint32_t slot;
    uint32_t period; /* rate_period of the moment when it was looked at */
    uint64_t grown;  /* the counter's difference since this worker's last report about the slot */
};
static_assert(sizeof(struct rate_report) == 16, "for which rings have a copy of their own");

/* Periods are numbered by the TSC, for all lcores alike. */
static inline uint64_t rate_period_tsc(void)
{
    return rte_get_tsc_hz() * RATE_PERIOD_MS / 1000;
}

static inline uint32_t rate_period(uint64_t tsc)
{
    return (uint32_t)(tsc / rate_period_tsc());
}

struct rate_sweep {
    /* Set by the shell before the first turn. */
    struct rte_ring *ring;                  /* rates_ring(); NULL: nothing is reported */
    const struct binding_counter *counters; /* the worker's */
    struct binding_counter *reported;       /* as many, zero: what of them is in reports */

    /* The sweep's own. Zero: not begun. */
    uint64_t began_tsc; /* beginning of its period */
    uint64_t due_tsc;   /* nothing is to be looked at before */
    uint32_t next, end; /* slots */
};

/* Looks at the slots that are due by now, of the first `used`. Returns how many reports the full ring has
 * refused: their slots are reported with the next sweep, so that nothing is lost. Only a slot that is refused
 * for so long that it grows by more than a difference can say is short by that: two sweeps in a row and more,
 * at 100 Gbit/s of its own (tally.h). */
unsigned rate_sweep_turn(struct rate_sweep *sweep, uint32_t used, uint64_t now_tsc);

#endif
