/* SPDX-License-Identifier: BSD-3-Clause */
/* What was measured, for people, and for programs. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdio.h>

#include "machine.h"
#include "run.h"

void report_machine(FILE *to, const struct machine *machine, const struct run_wish *wish);
/* The n > 0 results of one setup. */
void report_setup(FILE *to, const struct result *results, unsigned n);
/* All results of all setups. */
void report_json(FILE *to, const struct machine *machine, const struct run_wish *wish,
                 const struct result *results, unsigned n);

#endif
