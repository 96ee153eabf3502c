/* SPDX-License-Identifier: BSD-3-Clause */
#include "icmp.h"
#include "inet.h"

#include "../check_main.h"

/* Made by scapy (IPv6, IPv6ExtHdrDestOpt with HAO, IPv6ExtHdrRouting type 2, UDP): 2001:db8:1::2 is the home
 * agent, 2001:db8:2::77 the care-of address, 2001:db8:1::50 the home address. */
#define AGENT         "20010db8000100000000000000000002"
#define CARE_OF       "20010db8000200000000000000000077"
#define HOME          "20010db8000100000000000000000050"
#define HOME_OPTION   "c910" HOME
#define UDP_PLAIN     "60000000000d1140" AGENT CARE_OF "01b21388000d4ada68656c6c6f"
#define UDP_FROM_HOME "6b81234500253c3f" CARE_OF AGENT "110201020000" HOME_OPTION "138801b2000d4b0268656c6c6f"
#define UDP_TO_HOME   "6000000000252b40" AGENT CARE_OF "1102020100000000" HOME "01b21388000d4b0268656c6c6f"
#define BOTH_HOMES                                                              \
    "6000000000302b40" AGENT CARE_OF "3c02020100000000" HOME "3b0201020000c910" \
    "20010db8000300000000000000000009"

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

static struct udp hello(const char *source, const char *destination)
{
    return (struct udp){.source = parsed(source),
                        .destination = parsed(destination),
                        .source_port = 434,
                        .destination_port = 5000,
                        .payload = (const uint8_t *)"hello",
                        .payload_len = 5};
}

START_TEST(udp_bytes)
{
    uint8_t right[128], bytes[128];
    size_t len = hex_bytes(UDP_PLAIN, right, sizeof(right));
    struct udp u = hello("2001:db8:1::2", "2001:db8:2::77");
    struct writer w = writer_over(bytes, sizeof(bytes));
    udp_encode(&w, &u, 64, 0x1234); /* no identification over IPv6 */
    ck_assert_uint_eq(writer_len(&w), len);
    ck_assert_mem_eq(bytes, right, len);

    struct writer small = writer_over(bytes, len - 1);
    udp_encode(&small, &u, 64, 1);
    ck_assert(small.failed);
}
END_TEST

static const struct {
    const char *what, *hex;
    const char *source, *destination; /* as upper layers see them */
} arrivals[] = {
    {"plain", UDP_PLAIN, "2001:db8:1::2", "2001:db8:2::77"},
    {"from a home address", UDP_FROM_HOME, "2001:db8:1::50", "2001:db8:1::2"},
    {"to a home address", UDP_TO_HOME, "2001:db8:1::2", "2001:db8:1::50"},
};

/* The checksum covers the final addresses (RFC 6275 section 6.1.1, RFC 8200 section 8.1). */
START_TEST(udp_between_final_addresses)
{
    uint8_t bytes[128];
    size_t len = hex_bytes(arrivals[_i].hex, bytes, sizeof(bytes));
    struct ip_header ip;
    struct udp u;
    ck_assert_int_eq(ip_decode(bytes, len, &ip, NULL), IP_DECODED);
    ck_assert_int_eq(udp_decode(&ip, bytes + ip.header_len, len - ip.header_len, &u), UDP_OK);
    check_address(&u.source, arrivals[_i].source);
    check_address(&u.destination, arrivals[_i].destination);
    ck_assert_uint_eq(u.payload_len, 5);

    bytes[len - 1] ^= 1;
    ck_assert_int_eq(udp_decode(&ip, bytes + ip.header_len, len - ip.header_len, &u), UDP_BAD_CHECKSUM);
    bytes[len - 1] ^= 1;
    ip.home = addr_unspecified;
    ip.routed_home = addr_unspecified;
    ck_assert_int_eq(udp_decode(&ip, bytes + ip.header_len, len - ip.header_len, &u),
                     _i == 0 ? UDP_OK : UDP_BAD_CHECKSUM);
}
END_TEST

