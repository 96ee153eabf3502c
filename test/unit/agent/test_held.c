/* SPDX-License-Identifier: BSD-3-Clause */
#include "deputy_check.h"

#include "heard.h"
#include "icmp.h"

static const struct mac somebody = {{2, 9, 9, 9, 9, 9}};
static const struct mac primarys = {{2, 0, 0, 0, 0, 1}};

static bool asked(const struct mac *mac, const char *sender, struct addr target)
{
    const struct arp arp = {
        .operation = ARP_REQUEST, .sender_mac = *mac, .sender = ip(sender), .target = target};
    return hear_arp(deputy.agent, &arp, deputy.now);
}

static void claim(const struct mac *mac, unsigned i)
{
    const struct arp arp = {
        .operation = ARP_REQUEST, .sender_mac = *mac, .sender = deputy_home(i), .target = deputy_home(i)};
    hear_arp(deputy.agent, &arp, deputy.now);
    deputy_drain(&deputy);
}

static void stop_it(unsigned i, uint8_t mode)
{
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, i);
    stop.mode = mode;
    deputy_do_stop(&deputy, 0, &stop);
}

static unsigned events_of(enum delegation_event_code code, struct delegation_event *last)
{
    const struct heard *h;
    unsigned n = 0;
    while ((h = deputy_take(&deputy, 0, DELEGATION_EVENT)) != NULL) {
        struct delegation_records records = deputy_records(h);
        struct delegation_record record;
        while (delegation_next(&records, &record))
            if (record.event.code == code) {
                *last = record.event;
                n++;
            }
    }
    return n;
}

/* ---- ARP ---- */
START_TEST(answers_for_what_it_intercepts)
{
    ck_assert(!asked(&somebody, "10.1.9.9", deputy_home(0)));
    hold(0);
    ck_assert(asked(&somebody, "10.1.9.9", deputy_home(0)));
    ck_assert(asked(&somebody, "0.0.0.0", deputy_home(0)));
    stop_it(0, STOP_LINGER);
    ck_assert(!asked(&somebody, "10.1.9.9", deputy_home(0)));
    ck_assert(forwards(0));
}
END_TEST

START_TEST(does_not_answer_for_what_it_only_forwards)
{
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.flags = 0;
    deputy_do_start(&deputy, 0, &start);
    ck_assert(!asked(&somebody, "10.1.9.9", deputy_home(0)));
}
END_TEST

/* By its address or its MAC address, which it told in its HELLO. */
START_TEST(never_answers_a_peer)
{
    hold(0);
    ck_assert(!asked(&primarys, "10.1.9.9", deputy_home(0)));
    ck_assert(!asked(&somebody, "10.1.0.1", deputy_home(0)));
}
END_TEST

START_TEST(a_peers_claim_is_no_conflict)
{
    struct delegation_event event;
    hold(0);
    deputy_wait(&deputy, 5000);
    claim(&primarys, 0);
    deputy_forget(&deputy);
    deputy_wait(&deputy, 20000);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_ARP_CONFLICTS), 0);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 0);
    ck_assert_uint_eq(events_of(EVENT_CONFLICT, &event), 0);
}
END_TEST

START_TEST(a_conflict_that_stands_is_announced_and_reported)
{
    struct delegation_event event;
    const uint64_t g = hold(0);
    deputy_wait(&deputy, 5000);
    claim(&somebody, 0);
    deputy_forget(&deputy);
    deputy_wait(&deputy, 9999);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 0);
    deputy_wait(&deputy, 1);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 1);
    ck_assert_uint_eq(events_of(EVENT_CONFLICT, &event), 1);
    ck_assert_uint_eq(event.generation, g);
    ck_assert_mem_eq(event.auxiliary, &somebody, sizeof(somebody));
    deputy_forget(&deputy);
    deputy_wait(&deputy, 30000);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 0);
}
END_TEST

/* It has been stopped since, or only lingers when it is claimed: whoever claims it may be the owner. */
START_TEST(a_conflict_that_is_over_is_not)
{
    struct delegation_event event;
    hold(0);
    hold(1);
    stop_it(1, STOP_LINGER);
    deputy_wait(&deputy, 5000);
    claim(&somebody, 0);
    claim(&somebody, 1);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_ARP_CONFLICTS), 1);
    stop_it(0, STOP_LINGER);
    deputy_forget(&deputy);
    deputy_wait(&deputy, 60000);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 0);
    ck_assert_uint_eq(events_of(EVENT_CONFLICT, &event), 0);
}
END_TEST

