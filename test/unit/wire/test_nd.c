/* SPDX-License-Identifier: BSD-3-Clause */
#include "nd.h"

#include <stdio.h>

#include "../check_main.h"
#include "icmp.h"
#include "icmp6_frame.h"

/* Whole frames, made by scapy (ICMPv6ND_NS, _NA, _RS, _RA and their options): 2001:db8:1::2 at
 * 02:00:00:00:00:01 is the home agent, 2001:db8:1::50 a home address, 2001:db8:1::99 at 02:00:00:00:00:99 a
 * neighbour. */
#define AGENT        "20010db8000100000000000000000002"
#define LINK_LOCAL   "fe80000000000000000000fffe000001"
#define HOME         "20010db8000100000000000000000050"
#define ALL_NODES    "ff020000000000000000000000000001"
#define GROUP        "ff0200000000000000000001ff000050"
#define NOBODY       "00000000000000000000000000000000"
#define MAC          "020000000001"
#define NEIGHBOR     "2001:db8:1::99"
#define TO_GROUP     "3333ff000050" MAC "86dd"
#define TO_ALL       "333300000001" MAC "86dd"
#define TO_99        "020000000099" MAC "86dd"
#define SOLICIT_ALL  TO_GROUP "6000000000203aff" AGENT GROUP "87001b8800000000" HOME "0101" MAC
#define SOLICIT_ONE  TO_99 "6000000000203aff" AGENT HOME "8700ebd200000000" HOME "0101" MAC
#define SOLICIT_DAD  TO_GROUP "6000000000183aff" NOBODY GROUP "87004c4e00000000" HOME
#define ANNOUNCEMENT TO_ALL "6000000000203aff" LINK_LOCAL ALL_NODES "8800291320000000" HOME "0201" MAC
#define ANSWER                                                             \
    TO_99 "6000000000203aff" LINK_LOCAL "20010db8000100000000000000000099" \
          "8800d9c340000000" HOME "0201" MAC
#define ANSWER_DAD TO_ALL "6000000000203aff" LINK_LOCAL ALL_NODES "8800491300000000" HOME "0201" MAC
#define ROUTER_SOLICITATION                                                        \
    "33330000000202000000009986dd6000000000103afffe800000000000000000000000000099" \
    "ff020000000000000000000000000002850078fc000000000101020000000099"
#define ROUTER                                                                        \
    TO_ALL "6000000000503aff" LINK_LOCAL ALL_NODES "8600b132406007080000000000000000" \
           "0101" MAC "05010000000005dc030440e000278d0000093a8000000000" AGENT        \
           "07010000000027100801 0000000a0708"

static const struct mac own_mac = {{2, 0, 0, 0, 0, 1}}, neighbor_mac = {{2, 0, 0, 0, 0, 0x99}};

