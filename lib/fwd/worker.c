/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst passes four stages: parse all, look up all, decide and rewrite all, send all. Each packet's way
 * ends in finish(), the one tail: it is queued for transmission, handed to control, or dropped. Its verdict
 * is counted there, or for a frame in the transmit queue when that has taken it or refused it.
 */
#include "worker.h"

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "ethernet.h"
#include "fragment.h"
#include "pkt.h"
#include "tunnel.h"

enum {
    PREFETCH_AHEAD = 4,
    FRONT = 64,          /* the outer header is written in front of the frame, maybe in another cache line */
    QUOTE_MAX = 14 + 576 /* of a packet whose sender is told something (RFC 1812 section 4.3.2.3) */
};
static_assert(RTE_PKTMBUF_HEADROOM >= ENTRY_OUTER_MAX + ETHERNET_LEN, "fragments have room for the headers");
static_assert((int)VERDICT_COUNT <= UINT8_MAX, "a verdict fits into a byte");

struct burst {
    struct worker *w;
    const struct worker_settings *settings;
    uint64_t own_filter; /* a bit for each own address's hash: most sources are none of them */
    unsigned port_index;
    unsigned n;
    struct rte_mbuf **frame;
    struct pkt pkt[WORKER_BURST];
    enum verdict verdict[WORKER_BURST];
    const struct entry *entry[WORKER_BURST]; /* NULL: not looked up, or a miss */
    adjacency_word way[WORKER_BURST];        /* where a frame goes that is forwarded */
    uint32_t next_hop[WORKER_BURST];         /* the adjacency that PUNT_RESOLVE waits for */
};

static const uint8_t kinds[VERDICT_COUNT] = {
#define X(name, kind, key, text) [VERDICT_##name] = VERDICT_##kind,
    VERDICTS(X)
#undef X
};

static const uint8_t punt_classes[VERDICT_COUNT] = {
    [VERDICT_PUNT_ARP] = PUNT_ARP,
    [VERDICT_PUNT_DELEGATION] = PUNT_DELEGATION,
    [VERDICT_PUNT_SIGNALLING] = PUNT_SIGNALLING,
    [VERDICT_PUNT_LOCAL] = PUNT_LOCAL,
    [VERDICT_PUNT_RESOLVE] = PUNT_RESOLVE,
    [VERDICT_PUNT_TTL_EXCEEDED] = PUNT_ERROR,
    [VERDICT_PUNT_TOO_BIG] = PUNT_ERROR,
};

/* ---- Transmission ---- */

static unsigned hand_off(struct rte_ring *handoff, struct rte_mbuf **frame, unsigned n)
{
    return handoff == NULL ? 0 : rte_ring_mp_enqueue_burst(handoff, (void **)frame, n, NULL);
}

/* Until all are taken or the queue takes no more: some drivers take fewer at once than they have room for. */
static unsigned transmit(struct worker *w, const struct worker_port *port, struct rte_mbuf **frame,
                         unsigned n)
{
    uint64_t bytes = 0; /* of all, for what is sent is not ours to read any more; then less what is not */
    for (unsigned i = 0; i < n; i++)
        bytes += rte_pktmbuf_pkt_len(frame[i]);
    unsigned sent = 0, taken;
    do {
        taken = rte_eth_tx_burst(port->port_id, port->tx_queue, frame + sent, (uint16_t)(n - sent));
        sent += taken;
    } while (taken > 0 && sent < n);
    for (unsigned i = sent; i < n; i++)
        bytes -= rte_pktmbuf_pkt_len(frame[i]);
    w->counters.tx_bytes += bytes;
    w->counters.tx_packets += sent;
    return sent;
}

