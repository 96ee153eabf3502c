/* SPDX-License-Identifier: BSD-3-Clause */
#include "nd.h"

#include "icmp.h"
#include "icmp6_frame.h"

enum { OPTION_UNIT = 8, MAC_LEN = 6 };

enum nd_option {
    OPTION_SOURCE_MAC = 1,
    OPTION_TARGET_MAC = 2,
    OPTION_PREFIX = 3,
    OPTION_MTU = 5,
    OPTION_INTERVAL = 7,  /* RFC 6275 section 7.3 */
    OPTION_HOME_AGENT = 8 /* section 7.4 */
};

/* Bytes of a message in front of its options. */
enum { SOLICITATION_FIXED = 8, ADVERTISEMENT_FIXED = 16, NEIGHBOR_FIXED = 24 };

static size_t fixed_len(uint8_t type)
{
    switch (type) {
    case ND_ROUTER_SOLICITATION:
        return SOLICITATION_FIXED;
    case ND_ROUTER_ADVERTISEMENT:
        return ADVERTISEMENT_FIXED;
    case ND_NEIGHBOR_SOLICITATION:
    case ND_NEIGHBOR_ADVERTISEMENT:
        return NEIGHBOR_FIXED;
    default:
        return 0;
    }
}

/* ---- Options (RFC 4861 section 4.6, RFC 6275 sections 7.2 to 7.4) ---- */

bool nd_prefix_read(const uint8_t option[static ND_PREFIX_OPTION], struct nd_prefix *out)
{
    struct reader r = reader_over(option, ND_PREFIX_OPTION);
    read_u16(&r); /* type and length */
    struct nd_prefix p = {.prefix.bits = read_u8(&r)};
    p.flags = read_u8(&r);
    p.valid_s = read_u32(&r);
    p.preferred_s = read_u32(&r);
    read_u32(&r);
    p.prefix.addr = read_addr(&r);
    /* A mapped address would be taken for an IPv4 one. */
    if (p.prefix.bits > 8 * sizeof(p.prefix.addr.b) || addr_is_ipv4(&p.prefix.addr))
        return false;
    *out = p;
    return true;
}

void nd_prefix_write(struct writer *w, const struct nd_prefix *p)
{
    write_u8(w, OPTION_PREFIX);
    write_u8(w, ND_PREFIX_OPTION / OPTION_UNIT);
    write_u8(w, p->prefix.bits);
    write_u8(w, p->flags);
    write_u32(w, p->valid_s);
    write_u32(w, p->preferred_s);
    write_u32(w, 0);
    write_bytes(w, p->prefix.addr.b, sizeof(p->prefix.addr.b));
}

/* The first of its kind counts; a group's address is nobody's. */
static void take_mac(const uint8_t *option, size_t size, struct nd *out)
{
    static const struct mac none;
    struct mac mac;
    memcpy(mac.b, option + 2, MAC_LEN);
    if (size != OPTION_UNIT || out->has_mac || (mac.b[0] & 1) != 0 || mac_equal(&mac, &none))
        return;
    out->mac = mac;
    out->has_mac = true;
}

static void take_prefix(const uint8_t *option, size_t size, struct nd_router *out)
{
    if (size == ND_PREFIX_OPTION && out->n_prefixes < ND_PREFIXES_MAX &&
        nd_prefix_read(option, &out->prefixes[out->n_prefixes]))
        out->n_prefixes++;
}

/* RFC 6275 section 7.4: not without the H bit. A lifetime of zero, which nobody may send, ends what is known
 * of the home agent (section 10.5.1), and is the agent's to judge. */
static void take_home_agent(uint16_t preference, uint16_t lifetime_s, struct nd_router *out)
{
    if ((out->flags & ND_HOME_AGENT) == 0)
        return;
    out->has_home_agent = true;
    out->preference = preference;
    out->home_agent_lifetime_s = lifetime_s;
}

