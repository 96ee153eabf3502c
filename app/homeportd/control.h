/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control lcore: the one owner of the agent, the one writer of every table. Its turn: punts, timers,
 * rates, console, each with a bound on the work of one turn, so that no storm in one of them delays the
 * others.
 *
 * Everything here is control's alone; other threads speak to it through the mailbox.
 */
#ifndef HOMEPORTD_CONTROL_H
#define HOMEPORTD_CONTROL_H

#include "agent.h"
#include "conf.h"
#include "doctor.h"
#include "host_mld.h"
#include "host_nd.h"
#include "local.h"
#include "mailbox.h"
#include "neighbor.h"
#include "port.h"
#include "punt.h"
#include "rate.h"
#include "reassembly.h"
#include "route.h"
#include "table.h"
#include "worker.h"

/* X(name, operator's text): what the appliance does as a host, and what it had to drop. */
#define CONTROL_COUNTERS(X)                                                                          \
    X(ARP_RECEIVED, "ARP packets received")                                                          \
    X(ARP_MALFORMED, "ARP packets malformed")                                                        \
    X(ARP_ANSWERED, "ARP requests answered for our own addresses")                                   \
    X(ARP_CONFLICTS, "ARP from others claiming one of our own addresses")                            \
    X(ND_RECEIVED, "neighbour discovery messages received")                                          \
    X(ND_MALFORMED, "neighbour discovery messages malformed, or from beyond the link")               \
    X(ND_ANSWERED, "neighbour solicitations answered for our own addresses")                         \
    X(ND_CONFLICTS, "neighbour discovery by others claiming one of our own addresses")               \
    X(ROUTER_ADVERTISEMENTS, "router advertisements sent")                                           \
    X(MLD_RECEIVED, "multicast listener queries and reports received")                               \
    X(MLD_MALFORMED, "multicast listener messages malformed, or from beyond the link")               \
    X(MLD_SENT, "multicast listener reports sent")                                                   \
    X(MLD_NO_MEMORY, "groups not joined for want of memory, tried again")                            \
    X(FRAGMENTS_RECEIVED, "fragments for us received")                                               \
    X(FRAGMENTS_MALFORMED, "fragments that no datagram can have, or first ones without all headers") \
    X(FRAGMENTS_TWICE, "fragments that were there already")                                          \
    X(FRAGMENTS_GIVEN_UP, "fragments of datagrams given up before")                                  \
    X(FRAGMENTS_REFUSED, "datagrams out of fragments that are refused: delegation and ESP")          \
    X(REASSEMBLED, "datagrams put together from fragments")                                          \
    X(REASSEMBLY_OVERLAP, "datagrams given up: fragments overlap or contradict each other")          \
    X(REASSEMBLY_TOO_LONG, "datagrams given up: larger than a packet buffer")                        \
    X(REASSEMBLY_TOO_MANY, "datagrams given up: more fragments than a host would make")              \
    X(REASSEMBLY_CONGESTED, "datagrams dropped: marks of congestion and fragments that take none")   \
    X(REASSEMBLY_OUSTED, "incomplete datagrams given up for newer ones")                             \
    X(REASSEMBLY_TIMED_OUT, "incomplete datagrams given up after 60 s")                              \
    X(IP_MALFORMED, "IPv6 datagrams for us malformed, twice fragmented, or routed beyond us")        \
    X(IP_PROBLEMS, "IPv6 datagrams for us with a header or option that we do not take")              \
    X(UDP_MALFORMED, "UDP datagrams malformed")                                                      \
    X(UDP_CHECKSUM, "UDP datagrams with a wrong checksum")                                           \
    X(UDP_NO_PORT, "UDP datagrams to a port that nobody serves")                                     \
    X(ICMP_MALFORMED, "ICMP messages malformed or with a wrong checksum")                            \
    X(ICMP_ECHO, "echo requests answered")                                                           \
    X(ICMP_IGNORED, "ICMP messages of no interest")                                                  \
    X(PROBES_SENT, "echo requests sent from a primary's address, as probes")                         \
    X(PROBES_RETURNED, "answers to such probes of our secondaries")                                  \
    X(ICMP_ERRORS_SENT, "ICMP errors sent")                                                          \
    X(ICMP_ERRORS_LIMITED, "ICMP errors not sent: rate limit")                                       \
    X(ICMP_ERRORS_FORBIDDEN, "ICMP errors not sent: RFC 1812 or RFC 4443 forbid them")               \
    X(SEND_NO_ROUTE, "own packets dropped: no route")                                                \
    X(SEND_TOO_BIG, "packets not sent: larger than the way takes, DF set")                           \
    X(SEND_UNPROTECTED, "home tests dropped: not protected by ESP")                                  \
    X(SEND_NO_BUFFER, "own packets dropped: no packet buffer")                                       \
    X(SEND_TX_FULL, "own packets dropped: transmit queue full")                                      \
    X(SEND_UNRESOLVED, "packets dropped: neighbour did not answer")                                  \
    X(INSTALL_FAILED, "bindings that could not be put into the table yet, tried again")              \
    X(INSTALL_NO_ROUTE, "bindings without a route to their care-of address")

