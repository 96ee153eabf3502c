/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict.h"

#include <stddef.h>

static const struct {
    const char *name;
    const char *text;
    enum verdict_kind kind;
} verdicts[VERDICT_COUNT] = {
#define X(name, kind, key, text) [VERDICT_##name] = {key, text, VERDICT_##kind},
    VERDICTS(X)
#undef X
};

const char *verdict_name(enum verdict v)
{
    return v < VERDICT_COUNT ? verdicts[v].name : NULL;
}

const char *verdict_text(enum verdict v)
{
    return v < VERDICT_COUNT ? verdicts[v].text : NULL;
}

enum verdict_kind verdict_kind(enum verdict v)
{
    return v < VERDICT_COUNT ? verdicts[v].kind : VERDICT_DROP;
}
