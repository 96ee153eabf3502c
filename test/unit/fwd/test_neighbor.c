/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours in virtual time. A case is a row: what happens, and everything that comes of it with its
 * times. A random run checks what must hold always: no packet is lost or seen twice, bounds are kept, nobody
 * is asked more than once a second, and the adjacencies say what the states say.
 */
#include "neighbor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../check_main.h"
#include "timerq.h"

enum {
    LOG_MAX = 4096,
    HOSTS = 65536,
    PACKETS_MAX = 200000,
    REACHABLE_LEAST_MS = NEIGHBOR_REACHABLE_S * 1000 * 3 / 4
};

enum fate { UNSENT, WAITING, RELEASED, DISCARDED };

static struct bed {
    struct adjacencies *adjacencies;
    struct neighbors *n;
    uint64_t now_ns;
    bool logs;
    bool ipv6; /* the hosts have addresses of that family */
    char log[LOG_MAX];
    size_t log_len;
    uint64_t logged_ns; /* when something was last logged */

    enum fate fate[PACKETS_MAX];
    unsigned sent, released, discarded, unanswered;
    uint64_t asked_ns[HOSTS]; /* 1 + time of the last solicitation, by the address' last 16 bits */
    unsigned asked;
    uint8_t on_link[HOSTS]; /* what ops->changed said last */
    uint32_t adjacency[HOSTS];
    bool rate_unwatched;
    unsigned icmp_for_discard; /* so many discards are answered by a send to ROUTER */
} bed;

enum { ROUTER = 1, SOLICITED = 1, OVERRIDE = 2 };

/* Adjacencies in ordinary memory: those of lib/fwd/adjacency.c need an EAL. */
struct adjacencies *adjacencies_create(uint32_t capacity)
{
    struct adjacencies *a = calloc(1, sizeof(*a) + capacity * sizeof(a->at[0]));
    ck_assert_ptr_nonnull(a);
    a->capacity = capacity;
    return a;
}

void adjacencies_destroy(struct adjacencies *a)
{
    free(a);
}

void adjacency_publish(struct adjacencies *a, uint32_t index, uint8_t port_index, const struct mac *mac)
{
    ck_assert(index > ADJACENCY_NONE && index < a->capacity);
    adjacency_word word = port_index;
    for (unsigned i = 0; i < sizeof(mac->b); i++)
        word = word << 8 | mac->b[i];
    a->at[index] = word | ADJACENCY_VALID;
}

void adjacency_withdraw(struct adjacencies *a, uint32_t index)
{
    ck_assert(index > ADJACENCY_NONE && index < a->capacity);
    a->at[index] = 0;
}

static struct addr host(unsigned i)
{
    struct addr a = {{0x20, 1, 0x0d, 0xb8, [14] = (uint8_t)(i >> 8), (uint8_t)i}};
    return bed.ipv6 ? a : addr_from_ipv4(0x0a010000 + i);
}

static unsigned host_of(const struct addr *a)
{
    return (unsigned)a->b[14] << 8 | a->b[15];
}

static struct mac mac_of(char letter)
{
    return (struct mac){{0x02, 0, 0, 0, 0, (uint8_t)letter}};
}

/* Packets are numbers. */
static void *packet_of(unsigned i)
{
    return (void *)(uintptr_t)i;
}

static unsigned new_packet(void)
{
    unsigned p = ++bed.sent;
    ck_assert_uint_lt(p, PACKETS_MAX);
    bed.fate[p] = WAITING;
    return p;
}

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    if (!bed.logs)
        return;
    uint64_t passed_ms = (bed.now_ns - bed.logged_ns) / NSEC_PER_MS;
    char when[32] = "";
    if (passed_ms >= REACHABLE_LEAST_MS && passed_ms <= NEIGHBOR_REACHABLE_S * 1000)
        snprintf(when, sizeof(when), "+reachable ");
    else if (passed_ms > 0)
        snprintf(when, sizeof(when), "+%u ", (unsigned)passed_ms);
    bed.logged_ns = bed.now_ns;

    char what[128];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    bed.log_len += (size_t)snprintf(bed.log + bed.log_len, LOG_MAX - bed.log_len, "%s%s%s",
                                    bed.log_len > 0 ? "; " : "", when, what);
    ck_assert_uint_lt(bed.log_len, LOG_MAX);
}

static void solicit(void *context, uint8_t port_index, const struct addr *target, const struct mac *known)
{
    (void)context;
    unsigned h = host_of(target);
    if (bed.asked_ns[h] != 0 && !bed.rate_unwatched)
        ck_assert_msg(bed.now_ns + 1 - bed.asked_ns[h] >= NEIGHBOR_RETRY_MS * NSEC_PER_MS,
                      "host %u asked twice in less than a second", h);
    bed.asked_ns[h] = bed.now_ns + 1;
    bed.asked++;
    if (known != NULL)
        note("ask %u at %c", h, known->b[5]);
    else
        note(port_index == 0 ? "ask %u" : "ask %u port 1", h);
}

static void release(void *context, uint32_t adjacency, void *packet)
{
    (void)context;
    unsigned p = (unsigned)(uintptr_t)packet;
    ck_assert_int_eq(bed.fate[p], WAITING);
    bed.fate[p] = RELEASED;
    bed.released++;
    adjacency_word word = adjacency_read(bed.adjacencies, adjacency);
    ck_assert_msg((word & ADJACENCY_VALID) != 0, "packet %u leaves by an adjacency that is not published", p);
    uint8_t mac[6];
    adjacency_mac(word, mac);
    note("out %u to %c", p, mac[5]);
}

static void discard(void *context, const struct addr *target, void *packet, bool unanswered)
{
    (void)context;
    unsigned p = (unsigned)(uintptr_t)packet;
    ck_assert_int_eq(bed.fate[p], WAITING);
    bed.fate[p] = DISCARDED;
    bed.discarded++;
    bed.unanswered += unanswered;
    const char *what = unanswered ? "drop" : "lose"; /* its sender is owed an error, or not */
    if (!addr_is_unspecified(target))
        note("%s %u for %u", what, p, host_of(target));
    else
        note("%s %u for nobody", what, p);
    if (bed.icmp_for_discard > 0) {
        bed.icmp_for_discard--;
        const struct addr router = host(ROUTER);
        neighbor_send(bed.n, 0, &router, packet_of(new_packet()), bed.now_ns);
    }
}

