/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ways in which packets travel to a care-of address: the one list for signalling, data path and console.
 * The numbers are the delegation protocol's.
 */
#ifndef BASE_ENCAPSULATION_H
#define BASE_ENCAPSULATION_H

/* X(name, number, text, most bytes in front of the inner packet) */
#define ENCAPSULATIONS(X)                                            \
    X(IPIP, 1, "ipip", 20)                 /* RFC 2003 */            \
    X(MINIMAL, 2, "minimal", 12)           /* RFC 2004 */            \
    X(GRE, 3, "gre", 24)                   /* RFC 2784, over IPv4 */ \
    X(IPV6_IN_IPV6, 6, "ipv6-in-ipv6", 40) /* RFC 2473 */            \
    X(IPV4_IN_IPV6, 7, "ipv4-in-ipv6", 40) /* RFC 2473 */            \
    X(IPV6_IN_IPV4, 8, "ipv6-in-ipv4", 20) /* RFC 4213 section 3 */

enum encapsulation {
#define X(name, number, text, bytes) ENCAPSULATION_##name = number,
    ENCAPSULATIONS(X)
#undef X
};

static inline const char *encapsulation_text(enum encapsulation e)
{
    switch (e) {
#define X(name, number, text, bytes) \
    case ENCAPSULATION_##name:       \
        return text;
        ENCAPSULATIONS(X)
#undef X
    }
    return "unknown";
}

static inline unsigned encapsulation_bytes(enum encapsulation e)
{
    switch (e) {
#define X(name, number, text, bytes) \
    case ENCAPSULATION_##name:       \
        return bytes;
        ENCAPSULATIONS(X)
#undef X
    }
    return 0;
}

#endif
