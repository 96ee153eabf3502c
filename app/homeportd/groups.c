/* SPDX-License-Identifier: BSD-3-Clause */
#include "groups.h"

#include <stdlib.h>

enum { PAGE_BITS = 12, PAGE_SIZE = 1 << PAGE_BITS, WORD = 64, PAGES = (GROUPS_END >> PAGE_BITS) + 1 };

struct page {
    uint64_t there[PAGE_SIZE / WORD];
    unsigned n;
    struct membership group[PAGE_SIZE];
};

struct groups {
    struct page *page[PAGES];
};

static const struct addr solicited_node = {{0xff, 0x02, [11] = 1, [12] = 0xff}};

uint32_t group_of(const struct addr *address)
{
    const uint8_t *b = address->b;
    return (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15];
}

struct addr group_address(uint32_t group)
{
    struct addr a = solicited_node;
    if (group == GROUP_ALL_ROUTERS)
        return addr_all_routers;
    a.b[13] = (uint8_t)(group >> 16);
    a.b[14] = (uint8_t)(group >> 8);
    a.b[15] = (uint8_t)group;
    return a;
}

bool group_named(const struct addr *address, uint32_t *group)
{
    *group = addr_equal(address, &addr_all_routers) ? GROUP_ALL_ROUTERS : group_of(address);
    const struct addr named = group_address(*group);
    return addr_equal(&named, address);
}

struct groups *groups_create(void)
{
    return calloc(1, sizeof(struct groups));
}

void groups_destroy(struct groups *groups)
{
    if (groups == NULL)
        return;
    for (size_t i = 0; i < PAGES; i++)
        free(groups->page[i]);
    free(groups);
}

static bool is_there(const struct page *page, uint32_t group)
{
    return page != NULL && (page->there[group % PAGE_SIZE / WORD] >> group % WORD & 1) != 0;
}

struct membership *groups_find(const struct groups *groups, uint32_t group)
{
    struct page *page = groups->page[group >> PAGE_BITS];
    return is_there(page, group) ? &page->group[group % PAGE_SIZE] : NULL;
}

struct membership *groups_get(struct groups *groups, uint32_t group)
{
    struct page **page = &groups->page[group >> PAGE_BITS];
    if (*page == NULL)
        *page = calloc(1, sizeof(**page));
    if (*page == NULL)
        return NULL;
    struct membership *found = &(*page)->group[group % PAGE_SIZE];
    if (is_there(*page, group))
        return found;
    (*page)->there[group % PAGE_SIZE / WORD] |= UINT64_C(1) << group % WORD;
    (*page)->n++;
    *found = (struct membership){0};
    return found;
}

void groups_drop(struct groups *groups, uint32_t group)
{
    struct page **page = &groups->page[group >> PAGE_BITS];
    if (!is_there(*page, group))
        return;
    (*page)->there[group % PAGE_SIZE / WORD] &= ~(UINT64_C(1) << group % WORD);
    if (--(*page)->n > 0)
        return;
    free(*page);
    *page = NULL;
}

/* PAGE_SIZE: none in this page from there on. */
static uint32_t next_in(const struct page *page, uint32_t at)
{
    uint64_t mask = UINT64_MAX << at % WORD;
    for (uint32_t i = at / WORD; i < PAGE_SIZE / WORD; i++, mask = UINT64_MAX)
        if ((page->there[i] & mask) != 0)
            return i * WORD + (uint32_t)__builtin_ctzll(page->there[i] & mask);
    return PAGE_SIZE;
}

uint32_t groups_next(const struct groups *groups, uint32_t from)
{
    for (uint32_t i = from >> PAGE_BITS, at = from % PAGE_SIZE; i < PAGES; i++, at = 0) {
        const uint32_t found = groups->page[i] == NULL ? PAGE_SIZE : next_in(groups->page[i], at);
        if (found < PAGE_SIZE)
            return i << PAGE_BITS | found;
    }
    return GROUPS_END;
}
