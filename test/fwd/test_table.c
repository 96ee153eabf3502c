/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The binding table: against a plain model through a million random operations; filled to the last entry with
 * addresses of every kind. Readers beside the writer are in test_table_readers.c.
 */
#include "table_world.h"

#include <errno.h>

#include "table.h"

static int install(struct table *t, const struct addr *address, uint32_t version)
{
    struct entry e = world_entry(address, version);
    return table_install(t, address, &e);
}

static const struct entry *look_up(const struct table *t, const struct addr *address)
{
    uint32_t tag = cuckoo_tag(address);
    const struct entry *e;
    table_lookup_burst(t, address, &tag, 1, &e);
    return e;
}

/* The same for IPv4 addresses, for the tests that need but a few. */
static int install_v4(struct table *t, uint32_t address, uint32_t version)
{
    struct addr a = addr_from_ipv4(address);
    return install(t, &a, version);
}

static int remove_v4(struct table *t, uint32_t address)
{
    struct addr a = addr_from_ipv4(address);
    return table_remove(t, &a);
}

static const struct entry *look_up_v4(const struct table *t, uint32_t address)
{
    struct addr a = addr_from_ipv4(address);
    return look_up(t, &a);
}

static struct table *create(uint32_t capacity, unsigned readers)
{
    struct table *t = table_create(capacity, readers, SOCKET_ID_ANY);
    ck_assert_msg(t != NULL, "no table: %s", rte_strerror(rte_errno));
    return t;
}

/* ---- The model ---- */

enum { MODEL_CAPACITY = 2048, MODEL_ADDRESSES = 3000, MODEL_RETIRED = 256, MODEL_STEPS = 1000000, HELD = 64 };

/* One reader holds what it has looked up until it reports a quiescent state. */
static struct model {
    struct table *table;
    uint64_t random;
    struct addr address[MODEL_ADDRESSES];
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
    uint32_t *of_slot; /* the address' index */
} model;

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
    MUST_EQ(install(model.table, &model.address[i], model.versions + 1), expected);
    if (expected != 0)
        return;
    model.version[i] = ++model.versions;
    uint32_t slot = table_get(model.table, &model.address[i])->slot;
    if (there) {
        MUST_EQ(slot, model.slot[i]);
        model.retired++;
        return;
    }
    MUST(slot < table_slots(model.table));
    MUST(!model.slot_used[slot] && !model.slot_resting[slot]);
    model.slot_used[slot] = 1;
    model.slot[i] = slot;
    model.of_slot[slot] = i;
    model.count++;
}

static void model_remove(uint32_t i)
{
    int expected = model.version[i] == 0 ? -ENOENT : model.retired == MODEL_RETIRED ? -ENOSPC : 0;
    MUST_EQ(table_remove(model.table, &model.address[i]), expected);
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
    struct addr keys[CUCKOO_BURST] = {0};
    uint32_t tags[CUCKOO_BURST] = {0}, which[CUCKOO_BURST];
    const struct entry *found[CUCKOO_BURST];
    uint64_t hits = 0;
    for (unsigned k = 0; k < n; k++) {
        which[k] = random_below(MODEL_ADDRESSES);
        keys[k] = model.address[which[k]];
        tags[k] = cuckoo_tag(&keys[k]);
    }
    uint64_t told = table_lookup_burst(model.table, keys, tags, n, found);
    for (unsigned k = 0; k < n; k++) {
        uint32_t version = model.version[which[k]];
        MUST_EQ(found[k] != NULL, version != 0);
        if (found[k] == NULL)
            continue;
        hits |= UINT64_C(1) << k;
        MUST_EQ(found[k]->adjacency, version);
        MUST(world_is_whole(found[k], &keys[k]));
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
        uint32_t i = model.of_slot[e->slot];
        MUST(addr_equal(&e->home, &model.address[i]));
        MUST_EQ(seen[i]++, 0);
        MUST_EQ(e->adjacency, model.version[i]);
        if (random_below(8) == 0) /* the writer may change what the walk has passed or is to pass */
            model_install(random_below(MODEL_ADDRESSES));
        n++;
    }
    MUST(n >= MODEL_CAPACITY / 4);
}

static void draw_addresses(const struct pattern *family)
{
    uint32_t seed = (uint32_t)eal_random(&model.random);
    for (uint32_t i = 0; i < MODEL_ADDRESSES; i++)
        model.address[i] = family->nth(i, seed);
}

