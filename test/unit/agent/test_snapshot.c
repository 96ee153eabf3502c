/* SPDX-License-Identifier: BSD-3-Clause */
#include "deputy_check.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORDS = 256 };

/* All that a synchronisation told. */
static struct {
    struct delegation_start starts[RECORDS];
    unsigned n_starts, n_data, n_last, n_digests;
    uint16_t buckets[RECORDS];
    uint64_t digests[RECORDS];
    uint16_t request;
} told;

static void read_data(const struct heard *h)
{
    struct delegation_records records = deputy_records(h);
    struct delegation_record record;
    told.n_data++;
    told.request = h->header.request;
    if ((h->header.flags & DELEGATION_LAST) != 0)
        told.n_last++;
    else
        ck_assert_uint_eq(h->header.flags, DELEGATION_MORE);
    while (delegation_next(&records, &record)) {
        if (record.type == DELEGATION_RECORD_START) {
            ck_assert_uint_eq(told.n_digests == 0 || record.index > 0, 1);
            told.starts[told.n_starts++] = record.start;
            continue;
        }
        ck_assert_uint_eq(record.type, DELEGATION_RECORD_DIGEST);
        ck_assert_uint_eq(record.digest.count, 1);
        told.buckets[told.n_digests] = record.digest.first;
        told.digests[told.n_digests++] = delegation_digest_value(&record.digest, 0);
    }
    ck_assert(!records.failed);
}

static void read_all(void)
{
    const struct heard *h;
    memset(&told, 0, sizeof(told));
    while ((h = deputy_take(&deputy, 0, DELEGATION_SYNC_DATA)) != NULL)
        read_data(h);
}

static uint32_t request(struct dispatch *d)
{
    return deputy_send(&deputy, 0, DELEGATION_SYNC_REQ, d);
}

static uint32_t request_all(void)
{
    struct dispatch d;
    deputy_begin(&d);
    return request(&d);
}

static const struct delegation_start *told_of(unsigned i)
{
    const struct addr home = deputy_home(i);
    const struct delegation_start *found = NULL;
    for (unsigned n = 0; n < told.n_starts; n++)
        if (addr_equal(&told.starts[n].home, &home)) {
            ck_assert_ptr_null(found);
            found = &told.starts[n];
        }
    return found;
}

START_TEST(acknowledged_at_once)
{
    hold(0);
    deputy_forget(&deputy);
    const uint32_t transaction = request_all();
    ck_assert_uint_eq(deputy.n_heard, 1);
    ck_assert_uint_eq(deputy.heard[0].header.type, DELEGATION_SYNC_ACK);
    ck_assert_uint_eq(deputy.heard[0].header.transaction, transaction);
    ck_assert_uint_eq(deputy.heard[0].header.records, 0);
}
END_TEST

START_TEST(an_empty_table)
{
    const uint32_t transaction = request_all();
    deputy_wait(&deputy, 100);
    read_all();
    ck_assert_uint_eq(told.n_starts, 0);
    ck_assert_uint_eq(told.n_last, 1);
    ck_assert_uint_eq(told.n_data, 1);
    ck_assert_uint_eq(told.request, transaction & 0xffff);
}
END_TEST

START_TEST(what_is_told_of_an_entry)
{
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.flags |= START_DECAPSULATE;
    start.source = ip("10.1.0.1");
    start.tunnel_mtu = 1400;
    deputy_do_start(&deputy, 0, &start);
    /* Kept for its primary, to which alone reverse tunnels lead. */
    ck_assert(!deputy_effect(&deputy, EFFECT_INSTALL)->install.care_of[0].reverse);
    hold(1);
    const uint64_t g2 = hold(2);
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 1);
    deputy_do_stop(&deputy, 0, &stop);
    struct delegation_start refused = deputy_start_of(&deputy, 0, 2);
    refused.care_of = refused.home;
    deputy_do_start(&deputy, 0, &refused);
    stop = deputy_stop_of(&deputy, 0, 3);
    deputy_do_stop(&deputy, 0, &stop); /* a tombstone */
    deputy_wait(&deputy, 10000);
    request_all();
    deputy_wait(&deputy, 100);
    read_all();
    ck_assert_uint_eq(told.n_starts, 3);
    const struct delegation_start *s = told_of(0);
    ck_assert_uint_eq(s->generation, start.generation);
    ck_assert_uint_eq(s->flags, start.flags);
    ck_assert_uint_eq(s->duration_ms, 90000);
    ck_assert_uint_eq(s->cookie, start.cookie);
    ck_assert_uint_eq(s->tunnel_mtu, 1400);
    ck_assert_uint_eq(s->encapsulation, ENCAPSULATION_IPIP);
    ck_assert(addr_equal(&s->source, &start.source));
    ck_assert(addr_equal(&s->care_of, &start.care_of));
    ck_assert_uint_eq(told_of(1)->flags & START_INTERCEPT, 0);
    ck_assert_uint_eq(told_of(1)->duration_ms, 20000);
    ck_assert(addr_is_unspecified(&told_of(1)->source));
    ck_assert_uint_ne(told_of(2)->flags & START_INTERCEPT, 0);
    ck_assert_uint_eq(told_of(2)->generation, g2);
}
END_TEST

