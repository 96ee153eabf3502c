/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_mld.h"

#include "control.h"
#include "timerq.h"
#include "transmit.h"

enum { MESSAGES_AT_ONCE = 8, AGAIN_S = 10 };

static struct host_mld_port *port_of(struct control *c, unsigned port_index)
{
    return &c->mld.port[port_index];
}

/* ---- What is sent ---- */

static void encode(struct writer *w, const struct port *port, const struct addr *source,
                   const struct listener_message *m)
{
    const struct mld_record *first = &m->record[0];
    if (m->version == 2)
        mld_encode_report(w, &port->mac, source, m->record, m->n);
    else
        mld_encode_v1(w, &port->mac, source, first->type == MLD_TO_INCLUDE ? MLD_DONE : MLD_REPORT_V1,
                      &first->group);
}

/* RFC 3810 section 5.2.13, RFC 3590: from nobody as long as no link-local address is ours for certain. */
static void send_message(struct control *c, unsigned port_index, const struct listener_message *m)
{
    const struct port *port = &c->ports.port[port_index];
    const bool usable = host_nd_is_usable(c, port_index, &port->link_local);
    struct writer w;
    struct rte_mbuf *frame = transmit_begin(c, &w);
    encode(&w, port, usable ? &port->link_local : &addr_unspecified, m);
    frame = transmit_end(frame, &w);
    if (frame == NULL)
        return; /* counted; it is as if the link had lost it */
    control_count(c, CONTROL_MLD_SENT);
    transmit_frame(c, port_index, frame);
}

/* RFC 4862 section 5.4.2: after a link has come up its first message from us comes at random, and that is
 * the report that goes in front of the first solicitation (host_mld_tell). What has waited for the link waits
 * for it. */
static bool may_speak(const struct control *c, unsigned port_index)
{
    const struct own_addresses *own = &c->nd.port[port_index].own;
    return c->ports.port[port_index].link_up && (own->n == 0 || own->address[0].state != OWN_ADDRESS_UNASKED);
}

static bool send_due(struct control *c, unsigned port_index, unsigned most)
{
    struct listener_message m;
    unsigned n = 0;
    while (n < most && listener_next(&port_of(c, port_index)->listener, c->now.mono_ns, &m)) {
        send_message(c, port_index, &m);
        n++;
    }
    return n > 0;
}

/* ---- Joining and leaving ---- */

/* Whoever is not joined now is once there is memory again. */
static void join(struct control *c, unsigned port_index, uint32_t group)
{
    if (listener_join(&port_of(c, port_index)->listener, group, c->now.mono_ns))
        return;
    control_count(c, CONTROL_MLD_NO_MEMORY);
    c->mld.again_ns = c->now.mono_ns + AGAIN_S * NSEC_PER_S;
}

static bool among(const uint32_t *groups, size_t n, uint32_t group)
{
    for (size_t i = 0; i < n; i++)
        if (groups[i] == group)
            return true;
    return false;
}

struct own_groups {
    uint32_t group[HOST_MLD_OWN_MAX];
    size_t n;
};

static void add(struct own_groups *wanted, uint32_t group)
{
    if (wanted->n < HOST_MLD_OWN_MAX && !among(wanted->group, wanted->n, group))
        wanted->group[wanted->n++] = group;
}

/* RFC 4862 section 5.4.2: from the moment on at which it is asked for; when it is asked for anew it is
 * listened to all the while. */
static void add_addresses(const struct control *c, unsigned port_index, struct own_groups *wanted)
{
    const struct own_addresses *own = &c->nd.port[port_index].own;
    const struct host_mld_port *port = &c->mld.port[port_index];
    for (size_t i = 0; i < own->n; i++) {
        const uint32_t group = group_of(&own->address[i].address);
        const bool unasked = own->address[i].state == OWN_ADDRESS_UNASKED;
        if (own->address[i].state != OWN_ADDRESS_DUPLICATE &&
            (!unasked || among(port->own, port->n_own, group)))
            add(wanted, group);
    }
}

/* RFC 4291 section 2.8: of anycast addresses too. */
static void add_anycast(const struct control *c, unsigned port_index, struct own_groups *wanted)
{
    for (size_t i = 0; i < c->locals.n; i++)
        if (c->locals.at[i].kind == LOCAL_ANYCAST &&
            ports_connected(&c->ports, &c->locals.at[i].address) == (int)port_index)
            add(wanted, group_of(&c->locals.at[i].address));
}

static struct own_groups own_wanted(const struct control *c, unsigned port_index)
{
    struct own_groups wanted = {.n = 0};
    if (c->mld.port[port_index].wanted == CONF_MLD_OFF)
        return wanted;
    add_addresses(c, port_index, &wanted);
    if (wanted.n == 0)
        return wanted;
    add_anycast(c, port_index, &wanted);
    if (c->nd.port[port_index].advertiser.on) /* RFC 4861 section 6.2.2 */
        add(&wanted, GROUP_ALL_ROUTERS);
    return wanted;
}

