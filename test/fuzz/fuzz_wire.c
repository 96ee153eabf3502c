/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP, and IPv4 with UDP or ICMP in it. The input is a frame's Ethernet payload behind one byte of choice: an
 * even one has the checksums made right first, for a mutation never finds a right one by itself.
 */
#include "arp.h"
#include "fuzz.h"
#include "icmp.h"

enum {
    AS_IT_IS = 1,
    PACKET_MAX = 65535,
    IP_CHECKSUM_AT = 10,
    UDP_CHECKSUM_AT = 6,
    ICMP_CHECKSUM_AT = 2,
    SEED_PAYLOAD_MAX = 1000
};

static void put_u16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static void checksum_put(uint8_t *packet, size_t len, size_t at, uint32_t partial)
{
    put_u16(packet + at, 0);
    put_u16(packet + at, inet_finish(inet_sum(partial, packet, len)));
}

/* The pseudo header's part, from the IP header's own bytes: the addresses are its last 8. */
static uint32_t pseudo_sum(const uint8_t *ip, size_t udp_len)
{
    uint8_t rest[4] = {0, IPPROTO_NUM_UDP, (uint8_t)(udp_len >> 8), (uint8_t)udp_len};
    return inet_sum(inet_sum(0, ip + 12, 8), rest, sizeof(rest));
}

static void checksums_repair(uint8_t *packet, size_t len)
{
    size_t header_len = len > 0 ? (size_t)(packet[0] & 15) * 4 : 0;
    if (len < IPV4_HEADER || header_len < IPV4_HEADER || len < header_len)
        return;
    checksum_put(packet, header_len, IP_CHECKSUM_AT, 0);

    uint8_t *payload = packet + header_len;
    size_t total_len = (size_t)packet[2] << 8 | packet[3];
    size_t payload_len = (total_len > header_len && total_len < len ? total_len : len) - header_len;
    if (payload_len < ICMP_HEADER)
        return;
    size_t udp_len = (size_t)payload[4] << 8 | payload[5];
    if (packet[9] == IPPROTO_NUM_ICMP)
        checksum_put(payload, payload_len, ICMP_CHECKSUM_AT, 0);
    else if (packet[9] == IPPROTO_NUM_UDP && udp_len >= UDP_HEADER && udp_len <= payload_len)
        checksum_put(payload, udp_len, UDP_CHECKSUM_AT, pseudo_sum(packet, udp_len));
}

static void check_arp(const uint8_t *bytes, size_t len)
{
    struct arp a;
    if (!arp_decode(bytes, len, &a))
        return;
    fuzz_require(!(arp_is_probe(&a) && arp_is_announcement(&a)));
    uint8_t frame[ETHER_MIN];
    struct writer w = writer_over(frame, sizeof(frame));
    arp_encode_frame(&w, &a, &a.sender_mac, &mac_broadcast);
    fuzz_require(!w.failed && writer_len(&w) == ETHER_MIN);
    fuzz_require(memcmp(frame + ETHER_HEADER, bytes, ARP_PAYLOAD) == 0);
}

static void check_udp(const struct ipv4 *ip, const uint8_t *payload, size_t len)
{
    static uint8_t again[PACKET_MAX];
    struct udp u;
    if (udp_decode(ip, payload, len, &u) != UDP_OK)
        return;
    fuzz_require(u.payload == payload + UDP_HEADER && u.payload_len <= len - UDP_HEADER);

    struct writer w = writer_over(again, sizeof(again));
    udp_encode(&w, &u, 64, 1);
    struct ipv4 ip_again;
    struct udp u_again;
    fuzz_require(!w.failed && ipv4_decode(again, writer_len(&w), &ip_again));
    fuzz_require(udp_decode(&ip_again, again + IPV4_HEADER, writer_len(&w) - IPV4_HEADER, &u_again) ==
                 UDP_OK);
    fuzz_require(u_again.payload_len == u.payload_len);
    fuzz_require(memcmp(u_again.payload, u.payload, u.payload_len) == 0);
    fuzz_require(u_again.source_port == u.source_port && addr_equal(&u_again.source, &u.source));
}

static void check_icmp(const struct ipv4 *ip, const uint8_t *payload, size_t len)
{
    static uint8_t reply[PACKET_MAX];
    struct icmp m;
    if (!icmp_decode(payload, len, &m))
        return;
    fuzz_require(m.data == payload + ICMP_HEADER && m.data_len == len - ICMP_HEADER);
    struct writer w = writer_over(reply, sizeof(reply));
    icmp_encode_echo_reply(&w, ip, &m, 1);
    struct ipv4 ip_again;
    struct icmp m_again;
    fuzz_require(!w.failed && ipv4_decode(reply, writer_len(&w), &ip_again));
    fuzz_require(icmp_decode(reply + IPV4_HEADER, writer_len(&w) - IPV4_HEADER, &m_again));
    fuzz_require(m_again.type == ICMP_ECHO_REPLY && m_again.rest == m.rest);
}

