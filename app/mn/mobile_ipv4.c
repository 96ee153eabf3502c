/* SPDX-License-Identifier: BSD-3-Clause */
/* Mobile IPv4: registration requests and replies (RFC 5944 section 3.6). */
#include "mip4.h"
#include "mobile_format.h"

#include <string.h>

static uint32_t lifetime(uint16_t policy_s)
{
    return policy_s == MIP4_LIFETIME_INFINITE ? MOBILE_FOREVER : policy_s;
}

static uint16_t lifetime_field(uint32_t lifetime_s)
{
    return lifetime_s == MOBILE_FOREVER ? MIP4_LIFETIME_INFINITE : (uint16_t)lifetime_s;
}

/* Section 5.7.2: the home agent's last nonce above, a new one of ours below. */
static uint64_t next_nonces(struct mobile *m)
{
    uint32_t own = (uint32_t)mobile_draw(m);
    if (own == (uint32_t)m->request.identification)
        own++;
    return (uint64_t)m->nonce << 32 | own;
}

/* With nonces a retransmission is the same bytes; a timestamp is never sent twice (section 3.6.3). */
static bool identify(struct mobile *m, struct instant now)
{
    const bool nonces = m->identity.replay == MOBILE_NONCE;
    if (nonces && m->request.copies > 0)
        return false;
    m->request.identification = nonces ? next_nonces(m) : mobile_next_timestamp(m, now.ntp);
    return true;
}

/* At home the care-of address is not co-located, so D must not be set (section 3.6.1.2). */
static uint8_t flags_of(const struct mobile *m)
{
    if (m->goal == MOBILE_HOME)
        return 0;
    const bool reverse = m->policy->reverse_tunnel && m->goal == MOBILE_ABROAD;
    return MIP4_COLOCATED | (reverse ? MIP4_REVERSE_TUNNEL : 0);
}

/* Order of extensions: section 3.6.1.3. A co-located care-of address is the source of its requests, the home
 * address of those at home (section 3.6.1.1); the care-of address is the home address there. */
static bool encode(const struct mobile *m, struct auth *auth, struct mobile_output *out)
{
    const struct mobile_identity *who = &m->identity;
    const struct mip4_request request = {
        .flags = flags_of(m),
        .lifetime_s = lifetime_field(m->request.lifetime_s),
        .home = who->home,
        .home_agent = m->home_agent,
        .care_of = m->care_of,
        .identification = m->request.identification,
    };
    struct writer w = writer_over(out->message, sizeof(out->message));
    mip4_request_encode(&w, &request);
    if (who->nai != NULL)
        mip4_append(&w, MIP4_EXT_NAI, who->nai, strlen(who->nai));
    if (!mip4_append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH, who->spi, &who->key, auth) || w.failed)
        return false;
    out->source = m->care_of;
    out->len = writer_len(&w);
    return true;
}

static bool is_foreign_agents(uint8_t code)
{
    return (code >= 64 && code <= 127) || code == 194;
}

/* The checks of section 3.6.2.1. */
static enum mobile_verdict check_reply(const struct mobile *m, struct auth *auth, const uint8_t *message,
                                       const struct mip4_reply *reply)
{
    const struct mip4_auth *mhae = &reply->ext.mobile_home;

    if (!mobile_waits(m) || !addr_equal(&reply->home, &m->identity.home))
        return MOBILE_NOT_ASKED;
    if ((uint32_t)reply->identification != (uint32_t)m->request.identification)
        return MOBILE_IDENTIFICATION;
    if (is_foreign_agents(reply->code))
        return MOBILE_FOREIGN_AGENT;
    if (mhae->count != 1)
        return MOBILE_UNAUTHENTICATED;
    if (mhae->spi != m->identity.spi || !mip4_auth_verify(message, mhae, &m->identity.key, auth))
        return MOBILE_BAD_AUTHENTICATOR;
    return MOBILE_ACCEPTED;
}

static enum mobile_verdict read_reply(const struct mobile *m, struct auth *auth,
                                      const struct mobile_reply *reply, struct mobile_said *said)
{
    struct mip4_reply r;
    if (mip4_reply_decode(reply->message, reply->len, &r) != MIP4_DECODED)
        return MOBILE_MALFORMED;
    *said = (struct mobile_said){
        .code = r.code,
        .success = mip4_code_is_success(r.code),
        .lifetime_s = lifetime(r.lifetime_s),
        .identification = r.identification,
        .home_agent = r.home_agent,
    };
    return check_reply(m, auth, reply->message, &r);
}

/* Codes 133 and 136 (section 3.6.2.3): the reply's Identification is ours with the home agent's seconds on
 * top. */
static bool repair(struct mobile *m, const struct mobile_said *said)
{
    if (said->code != MIP4_IDENTIFICATION_MISMATCH && said->code != MIP4_UNKNOWN_HOME_AGENT)
        return false;
    if (said->code == MIP4_UNKNOWN_HOME_AGENT) {
        if (addr_is_unspecified(&said->home_agent) || addr_is_multicast(&said->home_agent) ||
            addr_equal(&said->home_agent, &m->home_agent))
            return false;
        m->home_agent = said->home_agent;
    }
    if (m->identity.replay == MOBILE_TIMESTAMP)
        mobile_resynchronise(m, said->identification);
    return true;
}

const struct mobile_format mobile_ipv4 = {
    /* Section 3.6.3: never less than a second, doubling, not beyond the requested lifetime. */
    .first_interval_ns = NSEC_PER_S,
    .next_interval_ns = NSEC_PER_S,
    .longest_interval_ns = 64 * NSEC_PER_S,
    .bounded_by_lifetime = true,
    /* Section 4.6: the gratuitous ARP is repeated "a small number of times". */
    .announces_first = true,
    .repetitions = 3,
    .announce_after_ns = {200 * NSEC_PER_MS, 800 * NSEC_PER_MS, 2 * NSEC_PER_S},
    .lifetime = lifetime,
    .identify = identify,
    .encode = encode,
    .read = read_reply,
    .repair = repair,
    .code_text = mip4_code_text,
};
