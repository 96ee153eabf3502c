/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which of a port's own IPv6 addresses may be used: duplicate address detection (RFC 4862 section 5.4) as a
 * state machine that reads no clock and sends nothing.
 *
 * Control's alone.
 */
#ifndef HOMEPORTD_OWN_ADDRESS_H
#define HOMEPORTD_OWN_ADDRESS_H

#include "addr.h"
#include "conf.h"

enum { OWN_ADDRESSES_MAX = CONF_PORT_ADDRESSES_MAX + 1 /* the link-local one */ };
enum {
    OWN_ADDRESS_WAIT_MS = 1000, /* RetransTimer, after the one solicitation that is sent */
    OWN_ADDRESS_DELAY_MS = 500  /* at most before it (RFC 4862 section 5.4.2 has up to 1 s): neighbours that
                                  are  asked for from the start, thrice, are once so with an address of ours */
};

enum own_address_state {
    OWN_ADDRESS_UNASKED,   /* its solicitation is to be sent */
    OWN_ADDRESS_TENTATIVE, /* nobody has answered yet */
    OWN_ADDRESS_USABLE,
    OWN_ADDRESS_DUPLICATE /* another station has it: neither used nor answered for */
};

struct own_address {
    struct addr address;
    enum own_address_state state;
    uint64_t due_ns; /* until the state's end: asked for, or usable */
};

/* Of one port; the first, if there is any, is the link-local one. All zero: none. */
struct own_addresses {
    struct own_address address[OWN_ADDRESSES_MAX];
    size_t n;
};

/* These are the port's addresses now; those that were before keep their states, but for duplicates, which are
 * asked for again: a reload is an operator's way to have them back. IPv4 ones are passed over, and so are all
 * if link_local is unspecified: the port has no IPv6. */
void own_addresses_set(struct own_addresses *own, const struct addr *link_local,
                       const struct prefix *addresses, size_t n);
/* The port has come to a link anew: every address is to be asked for (RFC 4862 section 5.4), duplicates too,
 * from that moment on. */
void own_addresses_begin(struct own_addresses *own, uint64_t at_ns);

enum own_address_step { OWN_ADDRESS_NOTHING, OWN_ADDRESS_ASK, OWN_ADDRESS_GAINED };
/* The next thing that is due, and of which address: a solicitation, which is to be sent now, or that an
 * address has become usable. Call until nothing is due. */
enum own_address_step own_addresses_step(struct own_addresses *own, uint64_t now_ns, struct addr *address);
/* Another station asks for the address as we do, or says that it has it. True: that makes it a duplicate,
 * which it was not; false: it is not ours, or was past detection (RFC 4862 section 5.4.4). */
bool own_address_claimed(struct own_addresses *own, const struct addr *address);

/* NULL: not one of them. */
const struct own_address *own_address_find(const struct own_addresses *own, const struct addr *address);
/* A duplicate link-local address, made of the MAC address, tells that the station is there twice: then none
 * is usable (RFC 4862 section 5.4.5). */
bool own_address_is_usable(const struct own_addresses *own, const struct addr *address);
/* TIMER_NEVER: nothing will be due. */
uint64_t own_addresses_deadline(const struct own_addresses *own);

#endif