/* What stays is joined all the while. */
static void own_become(struct control *c, unsigned port_index, const struct own_groups *wanted)
{
    struct host_mld_port *port = port_of(c, port_index);
    for (size_t i = 0; i < wanted->n; i++)
        if (!among(port->own, port->n_own, wanted->group[i]))
            join(c, port_index, wanted->group[i]);
    for (size_t i = 0; i < port->n_own; i++)
        if (!among(wanted->group, wanted->n, port->own[i]))
            listener_leave(&port->listener, port->own[i], c->now.mono_ns);
    memcpy(port->own, wanted->group, sizeof(port->own));
    port->n_own = wanted->n;
}

void host_mld_own(struct control *c, unsigned port_index)
{
    const struct own_groups wanted = own_wanted(c, port_index);
    own_become(c, port_index, &wanted);
}

void host_mld_tell(struct control *c, unsigned port_index, const struct addr *address)
{
    if (!c->ports.port[port_index].link_up)
        return;
    listener_tell(&port_of(c, port_index)->listener, group_of(address), c->now.mono_ns);
    send_due(c, port_index, MESSAGES_AT_ONCE);
}

void host_mld_tell_all(struct control *c, unsigned port_index)
{
    listener_tell_all(&port_of(c, port_index)->listener, 1, c->now.mono_ns);
}

void host_mld_listen(struct control *c, const struct listening *listening)
{
    const int port_index = ports_connected(&c->ports, &listening->home);
    if (port_index < 0 || port_of(c, (unsigned)port_index)->wanted != CONF_MLD_ALL)
        return;
    const uint32_t group = group_of(&listening->home);
    if (listening->on)
        join(c, (unsigned)port_index, group);
    else
        listener_leave(&port_of(c, (unsigned)port_index)->listener, group, c->now.mono_ns);
}

/* ---- What is heard ---- */

void host_mld_heard(struct control *c, unsigned port_index, const struct mld *heard)
{
    struct host_mld_port *port = port_of(c, port_index);
    if (port->wanted != CONF_MLD_OFF && c->nd.port[port_index].own.n > 0)
        listener_heard(&port->listener, heard, c->now.mono_ns);
}

/* ---- Start, changes, time ---- */

/* Nothing is joined. */
static void begin(struct control *c, unsigned port_index)
{
    struct host_mld_port *mld = port_of(c, port_index);
    const struct port *port = &c->ports.port[port_index];
    mld->n_own = 0;
    mld->wanted = c->conf->ports[port_index].mld;
    memcpy(mld->networks, port->addresses, sizeof(mld->networks));
    mld->n_networks = port->n_addresses;
}

void host_mld_start(struct control *c, uint64_t seed)
{
    c->mld = (struct host_mld){0};
    for (unsigned i = 0; i < c->ports.n; i++) {
        listener_open(&port_of(c, i)->listener, c->ports.port[i].mtu, seed + i);
        begin(c, i);
    }
}

void host_mld_stop(struct control *c)
{
    static const struct own_groups none;
    for (unsigned i = 0; i < c->ports.n; i++) {
        own_become(c, i, &none);
        if (may_speak(c, i))
            send_due(c, i, MESSAGES_AT_ONCE);
        listener_close(&c->mld.port[i].listener);
    }
}

static bool same_networks(const struct host_mld_port *mld, const struct port *port)
{
    if (mld->n_networks != port->n_addresses)
        return false;
    for (size_t i = 0; i < port->n_addresses; i++)
        if (mld->networks[i].bits != port->addresses[i].bits ||
            !prefix_contains(&mld->networks[i], &port->addresses[i].addr))
            return false;
    return true;
}

/* Home addresses may be another port's now, or nobody's: which of them were joined on which is not known any
 * more. What was joined before and is not needed ends by itself at the routers. */
static void begin_anew(struct control *c)
{
    c->mld.again_ns = 0;
    for (unsigned i = 0; i < c->ports.n; i++) {
        listener_begin_anew(&port_of(c, i)->listener);
        begin(c, i);
        host_mld_own(c, i);
    }
    agent_listen_again(c->agent);
}

void host_mld_readdressed(struct control *c)
{
    bool same = true;
    for (unsigned i = 0; i < c->ports.n; i++)
        same &= same_networks(&c->mld.port[i], &c->ports.port[i]) &&
                c->mld.port[i].wanted == c->conf->ports[i].mld;
    if (!same) {
        begin_anew(c);
        return;
    }
    for (unsigned i = 0; i < c->ports.n; i++)
        host_mld_own(c, i);
}

bool host_mld_work(struct control *c)
{
    bool worked = false;
    if (c->mld.again_ns != 0 && c->mld.again_ns <= c->now.mono_ns)
        begin_anew(c);
    for (unsigned i = 0; i < c->ports.n; i++)
        if (may_speak(c, i))
            worked |= send_due(c, i, MESSAGES_AT_ONCE);
    return worked;
}

uint64_t host_mld_deadline(const struct control *c)
{
    uint64_t earliest = c->mld.again_ns != 0 ? c->mld.again_ns : TIMER_NEVER;
    for (unsigned i = 0; i < c->ports.n; i++)
        if (may_speak(c, i))
            earliest = RTE_MIN(earliest, listener_deadline(&c->mld.port[i].listener, c->now.mono_ns));
    return earliest;
}
