/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the suites of the binding table and of its hash share: addresses of many patterns, IPv6 addresses
 * whose tag is a given one, and entries whose every byte follows from their address and version.
 */
#ifndef TEST_FWD_TABLE_WORLD_H
#define TEST_FWD_TABLE_WORLD_H

#include "eal.h"
#include "frame.h"

#include "cuckoo.h"
#include "entry.h"

/* ---- Addresses ---- */

static inline struct addr world_ipv6(uint64_t network, uint64_t interface)
{
    struct addr a;
    put32(a.b, (uint32_t)(network >> 32));
    put32(a.b + 4, (uint32_t)network);
    put32(a.b + 8, (uint32_t)(interface >> 32));
    put32(a.b + 12, (uint32_t)interface);
    return a;
}

/* One-to-one, and 0 stays 0 (murmur3's last step). */
static inline uint32_t world_scatter(uint32_t v)
{
    v = (v ^ v >> 16) * 0x85ebca6bU;
    v = (v ^ v >> 13) * 0xc2b2ae35U;
    return v ^ v >> 16;
}

static inline uint32_t world_reverse(uint32_t v)
{
    v = (v & 0x55555555) << 1 | (v >> 1 & 0x55555555);
    v = (v & 0x33333333) << 2 | (v >> 2 & 0x33333333);
    v = (v & 0x0f0f0f0f) << 4 | (v >> 4 & 0x0f0f0f0f);
    return __builtin_bswap32(v);
}

#define WORLD_NETWORK UINT64_C(0x20010db800010002)

/* Each gives a different address for every i below 2^22; seed is where it begins. None is 0.0.0.0. */
static inline struct addr nth_consecutive(uint32_t i, uint32_t seed)
{
    return addr_from_ipv4(IP(10, 0, 0, 0) + (seed & 0x3fffff) + i);
}

static inline struct addr nth_every_256th(uint32_t i, uint32_t seed)
{
    uint32_t at = (seed & 0x3fffff) + i + 1;
    return addr_from_ipv4(at << 8 | at >> 24);
}

static inline struct addr nth_every_4096th(uint32_t i, uint32_t seed)
{
    uint32_t at = (seed & 0x3fffff) + i + 1;
    return addr_from_ipv4(at << 12 | at >> 20);
}

static inline struct addr nth_every_65536th(uint32_t i, uint32_t seed)
{
    uint32_t at = (seed & 0x3fffff) + i + 1;
    return addr_from_ipv4(at << 16 | at >> 16);
}

static inline struct addr nth_multiple(uint32_t i, uint32_t seed)
{
    return addr_from_ipv4(((seed & 0x3fffff) + i + 1) * 2654435761U); /* odd: no two alike */
}

static inline struct addr nth_random(uint32_t i, uint32_t seed)
{
    uint32_t v = world_scatter(seed + i);
    return addr_from_ipv4(v != 0 ? v : world_scatter(seed - 1));
}

/* Of 10/8; the first ones differ in the highest bits alone. */
static inline struct addr nth_of_high_bits(uint32_t i, uint32_t seed)
{
    return addr_from_ipv4(IP(10, 0, 0, 0) | (world_reverse(i) >> 8 ^ (seed & 0xff)));
}

static inline struct addr nth_interface(uint32_t i, uint32_t seed)
{
    return world_ipv6(WORLD_NETWORK, (uint64_t)(seed & 0x3fffff) + i + 1);
}

static inline struct addr nth_network(uint32_t i, uint32_t seed)
{
    return world_ipv6(UINT64_C(0x20010db800000000) + (seed & 0x3fffff) + i, 1);
}

static inline struct addr nth_eui64(uint32_t i, uint32_t seed)
{
    uint32_t serial = ((seed & 0x3fffff) + i) * 0x9e3779U & 0xffffff; /* odd: no two alike */
    return world_ipv6(WORLD_NETWORK, UINT64_C(0x021122fffe000000) | serial);
}

static inline struct addr nth_of_many_networks(uint32_t i, uint32_t seed)
{
    return world_ipv6(UINT64_C(0x20010db800000000) + (seed & 0xffff) + i / 1024, i % 1024 + 1);
}

static inline struct addr nth_private(uint32_t i, uint32_t seed) /* RFC 8981 */
{
    uint64_t random = (uint64_t)seed << 32 | i;
    return world_ipv6(WORLD_NETWORK, eal_random(&random));
}

static inline struct addr nth_of_both(uint32_t i, uint32_t seed)
{
    return i % 2 == 0 ? nth_random(i, seed) : nth_private(i, seed);
}

static const struct pattern {
    const char *what;
    struct addr (*nth)(uint32_t i, uint32_t seed);
} patterns[] = {
    {"consecutive", nth_consecutive},
    {"every 256th", nth_every_256th},
    {"every 4096th", nth_every_4096th},
    {"every 65536th", nth_every_65536th},
    {"multiples", nth_multiple},
    {"random", nth_random},
    {"high bits", nth_of_high_bits},
    {"IPv6, consecutive interfaces", nth_interface},
    {"IPv6, consecutive networks", nth_network},
    {"IPv6, EUI-64", nth_eui64},
    {"IPv6, 1024 interfaces of each network", nth_of_many_networks},
    {"IPv6, random interfaces", nth_private},
    {"both families", nth_of_both},
};
enum { PATTERNS = sizeof(patterns) / sizeof(patterns[0]) };

