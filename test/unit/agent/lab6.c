/* SPDX-License-Identifier: BSD-3-Clause */
#include "lab6.h"

#include "inet.h"

#include <stdio.h>
#include <stdlib.h>

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "lab6: %s\n", what);
    abort();
}

/* ---- Addresses and keys ---- */
static struct addr nth(const char *first, size_t i)
{
    struct addr a = ip(first);
    a.b[14] = (uint8_t)(a.b[14] + i / 256);
    a.b[15] = (uint8_t)(a.b[15] + i);
    return a;
}

struct addr lab6_home(size_t i)
{
    return nth("2001:db8:1::100", i);
}

struct addr lab6_care_of(size_t i)
{
    return nth("2001:db8:c::1", i);
}

struct association lab6_association(size_t i)
{
    struct association sa = {.spi = 1000 + (uint32_t)i,
                             .replay = i < LAB6_SEQUENCES ? REPLAY_TIMESTAMP : REPLAY_SEQUENCE,
                             .key = {.algorithm = AUTH_HMAC_SHA1, .len = 16}};
    for (uint8_t b = 0; b < sa.key.len; b++)
        sa.key.bytes[b] = (uint8_t)(sa.spi * 7 + b);
    return sa;
}

/* ---- The agent ---- */
void lab6_populate(struct lab *lab)
{
    for (size_t i = 0; i < LAB6_MOBILES; i++) {
        const struct addr home = lab6_home(i);
        const struct association sa = lab6_association(i);
        char nai[] = "six-0@example.net";
        nai[4] = (char)('0' + i);
        must(agent_mobile_set(lab->agent, &home, &sa, nai) == 0, "agent_mobile_set");
    }
}

void lab6_open(struct lab *lab)
{
    static struct addr reserved[2];
    lab_open(lab);
    reserved[0] = lab->reserved[0];
    reserved[1] = ip("2001:db8:1::fe");
    struct agent_settings *s = &lab->settings;
    s->home_agents[s->n_home_agents++] = ip("2001:db8:1::2");
    s->home_agents[s->n_home_agents++] = ip("2001:db8:2::2");
    s->home_networks[s->n_home_networks++] = (struct prefix){ip("2001:db8:1::"), 64};
    s->home_networks[s->n_home_networks++] = (struct prefix){ip("2001:db8:2::"), 64};
    s->reserved = reserved;
    s->n_reserved = 2;
    s->encapsulations |= 1u << ENCAPSULATION_IPV6_IN_IPV6;
    must(agent_configure(lab->agent, s) == 0, "agent_configure");
    lab6_populate(lab);
}

/* ---- Updates ---- */
struct ask6 lab6_ask(struct lab *lab, size_t i)
{
    const uint32_t counter = ++lab->counter;
    struct ask6 ask = {
        .m = {.sequence = (uint16_t)counter,
              .flags = MIP6_ACKNOWLEDGE | MIP6_HOME_REGISTRATION,
              .lifetime = LAB6_LIFETIME},
        .home = lab6_home(i),
        .by_option = true,
        .source = lab6_care_of(i),
        .destination = ip("2001:db8:1::2"),
        .sa = lab6_association(i),
        .times = 1,
        .elsewhere = true,
        .mac = {{2, 0, 0, 0, 6, (uint8_t)i}},
    };
    if (ask.sa.replay == REPLAY_TIMESTAMP) {
        ask.m.options.has_timestamp = true;
        ask.m.options.timestamp = lab->now.ntp + counter; /* fractions of a microsecond apart */
    }
    return ask;
}

struct ask6 lab6_ask_return(struct lab *lab, size_t i)
{
    struct ask6 ask = lab6_ask(lab, i);
    ask.m.lifetime = 0;
    ask.by_option = false;
    ask.source = ask.home;
    ask.elsewhere = false;
    return ask;
}

struct addr lab6_asked_care_of(const struct ask6 *ask)
{
    return ask->m.options.has_alternate_care_of ? ask->m.options.alternate_care_of : ask->source;
}

