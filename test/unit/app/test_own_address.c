/* SPDX-License-Identifier: BSD-3-Clause */
#include "own_address.h"

#include "../check_main.h"
#include "instant.h"
#include "timerq.h"

#define SECONDS(n) ((uint64_t)(n)*NSEC_PER_S)

static struct addr parsed(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

static struct prefix prefix_parsed(const char *text)
{
    struct prefix p;
    ck_assert_msg(prefix_parse(text, &p), "%s", text);
    return p;
}

/* A port with an IPv4 address, two IPv6 ones, and its link-local one. */
static struct own_addresses port(void)
{
    struct own_addresses own = {0};
    const struct prefix addresses[] = {prefix_parsed("10.1.0.2/24"), prefix_parsed("2001:db8:1::2/64"),
                                       prefix_parsed("2001:db8:2::2/64")};
    const struct addr link_local = parsed("fe80::2");
    own_addresses_set(&own, &link_local, addresses, 3);
    return own;
}

/* Takes `n` steps of that kind and no more. */
static void check_steps(struct own_addresses *own, uint64_t now_ns, enum own_address_step kind, size_t n)
{
    struct addr address;
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(own_addresses_step(own, now_ns, &address), kind);
    ck_assert_int_eq(own_addresses_step(own, now_ns, &address), OWN_ADDRESS_NOTHING);
}

static bool usable(const struct own_addresses *own, const char *text)
{
    const struct addr a = parsed(text);
    return own_address_is_usable(own, &a);
}

static bool claimed(struct own_addresses *own, const char *text)
{
    const struct addr a = parsed(text);
    return own_address_claimed(own, &a);
}

/* RFC 4862 section 5.4: one solicitation, one second. */
START_TEST(detection)
{
    struct own_addresses own = port();
    ck_assert_uint_eq(own.n, 3);
    ck_assert_uint_eq(own_addresses_deadline(&own), 0);
    check_steps(&own, SECONDS(10), OWN_ADDRESS_ASK, 3);
    ck_assert_uint_eq(own_addresses_deadline(&own), SECONDS(11));
    ck_assert(!usable(&own, "2001:db8:1::2") && !usable(&own, "fe80::2"));
    check_steps(&own, SECONDS(11) - 1, OWN_ADDRESS_NOTHING, 0);
    check_steps(&own, SECONDS(11), OWN_ADDRESS_GAINED, 3);
    ck_assert(usable(&own, "2001:db8:1::2") && usable(&own, "fe80::2"));
    ck_assert(!usable(&own, "10.1.0.2") && !usable(&own, "2001:db8:1::3"));
    ck_assert_uint_eq(own_addresses_deadline(&own), TIMER_NEVER);
}
END_TEST

START_TEST(duplicate)
{
    struct own_addresses own = port();
    check_steps(&own, SECONDS(10), OWN_ADDRESS_ASK, 3);
    ck_assert(claimed(&own, "2001:db8:1::2"));
    ck_assert_msg(!claimed(&own, "2001:db8:1::2"), "it is given up once");
    ck_assert(!claimed(&own, "2001:db8:1::3"));
    check_steps(&own, SECONDS(11), OWN_ADDRESS_GAINED, 2);
    ck_assert(!usable(&own, "2001:db8:1::2") && usable(&own, "2001:db8:2::2"));
    /* Section 5.4.4: what was past detection is kept. */
    ck_assert(!claimed(&own, "2001:db8:2::2"));
    ck_assert(usable(&own, "2001:db8:2::2"));
}
END_TEST

/* Section 5.4.5: a duplicate made of the MAC address means that the station itself is there twice. */
START_TEST(duplicate_station)
{
    struct own_addresses own = port();
    check_steps(&own, SECONDS(10), OWN_ADDRESS_ASK, 3);
    ck_assert(claimed(&own, "fe80::2"));
    check_steps(&own, SECONDS(11), OWN_ADDRESS_GAINED, 2);
    ck_assert(!usable(&own, "fe80::2") && !usable(&own, "2001:db8:1::2"));
}
END_TEST

START_TEST(claimed_before_it_was_asked_for)
{
    struct own_addresses own = port();
    ck_assert(claimed(&own, "2001:db8:2::2"));
    check_steps(&own, SECONDS(10), OWN_ADDRESS_ASK, 2);
}
END_TEST

START_TEST(link_up_again)
{
    struct own_addresses own = port();
    check_steps(&own, SECONDS(10), OWN_ADDRESS_ASK, 3);
    ck_assert(claimed(&own, "2001:db8:1::2"));
    check_steps(&own, SECONDS(11), OWN_ADDRESS_GAINED, 2);
    own_addresses_begin(&own, SECONDS(20)); /* RFC 4862 section 5.4.2: the first message is delayed */
    ck_assert(!usable(&own, "2001:db8:2::2"));
    ck_assert_uint_eq(own_addresses_deadline(&own), SECONDS(20));
    check_steps(&own, SECONDS(20) - 1, OWN_ADDRESS_NOTHING, 0);
    check_steps(&own, SECONDS(20), OWN_ADDRESS_ASK, 3);
    check_steps(&own, SECONDS(21), OWN_ADDRESS_GAINED, 3);
    ck_assert(usable(&own, "2001:db8:1::2"));
}
END_TEST

START_TEST(reload)
{
    struct own_addresses own = port();
    check_steps(&own, SECONDS(10), OWN_ADDRESS_ASK, 3);
    check_steps(&own, SECONDS(11), OWN_ADDRESS_GAINED, 3);
    const struct prefix addresses[] = {prefix_parsed("2001:db8:3::2/64"), prefix_parsed("2001:db8:2::2/64"),
                                       prefix_parsed("2001:db8:2::2/64")};
    const struct addr link_local = parsed("fe80::2");
    own_addresses_set(&own, &link_local, addresses, 3);
    ck_assert_uint_eq(own.n, 3); /* one of them was said twice */
    ck_assert(usable(&own, "2001:db8:2::2") && usable(&own, "fe80::2"));
    ck_assert(!usable(&own, "2001:db8:1::2") && !usable(&own, "2001:db8:3::2"));
    check_steps(&own, SECONDS(30), OWN_ADDRESS_ASK, 1);
    check_steps(&own, SECONDS(31), OWN_ADDRESS_GAINED, 1);
    ck_assert(usable(&own, "2001:db8:3::2"));
}
END_TEST

START_TEST(duplicate_asked_for_again_on_reload)
{
    struct own_addresses own = port();
    check_steps(&own, SECONDS(10), OWN_ADDRESS_ASK, 3);
    ck_assert(claimed(&own, "2001:db8:1::2"));
    check_steps(&own, SECONDS(11), OWN_ADDRESS_GAINED, 2);
    const struct prefix addresses[] = {prefix_parsed("2001:db8:1::2/64"), prefix_parsed("2001:db8:2::2/64")};
    const struct addr link_local = parsed("fe80::2");
    own_addresses_set(&own, &link_local, addresses, 2);
    check_steps(&own, SECONDS(20), OWN_ADDRESS_ASK, 1);
    check_steps(&own, SECONDS(21), OWN_ADDRESS_GAINED, 1);
    ck_assert(usable(&own, "2001:db8:1::2"));
}
END_TEST

START_TEST(no_ipv6)
{
    struct own_addresses own = port();
    const struct prefix address = prefix_parsed("10.1.0.2/24");
    own_addresses_set(&own, &addr_unspecified, &address, 1);
    ck_assert_uint_eq(own.n, 0);
    check_steps(&own, SECONDS(1), OWN_ADDRESS_NOTHING, 0);
    ck_assert(!usable(&own, "fe80::2"));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("own_address");
    TCase *tc = tcase_create("own_address");
    tcase_add_test(tc, detection);
    tcase_add_test(tc, duplicate);
    tcase_add_test(tc, duplicate_station);
    tcase_add_test(tc, claimed_before_it_was_asked_for);
    tcase_add_test(tc, link_up_again);
    tcase_add_test(tc, reload);
    tcase_add_test(tc, duplicate_asked_for_again_on_reload);
    tcase_add_test(tc, no_ipv6);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
