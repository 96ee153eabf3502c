/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A binding update on its way through the home agent: what update_checks.c and binding_update.c share, and
 * nobody else includes.
 */
#ifndef AGENT_UPDATE_H
#define AGENT_UPDATE_H

#include "internal.h"
#include "mip6.h"

/* One that waits for duplicate address detection. */
struct pending {
    struct petition petition;
    uint32_t spi; /* of what signs the acknowledgement (RFC 4285); 0: nothing does */
};

/* One update on its way through the phases. */
struct update {
    struct agent *agent;
    const struct agent_datagram *datagram; /* NULL: it has waited */
    struct instant now;
    struct petition asked;
    struct mip6_options options;
    struct mobile *mobile;     /* whose it says it is */
    struct security *security; /* that it is signed with; NULL: none */
};

struct verdict {
    enum { PASS, DISCARD, REFUSE, ABSORB, UNKNOWN_TYPE, PROBLEM } outcome;
    uint8_t status;             /* REFUSE: enum mip6_status */
    uint8_t pointer;            /* PROBLEM: to the faulty byte of the mobility header */
    bool resynchronise;         /* REFUSE: the acknowledgement's timestamp is to be ours */
    enum agent_counter counter; /* DISCARD, PROBLEM */
};

static inline struct verdict refuse(enum mip6_status status)
{
    return (struct verdict){.outcome = REFUSE, .status = (uint8_t)status};
}

/* RFC 6275 section 6.1.7: only a lifetime of zero deletes. */
static inline bool update_asks_to_end(const struct update *u)
{
    return u->asked.lifetime == 0;
}

/* Timestamps, not sequence numbers, tell its age. */
static inline bool update_is_timed(const struct update *u)
{
    return u->security != NULL && u->security->replay == REPLAY_TIMESTAMP;
}

/* ---- update_checks.c ---- */
/* It is what it says it is. Its sequence number counts from here on. */
struct verdict update_is_genuine(struct update *u);
/* It can be granted as things are now. Changes nothing. */
struct verdict update_is_grantable(struct update *u);

/* ---- binding_update.c ---- */
void update_note(const struct update *u, enum note_kind kind, uint8_t status, uint32_t lifetime_s);

#endif
