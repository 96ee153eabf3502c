/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table's hash alone: against a plain map through a million random operations; filled to the last key at
 * every size with addresses of every kind, and kept full; tags and marks that several addresses share.
 * Readers beside the writer are in test_cuckoo_readers.c.
 */
#include "table_world.h"

#include <errno.h>
#include <sys/mman.h>

enum {
    MODEL_CAPACITY = 2048,
    MODEL_KEYS = 3000,
    MODEL_STEPS = 1000000,
    SMALL_CAPACITY = 64,
    SMALL_SEEDS = 100,
    REFILLS = 1000000,
    DENSE_FROM = 10000, /* entries; from here on the places may not be many more */
    DENSE_PER_MILLE = 930,
};
enum { LARGE_CAPACITY = 4 << 20, LARGE_TAKES_MIB = 1024 };
enum { NUMBER_BITS_MAX = 26 /* of the entries of a table of TABLE_CAPACITY_MAX */ };

static int insert(uint32_t number, const struct addr *address)
{
    bed.entries[number].home = *address;
    return cuckoo_insert(bed.cuckoo, number);
}

/* The number that a reader finds; CUCKOO_NO_ENTRY. */
static uint32_t look_up(const struct addr *address)
{
    uint32_t tag = cuckoo_tag(address);
    const struct entry *e;
    uint64_t hits = cuckoo_lookup_burst(bed.cuckoo, address, &tag, 1, &e);
    MUST_EQ(hits, e != NULL);
    return e != NULL ? (uint32_t)(e - bed.entries) : CUCKOO_NO_ENTRY;
}

/* ---- The model ---- */

/* A plain map from the key's index to the number of its entry. */
static struct model {
    struct addr key[MODEL_KEYS];
    uint32_t tag[MODEL_KEYS];
    uint32_t number[MODEL_KEYS];
    uint32_t free[2 * MODEL_CAPACITY];
    uint32_t n_free, count;
    uint64_t random;
} model;

static uint32_t random_below(uint32_t n)
{
    return (uint32_t)(eal_random(&model.random) % n);
}

/* Any free number, so that one comes back soon and for another address. */
static uint32_t take_number(void)
{
    uint32_t at = random_below(model.n_free), number = model.free[at];
    model.free[at] = model.free[--model.n_free];
    return number;
}

static void model_put(uint32_t i)
{
    if (model.number[i] == CUCKOO_NO_ENTRY && model.count == MODEL_CAPACITY)
        return;
    uint32_t before = model.number[i], number = take_number();
    if (before != CUCKOO_NO_ENTRY) {
        bed.entries[number].home = model.key[i];
        cuckoo_replace(bed.cuckoo, before, number);
        model.free[model.n_free++] = before;
    } else {
        MUST_EQ(insert(number, &model.key[i]), 0);
        model.count++;
    }
    model.number[i] = number;
}

static void model_remove(uint32_t i)
{
    if (model.number[i] == CUCKOO_NO_ENTRY)
        return;
    cuckoo_remove(bed.cuckoo, model.number[i]);
    model.free[model.n_free++] = model.number[i];
    model.number[i] = CUCKOO_NO_ENTRY;
    model.count--;
}

static void model_look_up(unsigned n)
{
    struct addr keys[CUCKOO_BURST] = {0};
    uint32_t tags[CUCKOO_BURST] = {0}, which[CUCKOO_BURST];
    const struct entry *found[CUCKOO_BURST];
    uint64_t hits = 0;
    for (unsigned k = 0; k < n; k++) {
        which[k] = random_below(MODEL_KEYS);
        keys[k] = model.key[which[k]];
        tags[k] = model.tag[which[k]];
    }
    uint64_t told = cuckoo_lookup_burst(bed.cuckoo, keys, tags, n, found);
    for (unsigned k = 0; k < n; k++) {
        uint32_t number = model.number[which[k]];
        MUST(found[k] == (number != CUCKOO_NO_ENTRY ? &bed.entries[number] : NULL));
        hits |= (uint64_t)(found[k] != NULL) << k;
    }
    MUST_EQ(told, hits);
}

/* Every sixteenth has the tag of its neighbour, of whichever family that is. */
static void draw_keys(const struct pattern *family)
{
    uint32_t seed = (uint32_t)eal_random(&model.random);
    for (uint32_t i = 0; i < MODEL_KEYS; i++) {
        model.key[i] = family->nth(i, seed);
        if (i % 16 == 15 && family->nth != nth_random)
            model.key[i] = world_of_tag(model.tag[i - 1], i);
        model.tag[i] = cuckoo_tag(&model.key[i]);
    }
}

