/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arithmetic of balancing, on plain arrays. A binding that was moved stays where it is from then on, as
 * one does in earnest for a minute.
 */
#include "../check_main.h"

#include "primary/balance.h"

#include <stdio.h>

struct toy_binding {
    uint64_t rate;
    size_t node;
    bool fixed;
};

struct toy {
    struct balance_node nodes[BALANCE_NODES_MAX];
    size_t n;
    struct toy_binding *bindings; /* the busiest first */
    size_t n_bindings;
    size_t looked; /* how often the index was asked */
};

static struct toy toy;

static void toy_open(size_t nodes, size_t bindings)
{
    toy = (struct toy){.n = nodes, .n_bindings = bindings};
    toy.bindings = calloc(bindings + 1, sizeof(*toy.bindings));
    ck_assert_ptr_nonnull(toy.bindings);
    for (size_t i = 0; i < nodes; i++)
        toy.nodes[i].capacity = 1000;
}

static void toy_close(void)
{
    free(toy.bindings);
    toy = (struct toy){0};
}

static void put(size_t i, uint64_t rate, size_t node)
{
    struct balance_node *n = &toy.nodes[node];
    toy.bindings[i] = (struct toy_binding){rate, node, false};
    n->load += rate;
    n->count++;
    n->heaviest = rate > n->heaviest ? rate : n->heaviest;
}

