/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lib/wire makes of the delegation protocol, for comparison with another implementation (hadp.py): a
 * JSON object a line. Each datagram has random fields, none of them zero; it is encoded, decoded, and what
 * was decoded is printed. The seed is fixed, and in every line.
 */
#include "delegation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 20, TIMES_MAX = 4, DIGEST_COUNT = 20, ENTRIES = 200, SEED = 20261123 };

static uint64_t random_state = SEED;
static struct auth *auth;

/* SplitMix64 */
static uint64_t random_u64(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* The structs of the protocol hold unsigned integers and bytes alone, for which any bytes are values. */
static void randomize(void *bytes, size_t len)
{
    uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(random_u64() % 255 + 1);
}

static struct addr random_addr(void)
{
    struct addr a = addr_from_ipv4((uint32_t)random_u64() | 0x01010101);
    if (random_u64() % 2 == 0)
        randomize(a.b, sizeof(a.b));
    return a;
}

/* ---- Printing: each prints ,"name":value ---- */

static void print_number(const char *name, uint64_t v)
{
    printf(",\"%s\":%" PRIu64, name, v);
}

static void print_hex(const char *name, const uint8_t *bytes, size_t len)
{
    printf(",\"%s\":\"", name);
    for (size_t i = 0; i < len; i++)
        printf("%02x", bytes[i]);
    printf("\"");
}

static void print_addr(const char *name, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];
    printf(",\"%s\":\"%s\"", name, addr_format(a, text));
}

static void print_mac(const struct mac *m)
{
    char text[MAC_TEXT_MAX];
    printf(",\"mac\":\"%s\"", mac_format(m, text));
}

#define NUMBER(field) print_number(#field, r->field)
#define ADDR(field)   print_addr(#field, &r->field)
#define OCTETS(field) print_hex(#field, r->field, sizeof(r->field))

static void print_start(const struct delegation_record *record)
{
    const struct delegation_start *r = &record->start;
    NUMBER(flags);
    NUMBER(home_link);
    ADDR(home);
    ADDR(care_of);
    ADDR(source);
    NUMBER(generation);
    NUMBER(duration_ms);
    NUMBER(encapsulation);
    NUMBER(index);
    NUMBER(count);
    NUMBER(nat_port);
    NUMBER(tunnel_mtu);
    NUMBER(gre_key);
    NUMBER(cookie);
}

static void print_stop(const struct delegation_record *record)
{
    const struct delegation_stop *r = &record->stop;
    NUMBER(home_link);
    ADDR(home);
    NUMBER(generation);
    NUMBER(reason);
    NUMBER(mode);
    NUMBER(linger_ds);
    print_mac(&r->mac);
}

static void print_ack(const struct delegation_record *record)
{
    const struct delegation_ack *r = &record->ack;
    NUMBER(home_link);
    ADDR(home);
    NUMBER(asked);
    NUMBER(held);
    NUMBER(remaining_ms);
    NUMBER(status);
    NUMBER(state);
    NUMBER(index);
}

static void print_rate(const struct delegation_record *record)
{
    const struct delegation_rate *r = &record->rate;
    NUMBER(home_link);
    ADDR(home);
    NUMBER(generation);
    NUMBER(pps);
    NUMBER(kbps);
    NUMBER(packets);
    NUMBER(bytes);
}

static void print_load(const struct delegation_record *record)
{
    const struct delegation_load *r = &record->load;
    NUMBER(state);
    NUMBER(busiest_permille);
    NUMBER(capacity_pps);
    NUMBER(rx_pps);
    NUMBER(tx_pps);
    NUMBER(drop_pps);
    NUMBER(tx_kbps);
    NUMBER(bindings);
    NUMBER(max_bindings);
    NUMBER(tombstones);
    NUMBER(unknown_pps);
    NUMBER(digest);
    NUMBER(floor);
    NUMBER(uptime_s);
    NUMBER(heard);
}

static void print_lease(const struct delegation_record *record)
{
    const struct delegation_lease *r = &record->lease;
    NUMBER(lease_ms);
    NUMBER(floor);
    NUMBER(sequence);
    NUMBER(report_ms);
    NUMBER(report_top);
}

static void print_hello(const struct delegation_record *record)
{
    const struct delegation_hello *r = &record->hello;
    NUMBER(role);
    NUMBER(lowest_version);
    NUMBER(highest_version);
    NUMBER(term);
    NUMBER(capabilities);
    OCTETS(nonce);
    OCTETS(peer_nonce);
    NUMBER(ip_id_slot);
    NUMBER(payload_max);
    print_mac(&r->mac);
}

