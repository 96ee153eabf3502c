/* SPDX-License-Identifier: BSD-3-Clause */
#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "floor.h"
#include "reporting.h"
#include "worker_rte_hash.h"
#include "writer.h"

/* ---- The table alone ---- */

/* An IPv6 address has a hash for a tag, and who looks it up has to make it, as the peer makes its own; what
 * was prepared is written once more. */
static void make_tags(struct lane *lane, unsigned from, unsigned n)
{
    if (lane->setup->family == FAMILY_IPV6)
        for (unsigned k = from; k < from + n; k++)
            lane->tags[k] = cuckoo_tag_ipv6(&lane->keys[k]);
}

static unsigned lap_lookup(struct lane *lane)
{
    const struct table *table = lane->population->table;
    const struct entry *found[CUCKOO_BURST];
    unsigned hits = 0, n, burst = RTE_MIN(lane->setup->burst, (unsigned)CUCKOO_BURST);
    for (unsigned k = 0; k < lane->work; k += n) {
        n = RTE_MIN(burst, lane->work - k);
        make_tags(lane, k, n);
        hits += (unsigned)__builtin_popcountll(
            table_lookup_burst(table, &lane->keys[k], &lane->tags[k], n, found));
    }
    return hits;
}

static unsigned lap_lookup_peer(struct lane *lane)
{
    const struct entry *found[CUCKOO_BURST];
    unsigned hits = 0, n, burst = RTE_MIN(lane->setup->burst, (unsigned)CUCKOO_BURST);
    for (unsigned k = 0; k < lane->work; k += n) {
        n = RTE_MIN(burst, lane->work - k);
        hits += (unsigned)__builtin_popcountll(peer_lookup_burst(&lane->keys[k], &lane->tags[k], n, found));
    }
    return hits;
}

static void tell_table(const struct bench *bench, struct row_extra *extra)
{
    extra->bytes = population_table_bytes(bench->population);
}

static void tell_peer(const struct bench *bench, struct row_extra *extra)
{
    extra->bytes = population_peer_bytes(bench->population);
}

/* ---- The worker ---- */

static void begin_worker(struct lane *lane)
{
    worker_start(lane->worker);
}

static void end_worker(struct lane *lane)
{
    worker_offline(lane->worker);
}

static void begin_peer_worker(struct lane *lane)
{
    peer_worker_start(lane->peer_worker);
}

static void end_peer_worker(struct lane *lane)
{
    peer_worker_offline(lane->peer_worker);
}

static unsigned lap_worker(struct lane *lane)
{
    while (lane->queue.next < lane->queue.n)
        worker_turn(lane->worker);
    return lane->queue.n_sent;
}

static unsigned lap_peer_worker(struct lane *lane)
{
    while (lane->queue.next < lane->queue.n)
        peer_worker_turn(lane->peer_worker);
    return lane->queue.n_sent;
}

/* Without receiving, accounting and the report of a quiescent state. */
static unsigned lap_worker_burst(struct lane *lane)
{
    struct queue *q = &lane->queue;
    for (; q->next < q->n; q->next += RTE_MIN(q->burst, q->n - q->next))
        worker_burst(lane->worker, 0, q->frames + q->next, RTE_MIN(q->burst, q->n - q->next));
    return q->n_sent;
}

/* ---- The table of them ---- */

