/* SPDX-License-Identifier: BSD-3-Clause */
#include "model.h"

void model_note_bound(struct node *n, size_t count)
{
    n_bound_nodes = n_bound_nodes + (count > 0) - (n->n_bound > 0);
    n->n_bound = count;
}

void model_expire(struct node *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n->n_bound; i++)
        if (n->bound[i].ends_ns > lab.now.mono_ns)
            n->bound[kept++] = n->bound[i];
        else
            tally.expired++;
    model_note_bound(n, kept);
}

struct bound *model_find(struct node *n, const struct addr *care_of)
{
    for (size_t i = 0; i < n->n_bound; i++)
        if (addr_equal(&n->bound[i].care_of, care_of))
            return &n->bound[i];
    return NULL;
}

static bool same_request(const struct packet *a, const struct packet *b)
{
    return a->len > 0 && a->signed_len == b->signed_len && memcmp(a->bytes, b->bytes, a->signed_len) == 0;
}

static bool is_fresh(const struct node *n, uint64_t identification)
{
    if (n->sa.replay == REPLAY_TIMESTAMP) {
        const int64_t ahead = ntp_since(identification, lab.now.ntp);
        const int64_t window = INT64_C(7) << 32;
        return ahead >= -window && ahead <= window && ntp_since(identification, n->newest) > 0;
    }
    for (size_t i = 0; i < n->n_nonces; i++)
        if (n->nonces[i] == identification >> 32)
            return true;
    return false;
}

static uint8_t success(void)
{
    return care_of_limit() > 1 ? MIP4_ACCEPTED : MIP4_ACCEPTED_NO_SIMULTANEOUS;
}

/* RFC 3024 section 4.3.1; 0: the policy does not mind. */
static uint8_t reverse_tunnel_denial(const struct mip4_request *q)
{
    const bool wanted = (q->flags & MIP4_REVERSE_TUNNEL) != 0;
    if (q->lifetime_s > 0 && wanted && lab.settings.reverse_tunnel == REVERSE_TUNNEL_OFF)
        return MIP4_NO_REVERSE_TUNNEL;
    if (q->lifetime_s > 0 && !wanted && lab.settings.reverse_tunnel == REVERSE_TUNNEL_REQUIRED)
        return MIP4_REVERSE_TUNNEL_REQUIRED;
    return 0;
}

struct expectation model_expect(struct node *n, const struct packet *p)
{
    const struct mip4_request *q = &p->ask.q;
    struct expectation e = {.answered = n->configured, .code = success()};
    model_expire(n);
    e.again = same_request(&n->accepted, p) && (q->lifetime_s == 0 || model_find(n, &q->care_of) != NULL);
    if (e.again)
        return e;
    if (n->sa.replay == REPLAY_NONCE && same_request(&n->denied, p)) {
        e.again = true;
        e.code = n->denied_code;
        return e;
    }
    e.fresh = is_fresh(n, q->identification);
    if (!e.fresh)
        e.code = MIP4_IDENTIFICATION_MISMATCH;
    else if (q->lifetime_s > 0 && (q->flags & MIP4_GRE))
        e.code = MIP4_NO_ENCAPSULATION;
    else if (q->lifetime_s > 0 && n->n_bound == 0 && n_bound_nodes >= lab.settings.max_bindings)
        e.code = MIP4_NO_RESOURCES;
    else if (q->lifetime_s > 0 && n->n_bound > 0 && care_of_limit() > 1 && (q->flags & MIP4_SIMULTANEOUS) &&
             model_find(n, &q->care_of) == NULL && n->n_bound >= care_of_limit())
        e.code = MIP4_TOO_MANY_BINDINGS;
    else if (reverse_tunnel_denial(q) != 0)
        e.code = reverse_tunnel_denial(q);
    return e;
}

static void add_binding(struct node *n, const struct mip4_request *q)
{
    const uint16_t s = q->lifetime_s < LAB_MAX_LIFETIME ? q->lifetime_s : LAB_MAX_LIFETIME;
    const struct bound b = {q->care_of, lab.now.mono_ns + s * NSEC_PER_S,
                            (q->flags & MIP4_REVERSE_TUNNEL) != 0};
    struct bound *old = model_find(n, &q->care_of);
    if (care_of_limit() == 1 || !(q->flags & MIP4_SIMULTANEOUS)) {
        n->bound[0] = b;
        model_note_bound(n, 1);
    } else if (old != NULL) {
        *old = b;
    } else {
        n->bound[n->n_bound] = b;
        model_note_bound(n, n->n_bound + 1);
    }
}

static void drop_binding(struct node *n, const struct mip4_request *q)
{
    struct bound *b = model_find(n, &q->care_of);
    if (addr_equal(&q->care_of, &n->home)) {
        model_note_bound(n, 0);
    } else if (b != NULL) {
        *b = n->bound[n->n_bound - 1];
        model_note_bound(n, n->n_bound - 1);
    }
}

/* Nonces that the mobile node was told stay good until one of them has been used. */
void model_learn(struct node *n, const struct expectation *e, uint64_t identification)
{
    if (n->sa.replay != REPLAY_NONCE)
        return;
    if (e->fresh)
        n->n_nonces = 0;
    const uint32_t nonce = (uint32_t)(identification >> 32);
    for (size_t i = 0; i < n->n_nonces; i++)
        if (n->nonces[i] == nonce)
            return;
    require(n->n_nonces < NONCES_MAX, "node %zu was told too many nonces", n->number);
    n->nonces[n->n_nonces++] = nonce;
}

void model_apply(struct node *n, const struct packet *p, const struct expectation *e)
{
    tally.again += e->again;
    tally.denied += !e->again && !mip4_code_is_success(e->code);
    if (!e->fresh)
        return;
    if (!mip4_code_is_success(e->code)) {
        n->denied = *p;
        n->denied_code = e->code;
        return;
    }
    tally.accepted++;
    n->accepted = *p;
    n->denied.len = 0;
    if (n->sa.replay == REPLAY_TIMESTAMP)
        n->newest = p->ask.q.identification;
    if (p->ask.q.lifetime_s > 0)
        add_binding(n, &p->ask.q);
    else
        drop_binding(n, &p->ask.q);
}
