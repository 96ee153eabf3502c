/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ports: devices probed by PCI address or vdev string, their queues, offloads, MTU, MAC address and link
 * state.
 *
 * Set up before the workers start; then control's alone, but for what worker.h says of queues.
 */
#ifndef HOMEPORTD_PORT_H
#define HOMEPORTD_PORT_H

#include <rte_mempool.h>

#include "conf.h"
#include "worker.h"

struct port {
    char name[CONF_NAME_MAX]; /* the operator's */
    char device[CONF_DEVICE_MAX];
    uint16_t port_id;
    struct mac mac;
    uint16_t mtu;
    uint16_t rx_queues;
    uint16_t tx_queues;
    bool rx_checksum; /* the device verifies IPv4 header checksums */
    bool link_up;
    uint32_t link_mbps;
    struct prefix addresses[CONF_PORT_ADDRESSES_MAX]; /* follow reloads */
    size_t n_addresses;
    /* What it calls itself on its own link (RFC 4291 section 2.5.6); addr_unspecified: it has no IPv6
     * address, and speaks none. */
    struct addr link_local;
    bool multicast;           /* the device has been asked to let multicast through */
    struct rte_ring *handoff; /* frames of those who own no tx queue; NULL: everybody does */
};

struct ports {
    struct port port[CONF_PORTS_MAX];
    unsigned n;
};

/* Probes, configures and starts every port for `workers` workers. 0, or -errno after a line in the log that
 * names port and reason. */
int ports_open(struct ports *ports, const struct conf *conf, unsigned workers, struct rte_mempool *pool);
void ports_close(struct ports *ports);
/* Takes over the addresses of a configuration with the same ports. */
void ports_readdress(struct ports *ports, const struct conf *conf);
/* Fills in worker w's view of the ports: it polls, and sends by, the queues of its own index. */
void ports_assign(const struct ports *ports, struct worker *w);
/* The port with a connected prefix that holds address; -1: none, as for every link-local IPv6 address, which
 * each link has. */
int ports_connected(const struct ports *ports, const struct addr *address);
/* address, link-local ones too, is that of a station on the port's link. */
bool ports_on_link(const struct ports *ports, unsigned port_index, const struct addr *address);
/* The port that has address as its own, link-local or not; -1: none. */
int ports_own(const struct ports *ports, const struct addr *address);
bool ports_own_mac(const struct ports *ports, const struct mac *mac);
/* The port's own address for talking to peer: the link-local one to a link-local peer (RFC 6724 section 5,
 * rule 2), one in its prefix, else the first of its family; addr_unspecified: none. */
struct addr port_source(const struct port *p, const struct addr *peer);
/* Reads link states; calls changed for each that is not as it was. */
void ports_poll_link(struct ports *ports, void (*changed)(void *context, unsigned port_index), void *context);
/* Sends one Ethernet frame from control, which owns the queue after the workers'; takes it over. False:
 * dropped (the caller counts it). */
bool ports_send(struct ports *ports, unsigned port_index, unsigned workers, struct rte_mbuf *frame);

#endif
