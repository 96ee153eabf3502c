/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "conf_sections.h"
#include "conf_values.h"
#include "mip6_discovery.h"

enum { MTU_MIN_IPV4 = 68, MTU_MIN_IPV6 = 1280, MTU_MAX = 9216, MTU_DEFAULT = 1500 }; /* RFC 791, RFC 8200 */

const struct conf_port *network_owner(const struct conf *conf, const struct addr *a)
{
    for (size_t i = 0; i < conf->n_ports; i++) {
        for (size_t k = 0; k < conf->ports[i].n_addresses; k++) {
            if (addr_equal(&conf->ports[i].addresses[k].addr, a))
                return &conf->ports[i];
        }
    }
    return NULL;
}

bool network_is_on(const struct conf_port *port, const struct addr *a)
{
    for (size_t k = 0; k < port->n_addresses; k++)
        if (prefix_contains(&port->addresses[k], a))
            return true;
    return false;
}

const struct conf_port *network_connected(const struct conf *conf, const struct addr *a)
{
    for (size_t i = 0; i < conf->n_ports; i++)
        if (network_is_on(&conf->ports[i], a))
            return &conf->ports[i];
    return NULL;
}

static bool same_network(const struct prefix *a, const struct prefix *b)
{
    return a->bits == b->bits && addr_is_ipv4(&a->addr) == addr_is_ipv4(&b->addr) &&
           prefix_contains(a, &b->addr);
}

/* ---- Ports ---- */

/* The port whose network this is too. */
static const struct conf_port *network_of(const struct conf *conf, const struct prefix *p)
{
    for (size_t i = 0; i < conf->n_ports; i++) {
        for (size_t k = 0; k < conf->ports[i].n_addresses; k++) {
            if (same_network(&conf->ports[i].addresses[k], p))
                return &conf->ports[i];
        }
    }
    return NULL;
}

/* port is the last of conf's. */
static void port_address(const struct conf *conf, struct conf_port *port, const struct word *w)
{
    struct prefix p;
    if (!value_interface(w, &p))
        return;
    const struct conf_port *owner = network_owner(conf, &p.addr);
    const struct conf_port *neighbour = network_of(conf, &p);
    if (!addr_is_ipv4(&p.addr) && addr_is_link_local(&p.addr))
        word_fault(w, "'%s' is a link-local address, which the port makes by itself", w->text);
    else if (owner != NULL)
        word_fault(w, "'%s' is an address of port %s already", w->text, owner->name);
    else if (neighbour != NULL && neighbour != port)
        word_fault(w, "the network of '%s' is that of port %s already", w->text, neighbour->name);
    else if (port->n_addresses == CONF_PORT_ADDRESSES_MAX)
        word_fault(w, "more than %d addresses", CONF_PORT_ADDRESSES_MAX);
    else
        port->addresses[port->n_addresses++] = p;
}

static void port_addresses(const struct conf *conf, struct conf_port *port, const struct section *s)
{
    size_t n = section_words(s, "addresses");
    if (n == 0)
        fault(s->name.origin, s->name.line, "port %s: addresses is missing", s->name.text);
    for (size_t i = 0; i < n; i++)
        port_address(conf, port, section_word_at(s, "addresses", i));
}

static void port_mtu(struct conf_port *port, const struct section *s)
{
    uint32_t mtu = MTU_DEFAULT;
    bool ipv6 = false;
    for (size_t i = 0; i < port->n_addresses; i++)
        ipv6 |= !addr_is_ipv4(&port->addresses[i].addr);
    value_number(section_word(s, "mtu"), ipv6 ? MTU_MIN_IPV6 : MTU_MIN_IPV4, MTU_MAX, &mtu);
    port->mtu = (uint16_t)mtu;
}

static void port_mld(struct conf_port *port, const struct section *s)
{
    static const char *const choices[] = {"all", "own", "off", NULL};
    unsigned choice = CONF_MLD_ALL;
    value_choice(section_word(s, "mld"), choices, &choice);
    port->mld = (enum conf_mld)choice;
}

