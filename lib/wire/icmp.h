/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP (RFC 792) as the appliance speaks it: echo, and errors in both directions (RFC 1812 section 4.3,
 * RFC 1191 for the next-hop MTU).
 *
 * Pure functions over bytes; any thread.
 */
#ifndef WIRE_ICMP_H
#define WIRE_ICMP_H

#include "inet.h"

enum icmp_type {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_SOURCE_QUENCH = 4,
    ICMP_REDIRECT = 5,
    ICMP_ECHO_REQUEST = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER_PROBLEM = 12
};

enum icmp_unreachable_code {
    ICMP_NET_UNREACHABLE = 0,
    ICMP_HOST_UNREACHABLE = 1,
    ICMP_PROTOCOL_UNREACHABLE = 2,
    ICMP_PORT_UNREACHABLE = 3,
    ICMP_FRAGMENTATION_NEEDED = 4,
    ICMP_SOURCE_ROUTE_FAILED = 5
};

enum { ICMP_HEADER = 8, ICMP_ERROR_MAX = 576 }; /* RFC 1812 section 4.3.2.3: an error is at most 576 bytes */

struct icmp {
    uint8_t type;
    uint8_t code;
    uint32_t rest; /* the second word: identifier and sequence, pointer, or next-hop MTU */
    const uint8_t *data;
    size_t data_len;
};

/* False: shorter than 8 bytes, or a wrong checksum. */
bool icmp_decode(const uint8_t *bytes, size_t len, struct icmp *out);
bool icmp_is_error(uint8_t type);

/* What an echo reply brings back of its request (RFC 792), in host order. */
struct icmp_echo {
    uint16_t identifier;
    uint16_t sequence;
};
/* False: m is no echo reply. */
bool icmp_echo_returned(const struct icmp *m, struct icmp_echo *out);
/* A whole IPv4 datagram: the echo request without data from source to destination. */
void icmp_encode_echo_request(struct writer *w, const struct addr *source, const struct addr *destination,
                              const struct icmp_echo *echo, uint16_t id);
/* The echo reply to a whole IPv4 echo request datagram, source and destination swapped, its data kept. */
void icmp_encode_echo_reply(struct writer *w, const struct ipv4 *request_ip, const struct icmp *request,
                            uint16_t id);

/*
 * RFC 1812 section 4.3.2.7 and RFC 1122 section 3.2.2: no error is sent about an ICMP error, a later
 * fragment, a packet to a broadcast or multicast address (at either layer), or one whose source names no
 * single host. datagram is the offending IPv4 datagram, or as much of it as is there; link_broadcast tells
 * that its frame was not unicast to us.
 */
bool icmp_error_allowed(const uint8_t *datagram, size_t len, bool link_broadcast);

/* A whole IPv4 datagram from `source` to the offender's source, quoting as much of it as is there and fits
 * ICMP_ERROR_MAX.
 * rest is the second word (next-hop MTU, pointer << 24). */
void icmp_encode_error(struct writer *w, const struct addr *source, uint8_t type, uint8_t code, uint32_t rest,
                       const uint8_t *offender, size_t offender_len, uint16_t id);

#endif
