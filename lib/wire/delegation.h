/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The delegation protocol on the wire (doc/delegation-protocol.md): what a primary and its secondaries say to
 * each other over UDP. A datagram is a header of 48 bytes, records of a multiple of 8 bytes each, and an
 * authenticator of 16 bytes. Numbers are in network byte order; addresses are 16 bytes, IPv4 mapped.
 *
 * Pure functions without state, callable from any thread. Decoding never fails on what a newer version may
 * have added: it skips what is beyond what it knows.
 */
#ifndef WIRE_DELEGATION_H
#define WIRE_DELEGATION_H

#include "addr.h"
#include "auth.h"
#include "bytes.h"

enum {
    DELEGATION_PORT = 49434,
    DELEGATION_VERSION = 1,
    DELEGATION_MAX = 1400, /* bytes of a datagram at most: it is never fragmented */
    DELEGATION_HEADER = 48,
    DELEGATION_AUTHENTICATOR = 16,
    DELEGATION_NONCE = 16,
    DELEGATION_KEY = 32,
    DELEGATION_SPI_MIN = 256,
    DELEGATION_DURATION_MAX_MS = 3600 * 1000, /* of a START */
    DELEGATION_CARE_OF_MAX = 8,
    DELEGATION_BUCKETS = 1024 /* of the digest */
};

/* X(name, number, console text) */
#define DELEGATION_TYPES(X)              \
    X(HELLO, 1, "hello")                 \
    X(HELLO_ACK, 2, "hello-ack")         \
    X(START, 3, "start")                 \
    X(START_ACK, 4, "start-ack")         \
    X(STOP, 5, "stop")                   \
    X(STOP_ACK, 6, "stop-ack")           \
    X(KEEPALIVE, 7, "keepalive")         \
    X(KEEPALIVE_ACK, 8, "keepalive-ack") \
    X(RATES, 9, "rates")                 \
    X(RATES_ACK, 10, "rates-ack")        \
    X(SYNC_REQ, 11, "sync-req")          \
    X(SYNC_DATA, 12, "sync-data")        \
    X(SYNC_ACK, 13, "sync-ack")          \
    X(EVENT, 14, "event")                \
    X(EVENT_ACK, 15, "event-ack")

enum delegation_type {
#define X(name, number, text) DELEGATION_##name = number,
    DELEGATION_TYPES(X)
#undef X
};

enum delegation_flag {
    DELEGATION_RESPONSE = 0x80,
    DELEGATION_MORE = 0x40, /* more of this bulk follow */
    DELEGATION_LAST = 0x20, /* last of the bulk */
    DELEGATION_URGENT = 0x10
};

struct delegation_header {
    uint8_t type;        /* enum delegation_type, or one that we do not know */
    uint8_t flags;       /* enum delegation_flag */
    uint16_t records;    /* how many, skipped ones too */
    uint32_t spi;        /* names the key */
    uint64_t epoch;      /* of the sender: its boot id */
    uint64_t peer_epoch; /* as the sender knows it; 0 only in HELLO */
    uint64_t sequence;
    uint32_t transaction;
    uint16_t request; /* SYNC_DATA: low 16 bits of the SYNC_REQ's transaction; else 0 */
    uint16_t node;    /* the sender's id */
};

/* X(name, number, bytes of the smallest) */
#define DELEGATION_RECORDS(X) \
    X(START, 1, 88)           \
    X(STOP, 2, 48)            \
    X(ACK, 3, 48)             \
    X(RATE, 4, 56)            \
    X(LOAD, 5, 80)            \
    X(LEASE, 6, 32)           \
    X(HELLO, 7, 64)           \
    X(DIGEST, 8, 8)           \
    X(EVENT, 9, 56)

enum delegation_record_type {
#define X(name, number, bytes) DELEGATION_RECORD_##name = number,
    DELEGATION_RECORDS(X)
#undef X
};
enum delegation_record_size {
#define X(name, number, bytes) DELEGATION_##name##_SIZE = bytes,
    DELEGATION_RECORDS(X)
#undef X
};

