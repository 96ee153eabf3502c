/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_nd.h"

#include "control.h"
#include "effects.h"
#include "forwarding.h"
#include "host_mld.h"
#include "log.h"
#include "random.h"
#include "timerq.h"
#include "transmit.h"

enum { TELL_INTERVAL_S = 10 };

static const struct conf_advertisement *settings_of(const struct control *c, unsigned port_index)
{
    return &c->conf->ports[port_index].advertisement;
}

bool host_nd_is_usable(const struct control *c, unsigned port_index, const struct addr *own)
{
    return own_address_is_usable(&c->nd.port[port_index].own, own);
}

static bool link_local_is_usable(const struct control *c, unsigned port_index)
{
    return host_nd_is_usable(c, port_index, &c->ports.port[port_index].link_local);
}

/* ---- What is sent ---- */

/* RFC 4861 section 4.4: whether what has this address of ours forwards for the hosts of the link. */
static uint8_t router_flag(const struct control *c, unsigned port_index)
{
    return settings_of(c, port_index)->on ? ND_ROUTER : 0;
}

void host_nd_probe(struct control *c, unsigned port_index, const struct addr *address)
{
    struct writer w;
    struct rte_mbuf *m = transmit_begin(c, &w);
    nd_encode_solicitation(&w, &c->ports.port[port_index].mac, &addr_unspecified, address, NULL);
    transmit_frame(c, port_index, transmit_end(m, &w));
}

/* RFC 4862 section 5.4: a tentative address is nobody's source. */
static bool usable_source(const struct control *c, unsigned port_index, const struct addr *peer,
                          struct addr *out)
{
    const struct port *port = &c->ports.port[port_index];
    *out = port_source(port, peer);
    if (!host_nd_is_usable(c, port_index, out))
        *out = port->link_local;
    return host_nd_is_usable(c, port_index, out);
}

void host_nd_solicit(struct control *c, unsigned port_index, const struct addr *target,
                     const struct mac *known)
{
    struct writer w;
    struct addr source;
    if (!usable_source(c, port_index, target, &source))
        return; /* the neighbour is asked for again */
    struct rte_mbuf *m = transmit_begin(c, &w);
    nd_encode_solicitation(&w, &c->ports.port[port_index].mac, &source, target, known);
    transmit_frame(c, port_index, transmit_end(m, &w));
}

/* That target is at our MAC address. to_mac: NULL for a group. Said by target itself where it is an own
 * address, else by the port. */
static void advertise(struct control *c, unsigned port_index, const struct addr *target,
                      const struct addr *to, const struct mac *to_mac, uint8_t flags)
{
    const struct port *port = &c->ports.port[port_index];
    const struct addr *source = host_nd_is_usable(c, port_index, target) ? target : &port->link_local;
    if (!host_nd_is_usable(c, port_index, source))
        return;
    struct writer w;
    struct rte_mbuf *m = transmit_begin(c, &w);
    nd_encode_advertisement(&w, &port->mac, source, to, to_mac, target, &port->mac, flags);
    transmit_frame(c, port_index, transmit_end(m, &w));
}

void host_nd_announce(struct control *c, unsigned port_index, const struct addr *address)
{
    /* RFC 4861 section 7.2.6; RFC 6275 section 10.4.1: override, and of a home address no router. */
    const bool own = own_address_find(&c->nd.port[port_index].own, address) != NULL;
    advertise(c, port_index, address, &addr_all_nodes, NULL,
              (uint8_t)(ND_OVERRIDE | (own ? router_flag(c, port_index) : 0)));
}

/* RFC 4861 section 7.2.4: to who asked, or to all where nobody did. */
static void answer(struct control *c, unsigned port_index, const struct mac *from, const struct nd *question,
                   uint8_t flags)
{
    if (addr_is_unspecified(&question->source))
        advertise(c, port_index, &question->target, &addr_all_nodes, NULL, flags);
    else
        advertise(c, port_index, &question->target, &question->source,
                  question->has_mac ? &question->mac : from, flags | ND_SOLICITED);
}

/* ---- Own addresses ---- */

