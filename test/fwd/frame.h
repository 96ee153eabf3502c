/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames for the tests, built byte by byte and without the code under test: what a field leaves at zero is
 * that of a whole, well-formed UDP packet from CORRESPONDENT, unicast to the port. And an independent sum.
 */
#ifndef TEST_FWD_FRAME_H
#define TEST_FWD_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "addr.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

#define CORRESPONDENT   IP(192, 0, 2, 9)
#define HOME_AGENT      IP(10, 1, 0, 2)
#define OTHER_OWN       IP(10, 9, 0, 1)
#define SUBNET_ALL      IP(10, 1, 0, 255)
#define AWAY            IP(10, 1, 0, 50) /* bound, its tunnel's adjacency is resolved */
#define AWAY_WAITING    IP(10, 1, 0, 51) /* bound, not resolved */
#define AWAY_LOST       IP(10, 1, 0, 52) /* bound, its care-of address reported unreachable */
#define AWAY_REVERSE    IP(10, 1, 0, 56) /* bound, and may send by its tunnel, too */
#define AT_HOME         IP(10, 1, 0, 60) /* on the link, resolved */
#define AT_HOME_WAITING IP(10, 1, 0, 61)
#define UNSEEN          IP(10, 1, 0, 99) /* in the home network, nothing known */
#define AWAY_OTHERWISE  IP(10, 1, 0, 57) /* bound, its tunnel is of the other family */
#define AWAY_TESTED     IP(10, 1, 0, 58) /* IPv6: as AWAY_REVERSE, home tests go by ESP alone */
#define ELSEWHERE       IP(198, 51, 100, 7)
#define CARE_OF         IP(10, 2, 0, 77)

/* The same in IPv6: 2001:db8:ab:: with the last two bytes, so that what is of one network is so there. */
static inline struct addr six(uint32_t ip)
{
    return (struct addr){{0x20, 1, 0x0d, 0xb8, (uint8_t)(ip >> 24),
                          (uint8_t)(ip >> 16), [14] = (uint8_t)(ip >> 8), (uint8_t)ip}};
}

static inline struct addr address_of(bool ipv6, uint32_t ip)
{
    return ipv6 ? six(ip) : addr_from_ipv4(ip);
}

static const struct mac mac_own = {{2, 0, 0, 0, 0, 1}}, mac_other = {{2, 0, 0, 0, 0, 0xee}},
                        mac_group = {{1, 0, 0x5e, 0, 0, 5}}, mac_router = {{2, 0, 0, 0, 0, 0xaa}},
                        mac_at_home = {{2, 0, 0, 0, 0, 0xbb}};

enum to { TO_US, TO_ALL, TO_GROUP, TO_OTHER };
enum { TTL_ZERO = -1, NOT_SET = 0, FRAME_MAX = 2048 };

struct spec {
    enum to to;
    uint16_t ethertype;
    uint32_t from, dst; /* host order; CORRESPONDENT, AWAY */
    int ttl;            /* 64 */
    uint8_t protocol;   /* UDP */
    uint8_t tos;
    uint16_t id, fragment; /* flags and offset */
    uint16_t port;         /* UDP destination, 5000 */
    uint16_t payload;      /* bytes behind the IP header; 26 */
    const char *options;   /* n bytes of them, a multiple of 4 */
    uint8_t n_options;
    uint8_t version_ihl;   /* instead of the right one */
    uint16_t total_length; /* the same */
    bool wrong_sum;
    uint16_t cut;       /* the frame is so long instead */
    uint16_t padding;   /* zeros behind the packet */
    uint32_t inner_dst; /* the payload is an IP header with this destination */
    uint64_t ol_flags;

    /* IPv6: addresses are six() of those above, tos is the traffic class, ttl the hop limit; options are
     * whole extension headers, multiples of 8 bytes, the first of them protocol; there are no id and
     * fragment. */
    bool ipv6;
    bool hop_by_hop;                /* protocol is 0 */
    uint32_t flow;                  /* label */
    const struct addr *from6, *to6; /* instead of from and dst */
    uint8_t icmp;                   /* protocol 58: type */
    uint8_t mobility; /* the payload is a Mobility Header of this type; 0: it is none, or of 0 */

    /* protocol 4, 47 or 55: the payload is this packet, encapsulated; what is called padding there lies in
     * the tunnel. 55: TOS, TTL, id, fragment, and options are the inner packet's, its wrong sum is that of
     * the forwarding header. */
    const struct spec *inner;
    uint16_t gre;   /* 47: first two bytes of its header; 0x8000: with a checksum */
    bool no_source; /* 55: the original source address is not there */
};

/* Options for every hop with router alert (RFC 2711), and a message of multicast listener discovery as long
 * as those of version 1. */
#define FRAME_MLD(type) "\x3a\0\5\2\0\0\1\0" type "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
enum { FRAME_MLD_LEN = 32 };

static inline void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static inline unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* RFC 1071 as it is written there: 0 over a header whose checksum is right. */
static inline unsigned full_sum(const uint8_t *p, unsigned len)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < len; i += 2) {
        sum += get16(p + i);
        while (sum > 0xffff)
            sum = sum - 0x10000 + 1;
    }
    return ~sum & 0xffff;
}

static inline const struct mac *mac_to(enum to to)
{
    static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    return to == TO_US ? &mac_own : to == TO_ALL ? &all : to == TO_GROUP ? &mac_group : &mac_other;
}

