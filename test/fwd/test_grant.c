/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may send by a reverse tunnel (RFC 3024 section 4.3.2, RFC 6275 section 10.4.5), and what is refused:
 * none of it leaves, none reaches control.
 */
#include "worker_bed.h"

/* ---- Refused ---- */

static const struct addr link_local = {{0xfe, 0x80, [15] = 0x50}};
static const struct addr all_nodes = {{0xff, 2, [15] = 1}};
static const struct addr mapped = {{[10] = 0xff, 0xff, 10, 1, 0, 56}}; /* MOBILE, by IP in IP */

static const struct refused {
    const char *what;
    struct spec outer;    /* from CARE_OF, to HOME_AGENT, by IP in IP or IPv6 in IPv6 */
    struct spec inner;    /* from MOBILE, to ELSEWHERE */
    enum verdict verdict; /* 0: DROP_REVERSE_TUNNEL */
} refused[] = {
    {"a binding without the grant", {0}, {.from = AWAY}, 0},
    {"from a home address at home", {0}, {.from = AT_HOME}, 0},
    {"from a home address unknown", {0}, {.from = UNSEEN}, 0},
    {"from a stranger", {0}, {.from = CORRESPONDENT}, 0},
    {"from us, inside", {0}, {.from = HOME_AGENT}, 0},
    {"from our link's broadcast address, inside", {0}, {.from = SUBNET_ALL}, 0},
    {"from its far end, inside", {0}, {.from = CARE_OF}, 0},
    {"from us, outside", {.from = HOME_AGENT}, {0}, 0},
    {"from a stranger, outside", {.from = CORRESPONDENT}, {0}, 0},
    {"from its home address, outside", {.from = MOBILE}, {0}, 0},
    {"from another's care-of address", {.from = OTHER_CARE_OF}, {0}, 0},

    {"GRE for IP in IP", {.protocol = 47}, {0}, 0},
    {"minimal for IP in IP", {.protocol = 55}, {0}, 0},
    {"IP in IP for GRE", {.protocol = 4}, {.from = MOBILE_GRE}, 0},
    {"minimal for GRE", {.protocol = 55}, {.from = MOBILE_GRE}, 0},
    {"GRE for minimal", {.protocol = 47}, {.from = MOBILE_MINIMAL}, 0},
    {"the first of two by the second's", {.protocol = 47}, {.from = MOBILE_TWICE}, 0},
    {"the second of two by the first's", {.from = CARE_OF + 1}, {.from = MOBILE_TWICE}, 0},
    {"neither of two", {.from = CARE_OF + 2}, {.from = MOBILE_TWICE}, 0},

    {"a first fragment outside", {.fragment = 0x2000}, {0}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"a later fragment outside", {.fragment = 3}, {0}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"GRE, a fragment outside",
     {.protocol = 47, .fragment = 0x2000},
     {.from = MOBILE_GRE},
     VERDICT_DROP_LOCAL_FRAGMENT},
    {"minimal, a fragment",
     {.protocol = 55, .fragment = 0x2000},
     {.from = MOBILE_MINIMAL},
     VERDICT_DROP_LOCAL_FRAGMENT},
    {"to all on the link", {.to = TO_ALL}, {0}, VERDICT_DROP_LINK_BROADCAST},
    {"to a group on the link", {.to = TO_GROUP}, {0}, VERDICT_DROP_LINK_BROADCAST},
    {"to another station", {.to = TO_OTHER}, {0}, VERDICT_DROP_FOREIGN_MAC},
    {"to the link's broadcast address", {.dst = SUBNET_ALL}, {0}, VERDICT_DROP_BROADCAST},
    {"to another home agent", {.dst = ELSEWHERE}, {0}, VERDICT_DROP_NO_BINDING},
    {"wrong checksum outside", {.wrong_sum = true}, {0}, VERDICT_DROP_IP_CHECKSUM},

    {"wrong checksum inside", {0}, {.wrong_sum = true}, 0},
    {"wrong checksum inside, only that outside looked at by the device",
     {.ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD},
     {.wrong_sum = true},
     0},
    {"minimal, wrong checksum", {.protocol = 55}, {.from = MOBILE_MINIMAL, .wrong_sum = true}, 0},
    {"version 6 inside", {0}, {.version_ihl = 0x65}, 0},
    {"a header too long inside", {0}, {.version_ihl = 0x4f}, 0},
    {"longer inside than outside", {0}, {.total_length = 47}, 0},
    {"cut off inside", {0}, {.cut = 14 + 19}, 0},
    {"TTL 0 inside", {0}, {.ttl = TTL_ZERO}, 0},
    {"minimal, TTL 0", {.protocol = 55}, {.from = MOBILE_MINIMAL, .ttl = TTL_ZERO}, 0},
    {"to multicast inside", {0}, {.dst = IP(224, 0, 0, 5)}, 0},
    {"to all inside", {0}, {.dst = UINT32_MAX}, 0},
    {"from loopback inside", {0}, {.from = IP(127, 0, 0, 1)}, 0},
    {"GRE with a key", {.protocol = 47, .gre = 0x2000}, {.from = MOBILE_GRE}, 0},
    {"GRE, back to its far end", {.protocol = 47}, {.from = MOBILE_GRE, .dst = CARE_OF}, 0},
    {"minimal without a source address", {.protocol = 55, .no_source = true}, {.from = MOBILE_MINIMAL}, 0},

    {"a tunnel in the tunnel",
     {0},
     {.dst = HOME_AGENT, .protocol = 4, .inner = &(struct spec){.from = MOBILE, .dst = ELSEWHERE}},
     0},
    {"the same by GRE",
     {.protocol = 47},
     {.from = MOBILE_GRE,
      .dst = HOME_AGENT,
      .protocol = 47,
      .inner = &(struct spec){.from = MOBILE_GRE, .dst = ELSEWHERE}},
     0},
    {"a fragment of a tunnel in the tunnel",
     {0},
     {.dst = HOME_AGENT,
      .protocol = 4,
      .fragment = 0x2000,
      .inner = &(struct spec){.from = MOBILE, .dst = ELSEWHERE}},
     VERDICT_DROP_LOCAL_FRAGMENT},
    {"of IPv6, a binding without the grant", {.ipv6 = true, .protocol = 41}, {.ipv6 = true, .from = AWAY}, 0},
    {"of IPv6, from a home address at home",
     {.ipv6 = true, .protocol = 41},
     {.ipv6 = true, .from = AT_HOME},
     0},
    {"of IPv6, from a home address unknown",
     {.ipv6 = true, .protocol = 41},
     {.ipv6 = true, .from = UNSEEN},
     0},
    {"of IPv6, from a stranger", {.ipv6 = true, .protocol = 41}, {.ipv6 = true, .from = CORRESPONDENT}, 0},
    {"of IPv6, from us, inside", {.ipv6 = true, .protocol = 41}, {.ipv6 = true, .from = HOME_AGENT}, 0},
    {"of IPv6, from its far end, inside", {.ipv6 = true, .protocol = 41}, {.ipv6 = true, .from = CARE_OF}, 0},
    {"of IPv6, from a link-local address, inside",
     {.ipv6 = true, .protocol = 41},
     {.ipv6 = true, .from6 = &link_local},
     0},
    {"of IPv6, from an IPv4 home address, inside",
     {.ipv6 = true, .protocol = 41},
     {.ipv6 = true, .from6 = &mapped},
     0},
    {"of IPv6, to a link-local address, inside",
     {.ipv6 = true, .protocol = 41},
     {.ipv6 = true, .to6 = &link_local},
     0},
    {"of IPv6, to multicast, inside", {.ipv6 = true, .protocol = 41}, {.ipv6 = true, .to6 = &all_nodes}, 0},
    {"of IPv6, from us, outside", {.ipv6 = true, .protocol = 41, .from = HOME_AGENT}, {.ipv6 = true}, 0},
    {"of IPv6, from a stranger, outside",
     {.ipv6 = true, .protocol = 41, .from = CORRESPONDENT},
     {.ipv6 = true},
     0},
    {"of IPv6, from its home address, outside",
     {.ipv6 = true, .protocol = 41, .from = MOBILE},
     {.ipv6 = true},
     0},
    {"of IPv6, from another's care-of address",
     {.ipv6 = true, .protocol = 41, .from = OTHER_CARE_OF},
     {.ipv6 = true},
     0},
    {"of IPv6, IPv4 for IPv6 outside", {.protocol = 41}, {.ipv6 = true}, 0},
    {"of IPv6, IPv6 for IPv4 outside",
     {.ipv6 = true, .protocol = 41},
     {.ipv6 = true, .from = MOBILE_OTHERWISE},
     0},
    {"of IPv6, the first of two by the second's", {.protocol = 41}, {.ipv6 = true, .from = MOBILE_TWICE}, 0},
    {"of IPv6, the second of two by the first's",
     {.ipv6 = true, .protocol = 41, .from = CARE_OF + 1},
     {.ipv6 = true, .from = MOBILE_TWICE},
     0},
    {"of IPv6, by the number of IPv4", {.ipv6 = true, .protocol = 4}, {.ipv6 = true}, 0},
    {"of IPv6, GRE", {.ipv6 = true, .protocol = 47}, {.ipv6 = true}, 0},
    {"of IPv6, a fragment outside",
     {.ipv6 = true, .protocol = 44, .options = "\x29\0\0\1\0\0\0\7", .n_options = 8},
     {.ipv6 = true},
     VERDICT_DROP_LOCAL_FRAGMENT},
    {"of IPv6, a fragment of a limited tunnel",
     {.ipv6 = true, .protocol = 60, .options = "\x2c\0\4\1\4\1\1\0\x29\0\0\1\0\0\0\7", .n_options = 16},
     {.ipv6 = true},
     VERDICT_DROP_LOCAL_FRAGMENT},
    {"of IPv6, hop-by-hop options outside",
     {.ipv6 = true, .hop_by_hop = true, .options = "\x29\0\1\4\0\0\0\0", .n_options = 8},
     {.ipv6 = true},
     0},
    {"of IPv6, a Home Address option outside",
     {.ipv6 = true,
      .protocol = 60,
      .options = "\x29\2\xc9\x10\x20\1\xd\xb8\xa\1\0\0\0\0\0\0\0\0\0\x38\1\2\0\0",
      .n_options = 24},
     {.ipv6 = true},
     0},
    {"of IPv6, to a group on the link",
     {.ipv6 = true, .protocol = 41, .to = TO_GROUP},
     {.ipv6 = true},
     VERDICT_DROP_LINK_BROADCAST},
    {"of IPv6, to another home agent",
     {.ipv6 = true, .protocol = 41, .dst = ELSEWHERE},
     {.ipv6 = true},
     VERDICT_DROP_NO_BINDING},
    {"of IPv6, version 4 inside", {.ipv6 = true, .protocol = 41}, {.ipv6 = true, .version_ihl = 0x45}, 0},
    {"of IPv6, longer inside than outside",
     {.ipv6 = true, .protocol = 41},
     {.ipv6 = true, .total_length = 67},
     0},
    {"of IPv6, cut off inside", {.ipv6 = true, .protocol = 41}, {.ipv6 = true, .cut = 14 + 39}, 0},
    {"of IPv6, hop limit 0 inside", {.ipv6 = true, .protocol = 41}, {.ipv6 = true, .ttl = TTL_ZERO}, 0},
};

