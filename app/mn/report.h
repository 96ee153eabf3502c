/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run says about itself: the progress line, the answer to `status`, and the report at its end, as text
 * or as one JSON object in one line. One owner thread.
 */
#ifndef MN_REPORT_H
#define MN_REPORT_H

#include "fleet.h"
#include "tunnel.h"

#include <stdio.h>

struct report {
    struct fleet *fleet;
    const struct tunnel_counters *tunnel;
    uint64_t unsent; /* requests that the kernel refused to send */
    int unsent_errno;
    uint64_t peak; /* registrations accepted in the best second */
};

/* Of the last second. */
struct progress {
    uint64_t accepted;
    uint64_t packets;
};

void report_progress(FILE *to, const struct report *r, const struct progress *last, uint64_t now_ns);
void report_status(FILE *to, const struct report *r, uint64_t now_ns, bool json);
void report_text(FILE *to, const struct report *r);
void report_json(FILE *to, const struct report *r);

#endif
