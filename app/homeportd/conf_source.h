/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The text of a configuration file, made fit for libconfuse. Its version 3.3 counts lines wrongly after every
 * comment, stops at the first unknown key, lets a repeated key or an unclosed section pass, and never
 * recovers from an unfinished string. So the text is walked once along the schema before: comments go,
 * unknown keys and repeated ones are reported and taken out, and the name of each section moves inside it, as
 * the value of SOURCE_NAME_KEY, because libconfuse would silently replace a section by the next one of the
 * same name. Every line keeps its number.
 */
#ifndef HOMEPORTD_CONF_SOURCE_H
#define HOMEPORTD_CONF_SOURCE_H

#include <confuse.h>

#include "conf_reading.h"

#define SOURCE_NAME_KEY "@"

/* The file of reading->origin, rewritten; the caller frees it. Sets the origin's mode. NULL: nothing can be
 * read of it; recorded. */
char *source_read(struct reading *reading, const cfg_opt_t *schema);

#endif
