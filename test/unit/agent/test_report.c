/* SPDX-License-Identifier: BSD-3-Clause */
#include "deputy_check.h"

/* ---- RATES ---- */
static void count_packets(unsigned i, uint32_t pps, uint64_t packets)
{
    const struct agent_rate rate = {
        .home = deputy_home(i), .pps = pps, .kbps = 8 * pps, .packets = packets, .bytes = 1000 * packets};
    agent_rates(deputy.agent, &rate, 1, deputy.now);
}

static unsigned read_rates(const struct heard *h, struct delegation_rate *rates)
{
    struct delegation_records records = deputy_records(h);
    struct delegation_record record;
    unsigned n = 0;
    while (delegation_next(&records, &record)) {
        ck_assert_uint_eq(record.type, DELEGATION_RECORD_RATE);
        rates[n++] = record.rate;
    }
    return n;
}

/* Four at most, by the lease; busiest first. */
START_TEST(busiest_are_reported)
{
    static const uint32_t pps[] = {5, 90, 1, 70, 30, 20, 60};
    static const unsigned expected[] = {1, 3, 6, 4};
    struct delegation_rate rates[32];
    uint64_t g[7];
    for (unsigned i = 0; i < 7; i++)
        g[i] = hold(i);
    deputy_forget(&deputy);
    for (unsigned i = 0; i < 7; i++)
        count_packets(i, pps[i], 100 + i);
    deputy_wait(&deputy, 1000);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_RATES), 1);
    ck_assert_uint_eq(read_rates(deputy_take(&deputy, 0, DELEGATION_RATES), rates), 4);
    for (unsigned i = 0; i < 4; i++) {
        const struct addr home = deputy_home(expected[i]);
        ck_assert(addr_equal(&rates[i].home, &home));
        ck_assert_uint_eq(rates[i].generation, g[expected[i]]);
        ck_assert_uint_eq(rates[i].pps, pps[expected[i]]);
        ck_assert_uint_eq(rates[i].kbps, 8 * pps[expected[i]]);
        ck_assert_uint_eq(rates[i].packets, 100 + expected[i]);
        ck_assert_uint_eq(rates[i].bytes, 1000 * (100 + expected[i]));
    }
    /* what has had no traffic since is not told again */
    deputy_forget(&deputy);
    deputy_wait(&deputy, 3000);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_RATES), 0);
}
END_TEST

START_TEST(newest_rate_counts)
{
    struct delegation_rate rates[32];
    for (unsigned i = 0; i < 5; i++)
        hold(i);
    for (unsigned i = 0; i < 4; i++)
        count_packets(i, 50, 1);
    count_packets(0, 10, 2);
    count_packets(4, 20, 1);
    count_packets(1, 99, 3);
    deputy_wait(&deputy, 1000);
    ck_assert_uint_eq(read_rates(deputy_take(&deputy, 0, DELEGATION_RATES), rates), 4);
    const struct addr home = deputy_home(1);
    ck_assert(addr_equal(&rates[0].home, &home));
    ck_assert_uint_eq(rates[0].packets, 3);
    for (unsigned i = 1; i < 4; i++)
        ck_assert_uint_ge(rates[i].pps, 20);
}
END_TEST

START_TEST(told_twice_is_reported_once)
{
    struct delegation_rate rates[32];
    hold(0);
    count_packets(0, 50, 1);
    count_packets(0, 40, 2);
    deputy_wait(&deputy, 1000);
    ck_assert_uint_eq(read_rates(deputy_take(&deputy, 0, DELEGATION_RATES), rates), 1);
    ck_assert_uint_eq(rates[0].packets, 2);
}
END_TEST

START_TEST(rates_are_not_repeated)
{
    hold(0);
    count_packets(0, 50, 1);
    deputy.primaries[0].mute = true;
    deputy_wait(&deputy, 10000);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_RATES), 1);
}
END_TEST

START_TEST(what_has_ended_is_not_reported)
{
    struct delegation_rate rates[32];
    struct delegation_stop stop;
    for (unsigned i = 0; i < 4; i++) {
        hold(i);
        count_packets(i, 10 + i, 1);
    }
    stop = deputy_stop_of(&deputy, 0, 0);
    stop.mode = STOP_DROP;
    deputy_do_stop(&deputy, 0, &stop);
    deputy_wait(&deputy, 1000);
    ck_assert_uint_eq(read_rates(deputy_take(&deputy, 0, DELEGATION_RATES), rates), 3);
}
END_TEST

