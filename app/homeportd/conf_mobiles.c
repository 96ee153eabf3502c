/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf_sections.h"
#include "conf_values.h"

/* The columns of a CSV file in their order; the keys of a section. */
#define FIELDS(X)             \
    X(HOME, "address")        \
    X(SPI, "spi")             \
    X(KEY, "key")             \
    X(ALGORITHM, "algorithm") \
    X(REPLAY, "replay")       \
    X(NAI, "nai")

enum field {
#define X(name, text) FIELD_##name,
    FIELDS(X)
#undef X
        FIELDS_COUNT,
    FIELDS_REQUIRED = FIELD_KEY + 1
};

static const char *const field_keys[] = {
#define X(name, text) text,
    FIELDS(X)
#undef X
};

static const char *const replay_styles[] = {
    [REPLAY_TIMESTAMP] = "timestamp", [REPLAY_NONCE] = "nonce", [REPLAY_SEQUENCE] = "sequence", NULL};

/* Where a mobile node stands, for the search for duplicates. */
struct place {
    const struct origin *origin;
    int line;
};

struct roll {
    struct reading *reading;
    struct place *places; /* beside conf->mobiles */
    size_t n_places;
    struct origin *files;
};

/* ---- One mobile node ---- */

static bool in_home_network(const struct conf *conf, const struct addr *home)
{
    for (size_t i = 0; i < conf->agent.n_home_networks; i++) {
        if (prefix_contains(&conf->agent.home_networks[i], home))
            return true;
    }
    return false;
}

/* RFC 5944 section 3.8.3.2, RFC 6275 section 10.3.1: a registration of such an address would be refused in
 * any case. */
bool home_checked(const struct reading *reading, const struct word *w, const struct addr *home)
{
    const char *why = network_taken(reading, home);
    if (why != NULL)
        return word_fault(w, "'%s' is %s", w->text, why);
    return !reading->homes_sound || in_home_network(reading->conf, home) ||
           word_fault(w, "'%s' is in no home network", w->text);
}

static bool replay_checked(const struct word *w, const struct addr *home, uint8_t *out)
{
    unsigned style = REPLAY_TIMESTAMP;
    if (!value_choice(w, replay_styles, &style))
        return false;
    unsigned other_family = addr_is_ipv4(home) ? REPLAY_SEQUENCE : REPLAY_NONCE;
    if (style == other_family)
        return word_fault(w, "%s is for %s home addresses", w->text, addr_is_ipv4(home) ? "IPv6" : "IPv4");
    *out = (uint8_t)style;
    return true;
}

/* RFC 5944 section 5.1's default, or the one algorithm of RFC 4285 section 5.1. */
static bool algorithm_checked(const struct word *w, const struct addr *home, uint8_t *out)
{
    uint8_t algorithm = addr_is_ipv4(home) ? AUTH_HMAC_MD5 : AUTH_HMAC_SHA1;
    if (!value_algorithm(w, &algorithm))
        return false;
    if (!addr_is_ipv4(home) && algorithm != AUTH_HMAC_SHA1)
        return word_fault(w, "%s: an IPv6 home address takes hmac-sha1 alone", w->text);
    *out = algorithm;
    return true;
}

/* Looks at every field, so that one pass names all that is wrong. nai is not copied. */
static bool mobile_parse(struct reading *reading, const struct word *const fields[static FIELDS_COUNT],
                         struct conf_mobile *out)
{
    bool ok = value_host(fields[FIELD_HOME], &out->home);
    ok = ok && home_checked(reading, fields[FIELD_HOME], &out->home);
    ok &= value_number(fields[FIELD_SPI], SPI_MIN, UINT32_MAX, &out->sa.spi);
    ok &= value_key(fields[FIELD_KEY], 1, AUTH_KEY_MAX, &out->sa.key);
    if (!addr_is_unspecified(&out->home)) {
        ok &= algorithm_checked(fields[FIELD_ALGORITHM], &out->home, &out->sa.key.algorithm);
        ok &= replay_checked(fields[FIELD_REPLAY], &out->home, &out->sa.replay);
    }
    ok &= value_nai(fields[FIELD_NAI]);
    return ok;
}

