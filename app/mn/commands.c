/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include <errno.h>
#include <stdio.h>

static int roam(struct run *r, const char *argument)
{
    struct addr care_of[NET_SOCKETS_MAX];
    const size_t count = options_addresses(argument, care_of);
    return count == 0 ? -EINVAL : run_roam(r, care_of, count);
}

static int home(struct run *r, const char *argument)
{
    return *argument == '\0' ? -EINVAL : run_go_home(r, argument);
}

static int register_again(struct run *r, const char *argument)
{
    (void)argument;
    return run_register(r);
}

static int deregister(struct run *r, const char *argument)
{
    (void)argument;
    run_deregister(r);
    return 0;
}

static int status(struct run *r, const char *argument)
{
    (void)argument;
    run_status(r);
    return 0;
}

static int wait_quiet(struct run *r, const char *argument)
{
    (void)argument;
    run_status_when_quiet(r);
    return 0;
}

static int quit(struct run *r, const char *argument)
{
    (void)argument;
    run_stop(r);
    return 0;
}

static const struct command {
    const char *name;
    int (*carry_out)(struct run *r, const char *argument); /* 0 or -errno */
} table[] = {
    {"roam", roam},
    {"home", home},
    {"register", register_again},
    {"deregister", deregister},
    {"status", status},
    {"wait", wait_quiet},
    {"quit", quit},
};

/* Takes the next word off the line; empty at its end. */
static const char *next_word(char **line)
{
    char *word = *line + strspn(*line, " \t\r");
    const size_t len = strcspn(word, " \t\r");
    *line = word + len + (word[len] != '\0');
    word[len] = '\0';
    return word;
}

static void carry_out(struct run *r, char *line)
{
    const char *name = next_word(&line);
    const char *argument = next_word(&line);
    if (*name == '\0')
        return;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        const int err = table[i].carry_out(r, argument);
        if (err < 0)
            fprintf(stderr, "homeport-mn: %s %s: %s\n", name, argument, strerror(-err));
        return;
    }
    fprintf(stderr, "homeport-mn: no such command: %s\n", name);
}

static void end_line(struct commands *c, struct run *r)
{
    c->line[c->len] = '\0';
    if (c->too_long)
        fprintf(stderr, "homeport-mn: line too long\n");
    else
        carry_out(r, c->line);
    c->len = 0;
    c->too_long = false;
}

void commands_input(struct commands *c, struct run *r, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n')
            end_line(c, r);
        else if (c->len < sizeof(c->line) - 1)
            c->line[c->len++] = bytes[i];
        else
            c->too_long = true;
    }
}