START_TEST(reports_go_into_several_datagrams)
{
    struct delegation_rate rates[32];
    unsigned total = 0;
    deputy.primaries[0].lease.report_top = 60;
    deputy_wait(&deputy, 1000);
    for (unsigned i = 0; i < 60; i++)
        hold(i);
    deputy_forget(&deputy);
    for (unsigned i = 0; i < 60; i++)
        count_packets(i, 1 + i * 7 % 60, 1);
    deputy_wait(&deputy, 1000);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_RATES), 3);
    uint32_t above = UINT32_MAX;
    const struct heard *h;
    while ((h = deputy_take(&deputy, 0, DELEGATION_RATES)) != NULL) {
        const unsigned n = read_rates(h, rates);
        for (unsigned i = 0; i < n; i++, total++) {
            ck_assert_uint_le(rates[i].pps, above);
            above = rates[i].pps;
        }
    }
    ck_assert_uint_eq(total, 60);
}
END_TEST

START_TEST(no_reports_are_wanted)
{
    deputy.primaries[0].lease.report_ms = 0;
    deputy_wait(&deputy, 2000);
    hold(0);
    count_packets(0, 50, 1);
    deputy_wait(&deputy, 10000);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_RATES), 0);
}
END_TEST

START_TEST(view_tells_the_rates)
{
    struct binding_view view;
    const struct addr home = deputy_home(0);
    hold(0);
    count_packets(0, 50, 123);
    ck_assert(agent_binding(deputy.agent, &home, deputy.now, &view));
    ck_assert_uint_eq(view.packets, 123);
    ck_assert_uint_eq(view.bytes, 123000);
    ck_assert_uint_eq(view.pps, 50);
    ck_assert_uint_eq(view.kbps, 400);
}
END_TEST

/* ---- Events ---- */
static struct delegation_event events[512];

static unsigned read_events(void)
{
    unsigned n = 0;
    const struct heard *h;
    while ((h = deputy_take(&deputy, 0, DELEGATION_EVENT)) != NULL) {
        struct delegation_records records = deputy_records(h);
        struct delegation_record record;
        while (delegation_next(&records, &record)) {
            ck_assert_uint_eq(record.type, DELEGATION_RECORD_EVENT);
            events[n++] = record.event;
        }
    }
    return n;
}

static void expect_event(enum delegation_event_code code, unsigned i)
{
    const struct addr home = deputy_home(i);
    ck_assert_uint_eq(read_events(), 1);
    ck_assert_uint_eq(events[0].code, code);
    ck_assert(addr_equal(&events[0].home, &home));
}

/* Those that come together go together. */
START_TEST(expired_are_batched)
{
    for (unsigned i = 0; i < 15; i++)
        hold(i);
    deputy_forget(&deputy);
    deputy_wait(&deputy, 100500);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_EVENT), 1);
    ck_assert_uint_eq(read_events(), 15);
    for (unsigned i = 0; i < 15; i++)
        ck_assert_uint_eq(events[i].code, EVENT_EXPIRED);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_DURATIONS_OVER), 15);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_EVENTS_SENT), 15);
}
END_TEST

/* A primary that does not acknowledge is told again; what happens meanwhile is told after that, and once. */
START_TEST(events_are_repeated_until_acknowledged)
{
    const uint64_t g = hold(0);
    deputy.primaries[0].mute = true;
    deputy_wait(&deputy, 100000);
    deputy_forget(&deputy);
    agent_load(deputy.agent, &(struct agent_load){.link_down = true}, deputy.now);
    agent_load(deputy.agent, &(struct agent_load){.link_down = false}, deputy.now);
    agent_load(deputy.agent, &(struct agent_load){.link_down = true}, deputy.now);
    deputy_wait(&deputy, 2000);
    ck_assert_uint_ge(deputy_count(&deputy, 0, DELEGATION_EVENT), 3);
    const unsigned n = read_events();
    for (unsigned i = 0; i < n; i++) {
        ck_assert_uint_eq(events[i].code, EVENT_EXPIRED);
        ck_assert_uint_eq(events[i].generation, g);
    }
    deputy_forget(&deputy);
    deputy.primaries[0].mute = false;
    deputy_wait(&deputy, 10000);
    ck_assert_uint_eq(read_events(), 2);
    ck_assert_uint_eq(events[1].code, EVENT_LINK_DOWN);
    deputy_forget(&deputy);
    deputy_wait(&deputy, 10000);
    ck_assert_uint_eq(read_events(), 0);
}
END_TEST

