/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plays a golden case: packets in, packets out, counters. The daemon's own control and one worker take turns
 * in this thread, in virtual time: a capture's timestamps are the clock, and between two frames time stops at
 * every deadline, so repeats and timeouts have exact times. Devices are pairs of rings.
 *
 *     replay CASE    CASE/homeport.conf, CASE/counters, and for each port in.pcap and out.pcap;
 *                    with several ports in-PORT.pcap and out-PORT.pcap
 *
 * The appliance starts a second before the first frame and is watched for five seconds after the last.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ether.h>

#include "capture.h"
#include "conf.h"
#include "control.h"
#include "counting.h"
#include "eal.h"
#include "log.h"

enum { RING = 512, IDLE_TURNS = 3, STUCK = 1000, PATH_MAX_LEN = 512 };

static const uint64_t before_us = 1000000, after_us = 5000000;
/* The two clocks are told apart: the monotonic one is not the wall clock. */
static const uint64_t mono_behind_us = UINT64_C(1000000) * 86400 * 365 * 30;

struct wire {
    struct rte_ring *rx, *tx;
    struct capture in, expected, actual;
    size_t next; /* of in */
};

struct replay {
    const char *path;
    struct control control;
    struct wire wire[CONF_PORTS_MAX];
    unsigned n;
    struct instant now;
    uint64_t start_us, last_us;
};

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("replay: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    exit(EXIT_FAILURE);
}

/* ---- Time ---- */

static uint64_t mono_ns_of(uint64_t at_us)
{
    return (at_us - mono_behind_us) * NSEC_PER_US;
}

static void set_now(struct replay *r, uint64_t mono_ns)
{
    uint64_t wall_ns = mono_ns + mono_behind_us * NSEC_PER_US;
    r->now = (struct instant){
        .mono_ns = mono_ns,
        .ntp = ntp_from_unix((int64_t)(wall_ns / NSEC_PER_S), (uint32_t)(wall_ns % NSEC_PER_S)),
    };
}

static uint64_t now_us(const struct replay *r)
{
    return r->now.mono_ns / NSEC_PER_US + mono_behind_us;
}

/* ---- Frames ---- */

static void take_frame(struct replay *r, struct wire *w, struct rte_mbuf *m)
{
    uint8_t bytes[CAPTURE_FRAME_MAX];
    uint32_t len = rte_pktmbuf_pkt_len(m);
    const uint8_t *at = len <= sizeof(bytes) ? rte_pktmbuf_read(m, 0, len, bytes) : NULL;
    if (at == NULL)
        die("a frame of %u bytes", len);
    capture_append(&w->actual, now_us(r), at, len);
    rte_pktmbuf_free(m);
}

static bool take_frames(struct replay *r)
{
    bool any = false;
    for (unsigned i = 0; i < r->n; i++) {
        struct rte_mbuf *m;
        while (rte_ring_dequeue(r->wire[i].tx, (void **)&m) == 0) {
            take_frame(r, &r->wire[i], m);
            any = true;
        }
    }
    return any;
}

static void inject(struct replay *r, struct wire *w, const struct frame *f)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(r->control.pool);
    char *data = m == NULL ? NULL : rte_pktmbuf_append(m, (uint16_t)f->len);
    if (data == NULL || rte_ring_enqueue(w->rx, m) != 0)
        die("a frame of %u bytes does not fit", f->len);
    memcpy(data, f->bytes, f->len);
}

/* ---- The play ---- */

static bool turn(struct replay *r)
{
    bool worked = worker_turn(r->control.workers[0]) > 0;
    worked |= take_frames(r);
    worked |= control_turn(&r->control, r->now);
    worked |= take_frames(r);
    return worked;
}

/* Until nothing moves. */
static void settle(struct replay *r)
{
    unsigned idle = 0;
    for (unsigned i = 0; idle < IDLE_TURNS; i++) {
        idle = turn(r) ? 0 : idle + 1;
        if (i == STUCK)
            die("never at rest at %" PRIu64 " us", now_us(r));
    }
}

static uint64_t deadline(const struct replay *r)
{
    const uint64_t link = RTE_MIN(host_nd_deadline(&r->control), host_mld_deadline(&r->control));
    const uint64_t fragments = reassembly_deadline(r->control.reassembly);
    return RTE_MIN(RTE_MIN(link, fragments),
                   RTE_MIN(agent_deadline(r->control.agent), neighbor_deadline(r->control.neighbors)));
}

