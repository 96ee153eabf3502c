/* SPDX-License-Identifier: BSD-3-Clause */
#include "doctor_checks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "counters.h"
#include "doctor.h"
#include "mip6.h"

enum {
    IDENTIFICATION_MISMATCH = 133, /* RFC 5944 section 3.4 */
    DENIALS_MIN = 5,               /* fewer say nothing */
    DENIALS_SHARE = 10,            /* one in so many is much */
    STRAYS_SHARE = 10,             /* likewise, of a secondary's packets */
    RETRANSMISSIONS_SHARE = 20,    /* likewise, of the datagrams sent */
    HEARD_LATELY_MS = 5000
};

#define AT_PRIMARY   (1U << ROLE_PRIMARY)
#define AT_SECONDARY (1U << ROLE_SECONDARY)
#define AT_BOTH      (AT_PRIMARY | AT_SECONDARY)
#define AT_ALL       (AT_BOTH | 1U << ROLE_FOREIGN_AGENT)

const char *doctor_grade_text(enum doctor_grade grade)
{
    static const char *const texts[] = {
#define X(name, text) [DOCTOR_##name] = text,
        DOCTOR_GRADES(X)
#undef X
    };
    return texts[grade];
}

void doctor_find(struct doctor_finding *out, enum doctor_grade grade, const char *format, ...)
{
    va_list args;
    out->grade = grade;
    va_start(args, format);
    vsnprintf(out->detail, sizeof(out->detail), format, args);
    va_end(args);
}

static uint64_t seconds_since(const struct control *c, uint64_t at_ns)
{
    return (c->now.mono_ns - at_ns) / NSEC_PER_S;
}

/* ---- Session ---- */

static bool is_heard(const struct peer_view *peer)
{
    return peer->last_heard_ms < HEARD_LATELY_MS;
}

/* The section of the configuration at either end that is about the other. */
static const char *section_here(const struct control *c)
{
    return c->conf->role == ROLE_PRIMARY ? "secondary" : "primary";
}

static const char *section_there(const struct control *c)
{
    return c->conf->role == ROLE_PRIMARY ? "primary" : "secondary";
}

static enum doctor_grade session_grade(enum peer_state state)
{
    switch (state) {
    case PEER_READY:
        return DOCTOR_OK;
    case PEER_SYNCING:
    case PEER_SUSPECT:
    case PEER_DRAINING:
    case PEER_OVERLOADED:
        return DOCTOR_WARNING;
    default:
        return DOCTOR_FAULT;
    }
}

/* What to do about a state that is none to rest in. */
static const char *session_advice(enum peer_state state)
{
    switch (state) {
    case PEER_READY:
        return "";
    case PEER_SYNCING:
        return ": its table is being compared; look again";
    case PEER_SUSPECT:
        return ": its KEEPALIVEs are missing, or our answers to them; look for loss and load on the way";
    case PEER_DRAINING:
        return ": by the operator, its link is down, or it is not configured any more; it is given nothing";
    case PEER_OVERLOADED:
        return ": it forwards nearly what it can; another secondary is needed";
    default:
        return ": see keys; does it run, is its address the one configured, does UDP pass both ways "
               "(delegation port, by default 49434)?";
    }
}

static void check_session(const struct doctor_subject *s, struct doctor_finding *out)
{
    const struct peer_view *p = &s->peer;
    const enum doctor_grade grade = session_grade(p->state);
    if (p->last_heard_ms == UINT32_MAX)
        doctor_find(out, grade, "%s, never heard%s", peer_state_text(p->state), session_advice(p->state));
    else
        doctor_find(out, grade, "%s, heard %u ms ago, lease for %u ms, %u operations not acknowledged%s",
                    peer_state_text(p->state), p->last_heard_ms, p->lease_left_ms, p->pending,
                    session_advice(p->state));
}

