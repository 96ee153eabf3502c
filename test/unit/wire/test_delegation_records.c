/* SPDX-License-Identifier: BSD-3-Clause */
/* Records: each by itself, and which come out of a datagram. */
#include "delegation_check.h"

#include <stdio.h>

static struct delegation_records records_of(const struct datagram *d)
{
    struct delegation_header header;
    struct delegation_records records;
    ck_assert_int_eq(delegation_decode(d->bytes, d->len, &header, &records), DELEGATION_DECODED);
    return records;
}

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
    struct delegation_record out, sample = kinds[_i].sample(), lease = sample_of(DELEGATION_RECORD_LEASE);
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
    struct delegation_record out, lease = sample_of(DELEGATION_RECORD_LEASE);
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
    uint8_t type;
} reserved[] = {
    {"START",
     "01e90058" LINK HOME CARE_OF V6 GENERATION "001b7740 010203ff 01b205c8 a1a2a3a4 e8d5c3b2a1908070",
     DELEGATION_RECORD_START},
    {"STOP", "02ff0030" LINK HOME GENERATION "04 02 012c" MAC "ffffffffffff", DELEGATION_RECORD_STOP},
    {"ACK", "03ff0030" LINK HOME GENERATION "0000050000000009 001b7740 1e 03 0102", DELEGATION_RECORD_ACK},
    {"LOAD",
     "05ff0050 04 ff 0384 00989680 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008"
     "ffffffff c1c2c3c4c5c6c7c8" GENERATION "00015180 ffffffff 0000000000000102",
     DELEGATION_RECORD_LOAD},
    {"LEASE", "06ff0020 000005dc" GENERATION "0000000000000102 2710 0064 ffffffff", DELEGATION_RECORD_LEASE},
    {"HELLO", "07ff0040 03 01 02 ff ffabcdef 11223344" NONCE PEER_NONCE "003f 0578" MAC "ffffffffffff",
     DELEGATION_RECORD_HELLO},
    {"EVENT", "09ff0038" LINK HOME GENERATION "0003 ffffffffffff 000005a0 aabbccddeeff001122334455",
     DELEGATION_RECORD_EVENT},
};

START_TEST(reserved_ignored)
{
    struct datagram d = datagram_of(reserved[_i].sent, 1);
    struct delegation_records records = records_of(&d);
    struct delegation_record out, sample = sample_of(reserved[_i].type);
    ck_assert(delegation_next(&records, &out));
    record_same(&out, &sample);
}
END_TEST

START_TEST(unused_bits_sent_as_zero)
{
    uint8_t bytes[256];
    struct writer w = writer_over(bytes, sizeof(bytes));
    struct delegation_record start = sample_of(DELEGATION_RECORD_START),
                             hello = sample_of(DELEGATION_RECORD_HELLO);
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

int main(void)
{
    Suite *suite = suite_create("delegation_records");
    TCase *records = delegation_case(suite, "records");
    tcase_add_loop_test(records, record_encoded, 0, KINDS);
    tcase_add_loop_test(records, record_encoded_without_room, 0, KINDS);
    tcase_add_loop_test(records, record_decoded, 0, KINDS);
    tcase_add_loop_test(records, longer_record_read_as_far_as_known, 0, KINDS);
    tcase_add_loop_test(records, shorter_record_is_bad_alone, 0, KINDS);
    tcase_add_loop_test(records, reserved_ignored, 0, ROWS(reserved));
    tcase_add_test(records, unused_bits_sent_as_zero);
    tcase_add_loop_test(records, records_in_sequence, 0, ROWS(sequences));
    tcase_add_loop_test(records, digest_of_buckets_that_exist, 0, ROWS(digests));
    tcase_add_test(records, digest_too_long_for_a_datagram);
    return check_main(suite);
}
