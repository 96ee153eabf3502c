/* SPDX-License-Identifier: BSD-3-Clause */
/* Bindings that updates make, move and end: RFC 6275 sections 10.3.1 and 10.3.2. */
#include "update_check.h"

/* ---- The binding ---- */

START_TEST(binding)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    struct binding_view v;
    ck_assert(!lab6_send(&lab, &ask).sent);
    in_order("P");
    ck_assert(!is_bound(0, &v));
    wait_for_detection();
    in_order("I A S");
    const struct forwarding *f = &lab_first(&lab, EFFECT_INSTALL)->install;
    ck_assert(addr_equal(&f->home, &ask.home));
    ck_assert(addr_equal(&f->source, &ask.destination));
    ck_assert_uint_eq(f->n_care_of, 1);
    ck_assert(addr_equal(&f->care_of[0].address, &ask.source));
    ck_assert_uint_eq(f->care_of[0].encapsulation, ENCAPSULATION_IPV6_IN_IPV6);
    ck_assert(f->care_of[0].reverse);
    ck_assert(lab_first(&lab, EFFECT_ANNOUNCE)->announce.ours);
    ck_assert(is_bound(0, &v));
    ck_assert_uint_eq(v.lifetime_granted_s[0], 4 * LAB6_LIFETIME);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_CREATED), 1);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_UPDATES_WAITED), 1);
}
END_TEST

START_TEST(renewal_and_move)
{
    bind_node6(0);
    struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(lab6_send(&lab, &ask).sent);
    in_order("S"); /* nothing changes, and nothing is detected again */
    ask = lab6_ask(&lab, 0);
    ask.source = ip("2001:db8:c::42");
    ck_assert(lab6_send(&lab, &ask).sent);
    in_order("I S");
    struct binding_view v;
    ck_assert(is_bound(0, &v));
    ck_assert_uint_eq(v.n_care_of, 1);
    ck_assert(addr_equal(&v.care_of[0].address, &ask.source));
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_RENEWED), 1);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_MOVED), 1);
}
END_TEST

START_TEST(bound_already_stays_bound)
{
    lab.settings.max_bindings = 1;
    reconfigure();
    bind_node6(0);
    bind_node6(0);
}
END_TEST

/* Section 6.1.7: the alternate care-of address counts, the source is where the answer goes. */
START_TEST(alternate_care_of)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    care_of(&ask, "2001:db8:c::42");
    const struct answer6 a = accepted(&ask);
    struct binding_view v;
    ck_assert(is_bound(0, &v));
    ck_assert(addr_equal(&v.care_of[0].address, &ask.m.options.alternate_care_of));
    ck_assert(addr_equal(&a.message.destination, &ask.source));
}
END_TEST

/* Section 10.3.1: lifetimes in units of four seconds. */
static const struct {
    const char *what;
    uint16_t asked, max_s, granted;
    uint32_t valid_s, preferred_s;
    uint8_t status;
} lifetimes[] = {
    {"as asked", 75, 600, 75, 0, 0, MIP6_ACCEPTED},
    {"no more than we give", 200, 600, 150, 0, 0, MIP6_ACCEPTED},
    {"rounded down", 200, 603, 150, 0, 0, MIP6_ACCEPTED},
    {"never to nothing", 200, 3, 1, 0, 0, MIP6_ACCEPTED},
    {"ffff is no infinity", 65535, 65535, 16383, 0, 0, MIP6_ACCEPTED},
    {"no longer than the prefix is valid", 75, 600, 50, 203, 203, MIP6_ACCEPTED_PREFIX},
    {"invalid at its end", 75, 600, 75, 300, 300, MIP6_ACCEPTED_PREFIX},
    {"invalid at its end, in units", 75, 600, 75, 303, 303, MIP6_ACCEPTED_PREFIX},
    {"valid one unit longer", 75, 600, 75, 304, 304, MIP6_ACCEPTED},
    {"deprecated within it", 75, 600, 75, 3600, 299, MIP6_ACCEPTED_PREFIX},
    {"deprecated with its end", 75, 600, 75, 3600, 300, MIP6_ACCEPTED},
    {"deprecated", 75, 600, 75, 3600, 0, MIP6_ACCEPTED_PREFIX},
    {"valid for ever", 75, 600, 75, UINT32_MAX, UINT32_MAX, MIP6_ACCEPTED},
};

START_TEST(lifetime)
{
    lab.settings.max_lifetime_s = lifetimes[_i].max_s;
    lab.settings.home_prefixes[2].valid_s = lifetimes[_i].valid_s;
    lab.settings.home_prefixes[2].preferred_s = lifetimes[_i].preferred_s;
    reconfigure();
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.m.lifetime = lifetimes[_i].asked;
    const struct answer6 a = accepted(&ask);
    ck_assert_msg(a.ack.lifetime == lifetimes[_i].granted, "%s: %u", lifetimes[_i].what, a.ack.lifetime);
    ck_assert_uint_eq(a.ack.status, lifetimes[_i].status);
    lab_wait(&lab, (lifetimes[_i].granted * 4ull - 1) * NSEC_PER_S);
    ck_assert_uint_eq(agent_bindings(lab.agent), 1);
    lab_wait(&lab, NSEC_PER_S);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
    in_order("R");
}
END_TEST

