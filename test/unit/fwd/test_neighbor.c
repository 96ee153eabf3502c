/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is taken for a neighbour, and what is told of one; what becomes of one is in test_neighbor_scenes.c. */
#include "neighbor_bed.h"

START_TEST(senseless_senders_teach_nothing)
{
    bed_make(4, 1);
    const struct addr a = bed_host(9), none = addr_from_ipv4(0), group = addr_from_ipv4(0xe0000001);
    const struct mac good = bed_mac('a'), zero = {{0}}, many = {{0x01, 0, 0x5e, 0, 0, 1}};
    neighbor_heard(bed.n, 0, &a, &zero, true, bed.now_ns);
    neighbor_heard(bed.n, 0, &a, &many, true, bed.now_ns);
    neighbor_heard(bed.n, 0, &a, &mac_broadcast, true, bed.now_ns);
    neighbor_heard(bed.n, 0, &none, &good, true, bed.now_ns);
    neighbor_heard(bed.n, 0, &group, &good, true, bed.now_ns);
    ck_assert_uint_eq(neighbors_count(bed.n), 0);
    neighbor_heard(bed.n, 0, &a, &good, true, bed.now_ns);
    ck_assert_uint_eq(neighbors_count(bed.n), 1);
    bed_clear();
}
END_TEST

START_TEST(links_are_told_apart)
{
    bed_make(4, 1);
    const struct addr a = bed_host(9);
    const struct mac m0 = bed_mac('a'), m1 = bed_mac('b');
    bed.rate_unwatched = true; /* it is watched by address alone */
    const uint32_t on_0 = neighbor_reference(bed.n, 0, &a, bed.now_ns);
    const uint32_t on_1 = neighbor_reference(bed.n, 1, &a, bed.now_ns);
    ck_assert_uint_ne(on_0, on_1);
    neighbor_heard(bed.n, 0, &a, &m0, false, bed.now_ns);
    neighbor_heard(bed.n, 1, &a, &m1, false, bed.now_ns);
    uint8_t mac[6];
    adjacency_word word = adjacency_read(bed.adjacencies, on_1);
    adjacency_mac(word, mac);
    ck_assert_mem_eq(mac, m1.b, 6);
    ck_assert_uint_eq(adjacency_port(word), 1);
    neighbor_port_down(bed.n, 1, bed.now_ns);
    ck_assert_uint_eq(adjacency_read(bed.adjacencies, on_1), 0);
    ck_assert_uint_ne(adjacency_read(bed.adjacencies, on_0), 0);
    bed_clear();
}
END_TEST

START_TEST(ipv6_addresses_serve_as_well)
{
    bed_make(4, 1);
    struct addr a, b;
    ck_assert(addr_parse("2001:db8:1::9", &a) && addr_parse("2001:db8:1::109", &b));
    const uint32_t x = neighbor_reference(bed.n, 0, &a, bed.now_ns);
    bed_wait_ms(500);
    ck_assert_uint_ne(x, neighbor_reference(bed.n, 0, &b, bed.now_ns));
    ck_assert_uint_eq(x, neighbor_reference(bed.n, 0, &a, bed.now_ns));
    bed_clear();
}
END_TEST

START_TEST(a_view_tells_what_is_known)
{
    bed_make(4, 1);
    const uint32_t x = bed_reference(9);
    bed_send(9);
    struct neighbor_view v;
    ck_assert(neighbor_by_adjacency(bed.n, x, bed.now_ns, &v));
    ck_assert_int_eq(v.state, NEIGHBOR_INCOMPLETE);
    ck_assert_uint_eq(v.waiting, 1);
    ck_assert_uint_eq(v.references, 1);
    ck_assert_uint_eq(v.age_s, NEIGHBOR_AGE_NEVER);
    ck_assert_uint_eq(v.adjacency, x);
    bed_hear(9, 'a', false);
    bed_wait_ms(7900);
    ck_assert(neighbor_by_adjacency(bed.n, x, bed.now_ns, &v));
    ck_assert_int_eq(v.state, NEIGHBOR_REACHABLE);
    ck_assert_uint_eq(v.age_s, 7);
    ck_assert_uint_eq(v.waiting, 0);
    const struct mac m = bed_mac('a');
    ck_assert(mac_equal(&v.mac, &m));
    ck_assert(!neighbor_by_adjacency(bed.n, ADJACENCY_NONE, bed.now_ns, &v));
    ck_assert(!neighbor_by_adjacency(bed.n, x + 1, bed.now_ns, &v));
    bed.logs = true;
    neighbor_send_by(bed.n, x + 1, bed_packet(), bed.now_ns);
    ck_assert_ptr_nonnull(strstr(bed.log, "lose 2 for nobody"));
    bed_clear();
}
END_TEST

START_TEST(probes_are_spread)
{
    enum { MANY = 64 };
    bed_make(MANY, 7);
    for (unsigned h = 0; h < MANY; h++)
        bed_hear(10 + h, 'a', true);
    bed_wait_ms(REACHABLE_LEAST_MS - 1);
    ck_assert_uint_eq(bed.asked, 0);
    bed_wait_ms(NEIGHBOR_REACHABLE_S * 1000 / 8);
    ck_assert_uint_gt(bed.asked, 0);
    unsigned probed = 0;
    for (unsigned h = 0; h < MANY; h++)
        probed += bed.asked_ns[10 + h] != 0;
    ck_assert_uint_gt(probed, MANY / 4);
    ck_assert_uint_lt(probed, MANY * 3 / 4);
    bed_clear();
}
END_TEST

START_TEST(counters_count)
{
    bed_make(4, 1);
    bed_send(9);
    bed_send(9);
    bed_wait_ms(3000);
    bed_hear(9, 'a', false);
    bed_hear(9, 'b', false);
    static const uint64_t expected[NEIGHBOR_COUNTERS_COUNT] = {
        [NEIGHBOR_COUNT_SOLICITED] = 3,  [NEIGHBOR_COUNT_RESOLVED] = 1,       [NEIGHBOR_COUNT_MOVED] = 1,
        [NEIGHBOR_COUNT_UNANSWERED] = 1, [NEIGHBOR_COUNT_FAILED_DROPPED] = 2,
    };
    for (unsigned c = 0; c < NEIGHBOR_COUNTERS_COUNT; c++)
        ck_assert_msg(neighbor_counters(bed.n)[c] == expected[c], "%s", neighbor_counter_text(c));
    neighbor_counters_clear(bed.n);
    for (unsigned c = 0; c < NEIGHBOR_COUNTERS_COUNT; c++)
        ck_assert_uint_eq(neighbor_counters(bed.n)[c], 0);
    bed_clear();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("neighbor");
    TCase *known = tcase_create("known");
    tcase_add_test(known, senseless_senders_teach_nothing);
    tcase_add_test(known, links_are_told_apart);
    tcase_add_test(known, ipv6_addresses_serve_as_well);
    tcase_add_test(known, a_view_tells_what_is_known);
    tcase_add_test(known, probes_are_spread);
    tcase_add_test(known, counters_count);
    suite_add_tcase(suite, known);
    return check_main(suite);
}
