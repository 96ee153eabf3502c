/* SPDX-License-Identifier: BSD-3-Clause */
#include "transmit.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "arp.h"
#include "fragment.h"
#include "icmp.h"
#include "tunnel.h"

enum { ICMP_ERRORS_PER_S = 1000, ICMP_ERRORS_BURST = 100 };

struct rte_mbuf *transmit_begin(struct control *c, struct writer *w)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(c->pool);
    if (m == NULL) {
        control_count(c, CONTROL_SEND_NO_BUFFER);
        *w = writer_over(NULL, 0);
        return NULL;
    }
    *w = writer_over(rte_pktmbuf_mtod(m, void *), rte_pktmbuf_tailroom(m));
    return m;
}

struct rte_mbuf *transmit_end(struct rte_mbuf *m, const struct writer *w)
{
    if (m == NULL || w->failed) {
        rte_pktmbuf_free(m);
        return NULL;
    }
    m->data_len = (uint16_t)writer_len(w);
    m->pkt_len = m->data_len;
    return m;
}

void transmit_frame(struct control *c, unsigned port_index, struct rte_mbuf *m)
{
    if (m != NULL && !ports_send(&c->ports, port_index, c->n_workers, m))
        control_count(c, CONTROL_SEND_TX_FULL);
}

void transmit_on_link(struct control *c, unsigned port_index, const struct mac *to, struct rte_mbuf *m)
{
    if (m == NULL)
        return;
    struct rte_ether_hdr *ether = (void *)rte_pktmbuf_prepend(m, sizeof(*ether));
    if (ether == NULL) {
        control_count(c, CONTROL_SEND_NO_BUFFER);
        rte_pktmbuf_free(m);
        return;
    }
    memcpy(ether->dst_addr.addr_bytes, to->b, sizeof(to->b));
    memcpy(ether->src_addr.addr_bytes, c->ports.port[port_index].mac.b, sizeof(to->b));
    ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
    transmit_frame(c, port_index, m);
}

void transmit_by_adjacency(struct control *c, uint32_t adjacency, struct rte_mbuf *m)
{
    adjacency_word word = adjacency_read(c->adjacencies, adjacency);
    if (!(word & ADJACENCY_VALID)) {
        neighbor_send_by(c->neighbors, adjacency, m, c->now.mono_ns);
        return;
    }
    struct mac mac;
    adjacency_mac(word, mac.b);
    transmit_on_link(c, adjacency_port(word), &mac, m);
}

static bool is_from_us(const struct control *c, const struct rte_ipv4_hdr *ip)
{
    struct addr source = addr_from_ipv4(rte_be_to_cpu_32(ip->src_addr));
    return ports_own(&c->ports, &source) >= 0;
}

void transmit_unreachable(struct control *c, enum control_counter why, uint8_t code, struct rte_mbuf *m)
{
    control_count(c, why);
    const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *);
    size_t len = rte_pktmbuf_data_len(m);
    if (ip->next_proto_id == IPPROTO_NUM_IPIP && is_from_us(c, ip) && len > sizeof(*ip)) {
        ip++;
        len -= sizeof(*ip);
        code = ICMP_HOST_UNREACHABLE; /* the home address is on our own network (RFC 2003 section 4.1) */
    }
    if (!is_from_us(c, ip))
        transmit_icmp_error(
            c, &(struct icmp_error){
                   .type = ICMP_UNREACHABLE, .code = code, .datagram = (const uint8_t *)ip, .len = len});
    rte_pktmbuf_free(m);
}

/* We sent our own datagram with DF because every host takes it whole (ipv4_identify), but not every way does:
 * nobody is there to learn a path MTU from it, so it bears an identification and may be fragmented. Around a
 * tunnelled packet DF is its sender's (RFC 2003 section 3.1). */
static void permit_fragments(struct control *c, struct rte_ipv4_hdr *ip)
{
    const rte_be16_t df = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
    if (!(ip->fragment_offset & df) || ip->next_proto_id == IPPROTO_NUM_IPIP || !is_from_us(c, ip))
        return;
    ip->fragment_offset &= (rte_be16_t)~df;
    ip->packet_id = rte_cpu_to_be_16(c->next_identification++);
}

/* Larger than what the way takes whole: in fragments, or not at all (RFC 1812 section 4.2.2.7, RFC 1191
 * section 4). */
static void transmit_in_parts(struct control *c, uint16_t mtu, struct rte_mbuf *m)
{
    struct rte_mbuf *part[FRAGMENTS_MAX];
    struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
    permit_fragments(c, ip); /* each gets its header's checksum anew */
    if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG)) {
        control_count(c, CONTROL_SEND_TOO_BIG);
        transmit_icmp_error(c, &(struct icmp_error){.type = ICMP_UNREACHABLE,
                                                    .code = ICMP_FRAGMENTATION_NEEDED,
                                                    .rest = mtu,
                                                    .datagram = (const uint8_t *)ip,
                                                    .len = rte_pktmbuf_data_len(m)});
    } else {
        int n = fragment_ipv4(m, mtu, c->pool, part);
        if (n < 0)
            control_count(c, CONTROL_SEND_NO_BUFFER);
        for (int i = 0; i < n; i++)
            transmit_ip(c, part[i]);
    }
    rte_pktmbuf_free(m);
}

static void transmit_routed(struct control *c, const struct addr *destination, struct rte_mbuf *m)
{
    struct route route;
    struct addr next_hop;
    if (!routes_lookup(c->routes, destination, &route, &next_hop)) {
        transmit_unreachable(c, CONTROL_SEND_NO_ROUTE, ICMP_NET_UNREACHABLE,
                             m); /* RFC 1812 section 4.3.3.1 */
        return;
    }
    uint16_t mtu = c->ports.port[route.port_index].mtu;
    if (rte_pktmbuf_pkt_len(m) > mtu)
        transmit_in_parts(c, mtu, m);
    else
        neighbor_send(c->neighbors, route.port_index, &next_hop, m, c->now.mono_ns);
}

