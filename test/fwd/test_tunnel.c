/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encapsulation against bytes that another implementation made: the golden packets below were built and
 * summed from the fields named in each row, those in IP in IP and of IPv6 by scapy 2.5, the others by a few
 * lines of Python written from the RFCs that give the same bytes for IP in IP. Flow labels are the choice of
 * flow_label, computed by a few lines of Python once more.
 */
#include "eal.h"
#include "frame.h"

#include "ethernet.h"
#include "tunnel.h"

static struct rte_mempool *pool;
enum { POOL = 63, BYTES_MAX = 256 };

static struct tunnel tunnel_by(enum encapsulation encapsulation)
{
    bool ipv6 = tunnel_family_outside(encapsulation) == PKT_IPV6;
    return (struct tunnel){.source = address_of(ipv6, HOME_AGENT),
                           .destination = address_of(ipv6, CARE_OF),
                           .encapsulation = encapsulation,
                           .adjacency = 5,
                           .path_mtu = 1500};
}

static struct entry entry_by(enum encapsulation encapsulation)
{
    struct entry e;
    struct tunnel t = tunnel_by(encapsulation);
    ck_assert_int_eq(entry_tunnel(&e, &t), 0);
    return e;
}

static struct entry tunnel_entry(void)
{
    return entry_by(ENCAPSULATION_IPIP);
}

