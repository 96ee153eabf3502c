/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams for a Check suite. MACs and keys are Python's. */
#ifndef TEST_WIRE_DELEGATION_CHECK_H
#define TEST_WIRE_DELEGATION_CHECK_H

#include "../check_main.h"
#include "delegation_samples.h"

#define HEADER_HEX                                                                                         \
    "48414450 01 0c 00a0 0c f0 0002 00000123 a1a2a3a4a5a6a7a8 b1b2b3b4b5b6b7b8 0000000000010203 c1c2c3c4 " \
    "d1d2 e1e2"
#define MAC_HEX      "8d4be5a39ccb7e63d1216aba411faaee"
#define DATAGRAM_HEX HEADER_HEX STOP_HEX ACK_HEX MAC_HEX

enum { LENGTH_AT = 6, COUNT_AT = 10, DATAGRAM_LEN = 160 };

static struct auth *auth;
static struct auth_key key;

static inline void setup(void)
{
    auth = auth_create();
    ck_assert_ptr_nonnull(auth);
    key = (struct auth_key){.len = DELEGATION_KEY, .algorithm = AUTH_HMAC_SHA256};
    for (uint8_t i = 0; i < key.len; i++)
        key.bytes[i] = (uint8_t)(0x40 + i);
}

static inline void teardown(void)
{
    auth_destroy(auth);
}

static inline TCase *delegation_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

struct datagram {
    uint8_t bytes[2 * DELEGATION_MAX];
    size_t len;
};

static inline void put_u16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static inline struct datagram sample_datagram(void)
{
    struct datagram d;
    d.len = hex_bytes(DATAGRAM_HEX, d.bytes, sizeof(d.bytes));
    ck_assert_uint_eq(d.len, DATAGRAM_LEN);
    return d;
}

/* A datagram of these records, its header saying count; the authenticator is not right. */
static inline struct datagram datagram_of(const char *records, size_t count)
{
    struct datagram d = {.len = 0};
    d.len = hex_bytes(HEADER_HEX, d.bytes, sizeof(d.bytes));
    d.len += hex_bytes(records, d.bytes + d.len, sizeof(d.bytes) - d.len);
    d.len += DELEGATION_AUTHENTICATOR;
    put_u16(d.bytes + LENGTH_AT, d.len);
    put_u16(d.bytes + COUNT_AT, count);
    return d;
}

#endif
