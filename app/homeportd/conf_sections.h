/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The readers of the sections, in the order in which conf_load calls them: each takes the whole file, fills
 * its part of reading->conf and may rely on what the ones before have read.
 */
#ifndef HOMEPORTD_CONF_SECTIONS_H
#define HOMEPORTD_CONF_SECTIONS_H

#include "conf_schema.h"

/* Ports, routes, and with them the addresses that are nobody else's. */
void network_read(struct reading *reading, const struct section *file);
/* Collects reading->taken, for which the home networks must be known too. */
void network_settle(struct reading *reading);
/* The port that has this address; the port in one of whose networks it is. NULL: none. */
const struct conf_port *network_owner(const struct conf *conf, const struct addr *a);
const struct conf_port *network_connected(const struct conf *conf, const struct addr *a);
/* Is it in one of the port's networks? */
bool network_is_on(const struct conf_port *port, const struct addr *a);
/* Why no mobile node can have this address; NULL: it can. */
const char *network_taken(const struct reading *reading, const struct addr *a);

/* mobile-node sections and mobile-nodes files. */
void mobiles_read(struct reading *reading, const struct section *file);

/* router-advertisement sections; ports and home networks are known. */
void advertisements_read(struct reading *reading, const struct section *file);
/* ipsec sections: ESP with mobile nodes. */
void ipsec_read(struct reading *reading, const struct section *file);
/* The two associations of an ipsec section, which may stand inside another. False: a fault is recorded. */
bool associations_read(const struct reading *reading, const struct section *s, struct esp_association *in,
                       struct esp_association *out);
/* No mobile node can have this home address, and why is recorded at the word. */
bool home_checked(const struct reading *reading, const struct word *w, const struct addr *home);

/* The foreign agents with which we share a security association. */
void foreign_agents_read(struct reading *reading, const struct section *file);
/* Secondaries or primaries. */
void peers_read(struct reading *reading, const struct section *file);
/* When, to whom and how fast a primary delegates. */
void delegation_read(struct reading *reading, const struct section *file);

#endif
