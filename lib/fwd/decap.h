/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decapsulation, in place and on bytes: what a tunnel's far end sends to us by IP in IP (RFC 2003; either
 * family in IPv6: RFC 2473; IPv6 in IPv4: RFC 4213), minimal encapsulation (RFC 2004) or GRE (RFC 2784). In
 * two steps, since between them it must be found out whether the packet may come this way at all (RFC 3024
 * section 4.3.2, RFC 6275 section 10.4.5): decap_read looks and changes nothing, decap_open makes the inner
 * packet of it.
 *
 * Pure functions of the packet; any thread.
 */
#ifndef FWD_DECAP_H
#define FWD_DECAP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "encapsulation.h"
#include "pkt.h"

enum decap_verdict {
    DECAP_SOUND,
    DECAP_MALFORMED,
    DECAP_ADDRESS,   /* well formed, but from or to an address with which no packet may travel */
    DECAP_CONGESTION /* marked outside, its sender not able to hear of it: to be dropped (RFC 6040) */
};

/* What is inside. */
struct decap {
    struct addr outer_source;
    struct addr source, destination;
    uint16_t strip; /* bytes from the outer header to where the inner packet begins when it is open */
    uint16_t size;  /* of the inner packet; bytes behind it are not part of it */
    uint8_t how;    /* enum encapsulation: by which it came */
    uint8_t tos;    /* the inner packet's when it is open */
};

/* RFC 6040 section 4.2, figure 4: [inner][outer], by codepoint: Not-ECT, ECT(1), ECT(0), CE. */
enum { DECAP_ECN_MASK = 3, DECAP_ECN_DROP = 4 };
static const uint8_t decap_ecn[4][4] = {
    {0, 0, 0, DECAP_ECN_DROP},
    {1, 1, 1, 3},
    {2, 1, 2, 3},
    {3, 3, 3, 3},
};

/* ---- What the families differ in: a header's fields. The argument is constant wherever it can be ---- */

static inline uint8_t decap_tos(enum pkt_family family, const uint8_t *ip)
{
    return family == PKT_IPV4 ? ip[1] : (uint8_t)(pkt_read16(ip) >> 4);
}

static inline void decap_set_tos(uint8_t *ip, uint8_t tos)
{
    if (pkt_family_of(ip) == PKT_IPV4) {
        ip[1] = tos;
        pkt_header_checksum(ip, (ip[0] & 0x0fU) * 4);
        return;
    }
    ip[0] = (uint8_t)(PKT_IPV6 << 4 | tos >> 4);
    ip[1] = (uint8_t)(tos << 4 | (ip[1] & 0x0f));
}

/* RFC 1122 section 3.2.1.3, RFC 1812 section 5.3.7; RFC 4291 section 2.5 and RFC 4213 section 3.6 for the
 * unspecified address, loopback, and all that bears an IPv4 address, which the binding table would take for
 * that; link-local addresses stay on their link (RFC 4291 section 2.5.6), and inside of a tunnel there is
 * none (RFC 6275 section 10.4.2). Multicast and broadcast by a reverse tunnel are not served (RFC 3024
 * section 5.3). */
static inline bool decap_is_no_host(enum pkt_family family, const struct addr *address)
{
    if (family == PKT_IPV4)
        return address->b[12] == 0 || address->b[12] == 127 || address->b[12] >= 0xe0;
    uint64_t first;
    memcpy(&first, address->b, sizeof(first));
    return first == 0 || address->b[0] == 0xff || (address->b[0] == 0xfe && (address->b[1] & 0xc0) == 0x80);
}

static inline enum decap_verdict decap_check_addresses(enum pkt_family family, const struct decap *d)
{
    return decap_is_no_host(family, &d->source) || decap_is_no_host(family, &d->destination) ? DECAP_ADDRESS
                                                                                             : DECAP_SOUND;
}

/* A whole header, with TTL or hop limit above 0, of a packet within the `there` bytes that are left. Returns
 * the packet's size, 0: it is not so. RFC 2003 section 3.1: with TTL 0 it is dropped; the hop that forwarding
 * takes comes later. */
static inline unsigned decap_inner_size(enum pkt_family family, const uint8_t *inner, unsigned there)
{
    const unsigned least = family == PKT_IPV4 ? (unsigned)IPV4_LEN_MIN : IPV6_LEN;
    if (there < least || inner[0] >> 4 != family)
        return 0;
    if (family == PKT_IPV6) {
        const unsigned size = IPV6_LEN + pkt_read16(inner + 4);
        return size <= there && inner[7] != 0 ? size : 0;
    }
    const unsigned header_len = (inner[0] & 0x0fU) * 4, size = pkt_read16(inner + 2);
    if (header_len < IPV4_LEN_MIN || size < header_len || size > there || inner[8] == 0)
        return 0;
    return pkt_header_is_whole(inner, header_len) ? size : 0;
}

/* ---- Each encapsulation ---- */

