/* SPDX-License-Identifier: BSD-3-Clause */
#include "deputy.h"

#include <stdio.h>
#include <stdlib.h>

#include "timerq.h"

enum { SPI = 1000 };

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "deputy: %s\n", what);
    abort();
}

struct addr ip(const char *text)
{
    struct addr a;
    must(addr_parse(text, &a), text);
    return a;
}

struct addr deputy_home(unsigned i)
{
    return addr_from_ipv4(0x0a010100 + i);
}

struct addr deputy_care_of(unsigned i)
{
    return addr_from_ipv4(0xc0000200 + i);
}

/* ---- Effects ---- */
static int primary_at(const struct addr *address)
{
    const struct addr one = ip("10.1.0.1"), two = ip("10.2.0.1");
    return addr_equal(address, &one) ? 0 : addr_equal(address, &two) ? 1 : -1;
}

static void hear(struct deputy *deputy, const struct message *m)
{
    must(deputy->n_heard < DEPUTY_LOG, "too much heard");
    struct heard *h = &deputy->heard[deputy->n_heard++];
    struct delegation_records records;
    h->to = primary_at(&m->destination);
    h->read = false;
    h->len = m->len;
    memcpy(h->bytes, m->bytes, m->len);
    must(h->to >= 0, "sent to nobody");
    must(delegation_decode(h->bytes, h->len, &h->header, &records) == DELEGATION_DECODED, "undecodable");
    struct primary *p = &deputy->primaries[h->to];
    const bool greeting = h->header.type == DELEGATION_HELLO || h->header.type == DELEGATION_HELLO_ACK;
    must(delegation_verify(h->bytes, h->len, greeting ? &p->key : &p->session, deputy->auth), "wrong key");
    struct delegation_record record;
    if (!greeting)
        return;
    must(delegation_next(&records, &record) && record.type == DELEGATION_RECORD_HELLO, "no hello");
    p->hello = record.hello;
    p->their_epoch = h->header.epoch;
}

void deputy_drain(struct deputy *deputy)
{
    const struct effect *e;
    while ((e = agent_pop(deputy->agent)) != NULL) {
        must(deputy->n_log < DEPUTY_LOG, "too many effects");
        deputy->log[deputy->n_log++] = *e;
        if (e->kind == EFFECT_SEND)
            hear(deputy, &e->send);
    }
}

void deputy_forget(struct deputy *deputy)
{
    deputy->n_heard = deputy->n_log = 0;
}

/* ---- Sending ---- */
void deputy_begin(struct dispatch *dispatch)
{
    dispatch->w = writer_over(dispatch->bytes, sizeof(dispatch->bytes));
    delegation_begin(&dispatch->w);
}

static void emit(struct deputy *deputy, int which, struct delegation_header header, struct dispatch *dispatch,
                 const struct auth_key *key)
{
    struct primary *p = &deputy->primaries[which];
    header.spi = SPI;
    header.epoch = p->epoch;
    header.peer_epoch = p->their_epoch;
    header.node = p->id;
    must(delegation_seal(&dispatch->w, &header, key, deputy->auth), "seal");
    const struct agent_datagram datagram = {
        .source = ip(which == 0 ? "10.1.0.1" : "10.2.0.1"),
        .destination = ip("10.1.0.9"),
        .protocol = IPPROTO_NUM_UDP,
        .source_port = DELEGATION_PORT,
        .destination_port = DELEGATION_PORT,
        .payload = dispatch->bytes,
        .len = writer_len(&dispatch->w),
    };
    agent_input(deputy->agent, &datagram, deputy->now);
    deputy_drain(deputy);
}

uint32_t deputy_send(struct deputy *deputy, int which, uint8_t type, struct dispatch *dispatch)
{
    struct primary *p = &deputy->primaries[which];
    const uint32_t transaction = ++p->transaction;
    emit(deputy, which,
         (struct delegation_header){.type = type, .sequence = ++p->sent, .transaction = transaction},
         dispatch, &p->session);
    return transaction;
}

static void respond(struct deputy *deputy, const struct heard *heard, uint8_t type, struct dispatch *dispatch)
{
    struct primary *p = &deputy->primaries[heard->to];
    emit(deputy, heard->to,
         (struct delegation_header){.type = type,
                                    .flags = DELEGATION_RESPONSE,
                                    .sequence = ++p->sent,
                                    .transaction = heard->header.transaction},
         dispatch, &p->session);
}

void deputy_respond(struct deputy *deputy, int which, const struct heard *heard)
{
    struct dispatch d;
    (void)which;
    const struct heard copy = *heard; /* what it calls forth may be logged over it */
    deputy_begin(&d);
    respond(deputy, &copy,
            copy.header.type == DELEGATION_SYNC_DATA ? DELEGATION_SYNC_ACK : (uint8_t)(copy.header.type + 1),
            &d);
}

