/* SPDX-License-Identifier: BSD-3-Clause */
#include "mip4.h"

#include "../check_main.h"

/* Messages signed by another implementation. Keys: MD5 bytes 00-0f, SHA-256 40-5f, SHA-1 00-13. */
#define REQUEST_FIXED "012207080a0100320a0100020a02004de8d5c3b2a1908070"
#define NAI           "8314747275636b3740666c6565742e6578616d706c65" /* truck7@fleet.example */
#define REQUEST_MHAE  "201400000100fcfea57aa2473135de613e36761ef79b"
#define REQUEST_FHAE  "22240000012c93f008868c17076928ecb11570e1154850c0b9d2214aad2b6f8df99ea0631bd9"
#define REQUEST       REQUEST_FIXED NAI REQUEST_MHAE "00" REQUEST_FHAE
#define REPLY_FIXED   "030004b00a0100320a010002e8d5c3b2a1908070"
#define REPLY         REPLY_FIXED "2014000001003efe828431555fea3d8966843e4cd49c"
#define DENIAL        "038500000a0100320a010002e8d5c3b2a19080702018000003e8b1de4f24b0fc1bcc3b2516bac02b46f29faab691"

enum { MESSAGE_MAX = 512 };

static struct auth *auth;

static void setup(void)
{
    auth = auth_create();
    ck_assert_ptr_nonnull(auth);
}

static void teardown(void)
{
    auth_destroy(auth);
}

static struct auth_key key_from(enum auth_algorithm algorithm, uint8_t first, uint8_t len)
{
    struct auth_key key = {.algorithm = (uint8_t)algorithm, .len = len};
    for (uint8_t i = 0; i < len; i++)
        key.bytes[i] = (uint8_t)(first + i);
    return key;
}

static struct mip4_request sample_request(void)
{
    return (struct mip4_request){.flags = MIP4_COLOCATED | MIP4_REVERSE_TUNNEL,
                                 .lifetime_s = 1800,
                                 .home = addr_from_ipv4(0x0a010032),
                                 .home_agent = addr_from_ipv4(0x0a010002),
                                 .care_of = addr_from_ipv4(0x0a02004d),
                                 .identification = UINT64_C(0xe8d5c3b2a1908070)};
}

static struct mip4_reply sample_reply(uint8_t code, uint16_t lifetime_s)
{
    return (struct mip4_reply){.code = code,
                               .lifetime_s = lifetime_s,
                               .home = addr_from_ipv4(0x0a010032),
                               .home_agent = addr_from_ipv4(0x0a010002),
                               .identification = UINT64_C(0xe8d5c3b2a1908070)};
}

static void check_bytes(const struct writer *w, const char *hex)
{
    uint8_t right[MESSAGE_MAX];
    size_t len = hex_bytes(hex, right, sizeof(right));
    ck_assert(!w->failed);
    ck_assert_uint_eq(writer_len(w), len);
    ck_assert_mem_eq(w->start, right, len);
}

START_TEST(request_encoded)
{
    uint8_t bytes[MESSAGE_MAX];
    struct auth_key mobile = key_from(AUTH_HMAC_MD5, 0, 16), foreign = key_from(AUTH_HMAC_SHA256, 0x40, 32);
    struct mip4_request request = sample_request();
    struct writer w = writer_over(bytes, sizeof(bytes));
    mip4_request_encode(&w, &request);
    mip4_append(&w, MIP4_EXT_NAI, "truck7@fleet.example", 20);
    ck_assert(mip4_append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH, 256, &mobile, auth));
    write_u8(&w, MIP4_EXT_PAD);
    ck_assert(mip4_append_auth(&w, MIP4_EXT_FOREIGN_HOME_AUTH, 300, &foreign, auth));
    check_bytes(&w, REQUEST);
}
END_TEST

START_TEST(reply_encoded)
{
    uint8_t bytes[MESSAGE_MAX];
    struct auth_key key = key_from(AUTH_HMAC_MD5, 0, 16);
    struct mip4_reply reply = sample_reply(MIP4_ACCEPTED, 1200);
    struct writer w = writer_over(bytes, sizeof(bytes));
    mip4_reply_encode(&w, &reply);
    ck_assert(mip4_append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH, 256, &key, auth));
    check_bytes(&w, REPLY);
}
END_TEST

