/* SPDX-License-Identifier: BSD-3-Clause */
/* One line on standard error that says how far the measuring is; nothing where that is no terminal. */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "rows.h"

struct progress {
    bool shown;        /* there is a terminal */
    unsigned done, of; /* runs */
};

struct progress progress_begin(unsigned runs);
/* Bindings are made: that takes a while, too. */
void progress_filling(struct progress *progress, uint32_t bindings);
/* Another run is done: a run_wish's progress. */
void progress_step(void *progress, const struct setup *setup, const struct row *row);
/* Makes room for what is to be printed. */
void progress_clear(struct progress *progress);

#endif
