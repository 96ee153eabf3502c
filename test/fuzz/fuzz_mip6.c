/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decoders of Mobile IPv6: whatever they make of the bytes points into the bytes, and the fixed part,
 * encoded again, is the same. The input is the message.
 */
#include "fuzz.h"
#include "mip6.h"
#include "mip6_discovery.h"

enum { AUTH_FIXED = 5, AUTH_HEADER = 7, UPDATE_FIXED = 12, ACK_FIXED = 12 };

static void check_auth(const struct mip6_auth *auth, uint8_t subtype, const uint8_t *message, size_t len)
{
    if (auth->count == 0) {
        fuzz_require(auth->authenticator == NULL && auth->covered == 0 && auth->authenticator_len == 0);
        return;
    }
    fuzz_require(auth->authenticator == message + auth->covered);
    fuzz_require((size_t)auth->covered + auth->authenticator_len <= len);
    const uint8_t *option = auth->authenticator - AUTH_HEADER;
    fuzz_require(option[0] == MIP6_OPT_AUTHENTICATION && option[2] == subtype);
    fuzz_require(option[1] == AUTH_FIXED + auth->authenticator_len);
}

static void check_options(const struct mip6_options *options, const uint8_t *message, size_t len)
{
    check_auth(&options->mobile_home, 1, message, len);
    check_auth(&options->mobile_aaa, 2, message, len);
    if (options->nai != NULL) {
        fuzz_require(options->nai > message && options->nai <= message + len);
        fuzz_require(options->nai_len <= (size_t)(message + len - options->nai));
        fuzz_require(options->nai[-3] == MIP6_OPT_IDENTIFIER && options->nai[-2] == 1 + options->nai_len);
    } else {
        fuzz_require(options->nai_len == 0);
    }
}

static void check_update(const uint8_t *message, size_t len)
{
    struct mip6_update update;
    if (mip6_update_decode(message, len, &update) != MIP6_DECODED)
        return;
    check_options(&update.options, message, len);

    uint8_t again[UPDATE_FIXED];
    struct writer w = writer_over(again, sizeof(again));
    mip6_update_begin(&w, &update);
    fuzz_require(!w.failed && writer_len(&w) == sizeof(again));
    fuzz_require(memcmp(again + 6, message + 6, sizeof(again) - 6) == 0);
}

static void check_ack(const uint8_t *message, size_t len)
{
    struct mip6_ack ack;
    if (mip6_ack_decode(message, len, &ack) != MIP6_DECODED)
        return;
    check_options(&ack.options, message, len);
    fuzz_require(mip6_status_text(ack.status)[0] != '\0');

    uint8_t again[ACK_FIXED];
    struct writer w = writer_over(again, sizeof(again));
    mip6_ack_begin(&w, &ack);
    fuzz_require(again[6] == message[6] && again[7] == (message[7] & 0x80));
    fuzz_require(memcmp(again + 8, message + 8, sizeof(again) - 8) == 0);
}

/* What passes the checks decodes to its fixed part at least. */
static void check_header(const uint8_t *message, size_t len)
{
    const struct addr source = {{0x20, 1}}, destination = {{0x20, 2}};
    enum mip6_type type = MIP6_REFRESH_REQUEST;
    struct addr home;
    uint8_t status;
    if (mip6_check(message, len, &source, &destination, &type) != MIP6_DECODED)
        return;
    fuzz_require(message[0] == MIP6_NO_NEXT_HEADER && message[2] == type);
    fuzz_require(8U * (message[1] + 1U) <= len);
    if (type == MIP6_ERROR)
        fuzz_require(mip6_error_decode(message, len, &status, &home));
}

static void check_discovery(const uint8_t *message, size_t len)
{
    const struct addr source = {{0x20, 1}}, destination = {{0x20, 2}};
    struct mip6_discovery first, second;
    uint8_t again[2048];
    if (!mip6_discovery_decode(message, len, &first))
        return;
    fuzz_require(first.n_addresses <= MIP6_HOME_AGENTS_MAX && first.n_prefixes <= ND_PREFIXES_MAX);
    struct writer w = writer_over(again, sizeof(again));
    mip6_discovery_encode(&w, &first, &source, &destination);
    fuzz_require(!w.failed && mip6_discovery_decode(again, writer_len(&w), &second));
    fuzz_require(first.type == second.type && first.identifier == second.identifier);
    fuzz_require(first.flags == second.flags && first.n_addresses == second.n_addresses);
    fuzz_require(memcmp(first.addresses, second.addresses, first.n_addresses * sizeof(struct addr)) == 0);
    fuzz_require(first.n_prefixes == second.n_prefixes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_header(data, size);
    check_update(data, size);
    check_ack(data, size);
    check_discovery(data, size);
    return 0;
}

static const struct addr seed_source = {{0x20, 1}}, seed_destination = {{0x20, 2}};

static void append_all(struct writer *w)
{
    static const uint8_t auth[] = {0, MIP6_OPT_AUTHENTICATION, 17, 1, 0, 0, 1, 0};
    static const uint8_t nonces[] = {MIP6_OPT_NONCE_INDICES, 4, 0, 1, 0, 2};
    static const uint8_t authenticator[MIP6_AUTHENTICATOR];
    mip6_append_alternate_care_of(w, &seed_source);
    mip6_append_timestamp(w, 1);
    mip6_append_identifier(w, "mn@example", 10);
    write_bytes(w, nonces, sizeof(nonces));
    write_bytes(w, auth, sizeof(auth));
    write_bytes(w, authenticator, sizeof(authenticator));
    mip6_finish(w, &seed_source, &seed_destination);
}

static void encode_discovery(struct writer *w, uint8_t type)
{
    struct mip6_discovery d = {
        .type = type, .identifier = 7, .n_addresses = MIP6_HOME_AGENTS_MAX, .n_prefixes = 1};
    d.prefixes[0].prefix = (struct prefix){seed_source, 64};
    mip6_discovery_encode(w, &d, &seed_source, &seed_destination);
}

size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX])
{
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    struct mip6_update update = {.sequence = 1, .flags = MIP6_HOME_REGISTRATION, .lifetime = 15};
    struct mip6_ack ack = {.sequence = 1, .lifetime = 15};
    switch (n) {
    case 0:
        mip6_update_begin(&w, &update);
        mip6_finish(&w, &seed_source, &seed_destination);
        return writer_len(&w);
    case 1:
        mip6_update_begin(&w, &update);
        append_all(&w);
        return writer_len(&w);
    case 2:
        mip6_ack_begin(&w, &ack);
        append_all(&w);
        return writer_len(&w);
    case 3:
        mip6_error_encode(&w, 2, &seed_source, &seed_source, &seed_destination);
        return writer_len(&w);
    case 4:
    case 5:
    case 6:
    case 7:
        encode_discovery(&w, (uint8_t)(MIP6_HOME_AGENT_REQUEST + n - 4));
        return writer_len(&w);
    default:
        return 0;
    }
}
