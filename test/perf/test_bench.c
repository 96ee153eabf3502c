/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What homeport-bench's figures stand on: its yardstick makes the worker's packets, the table and its peer
 * give the same answers, the traffic is what it is said to be, and every row can be run.
 */
#include "../fwd/eal.h"

#include <getopt.h>
#include <math.h>

#include <rte_lcore.h>

#include "bench.h"
#include "device.h"
#include "floor.h"
#include "machine.h"
#include "options.h"
#include "pkt.h"
#include "plan.h"
#include "run.h"
#include "statistics.h"
#include "verify.h"
#include "worker_rte_hash.h"
#include "zipf.h"

enum { BINDINGS = 300, BUFFERS = 256, RATE = 100000 /* changes a second */ };

static const struct bench_wish wish = {.buffers = BUFFERS};

static struct setup plain_of(enum family family)
{
    return (struct setup){.family = family,
                          .encapsulation = setup_usual(family),
                          .bindings = BINDINGS,
                          .burst = 32,
                          .workers = 1};
}

static struct setup plain(void)
{
    return plain_of(FAMILY_IPV4);
}

static struct bench *bench_of(const struct setup *setup)
{
    struct bench *b = bench_create(setup, &wish, NULL);
    ck_assert_ptr_nonnull(b);
    return b;
}

static void drop(struct bench *b)
{
    population_destroy(bench_destroy(b));
}

/* ---- The yardstick ---- */

static const struct {
    const char *what;
    enum family family;
    enum encapsulation encapsulation;
    enum size size;
    unsigned burst;
    uint32_t bindings;
    int laps; /* so many that checksums carry over, where that is worth a row */
} packets[] = {
    {"IP in IP, many", FAMILY_IPV4, ENCAPSULATION_IPIP, SIZE_64, 32, 20000, 2000},
    {"minimal encapsulation, many", FAMILY_IPV4, ENCAPSULATION_MINIMAL, SIZE_64, 32, 20000, 2000},
    {"IP in IP", FAMILY_IPV4, ENCAPSULATION_IPIP, SIZE_64, 32, BINDINGS, 20},
    {"IP in IP, all sizes", FAMILY_IPV4, ENCAPSULATION_IPIP, SIZE_IMIX, 32, BINDINGS, 20},
    {"IP in IP, large ones", FAMILY_IPV4, ENCAPSULATION_IPIP, SIZE_1500, 32, BINDINGS, 20},
    {"IP in IP, bursts that do not divide the lap", FAMILY_IPV4, ENCAPSULATION_IPIP, SIZE_64, 7, BINDINGS,
     20},
    {"IP in IP, one at a time", FAMILY_IPV4, ENCAPSULATION_IPIP, SIZE_64, 1, BINDINGS, 20},
    {"IP in IP, all at once", FAMILY_IPV4, ENCAPSULATION_IPIP, SIZE_64, 256, BINDINGS, 20},
    {"minimal encapsulation", FAMILY_IPV4, ENCAPSULATION_MINIMAL, SIZE_64, 32, BINDINGS, 20},
    {"minimal encapsulation, all sizes", FAMILY_IPV4, ENCAPSULATION_MINIMAL, SIZE_IMIX, 32, BINDINGS, 20},
    {"GRE", FAMILY_IPV4, ENCAPSULATION_GRE, SIZE_64, 32, BINDINGS, 20},
    {"GRE, all sizes", FAMILY_IPV4, ENCAPSULATION_GRE, SIZE_IMIX, 32, BINDINGS, 20},
    {"IPv4 in IPv6", FAMILY_IPV4, ENCAPSULATION_IPV4_IN_IPV6, SIZE_64, 32, BINDINGS, 20},
    {"IPv4 in IPv6, all sizes", FAMILY_IPV4, ENCAPSULATION_IPV4_IN_IPV6, SIZE_IMIX, 32, BINDINGS, 20},
    {"IPv6 in IPv6, many", FAMILY_IPV6, ENCAPSULATION_IPV6_IN_IPV6, SIZE_64, 32, 20000, 2000},
    {"IPv6 in IPv6, all sizes", FAMILY_IPV6, ENCAPSULATION_IPV6_IN_IPV6, SIZE_IMIX, 32, BINDINGS, 20},
    {"IPv6 in IPv6, large ones", FAMILY_IPV6, ENCAPSULATION_IPV6_IN_IPV6, SIZE_1500, 32, BINDINGS, 20},
    {"IPv6 in IPv6, one at a time", FAMILY_IPV6, ENCAPSULATION_IPV6_IN_IPV6, SIZE_64, 1, BINDINGS, 20},
    {"IPv6 in IPv4", FAMILY_IPV6, ENCAPSULATION_IPV6_IN_IPV4, SIZE_64, 32, BINDINGS, 20},
    {"IPv6 in IPv4, all sizes", FAMILY_IPV6, ENCAPSULATION_IPV6_IN_IPV4, SIZE_IMIX, 32, BINDINGS, 20},
};