/* ---- Sessions ---- */
struct agent_peer deputy_peer(const struct deputy *deputy, int which)
{
    struct agent_peer peer = {
        .address = ip(which == 0 ? "10.1.0.1" : "10.2.0.1"),
        .local = ip("10.1.0.9"),
        .spi = SPI,
        .key = deputy->primaries[which].key,
        .n_prefixes = which == 0 ? 2 : 1,
    };
    strcpy(peer.name, which == 0 ? "one" : "two");
    must(prefix_parse(which == 0 ? "10.1.0.0/16" : "10.0.0.0/8", &peer.prefixes[0]), "prefix");
    must(prefix_parse("2001:db8:1::/64", &peer.prefixes[1]), "prefix");
    return peer;
}

static void derive(struct deputy *deputy, struct primary *p)
{
    struct delegation_end us = {.id = p->id, .epoch = p->epoch};
    struct delegation_end them = {.id = deputy->settings.id, .epoch = p->their_epoch};
    memcpy(us.nonce, p->nonce, sizeof(us.nonce));
    memcpy(them.nonce, p->hello.nonce, sizeof(them.nonce));
    must(delegation_session_key(&p->key, &us, &them, deputy->auth, &p->session), "session key");
}

void deputy_meet(struct deputy *deputy, int which, bool leased)
{
    struct primary *p = &deputy->primaries[which];
    struct dispatch d;
    struct delegation_hello hello = {
        .role = HELLO_PRIMARY,
        .lowest_version = 1,
        .highest_version = 1,
        .term = DEPUTY_TERM,
        .ip_id_slot = (uint16_t)(5 + which),
        .payload_max = p->payload_max,
        .mac = {{2, 0, 0, 0, 0, (uint8_t)(which + 1)}},
    };
    p->nonce[0]++;
    p->sent = 0;
    memcpy(hello.nonce, p->nonce, sizeof(hello.nonce));
    memcpy(hello.peer_nonce, p->hello.nonce, sizeof(hello.peer_nonce));
    derive(deputy, p);
    deputy_begin(&d);
    delegation_hello_encode(&d.w, &hello);
    emit(deputy, which, (struct delegation_header){.type = DELEGATION_HELLO_ACK}, &d, &p->key);
    p->met = true;
    if (leased)
        deputy_lease(deputy, which);
}

/* The primary greets by itself; the secondary answers, and takes the session when something comes in it. */
void deputy_meet_again(struct deputy *deputy, int which, bool leased)
{
    struct primary *p = &deputy->primaries[which];
    struct dispatch d;
    struct delegation_hello hello = {
        .role = HELLO_PRIMARY,
        .lowest_version = 1,
        .highest_version = 1,
        .term = DEPUTY_TERM,
        .ip_id_slot = (uint16_t)(5 + which),
        .payload_max = p->payload_max,
        .mac = {{2, 0, 0, 0, 0, (uint8_t)(which + 1)}},
    };
    p->nonce[0]++;
    memcpy(hello.nonce, p->nonce, sizeof(hello.nonce));
    deputy_begin(&d);
    delegation_hello_encode(&d.w, &hello);
    emit(deputy, which, (struct delegation_header){.type = DELEGATION_HELLO}, &d, &p->key);
    derive(deputy, p);
    p->sent = 0;
    deputy_begin(&d);
    deputy_send(deputy, which, DELEGATION_RATES_ACK, &d);
    if (leased)
        deputy_lease(deputy, which);
}

static const struct heard *last_keepalive(const struct deputy *deputy, int which)
{
    for (size_t i = deputy->n_heard; i-- > 0;)
        if (deputy->heard[i].to == which && deputy->heard[i].header.type == DELEGATION_KEEPALIVE)
            return &deputy->heard[i];
    must(false, "no keepalive");
    return NULL;
}

static void answer_keepalive(struct deputy *deputy, const struct heard *keepalive)
{
    struct dispatch d;
    const struct heard copy = *keepalive;
    struct delegation_lease lease = deputy->primaries[copy.to].lease;
    lease.sequence = copy.header.sequence;
    lease.floor = deputy->primaries[copy.to].floor;
    deputy_begin(&d);
    delegation_lease_encode(&d.w, &lease);
    respond(deputy, &copy, DELEGATION_KEEPALIVE_ACK, &d);
}

void deputy_lease(struct deputy *deputy, int which)
{
    answer_keepalive(deputy, last_keepalive(deputy, which));
}

void deputy_answer_without_lease(struct deputy *deputy, int which)
{
    deputy_respond(deputy, which, last_keepalive(deputy, which));
}