/* A whole packet of that family behind `at` bytes of the outer one, which has len. */
static inline enum decap_verdict decap_read_inner(enum pkt_family family, const uint8_t *ip, unsigned at,
                                                  unsigned len, struct decap *d)
{
    const uint8_t *inner = ip + at;
    d->size = (uint16_t)(at < len ? decap_inner_size(family, inner, len - at) : 0);
    if (d->size == 0)
        return DECAP_MALFORMED;
    d->strip = (uint16_t)at;
    d->source = pkt_source(family, inner);
    d->destination = pkt_destination(family, inner);
    const uint8_t tos = decap_tos(family, inner);
    const uint8_t ecn = decap_ecn[tos & DECAP_ECN_MASK][decap_tos(pkt_family_of(ip), ip) & DECAP_ECN_MASK];
    if (ecn == DECAP_ECN_DROP)
        return DECAP_CONGESTION;
    d->tos = (uint8_t)((tos & ~DECAP_ECN_MASK) | ecn);
    return decap_check_addresses(family, d);
}

/* Over any number of bytes, an odd one as if a zero followed. */
static inline uint16_t decap_sum(const uint8_t *bytes, unsigned len)
{
    uint64_t sum = 0;
    for (; len > 1; bytes += 2, len -= 2)
        sum += pkt_read16(bytes);
    return pkt_fold(len > 0 ? sum + ((unsigned)bytes[0] << 8) : sum);
}

/* RFC 2784 sections 2.2 to 2.4. Key and sequence number (RFC 2890) were not negotiated: refused, as
 * section 2.3 asks, with all else of RFC 1701. A checksum must be right; bits 6 to 12 are ignored. */
static inline enum decap_verdict decap_read_gre(const uint8_t *ip, unsigned at, unsigned len, struct decap *d)
{
    enum { CHECKSUM = 0x8000, REFUSED = 0x7c00, VERSION = 0x0007, HEADER = 4 };
    const uint8_t *gre = ip + at;
    if (at + HEADER > len)
        return DECAP_MALFORMED;
    const uint16_t flags = pkt_read16(gre);
    if ((flags & (REFUSED | VERSION)) != 0 || pkt_read16(gre + 2) != ETHERTYPE_IPV4)
        return DECAP_MALFORMED;
    const unsigned header_len = (flags & CHECKSUM) != 0 ? 2 * HEADER : HEADER;
    if (header_len > HEADER && decap_sum(gre, len - at) != 0xffff)
        return DECAP_MALFORMED;
    const enum decap_verdict verdict = decap_read_inner(PKT_IPV4, ip, at + header_len, len, d);
    /* Section 3.1: back to who sent it, it might come again for ever. */
    return verdict == DECAP_SOUND && addr_equal(&d->destination, &d->outer_source) ? DECAP_ADDRESS : verdict;
}

/* RFC 2004 section 3: there is but one IP header, whose TTL, TOS and options are the packet's own. */
static inline enum decap_verdict decap_read_minimal(const uint8_t *ip, unsigned at, unsigned len,
                                                    struct decap *d)
{
    enum { SOURCE_PRESENT = 0x80, SHORT = 8, LONG = 12 };
    const uint8_t *forwarding = ip + at;
    if (at + SHORT > len)
        return DECAP_MALFORMED;
    const unsigned header_len = (forwarding[1] & SOURCE_PRESENT) != 0 ? LONG : SHORT;
    if (at + header_len > len || pkt_header_sum(forwarding, header_len) != 0xffff || ip[8] == 0)
        return DECAP_MALFORMED;
    d->strip = (uint16_t)header_len;
    d->size = (uint16_t)(len - header_len);
    d->tos = ip[1];
    d->source = header_len == LONG ? pkt_address(PKT_IPV4, forwarding + 8) : d->outer_source;
    d->destination = pkt_address(PKT_IPV4, forwarding + 4);
    return decap_check_addresses(PKT_IPV4, d);
}

static inline enum decap_verdict decap_read_ipv4(const uint8_t *ip, unsigned len, struct decap *d)
{
    const unsigned at = (ip[0] & 0x0fU) * 4;
    switch (ip[9]) {
    case IPPROTO_IPIP:
        d->how = ENCAPSULATION_IPIP;
        return decap_read_inner(PKT_IPV4, ip, at, len, d);
    case IPPROTO_IPV6:
        d->how = ENCAPSULATION_IPV6_IN_IPV4;
        return decap_read_inner(PKT_IPV6, ip, at, len, d);
    case IPPROTO_GRE:
        d->how = ENCAPSULATION_GRE;
        return decap_read_gre(ip, at, len, d);
    case PROTOCOL_MINIMAL:
        d->how = ENCAPSULATION_MINIMAL;
        return decap_read_minimal(ip, at, len, d);
    default:
        return DECAP_MALFORMED;
    }
}

/* Are all the options between the two pointers such as may be passed over (RFC 8200 section 4.2)? The
 * encapsulation limit bounds further encapsulation alone (RFC 2473 section 4.1.1). */