/* One device is one port: what stands in front of a vdev's arguments names it. */
static bool same_device(const struct conf_port *a, const struct conf_port *b)
{
    size_t len = strcspn(a->device, ",");
    return len == strcspn(b->device, ",") && strncasecmp(a->device, b->device, len) == 0;
}

static void port_device(const struct conf *conf, struct conf_port *port, const struct section *s)
{
    const struct word *w = section_require(s, "device");
    if (w == NULL || !value_device(w, port->device))
        return;
    for (const struct conf_port *other = conf->ports; other != port; other++) {
        if (same_device(other, port))
            word_fault(w, "'%s' is the device of port %s already", w->text, other->name);
    }
}

static void port_read(struct conf *conf, const struct section *s)
{
    if (conf->n_ports == CONF_PORTS_MAX) {
        word_fault(&s->name, "more than %d ports", CONF_PORTS_MAX);
        return;
    }
    struct conf_port *port = &conf->ports[conf->n_ports++];
    if (value_name(&s->name, port->name)) {
        for (const struct conf_port *other = conf->ports; other != port; other++) {
            if (strcmp(other->name, port->name) == 0)
                word_fault(&s->name, "a second port '%s'", port->name);
        }
    }
    port_device(conf, port, s);
    port_addresses(conf, port, s);
    port_mtu(port, s);
    port_mld(port, s);
}

/* ---- Routes ---- */

/* The address of a port's network itself, or its broadcast address. */
static bool is_edge(const struct conf *conf, const struct addr *a)
{
    for (size_t i = 0; i < conf->n_ports; i++) {
        for (size_t k = 0; k < conf->ports[i].n_addresses; k++) {
            const struct prefix *p = &conf->ports[i].addresses[k];
            struct addr broadcast = prefix_broadcast(p);
            if (prefix_is_network_address(p, a) || addr_equal(&broadcast, a))
                return true;
        }
    }
    return false;
}

static void route_next_hop(const struct reading *reading, const struct section *s, struct conf_route *route)
{
    const struct conf *conf = reading->conf;
    const struct word *w = section_require(s, "via");
    if (w == NULL || !value_host(w, &route->via))
        return;
    if (addr_is_ipv4(&route->via) != addr_is_ipv4(&route->destination.addr))
        word_fault(w, "'%s' is not of the family of %s", w->text, s->name.text);
    else if (network_owner(conf, &route->via) != NULL)
        word_fault(w, "'%s' is the appliance's own address", w->text);
    else if (reading->ports_sound && network_connected(conf, &route->via) == NULL)
        word_fault(w, "no port is connected to '%s'", w->text);
    else if (is_edge(conf, &route->via))
        word_fault(w, "'%s' is the address of a network, or its broadcast address", w->text);
}

static void route_read(struct reading *reading, const struct section *s)
{
    struct conf *conf = reading->conf;
    struct conf_route route = {.line = s->name.line};
    if (!value_network(&s->name, &route.destination))
        return;
    for (size_t i = 0; i < conf->n_routes; i++) {
        if (same_network(&conf->routes[i].destination, &route.destination))
            word_fault(&s->name, "a second route to %s; the first is at line %d", s->name.text,
                       conf->routes[i].line);
    }
    const struct conf_port *port = network_of(conf, &route.destination);
    if (port != NULL)
        word_fault(&s->name, "port %s is connected to %s", port->name, s->name.text);
    route_next_hop(reading, s, &route);

    struct conf_route *grown = reading_grow(reading, conf->routes, &conf->n_routes, sizeof(*grown));
    if (grown == NULL)
        return;
    conf->routes = grown;
    grown[conf->n_routes - 1] = route;
}

