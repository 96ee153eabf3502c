/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"
#include "lab6_check.h"
#include "peer/peer.h"

/* ---- Byte for byte ---- */

/* Both sides by a Python script of their own: struct and hmac for the message and its RFC 4285 authenticator,
 * scapy's in6_chksum for the checksum, scapy's MIP6MH_BU and MIP6MH_BA to read them back. */
static const struct {
    const char *what;
    size_t node;
    bool at_home;
    const char *update, *ack;
} golden[] = {
    {"away, by sequence number", 4, false, "3b0305004efa1234c000004b00091101000003ec9243b4425943390f7c9cd6f5",
     "3b030600d0bd00001234004b00091101000003ec8c4b0b2b12a2a0cdec96322b"},
    {"at home, by sequence number", 4, true,
     "3b030500d60a1235c000000000091101000003ec64fe51a081fbe0457a4a127a",
     "3b0306000fd500001235000000091101000003ec29f1b27b26929c94cbd6bf70"},
    {"away, by a timestamp that is wrong", 0, false,
     "3b050500cef40007c000004b0104000000000a080123456789abcdef00091101000003e8760928149493e77b946166d3",
     "3b050600de999000000700000104000000000a08e8fe6fbc89abcdef00091101000003e89b1ff0cf8cfb02c3a11a660e"},
};

START_TEST(bytes)
{
    uint8_t update[64], ack[64];
    const size_t len = hex_bytes(golden[_i].update, update, sizeof(update));
    const size_t ack_len = hex_bytes(golden[_i].ack, ack, sizeof(ack));
    if (golden[_i].at_home)
        bind_node6(golden[_i].node);
    const struct ask6 ask =
        golden[_i].at_home ? lab6_ask_return(&lab, golden[_i].node) : lab6_ask(&lab, golden[_i].node);
    struct answer6 a = lab6_send_bytes(&lab, &ask, update, len);
    if (!a.sent) {
        wait_for_detection();
        a = lab6_answer(&lab, &ask);
    }
    ck_assert(a.sent);
    ck_assert_uint_eq(a.message.len, ack_len);
    ck_assert_mem_eq(a.message.bytes, ack, ack_len);
}
END_TEST

START_TEST(binding_error)
{
    uint8_t expected[24], update[16] = {59, 1, 100, 0};
    hex_bytes("3b0207003122020020010db8000100000000000000000100", expected, sizeof(expected));
    const struct ask6 ask = lab6_ask(&lab, 0);
    const struct agent_datagram d = lab6_datagram(&ask, update, sizeof(update));
    const uint32_t pseudo = ip_pseudo_sum(&ask.home, &ask.destination, IPPROTO_NUM_MOBILITY, sizeof(update));
    const uint16_t sum = inet_finish(inet_sum(pseudo, update, sizeof(update)));
    update[4] = (uint8_t)(sum >> 8);
    update[5] = (uint8_t)sum;
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
    const struct effect *e = lab_first(&lab, EFFECT_SEND);
    ck_assert(e != NULL);
    ck_assert_uint_eq(e->send.len, sizeof(expected));
    ck_assert_mem_eq(e->send.bytes, expected, sizeof(expected));
}
END_TEST

/* ---- Where it goes (RFC 6275 sections 9.5.4 and 10.3.2) ---- */
START_TEST(to_a_node_away)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.destination = ip("2001:db8:2::2"); /* the other one of ours */
    const struct message m = accepted(&ask).message;
    ck_assert(addr_equal(&m.source, &ask.destination));
    ck_assert(addr_equal(&m.destination, &ask.source));
    ck_assert(addr_equal(&m.home, &ask.home));
    ck_assert_uint_eq(m.protocol, IPPROTO_NUM_MOBILITY);
    ck_assert(!m.on_link);
    struct binding_view v;
    ck_assert(is_bound(0, &v));
    ck_assert(addr_equal(&v.home_agent, &ask.destination));
}
END_TEST

/* By the source, not by the binding. */
START_TEST(to_where_the_update_came_from)
{
    bind_node6(0);
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.source = ip("2001:db8:c::42");
    ask.m.flags |= MIP6_MOBILE_ROUTER;
    const struct message m = refused(&ask, MIP6_NO_MOBILE_ROUTERS).message;
    ck_assert(addr_equal(&m.destination, &ask.source));
}
END_TEST

static void check_at_home(const struct message *m, const struct ask6 *end)
{
    ck_assert(addr_equal(&m->destination, &end->home));
    ck_assert(addr_equal(&m->home, &addr_unspecified)); /* no routing header */
    ck_assert(m->on_link);
    ck_assert(mac_equal(&m->mac, &end->mac));
}

/* A refusal while we still attract its packets, and the acceptance. */
START_TEST(to_a_node_at_home)
{
    bind_node6(0);
    struct ask6 end = lab6_ask_return(&lab, 0);
    end.wrong = true;
    struct message m = refused(&end, MIP6_AUTH_FAILED).message;
    check_at_home(&m, &end);
    end = lab6_ask_return(&lab, 0);
    m = accepted(&end).message;
    check_at_home(&m, &end);
}
END_TEST

