/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packets that the appliance is there for, in straight code: a whole IPv4 packet without options, or an
 * IPv6 packet without extension headers, for one care-of address; those for nobody; and, put aside, those of
 * the usual reverse tunnels. Each step asks in few tests whether
 * everything is as usual. Where it is not, it changes nothing and says so, and pkt_parse and decide, which
 * know all cases, see the packet instead; they come to the same end for the usual ones, which a test holds
 * them to.
 *
 * The family is a constant wherever it is given.
 *
 * Of the worker alone.
 */
#ifndef FWD_EXPRESS_H
#define FWD_EXPRESS_H

#include "decide.h"

/* ---- Parsing ---- */

/* IPv4 without options. TTL is good for a hop; the source is of class A to C, the destination, too. */
static inline void express_bound_ipv4(struct form *form, unsigned ip)
{
    form_bound(form, ip, 0x45, 0x45);
    form_bound(form, ip + 8, 2, UINT8_MAX);
    form_bound(form, ip + 12, 1, 0xdf);
    form_bound(form, ip + 16, 0, 0xdf);
}

/* No byte with which ::/8 begins, where unspecified, loopback and mapped addresses are, nor fe00::/7, where
 * link-local addresses and groups are. */
enum { EXPRESS_IPV6_FIRST = 0x01, EXPRESS_IPV6_LAST = 0xfd };

/* A hop limit of 255 may be that of neighbour discovery, one below 2 has run out: the general way knows. */
static inline void express_bound_ipv6(struct form *form, unsigned ip)
{
    form_bound(form, ip, 0x60, 0x6f);
    form_bound(form, ip + 7, 2, IPV6_ND_HOP_LIMIT - 1);
    form_bound(form, ip + 8, EXPRESS_IPV6_FIRST, EXPRESS_IPV6_LAST);
}

/* What the usual frames begin with that come to the port. */
static inline struct form express_form(enum pkt_family family, const struct mac *port)
{
    struct form form = form_of_any();
    uint8_t ethertype[2];
    pkt_write16(ethertype, pkt_ethertype(family));
    form_fix(&form, 0, port->b, sizeof(port->b));
    form_fix(&form, ETHERNET_LEN - sizeof(ethertype), ethertype, sizeof(ethertype));
    if (family == PKT_IPV6)
        express_bound_ipv6(&form, ETHERNET_LEN);
    else
        express_bound_ipv4(&form, ETHERNET_LEN);
    return form;
}

/* The device's word counts, if it has said that the checksum is right and not that it is wrong. */
static inline bool express_checksum_is_right(const struct rte_mbuf *frame, const uint8_t *ip)
{
    const uint64_t said = frame->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    if (likely(said == RTE_MBUF_F_RX_IP_CKSUM_GOOD))
        return true;
    return said != RTE_MBUF_F_RX_IP_CKSUM_BAD && pkt_header_is_whole(ip, IPV4_LEN_MIN);
}

/* Of what has the form. Extension headers could hold an encapsulation limit. */
static inline bool express_is_plain(enum pkt_family family, const struct rte_mbuf *frame, const uint8_t *ip)
{
    if (family == PKT_IPV6)
        return !ipv6_is_skipped(ip[6]) &&
               (uint8_t)(ip[24] - EXPRESS_IPV6_FIRST) <= EXPRESS_IPV6_LAST - EXPRESS_IPV6_FIRST;
    return likely(ip[12] != 127) && express_checksum_is_right(frame, ip);
}

static inline unsigned express_least(enum pkt_family family)
{
    return family == PKT_IPV6 ? IPV6_LEN : IPV4_LEN_MIN;
}

/* Is this what pkt_parse would say PKT_LOOK_UP to, if the packet is as long as it says? */
static inline bool express_parse(enum pkt_family family, const struct rte_mbuf *frame,
                                 const struct form *form)
{
    const uint8_t *ethernet = rte_pktmbuf_mtod(frame, const uint8_t *);
    return likely(frame->nb_segs == 1) && likely(frame->data_len >= ETHERNET_LEN + express_least(family)) &&
           likely(form_fits(form, ethernet)) && express_is_plain(family, frame, ethernet + ETHERNET_LEN);
}

