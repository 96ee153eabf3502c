/* SPDX-License-Identifier: BSD-3-Clause */
#include "listener.h"

#include <stdlib.h>

#include "random.h"
#include "timerq.h"

enum { ROUNDS = 3, EXAMINED_MAX = 4096 /* groups of one call */, CHUNKS_AT_ONCE = 4 };

/* Groups that are told together. */
struct listener_chunk {
    struct listener_chunk *next;
    uint64_t due_ns;
    uint16_t n, at, kept;
    uint32_t group[];
};

/* Anywhere in 0..most. */
static uint64_t chance(struct listener *l, uint64_t most)
{
    return random_next(&l->random) % (most + 1);
}

static uint64_t unsolicited_ns(const struct listener *l)
{
    return (l->version == 1 ? LISTENER_UNSOLICITED_V1_MS : LISTENER_UNSOLICITED_MS) * NSEC_PER_MS;
}

static size_t records_max(const struct listener *l)
{
    return l->version == 1 ? 1 : l->per_report;
}

static struct membership *find(const struct listener *l, uint32_t group)
{
    return l->groups == NULL ? NULL : groups_find(l->groups, group);
}

/* ---- Rounds ---- */

static void round_schedule(struct listener *l)
{
    struct listener_round *r = &l->round;
    r->due_ns = r->began_ns + r->messages * r->width_ns + chance(l, r->width_ns);
}

/* From where it stands, all around: who asks again in the middle of an answer has not heard its beginning.
 * What was to be sent sooner stays so (RFC 3810 section 6.2, rule 1). */
static void round_begin(struct listener *l, uint64_t span_ns, uint64_t now_ns)
{
    struct listener_round *r = &l->round;
    const uint64_t due_ns = r->on ? r->due_ns : UINT64_MAX;
    const uint64_t messages = (l->n + records_max(l) - 1) / records_max(l);
    if (messages == 0)
        return;
    const uint64_t width_ns = span_ns / messages;
    if (!r->on || width_ns < r->width_ns)
        r->width_ns = width_ns;
    r->on = true;
    r->number = r->number % ROUNDS + 1;
    r->left = GROUPS_END;
    r->began_ns = now_ns;
    r->messages = 0;
    round_schedule(l);
    if (due_ns < r->due_ns)
        r->due_ns = due_ns;
}

static void round_end(struct listener *l, uint64_t now_ns)
{
    l->round.on = false;
    if (l->round.again == 0)
        return;
    l->round.again--;
    round_begin(l, unsolicited_ns(l), now_ns);
}

/* Goes on to the next group; GROUPS_END: it is round. */
static uint32_t round_step(struct listener *l)
{
    struct listener_round *r = &l->round;
    for (;;) {
        const uint32_t found = l->groups == NULL ? GROUPS_END : groups_next(l->groups, r->at);
        const uint32_t passed = (found == GROUPS_END ? found : found + 1) - r->at;
        if (passed > r->left || r->left == 0)
            break;
        r->left -= passed;
        r->at = r->at + passed == GROUPS_END ? 0 : r->at + passed;
        if (found != GROUPS_END)
            return found;
    }
    r->left = 0;
    return GROUPS_END;
}

/* No group is left on its way. */
static bool round_is_over(struct listener *l)
{
    const struct listener_round here = l->round;
    if (round_step(l) == GROUPS_END)
        return true;
    l->round = here;
    return false;
}

static bool round_passes(const struct listener *l, uint32_t group)
{
    const uint32_t ahead = group >= l->round.at ? group - l->round.at : group + GROUPS_END - l->round.at;
    return l->round.on && ahead < l->round.left;
}

void listener_tell_all(struct listener *l, unsigned times, uint64_t now_ns)
{
    l->round.again = times - 1;
    round_begin(l, unsolicited_ns(l), now_ns);
}

/* ---- Changes ---- */

static void append(struct listener_queue *q, struct listener_chunk *chunk)
{
    chunk->next = NULL;
    if (q->last != NULL)
        q->last->next = chunk;
    else
        q->first = chunk;
    q->last = chunk;
}

static void take_first(struct listener_queue *q)
{
    q->first = q->first->next;
    if (q->first == NULL)
        q->last = NULL;
}

static void queue_free(struct listener_queue *q)
{
    while (q->first != NULL) {
        struct listener_chunk *chunk = q->first;
        take_first(q);
        free(chunk);
    }
}

