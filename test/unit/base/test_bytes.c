/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

#include "../check_main.h"

START_TEST(read_network_order)
{
    uint8_t bytes[18];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(0xf0 + i);
    struct reader r = reader_over(bytes, sizeof(bytes));
    ck_assert_uint_eq(read_u8(&r), 0xf0);
    ck_assert_uint_eq(read_u16(&r), 0xf1f2);
    ck_assert_uint_eq(read_u32(&r), 0xf3f4f5f6);
    ck_assert(read_u64(&r) == UINT64_C(0xf7f8f9fafbfcfdfe));
    ck_assert_uint_eq(reader_left(&r), 3);
    ck_assert_ptr_eq(read_bytes(&r, 3), bytes + 15);
    ck_assert_ptr_eq(read_bytes(&r, 0), bytes + 18);
    ck_assert(!r.failed);
}
END_TEST

START_TEST(read_past_end_fails_for_good)
{
    const uint8_t bytes[3] = {1, 2, 3};
    struct reader r = reader_over(bytes, sizeof(bytes));
    ck_assert_uint_eq(read_u32(&r), 0);
    ck_assert(r.failed);
    ck_assert_uint_eq(reader_left(&r), 3); /* nothing was taken */
    ck_assert_uint_eq(read_u8(&r), 0);     /* although it would fit */
    ck_assert_ptr_null(read_bytes(&r, 1));
    ck_assert_ptr_null(read_bytes(&r, 0));
}
END_TEST

START_TEST(read_huge_count_fails)
{
    const uint8_t bytes[1] = {1};
    struct reader r = reader_over(bytes, sizeof(bytes));
    ck_assert_ptr_null(read_bytes(&r, SIZE_MAX)); /* must not wrap around */
    ck_assert(r.failed);
}
END_TEST

START_TEST(write_network_order)
{
    uint8_t bytes[17];
    struct writer w = writer_over(bytes, sizeof(bytes));
    write_u8(&w, 0xf0);
    write_u16(&w, 0xf1f2);
    write_u32(&w, 0xf3f4f5f6);
    write_u64(&w, UINT64_C(0xf7f8f9fafbfcfdfe));
    write_bytes(&w, "ab", 2);
    write_bytes(&w, NULL, 0);
    ck_assert(!w.failed);
    ck_assert_uint_eq(writer_len(&w), 17);
    for (size_t i = 0; i < 15; i++)
        ck_assert_uint_eq(bytes[i], 0xf0 + i);
    ck_assert_mem_eq(bytes + 15, "ab", 2);
}
END_TEST

START_TEST(write_past_end_fails_for_good)
{
    uint8_t bytes[4] = {9, 9, 9, 9};
    struct writer w = writer_over(bytes, 3);
    write_u8(&w, 1);
    write_u32(&w, 0x02020202);
    ck_assert(w.failed);
    write_u8(&w, 3); /* although it would fit */
    ck_assert_ptr_null(write_reserve(&w, 1));
    ck_assert_uint_eq(writer_len(&w), 1);
    ck_assert_uint_eq(bytes[0], 1);
    ck_assert_uint_eq(bytes[1], 9);
    ck_assert_uint_eq(bytes[3], 9);
}
END_TEST

/* As where there was no buffer. */
START_TEST(writer_over_nothing)
{
    struct writer w = writer_over(NULL, 0);
    ck_assert_uint_eq(writer_len(&w), 0);
    write_u8(&w, 1);
    ck_assert(w.failed);
    ck_assert_uint_eq(writer_len(&w), 0);
}
END_TEST

START_TEST(write_exactly_full)
{
    uint8_t bytes[2];
    struct writer w = writer_over(bytes, sizeof(bytes));
    write_u16(&w, 0x0102);
    ck_assert(!w.failed);
    write_bytes(&w, "x", 1);
    ck_assert(w.failed);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("bytes");
    TCase *tc = tcase_create("bytes");
    tcase_add_test(tc, read_network_order);
    tcase_add_test(tc, read_past_end_fails_for_good);
    tcase_add_test(tc, read_huge_count_fails);
    tcase_add_test(tc, write_network_order);
    tcase_add_test(tc, write_past_end_fails_for_good);
    tcase_add_test(tc, writer_over_nothing);
    tcase_add_test(tc, write_exactly_full);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
