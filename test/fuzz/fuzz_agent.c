/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A live home agent under a sequence of random datagrams, binding updates, ARP packets, neighbours' messages
 * and ICMP errors of both families. The input picks whether a datagram is signed by a mobile node that is
 * known, so that what lies behind the authentication is reached too. What must hold:
 *
 *     - what is not signed changes no binding;
 *     - INSTALL and REMOVE, replayed, give exactly the agent's bindings;
 *     - at most one reply to each datagram, and one that decodes.
 */
#include "agent_world.h"
#include "heard.h"
#include "steps.h"

enum control {
    SIGN = 0x01,      /* mobile-home authentication, between the two halves of the extensions */
    PLAUSIBLE = 0x02, /* addresses and Identification that may pass */
    FOREIGN = 0x04,   /* through a foreign agent, and signed by it */
    OTHER = 0x08,     /* not a datagram: see MOBILE for what */
    RETURN = 0x10,    /* from the home address itself */
    MOBILE = 0xe0     /* which mobile node; of OTHER: enum other */
};

enum other { ARP, ERROR, REVOCATION, TIME, NEIGHBOR, ERROR6, UPDATE, UPDATE_BYTES };

/* First byte of an update; SIGN, PLAUSIBLE, RETURN and MOBILE are control's. */
enum { LINK_LOCAL = 0x02, ALTERNATE = 0x08 };

/* The fixed part as the input has it, or with all that it takes to pass in the places that matter. */
static void choose_fields(struct lab *lab, struct ask *ask, uint8_t control, size_t i, struct reader *r)
{
    const struct mip4_request usual = ask->q;
    ask->q.flags = read_u8(r);
    ask->q.lifetime_s = read_u16(r);
    ask->q.home = addr_from_ipv4(read_u32(r));
    ask->q.home_agent = addr_from_ipv4(read_u32(r));
    ask->q.care_of = addr_from_ipv4(read_u32(r));
    ask->q.identification = read_u64(r);
    if (!(control & PLAUSIBLE))
        return;
    /* A few care-of addresses of the mobile node's own, or home. */
    const uint32_t care_of = 0xc0000200u + 16 * (uint32_t)i + addr_ipv4(&ask->q.care_of) % 8;
    ask->q.home = usual.home;
    ask->q.home_agent = lab->settings.home_agents[addr_ipv4(&ask->q.home_agent) % 2];
    ask->q.care_of = control & RETURN ? usual.home : addr_from_ipv4(care_of);
    ask->q.identification = usual.identification + (uint32_t)ask->q.identification % 4;
    ask->source = ask->q.care_of;
}

static void send_datagram(struct world *w, uint8_t control, const uint8_t *bytes, size_t len)
{
    struct lab *lab = &w->lab;
    const size_t i = control >> 5;
    struct reader r = reader_over(bytes, len);
    struct ask ask = control & FOREIGN ? lab_ask_relayed(lab, i) : lab_ask(lab, i);
    choose_fields(lab, &ask, control, i, &r);
    if (control & FOREIGN)
        ask.source = ip("198.51.100.1");
    const size_t rest = r.failed ? 0 : reader_left(&r);
    ask.before_len = rest / 2;
    ask.before = read_bytes(&r, ask.before_len);
    ask.after_len = rest - ask.before_len;
    ask.after = read_bytes(&r, ask.after_len);
    ask.mobile_times = (control & SIGN) != 0;
    lab_send(lab, &ask);
    fuzz_require(!world_replay(w) || (control & SIGN));
}

/* Bytes as they are, whatever they claim. */
static void send_bytes(struct world *w, uint8_t control, const uint8_t *bytes, size_t len)
{
    const struct ask ask =
        control & FOREIGN ? lab_ask_relayed(&w->lab, control >> 5) : lab_ask(&w->lab, control >> 5);
    lab_send_bytes(&w->lab, &ask, bytes, len);
    fuzz_require(!world_replay(w));
}

static void take_arp(struct world *w, const uint8_t *bytes, size_t len)
{
    struct arp arp;
    if (!arp_decode(bytes, len, &arp))
        return;
    lab_forget(&w->lab);
    const bool answered = hear_arp(w->lab.agent, &arp, w->lab.now);
    fuzz_require(!answered || agent_intercepts(w->lab.agent, &arp.target));
    lab_drain(&w->lab);
    fuzz_require(!world_replay(w));
}

static void take_neighbor(struct world *w, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_over(bytes, len);
    const uint8_t claimed = read_u8(&r), asked = read_u8(&r);
    const struct addr link_local = addr_link_local_of(&w->installed[LAB_MOBILES].home);
    const struct agent_neighbor heard = {
        .mac = {{2, 9, 9, 9, 9, claimed}},
        .claimed = claimed < WORLD_HOMES ? world_home(claimed) : addr_unspecified,
        .asked = asked < WORLD_HOMES ? world_home(asked)
                 : asked & 1         ? link_local
                                     : addr_unspecified,
    };
    lab_forget(&w->lab);
    const bool answered = agent_heard(w->lab.agent, &heard, w->lab.now);
    fuzz_require(!answered || asked >= WORLD_HOMES || agent_forwards(w->lab.agent, &heard.asked));
    lab_drain(&w->lab);
    fuzz_require(!world_replay(w));
}

