/* SPDX-License-Identifier: BSD-3-Clause */
/* What DPDK's heaps have given out: the difference before and after something is made is what it takes. Any
 * thread. */
#ifndef FWD_HEAP_H
#define FWD_HEAP_H

#include <stddef.h>

#include <rte_lcore.h>
#include <rte_malloc.h>

/* Bytes, of all sockets. */
static inline size_t heap_in_use(void)
{
    size_t sum = 0;
    for (unsigned i = 0; i < rte_socket_count(); i++) {
        struct rte_malloc_socket_stats stats;
        if (rte_malloc_get_socket_stats(rte_socket_id_by_idx(i), &stats) == 0)
            sum += stats.heap_allocsz_bytes;
    }
    return sum;
}

#endif
