/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries lie in one array; the cuckoo hash leads to their numbers. What a change takes out of use, an entry
 * always and on removal its slot as well, waits in one queue with an RCU token until every reader has passed
 * a quiescent state. Array and slots have room for all entries in use and a full queue, so nothing is taken
 * back early.
 *
 * What was given back is linked through itself, a free entry by its slot, a free slot by its way back to an
 * entry; what was never given out lies above `used`.
 */
#include "table.h"

#include <errno.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "heap.h"

enum {
    RETIRED_MIN = 256,
    RETIRED_MAX = 65536,
    RETIRED_PART = 64, /* one in so many entries may wait for the readers */
    MORE_PART = 16     /* one in so many addresses has a second care-of address, or one has many */
};
#define SLOT_FREE (UINT32_C(1) << 31)

static_assert((uint64_t)TABLE_CAPACITY_MAX + TABLE_CAPACITY_MAX / MORE_PART + RETIRED_MAX < 1 << 26,
              "entries are numbered in a bit-field of struct entry");

struct retired {
    uint64_t token;
    uint32_t entry;
    bool removed; /* its slot is given back with it; else its address has another entry now */
};

/* Elements of an array that are not in use. */
struct stock {
    uint32_t returned; /* how many were given back */
    uint32_t first;    /* the last of them */
    uint32_t used;     /* from here on none was ever given out; of slots, read by the workers */
};

struct table {
    struct cuckoo *cuckoo;
    struct entry *entries;
    struct rte_rcu_qsbr *qsbr;
    size_t memory;
    uint32_t capacity;
    uint32_t room;     /* capacity and a full queue: slots, and first entries */
    uint32_t more_max; /* entries behind a first one */

    /* The writer's. */
    uint32_t count;
    uint32_t *by_slot; /* the entry's number, CUCKOO_NO_ENTRY, or SLOT_FREE and the next free slot */
    struct stock free_slots, free_entries;
    uint32_t n_more;         /* in use or retired */
    struct retired *retired; /* a ring */
    uint32_t retired_max, n_retired, retired_head;
};

/* ---- The whole ---- */

static struct rte_rcu_qsbr *create_qsbr(unsigned readers, int socket)
{
    struct rte_rcu_qsbr *qsbr =
        rte_zmalloc_socket("table qsbr", rte_rcu_qsbr_get_memsize(readers), RTE_CACHE_LINE_SIZE, socket);
    if (qsbr != NULL)
        rte_rcu_qsbr_init(qsbr, readers);
    return qsbr;
}

/* Besides CUCKOO_NO_ENTRY. */
static uint32_t entries_of(const struct table *t)
{
    return t->room + t->more_max;
}

static bool allocate(struct table *t, unsigned readers, int socket)
{
    size_t entries = (size_t)entries_of(t) + 1;
    t->qsbr = create_qsbr(readers, socket);
    t->entries =
        rte_zmalloc_socket("table entries", entries * sizeof(*t->entries), RTE_CACHE_LINE_SIZE, socket);
    t->by_slot = rte_zmalloc_socket("table by slot", t->room * sizeof(*t->by_slot), 0, socket);
    t->retired = rte_malloc_socket("table retired", t->retired_max * sizeof(*t->retired), 0, socket);
    if (t->entries == NULL)
        return false;
    memset(&t->entries[CUCKOO_NO_ENTRY].home, 0xff, sizeof(struct addr)); /* a group: no packet is for it */
    t->cuckoo = cuckoo_create(t->capacity, t->entries, (uint32_t)entries, socket);
    return t->qsbr != NULL && t->by_slot != NULL && t->retired != NULL && t->cuckoo != NULL;
}

/* A home address may have all the care-of addresses there can be, however small the table. */
static uint32_t more_of(const struct table *t)
{
    return RTE_MAX(t->capacity / MORE_PART, (uint32_t)ENTRY_SET_MAX * 2);
}

static void lay_out(struct table *t, uint32_t capacity)
{
    t->capacity = capacity;
    t->retired_max = RTE_MIN((uint32_t)RETIRED_MAX, RTE_MAX((uint32_t)RETIRED_MIN, capacity / RETIRED_PART));
    t->room = capacity + t->retired_max;
    t->more_max = more_of(t);
    t->free_entries.used = CUCKOO_NO_ENTRY + 1;
}

