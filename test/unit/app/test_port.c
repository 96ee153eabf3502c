/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose address is whose: ports' own, their links', and what else is for the appliance. No device is opened.
 */
#include <stdlib.h>

#include "../check_main.h"
#include "local.h"
#include "port.h"

static struct addr addr(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

static struct port port(const char *mac_last, const char *const *prefixes, const char *link_local)
{
    struct port p = {.mac = {{0x02, 0, 0, 0, 0, (uint8_t)strtoul(mac_last, NULL, 16)}},
                     .link_local = link_local != NULL ? addr(link_local) : addr_unspecified};
    for (; prefixes[p.n_addresses] != NULL; p.n_addresses++)
        ck_assert(prefix_parse(prefixes[p.n_addresses], &p.addresses[p.n_addresses]));
    return p;
}

/* home: both families; outside: IPv4 alone; far: IPv6 alone. */
enum { HOME, OUTSIDE, FAR };

static struct ports three_ports(void)
{
    static const char *const home[] = {"10.1.0.2/24", "2001:db8:1::2/64", NULL},
                             *outside[] = {"192.0.2.2/31", NULL},
                             *far[] = {"2001:db8:2::2/64", "2001:db8:3::2/48", NULL};
    return (struct ports){.port = {port("01", home, "fe80::ff:fe00:1"), port("02", outside, NULL),
                                   port("03", far, "fe80::ff:fe00:3")},
                          .n = 3};
}

static const struct {
    const char *address;
    int own, connected;
    bool on_link[3];
} places[] = {
    {"10.1.0.2", HOME, HOME, {true, false, false}},
    {"10.1.0.50", -1, HOME, {true, false, false}},
    {"192.0.2.3", -1, OUTSIDE, {false, true, false}},
    {"198.51.100.7", -1, -1, {false, false, false}},
    {"2001:db8:1::2", HOME, HOME, {true, false, false}},
    {"2001:db8:1::50", -1, HOME, {true, false, false}},
    {"2001:db8:3:1::9", -1, FAR, {false, false, true}},
    {"2001:db8:9::1", -1, -1, {false, false, false}},
    /* A link-local address is on every link that speaks IPv6, and connected to none. */
    {"fe80::ff:fe00:1", HOME, -1, {true, false, true}},
    {"fe80::ff:fe00:3", FAR, -1, {true, false, true}},
    {"fe80::1", -1, -1, {true, false, true}},
    {"169.254.0.1", -1, -1, {false, false, false}},
    {"::", -1, -1, {false, false, false}},
};

START_TEST(addresses_have_their_places)
{
    const struct ports ports = three_ports();
    const struct addr a = addr(places[_i].address);
    ck_assert_msg(ports_own(&ports, &a) == places[_i].own, "own: %s", places[_i].address);
    ck_assert_msg(ports_connected(&ports, &a) == places[_i].connected, "connected: %s", places[_i].address);
    for (unsigned i = 0; i < ports.n; i++)
        ck_assert_msg(ports_on_link(&ports, i, &a) == places[_i].on_link[i], "on link %u: %s", i,
                      places[_i].address);
}
END_TEST

static const struct {
    unsigned port;
    const char *peer, *source;
} sources[] = {
    {HOME, "10.1.0.50", "10.1.0.2"},
    {HOME, "198.51.100.7", "10.1.0.2"},
    {HOME, "2001:db8:1::50", "2001:db8:1::2"},
    {HOME, "2001:db8:9::1", "2001:db8:1::2"},
    {HOME, "fe80::1", "fe80::ff:fe00:1"},
    {FAR, "2001:db8:3:1::9", "2001:db8:3::2"}, /* the one in whose prefix it is, not the first */
    {FAR, "2001:db8:9::1", "2001:db8:2::2"},
    {FAR, "10.1.0.50", "::"}, /* none of that family */
    {OUTSIDE, "2001:db8:9::1", "::"},
    {OUTSIDE, "fe80::1", "::"},
};

START_TEST(peers_are_spoken_to_from)
{
    const struct ports ports = three_ports();
    const struct addr peer = addr(sources[_i].peer), source = addr(sources[_i].source),
                      got = port_source(&ports.port[sources[_i].port], &peer);
    ck_assert_msg(addr_equal(&got, &source), "%s", sources[_i].peer);
}
END_TEST

START_TEST(macs_of_ours_are_known)
{
    const struct ports ports = three_ports();
    const struct mac ours = {{2, 0, 0, 0, 0, 3}}, other = {{2, 0, 0, 0, 0, 4}};
    ck_assert(ports_own_mac(&ports, &ours));
    ck_assert(!ports_own_mac(&ports, &other));
}
END_TEST

static const struct {
    const char *address;
    enum local_kind at_primary, at_secondary;
} kinds[] = {
    {"10.1.0.2", LOCAL_OWN, LOCAL_OWN},
    {"10.1.0.255", LOCAL_BROADCAST, LOCAL_BROADCAST},
    {"10.1.0.0", LOCAL_BROADCAST, LOCAL_BROADCAST},
    {"10.1.0.50", LOCAL_NONE, LOCAL_NONE},
    {"192.0.2.2", LOCAL_OWN, LOCAL_OWN}, /* a link of two: no broadcast address */
    {"192.0.2.3", LOCAL_NONE, LOCAL_NONE},
    {"2001:db8:1::2", LOCAL_OWN, LOCAL_OWN},
    {"2001:db8:1::", LOCAL_NONE, LOCAL_NONE},
    {"2001:db8:1:0:ffff:ffff:ffff:ffff", LOCAL_NONE, LOCAL_NONE},
    {"fe80::ff:fe00:1", LOCAL_OWN, LOCAL_OWN},
    /* RFC 2526, RFC 6275 section 10.5 */
    {"2001:db8:1:0:fdff:ffff:ffff:fffe", LOCAL_ANYCAST, LOCAL_NONE},
    {"2001:db8:2:0:fdff:ffff:ffff:fffe", LOCAL_NONE, LOCAL_NONE}, /* no home network */
    {"2001:db8:7:0:fdff:ffff:ffff:fffe", LOCAL_NONE, LOCAL_NONE}, /* a home network, not on our links */
    {"::", LOCAL_NONE, LOCAL_NONE},
};

static void check_kind(enum conf_role role, const char *text, enum local_kind expected)
{
    static struct conf conf;
    struct locals locals;
    const struct ports ports = three_ports();
    static struct prefix networks[3];
    const char *const texts[] = {"10.1.0.0/24", "2001:db8:1::/64", "2001:db8:7::/64"};
    for (size_t i = 0; i < 3; i++)
        ck_assert(prefix_parse(texts[i], &networks[i]));
    conf.role = role;
    memcpy(conf.agent.home_networks, networks, sizeof(networks));
    conf.agent.n_home_networks = 3;
    locals_of(&locals, &ports, &conf);
    const struct addr a = addr(text);
    ck_assert_msg(locals_kind(&locals, &a) == expected, "%s", text);
}

START_TEST(local_addresses_are)
{
    check_kind(ROLE_PRIMARY, kinds[_i].address, kinds[_i].at_primary);
    check_kind(ROLE_SECONDARY, kinds[_i].address, kinds[_i].at_secondary);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("port");
    TCase *tests = tcase_create("port");
    tcase_add_loop_test(tests, addresses_have_their_places, 0, ROWS(places));
    tcase_add_loop_test(tests, peers_are_spoken_to_from, 0, ROWS(sources));
    tcase_add_test(tests, macs_of_ours_are_known);
    tcase_add_loop_test(tests, local_addresses_are, 0, ROWS(kinds));
    suite_add_tcase(s, tests);
    return s;
}

int main(void)
{
    return check_main(suite());
}