/* ---- Time ---- */
static void answer(struct deputy *deputy, size_t i)
{
    const struct heard *h = &deputy->heard[i];
    const struct primary *p = &deputy->primaries[h->to];
    switch (h->header.type) {
    case DELEGATION_KEEPALIVE:
        if (p->met && !p->deaf)
            answer_keepalive(deputy, h);
        break;
    case DELEGATION_RATES:
    case DELEGATION_EVENT:
    case DELEGATION_SYNC_DATA:
        if (!p->mute)
            deputy_respond(deputy, h->to, h);
        break;
    default:
        break;
    }
}

static void turn(struct deputy *deputy)
{
    size_t from = deputy->n_heard;
    agent_expire(deputy->agent, deputy->now, 1000);
    deputy_drain(deputy);
    for (; from < deputy->n_heard; from++)
        answer(deputy, from);
}

void deputy_wait(struct deputy *deputy, uint64_t ms)
{
    const uint64_t end = deputy->now.mono_ns + ms * NSEC_PER_MS;
    for (;;) {
        const uint64_t next = agent_deadline(deputy->agent);
        if (next > end)
            break;
        if (next > deputy->now.mono_ns)
            deputy->now.mono_ns = next;
        turn(deputy);
    }
    deputy->now.mono_ns = end;
}

/* ---- What was heard ---- */
const struct heard *deputy_take(struct deputy *deputy, int which, uint8_t type)
{
    for (size_t i = 0; i < deputy->n_heard; i++) {
        struct heard *h = &deputy->heard[i];
        if (h->read || h->to != which || h->header.type != type)
            continue;
        h->read = true;
        return h;
    }
    return NULL;
}

struct delegation_records deputy_records(const struct heard *heard)
{
    struct delegation_header header;
    struct delegation_records records;
    must(delegation_decode(heard->bytes, heard->len, &header, &records) == DELEGATION_DECODED, "decode");
    return records;
}

unsigned deputy_count(const struct deputy *deputy, int which, uint8_t type)
{
    unsigned n = 0;
    for (size_t i = 0; i < deputy->n_heard; i++)
        n += deputy->heard[i].to == which && deputy->heard[i].header.type == type;
    return n;
}

size_t deputy_effects(const struct deputy *deputy, enum effect_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < deputy->n_log; i++)
        n += deputy->log[i].kind == kind;
    return n;
}

const struct effect *deputy_effect(const struct deputy *deputy, enum effect_kind kind)
{
    for (size_t i = 0; i < deputy->n_log; i++)
        if (deputy->log[i].kind == kind)
            return &deputy->log[i];
    must(false, "no such effect");
    return NULL;
}

const char *deputy_order(const struct deputy *deputy, char buf[static 64])
{
    static const char letters[] = {[EFFECT_INSTALL] = 'I',
                                   [EFFECT_REMOVE] = 'R',
                                   [EFFECT_SEND] = 'S',
                                   [EFFECT_ANNOUNCE] = 'A',
                                   [EFFECT_RELAY] = 'Y'};
    size_t n = 0;
    for (size_t i = 0; i < deputy->n_log && n < 62; i++) {
        if (deputy->log[i].kind == EFFECT_NOTE || deputy->log[i].kind == EFFECT_LISTEN)
            continue;
        if (n > 0)
            buf[n++] = ' ';
        buf[n++] = letters[deputy->log[i].kind];
    }
    buf[n] = '\0';
    return buf;
}

uint64_t deputy_counter(const struct deputy *deputy, enum agent_counter c)
{
    return agent_counters(deputy->agent)->n[c];
}

/* ---- Orders ---- */
uint64_t deputy_next(struct deputy *deputy, int which)
{
    return ++deputy->primaries[which].generation;
}

struct delegation_start deputy_start_of(struct deputy *deputy, int which, unsigned i)
{
    return (struct delegation_start){
        .flags = START_INTERCEPT | START_ANNOUNCE,
        .home = deputy_home(i),
        .care_of = deputy_care_of(i),
        .generation = deputy_next(deputy, which),
        .duration_ms = 100000,
        .encapsulation = ENCAPSULATION_IPIP,
        .count = 1,
        .cookie = 77 + i,
    };
}

struct addr deputy_home_ipv6(unsigned i)
{
    struct addr a = ip("2001:db8:1::1:0");
    a.b[15] = (uint8_t)i;
    return a;
}

struct delegation_start deputy_start_ipv6(struct deputy *deputy, int which, unsigned i)
{
    struct delegation_start start = deputy_start_of(deputy, which, i);
    start.home = deputy_home_ipv6(i);
    start.care_of = ip("2001:db8:2::");
    start.care_of.b[15] = (uint8_t)i;
    start.source = ip("2001:db8:1::1");
    start.encapsulation = ENCAPSULATION_IPV6_IN_IPV6;
    return start;
}

