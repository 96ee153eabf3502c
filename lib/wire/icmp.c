/* SPDX-License-Identifier: BSD-3-Clause */
#include "icmp.h"

#include "ipv6_header.h"
#include "nd.h"

enum {
    OWN_TTL = 64,
    IDENTIFIER_SHIFT = 16,
    POINTER_SHIFT = 24, /* IPv4's is the first byte of the second word */
    CHECKSUM_AT = 2,
    TOS_BITS = 0x1c, /* without precedence and ECN */
    PRECEDENCE_INTERNETWORK = 0xc0,
    ICMP6_INFORMATIONAL = 128 /* types from here on are no errors (RFC 4443 section 2.1) */
};

static bool is_icmp6(const struct ip_header *ip)
{
    return ip->protocol == IPPROTO_NUM_ICMPV6;
}

/* What the checksum covers besides the message: nothing (RFC 792), or the pseudo-header (RFC 4443 section
 * 2.3). */
static uint32_t checksum_base(bool icmp6, const struct addr *source, const struct addr *destination,
                              size_t len)
{
    return icmp6 ? ip_pseudo_sum(source, destination, IPPROTO_NUM_ICMPV6, len) : 0;
}

bool icmp_decode(const struct ip_header *ip, const uint8_t *bytes, size_t len, struct icmp *out)
{
    struct reader r = reader_over(bytes, len);
    struct icmp m = {0};
    m.type = read_u8(&r);
    m.code = read_u8(&r);
    read_u16(&r); /* the checksum, summed up below */
    m.rest = read_u32(&r);
    m.data_len = reader_left(&r);
    m.data = read_bytes(&r, m.data_len);
    if (r.failed || (is_icmp6(ip) && addr_is_ipv4(&ip->destination)))
        return false;
    const uint32_t base = checksum_base(is_icmp6(ip), ip_source(ip), ip_destination(ip), len);
    if (inet_finish(inet_sum(base, bytes, len)) != 0)
        return false;
    *out = m;
    return true;
}

static bool is_icmp4_error(uint8_t type)
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

bool icmp_is_error(const struct ip_header *ip, uint8_t type)
{
    return is_icmp6(ip) ? type < ICMP6_INFORMATIONAL : is_icmp4_error(type);
}

bool icmp_is_echo_request(const struct ip_header *ip, const struct icmp *m)
{
    return m->type == (is_icmp6(ip) ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST);
}

/* What m writes at `at`, without its checksum; returns how long it is. */
static size_t message_write(uint8_t *at, const struct icmp *m)
{
    size_t len = ICMP_HEADER + m->data_len;
    struct writer w = writer_over(at, len);
    write_u8(&w, m->type);
    write_u8(&w, m->code);
    write_u16(&w, 0);
    write_u32(&w, m->rest);
    write_bytes(&w, m->data, m->data_len);
    return len;
}

static void checksum_write(uint8_t *bytes, size_t len, uint32_t base)
{
    struct writer checksum = writer_over(bytes + CHECKSUM_AT, 2);
    write_u16(&checksum, 0);
    checksum.at = checksum.start;
    write_u16(&checksum, inet_finish(inet_sum(base, bytes, len)));
}

void icmp6_checksum(uint8_t *bytes, size_t len, const struct addr *source, const struct addr *destination)
{
    checksum_write(bytes, len, checksum_base(true, source, destination, len));
}

/* The datagram that `ip` (all but its lengths and protocol) carries m in. */
static void datagram_write(struct writer *w, const struct ip_header *ip, const struct icmp *m)
{
    const size_t header_len = ip_header_size(ip);
    if (m->data_len > UINT16_MAX - header_len - ICMP_HEADER) {
        w->failed = true;
        return;
    }
    const size_t total_len = header_len + ICMP_HEADER + m->data_len;
    uint8_t *datagram = write_reserve(w, total_len);
    if (datagram == NULL)
        return;
    struct ip_header h = *ip;
    const bool icmp6 = !addr_is_ipv4(&h.destination);
    h.protocol = icmp6 ? IPPROTO_NUM_ICMPV6 : IPPROTO_NUM_ICMP;
    h.total_len = (uint16_t)total_len;
    ip_identify(&h, (uint16_t)ip->id);
    struct writer header = writer_over(datagram, header_len);
    ip_encode(&header, &h);
    uint8_t *message = datagram + header_len;
    const size_t len = message_write(message, m);
    checksum_write(message, len, checksum_base(icmp6, &h.source, &h.destination, len));
}

bool icmp_echo_returned(const struct ip_header *ip, const struct icmp *m, struct icmp_echo *out)
{
    if (m->type != (is_icmp6(ip) ? ICMP6_ECHO_REPLY : ICMP_ECHO_REPLY) || m->code != 0)
        return false;
    *out = (struct icmp_echo){.identifier = (uint16_t)(m->rest >> IDENTIFIER_SHIFT),
                              .sequence = (uint16_t)m->rest};
    return true;
}