static void print_digest(const struct delegation_record *record)
{
    const struct delegation_digest *r = &record->digest;
    NUMBER(first);
    NUMBER(count);
    printf(",\"values\":[");
    for (size_t i = 0; i < r->count; i++)
        printf("%s%" PRIu64, i > 0 ? "," : "", delegation_digest_value(r, i));
    printf("]");
}

static void print_event(const struct delegation_record *record)
{
    const struct delegation_event *r = &record->event;
    NUMBER(home_link);
    ADDR(home);
    NUMBER(generation);
    NUMBER(code);
    OCTETS(auxiliary);
}

/* ---- Encoding with random fields ---- */

#define ENCODE_HOME(kind)                       \
    static void encode_##kind(struct writer *w) \
    {                                           \
        struct delegation_##kind r;             \
        randomize(&r, sizeof(r));               \
        r.home = random_addr();                 \
        delegation_##kind##_encode(w, &r);      \
    }
#define ENCODE(kind)                            \
    static void encode_##kind(struct writer *w) \
    {                                           \
        struct delegation_##kind r;             \
        randomize(&r, sizeof(r));               \
        delegation_##kind##_encode(w, &r);      \
    }
ENCODE_HOME(start)
ENCODE_HOME(stop)
ENCODE_HOME(ack)
ENCODE_HOME(rate)
ENCODE_HOME(event)
ENCODE(load)
ENCODE(lease)
ENCODE(hello)

static void encode_digest(struct writer *w)
{
    uint64_t values[DIGEST_COUNT];
    randomize(values, sizeof(values));
    uint16_t count = (uint16_t)(1 + random_u64() % DIGEST_COUNT);
    delegation_digest_encode(w, (uint16_t)(1 + random_u64() % 1000), count, values);
}

static const struct {
    const char *name; /* NULL: unknown */
    void (*encode)(struct writer *w);
    void (*print)(const struct delegation_record *record);
} kinds[] = {
    [DELEGATION_RECORD_START] = {"START", encode_start, print_start},
    [DELEGATION_RECORD_STOP] = {"STOP", encode_stop, print_stop},
    [DELEGATION_RECORD_ACK] = {"ACK", encode_ack, print_ack},
    [DELEGATION_RECORD_RATE] = {"RATE", encode_rate, print_rate},
    [DELEGATION_RECORD_LOAD] = {"LOAD", encode_load, print_load},
    [DELEGATION_RECORD_LEASE] = {"LEASE", encode_lease, print_lease},
    [DELEGATION_RECORD_HELLO] = {"HELLO", encode_hello, print_hello},
    [DELEGATION_RECORD_DIGEST] = {"DIGEST", encode_digest, print_digest},
    [DELEGATION_RECORD_EVENT] = {"EVENT", encode_event, print_event},
};

/* The records that each type bears: 0 ends them. */
static const struct {
    uint8_t type;
    const char *name;
    uint8_t records[3];
} types[] = {
    {DELEGATION_HELLO, "HELLO", {DELEGATION_RECORD_HELLO}},
    {DELEGATION_HELLO_ACK, "HELLO_ACK", {DELEGATION_RECORD_HELLO}},
    {DELEGATION_START, "START", {DELEGATION_RECORD_START}},
    {DELEGATION_START_ACK, "START_ACK", {DELEGATION_RECORD_ACK}},
    {DELEGATION_STOP, "STOP", {DELEGATION_RECORD_STOP}},
    {DELEGATION_STOP_ACK, "STOP_ACK", {DELEGATION_RECORD_ACK}},
    {DELEGATION_KEEPALIVE, "KEEPALIVE", {DELEGATION_RECORD_LOAD}},
    {DELEGATION_KEEPALIVE_ACK, "KEEPALIVE_ACK", {DELEGATION_RECORD_LEASE}},
    {DELEGATION_RATES, "RATES", {DELEGATION_RECORD_RATE}},
    {DELEGATION_RATES_ACK, "RATES_ACK", {0}},
    {DELEGATION_SYNC_REQ, "SYNC_REQ", {DELEGATION_RECORD_DIGEST}},
    {DELEGATION_SYNC_DATA, "SYNC_DATA", {DELEGATION_RECORD_START, DELEGATION_RECORD_DIGEST}},
    {DELEGATION_SYNC_ACK, "SYNC_ACK", {0}},
    {DELEGATION_EVENT, "EVENT", {DELEGATION_RECORD_EVENT}},
    {DELEGATION_EVENT_ACK, "EVENT_ACK", {0}},
};

enum { TYPES = sizeof(types) / sizeof(types[0]) };

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "%s\n", what);
    exit(EXIT_FAILURE);
}

