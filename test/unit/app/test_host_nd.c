/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The appliance as an IPv6 neighbour, without an EAL: what host_nd.c calls of the rest of control is played
 * here, and what it sends is caught as frames and decoded again.
 */
#include "host_nd.h"

#include "../check_main.h"
#include "caught_frames.h"
#include "control.h"
#include "effects.h"
#include "forwarding.h"
#include "icmp6_frame.h"
#include "log.h"
#include "timerq.h"

#define SECONDS(n) ((uint64_t)(n)*NSEC_PER_S)

enum { HEADERS = 14 + IPV6_HEADER };

/* ---- What the rest of control does ---- */

static bool agent_answers;
static struct agent_neighbor agent_was_told;
static unsigned agent_times, router_times, learnt_times, advertised_times, warnings;
static bool learnt_for_us, advertised_solicited, advertised_override, advertised_without_mac;
static struct addr learnt;

bool ports_on_link(const struct ports *ports, unsigned port_index, const struct addr *address)
{
    return addr_is_link_local(address) || ports_connected(ports, address) == (int)port_index;
}

bool ports_own_mac(const struct ports *ports, const struct mac *mac)
{
    return mac_equal(mac, &ports->port[0].mac) || mac_equal(mac, &ports->port[1].mac);
}

struct addr port_source(const struct port *p, const struct addr *peer)
{
    return addr_is_link_local(peer) ? p->link_local : p->addresses[0].addr;
}

bool forwarding_is_anycast(const struct control *c, unsigned port_index, const struct addr *address)
{
    (void)c;
    return port_index == 0 && address->b[15] == 0xfe;
}

bool agent_heard(struct agent *agent, const struct agent_neighbor *heard, struct instant now)
{
    (void)agent;
    (void)now;
    agent_was_told = *heard;
    agent_times++;
    return agent_answers;
}

void agent_router_heard(struct agent *agent, const struct nd *advertisement, struct instant now)
{
    (void)agent;
    (void)advertisement;
    (void)now;
    router_times++;
}

void effects_carry_out(struct control *c)
{
    (void)c;
}

void neighbor_heard(struct neighbors *n, uint8_t port_index, const struct addr *address,
                    const struct mac *mac, bool for_us, uint64_t now_ns)
{
    (void)n;
    (void)port_index;
    (void)mac;
    (void)now_ns;
    learnt = *address;
    learnt_for_us = for_us;
    learnt_times++;
}

void neighbor_advertised(struct neighbors *n, uint8_t port_index, const struct addr *address,
                         const struct mac *mac, bool solicited, bool override, uint64_t now_ns)
{
    (void)n;
    (void)port_index;
    (void)now_ns;
    learnt = *address;
    advertised_without_mac = mac == NULL;
    advertised_solicited = solicited;
    advertised_override = override;
    advertised_times++;
}

/* What is joined is host_mld's affair; here counts that it is told before anybody is asked. */
static size_t told_at[FRAMES_MAX], n_told;
static unsigned own_times, all_told;

void host_mld_own(struct control *c, unsigned port_index)
{
    (void)c;
    (void)port_index;
    own_times++;
}

void host_mld_tell(struct control *c, unsigned port_index, const struct addr *address)
{
    (void)c;
    (void)port_index;
    (void)address;
    told_at[n_told++] = n_frames;
}

void host_mld_tell_all(struct control *c, unsigned port_index)
{
    (void)c;
    (void)port_index;
    all_told++;
}

void log_write(enum log_level level, const char *format, ...)
{
    (void)format;
    warnings += level == LOG_LEVEL_WARNING;
}

/* ---- An appliance: port 0 is the home link 2001:db8:1::/64, port 1 2001:db8:2::/64 ---- */

static struct conf conf;
static struct control control;

static const struct mac other_mac = {{2, 0, 0, 0, 0, 0x99}};

