/* SPDX-License-Identifier: BSD-3-Clause */
#include "arp.h"

#include "../check_main.h"

static const struct mac own_mac = {{0x02, 0, 0, 0, 0, 0x01}};
static const struct mac mobile_mac = {{0x02, 0, 0, 0, 0, 0x50}};
static const struct mac peer_mac = {{0x02, 0, 0, 0, 0, 0xee}};

#define PADDING "000000000000000000000000000000000000"

static void check_frame(const struct writer *w, const char *hex)
{
    uint8_t right[ETHER_MIN];
    ck_assert_uint_eq(hex_bytes(hex, right, sizeof(right)), ETHER_MIN);
    ck_assert(!w->failed);
    ck_assert_uint_eq(writer_len(w), ETHER_MIN);
    ck_assert_mem_eq(w->start, right, ETHER_MIN);
}

START_TEST(request_broadcast)
{
    uint8_t frame[ETHER_MIN];
    memset(frame, 0xaa, sizeof(frame)); /* padding must not leak what was there */
    struct writer w = writer_over(frame, sizeof(frame));
    struct addr own = addr_from_ipv4(0x0a010002), target = addr_from_ipv4(0x0a010001);
    arp_encode_request(&w, &own_mac, &own, &target, NULL);
    check_frame(&w, "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a010002"
                    "000000000000 0a010001" PADDING);
}
END_TEST

START_TEST(request_unicast)
{
    uint8_t frame[ETHER_MIN];
    struct writer w = writer_over(frame, sizeof(frame));
    struct addr own = addr_from_ipv4(0x0a010002), target = addr_from_ipv4(0x0a010001);
    arp_encode_request(&w, &own_mac, &own, &target, &peer_mac);
    check_frame(&w, "0200000000ee 020000000001 0806 0001 0800 06 04 0001 020000000001 0a010002"
                    "000000000000 0a010001" PADDING);
}
END_TEST

START_TEST(answer)
{
    uint8_t frame[ETHER_MIN];
    struct writer w = writer_over(frame, sizeof(frame));
    struct arp request = {.operation = ARP_REQUEST,
                          .sender_mac = peer_mac,
                          .sender = addr_from_ipv4(0x0a010001),
                          .target = addr_from_ipv4(0x0a010032)};
    arp_encode_answer(&w, &request, &own_mac);
    check_frame(&w, "0200000000ee 020000000001 0806 0001 0800 06 04 0002 020000000001 0a010032"
                    "0200000000ee 0a010001" PADDING);
}
END_TEST

START_TEST(announcement_of_own_mac)
{
    uint8_t frame[ETHER_MIN];
    struct writer w = writer_over(frame, sizeof(frame));
    struct addr home = addr_from_ipv4(0x0a010032);
    arp_encode_announcement(&w, &own_mac, &own_mac, &home);
    check_frame(&w, "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a010032"
                    "000000000000 0a010032" PADDING);
}
END_TEST

START_TEST(announcement_for_a_returning_node)
{
    uint8_t frame[ETHER_MIN];
    struct writer w = writer_over(frame, sizeof(frame));
    struct addr home = addr_from_ipv4(0x0a010032);
    arp_encode_announcement(&w, &own_mac, &mobile_mac, &home);
    check_frame(&w, "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000050 0a010032"
                    "000000000000 0a010032" PADDING);
}
END_TEST

START_TEST(no_room)
{
    uint8_t frame[ETHER_MIN - 1];
    struct writer w = writer_over(frame, sizeof(frame));
    struct addr home = addr_from_ipv4(0x0a010032);
    arp_encode_announcement(&w, &own_mac, &own_mac, &home);
    ck_assert(w.failed);
}
END_TEST

