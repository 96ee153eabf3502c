/* SPDX-License-Identifier: BSD-3-Clause */
#include "port.h"

#include <errno.h>

#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_ring.h>

#include "eal.h"
#include "log.h"

enum { PORT_DESCRIPTORS = 1024, PORT_HANDOFF = 2048 };

/* As many rx queues as workers, if the device has them: each worker polls one. A worker without one still
 * serves the others. */
static void choose_queues(struct port *p, const struct rte_eth_dev_info *info, unsigned workers)
{
    p->rx_queues = (uint16_t)RTE_MIN((unsigned)info->max_rx_queues, workers);
    p->tx_queues = (uint16_t)RTE_MIN((unsigned)info->max_tx_queues, workers + 1); /* + control */
}

static struct rte_eth_conf device_conf(struct port *p, const struct rte_eth_dev_info *info)
{
    struct rte_eth_conf conf = {.rxmode = {.mtu = p->mtu}};
    uint64_t rx_wanted = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    conf.rxmode.offloads = rx_wanted & info->rx_offload_capa;
    p->rx_checksum = conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
    uint64_t rss = info->flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP);
    if (p->rx_queues > 1 && rss != 0) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = rss;
    }
    return conf;
}

static int setup_queues(const struct port *p, struct rte_mempool *pool)
{
    uint16_t rx_descriptors = PORT_DESCRIPTORS, tx_descriptors = PORT_DESCRIPTORS;
    int socket = rte_eth_dev_socket_id(p->port_id);
    int ret = rte_eth_dev_adjust_nb_rx_tx_desc(p->port_id, &rx_descriptors, &tx_descriptors);
    for (uint16_t q = 0; ret == 0 && q < p->rx_queues; q++)
        ret = rte_eth_rx_queue_setup(p->port_id, q, rx_descriptors, (unsigned)socket, NULL, pool);
    for (uint16_t q = 0; ret == 0 && q < p->tx_queues; q++)
        ret = rte_eth_tx_queue_setup(p->port_id, q, tx_descriptors, (unsigned)socket, NULL);
    return ret;
}

/* Who owns no tx queue leaves its frames in a ring of the port; worker 0 sends them. */
static int make_handoff(struct port *p, unsigned workers)
{
    if (p->tx_queues > workers)
        return 0;
    char name[RTE_RING_NAMESIZE];
    snprintf(name, sizeof(name), "handoff_%u", (unsigned)p->port_id);
    p->handoff = rte_ring_create(name, PORT_HANDOFF, rte_eth_dev_socket_id(p->port_id), RING_F_SC_DEQ);
    return p->handoff != NULL ? 0 : -ENOMEM;
}

static int set_mtu(const struct port *p)
{
    uint16_t present = 0;
    rte_eth_dev_get_mtu(p->port_id, &present);
    if (present == p->mtu)
        return 0;
    int ret = rte_eth_dev_set_mtu(p->port_id, p->mtu);
    /* Virtual devices that cannot be told pass what their peer passes; a smaller limit is kept by the
     * workers. */
    return ret == -ENOTSUP && p->mtu < present ? 0 : ret;
}

static int open_port(struct port *p, unsigned workers, struct rte_mempool *pool)
{
    char name[CONF_DEVICE_MAX];
    struct rte_eth_dev_info info;
    eal_device_name(p->device, name);
    if (rte_eth_dev_get_port_by_name(name, &p->port_id) != 0) {
        log_error("port %s: there is no device %s", p->name, name);
        return -ENODEV;
    }
    const char *step = "information";
    int ret = rte_eth_dev_info_get(p->port_id, &info);
    if (ret == 0) {
        step = "configuration";
        choose_queues(p, &info, workers);
        struct rte_eth_conf conf = device_conf(p, &info);
        ret = rte_eth_dev_configure(p->port_id, p->rx_queues, p->tx_queues, &conf);
    }
    if (ret == 0) {
        step = "queues";
        ret = setup_queues(p, pool);
    }
    if (ret == 0) {
        step = "MTU";
        ret = set_mtu(p);
    }
    if (ret == 0) {
        step = "hand-off ring";
        ret = make_handoff(p, workers);
    }
    if (ret == 0) {
        step = "start";
        ret = rte_eth_dev_start(p->port_id);
    }
    if (ret != 0) {
        log_error("port %s (%s): %s failed: %s", p->name, name, step, rte_strerror(-ret));
        return ret;
    }
    struct rte_ether_addr mac;
    rte_eth_macaddr_get(p->port_id, &mac);
    memcpy(p->mac.b, mac.addr_bytes, sizeof(p->mac.b));
    return 0;
}

static bool has_ipv6(const struct port *p)
{
    for (size_t i = 0; i < p->n_addresses; i++)
        if (!addr_is_ipv4(&p->addresses[i].addr))
            return true;
    return false;
}

/* Home addresses arrive for our own MAC address, and IPv4 needs only broadcast besides. Neighbour
 * solicitations come to the groups of all addresses that we hold or stand in for (RFC 4861 section 7.2.8),
 * more than any device's filter has room for. Virtual devices that cannot be told mostly pass everything. */
static void let_multicast_in(struct port *p)
{
    if (p->multicast)
        return;
    p->multicast = true;
    if (rte_eth_allmulticast_enable(p->port_id) != 0 && rte_eth_promiscuous_enable(p->port_id) != 0)
        log_warning("port %s: the device cannot be told to let multicast through, which IPv6 needs", p->name);
}