static void give_through(struct spec outer, struct spec inner)
{
    outer.from = outer.from != 0 ? outer.from : CARE_OF;
    outer.dst = outer.dst != 0 ? outer.dst : HOME_AGENT;
    outer.protocol = outer.protocol != 0 || outer.hop_by_hop ? outer.protocol : 4;
    inner.from = inner.from != 0 ? inner.from : MOBILE;
    inner.dst = inner.dst != 0 ? inner.dst : ELSEWHERE;
    outer.inner = &inner;
    give(&outer);
}

START_TEST(refusals)
{
    const struct refused *row = &refused[_i];
    enum verdict expected = row->verdict != 0 ? row->verdict : VERDICT_DROP_REVERSE_TUNNEL;
    give_through(row->outer, row->inner);
    ck_assert_msg(count(expected) == 1, "%s: no %s", row->what, verdict_name(expected));
    ck_assert_uint_eq(verdicts_of(&bed.worker[0]), 1);
    ck_assert_msg(drained() == 0, "%s: something came out", row->what);
}
END_TEST

/* What the rows begin from is granted: each is refused for what it says. */
START_TEST(nothing_wrong)
{
    give_through((struct spec){0}, (struct spec){0});
    give_through((struct spec){.protocol = 47}, (struct spec){.from = MOBILE_GRE});
    give_through((struct spec){.protocol = 55}, (struct spec){.from = MOBILE_MINIMAL});
    give_through((struct spec){0}, (struct spec){.from = MOBILE_TWICE});
    give_through((struct spec){.from = CARE_OF + 1, .protocol = 47}, (struct spec){.from = MOBILE_TWICE});
    ck_assert_uint_eq(count(VERDICT_DECAPSULATED), 5);
    const struct spec six = {.ipv6 = true}, by_ipv6 = {.ipv6 = true, .protocol = 41},
                      by_ipv4 = {.protocol = 41};
    struct spec limited = by_ipv6, twice = six, otherwise = six, second = by_ipv4;
    limited.protocol = 60;
    limited.options = "\x29\0\4\1\4\1\1\0";
    limited.n_options = 8;
    twice.from = MOBILE_TWICE;
    otherwise.from = MOBILE_OTHERWISE;
    second.from = CARE_OF + 1;
    give_through(by_ipv6, six);
    give_through(limited, six);
    give_through(by_ipv4, otherwise);
    give_through(by_ipv6, twice);
    give_through(second, twice);
    ck_assert_uint_eq(count(VERDICT_DECAPSULATED), 10);
}
END_TEST