static void take_router_option(const uint8_t *option, size_t size, struct nd_router *out)
{
    struct reader r = reader_over(option + 4, size - 4);
    if (option[0] == OPTION_PREFIX)
        take_prefix(option, size, out);
    else if (option[0] == OPTION_MTU && size == OPTION_UNIT)
        out->mtu = read_u32(&r);
    else if (option[0] == OPTION_INTERVAL && size == OPTION_UNIT)
        out->interval_ms = read_u32(&r);
    else if (option[0] == OPTION_HOME_AGENT && size == OPTION_UNIT) {
        const uint16_t preference = read_u16(&r);
        take_home_agent(preference, read_u16(&r), out);
    }
}

/* What is not known is skipped (RFC 4861 sections 6.1 and 7.1). False: an option of no length, or one that
 * runs past the end. */
static bool read_options(struct reader *r, struct nd *out)
{
    const uint8_t bears = out->type == ND_NEIGHBOR_ADVERTISEMENT ? OPTION_TARGET_MAC : OPTION_SOURCE_MAC;
    while (reader_left(r) > 0) {
        const size_t size = reader_left(r) < 2 ? 0 : (size_t)r->at[1] * OPTION_UNIT;
        const uint8_t *option = read_bytes(r, size);
        if (size == 0 || option == NULL)
            return false;
        if (option[0] == bears)
            take_mac(option, size, out);
        else if (out->type == ND_ROUTER_ADVERTISEMENT)
            take_router_option(option, size, &out->router);
    }
    return true;
}

/* ---- Checks of RFC 4861 ---- */

static bool is_group_of(const struct addr *group, const struct addr *target)
{
    const struct addr right = addr_solicited_node(target);
    return addr_equal(group, &right);
}

/* Section 7.1.1: a question from nobody goes to the group and tells no MAC address. */
static bool solicitation_is_sound(const struct nd *nd)
{
    if (!addr_is_unspecified(&nd->source))
        return true;
    return !nd->has_mac && is_group_of(&nd->destination, &nd->target);
}

static bool is_sound(const struct nd *nd)
{
    switch (nd->type) {
    case ND_ROUTER_SOLICITATION: /* section 6.1.1 */
        return !addr_is_unspecified(&nd->source) || !nd->has_mac;
    case ND_ROUTER_ADVERTISEMENT: /* section 6.1.2 */
        return addr_is_link_local(&nd->source);
    case ND_NEIGHBOR_SOLICITATION:
        return solicitation_is_sound(nd);
    case ND_NEIGHBOR_ADVERTISEMENT: /* section 7.1.2 */
        return !addr_is_multicast(&nd->destination) || (nd->flags & ND_SOLICITED) == 0;
    default:
        return false;
    }
}

/* ---- Decoding ---- */

static void read_router(struct reader *r, struct nd_router *out)
{
    out->hop_limit = read_u8(r);
    out->flags = read_u8(r);
    out->lifetime_s = read_u16(r);
    read_u64(r); /* reachable time and retransmission timer: hosts' business */
}

/* Nor does a neighbour answer by this protocol for an IPv4 address, which a mapped one would be taken for. */
static bool read_target(struct reader *r, struct nd *out)
{
    const uint8_t flags = read_u8(r);
    if (out->type == ND_NEIGHBOR_ADVERTISEMENT)
        out->flags = flags & (ND_ROUTER | ND_SOLICITED | ND_OVERRIDE);
    read_bytes(r, 3);
    out->target = read_addr(r);
    return !addr_is_multicast(&out->target) && !addr_is_ipv4(&out->target);
}

bool nd_decode(const struct ip_header *ip, const uint8_t *bytes, size_t len, struct nd *out)
{
    struct icmp icmp;
    if (ip->protocol != IPPROTO_NUM_ICMPV6 || ip->ttl != ND_HOP_LIMIT || !icmp_decode(ip, bytes, len, &icmp))
        return false;
    const size_t fixed = fixed_len(icmp.type);
    if (fixed == 0 || len < fixed || icmp.code != 0)
        return false;

    struct nd nd = {.type = icmp.type, .source = ip->source, .destination = ip->destination};
    struct reader r = reader_over(bytes + 4, len - 4);
    if (fixed == NEIGHBOR_FIXED) {
        if (!read_target(&r, &nd))
            return false;
    } else if (fixed == ADVERTISEMENT_FIXED)
        read_router(&r, &nd.router);
    else
        read_u32(&r);
    if (!read_options(&r, &nd) || !is_sound(&nd))
        return false;
    *out = nd;
    return true;
}

