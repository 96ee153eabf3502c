/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The appliance as a listener on its links (RFC 3810): whatever comes to the solicited-node group of an
 * address that it has, asks for or answers for, and to all routers where it advertises itself, has to pass
 * switches that snoop. Its own addresses follow host_nd, home addresses what the agent says.
 *
 * Control's alone. The work of a call is bounded.
 */
#ifndef HOMEPORTD_HOST_MLD_H
#define HOMEPORTD_HOST_MLD_H

#include "listener.h"
#include "own_address.h"

struct control;

enum { HOST_MLD_OWN_MAX = OWN_ADDRESSES_MAX + 1 /* all routers */ + AGENT_HOME_NETWORKS_MAX /* anycast */ };

struct host_mld {
    struct host_mld_port {
        struct listener listener;
        enum conf_mld wanted;
        uint32_t own[HOST_MLD_OWN_MAX]; /* groups of the port's own addresses that are joined */
        size_t n_own;
        /* As it was when home addresses were given to ports. */
        struct prefix networks[CONF_PORT_ADDRESSES_MAX];
        size_t n_networks;
    } port[CONF_PORTS_MAX];
    uint64_t again_ns; /* memory was short: all is begun anew then; 0: not */
};

/* Before host_nd_start. seed as there. */
void host_mld_start(struct control *c, uint64_t seed);
/* Leaves the groups of the appliance's own addresses; others end by themselves. */
void host_mld_stop(struct control *c);
/* The ports' addresses or settings may have changed; after host_nd has them. */
void host_mld_readdressed(struct control *c);

/* The states of the port's own addresses, or that it advertises, have changed. */
void host_mld_own(struct control *c, unsigned port_index);
/* address, joined before, is about to be asked for: its group is told at once (RFC 4862 section 5.4.2). */
void host_mld_tell(struct control *c, unsigned port_index, const struct addr *address);
/* Who hears us on the port may know nothing of us. */
void host_mld_tell_all(struct control *c, unsigned port_index);
/* The agent answers for a home address, or no more. */
void host_mld_listen(struct control *c, const struct listening *listening);

/* A message heard on a port. */
void host_mld_heard(struct control *c, unsigned port_index, const struct mld *heard);

/* What is due by now. True: there was something. */
bool host_mld_work(struct control *c);
uint64_t host_mld_deadline(const struct control *c);

#endif
