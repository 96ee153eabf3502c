/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What mobile nodes and their home agent write to each other: registration requests and replies (RFC 5944),
 * binding updates and acknowledgements (RFC 6275, RFC 4285), read and written as one thing.
 */
#ifndef SIM_PAPER_H
#define SIM_PAPER_H

#include "agent.h"

struct mobile;
struct world;

struct wish {
    struct addr care_of; /* the home address: it is back */
    uint16_t lifetime_s; /* 0: an end */
    bool keeps_others;   /* IPv4's */
};

/* What tells one request of a mobile node from another is a number that counts up: the low half of IPv4's
 * Identification, IPv6's sequence number. */
struct paper_request {
    uint32_t number;
    uint64_t time; /* its timestamp; meaningless without */
    uint32_t lifetime_s;
};

struct paper_reply {
    int mobile; /* -1: a stranger */
    uint32_t number;
    uint8_t code;
    bool success;
    bool stale;     /* refused as a replay, or for a clock that is off: to be asked anew */
    bool elsewhere; /* number is not the request's, but the last that was taken */
    uint64_t time;  /* stale: an Identification or a timestamp to go on from */
    uint32_t lifetime_s;
};

bool paper_is_ipv6(const struct mobile *mobile);
/* a was written after b. */
bool paper_is_later(const struct mobile *mobile, uint32_t a, uint32_t b);
/* The mobile node's number as it stands in what it wrote last. */
uint32_t paper_number(const struct mobile *mobile);
/* The next request into mobile->pending. */
void paper_write(struct mobile *mobile, const struct wish *wish);
struct paper_request paper_read_request(const struct mobile *mobile, const uint8_t *bytes, size_t len);
/* to: where it goes; an IPv4 one says itself whose it is. False: it does not decode. */
bool paper_read_reply(const struct world *world, const struct addr *to, const uint8_t *bytes, size_t len,
                      struct paper_reply *out);

#endif