void icmp_encode_echo_request(struct writer *w, const struct addr *source, const struct addr *destination,
                              const struct icmp_echo *echo, uint16_t id)
{
    datagram_write(
        w, &(struct ip_header){.ttl = OWN_TTL, .id = id, .source = *source, .destination = *destination},
        &(struct icmp){.type = addr_is_ipv4(destination) ? ICMP_ECHO_REQUEST : ICMP6_ECHO_REQUEST,
                       .rest = (uint32_t)echo->identifier << IDENTIFIER_SHIFT | echo->sequence});
}

void icmp_encode_echo_reply(struct writer *w, const struct ip_header *request_ip, const struct icmp *request,
                            const struct addr *source, uint16_t id)
{
    struct icmp reply = *request;
    reply.type = is_icmp6(request_ip) ? ICMP6_ECHO_REPLY : ICMP_ECHO_REPLY;
    reply.code = 0;
    /* RFC 1812 section 4.3.2.5: TOS and precedence as in the request. */
    datagram_write(w,
                   &(struct ip_header){.tos = request_ip->tos,
                                       .ttl = OWN_TTL,
                                       .id = id,
                                       .source = source != NULL ? *source : *ip_destination(request_ip),
                                       .destination = *ip_source(request_ip)},
                   &reply);
}

/* ---- Errors ---- */

struct icmp_numbers icmp_numbers(bool ipv4, enum icmp_error what, uint32_t value)
{
    static const struct {
        uint8_t type, code;
    } icmp4[] = {[ICMP_ERROR_NO_ROUTE] = {ICMP_UNREACHABLE, ICMP_NET_UNREACHABLE},
                 [ICMP_ERROR_HOST] = {ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE},
                 [ICMP_ERROR_PROTOCOL] = {ICMP_UNREACHABLE, ICMP_PROTOCOL_UNREACHABLE},
                 [ICMP_ERROR_PORT] = {ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE},
                 [ICMP_ERROR_TOO_BIG] = {ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED},
                 [ICMP_ERROR_HOPS] = {ICMP_TIME_EXCEEDED, 0},
                 [ICMP_ERROR_REASSEMBLY] = {ICMP_TIME_EXCEEDED, 1},
                 [ICMP_ERROR_PARAMETER] = {ICMP_PARAMETER_PROBLEM, 0},
                 [ICMP_ERROR_OPTION] = {ICMP_PARAMETER_PROBLEM, 0},
                 [ICMP_ERROR_HEADERS] = {ICMP_PARAMETER_PROBLEM, 0}},
      icmp6[] = {[ICMP_ERROR_NO_ROUTE] = {ICMP6_UNREACHABLE, ICMP6_NO_ROUTE},
                 [ICMP_ERROR_HOST] = {ICMP6_UNREACHABLE, ICMP6_ADDRESS_UNREACHABLE},
                 [ICMP_ERROR_PROTOCOL] = {ICMP6_PARAMETER_PROBLEM, 1},
                 [ICMP_ERROR_PORT] = {ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE},
                 [ICMP_ERROR_TOO_BIG] = {ICMP6_TOO_BIG, 0},
                 [ICMP_ERROR_HOPS] = {ICMP6_TIME_EXCEEDED, 0},
                 [ICMP_ERROR_REASSEMBLY] = {ICMP6_TIME_EXCEEDED, 1},
                 [ICMP_ERROR_PARAMETER] = {ICMP6_PARAMETER_PROBLEM, 0},
                 [ICMP_ERROR_OPTION] = {ICMP6_PARAMETER_PROBLEM, 2},
                 [ICMP_ERROR_HEADERS] = {ICMP6_PARAMETER_PROBLEM, 3}};
    if (!ipv4)
        return (struct icmp_numbers){.type = icmp6[what].type, .code = icmp6[what].code, .rest = value};
    const bool points = icmp4[what].type == ICMP_PARAMETER_PROBLEM;
    return (struct icmp_numbers){
        .type = icmp4[what].type, .code = icmp4[what].code, .rest = points ? value << POINTER_SHIFT : value};
}

enum icmp_error icmp_error_of(const struct ip_problem *problem)
{
    static const enum icmp_error by_code[] = {ICMP_ERROR_PARAMETER, ICMP_ERROR_PROTOCOL, ICMP_ERROR_OPTION,
                                              ICMP_ERROR_HEADERS};
    return by_code[problem->code];
}

static bool first_byte_in(const struct addr *a, uint8_t from, uint8_t to)
{
    uint8_t first = (uint8_t)(addr_ipv4(a) >> 24);
    return first >= from && first <= to;
}

