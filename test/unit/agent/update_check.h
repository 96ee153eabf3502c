/* SPDX-License-Identifier: BSD-3-Clause */
/* Binding updates as bytes, and what makes them wrong in more than one suite. */
#ifndef TEST_AGENT_UPDATE_CHECK_H
#define TEST_AGENT_UPDATE_CHECK_H

#include "lab6_check.h"

enum { UPDATE_ROOM = 2048 };

struct sent {
    struct ask6 ask;
    uint8_t bytes[UPDATE_ROOM];
    size_t len;
};

static inline void encode(struct sent *s)
{
    s->len = lab6_encode(&lab, &s->ask, s->bytes, sizeof(s->bytes));
}

/* As if it had been sent so. */
static inline void checksum(struct sent *s)
{
    s->bytes[4] = s->bytes[5] = 0;
    const uint32_t pseudo = ip_pseudo_sum(&s->ask.home, &s->ask.destination, IPPROTO_NUM_MOBILITY, s->len);
    const uint16_t sum = inet_finish(inet_sum(pseudo, s->bytes, s->len));
    s->bytes[4] = (uint8_t)(sum >> 8);
    s->bytes[5] = (uint8_t)sum;
}

static inline void set_byte(struct sent *s, size_t at, uint8_t value)
{
    encode(s);
    s->bytes[at] = value;
    checksum(s);
}

static inline void payload_protocol(struct sent *s)
{
    set_byte(s, 0, IPPROTO_NUM_UDP);
}

static inline void header_length(struct sent *s)
{
    encode(s);
    s->bytes[1] = 0;
    s->len = 8; /* as it says */
    checksum(s);
}

/* ---- As the mobile node asks for it ---- */

static inline void no_timestamp(struct ask6 *ask)
{
    ask->m.options.has_timestamp = false;
}

static inline void care_of(struct ask6 *ask, const char *text)
{
    ask->m.options.has_alternate_care_of = true;
    ask->m.options.alternate_care_of = ip(text);
}

static inline void care_of_in_home_network(struct ask6 *ask)
{
    care_of(ask, "2001:db8:1::777");
}

static inline void mobile_router(struct ask6 *ask)
{
    ask->m.flags |= MIP6_MOBILE_ROUTER;
}

#endif
