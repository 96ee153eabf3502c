/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encapsulation, in place and on bytes. What never changes for a tunnel is ready in its entry's outer header,
 * with its sum; a packet adds TOS, length, identification, DF and the checksum.
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
#include "pkt.h"

/* X(name, text): those that the data path has. Each has a <text>_len (bytes in front of the packet), and a
 * <text>_build (write them) below. */
#define TUNNEL_ENCAPSULATIONS(X) \
    X(IPIP, ipip)                \
    X(MINIMAL, minimal)          \
    X(GRE, gre)

enum {
    TUNNEL_TTL = 64,          /* enough to reach any exit point (RFC 2003 section 3.1) */
    TUNNEL_PATH_MTU_MIN = 68, /* RFC 1191 section 3 */
    MINIMAL_LEN = 12,         /* RFC 2004 section 3, original source address present */
    MINIMAL_SOURCE = 0x80,
    GRE_LEN = 4 /* RFC 2784 section 2.1: no checksum */
};

#define X(name, number, text, bytes) static_assert(bytes <= ENTRY_OUTER_MAX, "fits into an entry");
ENCAPSULATIONS(X)
#undef X

/* The packet to be tunnelled, as far as its outer header depends on it. */
struct tunnel_inner {
    uint16_t size;
    uint8_t tos;
    uint8_t ttl;
    uint8_t header_len;
    bool df;
    bool fragment;
};

static inline struct tunnel_inner tunnel_inner_of(const uint8_t *ip)
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

/* How this packet travels: RFC 2004 section 3 keeps fragments out of minimal encapsulation. They go by IP in
 * IP, which every exit point knows (RFC 5944 section 3.7.1) and whose header is ready in the entry. */
static inline enum encapsulation tunnel_encapsulation(const struct entry *e, const struct tunnel_inner *inner)
{
    if (e->encapsulation == ENCAPSULATION_MINIMAL && inner->fragment)
        return ENCAPSULATION_IPIP;
    return (enum encapsulation)e->encapsulation;
}

/* The outer IP header, and what the entry holds behind it up to len: a few whole words rather than many
 * fields. TOS is copied, ECN with it (RFC 6040 section 4.1, normal mode). */
static inline void outer_build(uint8_t *outer, unsigned len, const struct entry *e,
                               const struct tunnel_inner *inner, bool outer_df, uint16_t identification)
{
    uint16_t total = (uint16_t)(inner->size + len);
    uint16_t flags = outer_df ? IPV4_DF : 0;
    uint32_t sum = (uint32_t)e->outer_sum + inner->tos + total + identification + flags;
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    uint64_t first = rte_cpu_to_be_64(UINT64_C(0x45) << 56 | (uint64_t)inner->tos << 48 |
                                      (uint64_t)total << 32 | (uint64_t)identification << 16 | flags);
    memcpy(outer, &first, sizeof(first));
    memcpy(outer + 8, e->outer + 8, 2);
    pkt_write16(outer + 10, (uint16_t)~sum);
    memcpy(outer + 12, e->outer + 12, len - 12);
}

/* RFC 2003 section 3.1. */
static inline unsigned ipip_len(void)
{
    return IPV4_LEN_MIN;
}

static inline void ipip_build(uint8_t *outer, const struct entry *e, const struct tunnel_inner *inner,
                              bool outer_df, uint16_t identification)
{
    outer_build(outer, IPV4_LEN_MIN, e, inner, outer_df, identification);
}

/* RFC 2784 section 2, without checksum and key; the outer header as in RFC 2003. */
static inline unsigned gre_len(void)
{
    return IPV4_LEN_MIN + GRE_LEN;
}

static inline void gre_build(uint8_t *outer, const struct entry *e, const struct tunnel_inner *inner,
                             bool outer_df, uint16_t identification)
{
    outer_build(outer, IPV4_LEN_MIN + GRE_LEN, e, inner, outer_df, identification);
}

/* RFC 2004 section 3: the packet's own IP header moves to the front and is changed, so DF, identification and
 * TTL stay as its sender and the hops up to here made them: the exit point restores no others. */
static inline unsigned minimal_len(void)
{
    return MINIMAL_LEN;
}

static inline void minimal_build(uint8_t *outer, const struct entry *e, const struct tunnel_inner *inner,
                                 bool outer_df, uint16_t identification)
{
    (void)outer_df;
    (void)identification;
    uint8_t *forwarding = outer + inner->header_len;
    memmove(outer, outer + MINIMAL_LEN, inner->header_len);
    forwarding[0] = outer[9];
    forwarding[1] = MINIMAL_SOURCE;
    memset(forwarding + 2, 0, 2);
    memcpy(forwarding + 4, outer + 16, 4);
    memcpy(forwarding + 8, outer + 12, 4);
    uint16_t sum = (uint16_t)~pkt_header_sum(forwarding, MINIMAL_LEN);
    memcpy(forwarding + 2, &sum, sizeof(sum));

    pkt_write16(outer + 2, (uint16_t)(inner->size + MINIMAL_LEN));
    outer[9] = PROTOCOL_MINIMAL;
    memcpy(outer + 12, e->outer + 12, 8);
    pkt_header_checksum(outer, inner->header_len);
}