START_TEST(floor_makes_the_workers_packets)
{
    struct setup setup = plain_of(packets[_i].family);
    setup.encapsulation = packets[_i].encapsulation;
    setup.size = packets[_i].size;
    setup.burst = packets[_i].burst;
    setup.bindings = packets[_i].bindings;
    struct bench *b = bench_of(&setup);
    for (int lap = 0; lap < packets[_i].laps; lap++) {
        ck_assert_msg(verify_floor(b->lane[0], floor_staged), "%s", packets[_i].what);
        ck_assert_msg(verify_floor(b->lane[0], floor_rolling), "%s, rolling", packets[_i].what);
    }
    drop(b);
}
END_TEST

/* Each packet is counted for its binding, with its bytes. */
START_TEST(floor_counts_as_the_worker_does)
{
    struct setup setup = plain_of((enum family)_i);
    setup.size = SIZE_IMIX;
    struct bench *b = bench_of(&setup);
    struct lane *lane = b->lane[0];
    uint64_t before = 0, packets_seen = 0, bytes = 0;
    lane_prepare_frames(lane);
    for (unsigned k = 0; k < lane->work; k++)
        before += lane->frames[k]->pkt_len - ETHERNET_LEN;
    floor_staged(lane);
    for (uint32_t i = 0; i < BINDINGS; i++) {
        packets_seen += tally_packets(lane->counters[i].tally);
        bytes += tally_bytes(lane->counters[i].tally);
    }
    ck_assert_uint_eq(packets_seen, BUFFERS);
    ck_assert_uint_eq(bytes, before);
    drop(b);
}
END_TEST

/* ---- The table and its peer ---- */

static const struct {
    enum family family;
    enum hit hit;
} lookups[] = {
    {FAMILY_IPV4, HIT_HIT}, {FAMILY_IPV4, HIT_MISS}, {FAMILY_IPV4, HIT_MIXED},
    {FAMILY_IPV6, HIT_HIT}, {FAMILY_IPV6, HIT_MISS}, {FAMILY_IPV6, HIT_MIXED},
};

START_TEST(table_and_peer_agree)
{
    struct setup setup = plain_of(lookups[_i].family);
    setup.hit = lookups[_i].hit;
    struct bench *b = bench_of(&setup);
    struct lane *lane = b->lane[0];
    lane_prepare_keys(lane);
    unsigned found = 0;
    for (unsigned k = 0; k < lane->work; k += CUCKOO_BURST) {
        const struct entry *by_table[CUCKOO_BURST], *by_peer[CUCKOO_BURST];
        uint64_t hits =
            table_lookup_burst(b->population->table, &lane->keys[k], &lane->tags[k], CUCKOO_BURST, by_table);
        ck_assert(hits == peer_lookup_burst(&lane->keys[k], &lane->tags[k], CUCKOO_BURST, by_peer));
        for (unsigned i = 0; i < CUCKOO_BURST; i++) {
            bool bound = lane->number[k + i] < BINDINGS;
            ck_assert_int_eq(by_table[i] != NULL, bound);
            ck_assert_int_eq(by_peer[i] != NULL, bound);
            ck_assert(!bound || addr_equal(&by_table[i]->home, &lane->keys[k + i]));
            ck_assert(!bound || by_peer[i] == &b->population->entries[lane->number[k + i]]);
            found += bound;
        }
    }
    ck_assert_uint_eq(found, lane->bound);
    ck_assert_int_eq(found == BUFFERS, setup.hit == HIT_HIT);
    ck_assert_int_eq(found == 0, setup.hit == HIT_MISS);
    drop(b);
}
END_TEST

