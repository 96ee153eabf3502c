/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From an address to the number of its entry: a bucketed cuckoo hash, made for reading whole bursts and to
 * stay in the cache. A bucket is half a cache line of eight places. A place is one word: the number of an
 * entry, in as many bits as the highest needs, and in those that are left a mark, which is a part of the
 * address' hash. So a place tells most other addresses from its own, and the entry itself proves the hit, on
 * a line that the reader needs anyway. An address may stand in two buckets; both follow from it alone.
 *
 * What is hashed is a tag: an IPv4 address is its own, an IPv6 address has its CRC.
 *
 * One writer, which displaces addresses to make room; any number of readers without locks. A reader never
 * misses an address that is there throughout its search, also while it is displaced, and never takes
 * another's entry: the argument is at the top of cuckoo.c. That an entry is not used again while a reader may
 * hold its number is the table's to see to.
 */
#ifndef FWD_CUCKOO_H
#define FWD_CUCKOO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_prefetch.h>

#include "crc32c.h"
#include "entry.h"

enum {
    CUCKOO_PLACES = 8,  /* of a bucket */
    CUCKOO_BURST = 64,  /* most keys of one lookup */
    CUCKOO_NO_ENTRY = 0 /* the number that no entry in use has: that of an empty place, which is all zero */
};

/* How buckets are searched. */
enum cuckoo_body { CUCKOO_SCALAR, CUCKOO_AVX2 };

struct cuckoo_bucket {
    uint32_t place[CUCKOO_PLACES]; /* mark above, number below */
} __rte_aligned(32);
static_assert(RTE_CACHE_LINE_MIN_SIZE % sizeof(struct cuckoo_bucket) == 0,
              "none lies across two cache lines");

/* The two buckets in which a tag's number may stand. */
struct cuckoo_pair {
    const struct cuckoo_bucket *at[2];
};

struct cuckoo;
typedef void cuckoo_locate_burst(const struct cuckoo *cuckoo, const uint32_t *tags, unsigned n,
                                 struct cuckoo_pair *pairs);
typedef void cuckoo_search_burst(const struct cuckoo *cuckoo, const uint32_t *tags,
                                 const struct cuckoo_pair *pairs, unsigned n, const struct entry **found);

struct cuckoo {
    struct cuckoo_bucket *buckets;
    const struct entry *entries;
    cuckoo_locate_burst *locate; /* these two are the body's */
    cuckoo_search_burst *search;
    uint32_t n_buckets;
    uint32_t marks; /* the bits of a place that are its mark */
    enum cuckoo_body body;
    struct cuckoo_node *path;             /* the writer's */
    uint64_t version __rte_cache_aligned; /* raised by the writer with each displacement */
};

/* An IPv4 address in network order. */
static inline uint32_t cuckoo_tag_ipv4(uint32_t address)
{
    return address;
}

static inline uint32_t cuckoo_tag_ipv6(const struct addr *address)
{
    uint64_t half[2];
    memcpy(half, address->b, sizeof(half));
    return crc32c_16(half);
}

uint32_t cuckoo_tag(const struct addr *address);

/* capacity: addresses that must fit. entries: where numbers lead, n_entries of them, the fewer the wider are
 * the marks; number CUCKOO_NO_ENTRY there must have a home that nobody looks up. The best body that this
 * processor has is chosen. NULL: no memory. */
struct cuckoo *cuckoo_create(uint32_t capacity, const struct entry *entries, uint32_t n_entries, int socket);
void cuckoo_destroy(struct cuckoo *cuckoo);
/* 0, -ENOTSUP: this processor has it not. Not while others read. */
int cuckoo_choose(struct cuckoo *cuckoo, enum cuckoo_body body);
enum cuckoo_body cuckoo_body(const struct cuckoo *cuckoo);
const char *cuckoo_body_text(enum cuckoo_body body);
/* Places of all buckets together. */
uint32_t cuckoo_places(const struct cuckoo *cuckoo);

/* ---- The writer ---- */
/* The number of the entry of address; CUCKOO_NO_ENTRY: it is not there. */
uint32_t cuckoo_find(const struct cuckoo *cuckoo, const struct addr *address);
/* Puts an address in that is not there yet; the entry is whole, its home is the address, and both stay so as
 * long as it is in. 0, -ENOSPC: no room could be made, nothing changed. */
int cuckoo_insert(struct cuckoo *cuckoo, uint32_t entry);
/* The address of both is there under the number `before`, and now under `after`. */
void cuckoo_replace(struct cuckoo *cuckoo, uint32_t before, uint32_t after);
void cuckoo_remove(struct cuckoo *cuckoo, uint32_t entry);
/* Addresses that were moved to make room, ever. */
uint64_t cuckoo_displaced(const struct cuckoo *cuckoo);

/* ---- Readers ---- */
/*
 * A lookup takes steps, so that there is something else to do while memory answers: cuckoo_locate for all
 * keys, cuckoo_fetch for each; cuckoo_version, and cuckoo_search for all; a prefetch of each entry that was
 * found, and cuckoo_prove.
 */

