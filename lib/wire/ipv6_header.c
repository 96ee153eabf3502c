/* SPDX-License-Identifier: BSD-3-Clause */
#include "ipv6_header.h"

enum {
    VERSION_6 = 6,
    VERSION_SHIFT = 28, /* in the first word */
    CLASS_SHIFT = 20,
    FLOW_MASK = 0xfffff,
    NEXT_HEADER_AT = 6,
    UNIT = 8 /* extension headers are multiples of it */
};

enum extension { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION_OPTIONS = 60 };

/* The codes of a parameter problem (RFC 4443 section 3.4). */
enum { PROBLEM_FIELD = 0, PROBLEM_NEXT_HEADER = 1, PROBLEM_OPTION = 2 };

enum { OPTION_PAD1 = 0, OPTION_PADN = 1, OPTION_ROUTER_ALERT = 5, OPTION_HOME_ADDRESS = 201 };
enum { ROUTER_ALERT_LEN = 2, ROUTER_ALERT_MLD = 0 /* RFC 2711 section 2.1 */ };
enum { HOME_ADDRESS_LEN = 16, BEARER = 24 /* bytes of a header with one home address, either kind */ };

enum { ROUTING_TYPE_AT = 2, ROUTING_LEFT_AT = 3, ROUTING_ADDRESS_AT = 8, ROUTING_MOBILE = 2 };
enum { FRAGMENT_FIELD_AT = 2, FRAGMENT_ID_AT = 4, FRAGMENT_OFFSET_SHIFT = 3, FRAGMENT_MORE = 1 };

bool ipv6_is_extension(uint8_t protocol)
{
    switch (protocol) {
    case HOP_BY_HOP:
    case ROUTING:
    case FRAGMENT:
    case DESTINATION_OPTIONS:
        return true;
    default:
        return false;
    }
}

/* What may follow the extension headers of a datagram to us. */
static bool is_upper_layer(uint8_t protocol)
{
    switch (protocol) {
    case IPPROTO_NUM_IPIP:
    case IPPROTO_NUM_UDP:
    case IPPROTO_NUM_IPV6:
    case IPPROTO_NUM_ESP:
    case IPPROTO_NUM_ICMPV6:
    case IPPROTO_NUM_NONE:
    case IPPROTO_NUM_MOBILITY:
        return true;
    default:
        return false;
    }
}

/* On the way through the headers. bytes[at] is the first byte of what `next`, which stands at named_at, says
 * it is. */
struct walk {
    const uint8_t *bytes;
    size_t end;     /* of what is there of the datagram */
    bool beginning; /* nobody's business but the addresses and the protocol */
    struct ip_header *ip;
    struct ip_problem *problem;
    size_t at, named_at;
    uint8_t next;
    bool home_allowed;
};

static enum ip_decode problem_at(const struct walk *k, uint8_t code, size_t at)
{
    if (k->problem != NULL)
        *k->problem = (struct ip_problem){.code = code, .pointer = (uint32_t)at};
    return IP_PROBLEM;
}

static struct addr address_at(const uint8_t *bytes)
{
    struct addr a;
    memcpy(a.b, bytes, sizeof(a.b));
    return a;
}

/* ---- Options (RFC 8200 section 4.2) ---- */

/* RFC 6275 sections 6.3 and 9.3.1: once, before any fragment, AH or ESP header, and a routable address. */
static enum ip_decode take_home_address(struct walk *k, const uint8_t *data, uint8_t len)
{
    if (!k->home_allowed || k->next != DESTINATION_OPTIONS || len != HOME_ADDRESS_LEN)
        return IP_MALFORMED;
    const struct addr home = address_at(data);
    if (!addr_is_ipv6_routable(&home))
        return IP_MALFORMED;
    k->ip->home = home;
    k->home_allowed = false;
    return IP_DECODED;
}

