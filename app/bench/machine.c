/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_version.h>

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

enum { ARGUMENTS_MAX = 16, ARGUMENT_MAX = 512, HUGE_SPARE_MIB = 64 };

struct arguments {
    char at[ARGUMENTS_MAX][ARGUMENT_MAX];
    int n;
};

/* ---- What the system says ---- */

/* The value behind "name" and a colon in a file of such lines. False: not there. */
static bool find_line(const char *path, const char *name, char value[static MACHINE_TEXT_MAX])
{
    char line[512];
    FILE *file = fopen(path, "r");
    bool found = false;
    while (!found && file != NULL && fgets(line, sizeof(line), file) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, name, strlen(name)) != 0 || colon == NULL)
            continue;
        colon[1 + strcspn(colon + 1, "\n")] = '\0';
        snprintf(value, MACHINE_TEXT_MAX, "%.*s", MACHINE_TEXT_MAX - 1, colon + 1 + strspn(colon + 1, " \t"));
        found = true;
    }
    if (file != NULL)
        fclose(file);
    return found;
}

static unsigned long memory_kib(const char *name)
{
    char value[MACHINE_TEXT_MAX];
    return find_line("/proc/meminfo", name, value) ? strtoul(value, NULL, 10) : 0;
}

unsigned machine_available_mib(void)
{
    return (
        unsigned)((memory_kib("MemAvailable") + memory_kib("HugePages_Free") * memory_kib("Hugepagesize")) >>
                  10);
}

static bool has_huge_pages(unsigned mib)
{
    return memory_kib("HugePages_Free") * (memory_kib("Hugepagesize") >> 10) >= mib + HUGE_SPARE_MIB;
}

static void describe(struct machine *m)
{
    struct utsname system;
    if (!find_line("/proc/cpuinfo", "model name", m->cpu))
        snprintf(m->cpu, sizeof(m->cpu), "unknown");
    if (uname(&system) == 0)
        snprintf(m->kernel, sizeof(m->kernel), "%.40s %.40s", system.sysname, system.release);
    snprintf(m->dpdk, sizeof(m->dpdk), "%.90s", rte_version());
    m->compiler = COMPILER;
    m->tsc_hz = rte_get_tsc_hz();
    m->lcores = rte_lcore_count();
    m->page_kib = m->huge ? (unsigned)memory_kib("Hugepagesize") : (unsigned)sysconf(_SC_PAGESIZE) / 1024;
}

/* ---- EAL ---- */

static void __attribute__((format(printf, 2, 3))) add(struct arguments *a, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(a->at[a->n++], ARGUMENT_MAX, format, values);
    va_end(values);
}

/* The last CPUs first: interrupts tend to go to the first one. */
static unsigned list_cpus(char list[static ARGUMENT_MAX], unsigned most)
{
    cpu_set_t allowed;
    unsigned n = 0, len = 0;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof(allowed), &allowed);
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && n < most; cpu--) {
        if (!CPU_ISSET(cpu, &allowed))
            continue;
        len += (unsigned)snprintf(list + len, ARGUMENT_MAX - len, "%s%d", n++ > 0 ? "," : "", cpu);
    }
    return (unsigned)CPU_COUNT(&allowed);
}

/* Reads a number. NULL: there is none. */
static const char *read_number(const char *at, unsigned long *number)
{
    char *end;
    *number = strtoul(at, &end, 10);
    return isdigit((unsigned char)*at) ? end : NULL;
}

/* EAL would answer a wrong list with its whole usage. */
bool machine_has_cpus(const char *list)
{
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof(allowed), &allowed);
    for (const char *at = list;; at++) {
        unsigned long from, to;
        at = read_number(at, &from);
        to = from;
        if (at != NULL && *at == '-')
            at = read_number(at + 1, &to);
        if (at == NULL || from > to || to >= CPU_SETSIZE)
            return false;
        for (; from <= to; from++)
            if (!CPU_ISSET(from, &allowed))
                return false;
        if (*at != ',')
            return *at == '\0';
    }
}

static unsigned long first_number(const char *list)
{
    return strtoul(list + strcspn(list, "0123456789"), NULL, 10);
}

static void add_memory(struct arguments *a, bool huge, unsigned mib)
{
    if (huge) {
        add(a, "--in-memory"); /* no file is left behind, whatever happens */
        return;
    }
    add(a, "--no-huge"); /* which --in-memory does not go together with */
    add(a, "--no-shconf");
    add(a, "-m");
    add(a, "%u", mib);
}

static int start_eal(struct arguments *a)
{
    /* EAL permutes the vector, and keeps pointers into it. */
    static char *vector[ARGUMENTS_MAX];
    for (int i = 0; i < a->n; i++)
        vector[i] = a->at[i];
    return rte_eal_init(a->n, vector);
}

/* EAL makes a directory for its prefix, whether or not it puts anything there, and leaves it behind. */
static void remove_directory(void)
{
    rmdir(rte_eal_get_runtime_dir());
}

/* For one who has no time to wait. */
static void leave(int signal_number)
{
    remove_directory();
    _exit(128 + signal_number);
}

bool machine_start(struct machine *m, const struct machine_wish *wish)
{
    static struct arguments a;
    char list[ARGUMENT_MAX];
    *m = (struct machine){.huge = !wish->no_huge && has_huge_pages(wish->mib)};
    m->cpus = list_cpus(list, wish->workers + 1);
    const char *lcores = wish->lcores != NULL ? wish->lcores : list;
    add(&a, "homeport-bench");
    add(&a, "--lcores=%s", lcores);
    add(&a, "--main-lcore=%lu", first_number(lcores));
    add(&a, "--file-prefix=homeport-bench-%ld", (long)getpid());
    add(&a, "--no-telemetry");
    add(&a, "--no-pci");
    add(&a, "--log-level=error");
    add_memory(&a, m->huge, wish->mib);
    if (start_eal(&a) < 0) {
        fprintf(stderr,
                "homeport-bench: DPDK's EAL does not start on lcores %s with %u MiB of %s pages: %s\n",
                lcores, wish->mib, m->huge ? "huge" : "ordinary", rte_strerror(rte_errno));
        remove_directory();
        return false;
    }
    signal(SIGINT, leave);
    signal(SIGTERM, leave);
    describe(m);
    return true;
}

void machine_stop(void)
{
    rte_eal_cleanup();
    remove_directory();
}

unsigned machine_lane_lcore(unsigned i)
{
    if (i == 0)
        return rte_get_main_lcore();
    unsigned lcore;
    RTE_LCORE_FOREACH_WORKER(lcore)
    {
        if (--i == 0)
            return lcore;
    }
    return UINT32_MAX;
}

unsigned machine_spare_lcore(unsigned lanes)
{
    return machine_lane_lcore(lanes);
}