/* Each record of the type, the whole of them as often as asked. */
static void records_encode(struct writer *w, size_t type, size_t times)
{
    for (; times > 0; times--) {
        for (const uint8_t *record = types[type].records; *record != 0; record++)
            kinds[*record].encode(w);
    }
}

static struct auth_key random_key(void)
{
    struct auth_key key = {.len = DELEGATION_KEY, .algorithm = AUTH_HMAC_SHA256};
    randomize(key.bytes, key.len);
    return key;
}

static void print_header(const struct delegation_header *r, const char *type)
{
    printf(",\"header\":{\"type\":\"%s\"", type);
    NUMBER(flags);
    print_number("record_count", r->records);
    NUMBER(spi);
    NUMBER(epoch);
    NUMBER(peer_epoch);
    NUMBER(sequence);
    NUMBER(transaction);
    NUMBER(request);
    NUMBER(node);
    printf("}");
}

/* Of START the flags are a field; the others have none. */
static void print_record(const struct delegation_record *record)
{
    printf("{\"type\":\"%s\"", kinds[record->type].name);
    if (record->type != DELEGATION_RECORD_START)
        print_number("flags", 0);
    kinds[record->type].print(record);
    printf("}");
}

static void print_records(struct delegation_records *records)
{
    struct delegation_record record;
    printf(",\"records\":[");
    for (const char *comma = ""; delegation_next(records, &record); comma = ",") {
        printf("%s", comma);
        require(record.type != 0, "a record was not known");
        print_record(&record);
    }
    require(!records->failed, "the records were malformed");
    printf("]");
}

static void datagram(size_t type, size_t times)
{
    uint8_t bytes[DELEGATION_MAX];
    struct delegation_header header, again;
    struct delegation_records records;
    struct auth_key key = random_key();
    struct writer w = writer_over(bytes, sizeof(bytes));
    randomize(&header, sizeof(header));
    header.type = types[type].type;

    delegation_begin(&w);
    records_encode(&w, type, times);
    require(delegation_seal(&w, &header, &key, auth), "a datagram was not sealed");
    require(delegation_verify(bytes, writer_len(&w), &key, auth), "a datagram was not authentic");
    require(delegation_decode(bytes, writer_len(&w), &again, &records) == DELEGATION_DECODED,
            "a datagram was not decoded");
    printf("{\"seed\":%d", SEED);
    print_hex("datagram", bytes, writer_len(&w));
    print_hex("key", key.bytes, key.len);
    print_header(&again, types[type].name);
    print_records(&records);
    printf("}\n");
}

static void print_end(const char *name, const struct delegation_end *r)
{
    printf(",\"%s\":{\"name\":\"%s\"", name, name);
    NUMBER(id);
    NUMBER(epoch);
    OCTETS(nonce);
    printf("}");
}

static void session(void)
{
    struct auth_key key = random_key(), out;
    struct delegation_end ends[2];
    randomize(ends, sizeof(ends));
    require(delegation_session_key(&key, &ends[0], &ends[1], auth, &out), "no session key");
    printf("{\"seed\":%d", SEED);
    print_hex("key", key.bytes, key.len);
    print_end("primary", &ends[0]);
    print_end("secondary", &ends[1]);
    print_hex("session_key", out.bytes, out.len);
    printf("}\n");
}

static void entry(size_t n_care_of)
{
    struct addr home = random_addr(), care_of[DELEGATION_CARE_OF_MAX];
    uint32_t home_link = (uint32_t)random_u64();
    uint64_t generation = random_u64();
    for (size_t i = 0; i < n_care_of; i++)
        care_of[i] = random_addr();

    printf("{\"seed\":%d", SEED);
    print_number("home_link", home_link);
    print_addr("home", &home);
    print_number("generation", generation);
    printf(",\"care_of\":[");
    for (size_t i = 0; i < n_care_of; i++) {
        char text[ADDR_TEXT_MAX];
        printf("%s\"%s\"", i > 0 ? "," : "", addr_format(&care_of[i], text));
    }
    printf("]");
    print_number("digest", delegation_entry_digest(home_link, &home, generation, care_of, n_care_of));
    print_number("bucket", delegation_bucket(home_link, &home));
    printf("}\n");
}

int main(void)
{
    auth = auth_create();
    require(auth != NULL, "no libcrypto");
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t type = 0; type < TYPES; type++)
            datagram(type, 1 + random_u64() % TIMES_MAX);
        session();
    }
    for (size_t i = 0; i < ENTRIES; i++)
        entry(1 + i % DELEGATION_CARE_OF_MAX);
    auth_destroy(auth);
    return EXIT_SUCCESS;
}
