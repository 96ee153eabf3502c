/* SPDX-License-Identifier: BSD-3-Clause */
#include "delegation.h"

#include "../check_main.h"

#include <stdio.h>

/* Bytes put together by hand from the tables of doc/delegation-protocol.md, a field a string; MACs, keys and
 * digests are Python's. */
#define LINK       "01020304"
#define HOME       "00000000000000000000ffff0a010032" /* 10.1.0.50 */
#define CARE_OF    "00000000000000000000ffff0a02004d" /* 10.2.0.77 */
#define V6         "20010db8000000000000000000000002"
#define GENERATION "0000050000000007" /* term 5, counter 7 */
#define MAC        "02005e102030"

#define START_HEX \
    "01e80058" LINK HOME CARE_OF V6 GENERATION "001b7740 01 02 03 00 01b2 05c8 a1a2a3a4 e8d5c3b2a1908070"
#define STOP_HEX "02000030" LINK HOME GENERATION "04 02 012c" MAC "000000000000"
#define ACK_HEX  "03000030" LINK HOME GENERATION "0000050000000009 001b7740 1e 03 0102"
#define RATE_HEX "04000038" LINK HOME GENERATION "000186a0 000f4240 0011223344556677 1021324354657687"
#define LOAD_HEX                                                                                           \
    "05000050 04 00 0384 00989680 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008" \
    "00000000 c1c2c3c4c5c6c7c8" GENERATION "00015180 00000000 0000000000000102"
#define LEASE_HEX  "06000020 000005dc" GENERATION "0000000000000102 2710 0064 00000000"
#define NONCE      "000102030405060708090a0b0c0d0e0f"
#define PEER_NONCE "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
#define HELLO_HEX  "07000040 03 01 02 00 00abcdef 11223344" NONCE PEER_NONCE "003f 0578" MAC "000000000000"
#define DIGEST_HEX "08000018 03fe 0002 0102030405060708 f1f2f3f4f5f6f7f8"
#define EVENT_HEX  "09000038" LINK HOME GENERATION "0003 000000000000 000005a0 aabbccddeeff001122334455"

#define HEADER_HEX                                                                                         \
    "48414450 01 0c 00a0 0c f0 0002 00000123 a1a2a3a4a5a6a7a8 b1b2b3b4b5b6b7b8 0000000000010203 c1c2c3c4 " \
    "d1d2 e1e2"
#define MAC_HEX      "8d4be5a39ccb7e63d1216aba411faaee"
#define DATAGRAM_HEX HEADER_HEX STOP_HEX ACK_HEX MAC_HEX

enum { TYPE_AT = 5, LENGTH_AT = 6, WORDS_AT = 8, COUNT_AT = 10, DATAGRAM_LEN = 160 };

#define GENERATION_7 ((UINT64_C(5) << 40) + 7)

static struct auth *auth;
static struct auth_key key;
static struct addr home, care_of, v6;

static void setup(void)
{
    auth = auth_create();
    ck_assert_ptr_nonnull(auth);
    key = (struct auth_key){.len = DELEGATION_KEY, .algorithm = AUTH_HMAC_SHA256};
    for (uint8_t i = 0; i < key.len; i++)
        key.bytes[i] = (uint8_t)(0x40 + i);
    home = addr_from_ipv4(0x0a010032);
    care_of = addr_from_ipv4(0x0a02004d);
    ck_assert(addr_parse("2001:db8::2", &v6));
}

static void teardown(void)
{
    auth_destroy(auth);
}

/* ---- A sample of each record, no field of which is zero ---- */

static struct delegation_record start_sample(void)
{
    return (struct delegation_record){
        .type = DELEGATION_RECORD_START,
        .start = {.flags = START_ANNOUNCE | START_INTERCEPT | START_DECAPSULATE | START_CO_LOCATED,
                  .home_link = 0x01020304,
                  .home = home,
                  .care_of = care_of,
                  .source = v6,
                  .generation = GENERATION_7,
                  .duration_ms = 1800000,
                  .encapsulation = 1,
                  .index = 2,
                  .count = 3,
                  .nat_port = 434,
                  .tunnel_mtu = 1480,
                  .gre_key = 0xa1a2a3a4,
                  .cookie = UINT64_C(0xe8d5c3b2a1908070)}};
}

static struct delegation_record stop_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_STOP,
                                      .stop = {.home_link = 0x01020304,
                                               .home = home,
                                               .generation = GENERATION_7,
                                               .reason = STOP_MOVED,
                                               .mode = STOP_DELIVER,
                                               .linger_ds = 300,
                                               .mac = {{2, 0, 0x5e, 0x10, 0x20, 0x30}}}};
}

static struct delegation_record ack_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_ACK,
                                      .ack = {.home_link = 0x01020304,
                                              .home = home,
                                              .asked = GENERATION_7,
                                              .held = GENERATION_7 + 2,
                                              .remaining_ms = 1800000,
                                              .status = STATUS_FENCED,
                                              .state = HELD_FORWARD_ONLY,
                                              .index = 0x102}};
}

static struct delegation_record rate_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_RATE,
                                      .rate = {.home_link = 0x01020304,
                                               .home = home,
                                               .generation = GENERATION_7,
                                               .pps = 100000,
                                               .kbps = 1000000,
                                               .packets = UINT64_C(0x0011223344556677),
                                               .bytes = UINT64_C(0x1021324354657687)}};
}

