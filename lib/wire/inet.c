/* SPDX-License-Identifier: BSD-3-Clause */
#include "inet.h"

#include "ipv6_header.h"

enum { VERSION_4 = 4, VERSION_6 = 6, IPV4_ADDRESS = 4 /* bytes */, CHECKSUM_AT = 10, UDP_CHECKSUM_AT = 6 };

static uint32_t fold(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

uint32_t inet_sum(uint32_t partial, const void *bytes, size_t len)
{
    const uint8_t *b = bytes;
    uint64_t sum = partial;
    for (; len >= 2; b += 2, len -= 2)
        sum += (uint32_t)b[0] << 8 | b[1];
    if (len == 1)
        sum += (uint32_t)b[0] << 8;
    return fold(sum);
}

uint16_t inet_finish(uint32_t partial)
{
    return (uint16_t)~fold(partial);
}

/* What all checksums here have in common: a right one makes the sum over everything complement to zero. */
static bool header_sums_up(const uint8_t *bytes, size_t header_len)
{
    return inet_finish(inet_sum(0, bytes, header_len)) == 0;
}

static bool read_ipv4(const uint8_t *bytes, size_t len, struct ip_header *out)
{
    struct reader r = reader_over(bytes, len);
    struct ip_header h = {0};
    uint8_t version_ihl = read_u8(&r);
    h.header_len = (uint16_t)((version_ihl & 0x0f) * 4);
    h.tos = read_u8(&r);
    h.total_len = read_u16(&r);
    h.id = read_u16(&r);
    h.fragment = read_u16(&r);
    h.ttl = read_u8(&r);
    h.protocol = read_u8(&r);
    read_u16(&r); /* the checksum, which ip_decode sums up */
    h.source = addr_from_ipv4(read_u32(&r));
    h.destination = addr_from_ipv4(read_u32(&r));

    if (r.failed || version_ihl >> 4 != VERSION_4 || h.header_len < IPV4_HEADER)
        return false;
    if (h.total_len < h.header_len || h.header_len > len)
        return false;
    *out = h;
    return true;
}

static enum ip_decode ipv4_decode(const uint8_t *bytes, size_t len, struct ip_header *out)
{
    struct ip_header h;
    if (!read_ipv4(bytes, len, &h) || h.total_len > len || !header_sums_up(bytes, h.header_len))
        return IP_MALFORMED;
    *out = h;
    return IP_DECODED;
}

static bool is_version_6(const uint8_t *bytes, size_t len)
{
    return len > 0 && bytes[0] >> 4 == VERSION_6;
}

enum ip_decode ip_decode(const uint8_t *bytes, size_t len, struct ip_header *out, struct ip_problem *problem)
{
    if (is_version_6(bytes, len))
        return ipv6_decode(bytes, len, false, out, problem);
    return ipv4_decode(bytes, len, out);
}

bool ip_decode_beginning(const uint8_t *bytes, size_t len, struct ip_header *out)
{
    if (is_version_6(bytes, len))
        return ipv6_decode(bytes, len, true, out, NULL) != IP_MALFORMED;
    return read_ipv4(bytes, len, out);
}

void ip_identify(struct ip_header *h, uint16_t id)
{
    if (!addr_is_ipv4(&h->destination))
        return; /* IPv6 identifies fragments alone */
    const bool atomic = h->total_len <= IPV4_ATOMIC_MAX;
    h->fragment = atomic ? IPV4_FLAG_DF : 0;
    h->id = atomic ? 0 : id;
}

static void ipv4_encode(struct writer *w, const struct ip_header *h)
{
    uint8_t *header = write_reserve(w, IPV4_HEADER);
    if (header == NULL)
        return;
    struct writer at = writer_over(header, IPV4_HEADER);
    write_u8(&at, VERSION_4 << 4 | IPV4_HEADER / 4);
    write_u8(&at, h->tos);
    write_u16(&at, h->total_len);
    write_u16(&at, (uint16_t)h->id);
    write_u16(&at, h->fragment);
    write_u8(&at, h->ttl);
    write_u8(&at, h->protocol);
    write_u16(&at, 0);
    write_u32(&at, addr_ipv4(&h->source));
    write_u32(&at, addr_ipv4(&h->destination));

    struct writer checksum = writer_over(header + CHECKSUM_AT, 2);
    write_u16(&checksum, inet_finish(inet_sum(0, header, IPV4_HEADER)));
}

void ip_encode(struct writer *w, const struct ip_header *h)
{
    if (addr_is_ipv4(&h->destination))
        ipv4_encode(w, h);
    else
        ipv6_encode(w, h);
}

size_t ip_header_size(const struct ip_header *h)
{
    return addr_is_ipv4(&h->destination) ? (size_t)IPV4_HEADER : ipv6_header_size(h);
}

/* Both families' pseudo-headers sum up alike, for zero halves add nothing. */
uint32_t ip_pseudo_sum(const struct addr *source, const struct addr *destination, uint8_t protocol,
                       size_t len)
{
    const size_t from = addr_is_ipv4(destination) ? sizeof(destination->b) - IPV4_ADDRESS : 0;
    uint8_t rest[8];
    struct writer w = writer_over(rest, sizeof(rest));
    write_u32(&w, (uint32_t)len);
    write_u32(&w, protocol);
    uint32_t sum = inet_sum(0, rest, sizeof(rest));
    sum = inet_sum(sum, source->b + from, sizeof(source->b) - from);
    return inet_sum(sum, destination->b + from, sizeof(destination->b) - from);
}

/* The checksum field's value over a datagram and its pseudo-header (RFC 768, RFC 8200 section 8.1). */
static uint16_t udp_checksum(const struct udp *u, const uint8_t *udp, uint16_t udp_len)
{
    return inet_finish(
        inet_sum(ip_pseudo_sum(&u->source, &u->destination, IPPROTO_NUM_UDP, udp_len), udp, udp_len));
}

/* RFC 768: zero says that the sender made none, which IPv6 does not let it (RFC 8200 section 8.1). */
static bool udp_sums_up(const struct udp *u, const uint8_t *udp, uint16_t udp_len, uint16_t checksum)
{
    if (checksum == 0)
        return addr_is_ipv4(&u->destination);
    return udp_checksum(u, udp, udp_len) == 0;
}

enum udp_decode udp_decode(const struct ip_header *ip, const uint8_t *bytes, size_t len, struct udp *out)
{
    if ((ip->fragment & (IPV4_FLAG_MF | IPV4_OFFSET_MASK)) != 0) /* a part of a datagram is not one */
        return UDP_MALFORMED;
    struct reader r = reader_over(bytes, len);
    struct udp u = {.source = *ip_source(ip), .destination = *ip_destination(ip)};
    u.source_port = read_u16(&r);
    u.destination_port = read_u16(&r);
    uint16_t udp_len = read_u16(&r);
    uint16_t checksum = read_u16(&r);
    if (r.failed || udp_len < UDP_HEADER || udp_len > len)
        return UDP_MALFORMED;
    if (!udp_sums_up(&u, bytes, udp_len, checksum))
        return UDP_BAD_CHECKSUM;
    u.payload = bytes + UDP_HEADER;
    u.payload_len = (size_t)udp_len - UDP_HEADER;
    *out = u;
    return UDP_OK;
}

static void udp_write(uint8_t *at, uint16_t udp_len, const struct udp *u)
{
    struct writer w = writer_over(at, udp_len);
    write_u16(&w, u->source_port);
    write_u16(&w, u->destination_port);
    write_u16(&w, udp_len);
    write_u16(&w, 0);
    write_bytes(&w, u->payload, u->payload_len);

    uint16_t sum = udp_checksum(u, at, udp_len);
    struct writer checksum = writer_over(at + UDP_CHECKSUM_AT, 2);
    write_u16(&checksum, sum == 0 ? 0xffff : sum); /* zero would say that there is none (RFC 768) */
}

void udp_encode_alone(struct writer *w, const struct udp *u)
{
    if (u->payload_len > UINT16_MAX - UDP_HEADER) {
        w->failed = true;
        return;
    }
    const uint16_t udp_len = (uint16_t)(UDP_HEADER + u->payload_len);
    uint8_t *at = write_reserve(w, udp_len);
    if (at != NULL)
        udp_write(at, udp_len, u);
}

void udp_encode(struct writer *w, const struct udp *u, uint8_t ttl, uint16_t id)
{
    struct ip_header ip = {
        .ttl = ttl, .protocol = IPPROTO_NUM_UDP, .source = u->source, .destination = u->destination};
    const size_t header_len = ip_header_size(&ip);
    if (u->payload_len > UINT16_MAX - header_len - UDP_HEADER) {
        w->failed = true;
        return;
    }
    uint16_t udp_len = (uint16_t)(UDP_HEADER + u->payload_len);
    uint8_t *datagram = write_reserve(w, header_len + udp_len);
    if (datagram == NULL)
        return;
    ip.total_len = (uint16_t)(header_len + udp_len);
    ip_identify(&ip, id);
    struct writer header = writer_over(datagram, header_len);
    ip_encode(&header, &ip);
    udp_write(datagram + header_len, udp_len, u);
}
