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

#include <rte_mbuf.h>

#include "addr.h"
#include "encapsulation.h"
#include "pkt.h"
#include "table.h"

/* X(name, text): those that the data path has. Each has a <text>_check (may this packet go so?) and a
 * <text>_build (write the header in front of it) below. */
#define TUNNEL_ENCAPSULATIONS(X) X(IPIP, ipip)

enum {
    TUNNEL_TTL = 64,         /* enough to reach any exit point (RFC 2003 section 3.1) */
    TUNNEL_PATH_MTU_MIN = 68 /* RFC 1191 section 3 */
};

#define X(name, number, text, bytes) static_assert(bytes <= ENTRY_OUTER_MAX, "fits into an entry");
ENCAPSULATIONS(X)
#undef X

/* The packet to be tunnelled, as far as its outer header depends on it. */
struct tunnel_inner {
    uint16_t size;
    uint8_t tos;
    uint8_t ttl;
    bool df;
};

static inline struct tunnel_inner tunnel_inner_of(const uint8_t *ip)
{
    return (struct tunnel_inner){
        .size = pkt_read16(ip + 2),
        .tos = ip[1],
        .ttl = ip[8],
        .df = (pkt_read16(ip + 6) & IPV4_DF) != 0,
    };
}

/* RFC 2003 section 3.1: never with TTL 0. The whole must have a length that can be written down. */
static inline bool ipip_check(const struct tunnel_inner *inner)
{
    return inner->ttl != 0 && inner->size <= UINT16_MAX - IPV4_LEN_MIN;
}

/* RFC 2003 section 3.1. TOS is copied whole, ECN with it (RFC 6040 section 4.1, normal mode). */
static inline void ipip_build(uint8_t *outer, const struct entry *e, const struct tunnel_inner *inner,
                              bool outer_df, uint16_t identification)
{
    uint16_t len = (uint16_t)(inner->size + IPV4_LEN_MIN);
    uint16_t flags = outer_df ? IPV4_DF : 0;
    memcpy(outer, e->outer, IPV4_LEN_MIN);
    outer[1] = inner->tos;
    pkt_write16(outer + 2, len);
    pkt_write16(outer + 4, identification);
    pkt_write16(outer + 6, flags);
    uint64_t sum = (uint64_t)e->outer_sum + inner->tos + len + identification + flags;
    pkt_write16(outer + 10, (uint16_t)~pkt_fold(sum));
}

static inline bool tunnel_check(const struct entry *e, const struct tunnel_inner *inner)
{
    switch (e->encapsulation) {
#define X(name, text)          \
    case ENCAPSULATION_##name: \
        return text##_check(inner);
        TUNNEL_ENCAPSULATIONS(X)
#undef X
    default:
        return false;
    }
}

static inline void tunnel_build(uint8_t *outer, const struct entry *e, const struct tunnel_inner *inner,
                                bool outer_df, uint16_t identification)
{
    switch (e->encapsulation) {
#define X(name, text)                                            \
    case ENCAPSULATION_##name:                                   \
        text##_build(outer, e, inner, outer_df, identification); \
        break;
        TUNNEL_ENCAPSULATIONS(X)
#undef X
    default:
        break;
    }
}

/* The tunnel's exit point, network order. */
static inline uint32_t tunnel_destination(const struct entry *e)
{
    uint32_t destination;
    memcpy(&destination, e->outer + 16, sizeof(destination));
    return destination;
}

/* Puts the outer header in front of the IP packet at which m begins, whose TTL is as it shall arrive.
 * identification counts only where outer_df is false: a datagram that nobody may fragment needs none
 * (RFC 6864 section 4.1). False: no headroom for it and an Ethernet header, or not to be carried; m is as it
 * was. */
static inline bool tunnel_prepend(struct rte_mbuf *m, const struct entry *e, const struct tunnel_inner *inner,
                                  bool outer_df, uint16_t identification)
{
    if (!tunnel_check(e, inner) || rte_pktmbuf_headroom(m) < e->outer_len + ETHERNET_LEN)
        return false;
    uint8_t *outer = (uint8_t *)rte_pktmbuf_prepend(m, e->outer_len);
    tunnel_build(outer, e, inner, outer_df, outer_df ? 0 : identification);
    return true;
}

/* For control's own packets to a bound mobile node: the same without a worker. They are not forwarded, so
 * their TTL stays (RFC 2003 section 3.1); DF is set outside, which MAY be done (same section), so that they
 * take no identification from the workers. */
static inline bool tunnel_encapsulate(struct rte_mbuf *m, const struct entry *e)
{
    struct tunnel_inner inner = tunnel_inner_of(rte_pktmbuf_mtod(m, const uint8_t *));
    return tunnel_prepend(m, e, &inner, true, 0);
}

/* Makes *e a tunnel from source to destination (IPv4) by IP in IP. path_mtu: the largest packet that the way
 * to destination takes; the header's length comes off it here. flags: enum entry_flag. */
static inline int entry_tunnel(struct entry *e, const struct addr *source, const struct addr *destination,
                               uint32_t adjacency, uint16_t path_mtu, uint8_t flags)
{
    if (!addr_is_ipv4(source) || !addr_is_ipv4(destination))
        return -EAFNOSUPPORT;
    if (path_mtu < TUNNEL_PATH_MTU_MIN)
        path_mtu = TUNNEL_PATH_MTU_MIN;
    uint32_t to = addr_ipv4(destination);
    *e = (struct entry){
        .outer = {[0] = 0x45, [8] = TUNNEL_TTL, [9] = IPPROTO_IPIP},
        .kind = ENTRY_TUNNEL,
        .flags = flags,
        .adjacency = adjacency,
        .encapsulation = ENCAPSULATION_IPIP,
        .outer_len = (uint8_t)encapsulation_bytes(ENCAPSULATION_IPIP),
        .mtu = (uint16_t)(path_mtu - encapsulation_bytes(ENCAPSULATION_IPIP)),
        .id_bucket = (uint16_t)(to * UINT32_C(2654435769) >> 16),
    };
    memcpy(e->outer + 12, &source->b[12], 4);
    memcpy(e->outer + 16, &destination->b[12], 4);
    for (unsigned i = 0; i < e->outer_len; i += 2)
        e->outer_sum += pkt_read16(e->outer + i);
    return 0;
}

#endif
