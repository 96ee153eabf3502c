/* SPDX-License-Identifier: BSD-3-Clause */
#include "neighbor.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "random.h"
#include "timerq.h"

#define HASH_NONFATAL_OOM 1 /* libraries do not exit */
#include <uthash.h>

/* No padding: the bytes are the hash key. */
struct neighbor_key {
    struct addr address;
    uint8_t port_index;
};
static_assert(sizeof(struct neighbor_key) == 17, "key without padding");

/* What an unreferenced neighbour is worth when room is needed: the first goes first. */
enum worth { WORTH_FAILED, WORTH_INCOMPLETE, WORTH_RESOLVED, WORTH_COUNT };

/* Its index in neighbors->all is its adjacency. Between admission and removal its timer is always set. */
struct neighbor {
    UT_hash_handle hh;
    TAILQ_ENTRY(neighbor) link; /* in neighbors->idle[], unless referenced; in neighbors->gone when removed */
    struct neighbor_key key;
    struct mac mac; /* while resolved */
    bool known;     /* admitted, and not removed since */
    bool told;      /* ops->changed said that it is resolved */
    bool answered;  /* at answered_ns */
    bool asked;     /* at asked_ns */
    uint8_t state;  /* enum neighbor_state */
    uint8_t tries;  /* solicitations in this state */
    uint8_t first;  /* the oldest in queue[] */
    uint8_t waiting;
    uint32_t references;
    uint64_t answered_ns;
    uint64_t asked_ns;
    struct timer timer;
    void *queue[NEIGHBOR_QUEUE];
};

TAILQ_HEAD(neighbor_list, neighbor);

struct neighbors {
    struct adjacencies *adjacencies;
    struct neighbor_ops ops;
    struct timerq *timers;
    struct neighbor *index; /* by key */
    struct neighbor_list idle[WORTH_COUNT];
    /* Removed ones, to be given out again longest ago first: a worker may hold a table entry that names one
     * of these adjacencies until its next quiescent state. */
    struct neighbor_list gone;
    uint32_t capacity;
    uint32_t count;
    uint32_t high;    /* all[1..high] have been given out before */
    uint32_t waiting; /* packets, over all queues */
    uint64_t random;
    struct {
        uint64_t second;
        uint32_t n;
    } strangers[WORTH_RESOLVED]; /* by what they may displace */
    uint64_t counters[NEIGHBOR_COUNTERS_COUNT];
    struct neighbor all[]; /* [0] is nobody's: ADJACENCY_NONE */
};

/* Packets taken out of a queue. Callbacks come after the last change of state, since ops->discard may call
 * neighbor_send (for the ICMP error that it owes). */
struct batch {
    struct addr target;
    unsigned n;
    void *packet[NEIGHBOR_QUEUE];
};

static const uint64_t retry_ns = NEIGHBOR_RETRY_MS * NSEC_PER_MS;

const char *neighbor_state_text(enum neighbor_state s)
{
    static const char *const texts[] = {
#define X(name, text) text,
        NEIGHBOR_STATES(X)
#undef X
    };
    return texts[s];
}

const char *neighbor_counter_text(enum neighbor_counter c)
{
    static const char *const texts[] = {
#define X(name, text) text,
        NEIGHBOR_COUNTERS(X)
#undef X
    };
    return texts[c];
}

static uint32_t adjacency_of(const struct neighbors *n, const struct neighbor *x)
{
    return (uint32_t)(x - n->all);
}

static bool is_resolved(const struct neighbor *x)
{
    return x->state == NEIGHBOR_REACHABLE || x->state == NEIGHBOR_PROBING;
}

static enum worth worth_of(const struct neighbor *x)
{
    if (is_resolved(x))
        return WORTH_RESOLVED;
    return x->state == NEIGHBOR_INCOMPLETE ? WORTH_INCOMPLETE : WORTH_FAILED;
}

static void enlist(struct neighbors *n, struct neighbor *x)
{
    if (x->references == 0)
        TAILQ_INSERT_TAIL(&n->idle[worth_of(x)], x, link);
}

static void delist(struct neighbors *n, struct neighbor *x)
{
    if (x->references == 0)
        TAILQ_REMOVE(&n->idle[worth_of(x)], x, link);
}

static void set_state(struct neighbors *n, struct neighbor *x, enum neighbor_state state)
{
    delist(n, x);
    x->state = (uint8_t)state;
    x->tries = 0;
    enlist(n, x);
}

