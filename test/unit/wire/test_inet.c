/* SPDX-License-Identifier: BSD-3-Clause */
#include "inet.h"

#include "../check_main.h"

static const struct {
    const char *what, *hex;
    uint16_t checksum;
} sums[] = {
    {"RFC 1071 section 3", "0001f203f4f5f6f7", 0x220d},
    {"odd tail counts as a high byte", "0001f2", 0x0dfe},
    {"nothing", "", 0xffff},
    {"carries carry", "ffffffff0001", 0xfffe},
    {"RFC 791 header", "4500001c12340000401100000a0100020a02004d", 0x544c},
};

START_TEST(checksum)
{
    uint8_t bytes[64];
    size_t len = hex_bytes(sums[_i].hex, bytes, sizeof(bytes));
    ck_assert_msg(inet_finish(inet_sum(0, bytes, len)) == sums[_i].checksum, "%s: %04x", sums[_i].what,
                  inet_finish(inet_sum(0, bytes, len)));
}
END_TEST

START_TEST(checksum_in_parts)
{
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + 200);
    uint16_t whole = inet_finish(inet_sum(0, bytes, sizeof(bytes)));
    for (size_t cut = 0; cut <= sizeof(bytes); cut += 2)
        ck_assert_uint_eq(inet_finish(inet_sum(inet_sum(0, bytes, cut), bytes + cut, sizeof(bytes) - cut)),
                          whole);
}
END_TEST

START_TEST(checksum_of_much)
{
    static uint8_t bytes[1 << 20]; /* what would overflow 32 bits of plain sum */
    memset(bytes, 0xff, sizeof(bytes));
    ck_assert_uint_eq(inet_finish(inet_sum(0xffffffff, bytes, sizeof(bytes))), 0);
}
END_TEST

#define GOOD_HEADER "4548001d12346000401100000a0100020a02004d"

/* Changes to a right header of 29 bytes' datagram, whose checksum is made right again where `sum`. */
static const struct {
    const char *what;
    size_t at;
    uint8_t value;
    bool sum;
    size_t len;
    bool good;
} headers[] = {
    {"as it is", 0, 0x45, true, 29, true},
    {"with padding behind", 0, 0x45, true, 46, true},
    {"cut in its data", 0, 0x45, true, 28, false},
    {"cut in its header", 0, 0x45, true, 19, false},
    {"nothing at all", 0, 0x45, true, 0, false},
    {"wrong checksum", 8, 0x41, false, 29, false},
    {"version 6", 0, 0x65, true, 29, false},
    {"header of 16 bytes", 0, 0x44, true, 29, false},
    {"header of 24 bytes", 0, 0x46, true, 29, true},
    {"header beyond the datagram", 0, 0x48, true, 46, false},
    {"total length below the header", 3, 0x13, true, 29, false},
    {"total length the header alone", 3, 0x14, true, 29, true},
    {"total length beyond the frame", 2, 0x01, true, 46, false},
};

START_TEST(ipv4_header_rules)
{
    uint8_t bytes[64] = {0};
    hex_bytes(GOOD_HEADER, bytes, sizeof(bytes));
    struct writer checksum = writer_over(bytes + 10, 2);
    uint8_t *changed = bytes + headers[_i].at;
    uint8_t before = *changed;
    *changed = headers[_i].value;
    size_t header_len = (size_t)(bytes[0] & 15) * 4;
    write_u16(&checksum, inet_finish(inet_sum(0, bytes, header_len)));
    if (!headers[_i].sum) {
        *changed = before;
        ck_assert_uint_ne(before, headers[_i].value);
    }
    struct ip_header h;
    memset(&h, 0x5a, sizeof(h));
    struct ip_header untouched = h;
    ck_assert_msg((ip_decode(bytes, headers[_i].len, &h, NULL) == IP_DECODED) == headers[_i].good, "%s",
                  headers[_i].what);
    if (!headers[_i].good)
        ck_assert_mem_eq(&h, &untouched, sizeof(h));
    else
        ck_assert_uint_eq(h.header_len, header_len);
}
END_TEST

