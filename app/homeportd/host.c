/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "arp.h"
#include "doctor.h"
#include "effects.h"
#include "icmp.h"
#include "inet.h"
#include "log.h"
#include "mip4.h"
#include "transmit.h"

enum { HOST_BURST = 32, HOST_TURN_BURSTS = 4, DEFEND_INTERVAL_S = 10 };

/* A punted packet as the protocols look at it. */
struct arrival {
    struct rte_mbuf *m;
    const struct punt_meta *meta;
    unsigned port_index;
    struct mac source_mac;
    const uint8_t *datagram; /* what follows the Ethernet header */
    size_t len;
};

static struct arrival arrival_of(struct rte_mbuf *m)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
    struct arrival a = {.m = m, .meta = punt_meta(m)};
    a.port_index = a.meta->port_index;
    memcpy(a.source_mac.b, ether->src_addr.addr_bytes, sizeof(a.source_mac.b));
    a.datagram = (const uint8_t *)(ether + 1);
    a.len = rte_pktmbuf_data_len(m) - sizeof(*ether);
    return a;
}

/* ---- ARP ---- */

static void answer_arp(struct control *c, const struct arrival *a, const struct arp *request)
{
    struct writer w;
    struct rte_mbuf *m = transmit_begin(c, &w);
    arp_encode_answer(&w, request, &c->ports.port[a->port_index].mac);
    transmit_frame(c, a->port_index, transmit_end(m, &w));
}

/* RFC 5227 section 2.4 (c): we keep our own address, and defend it by one announcement in ten seconds. */
static void defend_own_address(struct control *c, const struct arrival *a, const struct arp *arp)
{
    control_count(c, CONTROL_ARP_CONFLICTS);
    if (c->now.mono_ns < c->defend_again_ns)
        return;
    c->defend_again_ns = c->now.mono_ns + DEFEND_INTERVAL_S * NSEC_PER_S;
    char text[ADDR_TEXT_MAX], mac[MAC_TEXT_MAX];
    log_warning("address conflict: %s claims our address %s", mac_format(&arp->sender_mac, mac),
                addr_format(&arp->sender, text));
    transmit_arp_announcement(c, a->port_index, &arp->sender, NULL);
}

static bool is_own_mac(const struct control *c, const struct mac *mac)
{
    for (unsigned i = 0; i < c->ports.n; i++)
        if (mac_equal(&c->ports.port[i].mac, mac))
            return true;
    return false;
}

static void serve_arp(struct control *c, const struct arrival *a)
{
    struct arp arp;
    control_count(c, CONTROL_ARP_RECEIVED);
    if (!arp_decode(a->datagram, a->len, &arp)) {
        control_count(c, CONTROL_ARP_MALFORMED);
        return;
    }
    if (is_own_mac(c, &arp.sender_mac))
        return; /* our own, come back, maybe by another port */
    if (ports_own(&c->ports, &arp.sender) == (int)a->port_index) {
        defend_own_address(c, a, &arp);
        return;
    }
    bool for_us = ports_own(&c->ports, &arp.target) == (int)a->port_index;
    if (!addr_is_unspecified(&arp.sender) && ports_connected(&c->ports, &arp.sender) == (int)a->port_index)
        neighbor_heard(c->neighbors, (uint8_t)a->port_index, &arp.sender, &arp.sender_mac, for_us,
                       c->now.mono_ns);
    if (for_us && arp.operation == ARP_REQUEST) {
        control_count(c, CONTROL_ARP_ANSWERED);
        answer_arp(c, a, &arp);
        return;
    }
    /* Home addresses are intercepted on their own link alone. */
    if (for_us || ports_connected(&c->ports, &arp.target) != (int)a->port_index)
        return;
    if (agent_arp(c->agent, &arp, c->now))
        answer_arp(c, a, &arp);
    effects_carry_out(c);
}

/* ---- UDP ---- */

static void serve_message(struct control *c, const struct arrival *a, const struct udp *udp)
{
    agent_input(c->agent,
                &(struct agent_datagram){
                    .source = udp->source,
                    .destination = udp->destination,
                    .source_port = udp->source_port,
                    .destination_port = udp->destination_port,
                    .broadcast = ports_own(&c->ports, &udp->destination) < 0,
                    .source_mac = a->source_mac,
                    .on_home_link = ports_connected(&c->ports, &udp->source) == (int)a->port_index,
                    .payload = udp->payload,
                    .len = udp->payload_len,
                },
                c->now);
    effects_carry_out(c);
}

