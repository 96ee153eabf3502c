/* SPDX-License-Identifier: BSD-3-Clause */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "lab: %s\n", what);
    abort();
}

/* ---- Addresses and keys ---- */
struct addr ip(const char *text)
{
    struct addr a;
    must(addr_parse(text, &a), text);
    return a;
}

struct addr lab_home(size_t i)
{
    return addr_from_ipv4(0x0a010100u + (uint32_t)i);
}

struct addr lab_care_of(size_t i)
{
    return addr_from_ipv4(0xc0000200u + (uint32_t)i);
}

const char *lab_nai(size_t i)
{
    static const char *const names[LAB_MOBILES] = {NULL, "one@example.net", NULL, "three@example.net",
                                                   NULL, "five@example.net"};
    return names[i];
}

static struct association association(uint32_t spi, uint8_t algorithm, uint8_t replay)
{
    struct association sa = {.spi = spi, .replay = replay};
    sa.key.algorithm = algorithm;
    sa.key.len = 16;
    for (uint8_t b = 0; b < sa.key.len; b++)
        sa.key.bytes[b] = (uint8_t)(spi * 7 + b);
    return sa;
}

struct association lab_association(size_t i)
{
    return association(256 + (uint32_t)i, (uint8_t)(i % AUTH_ALGORITHMS),
                       i < LAB_NONCES ? REPLAY_TIMESTAMP : REPLAY_NONCE);
}

struct association lab_foreign_association(void)
{
    return association(1000, AUTH_HMAC_MD5, REPLAY_TIMESTAMP);
}

/* ---- The agent ---- */
void lab_populate(struct lab *lab)
{
    for (size_t i = 0; i < LAB_MOBILES; i++) {
        const struct addr home = lab_home(i);
        const struct association sa = lab_association(i);
        must(agent_mobile_set(lab->agent, &home, &sa, lab_nai(i)) == 0, "agent_mobile_set");
    }
    const struct addr foreign = ip("198.51.100.1");
    const struct association sa = lab_foreign_association();
    must(agent_foreign_set(lab->agent, &foreign, &sa) == 0, "agent_foreign_set");
}

void lab_open(struct lab *lab)
{
    static const uint8_t seed[AGENT_SEED] = {1, 2, 3};
    *lab = (struct lab){.now = {.mono_ns = 1000 * NSEC_PER_S, .ntp = ntp_from_unix(1700000000, 0)}};
    lab->reserved[0] = ip("10.1.0.254");
    lab->settings = (struct agent_settings){
        .home_agents = {ip("10.1.0.1"), ip("10.2.0.1")},
        .n_home_agents = 2,
        .home_networks = {{ip("10.1.0.0"), 16}, {ip("10.2.0.0"), 24}},
        .n_home_networks = 2,
        .reserved = lab->reserved,
        .n_reserved = 1,
        .max_bindings = 1000,
        .max_lifetime_s = LAB_MAX_LIFETIME,
        .max_care_of = 1,
        .timestamp_window_s = 7,
        .encapsulations = 1u << ENCAPSULATION_IPIP,
    };
    lab->log_size = 16;
    lab->log = malloc(lab->log_size * sizeof(*lab->log));
    lab->auth = auth_create();
    lab->agent = agent_create(&lab->settings, seed, lab->now);
    must(lab->log != NULL && lab->auth != NULL && lab->agent != NULL, "agent_create");
    lab_populate(lab);
    lab_wait(lab, 60 * NSEC_PER_S);
}

void lab_close(struct lab *lab)
{
    agent_destroy(lab->agent);
    auth_destroy(lab->auth);
    free(lab->log);
}

/* ---- Effects ---- */
void lab_forget(struct lab *lab)
{
    lab->n_log = 0;
}

void lab_drain(struct lab *lab)
{
    const struct effect *e;
    while ((e = agent_pop(lab->agent)) != NULL) {
        if (lab->n_log == lab->log_size) {
            lab->log_size *= 2;
            lab->log = realloc(lab->log, lab->log_size * sizeof(*lab->log));
            must(lab->log != NULL, "realloc");
        }
        lab->log[lab->n_log++] = *e;
    }
}

