/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels: pairs of outer addresses, and what is known of the way between them (RFC 2003 sections 4 and 5).
 *
 * A foreign agent's care-of address is shared by all its visitors, so one ICMP error speaks for all of them:
 * the soft state belongs to the tunnel, and the bindings on it are installed anew a few at a time. Most
 * tunnels never draw an error; their soft state does not exist.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

#include "secondary/held.h"

#include "primary/delegation.h"

struct soft {
    struct timer age;
    struct tunnel *tunnel;
    struct care *refresh;     /* the next binding to be installed with the news; NULL: all have been */
    struct soft *prev, *next; /* on agent->refreshing while refresh is not NULL */
    uint64_t mtu_until;       /* monotonic */
    uint64_t unreachable_until;
    uint16_t mtu; /* 0: none learnt */
    bool unreachable;
};

enum {
    MTU_AGE_S = 600, /* a larger one is tried after this: RFC 1191 section 6.3 advises 10 minutes */
    /* RFC 2003 leaves this open. Errors about a live path annoy correspondents, so it is forgotten soon: if
     * it still holds, the next packet brings the error again. */
    UNREACHABLE_AGE_S = 60,
    REFRESH_AT_ONCE = 16, /* bindings; most tunnels have one */
    MTU_MIN = 68          /* RFC 1191 section 3 */
};

/* ---- The table of tunnels: as many buckets as bindings are allowed, so that it never has to grow while
 * registrations come in ---- */
static size_t bucket_of(const struct agent *agent, const struct addr *source, const struct addr *far)
{
    uint64_t words[4];
    memcpy(&words[0], source, sizeof(*source));
    memcpy(&words[2], far, sizeof(*far));
    uint64_t h = 0;
    for (size_t i = 0; i < 4; i++) {
        /* Addresses differ in their last bytes, the high ones of these words: they must reach the low bits.
         */
        h = (h ^ words[i] ^ words[i] >> 32) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
        h *= UINT64_C(0xd6e8feb86659fd93);
        h ^= h >> 32;
    }
    return h & (agent->n_buckets - 1);
}

static void link_tunnel(struct agent *agent, struct tunnel *tunnel)
{
    struct tunnel **bucket = &agent->tunnels[bucket_of(agent, &tunnel->source, &tunnel->far)];
    LL_PREPEND(*bucket, tunnel);
}

int tunnels_resize(struct agent *agent, size_t bindings)
{
    size_t n = 64;
    while (n < bindings)
        n *= 2;
    if (n == agent->n_buckets)
        return 0;
    struct tunnel **buckets = calloc(n, sizeof(struct tunnel *));
    if (buckets == NULL)
        return -ENOMEM;
    struct tunnel **old = agent->tunnels;
    const size_t n_old = agent->n_buckets;
    agent->tunnels = buckets;
    agent->n_buckets = n;
    for (size_t i = 0; i < n_old; i++) {
        struct tunnel *tunnel, *next;
        LL_FOREACH_SAFE(old[i], tunnel, next)
        link_tunnel(agent, tunnel);
    }
    free(old);
    return 0;
}

static struct tunnel *tunnel_find(const struct agent *agent, const struct addr *source,
                                  const struct addr *far)
{
    struct tunnel *tunnel = agent->tunnels[bucket_of(agent, source, far)];
    while (tunnel != NULL && !(addr_equal(&tunnel->far, far) && addr_equal(&tunnel->source, source)))
        tunnel = tunnel->next;
    return tunnel;
}

struct tunnel *tunnel_get(struct agent *agent, const struct addr *source, const struct addr *far)
{
    struct tunnel *tunnel = tunnel_find(agent, source, far);
    if (tunnel != NULL)
        return tunnel;
    tunnel = calloc(1, sizeof(*tunnel));
    if (tunnel == NULL)
        return NULL;
    tunnel->source = *source;
    tunnel->far = *far;
    link_tunnel(agent, tunnel);
    return tunnel;
}