/* From its home address, but not by its home link: its MAC address has to be asked for. */
START_TEST(to_a_node_that_says_it_is_at_home)
{
    static const struct mac unknown;
    bind_node6(0);
    struct ask6 end = lab6_ask_return(&lab, 0);
    end.elsewhere = true;
    const struct message m = accepted(&end).message;
    ck_assert(m.on_link);
    ck_assert(mac_equal(&m.mac, &unknown));
    ck_assert_uint_eq(lab_count(&lab, EFFECT_ANNOUNCE), 0);
}
END_TEST

/* Through a secondary, which it took for its router: that frame tells nothing of its own MAC address. */
START_TEST(to_a_node_at_home_through_a_secondary)
{
    static const struct mac unknown;
    const struct agent_peer secondary = {.name = "s0",
                                         .address = ip("10.1.0.2"),
                                         .local = ip("10.1.0.1"),
                                         .spi = 300,
                                         .key = {.algorithm = AUTH_HMAC_SHA256, .len = DELEGATION_KEY}};
    bind_node6(0);
    ck_assert_int_eq(agent_peer_set(lab.agent, &secondary), 0);
    lab_drain(&lab);
    lab.agent->peers->id = 2;
    lab.agent->peers->mac = (struct mac){{2, 0, 0, 0, 0, 0x51}};
    struct ask6 end = lab6_ask_return(&lab, 0);
    end.mac = lab.agent->peers->mac;
    const struct message m = accepted(&end).message;
    ck_assert(m.on_link);
    ck_assert(mac_equal(&m.mac, &unknown));
    ck_assert_uint_eq(lab_count(&lab, EFFECT_ANNOUNCE), 0);
}
END_TEST

/* With the option, though it is at home: the routing header is there as well. */
START_TEST(to_a_node_at_home_with_the_option)
{
    bind_node6(0);
    struct ask6 end = lab6_ask_return(&lab, 0);
    end.by_option = true;
    const struct message m = accepted(&end).message;
    ck_assert(addr_equal(&m.home, &end.home));
    ck_assert(m.on_link);
}
END_TEST

/* ---- What is in it (section 10.3.1) ---- */
START_TEST(always_acknowledged)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.m.flags = MIP6_HOME_REGISTRATION;
    ck_assert_uint_eq(accepted(&ask).ack.sequence, ask.m.sequence);
    ask = lab6_ask(&lab, 0);
    ask.m.flags = MIP6_HOME_REGISTRATION;
    ck_assert_uint_eq(accepted(&ask).ack.sequence, ask.m.sequence);
    ask = lab6_ask_return(&lab, 0);
    ask.m.flags = MIP6_HOME_REGISTRATION;
    accepted(&ask);
}
END_TEST

START_TEST(no_key_management)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.m.flags |= MIP6_KEY_MANAGEMENT;
    const struct mip6_ack ack = accepted(&ask).ack;
    ck_assert(!ack.key_management);
    ck_assert(!ack.options.has_refresh_advice);
}
END_TEST

/* RFC 4285: its authentication is the last option, its timestamp there if the update had one. */
START_TEST(options_come_back)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.nai = "six-0@example.net";
    const struct mip6_ack ack = accepted(&ask).ack;
    ck_assert(ack.options.has_timestamp && !ack.options.auth_misplaced);
    ck_assert_uint_eq(ack.options.mobile_aaa.count, 0);
    ask = lab6_ask(&lab, LAB6_SEQUENCES);
    ck_assert(!accepted(&ask).ack.options.has_timestamp);
}
END_TEST

START_TEST(counted_by_status)
{
    bind_node6(0);
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.m.flags |= MIP6_MOBILE_ROUTER;
    refused(&ask, MIP6_NO_MOBILE_ROUTERS);
    ck_assert_uint_eq(acks(MIP6_ACCEPTED), 1);
    ck_assert_uint_eq(acks(MIP6_NO_MOBILE_ROUTERS), 1);
    ck_assert_uint_eq(lab_replies(&lab, MIP6_ACCEPTED), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("binding acknowledgements");
    TCase *t = lab6_case(suite, "bytes");
    tcase_add_loop_test(t, bytes, 0, ROWS(golden));
    tcase_add_test(t, binding_error);
    t = lab6_case(suite, "way");
    tcase_add_test(t, to_a_node_away);
    tcase_add_test(t, to_where_the_update_came_from);
    tcase_add_test(t, to_a_node_at_home);
    tcase_add_test(t, to_a_node_that_says_it_is_at_home);
    tcase_add_test(t, to_a_node_at_home_through_a_secondary);
    tcase_add_test(t, to_a_node_at_home_with_the_option);
    t = lab6_case(suite, "content");
    tcase_add_test(t, always_acknowledged);
    tcase_add_test(t, no_key_management);
    tcase_add_test(t, options_come_back);
    tcase_add_test(t, counted_by_status);
    return check_main(suite);
}
