/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum (RFC 1071) and the IPv4 (RFC 791), IPv6 (RFC 8200) and UDP (RFC 768) headers as the
 * control side reads and writes them. The data path has its own, in-place forms in lib/fwd.
 *
 * Pure functions over bytes; any thread.
 */
#ifndef WIRE_INET_H
#define WIRE_INET_H

#include "addr.h"
#include "bytes.h"

enum {
    IPV4_HEADER = 20, /* bytes, without options */
    UDP_HEADER = 8,
    IPPROTO_NUM_ICMP = 1,
    IPPROTO_NUM_IPIP = 4, /* RFC 2003 */
    IPPROTO_NUM_UDP = 17,
    IPPROTO_NUM_GRE = 47,     /* RFC 2784 */
    IPPROTO_NUM_MINIMAL = 55, /* RFC 2004 */
    IPPROTO_NUM_IPV6 = 41,    /* RFC 2473 */
    IPPROTO_NUM_ESP = 50,
    IPPROTO_NUM_ICMPV6 = 58,
    IPPROTO_NUM_NONE = 59,
    IPPROTO_NUM_MOBILITY = 135,
    IPV6_HEADER = 40,
    IPV6_MTU_MIN = 1280,   /* RFC 8200 section 5 */
    IPV4_FLAG_DF = 0x4000, /* in the flags and fragment offset field */
    IPV4_FLAG_MF = 0x2000,
    IPV4_OFFSET_MASK = 0x1fff
};

/* Partial one's complement sum in host arithmetic over big-endian words; odd tail padded with zero. */
uint32_t inet_sum(uint32_t partial, const void *bytes, size_t len);
/* Folds and complements: what goes into a checksum field (host byte order). */
uint16_t inet_finish(uint32_t partial);

/* An address of 16 bytes, as a cursor's next; addr_unspecified where there are not so many. */
static inline struct addr read_addr(struct reader *r)
{
    struct addr a = addr_unspecified;
    const uint8_t *p = read_bytes(r, sizeof(a.b));
    if (p != NULL)
        memcpy(a.b, p, sizeof(a.b));
    return a;
}

/* A header of either family as control reads it. */
struct ip_header {
    struct addr source;
    struct addr destination;
    uint8_t tos;         /* or traffic class */
    uint8_t ttl;         /* or hop limit */
    uint8_t protocol;    /* of what follows header_len */
    uint16_t header_len; /* options or extension headers included; encoders ignore it, and write none but
                            those named below */
    uint16_t total_len;  /* header included */
    uint16_t fragment;   /* flags and offset as in IPv4's field, host byte order; of an IPv6 fragment
                            IPV4_FLAG_MF and the offset alike; encoders write IPv4's */
    uint32_t id;         /* IPv4's 16 bits, an IPv6 fragment's 32; encoders write IPv4's */
    uint32_t flow;       /* IPv6: flow label */
    /* IPv6: the home address of a Home Address option (RFC 6275 section 6.3), and that of a type 2 routing
     * header (section 6.4). addr_unspecified: there is none. */
    struct addr home;
    struct addr routed_home;
    bool router_alert; /* IPv6: the hop-by-hop option that multicast listener discovery bears (RFC 2711
                          section 2.1, value 0) */
};

/* Where the addresses of ip end: with the home address in place of the one that stands for it on the way, as
 * upper layers see them and their checksums cover them (RFC 6275 sections 6.1.1, 9.3.1, 11.3.3). */
static inline const struct addr *ip_source(const struct ip_header *ip)
{
    return addr_equal(&ip->home, &addr_unspecified) ? &ip->source : &ip->home;
}
static inline const struct addr *ip_destination(const struct ip_header *ip)
{
    return addr_equal(&ip->routed_home, &addr_unspecified) ? &ip->destination : &ip->routed_home;
}

