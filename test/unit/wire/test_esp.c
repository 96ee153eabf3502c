/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp.h"

#include "../check_main.h"

/*
 * Packets sealed by scapy.layers.ipsec (2.5) with SPI 1234abcd; cipher keys are bytes 00, 01, ...,
 * authentication keys 40, 41, ... Those to be opened bear sequence number 7 and the vector a0, a1, ...; those
 * named OUTGOING number 1 and the vector that a seed of a0, a1, ... leads to: for AES-GCM its first 64 bits
 * plus one, for AES-CBC the AES encryption of that and the seed's rest (by Python's cryptography).
 */
#define INNER "3b0105008ea81234c00001c201020000"
#define GCM_128                                                                                              \
    "1234abcd00000007a0a1a2a3a4a5a6a7e9f8c25f40a3cf634d1df2864f504b98df6b71c8811dd405e27b2b884a70bc86ab8ac4" \
    "43"
#define GCM_192                                                                                              \
    "1234abcd00000007a0a1a2a3a4a5a6a7fd9e46d944de84e08168f0e2b9cf5030befaeefc47ae0d53401772c79aab96d9ae7584" \
    "fb"
#define GCM_256                                                                                              \
    "1234abcd00000007a0a1a2a3a4a5a6a778f2ec352d1a0036f2287c43f59f6579a4f59048560bb04d7d5facd18844b51245c944" \
    "8c"
#define CBC_128                                                                                              \
    "1234abcd00000007a0a1a2a3a4a5a6a7a8a9aaabacadaeaf70a7b93130b53ab8841dc9215658721b2770757b3f9cf2a15770d0" \
    "a74eccf30d3ac7427bfbb634f8fc4ecd19"
#define CBC_192                                                                                              \
    "1234abcd00000007a0a1a2a3a4a5a6a7a8a9aaabacadaeaf805d760915d258527cc69e70ec79b2c590938e130cdfb0e602b76d" \
    "5a131919f8bee7c717755c8f117c686115"
#define CBC_256                                                                                              \
    "1234abcd00000007a0a1a2a3a4a5a6a7a8a9aaabacadaeaf466ffebc319da642ae34c7bc0df4945b1fd1dba2e09e2d108561c3" \
    "044bd6edc92fbf83595b4f9236038e89484990ccb9"
#define NULL_SHA1   "1234abcd000000073b0105008ea81234c00001c201020000010202871d44e399b48126a8328d9bdc"
#define NULL_SHA256 "1234abcd000000073b0105008ea81234c00001c20102000001020287fdf0e71a740d1bef92ceeb6e5070a7fd"
#define OUTGOING_GCM_128                                                                                     \
    "1234abcd00000001a0a1a2a3a4a5a6a8e7de8ed08f4376e626a9c0e0bca4b1569614f2a796d5cd1ff9cbac00a5f8fe18aa0e08" \
    "6a"
#define OUTGOING_GCM_256                                                                                     \
    "1234abcd00000001a0a1a2a3a4a5a6a85cb85a40eddf28ddbc92ed0e381089f3796ea85d0cf8651432a5aeb44ae5ed3005e666" \
    "e2"
#define OUTGOING_CBC_128                                                                                     \
    "1234abcd0000000113e94a4ed91d478aeac1b961ae09cec282fd706808c8874f4ec97414c8545808d3ab6cf0e38dd3431f89db" \
    "b73506c3c39908b8c4fd0b6f1340534d48"
#define OUTGOING_CBC_256                                                                                     \
    "1234abcd000000019461f232fc2112043f844751d1d49089c0748e6c73008bd5519f69cffe4a6360141df481f053cdb46dddd3" \
    "ac9ae55d7033a88f883d128ebf3bd2c9ef93e6d804"
#define OUTGOING_NULL_SHA1 "1234abcd000000013b0105008ea81234c00001c201020000010202873ff584fddfa6da97b200a3fe"
#define OUTGOING_NULL_SHA256 \
    "1234abcd000000013b0105008ea81234c00001c20102000001020287b8d31537ebb14c375535fa655133fe21"

enum { PACKET_MAX = 2048, SPI = 0x1234abcd, NEXT_HEADER = 135 };

static const uint8_t seed[16] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
                                 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};

static struct esp_association association(enum esp_algorithm algorithm, uint8_t key_len, uint8_t auth_key_len)
{
    struct esp_association sa = {.spi = SPI,
                                 .algorithm = (uint8_t)algorithm,
                                 .replay_protection = true,
                                 .key_len = key_len,
                                 .auth_key_len = auth_key_len};
    for (uint8_t i = 0; i < key_len && i < ESP_KEY_MAX; i++)
        sa.key[i] = i;
    for (uint8_t i = 0; i < auth_key_len; i++)
        sa.auth_key[i] = (uint8_t)(0x40 + i);
    return sa;
}

