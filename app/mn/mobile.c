/* SPDX-License-Identifier: BSD-3-Clause */
#include "mobile.h"
#include "mip4.h"

/* RFC 5944 section 3.6.3: never less than a second, doubling, not beyond the requested lifetime. */
static const uint64_t first_interval_ns = NSEC_PER_S;
static const uint64_t longest_interval_ns = 64 * NSEC_PER_S;

/* RFC 5944 section 4.6: the gratuitous ARP is repeated "a small number of times". */
static const uint64_t announce_after_ns[] = {200 * NSEC_PER_MS, 800 * NSEC_PER_MS, 2 * NSEC_PER_S};
enum { ANNOUNCEMENTS = 1 + sizeof(announce_after_ns) / sizeof(announce_after_ns[0]) };

const char *mobile_verdict_text(enum mobile_verdict verdict)
{
    static const char *const texts[] = {
#define X(name, text) text,
        MOBILE_VERDICTS(X)
#undef X
    };
    return texts[verdict];
}

/* splitmix64: identifications need to differ and to be hard to guess from outside, not to be secret. */
static uint64_t draw(struct mobile *m)
{
    uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void mobile_init(struct mobile *m, const struct mobile_policy *policy, const struct mobile_identity *identity,
                 const struct addr *home_agent, uint64_t seed)
{
    *m = (struct mobile){
        .policy = policy,
        .identity = *identity,
        .home_agent = *home_agent,
        .care_of = identity->home,
        .due_ns = TIMER_NEVER,
        .announce_ns = TIMER_NEVER,
        .random = seed,
    };
    m->nonce = (uint32_t)draw(m);
}

bool mobile_is_bound(const struct mobile *m, uint64_t now_ns)
{
    return m->bound_until_ns > now_ns && addr_equal(&m->bound_to, &m->care_of);
}

bool mobile_is_quiet(const struct mobile *m)
{
    return m->state != MOBILE_ASKING && m->announce_ns == TIMER_NEVER;
}

uint64_t mobile_deadline(const struct mobile *m)
{
    return m->due_ns < m->announce_ns ? m->due_ns : m->announce_ns;
}

static void begin_asking(struct mobile *m)
{
    m->state = MOBILE_ASKING;
    m->tries = 0;
    m->interval_ns = first_interval_ns;
    m->request.copies = 0;
}

void mobile_want(struct mobile *m, enum mobile_goal goal, const struct addr *care_of, uint64_t at_ns)
{
    const struct addr before = m->care_of;
    if (goal == MOBILE_ABROAD)
        m->care_of = *care_of;
    if (goal == MOBILE_HOME)
        m->care_of = m->identity.home;

    m->goal = (uint8_t)goal;
    m->announced = 0;
    m->announce_ns = goal == MOBILE_HOME ? at_ns : TIMER_NEVER;
    begin_asking(m);

    const bool moved = !addr_equal(&before, &m->care_of);
    const uint64_t earliest_ns = m->request.last_ns + first_interval_ns;
    const bool too_early = !moved && m->request.last_ns != 0 && at_ns < earliest_ns;
    m->due_ns = too_early ? earliest_ns : at_ns;
}

/* RFC 5944 section 5.7.1: the time of day in NTP format, greater than any used before; bits that the clock
 * does not give (two: nanoseconds) are random. */
static uint64_t next_timestamp(struct mobile *m, uint64_t ntp)
{
    uint64_t id = ((ntp + m->clock_ahead) & ~UINT64_C(3)) | (draw(m) & 3);
    if (m->newest_id != 0 && ntp_since(id, m->newest_id) <= 0)
        id = m->newest_id + 1;
    m->newest_id = id;
    return id;
}

/* RFC 5944 section 5.7.2: the home agent's last nonce above, a new one of ours below. */
static uint64_t next_nonces(struct mobile *m)
{
    uint32_t own = (uint32_t)draw(m);
    if (own == (uint32_t)m->request.identification)
        own++;
    return (uint64_t)m->nonce << 32 | own;
}

static uint64_t interval_limit(const struct mobile *m)
{
    const uint64_t lifetime_ns = m->request.lifetime_s * NSEC_PER_S;
    return lifetime_ns == 0 || lifetime_ns > longest_interval_ns ? longest_interval_ns : lifetime_ns;
}

static void prepare_request(struct mobile *m, struct instant now)
{
    const bool nonces = m->identity.replay == MOBILE_NONCE;
    struct mobile_request *r = &m->request;

    /* With nonces a retransmission is the same bytes; a timestamp is never sent twice (section 3.6.3). */
    if (r->copies == 0 || !nonces) {
        r->identification = nonces ? next_nonces(m) : next_timestamp(m, now.ntp);
        r->lifetime_s = m->goal == MOBILE_ABROAD ? m->policy->lifetime_s : 0;
        r->first_ntp = now.ntp;
        r->first_ns = now.mono_ns;
    }
    r->copies++;
    r->last_ns = now.mono_ns;
    m->tries++;
    m->due_ns = now.mono_ns + m->interval_ns;
    m->interval_ns *= 2;
    if (m->interval_ns > interval_limit(m))
        m->interval_ns = interval_limit(m);
}

/* At home the care-of address is not co-located, so D must not be set (section 3.6.1.2). */
static uint8_t flags_of(const struct mobile *m)
{
    if (m->goal == MOBILE_HOME)
        return 0;
    const bool reverse = m->policy->reverse_tunnel && m->goal == MOBILE_ABROAD;
    return MIP4_COLOCATED | (reverse ? MIP4_REVERSE_TUNNEL : 0);
}

/* Order of extensions: RFC 5944 section 3.6.1.3. False: libcrypto failed. */
static bool encode(const struct mobile *m, struct auth *auth, struct mobile_output *out)
{
    const struct mobile_identity *who = &m->identity;
    const struct mip4_request request = {
        .flags = flags_of(m),
        .lifetime_s = m->request.lifetime_s,
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
    out->len = writer_len(&w);
    return true;
}

static void fail(struct mobile *m)
{
    m->state = MOBILE_FAILED;
    m->disappointed = true;
    m->due_ns = TIMER_NEVER;
}

static bool out_of_tries(const struct mobile *m)
{
    return m->policy->tries != 0 && m->tries >= m->policy->tries;
}

static void ask(struct mobile *m, struct auth *auth, struct instant now, struct mobile_output *out)
{
    if (m->state == MOBILE_SETTLED)
        begin_asking(m);
    if (out_of_tries(m)) {
        out->gave_up = true;
        fail(m);
        return;
    }
    out->retransmission = m->request.copies > 0;
    prepare_request(m, now);
    /* A co-located care-of address is the source of its requests, the home address of those at home
     * (section 3.6.1.1); the care-of address is the home address there. */
    out->source = m->care_of;
    out->destination = m->home_agent;
    if (!encode(m, auth, out))
        fail(m);
}

static void announce(struct mobile *m, uint64_t now_ns, struct mobile_output *out)
{
    out->announce = true;
    m->announced++;
    m->announce_ns =
        m->announced < ANNOUNCEMENTS ? now_ns + announce_after_ns[m->announced - 1] : TIMER_NEVER;
}

void mobile_expire(struct mobile *m, struct auth *auth, struct instant now, struct mobile_output *out)
{
    out->announce = out->retransmission = out->gave_up = false;
    out->len = 0;
    if (m->announce_ns <= now.mono_ns)
        announce(m, now.mono_ns, out);
    if (m->due_ns <= now.mono_ns)
        ask(m, auth, now, out);
}

/* Section 3.6.2.2: the lifetime granted, never more than was asked, runs from the sending of the request. */
static void accept_reply(struct mobile *m, const struct mip4_reply *reply)
{
    const struct mobile_request *r = &m->request;
    const uint16_t granted_s = reply->lifetime_s < r->lifetime_s ? reply->lifetime_s : r->lifetime_s;

    m->accepted_id = r->identification;
    m->bound_to = m->care_of;
    m->bound_until_ns = 0;
    m->due_ns = TIMER_NEVER;
    m->state = MOBILE_SETTLED;
    if (r->lifetime_s == 0)
        return;
    if (granted_s == 0) {
        fail(m);
        return;
    }
    const bool infinite = granted_s == MIP4_LIFETIME_INFINITE;
    m->bound_until_ns = infinite ? TIMER_NEVER : r->first_ns + granted_s * NSEC_PER_S;
    if (infinite && m->policy->renew_s == 0)
        return;
    const uint64_t wait_ns =
        m->policy->renew_s != 0 ? m->policy->renew_s * NSEC_PER_S : granted_s * (NSEC_PER_S * 4 / 5);
    const uint64_t earliest_ns = r->last_ns + first_interval_ns;
    m->due_ns = r->first_ns + wait_ns > earliest_ns ? r->first_ns + wait_ns : earliest_ns;
}

/*
 * Codes 133 and 136 (section 3.6.2.3): the reply's Identification is ours with the home agent's seconds on
 * top. What was refused was never accepted, so a clock that ran ahead may be set back behind it.
 */
static void resynchronise(struct mobile *m, const struct mip4_reply *reply)
{
    m->clock_ahead = reply->identification - m->request.first_ntp;
    m->newest_id = m->accepted_id;
}

/* True: worth another request, sent when a retransmission would have been. */
static bool repair(struct mobile *m, const struct mip4_reply *reply)
{
    if (reply->code != MIP4_IDENTIFICATION_MISMATCH && reply->code != MIP4_UNKNOWN_HOME_AGENT)
        return false;
    if (out_of_tries(m))
        return false;
    if (reply->code == MIP4_UNKNOWN_HOME_AGENT) {
        if (addr_is_unspecified(&reply->home_agent) || addr_is_multicast(&reply->home_agent) ||
            addr_equal(&reply->home_agent, &m->home_agent))
            return false;
        m->home_agent = reply->home_agent;
    }
    if (m->identity.replay == MOBILE_TIMESTAMP)
        resynchronise(m, reply);
    m->request.copies = 0;
    return true;
}

static bool is_foreign_agents(uint8_t code)
{
    return (code >= 64 && code <= 127) || code == 194;
}

/* The checks of section 3.6.2.1. MOBILE_ACCEPTED: the reply may be believed, whatever it says. */
static enum mobile_verdict check_reply(const struct mobile *m, struct auth *auth, const uint8_t *message,
                                       const struct mip4_reply *reply)
{
    const struct mip4_auth *mhae = &reply->ext.mobile_home;

    if (m->state != MOBILE_ASKING || m->request.copies == 0 || !addr_equal(&reply->home, &m->identity.home))
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

struct mobile_answer mobile_input(struct mobile *m, struct auth *auth, struct instant now,
                                  const uint8_t *message, size_t len)
{
    struct mobile_answer answer = {.verdict = MOBILE_MALFORMED};
    struct mip4_reply reply;
    if (mip4_reply_decode(message, len, &reply) != MIP4_DECODED)
        return answer;

    answer.code = reply.code;
    answer.verdict = check_reply(m, auth, message, &reply);
    if (answer.verdict != MOBILE_ACCEPTED)
        return answer;

    /* Which of several equal requests a reply answers cannot be told. */
    if (m->request.copies == 1)
        answer.latency_ns = now.mono_ns - m->request.first_ns;
    m->nonce = (uint32_t)(reply.identification >> 32);
    if (mip4_code_is_success(reply.code)) {
        accept_reply(m, &reply);
    } else if (repair(m, &reply)) {
        answer.verdict = MOBILE_REPAIRING;
    } else {
        answer.verdict = MOBILE_DENIED;
        fail(m);
    }
    return answer;
}
