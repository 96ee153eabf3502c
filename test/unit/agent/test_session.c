/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair_check.h"

#include <stdio.h>

static void greet(struct end *end)
{
    peer_greet(end->agent, end->peer, pair.now);
    pair_collect(&pair);
}

/* ---- Agreement ---- */
static void in_one_session(void)
{
    ck_assert(peer_in_session(primary->peer));
    ck_assert(peer_in_session(secondary->peer));
    ck_assert_mem_eq(&primary->peer->session.key, &secondary->peer->session.key, sizeof(struct auth_key));
    ck_assert(!timer_is_set(&primary->peer->greeting));
    ck_assert(!timer_is_set(&secondary->peer->greeting));
    ck_assert(pair_works(&pair));
}

START_TEST(handshake)
{
    struct end *greeter = &pair.ends[_i], *other = &pair.ends[!_i];
    greet(greeter);
    ck_assert_uint_eq(pair.n_wire, 1);
    ck_assert_uint_eq(pair.wire[0].source_port, DELEGATION_PORT);
    ck_assert_uint_eq(pair.wire[0].destination_port, DELEGATION_PORT);
    pair_pump(&pair);
    in_one_session();
    ck_assert(greeter->told.first);
    ck_assert(!other->told.first);
    for (int i = 0; i < 2; i++) {
        const struct peer *peer = pair.ends[i].peer;
        const struct mac theirs = {{2, 0, 0, 0, 0, (uint8_t)(2 - i)}};
        ck_assert_uint_eq(pair.ends[i].told.began, 1);
        ck_assert_uint_eq(pair.ends[i].told.introduced, 1);
        ck_assert(pair.ends[i].told.restarted);
        ck_assert_uint_eq(pair.ends[i].told.term, PAIR_TERM + !i);
        ck_assert_uint_eq(peer->id, 2 - i);
        ck_assert(mac_equal(&peer->mac, &theirs));
        ck_assert_uint_eq(peer->payload_max, DELEGATION_MAX);
        ck_assert_uint_eq(peer->id_slot, PAIR_SLOT);
        ck_assert_uint_eq(pair_counter(&pair, i, AGENT_SESSIONS), 1);
    }
}
END_TEST

START_TEST(both_greet_at_once)
{
    greet(primary);
    greet(secondary);
    ck_assert_uint_eq(pair.n_wire, 2);
    pair_pump(&pair);
    in_one_session();
    ck_assert_uint_eq(primary->told.began, 1);
    ck_assert_uint_eq(secondary->told.began, 1);
}
END_TEST

/* The nth datagram of the handshake is lost: HELLO, HELLO_ACK, the first of the session. */
START_TEST(one_is_lost)
{
    greet(secondary);
    for (int i = 0; i < _i; i++) {
        const struct message m = pair_take(&pair);
        pair_deliver(&pair, &m);
        pair_collect(&pair);
    }
    pair_take(&pair);
    if (_i == 2) { /* the greeter is in session and says more */
        ck_assert(peer_in_session(secondary->peer));
        ck_assert(!peer_in_session(primary->peer));
        pair_say(&pair, SECONDARY, DELEGATION_KEEPALIVE);
        pair_pump(&pair);
    }
    pair_wait(&pair, 1200 * NSEC_PER_MS);
    in_one_session();
    ck_assert_uint_eq(secondary->told.began, 1);
}
END_TEST

START_TEST(greets_each_second)
{
    pair.cut = true;
    greet(primary);
    pair_wait(&pair, 10 * NSEC_PER_S);
    const uint64_t sent = pair_counter(&pair, PRIMARY, AGENT_PEER_SENT);
    ck_assert_uint_ge(sent, 10);
    ck_assert_uint_le(sent, 11);
    peer_greet(primary->agent, primary->peer, pair.now); /* it does already */
    ck_assert_uint_eq(pair_counter(&pair, PRIMARY, AGENT_PEER_SENT), sent);
}
END_TEST

START_TEST(greets_no_more)
{
    pair.cut = true;
    greet(primary);
    peer_end_session(primary->agent, primary->peer);
    ck_assert(agent_deadline(primary->agent) == TIMER_NEVER);
    greet(primary); /* at once */
    ck_assert_uint_eq(pair_counter(&pair, PRIMARY, AGENT_PEER_SENT), 2);
}
END_TEST

/* The session in use stays until a datagram verifies under the new key. */
START_TEST(old_session_stays)
{
    pair_meet(&pair, PRIMARY);
    const struct auth_key old = primary->peer->session.key;
    greet(secondary);
    const struct message hello = pair_take(&pair);
    pair_deliver(&pair, &hello);
    pair_collect(&pair);
    const struct message ack = pair_take(&pair);
    ck_assert_mem_eq(&primary->peer->session.key, &old, sizeof(old));
    ck_assert(pair_works(&pair));
    pair_deliver(&pair, &ack);
    pair_pump(&pair);
    ck_assert_mem_ne(&primary->peer->session.key, &old, sizeof(old));
    in_one_session();
    ck_assert(!primary->told.restarted); /* the same boot of it */
    ck_assert(!secondary->told.restarted);
}
END_TEST