static const struct {
    const char *what, *hex;
    bool good;
} payloads[] = {
    {"request", "0001 0800 06 04 0001 020000000001 0a010002 000000000000 0a010001", true},
    {"reply", "0001 0800 06 04 0002 020000000001 0a010002 0200000000ee 0a010001", true},
    {"padded", "0001 0800 06 04 0001 020000000001 0a010002 000000000000 0a010001 0000", true},
    {"reverse ARP", "0001 0800 06 04 0003 020000000001 0a010002 000000000000 0a010001", false},
    {"operation 0", "0001 0800 06 04 0000 020000000001 0a010002 000000000000 0a010001", false},
    {"operation 257", "0001 0800 06 04 0101 020000000001 0a010002 000000000000 0a010001", false},
    {"not Ethernet", "0006 0800 06 04 0001 020000000001 0a010002 000000000000 0a010001", false},
    {"not IPv4", "0001 86dd 06 04 0001 020000000001 0a010002 000000000000 0a010001", false},
    {"MAC of 8 bytes", "0001 0800 08 04 0001 020000000001 0a010002 000000000000 0a010001", false},
    {"address of 16 bytes", "0001 0800 06 10 0001 020000000001 0a010002 000000000000 0a010001", false},
    {"one byte short", "0001 0800 06 04 0001 020000000001 0a010002 000000000000 0a0100", false},
    {"nothing", "", false},
};

START_TEST(decode_rules)
{
    uint8_t bytes[32];
    size_t len = hex_bytes(payloads[_i].hex, bytes, sizeof(bytes));
    struct arp a;
    memset(&a, 0x5a, sizeof(a));
    struct arp untouched = a;
    ck_assert_msg(arp_decode(bytes, len, &a) == payloads[_i].good, "%s", payloads[_i].what);
    if (!payloads[_i].good)
        ck_assert_mem_eq(&a, &untouched, sizeof(a));
}
END_TEST

START_TEST(decode_fields)
{
    uint8_t bytes[28];
    hex_bytes("0001 0800 06 04 0002 020000000001 0a010002 0200000000ee 0a010001", bytes, sizeof(bytes));
    struct arp a;
    ck_assert(arp_decode(bytes, sizeof(bytes), &a));
    ck_assert_uint_eq(a.operation, ARP_REPLY);
    ck_assert(mac_equal(&a.sender_mac, &own_mac));
    ck_assert(mac_equal(&a.target_mac, &peer_mac));
    ck_assert_uint_eq(addr_ipv4(&a.sender), 0x0a010002);
    ck_assert_uint_eq(addr_ipv4(&a.target), 0x0a010001);
    ck_assert(addr_is_ipv4(&a.sender) && addr_is_ipv4(&a.target));
}
END_TEST

static const struct {
    const char *what;
    uint16_t operation;
    uint32_t sender, target;
    bool probe, announcement;
} meanings[] = {
    {"ordinary question", ARP_REQUEST, 0x0a010001, 0x0a010032, false, false},
    {"ordinary answer", ARP_REPLY, 0x0a010001, 0x0a010032, false, false},
    {"probe", ARP_REQUEST, 0, 0x0a010032, true, false},
    {"reply with sender zero", ARP_REPLY, 0, 0x0a010032, false, false},
    {"announcement, request form", ARP_REQUEST, 0x0a010032, 0x0a010032, false, true},
    {"announcement, reply form", ARP_REPLY, 0x0a010032, 0x0a010032, false, true},
    {"all zero announces nothing", ARP_REQUEST, 0, 0, true, false},
    {"all zero reply", ARP_REPLY, 0, 0, false, false},
};

START_TEST(meaning)
{
    struct arp a = {.operation = meanings[_i].operation,
                    .sender = addr_from_ipv4(meanings[_i].sender),
                    .target = addr_from_ipv4(meanings[_i].target)};
    ck_assert_msg(arp_is_probe(&a) == meanings[_i].probe, "%s", meanings[_i].what);
    ck_assert_msg(arp_is_announcement(&a) == meanings[_i].announcement, "%s", meanings[_i].what);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("arp");
    TCase *tc = tcase_create("arp");
    tcase_add_test(tc, request_broadcast);
    tcase_add_test(tc, request_unicast);
    tcase_add_test(tc, answer);
    tcase_add_test(tc, announcement_of_own_mac);
    tcase_add_test(tc, announcement_for_a_returning_node);
    tcase_add_test(tc, no_room);
    tcase_add_loop_test(tc, decode_rules, 0, ROWS(payloads));
    tcase_add_test(tc, decode_fields);
    tcase_add_loop_test(tc, meaning, 0, ROWS(meanings));
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
