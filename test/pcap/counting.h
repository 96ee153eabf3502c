/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The appliance's counters by name, as a golden case lists them: worker.VERDICT, agent.NAME,
 * agent.reply_CODE, control.NAME, neighbor.NAME, the names those of the X-macros in lower case (verdicts:
 * their console names).
 */
#ifndef TEST_PCAP_COUNTING_H
#define TEST_PCAP_COUNTING_H

#include <stdbool.h>
#include <stdio.h>

#include "control.h"

/* Every line "name value" of a file holds; # begins a comment. If not, writes to out which do not. */
bool counting_compare(const struct control *c, const char *path, FILE *out);

#endif