static const struct golden {
    enum encapsulation encapsulation;
    const char *what;
    const char *in, *out;
    bool outer_df;
    uint16_t identification;
} golden[] = {
    {ENCAPSULATION_IPIP, "UDP, DF set: identification 0 although one is offered",
     "450000281234400040115c55c00002090a010032 0fa013880014f23d 000102030405060708090a0b",
     "4500003c000040004004266d0a0100020a02004d"
     "45000028123440003f115d55c00002090a010032 0fa013880014f23d 000102030405060708090a0b",
     true, 0x7777},
    {ENCAPSULATION_IPIP, "TOS 0xba (EF, ECT(0)), DF clear, identification 0, TTL 2",
     "45ba0028beef000002112ce0c00002090a010032 0fa013880014f23d 000102030405060708090a0b",
     "45ba003c00000000400465b30a0100020a02004d"
     "45ba0028beef000001112de0c00002090a010032 0fa013880014f23d 000102030405060708090a0b",
     false, 0},
    {ENCAPSULATION_IPIP, "ICMP with an option (not copied), CE, identification 8, TTL 255",
     "4603002c00070000ff015a86c00002090a01003294040000 0800d9d800010002 000102030405060708090a0b",
     "45030040000800004004665e0a0100020a02004d"
     "4603002c00070000fe015b86c00002090a01003294040000 0800d9d800010002 000102030405060708090a0b",
     false, 8},
    {ENCAPSULATION_IPIP, "a fragment in the middle of its datagram, identification 16",
     "4500002055aa20b91100673fc00002090a010032 000102030405060708090a0b",
     "4500003400100000400466650a0100020a02004d"
     "4500002055aa20b91000683fc00002090a010032 000102030405060708090a0b",
     false, 16},
    {ENCAPSULATION_GRE, "GRE (RFC 2784), UDP, DF set",
     "450000281234400040115c55c00002090a010032 0fa013880014f23d 000102030405060708090a0b",
     "4500004000004000402f263e0a0100020a02004d 00000800"
     "45000028123440003f115d55c00002090a010032 0fa013880014f23d 000102030405060708090a0b",
     true, 0x7777},
    {ENCAPSULATION_GRE, "GRE, TOS 0xba, DF clear, identification 0x1234",
     "45ba0028beef000002112ce0c00002090a010032 0fa013880014f23d 000102030405060708090a0b",
     "45ba004012340000402f53500a0100020a02004d 00000800"
     "45ba0028beef000001112de0c00002090a010032 0fa013880014f23d 000102030405060708090a0b",
     false, 0x1234},
    {ENCAPSULATION_MINIMAL, "minimal (RFC 2004), UDP, DF set: DF, identification and TTL stay",
     "450000281234400040115c55c00002090a010032 0fa013880014f23d 000102030405060708090a0b",
     "45000034123440003f37150e0a0100020a02004d 118022430a010032c0000209"
     "0fa013880014f23d 000102030405060708090a0b",
     true, 0x7777},
    {ENCAPSULATION_MINIMAL, "minimal, DF clear stays clear, identification offered and not taken",
     "45ba0028beef000002112ce0c00002090a010032 0fa013880014f23d 000102030405060708090a0b",
     "45ba0034beef00000137e5980a0100020a02004d 118022430a010032c0000209"
     "0fa013880014f23d 000102030405060708090a0b",
     true, 0x7777},
    {ENCAPSULATION_MINIMAL, "minimal, ICMP with an option, which stays in the IP header",
     "4603002c00070000ff015a86c00002090a01003294040000 0800d9d800010002 000102030405060708090a0b",
     "4603003800070000fe37132f0a0100020a02004d94040000 018032430a010032c0000209"
     "0800d9d800010002 000102030405060708090a0b",
     false, 8},
    {ENCAPSULATION_MINIMAL, "a fragment in a tunnel of minimal encapsulation: IP in IP (RFC 2004 section 3)",
     "4500002055aa20b91100673fc00002090a010032 000102030405060708090a0b",
     "4500003400100000400466650a0100020a02004d"
     "4500002055aa20b91000683fc00002090a010032 000102030405060708090a0b",
     false, 16},
    {ENCAPSULATION_IPV6_IN_IPV6, "IPv6 (RFC 2473): UDP, traffic class 0xba, a flow label",
     "6ba123450014114020010db8c0000000000000000000020920010db80a0100000000000000000032"
     "0fa01388001496cb000102030405060708090a0b",
     "6ba59cd1003c294020010db80a010000000000000000000220010db80a020000000000000000004d"
     "6ba123450014113f20010db8c0000000000000000000020920010db80a0100000000000000000032"
     "0fa01388001496cb000102030405060708090a0b",
     true, 0x7777},
    {ENCAPSULATION_IPV6_IN_IPV6, "IPv6: ICMP, CE, hop limit 2, no flow label",
     "6030000000143a0220010db8c0000000000000000000020920010db80a0100000000000000000032"
     "800039db00010002000102030405060708090a0b",
     "6030c239003c294020010db80a010000000000000000000220010db80a020000000000000000004d"
     "6030000000143a0120010db8c0000000000000000000020920010db80a0100000000000000000032"
     "800039db00010002000102030405060708090a0b",
     true, 0},
    {ENCAPSULATION_IPV6_IN_IPV6, "IPv6: a tunnel's packet with encapsulation limit 5: ours has 4",
     "6000000000443c4020010db8c0000000000000000000020920010db80a0100000000000000000032 2900040105010100"
     "600000000014114020010db800010000000000000000000120010db8000100000000000000000002"
     "0fa0138800146303000102030405060708090a0b",
     "6000c23900743c4020010db80a010000000000000000000220010db80a020000000000000000004d 2900040104010100"
     "6000000000443c3f20010db8c0000000000000000000020920010db80a0100000000000000000032 2900040105010100"
     "600000000014114020010db800010000000000000000000120010db8000100000000000000000002"
     "0fa0138800146303000102030405060708090a0b",
     true, 0},
    {ENCAPSULATION_IPV4_IN_IPV6, "IPv4 in IPv6 (RFC 2473): UDP, DF set, TOS 0xb8",
     "45b800281234400040115b9dc00002090a010032 0fa013880014f23d000102030405060708090a0b",
     "6b89aaf90028044020010db80a010000000000000000000220010db80a020000000000000000004d"
     "45b80028123440003f115c9dc00002090a010032 0fa013880014f23d000102030405060708090a0b",
     true, 0},
    {ENCAPSULATION_IPV6_IN_IPV4, "IPv6 in IPv4 (RFC 4213): traffic class 0xba, DF set outside",
     "6ba123450014114020010db8c0000000000000000000020920010db80a0100000000000000000032"
     "0fa01388001496cb000102030405060708090a0b",
     "45ba0050000040004029257a0a0100020a02004d"
     "6ba123450014113f20010db8c0000000000000000000020920010db80a0100000000000000000032"
     "0fa01388001496cb000102030405060708090a0b",
     true, 0x7777},
    {ENCAPSULATION_IPV6_IN_IPV4, "IPv6 in IPv4: DF clear, identification 0x1234",
     "6ba123450014114020010db8c0000000000000000000020920010db80a0100000000000000000032"
     "0fa01388001496cb000102030405060708090a0b",
     "45ba005012340000402953460a0100020a02004d"
     "6ba123450014113f20010db8c0000000000000000000020920010db80a0100000000000000000032"
     "0fa01388001496cb000102030405060708090a0b",
     false, 0x1234},
};

