/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The addresses whose packets are for the appliance itself: those of its ports, their links' broadcast
 * addresses, and, at a primary, the anycast address of each IPv6 home network's home agents.
 *
 * A plain value that follows from ports and configuration; any thread.
 */
#ifndef HOMEPORTD_LOCAL_H
#define HOMEPORTD_LOCAL_H

#include "conf.h"
#include "port.h"

enum {
    LOCAL_OF_ADDRESS = 3, /* itself and two broadcast addresses, or itself */
    LOCAL_MAX = CONF_PORTS_MAX * (CONF_PORT_ADDRESSES_MAX * LOCAL_OF_ADDRESS + 1) + AGENT_HOME_NETWORKS_MAX
};

enum local_kind { LOCAL_NONE, LOCAL_OWN, LOCAL_BROADCAST, LOCAL_ANYCAST };

struct locals {
    struct local {
        struct addr address;
        enum local_kind kind;
    } at[LOCAL_MAX];
    size_t n;
};

void locals_of(struct locals *out, const struct ports *ports, const struct conf *conf);
enum local_kind locals_kind(const struct locals *locals, const struct addr *address);

#endif
