/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf_check.h"

#define KEY20    KEY16 "00010203"
#define PEER_KEY "0a0b0c0d" KEY16

/* Inside an ipsec section, in lines of their own. */
#define HOME_TEST(algorithm, spi, keys) \
    "home-test {\n" algorithm "\nspi-in = " spi " " keys "}\nspi-out = 1001"
#define TEST_KEYS "key-in = 'hex:" KEY20 "' spi-out = 1013 key-out = 'hex:" KEY20 "'"

/* The rows below change one place of it and rely on its line numbers. */
static const char good[] = /* 1 */ "node = n\nid = 1\nrole = primary\n"
                                   /* 4 */ "port home { device = net_ring0\n"
                                   /* 5 */ "addresses = {'2001:db8:1::2/64', '10.1.0.2/24'} }\n"
                                   /* 6 */ "port net { device = net_ring1 addresses = {'10.9.0.2/16'} }\n"
                                   /* 7 */ "home-agent { addresses = {'2001:db8:1::2'}\n"
                                   /* 8 */ "home-networks = {'2001:db8:1::/64'} }\n"
                                   /* 9 */ "router-advertisement home {\n"
                                   /* 10 */ "interval = 30\n"
                                   /* 11 */ "router-lifetime = 90\n"
                                   /* 12 */ "preference = 7 home-agent-lifetime = 120\n"
                                   /* 13 */ "valid-lifetime = 4000\n"
                                   /* 14 */ "preferred-lifetime = 3000 }\n"
                                   /* 15 */ "mobile-node '2001:db8:1::50' { spi = 256 key = 'hex:" KEY16 "'\n"
                                   /* 16 */ "replay = sequence nai = 'truck@fleet.example' }\n"
                                   /* 17 */ "ipsec '2001:db8:1::51' {\n"
                                   /* 18 */ "spi-in = 1000 key-in = 'hex:" KEY20 "'\n"
                                   /* 19 */ "spi-out = 1001\n"
                                   /* 20 */ "key-out = 'hex:" KEY20 "' }\n"
                                   /* 21 */ "secondary t { address = '2001:db8:1::4' spi = 300\n"
                                   /* 22 */ "key = 'hex:" KEY32 "'\n"
                                   /* 23 */ "ipsec { spi-in = 1002 key-in = 'hex:" PEER_KEY "'\n"
                                   /* 24 */ "spi-out = 1003 key-out = 'hex:" PEER_KEY "' } }\n";

START_TEST(good_mobiles)
{
    struct conf *c = loaded(good);
    ck_assert_uint_eq(c->agent.n_home_agents, 1);
    ck_assert_uint_eq(c->agent.n_home_networks, 1);
    ck_assert_uint_eq(c->n_mobiles, 1);
    assert_address(&c->mobiles[0].home, "2001:db8:1::50");
    ck_assert_int_eq(c->mobiles[0].sa.key.algorithm, AUTH_HMAC_SHA1);
    ck_assert_int_eq(c->mobiles[0].sa.replay, REPLAY_SEQUENCE);
    ck_assert_str_eq(c->warnings, "");
    conf_free(c);
}
END_TEST

START_TEST(rows_of_both_families)
{
    write_text("nodes.csv", "2001:db8:1::60,256,hex:00\n2001:db8:1::61,256,hex:00,hmac-sha1,sequence\n",
               0600);
    char *text = changed_in(good, "mobile-node ", "mobile-nodes = nodes.csv\nmobile-node ");
    struct conf *c = loaded(text);
    ck_assert_uint_eq(c->n_mobiles, 3);
    assert_address(&c->mobiles[1].home, "2001:db8:1::60");
    ck_assert_int_eq(c->mobiles[1].sa.key.algorithm, AUTH_HMAC_SHA1);
    ck_assert_int_eq(c->mobiles[1].sa.replay, REPLAY_TIMESTAMP);
    ck_assert_int_eq(c->mobiles[2].sa.replay, REPLAY_SEQUENCE);
    conf_free(c);
    free(text);
}
END_TEST

