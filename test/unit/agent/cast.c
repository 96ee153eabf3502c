/* SPDX-License-Identifier: BSD-3-Clause */
#include "cast.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEY_ID = 300, KEEPALIVE_MS = 500 };

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "cast: %s\n", what);
    abort();
}

static struct addr primary_address(void)
{
    return ip("10.1.0.1");
}

/* ---- What an actor sends ---- */
static struct message pack(struct actor *a, struct writer *w, struct message *m, uint8_t type, uint8_t flags,
                           uint32_t transaction)
{
    const bool hello = type == DELEGATION_HELLO || type == DELEGATION_HELLO_ACK;
    const struct delegation_header header = {.type = type,
                                             .flags = flags,
                                             .spi = KEY_ID,
                                             .epoch = a->epoch,
                                             .peer_epoch = type == DELEGATION_HELLO ? 0 : a->primary_epoch,
                                             .sequence = hello ? 0 : ++a->sent,
                                             .transaction = transaction,
                                             .node = a->id};
    must(delegation_seal(w, &header, hello ? &a->key : &a->session_key, a->cast->lab.auth),
         "delegation_seal");
    m->source = a->address;
    m->destination = primary_address();
    m->len = writer_len(w);
    return *m;
}

static void post(struct actor *a, const struct message *m)
{
    const struct lab *lab = &a->cast->lab;
    const struct agent_datagram d = {.source = m->source,
                                     .destination = m->destination,
                                     .protocol = IPPROTO_NUM_UDP,
                                     .source_port = DELEGATION_PORT,
                                     .destination_port = DELEGATION_PORT,
                                     .on_home_link = true,
                                     .payload = m->bytes,
                                     .len = m->len};
    agent_input(lab->agent, &d, lab->now);
    cast_drain(a->cast);
}

static struct writer begin(struct message *m)
{
    struct writer w = writer_over(m->bytes, sizeof(m->bytes));
    delegation_begin(&w);
    return w;
}

static void greet(struct actor *a, uint8_t type, const uint8_t *theirs, uint32_t transaction)
{
    struct message m;
    struct writer w = begin(&m);
    struct delegation_hello hello = {.role = HELLO_SECONDARY,
                                     .lowest_version = DELEGATION_VERSION,
                                     .highest_version = DELEGATION_VERSION,
                                     .payload_max = DELEGATION_MAX,
                                     .mac = {{2, 0, 0, 0, 1, (uint8_t)a->id}}};
    memcpy(hello.nonce, a->nonce, sizeof(hello.nonce));
    if (theirs != NULL)
        memcpy(hello.peer_nonce, theirs, sizeof(hello.peer_nonce));
    delegation_hello_encode(&w, &hello);
    pack(a, &w, &m, type, type == DELEGATION_HELLO_ACK ? DELEGATION_RESPONSE : 0, transaction);
    post(a, &m);
}

static void keepalive(struct actor *a)
{
    struct message m;
    struct writer w = begin(&m);
    const struct delegation_load load = {.state = LOAD_READY,
                                         .max_bindings = 1000000,
                                         .digest = a->digest,
                                         .floor = a->floor,
                                         .uptime_s = 1,
                                         .heard = a->heard};
    delegation_load_encode(&w, &load);
    a->next_keepalive_ns = a->cast->lab.now.mono_ns + KEEPALIVE_MS * NSEC_PER_MS;
    a->keepalive = a->sent + 1;
    pack(a, &w, &m, DELEGATION_KEEPALIVE, 0, (uint32_t)a->keepalive);
    post(a, &m);
}

static void say(struct actor *a, uint8_t type, uint8_t flags, uint32_t transaction)
{
    struct message m;
    struct writer w = begin(&m);
    pack(a, &w, &m, type, flags, transaction);
    post(a, &m);
}

/* ---- Its table: as much of the secondary's rule as these tests need ---- */
static struct actor_entry *entry_of(struct actor *a, const struct addr *home)
{
    for (size_t i = 0; i < a->n_entries; i++)
        if (addr_equal(&a->entries[i].home, home))
            return &a->entries[i];
    must(a->n_entries < ACTOR_ENTRIES, "too many entries");
    struct actor_entry *e = &a->entries[a->n_entries++];
    *e = (struct actor_entry){.home = *home, .state = HELD_ABSENT};
    return e;
}