/* An update that comes before the agent was told that time has passed. */
START_TEST(expired_in_this_moment)
{
    struct ask6 ask = lab6_ask(&lab, LAB6_SEQUENCES);
    ask.m.lifetime = 1;
    accepted(&ask);
    lab.now.mono_ns += 4 * NSEC_PER_S;
    ask.m.sequence++;
    ck_assert(!lab6_send(&lab, &ask).sent);
    in_order("R P"); /* another binding, and so another detection */
}
END_TEST

/* ---- Deregistration (RFC 6275 section 10.3.2) ---- */

START_TEST(end_at_home)
{
    bind_node6(0);
    const struct ask6 end = lab6_ask_return(&lab, 0);
    const struct answer6 a = lab6_send(&lab, &end);
    check_ack(&a, MIP6_ACCEPTED, true);
    ck_assert_uint_eq(a.ack.lifetime, 0);
    ck_assert(!a.ack.options.has_refresh_advice);
    in_order("R A S");
    const struct announcement *n = &lab_first(&lab, EFFECT_ANNOUNCE)->announce;
    ck_assert(n->silent && !n->ours && mac_equal(&n->mac, &end.mac));
    ck_assert(!agent_intercepts(lab.agent, &end.home));
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_DEREGISTERED), 1);
    lab_wait(&lab, 10 * NSEC_PER_S);
    in_order(""); /* no repeats of the announcement of old */
}
END_TEST

START_TEST(end_from_away)
{
    bind_node6(0);
    struct ask6 end = lab6_ask(&lab, 0);
    end.m.lifetime = 0;
    const struct answer6 a = lab6_send(&lab, &end);
    check_ack(&a, MIP6_ACCEPTED, true);
    in_order("R S");
    ck_assert(addr_equal(&a.message.home, &end.home));
    ck_assert(!a.message.on_link);
}
END_TEST

/* From a care-of address on a link of ours, which is not its home link. */
START_TEST(end_from_next_door)
{
    bind_node6(0);
    struct ask6 end = lab6_ask(&lab, 0);
    end.m.lifetime = 0;
    end.elsewhere = false;
    accepted(&end);
    in_order("R S");
}
END_TEST

/* Only the lifetime says so; of a request that ends, nothing else is judged. */
START_TEST(end_is_judged_by_its_lifetime)
{
    bind_node6(0);
    struct ask6 end = lab6_ask(&lab, 0);
    end.m.lifetime = 0;
    mobile_router(&end);
    care_of_in_home_network(&end);
    ck_assert_uint_eq(accepted(&end).ack.lifetime, 0);
}
END_TEST

START_TEST(end_of_nothing)
{
    struct ask6 end = lab6_ask_return(&lab, 0);
    const struct answer6 a = refused(&end, MIP6_NOT_HOME_AGENT);
    ck_assert(a.message.on_link && mac_equal(&a.message.mac, &end.mac));
    end = lab6_ask(&lab, 0);
    end.m.lifetime = 0;
    ck_assert(!refused(&end, MIP6_NOT_HOME_AGENT).message.on_link);
}
END_TEST

/* ---- What an operator reads ---- */

static void noted(const struct ask6 *ask, enum note_kind kind, uint8_t status, uint32_t value)
{
    const struct addr at = lab6_asked_care_of(ask);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_NOTE), 1);
    const struct note *n = &lab_first(&lab, EFFECT_NOTE)->note;
    ck_assert_uint_eq(n->kind, kind);
    ck_assert_uint_eq(n->code, status);
    ck_assert_uint_eq(n->value, value);
    ck_assert(addr_equal(&n->home, &ask->home));
    ck_assert(addr_equal(&n->care_of, &at));
    ck_assert(addr_equal(&n->peer, &ask->source));
}

START_TEST(notes)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.wrong = true;
    refused(&ask, MIP6_AUTH_FAILED);
    noted(&ask, NOTE_AUTH_FAILED, MIP6_AUTH_FAILED, 0);
    ask = lab6_ask(&lab, 0);
    accepted(&ask);
    noted(&ask, NOTE_BOUND, MIP6_ACCEPTED, 300);
    ask = lab6_ask(&lab, 0);
    accepted(&ask);
    noted(&ask, NOTE_RENEWED, MIP6_ACCEPTED, 300);
    ask = lab6_ask(&lab, 0);
    care_of(&ask, "2001:db8:c::42");
    accepted(&ask);
    noted(&ask, NOTE_MOVED, MIP6_ACCEPTED, 300);
    ask = lab6_ask(&lab, 0);
    mobile_router(&ask);
    refused(&ask, MIP6_NO_MOBILE_ROUTERS);
    noted(&ask, NOTE_DENIED, MIP6_NO_MOBILE_ROUTERS, 0);
    ask = lab6_ask_return(&lab, 0);
    accepted(&ask);
    noted(&ask, NOTE_DEREGISTERED, MIP6_ACCEPTED, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("binding updates");
    TCase *t = lab6_case(suite, "bindings");
    tcase_add_test(t, binding);
    tcase_add_test(t, renewal_and_move);
    tcase_add_test(t, bound_already_stays_bound);
    tcase_add_test(t, alternate_care_of);
    tcase_add_loop_test(t, lifetime, 0, ROWS(lifetimes));
    tcase_add_test(t, end_at_home);
    tcase_add_test(t, end_from_away);
    tcase_add_test(t, end_from_next_door);
    tcase_add_test(t, expired_in_this_moment);
    tcase_add_test(t, end_is_judged_by_its_lifetime);
    tcase_add_test(t, end_of_nothing);
    tcase_add_test(t, notes);
    return check_main(suite);
}
