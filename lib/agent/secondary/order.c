/* SPDX-License-Identifier: BSD-3-Clause */
#include "secondary/order.h"

enum { ANNOUNCED_MAX = DELEGATION_MAX / DELEGATION_START_SIZE };

/* One datagram on its way through the rule. */
struct batch {
    struct agent *agent;
    struct principal *principal;
    const struct delegation_header *header;
    struct delegation_records *records;
    struct instant now;
    struct packet answer;
    struct mobile *announced[ANNOUNCED_MAX]; /* they follow the acknowledgements */
    size_t n_announced;
};

/* ---- Acknowledging ---- */
static void answer_begin(struct batch *b)
{
    packet_begin(&b->answer, &b->principal->peer, (uint8_t)(b->header->type + 1), b->header->transaction);
    b->answer.flags = DELEGATION_RESPONSE;
}

/* What cannot be sent is asked again. */
static void answer_send(struct batch *b)
{
    if (b->answer.records > 0 && effects_reserve(&b->agent->effects))
        packet_send(b->agent, &b->answer, b->now);
}

static void answer_add(struct batch *b, const struct delegation_ack *ack)
{
    if (!packet_has_room(&b->answer, DELEGATION_ACK_SIZE)) {
        answer_send(b);
        answer_begin(b);
    }
    delegation_ack_encode(&b->answer.w, ack);
    b->answer.records++;
}

/* Without an entry, what is refused because of floor or tombstone. */
static uint64_t bar(const struct principal *principal, const struct held *held)
{
    const uint64_t tombstone = held == NULL ? 0 : held->generation;
    return tombstone > principal->floor ? tombstone : principal->floor;
}

/* FENCED by a term that nothing of this home address bears: the generation told names it. */
static uint64_t held_to_tell(const struct principal *principal, const struct held *held, uint8_t status)
{
    const uint64_t generation = held_is_entry(held) ? held->generation : bar(principal, held);
    const uint64_t fence = delegation_first_generation(principal->term);
    return status == STATUS_FENCED && fence > generation ? fence : generation;
}

struct asked {
    uint32_t home_link;
    struct addr home;
    uint64_t generation;
    uint16_t index;
};

/* One home link is all that we have: nothing is ever held for another. */
static bool is_served(uint32_t home_link)
{
    return home_link == 0;
}

static void acknowledge_elsewhere(struct batch *b, const struct asked *asked, enum delegation_status status)
{
    const struct delegation_ack ack = {
        .home_link = asked->home_link,
        .home = asked->home,
        .asked = asked->generation,
        .held = asked->generation, /* none up to it will be obeyed */
        .status = (uint8_t)status,
        .state = HELD_ABSENT,
        .index = asked->index,
    };
    answer_add(b, &ack);
}

static void acknowledge(struct batch *b, const struct asked *asked, enum delegation_status status)
{
    const struct held *held = held_find(mobile_by_home(b->agent, &asked->home), b->principal);
    const struct delegation_ack ack = {
        .home_link = asked->home_link,
        .home = asked->home,
        .asked = asked->generation,
        .held = held_to_tell(b->principal, held, (uint8_t)status),
        .remaining_ms = held_left_ms(held, b->now),
        .status = (uint8_t)status,
        .state = held == NULL ? HELD_ABSENT : held->state,
        .index = asked->index,
    };
    answer_add(b, &ack);
}

static void acknowledge_bad(struct batch *b, const struct delegation_record *record)
{
    const struct delegation_ack ack = {.status = STATUS_BAD_RECORD, .index = record->index};
    answer_add(b, &ack);
}

/* An older term than the highest obeyed is a primary's that has been superseded. */
static bool is_fenced(struct principal *principal, uint64_t generation)
{
    const uint32_t term = delegation_term(generation);
    if (term < principal->term)
        return true;
    principal->term = term;
    return false;
}