static void check_lease(const struct doctor_subject *s, struct doctor_finding *out)
{
    const bool primary = s->c->conf->role == ROLE_PRIMARY;
    const enum agent_counter counter = primary ? AGENT_LEASES_WITHHELD : AGENT_LEASES_LOST;
    const uint64_t lately = doctor_lately(s->c, counter), all = agent_counters(s->c->agent)->n[counter];
    const char *what = primary ? "withheld from secondaries that do not hear us or make no progress" : "lost";
    if (all == 0)
        doctor_find(out, DOCTOR_OK, "none %s", what);
    else
        doctor_find(out, lately > 0 ? DOCTOR_FAULT : DOCTOR_WARNING,
                    "%" PRIu64 " %s in the last %" PRIu64 " s, %" PRIu64 " since the counters were cleared: "
                    "one direction of the way loses datagrams, or a node was not running",
                    lately, what, doctor_lately_s(s->c), all);
}

static void check_loss(const struct doctor_subject *s, struct doctor_finding *out)
{
    const uint64_t sent = doctor_lately(s->c, AGENT_PEER_SENT),
                   again = doctor_lately(s->c, AGENT_PEER_RETRANSMITTED);
    const bool much = again >= DENIALS_MIN && again * RETRANSMISSIONS_SHARE > sent;
    doctor_find(out, much ? DOCTOR_WARNING : DOCTOR_OK,
                "%" PRIu64 " of %" PRIu64 " delegation datagrams of the last %" PRIu64 " s were sent again%s",
                again, sent, doctor_lately_s(s->c),
                much ? ": a peer is silent, or the way loses them (show ports: missed; show secondaries: "
                       "retransmissions)"
                     : "");
}

/* ---- Keys ---- */

static void check_key(const struct doctor_subject *s, struct doctor_finding *out)
{
    const uint64_t forged = doctor_lately(s->c, AGENT_PEER_FORGED),
                   unknown = doctor_lately(s->c, AGENT_PEER_UNKNOWN_SPI), lately_s = doctor_lately_s(s->c);
    const char *name = s->peer.name, *here = section_here(s->c), *there = section_there(s->c);
    if (is_heard(&s->peer))
        doctor_find(out, DOCTOR_OK, "its datagrams are authentic, the last of %u ms ago",
                    s->peer.last_heard_ms);
    else if (forged > 0)
        doctor_find(
            out, DOCTOR_FAULT,
            "nothing authentic of it, and %" PRIu64
            " datagrams with a wrong authenticator in the last %" PRIu64
            " s: compare the key of %s \"%s\" here with that of section %s there (the log names their "
            "sender)",
            forged, lately_s, here, name, there);
    else if (unknown > 0)
        doctor_find(
            out, DOCTOR_FAULT,
            "nothing authentic of it, and %" PRIu64
            " datagrams with an SPI not configured in the last %" PRIu64
            " s: compare the spi of %s \"%s\" here with that of section %s there (the log names their "
            "sender)",
            unknown, lately_s, here, name, there);
    else
        doctor_find(out, DOCTOR_UNKNOWN, "nothing came lately that a key could be tried on");
}

static void check_strangers(const struct doctor_subject *s, struct doctor_finding *out)
{
    const struct control *c = s->c;
    const uint64_t reflected = doctor_lately(c, AGENT_PEER_REFLECTED),
                   strange = doctor_lately(c, AGENT_PEER_UNKNOWN),
                   forged = doctor_lately(c, AGENT_PEER_FORGED) + doctor_lately(c, AGENT_PEER_UNKNOWN_SPI),
                   epoch = doctor_lately(c, AGENT_PEER_WRONG_EPOCH), lately_s = doctor_lately_s(c);
    if (reflected > 0)
        doctor_find(out, DOCTOR_FAULT,
                    "%" PRIu64 " datagrams of peers in the last %" PRIu64
                    " s bore our own id %u: give each node its own",
                    reflected, lately_s, c->conf->id);
    else if (strange > 0)
        doctor_find(out, DOCTOR_WARNING,
                    "%" PRIu64 " datagrams in the last %" PRIu64
                    " s between addresses that no section %s has: compare "
                    "the addresses at both ends (the log names the sender)",
                    strange, lately_s, section_here(c));
    else if (forged > 0)
        doctor_find(out, DOCTOR_WARNING,
                    "%" PRIu64 " datagrams in the last %" PRIu64
                    " s with a wrong authenticator or an SPI not configured: "
                    "a peer's key or spi differs, or a stranger tries (the log names the sender)",
                    forged, lately_s);
    else if (epoch > 0)
        doctor_find(out, DOCTOR_WARNING,
                    "%" PRIu64 " datagrams in the last %" PRIu64
                    " s of another session: a peer was restarted; if that "
                    "goes on, two appliances have one address",
                    epoch, lately_s);
    else
        doctor_find(out, DOCTOR_OK, "no datagram refused in the last %" PRIu64 " s", lately_s);
}