START_TEST(golden_packets)
{
    const struct golden *g = &golden[_i];
    struct entry e = entry_by(g->encapsulation);
    uint8_t in[BYTES_MAX], out[BYTES_MAX];
    size_t in_len = hex_bytes(g->in, in, sizeof(in)), out_len = hex_bytes(g->out, out, sizeof(out));

    struct rte_mbuf *m = eal_frame(pool, in, in_len);
    uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *);
    pkt_decrement_ttl(pkt_family_of(ip), ip);
    struct tunnel_inner inner = tunnel_inner_of(ip, &e);
    ck_assert_msg(tunnel_prepend(m, 0, &e, &inner, g->outer_df, g->identification), "%s", g->what);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), out_len);
    ck_assert_msg(memcmp(rte_pktmbuf_mtod(m, uint8_t *), out, out_len) == 0, "%s", g->what);
    rte_pktmbuf_free(m);
}
END_TEST

/* RFC 6040 section 4.1: whatever the ECN field says on entry, the outer one says the same; so does DSCP. */
START_TEST(tos_is_copied_whole)
{
    struct entry e = tunnel_entry();
    for (unsigned tos = 0; tos < 256; tos++) {
        struct tunnel_inner inner = {.size = 100, .tos = (uint8_t)tos, .ttl = 9};
        uint8_t outer[20] = {0};
        tunnel_build(outer, ENCAPSULATION_IPIP, &e, &inner, false, 1);
        MUST_EQ(outer[1], tos);
        MUST_EQ(full_sum(outer, sizeof(outer)), 0);
    }
}
END_TEST

/* The same over IPv6, where the field lies across two bytes. */
START_TEST(traffic_class_is_copied_whole)
{
    struct entry e = entry_by(ENCAPSULATION_IPV6_IN_IPV6);
    for (unsigned class = 0; class < 256; class ++) {
        struct tunnel_inner inner = {.size = 100, .tos = (uint8_t) class, .ttl = 9};
        uint8_t outer[80] = {[40] = 0x60};
        tunnel_build(outer, ENCAPSULATION_IPV6_IN_IPV6, &e, &inner, true, 0);
        MUST_EQ(get16(outer) >> 4, 0x600 | class);
        MUST_EQ(get16(outer + 4), 100);
        MUST_EQ(get32(outer + 4) & 0xffff, 41 << 8 | 64);
    }
}
END_TEST

static uint32_t label_of(const struct spec *spec)
{
    uint8_t frame[FRAME_MAX];
    frame_build(spec, frame);
    return flow_label(spec->ipv6 ? PKT_IPV6 : PKT_IPV4, frame + 14);
}

