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
    bed.worker[worker].bindings[slot].tally += tally_of(packets, bytes);
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

static struct rate_total total(uint32_t slot)
{
    return rates_total(bed.rates, slot, bed.all, WORKERS);
}

static void total_is(uint32_t slot, uint64_t packets, uint64_t bytes)
{
    ck_assert_uint_eq(total(slot).packets, packets);
    ck_assert_uint_eq(total(slot).bytes, bytes);
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

/* One worker's packets are taken in, another's are in the ring, and either has more that it has not reported:
 * together as much as a difference can say. */
START_TEST(totals_are_exact_between_reports)
{
    traffic(0, 7, 10, 1000);
    periods(2);
    total_is(7, 10, 1000);
    traffic(1, 7, 5, 500);
    while (rte_ring_empty(rates_ring(bed.rates))) {
        bed.now += rate_period_tsc() / TURNS;
        sweep(1);
    }
    total_is(7, 15, 1500);
    traffic(0, 7, 1, TALLY_BYTES_END - 501);
    traffic(1, 7, TALLY_PACKETS_END - 7, 0);
    total_is(7, 10 + TALLY_PACKETS_END - 1, 1000 + TALLY_BYTES_END - 1);
    rates_collect(bed.rates, bed.now, SIZE_MAX);
    total_is(7, 10 + TALLY_PACKETS_END - 1, 1000 + TALLY_BYTES_END - 1);
    periods(2);
    total_is(7, 10 + TALLY_PACKETS_END - 1, 1000 + TALLY_BYTES_END - 1);
    traffic(0, 7, 2, 200);
    total_is(7, 10 + TALLY_PACKETS_END + 1, 1000 + TALLY_BYTES_END + 199);
}
END_TEST

/* The last that control was told of the slot. */
static struct rate_view told_of(uint32_t slot, unsigned n_periods)
{
    struct rate_view view, last = {0};
    for (unsigned i = 0; i < n_periods * TURNS; i++) {
        turn(SIZE_MAX);
        while (rates_next(bed.rates, &view))
            last = view.slot == slot ? view : last;
    }
    return last;
}

/* A worker's word goes round time and again: by its bytes, its packets, or both. */
static const struct {
    const char *what;
    uint64_t packets, bytes; /* of each worker, a time */
} rounds[] = {
    {"bytes carry", 3, TALLY_BYTES_END / 2 - 1},
    {"packets are lost", TALLY_PACKETS_END / 2 - 1, 0},
    {"both", TALLY_PACKETS_END / 2 - 1, TALLY_BYTES_END / 2 - 1},
};

START_TEST(counters_may_go_round)
{
    for (unsigned n = 1; n <= 7; n++) {
        traffic(0, 9, rounds[_i].packets, rounds[_i].bytes);
        traffic(1, 9, rounds[_i].packets, rounds[_i].bytes);
        total_is(9, 2 * n * rounds[_i].packets, 2 * n * rounds[_i].bytes);
        struct rate_view view = told_of(9, 2);
        ck_assert_msg(view.packets == 2 * n * rounds[_i].packets, "%s", rounds[_i].what);
        ck_assert_msg(view.bytes == 2 * n * rounds[_i].bytes, "%s", rounds[_i].what);
        total_is(9, 2 * n * rounds[_i].packets, 2 * n * rounds[_i].bytes);
    }
    forget(9);
    total_is(9, 0, 0);
    traffic(1, 9, 4, 400);
    total_is(9, 4, 400);
    ck_assert_uint_eq(told_of(9, 2).bytes, 400);
}
END_TEST

/* A rate is that of the last period alone, though its report made the word carry. */
START_TEST(rates_do_not_carry)
{
    traffic(0, 9, 1, TALLY_BYTES_END - 1);
    periods(4);
    for (unsigned i = 0; i < 3 * TURNS; i++) {
        traffic(0, 9, 1, 1000);
        turn(SIZE_MAX);
    }
    struct rate_view view;
    while (rates_next(bed.rates, &view))
        ;
    ck_assert_uint_eq(view.slot, 9);
    ck_assert_uint_eq(view.pps, TURNS);
    ck_assert_uint_eq(view.kbps, TURNS * 8);
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
    total_is(1, 0, 0);
    traffic(1, 1, 9, 900);
    total_is(1, 9, 900);
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
    ck_assert_uint_eq(s->next - before, RATE_MOST);
    ck_assert_uint_eq(rte_ring_count(rates_ring(bed.rates)), 2 * RATE_MOST);
    for (uint32_t slot = 0; slot < SLOTS; slot++) /* nothing to report */
        s->reported[slot] = bed.worker[0].bindings[slot];
    before = s->next;
    sweep(0);
    ck_assert_uint_eq(s->next - before, RATE_SLICE);
}
END_TEST

/* However few turns there are in a period: with as many bindings' packets in each as may come. */
START_TEST(a_sweep_keeps_up_with_long_turns)
{
    struct rate_sweep *s = &bed.worker[0].rates;
    const unsigned turns = (SLOTS + WORKER_TURN - 1) / WORKER_TURN;
    for (unsigned period = 0; period < 5; period++) {
        for (unsigned i = 0; i < turns; i++) {
            for (uint32_t slot = i * WORKER_TURN; slot < RTE_MIN((i + 1) * WORKER_TURN, SLOTS); slot++)
                traffic(0, slot, 1, 1);
            bed.now += rate_period_tsc() / turns;
            sweep(0);
            rates_collect(bed.rates, bed.now, SIZE_MAX);
        }
        if (period > 0)
            ck_assert_uint_eq(s->began_tsc / rate_period_tsc(), (bed.now - 1) / rate_period_tsc());
    }
    ck_assert_uint_eq(bed.put_off, 0);
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
    for (uint32_t slot = 0; slot < MANY; slot++)
        MUST_EQ(total(slot).packets, slot + 1);
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
    struct rate_report late = {.slot = 3, .period = period - 3, .grown = tally_of(100, 100)},
                       last = {.slot = 3, .period = period - 1, .grown = tally_of(7, 70)};
    ck_assert_int_eq(rte_ring_mp_enqueue_elem(rates_ring(bed.rates), &last, sizeof(last)), 0);
    ck_assert_int_eq(rte_ring_mp_enqueue_elem(rates_ring(bed.rates), &late, sizeof(late)), 0);
    ck_assert_uint_eq(rates_collect(bed.rates, bed.now, 10), 2);
    ck_assert_uint_eq(rates_pps(bed.rates, 3), 7);
    ck_assert(rates_next(bed.rates, &view));
    ck_assert_uint_eq(view.packets, 107);
    ck_assert(!rates_next(bed.rates, &view));
}
END_TEST

/* Reports of nothing, until no other gets in. */
static void jam(void)
{
    struct rate_report nothing = {.period = rate_period(bed.now)};
    while (rte_ring_mp_enqueue_elem(rates_ring(bed.rates), &nothing, sizeof(nothing)) == 0)
        ;
}

/* What is refused for too long is short by what a difference cannot say (tally.h), and nothing else is. */
START_TEST(a_slot_outgrows_its_report)
{
    periods(1);
    jam();
    for (unsigned i = 0; i < 3; i++) {
        traffic(0, 2, TALLY_PACKETS_END / 2, 500);
        traffic(0, 3, 5, TALLY_BYTES_END / 2);
        for (unsigned t = 0; t < TURNS; t++) {
            bed.now += rate_period_tsc() / TURNS;
            sweep(0);
        }
    }
    ck_assert_uint_ge(bed.put_off, 2 * 3);
    periods(2);
    total_is(2, TALLY_PACKETS_END / 2, 1500);
    total_is(3, 15 + 1, TALLY_BYTES_END / 2);
    traffic(0, 2, 7, 700);
    total_is(2, TALLY_PACKETS_END / 2 + 7, 1500 + 700);
}
END_TEST

/* ---- Against counters of 64 bits ---- */

enum { MODEL_SLOTS = 16 };

static struct {
    struct rate_total counted[MODEL_SLOTS]; /* since the slot was forgotten */
    struct rate_total left[MODEL_SLOTS];    /* may still be counted before control has taken all in */
    struct rate_view told[MODEL_SLOTS];
    uint64_t random;
} model;

static uint64_t below(uint64_t n)
{
    return eal_random(&model.random) % n;
}

/* A packet, or all of a second. */
static void model_traffic(uint32_t slot)
{
    struct rate_total *left = &model.left[slot], n = {1, 40 + below(1460)};
    if (below(4) == 0)
        n = (struct rate_total){1 + below(1 + left->packets), below(1 + left->bytes)};
    if (n.packets > left->packets || n.bytes > left->bytes)
        return;
    left->packets -= n.packets;
    left->bytes -= n.bytes;
    model.counted[slot].packets += n.packets;
    model.counted[slot].bytes += n.bytes;
    traffic((unsigned)below(WORKERS), slot, n.packets, n.bytes);
}

static void model_sweep(void)
{
    bed.now += below(rate_period_tsc() / 2);
    sweep((unsigned)below(WORKERS));
}

static void model_forget(uint32_t slot)
{
    forget(slot);
    model.counted[slot] = (struct rate_total){0};
    model.told[slot] = (struct rate_view){.slot = slot};
}

/* What is told is never more than there was, nor less than before. */
static void model_hear(void)
{
    struct rate_view view;
    while (rates_next(bed.rates, &view)) {
        const struct rate_view *before = &model.told[view.slot];
        MUST(view.packets >= before->packets && view.packets <= model.counted[view.slot].packets);
        MUST(view.bytes >= before->bytes && view.bytes <= model.counted[view.slot].bytes);
        model.told[view.slot] = view;
    }
}

static void model_step(void)
{
    uint32_t slot = (uint32_t)below(MODEL_SLOTS);
    switch (below(16)) {
    case 0:
        model_forget(slot);
        break;
    case 1:
        if (below(8) == 0)
            jam();
        break;
    case 2:
    case 3:
        rates_collect(bed.rates, bed.now, below(8) == 0 ? SIZE_MAX : below(2 * MODEL_SLOTS));
        model_hear();
        break;
    case 4:
    case 5:
    case 6:
        model_sweep();
        break;
    default:
        model_traffic(slot);
    }
}

static void model_check_totals(void)
{
    for (uint32_t slot = 0; slot < MODEL_SLOTS; slot++) {
        struct rate_total is = total(slot);
        MUST_EQ(is.packets, model.counted[slot].packets);
        MUST_EQ(is.bytes, model.counted[slot].bytes);
    }
}

/* All is reported, taken in, and told. */
static void model_settle(void)
{
    for (unsigned i = 0; i < 16 * 4; i++) { /* the periods' edges fall anywhere */
        bed.now += rate_period_tsc() / 16;
        sweep(0);
        sweep(1);
        rates_collect(bed.rates, bed.now, SIZE_MAX);
        model_hear();
    }
    for (uint32_t slot = 0; slot < MODEL_SLOTS; slot++) {
        MUST_EQ(model.told[slot].packets, model.counted[slot].packets);
        MUST_EQ(model.told[slot].bytes, model.counted[slot].bytes);
        model.left[slot] = (struct rate_total){TALLY_PACKETS_END - 1, TALLY_BYTES_END - 1};
    }
}

/* Any packets of any workers, reports that are late, refused and taken in a few at a time, slots that are
 * forgotten: the totals are at every moment those of counters that cannot go round. */
START_TEST(as_counters_of_64_bits)
{
    memset(&model, 0, sizeof(model));
    model.random = eal_seed("rate");
    model_settle();
    for (unsigned round = 0; round < 300; round++) {
        for (unsigned step = 0; step < 300; step++) {
            model_step();
            model_check_totals();
        }
        model_settle();
        model_check_totals();
    }
    ck_assert_uint_gt(bed.put_off, 0);
}
END_TEST

static void set_up_model(void)
{
    set_up_slots(MODEL_SLOTS);
}

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
    tcase_add_test(c, totals_are_exact_between_reports);
    tcase_add_loop_test(c, counters_may_go_round, 0, ROWS(rounds));
    tcase_add_test(c, rates_do_not_carry);
    tcase_add_test(c, every_slot_has_its_rate);
    tcase_add_test(c, control_is_told_once_a_period);
    tcase_add_test(c, a_new_address_inherits_nothing);
    tcase_add_test(c, a_new_address_has_no_rate);
    tcase_add_test(c, a_turn_looks_at_a_slice);
    tcase_add_test(c, a_sweep_keeps_up_with_long_turns);
    tcase_add_test(c, a_sweep_takes_a_period);
    tcase_add_test(c, control_takes_in_a_budget);
    tcase_add_test(c, a_late_report_counts_in_the_totals_alone);
    tcase_add_test(c, a_slot_outgrows_its_report);
    suite_add_tcase(s, c);
    TCase *many = tcase_create("many");
    tcase_add_checked_fixture(many, set_up_many, tear_down);
    tcase_add_test(many, a_full_ring_loses_nothing);
    suite_add_tcase(s, many);
    TCase *random = tcase_create("random");
    tcase_add_checked_fixture(random, set_up_model, tear_down);
    tcase_add_test(random, as_counters_of_64_bits);
    suite_add_tcase(s, random);
    return s;
}

int main(void)
{
    return eal_main("test_rate", "64", NULL, suite);
}
