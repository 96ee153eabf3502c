/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How two peers come to a session. Whoever greets sends HELLO with its pending nonce; the other derives a
 * candidate from the two nonces and answers. The answer echoes the nonce, which proves that it is fresh: the
 * session is adopted. The other adopts the candidate when a datagram verifies under it.
 *
 * A HELLO may be a replay, so it changes nothing but a candidate, and costs an answer. Both are bounded
 * without a bucket that a flood of replays could empty to the real peer's cost: a HELLO that a candidate
 * stands for is answered again after HELLO_SPACING_MS at the earliest, one whose nonce made a session before
 * is known for a replay, and one that is new takes the place of the older candidate, but of none younger than
 * CANDIDATE_MIN_MS. So a few recorded HELLOs, however often
 * repeated, leave the real one a place, and leave it that place for longer than the round trip that its peer
 * needs to use it.
 */
#include "internal.h"

#include "peer/session.h"

enum {
    GREETING_MS = 1000,
    GREETING_JITTER_MS = 100,
    CANDIDATE_MIN_MS = 200,
    HELLO_SPACING_MS = 50,
    ID_SLOTS = 64
};

/* ---- Sending ---- */

/* What our link towards the peer takes whole: out of fragments it would take nothing. */
static uint16_t link_takes(const struct agent_peer *is)
{
    const unsigned headers = (addr_is_ipv4(&is->address) ? IPV4_HEADER : IPV6_HEADER) + UDP_HEADER +
                             (is->protected ? ESP_OVERHEAD_MAX : 0);
    if (is->mtu == 0)
        return UINT16_MAX;
    return (uint16_t)(is->mtu > headers ? is->mtu - headers : 0);
}

uint16_t payload_limit(const struct peer *peer)
{
    const uint16_t most = peer->is.protected ? PEER_PROTECTED_PAYLOAD : DELEGATION_MAX,
                   takes = link_takes(&peer->is);
    if (peer->small_payload || takes < PEER_SMALL_PAYLOAD)
        return PEER_SMALL_PAYLOAD;
    return takes < most ? takes : most;
}

static struct delegation_hello introduce(struct agent *agent, struct peer *peer)
{
    struct delegation_hello hello = {
        .role = agent->role->hello_role,
        .lowest_version = DELEGATION_VERSION,
        .highest_version = DELEGATION_VERSION,
        .payload_max = payload_limit(peer),
        .mac = agent->settings.mac,
    };
    memcpy(hello.nonce, session_nonce(agent, peer), sizeof(hello.nonce));
    agent->role->introduce(agent, peer, &hello);
    return hello;
}

static void send(struct agent *agent, struct peer *peer, struct delegation_header header,
                 const struct delegation_hello *hello)
{
    struct packet packet;
    packet_begin(&packet, peer, header.type, header.transaction);
    delegation_hello_encode(&packet.w, hello);
    header.flags = packet.flags;
    header.epoch = agent->epoch;
    header.node = agent->settings.id;
    if (!packet_emit(agent, &packet, &header, peer_key(&peer->is, header.spi)))
        return; /* HELLO is sent again anyway, by one or the other */
}

/* ---- Greeting ---- */
/* The other key every second time, in case that the peer has only that one yet, or still. But where it is
 * this key's session that is to be replaced, during a change of keys, only the new one will do. */
static uint32_t greeting_spi(const struct peer *peer)
{
    const struct agent_peer *is = &peer->is;
    const bool rekeying = peer->session.live && peer->session.spi == is->other_spi;
    return is->other_spi != 0 && !rekeying && peer->greetings % 2 == 1 ? is->other_spi : is->spi;
}

