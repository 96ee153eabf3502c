/* SPDX-License-Identifier: BSD-3-Clause */
#include "short_memory.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);

int refuse_at;
const bool *refuse_within;

static bool out_of_memory(void)
{
    return (refuse_within == NULL || *refuse_within) && refuse_at > 0 && --refuse_at == 0;
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

bool end_refusal(void)
{
    const bool happened = refuse_at == 0;
    refuse_at = 0;
    return happened;
}
