/* SPDX-License-Identifier: BSD-3-Clause */
#include "effects.h"

#include "forwarding.h"
#include "host_nd.h"
#include "log.h"
#include "mip4.h"
#include "mip6.h"
#include "transmit.h"

static struct rte_mbuf *udp_message(struct control *c, const struct message *message)
{
    struct writer w;
    struct rte_mbuf *m = transmit_begin(c, &w);
    udp_encode(&w,
               &(struct udp){
                   .source = message->source,
                   .destination = message->destination,
                   .source_port = message->source_port,
                   .destination_port = message->destination_port,
                   .payload = message->bytes,
                   .payload_len = message->len,
               },
               TRANSMIT_TTL, c->next_identification++);
    return transmit_end(m, &w);
}

static struct rte_mbuf *upper_layer_message(struct control *c, const struct message *message)
{
    return transmit_message(c,
                            &(struct ip_header){.source = message->source,
                                                .destination = message->destination,
                                                .tos = message->tos,
                                                .protocol = message->protocol,
                                                .ttl = TRANSMIT_TTL,
                                                .routed_home = message->home},
                            message->bytes, message->len);
}

static void send_message(struct control *c, const struct message *message)
{
    struct rte_mbuf *m =
        message->protocol == IPPROTO_NUM_UDP ? udp_message(c, message) : upper_layer_message(c, message);
    if (!message->on_link) {
        transmit_ip(c, m);
        return;
    }
    static const struct mac unknown;
    int port_index = ports_connected(&c->ports, &message->destination);
    if (port_index >= 0 && m != NULL && mac_equal(&message->mac, &unknown))
        neighbor_send(c->neighbors, (uint8_t)port_index, &message->destination, m, c->now.mono_ns);
    else if (port_index >= 0)
        transmit_on_link(c, (unsigned)port_index, &message->mac, m);
    else
        transmit_ip(c, m); /* no link of ours is its home link */
}

/* By each family's own means. */
static void tell_link(struct control *c, unsigned port_index, const struct addr *address,
                      const struct mac *mac)
{
    if (addr_is_ipv4(address))
        transmit_arp_announcement(c, port_index, address, mac);
    else if (mac == NULL) /* who is back says so itself (RFC 6275 section 11.5.5) */
        host_nd_announce(c, port_index, address);
}

static void announce(struct control *c, const struct announcement *a)
{
    int port_index = ports_connected(&c->ports, &a->home);
    if (port_index < 0)
        return;
    if (!a->ours) /* it is back on the link: frames that still come to us find it there (RFC 5944
                     section 4.2.3) */
        neighbor_heard(c->neighbors, (uint8_t)port_index, &a->home, &a->mac, true, c->now.mono_ns);
    if (a->silent)
        return;
    const struct addr link_local = addr_link_local_of(&a->home);
    tell_link(c, (unsigned)port_index, &a->home, a->ours ? NULL : &a->mac);
    if (a->link_local)
        tell_link(c, (unsigned)port_index, &link_local, a->ours ? NULL : &a->mac);
}

static void probe(struct control *c, const struct probe *p)
{
    int port_index = ports_connected(&c->ports, &p->home);
    if (port_index < 0)
        return;
    const struct addr link_local = addr_link_local_of(&p->home);
    host_mld_tell(c, (unsigned)port_index, &p->home); /* the group is the link-local address's as well */
    host_nd_probe(c, (unsigned)port_index, &p->home);
    if (p->link_local)
        host_nd_probe(c, (unsigned)port_index, &link_local);
}

static void relay(struct control *c, const struct relay *r)
{
    transmit_icmp_error(
        c, &(struct transmit_error){
               .what = (enum icmp_error)r->what, .value = r->value, .datagram = r->datagram, .len = r->len});
}

