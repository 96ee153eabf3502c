/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Worlds and frames by chance for test_express.c: addresses of both families with entries of every kind,
 * ways, settings; and frames of which most are nearly usual.
 */
#ifndef TEST_FWD_EXPRESS_WORLD_H
#define TEST_FWD_EXPRESS_WORLD_H

#include "addresses.h"
#include "eal.h"
#include "frame.h"
#include "table_world.h"

#include "tunnel.h"
#include "worker.h"

enum {
    PORTS = 2,
    ADDRESSES = 64, /* 10.1.0.0 and those behind it; HOME_AGENT is one */
    CARE_OFS = 8,
    ADJACENCIES = 10,
    DELEGATION_PORT = 49434
};

#define HOME_NETWORK  IP(10, 1, 0, 0)
#define OTHER_NETWORK IP(10, 3, 0, 0) /* a home network as well, maybe with a primary */
#define FAR_ENDS      IP(10, 2, 0, 0)
#define STRANGERS     IP(192, 0, 2, 0)
#define EVERYBODY     IP(224, 0, 0, 1)

static struct table *table;
static struct adjacencies *adjacencies;
static struct worker_settings settings;
static struct exits *exits[2]; /* some routes; the same, and one to everybody */
static uint64_t chance;

static unsigned below(unsigned n)
{
    return (unsigned)(eal_random(&chance) % n);
}

static bool one_in(unsigned n)
{
    return below(n) == 0;
}

#define ONE_OF(array) ((array)[below((unsigned)ROWS(array))])

/* ---- A world by chance ---- */

/* Mostly the usual one of its family. */
static enum encapsulation any_encapsulation(bool ipv6)
{
    static const enum encapsulation ipv4s[] = {ENCAPSULATION_IPIP, ENCAPSULATION_MINIMAL, ENCAPSULATION_GRE,
                                               ENCAPSULATION_IPV4_IN_IPV6};
    if (ipv6)
        return one_in(4) ? ENCAPSULATION_IPV6_IN_IPV4 : ENCAPSULATION_IPV6_IN_IPV6;
    return one_in(4) ? ONE_OF(ipv4s) : ENCAPSULATION_IPIP;
}

static struct entry random_tunnel(bool ipv6)
{
    static const uint8_t flags[] = {0,
                                    0,
                                    0,
                                    ENTRY_REVERSE,
                                    ENTRY_REVERSE,
                                    ENTRY_REVERSE | ENTRY_HOME_TESTS,
                                    ENTRY_UNREACHABLE,
                                    ENTRY_REVERSE | ENTRY_UNREACHABLE};
    struct entry e;
    const enum encapsulation how = any_encapsulation(ipv6);
    const bool over_ipv6 = tunnel_family_outside(how) == PKT_IPV6;
    const struct tunnel t = {.source = address_of(over_ipv6, HOME_AGENT),
                             .destination = address_of(over_ipv6, FAR_ENDS + below(CARE_OFS)),
                             .encapsulation = how,
                             .adjacency = below(ADJACENCIES),
                             .path_mtu = (uint16_t)(one_in(2)   ? 1500
                                                    : one_in(8) ? below(65536)
                                                                : below(1600)),
                             .flags = ONE_OF(flags),
                             .id_slot = (uint8_t)below(WORKER_ID_SLOTS)};
    MUST_EQ(entry_tunnel(&e, &t), 0);
    return e;
}

static void install_tunnels(const struct addr *address, unsigned n)
{
    struct entry set[ENTRY_SET_MAX];
    for (unsigned i = 0; i < n; i++)
        set[i] = random_tunnel(!addr_is_ipv4(address));
    MUST_EQ(table_install_set(table, address, set, n), 0);
}

static void install_random(const struct addr *address)
{
    struct entry local = {.kind = ENTRY_LOCAL, .flags = one_in(3) ? ENTRY_BROADCAST : 0};
    struct entry on_link = {
        .kind = ENTRY_ON_LINK, .adjacency = below(ADJACENCIES), .mtu = (uint16_t)(1500 - below(1400))};
    unsigned kind = below(20);
    if (kind < 2)
        (void)table_remove(table, address);
    else if (kind < 4)
        MUST_EQ(table_install(table, address, &local), 0);
    else if (kind < 6)
        MUST_EQ(table_install(table, address, &on_link), 0);
    else
        install_tunnels(address, kind < 8 ? 2 + below(2) : 1);
}

