/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A population of mobile nodes whose registrations are ready as datagrams: what a benchmark of registration
 * needs, whatever it does with the effects.
 */
#ifndef TEST_PERF_REGISTRATION_H
#define TEST_PERF_REGISTRATION_H

#include "lab.h"

#define POPULATION_HOME_AGENT   "10.255.0.1"
#define POPULATION_HOME_NETWORK "11.0.0.0/8"
/* The same of IPv6: binding updates with RFC 4285's authentication and timestamps. */
#define POPULATION_HOME_AGENT6   "2001:db8:1::2"
#define POPULATION_HOME_NETWORK6 "2001:db8:1::/64"

enum {
    PERF_DATAGRAM = 64,
    PERF_REQUEST = MIP4_REQUEST_FIXED + 22, /* bytes; a request with HMAC-MD5 has 46 */
    PERF_UPDATE = 48
};

struct population {
    struct agent *agent;
    bool owns_agent;
    bool ipv6;
    struct auth *auth;
    struct instant now;
    size_t n;
    uint32_t *order;                     /* random, another one each round */
    uint8_t (*datagrams)[PERF_DATAGRAM]; /* in this order */
    uint64_t state;                      /* of the shuffle */
};

/* An effect of a registration is handed over here; NULL: effects are only taken out. */
typedef void (*perf_effect)(void *context, const struct effect *effect);

/* n mobile nodes, none of them bound, with an agent of their own. NULL agent: out of memory. */
struct population population_open(size_t n, bool ipv6);
/* The same with an agent that serves the family's POPULATION_HOME_AGENT and POPULATION_HOME_NETWORK already
 * and stays the caller's. */
struct population population_over(struct agent *agent, size_t n, bool ipv6, struct instant now);
void population_close(struct population *p);
/* Writes the next round's requests: each mobile node once, in random order; not part of what is measured. */
void population_prepare(struct population *p);
/* Feeds requests first .. end - 1 of the round. Returns how many were accepted at once: all, but of IPv6
 * first ones, which wait for duplicate address detection. */
size_t population_register(struct population *p, size_t first, size_t end, perf_effect effect, void *context);
/* Lets time pass until detections are over. Returns how many were accepted. */
size_t population_detect(struct population *p);
/* Who sends the request at this place of the round: its care-of address. */
struct addr population_source(const struct population *p, size_t place);
/* The home address of mobile node i, the same in every population of its family. */
struct addr population_home(const struct population *p, size_t i);
/* Ends all bindings. */
void population_revoke(struct population *p);

#endif
