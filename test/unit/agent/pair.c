/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "pair: %s\n", what);
    abort();
}

/* ---- The half ---- */
static struct end *end_of(const struct agent *agent)
{
    return (struct end *)agent->role;
}

static struct peer *create(struct agent *agent, const struct agent_peer *is)
{
    (void)agent;
    struct peer *peer = calloc(1, sizeof(*peer));
    must(peer != NULL, "calloc");
    peer->is = *is;
    if (agent->role->hello_role == HELLO_PRIMARY)
        peer->id_slot = PAIR_SLOT;
    return peer;
}

static void destroy(struct agent *agent, struct peer *peer)
{
    struct end *end = end_of(agent);
    end->told.destroyed++;
    if (end->peer == peer)
        end->peer = NULL;
    free(peer);
}

static void reconfigured(struct agent *agent, struct peer *peer, struct instant now)
{
    (void)peer;
    (void)now;
    end_of(agent)->told.reconfigured++;
}

static bool dismissed(struct agent *agent, struct peer *peer, struct instant now)
{
    (void)peer;
    (void)now;
    end_of(agent)->told.dismissed++;
    return !end_of(agent)->clings;
}

static void introduce(struct agent *agent, struct peer *peer, struct delegation_hello *hello)
{
    hello->term = PAIR_TERM + (agent->role->hello_role == HELLO_SECONDARY);
    hello->ip_id_slot = peer->id_slot;
}

static void introduced(struct agent *agent, struct peer *peer, const struct delegation_hello *hello,
                       struct instant now)
{
    (void)peer;
    (void)now;
    end_of(agent)->told.introduced++;
    end_of(agent)->told.term = hello->term;
}

static uint64_t say(struct agent *agent, struct peer *peer, uint8_t type, uint32_t transaction,
                    struct instant now)
{
    struct packet packet;
    packet_begin(&packet, peer, type, transaction);
    return packet_send(agent, &packet, now);
}

static void began(struct agent *agent, struct peer *peer, bool restarted, bool first, struct instant now)
{
    struct told *told = &end_of(agent)->told;
    told->began++;
    told->restarted = restarted;
    told->first = first;
    if (first)
        must(say(agent, peer, DELEGATION_KEEPALIVE, 0, now) == 1, "the first datagram");
}

static void receive(struct agent *agent, struct peer *peer, const struct delegation_header *header,
                    struct delegation_records *records, struct instant now)
{
    struct end *end = end_of(agent);
    struct delegation_record record;
    while (delegation_next(records, &record)) {
    }
    end->told.received++;
    if (end->heard != NULL && !is_response(header->type) && header->transaction < PAIR_HEARD)
        end->heard[header->transaction]++;
    end->told.header = *header;
    if (!is_response(header->type) && !end->mute)
        say(agent, peer, (uint8_t)(header->type + 1), header->transaction, now);
    if (end->lets_go_at)
        peer_release(agent, peer);
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

/* ---- Ends ---- */
struct auth_key pair_key(uint8_t which)
{
    struct auth_key key = {.len = DELEGATION_KEY, .algorithm = AUTH_HMAC_SHA256};
    memset(key.bytes, which, DELEGATION_KEY);
    return key;
}

static struct addr address(int which)
{
    return addr_from_ipv4(0x0a010001u + (uint32_t)which);
}

struct agent_peer pair_config(int whom)
{
    return (struct agent_peer){.name = "other",
                               .address = address(whom),
                               .local = address(!whom),
                               .spi = 300,
                               .key = pair_key(1),
                               .weight = 100};
}

/* Both are made as secondaries, lest a primary's policy comes upon peers that are no nodes of its own. */
static void boot(struct pair *pair, int which)
{
    struct end *end = &pair->ends[which];
    struct agent_settings settings = {.role = AGENT_SECONDARY,
                                      .id = (uint16_t)(which + 1),
                                      .mac = {{2, 0, 0, 0, 0, (uint8_t)(which + 1)}},
                                      .delegation = delegation_defaults(),
                                      .home_agents = {address(which)},
                                      .n_home_agents = 1,
                                      .max_bindings = 16};
    const uint8_t seed[AGENT_SEED] = {(uint8_t)(which + 1), (uint8_t)++end->boots};
    end->role = (struct peer_role){.hello_role = which == PRIMARY ? HELLO_PRIMARY : HELLO_SECONDARY,
                                   .create = create,
                                   .destroy = destroy,
                                   .reconfigured = reconfigured,
                                   .dismissed = dismissed,
                                   .introduce = introduce,
                                   .introduced = introduced,
                                   .began = began,
                                   .receive = receive,
                                   .step = step,
                                   .has_work = has_work};
    end->agent = agent_create(&settings, seed, pair->now);
    must(end->agent != NULL, "agent_create");
    end->agent->role = &end->role;
    must(agent_peer_set(end->agent, &end->other) == 0, "agent_peer_set");
    end->peer = end->agent->peers;
    greeting_stop(end->agent, end->peer); /* the test says who greets, and when */
    while (agent_pop(end->agent) != NULL) {
    }
    agent_counters_clear(end->agent);
}

void pair_open(struct pair *pair)
{
    *pair = (struct pair){.now = {.mono_ns = 1000 * NSEC_PER_S, .ntp = ntp_from_unix(1700000000, 0)}};
    for (int i = 0; i < 2; i++) {
        pair->ends[i].other = pair_config(!i);
        boot(pair, i);
    }
}

void pair_close(struct pair *pair)
{
    for (int i = 0; i < 2; i++)
        agent_destroy(pair->ends[i].agent);
}

void pair_restart(struct pair *pair, int which)
{
    agent_destroy(pair->ends[which].agent);
    pair->ends[which].told = (struct told){0};
    boot(pair, which);
}

uint64_t pair_counter(const struct pair *pair, int which, enum agent_counter c)
{
    return agent_counters(pair->ends[which].agent)->n[c];
}

/* ---- The wire ---- */
void pair_collect(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        const struct effect *e;
        while ((e = agent_pop(pair->ends[i].agent)) != NULL) {
            if (e->kind != EFFECT_SEND || pair->cut)
                continue;
            must(pair->n_wire < PAIR_WIRE, "too much on the wire");
            pair->wire[pair->n_wire++] = e->send;
        }
    }
}

