/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_ip.h"

#include "doctor.h"
#include "effects.h"
#include "host_mld.h"
#include "host_nd.h"
#include "icmp.h"
#include "mip4.h"
#include "mip6_discovery.h"
#include "transmit.h"

/* What follows the headers. */
static const uint8_t *payload_of(const struct arrival *a, const struct ip_header *ip)
{
    return a->datagram + ip->header_len;
}

static size_t payload_len(const struct ip_header *ip)
{
    return (size_t)ip->total_len - ip->header_len;
}

static void refuse(struct control *c, const struct arrival *a, enum icmp_error what, uint32_t value)
{
    transmit_icmp_error(c, &(struct transmit_error){.what = what,
                                                    .value = value,
                                                    .port_index = a->port_index,
                                                    .link_cast = a->meta->link_cast,
                                                    .datagram = a->datagram,
                                                    .len = a->len});
}

/* Messages of delegation, in ESP too, are no larger than the links of both ends take (payload_limit in
 * lib/agent) where those take what a START may need, and other messages in ESP not as large as any link
 * takes. */
static bool is_refused_fragment(struct control *c, const struct arrival *a)
{
    if (a->meta->verdict != VERDICT_PUNT_FRAGMENT)
        return false;
    control_count(c, CONTROL_FRAGMENTS_REFUSED);
    return true;
}

/* ---- To the agent ---- */

/* The whole upper layer is its payload. */
static struct agent_datagram datagram_of(const struct control *c, const struct arrival *a,
                                         const struct ip_header *ip)
{
    return (struct agent_datagram){
        .source = ip->source,
        .destination = ip->destination,
        .home = ip->home,
        .protocol = ip->protocol,
        .broadcast = addr_is_ipv4(&ip->destination) && ports_own(&c->ports, &ip->destination) < 0,
        .on_home_link = ports_on_link(&c->ports, a->port_index, &ip->source),
        .source_mac = a->source_mac,
        .payload = payload_of(a, ip),
        .len = payload_len(ip),
        .whole = addr_is_ipv4(&ip->source) ? NULL : a->datagram,
        .whole_len = ip->total_len,
    };
}

static void tell_agent(struct control *c, const struct agent_datagram *datagram)
{
    agent_input(c->agent, datagram, c->now);
    effects_carry_out(c);
}

static void serve_upper_layer(struct control *c, const struct arrival *a, const struct ip_header *ip)
{
    const struct agent_datagram datagram = datagram_of(c, a, ip);
    tell_agent(c, &datagram);
}

static void serve_message(struct control *c, const struct arrival *a, const struct ip_header *ip,
                          const struct udp *udp)
{
    struct agent_datagram datagram = datagram_of(c, a, ip);
    datagram.source_port = udp->source_port;
    datagram.destination_port = udp->destination_port;
    datagram.payload = udp->payload;
    datagram.len = udp->payload_len;
    tell_agent(c, &datagram);
}

/* RFC 6275 section 9.3.1: what is said to come from a home address comes by way of its care-of address. */
static bool home_is_in_order(struct control *c, const struct arrival *a, const struct ip_header *ip)
{
    const struct agent_datagram datagram = datagram_of(c, a, ip);
    const bool in_order = agent_home_option(c->agent, &datagram, c->now);
    effects_carry_out(c);
    return in_order;
}

/* ---- UDP ---- */

static bool is_delegation(const struct control *c, const struct udp *udp)
{
    return udp->destination_port == c->conf->agent.delegation.port;
}

/* Registrations are IPv4's. */
static bool is_served(const struct control *c, const struct udp *udp)
{
    return is_delegation(c, udp) || (udp->destination_port == MIP4_PORT && addr_is_ipv4(&udp->destination));
}

static void serve_udp(struct control *c, const struct arrival *a, const struct ip_header *ip)
{
    struct udp udp;
    enum udp_decode decoded = udp_decode(ip, payload_of(a, ip), payload_len(ip), &udp);
    if (decoded == UDP_MALFORMED)
        control_count(c, CONTROL_UDP_MALFORMED);
    else if (decoded == UDP_BAD_CHECKSUM)
        control_count(c, CONTROL_UDP_CHECKSUM); /* RFC 5944 section 3.8.2.1: silently discarded */
    else if (is_delegation(c, &udp) && is_refused_fragment(c, a))
        return;
    else if (is_served(c, &udp))
        serve_message(c, a, ip, &udp);
    else {
        control_count(c, CONTROL_UDP_NO_PORT);
        refuse(c, a, ICMP_ERROR_PORT, 0);
    }
}

/* ---- Neighbour and multicast listener discovery ---- */

static void serve_nd(struct control *c, const struct arrival *a, const struct ip_header *ip)
{
    struct nd nd;
    control_count(c, CONTROL_ND_RECEIVED);
    if (nd_decode(ip, payload_of(a, ip), payload_len(ip), &nd))
        host_nd_serve(c, a->port_index, &a->source_mac, &nd);
    else
        control_count(c, CONTROL_ND_MALFORMED);
}

static void serve_mld(struct control *c, const struct arrival *a, const struct ip_header *ip)
{
    struct mld mld;
    control_count(c, CONTROL_MLD_RECEIVED);
    if (mld_decode(ip, payload_of(a, ip), payload_len(ip), &mld))
        host_mld_heard(c, a->port_index, &mld);
    else
        control_count(c, CONTROL_MLD_MALFORMED);
}

static bool is_query(const struct ip_header *ip, uint8_t type)
{
    return ip->protocol == IPPROTO_NUM_ICMPV6 && type == MLD_QUERY;
}

