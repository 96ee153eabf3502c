/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decapsulation, in place and on bytes: what a tunnel's far end sends to us by IP in IP (RFC 2003), minimal
 * encapsulation (RFC 2004) or GRE (RFC 2784). In two steps, since between them it must be found out whether
 * the packet may come this way at all (RFC 3024 section 4.3.2): decap_read looks and changes nothing,
 * decap_open makes the inner packet of it.
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

/* What is inside. Addresses are in network order. */
struct decap {
    uint32_t outer_source;
    uint32_t source, destination;
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

static inline uint32_t decap_address(const uint8_t *at)
{
    uint32_t address;
    memcpy(&address, at, sizeof(address));
    return address;
}

/* RFC 1122 section 3.2.1.3, RFC 1812 section 5.3.7. Multicast and broadcast by a reverse tunnel are not
 * served (RFC 3024 section 5.3). */
static inline bool decap_is_no_host(uint32_t address)
{
    const uint8_t first = *(const uint8_t *)&address;
    return first == 0 || first == 127 || first >= 0xe0;
}

static inline enum decap_verdict decap_check_addresses(const struct decap *d)
{
    return decap_is_no_host(d->source) || decap_is_no_host(d->destination) ? DECAP_ADDRESS : DECAP_SOUND;
}

/* A whole IPv4 packet behind `at` bytes of the outer one, which has len. RFC 2003 section 3.1: with TTL 0 it
 * is dropped; the hop that forwarding takes comes later. */
static inline enum decap_verdict decap_read_inner(const uint8_t *ip, unsigned at, unsigned len,
                                                  struct decap *d)
{
    const uint8_t *inner = ip + at;
    if (at + IPV4_LEN_MIN > len)
        return DECAP_MALFORMED;
    const unsigned header_len = (inner[0] & 0x0fU) * 4;
    d->size = pkt_read16(inner + 2);
    if (inner[0] >> 4 != 4 || header_len < IPV4_LEN_MIN || d->size < header_len || at + d->size > len)
        return DECAP_MALFORMED;
    if (pkt_header_sum(inner, header_len) != 0xffff || inner[8] == 0)
        return DECAP_MALFORMED;
    d->strip = (uint16_t)at;
    d->source = decap_address(inner + 12);
    d->destination = decap_address(inner + 16);
    const uint8_t ecn = decap_ecn[inner[1] & DECAP_ECN_MASK][ip[1] & DECAP_ECN_MASK];
    if (ecn == DECAP_ECN_DROP)
        return DECAP_CONGESTION;
    d->tos = (uint8_t)((inner[1] & ~DECAP_ECN_MASK) | ecn);
    return decap_check_addresses(d);
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
    const enum decap_verdict verdict = decap_read_inner(ip, at + header_len, len, d);
    /* Section 3.1: back to who sent it, it might come again for ever. */
    return verdict == DECAP_SOUND && d->destination == d->outer_source ? DECAP_ADDRESS : verdict;
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
    d->source = header_len == LONG ? decap_address(forwarding + 8) : d->outer_source;
    d->destination = decap_address(forwarding + 4);
    return decap_check_addresses(d);
}

/* ip: a packet to us whose header has been checked, len bytes by its total length, no fragment, of one of the
 * three protocols. *d counts where DECAP_SOUND is returned. */
static inline enum decap_verdict decap_read(const uint8_t *ip, unsigned len, struct decap *d)
{
    const unsigned at = (ip[0] & 0x0fU) * 4;
    *d = (struct decap){.outer_source = decap_address(ip + 12)};
    switch (ip[9]) {
    case IPPROTO_IPIP:
        d->how = ENCAPSULATION_IPIP;
        return decap_read_inner(ip, at, len, d);
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

/* May a far end that was granted this encapsulation send by that one? Fragments cannot go by minimal
 * encapsulation, so its user sends IP in IP as well (RFC 2004 section 3). */
static inline bool decap_agrees(const struct decap *d, enum encapsulation granted)
{
    return d->how == granted || (d->how == ENCAPSULATION_IPIP && granted == ENCAPSULATION_MINIMAL);
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
    memcpy(inner + 12, &d->source, sizeof(d->source));
    memcpy(inner + 16, &d->destination, sizeof(d->destination));
    pkt_header_checksum(inner, header_len);
}

/* After a sound decap_read of the same bytes: the inner packet, d->size bytes from ip + d->strip on, is as it
 * is to be forwarded but for the hop that this takes. What was before it is lost. */
static inline void decap_open(uint8_t *ip, const struct decap *d)
{
    uint8_t *inner = ip + d->strip;
    if (d->how == ENCAPSULATION_MINIMAL) {
        decap_restore_minimal(ip, d);
    } else if (inner[1] != d->tos) {
        inner[1] = d->tos;
        pkt_header_checksum(inner, (inner[0] & 0x0fU) * 4);
    }
}

#endif