static void send_update(struct world *w, const uint8_t *bytes, size_t len)
{
    struct lab *lab = &w->lab;
    struct reader r = reader_over(bytes, len);
    const uint8_t control = read_u8(&r);
    const size_t i = control >> 5;
    struct ask6 ask = control & RETURN ? lab6_ask_return(lab, i) : lab6_ask(lab, i);
    const uint16_t flags = read_u16(&r), sequence = read_u16(&r), lifetime = read_u16(&r);
    const uint8_t place = read_u8(&r);
    ask.m.lifetime = lifetime % 100;
    ask.m.sequence = (uint16_t)(ask.m.sequence + sequence % 4);
    if (control & LINK_LOCAL)
        ask.m.flags |= MIP6_LINK_LOCAL;
    if (place >= 0xf0)
        ask.m.flags = flags;
    if (!(control & RETURN))
        ask.source = lab6_care_of(place % 4);
    if (control & ALTERNATE) {
        ask.m.options.has_alternate_care_of = true;
        ask.m.options.alternate_care_of = place & 1 ? lab6_care_of(9) : ask.home;
    }
    ask.times = control & SIGN;
    ask.raw_len = reader_left(&r) / 8 * 8;
    ask.raw = read_bytes(&r, ask.raw_len);
    world_send_update(w, &ask);
}

/* Under the right checksum or none. */
static void send_update_bytes(struct world *w, const uint8_t *bytes, size_t len)
{
    const struct ask6 ask = lab6_ask(&w->lab, len % LAB6_MOBILES);
    world_send_bytes(w, &ask, bytes, len, len >= 6 && bytes[len - 1] & 1);
}

static void hear_error(struct world *w, bool ipv6, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_over(bytes, len);
    struct icmp icmp = {.type = read_u8(&r)};
    icmp.code = read_u8(&r);
    icmp.rest = read_u32(&r);
    if (r.failed)
        return;
    icmp.data_len = reader_left(&r);
    icmp.data = read_bytes(&r, icmp.data_len);
    const struct ip_header from = {.source = ip(ipv6 ? "2001:db8:f::1" : "203.0.113.1"),
                                   .protocol = ipv6 ? IPPROTO_NUM_ICMPV6 : IPPROTO_NUM_ICMP};
    lab_forget(&w->lab);
    agent_tunnel_error(w->lab.agent, &from, &icmp, w->lab.now);
    lab_drain(&w->lab);
    world_replay(w);
    fuzz_require(lab_count(&w->lab, EFFECT_SEND) == 0);
}

static void revoke(struct world *w, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_over(bytes, len);
    const struct addr home = world_home(read_u8(&r) % WORLD_HOMES);
    world_revoke(w, &home);
}

/* Only who was waiting for duplicate address detection is answered now. */
static void pass_time(struct world *w, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_over(bytes, len);
    lab_wait(&w->lab, read_u16(&r) * NSEC_PER_S / 16);
    world_replay(w);
    for (size_t i = 0; i < w->lab.n_log; i++)
        fuzz_require(w->lab.log[i].kind != EFFECT_SEND ||
                     w->lab.log[i].send.protocol == IPPROTO_NUM_MOBILITY);
}

static void other(struct world *w, enum other what, const uint8_t *bytes, size_t len)
{
    switch (what) {
    case ARP:
        take_arp(w, bytes, len);
        break;
    case ERROR:
    case ERROR6:
        hear_error(w, what == ERROR6, bytes, len);
        break;
    case REVOCATION:
        revoke(w, bytes, len);
        break;
    case TIME:
        pass_time(w, bytes, len);
        break;
    case NEIGHBOR:
        take_neighbor(w, bytes, len);
        break;
    case UPDATE:
        send_update(w, bytes, len);
        break;
    case UPDATE_BYTES:
        send_update_bytes(w, bytes, len);
        break;
    }
}

