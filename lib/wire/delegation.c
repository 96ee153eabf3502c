/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables of doc/delegation-protocol.md, sections Datagram and Records, field by field. SHA-256 comes from
 * libcrypto's low-level interface: deprecated for new designs, but it allocates nothing, cannot fail, and
 * costs a third of EVP_Digest, which matters for the digest of a million entries.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "delegation.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

enum {
    MAGIC = 0x48414450, /* "HADP" */
    WORD = 4,           /* the unit of the header length */
    TLV = 4,
    ALIGNMENT = 8,
    DIGEST_VALUE = 8,
    TYPE_SKIPPABLE = 128, /* from here on an unknown record is skipped */
    FLAGS = DELEGATION_RESPONSE | DELEGATION_MORE | DELEGATION_LAST | DELEGATION_URGENT,
    START_FLAGS = START_ANNOUNCE | START_INTERCEPT | START_DECAPSULATE | START_BROADCASTS | START_CO_LOCATED |
                  START_LINK_LOCAL | START_HOME_TESTS,
    TERM_MASK = 0xffffff,
    SESSION_LABEL = 5, /* "HADP1" without its NUL */
    SESSION_TEXT = SESSION_LABEL + 2 * (2 + 8 + DELEGATION_NONCE),
    BUCKET_BITS = 10
};

/* ---- Names ---- */

const char *delegation_status_text(uint8_t status)
{
    switch (status) {
#define X(name, number, text) \
    case STATUS_##name:       \
        return text;
        DELEGATION_STATUSES(X)
#undef X
    default:
        return "unknown";
    }
}

const char *delegation_type_text(uint8_t type)
{
    switch (type) {
#define X(name, number, text) \
    case DELEGATION_##name:   \
        return text;
        DELEGATION_TYPES(X)
#undef X
    default:
        return NULL;
    }
}

/* ---- Fields ---- */

static void skip(struct reader *r, size_t n)
{
    read_bytes(r, n);
}

static void read_into(struct reader *r, void *out, size_t n)
{
    const uint8_t *p = read_bytes(r, n);
    if (p != NULL)
        memcpy(out, p, n);
}

static struct addr read_addr(struct reader *r)
{
    struct addr a = addr_unspecified;
    read_into(r, a.b, sizeof(a.b));
    return a;
}

static struct mac read_mac(struct reader *r)
{
    struct mac m = {{0}};
    read_into(r, m.b, sizeof(m.b));
    return m;
}

static void write_addr(struct writer *w, const struct addr *a)
{
    write_bytes(w, a->b, sizeof(a->b));
}

static void write_mac(struct writer *w, const struct mac *m)
{
    write_bytes(w, m->b, sizeof(m->b));
}

static void write_reserved(struct writer *w, size_t n)
{
    write_uint(w, 0, n);
}

/* ---- Reading records: the reader holds a whole one, however long ---- */

static bool start_decode(struct reader *r, struct delegation_record *out)
{
    struct delegation_start *s = &out->start;
    skip(r, 1);
    s->flags = read_u8(r) & START_FLAGS;
    skip(r, 2);
    s->home_link = read_u32(r);
    s->home = read_addr(r);
    s->care_of = read_addr(r);
    s->source = read_addr(r);
    s->generation = read_u64(r);
    s->duration_ms = read_u32(r);
    s->encapsulation = read_u8(r);
    s->index = read_u8(r);
    s->count = read_u8(r);
    skip(r, 1);
    s->nat_port = read_u16(r);
    s->tunnel_mtu = read_u16(r);
    s->gre_key = read_u32(r);
    s->cookie = read_u64(r);
    return !r->failed;
}

static bool stop_decode(struct reader *r, struct delegation_record *out)
{
    struct delegation_stop *s = &out->stop;
    skip(r, TLV);
    s->home_link = read_u32(r);
    s->home = read_addr(r);
    s->generation = read_u64(r);
    s->reason = read_u8(r);
    s->mode = read_u8(r);
    s->linger_ds = read_u16(r);
    s->mac = read_mac(r);
    return !r->failed;
}

static bool ack_decode(struct reader *r, struct delegation_record *out)
{
    struct delegation_ack *a = &out->ack;
    skip(r, TLV);
    a->home_link = read_u32(r);
    a->home = read_addr(r);
    a->asked = read_u64(r);
    a->held = read_u64(r);
    a->remaining_ms = read_u32(r);
    a->status = read_u8(r);
    a->state = read_u8(r);
    a->index = read_u16(r);
    return !r->failed;
}