static void set_timer(struct neighbors *n, struct neighbor *x, uint64_t deadline_ns)
{
    /* Admission made the room in the queue, and only removal gives it up. */
    bool set = timerq_set(n->timers, &x->timer, deadline_ns);
    assert(set);
    (void)set;
}

/* Up to a quarter less, so that neighbours met at one time are not asked at one time ever after (RFC 4861
 * section 6.3.2 spreads ReachableTime for that). */
static uint64_t reachable_ns(struct neighbors *n)
{
    const uint64_t longest = NEIGHBOR_REACHABLE_S * NSEC_PER_S;
    return longest - random_next(&n->random) % (longest / 4);
}

static struct neighbor *find(const struct neighbors *n, uint8_t port_index, const struct addr *address)
{
    const struct neighbor_key key = {.address = *address, .port_index = port_index};
    struct neighbor *x;
    HASH_FIND(hh, n->index, &key, sizeof(key), x);
    return x;
}

static struct neighbor *at_adjacency(const struct neighbors *n, uint32_t adjacency)
{
    if (adjacency == ADJACENCY_NONE || adjacency > n->high || !n->all[adjacency].known)
        return NULL;
    return (struct neighbor *)&n->all[adjacency];
}

static struct neighbor_view view_of(const struct neighbors *n, const struct neighbor *x, uint64_t now_ns)
{
    return (struct neighbor_view){
        .address = x->key.address,
        .port_index = x->key.port_index,
        .state = x->state,
        .mac = is_resolved(x) ? x->mac : (struct mac){{0}},
        .adjacency = adjacency_of(n, x),
        .references = x->references,
        .waiting = x->waiting,
        .age_s = x->answered ? (uint32_t)((now_ns - x->answered_ns) / NSEC_PER_S) : NEIGHBOR_AGE_NEVER,
    };
}

/* ---- Packets that wait ---- */

static void take_waiting(struct neighbors *n, struct neighbor *x, struct batch *out)
{
    out->target = x->key.address;
    out->n = x->waiting;
    for (unsigned i = 0; i < out->n; i++)
        out->packet[i] = x->queue[(x->first + i) % NEIGHBOR_QUEUE];
    n->waiting -= x->waiting;
    x->waiting = 0;
}

static void discard(struct neighbors *n, const struct addr *target, void *packet, enum neighbor_counter why)
{
    n->counters[why]++;
    n->ops.discard(n->ops.context, target, packet, why == NEIGHBOR_COUNT_FAILED_DROPPED);
}

static void discard_batch(struct neighbors *n, const struct batch *b, enum neighbor_counter why)
{
    for (unsigned i = 0; i < b->n; i++)
        discard(n, &b->target, b->packet[i], why);
}

/* RFC 1122 section 2.3.2.2: at least the latest packet is kept, so the oldest makes room. */
static void wait_displacing_oldest(struct neighbors *n, struct neighbor *x, void *packet)
{
    void *oldest = x->queue[x->first];
    x->queue[x->first] = packet;
    x->first = (x->first + 1) % NEIGHBOR_QUEUE;
    const struct addr target = x->key.address;
    discard(n, &target, oldest, NEIGHBOR_COUNT_QUEUE_DROPPED);
}

static void wait_for_answer(struct neighbors *n, struct neighbor *x, void *packet)
{
    if (x->waiting == NEIGHBOR_QUEUE) {
        wait_displacing_oldest(n, x, packet);
        return;
    }
    if (n->waiting >= NEIGHBOR_QUEUE_ALL) {
        const struct addr target = x->key.address;
        discard(n, &target, packet, NEIGHBOR_COUNT_QUEUE_DROPPED);
        return;
    }
    x->queue[(x->first + x->waiting) % NEIGHBOR_QUEUE] = packet;
    x->waiting++;
    n->waiting++;
}

/* ---- Changes of state ---- */

static void ask(struct neighbors *n, struct neighbor *x, uint64_t now_ns)
{
    x->tries++;
    x->asked = true;
    x->asked_ns = now_ns;
    set_timer(n, x, now_ns + retry_ns);
    n->counters[NEIGHBOR_COUNT_SOLICITED]++;
    n->ops.solicit(n->ops.context, x->key.port_index, &x->key.address,
                   x->state == NEIGHBOR_PROBING ? &x->mac : NULL);
}