START_TEST(denial_encoded)
{
    uint8_t bytes[MESSAGE_MAX];
    struct auth_key key = key_from(AUTH_HMAC_SHA1, 0, 20);
    struct mip4_reply reply = sample_reply(MIP4_IDENTIFICATION_MISMATCH, 0);
    struct writer w = writer_over(bytes, sizeof(bytes));
    mip4_reply_encode(&w, &reply);
    ck_assert(mip4_append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH, 1000, &key, auth));
    check_bytes(&w, DENIAL);
}
END_TEST

START_TEST(request_decoded)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t len = hex_bytes(REQUEST, bytes, sizeof(bytes));
    struct mip4_request out, right = sample_request();
    ck_assert_int_eq(mip4_request_decode(bytes, len, &out), MIP4_DECODED);
    ck_assert_uint_eq(out.flags, right.flags);
    ck_assert_uint_eq(out.lifetime_s, 1800);
    ck_assert(addr_equal(&out.home, &right.home));
    ck_assert(addr_equal(&out.home_agent, &right.home_agent));
    ck_assert(addr_equal(&out.care_of, &right.care_of));
    ck_assert(out.identification == right.identification);

    ck_assert_uint_eq(out.ext.nai.len, 20);
    ck_assert_uint_eq(out.ext.nai.offset, 24);
    ck_assert_mem_eq(out.ext.nai.bytes, "truck7@fleet.example", 20);
    ck_assert_uint_eq(out.ext.mobile_home.count, 1);
    ck_assert_uint_eq(out.ext.mobile_home.spi, 256);
    ck_assert_uint_eq(out.ext.mobile_home.offset, 46);
    ck_assert_uint_eq(out.ext.mobile_home.covered, 52);
    ck_assert_uint_eq(out.ext.mobile_home.authenticator_len, 16);
    ck_assert_ptr_eq(out.ext.mobile_home.authenticator, bytes + 52);
    ck_assert_uint_eq(out.ext.mobile_foreign.count, 0);
    ck_assert_uint_eq(out.ext.foreign_home.count, 1);
    ck_assert_uint_eq(out.ext.foreign_home.spi, 300);
    ck_assert_uint_eq(out.ext.foreign_home.offset, 69); /* behind the pad byte */
    ck_assert_ptr_null(out.ext.challenge.bytes);
}
END_TEST

START_TEST(reply_decoded)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t len = hex_bytes(DENIAL, bytes, sizeof(bytes));
    struct mip4_reply out, right = sample_reply(133, 0);
    ck_assert_int_eq(mip4_reply_decode(bytes, len, &out), MIP4_DECODED);
    ck_assert_uint_eq(out.code, 133);
    ck_assert_uint_eq(out.lifetime_s, 0);
    ck_assert(addr_equal(&out.home, &right.home));
    ck_assert(addr_equal(&out.home_agent, &right.home_agent));
    ck_assert(out.identification == right.identification);
    ck_assert_uint_eq(out.ext.mobile_home.spi, 1000);
    ck_assert_uint_eq(out.ext.mobile_home.covered, 26);
    ck_assert_uint_eq(out.ext.mobile_home.authenticator_len, 20);
}
END_TEST

START_TEST(flags_r_and_x_are_ignored)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t len = hex_bytes(REQUEST_FIXED, bytes, sizeof(bytes));
    struct mip4_request out;
    bytes[1] = 0xff;
    ck_assert_int_eq(mip4_request_decode(bytes, len, &out), MIP4_DECODED);
    ck_assert_uint_eq(out.flags, 0xfa);

    out.flags = 0xff;
    struct writer w = writer_over(bytes, sizeof(bytes));
    mip4_request_encode(&w, &out);
    ck_assert_uint_eq(bytes[1], 0xfa);
}
END_TEST

#define SHORT_AUTH "0400000100"
#define MD5_ZERO   "00000000000000000000000000000000"

