/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two sides of something shared, interleaved instruction by instruction in one thread: one side runs under
 * the processor's trap flag, and the other one gets its turn as a whole after instructions chosen by chance.
 * What two threads meet once in a million times comes up in every run, whatever the machine does meanwhile.
 *
 * On x86-64 alone, and not under valgrind, which has no trap flag.
 */
#ifndef TEST_FWD_STEPWISE_H
#define TEST_FWD_STEPWISE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "eal.h"

struct stepwise {
    void (*other)(void); /* must not use what the stepped side has on its stack */
    unsigned every;      /* its turn comes after every so many instructions, on average */
    unsigned turns_max;  /* in one run */
    unsigned turns;
    uint64_t random;
    uint64_t instructions, turns_ever;
};

static struct stepwise *stepped; /* the one that runs */

#ifdef __x86_64__
enum { STEPWISE_TRAP_FLAG = 0x100 };

static inline void stepwise_on(void)
{
    __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::
                         : "memory", "cc");
}

static inline void stepwise_off(void)
{
    __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::
                         : "memory", "cc");
}
/* What the handler returns to runs at full speed. */
static inline void stepwise_on_no_more(ucontext_t *context)
{
    context->uc_mcontext.gregs[REG_EFL] &= ~STEPWISE_TRAP_FLAG;
}
#else
static inline void stepwise_on(void)
{
}

static inline void stepwise_off(void)
{
}

static inline void stepwise_on_no_more(ucontext_t *context)
{
    (void)context;
}
#endif

static inline void stepwise_trap(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    stepped->instructions++;
    if (eal_random(&stepped->random) % stepped->every != 0)
        return;
    stepped->other();
    stepped->turns_ever++;
    if (++stepped->turns == stepped->turns_max)
        stepwise_on_no_more(context);
}

/* Runs side, and the other one in between. */
static inline void stepwise_run(struct stepwise *s, void (*side)(void))
{
    struct sigaction trap = {.sa_sigaction = stepwise_trap, .sa_flags = SA_SIGINFO}, before;
    stepped = s;
    s->turns = 0;
    sigaction(SIGTRAP, &trap, &before);
    stepwise_on();
    side();
    stepwise_off();
    sigaction(SIGTRAP, &before, NULL);
}

static inline void stepwise_nothing(void)
{
}

/* False, with a word: no instruction traps. */
static inline bool stepwise_is_here(void)
{
    struct stepwise s = {.other = stepwise_nothing, .every = 1};
    stepwise_run(&s, stepwise_nothing);
    if (s.instructions == 0)
        printf("skipped: nothing can be run in steps here\n");
    return s.instructions > 0;
}

#endif