static void set_digest(struct actor *a, struct actor_entry *e, uint64_t digest)
{
    a->digest ^= e->digest ^ digest;
    e->digest = digest;
}

static bool is_entry(const struct actor_entry *e)
{
    return e->state == HELD_ACTIVE || e->state == HELD_FORWARD_ONLY;
}

static uint8_t obey_start(struct actor *a, struct actor_entry *e, const struct delegation_start *set)
{
    struct addr care_of[AGENT_CARE_OF_MAX];
    for (size_t i = 0; i < set->count; i++)
        care_of[i] = set[i].care_of;
    if (set->generation < e->generation)
        return STATUS_STALE;
    if (set->generation == e->generation)
        return is_entry(e) && e->start == e->generation ? STATUS_OK_ALREADY : STATUS_STALE;
    e->generation = set->generation;
    e->start = set->generation;
    e->state = (set->flags & START_INTERCEPT) != 0 ? HELD_ACTIVE : HELD_FORWARD_ONLY;
    set_digest(a, e,
               e->state == HELD_ACTIVE
                   ? delegation_entry_digest(0, &set->home, set->generation, care_of, set->count)
                   : 0);
    return STATUS_OK;
}

static uint8_t obey_stop(struct actor *a, struct actor_entry *e, const struct delegation_stop *stop)
{
    if (stop->generation < e->generation)
        return STATUS_STALE;
    const bool had = is_entry(e);
    if (had && stop->generation == e->generation)
        return STATUS_OK_ALREADY;
    e->generation = stop->generation;
    e->state = had && stop->mode != STOP_DROP ? HELD_FORWARD_ONLY : HELD_TOMBSTONE;
    set_digest(a, e, 0);
    return had ? STATUS_OK : STATUS_OK_ABSENT;
}

/* The script may have it answer otherwise; 0: it does not. */
static uint8_t scripted(struct actor *a, bool is_stop)
{
    uint8_t *status = is_stop ? &a->stop_status : &a->start_status;
    const uint8_t answer = *status;
    if (answer != STATUS_OK && a->refusals > 0 && --a->refusals == 0)
        *status = STATUS_OK;
    return answer;
}

static void refuse(struct actor *a, struct actor_entry *e, uint64_t generation, uint8_t status)
{
    const bool buries = status != STATUS_STALE && status != STATUS_FENCED && status != STATUS_NOT_ASSOCIATED;
    if (a->leaves_absent || !buries)
        return;
    e->generation = generation;
    if (!is_entry(e))
        e->state = HELD_TOMBSTONE;
}

static struct delegation_ack act(struct actor *a, const struct delegation_start *set,
                                 const struct delegation_stop *stop)
{
    const struct addr *home = stop != NULL ? &stop->home : &set->home;
    const uint64_t asked = stop != NULL ? stop->generation : set->generation;
    struct actor_entry *e = entry_of(a, home);
    uint8_t status = scripted(a, stop != NULL);
    if (status != STATUS_OK && stop == NULL)
        refuse(a, e, asked, status);
    else if (status == STATUS_OK)
        status = stop != NULL ? obey_stop(a, e, stop) : obey_start(a, e, set);
    const uint64_t held = a->told_held > e->generation ? a->told_held : e->generation;
    return (struct delegation_ack){
        .home = *home, .asked = asked, .held = held, .status = status, .state = e->state};
}

/* ---- What an actor hears ---- */
static void note_line(struct actor *a, const struct delegation_header *header,
                      const struct delegation_record *record)
{
    must(a->n_lines < ACTOR_HEARD, "too many lines");
    struct line *line = &a->lines[a->n_lines++];
    *line = (struct line){.at_ns = a->cast->lab.now.mono_ns,
                          .datagram = header->sequence,
                          .is_stop = record->type == DELEGATION_RECORD_STOP};
    if (line->is_stop) {
        line->stop = record->stop;
        line->generation = record->stop.generation;
        line->home = record->stop.home;
    } else {
        line->start = record->start;
        line->generation = record->start.generation;
        line->home = record->start.home;
    }
}

