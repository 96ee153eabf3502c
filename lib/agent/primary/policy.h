/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who should forward: placement of new bindings, balancing, draining, the pace of all that, and the memory of
 * decisions (doc/delegation-protocol.md, "Balancing"). It decides; delegation.c does. Rates per binding are
 * kept in rated.h, sorted in shelf.h; the arithmetic of balancing is the pure balance.h.
 */
#ifndef AGENT_PRIMARY_POLICY_H
#define AGENT_PRIMARY_POLICY_H

#include "node.h"

struct mobile;

/* What is known of mobile's traffic, into the view: packets, bytes, pps, kbps. */
void policy_view(const struct agent *agent, const struct mobile *mobile, struct instant now,
                 struct binding_view *out);
/* Whom a new binding should go to by itself; NULL: it stays with the primary (no eligible node, when =
 * on-load or manual). */
struct node *policy_place(struct agent *agent, const struct mobile *mobile, struct instant now);
/* The same for one that must leave `from` (dead, draining, refused); never `from`. */
struct node *policy_replace(struct agent *agent, const struct mobile *mobile, const struct node *from,
                            struct instant now);
/* Who forwards mobile has changed: from and to NULL are the primary itself. Keeps counts and sums right. */
void policy_moved(struct agent *agent, struct mobile *mobile, struct node *from, struct node *to,
                  struct instant now);
/* The binding has ended, or the mobile is going away. */
void policy_forget(struct agent *agent, struct mobile *mobile);
/* A node became eligible, suspect, dead, draining, or came or went. */
void policy_membership(struct agent *agent, struct instant now);
/* The bindings of a dead node wait to be taken over, busiest first, as orphans (delegation_orphaned calls
 * this). */
void policy_orphan(struct agent *agent, struct mobile *mobile, struct instant now);
/* What node (NULL: this one) counts of mobile. */
void policy_rate(struct agent *agent, struct mobile *mobile, struct node *node, const struct agent_rate *rate,
                 struct instant now);
void policy_due(struct agent *agent, struct timer *timer, struct instant now);
/* One step of paced work. False: none is due. */
bool policy_step(struct agent *agent, struct instant now);
bool policy_has_work(const struct agent *agent, uint64_t now_ns);
struct policy *policy_create(struct agent *agent); /* NULL: no memory */
void policy_destroy(struct agent *agent);
/* The settings of delegation may have changed. */
void policy_configured(struct agent *agent);

#endif