/* One with room at the queue's end. NULL: out of memory. */
static struct listener_chunk *open_chunk(struct listener *l)
{
    struct listener_chunk *chunk = l->fresh.last;
    if (chunk != NULL && chunk->n < l->per_report)
        return chunk;
    chunk = malloc(sizeof(*chunk) + l->per_report * sizeof(chunk->group[0]));
    if (chunk == NULL)
        return NULL;
    *chunk = (struct listener_chunk){0};
    append(&l->fresh, chunk);
    return chunk;
}

static void drop_if_idle(struct listener *l, uint32_t group, const struct membership *g)
{
    if (g->addresses == 0 && g->sends == 0 && g->fresh == 0)
        groups_drop(l->groups, group);
}

/* RFC 3810 section 6.1. Without memory all are told, and what is left ends by itself at the routers. */
static void changed(struct listener *l, uint32_t group, struct membership *g, uint64_t now_ns)
{
    if (g->fresh)
        return;
    struct listener_chunk *chunk = open_chunk(l);
    if (chunk == NULL) {
        g->sends = 0;
        drop_if_idle(l, group, g);
        round_begin(l, unsolicited_ns(l), now_ns);
        return;
    }
    g->fresh = 1;
    chunk->group[chunk->n++] = group;
}

bool listener_join(struct listener *l, uint32_t group, uint64_t now_ns)
{
    if (l->groups == NULL)
        l->groups = groups_create();
    struct membership *g = l->groups == NULL ? NULL : groups_get(l->groups, group);
    if (g == NULL)
        return false;
    if (g->addresses++ > 0)
        return true;
    l->n++;
    changed(l, group, g, now_ns);
    return true;
}

void listener_leave(struct listener *l, uint32_t group, uint64_t now_ns)
{
    struct membership *g = find(l, group);
    if (g == NULL || g->addresses == 0 || --g->addresses > 0)
        return;
    l->n--;
    changed(l, group, g, now_ns);
}

void listener_tell(struct listener *l, uint32_t group, uint64_t now_ns)
{
    struct membership *g = find(l, group);
    if (g != NULL && g->addresses > 0)
        changed(l, group, g, now_ns);
}

/* ---- What is said ---- */

static void say(struct listener_message *out, enum mld_record_type type, uint32_t group)
{
    out->record[out->n++] = (struct mld_record){.type = type, .group = group_address(group)};
}

/* The repeats of what was told together go together, with what else still has room there. */
static void requeue(struct listener *l, struct listener_chunk *chunk, uint64_t now_ns)
{
    struct listener_chunk *last = l->repeats.last;
    chunk->n = chunk->kept;
    chunk->at = chunk->kept = 0;
    if (last != NULL && last->at == 0 && last->n + chunk->n <= (int)l->per_report) {
        memcpy(last->group + last->n, chunk->group, chunk->n * sizeof(chunk->group[0]));
        last->n = (uint16_t)(last->n + chunk->n);
        free(chunk);
        return;
    }
    chunk->due_ns = now_ns + chance(l, unsolicited_ns(l));
    if (last != NULL && chunk->due_ns < last->due_ns)
        chunk->due_ns = last->due_ns;
    append(&l->repeats, chunk);
}

/* A change is told as the version has it that is spoken by then. Done is said once (RFC 2710 section 4). */
static void begin_to_say(const struct listener *l, struct membership *g)
{
    const bool version_1 = l->version == 1;
    g->fresh = 0;
    g->version_1 = version_1;
    g->sends = version_1 && g->addresses == 0 ? 1 : l->robustness;
}

/* True: it is to be said once more. A change of version has ended the repeats of the other one (RFC 3810
 * section 8.2.1), and a newer change those of an older. */
static bool say_change(struct listener *l, bool fresh, uint32_t group, struct listener_message *out)
{
    struct membership *g = find(l, group);
    if (g == NULL || (!fresh && g->fresh))
        return false;
    if (fresh)
        begin_to_say(l, g);
    else if (g->version_1 != (l->version == 1))
        g->sends = 0;
    if (g->sends > 0) {
        say(out, g->addresses > 0 ? MLD_TO_EXCLUDE : MLD_TO_INCLUDE, group);
        g->sends--;
    }
    const bool more = g->sends > 0;
    drop_if_idle(l, group, g);
    return more;
}

static void say_changes(struct listener *l, struct listener_queue *q, uint64_t now_ns,
                        struct listener_message *out)
{
    struct listener_chunk *chunk = q->first;
    const bool fresh = q == &l->fresh;
    while (chunk->at < chunk->n && out->n < records_max(l)) {
        const uint32_t group = chunk->group[chunk->at++];
        if (say_change(l, fresh, group, out))
            chunk->group[chunk->kept++] = group;
    }
    if (chunk->at < chunk->n)
        return;
    take_first(q);
    if (chunk->kept > 0)
        requeue(l, chunk, now_ns);
    else
        free(chunk);
}

