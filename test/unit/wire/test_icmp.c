/* SPDX-License-Identifier: BSD-3-Clause */
#include "icmp.h"

#include "../check_main.h"

/* Datagrams worked out by another implementation. */
#define ECHO_REQUEST "4548002300090000400166850a0100010a010002080066ca0007000161626364656667"
#define ECHO_REPLY   "45480023000040004001268e0a0100020a01000100006eca0007000161626364656667"
#define PROBE        "4500001c00004000400126dd0a0100020a0100010800afb04850fffe"
#define OFFENDER     "451b0026004d4000401105f2c63364070a01003203e807d00012ba9a30313233343536373839"
#define ERROR_HEADER "45d8004200004000400105a60a010002c633640703042bc5000005c8"

static const struct ip_header icmp4 = {.protocol = IPPROTO_NUM_ICMP};

#define FROM 0xc6336407 /* 198.51.100.7 */
#define TO   0x0a010032 /* 10.1.0.50 */

START_TEST(echo_reply)
{
    uint8_t request[64], right[64], reply[64];
    size_t len = hex_bytes(ECHO_REQUEST, request, sizeof(request));
    hex_bytes(ECHO_REPLY, right, sizeof(right));
    struct ip_header ip;
    struct icmp echo;
    ck_assert_int_eq(ip_decode(request, len, &ip, NULL), IP_DECODED);
    ck_assert(icmp_decode(&ip, request + 20, len - 20, &echo));
    ck_assert_uint_eq(echo.type, ICMP_ECHO_REQUEST);
    ck_assert_uint_eq(echo.code, 0);
    ck_assert_uint_eq(echo.rest, 0x00070001);
    ck_assert_uint_eq(echo.data_len, 7);
    ck_assert_ptr_eq(echo.data, request + 28);

    struct writer w = writer_over(reply, sizeof(reply));
    icmp_encode_echo_reply(&w, &ip, &echo, NULL, 0x55);
    ck_assert_uint_eq(writer_len(&w), len);
    ck_assert_mem_eq(reply, right, len);

    struct writer small = writer_over(reply, len - 1);
    icmp_encode_echo_reply(&small, &ip, &echo, NULL, 0x55);
    ck_assert(small.failed);
}
END_TEST

START_TEST(echo_reply_beyond_a_datagram)
{
    static uint8_t room[70000];
    struct ip_header ip = {
        .protocol = IPPROTO_NUM_ICMP, .source = addr_from_ipv4(FROM), .destination = addr_from_ipv4(TO)};
    struct icmp echo = {.type = ICMP_ECHO_REQUEST, .data = room, .data_len = 65508};
    struct writer w = writer_over(room, sizeof(room));
    icmp_encode_echo_reply(&w, &ip, &echo, NULL, 1);
    ck_assert(w.failed);
}
END_TEST

START_TEST(echo_request)
{
    uint8_t right[64], request[64];
    size_t len = hex_bytes(PROBE, right, sizeof(right));
    struct addr source = addr_from_ipv4(0x0a010002), destination = addr_from_ipv4(0x0a010001);
    struct icmp_echo echo = {.identifier = 0x4850, .sequence = 0xfffe};

    struct writer w = writer_over(request, sizeof(request));
    icmp_encode_echo_request(&w, &source, &destination, &echo, 0x55);
    ck_assert(!w.failed);
    ck_assert_uint_eq(writer_len(&w), len);
    ck_assert_mem_eq(request, right, len);

    struct writer small = writer_over(request, len - 1);
    icmp_encode_echo_request(&small, &source, &destination, &echo, 0x55);
    ck_assert(small.failed);
}
END_TEST

static const struct {
    const char *what;
    struct icmp message;
    bool returned;
} returns[] = {
    {"echo reply", {.type = ICMP_ECHO_REPLY, .rest = 0x4850fffe}, true},
    {"echo request", {.type = ICMP_ECHO_REQUEST, .rest = 0x4850fffe}, false},
    {"echo reply of a code that there is not",
     {.type = ICMP_ECHO_REPLY, .code = 1, .rest = 0x4850fffe},
     false},
    {"unreachable", {.type = ICMP_UNREACHABLE, .rest = 0x4850fffe}, false},
};