static struct addr parsed(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

static struct prefix prefix_parsed(const char *text)
{
    struct prefix p;
    ck_assert_msg(prefix_parse(text, &p), "%s", text);
    return p;
}

static void set_port(unsigned i, const char *address)
{
    struct port *port = &control.ports.port[i];
    *port = (struct port){.mac = {{2, 0, 0, 0, 0, (uint8_t)(i + 1)}}, .mtu = 1500, .link_up = true};
    port->link_local = addr_link_local_from_mac(&port->mac);
    port->addresses[port->n_addresses++] = prefix_parsed(address);
}

static void forget(void)
{
    n_frames = 0;
    n_told = own_times = all_told = 0;
    agent_times = router_times = learnt_times = advertised_times = warnings = 0;
}

static void set_up(void)
{
    conf = (struct conf){.role = ROLE_PRIMARY, .n_ports = 2};
    conf.agent.home_networks[conf.agent.n_home_networks++] = prefix_parsed("2001:db8:1::/64");
    control = (struct control){.conf = &conf, .ports.n = 2, .now.mono_ns = SECONDS(100)};
    set_port(0, "2001:db8:1::2/64");
    set_port(1, "2001:db8:2::2/64");
    host_nd_start(&control, 42);
    control.nd.delay_ns = 0;
}

static void work_at(uint64_t now_ns)
{
    control.now.mono_ns = now_ns;
    while (host_nd_work(&control))
        ;
}

/* Past duplicate address detection. */
static void set_up_usable(void)
{
    set_up();
    work_at(SECONDS(100));
    work_at(SECONDS(101));
    forget();
}

static struct nd sent(size_t i)
{
    struct ip_header ip;
    struct nd nd;
    ck_assert_uint_lt(i, n_frames);
    ck_assert_int_eq(ip_decode(frames[i].bytes + 14, frames[i].len - 14, &ip, NULL), IP_DECODED);
    ck_assert(nd_decode(&ip, frames[i].bytes + HEADERS, frames[i].len - HEADERS, &nd));
    return nd;
}

static void check_address(const struct addr *a, const char *text)
{
    char buf[ADDR_TEXT_MAX];
    ck_assert_str_eq(addr_format(a, buf), text);
}

/* The only frame: an advertisement of our MAC address. */
static void check_advertised(const char *source, const char *destination, const char *target, uint8_t flags)
{
    ck_assert_uint_eq(n_frames, 1);
    const struct nd nd = sent(0);
    ck_assert_int_eq(nd.type, ND_NEIGHBOR_ADVERTISEMENT);
    check_address(&nd.source, source);
    check_address(&nd.destination, destination);
    check_address(&nd.target, target);
    ck_assert_uint_eq(nd.flags, flags);
    ck_assert(nd.has_mac && mac_equal(&nd.mac, &control.ports.port[frames[0].port_index].mac));
    const struct mac to = addr_is_multicast(&nd.destination) ? icmp6_group_mac(&nd.destination) : other_mac;
    ck_assert_mem_eq(frames[0].bytes, to.b, sizeof(to.b));
}

/* Another station asks for target; source NULL: from nobody. */
static void asked(unsigned port_index, const char *source, const char *target)
{
    struct nd nd = {.type = ND_NEIGHBOR_SOLICITATION, .target = parsed(target)};
    nd.destination = addr_solicited_node(&nd.target);
    if (source != NULL) {
        nd.source = parsed(source);
        nd.has_mac = true;
        nd.mac = other_mac;
    }
    host_nd_serve(&control, port_index, &other_mac, &nd);
}

static void told(unsigned port_index, const char *target, uint8_t flags, bool has_mac)
{
    const struct nd nd = {.type = ND_NEIGHBOR_ADVERTISEMENT,
                          .source = parsed("fe80::99"),
                          .destination = addr_all_nodes,
                          .target = parsed(target),
                          .flags = flags,
                          .has_mac = has_mac,
                          .mac = other_mac};
    host_nd_serve(&control, port_index, &other_mac, &nd);
}

#define LINK_LOCAL "fe80::ff:fe00:1"
#define OWN        "2001:db8:1::2"
#define NEIGHBOR   "2001:db8:1::99"
#define HOME       "2001:db8:1::50"

/* ---- Duplicate address detection ---- */

START_TEST(detection_at_start)
{
    ck_assert_uint_eq(host_nd_deadline(&control), 0);
    work_at(SECONDS(100));
    ck_assert_uint_eq(n_frames, 4); /* two ports with two addresses each */
    ck_assert_uint_eq(n_told, 4);
    ck_assert_uint_eq(own_times, 4);
    ck_assert_uint_eq(all_told, 2);
    for (size_t i = 0; i < n_frames; i++) {
        ck_assert_uint_eq(told_at[i], i); /* RFC 4862 section 5.4.2: the report is first */
        const struct nd nd = sent(i);
        ck_assert_int_eq(nd.type, ND_NEIGHBOR_SOLICITATION);
        ck_assert(addr_is_unspecified(&nd.source) && !nd.has_mac);
    }
    ck_assert_uint_eq(host_nd_deadline(&control), SECONDS(101));
    forget();
    const struct addr own = parsed(OWN);
    ck_assert(!host_nd_is_usable(&control, 0, &own));
    asked(0, NEIGHBOR, OWN); /* RFC 4862 section 5.4.3: not heard yet */
    host_nd_solicit(&control, 0, &own, NULL);
    host_nd_announce(&control, 0, &own);
    ck_assert_uint_eq(n_frames, 0);

    work_at(SECONDS(101));
    ck_assert(host_nd_is_usable(&control, 0, &own));
    ck_assert(!host_nd_is_usable(&control, 1, &own));
    ck_assert_uint_eq(n_frames, 4); /* each is announced */
    ck_assert_uint_eq(all_told, 2); /* RFC 3590 section 4 */
    ck_assert_uint_eq(sent(0).flags, ND_OVERRIDE);
    ck_assert_uint_eq(host_nd_deadline(&control), TIMER_NEVER);
}
END_TEST

START_TEST(detection_waits_for_the_link)
{
    control.ports.port[0].link_up = control.ports.port[1].link_up = false;
    work_at(SECONDS(100));
    ck_assert_uint_eq(n_frames, 0);
    ck_assert_uint_eq(host_nd_deadline(&control), TIMER_NEVER);
    control.ports.port[0].link_up = true;
    host_nd_link_up(&control, 0);
    work_at(SECONDS(110));
    ck_assert_uint_eq(n_frames, 2);
    work_at(SECONDS(111));
    forget();
    host_nd_link_up(&control, 0); /* again, later */
    work_at(SECONDS(120));
    ck_assert_uint_eq(n_frames, 2);
}
END_TEST

START_TEST(duplicates)
{
    work_at(SECONDS(100));
    forget();
    if (_i == 0)
        asked(0, NULL, OWN); /* it wants the address as we do */
    else
        told(0, OWN, ND_OVERRIDE, true);
    work_at(SECONDS(101));
    const struct addr own = parsed(OWN), link_local = parsed(LINK_LOCAL);
    ck_assert(!host_nd_is_usable(&control, 0, &own));
    ck_assert(host_nd_is_usable(&control, 0, &link_local));
    ck_assert_uint_eq(warnings, 1);
    ck_assert_uint_eq(control.counters[CONTROL_ND_CONFLICTS], 1);
    forget();
    asked(0, NEIGHBOR, OWN);
    told(0, OWN, ND_OVERRIDE, true);
    ck_assert_uint_eq(n_frames, 0); /* neither answered for nor fought over */
    ck_assert_uint_eq(warnings, 0);
}
END_TEST

/* RFC 4862 section 5.4.4: one in use is kept; an operator is told, not flooded. */
START_TEST(conflict)
{
    const struct addr own = parsed(OWN);
    for (int i = 0; i < 5; i++)
        told(0, OWN, ND_OVERRIDE, true);
    ck_assert(host_nd_is_usable(&control, 0, &own));
    ck_assert_uint_eq(warnings, 1);
    ck_assert_uint_eq(control.counters[CONTROL_ND_CONFLICTS], 5);
    ck_assert_uint_eq(agent_times + advertised_times, 0);
    control.now.mono_ns += SECONDS(11);
    told(0, OWN, ND_OVERRIDE, true);
    ck_assert_uint_eq(warnings, 2);
}
END_TEST

/* RFC 4862 section 5.4.2: by chance, within half a second of the link's coming up. */
START_TEST(detection_is_delayed)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        set_up();
        host_nd_start(&control, seed);
        host_nd_link_up(&control, 0);
        host_nd_link_up(&control, 1);
        const uint64_t due = host_nd_deadline(&control);
        control.ports.port[1].link_up = false;
        const uint64_t first = host_nd_deadline(&control);
        ck_assert_uint_le(due, first);
        work_at(first - 1);
        ck_assert_uint_eq(n_frames, 0);
        work_at(first);
        ck_assert_uint_eq(n_frames, 2);
        forget();
        least = first < least ? first : least;
        most = first > most ? first : most;
    }
    ck_assert_uint_lt(least, SECONDS(100) + 50 * NSEC_PER_MS);
    ck_assert_uint_gt(most, SECONDS(100) + 450 * NSEC_PER_MS);
    ck_assert_uint_le(most, SECONDS(100) + 500 * NSEC_PER_MS);
}
END_TEST

