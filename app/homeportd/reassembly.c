/* SPDX-License-Identifier: BSD-3-Clause */
#include "reassembly.h"

#include <stdlib.h>

#include "instant.h"
#include "ipv6_header.h"

enum {
    UNIT = 8, /* offsets count these */
    TOTAL_LENGTH_AT = 2,
    FLAGS_AT = 6,
    CHECKSUM_AT = 10,
    CLASS_AT = 1, /* IPv4's byte; IPv6's class is half in front of it, and ECN in its upper half */
    CLASS_SHIFT = 4,
    PAYLOAD_LENGTH_AT = 4,
    FRAGMENT_HEADER = 8, /* the last of ip_header's header_len */
    FRAGMENT_FIELD = 6   /* as far in front of their end */
};

enum { PROBLEM_FIELD = 0, PROBLEM_HEADERS = 3 }; /* parameter problem's codes */

enum { ECN_NOT_ECT = 0, ECN_CE = 3, ECN_MASK = 3 }; /* RFC 3168 section 5 */

/* Bytes of what is fragmented, counted behind the headers. */
struct part {
    uint32_t from, to;
};

struct incomplete {
    struct addr source, destination;
    uint32_t id;
    uint8_t protocol; /* of IPv4 (RFC 791 section 3.2) */
    uint8_t zone;     /* of link-local addresses: 1 + the port, else 0 */
    bool given_up;
    uint8_t ecn;                   /* bit 1 << codepoint: a fragment that is there bears it */
    struct fragment_origin origin; /* the first fragment's, as far as that is there */
    uint64_t until_ns;             /* 0: unused */
    size_t front;                  /* bytes of the first fragment's headers; 0: it is not there */
    uint32_t first;                /* and behind them */
    uint32_t total;                /* as the last one says; 0: it is not there */
    uint32_t end;                  /* of the furthest that is there */
    uint32_t there;
    unsigned n_parts;
    struct part part[REASSEMBLY_FRAGMENTS_MAX];
    uint8_t *bytes; /* size_max, where the headers end, and size_max */
};

struct reassembly {
    size_t size_max;
    uint64_t next_ns; /* nothing runs out before */
    struct incomplete incomplete[REASSEMBLY_DATAGRAMS];
    uint8_t bytes[];
};

struct reassembly *reassembly_create(size_t size_max)
{
    struct reassembly *r = calloc(1, sizeof(*r) + REASSEMBLY_DATAGRAMS * 2 * size_max);
    if (r == NULL)
        return NULL;
    r->size_max = size_max;
    r->next_ns = UINT64_MAX;
    for (size_t i = 0; i < REASSEMBLY_DATAGRAMS; i++)
        r->incomplete[i].bytes = r->bytes + i * 2 * size_max;
    return r;
}

void reassembly_destroy(struct reassembly *r)
{
    free(r);
}

static void write_field(uint8_t *at, uint16_t value)
{
    struct writer w = writer_over(at, sizeof(value));
    write_u16(&w, value);
}

/* ---- A fragment by itself ---- */

static bool is_ipv6(const struct fragment *f)
{
    return !addr_is_ipv4(&f->ip->destination);
}

static uint32_t size_of(const struct fragment *f)
{
    return (uint32_t)f->ip->total_len - f->ip->header_len;
}

static struct part part_of(const struct fragment *f)
{
    const uint32_t from = (uint32_t)(f->ip->fragment & IPV4_OFFSET_MASK) * UNIT;
    return (struct part){.from = from, .to = from + size_of(f)};
}

static bool has_more(const struct fragment *f)
{
    return (f->ip->fragment & IPV4_FLAG_MF) != 0;
}

/* RFC 791 section 3.1: IPv4's length counts the header; of IPv6 it is the payload's, without the fragment
 * header. */
static bool ends_beyond(const struct fragment *f)
{
    const uint32_t front =
        is_ipv6(f) ? f->ip->header_len - (uint32_t)(IPV6_HEADER + FRAGMENT_HEADER) : f->ip->header_len;
    return front + part_of(f).to > UINT16_MAX;
}

static struct reassembled malformed(const struct fragment *f, uint8_t code, uint32_t pointer)
{
    return (struct reassembled){.outcome = REASSEMBLY_MALFORMED,
                                .is_problem = is_ipv6(f),
                                .problem = {.code = code, .pointer = pointer}};
}

