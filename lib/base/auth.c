/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HMAC spelled out over libcrypto's digests: H(key ^ opad, H(key ^ ipad, text)), RFC 2104 section 2. Every
 * message has another key, and libcrypto's own HMAC pays for a change of key with allocations; a digest
 * context that stays initialised costs little more than half of that.
 */
#include "auth.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 64 /* bytes; the same for MD5, SHA-1 and SHA-256 */

static_assert(AUTH_KEY_MAX <= BLOCK, "a longer key would have to be hashed first (RFC 2104 section 2)");

static const struct {
    const char *name;
    const char *digest;
    size_t size;
} algorithms[AUTH_ALGORITHMS] = {
    [AUTH_HMAC_MD5] = {"hmac-md5", "MD5", 16},
    [AUTH_HMAC_SHA1] = {"hmac-sha1", "SHA1", 20},
    [AUTH_HMAC_SHA256] = {"hmac-sha256", "SHA256", 32},
};

struct auth {
    EVP_MD_CTX *digest[AUTH_ALGORITHMS];
};

static EVP_MD_CTX *digest_create(const char *name)
{
    EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ready = md != NULL && ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
    EVP_MD_free(md); /* the context holds its own reference */
    if (ready)
        return ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

struct auth *auth_create(void)
{
    struct auth *auth = calloc(1, sizeof(*auth));
    if (auth == NULL)
        return NULL;
    for (size_t i = 0; i < AUTH_ALGORITHMS; i++) {
        auth->digest[i] = digest_create(algorithms[i].digest);
        if (auth->digest[i] == NULL) {
            auth_destroy(auth);
            return NULL;
        }
    }
    return auth;
}

void auth_destroy(struct auth *auth)
{
    if (auth == NULL)
        return;
    for (size_t i = 0; i < AUTH_ALGORITHMS; i++)
        EVP_MD_CTX_free(auth->digest[i]);
    free(auth);
}

size_t auth_size(enum auth_algorithm algorithm)
{
    return algorithm < AUTH_ALGORITHMS ? algorithms[algorithm].size : 0;
}

const char *auth_name(enum auth_algorithm algorithm)
{
    return algorithm < AUTH_ALGORITHMS ? algorithms[algorithm].name : NULL;
}

bool auth_by_name(const char *name, enum auth_algorithm *out)
{
    for (size_t i = 0; i < AUTH_ALGORITHMS; i++) {
        if (strcmp(name, algorithms[i].name) == 0) {
            *out = (enum auth_algorithm)i;
            return true;
        }
    }
    return false;
}

static void key_pad(const struct auth_key *key, uint8_t pad, uint8_t block[static BLOCK])
{
    memset(block, pad, BLOCK);
    for (size_t i = 0; i < key->len; i++)
        block[i] ^= key->bytes[i];
}

/* H(block, data) */
static bool digest_of(EVP_MD_CTX *ctx, const uint8_t block[static BLOCK], const void *data, size_t len,
                      uint8_t *out)
{
    return EVP_DigestInit_ex2(ctx, NULL, NULL) == 1 && EVP_DigestUpdate(ctx, block, BLOCK) == 1 &&
           EVP_DigestUpdate(ctx, data, len) == 1 && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

bool auth_sign(struct auth *auth, const struct auth_key *key, const void *data, size_t len,
               uint8_t out[static AUTH_MAX])
{
    if (key->algorithm >= AUTH_ALGORITHMS || key->len > AUTH_KEY_MAX)
        return false;
    EVP_MD_CTX *ctx = auth->digest[key->algorithm];
    uint8_t block[BLOCK];
    uint8_t inner[AUTH_MAX];

    key_pad(key, 0x36, block);
    if (!digest_of(ctx, block, data, len, inner))
        return false;
    key_pad(key, 0x5c, block);
    return digest_of(ctx, block, inner, algorithms[key->algorithm].size, out);
}

bool auth_verify(struct auth *auth, const struct auth_key *key, const void *data, size_t len,
                 const uint8_t *mac, size_t mac_len)
{
    uint8_t right[AUTH_MAX];
    if (!auth_sign(auth, key, data, len, right) || mac_len != algorithms[key->algorithm].size)
        return false;
    return CRYPTO_memcmp(right, mac, mac_len) == 0;
}
