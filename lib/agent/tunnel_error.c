/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP errors about packets that we tunnelled: what they teach of the tunnel, and what of them the sender of
 * the packet inside is told (RFC 2003 section 4; RFC 2473 section 8; RFC 4213 section 3.4).
 */
#include "internal.h"

#include "secondary/held.h"

enum { RELAYED_MIN = 8 /* bytes behind the inner header, as every error must quote them (RFC 792) */ };

/* An error about a packet of ours, taken apart. */
struct complaint {
    struct tunnel *tunnel;
    const struct ip_header *ip; /* the error's own header */
    const struct icmp *icmp;
    struct ip_header outer; /* as quoted */
    const uint8_t *inner;   /* what is quoted of the inner packet; NULL: less than can be relayed */
    size_t inner_len;
    struct ip_header inner_ip;
    uint16_t overhead;                /* bytes that our encapsulation took off the path's MTU */
    uint8_t restored[ICMP_ERROR_MAX]; /* inner's place where its header had to be put together again */
};

static bool is_ipv4(const struct ip_header *ip)
{
    return addr_is_ipv4(&ip->source);
}

/* ---- Understanding ---- */

/* The inner header, where it is quoted, must be one that we tunnelled there: its destination is bound to this
 * care-of address. ICMP need not quote it (RFC 792: eight bytes); ICMPv6 has room for it (RFC 4443 section
 * 2.4 (c)), and without it anybody who knows both ends could have made the quote up. */
static bool read_inner(const struct agent *agent, const uint8_t *bytes, size_t len, bool ipv4,
                       struct complaint *out)
{
    struct ip_header inner;
    if (len < (ipv4 ? IPV4_HEADER : IPV6_HEADER))
        return is_ipv4(&out->outer);
    if (!ip_decode_beginning(bytes, len, &inner) || is_ipv4(&inner) != ipv4)
        return false;
    const struct mobile *mobile = mobile_by_home(agent, &inner.destination);
    const struct care *care = mobile == NULL ? NULL : care_find(mobile, &out->tunnel->far);
    if (care == NULL || care->tunnel != out->tunnel)
        return false;
    if (len < inner.header_len + (size_t)RELAYED_MIN)
        return true;
    const size_t most = ipv4 ? ICMP_ERROR_MAX : ICMP6_ERROR_MAX;
    out->inner = bytes;
    out->inner_len = len < most ? len : most;
    out->inner_ip = inner;
    return true;
}

/* RFC 2784 section 2: we send neither checksum nor key, and nothing but IPv4 inside. */
static bool read_gre(const struct agent *agent, const uint8_t *bytes, size_t len, struct complaint *out)
{
    static const uint8_t plain[] = {0, 0, 0x08, 0x00};
    out->overhead += sizeof(plain);
    if (len < sizeof(plain))
        return true;
    return memcmp(bytes, plain, sizeof(plain)) == 0 &&
           read_inner(agent, bytes + sizeof(plain), len - sizeof(plain), true, out);
}

/* RFC 2004 section 3: the packet's own header stands in front, changed; what it was is in the forwarding
 * header behind it. We always send the one with the original source. */
static bool read_minimal(const struct agent *agent, const uint8_t *bytes, size_t len, struct complaint *out)
{
    enum { MINIMAL_HEADER = 12, MINIMAL_SOURCE = 0x80 };
    const struct ip_header *outer = &out->outer;
    const uint8_t *forwarding = bytes + outer->header_len;
    out->overhead = IPV4_HEADER;
    if (len < outer->header_len + (size_t)MINIMAL_HEADER)
        return true;
    if (forwarding[1] != MINIMAL_SOURCE || outer->total_len < outer->header_len + MINIMAL_HEADER)
        return false;
    const size_t rest = len - outer->header_len - MINIMAL_HEADER;
    struct writer w = writer_over(out->restored, sizeof(out->restored));
    write_bytes(&w, bytes, 2);
    write_u16(&w, (uint16_t)(outer->total_len - MINIMAL_HEADER));
    write_bytes(&w, bytes + 4, 5);
    write_u8(&w, forwarding[0]);
    write_u16(&w, 0);
    write_bytes(&w, forwarding + 8, 4);
    write_bytes(&w, forwarding + 4, 4);
    write_bytes(&w, bytes + IPV4_HEADER, outer->header_len - IPV4_HEADER);
    const uint16_t checksum = inet_finish(inet_sum(0, out->restored, outer->header_len));
    out->restored[10] = (uint8_t)(checksum >> 8);
    out->restored[11] = (uint8_t)checksum;
    const size_t room = sizeof(out->restored) - writer_len(&w);
    write_bytes(&w, forwarding + MINIMAL_HEADER, rest < room ? rest : room);
    return read_inner(agent, out->restored, writer_len(&w), true, out);
}