static void pass_until(struct replay *r, uint64_t mono_ns)
{
    for (uint64_t due; (due = deadline(r)) <= mono_ns;) {
        set_now(r, due);
        settle(r);
        if (deadline(r) <= due)
            die("a deadline is never done with at %" PRIu64 " us", now_us(r));
    }
    set_now(r, mono_ns);
}

/* The wire with the earliest frame; NULL: all are through. */
static struct wire *next_wire(struct replay *r)
{
    struct wire *first = NULL;
    for (unsigned i = 0; i < r->n; i++) {
        struct wire *w = &r->wire[i];
        if (w->next < w->in.n &&
            (first == NULL || w->in.frame[w->next].at_us < first->in.frame[first->next].at_us))
            first = w;
    }
    return first;
}

static void play(struct replay *r)
{
    worker_start(r->control.workers[0]);
    r->control.workers[0]->fragmented = 0; /* else it begins anywhere (RFC 7739 section 3) */
    r->control.nd.delay_ns = 0; /* else the first message comes at any time (RFC 4862 section 5.4.2) */
    settle(r);
    for (struct wire *w; (w = next_wire(r)) != NULL;) {
        const struct frame *f = &w->in.frame[w->next++];
        pass_until(r, mono_ns_of(f->at_us));
        inject(r, w, f);
        settle(r);
    }
    pass_until(r, mono_ns_of(r->last_us + after_us));
    settle(r);
    worker_offline(r->control.workers[0]);
}

/* ---- Setting up ---- */

static void path_of(const struct replay *r, const char *what, unsigned i, char out[PATH_MAX_LEN])
{
    const struct conf_port *port = &r->control.conf->ports[i];
    bool one = r->control.conf->n_ports == 1;
    snprintf(out, PATH_MAX_LEN, "%s%s%s.pcap", what, one ? "" : "-", one ? "" : port->name);
}

static void read_capture(const struct replay *r, const char *what, unsigned i, struct capture *c)
{
    char name[PATH_MAX_LEN], path[2 * PATH_MAX_LEN];
    path_of(r, what, i, name);
    snprintf(path, sizeof(path), "%s/%s", r->path, name);
    if (!capture_read(c, path))
        exit(EXIT_FAILURE);
}

static struct rte_ring *make_ring(const char *direction, unsigned i)
{
    char name[RTE_RING_NAMESIZE];
    snprintf(name, sizeof(name), "%s-%u", direction, i);
    struct rte_ring *ring = rte_ring_create(name, RING, SOCKET_ID_ANY, 0);
    if (ring == NULL)
        die("no ring: %s", rte_strerror(rte_errno));
    return ring;
}

/* The address is told by the device's name, so that a case may have its ports in any order. */
static uint8_t place_by_name(const struct conf *conf, const struct conf_port *port)
{
    uint8_t place = 1;
    for (size_t i = 0; i < conf->n_ports; i++)
        place += strcmp(conf->ports[i].device, port->device) < 0;
    return place;
}

/* A port's device is net_ring_NAME. Worker and control each have a tx queue; both lead into one ring, so that
 * the order in which frames leave is kept. */
static void make_device(struct wire *w, const struct conf *conf, unsigned i)
{
    static const char prefix[] = "net_ring_";
    const struct conf_port *port = &conf->ports[i];
    if (strncmp(port->device, prefix, strlen(prefix)) != 0)
        die("port %s: its device must be %sNAME", port->name, prefix);
    w->rx = make_ring("rx", i);
    w->tx = make_ring("tx", i);
    struct rte_ring *tx[] = {w->tx, w->tx};
    int id = rte_eth_from_rings(port->device + strlen(prefix), &w->rx, 1, tx, RTE_DIM(tx), 0);
    /* It comes without an address, so one that is added becomes the first. */
    struct rte_ether_addr mac = {{0x02, 0x48, 0x41, 0, 0, place_by_name(conf, port)}};
    if (id < 0 || rte_eth_dev_mac_addr_add((uint16_t)id, &mac, 0) != 0)
        die("no device %s: %s", port->device, rte_strerror(rte_errno));
}