START_TEST(ipv4_fields_both_ways)
{
    struct ip_header in = {.tos = 0xb9,
                           .ttl = 63,
                           .protocol = 4,
                           .total_len = 20,
                           .id = 0xabcd,
                           .fragment = IPV4_FLAG_DF | 0x123,
                           .source = addr_from_ipv4(0x0a010002),
                           .destination = addr_from_ipv4(0xc6336407)};
    uint8_t bytes[20];
    struct writer w = writer_over(bytes, sizeof(bytes));
    ip_encode(&w, &in);
    ck_assert(!w.failed);
    struct ip_header out;
    ck_assert_int_eq(ip_decode(bytes, sizeof(bytes), &out, NULL), IP_DECODED);
    ck_assert_uint_eq(out.tos, 0xb9);
    ck_assert_uint_eq(out.ttl, 63);
    ck_assert_uint_eq(out.protocol, 4);
    ck_assert_uint_eq(out.header_len, 20);
    ck_assert_uint_eq(out.total_len, 20);
    ck_assert_uint_eq(out.id, 0xabcd);
    ck_assert_uint_eq(out.fragment, 0x4123);
    ck_assert(addr_equal(&out.source, &in.source));
    ck_assert(addr_equal(&out.destination, &in.destination));

    struct writer small = writer_over(bytes, 19);
    ip_encode(&small, &in);
    ck_assert(small.failed);
}
END_TEST

/* Worked out by another implementation. */
#define UDP_ODD  "45000021000040004011267b0a0100020a02004d01b21388000d927668656c6c6f"
#define UDP_FFFF "4500001e000040004011267e0a0100020a02004d01b201b2000affffe824"

static struct udp udp_sample(uint16_t port, const void *payload, size_t len)
{
    return (struct udp){.source = addr_from_ipv4(0x0a010002),
                        .destination = addr_from_ipv4(0x0a02004d),
                        .source_port = 434,
                        .destination_port = port,
                        .payload = payload,
                        .payload_len = len};
}

START_TEST(udp_bytes)
{
    uint8_t right[64], bytes[64];
    size_t right_len = hex_bytes(UDP_ODD, right, sizeof(right));
    struct udp u = udp_sample(5000, "hello", 5);
    struct writer w = writer_over(bytes, sizeof(bytes));
    udp_encode(&w, &u, 64, 0x1234);
    ck_assert_uint_eq(writer_len(&w), right_len);
    ck_assert_mem_eq(bytes, right, right_len);
}
END_TEST

START_TEST(udp_checksum_zero_is_sent_as_ffff)
{
    uint8_t right[64], bytes[64];
    size_t right_len = hex_bytes(UDP_FFFF, right, sizeof(right));
    struct udp u = udp_sample(434, "\xe8\x24", 2);
    struct writer w = writer_over(bytes, sizeof(bytes));
    udp_encode(&w, &u, 64, 0x1234);
    ck_assert_uint_eq(writer_len(&w), right_len);
    ck_assert_mem_eq(bytes, right, right_len);

    struct ip_header ip;
    struct udp out;
    ck_assert_int_eq(ip_decode(bytes, right_len, &ip, NULL), IP_DECODED);
    ck_assert_int_eq(udp_decode(&ip, bytes + 20, right_len - 20, &out), UDP_OK);
}
END_TEST

START_TEST(udp_without_room)
{
    uint8_t bytes[32];
    struct udp u = udp_sample(434, "hello", 5);
    struct writer w = writer_over(bytes, sizeof(bytes)); /* one byte short */
    udp_encode(&w, &u, 64, 1);
    ck_assert(w.failed);

    static uint8_t much[70000];
    struct udp big = udp_sample(434, much, 65508);
    struct writer roomy = writer_over(much, sizeof(much));
    udp_encode(&roomy, &big, 64, 1); /* 65536 bytes in all: no IPv4 datagram */
    ck_assert(roomy.failed);
}
END_TEST

