/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A live home agent under a sequence of random Mobility Headers, claims of addresses on the home link, and
 * time that passes. The input is a sequence of steps: control, length, that many bytes. Whatever comes, what
 * forwarding was told is what is bound, nothing is bound or ended but by a signed update, and each update has
 * one answer at most.
 */
#include "fuzz.h"

#include "inet.h"
#include "lab6.h"

enum { /* control: the mobile node stands in the upper three bits */
       SIGN = 0x01,
       PLAUSIBLE = 0x02, /* addresses and age as they must be */
       RETURN = 0x04,    /* from the home address itself */
       OTHER = 0x08      /* not an update: claim, revocation, time */
};

struct world {
    struct lab lab;
    bool is_installed[LAB6_MOBILES];
    struct addr care_of[LAB6_MOBILES];
};

static size_t node_of(const struct addr *home)
{
    return home->b[15] < LAB6_MOBILES ? home->b[15] : 0;
}

/* True: something was installed or removed. */
static bool replay_effects(struct world *w)
{
    bool changed = false;
    for (size_t i = 0; i < w->lab.n_log; i++) {
        const struct effect *e = &w->lab.log[i];
        if (e->kind == EFFECT_INSTALL) {
            const size_t n = node_of(&e->install.home);
            w->is_installed[n] = true;
            w->care_of[n] = e->install.care_of[0].address;
            fuzz_require(e->install.n_care_of == 1);
        } else if (e->kind == EFFECT_REMOVE) {
            w->is_installed[node_of(&e->remove)] = false;
        }
        changed |= e->kind == EFFECT_INSTALL || e->kind == EFFECT_REMOVE;
    }
    return changed;
}

static void check_bindings(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < LAB6_MOBILES; i++) {
        struct binding_view v;
        const struct addr home = lab6_home(i);
        const bool bound = agent_binding(w->lab.agent, &home, w->lab.now, &v);
        fuzz_require(bound == w->is_installed[i]);
        fuzz_require(bound == agent_intercepts(w->lab.agent, &home));
        n += bound;
        fuzz_require(!bound || addr_equal(&v.care_of[0].address, &w->care_of[i]));
    }
    fuzz_require(agent_bindings(w->lab.agent) == n);
}

static void deliver(struct world *w, const struct ask6 *ask, const uint8_t *bytes, size_t len)
{
    const struct agent_datagram d = lab6_datagram(ask, bytes, len);
    lab_forget(&w->lab);
    agent_input(w->lab.agent, &d, w->lab.now);
    lab_drain(&w->lab);
    fuzz_require(lab_count(&w->lab, EFFECT_SEND) <= 1);
}

/* The fixed part and some options as the input has them, or with all that it takes to pass. */
static void send_update(struct world *w, uint8_t control, const uint8_t *bytes, size_t len)
{
    const size_t i = control >> 5;
    struct reader r = reader_over(bytes, len);
    struct ask6 ask = control & RETURN ? lab6_ask_return(&w->lab, i) : lab6_ask(&w->lab, i);
    const struct mip6_update usual = ask.m;
    uint8_t message[1024];
    ask.m.flags = read_u16(&r);
    ask.m.lifetime = read_u16(&r);
    ask.m.sequence = read_u16(&r);
    ask.m.options.timestamp = read_u64(&r);
    ask.raw_len = reader_left(&r) / 8 * 8;
    ask.raw = read_bytes(&r, ask.raw_len);
    if (control & PLAUSIBLE) {
        ask.m.flags |= MIP6_HOME_REGISTRATION;
        ask.m.sequence = (uint16_t)(usual.sequence + ask.m.sequence % 8);
        ask.m.options.timestamp = usual.options.timestamp + ask.m.options.timestamp % 8;
    }
    ask.times = (control & SIGN) != 0;
    const size_t n = lab6_encode(&w->lab, &ask, message, sizeof(message));
    deliver(w, &ask, message, n);
    fuzz_require(!replay_effects(w) || (control & SIGN));
}

/* Bytes as they are, whatever they claim; the checksum made good. */
static void send_bytes(struct world *w, uint8_t control, const uint8_t *bytes, size_t len)
{
    const struct ask6 ask = lab6_ask(&w->lab, control >> 5);
    uint8_t message[256];
    memcpy(message, bytes, len);
    if (len >= 6 && (control & PLAUSIBLE)) {
        message[4] = message[5] = 0;
        const uint32_t pseudo = ip_pseudo_sum(&ask.home, &ask.destination, IPPROTO_NUM_MOBILITY, len);
        const uint16_t sum = inet_finish(inet_sum(pseudo, message, len));
        message[4] = (uint8_t)(sum >> 8);
        message[5] = (uint8_t)sum;
    }
    deliver(w, &ask, message, len);
    fuzz_require(!replay_effects(w));
}

static void other(struct world *w, uint8_t control, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_over(bytes, len);
    const struct addr home = lab6_home(control >> 5);
    const struct agent_neighbor n = {.mac = {{2, 9, 9, 9, 9, read_u8(&r)}}, .claimed = home};
    lab_forget(&w->lab);
    if (control & SIGN) {
        agent_heard(w->lab.agent, &n, w->lab.now);
        lab_drain(&w->lab);
        fuzz_require(!replay_effects(w));
    } else if (control & RETURN) {
        agent_revoke(w->lab.agent, &home, w->lab.now);
        lab_drain(&w->lab);
        replay_effects(w);
    } else {
        lab_wait(&w->lab, read_u16(&r) * NSEC_PER_S / 64);
        replay_effects(w);
    }
}

static void step(struct world *w, uint8_t control, const uint8_t *bytes, size_t len)
{
    if (control & OTHER)
        other(w, control, bytes, len);
    else if (control & (SIGN | RETURN))
        send_update(w, control, bytes, len);
    else
        send_bytes(w, control, bytes, len);
    check_bindings(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct reader r = reader_over(data, size);
    w = (struct world){0};
    lab6_open(&w.lab);
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
static void update_step(struct writer *w, uint8_t control, uint16_t lifetime)
{
    static const uint8_t alternate[24] = {
        1, 2, 0, 0, 1, 0, MIP6_OPT_ALTERNATE_CARE_OF, 16, 0x20, 0x01, 0x0d, 0xb8, 0, 0xc, [23] = 9};
    write_u8(w, control);
    write_u8(w, 14 + sizeof(alternate));
    write_u16(w, MIP6_HOME_REGISTRATION | MIP6_ACKNOWLEDGE);
    write_u16(w, lifetime);
    write_u16(w, 1);
    write_u64(w, 1);
    write_bytes(w, alternate, sizeof(alternate));
}

static void other_step(struct writer *w, uint8_t control, uint16_t ticks)
{
    write_u8(w, control);
    write_u8(w, 3);
    write_u8(w, 1);
    write_u16(w, ticks);
}

size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX])
{
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    const uint8_t node = (uint8_t)(n % 2 == 0 ? 0 : 4) << 5;
    if (n >= 6)
        return 0;
    update_step(&w, node | SIGN | PLAUSIBLE, 20);
    other_step(&w, node | OTHER | (n >= 4 ? SIGN : 0), 64);
    update_step(&w, node | SIGN | PLAUSIBLE, 10);
    other_step(&w, node | OTHER, n >= 2 ? 64 * 50 : 1);
    update_step(&w, node | SIGN | PLAUSIBLE | RETURN, 0);
    return writer_len(&w);
}
