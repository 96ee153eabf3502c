/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration: one file in, one const struct out, or every fault of it named by file and line.
 *
 * conf_load reads nothing but files and touches nothing of the running appliance, so it may be called from
 * any thread; the struct it returns is immutable and belongs to the caller until conf_free.
 */
#ifndef HOMEPORTD_CONF_H
#define HOMEPORTD_CONF_H

#include <stdio.h>

#include "agent.h"

enum { CONF_NAME_MAX = 64, CONF_DEVICE_MAX = 256, CONF_PORTS_MAX = 8, CONF_PORT_ADDRESSES_MAX = 16 };

enum conf_role { ROLE_PRIMARY, ROLE_SECONDARY, ROLE_FOREIGN_AGENT };
enum conf_idle { IDLE_BUSY, IDLE_ADAPTIVE };

struct conf_eal {
    char lcores[CONF_NAME_MAX]; /* as given to EAL's --lcores; the first runs control, the others are workers
                                 */
    unsigned memory_mib;
    bool huge_pages;
    uint32_t buffers; /* of packets, beside those that control and the queues take */
    char prefix[CONF_NAME_MAX];
};

/* What a port's router advertisements say of this node (RFC 4861 section 6.2.1, RFC 6275 sections 7.2 to
 * 7.4). */
struct conf_advertisement {
    bool on;
    uint16_t interval_s;        /* at most between two of them */
    uint16_t router_lifetime_s; /* as a default router; 0: none */
    uint16_t preference, home_agent_lifetime_s;
    uint32_t valid_s, preferred_s; /* of every IPv6 prefix of the port; UINT32_MAX: for ever */
};

/* Which groups a port reports by multicast listener discovery: of all addresses that it answers for, of its
 * own alone, or none. */
enum conf_mld { CONF_MLD_ALL, CONF_MLD_OWN, CONF_MLD_OFF };

struct conf_port {
    char name[CONF_NAME_MAX];
    char device[CONF_DEVICE_MAX]; /* a PCI address, or a vdev with its arguments */
    struct prefix addresses[CONF_PORT_ADDRESSES_MAX];
    size_t n_addresses;
    uint16_t mtu;
    enum conf_mld mld;
    struct conf_advertisement advertisement;
};

struct conf_route {
    struct prefix destination;
    struct addr via;
    int line;
};

struct conf_mobile {
    struct addr home;
    struct association sa;
    char *nai; /* NULL: none */
};

/* ESP with a mobile node, by configured keys (RFC 3776). */
struct conf_ipsec {
    struct addr home;
    struct esp_association in, out;
    bool has_home_test; /* a pair in tunnel mode for return routability (RFC 6275 section 10.4.6) */
    struct esp_association home_test_in, home_test_out;
};

struct conf_foreign_agent {
    struct addr address;
    struct association sa;
};

struct conf {
    char *path; /* the file it came from */
    char node[CONF_NAME_MAX];
    uint16_t id;
    enum conf_role role;
    struct conf_eal eal;
    enum conf_idle idle;
    uint32_t capacity_pps; /* packets/s that this appliance is known to bear; 0: not known */
    struct conf_port ports[CONF_PORTS_MAX];
    size_t n_ports;
    struct conf_route *routes;
    size_t n_routes;
    /* The home agent's settings as the agent takes them; reserved lists every port's address and every next
     * hop. */
    struct agent_settings agent;
    struct addr *reserved;
    struct conf_mobile *mobiles; /* mobile-node sections, then the rows of the mobile-nodes files */
    size_t n_mobiles;
    struct conf_ipsec *ipsec;
    size_t n_ipsec;
    struct conf_foreign_agent *foreign_agents;
    size_t n_foreign_agents;
    struct agent_peer *peers; /* a primary's secondaries, or a secondary's primaries */
    size_t n_peers;
    struct addr console_address;
    uint16_t console_port;                /* 0: no console on TCP */
    char console_socket[CONF_DEVICE_MAX]; /* path of a Unix socket for homeportctl; empty: none */
    char warnings[4096]; /* lines "FILE:LINE: ..." on what is accepted but has no effect yet */
};

/* Reads and checks a file. NULL: it is faulty; every fault has been written to errors, a line "FILE:LINE:
 * what and why" each. The files that it names (keys, CSV) are read relative to its own directory. */
struct conf *conf_load(const char *path, FILE *errors);
void conf_free(struct conf *conf);

/* What of `next` cannot be applied to a process that runs `now` (role, EAL, ports' devices and names, maximum
 * of bindings, console address): a line each to errors. True: everything can. */
bool conf_can_reload(const struct conf *now, const struct conf *next, FILE *errors);

#endif
