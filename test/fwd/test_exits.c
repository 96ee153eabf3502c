/* SPDX-License-Identifier: BSD-3-Clause */
/* The workers' snapshot of the routes, against the routes that it was made of. */
#include "eal.h"
#include "frame.h"

#include "exits.h"

enum { CAPACITY = 512, ROUNDS = 300 };

static struct routes *begin(void)
{
    struct routes *r = routes_create("test", CAPACITY);
    ck_assert_msg(r != NULL, "no routes: %s", rte_strerror(rte_errno));
    return r;
}

static void add(struct routes *r, const char *destination, uint8_t port_index)
{
    struct route one = {.port_index = port_index};
    ck_assert_msg(prefix_parse(destination, &one.destination), "%s", destination);
    ck_assert_int_eq(routes_add(r, &one), 0);
}

/* A route's adjacency is its port's number here; who asked for it is counted. */
static uint32_t adjacency_of(void *context, const struct route *route)
{
    (*(unsigned *)context)++;
    return route->port_index;
}

static struct exits *snapshot(const struct routes *r, unsigned *asked)
{
    *asked = 0;
    struct exits *x = exits_create(r, adjacency_of, asked);
    ck_assert_ptr_nonnull(x);
    return x;
}

static uint32_t look(const struct exits *x, const struct addr *address)
{
    uint32_t adjacency;
    return exits_lookup(x, address, &adjacency) ? adjacency : EXITS_NO_ROUTE;
}

static uint32_t look_text(const struct exits *x, const char *text)
{
    struct addr address;
    ck_assert_msg(addr_parse(text, &address), "%s", text);
    return look(x, &address);
}

static const char *const corners[] = {
    "0.0.0.0",
    "255.255.255.255",
    "::",
    "::fffe:ffff:ffff",
    "::1:0:0:0",
    "2001:db8::1",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};

START_TEST(no_routes)
{
    unsigned asked;
    struct routes *r = begin();
    struct exits *x = snapshot(r, &asked);
    ck_assert_uint_eq(asked, 0);
    ck_assert_uint_eq(x->n, 1);
    for (int i = 0; i < ROWS(corners); i++)
        ck_assert_uint_eq(look_text(x, corners[i]), EXITS_NO_ROUTE);
    exits_destroy(x);
    exits_destroy(NULL);
    routes_destroy(r);
}
END_TEST

/* A default route is its family's alone. */
static const struct {
    const char *route;
    bool ipv6;
} defaults[] = {{"0.0.0.0/0", false}, {"::/0", true}};

START_TEST(one_family_has_no_routes)
{
    unsigned asked;
    struct routes *r = begin();
    add(r, defaults[_i].route, 7);
    struct exits *x = snapshot(r, &asked);
    ck_assert_uint_eq(x->n, 3);
    for (int i = 0; i < ROWS(corners); i++) {
        const bool ipv6 = strchr(corners[i], ':') != NULL;
        ck_assert_msg(look_text(x, corners[i]) == (ipv6 == defaults[_i].ipv6 ? 7 : EXITS_NO_ROUTE), "%s",
                      corners[i]);
    }
    exits_destroy(x);
    routes_destroy(r);
}
END_TEST

static const struct {
    const char *destination;
    uint32_t adjacency;
} routes[] = {
    {"10.2.7.77/32", 4},
    {"2001:db8:2:7::77/128", 14},
    {"10.2.0.0/16", 2},
    {"255.255.255.255/32", 5},
    {"::/0", 11},
    {"ffff::/16", 15},
    {"0.0.0.0/0", 1},
    {"10.2.7.0/24", 3},
    {"2001:db8:2:7::/64", 13},
    {"2001:db8:2::/48", 12},
    {"10.1.0.0/24", ADJACENCY_NONE},
    {"2001:db8:1::/64", ADJACENCY_NONE},
};

static const struct {
    const char *to;
    uint32_t adjacency;
} lookups[] = {
    {"0.0.0.0", 1},
    {"9.255.255.255", 1},
    {"10.1.0.0", ADJACENCY_NONE}, /* connected: an answer, not the lack of one */
    {"10.1.0.255", ADJACENCY_NONE},
    {"10.1.1.0", 1},
    {"10.2.0.0", 2},
    {"10.2.6.255", 2},
    {"10.2.7.0", 3},
    {"10.2.7.76", 3},
    {"10.2.7.77", 4},
    {"10.2.7.78", 3},
    {"10.2.8.0", 2},
    {"10.3.0.0", 1},
    {"255.255.255.254", 1},
    {"255.255.255.255", 5},
    {"::", 11},
    {"::fffe:ffff:ffff", 11}, /* the last before IPv4's, the first behind */
    {"::1:0:0:0", 11},
    {"2001:db8:0:ffff:ffff:ffff:ffff:ffff", 11},
    {"2001:db8:1::", ADJACENCY_NONE},
    {"2001:db8:1:0:ffff:ffff:ffff:ffff", ADJACENCY_NONE},
    {"2001:db8:1:1::", 11},
    {"2001:db8:2::", 12},
    {"2001:db8:2:6:ffff:ffff:ffff:ffff", 12},
    {"2001:db8:2:7::76", 13},
    {"2001:db8:2:7::77", 14},
    {"2001:db8:2:7::78", 13},
    {"2001:db8:2:7:ffff:ffff:ffff:ffff", 13},
    {"2001:db8:2:8::", 12},
    {"2001:db8:3::", 11},
    {"fffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 11},
    {"ffff::", 15},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 15},
};

