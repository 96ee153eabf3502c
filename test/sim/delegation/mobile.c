/* SPDX-License-Identifier: BSD-3-Clause */
#include "mobile.h"

#include "mip4.h"
#include "world.h"

#include <stdlib.h>

enum { HOMES = 0x0a016400, TRIES_MAX = 4, REQUEST_LOSS = 3 /* percent */, REST_S = 900 };

/* ---- Who it is ---- */
struct addr mobile_home(size_t number)
{
    return addr_from_ipv4((uint32_t)(HOMES + number));
}

int mobile_by_address(const struct world *world, const struct addr *home)
{
    if (!addr_is_ipv4(home))
        return -1;
    const uint32_t i = addr_ipv4(home) - HOMES;
    return i < world->n_mobiles ? (int)i : -1;
}

bool mobile_is_bound(const struct mobile *mobile)
{
    return appliance_entry(&mobile->world->nodes[0], mobile->number) != NULL;
}

void mobile_init(struct world *world, size_t number)
{
    struct mobile *m = &world->mobiles[number];
    *m = (struct mobile){
        .world = world,
        .number = number,
        .home = mobile_home(number),
        .sa = {.spi = 256, .replay = number % 4 == 3 ? REPLAY_NONCE : REPLAY_TIMESTAMP},
        .mac = {{2, 0, 0, 7, (uint8_t)(number >> 8), (uint8_t)number}},
        .asked_ns = TIMER_NEVER,
        .replied_ns = TIMER_NEVER,
        .ended_ns = TIMER_NEVER,
        .gap_ns = TIMER_NEVER,
    };
    m->sa.key.algorithm = AUTH_HMAC_MD5;
    m->sa.key.len = 16;
    for (size_t i = 0; i < 16; i++)
        m->sa.key.bytes[i] = (uint8_t)(number * 5 + i);
    for (size_t i = 0; i < OBSERVERS; i++)
        m->cache[i].who = CACHE_NOBODY;
}

/* ---- Requests ---- */
static uint64_t true_ntp(const struct world *world)
{
    const uint64_t ns = world->now_ns + 10 * NSEC_PER_S;
    return ntp_from_unix(1800000000 + (int64_t)(ns / NSEC_PER_S), (uint32_t)(ns % NSEC_PER_S));
}

static uint64_t identification(struct mobile *m)
{
    m->low++;
    if (m->sa.replay == REPLAY_NONCE)
        return (uint64_t)m->nonce << 32 | m->low;
    return true_ntp(m->world) + m->shift + m->low;
}

static void encode(struct mobile *m, struct mip4_request *q)
{
    q->home = m->home;
    q->home_agent = m->world->nodes[0].address;
    q->identification = identification(m);
    struct writer w = writer_over(m->pending, sizeof(m->pending));
    mip4_request_encode(&w, q);
    if (!mip4_append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH, m->sa.spi, &m->sa.key, m->world->auth))
        abort();
    m->pending_len = writer_len(&w);
}

static void transmit(struct mobile *m)
{
    struct world *world = m->world;
    struct mip4_request q;
    if (mip4_request_decode(m->pending, m->pending_len, &q) != MIP4_DECODED)
        abort();
    world->tally.requests++;
    world_trace(world, q.lifetime_s > 0 ? "registers" : "deregisters", TRACE_NOBODY, TRACE_NOBODY,
                (int)m->number, addr_ipv4(&q.care_of), q.lifetime_s);
    world_at(world, &m->retry, WAKE_RETRY, NSEC_PER_S << m->tries);
    if (chance_percent(&world->chance, REQUEST_LOSS))
        return;
    struct letter *letter = world_alloc(sizeof(*letter));
    letter->mobile = m->number;
    letter->source = q.care_of;
    letter->len = m->pending_len;
    memcpy(letter->bytes, m->pending, m->pending_len);
    world_at(world, &letter->timer, WAKE_REQUEST, chance_between(&world->chance, 1, 30) * NSEC_PER_MS);
}