static void changed(void *context, const struct neighbor_view *v, bool resolved)
{
    (void)context;
    unsigned h = host_of(&v->address);
    ck_assert_msg(bed.on_link[h] != resolved, "host %u: told twice", h);
    bed.on_link[h] = resolved;
    if (resolved)
        ck_assert_uint_eq(v->references, 0);
    note("%s %u", resolved ? "on" : "off", h);
}

static const struct neighbor_ops ops = {
    .solicit = solicit, .release = release, .discard = discard, .changed = changed};

static void bed_make(uint32_t capacity, uint64_t seed)
{
    memset(&bed, 0, sizeof(bed));
    bed.now_ns = 12345 * NSEC_PER_MS;
    bed.logged_ns = bed.now_ns;
    bed.adjacencies = adjacencies_create(capacity + 1);
    ck_assert_ptr_nonnull(bed.adjacencies);
    bed.n = neighbors_create(bed.adjacencies, capacity, &ops, seed);
    ck_assert_ptr_nonnull(bed.n);
}

static void bed_clear(void)
{
    neighbors_destroy(bed.n);
    for (unsigned p = 1; p <= bed.sent; p++)
        ck_assert_msg(bed.fate[p] == RELEASED || bed.fate[p] == DISCARDED, "packet %u is lost", p);
    for (uint32_t i = 0; i < bed.adjacencies->capacity; i++)
        ck_assert_uint_eq(adjacency_read(bed.adjacencies, i), 0);
    adjacencies_destroy(bed.adjacencies);
}

static void send_to(unsigned h)
{
    const struct addr a = host(h);
    neighbor_send(bed.n, 0, &a, packet_of(new_packet()), bed.now_ns);
}

static void hear(unsigned h, char letter, bool for_us)
{
    const struct addr a = host(h);
    const struct mac m = mac_of(letter);
    neighbor_heard(bed.n, 0, &a, &m, for_us, bed.now_ns);
}

/* letter 0: without a link-layer address. */
static void advertise(unsigned h, char letter, unsigned flags)
{
    const struct addr a = host(h);
    const struct mac m = mac_of(letter);
    neighbor_advertised(bed.n, 0, &a, letter != 0 ? &m : NULL, (flags & SOLICITED) != 0,
                        (flags & OVERRIDE) != 0, bed.now_ns);
}

static uint32_t reference(unsigned h)
{
    const struct addr a = host(h);
    return neighbor_reference(bed.n, 0, &a, bed.now_ns);
}

/* Time passes; what is due is done at its very time. */
static void wait_ns(uint64_t ns)
{
    const uint64_t end_ns = bed.now_ns + ns;
    for (uint64_t next; (next = neighbor_deadline(bed.n)) <= end_ns;) {
        if (next > bed.now_ns) /* a key may be early, and what was put off by a budget is late */
            bed.now_ns = next;
        neighbor_expire(bed.n, bed.now_ns, 1);
    }
    bed.now_ns = end_ns;
}

static void wait_ms(unsigned ms)
{
    wait_ns(ms * NSEC_PER_MS);
}

static bool view(unsigned h, struct neighbor_view *out)
{
    for (uint32_t cursor = 0; neighbor_next(bed.n, &cursor, bed.now_ns, out);) {
        if (host_of(&out->address) == h)
            return true;
    }
    return false;
}

/* ---- Cases ---- */

enum act {
    ACT_END,
    ACT_SEND,
    ACT_SEND_BY,
    ACT_WAIT,
    ACT_DUE,
    ACT_HEARD,
    ACT_FOR_US,
    ACT_ADVERTISED,
    ACT_REF,
    ACT_UNREF,
    ACT_DOWN,
    ACT_FORGET,
    ACT_NOTE_STATE
};

struct step {
    enum act act;
    unsigned arg;   /* host, port, or milliseconds */
    char letter;    /* MAC address */
    unsigned flags; /* of an advertisement */
};

#define SEND(host)                   \
    {                                \
        .act = ACT_SEND, .arg = host \
    }
#define SEND_BY(host)                   \
    {                                   \
        .act = ACT_SEND_BY, .arg = host \
    }
#define WAIT(ms)                   \
    {                              \
        .act = ACT_WAIT, .arg = ms \
    }
#define DUE()          \
    {                  \
        .act = ACT_DUE \
    }
#define HEARD(host, mac)                             \
    {                                                \
        .act = ACT_HEARD, .arg = host, .letter = mac \
    }
#define FOR_US(host, mac)                             \
    {                                                 \
        .act = ACT_FOR_US, .arg = host, .letter = mac \
    }
#define ADVERTISED(host, mac, with)                                      \
    {                                                                    \
        .act = ACT_ADVERTISED, .arg = host, .letter = mac, .flags = with \
    }
#define REF(host)                   \
    {                               \
        .act = ACT_REF, .arg = host \
    }
#define UNREF(host)                   \
    {                                 \
        .act = ACT_UNREF, .arg = host \
    }
#define DOWN(port)                   \
    {                                \
        .act = ACT_DOWN, .arg = port \
    }
#define FORGET(host)                   \
    {                                  \
        .act = ACT_FORGET, .arg = host \
    }
#define NOTE_STATE(host)                   \
    {                                      \
        .act = ACT_NOTE_STATE, .arg = host \
    }

