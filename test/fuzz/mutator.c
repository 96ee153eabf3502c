/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lets libFuzzer start from a target's own seeds: now and then an input is replaced by one before it is
 * mutated; what that reaches, libFuzzer keeps in its corpus.
 */
#include "fuzz.h"

#include <string.h>

enum { ONE_IN = 64 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    size_t seeds = fuzz_seed_count();
    if (seeds > 0 && seed % ONE_IN == 0) {
        uint8_t bytes[FUZZ_SEED_MAX];
        size_t len = fuzz_seed(seed / ONE_IN % seeds, bytes);
        size = len < max_size ? len : max_size;
        memcpy(data, bytes, size);
    }
    return LLVMFuzzerMutate(data, size, max_size);
}