/* ---- START: the rule ---- */
static enum delegation_status install(struct batch *b, const struct held *held, const struct offer *offer)
{
    const struct held *entry = held_is_entry(held) ? held : NULL;
    const enum delegation_status status = permit_offer(b->agent, b->principal, entry, offer);
    if (status == STATUS_NO_RESOURCES) {
        const struct delegation_event full = {.generation = offer->start.generation,
                                              .code = EVENT_TABLE_FULL};
        report_event(b->agent, b->principal, &full);
    }
    if (status != STATUS_OK)
        return status;
    return held_install(b->agent, b->principal, offer, b->now) != NULL ? STATUS_OK : STATUS_NO_RESOURCES;
}

static enum delegation_status start_unknown(struct batch *b, const struct held *held,
                                            const struct offer *offer)
{
    const uint64_t g = offer->start.generation;
    if (g <= bar(b->principal, held))
        return STATUS_STALE;
    const enum delegation_status status = install(b, held, offer);
    /* [S] A copy that comes late must not succeed where this one did not. */
    if (status != STATUS_OK && !held_bury(b->agent, b->principal, &offer->start.home, g))
        return STATUS_NO_RESOURCES;
    return status;
}

static enum delegation_status start_known(struct batch *b, struct held *entry, const struct offer *offer)
{
    const uint64_t g = offer->start.generation;
    if (g < entry->generation)
        return STATUS_STALE;
    if (g == entry->generation) /* [S] its generation may be that of a START refused */
        return entry->start == g ? STATUS_OK_ALREADY : STATUS_STALE;
    const enum delegation_status status = install(b, entry, offer);
    entry->generation = g;
    return status;
}

static enum delegation_status start(struct batch *b, const struct offer *offer)
{
    if (is_fenced(b->principal, offer->start.generation))
        return STATUS_FENCED;
    /* [S] */
    if ((offer->start.flags & START_INTERCEPT) != 0 && !principal_leased(b->principal, b->now))
        return STATUS_NOT_ASSOCIATED;
    struct held *held = held_find(mobile_by_home(b->agent, &offer->start.home), b->principal);
    return held_is_entry(held) ? start_known(b, held, offer) : start_unknown(b, held, offer);
}

/* ---- START: the records ---- */
static void offer_add(struct offer *offer, const struct delegation_start *r)
{
    struct care_grant *grant = &offer->set.grants[offer->set.n++];
    grant->care_of = r->care_of;
    grant->encapsulation = r->encapsulation;
    grant->path_mtu = r->tunnel_mtu;
    grant->link_local = (r->flags & START_LINK_LOCAL) != 0;
    grant->home_tests = (r->flags & START_HOME_TESTS) != 0;
}

static struct offer offer_begin(const struct batch *b, const struct delegation_record *record)
{
    struct offer offer = {.start = record->start, .index = record->index};
    const struct addr *own = principal_own_source(b->agent, b->principal, &offer.start.care_of);
    offer.own_source = addr_is_unspecified(&offer.start.source) || addr_equal(&offer.start.source, own);
    if (offer.own_source)
        offer.start.source = *own;
    offer.set.source = offer.start.source;
    offer_add(&offer, &record->start);
    return offer;
}

/* The next of the set that `first` began. */
static bool continues(const struct delegation_start *first, const struct delegation_record *record,
                      size_t index)
{
    const struct delegation_start *r = &record->start;
    return record->type == DELEGATION_RECORD_START && r->index == index && r->count == first->count &&
           r->generation == first->generation && r->home_link == first->home_link &&
           addr_equal(&r->home, &first->home) && r->flags == first->flags &&
           addr_equal(&r->source, &first->source);
}

/* Reads on to the end of the set. False: no record is left; else *record is the first behind it. */
static bool gather(struct batch *b, struct offer *offer, struct delegation_record *record)
{
    const struct delegation_start first = record->start;
    size_t n = 1;
    bool more = delegation_next(b->records, record);
    for (; more && n < first.count && continues(&first, record, n); n++) {
        if (n < AGENT_CARE_OF_MAX)
            offer_add(offer, &record->start);
        more = delegation_next(b->records, record);
    }
    offer->whole = first.index == 0 && n == first.count && n <= AGENT_CARE_OF_MAX;
    return more;
}