START_TEST(sets_are_told_whole)
{
    struct dispatch d;
    deputy_begin(&d);
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.count = 4;
    for (; start.index < 4; start.index++) {
        start.care_of = deputy_care_of(20 + start.index);
        delegation_start_encode(&d.w, &start);
    }
    for (unsigned i = 1; i <= 10; i++)
        hold(i);
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    for (unsigned i = 11; i <= 20; i++)
        hold(i);
    deputy_forget(&deputy);
    request_all();
    deputy_wait(&deputy, 100);
    read_all();
    ck_assert_uint_eq(told.n_data, 3);
    ck_assert_uint_eq(told.n_starts, 24);
    unsigned n = 0;
    for (unsigned i = 0; i < told.n_starts; i++)
        if (told.starts[i].count == 4) {
            const struct addr care_of = deputy_care_of(20 + n);
            ck_assert_uint_eq(told.starts[i].index, n++);
            ck_assert(addr_equal(&told.starts[i].care_of, &care_of));
        }
    ck_assert_uint_eq(n, 4);
}
END_TEST

static void hold_many(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        hold(i);
    deputy_forget(&deputy);
}

/* The last one leaves only when all others are acknowledged. */
START_TEST(last_comes_after_all_acknowledgements)
{
    hold_many(40);
    deputy.primaries[0].mute = true;
    request_all();
    deputy_wait(&deputy, 1);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_SYNC_DATA), 3);
    const struct heard *first = deputy_take(&deputy, 0, DELEGATION_SYNC_DATA);
    const struct heard *second = deputy_take(&deputy, 0, DELEGATION_SYNC_DATA);
    const struct heard *third = deputy_take(&deputy, 0, DELEGATION_SYNC_DATA);
    deputy_respond(&deputy, 0, second);
    deputy_respond(&deputy, 0, third);
    deputy_wait(&deputy, 1);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_SYNC_DATA), 3);
    deputy_respond(&deputy, 0, first);
    deputy_wait(&deputy, 1);
    const struct heard *last = deputy_take(&deputy, 0, DELEGATION_SYNC_DATA);
    ck_assert_ptr_nonnull(last);
    ck_assert_uint_eq(last->header.flags, DELEGATION_LAST);
    deputy_respond(&deputy, 0, last);
    deputy_wait(&deputy, 5000);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_SYNC_DATA), 4);
}
END_TEST

START_TEST(unacknowledged_is_sent_again)
{
    hold_many(3);
    deputy.primaries[0].mute = true;
    request_all();
    deputy_wait(&deputy, 1000);
    ck_assert_uint_ge(deputy_count(&deputy, 0, DELEGATION_SYNC_DATA), 3);
    const uint32_t transaction = deputy_take(&deputy, 0, DELEGATION_SYNC_DATA)->header.transaction;
    ck_assert_uint_eq(deputy_take(&deputy, 0, DELEGATION_SYNC_DATA)->header.transaction, transaction);
}
END_TEST

/* What comes after the request is not of it; what goes before it is told is no more; and it ends. */
START_TEST(set_is_fixed_when_the_request_arrives)
{
    hold_many(60);
    deputy.primaries[0].mute = true;
    request_all();
    hold(60);
    const struct delegation_start again = deputy_start_of(&deputy, 0, 1);
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &again).status, STATUS_OK);
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 0);
    stop.mode = STOP_DROP;
    deputy_do_stop(&deputy, 0, &stop);
    deputy.primaries[0].mute = false;
    deputy_wait(&deputy, 500);
    read_all();
    ck_assert_uint_eq(told.n_last, 1);
    ck_assert_ptr_null(told_of(60));
    ck_assert_ptr_null(told_of(0));
    for (unsigned i = 2; i < 60; i++)
        ck_assert_ptr_nonnull(told_of(i));
}
END_TEST