/* ---- The primary's address as source ---- */

static void check_probe_returned(const struct doctor_subject *s, struct doctor_finding *out)
{
    const struct control *c = s->c;
    const struct doctor_peer *peer = doctor_peer(c, s->peer.id);
    const char *name = s->peer.name;
    if (c->conf->agent.delegation.own_source) {
        doctor_find(out, DOCTOR_OK, "outer-source = own: its tunnels bear its own address");
        return;
    }
    if (peer == NULL || peer->leased_ns == 0) {
        doctor_find(out, DOCTOR_UNKNOWN, "it has no lease, so it sends no probe");
        return;
    }
    const uint64_t leased_s = seconds_since(c, peer->leased_ns);
    const uint64_t returned_s = peer->returned_ns != 0 ? seconds_since(c, peer->returned_ns) : UINT64_MAX;
    if (returned_s < DOCTOR_OVERDUE_S)
        doctor_find(out, DOCTOR_OK, "the last probe of %s came back %" PRIu64 " s ago", name, returned_s);
    else if (leased_s < DOCTOR_OVERDUE_S)
        doctor_find(out, DOCTOR_UNKNOWN,
                    "no probe of %s came back in the %" PRIu64 " s of its lease; look again", name, leased_s);
    else
        doctor_find(
            out, DOCTOR_FAULT,
            "no probe of %s came back for %" PRIu64
            " s though it holds a lease: a source address filter (uRPF, "
            "BCP 38, IP source guard) stands between it and its router, or that answers no echo request "
            "(doctor at %s names it). Behind a filter all its tunnels are lost: they bear our address. "
            "Exempt it, or outer-source = own",
            name, RTE_MIN(leased_s, returned_s), name);
}

static void check_probe_sent(const struct doctor_subject *s, struct doctor_finding *out)
{
    struct doctor_router router = {0};
    char text[ADDR_TEXT_MAX];
    const bool routed = doctor_router(s->c, &s->peer.address, &router);
    const struct doctor_peer *peer = doctor_peer(s->c, s->peer.id);
    addr_format(&router.address, text);
    if (s->c->conf->agent.delegation.own_source)
        doctor_find(out, DOCTOR_OK, "outer-source = own: our tunnels bear our own address");
    else if (!routed)
        doctor_find(out, DOCTOR_UNKNOWN, "no default route by a router, so no probe is sent");
    else if (addr_equal(&router.address, &s->peer.address))
        doctor_find(out, DOCTOR_UNKNOWN, "our router %s is %s itself, so no probe is sent", text,
                    s->peer.name);
    else if (!router.answers)
        doctor_find(out, DOCTOR_FAULT, "our router %s does not answer %s: nothing can leave", text,
                    addr_is_ipv4(&router.address) ? "ARP" : "neighbour solicitations");
    else if (peer == NULL || peer->sent_ns == 0)
        doctor_find(out, DOCTOR_UNKNOWN, "no probe to our router %s yet: it needs a lease", text);
    else
        doctor_find(out, DOCTOR_OK,
                    "a probe with the source address of %s went to our router %s %" PRIu64
                    " s ago; doctor at %s tells "
                    "whether it came back",
                    s->peer.name, text, seconds_since(s->c, peer->sent_ns), s->peer.name);
}

