/* SPDX-License-Identifier: BSD-3-Clause */
#include "mip6.h"

#include <openssl/crypto.h>

#include "inet.h"

enum { LENGTH_UNIT = 8, HEADER = 6, OFFSET_LENGTH = 1, OFFSET_CHECKSUM = 4, CHECKSUM = 2 };
enum { ACK_KEY_MANAGEMENT = 0x80, NAI_SUBTYPE = 1 };
enum { AUTH_MOBILE_HOME = 1, AUTH_MOBILE_AAA = 2, AUTH_FIXED = 1 + 4 /* subtype, SPI */ };

/* ---- Status ---- */
const char *mip6_status_text(uint8_t status)
{
    switch (status) {
#define X(name, number, text) \
    case number:              \
        return text;
        MIP6_STATUSES(X)
#undef X
    default:
        return mip6_status_is_success(status) ? "accepted, unlisted status 2-127"
                                              : "refused, unlisted status 128-255";
    }
}

bool mip6_status_is_success(uint8_t status)
{
    return status < 128;
}

/* ---- Mobility Header ---- */

/* Bytes of the message by its Header Len; what stands behind belongs to nobody (RFC 8200 section 4.7). 0: it
 * says more than there are. */
static size_t message_size(const uint8_t *message, size_t len)
{
    const size_t size = len < LENGTH_UNIT ? 0 : ((size_t)message[OFFSET_LENGTH] + 1) * LENGTH_UNIT;
    return size <= len ? size : 0;
}

/* RFC 6275 section 6.1: the fixed part of each type in whole units. 0: the type is not known. */
static size_t size_min(uint8_t type)
{
    switch (type) {
    case MIP6_REFRESH_REQUEST:
        return 8;
    case MIP6_HOME_TEST_INIT:
    case MIP6_CARE_OF_TEST_INIT:
    case MIP6_UPDATE:
    case MIP6_ACK:
        return 16;
    case MIP6_HOME_TEST:
    case MIP6_CARE_OF_TEST:
    case MIP6_ERROR:
        return 24;
    default:
        return 0;
    }
}

static uint16_t checksum_of(const uint8_t *message, size_t size, const struct addr *source,
                            const struct addr *destination)
{
    return inet_finish(
        inet_sum(ip_pseudo_sum(source, destination, IPPROTO_NUM_MOBILITY, size), message, size));
}

enum mip6_decode mip6_check(const uint8_t *message, size_t len, const struct addr *source,
                            const struct addr *destination, enum mip6_type *type)
{
    const size_t size = message_size(message, len);
    if (size == 0)
        return MIP6_TOO_SHORT;
    if (checksum_of(message, size, source, destination) != 0)
        return MIP6_BAD_CHECKSUM;
    *type = (enum mip6_type)message[2];
    if (size_min(message[2]) == 0)
        return MIP6_UNKNOWN_TYPE;
    if (message[0] != MIP6_NO_NEXT_HEADER)
        return MIP6_BAD_PAYLOAD_PROTO;
    return size < size_min(message[2]) ? MIP6_BAD_LENGTH : MIP6_DECODED;
}

/* ---- Options, decoded ---- */
struct option {
    uint8_t type;
    uint8_t len; /* of its data */
    const uint8_t *data;
};

/* The shortest data an option of this type can make sense with. */
static size_t data_min(uint8_t type)
{
    switch (type) {
    case MIP6_OPT_REFRESH_ADVICE:
        return 2;
    case MIP6_OPT_ALTERNATE_CARE_OF:
        return sizeof(struct addr);
    case MIP6_OPT_NONCE_INDICES:
        return 4;
    case MIP6_OPT_IDENTIFIER:
        return 1; /* the subtype (RFC 4283 section 3) */
    case MIP6_OPT_AUTHENTICATION:
        return AUTH_FIXED;
    case MIP6_OPT_REPLAY:
        return 8;
    default:
        return 0;
    }
}

/* False: it runs past the end, or is shorter than its kind. */
static bool option_read(struct reader *r, struct option *o)
{
    *o = (struct option){.type = read_u8(r)};
    o->data = r->at;
    if (o->type == MIP6_OPT_PAD1)
        return !r->failed;
    o->len = read_u8(r);
    o->data = read_bytes(r, o->len);
    return !r->failed && o->len >= data_min(o->type);
}

static void auth_keep(struct mip6_auth *auth, const struct option *o, const uint8_t *message)
{
    if (auth->count > 0) {
        auth->count += auth->count < UINT8_MAX;
        return;
    }
    struct reader r = reader_over(o->data + 1, o->len - 1U);
    auth->spi = read_u32(&r);
    auth->authenticator = r.at;
    auth->authenticator_len = (uint16_t)reader_left(&r);
    auth->covered = (uint16_t)(r.at - message);
    auth->count = 1;
}

static void authentication_keep(struct mip6_options *out, const struct option *o, const uint8_t *message)
{
    switch (o->data[0]) {
    case AUTH_MOBILE_HOME:
        /* RFC 4285 section 5: behind mobile - AAA the message is void. */
        out->auth_misplaced |= out->mobile_aaa.count > 0;
        auth_keep(&out->mobile_home, o, message);
        break;
    case AUTH_MOBILE_AAA:
        auth_keep(&out->mobile_aaa, o, message);
        break;
    default:
        break; /* of a kind that we do not know */
    }
}

