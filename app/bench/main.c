/* SPDX-License-Identifier: BSD-3-Clause */
/* homeport-bench: the order of start and stop. */
#include <stdio.h>
#include <stdlib.h>

#include <rte_errno.h>

#include "bench.h"
#include "device.h"
#include "floor.h"
#include "machine.h"
#include "options.h"
#include "plan.h"
#include "plot.h"
#include "progress.h"
#include "report.h"
#include "run.h"
#include "verify.h"

enum { EXIT_MEASURED = 0, EXIT_NOT_MEASURED = 1, EXIT_USAGE = 2 };

/* Everything that lives as long as the program. */
struct session {
    const struct options *options;
    struct capture *capture;
    struct plan *plan;
    struct machine machine;
    struct progress progress;
    struct run_wish wish;
    struct bench_wish bench_wish;
    struct result *results;
    unsigned n_results;
};

static void tell_obstacle(const struct setup *setup, const struct row *row, const char *why)
{
    char name[ROW_NAME_MAX];
    (void)setup;
    fprintf(stderr, "homeport-bench: left out: %s: %s\n", row_name(row, name), why);
}

/* The yardstick is only one while the worker makes the same packets. */
static bool is_sound(struct bench *b)
{
    const struct setup *s = &b->setup;
    if (b->moved || s->hit != HIT_HIT || s->traffic == TRAFFIC_PCAP)
        return true;
    return verify_floor(b->lane[0], floor_staged);
}

/* The lookup's code is known once there is a table. */
static void begin_report(struct session *s, const struct bench *b)
{
    if (s->machine.lookup != NULL)
        return;
    s->machine.lookup = cuckoo_body_text(cuckoo_body(table_cuckoo(b->population->table)));
    s->machine.checksum = s->options->checksum_good ? "device" : "worker";
    if (!s->options->json)
        report_machine(stdout, &s->machine, &s->wish);
}

static bool measure(struct session *s, const struct plan_step *step, struct bench *b)
{
    struct result *results = &s->results[s->n_results];
    if (!is_sound(b) || !run_rows(b, step->rows, step->n_rows, &s->wish, results))
        return false;
    s->n_results += step->n_rows;
    progress_clear(&s->progress);
    begin_report(s, b);
    if (!s->options->json)
        report_setup(stdout, results, step->n_rows);
    return true;
}

static bool measure_all(struct session *s)
{
    struct population *population = NULL;
    bool done = true;
    for (unsigned i = 0; i < s->plan->n && done; i++) {
        const struct plan_step *step = &s->plan->steps[i];
        if (step->n_rows == 0)
            continue;
        progress_filling(&s->progress, step->setup.bindings);
        struct bench *b = bench_create(&step->setup, &s->bench_wish, population);
        if (b == NULL)
            return false;
        done = measure(s, step, b);
        population = bench_destroy(b);
    }
    population_destroy(population);
    progress_clear(&s->progress);
    return done;
}

static bool report_all(const struct session *s)
{
    if (s->options->json)
        report_json(stdout, &s->machine, &s->wish, s->results, s->n_results);
    return s->options->plot == NULL || plot_svg(s->options->plot, s->results, s->n_results);
}

static bool open_device(const struct session *s)
{
    int ret = device_open(plan_most_workers(s->plan));
    if (ret != 0)
        fprintf(stderr, "homeport-bench: no device net_null: %s\n", rte_strerror(-ret));
    return ret == 0;
}

/* With the EAL up. */
static bool run_session(struct session *s)
{
    plan_prune(s->plan, s->machine.lcores, tell_obstacle);
    unsigned rows = plan_rows(s->plan);
    s->progress = progress_begin(rows * s->options->runs);
    s->results = calloc(rows + 1, sizeof(*s->results));
    if (rows == 0)
        fputs("homeport-bench: there is nothing left to measure\n", stderr);
    if (rows == 0 || s->results == NULL || !open_device(s))
        return false;
    bool done = measure_all(s) && report_all(s);
    device_close();
    return done;
}

static bool start_machine(struct session *s)
{
    const struct options *o = s->options;
    unsigned workers = plan_most_workers(s->plan);
    const struct machine_wish wish = {
        .lcores = o->lcores,
        .workers = workers,
        .no_huge = o->no_huge,
        .mib = population_mib(plan_most_bindings(s->plan), workers, o->buffers),
    };
    return machine_start(&s->machine, &wish);
}

static bool run(const struct options *o)
{
    static struct session s;
    s.options = o;
    if (o->pcap != NULL && (s.capture = capture_read(o->pcap)) == NULL)
        return false;
    s.wish = (struct run_wish){
        .runs = o->runs, .run_ms = o->run_ms, .progress = progress_step, .context = &s.progress};
    s.bench_wish =
        (struct bench_wish){.capture = s.capture, .buffers = o->buffers, .checksum_good = o->checksum_good};
    s.plan = plan_create(o, s.capture, machine_available_mib());
    bool done = false;
    if (s.plan != NULL && start_machine(&s)) {
        done = run_session(&s);
        machine_stop();
    }
    free(s.results);
    plan_free(s.plan);
    capture_free(s.capture);
    return done;
}

int main(int argc, char **argv)
{
    struct options options;
    switch (options_parse(argc, argv, &options)) {
    case OPTIONS_BAD:
        return EXIT_USAGE;
    case OPTIONS_DONE:
        return EXIT_MEASURED;
    default:
        return run(&options) ? EXIT_MEASURED : EXIT_NOT_MEASURED;
    }
}