static void hear_operations(struct actor *a, const struct delegation_header *header,
                            struct delegation_records *records)
{
    struct delegation_start set[AGENT_CARE_OF_MAX];
    struct delegation_record record;
    struct message m;
    struct writer w = begin(&m);
    while (delegation_next(records, &record)) {
        const bool stop = record.type == DELEGATION_RECORD_STOP;
        must(stop == (header->type == DELEGATION_STOP), "a record in a datagram of another type");
        note_line(a, header, &record);
        if (a->deaf)
            continue;
        if (!stop) {
            must(record.start.index < AGENT_CARE_OF_MAX && record.start.duration_ms > 0, "a bad START");
            set[record.start.index] = record.start;
            if (record.start.index + 1 < record.start.count)
                continue;
        }
        const struct delegation_ack ack = act(a, set, stop ? &record.stop : NULL);
        delegation_ack_encode(&w, &ack);
    }
    must(!records->failed, "malformed records");
    if (a->deaf || a->mute)
        return;
    pack(a, &w, &m, (uint8_t)(header->type + 1), DELEGATION_RESPONSE, header->transaction);
    must(a->n_stash < ACTOR_STASH, "too much withheld");
    if (a->withholds)
        a->stash[a->n_stash++] = m;
    else
        post(a, &m);
}

static void hear_sync(struct actor *a, const struct delegation_header *header)
{
    struct message m;
    struct writer w;
    say(a, DELEGATION_SYNC_ACK, DELEGATION_RESPONSE, header->transaction);
    w = begin(&m);
    const struct delegation_header last = {.type = DELEGATION_SYNC_DATA,
                                           .flags = DELEGATION_LAST,
                                           .spi = KEY_ID,
                                           .epoch = a->epoch,
                                           .peer_epoch = a->primary_epoch,
                                           .sequence = ++a->sent,
                                           .transaction = 1,
                                           .request = (uint16_t)header->transaction,
                                           .node = a->id};
    must(delegation_seal(&w, &last, &a->session_key, a->cast->lab.auth), "delegation_seal");
    m.source = a->address;
    m.destination = primary_address();
    m.len = writer_len(&w);
    post(a, &m);
}

static void agree(struct actor *a, const struct delegation_header *header, const uint8_t *theirs)
{
    struct delegation_end ends[2] = {{.id = header->node, .epoch = header->epoch},
                                     {.id = a->id, .epoch = a->epoch}};
    memcpy(ends[0].nonce, theirs, DELEGATION_NONCE);
    memcpy(ends[1].nonce, a->nonce, DELEGATION_NONCE);
    must(delegation_session_key(&a->key, &ends[0], &ends[1], a->cast->lab.auth, &a->session_key),
         "delegation_session_key");
    a->primary_epoch = header->epoch;
    a->in_session = true;
    a->sent = a->keepalive = a->heard = 0;
    a->floor = 0;
}

static void hear_hello(struct actor *a, const struct delegation_header *header,
                       struct delegation_records *records)
{
    struct delegation_record record;
    must(delegation_next(records, &record) && record.type == DELEGATION_RECORD_HELLO, "no HELLO in it");
    agree(a, header, record.hello.nonce);
    if (header->type == DELEGATION_HELLO)
        greet(a, DELEGATION_HELLO_ACK, record.hello.nonce, header->transaction);
    keepalive(a);
}

static void hear_lease(struct actor *a, struct delegation_records *records)
{
    struct delegation_record record;
    if (!delegation_next(records, &record) || record.type != DELEGATION_RECORD_LEASE)
        return;
    a->heard = record.lease.sequence;
    must(record.lease.floor >= a->floor, "the floor fell within a session");
    a->floor = record.lease.floor;
}

static void hear(struct actor *a, const struct message *m)
{
    struct delegation_header header;
    struct delegation_records records;
    must(delegation_decode(m->bytes, m->len, &header, &records) == DELEGATION_DECODED, "does not decode");
    const bool hello = header.type == DELEGATION_HELLO || header.type == DELEGATION_HELLO_ACK;
    if (a->gone || !delegation_verify(m->bytes, m->len, hello ? &a->key : &a->session_key, a->cast->lab.auth))
        return;
    switch (header.type) {
    case DELEGATION_HELLO:
    case DELEGATION_HELLO_ACK:
        hear_hello(a, &header, &records);
        break;
    case DELEGATION_START:
    case DELEGATION_STOP:
        hear_operations(a, &header, &records);
        break;
    case DELEGATION_SYNC_REQ:
        if (!a->no_sync)
            hear_sync(a, &header);
        break;
    case DELEGATION_KEEPALIVE_ACK:
        hear_lease(a, &records);
        break;
    default:
        break;
    }
}

