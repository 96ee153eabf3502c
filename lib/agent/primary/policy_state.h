/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the policy share: policy.c (what it is told), placement.c (who should take a binding),
 * handover.c and rebalance.c (what moves), pace.c (how fast), upkeep.c (that the accounts are right),
 * operator.c (what an operator asks), decisions.c (what is shown of it).
 *
 * With secondaries configured each binding has a struct rated, on the shelf of who forwards it, or of who
 * is about to: a move is accounted as soon as it begins, and put right when it comes to nothing.
 */
#ifndef AGENT_PRIMARY_POLICY_STATE_H
#define AGENT_PRIMARY_POLICY_STATE_H

#include "internal.h"

#include "primary/balance.h"
#include "primary/delegation.h"
#include "primary/policy.h"
#include "primary/rated.h"

enum { DECISIONS_KEPT = 64, PLAN_MAX = 64 };

/* A rebalancing. */
struct run {
    bool on;         /* in this period */
    bool begun;      /* goes on until all is even enough, over periods */
    bool asked;      /* by the operator: whenever, and whatever moved lately */
    unsigned warm;   /* periods in a row that found it uneven, but not hot */
    uint32_t budget; /* moves left in this period */
    uint64_t next_ns, urgent_ns;
};

/* What agent_delegate_busiest left to do. */
struct errand {
    uint32_t left;
    char to[AGENT_NAME_MAX]; /* empty: as policy has it */
};

struct policy {
    struct timer timer; /* TIMER_POLICY */
    bool awake;         /* policy_step has something to look at */
    struct shelf own;   /* what the primary itself forwards */
    struct shelf orphans;
    struct shelf *shelves; /* of nodes */
    struct rated *sounding, *pending;
    uint32_t n_pending;
    struct limit moves;

    /* A walk over all bindings, to see them for the first time or to forget what was done by hand. */
    bool walking, releasing;
    size_t walk_at;
    bool indexed; /* every binding was seen since there are secondaries */

    bool shedding; /* on-load: above the threshold, and not yet far enough below */
    bool dividing; /* everything, also what the primary would keep */
    struct errand errand;
    struct run run;
    uint64_t changed_ns; /* the eligible nodes became others; 0: never */
    uint64_t cold_ns;    /* the first node came while nothing was delegated; 0: never */

    struct decision decisions[DECISIONS_KEPT];
    size_t n_decisions; /* ever made */
    struct decision plan[PLAN_MAX];
    size_t n_plan;
    uint32_t plan_number;
};

/* ---- policy.c ---- */
struct rated *policy_rated(struct agent *agent, struct mobile *mobile); /* made if need be; NULL: no memory */
/* Of node, or of the primary (NULL). NULL: no memory. */
struct shelf *policy_shelf(struct agent *agent, struct node *node);
void policy_settle(struct agent *agent, struct rated *rated, struct node *node);
/* It is on its way to where it was settled. */
void policy_pend(struct agent *agent, struct rated *rated, struct instant now);
void policy_unpend(struct agent *agent, struct rated *rated);
/* One binding of a walk. */
void policy_see(struct agent *agent, struct mobile *mobile);
void policy_wake(struct agent *agent);
const char *policy_name(const struct node *node); /* "self" for the primary */

/* ---- placement.c ---- */
struct candidates {
    struct node *node[BALANCE_NODES_MAX];
    struct balance_node as[BALANCE_NODES_MAX];
    size_t n;
};
/* The eligible nodes, as balancing sees them. */
void placement_candidates(struct agent *agent, struct instant now, struct candidates *out);
/* Who should take mobile, but for `except`. NULL: nobody. */
struct node *placement_choose(struct agent *agent, const struct mobile *mobile, const struct node *except,
                              struct instant now);
/* Ramping up: it came not long ago. */
bool placement_joins(const struct shelf *shelf, struct instant now);
/* In permille of the unit of weight; 0: draining. */
uint32_t placement_weight(const struct node *node, struct instant now);
struct balance_usage placement_usage(const struct node *node);

/* ---- pace.c ---- */
/* Which bindings a search may return. */
struct mobility {
    struct instant now;
    uint64_t dwell_ns; /* where they are for so long at least */
    bool by_hand;      /* those as well */
    uint32_t plan;     /* but for those that this plan has moved; 0: none has */
};
bool pace_may_move(const void *mobility, const struct rated *rated);
/* Another move may begin now. */
bool pace_allows(struct agent *agent, struct instant now);
/* Begins a move; to NULL: to the primary. */
enum agent_refusal pace_move(struct agent *agent, struct rated *rated, struct node *to, const char *why,
                             struct instant now);

/* What a kind of work comes to. */
enum outcome { NOTHING, DONE, HELD_UP };
/* As pace_move, at the cost of what pace_allows. */
enum outcome pace_spend(struct agent *agent, struct rated *rated, struct node *to, const char *why,
                        struct instant now);

/* ---- handover.c ---- */
enum outcome handover_from_dead(struct agent *agent, struct instant now);
enum outcome handover_drain(struct agent *agent, struct instant now);
enum outcome handover_errand(struct agent *agent, struct instant now);
enum outcome handover_shed(struct agent *agent, struct instant now);
enum outcome handover_rest(struct agent *agent, struct instant now);

/* ---- rebalance.c ---- */
enum outcome rebalance(struct agent *agent, struct instant now);
/* The next move, by the policy in force. */
enum balance_result rebalance_find(struct agent *agent, const struct candidates *candidates,
                                   const struct mobility *mobility, unsigned begin,
                                   struct balance_move *move);

/* ---- upkeep.c ---- */
enum outcome upkeep_walk(struct agent *agent, struct instant now);
enum outcome upkeep_reconcile(struct agent *agent, struct instant now);
enum outcome upkeep_decay(struct agent *agent, struct instant now);
/* What nodes told of themselves. */
void upkeep_loads(struct agent *agent);

/* ---- decisions.c ---- */
struct decision decision_of(const struct rated *rated, const char *from, const char *to, const char *why,
                            struct instant now);
void decision_keep(struct agent *agent, const struct decision *decision);

#endif
