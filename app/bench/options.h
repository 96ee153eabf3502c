/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the command line asks for. Nobody changes it after options_parse.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "command_line.h"
#include "rows.h"

enum { OPTIONS_LIST_MAX = 16, OPTIONS_ROWS_MAX = 32 };

/* Values of one kind; n of 0: it was not asked for any. */
struct list {
    uint32_t at[OPTIONS_LIST_MAX];
    unsigned n;
};

struct options {
    struct list bindings, burst, size, encapsulation, traffic, hit, family, workers;
    struct row rows[OPTIONS_ROWS_MAX];
    unsigned n_rows;
    unsigned runs, run_ms, buffers;
    bool no_huge, checksum_good, json;
    const char *plot;   /* file; NULL: none */
    const char *pcap;   /* the same */
    const char *lcores; /* NULL: what there is */
};

/* OPTIONS_DONE: help or version was printed; OPTIONS_BAD: what is wrong is on stderr. */
enum options_result options_parse(int argc, char **argv, struct options *options);

#endif
