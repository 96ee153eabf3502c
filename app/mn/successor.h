/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses numbered through, as a range of home addresses is. Any thread.
 */
#ifndef MN_SUCCESSOR_H
#define MN_SUCCESSOR_H

#include "addr.h"
#include "bytes.h"

/* The n-th address after first. False: they end before it: IPv4 at 255.255.255.255, an IPv6 subnet of 64 bits
 * where its interface identifiers do. */
static inline bool addr_successor(const struct addr *first, uint32_t n, struct addr *out)
{
    const size_t len = addr_is_ipv4(first) ? 4 : 8;
    const size_t at = sizeof(first->b) - len;
    struct reader r = reader_over(first->b + at, len);
    const uint64_t last = len == 4 ? UINT32_MAX : UINT64_MAX;
    const uint64_t value = read_uint(&r, len);
    if (n > last - value)
        return false;
    struct addr a = *first;
    struct writer w = writer_over(a.b + at, len);
    write_uint(&w, value + n, len);
    *out = a;
    return true;
}

#endif