static const struct addr *const odd_addresses[] = {
    &six_none,       &six_loopback,    &six_mapped, &six_link_local, &six_edge_of_link_local,
    &six_site_local, &six_private,     &six_nat64,  &six_all_nodes,  &six_all_routers,
    &six_solicited,  &six_global_group};

static void install_all(void)
{
    struct addr everybody = addr_from_ipv4(EVERYBODY); /* where no entry should be */
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        for (uint32_t i = 0; i < ADDRESSES; i++) {
            struct addr address = address_of(ipv6 != 0, HOME_NETWORK + i);
            install_random(&address);
        }
        struct addr us = address_of(ipv6 != 0, HOME_AGENT), stranger = address_of(ipv6 != 0, CORRESPONDENT);
        MUST_EQ(table_install(table, &us, &(struct entry){.kind = ENTRY_LOCAL}), 0);
        install_random(&stranger);
    }
    install_random(&everybody);
    for (int i = 1; i < ROWS(odd_addresses);
         i++) /* nor at most of these; the table takes all but the first */
        install_random(odd_addresses[i]);
    MUST_EQ(table_reclaim(table, SIZE_MAX), 0); /* nobody reads now */
}

static void publish_all(void)
{
    for (uint32_t i = 1; i < ADJACENCIES; i++) {
        struct mac mac = {{2, 0, 0, 0, 1, (uint8_t)i}};
        if (one_in(8))
            adjacency_withdraw(adjacencies, i);
        else
            adjacency_publish(adjacencies, i, one_in(16) ? PORTS + (uint8_t)below(99) : (uint8_t)below(PORTS),
                              one_in(8) ? &mac_router : &mac);
    }
}

static uint32_t any_source(void)
{
    switch (below(8)) {
    case 0:
        return FAR_ENDS + below(CARE_OFS);
    case 1:
        return HOME_NETWORK + below(ADDRESSES);
    case 2:
        return one_in(2) ? OTHER_OWN : one_in(2) ? IP(127, 0, 0, 1) : (uint32_t)eal_random(&chance);
    default:
        return STRANGERS + 1 + below(254);
    }
}

static void settle(void)
{
    settings = (struct worker_settings){
        .home_networks = {{six(HOME_NETWORK), six(UINT32_MAX), ADJACENCY_NONE},
                          {addr_from_ipv4(HOME_NETWORK), addr_from_ipv4(IP(255, 255, 255, 0)),
                           ADJACENCY_NONE},
                          {addr_from_ipv4(OTHER_NETWORK), addr_from_ipv4(IP(255, 255, 255, 0)), below(3)},
                          {six(OTHER_NETWORK), six(UINT32_MAX), below(3)}},
        .n_home_networks = below(5),
        .peers = {addr_from_ipv4(STRANGERS + 1), addr_from_ipv4(STRANGERS + 2), six(STRANGERS + 1)},
        .n_peers = 3,
        .delegation_port = one_in(8) ? 0 : DELEGATION_PORT,
        .id_slots = one_in(3) ? WORKER_ID_SLOTS : 1,
        .exits = one_in(3) ? NULL : ONE_OF(exits),
        .reverse_ipv6_alone = one_in(4),
        .outer_df_always = one_in(3)};
    settings.routes_ipv6 = settings.exits != NULL && one_in(2);
    for (unsigned i = 0; i < 4; i++) {
        struct home_network *n = &settings.home_networks[i];
        memset(n->mask.b, 0xff, addr_is_ipv4(&n->address) ? 12 : 8);
        if (!addr_is_ipv4(&n->address))
            memset(n->mask.b + 8, 0, 8);
    }
    const unsigned n_own = one_in(10) ? 0 : 4 + below(one_in(3) ? OWN_MAX - 3 : 6);
    for (unsigned i = 0; i < n_own; i++) {
        const struct addr own = i < 4 ? address_of(i % 2 != 0, i < 2 ? HOME_AGENT : OTHER_OWN)
                                      : address_of(one_in(2), any_source());
        own_add(&settings.own, &own);
    }
}

/* ---- Frames by chance ---- */

/* Addresses that nobody has, with the tags of those of IPv6 that somebody may have. */
static struct addr twins[ADDRESSES];

static void make_twins(void)
{
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        const struct addr address = six(HOME_NETWORK + i);
        twins[i] = world_of_tag(cuckoo_tag_ipv6(&address), i);
    }
}

