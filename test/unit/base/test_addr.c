/* SPDX-License-Identifier: BSD-3-Clause */
#include "addr.h"

#include "../check_main.h"

static struct addr parsed(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

static struct prefix prefix_parsed(const char *text)
{
    struct prefix p;
    ck_assert_msg(prefix_parse(text, &p), "%s", text);
    return p;
}

static const struct {
    const char *text;
    const char *formatted; /* NULL: not an address */
    bool ipv4, unspecified, multicast;
} addresses[] = {
    {"10.1.0.2", "10.1.0.2", true, false, false},
    {"0.0.0.0", "0.0.0.0", true, true, false},
    {"255.255.255.255", "255.255.255.255", true, false, false},
    {"223.255.255.255", "223.255.255.255", true, false, false},
    {"224.0.0.1", "224.0.0.1", true, false, true},
    {"239.255.255.255", "239.255.255.255", true, false, true},
    {"240.0.0.1", "240.0.0.1", true, false, false},
    {"::", "::", false, true, false},
    {"::1", "::1", false, false, false},
    {"2001:DB8:0:0::2", "2001:db8::2", false, false, false},
    {"ff02::1", "ff02::1", false, false, true},
    {"fe80::1", "fe80::1", false, false, false},
    {"::ffff:10.1.0.2", "10.1.0.2", true, false, false}, /* one address, one value */
    {"2001:db8:1111:2222:3333:4444:5555:6666", "2001:db8:1111:2222:3333:4444:5555:6666", false, false, false},
    {"", NULL, false, false, false},
    {"10.1.0", NULL, false, false, false},
    {"10.1.0.256", NULL, false, false, false},
    {"10.1.0.2 ", NULL, false, false, false},
    {" 10.1.0.2", NULL, false, false, false},
    {"10.1.0.2/24", NULL, false, false, false},
    {"2001:db8::2::1", NULL, false, false, false},
    {"host", NULL, false, false, false},
};

START_TEST(address_text)
{
    struct addr a, untouched;
    memset(&a, 0x5a, sizeof(a));
    untouched = a;
    ck_assert_int_eq(addr_parse(addresses[_i].text, &a), addresses[_i].formatted != NULL);
    if (addresses[_i].formatted == NULL) {
        ck_assert(addr_equal(&a, &untouched));
        return;
    }
    char buf[ADDR_TEXT_MAX];
    ck_assert_str_eq(addr_format(&a, buf), addresses[_i].formatted);
    ck_assert_int_eq(addr_is_ipv4(&a), addresses[_i].ipv4);
    ck_assert_int_eq(addr_is_unspecified(&a), addresses[_i].unspecified);
    ck_assert_int_eq(addr_is_multicast(&a), addresses[_i].multicast);
}
END_TEST

START_TEST(ipv4_both_ways)
{
    struct addr a = addr_from_ipv4(0x0a010002);
    static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 10, 1, 0, 2};
    ck_assert_mem_eq(a.b, mapped, sizeof(mapped));
    ck_assert_uint_eq(addr_ipv4(&a), 0x0a010002);
    struct addr high = addr_from_ipv4(0xfffefdfc);
    ck_assert_uint_eq(addr_ipv4(&high), 0xfffefdfc);
    ck_assert(!addr_equal(&a, &high));
    struct addr zero = addr_from_ipv4(0);
    ck_assert(!addr_equal(&zero, &addr_unspecified));
}
END_TEST

static const struct {
    const char *text;
    int bits; /* -1: malformed */
} prefixes[] = {
    {"10.1.0.2/24", 24},
    {"0.0.0.0/0", 0},
    {"10.0.0.0/32", 32},
    {"10.0.0.0/33", -1},
    {"::/0", 0},
    {"2001:db8::/128", 128},
    {"2001:db8::/129", -1},
    {"10.0.0.0", -1},
    {"10.0.0.0/", -1},
    {"/24", -1},
    {"10.0.0.0/+8", -1},
    {"10.0.0.0/-8", -1},
    {"10.0.0.0/08", -1},
    {"10.0.0.0/8x", -1},
    {"10.0.0.0/ 8", -1},
    {"10.0.0.0/8/8", -1},
    {"10.0.0.0/4294967304", -1}, /* 8 modulo 2^32 */
    {"2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999/8", -1},
};