START_TEST(good_ipsec)
{
    struct conf *c = loaded(good);
    ck_assert_uint_eq(c->n_ipsec, 1);
    const struct conf_ipsec *ipsec = &c->ipsec[0];
    assert_address(&ipsec->home, "2001:db8:1::51");
    ck_assert_uint_eq(ipsec->in.spi, 1000);
    ck_assert_uint_eq(ipsec->out.spi, 1001);
    ck_assert_int_eq(ipsec->in.algorithm, ESP_AES_GCM);
    ck_assert_int_eq(ipsec->out.algorithm, ESP_AES_GCM);
    ck_assert_uint_eq(ipsec->in.key_len, 20);
    ck_assert_uint_eq(ipsec->in.key[19], 3);
    ck_assert_uint_eq(ipsec->in.auth_key_len, 0);
    ck_assert(!ipsec->in.replay_protection);
    conf_free(c);
    char *text = changed_in(good, "spi-out = 1001", "spi-out = 1001 replay-protection = true");
    c = loaded(text);
    ck_assert(c->ipsec[0].in.replay_protection);
    ck_assert(c->ipsec[0].out.replay_protection); /* ours do not cycle then */
    conf_free(c);
    free(text);
}
END_TEST

START_TEST(good_ipsec_of_a_peer)
{
    struct conf *c = loaded(good);
    ck_assert_uint_eq(c->n_peers, 1);
    const struct agent_peer *peer = &c->peers[0];
    ck_assert(peer->protected);
    ck_assert_uint_eq(peer->esp_in.spi, 1002);
    ck_assert_uint_eq(peer->esp_out.spi, 1003);
    ck_assert_int_eq(peer->esp_in.algorithm, ESP_AES_GCM);
    ck_assert_uint_eq(peer->esp_out.key_len, 20);
    conf_free(c);
    char *text = changed_in(good,
                            "ipsec { spi-in = 1002 key-in = 'hex:" PEER_KEY "'\n"
                            "spi-out = 1003 key-out = 'hex:" PEER_KEY "' }",
                            "");
    c = loaded(text);
    ck_assert(!c->peers[0].protected);
    conf_free(c);
    free(text);
}
END_TEST

START_TEST(good_home_test)
{
    char *text = changed_in(good, "spi-out = 1001", HOME_TEST("replay-protection = yes", "1012", TEST_KEYS));
    struct conf *c = loaded(text);
    const struct conf_ipsec *ipsec = &c->ipsec[0];
    ck_assert(ipsec->has_home_test);
    ck_assert_uint_eq(ipsec->home_test_in.spi, 1012);
    ck_assert_uint_eq(ipsec->home_test_out.spi, 1013);
    ck_assert_int_eq(ipsec->home_test_in.algorithm, ESP_AES_GCM);
    ck_assert_uint_eq(ipsec->home_test_out.key_len, 20);
    ck_assert(ipsec->home_test_in.replay_protection);
    ck_assert(!ipsec->in.replay_protection);
    ck_assert_uint_eq(ipsec->in.spi, 1000);
    conf_free(c);
    free(text);
    c = loaded(good);
    ck_assert(!c->ipsec[0].has_home_test);
    conf_free(c);
}
END_TEST

START_TEST(ipsec_with_authentication_key)
{
    char *text = changed_in(good, "spi-in = 1000 key-in = 'hex:" KEY20 "'\n",
                            "algorithm = aes-cbc-sha1 spi-in = 1000 key-in = 'hex:" KEY16
                            "' auth-key-in = 'hex:" KEY20 "'\n"
                            "auth-key-out = 'hex:" KEY20 "'\n");
    char *both = changed_in(text, "key-out = 'hex:" KEY20 "' }", "key-out = 'hex:" KEY32 "' }");
    struct conf *c = loaded(both);
    ck_assert_int_eq(c->ipsec[0].in.algorithm, ESP_AES_CBC_SHA1);
    ck_assert_uint_eq(c->ipsec[0].in.key_len, 16);
    ck_assert_uint_eq(c->ipsec[0].out.key_len, 32);
    ck_assert_uint_eq(c->ipsec[0].out.auth_key_len, 20);
    conf_free(c);
    free(text);
    free(both);
}
END_TEST