/* ---- IPv6 ---- */
START_TEST(solicitations_are_answered_like_arp)
{
    const struct addr home = deputy_home_ipv6(1), router = ip("2001:db8:1::fe");
    struct delegation_start start = deputy_start_ipv6(&deputy, 0, 1);
    deputy_do_start(&deputy, 0, &start);
    ck_assert(hear_solicitation(deputy.agent, &somebody, &router, &home, deputy.now));
    /* the primary's to answer */
    ck_assert(!hear_solicitation(deputy.agent, &somebody, &addr_unspecified, &home, deputy.now));
    ck_assert(!hear_solicitation(deputy.agent, &primarys, &router, &home, deputy.now));
    start = deputy_start_ipv6(&deputy, 0, 1);
    start.flags = 0;
    deputy_do_start(&deputy, 0, &start);
    ck_assert(!hear_solicitation(deputy.agent, &somebody, &router, &home, deputy.now));
}
END_TEST

/* '+' and '-' in order, of an IPv6 mobile. */
static const char *listening(unsigned i)
{
    static char text[32];
    const struct addr home = deputy_home_ipv6(i);
    size_t n = 0;
    for (size_t k = 0; k < deputy.n_log && n < sizeof(text) - 1; k++)
        if (deputy.log[k].kind == EFFECT_LISTEN && addr_equal(&deputy.log[k].listen.home, &home))
            text[n++] = deputy.log[k].listen.on ? '+' : '-';
    text[n] = '\0';
    deputy_forget(&deputy);
    return text;
}

static void start_ipv6(uint8_t flags)
{
    struct delegation_start start = deputy_start_ipv6(&deputy, 0, 1);
    start.flags = flags;
    deputy_do_start(&deputy, 0, &start);
}

/* Before it is announced; not for a neighbour cache's sake alone, but through the loss of a lease. */
START_TEST(listens_where_it_is_to_intercept)
{
    start_ipv6(START_INTERCEPT | START_ANNOUNCE);
    ck_assert(deputy_effect(&deputy, EFFECT_LISTEN) < deputy_effect(&deputy, EFFECT_ANNOUNCE));
    ck_assert_str_eq(listening(1), "+");
    start_ipv6(START_INTERCEPT);
    ck_assert_str_eq(listening(1), "");
    start_ipv6(0);
    ck_assert_str_eq(listening(1), "-");
    start_ipv6(START_INTERCEPT);
    ck_assert_str_eq(listening(1), "+");
    deputy.primaries[0].deaf = true;
    deputy_wait(&deputy, 2 * DEPUTY_LEASE_MS);
    const struct addr home = deputy_home_ipv6(1);
    ck_assert(!agent_intercepts(deputy.agent, &home));
    ck_assert_str_eq(listening(1), "");
}
END_TEST

static const struct {
    const char *what;
    uint8_t mode;
} ways_to_stop[] = {{"moved", STOP_LINGER}, {"ended", STOP_DROP}, {"at home", STOP_DELIVER}};

START_TEST(listens_until_it_is_stopped)
{
    start_ipv6(START_INTERCEPT);
    ck_assert_str_eq(listening(1), "+");
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 1);
    stop.home = deputy_home_ipv6(1);
    stop.mode = ways_to_stop[_i].mode;
    deputy_do_stop(&deputy, 0, &stop);
    ck_assert_msg(strcmp(listening(1), "-") == 0, "%s", ways_to_stop[_i].what);
    deputy_wait(&deputy, 100000);
    ck_assert_str_eq(listening(1), "");
}
END_TEST

START_TEST(listens_until_its_time_is_over)
{
    start_ipv6(START_INTERCEPT);
    ck_assert_str_eq(listening(1), "+");
    deputy_wait(&deputy, 101000);
    ck_assert_str_eq(listening(1), "-");
}
END_TEST

START_TEST(link_local_address)
{
    const struct addr home = deputy_home_ipv6(1), link_local = addr_link_local_of(&home);
    const struct addr router = ip("fe80::fe");
    for (int wanted = 0; wanted < 2; wanted++) {
        struct delegation_start start = deputy_start_ipv6(&deputy, 0, 1);
        if (wanted == 1)
            start.flags |= START_LINK_LOCAL;
        deputy_forget(&deputy);
        deputy_do_start(&deputy, 0, &start);
        ck_assert_int_eq(deputy_effect(&deputy, EFFECT_ANNOUNCE)->announce.link_local, wanted);
        ck_assert_int_eq(hear_solicitation(deputy.agent, &somebody, &router, &link_local, deputy.now),
                         wanted);
    }
}
END_TEST

