/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer_world.h"

static uint64_t choose_generation(struct reader *r, const struct addr *home)
{
    const struct agent *primary = world.ends[PRIMARY].agent, *secondary = world.ends[SECONDARY].agent;
    const struct mobile *mobile = mobile_by_home(secondary, home);
    const uint8_t base = read_u8(r);
    const uint64_t off = (uint64_t)(int64_t)(int8_t)read_u8(r);
    switch (base % 8) {
    case 0:
        return mobile != NULL && mobile->held != NULL ? mobile->held->generation + off : off;
    case 1:
        return mobile != NULL && mobile->held != NULL ? mobile->held->start + off : off;
    case 2:
        return secondary->peers == NULL ? off : principal_of(secondary->peers)->floor + off;
    case 3:
        return off;
    default:
        return primary->generation + off;
    }
}

uint32_t record_span(struct reader *r)
{
    static const uint32_t spans[] = {0, 1, 99, 100, 1500, 60000, DELEGATION_DURATION_MAX_MS, UINT32_MAX};
    return spans[read_u8(r) % 8];
}

static struct addr own_address(bool ipv6, unsigned end)
{
    struct addr own = ip("2001:db8:1::2");
    own.b[15] = (uint8_t)(own.b[15] + end);
    return ipv6 ? own : world_address(end);
}

/* One of eight goes by tunnels of the other family than its home address's. */
static void add_start(struct writer *w, struct reader *r, size_t home, uint64_t generation)
{
    struct delegation_start s = {.home = world_home(home), .generation = generation, .flags = read_u8(r)};
    s.duration_ms = record_span(r);
    const uint8_t set = read_u8(r);
    s.count = set % 4 == 0 ? set / 4 % 12 : 1;
    const size_t like = set % 8 == 5 ? home ^ 1 : home;
    const bool ipv6 = world_is_ipv6(like);
    s.source = set & 0x80 ? addr_unspecified : own_address(ipv6, set >> 6 & 1);
    s.encapsulation = set % 8 == 7 ? set / 8 : ipv6 ? ENCAPSULATION_IPV6_IN_IPV6 : ENCAPSULATION_IPIP;
    s.tunnel_mtu = set & 0x40 ? (uint16_t)(set * 100) : 0;
    s.home_link = set == 0xfe;
    const unsigned care_of = read_u8(r) & 0x1f;
    for (s.index = 0; s.index == 0 || s.index < s.count; s.index++) {
        s.care_of = world_care_of(like, care_of + s.index);
        delegation_start_encode(w, &s);
    }
}

static void add_stop(struct writer *w, struct reader *r, const struct addr *home, uint64_t generation)
{
    struct delegation_stop s = {.home = *home, .generation = generation, .reason = read_u8(r) % 8};
    s.mode = read_u8(r) % 4;
    s.linger_ds = (uint16_t)(record_span(r) / 100);
    s.mac = (struct mac){{2, 0, 0, 0, 0, s.reason}};
    delegation_stop_encode(w, &s);
}

static void add_ack(struct writer *w, struct reader *r, const struct addr *home, uint64_t generation)
{
    struct delegation_ack a = {.home = *home, .asked = generation, .held = choose_generation(r, home)};
    a.status = read_u8(r) % 32;
    a.state = read_u8(r) % 6;
    a.remaining_ms = record_span(r);
    delegation_ack_encode(w, &a);
}

static void add_load(struct writer *w, struct reader *r)
{
    struct delegation_load l = {.state = read_u8(r) % 6};
    l.heard = world_peer(PRIMARY) == NULL ? 0 : world_peer(PRIMARY)->session.highest - read_u8(r) % 8;
    l.digest = read_u8(r) % 2 == 0 || world_peer(PRIMARY) == NULL ? 0 : node_of(world_peer(PRIMARY))->digest;
    l.capacity_pps = record_span(r);
    l.max_bindings = record_span(r);
    delegation_load_encode(w, &l);
}

static void add_lease(struct writer *w, struct reader *r, const struct addr *home)
{
    struct delegation_lease l = {.lease_ms = record_span(r), .report_ms = record_span(r)};
    const struct peer *peer = world_peer(SECONDARY);
    l.report_top = read_u8(r);
    l.floor = choose_generation(r, home);
    l.sequence = peer == NULL ? 0 : peer->session.sent - read_u8(r) % 4;
    delegation_lease_encode(w, &l);
}

static void add_digest(struct writer *w, struct reader *r)
{
    uint64_t values[160] = {0};
    const uint16_t first = (uint16_t)(read_u8(r) * 8 % DELEGATION_BUCKETS);
    uint16_t count = read_u8(r) % 160;
    if (first + count > DELEGATION_BUCKETS)
        count = (uint16_t)(DELEGATION_BUCKETS - first);
    for (uint16_t i = 0; i < count; i++)
        values[i] = read_u8(r) & 1;
    delegation_digest_encode(w, first, count, values);
}

static void add_report(struct writer *w, struct reader *r, const struct addr *home, uint64_t generation)
{
    const uint8_t code = read_u8(r);
    if (code % 2 == 0) {
        const struct delegation_event e = {.home = *home, .generation = generation, .code = code / 2 % 10};
        delegation_event_encode(w, &e);
    } else {
        const struct delegation_rate e = {
            .home = *home, .generation = generation, .pps = record_span(r), .packets = record_span(r)};
        delegation_rate_encode(w, &e);
    }
}

/* Three of four are of the kind that the datagram's type asks for. */
void record_add(struct writer *w, struct reader *r, uint8_t type)
{
    static const uint8_t usual[] = {
        [DELEGATION_START] = 1,    [DELEGATION_START_ACK] = 3, [DELEGATION_STOP] = 2,
        [DELEGATION_STOP_ACK] = 3, [DELEGATION_KEEPALIVE] = 4, [DELEGATION_KEEPALIVE_ACK] = 5,
        [DELEGATION_RATES] = 7,    [DELEGATION_SYNC_REQ] = 6,  [DELEGATION_SYNC_DATA] = 1,
        [DELEGATION_EVENT] = 7,    [DELEGATION_EVENT_ACK] = 0};
    const uint8_t choice = read_u8(r);
    const struct addr home = world_home(choice % HOMES);
    const uint64_t generation = choose_generation(r, &home);
    switch (choice < 0xc0 && type < sizeof(usual) ? usual[type] : choice % 8) {
    case 1:
        return add_start(w, r, choice % HOMES, generation);
    case 2:
        return add_stop(w, r, &home, generation);
    case 3:
        return add_ack(w, r, &home, generation);
    case 4:
        return add_load(w, r);
    case 5:
        return add_lease(w, r, &home);
    case 6:
        return add_digest(w, r);
    default:
        return add_report(w, r, &home, generation);
    }
}

size_t record_count(const uint8_t *bytes, size_t len)
{
    size_t n = 0;
    for (size_t at = 0; at + 4 <= len; n++)
        at += (size_t)bytes[at + 2] << 8 | bytes[at + 3];
    return n;
}