static void model_step(void)
{
    uint32_t what = random_below(1000);
    if (what < 430)
        model_install(random_below(MODEL_ADDRESSES));
    else if (what < 600)
        model_remove(random_below(MODEL_ADDRESSES));
    else if (what < 990)
        model_look_up(1 + random_below(CUCKOO_BURST));
    else if (what < 993)
        be_quiescent();
    else
        model.retired = (uint32_t)table_reclaim(model.table, random_below(2 * MODEL_RETIRED));
}

START_TEST(a_million_random_operations)
{
    memset(&model, 0, sizeof(model));
    model.random = eal_seed("table");
    model.table = create(MODEL_CAPACITY, 1);
    draw_addresses(&families[_i / BODIES]);
    model.slot_resting = calloc(table_slots(model.table), 1);
    model.slot_used = calloc(table_slots(model.table), 1);
    model.of_slot = calloc(table_slots(model.table), sizeof(*model.of_slot));
    rte_rcu_qsbr_thread_register(table_qsbr(model.table), 0);
    rte_rcu_qsbr_thread_online(table_qsbr(model.table), 0);

    bool here = world_choose(table_cuckoo(model.table), bodies[_i % BODIES]);
    unsigned full = 0, all_retired = 0;
    for (unsigned step = 0; here && step < MODEL_STEPS; step++) {
        model_step();
        if (step % 10000 == 9999)
            model_walk();
        MUST_EQ(table_count(model.table), model.count);
        full += model.count == MODEL_CAPACITY;
        all_retired += model.retired == MODEL_RETIRED;
    }
    MUST(!here || full > 0); /* both limits were met */
    MUST(!here || all_retired > 0);
    be_quiescent();
    MUST_EQ(table_reclaim(model.table, SIZE_MAX), 0);
    free(model.slot_resting);
    free(model.slot_used);
    free(model.of_slot);
    table_destroy(model.table);
}
END_TEST

START_TEST(nothing_is_freed_under_a_reader)
{
    struct table *t = create(16, 2);
    for (unsigned reader = 0; reader < 2; reader++) {
        rte_rcu_qsbr_thread_register(table_qsbr(t), reader);
        rte_rcu_qsbr_thread_online(table_qsbr(t), reader);
    }
    ck_assert_int_eq(install_v4(t, AWAY, 1), 0);
    ck_assert_int_eq(install_v4(t, AWAY, 2), 0);
    ck_assert_int_eq(remove_v4(t, AWAY), 0);
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
    const struct addr no_address[] = {addr_unspecified, addr_from_ipv4(0)};
    ck_assert_ptr_null(table_create(0, 1, SOCKET_ID_ANY));
    ck_assert_int_eq(rte_errno, EINVAL);
    ck_assert_ptr_null(table_create(16, 0, SOCKET_ID_ANY));
    ck_assert_int_eq(rte_errno, EINVAL);
    ck_assert_ptr_null(table_create(TABLE_CAPACITY_MAX + 1, 1, SOCKET_ID_ANY));
    ck_assert_int_eq(rte_errno, EINVAL);
    table_destroy(NULL);

    struct table *t = create(1, 1);
    for (int i = 0; i < ROWS(no_address); i++) {
        ck_assert_int_eq(install(t, &no_address[i], 1), -EINVAL);
        ck_assert_int_eq(table_remove(t, &no_address[i]), -ENOENT);
        ck_assert_ptr_null(table_get(t, &no_address[i]));
        ck_assert_ptr_null(look_up(t, &no_address[i]));
    }
    ck_assert_uint_eq(table_capacity(t), 1);
    ck_assert_int_eq(install_v4(t, AWAY, 1), 0);
    ck_assert_int_eq(install_v4(t, AT_HOME, 1), -ENOSPC);
    ck_assert_int_eq(install_v4(t, AWAY, 2), 0); /* a replacement needs no room */
    table_destroy(t);
}
END_TEST

/* As many entries as their numbers have bits for. The memory is not there, but asking is not refused. */
START_TEST(largest)
{
    struct table *t = table_create(TABLE_CAPACITY_MAX, 1, SOCKET_ID_ANY);
    ck_assert(t != NULL || rte_errno == ENOMEM);
    table_destroy(t);
}
END_TEST