START_TEST(restart)
{
    pair_meet(&pair, PRIMARY);
    pair_restart(&pair, _i);
    greet(&pair.ends[_i]);
    pair_pump(&pair);
    in_one_session();
    ck_assert(pair.ends[!_i].told.restarted);
    ck_assert_uint_eq(pair.ends[!_i].told.began, 2);
}
END_TEST

/* The same boot of the peer is known as such, though the session with it was ended. */
START_TEST(known_after_an_end)
{
    pair_meet(&pair, PRIMARY);
    peer_end_session(primary->agent, primary->peer);
    ck_assert(!peer_in_session(primary->peer));
    ck_assert_uint_eq(pair_say(&pair, PRIMARY, DELEGATION_KEEPALIVE), 0);
    greet(primary);
    pair_pump(&pair);
    in_one_session();
    ck_assert(!primary->told.restarted);
}
END_TEST

START_TEST(small_payload)
{
    pair.ends[_i].peer->small_payload = true;
    pair_meet(&pair, PRIMARY);
    for (int i = 0; i < 2; i++) {
        struct packet packet;
        ck_assert_uint_eq(pair.ends[i].peer->payload_max, PEER_SMALL_PAYLOAD);
        packet_begin(&packet, pair.ends[i].peer, DELEGATION_START, 1);
        const size_t room = PEER_SMALL_PAYLOAD - DELEGATION_HEADER - DELEGATION_AUTHENTICATOR;
        ck_assert(packet_has_room(&packet, room));
        ck_assert(!packet_has_room(&packet, room + 1));
        /* but what cannot be divided is sent */
        for (int n = 0; n < DELEGATION_CARE_OF_MAX; n++)
            delegation_start_encode(&packet.w, &(struct delegation_start){.duration_ms = 1});
        ck_assert(!packet_has_room(&packet, 0));
        ck_assert_uint_gt(packet_send(pair.ends[i].agent, &packet, pair.now), 0);
    }
}
END_TEST

/* ---- Suspicion ---- */
/* What is left of everything but counters and notes. */
struct state {
    struct peer peer;
    struct told told;
    uint64_t random, secrets, sent;
};

static struct state state_of(int which)
{
    const struct end *end = &pair.ends[which];
    struct state s;
    memset(&s, 0, sizeof(s));
    memcpy(&s.peer, end->peer, sizeof(s.peer));
    s.told = end->told;
    s.random = end->agent->random;
    s.secrets = end->agent->secrets_made;
    s.sent = pair_counter(&pair, which, AGENT_PEER_SENT);
    return s;
}

static void changed_nothing(int which, const struct state *before, const char *what)
{
    const struct state after = state_of(which);
    ck_assert_msg(memcmp(&before->peer, &after.peer, sizeof(after.peer)) == 0, "%s changed the peer", what);
    ck_assert_msg(memcmp(&before->told, &after.told, sizeof(after.told)) == 0, "%s told the half", what);
    ck_assert_msg(before->random == after.random && before->secrets == after.secrets, "%s used up chance",
                  what);
    ck_assert_msg(before->sent == after.sent, "%s was answered", what);
}

static void discarded(const struct message *m, int which, enum agent_counter why, const char *what)
{
    const struct state before = state_of(which);
    const uint64_t n = pair_counter(&pair, which, why);
    pair_deliver(&pair, m);
    changed_nothing(which, &before, what);
    ck_assert_msg(pair_counter(&pair, which, why) == n + 1, "%s: not counted as %s", what,
                  agent_counter_text(why));
}

/* Not delivered yet: a HELLO, a HELLO_ACK, or one of the session, by type; from the primary. */
static struct message one_of(uint8_t type)
{
    if (type == DELEGATION_HELLO) {
        greet(primary);
    } else if (type == DELEGATION_HELLO_ACK) {
        greet(secondary);
        const struct message hello = pair_take(&pair);
        pair_deliver(&pair, &hello);
        pair_collect(&pair);
    } else {
        pair_meet(&pair, PRIMARY);
        struct packet packet;
        packet_begin(&packet, primary->peer, type, 77);
        delegation_stop_encode(&packet.w, &(struct delegation_stop){.generation = 9});
        ck_assert_uint_gt(packet_send(primary->agent, &packet, pair.now), 0);
        pair_collect(&pair);
    }
    return pair_take(&pair);
}