static void flush(struct worker *w, unsigned port_index)
{
    const struct worker_port *port = &w->port[port_index];
    struct worker_tx *tx = &w->tx[port_index];
    if (tx->n == 0)
        return;
    unsigned sent =
        port->own_tx ? transmit(w, port, tx->frame, tx->n) : hand_off(port->handoff, tx->frame, tx->n);
    if (unlikely(sent < tx->n))
        rte_pktmbuf_free_bulk(tx->frame + sent, tx->n - sent);
    for (unsigned i = 0; i < tx->n; i++)
        if (likely(tx->verdict[i] != VERDICT_COUNT))
            w->counters.verdict[i < sent ? tx->verdict[i] : VERDICT_DROP_TX_FULL]++;
    tx->n = 0;
}

/* m begins at the IP header; there is headroom, as it was received with an Ethernet header or tunnel_prepend
 * has seen to it. */
static void queue_frame(struct worker *w, struct rte_mbuf *m, adjacency_word way, enum verdict verdict)
{
    unsigned port_index = adjacency_port(way);
    struct worker_tx *tx = &w->tx[port_index];
    ethernet_prepend(m, &w->port[port_index].mac, way, ETHERTYPE_IPV4);
    tx->frame[tx->n] = m;
    tx->verdict[tx->n] = (uint8_t)verdict;
    if (++tx->n == RTE_DIM(tx->frame))
        flush(w, port_index);
}

/* ---- Punts ---- */

static bool admit(struct burst *b, unsigned i, enum punt_class c)
{
    struct worker *w = b->w;
    return punt_admit(w->class_bucket, w->source_bucket, c, b->pkt[i].source, rte_rdtsc());
}

static bool enqueue_punt(struct burst *b, unsigned i, struct rte_mbuf *m, enum verdict verdict,
                         enum punt_class c, uint32_t next_hop)
{
    *punt_meta(m) = (struct punt_meta){
        .class = (uint8_t)c,
        .verdict = (uint8_t)verdict,
        .port_index = (uint8_t)b->port_index,
        .link_cast = b->pkt[i].link_cast,
        .mtu = verdict == VERDICT_PUNT_TOO_BIG ? b->entry[i]->mtu : 0,
        .unreachable = verdict == VERDICT_TUNNELLED,
        .adjacency = next_hop,
    };
    if (rte_ring_mp_enqueue(b->w->punts->ring[c], m) == 0)
        return true;
    rte_pktmbuf_free(m);
    return false;
}

/* Takes m over. Returns what became of it. */
static enum verdict punt(struct burst *b, unsigned i, struct rte_mbuf *m, enum verdict verdict,
                         uint32_t next_hop)
{
    enum punt_class c = punt_classes[verdict];
    if (!admit(b, i, c)) {
        rte_pktmbuf_free(m);
        b->w->counters.policed[c]++;
        return VERDICT_DROP_POLICED;
    }
    if (!enqueue_punt(b, i, m, verdict, c, next_hop)) {
        b->w->counters.policed[c]++;
        return VERDICT_DROP_PUNT_FULL;
    }
    return verdict;
}

/* RFC 2003 section 5: a packet for a tunnel whose exit is known to be unreachable draws the error and is
 * forwarded all the same. Control gets the beginning of it; above the rate of errors nobody misses one. */
static void tell_unreachable(struct burst *b, unsigned i)
{
    struct rte_mbuf *m = b->frame[i];
    if (!admit(b, i, PUNT_ERROR))
        return;
    struct rte_mbuf *copy =
        rte_pktmbuf_copy(m, b->w->pool, 0, RTE_MIN(rte_pktmbuf_pkt_len(m), (uint32_t)QUOTE_MAX));
    if (copy != NULL && enqueue_punt(b, i, copy, VERDICT_TUNNELLED, PUNT_ERROR, ADJACENCY_NONE))
        b->w->counters.unreachable_told++;
}

/* ---- Forwarding: from here on a packet begins at its IP header ---- */

static adjacency_word way_of(const struct worker *w, uint32_t adjacency)
{
    adjacency_word way = adjacency_read(w->adjacencies, adjacency);
    return (way & ADJACENCY_VALID) != 0 && adjacency_port(way) < w->n_ports ? way : 0;
}

