/* SPDX-License-Identifier: BSD-3-Clause */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

/* What a list that was not given stands for. */
enum { BINDINGS = 65536, BURST = 32, HUGE_BINDINGS = 4000000 };

static const uint32_t standard_bindings[] = {1000, 65536, 1000000, HUGE_BINDINGS};

static const char *const standard_rows[] = {"floor",
                                            "floor-rolling",
                                            "encapsulate-hot",
                                            "lookup",
                                            "lookup-rte-hash",
                                            "worker",
                                            "worker-rte-hash",
                                            "worker-decap",
                                            "worker-rewriting-0",
                                            "worker-rewriting-1000",
                                            "worker-rewriting-100000",
                                            "worker-reporting",
                                            "install",
                                            "remove",
                                            "replace"};
/* Of the second family: changes and reports know none. */
static const char *const data_path_rows[] = {"floor",           "floor-rolling", "encapsulate-hot", "lookup",
                                             "lookup-rte-hash", "worker",        "worker-decap"};
static const char *const short_rows[] = {"floor", "lookup", "lookup-rte-hash", "worker", "worker-rte-hash"};

static struct setup plain_setup(enum family family, uint32_t bindings)
{
    return (struct setup){.family = family,
                          .encapsulation = setup_usual(family),
                          .bindings = bindings,
                          .burst = BURST,
                          .workers = 1};
}

/* ---- Steps ---- */

/* NULL: no memory. */
static struct plan_step *add_step(struct plan *p, const struct setup *setup)
{
    if (p->n == p->room) {
        unsigned room = p->room * 2 + 16;
        struct plan_step *steps = realloc(p->steps, room * sizeof(*steps));
        if (steps == NULL)
            return NULL;
        p->steps = steps;
        p->room = room;
    }
    p->steps[p->n] = (struct plan_step){.setup = *setup};
    return &p->steps[p->n++];
}

static bool has_row(const struct plan_step *step, const struct row *row)
{
    for (unsigned i = 0; i < step->n_rows; i++)
        if (step->rows[i].kind == row->kind && step->rows[i].parameter == row->parameter)
            return true;
    return false;
}

static void add_row(struct plan_step *step, const struct row *row)
{
    if (step->n_rows < RUN_ROWS_MAX && !has_row(step, row))
        step->rows[step->n_rows++] = *row;
}

/* One that nobody asked for: if it makes sense here. */
static void add_fitting(struct plan_step *step, const char *name)
{
    struct row row;
    if (row_find(name, &row) && row_obstacle(&row, &step->setup, true) == NULL)
        add_row(step, &row);
}

static bool add_named(struct plan *p, const struct setup *setup, const char *const *names, size_t n)
{
    struct plan_step *step = add_step(p, setup);
    for (size_t i = 0; step != NULL && i < n; i++)
        add_fitting(step, names[i]);
    return step != NULL;
}

/* ---- The standard set ---- */

/* What differs from the plain setup in one member, at one number of bindings. */
static bool add_variants(struct plan *p, uint32_t bindings)
{
    const struct setup plain = plain_setup(FAMILY_IPV4, bindings), ipv6 = plain_setup(FAMILY_IPV6, bindings);
    struct setup variants[16];
    unsigned n = 0;
#define VARIANT(member, value) (variants[n] = plain, variants[n++].member = (value))
    VARIANT(burst, 8);
    VARIANT(burst, 64);
    VARIANT(burst, 256);
    VARIANT(size, SIZE_IMIX);
    VARIANT(size, SIZE_1500);
    VARIANT(hit, HIT_MISS);
    VARIANT(hit, HIT_MIXED);
    VARIANT(traffic, TRAFFIC_ZIPF);
    VARIANT(workers, 2);
    VARIANT(encapsulation, ENCAPSULATION_MINIMAL);
    VARIANT(encapsulation, ENCAPSULATION_GRE);
    VARIANT(encapsulation, ENCAPSULATION_IPV4_IN_IPV6);
#undef VARIANT
    variants[n] = ipv6, variants[n++].size = SIZE_IMIX;
    variants[n] = ipv6, variants[n++].encapsulation = ENCAPSULATION_IPV6_IN_IPV4;
    for (unsigned i = 0; i < n; i++)
        if (!add_named(p, &variants[i], short_rows, RTE_DIM(short_rows)))
            return false;
    return true;
}

static bool add_bindings(struct plan *p, uint32_t bindings)
{
    const struct setup ipv4 = plain_setup(FAMILY_IPV4, bindings), ipv6 = plain_setup(FAMILY_IPV6, bindings);
    return add_named(p, &ipv4, standard_rows, RTE_DIM(standard_rows)) &&
           add_named(p, &ipv6, data_path_rows, RTE_DIM(data_path_rows));
}

/* Half of the memory is left to others. */
static bool fits(uint32_t bindings, unsigned available_mib)
{
    return bindings < HUGE_BINDINGS || population_mib(bindings, 1, 0) < available_mib / 2;
}

static bool add_standard(struct plan *p, unsigned available_mib)
{
    for (size_t i = 0; i < RTE_DIM(standard_bindings); i++)
        if (fits(standard_bindings[i], available_mib) && !add_bindings(p, standard_bindings[i]))
            return false;
    return add_variants(p, BINDINGS);
}

/* ---- What was asked for ---- */

static struct list list_or(const struct list *list, uint32_t value)
{
    return list->n > 0 ? *list : (struct list){.at = {value}, .n = 1};
}