START_TEST(most_specific_wins)
{
    unsigned asked;
    struct routes *r = begin();
    for (int i = 0; i < ROWS(routes); i++)
        add(r, routes[i].destination, (uint8_t)routes[i].adjacency);
    struct exits *x = snapshot(r, &asked);
    for (int i = 0; i < ROWS(lookups); i++)
        ck_assert_msg(look_text(x, lookups[i].to) == lookups[i].adjacency, "%s: %u", lookups[i].to,
                      look_text(x, lookups[i].to));
    ck_assert_uint_eq(asked, ROWS(routes));
    ck_assert_uint_eq(x->n_routes, ROWS(routes));
    for (uint32_t i = 0; i < x->n_routes; i++)
        ck_assert_uint_eq(x->asked[i], routes_at(r, i)->port_index);
    exits_destroy(x);
    routes_destroy(r);
}
END_TEST

/* Many routes by one router are one interval. */
START_TEST(no_more_intervals_than_answers_change)
{
    unsigned asked;
    struct routes *r = begin();
    for (unsigned i = 0; i < 256; i++) {
        char destination[32];
        snprintf(destination, sizeof(destination), _i == 0 ? "10.0.%u.0/24" : "2001:db8:0:%x::/64", i);
        add(r, destination, 7);
    }
    struct exits *x = snapshot(r, &asked);
    ck_assert_uint_eq(asked, 256);
    ck_assert_uint_eq(x->n, 3);
    exits_destroy(x);
    routes_destroy(r);
}
END_TEST

/* ---- By chance ---- */

static uint32_t expected(const struct routes *r, const struct addr *address)
{
    struct route route;
    struct addr next_hop;
    return routes_lookup(r, address, &route, &next_hop) ? route.port_index : EXITS_NO_ROUTE;
}

/* To the next address, or with a difference of 255 to that before; round the end. */
static void step(struct addr *a, uint8_t difference)
{
    unsigned carry = difference;
    for (int i = 15; i >= 0; i--) {
        carry += a->b[i] + (difference == 255 && i < 15 ? 255U : 0U);
        a->b[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void check_around(const struct routes *r, const struct exits *x, const struct addr *address)
{
    struct addr a = *address;
    step(&a, 255);
    for (int i = 0; i < 3; i++, step(&a, 1))
        MUST_EQ(look(x, &a), expected(r, &a));
}

/* Few address bits differ, so that networks nest. */
static struct prefix random_prefix(uint64_t *random)
{
    const uint64_t bits = eal_random(random);
    struct prefix p = {addr_from_ipv4((uint32_t)bits & 0xc0c00f03), (uint8_t)(bits >> 40) % 33};
    if ((bits >> 63) == 0)
        return p;
    for (int i = 0; i < 12; i++)
        p.addr.b[i] = (bits >> (32 + i % 8) & 1) != 0 ? 0xc0 : 0;
    p.bits = (uint8_t)(bits >> 40) % 129;
    return p;
}

static struct addr last_of(const struct prefix *p)
{
    struct addr a = prefix_network(p).addr;
    for (unsigned i = addr_is_ipv4(&a) ? 96U + p->bits : p->bits; i < 128; i++)
        a.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return a;
}

/* Every place where the answer can change is looked at. */
START_TEST(as_the_routes_say)
{
    uint64_t random = eal_seed("exits");
    for (int round = 0; round < ROUNDS; round++) {
        unsigned asked;
        struct routes *r = begin();
        const unsigned n = 1 + (unsigned)(eal_random(&random) % 64);
        for (unsigned i = 0; i < n; i++) {
            const struct route one = {.destination = random_prefix(&random),
                                      .port_index = (uint8_t)(eal_random(&random) % 90)};
            routes_add(r, &one);
        }
        struct exits *x = snapshot(r, &asked);
        MUST_EQ(asked, routes_count(r));
        for (size_t i = 0; i < routes_count(r); i++) {
            const struct prefix *p = &routes_at(r, i)->destination;
            const struct addr last = last_of(p);
            check_around(r, x, &p->addr);
            check_around(r, x, &last);
        }
        for (int i = 0; i < 200; i++) {
            const struct addr a = random_prefix(&random).addr;
            check_around(r, x, &a);
        }
        exits_destroy(x);
        routes_destroy(r);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("exits");
    TCase *t = tcase_create("exits");
    tcase_add_test(t, no_routes);
    tcase_add_loop_test(t, one_family_has_no_routes, 0, ROWS(defaults));
    tcase_add_test(t, most_specific_wins);
    tcase_add_loop_test(t, no_more_intervals_than_answers_change, 0, 2);
    tcase_add_test(t, as_the_routes_say);
    suite_add_tcase(s, t);
    return s;
}

int main(int argc, char **argv)
{
    (void)argc;
    return eal_main(argv[0], "64", NULL, suite);
}
