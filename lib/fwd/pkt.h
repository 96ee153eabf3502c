/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parsing and classification of a received frame, on bytes. What a worker does for every packet is static
 * inline here, so that it and the fuzzers and tests run the same code.
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
    ARP_LEN = 28,
    IPV4_LEN_MIN = 20,
    IPV4_DF = 0x4000,
    IPV4_FRAGMENT = 0x3fff, /* more fragments, and the offset */
    IPV4_OFFSET = 0x1fff,
    UDP_LEN = 8,
    UDP_PORT_SIGNALLING = 434, /* RFC 5944 section 3.1 */
    PROTOCOL_MINIMAL = 55      /* RFC 2004; <netinet/in.h> does not know it */
};

/* An argument that is constant wherever it is given, so that the families share one body. */
enum pkt_family { PKT_IPV4 = 4 };

/* "No verdict yet": the destination must be looked up. */
#define PKT_LOOK_UP VERDICT_COUNT

/* What parsing has learnt. */
struct pkt {
    uint32_t source, destination; /* network order */
    uint16_t size;                /* IP header and payload */
    uint16_t fragment;            /* flags and offset */
    uint8_t header_len;
    uint8_t protocol;
    uint8_t ttl;
    uint8_t tos;
    bool link_cast; /* the frame was not unicast to us */
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

/* One's complement arithmetic is arithmetic modulo 65,535: a header, which is never all zeros, has the right
 * checksum if that divides its sum. Straight code for the usual length. */
static inline bool pkt_header_is_whole(const uint8_t *header, unsigned len)
{
    uint64_t sum =
        len == IPV4_LEN_MIN ? pkt_header_words(header, IPV4_LEN_MIN) : pkt_header_words(header, len);
    return sum % 0xffff == 0;
}

/* Fills in a header's checksum. */
static inline void pkt_header_checksum(uint8_t *ip, unsigned len)
{
    ip[10] = ip[11] = 0;
    uint16_t sum = (uint16_t)~pkt_header_sum(ip, len);
    memcpy(ip + 10, &sum, sizeof(sum));
}

/* Forwarding takes one hop; the checksum, which never is all ones (RFC 1624 section 3), grows by as much as
 * the word that TTL is in has lost. TTL must be above 0. */
static inline void pkt_decrement_ttl(enum pkt_family family, uint8_t *ip)
{
    if (family != PKT_IPV4)
        return;
    uint32_t word; /* TTL, protocol, checksum */
    memcpy(&word, ip + 8, sizeof(word));
    word = rte_le_to_cpu_32(word);
    uint32_t sum = (word >> 16) + 1; /* 0x0100 where the first byte counts least */
    word = rte_cpu_to_le_32(((word & 0xffff) - 1) | (sum + (sum >= 0xffff)) << 16);
    memcpy(ip + 8, &word, sizeof(word));
}

/* Network 0, loopback, multicast, class E and limited broadcast name no host that could have sent it (RFC
 * 1122 section 3.2.1.3, RFC 1812 section 5.3.7). 0.0.0.0 is for a node that asks a foreign agent on its link
 * (RFC 5944 section 3.6.1.1), never a home agent. */
static inline bool pkt_source_is_bad(const uint8_t *ip)
{
    const uint8_t *source = ip + 12;
    return (uint8_t)(source[0] - 1) >= 0xdf || source[0] == 127;
}

/* A destination as the table's key: ::ffff:a.b.c.d in two words. */
static inline struct addr pkt_key(uint32_t destination)
{
    struct addr key;
    uint64_t half[2] = {0, RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN ? (uint64_t)destination << 32 | 0xffff0000
                                                               : UINT64_C(0xffff) << 32 | destination};
    memcpy(key.b, half, sizeof(key.b));
    return key;
}

static inline bool pkt_is_limited_broadcast(const struct pkt *p)
{
    return p->destination == UINT32_MAX;
}

static inline bool pkt_is_udp_to_signalling(const uint8_t *ip, const struct pkt *p)
{
    return p->protocol == IPPROTO_UDP && p->size >= p->header_len + UDP_LEN &&
           pkt_read16(ip + p->header_len + 2) == UDP_PORT_SIGNALLING;
}

/* To a broadcast address a mobile node sends one thing: a registration request that asks for the home agents'
 * addresses (RFC 5944 section 3.6.1.2). */
static inline enum verdict pkt_broadcast_verdict(const uint8_t *ip, const struct pkt *p)
{
    bool whole = (p->fragment & IPV4_FRAGMENT) == 0;
    return whole && pkt_is_udp_to_signalling(ip, p) ? VERDICT_PUNT_SIGNALLING : VERDICT_DROP_BROADCAST;
}

/* A destination of class D or E. */
static inline enum verdict pkt_group_verdict(const uint8_t *ip, const struct pkt *p)
{
    if (ip[16] < 0xf0)
        return VERDICT_DROP_MULTICAST;
    return pkt_is_limited_broadcast(p) ? pkt_broadcast_verdict(ip, p) : PKT_LOOK_UP;
}

/* For one of the appliance's own addresses. */
static inline enum verdict pkt_local_verdict(const uint8_t *ip, const struct pkt *p)
{
    if ((p->fragment & IPV4_FRAGMENT) != 0)
        return VERDICT_DROP_LOCAL_FRAGMENT;
    switch (p->protocol) {
    case IPPROTO_UDP:
        if (p->size < p->header_len + UDP_LEN)
            return VERDICT_DROP_RUNT;
        return pkt_is_udp_to_signalling(ip, p) ? VERDICT_PUNT_SIGNALLING : VERDICT_PUNT_LOCAL;
    case IPPROTO_ICMP:
        return VERDICT_PUNT_LOCAL;
    case IPPROTO_IPIP: /* RFC 3024 section 4.3.2: only what a binding was granted is decapsulated */
    case IPPROTO_GRE:
    case PROTOCOL_MINIMAL:
        return VERDICT_DROP_REVERSE_TUNNEL;
    default:
        return VERDICT_DROP_LOCAL_PROTOCOL;
    }
}

/* The device may have verified the checksum; if it has not said so, it is done here. */
static inline bool pkt_checksum_is_bad(const struct rte_mbuf *frame, const uint8_t *ip, unsigned header_len)
{
    switch (frame->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) {
    case RTE_MBUF_F_RX_IP_CKSUM_GOOD:
        return false;
    case RTE_MBUF_F_RX_IP_CKSUM_BAD:
        return true;
    default:
        return !pkt_header_is_whole(ip, header_len);
    }
}

/* What a whole header says, checked or known to be right. */
static inline void pkt_fields(const uint8_t *ip, struct pkt *p)
{
    p->header_len = (uint8_t)((ip[0] & 0x0f) * 4);
    p->tos = ip[1];
    p->size = pkt_read16(ip + 2);
    p->fragment = pkt_read16(ip + 6);
    p->ttl = ip[8];
    p->protocol = ip[9];
    memcpy(&p->source, ip + 12, sizeof(p->source));
    memcpy(&p->destination, ip + 16, sizeof(p->destination));
}

static inline enum verdict pkt_parse_ip(enum pkt_family family, struct rte_mbuf *frame, struct pkt *p)
{
    unsigned there = frame->data_len - ETHERNET_LEN;
    const uint8_t *ip = pkt_ip(frame);
    if (there < IPV4_LEN_MIN)
        return VERDICT_DROP_RUNT;
    unsigned header_len = (ip[0] & 0x0fU) * 4, size = pkt_read16(ip + 2);
    if (ip[0] >> 4 != family || header_len < IPV4_LEN_MIN)
        return VERDICT_DROP_IP_VERSION;
    if (size < header_len || size > there)
        return VERDICT_DROP_IP_LENGTH;
    if (pkt_checksum_is_bad(frame, ip, header_len))
        return VERDICT_DROP_IP_CHECKSUM;
    if (pkt_source_is_bad(ip))
        return VERDICT_DROP_BAD_SOURCE;
    if (size != there) /* Ethernet padding must not travel on inside a tunnel */
        rte_pktmbuf_trim(frame, (uint16_t)(there - size));
    pkt_fields(ip, p);
    return ip[16] < 0xe0 ? PKT_LOOK_UP : pkt_group_verdict(ip, p);
}

/* frame begins at the Ethernet header; own is the receiving port's address. PKT_LOOK_UP: *p is filled in, and
 * the frame ends where the IP packet ends. */
static inline enum verdict pkt_parse(struct rte_mbuf *frame, const struct mac *own, struct pkt *p)
{
    const uint8_t *ethernet = rte_pktmbuf_mtod(frame, const uint8_t *);
    *p = (struct pkt){0};
    if (frame->nb_segs != 1)
        return VERDICT_DROP_SEGMENTED;
    if (frame->data_len < ETHERNET_LEN)
        return VERDICT_DROP_RUNT;
    p->link_cast = (ethernet[0] & 1) != 0;
    if (!p->link_cast && !mac_equal((const struct mac *)ethernet, own))
        return VERDICT_DROP_FOREIGN_MAC;
    switch (pkt_read16(ethernet + 12)) {
    case ETHERTYPE_IPV4:
        return pkt_parse_ip(PKT_IPV4, frame, p);
    case ETHERTYPE_ARP:
        /* RFC 826: to everybody or to us, to no other group */
        if (p->link_cast && memcmp(ethernet, mac_broadcast.b, sizeof(mac_broadcast.b)) != 0)
            return VERDICT_DROP_FOREIGN_MAC;
        return frame->data_len < ETHERNET_LEN + ARP_LEN ? VERDICT_DROP_RUNT : VERDICT_PUNT_ARP;
    default:
        return VERDICT_DROP_ETHERTYPE;
    }
}

#endif
