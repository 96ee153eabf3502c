/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The measuring: the rows of one setup, in turn, so often as there are runs, so that what slows the machine
 * for a while slows all of them. A run is as many laps as take its time, after one that does not count; nor
 * do those during which the kernel let others run on this CPU.
 *
 * Called from the main thread, which is the first lane's lcore.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <stdbool.h>

#include "bench.h"
#include "rows.h"
#include "statistics.h"

enum { RUN_ROWS_MAX = 32, RUN_RUNS_MAX = 999 };

struct result {
    struct setup setup;
    struct row row;
    struct spread cycles; /* for each packet, lookup, change; of a worker in the mean */
    double mpps;          /* millions of them a second, of all workers together */
    double ratio;         /* to the floor of the same setup; 0: it has none */
    double came_out;      /* share of the packets to bound destinations that were forwarded */
    double disturbed;     /* share of the work that does not count, for others ran meanwhile */
    double changes_per_s; /* that the writer made beside; 0: none */
    struct row_extra extra;
};

struct run_wish {
    unsigned runs;
    unsigned run_ms;
    /* After each run; NULL: nothing. */
    void (*progress)(void *context, const struct setup *setup, const struct row *row);
    void *context;
};

/* results: one for each of n rows, none of which has an obstacle. False: why is on stderr. */
bool run_rows(struct bench *bench, const struct row *rows, unsigned n, const struct run_wish *wish,
              struct result *results);

#endif
