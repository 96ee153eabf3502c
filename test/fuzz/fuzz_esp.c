/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ESP packets: as they are to every algorithm, where next to nothing is authentic; then with their integrity
 * check value made right, so that padding and trailer are looked at. The input is the packet.
 */
#include "auth.h"
#include "bytes.h"
#include "esp.h"
#include "fuzz.h"

enum { SPI = 0x1234abcd, PACKET_MAX = 4096, ICV = 12, HEADER = 8 };

static const uint8_t seed[16];

static struct esp_association association(enum esp_algorithm algorithm)
{
    static const uint8_t key_len[] = {20, 16, 32, 0, 0}, auth_key_len[] = {0, 20, 32, 20, 32};
    return (struct esp_association){.spi = SPI,
                                    .algorithm = (uint8_t)algorithm,
                                    .key_len = key_len[algorithm],
                                    .auth_key_len = auth_key_len[algorithm]};
}

static struct esp *create(enum esp_algorithm algorithm)
{
    const struct esp_association sa = association(algorithm);
    struct esp *esp = esp_create(&sa, seed);
    fuzz_require(esp != NULL);
    return esp;
}

/* In blocks of their exact size. */
static enum esp_verdict open_copy(struct esp *esp, const uint8_t *data, size_t size)
{
    uint8_t *packet = malloc(size + 1), *out = malloc(size + 1), next_header;
    size_t len = SIZE_MAX;
    fuzz_require(packet != NULL && out != NULL);
    packet += 1;
    memcpy(packet, data, size);
    const enum esp_verdict verdict = esp_open(esp, packet, size, out, &len, &next_header);
    if (verdict == ESP_OPENED)
        fuzz_require(len <= size);
    free(packet - 1);
    free(out);
    return verdict;
}

static void check_algorithm(enum esp_algorithm algorithm, const uint8_t *data, size_t size)
{
    struct esp *esp = create(algorithm);
    open_copy(esp, data, size);
    esp_destroy(esp);
}

/* What is authentic is opened or malformed, and opened goes round. */
static void check_signed(const uint8_t *data, size_t size)
{
    uint8_t packet[PACKET_MAX + ICV], mac[AUTH_MAX];
    const struct auth_key key = {.algorithm = AUTH_HMAC_SHA1, .len = 20};
    if (size < HEADER || size > PACKET_MAX)
        return;
    struct writer w = writer_over(packet, sizeof(packet));
    write_bytes(&w, data, size);
    packet[0] = SPI >> 24 & 0xff;
    packet[1] = SPI >> 16 & 0xff;
    packet[2] = SPI >> 8 & 0xff;
    packet[3] = SPI & 0xff;
    struct auth *auth = auth_create();
    fuzz_require(auth != NULL && auth_sign(auth, &key, packet, size, mac));
    auth_destroy(auth);
    write_bytes(&w, mac, ICV);
    struct esp *esp = create(ESP_NULL_SHA1);
    const enum esp_verdict verdict = open_copy(esp, packet, size + ICV);
    fuzz_require(verdict == ESP_OPENED || verdict == ESP_MALFORMED);
    esp_destroy(esp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t spi;
    fuzz_require(esp_peek(data, size, &spi) == (size >= sizeof(spi)));
    for (int i = 0; i < ESP_ALGORITHMS_COUNT; i++)
        check_algorithm((enum esp_algorithm)i, data, size);
    check_signed(data, size);
    return 0;
}

size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX])
{
    static const uint8_t update[] = {59, 1, 5, 0, 0, 0, 0, 1, 0xc0, 0, 0, 15, 1, 2, 0, 0};
    if (n >= ESP_ALGORITHMS_COUNT)
        return 0;
    struct esp *esp = create((enum esp_algorithm)n);
    const size_t len = esp_seal(esp, update, sizeof(update), 135, out);
    esp_destroy(esp);
    return len;
}
