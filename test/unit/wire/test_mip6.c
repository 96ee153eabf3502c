/* SPDX-License-Identifier: BSD-3-Clause */
#include "mip6.h"

#include "../check_main.h"

/* Built by scapy 2.5, checksums included: updates from the care-of address with a Home Address option, or
 * from home; acknowledgements with a type 2 routing header. Authenticators by Python's hmac: the leftmost 12
 * bytes of SHA-1 keyed with bytes 00-0f over care-of, home and message, checksum zero, up to the SPI. */
#define HOME       "2001:db8:1::50"
#define CARE_OF    "2001:db8:2::77"
#define HOME_AGENT "2001:db8:1::2"
#define UPDATE     "3b010500 8ea8 1234c00001c2 01020000"
#define UPDATE_FULL                                                                              \
    "3b070500 82a5 fffef000ffff 0100 0310 20010db8000200000000000000000077 0100 0a08 " TIMESTAMP \
    " 00 091101 12345678 4d352da1a023c5ea0a38801e"
#define TIMESTAMP     "e8d5c3b2a1908070"
#define UPDATE_SIGNED "3b030500 a598 0001c000000f 00 091101 12345678 1bf4409dae365bbab6876725"
#define UPDATE_NAI                                                                             \
    "3b060500 5360 0002c000000f 0815 01 747275636b3740666c6565742e6578616d706c65 0100 091101 " \
    "12345678 471abc93a2123df6ed48124e"
#define UPDATE_HOME "3b030500 efaa 0003c0000000 00 091101 12345678 92eaa33447ba5f265d54ffd5"
#define ACK         "3b010600 4e3f 00001234012c 01020000"
#define ACK_FULL                                                                     \
    "3b050600 f00b 9080fffe0000 010400000000 0a08 " TIMESTAMP " 00 091101 12345678 " \
    "84771ad4d20935a16e6c7942"
#define ERROR "3b020700 3166 0200 20010db8000100000000000000000050"

enum { MESSAGE_MAX = 2048, COVERED = 52 /* of UPDATE_FULL */ };

static struct auth *auth;
static struct addr home, care_of, home_agent;
static struct auth_key key;

static struct addr addr_of(const char *text)
{
    struct addr a = {0};
    ck_assert(addr_parse(text, &a));
    return a;
}

static void setup(void)
{
    auth = auth_create();
    ck_assert_ptr_nonnull(auth);
    home = addr_of(HOME);
    care_of = addr_of(CARE_OF);
    home_agent = addr_of(HOME_AGENT);
    key = (struct auth_key){.algorithm = AUTH_HMAC_SHA1, .len = 16};
    for (uint8_t i = 0; i < key.len; i++)
        key.bytes[i] = i;
}

static void teardown(void)
{
    auth_destroy(auth);
}

/* ---- Encoding ---- */
static void begin_update(struct writer *w, uint16_t sequence, uint16_t flags, uint16_t lifetime)
{
    mip6_update_begin(w, &(struct mip6_update){.sequence = sequence, .flags = flags, .lifetime = lifetime});
}

static void encode_update(struct writer *w)
{
    begin_update(w, 0x1234, MIP6_ACKNOWLEDGE | MIP6_HOME_REGISTRATION, 450);
    ck_assert(mip6_finish(w, &home, &home_agent));
}

static void encode_update_full(struct writer *w)
{
    begin_update(w, 0xfffe, MIP6_ACKNOWLEDGE | MIP6_HOME_REGISTRATION | MIP6_LINK_LOCAL | MIP6_KEY_MANAGEMENT,
                 0xffff);
    mip6_append_alternate_care_of(w, &care_of);
    mip6_append_timestamp(w, UINT64_C(0xe8d5c3b2a1908070));
    ck_assert(mip6_append_auth(w, 0x12345678, &key, &care_of, &home, auth));
    ck_assert(mip6_finish(w, &home, &home_agent));
}

static void encode_update_signed(struct writer *w)
{
    begin_update(w, 1, MIP6_ACKNOWLEDGE | MIP6_HOME_REGISTRATION, 15);
    ck_assert(mip6_append_auth(w, 0x12345678, &key, &care_of, &home, auth));
    ck_assert(mip6_finish(w, &home, &home_agent));
}

