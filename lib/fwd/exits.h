/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The routes as workers read them: where a packet goes that a mobile node has sent through a reverse tunnel
 * to somebody who is not in the binding table (RFC 3024 section 4.3.2).
 *
 * A snapshot of the tree of route.h, which decides once for every interval of addresses that have one answer;
 * a worker finds the interval by halving. With the three routes of an appliance that takes 7 cycles, 13 with
 * 64, 35 with a thousand. The tree itself takes 30, 56 and 140, and rte_fib's DIR24_8, a burst at a time, 30
 * to 40 whatever there is, for 64 MiB (random destinations, AMD EPYC).
 *
 * Immutable: control makes it, publishes it with the workers' settings, and frees it after a grace period.
 */
#ifndef FWD_EXITS_H
#define FWD_EXITS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

#include "adjacency.h"
#include "route.h"

#define EXITS_NO_ROUTE UINT32_MAX

struct exits {
    uint32_t n; /* intervals, one at least */
    uint32_t n_routes;
    const uint32_t *adjacency; /* of each interval; EXITS_NO_ROUTE: none leads there */
    const uint32_t *asked;     /* of each route, what adjacency_of said; of IPv6: ADJACENCY_NONE */
    uint32_t from[];           /* where each interval begins, host order, ascending; the first at 0 */
};

/* adjacency_of says for each route of IPv4, once, by which adjacency its next hop is reached; ADJACENCY_NONE:
 * none stands for all of it, as for a connected network, and control finds the way of each packet. If that
 * took references, whoever frees the snapshot gives them back, from asked. NULL: no memory, nobody was asked.
 */
struct exits *exits_create(const struct routes *routes,
                           uint32_t (*adjacency_of)(void *context, const struct route *route), void *context);
void exits_destroy(const struct exits *exits);

/* address: network order. False: no route leads there. */
static inline bool exits_lookup(const struct exits *exits, uint32_t address_be, uint32_t *adjacency)
{
    const uint32_t address = rte_be_to_cpu_32(address_be);
    const uint32_t *from = exits->from;
    for (uint32_t n = exits->n, half; n > 1; n -= half) {
        half = n / 2;
        from += from[half] <= address ? half : 0; /* a conditional move: no branch to be guessed wrong */
    }
    *adjacency = exits->adjacency[from - exits->from];
    return *adjacency != EXITS_NO_ROUTE;
}

#endif
