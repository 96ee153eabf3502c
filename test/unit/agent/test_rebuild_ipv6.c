/* SPDX-License-Identifier: BSD-3-Clause */
/* What a primary that has lost its state takes from a secondary's table, of what only IPv6 bindings have;
 * what both families have is in test_rebuild.c. */
#include "rebuild_check.h"

#include "primary/rebuild.h"

static struct mobile *mobile6(void)
{
    const struct addr home = lab6_home(0);
    return mobile_by_home(agent(), &home);
}

static struct delegation_start *hold6(uint8_t flags)
{
    return former(true, 0, 7, flags);
}

START_TEST(ipv6_binding)
{
    struct delegation_start *entry = hold6(ACTIVE | START_LINK_LOCAL);
    entry->tunnel_mtu = 1400;
    from_before(0);
    struct binding_view view;
    ck_assert_uint_eq(counted(AGENT_REBUILT), 1);
    ck_assert(agent_binding(agent(), &entry->home, flock.lab.now, &view));
    ck_assert(addr_equal(&view.care_of[0].address, &entry->care_of));
    ck_assert(addr_equal(&view.home_agent, &entry->source));
    ck_assert_uint_eq(view.care_of[0].encapsulation, ENCAPSULATION_IPV6_IN_IPV6);
    ck_assert_uint_eq(view.care_of[0].path_mtu, 1400);
    ck_assert(
        view.care_of[0].reverse); /* RFC 6275 section 10.4.5: whatever the flags and reverse-tunnel say */
    ck_assert(mobile6()->cares->link_local);
    const struct delegation_record *r = flock_heard(&flock, 0, &entry->home);
    ck_assert(r != NULL && r->type == DELEGATION_RECORD_START);
    ck_assert_uint_eq(r->start.flags & (START_INTERCEPT | START_LINK_LOCAL),
                      START_INTERCEPT | START_LINK_LOCAL);
}
END_TEST

START_TEST(without_the_link_local_address)
{
    const struct addr home = hold6(ACTIVE)->home;
    from_before(0);
    ck_assert(!mobile6()->cares->link_local);
    ck_assert_uint_eq(flock_heard(&flock, 0, &home)->start.flags & START_LINK_LOCAL, 0);
}
END_TEST

/* A secondary tunnelled from its own address: the binding is with the home agent of its network. */
START_TEST(own_source)
{
    struct delegation_start *entry = hold6(ACTIVE);
    entry->source = addr_unspecified;
    from_before(0);
    struct binding_view view;
    const struct addr home_agent = ip("2001:db8:1::2");
    ck_assert(agent_binding(agent(), &entry->home, flock.lab.now, &view));
    ck_assert(addr_equal(&view.home_agent, &home_agent));
}
END_TEST

/* What comes of it goes unheard, the greetings to the secondary among it. */
static void discard_effects(void)
{
    while (agent_pop(agent()) != NULL)
        continue;
}

static void hear_update(const struct ask6 *ask)
{
    uint8_t bytes[256];
    const size_t len = lab6_encode(&flock.lab, ask, bytes, sizeof(bytes));
    const struct agent_datagram d = lab6_datagram(ask, bytes, len);
    flock_primary_works = true;
    agent_input(agent(), &d, flock.lab.now);
    discard_effects();
    flock_primary_works = false;
}

/* A second, after which what waits for detection is due. */
static void detection(void)
{
    flock_primary_works = true;
    flock.lab.now.mono_ns += LAB6_DETECTION_MS * NSEC_PER_MS;
    agent_expire(agent(), flock.lab.now, 100);
    discard_effects();
    flock_primary_works = false;
}

static void update(const struct ask6 *ask)
{
    hear_update(ask);
    detection();
}

static const struct {
    const char *what;
    bool bound, ended;
} heard[] = {{"bound", true, false}, {"bound and back home", true, true}, {"back home", false, true}};

/* A binding update since our start, and be it one that found nothing to end. */
START_TEST(what_we_heard_ourselves_counts_for_more)
{
    struct lab *lab = &flock.lab;
    hold6(ACTIVE)->care_of = lab6_care_of(20);
    if (heard[_i].bound) {
        const struct ask6 ask = lab6_ask(lab, 0);
        update(&ask);
        ck_assert_uint_eq(agent_bindings(agent()), 1);
    }
    if (heard[_i].ended) {
        const struct ask6 ask = lab6_ask_return(lab, 0);
        update(&ask);
    }
    from_before(0);
    ck_assert_msg(counted(AGENT_REBUILT) == 0, "%s", heard[_i].what);
    ck_assert_uint_eq(agent_bindings(agent()), !heard[_i].ended);
}
END_TEST

static void claimed_by_somebody(void)
{
    const struct agent_neighbor heard = {.mac = {{2, 9, 9, 9, 9, 9}}, .claimed = lab6_home(0)};
    flock_primary_works = true;
    agent_heard(agent(), &heard, flock.lab.now);
    discard_effects();
    flock_primary_works = false;
}

static void wait_for_the_lease(uint64_t but_ns)
{
    flock.lab.now.mono_ns += flock.lab.settings.delegation.lease_ms * NSEC_PER_MS - but_ns;
}

/* A node that only refreshes is new to a primary that has lost its state; its forwarder, which the primary
 * has not met yet, may still be announcing it: once more the link is asked, and then nobody answers. */
