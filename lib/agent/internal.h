/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the agent share among themselves. Nobody outside lib/agent includes this.
 *
 *     mobile   - a home address, the security associations of its owner, its replay state
 *     care     - one care-of address of a bound mobile; a mobile with at least one is bound
 *     tunnel   - a pair of outer addresses, shared by all care-of addresses that use it
 *     vigil    - announcements that a home address still owes to the home link
 */
#ifndef AGENT_INTERNAL_H
#define AGENT_INTERNAL_H

#include "agent.h"
#include "limit.h"
#include "mip4.h"
#include "timerq.h"

/* Chains of two: a lookup among a million is one or two cache misses, not eight. */
#define HASH_BKT_CAPACITY_THRESH 2U
/* Out of memory is an answer (130), not the end of the process: hh.tbl stays NULL. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

/* struct timer.kind: what its owner is and what happened. */
enum agent_timer {
    TIMER_LIFETIME,
    TIMER_REPEAT,
    TIMER_DEFEND,
    TIMER_TUNNEL_AGE,
    TIMER_GREETING,
    TIMER_TRANSACTION,
    TIMER_NODE_LEASE,
    TIMER_NODE_STALLED,
    TIMER_NODE_FLUSH,
    TIMER_HOLDING,
    TIMER_HELD_REPLY,
    TIMER_RENEW,
    TIMER_POLICY,
    TIMER_LEASE,
    TIMER_KEEPALIVE,
    TIMER_REPORT,
    TIMER_LINGER,
    TIMER_DURATION,
    TIMER_ANNOUNCE,
    TIMER_UNIQUE /* nobody has answered for the address that a binding update asks for */
};

/* A security association with its replay state (replay.c). */
struct security {
    struct security *next;
    uint32_t spi;
    uint32_t seen;       /* agent->sweep when it was last configured */
    uint32_t nonce;      /* the first one that is good now ... */
    uint32_t denied_tag; /* of the request that was last denied; counts while denied_code is not 0 */
    uint8_t nonces;      /* ... and how many after it are good as well */
    uint8_t denied_code;
    uint8_t replay; /* enum replay_style */
    uint8_t algorithm;
    uint8_t key_len;
    uint8_t key[]; /* as long as it is: a million of these are kept */
};

/* A network access identifier (RFC 2794) and whose it is. */
struct name {
    UT_hash_handle hh;
    struct mobile *mobile;
    uint32_t seen;
    char text[];
};

struct mobile {
    UT_hash_handle hh; /* agent->mobiles, by home */
    struct addr home;
    struct security *securities;
    struct care *cares; /* NULL: at home as far as we know */
    struct name *name;
    struct vigil *vigil;
    struct ipsec *ipsec;           /* IPv6: ESP associations; NULL: none */
    struct ipsec *home_test;       /* IPv6: ESP for return routability (RFC 6275 section 10.4.6) */
    struct pending *pending;       /* IPv6: a binding update that waits for detection; NULL: none */
    struct dad *dad;               /* IPv6: that detection, while it runs (dad.c) */
    struct delegation *delegation; /* primary: NULL: local, and nobody else holds anything of it */
    struct held *held;             /* secondary: what its primaries have said of it */
    struct rated *rated; /* primary: its rates and place in the balancer's index; NULL: no traffic seen */
    uint64_t newest;     /* the greatest timestamp accepted from it (RFC 5944 section 5.7.1) */
    uint64_t current;    /* tag of the request accepted last; 0: none */
    uint32_t slot;
    uint32_t seen;
    uint16_t
        sequence; /* IPv6: of the last valid binding update (RFC 6275 section 9.5.1); outlives the binding */
    bool has_sequence;
    uint8_t listened; /* agent->listening when the shell was told to listen for it; 0: it was told to stop */
    uint32_t prefixes_told_ms[2]; /* IPv6: when, in the clear and in ESP, by the low bits of the clock
                                     (discovery.c); 0: never */
};

