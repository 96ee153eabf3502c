/* SPDX-License-Identifier: BSD-3-Clause */
/* doc/delegation-protocol.md, "Synchronisation", the primary's half, with a real secondary. */
#include "flock_check.h"

#include "secondary/held.h"

enum { MANY = 400 };

static struct addr many(size_t i)
{
    return addr_from_ipv4(0x0a010400u + (uint32_t)i);
}

static void configure_many(void)
{
    const struct association sa = lab_association(0);
    for (size_t i = 0; i < MANY; i++) {
        const struct addr home = many(i);
        ck_assert_int_eq(agent_mobile_set(agent(), &home, &sa, NULL), 0);
    }
}

static void delegate_many(void)
{
    for (size_t i = 0; i < MANY; i++) {
        const struct addr home = many(i);
        struct mobile *m = mobile_by_home(agent(), &home);
        const struct grant grant = {.care_of = lab_care_of(i % 200),
                                    .source = ip("10.1.0.1"),
                                    .encapsulation = ENCAPSULATION_IPIP,
                                    .lifetime_s = 300};
        ck_assert(effects_reserve(&agent()->effects));
        ck_assert_int_eq(binding_grant(agent(), m, &grant, flock.lab.now), BINDING_CREATED);
        delegation_bound(agent(), m, flock.lab.now);
        ck_assert_int_eq(agent_delegate(agent(), &home, "s0", flock.lab.now), REFUSAL_DONE);
        flock_wait_ms(&flock, 1);
    }
    flock_wait_ms(&flock, 2000);
}

static const struct principal *principal(void)
{
    return principal_of(script(0)->agent->peers);
}

static void both_agree(void)
{
    ck_assert_uint_eq(node(0)->n_owned, MANY);
    ck_assert_uint_eq(principal()->n_active, MANY);
    ck_assert_uint_eq(node(0)->n_open, 0);
    ck_assert_uint_eq(node(0)->digest, principal()->digest);
    for (size_t i = 0; i < MANY; i++) {
        const struct addr home = many(i);
        ck_assert(agent_intercepts(script(0)->agent, &home));
        ck_assert(agent_forwards(agent(), &home) && !agent_intercepts(agent(), &home));
    }
}

static void many_delegated(void)
{
    configure_many();
    flock_boot_real(&flock, 0);
    flock_wait_ms(&flock, 3000);
    ck_assert_int_eq(node(0)->state, PEER_READY);
    delegate_many();
    both_agree();
}

START_TEST(primary_without_store_gets_all_back)
{
    many_delegated();
    const uint32_t term = agent()->term;
    flock_restart(&flock);
    configure_many();
    flock_wait_ms(&flock, 3000);
    both_agree();
    ck_assert_uint_gt(agent()->term, term);
    ck_assert_uint_eq(counted(AGENT_REBUILT), MANY);
    ck_assert_uint_eq(agent_counters(script(0)->agent)->n[AGENT_LEASES_LOST], 0);
}
END_TEST

START_TEST(lost_entries_come_back)
{
    many_delegated();
    for (size_t i = 0; i < MANY; i += 7) {
        const struct addr home = many(i);
        struct mobile *m = mobile_by_home(script(0)->agent, &home);
        ck_assert(effects_reserve(&script(0)->agent->effects));
        held_destroy(script(0)->agent, held_entry(m));
    }
    ck_assert_uint_ne(node(0)->digest, principal()->digest);
    flock_wait_ms(&flock, 3000);
    both_agree();
    ck_assert_uint_eq(counted(AGENT_SYNCHRONISATIONS), 2);
}
END_TEST

START_TEST(forgotten_entries_are_stopped)
{
    many_delegated();
    for (size_t i = 0; i < MANY; i += 7) {
        const struct addr home = many(i);
        struct mobile *m = mobile_by_home(agent(), &home);
        ck_assert(effects_reserve(&agent()->effects));
        binding_end(agent(), m);
        delegation_destroy(agent(), m->delegation);
    }
    flock_wait_ms(&flock, 3000);
    ck_assert_uint_eq(node(0)->digest, principal()->digest);
    ck_assert_uint_eq(principal()->n_active, node(0)->n_owned);
    ck_assert_uint_eq(principal()->n_active, MANY - (MANY + 6) / 7);
}
END_TEST

/* Each of them is announced by the primary and told of: more than the effects of one step have room for. */
START_TEST(many_are_given_up_at_once)
{
    many_delegated();
    for (size_t i = 0; i < MANY; i++) {
        const struct addr home = many(i);
        struct mobile *m = mobile_by_home(agent(), &home);
        delegation_changed(agent(), m, flock.lab.now);
        holding_find(m->delegation, node(0))->tries = UINT8_MAX; /* waits for its turn to be given up */
    }
    flock_wait_ms(&flock, 1000);
    ck_assert_uint_eq(counted(AGENT_STARTS_GIVEN_UP), MANY);
    ck_assert_uint_eq(node(0)->n_owned, 0);
    ck_assert_uint_eq(principal()->n_active, 0);
}
END_TEST

/* A new session comes before all of a death is through: what the table still has is found too much. */
START_TEST(death_is_finished_first)
{
    many_delegated();
    peer_end_session(agent(), &node(0)->peer);
    operations_node_dead(agent(), node(0), flock.lab.now);
    flock_greet(&flock, 0);
    ck_assert(peer_in_session(&node(0)->peer));
    ck_assert_ptr_nonnull(node(0)->moot);
    flock_wait_ms(&flock, 1000);
    ck_assert(resync_is_over(node(0)));
    ck_assert_uint_eq(node(0)->n_owned, 0);
    ck_assert_uint_eq(principal()->n_active, 0);
    for (size_t i = 0; i < MANY; i++) {
        const struct addr home = many(i);
        ck_assert(agent_intercepts(agent(), &home));
        ck_assert(agent_forwards(script(0)->agent, &home)); /* it lingers */
    }
}
END_TEST

START_TEST(secondary_that_restarts_gets_all_again)
{
    many_delegated();
    flock_boot_real(&flock, 0);
    flock_wait_ms(&flock, 5000);
    both_agree();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resync_real");
    TCase *real = flock_case(suite, "a real secondary", open_1);
    tcase_add_test(real, primary_without_store_gets_all_back);
    tcase_add_test(real, lost_entries_come_back);
    tcase_add_test(real, forgotten_entries_are_stopped);
    tcase_add_test(real, many_are_given_up_at_once);
    tcase_add_test(real, death_is_finished_first);
    tcase_add_test(real, secondary_that_restarts_gets_all_again);
    return check_main(suite);
}