static struct delegation_record load_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_LOAD,
                                      .load = {.state = LOAD_SYNCING,
                                               .busiest_permille = 900,
                                               .capacity_pps = 10000000,
                                               .rx_pps = 1,
                                               .tx_pps = 2,
                                               .drop_pps = 3,
                                               .tx_kbps = 4,
                                               .bindings = 5,
                                               .max_bindings = 6,
                                               .tombstones = 7,
                                               .unknown_pps = 8,
                                               .digest = UINT64_C(0xc1c2c3c4c5c6c7c8),
                                               .floor = GENERATION_7,
                                               .uptime_s = 86400,
                                               .heard = 0x102}};
}

static struct delegation_record lease_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_LEASE,
                                      .lease = {.lease_ms = 1500,
                                                .floor = GENERATION_7,
                                                .sequence = 0x102,
                                                .report_ms = 10000,
                                                .report_top = 100}};
}

static struct delegation_record hello_sample(void)
{
    struct delegation_record r = {.type = DELEGATION_RECORD_HELLO,
                                  .hello = {.role = HELLO_STANDBY,
                                            .lowest_version = 1,
                                            .highest_version = 2,
                                            .term = 0xabcdef,
                                            .capabilities = 0x11223344,
                                            .ip_id_slot = 63,
                                            .payload_max = 1400,
                                            .mac = {{2, 0, 0x5e, 0x10, 0x20, 0x30}}}};
    hex_bytes(NONCE, r.hello.nonce, DELEGATION_NONCE);
    hex_bytes(PEER_NONCE, r.hello.peer_nonce, DELEGATION_NONCE);
    return r;
}

static struct delegation_record digest_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_DIGEST,
                                      .digest = {.first = 1022, .count = 2}};
}

static struct delegation_record event_sample(void)
{
    struct delegation_record r = {
        .type = DELEGATION_RECORD_EVENT,
        .event = {.home_link = 0x01020304, .home = home, .generation = GENERATION_7, .code = EVENT_TOO_BIG}};
    hex_bytes("000005a0 aabbccddeeff001122334455", r.event.auxiliary, 16);
    return r;
}

static void start_write(struct writer *w, const struct delegation_record *r)
{
    delegation_start_encode(w, &r->start);
}

static void stop_write(struct writer *w, const struct delegation_record *r)
{
    delegation_stop_encode(w, &r->stop);
}

static void ack_write(struct writer *w, const struct delegation_record *r)
{
    delegation_ack_encode(w, &r->ack);
}

static void rate_write(struct writer *w, const struct delegation_record *r)
{
    delegation_rate_encode(w, &r->rate);
}

static void load_write(struct writer *w, const struct delegation_record *r)
{
    delegation_load_encode(w, &r->load);
}

static void lease_write(struct writer *w, const struct delegation_record *r)
{
    delegation_lease_encode(w, &r->lease);
}

static void hello_write(struct writer *w, const struct delegation_record *r)
{
    delegation_hello_encode(w, &r->hello);
}

static void digest_write(struct writer *w, const struct delegation_record *r)
{
    static const uint64_t values[] = {UINT64_C(0x0102030405060708), UINT64_C(0xf1f2f3f4f5f6f7f8)};
    delegation_digest_encode(w, r->digest.first, r->digest.count, values);
}

static void event_write(struct writer *w, const struct delegation_record *r)
{
    delegation_event_encode(w, &r->event);
}

static const struct {
    const char *what;
    const char *hex;
    struct delegation_record (*sample)(void);
    void (*write)(struct writer *w, const struct delegation_record *r);
} kinds[] = {
    {"START", START_HEX, start_sample, start_write}, {"STOP", STOP_HEX, stop_sample, stop_write},
    {"ACK", ACK_HEX, ack_sample, ack_write},         {"RATE", RATE_HEX, rate_sample, rate_write},
    {"LOAD", LOAD_HEX, load_sample, load_write},     {"LEASE", LEASE_HEX, lease_sample, lease_write},
    {"HELLO", HELLO_HEX, hello_sample, hello_write}, {"DIGEST", DIGEST_HEX, digest_sample, digest_write},
    {"EVENT", EVENT_HEX, event_sample, event_write},
};

/* ---- What was decoded is what the sample says ---- */

#define SAME(field)       ck_assert_msg(a->field == b->field, "%s", #field)
#define SAME_BYTES(field) ck_assert_mem_eq(&a->field, &b->field, sizeof(a->field))

static void start_same(const struct delegation_start *a, const struct delegation_start *b)
{
    SAME(flags);
    SAME(home_link);
    SAME_BYTES(home);
    SAME_BYTES(care_of);
    SAME_BYTES(source);
    SAME(generation);
    SAME(duration_ms);
    SAME(encapsulation);
    SAME(index);
    SAME(count);
    SAME(nat_port);
    SAME(tunnel_mtu);
    SAME(gre_key);
    SAME(cookie);
}

static void stop_same(const struct delegation_stop *a, const struct delegation_stop *b)
{
    SAME(home_link);
    SAME_BYTES(home);
    SAME(generation);
    SAME(reason);
    SAME(mode);
    SAME(linger_ds);
    SAME_BYTES(mac);
}

static void ack_same(const struct delegation_ack *a, const struct delegation_ack *b)
{
    SAME(home_link);
    SAME_BYTES(home);
    SAME(asked);
    SAME(held);
    SAME(remaining_ms);
    SAME(status);
    SAME(state);
    SAME(index);
}

static void rate_same(const struct delegation_rate *a, const struct delegation_rate *b)
{
    SAME(home_link);
    SAME_BYTES(home);
    SAME(generation);
    SAME(pps);
    SAME(kbps);
    SAME(packets);
    SAME(bytes);
}

static void load_same(const struct delegation_load *a, const struct delegation_load *b)
{
    SAME(state);
    SAME(busiest_permille);
    SAME(capacity_pps);
    SAME(rx_pps);
    SAME(tx_pps);
    SAME(drop_pps);
    SAME(tx_kbps);
    SAME(bindings);
    SAME(max_bindings);
    SAME(tombstones);
    SAME(unknown_pps);
    SAME(digest);
    SAME(floor);
    SAME(uptime_s);
    SAME(heard);
}

