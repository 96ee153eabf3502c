/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The binding table: from a destination address to what is done with its packets. One lookup decides
 * everything: tunnel it, deliver it on the link, or it is for the appliance itself; a miss is the default,
 * drop.
 *
 * A cuckoo hash (cuckoo.h) leads to entries in one array, for both families. One writer (control); lock-free
 * readers (workers), who hold an entry at most until they next report a quiescent state (RCU QSBR). Entries
 * are immutable once published: a change builds a new one, publishes it, and retires the old one.
 */
#ifndef FWD_TABLE_H
#define FWD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_rcu_qsbr.h>

#include "addr.h"
#include "cuckoo.h"
#include "entry.h"

enum { TABLE_CAPACITY_MAX = 1 << 25 };

struct table;

/* capacity: addresses of all kinds that must fit, at most TABLE_CAPACITY_MAX; a sixteenth as many further
 * care-of addresses do. readers: highest number of lcores that look up. socket: NUMA node or SOCKET_ID_ANY.
 * NULL with rte_errno. */
struct table *table_create(uint32_t capacity, unsigned readers, int socket);
void table_destroy(struct table *table);

/* ---- The writer ---- */
/* Puts copies of n entries, 1 to ENTRY_SET_MAX, under address (home, slot and how they hang together are
 * filled in), replacing what was there in one step. More than one are tunnels: each packet goes to all of
 * them, and the smallest of their mtu becomes that of all. 0, -ENOSPC: full, or too many retired entries
 * still wait for the readers (table_reclaim, and again), -EINVAL: no such address, or n. On failure nothing
 * changed. */
int table_install_set(struct table *table, const struct addr *address, const struct entry *entries,
                      unsigned n);
static inline int table_install(struct table *table, const struct addr *address, const struct entry *entry)
{
    return table_install_set(table, address, entry, 1);
}
/* 0, -ENOENT, or -ENOSPC as above. */
int table_remove(struct table *table, const struct addr *address);
/* What is there now; NULL: nothing. Valid until the next change of that address. */
const struct entry *table_get(const struct table *table, const struct addr *address);
/* The entry whose counters a slot's are; NULL: nobody's now. Valid as above. */
const struct entry *table_by_slot(const struct table *table, uint32_t slot);
/* Frees what every reader has let go of; at most budget of them. Call it once a turn. Returns how many still
 * wait. */
size_t table_reclaim(struct table *table, size_t budget);
/* No address that is there can be changed or removed now: all room for retired entries is taken. */
bool table_awaits_readers(const struct table *table);
/* Walks all entries: false at the end. *cursor starts at 0; an entry that stays is seen exactly once. */
bool table_next(const struct table *table, uint32_t *cursor, const struct entry **entry);
uint32_t table_count(const struct table *table);
uint32_t table_capacity(const struct table *table);
/* Slots are below this. */
uint32_t table_slots(const struct table *table);
/* Bytes that the table takes, everything in. */
size_t table_memory(const struct table *table);

/* ---- Readers ---- */
/* The hash, for lookups; and to ask it or to choose its body before anybody reads. */
struct cuckoo *table_cuckoo(const struct table *table);
/* cuckoo_lookup_burst of it. */
uint64_t table_lookup_burst(const struct table *table, const struct addr *keys, const uint32_t *tags,
                            unsigned n, const struct entry **entries);
/* The entry behind one that bears ENTRY_MORE. For the writer as well. */
const struct entry *table_more(const struct table *table, const struct entry *entry);
/* No slot from this one on was ever given out. Grows only. */
uint32_t table_slots_used(const struct table *table);
struct rte_rcu_qsbr *table_qsbr(const struct table *table);

#endif