static bool rate_decode(struct reader *r, struct delegation_record *out)
{
    struct delegation_rate *rate = &out->rate;
    skip(r, TLV);
    rate->home_link = read_u32(r);
    rate->home = read_addr(r);
    rate->generation = read_u64(r);
    rate->pps = read_u32(r);
    rate->kbps = read_u32(r);
    rate->packets = read_u64(r);
    rate->bytes = read_u64(r);
    return !r->failed;
}

static bool load_decode(struct reader *r, struct delegation_record *out)
{
    struct delegation_load *l = &out->load;
    skip(r, TLV);
    l->state = read_u8(r);
    skip(r, 1);
    l->busiest_permille = read_u16(r);
    l->capacity_pps = read_u32(r);
    l->rx_pps = read_u32(r);
    l->tx_pps = read_u32(r);
    l->drop_pps = read_u32(r);
    l->tx_kbps = read_u32(r);
    l->bindings = read_u32(r);
    l->max_bindings = read_u32(r);
    l->tombstones = read_u32(r);
    l->unknown_pps = read_u32(r);
    skip(r, 4);
    l->digest = read_u64(r);
    l->floor = read_u64(r);
    l->uptime_s = read_u32(r);
    skip(r, 4);
    l->heard = read_u64(r);
    return !r->failed;
}

static bool lease_decode(struct reader *r, struct delegation_record *out)
{
    struct delegation_lease *l = &out->lease;
    skip(r, TLV);
    l->lease_ms = read_u32(r);
    l->floor = read_u64(r);
    l->sequence = read_u64(r);
    l->report_ms = read_u16(r);
    l->report_top = read_u16(r);
    return !r->failed;
}

static bool hello_decode(struct reader *r, struct delegation_record *out)
{
    struct delegation_hello *h = &out->hello;
    skip(r, TLV);
    h->role = read_u8(r);
    h->lowest_version = read_u8(r);
    h->highest_version = read_u8(r);
    skip(r, 1);
    h->term = read_u32(r) & TERM_MASK;
    h->capabilities = read_u32(r);
    read_into(r, h->nonce, sizeof(h->nonce));
    read_into(r, h->peer_nonce, sizeof(h->peer_nonce));
    h->ip_id_slot = read_u16(r);
    h->payload_max = read_u16(r);
    h->mac = read_mac(r);
    return !r->failed;
}

static bool digest_decode(struct reader *r, struct delegation_record *out)
{
    struct delegation_digest *d = &out->digest;
    skip(r, TLV);
    d->first = read_u16(r);
    d->count = read_u16(r);
    d->values = read_bytes(r, (size_t)d->count * DIGEST_VALUE);
    return !r->failed && d->first + d->count <= DELEGATION_BUCKETS;
}

static bool event_decode(struct reader *r, struct delegation_record *out)
{
    struct delegation_event *e = &out->event;
    skip(r, TLV);
    e->home_link = read_u32(r);
    e->home = read_addr(r);
    e->generation = read_u64(r);
    e->code = read_u16(r);
    skip(r, 6);
    read_into(r, e->auxiliary, sizeof(e->auxiliary));
    return !r->failed;
}

uint64_t delegation_digest_value(const struct delegation_digest *digest, size_t i)
{
    struct reader r = reader_over(digest->values + i * DIGEST_VALUE, DIGEST_VALUE);
    return read_u64(&r);
}

/* False: to be answered BAD_RECORD. */
typedef bool record_decode(struct reader *r, struct delegation_record *out);

/* By type. A record that is shorter than known ends before the last field: what is reserved at its end is
 * less than the multiple of its length. */
static record_decode *const decoders[] = {
    [DELEGATION_RECORD_START] = start_decode, [DELEGATION_RECORD_STOP] = stop_decode,
    [DELEGATION_RECORD_ACK] = ack_decode,     [DELEGATION_RECORD_RATE] = rate_decode,
    [DELEGATION_RECORD_LOAD] = load_decode,   [DELEGATION_RECORD_LEASE] = lease_decode,
    [DELEGATION_RECORD_HELLO] = hello_decode, [DELEGATION_RECORD_DIGEST] = digest_decode,
    [DELEGATION_RECORD_EVENT] = event_decode,
};

enum { DECODERS = sizeof(decoders) / sizeof(decoders[0]) };

/* ---- Reading datagrams ---- */

static size_t header_length(const uint8_t *bytes)
{
    return (size_t)bytes[8] * WORD;
}

/* A longer header of a later version ends where records are still aligned, in front of the authenticator. */
static bool header_fits(size_t header, size_t len)
{
    return header >= DELEGATION_HEADER && header % ALIGNMENT == 0 && header <= len - DELEGATION_AUTHENTICATOR;
}

