/* SPDX-License-Identifier: BSD-3-Clause */
/* What icmp.c does otherwise for IPv6, and what is one for both families. */
#include "icmp.h"

#include "../check_main.h"

/* Datagrams made by scapy (ICMPv6EchoRequest, ICMPv6EchoReply, ICMPv6PacketTooBig). */
#define AGENT        "20010db8000100000000000000000002"
#define CARE_OF      "20010db8000200000000000000000077"
#define ECHO_REQUEST "64800000000f3a40" CARE_OF AGENT "800092920007000161626364656667"
#define ECHO_REPLY   "64800000000f3a40" AGENT CARE_OF "810091920007000161626364656667"
#define PROBE                                                   \
    "6000000000083a40" AGENT "20010db8000100000000000000000001" \
    "8000dbf64850fffe"
#define OFFENDER                       \
    "61b0000000121140"                 \
    "20010db8000900000000000000000007" \
    "20010db8000100000000000000000050" \
    "03e807d00012933530313233343536373839"
#define TOO_BIG                                                 \
    "6000000000423a40" AGENT "20010db8000900000000000000000007" \
    "02002973000005ac" OFFENDER

static const struct ip_header icmp6 = {.protocol = IPPROTO_NUM_ICMPV6};

static struct addr parsed(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

static void check_datagram(const struct writer *w, const char *hex)
{
    uint8_t right[256];
    size_t len = hex_bytes(hex, right, sizeof(right));
    ck_assert(!w->failed);
    ck_assert_uint_eq(writer_len(w), len);
    ck_assert_mem_eq(w->start, right, len);
}

START_TEST(echo_reply)
{
    uint8_t request[128], room[128];
    size_t len = hex_bytes(ECHO_REQUEST, request, sizeof(request));
    struct ip_header ip;
    struct icmp echo;
    ck_assert_int_eq(ip_decode(request, len, &ip, NULL), IP_DECODED);
    ck_assert(icmp_decode(&ip, request + 40, len - 40, &echo));
    ck_assert(icmp_is_echo_request(&ip, &echo));
    ck_assert_uint_eq(echo.rest, 0x00070001);

    struct writer w = writer_over(room, sizeof(room));
    icmp_encode_echo_reply(&w, &ip, &echo, NULL, 0x55);
    check_datagram(&w, ECHO_REPLY);

    /* RFC 4443 section 4.2: a group answers by one of its members' own addresses. */
    struct addr own = ip.destination;
    ip.destination = parsed("ff02::1");
    w = writer_over(room, sizeof(room));
    icmp_encode_echo_reply(&w, &ip, &echo, &own, 0x55);
    check_datagram(&w, ECHO_REPLY);
}
END_TEST

/* The home address, which the checksum was over, is who is answered (RFC 6275 section 9.3.1). */
START_TEST(echo_reply_to_a_home_address)
{
    uint8_t message[16], room[128];
    struct ip_header ip = icmp6;
    ip.source = parsed("2001:db8:2::77");
    ip.home = parsed("2001:db8:1::50");
    ip.destination = parsed("2001:db8:1::2");
    size_t len = hex_bytes("8000000000070001", message, sizeof(message));
    struct icmp echo;
    icmp6_checksum(message, len, &ip.source, &ip.destination);
    ck_assert(!icmp_decode(&ip, message, len, &echo));
    icmp6_checksum(message, len, &ip.home, &ip.destination);
    ck_assert(icmp_decode(&ip, message, len, &echo));

    struct writer w = writer_over(room, sizeof(room));
    icmp_encode_echo_reply(&w, &ip, &echo, NULL, 1);
    struct ip_header reply;
    ck_assert_int_eq(ip_decode(room, writer_len(&w), &reply, NULL), IP_DECODED);
    ck_assert(addr_equal(&reply.destination, &ip.home));
}
END_TEST

START_TEST(echo_request)
{
    uint8_t room[128];
    struct addr source = parsed("2001:db8:1::2"), destination = parsed("2001:db8:1::1");
    struct icmp_echo echo = {.identifier = 0x4850, .sequence = 0xfffe};
    struct writer w = writer_over(room, sizeof(room));
    icmp_encode_echo_request(&w, &source, &destination, &echo, 0x55);
    check_datagram(&w, PROBE);
}
END_TEST

START_TEST(echo_returned)
{
    struct icmp_echo echo = {0};
    struct icmp m = {.type = ICMP6_ECHO_REPLY, .rest = 0x4850fffe};
    ck_assert(icmp_echo_returned(&icmp6, &m, &echo));
    ck_assert_uint_eq(echo.identifier, 0x4850);
    ck_assert_uint_eq(echo.sequence, 0xfffe);
    m.type = ICMP_ECHO_REPLY; /* IPv4's */
    ck_assert(!icmp_echo_returned(&icmp6, &m, &echo));
}
END_TEST

START_TEST(checksum_covers_addresses)
{
    uint8_t request[128];
    size_t len = hex_bytes(ECHO_REQUEST, request, sizeof(request));
    struct ip_header ip;
    struct icmp echo;
    ck_assert_int_eq(ip_decode(request, len, &ip, NULL), IP_DECODED);
    ip.source.b[15] ^= 1;
    ck_assert(!icmp_decode(&ip, request + 40, len - 40, &echo));
}
END_TEST

START_TEST(not_over_ipv4)
{
    uint8_t message[16];
    size_t len = hex_bytes("8000000000070001", message, sizeof(message));
    struct ip_header ip = icmp6;
    ip.source = addr_from_ipv4(0x0a010003);
    ip.destination = addr_from_ipv4(0x0a010002);
    icmp6_checksum(message, len, &ip.source, &ip.destination);
    struct icmp echo;
    ck_assert(!icmp_decode(&ip, message, len, &echo));
}
END_TEST

START_TEST(error_types)
{
    for (int type = 0; type < 256; type++)
        ck_assert_msg(icmp_is_error(&icmp6, (uint8_t)type) == (type < 128), "type %d", type);
}
END_TEST

static const struct {
    enum icmp_error what;
    struct icmp_numbers ipv4, ipv6;
} numbers[] = {
    {ICMP_ERROR_NO_ROUTE, {3, 0, 77}, {1, 0, 77}},
    {ICMP_ERROR_HOST, {3, 1, 77}, {1, 3, 77}},
    {ICMP_ERROR_PROTOCOL, {3, 2, 77}, {4, 1, 77}},
    {ICMP_ERROR_PORT, {3, 3, 77}, {1, 4, 77}},
    {ICMP_ERROR_TOO_BIG, {3, 4, 77}, {2, 0, 77}},
    {ICMP_ERROR_HOPS, {11, 0, 77}, {3, 0, 77}},
    {ICMP_ERROR_REASSEMBLY, {11, 1, 77}, {3, 1, 77}},
    {ICMP_ERROR_PARAMETER, {12, 0, 77u << 24}, {4, 0, 77}},
    {ICMP_ERROR_OPTION, {12, 0, 77u << 24}, {4, 2, 77}},
    {ICMP_ERROR_HEADERS, {12, 0, 77u << 24}, {4, 3, 77}},
};

START_TEST(numbers_of_errors)
{
    const struct icmp_numbers four = icmp_numbers(true, numbers[_i].what, 77);
    const struct icmp_numbers six = icmp_numbers(false, numbers[_i].what, 77);
    ck_assert_mem_eq(&four, &numbers[_i].ipv4, sizeof(four));
    ck_assert_mem_eq(&six, &numbers[_i].ipv6, sizeof(six));
}
END_TEST

START_TEST(errors_of_problems)
{
    for (uint8_t code = 0; code <= 3; code++) {
        const enum icmp_error what = icmp_error_of(&(struct ip_problem){.code = code});
        ck_assert_uint_eq(icmp_numbers(false, what, 0).type, ICMP6_PARAMETER_PROBLEM);
        ck_assert_uint_eq(icmp_numbers(false, what, 0).code, code);
    }
}
END_TEST

START_TEST(error_bytes)
{
    uint8_t offender[128], room[ICMP6_ERROR_MAX];
    size_t len = hex_bytes(OFFENDER, offender, sizeof(offender));
    struct addr own = parsed("2001:db8:1::2");
    struct writer w = writer_over(room, sizeof(room));
    icmp_encode_error(&w, &own, ICMP_ERROR_TOO_BIG, 1452, offender, len + 8, 1);
    check_datagram(&w, TOO_BIG);
}
END_TEST

static const struct {
    size_t offender_len, error_len;
} quotes[] = {
    {40, 88}, {1231, 1279}, {1232, 1280}, {1233, 1280}, {9000, 1280},
};

/* RFC 4443 section 2.4 (c). */
START_TEST(error_quotes_what_fits)
{
    static uint8_t offender[9000];
    uint8_t room[2000];
    struct addr own = parsed("2001:db8:1::2");
    struct writer head = writer_over(offender, sizeof(offender));
    ip_encode(&head, &(struct ip_header){.protocol = IPPROTO_NUM_UDP,
                                         .ttl = 1,
                                         .total_len = (uint16_t)quotes[_i].offender_len,
                                         .source = parsed("2001:db8:9::7"),
                                         .destination = parsed("2001:db8:1::50")});
    struct writer w = writer_over(room, sizeof(room));
    icmp_encode_error(&w, &own, ICMP_ERROR_HOPS, 0, offender, quotes[_i].offender_len, 1);
    ck_assert_uint_eq(writer_len(&w), quotes[_i].error_len);
    struct ip_header ip;
    struct icmp error;
    ck_assert_int_eq(ip_decode(room, writer_len(&w), &ip, NULL), IP_DECODED);
    ck_assert(icmp_decode(&ip, room + 40, writer_len(&w) - 40, &error));
    ck_assert_uint_eq(error.type, ICMP6_TIME_EXCEEDED);
    ck_assert_uint_eq(ip.tos, 0);
    ck_assert_mem_eq(error.data, offender, error.data_len);
}
END_TEST

/* ---- When none may be sent (RFC 4443 section 2.4 (e)) ---- */

#define FROM     "2001:db8:9::7"
#define TO       "2001:db8:1::50"
#define UDP_HEAD "03e807d000120000"

static const struct {
    const char *what, *source, *destination;
    uint8_t next;
    const char *hex;
    bool link_cast;
    bool host, too_big, option; /* whether an error of that kind may be sent */
} offenders[] = {
    {"UDP", FROM, TO, 17, UDP_HEAD, false, true, true, true},
    {"UDP without a byte", FROM, TO, 17, "", false, true, true, true},
    {"echo request", FROM, TO, 58, "8000", false, true, true, true},
    {"neighbour solicitation", FROM, TO, 58, "8700", false, true, true, true},
    {"unreachable", FROM, TO, 58, "0100", false, false, false, false},
    {"too big", FROM, TO, 58, "0200", false, false, false, false},
    {"an error that there is not yet", FROM, TO, 58, "7f00", false, false, false, false},
    {"redirect", FROM, TO, 58, "8900", false, false, false, false},
    {"ICMPv6 without a type", FROM, TO, 58, "", false, false, false, false},
    {"ICMP of the other family", FROM, TO, 1, "0300", false, true, true, true},
    {"unreachable behind options", FROM, TO, 60, "3a00010400000000 0100", false, false, false, false},
    {"echo request behind options", FROM, TO, 60, "3a00010400000000 8000", false, true, true, true},
    {"options cut", FROM, TO, 60, "3a0001", false, false, false, false},
    {"first fragment of an echo request", FROM, TO, 44, "3a00000112345678 8000", false, true, true, true},
    {"first fragment of an error", FROM, TO, 44, "3a00000112345678 0100", false, false, false, false},
    {"later fragment", FROM, TO, 44, "1100000912345678 8000", false, true, true, true},
    {"later fragment of ICMPv6", FROM, TO, 44, "3a00000912345678 8000", false, false, false, false},
    {"frame to many", FROM, TO, 17, UDP_HEAD, true, false, true, true},
    {"to a group", FROM, "ff0e::1", 17, UDP_HEAD, false, false, true, true},
    {"an error to a group", FROM, "ff0e::1", 58, "0100", false, false, false, false},
    {"to nobody", FROM, "::", 17, UDP_HEAD, false, false, false, false},
    {"from nobody", "::", TO, 17, UDP_HEAD, false, false, false, false},
    {"from a group", "ff02::1", TO, 17, UDP_HEAD, false, false, false, false},
    {"from loopback", "::1", TO, 17, UDP_HEAD, false, false, false, false},
    {"from the link", "fe80::1", TO, 17, UDP_HEAD, false, true, true, true},
};

START_TEST(error_rules)
{
    uint8_t bytes[128];
    size_t len = 40 + hex_bytes(offenders[_i].hex, bytes + 40, sizeof(bytes) - 40);
    struct writer w = writer_over(bytes, 40);
    ip_encode(&w, &(struct ip_header){.protocol = offenders[_i].next,
                                      .ttl = 9,
                                      .total_len = (uint16_t)len,
                                      .source = parsed(offenders[_i].source),
                                      .destination = parsed(offenders[_i].destination)});
    const bool cast = offenders[_i].link_cast;
    ck_assert_msg(icmp_error_allowed(ICMP_ERROR_HOST, bytes, len, cast) == offenders[_i].host, "%s",
                  offenders[_i].what);
    ck_assert_msg(icmp_error_allowed(ICMP_ERROR_HOPS, bytes, len, cast) == offenders[_i].host, "%s",
                  offenders[_i].what);
    ck_assert_msg(icmp_error_allowed(ICMP_ERROR_TOO_BIG, bytes, len, cast) == offenders[_i].too_big, "%s",
                  offenders[_i].what);
    ck_assert_msg(icmp_error_allowed(ICMP_ERROR_OPTION, bytes, len, cast) == offenders[_i].option, "%s",
                  offenders[_i].what);
}
END_TEST

/* RFC 7112 section 5: who sends a first fragment without all headers is told, though the rest is not there to
 * tell what it would be; where it is ICMPv6, it may be an error. */
START_TEST(headers_incomplete)
{
    static const struct {
        const char *hex;
        bool told;
    } rows[] = {{"3c00000112345678 3a0101040000", true},
                {"3c00000112345678 1100010400000000", true},
                {"3c00000112345678 3a00010400000000", false},
                {"3a00000112345678", false}};
    uint8_t bytes[128];
    for (int i = 0; i < ROWS(rows); i++) {
        size_t len = 40 + hex_bytes(rows[i].hex, bytes + 40, sizeof(bytes) - 40);
        struct writer w = writer_over(bytes, 40);
        ip_encode(&w, &(struct ip_header){.protocol = 44,
                                          .ttl = 9,
                                          .total_len = (uint16_t)len,
                                          .source = parsed(FROM),
                                          .destination = parsed(TO)});
        ck_assert_msg(icmp_error_allowed(ICMP_ERROR_HEADERS, bytes, len, false) == rows[i].told, "%s",
                      rows[i].hex);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("icmp6");
    TCase *tc = tcase_create("icmp6");
    tcase_add_test(tc, echo_reply);
    tcase_add_test(tc, echo_reply_to_a_home_address);
    tcase_add_test(tc, echo_request);
    tcase_add_test(tc, echo_returned);
    tcase_add_test(tc, checksum_covers_addresses);
    tcase_add_test(tc, not_over_ipv4);
    tcase_add_test(tc, error_types);
    tcase_add_loop_test(tc, numbers_of_errors, 0, ROWS(numbers));
    tcase_add_test(tc, errors_of_problems);
    tcase_add_test(tc, error_bytes);
    tcase_add_loop_test(tc, error_quotes_what_fits, 0, ROWS(quotes));
    tcase_add_loop_test(tc, error_rules, 0, ROWS(offenders));
    tcase_add_test(tc, headers_incomplete);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