/* The last time is a second ago or more: it was never asked, or failed after that. */
static void resolve(struct neighbors *n, struct neighbor *x, uint64_t now_ns)
{
    set_state(n, x, NEIGHBOR_INCOMPLETE);
    ask(n, x, now_ns);
}

static void tell_resolved(struct neighbors *n, struct neighbor *x, uint64_t now_ns)
{
    if (x->references > 0 || x->told)
        return;
    x->told = true;
    const struct neighbor_view view = view_of(n, x, now_ns);
    n->ops.changed(n->ops.context, &view, true);
}

/* told: what x->told was before it was cleared. */
static void tell_gone(struct neighbors *n, const struct neighbor_view *view, bool told)
{
    if (told)
        n->ops.changed(n->ops.context, view, false);
}

/* Frees it; its packets are the caller's then. */
static void unlink_neighbor(struct neighbors *n, struct neighbor *x)
{
    delist(n, x);
    timerq_cancel(n->timers, &x->timer);
    HASH_DEL(n->index, x);
    adjacency_withdraw(n->adjacencies, adjacency_of(n, x));
    x->known = false;
    n->count--;
    TAILQ_INSERT_TAIL(&n->gone, x, link);
}

static void remove_neighbor(struct neighbors *n, struct neighbor *x, uint64_t now_ns)
{
    struct batch lost;
    take_waiting(n, x, &lost);
    const struct neighbor_view view = view_of(n, x, now_ns);
    const bool told = x->told;
    unlink_neighbor(n, x);
    tell_gone(n, &view, told);
    discard_batch(n, &lost, NEIGHBOR_COUNT_FORGOTTEN_DROPPED);
}

/* Its MAC address holds no longer: referenced, it is asked for anew at `again_ns`; else it is forgotten.
 * Packets go on waiting. */
static void unresolve(struct neighbors *n, struct neighbor *x, uint64_t now_ns, uint64_t again_ns)
{
    if (x->references == 0) {
        remove_neighbor(n, x, now_ns);
        return;
    }
    const bool told = x->told;
    x->told = false;
    adjacency_withdraw(n->adjacencies, adjacency_of(n, x));
    set_state(n, x, NEIGHBOR_INCOMPLETE);
    const struct neighbor_view view = view_of(n, x, now_ns);
    set_timer(n, x, again_ns);
    tell_gone(n, &view, told);
}

/* Only from INCOMPLETE: nothing is published, and nobody was told. */
static void fail(struct neighbors *n, struct neighbor *x, uint64_t now_ns)
{
    struct batch lost;
    take_waiting(n, x, &lost);
    set_state(n, x, NEIGHBOR_FAILED);
    set_timer(n, x, now_ns + NEIGHBOR_FAILED_S * NSEC_PER_S);
    n->counters[NEIGHBOR_COUNT_UNANSWERED]++;
    discard_batch(n, &lost, NEIGHBOR_COUNT_FAILED_DROPPED);
}

/* The known MAC address does not answer. A neighbour that is still needed may have another by now: ask
 * everybody (the old one is flushed as RFC 1122 section 2.3.2.1 (2) has it). */
static void probes_failed(struct neighbors *n, struct neighbor *x, uint64_t now_ns)
{
    if (x->references == 0)
        n->counters[NEIGHBOR_COUNT_UNANSWERED]++;
    unresolve(n, x, now_ns, now_ns);
}

static void reached(struct neighbors *n, struct neighbor *x, const struct mac *mac, uint64_t now_ns)
{
    const bool resolved = is_resolved(x);
    if (!resolved)
        n->counters[NEIGHBOR_COUNT_RESOLVED]++;
    else if (!mac_equal(&x->mac, mac))
        n->counters[NEIGHBOR_COUNT_MOVED]++;
    x->mac = *mac;
    x->answered = true;
    x->answered_ns = now_ns;
    set_state(n, x, NEIGHBOR_REACHABLE);
    set_timer(n, x, now_ns + reachable_ns(n));

    const uint32_t adjacency = adjacency_of(n, x);
    adjacency_publish(n->adjacencies, adjacency, x->key.port_index, mac);
    struct batch ready;
    take_waiting(n, x, &ready);
    tell_resolved(n, x, now_ns);
    for (unsigned i = 0; i < ready.n; i++)
        n->ops.release(n->ops.context, adjacency, ready.packet[i]);
}

/* ---- Admission ---- */