/* Extensions behind a request's fixed part, and what the walk makes of them. */
static const struct {
    const char *what, *hex;
    enum mip4_decode result;
    int mobile_home, mobile_foreign, foreign_home; /* how many */
    const char *nai;
} walks[] = {
    {"none", "", MIP4_DECODED, 0, 0, 0, NULL},
    {"pad bytes have no length", "0000 20" SHORT_AUTH "00", MIP4_DECODED, 1, 0, 0, NULL},
    {"one of each authentication", "20" SHORT_AUTH "21" SHORT_AUTH "22" SHORT_AUTH, MIP4_DECODED, 1, 1, 1,
     NULL},
    {"several of each", "20" SHORT_AUTH "20" SHORT_AUTH "22" SHORT_AUTH "22" SHORT_AUTH "22" SHORT_AUTH,
     MIP4_DECODED, 2, 0, 3, NULL},
    {"unknown 1 is fatal", "0100 20" SHORT_AUTH, MIP4_UNKNOWN_EXTENSION, 0, 0, 0, NULL},
    {"unknown 31 is fatal", "1f00", MIP4_UNKNOWN_EXTENSION, 0, 0, 0, NULL},
    {"unknown 35 is fatal", "2300", MIP4_UNKNOWN_EXTENSION, 0, 0, 0, NULL},
    {"unknown 127 is fatal", "20" SHORT_AUTH "7f00", MIP4_UNKNOWN_EXTENSION, 1, 0, 0, NULL},
    {"unknown 127 is fatal without its length too", "7f", MIP4_UNKNOWN_EXTENSION, 0, 0, 0, NULL},
    {"unknown 127 behind the authentication", "20" SHORT_AUTH "7f00", MIP4_UNKNOWN_EXTENSION, 1, 0, 0, NULL},
    {"critical vendor extension is fatal", "26000004 00000009", MIP4_UNKNOWN_EXTENSION, 0, 0, 0, NULL},
    {"unknown 128 is skipped", "8003 202020 20" SHORT_AUTH, MIP4_DECODED, 1, 0, 0, NULL},
    {"unknown 255 is skipped", "ff00 20" SHORT_AUTH, MIP4_DECODED, 1, 0, 0, NULL},
    {"vendor extension 134 is skipped", "8606 000000000009 20" SHORT_AUTH, MIP4_DECODED, 1, 0, 0, NULL},
    {"encapsulating delivery has no data", "8200 20" SHORT_AUTH, MIP4_DECODED, 1, 0, 0, NULL},
    {"revocation support is skipped", "8906 800012345678 20" SHORT_AUTH, MIP4_DECODED, 1, 0, 0, NULL},
    {"generalized authentication is long", "24010014 00000100" MD5_ZERO "20" SHORT_AUTH, MIP4_DECODED, 1, 0,
     0, NULL},
    {"generalized authentication below 20", "24010013 00000100 000000000000000000000000000000",
     MIP4_MALFORMED, 0, 0, 0, NULL},
    {"generalized authentication cut in its length", "240100", MIP4_MALFORMED, 0, 0, 0, NULL},
    {"dynamic home agent is long though skippable", "8b010004 0a010003 20" SHORT_AUTH, MIP4_DECODED, 1, 0, 0,
     NULL},
    {"dynamic home agent whose subtype is no length", "8bff0004 0a010003 20" SHORT_AUTH, MIP4_DECODED, 1, 0,
     0, NULL},
    {"dynamic home agent of 3 bytes", "8b010003 0a0100", MIP4_MALFORMED, 0, 0, 0, NULL},
    {"UDP tunnel reply", "2c06 000080000000 20" SHORT_AUTH, MIP4_DECODED, 1, 0, 0, NULL},
    {"UDP tunnel reply of 5 bytes", "2c05 0000800000", MIP4_MALFORMED, 0, 0, 0, NULL},
    {"UDP tunnel request", "9006 000080000000 20" SHORT_AUTH, MIP4_DECODED, 1, 0, 0, NULL},
    {"UDP tunnel request of 5 bytes", "9005 0000800000 20" SHORT_AUTH, MIP4_MALFORMED, 0, 0, 0, NULL},
    {"authentication of 3 bytes", "2003 000001", MIP4_MALFORMED, 0, 0, 0, NULL},
    {"foreign authentication of 3 bytes", "2103 000001", MIP4_MALFORMED, 0, 0, 0, NULL},
    {"foreign-home authentication of 0 bytes", "20" SHORT_AUTH "2200", MIP4_MALFORMED, 1, 0, 0, NULL},
    {"authentication beyond the end", "2014 00000100", MIP4_MALFORMED, 0, 0, 0, NULL},
    {"a type alone", "20" SHORT_AUTH "20", MIP4_MALFORMED, 1, 0, 0, NULL},
    {"a skippable type alone", "80", MIP4_MALFORMED, 0, 0, 0, NULL},
    {"a skippable one beyond the end", "20" SHORT_AUTH "8002 00", MIP4_MALFORMED, 1, 0, 0, NULL},
    {"the first fault decides: malformed", "2003000001 7f00", MIP4_MALFORMED, 0, 0, 0, NULL},
    {"the first fault decides: unknown", "7f00 2003000001", MIP4_UNKNOWN_EXTENSION, 0, 0, 0, NULL},
    {"NAI", "8303 614062 20" SHORT_AUTH, MIP4_DECODED, 1, 0, 0, "a@b"},
    {"empty NAI", "8300 20" SHORT_AUTH, MIP4_DECODED, 1, 0, 0, ""},
    {"the first NAI counts", "8303 614062 8303 634064", MIP4_DECODED, 0, 0, 0, "a@b"},
    {"what came before a fault is kept", "8303 614062 20" SHORT_AUTH "8005", MIP4_MALFORMED, 1, 0, 0, "a@b"},
};

