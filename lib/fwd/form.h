/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the beginning of a frame may look like: for each of its bytes the least that it may be, and how much
 * more it may be than that. All bounds are tested at once.
 *
 * Pure functions; any thread.
 */
#ifndef FWD_FORM_H
#define FWD_FORM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_common.h>

enum { FORM_LEN = 32 };

struct form {
    uint8_t least[FORM_LEN];
    uint8_t span[FORM_LEN];
} __rte_aligned(16);

/* Of which any bytes are. */
static inline struct form form_of_any(void)
{
    struct form form = {.least = {0}};
    memset(form.span, UINT8_MAX, sizeof(form.span));
    return form;
}

static inline void form_bound(struct form *form, unsigned at, uint8_t least, uint8_t most)
{
    form->least[at] = least;
    form->span[at] = (uint8_t)(most - least);
}

/* n bytes that must be these. */
static inline void form_fix(struct form *form, unsigned at, const uint8_t *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        form_bound(form, at + i, bytes[i], bytes[i]);
}

static inline bool form_fits_scalar(const struct form *form, const uint8_t *bytes)
{
    bool fits = true;
    for (unsigned i = 0; i < FORM_LEN; i++)
        fits &= (uint8_t)(bytes[i] - form->least[i]) <= form->span[i];
    return fits;
}

#ifdef __SSE4_1__
#include <smmintrin.h>

/* How far each of 16 bytes is beyond its bounds. */
static inline __m128i form_excess(const struct form *form, const uint8_t *bytes, unsigned at)
{
    const __m128i least = _mm_load_si128((const __m128i *)(form->least + at)),
                  span = _mm_load_si128((const __m128i *)(form->span + at)),
                  there = _mm_loadu_si128((const __m128i *)(bytes + at));
    return _mm_subs_epu8(_mm_sub_epi8(there, least), span);
}

static inline bool form_fits(const struct form *form, const uint8_t *bytes)
{
    const __m128i excess = _mm_or_si128(form_excess(form, bytes, 0), form_excess(form, bytes, 16));
    return _mm_testz_si128(excess, excess) != 0;
}
#else
static inline bool form_fits(const struct form *form, const uint8_t *bytes)
{
    return form_fits_scalar(form, bytes);
}
#endif

#endif