struct table *table_create(uint32_t capacity, unsigned readers, int socket)
{
    if (capacity == 0 || readers == 0 || capacity > TABLE_CAPACITY_MAX) {
        rte_errno = EINVAL;
        return NULL;
    }
    size_t before = heap_in_use();
    struct table *t = rte_zmalloc_socket("table", sizeof(*t), RTE_CACHE_LINE_SIZE, socket);
    if (t == NULL) {
        rte_errno = ENOMEM;
        return NULL;
    }
    lay_out(t, capacity);
    if (!allocate(t, readers, socket)) {
        table_destroy(t);
        rte_errno = ENOMEM;
        return NULL;
    }
    t->memory = heap_in_use() - before;
    return t;
}

void table_destroy(struct table *t)
{
    if (t == NULL)
        return;
    cuckoo_destroy(t->cuckoo);
    rte_free(t->qsbr);
    rte_free(t->entries);
    rte_free(t->by_slot);
    rte_free(t->retired);
    rte_free(t);
}

/* ---- Numbers ---- */

/* next: what the last one given back is linked to. */
static uint32_t stock_take(struct stock *s, uint32_t next)
{
    uint32_t number = s->first;
    if (s->returned == 0) {
        number = s->used;
        __atomic_store_n(&s->used, number + 1, __ATOMIC_RELAXED);
        return number;
    }
    s->returned--;
    s->first = next;
    return number;
}

/* Returns what to link it to. */
static uint32_t stock_give_back(struct stock *s, uint32_t number)
{
    uint32_t next = s->first;
    s->first = number;
    s->returned++;
    return next;
}

static uint32_t take_entry(struct table *t)
{
    return stock_take(&t->free_entries, t->entries[t->free_entries.first].slot);
}

static void give_entry_back(struct table *t, uint32_t number)
{
    t->entries[number].slot = stock_give_back(&t->free_entries, number);
}

static uint32_t take_slot(struct table *t)
{
    return stock_take(&t->free_slots, t->by_slot[t->free_slots.first] & ~SLOT_FREE);
}

static void give_slot_back(struct table *t, uint32_t slot)
{
    t->by_slot[slot] = stock_give_back(&t->free_slots, slot) | SLOT_FREE;
}

/* An entry goes with those behind it. */
static void give_set_back(struct table *t, uint32_t first)
{
    uint32_t number = first;
    while ((t->entries[number].flags & ENTRY_MORE) != 0) {
        uint32_t next = t->entries[number].more;
        give_entry_back(t, number);
        t->n_more--;
        number = next;
    }
    give_entry_back(t, number);
}

/* ---- The writer ---- */

static void retire(struct table *t, uint32_t number, bool removed)
{
    uint32_t tail = (t->retired_head + t->n_retired++) % t->retired_max;
    t->retired[tail] =
        (struct retired){.token = rte_rcu_qsbr_start(t->qsbr), .entry = number, .removed = removed};
}

static uint16_t smallest_mtu(const struct entry *set, unsigned n)
{
    uint16_t mtu = set[0].mtu;
    for (unsigned i = 1; i < n; i++)
        mtu = RTE_MIN(mtu, set[i].mtu);
    return mtu;
}

/* Nobody sees the set before its first entry is published. Linked from its end; returns the first. */
static uint32_t write_set(struct table *t, const struct addr *address, const struct entry *set, unsigned n,
                          uint32_t slot)
{
    uint32_t behind = CUCKOO_NO_ENTRY;
    for (unsigned i = n; i-- > 0;) {
        uint32_t number = take_entry(t);
        struct entry *e = &t->entries[number];
        *e = set[i];
        e->home = *address;
        e->slot = slot;
        e->mtu = smallest_mtu(set, n);
        e->flags &= (uint8_t)~ENTRY_MORE;
        if (behind != CUCKOO_NO_ENTRY)
            e->flags |= ENTRY_MORE;
        e->more = behind;
        behind = number;
    }
    t->n_more += n - 1;
    return behind;
}

static bool has_room(const struct table *t, bool is_new, unsigned n)
{
    if (t->n_more + n - 1 > t->more_max)
        return false;
    return is_new ? t->count < t->capacity : t->n_retired < t->retired_max;
}