/* RFC 6438: one flow keeps its label whatever its packets are else; flows differ; none is without. */
START_TEST(flow_labels)
{
    enum { FLOWS = 20000, BUCKETS = 64 };
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        const struct spec one = {.ipv6 = ipv6 != 0},
                          same = {.ipv6 = ipv6 != 0, .ttl = 3, .tos = 9, .payload = 99};
        unsigned filled[BUCKETS] = {0};
        MUST_EQ(label_of(&one), label_of(&same));
        for (uint32_t i = 0; i < FLOWS; i++) {
            uint32_t label = label_of(&(struct spec){.ipv6 = ipv6 != 0, .dst = IP(10, 1, 0, 0) + i});
            MUST(label > 0 && label <= 0xfffff);
            filled[label % BUCKETS]++;
        }
        for (int k = 0; k < BUCKETS; k++)
            ck_assert_msg(filled[k] > FLOWS / BUCKETS / 2 && filled[k] < FLOWS / BUCKETS * 2, "%u",
                          filled[k]);
    }
    const struct spec labelled = {.ipv6 = true, .flow = 0x80000}, other = {.ipv6 = true, .flow = 1},
                      udp = {.protocol = 17}, icmp = {.protocol = 1};
    MUST(label_of(&labelled) != label_of(&other));
    MUST(label_of(&udp) != label_of(&icmp));
}
END_TEST

START_TEST(outer_header_of_random_packets)
{
    uint64_t random = eal_seed("outer header");
    for (int i = 0; i < 200000; i++) {
        uint64_t r = eal_random(&random), addresses = eal_random(&random);
        struct tunnel t = tunnel_by(ENCAPSULATION_IPIP);
        t.source = addr_from_ipv4((uint32_t)addresses);
        t.destination = addr_from_ipv4((uint32_t)(addresses >> 32));
        struct tunnel_inner inner = {.size = (uint16_t)(20 + r % 65496), .tos = (uint8_t)(r >> 16), .ttl = 1};
        bool df = (r >> 24 & 1) != 0;
        uint16_t id = (uint16_t)(r >> 32);
        struct entry e;
        uint8_t outer[20] = {0};
        MUST_EQ(entry_tunnel(&e, &t), 0);
        MUST(inner.ttl != 0);
        tunnel_build(outer, ENCAPSULATION_IPIP, &e, &inner, df, id);
        MUST_EQ(outer[0], 0x45);
        MUST_EQ(get16(outer + 2), inner.size + 20U);
        MUST_EQ(get16(outer + 4), df ? 0 : id);
        MUST_EQ(get16(outer + 6), df ? 0x4000 : 0);
        MUST_EQ(outer[8], 64);
        MUST_EQ(outer[9], 4);
        MUST_EQ(get32(outer + 12), (uint32_t)addresses);
        MUST_EQ(get32(outer + 16), (uint32_t)(addresses >> 32));
        MUST_EQ(full_sum(outer, sizeof(outer)), 0);
    }
}
END_TEST

START_TEST(ttl_goes_down_and_the_checksum_follows)
{
    uint64_t random = eal_seed("ttl");
    for (int i = 0; i < 500000; i++) {
        uint64_t r = eal_random(&random);
        uint8_t ip[20] = {0x45, 0, 0, 20};
        put16(ip + 4, (unsigned)(r & 0xffff)); /* makes every checksum come up */
        ip[8] = (uint8_t)(1 + (r >> 16) % 255);
        ip[9] = (uint8_t)(r >> 24);
        put32(ip + 12, (uint32_t)(r >> 32));
        put16(ip + 10, full_sum(ip, 20));
        uint8_t before = ip[8];
        pkt_decrement_ttl(PKT_IPV4, ip);
        MUST_EQ(ip[8], before - 1);
        MUST_EQ(full_sum(ip, 20), 0);
    }
}
END_TEST

