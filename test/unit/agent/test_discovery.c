/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "lab6_check.h"
#include "mip6_discovery.h"

enum { IDENTIFIER = 0xbeef };

#define ANYCAST       "2001:db8:1:0:fdff:ffff:ffff:fffe"
#define OTHER_ANYCAST "2001:db8:2:0:fdff:ffff:ffff:fffe"

/* ---- Asking ---- */
static void ask_bytes(const char *source, const char *destination, const struct addr *home,
                      const uint8_t *bytes, size_t len)
{
    const struct agent_datagram d = {
        .source = ip(source),
        .destination = ip(destination),
        .home = home != NULL ? *home : addr_unspecified,
        .protocol = IPPROTO_NUM_ICMPV6,
        .payload = bytes,
        .len = len,
    };
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
}

static void ask(uint8_t type, const char *source, const char *destination, const struct addr *home)
{
    const uint8_t bytes[] = {type, 0, 0, 0, IDENTIFIER >> 8, IDENTIFIER & 0xff, 0, 0};
    ask_bytes(source, destination, home, bytes, sizeof(bytes));
}

static void ask_home_agents(const char *anycast)
{
    ask(MIP6_HOME_AGENT_REQUEST, "2001:db8:c::1", anycast, NULL);
}

/* The answer in the log, its checksum made for `final`. */
static struct mip6_discovery read_answer(const struct message *m, const struct addr *final, uint8_t type)
{
    struct mip6_discovery d;
    ck_assert_uint_eq(m->protocol, IPPROTO_NUM_ICMPV6);
    ck_assert(!m->on_link);
    const uint32_t base = ip_pseudo_sum(&m->source, final, IPPROTO_NUM_ICMPV6, m->len);
    ck_assert_uint_eq(inet_finish(inet_sum(base, m->bytes, m->len)), 0);
    ck_assert(mip6_discovery_decode(m->bytes, m->len, &d));
    ck_assert_uint_eq(d.type, type);
    ck_assert_uint_eq(d.identifier, IDENTIFIER);
    return d;
}

static struct mip6_discovery told_home_agents(const char *source)
{
    in_order("S");
    const struct message *m = &lab_first(&lab, EFFECT_SEND)->send;
    const struct addr from = ip(source), to = ip("2001:db8:c::1");
    ck_assert(addr_equal(&m->source, &from) && addr_equal(&m->destination, &to));
    ck_assert(addr_equal(&m->home, &addr_unspecified));
    return read_answer(m, &to, MIP6_HOME_AGENT_REPLY);
}

/* Texts of the addresses told for the first home network, by their last group: "2 11 12". */
static const char *told(char buf[static 512])
{
    ask_home_agents(ANYCAST);
    const struct mip6_discovery d = told_home_agents("2001:db8:1::2");
    size_t n = 0;
    for (size_t i = 0; i < d.n_addresses; i++)
        n += (size_t)snprintf(buf + n, 512 - n, "%s%x", i > 0 ? " " : "",
                              (unsigned)d.addresses[i].b[14] << 8 | d.addresses[i].b[15]);
    return buf;
}

static void check_told(const char *right)
{
    char buf[512];
    ck_assert_str_eq(told(buf), right);
}

/* ---- Router advertisements ---- */
struct ra {
    const char *link_local;
    bool no_home_agent;    /* H clear */
    int preference;        /* -1: no home agent information option */
    uint16_t lifetime_s;   /* in the option; without one, of the router */
    const char *prefix[2]; /* addresses of /64s; NULL: none */
    bool no_address;       /* R clear */
    int64_t valid_s;       /* 0: a day; below: none */
};

static void hear(struct ra ra)
{
    struct nd nd = {
        .type = ND_ROUTER_ADVERTISEMENT, .source = ip(ra.link_local), .destination = addr_all_nodes};
    nd.router.flags = ra.no_home_agent ? 0 : ND_HOME_AGENT;
    nd.router.lifetime_s = ra.preference < 0 ? ra.lifetime_s : 1800;
    nd.router.has_home_agent = ra.preference >= 0;
    nd.router.preference = (uint16_t)ra.preference;
    nd.router.home_agent_lifetime_s = ra.lifetime_s;
    for (size_t i = 0; i < 2 && ra.prefix[i] != NULL; i++)
        nd.router.prefixes[nd.router.n_prefixes++] = (struct nd_prefix){
            .prefix = {ip(ra.prefix[i]), 64},
            .flags = (uint8_t)(ND_PREFIX_ON_LINK | (ra.no_address ? 0 : ND_PREFIX_ADDRESS)),
            .valid_s = ra.valid_s == 0 ? 86400 : (uint32_t)(ra.valid_s < 0 ? 0 : ra.valid_s),
        };
    agent_router_heard(lab.agent, &nd, lab.now);
}

