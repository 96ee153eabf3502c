/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A primary and a secondary in session, with bindings of both families delegated, under a sequence of random
 * datagrams. The input picks whether a datagram is authentic, so that what lies behind the authenticator is
 * reached too; of which family a home address is, it says by its number.
 * What must hold:
 *
 *     - what is not authentic changes nothing at all but one counter, and calls forth no answer;
 *     - counts, lists, digests and timers of either end agree with one another, whatever was authentic;
 *     - INSTALL and REMOVE, replayed, give exactly the agent's bindings;
 *     - nothing is announced that is not intercepted, and nothing is intercepted without a lease;
 *     - within a session no generation falls;
 *     - time passes: neither end has work without end.
 */
#include "peer_world.h"
#include "steps.h"

#include <string.h>

enum kind {
    STRANGE,   /* bytes as they are, from a peer or a stranger */
    MUTATED,   /* a real one, changed */
    REPEATED,  /* a real one, repeated or, if it was lost, late */
    AUTHENTIC, /* records as the input has them, in session */
    PLAUSIBLE, /* records made of the input, in session */
    GREETING,  /* HELLO, HELLO_ACK */
    TIME,
    MOBILE, /* registers or goes home */
    MOVE,   /* by the operator */
    TRAFFIC,
    CONFIGURATION,
    LOSS,
    NEIGHBOR_HEARD,
    RESTART,
    KINDS
};
enum { TO_SECONDARY = 0x80 /* of control: which end it happens to */, KIND = 0x1f };

/* ---- Not authentic ---- */

/* All that an end knows of its peer, and what it has counted. */
struct picture {
    union {
        struct node node;
        struct principal principal;
    } peer;
    struct agent_counters counters;
    uint64_t deadline_ns, secrets, random;
    size_t n_mobiles;
};

static void take_picture(unsigned end, struct picture *out)
{
    const struct agent *agent = world.ends[end].agent;
    const size_t size = end == PRIMARY ? sizeof(struct node) : sizeof(struct principal);
    memset(out, 0, sizeof(*out));
    if (agent->peers != NULL)
        memcpy(&out->peer, agent->peers, size);
    out->counters = *agent_counters(agent);
    out->deadline_ns = agent_deadline(agent);
    out->secrets = agent->secrets_made;
    out->random = agent->random;
    out->n_mobiles = agent_mobiles(agent);
}

/* One counter of a reason rose by one; it is taken back to compare the rest. */
static void take_back_reason(const struct picture *before, struct picture *after)
{
    unsigned n = 0;
    for (size_t c = AGENT_PEER_BAD_LENGTH; c <= AGENT_PEER_WRONG_NONCE; c++) {
        n += after->counters.n[c] != before->counters.n[c];
        if (after->counters.n[c] == before->counters.n[c] + 1)
            after->counters.n[c]--;
    }
    fuzz_require(n == 1);
}

static void feed_forged(unsigned to, const struct addr *from, const uint8_t *bytes, size_t len)
{
    static struct picture before, after;
    const struct effect *e;
    take_picture(to, &before);
    world_feed(to, from, bytes, len);
    take_picture(to, &after);
    take_back_reason(&before, &after);
    fuzz_require(memcmp(&before, &after, sizeof(before)) == 0);
    while ((e = agent_pop(world.ends[to].agent)) != NULL)
        fuzz_require(e->kind == EFFECT_NOTE && e->note.kind == NOTE_PEER_SUSPICIOUS);
}

static void strange(unsigned to, struct reader *r)
{
    const struct addr stranger = addr_from_ipv4(0x0a01ff00u | read_u8(r)), peer = world_address(!to);
    const bool from_peer = read_u8(r) % 4 != 0;
    const size_t len = reader_left(r);
    feed_forged(to, from_peer ? &peer : &stranger, read_bytes(r, len), len);
}

static const struct message *choose_kept(struct reader *r)
{
    const size_t n = world.n_kept < KEPT ? world.n_kept : KEPT;
    return n == 0 ? NULL : &world.kept[read_u8(r) % n];
}

static void mutated(struct reader *r)
{
    const struct message *m = choose_kept(r);
    if (m == NULL)
        return;
    uint8_t bytes[DELEGATION_MAX];
    size_t len = m->len;
    memcpy(bytes, m->bytes, len);
    do {
        const size_t at = read_u16(r) % len;
        bytes[at] ^= read_u8(r);
    } while (reader_left(r) >= 3);
    if (read_u8(r) % 8 == 1)
        len = len / 2;
    if (len != m->len || memcmp(bytes, m->bytes, len) != 0)
        feed_forged(world_end_at(&m->destination), &m->source, bytes, len);
}