static void say_round(struct listener *l, uint64_t now_ns, struct listener_message *out)
{
    struct listener_round *r = &l->round;
    for (unsigned i = 0; i < EXAMINED_MAX && out->n < records_max(l); i++) {
        const uint32_t group = round_step(l);
        if (group == GROUPS_END)
            break;
        struct membership *g = find(l, group);
        if (g->addresses > 0 && g->suppressed != r->number)
            say(out, MLD_IS_EXCLUDE, group);
        g->suppressed = 0;
    }
    r->messages += out->n > 0;
    if (round_is_over(l))
        round_end(l, now_ns);
    else if (out->n > 0)
        round_schedule(l);
}

/* ---- Single groups ---- */

static struct listener_asked *asked_of(struct listener *l, uint32_t group)
{
    for (size_t i = 0; i < l->n_asked; i++)
        if (l->asked[i].group == group)
            return &l->asked[i];
    return NULL;
}

static void forget_asked(struct listener *l, struct listener_asked *a)
{
    *a = l->asked[--l->n_asked];
}

/* More than there is room for are as if none had been named, which asks for all. */
static void add_sources(struct listener_asked *a, const struct mld *query)
{
    const size_t n = a->n_sources + query->n_sources;
    if (n > LISTENER_SOURCES_MAX) {
        a->n_sources = 0;
        return;
    }
    for (size_t i = 0; a->n_sources < n; i++)
        a->sources[a->n_sources++] = mld_source(query, i);
}

/* RFC 3810 section 6.2, rules 3 to 5. */
static void ask(struct listener *l, uint32_t group, const struct mld *query, uint64_t now_ns)
{
    const uint64_t delay_ns = query->delay_ms * NSEC_PER_MS;
    const uint64_t due_ns = now_ns + chance(l, delay_ns);
    struct listener_asked *a = asked_of(l, group);
    if (a == NULL && l->n_asked == LISTENER_ASKED_MAX) {
        round_begin(l, delay_ns, now_ns);
        return;
    }
    const bool added = a == NULL;
    if (added) {
        a = &l->asked[l->n_asked++];
        *a = (struct listener_asked){.group = group, .due_ns = due_ns};
    }
    if (query->n_sources == 0 || (!added && a->n_sources == 0))
        a->n_sources = 0;
    else
        add_sources(a, query);
    if (due_ns < a->due_ns)
        a->due_ns = due_ns;
}

/* Section 6.3: all that was asked for, for from none of these is nothing taken. */
static void say_sources(const struct listener_asked *a, struct listener_message *out)
{
    memcpy(out->sources, a->sources, sizeof(out->sources));
    say(out, MLD_IS_INCLUDE, a->group);
    out->record[0].sources = out->sources;
    out->record[0].n_sources = a->n_sources;
}

static void say_asked(struct listener *l, uint64_t now_ns, struct listener_message *out)
{
    for (size_t i = 0; i < l->n_asked && out->n < records_max(l);) {
        struct listener_asked *a = &l->asked[i];
        const struct membership *g = find(l, a->group);
        const bool sources = l->version == 2 && a->n_sources > 0;
        if (a->due_ns > now_ns || (sources && out->n > 0)) {
            i++;
            continue;
        }
        const bool listens = g != NULL && g->addresses > 0;
        if (listens && sources)
            say_sources(a, out);
        else if (listens)
            say(out, MLD_IS_EXCLUDE, a->group);
        forget_asked(l, a);
        if (listens && sources)
            return;
    }
}

static uint64_t first_asked_ns(const struct listener *l)
{
    uint64_t first = TIMER_NEVER;
    for (size_t i = 0; i < l->n_asked; i++)
        if (l->asked[i].due_ns < first)
            first = l->asked[i].due_ns;
    return first;
}

/* ---- Versions ---- */

/* RFC 3810 section 8.2.1: what was planned in the other one is not said any more; repeats by say_change. */
static void speak(struct listener *l, uint8_t version)
{
    if (version == l->version)
        return;
    l->version = version;
    l->n_asked = 0;
    l->round.on = false;
    l->round.again = 0;
}

static void settle_version(struct listener *l, uint64_t now_ns)
{
    if (l->version == 1 && now_ns >= l->v1_until_ns)
        speak(l, 2);
}

/* Section 9.12. */
static void heard_version_1(struct listener *l, const struct mld *query, uint64_t now_ns)
{
    const uint64_t interval_ns = l->interval_s * NSEC_PER_S;
    speak(l, 1);
    l->v1_until_ns = now_ns + l->robustness * interval_ns + query->delay_ms * NSEC_PER_MS;
}