static void wait_s(uint64_t s)
{
    lab_wait(&lab, s * NSEC_PER_S);
}

START_TEST(alone)
{
    ask_home_agents(ANYCAST);
    const struct mip6_discovery d = told_home_agents("2001:db8:1::2");
    ck_assert_uint_eq(d.n_addresses, 1);
    check_told("2");
    ask_home_agents(OTHER_ANYCAST);
    const struct mip6_discovery other = told_home_agents("2001:db8:2::2");
    const struct addr own = ip("2001:db8:2::2");
    ck_assert_uint_eq(other.n_addresses, 1);
    ck_assert(addr_equal(&other.addresses[0], &own));
    ck_assert_uint_eq(lab_counter(&lab, AGENT_HOME_AGENTS_TOLD), 3);
}
END_TEST

START_TEST(by_falling_preference)
{
    lab.settings.advertised.preference = 5;
    reconfigure();
    hear((struct ra){"fe80::11", .preference = 9, .lifetime_s = 1800, .prefix = {"2001:db8:1::11"}});
    hear((struct ra){"fe80::12", .preference = 65535, .lifetime_s = 1800, .prefix = {"2001:db8:1::12"}});
    hear((struct ra){"fe80::13", .preference = -1, .lifetime_s = 1800, .prefix = {"2001:db8:1::13"}});
    hear((struct ra){"fe80::14", .preference = 4, .lifetime_s = 1800, .prefix = {"2001:db8:1::14"}});
    check_told("12 11 2 14 13");
    /* The newest counts. */
    hear((struct ra){"fe80::13", .preference = 10, .lifetime_s = 1800, .prefix = {"2001:db8:1::13"}});
    check_told("12 13 11 2 14");
    hear((struct ra){"fe80::12", .preference = -1, .lifetime_s = 1800, .prefix = {"2001:db8:1::12"}});
    check_told("13 11 2 14 12");
}
END_TEST

START_TEST(equal_ones_by_lot)
{
    bool first[3] = {false};
    hear((struct ra){"fe80::11", .preference = 0, .lifetime_s = 1800, .prefix = {"2001:db8:1::11"}});
    hear((struct ra){"fe80::12", .preference = 0, .lifetime_s = 1800,
                     .prefix = {"2001:db8:1::12", "2001:db8:1::22"}});
    bool own_reversed[2] = {false};
    for (int i = 0; i < 60; i++) {
        char buf[512];
        const char *text = told(buf);
        first[0] |= strncmp(text, "2 ", 2) == 0;
        first[1] |= strncmp(text, "11 ", 3) == 0;
        first[2] |= strncmp(text, "12 ", 3) == 0 || strncmp(text, "22 ", 3) == 0;
        /* Those of one home agent stay together. */
        ck_assert(strstr(text, "12 22") != NULL || strstr(text, "22 12") != NULL);
        own_reversed[strstr(text, "22 12") != NULL] = true;
        wait_s(1);
    }
    ck_assert(first[0] && first[1] && first[2] && own_reversed[0] && own_reversed[1]);
}
END_TEST

START_TEST(heard_no_more)
{
    const struct ra ra = {"fe80::11", .preference = 9, .lifetime_s = 100, .prefix = {"2001:db8:1::11"}};
    struct ra gone = ra;
    hear(ra);
    check_told("11 2");
    /* The H bit off. */
    gone.no_home_agent = true;
    hear(gone);
    check_told("2");
    hear(ra);
    check_told("11 2");
    /* Lifetime 0, by the option or without one. */
    gone = ra;
    gone.lifetime_s = 0;
    hear(gone);
    check_told("2");
    hear(ra);
    gone.preference = -1;
    hear(gone);
    check_told("2");
    /* It runs out. */
    hear(ra);
    wait_s(99);
    check_told("11 2");
    hear(ra);
    wait_s(99);
    check_told("11 2");
    wait_s(1);
    check_told("2");
    /* A lifetime of 0 begins nothing. */
    hear(gone);
    check_told("2");
    /* Another's is about another. */
    hear(ra);
    hear((struct ra){"fe80::12", .no_home_agent = true, .preference = -1, .lifetime_s = 1800,
                     .prefix = {"2001:db8:1::12"}});
    check_told("11 2");
}
END_TEST