/* With the marks that it has, and with those that half of all addresses share. */
START_TEST(a_million_random_operations)
{
    memset(&model, 0, sizeof(model));
    model.random = eal_seed("cuckoo");
    make_bed_of(MODEL_CAPACITY, 2 * MODEL_CAPACITY,
                _i < FAMILIES * BODIES ? 2 * MODEL_CAPACITY + 1 : FEW_MARKS);
    draw_keys(&families[_i / BODIES % FAMILIES]);
    for (uint32_t number = 1; number < bed.n; number++)
        model.free[model.n_free++] = number;
    unsigned full = 0;
    bool here = world_choose(bed.cuckoo, bodies[_i % BODIES]);
    for (unsigned step = 0; here && step < MODEL_STEPS; step++) {
        uint32_t what = random_below(100), i = random_below(MODEL_KEYS);
        if (what < 50)
            model_put(i);
        else if (what < 60)
            model_remove(i);
        else if (what < 80)
            MUST_EQ(cuckoo_find(bed.cuckoo, &model.key[i]), model.number[i]);
        else
            model_look_up(1 + random_below(CUCKOO_BURST));
        full += model.count == MODEL_CAPACITY;
    }
    MUST(!here || full > 0);
    remove_bed();
}
END_TEST

/* ---- Full ---- */

static void must_insert(uint32_t i, const struct addr *address, const char *what)
{
    if (insert(i + 1, address) != 0)
        ck_abort_msg("%s: refused at %u of %u", what, i, bed.n - 1);
}

static void fill(const struct pattern *p, uint32_t seed)
{
    for (uint32_t i = 0; i < bed.n - 1; i++) {
        struct addr address = p->nth(i, seed);
        must_insert(i, &address, p->what);
    }
}

static void check_all(const char *what)
{
    for (uint32_t number = 1; number < bed.n; number++)
        if (look_up(&bed.entries[number].home) != number)
            ck_abort_msg("%s: %u of %u is gone", what, number, bed.n - 1);
}

START_TEST(small_ones_fill)
{
    const struct pattern *p = &patterns[_i];
    uint64_t random = eal_seed(p->what);
    for (uint32_t capacity = 1; capacity <= SMALL_CAPACITY; capacity++) {
        for (int seed = 0; seed < SMALL_SEEDS; seed++) {
            make_bed(capacity, capacity);
            fill(p, (uint32_t)eal_random(&random));
            check_all(p->what);
            remove_bed();
        }
    }
}
END_TEST

static const struct {
    uint32_t capacity;
    int seeds;
} sizes[] = {{100, 50}, {1000, 20}, {4096, 5}, {DENSE_FROM, 2}, {65536, 1}, {1000001, 1}};

static void check_density(uint32_t capacity)
{
    if (capacity >= DENSE_FROM)
        MUST((uint64_t)capacity * 1000 >= (uint64_t)cuckoo_places(bed.cuckoo) * DENSE_PER_MILLE);
}

START_TEST(all_sizes_fill)
{
    const struct pattern *p = &patterns[_i];
    uint64_t random = eal_seed(p->what);
    for (int size = 0; size < ROWS(sizes); size++) {
        uint32_t capacity = sizes[size].capacity;
        for (int seed = 0; seed < sizes[size].seeds; seed++) {
            make_bed(capacity, capacity);
            check_density(capacity);
            fill(p, (uint32_t)eal_random(&random));
            check_all(p->what);
            if (seed == 0)
                printf("%s: %u of %u places, %lu displaced\n", p->what, capacity, cuckoo_places(bed.cuckoo),
                       (unsigned long)cuckoo_displaced(bed.cuckoo));
            remove_bed();
        }
    }
}
END_TEST

START_TEST(four_million)
{
    const long free_mib = sysconf(_SC_AVPHYS_PAGES) / 1024 * sysconf(_SC_PAGESIZE) / 1024;
    if (free_mib < LARGE_TAKES_MIB) {
        printf("skipped: %ld MiB are free, it takes %d\n", free_mib, LARGE_TAKES_MIB);
        return;
    }
    const struct pattern *p = &families[2];
    make_bed(LARGE_CAPACITY, LARGE_CAPACITY);
    check_density(LARGE_CAPACITY);
    fill(p, (uint32_t)eal_seed(p->what));
    check_all(p->what);
    remove_bed();
}
END_TEST