/* With the binding in one of the two alone, it shows which one a worker asks. */
START_TEST(each_worker_asks_its_own_table)
{
    struct setup setup = plain();
    struct bench *b = bench_of(&setup);
    struct lane *lane = b->lane[0];
    for (uint32_t i = 0; i < BINDINGS; i++) {
        ck_assert_int_eq(table_remove(b->population->table, &b->population->entries[i].home), 0);
        table_reclaim(b->population->table, 1);
    }
    lane_prepare_frames(lane);
    peer_worker_start(lane->peer_worker);
    while (lane->queue.next < lane->queue.n)
        peer_worker_turn(lane->peer_worker);
    ck_assert_uint_eq(lane->queue.n_sent, BUFFERS);
    peer_worker_offline(lane->peer_worker);
    lane_prepare_frames(lane);
    worker_start(lane->worker);
    while (lane->queue.next < lane->queue.n)
        worker_turn(lane->worker);
    ck_assert_uint_eq(lane->queue.n_sent, 0);
    ck_assert_uint_eq(lane->worker->counters.verdict[VERDICT_DROP_NO_BINDING], BUFFERS);
    worker_offline(lane->worker);
    drop(b);
}
END_TEST

static int compare_addresses(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct addr));
}

START_TEST(home_addresses_are_different)
{
    enum { MANY = 400000 };
    const struct population p = {.family = (enum family)_i, .n = MANY};
    struct addr *homes = malloc(MANY * sizeof(*homes));
    ck_assert_ptr_nonnull(homes);
    for (uint32_t i = 0; i < MANY; i++)
        homes[i] = population_home(&p, i);
    qsort(homes, MANY, sizeof(*homes), compare_addresses);
    for (uint32_t i = 1; i < MANY; i++)
        MUST(!addr_equal(&homes[i], &homes[i - 1]));
    MUST_EQ(addr_is_ipv4(&homes[0]), p.family == FAMILY_IPV4);
    free(homes);
}
END_TEST

/* ---- Numbers ---- */

static const struct {
    const char *what;
    double samples[5];
    size_t n;
    struct spread expected;
} spreads[] = {
    {"one", {3}, 1, {3, 3, 3}},
    {"two", {4, 2}, 2, {3, 2, 4}},
    {"three", {9, 1, 5}, 3, {5, 1, 9}},
    {"five, one far out", {1, 1000, 2, 3, 2}, 5, {2, 1, 1000}},
};

START_TEST(spread_is_median_and_ends)
{
    double samples[5];
    memcpy(samples, spreads[_i].samples, sizeof(samples));
    struct spread s = spread_of(samples, spreads[_i].n);
    ck_assert_double_eq(s.median, spreads[_i].expected.median);
    ck_assert_double_eq(s.min, spreads[_i].expected.min);
    ck_assert_double_eq(s.max, spreads[_i].expected.max);
}
END_TEST

