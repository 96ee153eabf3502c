/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "run.h"

static const char help[] =
    "usage: homeport-bench [OPTION...]\n"
    "\n"
    "Measures the data path alone, in TSC cycles per packet: the daemon's own worker and binding table, "
    "beside\n"
    "the least that tunnelling a packet can cost (floor) and the same worker on DPDK's rte_hash.\n"
    "Without options a standard set, in two minutes or so.\n"
    "\n"
    "what (each takes a list, A,B,..., or may be repeated; all combinations are measured)\n"
    "  --bindings N              how many, with k or M behind it (1k, 65536, 1M; 4M if there is memory)\n"
    "  --rows NAME               rows to measure; floor always is, where it applies\n"
    "  --size 64|imix|1500       frames of 64 bytes (default), 7:4:1 of 64, 594 and 1518, IP packets of "
    "1500\n"
    "  --burst N                 frames that are there at once, 1 to 256 (32)\n"
    "  --encapsulation NAME      ipip, minimal, gre, ipv4-in-ipv6; ipv6-in-ipv6, ipv6-in-ipv4 (ipip, and\n"
    "                            of IPv6 ipv6-in-ipv6)\n"
    "  --traffic uniform|zipf    how often each destination comes (uniform)\n"
    "  --hit hit|miss|mixed      destinations that are bound: all (default), none, every other one\n"
    "  --family ipv4|ipv6        of the home addresses (ipv4)\n"
    "  --workers N               that run at the same time (1)\n"
    "  --pcap FILE               the frames of a capture instead; their destinations are the bindings\n"
    "how\n"
    "  --runs N                  of each row, interleaved; medians are told (9)\n"
    "  --run-ms N                measured time of a run (50)\n"
    "  --buffers N               packet buffers in circulation (4096)\n"
    "  --checksum-offload        frames come with their checksum verified, as from a device that does it\n"
    "  --lcores LIST             CPUs; the first ones measure, the next one plays control\n"
    "  --no-huge                 ordinary pages, also if there are huge ones\n"
    "report\n"
    "  --json                    as JSON on standard output\n"
    "  --plot FILE.svg           cycles over bindings, drawn by gnuplot\n"
    "  --help, --version\n"
    "\n"
    "rows\n";

struct state {
    struct command_line line;
    struct options *o;
};

static bool complain(struct state *s, const char *what)
{
    return command_line_complain(&s->line, what);
}

static bool parse_count(struct state *s, const char *text, uint32_t *out)
{
    char digits[16];
    size_t len = strspn(text, "0123456789");
    uint32_t unit = text[len] == 'k' ? 1000 : text[len] == 'M' ? 1000000 : 1;
    if (len >= sizeof(digits) || text[len + (unit != 1)] != '\0')
        return complain(s, "a number of bindings is a number, with k or M behind it or not");
    snprintf(digits, sizeof(digits), "%.*s", (int)len, text);
    if (!command_line_number(&s->line, digits, 1, SETUP_BINDINGS_MAX / unit, out))
        return false;
    *out *= unit;
    return true;
}

static bool parse_word(struct state *s, const char *text, const char *(*word)(unsigned), unsigned n,
                       uint32_t *out)
{
    for (unsigned i = 0; i < n; i++)
        if (word(i) != NULL && strcmp(text, word(i)) == 0) {
            *out = i;
            return true;
        }
    snprintf(s->line.error, sizeof(s->line.error), "there is no %.40s", text);
    return false;
}

/* ---- Values, one at a time ---- */

static bool one_bindings(struct state *s, const char *text, uint32_t *out)
{
    return parse_count(s, text, out);
}

static bool one_burst(struct state *s, const char *text, uint32_t *out)
{
    return command_line_number(&s->line, text, 1, SETUP_BURST_MAX, out);
}

static bool one_workers(struct state *s, const char *text, uint32_t *out)
{
    return command_line_number(&s->line, text, 1, SETUP_WORKERS_MAX, out);
}

static const char *size_word(unsigned i)
{
    return i == SIZE_PCAP ? NULL : size_text((enum size)i);
}

static bool one_size(struct state *s, const char *text, uint32_t *out)
{
    return parse_word(s, text, size_word, SIZE_COUNT, out);
}

static const char *traffic_word(unsigned i)
{
    return i == TRAFFIC_PCAP ? NULL : traffic_text((enum traffic_kind)i);
}

static bool one_traffic(struct state *s, const char *text, uint32_t *out)
{
    return parse_word(s, text, traffic_word, TRAFFIC_COUNT, out);
}

static const char *hit_word(unsigned i)
{
    return hit_text((enum hit)i);
}

static bool one_hit(struct state *s, const char *text, uint32_t *out)
{
    return parse_word(s, text, hit_word, HIT_COUNT, out);
}

static const char *family_word(unsigned i)
{
    return family_text((enum family)i);
}

static bool one_family(struct state *s, const char *text, uint32_t *out)
{
    return parse_word(s, text, family_word, FAMILY_COUNT, out);
}

static const char *encapsulation_word(unsigned i)
{
    return encapsulation_bytes((enum encapsulation)i) == 0 ? NULL : encapsulation_text((enum encapsulation)i);
}

static bool one_encapsulation(struct state *s, const char *text, uint32_t *out)
{
    return parse_word(s, text, encapsulation_word, ENCAPSULATION_IPV6_IN_IPV4 + 1, out);
}