/* The peer's epoch is left 0: what we know of it may be out of date. */
static void greet(struct agent *agent, struct peer *peer, struct instant now)
{
    const uint64_t jitter_ns = agent_random(agent) % (GREETING_JITTER_MS * NSEC_PER_MS);
    const struct delegation_hello hello = introduce(agent, peer);
    send(agent, peer, (struct delegation_header){.type = DELEGATION_HELLO, .spi = greeting_spi(peer)},
         &hello);
    peer->greetings++;
    peer->greeting.kind = TIMER_GREETING;
    if (!timerq_set(agent->timers, &peer->greeting, now.mono_ns + GREETING_MS * NSEC_PER_MS + jitter_ns))
        count(agent, AGENT_NO_MEMORY);
}

void peer_greet(struct agent *agent, struct peer *peer, struct instant now)
{
    if (timer_is_set(&peer->greeting))
        return;
    peer->greetings = 0;
    greet(agent, peer, now);
}

void peer_greeting_due(struct agent *agent, struct timer *timer, struct instant now)
{
    greet(agent, timer_owner(timer, struct peer, greeting), now);
}

void greeting_stop(struct agent *agent, struct peer *peer)
{
    timerq_cancel(agent->timers, &peer->greeting);
}

/* ---- HELLO ---- */
static struct session *candidate_of(const struct arrival *a, const struct delegation_hello *hello)
{
    for (size_t i = 0; i < SESSION_CANDIDATES; i++) {
        struct session *c = &a->peer->candidates[i];
        if (c->live && c->spi == a->header.spi && c->peer_epoch == a->header.epoch &&
            c->peer_id == a->header.node && memcmp(c->hello.nonce, hello->nonce, sizeof(hello->nonce)) == 0)
            return c;
    }
    return NULL;
}

/* NULL: those that are there have to be given time. */
static struct session *candidate_place(struct peer *peer, struct instant now)
{
    struct session *oldest = &peer->candidates[0];
    for (size_t i = 0; i < SESSION_CANDIDATES; i++) {
        struct session *c = &peer->candidates[i];
        if (!c->live)
            return c;
        if (c->made_ns < oldest->made_ns)
            oldest = c;
    }
    return now.mono_ns - oldest->made_ns >= CANDIDATE_MIN_MS * NSEC_PER_MS ? oldest : NULL;
}

static void answer(const struct arrival *a, const struct delegation_hello *theirs)
{
    struct delegation_hello hello = introduce(a->agent, a->peer);
    memcpy(hello.peer_nonce, theirs->nonce, sizeof(hello.peer_nonce));
    send(a->agent, a->peer,
         (struct delegation_header){.type = DELEGATION_HELLO_ACK,
                                    .spi = a->header.spi,
                                    .peer_epoch = a->header.epoch,
                                    .transaction = a->header.transaction},
         &hello);
}

static bool is_spent(const struct peer *peer, const struct delegation_hello *hello)
{
    for (unsigned i = 0; i < SESSION_NONCES && i < peer->n_spent; i++)
        if (memcmp(peer->spent[i], hello->nonce, sizeof(hello->nonce)) == 0)
            return true;
    return false;
}

static enum agent_counter consider(const struct arrival *a, const struct delegation_hello *hello)
{
    if (is_spent(a->peer, hello))
        return AGENT_PEER_REPLAYED;
    struct session *place = candidate_place(a->peer, a->now);
    if (place == NULL)
        return AGENT_PEER_REPLAYED;
    struct session agreed;
    if (!session_agree(a, hello, &agreed))
        return AGENT_NO_MEMORY;
    agreed.answered_ns = a->now.mono_ns;
    *place = agreed;
    answer(a, hello);
    return AGENT_PEER_RECEIVED;
}

/* Discarded, but nothing to warn of. */
static enum agent_counter discard_quietly(const struct arrival *a, enum agent_counter why)
{
    count(a->agent, why);
    return AGENT_PEER_RECEIVED;
}

/* HELLOs that waited together for our MAC address to be resolved arrive together. */
static enum agent_counter repeated(const struct arrival *a, const struct session *candidate)
{
    if (a->now.mono_ns - candidate->made_ns < HELLO_SPACING_MS * NSEC_PER_MS)
        return discard_quietly(a, AGENT_PEER_REPLAYED);
    return AGENT_PEER_REPLAYED;
}

