/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "effects.h"
#include "host_arp.h"
#include "host_fragment.h"
#include "host_ip.h"
#include "host_nd.h"
#include "icmp.h"
#include "transmit.h"

enum { HOST_BURST = 32, HOST_TURN_BURSTS = 4 };

static struct arrival arrival_of(struct rte_mbuf *m)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
    struct arrival a = {.meta = punt_meta(m)};
    a.port_index = a.meta->port_index;
    memcpy(a.source_mac.b, ether->src_addr.addr_bytes, sizeof(a.source_mac.b));
    a.datagram = (const uint8_t *)(ether + 1);
    a.len = rte_pktmbuf_data_len(m) - sizeof(*ether);
    return a;
}

/* ---- Errors that workers owe to senders ---- */

static struct transmit_error error_of(const struct arrival *a)
{
    struct transmit_error e = {
        .port_index = a->port_index, .link_cast = a->meta->link_cast, .datagram = a->datagram, .len = a->len};
    if (a->meta->unreachable || a->meta->verdict == VERDICT_PUNT_LINK_LOCAL)
        /* RFC 2003 section 4.1: a home address on our own network is told as host unreachable. RFC 6275
         * section 10.4.2: code 3 of IPv6, which is the same. */
        e.what = ICMP_ERROR_HOST;
    else if (a->meta->verdict == VERDICT_PUNT_TOO_BIG) {
        e.what = ICMP_ERROR_TOO_BIG;
        e.value = a->meta->mtu; /* RFC 1191 section 4 */
    } else if (a->meta->verdict == VERDICT_PUNT_ENCAPSULATION_LIMIT) {
        e.what = ICMP_ERROR_PARAMETER;
        e.value = a->meta->pointer; /* RFC 2473 section 6.7 (b) */
    } else
        e.what = ICMP_ERROR_HOPS;
    return e;
}

static void serve_error(struct control *c, const struct arrival *a)
{
    const struct transmit_error e = error_of(a);
    transmit_icmp_error(c, &e);
}

/* ---- What goes on in ESP ---- */

static void serve_home_test(struct control *c, const struct arrival *a)
{
    agent_home_test(c->agent, a->datagram, a->len, &a->source_mac);
    effects_carry_out(c);
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
    case PUNT_NEIGHBOR:
        if (a.meta->verdict == VERDICT_PUNT_ARP)
            host_arp_serve(c, &a);
        else
            host_ip_serve(c, &a);
        break;
    case PUNT_DELEGATION:
    case PUNT_SIGNALLING:
    case PUNT_LOCAL:
        host_ip_serve(c, &a);
        break;
    case PUNT_HOME_TEST:
        serve_home_test(c, &a);
        break;
    case PUNT_FRAGMENT:
        if (host_fragment_collect(c, &a))
            host_ip_serve(c, &a);
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

void host_link_up(struct control *c, unsigned port_index)
{
    const struct port *port = &c->ports.port[port_index];
    for (size_t i = 0; i < port->n_addresses; i++)
        if (addr_is_ipv4(&port->addresses[i].addr))
            transmit_arp_announcement(c, port_index, &port->addresses[i].addr, NULL);
    host_nd_link_up(c, port_index);
}
