/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers that spread things out and are repeatable from a seed (SplitMix64). Never for secrets: those come
 * from an HMAC or the kernel.
 *
 * Pure; any thread that owns the state.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

/* Any state is a good one. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

#endif