static const struct refused {
    const char *what;
    enum encapsulation encapsulation;
    uint16_t size;
    uint8_t ttl;
    bool fragment;
    uint16_t headroom;
    unsigned grown; /* by so many bytes; 0: refused */
} refused[] = {
    {"TTL 0 (RFC 2003 section 3.1)", ENCAPSULATION_IPIP, 100, 0, false, 128, 0},
    {"TTL 1 left after the hop", ENCAPSULATION_IPIP, 100, 1, false, 128, 20},
    {"no total length for it", ENCAPSULATION_IPIP, 65516, 64, false, 128, 0},
    {"the largest", ENCAPSULATION_IPIP, 65515, 64, false, 128, 20},
    {"headroom for both headers", ENCAPSULATION_IPIP, 100, 64, false, 34, 20},
    {"one byte short of that", ENCAPSULATION_IPIP, 100, 64, false, 33, 0},
    {"GRE, TTL 0", ENCAPSULATION_GRE, 100, 0, false, 128, 0},
    {"GRE, no total length for it", ENCAPSULATION_GRE, 65512, 64, false, 128, 0},
    {"GRE, the largest", ENCAPSULATION_GRE, 65511, 64, false, 128, 24},
    {"GRE, headroom for all headers", ENCAPSULATION_GRE, 100, 64, false, 38, 24},
    {"GRE, one byte short of that", ENCAPSULATION_GRE, 100, 64, false, 37, 0},
    {"minimal, TTL 0", ENCAPSULATION_MINIMAL, 100, 0, false, 128, 0},
    {"minimal, no total length for it", ENCAPSULATION_MINIMAL, 65524, 64, false, 128, 0},
    {"minimal, the largest", ENCAPSULATION_MINIMAL, 65523, 64, false, 128, 12},
    {"minimal, headroom for both headers", ENCAPSULATION_MINIMAL, 100, 64, false, 26, 12},
    {"minimal, one byte short of that", ENCAPSULATION_MINIMAL, 100, 64, false, 25, 0},
    {"minimal, a fragment needs IP in IP's headroom", ENCAPSULATION_MINIMAL, 100, 64, true, 33, 0},
    {"minimal, a fragment", ENCAPSULATION_MINIMAL, 100, 64, true, 34, 20},
    {"IPv6, hop limit 0", ENCAPSULATION_IPV6_IN_IPV6, 100, 0, false, 128, 0},
    {"IPv6, headroom for both headers", ENCAPSULATION_IPV6_IN_IPV6, 100, 64, false, 54, 40},
    {"IPv6, one byte short of that", ENCAPSULATION_IPV6_IN_IPV6, 100, 64, false, 53, 0},
    {"IPv4 in IPv6, headroom", ENCAPSULATION_IPV4_IN_IPV6, 100, 64, false, 54, 40},
    {"IPv6 in IPv4, headroom", ENCAPSULATION_IPV6_IN_IPV4, 100, 64, false, 34, 20},
    {"IPv6 in IPv4, no total length for it", ENCAPSULATION_IPV6_IN_IPV4, 65516, 64, false, 128, 0},
};

START_TEST(what_is_not_carried)
{
    const struct refused *row = &refused[_i];
    struct entry e = entry_by(row->encapsulation);
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    m->data_off = row->headroom;
    memset(rte_pktmbuf_append(m, 100), 0, 100);
    struct tunnel_inner inner = {
        .size = row->size, .ttl = row->ttl, .header_len = 20, .fragment = row->fragment};
    ck_assert_msg(tunnel_prepend(m, 0, &e, &inner, true, 0) == (row->grown > 0), "%s", row->what);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 100 + row->grown);
    rte_pktmbuf_free(m);
}
END_TEST

/* Control's own packets: TTL stays, DF outside though clear inside, no identification taken. */
START_TEST(own_packets)
{
    uint8_t frame[FRAME_MAX];
    unsigned len = frame_build(&(struct spec){.from = HOME_AGENT, .tos = 0x28, .ttl = 1}, frame);
    struct entry e = tunnel_entry();
    struct rte_mbuf *m = eal_frame(pool, frame + 14, len - 14);
    ck_assert(tunnel_encapsulate(m, &e));
    const uint8_t *outer = rte_pktmbuf_mtod(m, const uint8_t *);
    ck_assert_uint_eq(outer[1], 0x28);
    ck_assert_uint_eq(get16(outer + 4), 0);
    ck_assert_uint_eq(get16(outer + 6), 0x4000);
    ck_assert_uint_eq(full_sum(outer, 20), 0);
    ck_assert(memcmp(outer + 20, frame + 14, len - 14) == 0);
    rte_pktmbuf_free(m);
}
END_TEST

