/* SPDX-License-Identifier: BSD-3-Clause */
#include "device.h"

#include <errno.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

#include "setup.h"

enum { DESCRIPTORS = 512, POOL = 63 };

static void *queues[SETUP_WORKERS_MAX];
static uint16_t port_id;
static struct rte_mempool *pool; /* to set queues up; nothing comes of it */

static uint16_t receive(void *rxq, struct rte_mbuf **frames, uint16_t max)
{
    struct queue *q = rxq;
    unsigned n = RTE_MIN(RTE_MIN((unsigned)max, q->burst), q->n - q->next);
    memcpy(frames, q->frames + q->next, n * sizeof(frames[0]));
    q->next += n;
    return (uint16_t)n;
}

static uint16_t transmit(void *txq, struct rte_mbuf **frames, uint16_t n)
{
    struct queue *q = txq;
    memcpy(q->sent + q->n_sent, frames, n * sizeof(frames[0]));
    q->n_sent += n;
    return n;
}

/* A driver of our own would be the way, but its headers are not among those that distributions install. The
 * device's own functions free what they are given and make up what they receive; rte_eth_rx_burst and
 * rte_eth_tx_burst call whatever stands in this array, once the device is started. */
static void take_over(void)
{
    struct rte_eth_fp_ops *ops = &rte_eth_fp_ops[port_id];
    ops->rx_pkt_burst = receive;
    ops->tx_pkt_burst = transmit;
    ops->rxq.data = queues;
    ops->txq.data = queues;
}

static int start(unsigned n)
{
    static const struct rte_eth_conf conf;
    int ret = rte_eth_dev_configure(port_id, (uint16_t)n, (uint16_t)n, &conf);
    for (uint16_t q = 0; ret == 0 && q < n; q++)
        ret = rte_eth_rx_queue_setup(port_id, q, DESCRIPTORS, SOCKET_ID_ANY, NULL, pool);
    for (uint16_t q = 0; ret == 0 && q < n; q++)
        ret = rte_eth_tx_queue_setup(port_id, q, DESCRIPTORS, SOCKET_ID_ANY, NULL);
    return ret != 0 ? ret : rte_eth_dev_start(port_id);
}

int device_open(unsigned n)
{
    pool = rte_pktmbuf_pool_create("device", POOL, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (pool == NULL)
        return -ENOMEM;
    int ret = rte_eal_hotplug_add("vdev", "net_null0", "");
    if (ret == 0)
        ret = rte_eth_dev_get_port_by_name("net_null0", &port_id);
    if (ret == 0)
        ret = start(n);
    if (ret == 0)
        take_over();
    return ret;
}

uint16_t device_port(void)
{
    return port_id;
}

void device_attach(unsigned index, struct queue *queue)
{
    queues[index] = queue;
}

void device_close(void)
{
    rte_eth_dev_stop(port_id); /* which takes our functions out, too */
    rte_eth_dev_close(port_id);
    rte_mempool_free(pool);
}
