/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One mobile node with a co-located care-of address (RFC 5944 section 3.6): what it wants, what it asked its
 * home agent for, what it was granted.
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

enum mobile_replay { MOBILE_TIMESTAMP, MOBILE_NONCE };

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
    bool reverse_tunnel; /* asks for one (T, RFC 3024) */
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

/* The request that waits for its reply (RFC 5944 section 3.6 lists what must be kept). */
struct mobile_request {
    uint64_t identification;
    uint64_t first_ntp; /* when these very bytes were sent first, by either clock */
    uint64_t first_ns;
    uint64_t last_ns; /* when any request was sent last; 0: never */
    uint32_t copies;  /* how often these very bytes were sent; 0: a new request is to be made */
    uint16_t lifetime_s;
};

struct mobile {
    const struct mobile_policy *policy;
    struct mobile_identity identity;
    struct addr home_agent;
    struct addr care_of;
    struct mobile_request request;
    struct addr bound_to;    /* the care-of address of the binding */
    uint64_t bound_until_ns; /* 0: no binding; TIMER_NEVER: infinite */
    uint64_t due_ns;         /* the next request */
    uint64_t interval_ns;    /* from it to the one after it */
    uint64_t announce_ns;    /* the next gratuitous ARP */
    uint64_t newest_id;      /* timestamps: the greatest that the home agent may have accepted; 0: none */
    uint64_t accepted_id;    /* timestamps: the last that it did accept; 0: none */
    uint64_t clock_ahead;    /* timestamps: the home agent's clock minus ours, modulo 2^64 */
    uint64_t random;
    uint32_t nonce; /* nonces: the home agent's last */
    uint32_t tries; /* requests sent for the present wish */
    uint8_t goal;   /* enum mobile_goal */
    uint8_t state;  /* enum mobile_state */
    uint8_t announced;
    bool disappointed;  /* some wish of its life ended in MOBILE_FAILED */
    struct timer timer; /* the owner's, for mobile_deadline */
};

enum { MOBILE_MESSAGE_MAX = 24 + 2 + 255 + 6 + AUTH_MAX };

/* What to do now, in this order. */
struct mobile_output {
    bool announce;       /* broadcast a gratuitous ARP for the home address on the home link */
    bool retransmission; /* of the request below */
    bool gave_up;        /* no answer to any of the tries */
    struct addr source;
    struct addr destination;
    size_t len; /* 0: nothing to send */
    uint8_t message[MOBILE_MESSAGE_MAX];
};

/* X(name, text): what became of a reply; from NOT_ASKED on it was discarded, RFC 5944 section 3.6.2.1. */
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
/* A UDP payload that came from port 434. */
struct mobile_answer mobile_input(struct mobile *m, struct auth *auth, struct instant now,
                                  const uint8_t *message, size_t len);

/* True: for all that it knows its home agent holds a binding, to its present care-of address. */
bool mobile_is_bound(const struct mobile *m, uint64_t now_ns);
/* True: nothing more to ask or to announce until something new is wanted or the binding must be renewed. */
bool mobile_is_quiet(const struct mobile *m);

#endif
