/* SPDX-License-Identifier: BSD-3-Clause */
#include "flock.h"

#include <stdio.h>
#include <stdlib.h>

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "flock: %s\n", what);
    abort();
}

bool flock_primary_works;

/* ---- The script: a secondary's half ---- */
static struct script *script_of(const struct agent *agent)
{
    return (struct script *)agent->role;
}

static struct peer *create(struct agent *agent, const struct agent_peer *is)
{
    (void)agent;
    struct peer *peer = calloc(1, sizeof(*peer));
    must(peer != NULL, "calloc");
    peer->is = *is;
    return peer;
}

static void destroy(struct agent *agent, struct peer *peer)
{
    (void)agent;
    free(peer);
}

static void introduce(struct agent *agent, struct peer *peer, struct delegation_hello *hello)
{
    (void)peer;
    hello->term = script_of(agent)->term;
}

static void introduced(struct agent *agent, struct peer *peer, const struct delegation_hello *hello,
                       struct instant now)
{
    (void)peer;
    (void)now;
    struct script *s = script_of(agent);
    s->term = hello->term > s->term ? hello->term : s->term;
}

static void say_keepalive(struct script *s, struct instant now)
{
    struct packet packet;
    struct delegation_load load = s->load;
    load.heard = s->deaf ? 0 : s->answer;
    packet_begin(&packet, s->agent->peers, DELEGATION_KEEPALIVE, 0);
    delegation_load_encode(&packet.w, &load);
    s->asked = packet_send(s->agent, &packet, now);
    s->due_ns = now.mono_ns + NODE_KEEPALIVE_MS * NSEC_PER_MS;
}

static void began(struct agent *agent, struct peer *peer, bool restarted, bool first, struct instant now)
{
    (void)peer;
    (void)restarted;
    (void)first;
    struct script *s = script_of(agent);
    s->began++;
    s->lease.sequence = s->answer = 0;
    s->requests = s->data_acks = s->buckets = 0;
    s->n_types = 0;
    s->due_ns = now.mono_ns;
}

/* ---- Synchronisation ---- */
static void begin_data(struct script *s, struct packet *packet)
{
    packet_begin(packet, s->agent->peers, DELEGATION_SYNC_DATA, ++s->transaction);
    packet->request = (uint16_t)s->request;
}

static void tell_table(struct script *s, struct instant now)
{
    size_t at = 0;
    do {
        struct packet packet;
        begin_data(s, &packet);
        for (size_t n = 0; n < s->records_max && at < s->n_table; n++)
            delegation_start_encode(&packet.w, &s->table[at++]);
        if (at == s->n_table && !s->never_last)
            packet.flags |= DELEGATION_LAST;
        packet_send(s->agent, &packet, now);
    } while (at < s->n_table);
}

static uint16_t bucket_of(const struct delegation_start *entry)
{
    return delegation_bucket(0, &entry->home);
}

static uint64_t bucket_digest(const struct script *s, uint16_t bucket)
{
    uint64_t digest = 0;
    for (size_t i = 0; i < s->n_table; i++) {
        const struct delegation_start *e = &s->table[i];
        if (bucket_of(e) == bucket && e->flags & START_INTERCEPT)
            digest ^= delegation_entry_digest(0, &e->home, e->generation, &e->care_of, 1);
    }
    return digest;
}

static void tell_bucket(struct script *s, uint16_t bucket, struct packet *packet)
{
    const uint64_t digest = bucket_digest(s, bucket);
    delegation_digest_encode(&packet->w, bucket, 1, &digest);
    for (size_t i = 0; i < s->n_table; i++)
        if (bucket_of(&s->table[i]) == bucket)
            delegation_start_encode(&packet->w, &s->table[i]);
}

static void tell_difference(struct script *s, const struct delegation_digest *theirs, struct instant now)
{
    struct packet packet;
    begin_data(s, &packet);
    packet.flags |= DELEGATION_LAST;
    for (uint16_t i = 0; i < theirs->count; i++) {
        const uint16_t bucket = (uint16_t)(theirs->first + i);
        if (bucket_digest(s, bucket) != delegation_digest_value(theirs, i))
            tell_bucket(s, bucket, &packet);
    }
    packet_send(s->agent, &packet, now);
}

