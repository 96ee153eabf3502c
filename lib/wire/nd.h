/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbour discovery for IPv6 over Ethernet (RFC 4861, RFC 2464), and what Mobile IPv6 adds to router
 * advertisements (RFC 6275 section 7).
 *
 * Pure functions over bytes; any thread. Encoders write whole frames.
 */
#ifndef WIRE_ND_H
#define WIRE_ND_H

#include "addr.h"
#include "bytes.h"
#include "inet.h"

enum { ND_HOP_LIMIT = 255, ND_PREFIXES_MAX = 16 };

enum nd_type {
    ND_ROUTER_SOLICITATION = 133,
    ND_ROUTER_ADVERTISEMENT = 134,
    ND_NEIGHBOR_SOLICITATION = 135,
    ND_NEIGHBOR_ADVERTISEMENT = 136,
    ND_REDIRECT = 137
};

/* Of a neighbour advertisement, as in its first byte. */
enum nd_flag { ND_ROUTER = 0x80, ND_SOLICITED = 0x40, ND_OVERRIDE = 0x20 };

struct nd_prefix {
    struct prefix prefix; /* with ND_PREFIX_ADDRESS: the router's whole address (RFC 6275 section 7.2) */
    uint8_t flags;        /* enum nd_prefix_flag */
    uint32_t valid_s, preferred_s; /* ffffffff: for ever */
};
enum nd_prefix_flag { ND_PREFIX_ON_LINK = 0x80, ND_PREFIX_AUTONOMOUS = 0x40, ND_PREFIX_ADDRESS = 0x20 };

/* Of a router advertisement, as in its sixth byte. */
enum nd_router_flag { ND_MANAGED = 0x80, ND_OTHER = 0x40, ND_HOME_AGENT = 0x20 };

struct nd_router {
    uint8_t hop_limit;
    uint8_t flags; /* enum nd_router_flag */
    uint16_t lifetime_s;
    uint32_t mtu;         /* 0: no option */
    uint32_t interval_ms; /* RFC 6275 section 7.3; 0: no option */
    bool has_home_agent;  /* section 7.4 */
    uint16_t preference;
    uint16_t home_agent_lifetime_s;
    size_t n_prefixes;
    struct nd_prefix prefixes[ND_PREFIXES_MAX];
};

struct nd {
    enum nd_type type; /* but redirects, which a router ignores */
    struct addr source, destination;
    struct addr target; /* of the neighbour's messages */
    uint8_t flags;      /* enum nd_flag, of an advertisement */
    bool has_mac;       /* the source or target link-layer address option */
    struct mac mac;
    struct nd_router router; /* of a router advertisement */
};

enum { ND_PREFIX_OPTION = 32 }; /* bytes */
/* The prefix information option (RFC 4861 section 4.6.2), which mobile prefix advertisements bear too. False:
 * no IPv6 prefix. option has its type and length checked. */
bool nd_prefix_read(const uint8_t option[static ND_PREFIX_OPTION], struct nd_prefix *out);
void nd_prefix_write(struct writer *w, const struct nd_prefix *prefix);

/* True if ip (decoded from a datagram) carries one of these at bytes, and it passes every check of RFC 4861
 * sections 6.1 and 7.1, the checksum included. */
bool nd_decode(const struct ip_header *ip, const uint8_t *bytes, size_t len, struct nd *out);

/* RFC 4861 section 7.2.2: who has target? To its solicited-node group, or to `known`'s MAC address and target
 * itself. own may be addr_unspecified: duplicate address detection (RFC 4862 section 5.4.2), without the
 * option. */
void nd_encode_solicitation(struct writer *w, const struct mac *own_mac, const struct addr *own,
                            const struct addr *target, const struct mac *known /* NULL: everybody */);
/* A neighbour advertisement with its target link-layer address option. to: its IP destination; to_mac NULL:
 * the multicast one that belongs to it. */
void nd_encode_advertisement(struct writer *w, const struct mac *own_mac, const struct addr *own,
                             const struct addr *to, const struct mac *to_mac, const struct addr *target,
                             const struct mac *mac, uint8_t flags);
/* A router advertisement from own (link-local) to `to`, with the source link-layer address option first. */
void nd_encode_router(struct writer *w, const struct mac *own_mac, const struct addr *own,
                      const struct addr *to, const struct mac *to_mac, const struct nd_router *router);

#endif
