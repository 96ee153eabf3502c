/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP for IPv4 over Ethernet (RFC 826), and what its fields mean for Mobile IP (RFC 5944 section 4.6)
 * and address conflict detection (RFC 5227).
 *
 * Pure functions over bytes; any thread.
 */
#ifndef WIRE_ARP_H
#define WIRE_ARP_H

#include "addr.h"
#include "bytes.h"

enum {
    ARP_PAYLOAD = 28,
    ETHER_HEADER = 14,
    ETHER_MIN = 60,
    ETHERTYPE_NUM_ARP = 0x0806,
    ETHERTYPE_NUM_IPV4 = 0x0800
};

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp {
    uint16_t operation; /* enum arp_operation; anything else does not decode */
    struct mac sender_mac;
    struct addr sender;
    struct mac target_mac;
    struct addr target;
};

/* Reads the ARP payload of a frame (after the Ethernet header). False: not Ethernet/IPv4 ARP. */
bool arp_decode(const uint8_t *bytes, size_t len, struct arp *out);

/* A whole frame, padded to ETHER_MIN (60 bytes), from source to destination. */
void arp_encode_frame(struct writer *w, const struct arp *a, const struct mac *source,
                      const struct mac *destination);

/* RFC 5227 section 1.1: a request with sender address zero asks whether anyone has the target. */
bool arp_is_probe(const struct arp *a);
/* Sender = target: it asks nothing, it tells (RFC 5944 section 4.6: request and reply form alike). */
bool arp_is_announcement(const struct arp *a);

/* Broadcast who-has; or unicast to `known` to see whether it is still there (RFC 1122 section 2.3.2.1). */
void arp_encode_request(struct writer *w, const struct mac *own_mac, const struct addr *own,
                        const struct addr *target, const struct mac *known /* NULL: broadcast */);
/* The answer to `request`: `mac` has request->target. */
void arp_encode_answer(struct writer *w, const struct arp *request, const struct mac *mac);
/* Gratuitous ARP, request form, link broadcast: home = mac, sent from the interface's own MAC address
 * (RFC 5944 section 4.6; mac differs from own_mac when a mobile node is announced on its return). */
void arp_encode_announcement(struct writer *w, const struct mac *own_mac, const struct mac *mac,
                             const struct addr *home);

#endif
