/* SPDX-License-Identifier: BSD-3-Clause */
#include "secondary/principal.h"

#include <stdlib.h>

#include "secondary/order.h"
#include "secondary/snapshot.h"

/* ---- Lease ---- */
static struct lease *present_lease(struct principal *principal)
{
    return &principal->leases[principal->sessions % PRINCIPAL_LEASES];
}

const struct lease *principal_lease(const struct principal *principal, uint32_t session)
{
    if (principal->sessions - session >= PRINCIPAL_LEASES)
        return NULL;
    return &principal->leases[session % PRINCIPAL_LEASES];
}

bool principal_leased(const struct principal *principal, struct instant now)
{
    return principal->leased && now.mono_ns < principal->lease_end_ns;
}

const struct addr *principal_own_source(const struct agent *agent, const struct principal *principal,
                                        const struct addr *far)
{
    const struct addr *local = &principal->peer.is.local;
    const bool ipv4 = addr_is_ipv4(far);
    if (addr_is_ipv4(local) == ipv4)
        return local;
    for (size_t i = 0; i < agent->settings.n_own; i++)
        if (addr_is_ipv4(&agent->reserved[i]) == ipv4 && addr_is_routable(&agent->reserved[i]))
            return &agent->reserved[i];
    return local;
}

static void note_lease(struct agent *agent, const struct principal *principal, enum note_kind kind)
{
    struct note note = {
        .kind = (uint8_t)kind, .peer = principal->peer.is.address, .value = principal->n_active};
    memcpy(note.name, principal->peer.is.name, sizeof(note.name));
    effect_note(agent, &note);
}

static uint64_t first_end(const struct principal *principal)
{
    uint64_t first = TIMER_NEVER;
    for (size_t i = 0; i < PRINCIPAL_LEASES; i++)
        if (principal->leases[i].in_force && principal->leases[i].end_ns < first)
            first = principal->leases[i].end_ns;
    return first;
}

/* A lease that nobody would end is none. */
static bool watch_leases(struct agent *agent, struct principal *principal)
{
    const uint64_t end = first_end(principal);
    if (end != TIMER_NEVER)
        return timerq_set(agent->timers, &principal->lease, end);
    timerq_cancel(agent->timers, &principal->lease);
    return true;
}

static void prolong(struct agent *agent, struct principal *principal, uint64_t end_ns)
{
    struct lease *lease = present_lease(principal);
    const bool gained = !lease->in_force;
    if (lease->in_force && end_ns <= lease->end_ns)
        return;
    *lease = (struct lease){.end_ns = end_ns, .in_force = true};
    if (!watch_leases(agent, principal)) {
        lease->in_force = false;
        count(agent, AGENT_NO_MEMORY);
        return;
    }
    principal->leased = true;
    principal->lease_end_ns = end_ns;
    if (!gained)
        return;
    timerq_cancel(agent->timers, &principal->peer.greeting);
    note_lease(agent, principal, NOTE_LEASE_GAINED);
}

static void end_leases(struct principal *principal, struct instant now)
{
    for (size_t i = 0; i < PRINCIPAL_LEASES; i++)
        if (principal->leases[i].end_ns <= now.mono_ns)
            principal->leases[i].in_force = false;
    principal->leased = present_lease(principal)->in_force;
}

/* From here on the entries that it covered intercept nothing: they look at it (held.c). */
void principal_lease_due(struct agent *agent, struct timer *timer, struct instant now)
{
    struct principal *principal = timer_owner(timer, struct principal, lease);
    end_leases(principal, now);
    if (!watch_leases(agent, principal)) {
        count(agent, AGENT_NO_MEMORY); /* it was set a moment ago: there is room */
        return;
    }
    if (first_end(principal) == TIMER_NEVER) {
        count(agent, AGENT_LEASES_LOST);
        note_lease(agent, principal, NOTE_LEASE_LOST);
    }
    if (!principal->leased && !principal->peer.dismissed)
        peer_greet(agent, &principal->peer, now);
}