enum control_counter {
#define X(name, text) CONTROL_##name,
    CONTROL_COUNTERS(X)
#undef X
        CONTROL_COUNTERS_COUNT
};
const char *control_counter_text(enum control_counter c);

/* The workers' counters at a moment; what comes in, leaves by tunnels, is dropped (load.c). */
struct load_sums {
    uint64_t at_ns, at_tsc;
    uint64_t rx, tx, tx_bytes, drops, unknown;
    uint64_t busy[RTE_MAX_LCORE]; /* cycles, by worker */
};

struct control {
    struct conf *conf; /* in force */
    struct agent *agent;
    struct ports ports;
    struct table *table;
    struct adjacencies *adjacencies;
    struct neighbors *neighbors;
    struct routes *routes;
    struct punt_rings punts;
    struct rte_mempool *pool;
    struct worker **workers;
    unsigned n_workers;
    struct rates *rates;
    struct mailbox *mailbox;
    struct instant now; /* of this turn */
    uint64_t started_ns;
    uint64_t counters[CONTROL_COUNTERS_COUNT];

    struct locals locals;                    /* its own addresses now */
    struct worker_settings *worker_settings; /* what the workers read now */
    uint16_t next_identification;            /* of the appliance's own datagrams */
    uint32_t next_fragment;                  /* likewise, of those that are fragmented, IPv6 */
    struct host_nd nd;
    struct host_mld mld;
    struct reassembly *reassembly;
    struct icmp_limit {
        uint64_t filled_ns;
        uint32_t tokens;
    } icmp_limit;
    uint64_t defend_again_ns; /* RFC 5227: own addresses are not defended before this */
    bool refresh_wanted, refreshing, refresh_bindings_done; /* forwarding_refresh */
    size_t refresh_cursor;
    uint32_t refresh_entry;
    uint64_t link_poll_ns;
    struct load_sums load;
    struct doctor doctor;
    struct reload *reload;              /* NULL: none under way */
    struct counters_baseline *baseline; /* what clear has set to zero */
};

static inline void control_count(struct control *c, enum control_counter counter)
{
    c->counters[counter]++;
}

/* Sum over all workers. */
uint64_t control_verdicts(const struct control *c, enum verdict v);
/* Packets and bytes tunnelled for a slot, all workers together. */
struct rate_total control_binding_total(const struct control *c, uint32_t slot);
/* Sets every counter's zero line: what is shown counts from here. */
void control_counters_clear(struct control *c);

/* Makes everything that control owns, from conf, which it takes over. The EAL is up. 0, or -errno after a
 * line in the log (nothing is left behind, conf is freed). */
int control_open(struct control *c, struct conf *conf, struct instant now);
void control_close(struct control *c);
/* One turn at an instant that the caller read from the clock (or made up, in a test). True: there was work to
 * do. */
bool control_turn(struct control *c, struct instant now);

/* A mobile node's ESP, to the agent. As agent_ipsec_set. */
int control_set_ipsec(struct control *c, const struct conf_ipsec *s);

/* Reload: takes over *conf (already checked by conf_can_reload) and applies it in slices. 0, and *conf is the
 * former one, for the caller to free: with a million mobile nodes that takes longer than a turn may. Or
 * -EBUSY: one is under way, or -errno: nothing was changed, *conf stays the caller's. */
int control_reload(struct control *c, struct conf **conf);
bool control_reloading(const struct control *c);
/* Goes on with it; true while it is under way. */
bool control_reload_work(struct control *c);
/* Forgets one that is under way, wherever it stands; for control_close. */
void control_reload_abandon(struct control *c);

#endif
