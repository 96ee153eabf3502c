/* SPDX-License-Identifier: BSD-3-Clause */
#include "exits.h"

#include <stdlib.h>

enum { ALWAYS_EDGES = 3 };

static int in_order(const void *a, const void *b)
{
    const exits_number x = *(const exits_number *)a, y = *(const exits_number *)b;
    return x < y ? -1 : x > y;
}

static struct addr address_of(exits_number number)
{
    const uint64_t half[2] = {rte_cpu_to_be_64((uint64_t)(number >> 64)), rte_cpu_to_be_64((uint64_t)number)};
    struct addr a;
    memcpy(a.b, half, sizeof(a.b));
    return a;
}

/* Behind the last address of p; 0 behind the last of all. */
static exits_number end_of(const struct prefix *p)
{
    const unsigned bits = addr_is_ipv4(&p->addr) ? 96U + p->bits : p->bits;
    return bits == 0 ? 0 : exits_number_of(&p->addr) + ((exits_number)1 << (128 - bits));
}

/* Nowhere else does the answer change: where a route's network begins, where it has ended, and around
 * IPv4. */
static uint32_t list_edges(const struct routes *routes, exits_number *edge)
{
    const struct prefix ipv4 = {addr_from_ipv4(0), 0};
    uint32_t n = 0;
    edge[n++] = 0;
    edge[n++] = exits_number_of(&ipv4.addr);
    edge[n++] = end_of(&ipv4);
    for (size_t i = 0; i < routes_count(routes); i++) {
        const struct prefix *p = &routes_at(routes, i)->destination;
        edge[n++] = exits_number_of(&p->addr);
        edge[n++] = end_of(p);
    }
    qsort(edge, n, sizeof(*edge), in_order);
    return n;
}

static uint32_t answer(const struct routes *routes, exits_number number, const uint32_t *asked)
{
    const struct addr a = address_of(number);
    const struct route *route = routes_match(routes, &a);
    return route == NULL ? EXITS_NO_ROUTE : asked[route - routes_at(routes, 0)];
}

/* From edges to intervals, in place: one that is there twice, or at which nothing changes, is none. */
static uint32_t make_intervals(const struct routes *routes, exits_number *from, uint32_t n,
                               const uint32_t *asked, uint32_t *adjacency)
{
    uint32_t made = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t value = answer(routes, from[i], asked);
        if (made > 0 && adjacency[made - 1] == value)
            continue;
        from[made] = from[i];
        adjacency[made++] = value;
    }
    return made;
}

struct exits *exits_create(const struct routes *routes,
                           uint32_t (*adjacency_of)(void *context, const struct route *route), void *context)
{
    const size_t n_routes = routes_count(routes), most = 2 * n_routes + ALWAYS_EDGES;
    struct exits *x =
        calloc(1, sizeof(*x) + most * sizeof(x->from[0]) + (most + n_routes) * sizeof(uint32_t));
    if (x == NULL)
        return NULL;
    uint32_t *adjacency = (uint32_t *)(x->from + most), *asked = adjacency + most;
    for (size_t i = 0; i < n_routes; i++)
        asked[i] = adjacency_of(context, routes_at(routes, i));
    x->n_routes = (uint32_t)n_routes;
    x->asked = asked;
    x->adjacency = adjacency;
    x->n = make_intervals(routes, x->from, list_edges(routes, x->from), asked, adjacency);
    return x;
}

void exits_destroy(const struct exits *exits)
{
    free((void *)exits);
}
