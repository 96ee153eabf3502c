/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold always, whatever happens: no packet is lost or seen twice, bounds are kept, and the
 * adjacencies say what the states say. */
#include "neighbor_bed.h"

#include <stdio.h>
#include <time.h>

#include "timerq.h"

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
            MUST(bed.on_link[bed_host_of(&v->address)]);
    } else {
        MUST(!bed.on_link[bed_host_of(&v->address)]);
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
        const unsigned h = bed_host_of(&v.address);
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
    const uint32_t adjacency = bed_reference(h);
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
    const struct addr a = bed_host(h);
    switch (roll(16)) {
    case 0 ... 4:
        bed.icmp_for_discard += roll(8) == 0;
        for (unsigned burst = roll(50) == 0 ? 2 * NEIGHBOR_QUEUE : 1; burst > 0; burst--)
            bed_send(h);
        return;
    case 5 ... 6:
        if (references[h] > 0)
            neighbor_send_by(bed.n, bed.adjacency[h], bed_packet(), bed.now_ns);
        return;
    case 7 ... 8:
        if (bed.ipv6 && roll(2) == 0)
            bed_advertise(h, (char)(roll(4) == 0 ? 0 : 'a' + roll(2)), roll(4));
        else
            bed_hear(h, (char)('a' + roll(2)), roll(2) == 0);
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
        bed_wait_ms(roll(3000));
        return;
    default:
        bed_wait_ms(roll(20));
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
    bed_wait_ms(60000);
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

int main(void)
{
    Suite *suite = suite_create("neighbor_random");
    TCase *each = tcase_create("random");
    tcase_set_timeout(each, 120);
    tcase_add_loop_test(each, at_random, 0, 2); /* of each family */
    suite_add_tcase(suite, each);
    return check_main(suite);
}
