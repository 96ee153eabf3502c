/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A primary as its secondary sees it: session and lease. What it has delegated is in held.h, by which rule in
 * order.h, what is reported to it in report.h; the walk through the table for its synchronisation in
 * snapshot.h.
 *
 * doc/delegation-protocol.md, "Timers, flow control, liveness".
 */
#ifndef AGENT_SECONDARY_PRINCIPAL_H
#define AGENT_SECONDARY_PRINCIPAL_H

#include "peer/peer.h"
#include "secondary/report.h"

struct held;
struct snapshot;

enum {
    PRINCIPAL_KEEPALIVE_MS = 500,
    PRINCIPAL_RETRY_MS = 200,   /* as long as there is no answer: a lease is to outlive the loss of some */
    PRINCIPAL_ASKING_MS = 1000, /* a session without a lease for so long: another is asked for */
    PRINCIPAL_KEEPALIVES = 16,  /* so many may be waiting for their answer */
    PRINCIPAL_LEASES = 8        /* the present session's, and of those before it */
};

struct lease {
    uint64_t end_ns; /* counted from our own sending of the KEEPALIVE that was answered */
    bool in_force;
};

struct principal {
    struct peer peer;  /* first */
    uint32_t term;     /* the highest obeyed */
    uint64_t floor;    /* the highest heard in this session */
    uint32_t sessions; /* counts them; the present one's number */
    uint64_t session_ns;
    bool leased; /* by the present session */
    uint64_t lease_end_ns;
    struct lease leases[PRINCIPAL_LEASES]; /* of session n at n modulo their number [S] */
    struct timer lease;                    /* TIMER_LEASE: the first end of a lease in force */
    struct timer keepalive;                /* TIMER_KEEPALIVE */
    struct keepalive {
        uint64_t sequence, sent_ns; /* sequence 0: none */
        uint32_t transaction;
        bool prompt;               /* sent at once, because an answer bore no LEASE */
    } asked[PRINCIPAL_KEEPALIVES]; /* sent last in this session */
    unsigned next_asked;
    uint64_t heard; /* highest sequence of a KEEPALIVE whose answer was heard */

    struct timer report; /* TIMER_REPORT: RATES */
    uint32_t report_ms;
    uint16_t report_top;
    struct busiest busiest;
    struct outbox outbox;

    struct held *entries;    /* active and lingering, in the order of their coming: DL by at_prev, at_next */
    struct held *tombstones; /* DL by at_prev, at_next */
    struct held *forgetting; /* the next tombstone to be held against the floor; NULL: all were */
    uint64_t entered;        /* counts what has come into entries */
    uint32_t n_active, n_lingering, n_tombstones;
    uint64_t digest;                      /* XOR over active entries */
    uint64_t buckets[DELEGATION_BUCKETS]; /* the same by bucket */
    struct snapshot *snapshot;            /* NULL: no synchronisation under way */
    uint32_t sync_request;                /* transaction of the session's last SYNC_REQ */
    bool sync_requested;                  /* there was one */
};

static inline struct principal *principal_of(struct peer *peer)
{
    return (struct principal *)peer;
}

#define PRINCIPALS_FOREACH(agent, principal)                                              \
    for (struct principal *principal = principal_of((agent)->peers); (principal) != NULL; \
         (principal) = principal_of((principal)->peer.next))

/* Our outer source towards far where the primary leaves it to us: the address that it knows us by, or else
 * the first one of ours of far's family, or the former if there is none. */
const struct addr *principal_own_source(const struct agent *agent, const struct principal *principal,
                                        const struct addr *far);
/* The present session's lease is in force at this moment. */
bool principal_leased(const struct principal *principal, struct instant now);
/* The lease of session number `session`, as far as time has been told to us; NULL: too long ago. */
const struct lease *principal_lease(const struct principal *principal, uint32_t session);
void principal_lease_due(struct agent *agent, struct timer *timer, struct instant now);
void principal_keepalive_due(struct agent *agent, struct timer *timer, struct instant now);
void principal_report_due(struct agent *agent, struct timer *timer, struct instant now);

#endif