START_TEST(global_addresses)
{
    /* Without R the prefix names no router. */
    hear((struct ra){"fe80::11", .preference = 9, .lifetime_s = 1800, .prefix = {"2001:db8:1::11"},
                     .no_address = true});
    check_told("2");
    /* Of another network. */
    hear((struct ra){"fe80::11", .preference = 9, .lifetime_s = 1800, .prefix = {"2001:db8:3::11"}});
    check_told("2");
    /* No address of ours is another's. */
    hear((struct ra){"fe80::11", .preference = 9, .lifetime_s = 1800, .prefix = {"2001:db8:1::2"}});
    check_told("2");
    /* One after the other: both are kept, each as long as its prefix is valid (section 10.1). */
    hear((struct ra){"fe80::11", .preference = 9, .lifetime_s = 1800, .prefix = {"2001:db8:1::11"},
                     .valid_s = 60});
    hear((struct ra){"fe80::11", .preference = 9, .lifetime_s = 1800, .prefix = {"2001:db8:1::12"}});
    char buf[512];
    told(buf);
    ck_assert(strcmp(buf, "11 12 2") == 0 || strcmp(buf, "12 11 2") == 0);
    wait_s(60);
    check_told("12 2");
    hear((struct ra){"fe80::11", .preference = 9, .lifetime_s = 1800, .prefix = {"2001:db8:1::12"},
                     .valid_s = -1});
    check_told("2");
    /* For ever. */
    hear((struct ra){"fe80::11", .preference = 9, .lifetime_s = 65535, .prefix = {"2001:db8:1::12"},
                     .valid_s = UINT32_MAX});
    wait_s(65534);
    check_told("12 2");
}
END_TEST

START_TEST(each_link_has_its_own_list)
{
    /* The same link-local address on both. */
    hear((struct ra){"fe80::1", .preference = 9, .lifetime_s = 1800, .prefix = {"2001:db8:1::11"}});
    hear((struct ra){"fe80::1", .preference = 9, .lifetime_s = 1800, .prefix = {"2001:db8:2::12"}});
    check_told("11 2");
    ask_home_agents(OTHER_ANYCAST);
    const struct mip6_discovery d = told_home_agents("2001:db8:2::2");
    const struct addr right = ip("2001:db8:2::12");
    ck_assert_uint_eq(d.n_addresses, 2);
    ck_assert(addr_equal(&d.addresses[0], &right));
    hear((struct ra){"fe80::1", .no_home_agent = true, .preference = -1, .lifetime_s = 9,
                     .prefix = {"2001:db8:2::12"}});
    check_told("11 2");
    ask_home_agents(OTHER_ANYCAST);
    ck_assert_uint_eq(told_home_agents("2001:db8:2::2").n_addresses, 1);
}
END_TEST

/* fe80::1 is a router of every link: without a prefix it cannot be told which one speaks. */
START_TEST(advertisement_of_no_known_link)
{
    const struct ra ra = {"fe80::1", .preference = 9, .lifetime_s = 100, .prefix = {"2001:db8:1::11"}};
    struct ra elsewhere = ra;
    hear(ra);
    hear((struct ra){"fe80::1", .no_home_agent = true, .preference = -1, .lifetime_s = 1800});
    check_told("11 2");
    hear((struct ra){"fe80::1", .preference = 9, .lifetime_s = 0});
    check_told("11 2");
    elsewhere.prefix[0] = "2001:db8:77::11";
    elsewhere.no_home_agent = true;
    hear(elsewhere);
    check_told("11 2");
    /* It lengthens no life either. */
    hear((struct ra){"fe80::1", .preference = 9, .lifetime_s = 1800});
    wait_s(100);
    check_told("2");
}
END_TEST