/* ---- Soft state ---- */
static void refresh_end(struct agent *agent, struct soft *soft)
{
    if (soft->refresh == NULL)
        return;
    DL_DELETE(agent->refreshing, soft);
    soft->refresh = NULL;
}

static void soft_free(struct agent *agent, struct soft *soft)
{
    refresh_end(agent, soft);
    timerq_cancel(agent->timers, &soft->age);
    soft->tunnel->soft = NULL;
    free(soft);
}

static struct soft *soft_get(struct tunnel *tunnel)
{
    if (tunnel->soft != NULL)
        return tunnel->soft;
    struct soft *soft = calloc(1, sizeof(*soft));
    if (soft == NULL)
        return NULL;
    soft->age.kind = TIMER_TUNNEL_AGE;
    soft->tunnel = tunnel;
    tunnel->soft = soft;
    return soft;
}

/* Nothing is known any more, and everybody knows that. */
static void soft_forget_if_empty(struct agent *agent, struct soft *soft)
{
    if (soft->mtu == 0 && !soft->unreachable && soft->refresh == NULL)
        soft_free(agent, soft);
}

/* The state wears off at the earlier of its ends. */
static bool soft_schedule(struct agent *agent, struct soft *soft)
{
    uint64_t at = TIMER_NEVER;
    if (soft->mtu != 0)
        at = soft->mtu_until;
    if (soft->unreachable && soft->unreachable_until < at)
        at = soft->unreachable_until;
    if (at != TIMER_NEVER)
        return timerq_set(agent->timers, &soft->age, at);
    timerq_cancel(agent->timers, &soft->age);
    return true;
}

void tunnel_describe(const struct tunnel *tunnel, struct care_of *out)
{
    *out = (struct care_of){.address = tunnel->far};
    if (tunnel->soft == NULL)
        return;
    out->path_mtu = tunnel->soft->mtu;
    out->unreachable = tunnel->soft->unreachable;
}

/* ---- Telling the bindings ---- */
static void refresh_begin(struct agent *agent, struct soft *soft)
{
    if (soft->refresh == NULL)
        DL_APPEND(agent->refreshing, soft);
    soft->refresh = soft->tunnel->cares;
}

static void refresh_one(struct agent *agent, struct soft *soft, struct instant now)
{
    struct care *care = soft->refresh;
    binding_install(agent, care->mobile);
    delegation_changed(agent, care->mobile, now);
    if (care->on_tunnel_next != NULL)
        soft->refresh = care->on_tunnel_next;
    else
        refresh_end(agent, soft);
}

void tunnel_refresh_step(struct agent *agent, struct instant now)
{
    struct soft *soft = agent->refreshing;
    refresh_one(agent, soft, now);
    soft_forget_if_empty(agent, soft);
}

/* The first few at once: the very next packet is to meet the new state (RFC 2003 section 5). */
static void refresh_some(struct agent *agent, struct soft *soft, struct instant now)
{
    refresh_begin(agent, soft);
    for (size_t i = 0; i < REFRESH_AT_ONCE && soft->refresh != NULL && effects_reserve(&agent->effects); i++)
        refresh_one(agent, soft, now);
}

void tunnel_attach(struct tunnel *tunnel, struct care *care)
{
    care->tunnel = tunnel;
    /* In front of any refresh that is under way: it is about to be installed as things are. */
    DL_PREPEND2(tunnel->cares, care, on_tunnel_prev, on_tunnel_next);
}

void tunnel_detach(struct agent *agent, struct care *care)
{
    struct tunnel *tunnel = care->tunnel;
    struct soft *soft = tunnel->soft;
    if (soft != NULL && soft->refresh == care) {
        if (care->on_tunnel_next != NULL)
            soft->refresh = care->on_tunnel_next;
        else
            refresh_end(agent, soft);
    }
    DL_DELETE2(tunnel->cares, care, on_tunnel_prev, on_tunnel_next);
    care->tunnel = NULL;
    tunnel_discard_idle(agent, tunnel);
}

