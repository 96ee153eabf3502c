/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The addresses that nobody else's packet may come from: the appliance's own, and its links' broadcast
 * addresses. Most sources are none of them, which a byte for each hash tells without looking at any.
 *
 * Filled by one thread, then read by all.
 */
#ifndef FWD_OWN_H
#define FWD_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

#include "pkt.h"

enum { OWN_MAX = 456, OWN_HASH_BITS = 11 /* 8 addresses share one with one in 250 others */ };

struct own {
    struct addr at[OWN_MAX];
    unsigned n;
    uint8_t hashes[1 << OWN_HASH_BITS]; /* not 0: that of one of them */
};

/* By its last four bytes, which are an IPv4 address. */
static inline unsigned own_hash(uint32_t last)
{
    return last * UINT32_C(2654435769) >> (32 - OWN_HASH_BITS);
}

/* False: there are OWN_MAX. */
static inline bool own_add(struct own *own, const struct addr *address)
{
    if (own->n == OWN_MAX)
        return false;
    own->hashes[own_hash(pkt_ipv4(address))] = 1;
    own->at[own->n++] = *address;
    return true;
}

static inline bool own_may_have(const struct own *own, uint32_t last)
{
    return own->hashes[own_hash(last)] != 0;
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
