/* SPDX-License-Identifier: BSD-3-Clause */
#include "secondary/snapshot.h"

#include <stdlib.h>

enum {
    PART_ENTRIES = DELEGATION_MAX / DELEGATION_START_SIZE,
    PART_OVERHEAD = DELEGATION_HEADER + DELEGATION_AUTHENTICATOR,
    BUCKET_SIZE = DELEGATION_DIGEST_SIZE + 8, /* a DIGEST of one bucket */
    WALKED_AT_ONCE = 256                      /* entries of one step */
};

/* A bucket that differed, with its digest as the request found it. */
struct difference {
    uint16_t bucket;
    uint64_t digest;
};

/* One SYNC_DATA on its way. What it says of an entry is made anew each time that it is sent. */
struct part {
    struct transaction transaction;
    struct snapshot *snapshot;
    struct part *prev, *next; /* snapshot->sent */
    bool last;
    uint16_t first_difference, n_differences;
    size_t n_entries, bytes; /* of records */
    struct {
        struct addr home;
        uint64_t start; /* another one's contents are not of the snapshot */
    } entries[PART_ENTRIES];
};

struct snapshot {
    struct principal *principal;
    uint32_t request; /* transaction of the SYNC_REQ */
    uint64_t end;     /* entries that entered from here on are not of it */
    struct held *at;  /* the next entry to look at; NULL: all were */
    bool everything;  /* else only what is in buckets that differ */
    bool concluded;   /* the last part was made */
    bool differs[DELEGATION_BUCKETS];
    struct difference differences[DELEGATION_BUCKETS];
    uint16_t n_differences, n_told;
    struct part *filling; /* NULL: none */
    struct part *sent;    /* not acknowledged: DL */
};

/* ---- Records ---- */
static struct delegation_start record_of(const struct held *held, struct instant now)
{
    struct delegation_start r = {
        .flags = held->flags,
        .home = held->mobile->home,
        .source = held->mobile->cares->tunnel->source,
        .generation = held->start,
        .duration_ms = held_left_ms(held, now),
        .count = (uint8_t)care_count(held->mobile),
        .cookie = held->cookie,
    };
    if (held->state != HELD_ACTIVE)
        r.flags &= (uint8_t)~START_INTERCEPT;
    if (held->own_source)
        r.source = addr_unspecified;
    return r;
}

static void encode_entry(struct packet *packet, const struct held *held, struct instant now)
{
    struct delegation_start r = record_of(held, now);
    struct care_of described;
    for (const struct care *care = held->mobile->cares; care != NULL; care = care->next, r.index++) {
        tunnel_describe(care->tunnel, &described);
        r.care_of = described.address;
        r.tunnel_mtu = described.path_mtu;
        r.encapsulation = care->encapsulation;
        delegation_start_encode(&packet->w, &r);
        packet->records++;
    }
}

static void encode_differences(struct packet *packet, const struct part *part)
{
    for (unsigned i = 0; i < part->n_differences; i++) {
        const struct difference *d = &part->snapshot->differences[part->first_difference + i];
        delegation_digest_encode(&packet->w, d->bucket, 1, &d->digest);
        packet->records++;
    }
}

static void encode_entries(const struct agent *agent, struct packet *packet, const struct part *part,
                           struct instant now)
{
    for (size_t i = 0; i < part->n_entries; i++) {
        const struct mobile *mobile = mobile_by_home(agent, &part->entries[i].home);
        const struct held *held = held_find(mobile, part->snapshot->principal);
        if (held_is_entry(held) && held->start == part->entries[i].start && mobile->cares != NULL &&
            held_left_ms(held, now) > 0)
            encode_entry(packet, held, now);
    }
}

/* ---- Parts on their way ---- */
static struct part *part_of(struct transaction *t)
{
    return timer_owner(t, struct part, transaction);
}

static void part_free(struct part *part)
{
    DL_DELETE(part->snapshot->sent, part);
    free(part);
}

static void send(struct agent *agent, struct part *part, struct instant now)
{
    struct packet packet;
    packet_begin(&packet, &part->snapshot->principal->peer, DELEGATION_SYNC_DATA, part->transaction.id);
    packet.flags = part->last ? DELEGATION_LAST : DELEGATION_MORE;
    packet.request = (uint16_t)part->snapshot->request;
    encode_differences(&packet, part);
    encode_entries(agent, &packet, part, now);
    packet_send(agent, &packet, now);
    if (transaction_sent(agent, &part->transaction, now))
        return;
    /* Unfinished: the primary begins another, when there is memory. */
    count(agent, AGENT_NO_MEMORY);
    snapshot_end(agent, part->snapshot->principal);
}

static void resend(struct agent *agent, struct transaction *t, struct instant now)
{
    send(agent, part_of(t), now);
}

static void answered(struct agent *agent, struct transaction *t, struct instant now)
{
    (void)now;
    struct part *part = part_of(t);
    struct principal *principal = part->snapshot->principal;
    const bool over = part->last;
    part_free(part);
    if (over)
        snapshot_end(agent, principal);
}

/* The session ended, and what was asked in it. */
static void abandoned(struct agent *agent, struct transaction *t)
{
    (void)agent;
    part_free(part_of(t));
}

static void launch(struct agent *agent, struct part *part, struct instant now)
{
    static const struct transaction_ops ops = {resend, answered, abandoned};
    struct snapshot *s = part->snapshot;
    DL_APPEND(s->sent, part);
    transaction_open(&s->principal->peer, &part->transaction, DELEGATION_SYNC_DATA, &ops, false);
    send(agent, part, now);
}

/* ---- The walk ---- */
void snapshot_pass(struct principal *principal, const struct held *held)
{
    struct snapshot *s = principal->snapshot;
    if (s != NULL && s->at == held)
        s->at = held->at_next;
}

