/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CRC-32C from 0 on, of words, by the processor's own instruction. DPDK's rte_hash_crc asks at each call by
 * what it may be made; here that is known when this is compiled, and where it is not, DPDK's serves.
 *
 * Pure functions; any thread.
 */
#ifndef FWD_CRC32C_H
#define FWD_CRC32C_H

#include <stdint.h>

#if defined(__SSE4_2__) && defined(__x86_64__)
#include <nmmintrin.h>

static inline uint32_t crc32c_4(uint32_t word)
{
    return _mm_crc32_u32(0, word);
}

static inline uint32_t crc32c_16(const uint64_t half[static 2])
{
    return (uint32_t)_mm_crc32_u64(_mm_crc32_u64(0, half[0]), half[1]);
}
#else
#include <rte_hash_crc.h>

static inline uint32_t crc32c_4(uint32_t word)
{
    return rte_hash_crc_4byte(word, 0);
}

static inline uint32_t crc32c_16(const uint64_t half[static 2])
{
    return rte_hash_crc_8byte(half[1], rte_hash_crc_8byte(half[0], 0));
}
#endif

#endif