struct foreign {
    UT_hash_handle hh; /* agent->foreigns, by address */
    struct addr address;
    struct security *securities;
};

/* One care-of address of a mobile. */
struct care {
    struct mobile *mobile;
    struct care *next;
    struct tunnel *tunnel; /* bears the addresses */
    struct care *on_tunnel_prev, *on_tunnel_next;
    struct timer lifetime; /* not set: never ends */
    uint16_t granted_s;
    uint8_t encapsulation;
    bool co_located; /* the mobile node itself is at it (D) */
    bool reverse;    /* it was granted a reverse tunnel (T; of IPv6 always, RFC 6275 section 10.4.5) */
    bool link_local; /* IPv6: its link-local address is intercepted too (L) */
    bool home_tests; /* IPv6: as in struct forwarding; the same of all of a mobile */
};

struct tunnel {
    struct tunnel *next; /* in its bucket */
    struct addr source;
    struct addr far;
    struct care *cares; /* never empty but while one is being added */
    struct soft *soft;  /* NULL: nothing is known of it */
};

/* Announcements of one home address: the first and its repeats, and one that a conflict calls for. */
struct vigil {
    struct mobile *mobile;
    struct vigil *queue_prev, *queue_next; /* in one of announcing.waiting while it waits for its turn */
    struct timer repeat;
    struct timer defend;
    uint64_t began_ns; /* when the first was sent */
    uint8_t step;      /* the next to be sent; 0: the first */
    bool waits;
    bool ours;
    struct mac mac;
    struct mac claimant; /* of the conflict */
};

/* The pace of announcements, all together: those that have to wait, first ones before repeats. */
struct announcing {
    struct limit limit;
    struct vigil *waiting[2]; /* DL by queue_prev, queue_next */
    struct timer turn;        /* TIMER_ANNOUNCE: set while any waits */
};

/* Records of effects in a growing run of bytes: short ones stay short, however many a sweep makes. */
struct effects {
    uint8_t *bytes;
    size_t head, tail, size;
    struct effect out; /* the one popped last */
};

struct agent {
    struct agent_settings settings;
    struct addr *reserved; /* settings.reserved */
    struct auth *auth;
    struct timerq *timers;
    struct effects effects;
    struct agent_counters counters;

    struct mobile *mobiles;
    struct name *names;
    struct foreign *foreigns;
    struct ipsec *ipsecs;        /* by SPI */
    struct discovery *discovery; /* NULL: nothing heard, nothing asked yet */
    struct mobile **slots;       /* NULL: free */
    size_t n_slots, slots_size;
    uint32_t *free_slots;
    size_t n_free_slots;
    size_t n_mobiles, n_bindings;

    uint32_t sweep; /* counts sweeps; what bears another number was not set again */
    size_t sweep_at;
    bool foreigns_swept;
    bool auditing; /* agent_configure left bindings to be looked at, from audit_at on */
    size_t audit_at;

    struct tunnel **tunnels;
    size_t n_buckets; /* a power of two */
    struct soft *refreshing;

    struct auth_key seed;
    uint64_t secrets_made;
    uint64_t floor; /* no new mobile node's timestamp may be at or before this */

    uint8_t listening;    /* counts how often the shell was told from the beginning; never 0 */
    bool listening_again; /* it is being told so, from listen_at on */
    size_t listen_at;

    struct announcing announcing;
    struct limit denials;
    struct limit errors; /* binding errors and ICMP errors about mobility headers */
    struct limit notes[NOTE_DRAINED + 1];

    /* Delegation, either role. */
    const struct peer_role *role;
    struct peer *peers;
    uint64_t epoch;         /* of this start */
    uint64_t boot_ns;       /* monotonic */
    struct agent_load load; /* this node's own, as told last */
    uint64_t random;        /* state of what needs to be spread, not secret */

    /* Of a primary. */
    uint32_t term;       /* ours */
    uint64_t generation; /* the one issued last */
    struct policy *policy;
    struct node *stepping; /* the node whose paced work goes on next */
};

