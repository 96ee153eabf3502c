/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf_good.h"

START_TEST(good_delegation)
{
    struct conf *c =
        loaded_with("    outer-source = primary\n", "    outer-source = own port = 5000 linger = 5 "
                                                    "moves = 7 announcements = 8\n");
    const struct delegation_settings *d = &c->agent.delegation;
    ck_assert_uint_eq(c->agent.role, AGENT_PRIMARY);
    ck_assert_uint_eq(c->agent.id, 1);
    ck_assert_uint_eq(d->when, WHEN_AFTER_REGISTRATION);
    ck_assert_uint_eq(d->policy, POLICY_EQUAL);
    ck_assert_uint_eq(d->threshold_pps, 100000);
    ck_assert(d->own_source);
    ck_assert_uint_eq(d->port, 5000);
    ck_assert_uint_eq(d->linger_ms, 5000);
    ck_assert_uint_eq(d->moves_per_s, 7);
    ck_assert_uint_eq(d->announcements_per_s, 8);
    ck_assert_uint_eq(c->n_peers, 1);
    ck_assert_str_eq(c->peers[0].name, "sha1");
    assert_address(&c->peers[0].address, "10.1.0.3");
    assert_address(&c->peers[0].local, "10.1.0.2");
    ck_assert_uint_eq(c->peers[0].spi, 1000);
    ck_assert_uint_eq(c->peers[0].key.algorithm, AUTH_HMAC_SHA256);
    assert_key(&c->peers[0].key, KEY32);
    ck_assert_uint_eq(c->peers[0].weight, 1);
    ck_assert_uint_eq(c->peers[0].mtu, 1500);
    conf_free(c);
}
END_TEST

/* Of the port on whose network it is; by way of routers, of the port that takes least. */
START_TEST(mtu_towards_a_peer)
{
    struct conf *c = loaded_with("    mtu       = 1500\n", "    mtu       = 1400\n");
    ck_assert_uint_eq(c->peers[0].mtu, 1400);
    conf_free(c);
    char *text = changed("    mtu       = 1500\n", "    mtu       = 9000\n");
    char *away = changed_in(text, "\"10.1.0.3\"", "\"172.16.0.3\"");
    c = loaded(text);
    ck_assert_uint_eq(c->peers[0].mtu, 9000);
    conf_free(c);
    c = loaded(away);
    ck_assert_uint_eq(c->peers[0].mtu, 1500);
    conf_free(c);
    free(text);
    free(away);
}
END_TEST

/* On the networks of two ports: of the one that takes less. */
START_TEST(mtu_where_networks_overlap)
{
    struct conf *c = loaded("node = sha1\nid = 2\nrole = secondary\n"
                            "port p { device = net_ring0 addresses = {10.1.0.3/16} }\n"
                            "port q { device = net_ring1 addresses = {10.1.9.3/24} mtu = 1300 }\n"
                            "primary pha1 { address = 10.1.9.2 spi = 1000 key = 'hex:" KEY32 "' }\n");
    ck_assert_uint_eq(c->peers[0].mtu, 1300);
    conf_free(c);
}
END_TEST

START_TEST(delegation_defaults_are_the_agents)
{
    struct conf *c = loaded(minimal);
    const struct delegation_settings expected = delegation_defaults();
    assert_delegation(&c->agent.delegation, &expected);
    conf_free(c);
}
END_TEST

/* ---- A secondary ---- */

#define SECONDARY                                               \
    "node = sha1\nid = 2\nrole = secondary\n"                   \
    "port p { device = net_ring0 addresses = {10.1.0.3/24} }\n" \
    "port q { device = net_ring1 addresses = {10.2.0.3/24} }\n" \
    "port r { device = net_ring2 addresses = {10.3.0.3/24} }\n"