static void check_extensions(int i, const struct mip4_extensions *ext)
{
    ck_assert_msg(ext->mobile_home.count == walks[i].mobile_home, "%s", walks[i].what);
    ck_assert_msg(ext->mobile_foreign.count == walks[i].mobile_foreign, "%s", walks[i].what);
    ck_assert_msg(ext->foreign_home.count == walks[i].foreign_home, "%s", walks[i].what);
    ck_assert_msg((ext->nai.bytes != NULL) == (walks[i].nai != NULL), "%s", walks[i].what);
    if (walks[i].nai == NULL)
        return;
    ck_assert_uint_eq(ext->nai.len, strlen(walks[i].nai));
    ck_assert_mem_eq(ext->nai.bytes, walks[i].nai, ext->nai.len);
}

/* The bytes in a block of just their size, so that reading one more is seen by sanitizers. */
static uint8_t *exact(const char *fixed, const char *extensions, size_t *len)
{
    uint8_t bytes[MESSAGE_MAX];
    *len = hex_bytes(fixed, bytes, sizeof(bytes));
    *len += hex_bytes(extensions, bytes + *len, sizeof(bytes) - *len);
    uint8_t *copy = malloc(*len);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, *len);
    return copy;
}

START_TEST(walk_of_a_request)
{
    size_t len;
    uint8_t *bytes = exact(REQUEST_FIXED, walks[_i].hex, &len);
    struct mip4_request out;
    ck_assert_msg(mip4_request_decode(bytes, len, &out) == walks[_i].result, "%s", walks[_i].what);
    ck_assert_uint_eq(out.lifetime_s, 1800);
    check_extensions(_i, &out.ext);
    free(bytes);
}
END_TEST

START_TEST(walk_of_a_reply)
{
    size_t len;
    uint8_t *bytes = exact(REPLY_FIXED, walks[_i].hex, &len);
    struct mip4_reply out;
    ck_assert_msg(mip4_reply_decode(bytes, len, &out) == walks[_i].result, "%s", walks[_i].what);
    ck_assert_uint_eq(out.lifetime_s, 1200);
    check_extensions(_i, &out.ext);
    free(bytes);
}
END_TEST

/* A type with data long enough for every kind: 34 bytes in the short layout, in the long one 32. */
static enum mip4_decode decode_lone_extension(uint8_t type)
{
    uint8_t bytes[MIP4_REQUEST_FIXED + 2 + 34] = {0};
    uint8_t *extension = bytes + hex_bytes(REQUEST_FIXED, bytes, sizeof(bytes));
    bool is_long = type == 36 || type == 139;
    extension[0] = type;
    if (type != 0)
        extension[is_long ? 3 : 1] = is_long ? 32 : 34;
    struct mip4_request out;
    return mip4_request_decode(bytes, sizeof(bytes), &out);
}

START_TEST(types_by_range)
{
    static const bool known[128] = {
        [0] = true, [32] = true, [33] = true, [34] = true, [36] = true, [44] = true};
    for (int type = 0; type < 256; type++) {
        enum mip4_decode right = type >= 128 || known[type] ? MIP4_DECODED : MIP4_UNKNOWN_EXTENSION;
        ck_assert_msg(decode_lone_extension((uint8_t)type) == right, "type %d", type);
    }
}
END_TEST

