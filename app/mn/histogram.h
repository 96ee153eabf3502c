/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A histogram of durations: 32 steps to each power of two, so that a percentile is at most 3 % too high. It
 * allocates nothing. One owner thread.
 */
#ifndef MN_HISTOGRAM_H
#define MN_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 32, HISTOGRAM_BUCKETS = 60 * HISTOGRAM_STEPS };

/* Zero-initialised: empty. */
struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t max;
};

void histogram_add(struct histogram *h, uint64_t value);
/* The least value that at least `percent` of all do not exceed, rounded up to its step; 0 when empty. */
uint64_t histogram_percentile(const struct histogram *h, unsigned percent);

#endif
