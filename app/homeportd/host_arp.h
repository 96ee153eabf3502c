/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The appliance as an IPv4 neighbour: ARP for its own addresses and for bound home addresses (RFC 826, RFC
 * 5944 section 4.6).
 *
 * Control's alone.
 */
#ifndef HOMEPORTD_HOST_ARP_H
#define HOMEPORTD_HOST_ARP_H

#include "arrival.h"

void host_arp_serve(struct control *c, const struct arrival *a);

#endif
