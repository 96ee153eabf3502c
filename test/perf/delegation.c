/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What delegation costs the control lcore at each end, of either family: bindings that a primary forwards
 * itself are handed to one secondary from scratch, then taken back. START, STOP and their acknowledgements
 * with their authentication, KEEPALIVE and all else that goes on meanwhile; effects are taken out, but
 * nothing is done about them. The processor's time of either agent, medians of several runs; the virtual time
 * that passed.
 *
 *     perf_delegation [RUNS [LARGEST]]
 */
#include "registration.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SMALLEST = 1000, LARGEST = 1000000, RUNS = 3, RUNS_MAX = 99, IN_FLIGHT = 4096, DELAY_US = 100 };

#define SECONDARY  "10.255.0.2"
#define SECONDARY6 "2001:db8:1::3"

/* A message on its way to the other end. */
struct letter {
    struct addr source, destination;
    uint16_t source_port, destination_port;
    uint16_t len;
    uint8_t bytes[DELEGATION_MAX];
};

struct end {
    struct agent *agent;
    uint64_t spent_ns;
    struct letter *inbox;
    size_t n_inbox;
    uint64_t datagrams;
};

struct bed {
    struct end primary, secondary;
    struct population population;
    struct instant now;
};

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "perf_delegation: %s\n", what);
    exit(EXIT_FAILURE);
}

static uint64_t processor_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * NSEC_PER_S + (uint64_t)t.tv_nsec;
}

/* ---- Two ends ---- */
static struct addr primary_address(bool ipv6)
{
    return ip(ipv6 ? POPULATION_HOME_AGENT6 : POPULATION_HOME_AGENT);
}

static struct addr secondary_address(bool ipv6)
{
    return ip(ipv6 ? SECONDARY6 : SECONDARY);
}

static struct agent_settings settings_of(size_t n, bool ipv6, enum agent_role role)
{
    struct agent_settings s = {
        .role = (uint8_t)role,
        .id = role == AGENT_PRIMARY ? 1 : 2,
        .delegation = delegation_defaults(),
        .n_home_networks = 1,
        .max_bindings = (uint32_t)n,
        .max_lifetime_s = 0xfffe,
        .max_care_of = 1,
        .timestamp_window_s = 7,
        .encapsulations = 1u << ENCAPSULATION_IPIP,
    };
    s.delegation.when = WHEN_MANUAL;
    s.delegation.linger_ms = 1000;
    s.delegation.announcements_per_s = 0;
    require(prefix_parse(ipv6 ? POPULATION_HOME_NETWORK6 : POPULATION_HOME_NETWORK, &s.home_networks[0]),
            "the home network");
    if (role == AGENT_PRIMARY)
        s.home_agents[s.n_home_agents++] = primary_address(ipv6);
    return s;
}

static struct end end_open(size_t n, bool ipv6, enum agent_role role, struct instant now)
{
    const struct agent_settings settings = settings_of(n, ipv6, role);
    const uint8_t seed[AGENT_SEED] = {(uint8_t)role};
    struct agent_peer peer = {.spi = 1000, .weight = 1, .n_prefixes = 1};
    peer.key = (struct auth_key){.len = DELEGATION_KEY, .algorithm = AUTH_HMAC_SHA256};
    peer.prefixes[0] = settings.home_networks[0];
    peer.address = role == AGENT_PRIMARY ? secondary_address(ipv6) : primary_address(ipv6);
    peer.local = role == AGENT_PRIMARY ? primary_address(ipv6) : secondary_address(ipv6);
    strcpy(peer.name, role == AGENT_PRIMARY ? "sha1" : "pha");
    struct end e = {.agent = agent_create(&settings, seed, now),
                    .inbox = calloc(IN_FLIGHT, sizeof(*e.inbox))};
    require(e.agent != NULL && e.inbox != NULL && agent_peer_set(e.agent, &peer) == 0, "out of memory");
    return e;
}

static void end_close(struct end *e)
{
    agent_destroy(e->agent);
    free(e->inbox);
}

static void carry(struct end *to, const struct message *m)
{
    require(to->n_inbox < IN_FLIGHT, "too many datagrams in flight");
    struct letter *l = &to->inbox[to->n_inbox++];
    l->source = m->source;
    l->destination = m->destination;
    l->source_port = m->source_port;
    l->destination_port = m->destination_port;
    l->len = (uint16_t)m->len;
    memcpy(l->bytes, m->bytes, m->len);
}

static void take_effects(struct end *from, struct end *to)
{
    for (const struct effect *e; (e = agent_pop(from->agent)) != NULL;)
        if (e->kind == EFFECT_SEND && e->send.destination_port == DELEGATION_PORT)
            carry(to, &e->send);
}

static void deliver(struct end *e, struct instant now)
{
    for (size_t i = 0; i < e->n_inbox; i++) {
        const struct letter *l = &e->inbox[i];
        const struct agent_datagram d = {
            .source = l->source,
            .destination = l->destination,
            .protocol = IPPROTO_NUM_UDP,
            .source_port = l->source_port,
            .destination_port = l->destination_port,
            .on_home_link = true,
            .payload = l->bytes,
            .len = l->len,
        };
        agent_input(e->agent, &d, now);
    }
    e->datagrams += e->n_inbox;
    e->n_inbox = 0;
}

static void turn(struct end *e, struct end *other, struct instant now)
{
    const uint64_t from = processor_ns();
    deliver(e, now);
    while (agent_deadline(e->agent) <= now.mono_ns)
        agent_expire(e->agent, now, 512);
    take_effects(e, other);
    e->spent_ns += processor_ns() - from;
}

