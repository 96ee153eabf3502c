/* SPDX-License-Identifier: BSD-3-Clause */
#include "control.h"

#include <errno.h>
#include <sys/random.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_lcore.h>

#include "doctor.h"
#include "effects.h"
#include "forwarding.h"
#include "host.h"
#include "host_fragment.h"
#include "load.h"
#include "log.h"
#include "routing.h"
#include "transmit.h"
#include "worker_settings.h"
#include "workers.h"

enum {
    NEIGHBORS_MAX = 65536,
    POOL_CACHE = 256,
    POOL_BASE = 8191,      /* what control, its queues and its waiting packets may hold */
    POOL_PER_QUEUE = 4096, /* descriptors both ways, bursts, hand-off rings */
    TABLE_EXTRA = 8192,    /* own, broadcast and on-link addresses beside the bindings */
    EXPIRE_BUDGET = 512,   /* steps of one turn: some 100 us at the most */
    NEIGHBOR_BUDGET = 64,
    FORWARDING_BUDGET = 256,
    RATES_BUDGET = 4096,
    RECLAIM_BUDGET = 1024,
    COMMANDS_BUDGET = 4,
    LINK_POLL_MS = 100
};

/* ---- What the neighbours ask for ---- */

static void solicit(void *context, uint8_t port_index, const struct addr *target, const struct mac *known)
{
    if (addr_is_ipv4(target))
        transmit_arp_request(context, port_index, target, known);
    else
        host_nd_solicit(context, port_index, target, known);
}

static void release(void *context, uint32_t adjacency, void *packet)
{
    transmit_by_adjacency(context, adjacency, packet);
}

static void discard(void *context, const struct addr *target, void *packet, bool unanswered)
{
    (void)target;
    if (unanswered)
        transmit_unreachable(context, CONTROL_SEND_UNRESOLVED, ICMP_ERROR_HOST, packet);
    else
        rte_pktmbuf_free(packet); /* counted by the neighbours */
}

static void changed(void *context, const struct neighbor_view *neighbor, bool resolved)
{
    forwarding_on_link(context, neighbor, resolved);
}

/* ---- Making and unmaking ---- */

static struct rte_mempool *make_pool(const struct conf *conf, unsigned workers)
{
    unsigned largest_mtu = RTE_ETHER_MTU;
    for (size_t i = 0; i < conf->n_ports; i++)
        largest_mtu = RTE_MAX(largest_mtu, (unsigned)conf->ports[i].mtu);
    unsigned queues = (unsigned)conf->n_ports * (workers + 1);
    unsigned room =
        RTE_PKTMBUF_HEADROOM + RTE_ALIGN_CEIL(largest_mtu + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN, 128);
    unsigned buffers = POOL_BASE + queues * POOL_PER_QUEUE + conf->eal.buffers;
    struct rte_mempool *pool =
        rte_pktmbuf_pool_create("packets", buffers, POOL_CACHE, PUNT_META_SIZE,
                                (uint16_t)RTE_MAX(room, (unsigned)RTE_MBUF_DEFAULT_BUF_SIZE), SOCKET_ID_ANY);
    if (pool == NULL)
        log_error("no memory for %u packet buffers: give eal { memory } more than %u MiB", buffers,
                  conf->eal.memory_mib);
    return pool;
}

static int open_table(struct control *c)
{
    uint32_t capacity = c->conf->agent.max_bindings + TABLE_EXTRA;
    c->table = table_create(capacity, c->n_workers, SOCKET_ID_ANY);
    if (c->table != NULL)
        return 0;
    log_error(
        "no memory for a table of %u bindings: give eal { memory } more than %u MiB, or lower max-bindings",
        c->conf->agent.max_bindings, c->conf->eal.memory_mib);
    return -ENOMEM;
}

/* By which other agents know what we say on the home link, ARP or neighbour discovery. */
static struct mac home_link_mac(const struct control *c)
{
    const struct agent_settings *s = &c->conf->agent;
    int port_index = s->n_home_networks > 0 ? ports_connected(&c->ports, &s->home_networks[0].addr) : -1;
    return c->ports.port[RTE_MAX(port_index, 0)].mac;
}

int control_set_ipsec(struct control *c, const struct conf_ipsec *s)
{
    const int ret = agent_ipsec_set(c->agent, &s->home, &s->in, &s->out);
    if (!s->has_home_test)
        return ret;
    const int home_test =
        agent_home_test_set(c->agent, &s->home, &s->home_test_in, &s->home_test_out, c->now);
    return ret != 0 ? ret : home_test;
}

static int open_agent(struct control *c)
{
    uint8_t seed[AGENT_SEED];
    c->conf->agent.mac = home_link_mac(c);
    if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
        return -EIO;
    c->agent = agent_create(&c->conf->agent, seed, c->now);
    if (c->agent == NULL)
        return -ENOMEM;
    agent_sweep_begin(c->agent);
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < c->conf->n_foreign_agents; i++)
        ret =
            agent_foreign_set(c->agent, &c->conf->foreign_agents[i].address, &c->conf->foreign_agents[i].sa);
    for (size_t i = 0; ret == 0 && i < c->conf->n_mobiles; i++)
        ret = agent_mobile_set(c->agent, &c->conf->mobiles[i].home, &c->conf->mobiles[i].sa,
                               c->conf->mobiles[i].nai);
    for (size_t i = 0; ret == 0 && i < c->conf->n_ipsec; i++)
        ret = control_set_ipsec(c, &c->conf->ipsec[i]);
    for (size_t i = 0; ret == 0 && i < c->conf->n_peers; i++)
        ret = agent_peer_set(c->agent, &c->conf->peers[i]);
    return ret;
}