/* Room for one, if need be at the expense of an unreferenced one worth no more than `most`. */
static void make_room(struct neighbors *n, enum worth most, uint64_t now_ns)
{
    for (enum worth w = WORTH_FAILED; n->count >= n->capacity && w <= most; w++) {
        struct neighbor *x = TAILQ_FIRST(&n->idle[w]);
        if (x != NULL)
            remove_neighbor(n, x, now_ns);
    }
}

static struct neighbor *take_free(struct neighbors *n)
{
    if (n->count >= n->capacity)
        return NULL;
    if (n->high < n->capacity)
        return &n->all[++n->high];
    struct neighbor *x = TAILQ_FIRST(&n->gone);
    TAILQ_REMOVE(&n->gone, x, link);
    return x;
}

static struct neighbor *admit(struct neighbors *n, uint8_t port_index, const struct addr *address,
                              uint64_t now_ns)
{
    struct neighbor *x = take_free(n);
    if (x == NULL)
        return NULL;
    *x = (struct neighbor){.key = {.address = *address, .port_index = port_index}};
    if (!timerq_set(n->timers, &x->timer, now_ns + retry_ns))
        goto no_timer;
    HASH_ADD(hh, n->index, key, sizeof(x->key), x);
    if (x->hh.tbl == NULL)
        goto no_index;
    x->known = true;
    x->state = NEIGHBOR_INCOMPLETE;
    n->count++;
    enlist(n, x);
    return x;

no_index:
    timerq_cancel(n->timers, &x->timer);
no_timer:
    TAILQ_INSERT_HEAD(&n->gone, x, link);
    return NULL;
}

/* What is referred to is no stranger; and those who are asked for do not use up the room of those who
 * speak. */
static bool may_be_new(struct neighbors *n, const struct addr *address, enum worth most, uint64_t now_ns)
{
    const uint64_t second = now_ns / NSEC_PER_S;
    if (addr_is_ipv4(address) || most == WORTH_RESOLVED)
        return true;
    if (n->strangers[most].second != second) {
        n->strangers[most].second = second;
        n->strangers[most].n = 0;
    }
    return n->strangers[most].n++ < NEIGHBOR_STRANGERS_PER_S;
}

/* The neighbour, new ones INCOMPLETE and not yet asked (tries 0). NULL: it was not admitted. */
static struct neighbor *find_or_admit(struct neighbors *n, uint8_t port_index, const struct addr *address,
                                      enum worth most, uint64_t now_ns)
{
    struct neighbor *x = find(n, port_index, address);
    if (x != NULL)
        return x;
    if (!may_be_new(n, address, most, now_ns)) {
        n->counters[NEIGHBOR_COUNT_STRANGERS]++;
        return NULL;
    }
    make_room(n, most, now_ns);
    x = find(n, port_index, address); /* making room calls back, and the callee may have sent to it */
    if (x != NULL)
        return x;
    x = admit(n, port_index, address, now_ns);
    if (x == NULL)
        n->counters[NEIGHBOR_COUNT_FULL]++;
    return x;
}

struct neighbors *neighbors_create(struct adjacencies *adjacencies, uint32_t capacity,
                                   const struct neighbor_ops *ops, uint64_t seed)
{
    if (capacity >= adjacencies->capacity)
        capacity = adjacencies->capacity - 1;
    struct neighbors *n = calloc(1, sizeof(*n) + ((size_t)capacity + 1) * sizeof(n->all[0]));
    if (n == NULL)
        return NULL;
    n->timers = timerq_create();
    if (n->timers == NULL) {
        free(n);
        return NULL;
    }
    n->adjacencies = adjacencies;
    n->ops = *ops;
    n->capacity = capacity;
    n->random = seed;
    for (unsigned w = 0; w < WORTH_COUNT; w++)
        TAILQ_INIT(&n->idle[w]);
    TAILQ_INIT(&n->gone);
    return n;
}

void neighbors_destroy(struct neighbors *n)
{
    if (n == NULL)
        return;
    for (uint32_t i = 1; i <= n->high; i++) {
        if (!n->all[i].known)
            continue;
        struct batch lost;
        take_waiting(n, &n->all[i], &lost);
        adjacency_withdraw(n->adjacencies, i);
        discard_batch(n, &lost, NEIGHBOR_COUNT_FORGOTTEN_DROPPED);
    }
    HASH_CLEAR(hh, n->index);
    timerq_destroy(n->timers);
    free(n);
}

