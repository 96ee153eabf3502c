/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The binding table: against a plain model through a million random operations; filled to the last entry with
 * addresses of every kind; and under readers while the writer changes it at full speed.
 */
#include "eal.h"
#include "frame.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include <rte_hash_crc.h>

#include "table.h"

/* Every word of an entry follows from its address and version: a torn or reused one gives itself away. */
static struct entry entry_of(uint32_t address, uint32_t version)
{
    struct entry e = {
        .kind = ENTRY_TUNNEL, .adjacency = version, .outer_sum = (uint16_t)(address ^ version * 40503U)};
    for (unsigned i = 0; i < ENTRY_OUTER_MAX; i += 4)
        put32(e.outer + i, address * 31 + version + i);
    return e;
}

static bool entry_is_whole(const struct entry *e, uint32_t address)
{
    struct entry expected = entry_of(address, e->adjacency);
    expected.home = htonl(address);
    expected.slot = e->slot;
    return memcmp(e, &expected, sizeof(expected)) == 0;
}

static int install(struct table *t, uint32_t address, uint32_t version)
{
    struct addr a = addr_from_ipv4(address);
    struct entry e = entry_of(address, version);
    return table_install(t, &a, &e);
}

static int take_out(struct table *t, uint32_t address)
{
    struct addr a = addr_from_ipv4(address);
    return table_remove(t, &a);
}

static const struct entry *look_up(const struct table *t, uint32_t address)
{
    uint32_t key = htonl(address);
    const struct entry *e;
    table_lookup_burst(t, &key, 1, &e);
    return e;
}

static struct table *create(const char *name, uint32_t capacity, unsigned readers)
{
    struct table *t = table_create(name, capacity, readers, SOCKET_ID_ANY);
    ck_assert_msg(t != NULL, "%s: %s", name, rte_strerror(rte_errno));
    return t;
}

/* ---- The model ---- */

enum { MODEL_CAPACITY = 2048, MODEL_ADDRESSES = 3000, MODEL_RETIRED = 256, MODEL_STEPS = 1000000, HELD = 64 };

/* One reader holds what it has looked up until it reports a quiescent state. */
static struct model {
    struct table *table;
    uint64_t random;
    uint32_t version[MODEL_ADDRESSES]; /* 0: not in the table */
    uint32_t slot[MODEL_ADDRESSES];
    uint32_t count, retired, versions;
    struct {
        const struct entry *at;
        struct entry copy;
    } held[HELD];
    unsigned n_held;
    uint8_t *slot_resting; /* removed since the reader was last quiescent: not to be given out */
    uint8_t *slot_used;
} model;

static uint32_t address_of(uint32_t i)
{
    return IP(10, 0, 0, 0) + i * 37;
}

static uint32_t random_below(uint32_t n)
{
    return (uint32_t)(eal_random(&model.random) % n);
}

static void hold(const struct entry *e)
{
    if (model.n_held == HELD)
        return;
    model.held[model.n_held].at = e;
    model.held[model.n_held++].copy = *e;
}

static void be_quiescent(void)
{
    for (unsigned i = 0; i < model.n_held; i++)
        MUST(memcmp(model.held[i].at, &model.held[i].copy, sizeof(struct entry)) == 0);
    model.n_held = 0;
    memset(model.slot_resting, 0, table_slots(model.table));
    rte_rcu_qsbr_quiescent(table_qsbr(model.table), 0);
}

static void model_install(uint32_t i)
{
    bool there = model.version[i] != 0;
    int expected = (there ? model.retired == MODEL_RETIRED : model.count == MODEL_CAPACITY) ? -ENOSPC : 0;
    MUST_EQ(install(model.table, address_of(i), model.versions + 1), expected);
    if (expected != 0)
        return;
    model.version[i] = ++model.versions;
    struct addr a = addr_from_ipv4(address_of(i));
    uint32_t slot = table_get(model.table, &a)->slot;
    if (there) {
        MUST_EQ(slot, model.slot[i]);
        model.retired++;
        return;
    }
    MUST(slot < table_slots(model.table));
    MUST(!model.slot_used[slot] && !model.slot_resting[slot]);
    model.slot_used[slot] = 1;
    model.slot[i] = slot;
    model.count++;
}

