/* SPDX-License-Identifier: BSD-3-Clause */
/* Which seeds a simulation runs: some in a row, single ones before them, or new ones for a while. */
#ifndef SIM_SEEDS_H
#define SIM_SEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEEDS_ALSO = 64 };

struct seeds {
    uint64_t from, n;
    uint64_t also[SEEDS_ALSO];
    size_t n_also;
    double soak_s; /* 0: n of them */
    bool one;      /* exactly from */
    uint64_t n_given;
    double began_s;
};

/* n, from one on that the clock gives. */
struct seeds seeds_fresh(uint64_t n);
/*
 *     --scenarios N   N of them
 *     --from N        from that one on
 *     --also N        that one before; any number of times
 *     --soak MINUTES  from there on until then
 *     --seed N        exactly that one
 *
 * False: another option.
 */
bool seeds_option(struct seeds *seeds, const char *name, const char *value);
/* False: that was all. */
bool seeds_next(struct seeds *seeds, uint64_t *seed);

#endif
