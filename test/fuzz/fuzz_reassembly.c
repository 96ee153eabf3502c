/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly, as a stream of fragments of a few datagrams that are all cut from the same bytes: whatever
 * comes out must be those. A step of the input is four bytes: which datagram and family, flags, offset and
 * length. A flag spoils a fragment's bytes: what comes out of the same datagram afterwards may then be wrong
 * by these, but never longer than a buffer.
 */
#include "fuzz.h"
#include "instant.h"
#include "reassembly.h"

enum {
    SIZE = 512,
    STEP = 4,
    DATAGRAMS = 4,
    STEPS_MAX = 400,
    MORE = 1,
    SPOILED = 2,
    LATER = 4,
    UNIT = 8,
    FRAME = 1024,
    UDP = 17
};

static bool spoiled[2 * DATAGRAMS];

static uint8_t content(size_t at)
{
    return (uint8_t)(at * 7 + at / 256);
}

static void put16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static size_t header4(uint8_t *out, unsigned id, size_t unit, bool more, size_t len)
{
    memset(out, 0, IPV4_HEADER);
    out[0] = 0x45;
    put16(out + 2, IPV4_HEADER + len);
    put16(out + 4, id);
    put16(out + 6, unit | (more ? 0x2000U : 0));
    out[9] = UDP;
    memcpy(out + 12, "\xc0\0\2\1\x0a\1\0\2", 8);
    put16(out + 10, inet_finish(inet_sum(0, out, IPV4_HEADER)));
    return IPV4_HEADER;
}

static size_t header6(uint8_t *out, unsigned id, size_t unit, bool more, size_t len)
{
    memset(out, 0, IPV6_HEADER + UNIT);
    out[0] = 0x60;
    put16(out + 4, UNIT + len);
    out[6] = 44;
    out[8] = out[24] = 0x20;
    out[23] = 1;
    out[39] = 2;
    out[40] = UDP;
    put16(out + 42, unit << 3 | more);
    put16(out + 46, id);
    return IPV6_HEADER + UNIT;
}

static void check_whole(const struct reassembled *whole, bool ipv6, bool is_spoiled)
{
    struct ip_header ip;
    fuzz_require(ip_decode(whole->datagram, whole->len, &ip, NULL) == IP_DECODED);
    fuzz_require(ip.fragment == 0 && ip.total_len == whole->len && whole->len <= SIZE);
    fuzz_require(ip.header_len == (ipv6 ? IPV6_HEADER + UNIT : IPV4_HEADER));
    for (size_t at = ip.header_len; at < whole->len && !is_spoiled; at++)
        fuzz_require(whole->datagram[at] == content(at - ip.header_len));
}

static void check_expired(struct reassembly *r, uint64_t now_ns)
{
    struct reassembly_expired expired;
    struct ip_header ip;
    while (reassembly_expire(r, now_ns, &expired))
        fuzz_require(expired.first == NULL ||
                     (ip_decode_beginning(expired.first, expired.len, &ip) && ip.total_len == expired.len &&
                      (ip.fragment & IPV4_OFFSET_MASK) == 0));
    fuzz_require(reassembly_deadline(r) > now_ns);
}

static void give(struct reassembly *r, const uint8_t step[static STEP], uint64_t now_ns)
{
    uint8_t bytes[FRAME];
    struct ip_header ip;
    const bool ipv6 = (step[0] & 1) != 0, more = (step[1] & MORE) != 0;
    const unsigned which = step[0] / 2 % DATAGRAMS;
    const size_t unit = step[2], len = step[3];
    size_t size = ipv6 ? header6(bytes, which, unit, more, len) : header4(bytes, which, unit, more, len);
    for (size_t at = 0; at < len; at++)
        bytes[size++] = content(unit * UNIT + at);
    if ((step[1] & SPOILED) != 0 && len > 0) {
        spoiled[2 * which + ipv6] = true;
        bytes[size - 1] ^= step[1];
    }
    if (ip_decode(bytes, size, &ip, NULL) != (ipv6 ? IP_FRAGMENT : IP_DECODED))
        return; /* in one fragment */
    /* The fragment ends where its memory does, for a sanitizer to see. */
    uint8_t *copy = malloc(size);
    fuzz_require(copy != NULL);
    memcpy(copy, bytes, size);
    const struct reassembled result =
        reassembly_add(r, &(struct fragment){.ip = &ip, .datagram = copy}, now_ns);
    free(copy);
    if (result.outcome == REASSEMBLY_WHOLE)
        check_whole(&result, ipv6, spoiled[2 * which + ipv6]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reassembly *r = reassembly_create(SIZE);
    uint64_t now_ns = NSEC_PER_S;
    fuzz_require(r != NULL);
    memset(spoiled, 0, sizeof(spoiled));
    for (size_t i = 0; i < STEPS_MAX && size >= STEP; i++, data += STEP, size -= STEP) {
        if ((data[1] & LATER) != 0)
            now_ns += data[1] * NSEC_PER_S / 8;
        check_expired(r, now_ns);
        give(r, data, now_ns);
    }
    reassembly_destroy(r);
    return 0;
}

size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX])
{
    static const uint8_t seeds[][4 * STEP] = {
        {0, MORE, 0, 24, 0, MORE, 3, 16, 0, 0, 5, 5},
        {1, 0, 5, 5, 1, MORE, 0, 24, 1, MORE, 3, 16},
        {0, MORE, 0, 24, 1, MORE, 0, 24, 0, 0, 3, 100, 1, 0, 3, 100},
        {1, MORE, 0, 40, 1, MORE | SPOILED, 4, 16, 1, 0, 5, 7, 1, LATER, 0, 8},
    };
    if (n >= sizeof(seeds) / sizeof(seeds[0]))
        return 0;
    memcpy(out, seeds[n], sizeof(seeds[n]));
    return sizeof(seeds[n]);
}