size_t lab_count(const struct lab *lab, enum effect_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < lab->n_log; i++)
        n += lab->log[i].kind == kind;
    return n;
}

const struct effect *lab_first(const struct lab *lab, enum effect_kind kind)
{
    for (size_t i = 0; i < lab->n_log; i++)
        if (lab->log[i].kind == kind)
            return &lab->log[i];
    return NULL;
}

const char *lab_order(const struct lab *lab, char buf[static 64])
{
    static const char letters[] = {
        [EFFECT_INSTALL] = 'I', [EFFECT_REMOVE] = 'R', [EFFECT_SEND] = 'S',  [EFFECT_ANNOUNCE] = 'A',
        [EFFECT_RELAY] = 'Y',   [EFFECT_NOTE] = 'N',   [EFFECT_PROBE] = 'P', [EFFECT_FORWARD] = 'F',
    };
    size_t n = 0;
    for (size_t i = 0; i < lab->n_log && n + 3 < 64; i++) {
        if (lab->log[i].kind == EFFECT_NOTE || lab->log[i].kind == EFFECT_LISTEN)
            continue;
        if (n > 0)
            buf[n++] = ' ';
        buf[n++] = letters[lab->log[i].kind];
    }
    buf[n] = '\0';
    return buf;
}

uint64_t lab_counter(const struct lab *lab, enum agent_counter c)
{
    return agent_counters(lab->agent)->n[c];
}

uint64_t lab_replies(const struct lab *lab, uint8_t code)
{
    return agent_counters(lab->agent)->replies[code];
}

/* ---- Time ---- */
void lab_pass(struct lab *lab, uint64_t ns)
{
    lab->now.mono_ns += ns;
    /* ns * 2^32 / 10^9 without overflow over days */
    lab->now.ntp += ntp_from_seconds((uint32_t)(ns / NSEC_PER_S)) + ((ns % NSEC_PER_S) << 32) / NSEC_PER_S;
}

void lab_wait(struct lab *lab, uint64_t ns)
{
    const uint64_t end = lab->now.mono_ns + ns;
    lab_forget(lab);
    while (agent_deadline(lab->agent) <= end) {
        const uint64_t at = agent_deadline(lab->agent);
        if (at > lab->now.mono_ns)
            lab_pass(lab, at - lab->now.mono_ns);
        agent_expire(lab->agent, lab->now, 1);
        lab_drain(lab);
    }
    lab_pass(lab, end - lab->now.mono_ns);
}

/* ---- Requests ---- */
uint64_t lab_identification(struct lab *lab, size_t i)
{
    const uint32_t low = ++lab->counter;
    if (i < LAB_NONCES)
        return lab->now.ntp + low; /* fractions of a microsecond apart */
    return (uint64_t)lab->nonce[i] << 32 | low;
}

struct ask lab_ask(struct lab *lab, size_t i)
{
    return (struct ask){
        .q = {.flags = MIP4_COLOCATED,
              .lifetime_s = LAB_LIFETIME,
              .home = lab_home(i),
              .home_agent = ip("10.1.0.1"),
              .care_of = lab_care_of(i),
              .identification = lab_identification(lab, i)},
        .mobile = lab_association(i),
        .mobile_times = 1,
        .source = lab_care_of(i),
        .destination = ip("10.1.0.1"),
        .source_port = 5000,
        .mac = {{2, 0, 0, 0, 0, (uint8_t)i}},
    };
}

struct ask lab_ask_return(struct lab *lab, size_t i)
{
    struct ask ask = lab_ask(lab, i);
    ask.q.lifetime_s = 0;
    ask.q.care_of = ask.q.home;
    ask.q.flags = 0;
    ask.source = ask.q.home;
    return ask;
}