/* ---- KEEPALIVE ---- */
static struct delegation_load load_now(const struct agent *agent, const struct principal *principal,
                                       struct instant now)
{
    const struct agent_load *own = &agent->load;
    return (struct delegation_load){
        .state = principal->snapshot != NULL ? LOAD_SYNCING : LOAD_READY,
        .busiest_permille = own->busiest_permille,
        .capacity_pps = own->capacity_pps,
        .rx_pps = own->rx_pps,
        .tx_pps = own->tx_pps,
        .drop_pps = own->drop_pps,
        .tx_kbps = own->tx_kbps,
        .bindings = (uint32_t)agent->n_bindings,
        .max_bindings = agent->settings.max_bindings,
        .tombstones = principal->n_tombstones,
        .unknown_pps = own->unknown_pps,
        .digest = principal->digest,
        .floor = principal->floor,
        .uptime_s = (uint32_t)((now.mono_ns - agent->boot_ns) / NSEC_PER_S),
        .heard = principal->heard,
    };
}

static void keepalive(struct agent *agent, struct principal *principal, bool prompt, struct instant now)
{
    const struct delegation_load load = load_now(agent, principal, now);
    struct packet packet;
    packet_begin(&packet, &principal->peer, DELEGATION_KEEPALIVE, ++principal->peer.flow.next_transaction);
    delegation_load_encode(&packet.w, &load);
    packet.records = 1;
    principal->asked[principal->next_asked++ % PRINCIPAL_KEEPALIVES] =
        (struct keepalive){.sequence = packet_send(agent, &packet, now),
                           .sent_ns = now.mono_ns,
                           .transaction = packet.transaction,
                           .prompt = prompt};
}

/* A session that brings no lease is replaced. */
static void ask_for_another(struct agent *agent, struct principal *principal, struct instant now)
{
    if (!principal->leased && now.mono_ns >= principal->session_ns + PRINCIPAL_ASKING_MS * NSEC_PER_MS)
        peer_greet(agent, &principal->peer, now);
}

static const struct keepalive *last_asked(const struct principal *principal)
{
    return &principal->asked[(principal->next_asked - 1) % PRINCIPAL_KEEPALIVES];
}

/* When the next one is due, by what has become of the last. */
static uint64_t next_keepalive_ns(const struct principal *principal)
{
    const struct keepalive *last = last_asked(principal);
    const bool answered = last->sequence <= principal->heard;
    return last->sent_ns + (answered ? PRINCIPAL_KEEPALIVE_MS : PRINCIPAL_RETRY_MS) * NSEC_PER_MS;
}

void principal_keepalive_due(struct agent *agent, struct timer *timer, struct instant now)
{
    struct principal *principal = timer_owner(timer, struct principal, keepalive);
    if (!peer_in_session(&principal->peer))
        return;
    if (next_keepalive_ns(principal) <= now.mono_ns) {
        keepalive(agent, principal, false, now);
        ask_for_another(agent, principal, now);
    }
    if (!timerq_set(agent->timers, timer, next_keepalive_ns(principal)))
        count(agent, AGENT_NO_MEMORY);
}

static const struct keepalive *asked_by(const struct principal *principal, uint32_t transaction)
{
    for (size_t i = 0; i < PRINCIPAL_KEEPALIVES; i++)
        if (principal->asked[i].sequence != 0 && principal->asked[i].transaction == transaction)
            return &principal->asked[i];
    return NULL;
}

static void follow_reports(struct agent *agent, struct principal *principal,
                           const struct delegation_lease *lease, struct instant now)
{
    if (principal->report_top != lease->report_top)
        report_resize(principal, lease->report_top);
    principal->report_top = lease->report_top;
    principal->report_ms = lease->report_ms;
    if (lease->report_ms == 0 || timer_is_set(&principal->report))
        return;
    if (!timerq_set(agent->timers, &principal->report, now.mono_ns + lease->report_ms * NSEC_PER_MS))
        count(agent, AGENT_NO_MEMORY);
}

