/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is measured, in which order: setups, each with its rows. Setups that can share their bindings follow
 * each other.
 */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "capture.h"
#include "options.h"
#include "rows.h"
#include "run.h"
#include "setup.h"

struct plan_step {
    struct setup setup;
    struct row rows[RUN_ROWS_MAX];
    unsigned n_rows;
};

struct plan {
    struct plan_step *steps;
    unsigned n, room;
};

/* available_mib: memory that there is. NULL: no memory. */
struct plan *plan_create(const struct options *options, const struct capture *capture,
                         unsigned available_mib);
void plan_free(struct plan *plan);
uint32_t plan_most_bindings(const struct plan *plan);
unsigned plan_most_workers(const struct plan *plan);
/* Takes out what cannot be measured here; told is called for each such row. */
void plan_prune(struct plan *plan, unsigned lcores,
                void (*told)(const struct setup *setup, const struct row *row, const char *why));
/* Rows of all steps. */
unsigned plan_rows(const struct plan *plan);

#endif
