/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a fuzz target is: LLVMFuzzerTestOneInput, and if it likes fuzz_seed, valid inputs to begin from.
 * libFuzzer drives it when the compiler has one (mutator.c brings the seeds in), standalone.c otherwise.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FUZZ_SEED_MAX = 2048 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes valid input number n and returns its length; 0 beyond the last one. A target without seeds leaves
 * it out. */
size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX]) __attribute__((weak));

/* An assertion that no build type turns off. */
#define fuzz_require(condition)                                                           \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
            abort();                                                                      \
        }                                                                                 \
    } while (0)

static inline size_t fuzz_seed_count(void)
{
    uint8_t out[FUZZ_SEED_MAX];
    size_t n = 0;
    while (fuzz_seed != NULL && fuzz_seed(n, out) > 0)
        n++;
    return n;
}

#endif
