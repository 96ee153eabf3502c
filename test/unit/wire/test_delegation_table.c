/* SPDX-License-Identifier: BSD-3-Clause */
/* What a table's entries are known and compared by. Digests are Python's. */
#include "../check_main.h"
#include "delegation_samples.h"

START_TEST(entry_digest)
{
    struct addr one[] = {care_of}, two[] = {care_of, v6}, swapped[] = {v6, care_of}, eight[8];
    for (size_t i = 0; i < 8; i++)
        eight[i] = care_of;
    ck_assert(delegation_entry_digest(0, &home, GENERATION_7, one, 1) == UINT64_C(0x3240568011f1c947));
    ck_assert(delegation_entry_digest(0x01020304, &home, GENERATION_7, two, 2) ==
              UINT64_C(0x066a23cec76d14eb));
    ck_assert(delegation_entry_digest(0x01020304, &home, GENERATION_7, swapped, 2) ==
              UINT64_C(0x13b231aebb54b097));
    ck_assert(delegation_entry_digest(UINT32_MAX, &v6, UINT64_MAX, eight, 8) == UINT64_C(0xaa9c12b2a24454fe));
}
END_TEST

START_TEST(bucket)
{
    ck_assert_uint_eq(delegation_bucket(0, &home), 912);
    ck_assert_uint_eq(delegation_bucket(0x01020304, &home), 746);
    ck_assert_uint_eq(delegation_bucket(0, &v6), 892);
    ck_assert_uint_eq(delegation_bucket(UINT32_MAX, &v6), 349);
}
END_TEST

START_TEST(generation)
{
    ck_assert_uint_eq(delegation_term(GENERATION_7), 5);
    ck_assert_uint_eq(delegation_term(UINT64_MAX), 0xffffff);
    ck_assert_uint_eq(delegation_term((UINT64_C(6) << 40) - 1), 5);
    ck_assert(delegation_first_generation(5) == UINT64_C(5) << 40);
    ck_assert(delegation_first_generation(0xffffff) == UINT64_C(0xffffff0000000000));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delegation_table");
    TCase *entries = tcase_create("entries");
    tcase_add_test(entries, entry_digest);
    tcase_add_test(entries, bucket);
    tcase_add_test(entries, generation);
    suite_add_tcase(suite, entries);
    return check_main(suite);
}