static void lease_same(const struct delegation_lease *a, const struct delegation_lease *b)
{
    SAME(lease_ms);
    SAME(floor);
    SAME(sequence);
    SAME(report_ms);
    SAME(report_top);
}

static void hello_same(const struct delegation_hello *a, const struct delegation_hello *b)
{
    SAME(role);
    SAME(lowest_version);
    SAME(highest_version);
    SAME(term);
    SAME(capabilities);
    SAME_BYTES(nonce);
    SAME_BYTES(peer_nonce);
    SAME(ip_id_slot);
    SAME(payload_max);
    SAME_BYTES(mac);
}

static void digest_same(const struct delegation_digest *a, const struct delegation_digest *b)
{
    SAME(first);
    SAME(count);
    ck_assert(delegation_digest_value(a, 0) == UINT64_C(0x0102030405060708));
    ck_assert(delegation_digest_value(a, 1) == UINT64_C(0xf1f2f3f4f5f6f7f8));
}

static void event_same(const struct delegation_event *a, const struct delegation_event *b)
{
    SAME(home_link);
    SAME_BYTES(home);
    SAME(generation);
    SAME(code);
    SAME_BYTES(auxiliary);
}

static void record_same(const struct delegation_record *a, const struct delegation_record *b)
{
    ck_assert_uint_eq(a->type, b->type);
    switch (a->type) {
    case DELEGATION_RECORD_START:
        return start_same(&a->start, &b->start);
    case DELEGATION_RECORD_STOP:
        return stop_same(&a->stop, &b->stop);
    case DELEGATION_RECORD_ACK:
        return ack_same(&a->ack, &b->ack);
    case DELEGATION_RECORD_RATE:
        return rate_same(&a->rate, &b->rate);
    case DELEGATION_RECORD_LOAD:
        return load_same(&a->load, &b->load);
    case DELEGATION_RECORD_LEASE:
        return lease_same(&a->lease, &b->lease);
    case DELEGATION_RECORD_HELLO:
        return hello_same(&a->hello, &b->hello);
    case DELEGATION_RECORD_DIGEST:
        return digest_same(&a->digest, &b->digest);
    case DELEGATION_RECORD_EVENT:
        return event_same(&a->event, &b->event);
    default:
        ck_abort_msg("type %u", a->type);
    }
}

/* ---- Building ---- */

struct datagram {
    uint8_t bytes[2 * DELEGATION_MAX];
    size_t len;
};

static void put_u16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static struct datagram sample_datagram(void)
{
    struct datagram d;
    d.len = hex_bytes(DATAGRAM_HEX, d.bytes, sizeof(d.bytes));
    ck_assert_uint_eq(d.len, DATAGRAM_LEN);
    return d;
}

/* A datagram of these records, its header saying count; the authenticator is not right. */
static struct datagram datagram_of(const char *records, size_t count)
{
    struct datagram d = {.len = 0};
    d.len = hex_bytes(HEADER_HEX, d.bytes, sizeof(d.bytes));
    d.len += hex_bytes(records, d.bytes + d.len, sizeof(d.bytes) - d.len);
    d.len += DELEGATION_AUTHENTICATOR;
    put_u16(d.bytes + LENGTH_AT, d.len);
    put_u16(d.bytes + COUNT_AT, count);
    return d;
}

/* In a block of just its size, so that sanitizers and valgrind see a read behind it. */
static uint8_t *exact_copy(const struct datagram *d)
{
    uint8_t *bytes = malloc(d->len > 0 ? d->len : 1);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, d->bytes, d->len);
    return bytes;
}

static enum delegation_decoded decoded(const struct datagram *d)
{
    struct delegation_header header;
    struct delegation_records records;
    uint8_t *bytes = exact_copy(d);
    enum delegation_decoded outcome = delegation_decode(bytes, d->len, &header, &records);
    free(bytes);
    return outcome;
}

static struct delegation_records records_of(const struct datagram *d)
{
    struct delegation_header header;
    struct delegation_records records;
    ck_assert_int_eq(delegation_decode(d->bytes, d->len, &header, &records), DELEGATION_DECODED);
    return records;
}

/* ---- Records ---- */

START_TEST(record_encoded)
{
    uint8_t bytes[256], right[256];
    struct delegation_record sample = kinds[_i].sample();
    size_t len = hex_bytes(kinds[_i].hex, right, sizeof(right));
    struct writer w = writer_over(bytes, sizeof(bytes));
    memset(bytes, 0xee, sizeof(bytes));
    kinds[_i].write(&w, &sample);
    ck_assert_msg(!w.failed && writer_len(&w) == len, "%s: %zu bytes", kinds[_i].what, writer_len(&w));
    ck_assert_mem_eq(bytes, right, len);
}
END_TEST

START_TEST(record_encoded_without_room)
{
    uint8_t bytes[256], right[256];
    struct delegation_record sample = kinds[_i].sample();
    size_t len = hex_bytes(kinds[_i].hex, right, sizeof(right));
    for (size_t room = 0; room < len; room++) {
        struct writer w = writer_over(bytes, room);
        kinds[_i].write(&w, &sample);
        ck_assert_msg(w.failed, "%s in %zu bytes", kinds[_i].what, room);
    }
}
END_TEST

START_TEST(record_decoded)
{
    struct datagram d = datagram_of(kinds[_i].hex, 1);
    struct delegation_records records = records_of(&d);
    struct delegation_record out, sample = kinds[_i].sample();
    ck_assert(delegation_next(&records, &out));
    ck_assert_uint_eq(out.index, 0);
    record_same(&out, &sample);
    ck_assert(!delegation_next(&records, &out));
    ck_assert(!records.failed);
}
END_TEST