/* Before the first bucket is read. */
static inline uint64_t cuckoo_version(const struct cuckoo *cuckoo)
{
    return __atomic_load_n(&cuckoo->version, __ATOMIC_ACQUIRE);
}

/* Addresses are no random numbers but counted up, strided, or differ in a few bits. A product's upper bits
 * depend on all bits of a tag; brought into the lower ones they are in both hashes, of which each chooses by
 * its own upper bits. No two tags have the same. In a few operations of 32 bits, which vectors have, too. */
enum { CUCKOO_MIX_SHIFT = 16 };
#define CUCKOO_MIX    UINT32_C(0x9e3779b1)
#define CUCKOO_FIRST  UINT32_C(0xc2b2ae35)
#define CUCKOO_SECOND UINT32_C(0x85ebca6b)

static inline uint32_t cuckoo_mix(uint32_t tag)
{
    const uint32_t product = tag * CUCKOO_MIX;
    return product ^ product >> CUCKOO_MIX_SHIFT;
}

static inline uint32_t cuckoo_first_bucket(const struct cuckoo *cuckoo, uint32_t mixed)
{
    return (uint32_t)((uint64_t)(mixed * CUCKOO_FIRST) * cuckoo->n_buckets >> 32);
}

static inline uint32_t cuckoo_second_bucket(const struct cuckoo *cuckoo, uint32_t mixed)
{
    return (uint32_t)((uint64_t)(mixed * CUCKOO_SECOND) * cuckoo->n_buckets >> 32);
}

static inline struct cuckoo_pair cuckoo_pair_of(const struct cuckoo *cuckoo, uint32_t tag)
{
    const uint32_t mixed = cuckoo_mix(tag);
    return (struct cuckoo_pair){{&cuckoo->buckets[cuckoo_first_bucket(cuckoo, mixed)],
                                 &cuckoo->buckets[cuckoo_second_bucket(cuckoo, mixed)]}};
}

/* What a place says of its address. Bits that hardly depend on those that choose the buckets. */
static inline uint32_t cuckoo_mark(const struct cuckoo *cuckoo, uint32_t mixed)
{
    return mixed & cuckoo->marks;
}

/* pairs[i] becomes where to look for tags[i]. */
static inline void cuckoo_locate(const struct cuckoo *cuckoo, const uint32_t *tags, unsigned n,
                                 struct cuckoo_pair *pairs)
{
    cuckoo->locate(cuckoo, tags, n, pairs);
}

/* Both buckets are on their way into the cache. */
static inline void cuckoo_fetch(const struct cuckoo_pair *pair)
{
    rte_prefetch0(pair->at[0]);
    rte_prefetch0(pair->at[1]);
}

/* found[i] becomes an entry that tags[i] leads to, not yet proved to be the key's, or entry CUCKOO_NO_ENTRY.
 * Neither is read. */
static inline void cuckoo_search(const struct cuckoo *cuckoo, const uint32_t *tags,
                                 const struct cuckoo_pair *pairs, unsigned n, const struct entry **found)
{
    cuckoo->search(cuckoo, tags, pairs, n, found);
}

/* Was an address displaced? For the version is read after all that was searched. */
static inline bool cuckoo_is_displaced_since(const struct cuckoo *cuckoo, uint64_t version)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&cuckoo->version, __ATOMIC_RELAXED) != version;
}

/* Nothing bears the tag's mark, for certain. version: from before the search. */
static inline bool cuckoo_is_miss(const struct cuckoo *cuckoo, const struct entry *found, uint64_t version)
{
    return found == &cuckoo->entries[CUCKOO_NO_ENTRY] && !cuckoo_is_displaced_since(cuckoo, version);
}

static inline bool cuckoo_proves(const struct entry *entry, const struct addr *key)
{
    uint64_t home[2], wanted[2];
    memcpy(home, entry->home.b, sizeof(home));
    memcpy(wanted, key->b, sizeof(wanted));
    return ((home[0] ^ wanted[0]) | (home[1] ^ wanted[1])) == 0;
}

/* For an entry that is not the key's: NULL unless the writer may have disturbed the search, which then is
 * made once more. */
const struct entry *cuckoo_search_again(const struct cuckoo *cuckoo, const struct entry *found, uint32_t tag,
                                        const struct addr *key, uint64_t version);

/* The entry of key; NULL: there is none. version: from before the search. */
static inline const struct entry *cuckoo_prove(const struct cuckoo *cuckoo, const struct entry *found,
                                               uint32_t tag, const struct addr *key, uint64_t version)
{
    return likely(cuckoo_proves(found, key)) ? found : cuckoo_search_again(cuckoo, found, tag, key, version);
}

/* All steps at once. keys: n addresses, 1 to CUCKOO_BURST, tags: theirs. found[i] becomes the entry, NULL on
 * a miss. Returns a bit for each hit, the lowest for the first. */
uint64_t cuckoo_lookup_burst(const struct cuckoo *cuckoo, const struct addr *keys, const uint32_t *tags,
                             unsigned n, const struct entry **found);

#endif
