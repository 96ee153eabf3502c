/* SPDX-License-Identifier: BSD-3-Clause */
#include "forwarding.h"

#include <errno.h>

#include <rte_ether.h>

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

/* The references that a home address's tunnels hold; n of 0: it has none. */
struct hops {
    uint32_t adjacency[ENTRY_SET_MAX];
    unsigned n;
};

/* All but the first n. */
static void release_but(struct control *c, struct hops *hops, unsigned n)
{
    while (hops->n > n)
        release(c, hops->adjacency[--hops->n]);
}

/* What the table held before a change, as much as outlives it. */
static struct hops former_hops(const struct control *c, const struct addr *address)
{
    struct hops hops = {.n = 0};
    const struct entry *e = table_get(c->table, address);
    if (e == NULL || e->kind != ENTRY_TUNNEL)
        return hops;
    hops.adjacency[hops.n++] = e->adjacency;
    for (; (e->flags & ENTRY_MORE) != 0; hops.adjacency[hops.n++] = e->adjacency)
        e = table_more(c->table, e);
    return hops;
}

/* Retired entries wait for the workers; if that is what stands in the way, freeing them makes room. */
static int install(struct control *c, const struct addr *address, const struct entry *entries, unsigned n)
{
    int ret = table_install_set(c->table, address, entries, n);
    if (ret == -ENOSPC && table_reclaim(c->table, SIZE_MAX) < table_capacity(c->table))
        ret = table_install_set(c->table, address, entries, n);
    return ret;
}

/* What was known of home on its link was known while something else stood for it. */
static void forget_neighbor(struct control *c, const struct addr *home)
{
    int home_port = ports_connected(&c->ports, home);
    if (home_port >= 0)
        neighbor_forget(c->neighbors, (uint8_t)home_port, home, c->now.mono_ns);
}

static int uninstall(struct control *c, const struct addr *address)
{
    int ret = table_remove(c->table, address);
    if (ret != -ENOSPC)
        return ret;
    table_reclaim(c->table, SIZE_MAX);
    return table_remove(c->table, address);
}

static bool is_local(const struct control *c, const struct addr *address)
{
    const struct entry *e = table_get(c->table, address);
    return e != NULL && e->kind == ENTRY_LOCAL;
}

/* A sender is told so only when no copy of its packets arrives. */
static bool is_unreachable(const struct forwarding *f)
{
    for (size_t i = 0; i < f->n_care_of; i++)
        if (!f->care_of[i].unreachable)
            return false;
    return true;
}

/* Reverse tunnels are granted to each care-of address by itself. */
static uint8_t entry_flags(const struct forwarding *f, const struct care_of *care_of)
{
    return (is_unreachable(f) ? ENTRY_UNREACHABLE : 0) | (care_of->reverse ? ENTRY_REVERSE : 0) |
           (f->home_tests ? ENTRY_HOME_TESTS : 0);
}

/* One tunnel a care-of address, and the references that they need. */
static int make_tunnels(struct control *c, const struct forwarding *f, struct entry *entries,
                        struct hops *hops)
{
    static_assert((int)AGENT_CARE_OF_MAX <= (int)ENTRY_SET_MAX, "all of them fit");
    int ret = 0;
    for (*hops = (struct hops){.n = 0}; ret == 0 && hops->n < f->n_care_of; hops->n++) {
        const struct care_of *care_of = &f->care_of[hops->n];
        struct way way = way_to(c, care_of);
        ret = entry_tunnel(&entries[hops->n], &(struct tunnel){
                                                  .source = f->source,
                                                  .destination = care_of->address,
                                                  .encapsulation = (enum encapsulation)care_of->encapsulation,
                                                  .adjacency = way.adjacency,
                                                  .path_mtu = way.mtu,
                                                  .flags = entry_flags(f, care_of),
                                                  .id_slot = f->id_slot,
                                              });
        hops->adjacency[hops->n] = way.adjacency;
    }
    return ret;
}

void forwarding_install(struct control *c, const struct forwarding *f)
{
    if (is_local(c, &f->home))
        return; /* a reload has just given it to the appliance, and its sweep will end the binding */
    struct entry entries[ENTRY_SET_MAX];
    struct hops former = former_hops(c, &f->home), hops;
    int ret = make_tunnels(c, f, entries, &hops);
    if (ret == 0)
        ret = install(c, &f->home, entries, hops.n);
    if (ret != 0) {
        control_count(c, CONTROL_INSTALL_FAILED);
        forwarding_refresh(c);
        /* Rather one care-of address than none, if it is the further ones that have no room. */
        release_but(c, &hops, ret == -ENOSPC && install(c, &f->home, entries, 1) == 0 ? 1 : 0);
        if (hops.n == 0)
            return;
    }
    bool was_tunnel = former.n > 0;
    release_but(c, &former, 0);
    if (was_tunnel)
        return;
    rates_forget(c->rates, table_get(c->table, &f->home)->slot, c->workers, c->n_workers);
    forget_neighbor(c, &f->home); /* it has left the link */
}