static uint32_t any_destination(void)
{
    switch (below(24)) {
    case 0:
        return HOME_AGENT;
    case 1:
        return OTHER_NETWORK + below(4);
    case 2:
        return one_in(2) ? STRANGERS + below(256) : ELSEWHERE;
    case 3:
        return one_in(2) ? EVERYBODY : one_in(2) ? UINT32_MAX : IP(224, 0, 0, 0) + below(1U << 29);
    case 4:
        return (uint32_t)eal_random(&chance);
    default:
        return HOME_NETWORK + below(ADDRESSES);
    }
}

/* Often just at what the tunnel or link takes. */
static uint16_t any_payload(bool ipv6, uint32_t destination)
{
    const struct addr address = address_of(ipv6, destination);
    const struct entry *e = table_get(table, &address);
    const unsigned header = ipv6 ? 40 : 20;
    unsigned mtu = e != NULL && e->mtu > header + 2 && e->mtu <= 1500 ? e->mtu - header : 100;
    return (uint16_t)(one_in(3) ? mtu - 1 + below(3) : one_in(8) ? 1 + below(1480) : 1 + below(100));
}

/* Its number among FAR_ENDS, of either family. */
static uint32_t far_end_of(const struct entry *e)
{
    const struct addr a = tunnel_destination(e);
    return FAR_ENDS + a.b[15];
}

/* From where it would be sent to, maybe encapsulated. */
static void make_echo(struct spec *s)
{
    const struct addr address = address_of(s->ipv6, s->dst);
    const struct entry *e = table_get(table, &address);
    if (e == NULL || e->kind != ENTRY_TUNNEL)
        return;
    s->from = far_end_of(e);
    s->protocol = one_in(2) ? (s->ipv6 ? 41 : 4) : 17;
    s->inner_dst = s->protocol != 17 ? s->dst : 0;
    s->payload = RTE_MAX(s->payload, s->ipv6 ? 40 : 20);
}

/* Encapsulation limits and other headers; addresses that are none for packets; neighbour and listener
 * discovery. */
static void make_odd_ipv6(struct spec *s)
{
    static const char *const headers[] = {"\x29\0\4\1\0\1\1\0", "\x29\0\4\1\3\1\1\0", "\x11\0\0\1\0\0\0\1",
                                          "\x2c\0\1\4\0\0\0\0", "\x87\0\0\0\0\0\0\0"};
    static const uint8_t firsts[] = {60, 60, 60, 43, 44, 44, 51};
    s->ttl = s->ttl > 0 && one_in(3) ? 255 : s->ttl;
    s->icmp = (uint8_t)(one_in(3) ? 128 : 132 + below(7));
    s->flow = one_in(2) ? 0 : below(1 << 20);
    if (one_in(8)) {
        s->options = ONE_OF(headers);
        s->n_options = 8;
        s->protocol = ONE_OF(firsts);
        s->hop_by_hop = one_in(6);
    }
    if (one_in(20))
        s->from6 = ONE_OF(odd_addresses);
    if (one_in(16))
        s->to6 = one_in(3) ? &twins[s->dst % ADDRESSES] : ONE_OF(odd_addresses);
    if (one_in(64)) {
        s->options = one_in(2) ? FRAME_MLD("\x82") : FRAME_MLD("\x83");
        s->n_options = FRAME_MLD_LEN;
        s->hop_by_hop = true;
        s->to6 = one_in(8) ? s->to6 : one_in(2) ? &six_solicited : &addr_all_nodes;
    }
}

static struct spec any_packet(void)
{
    static const int ttls[] = {TTL_ZERO, 1, 2, 255, 64, 64, 64, 64, 64, 64};
    static const uint16_t fragments[] = {0,      0,      0,      0,   0x4000, 0x4000,
                                         0x4000, 0x2000, 0x2001, 185, 0x6000, 0x8000};
    static const uint8_t protocols[] = {0, 0, 0, 0, 1, 4, 6, 47, 55};
    static const uint8_t protocols_ipv6[] = {0, 0, 0, 0, 58, 58, 41, 6, 135, 135, 50};
    static const uint16_t ports[] = {0, 434, DELEGATION_PORT};
    struct spec s = {.from = any_source(),
                     .dst = any_destination(),
                     .ttl = ONE_OF(ttls),
                     .tos = (uint8_t)below(256),
                     .id = (uint16_t)below(65536),
                     .fragment = ONE_OF(fragments),
                     .protocol = ONE_OF(protocols),
                     .port = ONE_OF(ports)};
    s.ipv6 = one_in(2);
    s.payload = any_payload(s.ipv6, s.dst);
    if (s.ipv6) {
        s.protocol = ONE_OF(protocols_ipv6);
        s.mobility = s.protocol == 135 ? (uint8_t)below(5) : 0;
        make_odd_ipv6(&s);
    }
    if (one_in(20))
        make_echo(&s);
    if (one_in(12) && !s.ipv6) {
        s.options = "\x94\4\0\0\7\7\4\0\0\0\0\0";
        s.n_options = (uint8_t)(4 * (1 + below(3)));
    }
    return s;
}

