/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The binding table under readers, while the writer changes it at full speed and at the highest load.
 */
#include "table_world.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "table.h"

/* What becomes of every fifth address. The table is exactly full with those that stay, those that get new
 * entries all the time, and half of those that come and go. */
enum fate { STAYS, CHANGES, COMES_AND_GOES, COMES_AND_GOES_TOO, NEVER_THERE, FATES };

enum { STRESS_READERS = 2, STRESS_STEPS = 25000, STRESS_DISPLACED = 1000, STRESS_EACH_MAX = 4096 };

static const struct stress_row {
    const struct pattern *family;
    uint32_t each; /* addresses of one fate */
} stress_rows[] = {
    {&families[0], STRESS_EACH_MAX},
    {&families[1], STRESS_EACH_MAX},
    {&families[2], STRESS_EACH_MAX},
    {&families[2], 256}, /* readers meet what is just being written more often */
};

static struct stress {
    struct table *table;
    uint32_t n;
    struct addr key[FATES * STRESS_EACH_MAX];
    uint32_t tag[FATES * STRESS_EACH_MAX];
    uint32_t present[STRESS_EACH_MAX], absent[STRESS_EACH_MAX]; /* of those that come and go */
    uint32_t each, version;
    uint64_t random;
    atomic_bool stop;
    atomic_uint wrong, online;
} stress;

struct reader {
    unsigned id;
    uint64_t random, looked_up, missed;
};

static enum fate fate_of(uint32_t i)
{
    return (enum fate)(i % FATES);
}

static bool is_right(uint32_t i, const struct entry *e)
{
    if (e == NULL)
        return fate_of(i) >= COMES_AND_GOES; /* the others are in there at every moment */
    return fate_of(i) != NEVER_THERE && world_is_whole(e, &stress.key[i]);
}

static unsigned count_wrong(const uint32_t *which, const struct entry *const *found, unsigned n)
{
    unsigned wrong = 0;
    for (unsigned k = 0; k < n; k++)
        wrong += !is_right(which[k], found[k]);
    return wrong;
}

static void read_burst(struct reader *r)
{
    struct addr keys[CUCKOO_BURST] = {0};
    uint32_t tags[CUCKOO_BURST] = {0}, which[CUCKOO_BURST] = {0};
    const struct entry *found[CUCKOO_BURST];
    unsigned n = 1 + (unsigned)(eal_random(&r->random) % CUCKOO_BURST);
    for (unsigned k = 0; k < n; k++) {
        which[k] = (uint32_t)(eal_random(&r->random) % stress.n);
        keys[k] = stress.key[which[k]];
        tags[k] = stress.tag[which[k]];
    }
    uint64_t hits = table_lookup_burst(stress.table, keys, tags, n, found);
    unsigned wrong = count_wrong(which, found, n);
    wrong += count_wrong(which, found, n); /* still whole, until we let go */
    if (wrong > 0)
        atomic_fetch_add(&stress.wrong, wrong);
    r->looked_up += n;
    r->missed += n - (unsigned)__builtin_popcountll(hits);
}

static void *read_on(void *arg)
{
    struct reader *r = arg;
    struct rte_rcu_qsbr *qsbr = table_qsbr(stress.table);
    rte_rcu_qsbr_thread_register(qsbr, r->id);
    rte_rcu_qsbr_thread_online(qsbr, r->id);
    atomic_fetch_add(&stress.online, 1);
    while (!atomic_load_explicit(&stress.stop, memory_order_relaxed)) {
        read_burst(r);
        rte_rcu_qsbr_quiescent(qsbr, r->id);
    }
    rte_rcu_qsbr_thread_offline(qsbr, r->id);
    rte_rcu_qsbr_thread_unregister(qsbr, r->id);
    return NULL;
}

static uint32_t stress_below(uint32_t n)
{
    return (uint32_t)(eal_random(&stress.random) % n);
}

/* Too many entries wait: a reader without a processor holds what it holds. */
static void wait_for_readers(void)
{
    table_reclaim(stress.table, 64);
    sched_yield();
}

static int install(uint32_t i)
{
    struct entry e = world_entry(&stress.key[i], ++stress.version);
    return table_install(stress.table, &stress.key[i], &e);
}

static void put_in(uint32_t i)
{
    int r;
    while ((r = install(i)) == -ENOSPC && table_get(stress.table, &stress.key[i]) != NULL)
        wait_for_readers();
    MUST_EQ(r, 0); /* and never for want of room in the hash */
}

static void take_out(uint32_t i)
{
    int r;
    while ((r = table_remove(stress.table, &stress.key[i])) == -ENOSPC)
        wait_for_readers();
    MUST_EQ(r, 0);
}