static void again(struct reader *r)
{
    const struct message *m = choose_kept(r);
    if (m != NULL)
        world_feed(world_end_at(&m->destination), &m->source, m->bytes, m->len);
}

/* ---- Authentic ---- */
static void put_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Header and authenticator around whatever bytes. */
static size_t wrap(uint8_t out[static DELEGATION_MAX], const struct delegation_header *header,
                   const struct auth_key *key, const uint8_t *records, size_t len, size_t count)
{
    struct writer w = writer_over(out, DELEGATION_MAX);
    uint8_t mac[AUTH_MAX];
    delegation_begin(&w);
    fuzz_require(delegation_seal(&w, header, key, world.flock.lab.auth));
    if (len > 0)
        memcpy(out + DELEGATION_HEADER, records, len);
    put_u16(out + 6, DELEGATION_HEADER + len + DELEGATION_AUTHENTICATOR);
    put_u16(out + 10, count);
    fuzz_require(auth_sign(world.flock.lab.auth, key, out, DELEGATION_HEADER + len, mac));
    memcpy(out + DELEGATION_HEADER + len, mac, DELEGATION_AUTHENTICATOR);
    return DELEGATION_HEADER + len + DELEGATION_AUTHENTICATOR;
}

/* Under the session, or a candidate, of whoever is to receive it; the real peer goes on from there. */
static struct session *session_of(unsigned to, uint8_t choice)
{
    struct peer *peer = world_peer(to);
    if (peer == NULL)
        return NULL;
    struct session *candidate = &peer->candidates[choice % SESSION_CANDIDATES];
    if (choice >= 0xf0 && candidate->live)
        return candidate;
    return peer->session.live ? &peer->session : NULL;
}

static void skip_sequence(unsigned to, const struct session *session)
{
    struct peer *real = world_peer(!to);
    if (real != NULL && real->session.live &&
        memcmp(&real->session.key, &session->key, sizeof(session->key)) == 0 &&
        real->session.sent <= session->highest)
        real->session.sent = session->highest + 1;
}

struct authentic {
    uint8_t type, flags, choice;
    uint32_t transaction;
    uint16_t request;
};

static uint32_t choose_transaction(unsigned to, struct reader *r)
{
    const uint8_t which = read_u8(r);
    struct transaction *t = world_peer(to) == NULL ? NULL : world_peer(to)->flow.open;
    for (uint8_t i = 0; t != NULL && i < which % 4; i++)
        t = t->next;
    return t != NULL && which < 0x80 ? t->id : which;
}

static struct authentic choose_authentic(unsigned to, struct reader *r)
{
    struct authentic a = {.type = read_u8(r), .choice = read_u8(r)};
    a.transaction = choose_transaction(to, r);
    if (a.type >= 0x20)
        a.type = (uint8_t)(DELEGATION_START + a.type % (DELEGATION_EVENT_ACK - DELEGATION_START + 1));
    a.flags = (uint8_t)(a.choice << 4 & (DELEGATION_MORE | DELEGATION_LAST | DELEGATION_URGENT));
    if (a.type == DELEGATION_SYNC_ACK || a.type == DELEGATION_EVENT_ACK ||
        (a.type <= DELEGATION_RATES_ACK && a.type % 2 == 0))
        a.flags |= DELEGATION_RESPONSE;
    const struct node *node = node_of(world_peer(PRIMARY));
    if (a.type == DELEGATION_SYNC_DATA && node != NULL && node->resync != NULL)
        a.request = (uint16_t)read_u8(r);
    return a;
}

static void feed_authentic(unsigned to, const struct authentic *a, const uint8_t *records, size_t len,
                           size_t count)
{
    const struct session *session = session_of(to, a->choice);
    if (session == NULL || a->type == DELEGATION_HELLO || a->type == DELEGATION_HELLO_ACK)
        return;
    const struct delegation_header header = {.type = a->type,
                                             .flags = a->flags,
                                             .spi = session->spi,
                                             .epoch = session->peer_epoch,
                                             .peer_epoch = world.ends[to].agent->epoch,
                                             .sequence = session->highest + 1,
                                             .transaction = a->transaction,
                                             .request = a->request,
                                             .node = session->peer_id};
    uint8_t bytes[DELEGATION_MAX];
    const struct addr from = world_address(!to);
    const size_t room = DELEGATION_MAX - DELEGATION_HEADER - DELEGATION_AUTHENTICATOR;
    len = wrap(bytes, &header, &session->key, records, len < room ? len : room, count);
    skip_sequence(to, session);
    world_feed(to, &from, bytes, len);
}

