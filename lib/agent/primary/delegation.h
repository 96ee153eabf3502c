/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delegation of one binding: who forwards it, and how that changes (doc/delegation-protocol.md, "State
 * machines"). A mobile that was never delegated has none: it is local. The primary's own table holds every
 * binding as backstop; what changes is who attracts its packets.
 *
 * Hooks are called by binding.c and registration.c; moves by policy.c and the operator.
 */
#ifndef AGENT_PRIMARY_DELEGATION_H
#define AGENT_PRIMARY_DELEGATION_H

#include "operation.h"

/* X(name, text) */
#define DELEGATION_STATES(X)  \
    X(LOCAL, "local")         \
    X(STARTING, "starting")   \
    X(DELEGATED, "delegated") \
    X(MOVING, "moving")       \
    X(RECALLING, "recalling") \
    X(ORPHAN, "orphan")       \
    X(ENDED, "ended")
enum delegation_state {
#define X(name, text) DELEGATION_STATE_##name,
    DELEGATION_STATES(X)
#undef X
};

struct delegation {
    struct mobile *mobile;
    struct holding *holdings; /* the nodes that forward, linger, or may hold something */
    struct node *owner;       /* who is to attract its packets; NULL: the primary */
    struct node *target;      /* whom a START in flight shall make the owner; NULL: none */
    uint8_t state;            /* enum delegation_state */
    bool local;               /* the primary attracts its packets */
    bool postponed;           /* to be placed when no other node may be attracting its packets any more */
    bool muted;               /* it would, but may not yet (node_may_intercept) */
    bool orphan;              /* its owner is dead and nobody has taken over yet, or it lost its table */
    bool replaced;            /* a second node was tried after a refusal, since it was last delegated */
    uint64_t rebuilt; /* generation of the START that rebuild.c took the binding from; 0: it did not */
    struct held_reply *reply; /* NULL: none waits */
    struct timer renew; /* TIMER_RENEW: half of a START's duration, where that is shorter than the lifetime;
                           muted: look again whether it may intercept */
};

/* ---- What happened to a binding ---- */
/* It was created, or came back before the holdings of its former life were gone. Decides with policy_place,
 * and installs interception here where the primary forwards first. True: its registration reply is to be held
 * (delegation_hold_reply follows). */
bool delegation_bound(struct agent *agent, struct mobile *mobile, struct instant now);
void delegation_hold_reply(struct agent *agent, struct mobile *mobile, const struct message *reply,
                           struct instant now);
/* A reply is being held: a duplicate of its request is coalesced, a newer one's reply replaces it. */
bool delegation_holds_reply(const struct mobile *mobile);
/* Care-of addresses, lifetime, tunnel MTU or source changed: the forwarder and all who linger hear of it. */
void delegation_changed(struct agent *agent, struct mobile *mobile, struct instant now);
/* What holding's node has of a binding that lives may be older: it hears where the binding leads, if it is to
 * forward there at all. */
void delegation_tell(struct agent *agent, struct holding *holding, struct instant now);
/* The binding has ended. mac: the mobile node's own where it is back home, else NULL. */
void delegation_ended(struct agent *agent, struct mobile *mobile, uint8_t reason, const struct mac *mac,
                      struct instant now);

/* ---- Moves ---- */
/* Voluntary: make before break. node NULL: recall. */
enum agent_refusal delegation_move(struct agent *agent, struct mobile *mobile, struct node *node,
                                   struct instant now);
/* Not waiting for anybody: its forwarder is dead or gives it up. node NULL: the primary itself takes over at
 * once. */
void delegation_take_over(struct agent *agent, struct mobile *mobile, struct node *node, struct instant now);
/* Synchronisation found it intercepting at node, and we have no store: node is its owner, and is started
 * again [S]; another owner lingers, and whoever else holds something of it hears where it leads. The binding
 * exists already and bears what node said of it. False: out of memory. */
bool delegation_rebuilt(struct agent *agent, struct mobile *mobile, struct node *node, struct instant now)
    __attribute__((warn_unused_result));
/* Its owner announces again, with a new generation: neighbours may have heard somebody else (EVENT_STRAYS),
 * or the owner has lost it (EVENT_EXPIRED). */
void delegation_announce_again(struct agent *agent, struct mobile *mobile, struct instant now);

/* ---- What operations report ---- */
void delegation_started(struct agent *agent, struct holding *holding, struct instant now);
/* Refused or given up; the STOP that has to follow is issued already. status: enum delegation_status. */
void delegation_failed(struct agent *agent, struct holding *holding, uint8_t status, struct instant now);
/* A node is done with (holding_release). haunts: it may have announced what it was never acknowledged for. */
void delegation_released(struct agent *agent, struct delegation *delegation, bool haunts, struct instant now);
/* The node has owned it without an acknowledged START in the present session for longer than a former
 * session's lease: the primary attracts its packets until there is one [S]. */
void delegation_lapsed(struct agent *agent, struct holding *holding, struct instant now);
/* The node has a new epoch and is being sent again what it owned: until it has acknowledged that, it is an
 * orphan. */
void delegation_lost_table(struct agent *agent, struct holding *holding);
/* The node that owned it is dead. */
void delegation_orphaned(struct agent *agent, struct holding *holding, struct instant now);
/* Frees it if nothing is left to know. */
void delegation_forget_if_idle(struct agent *agent, struct delegation *delegation);
struct delegation *delegation_get(struct agent *agent,
                                  struct mobile *mobile); /* made if need be; NULL: memory */
void delegation_destroy(struct agent *agent, struct delegation *delegation);

/* ---- Timers ---- */
void delegation_reply_due(struct agent *agent, struct timer *timer, struct instant now);
void delegation_renew_due(struct agent *agent, struct timer *timer, struct instant now);

/* NULL: the primary itself, or no binding. */
struct node *delegation_owner(const struct mobile *mobile);
/* The primary attracts its packets: it answers ARP and announces. */
bool delegation_is_local(const struct mobile *mobile);
const char *delegation_state_text(const struct mobile *mobile);

#endif