static void tell_conflict(struct control *c, unsigned port_index, const struct addr *address,
                          const struct mac *mac, const char *outcome)
{
    char text[ADDR_TEXT_MAX], station[MAC_TEXT_MAX];
    log_warning("port %s: address conflict: %s has our address %s, %s", c->ports.port[port_index].name,
                mac_format(mac, station), addr_format(address, text), outcome);
}

/* RFC 4862 sections 5.4.3 to 5.4.5: it was being asked for, and is given up; one in use is kept. */
static void contest(struct control *c, unsigned port_index, const struct addr *address, const struct mac *mac)
{
    struct host_nd *nd = &c->nd;
    const struct own_address *own = own_address_find(&nd->port[port_index].own, address);
    if (own->state == OWN_ADDRESS_DUPLICATE)
        return;
    control_count(c, CONTROL_ND_CONFLICTS);
    if (own_address_claimed(&nd->port[port_index].own, address)) {
        host_mld_own(c, port_index);
        tell_conflict(c, port_index, address, mac, "which is not used before the next reload");
    } else if (c->now.mono_ns >= nd->tell_again_ns) {
        nd->tell_again_ns = c->now.mono_ns + TELL_INTERVAL_S * NSEC_PER_S;
        tell_conflict(c, port_index, address, mac, "which is kept");
    }
}

/* Who asks from nobody for what is tentative wants it as we do; who asks from an address is not heard until
 * it is ours (RFC 4862 section 5.4.3). */
static void asked_for_own(struct control *c, unsigned port_index, const struct mac *from, const struct nd *nd)
{
    if (host_nd_is_usable(c, port_index, &nd->target)) {
        control_count(c, CONTROL_ND_ANSWERED);
        answer(c, port_index, from, nd, ND_OVERRIDE | router_flag(c, port_index));
    } else if (addr_is_unspecified(&nd->source))
        contest(c, port_index, &nd->target, from);
}

/* ---- Neighbours ---- */

/* What an address of its link, and no other, is worth learning. */
static void learn(struct control *c, unsigned port_index, const struct nd *nd, bool for_us)
{
    if (nd->has_mac && ports_on_link(&c->ports, port_index, &nd->source))
        neighbor_heard(c->neighbors, (uint8_t)port_index, &nd->source, &nd->mac, for_us, c->now.mono_ns);
}

/* A home network of IPv6 lies on the port's link. */
static bool is_home_link(const struct control *c, unsigned port_index)
{
    const struct agent_settings *s = &c->conf->agent;
    for (size_t i = 0; i < s->n_home_networks; i++)
        if (!addr_is_ipv4(&s->home_networks[i].addr) &&
            ports_connected(&c->ports, &s->home_networks[i].addr) == (int)port_index)
            return true;
    return false;
}

/* What the agent may know: home addresses are intercepted on their own link alone. True: answer. */
static bool agent_hears(struct control *c, unsigned port_index, const struct nd *nd,
                        const struct agent_neighbor *heard)
{
    if (!is_home_link(c, port_index) || !ports_on_link(&c->ports, port_index, &nd->target))
        return false;
    const bool ours = agent_heard(c->agent, heard, c->now);
    effects_carry_out(c);
    return ours;
}

static void serve_solicitation(struct control *c, unsigned port_index, const struct mac *from,
                               const struct nd *nd)
{
    const bool own = own_address_find(&c->nd.port[port_index].own, &nd->target) != NULL;
    learn(c, port_index, nd, own);
    if (own) {
        asked_for_own(c, port_index, from, nd);
        return;
    }
    /* RFC 4861 section 7.2.7: any of several may answer for an anycast address, so none overrides. */
    if (forwarding_is_anycast(c, port_index, &nd->target)) {
        control_count(c, CONTROL_ND_ANSWERED);
        answer(c, port_index, from, nd, router_flag(c, port_index));
        return;
    }
    const struct agent_neighbor heard = {
        .mac = nd->has_mac ? nd->mac : *from, .claimed = nd->source, .asked = nd->target};
    /* RFC 6275 section 10.4.1, RFC 4861 section 7.2.8: neither a router nor overriding, so that the mobile
     * node itself wins where it is. */
    if (agent_hears(c, port_index, nd, &heard))
        answer(c, port_index, from, nd, 0);
}

