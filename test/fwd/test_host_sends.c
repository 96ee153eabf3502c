/* SPDX-License-Identifier: BSD-3-Clause */
/* What the appliance as an IPv6 host sends by itself: datagrams, errors about tunnels, answers to a binding
 * update. */
#include "host_bed.h"

#include "transmit.h"

static struct rte_mbuf *own_datagram(const char *to, size_t payload)
{
    static const uint8_t zeros[FRAME_MAX];
    return transmit_message(&control,
                            &(struct ip_header){.source = addr("2001:db8:1::2"),
                                                .destination = addr(to),
                                                .protocol = IPPROTO_NUM_NONE,
                                                .ttl = TRANSMIT_TTL},
                            zeros, payload);
}

/* To a bound home address it goes by the tunnel; larger than that, as fragments, each in a packet of its own
 * (RFC 8200 section 4.5): the source may. */
START_TEST(own_datagrams_too_large_for_the_tunnel_are_fragmented_at_their_source)
{
    enum { ETHERNET = 14, OUTER = 40, INNER = 40, FRAGMENT = 8, PAYLOAD = 1440 };
    static const size_t lens[] = {ETHERNET + OUTER + 1456,
                                  ETHERNET + OUTER + INNER + FRAGMENT + PAYLOAD - 1408};
    transmit_ip(&control, own_datagram("2001:db8:1::50", PAYLOAD));
    for (size_t i = 0; i < RTE_DIM(lens); i++) {
        struct rte_mbuf *m = next_frame();
        ck_assert_ptr_nonnull(m);
        const uint8_t *outer = rte_pktmbuf_mtod_offset(m, const uint8_t *, ETHERNET);
        const uint8_t *fragment = outer + OUTER + INNER;
        ck_assert_uint_eq(rte_pktmbuf_data_len(m), lens[i]);
        ck_assert_uint_eq(outer[6], IPPROTO_NUM_IPV6);
        ck_assert_uint_eq(outer[OUTER + 6], 44);
        ck_assert_uint_eq(fragment[0], IPPROTO_NUM_NONE);
        ck_assert_uint_eq((unsigned)fragment[2] << 8 | fragment[3], i == 0 ? 1 : 1408); /* offset, more */
        ck_assert_uint_eq(fragment[7] & 1, 1); /* an identification of control's */
        rte_pktmbuf_free(m);
    }
    expect_nothing("two are all");
}
END_TEST

START_TEST(own_datagrams_go_whole_where_they_fit)
{
    transmit_ip(&control, own_datagram("2001:db8:9::7", 1460));
    struct rte_mbuf *m = next_frame();
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(rte_pktmbuf_data_len(m), 14 + 1500);
    ck_assert_mem_eq(rte_pktmbuf_mtod(m, const uint8_t *), host_mac, sizeof(host_mac));
    rte_pktmbuf_free(m);
    expect_nothing("one is all");
}
END_TEST

/* Whatever waited here while it became the rule that they go by ESP (RFC 6275 section 10.4.6). */
START_TEST(home_tests_do_not_leave_in_clear)
{
    enum { REFRESH_REQUEST = 0, HOME_TEST = 3, SIZE = 24 };
    const struct ip_header ip = {.source = addr("2001:db8:9::7"),
                                 .destination = addr("2001:db8:1::50"),
                                 .protocol = IPPROTO_NUM_MOBILITY,
                                 .ttl = TRANSMIT_TTL};
    static const uint8_t types[] = {REFRESH_REQUEST, HOME_TEST};
    for (int i = 0; i < 4; i++) {
        const uint8_t message[SIZE] = {59, 2, types[i % 2]};
        const bool leaves = i < 2 || types[i % 2] != HOME_TEST;
        bind_home_with(i >= 2);
        transmit_ip(&control, transmit_message(&control, &ip, message, sizeof(message)));
        struct rte_mbuf *m = next_frame();
        ck_assert_msg((m != NULL) == leaves, "%d", i);
        rte_pktmbuf_free(m);
    }
    ck_assert_uint_eq(control.counters[CONTROL_SEND_UNPROTECTED], 1);
}
END_TEST

