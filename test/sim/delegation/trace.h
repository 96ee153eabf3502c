/* SPDX-License-Identifier: BSD-3-Clause */
/* The last things that happened in a scenario, kept in short form and put into words only when it fails. */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_KEPT = 1024, TRACE_NOBODY = -1 };

struct trace_line {
    uint64_t at_ns;
    const char *what; /* static text */
    int16_t node, peer;
    int32_t mobile;
    uint64_t a, b;
};

struct trace {
    bool live; /* each line is printed as it comes */
    uint64_t n;
    struct trace_line lines[TRACE_KEPT];
};

void trace_add(struct trace *trace, const struct trace_line *line);
/* The newest `lines` at most, to stderr. */
void trace_print(const struct trace *trace, size_t lines);

#endif
