/* SPDX-License-Identifier: BSD-3-Clause */
#include "local.h"

#include "mip6_discovery.h"

static void add(struct locals *l, const struct addr *address, enum local_kind kind)
{
    if (!addr_is_unspecified(address) && l->n < LOCAL_MAX)
        l->at[l->n++] = (struct local){.address = *address, .kind = kind};
}

/* The addresses of an IPv4 link that no host has: to all ones, and to all zeroes, which old hosts mean as the
 * same (RFC 1122 section 3.3.6). */
static void add_edges(struct locals *l, const struct prefix *p)
{
    const struct addr broadcast = prefix_broadcast(p), network = prefix_network(p).addr;
    if (addr_is_unspecified(&broadcast))
        return; /* a link of two hosts has neither */
    add(l, &broadcast, LOCAL_BROADCAST);
    add(l, &network, LOCAL_BROADCAST);
}

static void add_port(struct locals *l, const struct port *port)
{
    for (size_t i = 0; i < port->n_addresses; i++) {
        add(l, &port->addresses[i].addr, LOCAL_OWN);
        add_edges(l, &port->addresses[i]);
    }
    add(l, &port->link_local, LOCAL_OWN);
}

/* RFC 6275 section 10.5: home agents are members of this anycast group on the home link. */
static void add_anycast(struct locals *l, const struct agent_settings *agent, const struct ports *ports)
{
    for (size_t i = 0; i < agent->n_home_networks; i++) {
        const struct prefix *network = &agent->home_networks[i];
        if (addr_is_ipv4(&network->addr) || ports_connected(ports, &network->addr) < 0)
            continue;
        const struct addr anycast = mip6_home_agents_anycast(network);
        add(l, &anycast, LOCAL_ANYCAST);
    }
}

void locals_of(struct locals *out, const struct ports *ports, const struct conf *conf)
{
    out->n = 0;
    for (unsigned i = 0; i < ports->n; i++)
        add_port(out, &ports->port[i]);
    if (conf->role == ROLE_PRIMARY)
        add_anycast(out, &conf->agent, ports);
}

enum local_kind locals_kind(const struct locals *locals, const struct addr *address)
{
    for (size_t i = 0; i < locals->n; i++)
        if (addr_equal(&locals->at[i].address, address))
            return locals->at[i].kind;
    return LOCAL_NONE;
}
