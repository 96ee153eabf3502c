/* SPDX-License-Identifier: BSD-3-Clause */
#include "advertiser.h"

#include "../check_main.h"
#include "instant.h"
#include "timerq.h"

#define SECONDS(n) ((uint64_t)(n)*NSEC_PER_S)
#define MS(n)      ((uint64_t)(n)*NSEC_PER_MS)

static struct prefix prefix_parsed(const char *text)
{
    struct prefix p;
    ck_assert_msg(prefix_parse(text, &p), "%s", text);
    return p;
}

/* The time until the next one, when it is taken at its moment. */
static uint64_t next(struct advertiser *a, uint16_t interval_s)
{
    const uint64_t now = advertiser_deadline(a);
    ck_assert(!advertiser_due(a, interval_s, now - 1));
    ck_assert(advertiser_due(a, interval_s, now));
    ck_assert(!advertiser_due(a, interval_s, now));
    return advertiser_deadline(a) - now;
}

/* RFC 4861 section 6.2.4: the first three within 16 s of each other, then from a third of the interval to the
 * whole; sections 6.2.6 and 10: never within 3 s. */
START_TEST(pace)
{
    static const uint16_t intervals[] = {4, 10, 600, 1800};
    struct advertiser a = {0};
    const uint16_t interval = intervals[_i];
    uint64_t least = UINT64_MAX, most = 0;
    advertiser_start(&a, 42, SECONDS(100));
    ck_assert_uint_eq(advertiser_deadline(&a), SECONDS(100));
    for (int i = 0; i < 1000; i++) {
        const uint64_t wait = next(&a, interval);
        ck_assert_uint_ge(wait, MS(ADVERTISER_APART_MS));
        ck_assert_uint_le(wait, SECONDS(interval));
        if (i < ADVERTISER_INITIAL - 1) {
            ck_assert_uint_le(wait, MS(ADVERTISER_INITIAL_INTERVAL_MS));
            continue;
        }
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
        ck_assert_uint_ge(wait, SECONDS(interval) / 3);
    }
    ck_assert_uint_gt(most - least, (SECONDS(interval) - MS(ADVERTISER_APART_MS)) / 2); /* spread */
}
END_TEST

START_TEST(initial_only)
{
    struct advertiser a = {0};
    advertiser_start(&a, 42, SECONDS(100));
    for (int i = 0; i < ADVERTISER_INITIAL - 1; i++)
        ck_assert_uint_eq(next(&a, 600), MS(ADVERTISER_INITIAL_INTERVAL_MS));
    ck_assert_uint_ge(next(&a, 600), SECONDS(200));
}
END_TEST

/* Section 6.2.6: half a second at most, but three after the last. */
START_TEST(solicited)
{
    struct advertiser a = {0};
    advertiser_start(&a, 42, SECONDS(100));
    while (a.initial_left > 0)
        next(&a, 600);
    const uint64_t last = a.last_ns;

    advertiser_solicited(&a, last + SECONDS(1));
    ck_assert_uint_ge(advertiser_deadline(&a), last + SECONDS(3));
    ck_assert_uint_le(advertiser_deadline(&a), last + MS(3500));
    const uint64_t planned = advertiser_deadline(&a);
    advertiser_solicited(&a, last + SECONDS(2));
    ck_assert_uint_le(advertiser_deadline(&a), planned); /* one answers both */
    ck_assert_uint_ge(next(&a, 600), SECONDS(200));

    const uint64_t later = a.last_ns + SECONDS(50);
    advertiser_solicited(&a, later);
    ck_assert_uint_ge(advertiser_deadline(&a), later);
    ck_assert_uint_le(advertiser_deadline(&a), later + MS(500));
}
END_TEST

START_TEST(solicited_all_the_time)
{
    struct advertiser a = {0};
    advertiser_start(&a, 42, SECONDS(100));
    unsigned sent = 0;
    for (uint64_t now = SECONDS(100); now < SECONDS(160); now += MS(10)) {
        advertiser_solicited(&a, now);
        sent += advertiser_due(&a, 600, now);
    }
    ck_assert_uint_le(sent, 20);
    ck_assert_uint_ge(sent, 60 / 4);
}
END_TEST