/* Addresses of one tag can be too many for the hash. The table is as before then, slots and all. */
START_TEST(too_many_of_one_tag)
{
    const uint32_t most = 2 * CUCKOO_PLACES;
    struct addr address[2 * CUCKOO_PLACES + 1] = {addr_from_ipv4(AWAY)};
    struct table *t = create(1000, 1);
    for (uint32_t i = 0; i <= most; i++) {
        if (i > 0)
            address[i] = world_of_tag(cuckoo_tag(&address[0]), i);
        ck_assert_int_eq(install(t, &address[i], 1), i < most ? 0 : -ENOSPC);
    }
    for (int i = 0; i < 10000; i++)
        MUST_EQ(install(t, &address[most], 1), -ENOSPC);
    ck_assert_uint_eq(table_count(t), most);
    ck_assert_ptr_null(look_up(t, &address[most]));
    for (uint32_t i = 0; i < most; i++) {
        const struct entry *e = look_up(t, &address[i]);
        ck_assert(e != NULL && world_is_whole(e, &address[i]));
        ck_assert_ptr_eq(table_by_slot(t, e->slot), e);
    }
    ck_assert_int_eq(table_remove(t, &address[0]), 0);
    ck_assert_int_eq(install(t, &address[most], 1), 0);
    ck_assert_uint_le(look_up(t, &address[most])->slot, most);
    table_destroy(t);
}
END_TEST

/* ---- Several entries for one address ---- */

static int install_set(struct table *t, uint32_t address, unsigned n, uint32_t version)
{
    struct addr a = addr_from_ipv4(address);
    struct entry set[ENTRY_SET_MAX + 1]; /* one too many for a refusal */
    for (unsigned i = 0; i < n; i++) {
        set[i] = world_entry(&a, version + i);
        set[i].mtu = (uint16_t)(1400 - 10 * i);
    }
    return table_install_set(t, &a, set, n);
}

/* How many hang together there, of versions that follow each other from the given one. */
static unsigned set_at(const struct table *t, uint32_t address, uint32_t version)
{
    const struct addr a = addr_from_ipv4(address);
    const struct entry *first = look_up(t, &a), *e = first;
    for (unsigned n = 1;; n++, e = table_more(t, e)) {
        ck_assert(addr_equal(&e->home, &a));
        ck_assert_uint_eq(e->slot, first->slot);
        ck_assert_uint_eq(e->adjacency, version + n - 1);
        ck_assert_uint_eq(e->mtu, first->mtu);
        if ((e->flags & ENTRY_MORE) == 0)
            return n;
    }
}

START_TEST(several_entries_for_one_address)
{
    struct table *t = create(16, 1);
    rte_rcu_qsbr_thread_register(table_qsbr(t), 0);
    rte_rcu_qsbr_thread_online(table_qsbr(t), 0);
    ck_assert_int_eq(install_set(t, AWAY, 3, 10), 0);
    ck_assert_uint_eq(set_at(t, AWAY, 10), 3);
    ck_assert_uint_eq(look_up_v4(t, AWAY)->mtu, 1380); /* the smallest */
    ck_assert_uint_eq(table_count(t), 1);
    uint32_t slot = look_up_v4(t, AWAY)->slot;
    ck_assert_ptr_eq(table_by_slot(t, slot), look_up_v4(t, AWAY));

    /* Replaced by one, the former three stay for who still reads them. */
    const struct entry *former = look_up_v4(t, AWAY);
    ck_assert_int_eq(install_v4(t, AWAY, 20), 0);
    ck_assert_uint_eq(set_at(t, AWAY, 20), 1);
    ck_assert_uint_eq(look_up_v4(t, AWAY)->slot, slot);
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
    struct table *t = create(16, 1);
    ck_assert_int_eq(install_set(t, AWAY, ENTRY_SET_MAX + 1, 10), -EINVAL);
    ck_assert_int_eq(install_set(t, AWAY, 0, 10), -EINVAL);
    for (unsigned round = 0; round < 100; round++) { /* none of them is lost on the way */
        ck_assert_int_eq(install_set(t, AWAY, ENTRY_SET_MAX, 10), 0);
        ck_assert_int_eq(install_set(t, AT_HOME, ENTRY_SET_MAX, 20), 0);
        ck_assert_int_eq(install_set(t, ELSEWHERE, ENTRY_SET_MAX, 30), -ENOSPC);
        ck_assert_ptr_null(look_up_v4(t, ELSEWHERE));
        ck_assert_int_eq(install_set(t, AWAY, ENTRY_SET_MAX, 40), -ENOSPC); /* the former are not free yet */
        ck_assert_uint_eq(set_at(t, AWAY, 10), ENTRY_SET_MAX);
        for (uint32_t i = 0; i < 14; i++) /* and first ones never lack theirs */
            ck_assert_int_eq(install_v4(t, ELSEWHERE + i, 1), 0);
        ck_assert_int_eq(install_v4(t, ELSEWHERE + 14, 1), -ENOSPC);
        for (uint32_t i = 0; i < 14; i++)
            ck_assert_int_eq(remove_v4(t, ELSEWHERE + i), 0);
        ck_assert_int_eq(remove_v4(t, AWAY), 0);
        ck_assert_int_eq(remove_v4(t, AT_HOME), 0);
        ck_assert_uint_eq(table_reclaim(t, SIZE_MAX), 0);
    }
    table_destroy(t);
}
END_TEST