/* A record of a later version: longer. What is behind the known part is skipped, the next record is found. */
START_TEST(longer_record_read_as_far_as_known)
{
    char hex[1024];
    snprintf(hex, sizeof(hex), "%s ffffffffffffffff 0102030405060708" LEASE_HEX, kinds[_i].hex);
    struct datagram d = datagram_of(hex, 2);
    uint8_t *length = d.bytes + DELEGATION_HEADER + 2;
    put_u16(length, (size_t)(length[0] << 8 | length[1]) + 16);

    struct delegation_records records = records_of(&d);
    struct delegation_record out, sample = kinds[_i].sample(), lease = lease_sample();
    ck_assert(delegation_next(&records, &out));
    record_same(&out, &sample);
    ck_assert(delegation_next(&records, &out));
    ck_assert_uint_eq(out.index, 1);
    record_same(&out, &lease);
    ck_assert(!delegation_next(&records, &out) && !records.failed);
}
END_TEST

/* 8 bytes shorter than known: that record alone is bad, the next one is read. */
START_TEST(shorter_record_is_bad_alone)
{
    char hex[1024];
    snprintf(hex, sizeof(hex), "%s" LEASE_HEX, kinds[_i].hex);
    struct datagram d = datagram_of(hex, 2);
    uint8_t *record = d.bytes + DELEGATION_HEADER;
    size_t len = (size_t)(record[2] << 8 | record[3]);
    memmove(record + len - 8, record + len, d.len - DELEGATION_HEADER - len);
    d.len -= 8;
    put_u16(record + 2, len - 8);
    put_u16(d.bytes + LENGTH_AT, d.len);

    struct delegation_records records = records_of(&d);
    struct delegation_record out, lease = lease_sample();
    ck_assert(delegation_next(&records, &out));
    ck_assert_uint_eq(out.type, 0);
    ck_assert_uint_eq(out.index, 0);
    ck_assert(delegation_next(&records, &out));
    record_same(&out, &lease);
    ck_assert(!delegation_next(&records, &out) && !records.failed);
}
END_TEST

/* Reserved bytes, unused flags and the term's upper byte: ignored where they come. */
static const struct {
    const char *what, *sent;
    size_t kind;
} reserved[] = {
    {"START",
     "01e90058" LINK HOME CARE_OF V6 GENERATION "001b7740 010203ff 01b205c8 a1a2a3a4 e8d5c3b2a1908070", 0},
    {"STOP", "02ff0030" LINK HOME GENERATION "04 02 012c" MAC "ffffffffffff", 1},
    {"ACK", "03ff0030" LINK HOME GENERATION "0000050000000009 001b7740 1e 03 0102", 2},
    {"LOAD",
     "05ff0050 04 ff 0384 00989680 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008"
     "ffffffff c1c2c3c4c5c6c7c8" GENERATION "00015180 ffffffff 0000000000000102",
     4},
    {"LEASE", "06ff0020 000005dc" GENERATION "0000000000000102 2710 0064 ffffffff", 5},
    {"HELLO", "07ff0040 03 01 02 ff ffabcdef 11223344" NONCE PEER_NONCE "003f 0578" MAC "ffffffffffff", 6},
    {"EVENT", "09ff0038" LINK HOME GENERATION "0003 ffffffffffff 000005a0 aabbccddeeff001122334455", 8},
};

START_TEST(reserved_ignored)
{
    struct datagram d = datagram_of(reserved[_i].sent, 1);
    struct delegation_records records = records_of(&d);
    struct delegation_record out, sample = kinds[reserved[_i].kind].sample();
    ck_assert(delegation_next(&records, &out));
    record_same(&out, &sample);
}
END_TEST

START_TEST(unused_bits_sent_as_zero)
{
    uint8_t bytes[256];
    struct writer w = writer_over(bytes, sizeof(bytes));
    struct delegation_record start = start_sample(), hello = hello_sample();
    start.start.flags = 0xff;
    hello.hello.term = 0xffabcdef;
    delegation_start_encode(&w, &start.start);
    delegation_hello_encode(&w, &hello.hello);
    ck_assert_uint_eq(bytes[1], 0xfe);
    ck_assert_uint_eq(bytes[DELEGATION_START_SIZE + 8], 0);
}
END_TEST

#define UNKNOWN_8 "0000000000000000"

