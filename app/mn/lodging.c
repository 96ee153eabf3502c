/* SPDX-License-Identifier: BSD-3-Clause */
#include "lodging.h"

#include <errno.h>
#include <stdlib.h>

struct lodging {
    struct fleet *fleet;
    struct iface iface; /* name "": nowhere */
    uint8_t bits;
    bool ours[]; /* by place in the fleet: we put it there */
};

struct lodging *lodging_create(struct fleet *fleet)
{
    const size_t count = fleet_count(fleet);
    struct lodging *l = calloc(1, sizeof(*l) + count * sizeof(l->ours[0]));
    if (l == NULL)
        return NULL;
    l->fleet = fleet;
    return l;
}

static const struct addr *home_of(struct lodging *l, size_t place)
{
    return &fleet_node(l->fleet, place)->mobile.identity.home;
}

/* The interface may be gone by now, and its addresses with it. */
static void leave(struct lodging *l)
{
    if (*l->iface.name == '\0')
        return;
    for (size_t i = 0; i < fleet_count(l->fleet); i++) {
        if (l->ours[i])
            (void)iface_remove(&l->iface, home_of(l, i), l->bits);
        l->ours[i] = false;
    }
    iface_close(&l->iface);
}

void lodging_destroy(struct lodging *l)
{
    if (l == NULL)
        return;
    leave(l);
    free(l);
}

static int arrive(struct lodging *l)
{
    int err = iface_up(&l->iface);
    for (size_t i = 0; i < fleet_count(l->fleet) && err == 0; i++) {
        err = iface_add(&l->iface, home_of(l, i), l->bits);
        l->ours[i] = err == 0;
        if (err == -EEXIST)
            err = 0;
    }
    return err;
}

int lodging_move(struct lodging *l, const char *interface, uint8_t bits)
{
    if (interface != NULL && strcmp(interface, l->iface.name) == 0)
        return 0;
    if (interface == NULL) {
        leave(l);
        return 0;
    }
    struct iface next;
    int err = iface_open(&next, interface);
    if (err < 0)
        return err;
    leave(l);
    l->iface = next;
    l->bits = bits;
    err = arrive(l);
    if (err < 0)
        leave(l);
    return err;
}

int lodging_announce(const struct lodging *l, const struct addr *home)
{
    return *l->iface.name == '\0' ? -ENODEV : iface_announce(&l->iface, home);
}
