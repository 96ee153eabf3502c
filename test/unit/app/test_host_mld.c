/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The appliance as a listener, without an EAL: what host_mld.c calls of the rest of control is played here,
 * and what it sends is caught as frames. Sections without a number of their RFC are RFC 3810's.
 */
#include "host_mld.h"

#include "../check_main.h"
#include "caught_frames.h"
#include "control.h"
#include "timerq.h"

#define SECONDS(n) ((uint64_t)(n)*NSEC_PER_S)

enum { ETHERNET = 14, MESSAGE_AT = ETHERNET + MLD_HEADERS };

/* ---- What the rest of control does ---- */

static unsigned told_anew;

bool host_nd_is_usable(const struct control *c, unsigned port_index, const struct addr *own)
{
    return own_address_is_usable(&c->nd.port[port_index].own, own);
}

void agent_listen_again(struct agent *agent)
{
    (void)agent;
    told_anew++;
}

/* ---- An appliance: port 0 is the home link 2001:db8:1::/64, port 1 2001:db8:2::/64 ---- */

static struct conf conf;
static struct control control;

static struct addr parsed(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

static void set_port(unsigned i, const char *address)
{
    struct port *port = &control.ports.port[i];
    *port = (struct port){.mac = {{2, 0, 0, 0, 0, (uint8_t)(i + 1)}}, .mtu = 1500, .link_up = true};
    port->link_local = addr_link_local_from_mac(&port->mac);
    ck_assert(prefix_parse(address, &port->addresses[port->n_addresses++]));
    own_addresses_set(&control.nd.port[i].own, &port->link_local, port->addresses, port->n_addresses);
}

static void set_states(unsigned i, enum own_address_state state)
{
    struct own_addresses *own = &control.nd.port[i].own;
    for (size_t k = 0; k < own->n; k++)
        own->address[k].state = state;
    host_mld_own(&control, i);
}

static void forget(void)
{
    n_frames = 0;
}

static void work_at(uint64_t now_ns)
{
    control.now.mono_ns = now_ns;
    while (host_mld_work(&control))
        ;
}

static void work_until(uint64_t end_ns)
{
    for (uint64_t next; (next = host_mld_deadline(&control)) <= end_ns;)
        work_at(next > control.now.mono_ns ? next : control.now.mono_ns + 1);
    control.now.mono_ns = end_ns;
}

/* Its addresses are its own, and all of it is told. */
static void setup(void)
{
    conf = (struct conf){.n_ports = 2};
    control = (struct control){.conf = &conf, .ports.n = 2, .now.mono_ns = SECONDS(100)};
    no_buffer = false;
    host_mld_start(&control, 42);
    set_port(0, "2001:db8:1::2/64");
    set_port(1, "2001:db8:2::2/64");
    host_mld_readdressed(&control);
    set_states(0, OWN_ADDRESS_USABLE);
    set_states(1, OWN_ADDRESS_USABLE);
    work_until(SECONDS(200));
    forget();
    told_anew = 0;
}

static void teardown(void)
{
    for (unsigned i = 0; i < control.ports.n; i++)
        control.ports.port[i].link_up = false;
    host_mld_stop(&control);
}

static void hear(uint8_t version, uint32_t delay_ms, uint8_t robustness)
{
    const struct mld query = {.type = MLD_QUERY,
                              .version = version,
                              .delay_ms = delay_ms,
                              .robustness = robustness,
                              .interval_s = version == 2 ? 20 : 0};
    host_mld_heard(&control, 0, &query);
}

static void listen_for(const char *home, bool on)
{
    host_mld_listen(&control, &(struct listening){.home = parsed(home), .on = on});
}

static unsigned sent(unsigned port_index, enum mld_type type)
{
    unsigned n = 0;
    for (size_t i = 0; i < n_frames; i++)
        n += frames[i].port_index == port_index && frames[i].bytes[MESSAGE_AT] == type;
    return n;
}

/* ---- ---- */

/* A port's prefix is another one now: home addresses are given to ports anew. The link, and who asks there,
 * is the same (sections 8.2.1, 9.1, 9.12). */
static void readdress(void)
{
    ck_assert(prefix_parse("2001:db8:3::2/64", &control.ports.port[1].addresses[0]));
    host_mld_readdressed(&control);
    ck_assert_uint_eq(told_anew, 1);
}

START_TEST(a_reload_leaves_version_1_in_force)
{
    hear(1, 1000, 0);
    work_until(SECONDS(210));
    forget();
    readdress();
    work_until(SECONDS(230));
    ck_assert_uint_gt(sent(0, MLD_REPORT_V1), 0);
    ck_assert_uint_eq(sent(0, MLD_REPORT), 0);
    ck_assert_uint_gt(sent(1, MLD_REPORT), 0);
    work_until(SECONDS(200 + 2 * 125 + 1)); /* and no longer than it would have been */
    forget();
    listen_for("2001:db8:1::50", true);
    work_until(SECONDS(500));
    ck_assert_uint_eq(sent(0, MLD_REPORT_V1), 0);
    ck_assert_uint_eq(sent(0, MLD_REPORT), LISTENER_ROBUSTNESS);
}
END_TEST

START_TEST(a_reload_leaves_what_the_querier_told)
{
    hear(2, 1000, 5);
    work_until(SECONDS(210));
    readdress();
    work_until(SECONDS(220));
    forget();
    listen_for("2001:db8:1::50", true);
    work_until(SECONDS(230));
    ck_assert_uint_eq(sent(0, MLD_REPORT), 5);
    hear(1, 0, 0); /* for five times the 20 s between its queries */
    work_until(SECONDS(230) + SECONDS(5 * 20) - 1);
    forget();
    listen_for("2001:db8:1::51", true);
    work_at(control.now.mono_ns);
    ck_assert_uint_eq(sent(0, MLD_REPORT_V1), 1);
    control.now.mono_ns += 1;
    listen_for("2001:db8:1::52", true);
    work_at(control.now.mono_ns);
    ck_assert_uint_eq(sent(0, MLD_REPORT), 1);
}
END_TEST

/* No reload gives more messages than the pace does. */
START_TEST(a_reload_leaves_the_pace)
{
    struct listener *l = &control.mld.port[0].listener;
    while (limit_take(&l->pace, control.now.mono_ns))
        ;
    readdress();
    work_at(control.now.mono_ns);
    ck_assert_uint_eq(sent(0, MLD_REPORT), 0);
    work_until(SECONDS(210));
    ck_assert_uint_gt(sent(0, MLD_REPORT), 0);
}
END_TEST

/* ---- A link that comes up ---- */

/* RFC 4862 section 5.4.2: the first message that the link hears of us comes at random, so that not all who
 * share it speak at once. */
START_TEST(what_waited_keeps_the_delay_of_a_link_that_comes_up)
{
    struct own_addresses *own = &control.nd.port[0].own;
    control.ports.port[0].link_up = false;
    listen_for("2001:db8:1::50", true);
    work_until(SECONDS(210));
    ck_assert_uint_eq(n_frames, 0);
    control.ports.port[0].link_up = true;
    own_addresses_begin(own, SECONDS(210) + 300 * NSEC_PER_MS);
    ck_assert_uint_eq(host_mld_deadline(&control), TIMER_NEVER);
    work_at(SECONDS(210) + 299 * NSEC_PER_MS);
    ck_assert_uint_eq(n_frames, 0);
    struct addr asked;
    control.now.mono_ns = SECONDS(210) + 300 * NSEC_PER_MS;
    ck_assert_int_eq(own_addresses_step(own, control.now.mono_ns, &asked), OWN_ADDRESS_ASK);
    host_mld_tell_all(&control, 0);
    host_mld_tell(&control, 0, &asked);
    ck_assert_uint_gt(sent(0, MLD_REPORT), 0);
}
END_TEST

/* What is asked for on the agent's behalf is told all the same, before it is asked for. */
START_TEST(an_address_that_is_asked_for_does_not_wait)
{
    own_addresses_begin(&control.nd.port[0].own, SECONDS(201));
    listen_for("2001:db8:1::50", true);
    const struct addr home = parsed("2001:db8:1::50");
    host_mld_tell(&control, 0, &home);
    ck_assert_uint_eq(sent(0, MLD_REPORT), 1);
}
END_TEST

/* ---- Counters ---- */

START_TEST(sent_is_what_found_a_buffer)
{
    no_buffer = true;
    const uint64_t before = control.counters[CONTROL_MLD_SENT];
    listen_for("2001:db8:1::50", true);
    work_at(SECONDS(200));
    ck_assert_uint_eq(control.counters[CONTROL_MLD_SENT], before);
    no_buffer = false;
    work_until(SECONDS(210));
    ck_assert_uint_eq(control.counters[CONTROL_MLD_SENT], before + 1); /* its repeat */
    ck_assert_uint_eq(n_frames, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("host_mld");
    TCase *tc = tcase_create("host_mld");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_reload_leaves_version_1_in_force);
    tcase_add_test(tc, a_reload_leaves_what_the_querier_told);
    tcase_add_test(tc, a_reload_leaves_the_pace);
    tcase_add_test(tc, what_waited_keeps_the_delay_of_a_link_that_comes_up);
    tcase_add_test(tc, an_address_that_is_asked_for_does_not_wait);
    tcase_add_test(tc, sent_is_what_found_a_buffer);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
