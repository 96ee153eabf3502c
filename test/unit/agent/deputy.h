/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A secondary in virtual time, and two primaries that the test plays, datagram by datagram. It aborts where
 * it cannot go on.
 *
 *     secondary     id 9, 10.1.0.9, 2001:db8:1::9; home networks 10.1.0.0/16, 10.2.0.0/24, 2001:db8:1::/64;
 *                   MAC 02:00:00:00:00:09
 *     primary 0     id 1, 10.1.0.1, 2001:db8:1::1, "one"; 10.1.0.0/16, 2001:db8:1::/64; IP-ID slot 5
 *     primary 1     id 2, 10.2.0.1, "two"; 10.0.0.0/8; IP-ID slot 6
 *     mobile i      10.1.1.i, care-of address 192.0.2.i; or 2001:db8:1::1:i, 2001:db8:2::i
 */
#ifndef TEST_AGENT_DEPUTY_H
#define TEST_AGENT_DEPUTY_H

#include "agent.h"

enum { DEPUTY_PRIMARIES = 2, DEPUTY_LOG = 4096, DEPUTY_LEASE_MS = 1500, DEPUTY_TERM = 3 };

/* A datagram from the secondary to one primary. */
struct heard {
    int to;
    bool read; /* by deputy_take */
    struct delegation_header header;
    size_t len;
    uint8_t bytes[DELEGATION_MAX];
};

struct primary {
    uint16_t id;
    uint64_t epoch;
    struct auth_key key; /* configured */
    uint8_t nonce[DELEGATION_NONCE];
    bool met;
    struct delegation_hello hello; /* the secondary's last */
    uint64_t their_epoch;
    struct auth_key session;
    uint64_t sent;
    uint32_t transaction;
    uint16_t payload_max;
    uint64_t floor; /* in leases */
    uint64_t generation;
    struct delegation_lease lease; /* that deputy_lease gives, but for its sequence */
    bool deaf;                     /* answers no KEEPALIVE in deputy_wait */
    bool mute;                     /* nor anything else */
};

struct deputy {
    struct agent_settings settings;
    struct addr
        reserved[5]; /* 10.1.0.9, 10.1.0.10, 198.51.100.9, 2001:db8:1::9, its own; 10.1.0.254, a router
                      */
    struct agent *agent;
    struct auth *auth;
    struct instant now;
    struct primary primaries[DEPUTY_PRIMARIES];
    struct heard *heard; /* since deputy_forget */
    size_t n_heard;
    struct effect *log; /* all but what is sent to a primary is kept whole */
    size_t n_log;
};

struct addr ip(const char *text);
struct addr deputy_home(unsigned i);
struct addr deputy_care_of(unsigned i);

/* Configured, and greeting. */
void deputy_open(struct deputy *deputy);
void deputy_close(struct deputy *deputy);
/* As deputy_open does, with these settings of the deputy's; nothing is met yet. */
void deputy_start(struct deputy *deputy);
struct agent_peer deputy_peer(const struct deputy *deputy, int which);
/* The primary answers the greeting: a session; then a lease, if wanted. */
void deputy_meet(struct deputy *deputy, int which, bool leased);
/* The session is replaced. */
void deputy_meet_again(struct deputy *deputy, int which, bool leased);
/* Answers the KEEPALIVE heard last. */
void deputy_lease(struct deputy *deputy, int which);
/* A KEEPALIVE's answer without LEASE. */
void deputy_answer_without_lease(struct deputy *deputy, int which);
/* Lets time pass; the agent is called at its deadlines. Requests heard are answered at once, unless deaf or
 * mute. */
void deputy_wait(struct deputy *deputy, uint64_t ms);
/* What is heard and logged from now on stands alone. */
void deputy_forget(struct deputy *deputy);
void deputy_drain(struct deputy *deputy);

/* Of the present session, records as written to w. Returns its transaction. */
struct dispatch {
    struct writer w;
    uint8_t bytes[DELEGATION_MAX];
};
void deputy_begin(struct dispatch *dispatch);
uint32_t deputy_send(struct deputy *deputy, int which, uint8_t type, struct dispatch *dispatch);
void deputy_respond(struct deputy *deputy, int which, const struct heard *heard);

/* The next datagram of this type to this primary that was not read yet; NULL: none. */
const struct heard *deputy_take(struct deputy *deputy, int which, uint8_t type);
struct delegation_records deputy_records(const struct heard *heard);
unsigned deputy_count(const struct deputy *deputy, int which, uint8_t type);
size_t deputy_effects(const struct deputy *deputy, enum effect_kind kind);
const struct effect *deputy_effect(const struct deputy *deputy, enum effect_kind kind);
/* Effects in order, without notes and listening: I, R, A, S, Y; returns buf. */
const char *deputy_order(const struct deputy *deputy, char buf[static 64]);
uint64_t deputy_counter(const struct deputy *deputy, enum agent_counter c);

/* ---- Orders ---- */
uint64_t deputy_next(struct deputy *deputy, int which);
/* Mobile i to its care-of address for 100 s, intercepting and announcing, the source unspecified. */
struct delegation_start deputy_start_of(struct deputy *deputy, int which, unsigned i);
/* The same of IPv6, the source the primary's; its STOP is that of an IPv4 one with another home. */
struct delegation_start deputy_start_ipv6(struct deputy *deputy, int which, unsigned i);
struct addr deputy_home_ipv6(unsigned i);
struct delegation_stop deputy_stop_of(struct deputy *deputy, int which, unsigned i); /* moved, linger 30 s */
/* Sends one, and reads its one acknowledgement. */
struct delegation_ack deputy_do_start(struct deputy *deputy, int which, const struct delegation_start *start);
struct delegation_ack deputy_do_stop(struct deputy *deputy, int which, const struct delegation_stop *stop);

#endif
