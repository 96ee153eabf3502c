/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mobile nodes and foreign agents as they are configured, and the sweep that replaces a configuration.
 *
 * Each mobile node keeps its slot for life: cursors into the slots stay good while others come and go.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

#include "primary/delegation.h"
#include "primary/policy.h"
#include "secondary/held.h"

#include "peer/peer.h"

/* ---- Lookup ---- */
struct mobile *mobile_by_home(const struct agent *agent, const struct addr *home)
{
    struct mobile *mobile;
    HASH_FIND(hh, agent->mobiles, home, sizeof(*home), mobile);
    return mobile;
}

static struct name *find_name(const struct agent *agent, const void *nai, size_t len)
{
    struct name *name;
    HASH_FIND(hh, agent->names, nai, len, name);
    return name;
}

struct mobile *mobile_by_nai(const struct agent *agent, const void *nai, size_t len)
{
    struct name *name = find_name(agent, nai, len);
    return name == NULL ? NULL : name->mobile;
}

struct foreign *foreign_by_address(const struct agent *agent, const struct addr *address)
{
    struct foreign *foreign;
    HASH_FIND(hh, agent->foreigns, address, sizeof(*address), foreign);
    return foreign;
}

/* ---- Security associations ---- */
struct security *security_find(struct security *list, uint32_t spi)
{
    while (list != NULL && list->spi != spi)
        list = list->next;
    return list;
}

struct auth_key security_key(const struct security *s)
{
    struct auth_key key = {.len = s->key_len, .algorithm = s->algorithm};
    memcpy(key.bytes, s->key, s->key_len);
    return key;
}

static struct security *security_create(struct agent *agent, const struct association *sa)
{
    struct security *s = malloc(sizeof(*s) + sa->key.len);
    if (s == NULL)
        return NULL;
    *s = (struct security){
        .spi = sa->spi, .replay = sa->replay, .algorithm = sa->key.algorithm, .key_len = sa->key.len};
    memcpy(s->key, sa->key.bytes, sa->key.len);
    replay_begin(agent, s);
    return s;
}

static bool security_is(const struct security *s, const struct association *sa)
{
    return s->replay == sa->replay && s->algorithm == sa->key.algorithm && s->key_len == sa->key.len &&
           memcmp(s->key, sa->key.bytes, s->key_len) == 0;
}

/* Adds or replaces; one that is there unchanged keeps its replay state. */
static int security_put(struct agent *agent, struct security **list, const struct association *sa)
{
    struct security *old = security_find(*list, sa->spi);
    if (old == NULL || !security_is(old, sa)) {
        struct security *s = security_create(agent, sa);
        if (s == NULL)
            return -ENOMEM;
        if (old != NULL)
            LL_DELETE(*list, old);
        free(old);
        LL_APPEND(*list, s);
        old = s;
    }
    old->seen = agent->sweep;
    return 0;
}

static void securities_sweep(const struct agent *agent, struct security **list)
{
    struct security *s, *next;
    LL_FOREACH_SAFE(*list, s, next)
    {
        if (s->seen == agent->sweep)
            continue;
        LL_DELETE(*list, s);
        free(s);
    }
}

static void securities_free(struct security *list)
{
    struct security *s, *next;
    LL_FOREACH_SAFE(list, s, next)
    free(s);
}

/* ---- Names ---- */
static void name_remove(struct agent *agent, struct name *name)
{
    HASH_DEL(agent->names, name);
    name->mobile->name = NULL;
    free(name);
}

static int name_create(struct agent *agent, struct mobile *mobile, const char *nai)
{
    const size_t len = strlen(nai);
    struct name *name = malloc(sizeof(*name) + len + 1);
    if (name == NULL)
        return -ENOMEM;
    memcpy(name->text, nai, len + 1);
    name->mobile = mobile;
    name->seen = agent->sweep;
    HASH_ADD_KEYPTR(hh, agent->names, name->text, len, name);
    if (name->hh.tbl == NULL) {
        free(name);
        return -ENOMEM;
    }
    if (mobile->name != NULL)
        name_remove(agent, mobile->name);
    mobile->name = name;
    return 0;
}

/* A name that another mobile node had before the present sweep, and has not been given again, is free. */
static int name_put(struct agent *agent, struct mobile *mobile, const char *nai)
{
    struct name *name = find_name(agent, nai, strlen(nai));
    if (name != NULL && name->mobile == mobile) {
        name->seen = agent->sweep;
        return 0;
    }
    if (name != NULL && name->seen == agent->sweep)
        return -EEXIST;
    if (name != NULL)
        name_remove(agent, name);
    return name_create(agent, mobile, nai);
}