static void take_step(struct world *w, const struct step *s)
{
    if (s->control & OTHER)
        other(w, (enum other)(s->control >> 5), s->bytes, s->len);
    else if (s->control & (SIGN | PLAUSIBLE))
        send_datagram(w, s->control, s->bytes, s->len);
    else
        send_bytes(w, s->control, s->bytes, s->len);
    world_check(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct reader r = reader_over(data, size);
    w = (struct world){0};
    lab6_open(&w.lab);
    w.lab.settings.max_care_of = size % 2 ? 3 : 1;
    fuzz_require(agent_configure(w.lab.agent, &w.lab.settings) == 0);
    for (struct step s; step_next(&r, &s);)
        take_step(&w, &s);
    lab_close(&w.lab);
    return 0;
}

/* ---- Seeds ---- */
static void begin_step(struct writer *w, uint8_t control, uint8_t len)
{
    write_u8(w, control);
    write_u8(w, len);
}

static void request_step(struct writer *w, uint8_t control, uint16_t lifetime_s, uint32_t care_of)
{
    begin_step(w, control, 23 + 6);
    write_u8(w, MIP4_COLOCATED);
    write_u16(w, lifetime_s);
    write_u32(w, 0x0a010100);
    write_u32(w, 0x0a010001);
    write_u32(w, care_of);
    write_u64(w, 0);
    write_u8(w, 200); /* an extension before the authentication, one behind */
    write_u8(w, 1);
    write_u8(w, 7);
    write_u8(w, 201);
    write_u8(w, 1);
    write_u8(w, 7);
}

static void error_step(struct writer *w, uint32_t far)
{
    begin_step(w, OTHER | ERROR << 5, 6 + 2 * IPV4_HEADER + 8);
    write_u8(w, ICMP_UNREACHABLE);
    write_u8(w, ICMP_FRAGMENTATION_NEEDED);
    write_u32(w, 1400);
    const struct ip_header outer = {.ttl = 60,
                                    .protocol = IPPROTO_NUM_IPIP,
                                    .total_len = 1500,
                                    .source = ip("10.1.0.1"),
                                    .destination = addr_from_ipv4(far)};
    const struct ip_header inner = {.ttl = 60,
                                    .protocol = IPPROTO_NUM_UDP,
                                    .total_len = 1480,
                                    .fragment = IPV4_FLAG_DF,
                                    .source = ip("203.0.113.5"),
                                    .destination = ip("10.1.1.0")};
    ip_encode(w, &outer);
    ip_encode(w, &inner);
    write_u64(w, 0);
}

static void time_step(struct writer *w, uint16_t sixteenths)
{
    begin_step(w, OTHER | TIME << 5, 2);
    write_u16(w, sixteenths);
}

static void arp_step(struct writer *w)
{
    begin_step(w, OTHER, ARP_PAYLOAD);
    write_u64(w, UINT64_C(0x0001080006040001));
    write_u32(w, 0x02000000);
    write_u16(w, 1);
    write_u32(w, 0x0a010909);
    write_u32(w, 0);
    write_u16(w, 0);
    write_u32(w, 0x0a010100);
}

static void update_step(struct writer *w, uint8_t control, uint16_t lifetime, uint8_t place)
{
    begin_step(w, OTHER | UPDATE << 5, 8);
    write_u8(w, control);
    write_u16(w, 0xc000);
    write_u16(w, 1);
    write_u16(w, lifetime);
    write_u8(w, place);
}

static void error6_step(struct writer *w)
{
    begin_step(w, OTHER | (uint8_t)(ERROR6 << 5), 6 + 2 * IPV6_HEADER + 8);
    write_u8(w, ICMP6_TOO_BIG);
    write_u8(w, 0);
    write_u32(w, 1400);
    const struct ip_header outer = {.protocol = IPPROTO_NUM_IPV6,
                                    .total_len = 1500,
                                    .source = ip("2001:db8:1::2"),
                                    .destination = lab6_care_of(0)};
    const struct ip_header inner = {.protocol = IPPROTO_NUM_UDP,
                                    .total_len = 1460,
                                    .source = ip("2001:db8:f::5"),
                                    .destination = lab6_home(0)};
    ip_encode(w, &outer);
    ip_encode(w, &inner);
    write_u64(w, 0);
}

static void neighbor_step(struct writer *w, uint8_t claimed, uint8_t asked)
{
    begin_step(w, OTHER | (uint8_t)(NEIGHBOR << 5), 2);
    write_u8(w, claimed);
    write_u8(w, asked);
}

static void seed_ipv6(struct writer *w)
{
    update_step(w, SIGN, 75, 0);
    neighbor_step(w, 0xff, LAB_MOBILES + 1);
    time_step(w, 17);
    error6_step(w);
    neighbor_step(w, 0xff, LAB_MOBILES);
    update_step(w, SIGN | LINK_LOCAL, 75, 1);
    update_step(w, SIGN | RETURN, 0, 0);
    update_step(w, SIGN | 1 << 5, 75, 2);
    neighbor_step(w, LAB_MOBILES + 1, 0xfe);
}

size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX])
{
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    if (n > 3)
        return 0;
    request_step(&w, SIGN | PLAUSIBLE, 300, 1);
    if (n == 3)
        seed_ipv6(&w);
    if (n == 1) {
        request_step(&w, SIGN | PLAUSIBLE | FOREIGN, 300, 2);
        error_step(&w, 0xc0000202);
        arp_step(&w);
        time_step(&w, 60);
        request_step(&w, SIGN | PLAUSIBLE | RETURN, 0, 0);
    }
    if (n == 2) {
        request_step(&w, SIGN | PLAUSIBLE | LAB_NONCES << 5, 300, 1);
        request_step(&w, SIGN | PLAUSIBLE | LAB_NONCES << 5, 300, 1);
        request_step(&w, PLAUSIBLE, 300, 3);
        request_step(&w, 0, 300, 3);
        time_step(&w, 5000);
    }
    return writer_len(&w);
}