static void read_case(struct replay *r, const struct conf *conf)
{
    r->start_us = UINT64_MAX;
    r->n = (unsigned)conf->n_ports;
    for (unsigned i = 0; i < r->n; i++) {
        struct wire *w = &r->wire[i];
        read_capture(r, "in", i, &w->in);
        read_capture(r, "out", i, &w->expected);
        if (w->in.n == 0)
            continue;
        r->start_us = RTE_MIN(r->start_us, w->in.frame[0].at_us - before_us);
        r->last_us = RTE_MAX(r->last_us, w->in.frame[w->in.n - 1].at_us);
    }
    if (r->last_us == 0)
        die("%s: nothing comes in", r->path);
}

static struct conf *read_conf(const char *path)
{
    char file[PATH_MAX_LEN];
    snprintf(file, sizeof(file), "%s/homeport.conf", path);
    struct conf *conf = conf_load(file, stderr);
    if (conf == NULL)
        exit(EXIT_FAILURE);
    return conf;
}

static void start(struct replay *r, struct conf *conf)
{
    r->control.conf = conf; /* path_of needs it before control_open */
    read_case(r, conf);
    for (unsigned i = 0; i < r->n; i++)
        make_device(&r->wire[i], conf, i);
    set_now(r, mono_ns_of(r->start_us));
    int ret = control_open(&r->control, conf, r->now);
    if (ret != 0)
        die("the appliance does not start: %s", rte_strerror(-ret));
}

static void start_eal(const char *program)
{
    char prefix[64];
    snprintf(prefix, sizeof(prefix), "--file-prefix=replay-%d", (int)getpid());
    const char *argv[] = {program,
                          "--no-huge",
                          "-m",
                          "256",
                          "--no-shconf",
                          "--no-pci",
                          "--no-telemetry",
                          "--lcores=0@0,1@0",
                          prefix,
                          "--log-level=lib.eal:error"};
    if (rte_eal_init(RTE_DIM(argv), (char **)argv) < 0)
        die("no EAL: %s", rte_strerror(rte_errno));
}

/* ---- The end ---- */

static bool compare_frames(const struct replay *r)
{
    bool equal = true;
    for (unsigned i = 0; i < r->n; i++) {
        char name[PATH_MAX_LEN];
        path_of(r, "out", i, name);
        equal &= capture_compare(&r->wire[i].expected, &r->wire[i].actual, name, stderr);
    }
    return equal;
}

/* Every buffer is back in the pool but those of packets that still wait for a neighbour. */
static bool check_buffers(const struct replay *r)
{
    struct neighbor_view view;
    unsigned waiting = 0;
    for (uint32_t cursor = 0; neighbor_next(r->control.neighbors, &cursor, r->now.mono_ns, &view);)
        waiting += view.waiting;
    unsigned used = rte_mempool_in_use_count(r->control.pool);
    if (used == waiting)
        return true;
    fprintf(stderr, "%u packet buffers in use, but %u packets wait\n", used, waiting);
    return false;
}

static void keep_output(const struct replay *r)
{
    const char *temporary = getenv("TMPDIR");
    char directory[PATH_MAX_LEN];
    snprintf(directory, sizeof(directory), "%s/replay-XXXXXX", temporary != NULL ? temporary : "/tmp");
    if (mkdtemp(directory) == NULL)
        return;
    for (unsigned i = 0; i < r->n; i++) {
        char name[PATH_MAX_LEN], path[2 * PATH_MAX_LEN];
        path_of(r, "out", i, name);
        snprintf(path, sizeof(path), "%s/%s", directory, name);
        capture_write(&r->wire[i].actual, path);
    }
    fprintf(stderr, "what came is in %s\n", directory);
}

static bool check(const struct replay *r)
{
    char path[PATH_MAX_LEN];
    snprintf(path, sizeof(path), "%s/counters", r->path);
    bool passed = compare_frames(r);
    if (!passed)
        keep_output(r);
    passed &= counting_compare(&r->control, path, stderr);
    passed &= check_buffers(r);
    return passed;
}

int main(int argc, char **argv)
{
    static struct replay r;
    if (argc != 2) {
        fputs("usage: replay CASE\n", stderr);
        return 2;
    }
    r.path = argv[1];
    start_eal(argv[0]);
    log_open("replay", false);
    struct conf *conf = read_conf(r.path);
    start(&r, conf);
    play(&r);
    bool passed = check(&r);
    control_close(&r.control);
    for (unsigned i = 0; i < r.n; i++) {
        capture_free(&r.wire[i].in);
        capture_free(&r.wire[i].expected);
        capture_free(&r.wire[i].actual);
    }
    eal_stop();
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