/* Workers take turns in the numbers, and nodes that tunnel from one source address have a slot each, so that
 * no two give one to the same source, destination and protocol until all of the slot are used up (RFC 6864
 * section 4.3). */
static uint16_t next_identification(const struct burst *b, const struct entry *e)
{
    enum { SLOT = 65536 / WORKER_ID_SLOTS };
    struct worker *w = b->w;
    uint16_t *next = &w->identification[e->id_bucket];
    uint16_t identification = (uint16_t)(*next + w->index);
    *next = (uint16_t)(*next + rte_align32pow2(w->workers));
    if (b->settings->id_slots != WORKER_ID_SLOTS)
        return identification;
    return (uint16_t)(e->id_slot * SLOT + identification % SLOT);
}

/* Encapsulates m if its entry says so. False: no headroom. */
static bool wrap(struct burst *b, const struct entry *e, struct rte_mbuf *m)
{
    if (e->kind != ENTRY_TUNNEL)
        return true;
    struct tunnel_inner inner = tunnel_inner_of(rte_pktmbuf_mtod(m, const uint8_t *));
    /* DF inside: MUST be set outside; else it MAY be (RFC 2003 section 3.1). Not on a fragment that cannot be
     * made as small as the tunnel would like it (FRAGMENT_MTU_MIN): that one needs help on its way. */
    bool df = inner.df || (b->settings->outer_df_always && inner.size <= e->mtu);
    return tunnel_prepend(m, e, &inner, df, df ? 0 : next_identification(b, e));
}

/* One frame of those that a packet becomes beside its last one: its verdict is counted with that. */
static void send_piece(struct burst *b, unsigned i, const struct entry *e, struct rte_mbuf *m,
                       adjacency_word way)
{
    if (way != 0)
        queue_frame(b->w, m, way, VERDICT_COUNT);
    else
        punt(b, i, m, VERDICT_PUNT_RESOLVE, e->adjacency);
}

/* DF clear and too big: each fragment becomes a packet of the tunnel, so that its exit need not reassemble
 * (RFC 2003 section 5.1). The packet is only read. Returns how many there are; 0: no buffers. */
static unsigned make_fragments(struct burst *b, unsigned i, const struct entry *e,
                               struct rte_mbuf *piece[static FRAGMENTS_MAX])
{
    int n = fragment_ipv4(b->frame[i], e->mtu, b->w->pool, piece);
    for (int k = 0; k < n; k++) {
        if (!wrap(b, e, piece[k])) {
            rte_pktmbuf_free_bulk(piece, (unsigned)n);
            return 0;
        }
    }
    return n < 0 ? 0 : (unsigned)n;
}

static enum verdict leave(struct burst *b, unsigned i, const struct entry *e, enum verdict verdict)
{
    b->way[i] = way_of(b->w, e->adjacency);
    b->next_hop[i] = e->adjacency;
    return b->way[i] != 0 ? verdict : VERDICT_PUNT_RESOLVE;
}

/* The last fragment takes the packet's place in the burst, and its verdict. */
static enum verdict forward_fragments(struct burst *b, unsigned i, enum verdict verdict)
{
    const struct entry *e = b->entry[i];
    struct rte_mbuf *piece[FRAGMENTS_MAX];
    unsigned n = make_fragments(b, i, e, piece);
    if (n == 0)
        return VERDICT_DROP_NO_MBUF;
    rte_pktmbuf_free(b->frame[i]);
    b->frame[i] = piece[n - 1];
    verdict = leave(b, i, e, verdict);
    for (unsigned k = 0; k < n - 1; k++)
        send_piece(b, i, e, piece[k], b->way[i]);
    return verdict;
}

static enum verdict forward_whole(struct burst *b, unsigned i, enum verdict verdict)
{
    const struct entry *e = b->entry[i];
    return wrap(b, e, b->frame[i]) ? leave(b, i, e, verdict) : VERDICT_DROP_NO_MBUF;
}