START_TEST(flipped_bits)
{
    secondary->mute = true;
    const uint8_t type = (uint8_t)_i;
    const struct message good = one_of(type);
    const struct state before = state_of(SECONDARY);
    for (size_t bit = 0; bit < 8 * good.len; bit++) {
        struct message bad = good;
        char what[64];
        snprintf(what, sizeof(what), "type %u with bit %zu flipped", type, bit);
        bad.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        pair_deliver(&pair, &bad);
        changed_nothing(SECONDARY, &before, what);
    }
    for (size_t len = 0; len < good.len; len++) {
        struct message bad = good;
        bad.len = len;
        pair_deliver(&pair, &bad);
        changed_nothing(SECONDARY, &before, "a piece");
    }
    pair_deliver(&pair, &good);
    const struct state after = state_of(SECONDARY);
    ck_assert_mem_ne(&before.peer, &after.peer, sizeof(after.peer));
}
END_TEST

START_TEST(reflected)
{
    struct message m = one_of((uint8_t)_i);
    const struct addr from = m.source;
    m.source = m.destination;
    m.destination = from;
    discarded(&m, PRIMARY, AGENT_PEER_REFLECTED, "a reflected datagram");
}
END_TEST

static void wrong_source(struct message *m)
{
    m->source.b[15] = 99;
}
static void wrong_destination(struct message *m)
{
    secondary->peer->is.local.b[15] = 99;
    (void)m;
}
static void wrong_key(struct message *m)
{
    (void)m;
    secondary->peer->is.key = pair_key(9);
    secondary->peer->session.key = pair_key(9);
}
static void wrong_spi(struct message *m)
{
    (void)m;
    secondary->peer->is.spi = 555;
    secondary->peer->session.spi = 555;
}
static void no_spi(struct message *m)
{
    memset(m->bytes + 12, 0, 4);
}
static void wrong_own_epoch(struct message *m)
{
    (void)m;
    secondary->agent->epoch += 2;
}
static void wrong_peer_epoch(struct message *m)
{
    (void)m;
    secondary->peer->session.peer_epoch += 2;
}
static void wrong_nonce(struct message *m)
{
    (void)m;
    secondary->peer->nonce[3] ^= 1;
}
static void wrong_role(struct message *m)
{
    (void)m;
    secondary->role.hello_role = HELLO_PRIMARY;
}

static const struct {
    const char *what;
    uint8_t type;
    void (*spoil)(struct message *m);
    enum agent_counter why;
} suspicions[] = {
    {"HELLO from a stranger", DELEGATION_HELLO, wrong_source, AGENT_PEER_UNKNOWN},
    {"START from a stranger", DELEGATION_START, wrong_source, AGENT_PEER_UNKNOWN},
    {"HELLO to another address of ours", DELEGATION_HELLO, wrong_destination, AGENT_PEER_UNKNOWN},
    {"HELLO under another key", DELEGATION_HELLO, wrong_key, AGENT_PEER_FORGED},
    {"HELLO_ACK under another key", DELEGATION_HELLO_ACK, wrong_key, AGENT_PEER_FORGED},
    {"START under another key", DELEGATION_START, wrong_key, AGENT_PEER_FORGED},
    {"HELLO naming no key", DELEGATION_HELLO, wrong_spi, AGENT_PEER_UNKNOWN_SPI},
    {"START naming no key", DELEGATION_START, wrong_spi, AGENT_PEER_UNKNOWN_SPI},
    {"HELLO naming the other key where there is none", DELEGATION_HELLO, no_spi, AGENT_PEER_UNKNOWN_SPI},
    {"START to our former boot", DELEGATION_START, wrong_own_epoch, AGENT_PEER_WRONG_EPOCH},
    {"HELLO_ACK to our former boot", DELEGATION_HELLO_ACK, wrong_own_epoch, AGENT_PEER_WRONG_EPOCH},
    {"START of the peer's former boot", DELEGATION_START, wrong_peer_epoch, AGENT_PEER_WRONG_EPOCH},
    {"HELLO_ACK to another nonce", DELEGATION_HELLO_ACK, wrong_nonce, AGENT_PEER_WRONG_NONCE},
    {"HELLO of our own role", DELEGATION_HELLO, wrong_role, AGENT_PEER_UNEXPECTED},
    {"HELLO_ACK of our own role", DELEGATION_HELLO_ACK, wrong_role, AGENT_PEER_UNEXPECTED},
};

START_TEST(suspicion)
{
    struct message m = one_of(suspicions[_i].type);
    suspicions[_i].spoil(&m);
    discarded(&m, SECONDARY, suspicions[_i].why, suspicions[_i].what);
    bool noted = false;
    const struct effect *e;
    while ((e = agent_pop(secondary->agent)) != NULL)
        noted |= e->kind == EFFECT_NOTE && e->note.kind == NOTE_PEER_SUSPICIOUS;
    ck_assert(noted);
}
END_TEST