/* For jitter and ties; never for secrets. */
uint64_t agent_random(struct agent *agent);
/* 16 bytes that nobody can guess. */
void agent_secret(struct agent *agent, uint8_t out[static 16]);

static inline void count(struct agent *agent, enum agent_counter c)
{
    agent->counters.n[c]++;
}

/* ---- effects.c ---- */
/* Makes room for what one step can produce; a step begins with it, so that adding cannot fail halfway. */
bool effects_reserve(struct effects *effects) __attribute__((warn_unused_result));
void effects_destroy(struct effects *effects);
void effect_install(struct agent *agent, const struct forwarding *install);
void effect_remove(struct agent *agent, const struct addr *home);
void effect_send(struct agent *agent, const struct message *send);
void effect_announce(struct agent *agent, const struct announcement *announce);
void effect_probe(struct agent *agent, const struct probe *probe);
void effect_listen(struct agent *agent, const struct listening *listening);
void effect_relay(struct agent *agent, const struct relay *relay);
void effect_forward(struct agent *agent, const struct passage *passage);
void effect_note(struct agent *agent, const struct note *note);
/* For what a stranger can cause: a few a second of each kind. */
void effect_note_limited(struct agent *agent, const struct note *note, struct instant now);

/* ---- mobile.c ---- */
struct mobile *mobile_by_home(const struct agent *agent, const struct addr *home);
struct mobile *mobile_by_nai(const struct agent *agent, const void *nai, size_t len);
/* Its owner is to be answered: one that was taken out of the configuration may be kept for a while, until
 * nobody forwards for it, and a secondary's were never in it. */
static inline bool mobile_is_configured(const struct mobile *mobile)
{
    return mobile->securities != NULL || mobile->ipsec != NULL || mobile->home_test != NULL;
}
struct foreign *foreign_by_address(const struct agent *agent, const struct addr *address);
struct security *security_find(struct security *list, uint32_t spi);
struct auth_key security_key(const struct security *security);
void mobiles_destroy(struct agent *agent);
/* A home address without security associations, as a secondary holds it; made if need be. NULL: out of
 * memory. */
struct mobile *mobile_adopt(struct agent *agent, const struct addr *home);
/* Lets go of one that was adopted and is neither bound nor held. */
void mobile_release(struct agent *agent, struct mobile *mobile);

/* ---- settings.c ---- */
int settings_replace(struct agent *agent, const struct agent_settings *settings);
bool is_home_agent(const struct agent *agent, const struct addr *a);
bool is_reserved(const struct agent *agent, const struct addr *a);
bool is_own(const struct agent *agent, const struct addr *a);
/* NULL: in none. */
const struct prefix *home_network(const struct agent *agent, const struct addr *a);
/* The lifetimes of the home network that a is in. NULL: in none. */
const struct home_prefix *home_prefix(const struct agent *agent, const struct addr *a);
/* 255.255.255.255, or the subnet broadcast address of a home network. */
bool is_broadcast(const struct agent *agent, const struct addr *a);
/* Our unicast address for mobile nodes at home: the one inside its home network, else the first of its
 * family, if there is one. */
const struct addr *home_agent_for(const struct agent *agent, const struct addr *home);

/* ---- binding.c ---- */
struct grant {
    struct addr care_of;
    struct addr source;
    uint8_t encapsulation;
    uint16_t lifetime_s;
    bool keep_others; /* S */
    bool heard;       /* the request came from the care-of address itself */
    bool co_located;
    bool reverse;
    bool link_local;
};

/* All care-of addresses of a binding as another agent has granted them, in their order; all different. */
struct care_set {
    struct addr source; /* outer */
    size_t n;
    struct care_grant {
        struct addr care_of;
        uint16_t path_mtu; /* of the outer packet, as the other agent has learnt it; 0: not known */
        uint8_t encapsulation;
        bool reverse;
        bool link_local;
        bool home_tests; /* elsewhere than here: what is configured here counts as well */
    } grants[AGENT_CARE_OF_MAX];
};

