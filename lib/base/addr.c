/* SPDX-License-Identifier: BSD-3-Clause */
#include "addr.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { V4_AT = 12, V4_BITS_BEFORE = 96 }; /* where the IPv4 address begins in ::ffff:a.b.c.d */
enum { INTERFACE_AT = 8 };                /* where the interface identifier begins (RFC 4291 section 2.5.1) */

static const uint8_t v4_mapped[V4_AT] = {[10] = 0xff, [11] = 0xff};

const struct addr addr_unspecified;
const struct addr addr_all_nodes = {{0xff, 0x02, [15] = 1}};
const struct addr addr_all_routers = {{0xff, 0x02, [15] = 2}};
const struct mac mac_broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

struct addr addr_from_ipv4(uint32_t v4)
{
    return (struct addr){{[10] = 0xff,
                          [11] = 0xff,
                          [12] = (uint8_t)(v4 >> 24),
                          [13] = (uint8_t)(v4 >> 16),
                          [14] = (uint8_t)(v4 >> 8),
                          [15] = (uint8_t)v4}};
}

uint32_t addr_ipv4(const struct addr *a)
{
    const uint8_t *b = a->b + V4_AT;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

bool addr_is_ipv4(const struct addr *a)
{
    return memcmp(a->b, v4_mapped, sizeof(v4_mapped)) == 0;
}

bool addr_is_unspecified(const struct addr *a)
{
    return addr_equal(a, &addr_unspecified) || (addr_is_ipv4(a) && addr_ipv4(a) == 0);
}

bool addr_is_multicast(const struct addr *a)
{
    if (addr_is_ipv4(a))
        return (a->b[V4_AT] & 0xf0) == 0xe0; /* 224.0.0.0/4 */
    return a->b[0] == 0xff;                  /* ff00::/8 */
}

bool addr_is_loopback(const struct addr *a)
{
    static const struct addr one = {{[15] = 1}};
    return addr_is_ipv4(a) ? a->b[V4_AT] == 127 : addr_equal(a, &one);
}

bool addr_is_link_local(const struct addr *a)
{
    if (addr_is_ipv4(a))
        return a->b[V4_AT] == 169 && a->b[V4_AT + 1] == 254; /* RFC 3927 */
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_routable(const struct addr *a)
{
    const uint8_t first = a->b[V4_AT];
    return addr_is_ipv4(a) ? first != 0 && first != 127 && first < 224 : addr_is_ipv6_routable(a);
}

bool addr_is_ipv6_routable(const struct addr *a)
{
    return !addr_is_ipv4(a) && !addr_is_unspecified(a) && !addr_is_loopback(a) && !addr_is_link_local(a) &&
           !addr_is_multicast(a);
}

struct addr addr_solicited_node(const struct addr *a)
{
    return (struct addr){
        {0xff, 0x02, [11] = 1, [12] = 0xff, [13] = a->b[13], [14] = a->b[14], [15] = a->b[15]}};
}

struct addr addr_link_local_of(const struct addr *a)
{
    struct addr out = {{0xfe, 0x80}};
    memcpy(out.b + INTERFACE_AT, a->b + INTERFACE_AT, sizeof(out.b) - INTERFACE_AT);
    return out;
}

struct addr addr_link_local_from_mac(const struct mac *mac)
{
    enum { UNIVERSAL_LOCAL = 0x02 }; /* inverted (RFC 4291 appendix A) */
    const uint8_t *m = mac->b;
    return (struct addr){
        {0xfe, 0x80, [8] = m[0] ^ UNIVERSAL_LOCAL, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]}};
}

bool addr_parse(const char *text, struct addr *out)
{
    struct in_addr v4;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        *out = addr_from_ipv4(ntohl(v4.s_addr));
        return true;
    }
    return inet_pton(AF_INET6, text, out->b) == 1; /* writes only when it succeeds */
}

const char *addr_format(const struct addr *a, char buf[static ADDR_TEXT_MAX])
{
    if (addr_is_ipv4(a))
        return inet_ntop(AF_INET, a->b + V4_AT, buf, ADDR_TEXT_MAX);
    return inet_ntop(AF_INET6, a->b, buf, ADDR_TEXT_MAX);
}

static uint8_t family_bits(const struct addr *a)
{
    return addr_is_ipv4(a) ? 32 : 128;
}

/* The prefix length counted over all 16 bytes. */
static unsigned int whole_bits(const struct prefix *p)
{
    return addr_is_ipv4(&p->addr) ? V4_BITS_BEFORE + p->bits : p->bits;
}

/* The mask over byte i of an address of which the first `bits` bits are the network's. */
static uint8_t mask_at(unsigned int bits, unsigned int i)
{
    if (bits >= 8 * (i + 1))
        return 0xff;
    if (bits <= 8 * i)
        return 0;
    return (uint8_t)(0xff00 >> (bits - 8 * i));
}

/* Decimal digits alone: no sign, no blank, no leading zero. */
static bool bits_parse(const char *text, unsigned int max, uint8_t *out)
{
    if (text[0] == '0' && text[1] != '\0')
        return false;
    unsigned int bits = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && bits <= max; at++)
        bits = bits * 10 + (unsigned int)(*at - '0');
    if (at == text || *at != '\0' || bits > max)
        return false;
    *out = (uint8_t)bits;
    return true;
}

bool prefix_parse(const char *text, struct prefix *out)
{
    const char *slash = strchr(text, '/');
    char address[ADDR_TEXT_MAX];
    if (slash == NULL || (size_t)(slash - text) >= sizeof(address))
        return false;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';

    struct prefix p;
    if (!addr_parse(address, &p.addr) || !bits_parse(slash + 1, family_bits(&p.addr), &p.bits))
        return false;
    *out = p;
    return true;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
    /* ::/0 must not swallow IPv4, whose mapped form it covers bit by bit. */
    if (addr_is_ipv4(&p->addr) != addr_is_ipv4(a))
        return false;
    unsigned int bits = whole_bits(p);
    for (unsigned int i = 0; i < sizeof(a->b) && bits > 8 * i; i++) {
        if (((p->addr.b[i] ^ a->b[i]) & mask_at(bits, i)) != 0)
            return false;
    }
    return true;
}

int prefix_longest(const struct prefix *prefixes, size_t n, const struct addr *a, int *bits)
{
    int found = -1;
    for (size_t i = 0; i < n; i++) {
        if (prefixes[i].bits <= *bits || !prefix_contains(&prefixes[i], a))
            continue;
        *bits = prefixes[i].bits;
        found = (int)i;
    }
    return found;
}

struct prefix prefix_network(const struct prefix *p)
{
    struct prefix network = *p;
    unsigned int bits = whole_bits(p);
    for (unsigned int i = 0; i < sizeof(network.addr.b); i++)
        network.addr.b[i] &= mask_at(bits, i);
    return network;
}

struct addr prefix_broadcast(const struct prefix *p)
{
    if (!addr_is_ipv4(&p->addr) || p->bits > 30) /* RFC 3021: a /31 has no broadcast address */
        return addr_unspecified;
    return addr_from_ipv4(addr_ipv4(&p->addr) | UINT32_MAX >> p->bits);
}

const char *mac_format(const struct mac *m, char buf[static MAC_TEXT_MAX])
{
    snprintf(buf, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2], m->b[3], m->b[4],
             m->b[5]);
    return buf;
}
