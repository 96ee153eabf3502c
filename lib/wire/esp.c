/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "bytes.h"

enum { HEADER = 8 /* SPI, sequence number */, TRAILER = 2 /* pad length, next header */ };
enum { GCM_SALT = 4, GCM_IV = 8, GCM_TAG = 16, AES_BLOCK = 16, ALIGNMENT = 4, SEED = 16 };

static_assert(HEADER + AES_BLOCK + (AES_BLOCK - 1) + TRAILER + 16 <= ESP_OVERHEAD_MAX,
              "header, vector, padding, trailer and integrity check value of AES-CBC with SHA-256");

/* How an algorithm lays its packets out. */
struct layout {
    size_t iv_len;
    size_t align;   /* of payload, padding and trailer */
    size_t icv_len; /* RFC 2404: 12, RFC 4868: 16, RFC 4106: 16 */
    uint8_t hmac;   /* enum auth_algorithm; AUTH_ALGORITHMS: none, the cipher authenticates by itself */
};
static const struct layout layouts[ESP_ALGORITHMS_COUNT] = {
    [ESP_AES_GCM] = {GCM_IV, ALIGNMENT, GCM_TAG, AUTH_ALGORITHMS},
    [ESP_AES_CBC_SHA1] = {AES_BLOCK, AES_BLOCK, 12, AUTH_HMAC_SHA1},
    [ESP_AES_CBC_SHA256] = {AES_BLOCK, AES_BLOCK, 16, AUTH_HMAC_SHA256},
    [ESP_NULL_SHA1] = {0, ALIGNMENT, 12, AUTH_HMAC_SHA1},
    [ESP_NULL_SHA256] = {0, ALIGNMENT, 16, AUTH_HMAC_SHA256},
};

struct esp {
    struct esp_association sa;
    struct auth *auth;      /* NULL: the cipher authenticates */
    EVP_CIPHER_CTX *cipher; /* NULL: none */
    uint8_t seed[SEED];
    uint64_t sealed; /* packets; its low half is the sequence number of the last one */
    uint32_t newest; /* sequence number of an authentic packet */
    uint64_t window; /* bit i: newest - i has come */
};

/* ---- Associations ---- */
static const struct {
    uint8_t key_least, key_most, auth_key;
} algorithms[ESP_ALGORITHMS_COUNT] = {
#define X(name, text, least, most, auth) [ESP_##name] = {least, most, auth},
    ESP_ALGORITHMS(X)
#undef X
};

static size_t cipher_key_len(const struct esp_association *sa)
{
    return sa->key_len - (sa->algorithm == ESP_AES_GCM ? (size_t)GCM_SALT : 0);
}

bool esp_association_is_sound(const struct esp_association *sa)
{
    if (sa->spi < ESP_SPI_MIN || sa->algorithm >= ESP_ALGORITHMS_COUNT ||
        sa->key_len < algorithms[sa->algorithm].key_least || sa->key_len > algorithms[sa->algorithm].key_most)
        return false;
    return cipher_key_len(sa) % 8 == 0 && sa->auth_key_len == algorithms[sa->algorithm].auth_key;
}

bool esp_association_encrypts(const struct esp_association *sa)
{
    return sa->key_len > 0;
}