/* RFC 2473 section 4.1.1: the limit takes room, and its end is the end. */
START_TEST(an_encapsulation_limit)
{
    struct entry e = entry_by(ENCAPSULATION_IPV6_IN_IPV6);
    for (unsigned limit = 0; limit < 256; limit++) {
        struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
        memset(rte_pktmbuf_append(m, 100), 0, 100);
        struct tunnel_inner inner = {.size = 100, .ttl = 9, .limited = true, .limit = (uint8_t)limit};
        MUST_EQ(tunnel_takes(&e, &inner), 1452);
        MUST_EQ(tunnel_prepend(m, 0, &e, &inner, true, 0), limit > 0);
        MUST_EQ(rte_pktmbuf_pkt_len(m), limit > 0 ? 148 : 100);
        if (limit > 0)
            MUST_EQ(rte_pktmbuf_mtod(m, const uint8_t *)[44], limit - 1);
        rte_pktmbuf_free(m);
    }
}
END_TEST

START_TEST(own_packets_of_ipv6)
{
    static const enum encapsulation how[] = {ENCAPSULATION_IPV6_IN_IPV6, ENCAPSULATION_IPV6_IN_IPV4};
    for (int i = 0; i < ROWS(how); i++) {
        uint8_t frame[FRAME_MAX];
        unsigned len = frame_build(&(struct spec){.ipv6 = true, .from = HOME_AGENT, .ttl = 1}, frame);
        struct entry e = entry_by(how[i]);
        struct rte_mbuf *m = eal_frame(pool, frame + 14, len - 14);
        ck_assert(tunnel_encapsulate(m, &e));
        const uint8_t *outer = rte_pktmbuf_mtod(m, const uint8_t *);
        unsigned header = how[i] == ENCAPSULATION_IPV6_IN_IPV6 ? 40 : 20;
        ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), len - 14 + header);
        ck_assert(memcmp(outer + header, frame + 14, len - 14) == 0);
        if (header == 20)
            ck_assert_uint_eq(get32(outer + 4), 0x4000); /* DF, no identification */
        rte_pktmbuf_free(m);
    }
}
END_TEST

START_TEST(entry_of_a_tunnel)
{
    struct entry e;
    struct tunnel t = tunnel_by(ENCAPSULATION_IPIP);
    t.flags = ENTRY_UNREACHABLE;
    t.id_slot = 63;
    ck_assert_int_eq(entry_tunnel(&e, &t), 0);
    ck_assert_uint_eq(e.kind, ENTRY_TUNNEL);
    ck_assert_uint_eq(e.flags, ENTRY_UNREACHABLE);
    ck_assert_uint_eq(e.adjacency, 5);
    ck_assert_uint_eq(e.id_slot, 63);
    ck_assert_uint_eq(e.mtu, 1480); /* the header comes off (RFC 2003 section 5.1) */
    const struct addr care_of = addr_from_ipv4(CARE_OF), care_of_six = six(CARE_OF);
    struct addr destination = tunnel_destination(&e);
    ck_assert(addr_equal(&destination, &care_of));
    t.path_mtu = 0;
    ck_assert_int_eq(entry_tunnel(&e, &t), 0);
    ck_assert_uint_eq(e.mtu, 48); /* never below 68 outside (RFC 1191 section 3) */
    ck_assert_uint_eq(entry_by(ENCAPSULATION_GRE).mtu, 1476);
    ck_assert_uint_eq(entry_by(ENCAPSULATION_MINIMAL).mtu, 1480); /* its fragments go by IP in IP */

    t = tunnel_by(ENCAPSULATION_IPV6_IN_IPV6);
    t.id_slot = 63;
    ck_assert_int_eq(entry_tunnel(&e, &t), 0);
    ck_assert_uint_eq(e.mtu, 1460);
    ck_assert_uint_eq(e.id_slot, 63);
    destination = tunnel_destination(&e);
    ck_assert(addr_equal(&destination, &care_of_six));
    t.path_mtu = 576;
    ck_assert_int_eq(entry_tunnel(&e, &t), 0);
    ck_assert_uint_eq(e.mtu, 1240); /* never below 1280 outside (RFC 8200 section 5) */
    ck_assert_uint_eq(entry_by(ENCAPSULATION_IPV4_IN_IPV6).mtu, 1460);
    ck_assert_uint_eq(entry_by(ENCAPSULATION_IPV6_IN_IPV4).mtu, 1480);
}
END_TEST

