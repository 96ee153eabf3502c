/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include <rte_cycles.h>

/* ---- For people ---- */

/* 1234567 as 1,234,567 */
static const char *grouped(uint32_t n, char text[static 16])
{
    if (n < 1000)
        snprintf(text, 16, "%u", n);
    else if (n < 1000000)
        snprintf(text, 16, "%u,%03u", n / 1000, n % 1000);
    else
        snprintf(text, 16, "%u,%03u,%03u", n / 1000000, n / 1000 % 1000, n % 1000);
    return text;
}

void report_machine(FILE *to, const struct machine *m, const struct run_wish *wish)
{
    fprintf(to, "%s, TSC %.0f MHz, %u of %u CPUs; pages of %u KiB%s; %s; %s; %s\n", m->cpu,
            (double)m->tsc_hz / 1e6, m->lcores, m->cpus, m->page_kib, m->huge ? " (huge)" : "", m->kernel,
            m->dpdk, m->compiler);
    fprintf(to,
            "Buckets are searched by %s code; IP checksums are verified by the %s.\n"
            "TSC cycles for each packet, lookup or change: the median of %u runs of %u ms, the least, the "
            "most.\n",
            m->lookup, m->checksum, wish->runs, wish->run_ms);
}

static void head(FILE *to, const struct setup *s)
{
    char bindings[16];
    fprintf(to, "\n%s bindings: %s, ", grouped(s->bindings, bindings), family_text(s->family));
    fprintf(to, "%s, %s%s, ", encapsulation_text(s->encapsulation), size_text(s->size),
            s->size == SIZE_64 ? " bytes" : "");
    fprintf(to, "bursts of %u, %s, %s, %u worker%s\n", s->burst, traffic_text(s->traffic), hit_text(s->hit),
            s->workers, s->workers == 1 ? "" : "s");
    fprintf(to, "  %-26s %9s %9s %9s %9s %9s\n", "", "cycles", "least", "most", "M/s", "to floor");
}

static void line(FILE *to, const struct result *r)
{
    char name[ROW_NAME_MAX];
    fprintf(to, "  %-26s %9.1f %9.1f %9.1f %9.2f", row_name(&r->row, name), r->cycles.median, r->cycles.min,
            r->cycles.max, r->mpps);
    if (r->ratio > 0)
        fprintf(to, " %9.2f", r->ratio);
    if (r->row.kind->unit != ROW_PACKETS)
        fprintf(to, "%*s a %s", r->ratio > 0 ? 0 : 10, "", row_unit_text(r->row.kind->unit));
    fputc('\n', to);
}

static double us(double cycles)
{
    return cycles * 1e6 / (double)rte_get_tsc_hz();
}

static void notes(FILE *to, const struct result *r)
{
    char name[ROW_NAME_MAX];
    row_name(&r->row, name);
    if (r->extra.bytes > 0)
        fprintf(to, "  %s: %.0f bytes of memory for each binding\n", name, r->extra.bytes);
    if (r->changes_per_s > 0)
        fprintf(to, "  %s: %.0f changes a second were made\n", name, r->changes_per_s);
    if (r->extra.turn.max > 0)
        fprintf(to,
                "  %s: reports took %.0f cycles of a turn in the mean, 99.9 %% at most %.2f us, the longest "
                "%.2f us\n",
                name, r->extra.turn.mean, us(r->extra.turn.p999), us(r->extra.turn.max));
    if (r->setup.traffic == TRAFFIC_PCAP && r->came_out < 1)
        fprintf(to, "  %s: %.1f %% of the capture's packets were not forwarded\n", name,
                (1 - r->came_out) * 100);
}

void report_setup(FILE *to, const struct result *results, unsigned n)
{
    head(to, &results[0].setup);
    for (unsigned i = 0; i < n; i++)
        line(to, &results[i]);
    for (unsigned i = 0; i < n; i++)
        notes(to, &results[i]);
    fflush(to);
}