static void take_lease(struct agent *agent, struct principal *principal, const struct keepalive *asked,
                       const struct delegation_lease *lease, struct instant now)
{
    const uint64_t end_ns = asked->sent_ns + lease->lease_ms * NSEC_PER_MS;
    held_floor(principal, lease->floor);
    follow_reports(agent, principal, lease, now);
    if (lease->sequence == asked->sequence && end_ns > now.mono_ns)
        prolong(agent, principal, end_ns);
}

/* [S] The primary may wait to be told that an answer without a LEASE was heard; it may have another reason,
 * too, so never twice in a row. */
static void tell_at_once(struct agent *agent, struct principal *principal, struct instant now)
{
    if (!last_asked(principal)->prompt)
        keepalive(agent, principal, true, now);
}

static void keepalive_answered(struct agent *agent, struct principal *principal,
                               const struct delegation_header *header, struct delegation_records *records,
                               struct instant now)
{
    struct delegation_record record;
    const struct keepalive *asked = asked_by(principal, header->transaction);
    bool leased = false;
    if (asked == NULL)
        return;
    if (asked->sequence > principal->heard)
        principal->heard = asked->sequence;
    while (delegation_next(records, &record)) {
        if (record.type != DELEGATION_RECORD_LEASE)
            continue;
        leased = true;
        take_lease(agent, principal, asked, &record.lease, now);
    }
    if (!leased)
        tell_at_once(agent, principal, now);
}

/* ---- RATES ---- */
void principal_report_due(struct agent *agent, struct timer *timer, struct instant now)
{
    struct principal *principal = timer_owner(timer, struct principal, report);
    if (!peer_in_session(&principal->peer) || principal->report_ms == 0)
        return;
    report_send_rates(agent, principal, now);
    if (!timerq_set(agent->timers, timer, now.mono_ns + principal->report_ms * NSEC_PER_MS))
        count(agent, AGENT_NO_MEMORY);
}

/* ---- The role ---- */

static struct peer *create(struct agent *agent, const struct agent_peer *is)
{
    (void)agent;
    struct principal *principal = calloc(1, sizeof(*principal));
    if (principal == NULL)
        return NULL;
    principal->peer.is = *is;
    principal->lease.kind = TIMER_LEASE;
    principal->keepalive.kind = TIMER_KEEPALIVE;
    principal->report.kind = TIMER_REPORT;
    return &principal->peer;
}

static void drop_all(struct agent *agent, struct held *const *first)
{
    while (*first != NULL) {
        struct mobile *mobile = (*first)->mobile;
        held_destroy(agent, *first);
        mobile_release(agent, mobile);
    }
}

/* What it delegated has been dropped before (dismissed), or the whole agent ends. */
static void destroy(struct agent *agent, struct peer *peer)
{
    struct principal *principal = principal_of(peer);
    drop_all(agent, &principal->entries);
    drop_all(agent, &principal->tombstones);
    snapshot_end(agent, principal);
    report_destroy(agent, principal);
    timerq_cancel(agent->timers, &principal->lease);
    timerq_cancel(agent->timers, &principal->keepalive);
    timerq_cancel(agent->timers, &principal->report);
    explicit_bzero(principal, sizeof(*principal));
    free(principal);
}

/* Entries outside narrower prefixes live to their end, or to the next START, which is refused. */
static void reconfigured(struct agent *agent, struct peer *peer, struct instant now)
{
    (void)agent;
    (void)peer;
    (void)now;
}

static bool holds_nothing(const struct principal *principal)
{
    return principal->entries == NULL && principal->tombstones == NULL;
}

