/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The delegation protocol's decoder: a second, simpler walk over the records finds the same ones at the same
 * places, and a known record, encoded again, is the same but for what is reserved. The input is the datagram,
 * taken as it is, and once more with its total length made right, which few mutations leave alone.
 */
#include "delegation.h"
#include "fuzz.h"

#include <string.h>

enum { LENGTH_AT = 6, WORDS_AT = 8, COUNT_AT = 10, SKIPPABLE = 128, RANGES = 3 };

static size_t get_u16(const uint8_t *at)
{
    return (size_t)at[0] << 8 | at[1];
}

/* ---- Encoding again ---- */

static void digest_again(struct writer *w, const struct delegation_digest *digest)
{
    uint64_t values[DELEGATION_BUCKETS];
    fuzz_require(digest->first + digest->count <= DELEGATION_BUCKETS);
    for (size_t i = 0; i < digest->count; i++)
        values[i] = delegation_digest_value(digest, i);
    delegation_digest_encode(w, digest->first, digest->count, values);
}

static void encode_again(struct writer *w, const struct delegation_record *r)
{
    switch (r->type) {
    case DELEGATION_RECORD_START:
        return delegation_start_encode(w, &r->start);
    case DELEGATION_RECORD_STOP:
        return delegation_stop_encode(w, &r->stop);
    case DELEGATION_RECORD_ACK:
        return delegation_ack_encode(w, &r->ack);
    case DELEGATION_RECORD_RATE:
        return delegation_rate_encode(w, &r->rate);
    case DELEGATION_RECORD_LOAD:
        return delegation_load_encode(w, &r->load);
    case DELEGATION_RECORD_LEASE:
        return delegation_lease_encode(w, &r->lease);
    case DELEGATION_RECORD_HELLO:
        return delegation_hello_encode(w, &r->hello);
    case DELEGATION_RECORD_DIGEST:
        return digest_again(w, &r->digest);
    case DELEGATION_RECORD_EVENT:
        return delegation_event_encode(w, &r->event);
    default:
        abort();
    }
}

/* What of a record is reserved: at, bytes. 0 ends them. */
static const struct {
    uint8_t flags; /* those that are */
    uint8_t ranges[RANGES][2];
} reserved[] = {
    [DELEGATION_RECORD_START] = {0xfe, {{71, 1}}},
    [DELEGATION_RECORD_STOP] = {0, {{42, 6}}},
    [DELEGATION_RECORD_LOAD] = {0, {{5, 1}, {44, 4}, {68, 4}}},
    [DELEGATION_RECORD_LEASE] = {0, {{28, 4}}},
    [DELEGATION_RECORD_HELLO] = {0, {{7, 2}, {58, 6}}}, /* with the term's upper byte */
    [DELEGATION_RECORD_EVENT] = {0, {{34, 6}}},
};

static void require_zero(const uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fuzz_require(at[i] == 0);
}

static void check_same(const uint8_t *sent, const struct delegation_record *record)
{
    uint8_t again[DELEGATION_MAX];
    struct writer w = writer_over(again, sizeof(again));
    encode_again(&w, record);
    size_t len = writer_len(&w);
    fuzz_require(!w.failed && get_u16(again + 2) == len && len <= get_u16(sent + 2));
    fuzz_require(again[0] == sent[0] && again[1] == (sent[1] & reserved[record->type].flags));
    for (size_t i = 0; i < RANGES; i++) {
        const uint8_t *range = reserved[record->type].ranges[i];
        require_zero(again + range[0], range[1] * (range[0] != 0));
        memcpy(again + range[0], sent + range[0], range[1]);
    }
    fuzz_require(memcmp(again + 4, sent + 4, len - 4) == 0);
}

/* ---- Walking ---- */

/* The length of the record at `at`, of which `left` bytes are there; 0: it is none. */
static size_t record_length(const uint8_t *at, size_t left)
{
    if (left < 4)
        return 0;
    size_t len = get_u16(at + 2);
    return len % 8 == 0 && len <= left ? len : 0;
}

static void check_record(struct delegation_records *records, const uint8_t *sent, size_t index)
{
    struct delegation_record record;
    memset(&record, 0xee, sizeof(record));
    if (sent[0] >= SKIPPABLE)
        return;
    fuzz_require(delegation_next(records, &record));
    fuzz_require(record.index == index && (record.type == 0 || record.type == sent[0]));
    if (record.type != 0)
        check_same(sent, &record);
}

