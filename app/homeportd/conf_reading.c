/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "conf_reading.h"

void fault_v(const struct origin *origin, int line, const char *format, va_list arguments)
{
    struct reading *reading = origin->reading;
    if (++reading->faults > READING_FAULTS_SHOWN)
        return;
    fprintf(reading->errors, "%s:%d: ", origin->path, line);
    vfprintf(reading->errors, format, arguments);
    fputc('\n', reading->errors);
}

void fault(const struct origin *origin, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fault_v(origin, line, format, arguments);
    va_end(arguments);
}

bool word_fault(const struct word *w, const char *format, ...)
{
    char why[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    fault(w->origin, w->line, "%s: %s", w->key, why);
    return false;
}

void warning(const struct origin *origin, int line, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);

    struct conf *conf = origin->reading->conf;
    size_t used = strlen(conf->warnings);
    size_t room = sizeof(conf->warnings) - used;
    int n = snprintf(conf->warnings + used, room, "%s:%d: %s\n", origin->path, line, what);
    if (n < 0 || (size_t)n >= room)
        conf->warnings[used] = '\0'; /* whole lines only */
}

void reading_warn_readable(const struct origin *file)
{
    if (file->inline_key_line != 0 && (file->mode & 077) != 0)
        warning(file, file->inline_key_line, "a key in a file that others can use (mode %04o): chmod 600",
                file->mode & 07777u);
}

char *reading_resolve(const struct reading *reading, const char *name)
{
    char *path;
    if (name[0] == '/' || reading->directory == NULL)
        return strdup(name);
    return asprintf(&path, "%s/%s", reading->directory, name) < 0 ? NULL : path;
}

void *reading_grow(struct reading *reading, void *array, size_t *n, size_t size)
{
    /* Room is a power of two: it is used up whenever the count is one. */
    bool full = (*n & (*n - 1)) == 0;
    char *grown = full ? reallocarray(array, *n == 0 ? 1 : 2 * *n, size) : array;
    if (grown == NULL) {
        fault(&reading->origin, 1, "out of memory");
        return NULL;
    }
    memset(grown + *n * size, 0, size);
    ++*n;
    return grown;
}

void reading_finish(struct reading *reading)
{
    if (reading->faults > READING_FAULTS_SHOWN)
        fprintf(reading->errors, "%s:1: and %zu more faults, not shown\n", reading->origin.path,
                reading->faults - READING_FAULTS_SHOWN);
}
