/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The home link: a router and hosts with neighbour caches, the gratuitous ARP or unsolicited neighbour
 * advertisements that change these, the requests and solicitations that fill them, and numbered packets that
 * travel cache -> node's table -> care-of address.
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "agent.h"
#include "timerq.h"

struct world;
struct appliance;
struct mobile;

enum { OBSERVERS = 3, CACHE_NOBODY = -1, CACHE_MOBILE = -2 };

struct cached {
    int who; /* node number, or CACHE_... */
    uint64_t since_ns;
    uint64_t valid_ns; /* to be confirmed after so long */
};

void link_announce(struct world *world, struct appliance *from, const struct announcement *announcement);
/* Duplicate address detection. A mobile node at home keeps still: its answer is lost. */
void link_probe(struct world *world, struct appliance *from, const struct probe *probe);
/* The mobile node itself says that it is here. */
void link_mobile_announces(struct world *world, struct mobile *mobile);
/* It asks for its own address from none (RFC 6275 section 11.5.5). */
void link_asks_for_home_agent(struct world *world, struct mobile *mobile);
/* One packet to the mobile node. */
void link_packet_due(struct world *world, struct mobile *mobile);

#endif