static const char *cipher_name(const struct esp_association *sa)
{
    static const char *const names[2][3] = {{"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"},
                                            {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"}};
    return names[sa->algorithm == ESP_AES_GCM][cipher_key_len(sa) / 8 - 2];
}

static EVP_CIPHER_CTX *cipher_create(const struct esp_association *sa)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, cipher_name(sa), NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const bool ready = cipher != NULL && ctx != NULL &&
                       EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, 1, NULL) == 1 &&
                       EVP_CIPHER_CTX_set_padding(ctx, 0) == 1;
    EVP_CIPHER_free(cipher); /* the context holds its own reference */
    if (ready)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

struct esp *esp_create(const struct esp_association *sa, const uint8_t seed[static 16])
{
    struct esp *esp = esp_association_is_sound(sa) ? calloc(1, sizeof(*esp)) : NULL;
    if (esp == NULL)
        return NULL;
    esp->sa = *sa;
    memcpy(esp->seed, seed, SEED);
    const bool has_hmac = layouts[sa->algorithm].hmac != AUTH_ALGORITHMS, has_cipher = sa->key_len > 0;
    esp->auth = has_hmac ? auth_create() : NULL;
    esp->cipher = has_cipher ? cipher_create(sa) : NULL;
    if ((has_hmac && esp->auth == NULL) || (has_cipher && esp->cipher == NULL)) {
        esp_destroy(esp);
        return NULL;
    }
    return esp;
}

void esp_destroy(struct esp *esp)
{
    if (esp == NULL)
        return;
    EVP_CIPHER_CTX_free(esp->cipher);
    auth_destroy(esp->auth);
    OPENSSL_cleanse(esp, sizeof(*esp));
    free(esp);
}

bool esp_is(const struct esp *esp, const struct esp_association *sa)
{
    return esp->sa.spi == sa->spi && esp->sa.algorithm == sa->algorithm && esp->sa.key_len == sa->key_len &&
           esp->sa.auth_key_len == sa->auth_key_len && esp->sa.replay_protection == sa->replay_protection &&
           memcmp(esp->sa.key, sa->key, sa->key_len) == 0 &&
           memcmp(esp->sa.auth_key, sa->auth_key, sa->auth_key_len) == 0;
}

/* ---- Ciphers ---- */

/* The key comes anew each time: libcrypto keeps it in a form that depends on the direction. */
static bool cipher_begin(struct esp *esp, const uint8_t *iv, bool encrypt)
{
    return EVP_CipherInit_ex2(esp->cipher, NULL, esp->sa.key, iv, encrypt, NULL) == 1;
}

static bool cipher_run(struct esp *esp, const uint8_t *iv, bool encrypt, const uint8_t *in, size_t len,
                       uint8_t *out)
{
    int n;
    return cipher_begin(esp, iv, encrypt) && EVP_CipherUpdate(esp->cipher, out, &n, in, (int)len) == 1;
}

/* RFC 4106 sections 4 and 5: salt and vector are the nonce, SPI and sequence number are authenticated too. */
static bool gcm_begin(struct esp *esp, const uint8_t *packet, bool encrypt)
{
    uint8_t nonce[GCM_SALT + GCM_IV];
    int n;
    memcpy(nonce, esp->sa.key + cipher_key_len(&esp->sa), GCM_SALT);
    memcpy(nonce + GCM_SALT, packet + HEADER, GCM_IV);
    return cipher_begin(esp, nonce, encrypt) && EVP_CipherUpdate(esp->cipher, NULL, &n, packet, HEADER) == 1;
}

static bool gcm_encrypt(struct esp *esp, uint8_t *packet, size_t len)
{
    uint8_t *text = packet + HEADER + GCM_IV;
    int n;
    return gcm_begin(esp, packet, true) && EVP_CipherUpdate(esp->cipher, text, &n, text, (int)len) == 1 &&
           EVP_CipherFinal_ex(esp->cipher, text + n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(esp->cipher, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, text + len) == 1;
}

static bool gcm_decrypt(struct esp *esp, const uint8_t *packet, size_t len, uint8_t *out)
{
    const uint8_t *text = packet + HEADER + GCM_IV;
    uint8_t tag[GCM_TAG];
    int n;
    memcpy(tag, text + len, GCM_TAG);
    if (gcm_begin(esp, packet, false) && EVP_CipherUpdate(esp->cipher, out, &n, text, (int)len) == 1 &&
        EVP_CIPHER_CTX_ctrl(esp->cipher, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, tag) == 1 &&
        EVP_CipherFinal_ex(esp->cipher, out + n, &n) == 1)
        return true;
    OPENSSL_cleanse(out, len); /* nobody is to use what is not authentic */
    return false;
}

/* RFC 2404, RFC 4868: over everything in front of it, cut to its length. */
static bool icv_of(struct esp *esp, const uint8_t *packet, size_t len, uint8_t icv[static AUTH_MAX])
{
    struct auth_key key = {.algorithm = layouts[esp->sa.algorithm].hmac, .len = esp->sa.auth_key_len};
    memcpy(key.bytes, esp->sa.auth_key, key.len);
    return auth_sign(esp->auth, &key, packet, len, icv);
}

/* ---- Anti-replay window (RFC 4303 section 3.4.3) ---- */
static bool is_replay(const struct esp *esp, uint32_t sequence)
{
    if (sequence == 0)
        return true; /* the first packet has number 1 */
    if (sequence > esp->newest)
        return false;
    const uint32_t age = esp->newest - sequence;
    return age >= ESP_WINDOW || (esp->window >> age & 1) != 0;
}

static void window_move(struct esp *esp, uint32_t sequence)
{
    if (sequence > esp->newest) {
        const uint32_t by = sequence - esp->newest;
        esp->window = by < ESP_WINDOW ? esp->window << by : 0;
        esp->newest = sequence;
    }
    const uint32_t age = esp->newest - sequence;
    if (age < ESP_WINDOW)
        esp->window |= UINT64_C(1) << age;
}

/* ---- Opening ---- */
bool esp_peek(const uint8_t *packet, size_t len, uint32_t *spi)
{
    struct reader r = reader_over(packet, len);
    const uint32_t value = read_u32(&r);
    if (!r.failed)
        *spi = value;
    return !r.failed;
}

static bool authentic_text(struct esp *esp, const uint8_t *packet, size_t text_len, uint8_t *out)
{
    const struct layout *l = &layouts[esp->sa.algorithm];
    const size_t covered = HEADER + l->iv_len + text_len;
    uint8_t right[AUTH_MAX];
    if (l->hmac == AUTH_ALGORITHMS)
        return gcm_decrypt(esp, packet, text_len, out);
    if (!icv_of(esp, packet, covered, right) || CRYPTO_memcmp(right, packet + covered, l->icv_len) != 0)
        return false;
    if (esp->cipher != NULL)
        return cipher_run(esp, packet + HEADER, false, packet + HEADER + l->iv_len, text_len, out);
    memcpy(out, packet + HEADER, text_len);
    return true;
}

/* Takes the trailer off: padding of 1, 2, 3 ... is looked at (RFC 4303 section 2.4). */
static bool trailer_strip(const uint8_t *text, size_t text_len, size_t *len, uint8_t *next_header)
{
    const size_t padding = text[text_len - TRAILER];
    if (padding > text_len - TRAILER)
        return false;
    *len = text_len - TRAILER - padding;
    *next_header = text[text_len - 1];
    for (size_t i = 0; i < padding; i++)
        if (text[*len + i] != i + 1)
            return false;
    return true;
}

enum esp_verdict esp_open(struct esp *esp, const uint8_t *packet, size_t len, uint8_t *out, size_t *out_len,
                          uint8_t *next_header)
{
    const struct layout *l = &layouts[esp->sa.algorithm];
    const size_t around = HEADER + l->iv_len + l->icv_len;
    struct reader r = reader_over(packet, len);
    const uint32_t spi = read_u32(&r), sequence = read_u32(&r);
    if (len < around + l->align || (len - around) % l->align != 0 || spi != esp->sa.spi)
        return ESP_MALFORMED;
    if (esp->sa.replay_protection && is_replay(esp, sequence))
        return ESP_REPLAYED;
    if (!authentic_text(esp, packet, len - around, out))
        return ESP_FORGED;
    window_move(esp, sequence);
    return trailer_strip(out, len - around, out_len, next_header) ? ESP_OPENED : ESP_MALFORMED;
}

/* ---- Sealing ---- */

/* GCM's is a counter, which never repeats (RFC 4106 section 3.1). CBC's must be unpredictable (RFC 3602
 * section 3): a counter's encryption under the same key. */
static bool iv_write(struct esp *esp, uint8_t *out)
{
    static const uint8_t zeros[AES_BLOCK];
    uint8_t counter[SEED];
    struct reader r = reader_over(esp->seed, SEED);
    struct writer w = writer_over(counter, SEED);
    if (esp->cipher == NULL)
        return true;
    write_u64(&w, read_u64(&r) + esp->sealed);
    write_u64(&w, read_u64(&r));
    if (esp->sa.algorithm != ESP_AES_GCM)
        return cipher_run(esp, zeros, true, counter, AES_BLOCK, out);
    memcpy(out, counter, GCM_IV);
    return true;
}

/* Writes payload, padding and trailer; returns their length. */
static size_t text_write(const struct layout *l, const uint8_t *inner, size_t len, uint8_t next_header,
                         uint8_t *out)
{
    const size_t padding = (l->align - (len + TRAILER) % l->align) % l->align;
    memcpy(out, inner, len);
    for (size_t i = 0; i < padding; i++)
        out[len + i] = (uint8_t)(i + 1);
    out[len + padding] = (uint8_t)padding;
    out[len + padding + 1] = next_header;
    return len + padding + TRAILER;
}

static bool protect(struct esp *esp, uint8_t *packet, size_t text_len)
{
    const struct layout *l = &layouts[esp->sa.algorithm];
    uint8_t *text = packet + HEADER + l->iv_len;
    uint8_t icv[AUTH_MAX];
    if (l->hmac == AUTH_ALGORITHMS)
        return gcm_encrypt(esp, packet, text_len);
    if (esp->cipher != NULL && !cipher_run(esp, packet + HEADER, true, text, text_len, text))
        return false;
    if (!icv_of(esp, packet, HEADER + l->iv_len + text_len, icv))
        return false;
    memcpy(text + text_len, icv, l->icv_len);
    return true;
}

size_t esp_seal(struct esp *esp, const uint8_t *inner, size_t len, uint8_t next_header, uint8_t *out)
{
    const struct layout *l = &layouts[esp->sa.algorithm];
    struct writer w = writer_over(out, HEADER);
    if (esp->sa.replay_protection && esp->sealed == UINT32_MAX) /* RFC 4303 section 3.3.3 */
        return 0;
    esp->sealed++;
    write_u32(&w, esp->sa.spi);
    write_u32(&w, (uint32_t)esp->sealed);
    if (!iv_write(esp, out + HEADER))
        return 0;
    const size_t text_len = text_write(l, inner, len, next_header, out + HEADER + l->iv_len);
    return protect(esp, out, text_len) ? HEADER + l->iv_len + text_len + l->icv_len : 0;
}