static bool is_nd(const struct ip_header *ip, uint8_t type)
{
    return ip->protocol == IPPROTO_NUM_ICMPV6 && type >= ND_ROUTER_SOLICITATION && type <= ND_REDIRECT;
}

/* ---- ICMP ---- */

static void answer_echo(struct control *c, const struct arrival *a, const struct ip_header *ip,
                        const struct icmp *request)
{
    struct writer w;
    struct addr source = ip->destination;
    if (ports_own(&c->ports, &source) < 0) /* an anycast address is nobody's source (RFC 4443 section 4.2) */
        source = port_source(&c->ports.port[a->port_index], &ip->source);
    if (!transmit_may_use(c, &source))
        return;
    struct rte_mbuf *m = transmit_begin(c, &w);
    icmp_encode_echo_reply(&w, ip, request, &source, c->next_identification++);
    control_count(c, CONTROL_ICMP_ECHO);
    transmit_ip(c, transmit_end(m, &w));
}

/* Also to all nodes of a link (RFC 4443 section 4.2), of IPv4 to us alone (RFC 1122 section 3.2.2.6). */
static bool may_answer_echo(const struct arrival *a, const struct ip_header *ip, const struct icmp *icmp)
{
    return icmp_is_echo_request(ip, icmp) && (!a->meta->link_cast || !addr_is_ipv4(&ip->source));
}

static bool is_discovery(const struct ip_header *ip, const struct icmp *icmp)
{
    return ip->protocol == IPPROTO_NUM_ICMPV6 && icmp->type >= MIP6_HOME_AGENT_REQUEST &&
           icmp->type <= MIP6_PREFIX_ADVERTISEMENT;
}

static void serve_icmp(struct control *c, const struct arrival *a, const struct ip_header *ip)
{
    struct icmp icmp;
    if (!icmp_decode(ip, payload_of(a, ip), payload_len(ip), &icmp))
        control_count(c, CONTROL_ICMP_MALFORMED);
    else if (may_answer_echo(a, ip, &icmp))
        answer_echo(c, a, ip, &icmp);
    else if (is_query(ip, icmp.type)) /* RFC 3810 section 5.1.15: to one of our addresses */
        serve_mld(c, a, ip);
    else if (is_nd(ip, icmp.type)) /* not heard on the link, or workers would have said so */
        control_count(c, CONTROL_ND_MALFORMED);
    else if (is_discovery(ip, &icmp))
        serve_upper_layer(c, a, ip);
    else if (icmp_is_error(ip, icmp.type)) {
        agent_tunnel_error(c->agent, ip, &icmp, c->now);
        effects_carry_out(c);
    } else if (!doctor_probe_returned(c, ip, &icmp))
        control_count(c, CONTROL_ICMP_IGNORED);
}

/* ---- Datagrams ---- */

static void refuse_problem(struct control *c, const struct arrival *a, const struct ip_problem *problem)
{
    control_count(c, CONTROL_IP_PROBLEMS);
    refuse(c, a, icmp_error_of(problem), problem->pointer);
}

static bool decode(struct control *c, const struct arrival *a, struct ip_header *out)
{
    struct ip_problem problem;
    switch (ip_decode(a->datagram, a->len, out, &problem)) {
    case IP_DECODED:
        return true;
    case IP_PROBLEM:
        refuse_problem(c, a, &problem);
        return false;
    case IP_MALFORMED:
    case IP_FRAGMENT: /* in what was fragmented */
        control_count(c, CONTROL_IP_MALFORMED);
        return false;
    }
    return false;
}

/* An address of ours is not while others may have it (RFC 4862 section 5.4), nor beyond its scope or that of
 * who asks, whom an answer from another link would not reach (RFC 4007 section 9). */
static bool is_for_us(const struct control *c, const struct arrival *a, const struct ip_header *ip)
{
    const int own = ports_own(&c->ports, &ip->destination);
    if (addr_is_ipv4(&ip->destination) || own < 0)
        return true; /* or a link's broadcast address, or the home agents' anycast address: workers know */
    const bool scoped = addr_is_link_local(&ip->destination) || addr_is_link_local(&ip->source);
    return transmit_may_use(c, &ip->destination) && (!scoped || own == (int)a->port_index);
}

void host_ip_serve(struct control *c, const struct arrival *a)
{
    struct ip_header ip;
    if (!decode(c, a, &ip))
        return;
    if (a->meta->verdict == VERDICT_PUNT_ND) { /* to addresses that we stand in for, too */
        serve_nd(c, a, &ip);
        return;
    }
    if (a->meta->verdict == VERDICT_PUNT_MLD) {
        if (!ports_own_mac(&c->ports, &a->source_mac)) /* or the link reflects what we said */
            serve_mld(c, a, &ip);
        return;
    }
    if (!is_for_us(c, a, &ip))
        return;
    if (!addr_is_unspecified(&ip.routed_home)) {
        control_count(c, CONTROL_IP_MALFORMED); /* we are no mobile node (RFC 6275 section 6.4) */
        return;
    }
    if (!addr_is_unspecified(&ip.home) && !home_is_in_order(c, a, &ip))
        return;
    switch (ip.protocol) {
    case IPPROTO_NUM_UDP:
        serve_udp(c, a, &ip);
        break;
    case IPPROTO_NUM_ICMP:
    case IPPROTO_NUM_ICMPV6:
        serve_icmp(c, a, &ip);
        break;
    case IPPROTO_NUM_MOBILITY:
        serve_upper_layer(c, a, &ip);
        break;
    case IPPROTO_NUM_ESP:
        if (!is_refused_fragment(c, a))
            serve_upper_layer(c, a, &ip);
        break;
    }
}