static bool is_tunnelled(const struct ip_header *outer)
{
    switch (outer->protocol) {
    case IPPROTO_NUM_IPIP:
    case IPPROTO_NUM_IPV6:
        return true;
    case IPPROTO_NUM_GRE:
    case IPPROTO_NUM_MINIMAL:
        return is_ipv4(outer);
    default:
        return false;
    }
}

static bool read_tunnelled(const struct agent *agent, const uint8_t *bytes, size_t len, struct complaint *out)
{
    const uint8_t *behind = bytes + out->outer.header_len;
    const size_t left = len - out->outer.header_len;
    switch (out->outer.protocol) {
    case IPPROTO_NUM_GRE:
        return read_gre(agent, behind, left, out);
    case IPPROTO_NUM_MINIMAL:
        return read_minimal(agent, bytes, len, out);
    default:
        return read_inner(agent, behind, left, out->outer.protocol == IPPROTO_NUM_IPIP, out);
    }
}

/* A later fragment of an outer packet holds no inner header. Over IPv6 that is too little to give a tunnel up
 * for; the MTU of its path has a least value. */
static bool is_later_fragment_believed(const struct complaint *c)
{
    return is_ipv4(&c->outer) || c->icmp->type == ICMP6_TOO_BIG;
}

/* Believed is only what quotes a header that we sent: from an address of ours, to a live care-of address, of
 * a protocol that tunnels have. */
static bool understand(const struct agent *agent, struct complaint *out)
{
    const struct icmp *icmp = out->icmp;
    if (!icmp_is_error(out->ip, icmp->type) ||
        !ip_decode_beginning(icmp->data, icmp->data_len, &out->outer) ||
        is_ipv4(&out->outer) != is_ipv4(out->ip) || !is_tunnelled(&out->outer))
        return false;
    out->overhead = out->outer.header_len;
    out->tunnel = tunnel_find(agent, &out->outer.source, &out->outer.destination);
    if (out->tunnel == NULL)
        return false;
    if ((out->outer.fragment & IPV4_OFFSET_MASK) != 0)
        return is_later_fragment_believed(out);
    return read_tunnelled(agent, icmp->data, icmp->data_len, out);
}

/* ---- Learning ---- */
static void note_tunnel(struct agent *agent, const struct complaint *c, enum note_kind kind, uint32_t value,
                        struct instant now)
{
    const struct note note = {
        .kind = (uint8_t)kind, .care_of = c->tunnel->far, .peer = c->ip->source, .value = value};
    effect_note_limited(agent, &note, now);
}

/* A secondary's primary knows nothing of what comes back to the secondary's own address. */
static void report_trouble(struct agent *agent, const struct complaint *c, uint16_t mtu)
{
    const struct mobile *quoted = c->inner == NULL ? NULL : mobile_by_home(agent, &c->inner_ip.destination);
    if (agent->settings.role == AGENT_SECONDARY)
        held_tunnel_trouble(agent, quoted != NULL ? quoted : c->tunnel->cares->mobile, mtu);
}

static void learn_mtu(struct agent *agent, const struct complaint *c, uint16_t mtu, struct instant now)
{
    if (!tunnel_learn_mtu(agent, c->tunnel, mtu, now))
        return;
    note_tunnel(agent, c, NOTE_PATH_MTU, mtu, now);
    report_trouble(agent, c, mtu);
}

static void learn_unreachable(struct agent *agent, const struct complaint *c, struct instant now)
{
    if (!tunnel_learn_unreachable(agent, c->tunnel, now))
        return;
    note_tunnel(agent, c, NOTE_UNREACHABLE, 0, now);
    report_trouble(agent, c, 0);
}