/* ---- Kept full ---- */

static const struct {
    const struct pattern *family;
    uint32_t capacity;
} refilled[] = {
    {&families[0], DENSE_FROM},     {&families[1], DENSE_FROM}, {&families[2], 1},
    {&families[2], SMALL_CAPACITY}, {&families[2], 1000},       {&families[2], 65536},
    {&families[2], 1 << 20},
};

START_TEST(stays_full)
{
    const struct pattern *family = refilled[_i].family;
    const uint32_t capacity = refilled[_i].capacity;
    uint64_t random = eal_seed(family->what);
    const uint32_t seed = (uint32_t)eal_random(&random);
    make_bed(capacity, capacity);
    fill(family, seed);
    for (uint32_t i = 0; i < REFILLS; i++) {
        uint32_t gone = (uint32_t)(eal_random(&random) % capacity);
        struct addr former = bed.entries[gone + 1].home, address = family->nth(capacity + i, seed);
        cuckoo_remove(bed.cuckoo, gone + 1);
        must_insert(gone, &address, family->what);
        if (i % 8 == 0) {
            MUST_EQ(look_up(&former), CUCKOO_NO_ENTRY);
            MUST_EQ(look_up(&address), gone + 1);
        }
    }
    check_all(family->what);
    remove_bed();
}
END_TEST

/* More than it is made for: when it refuses, nothing has changed. */
START_TEST(too_many)
{
    const struct pattern *family = &families[_i];
    const uint32_t seed = (uint32_t)eal_seed(family->what), most = 2 * SMALL_CAPACITY + 64;
    make_bed(SMALL_CAPACITY, most);
    uint32_t n = 0;
    uint64_t displaced = 0;
    for (; n < most; n++) {
        struct addr address = family->nth(n, seed);
        displaced = cuckoo_displaced(bed.cuckoo);
        int r = insert(n + 1, &address);
        if (r == 0)
            continue;
        ck_assert_int_eq(r, -ENOSPC);
        break;
    }
    ck_assert_uint_ge(n, SMALL_CAPACITY);
    ck_assert_uint_lt(n, most);
    ck_assert_uint_eq(cuckoo_displaced(bed.cuckoo), displaced);
    ck_assert_uint_eq(look_up(&bed.entries[n + 1].home), CUCKOO_NO_ENTRY);
    ck_assert_uint_eq(cuckoo_find(bed.cuckoo, &bed.entries[n + 1].home), CUCKOO_NO_ENTRY);
    for (uint32_t number = 1; number <= n; number++)
        ck_assert_uint_eq(look_up(&bed.entries[number].home), number);
    remove_bed();
}
END_TEST

/* ---- One tag for several ---- */

static void check_same_tag(uint32_t first, uint32_t last)
{
    check_all("same tag");
    for (uint32_t number = first; number <= last; number++)
        ck_assert_uint_eq(cuckoo_find(bed.cuckoo, &bed.entries[number].home), number);
}

/* An IPv4 address, and as many of IPv6 with its tag as two buckets can hold with it. */
START_TEST(shared_tag)
{
    const struct addr v4 = addr_from_ipv4(AWAY);
    const uint32_t tag = cuckoo_tag(&v4), most = 2 * CUCKOO_PLACES;
    make_bed(1000, most);
    if (!world_choose(bed.cuckoo, bodies[_i])) {
        remove_bed();
        return;
    }
    ck_assert_int_eq(insert(1, &v4), 0);
    for (uint32_t i = 2; i <= most; i++) {
        struct addr v6 = world_of_tag(tag, i);
        ck_assert_uint_eq(look_up(&v6), CUCKOO_NO_ENTRY);
        ck_assert_int_eq(insert(i, &v6), 0);
    }
    check_same_tag(1, most);

    struct addr one_more = world_of_tag(tag, most + 1), former = bed.entries[5].home;
    ck_assert_uint_eq(look_up(&one_more), CUCKOO_NO_ENTRY);
    cuckoo_remove(bed.cuckoo, 5);
    ck_assert_uint_eq(look_up(&former), CUCKOO_NO_ENTRY);
    ck_assert_int_eq(insert(5, &one_more), 0);
    check_same_tag(1, most);
    ck_assert_uint_eq(look_up(&former), CUCKOO_NO_ENTRY);
    remove_bed();
}
END_TEST

