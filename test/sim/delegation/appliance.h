/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node: a home agent with its own clock and the forwarding table that its effects maintain. It can crash
 * and come back with nothing, or stand still for a while.
 */
#ifndef SIM_APPLIANCE_H
#define SIM_APPLIANCE_H

#include "agent.h"
#include "timerq.h"

struct world;

struct entry {
    bool present;
    struct forwarding is;
    uint64_t installed_ns; /* true time of the last change */
    uint64_t packets;      /* since it was first installed */
    uint32_t lately;       /* since the last report */
};

struct clock {
    uint64_t offset_ns;
    int32_t ppm;
    int64_t wall_ns; /* how far the wall clock is off */
};

struct appliance {
    struct world *world;
    size_t number;
    char name[8];
    struct addr address;      /* that its peers know */
    struct addr addresses[2]; /* IPv4, IPv6 */
    struct mac mac;
    struct clock clock;
    struct agent_settings settings;
    struct addr reserved[16];
    struct agent *agent; /* NULL: down */
    struct entry *table; /* by mobile */
    bool frozen;
    bool wanted;      /* of a secondary: the primary's configuration has it */
    bool link_down;   /* it says so */
    uint32_t keys;    /* of a secondary: how often its key was changed */
    uint64_t up_ns;   /* since when it has been up, or not frozen any more */
    uint64_t died_ns; /* last crash */
    uint64_t froze_ns, thaw_ns;
    uint32_t starts;
    uint64_t began_ntp; /* what its clock showed at the last one */
    uint32_t busy;      /* wakes in a row that left something due */
    uint64_t leases_lost, nodes_dead, durations_over;
    struct timer wake, report, thaw, restart;
};

void appliance_init(struct world *world, size_t number);
static inline const struct addr *appliance_address(const struct appliance *node, bool ipv6)
{
    return &node->addresses[ipv6];
}
void appliance_start(struct appliance *node);
void appliance_crash(struct appliance *node, uint64_t restart_after_ns);
void appliance_freeze(struct appliance *node, uint64_t ns);
/* Configures it anew: peers by their `wanted`, all mobile nodes. */
void appliance_configure(struct appliance *node);
/* To be called after each call of the agent that may change it: takes its effects, checks the invariants. */
void appliance_settle(struct appliance *node);
void appliance_fini(struct appliance *node);

void appliance_wake_due(struct appliance *node);
void appliance_report_due(struct appliance *node);
void appliance_thaw_due(struct appliance *node);

struct instant appliance_instant(const struct appliance *node);
/* Up and not frozen. */
bool appliance_is_live(const struct appliance *node);
/* Live, and nothing is due: what it says of itself holds for this moment. */
bool appliance_is_current(const struct appliance *node);
const struct entry *appliance_entry(const struct appliance *node, size_t mobile);

#endif
