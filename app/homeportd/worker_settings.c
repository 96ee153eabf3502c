/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker_settings.h"

#include <errno.h>

static void release(struct control *c, uint32_t adjacency)
{
    if (adjacency != ADJACENCY_NONE)
        neighbor_release_reference(c->neighbors, adjacency, c->now.mono_ns);
}

/* The primary on that network's link that delegates addresses of it; NULL: none, or we are one. */
static const struct agent_peer *primary_of(const struct control *c, const struct prefix *network)
{
    for (size_t i = 0; c->conf->role == ROLE_SECONDARY && i < c->conf->n_peers; i++) {
        const struct agent_peer *peer = &c->conf->peers[i];
        for (size_t k = 0; k < peer->n_prefixes; k++)
            if (prefix_contains(network, &peer->prefixes[k].addr) &&
                ports_connected(&c->ports, &peer->address) == ports_connected(&c->ports, &network->addr))
                return peer;
    }
    return NULL;
}

/* Where a packet of that network gets its second chance. Each use of it is a reference of ours. */
static uint32_t second_chance_of(struct control *c, const struct prefix *network)
{
    const struct agent_peer *primary = primary_of(c, network);
    if (primary == NULL)
        return ADJACENCY_NONE;
    int port_index = ports_connected(&c->ports, &primary->address);
    return neighbor_reference(c->neighbors, (uint8_t)port_index, &primary->address, c->now.mono_ns);
}

/* The next hop of a route as workers need it; a reference of ours again. A connected network has as many next
 * hops as hosts: control looks for each. */
static uint32_t exit_of(void *context, const struct route *route)
{
    struct control *c = context;
    if (addr_is_unspecified(&route->via))
        return ADJACENCY_NONE;
    return neighbor_reference(c->neighbors, route->port_index, &route->via, c->now.mono_ns);
}

static bool serves_ipv6(const struct agent_settings *agent)
{
    for (size_t i = 0; i < agent->n_home_networks; i++)
        if (!addr_is_ipv4(&agent->home_networks[i].addr))
            return true;
    return false;
}

/* Its router advertisements make hosts send by it what is for others, too. */
static bool is_router(const struct conf *conf)
{
    for (size_t i = 0; i < conf->n_ports; i++)
        if (conf->ports[i].advertisement.router_lifetime_s > 0)
            return true;
    return false;
}

/* Reverse tunnels, which every IPv6 binding has (RFC 6275 section 10.4.5), end at the primary; where it
 * grants none, and is no router, its workers route nothing. False: no memory. */
static bool add_exits(struct control *c, struct worker_settings *s)
{
    const struct agent_settings *agent = &c->conf->agent;
    const bool primary = agent->role == AGENT_PRIMARY;
    s->routes_ipv6 = is_router(c->conf);
    s->reverse_ipv6_alone = agent->reverse_tunnel == REVERSE_TUNNEL_OFF;
    if (!s->routes_ipv6 && !(primary && (!s->reverse_ipv6_alone || serves_ipv6(agent))))
        return true;
    s->exits = exits_create(c->routes, exit_of, c);
    return s->exits != NULL;
}

static void release_next_hops(struct control *c, const struct worker_settings *s)
{
    for (unsigned i = 0; s != NULL && i < s->n_home_networks; i++)
        release(c, s->home_networks[i].second_chance);
    for (uint32_t i = 0; s != NULL && s->exits != NULL && i < s->exits->n_routes; i++)
        release(c, s->exits->asked[i]);
}

static void free_settings(struct worker_settings *s)
{
    if (s != NULL)
        exits_destroy(s->exits);
    free(s);
}

static void add_own(struct worker_settings *s, const struct locals *locals)
{
    static_assert((int)LOCAL_MAX <= (int)OWN_MAX, "workers know all of them");
    for (size_t i = 0; i < locals->n; i++)
        own_add(&s->own, &locals->at[i].address);
}

static void add_peers(struct worker_settings *s, const struct conf *conf)
{
    s->delegation_port = conf->n_peers > 0 ? conf->agent.delegation.port : 0;
    for (size_t i = 0; i < conf->n_peers && s->n_peers < WORKER_PEERS_MAX; i++)
        s->peers[s->n_peers++] = conf->peers[i].address;
}

/* Ones where an address of the prefix is as it says. */
static struct addr mask_of(const struct prefix *p)
{
    struct addr mask = {{0}};
    unsigned bits = p->bits + (addr_is_ipv4(&p->addr) ? 96 : 0);
    for (unsigned i = 0; i < bits; i++)
        mask.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return mask;
}

static void add_network(struct control *c, struct worker_settings *s, const struct prefix *p)
{
    if (s->n_home_networks >= WORKER_NETWORKS_MAX)
        return;
    s->home_networks[s->n_home_networks++] = (struct home_network){
        .address = prefix_network(p).addr,
        .mask = mask_of(p),
        .second_chance = second_chance_of(c, p),
    };
}

int worker_settings_publish(struct control *c)
{
    struct worker_settings *s = calloc(1, sizeof(*s));
    if (s == NULL || !add_exits(c, s)) {
        free(s);
        return -ENOMEM;
    }
    add_own(s, &c->locals);
    s->id_slots = agent_id_slots(c->agent);
    for (size_t i = 0; i < c->conf->agent.n_home_networks; i++)
        add_network(c, s, &c->conf->agent.home_networks[i]);
    add_peers(s, c->conf);
    for (unsigned i = 0; i < c->n_workers; i++)
        __atomic_store_n(&c->workers[i]->settings, s, __ATOMIC_RELEASE);
    if (c->worker_settings != NULL)
        rte_rcu_qsbr_synchronize(table_qsbr(c->table), RTE_QSBR_THRID_INVALID);
    release_next_hops(c, c->worker_settings);
    free_settings(c->worker_settings);
    c->worker_settings = s;
    return 0;
}

void worker_settings_forget(struct control *c)
{
    free_settings(c->worker_settings);
    c->worker_settings = NULL;
}
