/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The binding table over rte_hash. Its data pointer leads to the entry in one array of cache lines.
 *
 * What a change takes out of use, an entry always and on removal the key's place in the hash and its slot as
 * well, waits in one queue with an RCU token until every reader has passed a quiescent state. Array, slots
 * and hash have room for all entries in use and a full queue, so nothing is taken back early.
 */
#include "table.h"

#include <errno.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>

enum {
    RETIRED_MIN = 256,
    RETIRED_MAX = 65536,
    NAME_MAX_LEN = 20, /* rte_hash makes the names of its rings of it, and cuts them silently */
    NO_POSITION = -1,
    MORE_PART = 8,         /* one in so many addresses has a second care-of address, or one has many */
    MORE_INDICES = 1 << 24 /* struct entry has 24 bits for one */
};

struct retired {
    uint64_t token;
    uint32_t entry;
    int32_t position; /* of the removed key in the hash; NO_POSITION: the entry was replaced, its key stays */
};

struct table {
    struct rte_hash *hash;
    struct entry *entries;
    struct rte_rcu_qsbr *qsbr;
    size_t memory;
    uint32_t capacity;
    uint32_t room;     /* capacity + retired_max: first entries, slots, and keys in the hash */
    uint32_t more_max; /* entries behind a first one */
    uint32_t count;
    uint32_t slots_used; /* read by the workers */

    /* The writer's. */
    uint32_t *free_entries; /* stacks */
    uint32_t *free_slots;
    uint32_t n_free_entries, n_free_slots;
    uint32_t n_more; /* in use or retired */
    const struct entry **by_slot;
    struct retired *retired; /* a ring */
    uint32_t retired_max, n_retired, retired_head;
};

static uint32_t key_hash(const void *key, uint32_t len, uint32_t init)
{
    (void)len;
    uint32_t word;
    memcpy(&word, key, sizeof(word));
    return rte_hash_crc_4byte(word, init);
}

/* rte_hash would call memcmp for keys of this length. */
static int key_compare(const void *a, const void *b, size_t len)
{
    (void)len;
    uint32_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x != y;
}

static bool key_of(const struct addr *address, uint32_t *key)
{
    if (!addr_is_ipv4(address))
        return false;
    memcpy(key, &address->b[12], sizeof(*key));
    return true;
}

/* All that DPDK's heaps have given out, so that the table's part of it can be told. */
static size_t heap_in_use(void)
{
    size_t sum = 0;
    for (unsigned i = 0; i < rte_socket_count(); i++) {
        struct rte_malloc_socket_stats stats;
        if (rte_malloc_get_socket_stats(rte_socket_id_by_idx(i), &stats) == 0)
            sum += stats.heap_allocsz_bytes;
    }
    return sum;
}

static struct rte_hash *create_hash(const char *name, uint32_t keys, int socket)
{
    /* The extendable buckets make it hold as many keys as it is made for, whatever their hashes. */
    struct rte_hash_parameters parameters = {
        .name = name,
        .entries = keys,
        .key_len = sizeof(uint32_t),
        .hash_func = key_hash,
        .socket_id = socket,
        .extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
    };
    struct rte_hash *hash = rte_hash_create(&parameters);
    if (hash != NULL)
        rte_hash_set_cmp_func(hash, key_compare);
    return hash;
}

static struct rte_rcu_qsbr *create_qsbr(unsigned readers, int socket)
{
    struct rte_rcu_qsbr *qsbr =
        rte_zmalloc_socket("table qsbr", rte_rcu_qsbr_get_memsize(readers), RTE_CACHE_LINE_SIZE, socket);
    if (qsbr != NULL)
        rte_rcu_qsbr_init(qsbr, readers);
    return qsbr;
}

static bool allocate(struct table *t, const char *name, unsigned readers, int socket)
{
    t->hash = create_hash(name, t->room, socket);
    t->qsbr = create_qsbr(readers, socket);
    size_t entries = (size_t)t->room + t->more_max;
    t->entries =
        rte_malloc_socket("table entries", entries * sizeof(*t->entries), RTE_CACHE_LINE_SIZE, socket);
    t->free_entries = rte_malloc_socket("table free", entries * sizeof(*t->free_entries), 0, socket);
    t->free_slots = rte_malloc_socket("table slots", t->room * sizeof(*t->free_slots), 0, socket);
    t->by_slot = rte_zmalloc_socket("table by slot", t->room * sizeof(*t->by_slot), 0, socket);
    t->retired = rte_malloc_socket("table retired", t->retired_max * sizeof(*t->retired), 0, socket);
    return t->hash != NULL && t->qsbr != NULL && t->entries != NULL && t->free_entries != NULL &&
           t->free_slots != NULL && t->by_slot != NULL && t->retired != NULL;
}

