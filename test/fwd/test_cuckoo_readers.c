/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers of the table's hash beside its writer: in threads, and instruction by instruction. What it takes
 * three switches between the two to see, or another processor than x86, is left to test/model/cuckoo.pml.
 */
#include "stepwise.h"
#include "table_world.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* ---- A crowd ---- */

/* So few buckets, and so full, that hardly a change goes without displacing, and hardly a look-up without
 * meeting a change. Every key has two entries of its own, so none is ever written again. */
enum { CROWD_MAX = 128, CROWD_COMERS = 16, CROWD_COMERS_IN = 4, CROWD_STRANGERS = 8, CROWD_READERS = 2 };
enum { CROWD_ROOM = 1 /* so that nearly always there is a way for one more */ };
enum { CROWDS = 4, CROWD_CHANGES = 100000, CROWD_INSTRUCTIONS = 20000, CROWD_DISPLACED = 1000 };

/* First those that stay, then those that come and go, then those that are never in. */
static struct crowd {
    struct addr key[CROWD_MAX];
    uint32_t tag[CROWD_MAX];
    uint32_t number[CROWD_MAX]; /* of the entry that it is in by, or would be */
    uint32_t n_stay, n;
    uint32_t in[CROWD_COMERS_IN], out[CROWD_COMERS - CROWD_COMERS_IN];
    uint64_t random;
    atomic_bool stop;
    atomic_uint wrong, readers;
} crowd;

static uint32_t crowd_below(uint32_t n)
{
    return (uint32_t)(eal_random(&crowd.random) % n);
}

static void add_to_crowd(struct addr key)
{
    uint32_t i = crowd.n++;
    crowd.key[i] = key;
    crowd.tag[i] = cuckoo_tag(&key);
    crowd.number[i] = i + 1;
    bed.entries[i + 1].home = bed.entries[CROWD_MAX + i + 1].home = key;
}

/* Some that come and go, and some strangers, have the tag of one that stays. */
static void gather_crowd(const struct pattern *family)
{
    uint32_t seed = (uint32_t)eal_random(&crowd.random);
    while (true) {
        add_to_crowd(family->nth(crowd.n, seed));
        if (cuckoo_insert(bed.cuckoo, crowd.n) != 0)
            break;
    }
    ck_assert_uint_lt(crowd.n, CROWD_MAX - CROWD_COMERS - CROWD_STRANGERS);
    for (uint32_t i = 0; i < CROWD_ROOM; i++)
        cuckoo_remove(bed.cuckoo, crowd.n - 1 - i);
    crowd.n_stay = crowd.n - 1 - CROWD_ROOM - CROWD_COMERS_IN;
    for (uint32_t i = 0; i < CROWD_COMERS; i++) {
        uint32_t at = crowd.n_stay + i;
        if (i < CROWD_COMERS_IN)
            crowd.in[i] = at;
        else
            crowd.out[i - CROWD_COMERS_IN] = at;
        if (at >= crowd.n)
            add_to_crowd(i % 4 == 0 ? world_of_tag(crowd.tag[i], i) : family->nth(crowd.n, seed));
    }
    for (uint32_t i = 0; i < CROWD_STRANGERS; i++)
        add_to_crowd(i % 2 == 0 ? world_of_tag(crowd.tag[i], CROWD_MAX) : family->nth(crowd.n, seed));
}

static void change_crowd(void)
{
    uint32_t *in = &crowd.in[crowd_below(ROWS(crowd.in))], *out = &crowd.out[crowd_below(ROWS(crowd.out))];
    uint32_t stays = crowd_below(crowd.n_stay), came = *in;
    if (crowd_below(4) == 0) {
        uint32_t before = crowd.number[stays];
        crowd.number[stays] = before > CROWD_MAX ? before - CROWD_MAX : before + CROWD_MAX;
        cuckoo_replace(bed.cuckoo, before, crowd.number[stays]);
        return;
    }
    cuckoo_remove(bed.cuckoo, crowd.number[came]);
    if (cuckoo_insert(bed.cuckoo, crowd.number[*out]) != 0) { /* there is no way for that one just now */
        MUST_EQ(cuckoo_insert(bed.cuckoo, crowd.number[came]), 0);
        return;
    }
    *in = *out;
    *out = came;
}