/* ---- Granted to whom, and since when ---- */

/* It moves, and then loses the grant: each holds for the next packet. */
START_TEST(a_grant_that_changes)
{
    struct spec before = {0}, after = {.from = OTHER_CARE_OF}, inner = {0};
    give_through(before, inner);
    give_through(after, inner);
    ck_assert_uint_eq(count(VERDICT_DECAPSULATED), 1);
    install(MOBILE, tunnel_to(OTHER_CARE_OF, ADJ_ROUTER, ENTRY_REVERSE));
    give_through(before, inner);
    give_through(after, inner);
    ck_assert_uint_eq(count(VERDICT_DECAPSULATED), 2);
    install(MOBILE, tunnel_to(OTHER_CARE_OF, ADJ_ROUTER, 0));
    give_through(before, inner);
    give_through(after, inner);
    ck_assert_uint_eq(count(VERDICT_DECAPSULATED), 2);
    ck_assert_uint_eq(count(VERDICT_DROP_REVERSE_TUNNEL), 4);
}
END_TEST

/* Each care-of address has its own, or none. */
START_TEST(a_grant_to_one_of_two)
{
    struct addr twice = addr_from_ipv4(MOBILE_TWICE);
    for (unsigned granted = 0; granted < 2; granted++) {
        struct entry set[] = {tunnel_by(ENCAPSULATION_IPIP, CARE_OF, granted == 0 ? ENTRY_REVERSE : 0),
                              tunnel_by(ENCAPSULATION_IPIP, CARE_OF + 1, granted == 1 ? ENTRY_REVERSE : 0)};
        ck_assert_int_eq(table_install_set(bed.table, &twice, set, 2), 0);
        give_through((struct spec){.from = CARE_OF + 1 - granted}, (struct spec){.from = MOBILE_TWICE});
        ck_assert_uint_eq(count(VERDICT_DROP_REVERSE_TUNNEL), granted + 1);
        give_through((struct spec){.from = CARE_OF + granted}, (struct spec){.from = MOBILE_TWICE});
        ck_assert_uint_eq(count(VERDICT_DECAPSULATED), granted + 1);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("grant");
    TCase *c = tcase_create("refusals");
    tcase_add_checked_fixture(c, set_up_reverse_tunnels, tear_down);
    tcase_add_loop_test(c, refusals, 0, ROWS(refused));
    tcase_add_test(c, nothing_wrong);
    tcase_add_test(c, a_grant_that_changes);
    tcase_add_test(c, a_grant_to_one_of_two);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return bed_main("test_grant", suite);
}