/* RFC 8200 section 8.1. */
START_TEST(udp_without_checksum)
{
    uint8_t bytes[128];
    size_t len = hex_bytes(UDP_PLAIN, bytes, sizeof(bytes));
    struct ip_header ip;
    struct udp u;
    bytes[46] = bytes[47] = 0;
    ck_assert_int_eq(ip_decode(bytes, len, &ip, NULL), IP_DECODED);
    ck_assert_int_eq(udp_decode(&ip, bytes + 40, len - 40, &u), UDP_BAD_CHECKSUM);
}
END_TEST

START_TEST(fields)
{
    uint8_t bytes[128];
    size_t len = hex_bytes(UDP_FROM_HOME, bytes, sizeof(bytes));
    struct ip_header ip;
    ck_assert_int_eq(ip_decode(bytes, len, &ip, NULL), IP_DECODED);
    ck_assert_uint_eq(ip.tos, 0xb8);
    ck_assert_uint_eq(ip.flow, 0x12345);
    ck_assert_uint_eq(ip.ttl, 63);
    ck_assert_uint_eq(ip.protocol, IPPROTO_NUM_UDP);
    ck_assert_uint_eq(ip.header_len, 64);
    ck_assert_uint_eq(ip.total_len, 77);
    ck_assert_uint_eq(ip.fragment, 0);
    check_address(&ip.source, "2001:db8:2::77");
    check_address(&ip.destination, "2001:db8:1::2");
    check_address(&ip.home, "2001:db8:1::50");
    ck_assert(addr_equal(&ip.routed_home, &addr_unspecified));
    ck_assert_ptr_eq(ip_source(&ip), &ip.home);
    ck_assert_ptr_eq(ip_destination(&ip), &ip.destination);
}
END_TEST

static const struct {
    const char *what, *hex;
} headers[] = {
    {"plain", UDP_PLAIN},
    {"Home Address option", UDP_FROM_HOME},
    {"type 2 routing header", UDP_TO_HOME},
    {"both", BOTH_HOMES},
    {"router alert (RFC 2711)", "6000000000080001" AGENT CARE_OF "3b00050200000100"},
    {"router alert and both", "6000000000380040" AGENT CARE_OF "2b00050200000100"
                              "3c02020100000000" HOME "3b0201020000c91020010db8000300000000000000000009"},
};

START_TEST(header_both_ways)
{
    uint8_t bytes[128], again[128];
    size_t len = hex_bytes(headers[_i].hex, bytes, sizeof(bytes));
    struct ip_header ip;
    ck_assert_int_eq(ip_decode(bytes, len, &ip, NULL), IP_DECODED);
    ck_assert_uint_eq(ip_header_size(&ip), ip.header_len);

    struct writer w = writer_over(again, sizeof(again));
    ip_encode(&w, &ip);
    ck_assert(!w.failed);
    ck_assert_uint_eq(writer_len(&w), ip.header_len);
    ck_assert_mem_eq(again, bytes, ip.header_len);

    struct writer small = writer_over(again, ip.header_len - 1U);
    ip_encode(&small, &ip);
    ck_assert(small.failed);
    ip.total_len = ip.header_len - 1;
    w = writer_over(again, sizeof(again));
    ip_encode(&w, &ip);
    ck_assert_msg(w.failed, "a header longer than the datagram");
}
END_TEST

/* ---- What comes behind the fixed header ---- */

#define ICMP_ECHO "8000000000070001" /* its checksum is no matter here */
#define RH2_OK    "3b02020100000000" HOME

