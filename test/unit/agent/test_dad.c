/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 6275 section 10.3.1 and RFC 4862 section 5.4, seen from outside: by binding updates and what the link
 * says. */
#include "heard.h"
#include "internal.h"
#include "lab6.h"
#include "lab_check.h"

static const struct mac somebody = {{2, 9, 9, 9, 9, 9}};

static struct ask6 ask;

/* A first update: nothing but the question to the link. */
static void ask_first(size_t i, uint16_t flags)
{
    ask = lab6_ask(&lab, i);
    ask.m.flags |= flags;
    ck_assert(!lab6_send(&lab, &ask).sent);
    in_order("P");
    const struct probe *probe = &lab_first(&lab, EFFECT_PROBE)->probe;
    ck_assert(addr_equal(&probe->home, &ask.home));
    ck_assert_int_eq(probe->link_local, (flags & MIP6_LINK_LOCAL) != 0);
}

static void wait_ms(uint64_t ms)
{
    lab_wait(&lab, ms * NSEC_PER_MS);
}

static void accepted(void)
{
    const struct answer6 a = lab6_answer(&lab, &ask);
    ck_assert(a.sent && a.good);
    ck_assert_uint_eq(a.ack.status, MIP6_ACCEPTED);
    ck_assert(agent_intercepts(lab.agent, &ask.home));
}

static void refused(void)
{
    const struct answer6 a = lab6_answer(&lab, &ask);
    ck_assert(a.sent && a.good);
    ck_assert_uint_eq(a.ack.status, MIP6_DAD_FAILED);
    ck_assert(!agent_forwards(lab.agent, &ask.home));
}

/* Before the acknowledgement, and within the 1.5 s of a mobile node's first attempt (section 12). */
START_TEST(silence_for_a_second)
{
    ask_first(0, 0);
    lab_wait(&lab, 1000 * NSEC_PER_MS - 1);
    ck_assert_uint_eq(lab.n_log, 0);
    ck_assert(!agent_intercepts(lab.agent, &ask.home));
    lab_wait(&lab, 1);
    in_order("I A S");
    accepted();
}
END_TEST

START_TEST(none_on_renewal)
{
    ask_first(0, 0);
    wait_ms(1000);
    accepted();
    wait_ms(10000);
    ask = lab6_ask(&lab, 0);
    lab6_send(&lab, &ask);
    in_order("S");
    ask = lab6_ask(&lab, 0);
    ask.source = ip("2001:db8:c::77");
    lab6_send(&lab, &ask);
    in_order("I S");
}
END_TEST

/* One answers at any time within the second; then nothing is left that a later one could end. */
START_TEST(an_advertisement_for_it)
{
    ask_first(0, 0);
    wait_ms(999);
    lab_forget(&lab);
    ck_assert(!hear_advertisement(lab.agent, &somebody, &ask.home, lab.now));
    lab_drain(&lab);
    in_order("S");
    refused();
    hear_advertisement(lab.agent, &somebody, &ask.home, lab.now);
    lab_drain(&lab);
    wait_ms(60000);
    ck_assert_uint_eq(lab.n_log, 0);
}
END_TEST

START_TEST(a_solicitation_from_it)
{
    const struct addr router = ip("2001:db8:1::fe");
    ask_first(0, 0);
    lab_forget(&lab);
    hear_solicitation(lab.agent, &somebody, &ask.home, &router, lab.now);
    lab_drain(&lab);
    refused();
}
END_TEST

/* RFC 4862 section 5.4.3: both have failed. */
START_TEST(anothers_detection)
{
    ask_first(0, 0);
    lab_forget(&lab);
    ck_assert(!hear_solicitation(lab.agent, &somebody, &addr_unspecified, &ask.home, lab.now));
    lab_drain(&lab);
    refused();
}
END_TEST

/* Section 5.4.3: it does not have the address, nor does it want it. */
START_TEST(a_solicitation_that_only_resolves)
{
    const struct addr router = ip("2001:db8:1::fe");
    ask_first(0, 0);
    ck_assert(!hear_solicitation(lab.agent, &somebody, &router, &ask.home, lab.now));
    wait_ms(1000);
    accepted();
}
END_TEST

START_TEST(what_others_say_of_other_addresses)
{
    const struct addr other = lab6_home(1);
    ask_first(0, 0);
    hear_advertisement(lab.agent, &somebody, &other, lab.now);
    hear_solicitation(lab.agent, &somebody, &addr_unspecified, &other, lab.now);
    wait_ms(1000);
    accepted();
}
END_TEST

/* A switch that sends our own multicast back to us. */
START_TEST(our_own_solicitation)
{
    lab.settings.mac = somebody;
    reconfigure();
    ask_first(0, 0);
    hear_solicitation(lab.agent, &somebody, &addr_unspecified, &ask.home, lab.now);
    wait_ms(1000);
    accepted();
}
END_TEST