/* A switch may bring our own multicast frames back. */
START_TEST(own_echo)
{
    const struct nd nd = {.type = ND_NEIGHBOR_SOLICITATION, .target = parsed(OWN)};
    work_at(SECONDS(100));
    host_nd_serve(&control, 0, &control.ports.port[0].mac, &nd);
    work_at(SECONDS(101));
    ck_assert(host_nd_is_usable(&control, 0, &nd.target));
}
END_TEST

/* ---- Solicitations ---- */

static const struct {
    const char *what, *asker, *target;
    bool advertises, proxy;
    const char *source, *destination; /* of the answer; NULL: none */
    uint8_t flags;
} answers[] = {
    {"own", NEIGHBOR, OWN, false, false, OWN, NEIGHBOR, ND_SOLICITED | ND_OVERRIDE},
    {"own, of a router", NEIGHBOR, OWN, true, false, OWN, NEIGHBOR, ND_SOLICITED | ND_OVERRIDE | ND_ROUTER},
    {"own link-local", "fe80::99", LINK_LOCAL, false, false, LINK_LOCAL, "fe80::99",
     ND_SOLICITED | ND_OVERRIDE},
    {"own, asked by who comes to the link", NULL, OWN, false, false, OWN, "ff02::1", ND_OVERRIDE},
    {"own, asked from a foreign prefix", "2001:db8:77::1", OWN, false, false, OWN, "2001:db8:77::1",
     ND_SOLICITED | ND_OVERRIDE},
    {"own of the other port", NEIGHBOR, "2001:db8:2::2", false, true, NULL, NULL, 0},
    {"a bound home address (RFC 6275 section 10.4.1)", NEIGHBOR, HOME, false, true, LINK_LOCAL, NEIGHBOR,
     ND_SOLICITED},
    {"a bound home address, by a router", NEIGHBOR, HOME, true, true, LINK_LOCAL, NEIGHBOR, ND_SOLICITED},
    {"a bound home address, from nobody (RFC 6275 section 11.5.5)", NULL, HOME, true, true, LINK_LOCAL,
     "ff02::1", 0},
    {"a link-local address of a bound one", "fe80::99", "fe80::50", false, true, LINK_LOCAL, "fe80::99",
     ND_SOLICITED},
    {"a home address that is not bound", NEIGHBOR, HOME, false, false, NULL, NULL, 0},
    {"anycast (RFC 4861 section 7.2.7)", NEIGHBOR, "2001:db8:1:0:fdff:ffff:ffff:fffe", false, false,
     LINK_LOCAL, NEIGHBOR, ND_SOLICITED},
};