/* An error about any valid datagram is itself valid, fits, and draws no error in turn. */
static void check_error(const uint8_t *packet, size_t len)
{
    uint8_t bytes[ICMP_ERROR_MAX];
    struct addr own = addr_from_ipv4(0x0a010002);
    struct writer w = writer_over(bytes, sizeof(bytes));
    icmp_encode_error(&w, &own, ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0, packet, len, 1);
    struct ipv4 ip;
    struct icmp error;
    fuzz_require(!w.failed && ipv4_decode(bytes, writer_len(&w), &ip));
    fuzz_require(icmp_decode(bytes + IPV4_HEADER, writer_len(&w) - IPV4_HEADER, &error));
    fuzz_require(error.data_len <= len && memcmp(error.data, packet, error.data_len) == 0);
    fuzz_require(!icmp_error_allowed(bytes, writer_len(&w), false));
    fuzz_require(!icmp_error_allowed(packet, len, true));
}

static void check_ipv4(const uint8_t *packet, size_t len)
{
    struct ipv4 ip;
    if (!ipv4_decode_beginning(packet, len, &ip)) {
        fuzz_require(!ipv4_decode(packet, len, &ip));
        fuzz_require(!icmp_error_allowed(packet, len, false));
        return;
    }
    check_error(packet, len);
    if (!ipv4_decode(packet, len, &ip)) {
        fuzz_require(ip.total_len > len);
        return;
    }
    fuzz_require(ip.header_len >= IPV4_HEADER && ip.header_len <= ip.total_len && ip.total_len <= len);
    const uint8_t *payload = packet + ip.header_len;
    size_t payload_len = (size_t)ip.total_len - ip.header_len;
    if (ip.protocol == IPPROTO_NUM_UDP)
        check_udp(&ip, payload, payload_len);
    if (ip.protocol == IPPROTO_NUM_ICMP && ip.total_len <= PACKET_MAX - ICMP_HEADER)
        check_icmp(&ip, payload, payload_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > PACKET_MAX)
        return 0;
    /* A block of just its size again: what is read behind it must be seen. */
    size_t len = size - 1;
    uint8_t *packet = malloc(len > 0 ? len : 1);
    if (packet == NULL)
        return 0;
    memcpy(packet, data + 1, len);
    if ((data[0] & AS_IT_IS) == 0)
        checksums_repair(packet, len);
    check_arp(packet, len);
    check_ipv4(packet, len);
    free(packet);
    return 0;
}

static size_t seed_udp(uint8_t *out, size_t payload_len)
{
    static const uint8_t payload[SEED_PAYLOAD_MAX] = "payload";
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    struct udp u = {.source = addr_from_ipv4(0x0a02004d),
                    .destination = addr_from_ipv4(0x0a010002),
                    .source_port = 434,
                    .destination_port = 434,
                    .payload = payload,
                    .payload_len = payload_len};
    write_u8(&w, 0);
    udp_encode(&w, &u, 64, 1);
    return writer_len(&w);
}

static size_t seed_icmp(uint8_t *out, uint8_t type)
{
    uint8_t offender[FUZZ_SEED_MAX];
    size_t offender_len = seed_udp(offender, 7) - 1;
    struct addr own = addr_from_ipv4(0x0a010001);
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    write_u8(&w, 0);
    icmp_encode_error(&w, &own, type, 0, 0, offender + 1, offender_len, 1);
    return writer_len(&w);
}

static size_t seed_options(uint8_t *out)
{
    /* 24 bytes of header, of which the last 4 end the list of options, and a UDP datagram without data. */
    static const uint8_t packet[32] = {
        0x46, 0, 0, 32, 0, 1, 0, 0, 64, IPPROTO_NUM_UDP, [12] = 10, [16] = 10, [24] = 1, 178, 1, 178, 0, 8};
    out[0] = 0;
    memcpy(out + 1, packet, sizeof(packet));
    return 1 + sizeof(packet);
}

static size_t seed_arp(uint8_t *out)
{
    uint8_t frame[ETHER_MIN];
    struct writer w = writer_over(frame, sizeof(frame));
    struct mac own = {{2, 0, 0, 0, 0, 1}};
    struct addr home = addr_from_ipv4(0x0a010032);
    arp_encode_announcement(&w, &own, &own, &home);
    out[0] = AS_IT_IS;
    memcpy(out + 1, frame + ETHER_HEADER, ETHER_MIN - ETHER_HEADER);
    return 1 + ETHER_MIN - ETHER_HEADER;
}

size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX])
{
    switch (n) {
    case 0:
        return seed_udp(out, 7);
    case 1:
        return seed_icmp(out, ICMP_ECHO_REQUEST);
    case 2:
        return seed_icmp(out, ICMP_TIME_EXCEEDED);
    case 3:
        return seed_options(out);
    case 4:
        return seed_arp(out);
    case 5:
        return seed_udp(out, SEED_PAYLOAD_MAX); /* more than an error quotes */
    default:
        return 0;
    }
}