/* Sent again, a datagram says how things are: what has ended meanwhile is not told, nor what is another
 * START's. */
START_TEST(sent_again_as_it_is_now)
{
    hold_many(3);
    deputy.primaries[0].mute = true;
    request_all();
    deputy_wait(&deputy, 1);
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 0);
    stop.mode = STOP_DROP;
    deputy_do_stop(&deputy, 0, &stop);
    stop = deputy_stop_of(&deputy, 0, 1);
    deputy_do_stop(&deputy, 0, &stop);
    hold(2);
    deputy_forget(&deputy);
    deputy_wait(&deputy, 150);
    read_all();
    ck_assert_uint_eq(told.n_starts, 1);
    ck_assert_ptr_null(told_of(0));
    ck_assert_uint_eq(told_of(1)->flags & START_INTERCEPT, 0);
}
END_TEST

START_TEST(new_request_replaces_the_running_one)
{
    hold_many(40);
    deputy.primaries[0].mute = true;
    request_all();
    deputy_wait(&deputy, 1);
    deputy_forget(&deputy);
    const uint32_t second = request_all();
    deputy.primaries[0].mute = false;
    deputy_wait(&deputy, 5000);
    read_all();
    ck_assert_uint_eq(told.request, second & 0xffff);
    ck_assert_uint_eq(told.n_starts, 40);
    ck_assert_uint_eq(told.n_last, 1);
}
END_TEST

/* Only its acknowledgement was lost. */
START_TEST(same_request_again_is_only_acknowledged)
{
    struct dispatch d;
    hold_many(3);
    request_all();
    deputy_wait(&deputy, 10);
    deputy_forget(&deputy);
    deputy.primaries[0].transaction--;
    deputy_begin(&d);
    request(&d);
    deputy_wait(&deputy, 100);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_SYNC_ACK), 1);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_SYNC_DATA), 0);
}
END_TEST

START_TEST(new_session_ends_it)
{
    hold_many(40);
    deputy.primaries[0].mute = true;
    request_all();
    deputy_wait(&deputy, 1);
    deputy_meet_again(&deputy, 0, true);
    deputy_forget(&deputy);
    deputy_wait(&deputy, 5000);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_SYNC_DATA), 0);
    ck_assert_uint_eq(load_told(0).state, LOAD_READY);
    deputy.primaries[0].mute = false;
    request_all();
    deputy_wait(&deputy, 100);
    read_all();
    ck_assert_uint_eq(told.n_starts, 40);
}
END_TEST

/* The buckets that differ, each with its digest; entries of no others. */
START_TEST(buckets_that_differ)
{
    struct dispatch d;
    uint64_t ours[DELEGATION_BUCKETS] = {0};
    uint16_t bucket[3];
    uint64_t g[3];
    for (unsigned i = 0; i < 3; i++) {
        const struct addr home = deputy_home(i), care_of = deputy_care_of(i);
        g[i] = hold(i);
        bucket[i] = delegation_bucket(0, &home);
        ours[bucket[i]] ^= delegation_entry_digest(0, &home, g[i], &care_of, 1);
    }
    ck_assert(bucket[0] != bucket[1] && bucket[1] != bucket[2] && bucket[0] != bucket[2]);
    const uint16_t first = bucket[0] & 0xff80;
    uint64_t theirs[128];
    for (unsigned i = 0; i < 128; i++)
        theirs[i] = ours[first + i];
    theirs[bucket[0] - first] ^= 1;
    const uint16_t spare = bucket[0] == first ? 1 : 0; /* we have nothing there, they have something */
    theirs[spare] ^= 5;
    deputy_begin(&d);
    delegation_digest_encode(&d.w, first, 128, theirs);
    deputy_forget(&deputy);
    request(&d);
    deputy_wait(&deputy, 100);
    read_all();
    ck_assert_uint_eq(told.n_digests, 2);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(told.buckets[i] == bucket[0] || told.buckets[i] == first + spare);
        ck_assert_uint_eq(told.digests[i], ours[told.buckets[i]]);
    }
    ck_assert_uint_eq(told.n_starts, 1);
    ck_assert_ptr_nonnull(told_of(0));
    ck_assert_uint_eq(told.n_last, 1);
}
END_TEST

