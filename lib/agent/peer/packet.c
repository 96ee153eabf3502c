/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "peer/session.h"

bool is_response(uint8_t type)
{
    switch (type) {
    case DELEGATION_HELLO_ACK:
    case DELEGATION_START_ACK:
    case DELEGATION_STOP_ACK:
    case DELEGATION_KEEPALIVE_ACK:
    case DELEGATION_RATES_ACK:
    case DELEGATION_SYNC_ACK:
    case DELEGATION_EVENT_ACK:
        return true;
    default:
        return false;
    }
}

void packet_begin(struct packet *packet, struct peer *peer, uint8_t type, uint32_t transaction)
{
    packet->peer = peer;
    packet->type = type;
    packet->flags = is_response(type) ? DELEGATION_RESPONSE : 0;
    packet->records = 0;
    packet->request = 0;
    packet->transaction = transaction;
    packet->w = writer_over(packet->bytes, sizeof(packet->bytes));
    delegation_begin(&packet->w);
}

/* The peer's limit is for batches. What cannot be divided, a set of care-of addresses, may go beyond it. */
bool packet_has_room(const struct packet *packet, size_t len)
{
    const size_t max =
        packet->peer->payload_max != 0 ? packet->peer->payload_max : payload_limit(packet->peer);
    return !packet->w.failed && writer_len(&packet->w) + len + DELEGATION_AUTHENTICATOR <= max;
}

/* False: it is to be protected, and cannot be. */
static bool hand_over(struct agent *agent, const struct packet *packet)
{
    struct message m;
    m.source = packet->peer->is.local;
    m.destination = packet->peer->is.address;
    m.home = addr_unspecified;
    m.protocol = IPPROTO_NUM_UDP;
    m.source_port = m.destination_port = agent->settings.delegation.port;
    m.on_link = false;
    m.tos = 0;
    m.mac = (struct mac){{0}};
    m.len = writer_len(&packet->w);
    memcpy(m.bytes, packet->bytes, m.len);
    if (packet->peer->is.protected && !ipsec_seal(agent, packet->peer->ipsec, &m))
        return false;
    effect_send(agent, &m);
    return true;
}

/* One step may send many datagrams, so each makes sure of its own room. */
bool packet_emit(struct agent *agent, struct packet *packet, const struct delegation_header *header,
                 const struct auth_key *key)
{
    if (!effects_reserve(&agent->effects)) {
        count(agent, AGENT_NO_MEMORY);
        return false;
    }
    if (!delegation_seal(&packet->w, header, key, agent->auth))
        return false;
    if (!hand_over(agent, packet))
        return false;
    count(agent, AGENT_PEER_SENT);
    return true;
}

uint64_t packet_send(struct agent *agent, struct packet *packet, struct instant now)
{
    (void)now;
    struct session *session = &packet->peer->session;
    if (!session->live)
        return 0;
    const struct delegation_header header = {
        .type = packet->type,
        .flags = packet->flags,
        .spi = session->spi,
        .epoch = agent->epoch,
        .peer_epoch = session->peer_epoch,
        .sequence = session->sent + 1,
        .transaction = packet->transaction,
        .request = packet->request,
        .node = agent->settings.id,
    };
    if (!packet_emit(agent, packet, &header, &session->key))
        return 0;
    return ++session->sent;
}
