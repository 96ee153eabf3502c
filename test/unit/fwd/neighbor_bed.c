/* SPDX-License-Identifier: BSD-3-Clause */
#include "neighbor_bed.h"

#include <stdarg.h>
#include <stdio.h>

struct bed bed;

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

struct addr bed_host(unsigned i)
{
    struct addr a = {{0x20, 1, 0x0d, 0xb8, [14] = (uint8_t)(i >> 8), (uint8_t)i}};
    return bed.ipv6 ? a : addr_from_ipv4(0x0a010000 + i);
}

unsigned bed_host_of(const struct addr *a)
{
    return (unsigned)a->b[14] << 8 | a->b[15];
}

struct mac bed_mac(char letter)
{
    return (struct mac){{0x02, 0, 0, 0, 0, (uint8_t)letter}};
}

void *bed_packet(void)
{
    unsigned p = ++bed.sent;
    ck_assert_uint_lt(p, BED_PACKETS);
    bed.fate[p] = WAITING;
    return (void *)(uintptr_t)p;
}

void bed_note(const char *format, ...)
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
    bed.log_len += (size_t)snprintf(bed.log + bed.log_len, BED_LOG - bed.log_len, "%s%s%s",
                                    bed.log_len > 0 ? "; " : "", when, what);
    ck_assert_uint_lt(bed.log_len, BED_LOG);
}

static void solicit(void *context, uint8_t port_index, const struct addr *target, const struct mac *known)
{
    (void)context;
    unsigned h = bed_host_of(target);
    if (bed.asked_ns[h] != 0 && !bed.rate_unwatched)
        ck_assert_msg(bed.now_ns + 1 - bed.asked_ns[h] >= NEIGHBOR_RETRY_MS * NSEC_PER_MS,
                      "host %u asked twice in less than a second", h);
    bed.asked_ns[h] = bed.now_ns + 1;
    bed.asked++;
    if (known != NULL)
        bed_note("ask %u at %c", h, known->b[5]);
    else
        bed_note(port_index == 0 ? "ask %u" : "ask %u port 1", h);
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
    bed_note("out %u to %c", p, mac[5]);
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
        bed_note("%s %u for %u", what, p, bed_host_of(target));
    else
        bed_note("%s %u for nobody", what, p);
    if (bed.icmp_for_discard > 0) {
        bed.icmp_for_discard--;
        const struct addr router = bed_host(ROUTER);
        neighbor_send(bed.n, 0, &router, bed_packet(), bed.now_ns);
    }
}

static void changed(void *context, const struct neighbor_view *v, bool resolved)
{
    (void)context;
    unsigned h = bed_host_of(&v->address);
    ck_assert_msg(bed.on_link[h] != resolved, "host %u: told twice", h);
    bed.on_link[h] = resolved;
    if (resolved)
        ck_assert_uint_eq(v->references, 0);
    bed_note("%s %u", resolved ? "on" : "off", h);
}

const struct neighbor_ops bed_ops = {
    .solicit = solicit, .release = release, .discard = discard, .changed = changed};

void bed_make(uint32_t capacity, uint64_t seed)
{
    memset(&bed, 0, sizeof(bed));
    bed.now_ns = 12345 * NSEC_PER_MS;
    bed.logged_ns = bed.now_ns;
    bed.adjacencies = adjacencies_create(capacity + 1);
    ck_assert_ptr_nonnull(bed.adjacencies);
    bed.n = neighbors_create(bed.adjacencies, capacity, &bed_ops, seed);
    ck_assert_ptr_nonnull(bed.n);
}

void bed_clear(void)
{
    neighbors_destroy(bed.n);
    for (unsigned p = 1; p <= bed.sent; p++)
        ck_assert_msg(bed.fate[p] == RELEASED || bed.fate[p] == DISCARDED, "packet %u is lost", p);
    for (uint32_t i = 0; i < bed.adjacencies->capacity; i++)
        ck_assert_uint_eq(adjacency_read(bed.adjacencies, i), 0);
    adjacencies_destroy(bed.adjacencies);
}

void bed_send(unsigned h)
{
    const struct addr a = bed_host(h);
    neighbor_send(bed.n, 0, &a, bed_packet(), bed.now_ns);
}

void bed_hear(unsigned h, char letter, bool for_us)
{
    const struct addr a = bed_host(h);
    const struct mac m = bed_mac(letter);
    neighbor_heard(bed.n, 0, &a, &m, for_us, bed.now_ns);
}

void bed_advertise(unsigned h, char letter, unsigned flags)
{
    const struct addr a = bed_host(h);
    const struct mac m = bed_mac(letter);
    neighbor_advertised(bed.n, 0, &a, letter != 0 ? &m : NULL, (flags & SOLICITED) != 0,
                        (flags & OVERRIDE) != 0, bed.now_ns);
}

uint32_t bed_reference(unsigned h)
{
    const struct addr a = bed_host(h);
    return neighbor_reference(bed.n, 0, &a, bed.now_ns);
}

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

void bed_wait_ms(unsigned ms)
{
    wait_ns(ms * NSEC_PER_MS);
}