static bool length_possible(size_t len)
{
    return len >= DELEGATION_HEADER + DELEGATION_AUTHENTICATOR && len <= DELEGATION_MAX;
}

/* The reader stands behind magic and version. */
static uint16_t header_read(struct reader *r, struct delegation_header *header)
{
    header->type = read_u8(r);
    uint16_t total = read_u16(r);
    skip(r, 1); /* header_length */
    header->flags = read_u8(r) & FLAGS;
    header->records = read_u16(r);
    header->spi = read_u32(r);
    header->epoch = read_u64(r);
    header->peer_epoch = read_u64(r);
    header->sequence = read_u64(r);
    header->transaction = read_u32(r);
    header->request = read_u16(r);
    header->node = read_u16(r);
    return total;
}

enum delegation_decoded delegation_decode(const void *bytes, size_t len, struct delegation_header *header,
                                          struct delegation_records *records)
{
    if (!length_possible(len))
        return DELEGATION_BAD_LENGTH;
    struct reader r = reader_over(bytes, DELEGATION_HEADER);
    if (read_u32(&r) != MAGIC)
        return DELEGATION_BAD_MAGIC;
    if (read_u8(&r) != DELEGATION_VERSION)
        return DELEGATION_BAD_VERSION;
    size_t records_at = header_length(bytes);
    if (header_read(&r, header) != len || !header_fits(records_at, len))
        return DELEGATION_BAD_LENGTH;

    *records = (struct delegation_records){.reader = reader_over((const uint8_t *)bytes + records_at,
                                                                 len - DELEGATION_AUTHENTICATOR - records_at),
                                           .count = header->records};
    return DELEGATION_DECODED;
}

bool delegation_verify(const void *bytes, size_t len, const struct auth_key *key, struct auth *auth)
{
    uint8_t right[AUTH_MAX];
    if (!length_possible(len) || key->algorithm != AUTH_HMAC_SHA256)
        return false;
    size_t covered = len - DELEGATION_AUTHENTICATOR;
    if (!auth_sign(auth, key, bytes, covered, right))
        return false;
    return CRYPTO_memcmp(right, (const uint8_t *)bytes + covered, DELEGATION_AUTHENTICATOR) == 0;
}

struct tlv {
    uint8_t type;
    size_t len; /* its own header included */
};

/* False: what is left is not a record. */
static bool tlv_peek(struct reader r, struct tlv *out)
{
    size_t left = reader_left(&r);
    out->type = read_u8(&r);
    skip(&r, 1);
    out->len = read_u16(&r);
    return out->len >= TLV && out->len % ALIGNMENT == 0 && out->len <= left;
}

static void record_read(const struct tlv *tlv, const uint8_t *at, struct delegation_record *out)
{
    struct reader r = reader_over(at, tlv->len);
    bool known = tlv->type < DECODERS && decoders[tlv->type] != NULL;
    if (known && decoders[tlv->type](&r, out))
        out->type = tlv->type;
}

bool delegation_next(struct delegation_records *records, struct delegation_record *record)
{
    struct tlv tlv;
    while (!records->failed && records->index < records->count) {
        if (!tlv_peek(records->reader, &tlv)) {
            records->failed = true;
            return false;
        }
        const uint8_t *at = read_bytes(&records->reader, tlv.len);
        uint16_t index = records->index++;
        if (tlv.type >= TYPE_SKIPPABLE)
            continue;
        memset(record, 0, sizeof(*record));
        record->index = index;
        record_read(&tlv, at, record);
        return true;
    }
    records->failed = records->failed || reader_left(&records->reader) > 0;
    return false;
}

/* ---- Writing records ---- */

static void tlv_write(struct writer *w, uint8_t type, uint8_t flags, size_t len)
{
    write_u8(w, type);
    write_u8(w, flags);
    write_u16(w, (uint16_t)len);
}

void delegation_start_encode(struct writer *w, const struct delegation_start *r)
{
    tlv_write(w, DELEGATION_RECORD_START, r->flags & START_FLAGS, DELEGATION_START_SIZE);
    write_u32(w, r->home_link);
    write_addr(w, &r->home);
    write_addr(w, &r->care_of);
    write_addr(w, &r->source);
    write_u64(w, r->generation);
    write_u32(w, r->duration_ms);
    write_u8(w, r->encapsulation);
    write_u8(w, r->index);
    write_u8(w, r->count);
    write_reserved(w, 1);
    write_u16(w, r->nat_port);
    write_u16(w, r->tunnel_mtu);
    write_u32(w, r->gre_key);
    write_u64(w, r->cookie);
}