START_TEST(shared_tag_of_too_many)
{
    make_bed(1000, 2 * CUCKOO_PLACES + 1);
    for (uint32_t i = 1; i < bed.n; i++) {
        struct addr v6 = world_of_tag(12345, i);
        ck_assert_int_eq(insert(i, &v6), i <= 2 * CUCKOO_PLACES ? 0 : -ENOSPC);
    }
    ck_assert_uint_eq(look_up(&bed.entries[bed.n - 1].home), CUCKOO_NO_ENTRY);
    bed.n--;
    check_same_tag(1, 2 * CUCKOO_PLACES);
    remove_bed();
}
END_TEST

/* ---- One mark for several ---- */

static bool share_a_bucket(uint32_t one, uint32_t other)
{
    const struct cuckoo_pair a = cuckoo_pair_of(bed.cuckoo, one), b = cuckoo_pair_of(bed.cuckoo, other);
    return a.at[0] == b.at[0] || a.at[0] == b.at[1] || a.at[1] == b.at[0] || a.at[1] == b.at[1];
}

static bool share_a_mark(uint32_t one, uint32_t other)
{
    return cuckoo_mark(bed.cuckoo, cuckoo_mix(one) ^ cuckoo_mix(other)) == 0;
}

/* The next IPv4 address behind `from` that a place of the given one may be taken for. */
static uint32_t double_behind(uint32_t of, uint32_t from)
{
    const uint32_t tag = htonl(of);
    do
        from++;
    while (!share_a_mark(tag, htonl(from)) || !share_a_bucket(tag, htonl(from)));
    return from;
}

enum { DOUBLES = 8 };

/* Any of them may have the highest. */
static uint32_t double_number(unsigned which, unsigned k)
{
    return (which * 37 + k * 101) % DOUBLES * DOUBLES + k + 1;
}

/* Those that have one another's mark, in one another's bucket: each is found that is there, and no other. */
START_TEST(shared_mark)
{
    struct addr of[DOUBLES];
    make_bed(1000, 100000);
    bool here = world_choose(bed.cuckoo, bodies[_i]);
    for (uint32_t k = 0, address = IP(10, 1, 0, 1); k < DOUBLES; k++) {
        of[k] = addr_from_ipv4(address);
        address = double_behind(IP(10, 1, 0, 1), address);
    }
    for (unsigned in = 0; here && in < 1U << DOUBLES; in++) {
        for (unsigned k = 0; k < DOUBLES; k++)
            if ((in >> k & 1) != 0)
                MUST_EQ(insert(double_number(in, k), &of[k]), 0);
        for (unsigned k = 0; k < DOUBLES; k++) {
            const uint32_t number = (in >> k & 1) != 0 ? double_number(in, k) : CUCKOO_NO_ENTRY;
            MUST_EQ(look_up(&of[k]), number);
            MUST_EQ(cuckoo_find(bed.cuckoo, &of[k]), number);
        }
        for (unsigned k = 0; k < DOUBLES; k++)
            if ((in >> k & 1) != 0)
                cuckoo_remove(bed.cuckoo, double_number(in, k));
    }
    remove_bed();
}
END_TEST

/* As many entries as a table can have leave marks of six bits; as few as one, of 31. */
START_TEST(marks_of_any_size)
{
    enum { USED = 500 };
    const uint32_t bits = (uint32_t)_i / BODIES + 1, n = UINT32_C(1) << bits;
    const uint32_t used = RTE_MIN(n - 1, (uint32_t)USED), seed = (uint32_t)eal_seed("marks");
    const size_t size = (size_t)n * sizeof(struct entry);
    struct entry *entries =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(entries, MAP_FAILED);
    memset(&entries[CUCKOO_NO_ENTRY].home, 0xff, sizeof(struct addr));
    bed = (struct bed){.entries = entries, .cuckoo = cuckoo_create(used, entries, n, SOCKET_ID_ANY)};
    ck_assert_ptr_nonnull(bed.cuckoo);
    const bool here = world_choose(bed.cuckoo, bodies[_i % BODIES]);
    for (uint32_t i = 0; here && i < used; i++) {
        struct addr address = nth_of_both(i, seed);
        MUST_EQ(insert(n - 1 - i, &address), 0);
    }
    for (uint32_t i = 0; here && i < 2 * used; i++) {
        struct addr address = nth_of_both(i, seed);
        MUST_EQ(look_up(&address), i < used ? n - 1 - i : CUCKOO_NO_ENTRY);
    }
    cuckoo_destroy(bed.cuckoo);
    munmap(entries, size);
}
END_TEST