/* A link-local destination is on the link of the source; from any other source it is nowhere. */
START_TEST(link_local_destinations_are_on_the_link_of_the_source)
{
    transmit_ip(&control, transmit_message(&control,
                                           &(struct ip_header){.source = control.ports.port[0].link_local,
                                                               .destination = addr("fe80::20"),
                                                               .protocol = IPPROTO_NUM_NONE,
                                                               .ttl = TRANSMIT_TTL},
                                           "", 0));
    struct rte_mbuf *m = next_frame();
    ck_assert_ptr_nonnull(m);
    rte_pktmbuf_free(m);
    const uint64_t before = control.counters[CONTROL_SEND_NO_ROUTE];
    transmit_ip(&control, transmit_message(&control,
                                           &(struct ip_header){.source = addr("2001:db8:7::7"),
                                                               .destination = addr("fe80::20"),
                                                               .protocol = IPPROTO_NUM_NONE,
                                                               .ttl = TRANSMIT_TTL},
                                           "", 0));
    ck_assert_uint_gt(control.counters[CONTROL_SEND_NO_ROUTE], before);
}
END_TEST

/* A ping from the host to 2001:db8:1::51. */
#define TO_SILENT                                                                                      \
    "02484100000102520000002086dd6000000000103a4020010db800010000000000000000002020010db8000100000000" \
    "00000000005180002fb9123400017878787878787878"

/* The same with 1280 bytes, at whose end there is what a later fragment of the tunnel packet begins with: an
 * IPv6 header, forged to be from somebody who sent nothing. */
static void inject_forged(void)
{
    enum { ETHERNET = 14, SIZE = 1280, FIRST = SIZE - 40 - 8 };
    uint8_t frame[FRAME_MAX];
    uint8_t *ip = frame + ETHERNET, *forged = ip + FIRST;
    memset(frame, 'x', sizeof(frame));
    from_hex(TO_SILENT, frame);
    ip[4] = (SIZE - 40) >> 8;
    ip[5] = (SIZE - 40) & 0xff;
    memcpy(forged, ip, 40);
    forged[4] = 0;
    forged[5] = 8;
    forged[6] = IPPROTO_NUM_UDP;
    forged[8 + 15] = 0x21;
    ck_assert_int_eq(rte_ring_enqueue(rx, eal_frame(control.pool, frame, ETHERNET + SIZE)), 0);
}

/* Who sent into a tunnel whose next hop is silent hears of it, once, and nobody else: not we, who put the
 * outer header on, nor whoever stands where a header would in a later fragment. */
START_TEST(the_inner_sender_is_told_of_an_unreachable_tunnel)
{
    const struct forwarding f = {
        .home = addr("2001:db8:1::51"),
        .source = addr("2001:db8:1::2"),
        .n_care_of = 1,
        .care_of = {{.address = addr("2001:db8:1::77"),
                     .encapsulation = ENCAPSULATION_IPV6_IN_IPV6,
                     .path_mtu = _i == 0 ? 0 : 1280}},
    };
    forwarding_install(&control, &f);
    if (_i == 0)
        inject(TO_SILENT);
    else
        inject_forged();
    turns(25, 100 * NSEC_PER_MS); /* the next hop is asked three times, a second apart */
    know("2001:db8:1::20");
    know("2001:db8:1::21");
    turns(35, 100 * NSEC_PER_MS);
    unsigned told = 0, errors = 0;
    for (struct rte_mbuf *m; (m = next_frame()) != NULL; rte_pktmbuf_free(m)) {
        const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
        const bool error = ip[6] == IPPROTO_NUM_ICMPV6 && ip[40] == ICMP6_UNREACHABLE;
        errors += error;
        told += error && ip[41] == ICMP6_ADDRESS_UNREACHABLE &&
                memcmp(ip + 24, addr("2001:db8:1::20").b, 16) == 0 &&
                memcmp(ip + 48 + 24, f.home.b, 16) == 0; /* and the quote is of what it sent */
    }
    ck_assert_uint_eq(told, 1);
    ck_assert_uint_eq(errors, 1);
}
END_TEST

/* IPv6 asks that 1280 bytes be taken whole; where the way takes no more, the packet around them is fragmented
 * (RFC 2473 section 7.1, RFC 4213 section 3.2.1). */
static const struct {
    const char *care_of, *source;
    enum encapsulation encapsulation;
    uint8_t protocol; /* of what leaves, and where it says so */
    size_t at;
    unsigned frames;
} narrow[] = {
    {"2001:db8:2::51", "2001:db8:1::2", ENCAPSULATION_IPV6_IN_IPV6, 44, 6, 2},
    {"10.2.0.51", "10.1.0.2", ENCAPSULATION_IPV6_IN_IPV4, IPPROTO_NUM_IPV6, 9, 2},
};

