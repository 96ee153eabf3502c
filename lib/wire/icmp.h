/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP (RFC 792) and ICMPv6 (RFC 4443) as the appliance speaks them: echo, and errors in both directions
 * (RFC 1812 section 4.3, RFC 1191 for the next-hop MTU).
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

/* ICMPv6 (RFC 4443); neighbour discovery's types are in nd.h. */
enum icmp6_type {
    ICMP6_UNREACHABLE = 1,
    ICMP6_TOO_BIG = 2,
    ICMP6_TIME_EXCEEDED = 3,
    ICMP6_PARAMETER_PROBLEM = 4,
    ICMP6_ECHO_REQUEST = 128,
    ICMP6_ECHO_REPLY = 129
};
enum icmp6_unreachable_code {
    ICMP6_NO_ROUTE = 0,
    ICMP6_PROHIBITED = 1,
    ICMP6_BEYOND_SCOPE = 2,
    ICMP6_ADDRESS_UNREACHABLE = 3,
    ICMP6_PORT_UNREACHABLE = 4
};
enum { ICMP6_ERROR_MAX = 1280 }; /* an error and what it quotes (RFC 4443 section 2.4 (c)) */

/* What an error says, whatever the family; icmp_numbers has it in either family's. */
enum icmp_error {
    ICMP_ERROR_NO_ROUTE,
    ICMP_ERROR_HOST,     /* the host is known to be out of reach; IPv6: address unreachable */
    ICMP_ERROR_PROTOCOL, /* IPv4's; of IPv6 a parameter problem, code 1 */
    ICMP_ERROR_PORT,
    ICMP_ERROR_TOO_BIG,    /* value: the next hop's MTU */
    ICMP_ERROR_HOPS,       /* TTL or hop limit ran out */
    ICMP_ERROR_REASSEMBLY, /* a fragment did not come in time */
    ICMP_ERROR_PARAMETER,  /* value: pointer to the field; IPv6: code 0, erroneous field */
    ICMP_ERROR_OPTION,     /* IPv6, code 2: option not known; value: pointer */
    ICMP_ERROR_HEADERS     /* IPv6, code 3: the first fragment has not all headers (RFC 7112 section 5) */
};

struct icmp {
    uint8_t type;
    uint8_t code;
    uint32_t rest; /* the second word: identifier and sequence, pointer, or next-hop MTU */
    const uint8_t *data;
    size_t data_len;
};

/* ip's protocol says which ICMP it is; bytes is what follows its header_len. False: shorter than 8 bytes, a
 * wrong checksum, or ICMPv6 over IPv4. */
bool icmp_decode(const struct ip_header *ip, const uint8_t *bytes, size_t len, struct icmp *out);
/* type is an error's in the family of ip. */
bool icmp_is_error(const struct ip_header *ip, uint8_t type);
bool icmp_is_echo_request(const struct ip_header *ip, const struct icmp *m);

/* What an echo reply brings back of its request (RFC 792), in host order. */
struct icmp_echo {
    uint16_t identifier;
    uint16_t sequence;
};
/* False: m is no echo reply. */
bool icmp_echo_returned(const struct ip_header *ip, const struct icmp *m, struct icmp_echo *out);
/* A whole datagram of the addresses' family: the echo request without data from source to destination. */
void icmp_encode_echo_request(struct writer *w, const struct addr *source, const struct addr *destination,
                              const struct icmp_echo *echo, uint16_t id);
/* The echo reply to a whole echo request datagram, source and destination swapped, its data kept. source:
 * that of the reply where the request was for a multicast address; NULL: the request's destination. */
void icmp_encode_echo_reply(struct writer *w, const struct ip_header *request_ip, const struct icmp *request,
                            const struct addr *source, uint16_t id);

/*
 * RFC 1812 section 4.3.2.7, RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e): no error is sent about an ICMP
 * error (or an ICMPv6 redirect), a later fragment of IPv4, a packet to a broadcast or multicast address (at
 * either layer; IPv6 excepts packet too big and unknown options), or one whose source names no single host.
 * datagram is the offending IP datagram, or as much of it as is there; link_cast tells that its frame was not
 * unicast to us.
 */
bool icmp_error_allowed(enum icmp_error what, const uint8_t *datagram, size_t len, bool link_cast);

/* A whole datagram of the offender's family from `source` to the offender's source, quoting as much of it as
 * is there and fits. value: with what. */
void icmp_encode_error(struct writer *w, const struct addr *source, enum icmp_error what, uint32_t value,
                       const uint8_t *offender, size_t offender_len, uint16_t id);

/* Of IPv6, type, code and second word for what; IPv4 likewise. */
struct icmp_numbers {
    uint8_t type, code;
    uint32_t rest;
};
struct icmp_numbers icmp_numbers(bool ipv4, enum icmp_error what, uint32_t value);

/* The error that answers what ip_decode found; problem->pointer is its value. */
enum icmp_error icmp_error_of(const struct ip_problem *problem);

/* An ICMPv6 message without its checksum is bytes[0 .. len): fills that in (RFC 4443 section 2.3). */
void icmp6_checksum(uint8_t *bytes, size_t len, const struct addr *source, const struct addr *destination);

#endif