void tunnel_discard_idle(struct agent *agent, struct tunnel *tunnel)
{
    if (tunnel->cares != NULL)
        return;
    if (tunnel->soft != NULL)
        soft_free(agent, tunnel->soft);
    LL_DELETE(agent->tunnels[bucket_of(agent, &tunnel->source, &tunnel->far)], tunnel);
    free(tunnel);
}

bool tunnel_alive(struct agent *agent, struct tunnel *tunnel)
{
    struct soft *soft = tunnel->soft;
    if (soft == NULL || !soft->unreachable)
        return false;
    soft->unreachable = false;
    /* Moving a timer later, or taking it out, does not fail. */
    if (soft_schedule(agent, soft))
        refresh_begin(agent, soft);
    return true;
}

void tunnel_age(struct agent *agent, struct timer *timer, struct instant now)
{
    struct soft *soft = timer_owner(timer, struct soft, age);
    if (soft->mtu != 0 && soft->mtu_until <= now.mono_ns)
        soft->mtu = 0;
    if (soft->unreachable && soft->unreachable_until <= now.mono_ns)
        soft->unreachable = false;
    if (!soft_schedule(agent, soft)) {
        soft->mtu = 0;
        soft->unreachable = false;
    }
    refresh_begin(agent, soft);
}

/* ---- What ICMP errors say ---- */

/* An error about a packet of ours, taken apart. */
struct complaint {
    struct tunnel *tunnel;
    const struct icmp *icmp;
    uint16_t outer_len;   /* total length of the packet quoted */
    const uint8_t *inner; /* what is quoted of the inner packet; NULL: less than can be relayed */
    size_t inner_len;
    struct addr inner_home; /* its destination */
    uint16_t inner_fragment;
    uint8_t overhead;                 /* bytes that our encapsulation took off the path's MTU */
    uint8_t restored[ICMP_ERROR_MAX]; /* inner's place where its header had to be put together again */
};

struct quoted {
    uint8_t protocol;
    uint8_t header_len;
    uint16_t total_len;
    uint16_t fragment;
    struct addr source;
    struct addr destination;
};

/* A quoted header: cut short behind it, and its TTL and checksum are as some router left them, so
 * ipv4_decode would not do. */
static bool read_quoted(const uint8_t *bytes, size_t len, struct quoted *out)
{
    struct reader r = reader_over(bytes, len);
    const uint8_t version_ihl = read_u8(&r);
    read_u8(&r);
    out->total_len = read_u16(&r);
    read_u16(&r);
    out->fragment = read_u16(&r);
    read_u8(&r);
    out->protocol = read_u8(&r);
    read_u16(&r);
    out->source = addr_from_ipv4(read_u32(&r));
    out->destination = addr_from_ipv4(read_u32(&r));
    out->header_len = (uint8_t)((version_ihl & 0xf) * 4);
    return !r.failed && version_ihl >> 4 == 4 && out->header_len >= IPV4_HEADER && out->header_len <= len;
}

/* The inner header, where it is quoted, must be one that we tunnelled there: its destination is bound to this
 * care-of address. Relayed is what holds eight bytes more, as every error must quote (RFC 792). */
static bool read_inner(const struct agent *agent, const uint8_t *bytes, size_t len, struct complaint *out)
{
    struct quoted inner;
    if (!read_quoted(bytes, len, &inner))
        return len < IPV4_HEADER;
    const struct mobile *mobile = mobile_by_home(agent, &inner.destination);
    const struct care *care = mobile == NULL ? NULL : care_find(mobile, &out->tunnel->far);
    if (care == NULL || care->tunnel != out->tunnel)
        return false;
    if (len < inner.header_len + (size_t)8 || !icmp_error_allowed(bytes, len, false))
        return true;
    out->inner = bytes;
    out->inner_len = len < ICMP_ERROR_MAX ? len : ICMP_ERROR_MAX;
    out->inner_home = inner.destination;
    out->inner_fragment = inner.fragment;
    return true;
}

