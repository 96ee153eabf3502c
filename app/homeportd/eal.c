/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include "log.h"

enum { EAL_ARGUMENTS_MAX = 64 };

static cpu_set_t processors; /* on which the process was allowed to run before EAL pinned this thread */

/* The argument vector under construction; every string in it is its own. */
struct arguments {
    char *at[EAL_ARGUMENTS_MAX];
    int n;
    bool failed;
};

static void __attribute__((format(printf, 2, 3))) add(struct arguments *a, const char *format, ...)
{
    va_list values;
    char *text = NULL;
    va_start(values, format);
    if (a->n >= EAL_ARGUMENTS_MAX - 1 || vasprintf(&text, format, values) < 0)
        a->failed = true;
    else
        a->at[a->n++] = text;
    va_end(values);
}

static void free_arguments(struct arguments *a)
{
    for (int i = 0; i < a->n; i++)
        free(a->at[i]);
}

static bool is_pci(const char *device)
{
    return isxdigit((unsigned char)device[0]) && strchr(device, ':') != NULL;
}

void eal_device_name(const char *device, char name[static CONF_DEVICE_MAX])
{
    snprintf(name, CONF_DEVICE_MAX, "%.*s", (int)strcspn(device, ","), device);
}

/* The first lcore of the list runs control; EAL itself would take the lowest. */
static unsigned first_lcore(const char *lcores)
{
    return (unsigned)strtoul(lcores + strspn(lcores, "( "), NULL, 10);
}

static void add_devices(struct arguments *a, const struct conf *conf)
{
    bool any_pci = false;
    for (size_t i = 0; i < conf->n_ports; i++) {
        bool pci = is_pci(conf->ports[i].device);
        any_pci |= pci;
        add(a, pci ? "--allow=%s" : "--vdev=%s", conf->ports[i].device);
    }
    if (!any_pci)
        add(a, "--no-pci");
}

static void add_memory(struct arguments *a, const struct conf_eal *eal)
{
    add(a, "-m");
    add(a, "%u", eal->memory_mib);
    if (eal->huge_pages) {
        add(a, "--in-memory"); /* no file is left behind, even after kill -9 */
        return;
    }
    add(a, "--no-huge"); /* which --in-memory does not go together with */
    add(a, "--no-shconf");
}

/* EAL makes a directory for its prefix, whether or not it puts anything there, and leaves it behind. */
static void remove_directory(void)
{
    rmdir(rte_eal_get_runtime_dir());
}

int eal_start(const char *program, const struct conf *conf, int n_extra, char **extra)
{
    static struct arguments a; /* EAL keeps pointers to some of them for as long as the process lives */
    pthread_getaffinity_np(pthread_self(), sizeof(processors), &processors);
    add(&a, "%s", program);
    add(&a, "--lcores=%s", conf->eal.lcores);
    add(&a, "--main-lcore=%u", first_lcore(conf->eal.lcores));
    add(&a, "--file-prefix=%s", conf->eal.prefix);
    add(&a, "--no-telemetry");
    add(&a, "--log-level=notice");
    add_memory(&a, &conf->eal);
    add_devices(&a, conf);
    for (int i = 0; i < n_extra; i++)
        add(&a, "%s", extra[i]);

    int ret = -ENOMEM;
    if (!a.failed) {
        /* EAL permutes the vector: it gets one of its own. */
        char *vector[EAL_ARGUMENTS_MAX];
        memcpy(vector, a.at, sizeof(vector));
        ret = rte_eal_init(a.n, vector);
    }
    if (ret >= 0)
        return 0;
    log_error("DPDK's EAL does not start: %s", rte_strerror(a.failed ? ENOMEM : rte_errno));
    free_arguments(&a);
    remove_directory();
    return a.failed ? -ENOMEM : -rte_errno;
}

void eal_step_aside(void)
{
    cpu_set_t elsewhere = processors;
    unsigned lcore;
    RTE_LCORE_FOREACH(lcore)
    {
        rte_cpuset_t taken = rte_lcore_cpuset(lcore);
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
            if (CPU_ISSET(cpu, &taken))
                CPU_CLR(cpu, &elsewhere);
    }
    if (CPU_COUNT(&elsewhere) > 0)
        pthread_setaffinity_np(pthread_self(), sizeof(elsewhere), &elsewhere);
}

void eal_rejoin(void)
{
    rte_cpuset_t own = rte_lcore_cpuset(rte_get_main_lcore());
    pthread_setaffinity_np(pthread_self(), sizeof(own), &own);
}

void eal_stop(void)
{
    rte_eal_cleanup();
    remove_directory();
}