START_TEST(no_entry_of_a_tunnel)
{
    struct entry e;
    struct tunnel t = tunnel_by(ENCAPSULATION_IPIP), v6 = t, none = t;
    ck_assert(addr_parse("2001:db8::1", &v6.destination));
    ck_assert_int_eq(entry_tunnel(&e, &v6), -EAFNOSUPPORT);
    v6 = t;
    ck_assert(addr_parse("2001:db8::1", &v6.source));
    ck_assert_int_eq(entry_tunnel(&e, &v6), -EAFNOSUPPORT);
    v6 = tunnel_by(ENCAPSULATION_IPV6_IN_IPV6);
    v6.source = t.source;
    ck_assert_int_eq(entry_tunnel(&e, &v6), -EAFNOSUPPORT);
    t.encapsulation = ENCAPSULATION_IPV4_IN_IPV6;
    ck_assert_int_eq(entry_tunnel(&e, &t), -EAFNOSUPPORT);
    none.encapsulation = 0;
    ck_assert_int_eq(entry_tunnel(&e, &none), -EPROTONOSUPPORT);
}
END_TEST

START_TEST(ethernet_header)
{
    uint8_t frame[FRAME_MAX];
    unsigned len = frame_build(&(struct spec){0}, frame);
    struct adjacencies *a = adjacencies_create(4);
    adjacency_publish(a, 3, 0x7f, &mac_at_home);
    adjacency_word word = adjacency_read(a, 3);
    ck_assert_uint_eq(adjacency_port(word), 0x7f);
    ck_assert((word & ADJACENCY_VALID) != 0);

    struct rte_mbuf *m = eal_frame(pool, frame + 14, len - 14);
    ck_assert(ethernet_prepend(m, &mac_own, word, 0x86dd));
    const uint8_t *out = rte_pktmbuf_mtod(m, const uint8_t *);
    ck_assert(memcmp(out, mac_at_home.b, 6) == 0 && memcmp(out + 6, mac_own.b, 6) == 0);
    ck_assert_uint_eq(get16(out + 12), 0x86dd);
    ck_assert(memcmp(out + 14, frame + 14, len - 14) == 0);
    uint8_t mac[6];
    adjacency_mac(word, mac);
    ck_assert(memcmp(mac, mac_at_home.b, 6) == 0);

    adjacency_withdraw(a, 3);
    ck_assert_uint_eq(adjacency_read(a, 3), 0);
    m->data_off = 13;
    ck_assert(!ethernet_prepend(m, &mac_own, word, 0x0800));
    rte_pktmbuf_free(m);
    adjacencies_destroy(a);
}
END_TEST

static void make_pool(void)
{
    pool = eal_pool("tunnel", POOL);
}

static void check_pool(void)
{
    ck_assert_uint_eq(rte_mempool_avail_count(pool), POOL);
    rte_mempool_free(pool);
}

static Suite *suite(void)
{
    Suite *s = suite_create("tunnel");
    TCase *c = tcase_create("encapsulation");
    tcase_add_checked_fixture(c, make_pool, check_pool);
    tcase_add_loop_test(c, golden_packets, 0, ROWS(golden));
    tcase_add_test(c, tos_is_copied_whole);
    tcase_add_test(c, traffic_class_is_copied_whole);
    tcase_add_test(c, flow_labels);
    tcase_add_test(c, outer_header_of_random_packets);
    tcase_add_test(c, ttl_goes_down_and_the_checksum_follows);
    tcase_add_loop_test(c, what_is_not_carried, 0, ROWS(refused));
    tcase_add_test(c, an_encapsulation_limit);
    tcase_add_test(c, own_packets);
    tcase_add_test(c, own_packets_of_ipv6);
    tcase_add_test(c, entry_of_a_tunnel);
    tcase_add_test(c, no_entry_of_a_tunnel);
    tcase_add_test(c, ethernet_header);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return eal_main("test_tunnel", "64", NULL, suite);
}
