/* SPDX-License-Identifier: BSD-3-Clause */
/* What a primary may ask of us, and what it gets. */
#include "deputy_check.h"

enum circumstance {
    NOTHING_SPECIAL,
    OTHER_HOLDS,
    OTHER_LINGERS,
    LINK_IS_DOWN,
    FULL,
    LAST_PLACE,
    GRANT_ALL,
    NO_IPV6_OF_OURS
};

/* A START, and what is said to it. */
struct question {
    const char *what;
    uint8_t status;
    const char *home, *care_of, *source; /* NULL: as the deputy's START has it; source "": our own */
    uint8_t encapsulation, count, index;
    uint32_t duration_ms, home_link;
    enum circumstance circumstance;
};

static const struct question refusals[] = {
    {"as it should be", STATUS_OK, .source = "10.1.0.1"},
    {"no duration", STATUS_BAD_RECORD, .duration_ms = 1},
    {"an hour", STATUS_OK, .duration_ms = DELEGATION_DURATION_MAX_MS},
    {"more than an hour", STATUS_BAD_RECORD, .duration_ms = DELEGATION_DURATION_MAX_MS + 1},
    {"no member of a set of none", STATUS_BAD_RECORD, .count = 255},
    {"more members than there are", STATUS_BAD_RECORD, .count = 2},
    {"an index beyond the set", STATUS_BAD_RECORD, .count = 1, .index = 1},
    {"the second member alone", STATUS_BAD_RECORD, .count = 2, .index = 1},
    {"a care-of address that is nobody's", STATUS_BAD_RECORD, .care_of = "127.0.0.1"},
    {"a multicast care-of address", STATUS_BAD_RECORD, .care_of = "224.0.0.9"},
    {"a care-of address of the other family", STATUS_BAD_RECORD, .care_of = "2001:db8::1"},
    {"a home address outside the primary's prefixes", STATUS_PROHIBITED, .home = "10.2.0.7"},
    {"a home address outside our home networks", STATUS_PROHIBITED, .home = "203.0.113.9"},
    {"the subnet broadcast address", STATUS_PROHIBITED, .home = "10.1.255.255"},
    {"another home link than the one we have", STATUS_PROHIBITED, .home_link = 3},
    {"GRE is not granted", STATUS_ENCAPSULATION_UNSUPPORTED, .encapsulation = ENCAPSULATION_GRE},
    {"an encapsulation beyond what there is", STATUS_ENCAPSULATION_UNSUPPORTED, .encapsulation = 200},
    {"the care-of address is the home address", STATUS_LOOP, .care_of = "10.1.1.0"},
    {"the care-of address is the source", STATUS_LOOP, .care_of = "10.1.0.1", .source = "10.1.0.1"},
    {"the care-of address is ours", STATUS_LOOP, .care_of = "10.1.0.9"},
    {"the care-of address is another one of ours", STATUS_LOOP, .care_of = "198.51.100.9"},
    {"the care-of address is in a home network", STATUS_LOOP, .care_of = "10.2.0.77"},
    {"another address of the primary's", STATUS_OK, .source = "10.1.0.3"},
    {"the source is a stranger's", STATUS_SOURCE_NOT_PERMITTED, .source = "192.0.2.200"},
    {"the source is another one of ours", STATUS_SOURCE_NOT_PERMITTED, .source = "10.1.0.10"},
    {"the source is nobody's", STATUS_SOURCE_NOT_PERMITTED, .source = "127.0.0.1"},
    {"the home address is ours", STATUS_ADDRESS_CONFLICT, .home = "10.1.0.9", .source = "10.1.0.1"},
    {"the home address is a router's", STATUS_ADDRESS_CONFLICT, .home = "10.1.0.254"},
    {"the home address is the primary's", STATUS_ADDRESS_CONFLICT, .home = "10.1.0.1"},
    {"another primary's entry holds it", STATUS_ADDRESS_CONFLICT, .circumstance = OTHER_HOLDS},
    {"another primary's entry lingers", STATUS_OK, .circumstance = OTHER_LINGERS},
    {"the home link is down", STATUS_LINK_DOWN, .circumstance = LINK_IS_DOWN},
    {"the last place", STATUS_OK, .circumstance = LAST_PLACE},
    {"no place is left", STATUS_NO_RESOURCES, .circumstance = FULL},
};