START_TEST(answered)
{
    conf.ports[0].advertisement.on = answers[_i].advertises;
    agent_answers = answers[_i].proxy;
    asked(0, answers[_i].asker, answers[_i].target);
    if (answers[_i].source == NULL)
        ck_assert_msg(n_frames == 0, "%s", answers[_i].what);
    else
        check_advertised(answers[_i].source, answers[_i].destination, answers[_i].target, answers[_i].flags);
}
END_TEST

START_TEST(agent_is_told_who_asks)
{
    asked(0, NEIGHBOR, HOME);
    ck_assert_uint_eq(agent_times, 1);
    check_address(&agent_was_told.claimed, NEIGHBOR);
    check_address(&agent_was_told.asked, HOME);
    ck_assert(mac_equal(&agent_was_told.mac, &other_mac));
    asked(0, NULL, HOME); /* claims nothing yet */
    ck_assert(addr_equal(&agent_was_told.claimed, &addr_unspecified));
    forget();
    asked(0, NEIGHBOR, OWN);                      /* not the agent's */
    asked(1, "2001:db8:2::99", "2001:db8:2::50"); /* no home link */
    asked(1, "fe80::99", "fe80::50");
    asked(0, NEIGHBOR, "2001:db8:2::50"); /* of another link */
    ck_assert_uint_eq(agent_times, 0);
}
END_TEST