/* The rows that were asked for, behind the one to which they are compared. */
static bool add_asked(struct plan *p, const struct setup *setup, const struct options *o)
{
    if (o->n_rows == 0)
        return add_named(p, setup, standard_rows, RTE_DIM(standard_rows));
    struct plan_step *step = add_step(p, setup);
    if (step == NULL)
        return false;
    add_fitting(step, "floor");
    for (unsigned i = 0; i < o->n_rows; i++)
        add_row(step, &o->rows[i]);
    return true;
}

/* The value of list that the i-th combination has; i becomes what is left for the others. */
static uint32_t take(const struct list *list, unsigned *i)
{
    uint32_t value = list->at[*i % list->n];
    *i /= list->n;
    return value;
}

/* All combinations, those with the same bindings side by side. */
static bool add_combinations(struct plan *p, const struct options *o, const struct capture *capture)
{
    const struct list bindings = list_or(&o->bindings, capture != NULL ? capture->n_homes : BINDINGS),
                      burst = list_or(&o->burst, BURST), workers = list_or(&o->workers, 1),
                      size = list_or(&o->size, capture != NULL ? SIZE_PCAP : SIZE_64),
                      traffic = list_or(&o->traffic, capture != NULL ? TRAFFIC_PCAP : TRAFFIC_UNIFORM),
                      hit = list_or(&o->hit, HIT_HIT), family = list_or(&o->family, FAMILY_IPV4),
                      encapsulation = list_or(&o->encapsulation, 0); /* the family's usual one */
    unsigned n = bindings.n * burst.n * workers.n * size.n * traffic.n * hit.n * family.n * encapsulation.n;
    for (unsigned k = 0; k < n; k++) {
        unsigned i = k;
        struct setup setup = {.burst = take(&burst, &i)};
        setup.size = (enum size)take(&size, &i);
        setup.hit = (enum hit)take(&hit, &i);
        setup.traffic = (enum traffic_kind)take(&traffic, &i);
        setup.workers = take(&workers, &i);
        setup.encapsulation = (enum encapsulation)take(&encapsulation, &i);
        setup.family = (enum family)take(&family, &i);
        if (o->encapsulation.n == 0)
            setup.encapsulation = setup_usual(setup.family);
        setup.bindings = take(&bindings, &i);
        if (!add_asked(p, &setup, o))
            return false;
    }
    return true;
}

/* Sizes alone: the same as without options, at these sizes. */
static bool asks_for_sizes_alone(const struct options *o)
{
    return o->bindings.n > 0 && o->n_rows + o->burst.n + o->size.n + o->encapsulation.n + o->traffic.n +
                                        o->hit.n + o->family.n + o->workers.n ==
                                    0;
}

static bool asks_for_nothing(const struct options *o)
{
    return o->pcap == NULL && o->bindings.n + o->n_rows + o->burst.n + o->size.n + o->encapsulation.n +
                                      o->traffic.n + o->hit.n + o->family.n + o->workers.n ==
                                  0;
}

static bool add_sizes(struct plan *p, const struct list *bindings)
{
    for (unsigned i = 0; i < bindings->n; i++)
        if (!add_bindings(p, bindings->at[i]))
            return false;
    return true;
}

static bool fill(struct plan *p, const struct options *o, const struct capture *capture,
                 unsigned available_mib)
{
    if (asks_for_nothing(o))
        return add_standard(p, available_mib);
    return asks_for_sizes_alone(o) ? add_sizes(p, &o->bindings) : add_combinations(p, o, capture);
}

struct plan *plan_create(const struct options *o, const struct capture *capture, unsigned available_mib)
{
    struct plan *p = calloc(1, sizeof(*p));
    if (p != NULL && fill(p, o, capture, available_mib))
        return p;
    plan_free(p);
    return NULL;
}

void plan_free(struct plan *p)
{
    if (p == NULL)
        return;
    free(p->steps);
    free(p);
}

/* ---- The whole ---- */

uint32_t plan_most_bindings(const struct plan *p)
{
    uint32_t most = 0;
    for (unsigned i = 0; i < p->n; i++)
        most = RTE_MAX(most, p->steps[i].setup.bindings);
    return most;
}

unsigned plan_most_workers(const struct plan *p)
{
    unsigned most = 0;
    for (unsigned i = 0; i < p->n; i++)
        most = RTE_MAX(most, p->steps[i].setup.workers);
    return most;
}

static const char *obstacle(const struct setup *setup, const struct row *row, unsigned lcores)
{
    if (setup->workers > lcores)
        return "there are not so many lcores";
    return row_obstacle(row, setup, lcores > setup->workers);
}

void plan_prune(struct plan *p, unsigned lcores,
                void (*told)(const struct setup *setup, const struct row *row, const char *why))
{
    for (unsigned i = 0; i < p->n; i++) {
        struct plan_step *step = &p->steps[i];
        unsigned kept = 0;
        for (unsigned k = 0; k < step->n_rows; k++) {
            const char *why = obstacle(&step->setup, &step->rows[k], lcores);
            if (why == NULL)
                step->rows[kept++] = step->rows[k];
            else
                told(&step->setup, &step->rows[k], why);
        }
        step->n_rows = kept;
    }
}

unsigned plan_rows(const struct plan *p)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < p->n; i++)
        sum += p->steps[i].n_rows;
    return sum;
}