/* ---- Deciding ---- */

/* A packet that was parsed: what is written of it is read from here. */
struct express {
    uint8_t *ip;
    uint32_t begin; /* its header's first four bytes as a number */
    unsigned size;  /* as it says */
};

static inline struct express express_of(enum pkt_family family, struct rte_mbuf *frame)
{
    struct express x = {.ip = pkt_ip(frame)};
    memcpy(&x.begin, x.ip, sizeof(x.begin));
    x.begin = rte_be_to_cpu_32(x.begin);
    x.size = family == PKT_IPV6 ? IPV6_LEN + (unsigned)pkt_read16(x.ip + 4) : (uint16_t)x.begin;
    return x;
}

/* No smaller than a header, which the frame is known to have room for, and all of it in the frame. Padding
 * may follow. */
static inline bool express_is_whole(enum pkt_family family, const struct rte_mbuf *frame,
                                    const struct express *x)
{
    const unsigned least = express_least(family);
    return x->size - least <= frame->data_len - (ETHERNET_LEN + least);
}

/* The family's usual tunnel. */
static inline struct entry express_usual(enum pkt_family family)
{
    return (struct entry){.kind = ENTRY_TUNNEL,
                          .encapsulation =
                              family == PKT_IPV6 ? ENCAPSULATION_IPV6_IN_IPV6 : ENCAPSULATION_IPIP};
}

/* That, and nothing about it but that its far end may send by it, too. */
static inline bool express_is_usual(enum pkt_family family, const struct entry *e)
{
    const struct entry usual = express_usual(family), reverse = {.flags = ENTRY_REVERSE};
    return ((e->character ^ usual.character) & ~(unsigned)reverse.character) == 0;
}

/* Of a tunnel: for one care-of address, which is not known to be unreachable; and it cannot be a home test
 * that has to go by ESP. */
static inline bool express_is_single(enum pkt_family family, const struct express *x, const struct entry *e)
{
    const unsigned unusual = e->flags & ~(unsigned)ENTRY_REVERSE;
    return unusual == 0 || (family == PKT_IPV6 && unusual == ENTRY_HOME_TESTS && mobility_is_none(x->ip[6]));
}

static inline uint64_t express_half(const void *at)
{
    uint64_t half;
    memcpy(&half, at, sizeof(half));
    return half;
}

static inline uint32_t express_source_ipv4(const struct express *x)
{
    uint32_t source;
    memcpy(&source, x->ip + 12, sizeof(source));
    return source;
}

/* Of IPv6 the latter half of the source is enough to tell. What lies there of an entry over the other family
 * is none; then the general way knows better. */
static inline bool express_is_from_far_end(enum pkt_family family, const struct express *x,
                                           const struct entry *e)
{
    if (family == PKT_IPV6)
        return express_half(x->ip + 16) == express_half(&e->destination.b[8]);
    return express_source_ipv4(x) == tunnel_destination_ipv4(e);
}

static inline bool express_is_own(enum pkt_family family, const struct burst *b, const struct express *x)
{
    if (family == PKT_IPV6)
        return is_own(b, (const struct addr *)(x->ip + 8));
    return own_has_ipv4(&b->settings->own, express_source_ipv4(x));
}

/* Room for the longest outer header is room for all. NULL: one of these is not as usual. */
static inline const struct worker_way *express_way(enum pkt_family inside, enum pkt_family outside,
                                                   const struct burst *b, const struct rte_mbuf *frame,
                                                   const struct express *x, const struct entry *e)
{
    if (unlikely(!express_is_whole(inside, frame, x) || x->size > e->mtu ||
                 express_is_from_far_end(inside, x, e) || express_is_own(inside, b, x) ||
                 rte_pktmbuf_headroom(frame) < TUNNEL_OUTER_MAX))
        return NULL;
    return way_of(b->ways, outside, e->adjacency);
}