static const struct {
    const char *what;
    uint8_t next;
    const char *hex;
    enum ip_decode result;
    uint8_t code; /* of a problem */
    uint32_t pointer;
    uint8_t protocol; /* of anything but malformed */
    uint16_t header_len;
} chains[] = {
    {"no next header", 59, "", IP_DECODED, 0, 0, 59, 40},
    {"ICMPv6", 58, ICMP_ECHO, IP_DECODED, 0, 0, 58, 40},
    {"ESP", 50, "0000010000000001", IP_DECODED, 0, 0, 50, 40},
    {"mobility header", 135, "3b01050000000000", IP_DECODED, 0, 0, 135, 40},
    {"IPv6 in IPv6", 41, "60", IP_DECODED, 0, 0, 41, 40},
    {"IPv4 in IPv6", 4, "45", IP_DECODED, 0, 0, 4, 40},
    {"TCP, which nobody serves", 6, "00", IP_PROBLEM, 1, 6, 6, 40},
    {"authentication header, which we do not have", 51, ICMP_ECHO, IP_PROBLEM, 1, 6, 51, 40},
    {"unknown behind options", 60, "fd00010400000000", IP_PROBLEM, 1, 40, 253, 48},

    {"hop-by-hop with router alert", 0, "3a00050200000100" ICMP_ECHO, IP_DECODED, 0, 0, 58, 48},
    {"hop-by-hop second", 60, "0000010400000000 3a00010400000000", IP_PROBLEM, 1, 40, 0, 48},
    {"hop-by-hop after itself", 0, "0000010400000000 3a00010400000000", IP_PROBLEM, 1, 40, 0, 48},
    {"hop-by-hop with a jumbo length", 0, "3b00c20400010000", IP_PROBLEM, 2, 42, 0, 40},
    {"hop-by-hop cut", 0, "3a000502000001", IP_MALFORMED, 0, 0, 0, 0},
    {"hop-by-hop longer than the datagram", 0, "3a01050200000100", IP_MALFORMED, 0, 0, 0, 0},

    {"options: padding alone", 60, "3b00000000000000", IP_DECODED, 0, 0, 59, 48},
    {"options: PadN to the end", 60, "3b00000103000000", IP_DECODED, 0, 0, 59, 48},
    {"options: PadN beyond the end", 60, "3b00000104000000", IP_MALFORMED, 0, 0, 0, 0},
    {"options: type without length", 60, "3b00000000000004", IP_MALFORMED, 0, 0, 0, 0},
    {"options: tunnel encapsulation limit", 60, "3b00040104010100", IP_DECODED, 0, 0, 59, 48},
    {"options: unknown, skipped", 60, "3b001e0400000000", IP_DECODED, 0, 0, 59, 48},
    {"options: unknown, discarded", 60, "3b005e0400000000", IP_MALFORMED, 0, 0, 0, 0},
    {"options: unknown, told", 60, "3b00009e03000000", IP_PROBLEM, 2, 43, 60, 40},
    {"options: unknown, told if unicast", 60, "3b00de0400000000", IP_PROBLEM, 2, 42, 60, 40},
    {"options: twice", 60, "3c00010400000000 3b00010400000000", IP_DECODED, 0, 0, 59, 56},

    {"home address", 60, "3b0201020000" HOME_OPTION, IP_DECODED, 0, 0, 59, 64},
    {"home address, elsewhere in its header", 60, "3b02" HOME_OPTION "01020000", IP_DECODED, 0, 0, 59, 64},
    {"home address before options", 60, "3c0201020000" HOME_OPTION "3b00010400000000", IP_DECODED, 0, 0, 59,
     72},
    {"home address before ESP", 60, "320201020000" HOME_OPTION "0000010000000001", IP_DECODED, 0, 0, 50, 64},
    {"home address after a routing header", 43,
     "3c0202010000000020010db8000100000000000000000051 3b0201020000" HOME_OPTION, IP_DECODED, 0, 0, 59, 88},
    {"home address before a routing header", 60, "2b0201020000" HOME_OPTION RH2_OK, IP_MALFORMED, 0, 0, 0, 0},
    {"home address twice", 60, "3c0201020000" HOME_OPTION "3b0201020000" HOME_OPTION, IP_MALFORMED, 0, 0, 0,
     0},
    {"home address twice in one header", 60, "3b04" HOME_OPTION "0100" HOME_OPTION, IP_MALFORMED, 0, 0, 0, 0},
    {"home address of 15 bytes", 60, "3b02010300 0000c90f20010db80001000000000000000000", IP_MALFORMED, 0, 0,
     0, 0},
    {"home address hop by hop", 0, "3b0201020000" HOME_OPTION, IP_MALFORMED, 0, 0, 0, 0},
    {"home address after an atomic fragment", 44, "3c00000000000001 3b0201020000" HOME_OPTION, IP_MALFORMED,
     0, 0, 0, 0},
    {"home address before an atomic fragment", 60, "2c0201020000" HOME_OPTION "3b00000000000001", IP_DECODED,
     0, 0, 59, 72},
    {"home address unspecified", 60, "3b0201020000c91000000000000000000000000000000000", IP_MALFORMED, 0, 0,
     0, 0},
    {"home address loopback", 60, "3b0201020000c91000000000000000000000000000000001", IP_MALFORMED, 0, 0, 0,
     0},
    {"home address link-local", 60, "3b0201020000c910fe800000000000000000000000000001", IP_MALFORMED, 0, 0, 0,
     0},
    {"home address multicast", 60, "3b0201020000c910ff020000000000000000000000000001", IP_MALFORMED, 0, 0, 0,
     0},
    {"home address mapped", 60, "3b0201020000c91000000000000000000000ffff0a010032", IP_MALFORMED, 0, 0, 0, 0},

    {"routing type 2", 43, RH2_OK, IP_DECODED, 0, 0, 59, 64},
    {"routing type 2, no segment left", 43, "3b02020000000000" HOME, IP_MALFORMED, 0, 0, 0, 0},
    {"routing type 2, two segments left", 43, "3b02020200000000" HOME, IP_MALFORMED, 0, 0, 0, 0},
    {"routing type 2, too long", 43, "3b03020100000000" HOME "0000000000000000", IP_MALFORMED, 0, 0, 0, 0},
    {"routing type 2, too short", 43, "3b01020100000000 0000000000000000", IP_MALFORMED, 0, 0, 0, 0},
    {"routing type 2 to a group", 43, "3b02020100000000ff020000000000000000000000000001", IP_MALFORMED, 0, 0,
     0, 0},
    {"routing type 2 to a mapped address", 43, "3b0202010000000000000000000000000000ffff0a010032",
     IP_MALFORMED, 0, 0, 0, 0},
    {"routing type 2 twice", 43, "2b02020100000000" HOME RH2_OK, IP_MALFORMED, 0, 0, 0, 0},
    {"routing type 0, no segment left", 43, "3b02000000000000" HOME, IP_DECODED, 0, 0, 59, 64},
    {"routing type 0, one segment left", 43, "3b02000100000000" HOME, IP_PROBLEM, 0, 42, 43, 40},
    {"routing type 4 behind options", 60, "2b00010400000000 3b00040100000000", IP_PROBLEM, 0, 50, 43, 48},

    {"atomic fragment", 44, "3a00000012345678" ICMP_ECHO, IP_DECODED, 0, 0, 58, 48},
    {"first fragment", 44, "3a00000112345678" ICMP_ECHO, IP_FRAGMENT, 0, 0, 58, 48},
    {"later fragment", 44, "3a00000912345678" ICMP_ECHO, IP_FRAGMENT, 0, 0, 58, 48},
    {"last fragment", 44, "3a00000812345678" ICMP_ECHO, IP_FRAGMENT, 0, 0, 58, 48},
    {"fragment header cut", 44, "3a000000123456", IP_MALFORMED, 0, 0, 0, 0},
};