/* What an encapsulation carries, and in what. */
static const struct question families[] = {
    {"IPv6 in IPv6", STATUS_OK, .encapsulation = ENCAPSULATION_IPV6_IN_IPV6},
    {"from the address of ours that is of its family", STATUS_OK, .source = ""},
    {"which we have not", STATUS_SOURCE_NOT_PERMITTED, .source = "", .circumstance = NO_IPV6_OF_OURS},
    {"from the primary's IPv4 address", STATUS_BAD_RECORD, .source = "10.1.0.1"},
    {"to an IPv4 care-of address", STATUS_BAD_RECORD, .care_of = "192.0.2.1"},
    {"IPv4 in IPv4's encapsulation", STATUS_BAD_RECORD, .encapsulation = ENCAPSULATION_IPIP},
    {"an IPv4 home in IPv6 in IPv6", STATUS_BAD_RECORD, .home = "10.1.1.1"},
    {"an IPv4 home in IPv6, not granted", STATUS_ENCAPSULATION_UNSUPPORTED, .home = "10.1.1.1",
     .encapsulation = ENCAPSULATION_IPV4_IN_IPV6},
    {"an IPv4 home in IPv6", STATUS_OK, .home = "10.1.1.1", .encapsulation = ENCAPSULATION_IPV4_IN_IPV6,
     .circumstance = GRANT_ALL},
    {"an IPv6 home in IPv4, not granted", STATUS_ENCAPSULATION_UNSUPPORTED, .care_of = "192.0.2.1",
     .source = "", .encapsulation = ENCAPSULATION_IPV6_IN_IPV4},
    {"an IPv6 home in IPv4", STATUS_OK, .care_of = "192.0.2.1", .source = "",
     .encapsulation = ENCAPSULATION_IPV6_IN_IPV4, .circumstance = GRANT_ALL},
    {"an IPv6 home in IPv4 that is IPv6", STATUS_BAD_RECORD, .encapsulation = ENCAPSULATION_IPV6_IN_IPV4,
     .circumstance = GRANT_ALL},
    {"a link-local care-of address", STATUS_BAD_RECORD, .care_of = "fe80::1"},
    {"a multicast care-of address", STATUS_BAD_RECORD, .care_of = "ff02::1"},
    {"a loopback care-of address", STATUS_BAD_RECORD, .care_of = "::1"},
    {"a link-local home address", STATUS_BAD_RECORD, .home = "fe80::1"},
    {"a home address outside", STATUS_PROHIBITED, .home = "2001:db8:3::1"},
    {"a care-of address in the home network", STATUS_LOOP, .care_of = "2001:db8:1::77"},
    {"the care-of address is the source", STATUS_LOOP, .care_of = "2001:db8:1::1"},
    {"the source is a stranger's", STATUS_SOURCE_NOT_PERMITTED, .source = "2001:db8:5::1"},
    {"the home address is ours", STATUS_ADDRESS_CONFLICT, .home = "2001:db8:1::9"},
};

static void hold_for_two(bool lingers)
{
    deputy_meet(&deputy, 1, true);
    const struct delegation_start start = deputy_start_of(&deputy, 1, 0);
    ck_assert_uint_eq(deputy_do_start(&deputy, 1, &start).status, STATUS_OK);
    const struct delegation_stop stop = deputy_stop_of(&deputy, 1, 0);
    if (lingers)
        ck_assert_uint_eq(deputy_do_stop(&deputy, 1, &stop).status, STATUS_OK);
}

static void fill(unsigned n)
{
    for (unsigned i = 1; i <= n; i++)
        hold(i);
}

static void grant_all(void)
{
    deputy.settings.encapsulations = UINT16_MAX;
    ck_assert_int_eq(agent_configure(deputy.agent, &deputy.settings), 0);
}

static void have_no_ipv6(void)
{
    deputy.settings.n_own = 3;
    ck_assert_int_eq(agent_configure(deputy.agent, &deputy.settings), 0);
}

static void arrange(enum circumstance circumstance)
{
    const struct agent_load down = {.link_down = true};
    switch (circumstance) {
    case NOTHING_SPECIAL:
        return;
    case OTHER_HOLDS:
    case OTHER_LINGERS:
        return hold_for_two(circumstance == OTHER_LINGERS);
    case LINK_IS_DOWN:
        return agent_load(deputy.agent, &down, deputy.now);
    case FULL:
    case LAST_PLACE:
        return fill(deputy.settings.max_bindings - (circumstance == LAST_PLACE));
    case GRANT_ALL:
        return grant_all();
    case NO_IPV6_OF_OURS:
        return have_no_ipv6();
    }
}

static void ask(const struct question *q, struct delegation_start start)
{
    arrange(q->circumstance);
    start.generation = deputy_next(&deputy, 0);
    if (q->home != NULL)
        start.home = ip(q->home);
    if (q->care_of != NULL)
        start.care_of = ip(q->care_of);
    if (q->source != NULL)
        start.source = *q->source == '\0' ? addr_unspecified : ip(q->source);
    if (q->encapsulation != 0)
        start.encapsulation = q->encapsulation;
    if (q->count != 0)
        start.count = q->count == 255 ? 0 : q->count;
    if (q->duration_ms != 0)
        start.duration_ms = q->duration_ms == 1 ? 0 : q->duration_ms;
    start.index = q->index;
    start.home_link = q->home_link;
    deputy_forget(&deputy);
    const struct delegation_ack ack = deputy_do_start(&deputy, 0, &start);
    ck_assert_msg(ack.status == q->status, "%s: %s", q->what, delegation_status_text(ack.status));
    ck_assert_uint_eq(ack.home_link, start.home_link);
    ck_assert_uint_eq(ack.held, start.generation);
    const uint8_t refused = start.home_link == 0 ? HELD_TOMBSTONE : HELD_ABSENT;
    ck_assert_uint_eq(ack.state, ack.status == STATUS_OK ? HELD_ACTIVE : refused);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_INSTALL), ack.status == STATUS_OK);
}

