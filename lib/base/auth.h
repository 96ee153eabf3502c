/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Message authentication: HMACs through libcrypto (RFC 2104), compared in constant time.
 *
 * A struct auth holds libcrypto's contexts so that signing allocates nothing. It belongs to one
 * thread; make one for each thread that signs.
 */
#ifndef BASE_AUTH_H
#define BASE_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum auth_algorithm {
    AUTH_HMAC_MD5, /* the mandatory one of RFC 5944 section 5.1 */
    AUTH_HMAC_SHA1,
    AUTH_HMAC_SHA256,
    AUTH_ALGORITHMS /* how many there are */
};

enum { AUTH_MAX = 32, AUTH_KEY_MAX = 64 }; /* bytes: longest authenticator, longest key */

struct auth_key {
    uint8_t bytes[AUTH_KEY_MAX];
    uint8_t len;
    uint8_t algorithm; /* enum auth_algorithm */
};

struct auth;

/* NULL: libcrypto lacks an algorithm or memory is out. */
struct auth *auth_create(void);
void auth_destroy(struct auth *auth);

/* Length in bytes of the algorithm's whole authenticator: 16, 20, 32. */
size_t auth_size(enum auth_algorithm algorithm);
/* "hmac-md5", "hmac-sha1", "hmac-sha256"; NULL beyond. */
const char *auth_name(enum auth_algorithm algorithm);
/* False: no such name; *out untouched. */
bool auth_by_name(const char *name, enum auth_algorithm *out);

/* Writes auth_size(key->algorithm) bytes to out. False: libcrypto failed, out is unusable. */
bool auth_sign(struct auth *auth, const struct auth_key *key, const void *data, size_t len,
               uint8_t out[static AUTH_MAX]) __attribute__((warn_unused_result));
/* True: mac is the whole authenticator over data. A shorter or longer mac is false. */
bool auth_verify(struct auth *auth, const struct auth_key *key, const void *data, size_t len,
                 const uint8_t *mac, size_t mac_len) __attribute__((warn_unused_result));

#endif
