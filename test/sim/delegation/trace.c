/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace.h"

#include "instant.h"

#include <inttypes.h>
#include <stdio.h>

static void name(char buf[static 8], int16_t node)
{
    if (node == TRACE_NOBODY)
        snprintf(buf, 8, "-");
    else if (node == 0)
        snprintf(buf, 8, "p");
    else
        snprintf(buf, 8, "s%d", node);
}

static void print_line(const struct trace_line *l)
{
    char node[8], peer[8];
    name(node, l->node);
    name(peer, l->peer);
    fprintf(stderr, "%5" PRIu64 ".%06" PRIu64 " %-3s %-3s %-28s", l->at_ns / NSEC_PER_S,
            l->at_ns % NSEC_PER_S / NSEC_PER_US, node, peer, l->what);
    if (l->mobile != TRACE_NOBODY)
        fprintf(stderr, " m%-4d", l->mobile);
    fprintf(stderr, " %" PRIx64 " %" PRIx64 "\n", l->a, l->b);
}

void trace_add(struct trace *trace, const struct trace_line *line)
{
    trace->lines[trace->n++ % TRACE_KEPT] = *line;
    if (trace->live)
        print_line(line);
}

void trace_print(const struct trace *trace, size_t lines)
{
    if (lines > TRACE_KEPT)
        lines = TRACE_KEPT;
    uint64_t i = trace->n > lines ? trace->n - lines : 0;
    for (; i < trace->n; i++)
        print_line(&trace->lines[i % TRACE_KEPT]);
}
