/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bounded cursors over bytes in network order. A read or write past the end does nothing, yields
 * zero, and sets `failed` for good, so that a codec checks once, at its end.
 *
 * A cursor is a value on the stack of its codec; it never owns the bytes.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

struct writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed;
};

static inline struct reader reader_over(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    return (struct reader){.at = at, .end = at + len};
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

/* Skips n bytes and returns where they began; NULL (and failed) where fewer are left. */
static inline const uint8_t *read_bytes(struct reader *r, size_t n)
{
    if (r->failed || reader_left(r) < n) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}

static inline uint64_t read_uint(struct reader *r, size_t n)
{
    const uint8_t *p = read_bytes(r, n);
    uint64_t v = 0;
    for (size_t i = 0; p != NULL && i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static inline uint8_t read_u8(struct reader *r)
{
    return (uint8_t)read_uint(r, 1);
}

static inline uint16_t read_u16(struct reader *r)
{
    return (uint16_t)read_uint(r, 2);
}

static inline uint32_t read_u32(struct reader *r)
{
    return (uint32_t)read_uint(r, 4);
}

static inline uint64_t read_u64(struct reader *r)
{
    return read_uint(r, 8);
}

/* NULL of no length: all that is written fails. */
static inline struct writer writer_over(void *bytes, size_t len)
{
    uint8_t *at = bytes;
    return (struct writer){.start = at, .at = at, .end = at != NULL ? at + len : NULL};
}

static inline size_t writer_len(const struct writer *w)
{
    return (size_t)(w->at - w->start);
}

/* Reserves n bytes and returns where they begin; NULL (and failed) where there is no room. */
static inline uint8_t *write_reserve(struct writer *w, size_t n)
{
    if (w->failed || (size_t)(w->end - w->at) < n) {
        w->failed = true;
        return NULL;
    }
    uint8_t *p = w->at;
    w->at += n;
    return p;
}

static inline void write_bytes(struct writer *w, const void *bytes, size_t n)
{
    uint8_t *p = write_reserve(w, n);
    if (p != NULL && n > 0)
        memcpy(p, bytes, n);
}

static inline void write_uint(struct writer *w, uint64_t v, size_t n)
{
    uint8_t *p = write_reserve(w, n);
    for (size_t i = n; p != NULL && i-- > 0; v >>= 8)
        p[i] = (uint8_t)v;
}

static inline void write_u8(struct writer *w, uint8_t v)
{
    write_uint(w, v, 1);
}

static inline void write_u16(struct writer *w, uint16_t v)
{
    write_uint(w, v, 2);
}

static inline void write_u32(struct writer *w, uint32_t v)
{
    write_uint(w, v, 4);
}

static inline void write_u64(struct writer *w, uint64_t v)
{
    write_uint(w, v, 8);
}

#endif