/* The frame ends where the packet ends. Returns its length. */
static inline unsigned express_set_size(struct rte_mbuf *frame, unsigned size)
{
    const unsigned len = ETHERNET_LEN + size;
    frame->data_len = (uint16_t)len;
    frame->pkt_len = len;
    return len;
}

/* What all do with a packet that has its tunnel. */
static inline void express_leave(struct burst *b, unsigned i, struct rte_mbuf *frame, unsigned len,
                                 const struct entry *e, const struct express *x, const struct worker_way *way)
{
    output_put(way->tx, frame, len);
    count_binding(b, i, e->slot, x->size);
}

/* ---- Each family's usual tunnel ---- */

/* Taken from the packet are version, TOS with ECN (RFC 6040 section 4.1, normal mode) and DF (RFC 2003
 * section 3.1, as sets_df has it); then the identification does not count (RFC 6864 section 4.1). */
static inline void express_outer_ipv4(uint8_t *outer, const struct burst *b, const struct entry *e,
                                      const struct express *x)
{
    const uint32_t begin = x->begin + IPV4_LEN_MIN;
    if (likely((x->ip[6] & IPV4_DF >> 8) != 0) || b->settings->outer_df_always)
        outer_write(outer, IPV4_LEN_MIN, e, begin);
    else
        outer_write_divisible(outer, IPV4_LEN_MIN, e, begin, next_identification(b, e));
}

/* Returns the length of the frame. */
static inline unsigned express_wrap(enum pkt_family family, const struct burst *b, struct rte_mbuf *frame,
                                    const struct entry *e, const struct express *x,
                                    const struct worker_way *way)
{
    const unsigned len = family == PKT_IPV6 ? six_in_six_len() : ipip_len();
    uint8_t *outer = x->ip - len;
    frame->data_off = (uint16_t)(frame->data_off - len);
    memcpy(outer - ETHERNET_LEN, way->header, ETHERNET_WIDE);
    if (family == PKT_IPV6)
        outer_build_ipv6(outer, PKT_IPV6, x->ip, e, (uint8_t)(x->begin >> 20), (uint16_t)x->size,
                         IPPROTO_IPV6);
    else
        express_outer_ipv4(outer, b, e, x);
    pkt_decrement_ttl(family, x->ip);
    return express_set_size(frame, len + x->size);
}

/* ---- Other tunnels ---- */

static inline bool express_other(enum pkt_family family, struct burst *b, unsigned i, struct rte_mbuf *frame,
                                 const struct entry *e)
{
    const struct express x = express_of(family, frame);
    const struct addr destination = pkt_destination(family, x.ip);
    if (!cuckoo_proves(e, &destination) || !express_is_single(family, &x, e))
        return false;
    const enum pkt_family outside = tunnel_family_outside((enum encapsulation)e->encapsulation);
    const struct worker_way *way = express_way(family, outside, b, frame, &x, e);
    if (way == NULL)
        return false;
    express_set_size(frame, x.size);
    pkt_decrement_ttl(family, x.ip);
    const struct tunnel_inner inner = tunnel_inner_in(family, x.ip, e);
    wrap(b, e, frame, ETHERNET_LEN, &inner);
    memcpy(rte_pktmbuf_mtod(frame, uint8_t *), way->header, ETHERNET_LEN);
    express_leave(b, i, frame, rte_pktmbuf_pkt_len(frame), e, &x, way);
    return true;
}

/* ---- No tunnel ---- */

/* For nobody, and neither a home address nor for others by us as their router. */
static inline bool express_drop(enum pkt_family family, struct burst *b, unsigned i, struct rte_mbuf *frame)
{
    const struct express x = express_of(family, frame);
    const struct addr destination = pkt_destination(family, x.ip);
    if (!express_is_whole(family, frame, &x) || (family == PKT_IPV6 && b->settings->routes_ipv6) ||
        !cuckoo_is_miss(b->cuckoo, b->entry[i], b->version) ||
        home_network(b->settings, &destination) != NULL)
        return false;
    burst_count_nobodys(b, i);
    burst_drop(b, frame, VERDICT_DROP_NO_BINDING);
    return true;
}

