/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A secondary as its primary sees it: the session's consequences, liveness and lease, what it reports. What
 * it is wanted to do is in operation.h; which bindings it gets in delegation.h and policy.h; whether its
 * table is what we think in resync.h.
 *
 * doc/delegation-protocol.md, "Timers, flow control, liveness".
 */
#ifndef AGENT_PRIMARY_NODE_H
#define AGENT_PRIMARY_NODE_H

#include "peer/peer.h"

struct holding;
struct batch;
struct resync;
struct shelf;

enum {
    NODE_KEEPALIVE_MS = 500,
    NODE_SILENCE_MS = 1250, /* two and a half intervals */
    NODE_DETECTION_MS = 250,
    NODE_STALLED_MS = 10000,
    NODE_REPORT_MS = 1000,
    NODE_REPORT_TOP = 1024,
    NODE_ANSWERS = 16
};
/* Stops and care-of changes, new starts, moves, resynchronisation: the order of sending. */
enum send_order { SEND_URGENT, SEND_NEW, SEND_MOVE, SEND_RESYNC, SEND_ORDERS };

/* A KEEPALIVE that we answered. */
struct answer_sent {
    uint64_t sequence;
    uint64_t at_ns;
    bool leased;
};

struct node {
    struct peer peer;      /* first */
    enum peer_state state; /* PEER_UNMET: never a session since our start. SYNCING: in session, not
                              synchronised. READY, SUSPECT: KEEPALIVEs are missing, or it may not hear our
                              answers, or is stuck. DEAD: its lease is over for certain */
    bool draining;         /* by the operator, by its own LOAD, its link down, or dismissed */
    bool dismissed;
    uint32_t sessions;           /* counts them: which one a START was acknowledged in */
    struct timer lease;          /* TIMER_NODE_LEASE: the earlier of dead_ns and former_ns */
    struct timer stalled;        /* TIMER_NODE_STALLED: its KEEPALIVEs are missing */
    uint64_t answered_ns;        /* the last KEEPALIVE_ACK with a LEASE that we sent in this session */
    struct delegation_load load; /* its last report */
    uint64_t load_ns;

    /* liveness.c's */
    uint64_t dead_ns; /* when whatever it intercepts it intercepts no more, unless it hears of us again. Runs
                         on over a change of session. TIMER_NEVER: nothing runs */
    uint64_t former_ns; /* when the leases of former sessions, or from before our start, are over for certain;
                           TIMER_NEVER: they were seen to be */
    struct answer_sent answers[NODE_ANSWERS];
    uint32_t n_answers; /* in this session */
    uint64_t heard;     /* highest sequence among those that it says it heard answered */
    uint64_t heard_ns;  /* when the last LEASE was sent that it heard; the first answer, while it has none */
    bool hears_again;   /* since then, an answer without one */
    bool tried;         /* and was given a LEASE for that */
    uint64_t oldest;    /* generation of the operation open for longest, at the last KEEPALIVE; 0: none */
    uint64_t oldest_ns; /* since when it is that one */
    bool withheld;      /* KEEPALIVEs are answered without a LEASE */
    bool silent;        /* KEEPALIVEs are missing */
    bool dead;
    bool drained;       /* by the operator */
    bool link_down;     /* as it reported */
    uint64_t link_told; /* sequence of the datagram that told of it last, in this session */
    bool synchronised;  /* in this session */
    bool rebuilds;      /* its first synchronisation since our start is not over: bindings come out of it */

    /* operation.c's */
    struct holding *holdings; /* all of them: DL by at_prev, at_next */
    struct holding
        *open; /* not acknowledged, in the order of their generations: DL by open_prev, open_next */
    struct holding *queue[SEND_ORDERS][2]; /* waiting to be sent, STARTs and STOPs apart: DL by queue_prev,
                                              queue_next */
    uint32_t n_queued;
    bool blocked;            /* more is queued than the window allows */
    struct timer flush;      /* TIMER_NODE_FLUSH: end of batching */
    struct holding *reissue; /* the next one to be started again after a change of session; NULL: all were */
    struct holding *moot;    /* the next one to be let go after its death; NULL: all were */
    struct holding *lapsed;  /* the next one to be looked at after a former session's lease is over */
    bool restarted;          /* reissue: it holds nothing of what it held */
    /* Owned: whose owner it is; targeted: to be so when their START is acknowledged. */
    uint32_t n_owned, n_targeted, n_lingering, n_open;
    uint64_t digest;      /* XOR over its entries that are acknowledged and active */
    uint64_t progress_ns; /* an operation was acknowledged, or none was open */

    struct resync *resync;     /* resync.c's; NULL: none under way */
    uint32_t synchronisations; /* begun: numbers them */
    unsigned mismatches;       /* of the digest in a row with nothing in flight */
    uint64_t rested_ns;        /* none by digest begins before */
    uint64_t compared_ns;      /* when digests were last compared */

    /* policy.c's */
    struct shelf *shelf; /* its bindings by rate; NULL: none yet */
};

static inline struct node *node_of(struct peer *peer)
{
    return (struct node *)peer;
}

/* May be given bindings now: in session, lease in force, synchronised, neither suspect nor draining. */
bool node_is_eligible(const struct node *node);
struct node *node_by_name(const struct agent *agent, const char *name);
/* Calls each; the order is that of the configuration. */
#define NODES_FOREACH(agent, node)                                                                     \
    for (struct node *node = (agent)->settings.role == AGENT_PRIMARY ? node_of((agent)->peers) : NULL; \
         node != NULL; node = node_of(node->peer.next))

/* Works out anew how it stands, and tells policy where that has changed. */
void node_settle(struct agent *agent, struct node *node, struct instant now);
void node_lease_over(struct agent *agent, struct timer *timer, struct instant now);
void node_stalled(struct agent *agent, struct timer *timer, struct instant now);
/* An operation of the node, or a synchronisation, has made progress. */
void node_progress(struct agent *agent, struct node *node, struct instant now);
void node_set_draining(struct agent *agent, struct node *node, bool draining, struct instant now);

/* Our term: above every one that any secondary has seen. Raises it above `seen` if need be. */
void node_raise_term(struct agent *agent, uint32_t seen);
uint64_t generation_next(struct agent *agent);
/* Without a store we intercept nothing before every configured secondary has synchronised, or its former
 * lease is over for certain. */
bool node_may_intercept(const struct agent *agent, struct instant now);

#endif