/* What asks routers to look for another reason is of no interest to a host. */
static enum ip_decode take_router_alert(struct walk *k, const uint8_t *data, uint8_t len)
{
    if (k->next == HOP_BY_HOP && len == ROUTER_ALERT_LEN && (data[0] << 8 | data[1]) == ROUTER_ALERT_MLD)
        k->ip->router_alert = true;
    return IP_DECODED;
}

/* The two highest bits of an option's type say what becomes of a packet with one that is not known. */
static enum ip_decode unknown_option(const struct walk *k, size_t at)
{
    enum { SKIP, DISCARD, TELL, TELL_UNICAST };
    if (k->beginning)
        return IP_DECODED;
    switch (k->bytes[at] >> 6) {
    case SKIP:
        return IP_DECODED;
    case TELL_UNICAST:
        if (addr_is_multicast(&k->ip->destination))
            return IP_MALFORMED;
        return problem_at(k, PROBLEM_OPTION, at);
    case TELL:
        return problem_at(k, PROBLEM_OPTION, at);
    default:
        return IP_MALFORMED;
    }
}

/* The options header from k->at to end. */
static enum ip_decode read_options(struct walk *k, size_t end)
{
    size_t at = k->at + 2;
    while (at < end) {
        if (k->bytes[at] == OPTION_PAD1) {
            at++;
            continue;
        }
        if (end - at < 2 || end - at - 2 < k->bytes[at + 1])
            return IP_MALFORMED;
        const uint8_t len = k->bytes[at + 1];
        enum ip_decode result = IP_DECODED;
        if (k->bytes[at] == OPTION_HOME_ADDRESS)
            result = take_home_address(k, k->bytes + at + 2, len);
        else if (k->bytes[at] == OPTION_ROUTER_ALERT)
            result = take_router_alert(k, k->bytes + at + 2, len);
        else if (k->bytes[at] != OPTION_PADN)
            result = unknown_option(k, at);
        if (result != IP_DECODED)
            return result;
        at += 2 + (size_t)len;
    }
    return IP_DECODED;
}

/* ---- Routing and fragment headers (RFC 8200 sections 4.4 and 4.5) ---- */

/* RFC 6275 section 11.3.3: two words of address and one segment left, which is a home address; else the
 * packet is silently discarded. */
static enum ip_decode take_routed_home(struct walk *k, size_t size, uint8_t left)
{
    if (size != BEARER || left != 1 || !addr_equal(&k->ip->routed_home, &addr_unspecified))
        return IP_MALFORMED;
    const struct addr home = address_at(k->bytes + k->at + ROUTING_ADDRESS_AT);
    if (!addr_is_ipv6_routable(&home))
        return IP_MALFORMED;
    k->ip->routed_home = home;
    return IP_DECODED;
}

static enum ip_decode read_routing(struct walk *k, size_t size)
{
    const uint8_t type = k->bytes[k->at + ROUTING_TYPE_AT];
    const uint8_t left = k->bytes[k->at + ROUTING_LEFT_AT];
    /* RFC 6275 section 6.3: a Home Address option stands behind the routing header. */
    if (!addr_equal(&k->ip->home, &addr_unspecified))
        return IP_MALFORMED;
    if (type == ROUTING_MOBILE)
        return take_routed_home(k, size, left);
    if (left == 0 || k->beginning)
        return IP_DECODED;
    return problem_at(k, PROBLEM_FIELD, k->at + ROUTING_TYPE_AT);
}

static enum ip_decode read_fragment(struct walk *k)
{
    const uint8_t *field = k->bytes + k->at + FRAGMENT_FIELD_AT;
    const uint16_t offset_and_more = (uint16_t)(field[0] << 8 | field[1]);
    k->ip->fragment = (uint16_t)(offset_and_more >> FRAGMENT_OFFSET_SHIFT);
    if ((offset_and_more & FRAGMENT_MORE) != 0)
        k->ip->fragment |= IPV4_FLAG_MF;
    struct reader id = reader_over(k->bytes + k->at + FRAGMENT_ID_AT, sizeof(k->ip->id));
    k->ip->id = read_u32(&id);
    k->home_allowed = false;
    if (k->ip->fragment == 0) /* the whole packet, which waits for no other fragment (RFC 6946) */
        return IP_DECODED;
    /* The first fragment's headers stand here, those of a later one do not. */
    return k->beginning && k->ip->fragment == IPV4_FLAG_MF ? IP_DECODED : IP_FRAGMENT;
}

