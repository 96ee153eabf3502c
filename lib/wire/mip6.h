/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mobile IPv6 messages: the Mobility Header (RFC 6275 section 6.1) with Binding Update, Binding
 * Acknowledgement and Binding Error, its options (section 6.2) and those of the authentication protocol (RFC
 * 4285), bytes to structs and back. Both ends: the home agent decodes updates and encodes acknowledgements, a
 * mobile node the other way round.
 *
 * Pure functions over bytes, no state; any thread. Decoded options point into the message given. A message is
 * the Mobility Header from its first byte, behind every IPv6 extension header.
 */
#ifndef WIRE_MIP6_H
#define WIRE_MIP6_H

#include "addr.h"
#include "auth.h"
#include "bytes.h"

enum { MIP6_NO_NEXT_HEADER = 59 };
enum { MIP6_LIFETIME_UNIT_S = 4, MIP6_MESSAGE_MAX = 2048 };

enum mip6_type {
    MIP6_REFRESH_REQUEST = 0,
    MIP6_HOME_TEST_INIT = 1,
    MIP6_CARE_OF_TEST_INIT = 2,
    MIP6_HOME_TEST = 3,
    MIP6_CARE_OF_TEST = 4,
    MIP6_UPDATE = 5,
    MIP6_ACK = 6,
    MIP6_ERROR = 7
};

/* The flags of an update as in its 16-bit field (RFC 6275 section 6.1.7; R: RFC 3963). */
enum mip6_update_flag {
    MIP6_ACKNOWLEDGE = 0x8000,
    MIP6_HOME_REGISTRATION = 0x4000,
    MIP6_LINK_LOCAL = 0x2000,
    MIP6_KEY_MANAGEMENT = 0x1000,
    MIP6_MOBILE_ROUTER = 0x0400
};

/* X(name, number, operator's text). RFC 6275 section 6.1.8, RFC 4285 section 8.1, RFC 3963. */
#define MIP6_STATUSES(X)                                                      \
    X(ACCEPTED, 0, "binding update accepted")                                 \
    X(ACCEPTED_PREFIX, 1, "accepted, but prefix discovery is necessary")      \
    X(UNSPECIFIED, 128, "reason unspecified")                                 \
    X(PROHIBITED, 129, "administratively prohibited")                         \
    X(NO_RESOURCES, 130, "insufficient resources")                            \
    X(NO_HOME_REGISTRATION, 131, "home registration not supported")           \
    X(NOT_HOME_SUBNET, 132, "not home subnet")                                \
    X(NOT_HOME_AGENT, 133, "not home agent for this mobile node")             \
    X(DAD_FAILED, 134, "duplicate address detection failed")                  \
    X(SEQUENCE, 135, "sequence number out of window")                         \
    X(TYPE_CHANGE, 139, "registration type change disallowed")                \
    X(NO_MOBILE_ROUTERS, 140, "mobile routers not supported")                 \
    X(TIMESTAMP_MISMATCH, 144, "mobility message replay protection mismatch") \
    X(TIMESTAMP_REQUIRED, 145, "mobility message replay protection required") \
    X(AUTH_FAILED, 146, "mobile node failed authentication")                  \
    X(INVALID_CARE_OF, 174, "invalid care-of address")

enum mip6_status {
#define X(name, number, text) MIP6_##name = number,
    MIP6_STATUSES(X)
#undef X
};
/* Never NULL. */
const char *mip6_status_text(uint8_t status);
/* RFC 6275 section 6.1.8: below 128. */
bool mip6_status_is_success(uint8_t status);

enum mip6_option_type {
    MIP6_OPT_PAD1 = 0,
    MIP6_OPT_PADN = 1,
    MIP6_OPT_REFRESH_ADVICE = 2,
    MIP6_OPT_ALTERNATE_CARE_OF = 3,
    MIP6_OPT_NONCE_INDICES = 4,
    MIP6_OPT_AUTHORIZATION_DATA = 5,
    MIP6_OPT_IDENTIFIER = 8,     /* RFC 4283; subtype 1 is a network access identifier */
    MIP6_OPT_AUTHENTICATION = 9, /* RFC 4285 section 5; subtype 1 mobile node - home agent, 2 - AAA */
    MIP6_OPT_REPLAY = 10         /* RFC 4285 section 6: an NTP timestamp */
};

enum { MIP6_AUTHENTICATOR = 12 }; /* bytes: HMAC-SHA-1's leftmost 96 bits (RFC 4285 section 5.1) */

/* An authentication option: it covers message[0 .. covered), up to and with its SPI, the checksum taken as
 * zero. */
