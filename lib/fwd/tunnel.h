/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encapsulation, in place: which packets a tunnel carries and what stands in front of them (outer.h), and the
 * entries that tunnels are.
 *
 * Pure functions: control builds entries and encapsulates its own packets, workers all others.
 */
#ifndef FWD_TUNNEL_H
#define FWD_TUNNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "addr.h"
#include "encapsulation.h"
#include "entry.h"
#include "ipv6.h"
#include "outer.h"
#include "pkt.h"

/* X(name, text, family inside, family outside, protocol of the outer header): those that the data path has.
 * outer.h has a <text>_len (bytes in front of the packet) and a <text>_build (write them) of each. The ready
 * outer header of minimal encapsulation is that of its fragments, which go by IP in IP. */
#define TUNNEL_ENCAPSULATIONS(X)                                   \
    X(IPIP, ipip, PKT_IPV4, PKT_IPV4, IPPROTO_IPIP)                \
    X(MINIMAL, minimal, PKT_IPV4, PKT_IPV4, IPPROTO_IPIP)          \
    X(GRE, gre, PKT_IPV4, PKT_IPV4, IPPROTO_GRE)                   \
    X(IPV6_IN_IPV6, six_in_six, PKT_IPV6, PKT_IPV6, IPPROTO_IPV6)  \
    X(IPV4_IN_IPV6, four_in_six, PKT_IPV4, PKT_IPV6, IPPROTO_IPIP) \
    X(IPV6_IN_IPV4, ipip, PKT_IPV6, PKT_IPV4, IPPROTO_IPV6)

static_assert((int)ENTRY_OUTER_MAX <= (int)TUNNEL_OUTER_MAX, "room for the longest outer header");
#define X(name, number, text, bytes) static_assert(bytes <= TUNNEL_OUTER_MAX, "the longest outer header");
ENCAPSULATIONS(X)
#undef X

/* ---- Families ---- */

static inline enum pkt_family tunnel_family_outside(enum encapsulation how)
{
    switch (how) {
#define X(name, text, inside, outside, protocol) \
    case ENCAPSULATION_##name:                   \
        return outside;
        TUNNEL_ENCAPSULATIONS(X)
#undef X
    }
    return PKT_IPV4;
}

static inline enum pkt_family tunnel_family_inside(enum encapsulation how)
{
    switch (how) {
#define X(name, text, inside, outside, protocol) \
    case ENCAPSULATION_##name:                   \
        return inside;
        TUNNEL_ENCAPSULATIONS(X)
#undef X
    }
    return PKT_IPV4;
}

static inline bool tunnel_is_over_ipv6(const struct entry *e)
{
    return tunnel_family_outside((enum encapsulation)e->encapsulation) == PKT_IPV6;
}

/* The exit point of one over IPv4. */
static inline uint32_t tunnel_destination_ipv4(const struct entry *e)
{
    uint32_t destination;
    memcpy(&destination, e->outer + 16, sizeof(destination));
    return destination;
}

/* The tunnel's exit point. */
static inline struct addr tunnel_destination(const struct entry *e)
{
    return tunnel_is_over_ipv6(e) ? e->destination : pkt_key(tunnel_destination_ipv4(e));
}

/* ---- The packet ---- */

static inline struct tunnel_inner tunnel_inner_ipv4(const uint8_t *ip)
{
    uint16_t fragment = pkt_read16(ip + 6);
    return (struct tunnel_inner){
        .size = pkt_read16(ip + 2),
        .tos = ip[1],
        .ttl = ip[8],
        .header_len = (uint8_t)((ip[0] & 0x0f) * 4),
        .df = (fragment & IPV4_DF) != 0,
        .fragment = (fragment & IPV4_FRAGMENT) != 0,
    };
}

/* Over IPv4, DF tells of paths that take less than is known; where no less may be asked of IPv6, it must help
 * itself on its way (RFC 4213 section 3.2.2). */
static inline bool tunnel_df_of_ipv6(const struct entry *e)
{
    return e->mtu > IPV6_LINK_MTU_MIN;
}