static void forward(struct control *c, const struct passage *passage)
{
    struct writer w;
    struct rte_mbuf *m = transmit_begin(c, &w);
    write_bytes(&w, passage->bytes, passage->len);
    m = transmit_end(m, &w);
    const int port_index = passage->on_link ? ports_connected(&c->ports, &passage->home) : -1;
    if (!passage->on_link)
        transmit_forwarded(c, m);
    else if (port_index >= 0)
        transmit_on_link(c, (unsigned)port_index, &passage->mac, m);
    else
        rte_pktmbuf_free(m);
}

static enum log_level level_of(enum note_level level)
{
    switch (level) {
    case NOTE_DEBUG:
        return LOG_LEVEL_DEBUG;
    case NOTE_INFO:
        return LOG_LEVEL_INFO;
    default:
        return LOG_LEVEL_WARNING;
    }
}

static const char *code_text(const struct note *n)
{
    return addr_is_ipv4(&n->home) ? mip4_code_text(n->code) : mip6_status_text(n->code);
}

static void write_note(const struct note *n)
{
    enum log_level level = level_of(note_level(n->kind));
    if (level > log_level())
        return; /* a million bindings: no text is made for nobody */
    char home[ADDR_TEXT_MAX], care_of[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];
    addr_format(&n->home, home);
    addr_format(&n->care_of, care_of);
    addr_format(&n->peer, peer);
    switch ((enum note_kind)n->kind) {
    case NOTE_BOUND:
    case NOTE_RENEWED:
    case NOTE_MOVED:
        log_write(level, "%s: %s, care-of %s, for %u s", home, note_text(n->kind), care_of, n->value);
        break;
    case NOTE_DENIED:
    case NOTE_AUTH_FAILED:
        log_write(level, "%s: %s, from %s: code %u (%s)", home, note_text(n->kind), peer, n->code,
                  code_text(n));
        break;
    case NOTE_CONFLICT:
        log_write(level, "%s: %s", home, note_text(n->kind));
        break;
    case NOTE_PATH_MTU:
        log_write(level, "care-of %s: %s: %u bytes", care_of, note_text(n->kind), n->value);
        break;
    case NOTE_UNREACHABLE:
        log_write(level, "care-of %s: %s", care_of, note_text(n->kind));
        break;
    case NOTE_DEREGISTERED:
    case NOTE_EXPIRED:
    case NOTE_REVOKED:
        log_write(level, "%s: %s", home, note_text(n->kind));
        break;
    case NOTE_DELEGATED:
        log_write(level, "%s: %s %s", home, note_text(n->kind), n->name);
        break;
    case NOTE_REFUSED_BY:
        log_write(level, "%s: %s %s: %s", home, note_text(n->kind), n->name, delegation_status_text(n->code));
        break;
    case NOTE_RECALLED:
        log_write(level, "%s: %s", home, note_text(n->kind));
        break;
    case NOTE_PEER_UP:
    case NOTE_PEER_DEAD:
    case NOTE_LEASE_LOST:
    case NOTE_LEASE_GAINED:
    case NOTE_SYNCHRONISED:
    case NOTE_DRAINED:
        log_write(level, "%s: %s", n->name, note_text(n->kind));
        break;
    case NOTE_PEER_SUSPICIOUS:
        log_write(level, "%s %s", note_text(n->kind), peer);
        break;
    }
}

void effects_carry_out(struct control *c)
{
    for (const struct effect *e = agent_pop(c->agent); e != NULL; e = agent_pop(c->agent)) {
        switch (e->kind) {
        case EFFECT_INSTALL:
            forwarding_install(c, &e->install);
            break;
        case EFFECT_REMOVE:
            forwarding_remove(c, &e->remove);
            break;
        case EFFECT_SEND:
            send_message(c, &e->send);
            break;
        case EFFECT_ANNOUNCE:
            announce(c, &e->announce);
            break;
        case EFFECT_PROBE:
            probe(c, &e->probe);
            break;
        case EFFECT_LISTEN:
            host_mld_listen(c, &e->listen);
            break;
        case EFFECT_RELAY:
            relay(c, &e->relay);
            break;
        case EFFECT_FORWARD:
            forward(c, &e->forward);
            break;
        case EFFECT_NOTE:
            write_note(&e->note);
            break;
        }
    }
}