enum binding_change { BINDING_CREATED, BINDING_RENEWED, BINDING_MOVED, BINDING_NO_MEMORY };

struct care *care_find(const struct mobile *mobile, const struct addr *care_of);
size_t care_count(const struct mobile *mobile);
uint32_t care_left_s(const struct care *care, struct instant now);
enum binding_change binding_grant(struct agent *agent, struct mobile *mobile, const struct grant *grant,
                                  struct instant now);
/* Makes this the binding's whole set, without lifetimes, in one step. False: out of memory, nothing changed.
 */
bool binding_set(struct agent *agent, struct mobile *mobile, const struct care_set *set, struct instant now)
    __attribute__((warn_unused_result));
/* Takes one care-of address away; the last one ends the binding. */
void binding_drop(struct agent *agent, struct care *care);
/* As binding_drop, but forwarding is not told. */
void binding_drop_quietly(struct agent *agent, struct care *care);
/* Ends the binding: stops forwarding and interception; announces nothing. */
void binding_end(struct agent *agent, struct mobile *mobile);
void binding_revoke(struct agent *agent, struct mobile *mobile, struct instant now);
/* We attract its packets: bound, and not delegated away, or not lingering. */
bool mobile_intercepts(const struct agent *agent, const struct mobile *mobile);
void binding_install(struct agent *agent, struct mobile *mobile);
/* An association for its home tests may have come or gone: who forwards is told. */
void binding_follow_policy(struct agent *agent, struct mobile *mobile, struct instant now);
void binding_lifetime_over(struct agent *agent, struct care *care, struct instant now);
/* What agent_expire would do for this mobile if it came now. */
void binding_expire_due(struct agent *agent, struct mobile *mobile, struct instant now);

/* ---- tunnel.c ---- */
int tunnels_resize(struct agent *agent, size_t bindings);
/* The tunnel between these addresses, made if need be. NULL: out of memory. */
struct tunnel *tunnel_get(struct agent *agent, const struct addr *source, const struct addr *far);
void tunnel_attach(struct tunnel *tunnel, struct care *care);
void tunnel_detach(struct agent *agent, struct care *care);
/* Undoes a tunnel_get that was not followed by an attach. */
void tunnel_discard_idle(struct agent *agent, struct tunnel *tunnel);
void tunnel_describe(const struct tunnel *tunnel, struct care_of *out);
/* NULL: there is none between these addresses. */
struct tunnel *tunnel_find(const struct agent *agent, const struct addr *source, const struct addr *far);
/* Of the outer packet, as learnt; 0: that of the link. */
uint16_t tunnel_mtu(const struct tunnel *tunnel);
/* No link, or no path, has less. */
uint16_t tunnel_mtu_min(const struct tunnel *tunnel);
/* An ICMP error says so. The bindings on the tunnel are installed anew, the first at once. True: it is news.
 */
bool tunnel_learn_mtu(struct agent *agent, struct tunnel *tunnel, uint16_t mtu, struct instant now);
bool tunnel_learn_unreachable(struct agent *agent, struct tunnel *tunnel, struct instant now);
/* Another agent has learnt this MTU of the way. The caller installs the binding that it has in hand; the
 * others on the tunnel, if any, follow in steps. */
void tunnel_told_mtu(struct agent *agent, struct tunnel *tunnel, uint16_t mtu, struct instant now);
/* A sign of life of the far end. True: it had been reported unreachable. */
bool tunnel_alive(struct agent *agent, struct tunnel *tunnel);
void tunnel_age(struct agent *agent, struct timer *timer, struct instant now);
/* Installs one more binding with what has changed about its tunnel. */
void tunnel_refresh_step(struct agent *agent, struct instant now);
/* The encapsulation carries packets of home's family in packets of the tunnel's two addresses. False also for
 * one that we do not know. */