struct delegation_stop deputy_stop_of(struct deputy *deputy, int which, unsigned i)
{
    return (struct delegation_stop){
        .home = deputy_home(i),
        .generation = deputy_next(deputy, which),
        .reason = STOP_MOVED,
        .mode = STOP_LINGER,
        .linger_ds = 300,
    };
}

static struct delegation_ack only_ack(struct deputy *deputy, int which, uint8_t type, uint32_t transaction)
{
    const struct heard *h;
    while ((h = deputy_take(deputy, which, type)) != NULL && h->header.transaction != transaction)
        continue;
    must(h != NULL, "not acknowledged");
    struct delegation_records records = deputy_records(h);
    struct delegation_record record;
    must((h->header.flags & DELEGATION_RESPONSE) != 0, "no response");
    must(delegation_next(&records, &record) && record.type == DELEGATION_RECORD_ACK, "no ack");
    const struct delegation_ack ack = record.ack;
    must(!delegation_next(&records, &record) && !records.failed, "more than one ack");
    return ack;
}

struct delegation_ack deputy_do_start(struct deputy *deputy, int which, const struct delegation_start *start)
{
    struct dispatch d;
    deputy_begin(&d);
    delegation_start_encode(&d.w, start);
    return only_ack(deputy, which, DELEGATION_START_ACK, deputy_send(deputy, which, DELEGATION_START, &d));
}

struct delegation_ack deputy_do_stop(struct deputy *deputy, int which, const struct delegation_stop *stop)
{
    struct dispatch d;
    deputy_begin(&d);
    delegation_stop_encode(&d.w, stop);
    return only_ack(deputy, which, DELEGATION_STOP_ACK, deputy_send(deputy, which, DELEGATION_STOP, &d));
}

/* ---- Opening ---- */
void deputy_start(struct deputy *deputy)
{
    static const uint8_t seed[AGENT_SEED] = {9};
    deputy->agent = agent_create(&deputy->settings, seed, deputy->now);
    must(deputy->agent != NULL, "agent");
    for (int i = 0; i < DEPUTY_PRIMARIES; i++) {
        const struct agent_peer peer = deputy_peer(deputy, i);
        must(agent_peer_set(deputy->agent, &peer) == 0, "peer");
    }
    deputy_drain(deputy);
}

static void play(struct primary *p, int which)
{
    *p = (struct primary){
        .id = (uint16_t)(which + 1),
        .epoch = 0xabc0 + (uint64_t)which,
        .key = {.algorithm = AUTH_HMAC_SHA256, .len = DELEGATION_KEY, .bytes = {(uint8_t)(which + 1), 7}},
        .payload_max = DELEGATION_MAX,
        .generation = delegation_first_generation(DEPUTY_TERM),
        .lease = {.lease_ms = DEPUTY_LEASE_MS, .report_ms = 1000, .report_top = 4},
    };
}

void deputy_open(struct deputy *deputy)
{
    *deputy = (struct deputy){.now = {.mono_ns = 1000 * NSEC_PER_S}, .auth = auth_create()};
    deputy->heard = calloc(DEPUTY_LOG, sizeof(*deputy->heard));
    deputy->log = calloc(DEPUTY_LOG, sizeof(*deputy->log));
    must(deputy->auth != NULL && deputy->heard != NULL && deputy->log != NULL, "memory");
    struct agent_settings *s = &deputy->settings;
    *s = (struct agent_settings){.role = AGENT_SECONDARY,
                                 .id = 9,
                                 .mac = {{2, 0, 0, 0, 0, 9}},
                                 .delegation = delegation_defaults(),
                                 .n_home_networks = 3,
                                 .n_reserved = 5,
                                 .n_own = 4,
                                 .max_bindings = 64,
                                 .max_care_of = 8,
                                 .encapsulations = 1 << ENCAPSULATION_IPIP};
    must(prefix_parse("10.1.0.0/16", &s->home_networks[0]), "prefix");
    must(prefix_parse("10.2.0.0/24", &s->home_networks[1]), "prefix");
    must(prefix_parse("2001:db8:1::/64", &s->home_networks[2]), "prefix");
    deputy->reserved[0] = ip("10.1.0.9");
    deputy->reserved[1] = ip("10.1.0.10");
    deputy->reserved[2] = ip("198.51.100.9");
    deputy->reserved[3] = ip("2001:db8:1::9");
    deputy->reserved[4] = ip("10.1.0.254");
    s->reserved = deputy->reserved;
    for (int i = 0; i < DEPUTY_PRIMARIES; i++)
        play(&deputy->primaries[i], i);
    deputy_start(deputy);
}

void deputy_close(struct deputy *deputy)
{
    agent_destroy(deputy->agent);
    auth_destroy(deputy->auth);
    free(deputy->heard);
    free(deputy->log);
}
