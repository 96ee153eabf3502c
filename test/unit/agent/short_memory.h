/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out of memory at one place: the linker sends the allocations of the agent, and of what it is built on,
 * through here, and one of them is refused. Check allocates as well, so never during a ck_.
 */
#ifndef TEST_AGENT_SHORT_MEMORY_H
#define TEST_AGENT_SHORT_MEMORY_H

#include <stdbool.h>

extern int refuse_at;             /* the how manieth from now; 0: none */
extern const bool *refuse_within; /* only those count that come while it is true; NULL: all */

/* Puts an end to it. True: it did come to a refusal. */
bool end_refusal(void);

#endif
