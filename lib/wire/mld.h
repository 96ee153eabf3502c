/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multicast listener discovery: version 2 (RFC 3810) and version 1 (RFC 2710), as a listener hears and says
 * it.
 *
 * Pure functions over bytes; any thread. Encoders write whole frames.
 */
#ifndef WIRE_MLD_H
#define WIRE_MLD_H

#include "addr.h"
#include "bytes.h"
#include "inet.h"

enum mld_type { MLD_QUERY = 130, MLD_REPORT_V1 = 131, MLD_DONE = 132, MLD_REPORT = 143 };

enum {
    MLD_RECORDS_MAX = 458,        /* of a report, and sources of a query: what 9216 bytes hold */
    MLD_HEADERS = IPV6_HEADER + 8 /* in front of each message */
};

/* What a listener hears: a query of either version, or a report of version 1 (another's). */
struct mld {
    enum mld_type type;
    uint8_t version;   /* of a query */
    struct addr group; /* addr_unspecified: a general query */
    uint32_t delay_ms; /* maximum response delay */
    uint8_t robustness;
    uint32_t
        interval_s; /* the querier's; robustness and interval_s of version 1, or of who does not tell: 0 */
    const uint8_t *sources; /* into the datagram decoded, 16 bytes each */
    size_t n_sources;
};

/* True if ip (decoded from a datagram) carries one of these at bytes, and it passes every check of RFC 3810
 * sections 5.1.14, 6.2 and 8.1, RFC 2710 section 4: link-local source, hop limit 1, router alert, checksum,
 * length. */
bool mld_decode(const struct ip_header *ip, const uint8_t *bytes, size_t len, struct mld *out);
struct addr mld_source(const struct mld *query, size_t i);

/* RFC 3810 section 5.2.12. */
enum mld_record_type { MLD_IS_INCLUDE = 1, MLD_IS_EXCLUDE = 2, MLD_TO_INCLUDE = 3, MLD_TO_EXCLUDE = 4 };

struct mld_record {
    enum mld_record_type type;
    struct addr group;
    const struct addr *sources; /* NULL without */
    size_t n_sources;
};

/* How many records without sources a report holds on a link of that MTU (RFC 3810 section 5.2.15). */
size_t mld_records_max(uint16_t mtu);
/* A report to ff02::16 from own: link-local, or addr_unspecified as long as there is no such address (RFC
 * 3810 section 5.2.13, RFC 3590). At most MLD_RECORDS_MAX groups and sources, all together. */
void mld_encode_report(struct writer *w, const struct mac *own_mac, const struct addr *own,
                       const struct mld_record *records, size_t n);
/* Version 1: MLD_REPORT_V1 to the group, or MLD_DONE to all routers (RFC 2710 section 3). */
void mld_encode_v1(struct writer *w, const struct mac *own_mac, const struct addr *own, enum mld_type type,
                   const struct addr *group);

#endif
