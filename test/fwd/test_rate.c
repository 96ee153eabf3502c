/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counts and rates per binding: two workers' counters, the sweeps that report them, the ring, and what
 * control makes of it, in invented time.
 */
#include "eal.h"
#include "rate.h"

enum {
    SLOTS = 5000,
    MANY = RATE_RING + 8192,
    WORKERS = 2,
    TURNS = 500 /* of every worker and control, a period */
};

static struct bed {
    struct worker worker[WORKERS];
    struct worker *all[WORKERS];
    struct rates *rates;
    uint32_t slots;
    uint64_t now; /* TSC */
    uint64_t put_off;
} bed;

static void set_up_slots(uint32_t slots)
{
    memset(&bed, 0, sizeof(bed));
    bed.slots = slots;
    bed.now = 1000 * rate_period_tsc() - rate_period_tsc() / TURNS / 2; /* turns keep off the edges */
    bed.rates = rates_create("rates", slots, SOCKET_ID_ANY);
    ck_assert_ptr_nonnull(bed.rates);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *w = bed.all[i] = &bed.worker[i];
        w->bindings = calloc(slots, sizeof(*w->bindings));
        w->rates = (struct rate_sweep){.ring = rates_ring(bed.rates),
                                       .counters = w->bindings,
                                       .reported = calloc(slots, sizeof(*w->bindings))};
        ck_assert(w->bindings != NULL && w->rates.reported != NULL);
    }
}

static void set_up(void)
{
    set_up_slots(SLOTS);
}

static void tear_down(void)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        free(bed.worker[i].bindings);
        free(bed.worker[i].rates.reported);
    }
    rates_destroy(bed.rates);
}

static void traffic(unsigned worker, uint32_t slot, uint64_t packets, uint64_t bytes)
{
    bed.worker[worker].bindings[slot].packets += packets;
    bed.worker[worker].bindings[slot].bytes += bytes;
}

static void sweep(unsigned worker)
{
    bed.put_off += rate_sweep_turn(&bed.worker[worker].rates, bed.slots, bed.now);
}

/* One TURNS-th of a period. */
static void turn(size_t budget)
{
    bed.now += rate_period_tsc() / TURNS;
    for (unsigned i = 0; i < WORKERS; i++)
        sweep(i);
    rates_collect(bed.rates, bed.now, budget);
}

static void periods(unsigned n)
{
    for (unsigned i = 0; i < n * TURNS; i++)
        turn(SIZE_MAX);
}

static struct binding_counter total(uint32_t slot)
{
    return rates_total(bed.rates, slot, bed.all, WORKERS);
}

static void forget(uint32_t slot)
{
    rates_forget(bed.rates, slot, bed.all, WORKERS);
}

START_TEST(totals_are_exact_at_once)
{
    traffic(0, 7, 10, 1000);
    traffic(1, 7, 5, 500);
    ck_assert_uint_eq(total(7).packets, 15);
    forget(7);
    ck_assert_uint_eq(total(7).packets, 0);
    traffic(1, 7, 3, 300);
    ck_assert_uint_eq(total(7).packets, 3);
    ck_assert_uint_eq(total(7).bytes, 300);
}
END_TEST

START_TEST(every_slot_has_its_rate)
{
    periods(1);
    for (unsigned i = 0; i < 4 * TURNS; i++) {
        for (uint32_t slot = 0; slot < SLOTS; slot += 97)
            traffic(i % WORKERS, slot, slot % 10, 100);
        turn(SIZE_MAX);
    }
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint64_t expected = slot % 97 == 0 ? slot % 10 * TURNS : 0;
        uint64_t pps = rates_pps(bed.rates, slot);
        ck_assert_msg(pps >= expected * 99 / 100 && pps <= expected * 101 / 100, "slot %u: %lu, not %lu",
                      slot, (unsigned long)pps, (unsigned long)expected);
    }
    periods(3);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        ck_assert_uint_eq(rates_pps(bed.rates, slot), 0);
}
END_TEST

/* Slots with traffic are told once a period each, with their rates and totals; when they have fallen silent
 * once more, with 0, and then no longer. */
