/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out of memory at one place: the linker sends the allocations of the agent, and of what it is built on,
 * through here, and one of them is refused. Check allocates as well, so never during a ck_.
 *
 * A test of what an operation does then is a loop over its allocations. Behind it comes a test that each of
 * them was refused once: the loop ended because there were no more.
 */
#ifndef TEST_AGENT_SHORT_MEMORY_H
#define TEST_AGENT_SHORT_MEMORY_H

#include <check.h>
#include <stdbool.h>

enum { ALLOCATIONS_MAX = 64 };

extern const bool *refuse_within; /* only those count that come while it is true; NULL: all */

/* Of the allocations from now on, the nth; 0: none. */
void refuse(int nth);
/* Puts an end to it. True: it did come to a refusal. */
bool end_refusal(void);

/* Adds the test with _i = 1 .. n, which is to be more than the allocations that it makes. */
void tcase_add_short_test(TCase *tcase, const TTest *test, int n);

#endif