/* ---- Relaying ---- */
static void relay(struct agent *agent, const struct complaint *c, enum icmp_error what, uint32_t value)
{
    if (c->inner == NULL || !icmp_error_allowed(what, c->inner, c->inner_len, false) ||
        !effects_reserve(&agent->effects))
        return;
    struct relay out = {.what = (uint8_t)what, .value = value, .len = c->inner_len};
    memcpy(out.datagram, c->inner, c->inner_len);
    count(agent, AGENT_TUNNEL_ERRORS_RELAYED);
    effect_relay(agent, &out);
}

/* A sender that allows fragments has nothing to learn (RFC 2003 section 5.1): we fragment for it from now on;
 * so we do for one that need not send less (RFC 2473 sections 7.1 and 7.2). */
static void relay_too_big(struct agent *agent, const struct complaint *c, uint16_t mtu)
{
    const uint16_t left = mtu > c->overhead ? (uint16_t)(mtu - c->overhead) : 0;
    if (c->inner == NULL)
        return;
    if (is_ipv4(&c->inner_ip)) {
        if ((c->inner_ip.fragment & IPV4_FLAG_DF) != 0)
            relay(agent, c, ICMP_ERROR_TOO_BIG, left);
    } else if (c->inner_ip.total_len > IPV6_MTU_MIN) {
        relay(agent, c, ICMP_ERROR_TOO_BIG, left > IPV6_MTU_MIN ? left : IPV6_MTU_MIN);
    }
}

/* RFC 1191 sections 5 and 7: what a router that names no MTU may have meant, by the length of what it
 * refused. */
static uint16_t plateau_below(uint16_t len)
{
    static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};
    for (size_t i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
        if (plateaus[i] < len)
            return plateaus[i];
    return 0;
}

/* Half of ICMP's second word, all of ICMPv6's. */
static uint32_t named_mtu(const struct complaint *c)
{
    if (!is_ipv4(c->ip))
        return c->icmp->rest;
    const uint16_t mtu = (uint16_t)c->icmp->rest;
    return mtu != 0 ? mtu : plateau_below(c->outer.total_len);
}

/* False: a report that cannot be true. An MTU that the packet would have fitted was never exceeded, and there
 * is no link of less than the least (RFC 791, RFC 8201 section 4). */
static bool too_big(struct agent *agent, const struct complaint *c, struct instant now)
{
    const uint32_t mtu = named_mtu(c);
    if (mtu < tunnel_mtu_min(c->tunnel) || mtu >= c->outer.total_len)
        return false;
    learn_mtu(agent, c, (uint16_t)mtu, now);
    const uint16_t known = tunnel_mtu(c->tunnel);
    relay_too_big(agent, c, known != 0 ? known : (uint16_t)mtu);
    return true;
}

/* ---- ICMP, RFC 2003 section 4 ---- */

/* Section 4.1: network and protocol unreachable become host unreachable where the mobile node's network is
 * ours, since the packet had come that far. */
static enum icmp_error unreachable_error(const struct agent *agent, const struct complaint *c)
{
    if (c->icmp->code == ICMP_HOST_UNREACHABLE || home_network(agent, &c->inner_ip.destination) != NULL)
        return ICMP_ERROR_HOST;
    return ICMP_ERROR_NO_ROUTE;
}

/* Codes 3 (the outer header has no port) and 5 (our own affair) must not be relayed (section 4.1). */
static bool unreachable(struct agent *agent, const struct complaint *c, struct instant now)
{
    switch (c->icmp->code) {
    case ICMP_NET_UNREACHABLE:
    case ICMP_HOST_UNREACHABLE:
    case ICMP_PROTOCOL_UNREACHABLE:
        learn_unreachable(agent, c, now);
        relay(agent, c, unreachable_error(agent, c), 0);
        return true;
    case ICMP_FRAGMENTATION_NEEDED:
        return too_big(agent, c, now);
    default:
        return true;
    }
}