void delegation_stop_encode(struct writer *w, const struct delegation_stop *r)
{
    tlv_write(w, DELEGATION_RECORD_STOP, 0, DELEGATION_STOP_SIZE);
    write_u32(w, r->home_link);
    write_addr(w, &r->home);
    write_u64(w, r->generation);
    write_u8(w, r->reason);
    write_u8(w, r->mode);
    write_u16(w, r->linger_ds);
    write_mac(w, &r->mac);
    write_reserved(w, 6);
}

void delegation_ack_encode(struct writer *w, const struct delegation_ack *r)
{
    tlv_write(w, DELEGATION_RECORD_ACK, 0, DELEGATION_ACK_SIZE);
    write_u32(w, r->home_link);
    write_addr(w, &r->home);
    write_u64(w, r->asked);
    write_u64(w, r->held);
    write_u32(w, r->remaining_ms);
    write_u8(w, r->status);
    write_u8(w, r->state);
    write_u16(w, r->index);
}

void delegation_rate_encode(struct writer *w, const struct delegation_rate *r)
{
    tlv_write(w, DELEGATION_RECORD_RATE, 0, DELEGATION_RATE_SIZE);
    write_u32(w, r->home_link);
    write_addr(w, &r->home);
    write_u64(w, r->generation);
    write_u32(w, r->pps);
    write_u32(w, r->kbps);
    write_u64(w, r->packets);
    write_u64(w, r->bytes);
}

void delegation_load_encode(struct writer *w, const struct delegation_load *r)
{
    tlv_write(w, DELEGATION_RECORD_LOAD, 0, DELEGATION_LOAD_SIZE);
    write_u8(w, r->state);
    write_reserved(w, 1);
    write_u16(w, r->busiest_permille);
    write_u32(w, r->capacity_pps);
    write_u32(w, r->rx_pps);
    write_u32(w, r->tx_pps);
    write_u32(w, r->drop_pps);
    write_u32(w, r->tx_kbps);
    write_u32(w, r->bindings);
    write_u32(w, r->max_bindings);
    write_u32(w, r->tombstones);
    write_u32(w, r->unknown_pps);
    write_reserved(w, 4);
    write_u64(w, r->digest);
    write_u64(w, r->floor);
    write_u32(w, r->uptime_s);
    write_reserved(w, 4);
    write_u64(w, r->heard);
}

void delegation_lease_encode(struct writer *w, const struct delegation_lease *r)
{
    tlv_write(w, DELEGATION_RECORD_LEASE, 0, DELEGATION_LEASE_SIZE);
    write_u32(w, r->lease_ms);
    write_u64(w, r->floor);
    write_u64(w, r->sequence);
    write_u16(w, r->report_ms);
    write_u16(w, r->report_top);
    write_reserved(w, 4);
}

void delegation_hello_encode(struct writer *w, const struct delegation_hello *r)
{
    tlv_write(w, DELEGATION_RECORD_HELLO, 0, DELEGATION_HELLO_SIZE);
    write_u8(w, r->role);
    write_u8(w, r->lowest_version);
    write_u8(w, r->highest_version);
    write_reserved(w, 1);
    write_u32(w, r->term & TERM_MASK);
    write_u32(w, r->capabilities);
    write_bytes(w, r->nonce, sizeof(r->nonce));
    write_bytes(w, r->peer_nonce, sizeof(r->peer_nonce));
    write_u16(w, r->ip_id_slot);
    write_u16(w, r->payload_max);
    write_mac(w, &r->mac);
    write_reserved(w, 6);
}

void delegation_digest_encode(struct writer *w, uint16_t first, uint16_t count, const uint64_t *values)
{
    size_t len = DELEGATION_DIGEST_SIZE + (size_t)count * DIGEST_VALUE;
    if (len > DELEGATION_MAX) { /* which its 16 bits of length might not even tell */
        w->failed = true;
        return;
    }
    tlv_write(w, DELEGATION_RECORD_DIGEST, 0, len);
    write_u16(w, first);
    write_u16(w, count);
    for (uint16_t i = 0; i < count; i++)
        write_u64(w, values[i]);
}

void delegation_event_encode(struct writer *w, const struct delegation_event *r)
{
    tlv_write(w, DELEGATION_RECORD_EVENT, 0, DELEGATION_EVENT_SIZE);
    write_u32(w, r->home_link);
    write_addr(w, &r->home);
    write_u64(w, r->generation);
    write_u16(w, r->code);
    write_reserved(w, 6);
    write_bytes(w, r->auxiliary, sizeof(r->auxiliary));
}

/* ---- Writing datagrams ---- */

