/* SPDX-License-Identifier: BSD-3-Clause */
#include "transmit.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "arp.h"
#include "fragment.h"
#include "inet.h"
#include "mobility.h"
#include "tunnel.h"

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

struct rte_mbuf *transmit_message(struct control *c, const struct ip_header *ip, const void *payload,
                                  size_t len)
{
    struct writer w;
    struct ip_header header = *ip;
    struct rte_mbuf *m = transmit_begin(c, &w);
    header.total_len = (uint16_t)(ip_header_size(ip) + len);
    ip_identify(&header, c->next_identification++);
    ip_encode(&w, &header);
    write_bytes(&w, payload, len);
    return transmit_end(m, &w);
}

/* ---- What a datagram is ---- */

static bool is_ipv4(const struct rte_mbuf *m)
{
    return *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4;
}

static struct addr destination_of(const struct rte_mbuf *m)
{
    const void *ip = rte_pktmbuf_mtod(m, const void *);
    if (is_ipv4(m))
        return addr_from_ipv4(rte_be_to_cpu_32(((const struct rte_ipv4_hdr *)ip)->dst_addr));
    struct addr destination;
    memcpy(destination.b, ((const struct rte_ipv6_hdr *)ip)->dst_addr, sizeof(destination.b));
    return destination;
}

static bool is_from_us(const struct control *c, const uint8_t *datagram, size_t len)
{
    struct ip_header ip;
    return ip_decode_beginning(datagram, len, &ip) && ports_own(&c->ports, &ip.source) >= 0;
}

static bool is_ours(const struct control *c, const struct rte_mbuf *m)
{
    return is_from_us(c, rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));
}

bool transmit_may_use(const struct control *c, const struct addr *own)
{
    const int port_index = ports_own(&c->ports, own);
    return port_index >= 0 && (addr_is_ipv4(own) || host_nd_is_usable(c, (unsigned)port_index, own));
}

/* Every link takes so much whole, and nobody cuts smaller (RFC 791 section 3.2, RFC 8200 section 5). */
static uint16_t smallest_mtu(const struct rte_mbuf *m)
{
    return is_ipv4(m) ? FRAGMENT_MTU_MIN : IPV6_MTU_MIN;
}

static bool fits(const struct rte_mbuf *m, uint16_t mtu)
{
    const uint32_t takes = RTE_MAX(mtu, smallest_mtu(m));
    return rte_pktmbuf_pkt_len(m) <= takes;
}

/* ---- Frames ---- */

void transmit_frame(struct control *c, unsigned port_index, struct rte_mbuf *m)
{
    if (m != NULL && !ports_send(&c->ports, port_index, c->n_workers, m))
        control_count(c, CONTROL_SEND_TX_FULL);
}

void transmit_on_link(struct control *c, unsigned port_index, const struct mac *to, struct rte_mbuf *m)
{
    if (m == NULL)
        return;
    const uint16_t type = is_ipv4(m) ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6;
    struct rte_ether_hdr *ether = (void *)rte_pktmbuf_prepend(m, sizeof(*ether));
    if (ether == NULL) {
        control_count(c, CONTROL_SEND_NO_BUFFER);
        rte_pktmbuf_free(m);
        return;
    }
    memcpy(ether->dst_addr.addr_bytes, to->b, sizeof(to->b));
    memcpy(ether->src_addr.addr_bytes, c->ports.port[port_index].mac.b, sizeof(to->b));
    ether->ether_type = rte_cpu_to_be_16(type);
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

/* ---- What cannot be delivered ---- */

/* What our tunnel packet carries is the datagram now. False: it is no tunnel packet, or a later fragment of
 * one, in which a stranger's bytes stand where a header would. */
static bool look_inside(struct transmit_error *e)
{
    struct ip_header ip;
    if (!ip_decode_beginning(e->datagram, e->len, &ip) || e->len <= ip.header_len ||
        (ip.fragment & IPV4_OFFSET_MASK) != 0 ||
        (ip.protocol != IPPROTO_NUM_IPIP && ip.protocol != IPPROTO_NUM_IPV6))
        return false;
    e->datagram += ip.header_len;
    e->len -= ip.header_len;
    e->what = ICMP_ERROR_HOST; /* the home address is on our own network (RFC 2003 section 4.1) */
    return true;
}

void transmit_unreachable(struct control *c, enum control_counter why, enum icmp_error what,
                          struct rte_mbuf *m)
{
    control_count(c, why);
    struct transmit_error e = {
        .what = what, .datagram = rte_pktmbuf_mtod(m, const uint8_t *), .len = rte_pktmbuf_data_len(m)};
    if (!is_ours(c, m) || (look_inside(&e) && !is_from_us(c, e.datagram, e.len)))
        transmit_icmp_error(c, &e);
    rte_pktmbuf_free(m);
}

/* ---- What is too large ---- */

static bool has_df(const struct rte_ipv4_hdr *ip)
{
    return (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG)) != 0;
}

