/* SPDX-License-Identifier: BSD-3-Clause */
#include "sequence.h"

#include <stdbool.h>
#include <string.h>

static uint64_t *word_of(struct sequence *s, uint64_t number)
{
    return &s->seen[number % SEQUENCE_WINDOW / 64];
}

static uint64_t bit_of(uint64_t number)
{
    return UINT64_C(1) << number % 64;
}

/* Moves the window up so that number is its newest. */
static void advance(struct sequence *s, uint64_t number)
{
    if (number - s->next >= SEQUENCE_WINDOW)
        memset(s->seen, 0, sizeof(s->seen));
    else
        for (uint64_t n = s->next; n <= number; n++)
            *word_of(s, n) &= ~bit_of(n);
    s->next = number + 1;
}

static bool is_duplicate(struct sequence *s, uint64_t number)
{
    const bool in_window = s->next - number <= SEQUENCE_WINDOW;
    return in_window && (*word_of(s, number) & bit_of(number)) != 0;
}

void sequence_note(struct sequence *s, uint64_t number)
{
    /* One above it would not be a number any more: no sender gets there, a stranger's packet may. */
    if (number == UINT64_MAX)
        return;
    s->received++;
    if (number >= s->next) {
        advance(s, number);
    } else if (is_duplicate(s, number)) {
        s->duplicates++;
        return;
    } else {
        s->out_of_order++;
        if (s->next - number > SEQUENCE_WINDOW)
            return;
    }
    *word_of(s, number) |= bit_of(number);
}

uint64_t sequence_lost(const struct sequence *s)
{
    const uint64_t distinct = s->received - s->duplicates;
    return s->next > distinct ? s->next - distinct : 0;
}