static void synchronise(struct script *s, const struct delegation_header *header,
                        struct delegation_records *records, struct instant now)
{
    struct packet packet;
    struct delegation_record record;
    s->requests++;
    s->request = header->transaction;
    const bool everything = !delegation_next(records, &record);
    if (s->syncs_nothing || (!everything && record.digest.first + record.digest.count > (int)s->syncs_below))
        return;
    packet_begin(&packet, s->agent->peers, DELEGATION_SYNC_ACK, header->transaction);
    packet_send(s->agent, &packet, now);
    if (everything) {
        tell_table(s, now);
        return;
    }
    s->buckets += record.digest.count;
    tell_difference(s, &record.digest, now);
}

/* ---- Operations ---- */
static struct delegation_ack ack_of(const struct delegation_record *r)
{
    struct delegation_ack ack = {.index = r->index, .status = STATUS_OK};
    if (r->type == DELEGATION_RECORD_START) {
        ack.home = r->start.home;
        ack.asked = r->start.generation;
        ack.state = r->start.flags & START_INTERCEPT ? HELD_ACTIVE : HELD_FORWARD_ONLY;
    } else {
        ack.home = r->stop.home;
        ack.asked = r->stop.generation;
        ack.state = r->stop.mode == STOP_DROP ? HELD_TOMBSTONE : HELD_FORWARD_ONLY;
    }
    ack.held = ack.asked;
    return ack;
}

static void operate(struct script *s, const struct delegation_header *header,
                    struct delegation_records *records, struct instant now)
{
    struct packet packet;
    struct delegation_record record;
    const uint8_t type = header->type == DELEGATION_START ? DELEGATION_START_ACK : DELEGATION_STOP_ACK;
    packet_begin(&packet, s->agent->peers, type, header->transaction);
    while (delegation_next(records, &record)) {
        const struct delegation_ack ack = ack_of(&record);
        s->heard[s->n_heard++ % FLOCK_HEARD] = record;
        if (!addr_equal(&ack.home, &s->ignores))
            delegation_ack_encode(&packet.w, &ack);
    }
    if (!s->acks_nothing)
        packet_send(s->agent, &packet, now);
}

/* It arrives at once: the answer is to what was asked last. */
static void take_lease(struct script *s, const struct delegation_header *header,
                       struct delegation_records *records)
{
    struct delegation_record record;
    if (s->misses && header->records > 0)
        return;
    s->answer = s->asked;
    s->acks++;
    while (delegation_next(records, &record)) {
        if (record.type != DELEGATION_RECORD_LEASE)
            continue;
        s->lease = record.lease;
        s->leases++;
    }
}

static void receive(struct agent *agent, struct peer *peer, const struct delegation_header *header,
                    struct delegation_records *records, struct instant now)
{
    (void)peer;
    struct script *s = script_of(agent);
    if (s->n_types < sizeof(s->types))
        s->types[s->n_types++] = header->type;
    s->answered[header->type % 16]++;
    s->data_acks += header->type == DELEGATION_SYNC_ACK;
    if (header->type == DELEGATION_START || header->type == DELEGATION_STOP)
        operate(s, header, records, now);
    else if (header->type == DELEGATION_KEEPALIVE_ACK)
        take_lease(s, header, records);
    else if (header->type == DELEGATION_SYNC_REQ)
        synchronise(s, header, records, now);
}

static bool step(struct agent *agent, struct instant now)
{
    (void)agent;
    (void)now;
    return false;
}

static bool has_work(const struct agent *agent, uint64_t now_ns)
{
    (void)agent;
    (void)now_ns;
    return false;
}

static const struct peer_role scripted = {.hello_role = HELLO_SECONDARY,
                                          .create = create,
                                          .destroy = destroy,
                                          .introduce = introduce,
                                          .introduced = introduced,
                                          .began = began,
                                          .receive = receive,
                                          .step = step,
                                          .has_work = has_work};

/* ---- Opening ---- */
static struct addr address(size_t i)
{
    return addr_from_ipv4(0x0a010001u + (uint32_t)i);
}