/* ---- Simultaneous bindings (RFC 5944 section 3.8.2.1): a copy to each further care-of address ---- */

static const struct entry *entry_behind(const struct burst *b, const struct entry *e)
{
    return likely((e->flags & ENTRY_MORE) == 0) ? NULL : table_more(b->w->table, e);
}

/* 1, or 0: no buffer. */
static unsigned make_copy(struct burst *b, unsigned i, const struct entry *e, struct rte_mbuf **copy)
{
    *copy = rte_pktmbuf_copy(b->frame[i], b->w->pool, 0, UINT32_MAX);
    if (*copy == NULL)
        return 0;
    if (wrap(b, e, *copy))
        return 1;
    rte_pktmbuf_free(*copy);
    return 0;
}

static void send_copies(struct burst *b, unsigned i, bool fits)
{
    struct rte_mbuf *piece[FRAGMENTS_MAX];
    for (const struct entry *e = entry_behind(b, b->entry[i]); e != NULL; e = entry_behind(b, e)) {
        unsigned n = fits ? make_copy(b, i, e, piece) : make_fragments(b, i, e, piece);
        adjacency_word way = way_of(b->w, e->adjacency);
        b->w->counters.copies_lost += n == 0;
        for (unsigned k = 0; k < n; k++)
            send_piece(b, i, e, piece[k], way);
    }
}

/* Strips the frame's Ethernet header and takes the hop (RFC 2003 section 3.1, RFC 1812 section 5.3.1). */
static void take_hop(struct rte_mbuf *frame)
{
    uint8_t *ip = (uint8_t *)rte_pktmbuf_adj(frame, ETHERNET_LEN);
    pkt_decrement_ttl(PKT_IPV4, ip);
}

static void count_binding(struct worker *w, const struct entry *e, const struct pkt *p)
{
    struct binding_counter *c = &w->bindings[e->slot];
    c->packets++;
    c->bytes += p->size;
}

/* What tunnel and home link have in common. All reasons against it are checked before the packet is changed:
 * what control gets to answer is as it came. */
static enum verdict forward(struct burst *b, unsigned i, enum verdict whole, enum verdict in_fragments)
{
    const struct entry *e = b->entry[i];
    const struct pkt *p = &b->pkt[i];
    if (p->ttl <= 1)
        return VERDICT_PUNT_TTL_EXCEEDED;
    bool fits = p->size <= e->mtu;
    if (!fits && (p->fragment & IPV4_DF) != 0)
        return VERDICT_PUNT_TOO_BIG; /* RFC 2003 section 5.1, RFC 1191 section 4 */
    if ((e->flags & ENTRY_UNREACHABLE) != 0)
        tell_unreachable(b, i);
    count_binding(b->w, e, p);
    take_hop(b->frame[i]);
    if (unlikely((e->flags & ENTRY_MORE) != 0))
        send_copies(b, i, fits);
    return fits ? forward_whole(b, i, whole) : forward_fragments(b, i, in_fragments);
}

/* ---- Decisions ---- */

static uint64_t own_bit(uint32_t address)
{
    return UINT64_C(1) << (address * UINT32_C(2654435769) >> 26);
}

static uint64_t own_filter(const struct worker_settings *settings)
{
    uint64_t filter = 0;
    for (unsigned i = 0; i < settings->n_own; i++)
        filter |= own_bit(settings->own[i]);
    return filter;
}

static bool is_own(const struct burst *b, uint32_t address)
{
    if (likely((b->own_filter & own_bit(address)) == 0))
        return false;
    for (unsigned i = 0; i < b->settings->n_own; i++)
        if (b->settings->own[i] == address)
            return true;
    return false;
}

/* The packet is already encapsulated for the address it is sent to (RFC 5944 section 4.2.3). */
static bool is_encapsulated_again(struct rte_mbuf *frame, const struct pkt *p)
{
    const uint8_t *inner = pkt_ip(frame) + p->header_len;
    return p->protocol == IPPROTO_IPIP && p->size >= p->header_len + IPV4_LEN_MIN &&
           (p->fragment & IPV4_OFFSET) == 0 &&
           memcmp(inner + 16, &p->destination, sizeof(p->destination)) == 0;
}