START_TEST(quantile_is_the_least_that_covers)
{
    const double sorted[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    ck_assert_double_eq(mean_of(sorted, 10), 5.5);
    ck_assert_double_eq(quantile_of(sorted, 10, 0.5), 5);
    ck_assert_double_eq(quantile_of(sorted, 10, 0.91), 10);
    ck_assert_double_eq(quantile_of(sorted, 10, 0.9), 9);
    ck_assert_double_eq(quantile_of(sorted, 10, 1), 10);
    ck_assert_double_eq(quantile_of(sorted, 10, 0), 1);
}
END_TEST

/* Rank k comes 1/k as often as the first: none is five standard deviations off, nor all together. */
START_TEST(zipf_is_zipf)
{
    enum { RANKS = 1000, DRAWS = 4000000 };
    static unsigned seen[RANKS];
    uint64_t state = 7;
    double harmonic = 0, chi_square = 0;
    struct zipf z = zipf_begin(RANKS);
    for (int i = 0; i < DRAWS; i++)
        seen[zipf_next(&z, &state)]++;
    for (int k = 1; k <= RANKS; k++)
        harmonic += 1.0 / k;
    for (int k = 1; k <= RANKS; k++) {
        double expected = DRAWS / harmonic / k;
        double off = seen[k - 1] - expected;
        MUST(fabs(off) < 5 * sqrt(expected));
        chi_square += off * off / expected;
    }
    MUST(fabs(chi_square - RANKS) < 5 * sqrt(2.0 * RANKS));
}
END_TEST

/* ---- Rows ---- */

START_TEST(every_row_has_its_name)
{
    for (const struct row_kind *kind = NULL; (kind = row_kind_after(kind)) != NULL;) {
        char name[ROW_NAME_MAX];
        bool numbered = kind->name[strlen(kind->name) - 1] == '-';
        snprintf(name, sizeof(name), "%s%s", kind->name, numbered ? "1000" : "");
        struct row row;
        ck_assert_msg(row_find(name, &row) && row.kind == kind, "%s", name);
        ck_assert_uint_eq(row.parameter, numbered ? 1000 : 0);
        char again[ROW_NAME_MAX];
        ck_assert_str_eq(row_name(&row, again), name);
    }
    struct row row;
    ck_assert(!row_find("worker-rewriting-", &row));
    ck_assert(!row_find("worker-rewriting-1x", &row));
    ck_assert(!row_find("work", &row));
}
END_TEST

static void run_all(const struct setup *setup)
{
    struct bench *b = bench_of(setup);
    struct row rows[RUN_ROWS_MAX];
    struct result results[RUN_ROWS_MAX];
    unsigned n = 0;
    for (const struct row_kind *kind = NULL; (kind = row_kind_after(kind)) != NULL;) {
        struct row row = {.kind = kind, .parameter = RATE};
        if (row_obstacle(&row, setup, b->spare_lcore != UINT32_MAX) == NULL)
            rows[n++] = row;
    }
    ck_assert_uint_gt(n, 1);
    const struct run_wish run = {.runs = 2, .run_ms = 1};
    ck_assert(run_rows(b, rows, n, &run, results));
    for (unsigned i = 0; i < n; i++)
        ck_assert_msg(results[i].cycles.median > 0 &&
                          (!rows[i].kind->exact || results[i].came_out == 1 || setup->hit == HIT_MISS),
                      "%s", rows[i].kind->name);
    drop(b);
}

static const struct {
    enum family family;
    enum hit hit;
    enum traffic_kind traffic;
    enum encapsulation encapsulation;
    uint32_t bindings;
} runs[] = {
    {FAMILY_IPV4, HIT_HIT, TRAFFIC_UNIFORM, ENCAPSULATION_IPIP, BINDINGS},
    {FAMILY_IPV4, HIT_HIT, TRAFFIC_ZIPF, ENCAPSULATION_MINIMAL, BINDINGS},
    {FAMILY_IPV4, HIT_HIT, TRAFFIC_UNIFORM, ENCAPSULATION_GRE, 1},
    {FAMILY_IPV4, HIT_MISS, TRAFFIC_UNIFORM, ENCAPSULATION_IPIP, BINDINGS},
    {FAMILY_IPV4, HIT_MIXED, TRAFFIC_ZIPF, ENCAPSULATION_IPIP, BINDINGS},
    {FAMILY_IPV4, HIT_HIT, TRAFFIC_UNIFORM, ENCAPSULATION_IPV4_IN_IPV6, BINDINGS},
    {FAMILY_IPV6, HIT_HIT, TRAFFIC_UNIFORM, ENCAPSULATION_IPV6_IN_IPV6, BINDINGS},
    {FAMILY_IPV6, HIT_HIT, TRAFFIC_ZIPF, ENCAPSULATION_IPV6_IN_IPV4, 1},
    {FAMILY_IPV6, HIT_MIXED, TRAFFIC_UNIFORM, ENCAPSULATION_IPV6_IN_IPV6, BINDINGS},
};

START_TEST(every_row_runs)
{
    struct setup setup = plain();
    setup.family = runs[_i].family;
    setup.hit = runs[_i].hit;
    setup.traffic = runs[_i].traffic;
    setup.encapsulation = runs[_i].encapsulation;
    setup.bindings = runs[_i].bindings;
    run_all(&setup);
}
END_TEST

/* ---- Plans ---- */

static unsigned count_rows(const struct plan *p, const char *name)
{
    unsigned n = 0;
    for (unsigned i = 0; i < p->n; i++)
        for (unsigned k = 0; k < p->steps[i].n_rows; k++) {
            char own[ROW_NAME_MAX];
            n += strcmp(row_name(&p->steps[i].rows[k], own), name) == 0;
        }
    return n;
}

static const struct {
    const char *what;
    const char *arguments[5];
    unsigned steps, floors, lookups, workers;
} plans[] = {
    {"sizes alone: all rows at each, of both families", {"--bindings", "1k,2M"}, 4, 4, 4, 4},
    {"both families", {"--family=ipv4,ipv6", "--rows=worker"}, 2, 2, 0, 2},
    {"no floor of what a family has not",
     {"--family=ipv4,ipv6", "--encapsulation=gre,ipv6-in-ipv4", "--rows=worker"},
     4,
     2,
     0,
     4},
    {"rows: and the floor", {"--rows", "worker"}, 1, 1, 0, 1},
    {"combinations", {"--burst=8,16", "--size=64,imix,1500", "--rows=worker,lookup"}, 6, 6, 6, 6},
    {"no floor of what is not bound", {"--hit=miss", "--rows=lookup"}, 1, 0, 1, 0},
};

START_TEST(plan_is_what_was_asked_for)
{
    struct options options;
    char *argv[8] = {(char *)(uintptr_t) "homeport-bench"};
    int argc = 1;
    for (; plans[_i].arguments[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)plans[_i].arguments[argc - 1];
    optind = 0;
    ck_assert_msg(options_parse(argc, argv, &options) == OPTIONS_RUN, "%s", plans[_i].what);
    struct plan *p = plan_create(&options, NULL, 4096);
    ck_assert_ptr_nonnull(p);
    ck_assert_msg(p->n == plans[_i].steps, "%s: %u steps", plans[_i].what, p->n);
    ck_assert_uint_eq(count_rows(p, "floor"), plans[_i].floors);
    ck_assert_uint_eq(count_rows(p, "lookup"), plans[_i].lookups);
    ck_assert_uint_eq(count_rows(p, "worker"), plans[_i].workers);
    plan_free(p);
}
END_TEST

static const struct {
    const char *what;
    const char *arguments[5];
    bool measured;
} families[] = {
    {"IPv4 in its own", {"--rows=worker"}, true},
    {"IPv6 in its own", {"--rows=worker", "--family=ipv6"}, true},
    {"IPv6 in IPv4", {"--rows=worker", "--family=ipv6", "--encapsulation=ipv6-in-ipv4"}, true},
    {"IPv4 in IPv6", {"--rows=worker", "--encapsulation=ipv4-in-ipv6"}, true},
    {"IPv6 by GRE", {"--rows=worker", "--family=ipv6", "--encapsulation=gre"}, false},
    {"IPv4 as if it were IPv6", {"--rows=worker", "--encapsulation=ipv6-in-ipv6"}, false},
    {"rte_hash in the worker", {"--rows=worker-rte-hash", "--family=ipv6"}, false},
};

START_TEST(what_is_measured_of_a_family)
{
    struct options options;
    char *argv[8] = {(char *)(uintptr_t) "homeport-bench"};
    int argc = 1;
    for (; families[_i].arguments[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)families[_i].arguments[argc - 1];
    optind = 0;
    ck_assert_msg(options_parse(argc, argv, &options) == OPTIONS_RUN, "%s", families[_i].what);
    struct plan *p = plan_create(&options, NULL, 4096);
    ck_assert_ptr_nonnull(p);
    const struct plan_step *step = &p->steps[0];
    const struct row *row = &step->rows[step->n_rows - 1];
    ck_assert_msg((row_obstacle(row, &step->setup, true) == NULL) == families[_i].measured, "%s",
                  families[_i].what);
    plan_free(p);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("bench");
    TCase *c = tcase_create("bench");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, floor_makes_the_workers_packets, 0, RTE_DIM(packets));
    tcase_add_loop_test(c, floor_counts_as_the_worker_does, 0, FAMILY_COUNT);
    tcase_add_loop_test(c, table_and_peer_agree, 0, RTE_DIM(lookups));
    tcase_add_test(c, each_worker_asks_its_own_table);
    tcase_add_loop_test(c, home_addresses_are_different, 0, FAMILY_COUNT);
    tcase_add_loop_test(c, spread_is_median_and_ends, 0, RTE_DIM(spreads));
    tcase_add_test(c, quantile_is_the_least_that_covers);
    tcase_add_test(c, zipf_is_zipf);
    tcase_add_test(c, every_row_has_its_name);
    tcase_add_loop_test(c, every_row_runs, 0, RTE_DIM(runs));
    tcase_add_loop_test(c, plan_is_what_was_asked_for, 0, RTE_DIM(plans));
    tcase_add_loop_test(c, what_is_measured_of_a_family, 0, RTE_DIM(families));
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    setenv("CK_FORK", "no", 1);
    /* Two lcores on one core: what goes on beside a run has its own. */
    const struct machine_wish machine_wish = {.lcores = "0@0,1@0", .workers = 1, .no_huge = true, .mib = 512};
    struct machine machine;
    if (!machine_start(&machine, &machine_wish) || device_open(1) != 0)
        return EXIT_FAILURE;
    int status = check_main(suite());
    device_close();
    machine_stop();
    return status;
}