/* RFC 2784 section 2: we send neither checksum nor key, and nothing but IPv4 inside. */
static bool read_gre(const struct agent *agent, const uint8_t *bytes, size_t len, struct complaint *out)
{
    static const uint8_t plain[] = {0, 0, 0x08, 0x00};
    out->overhead = IPV4_HEADER + sizeof(plain);
    if (len < sizeof(plain))
        return true; /* the tunnel is known, the packet is not */
    return memcmp(bytes, plain, sizeof(plain)) == 0 &&
           read_inner(agent, bytes + sizeof(plain), len - sizeof(plain), out);
}

/* RFC 2004 section 3: the packet's own header stands in front, changed; what it was is in the forwarding
 * header behind it. We always send the one with the original source. */
static bool read_minimal(const struct agent *agent, const struct quoted *outer, const uint8_t *bytes,
                         size_t len, struct complaint *out)
{
    enum { MINIMAL_HEADER = 12, MINIMAL_SOURCE = 0x80 };
    const uint8_t *forwarding = bytes + outer->header_len;
    if (len < outer->header_len + (size_t)MINIMAL_HEADER)
        return true;
    if (forwarding[1] != MINIMAL_SOURCE || outer->total_len < outer->header_len + MINIMAL_HEADER)
        return false;
    const size_t rest = len - outer->header_len - MINIMAL_HEADER;
    struct writer w = writer_over(out->restored, sizeof(out->restored));
    write_bytes(&w, bytes, 2);
    write_u16(&w, (uint16_t)(outer->total_len - MINIMAL_HEADER));
    write_bytes(&w, bytes + 4, 5);
    write_u8(&w, forwarding[0]);
    write_u16(&w, 0);
    write_bytes(&w, forwarding + 8, 4);
    write_bytes(&w, forwarding + 4, 4);
    write_bytes(&w, bytes + IPV4_HEADER, outer->header_len - IPV4_HEADER);
    const uint16_t checksum = inet_finish(inet_sum(0, out->restored, outer->header_len));
    out->restored[10] = (uint8_t)(checksum >> 8);
    out->restored[11] = (uint8_t)checksum;
    const size_t room = sizeof(out->restored) - writer_len(&w);
    write_bytes(&w, forwarding + MINIMAL_HEADER, rest < room ? rest : room);
    return read_inner(agent, out->restored, writer_len(&w), out);
}

/* Believed is only what quotes a header that we sent: from an address of ours, to a live care-of address, of
 * a protocol that tunnels have. */
static bool understand(const struct agent *agent, const struct icmp *icmp, struct complaint *out)
{
    struct quoted outer;
    if (!icmp_is_error(icmp->type) || !read_quoted(icmp->data, icmp->data_len, &outer))
        return false;
    if (outer.protocol != IPPROTO_NUM_IPIP && outer.protocol != IPPROTO_NUM_GRE &&
        outer.protocol != IPPROTO_NUM_MINIMAL)
        return false;
    *out = (struct complaint){.icmp = icmp, .outer_len = outer.total_len, .overhead = IPV4_HEADER};
    out->tunnel = tunnel_find(agent, &outer.source, &outer.destination);
    if (out->tunnel == NULL)
        return false;
    /* A later fragment of an outer packet holds no inner header. */
    if ((outer.fragment & IPV4_OFFSET_MASK) != 0)
        return true;
    const uint8_t *behind = icmp->data + outer.header_len;
    const size_t left = icmp->data_len - outer.header_len;
    switch (outer.protocol) {
    case IPPROTO_NUM_GRE:
        return read_gre(agent, behind, left, out);
    case IPPROTO_NUM_MINIMAL:
        return read_minimal(agent, &outer, icmp->data, icmp->data_len, out);
    default:
        return read_inner(agent, behind, left, out);
    }
}

/* RFC 1191 sections 5 and 7: what a router that names no MTU may have meant, by the length of what it
 * refused. */
static uint16_t plateau_below(uint16_t len)
{
    static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};
    for (size_t i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
        if (plateaus[i] < len)
            return plateaus[i];
    return MTU_MIN;
}