static void model_remove(uint32_t i)
{
    int expected = model.version[i] == 0 ? -ENOENT : model.retired == MODEL_RETIRED ? -ENOSPC : 0;
    MUST_EQ(take_out(model.table, address_of(i)), expected);
    if (expected != 0)
        return;
    model.version[i] = 0;
    model.slot_used[model.slot[i]] = 0;
    model.slot_resting[model.slot[i]] = 1;
    model.count--;
    model.retired++;
}

static void model_look_up(unsigned n)
{
    uint32_t keys[64] = {0}, which[64];
    const struct entry *found[64];
    unsigned hits = 0;
    for (unsigned k = 0; k < n; k++) {
        which[k] = random_below(MODEL_ADDRESSES);
        keys[k] = htonl(address_of(which[k]));
    }
    unsigned told = table_lookup_burst(model.table, keys, n, found);
    for (unsigned k = 0; k < n; k++) {
        uint32_t version = model.version[which[k]];
        MUST_EQ(found[k] != NULL, version != 0);
        if (found[k] == NULL)
            continue;
        hits++;
        MUST_EQ(found[k]->adjacency, version);
        MUST(entry_is_whole(found[k], address_of(which[k])));
        hold(found[k]);
    }
    MUST_EQ(told, hits);
}

static void model_walk(void)
{
    static uint8_t seen[MODEL_ADDRESSES];
    memset(seen, 0, sizeof(seen));
    uint32_t cursor = 0, n = 0;
    const struct entry *e;
    while (table_next(model.table, &cursor, &e)) {
        uint32_t i = (ntohl(e->home) - IP(10, 0, 0, 0)) / 37;
        MUST(i < MODEL_ADDRESSES);
        MUST_EQ(seen[i]++, 0);
        MUST_EQ(e->adjacency, model.version[i]);
        if (random_below(8) == 0) /* the writer may change what the walk has passed or is to pass */
            model_install(random_below(MODEL_ADDRESSES));
        n++;
    }
    MUST(n >= MODEL_CAPACITY / 4);
}

START_TEST(a_million_random_operations)
{
    memset(&model, 0, sizeof(model));
    model.random = eal_seed("table");
    model.table = create("model", MODEL_CAPACITY, 1);
    model.slot_resting = calloc(table_slots(model.table), 1);
    model.slot_used = calloc(table_slots(model.table), 1);
    rte_rcu_qsbr_thread_register(table_qsbr(model.table), 0);
    rte_rcu_qsbr_thread_online(table_qsbr(model.table), 0);

    unsigned full = 0, all_retired = 0;
    for (unsigned step = 0; step < MODEL_STEPS; step++) {
        uint32_t what = random_below(1000);
        if (what < 430)
            model_install(random_below(MODEL_ADDRESSES));
        else if (what < 600)
            model_remove(random_below(MODEL_ADDRESSES));
        else if (what < 990)
            model_look_up(random_below(65));
        else if (what < 993)
            be_quiescent();
        else
            model.retired = (uint32_t)table_reclaim(model.table, random_below(2 * MODEL_RETIRED));
        if (step % 10000 == 9999)
            model_walk();
        MUST_EQ(table_count(model.table), model.count);
        full += model.count == MODEL_CAPACITY;
        all_retired += model.retired == MODEL_RETIRED;
    }
    MUST(full > 0); /* both limits were met */
    MUST(all_retired > 0);
    be_quiescent();
    MUST_EQ(table_reclaim(model.table, SIZE_MAX), 0);
    free(model.slot_resting);
    free(model.slot_used);
    table_destroy(model.table);
}
END_TEST