static const struct scene {
    const char *name;
    struct step steps[32];
    const char *log;
} scenes[] = {
    {"nobody answers: asked three times, dropped, held down, forgotten",
     {SEND(9), WAIT(4000), NOTE_STATE(9), SEND(9), WAIT(4000), NOTE_STATE(9), SEND(9)},
     "ask 9; +1000 ask 9; +1000 ask 9; +1000 drop 1 for 9; +1000 9 failed; drop 2 for 9; +4000 9 unknown; "
     "ask 9"},
    {"an answer releases in order, and tells of it once",
     {SEND(9), SEND(9), WAIT(300), HEARD(9, 'a'), SEND(9), NOTE_STATE(9), HEARD(9, 'a')},
     "ask 9; +300 on 9; out 1 to a; out 2 to a; out 3 to a; 9 reachable"},
    {"an answer at the last moment counts",
     {SEND(9), WAIT(2999), HEARD(9, 'a')},
     "ask 9; +1000 ask 9; +1000 ask 9; +999 on 9; out 1 to a"},
    {"an unreferenced one is probed as long as it answers",
     {SEND(9), HEARD(9, 'a'), DUE(), WAIT(5), HEARD(9, 'a'), DUE(), HEARD(9, 'a'), DUE()},
     "ask 9; on 9; out 1 to a; +reachable ask 9 at a; +reachable ask 9 at a; +reachable ask 9 at a"},
    {"an unreferenced one that no longer answers is used until the tries are over, then forgotten",
     {FOR_US(9, 'a'), DUE(), WAIT(2999), SEND(9), NOTE_STATE(9), WAIT(1), NOTE_STATE(9)},
     "on 9; +reachable ask 9 at a; +1000 ask 9 at a; +1000 ask 9 at a; +999 out 1 to a; 9 probing; +1 off 9; "
     "9 unknown"},
    {"a referenced one that no longer answers where it was is asked for everywhere, then fails",
     {REF(9), HEARD(9, 'a'), DUE(), WAIT(2500), SEND_BY(9), WAIT(500), SEND_BY(9), WAIT(3000)},
     "ask 9; +reachable ask 9 at a; +1000 ask 9 at a; +1000 ask 9 at a; +500 out 1 to a; +500 ask 9; "
     "+1000 ask 9; +1000 ask 9; +1000 drop 2 for 9"},
    {"a probed one that answers from another MAC address is moved",
     {REF(9), HEARD(9, 'a'), DUE(), HEARD(9, 'b'), SEND_BY(9), NOTE_STATE(9), DUE()},
     "ask 9; +reachable ask 9 at a; out 1 to b; 9 reachable; +reachable ask 9 at b"},
    {"a referenced one is asked at once, then again and again",
     {REF(9), WAIT(12000), NOTE_STATE(9), WAIT(5000), HEARD(9, 'a'), NOTE_STATE(9)},
     "ask 9; +1000 ask 9; +1000 ask 9; +6000 ask 9; +1000 ask 9; +1000 ask 9; +2000 9 failed; "
     "+4000 ask 9; +1000 ask 9; 9 reachable"},
    {"a referenced one that failed is asked again when used",
     {REF(9), WAIT(4000), SEND_BY(9), NOTE_STATE(9), WAIT(100), HEARD(9, 'a')},
     "ask 9; +1000 ask 9; +1000 ask 9; +2000 ask 9; 9 incomplete; +100 out 1 to a"},
    {"the same by its address",
     {REF(9), WAIT(4000), SEND(9), WAIT(100), HEARD(9, 'a')},
     "ask 9; +1000 ask 9; +1000 ask 9; +2000 ask 9; +100 out 1 to a"},
    {"a reference takes one out of its hold-down",
     {SEND(9), WAIT(3500), REF(9)},
     "ask 9; +1000 ask 9; +1000 ask 9; +1000 drop 1 for 9; +500 ask 9"},
    {"a reference to one that is being asked for does not ask again",
     {SEND(9), WAIT(500), REF(9), WAIT(500)},
     "ask 9; +1000 ask 9"},
    {"a referenced one is on the link once nobody references it",
     {REF(9), REF(9), HEARD(9, 'a'), UNREF(9), WAIT(10), UNREF(9)},
     "ask 9; +10 on 9"},
    {"a failed one whose reference goes is forgotten in its time",
     {REF(9), WAIT(4000), UNREF(9), WAIT(4000), NOTE_STATE(9)},
     "ask 9; +1000 ask 9; +1000 ask 9; +6000 9 unknown"},
    {"a MAC address that changes is taken over",
     {REF(9), HEARD(9, 'a'), SEND_BY(9), HEARD(9, 'b'), SEND_BY(9)},
     "ask 9; out 1 to a; out 2 to b"},
    {"an ARP packet of an unknown one that is not for us teaches nothing",
     {HEARD(9, 'a'), NOTE_STATE(9)},
     "9 unknown"},
    {"one that is for us does", {FOR_US(9, 'a'), NOTE_STATE(9), SEND(9)}, "on 9; 9 reachable; out 1 to a"},
    {"a failed one that speaks is reachable",
     {SEND(9), WAIT(4000), HEARD(9, 'a'), SEND(9)},
     "ask 9; +1000 ask 9; +1000 ask 9; +1000 drop 1 for 9; +1000 on 9; out 2 to a"},
    {"link down: unreferenced ones are forgotten with their packets",
     {FOR_US(9, 'a'), SEND(8), DOWN(0), NOTE_STATE(8), NOTE_STATE(9)},
     "on 9; ask 8; off 9; lose 1 for 8; 8 unknown; 9 unknown"},
    {"link down: referenced ones are asked for again, packets wait",
     {REF(9), SEND_BY(9), DOWN(0), WAIT(1000), HEARD(9, 'a'), DOWN(0), SEND_BY(9), WAIT(4000)},
     "ask 9; +1000 ask 9; out 1 to a; +1000 ask 9; +1000 ask 9; +1000 ask 9; +1000 drop 2 for 9"},
    {"link down: the other link is not touched", {FOR_US(9, 'a'), DOWN(1), SEND(9)}, "on 9; out 1 to a"},
    {"forget: an unreferenced one is gone",
     {FOR_US(9, 'a'), FORGET(9), NOTE_STATE(9), FORGET(9)},
     "on 9; off 9; 9 unknown"},
    {"forget: a referenced one is asked for again, a second after the last time",
     {REF(9), WAIT(400), HEARD(9, 'a'), FORGET(9), SEND_BY(9), WAIT(700), HEARD(9, 'b')},
     "ask 9; +1000 ask 9; +100 out 1 to b"},
    {"forget: one that has become referenced is no longer on the link",
     {FOR_US(9, 'a'), REF(9), FORGET(9), WAIT(0), NOTE_STATE(9), HEARD(9, 'b'), UNREF(9)},
     "on 9; off 9; ask 9; 9 incomplete; on 9"},
};