/* Section 9.1: it is never less than two. */
static void heard_version_2(struct listener *l, const struct mld *query)
{
    l->robustness = query->robustness > LISTENER_ROBUSTNESS ? query->robustness : LISTENER_ROBUSTNESS;
    l->interval_s = query->interval_s > 0 ? query->interval_s : LISTENER_INTERVAL_S;
}

/* ---- What is heard ---- */

static void heard_query(struct listener *l, const struct mld *query, uint64_t now_ns)
{
    uint32_t group;
    if (query->version == 1)
        heard_version_1(l, query, now_ns);
    else
        heard_version_2(l, query);
    if (addr_is_unspecified(&query->group))
        round_begin(l, query->delay_ms * NSEC_PER_MS, now_ns);
    else if (group_named(&query->group, &group) && find(l, group) != NULL)
        ask(l, group, query, now_ns);
}

/* RFC 2710 section 4: one answer is enough. Of version 2 everybody answers. */
static void heard_report(struct listener *l, const struct mld *report)
{
    uint32_t group;
    struct membership *g = group_named(&report->group, &group) ? find(l, group) : NULL;
    if (l->version != 1 || g == NULL)
        return;
    if (round_passes(l, group))
        g->suppressed = l->round.number;
    if (g->addresses > 0 && !g->fresh)
        g->sends = 0;
    struct listener_asked *a = asked_of(l, group);
    if (a != NULL)
        forget_asked(l, a);
}

void listener_heard(struct listener *l, const struct mld *heard, uint64_t now_ns)
{
    settle_version(l, now_ns);
    if (heard->type == MLD_QUERY)
        heard_query(l, heard, now_ns);
    else
        heard_report(l, heard);
}

/* ---- Time ---- */

static uint64_t first_due_ns(const struct listener *l)
{
    uint64_t first = l->fresh.first != NULL ? 0 : first_asked_ns(l);
    if (l->repeats.first != NULL && l->repeats.first->due_ns < first)
        first = l->repeats.first->due_ns;
    return l->round.on && l->round.due_ns < first ? l->round.due_ns : first;
}

static void say_what_is_due(struct listener *l, uint64_t now_ns, struct listener_message *out)
{
    if (l->fresh.first != NULL)
        say_changes(l, &l->fresh, now_ns, out);
    else if (first_asked_ns(l) <= now_ns)
        say_asked(l, now_ns, out);
    else if (l->repeats.first != NULL && l->repeats.first->due_ns <= now_ns)
        say_changes(l, &l->repeats, now_ns, out);
    else
        say_round(l, now_ns, out);
}

bool listener_next(struct listener *l, uint64_t now_ns, struct listener_message *out)
{
    settle_version(l, now_ns);
    out->version = l->version;
    out->n = 0;
    if (first_due_ns(l) > now_ns || !limit_take(&l->pace, now_ns))
        return false;
    for (unsigned i = 0; i < CHUNKS_AT_ONCE && out->n == 0 && first_due_ns(l) <= now_ns; i++)
        say_what_is_due(l, now_ns, out);
    return out->n > 0;
}

uint64_t listener_deadline(const struct listener *l, uint64_t now_ns)
{
    const uint64_t first = first_due_ns(l);
    if (first == TIMER_NEVER)
        return TIMER_NEVER;
    const uint64_t ready = limit_ready_ns(&l->pace, now_ns);
    return first > ready ? first : ready;
}

bool listener_group_next(const struct listener *l, uint32_t *group, uint32_t *addresses)
{
    if (l->groups == NULL || (*group = groups_next(l->groups, *group)) >= GROUPS_END)
        return false;
    *addresses = find(l, *group)->addresses;
    return true;
}

/* ---- Begin and end ---- */

void listener_open(struct listener *l, uint16_t mtu, uint64_t seed)
{
    *l = (struct listener){.per_report = mld_records_max(mtu),
                           .version = 2,
                           .robustness = LISTENER_ROBUSTNESS,
                           .interval_s = LISTENER_INTERVAL_S,
                           .pace = limit_of(LISTENER_PER_S, LISTENER_BURST),
                           .random = seed};
}

void listener_begin_anew(struct listener *l)
{
    const struct listener same = {.per_report = l->per_report,
                                  .version = l->version,
                                  .robustness = l->robustness,
                                  .interval_s = l->interval_s,
                                  .v1_until_ns = l->v1_until_ns,
                                  .pace = l->pace,
                                  .random = l->random};
    listener_close(l);
    *l = same;
}

void listener_close(struct listener *l)
{
    queue_free(&l->fresh);
    queue_free(&l->repeats);
    groups_destroy(l->groups);
    *l = (struct listener){0};
}
