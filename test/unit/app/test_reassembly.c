/* SPDX-License-Identifier: BSD-3-Clause */
/* Each case runs for both families. Datagrams are cut by the test itself, from the RFCs' text. */
#include "reassembly.h"

#include "../check_main.h"
#include "instant.h"

enum { SIZE_MAX_BYTES = 2048, ROOM = 4096, FRAGMENT_UNIT = 8, NEXT_HEADER_FRAGMENT = 44, UDP = 17 };

#define START ((uint64_t)1000 * NSEC_PER_S)

static struct reassembly *r;
static bool ipv6;    /* of this run */
static uint32_t id;  /* of the fragments being made */
static uint64_t now; /* likewise, when they come */

static void begin(int run)
{
    ipv6 = run % 2 == 1;
    id = 7;
    now = START;
    r = reassembly_create(SIZE_MAX_BYTES);
    ck_assert_ptr_nonnull(r);
}

static void end(void)
{
    reassembly_destroy(r);
}

/* ---- Fragments ---- */

/* What the fragmented part holds at an offset. */
static uint8_t content(size_t at)
{
    return (uint8_t)(at * 7 + at / 256);
}

static void put16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static size_t headers(void)
{
    return ipv6 ? 48 : 20;
}

static void write_ipv4(uint8_t *out, uint16_t field, size_t len)
{
    static const uint8_t addresses[] = {192, 0, 2, 9, 10, 1, 0, 2};
    memset(out, 0, 20);
    out[0] = 0x45;
    out[8] = 64;
    out[9] = UDP;
    put16(out + 2, 20 + len);
    put16(out + 4, id);
    put16(out + 6, field);
    memcpy(out + 12, addresses, sizeof(addresses));
    put16(out + 10, inet_finish(inet_sum(0, out, 20)));
}

