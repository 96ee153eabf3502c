/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which message of the Mobility Header (RFC 6275 section 6.1) an IPv6 packet on its way bears. A policy that
 * some of them go by ESP alone must not be evaded by what is put before them: whatever headers and fragments
 * may hide one are told, too.
 *
 * Pure functions of the packet; any thread.
 */
#ifndef FWD_MOBILITY_H
#define FWD_MOBILITY_H

#include "ipv6.h"

enum mobility {
    MOBILITY_HOME_TEST_INIT = 1,
    MOBILITY_HOME_TEST = 3, /* below 256: the message's type */
    MOBILITY_NONE = 256,
    MOBILITY_HIDDEN /* in fragments, or behind more headers than are looked at: it may be any, or none */
};

/* What may stand before it: what tunnels skip, authentication (RFC 4302) and fragment headers. */
static inline bool mobility_is_passed(uint8_t next)
{
    return ipv6_is_skipped(next) || next == IPPROTO_AH || next == IPPROTO_FRAGMENT;
}

/* A packet whose first next header this is bears none. */
static inline bool mobility_is_none(uint8_t next)
{
    return next != IPPROTO_MH && !mobility_is_passed(next);
}

/* Of such a header. */
static inline unsigned mobility_header_len(uint8_t kind, const uint8_t *header)
{
    if (kind == IPPROTO_FRAGMENT)
        return 8;
    return kind == IPPROTO_AH ? (header[1] + 2U) * 4 : (header[1] + 1U) * 8;
}

/* Only the first fragment has the headers, but each tells the kind of the first one that is cut (RFC 8200
 * section 4.5). */
static inline enum mobility mobility_of_later_fragment(uint8_t next)
{
    return mobility_is_none(next) ? MOBILITY_NONE : MOBILITY_HIDDEN;
}

/* ip: a packet of size bytes by its header, sound as pkt_parse would have it. */
static inline enum mobility mobility_of(const uint8_t *ip, unsigned size)
{
    enum { TYPE = 2, OFFSET = 0xfff8, MORE = 1 };
    uint8_t kind = ip[6];
    unsigned at = IPV6_LEN;
    bool fragment = false;
    for (unsigned k = 0; k <= IPV6_HEADERS_MAX; k++) {
        if (kind == IPPROTO_MH)
            return fragment || at + TYPE >= size ? MOBILITY_HIDDEN : (enum mobility)ip[at + TYPE];
        if (!mobility_is_passed(kind))
            return MOBILITY_NONE;
        if (at + 8 > size)
            return MOBILITY_HIDDEN;
        const uint8_t *header = ip + at;
        if (kind == IPPROTO_FRAGMENT && (pkt_read16(header + 2) & OFFSET) != 0)
            return mobility_of_later_fragment(header[0]);
        /* One that is whole may bear a fragment header as well (RFC 6946). */
        fragment |= kind == IPPROTO_FRAGMENT && (pkt_read16(header + 2) & MORE) != 0;
        at += mobility_header_len(kind, header);
        kind = header[0];
    }
    return MOBILITY_HIDDEN;
}

#endif