START_TEST(control_is_told_once_a_period)
{
    static unsigned told[SLOTS];
    struct rate_view view;
    for (unsigned period = 0; period < 8; period++) {
        memset(told, 0, sizeof(told));
        for (unsigned i = 0; i < TURNS; i++) {
            if (period < 3)
                traffic(i % WORKERS, 11, 2, 250);
            turn(SIZE_MAX);
            while (rates_next(bed.rates, &view)) {
                ck_assert_uint_eq(view.slot, 11);
                told[view.slot]++;
            }
        }
        if (period == 2) {
            ck_assert_uint_le(view.pps, 2 * TURNS * 101 / 100);
            ck_assert_uint_ge(view.pps, 2 * TURNS * 99 / 100);
            ck_assert_uint_ge(view.kbps, 250 * TURNS * 8 / 1000 * 99 / 100);
            ck_assert_uint_le(view.kbps, 250 * TURNS * 8 / 1000 * 101 / 100);
        }
        /* What comes after the slot was looked at is reported in the next period, and told one later. */
        ck_assert_msg(told[11] == (period >= 1 && period <= 5), "period %u: told %u times", period, told[11]);
    }
    ck_assert_uint_eq(view.pps, 0);
    ck_assert_uint_eq(view.packets, 3 * 2 * TURNS);
    ck_assert_uint_eq(view.bytes, 3 * 250 * TURNS);
}
END_TEST

/* What lies in the ring, and what the workers have not even reported, is the former address's. */
START_TEST(a_new_address_inherits_nothing)
{
    struct rate_view view;
    periods(1);
    traffic(0, 1, 1000000, 1000000);
    while (rte_ring_empty(rates_ring(bed.rates))) { /* reported, but not taken in */
        bed.now += rate_period_tsc() / TURNS;
        sweep(0);
    }
    traffic(0, 1, 500, 500); /* not reported */
    traffic(1, 1, 70, 70);
    forget(1);
    traffic(1, 1, 9, 900);
    ck_assert_uint_eq(total(1).packets, 9);
    uint64_t pps = 0, packets = 0, bytes = 0;
    for (unsigned i = 0; i < 3 * TURNS; i++) {
        turn(SIZE_MAX);
        while (rates_next(bed.rates, &view)) {
            ck_assert_uint_eq(view.slot, 1);
            pps += view.pps;
            packets = view.packets;
            bytes = view.bytes;
        }
    }
    ck_assert_uint_eq(pps, 9);
    ck_assert_uint_eq(packets, 9);
    ck_assert_uint_eq(bytes, 900);
}
END_TEST

START_TEST(a_new_address_has_no_rate)
{
    for (unsigned i = 0; i < 3 * TURNS; i++) {
        traffic(0, 1, 1, 100);
        turn(SIZE_MAX);
    }
    ck_assert_uint_eq(rates_pps(bed.rates, 1), TURNS);
    forget(1);
    ck_assert_uint_eq(rates_pps(bed.rates, 1), 0);
}
END_TEST

START_TEST(a_turn_looks_at_a_slice)
{
    struct rate_sweep *s = &bed.worker[0].rates;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        traffic(0, slot, 1, 1);
    sweep(0);
    bed.now += rate_period_tsc(); /* all is due */
    uint32_t before = s->next;
    sweep(0);
    ck_assert_uint_eq(s->next - before, RATE_BATCH);
    ck_assert_uint_eq(rte_ring_count(rates_ring(bed.rates)), 2 * RATE_BATCH);
    for (uint32_t slot = 0; slot < SLOTS; slot++) /* nothing to report */
        s->reported[slot] = bed.worker[0].bindings[slot];
    before = s->next;
    sweep(0);
    ck_assert_uint_eq(s->next - before, RATE_SLICE);
}
END_TEST

/* Evenly, a batch at a time, not all at the period's beginning; and done well before its end. */
START_TEST(a_sweep_takes_a_period)
{
    const struct rate_sweep *s = &bed.worker[0].rates;
    bed.now = 1000 * rate_period_tsc();
    sweep(0);
    for (unsigned i = 1; i < TURNS; i++) {
        bed.now += rate_period_tsc() / TURNS;
        sweep(0);
        uint64_t even = (uint64_t)SLOTS * i * 8 / 7 / TURNS;
        uint64_t expected = even < SLOTS ? even : SLOTS;
        ck_assert_uint_le(s->next, expected + 1);
        ck_assert_uint_gt(s->next + RATE_BATCH + 1, expected);
        ck_assert(even < SLOTS || s->next == SLOTS);
    }
}
END_TEST

