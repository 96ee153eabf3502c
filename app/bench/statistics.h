/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told of several measurements of one thing. Pure functions. */
#ifndef BENCH_STATISTICS_H
#define BENCH_STATISTICS_H

#include <stddef.h>

struct spread {
    double median, min, max;
};

/* Sorts the n > 0 samples. */
struct spread spread_of(double *samples, size_t n);
/* Of n > 0 samples. */
double mean_of(const double *samples, size_t n);
/* Of n > 0 sorted ones, the least that at least `share` (0 to 1) of all do not exceed. */
double quantile_of(const double *sorted, size_t n, double share);

#endif
