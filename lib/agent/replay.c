/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replay protection (RFC 5944 section 5.7; of binding updates RFC 6275 section 9.5.1 and RFC 4285 section 6).
 *
 * Timestamps. mobile->newest is the greatest one accepted from a mobile node, whichever of its associations
 * brought it; it outlives the binding. It begins at the instant of our own start, because what an earlier
 * life of ours accepted is unknown. What remains is a window: a request that was accepted before the restart
 * with a timestamp ahead of our clock (at most by the tolerance) can be replayed until the tolerance has
 * passed, unless the mobile node has registered anew meanwhile.
 *
 * Nonces. Good are nonce .. nonce + nonces: every reply gives a new one ("a new nonce in every Registration
 * Reply", section 5.7.2), and all of them stay good until one has been used. Were only the last one good,
 * then whoever replays old requests, each of them answered with 133 and another nonce, could keep a mobile
 * node from ever holding the right one. Using one draws the next run at random, so an old request fits by
 * chance once in 2^24 at worst.
 *
 * Sequence numbers, of binding updates without a timestamp. mobile->sequence outlives the binding: with
 * configured keys nothing else tells an old update from a new one (RFC 6275 section 15.3). So the entry that
 * section 9.5.1 speaks of is there from the first valid update on, and a mobile node that lost its count is
 * told ours (135), by which it goes on.
 */
#include "internal.h"

uint64_t request_tag(const struct mip4_request *request)
{
    uint64_t tag;
    memcpy(&tag, request->ext.mobile_home.authenticator, sizeof(tag));
    return tag;
}

static uint32_t make_nonce(struct agent *agent)
{
    uint8_t secret[16];
    uint32_t nonce;
    agent_secret(agent, secret);
    memcpy(&nonce, secret, sizeof(nonce));
    return nonce;
}

void replay_begin(struct agent *agent, struct security *s)
{
    s->denied_code = 0;
    s->nonces = 0;
    s->nonce = s->replay == REPLAY_NONCE ? make_nonce(agent) : 0;
}

/* RFC 5944 section 3.8.2.2: the accepted current request once more. The tag covers lifetime, flags and
 * extensions too, so that nothing but the very same request passes here, and current it is only as long as
 * what it asked for still holds. */
static bool is_current(const struct mobile *mobile, const struct mip4_request *request)
{
    return mobile->current != 0 && mobile->current == request_tag(request) &&
           (request->lifetime_s == 0 || care_find(mobile, &request->care_of) != NULL);
}

bool replay_timestamp_is_good(const struct agent *agent, const struct mobile *mobile, uint64_t timestamp,
                              struct instant now)
{
    const int64_t window = (int64_t)ntp_from_seconds(agent->settings.timestamp_window_s);
    const int64_t ahead = ntp_since(timestamp, now.ntp);
    return ahead <= window && ahead >= -window && ntp_since(timestamp, mobile->newest) > 0;
}

static bool nonce_is_good(const struct security *s, uint64_t identification)
{
    return (uint32_t)(identification >> 32) - s->nonce <= s->nonces;
}

enum freshness replay_judge(const struct agent *agent, const struct mobile *mobile, const struct security *s,
                            const struct mip4_request *request, struct instant now)
{
    if (is_current(mobile, request))
        return AGAIN;
    if (s->replay == REPLAY_TIMESTAMP)
        return replay_timestamp_is_good(agent, mobile, request->identification, now) ? FRESH : STALE;
    if (s->denied_code != 0 && s->denied_tag == (uint32_t)request_tag(request))
        return DENIED_BEFORE;
    return nonce_is_good(s, request->identification) ? FRESH : STALE;
}

static uint64_t with_low_of(uint64_t identification, uint32_t high)
{
    return (uint64_t)high << 32 | (uint32_t)identification;
}

uint64_t replay_resynchronise(uint64_t timestamp, struct instant now)
{
    return with_low_of(timestamp, (uint32_t)(now.ntp >> 32));
}

uint64_t replay_answer(struct security *s, const struct mip4_request *request, enum freshness freshness,
                       struct instant now)
{
    if (s->replay == REPLAY_TIMESTAMP)
        return freshness == STALE ? replay_resynchronise(request->identification, now)
                                  : request->identification;
    if (freshness == STALE && s->nonces < UINT8_MAX)
        s->nonces++;
    return with_low_of(request->identification, s->nonce + s->nonces);
}

static void use_nonce(struct agent *agent, struct security *s)
{
    s->nonce = make_nonce(agent);
    s->nonces = 0;
}

void replay_accept(struct agent *agent, struct mobile *mobile, struct security *s,
                   const struct mip4_request *request)
{
    mobile->current = request_tag(request);
    if (s->replay == REPLAY_TIMESTAMP) {
        mobile->newest = request->identification;
        return;
    }
    use_nonce(agent, s);
    s->denied_code = 0;
}

/* A nonce is used up by a denial as well, or the same request could be let in at any later time. Sent once
 * more, it gets the same answer, so that a lost denial needs no resynchronisation. A timestamp ages by
 * itself. */
void replay_deny(struct agent *agent, struct security *s, const struct mip4_request *request, uint8_t code)
{
    if (s->replay == REPLAY_TIMESTAMP)
        return;
    use_nonce(agent, s);
    s->denied_tag = (uint32_t)request_tag(request);
    s->denied_code = code;
}

/* ---- Sequence numbers ---- */
bool replay_sequence_is_good(const struct mobile *mobile, uint16_t sequence)
{
    const uint16_t ahead = (uint16_t)(sequence - mobile->sequence);
    return !mobile->has_sequence || (ahead != 0 && ahead < 0x8000);
}
