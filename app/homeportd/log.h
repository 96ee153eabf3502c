/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log: one line a message, to stderr in the foreground and to syslog else. Control side only; workers
 * count instead. Any thread may call; the level may change at any time.
 */
#ifndef HOMEPORTD_LOG_H
#define HOMEPORTD_LOG_H

#include <stdbool.h>

/* X(name, word on the console) from least to most */
#define LOG_LEVELS(X) X(ERROR, "error") X(WARNING, "warning") X(INFO, "info") X(DEBUG, "debug")

enum log_level {
#define X(name, word) LOG_LEVEL_##name,
    LOG_LEVELS(X)
#undef X
        LOG_LEVELS_COUNT
};

/* node is the appliance's name in every line; kept by reference. */
void log_open(const char *node, bool to_syslog);
void log_set_level(enum log_level level);
enum log_level log_level(void);
const char *log_level_word(enum log_level level);
/* False: no such word; *out untouched. */
bool log_level_by_word(const char *word, enum log_level *out);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