static void option_keep(struct mip6_options *out, const struct option *o, const uint8_t *message)
{
    struct reader r = reader_over(o->data, o->len);
    switch (o->type) {
    case MIP6_OPT_REFRESH_ADVICE:
        out->has_refresh_advice = true;
        out->refresh_advice = read_u16(&r);
        break;
    case MIP6_OPT_ALTERNATE_CARE_OF:
        out->has_alternate_care_of = true;
        memcpy(out->alternate_care_of.b, o->data, sizeof(out->alternate_care_of.b));
        break;
    case MIP6_OPT_NONCE_INDICES:
        out->has_nonce_indices = true;
        break;
    case MIP6_OPT_IDENTIFIER:
        if (o->data[0] != NAI_SUBTYPE)
            break;
        out->nai = o->data + 1;
        out->nai_len = (uint8_t)(o->len - 1);
        break;
    case MIP6_OPT_AUTHENTICATION:
        authentication_keep(out, o, message);
        break;
    case MIP6_OPT_REPLAY:
        out->has_timestamp = true;
        out->timestamp = read_u64(&r);
        break;
    default:
        break; /* skipped: RFC 6275 section 6.2.1 */
    }
}

/* What may follow the mobile - home authentication option, which covers none of it (RFC 4285 section 5.1):
 * padding, and other authentication. */
static bool may_be_unsigned(uint8_t type)
{
    return type == MIP6_OPT_PAD1 || type == MIP6_OPT_PADN || type == MIP6_OPT_AUTHENTICATION;
}

/* r stands behind the fixed part of the message. */
static enum mip6_decode options_decode(struct reader *r, const uint8_t *message, struct mip6_options *out)
{
    while (reader_left(r) > 0) {
        struct option o;
        if (!option_read(r, &o))
            return MIP6_MALFORMED_OPTIONS;
        out->auth_misplaced |= out->mobile_home.count > 0 && !may_be_unsigned(o.type);
        option_keep(out, &o, message);
    }
    return r->failed ? MIP6_MALFORMED_OPTIONS : MIP6_DECODED;
}

/* ---- Messages, decoded ---- */

/* Over what follows the Mobility Header's own fields; failed where there is no such message. */
static struct reader reader_behind_header(const uint8_t *message, size_t len)
{
    struct reader r = reader_over(message, message_size(message, len));
    read_bytes(&r, HEADER);
    return r;
}

enum mip6_decode mip6_update_decode(const uint8_t *message, size_t len, struct mip6_update *out)
{
    *out = (struct mip6_update){0};
    struct reader r = reader_behind_header(message, len);
    out->sequence = read_u16(&r);
    out->flags = read_u16(&r);
    out->lifetime = read_u16(&r);
    return options_decode(&r, message, &out->options);
}

enum mip6_decode mip6_ack_decode(const uint8_t *message, size_t len, struct mip6_ack *out)
{
    *out = (struct mip6_ack){0};
    struct reader r = reader_behind_header(message, len);
    out->status = read_u8(&r);
    out->key_management = (read_u8(&r) & ACK_KEY_MANAGEMENT) != 0;
    out->sequence = read_u16(&r);
    out->lifetime = read_u16(&r);
    return options_decode(&r, message, &out->options);
}

bool mip6_error_decode(const uint8_t *message, size_t len, uint8_t *status, struct addr *home)
{
    struct reader r = reader_behind_header(message, len);
    const uint8_t said = read_u8(&r);
    read_u8(&r); /* reserved */
    const uint8_t *address = read_bytes(&r, sizeof(*home));
    if (address == NULL)
        return false;
    *status = said;
    memcpy(home->b, address, sizeof(home->b));
    return true;
}

/* ---- Encoding ---- */
static void header_begin(struct writer *w, enum mip6_type type)
{
    write_u8(w, MIP6_NO_NEXT_HEADER);
    write_u8(w, 0); /* Header Len, in the end */
    write_u8(w, (uint8_t)type);
    write_u8(w, 0);
    write_u16(w, 0); /* the checksum */
}

static void pad(struct writer *w, size_t n)
{
    if (n == 1) {
        write_u8(w, MIP6_OPT_PAD1);
    } else if (n > 1) {
        static const uint8_t zeros[LENGTH_UNIT];
        write_u8(w, MIP6_OPT_PADN);
        write_u8(w, (uint8_t)(n - 2));
        write_bytes(w, zeros, n - 2);
    }
}

/* Pads until the message is so many bytes beyond a multiple of eight. */
static void align(struct writer *w, size_t beyond)
{
    pad(w, (LENGTH_UNIT + beyond - writer_len(w) % LENGTH_UNIT) % LENGTH_UNIT);
}

/* The header length of a message of `size` bytes. */
static void length_fill(struct writer *w, size_t size)
{
    w->failed |= size > MIP6_MESSAGE_MAX;
    if (!w->failed)
        w->start[OFFSET_LENGTH] = (uint8_t)(size / LENGTH_UNIT - 1);
}

