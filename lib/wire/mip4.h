/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mobile IPv4 registration messages (RFC 5944 sections 3.3-3.5) and their extensions (section 1.8-1.11, RFC
 * 2794, 3024, 3519, 3543, 4433, 4721), bytes to structs and back. Both ends: the home agent decodes requests
 * and encodes replies, a mobile node the other way round.
 *
 * Pure functions over bytes, no state; any thread. Decoded extensions point into the message given.
 */
#ifndef WIRE_MIP4_H
#define WIRE_MIP4_H

#include "addr.h"
#include "auth.h"
#include "bytes.h"

enum { MIP4_PORT = 434, MIP4_REQUEST = 1, MIP4_REPLY = 3, MIP4_REQUEST_FIXED = 24, MIP4_REPLY_FIXED = 20 };
enum { MIP4_LIFETIME_INFINITE = 0xffff };
enum { MIP4_SPI_MIN = 256 }; /* 0-255 are reserved (RFC 5944 section 1.6) */

/* The flags of a request, as in its second byte (RFC 5944 section 3.3). r and x are sent as zero and ignored.
 */
enum mip4_flag {
    MIP4_SIMULTANEOUS = 0x80,  /* S */
    MIP4_BROADCASTS = 0x40,    /* B */
    MIP4_COLOCATED = 0x20,     /* D: decapsulation by the mobile node */
    MIP4_MINIMAL = 0x10,       /* M */
    MIP4_GRE = 0x08,           /* G */
    MIP4_REVERSE_TUNNEL = 0x02 /* T, RFC 3024 */
};

/* X(name, number, operator's text). RFC 5944 section 3.4, RFC 3024 section 3.4, RFC 3519 section 8, RFC 4721.
 */
#define MIP4_CODES(X)                                                             \
    X(ACCEPTED, 0, "registration accepted")                                       \
    X(ACCEPTED_NO_SIMULTANEOUS, 1, "accepted, simultaneous bindings unsupported") \
    X(UNSPECIFIED, 128, "reason unspecified")                                     \
    X(PROHIBITED, 129, "administratively prohibited")                             \
    X(NO_RESOURCES, 130, "insufficient resources")                                \
    X(MOBILE_AUTH_FAILED, 131, "mobile node failed authentication")               \
    X(FOREIGN_AUTH_FAILED, 132, "foreign agent failed authentication")            \
    X(IDENTIFICATION_MISMATCH, 133, "registration Identification mismatch")       \
    X(POOR_REQUEST, 134, "poorly formed request")                                 \
    X(TOO_MANY_BINDINGS, 135, "too many simultaneous bindings")                   \
    X(UNKNOWN_HOME_AGENT, 136, "unknown home agent address")                      \
    X(NO_REVERSE_TUNNEL, 137, "reverse tunnel unavailable")                       \
    X(REVERSE_TUNNEL_REQUIRED, 138, "reverse tunnel is mandatory and T is clear") \
    X(NO_ENCAPSULATION, 139, "requested encapsulation unavailable")               \
    X(NO_UDP_ENCAPSULATION, 142, "requested UDP encapsulation unavailable")       \
    X(AAA_AUTH_FAILED, 144, "mobile node failed AAA authentication")

enum mip4_code {
#define X(name, number, text) MIP4_##name = number,
    MIP4_CODES(X)
#undef X
};

/* The operator's text for a code, "code N" range names for the foreign agent's and unknown ones; never NULL.
 */
const char *mip4_code_text(uint8_t code);
/* RFC 5944 section 6.4: 0-8 success; everything else is a denial. */
bool mip4_code_is_success(uint8_t code);

enum mip4_extension_type {
    MIP4_EXT_PAD = 0,
    MIP4_EXT_MOBILE_HOME_AUTH = 32,
    MIP4_EXT_MOBILE_FOREIGN_AUTH = 33,
    MIP4_EXT_FOREIGN_HOME_AUTH = 34,
    MIP4_EXT_GENERALIZED_AUTH = 36,
    MIP4_EXT_VENDOR_CRITICAL = 38,
    MIP4_EXT_UDP_TUNNEL_REPLY = 44,
    MIP4_EXT_ENCAPSULATING_DELIVERY = 130,
    MIP4_EXT_NAI = 131,
    MIP4_EXT_CHALLENGE = 132,
    MIP4_EXT_DYNAMIC_HOME_AGENT = 139,
    MIP4_EXT_UDP_TUNNEL_REQUEST = 144
};

/* An authentication extension: what it covers is message[0 .. covered), its own type, length and SPI
 * included. */
struct mip4_auth {
    const uint8_t *authenticator;
    uint16_t authenticator_len;
    uint16_t covered;
    uint16_t offset; /* of the extension itself in the message */
    uint32_t spi;
    uint8_t count; /* how many of this type the message bears; 0: none. The fields are the first one's */
};

struct mip4_span {
    const uint8_t *bytes; /* NULL: absent */
    uint16_t len;
    uint16_t offset; /* of the extension in the message */
};

struct mip4_extensions {
    struct mip4_auth mobile_home;
    struct mip4_auth mobile_foreign;
    struct mip4_auth foreign_home;
    struct mip4_span generalized_auth; /* the first one: behind its length */
    struct mip4_span nai;              /* the first one */
    struct mip4_span challenge;        /* the first one: its value */
    struct mip4_span udp_tunnel_request;
    struct mip4_span udp_tunnel_reply;
    struct mip4_span dynamic_home_agent;
};

/* What a decoder says. */
enum mip4_decode {
    MIP4_DECODED,
    MIP4_TOO_SHORT,         /* shorter than its fixed part, or not of the type asked: silent discard */
    MIP4_UNKNOWN_EXTENSION, /* an unknown type 1-127: silent discard (RFC 5944 section 1.8) */
    MIP4_MALFORMED /* an extension runs past the end, or is shorter than its kind: *out holds what came before
                      it, so that a request that authenticates can be answered 134 */
};

struct mip4_request {
    uint8_t flags;
    uint16_t lifetime_s;
    struct addr home;
    struct addr home_agent;
    struct addr care_of;
    uint64_t identification;
    struct mip4_extensions ext;
};

struct mip4_reply {
    uint8_t code;
    uint16_t lifetime_s;
    struct addr home;
    struct addr home_agent;
    uint64_t identification;
    struct mip4_extensions ext;
};

enum mip4_decode mip4_request_decode(const uint8_t *message, size_t len, struct mip4_request *out);
enum mip4_decode mip4_reply_decode(const uint8_t *message, size_t len, struct mip4_reply *out);

/* The fixed parts; extensions are appended in their order by the functions below. ext is ignored. */
void mip4_request_encode(struct writer *w, const struct mip4_request *request);
void mip4_reply_encode(struct writer *w, const struct mip4_reply *reply);

/* A short-format extension (RFC 5944 section 1.10): type, length, data. */
void mip4_append(struct writer *w, uint8_t type, const void *data, size_t len);
/* Signs everything in w so far (w->start on) plus this extension's type, length and SPI (RFC 5944
 * section 3.5.1). False: libcrypto failed, or no room; w is failed. */
bool mip4_append_auth(struct writer *w, uint8_t type, uint32_t spi, const struct auth_key *key,
                      struct auth *auth) __attribute__((warn_unused_result));
/* True: the extension is there and its authenticator over the message is right. */
bool mip4_auth_verify(const uint8_t *message, const struct mip4_auth *ext, const struct auth_key *key,
                      struct auth *auth) __attribute__((warn_unused_result));

#endif
