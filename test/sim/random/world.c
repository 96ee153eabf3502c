/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

struct lab lab;
struct timerq *events;
struct node *nodes;
struct packet *history;
size_t n_history;
size_t n_bound_nodes;
struct tally tally;

size_t care_of_limit(void)
{
    return lab.settings.max_care_of;
}

struct addr foreign_address(size_t i)
{
    return addr_from_ipv4(0xc6336400u + 1 + (uint32_t)i);
}

struct node *world_node_at(const struct addr *home)
{
    const uint32_t i = addr_ipv4(home) - addr_ipv4(&nodes[0].home);
    require(i < NODES, "an effect for a stranger");
    return &nodes[i];
}

void world_arm(struct timer *t, enum wake kind, uint64_t delay_ns)
{
    t->kind = kind;
    require(timerq_set(events, t, lab.now.mono_ns + delay_ns), "out of memory");
}