/* RFC 4861 section 7.2.5, and 7.2.3 for solicitations. */
static const struct scene scenes_ipv6[] = {
    {"advertised, asked for: reachable",
     {SEND(9), ADVERTISED(9, 'a', SOLICITED), NOTE_STATE(9), WAIT(20000)},
     "ask 9; on 9; out 1 to a; 9 reachable"},
    {"override does not matter while unresolved",
     {SEND(9), ADVERTISED(9, 'a', SOLICITED | OVERRIDE), NOTE_STATE(9)},
     "ask 9; on 9; out 1 to a; 9 reachable"},
    {"advertised, not asked for: used, and asked, a second after the last time",
     {SEND(9), WAIT(100), ADVERTISED(9, 'a', 0), NOTE_STATE(9), WAIT(1000), ADVERTISED(9, 'a', SOLICITED),
      NOTE_STATE(9)},
     "ask 9; +100 on 9; out 1 to a; 9 probing; +900 ask 9 at a; +100 9 reachable"},
    {"an advertisement without an address teaches nothing while unresolved",
     {SEND(9), ADVERTISED(9, 0, SOLICITED), NOTE_STATE(9)},
     "ask 9; 9 incomplete"},
    {"an advertisement of an unknown one teaches nothing",
     {ADVERTISED(9, 'a', SOLICITED | OVERRIDE), NOTE_STATE(9)},
     "9 unknown"},
    {"another address without override: not taken, but asked whether the known one still holds",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), WAIT(5000), ADVERTISED(9, 'b', SOLICITED), NOTE_STATE(9),
      SEND_BY(9), WAIT(1)},
     "ask 9; +5000 9 probing; out 1 to a; ask 9 at a"},
    {"and while it is asked, not at all",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), WAIT(5000), ADVERTISED(9, 'b', 0), WAIT(2500),
      ADVERTISED(9, 'b', 0), WAIT(499), NOTE_STATE(9), WAIT(1), NOTE_STATE(9)},
     "ask 9; +5000 ask 9 at a; +1000 ask 9 at a; +1000 ask 9 at a; +999 9 probing; +1 ask 9; 9 incomplete"},
    {"another address with override: taken, and asked",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), WAIT(5000), ADVERTISED(9, 'b', OVERRIDE), NOTE_STATE(9),
      SEND_BY(9), WAIT(1)},
     "ask 9; +5000 9 probing; out 1 to b; ask 9 at b"},
    {"the same, asked for: taken, and reachable",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), WAIT(5000), ADVERTISED(9, 'b', OVERRIDE | SOLICITED),
      NOTE_STATE(9), SEND_BY(9), WAIT(1)},
     "ask 9; +5000 9 reachable; out 1 to b"},
    {"the known address, not asked for: nothing new",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), DUE(), ADVERTISED(9, 'a', OVERRIDE), NOTE_STATE(9)},
     "ask 9; +reachable ask 9 at a; 9 probing"},
    {"an answer without an address confirms the known one",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), DUE(), ADVERTISED(9, 0, SOLICITED), NOTE_STATE(9)},
     "ask 9; +reachable ask 9 at a; 9 reachable"},
    {"a solicitation for us makes it known, and asked",
     {FOR_US(9, 'a'), NOTE_STATE(9), WAIT(1)},
     "on 9; 9 probing; ask 9 at a"},
    {"one more from where it is known to be changes nothing",
     {REF(9), ADVERTISED(9, 'a', SOLICITED), FOR_US(9, 'a'), NOTE_STATE(9), HEARD(9, 'b'), NOTE_STATE(9)},
     "ask 9; 9 reachable; 9 probing"},
};

static const char *state_of(unsigned h)
{
    struct neighbor_view v;
    return view(h, &v) ? neighbor_state_text(v.state) : "unknown";
}

static void step(const struct step *s)
{
    const struct addr a = host(s->arg);
    switch (s->act) {
    case ACT_END:
        return;
    case ACT_SEND:
        send_to(s->arg);
        return;
    case ACT_SEND_BY:
        neighbor_send_by(bed.n, bed.adjacency[s->arg], packet_of(new_packet()), bed.now_ns);
        return;
    case ACT_WAIT:
        wait_ms(s->arg);
        return;
    case ACT_DUE: /* the next thing that is due, whenever that is */
        for (size_t before = bed.log_len; bed.log_len == before;) { /* a deadline may be early */
            bed.now_ns = neighbor_deadline(bed.n);
            neighbor_expire(bed.n, bed.now_ns, 1);
        }
        return;
    case ACT_HEARD:
    case ACT_FOR_US:
        hear(s->arg, s->letter, s->act == ACT_FOR_US);
        return;
    case ACT_ADVERTISED:
        advertise(s->arg, s->letter, s->flags);
        return;
    case ACT_REF:
        bed.adjacency[s->arg] = reference(s->arg);
        ck_assert_uint_ne(bed.adjacency[s->arg], ADJACENCY_NONE);
        return;
    case ACT_UNREF:
        neighbor_release_reference(bed.n, bed.adjacency[s->arg], bed.now_ns);
        return;
    case ACT_DOWN:
        neighbor_port_down(bed.n, (uint8_t)s->arg, bed.now_ns);
        return;
    case ACT_FORGET:
        neighbor_forget(bed.n, 0, &a, bed.now_ns);
        return;
    case ACT_NOTE_STATE:
        note("%u %s", s->arg, state_of(s->arg));
        return;
    }
}

static void play(const struct scene *scene, bool ipv6)
{
    bed_make(16, 1);
    bed.ipv6 = ipv6;
    bed.logs = true;
    for (const struct step *s = scene->steps; s->act != ACT_END; s++)
        step(s);
    bed.logs = false;
    ck_assert_msg(strcmp(bed.log, scene->log) == 0, "%s\n  is      %s\n  must be %s", scene->name, bed.log,
                  scene->log);
    bed_clear();
}

START_TEST(a_scene)
{
    play(&scenes[_i], false);
}
END_TEST

START_TEST(a_scene_of_ipv6)
{
    play(&scenes_ipv6[_i], true);
}
END_TEST

/* ---- Bounds ---- */