START_TEST(nothing_is_freed_under_a_reader)
{
    struct table *t = create("grace", 16, 2);
    for (unsigned reader = 0; reader < 2; reader++) {
        rte_rcu_qsbr_thread_register(table_qsbr(t), reader);
        rte_rcu_qsbr_thread_online(table_qsbr(t), reader);
    }
    ck_assert_int_eq(install(t, AWAY, 1), 0);
    ck_assert_int_eq(install(t, AWAY, 2), 0);
    ck_assert_int_eq(take_out(t, AWAY), 0);
    ck_assert_uint_eq(table_reclaim(t, 10), 2);
    rte_rcu_qsbr_quiescent(table_qsbr(t), 0);
    ck_assert_uint_eq(table_reclaim(t, 10), 2);
    rte_rcu_qsbr_quiescent(table_qsbr(t), 1);
    ck_assert_uint_eq(table_reclaim(t, 1), 1); /* the budget is kept */
    ck_assert_uint_eq(table_reclaim(t, 0), 1);
    ck_assert_uint_eq(table_reclaim(t, 1), 0);
    table_destroy(t);
}
END_TEST

START_TEST(refusals)
{
    struct addr v6;
    struct entry e = {.kind = ENTRY_ON_LINK};
    ck_assert(addr_parse("2001:db8::1", &v6));
    ck_assert_ptr_null(table_create("no room", 0, 1, SOCKET_ID_ANY));
    ck_assert_int_eq(rte_errno, EINVAL);
    ck_assert_ptr_null(table_create("no readers", 16, 0, SOCKET_ID_ANY));
    ck_assert_int_eq(rte_errno, EINVAL);
    ck_assert_ptr_null(table_create("a name that is too long", 16, 1, SOCKET_ID_ANY));
    ck_assert_int_eq(rte_errno, ENAMETOOLONG);
    table_destroy(NULL);

    struct table *t = create("small", 1, 1);
    ck_assert_ptr_null(table_create("small", 16, 1, SOCKET_ID_ANY)); /* the name is taken */
    ck_assert_int_eq(table_install(t, &v6, &e), -EAFNOSUPPORT);
    ck_assert_int_eq(table_remove(t, &v6), -ENOENT);
    ck_assert_ptr_null(table_get(t, &v6));
    ck_assert_uint_eq(table_lookup_burst(t, NULL, 0, NULL), 0);
    ck_assert_uint_eq(table_capacity(t), 1);
    ck_assert_int_eq(install(t, AWAY, 1), 0);
    ck_assert_int_eq(install(t, AT_HOME, 1), -ENOSPC);
    ck_assert_int_eq(install(t, AWAY, 2), 0); /* a replacement needs no room */
    table_destroy(t);
}
END_TEST

/* ---- Several entries for one address ---- */

static int install_set(struct table *t, uint32_t address, unsigned n, uint32_t version)
{
    struct addr a = addr_from_ipv4(address);
    struct entry set[ENTRY_SET_MAX + 1]; /* one too many for a refusal */
    for (unsigned i = 0; i < n; i++) {
        set[i] = entry_of(address, version + i);
        set[i].kind = ENTRY_TUNNEL;
        set[i].mtu = (uint16_t)(1400 - 10 * i);
    }
    return table_install_set(t, &a, set, n);
}

/* How many hang together there, of versions that follow each other from the given one. */
static unsigned set_at(const struct table *t, uint32_t address, uint32_t version)
{
    const struct entry *first = look_up(t, address), *e = first;
    for (unsigned n = 1;; n++, e = table_more(t, e)) {
        ck_assert_uint_eq(e->home, htonl(address));
        ck_assert_uint_eq(e->slot, first->slot);
        ck_assert_uint_eq(e->adjacency, version + n - 1);
        ck_assert_uint_eq(e->mtu, first->mtu);
        if ((e->flags & ENTRY_MORE) == 0)
            return n;
    }
}

