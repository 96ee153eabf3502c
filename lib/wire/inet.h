/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum (RFC 1071) and the IPv4 (RFC 791) and UDP (RFC 768) headers as the control side
 * reads and writes them. The data path has its own, in-place forms in lib/fwd.
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
    IPV4_FLAG_DF = 0x4000,    /* in the flags and fragment offset field */
    IPV4_FLAG_MF = 0x2000,
    IPV4_OFFSET_MASK = 0x1fff
};

/* Partial one's complement sum in host arithmetic over big-endian words; odd tail padded with zero. */
uint32_t inet_sum(uint32_t partial, const void *bytes, size_t len);
/* Folds and complements: what goes into a checksum field (host byte order). */
uint16_t inet_finish(uint32_t partial);

struct ipv4 {
    uint8_t tos;
    uint8_t ttl;
    uint8_t protocol;
    uint8_t header_len; /* bytes, options included; ignored by encode, which writes 20 */
    uint16_t total_len; /* header included */
    uint16_t id;
    uint16_t fragment; /* flags and offset as in the field, host byte order */
    struct addr source;
    struct addr destination;
};

/*
 * Reads a header: version, lengths against len, and checksum are verified. False: not a valid IPv4
 * header, *out untouched. Bytes beyond total_len (Ethernet padding) are not the datagram's.
 */
bool ipv4_decode(const uint8_t *bytes, size_t len, struct ipv4 *out);
/* The same for a datagram of which no more than the beginning is there, as ICMP errors quote it: its header
 * is whole, total_len may be more than len. */
bool ipv4_decode_beginning(const uint8_t *bytes, size_t len, struct ipv4 *out);
/* Writes 20 bytes with their checksum. */
void ipv4_encode(struct writer *w, const struct ipv4 *h);

enum { IPV4_ATOMIC_MAX = 576 }; /* bytes that every host takes (RFC 791 section 3.1) */
/* Fills in the identification and flags of a datagram of our own. One that every host takes whole may not be
 * fragmented, so that it needs no identification, which would soon repeat (RFC 6864 sections 4.1 and 4.3); a
 * larger one bears id. */
void ipv4_identify(struct ipv4 *h, uint16_t id);

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
enum udp_decode udp_decode(const struct ipv4 *ip, const uint8_t *bytes, size_t len, struct udp *out);

/* Writes IPv4 and UDP headers and the payload, both checksums computed (a zero one sent as ffff); id as for
 * ipv4_identify. */
void udp_encode(struct writer *w, const struct udp *u, uint8_t ttl, uint16_t id);

#endif
