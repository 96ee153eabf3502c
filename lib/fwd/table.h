/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The binding table: from a destination address to what is done with its packets. One lookup decides
 * everything: tunnel it, deliver it on the link, or it is for the appliance itself; a miss is the default,
 * drop.
 *
 * A cuckoo hash behind a narrow interface, so that a leaner layout can take its place. One writer (control);
 * lock-free readers (workers), who hold an entry at most until they next report a quiescent state (RCU QSBR).
 * Entries are immutable once published: a change builds a new one, publishes it, and retires the old one.
 */
#ifndef FWD_TABLE_H
#define FWD_TABLE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_rcu_qsbr.h>

#include "addr.h"

enum entry_kind {
    ENTRY_TUNNEL,  /* encapsulate, to adjacency */
    ENTRY_ON_LINK, /* to adjacency as it is */
    ENTRY_LOCAL    /* the appliance's own address, or a broadcast address of its links */
};

enum entry_flag {
    ENTRY_UNREACHABLE = 0x01, /* soft state: forward, and let control tell the sender (RFC 2003 section 5) */
    ENTRY_BROADCAST = 0x02,   /* LOCAL: a subnet broadcast address */
    ENTRY_MORE = 0x04         /* TUNNEL: a copy goes to each entry behind this one, too; the table sets it */
};

enum { ENTRY_OUTER_MAX = 40, ENTRY_SET_MAX = 8 /* care-of addresses of one home address */ };

/* One cache line. Addresses and the outer header are bytes as on the wire. */
struct entry {
    uint8_t outer[ENTRY_OUTER_MAX]; /* TUNNEL: the ready outer header; TOS, length, identification, flags,
                                       checksum zero */
    uint32_t home;                  /* IPv4 key in network order: proves the hit */
    uint32_t slot;                  /* index of its counters, stable while the address stays in the table */
    uint32_t adjacency;
    uint32_t more : 24;         /* ENTRY_MORE: the table's, table_more follows it */
    uint32_t encapsulation : 8; /* TUNNEL */
    uint16_t outer_sum;         /* one's complement sum over the IP header in `outer` as it stands here */
    uint16_t mtu;               /* TUNNEL: largest inner packet. ON_LINK: of the link */
    uint16_t id_bucket : 10; /* which identification counter of the worker serves this tunnel's destination */
    uint16_t id_slot : 6;    /* the part of the identifications that is this node's */
    uint8_t kind;            /* enum entry_kind */
    uint8_t flags;           /* enum entry_flag */
};
static_assert(sizeof(struct entry) == 64, "an entry is one cache line");

struct table;

/* capacity: addresses of all kinds that must fit; an eighth as many further care-of addresses do. readers:
 * highest number of lcores that look up. socket: NUMA node or SOCKET_ID_ANY. name must be unique in the
 * process. NULL with rte_errno. */
struct table *table_create(const char *name, uint32_t capacity, unsigned readers, int socket);
void table_destroy(struct table *table);

/* ---- The writer ---- */
/* Puts copies of n entries, 1 to ENTRY_SET_MAX, under address (home, slot and how they hang together are
 * filled in), replacing what was there in one step. More than one are tunnels: each packet goes to all of
 * them, and the smallest of their mtu becomes that of all. 0, -ENOSPC: full, or too many retired entries
 * still wait for the readers (table_reclaim, and again). On failure nothing changed. */
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
/* Walks all entries: false at the end. *cursor starts at 0; an entry that stays is seen exactly once. */
bool table_next(const struct table *table, uint32_t *cursor, const struct entry **entry);
uint32_t table_count(const struct table *table);
uint32_t table_capacity(const struct table *table);
/* Slots are below this. */
uint32_t table_slots(const struct table *table);
/* Bytes that the table takes, everything in. */
size_t table_memory(const struct table *table);

/* ---- Readers ---- */
/* keys: n IPv4 destinations in network order, n <= 64; entries[i] becomes NULL on a miss. Returns the number
 * of hits. */
unsigned table_lookup_burst(const struct table *table, const uint32_t *keys, unsigned n,
                            const struct entry **entries);
/* The entry behind one that bears ENTRY_MORE. For the writer as well. */
const struct entry *table_more(const struct table *table, const struct entry *entry);
/* No slot from this one on was ever given out. Grows only. */
uint32_t table_slots_used(const struct table *table);
struct rte_rcu_qsbr *table_qsbr(const struct table *table);

#endif
