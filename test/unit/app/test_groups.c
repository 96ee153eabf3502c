/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of groups, and the table of them. */
#include "groups.h"

#include "../check_main.h"

START_TEST(group_names)
{
    struct addr a;
    uint32_t group;
    ck_assert(addr_parse("2001:db8:1::12:3456", &a));
    const struct addr right = addr_solicited_node(&a), named = group_address(group_of(&a));
    ck_assert(addr_equal(&named, &right));
    ck_assert(group_named(&right, &group) && group == 0x123456);
    ck_assert(group_named(&addr_all_routers, &group) && group == GROUP_ALL_ROUTERS);
    const struct addr routers = group_address(GROUP_ALL_ROUTERS);
    ck_assert(addr_equal(&routers, &addr_all_routers));
    ck_assert(!group_named(&addr_all_nodes, &group)); /* section 6: never reported */
    ck_assert(!group_named(&a, &group));
}
END_TEST

START_TEST(group_table)
{
    static const uint32_t some[] = {0, 1, 63, 64, 4095, 4096, 0x123456, 0xffffff, GROUP_ALL_ROUTERS};
    struct groups *groups = groups_create();
    for (int i = 0; i < ROWS(some); i++)
        groups_get(groups, some[i])->addresses = (uint32_t)i + 1;
    uint32_t at = 0;
    for (int i = 0; i < ROWS(some); i++, at++) {
        at = groups_next(groups, at);
        ck_assert_uint_eq(at, some[i]);
        ck_assert_uint_eq(groups_find(groups, at)->addresses, i + 1);
    }
    ck_assert_uint_eq(groups_next(groups, at), GROUPS_END);
    ck_assert_ptr_null(groups_find(groups, 2));
    for (int i = 0; i < ROWS(some); i += 2)
        groups_drop(groups, some[i]);
    ck_assert_uint_eq(groups_next(groups, 0), 1);
    ck_assert_uint_eq(groups_next(groups, 2), 64);
    ck_assert_uint_eq(groups_get(groups, 63)->addresses, 0);
    groups_destroy(groups);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("groups");
    TCase *tcase = tcase_create("groups");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, group_names);
    tcase_add_test(tcase, group_table);
    return check_main(suite);
}
