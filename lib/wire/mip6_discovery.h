/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dynamic home agent address discovery and mobile prefix discovery: the four ICMPv6 messages of RFC 6275
 * sections 6.5 to 6.8, bytes to structs and back.
 *
 * Pure functions over bytes; any thread. A message is the ICMPv6 message from its type on; its checksum is
 * the caller's to check (icmp_decode), and filled in by the encoders.
 */
#ifndef WIRE_MIP6_DISCOVERY_H
#define WIRE_MIP6_DISCOVERY_H

#include "addr.h"
#include "bytes.h"
#include "nd.h"

enum mip6_discovery_type {
    MIP6_HOME_AGENT_REQUEST = 144,
    MIP6_HOME_AGENT_REPLY = 145,
    MIP6_PREFIX_SOLICITATION = 146,
    MIP6_PREFIX_ADVERTISEMENT = 147
};

enum { MIP6_HOME_AGENTS_MAX = 74 }; /* addresses of one reply within 1,280 bytes (section 10.5.1) */

struct mip6_discovery {
    uint8_t type; /* enum mip6_discovery_type */
    uint16_t identifier;
    uint8_t flags; /* enum nd_router_flag, M and O alone; of a prefix advertisement */
    size_t n_addresses;
    struct addr addresses[MIP6_HOME_AGENTS_MAX]; /* of a home agent reply */
    size_t n_prefixes;
    struct nd_prefix prefixes[ND_PREFIXES_MAX]; /* of a prefix advertisement */
};

/* False: none of the four, or malformed. */
bool mip6_discovery_decode(const uint8_t *message, size_t len, struct mip6_discovery *out);
/* source and destination: the final ones, for the checksum. */
void mip6_discovery_encode(struct writer *w, const struct mip6_discovery *d, const struct addr *source,
                           const struct addr *destination);

/* The anycast address of the home agents of a prefix (RFC 2526, RFC 6275 section 10.5): interface identifier
 * fdff:ffff:ffff:fffe for a 64-bit one, all ones but the last seven bits, 126, for any other length. */
struct addr mip6_home_agents_anycast(const struct prefix *network);

#endif
