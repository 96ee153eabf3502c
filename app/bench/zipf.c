/* SPDX-License-Identifier: BSD-3-Clause */
#include "zipf.h"

#include <math.h>

struct zipf zipf_begin(uint32_t n)
{
    return (struct zipf){
        .n = n,
        .low = log(1.5) - 1,
        .high = log(n + 0.5),
        .sure = 2 - exp(log(2.5) - 0.5),
    };
}

static double uniform(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

uint32_t zipf_next(const struct zipf *z, uint64_t *state)
{
    for (;;) {
        double u = z->high + uniform(state) * (z->low - z->high);
        double x = exp(u);
        double rank = floor(x + 0.5);
        if (rank < 1)
            rank = 1;
        if (rank > z->n)
            rank = z->n;
        if (rank - x <= z->sure || u >= log(rank + 0.5) - 1 / rank)
            return (uint32_t)rank - 1;
    }
}