static void pass(struct bed *b)
{
    b->now.mono_ns += DELAY_US * NSEC_PER_US;
    b->now.ntp += ((uint64_t)DELAY_US << 32) / 1000000;
    turn(&b->primary, &b->secondary, b->now);
    turn(&b->secondary, &b->primary, b->now);
}

static void pass_ms(struct bed *b, unsigned ms)
{
    for (unsigned i = 0; i < ms * 1000 / DELAY_US; i++)
        pass(b);
}

static struct peer_view secondary_of(const struct bed *b)
{
    struct peer_view view;
    size_t cursor = 0;
    require(agent_peer_next(b->primary.agent, &cursor, b->now, &view), "no secondary");
    return view;
}

static void bed_open(struct bed *b, size_t n, bool ipv6)
{
    b->now = (struct instant){.mono_ns = NSEC_PER_S, .ntp = ntp_from_unix(1700000000, 0)};
    b->primary = end_open(n, ipv6, AGENT_PRIMARY, b->now);
    b->secondary = end_open(n, ipv6, AGENT_SECONDARY, b->now);
    b->population = population_over(b->primary.agent, n, ipv6, b->now);
    require(b->population.agent != NULL, "out of memory");
    pass_ms(b, 3000);
    require(secondary_of(b).state == PEER_READY, "the secondary is not ready");
    b->population.now = b->now;
    population_prepare(&b->population);
    population_register(&b->population, 0, n, NULL, NULL);
    pass_ms(b, 6000); /* duplicate address detection and the announcements are over */
}

static void bed_close(struct bed *b)
{
    end_close(&b->secondary);
    population_close(&b->population);
    end_close(&b->primary);
}

/* ---- One round there and back ---- */
struct figures {
    double primary_ns, secondary_ns; /* a binding */
    double virtual_s;
    double datagrams; /* a binding, both ways */
};

static bool move(struct bed *b, const struct addr *home, bool away)
{
    const enum agent_refusal r = away ? agent_delegate(b->primary.agent, home, "sha1", b->now)
                                      : agent_recall(b->primary.agent, home, b->now);
    return r == REFUSAL_DONE;
}

/* As fast as the window lets them: what is asked for waits in the agent. */
static void move_all(struct bed *b, bool away)
{
    enum { SLICE = 1024 };
    for (size_t next = 0; next < b->population.n;) {
        const uint64_t from = processor_ns();
        for (size_t i = 0; i < SLICE && next < b->population.n; i++) {
            const struct addr home = population_home(&b->population, next++);
            require(move(b, &home, away), "a binding does not move");
        }
        b->primary.spent_ns += processor_ns() - from;
        pass(b);
    }
    const size_t wanted = away ? b->population.n : 0;
    for (unsigned i = 0; secondary_of(b).bindings != wanted || secondary_of(b).pending > 0; i++) {
        require(i < 10000000, "they do not arrive");
        pass(b);
    }
}

static struct figures round_of(struct bed *b, bool away)
{
    const double n = (double)b->population.n;
    b->primary.spent_ns = b->secondary.spent_ns = 0;
    b->primary.datagrams = b->secondary.datagrams = 0;
    const uint64_t from_ns = b->now.mono_ns;
    move_all(b, away);
    const struct figures f = {
        .primary_ns = (double)b->primary.spent_ns / n,
        .secondary_ns = (double)b->secondary.spent_ns / n,
        .virtual_s = (double)(b->now.mono_ns - from_ns) / 1e9,
        .datagrams = (double)(b->primary.datagrams + b->secondary.datagrams) / n,
    };
    pass_ms(b, 3500); /* lingering is over, tombstones are below the floor */
    return f;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), ascending);
    return values[n / 2];
}

static void print(const struct population *of, const char *what, struct figures *f, size_t runs)
{
    double primary[RUNS_MAX], secondary[RUNS_MAX], virtual[RUNS_MAX];
    for (size_t i = 0; i < runs; i++) {
        primary[i] = f[i].primary_ns;
        secondary[i] = f[i].secondary_ns;
        virtual[i] = f[i].virtual_s;
    }
    const double p = median(primary, runs), s = median(secondary, runs), n = (double)of->n;
    printf("%6s %10zu %-10s %12.0f %12.0f %14.2f %14.2f %12.3f %10.3f\n", of->ipv6 ? "IPv6" : "IPv4", of->n,
           what, p, s, p * n / 1e9, s * n / 1e9, median(virtual, runs), f[0].datagrams);
    fflush(stdout);
}

static void row(size_t n, bool ipv6, size_t runs)
{
    static struct bed bed;
    struct figures there[RUNS_MAX], back[RUNS_MAX];
    bed_open(&bed, n, ipv6);
    for (size_t i = 0; i < runs; i++) {
        there[i] = round_of(&bed, true);
        back[i] = round_of(&bed, false);
    }
    print(&bed.population, "delegate", there, runs);
    print(&bed.population, "recall", back, runs);
    bed_close(&bed);
}

int main(int argc, char **argv)
{
    size_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : RUNS;
    const size_t largest = argc > 2 ? strtoul(argv[2], NULL, 10) : LARGEST;
    if (runs < 1 || runs > RUNS_MAX)
        runs = RUNS;
    printf("%6s %10s %-10s %12s %12s %14s %14s %12s %10s\n", "family", "bindings", "what", "primary ns",
           "secondary ns", "primary s", "secondary s", "virtual s", "datagrams");
    for (size_t n = SMALLEST; n <= largest; n *= 10) {
        row(n, false, runs);
        row(n, true, runs);
    }
    return EXIT_SUCCESS;
}