START_TEST(several_entries_for_one_address)
{
    struct table *t = create("sets", 16, 1);
    rte_rcu_qsbr_thread_register(table_qsbr(t), 0);
    rte_rcu_qsbr_thread_online(table_qsbr(t), 0);
    ck_assert_int_eq(install_set(t, AWAY, 3, 10), 0);
    ck_assert_uint_eq(set_at(t, AWAY, 10), 3);
    ck_assert_uint_eq(look_up(t, AWAY)->mtu, 1380); /* the smallest */
    ck_assert_uint_eq(table_count(t), 1);
    uint32_t slot = look_up(t, AWAY)->slot;
    ck_assert_ptr_eq(table_by_slot(t, slot), look_up(t, AWAY));

    /* Replaced by one, the former three stay for who still reads them. */
    const struct entry *former = look_up(t, AWAY);
    ck_assert_int_eq(install(t, AWAY, 20), 0);
    ck_assert_uint_eq(set_at(t, AWAY, 20), 1);
    ck_assert_uint_eq(look_up(t, AWAY)->slot, slot);
    ck_assert_uint_eq(table_reclaim(t, 10), 1);
    ck_assert_uint_eq(table_more(t, table_more(t, former))->adjacency, 12);
    rte_rcu_qsbr_quiescent(table_qsbr(t), 0);
    ck_assert_uint_eq(table_reclaim(t, 10), 0);
    table_destroy(t);
}
END_TEST

/* The entries behind the first ones have room of their own; what is retired gives it back. */
START_TEST(no_room_for_several)
{
    struct table *t = create("sets", 16, 1);
    ck_assert_int_eq(install_set(t, AWAY, ENTRY_SET_MAX + 1, 10), -EINVAL);
    ck_assert_int_eq(install_set(t, AWAY, 0, 10), -EINVAL);
    for (unsigned round = 0; round < 100; round++) { /* none of them is lost on the way */
        ck_assert_int_eq(install_set(t, AWAY, ENTRY_SET_MAX, 10), 0);
        ck_assert_int_eq(install_set(t, AT_HOME, ENTRY_SET_MAX, 20), 0);
        ck_assert_int_eq(install_set(t, ELSEWHERE, ENTRY_SET_MAX, 30), -ENOSPC);
        ck_assert_ptr_null(look_up(t, ELSEWHERE));
        ck_assert_int_eq(install_set(t, AWAY, ENTRY_SET_MAX, 40), -ENOSPC); /* the former are not free yet */
        ck_assert_uint_eq(set_at(t, AWAY, 10), ENTRY_SET_MAX);
        for (uint32_t i = 0; i < 14; i++) /* and first ones never lack theirs */
            ck_assert_int_eq(install(t, ELSEWHERE + i, 1), 0);
        ck_assert_int_eq(install(t, ELSEWHERE + 14, 1), -ENOSPC);
        for (uint32_t i = 0; i < 14; i++)
            ck_assert_int_eq(take_out(t, ELSEWHERE + i), 0);
        ck_assert_int_eq(take_out(t, AWAY), 0);
        ck_assert_int_eq(take_out(t, AT_HOME), 0);
        ck_assert_uint_eq(table_reclaim(t, SIZE_MAX), 0);
    }
    table_destroy(t);
}
END_TEST

/* ---- Slots ---- */

START_TEST(slots_lead_back_to_entries)
{
    struct table *t = create("slots", 16, 1);
    ck_assert_uint_eq(table_slots_used(t), 0);
    ck_assert_ptr_null(table_by_slot(t, 0));
    ck_assert_ptr_null(table_by_slot(t, UINT32_MAX));
    ck_assert_int_eq(install(t, AWAY, 1), 0);
    ck_assert_int_eq(install(t, AT_HOME, 1), 0);
    ck_assert_uint_eq(table_slots_used(t), 2);
    uint32_t slot = look_up(t, AWAY)->slot;
    ck_assert_uint_lt(slot, table_slots_used(t));
    ck_assert_int_eq(install(t, AWAY, 2), 0);
    ck_assert_ptr_eq(table_by_slot(t, slot), look_up(t, AWAY)); /* the new one */
    ck_assert_int_eq(take_out(t, AWAY), 0);
    ck_assert_ptr_null(table_by_slot(t, slot));
    ck_assert_uint_eq(table_slots_used(t), 2);
    table_destroy(t);
}
END_TEST

/* ---- Full ---- */

static uint32_t nth_consecutive(uint32_t i)
{
    return IP(10, 0, 0, 0) + i;
}

static uint32_t nth_strided(uint32_t i)
{
    return i << 12 | i >> 20;
}