static const struct {
    const char *what, *asker, *target;
    unsigned times;
    bool for_us;
} learning[] = {
    {"who asks us", NEIGHBOR, OWN, 1, true},
    {"who asks another", NEIGHBOR, HOME, 1, false},
    {"by its link-local address", "fe80::99", OWN, 1, true},
    {"of another link", "2001:db8:2::99", OWN, 0, false},
    {"from nobody", NULL, OWN, 0, false},
};

START_TEST(asker_learnt)
{
    asked(0, learning[_i].asker, learning[_i].target);
    ck_assert_msg(learnt_times == learning[_i].times, "%s", learning[_i].what);
    if (learnt_times == 0)
        return;
    check_address(&learnt, learning[_i].asker);
    ck_assert_int_eq(learnt_for_us, learning[_i].for_us);
}
END_TEST

/* RFC 4861 section 4.3: a unicast question may come without the option; its frame says whose it is. */
START_TEST(asked_without_option)
{
    const struct nd nd = {.type = ND_NEIGHBOR_SOLICITATION,
                          .source = parsed(NEIGHBOR),
                          .destination = parsed(OWN),
                          .target = parsed(OWN)};
    host_nd_serve(&control, 0, &other_mac, &nd);
    check_advertised(OWN, NEIGHBOR, OWN, ND_SOLICITED | ND_OVERRIDE);
    ck_assert_uint_eq(learnt_times, 0);
}
END_TEST

/* ---- Advertisements ---- */

START_TEST(advertisement_heard)
{
    told(0, NEIGHBOR, ND_SOLICITED | ND_OVERRIDE, true);
    ck_assert_uint_eq(advertised_times, 1);
    check_address(&learnt, NEIGHBOR);
    ck_assert(advertised_solicited && advertised_override && !advertised_without_mac);
    ck_assert_uint_eq(agent_times, 1);
    check_address(&agent_was_told.claimed, NEIGHBOR);
    ck_assert(addr_equal(&agent_was_told.asked, &addr_unspecified));
    told(0, NEIGHBOR, ND_SOLICITED, false);
    ck_assert(advertised_without_mac && !advertised_override);
    ck_assert(mac_equal(&agent_was_told.mac, &other_mac));
    forget();
    told(0, "2001:db8:2::99", ND_OVERRIDE, true); /* of another link */
    ck_assert_uint_eq(advertised_times + agent_times, 0);
    ck_assert_uint_eq(n_frames, 0);
}
END_TEST

/* ---- What we say and ask ourselves ---- */

START_TEST(announced)
{
    const struct addr home = parsed(HOME), own = parsed(OWN);
    conf.ports[0].advertisement.on = true;
    host_nd_announce(&control, 0, &home); /* RFC 6275 section 10.4.1: override, no router */
    check_advertised(LINK_LOCAL, "ff02::1", HOME, ND_OVERRIDE);
    forget();
    host_nd_announce(&control, 0, &own);
    check_advertised(OWN, "ff02::1", OWN, ND_OVERRIDE | ND_ROUTER);
}
END_TEST