/* What its sender is told of it, if it is of IPv6 (RFC 8200 section 4.5). WAITS: it is in order. */
static struct reassembled check(const struct fragment *f)
{
    if (size_of(f) == 0) /* a part of nothing, of which no standard speaks */
        return (struct reassembled){.outcome = REASSEMBLY_MALFORMED};
    if (has_more(f) && size_of(f) % UNIT != 0)
        return malformed(f, PROBLEM_FIELD, PAYLOAD_LENGTH_AT);
    if (ends_beyond(f))
        return malformed(f, PROBLEM_FIELD, (uint32_t)(f->ip->header_len - FRAGMENT_FIELD));
    if (is_ipv6(f) && part_of(f).from == 0 && !ipv6_headers_are_whole(f->datagram, f->ip->total_len))
        return malformed(f, PROBLEM_HEADERS, 0);
    return (struct reassembled){.outcome = REASSEMBLY_WAITS};
}

/* ---- Which datagram it is of ---- */

static struct incomplete begun_by(const struct fragment *f, uint64_t now_ns)
{
    const struct ip_header *ip = f->ip;
    const bool scoped =
        is_ipv6(f) && (addr_is_link_local(&ip->source) || addr_is_link_local(&ip->destination));
    return (struct incomplete){.source = ip->source,
                               .destination = ip->destination,
                               .id = ip->id,
                               .protocol = is_ipv6(f) ? 0 : ip->protocol,
                               .zone = (uint8_t)(scoped ? 1 + f->origin.port_index : 0),
                               .origin = f->origin,
                               .until_ns = now_ns + REASSEMBLY_S * NSEC_PER_S};
}

static bool is_same(const struct incomplete *a, const struct incomplete *b)
{
    return a->until_ns != 0 && a->id == b->id && a->protocol == b->protocol && a->zone == b->zone &&
           addr_equal(&a->source, &b->source) && addr_equal(&a->destination, &b->destination);
}

static void forget(struct incomplete *d)
{
    d->until_ns = 0;
}

/* Unused ones are the oldest of all. */
static struct incomplete *oldest(struct reassembly *r)
{
    struct incomplete *found = &r->incomplete[0];
    for (size_t i = 1; i < REASSEMBLY_DATAGRAMS; i++)
        if (r->incomplete[i].until_ns < found->until_ns)
            found = &r->incomplete[i];
    return found;
}

static struct incomplete *find_or_begin(struct reassembly *r, const struct fragment *f, uint64_t now_ns,
                                        bool *ousted)
{
    struct incomplete begun = begun_by(f, now_ns);
    for (size_t i = 0; i < REASSEMBLY_DATAGRAMS; i++)
        if (is_same(&r->incomplete[i], &begun))
            return &r->incomplete[i];
    struct incomplete *d = oldest(r);
    *ousted = d->until_ns != 0 && !d->given_up;
    begun.bytes = d->bytes;
    *d = begun;
    if (d->until_ns < r->next_ns)
        r->next_ns = d->until_ns;
    return d;
}

/* ---- Where in it ---- */

/* The last one says where the end is. */
static bool contradicts(const struct incomplete *d, const struct part *p, bool more)
{
    if (d->total != 0)
        return more ? p->to >= d->total : p->to != d->total;
    return !more && p->to <= d->end;
}

static const struct part *overlapped(const struct incomplete *d, const struct part *p)
{
    for (unsigned i = 0; i < d->n_parts; i++)
        if (d->part[i].from < p->to && p->from < d->part[i].to)
            return &d->part[i];
    return NULL;
}

/* RFC 8200 section 4.5 lets a receiver tell duplicates from what overlaps. */
static bool is_duplicate(const struct reassembly *r, const struct incomplete *d, const struct fragment *f,
                         const struct part *there)
{
    const struct part p = part_of(f);
    return there->from == p.from && there->to == p.to &&
           memcmp(d->bytes + r->size_max + p.from, f->datagram + f->ip->header_len, size_of(f)) == 0;
}

static bool fits(const struct reassembly *r, const struct incomplete *d, const struct fragment *f)
{
    const struct part p = part_of(f);
    const size_t front = p.from == 0 ? f->ip->header_len : d->front;
    return front + (p.to > d->end ? p.to : d->end) <= r->size_max;
}

static enum reassembly_outcome judge(const struct reassembly *r, const struct incomplete *d,
                                     const struct fragment *f)
{
    const struct part p = part_of(f), *there = overlapped(d, &p);
    if (d->given_up)
        return REASSEMBLY_GIVEN_UP;
    if (contradicts(d, &p, has_more(f)))
        return REASSEMBLY_OVERLAP;
    if (there != NULL)
        return is_duplicate(r, d, f, there) ? REASSEMBLY_DUPLICATE : REASSEMBLY_OVERLAP;
    if (!fits(r, d, f))
        return REASSEMBLY_TOO_LONG;
    return d->n_parts == REASSEMBLY_FRAGMENTS_MAX ? REASSEMBLY_TOO_MANY : REASSEMBLY_WAITS;
}

