/* SPDX-License-Identifier: BSD-3-Clause */
#include "mobile.h"

#include "mip4.h"
#include "world.h"

#include <stdlib.h>

enum { HOMES = 0x0a016400, TRIES_MAX = 4, REQUEST_LOSS = 3 /* percent */, REST_S = 900 };

/* ---- Who it is ---- */
static bool is_ipv6(const struct world *world, size_t number)
{
    const uint8_t families = world->plan.families;
    return families == FAMILIES_IPV6 || (families == FAMILIES_BOTH && number % 2 == 1);
}

/* 2001:db8:1::6400 and so on; away 2001:db8:2::. */
static struct addr ipv6_address(uint8_t network, uint32_t host)
{
    return (struct addr){{0x20, 1, 0x0d, 0xb8, 0, network, 0, 0, 0, 0, 0, 0, (uint8_t)(host >> 24),
                          (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host}};
}

struct addr mobile_home(const struct world *world, size_t number)
{
    if (is_ipv6(world, number))
        return ipv6_address(1, (uint32_t)(HOMES + number) & 0xffff);
    return addr_from_ipv4((uint32_t)(HOMES + number));
}

static struct addr place(const struct mobile *m, uint32_t number)
{
    const uint32_t host = (uint32_t)(m->number * 16 + number % 16);
    return paper_is_ipv6(m) ? ipv6_address(2, host) : addr_from_ipv4(0xc0a80000u + host);
}

int mobile_by_address(const struct world *world, const struct addr *home)
{
    const uint32_t i = (addr_tail(home) & 0xffff) - (HOMES & 0xffff);
    if (i >= world->n_mobiles)
        return -1;
    return addr_equal(&world->mobiles[i].home, home) ? (int)i : -1;
}

bool mobile_is_bound(const struct mobile *mobile)
{
    return appliance_entry(&mobile->world->nodes[0], mobile->number) != NULL;
}

/* Duplicate address detection goes before the first binding (RFC 6275 section 10.3.1): a second, and as long
 * as a secondary that is not met may hold a lease, a second more for each that somebody claims the address
 * in. */
static uint64_t detection_ns(const struct mobile *m)
{
    const struct appliance *primary = &m->world->nodes[0];
    const uint64_t lease_ns = primary->settings.delegation.lease_ms * NSEC_PER_MS;
    const uint64_t from_ns = m->asked_ns == TIMER_NEVER ? m->world->now_ns : m->asked_ns;
    const bool doubtful = from_ns < primary->up_ns + lease_ns;
    return 1001 * NSEC_PER_MS + (doubtful ? lease_ns + NSEC_PER_S : 0);
}

uint64_t mobile_patience_ns(const struct mobile *m)
{
    const uint64_t held_ns = 510 * NSEC_PER_MS;
    return paper_is_ipv6(m) ? held_ns + detection_ns(m) : held_ns;
}

static uint8_t replay_style(const struct mobile *m)
{
    if (paper_is_ipv6(m))
        return m->number % 8 == 3 ? REPLAY_SEQUENCE : REPLAY_TIMESTAMP;
    return m->number % 4 == 3 ? REPLAY_NONCE : REPLAY_TIMESTAMP;
}

void mobile_init(struct world *world, size_t number)
{
    struct mobile *m = &world->mobiles[number];
    *m = (struct mobile){
        .world = world,
        .number = number,
        .home = mobile_home(world, number),
        .sa = {.spi = 256},
        .mac = {{2, 0, 0, 7, (uint8_t)(number >> 8), (uint8_t)number}},
        .link_local = number % 4 == 1,
        .asked_ns = TIMER_NEVER,
        .replied_ns = TIMER_NEVER,
        .ended_ns = TIMER_NEVER,
        .gap_ns = TIMER_NEVER,
    };
    m->sa.replay = replay_style(m);
    m->sa.key.algorithm = paper_is_ipv6(m) ? AUTH_HMAC_SHA1 : AUTH_HMAC_MD5;
    m->sa.key.len = 16;
    for (size_t i = 0; i < 16; i++)
        m->sa.key.bytes[i] = (uint8_t)(number * 5 + i);
    for (size_t i = 0; i < OBSERVERS; i++)
        m->cache[i].who = CACHE_NOBODY;
}

/* ---- Requests ---- */
uint64_t mobile_clock(const struct mobile *m)
{
    const uint64_t ns = m->world->now_ns + 10 * NSEC_PER_S;
    return ntp_from_unix(1800000000 + (int64_t)(ns / NSEC_PER_S), (uint32_t)(ns % NSEC_PER_S));
}

static void transmit(struct mobile *m)
{
    struct world *world = m->world;
    world->tally.requests++;
    world_trace(world, m->wish.lifetime_s > 0 ? "registers" : "deregisters", TRACE_NOBODY, TRACE_NOBODY,
                (int)m->number, addr_tail(&m->wish.care_of), m->wish.lifetime_s);
    world_at(world, &m->retry, WAKE_RETRY, NSEC_PER_S << m->tries);
    if (chance_percent(&world->chance, REQUEST_LOSS))
        return;
    struct letter *letter = world_alloc(sizeof(*letter));
    letter->mobile = m->number;
    letter->source = m->wish.care_of;
    letter->len = m->pending_len;
    memcpy(letter->bytes, m->pending, m->pending_len);
    world_at(world, &letter->timer, WAKE_REQUEST, chance_between(&world->chance, 1, 30) * NSEC_PER_MS);
}

static void begin(struct mobile *m, const struct wish *wish)
{
    m->wish = *wish;
    paper_write(m, wish);
    m->waiting = true;
    m->tries = 0;
    transmit(m);
}

void mobile_register(struct mobile *m, bool elsewhere, uint16_t lifetime_s)
{
    if (elsewhere || !m->away)
        m->care_of = place(m, m->places++);
    m->away = true;
    struct wish wish = {.lifetime_s = lifetime_s, .care_of = m->care_of};
    wish.keeps_others = m->world->plan.max_care_of > 1 && chance_percent(&m->world->chance, 40);
    begin(m, &wish);
}

/* RFC 5944 section 4.6: it announces itself before it deregisters; after, says RFC 6275 section 11.5.5. */
void mobile_return(struct mobile *m)
{
    m->away = false;
    if (paper_is_ipv6(m))
        link_asks_for_home_agent(m->world, m);
    else
        link_mobile_announces(m->world, m);
    begin(m, &(struct wish){.care_of = m->home});
}

static void leave(struct mobile *m)
{
    begin(m, &(struct wish){.care_of = m->care_of});
}

static void has_returned(struct mobile *m)
{
    if (paper_is_ipv6(m) && !m->away && m->wish.lifetime_s == 0)
        link_mobile_announces(m->world, m);
}

/* RFC 5944 section 3.6.3: with timestamps each transmission has a new one. RFC 6275 section 11.8: with
 * sequence numbers, too. */
void mobile_retry_due(struct mobile *m)
{
    if (!m->waiting)
        return;
    if (++m->tries > TRIES_MAX) {
        has_returned(m);
        return;
    }
    if (m->sa.replay != REPLAY_NONCE)
        paper_write(m, &m->wish);
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
    const bool ipv6 = paper_is_ipv6(m), by_option = ipv6 && !addr_equal(source, &m->home);
    const struct agent_datagram d = {
        .source = *source,
        .destination = *appliance_address(primary, ipv6),
        .home = by_option ? m->home : addr_unspecified,
        .protocol = ipv6 ? IPPROTO_NUM_MOBILITY : IPPROTO_NUM_UDP,
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
    const struct paper_request q = paper_read_request(m, letter->bytes, letter->len);
    const uint64_t by_ns = m->world->now_ns + mobile_patience_ns(m);
    if (by_ns > m->answered_by_ns)
        m->answered_by_ns = by_ns;
    if (by_ns + q.lifetime_s * NSEC_PER_S > m->due_ns)
        m->due_ns = by_ns + q.lifetime_s * NSEC_PER_S;
    if (m->asked_ns != TIMER_NEVER && !paper_is_later(m, q.number, m->asked_number))
        return;
    m->asked_ns = m->world->now_ns;
    m->asked_number = q.number;
}

/* A lifetime begins when it is granted: after a detection that a standstill outlasts, that much later. */
void mobile_was_kept_waiting(struct mobile *m, uint64_t since_ns)
{
    if (m->answered_by_ns <= since_ns)
        return;
    m->answered_by_ns += m->world->now_ns - since_ns;
    m->due_ns += m->world->now_ns - since_ns;
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

static void note_taken(struct mobile *m)
{
    m->taken = paper_read_request(m, m->heard, m->heard_len);
    m->taken_life = m->world->nodes[0].starts;
    keep_for_replay(m);
}

static void note_heard(struct mobile *m, const struct letter *letter)
{
    memcpy(m->heard, letter->bytes, letter->len);
    m->heard_len = letter->len;
    m->heard_source = letter->source;
    m->heard_number = paper_read_request(m, letter->bytes, letter->len).number;
}

void mobile_request_arrives(struct world *world, struct letter *letter)
{
    struct mobile *m = &world->mobiles[letter->mobile];
    if (appliance_is_live(&world->nodes[0])) {
        note_request(m, letter);
        note_heard(m, letter);
        if (invariants_is_about_to_end(m))
            m->renewed_late_ns = world->now_ns;
        mobile_deliver(world, m, &letter->source, letter->bytes, letter->len);
    }
    free(letter);
}

/* What it says is for the request that is waited for. One that names the last number taken (RFC 6275 section
 * 11.7.3) may have been drawn by another, an attacker's for one: it counts if that number is not behind. */
static bool is_for(const struct mobile *m, const struct paper_reply *reply, uint32_t number)
{
    return reply->elsewhere ? !paper_is_later(m, number, reply->number) : reply->number == number;
}

static void read_reply(struct world *world, const struct message *message, struct paper_reply *reply)
{
    const bool routed = !addr_equal(&message->home, &addr_unspecified);
    const struct addr *to = routed ? &message->home : &message->destination;
    if (!paper_read_reply(world, to, message->bytes, message->len, reply))
        world_violates(world, "reply", "a reply that does not decode");
    if (reply->mobile < 0)
        world_violates(world, "reply", "a reply to a stranger");
}

static void post(struct world *world, const struct message *message, size_t mobile)
{
    struct letter *letter = world_alloc(sizeof(*letter));
    letter->mobile = mobile;
    letter->len = message->len;
    memcpy(letter->bytes, message->bytes, message->len);
    world_at(world, &letter->timer, WAKE_REPLY, chance_between(&world->chance, 1, 30) * NSEC_PER_MS);
}

void mobile_send_reply(struct world *world, const struct message *message)
{
    struct paper_reply reply;
    read_reply(world, message, &reply);
    struct mobile *m = &world->mobiles[reply.mobile];
    world_trace(world, "replies", 0, TRACE_NOBODY, reply.mobile, reply.code, reply.lifetime_s);
    if (m->asked_ns != TIMER_NEVER && is_for(m, &reply, m->asked_number))
        m->asked_ns = TIMER_NEVER;
    if (reply.success && reply.lifetime_s > 0 && m->replied_ns == TIMER_NEVER)
        m->replied_ns = world->now_ns;
    if (reply.success && reply.number == m->heard_number)
        note_taken(m);
    post(world, message, m->number);
}

/* ---- Back at the mobile node ---- */
static void resynchronise(struct mobile *m, const struct paper_reply *reply)
{
    if (reply->elsewhere)
        m->low = reply->number;
    else
        m->shift = reply->time + ntp_from_seconds(1) - mobile_clock(m);
}

void mobile_reply_arrives(struct world *world, struct letter *letter)
{
    struct mobile *m = &world->mobiles[letter->mobile];
    struct paper_reply reply;
    if (!paper_read_reply(world, &m->home, letter->bytes, letter->len, &reply))
        abort();
    free(letter);
    if (!m->waiting || !is_for(m, &reply, paper_number(m)))
        return;
    m->waiting = false;
    m->nonce = (uint32_t)(reply.time >> 32);
    if (!reply.stale || m->tries >= TRIES_MAX) {
        has_returned(m);
        return;
    }
    resynchronise(m, &reply);
    paper_write(m, &m->wish);
    m->waiting = true;
    m->tries++;
    transmit(m);
}