/* A HELLO as the primary would send it, but for what is wrong with it. */
static struct message hello_with(struct delegation_hello hello)
{
    struct message m = one_of(DELEGATION_HELLO);
    uint8_t bytes[DELEGATION_MAX];
    struct writer w = writer_over(bytes, sizeof(bytes));
    const struct delegation_header header = {
        .type = DELEGATION_HELLO, .spi = 300, .epoch = primary->agent->epoch, .node = 1};
    delegation_begin(&w);
    delegation_hello_encode(&w, &hello);
    const struct auth_key key = pair_key(1);
    ck_assert(delegation_seal(&w, &header, &key, primary->agent->auth));
    m.len = writer_len(&w);
    memcpy(m.bytes, bytes, m.len);
    return m;
}

static const struct {
    const char *what;
    struct delegation_hello hello;
    enum agent_counter why;
} hellos[] = {
    {"good",
     {.role = HELLO_PRIMARY, .lowest_version = 1, .highest_version = 1, .payload_max = 1400},
     AGENT_PEER_RECEIVED},
    {"of a later version too",
     {.role = HELLO_PRIMARY, .lowest_version = 1, .highest_version = 9, .payload_max = 60000},
     AGENT_PEER_RECEIVED},
    {"of a later version only",
     {.role = HELLO_PRIMARY, .lowest_version = 2, .highest_version = 9, .payload_max = 1400},
     AGENT_PEER_BAD_VERSION},
    {"of an earlier version only",
     {.role = HELLO_PRIMARY, .lowest_version = 0, .highest_version = 0, .payload_max = 1400},
     AGENT_PEER_BAD_VERSION},
    {"of a secondary",
     {.role = HELLO_SECONDARY, .lowest_version = 1, .highest_version = 1, .payload_max = 1400},
     AGENT_PEER_UNEXPECTED},
    {"of no room",
     {.role = HELLO_PRIMARY, .lowest_version = 1, .highest_version = 1, .payload_max = 599},
     AGENT_PEER_MALFORMED},
    {"of a slot beyond",
     {.role = HELLO_PRIMARY,
      .lowest_version = 1,
      .highest_version = 1,
      .payload_max = 1400,
      .ip_id_slot = 64},
     AGENT_PEER_MALFORMED},
};

START_TEST(hello_contents)
{
    const struct message m = hello_with(hellos[_i].hello);
    if (hellos[_i].why != AGENT_PEER_RECEIVED) {
        discarded(&m, SECONDARY, hellos[_i].why, hellos[_i].what);
        return;
    }
    pair_deliver(&pair, &m);
    ck_assert(secondary->peer->candidates[0].live);
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_SENT), 1);
}
END_TEST

/* An authentic one whose type and response flag disagree. */
START_TEST(flag_of_a_response)
{
    pair_meet(&pair, PRIMARY);
    struct packet packet;
    packet_begin(&packet, primary->peer, DELEGATION_START_ACK, 1);
    packet.flags = 0;
    ck_assert_uint_gt(packet_send(primary->agent, &packet, pair.now), 0);
    pair_collect(&pair);
    const unsigned before = secondary->told.received;
    pair_pump(&pair);
    ck_assert_uint_eq(secondary->told.received, before);
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_MALFORMED), 1);
}
END_TEST

/* ---- Replays ---- */
START_TEST(replayed_datagrams)
{
    greet(primary);
    const struct message hello = pair_take(&pair);
    pair_deliver(&pair, &hello);
    pair_collect(&pair);
    const struct message ack = pair_take(&pair);
    pair_deliver(&pair, &ack);
    pair_collect(&pair);
    const struct message first = pair_take(&pair);
    pair_deliver(&pair, &first);
    pair_pump(&pair);
    in_one_session();
    const struct session before = secondary->peer->session;

    discarded(&ack, PRIMARY, AGENT_PEER_WRONG_NONCE, "HELLO_ACK again");
    discarded(&first, SECONDARY, AGENT_PEER_REPLAYED, "a datagram again");
    /* The HELLO costs an answer and makes a candidate, and nothing else. */
    const struct told told = secondary->told;
    const uint64_t sent = pair_counter(&pair, SECONDARY, AGENT_PEER_SENT);
    pair_deliver(&pair, &hello);
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_SENT), sent + 1);
    ck_assert(secondary->peer->candidates[0].live);
    ck_assert_mem_eq(&secondary->peer->session, &before, sizeof(before));
    ck_assert_mem_eq(&secondary->told, &told, sizeof(told));
    discarded(&hello, SECONDARY, AGENT_PEER_REPLAYED, "HELLO at once again");
    /* That candidate is another session than the one that began with the first datagram. */
    discarded(&first, SECONDARY, AGENT_PEER_REPLAYED, "a datagram again behind its HELLO");
    pair_pump(&pair);
    ck_assert_mem_eq(&secondary->peer->session, &before, sizeof(before));
    in_one_session();
}
END_TEST

