/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The addresses that nobody else's packet may come from: the appliance's own, and its links' broadcast
 * addresses. Most sources are none of them, which two hashes tell without looking at any.
 *
 * Filled by one thread, then read by all.
 */
#ifndef FWD_OWN_H
#define FWD_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

#include "pkt.h"

enum {
    OWN_MAX = 456,
    OWN_HASH_BITS = 11, /* 8 addresses share one hash with one in 250 others, both with one in 65,000 */
    OWN_FIRST = 1,      /* this hash is the first one of an own address, */
    OWN_SECOND = 2      /* the second one */
};

struct own {
    struct addr at[OWN_MAX];
    unsigned n;
    uint8_t hashes[1 << OWN_HASH_BITS];
};

/* By its last four bytes, which are an IPv4 address. */
static inline unsigned own_hash(uint32_t last)
{
    return last * UINT32_C(2654435769) >> (32 - OWN_HASH_BITS);
}

static inline unsigned own_second_hash(uint32_t last)
{
    return last * UINT32_C(2246822507) >> (32 - OWN_HASH_BITS);
}

/* False: there are OWN_MAX. */
static inline bool own_add(struct own *own, const struct addr *address)
{
    const uint32_t last = pkt_ipv4(address);
    if (own->n == OWN_MAX)
        return false;
    own->hashes[own_hash(last)] |= OWN_FIRST;
    own->hashes[own_second_hash(last)] |= OWN_SECOND;
    own->at[own->n++] = *address;
    return true;
}

/* The second hash spares those who share the first one the looking. */
static inline bool own_may_have(const struct own *own, uint32_t last)
{
    return unlikely((own->hashes[own_hash(last)] & OWN_FIRST) != 0) &&
           (own->hashes[own_second_hash(last)] & OWN_SECOND) != 0;
}

static inline bool own_is_among(const struct own *own, const struct addr *address)
{
    for (unsigned i = 0; i < own->n; i++)
        if (addr_equal(&own->at[i], address))
            return true;
    return false;
}

static inline bool own_has(const struct own *own, const struct addr *address)
{
    return unlikely(own_may_have(own, pkt_ipv4(address))) && own_is_among(own, address);
}

/* The same, of an IPv4 address in network order. */
static inline bool own_has_ipv4(const struct own *own, uint32_t address)
{
    if (likely(!own_may_have(own, address)))
        return false;
    const struct addr key = pkt_key(address);
    return own_is_among(own, &key);
}

#endif