static struct esp *create(enum esp_algorithm algorithm, uint8_t key_len, uint8_t auth_key_len)
{
    const struct esp_association sa = association(algorithm, key_len, auth_key_len);
    struct esp *esp = esp_create(&sa, seed);
    ck_assert_ptr_nonnull(esp);
    return esp;
}

/* What was opened, in a block of the packet's size. */
struct opened {
    uint8_t *bytes;
    size_t len;
    uint8_t next_header;
};

static enum esp_verdict open_packet(struct esp *esp, const uint8_t *packet, size_t len, struct opened *o)
{
    uint8_t *copy = malloc(len + 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, packet, len);
    copy = realloc(copy, len > 0 ? len : 1); /* reading one more is seen by sanitizers */
    *o = (struct opened){.bytes = malloc(len > 0 ? len : 1)};
    const enum esp_verdict verdict = esp_open(esp, copy, len, o->bytes, &o->len, &o->next_header);
    free(copy);
    return verdict;
}

static enum esp_verdict judge(struct esp *esp, const uint8_t *packet, size_t len)
{
    struct opened o;
    const enum esp_verdict verdict = open_packet(esp, packet, len, &o);
    free(o.bytes);
    return verdict;
}

static const struct {
    enum esp_algorithm algorithm;
    uint8_t key_len, auth_key_len;
    const char *hex;
} incoming[] = {
    {ESP_AES_GCM, 20, 0, GCM_128},       {ESP_AES_GCM, 28, 0, GCM_192},
    {ESP_AES_GCM, 36, 0, GCM_256},       {ESP_AES_CBC_SHA1, 16, 20, CBC_128},
    {ESP_AES_CBC_SHA1, 24, 20, CBC_192}, {ESP_AES_CBC_SHA256, 32, 32, CBC_256},
    {ESP_NULL_SHA1, 0, 20, NULL_SHA1},   {ESP_NULL_SHA256, 0, 32, NULL_SHA256},
};

START_TEST(opened_as_another_sealed_it)
{
    uint8_t packet[PACKET_MAX], inner[PACKET_MAX];
    const size_t len = hex_bytes(incoming[_i].hex, packet, sizeof(packet));
    const size_t inner_len = hex_bytes(INNER, inner, sizeof(inner));
    struct esp *esp = create(incoming[_i].algorithm, incoming[_i].key_len, incoming[_i].auth_key_len);
    struct opened o;
    ck_assert_int_eq(open_packet(esp, packet, len, &o), ESP_OPENED);
    ck_assert_uint_eq(o.len, inner_len);
    ck_assert_mem_eq(o.bytes, inner, inner_len);
    ck_assert_uint_eq(o.next_header, NEXT_HEADER);
    free(o.bytes);
    esp_destroy(esp);
}
END_TEST

/* A binding update of UMIP's mip6d, sealed by a Linux 6.1 kernel with cbc(aes) and hmac(sha1). */
START_TEST(opened_as_a_kernel_sealed_it)
{
    uint8_t packet[PACKET_MAX], update[PACKET_MAX];
    const size_t len =
        hex_bytes("000003e800000001e13819a0c6f07e26cdc9df89d9a4a4985513065aa34b20806b5813caef83c3f8"
                  "a962d80631e6252d579788e870d51e22ddfa0901dbdc51ba3633763bbf2f9b47433abd8eaa382679"
                  "231ed4a4",
                  packet, sizeof(packet));
    const size_t right = hex_bytes("3b030500 5369 79b9c000545f 0100 0310 20010db8000200000cb42ffffee714a6",
                                   update, sizeof(update));
    struct esp_association sa = association(ESP_AES_CBC_SHA1, 16, 20);
    struct opened o;
    sa.spi = 1000;
    for (uint8_t i = 0; i < sa.auth_key_len; i++)
        sa.auth_key[i] = i;
    struct esp *esp = esp_create(&sa, seed);
    ck_assert_int_eq(open_packet(esp, packet, len, &o), ESP_OPENED);
    ck_assert_uint_eq(o.len, right);
    ck_assert_mem_eq(o.bytes, update, right);
    ck_assert_uint_eq(o.next_header, NEXT_HEADER);
    free(o.bytes);
    esp_destroy(esp);
}
END_TEST