START_TEST(echo_returned)
{
    struct icmp_echo echo = {0};
    ck_assert_msg(icmp_echo_returned(&icmp4, &returns[_i].message, &echo) == returns[_i].returned, "%s",
                  returns[_i].what);
    ck_assert_uint_eq(echo.identifier, returns[_i].returned ? 0x4850 : 0);
    ck_assert_uint_eq(echo.sequence, returns[_i].returned ? 0xfffe : 0);
}
END_TEST

static const struct {
    const char *what, *hex;
    bool good;
} messages[] = {
    {"echo request", "080066ca0007000161626364656667", true},
    {"no data", "0800f7f700070001", true},
    {"no data, wrong checksum", "0800f7f700080001", false},
    {"wrong checksum", "080066cb0007000161626364656667", false},
    {"changed data", "080066ca0007000161626364656666", false},
    {"one byte short of a header", "0800f7f7000800", false},
    {"nothing", "", false},
};

START_TEST(decode_rules)
{
    uint8_t bytes[32];
    size_t len = hex_bytes(messages[_i].hex, bytes, sizeof(bytes));
    struct icmp m;
    ck_assert_msg(icmp_decode(&icmp4, bytes, len, &m) == messages[_i].good, "%s", messages[_i].what);
}
END_TEST

START_TEST(error_types)
{
    static const bool error[256] = {[3] = true, [4] = true, [5] = true, [11] = true, [12] = true};
    for (int type = 0; type < 256; type++)
        ck_assert_msg(icmp_is_error(&icmp4, (uint8_t)type) == error[type], "type %d", type);
}
END_TEST

START_TEST(error_bytes)
{
    uint8_t offender[64], right[128], bytes[ICMP_ERROR_MAX];
    size_t len = hex_bytes(OFFENDER, offender, sizeof(offender));
    size_t right_len = hex_bytes(ERROR_HEADER OFFENDER, right, sizeof(right));
    struct addr own = addr_from_ipv4(0x0a010002);

    struct writer w = writer_over(bytes, sizeof(bytes));
    /* What follows the datagram in its frame is not quoted. */
    icmp_encode_error(&w, &own, ICMP_ERROR_TOO_BIG, 1480, offender, len + 8, 0x77);
    ck_assert(!w.failed);
    ck_assert_uint_eq(writer_len(&w), right_len);
    ck_assert_mem_eq(bytes, right, right_len);
}
END_TEST

/* A datagram of total_len bytes from 198.51.100.7 to 10.1.0.50. */
static void datagram(uint8_t *bytes, uint16_t total_len, uint8_t protocol)
{
    memset(bytes, 0x61, total_len);
    struct writer w = writer_over(bytes, total_len);
    ip_encode(&w, &(struct ip_header){.ttl = 9,
                                      .protocol = protocol,
                                      .total_len = total_len,
                                      .source = addr_from_ipv4(0xc6336407),
                                      .destination = addr_from_ipv4(0x0a010032)});
}

static const struct {
    uint16_t offender_len, error_len;
} quotes[] = {
    {20, 48}, {547, 575}, {548, 576}, {549, 576}, {1500, 576}, {65535, 576},
};

START_TEST(error_quotes_what_fits)
{
    static uint8_t offender[65535];
    uint8_t bytes[ICMP_ERROR_MAX];
    struct addr own = addr_from_ipv4(0x0a010002);
    datagram(offender, quotes[_i].offender_len, IPPROTO_NUM_UDP);
    struct writer w = writer_over(bytes, sizeof(bytes));
    icmp_encode_error(&w, &own, ICMP_ERROR_HOPS, 0, offender, quotes[_i].offender_len, 1);
    ck_assert_uint_eq(writer_len(&w), quotes[_i].error_len);

    struct ip_header ip;
    struct icmp error;
    ck_assert_int_eq(ip_decode(bytes, writer_len(&w), &ip, NULL), IP_DECODED);
    ck_assert(icmp_decode(&ip, bytes + 20, writer_len(&w) - 20, &error));
    ck_assert_uint_eq(addr_ipv4(&ip.destination), 0xc6336407);
    ck_assert_uint_eq(ip.protocol, IPPROTO_NUM_ICMP);
    ck_assert_uint_eq(ip.tos, 0xc0);
    ck_assert_uint_eq(error.type, ICMP_TIME_EXCEEDED);
    ck_assert_mem_eq(error.data, offender, error.data_len);
    ck_assert_uint_eq(error.data_len, quotes[_i].error_len - 28);
}
END_TEST