enum ip_decode {
    IP_DECODED,
    IP_MALFORMED, /* *out untouched; silent */
    IP_PROBLEM,   /* well formed, but with an extension header, option or upper layer that asks to be answered
                     by a parameter problem (RFC 8200 section 4): *problem says which; the header is decoded up
                     to there */
    IP_FRAGMENT   /* IPv6: a fragment; the header is decoded up to its fragment header, and with it */
};
struct ip_problem {
    uint8_t code;     /* ICMPv6 parameter problem's */
    uint32_t pointer; /* from the IP header's first byte */
};

/*
 * Reads the header of a datagram that has come to us: by its version, lengths against len, IPv4's checksum;
 * of IPv6 every extension header up to the upper layer, ESP or No Next Header, in any order that RFC 8200
 * section 4.1 lets a receiver accept. A Home Address option twice, not in a destination options header
 * before fragment, AH and ESP (RFC 6275 section 6.3), or with an address that is not routable is malformed
 * (RFC 6275 section 9.3.1), and so is an IPv6 address of ::ffff:0:0/96. Bytes beyond total_len (Ethernet
 * padding) are not the datagram's. problem may be NULL.
 */
enum ip_decode ip_decode(const uint8_t *bytes, size_t len, struct ip_header *out, struct ip_problem *problem);
/* The same for a datagram of which no more than the beginning is there, as ICMP errors quote it: its header
 * is whole, total_len may be more than len; a checksum or hop limit is as some router left it, and not
 * judged, nor is any option or upper layer. Extension headers of IPv6 that are cut short end the walk:
 * protocol is then that of the first that is not whole, or what a later fragment is of. */
bool ip_decode_beginning(const uint8_t *bytes, size_t len, struct ip_header *out);
/* Writes the header for a payload of total_len - its own length bytes: 20 bytes with their checksum, or 40
 * and, where home or routed_home are set, the destination options header or routing header that bears them
 * (24 bytes each), where router_alert is, a hop-by-hop options header (8); ip->total_len must count them. */
void ip_encode(struct writer *w, const struct ip_header *h);
/* Bytes that ip_encode writes. */
size_t ip_header_size(const struct ip_header *h);
/* The pseudo-header's partial sum for an upper layer of len bytes (RFC 768, RFC 8200 section 8.1), over the
 * final addresses. */
uint32_t ip_pseudo_sum(const struct addr *source, const struct addr *destination, uint8_t protocol,
                       size_t len);

enum { IPV4_ATOMIC_MAX = 576 }; /* bytes that every host takes (RFC 791 section 3.1) */
/* Fills in the identification and flags of an IPv4 datagram of our own. One that every host takes whole may
 * not be fragmented, so that it needs no identification, which would soon repeat (RFC 6864 sections 4.1
 * and 4.3); a larger one bears id. */
void ip_identify(struct ip_header *h, uint16_t id);

struct udp {
    struct addr source;
    struct addr destination;
    uint16_t source_port;
    uint16_t destination_port;
    const uint8_t *payload; /* into the datagram decoded */
    size_t payload_len;
};

enum udp_decode { UDP_OK, UDP_MALFORMED, UDP_BAD_CHECKSUM };

/*
 * Reads the UDP datagram that ip carries at bytes (the first byte after the IP header; len bytes that
 * belong to the datagram). A zero checksum is accepted (RFC 768), a wrong one is UDP_BAD_CHECKSUM.
 */
enum udp_decode udp_decode(const struct ip_header *ip, const uint8_t *bytes, size_t len, struct udp *out);

/* Writes IP (of the addresses' family) and UDP headers and the payload, checksums computed (a zero one sent
 * as ffff); id as for ip_identify. Over IPv6 a zero checksum does not decode (RFC 8200 section 8.1). */
void udp_encode(struct writer *w, const struct udp *u, uint8_t ttl, uint16_t id);
/* The same without the IP header, as ESP in transport mode takes it. */
void udp_encode_alone(struct writer *w, const struct udp *u);

#endif