/* The packet's source is a care-of address that it would be sent to. */
static bool is_from_exit(const struct burst *b, unsigned i)
{
    for (const struct entry *e = b->entry[i]; e != NULL; e = entry_behind(b, e))
        if (b->pkt[i].source == tunnel_destination(e))
            return true;
    return false;
}

static enum verdict decide_tunnel(struct burst *b, unsigned i)
{
    const struct pkt *p = &b->pkt[i];
    /* RFC 2003 section 3.2. Packets of the appliance itself never come this way: control tunnels those. */
    if (is_own(b, p->source))
        return VERDICT_DROP_LOOP_OWN_SOURCE;
    /* RFC 5944 section 4.2.3 asks to drop what its care-of address sends back encapsulated, RFC 2003
     * section 3.2 whatever it sends: the stricter rule holds, the counters tell which it was. */
    if (is_from_exit(b, i))
        return is_encapsulated_again(b->frame[i], p) ? VERDICT_DROP_RECURSIVE : VERDICT_DROP_LOOP_CARE_OF;
    return forward(b, i, VERDICT_TUNNELLED, VERDICT_FRAGMENTED);
}

static bool is_delegation(const struct worker_settings *s, const uint8_t *ip, const struct pkt *p)
{
    if (p->protocol != IPPROTO_UDP || s->delegation_port == 0 ||
        pkt_read16(ip + p->header_len + 2) != s->delegation_port)
        return false;
    for (unsigned i = 0; i < s->n_peers; i++)
        if (s->peers[i] == p->source)
            return true;
    return false;
}

static enum verdict decide_local(struct burst *b, unsigned i)
{
    const struct pkt *p = &b->pkt[i];
    const uint8_t *ip = pkt_ip(b->frame[i]);
    if ((b->entry[i]->flags & ENTRY_BROADCAST) != 0)
        return pkt_broadcast_verdict(ip, p);
    if (p->link_cast)
        return VERDICT_DROP_LINK_BROADCAST;
    enum verdict v = pkt_local_verdict(ip, p);
    return v == VERDICT_PUNT_LOCAL && is_delegation(b->settings, ip, p) ? VERDICT_PUNT_DELEGATION : v;
}

static const struct ipv4_network *home_network(const struct worker_settings *settings, uint32_t address)
{
    for (unsigned i = 0; i < settings->n_home_networks; i++)
        if ((address & settings->home_networks[i].mask) == settings->home_networks[i].address)
            return &settings->home_networks[i];
    return NULL;
}

static bool is_from_station(struct rte_mbuf *frame, adjacency_word station)
{
    uint8_t mac[6];
    adjacency_mac(station, mac);
    return memcmp(rte_pktmbuf_mtod_offset(frame, const uint8_t *, sizeof(mac)), mac, sizeof(mac)) == 0;
}

/* A secondary's repair of its neighbours' stale caches. The packet stays on its link and takes no hop; what
 * keeps it from circling is said at struct ipv4_network, and should that be set wrong, the rate bounds it. */
static enum verdict second_chance(struct burst *b, unsigned i, uint32_t primary)
{
    struct worker *w = b->w;
    adjacency_word way = way_of(w, primary);
    if (is_from_station(b->frame[i], way) || !token_bucket_take(&w->second_chances, WORKER_SECOND_CHANCES,
                                                                WORKER_SECOND_CHANCES_AT_ONCE, rte_rdtsc()))
        return VERDICT_DROP_SECOND_CHANCE;
    rte_pktmbuf_adj(b->frame[i], ETHERNET_LEN);
    b->way[i] = way;
    b->next_hop[i] = primary;
    return way != 0 ? VERDICT_SECOND_CHANCE : VERDICT_PUNT_RESOLVE;
}