START_TEST(the_oldest_goes_when_a_queue_is_full)
{
    bed_make(4, 1);
    for (unsigned i = 0; i < NEIGHBOR_QUEUE + 3; i++)
        send_to(9);
    ck_assert_uint_eq(bed.discarded, 3);
    for (unsigned p = 1; p <= NEIGHBOR_QUEUE + 3; p++)
        ck_assert_int_eq(bed.fate[p], p <= 3 ? DISCARDED : WAITING);
    ck_assert_uint_eq(neighbor_counters(bed.n)[NEIGHBOR_COUNT_QUEUE_DROPPED], 3);
    ck_assert_uint_eq(bed.unanswered, 0); /* the answer may still come */

    bed.logs = true;
    hear(9, 'a', false);
    ck_assert_ptr_eq(strstr(bed.log, "on 9; out 4 to a; out 5 to a;"), bed.log);
    bed_clear();
}
END_TEST

START_TEST(all_queues_together_are_bounded)
{
    enum { FULL_QUEUES = NEIGHBOR_QUEUE_ALL / NEIGHBOR_QUEUE };
    bed_make(FULL_QUEUES + 10, 1);
    for (unsigned h = 0; h < FULL_QUEUES; h++) {
        for (unsigned i = 0; i < NEIGHBOR_QUEUE; i++)
            send_to(100 + h);
    }
    ck_assert_uint_eq(bed.discarded, 0);
    send_to(9);
    ck_assert_int_eq(bed.fate[bed.sent], DISCARDED);
    /* It is asked for all the same, and room that comes free is used. */
    ck_assert_uint_ne(bed.asked_ns[9], 0);
    hear(100, 'a', false);
    send_to(9);
    ck_assert_int_eq(bed.fate[bed.sent], WAITING);
    bed_clear();
}
END_TEST

START_TEST(a_storm_stays_bounded)
{
    enum { CAPACITY = 64, REFERENCED = 4, ON_LINK = 4, STORM_S = 40, RATE = 200 };
    bed_make(CAPACITY, 1);
    for (unsigned h = 1; h <= REFERENCED; h++)
        reference(h);
    for (unsigned h = 1; h <= REFERENCED + ON_LINK; h++)
        hear(h, 'a', true);
    const uint32_t router = bed.adjacency[ROUTER] = reference(ROUTER);
    unsigned asked_before = bed.asked;
    for (unsigned i = 0; i < STORM_S * RATE; i++) {
        send_to(1000 + i % 7919);
        for (unsigned h = 1; h <= REFERENCED + ON_LINK; h++) {
            if (i % (10 * RATE) == 0) /* they are alive */
                hear(h, 'a', false);
        }
        wait_ms(1000 / RATE);
        ck_assert_uint_le(neighbors_count(bed.n), CAPACITY);
    }
    /* Everyone who lives is still reachable, at once. */
    for (unsigned h = 1; h <= REFERENCED + ON_LINK; h++) {
        send_to(h);
        ck_assert_int_eq(bed.fate[bed.sent], RELEASED);
    }
    neighbor_send_by(bed.n, router, packet_of(new_packet()), bed.now_ns);
    ck_assert_int_eq(bed.fate[bed.sent], RELEASED);
    /* No slot asks more than once a second. */
    ck_assert_uint_le(bed.asked - asked_before, CAPACITY * (STORM_S + 1));
    ck_assert_uint_gt(neighbor_counters(bed.n)[NEIGHBOR_COUNT_FULL], 0);
    bed_clear();
}
END_TEST

/* RFC 6583: whoever sends to ever new addresses of an IPv6 network makes us ask for no more than so many; who
 * speaks to us, and what is referred to, does not suffer from that. */
START_TEST(strangers_of_ipv6_are_rationed)
{
    enum { OTHERS = 100 };
    bed_make(4 * NEIGHBOR_STRANGERS_PER_S, 1);
    bed.ipv6 = true;
    for (unsigned i = 0; i < NEIGHBOR_STRANGERS_PER_S + OTHERS; i++)
        send_to(1000 + i);
    ck_assert_uint_eq(neighbors_count(bed.n), NEIGHBOR_STRANGERS_PER_S);
    ck_assert_uint_eq(neighbor_counters(bed.n)[NEIGHBOR_COUNT_STRANGERS], OTHERS);
    ck_assert_int_eq(bed.fate[bed.sent], DISCARDED);
    send_to(1000); /* is none any more */
    ck_assert_int_ne(bed.fate[bed.sent], DISCARDED);
    ck_assert_uint_ne(reference(1), ADJACENCY_NONE);
    for (unsigned i = 0; i < NEIGHBOR_STRANGERS_PER_S + OTHERS; i++)
        hear(10000 + i, 'a', true);
    ck_assert_uint_eq(neighbors_count(bed.n), 2 * NEIGHBOR_STRANGERS_PER_S + 1);
    wait_ms(1000);
    send_to(9000);
    ck_assert_int_ne(bed.fate[bed.sent], DISCARDED);
    bed.ipv6 = false; /* a network of IPv4 has no more addresses than its prefix says */
    for (unsigned i = 0; i < NEIGHBOR_STRANGERS_PER_S + OTHERS; i++)
        send_to(20000 + i);
    ck_assert_int_ne(bed.fate[bed.sent], DISCARDED);
    bed_clear();
}
END_TEST

START_TEST(who_makes_room_for_whom)
{
    bed_make(4, 1);
    bed.logs = true;
    send_to(10);
    wait_ms(3000); /* 10 failed */
    send_to(11);
    hear(12, 'a', true);
    hear(13, 'a', true);
    bed.log_len = 0;
    note("-");

    send_to(14);         /* in the place of the failed one */
    send_to(15);         /* no failed one left */
    hear(16, 'a', true); /* one that speaks: in the place of 11, asked for longest */
    hear(17, 'a', true); /* of 14 */
    hear(18, 'a', true); /* never of one that answered */
    ck_assert_uint_ne(reference(19), ADJACENCY_NONE); /* a reference takes the one met longest ago */
    ck_assert_uint_ne(reference(20), ADJACENCY_NONE);
    ck_assert_uint_ne(reference(21), ADJACENCY_NONE);
    ck_assert_uint_ne(reference(22), ADJACENCY_NONE);
    ck_assert_uint_eq(reference(23), ADJACENCY_NONE); /* and never that of another reference */
    ck_assert_uint_ne(reference(22), ADJACENCY_NONE);
    ck_assert_str_eq(bed.log, "-; ask 14; lose 4 for 15; lose 2 for 11; on 16; lose 3 for 14; on 17; "
                              "off 12; ask 19; off 13; ask 20; off 16; ask 21; off 17; ask 22");
    ck_assert_uint_eq(neighbor_counters(bed.n)[NEIGHBOR_COUNT_FULL], 3);
    bed.logs = false;
    bed_clear();
}
END_TEST