void mip6_update_begin(struct writer *w, const struct mip6_update *update)
{
    header_begin(w, MIP6_UPDATE);
    write_u16(w, update->sequence);
    write_u16(w, update->flags);
    write_u16(w, update->lifetime);
}

void mip6_ack_begin(struct writer *w, const struct mip6_ack *ack)
{
    header_begin(w, MIP6_ACK);
    write_u8(w, ack->status);
    write_u8(w, ack->key_management ? ACK_KEY_MANAGEMENT : 0);
    write_u16(w, ack->sequence);
    write_u16(w, ack->lifetime);
}

static void option_begin(struct writer *w, enum mip6_option_type type, size_t len)
{
    w->failed |= len > UINT8_MAX;
    write_u8(w, (uint8_t)type);
    write_u8(w, (uint8_t)len);
}

void mip6_append_alternate_care_of(struct writer *w, const struct addr *care_of)
{
    align(w, 6);
    option_begin(w, MIP6_OPT_ALTERNATE_CARE_OF, sizeof(care_of->b));
    write_bytes(w, care_of->b, sizeof(care_of->b));
}

void mip6_append_identifier(struct writer *w, const void *nai, size_t len)
{
    option_begin(w, MIP6_OPT_IDENTIFIER, 1 + len);
    write_u8(w, NAI_SUBTYPE);
    write_bytes(w, nai, len);
}

void mip6_append_timestamp(struct writer *w, uint64_t timestamp)
{
    align(w, 2);
    option_begin(w, MIP6_OPT_REPLAY, sizeof(timestamp));
    write_u64(w, timestamp);
}

/* HMAC_SHA1(key, care-of address | home address | MH Data), whole (RFC 4285 section 5.1; which addresses
 * these are, by RFC 6275 section 6.2.7). */
static bool authenticator_of(const uint8_t *message, size_t covered, const struct auth_key *key,
                             const struct addr *care_of, const struct addr *home, struct auth *auth,
                             uint8_t out[static AUTH_MAX])
{
    uint8_t data[2 * sizeof(struct addr) + MIP6_MESSAGE_MAX];
    uint8_t *mh = data + 2 * sizeof(struct addr);
    if (key->algorithm != AUTH_HMAC_SHA1 || covered < HEADER || covered > MIP6_MESSAGE_MAX)
        return false;
    memcpy(data, care_of->b, sizeof(care_of->b));
    memcpy(data + sizeof(care_of->b), home->b, sizeof(home->b));
    memcpy(mh, message, covered);
    memset(mh + OFFSET_CHECKSUM, 0, CHECKSUM);
    return auth_sign(auth, key, data, (size_t)(mh - data) + covered, out);
}

bool mip6_append_auth(struct writer *w, uint32_t spi, const struct auth_key *key, const struct addr *care_of,
                      const struct addr *home, struct auth *auth)
{
    uint8_t authenticator[AUTH_MAX];
    /* An odd 4n + 1: the message then ends with this option's end. So it is really the last one, and no
     * padding is left unsigned. */
    align(w, 5);
    option_begin(w, MIP6_OPT_AUTHENTICATION, AUTH_FIXED + MIP6_AUTHENTICATOR);
    write_u8(w, AUTH_MOBILE_HOME);
    write_u32(w, spi);
    length_fill(w, writer_len(w) + MIP6_AUTHENTICATOR);
    if (w->failed || !authenticator_of(w->start, writer_len(w), key, care_of, home, auth, authenticator)) {
        w->failed = true;
        return false;
    }
    write_bytes(w, authenticator, MIP6_AUTHENTICATOR);
    return !w->failed;
}

bool mip6_finish(struct writer *w, const struct addr *source, const struct addr *destination)
{
    align(w, 0);
    length_fill(w, writer_len(w));
    if (w->failed)
        return false;
    const uint16_t sum = checksum_of(w->start, writer_len(w), source, destination);
    w->start[OFFSET_CHECKSUM] = (uint8_t)(sum >> 8);
    w->start[OFFSET_CHECKSUM + 1] = (uint8_t)sum;
    return true;
}

void mip6_error_encode(struct writer *w, uint8_t status, const struct addr *home, const struct addr *source,
                       const struct addr *destination)
{
    header_begin(w, MIP6_ERROR);
    write_u8(w, status);
    write_u8(w, 0);
    write_bytes(w, home->b, sizeof(home->b));
    mip6_finish(w, source, destination);
}

bool mip6_auth_verify(const uint8_t *message, size_t len, const struct mip6_auth *option,
                      const struct auth_key *key, const struct addr *care_of, const struct addr *home,
                      struct auth *auth)
{
    uint8_t right[AUTH_MAX];
    return option->count == 1 && option->authenticator_len == MIP6_AUTHENTICATOR && option->covered <= len &&
           authenticator_of(message, option->covered, key, care_of, home, auth, right) &&
           CRYPTO_memcmp(right, option->authenticator, MIP6_AUTHENTICATOR) == 0;
}