static inline bool decap_passes_options(const uint8_t *option, const uint8_t *end)
{
    enum { PAD1 = 0, MUST_BE_KNOWN = 0xc0 };
    while (option < end) {
        if ((option[0] & MUST_BE_KNOWN) != 0)
            return false;
        if (option[0] == PAD1) {
            option++;
            continue;
        }
        if (end - option < 2 || end - option < 2 + option[1])
            return false;
        option += 2 + option[1];
    }
    return true;
}

/* What IPv6's header is followed by: the packet inside or, before that, destination options, as tunnels with
 * an encapsulation limit have them. Their length is bounded, as the work must be. */
static inline enum decap_verdict decap_read_ipv6(const uint8_t *ip, unsigned len, struct decap *d)
{
    enum { OPTIONS_MAX = 64 };
    unsigned at = IPV6_LEN;
    uint8_t next = ip[6];
    if (next == IPPROTO_DSTOPTS) {
        const uint8_t *options = ip + at;
        const unsigned options_len = at + 8 <= len ? (options[1] + 1U) * 8 : len;
        if (at + options_len > len || options_len > OPTIONS_MAX ||
            !decap_passes_options(options + 2, options + options_len))
            return DECAP_MALFORMED;
        next = options[0];
        at += options_len;
    }
    switch (next) {
    case IPPROTO_IPV6:
        d->how = ENCAPSULATION_IPV6_IN_IPV6;
        return decap_read_inner(PKT_IPV6, ip, at, len, d);
    case IPPROTO_IPIP:
        d->how = ENCAPSULATION_IPV4_IN_IPV6;
        return decap_read_inner(PKT_IPV4, ip, at, len, d);
    default:
        return DECAP_MALFORMED;
    }
}

/* Is a packet to us, whose header has been checked and which is len bytes long by it, of a tunnel, by its
 * protocol? */
static inline bool decap_is_tunnel(const uint8_t *ip, unsigned len)
{
    if (pkt_family_of(ip) == PKT_IPV4)
        return pkt_is_tunnel_protocol(ip[9]);
    const uint8_t next = ip[6] == IPPROTO_DSTOPTS && len > IPV6_LEN ? ip[IPV6_LEN] : ip[6];
    return next == IPPROTO_IPV6 || next == IPPROTO_IPIP;
}

/* ip: such a packet, no fragment. *d counts where DECAP_SOUND is returned. */
static inline enum decap_verdict decap_read(const uint8_t *ip, unsigned len, struct decap *d)
{
    const enum pkt_family family = pkt_family_of(ip);
    *d = (struct decap){.outer_source = pkt_source(family, ip)};
    return family == PKT_IPV4 ? decap_read_ipv4(ip, len, d) : decap_read_ipv6(ip, len, d);
}

/* May a far end that was granted this encapsulation send by that one? Fragments cannot go by minimal
 * encapsulation, so its user sends IP in IP as well (RFC 2004 section 3). */
static inline bool decap_agrees(const struct decap *d, enum encapsulation granted)
{
    return d->how == granted || (d->how == ENCAPSULATION_IPIP && granted == ENCAPSULATION_MINIMAL);
}

static inline enum pkt_family decap_family_inside(const struct decap *d)
{
    return d->how == ENCAPSULATION_IPV6_IN_IPV6 || d->how == ENCAPSULATION_IPV6_IN_IPV4 ? PKT_IPV6 : PKT_IPV4;
}

static inline enum pkt_family decap_family_outside(const struct decap *d)
{
    return d->how == ENCAPSULATION_IPV6_IN_IPV6 || d->how == ENCAPSULATION_IPV4_IN_IPV6 ? PKT_IPV6 : PKT_IPV4;
}

/* The IP header moves to where the forwarding header ends, and is what it was. */
static inline void decap_restore_minimal(uint8_t *ip, const struct decap *d)
{
    const unsigned header_len = (ip[0] & 0x0fU) * 4;
    const uint8_t protocol = ip[header_len];
    uint8_t *inner = ip + d->strip;
    memmove(inner, ip, header_len);
    pkt_write16(inner + 2, d->size);
    inner[9] = protocol;
    memcpy(inner + 12, &d->source.b[12], 4);
    memcpy(inner + 16, &d->destination.b[12], 4);
    pkt_header_checksum(inner, header_len);
}

/* After a sound decap_read of the same bytes: the inner packet, d->size bytes from ip + d->strip on, is as it
 * is to be forwarded but for the hop that this takes. What was before it is lost. */
static inline void decap_open(uint8_t *ip, const struct decap *d)
{
    uint8_t *inner = ip + d->strip;
    if (d->how == ENCAPSULATION_MINIMAL)
        decap_restore_minimal(ip, d);
    else if (decap_tos(pkt_family_of(inner), inner) != d->tos)
        decap_set_tos(inner, d->tos);
}

#endif
