/* SPDX-License-Identifier: BSD-3-Clause */
/* Out of memory at every place in turn: each allocation of an operation is refused once. */
#include "lab_check.h"
#include "short_memory.h"

#include <errno.h>

/* The request with its nth allocation refused. */
static struct answer send_short(const struct ask *ask, int nth)
{
    refuse(nth);
    const struct answer a = lab_send(&lab, ask);
    ck_assert(end_refusal() || mip4_code_is_success(a.reply.code));
    return a;
}

static bool was_refused(const struct answer *a)
{
    if (!a->sent) /* no room for an answer */
        return true;
    if (mip4_code_is_success(a->reply.code))
        return false;
    ck_assert_uint_eq(a->reply.code, MIP4_NO_RESOURCES);
    in_order("S");
    return true;
}

START_TEST(first_binding)
{
    const struct addr home = lab_home(0);
    struct ask ask = lab_ask(&lab, 0);
    const struct answer a = send_short(&ask, _i);
    if (was_refused(&a)) {
        ck_assert(!agent_intercepts(lab.agent, &home));
        ck_assert_uint_eq(lab_counter(&lab, AGENT_NO_MEMORY), 1);
        granted(&ask); /* nothing was used up */
    }
    ck_assert(agent_intercepts(lab.agent, &home));
    in_order("I A S");
    lab_wait(&lab, 2 * LAB_LIFETIME * NSEC_PER_S);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

START_TEST(one_more_care_of_address)
{
    lab.settings.max_care_of = 3;
    reconfigure();
    for (uint32_t i = 0; i < 2; i++) {
        struct ask ask = lab_ask(&lab, 0);
        ask.q.flags |= MIP4_SIMULTANEOUS;
        ask.q.care_of = addr_from_ipv4(0xc0000264u + i);
        granted(&ask);
    }
    /* Through the other home agent, so that the first two have to move as well. */
    struct ask ask = lab_ask(&lab, 0);
    ask.q.flags |= MIP4_SIMULTANEOUS;
    ask.q.home_agent = ip("10.2.0.1");
    const struct answer a = send_short(&ask, _i);
    struct binding_view v;
    ck_assert(agent_binding(lab.agent, &ask.q.home, lab.now, &v));
    ck_assert_uint_eq(v.n_care_of, was_refused(&a) ? 2 : 3);
    const struct addr ours = ip(was_refused(&a) ? "10.1.0.1" : "10.2.0.1");
    ck_assert(addr_equal(&v.home_agent, &ours));
}
END_TEST

START_TEST(create)
{
    static const uint8_t seed[AGENT_SEED] = {1};
    refuse(_i);
    struct agent *agent = agent_create(&lab.settings, seed, lab.now);
    ck_assert(end_refusal() == (agent == NULL));
    agent_destroy(agent);
}
END_TEST

START_TEST(configure)
{
    lab.settings.max_bindings = 100000;
    lab.settings.max_lifetime_s = 10;
    refuse(_i);
    const int error = agent_configure(lab.agent, &lab.settings);
    ck_assert_int_eq(error, end_refusal() ? -ENOMEM : 0);
    struct ask ask = lab_ask(&lab, 0);
    ck_assert_uint_eq(granted(&ask).reply.lifetime_s, error == 0 ? 10 : LAB_LIFETIME);
}
END_TEST

START_TEST(mobile_set)
{
    const struct association sa = lab_association(0);
    for (size_t i = LAB_MOBILES; i < 200; i++) {
        const struct addr home = lab_home(i);
        char nai[] = "000@example.net";
        nai[0] = (char)('a' + i / 26);
        nai[1] = (char)('a' + i % 26);
        refuse(_i);
        const int error = agent_mobile_set(lab.agent, &home, &sa, nai);
        const bool refused_once = end_refusal();
        ck_assert(error == 0 || (error == -ENOMEM && refused_once));
        ck_assert_int_eq(agent_mobile_set(lab.agent, &home, &sa, nai), 0);
        ck_assert_uint_eq(agent_mobiles(lab.agent), i + 1);
    }
}
END_TEST

START_TEST(foreign_set)
{
    const struct association sa = lab_association(0);
    const struct addr a = ip("198.51.100.77");
    refuse(_i);
    const int error = agent_foreign_set(lab.agent, &a, &sa);
    ck_assert_int_eq(error, end_refusal() ? -ENOMEM : 0);
    ck_assert_int_eq(agent_foreign_set(lab.agent, &a, &sa), 0);
}
END_TEST

START_TEST(tunnel_error)
{
    bind_node(0);
    uint8_t quote[IPV4_HEADER + 8] = {0};
    struct writer w = writer_over(quote, sizeof(quote));
    const struct ip_header outer = {.protocol = IPPROTO_NUM_IPIP,
                                    .total_len = 1500,
                                    .source = ip("10.1.0.1"),
                                    .destination = ip("192.0.2.0")};
    ip_encode(&w, &outer);
    const struct icmp icmp = {.type = 3, .code = 1, .data = quote, .data_len = sizeof(quote)};
    const struct ip_header header = {.source = ip("192.0.2.254")};
    refuse(_i);
    agent_tunnel_error(lab.agent, &header, &icmp, lab.now);
    end_refusal();
    agent_tunnel_error(lab.agent, &header, &icmp, lab.now);
    lab_forget(&lab);
    lab_drain(&lab);
    in_order("I");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *all = lab_case(suite, "out of memory");
    tcase_add_short_test(all, first_binding, 12);
    tcase_add_short_test(all, one_more_care_of_address, 12);
    tcase_add_short_test(all, create, 12);
    tcase_add_short_test(all, configure, 12);
    tcase_add_short_test(all, mobile_set, 12);
    tcase_add_short_test(all, foreign_set, 12);
    tcase_add_short_test(all, tunnel_error, 12);
    return check_main(suite);
}