static uint32_t nth_scattered(uint32_t i)
{
    return i * 2654435761U; /* odd: no two alike */
}

/* The hash puts a key into a bucket named by its lowest bits, or by those exclusive-or its upper half. Only
 * keys for which both fall into one quarter of the buckets: that quarter cannot hold them. */
static uint32_t nth_crowded(uint32_t i)
{
    static uint32_t address, from;
    if (i == 0)
        address = from = 0;
    for (;; address++) {
        uint32_t hash = rte_hash_crc_4byte(htonl(address), 0);
        if ((hash & 0x3000) != 0 || (hash >> 16 & 0x3000) != 0)
            continue;
        if (from++ == i)
            return address++;
    }
}

static const struct full {
    const char *what;
    uint32_t (*nth)(uint32_t i);
    uint32_t capacity;
} full_rows[] = {
    {"consecutive", nth_consecutive, 1048576}, {"strided", nth_strided, 1048576},
    {"scattered", nth_scattered, 1048576},     {"scattered, no power of two", nth_scattered, 1000001},
    {"crowded", nth_crowded, 65536},
};

START_TEST(full)
{
    const struct full *row = &full_rows[_i];
    struct table *t = create("full", row->capacity, 1);
    uint32_t *address = malloc(row->capacity * sizeof(*address));
    for (uint32_t i = 0; i < row->capacity; i++) {
        address[i] = row->nth(i);
        int r = install(t, address[i], 1);
        if (r != 0)
            ck_abort_msg("%s: refused at %u of %u", row->what, i, row->capacity);
    }
    ck_assert_uint_eq(table_count(t), row->capacity);
    ck_assert_int_eq(install(t, IP(203, 0, 113, 3), 1), -ENOSPC);
    ck_assert_int_eq(install(t, address[7], 2), 0);
    ck_assert_int_eq(take_out(t, address[0]), 0);
    ck_assert_int_eq(install(t, IP(203, 0, 113, 3), 1), 0); /* though the removed one may still be read */
    ck_assert_ptr_null(look_up(t, address[0]));
    for (uint32_t i = 1; i < row->capacity; i++) {
        const struct entry *e = look_up(t, address[i]);
        if (e == NULL || !entry_is_whole(e, address[i]))
            ck_abort_msg("%s: %u is gone", row->what, i);
    }
    ck_assert_uint_ge(table_memory(t), (uint64_t)row->capacity * sizeof(struct entry));
    printf("%s: %u entries in %zu KiB\n", row->what, row->capacity, table_memory(t) / 1024);
    free(address);
    table_destroy(t);
}
END_TEST

/* ---- Readers at full speed ---- */

enum { STRESS_READERS = 2, STRESS_EACH = 4096, STRESS_S = 2 };

/* Three kinds of addresses: never touched, replaced all the time, put in and taken out. */
enum fate { STAYS, MOVES, COMES_AND_GOES };

static uint32_t stress_address(uint32_t i)
{
    return i * 2654435761U;
}

static enum fate fate_of(uint32_t i)
{
    return (enum fate)(i % 3);
}

static struct stress {
    struct table *table;
    atomic_bool stop;
    atomic_uint wrong, online;
} stress;

struct reader {
    unsigned id;
    uint64_t random, looked_up, missed;
};

static unsigned check_answers(const uint32_t *which, const struct entry *const *found, unsigned n,
                              uint64_t *missed)
{
    unsigned wrong = 0;
    for (unsigned k = 0; k < n; k++) {
        if (found[k] == NULL) {
            (*missed)++;
            wrong += fate_of(which[k]) != COMES_AND_GOES; /* the others are in there at every moment */
        } else {
            wrong += !entry_is_whole(found[k], stress_address(which[k]));
        }
    }
    return wrong;
}

