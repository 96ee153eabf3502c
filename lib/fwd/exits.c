/* SPDX-License-Identifier: BSD-3-Clause */
#include "exits.h"

#include <stdlib.h>

static int in_order(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_ipv4(const struct route *route)
{
    return addr_is_ipv4(&route->destination.addr);
}

/* Nowhere else does the answer change: where a route's network begins, and where it has ended. */
static uint32_t list_edges(const struct routes *routes, uint32_t *edge)
{
    uint32_t n = 0;
    edge[n++] = 0;
    for (size_t i = 0; i < routes_count(routes); i++) {
        const struct route *route = routes_at(routes, i);
        if (!is_ipv4(route))
            continue;
        const uint32_t first = addr_ipv4(&route->destination.addr);
        const uint64_t size = UINT64_C(1) << (32 - route->destination.bits);
        edge[n++] = first;
        edge[n++] = (uint32_t)(first + size); /* 0 behind the last address of all */
    }
    qsort(edge, n, sizeof(*edge), in_order);
    return n;
}

static uint32_t answer(const struct routes *routes, uint32_t address, const uint32_t *asked)
{
    const struct addr a = addr_from_ipv4(address);
    const struct route *route = routes_match(routes, &a);
    return route == NULL ? EXITS_NO_ROUTE : asked[route - routes_at(routes, 0)];
}

/* From edges to intervals, in place: one that is there twice, or at which nothing changes, is none. */
static uint32_t make_intervals(const struct routes *routes, uint32_t *from, uint32_t n, const uint32_t *asked,
                               uint32_t *adjacency)
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
    const size_t n_routes = routes_count(routes), most = 2 * n_routes + 1;
    struct exits *x = calloc(1, sizeof(*x) + (2 * most + n_routes) * sizeof(uint32_t));
    if (x == NULL)
        return NULL;
    uint32_t *adjacency = x->from + most, *asked = adjacency + most;
    for (size_t i = 0; i < n_routes; i++)
        asked[i] =
            is_ipv4(routes_at(routes, i)) ? adjacency_of(context, routes_at(routes, i)) : ADJACENCY_NONE;
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
