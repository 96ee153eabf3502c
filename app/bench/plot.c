/* SPDX-License-Identifier: BSD-3-Clause */
#include "plot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { LINES_MAX = 32 };

static bool differs_in_bindings_alone(const struct setup *a, const struct setup *b)
{
    struct setup other = *b;
    other.bindings = a->bindings;
    return a->family == other.family && a->encapsulation == other.encapsulation && a->size == other.size &&
           a->hit == other.hit && a->traffic == other.traffic && a->burst == other.burst &&
           a->workers == other.workers;
}

static bool belongs(const struct result *r, const struct result *first)
{
    return r->row.kind->drawn && differs_in_bindings_alone(&first->setup, &r->setup);
}

static bool is_same_row(const struct row *a, const struct row *b)
{
    return a->kind == b->kind && a->parameter == b->parameter;
}

/* The rows to draw, each once. */
static unsigned choose_lines(const struct result *results, unsigned n,
                             const struct row *lines[static LINES_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < n && count < LINES_MAX; i++) {
        unsigned k = 0;
        while (k < count && !is_same_row(lines[k], &results[i].row))
            k++;
        if (k == count && belongs(&results[i], &results[0]))
            lines[count++] = &results[i].row;
    }
    return count;
}

/* A block of numbers for each line. */
static void write_data(FILE *gnuplot, const struct result *results, unsigned n,
                       const struct row *const *lines, unsigned n_lines)
{
    for (unsigned k = 0; k < n_lines; k++) {
        fprintf(gnuplot, "$line%u << END\n", k);
        for (unsigned i = 0; i < n; i++)
            if (is_same_row(&results[i].row, lines[k]) && belongs(&results[i], &results[0]))
                fprintf(gnuplot, "%u %.2f %.2f %.2f\n", results[i].setup.bindings, results[i].cycles.median,
                        results[i].cycles.min, results[i].cycles.max);
        fputs("END\n", gnuplot);
    }
}

static void write_plot(FILE *gnuplot, const char *path, const struct setup *s, const struct row *const *lines,
                       unsigned n_lines)
{
    fprintf(gnuplot,
            "set terminal svg size 860,520 dynamic background 'white' font 'sans,12'\n"
            "set output '%s'\n"
            "set title 'Cycles per packet: %s, frames %s, bursts of %u, %s, %u worker%s' noenhanced\n"
            "set logscale x\nset format x '%%.0s%%c'\nset xlabel 'bindings'\nset ylabel 'TSC cycles'\n"
            "set yrange [0:*]\nset grid ytics\nset key outside right top noenhanced\n"
            "set offsets graph 0.03, graph 0.03, 0, 0\nplot",
            path, encapsulation_text(s->encapsulation), size_text(s->size), s->burst,
            traffic_text(s->traffic), s->workers, s->workers == 1 ? "" : "s");
    for (unsigned k = 0; k < n_lines; k++) {
        char name[ROW_NAME_MAX];
        fprintf(gnuplot,
                "%s $line%u using 1:2:3:4 with yerrorlines linetype %u linewidth 1.5 pointtype 7 pointsize "
                "0.5 title '%s'",
                k > 0 ? "," : "", k, k + 1, row_name(lines[k], name));
    }
    fputc('\n', gnuplot);
}

bool plot_svg(const char *path, const struct result *results, unsigned n)
{
    const struct row *lines[LINES_MAX];
    unsigned n_lines = choose_lines(results, n, lines);
    if (strpbrk(path, "'\"\\\n") != NULL || n_lines == 0) {
        fprintf(stderr, "homeport-bench: %s\n",
                n_lines == 0 ? "nothing to draw" : "gnuplot takes no such file name");
        return false;
    }
    FILE *gnuplot = popen("gnuplot", "w");
    if (gnuplot != NULL) {
        write_data(gnuplot, results, n, lines, n_lines);
        write_plot(gnuplot, path, &results[0].setup, lines, n_lines);
    }
    int status = gnuplot == NULL ? -1 : pclose(gnuplot);
    if (status == 0)
        return true;
    fprintf(stderr, "homeport-bench: no drawing: gnuplot %s\n",
            status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 127
                ? "is not there (Debian: gnuplot-nox)"
                : "has failed");
    return false;
}
