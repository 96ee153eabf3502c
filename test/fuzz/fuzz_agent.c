/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A live home agent under a sequence of random datagrams, ARP packets and ICMP errors. The input picks
 * whether a datagram is signed by a mobile node that is known, so that what lies behind the authentication is
 * reached too. What must hold:
 *
 *     - what is not signed changes no binding;
 *     - INSTALL and REMOVE, replayed, give exactly the agent's bindings;
 *     - at most one reply to each datagram, and one that decodes.
 *
 * The input is a row of steps: control, length, bytes.
 */
#include "fuzz.h"
#include "lab.h"

enum control {
    SIGN = 0x01,      /* mobile-home authentication, between the two halves of the extensions */
    PLAUSIBLE = 0x02, /* addresses and Identification that may pass */
    FOREIGN = 0x04,   /* through a foreign agent, and signed by it */
    OTHER = 0x08,     /* not a datagram: see MOBILE for what */
    RETURN = 0x10,    /* from the home address itself */
    MOBILE = 0xe0     /* which mobile node; of OTHER: 0 ARP, 1 ICMP error, 2 revocation, else time */
};

struct world {
    struct lab lab;
    struct forwarding installed[LAB_MOBILES];
    bool is_installed[LAB_MOBILES];
};

static size_t node_of(const struct addr *home)
{
    const struct addr first = lab_home(0);
    const uint32_t i = addr_ipv4(home) - addr_ipv4(&first);
    fuzz_require(i < LAB_MOBILES);
    return i;
}

/* True: forwarding changed. */
static bool replay_effects(struct world *w)
{
    bool changed = false;
    for (size_t i = 0; i < w->lab.n_log; i++) {
        const struct effect *e = &w->lab.log[i];
        if (e->kind == EFFECT_INSTALL) {
            const size_t n = node_of(&e->install.home);
            fuzz_require(e->install.n_care_of >= 1 && e->install.n_care_of <= AGENT_CARE_OF_MAX);
            w->installed[n] = e->install;
            w->is_installed[n] = changed = true;
        } else if (e->kind == EFFECT_REMOVE) {
            const size_t n = node_of(&e->remove);
            fuzz_require(w->is_installed[n]);
            w->is_installed[n] = false;
            changed = true;
        } else if (e->kind == EFFECT_RELAY) {
            fuzz_require(e->relay.len <= ICMP_ERROR_MAX);
        }
    }
    return changed;
}

static void check_bindings(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < LAB_MOBILES; i++) {
        struct binding_view v;
        const struct addr home = lab_home(i);
        const bool bound = agent_binding(w->lab.agent, &home, w->lab.now, &v);
        fuzz_require(bound == w->is_installed[i]);
        fuzz_require(bound == agent_intercepts(w->lab.agent, &home));
        n += bound;
        if (!bound)
            continue;
        fuzz_require(v.n_care_of == w->installed[i].n_care_of);
        fuzz_require(addr_equal(&v.home_agent, &w->installed[i].source));
        for (size_t c = 0; c < v.n_care_of; c++)
            fuzz_require(addr_equal(&v.care_of[c].address, &w->installed[i].care_of[c].address));
    }
    fuzz_require(agent_bindings(w->lab.agent) == n);
}

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
    fuzz_require(!replay_effects(w) || (control & SIGN));
}

/* Bytes as they are, whatever they claim. */
static void send_bytes(struct world *w, uint8_t control, const uint8_t *bytes, size_t len)
{
    const struct ask ask =
        control & FOREIGN ? lab_ask_relayed(&w->lab, control >> 5) : lab_ask(&w->lab, control >> 5);
    lab_send_bytes(&w->lab, &ask, bytes, len);
    fuzz_require(!replay_effects(w));
}

static void hear_arp(struct world *w, const uint8_t *bytes, size_t len)
{
    struct arp arp;
    if (!arp_decode(bytes, len, &arp))
        return;
    lab_forget(&w->lab);
    const bool answered = agent_arp(w->lab.agent, &arp, w->lab.now);
    fuzz_require(!answered || agent_intercepts(w->lab.agent, &arp.target));
    lab_drain(&w->lab);
    fuzz_require(!replay_effects(w));
}

static void hear_error(struct world *w, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_over(bytes, len);
    struct icmp icmp = {.type = read_u8(&r)};
    icmp.code = read_u8(&r);
    icmp.rest = read_u32(&r);
    if (r.failed)
        return;
    icmp.data_len = reader_left(&r);
    icmp.data = read_bytes(&r, icmp.data_len);
    const struct ipv4 from = {.source = ip("203.0.113.1")};
    lab_forget(&w->lab);
    agent_tunnel_error(w->lab.agent, &from, &icmp, w->lab.now);
    lab_drain(&w->lab);
    replay_effects(w);
    fuzz_require(lab_count(&w->lab, EFFECT_SEND) == 0);
}

static void other(struct world *w, unsigned what, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_over(bytes, len);
    if (what == 0) {
        hear_arp(w, bytes, len);
    } else if (what == 1) {
        hear_error(w, bytes, len);
    } else if (what == 2) {
        const struct addr home = lab_home(read_u8(&r));
        lab_forget(&w->lab);
        agent_revoke(w->lab.agent, &home, w->lab.now);
        lab_drain(&w->lab);
        replay_effects(w);
    } else {
        lab_wait(&w->lab, read_u16(&r) * NSEC_PER_S / 16);
        replay_effects(w);
        fuzz_require(lab_count(&w->lab, EFFECT_SEND) == 0);
    }
}

static void step(struct world *w, uint8_t control, const uint8_t *bytes, size_t len)
{
    if (control & OTHER)
        other(w, control >> 5, bytes, len);
    else if (control & (SIGN | PLAUSIBLE))
        send_datagram(w, control, bytes, len);
    else
        send_bytes(w, control, bytes, len);
    check_bindings(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct reader r = reader_over(data, size);
    w = (struct world){0};
    lab_open(&w.lab);
    w.lab.settings.max_care_of = size % 2 ? 3 : 1;
    fuzz_require(agent_configure(w.lab.agent, &w.lab.settings) == 0);
    while (reader_left(&r) >= 2) {
        const uint8_t control = read_u8(&r);
        size_t len = read_u8(&r);
        if (len > reader_left(&r))
            len = reader_left(&r);
        step(&w, control, read_bytes(&r, len), len);
    }
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
    begin_step(w, OTHER | 1 << 5, 6 + 2 * IPV4_HEADER + 8);
    write_u8(w, ICMP_UNREACHABLE);
    write_u8(w, ICMP_FRAGMENTATION_NEEDED);
    write_u32(w, 1400);
    const struct ipv4 outer = {.ttl = 60,
                               .protocol = IPPROTO_NUM_IPIP,
                               .total_len = 1500,
                               .source = ip("10.1.0.1"),
                               .destination = addr_from_ipv4(far)};
    const struct ipv4 inner = {.ttl = 60,
                               .protocol = IPPROTO_NUM_UDP,
                               .total_len = 1480,
                               .fragment = IPV4_FLAG_DF,
                               .source = ip("203.0.113.5"),
                               .destination = ip("10.1.1.0")};
    ipv4_encode(w, &outer);
    ipv4_encode(w, &inner);
    write_u64(w, 0);
}

static void time_step(struct writer *w, uint16_t sixteenths)
{
    begin_step(w, OTHER | 3 << 5, 2);
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

size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX])
{
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    if (n > 2)
        return 0;
    request_step(&w, SIGN | PLAUSIBLE, 300, 1);
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