/* ---- The cast ---- */
static struct actor *actor_at(struct cast *cast, const struct message *m)
{
    for (size_t i = 0; i < cast->n; i++)
        if (m->destination_port == DELEGATION_PORT && addr_equal(&m->destination, &cast->actors[i].address))
            return &cast->actors[i];
    return NULL;
}

/* An actor that hears answers at once, and that may make more effects: so each is copied first. */
void cast_drain(struct cast *cast)
{
    struct lab *lab = &cast->lab;
    const struct effect *e;
    while ((e = agent_pop(lab->agent)) != NULL) {
        if (lab->n_log == lab->log_size) {
            lab->log_size *= 2;
            lab->log = realloc(lab->log, lab->log_size * sizeof(*lab->log));
            must(lab->log != NULL, "realloc");
        }
        lab->log[lab->n_log++] = *e;
        struct actor *actor = e->kind == EFFECT_SEND ? actor_at(cast, &e->send) : NULL;
        if (actor == NULL)
            continue;
        const struct message m = e->send;
        hear(actor, &m);
    }
}

static void advance(struct lab *lab, uint64_t to_ns)
{
    const uint64_t ns = to_ns - lab->now.mono_ns;
    lab->now.mono_ns = to_ns;
    lab->now.ntp += ntp_from_seconds((uint32_t)(ns / NSEC_PER_S)) + ((ns % NSEC_PER_S) << 32) / NSEC_PER_S;
}

static uint64_t next_of(const struct cast *cast)
{
    uint64_t at = agent_deadline(cast->lab.agent);
    for (size_t i = 0; i < cast->n; i++) {
        const struct actor *a = &cast->actors[i];
        if (a->in_session && !a->gone && a->next_keepalive_ns < at)
            at = a->next_keepalive_ns;
    }
    return at;
}

void cast_wait_ms(struct cast *cast, uint64_t ms)
{
    struct lab *lab = &cast->lab;
    const uint64_t end = lab->now.mono_ns + ms * NSEC_PER_MS;
    lab_forget(lab);
    for (uint64_t at; (at = next_of(cast)) <= end;) {
        if (at > lab->now.mono_ns)
            advance(lab, at);
        for (size_t i = 0; i < cast->n; i++) {
            struct actor *a = &cast->actors[i];
            if (a->in_session && !a->gone && a->next_keepalive_ns <= lab->now.mono_ns)
                keepalive(a);
        }
        agent_expire(lab->agent, lab->now, 1);
        cast_drain(cast);
    }
    advance(lab, end);
}

static struct agent_peer config(const struct actor *a, size_t i)
{
    struct agent_peer peer = {
        .address = a->address, .local = primary_address(), .spi = KEY_ID, .key = a->key, .weight = 100};
    snprintf(peer.name, sizeof(peer.name), "sha%zu", i);
    return peer;
}

void cast_sweep(struct cast *cast, unsigned mobiles)
{
    struct agent *agent = cast->lab.agent;
    agent_sweep_begin(agent);
    for (size_t i = 0; i < LAB_MOBILES; i++) {
        const struct addr home = lab_home(i);
        const struct association sa = lab_association(i);
        if ((mobiles & 1u << i) != 0)
            must(agent_mobile_set(agent, &home, &sa, lab_nai(i)) == 0, "agent_mobile_set");
    }
    for (size_t i = 0; i < cast->n; i++) {
        const struct agent_peer peer = config(&cast->actors[i], i);
        must(agent_peer_set(agent, &peer) == 0, "agent_peer_set");
    }
    while (agent_sweep(agent, 100, cast->lab.now))
        continue;
    cast_drain(cast);
}

void cast_configure(struct cast *cast)
{
    must(agent_configure(cast->lab.agent, &cast->lab.settings) == 0, "agent_configure");
}

static void begin_actor(struct cast *cast, size_t i)
{
    struct actor *a = &cast->actors[i];
    *a = (struct actor){.cast = cast,
                        .id = (uint16_t)(10 + i),
                        .address = addr_from_ipv4(0x0a01000au + (uint32_t)i),
                        .epoch = 100 + i,
                        .key = {.len = DELEGATION_KEY, .algorithm = AUTH_HMAC_SHA256}};
    memset(a->key.bytes, (int)i + 1, DELEGATION_KEY);
    memset(a->nonce, (int)i + 7, sizeof(a->nonce));
}