START_TEST(advertised_thrice)
{
    struct delegation_start start = deputy_start_ipv6(&deputy, 0, 1);
    deputy_do_start(&deputy, 0, &start);
    deputy_wait(&deputy, 10000);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 3);
}
END_TEST

/* What still comes is delivered on the link, and nothing is said. */
START_TEST(back_home_is_silent)
{
    const struct mac mac = {{2, 1, 2, 3, 4, 5}};
    struct delegation_start start = deputy_start_ipv6(&deputy, 0, 1);
    deputy_do_start(&deputy, 0, &start);
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 1);
    stop.home = start.home;
    stop.mode = STOP_DELIVER;
    stop.mac = mac;
    deputy_forget(&deputy);
    deputy_do_stop(&deputy, 0, &stop);
    const struct announcement *a = &deputy_effect(&deputy, EFFECT_ANNOUNCE)->announce;
    ck_assert(a->silent && mac_equal(&a->mac, &mac) && addr_equal(&a->home, &start.home));
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_REMOVE), 1);
}
END_TEST

/* ---- Announcements ---- */
START_TEST(announced_and_repeated)
{
    hold(0);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 1);
    deputy_forget(&deputy);
    deputy_wait(&deputy, 10000);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 3);
}
END_TEST

START_TEST(a_renewal_is_not_announced)
{
    hold(0);
    deputy_wait(&deputy, 5000);
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.flags = START_INTERCEPT;
    deputy_forget(&deputy);
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
    deputy_wait(&deputy, 5000);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 0);
}
END_TEST

enum { BY_STOP, BY_DROP, BY_FORWARDING, BY_LEASE, BY_REVOCATION, WAYS };

START_TEST(repeats_end_with_the_interception)
{
    const struct addr home = deputy_home(0);
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    if (_i == BY_LEASE)
        deputy_wait(&deputy, 400);
    deputy.primaries[0].deaf = _i == BY_LEASE;
    if (_i == BY_LEASE)
        deputy_wait(&deputy, 1000);
    hold(0);
    deputy_wait(&deputy, 100);
    start.generation = deputy_next(&deputy, 0);
    start.flags = 0;
    switch (_i) {
    case BY_STOP:
    case BY_DROP:
        stop_it(0, _i == BY_STOP ? STOP_LINGER : STOP_DROP);
        break;
    case BY_FORWARDING:
        ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
        break;
    case BY_REVOCATION:
        ck_assert(agent_revoke(deputy.agent, &home, deputy.now));
        break;
    default:
        break;
    }
    ck_assert(!intercepts(0));
    deputy_forget(&deputy);
    deputy_wait(&deputy, 10000);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 0);
}
END_TEST

/* They do not come to life again with an interception that is not to be announced. */
START_TEST(repeats_do_not_come_back)
{
    hold(0);
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.flags = 0;
    if (_i == BY_STOP)
        stop_it(0, STOP_LINGER);
    else
        deputy_do_start(&deputy, 0, &start);
    start.generation = deputy_next(&deputy, 0);
    start.flags = START_INTERCEPT;
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
    ck_assert(intercepts(0));
    deputy_forget(&deputy);
    deputy_wait(&deputy, 10000);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 0);
}
END_TEST

/* ---- Other ends ---- */
START_TEST(revoked_by_the_operator)
{
    struct delegation_event event = {0};
    const struct addr home = deputy_home(0);
    const uint64_t g = hold(0);
    deputy_forget(&deputy);
    ck_assert(agent_revoke(deputy.agent, &home, deputy.now));
    deputy_drain(&deputy);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_REMOVE), 1);
    ck_assert(!forwards(0));
    deputy_wait(&deputy, 10);
    ck_assert_uint_eq(events_of(EVENT_EXPIRED, &event), 1);
    ck_assert_uint_eq(event.generation, g);
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.generation = g;
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_STALE);
}
END_TEST

START_TEST(home_network_is_taken_away)
{
    hold(0);
    struct agent_settings settings = deputy.settings;
    settings.home_networks[0] = settings.home_networks[1];
    settings.n_home_networks = 1;
    ck_assert_int_eq(agent_configure(deputy.agent, &settings), 0);
    deputy_wait(&deputy, 10);
    ck_assert(!forwards(0));
    ck_assert_uint_eq(load_told(0).tombstones, 1);
}
END_TEST