/* ---- Encoding ---- */

enum { MESSAGE_MAX = ADVERTISEMENT_FIXED + 4 * OPTION_UNIT + ND_PREFIXES_MAX * ND_PREFIX_OPTION };

/* A message begins with its type; code and checksum follow. */
static void message_begin(struct writer *m, enum nd_type type)
{
    write_u8(m, type);
    write_u8(m, 0);
    write_u16(m, 0);
}

static void write_mac_option(struct writer *m, enum nd_option option, const struct mac *mac)
{
    write_u8(m, option);
    write_u8(m, 1);
    write_bytes(m, mac->b, sizeof(mac->b));
}

void nd_encode_solicitation(struct writer *w, const struct mac *own_mac, const struct addr *own,
                            const struct addr *target, const struct mac *known)
{
    const struct addr group = addr_solicited_node(target);
    uint8_t room[MESSAGE_MAX];
    struct writer m = writer_over(room, sizeof(room));
    message_begin(&m, ND_NEIGHBOR_SOLICITATION);
    write_u32(&m, 0);
    write_bytes(&m, target->b, sizeof(target->b));
    if (!addr_is_unspecified(own))
        write_mac_option(&m, OPTION_SOURCE_MAC, own_mac);
    icmp6_frame_write(w,
                      &(struct icmp6_frame){.own_mac = own_mac,
                                            .own = own,
                                            .to = known != NULL ? target : &group,
                                            .to_mac = known,
                                            .hop_limit = ND_HOP_LIMIT},
                      &m);
}

void nd_encode_advertisement(struct writer *w, const struct mac *own_mac, const struct addr *own,
                             const struct addr *to, const struct mac *to_mac, const struct addr *target,
                             const struct mac *mac, uint8_t flags)
{
    uint8_t room[MESSAGE_MAX];
    struct writer m = writer_over(room, sizeof(room));
    message_begin(&m, ND_NEIGHBOR_ADVERTISEMENT);
    write_u8(&m, flags);
    write_uint(&m, 0, 3);
    write_bytes(&m, target->b, sizeof(target->b));
    write_mac_option(&m, OPTION_TARGET_MAC, mac);
    icmp6_frame_write(
        w,
        &(struct icmp6_frame){
            .own_mac = own_mac, .own = own, .to = to, .to_mac = to_mac, .hop_limit = ND_HOP_LIMIT},
        &m);
}

/* An option of one unit whose last four bytes are `word`. */
static void write_word_option(struct writer *m, enum nd_option option, uint32_t word)
{
    write_u8(m, option);
    write_u8(m, 1);
    write_u16(m, 0);
    write_u32(m, word);
}

static void write_router_options(struct writer *m, const struct nd_router *router)
{
    if (router->mtu != 0)
        write_word_option(m, OPTION_MTU, router->mtu);
    for (size_t i = 0; i < router->n_prefixes; i++)
        nd_prefix_write(m, &router->prefixes[i]);
    if (router->interval_ms != 0)
        write_word_option(m, OPTION_INTERVAL, router->interval_ms);
    if (router->has_home_agent)
        write_word_option(m, OPTION_HOME_AGENT,
                          (uint32_t)router->preference << 16 | router->home_agent_lifetime_s);
}

void nd_encode_router(struct writer *w, const struct mac *own_mac, const struct addr *own,
                      const struct addr *to, const struct mac *to_mac, const struct nd_router *router)
{
    uint8_t room[MESSAGE_MAX];
    struct writer m = writer_over(room, sizeof(room));
    message_begin(&m, ND_ROUTER_ADVERTISEMENT);
    write_u8(&m, router->hop_limit);
    write_u8(&m, router->flags);
    write_u16(&m, router->lifetime_s);
    write_u64(&m, 0); /* reachable time and retransmission timer: unspecified */
    write_mac_option(&m, OPTION_SOURCE_MAC, own_mac);
    write_router_options(&m, router);
    icmp6_frame_write(
        w,
        &(struct icmp6_frame){
            .own_mac = own_mac, .own = own, .to = to, .to_mac = to_mac, .hop_limit = ND_HOP_LIMIT},
        &m);
}