START_TEST(an_adjacency_rests_before_it_is_given_again)
{
    bed_make(4, 1);
    uint32_t first[4];
    for (unsigned h = 0; h < 4; h++) {
        first[h] = reference(h);
        ck_assert_uint_ne(first[h], ADJACENCY_NONE);
        neighbor_release_reference(bed.n, first[h], bed.now_ns);
    }
    for (unsigned h = 0; h < 4; h++) {
        const struct addr a = host(3 - h);
        neighbor_forget(bed.n, 0, &a, bed.now_ns);
    }
    ck_assert_uint_eq(neighbors_count(bed.n), 0);
    for (unsigned h = 0; h < 4; h++)
        ck_assert_uint_eq(reference(100 + h), first[3 - h]);
    bed_clear();
}
END_TEST

START_TEST(a_discard_may_send)
{
    bed_make(4, 1);
    for (unsigned h = 10; h < 13; h++) {
        for (unsigned i = 0; i < NEIGHBOR_QUEUE; i++)
            send_to(h);
    }
    /* Of all that fail, some discards send to a router that is not known yet: the table fills meanwhile. */
    bed.icmp_for_discard = 20;
    wait_ms(3000);
    ck_assert_uint_eq(bed.icmp_for_discard, 0);
    ck_assert_uint_ne(bed.asked_ns[ROUTER], 0);
    hear(ROUTER, 'r', false);
    ck_assert_uint_eq(bed.released, NEIGHBOR_QUEUE);

    /* And when room is made, where the callee takes the room or is sent to the same address. */
    const struct addr router = host(ROUTER);
    neighbor_forget(bed.n, 0, &router, bed.now_ns);
    wait_ms(NEIGHBOR_FAILED_S * 1000);
    for (unsigned h = 20; h < 24; h++)
        send_to(h);
    bed.icmp_for_discard = 1;
    ck_assert_uint_ne(reference(ROUTER), ADJACENCY_NONE);
    bed.icmp_for_discard = 1;
    neighbor_port_down(bed.n, 0, bed.now_ns);
    bed_clear();
}
END_TEST

START_TEST(senseless_senders_teach_nothing)
{
    bed_make(4, 1);
    const struct addr a = host(9), none = addr_from_ipv4(0), group = addr_from_ipv4(0xe0000001);
    const struct mac good = mac_of('a'), zero = {{0}}, many = {{0x01, 0, 0x5e, 0, 0, 1}};
    neighbor_heard(bed.n, 0, &a, &zero, true, bed.now_ns);
    neighbor_heard(bed.n, 0, &a, &many, true, bed.now_ns);
    neighbor_heard(bed.n, 0, &a, &mac_broadcast, true, bed.now_ns);
    neighbor_heard(bed.n, 0, &none, &good, true, bed.now_ns);
    neighbor_heard(bed.n, 0, &group, &good, true, bed.now_ns);
    ck_assert_uint_eq(neighbors_count(bed.n), 0);
    neighbor_heard(bed.n, 0, &a, &good, true, bed.now_ns);
    ck_assert_uint_eq(neighbors_count(bed.n), 1);
    bed_clear();
}
END_TEST

START_TEST(links_are_told_apart)
{
    bed_make(4, 1);
    const struct addr a = host(9);
    const struct mac m0 = mac_of('a'), m1 = mac_of('b');
    bed.rate_unwatched = true; /* it is watched by address alone */
    const uint32_t on_0 = neighbor_reference(bed.n, 0, &a, bed.now_ns);
    const uint32_t on_1 = neighbor_reference(bed.n, 1, &a, bed.now_ns);
    ck_assert_uint_ne(on_0, on_1);
    neighbor_heard(bed.n, 0, &a, &m0, false, bed.now_ns);
    neighbor_heard(bed.n, 1, &a, &m1, false, bed.now_ns);
    uint8_t mac[6];
    adjacency_word word = adjacency_read(bed.adjacencies, on_1);
    adjacency_mac(word, mac);
    ck_assert_mem_eq(mac, m1.b, 6);
    ck_assert_uint_eq(adjacency_port(word), 1);
    neighbor_port_down(bed.n, 1, bed.now_ns);
    ck_assert_uint_eq(adjacency_read(bed.adjacencies, on_1), 0);
    ck_assert_uint_ne(adjacency_read(bed.adjacencies, on_0), 0);
    bed_clear();
}
END_TEST

START_TEST(ipv6_addresses_serve_as_well)
{
    bed_make(4, 1);
    struct addr a, b;
    ck_assert(addr_parse("2001:db8:1::9", &a) && addr_parse("2001:db8:1::109", &b));
    const uint32_t x = neighbor_reference(bed.n, 0, &a, bed.now_ns);
    wait_ms(500);
    ck_assert_uint_ne(x, neighbor_reference(bed.n, 0, &b, bed.now_ns));
    ck_assert_uint_eq(x, neighbor_reference(bed.n, 0, &a, bed.now_ns));
    bed_clear();
}
END_TEST