static void authentic(unsigned to, struct reader *r)
{
    const struct authentic a = choose_authentic(to, r);
    const size_t count = read_u8(r), len = reader_left(r);
    feed_authentic(to, &a, read_bytes(r, len), len, count);
}

/* ---- Plausible ---- */
static void plausible(unsigned to, struct reader *r)
{
    const struct authentic a = choose_authentic(to, r);
    uint8_t records[DELEGATION_MAX - DELEGATION_HEADER - DELEGATION_AUTHENTICATOR];
    struct writer w = writer_over(records, sizeof(records));
    size_t len = 0;
    while (reader_left(r) > 0 && !w.failed) {
        len = writer_len(&w);
        record_add(&w, r, a.type);
    }
    if (!w.failed)
        len = writer_len(&w);
    feed_authentic(to, &a, records, len, record_count(records, len));
}

/* ---- Sessions ---- */
static void greeting(unsigned to, struct reader *r)
{
    const struct peer *peer = world_peer(to);
    if (peer == NULL)
        return;
    const uint8_t how = read_u8(r);
    struct delegation_hello hello = {.role = to == PRIMARY ? HELLO_SECONDARY : HELLO_PRIMARY,
                                     .lowest_version = DELEGATION_VERSION,
                                     .highest_version = DELEGATION_VERSION,
                                     .term = read_u8(r),
                                     .nonce = {read_u8(r)},
                                     .ip_id_slot = read_u8(r) % 65,
                                     .payload_max = how & 1 ? PEER_SMALL_PAYLOAD : DELEGATION_MAX};
    if (how & 2)
        hello.role = how >> 2 & 3;
    memcpy(hello.peer_nonce, peer->nonce, sizeof(hello.peer_nonce));
    uint8_t bytes[DELEGATION_MAX], records[DELEGATION_HELLO_SIZE];
    struct writer w = writer_over(records, sizeof(records));
    const struct addr from = world_address(!to);
    const struct delegation_header header = {.type = how & 0x10 ? DELEGATION_HELLO_ACK : DELEGATION_HELLO,
                                             .spi = peer->is.spi,
                                             .epoch = how & 0x20 ? world.ends[!to].agent->epoch : read_u8(r),
                                             .peer_epoch = world.ends[to].agent->epoch,
                                             .node = world.ends[!to].agent->settings.id};
    delegation_hello_encode(&w, &hello);
    world_feed(to, &from, bytes, wrap(bytes, &header, &peer->is.key, records, sizeof(records), 1));
}

/* ---- What else happens ---- */
static void mobile_moves(struct reader *r)
{
    const uint8_t choice = read_u8(r);
    const size_t i = choice % MOBILES;
    const struct addr care_of = world_care_of(i, choice >> 3 & 0xf);
    uint8_t bytes[512];
    world_collect();
    const struct agent_datagram d = world_request(i, choice & 0x80 ? NULL : &care_of, bytes);
    agent_input(world.ends[PRIMARY].agent, &d, *world_now());
}

static void operate(struct reader *r)
{
    struct agent *primary = world.ends[PRIMARY].agent;
    const uint8_t choice = read_u8(r);
    const struct addr home = world_home(choice % MOBILES);
    switch (choice >> 5) {
    case 0:
        agent_recall(primary, &home, *world_now());
        break;
    case 1:
        agent_delegate_all(primary, *world_now());
        break;
    case 2:
        agent_drain(primary, "s0", choice & 1, *world_now());
        break;
    case 3:
        agent_revoke(world.ends[choice & 8 ? SECONDARY : PRIMARY].agent, &home, *world_now());
        break;
    default:
        agent_delegate(primary, &home, "s0", *world_now());
    }
}

static void traffic(unsigned at, struct reader *r)
{
    const struct addr home = world_home(read_u8(r) % HOMES);
    const struct agent_rate rate = {.home = home, .pps = record_span(r), .packets = record_span(r)};
    const uint8_t choice = read_u8(r);
    const struct agent_load load = {.link_down = choice & 1, .tx_pps = record_span(r)};
    if (choice & 2)
        agent_load(world.ends[at].agent, &load, *world_now());
    else
        agent_rates(world.ends[at].agent, &rate, 1, *world_now());
}

static void reconfigure(unsigned at, struct reader *r)
{
    struct agent *agent = world.ends[at].agent;
    const uint8_t how = read_u8(r);
    struct agent_peer peer = at == PRIMARY ? world.flock.scripts[0].self : world.flock.scripts[0].primary;
    if (how & 2) {
        peer.other_spi = 301;
        peer.other_key = peer.key;
        peer.other_key.bytes[0] ^= 0xff;
    }
    if (how & 4)
        peer.weight = how;
    agent_sweep_begin(agent);
    if (at == PRIMARY)
        world_populate();
    if (how & 1)
        fuzz_require(agent_peer_set(agent, &peer) == 0);
    while (agent_sweep(agent, 1000, *world_now()))
        continue;
}