static void begin(struct mobile *m, struct mip4_request *q)
{
    encode(m, q);
    m->waiting = true;
    m->tries = 0;
    transmit(m);
}

void mobile_register(struct mobile *m, bool elsewhere, uint16_t lifetime_s)
{
    if (elsewhere || !m->away)
        m->care_of = addr_from_ipv4(0xc0a80000u + (uint32_t)(m->number * 16 + m->places++ % 16));
    m->away = true;
    struct mip4_request q = {.flags = MIP4_COLOCATED, .lifetime_s = lifetime_s, .care_of = m->care_of};
    if (m->world->plan.max_care_of > 1 && chance_percent(&m->world->chance, 40))
        q.flags |= MIP4_SIMULTANEOUS;
    begin(m, &q);
}

/* RFC 5944 section 4.6: it announces itself before it deregisters. */
void mobile_return(struct mobile *m)
{
    m->away = false;
    link_mobile_announces(m->world, m);
    struct mip4_request q = {.care_of = m->home};
    begin(m, &q);
}

static void leave(struct mobile *m)
{
    struct mip4_request q = {.flags = MIP4_COLOCATED, .care_of = m->care_of};
    begin(m, &q);
}

/* RFC 5944 section 3.6.3: with timestamps each transmission has a new one. */
void mobile_retry_due(struct mobile *m)
{
    if (!m->waiting || ++m->tries > TRIES_MAX)
        return;
    struct mip4_request q;
    if (mip4_request_decode(m->pending, m->pending_len, &q) != MIP4_DECODED)
        abort();
    if (m->sa.replay == REPLAY_TIMESTAMP)
        encode(m, &q);
    transmit(m);
}

/* ---- What it does ---- */
static void arm(struct mobile *m)
{
    const uint64_t ms = m->world->plan.act_ms;
    world_at(m->world, &m->act, WAKE_ACT,
             chance_between(&m->world->chance, ms / 4, ms * 7 / 4) * NSEC_PER_MS);
}

static uint16_t lifetime(const struct mobile *m)
{
    const struct plan *plan = &m->world->plan;
    return (uint16_t)chance_between(&m->world->chance, plan->lifetime_low_s, plan->lifetime_high_s);
}

void mobile_act_due(struct mobile *m)
{
    const uint64_t dice = chance_below(&m->world->chance, 100);
    arm(m);
    if (m->world->settling) {
        if (m->away && !m->silent && !m->rests && mobile_is_bound(m))
            mobile_register(m, false, REST_S);
        m->rests = true;
        return;
    }
    if (!m->away || dice < 25)
        mobile_register(m, true, lifetime(m));
    else if (dice < 65 && !m->silent)
        mobile_register(m, false, lifetime(m));
    else if (dice < 75)
        mobile_return(m);
    else if (dice < 82)
        leave(m);
    m->silent = dice >= 95;
}

/* ---- At the primary ---- */
void mobile_deliver(struct world *world, const struct mobile *m, const struct addr *source,
                    const uint8_t *bytes, size_t len)
{
    struct appliance *primary = &world->nodes[0];
    const struct agent_datagram d = {
        .source = *source,
        .destination = primary->address,
        .source_port = 5000,
        .destination_port = MIP4_PORT,
        .on_home_link = addr_equal(source, &m->home),
        .source_mac = m->mac,
        .payload = bytes,
        .len = len,
    };
    agent_input(primary->agent, &d, appliance_instant(primary));
    appliance_settle(primary);
}