START_TEST(events_wait_for_the_next_session)
{
    hold(0);
    deputy.primaries[0].mute = true;
    deputy_wait(&deputy, 100001);
    deputy_meet_again(&deputy, 0, true);
    deputy_forget(&deputy);
    deputy.primaries[0].mute = false;
    deputy_wait(&deputy, 100);
    expect_event(EVENT_EXPIRED, 0);
}
END_TEST

START_TEST(link_down_and_up)
{
    agent_load(deputy.agent, &(struct agent_load){.link_down = true}, deputy.now);
    deputy_wait(&deputy, 10);
    ck_assert_uint_eq(read_events(), 1);
    ck_assert_uint_eq(events[0].code, EVENT_LINK_DOWN);
    agent_load(deputy.agent, &(struct agent_load){.link_down = true}, deputy.now);
    agent_load(deputy.agent, &(struct agent_load){.link_down = false}, deputy.now);
    deputy_wait(&deputy, 10);
    ck_assert_uint_eq(read_events(), 1);
    ck_assert_uint_eq(events[0].code, EVENT_LINK_UP);
    agent_load(deputy.agent, &(struct agent_load){.rx_pps = 5}, deputy.now);
    deputy_wait(&deputy, 10);
    ck_assert_uint_eq(read_events(), 0);
}
END_TEST

START_TEST(table_full)
{
    for (unsigned i = 0; i < deputy.settings.max_bindings; i++)
        hold(i);
    for (unsigned i = 100; i < 103; i++) {
        const struct delegation_start start = deputy_start_of(&deputy, 0, i);
        ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_NO_RESOURCES);
    }
    deputy_wait(&deputy, 10);
    ck_assert_uint_eq(read_events(), 1);
    ck_assert_uint_eq(events[0].code, EVENT_TABLE_FULL);
}
END_TEST

/* Every five seconds as long as it lasts, from five seconds after the STOP. */
START_TEST(still_receiving_after_stop)
{
    hold(0);
    const struct delegation_stop stop = deputy_stop_of(&deputy, 0, 0);
    deputy_do_stop(&deputy, 0, &stop);
    deputy_forget(&deputy);
    deputy_wait(&deputy, 4999);
    count_packets(0, 1, 1);
    deputy_wait(&deputy, 1);
    ck_assert_uint_eq(read_events(), 0);
    count_packets(0, 0, 1);
    deputy_wait(&deputy, 0);
    ck_assert_uint_eq(read_events(), 0);
    count_packets(0, 1, 2);
    deputy_wait(&deputy, 1000);
    expect_event(EVENT_STRAYS, 0);
    ck_assert_uint_eq(events[0].generation, stop.generation);
    for (unsigned i = 0; i < 4; i++) {
        count_packets(0, 1, 3);
        deputy_wait(&deputy, 999);
    }
    ck_assert_uint_eq(read_events(), 0);
    deputy_wait(&deputy, 1000);
    count_packets(0, 1, 3);
    deputy_wait(&deputy, 10);
    expect_event(EVENT_STRAYS, 0);
}
END_TEST

/* More than there is room for: the rest is counted. */
START_TEST(too_many_events)
{
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.flags = 0;
    start.duration_ms = 1000;
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 60; i++) {
            start.home = deputy_home(round * 60 + i);
            start.generation = deputy_next(&deputy, 0);
            ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
        }
        deputy.primaries[0].floor = start.generation;
        deputy_forget(&deputy);
        deputy.primaries[0].mute = true;
        deputy_wait(&deputy, 1500);
    }
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_EVENTS_LOST), 300 - 256);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *rates = deputy_case(suite, "rates");
    tcase_add_test(rates, busiest_are_reported);
    tcase_add_test(rates, newest_rate_counts);
    tcase_add_test(rates, told_twice_is_reported_once);
    tcase_add_test(rates, rates_are_not_repeated);
    tcase_add_test(rates, what_has_ended_is_not_reported);
    tcase_add_test(rates, reports_go_into_several_datagrams);
    tcase_add_test(rates, no_reports_are_wanted);
    tcase_add_test(rates, view_tells_the_rates);
    TCase *events_case = deputy_case(suite, "events");
    tcase_add_test(events_case, expired_are_batched);
    tcase_add_test(events_case, events_are_repeated_until_acknowledged);
    tcase_add_test(events_case, events_wait_for_the_next_session);
    tcase_add_test(events_case, link_down_and_up);
    tcase_add_test(events_case, table_full);
    tcase_add_test(events_case, still_receiving_after_stop);
    tcase_add_test(events_case, too_many_events);
    return check_main(suite);
}