static void serve_advertisement(struct control *c, unsigned port_index, const struct mac *from,
                                const struct nd *nd)
{
    const struct mac *mac = nd->has_mac ? &nd->mac : from;
    if (own_address_find(&c->nd.port[port_index].own, &nd->target) != NULL) {
        contest(c, port_index, &nd->target, mac);
        return;
    }
    if (ports_on_link(&c->ports, port_index, &nd->target))
        neighbor_advertised(c->neighbors, (uint8_t)port_index, &nd->target, nd->has_mac ? &nd->mac : NULL,
                            (nd->flags & ND_SOLICITED) != 0, (nd->flags & ND_OVERRIDE) != 0, c->now.mono_ns);
    const struct agent_neighbor heard = {.mac = *mac, .claimed = nd->target};
    agent_hears(c, port_index, nd, &heard);
}

/* ---- Routers ---- */

static void serve_router(struct control *c, unsigned port_index, const struct nd *nd)
{
    learn(c, port_index, nd, false);
    if (!is_home_link(c, port_index))
        return;
    agent_router_heard(c->agent, nd, c->now);
    effects_carry_out(c);
}

void host_nd_serve(struct control *c, unsigned port_index, const struct mac *from, const struct nd *nd)
{
    /* Our own, come back (RFC 4862 appendix A); and what speaks no IPv6 hears none. */
    if (ports_own_mac(&c->ports, from) || c->nd.port[port_index].own.n == 0)
        return;
    switch (nd->type) {
    case ND_NEIGHBOR_SOLICITATION:
        serve_solicitation(c, port_index, from, nd);
        break;
    case ND_NEIGHBOR_ADVERTISEMENT:
        serve_advertisement(c, port_index, from, nd);
        break;
    case ND_ROUTER_SOLICITATION:
        learn(c, port_index, nd, false);
        advertiser_solicited(&c->nd.port[port_index].advertiser, c->now.mono_ns);
        break;
    case ND_ROUTER_ADVERTISEMENT:
        serve_router(c, port_index, nd);
        break;
    default:
        break;
    }
}

static void send_router(struct control *c, unsigned port_index, const struct nd_router *router)
{
    struct writer w;
    const struct port *port = &c->ports.port[port_index];
    struct rte_mbuf *m = transmit_begin(c, &w);
    nd_encode_router(&w, &port->mac, &port->link_local, &addr_all_nodes, NULL, router);
    m = transmit_end(m, &w);
    if (m == NULL)
        return;
    control_count(c, CONTROL_ROUTER_ADVERTISEMENTS);
    transmit_frame(c, port_index, m);
}

static void advertise_router(struct control *c, unsigned port_index)
{
    const struct port *port = &c->ports.port[port_index];
    struct prefix usable[CONF_PORT_ADDRESSES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < port->n_addresses; i++)
        if (host_nd_is_usable(c, port_index, &port->addresses[i].addr))
            usable[n++] = port->addresses[i];
    const bool home_agent = c->conf->role == ROLE_PRIMARY && is_home_link(c, port_index);
    const struct nd_router router =
        advertiser_content(settings_of(c, port_index), home_agent, port->mtu, usable, n);
    send_router(c, port_index, &router);
}

static void say_farewell(struct control *c, unsigned port_index)
{
    struct advertiser *advertiser = &c->nd.port[port_index].advertiser;
    if (!advertiser->on)
        return;
    advertiser_stop(advertiser);
    host_mld_own(c, port_index);
    if (!link_local_is_usable(c, port_index))
        return;
    const struct nd_router router = advertiser_farewell();
    send_router(c, port_index, &router);
}

/* RFC 4862 section 5.4: nothing is advertised from an address that may be another's. */
static bool advertiser_work(struct control *c, unsigned port_index)
{
    struct host_nd *nd = &c->nd;
    struct advertiser *advertiser = &nd->port[port_index].advertiser;
    const struct conf_advertisement *settings = settings_of(c, port_index);
    if (!settings->on || !link_local_is_usable(c, port_index))
        return false;
    if (!advertiser->on) {
        advertiser_start(advertiser, nd->random++, c->now.mono_ns);
        host_mld_own(c, port_index);
    }
    if (!advertiser_due(advertiser, settings->interval_s, c->now.mono_ns))
        return false;
    advertise_router(c, port_index);
    return true;
}