START_TEST(packets_of_1280_bytes_pass_a_tunnel_that_takes_less)
{
    const struct forwarding f = {
        .home = addr("2001:db8:1::51"),
        .source = addr(narrow[_i].source),
        .n_care_of = 1,
        .care_of = {{.address = addr(narrow[_i].care_of),
                     .encapsulation = narrow[_i].encapsulation,
                     .path_mtu = 1280}},
    };
    unsigned frames = 0;
    forwarding_install(&control, &f);
    transmit_ip(&control, own_datagram("2001:db8:1::51", 1240));
    for (struct rte_mbuf *m; (m = next_frame()) != NULL; rte_pktmbuf_free(m), frames++) {
        const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
        ck_assert_uint_le(rte_pktmbuf_data_len(m), 14 + 1280);
        ck_assert_uint_eq(ip[narrow[_i].at], narrow[_i].protocol);
        ck_assert(ip[0] >> 4 == 6 || (ip[6] & 0x40) == 0); /* nobody need hear of it on the way */
    }
    ck_assert_uint_eq(frames, narrow[_i].frames);
}
END_TEST

/* ---- A binding update ---- */

/* Of the mobile node 2001:db8:1::60 at 2001:db8:2::60, signed as of RFC 4285, sequence 5, for 600 s; its
 * acknowledgement; the solicitation before and the advertisement after it. By the same script, HMAC-SHA1 and
 * the Mobility Header's checksum by Python's hmac and by hand. */
#define UPDATE                                                                                         \
    "02484100000102520000002086dd6000000000383c4020010db800020000000000000000006020010db8000100000000" \
    "000000000002870201020000c91020010db80001000000000000000000603b030500e66f0005c0000096000911010000" \
    "01001cfea634812831171b1f19d8"
#define ACKNOWLEDGEMENT                                                                                \
    "02520000002002484100000186dd6000000000382b4020010db800010000000000000000000220010db8000200000000" \
    "000000000060870202010000000020010db80001000000000000000000603b030600b323000000050096000911010000" \
    "01003713096b89f3ebef0cc6d98e"
#define PROBE                                                                                          \
    "3333ff00006002484100000186dd6000000000183aff00000000000000000000000000000000ff020000000000000000" \
    "0001ff00006087004c2e0000000020010db8000100000000000000000060"
#define INTERCEPTION                                                                                   \
    "33330000000102484100000186dd6000000000203afffe80000000000000004841fffe000001ff020000000000000000" \
    "0000000000018800a6722000000020010db80001000000000000000000600201024841000001"

START_TEST(a_binding_update_is_answered_by_probe_advertisement_and_acknowledgement)
{
    const struct addr mobile = addr("2001:db8:1::60");
    inject(UPDATE);
    turns(SETTLE_TURNS, NSEC_PER_US);
    expect("probe", PROBE);
    expect_nothing("while others may object");
    turns(11, 100 * NSEC_PER_MS);
    expect("interception", INTERCEPTION);
    expect("acknowledgement", ACKNOWLEDGEMENT);
    ck_assert(agent_intercepts(control.agent, &mobile));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("host_sends");
    TCase *c = tcase_create("host_sends");
    tcase_add_checked_fixture(c, open_appliance, close_appliance);
    tcase_add_test(c, own_datagrams_too_large_for_the_tunnel_are_fragmented_at_their_source);
    tcase_add_test(c, own_datagrams_go_whole_where_they_fit);
    tcase_add_test(c, home_tests_do_not_leave_in_clear);
    tcase_add_test(c, link_local_destinations_are_on_the_link_of_the_source);
    tcase_add_loop_test(c, the_inner_sender_is_told_of_an_unreachable_tunnel, 0, 2);
    tcase_add_loop_test(c, packets_of_1280_bytes_pass_a_tunnel_that_takes_less, 0, ROWS(narrow));
    tcase_add_test(c, a_binding_update_is_answered_by_probe_advertisement_and_acknowledgement);
    suite_add_tcase(s, c);
    return s;
}

int main(int argc, char **argv)
{
    (void)argc;
    return control_main(argv[0], "host-sends", suite);
}