static void encode_update_nai(struct writer *w)
{
    begin_update(w, 2, MIP6_ACKNOWLEDGE | MIP6_HOME_REGISTRATION, 15);
    mip6_append_identifier(w, "truck7@fleet.example", 20);
    ck_assert(mip6_append_auth(w, 0x12345678, &key, &care_of, &home, auth));
    ck_assert(mip6_finish(w, &home, &home_agent));
}

static void encode_update_home(struct writer *w)
{
    begin_update(w, 3, MIP6_ACKNOWLEDGE | MIP6_HOME_REGISTRATION, 0);
    ck_assert(mip6_append_auth(w, 0x12345678, &key, &home, &home, auth));
    ck_assert(mip6_finish(w, &home, &home_agent));
}

static void encode_ack(struct writer *w)
{
    mip6_ack_begin(w, &(struct mip6_ack){.status = MIP6_ACCEPTED, .sequence = 0x1234, .lifetime = 300});
    ck_assert(mip6_finish(w, &home_agent, &home));
}

static void encode_ack_full(struct writer *w)
{
    mip6_ack_begin(
        w, &(struct mip6_ack){.status = MIP6_TIMESTAMP_MISMATCH, .key_management = true, .sequence = 0xfffe});
    mip6_append_timestamp(w, UINT64_C(0xe8d5c3b2a1908070));
    ck_assert(mip6_append_auth(w, 0x12345678, &key, &care_of, &home, auth));
    ck_assert(mip6_finish(w, &home_agent, &home));
}

static void encode_error(struct writer *w)
{
    mip6_error_encode(w, 2, &home, &home_agent, &care_of);
}

static const struct {
    const char *what, *hex;
    void (*encode)(struct writer *w);
} encodings[] = {
    {"update without options", UPDATE, encode_update},
    {"update with every option aligned", UPDATE_FULL, encode_update_full},
    {"update with nothing but its authentication", UPDATE_SIGNED, encode_update_signed},
    {"update with an identifier", UPDATE_NAI, encode_update_nai},
    {"update at home, signed with the home address twice", UPDATE_HOME, encode_update_home},
    {"acknowledgement without options", ACK, encode_ack},
    {"acknowledgement with its timestamp and authentication", ACK_FULL, encode_ack_full},
    {"binding error", ERROR, encode_error},
};

START_TEST(encoded)
{
    uint8_t bytes[MESSAGE_MAX], right[MESSAGE_MAX];
    const size_t len = hex_bytes(encodings[_i].hex, right, sizeof(right));
    struct writer w = writer_over(bytes, sizeof(bytes));
    encodings[_i].encode(&w);
    ck_assert_msg(!w.failed, "%s", encodings[_i].what);
    ck_assert_uint_eq(writer_len(&w), len);
    ck_assert_mem_eq(bytes, right, len);
}
END_TEST

/* ---- RFC 6275 section 9.2 ---- */

/* What a well formed update becomes by a few bytes, its checksum made right again or not; two faults at once
 * show the order. */
