/* SPDX-License-Identifier: BSD-3-Clause */
#include "icmp.h"

enum {
    OWN_TTL = 64,
    IDENTIFIER_SHIFT = 16,
    CHECKSUM_AT = 2,
    TOS_BITS = 0x1c, /* without precedence and ECN */
    PRECEDENCE_INTERNETWORK = 0xc0,
    QUOTE_MAX = ICMP_ERROR_MAX - IPV4_HEADER - ICMP_HEADER
};

bool icmp_decode(const uint8_t *bytes, size_t len, struct icmp *out)
{
    struct reader r = reader_over(bytes, len);
    struct icmp m = {0};
    m.type = read_u8(&r);
    m.code = read_u8(&r);
    read_u16(&r); /* the checksum, summed up below */
    m.rest = read_u32(&r);
    m.data_len = reader_left(&r);
    m.data = read_bytes(&r, m.data_len);
    if (r.failed || inet_finish(inet_sum(0, bytes, len)) != 0)
        return false;
    *out = m;
    return true;
}

bool icmp_is_error(uint8_t type)
{
    switch (type) {
    case ICMP_UNREACHABLE:
    case ICMP_SOURCE_QUENCH:
    case ICMP_REDIRECT:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER_PROBLEM:
        return true;
    default:
        return false;
    }
}

static void icmp_write(uint8_t *at, const struct icmp *m)
{
    size_t len = ICMP_HEADER + m->data_len;
    struct writer w = writer_over(at, len);
    write_u8(&w, m->type);
    write_u8(&w, m->code);
    write_u16(&w, 0);
    write_u32(&w, m->rest);
    write_bytes(&w, m->data, m->data_len);

    struct writer checksum = writer_over(at + CHECKSUM_AT, 2);
    write_u16(&checksum, inet_finish(inet_sum(0, at, len)));
}

/* The datagram that `ip` (all but its lengths and protocol) carries m in. */
static void datagram_write(struct writer *w, const struct ipv4 *ip, const struct icmp *m)
{
    if (m->data_len > UINT16_MAX - IPV4_HEADER - ICMP_HEADER) {
        w->failed = true;
        return;
    }
    size_t total_len = IPV4_HEADER + ICMP_HEADER + m->data_len;
    uint8_t *datagram = write_reserve(w, total_len);
    if (datagram == NULL)
        return;
    struct ipv4 h = *ip;
    h.protocol = IPPROTO_NUM_ICMP;
    h.total_len = (uint16_t)total_len;
    ipv4_identify(&h, ip->id);
    struct writer header = writer_over(datagram, IPV4_HEADER);
    ipv4_encode(&header, &h);
    icmp_write(datagram + IPV4_HEADER, m);
}

bool icmp_echo_returned(const struct icmp *m, struct icmp_echo *out)
{
    if (m->type != ICMP_ECHO_REPLY || m->code != 0)
        return false;
    *out = (struct icmp_echo){.identifier = (uint16_t)(m->rest >> IDENTIFIER_SHIFT),
                              .sequence = (uint16_t)m->rest};
    return true;
}

void icmp_encode_echo_request(struct writer *w, const struct addr *source, const struct addr *destination,
                              const struct icmp_echo *echo, uint16_t id)
{
    datagram_write(w,
                   &(struct ipv4){.ttl = OWN_TTL, .id = id, .source = *source, .destination = *destination},
                   &(struct icmp){.type = ICMP_ECHO_REQUEST,
                                  .rest = (uint32_t)echo->identifier << IDENTIFIER_SHIFT | echo->sequence});
}

void icmp_encode_echo_reply(struct writer *w, const struct ipv4 *request_ip, const struct icmp *request,
                            uint16_t id)
{
    struct icmp reply = *request;
    reply.type = ICMP_ECHO_REPLY;
    reply.code = 0;
    /* RFC 1812 section 4.3.2.5: TOS and precedence as in the request. */
    datagram_write(w,
                   &(struct ipv4){.tos = request_ip->tos,
                                  .ttl = OWN_TTL,
                                  .id = id,
                                  .source = request_ip->destination,
                                  .destination = request_ip->source},
                   &reply);
}

static bool first_byte_in(const struct addr *a, uint8_t from, uint8_t to)
{
    uint8_t first = (uint8_t)(addr_ipv4(a) >> 24);
    return first >= from && first <= to;
}

/* RFC 1812 sections 4.3.2.7 and 5.3.7: not network 0, loopback, multicast, class E or broadcast. */
static bool names_single_host(const struct addr *source)
{
    return !first_byte_in(source, 0, 0) && !first_byte_in(source, 127, 127) &&
           !first_byte_in(source, 224, 255);
}

/* As far as the address itself tells: a subnet's broadcast address is known only to who has its prefix. */
static bool is_broadcast(const struct addr *destination)
{
    return addr_ipv4(destination) == UINT32_MAX || addr_is_unspecified(destination);
}

bool icmp_error_allowed(const uint8_t *datagram, size_t len, bool link_broadcast)
{
    struct ipv4 ip;
    if (link_broadcast || !ipv4_decode_beginning(datagram, len, &ip))
        return false;
    if ((ip.fragment & IPV4_OFFSET_MASK) != 0)
        return false;
    if (is_broadcast(&ip.destination) || addr_is_multicast(&ip.destination))
        return false;
    if (!names_single_host(&ip.source))
        return false;
    if (ip.protocol != IPPROTO_NUM_ICMP)
        return true;
    /* One that ends before its type might be an error. */
    return ip.total_len > ip.header_len && len > ip.header_len && !icmp_is_error(datagram[ip.header_len]);
}

void icmp_encode_error(struct writer *w, const struct addr *source, uint8_t type, uint8_t code, uint32_t rest,
                       const uint8_t *offender, size_t offender_len, uint16_t id)
{
    struct ipv4 ip;
    if (!ipv4_decode_beginning(offender, offender_len, &ip)) {
        w->failed = true;
        return;
    }
    size_t there = ip.total_len < offender_len ? ip.total_len : offender_len;
    struct icmp error = {.type = type,
                         .code = code,
                         .rest = rest,
                         .data = offender,
                         .data_len = there < QUOTE_MAX ? there : QUOTE_MAX};
    /* RFC 1812 section 4.3.2.5: the offender's TOS, but precedence 6. Never its ECN bits. */
    datagram_write(w,
                   &(struct ipv4){.tos = (uint8_t)(PRECEDENCE_INTERNETWORK | (ip.tos & TOS_BITS)),
                                  .ttl = OWN_TTL,
                                  .id = id,
                                  .source = *source,
                                  .destination = ip.source},
                   &error);
}