static void write_ipv6(uint8_t *out, uint16_t field, size_t len)
{
    static const uint8_t source[16] = {0x20, 1, 0xd, 0xb8, [15] = 9},
                         destination[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
    memset(out, 0, 48);
    out[0] = 0x60;
    put16(out + 4, 8 + len);
    out[6] = NEXT_HEADER_FRAGMENT;
    out[7] = 64;
    memcpy(out + 8, source, 16);
    memcpy(out + 24, destination, 16);
    out[40] = UDP;
    put16(out + 42, (field & 0x1fffU) << 3 | (field & 0x2000U) >> 13);
    put16(out + 44, id >> 16);
    put16(out + 46, id);
}

/* The headers of a fragment [from, to); more: others follow it. Returns its length. */
static size_t write_fragment(uint8_t out[static ROOM], size_t from, size_t to, bool more)
{
    const uint16_t field = (uint16_t)(from / FRAGMENT_UNIT | (more ? 0x2000U : 0));
    if (ipv6)
        write_ipv6(out, field, to - from);
    else
        write_ipv4(out, field, to - from);
    for (size_t at = from; at < to; at++)
        out[headers() + at - from] = content(at);
    return headers() + to - from;
}

static struct reassembled give_bytes_from(const uint8_t *bytes, size_t len,
                                          const struct fragment_origin *origin)
{
    struct ip_header ip;
    ck_assert_int_eq(ip_decode(bytes, len, &ip, NULL), ipv6 ? IP_FRAGMENT : IP_DECODED);
    return reassembly_add(r, &(struct fragment){.ip = &ip, .datagram = bytes, .origin = *origin}, now);
}

static struct reassembled give_bytes_at(const uint8_t *bytes, size_t len, unsigned port_index)
{
    return give_bytes_from(bytes, len, &(struct fragment_origin){.port_index = port_index});
}

static struct reassembled give_bytes(const uint8_t *bytes, size_t len)
{
    return give_bytes_at(bytes, len, 0);
}

static struct reassembled give(size_t from, size_t to, bool more)
{
    uint8_t bytes[ROOM];
    return give_bytes(bytes, write_fragment(bytes, from, to, more));
}

static void expect(enum reassembly_outcome outcome, size_t from, size_t to, bool more, const char *what)
{
    const struct reassembled result = give(from, to, more);
    ck_assert_msg(result.outcome == outcome, "%s: %zu to %zu: %d", what, from, to, result.outcome);
}

/* The whole reads like a datagram that was never cut, with IPv6's fragment header saying so. */
static void check_whole(const struct reassembled *result, size_t total, const char *what)
{
    struct ip_header ip;
    ck_assert_msg(result->outcome == REASSEMBLY_WHOLE, "%s: %d", what, result->outcome);
    ck_assert_uint_eq(result->len, headers() + total);
    ck_assert_msg(ip_decode(result->datagram, result->len, &ip, NULL) == IP_DECODED, "%s", what);
    ck_assert_uint_eq(ip.fragment, 0);
    ck_assert_uint_eq(ip.total_len, result->len);
    ck_assert_uint_eq(ip.header_len, headers());
    ck_assert_uint_eq(ip.protocol, UDP);
    ck_assert_uint_eq(ip.id, id);
    for (size_t at = 0; at < total; at++)
        ck_assert_msg(result->datagram[headers() + at] == content(at), "%s: byte %zu", what, at);
}

static void expect_whole(size_t from, size_t to, bool more, size_t total, const char *what)
{
    const struct reassembled result = give(from, to, more);
    check_whole(&result, total, what);
}

/* ---- What comes together ---- */

/* Of 24, 16 and 5 bytes. */
static const struct {
    size_t from, to;
    bool more;
} three[] = {{0, 24, true}, {24, 40, true}, {40, 45, false}};

START_TEST(every_order)
{
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    begin(_i);
    for (int k = 0; k < ROWS(orders); k++) {
        for (int i = 0; i < 2; i++)
            expect(REASSEMBLY_WAITS, three[orders[k][i]].from, three[orders[k][i]].to,
                   three[orders[k][i]].more, "order");
        const int last = orders[k][2];
        expect_whole(three[last].from, three[last].to, three[last].more, 45, "order");
    }
    end();
}
END_TEST

START_TEST(twice_the_same)
{
    begin(_i);
    expect(REASSEMBLY_WAITS, 0, 24, true, "first");
    expect(REASSEMBLY_DUPLICATE, 0, 24, true, "first again");
    expect(REASSEMBLY_WAITS, 40, 45, false, "last");
    expect(REASSEMBLY_DUPLICATE, 40, 45, false, "last again");
    expect_whole(24, 40, true, 45, "the gap");
    expect(REASSEMBLY_WAITS, 24, 40, true, "what comes later is of another");
    end();
}
END_TEST

START_TEST(side_by_side)
{
    begin(_i);
    for (id = 1; id <= 3; id++)
        expect(REASSEMBLY_WAITS, 0, 24, true, "first");
    for (id = 3; id >= 1; id--)
        expect_whole(24, 45, false, 45, "last");
    end();
}
END_TEST

/* Source, destination, identification and of IPv4 the protocol say of which one it is (RFC 791 section 3.2,
 * RFC 8200 section 4.5). */
START_TEST(of_another)
{
    uint8_t bytes[ROOM];
    static const size_t at4[] = {5, 9, 15, 19}, at6[] = {23, 39, 44, 47};
    begin(_i);
    expect(REASSEMBLY_WAITS, 0, 24, true, "first");
    for (int k = 0; k < ROWS(at4); k++) {
        const size_t len = write_fragment(bytes, 24, 45, false);
        bytes[ipv6 ? at6[k] : at4[k]] ^= 0x10;
        if (!ipv6) {
            put16(bytes + 10, 0);
            put16(bytes + 10, inet_finish(inet_sum(0, bytes, 20)));
        }
        ck_assert_int_eq(give_bytes(bytes, len).outcome, REASSEMBLY_WAITS);
    }
    expect_whole(24, 45, false, 45, "the right one");
    end();
}
END_TEST

/* A later fragment's next header is nobody's business (RFC 8200 section 4.5). */
START_TEST(next_header_of_the_first)
{
    uint8_t bytes[ROOM];
    begin(1);
    size_t len = write_fragment(bytes, 24, 45, false);
    bytes[40] = 50;
    ck_assert_int_eq(give_bytes(bytes, len).outcome, REASSEMBLY_WAITS);
    expect_whole(0, 24, true, 45, "by the first");
    end();
}
END_TEST

/* A link-local address is a station on one link. */
START_TEST(on_its_link)
{
    uint8_t bytes[ROOM];
    begin(1);
    for (int scoped = 0; scoped < 2; scoped++) {
        size_t len = write_fragment(bytes, 0, 24, true);
        bytes[8] = scoped ? 0xfe : 0x20;
        bytes[9] = scoped ? 0x80 : 1;
        ck_assert_int_eq(give_bytes_at(bytes, len, 0).outcome, REASSEMBLY_WAITS);
        len = write_fragment(bytes, 24, 45, false);
        bytes[8] = scoped ? 0xfe : 0x20;
        bytes[9] = scoped ? 0x80 : 1;
        ck_assert_int_eq(give_bytes_at(bytes, len, 1).outcome, scoped ? REASSEMBLY_WAITS : REASSEMBLY_WHOLE);
    }
    end();
}
END_TEST

/* IPv4's options and IPv6's headers in front of the fragment header are the first fragment's. */
START_TEST(headers_of_the_first)
{
    uint8_t bytes[ROOM];
    begin(_i);
    expect(REASSEMBLY_WAITS, 24, 45, false, "without options");
    size_t len = write_fragment(bytes, 0, 24, true);
    memmove(bytes + (ipv6 ? 48 : 24), bytes + (ipv6 ? 40 : 20), len - (ipv6 ? 40 : 20));
    if (ipv6) {
        memcpy(bytes + 40, "\x2c\0\1\4\0\0\0\0", 8);
        bytes[6] = 60;
        put16(bytes + 4, len + 8 - 40);
    } else {
        memcpy(bytes + 20, "\1\1\1\0", 4);
        bytes[0] = 0x46;
        put16(bytes + 2, len + 4);
        put16(bytes + 10, 0);
        put16(bytes + 10, inet_finish(inet_sum(0, bytes, 24)));
    }
    const struct reassembled whole = give_bytes(bytes, len + (ipv6 ? 8 : 4));
    ck_assert_int_eq(whole.outcome, REASSEMBLY_WHOLE);
    ck_assert_uint_eq(whole.len, (ipv6 ? 56 : 24) + 45);
    struct ip_header ip;
    ck_assert_int_eq(ip_decode(whole.datagram, whole.len, &ip, NULL), IP_DECODED);
    ck_assert_uint_eq(ip.header_len, ipv6 ? 56 : 24);
    ck_assert_uint_eq(whole.datagram[whole.len - 1], content(44));
    end();
}
END_TEST

/* ---- Congestion ---- */

enum { NOT_ECT, ECT_1, ECT_0, CE };

static void set_tos(uint8_t *bytes, uint8_t tos)
{
    if (ipv6) {
        bytes[0] = (uint8_t)(0x60 | tos >> 4);
        bytes[1] = (uint8_t)(tos << 4 | (bytes[1] & 0xf));
        return;
    }
    bytes[1] = tos;
    put16(bytes + 10, 0);
    put16(bytes + 10, inet_finish(inet_sum(0, bytes, 20)));
}

static struct reassembled give_marked(size_t from, size_t to, bool more, uint8_t tos)
{
    uint8_t bytes[ROOM];
    const size_t len = write_fragment(bytes, from, to, more);
    set_tos(bytes, tos);
    return give_bytes(bytes, len);
}

/* RFC 3168 section 5.3: no mark is lost, none is put on what one end knows no marks of, and what all say
 * stays. The rest of the field is the first fragment's. */
static const struct {
    const char *what;
    uint8_t of[3]; /* the first, the middle and the last fragment's */
    int whole;     /* -1: dropped */
} marks[] = {
    {"all capable", {ECT_0, ECT_0, ECT_0}, ECT_0},
    {"all of the other kind", {ECT_1, ECT_1, ECT_1}, ECT_1},
    {"none capable", {NOT_ECT, NOT_ECT, NOT_ECT}, NOT_ECT},
    {"all marked", {CE, CE, CE}, CE},
    {"the first is marked", {CE, ECT_0, ECT_0}, CE},
    {"the middle is marked", {ECT_0, CE, ECT_0}, CE},
    {"the last is marked", {ECT_1, ECT_1, CE}, CE},
    {"two are marked", {ECT_1, CE, CE}, CE},
    {"marked, and the first not capable", {NOT_ECT, CE, ECT_0}, -1},
    {"marked, and the last not capable", {CE, ECT_0, NOT_ECT}, -1},
    {"different, but unmarked", {ECT_0, ECT_1, NOT_ECT}, ECT_0},
};

START_TEST(congestion)
{
    enum { CLASS = 0xb8, LATER_CLASS = 0x48 };
    begin(_i);
    for (int k = 0; k < ROWS(marks); k++, id++) {
        for (int i = 2; i > 0; i--)
            ck_assert_int_eq(
                give_marked(three[i].from, three[i].to, three[i].more, LATER_CLASS | marks[k].of[i]).outcome,
                REASSEMBLY_WAITS);
        const struct reassembled whole =
            give_marked(three[0].from, three[0].to, three[0].more, CLASS | marks[k].of[0]);
        if (marks[k].whole < 0) {
            ck_assert_msg(whole.outcome == REASSEMBLY_CONGESTED, "%s: %d", marks[k].what, whole.outcome);
            continue;
        }
        check_whole(&whole, 45, marks[k].what);
        struct ip_header ip;
        ck_assert_int_eq(ip_decode(whole.datagram, whole.len, &ip, NULL), IP_DECODED);
        ck_assert_msg(ip.tos == (CLASS | marks[k].whole), "%s: %02x", marks[k].what, ip.tos);
    }
    end();
}
END_TEST

/* What is not taken says nothing. */
START_TEST(congestion_of_a_duplicate)
{
    begin(_i);
    ck_assert_int_eq(give_marked(0, 24, true, NOT_ECT).outcome, REASSEMBLY_WAITS);
    ck_assert_int_eq(give_marked(0, 24, true, CE).outcome, REASSEMBLY_DUPLICATE);
    const struct reassembled whole = give_marked(24, 45, false, NOT_ECT);
    check_whole(&whole, 45, "unmarked");
    ck_assert_uint_eq(whole.datagram[1] >> (ipv6 ? 4 : 0) & CE, NOT_ECT);
    end();
}
END_TEST

/* ---- ---- */

/* Where it came from is where its header came from, whatever comes last. */
START_TEST(origin_of_the_first)
{
    uint8_t bytes[ROOM];
    static const struct fragment_origin first = {2, {{2, 0, 0, 0, 0, 1}}}, other = {1, {{2, 0, 0, 0, 0, 2}}};
    begin(_i / 2);
    for (int k = 0; k < 2; k++) {
        const bool is_first = k == _i % 2;
        const size_t len =
            is_first ? write_fragment(bytes, 0, 24, true) : write_fragment(bytes, 24, 45, false);
        const struct reassembled result = give_bytes_from(bytes, len, is_first ? &first : &other);
        ck_assert_int_eq(result.outcome, k == 0 ? REASSEMBLY_WAITS : REASSEMBLY_WHOLE);
        if (k == 0)
            continue;
        ck_assert_uint_eq(result.origin.port_index, first.port_index);
        ck_assert(mac_equal(&result.origin.source_mac, &first.source_mac));
    }
    end();
}
END_TEST

/* RFC 1122 section 3.3.2 and RFC 8200 section 5 ask for 576 and 1500 bytes. */
START_TEST(as_large_as_may_be)
{
    begin(_i);
    const size_t most = SIZE_MAX_BYTES - headers();
    expect(REASSEMBLY_WAITS, 0, 1024, true, "first");
    expect_whole(1024, most, false, most, "2048 bytes");
    end();
}
END_TEST

START_TEST(in_many)
{
    begin(_i);
    const size_t total = REASSEMBLY_FRAGMENTS_MAX * FRAGMENT_UNIT;
    for (size_t at = FRAGMENT_UNIT; at < total; at += FRAGMENT_UNIT)
        expect(REASSEMBLY_WAITS, at, at + FRAGMENT_UNIT, at + FRAGMENT_UNIT < total, "one of many");
    expect_whole(0, FRAGMENT_UNIT, true, total, "64 fragments");
    end();
}
END_TEST

/* ---- What does not ---- */

static const struct {
    const char *what;
    struct {
        size_t from, to;
        bool more;
    } part[3]; /* the last of which is one too many */
    enum reassembly_outcome outcome;
} bad[] = {
    {"overlaps the first's end", {{0, 24, true}, {16, 40, true}}, REASSEMBLY_OVERLAP},
    {"overlaps another's beginning", {{24, 40, true}, {0, 32, true}}, REASSEMBLY_OVERLAP},
    {"within another", {{0, 40, true}, {8, 16, true}}, REASSEMBLY_OVERLAP},
    {"around another", {{8, 16, true}, {0, 40, true}}, REASSEMBLY_OVERLAP},
    {"the beginning of another", {{0, 40, true}, {0, 24, true}}, REASSEMBLY_OVERLAP},
    {"the end of another", {{0, 40, true}, {16, 40, true}}, REASSEMBLY_OVERLAP},
    {"over two", {{0, 16, true}, {24, 40, true}, {8, 32, true}}, REASSEMBLY_OVERLAP},
    {"the gap and more", {{0, 16, true}, {24, 40, true}, {16, 32, true}}, REASSEMBLY_OVERLAP},
    {"another end", {{0, 16, true}, {24, 40, false}, {24, 39, false}}, REASSEMBLY_OVERLAP},
    {"a later end", {{0, 16, true}, {24, 40, false}, {40, 44, false}}, REASSEMBLY_OVERLAP},
    {"an end before what is there", {{0, 16, true}, {24, 40, true}, {16, 20, false}}, REASSEMBLY_OVERLAP},
    {"beyond the end", {{0, 16, true}, {24, 36, false}, {40, 48, true}}, REASSEMBLY_OVERLAP},
    {"the last one, but there is more", {{0, 16, true}, {24, 40, false}, {24, 40, true}}, REASSEMBLY_OVERLAP},
    {"one that is there, but as the last",
     {{0, 16, true}, {24, 40, true}, {24, 40, false}},
     REASSEMBLY_OVERLAP},
    {"a byte too long", {{0, 24, true}, {2016, 2033, false}}, REASSEMBLY_TOO_LONG},
    {"too long by its offset", {{0, 24, true}, {60000, 60008, true}}, REASSEMBLY_TOO_LONG},
};

START_TEST(given_up)
{
    begin(_i);
    for (int k = 0; k < ROWS(bad); k++, id++) {
        int n = bad[k].part[2].to != 0 ? 2 : 1;
        for (int i = 0; i < n; i++)
            expect(REASSEMBLY_WAITS, bad[k].part[i].from, bad[k].part[i].to, bad[k].part[i].more,
                   bad[k].what);
        expect(bad[k].outcome, bad[k].part[n].from, bad[k].part[n].to, bad[k].part[n].more, bad[k].what);
        for (size_t at = 0; at < 48; at += 8) /* RFC 5722 section 4: with those not yet received */
            expect(REASSEMBLY_GIVEN_UP, at, at + 8, at < 40, bad[k].what);
    }
    end();
}
END_TEST

/* The same place, other bytes. */
START_TEST(forged_duplicate)
{
    uint8_t bytes[ROOM];
    begin(_i);
    expect(REASSEMBLY_WAITS, 0, 24, true, "first");
    size_t len = write_fragment(bytes, 0, 24, true);
    bytes[len - 1] ^= 1;
    ck_assert_int_eq(give_bytes(bytes, len).outcome, REASSEMBLY_OVERLAP);
    expect(REASSEMBLY_GIVEN_UP, 24, 45, false, "last");
    end();
}
END_TEST

START_TEST(too_many_of_one)
{
    begin(_i);
    for (size_t i = 0; i < REASSEMBLY_FRAGMENTS_MAX; i++)
        expect(REASSEMBLY_WAITS, i * FRAGMENT_UNIT, (i + 1) * FRAGMENT_UNIT, true, "one of many");
    expect(REASSEMBLY_TOO_MANY, REASSEMBLY_FRAGMENTS_MAX * FRAGMENT_UNIT, 1000, false, "one too many");
    expect(REASSEMBLY_GIVEN_UP, 0, FRAGMENT_UNIT, true, "first again");
    end();
}
END_TEST

/* The oldest goes, and only that one. */
START_TEST(too_many_datagrams)
{
    begin(_i);
    for (id = 0; id < REASSEMBLY_DATAGRAMS; id++, now++)
        ck_assert(!give(0, 24, true).ousted);
    ck_assert(give(0, 24, true).ousted);
    for (id = 1; id <= REASSEMBLY_DATAGRAMS; id++)
        expect_whole(24, 45, false, 45, "those after the oldest");
    id = 0;
    expect(REASSEMBLY_WAITS, 24, 45, false, "the oldest");
    end();
}
END_TEST

/* One that was given up is no loss. */
START_TEST(given_up_makes_room)
{
    begin(_i);
    expect(REASSEMBLY_WAITS, 0, 24, true, "first");
    expect(REASSEMBLY_OVERLAP, 8, 32, true, "overlap");
    for (id = 100, now++; id < 100 + REASSEMBLY_DATAGRAMS; id++)
        ck_assert(!give(0, 24, true).ousted);
    end();
}
END_TEST

/* ---- Fragments that are wrong by themselves ---- */

static const struct {
    const char *what;
    size_t from, to;
    bool more, problem;
    uint32_t pointer;
} malformed[] = {
    {"no multiple of 8, and more to come", 0, 23, true, true, 4}, /* payload length */
    {"nothing in it", 0, 0, true, false, 0},
    {"nothing in the last", 24, 24, false, false, 0},
    {"beyond 65535", 65528, 65544, true, true, 42}, /* offset */
    {"beyond 65535 by a byte", 65528, 65536, false, true, 42},
};

START_TEST(wrong_by_itself)
{
    begin(_i);
    expect(REASSEMBLY_WAITS, 24, 40, false, "a sound one");
    for (int k = 0; k < ROWS(malformed); k++) {
        const struct reassembled result = give(malformed[k].from, malformed[k].to, malformed[k].more);
        ck_assert_msg(result.outcome == REASSEMBLY_MALFORMED, "%s: %d", malformed[k].what, result.outcome);
        ck_assert_msg(result.is_problem == (ipv6 && malformed[k].problem), "%s", malformed[k].what);
        if (result.is_problem) {
            ck_assert_uint_eq(result.problem.code, 0);
            ck_assert_msg(result.problem.pointer == malformed[k].pointer, "%s", malformed[k].what);
        }
    }
    expect_whole(0, 24, true, 40, "the sound ones");
    end();
}
END_TEST

/* RFC 791 counts the header in, RFC 8200 section 4.5 does not. */
START_TEST(the_largest_end)
{
    begin(_i);
    const size_t most = ipv6 ? 65535 : 65515;
    expect(REASSEMBLY_TOO_LONG, 65504, most, false, "the largest");
    id++;
    expect(REASSEMBLY_MALFORMED, 65504, most + 1, false, "one more");
    end();
}
END_TEST

#define BEHIND(first, text) first, text, sizeof(text) - 1

/* RFC 8200 section 4.5, RFC 7112 section 5. */
static const struct {
    const char *what;
    uint8_t next;
    const char *bytes;
    size_t len;
    bool whole;
} chains[] = {
    {"UDP", BEHIND(17, "\0\1\0\2\0\x20\0\0"), true},
    {"ICMPv6", BEHIND(58, "\x80\0\0\0\0\0\0\0"), true},
    {"options and UDP",
     BEHIND(60, "\x11\0\1\4\0\0\0\0"
                "\0\1\0\2\0\x20\0\0"),
     true},
    {"nothing behind options", BEHIND(60, "\x3b\0\1\4\0\0\0\0"), true},
    {"options, but no UDP", BEHIND(60, "\x11\0\1\4\0\0\0\0"), false},
    {"options, but no ICMPv6", BEHIND(60, "\x3a\0\1\4\0\0\0\0"), false},
    {"options, but no Mobility Header", BEHIND(60, "\x87\0\1\4\0\0\0\0"), false},
    {"half of the options", BEHIND(60, "\x11\1\1\4\0\0\0\0"), false},
    {"options, but no routing header", BEHIND(60, "\x2b\0\1\4\0\0\0\0"), false},
    {"half of a routing header", BEHIND(43, "\x11\2\0\0\0\0\0\0"), false},
};

START_TEST(headers_are_whole)
{
    uint8_t bytes[ROOM];
    begin(1);
    for (int k = 0; k < ROWS(chains); k++, id++) {
        const size_t len = write_fragment(bytes, 0, chains[k].len, true);
        bytes[40] = chains[k].next;
        memcpy(bytes + 48, chains[k].bytes, chains[k].len);
        const struct reassembled result = give_bytes(bytes, len);
        ck_assert_msg((result.outcome == REASSEMBLY_WAITS) == chains[k].whole, "%s", chains[k].what);
        ck_assert_msg(result.is_problem == !chains[k].whole, "%s", chains[k].what);
        ck_assert_uint_eq(result.problem.code, chains[k].whole ? 0 : 3);
        ck_assert_uint_eq(result.problem.pointer, 0);
    }
    end();
}
END_TEST

/* ---- Time ---- */

static void check_nothing_expires(uint64_t at)
{
    struct reassembly_expired expired;
    ck_assert(!reassembly_expire(r, at, &expired));
}

/* The first fragment comes out as it came in, for its sender to be told (RFC 1122 section 3.3.2). */
START_TEST(time_out)
{
    uint8_t bytes[ROOM];
    struct reassembly_expired expired;
    begin(_i);
    check_nothing_expires(START);
    expect(REASSEMBLY_WAITS, 40, 45, false, "last");
    now += 10 * NSEC_PER_S; /* time runs from the one that came first */
    expect(REASSEMBLY_WAITS, 0, 24, true, "first");
    check_nothing_expires(START + 60 * NSEC_PER_S - 1);
    ck_assert(reassembly_expire(r, START + 60 * NSEC_PER_S, &expired));
    const size_t len = write_fragment(bytes, 0, 24, true);
    ck_assert_uint_eq(expired.len, len);
    ck_assert_mem_eq(expired.first, bytes, len);
    check_nothing_expires(START + 1000 * NSEC_PER_S);
    expect(REASSEMBLY_WAITS, 24, 40, true, "what comes later is of another");
    end();
}
END_TEST

START_TEST(time_out_without_the_first)
{
    struct reassembly_expired expired;
    begin(_i);
    expect(REASSEMBLY_WAITS, 24, 40, true, "one");
    ck_assert(reassembly_expire(r, START + 60 * NSEC_PER_S, &expired));
    ck_assert_ptr_null(expired.first);
    end();
}
END_TEST

/* Each at its time; who was given up is told nothing (RFC 5722 section 4), who is whole has nothing to come.
 */
START_TEST(time_outs)
{
    struct reassembly_expired expired;
    begin(_i);
    for (id = 1; id <= 4; id++, now += NSEC_PER_S)
        expect(REASSEMBLY_WAITS, 0, 24, true, "first");
    id = 1;
    expect(REASSEMBLY_OVERLAP, 8, 32, true, "overlap");
    id = 3;
    expect_whole(24, 45, false, 45, "whole");
    check_nothing_expires(START + 60 * NSEC_PER_S);
    id = 1;
    expect(REASSEMBLY_WAITS, 24, 45, false, "its time is over");
    ck_assert(reassembly_expire(r, START + 61 * NSEC_PER_S, &expired));
    check_nothing_expires(START + 61 * NSEC_PER_S);
    ck_assert(reassembly_expire(r, START + 100 * NSEC_PER_S, &expired));
    ck_assert(reassembly_expire(r, START + 100 * NSEC_PER_S, &expired));
    check_nothing_expires(START + 100 * NSEC_PER_S);
    end();
}
END_TEST

static Suite *reassembly_suite(void)
{
    Suite *suite = suite_create("reassembly");
    TCase *both = tcase_create("both families"), *six = tcase_create("IPv6");
    const TTest *const tests[] = {every_order,
                                  twice_the_same,
                                  side_by_side,
                                  of_another,
                                  headers_of_the_first,
                                  congestion,
                                  congestion_of_a_duplicate,
                                  as_large_as_may_be,
                                  in_many,
                                  given_up,
                                  forged_duplicate,
                                  too_many_of_one,
                                  too_many_datagrams,
                                  given_up_makes_room,
                                  wrong_by_itself,
                                  the_largest_end,
                                  time_out,
                                  time_out_without_the_first,
                                  time_outs};
    for (int i = 0; i < ROWS(tests); i++)
        tcase_add_loop_test(both, tests[i], 0, 2);
    tcase_add_loop_test(both, origin_of_the_first, 0, 4);
    tcase_add_test(six, next_header_of_the_first);
    tcase_add_test(six, on_its_link);
    tcase_add_test(six, headers_are_whole);
    suite_add_tcase(suite, both);
    suite_add_tcase(suite, six);
    return suite;
}

int main(void)
{
    return check_main(reassembly_suite());
}
