/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An IP address of either family in one type: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d
 * (RFC 4291 section 2.5.5.2). The control side has no second code path for the second family.
 *
 * Plain values without an owner; every function is pure and may be called from any thread.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ADDR_TEXT_MAX = 46 }; /* longest text of an address, NUL included */

struct addr {
    uint8_t b[16];
};

/* bits counts within the family: 24 for 10.1.0.0/24. */
struct prefix {
    struct addr addr;
    uint8_t bits;
};

/* A link-layer address (Ethernet). */
struct mac {
    uint8_t b[6];
};

extern const struct addr addr_unspecified; /* all zero: no address of any family (not 0.0.0.0) */
extern const struct addr addr_all_nodes;   /* ff02::1 */
extern const struct addr addr_all_routers; /* ff02::2 */

/* v4 is in host byte order. */
struct addr addr_from_ipv4(uint32_t v4);
/* The IPv4 address in host byte order. Only for addr_is_ipv4 addresses. */
uint32_t addr_ipv4(const struct addr *a);

bool addr_is_ipv4(const struct addr *a);
/* True for addr_unspecified and for 0.0.0.0. */
bool addr_is_unspecified(const struct addr *a);
bool addr_is_multicast(const struct addr *a);
bool addr_is_loopback(const struct addr *a);
/* fe80::/10; of IPv4 169.254.0.0/16. */
bool addr_is_link_local(const struct addr *a);
/* It may name one host, by its form alone: not unspecified, loopback, multicast; of IPv4 not 0/8 or 240/4
 * (RFC 1122 section 3.2.1.3), of IPv6 not link-local ("unicast routable", RFC 6275 section 9.3.1). */
bool addr_is_routable(const struct addr *a);
/* And it is of IPv6: an IPv4 address in the mapped form is nobody's there. */
bool addr_is_ipv6_routable(const struct addr *a);
/* ff02::1:ffXX:XXXX of an IPv6 address (RFC 4291 section 2.7.1). */
struct addr addr_solicited_node(const struct addr *a);
/* The link-local IPv6 address with the interface identifier (last eight bytes) of a. */
struct addr addr_link_local_of(const struct addr *a);
/* The one made of a MAC address (RFC 2464 section 5, modified EUI-64). */
struct addr addr_link_local_from_mac(const struct mac *mac);

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* Text as people write it ("10.1.0.2", "2001:db8::2"). False: not an address; *out untouched. */
bool addr_parse(const char *text, struct addr *out);
/* Writes at most ADDR_TEXT_MAX bytes, NUL included; returns buf. */
const char *addr_format(const struct addr *a, char buf[static ADDR_TEXT_MAX]);

/* "ADDRESS/BITS"; the host part is kept. False: malformed or bits beyond the family. */
bool prefix_parse(const char *text, struct prefix *out);
/* Same family, and equal in the first p->bits bits. */
bool prefix_contains(const struct prefix *p, const struct addr *a);
/* The longest of n prefixes that holds a, if it is longer than *bits, which then becomes its length; -1: none
 * is. */
int prefix_longest(const struct prefix *prefixes, size_t n, const struct addr *a, int *bits);
/* The prefix with its host part cleared. */
struct prefix prefix_network(const struct prefix *p);
/* The IPv4 subnet broadcast address (host part all ones); addr_unspecified for IPv6, /31 and /32. */
struct addr prefix_broadcast(const struct prefix *p);

enum { MAC_TEXT_MAX = 18 };
extern const struct mac mac_broadcast;

static inline bool mac_equal(const struct mac *a, const struct mac *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* "aa:bb:cc:dd:ee:ff"; returns buf. */
const char *mac_format(const struct mac *m, char buf[static MAC_TEXT_MAX]);

#endif
