/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registration decoders: whatever they make of the bytes points into the bytes, and the fixed part,
 * encoded again, is the same but for the flags r and x. The input is the message.
 */
#include "fuzz.h"
#include "mip4.h"

enum { FLAGS_IGNORED = 0x05, AUTH_HEADER = 6 };

static void check_span(const struct mip4_span *span, const uint8_t *message, size_t len)
{
    if (span->bytes == NULL) {
        fuzz_require(span->len == 0 && span->offset == 0);
        return;
    }
    fuzz_require(span->offset < len);
    fuzz_require(span->bytes > message + span->offset);
    fuzz_require(span->bytes <= message + len && span->len <= (size_t)(message + len - span->bytes));
}

static void check_auth(const struct mip4_auth *auth, uint8_t type, const uint8_t *message, size_t len)
{
    if (auth->count == 0) {
        fuzz_require(auth->authenticator == NULL && auth->covered == 0 && auth->authenticator_len == 0);
        return;
    }
    fuzz_require(message[auth->offset] == type);
    fuzz_require(auth->covered == auth->offset + AUTH_HEADER);
    fuzz_require(auth->authenticator == message + auth->covered);
    fuzz_require((size_t)auth->covered + auth->authenticator_len <= len);
}

static void check_extensions(const struct mip4_extensions *ext, const uint8_t *message, size_t len)
{
    check_auth(&ext->mobile_home, MIP4_EXT_MOBILE_HOME_AUTH, message, len);
    check_auth(&ext->mobile_foreign, MIP4_EXT_MOBILE_FOREIGN_AUTH, message, len);
    check_auth(&ext->foreign_home, MIP4_EXT_FOREIGN_HOME_AUTH, message, len);
    check_span(&ext->nai, message, len);
    check_span(&ext->challenge, message, len);
    check_span(&ext->udp_tunnel_request, message, len);
    check_span(&ext->udp_tunnel_reply, message, len);
    check_span(&ext->dynamic_home_agent, message, len);
}

static void check_request(const uint8_t *message, size_t len)
{
    struct mip4_request request;
    if (mip4_request_decode(message, len, &request) == MIP4_TOO_SHORT)
        return;
    check_extensions(&request.ext, message, len);

    uint8_t again[MIP4_REQUEST_FIXED];
    struct writer w = writer_over(again, sizeof(again));
    mip4_request_encode(&w, &request);
    fuzz_require(!w.failed && writer_len(&w) == sizeof(again));
    fuzz_require(again[1] == (message[1] & ~FLAGS_IGNORED));
    again[1] = message[1];
    fuzz_require(memcmp(again, message, sizeof(again)) == 0);
}

static void check_reply(const uint8_t *message, size_t len)
{
    struct mip4_reply reply;
    if (mip4_reply_decode(message, len, &reply) == MIP4_TOO_SHORT)
        return;
    check_extensions(&reply.ext, message, len);
    fuzz_require(mip4_code_text(reply.code)[0] != '\0');

    uint8_t again[MIP4_REPLY_FIXED];
    struct writer w = writer_over(again, sizeof(again));
    mip4_reply_encode(&w, &reply);
    fuzz_require(!w.failed && writer_len(&w) == sizeof(again));
    fuzz_require(memcmp(again, message, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_request(data, size);
    check_reply(data, size);
    return 0;
}

static void append_auth(struct writer *w, uint8_t type)
{
    uint8_t body[20] = {0, 0, 1, 0};
    mip4_append(w, type, body, sizeof(body));
}

static void append_all(struct writer *w)
{
    static const uint8_t generalized[24] = {MIP4_EXT_GENERALIZED_AUTH, 1, 0, 20};
    static const uint8_t redirected[8] = {MIP4_EXT_DYNAMIC_HOME_AGENT, 2, 0, 4, 10, 1, 0, 3};
    static const uint8_t tunnel[6] = {0, 0, 0x80, 4, 0, 0};
    mip4_append(w, MIP4_EXT_NAI, "mn@example", 10);
    mip4_append(w, MIP4_EXT_CHALLENGE, "abcd", 4);
    mip4_append(w, MIP4_EXT_UDP_TUNNEL_REQUEST, tunnel, sizeof(tunnel));
    mip4_append(w, MIP4_EXT_UDP_TUNNEL_REPLY, tunnel, sizeof(tunnel));
    mip4_append(w, MIP4_EXT_ENCAPSULATING_DELIVERY, NULL, 0);
    write_bytes(w, redirected, sizeof(redirected));
    append_auth(w, MIP4_EXT_MOBILE_HOME_AUTH);
    write_u8(w, MIP4_EXT_PAD);
    append_auth(w, MIP4_EXT_MOBILE_FOREIGN_AUTH);
    write_bytes(w, generalized, sizeof(generalized));
    append_auth(w, MIP4_EXT_FOREIGN_HOME_AUTH);
}

size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX])
{
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    struct mip4_request request = {.flags = MIP4_COLOCATED, .lifetime_s = 1800, .identification = 1};
    struct mip4_reply reply = {.lifetime_s = 1800, .identification = 1};
    switch (n) {
    case 0:
        mip4_request_encode(&w, &request);
        append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH);
        return writer_len(&w);
    case 1:
        mip4_request_encode(&w, &request);
        append_all(&w);
        return writer_len(&w);
    case 2:
        mip4_reply_encode(&w, &reply);
        append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH);
        return writer_len(&w);
    case 3:
        mip4_reply_encode(&w, &reply);
        append_all(&w);
        return writer_len(&w);
    default:
        return 0;
    }
}