static bool is_of(const struct snapshot *s, const struct held *held)
{
    return held->mobile->cares != NULL && (s->everything || s->differs[held->bucket]);
}

static bool walk_is_over(const struct snapshot *s)
{
    return s->n_told == s->n_differences && (s->at == NULL || s->at->entered >= s->end);
}

static bool fits(const struct part *part, size_t bytes)
{
    const size_t max = part->snapshot->principal->peer.payload_max;
    return PART_OVERHEAD + part->bytes + bytes <= max;
}

static void fill_differences(struct snapshot *s, struct part *part)
{
    if (part->n_differences == 0)
        part->first_difference = s->n_told;
    for (; s->n_told < s->n_differences && fits(part, BUCKET_SIZE); s->n_told++) {
        part->n_differences++;
        part->bytes += BUCKET_SIZE;
    }
}

/* False: it does not fit any more. A set of care-of addresses is not divided: one that no datagram of this
 * session holds is left out, and the primary takes it for missing. */
static bool fill_entry(struct part *part, const struct held *held)
{
    const size_t bytes = care_count(held->mobile) * DELEGATION_START_SIZE;
    if (!fits(part, bytes))
        return part->bytes == 0;
    part->entries[part->n_entries].home = held->mobile->home;
    part->entries[part->n_entries++].start = held->start;
    part->bytes += bytes;
    return true;
}

/* True: the part is full. Differences come first. */
static bool fill(struct snapshot *s, struct part *part)
{
    fill_differences(s, part);
    if (s->n_told < s->n_differences)
        return true;
    for (unsigned i = 0; i < WALKED_AT_ONCE && !walk_is_over(s); i++, s->at = s->at->at_next)
        if (is_of(s, s->at) && !fill_entry(part, s->at))
            return true;
    return false;
}

static struct part *part_create(struct snapshot *s)
{
    struct part *part = calloc(1, sizeof(*part));
    if (part != NULL)
        part->snapshot = s;
    return part;
}

/* The last one leaves only when all others are acknowledged; it is always empty. */
static void conclude(struct agent *agent, struct snapshot *s, struct instant now)
{
    struct part *part = part_create(s);
    if (part == NULL) {
        count(agent, AGENT_NO_MEMORY);
        snapshot_end(agent, s->principal);
        return;
    }
    part->last = s->concluded = true;
    launch(agent, part, now);
}

static void walk(struct agent *agent, struct snapshot *s, struct instant now)
{
    if (s->filling == NULL)
        s->filling = part_create(s);
    if (s->filling == NULL) {
        count(agent, AGENT_NO_MEMORY);
        snapshot_end(agent, s->principal);
        return;
    }
    if (!fill(s, s->filling) && !walk_is_over(s))
        return;
    struct part *part = s->filling;
    s->filling = NULL;
    if (part->bytes > 0)
        launch(agent, part, now);
    else
        free(part);
}

bool snapshot_has_work(const struct principal *principal)
{
    const struct snapshot *s = principal->snapshot;
    if (s == NULL || s->concluded || !flow_has_room(&principal->peer))
        return false;
    return !walk_is_over(s) || s->filling != NULL || s->sent == NULL;
}

bool snapshot_step(struct agent *agent, struct principal *principal, struct instant now)
{
    struct snapshot *s = principal->snapshot;
    if (!snapshot_has_work(principal))
        return false;
    if (walk_is_over(s) && s->filling == NULL)
        conclude(agent, s, now);
    else
        walk(agent, s, now);
    return true;
}

/* ---- Beginning and end ---- */
void snapshot_end(struct agent *agent, struct principal *principal)
{
    struct snapshot *s = principal->snapshot;
    if (s == NULL)
        return;
    principal->snapshot = NULL;
    while (s->sent != NULL) {
        transaction_close(agent, &s->sent->transaction);
        part_free(s->sent);
    }
    free(s->filling);
    free(s);
}

static void compare(struct snapshot *s, const struct delegation_digest *asked)
{
    for (unsigned i = 0; i < asked->count && asked->first + i < DELEGATION_BUCKETS; i++) {
        const uint16_t bucket = (uint16_t)(asked->first + i);
        const uint64_t ours = s->principal->buckets[bucket];
        if (ours == delegation_digest_value(asked, i) || s->differs[bucket])
            continue;
        s->differs[bucket] = true;
        s->differences[s->n_differences++] = (struct difference){bucket, ours};
    }
}

static void begin(struct agent *agent, struct principal *principal, uint32_t request,
                  struct delegation_records *records)
{
    struct delegation_record record;
    struct snapshot *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        count(agent, AGENT_NO_MEMORY);
        return;
    }
    *s = (struct snapshot){.principal = principal,
                           .request = request,
                           .end = principal->entered,
                           .at = principal->entries,
                           .everything = true};
    while (delegation_next(records, &record)) {
        if (record.type != DELEGATION_RECORD_DIGEST)
            continue;
        s->everything = false;
        compare(s, &record.digest);
    }
    principal->snapshot = s;
}

void snapshot_request(struct agent *agent, struct principal *principal,
                      const struct delegation_header *header, struct delegation_records *records,
                      struct instant now)
{
    struct packet packet;
    const bool again = principal->sync_requested && principal->sync_request == header->transaction;
    if (!again) {
        snapshot_end(agent, principal);
        begin(agent, principal, header->transaction, records);
        if (principal->snapshot == NULL)
            return; /* no memory: it is asked again */
    }
    principal->sync_requested = true;
    principal->sync_request = header->transaction;
    packet_begin(&packet, &principal->peer, DELEGATION_SYNC_ACK, header->transaction);
    packet_send(agent, &packet, now);
}