/* For us, whole and by the family's usual tunnel: reverse_express.h sees to it. */
static inline bool express_put_aside(enum pkt_family family, struct burst *b, unsigned i,
                                     struct rte_mbuf *frame, const struct entry *e)
{
    const struct express x = express_of(family, frame);
    const struct addr destination = pkt_destination(family, x.ip);
    const uint8_t protocol = family == PKT_IPV6 ? x.ip[6] : x.ip[9];
    if (b->settings->exits == NULL || (e->flags & ENTRY_BROADCAST) != 0 ||
        protocol != (family == PKT_IPV6 ? IPPROTO_IPV6 : IPPROTO_IPIP) ||
        !express_is_whole(family, frame, &x) ||
        (family == PKT_IPV4 && (pkt_read16(x.ip + 6) & IPV4_FRAGMENT) != 0) ||
        !cuckoo_proves(e, &destination))
        return false;
    rte_prefetch0(x.ip + 64); /* of IPv6 the header inside is there */
    burst_count_nobodys(b, i);
    b->aside[b->n_aside++] = (uint8_t)i;
    b->unread |= UINT64_C(1) << i;
    return true;
}

/* ---- The whole ---- */

/* Whatever the family's usual tunnel is not. */
static inline bool express_rest_now(enum pkt_family family, struct burst *b, unsigned i,
                                    struct rte_mbuf *frame, const struct entry *e)
{
    switch (e->kind) {
    case ENTRY_TUNNEL:
        return express_other(family, b, i, frame, e);
    case ENTRY_LOCAL:
        return express_put_aside(family, b, i, frame, e);
    case ENTRY_NONE:
        return express_drop(family, b, i, frame);
    default:
        return false;
    }
}

/* Apart, so that the description of the packet has a place in memory here alone. */
static __rte_noinline bool express_rest_ipv4(struct burst *b, unsigned i, struct rte_mbuf *frame,
                                             const struct entry *e)
{
    return express_rest_now(PKT_IPV4, b, i, frame, e);
}

static __rte_noinline bool express_rest_ipv6(struct burst *b, unsigned i, struct rte_mbuf *frame,
                                             const struct entry *e)
{
    return express_rest_now(PKT_IPV6, b, i, frame, e);
}

static inline bool express_rest(enum pkt_family family, struct burst *b, unsigned i, struct rte_mbuf *frame,
                                const struct entry *e)
{
    return family == PKT_IPV6 ? express_rest_ipv6(b, i, frame, e) : express_rest_ipv4(b, i, frame, e);
}

/* Is the entry of the family's usual tunnel that of the packet's destination? Of IPv4 the tag is that, and
 * what goes by IP in IP has no other address. */
static inline bool express_proves(enum pkt_family family, const struct burst *b, unsigned i,
                                  const struct entry *e, const struct express *x)
{
    return family == PKT_IPV6 ? cuckoo_proves(e, (const struct addr *)(x->ip + 24))
                              : pkt_ipv4(&e->home) == b->tag[i];
}

/* A frame to which express_parse has said yes, by the entry that was found and is not proved yet. */
static __rte_always_inline bool express_forward(enum pkt_family family, struct burst *b, unsigned i,
                                                struct rte_mbuf *frame)
{
    const struct entry *e = b->entry[i];
    const bool usual = express_is_usual(family, e);
    if (unlikely(!usual && e->nature != express_usual(family).nature))
        return express_rest(family, b, i, frame, e);
    const struct express x = express_of(family, frame);
    if (unlikely(!usual && !express_is_single(family, &x, e)) ||
        unlikely(!express_proves(family, b, i, e, &x)))
        return false;
    const struct worker_way *way = express_way(family, family, b, frame, &x, e);
    if (unlikely(way == NULL))
        return false;
    const unsigned len = express_wrap(family, b, frame, e, &x, way);
    express_leave(b, i, frame, len, e, &x, way);
    return true;
}

#endif