/* L: the link-local address of the same interface identifier is to be unique as well; otherwise it is none of
 * our business. */
START_TEST(link_local_address)
{
    const struct addr home = lab6_home(0);
    const struct addr link_local = addr_link_local_of(&home);
    ask_first(0, _i == 0 ? 0 : MIP6_LINK_LOCAL);
    lab_forget(&lab);
    hear_advertisement(lab.agent, &somebody, &link_local, lab.now);
    lab_drain(&lab);
    if (_i == 1) {
        refused();
        return;
    }
    wait_ms(1000);
    accepted();
}
END_TEST

/* Wanted only by a later copy: asked for anew, and waited for as long. */
START_TEST(link_local_address_wanted_later)
{
    ask_first(0, 0);
    wait_ms(700);
    ask = lab6_ask(&lab, 0);
    ask.m.flags |= MIP6_LINK_LOCAL;
    lab6_send(&lab, &ask);
    in_order("P");
    ck_assert(lab_first(&lab, EFFECT_PROBE)->probe.link_local);
    lab_wait(&lab, 1000 * NSEC_PER_MS - 1);
    ck_assert_uint_eq(lab.n_log, 0);
    lab_wait(&lab, 1);
    accepted();
    ck_assert(lab_first(&lab, EFFECT_ANNOUNCE)->announce.link_local);
}
END_TEST

static bool answers_for_link_local(void)
{
    const struct addr router = ip("fe80::fe"), link_local = addr_link_local_of(&ask.home);
    return hear_solicitation(lab.agent, &somebody, &router, &link_local, lab.now);
}

/* A binding without L stands, and is renewed with it. */
static void renew_with_l(void)
{
    ask_first(0, 0);
    wait_ms(1000);
    accepted();
    wait_ms(10000);
    ask_first(0, MIP6_LINK_LOCAL);
    ck_assert(agent_intercepts(lab.agent, &ask.home));
    ck_assert(!answers_for_link_local());
}

/* RFC 6275 sections 10.3.1 and 10.4.1: asked for and announced then as any other. */
START_TEST(link_local_address_from_a_renewal_on)
{
    renew_with_l();
    lab_wait(&lab, 1000 * NSEC_PER_MS - 1);
    ck_assert_uint_eq(lab.n_log, 0);
    lab_wait(&lab, 1);
    in_order("A S");
    accepted();
    ck_assert(lab_first(&lab, EFFECT_ANNOUNCE)->announce.link_local);
    ck_assert(answers_for_link_local());
    wait_ms(10000);
    ask = lab6_ask(&lab, 0);
    ask.m.flags |= MIP6_LINK_LOCAL;
    lab6_send(&lab, &ask);
    in_order("S");
}
END_TEST

/* The refused update leaves the binding as it is. */
START_TEST(link_local_address_taken_when_renewed)
{
    const struct addr home = lab6_home(0), link_local = addr_link_local_of(&home);
    renew_with_l();
    lab_forget(&lab);
    hear_advertisement(lab.agent, &somebody, &link_local, lab.now);
    lab_drain(&lab);
    in_order("S");
    const struct answer6 a = lab6_answer(&lab, &ask);
    ck_assert_uint_eq(a.ack.status, MIP6_DAD_FAILED);
    ck_assert(agent_intercepts(lab.agent, &home) && !answers_for_link_local());
    wait_ms(10000);
    ck_assert_uint_eq(lab.n_log, 0);
    ask = lab6_ask(&lab, 0);
    lab6_send(&lab, &ask);
    in_order("S");
    accepted();
}
END_TEST

START_TEST(link_local_address_no_longer_wanted)
{
    renew_with_l();
    ask = lab6_ask(&lab, 0);
    lab6_send(&lab, &ask);
    in_order("S");
    accepted();
    wait_ms(10000);
    ck_assert_uint_eq(lab.n_log, 0);
    ck_assert(!answers_for_link_local());
}
END_TEST

/* Without an interface identifier of 64 bits there is no link-local address to derive. */
START_TEST(home_network_of_another_length)
{
    static const uint8_t bits[] = {48, 63, 65, 96};
    lab.settings.home_networks[lab.settings.n_home_networks - 2].bits = bits[_i];
    reconfigure();
    ask = lab6_ask(&lab, 0);
    ask.m.flags |= MIP6_LINK_LOCAL;
    lab6_send(&lab, &ask);
    in_order("P");
    ck_assert(!lab_first(&lab, EFFECT_PROBE)->probe.link_local);
    wait_ms(1000);
    accepted();
    ck_assert(!lab_first(&lab, EFFECT_ANNOUNCE)->announce.link_local);
    ck_assert(!answers_for_link_local());
}
END_TEST

/* ---- One station refuses the same interface identifier in many home networks ---- */
enum { NETWORKS = AGENT_HOME_NETWORKS_MAX - 4 };

