/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A live home agent under a sequence of random Mobility Headers, claims of addresses on the home link, and
 * time that passes. Whatever comes, what forwarding was told is what is bound, nothing is bound or ended but
 * by a signed update, and each update has one answer at most.
 */
#include "agent_world.h"
#include "steps.h"

enum { /* control: the mobile node stands in the upper three bits */
       SIGN = 0x01,
       PLAUSIBLE = 0x02, /* addresses and age as they must be */
       RETURN = 0x04,    /* from the home address itself */
       OTHER = 0x08      /* not an update: claim, revocation, time */
};

/* The fixed part and some options as the input has them, or with all that it takes to pass. */
static void send_update(struct world *w, uint8_t control, const uint8_t *bytes, size_t len)
{
    const size_t i = control >> 5;
    struct reader r = reader_over(bytes, len);
    struct ask6 ask = control & RETURN ? lab6_ask_return(&w->lab, i) : lab6_ask(&w->lab, i);
    const struct mip6_update usual = ask.m;
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
    world_send_update(w, &ask);
}

static void send_bytes(struct world *w, uint8_t control, const uint8_t *bytes, size_t len)
{
    const struct ask6 ask = lab6_ask(&w->lab, control >> 5);
    world_send_bytes(w, &ask, bytes, len, (control & PLAUSIBLE) != 0);
}

static void other(struct world *w, uint8_t control, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_over(bytes, len);
    const struct addr home = lab6_home(control >> 5);
    const struct agent_neighbor n = {.mac = {{2, 9, 9, 9, 9, read_u8(&r)}}, .claimed = home};
    if (control & SIGN) {
        lab_forget(&w->lab);
        agent_heard(w->lab.agent, &n, w->lab.now);
        lab_drain(&w->lab);
        fuzz_require(!world_replay(w));
    } else if (control & RETURN) {
        world_revoke(w, &home);
    } else {
        lab_wait(&w->lab, read_u16(&r) * NSEC_PER_S / 64);
        world_replay(w);
    }
}

static void take_step(struct world *w, const struct step *s)
{
    if (s->control & OTHER)
        other(w, s->control, s->bytes, s->len);
    else if (s->control & (SIGN | RETURN))
        send_update(w, s->control, s->bytes, s->len);
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
    for (struct step s; step_next(&r, &s);)
        take_step(&w, &s);
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