/* 0: a report that cannot be true. An MTU that the packet would have fitted was never exceeded; below 68
 * there is no IPv4 link (RFC 791). */
static uint16_t reported_mtu(const struct complaint *c)
{
    uint16_t mtu = (uint16_t)c->icmp->rest;
    if (mtu == 0)
        mtu = plateau_below(c->outer_len);
    return mtu < MTU_MIN || mtu >= c->outer_len ? 0 : mtu;
}

static void note_tunnel(struct agent *agent, const struct complaint *c, enum note_kind kind, uint32_t value,
                        const struct addr *router, struct instant now)
{
    const struct note note = {
        .kind = (uint8_t)kind, .care_of = c->tunnel->far, .peer = *router, .value = value};
    effect_note_limited(agent, &note, now);
}

/* A secondary's primary knows nothing of what comes back to the secondary's own address. */
static void report_trouble(struct agent *agent, const struct complaint *c, uint16_t mtu)
{
    const struct mobile *quoted = c->inner == NULL ? NULL : mobile_by_home(agent, &c->inner_home);
    if (agent->settings.role == AGENT_SECONDARY)
        held_tunnel_trouble(agent, quoted != NULL ? quoted : c->tunnel->cares->mobile, mtu);
}

/* Never raised by a message (RFC 1191 section 3), only by age. */
static void learn_mtu(struct agent *agent, const struct complaint *c, uint16_t mtu, const struct addr *router,
                      struct instant now)
{
    struct soft *soft = soft_get(c->tunnel);
    if (soft == NULL || (soft->mtu != 0 && mtu > soft->mtu))
        return;
    const bool news = soft->mtu != mtu;
    soft->mtu = mtu;
    soft->mtu_until = now.mono_ns + MTU_AGE_S * NSEC_PER_S;
    if (!soft_schedule(agent, soft)) {
        soft_free(agent, soft);
        return;
    }
    if (!news)
        return;
    refresh_some(agent, soft, now);
    note_tunnel(agent, c, NOTE_PATH_MTU, mtu, router, now);
    report_trouble(agent, c, mtu);
}

/* Told, not overheard: it need not be believed sooner than our own ears, so that it never raises either. */
void tunnel_told_mtu(struct agent *agent, struct tunnel *tunnel, uint16_t mtu, struct instant now)
{
    struct soft *soft = mtu < MTU_MIN ? NULL : soft_get(tunnel);
    if (soft == NULL || (soft->mtu != 0 && mtu > soft->mtu))
        return;
    const bool news = soft->mtu != mtu;
    soft->mtu = mtu;
    soft->mtu_until = now.mono_ns + MTU_AGE_S * NSEC_PER_S;
    if (!soft_schedule(agent, soft))
        soft_free(agent, soft);
    else if (news && tunnel->cares->on_tunnel_next != NULL)
        refresh_begin(agent, soft);
}

static void learn_unreachable(struct agent *agent, const struct complaint *c, const struct addr *router,
                              struct instant now)
{
    struct soft *soft = soft_get(c->tunnel);
    if (soft == NULL)
        return;
    const bool news = !soft->unreachable;
    soft->unreachable = true;
    soft->unreachable_until = now.mono_ns + UNREACHABLE_AGE_S * NSEC_PER_S;
    if (!soft_schedule(agent, soft)) {
        soft_free(agent, soft);
        return;
    }
    if (!news)
        return;
    refresh_some(agent, soft, now);
    note_tunnel(agent, c, NOTE_UNREACHABLE, 0, router, now);
    report_trouble(agent, c, 0);
}

static void relay(struct agent *agent, const struct complaint *c, uint8_t type, uint8_t code, uint32_t rest)
{
    if (c->inner == NULL || !effects_reserve(&agent->effects))
        return;
    struct relay out = {.type = type, .code = code, .rest = rest, .len = c->inner_len};
    memcpy(out.datagram, c->inner, c->inner_len);
    count(agent, AGENT_TUNNEL_ERRORS_RELAYED);
    effect_relay(agent, &out);
}

