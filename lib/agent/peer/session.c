/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "peer/session.h"

/* ---- The pending nonce: the same in every HELLO and HELLO_ACK until a session is adopted or ended, so that
 * both ends come to one key whichever of their datagrams are lost or cross ---- */
const uint8_t *session_nonce(struct agent *agent, struct peer *peer)
{
    if (!peer->has_nonce)
        agent_secret(agent, peer->nonce);
    peer->has_nonce = true;
    return peer->nonce;
}

/* ---- Agreement ---- */
bool session_agree(const struct arrival *a, const struct delegation_hello *hello, struct session *out)
{
    struct agent *agent = a->agent;
    const struct auth_key *key = peer_key(&a->peer->is, a->header.spi);
    struct delegation_end us = {.id = agent->settings.id, .epoch = agent->epoch};
    struct delegation_end them = {.id = a->header.node, .epoch = a->header.epoch};
    memcpy(us.nonce, session_nonce(agent, a->peer), sizeof(us.nonce));
    memcpy(them.nonce, hello->nonce, sizeof(them.nonce));

    const bool primary = agent->role->hello_role != HELLO_SECONDARY;
    *out = (struct session){.spi = a->header.spi,
                            .peer_epoch = a->header.epoch,
                            .peer_id = a->header.node,
                            .hello = *hello,
                            .made_ns = a->now.mono_ns};
    memcpy(out->nonce, us.nonce, sizeof(out->nonce));
    out->live =
        delegation_session_key(key, primary ? &us : &them, primary ? &them : &us, agent->auth, &out->key);
    return out->live;
}

static void remember(struct agent *agent, struct peer *peer, const struct delegation_hello *hello)
{
    peer->id = peer->session.peer_id;
    peer->last_epoch = peer->session.peer_epoch;
    peer->mac = hello->mac;
    peer->payload_max = hello->payload_max < payload_limit(peer) ? hello->payload_max : payload_limit(peer);
    if (agent->role->hello_role == HELLO_SECONDARY)
        peer->id_slot = (uint8_t)hello->ip_id_slot;
}

static void note_up(struct agent *agent, const struct peer *peer)
{
    struct note note = {.kind = NOTE_PEER_UP, .peer = peer->is.address};
    memcpy(note.name, peer->is.name, sizeof(note.name));
    effect_note(agent, &note);
}

void session_adopt(struct agent *agent, struct peer *peer, const struct session *agreed, bool first,
                   struct instant now)
{
    const struct session session = *agreed;
    const bool restarted = session.peer_epoch != peer->last_epoch;
    peer_end_session(agent, peer);
    greeting_stop(agent, peer); /* a transaction that was abandoned may have begun to greet */
    peer->session = session;
    peer->heard_ns = now.mono_ns;
    remember(agent, peer, &session.hello);
    flow_begin(&peer->flow);
    count(agent, AGENT_SESSIONS);
    note_up(agent, peer);
    agent->role->introduced(agent, peer, &session.hello, now);
    if (peer->session.live)
        agent->role->began(agent, peer, restarted, first, now);
}

/* ---- End ---- */
void session_end(struct session *session)
{
    explicit_bzero(session, sizeof(*session));
}

bool peer_in_session(const struct peer *peer)
{
    return peer->session.live;
}

/* Whoever has used a session has let go of the nonce that it came from. */
static void spend_nonce(struct peer *peer)
{
    const struct session *session = &peer->session;
    if (session->live && session->highest > 0)
        memcpy(peer->spent[peer->n_spent++ % SESSION_NONCES], session->hello.nonce, DELEGATION_NONCE);
}

/* The nonce goes as well: nothing that was agreed on, or could still be, with what the peer said before this
 * moment comes into use after it. In particular no candidate comes back, with an empty replay window, from a
 * repeated HELLO. */
void peer_end_session(struct agent *agent, struct peer *peer)
{
    greeting_stop(agent, peer);
    spend_nonce(peer);
    session_end(&peer->session);
    for (size_t i = 0; i < SESSION_CANDIDATES; i++)
        session_end(&peer->candidates[i]);
    peer->has_nonce = false;
    peer_hold(peer);
    flow_abandon(agent, peer);
    peer_let_go(agent, peer);
}

/* ---- Replay window: a ring of bits, highest - SESSION_WINDOW + 1 .. highest ---- */
static uint64_t *word_of(struct session *s, uint64_t sequence)
{
    return &s->seen[sequence % SESSION_WINDOW / 64];
}

static uint64_t bit_of(uint64_t sequence)
{
    return UINT64_C(1) << sequence % 64;
}

bool session_is_fresh(const struct session *s, uint64_t sequence)
{
    if (sequence > s->highest)
        return true;
    if (sequence == 0 || s->highest - sequence >= SESSION_WINDOW)
        return false;
    return (s->seen[sequence % SESSION_WINDOW / 64] & bit_of(sequence)) == 0;
}

static void advance(struct session *s, uint64_t to)
{
    if (to - s->highest >= SESSION_WINDOW)
        memset(s->seen, 0, sizeof(s->seen));
    else
        for (uint64_t at = s->highest; at < to;) {
            at++;
            *word_of(s, at) &= ~bit_of(at);
        }
    s->highest = to;
}

void session_mark(struct session *s, uint64_t sequence)
{
    if (sequence > s->highest)
        advance(s, sequence);
    *word_of(s, sequence) |= bit_of(sequence);
}