/* ---- The chain ---- */

static size_t extension_size(const struct walk *k)
{
    return k->next == FRAGMENT ? UNIT : ((size_t)k->bytes[k->at + 1] + 1) * UNIT;
}

static enum ip_decode read_extension(struct walk *k, size_t size)
{
    switch ((enum extension)k->next) {
    case ROUTING:
        return read_routing(k, size);
    case FRAGMENT:
        return read_fragment(k);
    case HOP_BY_HOP:
        /* RFC 8200 section 4: nowhere but first, else as if it were not known. */
        if (k->at != IPV6_HEADER)
            return problem_at(k, PROBLEM_NEXT_HEADER, k->named_at);
        return read_options(k, k->at + size);
    default:
        return read_options(k, k->at + size);
    }
}

/* Ends at the first byte of what k->next then names. */
static enum ip_decode walk(struct walk *k)
{
    while (ipv6_is_extension(k->next)) {
        if (k->end - k->at < UNIT || k->end - k->at < extension_size(k))
            return k->beginning ? IP_DECODED : IP_MALFORMED;
        const size_t size = extension_size(k);
        const enum ip_decode result = read_extension(k, size);
        if (result != IP_DECODED && result != IP_FRAGMENT)
            return result;
        k->next = k->bytes[k->at];
        k->named_at = k->at;
        k->at += size;
        if (result == IP_FRAGMENT)
            return result;
    }
    return k->beginning || is_upper_layer(k->next) ? IP_DECODED
                                                   : problem_at(k, PROBLEM_NEXT_HEADER, k->named_at);
}

/* Addresses of the other family must not come in by this one (RFC 4291 section 2.5.5.2 has them name IPv4
 * nodes, and so does struct addr). */
static bool read_header(const uint8_t *bytes, size_t len, struct ip_header *out)
{
    struct reader r = reader_over(bytes, len);
    const uint32_t first = read_u32(&r);
    const uint16_t payload_len = read_u16(&r);
    struct ip_header h = {.tos = (uint8_t)(first >> CLASS_SHIFT), .flow = first & FLOW_MASK};
    h.protocol = read_u8(&r);
    h.ttl = read_u8(&r);
    const uint8_t *addresses = read_bytes(&r, 2 * sizeof(h.source.b));
    if (r.failed || first >> VERSION_SHIFT != VERSION_6 || payload_len > UINT16_MAX - IPV6_HEADER)
        return false;
    h.total_len = (uint16_t)(IPV6_HEADER + payload_len);
    h.source = address_at(addresses);
    h.destination = address_at(addresses + sizeof(h.source.b));
    if (addr_is_ipv4(&h.source) || addr_is_ipv4(&h.destination))
        return false;
    *out = h;
    return true;
}

enum ip_decode ipv6_decode(const uint8_t *bytes, size_t len, bool beginning, struct ip_header *out,
                           struct ip_problem *problem)
{
    struct ip_header h;
    if (!read_header(bytes, len, &h) || (!beginning && h.total_len > len))
        return IP_MALFORMED;
    struct walk k = {.bytes = bytes,
                     .end = h.total_len < len ? h.total_len : len,
                     .beginning = beginning,
                     .ip = &h,
                     .problem = problem,
                     .at = IPV6_HEADER,
                     .named_at = NEXT_HEADER_AT,
                     .next = h.protocol,
                     .home_allowed = true};
    const enum ip_decode result = walk(&k);
    if (result == IP_MALFORMED)
        return result;
    h.protocol = k.next;
    h.header_len = (uint16_t)k.at;
    *out = h;
    return result;
}