/* ARP, or neighbour discovery: of one family. */
static void take_neighbor(unsigned at, struct reader *r)
{
    const uint8_t choice = read_u8(r), other = read_u8(r);
    const struct addr claimed = world_home(choice % HOMES),
                      asked = world_home(((other & ~1u) | choice % 2) % HOMES);
    const struct agent_neighbor heard = {
        .mac = {{2, 9, 9, 9, 9, choice}},
        .claimed = claimed,
        .asked = choice & 0x80 ? asked : addr_unspecified,
    };
    const bool answered = agent_heard(world.ends[at].agent, &heard, *world_now());
    fuzz_require(!answered || agent_intercepts(world.ends[at].agent, &asked));
}

static void adopt_agents(void)
{
    world.ends[PRIMARY].agent = world.flock.lab.agent;
    world.ends[SECONDARY].agent = world.flock.scripts[0].agent;
}

static void restart(unsigned which)
{
    world_collect();
    world.ends[which] = (struct end){.agent = NULL};
    if (which == PRIMARY) {
        flock_restart(&world.flock);
        world_populate();
    } else {
        flock_boot_real(&world.flock, 0);
    }
    adopt_agents();
}

static void take_step(uint8_t control, struct reader *r)
{
    const unsigned at = control & TO_SECONDARY ? SECONDARY : PRIMARY;
    switch ((enum kind)((control & KIND) % KINDS)) {
    case STRANGE:
        return strange(at, r);
    case MUTATED:
        return mutated(r);
    case REPEATED:
        return again(r);
    case AUTHENTIC:
        return authentic(at, r);
    case PLAUSIBLE:
        return plausible(at, r);
    case GREETING:
        return greeting(at, r);
    case TIME: {
        const uint64_t t = read_u8(r);
        return world_wait_ms(t * t / 4);
    }
    case MOBILE:
        return mobile_moves(r);
    case MOVE:
        return operate(r);
    case TRAFFIC:
        return traffic(at, r);
    case CONFIGURATION:
        return reconfigure(at, r);
    case LOSS:
        world.ends[at].lost = read_u8(r) & 1;
        return;
    case NEIGHBOR_HEARD:
        return take_neighbor(at, r);
    case RESTART:
        return restart(at);
    case KINDS:
        break;
    }
}

