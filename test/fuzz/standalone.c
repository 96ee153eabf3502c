/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drives a fuzz target where the compiler brings no libFuzzer: -runs=N inputs, mutated from the target's
 * seeds or made of nothing, all decided by -seed=S, which is printed. It does not see which code an input
 * reaches; the seeds have to lead it there.
 */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { SEEDS_MAX = 256, INPUT_MAX = FUZZ_SEED_MAX, MUTATIONS_MAX = 8 };

struct input {
    uint8_t bytes[INPUT_MAX];
    size_t len;
};

static struct input seeds[SEEDS_MAX];
static size_t seed_count;
static uint64_t random_state;

/* SplitMix64: any state is a good one. */
static uint64_t random_u64(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 0 .. n-1 */
static size_t below(size_t n)
{
    return (size_t)(random_u64() % n);
}

static void flip_bit(struct input *in)
{
    if (in->len > 0)
        in->bytes[below(in->len)] ^= (uint8_t)(1u << below(8));
}

static void set_byte(struct input *in)
{
    if (in->len > 0)
        in->bytes[below(in->len)] = (uint8_t)random_u64();
}

/* Values at which lengths and counts tip over. */
static void set_edge(struct input *in)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x03, 0x04, 0x05, 0x14, 0x7f, 0x80, 0xfe, 0xff};
    if (in->len > 0)
        in->bytes[below(in->len)] = edges[below(sizeof(edges))];
}

static void nudge_byte(struct input *in)
{
    if (in->len > 0)
        in->bytes[below(in->len)] += (uint8_t)(below(9) - 4);
}

static void cut_end(struct input *in)
{
    if (in->len > 0)
        in->len = below(in->len);
}

static void remove_range(struct input *in)
{
    if (in->len == 0)
        return;
    size_t at = below(in->len);
    size_t n = 1 + below(in->len - at);
    memmove(in->bytes + at, in->bytes + at + n, in->len - at - n);
    in->len -= n;
}

/* Makes a gap of n bytes at `at`, as far as there is room. */
static size_t open_gap(struct input *in, size_t at, size_t n)
{
    if (n > INPUT_MAX - in->len)
        n = INPUT_MAX - in->len;
    memmove(in->bytes + at + n, in->bytes + at, in->len - at);
    in->len += n;
    return n;
}

static void insert_random(struct input *in)
{
    size_t at = below(in->len + 1);
    size_t n = open_gap(in, at, 1 + below(32));
    for (size_t i = 0; i < n; i++)
        in->bytes[at + i] = (uint8_t)random_u64();
}

static void insert_piece(struct input *in, const struct input *from)
{
    if (from->len == 0)
        return;
    size_t begin = below(from->len);
    size_t at = below(in->len + 1);
    size_t n = open_gap(in, at, 1 + below(from->len - begin));
    memcpy(in->bytes + at, from->bytes + begin, n);
}

static void repeat_piece(struct input *in)
{
    struct input copy = *in;
    insert_piece(in, &copy);
}

static void insert_seed_piece(struct input *in)
{
    if (seed_count > 0)
        insert_piece(in, &seeds[below(seed_count)]);
}

static void mutate(struct input *in)
{
    static void (*const mutations[])(struct input *) = {
        flip_bit,     set_byte,      set_edge,     nudge_byte,        cut_end,
        remove_range, insert_random, repeat_piece, insert_seed_piece,
    };
    mutations[below(sizeof(mutations) / sizeof(mutations[0]))](in);
}

/* Input number i of a run depends on nothing but the seed and i. */
static void input_make(struct input *in, uint64_t seed, uint64_t i)
{
    random_state = seed * UINT64_C(0xd1342543de82ef95) + i * UINT64_C(0xaef17502108ef2d9);
    in->len = 0;
    if (seed_count == 0 || below(16) == 0) {
        in->len = below(128);
        for (size_t at = 0; at < in->len; at++)
            in->bytes[at] = (uint8_t)random_u64();
        return;
    }
    *in = seeds[below(seed_count)];
    for (size_t n = below(MUTATIONS_MAX + 1); n > 0; n--)
        mutate(in);
}

/* In a block of just its size, so that sanitizers and valgrind see a read behind it. */
static void input_run(const struct input *in)
{
    uint8_t *exact = malloc(in->len > 0 ? in->len : 1);
    if (exact == NULL)
        abort();
    memcpy(exact, in->bytes, in->len);
    LLVMFuzzerTestOneInput(exact, in->len);
    free(exact);
}

static void seeds_load(void)
{
    for (; fuzz_seed != NULL && seed_count < SEEDS_MAX; seed_count++) {
        seeds[seed_count].len = fuzz_seed(seed_count, seeds[seed_count].bytes);
        if (seeds[seed_count].len == 0)
            return;
    }
}

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s [-runs=N] [-seed=S]\n", program);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    uint64_t runs = 100000;
    uint64_t seed = (uint64_t)time(NULL);
    for (int i = 1; i < argc; i++) {
        if (sscanf(argv[i], "-runs=%" SCNu64, &runs) != 1 && sscanf(argv[i], "-seed=%" SCNu64, &seed) != 1)
            return usage(argv[0]);
    }
    seeds_load();
    printf("%s -runs=%" PRIu64 " -seed=%" PRIu64 " (%zu seed inputs)\n", argv[0], runs, seed, seed_count);
    fflush(stdout);

    struct input in;
    for (size_t i = 0; i < seed_count; i++)
        input_run(&seeds[i]);
    for (uint64_t i = 0; i < runs; i++) {
        input_make(&in, seed, i);
        input_run(&in);
    }
    return EXIT_SUCCESS;
}
