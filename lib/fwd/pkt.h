/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet's fields, on bytes: what parsing learns of it, and what both families' headers need done. What a
 * worker does for every packet is static inline, so that it and the fuzzers and tests run the same code.
 *
 * Pure functions of the frame; any thread.
 */
#ifndef FWD_PKT_H
#define FWD_PKT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "addr.h"
#include "verdict.h"

enum {
    ETHERNET_LEN = 14,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_IPV6 = 0x86dd,
    ARP_LEN = 28,
    IPV4_LEN_MIN = 20,
    IPV4_DF = 0x4000,
    IPV4_MORE_FRAGMENTS = 0x2000,
    IPV4_FRAGMENT = 0x3fff, /* more fragments, and the offset */
    IPV4_OFFSET = 0x1fff,
    IPV6_LEN = 40,
    IPV6_LINK_MTU_MIN = 1280, /* what every link of IPv6 takes (RFC 8200 section 5) */
    UDP_LEN = 8,
    UDP_PORT_SIGNALLING = 434, /* RFC 5944 section 3.1 */
    PROTOCOL_MINIMAL = 55      /* RFC 2004; <netinet/in.h> does not know it */
};

/* An argument that is constant wherever it is given, so that the families share one body. */
enum pkt_family { PKT_IPV4 = 4, PKT_IPV6 = 6 };

/* "No verdict yet": the destination must be looked up. */
#define PKT_LOOK_UP VERDICT_COUNT

/* What parsing has learnt. */
struct pkt {
    struct addr source, destination;
    uint16_t size;      /* IP header and payload */
    uint16_t fragment;  /* flags and offset; of IPv6 what IPv4 would say */
    uint8_t family;     /* enum pkt_family */
    uint8_t header_len; /* of IPv6 without extension headers */
    uint8_t protocol;   /* of IPv6 the first next header */
    uint8_t ttl;        /* or hop limit */
    uint8_t tos;        /* or traffic class */
    bool link_cast;     /* the frame was not unicast to us */
};

static inline uint16_t pkt_read16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void pkt_write16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline uint8_t *pkt_ip(struct rte_mbuf *frame)
{
    return rte_pktmbuf_mtod_offset(frame, uint8_t *, ETHERNET_LEN);
}

static inline uint16_t pkt_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* The 32-bit words of a header, added up in any byte order (RFC 1071 section 2). */
static inline uint64_t pkt_header_words(const uint8_t *header, unsigned len)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < len; i += 4) {
        uint32_t word;
        memcpy(&word, header + i, sizeof(word));
        sum += word;
    }
    return sum;
}

/* One's complement sum over a header of whole words. */
static inline uint16_t pkt_header_sum(const uint8_t *header, unsigned len)
{
    return pkt_fold(pkt_header_words(header, len));
}

/* The same of a header without options by 64-bit words, carries brought round: modulo 2^64 - 1, which 65,535
 * divides. */
static inline uint64_t pkt_header_words_min(const uint8_t *header)
{
    uint64_t half[2];
    uint32_t last;
    memcpy(half, header, sizeof(half));
    memcpy(&last, header + sizeof(half), sizeof(last));
    uint64_t sum = half[0] + half[1], more = (uint64_t)last + (sum < half[0]);
    sum += more;
    return sum + (sum < more);
}

/* One's complement arithmetic is arithmetic modulo 65,535: a header, which is never all zeros, has the right
 * checksum if that divides its sum. Straight code for the usual length. */
static inline bool pkt_header_is_whole(const uint8_t *header, unsigned len)
{
    uint64_t sum = len == IPV4_LEN_MIN ? pkt_header_words_min(header) : pkt_header_words(header, len);
    return sum % 0xffff == 0;
}

/* Fills in a header's checksum. */
static inline void pkt_header_checksum(uint8_t *ip, unsigned len)
{
    ip[10] = ip[11] = 0;
    uint16_t sum = (uint16_t)~pkt_header_sum(ip, len);
    memcpy(ip + 10, &sum, sizeof(sum));
}

/* The family of the packet at ip, which is one of the two. */
static inline enum pkt_family pkt_family_of(const uint8_t *ip)
{
    return (ip[0] & 0x20) != 0 ? PKT_IPV6 : PKT_IPV4;
}

static inline uint16_t pkt_ethertype(enum pkt_family family)
{
    return family == PKT_IPV6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
}

/* Forwarding takes one hop; IPv4's checksum, which never is all ones (RFC 1624 section 3), grows by as much
 * as the word that TTL is in has lost. TTL must be above 0. */
static inline void pkt_decrement_ttl(enum pkt_family family, uint8_t *ip)
{
    if (family == PKT_IPV6) {
        ip[7]--;
        return;
    }
    uint32_t word; /* TTL, protocol, checksum */
    memcpy(&word, ip + 8, sizeof(word));
    word = rte_le_to_cpu_32(word);
    /* The sum grows by 0x0100 where the first byte counts least, and by one more if that carries: a borrow
     * is all ones. */
    uint32_t less = word + 0x1ffff + (-(uint32_t)(word < 0xfffe0001) << 16);
    less = rte_cpu_to_le_32(less);
    memcpy(ip + 8, &less, sizeof(less));
}

/* Network 0, loopback, multicast, class E and limited broadcast name no host that could have sent it (RFC
 * 1122 section 3.2.1.3, RFC 1812 section 5.3.7). 0.0.0.0 is for a node that asks a foreign agent on its link
 * (RFC 5944 section 3.6.1.1), never a home agent. */
static inline bool pkt_source_is_bad(const uint8_t *ip)
{
    const uint8_t *source = ip + 12;
    return (uint8_t)(source[0] - 1) >= 0xdf || source[0] == 127;
}

/* An IPv4 address in network order as the table's key: ::ffff:a.b.c.d in two words. */
static inline struct addr pkt_key(uint32_t destination)
{
    struct addr key;
    uint64_t half[2] = {0, RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN ? (uint64_t)destination << 32 | 0xffff0000
                                                               : UINT64_C(0xffff) << 32 | destination};
    memcpy(key.b, half, sizeof(key.b));
    return key;
}

/* Where a header has its addresses. */
static inline const uint8_t *pkt_source_at(enum pkt_family family, const uint8_t *ip)
{
    return ip + (family == PKT_IPV6 ? 8 : 12);
}

static inline const uint8_t *pkt_destination_at(enum pkt_family family, const uint8_t *ip)
{
    return ip + (family == PKT_IPV6 ? 24 : 16);
}

static inline struct addr pkt_address(enum pkt_family family, const uint8_t *at)
{
    struct addr address;
    uint32_t v4;
    memcpy(&v4, at, sizeof(v4));
    if (family == PKT_IPV4)
        return pkt_key(v4);
    memcpy(address.b, at, sizeof(address.b));
    return address;
}

static inline struct addr pkt_source(enum pkt_family family, const uint8_t *ip)
{
    return pkt_address(family, pkt_source_at(family, ip));
}

static inline struct addr pkt_destination(enum pkt_family family, const uint8_t *ip)
{
    return pkt_address(family, pkt_destination_at(family, ip));
}

/* And back; of IPv6 its last four bytes. */
static inline uint32_t pkt_ipv4(const struct addr *address)
{
    uint32_t last;
    memcpy(&last, &address->b[12], sizeof(last));
    return last;
}

/* By which a mobile node may send to us what is for others. */
static inline bool pkt_is_tunnel_protocol(uint8_t protocol)
{
    return protocol == IPPROTO_IPIP || protocol == IPPROTO_IPV6 || protocol == IPPROTO_GRE ||
           protocol == PROTOCOL_MINIMAL;
}

#endif
