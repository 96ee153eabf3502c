/* SPDX-License-Identifier: BSD-3-Clause */
/* How many neighbours and packets there may be, and who makes room for whom. */
#include "neighbor_bed.h"

START_TEST(the_oldest_goes_when_a_queue_is_full)
{
    bed_make(4, 1);
    for (unsigned i = 0; i < NEIGHBOR_QUEUE + 3; i++)
        bed_send(9);
    ck_assert_uint_eq(bed.discarded, 3);
    for (unsigned p = 1; p <= NEIGHBOR_QUEUE + 3; p++)
        ck_assert_int_eq(bed.fate[p], p <= 3 ? DISCARDED : WAITING);
    ck_assert_uint_eq(neighbor_counters(bed.n)[NEIGHBOR_COUNT_QUEUE_DROPPED], 3);
    ck_assert_uint_eq(bed.unanswered, 0); /* the answer may still come */

    bed.logs = true;
    bed_hear(9, 'a', false);
    ck_assert_ptr_eq(strstr(bed.log, "on 9; out 4 to a; out 5 to a;"), bed.log);
    bed_clear();
}
END_TEST

START_TEST(all_queues_together_are_bounded)
{
    enum { FULL_QUEUES = NEIGHBOR_QUEUE_ALL / NEIGHBOR_QUEUE };
    bed_make(FULL_QUEUES + 10, 1);
    for (unsigned h = 0; h < FULL_QUEUES; h++) {
        for (unsigned i = 0; i < NEIGHBOR_QUEUE; i++)
            bed_send(100 + h);
    }
    ck_assert_uint_eq(bed.discarded, 0);
    bed_send(9);
    ck_assert_int_eq(bed.fate[bed.sent], DISCARDED);
    /* It is asked for all the same, and room that comes free is used. */
    ck_assert_uint_ne(bed.asked_ns[9], 0);
    bed_hear(100, 'a', false);
    bed_send(9);
    ck_assert_int_eq(bed.fate[bed.sent], WAITING);
    bed_clear();
}
END_TEST

START_TEST(a_storm_stays_bounded)
{
    enum { CAPACITY = 64, REFERENCED = 4, ON_LINK = 4, STORM_S = 40, RATE = 200 };
    bed_make(CAPACITY, 1);
    for (unsigned h = 1; h <= REFERENCED; h++)
        bed_reference(h);
    for (unsigned h = 1; h <= REFERENCED + ON_LINK; h++)
        bed_hear(h, 'a', true);
    const uint32_t router = bed.adjacency[ROUTER] = bed_reference(ROUTER);
    unsigned asked_before = bed.asked;
    for (unsigned i = 0; i < STORM_S * RATE; i++) {
        bed_send(1000 + i % 7919);
        for (unsigned h = 1; h <= REFERENCED + ON_LINK; h++) {
            if (i % (10 * RATE) == 0) /* they are alive */
                bed_hear(h, 'a', false);
        }
        bed_wait_ms(1000 / RATE);
        ck_assert_uint_le(neighbors_count(bed.n), CAPACITY);
    }
    /* Everyone who lives is still reachable, at once. */
    for (unsigned h = 1; h <= REFERENCED + ON_LINK; h++) {
        bed_send(h);
        ck_assert_int_eq(bed.fate[bed.sent], RELEASED);
    }
    neighbor_send_by(bed.n, router, bed_packet(), bed.now_ns);
    ck_assert_int_eq(bed.fate[bed.sent], RELEASED);
    /* No slot asks more than once a second. */
    ck_assert_uint_le(bed.asked - asked_before, CAPACITY * (STORM_S + 1));
    ck_assert_uint_gt(neighbor_counters(bed.n)[NEIGHBOR_COUNT_FULL], 0);
    bed_clear();
}
END_TEST

/* RFC 6583: whoever sends to ever new addresses of an IPv6 network makes us ask for no more than so many; who
 * speaks to us, and what is referred to, does not suffer from that. */
START_TEST(strangers_of_ipv6_are_rationed)
{
    enum { OTHERS = 100 };
    bed_make(4 * NEIGHBOR_STRANGERS_PER_S, 1);
    bed.ipv6 = true;
    for (unsigned i = 0; i < NEIGHBOR_STRANGERS_PER_S + OTHERS; i++)
        bed_send(1000 + i);
    ck_assert_uint_eq(neighbors_count(bed.n), NEIGHBOR_STRANGERS_PER_S);
    ck_assert_uint_eq(neighbor_counters(bed.n)[NEIGHBOR_COUNT_STRANGERS], OTHERS);
    ck_assert_int_eq(bed.fate[bed.sent], DISCARDED);
    bed_send(1000); /* is none any more */
    ck_assert_int_ne(bed.fate[bed.sent], DISCARDED);
    ck_assert_uint_ne(bed_reference(1), ADJACENCY_NONE);
    for (unsigned i = 0; i < NEIGHBOR_STRANGERS_PER_S + OTHERS; i++)
        bed_hear(10000 + i, 'a', true);
    ck_assert_uint_eq(neighbors_count(bed.n), 2 * NEIGHBOR_STRANGERS_PER_S + 1);
    bed_wait_ms(1000);
    bed_send(9000);
    ck_assert_int_ne(bed.fate[bed.sent], DISCARDED);
    bed.ipv6 = false; /* a network of IPv4 has no more addresses than its prefix says */
    for (unsigned i = 0; i < NEIGHBOR_STRANGERS_PER_S + OTHERS; i++)
        bed_send(20000 + i);
    ck_assert_int_ne(bed.fate[bed.sent], DISCARDED);
    bed_clear();
}
END_TEST

