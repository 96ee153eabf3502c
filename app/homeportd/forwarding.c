/* SPDX-License-Identifier: BSD-3-Clause */
#include "forwarding.h"

#include <errno.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

#include "transmit.h"
#include "tunnel.h"

/* Where packets to a care-of address leave: the next hop's adjacency (one reference to it is ours now) and
 * the MTU there. */
struct way {
    uint32_t adjacency;
    uint16_t mtu;
};

static struct way way_to(struct control *c, const struct care_of *care_of)
{
    struct route route;
    struct addr next_hop;
    struct way way = {.adjacency = ADJACENCY_NONE, .mtu = RTE_ETHER_MTU};
    if (!routes_lookup(c->routes, &care_of->address, &route, &next_hop)) {
        control_count(c, CONTROL_INSTALL_NO_ROUTE); /* packets reach control, which finds no route either and
                                                       counts them */
        return way;
    }
    way.adjacency = neighbor_reference(c->neighbors, route.port_index, &next_hop, c->now.mono_ns);
    way.mtu = c->ports.port[route.port_index].mtu;
    if (care_of->path_mtu != 0)
        way.mtu = RTE_MIN(way.mtu, care_of->path_mtu);
    return way;
}

static void release(struct control *c, uint32_t adjacency)
{
    if (adjacency != ADJACENCY_NONE)
        neighbor_release_reference(c->neighbors, adjacency, c->now.mono_ns);
}

/* What the table held before a change, as much as outlives it. */
struct former {
    bool tunnel;
    uint32_t adjacency;
};

static struct former former_entry(const struct control *c, const struct addr *address)
{
    const struct entry *e = table_get(c->table, address);
    if (e == NULL || e->kind != ENTRY_TUNNEL)
        return (struct former){0};
    return (struct former){.tunnel = true, .adjacency = e->adjacency};
}

/* Retired entries wait for the workers; if that is what stands in the way, freeing them makes room. */
static int install(struct control *c, const struct addr *address, const struct entry *entry)
{
    int ret = table_install(c->table, address, entry);
    if (ret == -ENOSPC && table_reclaim(c->table, SIZE_MAX) < table_capacity(c->table))
        ret = table_install(c->table, address, entry);
    return ret;
}

void forwarding_install(struct control *c, const struct forwarding *f)
{
    struct entry entry;
    struct former former = former_entry(c, &f->home);
    struct way way = way_to(c, &f->care_of[0]);
    int ret = entry_tunnel(&entry, &f->source, &f->care_of[0].address, way.adjacency, way.mtu,
                           f->care_of[0].unreachable ? ENTRY_UNREACHABLE : 0);
    if (ret == 0)
        ret = install(c, &f->home, &entry);
    if (ret != 0) {
        control_count(c, CONTROL_INSTALL_FAILED);
        release(c, way.adjacency);
        forwarding_refresh(c);
        return;
    }
    release(c, former.adjacency);
    if (former.tunnel)
        return;
    rates_forget(c->rates, table_get(c->table, &f->home)->slot, c->workers, c->n_workers);
    int home_port = ports_connected(&c->ports, &f->home);
    if (home_port >= 0) /* it has left the link */
        neighbor_forget(c->neighbors, (uint8_t)home_port, &f->home, c->now.mono_ns);
}

void forwarding_remove(struct control *c, const struct addr *home)
{
    struct former former = former_entry(c, home);
    if (!former.tunnel)
        return;
    if (table_remove(c->table, home) == -ENOSPC) {
        table_reclaim(c->table, SIZE_MAX);
        if (table_remove(c->table, home) != 0) {
            forwarding_refresh(c); /* which takes out what has no binding, too */
            return;
        }
    }
    release(c, former.adjacency);
}

/* ---- On the link ---- */

static bool in_home_network(const struct control *c, const struct addr *address)
{
    const struct agent_settings *s = &c->conf->agent;
    for (size_t i = 0; i < s->n_home_networks; i++)
        if (prefix_contains(&s->home_networks[i], address))
            return true;
    return false;
}

void forwarding_on_link(struct control *c, const struct neighbor_view *neighbor, bool resolved)
{
    const struct entry *present = table_get(c->table, &neighbor->address);
    if (!resolved) {
        if (present != NULL && present->kind == ENTRY_ON_LINK)
            table_remove(
                c->table,
                &neighbor->address); /* no room to retire it: its adjacency is withdrawn all the same */
        return;
    }
    if (!addr_is_ipv4(&neighbor->address) || !in_home_network(c, &neighbor->address))
        return;
    if (present != NULL && (present->kind != ENTRY_ON_LINK || present->adjacency == neighbor->adjacency))
        return;
    struct entry entry = {
        .kind = ENTRY_ON_LINK,
        .adjacency = neighbor->adjacency,
        .mtu = c->ports.port[neighbor->port_index].mtu,
    };
    table_install(c->table, &neighbor->address, &entry); /* no room: its packets go on by control */
}

/* ---- The appliance's own addresses ---- */

static int set_local(struct control *c, const struct addr *address, uint8_t flags)
{
    if (!addr_is_ipv4(address))
        return 0;
    return install(c, address, &(struct entry){.kind = ENTRY_LOCAL, .flags = flags});
}

