/* SPDX-License-Identifier: BSD-3-Clause */
/* Parsing and classification of IPv6, what is behind extension headers, and their encapsulation limits. */
#include "addresses.h"
#include "eal.h"
#include "frame.h"

#include "classify.h"

enum { POOL = 63 };
static struct rte_mempool *pool;

#define LOOK_UP PKT_LOOK_UP

static const struct parse_row {
    const char *what;
    struct spec frame;
    enum verdict expected;
} parse_rows[] = {
    {"a plain packet", {.tos = 0xff, .flow = 0xfffff}, LOOK_UP},
    {"nothing but a header", {.cut = 54, .total_length = 40, .protocol = 59}, LOOK_UP},
    {"padded to Ethernet's minimum", {.payload = 1, .protocol = 59, .padding = 5}, LOOK_UP},
    {"hop limit is not judged here", {.ttl = TTL_ZERO}, LOOK_UP},
    {"behind options", {.protocol = 60, .options = "\x11\0\1\4\0\0\0\0", .n_options = 8}, LOOK_UP},
    {"a fragment", {.protocol = 44, .options = "\x11\0\0\1\0\0\0\1", .n_options = 8}, LOOK_UP},
    {"a link broadcast is judged after the look-up", {.to = TO_ALL}, LOOK_UP},
    {"39 bytes of IP", {.cut = 53}, VERDICT_DROP_RUNT},
    {"for another station", {.to = TO_OTHER}, VERDICT_DROP_FOREIGN_MAC},
    {"version 4", {.version_ihl = 0x45}, VERDICT_DROP_IP_VERSION},
    {"version 7", {.version_ihl = 0x70}, VERDICT_DROP_IP_VERSION},
    {"payload length beyond the frame", {.payload = 26, .total_length = 67}, VERDICT_DROP_IP_LENGTH},
    {"payload length up to its end", {.payload = 26, .total_length = 66}, LOOK_UP},
    {"a jumbogram",
     {.hop_by_hop = true, .options = "\x11\0\xc2\4\0\1\0\0", .n_options = 8, .total_length = 40},
     VERDICT_DROP_IP_LENGTH},

    {"from nowhere", {.from6 = &six_none}, VERDICT_DROP_BAD_SOURCE},
    {"from loopback", {.from6 = &six_loopback}, VERDICT_DROP_BAD_SOURCE},
    {"from an IPv4-mapped address", {.from6 = &six_mapped}, VERDICT_DROP_BAD_SOURCE},
    {"from a group", {.from6 = &six_all_nodes}, VERDICT_DROP_BAD_SOURCE},
    {"from beyond a translator", {.from6 = &six_nat64}, LOOK_UP},
    {"from a link-local address: judged after the look-up", {.from6 = &six_link_local}, LOOK_UP},
    {"to nowhere", {.to6 = &six_none}, VERDICT_DROP_NO_BINDING},
    {"to loopback", {.to6 = &six_loopback}, VERDICT_DROP_NO_BINDING},
    {"to an IPv4-mapped address", {.to6 = &six_mapped}, VERDICT_DROP_NO_BINDING},
    {"to a link-local address: judged after the look-up", {.to6 = &six_link_local}, LOOK_UP},

    {"to a global group", {.to6 = &six_global_group, .to = TO_GROUP}, VERDICT_DROP_MULTICAST},
    {"to the site's nodes", {.to6 = &six_other_scope, .to = TO_GROUP}, VERDICT_DROP_MULTICAST},
    {"UDP to all nodes", {.to6 = &six_all_nodes, .to = TO_GROUP}, VERDICT_DROP_MULTICAST},
    {"echo to all nodes",
     {.to6 = &six_all_nodes, .to = TO_GROUP, .protocol = 58, .icmp = 128},
     VERDICT_PUNT_LOCAL},
    {"echo to all routers",
     {.to6 = &six_all_routers, .to = TO_GROUP, .protocol = 58, .icmp = 128},
     VERDICT_PUNT_LOCAL},
    {"echo to all nodes from nowhere",
     {.from6 = &six_none, .to6 = &six_all_nodes, .to = TO_GROUP, .protocol = 58, .icmp = 128},
     VERDICT_DROP_BAD_SOURCE},
    {"echo to a solicited-node address",
     {.to6 = &six_solicited, .to = TO_GROUP, .protocol = 58, .icmp = 128},
     VERDICT_DROP_MULTICAST},
    {"an echo reply to all nodes",
     {.to6 = &six_all_nodes, .to = TO_GROUP, .protocol = 58, .icmp = 129},
     VERDICT_DROP_MULTICAST},

    {"neighbour solicitation",
     {.to6 = &six_solicited, .to = TO_GROUP, .protocol = 58, .icmp = 135, .ttl = 255},
     VERDICT_PUNT_ND},
    {"the same for duplicate address detection",
     {.from6 = &six_none, .to6 = &six_solicited, .to = TO_GROUP, .protocol = 58, .icmp = 135, .ttl = 255},
     VERDICT_PUNT_ND},
    {"the same from beyond the link",
     {.to6 = &six_solicited, .to = TO_GROUP, .protocol = 58, .icmp = 135, .ttl = 254},
     VERDICT_DROP_OFF_LINK},
    {"the same behind options",
     {.to6 = &six_solicited,
      .to = TO_GROUP,
      .protocol = 60,
      .options = "\x3a\0\1\4\0\0\0\0",
      .n_options = 8,
      .ttl = 255},
     VERDICT_DROP_MULTICAST},
    {"the same in fragments (RFC 6980)",
     {.to6 = &six_solicited,
      .to = TO_GROUP,
      .protocol = 44,
      .options = "\x3a\0\0\1\0\0\0\1",
      .n_options = 8,
      .ttl = 255},
     VERDICT_DROP_MULTICAST},
    {"to a group near it",
     {.to6 = &six_no_solicited, .to = TO_GROUP, .protocol = 58, .icmp = 135, .ttl = 255},
     VERDICT_DROP_MULTICAST},
    {"neighbour advertisement to all",
     {.to6 = &six_all_nodes, .to = TO_GROUP, .protocol = 58, .icmp = 136, .ttl = 255},
     VERDICT_PUNT_ND},
    {"router solicitation",
     {.to6 = &six_all_routers, .to = TO_GROUP, .protocol = 58, .icmp = 133, .ttl = 255},
     VERDICT_PUNT_ND},
    {"router advertisement",
     {.to6 = &six_all_nodes, .to = TO_GROUP, .protocol = 58, .icmp = 134, .ttl = 255},
     VERDICT_PUNT_ND},
    {"multicast listener report without options",
     {.to6 = &six_all_routers, .to = TO_GROUP, .protocol = 58, .icmp = 131, .ttl = 255},
     VERDICT_DROP_MULTICAST},
    {"general query (RFC 3810)",
     {.to6 = &six_all_nodes,
      .to = TO_GROUP,
      .hop_by_hop = true,
      .options = FRAME_MLD("\x82"),
      .n_options = FRAME_MLD_LEN,
      .ttl = 1},
     VERDICT_PUNT_MLD},
    {"query of a group",
     {.to6 = &six_solicited,
      .to = TO_GROUP,
      .hop_by_hop = true,
      .options = FRAME_MLD("\x82"),
      .n_options = FRAME_MLD_LEN,
      .ttl = 1},
     VERDICT_PUNT_MLD},
    {"report of version 1 (RFC 2710)",
     {.to6 = &six_solicited,
      .to = TO_GROUP,
      .hop_by_hop = true,
      .options = FRAME_MLD("\x83"),
      .n_options = FRAME_MLD_LEN,
      .ttl = 1},
     VERDICT_PUNT_MLD},
    {"a query from nowhere (RFC 3810 section 5.1.14)",
     {.from6 = &six_none,
      .to6 = &six_all_nodes,
      .to = TO_GROUP,
      .hop_by_hop = true,
      .options = FRAME_MLD("\x82"),
      .n_options = FRAME_MLD_LEN,
      .ttl = 1},
     VERDICT_DROP_BAD_SOURCE},
    {"query of a group that is not listened to",
     {.to6 = &six_no_solicited,
      .to = TO_GROUP,
      .hop_by_hop = true,
      .options = FRAME_MLD("\x82"),
      .n_options = FRAME_MLD_LEN,
      .ttl = 1},
     VERDICT_DROP_MULTICAST},
    {"done",
     {.to6 = &six_all_routers,
      .to = TO_GROUP,
      .hop_by_hop = true,
      .options = FRAME_MLD("\x84"),
      .n_options = FRAME_MLD_LEN,
      .ttl = 1},
     VERDICT_DROP_MULTICAST},
    {"23 bytes of a query",
     {.to6 = &six_all_nodes,
      .to = TO_GROUP,
      .hop_by_hop = true,
      .options = FRAME_MLD("\x82"),
      .n_options = 24,
      .payload = 7,
      .ttl = 1},
     VERDICT_DROP_MULTICAST},
    {"the type behind it",
     {.to6 = &six_all_nodes, .to = TO_GROUP, .protocol = 58, .icmp = 138, .ttl = 255},
     VERDICT_DROP_MULTICAST},
    {"unreachability detection of a home address",
     {.protocol = 58, .icmp = 135, .ttl = 255},
     VERDICT_PUNT_ND},
    {"of a link-local one",
     {.to6 = &six_link_local, .protocol = 58, .icmp = 135, .ttl = 255},
     VERDICT_PUNT_ND},
    {"an echo with that hop limit", {.protocol = 58, .icmp = 128, .ttl = 255}, LOOK_UP},
    {"from beyond the link it is any packet", {.protocol = 58, .icmp = 135, .ttl = 254}, LOOK_UP},
    {"7 bytes of ICMP", {.protocol = 58, .icmp = 135, .ttl = 255, .payload = 7}, LOOK_UP},
};

