/* SPDX-License-Identifier: BSD-3-Clause */
/* What is refused, and answered: RFC 6275 sections 9.5.1 and 10.3.1. */
#include "update_check.h"

static void forged(struct ask6 *ask)
{
    ask->wrong = true;
}

static void signed_for_another_care_of(struct ask6 *ask)
{
    static struct addr other;
    other = ip("2001:db8:c::bad");
    ask->signed_care_of = &other;
}

static void late(struct ask6 *ask)
{
    ask->m.options.timestamp = lab.now.ntp - ntp_from_seconds(8);
}

static void early(struct ask6 *ask)
{
    ask->m.options.timestamp = lab.now.ntp + ntp_from_seconds(8);
}

static void care_of_is_home(struct ask6 *ask)
{
    ask->m.options.has_alternate_care_of = true;
    ask->m.options.alternate_care_of = ask->home;
}

static void care_of_in_other_home_network(struct ask6 *ask)
{
    care_of(ask, "2001:db8:2::777");
}

static void without_home_address_option(struct ask6 *ask)
{
    ask->source = ask->home;
    ask->by_option = false;
    care_of(ask, "2001:db8:c::9");
}

static void at_home_without_option(struct ask6 *ask)
{
    ask->source = ask->home;
    ask->by_option = false;
}

static void no_resources(struct ask6 *ask)
{
    (void)ask;
    lab.settings.max_bindings = 1;
    reconfigure();
    bind_node6(1);
}

static const struct {
    const char *what;
    void (*change)(struct ask6 *);
    uint8_t status;
    bool bound_too; /* also where there is a binding */
} refusals[] = {
    {"forged", forged, MIP6_AUTH_FAILED, true},
    {"signed for another care-of address", signed_for_another_care_of, MIP6_AUTH_FAILED, true},
    {"no timestamp", no_timestamp, MIP6_TIMESTAMP_REQUIRED, true},
    {"late", late, MIP6_TIMESTAMP_MISMATCH, true},
    {"early", early, MIP6_TIMESTAMP_MISMATCH, true},
    {"care-of address is home", care_of_is_home, MIP6_INVALID_CARE_OF, true},
    {"care-of address in its home network", care_of_in_home_network, MIP6_INVALID_CARE_OF, true},
    {"care-of address in another home network", care_of_in_other_home_network, MIP6_INVALID_CARE_OF, true},
    {"no Home Address option", without_home_address_option, MIP6_PROHIBITED, true},
    {"no Home Address option, at home", at_home_without_option, MIP6_PROHIBITED, true},
    {"mobile router", mobile_router, MIP6_NO_MOBILE_ROUTERS, true},
    {"no resources", no_resources, MIP6_NO_RESOURCES, false},
};

START_TEST(refusal)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    refusals[_i].change(&ask);
    const struct answer6 a = refused(&ask, refusals[_i].status);
    ck_assert_uint_eq(a.ack.sequence, ask.m.sequence);
    ck_assert(!a.ack.key_management);
    ck_assert_uint_eq(acks(refusals[_i].status), 1);
    wait_for_detection();
    struct binding_view v;
    ck_assert(!is_bound(0, &v));
}
END_TEST

/* N5: a home registration stays until it expires. */
START_TEST(refusal_leaves_the_binding)
{
    struct binding_view before, after;
    if (!refusals[_i].bound_too)
        return;
    bind_node6(0);
    ck_assert(is_bound(0, &before));
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.source = ip("2001:db8:c::42");
    refusals[_i].change(&ask);
    refused(&ask, refusals[_i].status);
    ck_assert(is_bound(0, &after));
    ck_assert(addr_equal(&before.care_of[0].address, &after.care_of[0].address));
    const struct addr home = lab6_home(0);
    ck_assert(agent_intercepts(lab.agent, &home));
}
END_TEST

/* A home address that is configured, but cannot be served. */
static const struct {
    const char *home;
    uint8_t status;
} homes[] = {
    {"2001:db8:3::1", MIP6_NOT_HOME_SUBNET},               /* of no home network */
    {"2001:db8:1::2", MIP6_PROHIBITED},                    /* ours */
    {"2001:db8:1::fe", MIP6_PROHIBITED},                   /* a router's */
    {"2001:db8:1::", MIP6_PROHIBITED},                     /* all routers' (RFC 4291 section 2.6.1) */
    {"2001:db8:1:0:fdff:ffff:ffff:fffe", MIP6_PROHIBITED}, /* all home agents' (RFC 2526) */
};

START_TEST(home_that_cannot_be_served)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.home = ip(homes[_i].home);
    ask.sa.spi = 3000;
    ck_assert_int_eq(agent_mobile_set(lab.agent, &ask.home, &ask.sa, NULL), 0);
    refused(&ask, homes[_i].status);
}
END_TEST