/* A datagram from 2001:db8:2::77 to 2001:db8:1::2 with that behind its header. */
static size_t chain(int i, uint8_t bytes[static 256])
{
    size_t len = 40 + hex_bytes(chains[i].hex, bytes + 40, 256 - 40);
    hex_bytes("6000000000000040" CARE_OF AGENT, bytes, 40);
    bytes[5] = (uint8_t)(len - 40);
    bytes[6] = chains[i].next;
    return len;
}

START_TEST(chain_rules)
{
    uint8_t bytes[256];
    size_t len = chain(_i, bytes);
    struct ip_header ip, untouched;
    struct ip_problem problem = {.code = 77};
    memset(&ip, 0x5a, sizeof(ip));
    untouched = ip;
    ck_assert_msg(ip_decode(bytes, len, &ip, &problem) == chains[_i].result, "%s", chains[_i].what);
    ck_assert_int_eq(ip_decode(bytes, len, &(struct ip_header){0}, NULL), chains[_i].result);
    if (chains[_i].result == IP_MALFORMED) {
        ck_assert_mem_eq(&ip, &untouched, sizeof(ip));
        return;
    }
    ck_assert_msg(ip.protocol == chains[_i].protocol, "%s: %u", chains[_i].what, ip.protocol);
    ck_assert_msg(ip.header_len == chains[_i].header_len, "%s: %u", chains[_i].what, ip.header_len);
    ck_assert_uint_eq(problem.code, chains[_i].result == IP_PROBLEM ? chains[_i].code : 77);
    ck_assert_msg(problem.pointer == chains[_i].pointer, "%s: at %u", chains[_i].what, problem.pointer);
}
END_TEST