void network_read(struct reading *reading, const struct section *file)
{
    struct conf *conf = reading->conf;
    size_t before = reading->faults;
    size_t ports = section_count(file, "port");
    if (ports == 0)
        fault(&reading->origin, 1, "a port section is missing");
    for (size_t i = 0; i < ports; i++) {
        struct section s = section_at(file, "port", i);
        port_read(conf, &s);
    }
    reading->ports_sound = reading->faults == before;

    size_t routes = section_count(file, "route");
    for (size_t i = 0; i < routes; i++) {
        struct section s = section_at(file, "route", i);
        route_read(reading, &s);
    }
}

/* ---- Addresses that are somebody's already ---- */

static void reserve(struct reading *reading, const struct addr *a)
{
    struct conf *conf = reading->conf;
    for (size_t i = 0; i < conf->agent.n_reserved; i++) {
        if (addr_equal(&conf->reserved[i], a))
            return;
    }
    struct addr *grown = reading_grow(reading, conf->reserved, &conf->agent.n_reserved, sizeof(*grown));
    if (grown == NULL)
        return;
    conf->agent.reserved = conf->reserved = grown;
    grown[conf->agent.n_reserved - 1] = *a;
}

static void take(struct reading *reading, const struct addr *a, const char *why)
{
    struct taken *grown = reading_grow(reading, reading->taken, &reading->n_taken, sizeof(*grown));
    if (grown == NULL)
        return;
    reading->taken = grown;
    grown[reading->n_taken - 1] = (struct taken){*a, why};
}

static void take_edges(struct reading *reading, const struct prefix *p)
{
    struct prefix network = prefix_network(p);
    struct addr broadcast = prefix_broadcast(p);
    if (prefix_is_network_address(p, &network.addr))
        take(reading, &network.addr, "the address of a network");
    if (!addr_equal(&broadcast, &addr_unspecified))
        take(reading, &broadcast, "the broadcast address of a network");
}

/* RFC 6275 section 10.5. */
static void take_anycast(struct reading *reading, const struct prefix *p)
{
    if (addr_is_ipv4(&p->addr))
        return;
    const struct addr anycast = mip6_home_agents_anycast(p);
    take(reading, &anycast, "the anycast address of the home agents");
}

static int compare_taken(const void *a, const void *b)
{
    const struct taken *x = a, *y = b;
    return memcmp(x->addr.b, y->addr.b, sizeof(x->addr.b));
}

void network_settle(struct reading *reading)
{
    struct conf *conf = reading->conf;
    for (size_t i = 0; i < conf->n_ports; i++) {
        for (size_t k = 0; k < conf->ports[i].n_addresses; k++) {
            const struct prefix *p = &conf->ports[i].addresses[k];
            reserve(reading, &p->addr);
            take(reading, &p->addr, "the appliance's own address");
            take_edges(reading, p);
        }
    }
    conf->agent.n_own = conf->agent.n_reserved;
    for (size_t i = 0; i < conf->n_routes; i++) {
        if (addr_is_unspecified(&conf->routes[i].via))
            continue;
        reserve(reading, &conf->routes[i].via);
        take(reading, &conf->routes[i].via, "the address of a router");
    }
    for (size_t i = 0; i < conf->n_peers; i++) {
        reserve(reading, &conf->peers[i].address);
        take(reading, &conf->peers[i].address, "the address of another appliance");
    }
    for (size_t i = 0; i < conf->agent.n_home_networks; i++) {
        take_edges(reading, &conf->agent.home_networks[i]);
        take_anycast(reading, &conf->agent.home_networks[i]);
    }
    if (reading->n_taken > 0)
        qsort(reading->taken, reading->n_taken, sizeof(*reading->taken), compare_taken);
}

const char *network_taken(const struct reading *reading, const struct addr *a)
{
    struct taken wanted = {.addr = *a};
    const struct taken *found = reading->n_taken == 0 ? NULL
                                                      : bsearch(&wanted, reading->taken, reading->n_taken,
                                                                sizeof(wanted), compare_taken);
    return found == NULL ? NULL : found->why;
}