START_TEST(every_byte_is_protected)
{
    uint8_t packet[PACKET_MAX];
    const size_t len = hex_bytes(incoming[_i].hex, packet, sizeof(packet));
    struct esp *esp = create(incoming[_i].algorithm, incoming[_i].key_len, incoming[_i].auth_key_len);
    for (size_t i = 0; i < len; i++) {
        packet[i] ^= 0x10;
        ck_assert_int_eq(judge(esp, packet, len), i < 4 ? ESP_MALFORMED : ESP_FORGED);
        packet[i] ^= 0x10;
    }
    for (size_t cut = 1; cut <= len; cut++)
        ck_assert_int_ne(judge(esp, packet, len - cut), ESP_OPENED);
    /* None of them has moved the window. */
    ck_assert_int_eq(judge(esp, packet, len), ESP_OPENED);
    ck_assert_int_eq(judge(esp, packet, len), ESP_REPLAYED);
    esp_destroy(esp);
}
END_TEST

START_TEST(another_key_is_forged)
{
    uint8_t packet[PACKET_MAX];
    const size_t len = hex_bytes(incoming[_i].hex, packet, sizeof(packet));
    struct esp_association sa =
        association(incoming[_i].algorithm, incoming[_i].key_len, incoming[_i].auth_key_len);
    if (sa.auth_key_len > 0)
        sa.auth_key[sa.auth_key_len - 1] ^= 1;
    else
        sa.key[sa.key_len - 1] ^= 1; /* of the salt */
    struct esp *esp = esp_create(&sa, seed);
    ck_assert_int_eq(judge(esp, packet, len), ESP_FORGED);
    esp_destroy(esp);
}
END_TEST

static const struct {
    enum esp_algorithm algorithm;
    uint8_t key_len, auth_key_len;
    const char *hex;
} outgoing[] = {
    {ESP_AES_GCM, 20, 0, OUTGOING_GCM_128},       {ESP_AES_GCM, 36, 0, OUTGOING_GCM_256},
    {ESP_AES_CBC_SHA1, 16, 20, OUTGOING_CBC_128}, {ESP_AES_CBC_SHA256, 32, 32, OUTGOING_CBC_256},
    {ESP_NULL_SHA1, 0, 20, OUTGOING_NULL_SHA1},   {ESP_NULL_SHA256, 0, 32, OUTGOING_NULL_SHA256},
};

START_TEST(sealed_as_another_would)
{
    uint8_t packet[PACKET_MAX], right[PACKET_MAX], inner[PACKET_MAX];
    const size_t inner_len = hex_bytes(INNER, inner, sizeof(inner));
    const size_t len = hex_bytes(outgoing[_i].hex, right, sizeof(right));
    struct esp *esp = create(outgoing[_i].algorithm, outgoing[_i].key_len, outgoing[_i].auth_key_len);
    ck_assert_uint_eq(esp_seal(esp, inner, inner_len, NEXT_HEADER, packet), len);
    ck_assert_mem_eq(packet, right, len);
    esp_destroy(esp);
}
END_TEST

/* Every length goes through, its padding aligned, and no vector comes twice. */
START_TEST(sealed_and_opened)
{
    const uint8_t key_len = outgoing[_i].key_len, auth_key_len = outgoing[_i].auth_key_len;
    struct esp *out = create(outgoing[_i].algorithm, key_len, auth_key_len);
    struct esp *in = create(outgoing[_i].algorithm, key_len, auth_key_len);
    uint8_t inner[64], before[8] = {0};
    for (size_t i = 0; i < sizeof(inner); i++)
        inner[i] = (uint8_t)(i * 7);
    for (size_t n = 0; n <= sizeof(inner); n++) {
        uint8_t *packet = malloc(n + ESP_OVERHEAD_MAX);
        struct opened o;
        const size_t len = esp_seal(out, inner, n, NEXT_HEADER, packet);
        ck_assert_uint_gt(len, n);
        ck_assert_uint_le(len, n + ESP_OVERHEAD_MAX);
        ck_assert_uint_eq(len % 4, 0);
        ck_assert_int_eq(open_packet(in, packet, len, &o), ESP_OPENED);
        ck_assert_uint_eq(o.len, n);
        ck_assert_mem_eq(o.bytes, inner, n);
        if (key_len > 0)
            ck_assert_mem_ne(packet + 8, before, sizeof(before));
        memcpy(before, packet + 8, sizeof(before));
        free(o.bytes);
        free(packet);
    }
    esp_destroy(in);
    esp_destroy(out);
}
END_TEST

/* ---- RFC 4303 section 3.4.3 ---- */