static struct ra numbered(unsigned i, char link_local[static 32], char prefix[static 32])
{
    snprintf(link_local, 32, "fe80::%x", 0x100 + i);
    snprintf(prefix, 32, "2001:db8:1::%x", 0x100 + i);
    return (struct ra){link_local, .preference = (int)i, .lifetime_s = 1800, .prefix = {prefix}};
}

enum { LISTED = 16 /* home agents of one link */ };

static void hear_numbered(unsigned i, int preference, uint16_t lifetime_s)
{
    char link_local[32], prefix[32];
    struct ra ra = numbered(i, link_local, prefix);
    ra.preference = preference;
    ra.lifetime_s = lifetime_s;
    hear(ra);
}

static bool is_told(unsigned i)
{
    char buf[512], one[8], all[514];
    snprintf(one, sizeof(one), " %x ", 0x100 + i);
    snprintf(all, sizeof(all), " %s ", told(buf));
    return strstr(all, one) != NULL;
}

/* Who comes late takes the place of the least preferred, and among equals of who would go first. */
START_TEST(who_makes_room)
{
    for (unsigned i = 0; i < LISTED; i++)
        hear_numbered(i, i < 4 ? 3 : 7, i == 2 ? 900 : 1800);
    hear_numbered(50, 2, 9000); /* less than any */
    ck_assert(!is_told(50));
    ck_assert_uint_eq(lab_counter(&lab, AGENT_HOME_AGENTS_REFUSED), 1);
    hear_numbered(51, 3, 9000);
    ck_assert(is_told(51) && !is_told(2));
    hear_numbered(52, 65535, 1);
    ck_assert(is_told(52) && is_told(51) && is_told(4));
    ck_assert(is_told(0) + is_told(1) + is_told(3) == 2);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_HOME_AGENTS_REFUSED), 1);
    /* One whose time is over makes room for anybody. */
    wait_s(1);
    hear_numbered(50, 0, 9000);
    ck_assert(is_told(50) && is_told(51));
    /* Who is listed needs no room. */
    hear_numbered(4, 1, 1800);
    ck_assert(is_told(4));
    ck_assert_uint_eq(lab_counter(&lab, AGENT_HOME_AGENTS_REFUSED), 1);
}
END_TEST

/* However many there are on one link, another's have their room. */
START_TEST(room_on_each_link)
{
    for (unsigned i = 0; i < 100; i++)
        hear_numbered(i, 65535, 65535);
    hear((struct ra){"fe80::1", .preference = 0, .lifetime_s = 1800, .prefix = {"2001:db8:2::12"}});
    ask_home_agents(OTHER_ANYCAST);
    ck_assert_uint_eq(told_home_agents("2001:db8:2::2").n_addresses, 2);
}
END_TEST

/* A list goes with its network, wherever that stands among the others now. */
START_TEST(list_of_a_moved_network)
{
    struct agent_settings *s = &lab.settings;
    const size_t first = s->n_home_networks - 2;
    hear((struct ra){"fe80::1", .preference = 9, .lifetime_s = 1800, .prefix = {"2001:db8:1::11"}});
    const struct prefix network = s->home_networks[first];
    s->home_networks[first] = s->home_networks[first + 1];
    s->home_networks[first + 1] = network;
    reconfigure();
    check_told("11 2");
    /* It is not its successor's. */
    s->home_networks[first + 1].addr.b[7] = 0x55;
    reconfigure();
    hear((struct ra){"fe80::1", .preference = 9, .lifetime_s = 1800, .prefix = {"2001:db8:2::12"}});
    ask_home_agents("2001:db8:1:55:fdff:ffff:ffff:fffe");
    in_order("S");
    const struct mip6_discovery d =
        read_answer(&lab_first(&lab, EFFECT_SEND)->send, &lab_first(&lab, EFFECT_SEND)->send.destination,
                    MIP6_HOME_AGENT_REPLY);
    ck_assert_uint_eq(d.n_addresses, 1);
}
END_TEST