static const struct {
    const char *what, *hex;
    bool sums_up;
    size_t cut; /* bytes taken from the end */
    enum mip6_decode result;
} checks[] = {
    {"an update", "3b010500 0000 0001c000000f 01020000", true, 0, MIP6_DECODED},
    {"flags, reserved fields: not judged", "3b0105ff 0000 0001ffff000f 01020000", true, 0, MIP6_DECODED},
    {"bytes behind the message are not its own", "3b010500 0000 0001c000000f 01020000 ffffff", true, 0,
     MIP6_DECODED},
    {"empty", "3b010500 0000 0001c000000f 01020000", true, 16, MIP6_TOO_SHORT},
    {"seven bytes", "3b000000 0000 0000", true, 1, MIP6_TOO_SHORT},
    {"refresh request", "3b000000 0000 0000", true, 0, MIP6_DECODED},
    {"length beyond the end", "3b020500 0000 0001c000000f 01020000", true, 0, MIP6_TOO_SHORT},
    {"wrong checksum", "3b010500 0000 0001c000000f 01020000", false, 0, MIP6_BAD_CHECKSUM},
    {"wrong checksum and unknown type", "3b010900 0000 0001c000000f 01020000", false, 0, MIP6_BAD_CHECKSUM},
    {"unknown type 8", "3b010800 0000 0001c000000f 01020000", true, 0, MIP6_UNKNOWN_TYPE},
    {"unknown type 255", "3b00ff00 0000 0001", true, 0, MIP6_UNKNOWN_TYPE},
    {"unknown type and payload proto", "3a010900 0000 0001c000000f 01020000", true, 0, MIP6_UNKNOWN_TYPE},
    {"payload proto", "3a010500 0000 0001c000000f 01020000", true, 0, MIP6_BAD_PAYLOAD_PROTO},
    {"payload proto and length", "3a000500 0000 0001", true, 0, MIP6_BAD_PAYLOAD_PROTO},
    {"update too short", "3b000500 0000 0001", true, 0, MIP6_BAD_LENGTH},
    {"acknowledgement too short", "3b000600 0000 0001", true, 0, MIP6_BAD_LENGTH},
    {"home test init too short", "3b000100 0000 0001", true, 0, MIP6_BAD_LENGTH},
    {"home test init", "3b010100 0000 0000 0000000000000001", true, 0, MIP6_DECODED},
    {"care-of test init too short", "3b000200 0000 0001", true, 0, MIP6_BAD_LENGTH},
    {"home test too short", "3b010300 0000 0000 0000000000000001", true, 0, MIP6_BAD_LENGTH},
    {"care-of test too short", "3b010400 0000 0000 0000000000000001", true, 0, MIP6_BAD_LENGTH},
    {"binding error too short", "3b010700 0000 0100 0000000000000001", true, 0, MIP6_BAD_LENGTH},
    {"binding error", "3b020700 0000 0100 00000000000000000000000000000001", true, 0, MIP6_DECODED},
};

/* The checksum, done here once more and plainly: RFC 8200 section 8.1. */
static void fill_checksum(uint8_t *message, const struct addr *source, const struct addr *destination)
{
    const size_t size = 8 * (message[1] + 1U);
    uint64_t sum = size + 135;
    for (size_t i = 0; i < 16; i += 2)
        sum += (uint64_t)(source->b[i] << 8) + source->b[i + 1] + (uint64_t)(destination->b[i] << 8) +
               destination->b[i + 1];
    message[4] = message[5] = 0;
    for (size_t i = 0; i < size; i += 2)
        sum += (uint64_t)(message[i] << 8) + message[i + 1];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    message[4] = (uint8_t)(~sum >> 8);
    message[5] = (uint8_t)~sum;
}

/* In a block of just their size, so that reading one more is seen by sanitizers. */
static uint8_t *exact(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len);
    ck_assert(copy != NULL || len == 0);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

START_TEST(checked)
{
    uint8_t bytes[MESSAGE_MAX] = {0};
    const size_t len = hex_bytes(checks[_i].hex, bytes, sizeof(bytes)) - checks[_i].cut;
    enum mip6_type type = MIP6_HOME_TEST;
    fill_checksum(bytes, &home, &home_agent);
    bytes[5] ^= !checks[_i].sums_up;
    uint8_t *message = exact(bytes, len);
    ck_assert_msg(mip6_check(message, len, &home, &home_agent, &type) == checks[_i].result, "%s",
                  checks[_i].what);
    if (checks[_i].result == MIP6_DECODED || checks[_i].result == MIP6_UNKNOWN_TYPE)
        ck_assert_uint_eq(type, bytes[2]);
    free(message);
}
END_TEST