/* ---- Interception ---- */

static void check_strays(const struct doctor_subject *s, struct doctor_finding *out)
{
    const struct doctor_strays *strays = s->strays;
    const struct peer_view *p = &s->peer;
    char home[ADDR_TEXT_MAX];
    if (p->bindings == 0)
        doctor_find(out, DOCTOR_UNKNOWN, "nothing is delegated to it");
    else if (strays == NULL)
        doctor_find(out, DOCTOR_OK,
                    "nothing came here in the last second for the %u bindings delegated to it", p->bindings);
    else
        doctor_find(
            out, strays->pps * STRAYS_SHARE >= p->load.tx_pps ? DOCTOR_FAULT : DOCTOR_WARNING,
            "%" PRIu64 " packets/s for %u of its %u bindings still come to us, as for %s; it tunnels %u. "
            "Neighbours take no gratuitous ARP (IPv6: neighbour advertisements) from it: switch port "
            "security, "
            "dynamic ARP inspection, RA or ND guard, static entries? Or it has no entry for them (second "
            "chances). Just after a move: look again",
            strays->pps, strays->bindings, p->bindings, addr_format(&strays->home, home), p->load.tx_pps);
}

static void check_second_chances(const struct doctor_subject *s, struct doctor_finding *out)
{
    const uint64_t lately = doctor_second_chances_lately(s->c), lately_s = doctor_lately_s(s->c);
    if (lately == 0)
        doctor_find(out, DOCTOR_OK,
                    "no packet for a home address without an entry here in the last %" PRIu64 " s", lately_s);
    else
        doctor_find(out, DOCTOR_WARNING,
                    "%" PRIu64 " packets in the last %" PRIu64
                    " s for home addresses without an entry here, passed on to "
                    "the primary: neighbours do not take the gratuitous ARP (IPv6: neighbour advertisements) "
                    "of who has them now, or linger is too "
                    "short "
                    "for their caches",
                    lately, lately_s);
}

/* ---- Operations ---- */

static void check_starts_sent(const struct doctor_subject *s, struct doctor_finding *out)
{
    const uint64_t *n = agent_counters(s->c->agent)->n;
    const uint64_t failed =
        doctor_lately(s->c, AGENT_STARTS_REFUSED) + doctor_lately(s->c, AGENT_STARTS_GIVEN_UP);
    doctor_find(
        out, failed > 0 ? DOCTOR_WARNING : DOCTOR_OK,
        "%" PRIu64 " START refused or given up in the last %" PRIu64 " s; of %" PRIu64
        " since the counters were "
        "cleared %" PRIu64 " refused, %" PRIu64 " given up%s",
        failed, doctor_lately_s(s->c), n[AGENT_STARTS_SENT], n[AGENT_STARTS_REFUSED],
        n[AGENT_STARTS_GIVEN_UP],
        failed > 0
            ? ". Who and why is in the log; prohibited and loop: compare the home networks at both ends"
            : "");
}

static void check_starts_taken(const struct doctor_subject *s, struct doctor_finding *out)
{
    const uint64_t *n = agent_counters(s->c->agent)->n;
    const uint64_t declined = doctor_lately(s->c, AGENT_STARTS_DECLINED);
    doctor_find(out, declined > 0 ? DOCTOR_WARNING : DOCTOR_OK,
                "%" PRIu64 " START declined in the last %" PRIu64
                " s; since the counters were cleared %" PRIu64 " declined, %" PRIu64 " obeyed%s",
                declined, doctor_lately_s(s->c), n[AGENT_STARTS_DECLINED], n[AGENT_STARTS_TAKEN],
                declined > 0
                    ? ". The primary's log says why: compare the home networks at both ends, and max-bindings"
                    : "");
}

