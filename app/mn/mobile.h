/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One mobile node with a co-located care-of address, of the family of its home address (RFC 5944 section 3.6,
 * RFC 6275 section 11.7): what it wants, what it asked its home agent for, what it was granted. A "request"
 * is a registration request or a binding update, its "reply" a registration reply or a binding
 * acknowledgement.
 *
 * It reads no clock, opens no socket and draws no randomness but from the seed it is given: time is an
 * argument, what it wants sent is returned. Its owner calls mobile_expire when mobile_deadline has come, and
 * mobile_input with every reply for its home address. One thread.
 */
#ifndef MN_MOBILE_H
#define MN_MOBILE_H

#include "addr.h"
#include "auth.h"
#include "instant.h"
#include "timerq.h"

/* IPv4 knows the first two (RFC 5944 section 5.7); IPv6 the replay option of RFC 4285, or the sequence
 * numbers that binding updates have anyway (RFC 6275 section 9.5.1). */
enum mobile_replay { MOBILE_TIMESTAMP, MOBILE_NONCE, MOBILE_SEQUENCE };

/* The mobility security association with the home agent, and whose it is. */
struct mobile_identity {
    struct addr home;
    struct auth_key key;
    uint32_t spi;
    uint8_t replay;  /* enum mobile_replay */
    const char *nai; /* NULL: none; outlives the mobile node */
};

/* What all mobile nodes of a run have in common. */
struct mobile_policy {
    uint16_t lifetime_s; /* asked for */
    uint16_t renew_s;    /* after so long; 0: after four fifths of what was granted */
    uint8_t tries;       /* requests for one wish before it is given up; 0: never given up */
    bool reverse_tunnel; /* asks for one (T, RFC 3024); IPv6 has it always */
};

enum mobile_goal {
    MOBILE_NOTHING, /* has not started */
    MOBILE_ABROAD,  /* bound at its care-of address */
    MOBILE_UNBOUND, /* abroad, the binding of its care-of address deleted */
    MOBILE_HOME     /* on its home link, all bindings deleted */
};

enum mobile_state {
    MOBILE_IDLE,
    MOBILE_ASKING,  /* a request is due or unanswered */
    MOBILE_SETTLED, /* the goal is reached */
    MOBILE_FAILED   /* denied for good, or no answer */
};

/* The request that waits for its reply (RFC 5944 section 3.6 and RFC 6275 section 11.1 list what must be
 * kept). */
struct mobile_request {
    uint64_t identification; /* IPv6: the timestamp, if there is one */
    uint64_t first_ntp;      /* when these very bytes were sent first, by either clock */
    uint64_t first_ns;
    uint64_t last_ns; /* when any request was sent last; 0: never */
    uint32_t copies;  /* how often it was sent; 0: a new request is to be made */
    uint32_t lifetime_s;
    uint16_t sequence; /* IPv6 */
};

struct mobile_format;

struct mobile {
    const struct mobile_policy *policy;
    const struct mobile_format *format;
    struct mobile_identity identity;
    struct addr home_agent;
    struct addr care_of;
    struct mobile_request request;
    struct addr bound_to;    /* the care-of address of the binding */
    uint64_t bound_until_ns; /* 0: no binding; TIMER_NEVER: infinite */
    uint64_t due_ns;         /* the next request */
    uint64_t interval_ns;    /* from it to the one after it */
    uint64_t announce_ns;    /* the next gratuitous ARP or neighbour advertisement */
    uint64_t newest_id;      /* timestamps: the greatest that the home agent may have accepted; 0: none */
    uint64_t accepted_id;    /* timestamps: the last that it did accept; 0: none */
    uint64_t clock_ahead;    /* timestamps: the home agent's clock minus ours, modulo 2^64 */
    uint64_t random;
    uint32_t nonce;    /* nonces: the home agent's last */
    uint32_t tries;    /* requests sent for the present wish */
    uint16_t sequence; /* IPv6: the last that was used */
    uint8_t goal;      /* enum mobile_goal */
    uint8_t state;     /* enum mobile_state */
    uint8_t announced;
    bool disappointed;  /* some wish of its life ended in MOBILE_FAILED */
    struct timer timer; /* the owner's, for mobile_deadline */
};