static inline struct tunnel_inner tunnel_inner_ipv6(const uint8_t *ip, const struct entry *e)
{
    struct tunnel_inner inner = {
        .size = (uint16_t)(IPV6_LEN + pkt_read16(ip + 4)),
        .tos = (uint8_t)(pkt_read16(ip) >> 4),
        .ttl = ip[7],
        .header_len = IPV6_LEN,
        .df = tunnel_df_of_ipv6(e),
    };
    uint16_t limit = ipv6_is_skipped(ip[6]) && tunnel_is_over_ipv6(e) ? ipv6_limit(ip, inner.size) : 0;
    inner.limited = limit != 0;
    inner.limit = limit != 0 ? ip[limit] : 0;
    return inner;
}

/* The packet at ip, of that family, as it shall arrive, for the tunnel e. */
static inline struct tunnel_inner tunnel_inner_in(enum pkt_family family, const uint8_t *ip,
                                                  const struct entry *e)
{
    return family == PKT_IPV6 ? tunnel_inner_ipv6(ip, e) : tunnel_inner_ipv4(ip);
}

static inline struct tunnel_inner tunnel_inner_of(const uint8_t *ip, const struct entry *e)
{
    return tunnel_inner_in(pkt_family_of(ip), ip, e);
}

/* How this packet travels: RFC 2004 section 3 keeps fragments out of minimal encapsulation. They go by IP in
 * IP, which every exit point knows (RFC 5944 section 3.7.1) and whose header is ready in the entry. */
static inline enum encapsulation tunnel_encapsulation(const struct entry *e, const struct tunnel_inner *inner)
{
    if (e->encapsulation == ENCAPSULATION_MINIMAL && inner->fragment)
        return ENCAPSULATION_IPIP;
    return (enum encapsulation)e->encapsulation;
}

/* ---- Any ---- */

static inline unsigned tunnel_len(enum encapsulation how)
{
    switch (how) {
#define X(name, text, inside, outside, protocol) \
    case ENCAPSULATION_##name:                   \
        return text##_len();
        TUNNEL_ENCAPSULATIONS(X)
#undef X
    }
    return 0;
}

/* The largest packet of this kind that goes whole. */
static inline unsigned tunnel_takes(const struct entry *e, const struct tunnel_inner *inner)
{
    unsigned more = inner->limited ? TUNNEL_LIMIT_LEN : 0;
    return e->mtu > more ? e->mtu - more : 0;
}

/* RFC 2003 section 3.1: never with TTL 0; RFC 2473 section 4.1.1: nor beyond the limit. The whole must have a
 * length that can be written down, and the buffer room for it and an Ethernet header. */
static inline bool tunnel_fits(const struct rte_mbuf *m, unsigned front, const struct tunnel_inner *inner,
                               unsigned len)
{
    return inner->ttl != 0 && (!inner->limited || inner->limit != 0) && inner->size + len <= UINT16_MAX &&
           rte_pktmbuf_headroom(m) + front >= len + ETHERNET_LEN;
}

/* Makes room for len more bytes behind the first `front`. Returns where. */
static inline uint8_t *tunnel_grow(struct rte_mbuf *m, unsigned front, unsigned len)
{
    m->data_off = (uint16_t)(m->data_off - len);
    m->data_len = (uint16_t)(m->data_len + len);
    m->pkt_len += len;
    return rte_pktmbuf_mtod_offset(m, uint8_t *, front);
}

/* The packet begins at outer + tunnel_len(), behind an encapsulation limit if it is limited. */
static inline void tunnel_build(uint8_t *outer, enum encapsulation how, const struct entry *e,
                                const struct tunnel_inner *inner, bool outer_df, uint16_t identification)
{
    switch (how) {
#define X(name, text, inside, outside, protocol)                 \
    case ENCAPSULATION_##name:                                   \
        text##_build(outer, e, inner, outer_df, identification); \
        break;
        TUNNEL_ENCAPSULATIONS(X)
#undef X
    }
}

/* Encapsulates an IP packet whose TTL is as it shall arrive. m begins `front` bytes before it, and afterwards
 * as many before the outer header; what they hold is lost. identification counts only where outer_df is
 * false: a datagram that nobody may fragment needs none (RFC 6864 section 4.1). False: no headroom for the
 * headers and an Ethernet header, or not to be carried; m is as it was. */
static inline bool tunnel_prepend(struct rte_mbuf *m, unsigned front, const struct entry *e,
                                  const struct tunnel_inner *inner, bool outer_df, uint16_t identification)
{
    enum encapsulation how = tunnel_encapsulation(e, inner);
    unsigned len = tunnel_len(how) + (inner->limited ? TUNNEL_LIMIT_LEN : 0);
    if (!tunnel_fits(m, front, inner, len))
        return false;
    tunnel_build(tunnel_grow(m, front, len), how, e, inner, outer_df, identification);
    return true;
}