static struct addr home_in(size_t i)
{
    struct addr home = lab6_home(0);
    home.b[6] = 1;
    home.b[7] = (uint8_t)i;
    return home;
}

static void add_networks(void)
{
    const struct association sa = lab6_association(LAB6_SEQUENCES);
    for (size_t i = 0; i < NETWORKS; i++) {
        const struct addr home = home_in(i);
        lab.settings.home_networks[lab.settings.n_home_networks++] = (struct prefix){home, 64};
        ck_assert_int_eq(agent_mobile_set(lab.agent, &home, &sa, NULL), 0);
    }
    reconfigure();
}

/* Its effects stay in the queue. */
static void say(const struct ask6 *said)
{
    uint8_t bytes[256];
    const size_t len = lab6_encode(&lab, said, bytes, sizeof(bytes));
    const struct agent_datagram d = lab6_datagram(said, bytes, len);
    agent_input(lab.agent, &d, lab.now);
}

static void ask_everywhere(void)
{
    for (size_t i = 0; i < NETWORKS; i++) {
        ask = lab6_ask(&lab, LAB6_SEQUENCES);
        ask.home = home_in(i);
        ask.m.flags |= MIP6_LINK_LOCAL;
        say(&ask);
    }
}

/* However little room the queue of effects has left: one refusal uses up little of what a step may need. */
START_TEST(taken_in_many_networks)
{
    const struct addr home = lab6_home(0), link_local = addr_link_local_of(&home);
    add_networks();
    for (size_t before = 0; before < 400; before++) {
        lab_forget(&lab);
        struct ask6 refused = lab6_ask(&lab, LAB6_SEQUENCES);
        refused.m.flags |= MIP6_MOBILE_ROUTER;
        for (size_t i = 0; i < before; i++, refused.m.sequence++)
            say(&refused);
        ask_everywhere();
        hear_advertisement(lab.agent, &somebody, &link_local, lab.now);
        ck_assert_uint_ge(lab.agent->effects.size - lab.agent->effects.tail, 4 * AGENT_MESSAGE_MAX);
        lab_drain(&lab);
        ck_assert_uint_eq(lab_count(&lab, EFFECT_SEND), before + NETWORKS);
        lab.counter += 1000;
    }
}
END_TEST

/* Retransmissions ask the link no second time, and do not put off the end. */
START_TEST(retransmissions_meanwhile)
{
    ask_first(0, 0);
    for (int i = 0; i < 3; i++) {
        wait_ms(300);
        ask = lab6_ask(&lab, 0);
        ck_assert(!lab6_send(&lab, &ask).sent);
        in_order("");
    }
    wait_ms(100);
    accepted();
}
END_TEST

START_TEST(several_at_once)
{
    ask_first(0, 0);
    wait_ms(500);
    ask_first(1, 0);
    const struct addr first = lab6_home(0);
    lab_forget(&lab);
    hear_advertisement(lab.agent, &somebody, &first, lab.now);
    lab_drain(&lab);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_SEND), 1);
    wait_ms(1000);
    accepted();
    ck_assert(!agent_forwards(lab.agent, &first));
}
END_TEST

START_TEST(mobile_node_is_removed_meanwhile)
{
    ask_first(0, 0);
    agent_sweep_begin(lab.agent);
    while (agent_sweep(lab.agent, 100, lab.now))
        continue;
    lab_drain(&lab);
    wait_ms(60000);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_SEND) + lab_count(&lab, EFFECT_INSTALL), 0);
}
END_TEST

static void setup6(void)
{
    lab6_open(&lab);
}

int main(void)
{
    Suite *suite = suite_create("dad");
    TCase *all = tcase_create("dad");
    tcase_add_checked_fixture(all, setup6, teardown);
    suite_add_tcase(suite, all);
    tcase_add_test(all, silence_for_a_second);
    tcase_add_test(all, none_on_renewal);
    tcase_add_test(all, an_advertisement_for_it);
    tcase_add_test(all, a_solicitation_from_it);
    tcase_add_test(all, anothers_detection);
    tcase_add_test(all, a_solicitation_that_only_resolves);
    tcase_add_test(all, what_others_say_of_other_addresses);
    tcase_add_test(all, our_own_solicitation);
    tcase_add_loop_test(all, link_local_address, 0, 2);
    tcase_add_test(all, link_local_address_wanted_later);
    tcase_add_test(all, link_local_address_from_a_renewal_on);
    tcase_add_test(all, link_local_address_taken_when_renewed);
    tcase_add_test(all, link_local_address_no_longer_wanted);
    tcase_add_loop_test(all, home_network_of_another_length, 0, 4);
    tcase_add_test(all, taken_in_many_networks);
    tcase_add_test(all, retransmissions_meanwhile);
    tcase_add_test(all, several_at_once);
    tcase_add_test(all, mobile_node_is_removed_meanwhile);
    return check_main(suite);
}
