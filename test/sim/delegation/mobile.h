/* SPDX-License-Identifier: BSD-3-Clause */
/* A mobile node: it registers, renews, moves, deregisters, comes home, falls silent. */
#ifndef SIM_MOBILE_H
#define SIM_MOBILE_H

#include "agent.h"
#include "link.h"
#include "paper.h"
#include "timerq.h"

struct world;

enum { REQUEST_MAX = 128 };

struct mobile {
    struct world *world;
    size_t number;
    struct addr home;
    struct association sa;
    struct mac mac;
    struct timer act, retry, packet;
    bool link_local; /* IPv6: its link-local address is to be intercepted, too */

    /* its own view */
    bool away;   /* from the home link */
    bool rests;  /* has a long lifetime until the end */
    bool silent; /* does nothing, so that its binding expires */
    struct addr care_of;
    uint32_t places;              /* care-of addresses so far */
    uint32_t nonce, low;          /* low counts its requests */
    uint64_t shift;               /* NTP: what it adds to its clock since the home agent told it so */
    struct wish wish;             /* of the last request */
    uint8_t pending[REQUEST_MAX]; /* the last request */
    size_t pending_len;
    bool waiting;
    unsigned tries;

    /* who others think it is */
    struct cached cache[OBSERVERS];

    /* what the invariants need to know */
    uint64_t answered_by_ns; /* by when the primary has concluded on all that it has heard */
    uint64_t asked_ns; /* when the request reached the primary that it has to answer; TIMER_NEVER: none */
    uint32_t asked_number;
    uint64_t replied_ns;        /* the last acceptance; TIMER_NEVER: none in this binding */
    uint64_t ended_ns;          /* when its binding ended; TIMER_NEVER: it lives, or never was */
    uint64_t bound_ns;          /* when its binding began */
    uint64_t renewed_late_ns;   /* when it asked last in the last second of its binding */
    uint64_t changed_ns;        /* when the primary's entry changed last */
    uint64_t due_ns;            /* the latest end that was ever granted */
    bool ran_out;               /* its forwarder's entry ended by itself: no renewal came in time; until
                                   somebody intercepts */
    uint64_t gap_ns;            /* since when nobody intercepts; TIMER_NEVER: somebody does */
    uint64_t sent, lost;        /* packets */
    uint8_t heard[REQUEST_MAX]; /* the request that reached the primary last */
    size_t heard_len;
    uint32_t heard_number;
    struct addr heard_source;
    struct paper_request taken; /* the last request that was accepted */
    uint32_t taken_life;        /* of the primary then: its number of starts; 0: none was */
    uint8_t old[REQUEST_MAX];   /* an accepted request, for an attacker to replay */
    size_t old_len;
    struct addr old_source;
};

/* A request or reply on its way. */
struct letter {
    struct timer timer;
    size_t mobile;
    struct addr source;
    size_t len;
    uint8_t bytes[AGENT_MESSAGE_MAX];
};

void mobile_init(struct world *world, size_t number);
void mobile_act_due(struct mobile *mobile);
void mobile_retry_due(struct mobile *mobile);
/* Asks for a binding at the present or another place. */
void mobile_register(struct mobile *mobile, bool elsewhere, uint16_t lifetime_s);
void mobile_return(struct mobile *mobile);
/* What the primary sends to it; travels. */
void mobile_send_reply(struct world *world, const struct message *message);
void mobile_request_arrives(struct world *world, struct letter *letter);
void mobile_reply_arrives(struct world *world, struct letter *letter);
/* The primary takes these bytes as a request from source. */
void mobile_deliver(struct world *world, const struct mobile *mobile, const struct addr *source,
                    const uint8_t *bytes, size_t len);

struct addr mobile_home(const struct world *world, size_t number);
/* What its clock shows, NTP. */
uint64_t mobile_clock(const struct mobile *mobile);
/* Within so long the primary answers what it has heard. */
uint64_t mobile_patience_ns(const struct mobile *mobile);
/* The primary has stood still since then. */
void mobile_was_kept_waiting(struct mobile *mobile, uint64_t since_ns);
/* -1: nobody's. */
int mobile_by_address(const struct world *world, const struct addr *home);
/* The primary is up and has a binding of it. */
bool mobile_is_bound(const struct mobile *mobile);

#endif
