/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The routes as workers read them: where a packet goes that a mobile node has sent through a reverse tunnel
 * to somebody who is not in the binding table (RFC 3024 section 4.3.2, RFC 6275 section 10.4.5).
 *
 * A snapshot of the trees of route.h, which decides once for every interval of addresses that have one
 * answer; a worker finds the interval by halving. Addresses of both families are one row of 128-bit numbers,
 * IPv4's those of ::ffff:0:0/96, which no route of IPv6 reaches into. With the three routes of an appliance
 * for each family that takes 15 cycles, 33 with 64, 60 with a thousand; the trees take 25 for IPv4, and 110,
 * 450 and 800 for IPv6 (random destinations, AMD EPYC, gcc).
 *
 * Immutable: control makes it, publishes it with the workers' settings, and frees it after a grace period.
 */
#ifndef FWD_EXITS_H
#define FWD_EXITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>

#include "adjacency.h"
#include "route.h"

#define EXITS_NO_ROUTE UINT32_MAX

typedef unsigned __int128 exits_number;

struct exits {
    uint32_t n; /* intervals, one at least */
    uint32_t n_routes;
    const uint32_t *adjacency; /* of each interval; EXITS_NO_ROUTE: none leads there */
    const uint32_t *asked;     /* of each route, what adjacency_of said */
    exits_number from[];       /* where each interval begins, ascending; the first at 0 */
};

/* adjacency_of says for each route, once, by which adjacency its next hop is reached; ADJACENCY_NONE: none
 * stands for all of it, as for a connected network, and control finds the way of each packet. If that took
 * references, whoever frees the snapshot gives them back, from asked. NULL: no memory, nobody was asked. */
struct exits *exits_create(const struct routes *routes,
                           uint32_t (*adjacency_of)(void *context, const struct route *route), void *context);
void exits_destroy(const struct exits *exits);

static inline exits_number exits_number_of(const struct addr *address)
{
    uint64_t half[2];
    memcpy(half, address->b, sizeof(half));
    return (exits_number)rte_be_to_cpu_64(half[0]) << 64 | rte_be_to_cpu_64(half[1]);
}

/* False: no route leads there. */
static inline bool exits_lookup(const struct exits *exits, const struct addr *address, uint32_t *adjacency)
{
    const exits_number number = exits_number_of(address);
    const exits_number *from = exits->from;
    for (uint32_t n = exits->n, half; n > 1; n -= half) {
        half = n / 2;
        from += from[half] <= number ? half : 0; /* a conditional move: no branch to be guessed wrong */
    }
    *adjacency = exits->adjacency[from - exits->from];
    return *adjacency != EXITS_NO_ROUTE;
}

#endif
