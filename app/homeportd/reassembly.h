/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments of either family for the appliance itself become datagrams again (RFC 791 section 3.2, RFC 1122
 * section 3.3.2, RFC 8200 section 4.5). There is room for so many incomplete ones, each with a buffer of its
 * own; where none is left the oldest goes, so that no stranger takes more than that, of memory or of time.
 * A datagram whose fragments overlap is given up, with all that is still to come of it (RFC 5722 section 4).
 *
 * Bytes in, bytes out: no clock, no I/O. Control's alone.
 */
#ifndef HOMEPORTD_REASSEMBLY_H
#define HOMEPORTD_REASSEMBLY_H

#include "inet.h"

enum {
    REASSEMBLY_DATAGRAMS = 64,     /* incomplete at a time */
    REASSEMBLY_FRAGMENTS_MAX = 64, /* of one: 2048 bytes by way of links that take 68 are 43 */
    REASSEMBLY_S = 60 /* from the first that comes (RFC 1122 section 3.3.2, RFC 8200 section 4.5) */
};

struct reassembly;

/* size_max: bytes of a datagram at most. NULL: no memory. */
struct reassembly *reassembly_create(size_t size_max);
void reassembly_destroy(struct reassembly *r);

/* How a fragment came in. */
struct fragment_origin {
    unsigned port_index; /* a link-local address is another one there */
    struct mac source_mac;
};

/* A fragment as it came. */
struct fragment {
    const struct ip_header *ip; /* what ip_decode made of it: IPv6's ends behind its fragment header */
    const uint8_t *datagram;    /* ip->total_len bytes from the IP header on */
    struct fragment_origin origin;
};

enum reassembly_outcome {
    REASSEMBLY_WAITS, /* for others */
    REASSEMBLY_WHOLE, /* it was the last one missing */
    REASSEMBLY_DUPLICATE,
    REASSEMBLY_MALFORMED, /* dropped, the others are still waited for */
    REASSEMBLY_OVERLAP,   /* from here on: dropped, and its datagram given up */
    REASSEMBLY_TOO_LONG,
    REASSEMBLY_TOO_MANY, /* fragments */
    REASSEMBLY_GIVEN_UP, /* it was before */
    /* It was the last one missing, but a mark of congestion can neither be kept nor lost (RFC 3168 section
     * 5.3): the datagram is dropped. */
    REASSEMBLY_CONGESTED
};

struct reassembled {
    enum reassembly_outcome outcome;
    bool ousted; /* an incomplete datagram made room */
    /* MALFORMED: its sender is to be told so (RFC 8200 section 4.5). */
    bool is_problem;
    struct ip_problem problem;
    /* WHOLE, until the next call: the first fragment's headers in front of all of the rest. IPv6's fragment
     * header is still there, as that of a packet in one fragment (RFC 6946), for what may stand behind it is
     * not what may stand in front (RFC 6275 section 6.3). */
    const uint8_t *datagram;
    size_t len;
    struct fragment_origin origin; /* the first fragment's, as the headers are */
};

struct reassembled reassembly_add(struct reassembly *r, const struct fragment *fragment, uint64_t now_ns);

/* A datagram whose time has run out; it is forgotten. */
struct reassembly_expired {
    const uint8_t *first; /* the first fragment as it came, until the next call; NULL: it is not there, and
                             nobody is told */
    size_t len;
    struct fragment_origin origin;
};
/* False: there is none (left). */
bool reassembly_expire(struct reassembly *r, uint64_t now_ns, struct reassembly_expired *out);
/* Before it nothing runs out; UINT64_MAX: there is nothing. */
uint64_t reassembly_deadline(const struct reassembly *r);

#endif
