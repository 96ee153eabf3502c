/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be measured: each row of this table is a name, what must be there for it, how a lap is prepared,
 * and the code that is timed.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench.h"

enum { ROW_NAME_MAX = 32 };

enum row_unit { ROW_PACKETS, ROW_LOOKUPS, ROW_CHANGES };

enum row_need {
    ROW_IPV4 = 0x01,      /* IPv4's home addresses */
    ROW_HITS = 0x02,      /* every destination is bound */
    ROW_GENERATED = 0x04, /* traffic of our own, no capture */
    ROW_ALONE = 0x08,     /* one worker */
    ROW_BESIDE = 0x10     /* a lcore for what goes on beside */
};

/* What a row has to say beside its cycles; 0: nothing. */
struct row_extra {
    double bytes; /* of memory for each binding */
    struct {
        double mean, p999, max;
    } turn; /* cycles that reporting took of one */
};

struct row_kind {
    const char *name; /* one with a parameter ends in '-', and a number follows */
    const char *text;
    enum row_unit unit;
    unsigned needs; /* enum row_need */
    bool exact;     /* what is bound must come out, all of it */
    bool drawn;     /* has a line in a plot */
    /* On the main thread around all runs of a setup; NULL: nothing. open: false if there is no memory. */
    bool (*open)(struct bench *bench);
    void (*close)(struct bench *bench);
    /* On the lane's lcore, around a run; NULL: nothing. */
    void (*begin)(struct lane *lane);
    void (*end)(struct lane *lane);
    /* The lap: before, timed (returns how many came out), after; the last may be NULL. */
    void (*prepare)(struct lane *lane);
    unsigned (*lap)(struct lane *lane);
    void (*restore)(struct lane *lane);
    /* On the main thread, after the last run, before close; NULL: it has nothing to say. */
    void (*tell)(const struct bench *bench, struct row_extra *extra);
    /* On the spare lcore, from begin to end: a struct bench; NULL: nothing. */
    int (*beside)(void *bench);
};

struct row {
    const struct row_kind *kind;
    uint32_t parameter;
};

/* False: there is no such row. */
bool row_find(const char *name, struct row *row);
const char *row_name(const struct row *row, char name[static ROW_NAME_MAX]);
/* Why a row cannot be measured under this setup, in words; NULL: it can be. spare: there is a lcore beside.
 */
const char *row_obstacle(const struct row *row, const struct setup *setup, bool spare);
const char *row_unit_text(enum row_unit unit);
/* The next one of all; NULL: there are no more. Begin with NULL. */
const struct row_kind *row_kind_after(const struct row_kind *kind);

#endif