static struct addr parsed(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

static void check_address(const struct addr *a, const char *text)
{
    char buf[ADDR_TEXT_MAX];
    ck_assert_str_eq(addr_format(a, buf), text);
}

static void check_frame(const struct writer *w, const char *hex)
{
    uint8_t right[256];
    size_t len = hex_bytes(hex, right, sizeof(right));
    ck_assert(!w->failed);
    ck_assert_uint_eq(writer_len(w), len);
    ck_assert_mem_eq(w->start, right, len);
}

/* ---- Encoding ---- */

START_TEST(solicitations)
{
    struct addr own = parsed("2001:db8:1::2"), home = parsed("2001:db8:1::50");
    uint8_t room[256];
    struct writer w = writer_over(room, sizeof(room));
    nd_encode_solicitation(&w, &own_mac, &own, &home, NULL);
    check_frame(&w, SOLICIT_ALL);
    w = writer_over(room, sizeof(room));
    nd_encode_solicitation(&w, &own_mac, &own, &home, &neighbor_mac);
    check_frame(&w, SOLICIT_ONE);
    w = writer_over(room, sizeof(room));
    nd_encode_solicitation(&w, &own_mac, &addr_unspecified, &home, NULL);
    check_frame(&w, SOLICIT_DAD);
    w = writer_over(room, 77);
    nd_encode_solicitation(&w, &own_mac, &addr_unspecified, &home, NULL);
    ck_assert(w.failed);
}
END_TEST

static const struct {
    const char *what, *to;
    bool unicast;
    uint8_t flags;
    const char *hex;
} advertisements[] = {
    {"a binding is announced (RFC 6275 section 10.4.1)", "ff02::1", false, ND_OVERRIDE, ANNOUNCEMENT},
    {"proxy's answer (RFC 4861 section 7.2.8)", "2001:db8:1::99", true, ND_SOLICITED, ANSWER},
    {"proxy's answer to nobody (section 7.2.4)", "ff02::1", false, 0, ANSWER_DAD},
};

START_TEST(advertisement_bytes)
{
    struct addr own = addr_link_local_from_mac(&own_mac), home = parsed("2001:db8:1::50");
    struct addr to = parsed(advertisements[_i].to);
    uint8_t room[256];
    struct writer w = writer_over(room, sizeof(room));
    nd_encode_advertisement(&w, &own_mac, &own, &to, advertisements[_i].unicast ? &neighbor_mac : NULL, &home,
                            &own_mac, advertisements[_i].flags);
    check_frame(&w, advertisements[_i].hex);
}
END_TEST

static struct nd_router router_sample(void)
{
    struct nd_router r = {.hop_limit = 64,
                          .flags = ND_OTHER | ND_HOME_AGENT,
                          .lifetime_s = 1800,
                          .mtu = 1500,
                          .interval_ms = 10000,
                          .has_home_agent = true,
                          .preference = 10,
                          .home_agent_lifetime_s = 1800,
                          .n_prefixes = 1};
    r.prefixes[0] = (struct nd_prefix){.prefix = {.addr = parsed("2001:db8:1::2"), .bits = 64},
                                       .flags = ND_PREFIX_ON_LINK | ND_PREFIX_AUTONOMOUS | ND_PREFIX_ADDRESS,
                                       .valid_s = 2592000,
                                       .preferred_s = 604800};
    return r;
}

START_TEST(router_bytes)
{
    struct addr own = addr_link_local_from_mac(&own_mac);
    struct nd_router r = router_sample();
    uint8_t room[256];
    struct writer w = writer_over(room, sizeof(room));
    nd_encode_router(&w, &own_mac, &own, &addr_all_nodes, NULL, &r);
    check_frame(&w, ROUTER);
}
END_TEST

START_TEST(router_with_much_to_say)
{
    struct addr own = addr_link_local_from_mac(&own_mac);
    struct nd_router r = router_sample();
    for (r.n_prefixes = 1; r.n_prefixes < ND_PREFIXES_MAX; r.n_prefixes++) {
        r.prefixes[r.n_prefixes] = r.prefixes[0];
        r.prefixes[r.n_prefixes].prefix.addr.b[7] = (uint8_t)r.n_prefixes;
    }
    uint8_t room[1514];
    struct writer w = writer_over(room, sizeof(room));
    nd_encode_router(&w, &own_mac, &own, &addr_all_nodes, NULL, &r);
    ck_assert(!w.failed);
    struct ip_header ip;
    struct nd nd;
    ck_assert_int_eq(ip_decode(room + 14, writer_len(&w) - 14, &ip, NULL), IP_DECODED);
    ck_assert(nd_decode(&ip, room + 54, writer_len(&w) - 54, &nd));
    ck_assert_uint_eq(nd.router.n_prefixes, ND_PREFIXES_MAX);
    ck_assert_uint_eq(nd.router.prefixes[15].prefix.addr.b[7], 15);
    ck_assert_uint_eq(nd.router.home_agent_lifetime_s, 1800);
}
END_TEST

START_TEST(group_mac)
{
    char buf[MAC_TEXT_MAX];
    struct addr group = parsed("ff02::1:ff12:3456");
    struct mac mac = icmp6_group_mac(&group);
    ck_assert_str_eq(mac_format(&mac, buf), "33:33:ff:12:34:56");
}
END_TEST

/* ---- Decoding ---- */

static bool decode_frame(const char *hex, struct nd *out)
{
    uint8_t frame[512];
    size_t len = hex_bytes(hex, frame, sizeof(frame));
    struct ip_header ip;
    ck_assert_int_eq(ip_decode(frame + 14, len - 14, &ip, NULL), IP_DECODED);
    return nd_decode(&ip, frame + 14 + ip.header_len, len - 14U - ip.header_len, out);
}

/* The message from source to destination, its checksum right unless spoilt. */
static bool decode_message(const char *source, const char *destination, const char *hex, uint8_t hop_limit,
                           uint8_t spoil, struct nd *out)
{
    struct ip_header ip = {.ttl = hop_limit,
                           .protocol = IPPROTO_NUM_ICMPV6,
                           .header_len = IPV6_HEADER,
                           .source = parsed(source),
                           .destination = parsed(destination)};
    uint8_t bytes[256];
    size_t len = hex_bytes(hex, bytes, sizeof(bytes));
    icmp6_checksum(bytes, len, &ip.source, &ip.destination);
    bytes[2] ^= spoil;
    return nd_decode(&ip, bytes, len, out);
}

START_TEST(solicitation_fields)
{
    struct nd nd;
    ck_assert(decode_frame(SOLICIT_ALL, &nd));
    ck_assert_int_eq(nd.type, ND_NEIGHBOR_SOLICITATION);
    check_address(&nd.source, "2001:db8:1::2");
    check_address(&nd.destination, "ff02::1:ff00:50");
    check_address(&nd.target, "2001:db8:1::50");
    ck_assert(nd.has_mac && mac_equal(&nd.mac, &own_mac));
    ck_assert(decode_frame(SOLICIT_DAD, &nd));
    ck_assert(addr_is_unspecified(&nd.source) && !nd.has_mac);
}
END_TEST

START_TEST(reserved_bits)
{
    struct nd nd;
    ck_assert(decode_message(NEIGHBOR, "2001:db8:1::50", "87000000ffffffff" HOME, 255, 0, &nd));
    ck_assert_uint_eq(nd.flags, 0);
    ck_assert(decode_message(NEIGHBOR, "2001:db8:1::2", "88000000ffffffff" HOME, 255, 0, &nd));
    ck_assert_uint_eq(nd.flags, ND_ROUTER | ND_SOLICITED | ND_OVERRIDE);
}
END_TEST

START_TEST(advertisement_fields)
{
    struct nd nd;
    ck_assert(decode_frame(ANSWER, &nd));
    ck_assert_int_eq(nd.type, ND_NEIGHBOR_ADVERTISEMENT);
    ck_assert_uint_eq(nd.flags, ND_SOLICITED);
    check_address(&nd.target, "2001:db8:1::50");
    ck_assert(nd.has_mac && mac_equal(&nd.mac, &own_mac));
    ck_assert(decode_frame(ANNOUNCEMENT, &nd));
    ck_assert_uint_eq(nd.flags, ND_OVERRIDE);
}
END_TEST

START_TEST(router_fields)
{
    struct nd nd;
    ck_assert(decode_frame(ROUTER_SOLICITATION, &nd));
    ck_assert_int_eq(nd.type, ND_ROUTER_SOLICITATION);
    ck_assert(nd.has_mac && mac_equal(&nd.mac, &neighbor_mac));

    ck_assert(decode_frame(ROUTER, &nd));
    const struct nd_router *r = &nd.router, right = router_sample();
    ck_assert_int_eq(nd.type, ND_ROUTER_ADVERTISEMENT);
    check_address(&nd.source, "fe80::ff:fe00:1");
    ck_assert(nd.has_mac && mac_equal(&nd.mac, &own_mac));
    ck_assert_uint_eq(r->hop_limit, 64);
    ck_assert_uint_eq(r->flags, right.flags);
    ck_assert_uint_eq(r->lifetime_s, 1800);
    ck_assert_uint_eq(r->mtu, 1500);
    ck_assert_uint_eq(r->interval_ms, 10000);
    ck_assert(r->has_home_agent);
    ck_assert_uint_eq(r->preference, 10);
    ck_assert_uint_eq(r->home_agent_lifetime_s, 1800);
    ck_assert_uint_eq(r->n_prefixes, 1);
    check_address(&r->prefixes[0].prefix.addr, "2001:db8:1::2");
    ck_assert_uint_eq(r->prefixes[0].prefix.bits, 64);
    ck_assert_uint_eq(r->prefixes[0].flags, 0xe0);
    ck_assert_uint_eq(r->prefixes[0].valid_s, 2592000);
    ck_assert_uint_eq(r->prefixes[0].preferred_s, 604800);
}
END_TEST

/* ---- The checks of RFC 4861 sections 6.1 and 7.1, and what is let pass ---- */

#define SLLA                  "0101020000000099"
#define TLLA                  "0201020000000099"
#define NS                    "8700000000000000"
#define NA(flags)             "88000000" flags "000000"
#define RS                    "8500000000000000"
#define RA(flags)             "8600000040" flags "07080000000000000000"
#define PREFIX(bits, address) "0304" bits "c0 00278d00 00093a80 00000000" address

static const struct {
    const char *what, *source, *destination, *hex;
    bool good;
} messages[] = {
    {"NS to the group", NEIGHBOR, "ff02::1:ff00:50", NS HOME SLLA, true},
    {"NS to the target itself", NEIGHBOR, "2001:db8:1::50", NS HOME SLLA, true},
    {"NS to the target itself, no option", NEIGHBOR, "2001:db8:1::50", NS HOME, true},
    {"NS, code 1", NEIGHBOR, "ff02::1:ff00:50", "8701000000000000" HOME SLLA, false},
    {"NS of 23 bytes", NEIGHBOR, "2001:db8:1::50", NS "20010db80001000000000000000000", false},
    {"NS for a group", NEIGHBOR, "ff02::1:ff00:50", NS ALL_NODES SLLA, false},
    {"NS for a mapped address", NEIGHBOR, "ff02::1:ff01:32", NS "00000000000000000000ffff0a010032" SLLA,
     false},
    {"NS, option of no length", NEIGHBOR, "ff02::1:ff00:50", NS HOME "0100020000000099", false},
    {"NS, option beyond the end", NEIGHBOR, "ff02::1:ff00:50", NS HOME "0102020000000099", false},
    {"NS, option of one byte", NEIGHBOR, "ff02::1:ff00:50", NS HOME SLLA "01", false},
    {"NS, unknown option", NEIGHBOR, "ff02::1:ff00:50", NS HOME "0e01000000000000" SLLA, true},
    {"NS, unknown option of no length", NEIGHBOR, "ff02::1:ff00:50", NS HOME "0e00000000000000", false},
    {"NS from nobody", "::", "ff02::1:ff00:50", NS HOME, true},
    {"NS from nobody to another group", "::", "ff02::1:ff00:51", NS HOME, false},
    {"NS from nobody to all nodes", "::", "ff02::1", NS HOME, false},
    {"NS from nobody to the target", "::", "2001:db8:1::50", NS HOME, false},
    {"NS from nobody with a MAC address", "::", "ff02::1:ff00:50", NS HOME SLLA, false},

    {"NA", NEIGHBOR, "2001:db8:1::2", NA("60") HOME TLLA, true},
    {"NA without the option", NEIGHBOR, "2001:db8:1::2", NA("60") HOME, true},
    {"NA to all", NEIGHBOR, "ff02::1", NA("20") HOME TLLA, true},
    {"NA to all, solicited", NEIGHBOR, "ff02::1", NA("60") HOME TLLA, false},
    {"NA, code 1", NEIGHBOR, "ff02::1", "8801000020000000" HOME TLLA, false},
    {"NA for a group", NEIGHBOR, "ff02::1", NA("20") ALL_NODES TLLA, false},
    {"NA for a mapped address", NEIGHBOR, "ff02::1", NA("20") "00000000000000000000ffff0a010032" TLLA, false},
    {"NA of 23 bytes", NEIGHBOR, "ff02::1", NA("20") "20010db80001000000000000000000", false},
    {"NA, option of no length", NEIGHBOR, "ff02::1", NA("20") HOME "0200020000000099", false},

    {"RS", "fe80::99", "ff02::2", RS SLLA, true},
    {"RS from nobody", "::", "ff02::2", RS, true},
    {"RS from nobody with a MAC address", "::", "ff02::2", RS SLLA, false},
    {"RS, code 1", "fe80::99", "ff02::2", "8501000000000000" SLLA, false},
    {"RS of 7 bytes", "fe80::99", "ff02::2", "85000000000000", false},
    {"RS, option of no length", "fe80::99", "ff02::2", RS "0100020000000099", false},

    {"RA", "fe80::99", "ff02::1", RA("20") SLLA, true},
    {"RA without options", "fe80::99", "ff02::1", RA("20"), true},
    {"RA not from a link-local address", NEIGHBOR, "ff02::1", RA("20") SLLA, false},
    {"RA from nobody", "::", "ff02::1", RA("20"), false},
    {"RA, code 1", "fe80::99", "ff02::1", "86010000402007080000000000000000", false},
    {"RA of 15 bytes", "fe80::99", "ff02::1", "860000004020070800000000000000", false},
    {"RA, option of no length", "fe80::99", "ff02::1", RA("20") "0300000000000000", false},
    {"RA, prefix option cut", "fe80::99", "ff02::1", RA("20") "030440e000278d00", false},

    {"redirect", "fe80::99", "2001:db8:1::2", "8900000000000000" HOME HOME, false},
    {"echo request", "fe80::99", "2001:db8:1::2", "8000000000070001", false},
};

START_TEST(checks)
{
    struct nd nd, untouched;
    memset(&nd, 0x5a, sizeof(nd));
    untouched = nd;
    ck_assert_msg(decode_message(messages[_i].source, messages[_i].destination, messages[_i].hex, 255, 0,
                                 &nd) == messages[_i].good,
                  "%s", messages[_i].what);
    if (!messages[_i].good)
        ck_assert_mem_eq(&nd, &untouched, sizeof(nd));
    /* None from beyond the link, none with a wrong checksum. */
    ck_assert(!decode_message(messages[_i].source, messages[_i].destination, messages[_i].hex, 254, 0, &nd));
    ck_assert(!decode_message(messages[_i].source, messages[_i].destination, messages[_i].hex, 255, 1, &nd));
}
END_TEST

static const struct {
    const char *what, *option;
    bool has_mac;
} macs[] = {
    {"a station's", "0101020000000099", true},
    {"of another kind", "0201020000000099", false},
    {"too long for Ethernet", "0102020000000099 0000000000000000", false},
    {"a group's", "0101333300000001", false},
    {"everybody's", "0101ffffffffffff", false},
    {"zero", "0101000000000000", false},
    {"the first of two", "0101020000000099 0101020000000098", true},
};

START_TEST(mac_options)
{
    struct nd nd;
    char hex[256];
    snprintf(hex, sizeof(hex), NS HOME "%s", macs[_i].option);
    ck_assert(decode_message(NEIGHBOR, "2001:db8:1::50", hex, 255, 0, &nd));
    ck_assert_msg(nd.has_mac == macs[_i].has_mac, "%s", macs[_i].what);
    if (nd.has_mac)
        ck_assert(mac_equal(&nd.mac, &neighbor_mac));
}
END_TEST

static const struct {
    const char *what, *hex;
    size_t n_prefixes;
    bool has_home_agent;
} routers[] = {
    {"a prefix", RA("20") PREFIX("40", AGENT), 1, false},
    {"a prefix of 129 bits", RA("20") PREFIX("81", AGENT), 0, false},
    {"a prefix of IPv4", RA("20") PREFIX("78", "00000000000000000000ffff0a010000"), 0, false},
    {"home agent information", RA("20") "0801 0000 000a 0708", 0, true},
    {"home agent information without H", RA("00") "0801 0000 000a 0708", 0, false},
    {"home agent information of no lifetime", RA("20") "0801 0000 000a 0000", 0, true},
};

START_TEST(router_options)
{
    struct nd nd;
    ck_assert(decode_message("fe80::99", "ff02::1", routers[_i].hex, 255, 0, &nd));
    ck_assert_msg(nd.router.n_prefixes == routers[_i].n_prefixes, "%s", routers[_i].what);
    ck_assert_msg(nd.router.has_home_agent == routers[_i].has_home_agent, "%s", routers[_i].what);
}
END_TEST

START_TEST(too_many_prefixes)
{
    char hex[4096] = RA("20");
    for (int i = 0; i <= ND_PREFIXES_MAX; i++)
        strcat(hex, PREFIX("40", AGENT));
    struct ip_header ip = {.ttl = 255,
                           .protocol = IPPROTO_NUM_ICMPV6,
                           .source = parsed("fe80::99"),
                           .destination = addr_all_nodes};
    uint8_t bytes[1024];
    size_t len = hex_bytes(hex, bytes, sizeof(bytes));
    icmp6_checksum(bytes, len, &ip.source, &ip.destination);
    struct nd nd;
    ck_assert(nd_decode(&ip, bytes, len, &nd));
    ck_assert_uint_eq(nd.router.n_prefixes, ND_PREFIXES_MAX);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("nd");
    TCase *tc = tcase_create("nd");
    tcase_add_test(tc, solicitations);
    tcase_add_loop_test(tc, advertisement_bytes, 0, ROWS(advertisements));
    tcase_add_test(tc, router_bytes);
    tcase_add_test(tc, router_with_much_to_say);
    tcase_add_test(tc, group_mac);
    tcase_add_test(tc, solicitation_fields);
    tcase_add_test(tc, advertisement_fields);
    tcase_add_test(tc, reserved_bits);
    tcase_add_test(tc, router_fields);
    tcase_add_loop_test(tc, checks, 0, ROWS(messages));
    tcase_add_loop_test(tc, mac_options, 0, ROWS(macs));
    tcase_add_loop_test(tc, router_options, 0, ROWS(routers));
    tcase_add_test(tc, too_many_prefixes);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
