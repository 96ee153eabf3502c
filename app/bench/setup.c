/* SPDX-License-Identifier: BSD-3-Clause */
#include "setup.h"

#include "tunnel.h"

#define X(name, text) text,
static const char *const families[] = {FAMILIES(X)};
static const char *const sizes[] = {SIZES(X)};
static const char *const hits[] = {HITS(X)};
static const char *const traffics[] = {TRAFFICS(X)};
#undef X

const char *family_text(enum family family)
{
    return families[family];
}

const char *size_text(enum size size)
{
    return sizes[size];
}

const char *hit_text(enum hit hit)
{
    return hits[hit];
}

const char *traffic_text(enum traffic_kind traffic)
{
    return traffics[traffic];
}

enum family setup_outer(enum encapsulation encapsulation)
{
    return tunnel_family_outside(encapsulation) == PKT_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4;
}

bool setup_bears(enum encapsulation encapsulation, enum family family)
{
    switch (encapsulation) {
#define X(name, text, inside, outside, protocol) \
    case ENCAPSULATION_##name:                   \
        return (inside == PKT_IPV6) == (family == FAMILY_IPV6);
        TUNNEL_ENCAPSULATIONS(X)
#undef X
    }
    return false;
}

enum encapsulation setup_usual(enum family family)
{
    return family == FAMILY_IPV6 ? ENCAPSULATION_IPV6_IN_IPV6 : ENCAPSULATION_IPIP;
}
