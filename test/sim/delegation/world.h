/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A home link in virtual time: one primary home agent and its secondaries (the real agents, through agent.h
 * alone), a faulty network between them, mobile nodes that register with the primary, and correspondents
 * whose packets find their way by neighbour caches. One thread; nothing waits for a real clock.
 *
 *     appliance   a node: agent, clock, table; it crashes, restarts, freezes
 *     network     delegation datagrams on their way
 *     protection  ESP around them
 *     link        the home link: neighbour caches, announcements, the streams of packets
 *     mobile      a mobile node
 *     paper       what it and its home agent write to each other, in either family
 *     attacker    replays, reflects, truncates, flips, forges
 *     invariants  what must hold (doc/delegation-protocol.md, "Invariants")
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "agent.h"
#include "appliance.h"
#include "attacker.h"
#include "chance.h"
#include "invariants.h"
#include "link.h"
#include "mobile.h"
#include "network.h"
#include "protection.h"
#include "timerq.h"
#include "trace.h"

#include <setjmp.h>

enum { NODES_MAX = 8 }; /* the primary is 0 */

/* Of the mobile nodes' home addresses; with both, every other one's is IPv6. */
enum families { FAMILIES_IPV4, FAMILIES_BOTH, FAMILIES_IPV6 };

/* What a scenario is like from its beginning. */
struct plan {
    size_t secondaries, mobiles;
    struct faults faults;       /* of every path at first */
    unsigned announcement_loss; /* percent, for each who should hear it */
    uint8_t when, policy;       /* enum delegation_when, enum delegation_policy */
    bool own_source;
    uint8_t max_care_of;
    uint8_t families; /* enum families */
    bool ipv6_peers;  /* the agents talk to each other over IPv6 */
    uint32_t linger_ms;
    uint32_t lifetime_low_s, lifetime_high_s; /* that mobile nodes ask for */
    uint32_t act_ms;                          /* a mobile node does something every so often, on average */
    uint32_t packet_us; /* between two packets to one mobile node, on average; 0: none */
    uint32_t threshold_pps;
    bool attacks;
    uint32_t room;     /* of each secondary's table; 0: enough */
    bool prohibits;    /* every other secondary takes only some home addresses */
    uint8_t drop_type; /* enum delegation_type: the first so many of it vanish */
    uint32_t drops;
};

/* enum of struct timer.kind in the world's queue. */
enum wake {
    WAKE_AGENT,
    WAKE_REPORT,
    WAKE_THAW,
    WAKE_RESTART,
    WAKE_FLIGHT,
    WAKE_ACT,
    WAKE_RETRY,
    WAKE_REQUEST,
    WAKE_REPLY,
    WAKE_PACKET,
    WAKE_ATTACK,
    WAKE_MISCHIEF
};

struct tally {
    uint64_t events, datagrams, packets, delivered, second_chance, lost, unresolved, attacks, announcements;
    uint64_t crashes, freezes, cuts, requests, checks;
};

struct world {
    uint64_t seed;
    bool protects; /* delegation goes in ESP */
    struct plan plan;
    struct chance chance;
    uint64_t now_ns; /* the true time, that nobody's clock shows */
    struct timerq *queue;
    struct auth *auth;
    struct trace trace;
    struct tally tally;
    struct appliance nodes[NODES_MAX];
    size_t n_nodes;
    struct network network;
    struct protection protection;
    struct mobile *mobiles;
    size_t n_mobiles;
    struct attacker attacker;
    bool disturbed; /* a node died, froze, was cut off or lost a lease: packets may get lost */
    bool settling;  /* mobile nodes only renew; no more mischief */
    struct timer mischief;
    void (*mischief_due)(struct world *world);
    jmp_buf abandon; /* where a violation goes */
    char rule[16];   /* that was violated; empty: none */
};

/* Aborts where memory is out. */
void world_open(struct world *world, uint64_t seed, const struct plan *plan);
void world_close(struct world *world);
/* Lets time pass. */
void world_run(struct world *world, uint64_t ns);
void world_at(struct world *world, struct timer *timer, enum wake kind, uint64_t delay_ns);
void world_trace(struct world *world, const char *what, int node, int peer, int mobile, uint64_t a,
                 uint64_t b);
/* Tells what, where and after which events, and leaves the scenario by world->abandon. */
void world_violates(struct world *world, const char *rule, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
/* No faults any more, all nodes up; lets the mobile nodes rest. */
void world_heal(struct world *world);
/* Heals, and waits until all is quiet; a violation if it never is. */
void world_settle(struct world *world);

void *world_alloc(size_t size);

/* The last four bytes, for people; of IPv4 all. */
static inline uint32_t addr_tail(const struct addr *a)
{
    return (uint32_t)a->b[12] << 24 | (uint32_t)a->b[13] << 16 | (uint32_t)a->b[14] << 8 | a->b[15];
}

#endif