static struct rte_mbuf *frame_of(const struct parse_row *row)
{
    uint8_t frame[FRAME_MAX];
    struct spec spec = row->frame;
    spec.ipv6 = true;
    return eal_frame(pool, frame, frame_build(&spec, frame));
}

START_TEST(parse)
{
    const struct parse_row *row = &parse_rows[_i];
    struct rte_mbuf *m = frame_of(row);
    struct pkt p;
    enum verdict v = pkt_parse(m, &mac_own, &p);
    ck_assert_msg(v == row->expected, "%s: %s", row->what, v == LOOK_UP ? "look up" : verdict_name(v));
    if (v == LOOK_UP) { /* padding is gone */
        unsigned size = 40 + get16(pkt_ip(m) + 4);
        ck_assert_uint_eq(rte_pktmbuf_data_len(m), 14 + size);
        ck_assert_uint_eq(p.size, size);
    }
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(fields)
{
    const struct parse_row row = {
        .frame = {.to = TO_GROUP, .ttl = 33, .protocol = 47, .tos = 0xb9, .flow = 0xfffff, .payload = 80}};
    struct rte_mbuf *m = frame_of(&row);
    const struct addr from = six(CORRESPONDENT), to = six(AWAY);
    struct pkt p;
    ck_assert_int_eq(pkt_parse(m, &mac_own, &p), LOOK_UP);
    ck_assert(addr_equal(&p.source, &from));
    ck_assert(addr_equal(&p.destination, &to));
    ck_assert_uint_eq(p.family, PKT_IPV6);
    ck_assert_uint_eq(p.size, 120);
    ck_assert_uint_eq(p.header_len, 40);
    ck_assert_uint_eq(p.fragment, IPV4_DF);
    ck_assert_uint_eq(p.ttl, 33);
    ck_assert_uint_eq(p.tos, 0xb9);
    ck_assert_uint_eq(p.protocol, 47);
    ck_assert(p.link_cast);
    rte_pktmbuf_free(m);
}
END_TEST

/* ---- For ourselves ---- */

#define BEHIND(first, bytes) .protocol = first, .options = bytes, .n_options = sizeof(bytes) - 1

static const struct parse_row local_rows[] = {
    {"UDP", {.port = 5000}, VERDICT_PUNT_LOCAL},
    {"IPv4's registration port is any port here", {.port = 434}, VERDICT_PUNT_LOCAL},
    {"UDP header cut", {.total_length = 47}, VERDICT_DROP_RUNT},
    {"ICMPv6", {.protocol = 58, .icmp = 128}, VERDICT_PUNT_LOCAL},
    {"home agent discovery", {.protocol = 58, .icmp = 144}, VERDICT_PUNT_LOCAL},
    {"neighbour discovery from beyond the link", {.protocol = 58, .icmp = 136}, VERDICT_DROP_OFF_LINK},
    {"IPv4's ICMP", {.protocol = 1}, VERDICT_PUNT_LOCAL},
    {"Mobility Header", {.protocol = 135}, VERDICT_PUNT_SIGNALLING},
    {"ESP", {.protocol = 50}, VERDICT_PUNT_SIGNALLING},
    {"destination options", {BEHIND(60, "\x87\0\1\4\0\0\0\0")}, VERDICT_PUNT_SIGNALLING},
    {"a routing header", {BEHIND(43, "\x87\0\2\0\0\0\0\0")}, VERDICT_PUNT_SIGNALLING},
    {"hop-by-hop options", {.hop_by_hop = true, BEHIND(0, "\x11\0\1\4\0\0\0\0")}, VERDICT_PUNT_SIGNALLING},
    {"TCP", {.protocol = 6}, VERDICT_PUNT_LOCAL},
    {"IPv6 in IPv6", {.protocol = 41}, VERDICT_DROP_REVERSE_TUNNEL},
    {"IPv4 in IPv6", {.protocol = 4}, VERDICT_DROP_REVERSE_TUNNEL},
    {"IPv6 in IPv6 behind an encapsulation limit",
     {BEHIND(60, "\x29\0\4\1\4\1\1\0")},
     VERDICT_DROP_REVERSE_TUNNEL},
    {"a fragment", {BEHIND(44, "\x11\0\0\1\0\0\0\1")}, VERDICT_PUNT_FRAGMENT},
    {"a later fragment", {BEHIND(44, "\x3a\0\1\0\0\0\0\1")}, VERDICT_PUNT_FRAGMENT},
    {"a packet in a single fragment", {BEHIND(44, "\x3a\0\0\0\0\0\0\1")}, VERDICT_PUNT_FRAGMENT},
    {"a fragment behind options",
     {BEHIND(60, "\x2c\0\1\4\0\0\0\0"
                 "\x11\0\0\1\0\0\0\1")},
     VERDICT_PUNT_FRAGMENT},
    {"a fragment header cut", {BEHIND(44, "\x11\0\0\1"), .total_length = 44}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"a fragment of IPv6 in IPv6", {BEHIND(44, "\x29\0\0\1\0\0\0\1")}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"a fragment of IPv4 in IPv6", {BEHIND(44, "\x04\0\1\0\0\0\0\1")}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"a fragment of a tunnel behind options",
     {BEHIND(60, "\x2c\0\1\4\0\0\0\0"
                 "\x29\0\0\1\0\0\0\1")},
     VERDICT_DROP_LOCAL_FRAGMENT},
    {"a fragment of ESP", {BEHIND(44, "\x32\0\0\1\0\0\0\1")}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"ESP in a single fragment", {BEHIND(44, "\x32\0\0\0\0\0\0\1")}, VERDICT_DROP_LOCAL_FRAGMENT},
};

START_TEST(local)
{
    const struct parse_row *row = &local_rows[_i];
    struct rte_mbuf *m = frame_of(row);
    struct pkt p;
    ck_assert_int_eq(pkt_parse(m, &mac_own, &p), LOOK_UP);
    enum verdict v = pkt_local_verdict(pkt_ip(m), &p);
    ck_assert_msg(v == row->expected, "%s: %s", row->what, verdict_name(v));
    rte_pktmbuf_free(m);
}
END_TEST

/* ---- Extension headers ---- */

#define NO_BYTES           ""
#define PAD6               "\1\4\0\0\0\0"
#define OPTIONS(next, six) next "\0" six

static const struct headers_row {
    const char *what;
    uint8_t first;
    const char *bytes;
    unsigned n;
    unsigned at, protocol; /* of the upper layer */
    unsigned limit;        /* where it is */
} headers_rows[] = {
#define ROW(what, first, bytes, at, protocol, limit)               \
    {                                                              \
        what, first, bytes, sizeof(bytes) - 1, at, protocol, limit \
    }
    ROW("none", 17, NO_BYTES, 40, 17, 0),
    ROW("nothing but the header", 60, NO_BYTES, 40, 60, 0),
    ROW("a limit", 60, OPTIONS("\x29", "\4\1\5\1\1\0"), 48, 41, 44),
    ROW("a limit behind Pad1", 60, OPTIONS("\x29", "\0\0\0\4\1\7"), 48, 41, 47),
    ROW("a limit behind PadN", 60, OPTIONS("\x29", "\1\1\0\4\1\7"), 48, 41, 47),
    ROW("a limit without its value", 60, OPTIONS("\x29", "\1\2\0\0\4\1"), 48, 41, 0),
    ROW("a limit of two bytes is none", 60, OPTIONS("\x29", "\4\2\1\1\1\0"), 48, 41, 0),
    ROW("an option beyond its header", 60, OPTIONS("\x29", "\1\xff\0\0\4\1") "\4\1\4\1\4\1\4\1", 48, 41, 0),
    ROW("the first of two", 60, OPTIONS("\x29", "\4\1\5\4\1\6"), 48, 41, 44),
    ROW("among hop-by-hop options it is none", 0, OPTIONS("\x29", "\4\1\5\1\1\0"), 48, 41, 0),
    ROW("behind hop-by-hop options", 0, OPTIONS("\x3c", PAD6) OPTIONS("\x29", "\4\1\5\1\1\0"), 56, 41, 52),
    ROW("behind a routing header", 43, OPTIONS("\x3c", "\4\0\0\0\0\0") OPTIONS("\6", "\4\1\5\1\1\0"), 56, 6,
        52),
    ROW("behind a fragment header nobody looks", 44,
        OPTIONS("\x3c", "\0\0\0\0\0\0") OPTIONS("\6", "\4\1\5\1\1\0"), 40, 44, 0),
    ROW("in the second options header", 60, OPTIONS("\x3c", PAD6) OPTIONS("\x3a", "\4\1\0\1\1\0"), 56, 58,
        52),
    ROW("a header of 16 bytes", 60, "\x29\1\1\x0c\0\0\0\0\0\0\0\0\0\0\0\0", 56, 41, 0),
    ROW("a header longer than the packet", 60, "\x29\2\4\1\5\0\0\0\0\0\0\0\0\0\0\0", 40, 60, 0),
    ROW("eight headers", 60,
        OPTIONS("\x3c", PAD6) OPTIONS("\x3c", PAD6) OPTIONS("\x3c", PAD6) OPTIONS("\x3c", PAD6)
            OPTIONS("\x3c", PAD6) OPTIONS("\x3c", PAD6) OPTIONS("\x3c", PAD6) OPTIONS("\x29", "\4\1\5\1\1\0"),
        104, 41, 100),
    ROW("nine: the last is not looked at", 60,
        OPTIONS("\x3c", PAD6) OPTIONS("\x3c", PAD6) OPTIONS("\x3c", PAD6) OPTIONS("\x3c", PAD6)
            OPTIONS("\x3c", PAD6) OPTIONS("\x3c", PAD6) OPTIONS("\x3c", PAD6) OPTIONS("\x3c", PAD6)
                OPTIONS("\x29", "\4\1\5\1\1\0"),
        104, 60, 0),
    ROW("sixteen options are looked at", 60, "\x29\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\4\1\5\0\0\0\0", 64, 41,
        59),
    ROW("not seventeen", 60, "\x29\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\4\1\5\0\0\0", 64, 41, 0),
};

/* The packet ends where the page does: a step beyond it would be seen by a sanitizer. */
START_TEST(extension_headers)
{
    const struct headers_row *row = &headers_rows[_i];
    unsigned size = 40 + row->n;
    uint8_t *ip = malloc(size);
    memset(ip, 0, size);
    ip[0] = 0x60;
    ip[6] = row->first;
    memcpy(ip + 40, row->bytes, row->n);
    struct ipv6_upper upper = ipv6_upper(ip, size);
    ck_assert_msg(upper.at == row->at, "%s: at %u", row->what, upper.at);
    ck_assert_msg(upper.protocol == row->protocol, "%s: %u", row->what, upper.protocol);
    ck_assert_uint_eq(ip[upper.named], upper.protocol);
    ck_assert_msg(ipv6_limit(ip, size) == row->limit, "%s: limit at %u", row->what, ipv6_limit(ip, size));
    free(ip);
}
END_TEST

static void make_pool(void)
{
    pool = eal_pool("ipv6", POOL);
}

static void check_pool(void)
{
    ck_assert_uint_eq(rte_mempool_avail_count(pool), POOL);
    rte_mempool_free(pool);
}

static Suite *suite(void)
{
    Suite *s = suite_create("ipv6");
    TCase *c = tcase_create("frames");
    tcase_add_checked_fixture(c, make_pool, check_pool);
    tcase_add_loop_test(c, parse, 0, ROWS(parse_rows));
    tcase_add_test(c, fields);
    tcase_add_loop_test(c, local, 0, ROWS(local_rows));
    tcase_add_loop_test(c, extension_headers, 0, ROWS(headers_rows));
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return eal_main("test_ipv6", "64", NULL, suite);
}