static bool crowd_is_right(uint32_t i, const struct entry *e)
{
    if (e == NULL)
        return i >= crowd.n_stay;
    uint32_t number = (uint32_t)(e - bed.entries);
    return i < crowd.n_stay + CROWD_COMERS && (number == i + 1 || number == CROWD_MAX + i + 1);
}

struct reading {
    struct addr key[CUCKOO_BURST];
    uint32_t tag[CUCKOO_BURST], which[CUCKOO_BURST];
    const struct entry *found[CUCKOO_BURST];
    unsigned n;
    uint64_t random;
};

/* Of the first so many of the crowd. */
static void draw_reading(struct reading *r, unsigned n, uint32_t first)
{
    r->n = n;
    for (unsigned k = 0; k < n; k++) {
        r->which[k] = (uint32_t)(eal_random(&r->random) % first);
        r->key[k] = crowd.key[r->which[k]];
        r->tag[k] = crowd.tag[r->which[k]];
    }
}

static void read_crowd(struct reading *r)
{
    cuckoo_lookup_burst(bed.cuckoo, r->key, r->tag, r->n, r->found);
}

static void check_reading(const struct reading *r)
{
    for (unsigned k = 0; k < r->n; k++)
        if (!crowd_is_right(r->which[k], r->found[k]))
            atomic_fetch_add(&crowd.wrong, 1);
}

static bool make_crowd(const char *what, int row)
{
    memset(&crowd, 0, sizeof(crowd));
    crowd.random = eal_seed(what) + (unsigned)row;
    make_bed_of(1, 2 * CROWD_MAX, row / BODIES % 2 == 0 ? 2 * CROWD_MAX + 1 : FEW_MARKS);
    return world_choose(bed.cuckoo, bodies[row % BODIES]);
}

static void *read_on(void *arg)
{
    struct reading *r = arg;
    atomic_fetch_add(&crowd.readers, 1);
    while (!atomic_load_explicit(&crowd.stop, memory_order_relaxed)) {
        draw_reading(r, 1 + (unsigned)(eal_random(&r->random) % CUCKOO_BURST), crowd.n);
        read_crowd(r);
        check_reading(r);
    }
    return NULL;
}

