/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The binding table as control fills it: bindings become tunnel entries, neighbours on a home network become
 * on-link entries, the appliance's own addresses local ones. Every tunnel entry holds a reference to the
 * neighbour that is its next hop.
 *
 * Control's alone.
 */
#ifndef HOMEPORTD_FORWARDING_H
#define HOMEPORTD_FORWARDING_H

#include "control.h"

/* What stands for f->home from now on. If the table has no room at this moment, it is tried again by
 * forwarding_work. */
void forwarding_install(struct control *c, const struct forwarding *f);
void forwarding_remove(struct control *c, const struct addr *home);
/* A neighbour that nothing refers to is resolved, or gone: if its address lies on a home network, its packets
 * go, or no longer go, to it without asking control. */
void forwarding_on_link(struct control *c, const struct neighbor_view *neighbor, bool resolved);

/* The addresses that are the appliance's own now, in place of those until now. 0 or -errno. */
int forwarding_set_local(struct control *c);

/* address is the home agents' anycast address of a home network on that port, and we are one of them. */
bool forwarding_is_anycast(const struct control *c, unsigned port_index, const struct addr *address);

/* Begins to put every binding anew, after routes, ports or MTUs have changed. */
void forwarding_refresh(struct control *c);
/* Goes on with it, at most budget bindings, and with what had no room. True while there is more to do that
 * does not have to wait for the workers to let go of what was replaced. */
bool forwarding_work(struct control *c, size_t budget);

#endif
