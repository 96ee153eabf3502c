/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The appliance as a small host of its own: what workers punt is answered here - ARP and neighbour
 * discovery for its own addresses and for bound home addresses, ICMP echo and errors, UDP and Mobility
 * Headers to the protocols - with no kernel socket on the path.
 *
 * Control's alone.
 */
#ifndef HOMEPORTD_HOST_H
#define HOMEPORTD_HOST_H

#include "control.h"

/* Serves what was punted, every class in turn, a bounded number of each. Returns how many packets there were.
 */
unsigned host_serve(struct control *c);
/* Announces the appliance's own IPv4 addresses on a port whose link came up, and asks for its IPv6 ones. */
void host_link_up(struct control *c, unsigned port_index);

#endif