static void take_addresses(struct port *p, const struct conf_port *conf)
{
    memcpy(p->addresses, conf->addresses, sizeof(p->addresses));
    p->n_addresses = conf->n_addresses;
    p->link_local = has_ipv6(p) ? addr_link_local_from_mac(&p->mac) : addr_unspecified;
    if (has_ipv6(p))
        let_multicast_in(p);
}

int ports_open(struct ports *ports, const struct conf *conf, unsigned workers, struct rte_mempool *pool)
{
    *ports = (struct ports){0};
    for (size_t i = 0; i < conf->n_ports; i++) {
        struct port *p = &ports->port[ports->n++];
        memcpy(p->name, conf->ports[i].name, sizeof(p->name));
        memcpy(p->device, conf->ports[i].device, sizeof(p->device));
        p->mtu = conf->ports[i].mtu;
        int ret = open_port(p, workers, pool);
        if (ret != 0) {
            ports_close(ports);
            return ret;
        }
        take_addresses(p, &conf->ports[i]);
    }
    return 0;
}

void ports_close(struct ports *ports)
{
    for (unsigned i = 0; i < ports->n; i++) {
        struct port *p = &ports->port[i];
        if (p->tx_queues == 0)
            continue; /* it was never configured */
        rte_eth_dev_stop(p->port_id);
        rte_eth_dev_close(p->port_id);
        struct rte_mbuf *frame;
        while (p->handoff != NULL && rte_ring_dequeue(p->handoff, (void **)&frame) == 0)
            rte_pktmbuf_free(frame);
        rte_ring_free(p->handoff);
    }
    ports->n = 0;
}

void ports_readdress(struct ports *ports, const struct conf *conf)
{
    for (unsigned i = 0; i < ports->n; i++)
        take_addresses(&ports->port[i], &conf->ports[i]);
}

void ports_assign(const struct ports *ports, struct worker *w)
{
    w->n_ports = ports->n;
    for (unsigned i = 0; i < ports->n; i++) {
        const struct port *p = &ports->port[i];
        w->port[i] = (struct worker_port){
            .port_id = p->port_id,
            .mtu = p->mtu,
            .mac = p->mac,
            .receive = w->index < p->rx_queues,
            .rx_queue = (uint16_t)w->index,
            .own_tx = w->index < p->tx_queues,
            .tx_queue = (uint16_t)w->index,
            .serves_handoff = p->handoff != NULL && w->index == 0,
            .handoff = p->handoff,
        };
    }
}

int ports_connected(const struct ports *ports, const struct addr *address)
{
    int found = -1, bits = -1;
    for (unsigned i = 0; i < ports->n; i++)
        if (prefix_longest(ports->port[i].addresses, ports->port[i].n_addresses, address, &bits) >= 0)
            found = (int)i;
    return found;
}

static bool is_ipv6_link_local(const struct addr *address)
{
    return !addr_is_ipv4(address) && addr_is_link_local(address);
}

bool ports_on_link(const struct ports *ports, unsigned port_index, const struct addr *address)
{
    if (is_ipv6_link_local(address))
        return !addr_is_unspecified(&ports->port[port_index].link_local);
    return ports_connected(ports, address) == (int)port_index;
}

static bool is_own(const struct port *p, const struct addr *address)
{
    for (size_t i = 0; i < p->n_addresses; i++)
        if (addr_equal(&p->addresses[i].addr, address))
            return true;
    return is_ipv6_link_local(address) && addr_equal(&p->link_local, address);
}

int ports_own(const struct ports *ports, const struct addr *address)
{
    for (unsigned i = 0; i < ports->n; i++)
        if (is_own(&ports->port[i], address))
            return (int)i;
    return -1;
}

bool ports_own_mac(const struct ports *ports, const struct mac *mac)
{
    for (unsigned i = 0; i < ports->n; i++)
        if (mac_equal(&ports->port[i].mac, mac))
            return true;
    return false;
}

struct addr port_source(const struct port *p, const struct addr *peer)
{
    struct addr other = addr_unspecified;
    if (is_ipv6_link_local(peer))
        return p->link_local;
    for (size_t k = 0; k < p->n_addresses; k++) {
        if (addr_is_ipv4(&p->addresses[k].addr) != addr_is_ipv4(peer))
            continue;
        if (prefix_contains(&p->addresses[k], peer))
            return p->addresses[k].addr;
        if (addr_equal(&other, &addr_unspecified))
            other = p->addresses[k].addr;
    }
    return other;
}

void ports_poll_link(struct ports *ports, void (*changed)(void *context, unsigned port_index), void *context)
{
    for (unsigned i = 0; i < ports->n; i++) {
        struct port *p = &ports->port[i];
        struct rte_eth_link link = {0};
        if (rte_eth_link_get_nowait(p->port_id, &link) != 0)
            continue;
        p->link_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
        bool up = link.link_status == RTE_ETH_LINK_UP;
        if (up == p->link_up)
            continue;
        p->link_up = up;
        changed(context, i);
    }
}

bool ports_send(struct ports *ports, unsigned port_index, unsigned workers, struct rte_mbuf *frame)
{
    struct port *p = &ports->port[port_index];
    bool sent = p->handoff == NULL ? rte_eth_tx_burst(p->port_id, (uint16_t)workers, &frame, 1) == 1
                                   : rte_ring_enqueue(p->handoff, frame) == 0;
    if (!sent)
        rte_pktmbuf_free(frame);
    return sent;
}