/* m fits. */
static void transmit_whole(struct control *c, const struct entry *entry, struct rte_mbuf *m)
{
    if (entry->kind == ENTRY_TUNNEL && !tunnel_encapsulate(m, entry)) {
        control_count(c, CONTROL_SEND_NO_BUFFER);
        rte_pktmbuf_free(m);
    } else if (entry->adjacency == ADJACENCY_NONE)
        transmit_unreachable(c, CONTROL_SEND_NO_ROUTE, ICMP_NET_UNREACHABLE, m);
    else
        transmit_by_adjacency(c, entry->adjacency, m);
}

/* To each care-of address of a mobile node that has several (RFC 5944 section 3.8.2.1). */
static void transmit_copies(struct control *c, const struct entry *entry, const struct rte_mbuf *m)
{
    while ((entry->flags & ENTRY_MORE) != 0) {
        entry = table_more(c->table, entry);
        struct rte_mbuf *copy = rte_pktmbuf_copy(m, c->pool, 0, UINT32_MAX);
        if (copy != NULL)
            transmit_whole(c, entry, copy);
        else
            control_count(c, CONTROL_SEND_NO_BUFFER);
    }
}

static void transmit_by_entry(struct control *c, const struct entry *entry, struct rte_mbuf *m)
{
    if (entry->kind == ENTRY_LOCAL) { /* a forged source: ourselves, or a link's broadcast address */
        control_count(c, CONTROL_SEND_NO_ROUTE);
        rte_pktmbuf_free(m);
    } else if (rte_pktmbuf_pkt_len(m) > RTE_MAX((uint32_t)entry->mtu, (uint32_t)FRAGMENT_MTU_MIN))
        transmit_in_parts(c, entry->mtu, m);
    else {
        transmit_copies(c, entry, m);
        transmit_whole(c, entry, m);
    }
}

void transmit_ip(struct control *c, struct rte_mbuf *m)
{
    if (m == NULL)
        return;
    const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *);
    struct addr destination = addr_from_ipv4(rte_be_to_cpu_32(ip->dst_addr));
    const struct entry *entry = table_get(c->table, &destination);
    if (entry != NULL)
        transmit_by_entry(c, entry, m);
    else
        transmit_routed(c, &destination, m);
}

void transmit_arp_request(struct control *c, unsigned port_index, const struct addr *target,
                          const struct mac *known)
{
    struct writer w;
    struct port *port = &c->ports.port[port_index];
    struct addr source = port_source(port, target);
    struct rte_mbuf *m = transmit_begin(c, &w);
    arp_encode_request(&w, &port->mac, &source, target, known);
    transmit_frame(c, port_index, transmit_end(m, &w));
}

void transmit_arp_announcement(struct control *c, unsigned port_index, const struct addr *address,
                               const struct mac *mac)
{
    struct writer w;
    struct port *port = &c->ports.port[port_index];
    struct rte_mbuf *m = transmit_begin(c, &w);
    arp_encode_announcement(&w, &port->mac, mac != NULL ? mac : &port->mac, address);
    transmit_frame(c, port_index, transmit_end(m, &w));
}

/* RFC 1812 section 4.3.2.8: errors are limited in rate. */
static bool icmp_error_admitted(struct control *c)
{
    struct icmp_limit *limit = &c->icmp_limit;
    const uint64_t token_ns = NSEC_PER_S / ICMP_ERRORS_PER_S;
    uint64_t earned = (c->now.mono_ns - limit->filled_ns) / token_ns;
    if (earned > 0) {
        limit->tokens = (uint32_t)RTE_MIN(limit->tokens + earned, (uint64_t)ICMP_ERRORS_BURST);
        limit->filled_ns += earned * token_ns;
    }
    if (limit->tokens == 0)
        return false;
    limit->tokens--;
    return true;
}

/* RFC 1812 section 4.3.2.4: the address of the interface by which the error leaves. */
static struct addr error_source(struct control *c, const struct addr *to)
{
    struct route route;
    struct addr next_hop;
    if (!routes_lookup(c->routes, to, &route, &next_hop))
        return addr_unspecified;
    return port_source(&c->ports.port[route.port_index], &next_hop);
}

void transmit_icmp_error(struct control *c, const struct icmp_error *e)
{
    if (!icmp_error_allowed(e->datagram, e->len, e->link_cast)) {
        control_count(c, CONTROL_ICMP_ERRORS_FORBIDDEN);
        return;
    }
    if (!icmp_error_admitted(c)) {
        control_count(c, CONTROL_ICMP_ERRORS_LIMITED);
        return;
    }
    const struct rte_ipv4_hdr *offender = (const void *)e->datagram;
    struct addr to = addr_from_ipv4(rte_be_to_cpu_32(offender->src_addr));
    struct addr source = error_source(c, &to);
    if (addr_is_unspecified(&source)) {
        control_count(c, CONTROL_SEND_NO_ROUTE);
        return;
    }
    struct writer w;
    struct rte_mbuf *m = transmit_begin(c, &w);
    icmp_encode_error(&w, &source, e->type, e->code, e->rest, e->datagram, e->len, c->next_identification++);
    m = transmit_end(m, &w);
    if (m == NULL)
        return;
    control_count(c, CONTROL_ICMP_ERRORS_SENT);
    transmit_ip(c, m);
}