/* A home address without a binding is at home (RFC 5944 section 4.2.3): control looks for it on the link. */
static enum verdict decide_unknown(struct burst *b, unsigned i)
{
    const struct ipv4_network *network = home_network(b->settings, b->pkt[i].destination);
    if (network == NULL)
        return VERDICT_DROP_NO_BINDING;
    if (is_own(b, b->pkt[i].source)) /* RFC 1812 section 4.2.2.11 */
        return VERDICT_DROP_LOOP_OWN_SOURCE;
    if (network->second_chance != ADJACENCY_NONE)
        return second_chance(b, i, network->second_chance);
    if (b->pkt[i].ttl <= 1)
        return VERDICT_PUNT_TTL_EXCEEDED;
    take_hop(b->frame[i]);
    return VERDICT_PUNT_RESOLVE;
}

static enum verdict decide_on_link(struct burst *b, unsigned i)
{
    if (is_own(b, b->pkt[i].source))
        return VERDICT_DROP_LOOP_OWN_SOURCE;
    return forward(b, i, VERDICT_ON_LINK, VERDICT_ON_LINK);
}

static enum verdict decide(struct burst *b, unsigned i)
{
    const struct entry *e = b->entry[i];
    if (e != NULL && e->kind == ENTRY_LOCAL)
        return decide_local(b, i);
    /* RFC 1122 section 3.3.6, RFC 1812 section 5.3.4: a link broadcast is never forwarded. */
    if (b->pkt[i].link_cast)
        return VERDICT_DROP_LINK_BROADCAST;
    if (e == NULL)
        return decide_unknown(b, i);
    return e->kind == ENTRY_TUNNEL ? decide_tunnel(b, i) : decide_on_link(b, i);
}

/* ---- The stages ---- */

static void prefetch_frame(struct rte_mbuf *frame)
{
    rte_prefetch0(rte_pktmbuf_mtod(frame, const uint8_t *));
    rte_prefetch0(rte_pktmbuf_mtod(frame, const uint8_t *) - FRONT);
}

static void parse_all(struct burst *b)
{
    struct worker_counters *c = &b->w->counters;
    const struct mac *own = &b->w->port[b->port_index].mac;
    for (unsigned i = 0; i < PREFETCH_AHEAD && i < b->n; i++)
        prefetch_frame(b->frame[i]);
    for (unsigned i = 0; i < b->n; i++) {
        if (i + PREFETCH_AHEAD < b->n)
            prefetch_frame(b->frame[i + PREFETCH_AHEAD]);
        c->rx_bytes += rte_pktmbuf_pkt_len(b->frame[i]);
        b->entry[i] = NULL;
        b->next_hop[i] = ADJACENCY_NONE;
        b->verdict[i] = pkt_parse(b->frame[i], own, &b->pkt[i]);
    }
    c->rx_packets += b->n;
}

static void look_up_all(struct burst *b)
{
    uint32_t key[WORKER_BURST];
    unsigned of[WORKER_BURST], n = 0;
    const struct entry *entry[WORKER_BURST];
    for (unsigned i = 0; i < b->n; i++) {
        if (b->verdict[i] != PKT_LOOK_UP)
            continue;
        of[n] = i;
        key[n++] = b->pkt[i].destination;
    }
    table_lookup_burst(b->w->table, key, n, entry);
    for (unsigned k = 0; k < n; k++) {
        b->entry[of[k]] = entry[k];
        if (entry[k] != NULL)
            rte_prefetch0(&b->w->bindings[entry[k]->slot]);
    }
}

static void decide_all(struct burst *b)
{
    for (unsigned i = 0; i < b->n; i++)
        if (b->verdict[i] == PKT_LOOK_UP)
            b->verdict[i] = decide(b, i);
}

