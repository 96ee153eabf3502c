/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A drawing of cycles over the number of bindings, a line for each row, made by gnuplot: of the setups that
 * are like the first one in all but the bindings.
 */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include <stdbool.h>

#include "run.h"

/* False: why is on stderr. */
bool plot_svg(const char *path, const struct result *results, unsigned n);

#endif
