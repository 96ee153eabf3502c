/* SPDX-License-Identifier: BSD-3-Clause */
#include "short_memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);

const bool *refuse_within;

static int chosen; /* the how manieth is refused; 0: none */
static int left;   /* until then */

/* Since the last verdict; shared, for each iteration is a process. */
struct tally {
    int tried; /* the last one that was to be refused */
    bool refused[ALLOCATIONS_MAX + 1];
};
static struct tally *tally;

static __attribute__((constructor)) void share(void)
{
    tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tally == MAP_FAILED)
        abort();
}

static bool out_of_memory(void)
{
    if ((refuse_within != NULL && !*refuse_within) || left == 0 || --left > 0)
        return false;
    tally->refused[chosen] = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return out_of_memory() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return out_of_memory() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return out_of_memory() ? NULL : __real_realloc(old, size);
}

void refuse(int nth)
{
    chosen = left = nth;
    if (nth > 0)
        tally->tried = nth;
}

bool end_refusal(void)
{
    const bool happened = chosen > 0 && left == 0;
    chosen = left = 0;
    return happened;
}

/* From the first on without a gap; and the loop went on when there were no more. _i: the line of its test. */
START_TEST(all_were_refused)
{
    const struct tally t = *tally;
    int first_not = 1, last = 0;
    for (int i = 1; i <= ALLOCATIONS_MAX; i++)
        if (t.refused[i])
            last = i;
    while (first_not <= last && t.refused[first_not])
        first_not++;
    *tally = (struct tally){.tried = 0};
    ck_assert_msg(last > 0, "line %d: no allocation was refused", _i);
    ck_assert_msg(first_not > last, "line %d: allocation %d was refused, %d was not", _i, last, first_not);
    ck_assert_msg(last < t.tried, "line %d: there may be more than %d allocations", _i, last);
}
END_TEST

void tcase_add_short_test(TCase *tcase, const TTest *test, int n)
{
    if (n > ALLOCATIONS_MAX)
        abort();
    tcase_add_loop_test(tcase, test, 1, n + 1);
    tcase_add_loop_test(tcase, all_were_refused, test->line, test->line + 1);
}