START_TEST(good_advertisement)
{
    struct conf *c = loaded(good);
    const struct conf_advertisement *a = &c->ports[0].advertisement;
    ck_assert(a->on);
    ck_assert(!c->ports[1].advertisement.on);
    ck_assert_uint_eq(a->interval_s, 30);
    ck_assert_uint_eq(a->router_lifetime_s, 90);
    ck_assert_uint_eq(a->valid_s, 4000);
    ck_assert_uint_eq(a->preferred_s, 3000);
    ck_assert_uint_eq(c->agent.home_prefixes[0].valid_s, 4000);
    ck_assert_uint_eq(c->agent.home_prefixes[0].preferred_s, 3000);
    ck_assert_uint_eq(c->agent.advertised.preference, 7);
    ck_assert_uint_eq(c->agent.advertised.lifetime_s, 120);
    conf_free(c);
}
END_TEST

START_TEST(prefixes_may_be_withheld)
{
    struct conf *c = loaded(good);
    ck_assert(!c->agent.withhold_prefixes);
    conf_free(c);
    char *text = changed_in(good, "home-networks = {'2001:db8:1::/64'} }",
                            "home-networks = {'2001:db8:1::/64'} prefix-discovery = false }");
    c = loaded(text);
    ck_assert(c->agent.withhold_prefixes);
    conf_free(c);
    free(text);
}
END_TEST

START_TEST(a_prefix_for_ever)
{
    char *text = changed_in(good, "valid-lifetime = 4000", "valid-lifetime = 4294967295");
    struct conf *c = loaded(text);
    ck_assert_uint_eq(c->ports[0].advertisement.valid_s, UINT32_MAX);
    ck_assert_uint_eq(c->agent.home_prefixes[0].valid_s, 0);
    conf_free(c);
    free(text);
}
END_TEST

/* A secondary of either family, on a link of both. */
START_TEST(a_secondary_over_ipv6)
{
    char *text = changed_in(good, "router-advertisement",
                            "secondary s { address = '2001:db8:1::3' spi = 1000 key = 'hex:" KEY32
                            "' }\nrouter-advertisement");
    struct conf *c = loaded(text);
    ck_assert_uint_eq(c->n_peers, 2);
    assert_address(&c->peers[0].address, "2001:db8:1::3");
    assert_address(&c->peers[0].local, "2001:db8:1::2");
    conf_free(c);
    free(text);
}
END_TEST

START_TEST(a_secondary_itself)
{
    struct conf *c =
        loaded("node = s\nid = 2\nrole = secondary\n"
               "port home { device = net_ring0 addresses = {'2001:db8:1::3/64', '10.1.0.3/24'} }\n"
               "primary p { address = '10.1.0.2' spi = 1000 key = 'hex:" KEY32 "' }\n");
    ck_assert_uint_eq(c->peers[0].n_prefixes, 2);
    ck_assert_uint_eq(c->agent.n_home_networks, 2);
    ck_assert_uint_ne(c->agent.encapsulations & 1 << ENCAPSULATION_IPV6_IN_IPV4, 0);
    conf_free(c);
}
END_TEST