bool encapsulation_fits(enum encapsulation e, const struct addr *home, const struct addr *source,
                        const struct addr *far);
/* The settings allow it; number may be any. */
bool encapsulation_is_granted(const struct agent *agent, unsigned number);

/* ---- announce.c ---- */
void announce_bound(struct agent *agent, struct mobile *mobile, struct instant now);
void announce_returned(struct agent *agent, struct mobile *mobile, const struct mac *mac, struct instant now);
/* It is on the link again, where another agent says so: we say nothing, but deliver there. */
void announce_nothing(struct agent *agent, const struct addr *home, const struct mac *mac);
/* Nothing more is said about this home address. */
void announce_cancel(struct agent *agent, struct mobile *mobile);
void announce_repeat(struct agent *agent, struct timer *timer, struct instant now);
void announce_defend(struct agent *agent, struct timer *timer, struct instant now);
/* Some of those that wait have their turn. */
void announce_turn(struct agent *agent, struct instant now);
/* The home addresses that a station may mean by a: itself; if it is an IPv6 link-local address, those with
 * its interface identifier, one in each home network of 64 bits or more. Returns how many. */
size_t homes_named(const struct agent *agent, const struct addr *a,
                   struct addr homes[static AGENT_HOME_NETWORKS_MAX]);

/* ---- listen.c ---- */
/* Something has changed by which the home link's questions about this home address are ours, or not. */
void listen_settle(struct agent *agent, struct mobile *mobile);
/* Goes on with agent_listen_again. */
void listen_step(struct agent *agent);

/* ---- replay.c ---- */
enum freshness {
    UNJUDGED,
    FRESH,
    AGAIN,         /* the accepted current request once more */
    DENIED_BEFORE, /* a request that was denied with security->denied_code, once more (nonces only) */
    STALE          /* 133 */
};

/* Near enough to our clock, and greater than all that were accepted (RFC 5944 section 5.7.1, RFC 4285
 * section 6). */
bool replay_timestamp_is_good(const struct agent *agent, const struct mobile *mobile, uint64_t timestamp,
                              struct instant now);
/* What resynchronises after a bad one: our time, with the low half that tells which message it answers. */
uint64_t replay_resynchronise(uint64_t timestamp, struct instant now);
/* Of binding updates: greater than that of the last valid one, modulo 2^16 (RFC 6275 section 9.5.1). */
bool replay_sequence_is_good(const struct mobile *mobile, uint16_t sequence);

/* What tells requests that authenticate apart: the first bytes of the authenticator, which covers them. */
uint64_t request_tag(const struct mip4_request *request);
void replay_begin(struct agent *agent, struct security *security);
enum freshness replay_judge(const struct agent *agent, const struct mobile *mobile,
                            const struct security *security, const struct mip4_request *request,
                            struct instant now);
/* What replies bear as Identification; for STALE it is what resynchronises. */
uint64_t replay_answer(struct security *security, const struct mip4_request *request,
                       enum freshness freshness, struct instant now);
/* A fresh request was accepted, or denied with code: it will not be fresh again. */
void replay_accept(struct agent *agent, struct mobile *mobile, struct security *security,
                   const struct mip4_request *request);
void replay_deny(struct agent *agent, struct security *security, const struct mip4_request *request,
                 uint8_t code);

/* ---- dad.c: duplicate address detection for a home address (RFC 6275 section 10.3.1, RFC 4862 section 5.4)
 * ---- */
/* Asks the home link, and for the link-local address too if so wanted. After a second without an answer
 * update_proved_unique is called, update_found_taken as soon as there is one; where a secondary that is not
 * met yet may have given it, the link is asked again. False: out of memory, nothing begun. One that runs
 * already goes on; from now if it was not for the link-local address yet. */