/* That is all it takes to add one: its own file, and a section at the primary. */
START_TEST(a_secondary)
{
    struct conf *c = loaded(SECONDARY "primary pha1 { address = 10.1.0.2 spi = 1000 key = 'hex:" KEY32 "' }\n"
                                      "primary pha2 { address = 10.2.0.2 spi = 1001 key = 'hex:" KEY32
                                      "' other-spi = 1002 other-key = 'hex:" KEY32 "'\n"
                                      " home-networks = {10.2.0.0/25} }\n");
    ck_assert_int_eq(c->role, ROLE_SECONDARY);
    ck_assert_uint_eq(c->agent.role, AGENT_SECONDARY);
    ck_assert_uint_eq(c->agent.n_home_agents, 0);
    ck_assert_uint_eq(c->agent.n_home_networks, 2); /* nothing of port r, where care-of addresses may be */
    assert_address(&c->agent.home_networks[0].addr, "10.1.0.0");
    assert_address(&c->agent.home_networks[1].addr, "10.2.0.0");
    ck_assert_uint_eq(c->agent.home_networks[1].bits, 25);
    ck_assert_uint_eq(c->n_peers, 2);
    assert_address(&c->peers[0].local, "10.1.0.3");
    ck_assert_uint_eq(c->peers[0].n_prefixes, 1);
    assert_address(&c->peers[0].prefixes[0].addr, "10.1.0.0");
    ck_assert_uint_eq(c->peers[0].other_spi, 0);
    assert_address(&c->peers[1].local, "10.2.0.3");
    ck_assert_uint_eq(c->peers[1].n_prefixes, 1);
    ck_assert_uint_eq(c->peers[1].prefixes[0].bits, 25);
    ck_assert_uint_eq(c->peers[1].other_spi, 1002);
    ck_assert_str_eq(c->warnings, "");
    conf_free(c);
}
END_TEST

static const struct {
    const char *what;
    const char *text;
    int line;
    const char *says;
} secondary_faults[] = {
    {"no primary", SECONDARY, 1, "a primary section is missing, which role = secondary needs"},
    {"a secondary's secondary",
     SECONDARY "primary pha1 { address = 10.1.0.2 spi = 1000 key = 'hex:" KEY32 "' }\n"
               "secondary sha2 { address = 10.1.0.4 spi = 1001 key = 'hex:" KEY32 "' }\n",
     8, "only an appliance with role = primary has secondaries"},
    {"a primary that is not on our links",
     SECONDARY "primary pha1 { address = 10.9.0.2 spi = 1000 key = 'hex:" KEY32 "' }\n", 7,
     "is on no link of ours: its home-networks must be given"},
    {"addresses to register with",
     SECONDARY "primary pha1 { address = 10.1.0.2 spi = 1000 key = 'hex:" KEY32 "' }\n"
               "home-agent { addresses = {10.1.0.3} }\n",
     8, "mobile nodes register with the primary alone"},
    {"a network that no port is on",
     SECONDARY "primary pha1 { address = 10.1.0.2 spi = 1000 key = 'hex:" KEY32 "'\n"
               " home-networks = {10.9.0.0/24} }\n",
     8, "no port is connected to '10.9.0.0/24'"},
};

START_TEST(refuses_a_secondary)
{
    char *errors;
    struct conf *conf = load(secondary_faults[_i].text, &errors);
    ck_assert_msg(conf == NULL, "%s: accepted", secondary_faults[_i].what);
    assert_only_line(errors, "t.conf", secondary_faults[_i].line, secondary_faults[_i].says);
    free(errors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf_delegation");
    TCase *tests = conf_case(suite, "conf_delegation", setup);
    tcase_add_test(tests, good_delegation);
    tcase_add_test(tests, mtu_towards_a_peer);
    tcase_add_test(tests, mtu_where_networks_overlap);
    tcase_add_test(tests, delegation_defaults_are_the_agents);
    tcase_add_test(tests, a_secondary);
    tcase_add_loop_test(tests, refuses_a_secondary, 0, ROWS(secondary_faults));
    return check_main(suite);
}