/* What another primary's entry left behind when this one's START came. */
START_TEST(lingering_for_another_primary_gives_way)
{
    deputy_meet(&deputy, 1, true);
    struct delegation_start start = deputy_start_of(&deputy, 1, 0);
    struct delegation_stop stop = deputy_stop_of(&deputy, 1, 0);
    deputy_do_start(&deputy, 1, &start);
    deputy_do_stop(&deputy, 1, &stop);
    hold(0);
    ck_assert_uint_eq(agent_bindings(deputy.agent), 1);
    deputy_wait(&deputy, 40000);
    ck_assert(intercepts(0));
    stop = deputy_stop_of(&deputy, 1, 0);
    ck_assert_uint_eq(deputy_do_stop(&deputy, 1, &stop).status, STATUS_OK_ABSENT);
    ck_assert(intercepts(0));
    start = deputy_start_of(&deputy, 1, 0);
    ck_assert_uint_eq(deputy_do_start(&deputy, 1, &start).status, STATUS_ADDRESS_CONFLICT);
}
END_TEST

/* ---- Views ---- */
static const struct binding_view *view_of(unsigned i)
{
    static struct binding_view view;
    const struct addr home = deputy_home(i);
    size_t cursor = 0;
    while (agent_binding_next(deputy.agent, &cursor, 100, deputy.now, &view))
        if (addr_equal(&view.home, &home))
            return &view;
    return NULL;
}

START_TEST(what_is_shown)
{
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.source = ip("10.1.0.1");
    deputy_do_start(&deputy, 0, &start);
    deputy_wait(&deputy, 10000);
    ck_assert_str_eq(view_of(0)->state, "active");
    ck_assert_ptr_null(view_of(0)->forwarder);
    ck_assert_uint_eq(view_of(0)->lifetime_left_s[0], 90);
    ck_assert_uint_eq(view_of(0)->id_slot, 5);
    ck_assert(addr_equal(&view_of(0)->home_agent, &start.source));
    start.generation = deputy_next(&deputy, 0);
    start.flags = 0;
    deputy_do_start(&deputy, 0, &start);
    ck_assert_str_eq(view_of(0)->state, "forward-only");
    stop_it(0, STOP_LINGER);
    ck_assert_str_eq(view_of(0)->state, "lingering");
    ck_assert_uint_eq(view_of(0)->lifetime_left_s[0], 30);
    stop_it(0, STOP_DROP);
    ck_assert_ptr_null(view_of(0));
    hold(1);
    deputy.primaries[0].deaf = true;
    deputy_wait(&deputy, 2000);
    ck_assert_str_eq(view_of(1)->state, "no-lease");
    struct peer_view peer;
    size_t cursor = 0;
    ck_assert(agent_peer_next(deputy.agent, &cursor, deputy.now, &peer));
    ck_assert_uint_eq(peer.bindings, 1);
    ck_assert_uint_eq(peer.term, DEPUTY_TERM);
}
END_TEST

/* ---- ICMP errors to our own address ---- */
static size_t quote(uint8_t *bytes, const char *source, const char *destination, uint8_t protocol,
                    uint16_t total, size_t at)
{
    struct writer w = writer_over(bytes + at, 20);
    write_u16(&w, 0x4500);
    write_u16(&w, total);
    write_u32(&w, 0x00004000);
    write_u8(&w, 64);
    write_u8(&w, protocol);
    write_u16(&w, 0);
    const struct addr from = ip(source), to = ip(destination);
    write_u32(&w, addr_ipv4(&from));
    write_u32(&w, addr_ipv4(&to));
    return at + 20;
}

static void complain(uint8_t code, uint32_t rest)
{
    uint8_t quoted[48] = {0};
    size_t len = quote(quoted, "10.1.0.9", "192.0.2.0", 4, 1500, 0);
    len = quote(quoted, "10.1.9.9", "10.1.1.0", 17, 1480, len) + 8;
    const struct icmp icmp = {
        .type = ICMP_UNREACHABLE, .code = code, .rest = rest, .data = quoted, .data_len = len};
    const struct ip_header header = {.source = ip("198.18.0.1"), .destination = ip("10.1.0.9")};
    agent_tunnel_error(deputy.agent, &header, &icmp, deputy.now);
    deputy_drain(&deputy);
    deputy_wait(&deputy, 10);
}

START_TEST(tunnel_trouble_is_reported)
{
    struct delegation_event event;
    const struct addr home = deputy_home(0);
    hold(0);
    deputy_forget(&deputy);
    complain(ICMP_FRAGMENTATION_NEEDED, 1400);
    ck_assert_uint_eq(deputy_effect(&deputy, EFFECT_INSTALL)->install.care_of[0].path_mtu, 1400);
    ck_assert_uint_eq(events_of(EVENT_TOO_BIG, &event), 1);
    ck_assert(addr_equal(&event.home, &home));
    ck_assert_uint_eq(event.auxiliary[2] << 8 | event.auxiliary[3], 1400);
    deputy_forget(&deputy);
    complain(ICMP_HOST_UNREACHABLE, 0);
    ck_assert_uint_eq(events_of(EVENT_UNREACHABLE, &event), 1);
}
END_TEST