/* A candidate of which the session was ended does not come back. */
START_TEST(nothing_comes_back)
{
    greet(primary);
    const struct message hello = pair_take(&pair);
    pair_deliver(&pair, &hello);
    pair_collect(&pair);
    const struct message ack = pair_take(&pair);
    pair_deliver(&pair, &ack);
    pair_collect(&pair);
    const struct message first = pair_take(&pair);
    peer_end_session(secondary->agent, secondary->peer);
    discarded(&first, SECONDARY, AGENT_PEER_UNKNOWN_SPI, "a datagram under a candidate that is gone");
    pair_deliver(&pair, &hello);
    discarded(&first, SECONDARY, AGENT_PEER_FORGED, "the same behind its HELLO");
    ck_assert(!peer_in_session(secondary->peer));
}
END_TEST

START_TEST(late_answer)
{
    greet(primary);
    const struct message hello = pair_take(&pair);
    pair_deliver(&pair, &hello);
    pair_collect(&pair);
    const struct message ack = pair_take(&pair);
    peer_end_session(primary->agent, primary->peer);
    discarded(&ack, PRIMARY, AGENT_PEER_WRONG_NONCE, "an answer from before the end");
}
END_TEST

/* ---- What is discarded without a warning ---- */
static unsigned warnings(int which, const struct message *m)
{
    const struct effect *e;
    unsigned n = 0;
    pair_deliver(&pair, m);
    while ((e = agent_pop(pair.ends[which].agent)) != NULL)
        n += e->kind == EFFECT_NOTE && e->note.kind == NOTE_PEER_SUSPICIOUS;
    return n;
}

/* They waited together for an ARP reply. Whoever repeats it later is worth a warning. */
START_TEST(burst_of_one_hello)
{
    const struct message hello = one_of(DELEGATION_HELLO);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(warnings(SECONDARY, &hello), 0);
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_REPLAYED), 2);
    pair.now.mono_ns += 50 * NSEC_PER_MS;
    ck_assert_uint_eq(warnings(SECONDARY, &hello), 0); /* answered */
    ck_assert_uint_eq(warnings(SECONDARY, &hello), 1);
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_REPLAYED), 3);
}
END_TEST

/* The primary's HELLO overtaken by the session that the secondary's brought: its answer is of no use. */
START_TEST(crossing_greetings)
{
    greet(primary);
    const struct message slow = pair_take(&pair);
    greet(secondary);
    pair_pump(&pair);
    in_one_session();
    pair_deliver(&pair, &slow);
    pair_collect(&pair);
    const struct message late = pair_take(&pair);
    ck_assert_uint_eq(warnings(PRIMARY, &late), 0);
    ck_assert_uint_eq(pair_counter(&pair, PRIMARY, AGENT_PEER_WRONG_NONCE), 1);
    in_one_session();
    ck_assert_uint_eq(primary->told.began, 1);
    pair_wait(&pair, 1000 * NSEC_PER_MS);
    ck_assert_uint_eq(warnings(PRIMARY, &late), 1);
}
END_TEST

/* Two appliances that are started one after the other. What they send waits until addresses are resolved, and
 * takes a little time; nothing is lost and nothing comes out of order. */
enum { IN_FLIGHT = 64, BOTH_UP_MS = 3000 };

struct link {
    struct {
        struct message message;
        uint64_t at_ns;
    } flights[IN_FLIGHT];
    size_t n;
    uint64_t last_ns[2], resolved_ns;
    unsigned warnings;
};

static void depart(struct link *link, int from, const struct message *m)
{
    uint64_t at_ns = pair.now.mono_ns + (uint64_t)(random() % 3) * NSEC_PER_MS;
    at_ns = at_ns > link->resolved_ns ? at_ns : link->resolved_ns;
    at_ns = at_ns > link->last_ns[from] ? at_ns : link->last_ns[from];
    ck_assert_uint_lt(link->n, IN_FLIGHT);
    link->flights[link->n].message = *m;
    link->flights[link->n++].at_ns = link->last_ns[from] = at_ns;
}

static void carry_out(struct link *link)
{
    const struct effect *e;
    for (int i = 0; i < 2; i++)
        while ((e = agent_pop(pair.ends[i].agent)) != NULL) {
            if (e->kind == EFFECT_SEND)
                depart(link, i, &e->send);
            link->warnings += e->kind == EFFECT_NOTE && e->note.kind == NOTE_PEER_SUSPICIOUS;
        }
}

static void arrive(struct link *link)
{
    for (size_t i = 0; i < link->n;) {
        if (link->flights[i].at_ns > pair.now.mono_ns) {
            i++;
            continue;
        }
        const struct message m = link->flights[i].message;
        memmove(&link->flights[i], &link->flights[i + 1], (--link->n - i) * sizeof(link->flights[0]));
        pair_deliver(&pair, &m);
        carry_out(link);
    }
}