START_TEST(who_makes_room_for_whom)
{
    bed_make(4, 1);
    bed.logs = true;
    bed_send(10);
    bed_wait_ms(3000); /* 10 failed */
    bed_send(11);
    bed_hear(12, 'a', true);
    bed_hear(13, 'a', true);
    bed.log_len = 0;
    bed_note("-");

    bed_send(14);            /* in the place of the failed one */
    bed_send(15);            /* no failed one left */
    bed_hear(16, 'a', true); /* one that speaks: in the place of 11, asked for longest */
    bed_hear(17, 'a', true); /* of 14 */
    bed_hear(18, 'a', true); /* never of one that answered */
    ck_assert_uint_ne(bed_reference(19), ADJACENCY_NONE); /* a reference takes the one met longest ago */
    ck_assert_uint_ne(bed_reference(20), ADJACENCY_NONE);
    ck_assert_uint_ne(bed_reference(21), ADJACENCY_NONE);
    ck_assert_uint_ne(bed_reference(22), ADJACENCY_NONE);
    ck_assert_uint_eq(bed_reference(23), ADJACENCY_NONE); /* and never that of another reference */
    ck_assert_uint_ne(bed_reference(22), ADJACENCY_NONE);
    ck_assert_str_eq(bed.log, "-; ask 14; lose 4 for 15; lose 2 for 11; on 16; lose 3 for 14; on 17; "
                              "off 12; ask 19; off 13; ask 20; off 16; ask 21; off 17; ask 22");
    ck_assert_uint_eq(neighbor_counters(bed.n)[NEIGHBOR_COUNT_FULL], 3);
    bed.logs = false;
    bed_clear();
}
END_TEST

START_TEST(an_adjacency_rests_before_it_is_given_again)
{
    bed_make(4, 1);
    uint32_t first[4];
    for (unsigned h = 0; h < 4; h++) {
        first[h] = bed_reference(h);
        ck_assert_uint_ne(first[h], ADJACENCY_NONE);
        neighbor_release_reference(bed.n, first[h], bed.now_ns);
    }
    for (unsigned h = 0; h < 4; h++) {
        const struct addr a = bed_host(3 - h);
        neighbor_forget(bed.n, 0, &a, bed.now_ns);
    }
    ck_assert_uint_eq(neighbors_count(bed.n), 0);
    for (unsigned h = 0; h < 4; h++)
        ck_assert_uint_eq(bed_reference(100 + h), first[3 - h]);
    bed_clear();
}
END_TEST

START_TEST(a_discard_may_send)
{
    bed_make(4, 1);
    for (unsigned h = 10; h < 13; h++) {
        for (unsigned i = 0; i < NEIGHBOR_QUEUE; i++)
            bed_send(h);
    }
    /* Of all that fail, some discards send to a router that is not known yet: the table fills meanwhile. */
    bed.icmp_for_discard = 20;
    bed_wait_ms(3000);
    ck_assert_uint_eq(bed.icmp_for_discard, 0);
    ck_assert_uint_ne(bed.asked_ns[ROUTER], 0);
    bed_hear(ROUTER, 'r', false);
    ck_assert_uint_eq(bed.released, NEIGHBOR_QUEUE);

    /* And when room is made, where the callee takes the room or is sent to the same address. */
    const struct addr router = bed_host(ROUTER);
    neighbor_forget(bed.n, 0, &router, bed.now_ns);
    bed_wait_ms(NEIGHBOR_FAILED_S * 1000);
    for (unsigned h = 20; h < 24; h++)
        bed_send(h);
    bed.icmp_for_discard = 1;
    ck_assert_uint_ne(bed_reference(ROUTER), ADJACENCY_NONE);
    bed.icmp_for_discard = 1;
    neighbor_port_down(bed.n, 0, bed.now_ns);
    bed_clear();
}
END_TEST

START_TEST(a_budget_is_kept)
{
    bed_make(16, 1);
    for (unsigned h = 0; h < 10; h++)
        bed_send(10 + h);
    bed.now_ns += NEIGHBOR_RETRY_MS * NSEC_PER_MS;
    neighbor_expire(bed.n, bed.now_ns, 4);
    ck_assert_uint_eq(bed.asked, 14);
    ck_assert_uint_le(neighbor_deadline(bed.n), bed.now_ns);
    neighbor_expire(bed.n, bed.now_ns, 100);
    ck_assert_uint_eq(bed.asked, 20);
    bed_clear();
}
END_TEST

START_TEST(capacity_is_cut_to_the_adjacencies)
{
    memset(&bed, 0, sizeof(bed));
    bed.adjacencies = adjacencies_create(3);
    bed.n = neighbors_create(bed.adjacencies, 100, &bed_ops, 1);
    ck_assert_uint_ne(bed_reference(1), ADJACENCY_NONE);
    ck_assert_uint_ne(bed_reference(2), ADJACENCY_NONE);
    ck_assert_uint_eq(bed_reference(3), ADJACENCY_NONE);
    bed_clear();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("neighbor_bounds");
    TCase *bounds = tcase_create("bounds");
    tcase_add_test(bounds, the_oldest_goes_when_a_queue_is_full);
    tcase_add_test(bounds, all_queues_together_are_bounded);
    tcase_add_test(bounds, a_storm_stays_bounded);
    tcase_add_test(bounds, strangers_of_ipv6_are_rationed);
    tcase_add_test(bounds, who_makes_room_for_whom);
    tcase_add_test(bounds, an_adjacency_rests_before_it_is_given_again);
    tcase_add_test(bounds, a_discard_may_send);
    tcase_add_test(bounds, a_budget_is_kept);
    tcase_add_test(bounds, capacity_is_cut_to_the_adjacencies);
    suite_add_tcase(suite, bounds);
    return check_main(suite);
}
