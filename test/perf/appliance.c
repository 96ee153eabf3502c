/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a registration costs the control lcore, everything in: the request out of the punt ring, IP and UDP,
 * decode, verify, bind, table update, announcement, sign, reply, both handed to the device (net_null). From a
 * thousand to a million bindings, in random order; medians of several runs, and the process's memory.
 *
 *     perf_appliance [RUNS [LARGEST]]
 */
#include "registration.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ether.h>

#include "conf.h"
#include "control.h"
#include "eal.h"
#include "inet.h"
#include "log.h"

enum { SMALLEST = 1000, LARGEST = 1000000, RUNS = 5, RUNS_MAX = 99, SAMPLE = 20000, BATCH = 1024 };

static const char *const eal_arguments[] = {
    "perf_appliance", "--no-huge", "-m",      "1024",          "--no-shconf",    "--no-pci",
    "--no-telemetry", "--lcores",  "0@0,1@0", "--file-prefix", "perf_appliance", "--log-level=error"};

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "perf_appliance: %s\n", what);
    exit(EXIT_FAILURE);
}

static struct conf *configuration(size_t n)
{
    char path[] = "/tmp/homeport-perf-XXXXXX";
    int fd = mkstemp(path);
    require(fd >= 0, "no temporary file");
    FILE *f = fdopen(fd, "w");
    fprintf(f,
            "node = perf id = 1 role = primary\n"
            "eal { lcores = \"0@0,1@0\" memory = 1024 huge-pages = false }\n"
            "port home { device = \"net_null%zu\" addresses = {\"%s/24\", \"11.255.0.1/8\"} }\n"
            "route \"0.0.0.0/0\" { via = \"10.255.0.254\" }\n"
            "home-agent { addresses = {\"%s\"} home-networks = {\"%s\"} max-bindings = %zu max-lifetime = "
            "65534 }\n",
            n, POPULATION_HOME_AGENT, POPULATION_HOME_AGENT, POPULATION_HOME_NETWORK, n);
    fclose(f);
    struct conf *conf = conf_load(path, stderr);
    unlink(path);
    require(conf != NULL, "the configuration is refused");
    return conf;
}

/* The router by which everything leaves is known: nothing waits. */
static void resolve_router(struct control *c)
{
    struct addr router;
    const struct mac mac = {{2, 0, 0, 0, 0, 1}};
    require(addr_parse("10.255.0.254", &router), "the router's address");
    neighbor_heard(c->neighbors, 0, &router, &mac, true, c->now.mono_ns);
}

static void punt_request(struct control *c, const struct population *p, size_t place)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(c->pool);
    require(m != NULL, "no packet buffer");
    *punt_meta(m) = (struct punt_meta){.class = PUNT_SIGNALLING, .verdict = VERDICT_PUNT_SIGNALLING};
    struct rte_ether_hdr *ether = (void *)rte_pktmbuf_append(m, sizeof(*ether));
    memset(ether, 0, sizeof(*ether));
    struct writer w =
        writer_over(rte_pktmbuf_mtod_offset(m, void *, sizeof(*ether)), rte_pktmbuf_tailroom(m));
    struct udp udp = {.source = population_source(p, place),
                      .source_port = MIP4_PORT,
                      .destination_port = MIP4_PORT,
                      .payload = p->datagrams[place],
                      .payload_len = PERF_REQUEST};
    addr_parse(POPULATION_HOME_AGENT, &udp.destination);
    udp_encode(&w, &udp, 64, 0);
    rte_pktmbuf_append(m, (uint16_t)writer_len(&w));
    require(rte_ring_mp_enqueue(c->punts.ring[PUNT_SIGNALLING], m) == 0, "the ring is full");
}

static uint64_t replies(const struct control *c)
{
    const struct agent_counters *counters = agent_counters(c->agent);
    return counters->replies[MIP4_ACCEPTED] + counters->replies[MIP4_ACCEPTED_NO_SIMULTANEOUS];
}