static void append(struct roll *roll, const struct conf_mobile *mobile, const struct word *nai,
                   const struct word *at)
{
    struct conf *conf = roll->reading->conf;
    struct place *places = reading_grow(roll->reading, roll->places, &roll->n_places, sizeof(*places));
    if (places == NULL)
        return;
    roll->places = places;
    places[roll->n_places - 1] = (struct place){at->origin, at->line};
    struct conf_mobile *grown = reading_grow(roll->reading, conf->mobiles, &conf->n_mobiles, sizeof(*grown));
    if (grown == NULL)
        return;
    conf->mobiles = grown;
    grown[conf->n_mobiles - 1] = *mobile;
    if (nai != NULL && (grown[conf->n_mobiles - 1].nai = strdup(nai->text)) == NULL)
        fault(at->origin, at->line, "out of memory");
}

static void enrol(struct roll *roll, const struct word *const fields[static FIELDS_COUNT])
{
    struct conf_mobile mobile = {.sa.replay = REPLAY_TIMESTAMP};
    if (mobile_parse(roll->reading, fields, &mobile))
        append(roll, &mobile, fields[FIELD_NAI], fields[FIELD_HOME]);
}

static void read_section(struct roll *roll, const struct section *s)
{
    const struct word *fields[FIELDS_COUNT] = {&s->name};
    for (size_t i = FIELD_SPI; i < FIELDS_COUNT; i++)
        fields[i] = i < FIELDS_REQUIRED ? section_require(s, field_keys[i]) : section_word(s, field_keys[i]);
    enrol(roll, fields);
}

/* ---- CSV ---- */

static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* row is cut up. */
static void read_row(struct roll *roll, struct origin *origin, int line, char *row)
{
    struct word words[FIELDS_COUNT];
    const struct word *fields[FIELDS_COUNT] = {NULL};
    size_t n = 0;
    for (char *text; (text = strsep(&row, ",")) != NULL; n++) {
        if (n == FIELDS_COUNT) {
            fault(origin, line, "more than %d fields: address,spi,key[,algorithm[,replay[,nai]]]",
                  FIELDS_COUNT);
            return;
        }
        words[n] = (struct word){field_keys[n], trimmed(text), origin, line};
        /* Left empty: the default. */
        fields[n] = n < FIELDS_REQUIRED || words[n].text[0] != '\0' ? &words[n] : NULL;
    }
    if (n < FIELDS_REQUIRED) {
        fault(origin, line, "%s is missing: address,spi,key[,algorithm[,replay[,nai]]]", field_keys[n]);
        return;
    }
    enrol(roll, fields);
}

static void read_rows(struct roll *roll, struct origin *origin, FILE *f)
{
    char *row = NULL;
    size_t room = 0;
    ssize_t len;
    int line = 0;
    while ((len = getline(&row, &room, f)) >= 0) {
        line++;
        if (strlen(row) != (size_t)len) {
            fault(origin, line, "a zero byte: this is no text file");
            continue;
        }
        char *text = trimmed(row);
        if (text[0] != '\0' && text[0] != '#')
            read_row(roll, origin, line, text);
    }
    if (ferror(f))
        fault(origin, line + 1, "cannot be read");
    if (row != NULL)
        explicit_bzero(row, room);
    free(row);
}

static void read_csv(struct roll *roll, const struct word *w, struct origin *origin)
{
    origin->reading = roll->reading;
    origin->path = reading_resolve(roll->reading, w->text);
    FILE *f = origin->path == NULL ? NULL : value_open(w, origin->path, &origin->mode);
    if (f == NULL)
        return;
    read_rows(roll, origin, f);
    fclose(f);
    reading_warn_readable(origin);
}

/* ---- Duplicates ---- */

enum { NOBODY = UINT32_MAX };