START_TEST(normal_start_up)
{
    static struct link link;
    link = (struct link){.n = 0};
    srandom((unsigned)_i);
    const uint64_t began_ns = pair.now.mono_ns;
    const int up[] = {(int)(random() % BOTH_UP_MS), _i % 2 == 0 ? 5 : (int)(random() % BOTH_UP_MS)};
    const int later = up[0] > up[1] ? up[0] : up[1];
    link.resolved_ns = began_ns + (uint64_t)(later + random() % 5) * NSEC_PER_MS;
    for (int ms = 0; ms < later + 2000; ms++, pair.now.mono_ns += NSEC_PER_MS) {
        for (int i = 0; i < 2; i++) {
            if (ms == up[i])
                peer_greet(pair.ends[i].agent, pair.ends[i].peer, pair.now);
            if (ms >= up[i])
                agent_expire(pair.ends[i].agent, pair.now, 10);
        }
        carry_out(&link);
        arrive(&link);
    }
    ck_assert_msg(link.warnings == 0, "seed %d: %u warnings", _i, link.warnings);
    in_one_session();
}
END_TEST

/* HELLOs of former boots, recorded, and over and over again: the real one gets its place, and keeps it for
 * longer than it needs to be answered and to answer. */
START_TEST(flood_of_replays)
{
    struct message old[SESSION_CANDIDATES];
    for (int i = 0; i < SESSION_CANDIDATES; i++) {
        old[i] = one_of(DELEGATION_HELLO);
        pair_restart(&pair, PRIMARY);
        pair_collect(&pair);
    }
    uint64_t at_most = 0;
    for (int ms = 0; ms < 1000; ms++) {
        pair.now.mono_ns += NSEC_PER_MS;
        for (int i = 0; i < SESSION_CANDIDATES; i++)
            pair_deliver(&pair, &old[i]);
    }
    at_most = pair_counter(&pair, SECONDARY, AGENT_PEER_SENT);
    ck_assert_uint_le(at_most, 60);
    pair_collect(&pair);
    pair.n_wire = 0;

    greet(primary);
    const struct message hello = pair_take(&pair);
    pair_deliver(&pair, &hello);
    pair_collect(&pair);
    ck_assert_uint_eq(pair.n_wire, 1);
    const struct message ack = pair_take(&pair);
    for (int ms = 0; ms < 150; ms++) {
        pair.now.mono_ns += NSEC_PER_MS;
        for (int i = 0; i < SESSION_CANDIDATES; i++)
            pair_deliver(&pair, &old[i]);
    }
    pair_collect(&pair);
    pair.n_wire = 0;
    pair_deliver(&pair, &ack);
    pair_pump(&pair);
    in_one_session();
}
END_TEST

/* HELLOs of former sessions take no place at all, however many there are. */
START_TEST(replays_of_what_made_sessions)
{
    struct message old[SESSION_NONCES];
    for (int i = 0; i < SESSION_NONCES; i++) {
        greet(primary);
        old[i] = pair.wire[0];
        pair_pump(&pair);
        in_one_session();
        pair_restart(&pair, PRIMARY);
        pair_collect(&pair);
        pair.now.mono_ns += NSEC_PER_S;
    }
    greet(primary);
    pair_pump(&pair); /* now the last one's nonce is spent, too */
    in_one_session();
    const uint64_t sent = pair_counter(&pair, SECONDARY, AGENT_PEER_SENT);
    for (int i = 0; i < SESSION_NONCES; i++)
        discarded(&old[i], SECONDARY, AGENT_PEER_REPLAYED, "a HELLO that had made a session");
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_SENT), sent);
}
END_TEST

/* A session that the peer never used leaves its nonce pending: it must be heard again. */
START_TEST(nonce_of_an_unused_session)
{
    greet(primary);
    const struct message hello = pair.wire[0];
    pair.n_wire = 0;
    greet(secondary);
    const struct message theirs = pair_take(&pair);
    pair_deliver(&pair, &theirs);
    pair_collect(&pair);
    const struct message ack = pair_take(&pair);
    pair_deliver(&pair, &ack);
    ck_assert(peer_in_session(secondary->peer)); /* and its first datagram is lost */
    pair_collect(&pair);
    pair.n_wire = 0;
    peer_end_session(secondary->agent, secondary->peer);
    pair_deliver(&pair, &hello);
    pair_pump(&pair);
    in_one_session();
}
END_TEST

/* It is the oldest that goes: two new ones, one right after the other, both find a place. */
START_TEST(oldest_goes)
{
    struct message hello[4];
    for (int i = 0; i < 4; i++) {
        hello[i] = one_of(DELEGATION_HELLO);
        pair_restart(&pair, PRIMARY);
        pair_collect(&pair);
        pair.n_wire = 0;
    }
    for (int i = 0; i < 4; i++) {
        pair.now.mono_ns += (i == 2 ? 1000 : 10) * NSEC_PER_MS;
        pair_deliver(&pair, &hello[i]);
        ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_SENT), i + 1);
    }
    discarded(&hello[0], SECONDARY, AGENT_PEER_REPLAYED, "a third one in so short a time");
}
END_TEST

