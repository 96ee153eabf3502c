/* SPDX-License-Identifier: BSD-3-Clause */
/* The way to control: token buckets in faked time, and the rings. */
#include "eal.h"
#include "frame.h"

#include <rte_cycles.h>
#include <rte_errno.h>

enum { POOL = 63 };

#define X(name, text, rate, burst, ring) {PUNT_##name, rate, burst},
static const struct {
    enum punt_class class;
    uint32_t rate, burst;
} classes[] = {PUNT_CLASSES(X)};
#undef X

static unsigned take_all(struct token_bucket *b, uint32_t rate, uint32_t burst, uint64_t now)
{
    unsigned n = 0;
    while (token_bucket_take(b, rate, burst, now))
        n++;
    return n;
}

START_TEST(burst_then_rate)
{
    uint64_t hz = rte_get_tsc_hz(), now = 1000 * hz;
    struct token_bucket b = {0};
    ck_assert_uint_eq(take_all(&b, 1000, 64, now), 64); /* zeroed is full */
    ck_assert_uint_eq(take_all(&b, 1000, 64, now), 0);
    ck_assert_uint_eq(take_all(&b, 1000, 64, now + hz / 1000 - 1), 0);
    ck_assert_uint_eq(take_all(&b, 1000, 64, now + hz / 1000 + 1), 1);
    ck_assert_uint_eq(take_all(&b, 1000, 64, now + hz / 100 + 1), 9);
    ck_assert_uint_eq(take_all(&b, 1000, 64, now + hz), 64); /* never more than the burst */
    ck_assert_uint_eq(take_all(&b, 1000, 64, now + (UINT64_C(1) << 40)), 64);
}
END_TEST

START_TEST(time_does_not_run_back)
{
    uint64_t hz = rte_get_tsc_hz(), now = 1000 * hz;
    struct token_bucket b = {0};
    ck_assert_uint_eq(take_all(&b, 1000, 64, now), 64);
    ck_assert_uint_eq(take_all(&b, 1000, 64, now - hz), 0);
    ck_assert_uint_eq(take_all(&b, 1000, 64, now), 0);
}
END_TEST

/* Asked at any times, a bucket passes no more than burst + rate * time, and all of that if asked enough. */
START_TEST(rate_is_kept_at_any_spacing)
{
    uint64_t random = eal_seed("bucket"), hz = rte_get_tsc_hz();
    for (int round = 0; round < 200; round++) {
        uint32_t rate = (uint32_t)(1 + eal_random(&random) % 400000);
        uint32_t burst = (uint32_t)(1 + eal_random(&random) % 8192);
        uint64_t start = hz * 8192, now = start, passed = 0; /* even at 1 a second zeroed is full by then */
        uint64_t step_max = 1 + hz / rate * (1 + eal_random(&random) % 3);
        struct token_bucket b = {0};
        passed += take_all(&b, rate, burst, now);
        for (int i = 0; i < 2000; i++) {
            now += eal_random(&random) % step_max;
            passed += take_all(&b, rate, burst, now);
        }
        uint64_t due = burst + (now - start) * rate / hz;
        ck_assert_msg(passed <= due, "rate %u, burst %u: %lu of %lu", rate, burst, passed, due);
        ck_assert_msg(passed + 2 >= due || burst < 4, "rate %u, burst %u: only %lu of %lu", rate, burst,
                      passed, due);
    }
}
END_TEST

static bool admit(struct token_bucket *class, struct token_bucket *source, enum punt_class c,
                  struct addr from, uint64_t now)
{
    return punt_admit(class, source, c, &from, now);
}

START_TEST(classes_do_not_starve_each_other)
{
    struct token_bucket class[PUNT_CLASS_COUNT] = {0}, source[PUNT_SOURCE_BUCKETS] = {0};
    uint64_t now = rte_get_tsc_hz() * 1000;
    for (int c = 0; c < PUNT_CLASS_COUNT; c++) {
        unsigned passed = 0;
        for (uint32_t i = 0; i < 100000; i++) /* from many sources, so that the class is what limits */
            passed += admit(class, source, classes[c].class, addr_from_ipv4(i * 2654435761U), now);
        ck_assert_uint_eq(passed, classes[c].burst);
    }
}
END_TEST