/* Which records come out: types, and their places. */
static const struct {
    const char *what, *hex;
    size_t count;
    uint8_t types[4];
    uint16_t indexes[4];
    size_t read;
    bool failed;
} sequences[] = {
    {"no record", "", 0, {0}, {0}, 0, false},
    {"three", STOP_HEX LEASE_HEX STOP_HEX, 3, {2, 6, 2}, {0, 1, 2}, 3, false},
    {"unknown, type 128: skipped", "80000008 00000000" LEASE_HEX, 2, {6}, {1}, 1, false},
    {"unknown, type 255: skipped",
     LEASE_HEX "ff000010 00000000" UNKNOWN_8 LEASE_HEX,
     3,
     {6, 6},
     {0, 2},
     2,
     false},
    {"unknown, type 127: bad", "7f000008 00000000" LEASE_HEX, 2, {0, 6}, {0, 1}, 2, false},
    {"unknown, type 10: bad", LEASE_HEX "0a000010 00000000" UNKNOWN_8, 2, {6, 0}, {0, 1}, 2, false},
    {"unknown, type 0: bad", "00000008 00000000", 1, {0}, {0}, 1, false},
    {"skipped at the end", LEASE_HEX "80000008 00000000", 2, {6}, {0}, 1, false},
    {"skipped alone", "80000008 00000000", 1, {0}, {0}, 0, false},

    {"length 0", LEASE_HEX "80000000 00000000", 2, {6}, {0}, 1, true},
    {"length 0, below 128", LEASE_HEX "01000000 00000000", 2, {6}, {0}, 1, true},
    {"length 4: not a multiple of 8", LEASE_HEX "80000004 00000000", 2, {6}, {0}, 1, true},
    {"length 12: not a multiple of 8", LEASE_HEX "8000000c 00000000" UNKNOWN_8, 2, {6}, {0}, 1, true},
    {"length beyond the end", LEASE_HEX "80000010 00000000", 2, {6}, {0}, 1, true},
    {"longest length", LEASE_HEX "8000fff8 00000000", 2, {6}, {0}, 1, true},
    {"rest of 4 bytes", LEASE_HEX "80000008", 2, {6}, {0}, 1, true},
    {"rest of 3 bytes", LEASE_HEX "800000", 2, {6}, {0}, 1, true},
    {"rest beyond the count", LEASE_HEX "80", 1, {6}, {0}, 1, true},
    {"one more than the count", LEASE_HEX LEASE_HEX, 1, {6}, {0}, 1, true},
    {"one fewer than the count", LEASE_HEX, 2, {6}, {0}, 1, true},
    {"none of one", "", 1, {0}, {0}, 0, true},
    {"one of none", LEASE_HEX, 0, {0}, {0}, 0, true},
};

START_TEST(records_in_sequence)
{
    struct datagram d = datagram_of(sequences[_i].hex, sequences[_i].count);
    struct delegation_records records = records_of(&d);
    struct delegation_record out;
    size_t n = 0;
    for (; delegation_next(&records, &out); n++) {
        ck_assert_uint_lt(n, sequences[_i].read);
        ck_assert_msg(out.type == sequences[_i].types[n], "%s: type %u", sequences[_i].what, out.type);
        ck_assert_msg(out.index == sequences[_i].indexes[n], "%s: index %u", sequences[_i].what, out.index);
    }
    ck_assert_msg(n == sequences[_i].read, "%s: %zu records", sequences[_i].what, n);
    ck_assert_msg(records.failed == sequences[_i].failed, "%s", sequences[_i].what);
    ck_assert(!delegation_next(&records, &out)); /* and so it stays */
    ck_assert(records.failed == sequences[_i].failed);
}
END_TEST

static const struct {
    const char *what, *hex;
    bool good;
} digests[] = {
    {"no bucket", "08000008 0000 0000", true},
    {"no bucket behind the last", "08000008 0400 0000", true},
    {"the last bucket", "08000010 03ff 0001 0102030405060708", true},
    {"a bucket behind the last", "08000010 0400 0001 0102030405060708", false},
    {"first and count beyond 16 bits", "08000010 ffff 0001 0102030405060708", false},
    {"fewer values than counted", "08000010 0000 0002 0102030405060708", false},
    {"far fewer values than counted", "08000010 0000 ffff 0102030405060708", false},
    {"more values than counted", "08000018 0000 0001 0102030405060708 0102030405060708", true},
};

START_TEST(digest_of_buckets_that_exist)
{
    struct datagram d = datagram_of(digests[_i].hex, 1);
    struct delegation_records records = records_of(&d);
    struct delegation_record out;
    ck_assert(delegation_next(&records, &out));
    ck_assert_msg((out.type == DELEGATION_RECORD_DIGEST) == digests[_i].good, "%s", digests[_i].what);
}
END_TEST

START_TEST(digest_too_long_for_a_datagram)
{
    static const uint64_t values[9000];
    static const uint16_t counts[] = {(DELEGATION_MAX - DELEGATION_DIGEST_SIZE) / 8 + 1, 8191, 8192, 9000};
    static uint8_t bytes[80000];
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct writer w = writer_over(bytes, sizeof(bytes));
        delegation_digest_encode(&w, 0, counts[i], values);
        ck_assert(w.failed);
    }
}
END_TEST

/* ---- Header ---- */

static struct delegation_header sample_header(void)
{
    return (struct delegation_header){.type = DELEGATION_SYNC_DATA,
                                      .flags = DELEGATION_RESPONSE | DELEGATION_MORE | DELEGATION_LAST |
                                               DELEGATION_URGENT,
                                      .records = 2,
                                      .spi = 0x123,
                                      .epoch = UINT64_C(0xa1a2a3a4a5a6a7a8),
                                      .peer_epoch = UINT64_C(0xb1b2b3b4b5b6b7b8),
                                      .sequence = 0x10203,
                                      .transaction = 0xc1c2c3c4,
                                      .request = 0xd1d2,
                                      .node = 0xe1e2};
}

static void header_same(const struct delegation_header *a, const struct delegation_header *b)
{
    SAME(type);
    SAME(flags);
    SAME(records);
    SAME(spi);
    SAME(epoch);
    SAME(peer_epoch);
    SAME(sequence);
    SAME(transaction);
    SAME(request);
    SAME(node);
}

static void sample_records_write(struct writer *w)
{
    struct delegation_record stop = stop_sample(), ack = ack_sample();
    delegation_begin(w);
    delegation_stop_encode(w, &stop.stop);
    delegation_ack_encode(w, &ack.ack);
}

START_TEST(datagram_sealed)
{
    uint8_t bytes[DELEGATION_MAX];
    struct datagram right = sample_datagram();
    struct writer w = writer_over(bytes, sizeof(bytes));
    struct delegation_header header = sample_header();
    header.flags = 0xff; /* what is not a flag is sent as 0 */
    header.records = 77; /* not read: it counts itself */
    sample_records_write(&w);
    ck_assert(delegation_seal(&w, &header, &key, auth));
    ck_assert_uint_eq(writer_len(&w), right.len);
    ck_assert_mem_eq(bytes, right.bytes, right.len);
}
END_TEST

