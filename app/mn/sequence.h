/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What came of a numbered stream whose sender counts from 0: received, lost, duplicates, out of order.
 * Duplicates are told within a window of the newest numbers; what arrives from below it is taken as late. One
 * owner thread.
 */
#ifndef MN_SEQUENCE_H
#define MN_SEQUENCE_H

#include <stdint.h>

enum { SEQUENCE_WINDOW = 1024 };

/* Zero-initialised: nothing received. */
struct sequence {
    uint64_t next; /* one above the highest number seen */
    uint64_t received;
    uint64_t duplicates;
    uint64_t out_of_order; /* not a duplicate, but after a higher number */
    uint64_t seen[SEQUENCE_WINDOW / 64];
};

void sequence_note(struct sequence *s, uint64_t number);
/* Numbers below the highest seen that have not come (yet). */
uint64_t sequence_lost(const struct sequence *s);

#endif