/* What comes behind an IPv4 header from 10.1.0.2 to 10.2.0.77. */
static const struct {
    const char *what, *hex;
    uint16_t fragment;
    enum udp_decode result;
    size_t payload_len;
} datagrams[] = {
    {"right", "01b21388000d9276 68656c6c6f", 0, UDP_OK, 5},
    {"right, may not be fragmented", "01b21388000d9276 68656c6c6f", IPV4_FLAG_DF, UDP_OK, 5},
    {"no checksum", "01b21388000d0000 68656c6c6f", 0, UDP_OK, 5},
    {"wrong checksum", "01b21388000d9277 68656c6c6f", 0, UDP_BAD_CHECKSUM, 0},
    {"changed payload", "01b21388000d9276 68656c6c6e", 0, UDP_BAD_CHECKSUM, 0},
    {"bytes behind its length are not its own", "01b21388000d9276 68656c6c6f ffff", 0, UDP_OK, 5},
    {"no payload", "01b2138800080000", 0, UDP_OK, 0},
    {"length below the header", "01b2138800070000", 0, UDP_MALFORMED, 0},
    {"length zero", "01b2138800000000", 0, UDP_MALFORMED, 0},
    {"length beyond the datagram", "01b21388000d0000 68656c6c", 0, UDP_MALFORMED, 0},
    {"cut in its header", "01b21388000d00", 0, UDP_MALFORMED, 0},
    {"nothing", "", 0, UDP_MALFORMED, 0},
    {"first fragment", "01b21388000d9276 68656c6c6f", IPV4_FLAG_MF, UDP_MALFORMED, 0},
    {"later fragment", "01b21388000d9276 68656c6c6f", 1, UDP_MALFORMED, 0},
};

START_TEST(udp_rules)
{
    uint8_t bytes[64];
    size_t len = hex_bytes(datagrams[_i].hex, bytes, sizeof(bytes));
    struct ip_header ip = {.protocol = IPPROTO_NUM_UDP,
                           .fragment = datagrams[_i].fragment,
                           .source = addr_from_ipv4(0x0a010002),
                           .destination = addr_from_ipv4(0x0a02004d)};
    struct udp u;
    ck_assert_msg(udp_decode(&ip, bytes, len, &u) == datagrams[_i].result, "%s", datagrams[_i].what);
    if (datagrams[_i].result != UDP_OK)
        return;
    ck_assert_uint_eq(u.source_port, 434);
    ck_assert_uint_eq(u.destination_port, 5000);
    ck_assert_uint_eq(u.payload_len, datagrams[_i].payload_len);
    ck_assert_ptr_eq(u.payload, bytes + 8);
    ck_assert(addr_equal(&u.source, &ip.source) && addr_equal(&u.destination, &ip.destination));
}
END_TEST

START_TEST(udp_checksum_covers_addresses)
{
    uint8_t bytes[64];
    size_t len = hex_bytes("01b21388000d927668656c6c6f", bytes, sizeof(bytes));
    struct ip_header ip = {.source = addr_from_ipv4(0x0a010003), .destination = addr_from_ipv4(0x0a02004d)};
    struct udp u;
    ck_assert_int_eq(udp_decode(&ip, bytes, len, &u), UDP_BAD_CHECKSUM);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("inet");
    TCase *tc = tcase_create("inet");
    tcase_add_loop_test(tc, checksum, 0, ROWS(sums));
    tcase_add_test(tc, checksum_in_parts);
    tcase_add_test(tc, checksum_of_much);
    tcase_add_loop_test(tc, ipv4_header_rules, 0, ROWS(headers));
    tcase_add_test(tc, ipv4_fields_both_ways);
    tcase_add_test(tc, udp_bytes);
    tcase_add_test(tc, udp_checksum_zero_is_sent_as_ffff);
    tcase_add_test(tc, udp_without_room);
    tcase_add_loop_test(tc, udp_rules, 0, ROWS(datagrams));
    tcase_add_test(tc, udp_checksum_covers_addresses);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