static const struct fault faults[] = {
    {"link-local port address", "'2001:db8:1::2/64', ", "'2001:db8:1::2/64', 'fe80::2/64', ", 5,
     "which the port makes by itself"},
    {"network of another family than the home agent's", "'2001:db8:1::/64'}",
     "'2001:db8:1::/64', '10.1.0.0/24'}", 8, "no home agent's address is of the family of '10.1.0.0/24'"},
    {"advertising port that is not there", "router-advertisement home", "router-advertisement away", 9,
     "there is no port 'away'"},
    {"advertising port without IPv6", "router-advertisement home", "router-advertisement net", 9,
     "port net has no IPv6 address"},
    {"advertising twice", "mobile-node ", "router-advertisement home { interval = 30 }\nmobile-node ", 15,
     "a second section for port 'home'"},
    {"interval", "interval = 30", "interval = 3", 10, "from 4 to 1800"},
    {"router lifetime", "router-lifetime = 90", "router-lifetime = 29", 11,
     "29 is shorter than the interval, 30"},
    {"home agent's lifetime", "home-agent-lifetime = 120", "home-agent-lifetime = 0", 12, "from 1 to 65535"},
    {"preferred longer than valid", "preferred-lifetime = 3000", "preferred-lifetime = 4001", 14,
     "4001 is longer than the valid lifetime, 4000"},
    {"mobile node's algorithm", "replay = sequence", "algorithm = hmac-md5", 16,
     "an IPv6 home address takes hmac-sha1 alone"},
    {"mobile node's replay protection", "replay = sequence", "replay = nonce", 16,
     "nonce is for IPv4 home addresses"},
    {"mobile node at the subnet-router anycast address", "'2001:db8:1::50'", "'2001:db8:1::'", 15,
     "is the address of a network"},
    {"mobile node at the home agents' anycast address", "'2001:db8:1::50'",
     "'2001:db8:1::fdff:ffff:ffff:fffe'", 15, "is the anycast address of the home agents"},
    {"mobile node in no home network", "'2001:db8:1::50'", "'2001:db8:2::50'", 15, "is in no home network"},
    {"ipsec for IPv4", "ipsec '2001:db8:1::51'", "ipsec '10.1.0.51'", 17, "is in no home network"},
    {"ipsec in no home network", "ipsec '2001:db8:1::51'", "ipsec '2001:db8:2::51'", 17,
     "is in no home network"},
    {"reserved SPI", "spi-in = 1000", "spi-in = 255", 18, "from 256 to 4294967295"},
    {"SPI missing", "spi-out = 1001", "", 17, "spi-out is missing"},
    {"key too short", "key-in = 'hex:" KEY20 "'", "key-in = 'hex:" KEY16 "'", 18,
     "16 bytes; it must be from 20 to 36"},
    {"key of no AES length", "key-in = 'hex:" KEY20 "'", "key-in = 'hex:" KEY20 "00'", 18,
     "an AES key is of 16, 24 or 32 bytes"},
    {"key without use", "spi-out = 1001", "spi-out = 1001 auth-key-out = 'hex:" KEY20 "'", 19,
     "the algorithm takes no such key"},
    {"algorithm", "spi-out = 1001", "spi-out = 1001 algorithm = des", 19, "'des' is none of aes-gcm"},
    {"two sections for one", "ipsec '2001:db8:1::51'",
     "ipsec '2001:db8:1::51' { spi-in = 999 key-in = 'hex:" KEY20 "' spi-out = 999 key-out = 'hex:" KEY20
     "' }\nipsec '2001:db8:1::51'",
     18, "a second section for '2001:db8:1::51'"},
    {"one SPI for two", "ipsec '2001:db8:1::51'",
     "ipsec '2001:db8:1::52' { spi-in = 1000 key-in = 'hex:" KEY20 "' spi-out = 999 key-out = 'hex:" KEY20
     "' }\nipsec '2001:db8:1::51'",
     19, "1000 is that of 2001:db8:1::52 already"},
    {"one SPI for a mobile node and a peer", "spi-in = 1002", "spi-in = 1000", 18,
     "1000 is that of t already"},
    {"a peer's ipsec without SPI", "ipsec { spi-in = 1002", "ipsec {", 23, "ipsec: spi-in is missing"},
    {"a peer's ipsec with a short key", "spi-out = 1003 key-out = 'hex:" PEER_KEY,
     "spi-out = 1003 key-out = 'hex:00", 24, "must be"},
    {"a peer's ipsec with a name", "ipsec { spi-in = 1002", "ipsec x { spi-in = 1002", 23, "has no name"},
    {"a peer's ipsec twice", "ipsec { spi-in = 1002",
     "ipsec { spi-in = 999 key-in = 'hex:" PEER_KEY "' spi-out = 998 key-out = 'hex:" PEER_KEY
     "' }\nipsec { spi-in = 1002",
     24, "a second section"},
    {"another key in a peer's ipsec", "spi-out = 1003", "weight = 1 spi-out = 1003", 24, "weight"},
    {"home tests under the SPI of the signalling", "spi-out = 1001", HOME_TEST("", "1000", TEST_KEYS), 21,
     "1000 is that of 2001:db8:1::51 already"},
    {"home tests under another's SPI", "ipsec '2001:db8:1::51' {\n",
     "ipsec '2001:db8:1::52' { spi-in = 999 " TEST_KEYS "}\nipsec '2001:db8:1::51' { home-test {\n"
     "spi-in = 999 " TEST_KEYS " }\n",
     19, "999 is that of 2001:db8:1::52 already"},
    {"signalling under the SPI of another's home tests", "ipsec '2001:db8:1::51' {\n",
     "ipsec '2001:db8:1::52' { spi-in = 998 " TEST_KEYS " home-test { spi-in = 1000 " TEST_KEYS
     " } }\nipsec '2001:db8:1::51' {\n",
     19, "1000 is that of 2001:db8:1::52 already"},
    {"home tests in clear", "spi-out = 1001",
     HOME_TEST("algorithm = null-sha1", "1012",
               "auth-key-in = 'hex:" KEY20 "' spi-out = 1013 auth-key-out = 'hex:" KEY20 "'"),
     20, "home tests are to be encrypted"},
    {"home tests without a key", "spi-out = 1001",
     HOME_TEST("", "1012", "spi-out = 1013 key-out = 'hex:" KEY20 "'"), 19, "key-in is missing"},
    {"home tests twice", "spi-out = 1001",
     "home-test { spi-in = 1012 " TEST_KEYS " }\nhome-test { spi-in = 1014 " TEST_KEYS " }\nspi-out = 1001",
     20, "a second section"},
    {"home tests with a name", "spi-out = 1001", "home-test x { spi-in = 1012 " TEST_KEYS " } spi-out = 1001",
     19, "this section has no name"},
};