bool dad_begin(struct agent *agent, struct mobile *mobile, bool link_local, struct instant now);
/* Neither is called any more; also before the mobile is freed. */
void dad_cancel(struct agent *agent, struct mobile *mobile);
/* Somebody on the link has, or wants to have, this address. */
void dad_heard(struct agent *agent, const struct agent_neighbor *heard, struct instant now);
void dad_over(struct agent *agent, struct timer *timer, struct instant now);

/* ---- ipsec.c: pairs of ESP associations ---- */
enum ipsec_use {
    IPSEC_SIGNALLING, /* of a mobile node (RFC 3776 section 4.2) */
    IPSEC_HOME_TEST,  /* of a mobile node, in tunnel mode (RFC 6275 section 10.4.6) */
    IPSEC_DELEGATION, /* of a peer */
};
/* Whose a pair is. */
struct ipsec_owner {
    uint8_t use;       /* enum ipsec_use */
    struct ipsec **at; /* where the owner keeps it */
    union {
        struct mobile *mobile;
        struct peer *peer; /* IPSEC_DELEGATION */
    };
};
struct ipsec {
    UT_hash_handle hh; /* agent->ipsecs, by spi */
    uint32_t spi;      /* of what comes in */
    uint32_t seen;     /* agent->sweep when it was last configured */
    struct ipsec_owner owner;
    struct esp *in, *out;
};
/* Gives the owner this pair in place of the one that it has; a direction that is the same goes on. Part of
 * the sweep. 0, -EINVAL: not sound, -EEXIST: another one has in->spi, -ENOMEM; nothing changed then. */
int ipsec_set(struct agent *agent, const struct ipsec_owner *owner, const struct esp_association *in,
              const struct esp_association *out) __attribute__((warn_unused_result));
/* Opens what came as ESP, and judges by the selectors of the pair whether it is what that is for: *inner is
 * *sealed but for protocol, payload (in buffer) and len. Of a mobile node's signalling the home address is in
 * the Home Address option or, without one, the source; of home tests inner's payload is a packet, which
 * home_test_opened judges; of delegation inner is the UDP datagram. NULL: discarded and counted. */
const struct ipsec_owner *ipsec_open(struct agent *agent, const struct agent_datagram *sealed,
                                     uint8_t buffer[static AGENT_MESSAGE_MAX], struct agent_datagram *inner);
/* Puts message into ESP; ipsec NULL: there is none to do it. False: it cannot be sent. */
bool ipsec_seal(struct agent *agent, struct ipsec *ipsec, struct message *message)
    __attribute__((warn_unused_result));
/* *at may be NULL. */
void ipsec_free(struct agent *agent, struct ipsec **at);
/* Lets go of one that was not set again. */
void ipsec_sweep(struct agent *agent, struct ipsec **at);

/* ---- home_test.c ---- */
/* What came in ESP of owner's association for it: payload is the packet inside, the addresses are outside. */
void home_test_opened(struct agent *agent, const struct agent_datagram *opened, const struct mobile *owner);

/* ---- discovery.c: home-agent and mobile prefix discovery (RFC 6275 sections 10.5 and 10.6) ---- */
/* owner: whose ESP association protected it, NULL: none did. */
void discovery_free(struct agent *agent);
void discovery_handle(struct agent *agent, const struct agent_datagram *datagram, struct mobile *owner,
                      struct instant now);

/* ---- admission.c: what registrations of either family come to ---- */
/* An address of a home network that one host can have. */
bool home_is_served(const struct agent *agent, const struct addr *home);
/* It is not a mobile node's: ours, or that of a router. */
bool home_is_taken(const struct agent *agent, const struct addr *home);
/* What is tunnelled there comes to us again: to a network that we serve, where mobile nodes would have us
 * tunnel to each other for ever, or to one of our own addresses. */
bool care_of_leads_back(const struct agent *agent, const struct addr *care_of);
/* What is bound already may always stay bound. */
bool admission_has_room(const struct agent *agent, const struct mobile *mobile);
struct admission {
    enum binding_change change;
    bool hold; /* the reply is to be held (delegation_hold_reply) */
};
/* Grants it: forwarding, announcements, delegation and counters follow. Out of memory nothing is changed. */
struct admission admit(struct agent *agent, struct mobile *mobile, const struct grant *grant,
                       struct instant now);