/* All of them fit the least MTU. */
START_TEST(as_many_as_there_may_be)
{
    char link_local[32], prefix[32], more[32];
    for (unsigned i = 0; i < LISTED; i++) {
        struct ra ra = numbered(i, link_local, prefix);
        for (unsigned pair = 0; pair < 2; pair++) {
            snprintf(prefix, sizeof(prefix), "2001:db8:1::%x", 0x100 + 0x200 * pair + i);
            snprintf(more, sizeof(more), "2001:db8:1::%x", 0x200 + 0x200 * pair + i);
            ra.prefix[1] = more;
            hear(ra);
        }
    }
    ask_home_agents(ANYCAST);
    const struct mip6_discovery d = told_home_agents("2001:db8:1::2");
    ck_assert_uint_eq(d.n_addresses, 4 * LISTED + 1);
    ck_assert_uint_le(IPV6_HEADER + lab_first(&lab, EFFECT_SEND)->send.len, IPV6_MTU_MIN);
}
END_TEST

START_TEST(too_many)
{
    char link_local[32], prefix[32], more[32];
    for (unsigned i = 1; i <= 100; i++) {
        struct ra ra = numbered(i, link_local, prefix);
        snprintf(more, sizeof(more), "2001:db8:1::%x", 0x200 + i);
        ra.prefix[1] = more;
        hear(ra);
    }
    /* The best of them, and ourselves behind. */
    ask_home_agents(ANYCAST);
    const struct mip6_discovery d = told_home_agents("2001:db8:1::2");
    ck_assert_uint_eq(d.n_addresses, 2 * LISTED + 1);
    for (size_t i = 0; i < 2 * LISTED; i++)
        ck_assert_uint_eq(d.addresses[i].b[15], 100 - i / 2);
    /* Of one home agent no more than four addresses. */
    for (unsigned i = 0; i < 6; i++) {
        snprintf(prefix, sizeof(prefix), "2001:db8:1::%x", 0x300 + i);
        hear((struct ra){"fe80::999", .preference = 65535, .lifetime_s = 1800, .prefix = {prefix}});
    }
    char buf[512];
    told(buf);
    ck_assert_ptr_nonnull(strstr(buf, "303"));
    ck_assert_ptr_null(strstr(buf, "304"));
}
END_TEST

START_TEST(asked_by_nobody_or_elsewhere)
{
    static const struct {
        const char *source, *destination;
    } rows[] = {
        {"ff02::1", ANYCAST},
        {"::", ANYCAST},
        {"fe80::1", ANYCAST},
        {"2001:db8:c::1", "2001:db8:1::2"},
        {"2001:db8:c::1", "2001:db8:3:0:fdff:ffff:ffff:fffe"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ask(MIP6_HOME_AGENT_REQUEST, rows[i].source, rows[i].destination, NULL);
        in_order("");
        ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCOVERY_DISCARDED), i + 1);
    }
    agent_counters_clear(lab.agent);
    static const uint8_t wrong[][8] = {
        {145, 0, 0, 0, 1, 2}, {147, 0, 0, 0, 1, 2}, {144, 1, 0, 0, 1, 2}, {128, 0, 0, 0, 1, 2}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ask_bytes("2001:db8:c::1", ANYCAST, NULL, wrong[i], sizeof(wrong[i]));
        in_order("");
        ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCOVERY_DISCARDED), i + 1);
    }
}
END_TEST

START_TEST(replies_are_limited)
{
    for (int i = 0; i < 300; i++)
        ask_home_agents(ANYCAST);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_HOME_AGENTS_TOLD), 100);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCOVERY_WITHHELD), 200);
    wait_s(1);
    check_told("2");
}
END_TEST

START_TEST(secondaries_answer_none)
{
    struct agent_settings settings = lab.settings;
    settings.role = AGENT_SECONDARY;
    const uint8_t secret[AGENT_SEED] = {1}, request[8] = {MIP6_HOME_AGENT_REQUEST};
    struct agent *secondary = agent_create(&settings, secret, lab.now);
    ck_assert_ptr_nonnull(secondary);
    const struct agent_datagram d = {.source = ip("2001:db8:c::1"),
                                     .destination = ip(ANYCAST),
                                     .protocol = IPPROTO_NUM_ICMPV6,
                                     .payload = request,
                                     .len = sizeof(request)};
    agent_input(secondary, &d, lab.now);
    ck_assert_ptr_null(agent_pop(secondary));
    agent_destroy(secondary);
}
END_TEST

/* ---- Mobile prefix discovery ---- */
static void solicit(size_t i)
{
    const struct addr home = lab6_home(i), care_of = lab6_care_of(i);
    char source[ADDR_TEXT_MAX];
    ask(MIP6_PREFIX_SOLICITATION, addr_format(&care_of, source), "2001:db8:1::2", &home);
}