START_TEST(one_source_leaves_the_others_their_share)
{
    struct token_bucket class[PUNT_CLASS_COUNT] = {0}, source[PUNT_SOURCE_BUCKETS] = {0};
    uint64_t now = rte_get_tsc_hz() * 1000;
    unsigned flood = 0, good = 0;
    const struct addr bad = addr_from_ipv4(CORRESPONDENT), other = addr_from_ipv4(ELSEWHERE);
    ck_assert_uint_ne(punt_source_bucket(&bad), punt_source_bucket(&other));
    for (int i = 0; i < 1000000; i++)
        flood += punt_admit(class, source, PUNT_SIGNALLING, &bad, now);
    for (int i = 0; i < 1000; i++)
        good += punt_admit(class, source, PUNT_SIGNALLING, &other, now);
    ck_assert_uint_eq(flood, PUNT_SOURCE_BURST);
    ck_assert_uint_eq(good, 1000);
    /* Other classes do not look at the source. */
    for (int i = 0; i < 100; i++)
        ck_assert(punt_admit(class, source, PUNT_LOCAL, &bad, now));
}
END_TEST

START_TEST(sources_spread_over_the_buckets)
{
    unsigned filled[PUNT_SOURCE_BUCKETS] = {0};
    for (uint32_t i = 0; i < 64 * PUNT_SOURCE_BUCKETS; i++) {
        const uint32_t n = IP(10, 0, 0, 0) + i;
        const struct addr ipv4 = addr_from_ipv4(n), /* or one /64 after the other */
            ipv6 = {{0x20, 1, 0x0d, 0xb8, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                     (uint8_t)n, [15] = 1}};
        filled[punt_source_bucket(_i == 0 ? &ipv4 : &ipv6)]++;
    }
    for (int i = 0; i < PUNT_SOURCE_BUCKETS; i++)
        ck_assert_msg(filled[i] > 16 && filled[i] < 256, "bucket %d: %u", i, filled[i]);
}
END_TEST

/* Who has a /64 has 2^64 addresses. */
START_TEST(a_network_of_ipv6_is_one_source)
{
    struct addr a = {{0x20, 1, 0x0d, 0xb8, [15] = 1}}, b = a;
    memset(b.b + 8, 0x5a, 8);
    ck_assert_uint_eq(punt_source_bucket(&a), punt_source_bucket(&b));
}
END_TEST

START_TEST(rings)
{
    struct rte_mempool *pool = eal_pool("punt", POOL);
    struct punt_rings rings, twin;
    ck_assert_int_eq(punt_rings_create(&rings, "one", SOCKET_ID_ANY), 0);
    ck_assert_int_eq(punt_rings_create(&twin, "one", SOCKET_ID_ANY), -EEXIST);
    for (int c = 0; c < PUNT_CLASS_COUNT; c++)
        ck_assert_ptr_null(twin.ring[c]);
    ck_assert_int_eq(punt_rings_create(&twin, "a name that is longer than a ring's may be", SOCKET_ID_ANY),
                     -ENAMETOOLONG);
    ck_assert_int_eq(punt_rings_create(&twin, "two", SOCKET_ID_ANY), 0);
    /* What still lies in a ring goes back to its pool. */
    for (int c = 0; c < PUNT_CLASS_COUNT; c++)
        ck_assert_int_eq(rte_ring_mp_enqueue(rings.ring[c], rte_pktmbuf_alloc(pool)), 0);
    punt_rings_destroy(&rings);
    punt_rings_destroy(&twin);
    punt_rings_destroy(&twin); /* nothing left behind, nothing to do */
    ck_assert_uint_eq(rte_mempool_avail_count(pool), POOL);
    rte_mempool_free(pool);
}
END_TEST

START_TEST(names)
{
    ck_assert_str_eq(punt_class_text(PUNT_NEIGHBOR), "neighbor");
    ck_assert_str_eq(punt_class_text(PUNT_ERROR), "error");
    ck_assert_ptr_null(punt_class_text(PUNT_CLASS_COUNT));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("punt");
    TCase *c = tcase_create("punt");
    tcase_add_test(c, burst_then_rate);
    tcase_add_test(c, time_does_not_run_back);
    tcase_add_test(c, rate_is_kept_at_any_spacing);
    tcase_add_test(c, classes_do_not_starve_each_other);
    tcase_add_test(c, one_source_leaves_the_others_their_share);
    tcase_add_loop_test(c, sources_spread_over_the_buckets, 0, 2);
    tcase_add_test(c, a_network_of_ipv6_is_one_source);
    tcase_add_test(c, rings);
    tcase_add_test(c, names);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return eal_main("test_punt", "64", NULL, suite);
}
