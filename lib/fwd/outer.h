/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands in front of a packet in a tunnel, on bytes. What never changes for a tunnel is ready in its
 * entry: over IPv4 an outer header with DF and its sum, to which a packet adds TOS, length and checksum, and
 * an identification if it has no DF; over IPv6 the tunnel's two ends, before which a packet writes one word.
 *
 * Pure functions; any thread.
 */
#ifndef FWD_OUTER_H
#define FWD_OUTER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>

#include "entry.h"
#include "ipv6.h"
#include "pkt.h"

enum {
    TUNNEL_TTL = 64,          /* enough to reach any exit point (RFC 2003 section 3.1, RFC 2473 section 5) */
    TUNNEL_PATH_MTU_MIN = 68, /* RFC 1191 section 3 */
    TUNNEL_LIMIT_LEN = 8,     /* a destination options header with an encapsulation limit */
    TUNNEL_OUTER_MAX = IPV6_LEN + TUNNEL_LIMIT_LEN,
    MINIMAL_LEN = 12, /* RFC 2004 section 3, original source address present */
    MINIMAL_SOURCE = 0x80,
    GRE_LEN = 4 /* RFC 2784 section 2.1: no checksum */
};

/* The packet to be tunnelled, as far as its outer header depends on it. */
struct tunnel_inner {
    uint16_t size;
    uint8_t tos;
    uint8_t ttl;
    uint8_t header_len;
    uint8_t limit; /* further encapsulations that it may get, if it is limited (RFC 2473 section 4.1.1) */
    bool limited;
    bool df;
    bool fragment;
};

/* ---- Over IPv4 ---- */

/* A header's checksum as it lies in memory. sum: of its words, two at once or each by itself. A word of 32
 * bits, its halves changed round, added to itself has the sum of its halves in the upper one, the carry
 * brought round (RFC 1071). */
static inline uint16_t outer_checksum(uint32_t sum)
{
    return (uint16_t)rte_cpu_to_be_32(~(sum + (sum << 16 | sum >> 16)));
}

/* begin: version, header length, TOS and total length. more: what the words have beyond these and the
 * entry's. */
static inline void outer_write_with(uint8_t *outer, unsigned len, const struct entry *e, uint32_t begin,
                                    uint32_t more)
{
    const uint32_t first = rte_cpu_to_be_32(begin);
    const uint16_t checksum = outer_checksum(begin + e->outer_sum + more - 0x4500 /* it is in both */);
    memcpy(outer + 4, e->outer + 4, len - 4);
    memcpy(outer, &first, sizeof(first));
    memcpy(outer + 10, &checksum, sizeof(checksum));
}

/* The outer IP header and what the entry holds behind it up to len. With DF, so that identification does not
 * count (RFC 6864 section 4.1); */
static inline void outer_write(uint8_t *outer, unsigned len, const struct entry *e, uint32_t begin)
{
    outer_write_with(outer, len, e, begin, 0);
}

/* or without. */
static inline void outer_write_divisible(uint8_t *outer, unsigned len, const struct entry *e, uint32_t begin,
                                         uint16_t identification)
{
    const uint32_t second = rte_cpu_to_be_32((uint32_t)identification << 16);
    outer_write_with(outer, len, e, begin, (uint32_t)identification - IPV4_DF);
    memcpy(outer + 4, &second, sizeof(second));
}

/* TOS is copied, ECN with it (RFC 6040 section 4.1, normal mode). */
static inline void outer_build(uint8_t *outer, unsigned len, const struct entry *e,
                               const struct tunnel_inner *inner, bool outer_df, uint16_t identification)
{
    const uint32_t begin = UINT32_C(0x45) << 24 | (uint32_t)inner->tos << 16 | (inner->size + len);
    if (outer_df)
        outer_write(outer, len, e, begin);
    else
        outer_write_divisible(outer, len, e, begin, identification);
}

