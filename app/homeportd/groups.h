/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The multicast groups that a link is listened to for, and for how many addresses each: solicited-node
 * groups, which differ in their last 24 bits (RFC 4291 section 2.7.1), and all routers. A number stands for a
 * group.
 *
 * A table of pages, made when they are first used and freed when they are empty: nothing ever moves, so that
 * a walk goes on where it stood, and a million groups close to each other take 4 MiB. Control's alone.
 */
#ifndef HOMEPORTD_GROUPS_H
#define HOMEPORTD_GROUPS_H

#include <assert.h>

#include "addr.h"

enum { GROUP_ALL_ROUTERS = 1 << 24, GROUPS_END };

uint32_t group_of(const struct addr *address); /* the solicited-node group of an IPv6 address */
struct addr group_address(uint32_t group);
/* False: that is none that is ever listened to here. */
bool group_named(const struct addr *address, uint32_t *group);

struct membership {
    uint32_t addresses : 25; /* that need it; 0: it is being left */
    uint32_t sends : 3;      /* of its last change that are still to be made */
    uint32_t fresh : 1;      /* it is among those of which the first one is */
    uint32_t suppressed : 2; /* the round in which another has answered for it (RFC 2710 section 4) */
    uint32_t version_1 : 1;  /* in which its last change was said first */
};
static_assert(sizeof(struct membership) == sizeof(uint32_t), "a million of these are kept");

struct groups;
struct groups *groups_create(void);
void groups_destroy(struct groups *groups);

/* NULL: it is not there. */
struct membership *groups_find(const struct groups *groups, uint32_t group);
/* Made, all zero, if need be. NULL: out of memory. */
struct membership *groups_get(struct groups *groups, uint32_t group);
void groups_drop(struct groups *groups, uint32_t group);
/* The first one at or behind `from`; GROUPS_END: none. */
uint32_t groups_next(const struct groups *groups, uint32_t from);

#endif