/* RFC 4861 section 6.2.4: what has changed is soon told. */
static void advertise_change(struct control *c, unsigned port_index)
{
    struct advertiser *advertiser = &c->nd.port[port_index].advertiser;
    if (advertiser->on)
        advertiser_start(advertiser, c->nd.random++, c->now.mono_ns);
}

/* ---- Start, changes, time ---- */

static void readdress(struct control *c, unsigned port_index)
{
    const struct port *port = &c->ports.port[port_index];
    struct host_nd_port *nd = &c->nd.port[port_index];
    own_addresses_set(&nd->own, &port->link_local, port->addresses, port->n_addresses);
    if (!settings_of(c, port_index)->on || nd->own.n == 0)
        say_farewell(c, port_index);
    else
        advertise_change(c, port_index);
}

void host_nd_readdressed(struct control *c)
{
    for (unsigned i = 0; i < c->ports.n; i++)
        readdress(c, i);
}

void host_nd_start(struct control *c, uint64_t seed)
{
    c->nd = (struct host_nd){.random = seed, .delay_ns = OWN_ADDRESS_DELAY_MS * NSEC_PER_MS};
    host_nd_readdressed(c);
}

void host_nd_stop(struct control *c)
{
    for (unsigned i = 0; i < c->ports.n; i++)
        say_farewell(c, i);
}

void host_nd_link_up(struct control *c, unsigned port_index)
{
    struct host_nd_port *nd = &c->nd.port[port_index];
    /* RFC 4862 section 5.4.2: the link's first message from us, the report in front of it, comes at random.
     */
    own_addresses_begin(&nd->own, c->now.mono_ns + random_next(&c->nd.random) % (c->nd.delay_ns + 1));
    advertiser_stop(&nd->advertiser); /* begins anew when the port's address is usable again */
}

static bool is_link_local(const struct control *c, unsigned port_index, const struct addr *address)
{
    return addr_equal(address, &c->ports.port[port_index].link_local);
}

/* RFC 4862 section 5.4.2: its group is joined before anybody is asked. Who snoops on the link may know
 * nothing of the others either. */
static void ask_for_own(struct control *c, unsigned port_index, const struct addr *address)
{
    host_mld_own(c, port_index);
    if (is_link_local(c, port_index, address))
        host_mld_tell_all(c, port_index);
    host_mld_tell(c, port_index, address);
    host_nd_probe(c, port_index, address);
}

/* Who knew another MAC address for it learns ours; and routers, who believe no report from nobody, hear of
 * all groups again (RFC 3590 section 4). */
static void begin_to_use(struct control *c, unsigned port_index, const struct addr *address)
{
    if (is_link_local(c, port_index, address))
        host_mld_tell_all(c, port_index);
    host_nd_announce(c, port_index, address);
    advertise_change(c, port_index);
}

static bool addresses_work(struct control *c, unsigned port_index)
{
    struct addr address;
    bool worked = false;
    for (;;) {
        switch (own_addresses_step(&c->nd.port[port_index].own, c->now.mono_ns, &address)) {
        case OWN_ADDRESS_ASK:
            ask_for_own(c, port_index, &address);
            break;
        case OWN_ADDRESS_GAINED:
            begin_to_use(c, port_index, &address);
            break;
        case OWN_ADDRESS_NOTHING:
            return worked;
        }
        worked = true;
    }
}

bool host_nd_work(struct control *c)
{
    bool worked = false;
    for (unsigned i = 0; i < c->ports.n; i++) {
        if (!c->ports.port[i].link_up)
            continue; /* nobody would hear it; host_nd_link_up begins anew */
        worked |= addresses_work(c, i);
        worked |= advertiser_work(c, i);
    }
    return worked;
}

uint64_t host_nd_deadline(const struct control *c)
{
    uint64_t earliest = TIMER_NEVER;
    for (unsigned i = 0; i < c->ports.n; i++) {
        if (!c->ports.port[i].link_up)
            continue;
        const uint64_t own = own_addresses_deadline(&c->nd.port[i].own);
        const uint64_t router = advertiser_deadline(&c->nd.port[i].advertiser);
        earliest = RTE_MIN(earliest, RTE_MIN(own, router));
    }
    return earliest;
}
