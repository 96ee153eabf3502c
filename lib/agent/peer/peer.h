/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A partner in delegation, in whichever role: who it is (peer.c), the session with it (session.c: keys,
 * epochs, replay protection; hello.c: how one is agreed on; input.c, packet.c: datagrams in and out), and the
 * flow of requests to it (flow.c: retransmission, round-trip time, window). What the messages mean is the
 * business of the two halves, primary/node.h and secondary/principal.h, each of which has a struct peer as
 * its first member.
 *
 * Part of the agent: control's alone, pure, time is an argument.
 */
#ifndef AGENT_PEER_H
#define AGENT_PEER_H

#include "agent.h"
#include "timerq.h"

struct transaction;

enum {
    PEER_KEYS = 2,
    SESSION_CANDIDATES = 2,
    SESSION_WINDOW = 4096,
    SESSION_NONCES = 16, /* remembered after their sessions' end */
    PEER_SMALL_PAYLOAD = 600,
    PEER_PROTECTED_PAYLOAD =
        DELEGATION_MAX - UDP_HEADER - ESP_OVERHEAD_MAX /* in ESP it is as long as others are */
};

/* ---- Sessions (session.c) ---- */
struct session {
    bool live;
    struct auth_key key;
    uint32_t spi;
    uint64_t peer_epoch;
    uint16_t peer_id;
    struct delegation_hello hello;   /* theirs that it was agreed on with */
    uint8_t nonce[DELEGATION_NONCE]; /* ours */
    uint64_t made_ns, answered_ns;   /* a candidate's: when, and when its HELLO was last answered */
    uint64_t sent;                   /* sequence of the last datagram */
    uint64_t highest;                /* sequence received */
    uint64_t seen[SESSION_WINDOW / 64];
};

/* ---- Flow (flow.c): RFC 6298 without its one-second minimum; a window of datagrams, halved on a loss ----
 */
enum {
    FLOW_RTO_FIRST_MS = 100,
    FLOW_RTO_MIN_MS = 20,
    FLOW_RTO_MAX_MS = 3200,
    FLOW_WINDOW_MIN = 8,
    FLOW_WINDOW_MAX = 64
};
struct flow {
    struct transaction *open; /* utlist DL */
    unsigned n_open;          /* that count against the window */
    uint32_t window;          /* in 1/256 of a datagram */
    uint32_t srtt_us, rttvar_us, rto_us;
    uint32_t next_transaction;
    uint64_t halved_ns; /* once a round trip */
    uint64_t retransmissions;
};

struct peer {
    struct peer *next;    /* agent->peers */
    struct agent_peer is; /* as configured */
    struct ipsec *ipsec;  /* of is.protected; NULL: none, or lost to who has its SPI now */
    uint32_t seen;        /* agent->sweep when it was last configured */
    uint16_t id;          /* 0: not met; from its HELLO, as are the three that follow */
    struct mac mac;
    uint16_t payload_max; /* the smaller of ours and theirs */
    bool small_payload;   /* the half's wish: from the next session on at most PEER_SMALL_PAYLOAD */
    uint8_t id_slot;      /* a primary's choice for its secondary; a secondary has it from the HELLO */
    uint64_t heard_ns;    /* any authentic datagram but HELLO, which may be a replay; 0: never */
    uint64_t last_epoch;  /* the peer's in the latest session; 0: there was none */
    bool dismissed;       /* a sweep did not see it */
    bool released;        /* to be destroyed when nobody holds it any more */
    unsigned held;        /* calls under way that go on using it */

    struct session session;                        /* the one in use */
    struct session candidates[SESSION_CANDIDATES]; /* agreed on, not yet used by the peer */
    bool has_nonce;
    uint8_t nonce[DELEGATION_NONCE];                 /* ours, pending */
    uint8_t spent[SESSION_NONCES][DELEGATION_NONCE]; /* theirs, which they will not use again: a ring */
    unsigned n_spent;
    struct timer greeting; /* TIMER_GREETING: set while we send HELLO */
    unsigned greetings;    /* HELLOs sent since it began */
    struct flow flow;
};

/* Finds by configured name or by address; NULL. */
struct peer *peer_by_name(const struct agent *agent, const char *name);
struct peer *peer_by_address(const struct agent *agent, const struct addr *address);
/* Its ARP is an agent's, for itself or for a home address: no conflict, and not to be answered. */
bool peer_is_mac(const struct agent *agent, const struct mac *mac);
bool peer_is_address(const struct agent *agent, const struct addr *address);

/* A datagram to the delegation port; protector: the peer whose ESP associations it came by, NULL: it came in
 * clear. */
void peer_input(struct agent *agent, const struct agent_datagram *datagram, const struct peer *protector,
                struct instant now);
/* HELLO now and every second until a session has begun. No effect while greeting already. */
void peer_greet(struct agent *agent, struct peer *peer, struct instant now);
bool peer_in_session(const struct peer *peer);
/* Destroys session, candidates and open transactions (each is told by its abandoned). Greets no more. */
void peer_end_session(struct agent *agent, struct peer *peer);
void peer_greeting_due(struct agent *agent, struct timer *timer, struct instant now);
/* Takes out the peers that the sweep did not see; whether they may go is the half's to say. */
void peers_sweep(struct agent *agent, struct instant now);
void peers_destroy(struct agent *agent);

