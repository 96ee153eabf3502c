/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deadlines in order: a heap of timers that live inside their owners. It never reads a clock; time is
 * an argument, in nanoseconds of whatever clock the caller uses throughout.
 *
 * Moving a deadline later costs nothing but a store: the heap keeps the earlier key and corrects it when
 * that comes up. So a renewed binding's cost does not grow with the number of bindings.
 *
 * One owner thread.
 */
#ifndef BASE_TIMERQ_H
#define BASE_TIMERQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

/* Zero-initialised: not set. The owner finds itself by container_of (timer_owner). */
struct timer {
    uint64_t deadline_ns; /* what the owner asked for */
    uint32_t place;       /* 1 + index in the heap; 0: not in it */
    uint32_t kind;        /* the owner's, never read here: which of its timers this is */
};

#define timer_owner(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

enum { TIMERQ_CORRECTIONS = 256 }; /* stale keys that one timerq_pop corrects at most: some 20 us */

struct timerq;

struct timerq *timerq_create(void);
/* The timers themselves belong to their owners. */
void timerq_destroy(struct timerq *q);

static inline bool timer_is_set(const struct timer *t)
{
    return t->place != 0;
}

/* Sets or moves a timer. False: out of memory, the timer is not set (never when moving one). */
bool timerq_set(struct timerq *q, struct timer *t, uint64_t deadline_ns) __attribute__((warn_unused_result));
void timerq_cancel(struct timerq *q, struct timer *t);
/* No timer is due before this (it may be early by a moved timer's old key); TIMER_NEVER when empty. */
uint64_t timerq_next(const struct timerq *q);
/* Takes out one timer with deadline_ns <= now_ns, earliest first; NULL when none is due, or when so many
 * stale keys came up that the rest is left to the next call (timerq_next tells that it is worth making). */
struct timer *timerq_pop(struct timerq *q, uint64_t now_ns);
size_t timerq_count(const struct timerq *q);

#endif
