/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port's router advertisements: when they are due (RFC 4861 sections 6.2.4 to 6.2.6) and what they say (RFC
 * 6275 section 7). It reads no clock and sends nothing; chance is an argument.
 *
 * Control's alone.
 */
#ifndef HOMEPORTD_ADVERTISER_H
#define HOMEPORTD_ADVERTISER_H

#include "conf.h"
#include "nd.h"

/* RFC 4861 section 10. */
enum {
    ADVERTISER_INITIAL = 3,
    ADVERTISER_INITIAL_INTERVAL_MS = 16000,
    ADVERTISER_APART_MS = 3000, /* of two to all nodes */
    ADVERTISER_DELAY_MS = 500   /* of an answer, at most */
};

/* All zero: off. */
struct advertiser {
    bool on;
    unsigned initial_left;
    uint64_t due_ns;
    uint64_t last_ns; /* 0: none has been sent */
    uint64_t random;  /* state of what spreads the moments; not secret */
};

void advertiser_start(struct advertiser *a, uint64_t seed, uint64_t now_ns);
void advertiser_stop(struct advertiser *a);
/* A host has solicited. */
void advertiser_solicited(struct advertiser *a, uint64_t now_ns);
/* One is to be sent now; the next is planned. */
bool advertiser_due(struct advertiser *a, uint16_t interval_s, uint64_t now_ns);
/* TIMER_NEVER: off. */
uint64_t advertiser_deadline(const struct advertiser *a);

/* What the port says: its advertisement settings, and of each of the n usable addresses its prefix with the
 * address itself (RFC 6275 section 7.2). home_agent: one serves here. */
struct nd_router advertiser_content(const struct conf_advertisement *settings, bool home_agent, uint16_t mtu,
                                    const struct prefix *addresses, size_t n);
/* That it is none any more (RFC 4861 section 6.2.5). */
struct nd_router advertiser_farewell(void);

#endif