START_TEST(datagram_not_sealed_without_room)
{
    uint8_t bytes[DELEGATION_MAX];
    struct delegation_header header = sample_header();
    for (size_t room = 0; room < DATAGRAM_LEN; room++) {
        struct writer w = writer_over(bytes, room);
        sample_records_write(&w);
        ck_assert_msg(!delegation_seal(&w, &header, &key, auth), "in %zu bytes", room);
    }
}
END_TEST

/* filler: bytes of one record behind the header. */
static bool seals_with(size_t filler)
{
    uint8_t bytes[2 * DELEGATION_MAX] = {0};
    struct delegation_header header = sample_header();
    struct writer w = writer_over(bytes, sizeof(bytes));
    delegation_begin(&w);
    uint8_t *record = write_reserve(&w, filler);
    record[0] = 0x80;
    put_u16(record + 2, filler);
    return delegation_seal(&w, &header, &key, auth);
}

START_TEST(longest_datagram)
{
    enum { MOST = DELEGATION_MAX - DELEGATION_HEADER - DELEGATION_AUTHENTICATOR };
    ck_assert(seals_with(MOST - MOST % 8));
    ck_assert(!seals_with(MOST - MOST % 8 + 8));
    ck_assert_msg(!seals_with(12), "what is not a record is not sent");
}
END_TEST

START_TEST(datagram_not_sealed_with_another_algorithm)
{
    uint8_t bytes[DELEGATION_MAX];
    struct delegation_header header = sample_header();
    struct writer w = writer_over(bytes, sizeof(bytes));
    sample_records_write(&w);
    key.algorithm = AUTH_HMAC_SHA1;
    ck_assert(!delegation_seal(&w, &header, &key, auth));
}
END_TEST

START_TEST(datagram_decoded)
{
    struct datagram d = sample_datagram();
    struct delegation_header header, right = sample_header();
    struct delegation_records records;
    struct delegation_record out, stop = stop_sample(), ack = ack_sample();
    ck_assert_int_eq(delegation_decode(d.bytes, d.len, &header, &records), DELEGATION_DECODED);
    header_same(&header, &right);
    ck_assert(delegation_next(&records, &out));
    record_same(&out, &stop);
    ck_assert(delegation_next(&records, &out));
    record_same(&out, &ack);
    ck_assert(!delegation_next(&records, &out) && !records.failed);
}
END_TEST

START_TEST(truncated_datagram_refused)
{
    for (size_t len = 0; len < DATAGRAM_LEN; len++) {
        struct datagram d = sample_datagram();
        d.len = len;
        ck_assert_msg(decoded(&d) == DELEGATION_BAD_LENGTH, "%zu bytes", len);
    }
}
END_TEST

/* The records of a datagram cut anywhere whose header hides it: none is read beyond the cut. */
START_TEST(truncated_records_fail)
{
    for (size_t len = DELEGATION_HEADER + DELEGATION_AUTHENTICATOR; len < DATAGRAM_LEN; len++) {
        struct datagram d = sample_datagram();
        struct delegation_header header;
        struct delegation_records records;
        struct delegation_record out;
        d.len = len;
        put_u16(d.bytes + LENGTH_AT, len);
        uint8_t *bytes = exact_copy(&d);
        ck_assert_int_eq(delegation_decode(bytes, len, &header, &records), DELEGATION_DECODED);
        size_t n = 0;
        while (delegation_next(&records, &out))
            n++;
        ck_assert_msg(records.failed && n <= 1, "%zu bytes: %zu records", len, n);
        free(bytes);
    }
}
END_TEST

static const struct {
    const char *what;
    size_t at;
    uint8_t value;
    enum delegation_decoded outcome;
} headers[] = {
    {"magic, first byte", 0, 0x47, DELEGATION_BAD_MAGIC},
    {"magic, last byte", 3, 0x51, DELEGATION_BAD_MAGIC},
    {"version 0", 4, 0, DELEGATION_BAD_VERSION},
    {"version 2", 4, 2, DELEGATION_BAD_VERSION},
    {"length one less", LENGTH_AT + 1, 0x9f, DELEGATION_BAD_LENGTH},
    {"length one more", LENGTH_AT + 1, 0xa1, DELEGATION_BAD_LENGTH},
    {"length far more", LENGTH_AT, 0x10, DELEGATION_BAD_LENGTH},
    {"no header", WORDS_AT, 0, DELEGATION_BAD_LENGTH},
    {"header of 11 words", WORDS_AT, 11, DELEGATION_BAD_LENGTH},
    {"header of 10 words", WORDS_AT, 10, DELEGATION_BAD_LENGTH},
    {"header of 13 words: the records would not be aligned", WORDS_AT, 13, DELEGATION_BAD_LENGTH},
    {"header of 36 words: up to the authenticator", WORDS_AT, 36, DELEGATION_DECODED},
    {"header of 38 words: into the authenticator", WORDS_AT, 38, DELEGATION_BAD_LENGTH},
    {"header of 254 words: beyond the end", WORDS_AT, 254, DELEGATION_BAD_LENGTH},
    {"type 0", TYPE_AT, 0, DELEGATION_DECODED},
    {"type 255", TYPE_AT, 255, DELEGATION_DECODED},
};

START_TEST(header_judged)
{
    struct datagram d = sample_datagram();
    d.bytes[headers[_i].at] = headers[_i].value;
    ck_assert_msg(decoded(&d) == headers[_i].outcome, "%s", headers[_i].what);
}
END_TEST