/* The first with a rate of at most `most`. */
static size_t first_at_most(uint64_t most)
{
    size_t low = 0, high = toy.n_bindings;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (toy.bindings[middle].rate > most)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void *busiest(void *context, size_t n, uint64_t least, uint64_t most, uint64_t *rate)
{
    (void)context;
    toy.looked++;
    for (size_t i = first_at_most(most); i < toy.n_bindings && toy.bindings[i].rate >= least; i++) {
        if (toy.bindings[i].node != n || toy.bindings[i].fixed)
            continue;
        *rate = toy.bindings[i].rate;
        return &toy.bindings[i];
    }
    return NULL;
}

static const struct balance_index toy_index = {NULL, busiest};

static void account(const struct balance_move *move)
{
    struct toy_binding *b = move->binding;
    struct balance_node *from = &toy.nodes[move->from], *to = &toy.nodes[move->to];
    ck_assert_uint_eq(b->node, move->from);
    ck_assert_uint_eq(b->rate, move->rate);
    ck_assert(!to->closed);
    b->node = move->to;
    b->fixed = true;
    from->load -= b->rate;
    from->count--;
    to->load += b->rate;
    to->count++;
    from->heaviest = to->heaviest = 0;
    for (size_t i = 0; i < toy.n_bindings; i++) {
        struct balance_node *n = &toy.nodes[toy.bindings[i].node];
        if (n->heaviest == 0)
            n->heaviest = toy.bindings[i].rate;
        if (from->heaviest != 0 && to->heaviest != 0)
            break;
    }
}

/* Moves until there is nothing to do; how many. */
static size_t run(unsigned begin)
{
    size_t moves = 0;
    struct balance_move move;
    for (;;) {
        const unsigned level = moves == 0 ? begin : BALANCE_EVEN_ENOUGH;
        toy.looked = 0;
        if (balance_by_rate(toy.nodes, toy.n, level, &toy_index, &move) != BALANCE_MOVE)
            break;
        ck_assert_uint_le(toy.looked, 2 * toy.n + 2);
        account(&move);
        ck_assert_uint_lt(++moves, 2 * toy.n_bindings + 1);
    }
    return moves;
}

static size_t run_counts(void)
{
    size_t moves = 0;
    struct balance_move move;
    while (balance_by_count(toy.nodes, toy.n, &toy_index, &move) == BALANCE_MOVE) {
        account(&move);
        ck_assert_uint_lt(++moves, toy.n_bindings + 1);
    }
    return moves;
}

static double mean_load(void)
{
    double sum = 0;
    for (size_t i = 0; i < toy.n; i++)
        sum += (double)toy.nodes[i].load;
    return sum / (double)toy.n;
}

static double max_over_mean(void)
{
    double most = 0;
    for (size_t i = 0; i < toy.n; i++)
        most = (double)toy.nodes[i].load > most ? (double)toy.nodes[i].load : most;
    return most / mean_load();
}

/* ---- Random numbers whose seed is printed ---- */
static uint64_t state;

static void seed(uint64_t n)
{
    state = n;
    printf("seed %llu\n", (unsigned long long)n);
}

static uint64_t draw(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Zipf with exponent 1, in sixteenths of a packet a second, placed at random on the first `on` nodes. */
static void put_zipf(uint64_t top, size_t on)
{
    for (size_t i = 0; i < toy.n_bindings; i++)
        put(i, top / (i + 1), draw() % on);
}

/* ---- Loads by hand ---- */
struct few {
    const char *what;
    uint64_t loads[4][6]; /* each node's bindings; 0: no more */
    uint64_t capacity[4]; /* 0: of the first so many nodes only */
    size_t moves;
    uint64_t after[4]; /* each node's load */
};
static const struct few few_rows[] = {
    {"nothing at all", {{0}}, {1, 1}, 0, {0, 0}},
    {"even", {{50, 50}, {60, 40}}, {1, 1}, 0, {100, 100}},
    {"neither hot nor cold", {{54, 54}, {50, 50}, {48, 48}}, {1, 1, 1}, 0, {108, 100, 96}},
    {"hot", {{60, 40, 30}, {70}}, {1, 1}, 1, {100, 100}},
    {"the busiest that fits, not the first", {{90, 40, 30, 20, 10}, {10, 90, 20}}, {1, 1}, 1, {160, 150}},
    {"a new node", {{50, 50, 50}, {50, 50, 50}, {0}}, {1, 1, 1}, 2, {100, 100, 100}},
    {"by capacity it is even", {{100, 100}, {100}}, {2, 1}, 0, {200, 100}},
    {"by capacity it is not", {{100, 100}, {100, 100, 100, 100}}, {2, 1}, 2, {400, 200}},
    {"without capacity no part in it", {{100}, {100}, {900}}, {1, 1, 0}, 0, {100, 100, 900}},
    {"an elephant alone stays", {{900}, {50, 50}, {60, 40}}, {1, 1, 1}, 0, {900, 100, 100}},
    {"the others leave an elephant", {{900, 60, 20}, {100}, {40}}, {1, 1, 1}, 1, {920, 100, 100}},
    {"two elephants part", {{400, 400}, {50, 50}, {50, 50}}, {1, 1, 1}, 3, {400, 400, 200}},
    {"the cold one is not overfilled", {{60, 50, 50, 35, 35}, {80}, {80}}, {1, 1, 1}, 2, {130, 130, 130}},
    {"few and alike", {{1003, 1001, 998}, {999}}, {1, 1}, 1, {1999, 2002}},
    {"no move would mend it", {{100, 100}, {100}}, {1, 1}, 0, {200, 100}},
};

/* Bindings in the order of their rates, as the index wants them. */
static void put_row(const struct few *row)
{
    size_t next[4] = {0}, i = 0;
    for (;; i++) {
        size_t best = 4;
        for (size_t n = 0; n < 4; n++) {
            uint64_t sorted = next[n] < 6 ? row->loads[n][next[n]] : 0;
            if (sorted != 0 && (best == 4 || sorted > row->loads[best][next[best]]))
                best = n;
        }
        if (best == 4)
            return;
        put(i, row->loads[best][next[best]++], best);
    }
}

static int by_rate(const void *a, const void *b)
{
    const struct toy_binding *x = a, *y = b;
    return x->rate < y->rate ? 1 : x->rate > y->rate ? -1 : 0;
}

START_TEST(few)
{
    const struct few *row = &few_rows[_i];
    toy_open(4, 24);
    for (size_t n = 0; n < 4; n++)
        toy.nodes[n].capacity = row->capacity[n];
    put_row(row);
    toy.n_bindings = 0;
    while (toy.bindings[toy.n_bindings].rate != 0)
        toy.n_bindings++;
    qsort(toy.bindings, toy.n_bindings, sizeof(*toy.bindings), by_rate);
    const size_t moves = run(BALANCE_HOT);
    for (size_t n = 0; n < 4; n++)
        ck_assert_msg(toy.nodes[n].load == row->after[n], "%s: node %zu carries %llu, not %llu", row->what, n,
                      (unsigned long long)toy.nodes[n].load, (unsigned long long)row->after[n]);
    ck_assert_msg(moves == row->moves, "%s: %zu moves", row->what, moves);
    toy_close();
}
END_TEST

START_TEST(closed_nodes_get_none)
{
    toy_open(3, 6);
    for (size_t i = 0; i < 6; i++)
        put(i, 100, 0);
    toy.nodes[1].closed = true;
    run(BALANCE_HOT);
    ck_assert_uint_eq(toy.nodes[1].load, 0);
    ck_assert_uint_eq(toy.nodes[2].load, 200);
    toy_close();
}
END_TEST

/* ---- Properties ---- */
START_TEST(balanced_gives_no_move)
{
    seed(1000 + (uint64_t)_i);
    const size_t nodes = 2 + draw() % 30;
    toy_open(nodes, nodes * 200);
    for (size_t i = 0; i < toy.n_bindings; i++)
        put(i, 1600 - i / nodes, i % nodes);
    ck_assert_uint_eq(run(BALANCE_HOT), 0);
    ck_assert_uint_eq(run_counts(), 0);
    toy_close();
}
END_TEST

START_TEST(new_node_gets_its_share)
{
    seed(2000 + (uint64_t)_i);
    const size_t nodes = 3 + draw() % 10;
    toy_open(nodes, 5000);
    put_zipf(16 * 3000, nodes - 1);
    run(BALANCE_HOT);
    uint64_t most = 0;
    for (size_t i = 0; i < toy.n_bindings; i++)
        if (toy.bindings[i].node == nodes - 1 && toy.bindings[i].rate > most)
            most = toy.bindings[i].rate;
    ck_assert_uint_gt(most, 0);
    ck_assert_double_le((double)toy.nodes[nodes - 1].load, mean_load() + (double)most);
    ck_assert_double_ge((double)toy.nodes[nodes - 1].load, mean_load() * 0.9);
    toy_close();
}
END_TEST

/* The best plan, as if all of the emptiest node's room were there for each binding: each node's excess above
 * what is still even enough, by its busiest bindings that fit there. */
static size_t best_plan(void)
{
    size_t moves = 0;
    const double mean = mean_load();
    double room = 0;
    for (size_t n = 0; n < toy.n; n++)
        if (mean * 1.05 - (double)toy.nodes[n].load > room)
            room = mean * 1.05 - (double)toy.nodes[n].load;
    for (size_t n = 0; n < toy.n; n++) {
        double excess = (double)toy.nodes[n].load - mean * 1.05;
        for (size_t i = 0; i < toy.n_bindings && excess > 0; i++) {
            const double rate = (double)toy.bindings[i].rate;
            if (toy.bindings[i].node != n || rate > room || rate > excess + mean * 0.05)
                continue;
            excess -= rate;
            moves++;
        }
    }
    return moves;
}

START_TEST(zipf_converges)
{
    seed(3000 + (uint64_t)_i);
    toy_open(8, 100000);
    put_zipf(16 * 20000, 8);
    const size_t best = best_plan();
    const double before = max_over_mean();
    const size_t moves = run(BALANCE_HOT);
    printf("max/mean %.3f -> %.3f, %zu moves, the best plan %zu\n", before, max_over_mean(), moves, best);
    ck_assert_double_le(max_over_mean(), before > 1.10 ? 1.05 : 1.10);
    ck_assert_uint_le(moves, 2 * best);
    ck_assert_uint_eq(run(BALANCE_HOT), 0);
    toy_close();
}
END_TEST

/* Measured rates vary: what was even stays so, whatever a few percent of noise says. */
START_TEST(noise_moves_nothing)
{
    seed(4000 + (uint64_t)_i);
    toy_open(8, 8000);
    for (size_t i = 0; i < toy.n_bindings; i++)
        put(i, 10000 - i / 8, i % 8);
    for (int round = 0; round < 100; round++) {
        for (size_t n = 0; n < 8; n++)
            toy.nodes[n].load = 10000000 + draw() % 800000 - 400000;
        ck_assert_uint_eq(run(BALANCE_HOT), 0);
    }
    toy_close();
}
END_TEST

/* ---- By numbers ---- */
struct numbers {
    const char *what;
    uint32_t before[4];
    uint64_t weight[4];
    size_t moves;
    uint32_t after[4];
};
static const struct numbers numbers_rows[] = {
    {"equal", {5, 5, 5}, {1, 1, 1}, 0, {5, 5, 5}},
    {"a difference of one", {4, 3, 3}, {1, 1, 1}, 0, {4, 3, 3}},
    {"a difference of two", {3, 1}, {1, 1}, 1, {2, 2}},
    {"a node joined", {15, 15, 0}, {1, 1, 1}, 10, {10, 10, 10}},
    {"by weight", {10, 10, 10}, {4, 1, 1}, 10, {20, 5, 5}},
    {"the largest remainder", {0, 10}, {2, 1}, 7, {7, 3}},
    {"a ramp's small weight", {100, 100, 0}, {1000, 1000, 10}, 1, {100, 99, 1}},
    {"without weight no part in it", {6, 2, 9}, {1, 1, 0}, 2, {4, 4, 9}},
};

START_TEST(numbers)
{
    const struct numbers *row = &numbers_rows[_i];
    toy_open(4, 256);
    size_t i = 0;
    for (size_t n = 0; n < 4; n++) {
        toy.nodes[n].capacity = row->weight[n];
        for (uint32_t k = 0; k < row->before[n]; k++)
            put(i++, 0, n);
    }
    toy.n_bindings = i;
    const size_t moves = run_counts();
    ck_assert_msg(moves == row->moves, "%s: %zu moves", row->what, moves);
    for (size_t n = 0; n < 4; n++) {
        const uint32_t off = toy.nodes[n].count > row->after[n] ? toy.nodes[n].count - row->after[n]
                                                                : row->after[n] - toy.nodes[n].count;
        /* who of several that are alike gives one more is nobody's business */
        ck_assert_msg(off == 0 || (moves == 1 && off == 1), "%s: node %zu has %u", row->what, n,
                      toy.nodes[n].count);
    }
    toy_close();
}
END_TEST

START_TEST(placed_equally)
{
    seed(5000 + (uint64_t)_i);
    const size_t nodes = 2 + draw() % 10;
    toy_open(nodes, 10000);
    uint64_t all = 0;
    for (size_t n = 0; n < nodes; n++)
        all += toy.nodes[n].capacity = _i == 0 ? 1 : 1 + draw() % 7;
    for (size_t i = 0; i < toy.n_bindings; i++)
        put(i, 0, balance_next(toy.nodes, nodes));
    for (size_t n = 0; n < nodes; n++) {
        const double due = (double)toy.n_bindings * (double)toy.nodes[n].capacity / (double)all;
        ck_assert_double_le((double)toy.nodes[n].count, due + 1);
        ck_assert_double_ge((double)toy.nodes[n].count, due - 1);
    }
    ck_assert_uint_le(run_counts(), _i == 0 ? 0 : 2); /* one by one comes near to the largest remainder */
    toy_close();
}
END_TEST

START_TEST(nobody_to_place_at)
{
    toy_open(2, 0);
    toy.nodes[0].capacity = 0;
    toy.nodes[1].closed = true;
    ck_assert_uint_eq(balance_next(toy.nodes, 2), 2);
    ck_assert_uint_eq(balance_next(toy.nodes, 0), 0);
    toy_close();
}
END_TEST

/* ---- Utilisation ---- */
static const struct {
    const char *what;
    struct balance_usage usage;
    uint32_t permille;
} usages[] = {
    {"nothing known", {.pps = 1000, .busiest_permille = 990}, 0},
    {"packets", {.pps = 900, .capacity_pps = 1000}, 900},
    {"bits are scarcer", {.pps = 100, .kbps = 800, .capacity_pps = 1000, .capacity_kbps = 1000}, 800},
    {"an lcore is", {.pps = 100, .capacity_pps = 1000, .busiest_permille = 950}, 950},
    {"more than it bears", {.pps = 2000, .capacity_pps = 1000}, 2000},
};

START_TEST(utilisation)
{
    const uint32_t permille = balance_utilisation(&usages[_i].usage);
    ck_assert_msg(permille == usages[_i].permille, "%s: %u", usages[_i].what, permille);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("balance");
    TCase *rates = tcase_create("rates");
    tcase_set_timeout(rates, 60);
    tcase_add_loop_test(rates, few, 0, ROWS(few_rows));
    tcase_add_test(rates, closed_nodes_get_none);
    tcase_add_loop_test(rates, balanced_gives_no_move, 0, 20);
    tcase_add_loop_test(rates, new_node_gets_its_share, 0, 20);
    tcase_add_loop_test(rates, zipf_converges, 0, 20);
    tcase_add_loop_test(rates, noise_moves_nothing, 0, 3);
    suite_add_tcase(suite, rates);
    TCase *counts = tcase_create("numbers");
    tcase_add_loop_test(counts, numbers, 0, ROWS(numbers_rows));
    tcase_add_loop_test(counts, placed_equally, 0, 20);
    tcase_add_test(counts, nobody_to_place_at);
    suite_add_tcase(suite, counts);
    TCase *usage = tcase_create("utilisation");
    tcase_add_loop_test(usage, utilisation, 0, ROWS(usages));
    suite_add_tcase(suite, usage);
    return check_main(suite);
}