struct ask lab_ask_relayed(struct lab *lab, size_t i)
{
    struct ask ask = lab_ask(lab, i);
    ask.q.care_of = ip("198.51.100.1");
    ask.q.flags = 0;
    ask.source = ask.q.care_of;
    ask.foreign = lab_foreign_association();
    ask.foreign_times = 1;
    return ask;
}

static void sign(struct lab *lab, struct writer *w, uint8_t type, const struct association *sa, int times,
                 bool wrong)
{
    while (times-- > 0) {
        must(mip4_append_auth(w, type, sa->spi, &sa->key, lab->auth), "mip4_append_auth");
        if (wrong)
            w->at[-1] ^= 1;
    }
}

size_t lab_encode(struct lab *lab, const struct ask *ask, uint8_t *bytes, size_t size)
{
    struct writer w = writer_over(bytes, size);
    mip4_request_encode(&w, &ask->q);
    bytes[1] |= ask->raw_flags;
    if (ask->nai != NULL)
        mip4_append(&w, MIP4_EXT_NAI, ask->nai, strlen(ask->nai));
    write_bytes(&w, ask->before, ask->before_len);
    sign(lab, &w, MIP4_EXT_MOBILE_HOME_AUTH, &ask->mobile, ask->mobile_times, ask->mobile_wrong);
    write_bytes(&w, ask->after, ask->after_len);
    sign(lab, &w, MIP4_EXT_FOREIGN_HOME_AUTH, &ask->foreign, ask->foreign_times, ask->foreign_wrong);
    must(!w.failed, "the request is too long");
    return writer_len(&w) - ask->cut;
}

/* ---- Replies ---- */
static size_t node_of(const struct addr *home)
{
    for (size_t i = 0; i < LAB_MOBILES; i++) {
        const struct addr own = lab_home(i);
        if (addr_equal(&own, home))
            return i;
    }
    return LAB_MOBILES;
}

static void read_reply(struct lab *lab, const struct ask *ask, const struct message *m, struct answer *out)
{
    out->sent = true;
    out->message = *m;
    must(mip4_reply_decode(m->bytes, m->len, &out->reply) == MIP4_DECODED, "the reply does not decode");
    const struct mip4_extensions *ext = &out->reply.ext;
    out->mobile_good = ext->mobile_home.count == 1 &&
                       mip4_auth_verify(m->bytes, &ext->mobile_home, &ask->mobile.key, lab->auth);
    out->foreign_good = ext->foreign_home.count == 1 &&
                        mip4_auth_verify(m->bytes, &ext->foreign_home, &ask->foreign.key, lab->auth);
    if (ext->nai.bytes != NULL)
        memcpy(out->nai, ext->nai.bytes, ext->nai.len);
    const size_t i = node_of(&out->reply.home);
    if (out->mobile_good && i < LAB_MOBILES)
        lab->nonce[i] = (uint32_t)(out->reply.identification >> 32);
}

struct answer lab_send_bytes(struct lab *lab, const struct ask *ask, const uint8_t *bytes, size_t len)
{
    const struct agent_datagram d = {
        .source = ask->source,
        .destination = ask->destination,
        .protocol = IPPROTO_NUM_UDP,
        .source_port = ask->source_port,
        .destination_port = MIP4_PORT,
        .broadcast = ask->broadcast,
        .source_mac = ask->mac,
        .on_home_link = !ask->elsewhere,
        .payload = bytes,
        .len = len,
    };
    struct answer answer = {0};
    lab_forget(lab);
    agent_input(lab->agent, &d, lab->now);
    lab_drain(lab);
    must(lab_count(lab, EFFECT_SEND) <= 1, "more than one reply");
    const struct effect *sent = lab_first(lab, EFFECT_SEND);
    if (sent != NULL)
        read_reply(lab, ask, &sent->send, &answer);
    return answer;
}

struct answer lab_send(struct lab *lab, const struct ask *ask)
{
    uint8_t bytes[2048];
    const size_t len = lab_encode(lab, ask, bytes, sizeof(bytes));
    return lab_send_bytes(lab, ask, bytes, len);
}
