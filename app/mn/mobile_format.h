/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two families' messages and timers differ in; the mobile node's state machine, mobile.c, is one.
 * For mobile.c and the formats alone.
 */
#ifndef MN_MOBILE_FORMAT_H
#define MN_MOBILE_FORMAT_H

#include "mobile.h"

enum { MOBILE_FOREVER = UINT32_MAX }; /* a lifetime */

/* What a reply says. */
struct mobile_said {
    uint8_t code;
    bool success;
    uint32_t lifetime_s; /* or MOBILE_FOREVER */
    uint32_t refresh_s;  /* advised; 0: nothing is */
    uint64_t identification;
    uint16_t sequence;
    struct addr home_agent; /* IPv4's; of IPv6 addr_unspecified */
};

struct mobile_format {
    /* From a request to the one after it; doubled each time. */
    uint64_t first_interval_ns;   /* while the home agent has no binding */
    uint64_t next_interval_ns;    /* while it has one */
    uint64_t longest_interval_ns; /* nor longer than the lifetime, if bounded_by_lifetime */
    bool bounded_by_lifetime;
    /* At home the home address is announced before the deregistration (RFC 5944 section 4.6) or after its
     * acknowledgement (RFC 6275 section 11.5.5), and again after these times. */
    bool announces_first;
    uint8_t repetitions;
    uint64_t announce_after_ns[3];
    /* What can be asked for of what the policy says. */
    uint32_t (*lifetime)(uint16_t policy_s);
    /* Gives m->request what its reply is known by, unless it is to be the same bytes again. True: it has. */
    bool (*identify)(struct mobile *m, struct instant now);
    /* Source, destination and message. False: libcrypto failed. */
    bool (*encode)(const struct mobile *m, struct auth *auth, struct mobile_output *out);
    /* MOBILE_ACCEPTED: what was said may be believed, whatever it is. */
    enum mobile_verdict (*read)(const struct mobile *m, struct auth *auth, const struct mobile_reply *reply,
                                struct mobile_said *said);
    /* A refusal. True: it is repaired, and worth another request. */
    bool (*repair)(struct mobile *m, const struct mobile_said *said);
    const char *(*code_text)(uint8_t code);
};

extern const struct mobile_format mobile_ipv4;
extern const struct mobile_format mobile_ipv6;

uint64_t mobile_draw(struct mobile *m);
/* The time of day in NTP format, greater than any used before; bits that the clock does not give (two:
 * nanoseconds) are random (RFC 5944 section 5.7.1, RFC 4285 section 6). */
uint64_t mobile_next_timestamp(struct mobile *m, uint64_t ntp);
/* A refused timestamp came back with the home agent's seconds on top. */
void mobile_resynchronise(struct mobile *m, uint64_t identification);

#endif