/* What another error quoted, or what was kept of it: all of that is quoted. */
START_TEST(error_about_beginning)
{
    uint8_t offender[1480], bytes[ICMP_ERROR_MAX];
    struct addr own = addr_from_ipv4(0x0a010002);
    struct writer w = writer_over(bytes, sizeof(bytes));
    datagram(offender, sizeof(offender), IPPROTO_NUM_UDP);
    icmp_encode_error(&w, &own, ICMP_ERROR_HOPS, 0, offender, 100, 1);
    ck_assert(!w.failed);
    ck_assert_uint_eq(writer_len(&w), IPV4_HEADER + ICMP_HEADER + 100);
    ck_assert_mem_eq(bytes + IPV4_HEADER + ICMP_HEADER, offender, 100);
}
END_TEST

START_TEST(error_about_no_datagram)
{
    uint8_t offender[40] = {0}, bytes[ICMP_ERROR_MAX];
    struct addr own = addr_from_ipv4(0x0a010002);
    struct writer w = writer_over(bytes, sizeof(bytes));
    icmp_encode_error(&w, &own, ICMP_ERROR_HOPS, 0, offender, sizeof(offender), 1);
    ck_assert(w.failed);
}
END_TEST

static const struct {
    const char *what;
    uint32_t source, destination;
    uint8_t protocol;
    int type; /* of the ICMP message in it; -1: no byte behind the header */
    uint16_t fragment;
    bool link_broadcast, allowed;
} offenders[] = {
    {"unicast UDP", FROM, TO, 17, 0, 0, false, true},
    {"echo request", FROM, TO, 1, ICMP_ECHO_REQUEST, 0, false, true},
    {"echo reply", FROM, TO, 1, ICMP_ECHO_REPLY, 0, false, true},
    {"timestamp request", FROM, TO, 1, 13, 0, false, true},
    {"ICMP unreachable", FROM, TO, 1, ICMP_UNREACHABLE, 0, false, false},
    {"ICMP source quench", FROM, TO, 1, ICMP_SOURCE_QUENCH, 0, false, false},
    {"ICMP redirect", FROM, TO, 1, ICMP_REDIRECT, 0, false, false},
    {"ICMP time exceeded", FROM, TO, 1, ICMP_TIME_EXCEEDED, 0, false, false},
    {"ICMP parameter problem", FROM, TO, 1, ICMP_PARAMETER_PROBLEM, 0, false, false},
    {"ICMP without a type", FROM, TO, 1, -1, 0, false, false},
    {"UDP whose first byte is 3", FROM, TO, 17, 3, 0, false, true},
    {"UDP without a byte", FROM, TO, 17, -1, 0, false, true},
    {"first fragment", FROM, TO, 17, 0, IPV4_FLAG_MF, false, true},
    {"later fragment", FROM, TO, 17, 0, IPV4_FLAG_MF | 100, false, false},
    {"last fragment", FROM, TO, 17, 0, 100, false, false},
    {"may not be fragmented", FROM, TO, 17, 0, IPV4_FLAG_DF, false, true},
    {"frame to all", FROM, TO, 17, 0, 0, true, false},
    {"to the limited broadcast address", FROM, 0xffffffff, 17, 0, 0, false, false},
    {"to the old broadcast address", FROM, 0, 17, 0, 0, false, false},
    {"to a group", FROM, 0xe0000001, 17, 0, 0, false, false},
    {"to the last group", FROM, 0xefffffff, 17, 0, 0, false, false},
    {"to the address before groups", FROM, 0xdfffffff, 17, 0, 0, false, true},
    {"from nobody", 0, TO, 17, 0, 0, false, false},
    {"from network 0", 0x00000001, TO, 17, 0, 0, false, false},
    {"from network 1", 0x01000000, TO, 17, 0, 0, false, true},
    {"from loopback", 0x7f000001, TO, 17, 0, 0, false, false},
    {"from network 126", 0x7effffff, TO, 17, 0, 0, false, true},
    {"from network 128", 0x80000001, TO, 17, 0, 0, false, true},
    {"from a group", 0xe0000001, TO, 17, 0, 0, false, false},
    {"from before the groups", 0xdfffffff, TO, 17, 0, 0, false, true},
    {"from class E", 0xf0000001, TO, 17, 0, 0, false, false},
    {"from the limited broadcast address", 0xffffffff, TO, 17, 0, 0, false, false},
};