static bool is_broadcast(const struct ports *ports, const struct addr *address)
{
    for (unsigned i = 0; i < ports->n; i++)
        for (size_t k = 0; k < ports->port[i].n_addresses; k++) {
            struct addr broadcast = prefix_broadcast(&ports->port[i].addresses[k]);
            if (!addr_is_unspecified(&broadcast) && addr_equal(&broadcast, address))
                return true;
        }
    return false;
}

static void drop_local(struct control *c, const struct addr *address)
{
    if (addr_is_ipv4(address) && ports_own(&c->ports, address) < 0 && !is_broadcast(&c->ports, address))
        table_remove(c->table, address);
}

int forwarding_set_local(struct control *c, const struct ports *before)
{
    for (unsigned i = 0; i < c->ports.n; i++) {
        const struct port *port = &c->ports.port[i];
        for (size_t k = 0; k < port->n_addresses; k++) {
            struct addr broadcast = prefix_broadcast(&port->addresses[k]);
            int ret = set_local(c, &port->addresses[k].addr, 0);
            if (ret == 0 && !addr_is_unspecified(&broadcast))
                ret = set_local(c, &broadcast, ENTRY_BROADCAST);
            if (ret != 0)
                return ret;
        }
    }
    for (unsigned i = 0; before != NULL && i < before->n; i++)
        for (size_t k = 0; k < before->port[i].n_addresses; k++) {
            struct addr broadcast = prefix_broadcast(&before->port[i].addresses[k]);
            drop_local(c, &before->port[i].addresses[k].addr);
            drop_local(c, &broadcast);
        }
    return 0;
}

static void add_own(struct worker_settings *s, const struct addr *address)
{
    if (addr_is_ipv4(address) && s->n_own < WORKER_OWN_MAX)
        s->own[s->n_own++] = rte_cpu_to_be_32(addr_ipv4(address));
}

static void add_network(struct worker_settings *s, const struct prefix *p)
{
    if (!addr_is_ipv4(&p->addr) || s->n_home_networks >= WORKER_NETWORKS_MAX)
        return;
    uint32_t mask = p->bits == 0 ? 0 : UINT32_MAX << (32 - p->bits);
    s->home_networks[s->n_home_networks++] = (struct ipv4_network){
        .address = rte_cpu_to_be_32(addr_ipv4(&p->addr) & mask),
        .mask = rte_cpu_to_be_32(mask),
    };
}

int forwarding_set_networks(struct control *c)
{
    struct worker_settings *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < c->ports.n; i++)
        for (size_t k = 0; k < c->ports.port[i].n_addresses; k++)
            add_own(s, &c->ports.port[i].addresses[k].addr);
    for (size_t i = 0; i < c->conf->agent.n_home_networks; i++)
        add_network(s, &c->conf->agent.home_networks[i]);
    for (unsigned i = 0; i < c->n_workers; i++)
        __atomic_store_n(&c->workers[i]->settings, s, __ATOMIC_RELEASE);
    if (c->worker_settings != NULL)
        rte_rcu_qsbr_synchronize(table_qsbr(c->table), RTE_QSBR_THRID_INVALID);
    free(c->worker_settings);
    c->worker_settings = s;
    return 0;
}

/* ---- All bindings anew ---- */

void forwarding_refresh(struct control *c)
{
    c->refresh_wanted = true;
}

static struct forwarding forwarding_of(const struct binding_view *view)
{
    struct forwarding f = {.home = view->home, .source = view->home_agent, .n_care_of = view->n_care_of};
    memcpy(f.care_of, view->care_of, sizeof(f.care_of));
    return f;
}

/* True when every binding has been looked at. */
static bool refresh_bindings(struct control *c, size_t budget)
{
    struct binding_view view;
    for (size_t done = 0; done < budget; done++) {
        if (!agent_binding_next(c->agent, &c->refresh_cursor, budget, c->now, &view))
            return true;
        if (view.n_care_of == 0)
            return false; /* the budget went on mobile nodes without a binding */
        struct forwarding f = forwarding_of(&view);
        forwarding_install(c, &f);
    }
    return false;
}

/* Takes out what stayed in the table without a binding, for want of room to retire it. True at the end of the
 * table. */
static bool refresh_leftovers(struct control *c, size_t budget)
{
    const struct entry *entry;
    for (size_t done = 0; done < budget; done++) {
        if (!table_next(c->table, &c->refresh_entry, &entry))
            return true;
        struct addr home = addr_from_ipv4(rte_be_to_cpu_32(entry->home));
        if (entry->kind == ENTRY_TUNNEL && !agent_intercepts(c->agent, &home))
            forwarding_remove(c, &home);
    }
    return false;
}

bool forwarding_work(struct control *c, size_t budget)
{
    if (!c->refreshing) {
        if (!c->refresh_wanted)
            return false;
        c->refresh_wanted = false;
        c->refreshing = true;
        c->refresh_bindings_done = false;
        c->refresh_cursor = 0;
        c->refresh_entry = 0;
    }
    if (!c->refresh_bindings_done)
        c->refresh_bindings_done = refresh_bindings(c, budget);
    else
        c->refreshing = !refresh_leftovers(c, budget);
    return c->refreshing || c->refresh_wanted;
}
