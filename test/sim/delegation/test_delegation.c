/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Primary, secondaries and mobile nodes in virtual time over a faulty network: the invariants of
 * doc/delegation-protocol.md after every event. Each scenario comes from its seed; one that fails prints it.
 *
 *     test_delegation             the scripted ones, and 200 random ones
 *     test_delegation --large     one with thousands of mobile nodes
 *     --protected                 delegation goes in ESP
 *     --scenarios N ...           how many, and which: seeds.h; of --seed the events are told
 *     --script NAME               exactly that scripted one
 *     --keep-going, --trace       to the end, and a summary; all events as they come
 */
#include "scenario.h"
#include "seeds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TAIL_LINES = 100, RULES_MAX = 16 };

struct options {
    struct seeds seeds;
    const char *script;
    bool large, trace, keep_going, protected;
};

struct failures {
    uint64_t n;
    char rule[RULES_MAX][16];
    uint64_t of[RULES_MAX], seed[RULES_MAX];
    size_t n_rules;
};

static struct options options;
static struct failures failures;
static struct tally total;
static uint64_t n_run;
static struct world *world;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void note_failure(const char *rule, uint64_t seed)
{
    size_t i = 0;
    while (i < failures.n_rules && strcmp(failures.rule[i], rule) != 0)
        i++;
    if (i == RULES_MAX)
        return;
    if (i == failures.n_rules) {
        failures.n_rules++;
        snprintf(failures.rule[i], sizeof(failures.rule[i]), "%s", rule);
        failures.seed[i] = seed;
    }
    failures.of[i]++;
}

static void add_up(const struct tally *t)
{
    const uint64_t *from = (const uint64_t *)t;
    uint64_t *to = (uint64_t *)&total;
    for (size_t i = 0; i < sizeof(*t) / sizeof(*from); i++)
        to[i] += from[i];
}

static bool run(void (*scenario)(struct world *world, uint64_t seed), uint64_t seed)
{
    memset(world, 0, sizeof(*world));
    world->trace.live = options.trace;
    world->protects = options.protected;
    if (setjmp(world->abandon) == 0)
        scenario(world, seed);
    n_run++;
    add_up(&world->tally);
    const bool good = world->rule[0] == '\0';
    if (!good) {
        failures.n++;
        note_failure(world->rule, seed);
        if (!options.trace && !options.keep_going)
            trace_print(&world->trace, TAIL_LINES);
    }
    world_close(world);
    return good || options.keep_going;
}

static bool run_script(const struct script *script)
{
    for (uint64_t variant = 0; variant < script->variants; variant++) {
        const uint64_t failed = failures.n;
        const bool on = run(script->run, variant);
        if (failures.n > failed)
            fprintf(stderr, "script %s failed, variant %" PRIu64 "\n", script->name, variant);
        if (!on)
            return false;
    }
    return true;
}

static bool run_scripts(void)
{
    for (size_t i = 0; i < n_scripts; i++) {
        if (options.script != NULL && strcmp(options.script, scripts[i].name) != 0)
            continue;
        if (!run_script(&scripts[i]))
            return false;
    }
    return true;
}

static void run_many(void (*scenario)(struct world *world, uint64_t seed))
{
    uint64_t seed;
    while (seeds_next(&options.seeds, &seed) && run(scenario, seed))
        continue;
}

/* True: it took the value. */
static bool read_option(const char *name, const char *value)
{
    if (strcmp(name, "--trace") == 0)
        options.trace = true;
    else if (strcmp(name, "--protected") == 0)
        options.protected = true;
    else if (strcmp(name, "--keep-going") == 0)
        options.keep_going = true;
    else if (strcmp(name, "--script") == 0)
        return (options.script = value) != NULL;
    else
        return seeds_option(&options.seeds, name, value);
    return false;
}

static void read_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        options.large |= strcmp(argv[i], "--large") == 0;
    options.seeds = seeds_fresh(options.large ? 1 : 200);
    for (int i = 1; i < argc; i++)
        i += read_option(argv[i], i + 1 < argc ? argv[i + 1] : "");
}

static void summary(double took)
{
    printf("%" PRIu64 " scenarios, %" PRIu64 " events in %.1f s: %.0f a minute\n", n_run, total.events, took,
           (double)total.events / took * 60);
    printf("datagrams %" PRIu64 ", requests %" PRIu64 ", crashes %" PRIu64 ", freezes %" PRIu64
           ", cuts %" PRIu64 ", attacks %" PRIu64 "\n",
           total.datagrams, total.requests, total.crashes, total.freezes, total.cuts, total.attacks);
    printf("packets %" PRIu64 ": forwarded %" PRIu64 " (%" PRIu64 " by a second chance), lost %" PRIu64
           " (%" PRIu64 " unanswered ARP)\n",
           total.packets, total.delivered, total.second_chance, total.lost, total.unresolved);
    for (size_t i = 0; i < failures.n_rules; i++)
        printf("violated %s: %" PRIu64 " times, first by seed %" PRIu64 "\n", failures.rule[i],
               failures.of[i], failures.seed[i]);
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    world = world_alloc(sizeof(*world));
    printf("seed %" PRIu64 "\n", options.seeds.from);
    fflush(stdout);
    const double began = seconds();
    const bool scripts_too = !options.large && !options.seeds.one;
    if ((!scripts_too || run_scripts()) && options.script == NULL)
        run_many(options.large ? scenario_large : scenario_random);
    summary(seconds() - began);
    free(world);
    return failures.n == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