/* A hash table over conf->mobiles that holds indices. */
struct index {
    const struct conf_mobile *mobiles;
    uint32_t *slots;
    size_t mask;
    uint64_t (*hash)(const struct conf_mobile *m);
    bool (*same)(const struct conf_mobile *a, const struct conf_mobile *b);
};

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

static uint64_t hash_association(const struct conf_mobile *m)
{
    uint64_t half[2];
    memcpy(half, m->home.b, sizeof(half));
    return mix(mix(mix(0, half[0]), half[1]), m->sa.spi);
}

static bool same_association(const struct conf_mobile *a, const struct conf_mobile *b)
{
    return a->sa.spi == b->sa.spi && addr_equal(&a->home, &b->home);
}

static uint64_t hash_nai(const struct conf_mobile *m)
{
    uint64_t h = 0;
    for (const char *p = m->nai; *p != '\0'; p++)
        h = mix(h, (unsigned char)*p);
    return h;
}

static bool same_nai(const struct conf_mobile *a, const struct conf_mobile *b)
{
    return strcmp(a->nai, b->nai) == 0;
}

/* Enters i, unless its like is there already: then that one's index. */
static uint32_t enter(struct index *index, uint32_t i)
{
    const struct conf_mobile *m = &index->mobiles[i];
    for (size_t at = index->hash(m) & index->mask;; at = (at + 1) & index->mask) {
        uint32_t held = index->slots[at];
        if (held == NOBODY) {
            index->slots[at] = i;
            return NOBODY;
        }
        if (index->same(m, &index->mobiles[held]))
            return held;
    }
}

static void refuse_second(const struct roll *roll, uint32_t first, uint32_t second, const char *what)
{
    const struct place *a = &roll->places[first], *b = &roll->places[second];
    char text[ADDR_TEXT_MAX];
    fault(b->origin, b->line, "%s: %s; the first is at %s:%d",
          addr_format(&roll->reading->conf->mobiles[second].home, text), what, a->origin->path, a->line);
}

static void refuse_duplicates(const struct roll *roll)
{
    const struct conf *conf = roll->reading->conf;
    size_t size = 2;
    while (size < 2 * conf->n_mobiles)
        size *= 2;
    struct index index = {conf->mobiles, malloc(size * sizeof(uint32_t)), size - 1, hash_association,
                          same_association};
    if (index.slots == NULL) {
        fault(&roll->reading->origin, 1, "out of memory");
        return;
    }
    memset(index.slots, 0xff, size * sizeof(uint32_t));
    for (uint32_t i = 0; i < conf->n_mobiles; i++) {
        uint32_t first = enter(&index, i);
        if (first != NOBODY)
            refuse_second(roll, first, i, "a second association with the same SPI");
    }

    index.hash = hash_nai;
    index.same = same_nai;
    memset(index.slots, 0xff, size * sizeof(uint32_t));
    for (uint32_t i = 0; i < conf->n_mobiles; i++) {
        uint32_t first = conf->mobiles[i].nai == NULL ? NOBODY : enter(&index, i);
        if (first != NOBODY && !addr_equal(&conf->mobiles[first].home, &conf->mobiles[i].home))
            refuse_second(roll, first, i, "the NAI of another home address");
    }
    free(index.slots);
}

void mobiles_read(struct reading *reading, const struct section *file)
{
    struct roll roll = {.reading = reading};
    size_t sections = section_count(file, "mobile-node");
    for (size_t i = 0; i < sections; i++) {
        struct section s = section_at(file, "mobile-node", i);
        read_section(&roll, &s);
    }

    size_t files = section_words(file, "mobile-nodes");
    roll.files = calloc(files + 1, sizeof(*roll.files));
    for (size_t i = 0; roll.files != NULL && i < files; i++)
        read_csv(&roll, section_word_at(file, "mobile-nodes", i), &roll.files[i]);
    refuse_duplicates(&roll);

    for (size_t i = 0; roll.files != NULL && i < files; i++)
        free(roll.files[i].path);
    free(roll.files);
    free(roll.places);
}