START_TEST(a_view_tells_what_is_known)
{
    bed_make(4, 1);
    const uint32_t x = reference(9);
    send_to(9);
    struct neighbor_view v;
    ck_assert(neighbor_by_adjacency(bed.n, x, bed.now_ns, &v));
    ck_assert_int_eq(v.state, NEIGHBOR_INCOMPLETE);
    ck_assert_uint_eq(v.waiting, 1);
    ck_assert_uint_eq(v.references, 1);
    ck_assert_uint_eq(v.age_s, NEIGHBOR_AGE_NEVER);
    ck_assert_uint_eq(v.adjacency, x);
    hear(9, 'a', false);
    wait_ms(7900);
    ck_assert(neighbor_by_adjacency(bed.n, x, bed.now_ns, &v));
    ck_assert_int_eq(v.state, NEIGHBOR_REACHABLE);
    ck_assert_uint_eq(v.age_s, 7);
    ck_assert_uint_eq(v.waiting, 0);
    const struct mac m = mac_of('a');
    ck_assert(mac_equal(&v.mac, &m));
    ck_assert(!neighbor_by_adjacency(bed.n, ADJACENCY_NONE, bed.now_ns, &v));
    ck_assert(!neighbor_by_adjacency(bed.n, x + 1, bed.now_ns, &v));
    bed.logs = true;
    neighbor_send_by(bed.n, x + 1, packet_of(new_packet()), bed.now_ns);
    ck_assert_ptr_nonnull(strstr(bed.log, "lose 2 for nobody"));
    bed_clear();
}
END_TEST

START_TEST(a_budget_is_kept)
{
    bed_make(16, 1);
    for (unsigned h = 0; h < 10; h++)
        send_to(10 + h);
    bed.now_ns += NEIGHBOR_RETRY_MS * NSEC_PER_MS;
    neighbor_expire(bed.n, bed.now_ns, 4);
    ck_assert_uint_eq(bed.asked, 14);
    ck_assert_uint_le(neighbor_deadline(bed.n), bed.now_ns);
    neighbor_expire(bed.n, bed.now_ns, 100);
    ck_assert_uint_eq(bed.asked, 20);
    bed_clear();
}
END_TEST

START_TEST(probes_are_spread)
{
    enum { MANY = 64 };
    bed_make(MANY, 7);
    for (unsigned h = 0; h < MANY; h++)
        hear(10 + h, 'a', true);
    wait_ms(REACHABLE_LEAST_MS - 1);
    ck_assert_uint_eq(bed.asked, 0);
    wait_ms(NEIGHBOR_REACHABLE_S * 1000 / 8);
    ck_assert_uint_gt(bed.asked, 0);
    unsigned probed = 0;
    for (unsigned h = 0; h < MANY; h++)
        probed += bed.asked_ns[10 + h] != 0;
    ck_assert_uint_gt(probed, MANY / 4);
    ck_assert_uint_lt(probed, MANY * 3 / 4);
    bed_clear();
}
END_TEST

START_TEST(counters_count)
{
    bed_make(4, 1);
    send_to(9);
    send_to(9);
    wait_ms(3000);
    hear(9, 'a', false);
    hear(9, 'b', false);
    static const uint64_t expected[NEIGHBOR_COUNTERS_COUNT] = {
        [NEIGHBOR_COUNT_SOLICITED] = 3,  [NEIGHBOR_COUNT_RESOLVED] = 1,       [NEIGHBOR_COUNT_MOVED] = 1,
        [NEIGHBOR_COUNT_UNANSWERED] = 1, [NEIGHBOR_COUNT_FAILED_DROPPED] = 2,
    };
    for (unsigned c = 0; c < NEIGHBOR_COUNTERS_COUNT; c++)
        ck_assert_msg(neighbor_counters(bed.n)[c] == expected[c], "%s", neighbor_counter_text(c));
    neighbor_counters_clear(bed.n);
    for (unsigned c = 0; c < NEIGHBOR_COUNTERS_COUNT; c++)
        ck_assert_uint_eq(neighbor_counters(bed.n)[c], 0);
    bed_clear();
}
END_TEST

START_TEST(capacity_is_cut_to_the_adjacencies)
{
    memset(&bed, 0, sizeof(bed));
    bed.adjacencies = adjacencies_create(3);
    bed.n = neighbors_create(bed.adjacencies, 100, &ops, 1);
    ck_assert_uint_ne(reference(1), ADJACENCY_NONE);
    ck_assert_uint_ne(reference(2), ADJACENCY_NONE);
    ck_assert_uint_eq(reference(3), ADJACENCY_NONE);
    bed_clear();
}
END_TEST

/* ---- At random ---- */

static uint64_t dice;

static unsigned roll(unsigned sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (unsigned)((dice >> 20) % sides);
}