/* RFC 2003 section 4.1: network and protocol unreachable become host unreachable where the mobile node's
 * network is ours, since the packet had come that far. */
static uint8_t unreachable_code(const struct agent *agent, const struct complaint *c)
{
    if (c->icmp->code == ICMP_HOST_UNREACHABLE || home_network(agent, &c->inner_home) != NULL)
        return ICMP_HOST_UNREACHABLE;
    return ICMP_NET_UNREACHABLE;
}

/* False: not believed after all. */
static bool too_big(struct agent *agent, const struct complaint *c, const struct addr *router,
                    struct instant now)
{
    const uint16_t mtu = reported_mtu(c);
    if (mtu == 0)
        return false;
    learn_mtu(agent, c, mtu, router, now);
    const struct soft *soft = c->tunnel->soft;
    const uint16_t tunnel_mtu = soft != NULL && soft->mtu != 0 ? soft->mtu : mtu;
    /* A sender that allows fragments has nothing to learn (section 5.1): we fragment for it from now on. */
    if ((c->inner_fragment & IPV4_FLAG_DF) != 0)
        relay(agent, c, ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, tunnel_mtu - c->overhead);
    return true;
}

/* Codes 3 (the outer header has no port) and 5 (our own affair) must not be relayed (section 4.1). */
static bool unreachable(struct agent *agent, const struct complaint *c, const struct addr *router,
                        struct instant now)
{
    switch (c->icmp->code) {
    case ICMP_NET_UNREACHABLE:
    case ICMP_HOST_UNREACHABLE:
    case ICMP_PROTOCOL_UNREACHABLE:
        learn_unreachable(agent, c, router, now);
        relay(agent, c, ICMP_UNREACHABLE, unreachable_code(agent, c), 0);
        return true;
    case ICMP_FRAGMENTATION_NEEDED:
        return too_big(agent, c, router, now);
    default:
        return true;
    }
}

/* Section 4.4: a loop inside the tunnel. Code 1 comes from the far end, which is alive then. */
static void time_exceeded(struct agent *agent, const struct complaint *c, const struct addr *router,
                          struct instant now)
{
    if (c->icmp->code == 0)
        learn_unreachable(agent, c, router, now);
    relay(agent, c, ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0);
}

/* Section 4.5: only what the sender itself wrote is its problem. We copy TOS and DF (section 3.1) to the same
 * place; there are no options of ours, and none of its own outside. */
static void parameter_problem(struct agent *agent, const struct complaint *c)
{
    const uint8_t pointer = (uint8_t)(c->icmp->rest >> 24);
    const uint8_t tos = 1, flags = 6;
    if (pointer == tos || pointer == flags)
        relay(agent, c, ICMP_PARAMETER_PROBLEM, c->icmp->code, c->icmp->rest);
}

/* RFC 2003 section 4. Source quench and redirect are never relayed (4.2, 4.3) and teach us nothing. */
static bool take_in(struct agent *agent, const struct complaint *c, const struct addr *router,
                    struct instant now)
{
    switch (c->icmp->type) {
    case ICMP_UNREACHABLE:
        return unreachable(agent, c, router, now);
    case ICMP_TIME_EXCEEDED:
        time_exceeded(agent, c, router, now);
        return true;
    case ICMP_PARAMETER_PROBLEM:
        parameter_problem(agent, c);
        return true;
    default:
        return true;
    }
}

void agent_tunnel_error(struct agent *agent, const struct ipv4 *ip, const struct icmp *icmp,
                        struct instant now)
{
    struct complaint c;
    if (!effects_reserve(&agent->effects)) {
        count(agent, AGENT_NO_MEMORY);
        return;
    }
    const bool believed = understand(agent, icmp, &c) && take_in(agent, &c, &ip->source, now);
    count(agent, believed ? AGENT_TUNNEL_ERRORS_BELIEVED : AGENT_TUNNEL_ERRORS_REFUSED);
}