/* The longer of the two: the fixed part, the alternate care-of address, the identifier, the timestamp, the
 * authenticator, each with its padding. */
enum { MOBILE_MESSAGE_MAX = 12 + 22 + 3 + 255 + 17 + 22 + 8 };

/* What to do now, in this order. */
struct mobile_output {
    bool announce; /* say on the home link, by a broadcast gratuitous ARP or a neighbour advertisement to
                      all nodes, that the home address is here */
    bool retransmission; /* of the request below */
    bool gave_up;        /* no answer to any of the tries */
    struct addr source;
    struct addr destination;
    struct addr home; /* for a Home Address option (RFC 6275 section 6.3); addr_unspecified: without one */
    size_t len;       /* 0: nothing to send; of UDP to port 434, or a Mobility Header */
    uint8_t message[MOBILE_MESSAGE_MAX];
};

/* A UDP payload that came from port 434, or a Mobility Header. */
struct mobile_reply {
    struct addr source;
    struct addr home; /* the IPv6 datagram's final destination; a registration reply names it itself */
    const uint8_t *message;
    size_t len;
};

/* X(name, text): what became of a reply; from NOT_ASKED on it was discarded (RFC 5944 section 3.6.2.1, RFC
 * 6275 section 11.7.3). */
#define MOBILE_VERDICTS(X)                                                     \
    X(ACCEPTED, "accepted")                                                    \
    X(DENIED, "denied")                                                        \
    X(REPAIRING, "denied, to be asked again")                                  \
    X(NOT_ASKED, "reply though no request waits")                              \
    X(MALFORMED, "malformed reply")                                            \
    X(IDENTIFICATION, "reply to another request than the latest")              \
    X(FOREIGN_AGENT, "foreign agent's denial though none was asked")           \
    X(UNAUTHENTICATED, "reply without exactly one mobile-home authentication") \
    X(BAD_AUTHENTICATOR, "reply that does not authenticate")

enum mobile_verdict {
#define X(name, text) MOBILE_##name,
    MOBILE_VERDICTS(X)
#undef X
        MOBILE_VERDICT_COUNT
};

struct mobile_answer {
    enum mobile_verdict verdict;
    uint8_t code;
    uint64_t latency_ns; /* from the request to this reply; 0: not known (RFC 5944 section 3.6.3, nonces) */
};

const char *mobile_verdict_text(enum mobile_verdict verdict);
/* Of a reply's code or status, in the mobile node's family. */
const char *mobile_code_text(const struct mobile *m, uint8_t code);

void mobile_init(struct mobile *m, const struct mobile_policy *policy, const struct mobile_identity *identity,
                 const struct addr *home_agent, uint64_t seed);

/*
 * Sets a goal to be asked for from at_ns on. care_of matters for MOBILE_ABROAD only. A movement is asked for
 * at once; the same thing again not within a second of the last request (RFC 5944 section 3.6).
 */
void mobile_want(struct mobile *m, enum mobile_goal goal, const struct addr *care_of, uint64_t at_ns);

/* When mobile_expire is to be called next; TIMER_NEVER: not before something else happens. */
uint64_t mobile_deadline(const struct mobile *m);
/* Does what is due at now: announce, ask, ask again, renew, give up. */
void mobile_expire(struct mobile *m, struct auth *auth, struct instant now, struct mobile_output *out);
struct mobile_answer mobile_input(struct mobile *m, struct auth *auth, struct instant now,
                                  const struct mobile_reply *reply);

/* True: some request has been sent and not answered. */
static inline bool mobile_waits(const struct mobile *m)
{
    return m->state == MOBILE_ASKING && m->request.copies > 0;
}

/* True: for all that it knows its home agent holds a binding, to its present care-of address. */
bool mobile_is_bound(const struct mobile *m, uint64_t now_ns);
/* True: nothing more to ask or to announce until something new is wanted or the binding must be renewed. */
bool mobile_is_quiet(const struct mobile *m);

#endif
