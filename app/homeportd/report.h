/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An answer to the operator while it is being written. What is described once comes out as an aligned text
 * for people or as one JSON object for programs.
 *
 * The buffer is bounded: the writer asks report_full before each row and goes on with the next slice when
 * what is in it has been taken away. Where it stands in the JSON object survives that. One thread at a time.
 */
#ifndef HOMEPORTD_REPORT_H
#define HOMEPORTD_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

enum {
    REPORT_SLICE = 16384, /* full from here on */
    REPORT_SLACK = 4096,  /* what a row begun before that may still take */
    REPORT_DEPTH = 6
};

struct report_column {
    const char *key; /* in JSON */
    const char *heading;
    int width;  /* of the text; longer cells push the others aside */
    bool right; /* set flush right */
};

struct report {
    bool json;
    bool begun;
    uint8_t depth;
    bool filled[REPORT_DEPTH]; /* by depth: something stands before, so a comma is due */
    const struct report_column *columns;
    unsigned n_columns;
    unsigned column;   /* whose cell comes next */
    size_t list_start; /* where the text of an open list began */
    size_t len;
    char text[REPORT_SLICE + REPORT_SLACK];
};

void report_init(struct report *r, bool json);
/* The slice in text[0..len) has been taken away. */
void report_taken(struct report *r);
bool report_full(const struct report *r);

/* The answer as a whole: report_begin ... report_end around everything. */
void report_begin(struct report *r);
void report_end(struct report *r);

/* ---- A list of rows: report_table, then for each row report_row, a cell for each column, report_row_end.
 * columns must outlive the table. ---- */
void report_table(struct report *r, const char *key, const struct report_column *columns, unsigned n);
void report_table_end(struct report *r);
void report_row(struct report *r);
void report_row_end(struct report *r);
void report_string(struct report *r, const char *text);
void report_number(struct report *r, uint64_t number);
void report_addr(struct report *r, const struct addr *address);
void report_prefix(struct report *r, const struct prefix *prefix);
void report_mac(struct report *r, const struct mac *mac);
/* No value: null in JSON; text for people. */
void report_none(struct report *r, const char *text);
/* One cell with several values. */
void report_list(struct report *r);
void report_list_item(struct report *r, const char *text);
void report_list_end(struct report *r);

/* ---- Named values: facts ("label: value") or counts ("value  text"), in groups or not. Keys may be given in
 * capitals; JSON gets them in lower case. ---- */
void report_group(struct report *r, const char *key, const char *heading);
void report_group_end(struct report *r);
void report_fact(struct report *r, const char *key, const char *label, const char *text);
void report_fact_number(struct report *r, const char *key, const char *label, uint64_t number);
void report_count(struct report *r, const char *key, const char *text, uint64_t number);

#endif
