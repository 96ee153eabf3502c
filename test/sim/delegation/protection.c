/* SPDX-License-Identifier: BSD-3-Clause */
#include "protection.h"

#include "esp.h"
#include "world.h"

#include <stdlib.h>

enum { UDP = 8 };

static struct esp_association association(size_t secondary, bool up)
{
    static const uint8_t key_len[ESP_ALGORITHMS_COUNT] = {20, 16, 32, 0, 0};
    static const uint8_t auth_key_len[ESP_ALGORITHMS_COUNT] = {0, 20, 32, 20, 32};
    const size_t algorithm = secondary % ESP_ALGORITHMS_COUNT;
    struct esp_association sa = {.spi = 0x10000 + 2 * (uint32_t)secondary + up,
                                 .algorithm = (uint8_t)algorithm,
                                 .key_len = key_len[algorithm],
                                 .auth_key_len = auth_key_len[algorithm]};
    for (uint8_t i = 0; i < sa.key_len; i++)
        sa.key[i] = (uint8_t)(sa.spi * 3 + i);
    for (uint8_t i = 0; i < sa.auth_key_len; i++)
        sa.auth_key[i] = (uint8_t)(sa.spi * 5 + i);
    return sa;
}

static struct esp *ear(size_t secondary, bool up)
{
    static const uint8_t seed[16] = {0};
    const struct esp_association sa = association(secondary, up);
    struct esp *esp = esp_create(&sa, seed);
    if (esp == NULL)
        abort();
    return esp;
}

void protection_init(struct world *world)
{
    world->protection = (struct protection){.up = {NULL}};
    for (size_t i = 1; world->protects && i < world->n_nodes; i++) {
        world->protection.up[i] = ear(i, true);
        world->protection.down[i] = ear(i, false);
    }
}

void protection_fini(struct world *world)
{
    for (size_t i = 0; i < PROTECTION_SECONDARIES; i++) {
        esp_destroy(world->protection.up[i]);
        esp_destroy(world->protection.down[i]);
    }
}

void protection_configure(const struct appliance *node, const struct appliance *secondary,
                          struct agent_peer *peer)
{
    if (!node->world->protects)
        return;
    peer->protected = true;
    peer->esp_in = association(secondary->number, node->number == 0);
    peer->esp_out = association(secondary->number, node->number != 0);
}

bool protection_open(struct world *world, size_t from, size_t to, const struct message *sent,
                     struct message *inner)
{
    struct esp *esp = from == 0 ? world->protection.down[to] : world->protection.up[from];
    uint8_t next_header;
    *inner = *sent;
    if (esp == NULL)
        return sent->protocol == IPPROTO_NUM_UDP;
    if (sent->protocol != IPPROTO_NUM_ESP ||
        esp_open(esp, sent->bytes, sent->len, inner->bytes, &inner->len, &next_header) != ESP_OPENED ||
        next_header != IPPROTO_NUM_UDP || inner->len < UDP)
        return false;
    inner->protocol = next_header;
    inner->len -= UDP;
    memmove(inner->bytes, inner->bytes + UDP, inner->len);
    return true;
}