enum delegation_start_flag {
    START_ANNOUNCE = 0x80,    /* gratuitous ARP / unsolicited NA */
    START_INTERCEPT = 0x40,   /* answer ARP / ND; off: forward only */
    START_DECAPSULATE = 0x20, /* reverse tunnels */
    START_BROADCASTS = 0x10,
    START_CO_LOCATED = 0x08,
    START_HOME_TESTS = 0x02, /* of IPv6: what is a home test is for the primary, on the home link */
    START_LINK_LOCAL = 0x04  /* of IPv6: the same for the link-local address of home's interface identifier */
};

struct delegation_start {
    uint8_t flags; /* enum delegation_start_flag */
    uint32_t home_link;
    struct addr home;
    struct addr care_of;
    struct addr source; /* addr_unspecified: the secondary's own */
    uint64_t generation;
    uint32_t duration_ms;  /* 0 is illegal, and so is more than DELEGATION_DURATION_MAX_MS */
    uint8_t encapsulation; /* enum encapsulation */
    uint8_t index, count;  /* of the set of care-of addresses */
    uint16_t nat_port;
    uint16_t tunnel_mtu; /* 0: automatic */
    uint32_t gre_key;
    uint64_t cookie; /* opaque to the secondary */
};

enum delegation_reason {
    STOP_BACK_HOME = 1,
    STOP_DEREGISTERED,
    STOP_EXPIRED,
    STOP_MOVED,
    STOP_ADMIN,
    STOP_CONFLICT,
    STOP_GOING_DOWN
};
enum delegation_mode { STOP_DROP, STOP_LINGER, STOP_DELIVER };

struct delegation_stop {
    uint32_t home_link;
    struct addr home;
    uint64_t generation;
    uint8_t reason;     /* enum delegation_reason */
    uint8_t mode;       /* enum delegation_mode */
    uint16_t linger_ds; /* units of 100 ms */
    struct mac mac;     /* STOP_DELIVER: the mobile node's */
};

/* X(name, number, text) */
#define DELEGATION_STATUSES(X)                                    \
    X(OK, 0, "ok")                                                \
    X(OK_ALREADY, 1, "ok already")                                \
    X(OK_ABSENT, 2, "ok absent")                                  \
    X(STALE, 16, "stale")                                         \
    X(NO_RESOURCES, 17, "no resources")                           \
    X(OVERLOADED, 18, "overloaded")                               \
    X(DRAINING, 19, "draining")                                   \
    X(ENCAPSULATION_UNSUPPORTED, 20, "encapsulation unsupported") \
    X(LINK_DOWN, 21, "link down")                                 \
    X(ADDRESS_CONFLICT, 22, "address conflict")                   \
    X(LOOP, 23, "loop")                                           \
    X(SOURCE_NOT_PERMITTED, 24, "source not permitted")           \
    X(PROHIBITED, 25, "prohibited")                               \
    X(BAD_RECORD, 26, "bad record")                               \
    X(WRONG_VERSION, 27, "version")                               \
    X(NOT_ASSOCIATED, 29, "not associated")                       \
    X(FENCED, 30, "fenced")

enum delegation_status {
#define X(name, number, text) STATUS_##name = number,
    DELEGATION_STATUSES(X)
#undef X
};
/* "unknown" beyond. */
const char *delegation_status_text(uint8_t status);
/* NULL beyond. */
const char *delegation_type_text(uint8_t type);

enum delegation_entry_state { HELD_ABSENT, HELD_INSTALLING, HELD_ACTIVE, HELD_FORWARD_ONLY, HELD_TOMBSTONE };

