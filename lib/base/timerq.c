/* SPDX-License-Identifier: BSD-3-Clause */
#include "timerq.h"

#include <stdlib.h>

/* Four children a node: half the depth of a binary heap, and siblings share a cache line. */
enum { ARITY = 4, FIRST_CAPACITY = 64 };

/* Invariant: key_ns <= timer->deadline_ns. The key lives here so that sifting touches no timer but the
 * ones that move. */
struct slot {
    uint64_t key_ns;
    struct timer *timer;
};

struct timerq {
    struct slot *slots;
    size_t count;
    size_t capacity;
};

struct timerq *timerq_create(void)
{
    return calloc(1, sizeof(struct timerq));
}

void timerq_destroy(struct timerq *q)
{
    if (q == NULL)
        return;
    free(q->slots);
    free(q);
}

static void slot_put(struct timerq *q, size_t i, struct slot s)
{
    q->slots[i] = s;
    s.timer->place = (uint32_t)(i + 1);
}

/* Puts s at i or above, moving later parents down. */
static void sift_up(struct timerq *q, size_t i, struct slot s)
{
    while (i > 0) {
        size_t parent = (i - 1) / ARITY;
        if (q->slots[parent].key_ns <= s.key_ns)
            break;
        slot_put(q, i, q->slots[parent]);
        i = parent;
    }
    slot_put(q, i, s);
}

static size_t earliest_child(const struct timerq *q, size_t i)
{
    size_t first = i * ARITY + 1;
    size_t end = first + ARITY < q->count ? first + ARITY : q->count;
    size_t best = first;
    for (size_t c = first + 1; c < end; c++) {
        if (q->slots[c].key_ns < q->slots[best].key_ns)
            best = c;
    }
    return best;
}

/* Puts s at i or below, moving earlier children up. */
static void sift_down(struct timerq *q, size_t i, struct slot s)
{
    while (i * ARITY + 1 < q->count) {
        size_t child = earliest_child(q, i);
        if (s.key_ns <= q->slots[child].key_ns)
            break;
        slot_put(q, i, q->slots[child]);
        i = child;
    }
    slot_put(q, i, s);
}

static bool make_room(struct timerq *q)
{
    if (q->count < q->capacity)
        return true;
    if (q->count >= UINT32_MAX / 2) /* a place is 32 bits */
        return false;
    size_t capacity = q->capacity == 0 ? FIRST_CAPACITY : q->capacity * 2;
    struct slot *slots = realloc(q->slots, capacity * sizeof(*slots));
    if (slots == NULL)
        return false;
    q->slots = slots;
    q->capacity = capacity;
    return true;
}

bool timerq_set(struct timerq *q, struct timer *t, uint64_t deadline_ns)
{
    if (timer_is_set(t)) {
        size_t i = t->place - 1;
        t->deadline_ns = deadline_ns;
        if (deadline_ns < q->slots[i].key_ns)
            sift_up(q, i, (struct slot){.key_ns = deadline_ns, .timer = t});
        return true;
    }
    if (!make_room(q))
        return false;
    t->deadline_ns = deadline_ns;
    sift_up(q, q->count++, (struct slot){.key_ns = deadline_ns, .timer = t});
    return true;
}

/* Takes slot i out; the last one fills its place, up or down from there. */
static void slot_remove(struct timerq *q, size_t i)
{
    q->slots[i].timer->place = 0;
    struct slot last = q->slots[--q->count];
    if (i == q->count)
        return;
    if (i > 0 && last.key_ns < q->slots[(i - 1) / ARITY].key_ns)
        sift_up(q, i, last);
    else
        sift_down(q, i, last);
}

void timerq_cancel(struct timerq *q, struct timer *t)
{
    if (timer_is_set(t))
        slot_remove(q, t->place - 1);
}

uint64_t timerq_next(const struct timerq *q)
{
    return q->count == 0 ? TIMER_NEVER : q->slots[0].key_ns;
}

struct timer *timerq_pop(struct timerq *q, uint64_t now_ns)
{
    for (unsigned corrected = 0; q->count > 0 && q->slots[0].key_ns <= now_ns; corrected++) {
        if (corrected == TIMERQ_CORRECTIONS)
            return NULL;
        struct timer *t = q->slots[0].timer;
        /* A key that tells the truth at the top is the earliest: no deadline is before its key. */
        if (q->slots[0].key_ns == t->deadline_ns) {
            slot_remove(q, 0);
            return t;
        }
        sift_down(q, 0, (struct slot){.key_ns = t->deadline_ns, .timer = t});
    }
    return NULL;
}

size_t timerq_count(const struct timerq *q)
{
    return q->count;
}