START_TEST(longer_header_skipped)
{
    struct datagram d = datagram_of("ffffffffffffffff 0102030405060708" STOP_HEX, 1);
    struct delegation_header header, right = sample_header();
    struct delegation_records records;
    struct delegation_record out, stop = stop_sample();
    right.records = 1;
    d.bytes[WORDS_AT] = 16;
    ck_assert_int_eq(delegation_decode(d.bytes, d.len, &header, &records), DELEGATION_DECODED);
    header_same(&header, &right);
    ck_assert(delegation_next(&records, &out));
    record_same(&out, &stop);
    ck_assert(!delegation_next(&records, &out) && !records.failed);
}
END_TEST

START_TEST(header_flags_that_are_none_ignored)
{
    struct datagram d = sample_datagram();
    struct delegation_header header;
    struct delegation_records records;
    d.bytes[9] = 0x0f;
    ck_assert_int_eq(delegation_decode(d.bytes, d.len, &header, &records), DELEGATION_DECODED);
    ck_assert_uint_eq(header.flags, 0);
}
END_TEST

START_TEST(too_long_datagram_refused)
{
    struct datagram d = {.bytes = {0}, .len = DELEGATION_MAX};
    hex_bytes(HEADER_HEX, d.bytes, sizeof(d.bytes));
    put_u16(d.bytes + LENGTH_AT, d.len);
    ck_assert_int_eq(decoded(&d), DELEGATION_DECODED);
    put_u16(d.bytes + LENGTH_AT, ++d.len);
    ck_assert_int_eq(decoded(&d), DELEGATION_BAD_LENGTH);
    ck_assert(!delegation_verify(d.bytes, d.len, &key, auth));
}
END_TEST

/* ---- Authenticator ---- */

START_TEST(authentic)
{
    struct datagram d = sample_datagram();
    ck_assert(delegation_verify(d.bytes, d.len, &key, auth));
}
END_TEST