/* Check's own assertions are a system call each; here there are millions. */
#define MUST(condition)                     \
    do {                                    \
        if (!(condition))                   \
            ck_abort_msg("%s", #condition); \
    } while (0)

enum { RANDOM_HOSTS = 60, RANDOM_CAPACITY = 40, RANDOM_STEPS = 100000 };

static void check_one(const struct neighbor_view *v)
{
    const bool resolved = v->state == NEIGHBOR_REACHABLE || v->state == NEIGHBOR_PROBING;
    const adjacency_word word = adjacency_read(bed.adjacencies, v->adjacency);
    MUST(v->adjacency != ADJACENCY_NONE);
    MUST(((word & ADJACENCY_VALID) != 0) == resolved);
    if (resolved) {
        uint8_t mac[6];
        adjacency_mac(word, mac);
        MUST(memcmp(mac, v->mac.b, 6) == 0);
        MUST(adjacency_port(word) == v->port_index);
        if (v->references == 0)
            MUST(bed.on_link[host_of(&v->address)]);
    } else {
        MUST(!bed.on_link[host_of(&v->address)]);
    }
    if (resolved || v->state == NEIGHBOR_FAILED)
        MUST(v->waiting == 0);
    MUST(v->waiting <= NEIGHBOR_QUEUE);
}

static void check_all(const unsigned references[RANDOM_HOSTS])
{
    unsigned seen = 0, waiting = 0, resolved = 0, published = 0, on_link = 0;
    bool known[RANDOM_HOSTS] = {false};
    struct neighbor_view v;
    for (uint32_t cursor = 0; neighbor_next(bed.n, &cursor, bed.now_ns, &v); seen++) {
        check_one(&v);
        const unsigned h = host_of(&v.address);
        MUST(v.references == references[h]);
        MUST(!known[h]);
        known[h] = true;
        waiting += v.waiting;
        resolved += v.state == NEIGHBOR_REACHABLE || v.state == NEIGHBOR_PROBING;
    }
    for (unsigned h = 0; h < RANDOM_HOSTS; h++) {
        MUST(known[h] || (references[h] == 0 && !bed.on_link[h]));
        on_link += bed.on_link[h];
    }
    for (uint32_t i = 0; i < bed.adjacencies->capacity; i++)
        published += adjacency_read(bed.adjacencies, i) != 0;
    MUST(published == resolved);
    MUST(on_link <= resolved);
    MUST(seen == neighbors_count(bed.n));
    MUST(seen <= RANDOM_CAPACITY);
    MUST(bed.released + bed.discarded + waiting == bed.sent);
    if (seen > 0)
        MUST(neighbor_deadline(bed.n) <= bed.now_ns + NEIGHBOR_REACHABLE_S * NSEC_PER_S);
}

static void random_reference(unsigned h, unsigned references[RANDOM_HOSTS])
{
    const uint32_t adjacency = reference(h);
    if (adjacency == ADJACENCY_NONE) {
        for (unsigned i = 0; i < RANDOM_HOSTS; i++) /* only when all others are referenced */
            ck_assert(i != h || references[i] == 0);
        return;
    }
    ck_assert(references[h] == 0 || bed.adjacency[h] == adjacency);
    bed.adjacency[h] = adjacency;
    references[h]++;
}

static void random_step(unsigned references[RANDOM_HOSTS])
{
    const unsigned h = roll(RANDOM_HOSTS);
    const struct addr a = host(h);
    switch (roll(16)) {
    case 0 ... 4:
        bed.icmp_for_discard += roll(8) == 0;
        for (unsigned burst = roll(50) == 0 ? 2 * NEIGHBOR_QUEUE : 1; burst > 0; burst--)
            send_to(h);
        return;
    case 5 ... 6:
        if (references[h] > 0)
            neighbor_send_by(bed.n, bed.adjacency[h], packet_of(new_packet()), bed.now_ns);
        return;
    case 7 ... 8:
        if (bed.ipv6 && roll(2) == 0)
            advertise(h, (char)(roll(4) == 0 ? 0 : 'a' + roll(2)), roll(4));
        else
            hear(h, (char)('a' + roll(2)), roll(2) == 0);
        return;
    case 9:
        random_reference(h, references);
        return;
    case 10 ... 11:
        if (references[h] > 0) {
            references[h]--;
            neighbor_release_reference(bed.n, bed.adjacency[h], bed.now_ns);
        }
        return;
    case 12:
        if (roll(200) == 0)
            neighbor_port_down(bed.n, 0, bed.now_ns);
        else if (roll(4) == 0)
            neighbor_forget(bed.n, 0, &a, bed.now_ns);
        return;
    case 13:
        wait_ms(roll(3000));
        return;
    default:
        wait_ms(roll(20));
        return;
    }
}

START_TEST(at_random)
{
    const char *given = getenv("SEED");
    const uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 2 + 1;
    printf("seed %llu (SEED repeats it)\n", (unsigned long long)seed);
    fflush(stdout);
    dice = seed;
    bed_make(RANDOM_CAPACITY, seed);
    bed.ipv6 = _i != 0;
    /* Whom a reference or an ARP packet pushed out may be asked for again at once. */
    bed.rate_unwatched = true;
    unsigned references[RANDOM_HOSTS] = {0};
    for (unsigned i = 0; i < RANDOM_STEPS; i++) {
        random_step(references);
        check_all(references);
    }
    /* Left alone, everything unreferenced goes. */
    for (unsigned h = 0; h < RANDOM_HOSTS; h++) {
        for (; references[h] > 0; references[h]--)
            neighbor_release_reference(bed.n, bed.adjacency[h], bed.now_ns);
    }
    bed.icmp_for_discard = 0;
    wait_ms(60000);
    check_all(references);
    ck_assert_uint_eq(neighbors_count(bed.n), 0);
    ck_assert_uint_eq(neighbor_deadline(bed.n), TIMER_NEVER);
    ck_assert_uint_eq(bed.released + bed.discarded, bed.sent);
    const uint64_t *c = neighbor_counters(bed.n);
    for (unsigned i = 0; i < NEIGHBOR_COUNTERS_COUNT; i++)
        ck_assert_msg(c[i] > 0 || i == NEIGHBOR_COUNT_STRANGERS, "never happened: %s",
                      neighbor_counter_text(i));
    bed_clear();
}
END_TEST

static Suite *neighbor_suite(void)
{
    Suite *suite = suite_create("neighbor");
    TCase *scene_case = tcase_create("scenes");
    tcase_add_loop_test(scene_case, a_scene, 0, ROWS(scenes));
    tcase_add_loop_test(scene_case, a_scene_of_ipv6, 0, ROWS(scenes_ipv6));
    suite_add_tcase(suite, scene_case);

    TCase *bounds = tcase_create("bounds");
    tcase_add_test(bounds, the_oldest_goes_when_a_queue_is_full);
    tcase_add_test(bounds, all_queues_together_are_bounded);
    tcase_add_test(bounds, a_storm_stays_bounded);
    tcase_add_test(bounds, strangers_of_ipv6_are_rationed);
    tcase_add_test(bounds, who_makes_room_for_whom);
    tcase_add_test(bounds, an_adjacency_rests_before_it_is_given_again);
    tcase_add_test(bounds, a_discard_may_send);
    tcase_add_test(bounds, a_budget_is_kept);
    tcase_add_test(bounds, capacity_is_cut_to_the_adjacencies);
    suite_add_tcase(suite, bounds);

    TCase *rest = tcase_create("rest");
    tcase_add_test(rest, senseless_senders_teach_nothing);
    tcase_add_test(rest, links_are_told_apart);
    tcase_add_test(rest, ipv6_addresses_serve_as_well);
    tcase_add_test(rest, a_view_tells_what_is_known);
    tcase_add_test(rest, probes_are_spread);
    tcase_add_test(rest, counters_count);
    suite_add_tcase(suite, rest);

    TCase *random_case = tcase_create("random");
    tcase_set_timeout(random_case, 120);
    tcase_add_loop_test(random_case, at_random, 0, 2); /* of each family */
    suite_add_tcase(suite, random_case);
    return suite;
}

int main(void)
{
    return check_main(neighbor_suite());
}
