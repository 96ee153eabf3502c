/* SPDX-License-Identifier: BSD-3-Clause */
#include "inet.h"

enum { VERSION_4 = 4, CHECKSUM_AT = 10, UDP_CHECKSUM_AT = 6 };

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

bool ipv4_decode_beginning(const uint8_t *bytes, size_t len, struct ipv4 *out)
{
    struct reader r = reader_over(bytes, len);
    struct ipv4 h = {0};
    uint8_t version_ihl = read_u8(&r);
    h.header_len = (uint8_t)((version_ihl & 0x0f) * 4);
    h.tos = read_u8(&r);
    h.total_len = read_u16(&r);
    h.id = read_u16(&r);
    h.fragment = read_u16(&r);
    h.ttl = read_u8(&r);
    h.protocol = read_u8(&r);
    read_u16(&r); /* the checksum, summed up below */
    h.source = addr_from_ipv4(read_u32(&r));
    h.destination = addr_from_ipv4(read_u32(&r));

    if (r.failed || version_ihl >> 4 != VERSION_4 || h.header_len < IPV4_HEADER)
        return false;
    if (h.total_len < h.header_len || h.header_len > len || !header_sums_up(bytes, h.header_len))
        return false;
    *out = h;
    return true;
}

bool ipv4_decode(const uint8_t *bytes, size_t len, struct ipv4 *out)
{
    struct ipv4 h;
    if (!ipv4_decode_beginning(bytes, len, &h) || h.total_len > len)
        return false;
    *out = h;
    return true;
}

void ipv4_identify(struct ipv4 *h, uint16_t id)
{
    const bool atomic = h->total_len <= IPV4_ATOMIC_MAX;
    h->fragment = atomic ? IPV4_FLAG_DF : 0;
    h->id = atomic ? 0 : id;
}

void ipv4_encode(struct writer *w, const struct ipv4 *h)
{
    uint8_t *header = write_reserve(w, IPV4_HEADER);
    if (header == NULL)
        return;
    struct writer at = writer_over(header, IPV4_HEADER);
    write_u8(&at, VERSION_4 << 4 | IPV4_HEADER / 4);
    write_u8(&at, h->tos);
    write_u16(&at, h->total_len);
    write_u16(&at, h->id);
    write_u16(&at, h->fragment);
    write_u8(&at, h->ttl);
    write_u8(&at, h->protocol);
    write_u16(&at, 0);
    write_u32(&at, addr_ipv4(&h->source));
    write_u32(&at, addr_ipv4(&h->destination));

    struct writer checksum = writer_over(header + CHECKSUM_AT, 2);
    write_u16(&checksum, inet_finish(inet_sum(0, header, IPV4_HEADER)));
}

/* The checksum field's value over a datagram and its pseudo header (RFC 768). */
static uint16_t udp_checksum(const struct addr *source, const struct addr *destination, const uint8_t *udp,
                             uint16_t udp_len)
{
    uint8_t pseudo[12];
    struct writer w = writer_over(pseudo, sizeof(pseudo));
    write_u32(&w, addr_ipv4(source));
    write_u32(&w, addr_ipv4(destination));
    write_u16(&w, IPPROTO_NUM_UDP);
    write_u16(&w, udp_len);
    return inet_finish(inet_sum(inet_sum(0, pseudo, sizeof(pseudo)), udp, udp_len));
}

enum udp_decode udp_decode(const struct ipv4 *ip, const uint8_t *bytes, size_t len, struct udp *out)
{
    if ((ip->fragment & (IPV4_FLAG_MF | IPV4_OFFSET_MASK)) != 0) /* a part of a datagram is not one */
        return UDP_MALFORMED;
    struct reader r = reader_over(bytes, len);
    struct udp u = {.source = ip->source, .destination = ip->destination};
    u.source_port = read_u16(&r);
    u.destination_port = read_u16(&r);
    uint16_t udp_len = read_u16(&r);
    uint16_t checksum = read_u16(&r);
    if (r.failed || udp_len < UDP_HEADER || udp_len > len)
        return UDP_MALFORMED;
    if (checksum != 0 && udp_checksum(&ip->source, &ip->destination, bytes, udp_len) != 0)
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

    uint16_t sum = udp_checksum(&u->source, &u->destination, at, udp_len);
    struct writer checksum = writer_over(at + UDP_CHECKSUM_AT, 2);
    write_u16(&checksum, sum == 0 ? 0xffff : sum); /* zero would say that there is none (RFC 768) */
}

void udp_encode(struct writer *w, const struct udp *u, uint8_t ttl, uint16_t id)
{
    if (u->payload_len > UINT16_MAX - IPV4_HEADER - UDP_HEADER) {
        w->failed = true;
        return;
    }
    uint16_t udp_len = (uint16_t)(UDP_HEADER + u->payload_len);
    uint8_t *datagram = write_reserve(w, (size_t)IPV4_HEADER + udp_len);
    if (datagram == NULL)
        return;
    struct writer header = writer_over(datagram, IPV4_HEADER);
    struct ipv4 ip = {.ttl = ttl,
                      .protocol = IPPROTO_NUM_UDP,
                      .total_len = (uint16_t)(IPV4_HEADER + udp_len),
                      .source = u->source,
                      .destination = u->destination};
    ipv4_identify(&ip, id);
    ipv4_encode(&header, &ip);
    udp_write(datagram + IPV4_HEADER, udp_len, u);
}
