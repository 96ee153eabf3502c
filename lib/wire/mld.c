/* SPDX-License-Identifier: BSD-3-Clause */
#include "mld.h"

#include "icmp.h"
#include "icmp6_frame.h"

enum {
    HOP_LIMIT = 1,
    ADDR_LEN = 16,
    V1_LEN = 24, /* bytes: of all of version 1's, and in front of what version 2 adds to a query */
    REPORT_FIXED = 8,
    RECORD_FIXED = 4 + ADDR_LEN,
    ROBUSTNESS_MASK = 7
};

static const struct addr all_mldv2_routers = {{0xff, 0x02, [15] = 0x16}};

/* ---- Decoding ---- */

/* RFC 3810 sections 5.1.3 and 5.1.9: a number, or above its highest bit an exponent of three bits and a
 * mantissa. */
static uint32_t floating(uint32_t code, unsigned mantissa_bits)
{
    const uint32_t limit = UINT32_C(1) << (mantissa_bits + 3);
    const uint32_t hidden = UINT32_C(1) << mantissa_bits;
    if (code < limit)
        return code;
    return ((code & (hidden - 1)) | hidden) << ((code >> mantissa_bits & 7) + 3);
}

/* RFC 3810 section 8.1: the length tells the versions apart; one between them is neither's. */
static bool read_query(struct reader *r, size_t len, uint16_t code, struct mld *out)
{
    out->version = len == V1_LEN ? 1 : 2;
    out->delay_ms = code;
    if (out->version == 1)
        return true;
    out->delay_ms = floating(code, 12);
    out->robustness = read_u8(r) & ROBUSTNESS_MASK;
    out->interval_s = floating(read_u8(r), 4);
    out->n_sources = read_u16(r);
    out->sources = read_bytes(r, out->n_sources * ADDR_LEN);
    return !r->failed;
}

/* A general query asks for no sources, and every other one for a group. */
static bool is_sound(const struct mld *m)
{
    if (m->type == MLD_QUERY && addr_is_unspecified(&m->group))
        return m->n_sources == 0;
    return addr_is_multicast(&m->group) && !addr_is_ipv4(&m->group);
}

bool mld_decode(const struct ip_header *ip, const uint8_t *bytes, size_t len, struct mld *out)
{
    struct icmp icmp;
    if (ip->protocol != IPPROTO_NUM_ICMPV6 || ip->ttl != HOP_LIMIT || !ip->router_alert ||
        !addr_is_link_local(&ip->source) || len < V1_LEN || !icmp_decode(ip, bytes, len, &icmp))
        return false;
    struct mld m = {.type = icmp.type};
    struct reader r = reader_over(bytes + 4, len - 4);
    const uint16_t code = read_u16(&r);
    read_u16(&r);
    m.group = read_addr(&r);
    if (m.type != MLD_REPORT_V1 && (m.type != MLD_QUERY || !read_query(&r, len, code, &m)))
        return false;
    if (!is_sound(&m))
        return false;
    *out = m;
    return true;
}

struct addr mld_source(const struct mld *query, size_t i)
{
    struct addr a;
    memcpy(a.b, query->sources + i * ADDR_LEN, sizeof(a.b));
    return a;
}

/* ---- Encoding ---- */

static void message_begin(struct writer *m, enum mld_type type)
{
    write_u8(m, type);
    write_u8(m, 0);
    write_u16(m, 0); /* the checksum to come */
}

static void frame_write(struct writer *w, const struct mac *own_mac, const struct addr *own,
                        const struct addr *to, const struct writer *m)
{
    if (m->failed) {
        w->failed = true;
        return;
    }
    icmp6_frame_write(
        w,
        &(struct icmp6_frame){
            .own_mac = own_mac, .own = own, .to = to, .hop_limit = HOP_LIMIT, .router_alert = true},
        m);
}

size_t mld_records_max(uint16_t mtu)
{
    const size_t room = mtu < IPV6_MTU_MIN ? IPV6_MTU_MIN : mtu;
    const size_t n = (room - MLD_HEADERS - REPORT_FIXED) / RECORD_FIXED;
    return n < MLD_RECORDS_MAX ? n : MLD_RECORDS_MAX;
}

static void write_record(struct writer *m, const struct mld_record *record)
{
    write_u8(m, (uint8_t)record->type);
    write_u8(m, 0); /* no auxiliary data */
    write_u16(m, (uint16_t)record->n_sources);
    write_bytes(m, record->group.b, sizeof(record->group.b));
    for (size_t i = 0; i < record->n_sources; i++)
        write_bytes(m, record->sources[i].b, sizeof(record->sources[i].b));
}

void mld_encode_report(struct writer *w, const struct mac *own_mac, const struct addr *own,
                       const struct mld_record *records, size_t n)
{
    uint8_t room[REPORT_FIXED + MLD_RECORDS_MAX * RECORD_FIXED];
    struct writer m = writer_over(room, sizeof(room));
    message_begin(&m, MLD_REPORT);
    write_u16(&m, 0);
    write_u16(&m, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        write_record(&m, &records[i]);
    frame_write(w, own_mac, own, &all_mldv2_routers, &m);
}

void mld_encode_v1(struct writer *w, const struct mac *own_mac, const struct addr *own, enum mld_type type,
                   const struct addr *group)
{
    uint8_t room[V1_LEN];
    struct writer m = writer_over(room, sizeof(room));
    message_begin(&m, type);
    write_u32(&m, 0); /* no delay */
    write_bytes(&m, group->b, sizeof(group->b));
    frame_write(w, own_mac, own, type == MLD_DONE ? &addr_all_routers : group, &m);
}
