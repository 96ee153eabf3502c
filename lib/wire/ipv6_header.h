/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The IPv6 header and its extension headers (RFC 8200) as a host at their end reads them, with what Mobile
 * IPv6 puts into them: the Home Address option and the type 2 routing header (RFC 6275 sections 6.3, 6.4).
 * inet.h is how others come here.
 *
 * Pure functions over bytes; any thread. Work is bounded by the datagram's length: every header and every
 * option takes some of it.
 */
#ifndef WIRE_IPV6_HEADER_H
#define WIRE_IPV6_HEADER_H

#include "inet.h"

/* As ip_decode. beginning: as ip_decode_beginning, which knows no problem, and to which a fragment ends
 * the walk like an upper layer. */
enum ip_decode ipv6_decode(const uint8_t *bytes, size_t len, bool beginning, struct ip_header *out,
                           struct ip_problem *problem);
void ipv6_encode(struct writer *w, const struct ip_header *h);
size_t ipv6_header_size(const struct ip_header *h);

/* Of a first fragment that ip_decode has told to be one: all headers are in it, up to the upper layer's own
 * (RFC 7112 section 5, RFC 8200 section 4.5). */
bool ipv6_headers_are_whole(const uint8_t *bytes, size_t len);

/* An extension header that a walk goes through. */
bool ipv6_is_extension(uint8_t protocol);

#endif