START_TEST(checksum_covers_every_byte_and_both_addresses)
{
    uint8_t bytes[MESSAGE_MAX];
    const size_t len = hex_bytes(UPDATE_FULL, bytes, sizeof(bytes));
    enum mip6_type type;
    ck_assert_int_eq(mip6_check(bytes, len, &home, &home_agent, &type), MIP6_DECODED);
    ck_assert_int_eq(mip6_check(bytes, len, &care_of, &home_agent, &type), MIP6_BAD_CHECKSUM);
    ck_assert_int_eq(mip6_check(bytes, len, &home, &care_of, &type), MIP6_BAD_CHECKSUM);
    for (size_t i = 0; i < len; i++) {
        bytes[i] ^= 0x04;
        const enum mip6_decode result = mip6_check(bytes, len, &home, &home_agent, &type);
        ck_assert(result == MIP6_BAD_CHECKSUM || (i == 1 && result == MIP6_TOO_SHORT));
        bytes[i] ^= 0x04;
    }
}
END_TEST

/* ---- Decoding ---- */
START_TEST(update_decoded)
{
    uint8_t bytes[MESSAGE_MAX];
    const size_t len = hex_bytes(UPDATE_FULL, bytes, sizeof(bytes));
    struct mip6_update out;
    ck_assert_int_eq(mip6_update_decode(bytes, len, &out), MIP6_DECODED);
    ck_assert_uint_eq(out.sequence, 0xfffe);
    ck_assert_uint_eq(out.flags, 0xf000);
    ck_assert_uint_eq(out.lifetime, 0xffff);
    ck_assert(out.options.has_alternate_care_of && addr_equal(&out.options.alternate_care_of, &care_of));
    ck_assert(out.options.has_timestamp && out.options.timestamp == UINT64_C(0xe8d5c3b2a1908070));
    ck_assert_uint_eq(out.options.mobile_home.count, 1);
    ck_assert_uint_eq(out.options.mobile_home.spi, 0x12345678);
    ck_assert_uint_eq(out.options.mobile_home.covered, COVERED);
    ck_assert_uint_eq(out.options.mobile_home.authenticator_len, MIP6_AUTHENTICATOR);
    ck_assert_ptr_eq(out.options.mobile_home.authenticator, bytes + COVERED);
    ck_assert_uint_eq(out.options.mobile_aaa.count, 0);
    ck_assert(!out.options.auth_misplaced && !out.options.has_nonce_indices);
    ck_assert_ptr_null(out.options.nai);
}
END_TEST

/* As UMIP's mip6d sends it on Linux. */
START_TEST(update_of_another_decoded)
{
    uint8_t bytes[MESSAGE_MAX];
    const size_t len = hex_bytes("3b030500 5369 79b9c000545f 0100 0310 20010db8000200000cb42ffffee714a6",
                                 bytes, sizeof(bytes));
    const struct addr from = addr_of("2001:db8:2:0:cb4:2fff:fee7:14a6");
    enum mip6_type type;
    struct mip6_update out;
    ck_assert_int_eq(mip6_check(bytes, len, &home, &home_agent, &type), MIP6_DECODED);
    ck_assert_int_eq(type, MIP6_UPDATE);
    ck_assert_int_eq(mip6_update_decode(bytes, len, &out), MIP6_DECODED);
    ck_assert_uint_eq(out.sequence, 0x79b9);
    ck_assert_uint_eq(out.flags, MIP6_ACKNOWLEDGE | MIP6_HOME_REGISTRATION);
    ck_assert_uint_eq(out.lifetime, 21599);
    ck_assert(out.options.has_alternate_care_of && addr_equal(&out.options.alternate_care_of, &from));
}
END_TEST

START_TEST(ack_decoded)
{
    uint8_t bytes[MESSAGE_MAX];
    size_t len = hex_bytes(ACK_FULL, bytes, sizeof(bytes));
    struct mip6_ack out;
    ck_assert_int_eq(mip6_ack_decode(bytes, len, &out), MIP6_DECODED);
    ck_assert_uint_eq(out.status, 144);
    ck_assert(out.key_management);
    ck_assert_uint_eq(out.sequence, 0xfffe);
    ck_assert_uint_eq(out.lifetime, 0);
    ck_assert(out.options.has_timestamp);
    ck_assert_uint_eq(out.options.mobile_home.count, 1);

    len = hex_bytes(ACK, bytes, sizeof(bytes));
    ck_assert_int_eq(mip6_ack_decode(bytes, len, &out), MIP6_DECODED);
    ck_assert(!out.key_management);
    ck_assert_uint_eq(out.lifetime, 300);
}
END_TEST