/* ---- Slots ---- */
static bool slots_grow(struct agent *agent)
{
    const size_t size = agent->slots_size == 0 ? 64 : 2 * agent->slots_size;
    struct mobile **slots = realloc(agent->slots, size * sizeof(*slots));
    if (slots == NULL)
        return false;
    agent->slots = slots;
    uint32_t *free_slots = realloc(agent->free_slots, size * sizeof(*free_slots));
    if (free_slots == NULL)
        return false;
    agent->free_slots = free_slots;
    agent->slots_size = size;
    return true;
}

static bool slot_take(struct agent *agent, struct mobile *mobile)
{
    if (agent->n_free_slots > 0)
        mobile->slot = agent->free_slots[--agent->n_free_slots];
    else if (agent->n_slots < agent->slots_size || slots_grow(agent))
        mobile->slot = (uint32_t)agent->n_slots++;
    else
        return false;
    agent->slots[mobile->slot] = mobile;
    return true;
}

static void slot_release(struct agent *agent, const struct mobile *mobile)
{
    agent->slots[mobile->slot] = NULL;
    agent->free_slots[agent->n_free_slots++] = mobile->slot;
}

/* ---- Mobile nodes ---- */
static struct mobile *mobile_create(struct agent *agent, const struct addr *home)
{
    struct mobile *mobile = calloc(1, sizeof(*mobile));
    if (mobile == NULL || !slot_take(agent, mobile)) {
        free(mobile);
        return NULL;
    }
    mobile->home = *home;
    mobile->newest = agent->floor;
    HASH_ADD(hh, agent->mobiles, home, sizeof(mobile->home), mobile);
    if (mobile->hh.tbl == NULL) {
        slot_release(agent, mobile);
        free(mobile);
        return NULL;
    }
    agent->n_mobiles++;
    return mobile;
}

/* The binding, if any, has ended. What this mobile node's timestamps came to is remembered for all that are
 * added later: it may come back (RFC 5944 section 5.7.1, "all previously accepted"). */
static void mobile_remove(struct agent *agent, struct mobile *mobile)
{
    if (ntp_since(mobile->newest, agent->floor) > 0)
        agent->floor = mobile->newest;
    if (mobile->rated != NULL)
        policy_forget(agent, mobile);
    announce_cancel(agent, mobile);
    dad_cancel(agent, mobile);
    update_forget(mobile);
    ipsec_free(agent, &mobile->ipsec);
    ipsec_free(agent, &mobile->home_test);
    while (mobile->held != NULL)
        held_destroy(agent, mobile->held);
    if (mobile->name != NULL)
        name_remove(agent, mobile->name);
    securities_free(mobile->securities);
    slot_release(agent, mobile);
    HASH_DEL(agent->mobiles, mobile);
    agent->n_mobiles--;
    free(mobile);
}

static void stop_asking(struct agent *agent, struct mobile *mobile)
{
    dad_cancel(agent, mobile);
    listen_settle(agent, mobile);
}

struct mobile *mobile_adopt(struct agent *agent, const struct addr *home)
{
    struct mobile *mobile = mobile_by_home(agent, home);
    return mobile != NULL ? mobile : mobile_create(agent, home);
}

void mobile_release(struct agent *agent, struct mobile *mobile)
{
    if (mobile->cares == NULL && mobile->held == NULL && mobile->delegation == NULL &&
        !mobile_is_configured(mobile)) {
        stop_asking(agent, mobile);
        mobile_remove(agent, mobile);
    }
}

int agent_mobile_set(struct agent *agent, const struct addr *home, const struct association *sa,
                     const char *nai)
{
    struct mobile *known = mobile_by_home(agent, home);
    struct mobile *mobile = known != NULL ? known : mobile_create(agent, home);
    if (mobile == NULL)
        return -ENOMEM;
    int error = nai == NULL ? 0 : name_put(agent, mobile, nai);
    if (error == 0)
        error = security_put(agent, &mobile->securities, sa);
    if (error == 0)
        mobile->seen = agent->sweep;
    else if (known == NULL)
        mobile_remove(agent, mobile);
    return error;
}

size_t agent_mobiles(const struct agent *agent)
{
    return agent->n_mobiles;
}