START_TEST(announced_by_a_secondary_that_is_not_met)
{
    const struct ask6 ask = lab6_ask(&flock.lab, 0);
    wait_for_the_lease(_i == 0 ? 1 : 0);
    hear_update(&ask);
    claimed_by_somebody();
    detection();
    ck_assert_uint_eq(agent_bindings(agent()), 0);
    detection();
    ck_assert_uint_eq(agent_bindings(agent()), _i == 0);
}
END_TEST

/* Who has the address answers every time, and what it says counts as soon as it can be no secondary. */
START_TEST(claimed_while_a_secondary_is_not_met)
{
    const struct ask6 ask = lab6_ask(&flock.lab, 0);
    hear_update(&ask);
    for (int i = 0; i < 3; i++) {
        claimed_by_somebody();
        detection();
        ck_assert_uint_eq(agent_bindings(agent()), 0);
    }
    ck_assert_ptr_null(mobile6()->dad);
    detection();
    ck_assert_uint_eq(agent_bindings(agent()), 0);
}
END_TEST

/* ---- Replay protection: what a START bears of it, and what comes of that ---- */
enum { ROUNDING = 1 << 17 };

static const struct {
    uint64_t newest;
    uint16_t sequence;
    bool has_sequence;
} states[] = {
    {0, 0, false},
    {0, 0, true},
    {0, 65535, true},
    {UINT64_C(0xe8d5c3b2a1908071), 0, false},
    {UINT64_C(0xe8d5c3b2a1908071), 4711, true},
    {UINT64_C(0xe8d5c3b2a1900000), 1, true},
    {UINT64_C(0xe8d5c3b2fffe0001), 0, false},
};

START_TEST(cookie)
{
    struct mobile *m = mobile6();
    m->newest = states[_i].newest;
    m->sequence = states[_i].sequence;
    m->has_sequence = states[_i].has_sequence;
    struct delegation_start *entry = hold6(ACTIVE);
    entry->cookie = rebuild_cookie(m);
    const uint64_t floor = UINT64_C(0xe8d5c30000000000);
    m->newest = floor;
    m->sequence = 0;
    m->has_sequence = false;
    from_before(0);
    ck_assert_uint_eq(counted(AGENT_REBUILT), 1);
    ck_assert_int_eq(m->has_sequence, states[_i].has_sequence);
    ck_assert_uint_eq(m->sequence, states[_i].sequence);
    const uint64_t newest = states[_i].newest > floor ? states[_i].newest : floor;
    ck_assert_uint_ge(m->newest, newest);
    ck_assert_uint_lt(m->newest - newest, ROUNDING);
}
END_TEST

/* A mobile node that said nothing of a sequence has all 64 bits: an IPv4 cookie is the timestamp itself. */
START_TEST(cookie_of_ipv4)
{
    struct mobile *m = mobile(0);
    m->newest = UINT64_C(0xe8d5c3b2a1908071);
    ck_assert_uint_eq(rebuild_cookie(m), m->newest);
}
END_TEST

/* RFC 6275 section 9.5.1: an old binding update, sent again while we did not know better, waits for its
 * detection when the binding comes back. */
static const struct {
    const char *what;
    uint16_t sequence;
    bool newer;
} waiting[] = {
    {"an old one", 5, false},
    {"the one before", 899, false},
    {"the same", 900, false},
    {"the next one", 901, true},
    {"the newest", 33667, true},
    {"as far behind", 33668, false},
    {"before the numbers began anew", 65535, false},
};

START_TEST(cookie_against_an_update_that_waits)
{
    enum { WITH_SEQUENCE = 1 << 16, NUMBER = 900, NODE = LAB6_SEQUENCES };
    const struct addr home = lab6_home(NODE);
    struct delegation_start *entry = hold6(ACTIVE);
    entry->home = home;
    entry->care_of = lab6_care_of(20);
    entry->cookie = WITH_SEQUENCE | NUMBER;
    struct ask6 ask = lab6_ask(&flock.lab, NODE);
    ask.m.sequence = waiting[_i].sequence;
    hear_update(&ask);
    from_before(0);
    ck_assert_uint_eq(counted(AGENT_REBUILT), 1);
    flock_wait_ms(&flock, 2 * LAB6_DETECTION_MS);
    struct binding_view view;
    ck_assert(agent_binding(agent(), &home, flock.lab.now, &view));
    ck_assert_msg(addr_equal(&view.care_of[0].address, &entry->care_of) == !waiting[_i].newer, "%s",
                  waiting[_i].what);
    ck_assert_uint_eq(mobile_by_home(agent(), &home)->sequence,
                      waiting[_i].newer ? waiting[_i].sequence : NUMBER);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rebuild_ipv6");
    TCase *all = flock_case(suite, "rebuild", open_both_1);
    tcase_add_test(all, ipv6_binding);
    tcase_add_test(all, without_the_link_local_address);
    tcase_add_test(all, own_source);
    tcase_add_loop_test(all, what_we_heard_ourselves_counts_for_more, 0, ROWS(heard));
    tcase_add_loop_test(all, announced_by_a_secondary_that_is_not_met, 0, 2);
    tcase_add_test(all, claimed_while_a_secondary_is_not_met);
    tcase_add_loop_test(all, cookie, 0, ROWS(states));
    tcase_add_loop_test(all, cookie_against_an_update_that_waits, 0, ROWS(waiting));
    tcase_add_test(all, cookie_of_ipv4);
    return check_main(suite);
}
