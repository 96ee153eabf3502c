/* SPDX-License-Identifier: BSD-3-Clause */
#include "adjacency.h"

#include <assert.h>

#include <rte_malloc.h>

struct adjacencies *adjacencies_create(uint32_t capacity)
{
    struct adjacencies *adjacencies = rte_zmalloc(
        "adjacencies", sizeof(*adjacencies) + capacity * sizeof(adjacencies->at[0]), RTE_CACHE_LINE_SIZE);
    if (adjacencies != NULL)
        adjacencies->capacity = capacity;
    return adjacencies;
}

void adjacencies_destroy(struct adjacencies *adjacencies)
{
    rte_free(adjacencies);
}

static void store(struct adjacencies *adjacencies, uint32_t index, adjacency_word word)
{
    assert(index != ADJACENCY_NONE && index < adjacencies->capacity);
    __atomic_store_n((adjacency_word *)&adjacencies->at[index], word, __ATOMIC_RELEASE);
    __atomic_store_n(&adjacencies->changes, adjacencies->changes + 1, __ATOMIC_RELEASE);
}

void adjacency_publish(struct adjacencies *adjacencies, uint32_t index, uint8_t port_index,
                       const struct mac *mac)
{
    assert(port_index <= 0x7f); /* bit 7 would fall on ADJACENCY_VALID's neighbours */
    adjacency_word word = port_index;
    for (int i = 0; i < 6; i++)
        word = word << 8 | mac->b[i];
    store(adjacencies, index, word | ADJACENCY_VALID);
}

void adjacency_withdraw(struct adjacencies *adjacencies, uint32_t index)
{
    store(adjacencies, index, 0);
}