START_TEST(spans)
{
    size_t len;
    uint8_t *bytes = exact(REQUEST_FIXED,
                           "8404 01020304"     /* at 24 */
                           "9006 000080042f00" /* at 30 */
                           "2c06 000180000078" /* at 38 */
                           "8b020004 0a010003" /* at 46 */
                           "8402 ffff 9006 ffffffffffff 2c06 ffffffffffff 8b010004 ffffffff",
                           &len);
    struct mip4_request out;
    ck_assert_int_eq(mip4_request_decode(bytes, len, &out), MIP4_DECODED);
    const struct {
        struct mip4_span span;
        uint16_t offset, header, len;
    } right[] = {
        {out.ext.challenge, 24, 2, 4},
        {out.ext.udp_tunnel_request, 30, 2, 6},
        {out.ext.udp_tunnel_reply, 38, 2, 6},
        {out.ext.dynamic_home_agent, 46, 4, 4},
    };
    for (int i = 0; i < ROWS(right); i++) {
        ck_assert_uint_eq(right[i].span.offset, right[i].offset);
        ck_assert_uint_eq(right[i].span.len, right[i].len);
        ck_assert_ptr_eq(right[i].span.bytes, bytes + right[i].offset + right[i].header);
    }
    free(bytes);
}
END_TEST

START_TEST(count_does_not_wrap)
{
    uint8_t bytes[MIP4_REQUEST_FIXED + 257 * 6];
    hex_bytes(REQUEST_FIXED, bytes, sizeof(bytes));
    struct writer w = writer_over(bytes + MIP4_REQUEST_FIXED, 257 * 6);
    for (uint32_t i = 0; i < 257; i++) {
        uint8_t spi[4] = {0, 0, (uint8_t)(i >> 8), (uint8_t)i};
        mip4_append(&w, MIP4_EXT_MOBILE_HOME_AUTH, spi, sizeof(spi));
    }
    struct mip4_request out;
    ck_assert_int_eq(mip4_request_decode(bytes, sizeof(bytes), &out), MIP4_DECODED);
    ck_assert_uint_eq(out.ext.mobile_home.count, 255);
    ck_assert_uint_eq(out.ext.mobile_home.spi, 0); /* still the first one's */
}
END_TEST

static const struct {
    const char *what;
    size_t len;
    uint8_t type;
    bool is_request, is_reply;
} fixed_parts[] = {
    {"request", 24, 1, true, false},
    {"request, one byte short", 23, 1, false, false},
    {"reply", 20, 3, false, true},
    {"reply, one byte short", 19, 3, false, false},
    {"nothing", 0, 1, false, false},
    {"tunnel data", 24, 4, false, false},
    {"revocation", 24, 7, false, false},
    {"type 0", 24, 0, false, false},
    {"longest UDP payload", 65507, 1, true, false},
    {"longer than any datagram", 65536 + 24, 1, false, false},
};

START_TEST(fixed_part_rules)
{
    size_t len = fixed_parts[_i].len;
    uint8_t *bytes = calloc(1, len > 0 ? len : 1); /* zero: pad bytes */
    ck_assert_ptr_nonnull(bytes);
    if (len > 0)
        bytes[0] = fixed_parts[_i].type;
    struct mip4_request request;
    struct mip4_reply reply;
    ck_assert_msg(mip4_request_decode(bytes, len, &request) ==
                      (fixed_parts[_i].is_request ? MIP4_DECODED : MIP4_TOO_SHORT),
                  "%s", fixed_parts[_i].what);
    ck_assert_msg(mip4_reply_decode(bytes, len, &reply) ==
                      (fixed_parts[_i].is_reply ? MIP4_DECODED : MIP4_TOO_SHORT),
                  "%s", fixed_parts[_i].what);
    free(bytes);
}
END_TEST

START_TEST(authenticators_verify)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t len = hex_bytes(REQUEST, bytes, sizeof(bytes));
    struct auth_key mobile = key_from(AUTH_HMAC_MD5, 0, 16), foreign = key_from(AUTH_HMAC_SHA256, 0x40, 32);
    struct mip4_request out;
    ck_assert_int_eq(mip4_request_decode(bytes, len, &out), MIP4_DECODED);
    ck_assert(mip4_auth_verify(bytes, &out.ext.mobile_home, &mobile, auth));
    ck_assert(mip4_auth_verify(bytes, &out.ext.foreign_home, &foreign, auth));
    ck_assert(!mip4_auth_verify(bytes, &out.ext.mobile_home, &foreign, auth));
    ck_assert(!mip4_auth_verify(bytes, &out.ext.mobile_foreign, &mobile, auth)); /* absent */

    struct auth_key sha1 = key_from(AUTH_HMAC_SHA1, 0, 16); /* same key, other algorithm: other length */
    ck_assert(!mip4_auth_verify(bytes, &out.ext.mobile_home, &sha1, auth));
}
END_TEST

