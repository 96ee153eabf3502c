/* SPDX-License-Identifier: BSD-3-Clause */
/* Mobility Headers and Home Address options that are answered by an error: RFC 6275
 * sections 9.2, 9.3.1, 9.3.3. */
#include "update_check.h"

/* The whole datagram, extension headers and all. */
static size_t wrap(const struct sent *s, uint8_t *whole, struct agent_datagram *d)
{
    struct writer w = writer_over(whole, UPDATE_ROOM);
    const struct ip_header h = {.source = s->ask.source,
                                .destination = s->ask.destination,
                                .ttl = 64,
                                .protocol = IPPROTO_NUM_MOBILITY,
                                .total_len = (uint16_t)(IPV6_HEADER + 24 + s->len),
                                .home = s->ask.home,
                                .routed_home = addr_unspecified};
    ip_encode(&w, &h);
    const size_t at = writer_len(&w);
    write_bytes(&w, s->bytes, s->len);
    *d = lab6_datagram(&s->ask, whole + at, s->len);
    d->whole = whole;
    d->whole_len = writer_len(&w);
    return at;
}

START_TEST(parameter_problem)
{
    struct sent s = {.ask = lab6_ask(&lab, 0)};
    uint8_t whole[UPDATE_ROOM];
    struct agent_datagram d;
    if (_i == 0)
        payload_protocol(&s);
    else
        header_length(&s);
    const size_t at = wrap(&s, whole, &d);
    ck_assert_uint_eq(at, IPV6_HEADER + 24);
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
    in_order("Y");
    const struct relay *r = &lab_first(&lab, EFFECT_RELAY)->relay;
    ck_assert_uint_eq(r->what, ICMP_ERROR_PARAMETER);
    ck_assert_uint_eq(r->value, at + (size_t)_i);
    ck_assert_uint_eq(r->len, d.whole_len);
    ck_assert_mem_eq(r->datagram, whole, r->len);
}
END_TEST

static void check_binding_error(const struct ask6 *ask, uint8_t status, const char *home)
{
    const struct addr expected = ip(home);
    in_order("S");
    const struct message *m = &lab_first(&lab, EFFECT_SEND)->send;
    enum mip6_type type;
    uint8_t found;
    struct addr found_home;
    ck_assert(addr_equal(&m->source, &ask->destination));
    ck_assert(addr_equal(&m->destination, &ask->source));
    ck_assert(addr_equal(&m->home, &addr_unspecified));
    ck_assert_uint_eq(m->protocol, IPPROTO_NUM_MOBILITY);
    ck_assert_uint_eq(m->len, 24);
    ck_assert_int_eq(mip6_check(m->bytes, m->len, &m->source, &m->destination, &type), MIP6_DECODED);
    ck_assert_uint_eq(type, MIP6_ERROR);
    ck_assert(mip6_error_decode(m->bytes, m->len, &found, &found_home));
    ck_assert_uint_eq(found, status);
    ck_assert(addr_equal(&found_home, &expected));
}

static void send_only(const struct sent *s)
{
    const struct agent_datagram d = lab6_datagram(&s->ask, s->bytes, s->len);
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
}

START_TEST(unknown_type)
{
    struct sent s = {.ask = lab6_ask(&lab, 0)};
    set_byte(&s, 2, 100);
    send_only(&s);
    check_binding_error(&s.ask, 2, "2001:db8:1::100");
    s.ask.by_option = false;
    s.ask.home = s.ask.source;
    set_byte(&s, 2, 100);
    send_only(&s);
    check_binding_error(&s.ask, 2, "::");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDING_ERRORS), 2);
}
END_TEST

START_TEST(unknown_type_from_nobody)
{
    struct sent s = {.ask = lab6_ask(&lab, 0)};
    s.ask.source = ip(_i == 0 ? "::" : "ff02::9");
    set_byte(&s, 2, 100);
    send_only(&s);
    in_order("");
}
END_TEST

START_TEST(errors_are_limited)
{
    struct sent s = {.ask = lab6_ask(&lab, 0)};
    set_byte(&s, 2, 100);
    for (int i = 0; i < 500; i++)
        send_only(&s);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDING_ERRORS), 100);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_ERROR_RATE), 400);
    set_byte(&s, 0, 0);
    uint8_t whole[UPDATE_ROOM];
    struct agent_datagram d;
    wrap(&s, whole, &d);
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
    in_order("");
}
END_TEST

/* A Home Address option in front of anything else needs a binding to the source of the packet. */
START_TEST(home_option_without_binding)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    struct agent_datagram d = lab6_datagram(&ask, (const uint8_t *)"12345678", 8);
    d.protocol = IPPROTO_NUM_UDP;
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
    check_binding_error(&ask, 1, "2001:db8:1::100");
    lab_forget(&lab);
    ck_assert(!agent_home_option(lab.agent, &d, lab.now));
    lab_drain(&lab);
    check_binding_error(&ask, 1, "2001:db8:1::100");
    bind_node6(0);
    lab_forget(&lab);
    ck_assert(agent_home_option(lab.agent, &d, lab.now));
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
    in_order("");
    d.source = ip("2001:db8:c::42");
    ck_assert(!agent_home_option(lab.agent, &d, lab.now));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("errors about Mobility Headers");
    TCase *t = lab6_case(suite, "errors");
    tcase_add_loop_test(t, parameter_problem, 0, 2);
    tcase_add_test(t, unknown_type);
    tcase_add_loop_test(t, unknown_type_from_nobody, 0, 2);
    tcase_add_test(t, errors_are_limited);
    tcase_add_test(t, home_option_without_binding);
    return check_main(suite);
}
