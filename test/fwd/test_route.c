/* SPDX-License-Identifier: BSD-3-Clause */
/* Longest-prefix routes of both families, each lookup against a plain scan of all routes. */
#include "eal.h"
#include "route.h"

static struct addr address(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

/* via NULL: connected. */
static struct route route(const char *destination, const char *via, uint8_t port_index)
{
    struct route r = {.port_index = port_index};
    ck_assert_msg(prefix_parse(destination, &r.destination), "%s", destination);
    if (via != NULL)
        r.via = address(via);
    return r;
}

static struct routes *begin(size_t capacity)
{
    struct routes *r = routes_create("test", capacity);
    ck_assert_msg(r != NULL, "no routes: %s", rte_strerror(rte_errno));
    return r;
}

static void add(struct routes *r, const char *destination, const char *via, uint8_t port_index)
{
    const struct route one = route(destination, via, port_index);
    ck_assert_msg(routes_add(r, &one) == 0, "%s", destination);
}

static const struct {
    const char *to;
    const char *next_hop; /* NULL: no route */
    uint8_t port_index;
} lookups[] = {
    {"10.1.0.9", "10.1.0.9", 0},              /* connected */
    {"10.1.0.255", "10.1.0.255", 0},          /* what is a broadcast is not decided here */
    {"10.2.0.9", "10.1.0.1", 0},              /* /16 */
    {"10.2.7.9", "10.3.0.7", 1},              /* the /24 in it */
    {"10.2.7.77", "10.3.0.77", 1},            /* the host in that */
    {"10.2.7.76", "10.3.0.7", 1},             /* its neighbour */
    {"10.2.8.0", "10.1.0.1", 0},              /* just behind the /24 */
    {"192.0.2.1", "10.1.0.254", 0},           /* default */
    {"255.255.255.255", "10.1.0.254", 0},     /* the last address of all */
    {"0.0.0.0", "10.1.0.254", 0},             /* the first */
    {"2001:db8:1::9", "2001:db8:1::9", 0},    /* connected */
    {"2001:db8:2::9", "2001:db8:1::1", 0},    /* /48 */
    {"2001:db8:2:7::9", "2001:db8:3::7", 1},  /* the /64 in it */
    {"2001:db8:2:7::a", "2001:db8:3::10", 1}, /* the host in that */
    {"2001:db9::1", NULL, 0},                 /* the IPv4 default is none of IPv6's */
    {"::1", NULL, 0},
};

START_TEST(most_specific_wins)
{
    struct routes *r = begin(16);
    add(r, "10.2.7.0/24", "10.3.0.7", 1); /* not in order of length */
    add(r, "0.0.0.0/0", "10.1.0.254", 0);
    add(r, "10.2.7.77/32", "10.3.0.77", 1);
    add(r, "10.1.0.2/24", NULL, 0); /* with a host part, as a port's address has it */
    add(r, "10.2.0.0/16", "10.1.0.1", 0);
    add(r, "2001:db8:2:7::a/128", "2001:db8:3::10", 1);
    add(r, "2001:db8:2::/48", "2001:db8:1::1", 0);
    add(r, "2001:db8:2:7::/64", "2001:db8:3::7", 1);
    add(r, "2001:db8:1::2/64", NULL, 0);
    for (int i = 0; i < ROWS(lookups); i++) {
        const struct addr to = address(lookups[i].to);
        struct route found;
        struct addr hop;
        const bool has = routes_lookup(r, &to, &found, &hop);
        ck_assert_msg(has == (lookups[i].next_hop != NULL), "%s", lookups[i].to);
        if (!has)
            continue;
        const struct addr expected = address(lookups[i].next_hop);
        ck_assert_msg(addr_equal(&hop, &expected), "%s", lookups[i].to);
        ck_assert_msg(found.port_index == lookups[i].port_index, "%s", lookups[i].to);
    }
    routes_destroy(r);
}
END_TEST

START_TEST(an_ipv6_default_is_none_of_ipv4)
{
    struct routes *r = begin(4);
    add(r, "::/0", "2001:db8:1::1", 0);
    const struct addr v4 = address("10.0.0.1"), v6 = address("2001:db8:9::1");
    struct route found;
    struct addr hop;
    ck_assert(!routes_lookup(r, &v4, &found, &hop));
    ck_assert(routes_lookup(r, &v6, &found, &hop));
    routes_destroy(r);
}
END_TEST

START_TEST(a_prefix_has_one_route)
{
    struct routes *r = begin(4);
    add(r, "10.2.0.0/16", "10.1.0.1", 0);
    add(r, "2001:db8::/32", "2001:db8:1::1", 0);
    const struct route again = route("10.2.0.0/16", "10.1.0.3", 0);
    const struct route host_part = route("10.2.9.9/16", "10.1.0.3", 0);
    const struct route again6 = route("2001:db8::5/32", "2001:db8:1::3", 0);
    ck_assert_int_eq(routes_add(r, &again), -EEXIST);
    ck_assert_int_eq(routes_add(r, &host_part), -EEXIST);
    ck_assert_int_eq(routes_add(r, &again6), -EEXIST);
    ck_assert_uint_eq(routes_count(r), 2);
    const struct addr to = address("10.2.9.9"), via = address("10.1.0.1");
    struct route found;
    struct addr hop;
    ck_assert(routes_lookup(r, &to, &found, &hop) && addr_equal(&hop, &via));
    routes_destroy(r);
}
END_TEST

START_TEST(listed_in_order_of_addition)
{
    struct routes *r = begin(3);
    add(r, "10.2.9.9/16", "10.1.0.1", 1);
    add(r, "2001:db8::/32", "2001:db8:1::1", 0);
    add(r, "10.1.0.0/24", NULL, 0);
    static const char *const networks[] = {"10.2.0.0/16", "2001:db8::/32", "10.1.0.0/24"};
    ck_assert_uint_eq(routes_count(r), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct route expected = route(networks[i], NULL, 0);
        ck_assert(addr_equal(&routes_at(r, i)->destination.addr, &expected.destination.addr));
        ck_assert_uint_eq(routes_at(r, i)->destination.bits, expected.destination.bits);
    }
    const struct route more = route("10.7.0.0/24", NULL, 0);
    ck_assert_int_eq(routes_add(r, &more), -ENOSPC);
    ck_assert_uint_eq(routes_count(r), 3);
    routes_destroy(r);
}
END_TEST

START_TEST(names_are_unique_and_come_free)
{
    struct routes *a = begin(1);
    ck_assert_ptr_null(routes_create("test", 1));
    ck_assert_int_eq(rte_errno, EEXIST);
    struct routes *b = routes_create("other", 1);
    ck_assert_ptr_nonnull(b);
    routes_destroy(a);
    a = begin(1);
    routes_destroy(a);
    routes_destroy(b);
    routes_destroy(NULL);
    char name[128];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_assert_ptr_null(routes_create(name, 1));
    ck_assert_int_eq(rte_errno, ENAMETOOLONG);
}
END_TEST

/* The worst case for the tree: each prefix needs a branching node besides its own. */
START_TEST(capacity_is_what_was_asked_for)
{
    enum { MANY = 1000 };
    struct routes *r = begin(MANY);
    uint64_t random = eal_seed("capacity");
    while (routes_count(r) < MANY) {
        struct route one = {.destination = {addr_from_ipv4((uint32_t)eal_random(&random)), 32}};
        int added = routes_add(r, &one);
        ck_assert(added == 0 || added == -EEXIST);
    }
    routes_destroy(r);
}
END_TEST

static const struct route *scan(const struct routes *r, const struct addr *to)
{
    const struct route *best = NULL;
    for (size_t i = 0; i < routes_count(r); i++) {
        const struct route *one = routes_at(r, i);
        if (prefix_contains(&one->destination, to) &&
            (best == NULL || one->destination.bits > best->destination.bits))
            best = one;
    }
    return best;
}

/* Few address bits, so that prefixes nest. */
static struct addr random_address(uint64_t *random, bool v4)
{
    const uint64_t bits = eal_random(random);
    if (v4)
        return addr_from_ipv4(0x0a000000 | (uint32_t)(bits & 0x0303ff03));
    struct addr a = address("2001:db8::");
    a.b[4] = bits & 3;
    a.b[7] = bits >> 8 & 0xff;
    a.b[8] = bits >> 16 & 3;
    a.b[15] = bits >> 24 & 3;
    return a;
}

START_TEST(agrees_with_a_scan)
{
    enum { MANY = 300, LOOKUPS = 20000 };
    struct routes *r = begin(MANY);
    uint64_t random = eal_seed("scan");
    for (unsigned i = 0; i < MANY; i++) {
        const bool v4 = i % 2 == 0;
        struct route one = {.port_index = (uint8_t)(i & 7), .via = address("10.1.0.1")};
        one.destination.addr = random_address(&random, v4);
        one.destination.bits = (uint8_t)(eal_random(&random) % (v4 ? 33 : 129));
        int added = routes_add(r, &one);
        ck_assert(added == 0 || added == -EEXIST);
    }
    unsigned found_some = 0;
    for (unsigned i = 0; i < LOOKUPS; i++) {
        const struct addr to = random_address(&random, i % 2 == 0);
        const struct route *expected = scan(r, &to);
        struct route found;
        struct addr hop;
        const bool has = routes_lookup(r, &to, &found, &hop);
        if (has != (expected != NULL) || (has && memcmp(&found, expected, sizeof(found)) != 0))
            ck_abort_msg("lookup %u differs from the scan", i);
        found_some += has;
    }
    ck_assert_uint_gt(found_some, LOOKUPS / 10);
    routes_destroy(r);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("route");
    TCase *tc = tcase_create("route");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, most_specific_wins);
    tcase_add_test(tc, an_ipv6_default_is_none_of_ipv4);
    tcase_add_test(tc, a_prefix_has_one_route);
    tcase_add_test(tc, listed_in_order_of_addition);
    tcase_add_test(tc, names_are_unique_and_come_free);
    tcase_add_test(tc, capacity_is_what_was_asked_for);
    tcase_add_test(tc, agrees_with_a_scan);
    suite_add_tcase(s, tc);
    return s;
}

int main(int argc, char **argv)
{
    (void)argc;
    return eal_main(argv[0], "64", NULL, suite);
}
