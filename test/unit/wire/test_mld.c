/* SPDX-License-Identifier: BSD-3-Clause */
#include "mld.h"

#include "../check_main.h"
#include "icmp.h"

/* Made by scapy (ICMPv6MLQuery, _MLQuery2, _MLReport, _MLReport2, _MLDone behind a hop-by-hop header with
 * router alert): whole frames of ours, and datagrams of a querier's, fe80::1. */
#define QUERIER "fe800000000000000000000000000001"
#define ALL     "ff020000000000000000000000000001"
#define GROUP   "ff0200000000000000000001ff000050"
#define NONE    "00000000000000000000000000000000"
#define ALERT   "3a00050200000100"
#define QUERY_1 "6000000000200001" QUERIER ALL ALERT "8200591727100000" NONE
#define ASKED_1 "6000000000200001" QUERIER GROUP ALERT "82007e9903e80000" GROUP
#define QUERY_2 "6000000000240001" QUERIER ALL ALERT "8200569627100000" NONE "027d0000"
#define FLOAT_2 "6000000000240001" QUERIER ALL ALERT "8200f76d81230000" NONE "07920000"
#define ASKED_2 "6000000000240001" QUERIER GROUP ALERT "82007c1803e80000" GROUP "027d0000"
#define SOURCES                                                                \
    "6000000000440001" QUERIER GROUP ALERT "8200208103e80000" GROUP "027d0002" \
    "20010db800000000000000000000000120010db8000000000000000000000002"

#define OWN        "fe80000000000000000000fffe000001"
#define TO_ROUTERS "33330000001602000000000186dd"
#define ROUTERS    "ff020000000000000000000000000016"
#define REPORT                                                         \
    TO_ROUTERS "6000000000380001" OWN ROUTERS ALERT "8f006f9e00000002" \
               "04000000" GROUP "03000000ff020000000000000000000000000002"
#define REPORT_OF_NOBODY                                                \
    TO_ROUTERS "6000000000240001" NONE ROUTERS ALERT "8f006f3a00000001" \
               "04000000" GROUP
#define REPORT_OF_SOURCES                                              \
    TO_ROUTERS "6000000000440001" OWN ROUTERS ALERT "8f00192100000001" \
               "01000002" GROUP "20010db800000000000000000000000120010db8000000000000000000000002"
#define REPORT_1_DATAGRAM "6000000000200001" OWN GROUP ALERT "8300828100000000" GROUP
#define REPORT_1          "3333ff00005002000000000186dd" REPORT_1_DATAGRAM
#define DONE_1                                                                                  \
    "33330000000202000000000186dd6000000000200001" OWN "ff020000000000000000000000000002" ALERT \
    "840080d100000000" GROUP

static const struct mac own_mac = {{2, 0, 0, 0, 0, 1}};