static int open_neighbors(struct control *c)
{
    const struct neighbor_ops ops = {
        .context = c, .solicit = solicit, .release = release, .discard = discard, .changed = changed};
    c->adjacencies = adjacencies_create(NEIGHBORS_MAX);
    if (c->adjacencies == NULL)
        return -ENOMEM;
    c->neighbors = neighbors_create(c->adjacencies, NEIGHBORS_MAX - 1, &ops, c->now.ntp);
    return c->neighbors != NULL ? 0 : -ENOMEM;
}

static int open_pool(struct control *c)
{
    c->pool = make_pool(c->conf, c->n_workers);
    if (c->pool == NULL)
        return -rte_errno;
    /* An answer as large as what came in fragments has to fit, too. */
    c->reassembly = reassembly_create((size_t)rte_pktmbuf_data_room_size(c->pool) - RTE_PKTMBUF_HEADROOM);
    return c->reassembly != NULL ? 0 : -ENOMEM;
}

static int open_ports(struct control *c)
{
    return ports_open(&c->ports, c->conf, c->n_workers, c->pool);
}

static int open_punts(struct control *c)
{
    return punt_rings_create(&c->punts, "punt", SOCKET_ID_ANY);
}

static int open_routes(struct control *c)
{
    return routing_build(c->conf, &c->routes);
}

static int open_rates(struct control *c)
{
    c->rates = rates_create("rates", table_slots(c->table), SOCKET_ID_ANY);
    return c->rates != NULL ? 0 : -rte_errno;
}

static int open_mailbox(struct control *c)
{
    c->mailbox = mailbox_create();
    return c->mailbox != NULL ? 0 : -ENOMEM;
}

static int set_local(struct control *c)
{
    return forwarding_set_local(c);
}

static int start_nd(struct control *c)
{
    host_mld_start(c, c->now.ntp);
    host_nd_start(c, c->now.ntp);
    return 0;
}

int control_open(struct control *c, struct conf *conf, struct instant now)
{
    /* Each step may rely on those before it; control_close undoes them in reverse. */
    static const struct {
        const char *what;
        int (*open)(struct control *c);
    } steps[] = {
        {"packet buffers", open_pool},
        {"ports", open_ports},
        {"binding table", open_table},
        {"punt rings", open_punts},
        {"routes", open_routes},
        {"neighbours", open_neighbors},
        {"home agent", open_agent},
        {"rates", open_rates},
        {"workers", workers_create},
        {"own addresses", set_local},
        {"home networks", worker_settings_publish},
        {"mailbox", open_mailbox},
        {"neighbour discovery", start_nd},
    };
    *c = (struct control){.conf = conf, .now = now, .n_workers = rte_lcore_count() - 1};
    c->started_ns = c->now.mono_ns;
    for (size_t i = 0; i < RTE_DIM(steps); i++) {
        int ret = steps[i].open(c);
        if (ret == 0)
            continue;
        log_error("%s: %s", steps[i].what, rte_strerror(-ret));
        control_close(c);
        return ret;
    }
    return 0;
}

void control_close(struct control *c)
{
    if (c->mailbox != NULL) { /* it got as far as that */
        host_nd_stop(c);
        host_mld_stop(c);
    }
    mailbox_destroy(c->mailbox);
    control_reload_abandon(c);
    free(c->baseline);
    neighbors_destroy(c->neighbors); /* gives its waiting packets back, so before the ports */
    agent_destroy(c->agent);
    workers_destroy(c);
    rates_destroy(c->rates);
    worker_settings_forget(c);
    adjacencies_destroy(c->adjacencies);
    routes_destroy(c->routes);
    punt_rings_destroy(&c->punts);
    table_destroy(c->table);
    ports_close(&c->ports);
    reassembly_destroy(c->reassembly);
    rte_mempool_free(c->pool);
    conf_free(c->conf);
    *c = (struct control){0};
}

/* ---- The turn ---- */

static void link_changed(void *context, unsigned port_index)
{
    struct control *c = context;
    const struct port *port = &c->ports.port[port_index];
    log_write(port->link_up ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "port %s: link is %s", port->name,
              port->link_up ? "up" : "down");
    if (port->link_up)
        host_link_up(c, port_index);
    else
        neighbor_port_down(c->neighbors, (uint8_t)port_index, c->now.mono_ns);
}

static void poll_link(struct control *c)
{
    if (c->now.mono_ns < c->link_poll_ns)
        return;
    c->link_poll_ns = c->now.mono_ns + LINK_POLL_MS * NSEC_PER_MS;
    ports_poll_link(&c->ports, link_changed, c);
}

bool control_turn(struct control *c, struct instant now)
{
    c->now = now;
    bool worked = host_serve(c) > 0;
    if (agent_deadline(c->agent) <= c->now.mono_ns) {
        agent_expire(c->agent, c->now, EXPIRE_BUDGET);
        effects_carry_out(c);
        worked = true;
    }
    worked |= host_nd_work(c);
    worked |= host_mld_work(c);
    worked |= host_fragment_work(c);
    neighbor_expire(c->neighbors, c->now.mono_ns, NEIGHBOR_BUDGET);
    poll_link(c);
    rates_collect(c->rates, rte_rdtsc(), RATES_BUDGET);
    load_work(c, RATES_BUDGET);
    doctor_work(c);
    mailbox_serve(c->mailbox, c, COMMANDS_BUDGET);
    worked |= control_reload_work(c);
    worked |= forwarding_work(c, FORWARDING_BUDGET);
    table_reclaim(c->table, RECLAIM_BUDGET);
    return worked;
}