START_TEST(error_decoded)
{
    uint8_t bytes[MESSAGE_MAX], status;
    const size_t len = hex_bytes(ERROR, bytes, sizeof(bytes));
    struct addr about;
    ck_assert(mip6_error_decode(bytes, len, &status, &about));
    ck_assert_uint_eq(status, 2);
    ck_assert(addr_equal(&about, &home));
    for (size_t cut = 1; cut <= len; cut++)
        ck_assert(!mip6_error_decode(bytes, len - cut, &status, &about));
}
END_TEST

#define MH_AUTH  "091101 00000100 000000000000000000000000"
#define AAA_AUTH "091102 00000101 000000000000000000000000"

/* Options behind an update's or acknowledgement's fixed part. */
static const struct {
    const char *what, *hex;
    bool malformed;
    int mobile_home, mobile_aaa; /* how many */
    bool misplaced;
    const char *nai;
} walks[] = {
    {"padding alone", "01020000", false, 0, 0, false, NULL},
    {"four Pad1", "00000000", false, 0, 0, false, NULL},
    {"authentication, really last", "00" MH_AUTH, false, 1, 0, false, NULL},
    {"authentication, padded behind", MH_AUTH "00", false, 1, 0, false, NULL},
    {"authentication, PadN behind", "000000" MH_AUTH "010400000000", false, 1, 0, false, NULL},
    {"both authentications", "00" MH_AUTH "00" AAA_AUTH "01020000", false, 1, 1, false, NULL},
    {"mobile - AAA alone", "00" AAA_AUTH, false, 0, 1, false, NULL},
    {"mobile - AAA first", "00" AAA_AUTH "00" MH_AUTH "01020000", false, 1, 1, true, NULL},
    {"two of one subtype", "00" MH_AUTH "00" MH_AUTH "01020000", false, 2, 0, false, NULL},
    {"an option behind the authentication", "00" MH_AUTH "0a080000000000000001010400000000", false, 1, 0,
     true, NULL},
    {"an unknown option behind the authentication", "00" MH_AUTH "fe06000000000000", false, 1, 0, true, NULL},
    {"authentication of an unknown subtype behind it", "00" MH_AUTH "090603000001000000", false, 1, 0, false,
     NULL},
    {"authentication of 4 bytes", "0904 01000001 01040000", true, 0, 0, false, NULL},
    {"authentication of 5 bytes", "0905 0100000100 0103000000", false, 1, 0, false, NULL},
    {"unknown options are skipped", "fe06090501000000 00 0905 0100000100 01020000", false, 1, 0, false, NULL},
    {"an option runs past the end", "fe030000", true, 0, 0, false, NULL},
    {"an option without its length", "01010009", true, 0, 0, false, NULL},
    {"PadN runs past the end", "01030000", true, 0, 0, false, NULL},
    {"alternate care-of of 15 bytes", "030f000000000000000000000000000000000100", true, 0, 0, false, NULL},
    {"timestamp of 7 bytes", "0a070000000000000001010000", true, 0, 0, false, NULL},
    {"nonce indices of 3 bytes", "04030000000101000000000000", true, 0, 0, false, NULL},
    {"refresh advice of 1 byte", "02010000", true, 0, 0, false, NULL},
    {"identifier of no byte", "08000100", true, 0, 0, false, NULL},
    {"identifier", "080401614062 0104 00000000", false, 0, 0, false, "a@b"},
    {"empty identifier", "08010100", false, 0, 0, false, ""},
    {"identifier of another subtype", "080402614062 0104 00000000", false, 0, 0, false, NULL},
    {"what came before a fault is kept", "080401614062 0109 00000000", true, 0, 0, false, "a@b"},
};

