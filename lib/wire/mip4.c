/* SPDX-License-Identifier: BSD-3-Clause */
#include "mip4.h"

enum { SPI_LEN = 4, SHORT_HEADER = 2, SHORT_DATA_MAX = 255 };
enum {
    FLAGS_KNOWN =
        MIP4_SIMULTANEOUS | MIP4_BROADCASTS | MIP4_COLOCATED | MIP4_MINIMAL | MIP4_GRE | MIP4_REVERSE_TUNNEL
};

static const char *unlisted_code_text(uint8_t code)
{
    if (code <= 8)
        return "accepted, code 2-8";
    if (code <= 63)
        return "denied, unassigned code 9-63";
    if (code <= 127)
        return "denied by the foreign agent, code 64-127";
    if (code <= 192)
        return "denied by the home agent, code 128-192";
    if (code <= 200)
        return "denied by the gateway foreign agent, code 193-200";
    return "denied, unassigned code 201-255";
}

const char *mip4_code_text(uint8_t code)
{
    switch (code) {
#define X(name, number, text) \
    case number:              \
        return text;
        MIP4_CODES(X)
#undef X
    default:
        return unlisted_code_text(code);
    }
}

bool mip4_code_is_success(uint8_t code)
{
    return code <= 8;
}

/* How an extension is laid out after its type byte. */
enum layout {
    LAYOUT_UNKNOWN, /* cannot be told, and the message is void anyway */
    LAYOUT_PAD,     /* nothing follows (RFC 5944 section 1.8) */
    LAYOUT_SHORT,   /* length (1), data */
    LAYOUT_LONG     /* subtype (1), length (2), data */
};

static enum layout layout_of(uint8_t type)
{
    switch (type) {
    case MIP4_EXT_PAD:
        return LAYOUT_PAD;
    case MIP4_EXT_GENERALIZED_AUTH:
    case MIP4_EXT_DYNAMIC_HOME_AGENT: /* skippable, but long all the same (RFC 4433 section 3.4) */
        return LAYOUT_LONG;
    case MIP4_EXT_MOBILE_HOME_AUTH:
    case MIP4_EXT_MOBILE_FOREIGN_AUTH:
    case MIP4_EXT_FOREIGN_HOME_AUTH:
    case MIP4_EXT_UDP_TUNNEL_REPLY:
        return LAYOUT_SHORT;
    default:
        /* RFC 5944 section 1.8: below 128 an extension must not be skipped. That holds for the critical
         * vendor extension 38 too: no vendor's is known here. */
        return type < 128 ? LAYOUT_UNKNOWN : LAYOUT_SHORT;
    }
}

/* The shortest data an extension of this type can make sense with. */
static size_t data_min(uint8_t type)
{
    switch (type) {
    case MIP4_EXT_MOBILE_HOME_AUTH:
    case MIP4_EXT_MOBILE_FOREIGN_AUTH:
    case MIP4_EXT_FOREIGN_HOME_AUTH:
        return SPI_LEN;
    case MIP4_EXT_GENERALIZED_AUTH:
        return 20; /* RFC 4721 section 5 */
    case MIP4_EXT_UDP_TUNNEL_REPLY:
    case MIP4_EXT_UDP_TUNNEL_REQUEST:
        return 6; /* RFC 3519 sections 3.1 and 3.2 */
    case MIP4_EXT_DYNAMIC_HOME_AGENT:
        return 4; /* RFC 4433 section 3.4 */
    default:
        return 0;
    }
}

struct extension {
    uint8_t type;
    uint16_t offset; /* of its type byte in the message */
    uint16_t len;    /* of its data */
    const uint8_t *data;
};

static enum mip4_decode extension_read(struct reader *r, const uint8_t *message, struct extension *e)
{
    *e = (struct extension){.offset = (uint16_t)(r->at - message)};
    e->type = read_u8(r);
    switch (layout_of(e->type)) {
    case LAYOUT_UNKNOWN:
        return MIP4_UNKNOWN_EXTENSION;
    case LAYOUT_PAD:
        return MIP4_DECODED;
    case LAYOUT_SHORT:
        e->len = read_u8(r);
        break;
    case LAYOUT_LONG:
        read_u8(r); /* the subtype: no rule here depends on it */
        e->len = read_u16(r);
        break;
    }
    e->data = read_bytes(r, e->len);
    return r->failed || e->len < data_min(e->type) ? MIP4_MALFORMED : MIP4_DECODED;
}

static void auth_keep(struct mip4_auth *auth, const struct extension *e)
{
    if (auth->count > 0) {
        auth->count += auth->count < UINT8_MAX;
        return;
    }
    struct reader r = reader_over(e->data, e->len);
    *auth = (struct mip4_auth){
        .spi = read_u32(&r),
        .authenticator = e->data + SPI_LEN,
        .authenticator_len = (uint16_t)(e->len - SPI_LEN),
        .covered = (uint16_t)(e->offset + SHORT_HEADER + SPI_LEN),
        .offset = e->offset,
        .count = 1,
    };
}

static void span_keep(struct mip4_span *span, const struct extension *e)
{
    if (span->bytes == NULL)
        *span = (struct mip4_span){.bytes = e->data, .len = e->len, .offset = e->offset};
}