/* RFC 1812 sections 4.3.2.7 and 5.3.7: not network 0, loopback, multicast, class E or broadcast. RFC 4443
 * section 2.4 (e.6). */
static bool names_single_host(const struct addr *source)
{
    if (addr_is_unspecified(source) || addr_is_loopback(source) || addr_is_multicast(source))
        return false;
    return !addr_is_ipv4(source) || (!first_byte_in(source, 0, 0) && !first_byte_in(source, 240, 255));
}

/* As far as the address itself tells: a subnet's broadcast address is known only to who has its prefix. */
static bool is_broadcast(const struct addr *destination)
{
    return addr_is_unspecified(destination) ||
           (addr_is_ipv4(destination) && addr_ipv4(destination) == UINT32_MAX);
}

/* RFC 4443 section 2.4 (e.3) to (e.5): what a sender to many needs to know all the same, for the path's MTU
 * and because its option says so. */
static bool is_owed_to_all_senders(const struct ip_header *ip, enum icmp_error what)
{
    return !addr_is_ipv4(&ip->destination) && (what == ICMP_ERROR_TOO_BIG || what == ICMP_ERROR_OPTION);
}

/* It is no ICMP message, or certainly no error. One that ends before its type might be one, and so might
 * what ends before the headers do, unless that is what it is told (RFC 7112 section 5): no error that anybody
 * may send is so large that its headers take more than one fragment. */
static bool bears_no_error(enum icmp_error what, const struct ip_header *ip, const uint8_t *datagram,
                           size_t len)
{
    const bool icmp =
        ip->protocol == (addr_is_ipv4(&ip->destination) ? IPPROTO_NUM_ICMP : IPPROTO_NUM_ICMPV6);
    if (!icmp)
        return addr_is_ipv4(&ip->destination) || what == ICMP_ERROR_HEADERS ||
               !ipv6_is_extension(ip->protocol);
    if (ip->total_len <= ip->header_len || len <= ip->header_len || (ip->fragment & IPV4_OFFSET_MASK) != 0)
        return false;
    const uint8_t type = datagram[ip->header_len];
    /* RFC 4443 section 2.4 (e.2) */
    return !icmp_is_error(ip, type) && !(is_icmp6(ip) && type == ND_REDIRECT);
}

/* The header as it came is right (RFC 1812 section 4.3.2.7), and of IPv4 the fragment the first: of IPv6
 * every one may be too big (RFC 4443 section 2.4 excepts none). */
static bool is_answerable(const struct ip_header *ip, const uint8_t *datagram)
{
    if (!addr_is_ipv4(&ip->destination))
        return true;
    return (ip->fragment & IPV4_OFFSET_MASK) == 0 && inet_finish(inet_sum(0, datagram, ip->header_len)) == 0;
}

bool icmp_error_allowed(enum icmp_error what, const uint8_t *datagram, size_t len, bool link_cast)
{
    struct ip_header ip;
    if (!ip_decode_beginning(datagram, len, &ip) || !is_answerable(&ip, datagram))
        return false;
    if (is_broadcast(&ip.destination) || !names_single_host(&ip.source))
        return false;
    if ((link_cast || addr_is_multicast(&ip.destination)) && !is_owed_to_all_senders(&ip, what))
        return false;
    return bears_no_error(what, &ip, datagram, len);
}

void icmp_encode_error(struct writer *w, const struct addr *source, enum icmp_error what, uint32_t value,
                       const uint8_t *offender, size_t offender_len, uint16_t id)
{
    struct ip_header ip;
    if (!ip_decode_beginning(offender, offender_len, &ip)) {
        w->failed = true;
        return;
    }
    const bool ipv4 = addr_is_ipv4(&ip.destination);
    const size_t there = ip.total_len < offender_len ? ip.total_len : offender_len;
    const size_t most =
        ipv4 ? ICMP_ERROR_MAX - IPV4_HEADER - ICMP_HEADER : ICMP6_ERROR_MAX - IPV6_HEADER - ICMP_HEADER;
    const struct icmp_numbers n = icmp_numbers(ipv4, what, value);
    struct icmp error = {.type = n.type,
                         .code = n.code,
                         .rest = n.rest,
                         .data = offender,
                         .data_len = there < most ? there : most};
    /* RFC 1812 section 4.3.2.5: the offender's TOS, but precedence 6. Never its ECN bits. */
    const uint8_t tos = (uint8_t)(PRECEDENCE_INTERNETWORK | (ip.tos & TOS_BITS));
    datagram_write(
        w,
        &(struct ip_header){
            .tos = ipv4 ? tos : 0, .ttl = OWN_TTL, .id = id, .source = *source, .destination = ip.source},
        &error);
}