static const struct {
    const char *what;
    uint64_t highest, marked, sequence;
    bool fresh;
} windows[] = {
    {"none is 0", 0, 0, 0, false},
    {"the first", 0, 0, 1, true},
    {"the first again", 1, 1, 1, false},
    {"the next", 1, 1, 2, true},
    {"0 later on", 5, 5, 0, false},
    {"one left out", 5, 5, 4, true},
    {"the oldest that can be told", 5000, 5000, 5000 - 4095, true},
    {"the same, marked", 5000, 5000 - 4095, 5000 - 4095, false},
    {"the newest that cannot be told", 5000, 5000, 5000 - 4096, false},
    {"a leap", 5000, 5000, 5000000, true},
    {"the last there is", UINT64_MAX - 1, UINT64_MAX - 1, UINT64_MAX, true},
    {"the last there is, again", UINT64_MAX, UINT64_MAX, UINT64_MAX, false},
    {"a window's length apart", 4097, 4097, 1, false},
    {"as far back as that", 4096, 4096, 1, true},
};

START_TEST(window_edges)
{
    struct session s = {0};
    if (windows[_i].highest > 0)
        session_mark(&s, windows[_i].highest);
    if (windows[_i].marked > 0 && windows[_i].marked != windows[_i].highest)
        session_mark(&s, windows[_i].marked);
    ck_assert_msg(session_is_fresh(&s, windows[_i].sequence) == windows[_i].fresh, "%s", windows[_i].what);
}
END_TEST

/* Against a list of all that was received. */
START_TEST(window_at_random)
{
    enum { SPAN = 60000, STEPS = 200000 };
    static bool received[SPAN + 1];
    const unsigned seed = 20261123;
    printf("window_at_random: seed %u\n", seed);
    srandom(seed);
    struct session s = {0};
    uint64_t highest = 0;
    for (int i = 0; i < STEPS; i++) {
        const uint64_t ahead = random() % 100 == 0 ? (uint64_t)random() % 5000 : (uint64_t)random() % 3;
        uint64_t sequence = random() % 2 == 0 ? highest + ahead : highest - (uint64_t)random() % 4200;
        if (sequence > SPAN)
            continue;
        const bool fresh = sequence > 0 && sequence + SESSION_WINDOW > highest && !received[sequence];
        ck_assert_msg(session_is_fresh(&s, sequence) == fresh, "step %d, sequence %lu, highest %lu", i,
                      sequence, highest);
        if (!fresh)
            continue;
        session_mark(&s, sequence);
        received[sequence] = true;
        highest = sequence > highest ? sequence : highest;
    }
    ck_assert_uint_gt(highest, SPAN / 2);
}
END_TEST

/* ---- A network that loses, repeats and reorders, ends that restart and give up, and somebody who records
 * all and sends it again, to whoever it was for or back. Nothing is taken twice, and when it is over the ends
 * come to a session. ---- */
enum { RECORDED = 512, EVENTS = 400 };
static struct message recorded[RECORDED];
static size_t n_recorded;

static void disturb(uint32_t *transaction)
{
    const int which = (int)(random() % 2);
    struct end *end = &pair.ends[which];
    struct message m;
    switch (random() % 12) {
    case 0:
        if (!peer_in_session(end->peer) || random() % 4 == 0)
            greet(end);
        break;
    case 1:
        if (random() % 8 == 0)
            pair_restart(&pair, which);
        break;
    case 2:
        if (random() % 8 == 0)
            peer_end_session(end->agent, end->peer);
        break;
    case 3:
    case 4:
    case 5:
        pair_say_as(&pair, which, DELEGATION_RATES, (*transaction)++);
        break;
    case 6:
        m = recorded[(size_t)random() % RECORDED];
        if (m.len > 0)
            pair_deliver(&pair, &m);
        break;
    case 7: /* reflected */
        m = recorded[(size_t)random() % RECORDED];
        if (m.len > 0) {
            const struct addr from = m.source;
            m.source = m.destination;
            m.destination = from;
            pair_deliver(&pair, &m);
        }
        break;
    default:
        pair_collect(&pair);
        if (pair.n_wire == 0)
            break;
        const size_t i = (size_t)random() % pair.n_wire;
        m = pair.wire[i];
        recorded[n_recorded++ % RECORDED] = m;
        if (random() % 10 != 0) /* it may come again */
            pair.wire[i] = pair.wire[--pair.n_wire];
        if (random() % 5 != 0)
            pair_deliver(&pair, &m);
    }
    pair.now.mono_ns += (uint64_t)random() % (20 * NSEC_PER_MS);
    for (int i = 0; i < 2; i++)
        agent_expire(pair.ends[i].agent, pair.now, 10);
    pair_collect(&pair);
    if (pair.n_wire > PAIR_WIRE / 2)
        pair.n_wire = PAIR_WIRE / 4;
}