/* Of an IPv4 datagram that we made: it bears an identification now. Each fragment gets its checksum anew. */
static void clear_df(struct control *c, struct rte_mbuf *m)
{
    struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
    if (!has_df(ip))
        return;
    ip->fragment_offset &= (rte_be16_t)~rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
    ip->packet_id = rte_cpu_to_be_16(c->next_identification++);
}

/* We sent our own IPv4 datagram with DF because every host takes it whole (ip_identify), but not every way
 * does: nobody is there to learn a path MTU from it. Around a tunnelled packet DF is its sender's (RFC 2003
 * section 3.1). */
static bool may_clear_df(const struct control *c, const struct rte_mbuf *m)
{
    return rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *)->next_proto_id != IPPROTO_NUM_IPIP &&
           is_ours(c, m);
}

/* IPv6 is fragmented by its source alone (RFC 8200 section 5), IPv4 unless DF is set. */
static bool may_be_fragmented(struct control *c, struct rte_mbuf *m)
{
    if (!is_ipv4(m))
        return is_ours(c, m);
    if (may_clear_df(c, m))
        clear_df(c, m);
    return !has_df(rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *));
}

/* Workers take the even ones. slot: the part of a shared source's that is this node's (worker.h). */
static uint32_t next_identification(struct control *c, unsigned slot)
{
    const uint32_t odd = c->next_fragment++ * 2 + 1;
    return c->worker_settings->id_slots == 1 ? odd : slot << IPV6_ID_SLOT_SHIFT | (odd & IPV6_ID_MASK);
}

/* m is only read. Returns how many there are; 0: none could be made. */
static int make_parts(struct control *c, struct rte_mbuf *m, uint16_t mtu, unsigned slot,
                      struct rte_mbuf *part[static FRAGMENTS_MAX])
{
    int n = is_ipv4(m) ? fragment_ipv4(m, mtu, c->pool, part)
                       : fragment_ipv6(m, mtu, next_identification(c, slot), c->pool, part);
    if (n < 0)
        control_count(c, CONTROL_SEND_NO_BUFFER);
    return RTE_MAX(n, 0);
}

/* Larger than what the way takes whole: in fragments, or not at all (RFC 1812 section 4.2.2.7, RFC 1191
 * section 4, RFC 4443 section 3.2). */
static void transmit_in_parts(struct control *c, uint16_t mtu, struct rte_mbuf *m)
{
    struct rte_mbuf *part[FRAGMENTS_MAX];
    if (!may_be_fragmented(c, m)) {
        control_count(c, CONTROL_SEND_TOO_BIG);
        transmit_icmp_error(c, &(struct transmit_error){.what = ICMP_ERROR_TOO_BIG,
                                                        .value = mtu,
                                                        .datagram = rte_pktmbuf_mtod(m, const uint8_t *),
                                                        .len = rte_pktmbuf_data_len(m)});
    } else {
        int n = make_parts(c, m, mtu, 0, part);
        for (int i = 0; i < n; i++)
            transmit_ip(c, part[i]);
    }
    rte_pktmbuf_free(m);
}

/* ---- By the routes ---- */

/* A link-local destination is where our source of the same scope is: on each link there may be one. */
static bool way_on_link(const struct control *c, const struct rte_mbuf *m, struct route *route)
{
    struct ip_header ip;
    if (!ip_decode_beginning(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m), &ip))
        return false;
    const int port_index = ports_own(&c->ports, &ip.source);
    route->port_index = (uint8_t)port_index;
    return port_index >= 0;
}

static bool way_to(const struct control *c, const struct rte_mbuf *m, const struct addr *destination,
                   struct route *route, struct addr *next_hop)
{
    if (is_ipv4(m) || !addr_is_link_local(destination))
        return routes_lookup(c->routes, destination, route, next_hop);
    *next_hop = *destination;
    return way_on_link(c, m, route);
}