START_TEST(asks)
{
    const struct addr neighbor = parsed(NEIGHBOR), on_link = parsed("fe80::99");
    host_nd_solicit(&control, 0, &neighbor, NULL);
    host_nd_solicit(&control, 0, &neighbor, &other_mac);
    host_nd_solicit(&control, 0, &on_link, NULL);
    host_nd_probe(&control, 0, &neighbor);
    ck_assert_uint_eq(n_frames, 4);
    const struct nd all = sent(0), one = sent(1), local = sent(2), probe = sent(3);
    check_address(&all.source, OWN);
    check_address(&all.destination, "ff02::1:ff00:99");
    ck_assert(all.has_mac && mac_equal(&all.mac, &control.ports.port[0].mac));
    check_address(&one.destination, NEIGHBOR);
    ck_assert_mem_eq(frames[1].bytes, other_mac.b, sizeof(other_mac.b));
    check_address(&local.source, LINK_LOCAL);
    ck_assert(addr_is_unspecified(&probe.source));
    check_address(&probe.destination, "ff02::1:ff00:99");
}
END_TEST

/* ---- Routers ---- */

static const struct conf_advertisement advertises = {.on = true,
                                                     .interval_s = 600,
                                                     .router_lifetime_s = 1800,
                                                     .preference = 10,
                                                     .home_agent_lifetime_s = 1800,
                                                     .valid_s = 2592000,
                                                     .preferred_s = 604800};

START_TEST(router_advertised)
{
    conf.ports[0].advertisement = conf.ports[1].advertisement = advertises;
    work_at(SECONDS(101));
    ck_assert_uint_eq(n_frames, 2);
    const struct nd home = sent(0), other = sent(1);
    ck_assert_int_eq(home.type, ND_ROUTER_ADVERTISEMENT);
    check_address(&home.source, LINK_LOCAL);
    check_address(&home.destination, "ff02::1");
    ck_assert(home.has_mac); /* RFC 6275 section 7.5 */
    ck_assert_uint_eq(home.router.flags, ND_HOME_AGENT);
    ck_assert_uint_eq(home.router.n_prefixes, 1);
    check_address(&home.router.prefixes[0].prefix.addr, OWN);
    ck_assert(home.router.prefixes[0].flags & ND_PREFIX_ADDRESS);
    ck_assert_uint_eq(other.router.flags, 0); /* nobody's home link */
    ck_assert_uint_eq(control.counters[CONTROL_ROUTER_ADVERTISEMENTS], 2);
    ck_assert_uint_eq(host_nd_deadline(&control), SECONDS(117));

    const struct nd solicitation = {.type = ND_ROUTER_SOLICITATION, .source = parsed("fe80::99")};
    control.now.mono_ns = SECONDS(110);
    host_nd_serve(&control, 0, &other_mac, &solicitation);
    ck_assert_uint_le(host_nd_deadline(&control), SECONDS(110) + 500 * NSEC_PER_MS);

    forget();
    conf.ports[0].advertisement.on = false;
    host_nd_readdressed(&control); /* RFC 4861 section 6.2.5 */
    ck_assert_uint_eq(n_frames, 1);
    ck_assert_uint_eq(sent(0).router.lifetime_s, 0);
    ck_assert_uint_eq(sent(0).router.flags, 0);
    forget();
    host_nd_stop(&control);
    host_nd_stop(&control);
    ck_assert_uint_eq(n_frames, 1);
    ck_assert_uint_eq(frames[0].port_index, 1);
}
END_TEST

/* RFC 4861 section 6.2.4, RFC 4862 section 5.4: told as soon as it is ours, and not before. */
START_TEST(new_prefix_is_soon_told)
{
    struct port *port = &control.ports.port[0];
    conf.ports[0].advertisement = advertises;
    work_at(SECONDS(101));
    ck_assert(prefix_parse("2001:db8:77::2/64", &port->addresses[port->n_addresses++]));
    control.now.mono_ns = SECONDS(110);
    host_nd_readdressed(&control);
    forget();
    work_at(SECONDS(110));
    ck_assert_uint_eq(sent(n_frames - 1).router.n_prefixes, 1);
    work_at(SECONDS(111));
    forget();
    work_at(SECONDS(113)); /* no two within three seconds */
    ck_assert_uint_eq(n_frames, 1);
    ck_assert_int_eq(sent(0).type, ND_ROUTER_ADVERTISEMENT);
    ck_assert_uint_eq(sent(0).router.n_prefixes, 2);
}
END_TEST

