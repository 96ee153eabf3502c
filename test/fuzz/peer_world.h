/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A primary and a real secondary with a wire between them, in virtual time, for fuzz_peer.c: what they do is
 * carried out here (peer_world.c), what must hold of them at any time is looked at in peer_check.c, and
 * peer_records.c makes records that may pass out of random bytes. One world, with home addresses of both
 * families.
 */
#ifndef FUZZ_PEER_WORLD_H
#define FUZZ_PEER_WORLD_H

#include "flock.h"
#include "fuzz.h"
#include "lab6.h"
#include "primary/policy.h"
#include "secondary/held.h"

enum {
    ENDS = 2,
    PRIMARY = 0,
    SECONDARY = 1,
    WIRE = 1024,
    KEPT = 32,
    INSTALLED = 1024,
    MOBILES = 8, /* known to the primary */
    HOMES = 16,
    STUCK = 100000
};

struct end {
    struct agent *agent;
    struct forwarding installed[INSTALLED];
    size_t n_installed;
    bool lost; /* what is sent to it */
    struct auth_key session;
    uint64_t generations[HOMES]; /* held in this session */
};

struct world {
    struct flock flock;
    struct end ends[ENDS];
    struct message wire[WIRE];
    size_t n_wire;
    struct message kept[KEPT];
    size_t n_kept;
};

extern struct world world;

struct instant *world_now(void);
struct addr world_address(unsigned end);
/* Every other one is IPv6; the mobile nodes' come first. */
struct addr world_home(size_t n);
bool world_is_ipv6(size_t home);
/* Of the home address's family. */
struct addr world_care_of(size_t home, unsigned n);
/* A mobile node's request from there, or with no care-of address from home, to bytes. */
struct agent_datagram world_request(size_t mobile, const struct addr *care_of, uint8_t bytes[static 512]);
void world_populate(void);
/* What an end knows of the other; NULL: it is not configured. */
struct peer *world_peer(unsigned end);
struct forwarding *world_installed(struct end *end, const struct addr *home);
void world_collect(void);
unsigned world_end_at(const struct addr *address);
void world_feed(unsigned to, const struct addr *from, const uint8_t *bytes, size_t len);
/* Delivers until nothing is under way. */
void world_pump(void);
void world_wait_ms(uint64_t ms);

/* ---- peer_check.c ---- */
void world_check(void);

/* ---- peer_records.c ---- */
uint32_t record_span(struct reader *r);
/* For a datagram of this type, as a rule. */
void record_add(struct writer *w, struct reader *r, uint8_t type);
size_t record_count(const uint8_t *bytes, size_t len);

#endif
