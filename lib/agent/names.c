/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"

const char *agent_counter_text(enum agent_counter c)
{
    static const char *const texts[] = {
#define X(name, text) text,
        AGENT_COUNTERS(X)
#undef X
    };
    return texts[c];
}

const char *note_text(enum note_kind kind)
{
    static const char *const texts[] = {
#define X(name, level, text) text,
        AGENT_NOTES(X)
#undef X
    };
    return texts[kind];
}

enum note_level note_level(enum note_kind kind)
{
    static const enum note_level levels[] = {
#define X(name, level, text) NOTE_##level,
        AGENT_NOTES(X)
#undef X
    };
    return levels[kind];
}

const char *agent_refusal_text(enum agent_refusal refusal)
{
    static const char *const texts[] = {
#define X(name, text) text,
        AGENT_REFUSALS(X)
#undef X
    };
    return texts[refusal];
}

const char *peer_state_text(enum peer_state state)
{
    static const char *const texts[] = {
#define X(name, text) text,
        PEER_STATES(X)
#undef X
    };
    return texts[state];
}
