/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 1024 };

/* Written by log_open before there is a second thread; the level by anybody. */
static const char *log_node = "homeportd";
static bool log_to_syslog;
static bool log_with_time = true;
static atomic_int log_threshold = LOG_LEVEL_INFO;

static const char *const words[] = {
#define X(name, word) [LOG_LEVEL_##name] = word,
    LOG_LEVELS(X)
#undef X
};

static const int priorities[] = {
    [LOG_LEVEL_ERROR] = LOG_ERR,
    [LOG_LEVEL_WARNING] = LOG_WARNING,
    [LOG_LEVEL_INFO] = LOG_INFO,
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

void log_open(const char *node, bool to_syslog)
{
    log_node = node;
    log_to_syslog = to_syslog;
    log_with_time = getenv("JOURNAL_STREAM") == NULL; /* the journal has a clock of its own */
    if (to_syslog)
        openlog("homeportd", LOG_PID, LOG_DAEMON);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_threshold, (int)level, memory_order_relaxed);
}

enum log_level log_level(void)
{
    return (enum log_level)atomic_load_explicit(&log_threshold, memory_order_relaxed);
}

const char *log_level_word(enum log_level level)
{
    return words[level];
}

bool log_level_by_word(const char *word, enum log_level *out)
{
    for (int level = 0; level < LOG_LEVELS_COUNT; level++) {
        if (strcmp(word, words[level]) != 0)
            continue;
        *out = (enum log_level)level;
        return true;
    }
    return false;
}

/* Part of a message may come from a stranger: no control character of it reaches a terminal, no second line
 * a log. */
static void make_plain(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
    }
}

static void write_stderr(enum log_level level, const char *message)
{
    char stamp[32] = "";
    if (log_with_time) {
        struct timespec now;
        struct tm local;
        clock_gettime(CLOCK_REALTIME, &now);
        localtime_r(&now.tv_sec, &local);
        size_t len = strftime(stamp, sizeof(stamp), "%F %T", &local);
        snprintf(stamp + len, sizeof(stamp) - len, ".%03u ", (unsigned)(now.tv_nsec / 1000000));
    }
    char line[LINE_SIZE + 128];
    int len = snprintf(line, sizeof(line), "%s%s %s: %s\n", stamp, log_node, words[level], message);
    if (len >= (int)sizeof(line)) {
        len = sizeof(line) - 1;
        line[len - 1] = '\n';
    }
    /* One write a line, so that lines of several threads do not mix; who cannot log can tell nobody. */
    ssize_t written = write(STDERR_FILENO, line, (size_t)len);
    (void)written;
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level > log_level())
        return;
    char message[LINE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    make_plain(message);
    if (log_to_syslog)
        syslog(priorities[level], "%s: %s", log_node, message);
    else
        write_stderr(level, message);
}