static void check_synchronisation(const struct doctor_subject *s, struct doctor_finding *out)
{
    const uint64_t begun = doctor_lately(s->c, AGENT_SYNCHRONISATIONS),
                   sessions = doctor_lately(s->c, AGENT_SESSIONS);
    const bool again = begun > sessions;
    doctor_find(
        out, again ? DOCTOR_WARNING : DOCTOR_OK,
        "%" PRIu64 " synchronisations and %" PRIu64 " sessions begun in the last %" PRIu64 " s%s", begun,
        sessions, doctor_lately_s(s->c),
        again ? ": a table differed from what was acknowledged; if that goes on, report it as a defect" : "");
}

/* ---- Clock ---- */

static void check_clock(const struct doctor_subject *s, struct doctor_finding *out)
{
    const uint64_t *replies = agent_counters(s->c->agent)->replies, *acks = agent_counters(s->c->agent)->acks;
    const uint64_t accepted = replies[0] + replies[1] + acks[MIP6_ACCEPTED] + acks[MIP6_ACCEPTED_PREFIX],
                   denied = replies[IDENTIFICATION_MISMATCH] + acks[MIP6_TIMESTAMP_MISMATCH];
    if (accepted + denied == 0)
        doctor_find(out, DOCTOR_UNKNOWN, "no registration answered since the counters were cleared");
    else if (denied >= DENIALS_MIN && denied * DENIALS_SHARE > accepted + denied)
        doctor_find(
            out, DOCTOR_WARNING,
            "%" PRIu64 " registrations denied with code 133 (IPv6: status 144) for their timestamp, %" PRIu64
            " accepted: compare this "
            "clock with NTP, then the mobile nodes' (timestamp-window: %u s). After a restart each is "
            "denied once: "
            "clear counters, look again",
            denied, accepted, s->c->conf->agent.timestamp_window_s);
    else
        doctor_find(out, DOCTOR_OK,
                    "%" PRIu64 " registrations denied for their timestamp, %" PRIu64 " accepted", denied,
                    accepted);
}

static void check_no_clock(const struct doctor_subject *s, struct doctor_finding *out)
{
    (void)s;
    doctor_find(out, DOCTOR_OK,
                "of no account here: delegation needs no common clock, and nobody registers here");
}

const struct doctor_check doctor_checks[] = {
    {"link", AT_ALL, DOCTOR_PORT, doctor_check_link},
    {"session", AT_BOTH, DOCTOR_PEER, check_session},
    {"lease", AT_BOTH, DOCTOR_SELF, check_lease},
    {"loss", AT_BOTH, DOCTOR_SELF, check_loss},
    {"keys", AT_BOTH, DOCTOR_PEER, check_key},
    {"keys", AT_BOTH, DOCTOR_SELF, check_strangers},
    {"source-filter", AT_PRIMARY, DOCTOR_PEER, check_probe_returned},
    {"source-filter", AT_SECONDARY, DOCTOR_PEER, check_probe_sent},
    {"arp", AT_PRIMARY, DOCTOR_PEER, check_strays},
    {"arp", AT_SECONDARY, DOCTOR_SELF, check_second_chances},
    {"starts", AT_PRIMARY, DOCTOR_SELF, check_starts_sent},
    {"starts", AT_SECONDARY, DOCTOR_SELF, check_starts_taken},
    {"synchronisation", AT_PRIMARY, DOCTOR_SELF, check_synchronisation},
    {"mtu", AT_ALL, DOCTOR_PORT, doctor_check_port_mtu},
    {"mtu", AT_PRIMARY, DOCTOR_PEER, doctor_check_peer_mtu},
    {"mtu", AT_ALL, DOCTOR_SELF, doctor_check_too_big},
    {"clock", AT_PRIMARY, DOCTOR_SELF, check_clock},
    {"clock", AT_SECONDARY, DOCTOR_SELF, check_no_clock},
};

const size_t doctor_checks_rows = RTE_DIM(doctor_checks);