/* Nanoseconds that control spent on one round of requests. */
static uint64_t one_round(struct control *c, struct population *p)
{
    uint64_t spent = 0, before = replies(c);
    population_prepare(p);
    resolve_router(c);
    for (size_t place = 0; place < p->n;) {
        for (unsigned i = 0; i < BATCH && place < p->n; i++)
            punt_request(c, p, place++);
        const uint64_t from = instant_now().mono_ns;
        while (!rte_ring_empty(c->punts.ring[PUNT_SIGNALLING]))
            control_turn(c, p->now);
        spent += instant_now().mono_ns - from;
    }
    require(replies(c) - before == p->n, "not all were accepted");
    return spent;
}

/* Lets the repeats of announcements pass; they are no part of a registration. */
static void let_pass(struct control *c, struct population *p, unsigned seconds)
{
    p->now.mono_ns += seconds * NSEC_PER_S;
    p->now.ntp += ntp_from_seconds(seconds);
    while (control_turn(c, p->now))
        continue;
}

static double round_ns(struct control *c, struct population *p, bool first)
{
    uint64_t spent = 0;
    size_t done = 0;
    while (done < SAMPLE) {
        if (first) {
            for (size_t place = 0; place < p->n; place++) {
                struct addr home = addr_from_ipv4(0x0b000001u + (uint32_t)place);
                agent_revoke(c->agent, &home, p->now);
                if (place % 256 == 255)
                    let_pass(c, p, 0);
            }
            let_pass(c, p, 0);
        }
        spent += one_round(c, p);
        done += p->n;
        let_pass(c, p, 10);
    }
    return (double)spent / (double)done;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double measure(struct control *c, struct population *p, bool first, size_t runs)
{
    double ns[RUNS_MAX];
    for (size_t i = 0; i < runs; i++)
        ns[i] = round_ns(c, p, first);
    qsort(ns, runs, sizeof(*ns), ascending);
    return ns[runs / 2];
}

/* Resident memory of the process without its packet buffers, in MiB. */
static size_t memory_mib(const struct control *c)
{
    size_t pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    require(f != NULL && fscanf(f, "%zu %zu", &pages, &resident) == 2, "/proc/self/statm");
    fclose(f);
    size_t pool = (size_t)c->pool->size * (c->pool->elt_size + c->pool->header_size + c->pool->trailer_size);
    return (resident * (size_t)sysconf(_SC_PAGESIZE) - pool) >> 20;
}

/* A device closed does not come back: each row has its own. */
static void make_device(size_t n)
{
    char name[32];
    snprintf(name, sizeof(name), "net_null%zu", n);
    require(rte_eal_hotplug_add("vdev", name, "") == 0, "no device");
}

static void row(size_t n, size_t runs)
{
    make_device(n);
    struct control control;
    struct instant now = {.mono_ns = NSEC_PER_S, .ntp = ntp_from_unix(1700000000, 0)};
    require(control_open(&control, configuration(n), now) == 0, "control does not open");
    struct population p = population_over(control.agent, n, false, now);
    require(p.agent != NULL, "out of memory");
    const double first = measure(&control, &p, true, runs);
    const double renewal = measure(&control, &p, false, runs);
    size_t datagrams_mib = n * (PERF_DATAGRAM + sizeof(uint32_t)) >> 20;
    printf("%10zu %12.0f %14.0f %12.0f %14.0f %14zu\n", n, first, 1e9 / first, renewal, 1e9 / renewal,
           memory_mib(&control) - datagrams_mib);
    fflush(stdout);
    population_close(&p);
    control_close(&control);
}

int main(int argc, char **argv)
{
    size_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : RUNS;
    const size_t largest = argc > 2 ? strtoul(argv[2], NULL, 10) : LARGEST;
    char *vector[RTE_DIM(eal_arguments)];
    memcpy(vector, eal_arguments, sizeof(vector));
    require(rte_eal_init(RTE_DIM(eal_arguments), vector) >= 0, "no EAL");
    if (runs < 1 || runs > RUNS_MAX)
        runs = RUNS;
    log_open("perf", false);
    log_set_level(LOG_LEVEL_ERROR);
    printf("%10s %12s %14s %12s %14s %14s\n", "bindings", "first ns", "per second", "renewal ns",
           "per second", "memory MiB");
    for (size_t n = SMALLEST; n <= largest; n *= 10)
        row(n, runs);
    eal_stop();
    return EXIT_SUCCESS;
}
