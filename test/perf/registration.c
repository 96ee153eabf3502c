/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a registration costs, of Mobile IPv4 and of Mobile IPv6: decode, verify, bind, sign, for the first one
 * (of IPv6 with its duplicate address detection) and for renewals, from a thousand to a million bindings, in
 * random order. The median of several runs, in the time that the processor spent on us, so that neighbours on
 * the machine count for less.
 *
 *     registration [RUNS [LARGEST]]
 */
#include "registration.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SMALLEST = 1000, LARGEST = 1000000, RUNS = 5, RUNS_MAX = 99, SAMPLE = 20000 };

static size_t resident_bytes(void)
{
    size_t pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%zu %zu", &pages, &resident) != 2)
        resident = 0;
    fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), ascending);
    return values[n / 2];
}

static uint64_t spent_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * NSEC_PER_S + (uint64_t)t.tv_nsec;
}

/* Nanoseconds each, over the requests of one round; small populations register several rounds. */
static double round_ns(struct population *p, bool first)
{
    uint64_t spent = 0;
    size_t done = 0;
    while (done < SAMPLE) {
        if (first)
            population_revoke(p);
        population_prepare(p);
        const uint64_t from = spent_ns();
        size_t accepted = population_register(p, 0, p->n, NULL, NULL);
        if (first && p->ipv6)
            accepted += population_detect(p);
        spent += spent_ns() - from;
        if (accepted != p->n) {
            fprintf(stderr, "only %zu of %zu registrations were accepted\n", accepted, p->n);
            exit(EXIT_FAILURE);
        }
        done += p->n;
    }
    return (double)spent / (double)done;
}

static double measure(struct population *p, bool first, size_t runs)
{
    double ns[RUNS_MAX];
    for (size_t i = 0; i < runs; i++)
        ns[i] = round_ns(p, first);
    return median(ns, runs);
}

static void pass(struct population *p, uint64_t ns)
{
    p->now.mono_ns += ns;
    while (agent_deadline(p->agent) <= p->now.mono_ns) {
        agent_expire(p->agent, p->now, 64);
        while (agent_pop(p->agent) != NULL)
            continue;
    }
}

/* Mobile nodes that register at 100,000 a second, so that the repeats of early announcements are over when
 * late ones begin. */
static void register_in_time(struct population *p)
{
    enum { SLICE = 1000 };
    for (size_t first = 0; first < p->n; first += SLICE) {
        population_register(p, first, first + SLICE, NULL, NULL);
        pass(p, SLICE * 10 * NSEC_PER_US);
    }
    pass(p, 10 * NSEC_PER_S);
}

/* Of mobile nodes and their bindings. Taken in a process of its own: what other rows left behind on the heap
 * would hide it. */
static size_t bytes_each(size_t n, bool ipv6)
{
    malloc_trim(0);
    const size_t before = resident_bytes();
    struct population p = population_open(n, ipv6);
    if (p.agent == NULL)
        return 0;
    population_prepare(&p);
    register_in_time(&p);
    const size_t each = (resident_bytes() - before) / n;
    population_close(&p);
    return each - PERF_DATAGRAM - sizeof(uint32_t);
}

static size_t bytes_each_alone(size_t n, bool ipv6)
{
    int ends[2];
    size_t each = 0;
    fflush(stdout);
    if (pipe(ends) != 0)
        return 0;
    const pid_t child = fork();
    if (child == 0) {
        each = bytes_each(n, ipv6);
        _exit(write(ends[1], &each, sizeof(each)) == sizeof(each) ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &each, sizeof(each)) != sizeof(each))
        each = 0;
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return each;
}

static void row(size_t n, bool ipv6, size_t runs)
{
    const size_t bytes = bytes_each_alone(n, ipv6);
    struct population p = population_open(n, ipv6);
    if (p.agent == NULL) {
        fprintf(stderr, "out of memory at %zu bindings\n", n);
        exit(EXIT_FAILURE);
    }
    const double first = measure(&p, true, runs);
    const double renewal = measure(&p, false, runs);
    printf("%6s %10zu %12.0f %14.0f %12.0f %14.0f %14zu\n", ipv6 ? "IPv6" : "IPv4", n, first, 1e9 / first,
           renewal, 1e9 / renewal, bytes);
    fflush(stdout);
    population_close(&p);
}

int main(int argc, char **argv)
{
    size_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : RUNS;
    const size_t largest = argc > 2 ? strtoul(argv[2], NULL, 10) : LARGEST;
    if (runs < 1 || runs > RUNS_MAX)
        runs = RUNS;
    printf("%6s %10s %12s %14s %12s %14s %14s\n", "family", "bindings", "first ns", "per second",
           "renewal ns", "per second", "bytes each");
    for (size_t n = SMALLEST; n <= largest; n *= 10) {
        row(n, false, runs);
        row(n, true, runs);
    }
    return EXIT_SUCCESS;
}