static void open_world(void)
{
    world.n_wire = world.n_kept = 0;
    flock_open(&world.flock, 1);
    flock_boot_real(&world.flock, 0);
    world_populate();
    for (size_t i = 0; i < ENDS; i++)
        world.ends[i] = (struct end){.agent = NULL};
    adopt_agents();
    world_wait_ms(3000);
    for (uint8_t i = 0; i < 4; i++) {
        const uint8_t come[] = {(uint8_t)(i | i << 3)};
        struct reader r = reader_over(come, 1);
        mobile_moves(&r);
    }
    world_wait_ms(LAB6_DETECTION_MS);
    for (uint8_t i = 0; i < 4; i++) {
        const uint8_t delegate[] = {0x80 | i};
        struct reader r = reader_over(delegate, 1);
        operate(&r);
    }
    world_wait_ms(100);
    fuzz_require(principal_of(world_peer(SECONDARY))->n_active == 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_over(data, size);
    open_world();
    for (struct step s; step_next(&r, &s);) {
        struct reader inner = reader_over(s.bytes, s.len);
        take_step(s.control, &inner);
        if ((s.control & 0x60) == 0)
            world_pump(); /* else what it called forth waits for the next */
        else
            world_collect();
        world_check();
    }
    world_wait_ms(4000);
    world_check();
    flock_close(&world.flock);
    return 0;
}

/* ---- Seeds ---- */
static void begin_step(struct writer *w, uint8_t control, uint8_t len)
{
    write_u8(w, control);
    write_u8(w, len);
}

static void bytes_step(struct writer *w, uint8_t control, const char *bytes, uint8_t len)
{
    begin_step(w, control, len);
    write_bytes(w, bytes, len);
}

/* type, choice, transaction, then records: choice, generation (2), ... */
static void start_step(struct writer *w, uint8_t home, uint8_t flags, uint8_t set)
{
    const char bytes[] = {DELEGATION_START, 0, (char)0x81, (char)home, 0, 1, (char)flags, 5, (char)set, 9};
    bytes_step(w, PLAUSIBLE | TO_SECONDARY, bytes, sizeof(bytes));
}

static void stop_step(struct writer *w, uint8_t home, uint8_t mode, uint8_t linger)
{
    const char bytes[] = {DELEGATION_STOP, 0, (char)0x82, (char)home, 0, 1, 4, (char)mode, (char)linger};
    bytes_step(w, PLAUSIBLE | TO_SECONDARY, bytes, sizeof(bytes));
}

static void time_step(struct writer *w, uint8_t time)
{
    begin_step(w, TIME, 1);
    write_u8(w, time);
}

static void orders(struct writer *w)
{
    start_step(w, 5, START_ANNOUNCE | START_INTERCEPT, 0x81);
    start_step(w, 6, START_INTERCEPT, 0x8c);
    stop_step(w, 5, STOP_LINGER, 4);
    start_step(w, 5, 0, 0x81);
    stop_step(w, 6, STOP_DELIVER, 5);
    stop_step(w, 0, STOP_DROP, 0);
    stop_step(w, 7, STOP_DROP, 0);
    bytes_step(w, PLAUSIBLE | TO_SECONDARY, "\x08\0\1\0\4\0\4\4\x08\4\0\0", 12);
    time_step(w, 60);
}

static void reports(struct writer *w)
{
    bytes_step(w, TRAFFIC | TO_SECONDARY, "\1\4\4\0\0", 5);
    time_step(w, 70);
    bytes_step(w, PLAUSIBLE, "\x0e\0\1\1\0\0\0\1\0\0\x0e\2\0\0\6", 15);
    bytes_step(w, PLAUSIBLE, "\x09\0\1\1\0\0\1\5\5", 9);
    bytes_step(w, PLAUSIBLE, "\7\0\1\1\0\0\1\2\1\4\4", 11);
    bytes_step(w, PLAUSIBLE, "\4\0\0\1\4\0\4\0\x10\4\4", 11);
}

static void synchronisation(struct writer *w)
{
    bytes_step(w, PLAUSIBLE | TO_SECONDARY, "\x0b\0\x90", 3);
    time_step(w, 10);
    bytes_step(w, PLAUSIBLE | TO_SECONDARY, "\x0b\0\x91\0\0\0\0\x9f\1\1\1", 11);
    stop_step(w, 1, STOP_DROP, 0);
    time_step(w, 20);
    bytes_step(w, PLAUSIBLE, "\x0c\x02\1\0\1\0\0\x40\5\x81\2", 11);
}

static void sessions(struct writer *w)
{
    bytes_step(w, GREETING | TO_SECONDARY, "\x20\0\1\5", 4);
    bytes_step(w, PLAUSIBLE | TO_SECONDARY, "\x08\xf0\1", 3);
    bytes_step(w, LOSS | TO_SECONDARY, "\1", 1);
    time_step(w, 90);
    bytes_step(w, MOVE, "\x01", 1);
    bytes_step(w, LOSS | TO_SECONDARY, "\0", 1);
    bytes_step(w, CONFIGURATION | TO_SECONDARY, "\0", 1);
    time_step(w, 40);
    bytes_step(w, CONFIGURATION | TO_SECONDARY, "\3", 1);
    bytes_step(w, CONFIGURATION, "\3", 1);
    time_step(w, 100);
    bytes_step(w, RESTART, "", 0);
    time_step(w, 100);
}

static void forgeries(struct writer *w)
{
    bytes_step(w, MUTATED, "\3\0\x21\1", 4);
    bytes_step(w, MUTATED, "\4\0\x70\x80\0\x01\1", 7);
    bytes_step(w, REPEATED, "\3", 1);
    bytes_step(w, STRANGE, "\1\1HADP\1\3\0\x40", 10);
    bytes_step(w, MOBILE, "\x81", 1);
    bytes_step(w, NEIGHBOR_HEARD | TO_SECONDARY, "\x81\2", 2);
    bytes_step(w, AUTHENTIC | TO_SECONDARY, "\3\0\1\1\1\x40\0\x58", 8);
    time_step(w, 30);
}

size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX])
{
    static void (*const seeds[])(struct writer *) = {orders, reports, synchronisation, sessions, forgeries};
    enum { SETS = sizeof(seeds) / sizeof(seeds[0]) };
    struct writer w = writer_over(out, FUZZ_SEED_MAX);
    if (n > SETS)
        return 0;
    for (size_t i = 0; i < SETS; i++)
        if (i == n || n == SETS) /* each alone, then all together */
            seeds[i](&w);
    return writer_len(&w);
}
