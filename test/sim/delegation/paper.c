/* SPDX-License-Identifier: BSD-3-Clause */
#include "paper.h"

#include "mip4.h"
#include "mip6.h"
#include "world.h"

#include <stdlib.h>

bool paper_is_ipv6(const struct mobile *m)
{
    return !addr_is_ipv4(&m->home);
}

bool paper_is_later(const struct mobile *m, uint32_t a, uint32_t b)
{
    return paper_is_ipv6(m) ? (int16_t)(uint16_t)(a - b) > 0 : (int32_t)(a - b) > 0;
}

uint32_t paper_number(const struct mobile *m)
{
    return paper_is_ipv6(m) ? (uint16_t)m->low : m->low;
}

/* ---- Requests ---- */
static uint64_t timestamp(const struct mobile *m)
{
    return mobile_clock(m) + m->shift + m->low;
}

static void write_registration(struct mobile *m, const struct wish *wish, struct writer *w)
{
    const bool nonces = m->sa.replay == REPLAY_NONCE;
    struct mip4_request q = {
        .lifetime_s = wish->lifetime_s,
        .home = m->home,
        .home_agent = *appliance_address(&m->world->nodes[0], false),
        .care_of = wish->care_of,
        .identification = nonces ? (uint64_t)m->nonce << 32 | m->low : timestamp(m),
    };
    if (!addr_equal(&wish->care_of, &m->home))
        q.flags = MIP4_COLOCATED | (wish->keeps_others ? MIP4_SIMULTANEOUS : 0);
    mip4_request_encode(w, &q);
    if (!mip4_append_auth(w, MIP4_EXT_MOBILE_HOME_AUTH, m->sa.spi, &m->sa.key, m->world->auth))
        abort();
}

/* Four seconds are the least that there is to ask for. */
static uint16_t in_units(uint16_t lifetime_s)
{
    const uint16_t units = lifetime_s / MIP6_LIFETIME_UNIT_S;
    return units == 0 && lifetime_s > 0 ? 1 : units;
}

static void write_update(struct mobile *m, const struct wish *wish, struct writer *w)
{
    const struct mip6_update update = {
        .sequence = (uint16_t)m->low,
        .flags = MIP6_ACKNOWLEDGE | MIP6_HOME_REGISTRATION | (m->link_local ? MIP6_LINK_LOCAL : 0),
        .lifetime = in_units(wish->lifetime_s),
    };
    mip6_update_begin(w, &update);
    if (m->sa.replay == REPLAY_TIMESTAMP)
        mip6_append_timestamp(w, timestamp(m));
    if (!mip6_append_auth(w, m->sa.spi, &m->sa.key, &wish->care_of, &m->home, m->world->auth) ||
        !mip6_finish(w, &m->home, appliance_address(&m->world->nodes[0], true)))
        abort();
}

void paper_write(struct mobile *m, const struct wish *wish)
{
    struct writer w = writer_over(m->pending, sizeof(m->pending));
    m->low++;
    if (paper_is_ipv6(m))
        write_update(m, wish, &w);
    else
        write_registration(m, wish, &w);
    if (w.failed)
        abort();
    m->pending_len = writer_len(&w);
}

struct paper_request paper_read_request(const struct mobile *m, const uint8_t *bytes, size_t len)
{
    struct mip4_request q;
    struct mip6_update u;
    if (paper_is_ipv6(m)) {
        if (mip6_update_decode(bytes, len, &u) != MIP6_DECODED)
            abort();
        return (struct paper_request){.number = u.sequence,
                                      .time = u.options.timestamp,
                                      .lifetime_s = (uint32_t)u.lifetime * MIP6_LIFETIME_UNIT_S};
    }
    if (mip4_request_decode(bytes, len, &q) != MIP4_DECODED)
        abort();
    return (struct paper_request){
        .number = (uint32_t)q.identification, .time = q.identification, .lifetime_s = q.lifetime_s};
}

/* ---- Replies ---- */
static bool read_registration_reply(const struct world *world, const uint8_t *bytes, size_t len,
                                    struct paper_reply *out)
{
    struct mip4_reply reply;
    if (mip4_reply_decode(bytes, len, &reply) != MIP4_DECODED)
        return false;
    *out = (struct paper_reply){
        .mobile = mobile_by_address(world, &reply.home),
        .number = (uint32_t)reply.identification,
        .code = reply.code,
        .success = mip4_code_is_success(reply.code),
        .stale = reply.code == MIP4_IDENTIFICATION_MISMATCH,
        .time = reply.identification & ~(uint64_t)UINT32_MAX,
        .lifetime_s = reply.lifetime_s,
    };
    return true;
}

static bool read_acknowledgement(const struct world *world, const struct addr *to, const uint8_t *bytes,
                                 size_t len, struct paper_reply *out)
{
    struct mip6_ack ack;
    enum mip6_type type;
    const struct addr *from = appliance_address(&world->nodes[0], true);
    if (mip6_check(bytes, len, from, to, &type) != MIP6_DECODED || type != MIP6_ACK ||
        mip6_ack_decode(bytes, len, &ack) != MIP6_DECODED)
        return false;
    *out = (struct paper_reply){
        .mobile = mobile_by_address(world, to),
        .number = ack.sequence,
        .code = ack.status,
        .success = mip6_status_is_success(ack.status),
        .stale = ack.status == MIP6_TIMESTAMP_MISMATCH || ack.status == MIP6_SEQUENCE,
        .elsewhere = ack.status == MIP6_SEQUENCE,
        .time = ack.options.has_timestamp ? ack.options.timestamp & ~(uint64_t)UINT32_MAX : 0,
        .lifetime_s = (uint32_t)ack.lifetime * MIP6_LIFETIME_UNIT_S,
    };
    return true;
}

bool paper_read_reply(const struct world *world, const struct addr *to, const uint8_t *bytes, size_t len,
                      struct paper_reply *out)
{
    return addr_is_ipv4(to) ? read_registration_reply(world, bytes, len, out)
                            : read_acknowledgement(world, to, bytes, len, out);
}