START_TEST(prefix_text)
{
    struct prefix p = {.addr = addr_from_ipv4(1), .bits = 77};
    ck_assert_int_eq(prefix_parse(prefixes[_i].text, &p), prefixes[_i].bits >= 0);
    ck_assert_int_eq(p.bits, prefixes[_i].bits >= 0 ? prefixes[_i].bits : 77);
}
END_TEST

START_TEST(prefix_keeps_host_part)
{
    struct prefix p = prefix_parsed("10.1.0.2/24");
    ck_assert_uint_eq(addr_ipv4(&p.addr), 0x0a010002);
}
END_TEST

static const struct {
    const char *prefix;
    const char *address;
    bool contained;
} containments[] = {
    {"10.1.0.2/24", "10.1.0.255", true},
    {"10.1.0.2/24", "10.1.1.0", false},
    {"10.1.0.0/23", "10.1.1.255", true},
    {"10.1.0.0/23", "10.1.2.0", false},
    {"0.0.0.0/0", "255.1.2.3", true},
    {"0.0.0.0/0", "2001:db8::1", false}, /* the other family */
    {"::/0", "10.1.0.1", false},
    {"::/0", "2001:db8::1", true},
    {"::/80", "10.1.0.1", false}, /* though the mapped address begins with 80 zero bits */
    {"10.1.0.1/32", "10.1.0.1", true},
    {"10.1.0.1/32", "10.1.0.0", false},
    {"2001:db8::/61", "2001:db8:0:7::1", true},
    {"2001:db8::/61", "2001:db8:0:8::1", false},
    {"2001:db8::1/128", "2001:db8::1", true},
    {"2001:db8::1/128", "2001:db8::2", false},
};

START_TEST(prefix_containment)
{
    struct prefix p = prefix_parsed(containments[_i].prefix);
    struct addr a = parsed(containments[_i].address);
    ck_assert_msg(prefix_contains(&p, &a) == containments[_i].contained, "%s in %s", containments[_i].address,
                  containments[_i].prefix);
}
END_TEST

static const struct {
    const char *prefix;
    const char *network;
    const char *broadcast;
} networks[] = {
    {"10.1.3.2/24", "10.1.3.0", "10.1.3.255"},
    {"10.1.3.2/22", "10.1.0.0", "10.1.3.255"},
    {"10.1.3.2/0", "0.0.0.0", "255.255.255.255"},
    {"10.1.3.2/30", "10.1.3.0", "10.1.3.3"},
    {"10.1.3.3/31", "10.1.3.2", "::"},
    {"10.1.3.3/32", "10.1.3.3", "::"},
    {"2001:db8:1:2:3::4/64", "2001:db8:1:2::", "::"},
    {"2001:db8:1:2:3::4/46", "2001:db8::", "::"},
    {"2001:db8::4/128", "2001:db8::4", "::"},
};

START_TEST(prefix_ends)
{
    char buf[ADDR_TEXT_MAX];
    struct prefix p = prefix_parsed(networks[_i].prefix);
    struct prefix network = prefix_network(&p);
    ck_assert_str_eq(addr_format(&network.addr, buf), networks[_i].network);
    ck_assert_uint_eq(network.bits, p.bits);
    struct addr broadcast = prefix_broadcast(&p);
    ck_assert_str_eq(addr_format(&broadcast, buf), networks[_i].broadcast);
}
END_TEST

