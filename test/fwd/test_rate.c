/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts and rates per binding, from two workers' counters in invented time. */
#include "eal.h"
#include "instant.h"
#include "rate.h"

enum { SLOTS = 5000, WORKERS = 2 };

static struct binding_counter counters[WORKERS][SLOTS];
static struct worker workers[WORKERS];
static struct worker *const both[WORKERS] = {&workers[0], &workers[1]};

static struct rates *begin(void)
{
    memset(counters, 0, sizeof(counters));
    for (unsigned i = 0; i < WORKERS; i++)
        workers[i].bindings = counters[i];
    struct rates *rates = rates_create(SLOTS);
    ck_assert_ptr_nonnull(rates);
    return rates;
}

static void traffic(uint32_t slot, uint64_t packets, uint64_t bytes)
{
    counters[slot % WORKERS][slot].packets += packets;
    counters[slot % WORKERS][slot].bytes += bytes;
}

/* As control does it: often, and a little each time. */
static uint64_t run(struct rates *rates, uint64_t now_ns, uint64_t seconds, size_t budget)
{
    for (uint64_t end = now_ns + seconds * NSEC_PER_S; now_ns < end; now_ns += NSEC_PER_MS)
        rates_sample(rates, both, WORKERS, now_ns, budget);
    return now_ns;
}

START_TEST(sum_of_all_workers_since_forgotten)
{
    struct rates *rates = begin();
    counters[0][7] = (struct binding_counter){10, 1000};
    counters[1][7] = (struct binding_counter){5, 500};
    ck_assert_uint_eq(rates_total(rates, 7, both, WORKERS).packets, 15);
    rates_forget(rates, 7, both, WORKERS);
    ck_assert_uint_eq(rates_total(rates, 7, both, WORKERS).packets, 0);
    counters[1][7].packets += 3;
    counters[1][7].bytes += 300;
    ck_assert_uint_eq(rates_total(rates, 7, both, WORKERS).packets, 3);
    ck_assert_uint_eq(rates_total(rates, 7, both, WORKERS).bytes, 300);
    rates_destroy(rates);
}
END_TEST

START_TEST(every_slot_has_its_rate)
{
    struct rates *rates = begin();
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        rates_forget(rates, slot, both, WORKERS);
    uint64_t now = run(rates, 100 * NSEC_PER_S, 3, 64);
    for (unsigned second = 0; second < 4; second++) {
        for (unsigned ms = 0; ms < 1000; ms++) {
            for (uint32_t slot = 0; slot < SLOTS; slot += 97)
                traffic(slot, slot % 10, 100);
            rates_sample(rates, both, WORKERS, now += NSEC_PER_MS, 64);
        }
    }
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint64_t expected = slot % 97 == 0 ? slot % 10 * 1000 : 0;
        uint64_t pps = rates_pps(rates, slot);
        ck_assert_msg(pps >= expected * 99 / 100 && pps <= expected * 101 / 100, "slot %u: %lu, not %lu",
                      slot, (unsigned long)pps, (unsigned long)expected);
    }
    run(rates, now, 3, 64);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        ck_assert_uint_eq(rates_pps(rates, slot), 0);
    rates_destroy(rates);
}
END_TEST

START_TEST(a_new_address_inherits_nothing)
{
    struct rates *rates = begin();
    rates_forget(rates, 1, both, WORKERS);
    uint64_t now = run(rates, NSEC_PER_S, 2, 64);
    traffic(1, 1000000, 1);
    now = run(rates, now, 2, 64);
    traffic(1, 1000000, 1);
    rates_forget(rates, 1, both, WORKERS);
    ck_assert_uint_eq(rates_pps(rates, 1), 0);
    run(rates, now, 2, 64);
    ck_assert_uint_eq(rates_pps(rates, 1), 0);
    rates_destroy(rates);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("rate");
    tcase_add_test(tc, sum_of_all_workers_since_forgotten);
    tcase_add_test(tc, every_slot_has_its_rate);
    tcase_add_test(tc, a_new_address_inherits_nothing);
    Suite *suite = suite_create("fwd/rate");
    suite_add_tcase(suite, tc);
    return check_main(suite);
}
