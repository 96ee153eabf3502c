/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "conf_sections.h"
#include "conf_values.h"

static void foreign_agent_read(struct reading *reading, const struct section *s)
{
    struct conf *conf = reading->conf;
    struct conf_foreign_agent fa = {.sa.key.algorithm = AUTH_HMAC_MD5};
    bool known = value_host(&s->name, &fa.address);
    if (known && !addr_is_ipv4(&fa.address))
        known = word_fault(&s->name, "'%s' is not IPv4: IPv6 has no foreign agents", s->name.text);
    if (known && network_owner(conf, &fa.address) != NULL)
        known = word_fault(&s->name, "'%s' is the appliance's own address", s->name.text);
    value_number(section_require(s, "spi"), SPI_MIN, UINT32_MAX, &fa.sa.spi);
    value_key(section_require(s, "key"), 1, AUTH_KEY_MAX, &fa.sa.key);
    value_algorithm(section_word(s, "algorithm"), &fa.sa.key.algorithm);
    for (size_t i = 0; known && i < conf->n_foreign_agents; i++) {
        const struct conf_foreign_agent *other = &conf->foreign_agents[i];
        if (other->sa.spi == fa.sa.spi && addr_equal(&other->address, &fa.address))
            word_fault(&s->name, "a second association with %s and SPI %u", s->name.text, fa.sa.spi);
    }

    struct conf_foreign_agent *grown =
        reading_grow(reading, conf->foreign_agents, &conf->n_foreign_agents, sizeof(*grown));
    if (grown == NULL)
        return;
    conf->foreign_agents = grown;
    grown[conf->n_foreign_agents - 1] = fa;
}

void foreign_agents_read(struct reading *reading, const struct section *file)
{
    for (size_t i = 0; i < section_count(file, "foreign-agent"); i++) {
        struct section s = section_at(file, "foreign-agent", i);
        foreign_agent_read(reading, &s);
    }
}
