/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The binding table as control fills it from bindings, neighbours and its own addresses, in a control without
 * devices' traffic (net_null) and without a running worker: its place among the table's readers is the
 * test's.
 */
#include "control_eal.h"

#include <rte_dev.h>

#include "conf.h"
#include "control.h"
#include "forwarding.h"

enum { MAX_BINDINGS = 16, MANY = 20000 };

static struct control control;
static unsigned devices; /* one closed does not come back: each test has its own */
static const char *reverse_tunnel = "off";
static const char *peers = "";
static bool with_ipv6;

static struct conf *configuration(const char *home_network, const char *address)
{
    char path[] = "/tmp/homeport-forwarding-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    dprintf(fd,
            "node = pha id = 1 role = primary\n"
            "eal { lcores = \"0@0,1@0\" memory = 256 huge-pages = false }\n"
            "port home { device = \"net_null%u\" addresses = {\"10.1.0.2/16\"%s%s%s%s} }\n"
            "route \"0.0.0.0/0\" { via = \"10.1.0.1\" }\n%s"
            "home-agent { addresses = {\"10.1.0.2\"%s} home-networks = {\"%s\"%s} max-bindings = %d"
            " reverse-tunnel = %s }\n%s",
            devices, *address != '\0' ? ", \"" : "", address, *address != '\0' ? "/16\"" : "",
            with_ipv6 ? ", \"2001:db8:1::2/64\"" : "",
            with_ipv6 ? "route \"::/0\" { via = \"2001:db8:1::1\" }\n" : "",
            with_ipv6 ? ", \"2001:db8:1::2\"" : "", home_network, with_ipv6 ? ", \"2001:db8:1::/64\"" : "",
            MAX_BINDINGS, reverse_tunnel, peers);
    close(fd);
    struct conf *conf = conf_load(path, stderr);
    unlink(path);
    ck_assert_ptr_nonnull(conf);
    return conf;
}

