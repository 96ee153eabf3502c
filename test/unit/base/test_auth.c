/* SPDX-License-Identifier: BSD-3-Clause */
#include "auth.h"

#include "../check_main.h"

static struct auth *auth;

static void setup(void)
{
    auth = auth_create();
    ck_assert_ptr_nonnull(auth);
}

static void teardown(void)
{
    auth_destroy(auth);
}

#define AA_20 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DD_50 \
    "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
#define CD_50 \
    "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
#define HI_THERE   "4869205468657265"
#define WHAT_DO_YA "7768617420646f2079612077616e7420666f72206e6f7468696e673f"
#define TRUNCATION "546573742057697468205472756e636174696f6e"
#define KEY_25     "0102030405060708090a0b0c0d0e0f10111213141516171819"
#define KEY_64                                                         \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" \
    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
#define MOBILE_IP "4d6f62696c65204950"

/* RFC 2202 and RFC 4231 as far as a key of at most a block can say; then both ends of the key's length,
 * worked out by another implementation. */
static const struct {
    const char *what;
    enum auth_algorithm algorithm;
    const char *key, *data, *mac;
} vectors[] = {
    {"RFC 2202 section 2 case 1", AUTH_HMAC_MD5, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", HI_THERE,
     "9294727a3638bb1c13f48ef8158bfc9d"},
    {"RFC 2202 section 2 case 2", AUTH_HMAC_MD5, "4a656665", WHAT_DO_YA, "750c783e6ab0b503eaa86e310a5db738"},
    {"RFC 2202 section 2 case 3", AUTH_HMAC_MD5, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", DD_50,
     "56be34521d144c88dbb8c733f0e8b3f6"},
    {"RFC 2202 section 2 case 4", AUTH_HMAC_MD5, KEY_25, CD_50, "697eaf0aca3a3aea3a75164746ffaa79"},
    {"RFC 2202 section 2 case 5", AUTH_HMAC_MD5, "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", TRUNCATION,
     "56461ef2342edc00f9bab995690efd4c"},
    {"RFC 2202 section 3 case 1", AUTH_HMAC_SHA1, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", HI_THERE,
     "b617318655057264e28bc0b6fb378c8ef146be00"},
    {"RFC 2202 section 3 case 2", AUTH_HMAC_SHA1, "4a656665", WHAT_DO_YA,
     "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    {"RFC 2202 section 3 case 3", AUTH_HMAC_SHA1, AA_20, DD_50, "125d7342b9ac11cd91a39af48aa17b4f63f175d3"},
    {"RFC 2202 section 3 case 4", AUTH_HMAC_SHA1, KEY_25, CD_50, "4c9007f4026250c6bc8414f9bf50c86c2d7235da"},
    {"RFC 2202 section 3 case 5", AUTH_HMAC_SHA1, "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", TRUNCATION,
     "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"},
    {"RFC 4231 section 4.2", AUTH_HMAC_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", HI_THERE,
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"RFC 4231 section 4.3", AUTH_HMAC_SHA256, "4a656665", WHAT_DO_YA,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"RFC 4231 section 4.4", AUTH_HMAC_SHA256, AA_20, DD_50,
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"RFC 4231 section 4.5", AUTH_HMAC_SHA256, KEY_25, CD_50,
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"MD5, no key", AUTH_HMAC_MD5, "", MOBILE_IP, "5eaf0a295ecae402be7253155e645ac2"},
    {"MD5, longest key", AUTH_HMAC_MD5, KEY_64, MOBILE_IP, "eb5b197cefccd3e9895ac9b463388463"},
    {"SHA-1, no key", AUTH_HMAC_SHA1, "", MOBILE_IP, "d83feba7dc3db00999783bc0695f6154c10f95b5"},
    {"SHA-1, longest key", AUTH_HMAC_SHA1, KEY_64, MOBILE_IP, "9973e3c01a192987409c3c2197e2446b66afe156"},
    {"SHA-256, no key", AUTH_HMAC_SHA256, "", MOBILE_IP,
     "f82076e9f7ea23266a9745cd50f963547e68708f28fda4bf06414b58062e8342"},
    {"SHA-256, longest key", AUTH_HMAC_SHA256, KEY_64, MOBILE_IP,
     "5cf60b31ec6672438a048f49cd2bddf519ca82a96ae6a7edc120de6b29de6cd5"},
};

static struct auth_key key_of(enum auth_algorithm algorithm, const char *hex)
{
    struct auth_key key = {.algorithm = (uint8_t)algorithm};
    key.len = (uint8_t)hex_bytes(hex, key.bytes, sizeof(key.bytes));
    return key;
}

START_TEST(known_answers)
{
    uint8_t data[64], right[AUTH_MAX], mac[AUTH_MAX];
    struct auth_key key = key_of(vectors[_i].algorithm, vectors[_i].key);
    size_t len = hex_bytes(vectors[_i].data, data, sizeof(data));
    size_t mac_len = hex_bytes(vectors[_i].mac, right, sizeof(right));

    ck_assert_uint_eq(auth_size(vectors[_i].algorithm), mac_len);
    ck_assert(auth_sign(auth, &key, data, len, mac));
    ck_assert_msg(memcmp(mac, right, mac_len) == 0, "%s", vectors[_i].what);
    ck_assert_msg(auth_verify(auth, &key, data, len, right, mac_len), "%s", vectors[_i].what);
}
END_TEST

START_TEST(keys_and_algorithms_interleave)
{
    /* A context that kept something of the message before would show here. */
    for (int round = 0; round < 3; round++) {
        for (int i = ROWS(vectors) - 1; i >= 0; i--) {
            uint8_t data[64], right[AUTH_MAX];
            struct auth_key key = key_of(vectors[i].algorithm, vectors[i].key);
            size_t len = hex_bytes(vectors[i].data, data, sizeof(data));
            size_t mac_len = hex_bytes(vectors[i].mac, right, sizeof(right));
            ck_assert_msg(auth_verify(auth, &key, data, len, right, mac_len), "%s", vectors[i].what);
        }
    }
}
END_TEST

START_TEST(verify_refuses)
{
    enum auth_algorithm algorithm = (enum auth_algorithm)_i;
    struct auth_key key = key_of(algorithm, KEY_25);
    uint8_t data[9] = "Mobile IP";
    uint8_t mac[AUTH_MAX + 1] = {0};
    size_t size = auth_size(algorithm);
    ck_assert(auth_sign(auth, &key, data, sizeof(data), mac));
    ck_assert(auth_verify(auth, &key, data, sizeof(data), mac, size));

    ck_assert(!auth_verify(auth, &key, data, sizeof(data), mac, size - 1));
    ck_assert(!auth_verify(auth, &key, data, sizeof(data), mac, size + 1));
    ck_assert(!auth_verify(auth, &key, data, sizeof(data), mac, 0));
    ck_assert(!auth_verify(auth, &key, data, sizeof(data) - 1, mac, size));
    for (size_t bit = 0; bit < size * 8; bit++) {
        mac[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert(!auth_verify(auth, &key, data, sizeof(data), mac, size));
        mac[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < sizeof(data) * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert(!auth_verify(auth, &key, data, sizeof(data), mac, size));
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    key.bytes[24] ^= 1;
    ck_assert(!auth_verify(auth, &key, data, sizeof(data), mac, size));
}
END_TEST

START_TEST(impossible_keys)
{
    uint8_t mac[AUTH_MAX];
    struct auth_key no_algorithm = {.len = 16, .algorithm = AUTH_ALGORITHMS};
    ck_assert(!auth_sign(auth, &no_algorithm, "x", 1, mac));
    ck_assert(!auth_verify(auth, &no_algorithm, "x", 1, mac, 16));
    struct auth_key too_long = {.len = AUTH_KEY_MAX + 1, .algorithm = AUTH_HMAC_MD5};
    ck_assert(!auth_sign(auth, &too_long, "x", 1, mac));
}
END_TEST

static const struct {
    const char *name;
    enum auth_algorithm algorithm;
} names[] = {
    {"hmac-md5", AUTH_HMAC_MD5},
    {"hmac-sha1", AUTH_HMAC_SHA1},
    {"hmac-sha256", AUTH_HMAC_SHA256},
};

START_TEST(names_both_ways)
{
    enum auth_algorithm algorithm;
    ck_assert(auth_by_name(names[_i].name, &algorithm));
    ck_assert_int_eq(algorithm, names[_i].algorithm);
    ck_assert_str_eq(auth_name(algorithm), names[_i].name);
}
END_TEST

START_TEST(no_such_name)
{
    enum auth_algorithm algorithm = AUTH_HMAC_SHA1;
    ck_assert(!auth_by_name("md5", &algorithm));
    ck_assert(!auth_by_name("", &algorithm));
    ck_assert(!auth_by_name("HMAC-MD5", &algorithm));
    ck_assert_int_eq(algorithm, AUTH_HMAC_SHA1);
    ck_assert_ptr_null(auth_name(AUTH_ALGORITHMS));
    ck_assert_uint_eq(auth_size(AUTH_ALGORITHMS), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("auth");
    TCase *tc = tcase_create("auth");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, known_answers, 0, ROWS(vectors));
    tcase_add_test(tc, keys_and_algorithms_interleave);
    tcase_add_loop_test(tc, verify_refuses, 0, AUTH_ALGORITHMS);
    tcase_add_test(tc, impossible_keys);
    tcase_add_loop_test(tc, names_both_ways, 0, ROWS(names));
    tcase_add_test(tc, no_such_name);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