/* By a reverse tunnel, mostly of the binding whose home address is inside, and half of them as usual. */
static struct spec any_tunnelled(struct spec *inner)
{
    const bool usual = one_in(2);
    if (usual)
        *inner = (struct spec){
            .ipv6 = inner->ipv6, .dst = inner->dst, .payload = inner->payload, .fragment = inner->fragment};
    static const uint8_t protocols[] = {[ENCAPSULATION_IPIP] = 4,          [ENCAPSULATION_MINIMAL] = 55,
                                        [ENCAPSULATION_GRE] = 47,          [ENCAPSULATION_IPV4_IN_IPV6] = 4,
                                        [ENCAPSULATION_IPV6_IN_IPV6] = 41, [ENCAPSULATION_IPV6_IN_IPV4] = 41};
    inner->from6 = NULL;
    inner->from = HOME_NETWORK + below(ADDRESSES);
    if (inner->ipv6 && one_in(16))
        inner->from6 = &twins[inner->from % ADDRESSES];
    inner->payload = RTE_MIN(inner->payload, 1400);
    inner->dst = one_in(2) ? STRANGERS + below(256) : one_in(16) ? IP(127, 0, 0, 1) : inner->dst;
    struct addr home = address_of(inner->ipv6, inner->from);
    const struct entry *e = table_get(table, &home);
    bool bound = e != NULL && e->kind == ENTRY_TUNNEL && !one_in(8);
    return (struct spec){.ipv6 = bound ? tunnel_is_over_ipv6(e) : one_in(2),
                         .from = bound ? far_end_of(e) : any_source(),
                         .dst = HOME_AGENT,
                         .to6 = one_in(32) ? &twins[HOME_AGENT % ADDRESSES] : NULL,
                         .protocol = protocols[bound ? e->encapsulation : any_encapsulation(inner->ipv6)],
                         .tos = (uint8_t)(usual ? 0 : below(256)),
                         .fragment = one_in(16) ? 0x2000 : 0,
                         .inner = inner};
}

static unsigned any_frame(uint8_t bytes[static FRAME_MAX])
{
    struct spec inner = any_packet(), s = one_in(3) ? any_tunnelled(&inner) : inner;
    s.to = one_in(24) ? (enum to)below(4) : TO_US;
    s.ethertype = one_in(64) ? (one_in(2) ? 0x0806 : 0x86dd) : 0;
    s.padding = one_in(6) ? (uint16_t)(1 + below(20)) : 0;
    s.wrong_sum = one_in(32);
    if (one_in(64)) { /* nothing but a header */
        s.total_length = s.ipv6 ? 40 : 20;
        s.cut = 14 + s.total_length + s.padding;
    }
    return frame_build(&s, bytes);
}

static void sum_right(uint8_t *frame, unsigned len)
{
    unsigned header = (frame[14] & 15) * 4U;
    if (frame[14] >> 4 != 4 || header < 20 || 14 + header > len)
        return;
    put16(frame + 14 + 10, 0);
    put16(frame + 14 + 10, full_sum(frame + 14, header));
}

/* Returns the frame's length as it is then. */
static unsigned mutate(uint8_t *frame, unsigned len)
{
    if (one_in(16))
        len = one_in(2) ? below(len) + 1 : RTE_MIN(len + below(30), (unsigned)FRAME_MAX);
    for (unsigned n = one_in(5) ? 1 + below(3) : 0; n > 0; n--) {
        uint8_t *at = &frame[below(RTE_MIN(len, one_in(4) ? 90U : 34U))];
        *at = one_in(2) ? (uint8_t)(*at ^ 1U << below(8)) : (uint8_t)below(256);
    }
    if (!one_in(4) && len >= 34)
        sum_right(frame, len);
    return len;
}

#endif