/* A packet with this sequence number, sealed by an association that has sent all those before. */
static size_t sealed_with(uint32_t sequence, uint8_t *packet)
{
    uint8_t inner[16] = {59};
    size_t len = 0;
    struct esp *esp = create(ESP_NULL_SHA1, 0, 20);
    for (uint32_t i = 0; i < sequence; i++)
        len = esp_seal(esp, inner, sizeof(inner), NEXT_HEADER, packet);
    esp_destroy(esp);
    return len;
}

static const struct {
    uint32_t sequence;
    enum esp_verdict verdict;
} arrivals[] = {
    /* In this order, at one association. */
    {1, ESP_OPENED},   {1, ESP_REPLAYED},   {3, ESP_OPENED},    {2, ESP_OPENED},     {2, ESP_REPLAYED},
    {3, ESP_REPLAYED}, {70, ESP_OPENED},    {7, ESP_OPENED},    {7, ESP_REPLAYED},   {6, ESP_REPLAYED},
    {8, ESP_OPENED},   {69, ESP_OPENED},    {70, ESP_REPLAYED}, {133, ESP_OPENED},   {70, ESP_REPLAYED},
    {71, ESP_OPENED},  {69, ESP_REPLAYED},  {300, ESP_OPENED},  {237, ESP_OPENED},   {236, ESP_REPLAYED},
    {364, ESP_OPENED}, {300, ESP_REPLAYED}, {301, ESP_OPENED},  {364, ESP_REPLAYED}, {1, ESP_REPLAYED},
};

START_TEST(window)
{
    struct esp *esp = create(ESP_NULL_SHA1, 0, 20);
    for (int i = 0; i < ROWS(arrivals); i++) {
        uint8_t packet[PACKET_MAX];
        const size_t len = sealed_with(arrivals[i].sequence, packet);
        ck_assert_msg(judge(esp, packet, len) == arrivals[i].verdict, "row %d", i);
    }
    esp_destroy(esp);
}
END_TEST

START_TEST(without_replay_protection)
{
    static const uint32_t sequences[] = {70, 70, 1, 1};
    struct esp_association sa = association(ESP_NULL_SHA1, 0, 20);
    sa.replay_protection = false;
    struct esp *esp = esp_create(&sa, seed);
    for (int i = 0; i < ROWS(sequences); i++) {
        uint8_t packet[PACKET_MAX];
        const size_t len = sealed_with(sequences[i], packet);
        ck_assert_msg(judge(esp, packet, len) == ESP_OPENED, "row %d", i);
    }
    esp_destroy(esp);
}
END_TEST

/* ---- Form ---- */

/* Authentic, but not well formed inside: the null cipher with HMAC-SHA-1-96, by Python's
 * hmac. */
static const struct {
    const char *what, *hex;
    enum esp_verdict verdict;
} forms[] = {
    {"nothing inside, padding 1, 2", "1234abcd0000000701020287fb4878b62de5a05a6269906a", ESP_OPENED},
    {"nothing at all but the trailer and two bytes", "1234abcd00000007aabb0087848fe070ec0136b167491288",
     ESP_OPENED},
    {"padding of other bytes", "1234abcd000000073b01000000000287db2e30f461ffb4af18d4a85a", ESP_MALFORMED},
    {"padding 1, 3", "1234abcd000000073b01000001030287bb6fc852da4ede8cdbd6ce87", ESP_MALFORMED},
    {"padding longer than all", "1234abcd00000007010203876ca9299f0564ed82eb4736fb", ESP_MALFORMED},
    {"padding of 255", "1234abcd00000007010203040506ff87bb739636e01bdd39a9f0e903", ESP_MALFORMED},
    {"not aligned to four bytes", "1234abcd000000073b01000000000102030387e63088eba4c8808d7285c7e4",
     ESP_MALFORMED},
    {"a whole block more of padding than need be",
     "1234abcd000000073b01000001020304050606879f4c3b812e671c59c0d6b198", ESP_OPENED},
    {"a dummy packet (RFC 4303 section 2.6)", "1234abcd000000073b0100000102023bb7b803befb2f0728355b2f89",
     ESP_OPENED},
    {"sequence number 0", "1234abcd0000000001020287dedbaa2c2bb0b5130d92cff7", ESP_REPLAYED},
    {"another SPI", "1234abce0000000701020287427c0e56915ef4a5ed7a28f9", ESP_MALFORMED},
};

START_TEST(formed)
{
    uint8_t packet[PACKET_MAX];
    const size_t len = hex_bytes(forms[_i].hex, packet, sizeof(packet));
    struct esp *esp = create(ESP_NULL_SHA1, 0, 20);
    ck_assert_msg(judge(esp, packet, len) == forms[_i].verdict, "%s", forms[_i].what);
    esp_destroy(esp);
}
END_TEST