static inline unsigned tunnel_len(enum encapsulation how)
{
    switch (how) {
#define X(name, text)          \
    case ENCAPSULATION_##name: \
        return text##_len();
        TUNNEL_ENCAPSULATIONS(X)
#undef X
    }
    return 0;
}

/* The tunnel's exit point, network order. */
static inline uint32_t tunnel_destination(const struct entry *e)
{
    uint32_t destination;
    memcpy(&destination, e->outer + 16, sizeof(destination));
    return destination;
}

/* RFC 2003 section 3.1: never with TTL 0. The whole must have a length that can be written down, and the
 * buffer room for it and an Ethernet header. */
static inline bool tunnel_fits(const struct rte_mbuf *m, unsigned front, const struct tunnel_inner *inner,
                               unsigned len)
{
    return inner->ttl != 0 && inner->size + len <= UINT16_MAX &&
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

/* The packet begins at outer + tunnel_len(). */
static inline void tunnel_build(uint8_t *outer, enum encapsulation how, const struct entry *e,
                                const struct tunnel_inner *inner, bool outer_df, uint16_t identification)
{
    switch (how) {
#define X(name, text)                                            \
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
    unsigned len = tunnel_len(how);
    if (!tunnel_fits(m, front, inner, len))
        return false;
    tunnel_build(tunnel_grow(m, front, len), how, e, inner, outer_df, outer_df ? 0 : identification);
    return true;
}

/* For control's own packets to a bound mobile node: the same without a worker. They are not forwarded, so
 * their TTL stays (RFC 2003 section 3.1); DF is set outside, which MAY be done (same section), so that they
 * take no identification from the workers. */
static inline bool tunnel_encapsulate(struct rte_mbuf *m, const struct entry *e)
{
    struct tunnel_inner inner = tunnel_inner_of(rte_pktmbuf_mtod(m, const uint8_t *));
    return tunnel_prepend(m, 0, e, &inner, true, 0);
}

struct tunnel {
    struct addr source, destination; /* IPv4 */
    enum encapsulation encapsulation;
    uint32_t adjacency;
    uint16_t path_mtu; /* the largest packet that the way to destination takes */
    uint8_t flags;     /* enum entry_flag */
    uint8_t id_slot;   /* below WORKER_ID_SLOTS; the part of the identifications that is ours */
};

/* What comes off the path's MTU: the most that any packet of the tunnel has in front of it. */
static inline unsigned tunnel_overhead(enum encapsulation encapsulation)
{
    unsigned len = tunnel_len(encapsulation);
    return len < IPV4_LEN_MIN ? IPV4_LEN_MIN : len; /* MINIMAL: its fragments go by IP in IP */
}

/* The protocol of the ready outer header; a fragment by minimal encapsulation needs that of IP in IP. */
static inline uint8_t tunnel_protocol(enum encapsulation encapsulation)
{
    return encapsulation == ENCAPSULATION_GRE ? IPPROTO_GRE : IPPROTO_IPIP;
}

/* Makes *e a tunnel. 0, -EAFNOSUPPORT, -EPROTONOSUPPORT. */
static inline int entry_tunnel(struct entry *e, const struct tunnel *t)
{
    if (!addr_is_ipv4(&t->source) || !addr_is_ipv4(&t->destination))
        return -EAFNOSUPPORT;
    if (tunnel_len(t->encapsulation) == 0)
        return -EPROTONOSUPPORT;
    uint16_t path_mtu = t->path_mtu < TUNNEL_PATH_MTU_MIN ? TUNNEL_PATH_MTU_MIN : t->path_mtu;
    uint32_t to = addr_ipv4(&t->destination);
    *e = (struct entry){
        .outer = {[0] = 0x45, [8] = TUNNEL_TTL, [9] = tunnel_protocol(t->encapsulation)},
        .kind = ENTRY_TUNNEL,
        .flags = t->flags,
        .adjacency = t->adjacency,
        .encapsulation = t->encapsulation & 0xf,
        .mtu = (uint16_t)(path_mtu - tunnel_overhead(t->encapsulation)),
        .id_bucket = to * UINT32_C(2654435769) >> 22,
        .id_slot = t->id_slot & 0x3f,
    };
    memcpy(e->outer + 12, &t->source.b[12], 4);
    memcpy(e->outer + 16, &t->destination.b[12], 4);
    if (t->encapsulation == ENCAPSULATION_GRE)
        pkt_write16(e->outer + IPV4_LEN_MIN + 2, ETHERTYPE_IPV4);
    uint32_t sum = 0;
    for (unsigned i = 0; i < IPV4_LEN_MIN; i += 2)
        sum += pkt_read16(e->outer + i);
    e->outer_sum = pkt_fold(sum);
    return 0;
}

#endif
