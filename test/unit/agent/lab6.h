/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lab's home agent with Mobile IPv6 beside IPv4, and mobile nodes that send it binding updates.
 *
 *     home agents       2001:db8:1::2 of 2001:db8:1::/64, and 2001:db8:2::2 of 2001:db8:2::/64
 *     mobile node i     2001:db8:1::100 + i, SPI 1000 + i, care-of address 2001:db8:c::1 + i; sequence
 * numbers from LAB6_SEQUENCES on, timestamps before router            2001:db8:1::fe
 */
#ifndef TEST_AGENT_LAB6_H
#define TEST_AGENT_LAB6_H

#include "lab.h"
#include "mip6.h"

enum {
    LAB6_MOBILES = 8,
    LAB6_SEQUENCES = 4,
    LAB6_LIFETIME = 75, /* in units of 4 s */
    LAB6_DETECTION_MS = 1000
};

/* An update, and how it travels; lab6_ask fills in an ordinary one. */
struct ask6 {
    struct mip6_update m; /* options: alternate_care_of, timestamp where they are set */
    struct addr home;
    bool by_option; /* home stands in a Home Address option; else the source is it */
    struct addr source, destination;
    const char *nai;
    const uint8_t *raw; /* options in front of the authentication, aligned by themselves */
    size_t raw_len;
    struct association sa;
    int times; /* how many signatures; 0: none */
    bool wrong;
    const struct addr *signed_care_of; /* NULL: the one that is asked for */
    bool elsewhere;                    /* it does not come in on the link to which its source belongs */
    struct mac mac;
};

struct answer6 {
    bool sent;
    struct message message;
    struct mip6_ack ack; /* options point into nothing that lasts */
    bool good;           /* its authenticator */
};

struct addr lab6_home(size_t i);
struct addr lab6_care_of(size_t i);
struct association lab6_association(size_t i);
/* A lab with the IPv6 side as well. */
void lab6_open(struct lab *lab);
/* Sets all IPv6 associations, again if they are there. */
void lab6_populate(struct lab *lab);
/* Mobile node i registers from its care-of address, with a fresh timestamp or sequence number. */
struct ask6 lab6_ask(struct lab *lab, size_t i);
/* ... at home, to end it all. */
struct ask6 lab6_ask_return(struct lab *lab, size_t i);
/* The care-of address that it asks for. */
struct addr lab6_asked_care_of(const struct ask6 *ask);
size_t lab6_encode(struct lab *lab, const struct ask6 *ask, uint8_t *bytes, size_t size);
/* Sends it, and reads the acknowledgement if one comes at once; the log holds all effects. */
struct answer6 lab6_send(struct lab *lab, const struct ask6 *ask);
struct answer6 lab6_send_bytes(struct lab *lab, const struct ask6 *ask, const uint8_t *bytes, size_t len);
/* The acknowledgement to ask among the effects in the log. */
struct answer6 lab6_answer(struct lab *lab, const struct ask6 *ask);
/* The datagram as agent_input takes it. */
struct agent_datagram lab6_datagram(const struct ask6 *ask, const uint8_t *bytes, size_t len);

#endif
