/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers that follow Zipf's law with exponent 1: rank k comes 1/k as often as rank 1. By inversion of the
 * integral of 1/x, with rejection of what its steps have too much (Hörmann and Derflinger, 1996): no table,
 * so millions of ranks cost nothing.
 *
 * A generator's state is its owner's.
 */
#ifndef BENCH_ZIPF_H
#define BENCH_ZIPF_H

#include "random.h"

static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)((random_next(state) >> 32) * n >> 32);
}

struct zipf {
    uint32_t n;
    double low, high; /* of the integral */
    double sure;      /* so near to its rank, a point is never rejected */
};

struct zipf zipf_begin(uint32_t n);
/* From 0, the most frequent one, to n - 1. */
uint32_t zipf_next(const struct zipf *zipf, uint64_t *state);

#endif
