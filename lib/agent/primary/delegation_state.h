/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two files of a delegation share: delegation.c (its life, who attracts its packets, what happened
 * to its binding) and moves.c (how it comes to another forwarder). Nobody else includes this.
 */
#ifndef AGENT_PRIMARY_DELEGATION_STATE_H
#define AGENT_PRIMARY_DELEGATION_STATE_H

#include "internal.h"

#include "primary/delegation.h"

bool delegation_is_bound(const struct delegation *delegation);
/* [S] A START may have been obeyed that is not known to be undone: nobody else becomes the final home before
 * that. */
bool delegation_is_haunted(const struct delegation *delegation);
/* Works its state out anew, after any change. */
void delegation_restate(struct delegation *delegation);
/* NULL: nobody. They keep the nodes' counts right. */
void delegation_set_owner(struct delegation *delegation, struct node *node);
void delegation_set_target(struct delegation *delegation, struct node *node);

/* The primary attracts its packets: answers ARP, and announces. */
void delegation_attract(struct agent *agent, struct delegation *delegation, struct instant now);
void delegation_cease(struct agent *agent, struct delegation *delegation);
/* Longer lifetimes than a START may bear are told an hour at a time, and again after half of it. After any
 * change of owner, target or lifetime. */
void delegation_arm_renewal(struct agent *agent, struct delegation *delegation, struct instant now);

/* node is to intercept. False: out of memory. */
bool delegation_issue_start(struct agent *agent, struct delegation *delegation, struct node *node,
                            enum send_order order, bool announce, struct instant now);
/* node is to become the owner. False: out of memory. */
bool delegation_start_at(struct agent *agent, struct delegation *delegation, struct node *node,
                         enum send_order order, struct instant now);
/* node, if it holds anything, is to attract its packets no more. */
void delegation_stop_with_linger(struct agent *agent, struct delegation *delegation, const struct node *node,
                                 uint8_t reason, struct instant now);

#endif
