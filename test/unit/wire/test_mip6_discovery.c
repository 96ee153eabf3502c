/* SPDX-License-Identifier: BSD-3-Clause */
#include "mip6_discovery.h"

#include "../check_main.h"

/* Built by scapy 2.5, checksums included; the solicitation with a Home Address option, the advertisement with
 * a type 2 routing header. */
#define REQUEST       "9000 56e2 beef 0000"
#define REPLY         "9100 f845 beef 0000 20010db8000100000000000000000002 20010db8000100000000000000000003"
#define SOLICITATION  "9200 ffc2 1234 0000"
#define PREFIX        "0304 40e0 00015180 ffffffff 00000000 20010db8000100000000000000000002"
#define ADVERTISEMENT "9300 bb80 1234 8000 " PREFIX

enum { MESSAGE_MAX = 2048 };

static struct addr home, care_of, home_agent, anycast;

static struct addr addr_of(const char *text)
{
    struct addr a = {0};
    ck_assert(addr_parse(text, &a));
    return a;
}

static void setup(void)
{
    home = addr_of("2001:db8:1::50");
    care_of = addr_of("2001:db8:2::77");
    home_agent = addr_of("2001:db8:1::2");
    anycast = addr_of("2001:db8:1:0:fdff:ffff:ffff:fffe");
}

static struct mip6_discovery sample(uint8_t type)
{
    struct mip6_discovery d = {.type = type, .identifier = type <= MIP6_HOME_AGENT_REPLY ? 0xbeef : 0x1234};
    if (type == MIP6_HOME_AGENT_REPLY) {
        d.n_addresses = 2;
        d.addresses[0] = home_agent;
        d.addresses[1] = addr_of("2001:db8:1::3");
    }
    if (type == MIP6_PREFIX_ADVERTISEMENT) {
        d.flags = ND_MANAGED;
        d.n_prefixes = 1;
        d.prefixes[0] = (struct nd_prefix){
            .prefix = {.addr = home_agent, .bits = 64},
            .flags = ND_PREFIX_ON_LINK | ND_PREFIX_AUTONOMOUS | ND_PREFIX_ADDRESS,
            .valid_s = 86400,
            .preferred_s = UINT32_MAX,
        };
    }
    return d;
}

static const struct {
    uint8_t type;
    const struct addr *source, *destination;
    const char *hex;
} messages[] = {
    {MIP6_HOME_AGENT_REQUEST, &care_of, &anycast, REQUEST},
    {MIP6_HOME_AGENT_REPLY, &home_agent, &care_of, REPLY},
    {MIP6_PREFIX_SOLICITATION, &home, &home_agent, SOLICITATION},
    {MIP6_PREFIX_ADVERTISEMENT, &home_agent, &home, ADVERTISEMENT},
};

START_TEST(encoded)
{
    uint8_t bytes[MESSAGE_MAX], right[MESSAGE_MAX];
    const size_t len = hex_bytes(messages[_i].hex, right, sizeof(right));
    const struct mip6_discovery d = sample(messages[_i].type);
    struct writer w = writer_over(bytes, sizeof(bytes));
    mip6_discovery_encode(&w, &d, messages[_i].source, messages[_i].destination);
    ck_assert(!w.failed);
    ck_assert_uint_eq(writer_len(&w), len);
    ck_assert_mem_eq(bytes, right, len);
    for (size_t room = 0; room < len; room++) {
        w = writer_over(bytes, room);
        mip6_discovery_encode(&w, &d, messages[_i].source, messages[_i].destination);
        ck_assert(w.failed);
    }
}
END_TEST

static void check_same(const struct mip6_discovery *out, const struct mip6_discovery *right)
{
    ck_assert_uint_eq(out->type, right->type);
    ck_assert_uint_eq(out->identifier, right->identifier);
    ck_assert_uint_eq(out->flags, right->flags);
    ck_assert_uint_eq(out->n_addresses, right->n_addresses);
    for (size_t i = 0; i < right->n_addresses; i++)
        ck_assert(addr_equal(&out->addresses[i], &right->addresses[i]));
    ck_assert_uint_eq(out->n_prefixes, right->n_prefixes);
    for (size_t i = 0; i < right->n_prefixes; i++) {
        const struct nd_prefix *a = &out->prefixes[i], *b = &right->prefixes[i];
        ck_assert(addr_equal(&a->prefix.addr, &b->prefix.addr) && a->prefix.bits == b->prefix.bits);
        ck_assert(a->flags == b->flags && a->valid_s == b->valid_s && a->preferred_s == b->preferred_s);
    }
}

START_TEST(decoded)
{
    uint8_t bytes[MESSAGE_MAX];
    const size_t len = hex_bytes(messages[_i].hex, bytes, sizeof(bytes));
    const struct mip6_discovery right = sample(messages[_i].type);
    struct mip6_discovery out;
    ck_assert(mip6_discovery_decode(bytes, len, &out));
    check_same(&out, &right);
}
END_TEST