/* ---- Use ---- */

/* Someone wants to send by it: one that was never asked is asked, and so is a referenced one that failed. An
 * unreferenced one that failed stays so until NEIGHBOR_FAILED_S are over, since strangers can make any number
 * of packets for addresses that nobody has. */
static void resolve_for_use(struct neighbors *n, struct neighbor *x, uint64_t now_ns)
{
    const bool untried = x->state == NEIGHBOR_INCOMPLETE && !x->asked;
    if (untried || (x->state == NEIGHBOR_FAILED && x->references > 0))
        resolve(n, x, now_ns);
}

uint32_t neighbor_reference(struct neighbors *n, uint8_t port_index, const struct addr *address,
                            uint64_t now_ns)
{
    struct neighbor *x = find_or_admit(n, port_index, address, WORTH_RESOLVED, now_ns);
    if (x == NULL)
        return ADJACENCY_NONE;
    delist(n, x);
    x->references++;
    resolve_for_use(n, x, now_ns);
    return adjacency_of(n, x);
}

void neighbor_release_reference(struct neighbors *n, uint32_t adjacency, uint64_t now_ns)
{
    struct neighbor *x = at_adjacency(n, adjacency);
    assert(x != NULL && x->references > 0);
    if (--x->references > 0)
        return;
    enlist(n, x);
    if (is_resolved(x))
        tell_resolved(n, x, now_ns);
}

static void send_by(struct neighbors *n, struct neighbor *x, void *packet, uint64_t now_ns)
{
    if (is_resolved(x)) {
        n->ops.release(n->ops.context, adjacency_of(n, x), packet);
        return;
    }
    resolve_for_use(n, x, now_ns);
    if (x->state == NEIGHBOR_FAILED) {
        const struct addr target = x->key.address;
        discard(n, &target, packet, NEIGHBOR_COUNT_FAILED_DROPPED);
        return;
    }
    wait_for_answer(n, x, packet);
}

void neighbor_send(struct neighbors *n, uint8_t port_index, const struct addr *address, void *packet,
                   uint64_t now_ns)
{
    /* Worth no more than a failed one: a storm neither forgets working neighbours nor asks for one address
     * more often than once a second. */
    struct neighbor *x = find_or_admit(n, port_index, address, WORTH_FAILED, now_ns);
    if (x == NULL) {
        n->ops.discard(n->ops.context, address, packet, false); /* counted as FULL, or STRANGERS */
        return;
    }
    send_by(n, x, packet, now_ns);
}

void neighbor_send_by(struct neighbors *n, uint32_t adjacency, void *packet, uint64_t now_ns)
{
    struct neighbor *x = at_adjacency(n, adjacency);
    if (x == NULL) {
        discard(n, &addr_unspecified, packet, NEIGHBOR_COUNT_FORGOTTEN_DROPPED);
        return;
    }
    send_by(n, x, packet, now_ns);
}

/* ---- Events ---- */

/* RFC 1812 section 3.3.2: no host has a broadcast or multicast link-layer address. */
static bool mac_is_unicast(const struct mac *mac)
{
    static const struct mac zero;
    return (mac->b[0] & 1) == 0 && !mac_equal(mac, &zero);
}

static bool is_at(const struct neighbor *x, const struct mac *mac)
{
    return is_resolved(x) && mac_equal(&x->mac, mac);
}

/* It may be asked again no sooner than a second after the last time. */
static uint64_t next_ask_ns(const struct neighbor *x, uint64_t now_ns)
{
    return x->asked && x->asked_ns + retry_ns > now_ns ? x->asked_ns + retry_ns : now_ns;
}

static void probe_soon(struct neighbors *n, struct neighbor *x, uint64_t now_ns)
{
    set_state(n, x, NEIGHBOR_PROBING);
    set_timer(n, x, next_ask_ns(x, now_ns));
}

/* It is there, by its own word. */
static void said(struct neighbors *n, struct neighbor *x, const struct mac *mac, uint64_t now_ns)
{
    reached(n, x, mac, now_ns);
    probe_soon(n, x, now_ns);
}