/* ---- The rest ---- */

/* An address whose tag is zero is one like the others. */
START_TEST(tag_of_zero)
{
    const struct addr zero = world_of_tag(0, 1);
    make_bed(SMALL_CAPACITY, SMALL_CAPACITY);
    if (world_choose(bed.cuckoo, bodies[_i])) {
        ck_assert_uint_eq(look_up(&zero), CUCKOO_NO_ENTRY);
        ck_assert_int_eq(insert(1, &zero), 0);
        ck_assert_uint_eq(look_up(&zero), 1);
        ck_assert_uint_eq(cuckoo_find(bed.cuckoo, &zero), 1);
        cuckoo_remove(bed.cuckoo, 1);
        ck_assert_uint_eq(look_up(&zero), CUCKOO_NO_ENTRY);
    }
    remove_bed();
}
END_TEST

START_TEST(no_address)
{
    const struct addr none[] = {addr_unspecified, addr_from_ipv4(0), world_of_tag(0x01000000, 0)};
    const uint32_t tags[] = {cuckoo_tag_ipv6(&none[0]), cuckoo_tag_ipv4(0), cuckoo_tag(&none[2])};
    const struct entry *found[3];
    make_bed(SMALL_CAPACITY, SMALL_CAPACITY);
    if (!world_choose(bed.cuckoo, bodies[_i])) {
        remove_bed();
        return;
    }
    for (uint32_t i = 0; i < SMALL_CAPACITY; i++) {
        memset(found, 0xff, sizeof(found));
        ck_assert_uint_eq(cuckoo_lookup_burst(bed.cuckoo, none, tags, 3, found), 0);
        for (int k = 0; k < 3; k++) {
            ck_assert_ptr_null(found[k]);
            ck_assert_uint_eq(cuckoo_find(bed.cuckoo, &none[k]), CUCKOO_NO_ENTRY);
        }
        struct addr address = nth_consecutive(i, 0);
        must_insert(i, &address, "no address");
    }
    remove_bed();
}
END_TEST

START_TEST(tags)
{
    struct addr v4 = addr_from_ipv4(IP(10, 1, 0, 50)), v6 = world_of_tag(htonl(IP(10, 1, 0, 50)), 0);
    ck_assert_uint_eq(cuckoo_tag(&v4), htonl(IP(10, 1, 0, 50)));
    ck_assert_uint_eq(cuckoo_tag(&v6), cuckoo_tag(&v4));
    ck_assert_uint_eq(cuckoo_tag_ipv6(&v6), cuckoo_tag(&v6));
    make_bed(1, 1);
    ck_assert_int_eq(cuckoo_choose(bed.cuckoo, (enum cuckoo_body)77), -ENOTSUP);
    ck_assert_str_ne(cuckoo_body_text(CUCKOO_SCALAR), cuckoo_body_text(CUCKOO_AVX2));
    remove_bed();
    cuckoo_destroy(NULL);
}
END_TEST

static TCase *add_case(Suite *s, const char *name)
{
    TCase *c = tcase_create(name);
    tcase_set_timeout(c, 120);
    suite_add_tcase(s, c);
    return c;
}

static Suite *suite(void)
{
    Suite *s = suite_create("cuckoo");
    TCase *few = add_case(s, "few"), *model_case = add_case(s, "model"), *full = add_case(s, "full");
    tcase_add_test(few, tags);
    tcase_add_loop_test(few, no_address, 0, BODIES);
    tcase_add_loop_test(few, shared_tag, 0, BODIES);
    tcase_add_test(few, shared_tag_of_too_many);
    tcase_add_loop_test(few, shared_mark, 0, BODIES);
    tcase_add_loop_test(few, marks_of_any_size, 0, NUMBER_BITS_MAX * BODIES);
    tcase_add_loop_test(few, tag_of_zero, 0, BODIES);
    tcase_add_loop_test(few, too_many, 0, FAMILIES);
    tcase_add_loop_test(model_case, a_million_random_operations, 0, 2 * FAMILIES * BODIES);
    tcase_add_loop_test(full, small_ones_fill, 0, PATTERNS);
    tcase_add_loop_test(full, all_sizes_fill, 0, PATTERNS);
    tcase_add_test(full, four_million);
    tcase_add_loop_test(full, stays_full, 0, ROWS(refilled));
    return s;
}

int main(void)
{
    return eal_main("test_cuckoo", "256", NULL, suite);
}
