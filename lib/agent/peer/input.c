/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of suspicion (doc/delegation-protocol.md, "Datagram"): what is cheap to find out comes first, and
 * nothing changes before the authenticator is found good. A failure is a counter and a note, never an answer.
 */
#include "internal.h"

#include "peer/session.h"

static void suspect(const struct arrival *a, enum agent_counter why)
{
    struct note note = {.kind = NOTE_PEER_SUSPICIOUS, .peer = a->datagram->source};
    if (a->peer != NULL)
        memcpy(note.name, a->peer->is.name, sizeof(note.name));
    count(a->agent, why);
    effect_note_limited(a->agent, &note, a->now);
}

static enum agent_counter decode(struct arrival *a)
{
    switch (delegation_decode(a->datagram->payload, a->datagram->len, &a->header, &a->records)) {
    case DELEGATION_DECODED:
        return AGENT_PEER_RECEIVED;
    case DELEGATION_BAD_MAGIC:
        return AGENT_PEER_BAD_MAGIC;
    case DELEGATION_BAD_VERSION:
        return AGENT_PEER_BAD_VERSION;
    case DELEGATION_BAD_LENGTH:
        break;
    }
    return AGENT_PEER_BAD_LENGTH;
}

/* RFC 4301 section 5.2: what is to come in ESP is not taken in clear. */
static enum agent_counter identify(struct arrival *a, const struct peer *protector)
{
    a->peer = peer_between(a->agent, &a->datagram->source, &a->datagram->destination);
    if (a->peer == NULL)
        return AGENT_PEER_UNKNOWN;
    if (a->peer->is.protected && a->peer != protector)
        return AGENT_PEER_UNPROTECTED;
    return a->header.node == a->agent->settings.id ? AGENT_PEER_REFLECTED : AGENT_PEER_RECEIVED;
}

/* Epochs and replay window cost nothing, the authenticator does: of a flood of replays only what is neither
 * old nor seen comes to it. */
static enum agent_counter judge(const struct arrival *a, const struct session *s)
{
    const struct delegation_header *h = &a->header;
    if (!s->live || s->spi != h->spi)
        return AGENT_PEER_UNKNOWN_SPI;
    if (h->epoch != s->peer_epoch || h->peer_epoch != a->agent->epoch)
        return AGENT_PEER_WRONG_EPOCH;
    if (!session_is_fresh(s, h->sequence))
        return AGENT_PEER_REPLAYED;
    if (!delegation_verify(a->datagram->payload, a->datagram->len, &s->key, a->agent->auth))
        return AGENT_PEER_FORGED;
    return AGENT_PEER_RECEIVED;
}

/* The session or candidate under which it is good; if none, what the session has against it. */
static enum agent_counter find_session(const struct arrival *a, struct session **out)
{
    struct peer *peer = a->peer;
    enum agent_counter verdict = judge(a, *out = &peer->session);
    for (size_t i = 0; verdict != AGENT_PEER_RECEIVED && i < SESSION_CANDIDATES; i++) {
        const enum agent_counter other = judge(a, *out = &peer->candidates[i]);
        if (other == AGENT_PEER_RECEIVED || verdict == AGENT_PEER_UNKNOWN_SPI)
            verdict = other;
    }
    return verdict;
}

static enum agent_counter deliver(struct arrival *a)
{
    struct agent *agent = a->agent;
    const bool response = is_response(a->header.type);
    if (response != ((a->header.flags & DELEGATION_RESPONSE) != 0))
        return AGENT_PEER_MALFORMED;
    if (response)
        flow_answered(agent, a->peer, &a->header, a->now);
    if (peer_in_session(a->peer)) /* the half may just have ended it */
        agent->role->receive(agent, a->peer, &a->header, &a->records, a->now);
    return a->records.failed ? AGENT_PEER_MALFORMED : AGENT_PEER_RECEIVED;
}

static enum agent_counter session_input(struct arrival *a)
{
    struct session *session;
    const enum agent_counter verdict = find_session(a, &session);
    if (verdict != AGENT_PEER_RECEIVED)
        return verdict;
    count(a->agent, AGENT_PEER_RECEIVED);
    session_mark(session, a->header.sequence);
    a->peer->heard_ns = a->now.mono_ns;
    if (session != &a->peer->session)
        session_adopt(a->agent, a->peer, session, false, a->now);
    return deliver(a);
}

static bool is_hello(uint8_t type)
{
    return type == DELEGATION_HELLO || type == DELEGATION_HELLO_ACK;
}

void peer_input(struct agent *agent, const struct agent_datagram *datagram, const struct peer *protector,
                struct instant now)
{
    struct arrival a = {.agent = agent, .datagram = datagram, .now = now};
    enum agent_counter verdict = decode(&a);
    if (verdict == AGENT_PEER_RECEIVED)
        verdict = identify(&a, protector);
    if (verdict != AGENT_PEER_RECEIVED) {
        suspect(&a, verdict);
        return;
    }
    peer_hold(a.peer);
    verdict = is_hello(a.header.type) ? hello_input(&a) : session_input(&a);
    if (verdict != AGENT_PEER_RECEIVED)
        suspect(&a, verdict);
    peer_let_go(agent, a.peer);
}