/* ---- Slots ---- */

START_TEST(slots_lead_back_to_entries)
{
    struct table *t = create(16, 1);
    ck_assert_uint_eq(table_slots_used(t), 0);
    ck_assert_ptr_null(table_by_slot(t, 0));
    ck_assert_ptr_null(table_by_slot(t, UINT32_MAX));
    ck_assert_int_eq(install_v4(t, AWAY, 1), 0);
    ck_assert_int_eq(install_v4(t, AT_HOME, 1), 0);
    ck_assert_uint_eq(table_slots_used(t), 2);
    uint32_t slot = look_up_v4(t, AWAY)->slot;
    ck_assert_uint_lt(slot, table_slots_used(t));
    ck_assert_int_eq(install_v4(t, AWAY, 2), 0);
    ck_assert_ptr_eq(table_by_slot(t, slot), look_up_v4(t, AWAY)); /* the new one */
    ck_assert_int_eq(remove_v4(t, AWAY), 0);
    ck_assert_ptr_null(table_by_slot(t, slot));
    ck_assert_uint_eq(table_reclaim(t, SIZE_MAX), 0);
    ck_assert_ptr_null(table_by_slot(t, slot)); /* and once it is free */
    ck_assert_uint_eq(table_slots_used(t), 2);
    table_destroy(t);
}
END_TEST

/* ---- Full ---- */

static const struct full {
    struct pattern pattern;
    uint32_t capacity;
} full_rows[] = {
    {{"consecutive", nth_consecutive}, 1048576},
    {{"every 4096th", nth_every_4096th}, 1048576},
    {{"random, no power of two", nth_random}, 1000001},
    {{"IPv6, consecutive interfaces", nth_interface}, 1048576},
    {{"both families", nth_of_both}, 65536},
};

static void check_full(const struct table *t, const struct full *row, uint32_t from, uint32_t seed)
{
    for (uint32_t i = from; i < row->capacity; i++) {
        struct addr address = row->pattern.nth(i, seed);
        const struct entry *e = look_up(t, &address);
        if (e == NULL || !world_is_whole(e, &address))
            ck_abort_msg("%s: %u is gone", row->pattern.what, i);
    }
}

START_TEST(full)
{
    const struct full *row = &full_rows[_i];
    const uint32_t seed = (uint32_t)eal_seed(row->pattern.what);
    struct table *t = create(row->capacity, 1);
    struct addr first = row->pattern.nth(0, seed), eighth = row->pattern.nth(7, seed);
    for (uint32_t i = 0; i < row->capacity; i++) {
        struct addr address = row->pattern.nth(i, seed);
        if (install(t, &address, 1) != 0)
            ck_abort_msg("%s: refused at %u of %u", row->pattern.what, i, row->capacity);
    }
    struct addr one_more = row->pattern.nth(row->capacity, seed);
    ck_assert_uint_eq(table_count(t), row->capacity);
    ck_assert_int_eq(install(t, &one_more, 1), -ENOSPC);
    ck_assert_int_eq(install(t, &eighth, 2), 0);
    ck_assert_int_eq(table_remove(t, &first), 0);
    ck_assert_int_eq(install(t, &one_more, 1), 0); /* though the removed one may still be read */
    ck_assert_ptr_null(look_up(t, &first));
    check_full(t, row, 1, seed);
    ck_assert_uint_ge(table_memory(t), (uint64_t)row->capacity * sizeof(struct entry));
    printf("%s: %u entries in %zu KiB\n", row->pattern.what, row->capacity, table_memory(t) / 1024);
    table_destroy(t);
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
    Suite *s = suite_create("table");
    TCase *few = add_case(s, "few"), *model_case = add_case(s, "model"), *full_case = add_case(s, "full");
    tcase_add_test(few, refusals);
    tcase_add_test(few, largest);
    tcase_add_test(few, too_many_of_one_tag);
    tcase_add_test(few, several_entries_for_one_address);
    tcase_add_test(few, no_room_for_several);
    tcase_add_test(few, slots_lead_back_to_entries);
    tcase_add_test(few, nothing_is_freed_under_a_reader);
    tcase_add_loop_test(model_case, a_million_random_operations, 0, FAMILIES * BODIES);
    tcase_add_loop_test(full_case, full, 0, ROWS(full_rows));
    return s;
}

int main(void)
{
    return eal_main("test_table", "256", NULL, suite);
}
