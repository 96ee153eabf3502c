/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_pause.h>

#include "machine.h"

enum { LAPS_TO_CALIBRATE = 2 };

/* Where lanes wait for each other: before each lap, so that all of them are measured at the same time. */
struct barrier {
    unsigned lanes;
    atomic_uint arrived;
    atomic_uint round;
};

static struct barrier barrier;

/* One lane's part of a run. */
struct part {
    const struct row_kind *kind;
    struct lane *lane;
    unsigned laps;
    struct sum {
        uint64_t cycles, work;
    } quiet, disturbed;       /* all laps but the first: undisturbed, and those in which others ran here */
    uint64_t bound, came_out; /* in all laps */
};

static struct part parts[SETUP_WORKERS_MAX];

static void wait_for_others(void)
{
    if (barrier.lanes == 1)
        return;
    unsigned round = atomic_load(&barrier.round);
    if (atomic_fetch_add(&barrier.arrived, 1) + 1 == barrier.lanes) {
        atomic_store(&barrier.arrived, 0);
        atomic_fetch_add(&barrier.round, 1);
        return;
    }
    while (atomic_load(&barrier.round) == round)
        rte_pause();
}

/* How often the kernel has given this thread's CPU to another one. */
static long switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw + usage.ru_nvcsw;
}

static void lap(struct part *part, bool counts)
{
    struct lane *lane = part->lane;
    part->kind->prepare(lane);
    wait_for_others();
    long before = switches();
    uint64_t began = rte_rdtsc_precise();
    unsigned came_out = part->kind->lap(lane);
    uint64_t cycles = rte_rdtsc_precise() - began;
    lane->disturbed = switches() != before;
    if (part->kind->restore != NULL)
        part->kind->restore(lane);
    part->bound += lane->bound;
    part->came_out += came_out;
    if (!counts)
        return;
    struct sum *sum = lane->disturbed ? &part->disturbed : &part->quiet;
    sum->cycles += cycles;
    sum->work += lane->work;
}

static int work(void *argument)
{
    struct part *part = argument;
    if (part->kind->begin != NULL)
        part->kind->begin(part->lane);
    for (unsigned i = 0; i <= part->laps; i++)
        lap(part, i > 0);
    if (part->kind->end != NULL)
        part->kind->end(part->lane);
    return 0;
}

/* ---- A run ---- */

static void start_beside(struct bench *b, const struct row *row)
{
    b->changes_per_s = row->parameter;
    b->changes = b->changes_tsc = 0;
    atomic_store(&b->stop, false);
    if (row->kind->beside != NULL && b->spare_lcore != UINT32_MAX)
        rte_eal_remote_launch(row->kind->beside, b, b->spare_lcore);
}

/* Every lane its laps; the first one here. */
static void run(struct bench *b, const struct row *row, unsigned laps)
{
    barrier.lanes = b->setup.workers;
    start_beside(b, row);
    for (unsigned i = b->setup.workers; i-- > 0;) {
        parts[i] = (struct part){.kind = row->kind, .lane = b->lane[i], .laps = laps};
        if (i > 0)
            rte_eal_remote_launch(work, &parts[i], machine_lane_lcore(i));
    }
    work(&parts[0]);
    for (unsigned i = 1; i < b->setup.workers; i++)
        rte_eal_wait_lcore(machine_lane_lcore(i));
    atomic_store(&b->stop, true);
    if (b->spare_lcore != UINT32_MAX)
        rte_eal_wait_lcore(b->spare_lcore);
}

/* Why packets did not come out, of all that a lane's workers have seen. */
static void tell_verdicts(const struct lane *lane)
{
    for (int v = 0; v < VERDICT_COUNT; v++) {
        uint64_t n = lane->worker->counters.verdict[v] + lane->peer_worker->counters.verdict[v];
        if (n > 0)
            fprintf(stderr, "  %s: %llu\n", verdict_name((enum verdict)v), (unsigned long long)n);
    }
}

/* A figure of packets that were not forwarded would be none. */
static bool is_right(const struct bench *b, const struct row *row)
{
    char name[ROW_NAME_MAX];
    for (unsigned i = 0; row->kind->exact && i < b->setup.workers; i++) {
        /* What a capture holds may well be refused. */
        if (parts[i].came_out == parts[i].bound || b->setup.traffic == TRAFFIC_PCAP)
            continue;
        fprintf(stderr, "homeport-bench: %s, %u bindings: %llu came out, not %llu\n", row_name(row, name),
                b->setup.bindings, (unsigned long long)parts[i].came_out, (unsigned long long)parts[i].bound);
        tell_verdicts(b->lane[i]);
        return false;
    }
    return true;
}