struct delegation_ack {
    uint32_t home_link;
    struct addr home;
    uint64_t asked; /* generation of the request */
    uint64_t held;  /* generation held now; 0: none */
    uint32_t remaining_ms;
    uint8_t status; /* enum delegation_status */
    uint8_t state;  /* enum delegation_entry_state */
    uint16_t index; /* of the record in the request */
};

struct delegation_rate {
    uint32_t home_link;
    struct addr home;
    uint64_t generation;
    uint32_t pps, kbps;
    uint64_t packets, bytes; /* cumulative */
};

enum delegation_load_state { LOAD_STARTING, LOAD_READY, LOAD_DRAINING, LOAD_OVERLOADED, LOAD_SYNCING };

struct delegation_load {
    uint8_t state;             /* enum delegation_load_state */
    uint16_t busiest_permille; /* of the busiest lcore's time */
    uint32_t capacity_pps, rx_pps, tx_pps, drop_pps, tx_kbps;
    uint32_t bindings, max_bindings, tombstones;
    uint32_t unknown_pps; /* packets for home addresses without an entry */
    uint64_t digest;
    uint64_t floor;
    uint32_t uptime_s;
    uint64_t heard; /* highest sequence of a KEEPALIVE of ours whose answer was heard; 0: none */
};

struct delegation_lease {
    uint32_t lease_ms;
    uint64_t floor;
    uint64_t sequence;   /* of the KEEPALIVE answered */
    uint32_t report_ms;  /* interval of RATES */
    uint16_t report_top; /* at most so many bindings in one */
};

enum delegation_hello_role { HELLO_PRIMARY = 1, HELLO_SECONDARY, HELLO_STANDBY };

struct delegation_hello {
    uint8_t role; /* enum delegation_hello_role */
    uint8_t lowest_version, highest_version;
    uint32_t term; /* 24 bits; in HELLO_ACK the highest seen */
    uint32_t capabilities;
    uint8_t nonce[DELEGATION_NONCE];
    uint8_t peer_nonce[DELEGATION_NONCE];
    uint16_t ip_id_slot;
    uint16_t payload_max;
    struct mac mac; /* on the home link */
};

struct delegation_digest {
    uint16_t first, count;
    const uint8_t *values; /* count of 8 bytes each, network order; the datagram's */
};
uint64_t delegation_digest_value(const struct delegation_digest *digest, size_t i);

/* X(name, number, text) */
#define DELEGATION_EVENTS(X)                   \
    X(EXPIRED, 1, "duration over")             \
    X(CONFLICT, 2, "address conflict")         \
    X(TOO_BIG, 3, "packet too big")            \
    X(UNREACHABLE, 4, "tunnel unreachable")    \
    X(LINK_DOWN, 5, "link down")               \
    X(LINK_UP, 6, "link up")                   \
    X(STRAYS, 7, "still receiving after stop") \
    X(TABLE_FULL, 8, "table full")

enum delegation_event_code {
#define X(name, number, text) EVENT_##name = number,
    DELEGATION_EVENTS(X)
#undef X
};

struct delegation_event {
    uint32_t home_link;
    struct addr home;
    uint64_t generation;
    uint16_t code;         /* enum delegation_event_code */
    uint8_t auxiliary[16]; /* MAC, or MTU as u32 in the first 4 */
};

struct delegation_record {
    uint8_t type;   /* enum delegation_record_type; what is not in it is to be answered BAD_RECORD */
    uint16_t index; /* in its datagram, of all records, skipped ones too */
    union {
        struct delegation_start start;
        struct delegation_stop stop;
        struct delegation_ack ack;
        struct delegation_rate rate;
        struct delegation_load load;
        struct delegation_lease lease;
        struct delegation_hello hello;
        struct delegation_digest digest;
        struct delegation_event event;
    };
};

/* ---- Reading ---- */
enum delegation_decoded {
    DELEGATION_DECODED,
    DELEGATION_BAD_LENGTH, /* shorter than header and authenticator, longer than allowed, or what it says of
                              its own or its header's length is wrong */
    DELEGATION_BAD_MAGIC,
    DELEGATION_BAD_VERSION
};