START_TEST(readers_in_a_crowd)
{
    bool here = make_crowd("crowd", _i);
    gather_crowd(&families[2]);
    struct reading reading[CROWD_READERS] = {0};
    uint64_t before = cuckoo_displaced(bed.cuckoo);
    pthread_t thread[CROWD_READERS];
    for (unsigned i = 0; here && i < CROWD_READERS; i++) {
        reading[i].random = eal_random(&crowd.random);
        ck_assert_int_eq(pthread_create(&thread[i], NULL, read_on, &reading[i]), 0);
    }
    while (here && atomic_load(&crowd.readers) < CROWD_READERS)
        sched_yield();
    for (uint32_t i = 0; here && i < CROWD_CHANGES; i++)
        change_crowd();
    atomic_store(&crowd.stop, true);
    for (unsigned i = 0; here && i < CROWD_READERS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(atomic_load(&crowd.wrong), 0);
    ck_assert(!here || cuckoo_displaced(bed.cuckoo) - before > CROWD_DISPLACED);
    remove_bed();
}
END_TEST

/* ---- The same in one thread, between any two instructions ---- */

static struct stepped {
    struct reading reading; /* of one key */
    struct cuckoo_pair pair;
    uint64_t version;
} stepped_reader;

static void read_whole(void)
{
    read_crowd(&stepped_reader.reading);
}

static void read_search(void)
{
    struct reading *r = &stepped_reader.reading;
    cuckoo_search(bed.cuckoo, r->tag, &stepped_reader.pair, 1, r->found);
}

static void read_search_again(void)
{
    struct reading *r = &stepped_reader.reading;
    r->found[0] = cuckoo_search_again(bed.cuckoo, r->found[0], r->tag[0], &r->key[0], stepped_reader.version);
}

/* The whole, or only what matters most: the first search, or the second one. */
static void read_in_steps(struct stepwise *s)
{
    struct reading *r = &stepped_reader.reading;
    s->turns_max = 1 + crowd_below(2);
    s->every = 20;
    cuckoo_locate(bed.cuckoo, r->tag, 1, &stepped_reader.pair);
    stepped_reader.version = cuckoo_version(bed.cuckoo);
    switch (crowd_below(3)) {
    case 0:
        stepwise_run(s, read_search);
        r->found[0] = cuckoo_prove(bed.cuckoo, r->found[0], r->tag[0], &r->key[0], stepped_reader.version);
        break;
    case 1:
        r->found[0] = &bed.entries[CUCKOO_NO_ENTRY];
        stepped_reader.version--;
        stepwise_run(s, read_search_again);
        break;
    default:
        s->every = 80;
        stepwise_run(s, read_whole);
    }
}

static void read_all(void)
{
    struct reading r = {0};
    for (uint32_t i = 0; i < crowd.n; i += r.n) {
        r.n = RTE_MIN(crowd.n - i, CUCKOO_BURST + 0U);
        for (unsigned k = 0; k < r.n; k++)
            r.which[k] = i + k;
        cuckoo_lookup_burst(bed.cuckoo, crowd.key + i, crowd.tag + i, r.n, r.found);
        check_reading(&r);
    }
}

/* Everything may be somewhere else afterwards. */
static void change_often(void)
{
    for (uint32_t i = crowd_below(512); i > 0; i--)
        change_crowd();
}

/* An attempt that comes to nothing is long, and not worth the steps. */
static void change_in_steps(struct stepwise *s)
{
    static struct crowd before;
    static struct cuckoo_bucket buckets[CROWD_MAX];
    const size_t size = cuckoo_places(bed.cuckoo) / CUCKOO_PLACES * sizeof(buckets[0]);
    before = crowd;
    memcpy(buckets, bed.cuckoo->buckets, size);
    change_crowd();
    if (memcmp(buckets, bed.cuckoo->buckets, size) == 0)
        return;
    memcpy(bed.cuckoo->buckets, buckets, size);
    crowd = before;
    stepwise_run(s, change_crowd);
}

static bool make_stepped(const char *what, int row, struct stepwise *s)
{
    if (!make_crowd(what, row))
        return false;
    gather_crowd(&families[2]);
    stepped_reader = (struct stepped){.reading.random = eal_random(&crowd.random)};
    s->random = eal_random(&crowd.random);
    return stepwise_is_here();
}

static void end_stepped(const struct stepwise *s)
{
    printf("%lu turns between %lu instructions, %lu displaced\n", (unsigned long)s->turns_ever,
           (unsigned long)s->instructions, (unsigned long)cuckoo_displaced(bed.cuckoo));
    ck_assert_uint_eq(atomic_load(&crowd.wrong), 0);
    remove_bed();
}

START_TEST(writer_between_a_readers_instructions)
{
    struct stepwise s = {.other = change_often};
    bool here = make_stepped("reader in steps", _i, &s);
    while (here && s.instructions < CROWD_INSTRUCTIONS) {
        draw_reading(&stepped_reader.reading, 1, crowd.n_stay);
        read_in_steps(&s);
        check_reading(&stepped_reader.reading);
    }
    end_stepped(&s);
}
END_TEST

START_TEST(reader_between_the_writers_instructions)
{
    struct stepwise s = {.other = read_all, .every = 2, .turns_max = UINT_MAX};
    bool here = make_stepped("writer in steps", _i, &s);
    while (here && s.instructions < CROWD_INSTRUCTIONS)
        change_in_steps(&s);
    end_stepped(&s);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cuckoo readers");
    TCase *c = tcase_create("readers");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, readers_in_a_crowd, 0, CROWDS * BODIES);
    tcase_add_loop_test(c, writer_between_a_readers_instructions, 0, CROWDS * BODIES);
    tcase_add_loop_test(c, reader_between_the_writers_instructions, 0, CROWDS * BODIES);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return eal_main("test_cuckoo_readers", "64", NULL, suite);
}
