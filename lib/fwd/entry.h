/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is done with the packets for one address: one cache line that holds all that encapsulation needs, and
 * the address itself, which proves a lookup's answer. Immutable once it is in the table.
 *
 * Addresses and the outer header are bytes as on the wire.
 */
#ifndef FWD_ENTRY_H
#define FWD_ENTRY_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

enum entry_kind {
    ENTRY_NONE,    /* of no address in the table */
    ENTRY_TUNNEL,  /* encapsulate, to adjacency */
    ENTRY_ON_LINK, /* to adjacency as it is */
    ENTRY_LOCAL    /* the appliance's own address, or a broadcast address of its links */
};

enum entry_flag {
    ENTRY_UNREACHABLE = 0x01, /* soft state: forward, and let control tell the sender (RFC 2003 section 5) */
    ENTRY_BROADCAST = 0x02,   /* LOCAL: a subnet broadcast address */
    ENTRY_MORE = 0x04,        /* TUNNEL: a copy goes to each entry behind this one, too; the table sets it */
    ENTRY_REVERSE = 0x08,     /* TUNNEL: its far end may send by it, too (RFC 3024) */
    ENTRY_HOME_TESTS = 0x10   /* TUNNEL: home tests go by ESP alone, both ways (RFC 6275 section 10.4.6) */
};

enum {
    ENTRY_OUTER_MAX = 28, /* of IPv4, with what follows it */
    ENTRY_SET_MAX = 8     /* care-of addresses of one home address */
};

struct entry {
    struct addr home;
    union {
        struct {                            /* TUNNEL over IPv4 */
            uint8_t outer[ENTRY_OUTER_MAX]; /* the ready outer header, with DF; TOS, length, identification,
                                               checksum zero */
            uint16_t outer_sum; /* one's complement sum over the IP header in `outer` as it stands here */
            uint16_t id_bucket; /* which identification counter of the worker serves its destination */
        };
        struct { /* TUNNEL over IPv6: its ends */
            struct addr source, destination;
        };
    };
    uint32_t slot; /* index of its counters, stable while the address stays in the table */
    uint32_t adjacency;
    uint32_t more : 26;   /* ENTRY_MORE: the table's, table_more follows it */
    uint32_t id_slot : 6; /* TUNNEL: the part of the identifications that is this node's */
    uint16_t mtu;         /* TUNNEL: largest inner packet. ON_LINK: of the link */
    union {
        struct {
            union {
                struct {
                    uint8_t kind : 4;          /* enum entry_kind */
                    uint8_t encapsulation : 4; /* TUNNEL: enum encapsulation */
                };
                uint8_t nature; /* both */
            };
            uint8_t flags; /* enum entry_flag */
        };
        uint16_t character; /* nature and flags */
    };
};
static_assert(sizeof(struct entry) == 64, "an entry is one cache line");

#endif
