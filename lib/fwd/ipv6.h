/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What IPv6 headers say (RFC 8200), on bytes: kinds of addresses, what is behind the extension headers that a
 * packet may begin with, and the tunnel encapsulation limit among their options (RFC 2473 section 4.1.1).
 *
 * Pure functions of the packet; any thread.
 */
#ifndef FWD_IPV6_H
#define FWD_IPV6_H

#include <rte_mbuf.h>

#include "pkt.h"

enum {
    IPV6_HEADERS_MAX = 8, /* that are looked at, and options in them: nobody sends more in earnest */
    IPV6_OPTIONS_MAX = 16,
    IPV6_OPTION_LIMIT = 4, /* tunnel encapsulation limit */
    ICMPV6_ECHO = 128,
    IPV6_FRAGMENT_LEN = 8,
    IPV6_ND_FIRST = 133,
    IPV6_ND_LAST = 137,
    IPV6_ND_HOP_LIMIT = 255, /* it has crossed no router (RFC 4861 section 7.1) */
    IPV6_MLD_QUERY = 130,
    IPV6_MLD_REPORT = 131, /* of version 1 */
    IPV6_MLD_LEN = 24
};

/* ---- Addresses ---- */

static inline bool ipv6_is_link_local(const struct addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static inline bool ipv6_is_unspecified(const struct addr *a)
{
    return addr_equal(a, &addr_unspecified);
}

/* Loopback and IPv4-mapped addresses are never on a wire (RFC 4291 section 2.5.3, RFC 4942 section 2.2); the
 * latter are IPv4's keys in the table. */
static inline bool ipv6_is_internal(const struct addr *a)
{
    static const struct addr loopback = {{[15] = 1}};
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return addr_equal(a, &loopback) || memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

/* The groups that we listen to: all nodes and all routers of the link, and any solicited-node address, for
 * neighbours ask for home addresses there (RFC 4861 section 7.2.8). */
static inline bool ipv6_is_solicited_node(const struct addr *a)
{
    static const uint8_t prefix[13] = {0xff, 0x02, [11] = 1, [12] = 0xff};
    return memcmp(a->b, prefix, sizeof(prefix)) == 0;
}

static inline bool ipv6_is_all_on_link(const struct addr *a)
{
    return addr_equal(a, &addr_all_nodes) || addr_equal(a, &addr_all_routers);
}

/* ---- Extension headers ---- */

/* One of those with which tunnel headers and options for every hop come: the others are the packet's upper
 * layer to whoever forwards it. */
static inline bool ipv6_is_skipped(uint8_t next)
{
    const uint64_t skipped =
        UINT64_C(1) << IPPROTO_HOPOPTS | UINT64_C(1) << IPPROTO_ROUTING | UINT64_C(1) << IPPROTO_DSTOPTS;
    return next < 64 && (skipped >> next & 1) != 0;
}

/* A walk over the headers that a packet begins with. */
struct ipv6_walk {
    unsigned at, end; /* the header's bytes; at: where the upper layer begins in the end */
    unsigned headers;
    unsigned named; /* where the next header field is that names it */
};

static inline struct ipv6_walk ipv6_walk(void)
{
    return (struct ipv6_walk){.at = IPV6_LEN, .end = IPV6_LEN, .named = 6};
}

/* To the next one: false at the upper layer, or where there is nothing whole to go on to. */
static inline bool ipv6_step(const uint8_t *ip, unsigned size, struct ipv6_walk *w)
{
    w->named = w->headers == 0 ? w->named : w->at;
    w->at = w->end;
    if (!ipv6_is_skipped(ip[w->named]) || w->headers == IPV6_HEADERS_MAX || w->at + 8 > size)
        return false;
    unsigned end = w->at + 8 + ip[w->at + 1] * 8U;
    if (end > size)
        return false;
    w->headers++;
    w->end = end;
    return true;
}

struct ipv6_upper {
    uint16_t at;
    uint16_t named; /* where the next header field is that says what it is */
    uint8_t protocol;
};

/* What is behind them; at most size bytes from ip on are read. */
static inline struct ipv6_upper ipv6_upper(const uint8_t *ip, unsigned size)
{
    struct ipv6_walk w = ipv6_walk();
    while (ipv6_step(ip, size, &w))
        ;
    return (struct ipv6_upper){.at = (uint16_t)w.at, .named = (uint16_t)w.named, .protocol = ip[w.named]};
}

/* The value of the first tunnel encapsulation limit, by its place; 0: there is none. */
static inline unsigned ipv6_limit_in(const uint8_t *ip, const struct ipv6_walk *w)
{
    unsigned at = w->at + 2;
    for (unsigned k = 0; k < IPV6_OPTIONS_MAX && at + 2 < w->end; k++) {
        if (ip[at] == IPV6_OPTION_LIMIT && ip[at + 1] == 1)
            return at + 2;
        at += ip[at] == 0 ? 1 : 2U + ip[at + 1]; /* Pad1 has no length */
    }
    return 0;
}

/* The same for the packet: left to right (RFC 2473 section 4.1.1). */
static inline uint16_t ipv6_limit(const uint8_t *ip, unsigned size)
{
    struct ipv6_walk w = ipv6_walk();
    while (ipv6_step(ip, size, &w)) {
        unsigned at = ip[w.named] == IPPROTO_DSTOPTS ? ipv6_limit_in(ip, &w) : 0;
        if (at != 0)
            return (uint16_t)at;
    }
    return 0;
}

/* ---- The header ---- */

static inline void ipv6_fields(const uint8_t *ip, struct pkt *p)
{
    p->family = PKT_IPV6;
    p->header_len = IPV6_LEN;
    p->tos = (uint8_t)(pkt_read16(ip) >> 4);
    p->size = (uint16_t)(IPV6_LEN + pkt_read16(ip + 4));
    p->protocol = ip[6];
    p->ttl = ip[7];
    /* Nobody may fragment it on its way; a fragment it can be. */
    p->fragment = IPV4_DF | (p->protocol == IPPROTO_FRAGMENT ? IPV4_MORE_FRAGMENTS : 0);
    memcpy(&p->source, ip + 8, sizeof(p->source));
    memcpy(&p->destination, ip + 24, sizeof(p->destination));
}

/* Neighbour discovery's messages are whole packets without extension headers (RFC 6980). */
static inline bool ipv6_is_nd(const uint8_t *ip, const struct pkt *p)
{
    return p->protocol == IPPROTO_ICMPV6 && p->size >= IPV6_LEN + 8 && ip[IPV6_LEN] >= IPV6_ND_FIRST &&
           ip[IPV6_LEN] <= IPV6_ND_LAST;
}

/* What a listener hears of multicast listener discovery: queries, and others' reports of version 1, behind
 * options for every hop (RFC 3810 section 5, RFC 2710 section 3). */
static inline bool ipv6_is_mld(const uint8_t *ip, const struct pkt *p)
{
    if (p->protocol != IPPROTO_HOPOPTS)
        return false;
    const struct ipv6_upper upper = ipv6_upper(ip, p->size);
    return upper.protocol == IPPROTO_ICMPV6 && upper.at + IPV6_MLD_LEN <= p->size &&
           (ip[upper.at] == IPV6_MLD_QUERY || ip[upper.at] == IPV6_MLD_REPORT);
}

#endif