struct mip6_auth {
    const uint8_t *authenticator; /* NULL: absent */
    uint16_t authenticator_len;
    uint16_t covered;
    uint32_t spi;
    uint8_t count; /* how many of this subtype there are; the fields are the first one's */
};

struct mip6_options {
    struct mip6_auth mobile_home; /* subtype 1 */
    struct mip6_auth mobile_aaa;  /* subtype 2 */
    bool auth_misplaced;          /* something that RFC 4285 section 5 forbids stands behind mobile_home */
    const uint8_t *nai;           /* NULL: absent */
    uint8_t nai_len;
    bool has_alternate_care_of;
    struct addr alternate_care_of;
    bool has_nonce_indices;
    bool has_timestamp;
    uint64_t timestamp;
    bool has_refresh_advice;
    uint16_t refresh_advice; /* in units of 4 s */
};

struct mip6_update {
    uint16_t sequence;
    uint16_t flags;    /* enum mip6_update_flag */
    uint16_t lifetime; /* in units of 4 s; ffff is no infinity */
    struct mip6_options options;
};

struct mip6_ack {
    uint8_t status;
    bool key_management; /* K */
    uint16_t sequence;
    uint16_t lifetime;
    struct mip6_options options;
};

/* What RFC 6275 section 9.2 finds, in its order; each but DECODED ends the message's way. */
enum mip6_decode {
    MIP6_DECODED,
    MIP6_TOO_SHORT,         /* cannot be a Mobility Header: silent */
    MIP6_BAD_CHECKSUM,      /* silent */
    MIP6_UNKNOWN_TYPE,      /* answered by a Binding Error, status 2 */
    MIP6_BAD_PAYLOAD_PROTO, /* parameter problem code 0, pointing at the first byte */
    MIP6_BAD_LENGTH,        /* the same, pointing at the second byte */
    MIP6_MALFORMED_OPTIONS  /* an option runs past the end or is shorter than its kind: silent */
};

/* The checks of section 9.2 and which type it is. The addresses are the final ones: the home address in
 * place of the source where a Home Address option stood, or of the destination where a routing header did
 * (section 6.1.1). *type counts with MIP6_DECODED and MIP6_UNKNOWN_TYPE. */
enum mip6_decode mip6_check(const uint8_t *message, size_t len, const struct addr *source,
                            const struct addr *destination, enum mip6_type *type);
/* After mip6_check. MIP6_DECODED or MIP6_MALFORMED_OPTIONS. */
enum mip6_decode mip6_update_decode(const uint8_t *message, size_t len, struct mip6_update *out);
enum mip6_decode mip6_ack_decode(const uint8_t *message, size_t len, struct mip6_ack *out);
/* A Binding Error. False: malformed. */
bool mip6_error_decode(const uint8_t *message, size_t len, uint8_t *status, struct addr *home);

/* A message is begun, gets its options in order, each aligned as it must be, and is finished: padded to a
 * multiple of eight bytes, its header length and checksum filled in. mip6_append_auth, which signs, comes
 * last, and needs the addresses that are signed. */
void mip6_update_begin(struct writer *w, const struct mip6_update *update); /* options are ignored */
void mip6_ack_begin(struct writer *w, const struct mip6_ack *ack);
void mip6_append_alternate_care_of(struct writer *w, const struct addr *care_of);
void mip6_append_identifier(struct writer *w, const void *nai, size_t len);
void mip6_append_timestamp(struct writer *w, uint64_t timestamp);
/* RFC 4285 section 5.1, subtype 1: the leftmost 96 bits of HMAC(key, care-of | home | message with checksum
 * zero up to the SPI). The header length is final by then: this option is the last. key.algorithm is
 * AUTH_HMAC_SHA1. False: libcrypto failed, or no room; w is failed. */
bool mip6_append_auth(struct writer *w, uint32_t spi, const struct auth_key *key, const struct addr *care_of,
                      const struct addr *home, struct auth *auth) __attribute__((warn_unused_result));
/* False: w is failed. */
bool mip6_finish(struct writer *w, const struct addr *source, const struct addr *destination);
/* A whole Binding Error. */
void mip6_error_encode(struct writer *w, uint8_t status, const struct addr *home, const struct addr *source,
                       const struct addr *destination);

/* True: the option is there once, twelve bytes, and right. */
bool mip6_auth_verify(const uint8_t *message, size_t len, const struct mip6_auth *option,
                      const struct auth_key *key, const struct addr *care_of, const struct addr *home,
                      struct auth *auth) __attribute__((warn_unused_result));

#endif
