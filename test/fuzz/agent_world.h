/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A live home agent of both families, for fuzz_agent.c and fuzz_update.c, and what it told forwarding. What
 * must hold of the two at any time is looked at here.
 */
#ifndef FUZZ_AGENT_WORLD_H
#define FUZZ_AGENT_WORLD_H

#include "fuzz.h"
#include "lab6.h"

enum { WORLD_HOMES = LAB_MOBILES + LAB6_MOBILES };

struct world {
    struct lab lab;
    struct forwarding installed[WORLD_HOMES];
    bool is_installed[WORLD_HOMES];
};

/* Those of IPv4 first. */
struct addr world_home(size_t n);
/* Carries out what the log has for forwarding. True: it changed. */
bool world_replay(struct world *w);
/* What forwarding was told is what is bound. */
void world_check(const struct world *w);
/* At most one answer, and only what is signed changes anything. */
void world_send_update(struct world *w, const struct ask6 *ask);
/* At most 255 bytes as a Mobility Header, whatever they claim; under the right checksum, or as they are. */
void world_send_bytes(struct world *w, const struct ask6 *ask, const uint8_t *bytes, size_t len,
                      bool right_checksum);
void world_revoke(struct world *w, const struct addr *home);

#endif