static void transmit_routed(struct control *c, const struct addr *destination, struct rte_mbuf *m)
{
    struct route route;
    struct addr next_hop;
    if (!way_to(c, m, destination, &route, &next_hop)) {
        transmit_unreachable(c, CONTROL_SEND_NO_ROUTE, ICMP_ERROR_NO_ROUTE, m); /* RFC 1812 section 4.3.3.1 */
        return;
    }
    uint16_t mtu = c->ports.port[route.port_index].mtu;
    if (fits(m, mtu))
        neighbor_send(c->neighbors, route.port_index, &next_hop, m, c->now.mono_ns);
    else
        transmit_in_parts(c, mtu, m);
}

/* ---- By the binding table ---- */

/* An IPv6 packet of 1280 bytes has to be taken whole and may make an outer one larger than the way: that one
 * is fragmented, for it is ours (RFC 2473 section 7.1, RFC 4213 section 3.2.1). */
static void transmit_tunnelled(struct control *c, const struct entry *entry, struct rte_mbuf *m)
{
    struct rte_mbuf *part[FRAGMENTS_MAX];
    const unsigned way = entry->mtu + tunnel_overhead((enum encapsulation)entry->encapsulation);
    if (rte_pktmbuf_pkt_len(m) <= way) {
        transmit_by_adjacency(c, entry->adjacency, m);
        return;
    }
    if (is_ipv4(m))
        clear_df(c, m);
    int n = make_parts(c, m, (uint16_t)way, entry->id_slot, part);
    for (int i = 0; i < n; i++)
        transmit_by_adjacency(c, entry->adjacency, part[i]);
    rte_pktmbuf_free(m);
}

/* m fits. */
static void transmit_whole(struct control *c, const struct entry *entry, struct rte_mbuf *m)
{
    const bool tunnel = entry->kind == ENTRY_TUNNEL;
    if (tunnel && !tunnel_encapsulate(m, entry)) {
        control_count(c, CONTROL_SEND_NO_BUFFER);
        rte_pktmbuf_free(m);
    } else if (entry->adjacency == ADJACENCY_NONE)
        transmit_unreachable(c, CONTROL_SEND_NO_ROUTE, ICMP_ERROR_NO_ROUTE, m);
    else if (tunnel)
        transmit_tunnelled(c, entry, m);
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

/* A home test that workers would have had put into ESP: it waited here while that became the rule. */
static bool may_leak(const struct entry *entry, const struct rte_mbuf *m)
{
    if (entry->kind != ENTRY_TUNNEL || (entry->flags & ENTRY_HOME_TESTS) == 0 || is_ipv4(m))
        return false;
    const enum mobility mobility = mobility_of(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));
    return mobility == MOBILITY_HOME_TEST || mobility == MOBILITY_HIDDEN;
}

static void transmit_by_entry(struct control *c, const struct entry *entry, struct rte_mbuf *m)
{
    if (entry->kind == ENTRY_LOCAL) { /* a forged source: ourselves, or a link's broadcast address */
        control_count(c, CONTROL_SEND_NO_ROUTE);
        rte_pktmbuf_free(m);
    } else if (may_leak(entry, m)) {
        control_count(c, CONTROL_SEND_UNPROTECTED);
        rte_pktmbuf_free(m);
    } else if (fits(m, entry->mtu)) {
        transmit_copies(c, entry, m);
        transmit_whole(c, entry, m);
    } else
        transmit_in_parts(c, RTE_MAX(entry->mtu, smallest_mtu(m)), m);
}

void transmit_ip(struct control *c, struct rte_mbuf *m)
{
    if (m == NULL)
        return;
    const struct addr destination = destination_of(m);
    const struct entry *entry = table_get(c->table, &destination);
    if (entry != NULL)
        transmit_by_entry(c, entry, m);
    else
        transmit_routed(c, &destination, m);
}

void transmit_forwarded(struct control *c, struct rte_mbuf *m)
{
    if (m == NULL)
        return;
    uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *);
    const uint8_t hops = ip[is_ipv4(m) ? 8 : 7];
    if (hops > 1) {
        pkt_decrement_ttl(pkt_family_of(ip), ip);
        transmit_ip(c, m);
        return;
    }
    transmit_icmp_error(
        c, &(struct transmit_error){.what = ICMP_ERROR_HOPS, .datagram = ip, .len = rte_pktmbuf_data_len(m)});
    rte_pktmbuf_free(m);
}

/* ---- ARP ---- */

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
