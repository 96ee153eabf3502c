/* SPDX-License-Identifier: BSD-3-Clause */
#include "arp.h"

enum { HARDWARE_ETHERNET = 1, MAC_LEN = 6, IPV4_LEN = 4 };

static void read_mac(struct reader *r, struct mac *out)
{
    const uint8_t *p = read_bytes(r, sizeof(out->b));
    if (p != NULL)
        memcpy(out->b, p, sizeof(out->b));
}

bool arp_decode(const uint8_t *bytes, size_t len, struct arp *out)
{
    struct reader r = reader_over(bytes, len);
    bool ethernet = read_u16(&r) == HARDWARE_ETHERNET;
    bool ipv4 = read_u16(&r) == ETHERTYPE_NUM_IPV4;
    bool lengths = read_u8(&r) == MAC_LEN && read_u8(&r) == IPV4_LEN;
    if (!ethernet || !ipv4 || !lengths)
        return false;

    struct arp a = {.operation = read_u16(&r)};
    read_mac(&r, &a.sender_mac);
    a.sender = addr_from_ipv4(read_u32(&r));
    read_mac(&r, &a.target_mac);
    a.target = addr_from_ipv4(read_u32(&r));
    if (r.failed || (a.operation != ARP_REQUEST && a.operation != ARP_REPLY))
        return false;
    *out = a;
    return true;
}

void arp_encode_frame(struct writer *w, const struct arp *a, const struct mac *source,
                      const struct mac *destination)
{
    uint8_t *frame = write_reserve(w, ETHER_MIN);
    if (frame == NULL)
        return;
    memset(frame, 0, ETHER_MIN);
    struct writer at = writer_over(frame, ETHER_MIN);
    write_bytes(&at, destination->b, sizeof(destination->b));
    write_bytes(&at, source->b, sizeof(source->b));
    write_u16(&at, ETHERTYPE_NUM_ARP);

    write_u16(&at, HARDWARE_ETHERNET);
    write_u16(&at, ETHERTYPE_NUM_IPV4);
    write_u8(&at, MAC_LEN);
    write_u8(&at, IPV4_LEN);
    write_u16(&at, a->operation);
    write_bytes(&at, a->sender_mac.b, sizeof(a->sender_mac.b));
    write_u32(&at, addr_ipv4(&a->sender));
    write_bytes(&at, a->target_mac.b, sizeof(a->target_mac.b));
    write_u32(&at, addr_ipv4(&a->target));
}

bool arp_is_probe(const struct arp *a)
{
    return a->operation == ARP_REQUEST && addr_is_unspecified(&a->sender);
}

bool arp_is_announcement(const struct arp *a)
{
    return addr_equal(&a->sender, &a->target) && !addr_is_unspecified(&a->sender);
}

void arp_encode_request(struct writer *w, const struct mac *own_mac, const struct addr *own,
                        const struct addr *target, const struct mac *known)
{
    /* The target's MAC address stays zero even when the frame goes to a known one: it is the question. */
    struct arp request = {
        .operation = ARP_REQUEST, .sender_mac = *own_mac, .sender = *own, .target = *target};
    arp_encode_frame(w, &request, own_mac, known != NULL ? known : &mac_broadcast);
}

void arp_encode_answer(struct writer *w, const struct arp *request, const struct mac *mac)
{
    struct arp answer = {.operation = ARP_REPLY,
                         .sender_mac = *mac,
                         .sender = request->target,
                         .target_mac = request->sender_mac,
                         .target = request->sender};
    arp_encode_frame(w, &answer, mac, &request->sender_mac);
}

void arp_encode_announcement(struct writer *w, const struct mac *own_mac, const struct mac *mac,
                             const struct addr *home)
{
    struct arp announcement = {
        .operation = ARP_REQUEST, .sender_mac = *mac, .sender = *home, .target = *home};
    arp_encode_frame(w, &announcement, own_mac, &mac_broadcast);
}
