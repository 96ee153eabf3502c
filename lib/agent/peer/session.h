/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of peer/ share among themselves. Nobody outside this directory includes this. */
#ifndef AGENT_PEER_SESSION_H
#define AGENT_PEER_SESSION_H

#include "peer/peer.h"

/* A datagram on its way through the checks. */
struct arrival {
    struct agent *agent;
    const struct agent_datagram *datagram;
    struct instant now;
    struct delegation_header header;
    struct delegation_records records;
    struct peer *peer;
};

/* ---- peer.c ---- */
/* The configured peer that talks between these two addresses; NULL. */
struct peer *peer_between(const struct agent *agent, const struct addr *theirs, const struct addr *ours);
/* Which of its two keys has this SPI; NULL: neither. */
const struct auth_key *peer_key(const struct agent_peer *is, uint32_t spi);
/* While it is held, peer_release does not destroy it. */
void peer_hold(struct peer *peer);
void peer_let_go(struct agent *agent, struct peer *peer);

/* ---- session.c ---- */
/* What the HELLO or HELLO_ACK that arrived and our pending nonce make, under the configured key that it
 * names. False: libcrypto failed. */
bool session_agree(const struct arrival *arrival, const struct delegation_hello *hello, struct session *out)
    __attribute__((warn_unused_result));
/* Puts it in the place of the session in use. agreed may be one of the candidates. */
void session_adopt(struct agent *agent, struct peer *peer, const struct session *agreed, bool first,
                   struct instant now);
void session_end(struct session *session);
const uint8_t *session_nonce(struct agent *agent, struct peer *peer);
/* Its sequence was not received before, and is not too old to tell. */
bool session_is_fresh(const struct session *session, uint64_t sequence);
void session_mark(struct session *session, uint64_t sequence);

/* ---- hello.c: what became of it, AGENT_PEER_RECEIVED where all was well ---- */
enum agent_counter hello_input(struct arrival *arrival);
void greeting_stop(struct agent *agent, struct peer *peer);
uint16_t payload_limit(const struct peer *peer);

/* ---- packet.c ---- */
/* Authenticates, protects and sends it. False: libcrypto or memory failed, or it does not fit. */
bool packet_emit(struct agent *agent, struct packet *packet, const struct delegation_header *header,
                 const struct auth_key *key) __attribute__((warn_unused_result));
bool is_response(uint8_t type);

/* ---- flow.c ---- */
void flow_begin(struct flow *flow);
/* A response arrived: ends the transaction that it answers, if that is still open. */
void flow_answered(struct agent *agent, struct peer *peer, const struct delegation_header *header,
                   struct instant now);
void flow_abandon(struct agent *agent, struct peer *peer);

#endif