/* The peer's epoch in it is not looked at: one that has not heard yet of our restart bears the old one. */
static enum agent_counter heard(const struct arrival *a, const struct delegation_hello *hello)
{
    struct session *candidate = candidate_of(a, hello);
    if (candidate == NULL)
        return consider(a, hello);
    if (a->now.mono_ns - candidate->answered_ns < HELLO_SPACING_MS * NSEC_PER_MS)
        return repeated(a, candidate);
    candidate->answered_ns = a->now.mono_ns;
    if (hello->term >= candidate->hello.term) /* terms only rise: the newer of the two */
        candidate->hello = *hello;
    answer(a, hello);
    return AGENT_PEER_RECEIVED;
}

/* ---- HELLO_ACK ---- */

/* Where greetings crossed, the answer to ours comes when the session stands already. */
static bool is_late(const struct arrival *a, const struct delegation_hello *hello)
{
    const struct session *session = &a->peer->session;
    return session->live && a->now.mono_ns - session->made_ns < GREETING_MS * NSEC_PER_MS &&
           memcmp(hello->peer_nonce, session->nonce, sizeof(session->nonce)) == 0;
}

static bool is_awaited(const struct peer *peer, const struct delegation_hello *hello)
{
    return peer->has_nonce && memcmp(hello->peer_nonce, peer->nonce, sizeof(peer->nonce)) == 0;
}

static enum agent_counter answered(const struct arrival *a, const struct delegation_hello *hello)
{
    if (a->header.peer_epoch != a->agent->epoch)
        return AGENT_PEER_WRONG_EPOCH;
    if (is_late(a, hello))
        return discard_quietly(a, AGENT_PEER_WRONG_NONCE);
    if (!is_awaited(a->peer, hello))
        return AGENT_PEER_WRONG_NONCE;
    struct session agreed;
    if (!session_agree(a, hello, &agreed))
        return AGENT_NO_MEMORY;
    session_adopt(a->agent, a->peer, &agreed, true, a->now);
    return AGENT_PEER_RECEIVED;
}

/* ---- Either ---- */
static bool read_hello(struct arrival *a, struct delegation_hello *out)
{
    struct delegation_record record;
    while (delegation_next(&a->records, &record)) {
        if (record.type != DELEGATION_RECORD_HELLO)
            continue;
        *out = record.hello;
        return a->header.node != 0 && a->header.epoch != 0 && out->payload_max >= PEER_SMALL_PAYLOAD &&
               out->ip_id_slot < ID_SLOTS;
    }
    return false;
}

static bool is_complement(const struct agent *agent, uint8_t role)
{
    return role == (agent->role->hello_role == HELLO_SECONDARY ? HELLO_PRIMARY : HELLO_SECONDARY);
}

/* One that was dismissed is met again only while its half still wants something of it. */
static bool is_done_with(const struct peer *peer)
{
    return peer->dismissed && !peer_in_session(peer) && !timer_is_set(&peer->greeting);
}

enum agent_counter hello_input(struct arrival *a)
{
    if (is_done_with(a->peer))
        return AGENT_PEER_UNKNOWN;
    const struct auth_key *key = peer_key(&a->peer->is, a->header.spi);
    struct delegation_hello hello;
    if (key == NULL)
        return AGENT_PEER_UNKNOWN_SPI;
    if (!delegation_verify(a->datagram->payload, a->datagram->len, key, a->agent->auth))
        return AGENT_PEER_FORGED;
    count(a->agent, AGENT_PEER_RECEIVED);
    if (!read_hello(a, &hello))
        return AGENT_PEER_MALFORMED;
    if (!is_complement(a->agent, hello.role))
        return AGENT_PEER_UNEXPECTED;
    if (hello.lowest_version > DELEGATION_VERSION || hello.highest_version < DELEGATION_VERSION)
        return AGENT_PEER_BAD_VERSION;
    return a->header.type == DELEGATION_HELLO ? heard(a, &hello) : answered(a, &hello);
}
