/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams and their header. */
#include "delegation_check.h"

enum { TYPE_AT = 5, WORDS_AT = 8 };

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
    struct delegation_record stop = sample_of(DELEGATION_RECORD_STOP), ack = sample_of(DELEGATION_RECORD_ACK);
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
    struct delegation_record out, stop = sample_of(DELEGATION_RECORD_STOP),
                                  ack = sample_of(DELEGATION_RECORD_ACK);
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
    struct delegation_record out, stop = sample_of(DELEGATION_RECORD_STOP);
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

int main(void)
{
    Suite *suite = suite_create("delegation");
    TCase *header = delegation_case(suite, "header");
    tcase_add_test(header, datagram_sealed);
    tcase_add_test(header, datagram_not_sealed_without_room);
    tcase_add_test(header, longest_datagram);
    tcase_add_test(header, datagram_not_sealed_with_another_algorithm);
    tcase_add_test(header, datagram_decoded);
    tcase_add_test(header, truncated_datagram_refused);
    tcase_add_test(header, truncated_records_fail);
    tcase_add_loop_test(header, header_judged, 0, ROWS(headers));
    tcase_add_test(header, longer_header_skipped);
    tcase_add_test(header, header_flags_that_are_none_ignored);
    tcase_add_test(header, too_long_datagram_refused);
    tcase_add_test(header, names);
    return check_main(suite);
}