/* Whatever a header holds, the datagram cut anywhere is malformed, and is never read behind its end. */
START_TEST(chain_cut)
{
    uint8_t bytes[256];
    size_t len = chain(_i, bytes);
    const bool good = ip_decode_beginning(bytes, len, &(struct ip_header){0});
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *exact = malloc(cut > 0 ? cut : 1);
        memcpy(exact, bytes, cut);
        struct ip_header ip;
        ck_assert_int_eq(ip_decode(exact, cut, &ip, NULL), IP_MALFORMED);
        const bool begins = ip_decode_beginning(exact, cut, &ip);
        ck_assert(cut >= 40 ? begins || !good : !begins);
        free(exact);
    }
}
END_TEST

/* RFC 8200 section 4.2: only the option that says so is answered where it went to many. */
START_TEST(option_to_a_group)
{
    static const struct {
        const char *hex;
        enum ip_decode result;
    } rows[] = {{"3b009e0400000000", IP_PROBLEM}, {"3b00de0400000000", IP_MALFORMED}};
    for (int i = 0; i < ROWS(rows); i++) {
        uint8_t bytes[48];
        hex_bytes("6000000000083c40" CARE_OF "ff020000000000000000000000000001", bytes, sizeof(bytes));
        hex_bytes(rows[i].hex, bytes + 40, 8);
        struct ip_header ip;
        ck_assert_int_eq(ip_decode(bytes, sizeof(bytes), &ip, NULL), rows[i].result);
    }
}
END_TEST

static const struct {
    const char *what;
    size_t at;
    uint8_t value;
    size_t len;
    bool good;
} fixed[] = {
    {"as it is", 0, 0x60, 53, true},
    {"with padding behind", 0, 0x60, 60, true},
    {"cut in its data", 0, 0x60, 52, false},
    {"cut in its header", 0, 0x60, 39, false},
    {"version 7", 0, 0x70, 53, false},
    {"payload longer than the frame", 5, 0x0e, 53, false},
    {"payload shorter than the frame", 5, 0x0c, 53, true},
    {"longer than any datagram", 4, 0xff, 53, false},
};

START_TEST(fixed_header)
{
    uint8_t bytes[64] = {0};
    struct ip_header ip;
    hex_bytes(UDP_PLAIN, bytes, sizeof(bytes));
    bytes[fixed[_i].at] = fixed[_i].value;
    ck_assert_msg((ip_decode(bytes, fixed[_i].len, &ip, NULL) == IP_DECODED) == fixed[_i].good, "%s",
                  fixed[_i].what);
    if (fixed[_i].good)
        ck_assert_uint_eq(ip.total_len, 40U + bytes[5]);
}
END_TEST

/* ::ffff:10.1.0.50 on the wire must not be taken for what came in by IPv4. */
START_TEST(no_mapped_addresses)
{
    static const char mapped[] = "00000000000000000000ffff0a010032";
    for (size_t at = 8; at <= 24; at += 16) {
        uint8_t bytes[64];
        size_t len = hex_bytes(UDP_PLAIN, bytes, sizeof(bytes));
        struct ip_header ip;
        hex_bytes(mapped, bytes + at, 16);
        ck_assert_int_eq(ip_decode(bytes, len, &ip, NULL), IP_MALFORMED);
        ck_assert(!ip_decode_beginning(bytes, len, &ip));
    }
}
END_TEST