/* A home address may have all the care-of addresses there can be, however small the table. A table too large
 * for the indices has none. */
static uint32_t more_of(const struct table *t)
{
    uint32_t more = RTE_MAX(t->capacity / MORE_PART, (uint32_t)ENTRY_SET_MAX * 2);
    return t->room + more <= MORE_INDICES ? more : 0;
}

/* Stacks that give out the lowest numbers first. */
static void fill_stacks(struct table *t)
{
    t->n_free_slots = t->room;
    t->n_free_entries = t->room + t->more_max;
    for (uint32_t i = 0; i < t->n_free_slots; i++)
        t->free_slots[i] = t->n_free_slots - 1 - i;
    for (uint32_t i = 0; i < t->n_free_entries; i++)
        t->free_entries[i] = t->n_free_entries - 1 - i;
}

struct table *table_create(const char *name, uint32_t capacity, unsigned readers, int socket)
{
    if (capacity == 0 || readers == 0 || capacity > RTE_HASH_ENTRIES_MAX - RETIRED_MAX) {
        rte_errno = EINVAL;
        return NULL;
    }
    if (strlen(name) > NAME_MAX_LEN) {
        rte_errno = ENAMETOOLONG;
        return NULL;
    }
    size_t before = heap_in_use();
    struct table *t = rte_zmalloc_socket("table", sizeof(*t), RTE_CACHE_LINE_SIZE, socket);
    if (t == NULL) {
        rte_errno = ENOMEM;
        return NULL;
    }
    t->capacity = capacity;
    t->retired_max = RTE_MIN((uint32_t)RETIRED_MAX, RTE_MAX((uint32_t)RETIRED_MIN, capacity / 16));
    t->room = capacity + t->retired_max;
    t->more_max = more_of(t);
    rte_errno = 0;
    if (!allocate(t, name, readers, socket)) {
        int error = rte_errno != 0 ? rte_errno : ENOMEM;
        table_destroy(t);
        rte_errno = error;
        return NULL;
    }
    fill_stacks(t);
    t->memory = heap_in_use() - before;
    return t;
}

void table_destroy(struct table *t)
{
    if (t == NULL)
        return;
    rte_hash_free(t->hash);
    rte_free(t->qsbr);
    rte_free(t->entries);
    rte_free(t->free_entries);
    rte_free(t->free_slots);
    rte_free(t->by_slot);
    rte_free(t->retired);
    rte_free(t);
}

static struct entry *find(const struct table *t, uint32_t key)
{
    void *data;
    return rte_hash_lookup_with_hash_data(t->hash, &key, key_hash(&key, sizeof(key), 0), &data) >= 0 ? data
                                                                                                     : NULL;
}

static void retire(struct table *t, const struct entry *e, int32_t position)
{
    uint32_t tail = (t->retired_head + t->n_retired++) % t->retired_max;
    t->retired[tail] = (struct retired){
        .token = rte_rcu_qsbr_start(t->qsbr),
        .entry = (uint32_t)(e - t->entries),
        .position = position,
    };
}

/* The set is linked from its end, in entries that are still free: nobody sees them before the first one is
 * published. Returns the first. */
static struct entry *write_set(const struct table *t, const struct entry *set, unsigned n, uint32_t key,
                               uint32_t slot)
{
    uint16_t mtu = set[0].mtu;
    for (unsigned i = 1; i < n; i++)
        mtu = RTE_MIN(mtu, set[i].mtu);
    for (unsigned i = n; i-- > 0;) {
        const uint32_t *at = &t->free_entries[t->n_free_entries - 1 - i];
        struct entry *e = &t->entries[*at];
        *e = set[i];
        e->home = key;
        e->slot = slot;
        e->mtu = mtu;
        e->flags &= (uint8_t)~ENTRY_MORE;
        if (i + 1 == n)
            continue;
        e->flags |= ENTRY_MORE;
        e->more = at[-1] & (MORE_INDICES - 1);
    }
    return &t->entries[t->free_entries[t->n_free_entries - 1]];
}

static bool has_room(const struct table *t, const struct entry *old, unsigned n)
{
    if (t->n_more + n - 1 > t->more_max)
        return false;
    return old == NULL ? t->count < t->capacity : t->n_retired < t->retired_max;
}

static void take_slot(struct table *t, uint32_t slot)
{
    t->n_free_slots--;
    t->count++;
    if (slot >= t->slots_used)
        __atomic_store_n(&t->slots_used, slot + 1, __ATOMIC_RELAXED);
}