static int install_new(struct table *t, const struct addr *address, const struct entry *entries, unsigned n)
{
    uint32_t slot = take_slot(t), number = write_set(t, address, entries, n, slot);
    if (cuckoo_insert(t->cuckoo, number) != 0) {
        give_set_back(t, number);
        give_slot_back(t, slot);
        return -ENOSPC;
    }
    t->by_slot[slot] = number;
    t->count++;
    return 0;
}

static void install_over(struct table *t, uint32_t old, const struct addr *address,
                         const struct entry *entries, unsigned n)
{
    uint32_t slot = t->entries[old].slot, number = write_set(t, address, entries, n, slot);
    cuckoo_replace(t->cuckoo, old, number);
    t->by_slot[slot] = number;
    retire(t, old, false);
}

int table_install_set(struct table *t, const struct addr *address, const struct entry *entries, unsigned n)
{
    if (n == 0 || n > ENTRY_SET_MAX || addr_is_unspecified(address))
        return -EINVAL;
    uint32_t old = cuckoo_find(t->cuckoo, address);
    if (!has_room(t, old == CUCKOO_NO_ENTRY, n))
        return -ENOSPC;
    if (old == CUCKOO_NO_ENTRY)
        return install_new(t, address, entries, n);
    install_over(t, old, address, entries, n);
    return 0;
}

int table_remove(struct table *t, const struct addr *address)
{
    uint32_t old = cuckoo_find(t->cuckoo, address);
    if (old == CUCKOO_NO_ENTRY)
        return -ENOENT;
    if (t->n_retired == t->retired_max)
        return -ENOSPC;
    cuckoo_remove(t->cuckoo, old);
    t->by_slot[t->entries[old].slot] = CUCKOO_NO_ENTRY;
    t->count--;
    retire(t, old, true);
    return 0;
}

size_t table_reclaim(struct table *t, size_t budget)
{
    for (; budget > 0 && t->n_retired > 0; budget--) {
        const struct retired *r = &t->retired[t->retired_head];
        if (rte_rcu_qsbr_check(t->qsbr, r->token, false) == 0)
            break;
        if (r->removed)
            give_slot_back(t, t->entries[r->entry].slot);
        give_set_back(t, r->entry);
        t->retired_head = (t->retired_head + 1) % t->retired_max;
        t->n_retired--;
    }
    return t->n_retired;
}

bool table_awaits_readers(const struct table *t)
{
    return t->n_retired == t->retired_max;
}

static const struct entry *entry_at(const struct table *t, uint32_t number)
{
    return number != CUCKOO_NO_ENTRY ? &t->entries[number] : NULL;
}

const struct entry *table_get(const struct table *t, const struct addr *address)
{
    return entry_at(t, cuckoo_find(t->cuckoo, address));
}

const struct entry *table_by_slot(const struct table *t, uint32_t slot)
{
    if (slot >= t->free_slots.used || (t->by_slot[slot] & SLOT_FREE) != 0)
        return NULL;
    return entry_at(t, t->by_slot[slot]);
}

/* By slots, since a change moves an address to another entry but not to another slot. */
bool table_next(const struct table *t, uint32_t *cursor, const struct entry **entry)
{
    while (*cursor < t->free_slots.used) {
        *entry = table_by_slot(t, (*cursor)++);
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

size_t table_memory(const struct table *t)
{
    return t->memory;
}

struct cuckoo *table_cuckoo(const struct table *t)
{
    return t->cuckoo;
}

/* ---- Readers ---- */

uint64_t table_lookup_burst(const struct table *t, const struct addr *keys, const uint32_t *tags, unsigned n,
                            const struct entry **entries)
{
    return cuckoo_lookup_burst(t->cuckoo, keys, tags, n, entries);
}

const struct entry *table_more(const struct table *t, const struct entry *entry)
{
    return &t->entries[entry->more];
}

uint32_t table_slots_used(const struct table *t)
{
    return __atomic_load_n(&t->free_slots.used, __ATOMIC_RELAXED);
}

struct rte_rcu_qsbr *table_qsbr(const struct table *t)
{
    return t->qsbr;
}