static void serve_udp(struct control *c, const struct arrival *a, const struct ipv4 *ip)
{
    struct udp udp;
    const uint8_t *at = a->datagram + ip->header_len;
    enum udp_decode decoded = udp_decode(ip, at, (size_t)ip->total_len - ip->header_len, &udp);
    if (decoded == UDP_MALFORMED)
        control_count(c, CONTROL_UDP_MALFORMED);
    else if (decoded == UDP_BAD_CHECKSUM)
        control_count(c, CONTROL_UDP_CHECKSUM); /* RFC 5944 section 3.8.2.1: silently discarded */
    else if (udp.destination_port == MIP4_PORT || udp.destination_port == c->conf->agent.delegation.port)
        serve_message(c, a, &udp);
    else {
        control_count(c, CONTROL_UDP_NO_PORT);
        transmit_icmp_error(c, &(struct icmp_error){.type = ICMP_UNREACHABLE,
                                                    .code = ICMP_PORT_UNREACHABLE,
                                                    .link_cast = a->meta->link_cast,
                                                    .datagram = a->datagram,
                                                    .len = a->len});
    }
}

/* ---- ICMP ---- */

static void answer_echo(struct control *c, const struct ipv4 *ip, const struct icmp *request)
{
    struct writer w;
    struct rte_mbuf *m = transmit_begin(c, &w);
    icmp_encode_echo_reply(&w, ip, request, c->next_identification++);
    control_count(c, CONTROL_ICMP_ECHO);
    transmit_ip(c, transmit_end(m, &w));
}

static void serve_icmp(struct control *c, const struct arrival *a, const struct ipv4 *ip)
{
    struct icmp icmp;
    if (!icmp_decode(a->datagram + ip->header_len, (size_t)ip->total_len - ip->header_len, &icmp))
        control_count(c, CONTROL_ICMP_MALFORMED);
    else if (icmp.type == ICMP_ECHO_REQUEST && !a->meta->link_cast)
        answer_echo(c, ip, &icmp);
    else if (icmp_is_error(icmp.type)) {
        agent_tunnel_error(c->agent, ip, &icmp, c->now);
        effects_carry_out(c);
    } else if (!doctor_probe_returned(c, &icmp))
        control_count(c, CONTROL_ICMP_IGNORED);
}

static void serve_datagram(struct control *c, const struct arrival *a)
{
    struct ipv4 ip;
    if (!ipv4_decode(a->datagram, a->len, &ip))
        return; /* workers let none of these through */
    if (ip.protocol == IPPROTO_NUM_UDP)
        serve_udp(c, a, &ip);
    else if (ip.protocol == IPPROTO_NUM_ICMP)
        serve_icmp(c, a, &ip);
}

/* ---- Errors that workers owe to senders ---- */

static void serve_error(struct control *c, const struct arrival *a)
{
    struct icmp_error e = {.link_cast = a->meta->link_cast, .datagram = a->datagram, .len = a->len};
    if (a->meta->unreachable) {
        /* RFC 2003 section 4.1: a home address on our own network is told as host unreachable. */
        e.type = ICMP_UNREACHABLE;
        e.code = ICMP_HOST_UNREACHABLE;
    } else if (a->meta->verdict == VERDICT_PUNT_TOO_BIG) {
        e.type = ICMP_UNREACHABLE;
        e.code = ICMP_FRAGMENTATION_NEEDED;
        e.rest = a->meta->mtu; /* RFC 1191 section 4 */
    } else
        e.type = ICMP_TIME_EXCEEDED;
    transmit_icmp_error(c, &e);
}

/* ---- Packets that wait for a neighbour ---- */

static void serve_resolve(struct control *c, struct rte_mbuf *m)
{
    uint32_t adjacency = punt_meta(m)->adjacency;
    if (adjacency != ADJACENCY_NONE)
        transmit_by_adjacency(c, adjacency, m);
    else
        transmit_ip(c, m);
}

static void serve_one(struct control *c, enum punt_class class, struct rte_mbuf *m)
{
    if (class == PUNT_RESOLVE) {
        serve_resolve(c, m);
        return;
    }
    struct arrival a = arrival_of(m);
    switch (class) {
    case PUNT_ARP:
        serve_arp(c, &a);
        break;
    case PUNT_DELEGATION:
    case PUNT_SIGNALLING:
    case PUNT_LOCAL:
        serve_datagram(c, &a);
        break;
    default:
        serve_error(c, &a);
        break;
    }
    rte_pktmbuf_free(m);
}

unsigned host_serve(struct control *c)
{
    unsigned total = 0;
    for (enum punt_class class = 0; class < PUNT_CLASS_COUNT; class ++) {
        for (unsigned burst = 0; burst < HOST_TURN_BURSTS; burst++) {
            struct rte_mbuf *m[HOST_BURST];
            unsigned n = rte_ring_sc_dequeue_burst(c->punts.ring[class], (void **)m, HOST_BURST, NULL);
            for (unsigned i = 0; i < n; i++)
                serve_one(c, class, m[i]);
            total += n;
            if (n < HOST_BURST)
                break;
        }
    }
    return total;
}

void host_announce(struct control *c, unsigned port_index)
{
    const struct port *port = &c->ports.port[port_index];
    for (size_t i = 0; i < port->n_addresses; i++)
        if (addr_is_ipv4(&port->addresses[i].addr))
            transmit_arp_announcement(c, port_index, &port->addresses[i].addr, NULL);
}