/* What a receiver ignores, skips, and refuses. */
static const struct {
    const char *what, *hex;
    bool well_formed;
    size_t addresses, prefixes;
} decodings[] = {
    {"empty", "", false, 0, 0},
    {"seven bytes", "9000 0000 beef 00", false, 0, 0},
    {"request with reserved bits", "9000 0000 beef ffff", true, 0, 0},
    {"request with something behind", "9000 0000 beef 0000 00", true, 0, 0},
    {"another code", "9001 0000 beef 0000", false, 0, 0},
    {"another type", "9400 0000 beef 0000", false, 0, 0},
    {"echo request", "8000 0000 beef 0000", false, 0, 0},
    {"reply without addresses", "9100 0000 beef 0000", true, 0, 0},
    {"reply with half an address", "9100 0000 beef 0000 20010db800010000", false, 0, 0},
    {"solicitation with an option", "9200 0000 beef 0000 0e01000000000000", true, 0, 0},
    {"solicitation with a prefix, ignored", "9200 0000 beef 0000" PREFIX, true, 0, 0},
    {"solicitation with an option of no length", "9200 0000 beef 0000 0e00000000000000", false, 0, 0},
    {"advertisement of nothing", "9300 0000 beef 0000", true, 0, 0},
    {"advertisement of two prefixes", "9300 0000 beef 0000" PREFIX PREFIX, true, 0, 2},
    {"advertisement with another option", "9300 0000 beef 0000 0e01000000000000" PREFIX, true, 0, 1},
    {"advertisement with an option past the end", "9300 0000 beef 0000 0e02000000000000", false, 0, 0},
    {"advertisement with half an option", "9300 0000 beef 0000 03", false, 0, 0},
    {"prefix of a wrong length", "9300 0000 beef 0000 0301400000000000", true, 0, 0},
    {"prefix of 129 bits",
     "9300 0000 beef 0000 03048100 00000001 00000001 00000000 "
     "20010db8000100000000000000000002",
     true, 0, 0},
};

START_TEST(judged)
{
    uint8_t bytes[MESSAGE_MAX];
    struct mip6_discovery out;
    const size_t len = hex_bytes(decodings[_i].hex, bytes, sizeof(bytes));
    uint8_t *message = malloc(len + 1); /* not NULL */
    memcpy(message, bytes, len);
    uint8_t *end = realloc(message, len > 0 ? len : 1);
    ck_assert_msg(mip6_discovery_decode(end, len, &out) == decodings[_i].well_formed, "%s",
                  decodings[_i].what);
    if (decodings[_i].well_formed) {
        ck_assert_uint_eq(out.n_addresses, decodings[_i].addresses);
        ck_assert_uint_eq(out.n_prefixes, decodings[_i].prefixes);
        ck_assert_uint_eq(out.flags, 0);
    }
    free(end);
}
END_TEST

START_TEST(more_than_there_is_room_for)
{
    uint8_t bytes[8 + 100 * 32];
    struct mip6_discovery out;
    hex_bytes(REPLY, bytes, sizeof(bytes));
    for (size_t i = 1; i < 100; i++)
        memcpy(bytes + 8 + 16 * i, bytes + 8, 16);
    ck_assert(mip6_discovery_decode(bytes, 8 + 100 * 16, &out));
    ck_assert_uint_eq(out.n_addresses, MIP6_HOME_AGENTS_MAX);
    hex_bytes(ADVERTISEMENT, bytes, sizeof(bytes));
    for (size_t i = 1; i < 100; i++)
        memcpy(bytes + 8 + 32 * i, bytes + 8, 32);
    ck_assert(mip6_discovery_decode(bytes, sizeof(bytes), &out));
    ck_assert_uint_eq(out.n_prefixes, ND_PREFIXES_MAX);
}
END_TEST

START_TEST(longest_reply_fits_into_the_least_mtu)
{
    uint8_t bytes[MESSAGE_MAX];
    struct mip6_discovery d = {.type = MIP6_HOME_AGENT_REPLY, .n_addresses = MIP6_HOME_AGENTS_MAX};
    for (size_t i = 0; i < MIP6_HOME_AGENTS_MAX; i++)
        d.addresses[i] = home_agent;
    struct writer w = writer_over(bytes, sizeof(bytes));
    mip6_discovery_encode(&w, &d, &home_agent, &care_of);
    ck_assert(!w.failed);
    ck_assert_uint_le(IPV6_HEADER + writer_len(&w), IPV6_MTU_MIN);
}
END_TEST

/* RFC 2526 section 2. */
static const struct {
    const char *prefix, *anycast;
} anycasts[] = {
    {"2001:db8:1::/64", "2001:db8:1:0:fdff:ffff:ffff:fffe"},
    {"2001:db8:1::50/64", "2001:db8:1:0:fdff:ffff:ffff:fffe"},
    {"2001:db8:1::/48", "2001:db8:1:ffff:ffff:ffff:ffff:fffe"},
    {"2001:db8:1::/63", "2001:db8:1:1:ffff:ffff:ffff:fffe"},
    {"2001:db8:1::/112", "2001:db8:1::fffe"},
    {"2001:db8:1::/120", "2001:db8:1::fe"},
};

START_TEST(anycast_addresses)
{
    struct prefix p;
    ck_assert(prefix_parse(anycasts[_i].prefix, &p));
    const struct addr right = addr_of(anycasts[_i].anycast), a = mip6_home_agents_anycast(&p);
    ck_assert(addr_equal(&a, &right));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("mip6_discovery");
    TCase *tc = tcase_create("mip6_discovery");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_loop_test(tc, encoded, 0, ROWS(messages));
    tcase_add_loop_test(tc, decoded, 0, ROWS(messages));
    tcase_add_loop_test(tc, judged, 0, ROWS(decodings));
    tcase_add_test(tc, more_than_there_is_room_for);
    tcase_add_test(tc, longest_reply_fits_into_the_least_mtu);
    tcase_add_loop_test(tc, anycast_addresses, 0, ROWS(anycasts));
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
