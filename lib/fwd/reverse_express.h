/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The usual packets out of reverse tunnels in straight code: of IP in IP of one family, from the
 * (first) care-of address of its binding, to another mobile node or by a route. As in express.h, what is not
 * as usual stays as it is and goes the general way (reverse.h), which comes to the same end for the usual
 * ones.
 *
 * The family is a constant wherever it is given.
 *
 * Of the worker alone.
 */
#ifndef FWD_REVERSE_EXPRESS_H
#define FWD_REVERSE_EXPRESS_H

#include "express.h"
#include "reverse.h"

/* Where the packet inside begins in one that express_put_aside has put aside. */
static inline uint8_t *reverse_express_inside(enum pkt_family family, struct rte_mbuf *frame)
{
    return pkt_ip(frame) + (family == PKT_IPV6 ? six_in_six_len() : ipip_len());
}

static inline unsigned reverse_express_size(enum pkt_family family, const uint8_t *ip)
{
    return family == PKT_IPV6 ? IPV6_LEN + (unsigned)pkt_read16(ip + 4) : pkt_read16(ip + 2);
}

static inline bool reverse_express_is_of_a_host(enum pkt_family family, const uint8_t *address)
{
    if (family == PKT_IPV6)
        return (uint8_t)(*address - EXPRESS_IPV6_FIRST) <= EXPRESS_IPV6_LAST - EXPRESS_IPV6_FIRST;
    return (uint8_t)(*address - 1) < 0xdf && *address != 127;
}

/* Its header has the usual length, it may take a hop (RFC 2003 section 3.1), and what happened to it outside
 * leaves no mark (RFC 6040 section 4.2). */
static inline bool reverse_express_is_plain(enum pkt_family family, const uint8_t *outer, const uint8_t *ip)
{
    const unsigned ecn = decap_tos(family, ip) & DECAP_ECN_MASK;
    return (family == PKT_IPV6 ? !ipv6_is_skipped(ip[6]) && ip[7] > 1 : ip[0] == 0x45 && ip[8] > 1) &&
           decap_ecn[ecn][decap_tos(family, outer) & DECAP_ECN_MASK] == ecn &&
           reverse_express_is_of_a_host(family, pkt_source_at(family, ip)) &&
           reverse_express_is_of_a_host(family, pkt_destination_at(family, ip));
}

static inline uint32_t reverse_express_tag(enum pkt_family family, const uint8_t *address)
{
    uint32_t v4;
    if (family == PKT_IPV6)
        return cuckoo_tag_ipv6((const struct addr *)address);
    memcpy(&v4, address, sizeof(v4));
    return cuckoo_tag_ipv4(v4);
}

/* One that was put aside. False: what is inside is not usual; else the tags of its source and destination. */
static inline bool reverse_express_read(enum pkt_family family, struct rte_mbuf *frame,
                                        uint32_t tag[static 2])
{
    const struct express outer = express_of(family, frame);
    const uint8_t *ip = reverse_express_inside(family, frame);
    if (decap_inner_size(family, ip, outer.size - (unsigned)(ip - outer.ip)) == 0 ||
        !reverse_express_is_plain(family, outer.ip, ip))
        return false;
    tag[0] = reverse_express_tag(family, pkt_source_at(family, ip));
    tag[1] = reverse_express_tag(family, pkt_destination_at(family, ip));
    return true;
}

/* What reverse_is_granted (RFC 3024 section 4.3.2, RFC 6275 section 10.4.5) and reverse_is_unprotected (RFC
 * 4301 section 5.2) ask, of a binding's first care-of address. */
static inline bool reverse_express_granted(enum pkt_family family, const struct burst *b,
                                           const uint8_t *outer, const uint8_t *ip, const struct entry *from)
{
    if (from->nature != express_usual(family).nature || (from->flags & ENTRY_REVERSE) == 0)
        return false;
    if (family == PKT_IPV6)
        return cuckoo_proves(from, (const struct addr *)(ip + 8)) &&
               addr_equal(&from->destination, (const struct addr *)(outer + 8)) &&
               ((from->flags & ENTRY_HOME_TESTS) == 0 || mobility_is_none(ip[6]));
    return !b->settings->reverse_ipv6_alone && memcmp(&from->home.b[12], ip + 12, 4) == 0 &&
           memcmp(from->outer + 16, outer + 12, 4) == 0;
}

/* The frame begins so far before ip as it did before the outer header. */
static inline void reverse_express_open(struct rte_mbuf *frame, const uint8_t *ip, unsigned size)
{
    frame->data_off = (uint16_t)(frame->data_off + (ip - pkt_ip(frame)));
    express_set_size(frame, size);
}

/* Into the tunnel of another binding, or it is again as it was. */
static inline bool reverse_express_tunnel(enum pkt_family family, struct burst *b, unsigned i,
                                          struct rte_mbuf *frame, uint32_t tag, const struct entry *to)
{
    const uint16_t data_off = frame->data_off, data_len = frame->data_len;
    const uint8_t *ip = reverse_express_inside(family, frame);
    b->tag[i] = tag;
    b->entry[i] = to;
    reverse_express_open(frame, ip, reverse_express_size(family, ip));
    if (express_forward(family, b, i, frame))
        return true;
    frame->data_off = data_off;
    express_set_size(frame, data_len - (unsigned)ETHERNET_LEN);
    return false;
}

/* To somebody who is not in the table. */
static inline bool reverse_express_route(enum pkt_family family, struct burst *b, struct rte_mbuf *frame)
{
    uint8_t *ip = reverse_express_inside(family, frame);
    const unsigned size = reverse_express_size(family, ip);
    const struct addr destination = pkt_destination(family, ip);
    uint32_t adjacency;
    if (home_network(b->settings, &destination) != NULL ||
        !exits_lookup(b->settings->exits, &destination, &adjacency))
        return false;
    const struct worker_way *way = way_of(b->ways, family, adjacency);
    if (way == NULL || size > b->w->port[way->port_index].mtu)
        return false;
    reverse_express_open(frame, ip, size);
    memcpy(ip - ETHERNET_LEN, way->header, ETHERNET_LEN);
    pkt_decrement_ttl(family, ip);
    output_frame(b->w, way->port_index, frame, VERDICT_DECAPSULATED);
    return true;
}

/* from, to: what the tags led to, not proved yet. False: it has not been changed. */
static inline bool reverse_express(enum pkt_family family, struct burst *b, unsigned i,
                                   const uint32_t tag[static 2], const struct entry *from,
                                   const struct entry *to)
{
    struct rte_mbuf *frame = b->frame[i];
    if (!reverse_express_granted(family, b, pkt_ip(frame), reverse_express_inside(family, frame), from))
        return false;
    if (to->kind == ENTRY_TUNNEL)
        return reverse_express_tunnel(family, b, i, frame, tag[1], to);
    return cuckoo_is_miss(b->cuckoo, to, b->version) && reverse_express_route(family, b, frame);
}

#endif
