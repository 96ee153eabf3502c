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

static int add(struct routes *r, uint32_t network, uint8_t bits, uint8_t port_index)
{
    const struct route one = {.destination = {addr_from_ipv4(network), bits}, .port_index = port_index};
    return routes_add(r, &one);
}

static void add_ipv6(struct routes *r)
{
    struct route one = {.port_index = 99};
    ck_assert(prefix_parse("::/0", &one.destination));
    ck_assert_int_eq(routes_add(r, &one), 0);
}

/* A route's adjacency is its port's number here; who asked for it is counted. */
static uint32_t adjacency_of(void *context, const struct route *route)
{
    ck_assert_uint_ne(route->port_index, 99); /* of IPv6 */
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

static uint32_t look(const struct exits *x, uint32_t address)
{
    uint32_t adjacency;
    return exits_lookup(x, rte_cpu_to_be_32(address), &adjacency) ? adjacency : EXITS_NO_ROUTE;
}

START_TEST(no_routes)
{
    unsigned asked;
    struct routes *r = begin();
    add_ipv6(r);
    struct exits *x = snapshot(r, &asked);
    ck_assert_uint_eq(asked, 0);
    ck_assert_uint_eq(x->n, 1);
    ck_assert_uint_eq(look(x, 0), EXITS_NO_ROUTE);
    ck_assert_uint_eq(look(x, UINT32_MAX), EXITS_NO_ROUTE);
    exits_destroy(x);
    exits_destroy(NULL);
    routes_destroy(r);
}
END_TEST

static const struct {
    uint32_t to, adjacency;
} lookups[] = {
    {IP(0, 0, 0, 0), 1},
    {IP(9, 255, 255, 255), 1},
    {IP(10, 1, 0, 0), ADJACENCY_NONE}, /* connected: an answer, not the lack of one */
    {IP(10, 1, 0, 255), ADJACENCY_NONE},
    {IP(10, 1, 1, 0), 1},
    {IP(10, 2, 0, 0), 2},
    {IP(10, 2, 6, 255), 2},
    {IP(10, 2, 7, 0), 3},
    {IP(10, 2, 7, 76), 3},
    {IP(10, 2, 7, 77), 4},
    {IP(10, 2, 7, 78), 3},
    {IP(10, 2, 8, 0), 2},
    {IP(10, 3, 0, 0), 1},
    {IP(255, 255, 255, 254), 1},
    {IP(255, 255, 255, 255), 5},
};

START_TEST(most_specific_wins)
{
    unsigned asked;
    struct routes *r = begin();
    ck_assert_int_eq(add(r, IP(10, 2, 7, 77), 32, 4), 0);
    ck_assert_int_eq(add(r, IP(10, 2, 0, 0), 16, 2), 0);
    ck_assert_int_eq(add(r, IP(255, 255, 255, 255), 32, 5), 0);
    add_ipv6(r);
    ck_assert_int_eq(add(r, 0, 0, 1), 0);
    ck_assert_int_eq(add(r, IP(10, 2, 7, 0), 24, 3), 0);
    ck_assert_int_eq(add(r, IP(10, 1, 0, 0), 24, ADJACENCY_NONE), 0);
    struct exits *x = snapshot(r, &asked);
    for (int i = 0; i < ROWS(lookups); i++)
        ck_assert_msg(look(x, lookups[i].to) == lookups[i].adjacency, "%08x: %u", lookups[i].to,
                      look(x, lookups[i].to));
    ck_assert_uint_eq(asked, 6);
    ck_assert_uint_eq(x->n_routes, 7);
    for (uint32_t i = 0; i < x->n_routes; i++) {
        const uint8_t port_index = routes_at(r, i)->port_index;
        ck_assert_uint_eq(x->asked[i], port_index == 99 ? ADJACENCY_NONE : port_index);
    }
    exits_destroy(x);
    routes_destroy(r);
}
END_TEST

/* Many routes by one router are one interval. */
START_TEST(no_more_intervals_than_answers_change)
{
    unsigned asked;
    struct routes *r = begin();
    for (uint32_t i = 0; i < 256; i++)
        ck_assert_int_eq(add(r, IP(10, 0, i, 0), 24, 7), 0);
    struct exits *x = snapshot(r, &asked);
    ck_assert_uint_eq(asked, 256);
    ck_assert_uint_eq(x->n, 3);
    exits_destroy(x);
    routes_destroy(r);
}
END_TEST

static uint32_t expected(const struct routes *r, uint32_t address)
{
    const struct addr a = addr_from_ipv4(address);
    struct route route;
    struct addr next_hop;
    return routes_lookup(r, &a, &route, &next_hop) ? route.port_index : EXITS_NO_ROUTE;
}

static void check_around(const struct routes *r, const struct exits *x, uint32_t address)
{
    for (uint32_t a = address - 1; a != address + 2; a++)
        MUST_EQ(look(x, a), expected(r, a));
}

/* Few address bits differ, so that networks nest; every place where the answer can change is looked at. */
START_TEST(as_the_routes_say)
{
    uint64_t random = eal_seed("exits");
    for (int round = 0; round < ROUNDS; round++) {
        unsigned asked;
        struct routes *r = begin();
        const unsigned n = 1 + (unsigned)(eal_random(&random) % 64);
        for (unsigned i = 0; i < n; i++) {
            const uint64_t bits = eal_random(&random);
            add(r, (uint32_t)bits & 0xc0c00f03, (uint8_t)(bits >> 40) % 33, (uint8_t)(bits >> 48) % 90);
        }
        struct exits *x = snapshot(r, &asked);
        MUST_EQ(asked, routes_count(r));
        for (size_t i = 0; i < routes_count(r); i++) {
            const struct prefix *p = &routes_at(r, i)->destination;
            const uint64_t size = UINT64_C(1) << (32 - p->bits);
            check_around(r, x, addr_ipv4(&p->addr));
            check_around(r, x, (uint32_t)(addr_ipv4(&p->addr) + size));
        }
        for (int i = 0; i < 200; i++)
            check_around(r, x, (uint32_t)eal_random(&random));
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
    tcase_add_test(t, most_specific_wins);
    tcase_add_test(t, no_more_intervals_than_answers_change);
    tcase_add_test(t, as_the_routes_say);
    suite_add_tcase(s, t);
    return s;
}

int main(int argc, char **argv)
{
    (void)argc;
    return eal_main(argv[0], "64", NULL, suite);
}