/* What it may have been granted at most: for I4. Infinity is never asked for. */
static void note_request(struct mobile *m, const struct letter *letter)
{
    struct mip4_request q;
    if (mip4_request_decode(letter->bytes, letter->len, &q) != MIP4_DECODED)
        abort();
    const uint64_t end_ns = m->world->now_ns + q.lifetime_s * NSEC_PER_S;
    if (end_ns > m->due_ns)
        m->due_ns = end_ns;
    const uint32_t low = (uint32_t)q.identification;
    if (m->asked_ns != TIMER_NEVER && (int32_t)(low - m->asked_low) <= 0)
        return;
    m->asked_ns = m->world->now_ns;
    m->asked_low = low;
}

/* Of those accepted: one that was denied may be accepted later, it is fresh still (RFC 5944 section 5.7.1).
 */
static void keep_for_replay(struct mobile *m)
{
    if (m->old_len > 0 && !chance_percent(&m->world->chance, 20))
        return;
    memcpy(m->old, m->heard, m->heard_len);
    m->old_len = m->heard_len;
    m->old_source = m->heard_source;
}

static void note_heard(struct mobile *m, const struct letter *letter)
{
    memcpy(m->heard, letter->bytes, letter->len);
    m->heard_len = letter->len;
    m->heard_source = letter->source;
    m->heard_low = (uint32_t)letter->bytes[20] << 24 | (uint32_t)letter->bytes[21] << 16 |
                   (uint32_t)letter->bytes[22] << 8 | letter->bytes[23];
}

void mobile_request_arrives(struct world *world, struct letter *letter)
{
    struct mobile *m = &world->mobiles[letter->mobile];
    if (appliance_is_live(&world->nodes[0])) {
        note_request(m, letter);
        note_heard(m, letter);
        mobile_deliver(world, m, &letter->source, letter->bytes, letter->len);
    }
    free(letter);
}

void mobile_send_reply(struct world *world, const struct message *message)
{
    struct mip4_reply reply;
    if (mip4_reply_decode(message->bytes, message->len, &reply) != MIP4_DECODED)
        world_violates(world, "reply", "a reply that does not decode");
    const int number = mobile_by_address(world, &reply.home);
    if (number < 0)
        world_violates(world, "reply", "a reply to a stranger");
    struct mobile *m = &world->mobiles[number];
    world_trace(world, "replies", 0, TRACE_NOBODY, number, reply.code, reply.lifetime_s);
    if (m->asked_ns != TIMER_NEVER && (uint32_t)reply.identification == m->asked_low)
        m->asked_ns = TIMER_NEVER;
    if (mip4_code_is_success(reply.code) && reply.lifetime_s > 0 && m->replied_ns == TIMER_NEVER)
        m->replied_ns = world->now_ns;
    if (mip4_code_is_success(reply.code) && (uint32_t)reply.identification == m->heard_low)
        keep_for_replay(m);
    struct letter *letter = world_alloc(sizeof(*letter));
    letter->mobile = (size_t)number;
    letter->len = message->len;
    memcpy(letter->bytes, message->bytes, message->len);
    world_at(world, &letter->timer, WAKE_REPLY, chance_between(&world->chance, 1, 30) * NSEC_PER_MS);
}

/* ---- Back at the mobile node ---- */
void mobile_reply_arrives(struct world *world, struct letter *letter)
{
    struct mobile *m = &world->mobiles[letter->mobile];
    struct mip4_reply reply;
    struct mip4_request q;
    if (mip4_reply_decode(letter->bytes, letter->len, &reply) != MIP4_DECODED)
        abort();
    free(letter);
    if (!m->waiting || (uint32_t)reply.identification != m->low)
        return;
    m->waiting = false;
    m->nonce = (uint32_t)(reply.identification >> 32);
    if (reply.code != MIP4_IDENTIFICATION_MISMATCH || m->tries >= TRIES_MAX ||
        mip4_request_decode(m->pending, m->pending_len, &q) != MIP4_DECODED)
        return;
    m->shift = (reply.identification & ~(uint64_t)UINT32_MAX) + ntp_from_seconds(1) - true_ntp(world);
    encode(m, &q);
    m->waiting = true;
    m->tries++;
    transmit(m);
}
