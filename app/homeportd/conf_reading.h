/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One reading of a configuration: the struct conf that grows, the files it comes from, and what was found
 * wrong with them. A value travels through the reading as a struct word, which knows where it stands, so that
 * whoever refuses it can name file and line.
 *
 * Private to conf_*.c; one thread, alive for the time of one conf_load.
 */
#ifndef HOMEPORTD_CONF_READING_H
#define HOMEPORTD_CONF_READING_H

#include <stdarg.h>
#include <sys/types.h>

#include "conf.h"

enum { READING_FAULTS_SHOWN = 100 }; /* a CSV file in a wrong format must not print a million lines */

/* A file that is being read. */
struct origin {
    struct reading *reading;
    char *path;
    mode_t mode;
    int inline_key_line; /* where the first key stands in the file itself; 0: none does */
};

/* A value as written, not yet understood. */
struct word {
    const char *key;
    const char *text;
    struct origin *origin;
    int line;
};

/* An address that no mobile node can have, and why. */
struct taken {
    struct addr addr;
    const char *why;
};

struct reading {
    struct conf *conf;
    FILE *errors;
    char *directory; /* of the configuration file: relative names start here */
    struct origin origin;
    size_t faults;
    /* False: faults in there are known, and what depends on them is not worth reporting. */
    bool ports_sound;
    bool homes_sound;
    struct taken *taken; /* sorted by address; made by network_settle */
    size_t n_taken;
};

/* Records that the configuration is to be refused. */
void fault(const struct origin *origin, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void fault_v(const struct origin *origin, int line, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
/* The same at a word, "KEY: " in front. Always false, to be returned. */
bool word_fault(const struct word *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Records something that is accepted without effect. */
void warning(const struct origin *origin, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Warns of keys written out in a file that others can use: unlike a key file it is no secret by definition,
 * so it is not refused. */
void reading_warn_readable(const struct origin *file);

/* A name in the configuration as a path; the caller frees it. NULL: out of memory. */
char *reading_resolve(const struct reading *reading, const char *name);
/* One more element at the end of an array, zeroed; NULL: out of memory, which is recorded as a fault. */
void *reading_grow(struct reading *reading, void *array, size_t *n, size_t size);
/* Counts what was not shown. */
void reading_finish(struct reading *reading);

#endif
