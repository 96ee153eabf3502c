/* SPDX-License-Identifier: BSD-3-Clause */
#include "counting.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define X(name, ...) #name,
static const char *const agent_names[] = {AGENT_COUNTERS(X)};
static const char *const control_names[] = {CONTROL_COUNTERS(X)};
static const char *const neighbor_names[] = {NEIGHBOR_COUNTERS(X)};
#undef X

/* A row's place in a list of names; -1: it is not there. */
static int place(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcasecmp(names[i], name) == 0)
            return i;
    return -1;
}

static bool worker_value(const struct control *c, const char *name, uint64_t *value)
{
    for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
        if (strcmp(verdict_name(v), name) != 0)
            continue;
        *value = c->workers[0]->counters.verdict[v];
        return true;
    }
    return false;
}

static bool reply_value(const struct control *c, const char *code, uint64_t *value)
{
    *value = agent_counters(c->agent)->replies[strtoul(code, NULL, 10) & UINT8_MAX];
    return true;
}

static bool agent_value(const struct control *c, const char *name, uint64_t *value)
{
    static const char reply[] = "reply_";
    if (strncmp(name, reply, strlen(reply)) == 0)
        return reply_value(c, name + strlen(reply), value);
    int i = place(agent_names, RTE_DIM(agent_names), name);
    if (i >= 0)
        *value = agent_counters(c->agent)->n[i];
    return i >= 0;
}

static bool control_value(const struct control *c, const char *name, uint64_t *value)
{
    int i = place(control_names, RTE_DIM(control_names), name);
    if (i >= 0)
        *value = c->counters[i];
    return i >= 0;
}

static bool neighbor_value(const struct control *c, const char *name, uint64_t *value)
{
    int i = place(neighbor_names, RTE_DIM(neighbor_names), name);
    if (i >= 0)
        *value = neighbor_counters(c->neighbors)[i];
    return i >= 0;
}

static bool value_of(const struct control *c, const char *name, uint64_t *value)
{
    static const struct {
        const char *prefix;
        bool (*value)(const struct control *c, const char *name, uint64_t *value);
    } groups[] = {
        {"worker.", worker_value},
        {"agent.", agent_value},
        {"control.", control_value},
        {"neighbor.", neighbor_value},
    };
    for (size_t i = 0; i < RTE_DIM(groups); i++) {
        size_t len = strlen(groups[i].prefix);
        if (strncmp(name, groups[i].prefix, len) == 0)
            return groups[i].value(c, name + len, value);
    }
    return false;
}

static bool line_holds(const struct control *c, const char *line, FILE *out)
{
    char name[64];
    uint64_t expected, actual;
    if (line[0] == '#' || line[0] == '\n')
        return true;
    if (sscanf(line, "%63s %" SCNu64, name, &expected) != 2 || !value_of(c, name, &actual)) {
        fprintf(out, "counters: no such counter: %s", line);
        return false;
    }
    if (actual == expected)
        return true;
    fprintf(out, "counters: %s: expected %" PRIu64 ", is %" PRIu64 "\n", name, expected, actual);
    return false;
}

bool counting_compare(const struct control *c, const char *path, FILE *out)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        return false;
    }
    char line[256];
    bool equal = true;
    while (fgets(line, sizeof(line), file) != NULL)
        equal &= line_holds(c, line, out);
    fclose(file);
    return equal;
}
