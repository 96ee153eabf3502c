/* SPDX-License-Identifier: BSD-3-Clause */
/* Mobile IPv6: binding updates and acknowledgements (RFC 6275 section 11.7), authenticated by RFC 4285. */
#include "mip6.h"
#include "mobile_format.h"

#include <string.h>

/* Section 6.1.7: a lifetime counts units of 4 s, and must not be 0 to register (section 11.7.1). */
static uint32_t lifetime(uint16_t policy_s)
{
    const uint32_t whole_s = policy_s - policy_s % MIP6_LIFETIME_UNIT_S;
    return whole_s == 0 ? MIP6_LIFETIME_UNIT_S : whole_s;
}

/* Each transmission has a greater sequence number than the one before (section 11.8), and a timestamp of its
 * own where the home agent wants one (RFC 4285 section 6). */
static bool identify(struct mobile *m, struct instant now)
{
    m->request.sequence = ++m->sequence;
    if (m->identity.replay == MOBILE_TIMESTAMP)
        m->request.identification = mobile_next_timestamp(m, now.ntp);
    return true;
}

/* Section 11.7.1: abroad from the care-of address with the Home Address option and, since nothing protects
 * the IPv6 header, the alternate care-of address option. Section 11.5.5: at home from the home address, which
 * is then the care-of address, with neither. */
static bool encode(const struct mobile *m, struct auth *auth, struct mobile_output *out)
{
    const struct mobile_identity *who = &m->identity;
    const bool abroad = m->goal != MOBILE_HOME;
    const struct mip6_update update = {
        .sequence = m->request.sequence,
        .flags = MIP6_ACKNOWLEDGE | MIP6_HOME_REGISTRATION,
        .lifetime = (uint16_t)(m->request.lifetime_s / MIP6_LIFETIME_UNIT_S),
    };
    struct writer w = writer_over(out->message, sizeof(out->message));
    mip6_update_begin(&w, &update);
    if (abroad)
        mip6_append_alternate_care_of(&w, &m->care_of);
    if (who->nai != NULL)
        mip6_append_identifier(&w, who->nai, strlen(who->nai));
    if (who->replay == MOBILE_TIMESTAMP)
        mip6_append_timestamp(&w, m->request.identification);
    if (!mip6_append_auth(&w, who->spi, &who->key, &m->care_of, &who->home, auth) ||
        !mip6_finish(&w, &who->home, &m->home_agent))
        return false;
    out->source = m->care_of;
    if (abroad)
        out->home = who->home;
    out->len = writer_len(&w);
    return true;
}

/* Section 11.7.3: only an authentic "sequence number out of window" need not match. With timestamps all must
 * be as sent, but for the seconds of a mismatch (RFC 4285 section 6). */
static bool answers(const struct mobile *m, const struct mip6_ack *ack)
{
    const uint64_t sent = m->request.identification;
    if (ack->status != MIP6_SEQUENCE && ack->sequence != m->request.sequence)
        return false;
    if (m->identity.replay != MOBILE_TIMESTAMP || ack->status == MIP6_SEQUENCE)
        return true;
    const bool same = ack->options.timestamp == sent;
    const bool corrected =
        ack->status == MIP6_TIMESTAMP_MISMATCH && (uint32_t)ack->options.timestamp == (uint32_t)sent;
    return ack->options.has_timestamp && (same || corrected);
}

static enum mobile_verdict check_ack(const struct mobile *m, struct auth *auth,
                                     const struct mobile_reply *reply, const struct mip6_ack *ack)
{
    const struct mip6_auth *option = &ack->options.mobile_home;
    const struct mobile_identity *who = &m->identity;

    if (!mobile_waits(m))
        return MOBILE_NOT_ASKED;
    if (!answers(m, ack))
        return MOBILE_IDENTIFICATION;
    if (option->count != 1 || ack->options.auth_misplaced)
        return MOBILE_UNAUTHENTICATED;
    if (option->spi != who->spi ||
        !mip6_auth_verify(reply->message, reply->len, option, &who->key, &m->care_of, &who->home, auth))
        return MOBILE_BAD_AUTHENTICATOR;
    return MOBILE_ACCEPTED;
}

/* What was to be deleted and is not there (133: an earlier acknowledgement was lost, or it has expired) is as
 * good as deleted. */
static bool is_success(const struct mobile *m, uint8_t status)
{
    return mip6_status_is_success(status) || (status == MIP6_NOT_HOME_AGENT && m->request.lifetime_s == 0);
}

static enum mobile_verdict read_ack(const struct mobile *m, struct auth *auth,
                                    const struct mobile_reply *reply, struct mobile_said *said)
{
    enum mip6_type type;
    struct mip6_ack ack;
    if (mip6_check(reply->message, reply->len, &reply->source, &reply->home, &type) != MIP6_DECODED ||
        type != MIP6_ACK || mip6_ack_decode(reply->message, reply->len, &ack) != MIP6_DECODED)
        return MOBILE_MALFORMED;
    *said = (struct mobile_said){
        .code = ack.status,
        .success = is_success(m, ack.status),
        .lifetime_s = (uint32_t)ack.lifetime * MIP6_LIFETIME_UNIT_S,
        .refresh_s =
            ack.options.has_refresh_advice ? (uint32_t)ack.options.refresh_advice * MIP6_LIFETIME_UNIT_S : 0,
        .identification = ack.options.timestamp,
        .sequence = ack.sequence,
        .home_agent = addr_unspecified,
    };
    return check_ack(m, auth, reply, &ack);
}

/* Section 11.7.3; RFC 4285 section 6. */
static bool repair(struct mobile *m, const struct mobile_said *said)
{
    if (said->code == MIP6_SEQUENCE)
        m->sequence = said->sequence;
    else if (said->code == MIP6_TIMESTAMP_MISMATCH && m->identity.replay == MOBILE_TIMESTAMP)
        mobile_resynchronise(m, said->identification);
    else
        return false;
    return true;
}

const struct mobile_format mobile_ipv6 = {
    /* Sections 11.8 and 13: a first registration waits for duplicate address detection. */
    .first_interval_ns = 1500 * NSEC_PER_MS,
    .next_interval_ns = NSEC_PER_S,
    .longest_interval_ns = 32 * NSEC_PER_S,
    /* RFC 4861 sections 7.2.6 and 10: three in all, a second apart. */
    .repetitions = 2,
    .announce_after_ns = {NSEC_PER_S, NSEC_PER_S},
    .lifetime = lifetime,
    .identify = identify,
    .encode = encode,
    .read = read_ack,
    .repair = repair,
    .code_text = mip6_status_text,
};