START_TEST(secondary_is_no_home_agent)
{
    conf.role = ROLE_SECONDARY;
    conf.ports[0].advertisement = advertises;
    work_at(SECONDS(101));
    ck_assert_uint_eq(sent(0).router.flags, 0);
    ck_assert(!sent(0).router.has_home_agent);
}
END_TEST

START_TEST(advertised_is_what_found_a_buffer)
{
    conf.ports[0].advertisement = advertises;
    no_buffer = true;
    work_at(SECONDS(101));
    ck_assert_uint_eq(control.counters[CONTROL_ROUTER_ADVERTISEMENTS], 0);
    no_buffer = false;
    work_at(SECONDS(117));
    ck_assert_uint_eq(control.counters[CONTROL_ROUTER_ADVERTISEMENTS], 1);
    ck_assert_uint_eq(n_frames, 1);
}
END_TEST

START_TEST(duplicate_prefix_is_not_advertised)
{
    conf.ports[0].advertisement = advertises;
    control.now.mono_ns = SECONDS(100);
    host_nd_link_up(&control, 0);
    host_nd_work(&control);
    told(0, OWN, ND_OVERRIDE, true);
    forget();
    work_at(SECONDS(102));
    const struct nd router = sent(n_frames - 1);
    ck_assert_int_eq(router.type, ND_ROUTER_ADVERTISEMENT);
    ck_assert_uint_eq(router.router.n_prefixes, 0);
}
END_TEST

START_TEST(router_heard)
{
    const struct nd nd = {.type = ND_ROUTER_ADVERTISEMENT,
                          .source = parsed("fe80::99"),
                          .destination = addr_all_nodes,
                          .has_mac = true,
                          .mac = other_mac};
    host_nd_serve(&control, 0, &other_mac, &nd);
    host_nd_serve(&control, 1, &other_mac, &nd); /* no home link */
    ck_assert_uint_eq(router_times, 1);
}
END_TEST

START_TEST(no_ipv6)
{
    control.ports.port[0].link_local = addr_unspecified;
    host_nd_readdressed(&control);
    forget();
    asked(0, NEIGHBOR, OWN);
    told(0, NEIGHBOR, ND_OVERRIDE, true);
    ck_assert_uint_eq(n_frames + agent_times + learnt_times + advertised_times, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("host_nd");
    TCase *begins = tcase_create("begins");
    tcase_add_checked_fixture(begins, set_up, NULL);
    tcase_add_test(begins, detection_at_start);
    tcase_add_test(begins, detection_waits_for_the_link);
    tcase_add_test(begins, detection_is_delayed);
    tcase_add_loop_test(begins, duplicates, 0, 2);
    tcase_add_test(begins, own_echo);
    suite_add_tcase(s, begins);

    TCase *tc = tcase_create("serves");
    tcase_add_checked_fixture(tc, set_up_usable, NULL);
    tcase_add_test(tc, conflict);
    tcase_add_loop_test(tc, answered, 0, ROWS(answers));
    tcase_add_test(tc, agent_is_told_who_asks);
    tcase_add_loop_test(tc, asker_learnt, 0, ROWS(learning));
    tcase_add_test(tc, asked_without_option);
    tcase_add_test(tc, advertisement_heard);
    tcase_add_test(tc, announced);
    tcase_add_test(tc, asks);
    tcase_add_test(tc, router_advertised);
    tcase_add_test(tc, new_prefix_is_soon_told);
    tcase_add_test(tc, secondary_is_no_home_agent);
    tcase_add_test(tc, advertised_is_what_found_a_buffer);
    tcase_add_test(tc, duplicate_prefix_is_not_advertised);
    tcase_add_test(tc, router_heard);
    tcase_add_test(tc, no_ipv6);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