size_t lab6_encode(struct lab *lab, const struct ask6 *ask, uint8_t *bytes, size_t size)
{
    struct writer w = writer_over(bytes, size);
    const struct mip6_options *o = &ask->m.options;
    const struct addr care_of = ask->signed_care_of != NULL ? *ask->signed_care_of : lab6_asked_care_of(ask);
    mip6_update_begin(&w, &ask->m);
    if (o->has_alternate_care_of)
        mip6_append_alternate_care_of(&w, &o->alternate_care_of);
    if (ask->nai != NULL)
        mip6_append_identifier(&w, ask->nai, strlen(ask->nai));
    if (o->has_timestamp)
        mip6_append_timestamp(&w, o->timestamp);
    write_bytes(&w, ask->raw, ask->raw_len);
    for (int i = 0; i < ask->times; i++) {
        must(mip6_append_auth(&w, ask->sa.spi, &ask->sa.key, &care_of, &ask->home, lab->auth), "sign");
        if (ask->wrong)
            w.at[-1] ^= 1;
    }
    must(mip6_finish(&w, &ask->home, &ask->destination), "the update is too long");
    return writer_len(&w);
}

struct agent_datagram lab6_datagram(const struct ask6 *ask, const uint8_t *bytes, size_t len)
{
    return (struct agent_datagram){
        .source = ask->source,
        .destination = ask->destination,
        .home = ask->by_option ? ask->home : addr_unspecified,
        .protocol = IPPROTO_NUM_MOBILITY,
        .on_home_link = !ask->elsewhere,
        .source_mac = ask->mac,
        .payload = bytes,
        .len = len,
    };
}

/* ---- Acknowledgements ---- */
static bool verify(struct lab *lab, const struct ask6 *ask, const struct message *m,
                   const struct mip6_ack *ack)
{
    const struct addr care_of = lab6_asked_care_of(ask);
    return ack->options.mobile_home.count == 1 && !ack->options.auth_misplaced &&
           ack->options.mobile_home.spi == ask->sa.spi &&
           mip6_auth_verify(m->bytes, m->len, &ack->options.mobile_home, &ask->sa.key, &care_of, &ask->home,
                            lab->auth);
}

static struct answer6 read_answer(struct lab *lab, const struct ask6 *ask, const struct message *m)
{
    struct answer6 a = {.sent = true, .message = *m};
    enum mip6_type type;
    must(m->protocol == IPPROTO_NUM_MOBILITY, "no mobility header");
    must(mip6_check(m->bytes, m->len, &m->source, &ask->home, &type) == MIP6_DECODED && type == MIP6_ACK,
         "no acknowledgement");
    must(mip6_ack_decode(m->bytes, m->len, &a.ack) == MIP6_DECODED, "the acknowledgement does not decode");
    a.good = verify(lab, ask, m, &a.ack);
    return a;
}

struct answer6 lab6_answer(struct lab *lab, const struct ask6 *ask)
{
    must(lab_count(lab, EFFECT_SEND) <= 1, "more than one acknowledgement");
    const struct effect *sent = lab_first(lab, EFFECT_SEND);
    return sent == NULL ? (struct answer6){0} : read_answer(lab, ask, &sent->send);
}

struct answer6 lab6_send_bytes(struct lab *lab, const struct ask6 *ask, const uint8_t *bytes, size_t len)
{
    const struct agent_datagram d = lab6_datagram(ask, bytes, len);
    lab_forget(lab);
    agent_input(lab->agent, &d, lab->now);
    lab_drain(lab);
    return lab6_answer(lab, ask);
}

struct answer6 lab6_send(struct lab *lab, const struct ask6 *ask)
{
    uint8_t bytes[2048];
    const size_t len = lab6_encode(lab, ask, bytes, sizeof(bytes));
    return lab6_send_bytes(lab, ask, bytes, len);
}
