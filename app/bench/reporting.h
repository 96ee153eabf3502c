/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What it costs a worker to report every binding's packets once a second through the shared ring, while
 * control takes them out. The worker's sweep goes by the clock; here it is given one that stands still
 * between laps, so that the reports of a second fall on a second of packets.
 *
 * open and close: main thread; begin, lap and restore: the lane's lcore; collect: the spare lcore.
 */
#ifndef BENCH_REPORTING_H
#define BENCH_REPORTING_H

#include "bench.h"
#include "rows.h"

bool reporting_open(struct bench *bench);
void reporting_close(struct bench *bench);
/* Every binding has had packets since it was reported last. */
void reporting_begin(struct lane *lane);
unsigned reporting_lap(struct lane *lane);
/* Forgets the lap's turns if others ran during it. */
void reporting_restore(struct lane *lane);
int reporting_collect(void *bench);
void reporting_tell(const struct bench *bench, struct row_extra *extra);

#endif