START_TEST(mac_text)
{
    char buf[MAC_TEXT_MAX];
    struct mac m = {{0x02, 0x00, 0xab, 0xcd, 0xef, 0x09}};
    ck_assert_str_eq(mac_format(&m, buf), "02:00:ab:cd:ef:09");
    ck_assert_str_eq(mac_format(&mac_broadcast, buf), "ff:ff:ff:ff:ff:ff");
    ck_assert(!mac_equal(&m, &mac_broadcast));
    struct mac same = m;
    ck_assert(mac_equal(&m, &same));
}
END_TEST

/* What kind each is of, by its form alone. */
static const struct {
    const char *text;
    bool loopback, link_local, routable;
} kinds[] = {
    {"10.1.0.2", false, false, true},
    {"0.0.0.0", false, false, false},
    {"0.1.2.3", false, false, false},
    {"1.0.0.0", false, false, true},
    {"126.255.255.255", false, false, true},
    {"127.0.0.1", true, false, false},
    {"127.255.255.255", true, false, false},
    {"128.0.0.0", false, false, true},
    {"169.253.255.255", false, false, true},
    {"169.254.0.1", false, true, true},
    {"169.255.0.0", false, false, true},
    {"223.255.255.255", false, false, true},
    {"224.0.0.1", false, false, false},
    {"240.0.0.1", false, false, false},
    {"255.255.255.255", false, false, false},
    {"::", false, false, false},
    {"::1", true, false, false},
    {"::2", false, false, true},
    {"2001:db8::1", false, false, true},
    {"fc00::1", false, false, true},
    {"fe7f::1", false, false, true},
    {"fe80::1", false, true, false},
    {"febf:ffff::1", false, true, false},
    {"fec0::1", false, false, true},
    {"ff02::1", false, false, false},
    {"ff0e::1", false, false, false},
};

START_TEST(address_kinds)
{
    struct addr a = parsed(kinds[_i].text);
    ck_assert_msg(addr_is_loopback(&a) == kinds[_i].loopback, "%s", kinds[_i].text);
    ck_assert_msg(addr_is_link_local(&a) == kinds[_i].link_local, "%s", kinds[_i].text);
    ck_assert_msg(addr_is_routable(&a) == kinds[_i].routable, "%s", kinds[_i].text);
    const bool ipv6 = kinds[_i].routable && !addr_is_ipv4(&a);
    ck_assert_msg(addr_is_ipv6_routable(&a) == ipv6, "%s", kinds[_i].text);
}
END_TEST

START_TEST(addresses_of_a_link)
{
    char buf[ADDR_TEXT_MAX];
    struct addr home = parsed("2001:db8:1:2:3:4:5:6789");
    struct addr group = addr_solicited_node(&home);
    ck_assert_str_eq(addr_format(&group, buf), "ff02::1:ff05:6789");
    struct addr local = addr_link_local_of(&home);
    ck_assert_str_eq(addr_format(&local, buf), "fe80::3:4:5:6789");
    ck_assert_str_eq(addr_format(&addr_all_nodes, buf), "ff02::1");
    ck_assert_str_eq(addr_format(&addr_all_routers, buf), "ff02::2");
    /* RFC 2464 section 4's example: 34-56-78-9A-BC-DE. */
    struct mac mac = {{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}};
    local = addr_link_local_from_mac(&mac);
    ck_assert_str_eq(addr_format(&local, buf), "fe80::3656:78ff:fe9a:bcde");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("addr");
    TCase *tc = tcase_create("addr");
    tcase_add_loop_test(tc, address_text, 0, ROWS(addresses));
    tcase_add_test(tc, ipv4_both_ways);
    tcase_add_loop_test(tc, prefix_text, 0, ROWS(prefixes));
    tcase_add_test(tc, prefix_keeps_host_part);
    tcase_add_loop_test(tc, prefix_containment, 0, ROWS(containments));
    tcase_add_loop_test(tc, prefix_ends, 0, ROWS(networks));
    tcase_add_loop_test(tc, address_kinds, 0, ROWS(kinds));
    tcase_add_test(tc, addresses_of_a_link);
    tcase_add_test(tc, mac_text);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