void neighbor_heard(struct neighbors *n, uint8_t port_index, const struct addr *address,
                    const struct mac *mac, bool for_us, uint64_t now_ns)
{
    if (!mac_is_unicast(mac) || addr_is_unspecified(address) || addr_is_multicast(address))
        return;
    /* RFC 826: update whom we know, and add who speaks to us. It lives, so addresses merely asked for make
     * room. Whatever it says proves that it is there (RFC 1122 section 2.3.2.1 (1)). */
    struct neighbor *x = for_us ? find_or_admit(n, port_index, address, WORTH_INCOMPLETE, now_ns)
                                : find(n, port_index, address);
    if (x == NULL)
        return;
    if (addr_is_ipv4(address))
        reached(n, x, mac, now_ns);
    else if (!is_at(x, mac))
        said(n, x, mac, now_ns);
}

void neighbor_advertised(struct neighbors *n, uint8_t port_index, const struct addr *address,
                         const struct mac *mac, bool solicited, bool override, uint64_t now_ns)
{
    struct neighbor *x = find(n, port_index, address);
    if (x == NULL || (mac == NULL && !is_resolved(x)) || (mac != NULL && !mac_is_unicast(mac)))
        return;
    const bool new = mac != NULL && !is_at(x, mac);
    if (new &&is_resolved(x) && !override) { /* another claims it: whom to believe, a probe tells */
        if (x->state == NEIGHBOR_REACHABLE)
            probe_soon(n, x, now_ns);
    } else if (solicited) {
        reached(n, x, mac != NULL ? mac : &x->mac, now_ns);
    } else if (new) {
        said(n, x, mac, now_ns);
    }
}

void neighbor_port_down(struct neighbors *n, uint8_t port_index, uint64_t now_ns)
{
    for (uint32_t i = 1; i <= n->high; i++) {
        struct neighbor *x = &n->all[i];
        /* Nothing can be asked now; soon the link may be up again. */
        if (x->known && x->key.port_index == port_index)
            unresolve(n, x, now_ns, now_ns + retry_ns);
    }
}

void neighbor_forget(struct neighbors *n, uint8_t port_index, const struct addr *address, uint64_t now_ns)
{
    struct neighbor *x = find(n, port_index, address);
    if (x == NULL)
        return;
    unresolve(n, x, now_ns, next_ask_ns(x, now_ns));
}

static void due(struct neighbors *n, struct neighbor *x, uint64_t now_ns)
{
    switch ((enum neighbor_state)x->state) {
    case NEIGHBOR_INCOMPLETE:
        if (x->tries < NEIGHBOR_TRIES)
            ask(n, x, now_ns);
        else
            fail(n, x, now_ns);
        return;
    case NEIGHBOR_REACHABLE:
        /* Unreferenced ones too: workers may use them by an on-link entry, which control cannot see. */
        set_state(n, x, NEIGHBOR_PROBING);
        ask(n, x, now_ns);
        return;
    case NEIGHBOR_PROBING:
        if (x->tries < NEIGHBOR_TRIES)
            ask(n, x, now_ns);
        else
            probes_failed(n, x, now_ns);
        return;
    case NEIGHBOR_FAILED:
        if (x->references > 0)
            resolve(n, x, now_ns);
        else
            remove_neighbor(n, x, now_ns);
        return;
    }
}

void neighbor_expire(struct neighbors *n, uint64_t now_ns, size_t budget)
{
    for (; budget > 0; budget--) {
        struct timer *t = timerq_pop(n->timers, now_ns);
        if (t == NULL)
            return;
        due(n, timer_owner(t, struct neighbor, timer), now_ns);
    }
}

uint64_t neighbor_deadline(const struct neighbors *n)
{
    return timerq_next(n->timers);
}

/* ---- What is known ---- */

bool neighbor_next(const struct neighbors *n, uint32_t *cursor, uint64_t now_ns, struct neighbor_view *out)
{
    while (*cursor < n->high) {
        if (neighbor_by_adjacency(n, ++*cursor, now_ns, out))
            return true;
    }
    return false;
}

bool neighbor_by_adjacency(const struct neighbors *n, uint32_t adjacency, uint64_t now_ns,
                           struct neighbor_view *out)
{
    const struct neighbor *x = at_adjacency(n, adjacency);
    if (x == NULL)
        return false;
    *out = view_of(n, x, now_ns);
    return true;
}

uint32_t neighbors_count(const struct neighbors *n)
{
    return n->count;
}

const uint64_t *neighbor_counters(const struct neighbors *n)
{
    return n->counters;
}

void neighbor_counters_clear(struct neighbors *n)
{
    memset(n->counters, 0, sizeof(n->counters));
}