START_TEST(control_takes_in_a_budget)
{
    for (uint32_t slot = 0; slot < 1000; slot++)
        traffic(0, slot, 1, 1);
    for (unsigned i = 0; i < TURNS; i++) {
        bed.now += rate_period_tsc() / TURNS;
        sweep(0);
    }
    ck_assert_uint_eq(rates_collect(bed.rates, bed.now, 100), 100);
    ck_assert_uint_eq(rte_ring_count(rates_ring(bed.rates)), 900);
    ck_assert_uint_eq(rates_collect(bed.rates, bed.now, 0), 0);
    ck_assert_uint_eq(rates_collect(bed.rates, bed.now, SIZE_MAX), 900);
}
END_TEST

/* Control stands still, the ring fills up, that is counted, and later every slot is told in full. */
START_TEST(a_full_ring_loses_nothing)
{
    static uint64_t told[MANY];
    struct rate_view view;
    for (uint32_t slot = 0; slot < MANY; slot++)
        traffic(slot % WORKERS, slot, slot + 1, 64);
    for (unsigned i = 0; i < 2 * TURNS; i++) {
        bed.now += rate_period_tsc() / TURNS;
        sweep(0);
        sweep(1);
    }
    ck_assert_uint_ge(bed.put_off, MANY - RATE_RING);
    ck_assert_uint_eq(rte_ring_free_count(rates_ring(bed.rates)), 0);
    for (unsigned i = 0; i < 4 * TURNS; i++) {
        turn(512);
        while (rates_next(bed.rates, &view))
            told[view.slot] = view.packets;
    }
    for (uint32_t slot = 0; slot < MANY; slot++)
        MUST_EQ(told[slot], slot + 1);
}
END_TEST

/* A report about a period long over must not wipe out the rate of a later one. */
START_TEST(a_late_report_counts_in_the_totals_alone)
{
    struct rate_view view = {0};
    uint32_t period = rate_period(bed.now);
    struct rate_report late = {.slot = 3, .period = period - 3, .packets = 100, .bytes = 100},
                       last = {.slot = 3, .period = period - 1, .packets = 7, .bytes = 70};
    ck_assert_int_eq(rte_ring_mp_enqueue_elem(rates_ring(bed.rates), &last, sizeof(last)), 0);
    ck_assert_int_eq(rte_ring_mp_enqueue_elem(rates_ring(bed.rates), &late, sizeof(late)), 0);
    ck_assert_uint_eq(rates_collect(bed.rates, bed.now, 10), 2);
    ck_assert_uint_eq(rates_pps(bed.rates, 3), 7);
    ck_assert(rates_next(bed.rates, &view));
    ck_assert_uint_eq(view.packets, 107);
    ck_assert(!rates_next(bed.rates, &view));
}
END_TEST

static void set_up_many(void)
{
    set_up_slots(MANY);
}

static Suite *suite(void)
{
    Suite *s = suite_create("rate");
    TCase *c = tcase_create("rate");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, totals_are_exact_at_once);
    tcase_add_test(c, every_slot_has_its_rate);
    tcase_add_test(c, control_is_told_once_a_period);
    tcase_add_test(c, a_new_address_inherits_nothing);
    tcase_add_test(c, a_new_address_has_no_rate);
    tcase_add_test(c, a_turn_looks_at_a_slice);
    tcase_add_test(c, a_sweep_takes_a_period);
    tcase_add_test(c, control_takes_in_a_budget);
    tcase_add_test(c, a_late_report_counts_in_the_totals_alone);
    suite_add_tcase(s, c);
    TCase *many = tcase_create("many");
    tcase_add_checked_fixture(many, set_up_many, tear_down);
    tcase_add_test(many, a_full_ring_loses_nothing);
    suite_add_tcase(s, many);
    return s;
}

int main(void)
{
    return eal_main("test_rate", "64", NULL, suite);
}
