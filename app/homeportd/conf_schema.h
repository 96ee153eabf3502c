/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The schema: every section and key there is, parsed by libconfuse into words with their lines. What a word
 * may be is conf_values.c's matter.
 */
#ifndef HOMEPORTD_CONF_SCHEMA_H
#define HOMEPORTD_CONF_SCHEMA_H

#include <confuse.h>

#include "conf_reading.h"

struct section {
    cfg_t *cfg;
    struct word name; /* text "" where the section has none; the line is that of its opening brace */
};

/* Reads the whole file of reading->origin. NULL: something in it cannot be read on; recorded. Words live
 * until cfg_free. */
cfg_t *schema_parse(struct reading *reading);

/* The file itself as a section. */
struct section section_root(struct reading *reading, cfg_t *cfg);
/* How many sections of this kind there are; the i-th of them. */
size_t section_count(const struct section *parent, const char *kind);
struct section section_at(const struct section *parent, const char *kind, size_t i);
/* The one section of a kind that has no name and may stand once. False: it is not there. */
bool section_only(const struct section *parent, const char *kind, struct section *out);

/* NULL: the key is absent. */
const struct word *section_word(const struct section *s, const char *key);
/* The same for a key that must be there; its absence is recorded. */
const struct word *section_require(const struct section *s, const char *key);
/* The values of a list. */
size_t section_words(const struct section *s, const char *key);
const struct word *section_word_at(const struct section *s, const char *key, size_t i);

#endif
