/* SPDX-License-Identifier: BSD-3-Clause */
#include "mip6_discovery.h"

#include "icmp.h"

enum { HEADER = 8, OPTION_UNIT = 8, OPTION_PREFIX = 3 };

static bool addresses_decode(struct reader *r, struct mip6_discovery *out)
{
    /* Beyond what fits into the least MTU nobody sends any; such are left out. */
    while (!r->failed && reader_left(r) > 0) {
        const uint8_t *a = read_bytes(r, sizeof(struct addr));
        if (a != NULL && out->n_addresses < MIP6_HOME_AGENTS_MAX)
            memcpy(out->addresses[out->n_addresses++].b, a, sizeof(struct addr));
    }
    return !r->failed;
}

static void prefix_keep(const uint8_t *option, size_t size, struct mip6_discovery *out)
{
    if (size == ND_PREFIX_OPTION && out->n_prefixes < ND_PREFIXES_MAX &&
        nd_prefix_read(option, &out->prefixes[out->n_prefixes]))
        out->n_prefixes++;
}

/* The options of neighbour discovery; all but prefixes are skipped (RFC 6275 sections 6.7 and 6.8). */
static bool options_decode(struct reader *r, bool keep, struct mip6_discovery *out)
{
    while (reader_left(r) >= 2) {
        const uint8_t *option = r->at;
        const size_t size = (size_t)option[1] * OPTION_UNIT;
        if (size == 0 || read_bytes(r, size) == NULL)
            return false;
        if (keep && option[0] == OPTION_PREFIX)
            prefix_keep(option, size, out);
    }
    return reader_left(r) == 0;
}

bool mip6_discovery_decode(const uint8_t *message, size_t len, struct mip6_discovery *out)
{
    struct reader r = reader_over(message, len);
    out->n_addresses = out->n_prefixes = 0;
    out->type = read_u8(&r);
    const uint8_t code = read_u8(&r);
    read_u16(&r); /* the checksum */
    out->identifier = read_u16(&r);
    out->flags = read_u8(&r) & (ND_MANAGED | ND_OTHER);
    read_u8(&r); /* reserved */
    if (r.failed || code != 0)
        return false;
    if (out->type != MIP6_PREFIX_ADVERTISEMENT)
        out->flags = 0; /* reserved there */
    switch (out->type) {
    case MIP6_HOME_AGENT_REQUEST:
        return true;
    case MIP6_HOME_AGENT_REPLY:
        return addresses_decode(&r, out);
    case MIP6_PREFIX_SOLICITATION:
    case MIP6_PREFIX_ADVERTISEMENT:
        return options_decode(&r, out->type == MIP6_PREFIX_ADVERTISEMENT, out);
    default:
        return false;
    }
}

void mip6_discovery_encode(struct writer *w, const struct mip6_discovery *d, const struct addr *source,
                           const struct addr *destination)
{
    const bool advertises = d->type == MIP6_PREFIX_ADVERTISEMENT;
    uint8_t *start = w->at;
    write_u8(w, d->type);
    write_u8(w, 0);
    write_u16(w, 0); /* the checksum */
    write_u16(w, d->identifier);
    write_u8(w, advertises ? d->flags & (ND_MANAGED | ND_OTHER) : 0);
    write_u8(w, 0);
    if (d->type == MIP6_HOME_AGENT_REPLY)
        write_bytes(w, d->addresses, d->n_addresses * sizeof(d->addresses[0]));
    for (size_t i = 0; advertises && i < d->n_prefixes; i++)
        nd_prefix_write(w, &d->prefixes[i]);
    if (!w->failed)
        icmp6_checksum(start, (size_t)(w->at - start), source, destination);
}

struct addr mip6_home_agents_anycast(const struct prefix *network)
{
    enum { ANYCAST_ID = 126, ANYCAST_BITS = 0x7f, EUI_64 = 64, UNIVERSAL = 0x02 };
    struct addr a = prefix_network(network).addr;
    for (size_t bit = network->bits; bit < 8 * sizeof(a.b); bit++)
        a.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    a.b[15] = (uint8_t)((a.b[15] & ~ANYCAST_BITS) | ANYCAST_ID);
    if (network->bits == EUI_64)
        a.b[8] &= (uint8_t)~UNIVERSAL; /* RFC 2526 section 2: a local identifier */
    return a;
}