START_TEST(off)
{
    struct advertiser a = {0};
    advertiser_solicited(&a, SECONDS(100));
    ck_assert_uint_eq(advertiser_deadline(&a), TIMER_NEVER);
    ck_assert(!advertiser_due(&a, 600, SECONDS(1000)));
    advertiser_start(&a, 42, SECONDS(100));
    next(&a, 600);
    advertiser_stop(&a);
    ck_assert_uint_eq(advertiser_deadline(&a), TIMER_NEVER);
    advertiser_start(&a, 42, SECONDS(101)); /* on again at once: not within three seconds */
    ck_assert_uint_eq(advertiser_deadline(&a), SECONDS(103));
}
END_TEST

static const struct conf_advertisement settings = {.on = true,
                                                   .interval_s = 600,
                                                   .router_lifetime_s = 1800,
                                                   .preference = 10,
                                                   .home_agent_lifetime_s = 900,
                                                   .valid_s = 2592000,
                                                   .preferred_s = 604800};

START_TEST(content)
{
    const struct prefix addresses[] = {prefix_parsed("2001:db8:1::2/64"), prefix_parsed("2001:db8:2::2/56")};
    const struct nd_router r = advertiser_content(&settings, true, 1500, addresses, 2);
    ck_assert_uint_eq(r.hop_limit, 64);
    ck_assert_uint_eq(r.flags, ND_HOME_AGENT); /* neither managed nor other: there is no DHCPv6 */
    ck_assert_uint_eq(r.lifetime_s, 1800);
    ck_assert_uint_eq(r.mtu, 1500);
    ck_assert_uint_eq(r.interval_ms, 600000);
    ck_assert(r.has_home_agent);
    ck_assert_uint_eq(r.preference, 10);
    ck_assert_uint_eq(r.home_agent_lifetime_s, 900);
    ck_assert_uint_eq(r.n_prefixes, 2);
    /* RFC 6275 section 7.2: the whole address. */
    ck_assert(addr_equal(&r.prefixes[0].prefix.addr, &addresses[0].addr));
    ck_assert_uint_eq(r.prefixes[0].flags, ND_PREFIX_ON_LINK | ND_PREFIX_AUTONOMOUS | ND_PREFIX_ADDRESS);
    ck_assert_uint_eq(r.prefixes[0].valid_s, 2592000);
    ck_assert_uint_eq(r.prefixes[0].preferred_s, 604800);
    ck_assert_uint_eq(r.prefixes[1].flags, ND_PREFIX_ON_LINK | ND_PREFIX_ADDRESS); /* RFC 4862 5.5.3 (d) */
}
END_TEST

START_TEST(content_of_no_home_agent)
{
    const struct nd_router r = advertiser_content(&settings, false, 1500, NULL, 0);
    ck_assert_uint_eq(r.flags, 0);
    ck_assert(!r.has_home_agent);
    ck_assert_uint_eq(r.lifetime_s, 1800);

    struct conf_advertisement silent = settings;
    silent.home_agent_lifetime_s = 0; /* RFC 6275 section 7.4: that is not said */
    ck_assert(!advertiser_content(&silent, true, 1500, NULL, 0).has_home_agent);
}
END_TEST

/* RFC 4861 section 6.2.5. */
START_TEST(farewell)
{
    const struct nd_router r = advertiser_farewell();
    ck_assert_uint_eq(r.lifetime_s, 0);
    ck_assert_uint_eq(r.flags, 0);
    ck_assert_uint_eq(r.n_prefixes, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("advertiser");
    TCase *tc = tcase_create("advertiser");
    tcase_add_loop_test(tc, pace, 0, 4);
    tcase_add_test(tc, initial_only);
    tcase_add_test(tc, solicited);
    tcase_add_test(tc, solicited_all_the_time);
    tcase_add_test(tc, off);
    tcase_add_test(tc, content);
    tcase_add_test(tc, content_of_no_home_agent);
    tcase_add_test(tc, farewell);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