void delegation_begin(struct writer *w)
{
    write_reserve(w, DELEGATION_HEADER);
}

/* False: what stands behind the header are not records. */
static bool records_count(const struct writer *w, uint16_t *out)
{
    struct reader r = reader_over(w->start + DELEGATION_HEADER, writer_len(w) - DELEGATION_HEADER);
    struct tlv tlv;
    for (*out = 0; reader_left(&r) > 0; (*out)++) {
        if (!tlv_peek(r, &tlv))
            return false;
        skip(&r, tlv.len);
    }
    return true;
}

/* Over the room left by delegation_begin. */
static void header_write(struct writer w, const struct delegation_header *header, size_t total,
                         uint16_t records)
{
    w.at = w.start;
    write_u32(&w, MAGIC);
    write_u8(&w, DELEGATION_VERSION);
    write_u8(&w, header->type);
    write_u16(&w, (uint16_t)total);
    write_u8(&w, DELEGATION_HEADER / WORD);
    write_u8(&w, header->flags & FLAGS);
    write_u16(&w, records);
    write_u32(&w, header->spi);
    write_u64(&w, header->epoch);
    write_u64(&w, header->peer_epoch);
    write_u64(&w, header->sequence);
    write_u32(&w, header->transaction);
    write_u16(&w, header->request);
    write_u16(&w, header->node);
}

bool delegation_seal(struct writer *w, const struct delegation_header *header, const struct auth_key *key,
                     struct auth *auth)
{
    uint8_t mac[AUTH_MAX];
    uint16_t records;
    size_t total = writer_len(w) + DELEGATION_AUTHENTICATOR;
    if (w->failed || !length_possible(total) || key->algorithm != AUTH_HMAC_SHA256 ||
        !records_count(w, &records))
        return false;
    header_write(*w, header, total, records);
    if (!auth_sign(auth, key, w->start, writer_len(w), mac))
        return false;
    write_bytes(w, mac, DELEGATION_AUTHENTICATOR);
    return !w->failed;
}

/* ---- Session keys and digests ---- */

bool delegation_session_key(const struct auth_key *key, const struct delegation_end *primary,
                            const struct delegation_end *secondary, struct auth *auth, struct auth_key *out)
{
    uint8_t text[SESSION_TEXT];
    struct writer w = writer_over(text, sizeof(text));
    write_bytes(&w, "HADP1", SESSION_LABEL);
    write_u16(&w, primary->id);
    write_u16(&w, secondary->id);
    write_u64(&w, primary->epoch);
    write_u64(&w, secondary->epoch);
    write_bytes(&w, primary->nonce, sizeof(primary->nonce));
    write_bytes(&w, secondary->nonce, sizeof(secondary->nonce));

    uint8_t derived[AUTH_MAX];
    if (key->algorithm != AUTH_HMAC_SHA256 || !auth_sign(auth, key, text, sizeof(text), derived))
        return false;
    *out = (struct auth_key){.len = DELEGATION_KEY, .algorithm = AUTH_HMAC_SHA256};
    memcpy(out->bytes, derived, DELEGATION_KEY);
    return true;
}

static void hash_uint(SHA256_CTX *hash, uint64_t v, size_t n)
{
    uint8_t bytes[8];
    struct writer w = writer_over(bytes, n);
    write_uint(&w, v, n);
    SHA256_Update(hash, bytes, n);
}

static void hash_home(SHA256_CTX *hash, uint32_t home_link, const struct addr *home)
{
    SHA256_Init(hash);
    hash_uint(hash, home_link, sizeof(home_link));
    SHA256_Update(hash, home->b, sizeof(home->b));
}

/* Leftmost 64 bits. */
static uint64_t hash_left(SHA256_CTX *hash)
{
    uint8_t bytes[SHA256_DIGEST_LENGTH];
    SHA256_Final(bytes, hash);
    struct reader r = reader_over(bytes, sizeof(bytes));
    return read_u64(&r);
}

uint64_t delegation_entry_digest(uint32_t home_link, const struct addr *home, uint64_t generation,
                                 const struct addr *care_of, size_t n_care_of)
{
    SHA256_CTX hash;
    hash_home(&hash, home_link, home);
    hash_uint(&hash, generation, sizeof(generation));
    for (size_t i = 0; i < n_care_of; i++)
        SHA256_Update(&hash, care_of[i].b, sizeof(care_of[i].b));
    return hash_left(&hash);
}

uint16_t delegation_bucket(uint32_t home_link, const struct addr *home)
{
    SHA256_CTX hash;
    hash_home(&hash, home_link, home);
    return (uint16_t)(hash_left(&hash) >> (64 - BUCKET_BITS));
}