/* What it delegated is dropped in steps; the last of them releases it. Nothing of the session that ends can
 * arrive any more, so that no tombstone is needed. */
static bool dismissed(struct agent *agent, struct peer *peer, struct instant now)
{
    (void)now;
    peer_end_session(agent, peer);
    held_floor(principal_of(peer), UINT64_MAX);
    return holds_nothing(principal_of(peer));
}

static void introduce(struct agent *agent, struct peer *peer, struct delegation_hello *hello)
{
    (void)agent;
    hello->term = principal_of(peer)->term;
}

static void introduced(struct agent *agent, struct peer *peer, const struct delegation_hello *hello,
                       struct instant now)
{
    (void)agent;
    (void)peer;
    (void)hello;
    (void)now;
}

/* Whatever was asked in the session before cannot arrive any more, and what is asked again bears new
 * generations [S]: the floor starts anew. Tombstones stay until it has risen past them. */
static void began(struct agent *agent, struct peer *peer, bool restarted, bool first, struct instant now)
{
    (void)restarted;
    (void)first; /* a KEEPALIVE is due in any case: nothing can be delegated before its answer */
    struct principal *principal = principal_of(peer);
    snapshot_end(agent, principal);
    principal->sessions++;
    principal->session_ns = now.mono_ns;
    principal->floor = 0;
    principal->heard = 0;
    principal->sync_requested = false;
    principal->leased = false;
    *present_lease(principal) = (struct lease){0};
    memset(principal->asked, 0, sizeof(principal->asked));
    keepalive(agent, principal, false, now);
    if (!timerq_set(agent->timers, &principal->keepalive, next_keepalive_ns(principal)))
        count(agent, AGENT_NO_MEMORY);
}

static void receive(struct agent *agent, struct peer *peer, const struct delegation_header *header,
                    struct delegation_records *records, struct instant now)
{
    struct principal *principal = principal_of(peer);
    switch (header->type) {
    case DELEGATION_START:
    case DELEGATION_STOP:
        order_receive(agent, principal, header, records, now);
        break;
    case DELEGATION_KEEPALIVE_ACK:
        keepalive_answered(agent, principal, header, records, now);
        break;
    case DELEGATION_SYNC_REQ:
        snapshot_request(agent, principal, header, records, now);
        break;
    case DELEGATION_RATES_ACK:
    case DELEGATION_SYNC_ACK:
    case DELEGATION_EVENT_ACK:
        break;
    default:
        count(agent, AGENT_PEER_UNEXPECTED);
    }
}

/* ---- What is left over ---- */
static bool is_leaving(const struct principal *principal)
{
    return principal->peer.dismissed && holds_nothing(principal);
}

static bool has_work_of(const struct principal *principal)
{
    return held_has_work(principal) || report_has_work(principal) || snapshot_has_work(principal) ||
           is_leaving(principal);
}

static bool has_work(const struct agent *agent, uint64_t now_ns)
{
    (void)now_ns;
    PRINCIPALS_FOREACH(agent, principal)
    if (has_work_of(principal))
        return true;
    return false;
}

static bool step_of(struct agent *agent, struct principal *principal, struct instant now)
{
    return held_step(agent, principal) || report_step(agent, principal, now) ||
           snapshot_step(agent, principal, now);
}

static bool step(struct agent *agent, struct instant now)
{
    PRINCIPALS_FOREACH(agent, principal)
    {
        if (step_of(agent, principal, now))
            return true;
        if (is_leaving(principal)) {
            peer_release(agent, &principal->peer);
            return true;
        }
    }
    return false;
}

const struct peer_role secondary_role = {
    .hello_role = HELLO_SECONDARY,
    .create = create,
    .destroy = destroy,
    .reconfigured = reconfigured,
    .dismissed = dismissed,
    .introduce = introduce,
    .introduced = introduced,
    .began = began,
    .receive = receive,
    .step = step,
    .has_work = has_work,
};
