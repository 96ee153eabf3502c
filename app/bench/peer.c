/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

#include <string.h>

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>

#include "heap.h"

struct peer {
    struct rte_hash *hash;
    enum family family;
    size_t memory;
};

static const struct peer *chosen;

const struct entry peer_nothing = {.home = {{0xff}}};

static uint32_t hash_ipv4(const void *key, uint32_t len, uint32_t init)
{
    (void)len, (void)init;
    uint32_t word;
    memcpy(&word, key, sizeof(word));
    return crc32c_4(word);
}

static uint32_t hash_ipv6(const void *key, uint32_t len, uint32_t init)
{
    (void)len, (void)init;
    uint64_t half[2];
    memcpy(half, key, sizeof(half));
    return crc32c_16(half);
}

/* rte_hash would call memcmp for keys of this length; for those of 16 bytes it has a comparison as good. */
static int compare_ipv4(const void *a, const void *b, size_t len)
{
    (void)len;
    uint32_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x != y;
}

static struct rte_hash *create_hash(enum family family, uint32_t keys, int socket)
{
    struct rte_hash_parameters parameters = {
        .name = family == FAMILY_IPV4 ? "peer_ipv4" : "peer_ipv6",
        .entries = keys < 64 ? 64 : keys,
        .key_len = family == FAMILY_IPV4 ? 4 : 16,
        .hash_func = family == FAMILY_IPV4 ? hash_ipv4 : hash_ipv6,
        .socket_id = socket,
        /* The extendable buckets make it hold as many keys as it is made for, whatever their hashes. */
        .extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
    };
    struct rte_hash *hash = rte_hash_create(&parameters);
    if (hash != NULL && family == FAMILY_IPV4)
        rte_hash_set_cmp_func(hash, compare_ipv4);
    return hash;
}

static const void *key_of(enum family family, const struct addr *address)
{
    return family == FAMILY_IPV4 ? &address->b[12] : address->b;
}

static int fill(struct peer *p, const struct entry *entries, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        int ret = rte_hash_add_key_data(p->hash, key_of(p->family, &entries[i].home),
                                        (void *)(uintptr_t)&entries[i]);
        if (ret != 0)
            return ret;
    }
    return 0;
}

struct peer *peer_create(enum family family, const struct entry *entries, uint32_t n, int socket)
{
    size_t before = heap_in_use();
    struct peer *p = rte_zmalloc_socket("peer", sizeof(*p), RTE_CACHE_LINE_SIZE, socket);
    if (p == NULL) {
        rte_errno = ENOMEM;
        return NULL;
    }
    p->family = family;
    p->hash = create_hash(family, n, socket);
    int error = p->hash == NULL ? rte_errno : -fill(p, entries, n);
    if (error != 0) {
        peer_destroy(p);
        rte_errno = error;
        return NULL;
    }
    p->memory = heap_in_use() - before;
    return p;
}

void peer_destroy(struct peer *p)
{
    if (p == NULL)
        return;
    rte_hash_free(p->hash);
    rte_free(p);
}

size_t peer_memory(const struct peer *p)
{
    return p->memory;
}

void peer_choose(const struct peer *p)
{
    chosen = p;
}

/* ---- Readers ---- */

static uint64_t ask(const struct peer *p, const void **keys, hash_sig_t *hashes, unsigned n, void **data)
{
    uint64_t hits = 0;
    rte_hash_lookup_with_hash_bulk_data(p->hash, keys, hashes, n, &hits, data);
    for (unsigned i = 0; i < n; i++)
        if ((hits >> i & 1) != 0)
            rte_prefetch0(data[i]);
    return hits;
}

/* The hash read the key and the data one after the other; only the entry itself proves that they belong
 * together. */
static uint64_t prove(const struct addr *keys, unsigned n, uint64_t hits, void *const *data,
                      const struct entry **found)
{
    for (unsigned i = 0; i < n; i++) {
        const struct entry *e = (hits >> i & 1) != 0 ? data[i] : NULL;
        bool proven = e != NULL && cuckoo_proves(e, &keys[i]);
        found[i] = proven ? e : NULL;
        hits &= ~((uint64_t)!proven << i);
    }
    return hits;
}

static inline __attribute__((always_inline)) uint64_t look_up(enum family family, const struct addr *keys,
                                                              unsigned n, const struct entry **found)
{
    const void *key_at[RTE_HASH_LOOKUP_BULK_MAX];
    hash_sig_t hashes[RTE_HASH_LOOKUP_BULK_MAX];
    void *data[RTE_HASH_LOOKUP_BULK_MAX];
    for (unsigned i = 0; i < n; i++) {
        key_at[i] = key_of(family, &keys[i]);
        hashes[i] = family == FAMILY_IPV4 ? hash_ipv4(key_at[i], 4, 0) : hash_ipv6(key_at[i], 16, 0);
    }
    return prove(keys, n, ask(chosen, key_at, hashes, n, data), data, found);
}

uint64_t peer_lookup_burst(const struct addr *keys, const uint32_t *tags, unsigned n,
                           const struct entry **found)
{
    (void)tags;
    return chosen->family == FAMILY_IPV4 ? look_up(FAMILY_IPV4, keys, n, found)
                                         : look_up(FAMILY_IPV6, keys, n, found);
}

void peer_search(const struct cuckoo *cuckoo, const uint32_t *tags, const struct cuckoo_pair *pairs,
                 unsigned n, const struct entry **found)
{
    const void *key_at[RTE_HASH_LOOKUP_BULK_MAX];
    hash_sig_t hashes[RTE_HASH_LOOKUP_BULK_MAX];
    void *data[RTE_HASH_LOOKUP_BULK_MAX];
    (void)cuckoo;
    for (unsigned i = 0; i < n; i++) {
        key_at[i] = &tags[i];
        hashes[i] = (hash_sig_t)(uintptr_t)pairs[i].at[0];
    }
    uint64_t hits = ask(chosen, key_at, hashes, n, data);
    for (unsigned i = 0; i < n; i++)
        found[i] = (hits >> i & 1) != 0 ? data[i] : &peer_nothing;
}
