/* SPDX-License-Identifier: BSD-3-Clause */
/* What a datagram is authenticated with. */
#include "delegation_check.h"

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

/* ---- Session keys ---- */

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

int main(void)
{
    Suite *suite = suite_create("delegation_keys");
    TCase *authenticator = delegation_case(suite, "authenticator");
    tcase_add_test(authenticator, authentic);
    tcase_add_test(authenticator, every_bit_authenticated);
    tcase_add_test(authenticator, every_bit_of_the_key_counts);
    tcase_add_test(authenticator, other_lengths_not_authentic);
    tcase_add_test(authenticator, too_short_not_authentic);
    tcase_add_test(authenticator, other_algorithms_not_authentic);

    TCase *keys = delegation_case(suite, "session keys");
    tcase_add_test(keys, session_key);
    tcase_add_test(keys, session_key_of_its_ends_alone);
    return check_main(suite);
}