static struct addr parsed(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

static void check_frame(const struct writer *w, const char *hex)
{
    uint8_t right[256];
    size_t len = hex_bytes(hex, right, sizeof(right));
    ck_assert(!w->failed);
    ck_assert_uint_eq(writer_len(w), len);
    ck_assert_mem_eq(w->start, right, len);
}

/* ---- Encoding ---- */

START_TEST(reports)
{
    const struct addr own = addr_link_local_from_mac(&own_mac);
    const struct addr sources[] = {parsed("2001:db8::1"), parsed("2001:db8::2")};
    const struct addr group = parsed("ff02::1:ff00:50");
    const struct mld_record both[] = {{.type = MLD_TO_EXCLUDE, .group = group},
                                      {.type = MLD_TO_INCLUDE, .group = addr_all_routers}};
    const struct mld_record some = {
        .type = MLD_IS_INCLUDE, .group = group, .sources = sources, .n_sources = 2};
    uint8_t room[256];
    struct writer w = writer_over(room, sizeof(room));
    mld_encode_report(&w, &own_mac, &own, both, 2);
    check_frame(&w, REPORT);
    w = writer_over(room, sizeof(room));
    mld_encode_report(&w, &own_mac, &addr_unspecified, both, 1);
    check_frame(&w, REPORT_OF_NOBODY);
    w = writer_over(room, sizeof(room));
    mld_encode_report(&w, &own_mac, &own, &some, 1);
    check_frame(&w, REPORT_OF_SOURCES);
    w = writer_over(room, 81);
    mld_encode_report(&w, &own_mac, &own, both, 1);
    ck_assert(w.failed);
}
END_TEST

START_TEST(version_1)
{
    const struct addr own = addr_link_local_from_mac(&own_mac), group = parsed("ff02::1:ff00:50");
    uint8_t room[256];
    struct writer w = writer_over(room, sizeof(room));
    mld_encode_v1(&w, &own_mac, &own, MLD_REPORT_V1, &group);
    check_frame(&w, REPORT_1);
    w = writer_over(room, sizeof(room));
    mld_encode_v1(&w, &own_mac, &own, MLD_DONE, &group);
    check_frame(&w, DONE_1);
}
END_TEST

START_TEST(fills_the_link)
{
    static struct mld_record records[MLD_RECORDS_MAX + 1];
    static uint8_t room[9216 + 14];
    const struct addr own = addr_link_local_from_mac(&own_mac);
    for (size_t i = 0; i <= MLD_RECORDS_MAX; i++)
        records[i] = (struct mld_record){.type = MLD_IS_EXCLUDE, .group = parsed("ff02::1:ff00:50")};
    static const struct {
        uint16_t mtu;
        size_t n;
    } links[] = {{1280, 61}, {1500, 72}, {9216, MLD_RECORDS_MAX}, {65535, MLD_RECORDS_MAX}};
    for (size_t i = 0; i < 3; i++) {
        struct writer w = writer_over(room, 14U + links[i].mtu);
        ck_assert_uint_eq(mld_records_max(links[i].mtu), links[i].n);
        mld_encode_report(&w, &own_mac, &own, records, links[i].n);
        ck_assert(!w.failed);
        ck_assert_uint_lt(links[i].mtu - (writer_len(&w) - 14), 20);
    }
    ck_assert_uint_eq(mld_records_max(65535), MLD_RECORDS_MAX);
    struct writer w = writer_over(room, sizeof(room));
    mld_encode_report(&w, &own_mac, &own, records, MLD_RECORDS_MAX + 1);
    ck_assert(w.failed);
}
END_TEST

/* ---- Decoding ---- */

static bool decode(uint8_t *bytes, size_t len, struct mld *out)
{
    struct ip_header ip;
    return ip_decode(bytes, len, &ip, NULL) == IP_DECODED &&
           mld_decode(&ip, bytes + ip.header_len, len - ip.header_len, out);
}

static const struct {
    const char *what, *hex, *group;
    enum mld_type type;
    uint8_t version, robustness;
    uint32_t delay_ms, interval_s;
    size_t n_sources;
} messages[] = {
    {"general, version 1", QUERY_1, NULL, MLD_QUERY, 1, 0, 10000, 0, 0},
    {"of a group, version 1", ASKED_1, "ff02::1:ff00:50", MLD_QUERY, 1, 0, 1000, 0, 0},
    {"general", QUERY_2, NULL, MLD_QUERY, 2, 2, 10000, 125, 0},
    {"with exponents (RFC 3810 sections 5.1.3 and 5.1.9)", FLOAT_2, NULL, MLD_QUERY, 2, 7, 0x1123 << 3,
     0x12 << 4, 0},
    {"of a group", ASKED_2, "ff02::1:ff00:50", MLD_QUERY, 2, 2, 1000, 125, 0},
    {"of a group and sources", SOURCES, "ff02::1:ff00:50", MLD_QUERY, 2, 2, 1000, 125, 2},
    {"another's report", REPORT_1_DATAGRAM, "ff02::1:ff00:50", MLD_REPORT_V1, 0, 0, 0, 0, 0},
};

START_TEST(heard)
{
    uint8_t bytes[256];
    struct mld m;
    const size_t len = hex_bytes(messages[_i].hex, bytes, sizeof(bytes));
    ck_assert_msg(decode(bytes, len, &m), "%s", messages[_i].what);
    const struct addr group = messages[_i].group == NULL ? addr_unspecified : parsed(messages[_i].group);
    ck_assert(addr_equal(&m.group, &group));
    ck_assert_int_eq(m.type, messages[_i].type);
    ck_assert_uint_eq(m.version, messages[_i].version);
    ck_assert_uint_eq(m.robustness, messages[_i].robustness);
    ck_assert_uint_eq(m.interval_s, messages[_i].interval_s);
    ck_assert_uint_eq(m.n_sources, messages[_i].n_sources);
    if (m.type == MLD_QUERY)
        ck_assert_uint_eq(m.delay_ms, messages[_i].delay_ms);
    if (m.n_sources > 0) {
        const struct addr last = mld_source(&m, 1), right = parsed("2001:db8::2");
        ck_assert(addr_equal(&last, &right));
    }
}
END_TEST

static void mend(uint8_t *bytes, size_t len)
{
    struct ip_header ip;
    if (ip_decode_beginning(bytes, len, &ip))
        icmp6_checksum(bytes + ip.header_len, len - ip.header_len, &ip.source, &ip.destination);
}

/* One byte of a good message is changed, and the checksum made right again. */
static const struct {
    const char *what, *hex;
    size_t at;
    uint8_t value;
} faults[] = {
    {"hop limit 2 (RFC 3810 section 6.2)", QUERY_2, 7, 2},
    {"hop limit 255", QUERY_2, 7, 255},
    {"source 2001::1 (section 5.1.14)", QUERY_2, 8, 0x20},
    {"source ff80::1", QUERY_2, 8, 0xff},
    {"no router alert (section 6.2)", QUERY_2, 42, 1},
    {"router alert for another protocol (RFC 2711)", QUERY_2, 45, 1},
    {"a group that is none", ASKED_2, 56, 0xfe},
    {"an option less (section 8.1): neither version", QUERY_2, 5, 0x22},
    {"sources that are not there", ASKED_2, 75, 1},
    {"of another type", QUERY_2, 48, 129},
    {"a report of version 2", QUERY_2, 48, 143},
    {"a general query about sources", SOURCES, 0, 0x60},
};

START_TEST(discarded)
{
    uint8_t bytes[256];
    struct mld m;
    size_t len = hex_bytes(faults[_i].hex, bytes, sizeof(bytes));
    bytes[faults[_i].at] = faults[_i].value;
    if (faults[_i].hex[0] == '6' && faults[_i].at == 5)
        len -= 2;
    if (faults[_i].at == 0)
        memset(bytes + 56, 0, 16);
    mend(bytes, len);
    ck_assert_msg(!decode(bytes, len, &m), "%s", faults[_i].what);
}
END_TEST

START_TEST(wrong_checksum)
{
    uint8_t bytes[256];
    struct mld m;
    const size_t len = hex_bytes(QUERY_2, bytes, sizeof(bytes));
    bytes[50] ^= 1;
    ck_assert(!decode(bytes, len, &m));
}
END_TEST

/* The options in another order, padded otherwise, are as good. */
START_TEST(other_padding)
{
    uint8_t bytes[256];
    struct mld m;
    size_t len = hex_bytes(QUERY_2, bytes, sizeof(bytes));
    static const uint8_t padded[] = {0x3a, 0, 0, 0, 5, 2, 0, 0};
    memcpy(bytes + 40, padded, sizeof(padded));
    ck_assert(decode(bytes, len, &m));
    static const uint8_t destination[] = {0x3a, 0, 5, 2, 0, 0, 1, 0};
    memcpy(bytes + 40, destination, sizeof(destination));
    bytes[6] = 60; /* where routers do not look */
    ck_assert(!decode(bytes, len, &m));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("mld");
    TCase *tc = tcase_create("mld");
    tcase_add_test(tc, reports);
    tcase_add_test(tc, version_1);
    tcase_add_test(tc, fills_the_link);
    tcase_add_loop_test(tc, heard, 0, ROWS(messages));
    tcase_add_loop_test(tc, discarded, 0, ROWS(faults));
    tcase_add_test(tc, wrong_checksum);
    tcase_add_test(tc, other_padding);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