static const struct row_kind kinds[] = {
    {
        .name = "floor",
        .text = "encapsulate and count, the entry by direct index",
        .needs = ROW_HITS,
        .exact = true,
        .drawn = true,
        .prepare = lane_prepare_frames,
        .lap = floor_staged,
    },
    {
        .name = "floor-rolling",
        .text = "the same, memory fetched twelve packets ahead",
        .needs = ROW_HITS,
        .exact = true,
        .prepare = lane_prepare_frames,
        .lap = floor_rolling,
    },
    {
        .name = "encapsulate-hot",
        .text = "the same with one binding for all packets",
        .needs = ROW_HITS,
        .exact = true,
        .prepare = lane_prepare_hot,
        .lap = floor_staged,
    },
    {
        .name = "lookup",
        .text = "the binding table alone",
        .unit = ROW_LOOKUPS,
        .exact = true,
        .drawn = true,
        .prepare = lane_prepare_keys,
        .lap = lap_lookup,
        .tell = tell_table,
    },
    {
        .name = "lookup-rte-hash",
        .text = "rte_hash alone",
        .unit = ROW_LOOKUPS,
        .exact = true,
        .drawn = true,
        .prepare = lane_prepare_keys,
        .lap = lap_lookup_peer,
        .tell = tell_peer,
    },
    {
        .name = "worker",
        .text = "the daemon's whole worker, turn by turn",
        .exact = true,
        .drawn = true,
        .begin = begin_worker,
        .end = end_worker,
        .prepare = lane_prepare_frames,
        .lap = lap_worker,
    },
    {
        .name = "worker-burst",
        .text = "the same from parsing to transmission, without the rest of its turn",
        .exact = true,
        .begin = begin_worker,
        .end = end_worker,
        .prepare = lane_prepare_frames,
        .lap = lap_worker_burst,
    },
    {
        .name = "worker-rte-hash",
        .text = "the daemon's whole worker on rte_hash",
        .needs = ROW_IPV4,
        .exact = true,
        .drawn = true,
        .begin = begin_peer_worker,
        .end = end_peer_worker,
        .prepare = lane_prepare_frames,
        .lap = lap_peer_worker,
    },
    {
        .name = "worker-decap",
        .text = "packets out of reverse tunnels, to their correspondents",
        .needs = ROW_HITS | ROW_GENERATED,
        .exact = true,
        .drawn = true,
        .begin = begin_worker,
        .end = end_worker,
        .prepare = lane_prepare_reverse,
        .lap = lap_worker,
    },
    {
        .name = "worker-rewriting-",
        .text = "the worker while N bindings a second are replaced, removed and installed again",
        .needs = ROW_HITS | ROW_GENERATED | ROW_BESIDE,
        .open = writer_open,
        .begin = begin_worker,
        .end = end_worker,
        .prepare = lane_prepare_frames,
        .lap = lap_worker,
        .beside = writer_run,
    },
    {
        .name = "worker-reporting",
        .text = "the worker while every binding has traffic and is reported once a second",
        .needs = ROW_HITS | ROW_GENERATED | ROW_ALONE | ROW_BESIDE,
        .exact = true,
        .open = reporting_open,
        .close = reporting_close,
        .begin = reporting_begin,
        .end = end_worker,
        .prepare = lane_prepare_frames,
        .lap = reporting_lap,
        .restore = reporting_restore,
        .tell = reporting_tell,
        .beside = reporting_collect,
    },
    {
        .name = "install",
        .text = "put a binding into the table that has none of that address",
        .unit = ROW_CHANGES,
        .needs = ROW_HITS | ROW_GENERATED | ROW_ALONE,
        .exact = true,
        .open = changes_open,
        .prepare = changes_prepare_install,
        .lap = changes_install,
    },
    {
        .name = "remove",
        .text = "take one out, its memory reclaimed",
        .unit = ROW_CHANGES,
        .needs = ROW_HITS | ROW_GENERATED | ROW_ALONE,
        .exact = true,
        .open = changes_open,
        .prepare = changes_prepare,
        .lap = changes_remove,
        .restore = changes_restore,
    },
    {
        .name = "replace",
        .text = "put another in its place, the memory of the former reclaimed",
        .unit = ROW_CHANGES,
        .needs = ROW_HITS | ROW_GENERATED | ROW_ALONE,
        .exact = true,
        .open = changes_open,
        .prepare = changes_prepare,
        .lap = changes_replace,
    },
};

static bool has_parameter(const struct row_kind *kind)
{
    return kind->name[strlen(kind->name) - 1] == '-';
}

static bool parse_parameter(const char *text, uint32_t *parameter)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value > WRITER_RATE_MAX)
        return false;
    *parameter = (uint32_t)value;
    return true;
}

static bool is_named(const struct row_kind *kind, const char *name, uint32_t *parameter)
{
    *parameter = 0;
    if (!has_parameter(kind))
        return strcmp(kind->name, name) == 0;
    size_t len = strlen(kind->name);
    return strncmp(kind->name, name, len) == 0 && parse_parameter(name + len, parameter);
}

bool row_find(const char *name, struct row *row)
{
    for (size_t i = 0; i < RTE_DIM(kinds); i++) {
        row->kind = &kinds[i];
        if (is_named(row->kind, name, &row->parameter))
            return true;
    }
    return false;
}

const char *row_name(const struct row *row, char name[static ROW_NAME_MAX])
{
    if (has_parameter(row->kind))
        snprintf(name, ROW_NAME_MAX, "%s%u", row->kind->name, row->parameter);
    else
        snprintf(name, ROW_NAME_MAX, "%s", row->kind->name);
    return name;
}

const char *row_obstacle(const struct row *row, const struct setup *setup, bool spare)
{
    unsigned needs = row->kind->needs;
    if ((needs & ROW_IPV4) != 0 && setup->family != FAMILY_IPV4)
        return "it is for IPv4, whose addresses are the table's tags";
    if (!setup_bears(setup->encapsulation, setup->family))
        return "that encapsulation is not for this family";
    if ((needs & ROW_HITS) != 0 && setup->hit != HIT_HIT)
        return "it is for traffic to bound addresses";
    if ((needs & ROW_GENERATED) != 0 && setup->traffic == TRAFFIC_PCAP)
        return "it is not for a capture's traffic";
    if ((needs & ROW_ALONE) != 0 && setup->workers > 1)
        return "it is for one worker";
    bool idle = has_parameter(row->kind) && row->parameter == 0;
    if ((needs & ROW_BESIDE) != 0 && !idle && !spare)
        return "there is no lcore left for control";
    return NULL;
}

const char *row_unit_text(enum row_unit unit)
{
    static const char *const texts[] = {
        [ROW_PACKETS] = "packet", [ROW_LOOKUPS] = "lookup", [ROW_CHANGES] = "change"};
    return texts[unit];
}

const struct row_kind *row_kind_after(const struct row_kind *kind)
{
    const struct row_kind *next = kind == NULL ? kinds : kind + 1;
    return next < kinds + RTE_DIM(kinds) ? next : NULL;
}
