/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out of memory at every place in turn, while a primary meets a secondary, rebuilds from its table, stops
 * what is too much there, and mends what is missing.
 */
#include "flock_check.h"
#include "short_memory.h"

enum { HELD = 3 };

static void is_mended(int nth)
{
    const struct addr surplus = ip("10.1.9.9");
    ck_assert_msg(flock_node(&flock, 0)->state == PEER_READY, "allocation %d", nth);
    ck_assert_msg(agent_bindings(agent()) == HELD, "allocation %d: %zu bindings", nth,
                  agent_bindings(agent()));
    for (size_t i = 0; i < HELD; i++) {
        ck_assert_msg(delegation_owner(flock_mobile(&flock, i)) == flock_node(&flock, 0), "allocation %d",
                      nth);
        ck_assert(start_at(0, i)->flags & START_INTERCEPT);
    }
    ck_assert_uint_eq(stop_at(0, &surplus)->mode, STOP_DROP);
}

START_TEST(nothing_is_lost)
{
    flock_open(&flock, 1);
    for (size_t i = 0; i < HELD; i++)
        flock_hold(&flock, 0, i, 7 + i, START_INTERCEPT);
    flock_hold(&flock, 0, HELD, 20, START_INTERCEPT)->home = ip("10.1.9.9");
    refuse(_i);
    flock_boot(&flock, 0);
    flock_wait_ms(&flock, 2000);
    /* As long as the entry is in the table: data that was not acknowledged is sent again in earnest, here a
     * new session asks anew. */
    flock_greet(&flock, 0);
    flock_keepalive(&flock, 0);
    flock_wait_ms(&flock, 2000);
    end_refusal();
    script(0)->load.digest = ~flock_node(&flock, 0)->digest;
    flock_wait_ms(&flock, 5000);
    is_mended(_i);
    flock_close(&flock);
}
END_TEST

int main(void)
{
    refuse_within = &flock_primary_works;
    Suite *suite = suite_create("resync_memory");
    TCase *tcase = tcase_create("refused");
    tcase_add_short_test(tcase, nothing_is_lost, 64);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
