/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A primary without its store finds its bindings again in its secondaries' tables
 * (doc/delegation-protocol.md, "Synchronisation").
 */
#ifndef AGENT_PRIMARY_REBUILD_H
#define AGENT_PRIMARY_REBUILD_H

#include "node.h"

struct mobile;

/* A binding as a secondary described it: its care-of addresses by index, at least one. */
struct found {
    struct delegation_start starts[AGENT_CARE_OF_MAX];
    size_t n;
};

/* It says more than we know: the node has not synchronised since our start, nothing was heard of the mobile
 * node since then, and it has no binding, or one rebuilt from an older START. */
bool rebuild_applies(const struct agent *agent, const struct node *node, const struct mobile *mobile,
                     const struct found *found);
/* Makes the binding what was found, and node its owner. False: out of memory; to be tried again. */
bool rebuild(struct agent *agent, struct node *node, struct mobile *mobile, const struct found *found,
             struct instant now) __attribute__((warn_unused_result));
/* What a START bears of mobile's replay protection, for a primary that has lost it. */
uint64_t rebuild_cookie(const struct mobile *mobile);

#endif
