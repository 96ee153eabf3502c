/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why readers need no lock. A place is one word, so it is read as it was written. An entry is whole before a
 * place with its number is stored.
 *
 * A found number is only believed when its entry's home is the key (prove). Entries do not change while a
 * reader can hold their numbers, so a reader never takes another's entry, whatever has become of the place
 * meanwhile.
 *
 * To displace an address, the writer copies its place to its other bucket, raises the version, and only then
 * overwrites the place where it was. A reader that finds nothing can have missed an address in one way only:
 * it read the one bucket before the copy and the other after the overwriting. Then it has read the version
 * before the raise and will read it after it, for the version is read before and after the buckets; so it
 * searches again. It also does so after a number that did not prove itself, for two addresses may have one
 * mark. This second search (find) proves every place with the mark, and repeats only if an address was
 * displaced meanwhile: whenever a reader goes round, the writer has got on.
 *
 * A removed address' place is empty at once: another may take it, for entries prove themselves.
 */
#include "cuckoo.h"

#include <errno.h>

#include <rte_malloc.h>

#include "cuckoo_body.h"

enum {
    FILL_PER_MILLE = 940, /* of all places, when it holds what it is made for; displacing works above 980 */
    SPARE_BUCKETS = 4,    /* so that a few addresses never crowd a few buckets */
    PATH_NODES = 4096     /* buckets looked at to make room */
};

/* A bucket from which one of the places can move on, on a way to an empty place. */
struct cuckoo_node {
    uint32_t bucket;
    int16_t from;  /* node before it; -1: the way begins here */
    uint8_t place; /* in that one: what moves here */
};

static_assert(PATH_NODES <= INT16_MAX, "a node's number");

uint32_t cuckoo_tag(const struct addr *address)
{
    uint32_t v4;
    if (!addr_is_ipv4(address))
        return cuckoo_tag_ipv6(address);
    memcpy(&v4, &address->b[12], sizeof(v4));
    return cuckoo_tag_ipv4(v4);
}

/* ---- Readers ---- */

static uint32_t number_in(const struct cuckoo *c, uint32_t place)
{
    return place & ~c->marks;
}

static uint32_t find_in(const struct cuckoo *c, const struct cuckoo_bucket *b, uint32_t mark,
                        const struct addr *key)
{
    for (unsigned p = 0; p < CUCKOO_PLACES; p++) {
        const uint32_t place = __atomic_load_n(&b->place[p], __ATOMIC_ACQUIRE), number = number_in(c, place);
        if (cuckoo_mark(c, place) == mark && cuckoo_proves(&c->entries[number], key))
            return number;
    }
    return CUCKOO_NO_ENTRY;
}

static uint32_t find(const struct cuckoo *c, uint32_t tag, const struct addr *key)
{
    const uint32_t mark = cuckoo_mark(c, cuckoo_mix(tag));
    const struct cuckoo_pair pair = cuckoo_pair_of(c, tag);
    uint64_t version;
    do {
        version = cuckoo_version(c);
        for (unsigned k = 0; k < 2; k++) {
            uint32_t number = find_in(c, pair.at[k], mark, key);
            if (number != CUCKOO_NO_ENTRY)
                return number;
        }
    } while (cuckoo_is_displaced_since(c, version));
    return CUCKOO_NO_ENTRY;
}

uint32_t cuckoo_find(const struct cuckoo *c, const struct addr *address)
{
    return find(c, cuckoo_tag(address), address);
}

const struct entry *cuckoo_search_again(const struct cuckoo *c, const struct entry *found, uint32_t tag,
                                        const struct addr *key, uint64_t version)
{
    if (cuckoo_is_miss(c, found, version))
        return NULL;
    uint32_t number = find(c, tag, key);
    return number != CUCKOO_NO_ENTRY ? &c->entries[number] : NULL;
}

