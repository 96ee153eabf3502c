/* SPDX-License-Identifier: BSD-3-Clause */
#include "trial.h"

#include "seeds.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct trial trial;

static struct seeds seeds;
static uint64_t n_events;
static bool keep_going;

static void read_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--keep-going") == 0)
            keep_going = true;
        else if (strcmp(argv[i], "--events") == 0)
            n_events = strtoull(value, NULL, 0), i++;
        else if (seeds_option(&seeds, argv[i], value))
            i++;
    }
}

static void run_it(uint64_t seed, void (*run)(uint64_t events))
{
    printf("seed %" PRIu64 "\n", seed);
    fflush(stdout);
    trial = (struct trial){.seed = seed, .chance = {seed}};
    run(n_events);
}

static bool run_apart(uint64_t seed, void (*run)(uint64_t events))
{
    int status;
    const pid_t child = fork();
    if (child == 0) {
        run_it(seed, run);
        exit(EXIT_SUCCESS);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int trial_main(int argc, char **argv, uint64_t events, void (*run)(uint64_t events))
{
    uint64_t seed, n_run = 0, n_failed = 0;
    seeds = seeds_fresh(1);
    n_events = events;
    read_options(argc, argv);
    for (; seeds_next(&seeds, &seed) && (n_failed == 0 || keep_going); n_run++)
        n_failed += !run_apart(seed, run);
    printf("%" PRIu64 " runs, %" PRIu64 " failed\n", n_run, n_failed);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