/* The laps in which others ran count where there is no better one. */
static double cycles_of(const struct part *part)
{
    const struct sum *sum = part->quiet.work > 0 ? &part->quiet : &part->disturbed;
    return (double)sum->cycles / (double)sum->work;
}

static double cycles_each(const struct bench *b)
{
    double sum = 0;
    for (unsigned i = 0; i < b->setup.workers; i++)
        sum += cycles_of(&parts[i]);
    return sum / b->setup.workers;
}

static bool calibrate(struct bench *b, const struct row *row, unsigned run_ms, unsigned *laps)
{
    run(b, row, LAPS_TO_CALIBRATE);
    double each = cycles_of(&parts[0]) * parts[0].lane->work;
    *laps = (unsigned)((double)rte_get_tsc_hz() / 1000 * run_ms / each) + 1;
    return is_right(b, row);
}

/* ---- All of them ---- */

struct series {
    unsigned laps;
    uint64_t bound, came_out;
    uint64_t work, disturbed;
    uint64_t changes, changes_tsc;
    double sample[RUN_RUNS_MAX];
};

static void add_run(const struct bench *b, struct series *s, double *sample)
{
    *sample = cycles_each(b);
    for (unsigned i = 0; i < b->setup.workers; i++) {
        s->bound += parts[i].bound;
        s->came_out += parts[i].came_out;
        s->work += parts[i].quiet.work + parts[i].disturbed.work;
        s->disturbed += parts[i].disturbed.work;
    }
    s->changes += b->changes;
    s->changes_tsc += b->changes_tsc;
}

static bool measure(struct bench *b, const struct row *rows, unsigned n, const struct run_wish *wish,
                    struct series *series)
{
    for (unsigned i = 0; i < n; i++) {
        series[i] = (struct series){0};
        if (!calibrate(b, &rows[i], wish->run_ms, &series[i].laps))
            return false;
    }
    for (unsigned k = 0; k < wish->runs; k++)
        for (unsigned i = 0; i < n; i++) {
            run(b, &rows[i], series[i].laps);
            if (!is_right(b, &rows[i]))
                return false;
            add_run(b, &series[i], &series[i].sample[k]);
            if (wish->progress != NULL)
                wish->progress(wish->context, &b->setup, &rows[i]);
        }
    return true;
}

static struct result result_of(const struct bench *b, const struct row *row, struct series *series,
                               unsigned runs)
{
    double hz = (double)rte_get_tsc_hz();
    struct result r = {.setup = b->setup, .row = *row, .cycles = spread_of(series->sample, runs)};
    r.mpps = hz / r.cycles.median * b->setup.workers / 1e6;
    if (series->bound > 0)
        r.came_out = (double)series->came_out / (double)series->bound;
    r.disturbed = (double)series->disturbed / (double)series->work;
    if (series->changes_tsc > 0)
        r.changes_per_s = (double)series->changes * hz / (double)series->changes_tsc;
    if (row->kind->tell != NULL)
        row->kind->tell(b, &r.extra);
    return r;
}

/* To the row that is called so, if it is among them; changes of the table are not compared with packets. */
static void add_ratios(struct result *results, unsigned n)
{
    double floor = 0;
    for (unsigned i = 0; i < n; i++)
        if (strcmp(results[i].row.kind->name, "floor") == 0)
            floor = results[i].cycles.median;
    for (unsigned i = 0; i < n && floor > 0; i++)
        if (results[i].row.kind->unit != ROW_CHANGES)
            results[i].ratio = results[i].cycles.median / floor;
}

static bool open_rows(struct bench *b, const struct row *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (rows[i].kind->open != NULL && !rows[i].kind->open(b)) {
            fprintf(stderr, "homeport-bench: %s: no memory\n", rows[i].kind->name);
            return false;
        }
    return true;
}

static void close_rows(struct bench *b, const struct row *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (rows[i].kind->close != NULL)
            rows[i].kind->close(b);
}

bool run_rows(struct bench *b, const struct row *rows, unsigned n, const struct run_wish *wish,
              struct result *results)
{
    static struct series series[RUN_ROWS_MAX];
    bool done = open_rows(b, rows, n) && measure(b, rows, n, wish, series);
    for (unsigned i = 0; i < n && done; i++)
        results[i] = result_of(b, &rows[i], &series[i], wish->runs);
    if (done)
        add_ratios(results, n);
    close_rows(b, rows, n);
    return done;
}
