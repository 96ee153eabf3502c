/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sample of each record, as bytes put together by hand from the tables of doc/delegation-protocol.md, a
 * field a string, and as what they say. No field is zero.
 */
#ifndef TEST_WIRE_DELEGATION_SAMPLES_H
#define TEST_WIRE_DELEGATION_SAMPLES_H

#include "delegation.h"

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

#define GENERATION_7 ((UINT64_C(5) << 40) + 7)

extern const struct addr home, care_of, v6;

enum { KINDS = 9 };

/* Of records: type 1 comes first. */
extern const struct kind {
    const char *what;
    const char *hex;
    struct delegation_record (*sample)(void);
    void (*write)(struct writer *w, const struct delegation_record *r);
} kinds[KINDS];

/* Of this type. */
struct delegation_record sample_of(uint8_t type);

/* What was decoded is what the sample says. */
void record_same(const struct delegation_record *decoded, const struct delegation_record *sample);

/* In functions that compare *a and *b. */
#define SAME(field) ck_assert_msg(a->field == b->field, "%s", #field)

#endif
