/* SPDX-License-Identifier: BSD-3-Clause */
/* Out of memory at every place in turn, for ESP associations and the list of home agents. */
#include "lab6_check.h"
#include "short_memory.h"

#include <errno.h>

#include "mip6_discovery.h"

static struct esp_association association(uint32_t spi)
{
    return (struct esp_association){.spi = spi, .algorithm = ESP_NULL_SHA1, .auth_key_len = 20};
}

/* With its nth allocation refused. */
static int set_short(size_t i, uint32_t spi_in, uint32_t spi_out, int nth)
{
    const struct addr home = lab6_home(i);
    const struct esp_association in = association(spi_in), out = association(spi_out);
    refuse(nth);
    const int error = agent_ipsec_set(lab.agent, &home, &in, &out);
    ck_assert_int_eq(error, end_refusal() ? -ENOMEM : 0);
    return error;
}

/* A packet of nothing: whether the agent knows the SPI. */
static bool is_known(uint32_t spi)
{
    const uint8_t packet[64] = {(uint8_t)(spi >> 24), (uint8_t)(spi >> 16), (uint8_t)(spi >> 8),
                                (uint8_t)spi};
    const struct agent_datagram d = {.source = lab6_care_of(0),
                                     .destination = ip("2001:db8:1::2"),
                                     .protocol = IPPROTO_NUM_ESP,
                                     .payload = packet,
                                     .len = sizeof(packet)};
    agent_counters_clear(lab.agent);
    agent_input(lab.agent, &d, lab.now);
    return lab_counter(&lab, AGENT_ESP_FORGED) == 1;
}

START_TEST(first_associations)
{
    const size_t before = agent_mobiles(lab.agent);
    const int error = set_short(LAB6_MOBILES, 2000, 3000, _i);
    ck_assert_uint_eq(agent_mobiles(lab.agent), before + (error == 0));
    ck_assert(is_known(2000) == (error == 0));
    ck_assert_int_eq(set_short(LAB6_MOBILES, 2000, 3000, 0), 0);
    ck_assert(is_known(2000));
    ck_assert(error != 0 || _i > 4); /* mobile node, pair, and both ends */
}
END_TEST

START_TEST(other_associations)
{
    ck_assert_int_eq(set_short(0, 2000, 3000, 0), 0);
    const int error = set_short(0, 2001, 3001, _i);
    ck_assert(is_known(2001) == (error == 0));
    ck_assert(is_known(2000) == (error != 0));
}
END_TEST

START_TEST(new_keys)
{
    ck_assert_int_eq(set_short(0, 2000, 3000, 0), 0);
    set_short(0, 2000, 3001, _i);
    ck_assert(is_known(2000));
}
END_TEST

/* A change that fails leaves it the keys that it has: without any it would be spoken to in clear. */
START_TEST(sweep_after_failure)
{
    ck_assert_int_eq(set_short(0, 2000, 3000, 0), 0);
    agent_sweep_begin(lab.agent);
    lab_populate(&lab);
    lab6_populate(&lab);
    const int error = set_short(0, 2001, 3001, _i);
    while (agent_sweep(lab.agent, 100, lab.now))
        continue;
    ck_assert(is_known(error == 0 ? 2001 : 2000));
}
END_TEST

/* ESP with a secondary, made new or in the place of other keys. */
static void set_peer_short(bool anew, int nth)
{
    struct agent_peer is = {.name = "s",
                            .address = ip("10.1.0.3"),
                            .local = ip("10.1.0.2"),
                            .spi = 300,
                            .key = {.algorithm = AUTH_HMAC_SHA256, .len = DELEGATION_KEY},
                            .protected = true,
                            .esp_in = association(2000),
                            .esp_out = association(3000)};
    if (!anew)
        ck_assert_int_eq(agent_peer_set(lab.agent, &is), 0);
    agent_sweep_begin(lab.agent);
    is.esp_in.spi = 2001;
    refuse(nth);
    const int error = agent_peer_set(lab.agent, &is);
    const bool happened = end_refusal();
    ck_assert(error == 0 || (error == -ENOMEM && happened)); /* what balancing lacks may wait */
    ck_assert(is_known(2001) == (error == 0));
    ck_assert(is_known(2000) == (error != 0 && !anew));
    ck_assert(error != 0 || nth > 3); /* pair and its ends at least */
    ck_assert_int_eq(agent_peer_set(lab.agent, &is), error == 0 ? -EEXIST : 0);
    ck_assert(is_known(2001));
}

START_TEST(of_a_new_peer)
{
    set_peer_short(true, _i);
}
END_TEST

START_TEST(of_a_known_peer)
{
    set_peer_short(false, _i);
}
END_TEST

START_TEST(home_agent_heard)
{
    const struct nd nd = {.type = ND_ROUTER_ADVERTISEMENT, .source = ip("fe80::1")};
    refuse(_i);
    agent_router_heard(lab.agent, &nd, lab.now);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_NO_MEMORY), end_refusal());
}
END_TEST

START_TEST(home_agents_asked_for)
{
    static const uint8_t request[8] = {MIP6_HOME_AGENT_REQUEST};
    const struct agent_datagram d = {.source = lab6_care_of(0),
                                     .destination = ip("2001:db8:1:0:fdff:ffff:ffff:fffe"),
                                     .protocol = IPPROTO_NUM_ICMPV6,
                                     .payload = request,
                                     .len = sizeof(request)};
    refuse(_i);
    agent_input(lab.agent, &d, lab.now);
    const bool happened = end_refusal();
    ck_assert_uint_eq(lab_counter(&lab, AGENT_HOME_AGENTS_TOLD), !happened);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_NO_MEMORY), happened);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("agent_ipsec_memory");
    TCase *tc = lab6_case(s, "agent_ipsec_memory");
    tcase_add_short_test(tc, first_associations, 14);
    tcase_add_short_test(tc, other_associations, 14);
    tcase_add_short_test(tc, new_keys, 14);
    tcase_add_short_test(tc, sweep_after_failure, 14);
    tcase_add_short_test(tc, of_a_new_peer, 14);
    tcase_add_short_test(tc, of_a_known_peer, 14);
    tcase_add_short_test(tc, home_agent_heard, 14);
    tcase_add_short_test(tc, home_agents_asked_for, 14);
    return s;
}

int main(void)
{
    return check_main(suite());
}