START_TEST(peeked)
{
    uint8_t packet[PACKET_MAX];
    uint32_t spi = 1;
    hex_bytes(GCM_128, packet, sizeof(packet));
    ck_assert(esp_peek(packet, 4, &spi));
    ck_assert_uint_eq(spi, SPI);
    spi = 1;
    ck_assert(!esp_peek(packet, 3, &spi));
    ck_assert_uint_eq(spi, 1);
}
END_TEST

static const struct {
    uint32_t spi;
    uint8_t algorithm, key_len, auth_key_len;
    bool sound;
} soundness[] = {
    {256, ESP_AES_GCM, 20, 0, true},
    {255, ESP_AES_GCM, 20, 0, false},
    {0, ESP_AES_GCM, 20, 0, false},
    {256, ESP_AES_GCM, 16, 0, false},
    {256, ESP_AES_GCM, 24, 0, false},
    {256, ESP_AES_GCM, 28, 0, true},
    {256, ESP_AES_GCM, 36, 0, true},
    {256, ESP_AES_GCM, 44, 0, false},
    {256, ESP_AES_GCM, 20, 20, false},
    {256, ESP_AES_CBC_SHA1, 16, 20, true},
    {256, ESP_AES_CBC_SHA1, 24, 20, true},
    {256, ESP_AES_CBC_SHA1, 32, 20, true},
    {256, ESP_AES_CBC_SHA1, 20, 20, false},
    {256, ESP_AES_CBC_SHA1, 8, 20, false},
    {256, ESP_AES_CBC_SHA1, 16, 0, false},
    {256, ESP_AES_CBC_SHA1, 16, 32, false},
    {256, ESP_AES_CBC_SHA256, 32, 32, true},
    {256, ESP_AES_CBC_SHA256, 32, 20, false},
    {256, ESP_NULL_SHA1, 0, 20, true},
    {256, ESP_NULL_SHA1, 16, 20, false},
    {256, ESP_NULL_SHA1, 0, 0, false},
    {256, ESP_NULL_SHA256, 0, 32, true},
    {256, ESP_ALGORITHMS_COUNT, 0, 20, false},
};

START_TEST(sound)
{
    struct esp_association sa = association((enum esp_algorithm)soundness[_i].algorithm,
                                            soundness[_i].key_len, soundness[_i].auth_key_len);
    sa.spi = soundness[_i].spi;
    ck_assert_int_eq(esp_association_is_sound(&sa), soundness[_i].sound);
    struct esp *esp = esp_create(&sa, seed);
    ck_assert_int_eq(esp != NULL, soundness[_i].sound);
    esp_destroy(esp);
}
END_TEST

START_TEST(told_apart)
{
    const struct esp_association right = association(ESP_AES_CBC_SHA1, 16, 20);
    struct esp *esp = create(ESP_AES_CBC_SHA1, 16, 20);
    struct esp_association sa = right;
    sa.key[20] = 1; /* beyond its length */
    ck_assert(esp_is(esp, &sa));
    sa.key[15] ^= 1;
    ck_assert(!esp_is(esp, &sa));
    sa = right;
    sa.auth_key[19] ^= 1;
    ck_assert(!esp_is(esp, &sa));
    sa = right;
    sa.spi++;
    ck_assert(!esp_is(esp, &sa));
    sa = right;
    sa.replay_protection = false;
    ck_assert(!esp_is(esp, &sa));
    sa = right;
    sa.key_len = 24;
    ck_assert(!esp_is(esp, &sa));
    sa = association(ESP_AES_CBC_SHA256, 16, 32);
    ck_assert(!esp_is(esp, &sa));
    esp_destroy(esp);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("esp");
    TCase *tc = tcase_create("esp");
    tcase_add_loop_test(tc, opened_as_another_sealed_it, 0, ROWS(incoming));
    tcase_add_test(tc, opened_as_a_kernel_sealed_it);
    tcase_add_loop_test(tc, every_byte_is_protected, 0, ROWS(incoming));
    tcase_add_loop_test(tc, another_key_is_forged, 0, ROWS(incoming));
    tcase_add_loop_test(tc, sealed_as_another_would, 0, ROWS(outgoing));
    tcase_add_loop_test(tc, sealed_and_opened, 0, ROWS(outgoing));
    tcase_add_test(tc, window);
    tcase_add_test(tc, without_replay_protection);
    tcase_add_loop_test(tc, formed, 0, ROWS(forms));
    tcase_add_test(tc, peeked);
    tcase_add_loop_test(tc, sound, 0, ROWS(soundness));
    tcase_add_test(tc, told_apart);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