/* The tail: every packet passes here once. */
static void finish(struct burst *b, unsigned i)
{
    struct worker *w = b->w;
    enum verdict verdict = b->verdict[i];
    switch (kinds[verdict]) {
    case VERDICT_FORWARD:
        queue_frame(w, b->frame[i], b->way[i], verdict);
        return;
    case VERDICT_PUNT:
        w->counters.verdict[punt(b, i, b->frame[i], verdict, b->next_hop[i])]++;
        return;
    default:
        rte_pktmbuf_free(b->frame[i]);
        w->counters.verdict[verdict]++;
    }
}

static void send_all(struct burst *b)
{
    for (unsigned i = 0; i < b->n; i++)
        finish(b, i);
    for (unsigned port_index = 0; port_index < b->w->n_ports; port_index++)
        flush(b->w, port_index);
}

static void one_burst(struct worker *w, unsigned port_index, struct rte_mbuf **frames, unsigned n)
{
    struct burst b;
    b.w = w;
    b.settings = __atomic_load_n(&w->settings, __ATOMIC_ACQUIRE);
    b.own_filter = own_filter(b.settings);
    b.port_index = port_index;
    b.n = n;
    b.frame = frames;
    parse_all(&b);
    look_up_all(&b);
    decide_all(&b);
    send_all(&b);
}

void worker_burst(struct worker *w, unsigned port_index, struct rte_mbuf **frames, unsigned n)
{
    while (n > 0) {
        unsigned now = RTE_MIN(n, (unsigned)WORKER_BURST);
        one_burst(w, port_index, frames, now);
        frames += now;
        n -= now;
    }
}

/* ---- The turn ---- */

/* Frames that other lcores left for our queue. What the queue refuses stays with us and is tried again, so
 * that the ring fills up and those who feed it count what does not get in: none is counted twice. */
static unsigned serve_handoff(struct worker *w, unsigned port_index)
{
    struct worker_handed *handed = &w->handed[port_index];
    const struct worker_port *port = &w->port[port_index];
    if (handed->n == 0)
        handed->n = rte_ring_sc_dequeue_burst(port->handoff, (void **)handed->frame, WORKER_BURST, NULL);
    if (handed->n == 0)
        return 0;
    unsigned sent = transmit(w, port, handed->frame, handed->n);
    handed->n -= sent;
    memmove(handed->frame, handed->frame + sent, handed->n * sizeof(handed->frame[0]));
    return sent;
}

static unsigned receive(struct worker *w, unsigned port_index)
{
    struct rte_mbuf *frames[WORKER_BURST];
    const struct worker_port *port = &w->port[port_index];
    unsigned n = rte_eth_rx_burst(port->port_id, port->rx_queue, frames, WORKER_BURST);
    worker_burst(w, port_index, frames, n);
    return n;
}

/* The end of a turn: what it cost, and a slice of the reports to control. */
static void account(struct worker *w, bool idle, uint64_t began_tsc)
{
    uint64_t now_tsc = rte_rdtsc();
    w->counters.turns++;
    if (idle)
        w->counters.idle_turns++;
    else
        w->counters.busy_tsc += now_tsc - began_tsc;
    w->counters.rate_reports_put_off += rate_sweep_turn(&w->rates, table_slots_used(w->table), now_tsc);
}

unsigned worker_turn(struct worker *w)
{
    uint64_t began_tsc = rte_rdtsc();
    unsigned done = 0;
    for (unsigned i = 0; i < w->n_ports; i++) {
        if (w->port[i].receive)
            done += receive(w, i);
        if (w->port[i].serves_handoff)
            done += serve_handoff(w, i);
    }
    account(w, done == 0, began_tsc);
    rte_rcu_qsbr_quiescent(table_qsbr(w->table), w->index);
    return done;
}

void worker_start(struct worker *w)
{
    rte_rcu_qsbr_thread_register(table_qsbr(w->table), w->index);
    worker_online(w);
}

void worker_online(struct worker *w)
{
    rte_rcu_qsbr_thread_online(table_qsbr(w->table), w->index);
}

void worker_offline(struct worker *w)
{
    rte_rcu_qsbr_thread_offline(table_qsbr(w->table), w->index);
}