START_TEST(error_rules)
{
    uint8_t bytes[21];
    uint16_t len = offenders[_i].type < 0 ? 20 : 21;
    struct writer w = writer_over(bytes, len);
    ip_encode(&w, &(struct ip_header){.ttl = 9,
                                      .protocol = offenders[_i].protocol,
                                      .total_len = len,
                                      .fragment = offenders[_i].fragment,
                                      .source = addr_from_ipv4(offenders[_i].source),
                                      .destination = addr_from_ipv4(offenders[_i].destination)});
    if (offenders[_i].type >= 0)
        write_u8(&w, (uint8_t)offenders[_i].type);
    ck_assert_msg(icmp_error_allowed(ICMP_ERROR_HOST, bytes, len, offenders[_i].link_broadcast) ==
                      offenders[_i].allowed,
                  "%s", offenders[_i].what);
}
END_TEST

START_TEST(error_about_icmp_behind_options)
{
    uint8_t bytes[32];
    size_t len = hex_bytes("4600001c000000004001 0000 c63364070a010032 03010000 0800000000000000", bytes,
                           sizeof(bytes));
    bytes[3] = (uint8_t)len;
    struct writer checksum = writer_over(bytes + 10, 2);
    write_u16(&checksum, inet_finish(inet_sum(0, bytes, 24)));
    ck_assert(icmp_error_allowed(ICMP_ERROR_HOST, bytes, len, false)); /* the option's 3 is not the type */
    bytes[24] = ICMP_UNREACHABLE;
    ck_assert(!icmp_error_allowed(ICMP_ERROR_HOST, bytes, len, false));
}
END_TEST

START_TEST(error_about_broken_header)
{
    uint8_t bytes[64];
    datagram(bytes, 40, IPPROTO_NUM_UDP);
    ck_assert(icmp_error_allowed(ICMP_ERROR_HOST, bytes, 40, false));
    ck_assert(
        icmp_error_allowed(ICMP_ERROR_HOST, bytes, 39, false)); /* its end is missing: what an error quoted */
    ck_assert(!icmp_error_allowed(ICMP_ERROR_HOST, bytes, 19, false));
    bytes[8]++;
    ck_assert(!icmp_error_allowed(ICMP_ERROR_HOST, bytes, 40, false));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("icmp");
    TCase *tc = tcase_create("icmp");
    tcase_add_test(tc, echo_request);
    tcase_add_loop_test(tc, echo_returned, 0, ROWS(returns));
    tcase_add_test(tc, echo_reply);
    tcase_add_test(tc, echo_reply_beyond_a_datagram);
    tcase_add_loop_test(tc, decode_rules, 0, ROWS(messages));
    tcase_add_test(tc, error_types);
    tcase_add_test(tc, error_bytes);
    tcase_add_loop_test(tc, error_quotes_what_fits, 0, ROWS(quotes));
    tcase_add_test(tc, error_about_beginning);
    tcase_add_test(tc, error_about_no_datagram);
    tcase_add_loop_test(tc, error_rules, 0, ROWS(offenders));
    tcase_add_test(tc, error_about_icmp_behind_options);
    tcase_add_test(tc, error_about_broken_header);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