/* ---- For programs ---- */

static void json_text(FILE *to, const char *name, const char *text)
{
    fprintf(to, "\"%s\":\"", name);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', to);
        if ((unsigned char)*text >= ' ')
            fputc(*text, to);
    }
    fputc('"', to);
}

static void json_machine(FILE *to, const struct machine *m, const struct run_wish *wish)
{
    fputs("{\"machine\":{", to);
    json_text(to, "cpu", m->cpu);
    fputc(',', to);
    json_text(to, "kernel", m->kernel);
    fputc(',', to);
    json_text(to, "dpdk", m->dpdk);
    fputc(',', to);
    json_text(to, "compiler", m->compiler);
    fputc(',', to);
    json_text(to, "homeport", HOMEPORT_VERSION);
    fputc(',', to);
    json_text(to, "table_lookup", m->lookup);
    fputc(',', to);
    json_text(to, "checksum", m->checksum);
    fprintf(to,
            ",\"tsc_hz\":%" PRIu64 ",\"cpus\":%u,\"lcores\":%u,\"huge_pages\":%s,\"page_kib\":%u,\"runs\":%u,"
            "\"run_ms\":%u}",
            m->tsc_hz, m->cpus, m->lcores, m->huge ? "true" : "false", m->page_kib, wish->runs, wish->run_ms);
}

/* A number where it is one. */
static void json_size(FILE *to, enum size size)
{
    const char *quote = size == SIZE_64 || size == SIZE_1500 ? "" : "\"";
    fprintf(to, ",\"packet_size\":%s%s%s", quote, size_text(size), quote);
}

static void json_extra(FILE *to, const struct result *r)
{
    fprintf(to, ",\"disturbed\":%.3f", r->disturbed);
    if (r->extra.bytes > 0)
        fprintf(to, ",\"bytes_per_binding\":%.1f", r->extra.bytes);
    if (r->changes_per_s > 0)
        fprintf(to, ",\"changes_per_s\":%.0f", r->changes_per_s);
    if (r->extra.turn.max > 0)
        fprintf(to, ",\"reporting_cycles_per_turn\":{\"mean\":%.0f,\"p999\":%.0f,\"max\":%.0f}",
                r->extra.turn.mean, r->extra.turn.p999, r->extra.turn.max);
}

static void json_result(FILE *to, const struct result *r)
{
    const struct setup *s = &r->setup;
    char name[ROW_NAME_MAX];
    fputs("\n{", to);
    json_text(to, "name", row_name(&r->row, name));
    fprintf(to, ",\"family\":\"%s\",\"bindings\":%u,\"burst\":%u", family_text(s->family), s->bindings,
            s->burst);
    json_size(to, s->size);
    fprintf(to, ",\"hit\":\"%s\",\"workers\":%u,\"traffic\":\"%s\",\"encapsulation\":\"%s\",\"unit\":\"%s\"",
            hit_text(s->hit), s->workers, traffic_text(s->traffic), encapsulation_text(s->encapsulation),
            row_unit_text(r->row.kind->unit));
    fprintf(to, ",\"cycles_per_packet\":{\"median\":%.2f,\"min\":%.2f,\"max\":%.2f},\"mpps\":%.3f",
            r->cycles.median, r->cycles.min, r->cycles.max, r->mpps);
    if (r->ratio > 0)
        fprintf(to, ",\"ratio_to_floor\":%.3f", r->ratio);
    else
        fputs(",\"ratio_to_floor\":null", to);
    json_extra(to, r);
    fputc('}', to);
}

void report_json(FILE *to, const struct machine *m, const struct run_wish *wish, const struct result *results,
                 unsigned n)
{
    json_machine(to, m, wish);
    fputs(",\"rows\":[", to);
    for (unsigned i = 0; i < n; i++) {
        if (i > 0)
            fputc(',', to);
        json_result(to, &results[i]);
    }
    fputs("]}\n", to);
}