int table_install_set(struct table *t, const struct addr *address, const struct entry *entries, unsigned n)
{
    uint32_t key;
    if (n == 0 || n > ENTRY_SET_MAX)
        return -EINVAL;
    if (!key_of(address, &key))
        return -EAFNOSUPPORT;
    const struct entry *old = find(t, key);
    if (!has_room(t, old, n))
        return -ENOSPC;

    uint32_t slot = old != NULL ? old->slot : t->free_slots[t->n_free_slots - 1];
    struct entry *e = write_set(t, entries, n, key, slot);
    /* Stores the data pointer with release: a reader sees the old entries or all of the new ones. */
    if (rte_hash_add_key_with_hash_data(t->hash, &key, key_hash(&key, sizeof(key), 0), e) != 0)
        return -ENOSPC;

    t->n_free_entries -= n;
    t->n_more += n - 1;
    t->by_slot[slot] = e;
    if (old != NULL)
        retire(t, old, NO_POSITION);
    else
        take_slot(t, slot);
    return 0;
}

int table_remove(struct table *t, const struct addr *address)
{
    uint32_t key;
    const struct entry *old = key_of(address, &key) ? find(t, key) : NULL;
    if (old == NULL)
        return -ENOENT;
    if (t->n_retired == t->retired_max)
        return -ENOSPC;
    int32_t position = rte_hash_del_key_with_hash(t->hash, &key, key_hash(&key, sizeof(key), 0));
    t->by_slot[old->slot] = NULL;
    t->count--;
    retire(t, old, position);
    return 0;
}

const struct entry *table_get(const struct table *t, const struct addr *address)
{
    uint32_t key;
    return key_of(address, &key) ? find(t, key) : NULL;
}

const struct entry *table_by_slot(const struct table *t, uint32_t slot)
{
    return slot < t->room ? t->by_slot[slot] : NULL;
}

const struct entry *table_more(const struct table *t, const struct entry *entry)
{
    return &t->entries[entry->more];
}

/* An entry is retired with those behind it. */
static void free_set(struct table *t, uint32_t first)
{
    const struct entry *e = &t->entries[first];
    for (; (e->flags & ENTRY_MORE) != 0; e = table_more(t, e)) {
        t->free_entries[t->n_free_entries++] = e->more;
        t->n_more--;
    }
    t->free_entries[t->n_free_entries++] = first;
}

size_t table_reclaim(struct table *t, size_t budget)
{
    for (; budget > 0 && t->n_retired > 0; budget--) {
        const struct retired *r = &t->retired[t->retired_head];
        if (rte_rcu_qsbr_check(t->qsbr, r->token, false) == 0)
            break;
        if (r->position != NO_POSITION) {
            rte_hash_free_key_with_position(t->hash, r->position);
            t->free_slots[t->n_free_slots++] = t->entries[r->entry].slot;
        }
        free_set(t, r->entry);
        t->retired_head = (t->retired_head + 1) % t->retired_max;
        t->n_retired--;
    }
    return t->n_retired;
}

/* By slots, since a change moves an address to another entry but not to another slot. */
bool table_next(const struct table *t, uint32_t *cursor, const struct entry **entry)
{
    while (*cursor < t->room) {
        *entry = t->by_slot[(*cursor)++];
        if (*entry != NULL)
            return true;
    }
    return false;
}

uint32_t table_count(const struct table *t)
{
    return t->count;
}

uint32_t table_capacity(const struct table *t)
{
    return t->capacity;
}

uint32_t table_slots(const struct table *t)
{
    return t->room;
}

uint32_t table_slots_used(const struct table *t)
{
    return __atomic_load_n(&t->slots_used, __ATOMIC_RELAXED);
}

size_t table_memory(const struct table *t)
{
    return t->memory;
}

struct rte_rcu_qsbr *table_qsbr(const struct table *t)
{
    return t->qsbr;
}

unsigned table_lookup_burst(const struct table *t, const uint32_t *keys, unsigned n,
                            const struct entry **entries)
{
    if (n == 0)
        return 0;
    const void *key_at[RTE_HASH_LOOKUP_BULK_MAX];
    hash_sig_t hash[RTE_HASH_LOOKUP_BULK_MAX];
    void *data[RTE_HASH_LOOKUP_BULK_MAX];
    for (unsigned i = 0; i < n; i++) {
        key_at[i] = &keys[i];
        hash[i] = rte_hash_crc_4byte(keys[i], 0);
    }
    uint64_t hits = 0;
    rte_hash_lookup_with_hash_bulk_data(t->hash, key_at, hash, n, &hits, data);

    for (unsigned i = 0; i < n; i++)
        if ((hits >> i & 1) != 0)
            rte_prefetch0(data[i]);
    unsigned found = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct entry *e = (hits >> i & 1) != 0 ? data[i] : NULL;
        /* The hash read the key and the data one after the other; only the entry itself proves that they
         * belong together. */
        entries[i] = e != NULL && e->home == keys[i] ? e : NULL;
        found += entries[i] != NULL;
    }
    return found;
}