uint64_t cuckoo_lookup_burst(const struct cuckoo *c, const struct addr *keys, const uint32_t *tags,
                             unsigned n, const struct entry **found)
{
    struct cuckoo_pair pairs[CUCKOO_BURST];
    uint64_t hits = 0;
    cuckoo_locate(c, tags, n, pairs);
    for (unsigned i = 0; i < n; i++)
        cuckoo_fetch(&pairs[i]);
    const uint64_t version = cuckoo_version(c);
    cuckoo_search(c, tags, pairs, n, found);
    for (unsigned i = 0; i < n; i++)
        rte_prefetch0(found[i]);
    for (unsigned i = 0; i < n; i++) {
        found[i] = cuckoo_prove(c, found[i], tags[i], &keys[i], version);
        hits |= (uint64_t)(found[i] != NULL) << i;
    }
    return hits;
}

/* ---- The writer ---- */

/* After the entry itself. */
static void put(struct cuckoo_bucket *b, unsigned at, uint32_t place)
{
    __atomic_store_n(&b->place[at], place, __ATOMIC_RELEASE);
}

static uint32_t mixed_of(const struct cuckoo *c, uint32_t number)
{
    return cuckoo_mix(cuckoo_tag(&c->entries[number].home));
}

/* CUCKOO_PLACES: none is. */
static unsigned empty_place(const struct cuckoo *c, const struct cuckoo_bucket *b)
{
    unsigned p = 0;
    while (p < CUCKOO_PLACES && number_in(c, b->place[p]) != CUCKOO_NO_ENTRY)
        p++;
    return p;
}

