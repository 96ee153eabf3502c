/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours on the links: resolution of IP to MAC addresses with retries, ageing, and a bounded queue of
 * packets that wait for an answer (RFC 1122 section 2.3.2; RFC 4861's states, for IPv4 by ARP). One that is
 * STALE there is PROBING at once here, for workers send by it without a word to control. Each
 * neighbour owns an adjacency; a resolved one is published there for the workers.
 *
 * Control's alone. No clock, no I/O: what is to be sent comes out through neighbor_ops.
 */
#ifndef FWD_NEIGHBOR_H
#define FWD_NEIGHBOR_H

#include "adjacency.h"
#include "instant.h"

/* X(name, text) */
#define NEIGHBOR_STATES(X)                                                        \
    X(INCOMPLETE, "incomplete") /* asked, no answer yet */                        \
    X(REACHABLE, "reachable")   /* answered within NEIGHBOR_REACHABLE_S */        \
    X(PROBING, "probing")       /* still used while it is asked again, unicast */ \
    X(FAILED, "failed") /* no answer; unreferenced: packets are dropped until NEIGHBOR_FAILED_S are over */

enum neighbor_state {
#define X(name, text) NEIGHBOR_##name,
    NEIGHBOR_STATES(X)
#undef X
};
const char *neighbor_state_text(enum neighbor_state s);

enum {
    NEIGHBOR_QUEUE = 16,       /* packets that wait for one neighbour; the oldest goes first when full */
    NEIGHBOR_QUEUE_ALL = 4096, /* and for all together; beyond: the new one is dropped */
    NEIGHBOR_TRIES = 3,        /* solicitations, NEIGHBOR_RETRY_MS apart */
    NEIGHBOR_RETRY_MS = 1000,  /* RFC 1122 section 2.3.2.1: at most one a second to one address */
    NEIGHBOR_REACHABLE_S = 30, /* at most, a quarter less at least; then PROBING */
    NEIGHBOR_FAILED_S = 5,     /* then asked again if referenced, else forgotten */
    /* New IPv6 neighbours that nothing refers to, of those that packets are for, and of those that speak to
     * us: an IPv6 network has more addresses than any table holds (RFC 6583). */
    NEIGHBOR_STRANGERS_PER_S = 1000
};
#define NEIGHBOR_AGE_NEVER UINT32_MAX

struct neighbor_view {
    struct addr address;
    uint8_t port_index;
    enum neighbor_state state;
    struct mac mac; /* REACHABLE, PROBING */
    uint32_t adjacency;
    uint32_t references; /* table entries and routes that send by it */
    uint32_t waiting;
    uint32_t age_s; /* since it last answered; NEIGHBOR_AGE_NEVER: it did not yet */
};

/* discard may call neighbor_send (for the ICMP error that it owes), except during neighbors_destroy; no other
 * call back into this file is allowed. */
struct neighbor_ops {
    void *context;
    /* Ask who has target on a port; known: unicast to that MAC address, NULL: broadcast. */
    void (*solicit)(void *context, uint8_t port_index, const struct addr *target, const struct mac *known);
    /* A packet that waited can leave now by the adjacency; the callee takes it over. */
    void (*release)(void *context, uint32_t adjacency, void *packet);
    /* A packet that will not leave; the callee takes it over. unanswered: because target was asked for and
     * did not answer, so that its sender is owed an ICMP host unreachable (RFC 1812 section 3.3.2: not while
     * an answer may still come); else for want of room, or because target was forgotten. target is
     * addr_unspecified if neighbor_send_by named an adjacency that is nobody's. */
    void (*discard)(void *context, const struct addr *target, void *packet, bool unanswered);
    /* An unreferenced neighbour is resolved (true): control may put in an on-link entry. It is so no longer
     * (false, whatever its references, once after each true): control must take that entry out, since the
     * adjacency may be given to another neighbour, the one free for longest first. */
    void (*changed)(void *context, const struct neighbor_view *neighbor, bool resolved);
};

struct neighbors;

/* capacity: most neighbours known at once; adjacency indices from 1 to it are given out, so it is cut to what
 * `adjacencies` has. NULL: out of memory. */
struct neighbors *neighbors_create(struct adjacencies *adjacencies, uint32_t capacity,
                                   const struct neighbor_ops *ops, uint64_t seed);
/* Every packet that still waits goes to ops->discard. */
void neighbors_destroy(struct neighbors *n);

/* The adjacency of address on a port; resolution begins if it is not known. Counts a reference that
 * neighbor_release_reference gives back. ADJACENCY_NONE: the table is full (unreferenced ones are forgotten
 * first). */
uint32_t neighbor_reference(struct neighbors *n, uint8_t port_index, const struct addr *address,
                            uint64_t now_ns);
void neighbor_release_reference(struct neighbors *n, uint32_t adjacency, uint64_t now_ns);

/* Sends packet by address on a port: at once through ops->release if resolved, else it waits. Takes the
 * packet over always. */
void neighbor_send(struct neighbors *n, uint8_t port_index, const struct addr *address, void *packet,
                   uint64_t now_ns);
/* The same for a neighbour named by its adjacency (a worker found it unresolved). */
void neighbor_send_by(struct neighbors *n, uint32_t adjacency, void *packet, uint64_t now_ns);

/* An ARP packet or a neighbour solicitation was heard on a port: its sender is at that MAC address. Learnt
 * only for known neighbours, or when for_us is true (it asks or answers us: RFC 826's merge rule). A
 * solicitation does not prove that the way there works (RFC 4861 section 7.2.3): an address that is new is
 * probed. */
void neighbor_heard(struct neighbors *n, uint8_t port_index, const struct addr *address,
                    const struct mac *mac, bool for_us, uint64_t now_ns);
/* A neighbour advertisement for address was heard (RFC 4861 section 7.2.5); mac: of its target link-layer
 * address option, NULL: there was none. Only who is known already is learnt from it. */
void neighbor_advertised(struct neighbors *n, uint8_t port_index, const struct addr *address,
                         const struct mac *mac, bool solicited, bool override, uint64_t now_ns);
/* The link went down: everything on it is unresolved again. */
void neighbor_port_down(struct neighbors *n, uint8_t port_index, uint64_t now_ns);
/* Forgets an address at once (a mobile node has left the link); references stay and are resolved anew. */
void neighbor_forget(struct neighbors *n, uint8_t port_index, const struct addr *address, uint64_t now_ns);

/* Does what is due, at most budget neighbours of it. */
void neighbor_expire(struct neighbors *n, uint64_t now_ns, size_t budget);
uint64_t neighbor_deadline(const struct neighbors *n);

/* Walks all: false at the end. *cursor starts at 0. */
bool neighbor_next(const struct neighbors *n, uint32_t *cursor, uint64_t now_ns, struct neighbor_view *out);
bool neighbor_by_adjacency(const struct neighbors *n, uint32_t adjacency, uint64_t now_ns,
                           struct neighbor_view *out);
uint32_t neighbors_count(const struct neighbors *n);

/* X(name, text) */
#define NEIGHBOR_COUNTERS(X)                                                       \
    X(SOLICITED, "solicitations sent")                                             \
    X(RESOLVED, "neighbours resolved")                                             \
    X(MOVED, "neighbours whose MAC address changed")                               \
    X(UNANSWERED, "neighbours that did not answer")                                \
    X(QUEUE_DROPPED, "packets dropped: queue for the neighbour full")              \
    X(FAILED_DROPPED, "packets dropped: neighbour did not answer")                 \
    X(FORGOTTEN_DROPPED, "packets dropped: neighbour forgotten while they waited") \
    X(FULL, "neighbours not admitted: table full")                                 \
    X(STRANGERS, "IPv6 neighbours not admitted: too many new ones in a second")
enum neighbor_counter {
#define X(name, text) NEIGHBOR_COUNT_##name,
    NEIGHBOR_COUNTERS(X)
#undef X
        NEIGHBOR_COUNTERS_COUNT
};
const char *neighbor_counter_text(enum neighbor_counter c);
const uint64_t *neighbor_counters(const struct neighbors *n); /* NEIGHBOR_COUNTERS_COUNT of them */
void neighbor_counters_clear(struct neighbors *n);

#endif