/* For control's own packets to a bound mobile node: the same without a worker. They are not forwarded, so
 * their TTL stays (RFC 2003 section 3.1); DF is set outside, which MAY be done (same section), so that they
 * take no identification from the workers. */
static inline bool tunnel_encapsulate(struct rte_mbuf *m, const struct entry *e)
{
    struct tunnel_inner inner = tunnel_inner_of(rte_pktmbuf_mtod(m, const uint8_t *), e);
    return tunnel_prepend(m, 0, e, &inner, true, 0);
}

/* ---- Making an entry ---- */

struct tunnel {
    struct addr source, destination; /* of the family that the encapsulation has outside */
    enum encapsulation encapsulation;
    uint32_t adjacency;
    uint16_t path_mtu; /* the largest packet that the way to destination takes */
    uint8_t flags;     /* enum entry_flag */
    uint8_t id_slot;   /* below WORKER_ID_SLOTS; the part of the identifications that is ours */
};

/* What comes off the path's MTU: the most that any packet of the tunnel has in front of it, but for an
 * encapsulation limit. */
static inline unsigned tunnel_overhead(enum encapsulation encapsulation)
{
    unsigned len = tunnel_len(encapsulation);
    return len < IPV4_LEN_MIN ? IPV4_LEN_MIN : len; /* MINIMAL: its fragments go by IP in IP */
}

static inline uint8_t tunnel_protocol(enum encapsulation how)
{
    switch (how) {
#define X(name, text, inside, outside, protocol) \
    case ENCAPSULATION_##name:                   \
        return protocol;
        TUNNEL_ENCAPSULATIONS(X)
#undef X
    }
    return 0;
}

static inline void entry_outer_ipv4(struct entry *e, const struct tunnel *t)
{
    uint32_t sum = 0;
    e->outer[0] = 0x45;
    pkt_write16(e->outer + 6, IPV4_DF);
    e->outer[8] = TUNNEL_TTL;
    e->outer[9] = tunnel_protocol(t->encapsulation);
    memcpy(e->outer + 12, &t->source.b[12], 4);
    memcpy(e->outer + 16, &t->destination.b[12], 4);
    if (t->encapsulation == ENCAPSULATION_GRE)
        pkt_write16(e->outer + IPV4_LEN_MIN + 2, ETHERTYPE_IPV4);
    for (unsigned i = 0; i < IPV4_LEN_MIN; i += 2)
        sum += pkt_read16(e->outer + i);
    e->outer_sum = pkt_fold(sum);
    e->id_bucket = (uint16_t)(addr_ipv4(&t->destination) * UINT32_C(2654435769) >> 22);
}

/* No path of IPv4 takes less than 68 bytes whole, none of IPv6 less than 1280 (RFC 8200 section 5). */
static inline uint16_t entry_path_mtu(const struct tunnel *t, enum pkt_family outside)
{
    uint16_t least = outside == PKT_IPV6 ? IPV6_LINK_MTU_MIN : TUNNEL_PATH_MTU_MIN;
    return t->path_mtu < least ? least : t->path_mtu;
}

/* Makes *e a tunnel. 0, -EAFNOSUPPORT, -EPROTONOSUPPORT. */
static inline int entry_tunnel(struct entry *e, const struct tunnel *t)
{
    if (tunnel_len(t->encapsulation) == 0)
        return -EPROTONOSUPPORT;
    enum pkt_family outside = tunnel_family_outside(t->encapsulation);
    if (addr_is_ipv4(&t->source) != (outside == PKT_IPV4) ||
        addr_is_ipv4(&t->destination) != (outside == PKT_IPV4))
        return -EAFNOSUPPORT;
    *e = (struct entry){
        .kind = ENTRY_TUNNEL,
        .flags = t->flags,
        .adjacency = t->adjacency,
        .encapsulation = t->encapsulation & 0xf,
        .mtu = (uint16_t)(entry_path_mtu(t, outside) - tunnel_overhead(t->encapsulation)),
        .id_slot = t->id_slot & 0x3f,
    };
    if (outside == PKT_IPV4) {
        entry_outer_ipv4(e, t);
    } else {
        e->source = t->source;
        e->destination = t->destination;
    }
    return 0;
}

#endif