/* ---- A datagram on its way out. It points into itself: not to be copied. ---- */
struct packet {
    struct peer *peer;
    uint8_t type, flags;
    uint16_t records, request; /* records: the caller's own count, never read here */
    uint32_t transaction;
    struct writer w; /* over bytes; encode records here */
    uint8_t bytes[DELEGATION_MAX];
};
/* Sets flags to DELEGATION_RESPONSE where the type is one that answers. */
void packet_begin(struct packet *packet, struct peer *peer, uint8_t type, uint32_t transaction);
/* len more bytes fit with the authenticator, within the peer's payload_max. */
bool packet_has_room(const struct packet *packet, size_t len);
/* Seals it with the session's key and the next sequence, and hands it to the effects. Returns its sequence;
 * 0: not sent (no session, or libcrypto failed). */
uint64_t packet_send(struct agent *agent, struct packet *packet, struct instant now);

/* ---- Requests that want an answer. Zeroed before it is opened first. ---- */
struct transaction {
    struct transaction *prev, *next; /* flow.open */
    struct peer *peer;
    struct timer timer; /* TIMER_TRANSACTION */
    uint32_t id;
    uint8_t type;
    uint8_t tries;    /* how often it was sent; stays at 255 */
    bool unbounded;   /* does not count against the window */
    uint64_t sent_ns; /* first */
    const struct transaction_ops *ops;
};
struct transaction_ops {
    /* The retransmission timer ran out. Sends anew (packet_begin with t->id ... packet_send, then
     * transaction_sent), or transaction_close. */
    void (*resend)(struct agent *agent, struct transaction *t, struct instant now);
    /* Its response came, its records not yet read; t is closed already and may be freed. May be NULL. */
    void (*answered)(struct agent *agent, struct transaction *t, struct instant now);
    /* The session ended; t is closed already, and may be freed. Opens none anew. */
    void (*abandoned)(struct agent *agent, struct transaction *t);
};
/* May another request be sent now? Never for those that are unbounded. */
bool flow_has_room(const struct peer *peer);
/* Gives t its id; it is open until transaction_close, its response or the end of the session. */
void transaction_open(struct peer *peer, struct transaction *t, uint8_t type,
                      const struct transaction_ops *ops, bool unbounded);
/* It has just been sent (again): counts the try, arms the timer after RFC 6298 with back-off and jitter.
 * False: no memory, the timer is not set. */
bool transaction_sent(struct agent *agent, struct transaction *t, struct instant now)
    __attribute__((warn_unused_result));
/* No effect where it is not open. */
void transaction_close(struct agent *agent, struct transaction *t);
void transaction_due(struct agent *agent, struct timer *timer, struct instant now);

/* ---- The role's half, chosen by agent->settings.role ---- */
struct peer_role {
    uint8_t hello_role; /* enum delegation_hello_role */
    /* A peer of this role, zeroed but for `is`; NULL: out of memory. It is greeted next. */
    struct peer *(*create)(struct agent *agent, const struct agent_peer *is);
    void (*destroy)(struct agent *agent, struct peer *peer);
    /* A known peer is configured again: peer->is may have changed in anything. A session that this was a
     * reason to end has ended already, and HELLO is sent next. It is dismissed no more. now is the agent's
     * start, since agent_peer_set is not told the time. */
    void (*reconfigured)(struct agent *agent, struct peer *peer, struct instant now);
    /* It was not configured again. True: it may be destroyed now; else asked again at each sweep, unless
     * peer_release says earlier that it may. */
    bool (*dismissed)(struct agent *agent, struct peer *peer, struct instant now);
    /* Fills in the role's part of a HELLO or HELLO_ACK: term and id_slot. */
    void (*introduce)(struct agent *agent, struct peer *peer, struct delegation_hello *hello);
    /* What the HELLO or HELLO_ACK said from which a session comes, just before that begins: not when it was
     * read, for it might be a replay. */
    void (*introduced)(struct agent *agent, struct peer *peer, const struct delegation_hello *hello,
                       struct instant now);
    /* A session is in use from now on; the former one's transactions were abandoned. restarted: the peer's
     * epoch is another than in the session before (or there was none). first: we are to send the session's
     * first datagram, now: the peer does not use the session before it heard one. */
    void (*began)(struct agent *agent, struct peer *peer, bool restarted, bool first, struct instant now);
    /* An authentic datagram of the session, HELLO and HELLO_ACK excepted. Responses come after their
     * transaction's answered. */
    void (*receive)(struct agent *agent, struct peer *peer, const struct delegation_header *header,
                    struct delegation_records *records, struct instant now);
    /* One step of what was left over for agent_expire, of all peers in turn. False: nothing was. */
    bool (*step)(struct agent *agent, struct instant now);
    /* step has something to do at this time. */
    bool (*has_work)(const struct agent *agent, uint64_t now_ns);
};
extern const struct peer_role primary_role;   /* primary/node.c */
extern const struct peer_role secondary_role; /* secondary/principal.c */
/* Destroys a peer that was dismissed and of which its half has now let go: at once, or when the call under
 * way for it returns. No effect on one that is configured. */
void peer_release(struct agent *agent, struct peer *peer);

#endif