static void change_one(void)
{
    uint32_t what = stress_below(8), out = stress_below(stress.each), in = stress_below(stress.each);
    uint32_t gone = stress.present[out];
    if (what < 3) {
        put_in(stress_below(stress.each) * FATES + CHANGES);
        return;
    }
    take_out(gone);
    if (what == 3) { /* back into the same place */
        put_in(gone);
        return;
    }
    put_in(stress.absent[in]);
    stress.present[out] = stress.absent[in];
    stress.absent[in] = gone;
}

/* Some of IPv6 have the tag of an address that stays, or changes. */
static void draw_stress(const struct stress_row *row)
{
    uint32_t seed = (uint32_t)eal_random(&stress.random);
    stress.each = row->each;
    stress.n = row->each * FATES;
    for (uint32_t i = 0; i < stress.n; i++) {
        stress.key[i] = row->family->nth(i, seed);
        if (row->family->nth != nth_random && i / FATES % 2 == 1) {
            if (fate_of(i) == NEVER_THERE)
                stress.key[i] = world_of_tag(stress.tag[i - NEVER_THERE + STAYS], i);
            if (fate_of(i) == COMES_AND_GOES)
                stress.key[i] = world_of_tag(stress.tag[i - COMES_AND_GOES + CHANGES], i);
        }
        stress.tag[i] = cuckoo_tag(&stress.key[i]);
    }
}

static void fill_stress(void)
{
    for (uint32_t i = 0; i < stress.each; i++) {
        put_in(i * FATES + STAYS);
        put_in(i * FATES + CHANGES);
        put_in(i * FATES + COMES_AND_GOES);
        stress.present[i] = i * FATES + COMES_AND_GOES;
        stress.absent[i] = i * FATES + COMES_AND_GOES_TOO;
    }
}

static void write_on(void)
{
    while (atomic_load(&stress.online) < STRESS_READERS)
        sched_yield();
    for (uint32_t step = 0; step < STRESS_STEPS; step++) {
        change_one();
        if (step % 64 == 0)
            table_reclaim(stress.table, 64);
    }
    atomic_store(&stress.stop, true);
}

static void read_while_writing(void)
{
    pthread_t thread[STRESS_READERS];
    struct reader reader[STRESS_READERS] = {0};
    for (unsigned i = 0; i < STRESS_READERS; i++) {
        reader[i] = (struct reader){.id = i, .random = eal_random(&stress.random)};
        ck_assert_int_eq(pthread_create(&thread[i], NULL, read_on, &reader[i]), 0);
    }
    write_on();
    uint64_t looked_up = 0, missed = 0;
    for (unsigned i = 0; i < STRESS_READERS; i++) {
        pthread_join(thread[i], NULL);
        looked_up += reader[i].looked_up;
        missed += reader[i].missed;
    }
    printf("stress: %u changes, %lu look-ups, %lu misses\n", stress.version, (unsigned long)looked_up,
           (unsigned long)missed);
    ck_assert_uint_eq(atomic_load(&stress.wrong), 0);
    ck_assert_uint_gt(looked_up, missed);
    ck_assert_uint_gt(missed, 0);
}

START_TEST(readers_at_full_speed)
{
    const struct stress_row *row = &stress_rows[_i / BODIES];
    memset(&stress, 0, sizeof(stress));
    stress.random = eal_seed("stress");
    draw_stress(row);
    stress.table = table_create(3 * row->each, STRESS_READERS, SOCKET_ID_ANY);
    ck_assert_ptr_nonnull(stress.table);
    struct cuckoo *cuckoo = table_cuckoo(stress.table);
    if (world_choose(cuckoo, bodies[_i % BODIES])) {
        fill_stress();
        uint64_t before = cuckoo_displaced(cuckoo);
        read_while_writing();
        uint64_t displaced = cuckoo_displaced(cuckoo) - before;
        printf("stress: %s, %s, %lu displaced\n", row->family->what, cuckoo_body_text(cuckoo_body(cuckoo)),
               (unsigned long)displaced);
        ck_assert_uint_gt(displaced, STRESS_DISPLACED);
        ck_assert_uint_eq(table_reclaim(stress.table, SIZE_MAX), 0);
        ck_assert_uint_eq(table_count(stress.table), table_capacity(stress.table));
    }
    table_destroy(stress.table);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("table readers");
    TCase *c = tcase_create("readers");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, readers_at_full_speed, 0, ROWS(stress_rows) * BODIES);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return eal_main("test_table_readers", "64", NULL, suite);
}
