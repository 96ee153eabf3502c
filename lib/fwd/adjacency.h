/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a frame goes next: port and MAC address of a next hop, one 8-byte word each, so that workers read a
 * whole one while control replaces it. Entries of the binding table name an adjacency by its index. How often
 * any of them was written tells a worker whether what it has made of them is still good.
 *
 * Written by control alone, with release; read by every worker.
 */
#ifndef FWD_ADJACENCY_H
#define FWD_ADJACENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

enum { ADJACENCY_NONE = 0 }; /* never resolved; index 0 is given to nobody */

/* 0: not resolved. Else ADJACENCY_VALID | port index << 48 | MAC address. */
typedef uint64_t adjacency_word;
#define ADJACENCY_VALID (UINT64_C(1) << 63)

struct adjacencies {
    uint32_t capacity;
    uint32_t changes; /* adjacency_changes */
    _Atomic adjacency_word at[];
};

struct adjacencies *adjacencies_create(uint32_t capacity);
void adjacencies_destroy(struct adjacencies *adjacencies);
void adjacency_publish(struct adjacencies *adjacencies, uint32_t index, uint8_t port_index,
                       const struct mac *mac);
void adjacency_withdraw(struct adjacencies *adjacencies, uint32_t index);

static inline adjacency_word adjacency_read(const struct adjacencies *adjacencies, uint32_t index)
{
    return __atomic_load_n((const adjacency_word *)&adjacencies->at[index], __ATOMIC_ACQUIRE);
}

/* Modulo 2^32. All that was written before the last of them is read by who reads this first. */
static inline uint32_t adjacency_changes(const struct adjacencies *adjacencies)
{
    return __atomic_load_n(&adjacencies->changes, __ATOMIC_ACQUIRE);
}

static inline unsigned adjacency_port(adjacency_word word)
{
    return (unsigned)(word >> 48) & 0x7f;
}

/* Writes the 6 bytes of the MAC address. */
static inline void adjacency_mac(adjacency_word word, uint8_t mac[static 6])
{
    for (int i = 5; i >= 0; i--, word >>= 8)
        mac[i] = (uint8_t)word;
}

#endif
