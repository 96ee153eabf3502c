/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of ESP's sequence numbers (RFC 4303 section 3.3.3), which are reached by putting the counter there:
 * sealing 2^32 packets takes longer than a test may.
 */
#include "esp.c"

#include "../check_main.h"

static const struct esp_association sa = {.spi = 1000, .algorithm = ESP_AES_GCM, .key_len = 20};
static const uint8_t seed[16], inner[8];

/* Of the packet behind 2^32 - 2 others, and of those that follow it. */
static struct esp *worn_out(bool replay_protection)
{
    struct esp_association is = sa;
    is.replay_protection = replay_protection;
    struct esp *esp = esp_create(&is, seed);
    ck_assert_ptr_nonnull(esp);
    esp->sealed = UINT32_MAX - 1;
    return esp;
}

static uint32_t sequence_of(const uint8_t *packet)
{
    struct reader r = reader_over(packet + 4, 4);
    return read_u32(&r);
}

START_TEST(stops_where_replays_are_judged)
{
    uint8_t packet[128];
    struct esp *esp = worn_out(true);
    ck_assert_uint_gt(esp_seal(esp, inner, sizeof(inner), 17, packet), 0);
    ck_assert_uint_eq(sequence_of(packet), UINT32_MAX);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(esp_seal(esp, inner, sizeof(inner), 17, packet), 0);
    esp_destroy(esp);
}
END_TEST

/* AES-GCM's vector is a counter of 64 bits of its own, which does not come again. */
START_TEST(cycles_where_they_are_not)
{
    uint8_t packets[4][128];
    struct esp *esp = worn_out(false), *far = esp_create(&sa, seed);
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t out[128], next_header;
        size_t out_len;
        const size_t len = esp_seal(esp, inner, sizeof(inner), 17, packets[i]);
        ck_assert_uint_eq(sequence_of(packets[i]), UINT32_MAX + i);
        ck_assert_int_eq(esp_open(far, packets[i], len, out, &out_len, &next_header), ESP_OPENED);
        for (uint32_t k = 0; k < i; k++)
            ck_assert_mem_ne(packets[i] + 8, packets[k] + 8, 8);
    }
    esp_destroy(esp);
    esp_destroy(far);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("esp_cycle");
    TCase *tests = tcase_create("esp_cycle");
    tcase_add_test(tests, stops_where_replays_are_judged);
    tcase_add_test(tests, cycles_where_they_are_not);
    suite_add_tcase(suite, tests);
    return check_main(suite);
}