/* Where the records of a datagram are, and how far they have been read. */
struct delegation_records {
    struct reader reader;
    uint16_t index; /* of the next */
    uint16_t count; /* as the header tells */
    bool failed;    /* a record's length is impossible, or there are more or fewer than count */
};

/* The header alone; what it says is not authenticated yet. *records may be read after delegation_verify. */
enum delegation_decoded delegation_decode(const void *bytes, size_t len, struct delegation_header *header,
                                          struct delegation_records *records);
/* In constant time. False also where key->algorithm is not AUTH_HMAC_SHA256. */
bool delegation_verify(const void *bytes, size_t len, const struct auth_key *key, struct auth *auth)
    __attribute__((warn_unused_result));
/* The next record; false at the end, and where the rest is malformed (records->failed): whoever must not act
 * on the first part of such a datagram reads a copy of *records to the end before. Unknown types of 128 and
 * above are skipped; below, they are returned with their type set to 0, and so are known ones that are
 * shorter than known, and a DIGEST of buckets that do not exist. A digest's values point into the datagram.
 */
bool delegation_next(struct delegation_records *records, struct delegation_record *record);

/* ---- Writing: the header's place first, records, then seal ---- */
void delegation_start_encode(struct writer *w, const struct delegation_start *r);
void delegation_stop_encode(struct writer *w, const struct delegation_stop *r);
void delegation_ack_encode(struct writer *w, const struct delegation_ack *r);
void delegation_rate_encode(struct writer *w, const struct delegation_rate *r);
void delegation_load_encode(struct writer *w, const struct delegation_load *r);
void delegation_lease_encode(struct writer *w, const struct delegation_lease *r);
void delegation_hello_encode(struct writer *w, const struct delegation_hello *r);
void delegation_event_encode(struct writer *w, const struct delegation_event *r);
/* values: count of them in host order. */
void delegation_digest_encode(struct writer *w, uint16_t first, uint16_t count, const uint64_t *values);

/* Leaves room for the header at the beginning of w, which is otherwise empty. */
void delegation_begin(struct writer *w);
/* Writes the header into that room, counting the records itself (header->records is not read), and appends
 * the authenticator. False: it did not fit into w or DELEGATION_MAX, what was written are not records, the
 * key is of another algorithm, or libcrypto failed. */
bool delegation_seal(struct writer *w, const struct delegation_header *header, const struct auth_key *key,
                     struct auth *auth) __attribute__((warn_unused_result));

/* ---- Session keys and digests ---- */
struct delegation_end {
    uint16_t id;
    uint64_t epoch;
    uint8_t nonce[DELEGATION_NONCE];
};
/* HMAC-SHA-256(key, "HADP1" | ids | epochs | nonces). False: libcrypto failed. */
bool delegation_session_key(const struct auth_key *key, const struct delegation_end *primary,
                            const struct delegation_end *secondary, struct auth *auth, struct auth_key *out)
    __attribute__((warn_unused_result));
/* Digest of one entry: leftmost 8 bytes of SHA-256(home link | home | its START's generation | care-of
 * addresses by index). */
uint64_t delegation_entry_digest(uint32_t home_link, const struct addr *home, uint64_t generation,
                                 const struct addr *care_of, size_t n_care_of);
/* Top 10 bits of SHA-256(home link | home). */
uint16_t delegation_bucket(uint32_t home_link, const struct addr *home);

/* ---- Generations: term (24 bits) << 40 | counter ---- */
enum { DELEGATION_TERM_SHIFT = 40 };
static inline uint32_t delegation_term(uint64_t generation)
{
    return (uint32_t)(generation >> DELEGATION_TERM_SHIFT);
}
static inline uint64_t delegation_first_generation(uint32_t term)
{
    return (uint64_t)term << DELEGATION_TERM_SHIFT;
}

#endif