/* What was at `from` may be overwritten when this returns. */
static void displace(struct cuckoo *c, const struct cuckoo_bucket *from, unsigned at,
                     struct cuckoo_bucket *to, unsigned to_at)
{
    put(to, to_at, from->place[at]);
    __atomic_store_n(&c->version, c->version + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

/* In which an entry's number may stand that stands in `bucket`. */
static uint32_t other_bucket(const struct cuckoo *c, uint32_t number, uint32_t bucket)
{
    const uint32_t mixed = mixed_of(c, number), first = cuckoo_first_bucket(c, mixed);
    return first != bucket ? first : cuckoo_second_bucket(c, mixed);
}

/* Moves what stands in the way, from the empty place backwards. Returns where it has become empty: in the
 * bucket at which the way begins. */
static struct cuckoo_bucket *clear_path(struct cuckoo *c, int last, unsigned empty, unsigned *place)
{
    int at = last;
    for (; c->path[at].from >= 0; at = c->path[at].from) {
        const struct cuckoo_node *node = &c->path[at];
        displace(c, &c->buckets[c->path[node->from].bucket], node->place, &c->buckets[node->bucket], empty);
        empty = node->place;
    }
    *place = empty;
    return &c->buckets[c->path[at].bucket];
}

/* Puts a bucket on the list of those to go on from. True: it has an empty place, and ends the way. */
static bool path_ends(struct cuckoo *c, int at, struct cuckoo_node node, unsigned *empty)
{
    c->path[at] = node;
    *empty = empty_place(c, &c->buckets[node.bucket]);
    return *empty < CUCKOO_PLACES;
}

/* Breadth first, so that the way is a shortest one and no bucket is on it twice. Where one leads on to is
 * read from its entries, each on a line of its own, so no more are read than it takes. NULL: there is none.
 */
static struct cuckoo_bucket *make_room(struct cuckoo *c, uint32_t mixed, unsigned *place)
{
    const struct cuckoo_node first = {.bucket = cuckoo_first_bucket(c, mixed), .from = -1},
                             second = {.bucket = cuckoo_second_bucket(c, mixed), .from = -1};
    unsigned empty;
    int n = 0;
    if (path_ends(c, n++, first, &empty) || path_ends(c, n++, second, &empty))
        return clear_path(c, n - 1, empty, place);
    for (int at = 0; n < PATH_NODES; at++) {
        const uint32_t bucket = c->path[at].bucket;
        for (unsigned p = 0; p < CUCKOO_PLACES && n < PATH_NODES; p++) {
            const uint32_t number = number_in(c, c->buckets[bucket].place[p]);
            const struct cuckoo_node next = {
                .bucket = other_bucket(c, number, bucket), .from = (int16_t)at, .place = (uint8_t)p};
            if (path_ends(c, n++, next, &empty))
                return clear_path(c, n - 1, empty, place);
        }
    }
    return NULL;
}

int cuckoo_insert(struct cuckoo *c, uint32_t entry)
{
    const uint32_t mixed = mixed_of(c, entry);
    unsigned place;
    struct cuckoo_bucket *b = make_room(c, mixed, &place);
    if (b == NULL)
        return -ENOSPC;
    put(b, place, cuckoo_mark(c, mixed) | entry);
    return 0;
}

/* The place of an entry that is there. */
static struct cuckoo_bucket *place_of(const struct cuckoo *c, uint32_t entry, unsigned *place)
{
    struct cuckoo_pair pair = cuckoo_pair_of(c, cuckoo_tag(&c->entries[entry].home));
    for (unsigned i = 0; i < 2 * CUCKOO_PLACES; i++) {
        const struct cuckoo_bucket *b = pair.at[i / CUCKOO_PLACES];
        *place = i % CUCKOO_PLACES;
        if (number_in(c, b->place[*place]) == entry)
            return &c->buckets[b - c->buckets];
    }
    return NULL;
}

void cuckoo_replace(struct cuckoo *c, uint32_t before, uint32_t after)
{
    unsigned place;
    struct cuckoo_bucket *b = place_of(c, before, &place);
    if (b != NULL)
        put(b, place, cuckoo_mark(c, b->place[place]) | after);
}

void cuckoo_remove(struct cuckoo *c, uint32_t entry)
{
    unsigned place;
    struct cuckoo_bucket *b = place_of(c, entry, &place);
    if (b != NULL)
        put(b, place, CUCKOO_NO_ENTRY);
}

uint64_t cuckoo_displaced(const struct cuckoo *c)
{
    return c->version;
}

/* ---- The whole ---- */

int cuckoo_choose(struct cuckoo *c, enum cuckoo_body body)
{
    const struct cuckoo_body_functions *functions = cuckoo_body_functions(body);
    if (functions == NULL)
        return -ENOTSUP;
    c->locate = functions->locate;
    c->search = functions->search;
    c->body = body;
    return 0;
}

enum cuckoo_body cuckoo_body(const struct cuckoo *c)
{
    return c->body;
}

const char *cuckoo_body_text(enum cuckoo_body body)
{
    return body == CUCKOO_AVX2 ? "avx2" : "scalar";
}

uint32_t cuckoo_places(const struct cuckoo *c)
{
    return c->n_buckets * CUCKOO_PLACES;
}

struct cuckoo *cuckoo_create(uint32_t capacity, const struct entry *entries, uint32_t n_entries, int socket)
{
    struct cuckoo *c = rte_zmalloc_socket("cuckoo", sizeof(*c), RTE_CACHE_LINE_SIZE, socket);
    if (c == NULL)
        return NULL;
    c->entries = entries;
    c->marks = ~(rte_align32pow2(n_entries) - 1);
    c->n_buckets = (uint32_t)((uint64_t)capacity * 1000 / (FILL_PER_MILLE * CUCKOO_PLACES)) + SPARE_BUCKETS;
    c->path = rte_malloc_socket("cuckoo path", PATH_NODES * sizeof(*c->path), 0, socket);
    c->buckets = rte_zmalloc_socket("cuckoo buckets", (size_t)c->n_buckets * sizeof(*c->buckets),
                                    RTE_CACHE_LINE_SIZE, socket);
    if (c->buckets == NULL || c->path == NULL) {
        cuckoo_destroy(c);
        return NULL;
    }
    if (cuckoo_choose(c, CUCKOO_AVX2) != 0)
        cuckoo_choose(c, CUCKOO_SCALAR);
    return c;
}

void cuckoo_destroy(struct cuckoo *c)
{
    if (c == NULL)
        return;
    rte_free(c->buckets);
    rte_free(c->path);
    rte_free(c);
}