/* A message with these options in a block of just its size; their length makes it whole. */
static uint8_t *walk_message(int i, uint8_t type, size_t *len)
{
    uint8_t bytes[MESSAGE_MAX] = {59, 0, type};
    *len = 12 + hex_bytes(walks[i].hex, bytes + 12, sizeof(bytes) - 12);
    /* Where a row is no multiple of eight it gets Pad1, unless it is to end there. */
    while (*len % 8 != 0 && !walks[i].malformed)
        bytes[(*len)++] = 0;
    *len = (*len + 7) / 8 * 8;
    bytes[1] = (uint8_t)(*len / 8 - 1);
    return exact(bytes, *len);
}

static void check_options(int i, const struct mip6_options *options)
{
    ck_assert_msg(options->mobile_home.count == walks[i].mobile_home, "%s", walks[i].what);
    ck_assert_msg(options->mobile_aaa.count == walks[i].mobile_aaa, "%s", walks[i].what);
    ck_assert_msg(options->auth_misplaced == walks[i].misplaced, "%s", walks[i].what);
    ck_assert_msg((options->nai != NULL) == (walks[i].nai != NULL), "%s", walks[i].what);
    if (walks[i].nai == NULL)
        return;
    ck_assert_uint_eq(options->nai_len, strlen(walks[i].nai));
    ck_assert_mem_eq(options->nai, walks[i].nai, options->nai_len);
}

START_TEST(walked)
{
    const enum mip6_decode right = walks[_i].malformed ? MIP6_MALFORMED_OPTIONS : MIP6_DECODED;
    struct mip6_update update;
    struct mip6_ack ack;
    size_t len;
    uint8_t *message = walk_message(_i, MIP6_UPDATE, &len);
    ck_assert_msg(mip6_update_decode(message, len, &update) == right, "%s", walks[_i].what);
    check_options(_i, &update.options);
    ck_assert_msg(mip6_ack_decode(message, len, &ack) == right, "%s", walks[_i].what);
    check_options(_i, &ack.options);
    free(message);
}
END_TEST

START_TEST(lone_options)
{
    uint8_t bytes[MESSAGE_MAX];
    struct mip6_ack ack;
    struct mip6_update update;
    size_t len = hex_bytes("3b010600 0000 00000001 012c 02020102", bytes, sizeof(bytes));
    ck_assert_int_eq(mip6_ack_decode(bytes, len, &ack), MIP6_DECODED);
    ck_assert(ack.options.has_refresh_advice);
    ck_assert_uint_eq(ack.options.refresh_advice, 0x0102);
    len = hex_bytes("3b020500 0000 0001c000000f 0404 00010002 010400000000", bytes, sizeof(bytes));
    ck_assert_int_eq(mip6_update_decode(bytes, len, &update), MIP6_DECODED);
    ck_assert(update.options.has_nonce_indices);
}
END_TEST

START_TEST(what_stands_behind_the_message_is_not_read)
{
    uint8_t bytes[MESSAGE_MAX];
    struct mip6_update out;
    const size_t len = hex_bytes(UPDATE "0900" MH_AUTH, bytes, sizeof(bytes));
    ck_assert_int_eq(mip6_update_decode(bytes, len, &out), MIP6_DECODED);
    ck_assert_uint_eq(out.options.mobile_home.count, 0);
    for (size_t cut = 0; cut < 16; cut++)
        ck_assert_int_eq(mip6_update_decode(bytes, cut, &out), MIP6_MALFORMED_OPTIONS);
}
END_TEST

/* ---- RFC 4285 section 5.1 ---- */
static const struct {
    const char *hex;
    bool at_home;
} signed_messages[] = {
    {UPDATE_FULL, false}, {UPDATE_SIGNED, false}, {UPDATE_NAI, false}, {UPDATE_HOME, true}, {ACK_FULL, false},
};

static bool verifies(const uint8_t *bytes, size_t len, bool at_home)
{
    struct mip6_update out;
    return mip6_update_decode(bytes, len, &out) == MIP6_DECODED &&
           mip6_auth_verify(bytes, len, &out.options.mobile_home, &key, at_home ? &home : &care_of, &home,
                            auth);
}