/* ---- Options ---- */

/* Calls take for each part of a list A,B,... */
static bool for_each(struct state *s, const char *text, bool (*take)(struct state *, const char *, void *),
                     void *context)
{
    char one[64];
    for (;; text++) {
        size_t len = strcspn(text, ",");
        if (len == 0 || len >= sizeof(one))
            return complain(s, "a list is A,B,...");
        snprintf(one, sizeof(one), "%.*s", (int)len, text);
        if (!take(s, one, context))
            return false;
        text += len;
        if (*text == '\0')
            return true;
    }
}

struct appending {
    struct list *list;
    bool (*one)(struct state *, const char *, uint32_t *);
};

static bool append(struct state *s, const char *text, void *context)
{
    const struct appending *a = context;
    if (a->list->n == OPTIONS_LIST_MAX)
        return complain(s, "too many values");
    if (!a->one(s, text, &a->list->at[a->list->n]))
        return false;
    a->list->n++;
    return true;
}

#define LIST_OPTION(name)                                                                              \
    static bool take_##name(struct state *s, const char *text)                                         \
    {                                                                                                  \
        return for_each(s, text, append, &(struct appending){.list = &s->o->name, .one = one_##name}); \
    }

LIST_OPTION(bindings)
LIST_OPTION(burst)
LIST_OPTION(size)
LIST_OPTION(encapsulation)
LIST_OPTION(traffic)
LIST_OPTION(hit)
LIST_OPTION(family)
LIST_OPTION(workers)

static bool append_row(struct state *s, const char *text, void *context)
{
    (void)context;
    if (s->o->n_rows == OPTIONS_ROWS_MAX)
        return complain(s, "too many rows");
    if (!row_find(text, &s->o->rows[s->o->n_rows])) {
        snprintf(s->line.error, sizeof(s->line.error), "there is no row %.40s; try --help", text);
        return false;
    }
    s->o->n_rows++;
    return true;
}

static bool take_rows(struct state *s, const char *text)
{
    return for_each(s, text, append_row, NULL);
}

NUMBER_OPTION(runs, s->o->runs, 1, RUN_RUNS_MAX)
NUMBER_OPTION(run_ms, s->o->run_ms, 1, 60000)
NUMBER_OPTION(buffers, s->o->buffers, 64, 1 << 20)

FLAG_OPTION(no_huge, s->o->no_huge)
FLAG_OPTION(checksum_good, s->o->checksum_good)
FLAG_OPTION(json, s->o->json)

#define TEXT_OPTION(name)                                      \
    static bool take_##name(struct state *s, const char *text) \
    {                                                          \
        s->o->name = text;                                     \
        return *text != '\0' || complain(s, "empty");          \
    }

TEXT_OPTION(plot)
TEXT_OPTION(pcap)

static bool take_lcores(struct state *s, const char *text)
{
    s->o->lcores = text;
    return machine_has_cpus(text) || complain(s, "not a list A,B,... or A-B of CPUs that are there");
}

static bool take_help(struct state *s, const char *text)
{
    (void)text;
    fputs(help, stdout);
    for (const struct row_kind *k = NULL; (k = row_kind_after(k)) != NULL;)
        printf("  %s%-*s %s\n", k->name, (int)(25 - strlen(k->name)),
               k->name[strlen(k->name) - 1] == '-' ? "N" : "", k->text);
    puts("\nExit status: 0; 1 it could not be measured; 2 usage.");
    return s->line.done = true;
}

static bool take_version(struct state *s, const char *text)
{
    (void)text;
    puts("homeport-bench " HOMEPORT_VERSION);
    return s->line.done = true;
}

static const struct command_line_option options[] = {
    {"bindings", take_bindings, required_argument},
    {"rows", take_rows, required_argument},
    {"size", take_size, required_argument},
    {"burst", take_burst, required_argument},
    {"encapsulation", take_encapsulation, required_argument},
    {"traffic", take_traffic, required_argument},
    {"hit", take_hit, required_argument},
    {"family", take_family, required_argument},
    {"workers", take_workers, required_argument},
    {"pcap", take_pcap, required_argument},
    {"runs", take_runs, required_argument},
    {"run-ms", take_run_ms, required_argument},
    {"buffers", take_buffers, required_argument},
    {"checksum-offload", take_checksum_good, no_argument},
    {"lcores", take_lcores, required_argument},
    {"no-huge", take_no_huge, no_argument},
    {"json", take_json, no_argument},
    {"plot", take_plot, required_argument},
    {"help", take_help, no_argument},
    {"version", take_version, no_argument},
};

/* A capture has its own bindings, sizes and destinations. */
static bool complete(struct state *s)
{
    const struct options *o = s->o;
    if (o->pcap == NULL)
        return true;
    if (o->bindings.n + o->size.n + o->traffic.n + o->hit.n + o->family.n > 0)
        return complain(s, "--pcap goes without --bindings, --size, --traffic, --hit and --family");
    return true;
}

enum options_result options_parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.runs = 9, .run_ms = 50, .buffers = 4096};
    struct state s = {.line = {.program = "homeport-bench",
                               .options = options,
                               .n_options = sizeof(options) / sizeof(options[0])},
                      .o = o};
    return command_line_read(&s.line, &s, complete, argc, argv);
}
