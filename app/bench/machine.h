/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the bench runs on: DPDK's EAL, started here, with huge pages where enough of them are free; the lcores
 * that measure and one beside them; and what of all that belongs to a figure.
 *
 * The main thread's.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

enum { MACHINE_TEXT_MAX = 96 };

struct machine {
    char cpu[MACHINE_TEXT_MAX];
    char kernel[MACHINE_TEXT_MAX];
    char dpdk[MACHINE_TEXT_MAX];
    const char *compiler;
    uint64_t tsc_hz;
    unsigned cpus;   /* that the process may use */
    unsigned lcores; /* of them in use */
    bool huge;
    unsigned page_kib;
    const char *lookup;   /* how the table searches its buckets */
    const char *checksum; /* who verifies a packet's checksum */
};

struct machine_wish {
    const char *lcores; /* list of CPUs, the first one measures; NULL: what there is */
    unsigned workers;   /* most at a time */
    bool no_huge;
    unsigned mib;
};

/* A,B,... or A-B of those that the process may use. */
bool machine_has_cpus(const char *list);
/* False: why is on stderr. */
bool machine_start(struct machine *machine, const struct machine_wish *wish);
void machine_stop(void);

/* Mebibytes that could be given out at present. */
unsigned machine_available_mib(void);
/* The lcore of lane i, the first one the main lcore. UINT32_MAX: there are not so many. */
unsigned machine_lane_lcore(unsigned i);
/* One that none of `lanes` lanes has. UINT32_MAX: there is none. */
unsigned machine_spare_lcore(unsigned lanes);

#endif