/* ---- Back home ---- */
START_TEST(delivered_on_the_link)
{
    struct delegation_stop stop;
    char order[64];
    hold(0);
    deputy_forget(&deputy);
    stop = deputy_stop_of(&deputy, 0, 0);
    stop.mode = STOP_DELIVER;
    stop.mac = somebody;
    deputy_do_stop(&deputy, 0, &stop);
    ck_assert_str_eq(deputy_order(&deputy, order), "R A S");
    const struct announcement *a = &deputy_effect(&deputy, EFFECT_ANNOUNCE)->announce;
    ck_assert(addr_equal(&a->home, &stop.home) && mac_equal(&a->mac, &somebody));
    ck_assert(a->silent && !a->ours);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_ANNOUNCEMENTS), 1); /* that of the START */
    deputy_forget(&deputy);
    deputy_wait(&deputy, 5000);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_ANNOUNCE), 0);
}
END_TEST

START_TEST(delivered_nowhere_without_a_mac)
{
    struct delegation_stop stop;
    char order[64];
    hold(0);
    deputy_forget(&deputy);
    stop = deputy_stop_of(&deputy, 0, 0);
    stop.mode = STOP_DELIVER;
    stop.mac = (struct mac){{0}};
    deputy_do_stop(&deputy, 0, &stop);
    ck_assert_str_eq(deputy_order(&deputy, order), "R S");
}
END_TEST

/* ---- Bounds ---- */
/* The floor does not rise, and every home address is another one. */
START_TEST(tombstones_are_bounded)
{
    struct delegation_start start;
    unsigned n = 0;
    do {
        start = deputy_start_of(&deputy, 0, n);
        if (deputy_do_start(&deputy, 0, &start).status != STATUS_OK)
            break;
        stop_it(n, STOP_DROP);
        deputy_forget(&deputy);
    } while (++n < 200);
    ck_assert_uint_eq(n, deputy.settings.max_bindings + 1);
    deputy.primaries[0].floor = start.generation - 2;
    deputy_wait(&deputy, 500);
    hold(100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("held");
    TCase *home = deputy_case(suite, "home");
    tcase_add_test(home, delivered_on_the_link);
    tcase_add_test(home, delivered_nowhere_without_a_mac);
    TCase *bounds = deputy_case(suite, "bounds");
    tcase_add_test(bounds, tombstones_are_bounded);
    TCase *arp = deputy_case(suite, "arp");
    tcase_add_test(arp, answers_for_what_it_intercepts);
    tcase_add_test(arp, does_not_answer_for_what_it_only_forwards);
    tcase_add_test(arp, never_answers_a_peer);
    tcase_add_test(arp, a_peers_claim_is_no_conflict);
    tcase_add_test(arp, a_conflict_that_stands_is_announced_and_reported);
    tcase_add_test(arp, a_conflict_that_is_over_is_not);
    TCase *announcements = deputy_case(suite, "announcements");
    tcase_add_test(announcements, solicitations_are_answered_like_arp);
    tcase_add_test(announcements, link_local_address);
    tcase_add_test(announcements, listens_where_it_is_to_intercept);
    tcase_add_loop_test(announcements, listens_until_it_is_stopped, 0, ROWS(ways_to_stop));
    tcase_add_test(announcements, listens_until_its_time_is_over);
    tcase_add_test(announcements, advertised_thrice);
    tcase_add_test(announcements, back_home_is_silent);
    tcase_add_test(announcements, announced_and_repeated);
    tcase_add_test(announcements, a_renewal_is_not_announced);
    tcase_add_loop_test(announcements, repeats_end_with_the_interception, 0, WAYS);
    tcase_add_loop_test(announcements, repeats_do_not_come_back, BY_STOP, BY_DROP + 1);
    TCase *ends = deputy_case(suite, "ends");
    tcase_add_test(ends, revoked_by_the_operator);
    tcase_add_test(ends, home_network_is_taken_away);
    tcase_add_test(ends, lingering_for_another_primary_gives_way);
    TCase *views = deputy_case(suite, "views");
    tcase_add_test(views, what_is_shown);
    tcase_add_test(views, tunnel_trouble_is_reported);
    return check_main(suite);
}
