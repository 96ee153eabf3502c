/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP datagrams of either family for the appliance itself: UDP to the protocols, ICMP echo and errors,
 * neighbour discovery, Mobility Headers and ESP to the agent.
 *
 * Control's alone.
 */
#ifndef HOMEPORTD_HOST_IP_H
#define HOMEPORTD_HOST_IP_H

#include "arrival.h"

void host_ip_serve(struct control *c, const struct arrival *a);

#endif