static void take_start(struct batch *b, const struct offer *offer)
{
    const struct delegation_start *s = &offer->start;
    const struct asked asked = {s->home_link, s->home, s->generation, offer->index};
    if (!is_served(s->home_link)) {
        count(b->agent, AGENT_STARTS_DECLINED);
        acknowledge_elsewhere(b, &asked, STATUS_PROHIBITED);
        return;
    }
    const enum delegation_status status = start(b, offer);
    count(b->agent, status < STATUS_STALE ? AGENT_STARTS_TAKEN : AGENT_STARTS_DECLINED);
    acknowledge(b, &asked, status);
    if (status == STATUS_OK && (s->flags & START_INTERCEPT) != 0 && (s->flags & START_ANNOUNCE) != 0)
        b->announced[b->n_announced++] = mobile_by_home(b->agent, &s->home);
}

static void take_starts(struct batch *b)
{
    struct delegation_record record;
    bool more = delegation_next(b->records, &record);
    while (more && effects_reserve(&b->agent->effects)) {
        if (record.type != DELEGATION_RECORD_START) {
            acknowledge_bad(b, &record);
            more = delegation_next(b->records, &record);
            continue;
        }
        struct offer offer = offer_begin(b, &record);
        more = gather(b, &offer, &record);
        take_start(b, &offer);
    }
}

/* Visible to all workers, then ARP, then the acknowledgement; this comes last. */
static void announce_all(struct batch *b)
{
    for (size_t i = 0; i < b->n_announced && effects_reserve(&b->agent->effects); i++)
        if (mobile_intercepts(b->agent, b->announced[i]))
            announce_bound(b->agent, b->announced[i], b->now);
}

/* ---- STOP ---- */
static enum delegation_status stop_unknown(struct batch *b, const struct held *held,
                                           const struct delegation_stop *r)
{
    if (r->generation <= bar(b->principal, held))
        return STATUS_OK_ABSENT;
    return held_bury(b->agent, b->principal, &r->home, r->generation) ? STATUS_OK_ABSENT
                                                                      : STATUS_NO_RESOURCES;
}

static enum delegation_status stop_known(struct batch *b, struct held *entry, const struct delegation_stop *r)
{
    if (r->generation < entry->generation)
        return STATUS_STALE;
    if (r->generation == entry->generation)
        return held_lingers(entry) && entry->start != r->generation ? STATUS_OK_ALREADY : STATUS_STALE;
    held_stop(b->agent, entry, r, b->now);
    return STATUS_OK;
}

static enum delegation_status stop(struct batch *b, const struct delegation_stop *r)
{
    if (r->mode > STOP_DELIVER)
        return STATUS_BAD_RECORD;
    if (is_fenced(b->principal, r->generation))
        return STATUS_FENCED;
    struct held *held = held_find(mobile_by_home(b->agent, &r->home), b->principal);
    return held_is_entry(held) ? stop_known(b, held, r) : stop_unknown(b, held, r);
}

static void take_stop(struct batch *b, const struct delegation_record *record)
{
    const struct delegation_stop *r = &record->stop;
    const struct asked asked = {r->home_link, r->home, r->generation, record->index};
    if (!is_served(r->home_link)) {
        acknowledge_elsewhere(b, &asked, STATUS_OK_ABSENT);
        return;
    }
    const enum delegation_status status = stop(b, r);
    if (status < STATUS_STALE)
        count(b->agent, AGENT_STOPS_TAKEN);
    acknowledge(b, &asked, status);
}

static void take_stops(struct batch *b)
{
    struct delegation_record record;
    while (effects_reserve(&b->agent->effects) && delegation_next(b->records, &record)) {
        if (record.type == DELEGATION_RECORD_STOP)
            take_stop(b, &record);
        else
            acknowledge_bad(b, &record);
    }
}

void order_receive(struct agent *agent, struct principal *principal, const struct delegation_header *header,
                   struct delegation_records *records, struct instant now)
{
    struct batch b = {
        .agent = agent, .principal = principal, .header = header, .records = records, .now = now};
    answer_begin(&b);
    if (header->type == DELEGATION_START)
        take_starts(&b);
    else
        take_stops(&b);
    answer_send(&b);
    announce_all(&b);
}