/* All of a range differs: more than go into one datagram, also a small one. */
START_TEST(all_buckets_of_a_range_differ)
{
    struct dispatch d;
    uint64_t theirs[160];
    deputy.primaries[0].payload_max = 600;
    deputy_meet_again(&deputy, 0, true);
    for (unsigned i = 0; i < 160; i++)
        theirs[i] = i + 1;
    deputy_begin(&d);
    delegation_digest_encode(&d.w, 864, 160, theirs);
    deputy_forget(&deputy);
    request(&d);
    deputy_wait(&deputy, 100);
    read_all();
    ck_assert_uint_eq(told.n_digests, 160);
    for (unsigned i = 0; i < 160; i++)
        ck_assert_uint_eq(told.buckets[i], 864 + i);
    ck_assert_uint_eq(told.n_last, 1);
}
END_TEST

/* A set that no datagram of the session holds must not stand in the way of the others. */
START_TEST(set_too_long_for_a_small_session)
{
    struct dispatch d;
    deputy_begin(&d);
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.count = 8;
    for (; start.index < 8; start.index++) {
        start.care_of = deputy_care_of(20 + start.index);
        delegation_start_encode(&d.w, &start);
    }
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    hold(1);
    deputy.primaries[0].payload_max = 600;
    deputy_meet_again(&deputy, 0, true);
    request_all();
    deputy_wait(&deputy, 100);
    read_all();
    ck_assert_uint_eq(told.n_starts, 1);
    ck_assert_uint_eq(told.n_last, 1);
}
END_TEST

/* Seeded changes all the while, and a primary that loses every third answer: it ends, and tells all that was
 * there throughout. */
START_TEST(ends_under_constant_change)
{
    const unsigned seed = (unsigned)_i;
    printf("seed %u\n", seed);
    srand(seed);
    hold_many(60);
    deputy.primaries[0].mute = true;
    request_all();
    bool changed[64] = {false};
    memset(&told, 0, sizeof(told));
    for (unsigned round = 0; round < 400 && told.n_last == 0; round++) {
        const unsigned i = (unsigned)rand() % 20;
        struct delegation_stop stop = deputy_stop_of(&deputy, 0, i);
        stop.mode = (uint8_t)(rand() % 2);
        changed[i] = true;
        deputy_do_stop(&deputy, 0, &stop);
        if (rand() % 2 == 0)
            hold(i);
        deputy_wait(&deputy, 20);
        const struct heard *h;
        while ((h = deputy_take(&deputy, 0, DELEGATION_SYNC_DATA)) != NULL) {
            if (rand() % 3 == 0)
                continue;
            read_data(h);
            deputy_respond(&deputy, 0, h);
        }
        deputy_forget(&deputy);
        if (told.n_starts > RECORDS - 100)
            break;
    }
    ck_assert_uint_eq(told.n_last, 1);
    for (unsigned i = 0; i < 60; i++)
        ck_assert(changed[i] || told_of(i) != NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *all = deputy_case(suite, "everything");
    tcase_add_test(all, acknowledged_at_once);
    tcase_add_test(all, an_empty_table);
    tcase_add_test(all, what_is_told_of_an_entry);
    tcase_add_test(all, sets_are_told_whole);
    TCase *order = deputy_case(suite, "order");
    tcase_add_test(order, last_comes_after_all_acknowledgements);
    tcase_add_test(order, unacknowledged_is_sent_again);
    tcase_add_test(order, set_is_fixed_when_the_request_arrives);
    tcase_add_test(order, sent_again_as_it_is_now);
    tcase_add_loop_test(order, ends_under_constant_change, 1, 6);
    TCase *requests = deputy_case(suite, "requests");
    tcase_add_test(requests, new_request_replaces_the_running_one);
    tcase_add_test(requests, same_request_again_is_only_acknowledged);
    tcase_add_test(requests, new_session_ends_it);
    TCase *digests = deputy_case(suite, "digests");
    tcase_add_test(digests, buckets_that_differ);
    tcase_add_test(digests, all_buckets_of_a_range_differ);
    tcase_add_test(digests, set_too_long_for_a_small_session);
    return check_main(suite);
}