/* What tells upper layers' messages apart. */
static size_t upper_header_size(uint8_t protocol)
{
    switch (protocol) {
    case IPPROTO_NUM_UDP:
    case IPPROTO_NUM_ESP:
    case IPPROTO_NUM_MOBILITY:
        return 8;
    case IPPROTO_NUM_ICMPV6:
        return 4;
    default:
        return 0;
    }
}

bool ipv6_headers_are_whole(const uint8_t *bytes, size_t len)
{
    struct ip_header h;
    if (ipv6_decode(bytes, len, true, &h, NULL) != IP_DECODED)
        return true; /* there is something wrong with one of them: that is for who reads the whole */
    return !ipv6_is_extension(h.protocol) &&
           (size_t)h.header_len + upper_header_size(h.protocol) <= h.total_len;
}

/* ---- Encoding ---- */

static bool is_set(const struct addr *home)
{
    return !addr_equal(home, &addr_unspecified);
}

size_t ipv6_header_size(const struct ip_header *h)
{
    return IPV6_HEADER + (h->router_alert ? UNIT : 0U) + (is_set(&h->routed_home) ? BEARER : 0U) +
           (is_set(&h->home) ? BEARER : 0U);
}

static void write_router_alert(struct writer *w, uint8_t next)
{
    write_u8(w, next);
    write_u8(w, 0);
    write_u8(w, OPTION_ROUTER_ALERT);
    write_u8(w, ROUTER_ALERT_LEN);
    write_u16(w, ROUTER_ALERT_MLD);
    write_u8(w, OPTION_PADN);
    write_u8(w, 0);
}

static void write_routing(struct writer *w, const struct addr *home, uint8_t next)
{
    write_u8(w, next);
    write_u8(w, BEARER / UNIT - 1);
    write_u8(w, ROUTING_MOBILE);
    write_u8(w, 1); /* segments left */
    write_u32(w, 0);
    write_bytes(w, home->b, sizeof(home->b));
}

/* RFC 6275 section 6.3: the option is aligned to 8n+6. */
static void write_home_address(struct writer *w, const struct addr *home, uint8_t next)
{
    static const uint8_t pad[] = {OPTION_PADN, 2, 0, 0};
    write_u8(w, next);
    write_u8(w, BEARER / UNIT - 1);
    write_bytes(w, pad, sizeof(pad));
    write_u8(w, OPTION_HOME_ADDRESS);
    write_u8(w, HOME_ADDRESS_LEN);
    write_bytes(w, home->b, sizeof(home->b));
}

void ipv6_encode(struct writer *w, const struct ip_header *h)
{
    const size_t size = ipv6_header_size(h);
    uint8_t *header = h->total_len < size ? NULL : write_reserve(w, size);
    if (header == NULL) {
        w->failed = true;
        return;
    }
    const uint8_t behind_routing = is_set(&h->home) ? DESTINATION_OPTIONS : h->protocol;
    const uint8_t behind_options = is_set(&h->routed_home) ? ROUTING : behind_routing;
    struct writer at = writer_over(header, size);
    write_u32(&at,
              (uint32_t)VERSION_6 << VERSION_SHIFT | (uint32_t)h->tos << CLASS_SHIFT | (h->flow & FLOW_MASK));
    write_u16(&at, (uint16_t)(h->total_len - IPV6_HEADER));
    write_u8(&at, h->router_alert ? HOP_BY_HOP : behind_options);
    write_u8(&at, h->ttl);
    write_bytes(&at, h->source.b, sizeof(h->source.b));
    write_bytes(&at, h->destination.b, sizeof(h->destination.b));
    if (h->router_alert)
        write_router_alert(&at, behind_options);
    if (is_set(&h->routed_home))
        write_routing(&at, &h->routed_home, behind_routing);
    if (is_set(&h->home))
        write_home_address(&at, &h->home, h->protocol);
}