/* What the halves do: an end that hears nothing gives the session up, and greets. */
static void come_to_rest(void)
{
    pair_wait(&pair, 2 * NSEC_PER_S);
    if (pair_works(&pair))
        return;
    for (int i = 0; i < 2; i++) {
        peer_end_session(pair.ends[i].agent, pair.ends[i].peer);
        peer_greet(pair.ends[i].agent, pair.ends[i].peer, pair.now);
        pair_wait(&pair, 500 * NSEC_PER_MS);
    }
    pair_wait(&pair, 2 * NSEC_PER_S);
    ck_assert(pair_works(&pair));
}

START_TEST(chaos)
{
    static uint8_t heard[2][PAIR_HEARD];
    const unsigned seed = 20261123 + (unsigned)_i;
    printf("chaos: seed %u\n", seed);
    srandom(seed);
    uint32_t transaction = 1;
    for (int i = 0; i < 2; i++)
        pair.ends[i].heard = heard[i];
    for (int round = 0; round < 20; round++) {
        for (int event = 0; event < EVENTS; event++)
            disturb(&transaction);
        come_to_rest();
    }
    unsigned taken = 0;
    for (uint32_t t = 1; t < transaction; t++) {
        ck_assert_uint_le(heard[PRIMARY][t] + heard[SECONDARY][t], 1);
        taken += heard[PRIMARY][t] + heard[SECONDARY][t];
    }
    ck_assert_uint_gt(taken, 100);
    for (int i = 0; i < 2; i++)
        pair.ends[i].heard = NULL;
}
END_TEST

/* All that is sent in one window may arrive in any order; what is one older may not. */
START_TEST(reordered)
{
    secondary->mute = true;
    pair_meet(&pair, PRIMARY);
    secondary->told.received = 0;
    pair_say(&pair, PRIMARY, DELEGATION_RATES);
    const struct message oldest = pair_take(&pair);
    pair_say(&pair, PRIMARY, DELEGATION_RATES);
    const struct message second = pair_take(&pair);
    uint64_t sequence = 0;
    for (int i = 0; i < SESSION_WINDOW - 1; i++) {
        sequence = pair_say(&pair, PRIMARY, DELEGATION_RATES);
        if (i % 2 == 0) /* every other one is lost */
            pair_pump(&pair);
        else
            pair_take(&pair);
    }
    pair_pump(&pair);
    ck_assert_uint_eq(secondary->peer->session.highest, sequence);
    ck_assert_uint_eq(secondary->told.received, SESSION_WINDOW / 2);
    discarded(&oldest, SECONDARY, AGENT_PEER_REPLAYED, "one older than the window");
    pair_deliver(&pair, &second);
    ck_assert_uint_eq(secondary->told.received, SESSION_WINDOW / 2 + 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *agreement = pair_case(suite, "agreement");
    tcase_add_loop_test(agreement, handshake, 0, 2);
    tcase_add_test(agreement, both_greet_at_once);
    tcase_add_loop_test(agreement, one_is_lost, 0, 3);
    tcase_add_test(agreement, greets_each_second);
    tcase_add_test(agreement, greets_no_more);
    tcase_add_test(agreement, old_session_stays);
    tcase_add_loop_test(agreement, restart, 0, 2);
    tcase_add_test(agreement, known_after_an_end);
    tcase_add_loop_test(agreement, small_payload, 0, 2);

    TCase *suspicious = pair_case(suite, "suspicion");
    tcase_add_loop_test(suspicious, flipped_bits, DELEGATION_HELLO, DELEGATION_EVENT_ACK + 1);
    tcase_add_loop_test(suspicious, reflected, DELEGATION_HELLO, DELEGATION_EVENT_ACK + 1);
    tcase_add_loop_test(suspicious, suspicion, 0, ROWS(suspicions));
    tcase_add_loop_test(suspicious, hello_contents, 0, ROWS(hellos));
    tcase_add_test(suspicious, flag_of_a_response);

    TCase *replays = pair_case(suite, "replays");
    tcase_add_test(replays, replayed_datagrams);
    tcase_add_test(replays, nothing_comes_back);
    tcase_add_test(replays, late_answer);
    tcase_add_test(replays, burst_of_one_hello);
    tcase_add_test(replays, crossing_greetings);
    tcase_add_loop_test(replays, normal_start_up, 0, 100);
    tcase_add_test(replays, flood_of_replays);
    tcase_add_test(replays, replays_of_what_made_sessions);
    tcase_add_test(replays, nonce_of_an_unused_session);
    tcase_add_test(replays, oldest_goes);
    tcase_add_loop_test(replays, window_edges, 0, ROWS(windows));
    tcase_add_test(replays, window_at_random);
    tcase_add_test(replays, reordered);
    tcase_add_loop_test(replays, chaos, 0, 10);
    return check_main(suite);
}
