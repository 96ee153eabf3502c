/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a primary has delegated here: entries, which forward and perhaps intercept, and tombstones, which
 * remember a generation. When one becomes the other is the rule's to say (order.h); here is what follows
 * from it. An entry's home address is a struct mobile without security associations, so that announcing,
 * answering ARP, tunnels and the console see ordinary bindings.
 *
 * doc/delegation-protocol.md, "Generations, terms, floor" and "State machines".
 */
#ifndef AGENT_SECONDARY_HELD_H
#define AGENT_SECONDARY_HELD_H

#include "internal.h"

#include "secondary/principal.h"

enum { HELD_STRAYS_MS = 5000 /* a neighbour cache that still leads here so long after a STOP is stale */ };

struct held {
    struct held *next;              /* mobile->held: one a primary; at most one of them is no tombstone */
    struct held *at_prev, *at_next; /* principal's entries or tombstones */
    struct mobile *mobile;
    struct principal *principal;
    uint64_t generation; /* e.g in the rule */
    uint64_t start;      /* generation of the START whose contents these are; 0: a tombstone */
    uint64_t entered;    /* principal->entered when it came into entries */
    uint64_t digest;     /* its share of principal's; 0: none */
    uint64_t cookie;
    struct timer linger;     /* TIMER_LINGER: set while it lingers; never moved by what comes meanwhile [S] */
    struct timer duration;   /* TIMER_DURATION: set in every entry */
    uint64_t stopped_ns;     /* while lingering */
    uint64_t strays_ns;      /* when it was last reported to be still hit; 0: never */
    uint64_t packets, bytes; /* counted here, cumulative */
    uint32_t pps, kbps;
    uint32_t session; /* principal->sessions of its last START */
    uint32_t rank;    /* 1 + its place in principal->busiest; 0: not in it */
    uint16_t bucket;
    uint8_t state;   /* enum delegation_entry_state: ACTIVE, FORWARD_ONLY, TOMBSTONE */
    uint8_t flags;   /* enum delegation_start_flag, of its START */
    bool own_source; /* its outer source is ours, not the primary's */
};

/* All that one START, a set of records, asks. */
struct offer {
    struct delegation_start start; /* the set's first record; source is ours where it said "your own" */
    struct care_set set;
    uint16_t index; /* of the first record in its datagram */
    bool own_source;
    bool whole; /* the set's records are all there, in order, and agree */
};

/* ---- What there is ---- */
/* principal's, entry or tombstone; NULL: none. */
struct held *held_find(const struct mobile *mobile, const struct principal *principal);
/* The one that forwards, whosever; NULL: none. */
struct held *held_entry(const struct mobile *mobile);
static inline bool held_is_entry(const struct held *held)
{
    return held != NULL && held->state != HELD_TOMBSTONE;
}
static inline bool held_lingers(const struct held *held)
{
    return timer_is_set(&held->linger);
}
/* Until nothing is forwarded any more, in milliseconds, rounded up. */
uint32_t held_left_ms(const struct held *held, struct instant now);
/* This node attracts the packets of mobile. */
bool held_intercepts(const struct mobile *mobile);
/* It would, if only its lease were in force. */
bool held_is_to_intercept(const struct mobile *mobile);
/* This node attracts them at this moment, where a lease may be over that nobody has noticed yet. */
bool held_intercepts_now(const struct mobile *mobile, struct instant now);
/* What it is here: fills in what delegation adds to a binding's view. */
void held_view(const struct mobile *mobile, struct instant now, struct binding_view *out);
/* Our part of the identifications of its outer source. */
uint8_t held_id_slot(const struct mobile *mobile);

/* ---- What the rule does ---- */
/* Forwards as offered, replacing what is there of this primary. NULL: out of memory, nothing changed. */
struct held *held_install(struct agent *agent, struct principal *principal, const struct offer *offer,
                          struct instant now);
/* Interception ends, and with it our announcements; then it lingers, if it does not already, or is gone. */
void held_stop(struct agent *agent, struct held *held, const struct delegation_stop *stop,
               struct instant now);
/* Remembers generation for a home address without an entry. False: no room. */
bool held_bury(struct agent *agent, struct principal *principal, const struct addr *home, uint64_t generation)
    __attribute__((warn_unused_result));
/* The entry ends; its generation is remembered while the floor is below it. */
void held_entomb(struct agent *agent, struct held *held);

/* ---- What happens to it ---- */
/* The primary's floor: tombstones at or below the highest heard in the session are forgotten, in steps. */
void held_floor(struct principal *principal, uint64_t floor);
/* One step of forgetting, or of dropping all that a dismissed primary delegated. False: nothing was to do. */
bool held_step(struct agent *agent, struct principal *principal);
bool held_has_work(const struct principal *principal);
void held_linger_due(struct agent *agent, struct timer *timer, struct instant now);
void held_duration_due(struct agent *agent, struct timer *timer, struct instant now);
/* Ended by the operator, or by our configuration: its primary hears of it as of a duration that is over. */
void held_revoke(struct agent *agent, struct mobile *mobile);
void held_rate(struct agent *agent, struct mobile *mobile, const struct agent_rate *rate, struct instant now);
/* Another station goes on using the address. */
void held_conflict(struct agent *agent, const struct mobile *mobile, const struct mac *claimant);
/* An ICMP error says so of a tunnel of home's, by its far end's side. mtu 0: unreachable. */
void held_tunnel_trouble(struct agent *agent, const struct mobile *mobile, uint16_t mtu);
/* Frees it, and nothing else. */
void held_destroy(struct agent *agent, struct held *held);

#endif