static struct auth_key key(size_t i)
{
    struct auth_key k = {.len = DELEGATION_KEY, .algorithm = AUTH_HMAC_SHA256};
    memset(k.bytes, (int)i + 1, DELEGATION_KEY);
    return k;
}

static struct agent_peer config(size_t i, bool of_primary)
{
    struct agent_peer is = {.spi = 300, .key = key(i), .weight = 100};
    is.address = address(of_primary ? 0 : i + 1);
    is.local = address(of_primary ? i + 1 : 0);
    snprintf(is.name, sizeof(is.name), of_primary ? "primary" : "s%zu", i);
    return is;
}

static void start_primary(struct flock *flock)
{
    struct lab *lab = &flock->lab;
    const uint8_t seed[AGENT_SEED] = {1, (uint8_t)++flock->boots};
    lab->agent = agent_create(&lab->settings, seed, lab->now);
    must(lab->agent != NULL, "agent_create");
    lab_populate(lab);
    for (size_t i = 0; i < flock->n_scripts; i++)
        must(agent_peer_set(lab->agent, &flock->scripts[i].self) == 0, "agent_peer_set");
}

void flock_restart(struct flock *flock)
{
    agent_destroy(flock->lab.agent);
    start_primary(flock);
}

static void open_primary(struct flock *flock)
{
    struct lab *lab = &flock->lab;
    lab->now = (struct instant){.mono_ns = 1000 * NSEC_PER_S, .ntp = ntp_from_unix(1700000000, 0)};
    lab->settings = (struct agent_settings){
        .role = AGENT_PRIMARY,
        .id = 1,
        .delegation = delegation_defaults(),
        .home_agents = {ip("10.1.0.1"), ip("10.2.0.1"), ip("2001:db8:1::2")},
        .n_home_agents = 3,
        .home_networks = {{ip("10.1.0.0"), 16}, {ip("10.2.0.0"), 24}, {ip("2001:db8:1::"), 64}},
        .n_home_networks = 3,
        .max_bindings = 1000,
        .max_lifetime_s = LAB_MAX_LIFETIME,
        .max_care_of = 1,
        .timestamp_window_s = 7,
        .encapsulations = 1u << ENCAPSULATION_IPIP | 1u << ENCAPSULATION_IPV6_IN_IPV6,
    };
    lab->settings.delegation.when = WHEN_MANUAL;
    lab->log_size = 16;
    lab->log = malloc(lab->log_size * sizeof(*lab->log));
    lab->auth = auth_create();
    must(lab->log != NULL && lab->auth != NULL, "no memory");
    start_primary(flock);
}

void flock_configure(struct flock *flock, unsigned which)
{
    struct agent *agent = flock->lab.agent;
    agent_sweep_begin(agent);
    lab_populate(&flock->lab);
    for (size_t i = 0; i < flock->n_scripts; i++)
        if (which >> i & 1)
            must(agent_peer_set(agent, &flock->scripts[i].self) == 0, "agent_peer_set");
    while (agent_sweep(agent, 1000, flock->lab.now))
        continue;
    flock_wait_ms(flock, 0);
}

void flock_open(struct flock *flock, size_t n)
{
    *flock = (struct flock){.n_scripts = n};
    for (size_t i = 0; i < n; i++) {
        struct script *s = &flock->scripts[i];
        s->self = config(i, false);
        s->primary = config(i, true);
        s->records_max = 8;
        s->syncs_below = DELEGATION_BUCKETS;
        s->load.state = LOAD_READY;
    }
    open_primary(flock);
}

void flock_close(struct flock *flock)
{
    for (size_t i = 0; i < flock->n_scripts; i++)
        agent_destroy(flock->scripts[i].agent);
    lab_close(&flock->lab);
}

static void start_secondary(struct flock *flock, size_t i)
{
    struct script *s = &flock->scripts[i];
    const struct agent_settings settings = {.role = AGENT_SECONDARY,
                                            .id = (uint16_t)(i + 2),
                                            .delegation = delegation_defaults(),
                                            .home_agents = {address(i + 1)},
                                            .n_home_agents = 1,
                                            .home_networks = {{ip("10.1.0.0"), 16}, {ip("2001:db8:1::"), 64}},
                                            .n_home_networks = 2,
                                            .max_bindings = 1000,
                                            .max_care_of = 1,
                                            .encapsulations =
                                                1u << ENCAPSULATION_IPIP | 1u << ENCAPSULATION_IPV6_IN_IPV6};
    const uint8_t seed[AGENT_SEED] = {(uint8_t)(i + 2), (uint8_t)++s->boots};
    agent_destroy(s->agent);
    s->agent = agent_create(&settings, seed, flock->lab.now);
    must(s->agent != NULL, "agent_create");
    s->due_ns = TIMER_NEVER;
    s->running = true;
}