/* A UDP header where it fits. Returns its length. */
static inline unsigned put_payload(const struct spec *s, uint8_t *payload)
{
    unsigned len = s->payload != 0 ? s->payload : 26;
    for (unsigned i = 0; i < len; i++)
        payload[i] = (uint8_t)(i * 7 + i / 256);
    if ((s->protocol == 0 || s->protocol == 17) && len >= 8) {
        put16(payload, 4000);
        put16(payload + 2, s->port != 0 ? s->port : 5000);
        put16(payload + 4, len);
        put16(payload + 6, 0);
    }
    if (s->inner_dst != 0 && s->ipv6) {
        struct addr inner = six(s->inner_dst);
        payload[0] = 0x60;
        memcpy(payload + 24, &inner, sizeof(inner));
    } else if (s->inner_dst != 0) {
        payload[0] = 0x45;
        put32(payload + 16, s->inner_dst);
    }
    if (s->ipv6 && s->protocol == 58)
        payload[0] = s->icmp;
    if (s->mobility != 0 && len > 2)
        payload[2] = s->mobility;
    return len;
}

/* RFC 2784 section 2.1. Zeros lie behind it, for a sum over an odd number of bytes. */
static inline unsigned put_gre(const struct spec *s, uint8_t *gre, const uint8_t *packet, unsigned len)
{
    unsigned header = (s->gre & 0x8000) != 0 ? 8 : 4;
    put16(gre, s->gre);
    put16(gre + 2, 0x0800);
    memcpy(gre + header, packet, len);
    if (header == 8)
        put16(gre + 4, full_sum(gre, (header + len + 1) & ~1U));
    return header + len;
}

/* RFC 2004 section 3. */
static inline unsigned put_minimal(const struct spec *s, uint8_t *forwarding, const uint8_t *packet,
                                   unsigned len)
{
    unsigned ip = 20U + s->inner->n_options, header = s->no_source ? 8 : 12;
    forwarding[0] = packet[9];
    forwarding[1] = s->no_source ? 0 : 0x80;
    memcpy(forwarding + 4, packet + 16, 4);
    if (!s->no_source)
        memcpy(forwarding + 8, packet + 12, 4);
    put16(forwarding + 2, full_sum(forwarding, header) ^ (s->inner->wrong_sum ? 0x0101 : 0));
    memcpy(forwarding + header, packet + ip, len - ip);
    return header + len - ip;
}

static inline unsigned frame_build(const struct spec *s, uint8_t out[static FRAME_MAX]);

static inline unsigned put_inner(const struct spec *s, uint8_t *payload)
{
    uint8_t inner[FRAME_MAX];
    unsigned len = frame_build(s->inner, inner) - 14;
    if (s->protocol == 47)
        return put_gre(s, payload, inner + 14, len);
    if (s->protocol == 55)
        return put_minimal(s, payload, inner + 14, len);
    memcpy(payload, inner + 14, len);
    return len;
}

static inline uint8_t ttl_of(const struct spec *s)
{
    return s->ttl == TTL_ZERO ? 0 : s->ttl != 0 ? (uint8_t)s->ttl : 64;
}

static inline void put_ipv4_header(const struct spec *s, const struct spec *own, uint8_t *ip,
                                   unsigned payload)
{
    unsigned header = 20U + own->n_options;
    ip[0] = s->version_ihl != 0 ? s->version_ihl : (uint8_t)(0x40 | header / 4);
    ip[1] = own->tos;
    put16(ip + 2, s->total_length != 0 ? s->total_length : header + payload);
    put16(ip + 4, own->id);
    put16(ip + 6, s->fragment | own->fragment);
    ip[8] = ttl_of(own);
    ip[9] = s->protocol != 0 ? s->protocol : 17;
    put32(ip + 12, s->from != 0 ? s->from : CORRESPONDENT);
    put32(ip + 16, s->dst != 0 ? s->dst : AWAY);
    if (own->n_options > 0)
        memcpy(ip + 20, own->options, own->n_options);
    put16(ip + 10, full_sum(ip, header) ^ (s->wrong_sum ? 0x0101 : 0));
}

static inline void put_ipv6_header(const struct spec *s, uint8_t *ip, unsigned payload)
{
    const struct addr from = s->from6 != NULL ? *s->from6 : six(s->from != 0 ? s->from : CORRESPONDENT);
    const struct addr to = s->to6 != NULL ? *s->to6 : six(s->dst != 0 ? s->dst : AWAY);
    put32(ip, 6U << 28 | (uint32_t)s->tos << 20 | s->flow);
    if (s->version_ihl != 0)
        ip[0] = s->version_ihl;
    put16(ip + 4, s->total_length != 0 ? s->total_length - 40U : s->n_options + payload);
    ip[6] = s->hop_by_hop ? 0 : s->protocol != 0 ? s->protocol : 17;
    ip[7] = ttl_of(s);
    memcpy(ip + 8, &from, sizeof(from));
    memcpy(ip + 24, &to, sizeof(to));
    if (s->n_options > 0)
        memcpy(ip + 40, s->options, s->n_options);
}

/* Returns the frame's length. */
static inline unsigned frame_build(const struct spec *s, uint8_t out[static FRAME_MAX])
{
    const struct spec *own = s->inner != NULL && s->protocol == 55 && !s->ipv6 ? s->inner : s;
    unsigned header = (s->ipv6 ? 40U : 20U) + own->n_options;
    uint8_t *ip = out + 14;
    memset(out, 0, FRAME_MAX);
    unsigned payload = s->inner != NULL ? put_inner(s, ip + header) : put_payload(s, ip + header);
    memcpy(out, mac_to(s->to)->b, 6);
    memcpy(out + 6, mac_router.b, 6);
    put16(out + 12, s->ethertype != 0 ? s->ethertype : s->ipv6 ? 0x86dd : 0x0800);
    if (s->ipv6)
        put_ipv6_header(s, ip, payload);
    else
        put_ipv4_header(s, own, ip, payload);
    return s->cut != 0 ? s->cut : 14 + header + payload + s->padding;
}

#endif