void pair_deliver(struct pair *pair, const struct message *m)
{
    const struct addr *primary = &pair->ends[PRIMARY].other.local;
    const struct agent_datagram d = {.source = m->source,
                                     .destination = m->destination,
                                     .protocol = m->protocol,
                                     .source_port = m->source_port,
                                     .destination_port = m->destination_port,
                                     .on_home_link = true,
                                     .payload = m->bytes,
                                     .len = m->len};
    agent_input(pair->ends[addr_equal(&m->destination, primary) ? PRIMARY : SECONDARY].agent, &d, pair->now);
}

struct message pair_take(struct pair *pair)
{
    must(pair->n_wire > 0, "nothing is under way");
    const struct message m = pair->wire[0];
    pair->n_wire--;
    memmove(pair->wire, pair->wire + 1, pair->n_wire * sizeof(pair->wire[0]));
    return m;
}

void pair_pump(struct pair *pair)
{
    for (pair_collect(pair); pair->n_wire > 0; pair_collect(pair)) {
        const struct message m = pair_take(pair);
        pair_deliver(pair, &m);
    }
}

void pair_wait(struct pair *pair, uint64_t ns)
{
    const uint64_t end = pair->now.mono_ns + ns;
    pair_pump(pair);
    for (;;) {
        uint64_t at = TIMER_NEVER;
        for (int i = 0; i < 2; i++) {
            const uint64_t next = agent_deadline(pair->ends[i].agent);
            at = next < at ? next : at;
        }
        if (at > end)
            break;
        pair->now.mono_ns = at > pair->now.mono_ns ? at : pair->now.mono_ns;
        for (int i = 0; i < 2; i++)
            agent_expire(pair->ends[i].agent, pair->now, 100);
        pair_pump(pair);
    }
    pair->now.mono_ns = end;
}

/* ---- Sessions ---- */
void pair_meet(struct pair *pair, int greeter)
{
    peer_greet(pair->ends[greeter].agent, pair->ends[greeter].peer, pair->now);
    pair_pump(pair);
    must(pair_works(pair), "no session");
}

uint64_t pair_say_as(struct pair *pair, int which, uint8_t type, uint32_t transaction)
{
    struct end *end = &pair->ends[which];
    must(effects_reserve(&end->agent->effects), "effects_reserve");
    const uint64_t sequence = say(end->agent, end->peer, type, transaction, pair->now);
    pair_collect(pair);
    return sequence;
}

uint64_t pair_say(struct pair *pair, int which, uint8_t type)
{
    return pair_say_as(pair, which, type, 0);
}

static bool passes(struct pair *pair, int from)
{
    const unsigned before = pair->ends[!from].told.received;
    if (pair_say(pair, from, DELEGATION_KEEPALIVE) == 0)
        return false;
    pair_pump(pair);
    return pair->ends[!from].told.received > before;
}

bool pair_works(struct pair *pair)
{
    return passes(pair, PRIMARY) && passes(pair, SECONDARY);
}
