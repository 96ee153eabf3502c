/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ESP (RFC 4303) with configured keys, in transport mode or, where what it protects is a whole packet (next
 * header 41), in tunnel mode, as mobile nodes protect binding updates, acknowledgements and home tests with
 * it (RFC 3776, RFC 4877): AES-GCM (RFC 4106), AES-CBC (RFC 3602) or the null cipher (RFC 2410) with
 * HMAC-SHA-1-96 (RFC 2404) or HMAC-SHA-256-128 (RFC 4868), all by libcrypto.
 *
 * RFC 4106 section 2 wants AES-GCM's keys from a key exchange, because a nonce that comes twice under one key
 * betrays both packets and the key. Configured keys are used here all the same, each for one direction, with
 * nonces that begin anywhere among 2^64 at each start: that they meet is possible, but not to be expected.
 *
 * A packet is an ESP header from its first byte to the end of its integrity check value. A struct esp holds
 * one security association of one direction with libcrypto's contexts, so that nothing is allocated for a
 * packet. It belongs to one thread.
 */
#ifndef WIRE_ESP_H
#define WIRE_ESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ESP_KEY_MAX = 36, ESP_AUTH_KEY_MAX = 64, ESP_OVERHEAD_MAX = 8 + 16 + 16 + 2 + 16 };
enum { ESP_SPI_MIN = 256, ESP_WINDOW = 64 /* packets (RFC 4303 section 3.4.3) */ };

/* X(name, text, cipher key bytes at least, at most, authentication key bytes: 0 none) */
#define ESP_ALGORITHMS(X)                           \
    X(AES_GCM, "aes-gcm", 20, 36, 0)                \
    X(AES_CBC_SHA1, "aes-cbc-sha1", 16, 32, 20)     \
    X(AES_CBC_SHA256, "aes-cbc-sha256", 16, 32, 32) \
    X(NULL_SHA1, "null-sha1", 0, 0, 20)             \
    X(NULL_SHA256, "null-sha256", 0, 0, 32)

enum esp_algorithm {
#define X(name, text, least, most, auth) ESP_##name,
    ESP_ALGORITHMS(X)
#undef X
        ESP_ALGORITHMS_COUNT
};

/* What an SPI means in one direction. AES-GCM's key ends with its 4 bytes of salt (RFC 4106 section 8.1); AES
 * keys are of 16, 24 or 32 bytes. */
struct esp_association {
    uint32_t spi;
    uint8_t algorithm; /* enum esp_algorithm */
    /* Sequence numbers are judged (RFC 4303 section 3.4.3). Not with configured keys and a peer that begins
     * with 1 again under them; then they may cycle (section 3.3.3). */
    bool replay_protection;
    uint8_t key_len, auth_key_len;
    uint8_t key[ESP_KEY_MAX];
    uint8_t auth_key[ESP_AUTH_KEY_MAX];
};
/* Lengths fit the algorithm. */
bool esp_association_is_sound(const struct esp_association *sa);

/* Of a sound one: not by the null cipher. */
bool esp_association_encrypts(const struct esp_association *sa);

struct esp;

/* seed: of the initialization vectors, 8 bytes of it at least unlike those of any other start with the same
 * keys, for a counter begins there (RFC 4106 section 3.1). NULL: no memory, or libcrypto lacks it. */
struct esp *esp_create(const struct esp_association *sa, const uint8_t seed[static 16]);
void esp_destroy(struct esp *esp);
/* It was created from an association like this one. */
bool esp_is(const struct esp *esp, const struct esp_association *sa);

/* X(name, text) */
#define ESP_VERDICTS(X)                                         \
    X(OPENED, "opened")                                         \
    X(MALFORMED, "ESP packet malformed")                        \
    X(REPLAYED, "ESP packet replayed or older than the window") \
    X(FORGED, "ESP packet whose integrity check value is wrong")
enum esp_verdict {
#define X(name, text) ESP_##name,
    ESP_VERDICTS(X)
#undef X
};

/* Verifies, in the order of RFC 4303 section 3.4, and decrypts. out has room for len bytes; *out_len and
 * *next_header describe what was inside. The window moves only for what is authentic. */
enum esp_verdict esp_open(struct esp *esp, const uint8_t *packet, size_t len, uint8_t *out, size_t *out_len,
                          uint8_t *next_header);
/* Protects len bytes of next_header. out has room for len + ESP_OVERHEAD_MAX. Returns the packet's length;
 * 0: libcrypto failed, or there is replay protection and the sequence numbers are used up. */
size_t esp_seal(struct esp *esp, const uint8_t *inner, size_t len, uint8_t next_header, uint8_t *out);

/* The first four bytes of a packet; false: too short. */
bool esp_peek(const uint8_t *packet, size_t len, uint32_t *spi);

#endif