static struct nd_prefix told_prefix(size_t i)
{
    in_order("S");
    const struct message *m = &lab_first(&lab, EFFECT_SEND)->send;
    const struct addr home = lab6_home(i), care_of = lab6_care_of(i), own = ip("2001:db8:1::2");
    ck_assert(addr_equal(&m->source, &own) && addr_equal(&m->destination, &care_of));
    ck_assert(addr_equal(&m->home, &home));
    const struct mip6_discovery d = read_answer(m, &home, MIP6_PREFIX_ADVERTISEMENT);
    ck_assert_uint_eq(d.flags, 0);
    ck_assert_uint_eq(d.n_prefixes, 1);
    ck_assert(addr_equal(&d.prefixes[0].prefix.addr, &own));
    ck_assert_uint_eq(d.prefixes[0].prefix.bits, 64);
    ck_assert_uint_eq(d.prefixes[0].flags, ND_PREFIX_ON_LINK | ND_PREFIX_AUTONOMOUS | ND_PREFIX_ADDRESS);
    return d.prefixes[0];
}

START_TEST(prefixes_told)
{
    bind_node6(1);
    solicit(1);
    struct nd_prefix p = told_prefix(1);
    ck_assert(p.valid_s == UINT32_MAX && p.preferred_s == UINT32_MAX);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_PREFIXES_TOLD), 1);

    /* As they are configured, index by index. */
    const size_t at = lab.settings.n_home_networks - 2;
    lab.settings.home_prefixes[at] = (struct home_prefix){86400, 3600};
    lab.settings.home_prefixes[at + 1] = (struct home_prefix){1, 1};
    reconfigure();
    wait_s(2);
    solicit(1);
    p = told_prefix(1);
    ck_assert_uint_eq(p.valid_s, 86400);
    ck_assert_uint_eq(p.preferred_s, 3600);
}
END_TEST

START_TEST(prefixes_once_a_second)
{
    bind_node6(1);
    bind_node6(2);
    solicit(1);
    told_prefix(1);
    solicit(1);
    in_order("");
    solicit(2);
    told_prefix(2);
    lab_wait(&lab, 1000 * NSEC_PER_MS);
    solicit(1);
    in_order("");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCOVERY_WITHHELD), 2);
    lab_wait(&lab, 3 * NSEC_PER_MS);
    solicit(1);
    told_prefix(1);
}
END_TEST

START_TEST(prefixes_withheld)
{
    bind_node6(1);
    lab.settings.withhold_prefixes = true;
    reconfigure();
    solicit(1);
    in_order("");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCOVERY_DISCARDED), 1);
}
END_TEST

START_TEST(prefixes_for_the_bound_alone)
{
    const struct addr home = lab6_home(1);
    bind_node6(2);
    bind_node6(1);
    agent_counters_clear(lab.agent);
    /* Without a Home Address option. */
    ask(MIP6_PREFIX_SOLICITATION, "2001:db8:c::2", "2001:db8:1::2", NULL);
    in_order("");
    /* To the anycast address. */
    ask(MIP6_PREFIX_SOLICITATION, "2001:db8:c::2", ANYCAST, &home);
    in_order("");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCOVERY_DISCARDED), 2);
    /* From elsewhere: a binding error (RFC 6275 section 9.3.1). */
    ask(MIP6_PREFIX_SOLICITATION, "2001:db8:c::3", "2001:db8:1::2", &home);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_PREFIXES_TOLD), 0);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDING_ERRORS), 1);
    /* No binding any more. */
    ck_assert(agent_revoke(lab.agent, &home, lab.now));
    solicit(1);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_PREFIXES_TOLD), 0);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDING_ERRORS), 2);
}
END_TEST

/* RFC 6275 section 6.7: in ESP, and answered so. */
static struct esp_association association(uint32_t spi)
{
    return (struct esp_association){.spi = spi, .algorithm = ESP_NULL_SHA256, .auth_key_len = 32};
}

static void solicit_sealed(struct esp *esp, const char *source)
{
    uint8_t inner[8] = {MIP6_PREFIX_SOLICITATION, 0, 0, 0, IDENTIFIER >> 8, IDENTIFIER & 0xff};
    uint8_t packet[256];
    struct agent_datagram d = {.source = ip(source),
                               .destination = ip("2001:db8:1::2"),
                               .home = lab6_home(1),
                               .protocol = IPPROTO_NUM_ESP,
                               .payload = packet};
    icmp6_checksum(inner, sizeof(inner), &d.home, &d.destination);
    d.len = esp_seal(esp, inner, sizeof(inner), IPPROTO_NUM_ICMPV6, packet);
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
}