START_TEST(longest_datagram)
{
    static uint8_t bytes[65536];
    struct ip_header ip;
    hex_bytes("60000000ffd71140" AGENT CARE_OF, bytes, 40); /* 65,495 bytes of payload */
    ck_assert_int_eq(ip_decode(bytes, sizeof(bytes), &ip, NULL), IP_DECODED);
    ck_assert_uint_eq(ip.total_len, 65535);
    bytes[5]++;
    ck_assert_int_eq(ip_decode(bytes, sizeof(bytes), &ip, NULL), IP_MALFORMED);
}
END_TEST

/* ---- What an error quotes ---- */

static const struct {
    const char *what;
    uint8_t next;
    const char *hex;
    uint8_t protocol;
    uint16_t header_len, fragment;
} quotes[] = {
    {"nothing behind the header", 41, "", 41, 40, 0},
    {"options cut", 60, "290004", 60, 40, 0},
    {"options, then an inner packet", 60, "2900040104010100", 41, 48, 0},
    {"unknown upper layer", 253, "00", 253, 40, 0},
    {"an option that a host would not take", 60, "2900de0400000000", 41, 48, 0},
    {"routing type 0 on its way", 43, "3a02000100000000" HOME, 58, 64, 0},
    {"first fragment", 44, "3c00000112345678 2900040104010100", 41, 56, IPV4_FLAG_MF},
    {"later fragment", 44, "3a00000912345678", 58, 48, IPV4_FLAG_MF | 1},
    {"last fragment", 44, "3a000ff812345678", 58, 48, 511},
};

START_TEST(beginnings)
{
    uint8_t bytes[128];
    hex_bytes("600005dc00000001" AGENT CARE_OF, bytes, 40);
    bytes[4] = 5; /* more than is there */
    bytes[6] = quotes[_i].next;
    size_t len = 40 + hex_bytes(quotes[_i].hex, bytes + 40, sizeof(bytes) - 40);
    struct ip_header ip;
    ck_assert_msg(ip_decode_beginning(bytes, len, &ip), "%s", quotes[_i].what);
    ck_assert_uint_eq(ip.total_len, 40 + 0x500);
    ck_assert_msg(ip.protocol == quotes[_i].protocol, "%s: %u", quotes[_i].what, ip.protocol);
    ck_assert_uint_eq(ip.header_len, quotes[_i].header_len);
    ck_assert_uint_eq(ip.fragment, quotes[_i].fragment);
    ck_assert_int_eq(ip_decode(bytes, len, &ip, NULL), IP_MALFORMED);
}
END_TEST

/* Of the other family in the same body. */
START_TEST(pseudo_headers)
{
    struct addr a = parsed("10.1.0.2"), b = parsed("10.2.0.77");
    /* RFC 768's words: 0a01 0002 0a02 004d 0011 000d */
    ck_assert_uint_eq(ip_pseudo_sum(&a, &b, 17, 13), 0x0a01 + 0x0002 + 0x0a02 + 0x004d + 0x11 + 0x0d);
    a = parsed("::"), b = parsed("ff02::1");
    ck_assert_uint_eq(ip_pseudo_sum(&a, &b, 58, 0x10020), 0xff02 + 1 + 58 + 1 + 0x20);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ipv6_header");
    TCase *tc = tcase_create("ipv6_header");
    tcase_add_test(tc, udp_bytes);
    tcase_add_loop_test(tc, udp_between_final_addresses, 0, ROWS(arrivals));
    tcase_add_test(tc, udp_without_checksum);
    tcase_add_test(tc, fields);
    tcase_add_loop_test(tc, header_both_ways, 0, ROWS(headers));
    tcase_add_loop_test(tc, chain_rules, 0, ROWS(chains));
    tcase_add_loop_test(tc, chain_cut, 0, ROWS(chains));
    tcase_add_test(tc, option_to_a_group);
    tcase_add_loop_test(tc, fixed_header, 0, ROWS(fixed));
    tcase_add_test(tc, no_mapped_addresses);
    tcase_add_test(tc, longest_datagram);
    tcase_add_loop_test(tc, beginnings, 0, ROWS(quotes));
    tcase_add_test(tc, pseudo_headers);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