static void put(struct reassembly *r, struct incomplete *d, const struct fragment *f)
{
    const struct part p = part_of(f);
    const size_t front = p.from == 0 ? f->ip->header_len : 0; /* the first one with its headers */
    memcpy(d->bytes + r->size_max + p.from - front, f->datagram + f->ip->header_len - front,
           front + size_of(f));
    if (p.from == 0) {
        d->front = front;
        d->first = p.to;
        d->origin = f->origin;
    }
    if (!has_more(f))
        d->total = p.to;
    d->end = p.to > d->end ? p.to : d->end;
    d->there += size_of(f);
    d->ecn |= (uint8_t)(1 << (f->ip->tos & ECN_MASK));
    d->part[d->n_parts++] = p;
}

/* None overlap and none goes beyond the last. */
static bool is_whole(const struct incomplete *d)
{
    return d->total != 0 && d->there == d->total;
}

/* ---- The whole ---- */

static bool bears(const struct incomplete *d, unsigned codepoint)
{
    return (d->ecn >> codepoint & 1) != 0;
}

/* RFC 3168 section 5.3: a mark on any fragment is one on the whole, unless another says that its sender knows
 * nothing of marks and would not hear of this one. */
static bool is_congested(const struct incomplete *d)
{
    return bears(d, ECN_CE) && bears(d, ECN_NOT_ECT);
}

static void keep_mark(const struct incomplete *d, uint8_t *header, bool ipv6)
{
    if (bears(d, ECN_CE))
        header[CLASS_AT] |= (uint8_t)(ECN_CE << (ipv6 ? CLASS_SHIFT : 0));
}

static void finish_ipv4(uint8_t *header, size_t header_len, size_t len)
{
    const uint8_t flags = header[FLAGS_AT] & (IPV4_FLAG_DF >> 8);
    write_field(header + TOTAL_LENGTH_AT, (uint16_t)len);
    write_field(header + FLAGS_AT, (uint16_t)(flags << 8));
    write_field(header + CHECKSUM_AT, 0);
    write_field(header + CHECKSUM_AT, inet_finish(inet_sum(0, header, header_len)));
}

static void finish_ipv6(uint8_t *header, size_t header_len, size_t len)
{
    write_field(header + PAYLOAD_LENGTH_AT, (uint16_t)(len - IPV6_HEADER));
    write_field(header + header_len - FRAGMENT_FIELD, 0);
}

static struct reassembled finish(const struct reassembly *r, struct incomplete *d, bool ipv6)
{
    uint8_t *datagram = d->bytes + r->size_max - d->front;
    const size_t len = d->front + d->total;
    forget(d);
    if (is_congested(d))
        return (struct reassembled){.outcome = REASSEMBLY_CONGESTED};
    keep_mark(d, datagram, ipv6);
    if (ipv6)
        finish_ipv6(datagram, d->front, len);
    else
        finish_ipv4(datagram, d->front, len);
    return (struct reassembled){
        .outcome = REASSEMBLY_WHOLE, .datagram = datagram, .len = len, .origin = d->origin};
}

struct reassembled reassembly_add(struct reassembly *r, const struct fragment *f, uint64_t now_ns)
{
    struct reassembled result = check(f);
    if (result.outcome != REASSEMBLY_WAITS)
        return result;
    bool ousted = false;
    struct incomplete *d = find_or_begin(r, f, now_ns, &ousted);
    result.outcome = judge(r, d, f);
    d->given_up |= result.outcome >= REASSEMBLY_OVERLAP;
    if (result.outcome == REASSEMBLY_WAITS)
        put(r, d, f);
    if (result.outcome == REASSEMBLY_WAITS && is_whole(d))
        result = finish(r, d, is_ipv6(f));
    result.ousted = ousted;
    return result;
}

/* ---- Time ---- */

static struct reassembly_expired expired(const struct reassembly *r, const struct incomplete *d)
{
    return (struct reassembly_expired){.first = d->front != 0 ? d->bytes + r->size_max - d->front : NULL,
                                       .len = d->front + d->first,
                                       .origin = d->origin};
}

uint64_t reassembly_deadline(const struct reassembly *r)
{
    return r->next_ns;
}

bool reassembly_expire(struct reassembly *r, uint64_t now_ns, struct reassembly_expired *out)
{
    if (now_ns < r->next_ns)
        return false;
    uint64_t next_ns = UINT64_MAX;
    for (size_t i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
        struct incomplete *d = &r->incomplete[i];
        const bool is_due = d->until_ns != 0 && d->until_ns <= now_ns;
        if (is_due && !d->given_up) {
            *out = expired(r, d);
            forget(d);
            return true;
        }
        if (is_due)
            forget(d);
        else if (d->until_ns != 0 && d->until_ns < next_ns)
            next_ns = d->until_ns;
    }
    r->next_ns = next_ns;
    return false;
}