START_TEST(authenticator_covers_what_it_should)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t len = hex_bytes(REQUEST, bytes, sizeof(bytes));
    struct auth_key mobile = key_from(AUTH_HMAC_MD5, 0, 16);
    struct mip4_request out;
    ck_assert_int_eq(mip4_request_decode(bytes, len, &out), MIP4_DECODED);
    size_t end = (size_t)out.ext.mobile_home.offset + 22;
    for (size_t i = 0; i < len; i++) {
        bytes[i] ^= 0x10; /* what was decoded stays, only the bytes change */
        ck_assert_int_eq(mip4_auth_verify(bytes, &out.ext.mobile_home, &mobile, auth), i >= end);
        bytes[i] ^= 0x10;
    }
}
END_TEST

START_TEST(no_room_for_extensions)
{
    uint8_t bytes[MIP4_REQUEST_FIXED + 22], data[256] = {0};
    struct auth_key key = key_from(AUTH_HMAC_MD5, 0, 16);
    struct mip4_request request = sample_request();
    struct writer full = writer_over(bytes, sizeof(bytes));
    mip4_request_encode(&full, &request);
    ck_assert(mip4_append_auth(&full, MIP4_EXT_MOBILE_HOME_AUTH, 256, &key, auth)); /* just fits */

    for (size_t room = 0; room < sizeof(bytes); room++) {
        struct writer w = writer_over(bytes, room);
        mip4_request_encode(&w, &request);
        ck_assert(!mip4_append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH, 256, &key, auth));
        ck_assert(w.failed);
    }
    uint8_t roomy[600];
    struct writer w = writer_over(roomy, sizeof(roomy));
    mip4_append(&w, MIP4_EXT_NAI, data, 255);
    ck_assert(!w.failed);
    mip4_append(&w, MIP4_EXT_NAI, data, 256); /* more than a length byte can say */
    ck_assert(w.failed);
}
END_TEST

START_TEST(unusable_key_fails)
{
    uint8_t bytes[MESSAGE_MAX];
    struct auth_key key = {.algorithm = AUTH_ALGORITHMS};
    struct writer w = writer_over(bytes, sizeof(bytes));
    ck_assert(!mip4_append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH, 256, &key, auth));
    ck_assert(w.failed);
}
END_TEST

static const struct {
    uint8_t code;
    bool success;
    const char *text;
} codes[] = {
    {0, true, "registration accepted"},
    {1, true, "accepted, simultaneous bindings unsupported"},
    {8, true, "accepted, code 2-8"},
    {9, false, "denied, unassigned code 9-63"},
    {63, false, "denied, unassigned code 9-63"},
    {64, false, "denied by the foreign agent, code 64-127"},
    {127, false, "denied by the foreign agent, code 64-127"},
    {128, false, "reason unspecified"},
    {133, false, "registration Identification mismatch"},
    {143, false, "denied by the home agent, code 128-192"},
    {144, false, "mobile node failed AAA authentication"},
    {192, false, "denied by the home agent, code 128-192"},
    {193, false, "denied by the gateway foreign agent, code 193-200"},
    {200, false, "denied by the gateway foreign agent, code 193-200"},
    {201, false, "denied, unassigned code 201-255"},
    {255, false, "denied, unassigned code 201-255"},
};

START_TEST(code_texts)
{
    ck_assert_str_eq(mip4_code_text(codes[_i].code), codes[_i].text);
    ck_assert_int_eq(mip4_code_is_success(codes[_i].code), codes[_i].success);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("mip4");
    TCase *tc = tcase_create("mip4");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, request_encoded);
    tcase_add_test(tc, reply_encoded);
    tcase_add_test(tc, denial_encoded);
    tcase_add_test(tc, request_decoded);
    tcase_add_test(tc, reply_decoded);
    tcase_add_test(tc, flags_r_and_x_are_ignored);
    tcase_add_loop_test(tc, walk_of_a_request, 0, ROWS(walks));
    tcase_add_loop_test(tc, walk_of_a_reply, 0, ROWS(walks));
    tcase_add_test(tc, types_by_range);
    tcase_add_test(tc, spans);
    tcase_add_test(tc, count_does_not_wrap);
    tcase_add_loop_test(tc, fixed_part_rules, 0, ROWS(fixed_parts));
    tcase_add_test(tc, authenticators_verify);
    tcase_add_test(tc, authenticator_covers_what_it_should);
    tcase_add_test(tc, no_room_for_extensions);
    tcase_add_test(tc, unusable_key_fails);
    tcase_add_loop_test(tc, code_texts, 0, ROWS(codes));
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