enum note_kind admission_change_note(enum binding_change change);
/* Care-of addresses were given up, maybe all. Who forwards for it elsewhere hears it first: the mobile node's
 * own address must stand last. back_home: where it is now; NULL: elsewhere. */
void admission_reduced(struct agent *agent, struct mobile *mobile, const struct mac *back_home,
                       struct instant now);
void admission_note(struct agent *agent, const struct note *note, struct instant now);

/* ---- acknowledgement.c ---- */
/* What a binding update asks for and where its answer goes: all of it that outlives the datagram. */
struct petition {
    struct addr home, care_of;
    struct addr source, destination; /* of the IP header */
    bool by_option;                  /* home stood in a Home Address option */
    bool in_esp;
    bool on_home_link; /* it came straight from there, in a frame of mac */
    struct mac mac;
    bool has_timestamp; /* of RFC 4285 section 6 */
    uint64_t timestamp;
    uint16_t sequence, flags, lifetime; /* as in struct mip6_update */
};

struct acknowledgement {
    struct mobile *mobile;
    const struct security *security; /* signs it (RFC 4285); NULL: ESP protects it */
    uint8_t status;                  /* enum mip6_status */
    uint16_t sequence, lifetime;     /* lifetime in units of 4 s */
    uint64_t timestamp;              /* counts where the update had one */
    bool hold;
};
void acknowledgement_send(struct agent *agent, const struct petition *petition,
                          const struct acknowledgement *a, struct instant now);
enum { BINDING_ERROR_NO_BINDING = 1, BINDING_ERROR_UNKNOWN_TYPE = 2 };
/* To the source of what it is about (RFC 6275 section 9.3.3), if the rate limit lets it. */
void binding_error_send(struct agent *agent, const struct agent_datagram *about, uint8_t status,
                        struct instant now);
/* The home address of a Home Address option is bound to the source of the packet (RFC 6275 section 9.3.1). */
bool home_option_holds(const struct agent *agent, const struct agent_datagram *datagram);

/* ---- binding_update.c ---- */
/* A Mobility Header, as it came or out of ESP; owner: whose association protected it, NULL: none did. */
void update_handle(struct agent *agent, const struct agent_datagram *datagram, struct mobile *owner,
                   struct instant now);
void update_proved_unique(struct agent *agent, struct mobile *mobile, struct instant now);
void update_found_taken(struct agent *agent, struct mobile *mobile, struct instant now);
/* Forgets what waits. */
void update_forget(struct mobile *mobile);

/* ---- registration.c ---- */
/* One request on its way through the checks. */
struct registration {
    struct agent *agent;
    const struct agent_datagram *datagram;
    struct instant now;
    struct mip4_request request;
    bool malformed;            /* request holds what came before the fault */
    bool broadcast;            /* sent to us among others */
    struct mobile *mobile;     /* whose request it says it is */
    struct security *security; /* that the request names */
    struct foreign *foreign;   /* who sent it, if we share an association */
    enum freshness freshness;
    uint8_t encapsulation; /* that will be granted */
    bool hold;             /* the reply waits until a secondary has acknowledged (primary/delegation.h) */
};

void registration_handle(struct agent *agent, const struct agent_datagram *datagram, struct instant now);
/* RFC 5944 section 3.8.3.1: a mobile node back on its home link says so. */
bool registration_is_return(const struct registration *r);
/* The same, by whatever link it came. */
bool registration_is_from_home(const struct registration *r);
/* Every care-of address, or one, is to go; foreign agents do not sign these (section 3.5.4). */
bool registration_is_farewell(const struct registration *r);
bool registration_nai_is_signed(const struct registration *r);

/* ---- reply.c ---- */
void reply_send(struct registration *r, uint8_t code, uint16_t lifetime_s);

#endif