/* Section 4.4: a loop inside the tunnel. Code 1 comes from the far end, which is alive then. */
static void time_exceeded(struct agent *agent, const struct complaint *c, struct instant now)
{
    if (c->icmp->code == 0)
        learn_unreachable(agent, c, now);
    relay(agent, c, ICMP_ERROR_HOST, 0);
}

/* Section 4.5: only what the sender itself wrote is its problem. We copy TOS and DF (section 3.1) to the same
 * place of another IPv4 header; there are no options of ours, and none of its own outside. */
static void parameter_problem(struct agent *agent, const struct complaint *c)
{
    const uint8_t pointer = (uint8_t)(c->icmp->rest >> 24);
    const uint8_t tos = 1, flags = 6;
    if (c->outer.protocol != IPPROTO_NUM_IPV6 && (pointer == tos || pointer == flags))
        relay(agent, c, ICMP_ERROR_PARAMETER, pointer);
}

/* Source quench and redirect are never relayed (4.2, 4.3) and teach us nothing. False: not believed. */
static bool take_in(struct agent *agent, const struct complaint *c, struct instant now)
{
    switch (c->icmp->type) {
    case ICMP_UNREACHABLE:
        return unreachable(agent, c, now);
    case ICMP_TIME_EXCEEDED:
        time_exceeded(agent, c, now);
        return true;
    case ICMP_PARAMETER_PROBLEM:
        parameter_problem(agent, c);
        return true;
    default:
        return true;
    }
}

/* ---- ICMPv6, RFC 2473 sections 8.1 to 8.3 ---- */

/* It points to the value of a Tunnel Encapsulation Limit option of ours: type 4, length 1, in a destination
 * options header behind the IPv6 header (section 4.1.1). */
static bool is_about_encapsulation_limit(const struct complaint *c)
{
    enum { NEXT_HEADER_AT = 6, DESTINATION_OPTIONS = 60, PAD1 = 0, LIMIT = 4 };
    const uint8_t *quote = c->icmp->data;
    const size_t end = c->outer.header_len, pointer = c->icmp->rest;
    if (c->icmp->code != 0 || quote[NEXT_HEADER_AT] != DESTINATION_OPTIONS)
        return false;
    size_t at = IPV6_HEADER + 2;
    while (at + 2 < end && at + 2 < pointer)
        at += quote[at] == PAD1 ? 1 : 2 + (size_t)quote[at + 1];
    return at + 2 < end && at + 2 == pointer && quote[at] == LIMIT && quote[at + 1] == 1;
}

/* A node that is out of reach, or that hops do not reach, is so for every packet; how deep tunnels are nested
 * depends on the packet. The outer header has no port. False: not believed. */
static bool take_in_ipv6(struct agent *agent, const struct complaint *c, struct instant now)
{
    switch (c->icmp->type) {
    case ICMP6_UNREACHABLE:
        if (c->icmp->code == ICMP6_PORT_UNREACHABLE)
            return true;
        learn_unreachable(agent, c, now);
        relay(agent, c, ICMP_ERROR_HOST, 0);
        return true;
    case ICMP6_TIME_EXCEEDED:
        if (c->icmp->code != 0)
            return true;
        learn_unreachable(agent, c, now);
        relay(agent, c, ICMP_ERROR_HOST, 0);
        return true;
    case ICMP6_TOO_BIG:
        return too_big(agent, c, now);
    case ICMP6_PARAMETER_PROBLEM:
        if (is_about_encapsulation_limit(c))
            relay(agent, c, ICMP_ERROR_HOST, 0);
        return true;
    default:
        return true;
    }
}

void agent_tunnel_error(struct agent *agent, const struct ip_header *ip, const struct icmp *icmp,
                        struct instant now)
{
    struct complaint c;
    c.ip = ip;
    c.icmp = icmp;
    c.inner = NULL;
    c.inner_ip = (struct ip_header){0};
    if (!effects_reserve(&agent->effects)) {
        count(agent, AGENT_NO_MEMORY);
        return;
    }
    const bool believed =
        understand(agent, &c) && (is_ipv4(ip) ? take_in(agent, &c, now) : take_in_ipv6(agent, &c, now));
    count(agent, believed ? AGENT_TUNNEL_ERRORS_BELIEVED : AGENT_TUNNEL_ERRORS_REFUSED);
}