static void *read_on(void *arg)
{
    struct reader *r = arg;
    struct rte_rcu_qsbr *qsbr = table_qsbr(stress.table);
    rte_rcu_qsbr_thread_register(qsbr, r->id);
    rte_rcu_qsbr_thread_online(qsbr, r->id);
    atomic_fetch_add(&stress.online, 1);
    while (!atomic_load_explicit(&stress.stop, memory_order_relaxed)) {
        uint32_t which[32], keys[32];
        const struct entry *found[32];
        uint64_t ignored = 0;
        for (int k = 0; k < 32; k++) {
            which[k] = (uint32_t)(eal_random(&r->random) % (3 * STRESS_EACH));
            keys[k] = htonl(stress_address(which[k]));
        }
        table_lookup_burst(stress.table, keys, 32, found);
        unsigned wrong = check_answers(which, found, 32, &r->missed);
        wrong += check_answers(which, found, 32, &ignored); /* still whole, until we let go */
        rte_rcu_qsbr_quiescent(qsbr, r->id);
        r->looked_up += 32;
        if (wrong > 0)
            atomic_fetch_add(&stress.wrong, wrong);
    }
    rte_rcu_qsbr_thread_offline(qsbr, r->id);
    rte_rcu_qsbr_thread_unregister(qsbr, r->id);
    return NULL;
}

static void change_one(uint32_t i, uint32_t version, const struct table *t)
{
    struct addr a = addr_from_ipv4(stress_address(i));
    if (fate_of(i) == STAYS)
        return;
    bool out = fate_of(i) == COMES_AND_GOES && table_get(t, &a) != NULL;
    int r;
    while ((r = out ? take_out(stress.table, stress_address(i))
                    : install(stress.table, stress_address(i), version)) == -ENOSPC) {
        table_reclaim(stress.table, 64);
        sched_yield(); /* a reader without a processor holds what it holds */
    }
    MUST_EQ(r, 0);
}

START_TEST(readers_at_full_speed)
{
    uint64_t random = eal_seed("stress");
    stress.table = create("stress", 3 * STRESS_EACH, STRESS_READERS);
    stress.stop = false;
    stress.wrong = stress.online = 0;
    for (uint32_t i = 0; i < 3 * STRESS_EACH; i++)
        MUST_EQ(install(stress.table, stress_address(i), 1), 0);
    pthread_t thread[STRESS_READERS];
    struct reader reader[STRESS_READERS] = {0};
    for (unsigned i = 0; i < STRESS_READERS; i++) {
        reader[i] = (struct reader){.id = i, .random = eal_random(&random)};
        ck_assert_int_eq(pthread_create(&thread[i], NULL, read_on, &reader[i]), 0);
    }
    while (atomic_load(&stress.online) < STRESS_READERS)
        usleep(1000);

    uint32_t version = 1;
    struct timespec until, now;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STRESS_S;
    do {
        for (int i = 0; i < 256; i++)
            change_one((uint32_t)(eal_random(&random) % (3 * STRESS_EACH)), ++version, stress.table);
        table_reclaim(stress.table, 256);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec < until.tv_nsec));

    atomic_store(&stress.stop, true);
    uint64_t looked_up = 0, missed = 0;
    for (unsigned i = 0; i < STRESS_READERS; i++) {
        pthread_join(thread[i], NULL);
        looked_up += reader[i].looked_up;
        missed += reader[i].missed;
    }
    printf("stress: %u changes, %lu look-ups, %lu misses\n", version, (unsigned long)looked_up,
           (unsigned long)missed);
    ck_assert_uint_eq(atomic_load(&stress.wrong), 0);
    ck_assert_uint_gt(looked_up, 0);
    ck_assert_uint_gt(missed, 0);
    ck_assert_uint_eq(table_reclaim(stress.table, SIZE_MAX), 0);
    table_destroy(stress.table);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("table");
    TCase *c = tcase_create("table");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, refusals);
    tcase_add_test(c, several_entries_for_one_address);
    tcase_add_test(c, no_room_for_several);
    tcase_add_test(c, slots_lead_back_to_entries);
    tcase_add_test(c, nothing_is_freed_under_a_reader);
    tcase_add_test(c, a_million_random_operations);
    tcase_add_loop_test(c, full, 0, ROWS(full_rows));
    tcase_add_test(c, readers_at_full_speed);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return eal_main("test_table", "256", NULL, suite);
}
