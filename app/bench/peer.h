/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The binding table's peer, to be measured beside it: DPDK's rte_hash with lock-free readers, made as well as
 * we know how to (hashes given, whole bursts, own comparison), leading to entries that prove the hit, as a
 * table over it has to.
 *
 * Filled once; then any number of readers.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stddef.h>

#include "setup.h"
#include "table.h"

struct peer;

/* Over n entries with their home filled in, which stay the caller's. NULL with rte_errno. */
struct peer *peer_create(enum family family, const struct entry *entries, uint32_t n, int socket);
void peer_destroy(struct peer *peer);
/* Without the entries. */
size_t peer_memory(const struct peer *peer);
/* Which one is asked from now on. Not while anybody asks. */
void peer_choose(const struct peer *peer);

/* As cuckoo_lookup_burst. */
uint64_t peer_lookup_burst(const struct addr *keys, const uint32_t *tags, unsigned n,
                           const struct entry **found);

/* In place of cuckoo.h's steps in the worker's source, for its IPv4 tags. rte_hash has but one step that can
 * be taken from outside before its lookup: hashing. */
static inline void peer_locate(const struct cuckoo *cuckoo, const uint32_t *tags, unsigned n,
                               struct cuckoo_pair *pairs)
{
    (void)cuckoo;
    for (unsigned i = 0; i < n; i++)
        pairs[i].at[0] = (const struct cuckoo_bucket *)(uintptr_t)crc32c_4(tags[i]);
}

static inline void peer_fetch(const struct cuckoo_pair *pair)
{
    (void)pair;
}

void peer_search(const struct cuckoo *cuckoo, const uint32_t *tags, const struct cuckoo_pair *pairs,
                 unsigned n, const struct entry **found);

extern const struct entry peer_nothing; /* nobody's: what a key leads to that is not there */

static inline bool peer_is_miss(const struct cuckoo *cuckoo, const struct entry *found, uint64_t version)
{
    (void)cuckoo, (void)version;
    return found == &peer_nothing;
}

/* What it has not found is not there. */
static inline const struct entry *peer_prove(const struct cuckoo *cuckoo, const struct entry *found,
                                             uint32_t tag, const struct addr *key, uint64_t version)
{
    (void)cuckoo, (void)tag, (void)version;
    return cuckoo_proves(found, key) ? found : NULL;
}

#endif