/* ---- Foreign agents ---- */
static struct foreign *foreign_create(struct agent *agent, const struct addr *address)
{
    struct foreign *foreign = calloc(1, sizeof(*foreign));
    if (foreign == NULL)
        return NULL;
    foreign->address = *address;
    HASH_ADD(hh, agent->foreigns, address, sizeof(foreign->address), foreign);
    if (foreign->hh.tbl == NULL) {
        free(foreign);
        return NULL;
    }
    return foreign;
}

static void foreign_remove(struct agent *agent, struct foreign *foreign)
{
    securities_free(foreign->securities);
    HASH_DEL(agent->foreigns, foreign);
    free(foreign);
}

int agent_foreign_set(struct agent *agent, const struct addr *address, const struct association *sa)
{
    /* Nothing is replayed towards foreign agents, so no nonces are made for them. */
    struct association plain = *sa;
    plain.replay = REPLAY_TIMESTAMP;
    struct foreign *known = foreign_by_address(agent, address);
    struct foreign *foreign = known != NULL ? known : foreign_create(agent, address);
    if (foreign == NULL)
        return -ENOMEM;
    const int error = security_put(agent, &foreign->securities, &plain);
    if (error != 0 && known == NULL)
        foreign_remove(agent, foreign);
    return error;
}

/* ---- Sweep ---- */
void agent_sweep_begin(struct agent *agent)
{
    agent->sweep++;
    agent->sweep_at = 0;
    agent->foreigns_swept = false;
}

static void sweep_foreigns(struct agent *agent)
{
    struct foreign *foreign, *next;
    HASH_ITER (hh, agent->foreigns, foreign, next) {
        securities_sweep(agent, &foreign->securities);
        if (foreign->securities == NULL)
            foreign_remove(agent, foreign);
    }
    agent->foreigns_swept = true;
}

/* While nodes may still forward for it, a shell of it stays; its delegation lets go of that. */
static void mobile_dismiss(struct agent *agent, struct mobile *mobile)
{
    stop_asking(agent, mobile);
    if (mobile->delegation == NULL) {
        mobile_remove(agent, mobile);
        return;
    }
    if (mobile->name != NULL)
        name_remove(agent, mobile->name);
    securities_free(mobile->securities);
    mobile->securities = NULL;
    update_forget(mobile);
    ipsec_free(agent, &mobile->ipsec);
    ipsec_free(agent, &mobile->home_test);
}

static void sweep_mobile(struct agent *agent, struct mobile *mobile, struct instant now)
{
    /* What a primary has delegated here is not of our configuration. */
    if (mobile->seen != agent->sweep && mobile->held == NULL) {
        binding_revoke(agent, mobile, now);
        if (agent->slots[agent->sweep_at] == mobile) /* with its last binding it may have gone */
            mobile_dismiss(agent, mobile);
        return;
    }
    securities_sweep(agent, &mobile->securities);
    ipsec_sweep(agent, &mobile->ipsec);
    ipsec_sweep(agent, &mobile->home_test);
    binding_follow_policy(agent, mobile, now);
    if (mobile->name != NULL && mobile->name->seen != agent->sweep)
        name_remove(agent, mobile->name);
}

bool agent_sweep(struct agent *agent, size_t budget, struct instant now)
{
    if (!agent->foreigns_swept) {
        sweep_foreigns(agent);
        peers_sweep(agent, now);
    }
    for (; agent->sweep_at < agent->n_slots && budget > 0; agent->sweep_at++, budget--) {
        struct mobile *mobile = agent->slots[agent->sweep_at];
        if (mobile == NULL)
            continue;
        if (!effects_reserve(&agent->effects))
            return true;
        sweep_mobile(agent, mobile, now);
    }
    return agent->sweep_at < agent->n_slots;
}

void mobiles_destroy(struct agent *agent)
{
    struct mobile *mobile, *next_mobile;
    HASH_ITER (hh, agent->mobiles, mobile, next_mobile) {
        while (mobile->cares != NULL)
            binding_drop_quietly(agent, mobile->cares);
        if (mobile->delegation != NULL)
            delegation_destroy(agent, mobile->delegation);
        mobile_remove(agent, mobile);
    }
    struct foreign *foreign, *next_foreign;
    HASH_ITER (hh, agent->foreigns, foreign, next_foreign)
        foreign_remove(agent, foreign);
    free(agent->slots);
    free(agent->free_slots);
}
