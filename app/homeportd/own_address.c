/* SPDX-License-Identifier: BSD-3-Clause */
#include "own_address.h"

#include "instant.h"
#include "timerq.h"

static struct own_address *find(struct own_addresses *own, const struct addr *address)
{
    for (size_t i = 0; i < own->n; i++)
        if (addr_equal(&own->address[i].address, address))
            return &own->address[i];
    return NULL;
}

const struct own_address *own_address_find(const struct own_addresses *own, const struct addr *address)
{
    return find((struct own_addresses *)(uintptr_t)own, address); /* which only reads */
}

static void add(struct own_addresses *own, const struct own_addresses *before, const struct addr *address)
{
    if (own->n == OWN_ADDRESSES_MAX || find(own, address) != NULL)
        return;
    const struct own_address *known = own_address_find(before, address);
    const bool stays = known != NULL && known->state != OWN_ADDRESS_DUPLICATE;
    own->address[own->n++] = stays ? *known : (struct own_address){.address = *address};
}

void own_addresses_set(struct own_addresses *own, const struct addr *link_local,
                       const struct prefix *addresses, size_t n)
{
    const struct own_addresses before = *own;
    *own = (struct own_addresses){0};
    if (addr_is_unspecified(link_local))
        return;
    add(own, &before, link_local);
    for (size_t i = 0; i < n; i++)
        if (!addr_is_ipv4(&addresses[i].addr))
            add(own, &before, &addresses[i].addr);
}

void own_addresses_begin(struct own_addresses *own, uint64_t at_ns)
{
    for (size_t i = 0; i < own->n; i++) {
        own->address[i].state = OWN_ADDRESS_UNASKED;
        own->address[i].due_ns = at_ns;
    }
}

static enum own_address_step step(struct own_address *a, uint64_t now_ns)
{
    if (a->state == OWN_ADDRESS_UNASKED && a->due_ns <= now_ns) {
        a->state = OWN_ADDRESS_TENTATIVE;
        a->due_ns = now_ns + OWN_ADDRESS_WAIT_MS * NSEC_PER_MS;
        return OWN_ADDRESS_ASK;
    }
    if (a->state == OWN_ADDRESS_TENTATIVE && a->due_ns <= now_ns) {
        a->state = OWN_ADDRESS_USABLE;
        return OWN_ADDRESS_GAINED;
    }
    return OWN_ADDRESS_NOTHING;
}

enum own_address_step own_addresses_step(struct own_addresses *own, uint64_t now_ns, struct addr *address)
{
    for (size_t i = 0; i < own->n; i++) {
        const enum own_address_step due = step(&own->address[i], now_ns);
        if (due == OWN_ADDRESS_NOTHING)
            continue;
        *address = own->address[i].address;
        return due;
    }
    return OWN_ADDRESS_NOTHING;
}

bool own_address_claimed(struct own_addresses *own, const struct addr *address)
{
    struct own_address *a = find(own, address);
    if (a == NULL || (a->state != OWN_ADDRESS_UNASKED && a->state != OWN_ADDRESS_TENTATIVE))
        return false;
    a->state = OWN_ADDRESS_DUPLICATE;
    return true;
}

bool own_address_is_usable(const struct own_addresses *own, const struct addr *address)
{
    const struct own_address *a = own_address_find(own, address);
    return a != NULL && a->state == OWN_ADDRESS_USABLE && own->address[0].state != OWN_ADDRESS_DUPLICATE;
}

uint64_t own_addresses_deadline(const struct own_addresses *own)
{
    uint64_t earliest = TIMER_NEVER;
    for (size_t i = 0; i < own->n; i++) {
        const struct own_address *a = &own->address[i];
        if ((a->state == OWN_ADDRESS_UNASKED || a->state == OWN_ADDRESS_TENTATIVE) && a->due_ns < earliest)
            earliest = a->due_ns;
    }
    return earliest;
}
