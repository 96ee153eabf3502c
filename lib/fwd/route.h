/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Longest-prefix routes: which next hop, on which port, leads to an address. Looked up when a binding is
 * installed or the appliance itself sends, never per packet: entries of the binding table hold the adjacency,
 * and workers have a snapshot (exits.h). So DPDK's RIB (rte_rib, the tree under rte_fib) serves, a few
 * kilobytes instead of rte_lpm's 64 MiB, and with the same interface for IPv6 (rte_rib6).
 *
 * Control's alone. A change of configuration builds a new one and replaces the old.
 */
#ifndef FWD_ROUTE_H
#define FWD_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

struct route {
    struct prefix destination;
    struct addr via; /* addr_unspecified: connected, the destination is its own next hop */
    uint8_t port_index;
};

struct routes;

/* name must be unique among the living. NULL with rte_errno. */
struct routes *routes_create(const char *name, size_t capacity);
void routes_destroy(struct routes *r);
/* 0, -EEXIST: that prefix has a route, -ENOSPC. */
int routes_add(struct routes *r, const struct route *route);
/* The most specific route to address, one of routes_at; NULL: none. */
const struct route *routes_match(const struct routes *r, const struct addr *address);
/* The same with its next hop: false if there is none. next_hop is via, or address itself when
 * connected. */
bool routes_lookup(const struct routes *r, const struct addr *address, struct route *out,
                   struct addr *next_hop);
size_t routes_count(const struct routes *r);
/* In order of addition, i < routes_count. */
const struct route *routes_at(const struct routes *r, size_t i);

#endif