void cast_open(struct cast *cast, size_t n)
{
    cast->n = n;
    lab_open(&cast->lab);
    for (size_t i = 0; i < n; i++)
        begin_actor(cast, i);
    cast->lab.settings.id = 1;
    cast->lab.settings.mac = (struct mac){{2, 0, 0, 0, 0, 1}};
    cast->lab.settings.delegation = delegation_defaults();
    cast_configure(cast);
    cast_sweep(cast, ~0u);
    cast_wait_ms(cast, 3000);
    for (size_t i = 0; i < n; i++)
        must(node_is_eligible(cast_node(cast, i)), "a secondary is not ready");
    lab_forget(&cast->lab);
}

void cast_close(struct cast *cast)
{
    lab_close(&cast->lab);
}

struct node *cast_node(struct cast *cast, size_t which)
{
    char name[AGENT_NAME_MAX];
    snprintf(name, sizeof(name), "sha%zu", which);
    return node_by_name(cast->lab.agent, name);
}

struct mobile *cast_mobile(struct cast *cast, size_t i)
{
    const struct addr home = lab_home(i);
    return mobile_by_home(cast->lab.agent, &home);
}

bool cast_send(struct cast *cast, const struct ask *ask)
{
    struct lab *lab = &cast->lab;
    uint8_t bytes[2048];
    const size_t len = lab_encode(lab, ask, bytes, sizeof(bytes));
    const struct agent_datagram d = {.source = ask->source,
                                     .destination = ask->destination,
                                     .protocol = IPPROTO_NUM_UDP,
                                     .source_port = ask->source_port,
                                     .destination_port = MIP4_PORT,
                                     .source_mac = ask->mac,
                                     .on_home_link = !ask->elsewhere,
                                     .payload = bytes,
                                     .len = len};
    lab_forget(lab);
    agent_input(lab->agent, &d, lab->now);
    cast_drain(cast);
    return cast_replies(cast) > 0;
}

bool cast_register(struct cast *cast, size_t i, uint8_t host)
{
    struct ask ask = lab_ask(&cast->lab, i);
    ask.q.care_of = ask.source = addr_from_ipv4(0xc0000200u + host);
    return cast_send(cast, &ask);
}

size_t cast_replies(const struct cast *cast)
{
    size_t n = 0;
    for (size_t i = 0; i < cast->lab.n_log; i++) {
        const struct effect *e = &cast->lab.log[i];
        n += e->kind == EFFECT_SEND && e->send.source_port == MIP4_PORT;
    }
    return n;
}

size_t cast_announcements(const struct cast *cast, size_t which)
{
    const struct addr home = lab_home(which);
    size_t n = 0;
    for (size_t i = 0; i < cast->lab.n_log; i++) {
        const struct effect *e = &cast->lab.log[i];
        n += e->kind == EFFECT_ANNOUNCE && e->announce.ours && addr_equal(&e->announce.home, &home);
    }
    return n;
}

/* ---- Actors ---- */
void actor_greet(struct actor *a)
{
    a->nonce[0]++;
    greet(a, DELEGATION_HELLO, NULL, 0);
}

void actor_restart(struct actor *a)
{
    a->epoch += 1000;
    a->n_entries = 0;
    a->digest = 0;
    a->n_stash = 0;
    actor_greet(a);
}

void actor_release(struct actor *a)
{
    a->withholds = false;
    for (size_t i = 0; i < a->n_stash; i++)
        post(a, &a->stash[i]);
    a->n_stash = 0;
}

void actor_forget(struct actor *a)
{
    a->n_lines = 0;
}

const struct line *actor_line(const struct actor *a, size_t mobile, size_t nth)
{
    const struct addr home = lab_home(mobile);
    for (size_t i = 0; i < a->n_lines; i++)
        if (addr_equal(&a->lines[i].home, &home) && nth-- == 0)
            return &a->lines[i];
    return NULL;
}

size_t actor_count(const struct actor *a, size_t mobile)
{
    size_t n = 0;
    while (actor_line(a, mobile, n) != NULL)
        n++;
    return n;
}

const struct actor_entry *actor_entry(const struct actor *a, size_t mobile)
{
    const struct addr home = lab_home(mobile);
    for (size_t i = 0; i < a->n_entries; i++)
        if (addr_equal(&a->entries[i].home, &home))
            return &a->entries[i];
    return NULL;
}