void flock_boot(struct flock *flock, size_t i)
{
    struct script *s = &flock->scripts[i];
    start_secondary(flock, i);
    s->role = scripted;
    s->agent->role = &s->role;
    must(agent_peer_set(s->agent, &s->primary) == 0, "agent_peer_set");
    flock_greet(flock, i);
}

void flock_boot_real(struct flock *flock, size_t i)
{
    struct script *s = &flock->scripts[i];
    start_secondary(flock, i);
    s->real = true;
    s->primary.prefixes[0] = (struct prefix){ip("10.1.0.0"), 16};
    s->primary.prefixes[1] = (struct prefix){ip("2001:db8:1::"), 64};
    s->primary.n_prefixes = 2;
    must(agent_peer_set(s->agent, &s->primary) == 0, "agent_peer_set");
}

/* ---- The wire ---- */
static void send(struct flock *flock, const struct effect *e)
{
    if (e->kind != EFFECT_SEND || e->send.destination_port != DELEGATION_PORT)
        return;
    must(flock->n_wire < FLOCK_WIRE, "too much on the wire");
    flock->wire[flock->n_wire++] = e->send;
}

static void notice(struct flock *flock, const struct effect *e)
{
    send(flock, e);
    if (e->kind == EFFECT_NOTE)
        flock->notes[e->note.kind]++;
    for (size_t i = 0; e->kind == EFFECT_ANNOUNCE && i < LAB_MOBILES; i++) {
        const struct addr home = lab_home(i);
        flock->announced[i] += addr_equal(&home, &e->announce.home);
    }
}

static void collect(struct flock *flock)
{
    const struct effect *e;
    while ((e = agent_pop(flock->lab.agent)) != NULL)
        notice(flock, e);
    for (size_t i = 0; i < flock->n_scripts; i++)
        while (flock->scripts[i].running && (e = agent_pop(flock->scripts[i].agent)) != NULL)
            send(flock, e);
}

static void deliver(struct flock *flock, const struct message *m)
{
    const struct addr primary = address(0);
    const struct agent_datagram d = {.source = m->source,
                                     .destination = m->destination,
                                     .protocol = IPPROTO_NUM_UDP,
                                     .source_port = m->source_port,
                                     .destination_port = m->destination_port,
                                     .on_home_link = true,
                                     .payload = m->bytes,
                                     .len = m->len};
    const uint32_t to = addr_ipv4(&m->destination) - addr_ipv4(&primary);
    if (to == 0) {
        flock_primary_works = true;
        agent_input(flock->lab.agent, &d, flock->lab.now);
        flock_primary_works = false;
    } else if (flock->scripts[to - 1].running && !flock->scripts[to - 1].lost) {
        agent_input(flock->scripts[to - 1].agent, &d, flock->lab.now);
    }
}

static void pump(struct flock *flock)
{
    for (collect(flock); flock->n_wire > 0; collect(flock)) {
        const struct message m = flock->wire[0];
        flock->n_wire--;
        memmove(flock->wire, flock->wire + 1, flock->n_wire * sizeof(flock->wire[0]));
        deliver(flock, &m);
    }
}

/* ---- Time ---- */
static bool sends_keepalives(const struct script *s)
{
    return s->running && !s->real && !s->silent && peer_in_session(s->agent->peers);
}

static uint64_t next_of(const struct script *s)
{
    if (s->running && s->real)
        return agent_deadline(s->agent);
    return sends_keepalives(s) ? s->due_ns : TIMER_NEVER;
}

static uint64_t next_due(const struct flock *flock)
{
    uint64_t at = agent_deadline(flock->lab.agent);
    for (size_t i = 0; i < flock->n_scripts; i++) {
        const uint64_t next = next_of(&flock->scripts[i]);
        at = next < at ? next : at;
    }
    return at;
}

