/* SPDX-License-Identifier: BSD-3-Clause */
#include "setup.h"

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