START_TEST(refuses)
{
    refuse(good, &faults[_i]);
}
END_TEST

/* Mobile IPv4 has its own authentication; a secondary speaks with no mobile node. */
START_TEST(ipsec_misplaced)
{
    char *errors;
    ck_assert_ptr_null(load("node = n\nid = 1\nrole = primary\n"
                            "port home { device = net_ring0 addresses = {'10.1.0.2/24'} }\n"
                            "home-agent { addresses = {10.1.0.2} home-networks = {10.1.0.0/24} }\n"
                            "ipsec 10.1.0.51 { spi-in = 1000 key-in = 'hex:" KEY20 "' spi-out = 1001 "
                            "key-out = 'hex:" KEY20 "' }\n",
                            &errors));
    assert_only_line(errors, "t.conf", 6, "is not IPv6");
    free(errors);
    ck_assert_ptr_null(load("node = s\nid = 2\nrole = secondary\n"
                            "port home { device = net_ring0 addresses = {'2001:db8:1::3/64'} }\n"
                            "primary p { address = '2001:db8:1::2' spi = 1000 key = 'hex:" KEY32 "' }\n"
                            "ipsec '2001:db8:1::51' { spi-in = 1000 key-in = 'hex:" KEY20 "' spi-out = 1001 "
                            "key-out = 'hex:" KEY20 "' }\n",
                            &errors));
    assert_only_line(errors, "t.conf", 6, "mobile nodes speak with the primary alone");
    free(errors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf_ipv6");
    TCase *tests = conf_case(suite, "conf_ipv6", directory_setup);
    tcase_add_test(tests, good_mobiles);
    tcase_add_test(tests, rows_of_both_families);
    tcase_add_test(tests, good_ipsec);
    tcase_add_test(tests, good_ipsec_of_a_peer);
    tcase_add_test(tests, good_home_test);
    tcase_add_test(tests, ipsec_with_authentication_key);
    tcase_add_test(tests, good_advertisement);
    tcase_add_test(tests, prefixes_may_be_withheld);
    tcase_add_test(tests, a_prefix_for_ever);
    tcase_add_test(tests, a_secondary_over_ipv6);
    tcase_add_test(tests, a_secondary_itself);
    tcase_add_loop_test(tests, refuses, 0, ROWS(faults));
    tcase_add_test(tests, ipsec_misplaced);
    return check_main(suite);
}