static void serve(struct flock *flock)
{
    for (size_t i = 0; i < flock->n_scripts; i++) {
        struct script *s = &flock->scripts[i];
        if (s->running && s->real)
            agent_expire(s->agent, flock->lab.now, 100);
        if (!sends_keepalives(s) || s->due_ns > flock->lab.now.mono_ns)
            continue;
        must(effects_reserve(&s->agent->effects), "effects_reserve");
        say_keepalive(s, flock->lab.now);
    }
}

static void advance(struct instant *now, uint64_t to_ns)
{
    if (to_ns <= now->mono_ns)
        return;
    now->ntp += (uint64_t)((double)(to_ns - now->mono_ns) * 4.294967296); /* 2^32 a second */
    now->mono_ns = to_ns;
}

void flock_wait_ms(struct flock *flock, uint64_t ms)
{
    const uint64_t end = flock->lab.now.mono_ns + ms * NSEC_PER_MS;
    pump(flock);
    for (uint64_t at = next_due(flock); at <= end; at = next_due(flock)) {
        advance(&flock->lab.now, at);
        flock_primary_works = true;
        agent_expire(flock->lab.agent, flock->lab.now, 100);
        flock_primary_works = false;
        serve(flock);
        pump(flock);
    }
    advance(&flock->lab.now, end);
}

/* ---- What tests do ---- */
void flock_register(struct flock *flock, size_t i)
{
    pump(flock);
    struct ask ask = lab_ask(&flock->lab, i);
    must(lab_send(&flock->lab, &ask).sent, "no reply");
    for (size_t n = 0; n < flock->lab.n_log; n++)
        notice(flock, &flock->lab.log[n]);
    pump(flock);
}

void flock_say(struct flock *flock, size_t i, struct packet *packet)
{
    struct script *s = &flock->scripts[i];
    must(effects_reserve(&s->agent->effects), "effects_reserve");
    must(packet_send(s->agent, packet, flock->lab.now) != 0, "packet_send");
    pump(flock);
}

void flock_keepalive(struct flock *flock, size_t i)
{
    must(effects_reserve(&flock->scripts[i].agent->effects), "effects_reserve");
    say_keepalive(&flock->scripts[i], flock->lab.now);
    pump(flock);
}

void flock_greet(struct flock *flock, size_t i)
{
    struct script *s = &flock->scripts[i];
    must(effects_reserve(&s->agent->effects), "effects_reserve");
    peer_greet(s->agent, s->agent->peers, flock->lab.now);
    pump(flock);
}

struct node *flock_node(const struct flock *flock, size_t i)
{
    return node_by_name(flock->lab.agent, flock->scripts[i].self.name);
}

struct mobile *flock_mobile(const struct flock *flock, size_t i)
{
    const struct addr home = lab_home(i);
    return mobile_by_home(flock->lab.agent, &home);
}

struct delegation_start *flock_hold(struct flock *flock, size_t s, size_t i, uint64_t generation,
                                    uint8_t flags)
{
    struct script *script = &flock->scripts[s];
    must(script->n_table < FLOCK_TABLE, "table full");
    struct delegation_start *e = &script->table[script->n_table++];
    *e = (struct delegation_start){.flags = flags,
                                   .home = lab_home(i),
                                   .care_of = lab_care_of(i),
                                   .source = address(0),
                                   .generation = generation,
                                   .duration_ms = 200000,
                                   .encapsulation = ENCAPSULATION_IPIP,
                                   .count = 1};
    return e;
}

const struct delegation_record *flock_heard(const struct flock *flock, size_t s, const struct addr *home)
{
    const struct script *script = &flock->scripts[s];
    const size_t oldest = script->n_heard > FLOCK_HEARD ? script->n_heard - FLOCK_HEARD : 0;
    for (size_t n = script->n_heard; n-- > oldest;) {
        const struct delegation_record *r = &script->heard[n % FLOCK_HEARD];
        if (addr_equal(r->type == DELEGATION_RECORD_START ? &r->start.home : &r->stop.home, home))
            return r;
    }
    return NULL;
}