static void extension_keep(struct mip4_extensions *ext, const struct extension *e)
{
    switch (e->type) {
    case MIP4_EXT_MOBILE_HOME_AUTH:
        auth_keep(&ext->mobile_home, e);
        break;
    case MIP4_EXT_MOBILE_FOREIGN_AUTH:
        auth_keep(&ext->mobile_foreign, e);
        break;
    case MIP4_EXT_FOREIGN_HOME_AUTH:
        auth_keep(&ext->foreign_home, e);
        break;
    case MIP4_EXT_GENERALIZED_AUTH:
        span_keep(&ext->generalized_auth, e);
        break;
    case MIP4_EXT_NAI:
        span_keep(&ext->nai, e);
        break;
    case MIP4_EXT_CHALLENGE:
        span_keep(&ext->challenge, e);
        break;
    case MIP4_EXT_UDP_TUNNEL_REQUEST:
        span_keep(&ext->udp_tunnel_request, e);
        break;
    case MIP4_EXT_UDP_TUNNEL_REPLY:
        span_keep(&ext->udp_tunnel_reply, e);
        break;
    case MIP4_EXT_DYNAMIC_HOME_AGENT:
        span_keep(&ext->dynamic_home_agent, e);
        break;
    default:
        break;
    }
}

/* r stands behind the fixed part of the message. Stops at the first fault. */
static enum mip4_decode extensions_decode(struct reader *r, const uint8_t *message,
                                          struct mip4_extensions *ext)
{
    while (reader_left(r) > 0) {
        struct extension e;
        enum mip4_decode result = extension_read(r, message, &e);
        if (result != MIP4_DECODED)
            return result;
        extension_keep(ext, &e);
    }
    return MIP4_DECODED;
}

static bool fixed_part_fits(const uint8_t *message, size_t len, size_t fixed, uint8_t type)
{
    /* Offsets are kept in 16 bits; no UDP payload is longer. */
    return len >= fixed && len <= UINT16_MAX && message[0] == type;
}

enum mip4_decode mip4_request_decode(const uint8_t *message, size_t len, struct mip4_request *out)
{
    *out = (struct mip4_request){0};
    if (!fixed_part_fits(message, len, MIP4_REQUEST_FIXED, MIP4_REQUEST))
        return MIP4_TOO_SHORT;
    struct reader r = reader_over(message, len);
    read_u8(&r); /* the type */
    out->flags = read_u8(&r) & FLAGS_KNOWN;
    out->lifetime_s = read_u16(&r);
    out->home = addr_from_ipv4(read_u32(&r));
    out->home_agent = addr_from_ipv4(read_u32(&r));
    out->care_of = addr_from_ipv4(read_u32(&r));
    out->identification = read_u64(&r);
    return extensions_decode(&r, message, &out->ext);
}

enum mip4_decode mip4_reply_decode(const uint8_t *message, size_t len, struct mip4_reply *out)
{
    *out = (struct mip4_reply){0};
    if (!fixed_part_fits(message, len, MIP4_REPLY_FIXED, MIP4_REPLY))
        return MIP4_TOO_SHORT;
    struct reader r = reader_over(message, len);
    read_u8(&r); /* the type */
    out->code = read_u8(&r);
    out->lifetime_s = read_u16(&r);
    out->home = addr_from_ipv4(read_u32(&r));
    out->home_agent = addr_from_ipv4(read_u32(&r));
    out->identification = read_u64(&r);
    return extensions_decode(&r, message, &out->ext);
}

void mip4_request_encode(struct writer *w, const struct mip4_request *request)
{
    write_u8(w, MIP4_REQUEST);
    write_u8(w, request->flags & FLAGS_KNOWN);
    write_u16(w, request->lifetime_s);
    write_u32(w, addr_ipv4(&request->home));
    write_u32(w, addr_ipv4(&request->home_agent));
    write_u32(w, addr_ipv4(&request->care_of));
    write_u64(w, request->identification);
}

void mip4_reply_encode(struct writer *w, const struct mip4_reply *reply)
{
    write_u8(w, MIP4_REPLY);
    write_u8(w, reply->code);
    write_u16(w, reply->lifetime_s);
    write_u32(w, addr_ipv4(&reply->home));
    write_u32(w, addr_ipv4(&reply->home_agent));
    write_u64(w, reply->identification);
}

void mip4_append(struct writer *w, uint8_t type, const void *data, size_t len)
{
    if (len > SHORT_DATA_MAX) {
        w->failed = true;
        return;
    }
    write_u8(w, type);
    write_u8(w, (uint8_t)len);
    write_bytes(w, data, len);
}

bool mip4_append_auth(struct writer *w, uint8_t type, uint32_t spi, const struct auth_key *key,
                      struct auth *auth)
{
    size_t size = auth_size(key->algorithm);
    write_u8(w, type);
    write_u8(w, (uint8_t)(SPI_LEN + size));
    write_u32(w, spi);
    if (w->failed)
        return false;

    uint8_t authenticator[AUTH_MAX];
    if (!auth_sign(auth, key, w->start, writer_len(w), authenticator)) {
        w->failed = true;
        return false;
    }
    write_bytes(w, authenticator, size);
    return !w->failed;
}

bool mip4_auth_verify(const uint8_t *message, const struct mip4_auth *ext, const struct auth_key *key,
                      struct auth *auth)
{
    return ext->count > 0 &&
           auth_verify(auth, key, message, ext->covered, ext->authenticator, ext->authenticator_len);
}