START_TEST(authenticator_covers_what_it_should)
{
    uint8_t bytes[MESSAGE_MAX] = {0};
    const size_t len = hex_bytes(signed_messages[_i].hex, bytes, sizeof(bytes));
    const bool at_home = signed_messages[_i].at_home;
    ck_assert(verifies(bytes, len, at_home));
    for (size_t i = 0; i < len; i++) {
        const bool is_checksum = i == 4 || i == 5;
        bytes[i] ^= 1;
        ck_assert_msg(verifies(bytes, len, at_home) == is_checksum, "byte %zu", i);
        bytes[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof(home.b); i++) {
        home.b[i] ^= 1;
        ck_assert(!verifies(bytes, len, at_home));
        home.b[i] ^= 1;
        care_of.b[i] ^= 1;
        ck_assert(verifies(bytes, len, at_home) == at_home);
        care_of.b[i] ^= 1;
    }
    key.bytes[15] ^= 1;
    ck_assert(!verifies(bytes, len, at_home));
}
END_TEST

START_TEST(authenticator_of_another_form)
{
    uint8_t bytes[MESSAGE_MAX];
    const size_t len = hex_bytes(UPDATE_SIGNED, bytes, sizeof(bytes));
    struct mip6_update out;
    ck_assert_int_eq(mip6_update_decode(bytes, len, &out), MIP6_DECODED);
    const struct mip6_auth right = out.options.mobile_home;
    struct mip6_auth option = right;
    ck_assert(mip6_auth_verify(bytes, len, &option, &key, &care_of, &home, auth));
    option.authenticator_len = 11;
    ck_assert(!mip6_auth_verify(bytes, len, &option, &key, &care_of, &home, auth));
    option.authenticator_len = 20;
    ck_assert(!mip6_auth_verify(bytes, len, &option, &key, &care_of, &home, auth));
    option = right;
    option.count = 2;
    ck_assert(!mip6_auth_verify(bytes, len, &option, &key, &care_of, &home, auth));
    option = (struct mip6_auth){0};
    ck_assert(!mip6_auth_verify(bytes, len, &option, &key, &care_of, &home, auth));
    key.algorithm = AUTH_HMAC_MD5;
    ck_assert(!mip6_auth_verify(bytes, len, &right, &key, &care_of, &home, auth));
}
END_TEST

START_TEST(padding_behind_the_authentication_is_read_over)
{
    /* As others may lay it out: at an even 4n + 1, signed with the final header length. */
    uint8_t bytes[MESSAGE_MAX];
    struct writer w = writer_over(bytes, sizeof(bytes));
    begin_update(&w, 1, MIP6_HOME_REGISTRATION, 15);
    static const uint8_t front[] = {1, 3, 0, 0, 0, 9, 17, 1, 0, 0, 1, 0};
    write_bytes(&w, front, sizeof(front));
    bytes[1] = 4;
    uint8_t data[2 * 16 + MESSAGE_MAX], right[AUTH_MAX];
    memcpy(data, care_of.b, 16);
    memcpy(data + 16, home.b, 16);
    memcpy(data + 32, bytes, writer_len(&w));
    ck_assert(auth_sign(auth, &key, data, 32 + writer_len(&w), right));
    write_bytes(&w, right, MIP6_AUTHENTICATOR);
    ck_assert(mip6_finish(&w, &home, &home_agent));
    ck_assert_uint_eq(writer_len(&w), 40);
    ck_assert(verifies(bytes, writer_len(&w), false));
}
END_TEST

START_TEST(signed_message_ends_with_its_authenticator)
{
    for (size_t nai = 0; nai < 17; nai++) {
        uint8_t bytes[MESSAGE_MAX];
        struct writer w = writer_over(bytes, sizeof(bytes));
        begin_update(&w, 1, MIP6_HOME_REGISTRATION, 15);
        mip6_append_identifier(&w, "0123456789abcdef", nai);
        ck_assert(mip6_append_auth(&w, 256, &key, &care_of, &home, auth));
        const size_t len = writer_len(&w);
        ck_assert_uint_eq(len % 8, 0);
        ck_assert(mip6_finish(&w, &home, &home_agent));
        ck_assert_uint_eq(writer_len(&w), len);
        ck_assert(verifies(bytes, len, false));
    }
}
END_TEST

START_TEST(no_room)
{
    uint8_t bytes[MESSAGE_MAX];
    for (size_t room = 0; room < 64; room++) {
        struct writer w = writer_over(bytes, room);
        begin_update(&w, 1, MIP6_HOME_REGISTRATION, 15);
        mip6_append_alternate_care_of(&w, &care_of);
        mip6_append_timestamp(&w, 1);
        ck_assert(!mip6_append_auth(&w, 256, &key, &care_of, &home, auth));
        ck_assert(w.failed);
        ck_assert(!mip6_finish(&w, &home, &home_agent));
    }
}
END_TEST

START_TEST(longest)
{
    uint8_t bytes[MESSAGE_MAX + 512];
    static const char nai[256];
    struct writer w = writer_over(bytes, sizeof(bytes));
    begin_update(&w, 1, MIP6_HOME_REGISTRATION, 15);
    for (int i = 0; i < 7; i++)
        mip6_append_identifier(&w, nai, 254);
    struct writer longer = w;
    mip6_append_identifier(&w, nai, 2036 - 12 - 7 * 257 - 3);
    ck_assert(mip6_finish(&w, &home, &home_agent));
    ck_assert_uint_eq(writer_len(&w), 2040);
    mip6_append_identifier(&longer, nai, 254);
    ck_assert(!mip6_finish(&longer, &home, &home_agent));

    w = writer_over(bytes, sizeof(bytes));
    begin_update(&w, 1, MIP6_HOME_REGISTRATION, 15);
    mip6_append_identifier(&w, nai, 255);
    ck_assert(!mip6_finish(&w, &home, &home_agent));
}
END_TEST

START_TEST(unusable_key_fails)
{
    uint8_t bytes[MESSAGE_MAX];
    struct writer w = writer_over(bytes, sizeof(bytes));
    key.algorithm = AUTH_HMAC_SHA256;
    begin_update(&w, 1, MIP6_HOME_REGISTRATION, 15);
    ck_assert(!mip6_append_auth(&w, 256, &key, &care_of, &home, auth));
    ck_assert(w.failed);
}
END_TEST

static const struct {
    uint8_t status;
    bool success;
    const char *text;
} statuses[] = {
    {0, true, "binding update accepted"},
    {1, true, "accepted, but prefix discovery is necessary"},
    {2, true, "accepted, unlisted status 2-127"},
    {127, true, "accepted, unlisted status 2-127"},
    {128, false, "reason unspecified"},
    {135, false, "sequence number out of window"},
    {146, false, "mobile node failed authentication"},
    {174, false, "invalid care-of address"},
    {255, false, "refused, unlisted status 128-255"},
};

START_TEST(status_texts)
{
    ck_assert_str_eq(mip6_status_text(statuses[_i].status), statuses[_i].text);
    ck_assert_int_eq(mip6_status_is_success(statuses[_i].status), statuses[_i].success);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("mip6");
    TCase *tc = tcase_create("mip6");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, encoded, 0, ROWS(encodings));
    tcase_add_loop_test(tc, checked, 0, ROWS(checks));
    tcase_add_test(tc, checksum_covers_every_byte_and_both_addresses);
    tcase_add_test(tc, update_decoded);
    tcase_add_test(tc, update_of_another_decoded);
    tcase_add_test(tc, ack_decoded);
    tcase_add_test(tc, error_decoded);
    tcase_add_loop_test(tc, walked, 0, ROWS(walks));
    tcase_add_test(tc, lone_options);
    tcase_add_test(tc, what_stands_behind_the_message_is_not_read);
    tcase_add_loop_test(tc, authenticator_covers_what_it_should, 0, ROWS(signed_messages));
    tcase_add_test(tc, authenticator_of_another_form);
    tcase_add_test(tc, padding_behind_the_authentication_is_read_over);
    tcase_add_test(tc, signed_message_ends_with_its_authenticator);
    tcase_add_test(tc, no_room);
    tcase_add_test(tc, longest);
    tcase_add_test(tc, unusable_key_fails);
    tcase_add_loop_test(tc, status_texts, 0, ROWS(statuses));
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
