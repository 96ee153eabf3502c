/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operations: what a node is wanted to do about one binding, and what it may be doing for all that we know
 * (doc/delegation-protocol.md, principles 1, 2 and 6). Level-triggered: only the newest wish is ever sent; a
 * retransmission is built from it anew. START is given up after four tries and followed by a STOP; STOP never
 * is. Every operation takes a new generation.
 */
#ifndef AGENT_PRIMARY_OPERATION_H
#define AGENT_PRIMARY_OPERATION_H

#include "node.h"

struct delegation;
struct mobile;

enum wish { WISH_STOP, WISH_FORWARD, WISH_INTERCEPT };

struct holding {
    struct holding *next; /* delegation->holdings */
    struct delegation *delegation;
    struct node *node;
    struct holding *at_prev, *at_next;
    struct holding *open_prev, *open_next;
    struct holding *queue_prev, *queue_next; /* a queue of the node's, or of its batch */
    struct batch
        *batch; /* that bears it, sent and not acknowledged; NULL: waits in a queue, or is not open */
    uint64_t generation;  /* of the newest operation */
    uint64_t start;       /* generation of the START last acknowledged, for the digest; 0: none */
    uint32_t told;        /* node->sessions when it was last sent */
    uint32_t session;     /* node->sessions when it was acknowledged */
    uint32_t synced;      /* resync.c's: number of the synchronisation that named it last */
    uint32_t duration_ms; /* WISH_FORWARD: as sent last */
    uint16_t bucket;      /* of its home address, for synchronisation */
    uint8_t wish;         /* enum wish: of the newest operation */
    uint8_t order;        /* enum send_order */
    uint8_t reason, mode; /* STOP: enum delegation_reason, delegation_mode */
    uint8_t tries;        /* datagrams of this wish; what is asked again with a new generation counts on */
    bool open : 1;        /* not acknowledged */
    bool queued : 1;      /* in one of the node's queues */
    bool announces : 1;   /* START: with gratuitous ARP */
    bool haunts : 1;      /* an announcing START was superseded without being acknowledged: what supersedes it
                             announces too, and when this node is done with, the owner announces again [S] */
    bool may_intercept : 1; /* a START with intercept was sent that no acknowledged STOP or forward-only START
                               followed, nor a death */
    struct mac mac;         /* STOP_DELIVER */
    uint64_t digest;        /* its share of node->digest; 0: none */
    uint64_t linger_ns;     /* when its linger is over by our count; 0: no STOP was acknowledged yet */
    struct timer leave; /* TIMER_HOLDING. Not open: it lingers no more, by the longest count. Open: it is to
                           be asked again */
};

struct operation {
    enum wish wish;
    bool announce;
    enum send_order order;
    uint8_t reason, mode; /* WISH_STOP */
    struct mac mac;
};

struct holding *holding_find(const struct delegation *delegation, const struct node *node);
/* Wants node to do this about delegation's binding, with a new generation. False: out of memory, nothing
 * changed (never for a node that has a holding already). A STOP where nothing is wanted to intercept is for
 * what synchronisation found too much: such an entry may intercept, and may have announced. */
bool operation_issue(struct agent *agent, struct delegation *delegation, struct node *node,
                     const struct operation *operation, struct instant now)
    __attribute__((warn_unused_result));
/* Some node other than `but` has an operation of this binding that is not acknowledged. */
bool operations_open(const struct delegation *delegation, const struct node *but);

/* Sends what the window and batching allow now. */
void operations_send(struct agent *agent, struct node *node, struct instant now);
void operations_flush_due(struct agent *agent, struct timer *timer, struct instant now);
void operation_acknowledged(struct agent *agent, struct node *node, const struct delegation_ack *ack,
                            struct instant now);
void holding_leave_due(struct agent *agent, struct timer *timer, struct instant now);
/* Below every operation issued for this node that is not acknowledged or superseded; 0 before it has
 * synchronised. */
uint64_t operations_floor(const struct agent *agent, const struct node *node);
/* A START is open there, and what the node has may be of an older one. */
bool holding_may_be_behind(const struct holding *holding);
/* Its node is done with: it intercepts no more for certain. False: the binding has been placed there anew by
 * that, so the holding is needed. */
bool holding_release(struct agent *agent, struct holding *holding, struct instant now)
    __attribute__((warn_unused_result));
/* Closes it without an answer, for its node holds nothing any more; it waits for nothing. */
void holding_settle(struct agent *agent, struct holding *holding);
/* And its delegation, if that is over. */
void holding_free(struct agent *agent, struct holding *holding);
/* The same wish with a new generation. */
void operation_repeat(struct agent *agent, struct holding *holding, struct instant now);
/* START: no more tries; a STOP follows. */
void operation_give_up(struct agent *agent, struct holding *holding, struct instant now);
/* WISH_FORWARD: how long it may still forward, by our count; 0: not any more. */
uint32_t holding_linger_left_ms(const struct agent *agent, const struct holding *holding, struct instant now);
/* A session has begun: everything open is to be sent anew, everything owned to be started again, with new
 * generations [S]; in steps of operations_step. restarted: it holds nothing of what it held. */
void operations_session_began(struct agent *agent, struct node *node, bool restarted, struct instant now);
/* Its lease is over for certain and its session destroyed: nothing there intercepts; what was open is moot.
 * In steps. */
void operations_node_dead(struct agent *agent, struct node *node, struct instant now);
/* The lease of a former session is over for certain: what it owns without an acknowledged START in the
 * present session is intercepted and announced by the primary [S]. In steps. */
void operations_lapsed(struct agent *agent, struct node *node, struct instant now);
bool operations_have_work(const struct node *node);
/* One step of what those three left to do. False: nothing was. */
bool operations_step(struct agent *agent, struct node *node, struct instant now);
/* It holds and owns nothing, as far as we know, and nothing is open. */
bool operations_are_over(const struct node *node);

#endif