/* What care_of_leads_back says of our own addresses elsewhere. */
START_TEST(care_of_is_ours)
{
    static struct addr own[1];
    own[0] = ip("2001:db8:f::1");
    lab.settings.reserved = own;
    lab.settings.n_reserved = lab.settings.n_own = 1;
    lab.settings.home_agents[3] = ip("2001:db8:f::2"); /* in no home network */
    reconfigure();
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.source = own[0];
    refused(&ask, MIP6_INVALID_CARE_OF);
    ask = lab6_ask(&lab, 0);
    ask.source = lab.settings.home_agents[3];
    refused(&ask, MIP6_INVALID_CARE_OF);
}
END_TEST

/* The identifier says who it is where the home address does not: refused, but with a signature. */
START_TEST(home_of_nobody_with_a_name)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.home = ip("2001:db8:1::999");
    ask.nai = "six-0@example.net";
    refused(&ask, MIP6_PROHIBITED);
    bind_node6(0);
    ask = lab6_ask(&lab, 0);
    ask.home = ip("2001:db8:1::999");
    ask.nai = "six-0@example.net";
    ask.m.lifetime = 0;
    refused(&ask, MIP6_NOT_HOME_AGENT);
    struct binding_view v;
    ck_assert(is_bound(0, &v));
}
END_TEST

/* RFC 4285 section 5.2: both are there, and only one of them can be verified here. */
START_TEST(signed_by_aaa_too)
{
    struct sent s = {.ask = lab6_ask(&lab, 0)};
    encode(&s);
    /* 4n + 1 behind an option that ends at 8n: one byte, then AAA's, then padding */
    static const uint8_t aaa[] = {
        0, MIP6_OPT_AUTHENTICATION, 17, 2, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 0, 0};
    memcpy(s.bytes + s.len, aaa, sizeof(aaa));
    s.len += sizeof(aaa);
    s.bytes[1] = (uint8_t)(s.len / 8 - 1);
    /* the signature covers the final header length: sign it again */
    const size_t at = s.len - sizeof(aaa) - MIP6_AUTHENTICATOR;
    const struct addr care_of_address = lab6_asked_care_of(&s.ask);
    uint8_t data[32 + UPDATE_ROOM], mac[AUTH_MAX];
    memcpy(data, care_of_address.b, 16);
    memcpy(data + 16, s.ask.home.b, 16);
    memcpy(data + 32, s.bytes, at);
    data[36] = data[37] = 0;
    ck_assert(auth_sign(lab.auth, &s.ask.sa.key, data, 32 + at, mac));
    memcpy(s.bytes + at, mac, MIP6_AUTHENTICATOR);
    checksum(&s);
    const struct answer6 a = lab6_send_bytes(&lab, &s.ask, s.bytes, s.len);
    check_ack(&a, MIP6_AUTH_FAILED, true);
}
END_TEST

START_TEST(denials_are_limited)
{
    enum { MANY = 3000 };
    bind_node6(0);
    for (int i = 0; i < MANY; i++) {
        struct ask6 ask = lab6_ask(&lab, 0);
        ask.wrong = true;
        lab6_send(&lab, &ask);
    }
    ck_assert_uint_eq(acks(MIP6_AUTH_FAILED), 1000);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_DENIAL_RATE), MANY - 1000);
    bind_node6(1);
}
END_TEST

/* Home registrations alone: section 9.5.1. */
START_TEST(without_h)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.m.flags = MIP6_ACKNOWLEDGE;
    ck_assert(!lab6_send(&lab, &ask).sent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_NOT_HOME), 1);
    bind_node6(0);
    ask = lab6_ask(&lab, 0);
    ask.m.flags = MIP6_ACKNOWLEDGE;
    refused(&ask, MIP6_TYPE_CHANGE);
    ask = lab6_ask(&lab, 0);
    ask.m.flags = MIP6_ACKNOWLEDGE;
    ask.m.lifetime = 0;
    refused(&ask, MIP6_TYPE_CHANGE);
    struct binding_view v;
    ck_assert(is_bound(0, &v));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refusals of binding updates");
    TCase *t = lab6_case(suite, "refusals");
    tcase_add_loop_test(t, refusal, 0, ROWS(refusals));
    tcase_add_loop_test(t, refusal_leaves_the_binding, 0, ROWS(refusals));
    tcase_add_loop_test(t, home_that_cannot_be_served, 0, ROWS(homes));
    tcase_add_test(t, care_of_is_ours);
    tcase_add_test(t, home_of_nobody_with_a_name);
    tcase_add_test(t, signed_by_aaa_too);
    tcase_add_test(t, denials_are_limited);
    tcase_add_test(t, without_h);
    return check_main(suite);
}
