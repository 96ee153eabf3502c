/* SPDX-License-Identifier: BSD-3-Clause */
#include "mobile.h"
#include "mobile_format.h"
#include "random.h"

/* The same thing is not asked for again within a second (RFC 5944 section 3.6). */
static const uint64_t pause_ns = NSEC_PER_S;

const char *mobile_verdict_text(enum mobile_verdict verdict)
{
    static const char *const texts[] = {
#define X(name, text) text,
        MOBILE_VERDICTS(X)
#undef X
    };
    return texts[verdict];
}

const char *mobile_code_text(const struct mobile *m, uint8_t code)
{
    return m->format->code_text(code);
}

/* Identifications need to differ and to be hard to guess from outside, not to be secret. */
uint64_t mobile_draw(struct mobile *m)
{
    return random_next(&m->random);
}

void mobile_init(struct mobile *m, const struct mobile_policy *policy, const struct mobile_identity *identity,
                 const struct addr *home_agent, uint64_t seed)
{
    *m = (struct mobile){
        .policy = policy,
        .format = addr_is_ipv4(&identity->home) ? &mobile_ipv4 : &mobile_ipv6,
        .identity = *identity,
        .home_agent = *home_agent,
        .care_of = identity->home,
        .due_ns = TIMER_NEVER,
        .announce_ns = TIMER_NEVER,
        .random = seed,
    };
    m->nonce = (uint32_t)mobile_draw(m);
    m->sequence = (uint16_t)mobile_draw(m); /* it may start at any value (RFC 6275 section 11.7.1) */
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
    m->announce_ns = goal == MOBILE_HOME && m->format->announces_first ? at_ns : TIMER_NEVER;
    begin_asking(m);

    const bool moved = !addr_equal(&before, &m->care_of);
    const uint64_t earliest_ns = m->request.last_ns + pause_ns;
    const bool too_early = !moved && m->request.last_ns != 0 && at_ns < earliest_ns;
    m->due_ns = too_early ? earliest_ns : at_ns;
}

uint64_t mobile_next_timestamp(struct mobile *m, uint64_t ntp)
{
    uint64_t id = ((ntp + m->clock_ahead) & ~UINT64_C(3)) | (mobile_draw(m) & 3);
    if (m->newest_id != 0 && ntp_since(id, m->newest_id) <= 0)
        id = m->newest_id + 1;
    m->newest_id = id;
    return id;
}

/* What was refused was never accepted, so a clock that ran ahead may be set back behind it. */
void mobile_resynchronise(struct mobile *m, uint64_t identification)
{
    m->clock_ahead = identification - m->request.first_ntp;
    m->newest_id = m->accepted_id;
}

static uint64_t interval_limit(const struct mobile *m)
{
    const uint64_t lifetime_ns = m->request.lifetime_s * NSEC_PER_S;
    const uint64_t longest_ns = m->format->longest_interval_ns;
    const bool shorter = m->format->bounded_by_lifetime && lifetime_ns != 0 && lifetime_ns < longest_ns;
    return shorter ? lifetime_ns : longest_ns;
}

static uint64_t next_interval(const struct mobile *m, uint64_t now_ns)
{
    if (m->tries == 0)
        return m->bound_until_ns > now_ns ? m->format->next_interval_ns : m->format->first_interval_ns;
    const uint64_t doubled_ns = 2 * m->interval_ns;
    return doubled_ns < interval_limit(m) ? doubled_ns : interval_limit(m);
}

static void prepare_request(struct mobile *m, struct instant now)
{
    struct mobile_request *r = &m->request;

    if (m->format->identify(m, now)) {
        r->lifetime_s = m->goal == MOBILE_ABROAD ? m->format->lifetime(m->policy->lifetime_s) : 0;
        r->first_ntp = now.ntp;
        r->first_ns = now.mono_ns;
    }
    m->interval_ns = next_interval(m, now.mono_ns);
    m->due_ns = now.mono_ns + m->interval_ns;
    r->copies++;
    r->last_ns = now.mono_ns;
    m->tries++;
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
    out->destination = m->home_agent;
    out->home = addr_unspecified;
    if (!m->format->encode(m, auth, out))
        fail(m);
}

static void announce(struct mobile *m, uint64_t now_ns, struct mobile_output *out)
{
    out->announce = true;
    m->announce_ns = m->announced < m->format->repetitions
                         ? now_ns + m->format->announce_after_ns[m->announced]
                         : TIMER_NEVER;
    m->announced++;
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

/* The next request before the binding ends. */
static void plan_renewal(struct mobile *m, uint32_t granted_s, uint32_t refresh_s)
{
    const struct mobile_request *r = &m->request;
    uint64_t wait_ns = granted_s * (NSEC_PER_S * 4 / 5);
    if (m->policy->renew_s == 0 && granted_s == MOBILE_FOREVER)
        return;
    if (m->policy->renew_s != 0)
        wait_ns = m->policy->renew_s * NSEC_PER_S;
    else if (refresh_s != 0 && refresh_s * NSEC_PER_S < wait_ns)
        wait_ns = refresh_s * NSEC_PER_S; /* RFC 6275 section 11.7.3 */
    const uint64_t earliest_ns = r->last_ns + pause_ns;
    m->due_ns = r->first_ns + wait_ns > earliest_ns ? r->first_ns + wait_ns : earliest_ns;
}

/* RFC 5944 section 3.6.2.2, RFC 6275 section 11.7.3: the lifetime granted, never more than was asked, runs
 * from the sending of the request. */
static void accept_reply(struct mobile *m, const struct mobile_said *said, uint64_t now_ns)
{
    const struct mobile_request *r = &m->request;
    const uint32_t granted_s = said->lifetime_s < r->lifetime_s ? said->lifetime_s : r->lifetime_s;

    m->accepted_id = r->identification;
    m->bound_to = m->care_of;
    m->bound_until_ns = 0;
    m->due_ns = TIMER_NEVER;
    m->state = MOBILE_SETTLED;
    if (m->goal == MOBILE_HOME && !m->format->announces_first)
        m->announce_ns = now_ns;
    if (r->lifetime_s == 0)
        return;
    if (granted_s == 0) {
        fail(m);
        return;
    }
    m->bound_until_ns = granted_s == MOBILE_FOREVER ? TIMER_NEVER : r->first_ns + granted_s * NSEC_PER_S;
    plan_renewal(m, granted_s, said->refresh_s);
}

struct mobile_answer mobile_input(struct mobile *m, struct auth *auth, struct instant now,
                                  const struct mobile_reply *reply)
{
    struct mobile_said said = {0};
    struct mobile_answer answer = {.verdict = m->format->read(m, auth, reply, &said)};
    answer.code = said.code;
    if (answer.verdict != MOBILE_ACCEPTED)
        return answer;

    /* Which of several equal requests a reply answers cannot be told. */
    if (m->request.copies == 1)
        answer.latency_ns = now.mono_ns - m->request.first_ns;
    m->nonce = (uint32_t)(said.identification >> 32);
    if (said.success) {
        accept_reply(m, &said, now.mono_ns);
    } else if (!out_of_tries(m) && m->format->repair(m, &said)) {
        /* Asked again when a retransmission would have been. */
        m->request.copies = 0;
        answer.verdict = MOBILE_REPAIRING;
    } else {
        answer.verdict = MOBILE_DENIED;
        fail(m);
    }
    return answer;
}