static struct addr addr(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

static void turn(void)
{
    struct instant now = control.now;
    now.mono_ns += NSEC_PER_MS;
    control_turn(&control, now);
}

static void open_control(void)
{
    char device[32];
    snprintf(device, sizeof(device), "net_null%u", ++devices);
    ck_assert_int_eq(rte_eal_hotplug_add("vdev", device, ""), 0);
    struct instant now = {.mono_ns = NSEC_PER_S, .ntp = ntp_from_unix(1700000000, 0)};
    ck_assert_int_eq(control_open(&control, configuration("10.1.0.0/16", ""), now), 0);
}

static void close_control(void)
{
    control_close(&control);
}

/* 10.1.1.0 and up. */
static struct addr host(unsigned i)
{
    return addr_from_ipv4(0x0a010100u + i);
}

static void hear(unsigned i)
{
    struct addr address = host(i);
    const struct mac mac = {{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};
    neighbor_heard(control.neighbors, 0, &address, &mac, true, control.now.mono_ns);
}

/* What the table holds for a host; -1: nothing. */
static int kind_of(unsigned i)
{
    struct addr address = host(i);
    const struct entry *e = table_get(control.table, &address);
    return e != NULL ? (int)e->kind : -1;
}

static void bind_host_to(unsigned i, size_t n_care_of)
{
    struct forwarding f = {.home = host(i), .source = addr_from_ipv4(0x0a010002), .n_care_of = n_care_of};
    for (uint32_t k = 0; k < n_care_of; k++)
        f.care_of[k] =
            (struct care_of){.address = addr_from_ipv4(0x0a020032 + k), .encapsulation = ENCAPSULATION_IPIP};
    forwarding_install(&control, &f);
}

static void bind_host(unsigned i)
{
    bind_host_to(i, 1);
}

static uint32_t references_to(const char *text)
{
    struct neighbor_view view;
    const struct addr router = addr(text);
    for (uint32_t cursor = 0; neighbor_next(control.neighbors, &cursor, control.now.mono_ns, &view);)
        if (addr_equal(&view.address, &router))
            return view.references;
    return 0;
}

static uint32_t references_to_router(void)
{
    return references_to("10.1.0.1");
}

static void reload(struct conf *next)
{
    const struct conf *former = control.conf;
    ck_assert_int_eq(control_reload(&control, &next), 0);
    ck_assert_ptr_eq(next, former);
    conf_free(next);
    for (int i = 0; i < 10; i++)
        turn();
    ck_assert(!control_reloading(&control));
}

START_TEST(a_host_heard_on_the_link_is_sent_to_directly_until_it_is_bound)
{
    hear(1);
    ck_assert_int_eq(kind_of(1), ENTRY_ON_LINK);
    bind_host(1);
    ck_assert_int_eq(kind_of(1), ENTRY_TUNNEL);
    hear(1); /* its packets to us have its home address as sender: it is on the link again */
    const struct addr home = host(1);
    forwarding_remove(&control, &home);
    hear(1);
    ck_assert_int_eq(kind_of(1), ENTRY_ON_LINK);
}
END_TEST

START_TEST(stations_on_the_link_leave_bindings_their_room)
{
    for (unsigned i = MAX_BINDINGS; i < MANY; i++)
        hear(i);
    ck_assert_uint_gt(table_count(control.table), 1000);
    for (unsigned i = 0; i < MAX_BINDINGS; i++)
        bind_host(i);
    for (unsigned i = 0; i < MAX_BINDINGS; i++)
        ck_assert_int_eq(kind_of(i), ENTRY_TUNNEL);
    ck_assert_uint_eq(control.counters[CONTROL_INSTALL_FAILED], 0);
}
END_TEST

/* A worker that does not run keeps all that is taken out from being freed. */
static void a_worker_stands_still(void)
{
    struct rte_rcu_qsbr *qsbr = table_qsbr(control.table);
    ck_assert_int_eq(rte_rcu_qsbr_thread_register(qsbr, 0), 0);
    rte_rcu_qsbr_thread_online(qsbr, 0);
}

static void it_runs_again(void)
{
    struct rte_rcu_qsbr *qsbr = table_qsbr(control.table);
    for (int i = 0; i < 100; i++) {
        rte_rcu_qsbr_quiescent(qsbr, 0);
        turn();
    }
    rte_rcu_qsbr_thread_offline(qsbr, 0);
    rte_rcu_qsbr_thread_unregister(qsbr, 0);
}

START_TEST(neighbours_that_go_while_a_worker_stands_still_leave_no_entry_behind)
{
    const unsigned hosts = 2000;
    a_worker_stands_still();
    for (unsigned i = 0; i < hosts; i++)
        hear(i);
    ck_assert_int_eq(kind_of(hosts - 1), ENTRY_ON_LINK);
    neighbor_port_down(control.neighbors, 0, control.now.mono_ns);
    ck_assert_int_eq(kind_of(0), -1);
    ck_assert_int_eq(kind_of(hosts - 1), ENTRY_ON_LINK); /* more than may wait to be freed */
    it_runs_again();
    for (unsigned i = 0; i < hosts; i++)
        ck_assert_int_eq(kind_of(i), -1);
}
END_TEST

/* Nothing is tried again and again that has to wait for the worker. */
START_TEST(a_refresh_waits_for_the_workers)
{
    const unsigned hosts = 2000;
    a_worker_stands_still();
    for (unsigned i = 0; i < hosts; i++)
        bind_host(i); /* unknown to the agent: what a refresh takes out */
    forwarding_refresh(&control);
    for (int i = 0; i < 100; i++)
        turn();
    ck_assert(table_awaits_readers(control.table));
    ck_assert(control.refreshing);
    ck_assert(!control.refresh_wanted);
    ck_assert(!forwarding_work(&control, 100));
    it_runs_again();
    for (unsigned i = 0; i < hosts; i++)
        ck_assert_int_eq(kind_of(i), -1);
}
END_TEST

START_TEST(an_address_given_to_the_appliance_gives_back_the_tunnels_next_hop)
{
    bind_host(1);
    ck_assert_uint_eq(references_to_router(), 1);
    struct port *port = &control.ports.port[0];
    port->addresses[port->n_addresses++] = (struct prefix){.addr = host(1), .bits = 16};
    ck_assert_int_eq(forwarding_set_local(&control), 0);
    ck_assert_int_eq(kind_of(1), ENTRY_LOCAL);
    ck_assert_uint_eq(references_to_router(), 0);
    bind_host(1); /* a change of its tunnel before the binding has been swept out */
    ck_assert_int_eq(kind_of(1), ENTRY_LOCAL);
    ck_assert_uint_eq(references_to_router(), 0);
}
END_TEST

/* Each of its tunnels holds a reference to the next hop, and gives it back whatever comes instead. */
START_TEST(several_care_of_addresses)
{
    const struct addr home = host(1);
    bind_host_to(1, AGENT_CARE_OF_MAX);
    ck_assert_uint_eq(references_to_router(), AGENT_CARE_OF_MAX);
    unsigned n = 1;
    for (const struct entry *e = table_get(control.table, &home); (e->flags & ENTRY_MORE) != 0; n++)
        e = table_more(control.table, e);
    ck_assert_uint_eq(n, AGENT_CARE_OF_MAX);
    bind_host_to(1, 3);
    ck_assert_uint_eq(references_to_router(), 3);
    bind_host(1);
    ck_assert_uint_eq(references_to_router(), 1);
    bind_host_to(1, 2);
    forwarding_remove(&control, &home);
    ck_assert_uint_eq(references_to_router(), 0);
}
END_TEST

/* RFC 3024 section 4.3.1: as each of them was granted. */
START_TEST(reverse_tunnels_of_several_care_of_addresses)
{
    struct forwarding f = {.home = host(1), .source = addr_from_ipv4(0x0a010002), .n_care_of = 3};
    for (uint32_t k = 0; k < 3; k++)
        f.care_of[k] = (struct care_of){.address = addr_from_ipv4(0x0a020032 + k),
                                        .encapsulation = ENCAPSULATION_IPIP,
                                        .reverse = k != 1};
    forwarding_install(&control, &f);
    const struct entry *e = table_get(control.table, &f.home);
    for (unsigned k = 0; k < 3; k++) {
        ck_assert_msg(((e->flags & ENTRY_REVERSE) != 0) == f.care_of[k].reverse, "%u", k);
        if (k < 2)
            e = table_more(control.table, e);
    }
}
END_TEST

/* Where packets out of reverse tunnels leave: what the workers are told, and the router that it refers to. */
static uint32_t exit_to(const char *text)
{
    uint32_t adjacency;
    const struct addr to = addr(text);
    const struct exits *exits = control.worker_settings->exits;
    return exits_lookup(exits, &to, &adjacency) ? adjacency : EXITS_NO_ROUTE;
}

START_TEST(a_reload_brings_and_takes_reverse_tunnels)
{
    ck_assert_ptr_null(control.worker_settings->exits);
    reverse_tunnel = "optional";
    reload(configuration("10.1.0.0/16", ""));
    ck_assert_uint_eq(references_to_router(), 1);
    struct neighbor_view view;
    const struct addr router = addr_from_ipv4(0x0a010001);
    ck_assert(neighbor_by_adjacency(control.neighbors, exit_to("192.0.2.1"), control.now.mono_ns, &view));
    ck_assert(addr_equal(&view.address, &router));
    ck_assert_uint_eq(exit_to("10.1.1.5"), ADJACENCY_NONE);
    reload(configuration("10.1.0.0/16", "")); /* the former's reference is given back, not the new one's */
    ck_assert_uint_eq(references_to_router(), 1);
    reverse_tunnel = "off";
    reload(configuration("10.1.0.0/16", ""));
    ck_assert_ptr_null(control.worker_settings->exits);
    ck_assert_uint_eq(references_to_router(), 0);
}
END_TEST

/* When the table has no room for all, the first is better than none; more is tried again. */
START_TEST(no_room_for_several_care_of_addresses)
{
    unsigned i = 0;
    while (control.counters[CONTROL_INSTALL_FAILED] == 0)
        bind_host_to(i++, AGENT_CARE_OF_MAX);
    ck_assert_int_eq(kind_of(i - 1), ENTRY_TUNNEL);
    ck_assert_uint_eq(references_to_router(), (i - 1) * AGENT_CARE_OF_MAX + 1);
    ck_assert(control.refresh_wanted);
}
END_TEST

START_TEST(a_reload_takes_out_what_was_on_a_former_home_network)
{
    hear(0x7f00);
    hear(1);
    ck_assert_int_eq(kind_of(0x7f00), ENTRY_ON_LINK);
    ck_assert_int_eq(kind_of(1), ENTRY_ON_LINK);
    reload(configuration("10.1.0.0/17", ""));
    ck_assert_int_eq(kind_of(0x7f00), -1);
    ck_assert_int_eq(kind_of(1), ENTRY_ON_LINK);
}
END_TEST

/* Its workers and the secondary tunnel from one source (RFC 6864 section 4.3). */
START_TEST(a_reload_with_the_first_secondary_divides_identifications)
{
    ck_assert_uint_eq(control.worker_settings->id_slots, 1);
    peers = "secondary s { address = 10.1.0.3 spi = 300 key = "
            "'hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f' }\n";
    reload(configuration("10.1.0.0/16", ""));
    peers = "";
    ck_assert_uint_eq(control.worker_settings->id_slots, WORKER_ID_SLOTS);
}
END_TEST

START_TEST(a_reload_brings_and_takes_own_addresses)
{
    hear(1);
    reload(configuration("10.1.0.0/16", "10.1.1.1"));
    ck_assert_int_eq(kind_of(1), ENTRY_LOCAL);
    reload(configuration("10.1.0.0/16", ""));
    ck_assert_int_eq(kind_of(1), -1);
}
END_TEST

/* ---- IPv6 ---- */

static void open_both_families(void)
{
    with_ipv6 = true;
    open_control();
}

static void close_both_families(void)
{
    close_control();
    with_ipv6 = false;
}

static int kind_at(const char *text)
{
    const struct addr address = addr(text);
    const struct entry *e = table_get(control.table, &address);
    return e != NULL ? (int)e->kind : -1;
}

static void hear_at(const char *text)
{
    const struct addr address = addr(text);
    const struct mac mac = {{2, 0, 0, 0, 6, 1}};
    neighbor_heard(control.neighbors, 0, &address, &mac, true, control.now.mono_ns);
}

START_TEST(an_ipv6_host_heard_on_the_link_is_sent_to_directly_until_it_is_bound)
{
    hear_at("2001:db8:1::50");
    hear_at("fe80::50");
    ck_assert_int_eq(kind_at("2001:db8:1::50"), ENTRY_ON_LINK);
    ck_assert_int_eq(kind_at("fe80::50"), -1); /* of no home network */
    const struct forwarding f = {
        .home = addr("2001:db8:1::50"),
        .source = addr("2001:db8:1::2"),
        .n_care_of = 1,
        .care_of = {{.address = addr("2001:db8:2::50"),
                     .encapsulation = ENCAPSULATION_IPV6_IN_IPV6,
                     .reverse = true}},
    };
    forwarding_install(&control, &f);
    ck_assert_int_eq(kind_at("2001:db8:1::50"), ENTRY_TUNNEL);
    ck_assert_uint_eq(references_to("2001:db8:1::1"), 2); /* with the exit by the default route */
    forwarding_remove(&control, &f.home);
    ck_assert_int_eq(kind_at("2001:db8:1::50"), -1);
    ck_assert_uint_eq(references_to("2001:db8:1::1"), 1);
}
END_TEST

/* The next hop is the tunnel's, of the family outside. */
static const struct {
    const char *home, *source, *care_of, *next_hop;
    enum encapsulation encapsulation;
    unsigned mtu;
} tunnels[] = {
    {"2001:db8:1::50", "2001:db8:1::2", "2001:db8:2::50", "2001:db8:1::1", ENCAPSULATION_IPV6_IN_IPV6, 1460},
    {"10.1.0.50", "2001:db8:1::2", "2001:db8:2::50", "2001:db8:1::1", ENCAPSULATION_IPV4_IN_IPV6, 1460},
    {"2001:db8:1::50", "10.1.0.2", "10.2.0.50", "10.1.0.1", ENCAPSULATION_IPV6_IN_IPV4, 1480},
    {"10.1.0.50", "10.1.0.2", "10.2.0.50", "10.1.0.1", ENCAPSULATION_GRE, 1476},
};

START_TEST(tunnels_of_either_family_inside_and_outside)
{
    const struct forwarding f = {
        .home = addr(tunnels[_i].home),
        .source = addr(tunnels[_i].source),
        .n_care_of = 1,
        .care_of = {{.address = addr(tunnels[_i].care_of), .encapsulation = tunnels[_i].encapsulation}},
    };
    const uint32_t before = references_to(tunnels[_i].next_hop);
    forwarding_install(&control, &f);
    const struct entry *e = table_get(control.table, &f.home);
    ck_assert_ptr_nonnull(e);
    ck_assert_int_eq(e->kind, ENTRY_TUNNEL);
    ck_assert_int_eq(e->encapsulation, tunnels[_i].encapsulation);
    ck_assert_uint_eq(e->mtu, tunnels[_i].mtu);
    ck_assert_uint_eq(e->flags & ENTRY_HOME_TESTS, 0);
    ck_assert_uint_eq(references_to(tunnels[_i].next_hop), before + 1);
    struct forwarding tested = f;
    tested.home_tests = true;
    forwarding_install(&control, &tested);
    ck_assert_uint_ne(table_get(control.table, &f.home)->flags & ENTRY_HOME_TESTS, 0);
    forwarding_remove(&control, &f.home);
    ck_assert_uint_eq(references_to(tunnels[_i].next_hop), before);
}
END_TEST

START_TEST(ipv6_addresses_of_our_own)
{
    char link_local[ADDR_TEXT_MAX];
    addr_format(&control.ports.port[0].link_local, link_local);
    static const char anycast[] = "2001:db8:1:0:fdff:ffff:ffff:fffe";
    const struct addr home_agents = addr(anycast);
    ck_assert_int_eq(strncmp(link_local, "fe80::", 6), 0);
    ck_assert_int_eq(kind_at("2001:db8:1::2"), ENTRY_LOCAL);
    ck_assert_int_eq(kind_at(link_local), ENTRY_LOCAL);
    ck_assert_int_eq(kind_at(anycast), ENTRY_LOCAL);
    ck_assert_int_eq(kind_at("2001:db8:1::"), -1);
    ck_assert(forwarding_is_anycast(&control, 0, &home_agents));
    with_ipv6 = false;
    reload(configuration("10.1.0.0/16", ""));
    ck_assert_int_eq(kind_at("2001:db8:1::2"), -1);
    ck_assert_int_eq(kind_at(link_local), -1);
    ck_assert_int_eq(kind_at(anycast), -1);
    ck_assert(!forwarding_is_anycast(&control, 0, &home_agents));
}
END_TEST

static bool workers_know(const struct addr *own)
{
    const struct worker_settings *s = control.worker_settings;
    for (unsigned i = 0; i < s->own.n; i++)
        if (addr_equal(&s->own.at[i], own))
            return true;
    return false;
}

static const struct {
    const char *address, *mask;
} networks[] = {
    {"10.1.0.0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:0"},
    {"2001:db8:1::", "ffff:ffff:ffff:ffff::"},
};

START_TEST(workers_are_told_of_both_families)
{
    const struct worker_settings *s = control.worker_settings;
    const struct addr own = addr("2001:db8:1::2");
    ck_assert(workers_know(&own));
    ck_assert(workers_know(&control.ports.port[0].link_local));
    ck_assert_uint_eq(s->n_home_networks, 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct addr address = addr(networks[i].address), mask = addr(networks[i].mask);
        ck_assert_msg(addr_equal(&s->home_networks[i].address, &address), "%u", i);
        ck_assert_msg(addr_equal(&s->home_networks[i].mask, &mask), "%u", i);
    }
    /* Every IPv6 binding has a reverse tunnel, whatever IPv4's are granted. */
    struct neighbor_view view;
    const struct addr router = addr("2001:db8:1::1");
    ck_assert(neighbor_by_adjacency(control.neighbors, exit_to("2001:db8:9::1"), control.now.mono_ns, &view));
    ck_assert(addr_equal(&view.address, &router));
    ck_assert_uint_eq(exit_to("2001:db8:1::77"), ADJACENCY_NONE);
    ck_assert(s->reverse_ipv6_alone);
    reverse_tunnel = "optional";
    reload(configuration("10.1.0.0/16", ""));
    reverse_tunnel = "off";
    ck_assert(!control.worker_settings->reverse_ipv6_alone);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("forwarding");
    TCase *c = tcase_create("forwarding");
    tcase_add_checked_fixture(c, open_control, close_control);
    tcase_add_test(c, a_host_heard_on_the_link_is_sent_to_directly_until_it_is_bound);
    tcase_add_test(c, stations_on_the_link_leave_bindings_their_room);
    tcase_add_test(c, neighbours_that_go_while_a_worker_stands_still_leave_no_entry_behind);
    tcase_add_test(c, a_refresh_waits_for_the_workers);
    tcase_add_test(c, an_address_given_to_the_appliance_gives_back_the_tunnels_next_hop);
    tcase_add_test(c, several_care_of_addresses);
    tcase_add_test(c, reverse_tunnels_of_several_care_of_addresses);
    tcase_add_test(c, no_room_for_several_care_of_addresses);
    tcase_add_test(c, a_reload_takes_out_what_was_on_a_former_home_network);
    tcase_add_test(c, a_reload_with_the_first_secondary_divides_identifications);
    tcase_add_test(c, a_reload_brings_and_takes_own_addresses);
    tcase_add_test(c, a_reload_brings_and_takes_reverse_tunnels);
    suite_add_tcase(s, c);
    c = tcase_create("ipv6");
    tcase_add_checked_fixture(c, open_both_families, close_both_families);
    tcase_add_test(c, an_ipv6_host_heard_on_the_link_is_sent_to_directly_until_it_is_bound);
    tcase_add_loop_test(c, tunnels_of_either_family_inside_and_outside, 0, ROWS(tunnels));
    tcase_add_test(c, ipv6_addresses_of_our_own);
    tcase_add_test(c, workers_are_told_of_both_families);
    suite_add_tcase(s, c);
    return s;
}

int main(int argc, char **argv)
{
    (void)argc;
    return control_main(argv[0], "forwarding", suite);
}
