/* SPDX-License-Identifier: BSD-3-Clause */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#define CLEAR "\r\033[K"

struct progress progress_begin(unsigned runs)
{
    return (struct progress){.shown = isatty(STDERR_FILENO) != 0, .of = runs};
}

static unsigned percent(const struct progress *p)
{
    return p->of > 0 ? p->done * 100 / p->of : 100;
}

void progress_filling(struct progress *p, uint32_t bindings)
{
    if (p->shown)
        fprintf(stderr, CLEAR "%3u %%  %u bindings are installed ...", percent(p), bindings);
}

void progress_step(void *context, const struct setup *setup, const struct row *row)
{
    struct progress *p = context;
    char name[ROW_NAME_MAX];
    p->done++;
    if (p->shown)
        fprintf(stderr, CLEAR "%3u %%  %u bindings, %s", percent(p), setup->bindings, row_name(row, name));
}

void progress_clear(struct progress *p)
{
    if (p->shown)
        fputs(CLEAR, stderr);
}