void forwarding_remove(struct control *c, const struct addr *home)
{
    struct hops former = former_hops(c, home);
    if (former.n == 0)
        return;
    if (uninstall(c, home) != 0) {
        forwarding_refresh(c); /* which takes out what has no binding, too */
        return;
    }
    release_but(c, &former, 0);
    /* It may have been heard there while it was bound, and no on-link entry could be made of that. */
    forget_neighbor(c, home);
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

/* On-link entries are made by whoever speaks on the link; they never take the room of bindings, nor that of
 * addresses of our own that a reload may bring. */
static bool has_room_on_link(const struct control *c)
{
    uint32_t for_bindings = c->conf->agent.max_bindings - (uint32_t)agent_bindings(c->agent);
    return table_count(c->table) + for_bindings + LOCAL_MAX < table_capacity(c->table);
}

void forwarding_on_link(struct control *c, const struct neighbor_view *neighbor, bool resolved)
{
    const struct entry *present = table_get(c->table, &neighbor->address);
    if (!resolved) {
        if (present != NULL && present->kind == ENTRY_ON_LINK && uninstall(c, &neighbor->address) != 0)
            forwarding_refresh(c); /* before its adjacency is another neighbour's */
        return;
    }
    if (!in_home_network(c, &neighbor->address) || !has_room_on_link(c))
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

static int set_local(struct control *c, const struct local *local)
{
    const uint8_t flags = local->kind == LOCAL_BROADCAST ? ENTRY_BROADCAST : 0;
    struct hops former = former_hops(c, &local->address);
    int ret = install(c, &local->address, &(struct entry){.kind = ENTRY_LOCAL, .flags = flags}, 1);
    if (ret == 0)
        release_but(c, &former, 0);
    return ret;
}

int forwarding_set_local(struct control *c)
{
    const struct locals before = c->locals;
    locals_of(&c->locals, &c->ports, c->conf);
    for (size_t i = 0; i < c->locals.n; i++) {
        int ret = set_local(c, &c->locals.at[i]);
        if (ret != 0)
            return ret;
    }
    for (size_t i = 0; i < before.n; i++)
        if (locals_kind(&c->locals, &before.at[i].address) == LOCAL_NONE)
            table_remove(c->table, &before.at[i].address);
    return 0;
}

bool forwarding_is_anycast(const struct control *c, unsigned port_index, const struct addr *address)
{
    return locals_kind(&c->locals, address) == LOCAL_ANYCAST &&
           ports_connected(&c->ports, address) == (int)port_index;
}

/* ---- All bindings anew ---- */

void forwarding_refresh(struct control *c)
{
    c->refresh_wanted = true;
}

static struct forwarding forwarding_of(const struct binding_view *view)
{
    struct forwarding f = {.home = view->home,
                           .source = view->home_agent,
                           .n_care_of = view->n_care_of,
                           .id_slot = view->id_slot,
                           .home_tests = view->home_tests};
    memcpy(f.care_of, view->care_of, sizeof(f.care_of));
    return f;
}

/* True when every binding has been looked at. */
static bool refresh_bindings(struct control *c, size_t budget)
{
    struct binding_view view;
    size_t from = c->refresh_cursor;
    while (c->refresh_cursor - from < budget && !table_awaits_readers(c->table)) {
        size_t left = budget - (c->refresh_cursor - from);
        if (!agent_binding_next(c->agent, &c->refresh_cursor, left, c->now, &view))
            return true;
        if (view.n_care_of == 0)
            return false; /* the budget went on mobile nodes without a binding */
        struct forwarding f = forwarding_of(&view);
        forwarding_install(c, &f);
    }
    return false;
}

/* What its entry was made for is no more. */
static bool is_leftover(const struct control *c, const struct entry *entry, const struct addr *address)
{
    struct neighbor_view neighbor;
    switch ((enum entry_kind)entry->kind) {
    case ENTRY_TUNNEL:
        return !agent_forwards(c->agent, address);
    case ENTRY_ON_LINK:
        return !in_home_network(c, address) ||
               !neighbor_by_adjacency(c->neighbors, entry->adjacency, c->now.mono_ns, &neighbor) ||
               !addr_equal(&neighbor.address, address);
    case ENTRY_LOCAL:
    case ENTRY_NONE:
        return false;
    }
    return false;
}

/* Takes out what stayed in the table for want of room to retire it, or on a former home network. True at the
 * end of the table. */
static bool refresh_leftovers(struct control *c, size_t budget)
{
    const struct entry *entry;
    for (size_t done = 0; done < budget && !table_awaits_readers(c->table); done++) {
        if (!table_next(c->table, &c->refresh_entry, &entry))
            return true;
        struct addr address = entry->home;
        if (!is_leftover(c, entry, &address))
            continue;
        if (entry->kind == ENTRY_TUNNEL)
            forwarding_remove(c, &address);
        else if (uninstall(c, &address) != 0)
            forwarding_refresh(c);
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
    return (c->refreshing || c->refresh_wanted) && !table_awaits_readers(c->table);
}