static void check_records(const uint8_t *bytes, size_t len, struct delegation_records *records)
{
    size_t at = (size_t)bytes[WORDS_AT] * 4, end = len - DELEGATION_AUTHENTICATOR,
           count = get_u16(bytes + COUNT_AT);
    struct delegation_record record;
    size_t index = 0;
    for (size_t n; index < count && (n = record_length(bytes + at, end - at)) > 0; index++, at += n)
        check_record(records, bytes + at, index);
    fuzz_require(!delegation_next(records, &record));
    fuzz_require(records->failed == (index < count || at < end));
}

static void check_names(const struct delegation_header *header)
{
    bool known = header->type >= DELEGATION_HELLO && header->type <= DELEGATION_EVENT_ACK;
    fuzz_require((delegation_type_text(header->type) != NULL) == known);
}

static void check(const uint8_t *bytes, size_t len)
{
    struct delegation_header header;
    struct delegation_records records;
    if (delegation_decode(bytes, len, &header, &records) != DELEGATION_DECODED)
        return;
    fuzz_require(len <= DELEGATION_MAX && get_u16(bytes + LENGTH_AT) == len);
    check_names(&header);
    check_records(bytes, len, &records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(data, size);
    if (size < DELEGATION_HEADER || size > DELEGATION_MAX)
        return 0;
    uint8_t *repaired = malloc(size);
    fuzz_require(repaired != NULL);
    memcpy(repaired, data, size);
    repaired[LENGTH_AT] = (uint8_t)(size >> 8);
    repaired[LENGTH_AT + 1] = (uint8_t)size;
    check(repaired, size);
    free(repaired);
    return 0;
}

/* ---- Seeds ---- */

static size_t seal(struct writer *w, uint8_t type)
{
    struct delegation_header header = {
        .type = type, .spi = 256, .epoch = 1, .peer_epoch = 2, .sequence = 3, .node = 4};
    struct auth_key key = {.len = DELEGATION_KEY, .algorithm = AUTH_HMAC_SHA256};
    struct auth *auth = auth_create();
    fuzz_require(auth != NULL && delegation_seal(w, &header, &key, auth));
    auth_destroy(auth);
    return writer_len(w);
}

static void append_operations(struct writer *w)
{
    struct delegation_start start = {
        .flags = START_INTERCEPT, .generation = 7, .duration_ms = 1000, .count = 1};
    struct delegation_stop stop = {.generation = 8, .reason = STOP_MOVED};
    struct delegation_ack ack = {.asked = 7, .held = 7, .index = 1};
    delegation_start_encode(w, &start);
    delegation_stop_encode(w, &stop);
    delegation_ack_encode(w, &ack);
}

static void append_session(struct writer *w)
{
    struct delegation_hello hello = {
        .role = HELLO_PRIMARY, .lowest_version = 1, .highest_version = 1, .term = 5};
    struct delegation_load load = {.state = LOAD_READY, .heard = 9};
    struct delegation_lease lease = {.lease_ms = 1500, .floor = 6, .sequence = 9};
    delegation_hello_encode(w, &hello);
    delegation_load_encode(w, &load);
    delegation_lease_encode(w, &lease);
}

static void append_reports(struct writer *w)
{
    static const uint64_t values[] = {1, 2, 3};
    struct delegation_rate rate = {.pps = 1000, .packets = 5000};
    struct delegation_event event = {.code = EVENT_EXPIRED};
    delegation_rate_encode(w, &rate);
    delegation_event_encode(w, &event);
    delegation_digest_encode(w, 1021, 3, values);
}

static void append_unknown(struct writer *w)
{
    static const uint8_t unknown[16] = {SKIPPABLE, 0, 0, 8, 0, 0, 0, 0, 127, 0, 0, 8};
    write_bytes(w, unknown, sizeof(unknown));
}

size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX])
{
    static void (*const appends[])(struct writer *) = {append_operations, append_session, append_reports,
                                                       append_unknown};
    enum { SETS = sizeof(appends) / sizeof(appends[0]) };
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    if (n > SETS)
        return 0;
    delegation_begin(&w);
    for (size_t i = 0; i < SETS; i++) {
        if (i == n || n == SETS) /* each alone, then all together */
            appends[i](&w);
    }
    return seal(&w, (uint8_t)(n + 1));
}