/* The patterns of the tests that change and look up at random. */
static const struct pattern families[] = {
    {"IPv4", nth_random}, {"IPv6", nth_private}, {"both families", nth_of_both}};
enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

/* An IPv6 address of this tag; another one for every `which`. The tag is linear in the address' bits, so the
 * last 32 of them solve it. */
static inline struct addr world_of_tag(uint32_t tag, uint32_t which)
{
    uint64_t interface = (uint64_t)(which + 1) << 32;
    struct addr a = world_ipv6(WORLD_NETWORK, interface);
    uint32_t rest = tag ^ cuckoo_tag_ipv6(&a), basis[32] = {0}, bits_of[32] = {0}, solution = 0;
    for (int k = 0; k < 32; k++) {
        struct addr with = world_ipv6(WORLD_NETWORK, interface | UINT32_C(1) << k);
        uint32_t v = cuckoo_tag_ipv6(&with) ^ cuckoo_tag_ipv6(&a), bits = UINT32_C(1) << k;
        for (int j = 31; j >= 0 && v != 0; j--) {
            if ((v >> j & 1) == 0)
                continue;
            if (basis[j] == 0) {
                basis[j] = v;
                bits_of[j] = bits;
                break;
            }
            v ^= basis[j];
            bits ^= bits_of[j];
        }
    }
    for (int j = 31; j >= 0; j--) {
        if ((rest >> j & 1) == 0)
            continue;
        rest ^= basis[j];
        solution ^= bits_of[j];
    }
    a = world_ipv6(WORLD_NETWORK, interface | solution);
    MUST_EQ(cuckoo_tag_ipv6(&a), tag);
    return a;
}

/* ---- Entries ---- */

static inline uint32_t world_digest(const struct addr *a)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < sizeof(a->b); i += 4)
        sum = sum * 31 + get32(a->b + i);
    return sum;
}

/* A torn one, or one used for another address too soon, gives itself away. Its version stands in adjacency.
 */
static inline struct entry world_entry(const struct addr *address, uint32_t version)
{
    uint32_t digest = world_digest(address);
    struct entry e = {
        .kind = ENTRY_TUNNEL, .adjacency = version, .outer_sum = (uint16_t)(digest ^ version * 40503U)};
    for (unsigned i = 0; i < ENTRY_OUTER_MAX; i += 4)
        put32(e.outer + i, digest * 31 + version + i);
    return e;
}

static inline bool world_is_whole(const struct entry *e, const struct addr *address)
{
    struct entry expected = world_entry(address, e->adjacency);
    expected.home = *address;
    expected.slot = e->slot;
    return memcmp(e, &expected, sizeof(expected)) == 0;
}

/* ---- Bodies ---- */

static const enum cuckoo_body bodies[] = {CUCKOO_SCALAR, CUCKOO_AVX2};
enum { BODIES = sizeof(bodies) / sizeof(bodies[0]) };

/* False, with a word, where the processor has it not. */
static inline bool world_choose(struct cuckoo *cuckoo, enum cuckoo_body body)
{
    int r = cuckoo_choose(cuckoo, body);
    if (r == -ENOTSUP) {
        printf("skipped: this processor has no %s\n", cuckoo_body_text(body));
        return false;
    }
    MUST_EQ(r, 0);
    MUST_EQ(cuckoo_body(cuckoo), body);
    return true;
}

/* ---- The hash alone ---- */

#define FEW_MARKS (UINT32_C(1) << 31) /* numbers that leave one bit */

static struct bed {
    struct cuckoo *cuckoo;
    struct entry *entries; /* the one at CUCKOO_NO_ENTRY is nobody's */
    uint32_t n;
} bed;

/* numbers: as if there were so many. */
static inline void make_bed_of(uint32_t capacity, uint32_t entries, uint32_t numbers)
{
    bed.n = entries + 1;
    bed.entries = aligned_alloc(sizeof(struct entry), bed.n * sizeof(struct entry));
    ck_assert_ptr_nonnull(bed.entries);
    memset(bed.entries, 0, bed.n * sizeof(struct entry));
    memset(&bed.entries[CUCKOO_NO_ENTRY].home, 0xff, sizeof(struct addr));
    bed.cuckoo = cuckoo_create(capacity, bed.entries, numbers, SOCKET_ID_ANY);
    ck_assert_ptr_nonnull(bed.cuckoo);
}

static inline void make_bed(uint32_t capacity, uint32_t entries)
{
    make_bed_of(capacity, entries, entries + 1);
}

static inline void remove_bed(void)
{
    cuckoo_destroy(bed.cuckoo);
    free(bed.entries);
    memset(&bed, 0, sizeof(bed));
}

#endif