START_TEST(every_bit_authenticated)
{
    struct datagram d = sample_datagram();
    for (size_t bit = 0; bit < 8 * d.len; bit++) {
        d.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(!delegation_verify(d.bytes, d.len, &key, auth), "bit %zu", bit);
        d.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
END_TEST

START_TEST(every_bit_of_the_key_counts)
{
    struct datagram d = sample_datagram();
    for (size_t bit = 0; bit < 8 * DELEGATION_KEY; bit++) {
        struct auth_key other = key;
        other.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(!delegation_verify(d.bytes, d.len, &other, auth), "bit %zu", bit);
    }
}
END_TEST

START_TEST(other_lengths_not_authentic)
{
    struct datagram d = sample_datagram();
    for (size_t len = 0; len < d.len; len++)
        ck_assert_msg(!delegation_verify(d.bytes, len, &key, auth), "%zu bytes", len);
}
END_TEST

/* Rightly signed, but not a datagram. */
START_TEST(too_short_not_authentic)
{
    enum { SHORT = DELEGATION_HEADER + DELEGATION_AUTHENTICATOR - 1 };
    struct datagram d = sample_datagram();
    uint8_t mac[AUTH_MAX];
    for (size_t len = DELEGATION_AUTHENTICATOR; len <= SHORT + 1; len++) {
        ck_assert(auth_sign(auth, &key, d.bytes, len - DELEGATION_AUTHENTICATOR, mac));
        memcpy(d.bytes + len - DELEGATION_AUTHENTICATOR, mac, DELEGATION_AUTHENTICATOR);
        ck_assert_msg(delegation_verify(d.bytes, len, &key, auth) == (len > SHORT), "%zu bytes", len);
    }
}
END_TEST

START_TEST(other_algorithms_not_authentic)
{
    struct datagram d = sample_datagram();
    uint8_t mac[AUTH_MAX];
    for (uint8_t algorithm = 0; algorithm < AUTH_ALGORITHMS; algorithm++) {
        key.algorithm = algorithm;
        ck_assert(auth_sign(auth, &key, d.bytes, d.len - DELEGATION_AUTHENTICATOR, mac));
        memcpy(d.bytes + d.len - DELEGATION_AUTHENTICATOR, mac, DELEGATION_AUTHENTICATOR);
        ck_assert(delegation_verify(d.bytes, d.len, &key, auth) == (algorithm == AUTH_HMAC_SHA256));
    }
}
END_TEST

/* ---- Session keys and digests ---- */

static const struct delegation_end primary_end = {
    .id = 1,
    .epoch = UINT64_C(0xa1a2a3a4a5a6a7a8),
    .nonce = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
static const struct delegation_end secondary_end = {.id = 0x102,
                                                    .epoch = UINT64_C(0xb1b2b3b4b5b6b7b8),
                                                    .nonce = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
                                                              0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe,
                                                              0xff}};

START_TEST(session_key)
{
    uint8_t right[DELEGATION_KEY];
    struct auth_key out;
    hex_bytes("c213218c8b48f77e78d2dc21f40c9022602e3324fc1fa35dde57fa4579bc545e", right, sizeof(right));
    ck_assert(delegation_session_key(&key, &primary_end, &secondary_end, auth, &out));
    ck_assert_uint_eq(out.len, DELEGATION_KEY);
    ck_assert_uint_eq(out.algorithm, AUTH_HMAC_SHA256);
    ck_assert_mem_eq(out.bytes, right, DELEGATION_KEY);
}
END_TEST

START_TEST(session_key_of_its_ends_alone)
{
    struct auth_key out, other;
    struct delegation_end changed = secondary_end;
    ck_assert(delegation_session_key(&key, &primary_end, &secondary_end, auth, &out));
    changed.nonce[15] ^= 1;
    ck_assert(delegation_session_key(&key, &primary_end, &changed, auth, &other));
    ck_assert_mem_ne(out.bytes, other.bytes, DELEGATION_KEY);
    ck_assert(delegation_session_key(&key, &secondary_end, &primary_end, auth, &other));
    ck_assert_mem_ne(out.bytes, other.bytes, DELEGATION_KEY);
    key.algorithm = AUTH_HMAC_MD5;
    ck_assert(!delegation_session_key(&key, &primary_end, &secondary_end, auth, &other));
}
END_TEST

START_TEST(entry_digest)
{
    struct addr one[] = {care_of}, two[] = {care_of, v6}, swapped[] = {v6, care_of}, eight[8];
    for (size_t i = 0; i < 8; i++)
        eight[i] = care_of;
    ck_assert(delegation_entry_digest(0, &home, GENERATION_7, one, 1) == UINT64_C(0x3240568011f1c947));
    ck_assert(delegation_entry_digest(0x01020304, &home, GENERATION_7, two, 2) ==
              UINT64_C(0x066a23cec76d14eb));
    ck_assert(delegation_entry_digest(0x01020304, &home, GENERATION_7, swapped, 2) ==
              UINT64_C(0x13b231aebb54b097));
    ck_assert(delegation_entry_digest(UINT32_MAX, &v6, UINT64_MAX, eight, 8) == UINT64_C(0xaa9c12b2a24454fe));
}
END_TEST

START_TEST(bucket)
{
    ck_assert_uint_eq(delegation_bucket(0, &home), 912);
    ck_assert_uint_eq(delegation_bucket(0x01020304, &home), 746);
    ck_assert_uint_eq(delegation_bucket(0, &v6), 892);
    ck_assert_uint_eq(delegation_bucket(UINT32_MAX, &v6), 349);
}
END_TEST

START_TEST(generation)
{
    ck_assert_uint_eq(delegation_term(GENERATION_7), 5);
    ck_assert_uint_eq(delegation_term(UINT64_MAX), 0xffffff);
    ck_assert_uint_eq(delegation_term((UINT64_C(6) << 40) - 1), 5);
    ck_assert(delegation_first_generation(5) == UINT64_C(5) << 40);
    ck_assert(delegation_first_generation(0xffffff) == UINT64_C(0xffffff0000000000));
}
END_TEST

/* The page's numbers again. */
START_TEST(names)
{
    ck_assert_str_eq(delegation_type_text(1), "hello");
    ck_assert_str_eq(delegation_type_text(12), "sync-data");
    ck_assert_str_eq(delegation_type_text(15), "event-ack");
    ck_assert_ptr_null(delegation_type_text(0));
    ck_assert_ptr_null(delegation_type_text(16));
    ck_assert_str_eq(delegation_status_text(0), "ok");
    ck_assert_str_eq(delegation_status_text(16), "stale");
    ck_assert_str_eq(delegation_status_text(26), "bad record");
    ck_assert_str_eq(delegation_status_text(30), "fenced");
    ck_assert_str_eq(delegation_status_text(28), "unknown");
    ck_assert_str_eq(delegation_status_text(255), "unknown");
}
END_TEST

static TCase *records_case(void)
{
    TCase *tcase = tcase_create("records");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, record_encoded, 0, ROWS(kinds));
    tcase_add_loop_test(tcase, record_encoded_without_room, 0, ROWS(kinds));
    tcase_add_loop_test(tcase, record_decoded, 0, ROWS(kinds));
    tcase_add_loop_test(tcase, longer_record_read_as_far_as_known, 0, ROWS(kinds));
    tcase_add_loop_test(tcase, shorter_record_is_bad_alone, 0, ROWS(kinds));
    tcase_add_loop_test(tcase, reserved_ignored, 0, ROWS(reserved));
    tcase_add_test(tcase, unused_bits_sent_as_zero);
    tcase_add_loop_test(tcase, records_in_sequence, 0, ROWS(sequences));
    tcase_add_loop_test(tcase, digest_of_buckets_that_exist, 0, ROWS(digests));
    tcase_add_test(tcase, digest_too_long_for_a_datagram);
    return tcase;
}

static TCase *header_case(void)
{
    TCase *tcase = tcase_create("header");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, datagram_sealed);
    tcase_add_test(tcase, datagram_not_sealed_without_room);
    tcase_add_test(tcase, longest_datagram);
    tcase_add_test(tcase, datagram_not_sealed_with_another_algorithm);
    tcase_add_test(tcase, datagram_decoded);
    tcase_add_test(tcase, truncated_datagram_refused);
    tcase_add_test(tcase, truncated_records_fail);
    tcase_add_loop_test(tcase, header_judged, 0, ROWS(headers));
    tcase_add_test(tcase, longer_header_skipped);
    tcase_add_test(tcase, header_flags_that_are_none_ignored);
    tcase_add_test(tcase, too_long_datagram_refused);
    return tcase;
}

static TCase *keys_case(void)
{
    TCase *tcase = tcase_create("keys");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, authentic);
    tcase_add_test(tcase, every_bit_authenticated);
    tcase_add_test(tcase, every_bit_of_the_key_counts);
    tcase_add_test(tcase, other_lengths_not_authentic);
    tcase_add_test(tcase, too_short_not_authentic);
    tcase_add_test(tcase, other_algorithms_not_authentic);
    tcase_add_test(tcase, session_key);
    tcase_add_test(tcase, session_key_of_its_ends_alone);
    tcase_add_test(tcase, entry_digest);
    tcase_add_test(tcase, bucket);
    tcase_add_test(tcase, generation);
    tcase_add_test(tcase, names);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("delegation");
    suite_add_tcase(suite, records_case());
    suite_add_tcase(suite, header_case());
    suite_add_tcase(suite, keys_case());
    return check_main(suite);
}