START_TEST(prefixes_told_in_esp)
{
    static const uint8_t seed[16];
    const struct esp_association in = association(2000), out = association(3000);
    const struct addr home = lab6_home(1);
    struct esp *there = esp_create(&in, seed), *back = esp_create(&out, seed);
    bind_node6(1);
    ck_assert_int_eq(agent_ipsec_set(lab.agent, &home, &in, &out), 0);
    solicit_sealed(there, "2001:db8:c::2");
    in_order("S");
    struct message m = lab_first(&lab, EFFECT_SEND)->send;
    uint8_t inner[AGENT_MESSAGE_MAX], next_header;
    ck_assert_uint_eq(m.protocol, IPPROTO_NUM_ESP);
    ck_assert_int_eq(esp_open(back, m.bytes, m.len, inner, &m.len, &next_header), ESP_OPENED);
    ck_assert_uint_eq(next_header, IPPROTO_NUM_ICMPV6);
    memcpy(m.bytes, inner, m.len);
    m.protocol = next_header;
    ck_assert_uint_eq(read_answer(&m, &home, MIP6_PREFIX_ADVERTISEMENT).n_prefixes, 1);
    /* Sent again by somebody else: not to be answered there. */
    wait_s(2);
    solicit_sealed(there, "2001:db8:c::99");
    in_order("");
    esp_destroy(there);
    esp_destroy(back);
}
END_TEST

/* Who may be anybody does not spend what is proven to be the mobile node's; the other way round it waits its
 * second (section 6.8). */
START_TEST(prefixes_told_in_esp_whoever_asks_without)
{
    static const uint8_t seed[16];
    const struct esp_association in = association(2000), out = association(3000);
    const struct addr home = lab6_home(1);
    struct esp *there = esp_create(&in, seed);
    bind_node6(1);
    ck_assert_int_eq(agent_ipsec_set(lab.agent, &home, &in, &out), 0);
    solicit(1);
    told_prefix(1);
    solicit_sealed(there, "2001:db8:c::2");
    in_order("S");
    ck_assert_uint_eq(lab_first(&lab, EFFECT_SEND)->send.protocol, IPPROTO_NUM_ESP);
    solicit_sealed(there, "2001:db8:c::2");
    in_order("");
    lab_wait(&lab, 600 * NSEC_PER_MS);
    solicit(1);
    in_order("");
    lab_wait(&lab, 600 * NSEC_PER_MS);
    solicit_sealed(there, "2001:db8:c::2");
    in_order("S");
    solicit(1);
    in_order("");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCOVERY_WITHHELD), 3);
    esp_destroy(there);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("agent_discovery");
    TCase *tc = lab6_case(s, "agent_discovery");
    tcase_add_test(tc, alone);
    tcase_add_test(tc, by_falling_preference);
    tcase_add_test(tc, equal_ones_by_lot);
    tcase_add_test(tc, heard_no_more);
    tcase_add_test(tc, global_addresses);
    tcase_add_test(tc, each_link_has_its_own_list);
    tcase_add_test(tc, advertisement_of_no_known_link);
    tcase_add_test(tc, who_makes_room);
    tcase_add_test(tc, room_on_each_link);
    tcase_add_test(tc, list_of_a_moved_network);
    tcase_add_test(tc, too_many);
    tcase_add_test(tc, as_many_as_there_may_be);
    tcase_add_test(tc, asked_by_nobody_or_elsewhere);
    tcase_add_test(tc, replies_are_limited);
    tcase_add_test(tc, secondaries_answer_none);
    tcase_add_test(tc, prefixes_told);
    tcase_add_test(tc, prefixes_once_a_second);
    tcase_add_test(tc, prefixes_withheld);
    tcase_add_test(tc, prefixes_for_the_bound_alone);
    tcase_add_test(tc, prefixes_told_in_esp);
    tcase_add_test(tc, prefixes_told_in_esp_whoever_asks_without);
    return s;
}

int main(void)
{
    return check_main(suite());
}
