/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The appliance as an IPv6 neighbour and router on its links (RFC 4861): it answers for its own addresses,
 * once duplicate address detection has let them pass, and for home addresses that the agent intercepts (RFC
 * 6275 section 10.4.1), and advertises itself where it is told to.
 *
 * Control's alone. The work of a call is bounded by the number of ports and of their addresses.
 */
#ifndef HOMEPORTD_HOST_ND_H
#define HOMEPORTD_HOST_ND_H

#include "advertiser.h"
#include "own_address.h"

struct control;

struct host_nd {
    struct host_nd_port {
        struct own_addresses own;
        struct advertiser advertiser;
    } port[CONF_PORTS_MAX];
    uint64_t random;
    uint64_t delay_ns;      /* what a link's first message is put off by, at most (RFC 4862 section 5.4.2) */
    uint64_t tell_again_ns; /* conflicts are not logged before this */
};

/* Begins with the ports as they are; after control has everything else. seed: anything that differs from one
 * appliance to the next. */
void host_nd_start(struct control *c, uint64_t seed);
/* Advertises no more, and says so (RFC 4861 section 6.2.5). */
void host_nd_stop(struct control *c);
/* A port's link came up: its addresses are asked for anew. */
void host_nd_link_up(struct control *c, unsigned port_index);
/* The ports' addresses, or what they advertise, may have changed. */
void host_nd_readdressed(struct control *c);

/* A message heard on a port, sent by the station at `from`. */
void host_nd_serve(struct control *c, unsigned port_index, const struct mac *from, const struct nd *nd);
/* Who has target? Asks everybody, or `known` alone; from an address of ours that is usable, else not at all.
 */
void host_nd_solicit(struct control *c, unsigned port_index, const struct addr *target,
                     const struct mac *known);
/* Does anybody have address? One solicitation from nobody (RFC 4862 section 5.4.2), for the agent. */
void host_nd_probe(struct control *c, unsigned port_index, const struct addr *address);
/* Tells all nodes that address is at our MAC address: an own one, or one that we intercept for. */
void host_nd_announce(struct control *c, unsigned port_index, const struct addr *address);

/* What is due by now. True: there was something. */
bool host_nd_work(struct control *c);
uint64_t host_nd_deadline(const struct control *c);

/* own is an address of the port, link-local or not, that is neither tentative nor another station's. */
bool host_nd_is_usable(const struct control *c, unsigned port_index, const struct addr *own);

#endif
