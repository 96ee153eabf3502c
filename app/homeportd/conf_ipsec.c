/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ipsec sections, ESP by configured keys: between a mobile node and its home agent (RFC 3776 section 4.2),
 * with a home-test section inside for return routability, and inside a secondary or primary section between
 * the two agents.
 */
#include <stdlib.h>
#include <string.h>

#include "conf_sections.h"
#include "conf_values.h"

/* The keys of one direction in the file. */
struct direction {
    const char *spi, *key, *auth_key;
};
static const struct direction inbound = {"spi-in", "key-in", "auth-key-in"};
static const struct direction outbound = {"spi-out", "key-out", "auth-key-out"};

/* What each algorithm takes, as the message to who has given something else says it. */
static const struct {
    size_t least, most, auth;
} key_lengths[] = {
#define X(name, text, least, most, auth) [ESP_##name] = {least, most, auth},
    ESP_ALGORITHMS(X)
#undef X
};

/* A key that the algorithm has no use for is a misunderstanding. */
static bool key_read(const struct section *s, const char *name, size_t least, size_t most, uint8_t *out,
                     uint8_t *out_len)
{
    struct auth_key key = {0};
    if (most == 0) {
        const struct word *w = section_word(s, name);
        return w == NULL || word_fault(w, "the algorithm takes no such key");
    }
    const struct word *w = section_require(s, name);
    if (w == NULL || !value_key(w, least, most, &key))
        return false;
    memcpy(out, key.bytes, key.len);
    *out_len = key.len;
    explicit_bzero(&key, sizeof(key));
    return true;
}

static bool direction_read(const struct section *s, const struct direction *d, struct esp_association *out)
{
    const struct word *spi = section_require(s, d->spi);
    bool ok = spi != NULL && value_number(spi, ESP_SPI_MIN, UINT32_MAX, &out->spi);
    ok &= key_read(s, d->key, key_lengths[out->algorithm].least, key_lengths[out->algorithm].most, out->key,
                   &out->key_len);
    ok &= key_read(s, d->auth_key, key_lengths[out->algorithm].auth, key_lengths[out->algorithm].auth,
                   out->auth_key, &out->auth_key_len);
    if (ok && !esp_association_is_sound(out))
        return word_fault(
            section_word(s, d->key),
            "an AES key is of 16, 24 or 32 bytes, and of aes-gcm has 4 bytes of salt behind it");
    return ok;
}

static bool algorithm_read(const struct section *s, uint8_t *out)
{
    static const char *const texts[] = {
#define X(name, text, least, most, auth) [ESP_##name] = text,
        ESP_ALGORITHMS(X)
#undef X
            [ESP_ALGORITHMS_COUNT] = NULL};
    unsigned choice = ESP_AES_GCM;
    if (!value_choice(section_word(s, "algorithm"), texts, &choice))
        return false;
    *out = (uint8_t)choice;
    return true;
}

static void unlike(const struct word *w, const struct esp_association *in,
                   const struct esp_association *other, const char *whose)
{
    if (in->spi == other->spi)
        word_fault(w, "%u is that of %s already", in->spi, whose);
}

/* By its SPI alone it is told whose a packet is. */
static void unlike_others(const struct conf *conf, const struct word *w, const struct esp_association *in)
{
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < conf->n_ipsec; i++) {
        const struct conf_ipsec *other = &conf->ipsec[i];
        unlike(w, in, &other->in, addr_format(&other->home, text));
        if (other->has_home_test)
            unlike(w, in, &other->home_test_in, text);
    }
    for (size_t i = 0; i < conf->n_peers; i++)
        if (conf->peers[i].protected)
            unlike(w, in, &conf->peers[i].esp_in, conf->peers[i].name);
}

bool associations_read(const struct reading *reading, const struct section *s, struct esp_association *in,
                       struct esp_association *out)
{
    bool ok = algorithm_read(s, &in->algorithm);
    out->algorithm = in->algorithm;
    ok &= direction_read(s, &inbound, in);
    ok &= direction_read(s, &outbound, out);
    ok &= value_bool(section_word(s, "replay-protection"), &in->replay_protection);
    out->replay_protection = in->replay_protection;
    if (ok)
        unlike_others(reading->conf, section_word(s, inbound.spi), in);
    return ok;
}

/* ---- With mobile nodes ---- */
static void unlike_other_homes(const struct conf *conf, const struct word *name, const struct addr *home)
{
    for (size_t i = 0; i < conf->n_ipsec; i++)
        if (addr_equal(&conf->ipsec[i].home, home))
            word_fault(name, "a second section for '%s'", name->text);
}

/* RFC 3776 section 4.3: with encryption. */
static bool home_test_read(const struct reading *reading, const struct section *s, struct conf_ipsec *ipsec)
{
    struct section inner;
    if (!section_only(s, "home-test", &inner))
        return true;
    if (!associations_read(reading, &inner, &ipsec->home_test_in, &ipsec->home_test_out))
        return false;
    unlike(section_word(&inner, inbound.spi), &ipsec->home_test_in, &ipsec->in, s->name.text);
    ipsec->has_home_test = true;
    return esp_association_encrypts(&ipsec->home_test_in) ||
           word_fault(section_word(&inner, "algorithm"), "home tests are to be encrypted");
}

static void section_read(struct reading *reading, const struct section *s)
{
    struct conf *conf = reading->conf;
    struct conf_ipsec ipsec = {0};
    bool ok = value_host(&s->name, &ipsec.home) && home_checked(reading, &s->name, &ipsec.home);
    if (ok && addr_is_ipv4(&ipsec.home))
        ok = word_fault(&s->name, "'%s' is not IPv6: Mobile IPv4 has its own authentication", s->name.text);
    ok &= associations_read(reading, s, &ipsec.in, &ipsec.out);
    ok &= home_test_read(reading, s, &ipsec);
    if (!ok)
        return;
    unlike_other_homes(conf, &s->name, &ipsec.home);
    struct conf_ipsec *grown = reading_grow(reading, conf->ipsec, &conf->n_ipsec, sizeof(*grown));
    if (grown == NULL)
        return;
    conf->ipsec = grown;
    grown[conf->n_ipsec - 1] = ipsec;
}

void ipsec_read(struct reading *reading, const struct section *file)
{
    for (size_t i = 0; i < section_count(file, "ipsec"); i++) {
        struct section s = section_at(file, "ipsec", i);
        if (reading->conf->role == ROLE_SECONDARY)
            word_fault(&s.name, "'%s': mobile nodes speak with the primary alone", s.name.text);
        else
            section_read(reading, &s);
    }
}
