/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP, and IP of either family with UDP, ICMP, neighbour discovery or multicast listener discovery in it. The
 * input is a frame's Ethernet payload behind one byte of choice: an even one has the checksums made right
 * first, for a mutation never finds a right one by itself.
 */
#include "arp.h"
#include "fuzz.h"
#include "icmp.h"
#include "mld.h"
#include "nd.h"

enum {
    AS_IT_IS = 1,
    PACKET_MAX = 65535,
    IP_CHECKSUM_AT = 10,
    UDP_CHECKSUM_AT = 6,
    ICMP_CHECKSUM_AT = 2,
    FRAME_MAX = 1514,
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

static void header_checksum_repair(uint8_t *packet, size_t len)
{
    size_t header_len = (size_t)(packet[0] & 15) * 4;
    if (packet[0] >> 4 == 4 && header_len >= IPV4_HEADER && len >= header_len)
        checksum_put(packet, header_len, IP_CHECKSUM_AT, 0);
}

static void checksums_repair(uint8_t *packet, size_t len)
{
    struct ip_header ip;
    if (len < IPV4_HEADER)
        return;
    header_checksum_repair(packet, len);
    if (!ip_decode_beginning(packet, len, &ip))
        return;
    uint8_t *payload = packet + ip.header_len;
    size_t end = ip.total_len > ip.header_len && ip.total_len < len ? ip.total_len : len;
    size_t payload_len = end - ip.header_len;
    if (payload_len < ICMP_HEADER)
        return;
    size_t udp_len = (size_t)payload[4] << 8 | payload[5];
    if (ip.protocol == IPPROTO_NUM_ICMP)
        checksum_put(payload, payload_len, ICMP_CHECKSUM_AT, 0);
    else if (ip.protocol == IPPROTO_NUM_ICMPV6)
        icmp6_checksum(payload, payload_len, ip_source(&ip), ip_destination(&ip));
    else if (ip.protocol == IPPROTO_NUM_UDP && udp_len >= UDP_HEADER && udp_len <= payload_len)
        checksum_put(payload, udp_len, UDP_CHECKSUM_AT,
                     ip_pseudo_sum(ip_source(&ip), ip_destination(&ip), IPPROTO_NUM_UDP, udp_len));
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

static struct ip_header decode_again(const uint8_t *packet, const struct writer *w)
{
    struct ip_header ip;
    fuzz_require(!w->failed && ip_decode(packet, writer_len(w), &ip, NULL) == IP_DECODED);
    return ip;
}

static void check_udp(const struct ip_header *ip, const uint8_t *payload, size_t len)
{
    static uint8_t again[PACKET_MAX];
    struct udp u;
    if (udp_decode(ip, payload, len, &u) != UDP_OK)
        return;
    fuzz_require(u.payload == payload + UDP_HEADER && u.payload_len <= len - UDP_HEADER);

    struct writer w = writer_over(again, sizeof(again));
    udp_encode(&w, &u, 64, 1);
    const struct ip_header ip_again = decode_again(again, &w);
    const size_t header_len = ip_again.header_len;
    struct udp u_again;
    fuzz_require(udp_decode(&ip_again, again + header_len, writer_len(&w) - header_len, &u_again) == UDP_OK);
    fuzz_require(u_again.payload_len == u.payload_len);
    fuzz_require(memcmp(u_again.payload, u.payload, u.payload_len) == 0);
    fuzz_require(u_again.source_port == u.source_port && addr_equal(&u_again.source, &u.source));
}

static void check_icmp(const struct ip_header *ip, const uint8_t *payload, size_t len)
{
    static uint8_t reply[PACKET_MAX];
    struct icmp m;
    if (!icmp_decode(ip, payload, len, &m))
        return;
    fuzz_require(m.data == payload + ICMP_HEADER && m.data_len == len - ICMP_HEADER);
    struct writer w = writer_over(reply, sizeof(reply));
    icmp_encode_echo_reply(&w, ip, &m, NULL, 1);
    const struct ip_header ip_again = decode_again(reply, &w);
    const size_t header_len = ip_again.header_len;
    struct icmp m_again;
    struct icmp_echo echo;
    fuzz_require(icmp_decode(&ip_again, reply + header_len, writer_len(&w) - header_len, &m_again));
    fuzz_require(icmp_echo_returned(&ip_again, &m_again, &echo) && m_again.rest == m.rest);
}

/* What is understood is said in the same words again. */
static size_t nd_again(const struct nd *nd, uint8_t frame[static FRAME_MAX])
{
    const struct mac mac = nd->mac;
    struct writer w = writer_over(frame, FRAME_MAX);
    if (nd->type == ND_NEIGHBOR_SOLICITATION)
        nd_encode_solicitation(&w, &mac, &nd->source, &nd->target, NULL);
    else if (nd->type == ND_NEIGHBOR_ADVERTISEMENT)
        nd_encode_advertisement(&w, &mac, &nd->source, &nd->destination, NULL, &nd->target, &mac, nd->flags);
    else if (nd->type == ND_ROUTER_ADVERTISEMENT)
        nd_encode_router(&w, &mac, &nd->source, &nd->destination, NULL, &nd->router);
    fuzz_require(!w.failed);
    return writer_len(&w);
}

static void check_nd(const struct ip_header *ip, const uint8_t *payload, size_t len)
{
    uint8_t frame[FRAME_MAX];
    struct nd nd, again;
    if (!nd_decode(ip, payload, len, &nd))
        return;
    fuzz_require(ip->ttl == ND_HOP_LIMIT && nd.router.n_prefixes <= ND_PREFIXES_MAX);
    /* An encoder does not say what it was not told the MAC address for. */
    size_t frame_len = nd.has_mac || addr_is_unspecified(&nd.source) ? nd_again(&nd, frame) : 0;
    if (frame_len == 0)
        return;
    struct ip_header ip_again;
    fuzz_require(ip_decode(frame + ETHER_HEADER, frame_len - ETHER_HEADER, &ip_again, NULL) == IP_DECODED);
    const size_t headers = ETHER_HEADER + (size_t)ip_again.header_len;
    if (!nd_decode(&ip_again, frame + headers, frame_len - headers, &again))
        /* One from nobody may say more than encoders let it. */
        fuzz_require(addr_is_unspecified(&nd.source));
    else
        fuzz_require(again.type == nd.type && addr_equal(&again.target, &nd.target) &&
                     again.flags == nd.flags && memcmp(&again.router, &nd.router, sizeof(nd.router)) == 0);
}

/* What a listener hears has a group that it can answer for, and sources that are all there. */
static void check_mld(const struct ip_header *ip, const uint8_t *payload, size_t len)
{
    uint8_t frame[FRAME_MAX];
    struct mld mld, again;
    if (!mld_decode(ip, payload, len, &mld))
        return;
    fuzz_require(ip->ttl == 1 && ip->router_alert && addr_is_link_local(&ip->source));
    for (size_t i = 0; i < mld.n_sources; i++) {
        const struct addr source = mld_source(&mld, i);
        fuzz_require(memcmp(payload + 28 + 16 * i, source.b, sizeof(source.b)) == 0);
    }
    if (mld.type != MLD_REPORT_V1)
        return;
    struct writer w = writer_over(frame, sizeof(frame));
    mld_encode_v1(&w, &mac_broadcast, &ip->source, MLD_REPORT_V1, &mld.group);
    const struct ip_header ip_again = decode_again(
        frame + ETHER_HEADER,
        &(struct writer){.start = frame + ETHER_HEADER, .at = w.at, .end = w.end, .failed = w.failed});
    const size_t headers = ETHER_HEADER + (size_t)ip_again.header_len;
    fuzz_require(mld_decode(&ip_again, frame + headers, writer_len(&w) - headers, &again));
    fuzz_require(addr_equal(&again.group, &mld.group));
}

/* An error about any datagram that begins well is itself valid, fits, and draws no error in turn. */
static void check_error(const struct ip_header *offender, const uint8_t *packet, size_t len)
{
    const bool ipv4 = addr_is_ipv4(&offender->destination);
    uint8_t bytes[ICMP6_ERROR_MAX];
    struct addr own = ipv4 ? addr_from_ipv4(0x0a010002) : (struct addr){{0x20, 1, 0xd, 0xb8, [15] = 2}};
    struct writer w = writer_over(bytes, ipv4 ? ICMP_ERROR_MAX : ICMP6_ERROR_MAX);
    icmp_encode_error(&w, &own, ICMP_ERROR_HOST, 0, packet, len, 1);
    const struct ip_header ip = decode_again(bytes, &w);
    struct icmp error;
    fuzz_require(icmp_decode(&ip, bytes + ip.header_len, writer_len(&w) - ip.header_len, &error));
    fuzz_require(error.data_len <= len && memcmp(error.data, packet, error.data_len) == 0);
    fuzz_require(!icmp_error_allowed(ICMP_ERROR_TOO_BIG, bytes, writer_len(&w), false));
    fuzz_require(!icmp_error_allowed(ICMP_ERROR_HOST, packet, len, true));
}

static bool is_home(const struct addr *a)
{
    return addr_equal(a, &addr_unspecified) || addr_is_ipv6_routable(a);
}

/* The header alone, without what encoders do not write, says the same. */
static void check_header(const struct ip_header *ip)
{
    uint8_t bytes[IPV6_HEADER + 56];
    struct ip_header h = *ip;
    h.total_len = (uint16_t)ip_header_size(ip);
    struct writer w = writer_over(bytes, sizeof(bytes));
    ip_encode(&w, &h);
    const struct ip_header again = decode_again(bytes, &w);
    fuzz_require(again.header_len == h.total_len && again.protocol == h.protocol);
    fuzz_require(again.ttl == h.ttl && again.tos == h.tos && again.flow == h.flow);
    fuzz_require(!addr_is_ipv4(&h.destination) || again.id == h.id);
    fuzz_require(addr_equal(ip_source(&again), ip_source(ip)));
    fuzz_require(addr_equal(ip_destination(&again), ip_destination(ip)));
    fuzz_require(addr_equal(&again.source, &ip->source) && again.router_alert == ip->router_alert);
}

static void check_ip(const uint8_t *packet, size_t len)
{
    struct ip_header ip, beginning;
    struct ip_problem problem = {0};
    const enum ip_decode result = ip_decode(packet, len, &ip, &problem);
    if (!ip_decode_beginning(packet, len, &beginning)) {
        fuzz_require(result != IP_DECODED);
        fuzz_require(!icmp_error_allowed(ICMP_ERROR_TOO_BIG, packet, len, false));
        return;
    }
    fuzz_require(beginning.header_len <= len);
    check_error(&beginning, packet, len);
    if (result == IP_PROBLEM)
        fuzz_require(problem.code <= 2 && problem.pointer < len);
    if (result == IP_FRAGMENT)
        fuzz_require(ip.fragment != 0);
    if (result != IP_DECODED)
        return;
    fuzz_require(ip.header_len <= ip.total_len && ip.total_len <= len);
    fuzz_require(ip.header_len == beginning.header_len && ip.protocol == beginning.protocol);
    fuzz_require(is_home(&ip.home) && is_home(&ip.routed_home));
    check_header(&ip);

    const uint8_t *payload = packet + ip.header_len;
    size_t payload_len = (size_t)ip.total_len - ip.header_len;
    if (ip.protocol == IPPROTO_NUM_UDP)
        check_udp(&ip, payload, payload_len);
    if (ip.protocol == IPPROTO_NUM_ICMP || ip.protocol == IPPROTO_NUM_ICMPV6)
        check_icmp(&ip, payload, payload_len);
    check_nd(&ip, payload, payload_len);
    check_mld(&ip, payload, payload_len);
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
    check_ip(packet, len);
    free(packet);
    return 0;
}

/* ---- Seeds ---- */

static struct addr address(const char *text)
{
    struct addr a = addr_unspecified;
    addr_parse(text, &a);
    return a;
}

static size_t seed_udp(uint8_t *out, const char *source, const char *destination, size_t payload_len)
{
    static const uint8_t payload[SEED_PAYLOAD_MAX] = "payload";
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    struct udp u = {.source = address(source),
                    .destination = address(destination),
                    .source_port = 434,
                    .destination_port = 434,
                    .payload = payload,
                    .payload_len = payload_len};
    write_u8(&w, 0);
    udp_encode(&w, &u, 64, 1);
    return writer_len(&w);
}

static size_t seed_udp4(uint8_t *out, size_t payload_len)
{
    return seed_udp(out, "10.2.0.77", "10.1.0.2", payload_len);
}

static size_t seed_udp6(uint8_t *out, size_t payload_len)
{
    return seed_udp(out, "2001:db8:2::77", "2001:db8:1::2", payload_len);
}

static size_t seed_error(uint8_t *out, const char *own, enum icmp_error what, size_t offender_len,
                         const uint8_t *offender)
{
    struct addr source = address(own);
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    write_u8(&w, 0);
    icmp_encode_error(&w, &source, what, 0, offender, offender_len, 1);
    return writer_len(&w);
}

static size_t seed_error4(uint8_t *out)
{
    uint8_t offender[FUZZ_SEED_MAX];
    return seed_error(out, "10.1.0.1", ICMP_ERROR_HOPS, seed_udp4(offender, 7) - 1, offender + 1);
}

static size_t seed_error6(uint8_t *out)
{
    uint8_t offender[FUZZ_SEED_MAX];
    return seed_error(out, "2001:db8:1::1", ICMP_ERROR_OPTION, seed_udp6(offender, 7) - 1, offender + 1);
}

static size_t seed_echo(uint8_t *out, const char *source, const char *destination)
{
    struct addr from = address(source), to = address(destination);
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    write_u8(&w, 0);
    icmp_encode_echo_request(&w, &from, &to, &(struct icmp_echo){.identifier = 1}, 1);
    return writer_len(&w);
}

/* An echo request with a home address at either end. */
static size_t seed_homes(uint8_t *out)
{
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    write_u8(&w, 0);
    ip_encode(&w, &(struct ip_header){.ttl = 64,
                                      .protocol = IPPROTO_NUM_ICMPV6,
                                      .total_len = IPV6_HEADER + 48 + ICMP_HEADER,
                                      .source = address("2001:db8:2::77"),
                                      .destination = address("2001:db8:3::77"),
                                      .home = address("2001:db8:1::50"),
                                      .routed_home = address("2001:db8:1::51")});
    write_u64(&w, UINT64_C(0x8000000000010001));
    return writer_len(&w);
}

/* Hop-by-hop and destination options, a routing header at its end and an atomic fragment. */
static size_t seed_extensions(uint8_t *out)
{
    static const uint8_t chain[] = {60,  0, 5, 2, 0, 0, 1, 0, /* router alert */
                                    43,  0, 4, 1, 4, 1, 1, 0, /* tunnel encapsulation limit */
                                    44,  0, 0, 0, 0, 0, 0, 0, /* routing */
                                    58,  0, 0, 0, 0, 0, 0, 1, /* fragment */
                                    128, 0, 0, 0, 0, 1, 0, 1};
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    write_u8(&w, 0);
    ip_encode(&w, &(struct ip_header){.ttl = 64,
                                      .total_len = IPV6_HEADER + sizeof(chain),
                                      .source = address("2001:db8:2::77"),
                                      .destination = address("2001:db8:1::2")});
    write_bytes(&w, chain, sizeof(chain));
    return writer_len(&w);
}

static size_t seed_frame(uint8_t *out, const struct writer *frame)
{
    size_t len = writer_len(frame) - ETHER_HEADER;
    out[0] = 0;
    memcpy(out + 1, frame->start + ETHER_HEADER, len);
    return 1 + len;
}

static size_t seed_nd(uint8_t *out, enum nd_type type)
{
    uint8_t frame[FRAME_MAX];
    struct writer w = writer_over(frame, sizeof(frame));
    const struct mac mac = {{2, 0, 0, 0, 0, 1}};
    struct addr own = address("fe80::1"), home = address("2001:db8:1::50");
    struct nd_router router = {.flags = ND_HOME_AGENT,
                               .mtu = 1500,
                               .interval_ms = 1000,
                               .has_home_agent = true,
                               .home_agent_lifetime_s = 1800,
                               .n_prefixes = 1};
    router.prefixes[0].prefix = (struct prefix){.addr = home, .bits = 64};
    if (type == ND_NEIGHBOR_SOLICITATION)
        nd_encode_solicitation(&w, &mac, &own, &home, NULL);
    else if (type == ND_NEIGHBOR_ADVERTISEMENT)
        nd_encode_advertisement(&w, &mac, &own, &addr_all_nodes, NULL, &home, &mac, ND_OVERRIDE);
    else
        nd_encode_router(&w, &mac, &own, &addr_all_nodes, NULL, &router);
    return seed_frame(out, &w);
}

/* A query of version 2 about a group and one source; a report of version 1. */
static size_t seed_query(uint8_t *out)
{
    static const uint8_t rest[] = {2, 125, 0, 1};
    const struct addr querier = address("fe80::1"), group = address("ff02::1:ff00:50");
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    write_u8(&w, 0);
    ip_encode(&w, &(struct ip_header){.ttl = 1,
                                      .protocol = IPPROTO_NUM_ICMPV6,
                                      .total_len = IPV6_HEADER + 8 + 44,
                                      .source = querier,
                                      .destination = group,
                                      .router_alert = true});
    write_u64(&w, UINT64_C(0x8200000003e80000));
    write_bytes(&w, group.b, sizeof(group.b));
    write_bytes(&w, rest, sizeof(rest));
    write_bytes(&w, querier.b, sizeof(querier.b));
    return writer_len(&w);
}

static size_t seed_report(uint8_t *out)
{
    uint8_t frame[FRAME_MAX];
    struct writer w = writer_over(frame, sizeof(frame));
    const struct addr own = address("fe80::1"), group = address("ff02::1:ff00:50");
    mld_encode_v1(&w, &mac_broadcast, &own, MLD_REPORT_V1, &group);
    return seed_frame(out, &w);
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
        return seed_udp4(out, 7);
    case 1:
        return seed_echo(out, "10.2.0.77", "10.1.0.2");
    case 2:
        return seed_error4(out);
    case 3:
        return seed_options(out);
    case 4:
        return seed_arp(out);
    case 5:
        return seed_udp4(out, SEED_PAYLOAD_MAX); /* more than an error quotes */
    case 6:
        return seed_udp6(out, 7);
    case 7:
        return seed_echo(out, "2001:db8:2::77", "2001:db8:1::2");
    case 8:
        return seed_error6(out);
    case 9:
        return seed_homes(out);
    case 10:
        return seed_extensions(out);
    case 11:
        return seed_nd(out, ND_NEIGHBOR_SOLICITATION);
    case 12:
        return seed_nd(out, ND_NEIGHBOR_ADVERTISEMENT);
    case 13:
        return seed_nd(out, ND_ROUTER_ADVERTISEMENT);
    case 14:
        return seed_query(out);
    case 15:
        return seed_report(out);
    default:
        return 0;
    }
}
