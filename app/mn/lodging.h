/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * On which of the kernel's interfaces the home addresses are: on the TUN device, on the home link, or
 * nowhere. What was put there is taken away again; an address that somebody else had put there stays. One
 * owner thread.
 */
#ifndef MN_LODGING_H
#define MN_LODGING_H

#include "fleet.h"
#include "iface.h"

struct lodging;

/* NULL: out of memory. */
struct lodging *lodging_create(struct fleet *fleet);
/* Takes the addresses away. */
void lodging_destroy(struct lodging *l);

/* Moves all home addresses to an interface (NULL: to none). 0 or -errno. */
int lodging_move(struct lodging *l, const char *interface, uint8_t bits);
/* Announces a home address on the interface where it is. 0 or -errno. */
int lodging_announce(const struct lodging *l, const struct addr *home);

#endif