/* RFC 2003 section 3.1; IPv6 in IPv4 (RFC 4213 section 3.5) differs by the protocol number in the entry. */
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

/* ---- Over IPv6 ---- */

static inline uint64_t flow_mix(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The outer flow label: one for all packets of one flow inside, so that routers that choose one of many paths
 * by it do not reorder them, and never the label of no flow (RFC 6438 section 3, RFC 6437 section 3). */
static inline uint32_t flow_label(enum pkt_family family, const uint8_t *ip)
{
    static const uint64_t odd[] = {UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xbf58476d1ce4e5b9),
                                   UINT64_C(0x94d049bb133111eb)};
    uint64_t half[4] = {0};
    uint32_t label = ip[9]; /* the protocol */
    if (family == PKT_IPV6) {
        memcpy(half, ip + 8, sizeof(half));
        memcpy(&label, ip, sizeof(label));
        label &= RTE_BE32(0xfffff);
    } else {
        memcpy(half, ip + 12, sizeof(half[0]));
    }
    uint64_t hash = flow_mix(half[0] ^ odd[0], half[1] ^ odd[1] ^ label);
    hash = flow_mix(half[2] ^ hash, half[3] ^ odd[2]);
    label = (uint32_t)(hash >> 44);
    return label + (label == 0);
}

/* RFC 2473 section 5: hop limit and traffic class as over IPv4. The packet is at ip. */
static inline void outer_build_ipv6(uint8_t *outer, enum pkt_family family, const uint8_t *ip,
                                    const struct entry *e, uint8_t tos, uint16_t payload, uint8_t next)
{
    uint64_t first =
        rte_cpu_to_be_64(UINT64_C(6) << 60 | (uint64_t)tos << 52 | (uint64_t)flow_label(family, ip) << 32 |
                         (uint64_t)payload << 16 | (uint64_t)next << 8 | TUNNEL_TTL);
    memcpy(outer, &first, sizeof(first));
    memcpy(outer + 8, &e->source, 2 * sizeof(e->source));
}
static_assert(offsetof(struct entry, destination) == offsetof(struct entry, source) + sizeof(struct addr),
              "both ends lie as in the header");

static inline unsigned six_in_six_len(void)
{
    return IPV6_LEN;
}

/* RFC 2473 section 5.1: one encapsulation less is left. */
static inline void limit_build(uint8_t *options, uint8_t next, uint8_t limit)
{
    const uint8_t bytes[TUNNEL_LIMIT_LEN] = {next, 0, IPV6_OPTION_LIMIT, 1, (uint8_t)(limit - 1), 1, 1, 0};
    memcpy(options, bytes, sizeof(bytes));
}

static inline void six_in_six_build(uint8_t *outer, const struct entry *e, const struct tunnel_inner *inner,
                                    bool outer_df, uint16_t identification)
{
    (void)outer_df;
    (void)identification;
    if (likely(!inner->limited)) {
        outer_build_ipv6(outer, PKT_IPV6, outer + IPV6_LEN, e, inner->tos, inner->size, IPPROTO_IPV6);
        return;
    }
    limit_build(outer + IPV6_LEN, IPPROTO_IPV6, inner->limit);
    outer_build_ipv6(outer, PKT_IPV6, outer + TUNNEL_OUTER_MAX, e, inner->tos,
                     (uint16_t)(inner->size + TUNNEL_LIMIT_LEN), IPPROTO_DSTOPTS);
}

static inline unsigned four_in_six_len(void)
{
    return IPV6_LEN;
}

static inline void four_in_six_build(uint8_t *outer, const struct entry *e, const struct tunnel_inner *inner,
                                     bool outer_df, uint16_t identification)
{
    (void)outer_df;
    (void)identification;
    outer_build_ipv6(outer, PKT_IPV4, outer + IPV6_LEN, e, inner->tos, inner->size, IPPROTO_IPIP);
}

#endif