START_TEST(refusal)
{
    ask(&refusals[_i], deputy_start_of(&deputy, 0, 0));
}
END_TEST

START_TEST(families_go_together)
{
    ask(&families[_i], deputy_start_ipv6(&deputy, 0, 1));
}
END_TEST

static const struct {
    struct delegation_start (*start_of)(struct deputy *deputy, int which, unsigned i);
    const char *own, *theirs;
    uint8_t encapsulation;
} sources[] = {
    {deputy_start_of, "10.1.0.9", "10.1.0.1", ENCAPSULATION_IPIP},
    {deputy_start_ipv6, "2001:db8:1::9", "2001:db8:1::1", ENCAPSULATION_IPV6_IN_IPV6},
};

/* Of either family. Identifications are divided where the source is the primary's. */
START_TEST(own_source_or_the_primarys)
{
    const struct addr own = ip(sources[_i].own), theirs = ip(sources[_i].theirs);
    struct delegation_start start = sources[_i].start_of(&deputy, 0, 0);
    start.source = addr_unspecified;
    deputy_do_start(&deputy, 0, &start);
    ck_assert(addr_equal(&deputy_effect(&deputy, EFFECT_INSTALL)->install.source, &own));
    ck_assert_uint_eq(deputy_effect(&deputy, EFFECT_INSTALL)->install.id_slot, 0);
    deputy_forget(&deputy);
    start = sources[_i].start_of(&deputy, 0, 1);
    start.source = theirs;
    start.tunnel_mtu = 1320;
    deputy_do_start(&deputy, 0, &start);
    const struct forwarding *f = &deputy_effect(&deputy, EFFECT_INSTALL)->install;
    ck_assert(addr_equal(&f->source, &theirs));
    ck_assert_uint_eq(f->id_slot, 5);
    ck_assert_uint_eq(f->n_care_of, 1);
    ck_assert(addr_equal(&f->care_of[0].address, &start.care_of));
    ck_assert_uint_eq(f->care_of[0].path_mtu, 1320);
    ck_assert_uint_eq(f->care_of[0].encapsulation, sources[_i].encapsulation);
}
END_TEST

/* The same address on another link is another one. */
START_TEST(orders_for_another_link_leave_ours_alone)
{
    const uint64_t g = hold(0);
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 0);
    stop.home_link = 7;
    struct delegation_ack ack = deputy_do_stop(&deputy, 0, &stop);
    ck_assert_uint_eq(ack.status, STATUS_OK_ABSENT);
    ck_assert_uint_eq(ack.state, HELD_ABSENT);
    ck_assert_uint_eq(ack.home_link, 7);
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.home_link = 7;
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_PROHIBITED);
    ck_assert(intercepts(0));
    start.home_link = 0;
    start.generation = g;
    ack = deputy_do_start(&deputy, 0, &start);
    ck_assert_uint_eq(ack.status, STATUS_OK_ALREADY);
    ck_assert_uint_eq(ack.held, g);
}
END_TEST

/* Without prefixes of its own a primary has our home networks. */
START_TEST(a_primary_without_prefixes)
{
    struct agent_peer peer = deputy_peer(&deputy, 0);
    peer.n_prefixes = 0;
    agent_sweep_begin(deputy.agent);
    ck_assert_int_eq(agent_peer_set(deputy.agent, &peer), 0);
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.home = ip("10.2.0.7");
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
    start.home = ip("203.0.113.9");
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_PROHIBITED);
}
END_TEST

START_TEST(tombstones_have_their_bound)
{
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 0);
    for (unsigned i = 0; i < deputy.settings.max_bindings; i++) {
        stop.home = deputy_home(i);
        ck_assert_uint_eq(deputy_do_stop(&deputy, 0, &stop).status, STATUS_OK_ABSENT);
    }
    stop.home = deputy_home(200);
    struct delegation_ack ack = deputy_do_stop(&deputy, 0, &stop);
    ck_assert_uint_eq(ack.status, STATUS_NO_RESOURCES);
    ck_assert_uint_eq(ack.state, HELD_ABSENT);
    ck_assert_uint_eq(ack.held, 0);
    ck_assert_uint_eq(load_told(0).tombstones, deputy.settings.max_bindings);
    deputy.primaries[0].floor = deputy.primaries[0].generation;
    deputy_wait(&deputy, 500);
    ck_assert_uint_eq(load_told(0).tombstones, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("permit");
    TCase *permits = deputy_case(suite, "permits");
    tcase_add_loop_test(permits, refusal, 0, ROWS(refusals));
    tcase_add_loop_test(permits, families_go_together, 0, ROWS(families));
    tcase_add_loop_test(permits, own_source_or_the_primarys, 0, ROWS(sources));
    tcase_add_test(permits, orders_for_another_link_leave_ours_alone);
    tcase_add_test(permits, a_primary_without_prefixes);
    tcase_add_test(permits, tombstones_have_their_bound);
    return check_main(suite);
}
