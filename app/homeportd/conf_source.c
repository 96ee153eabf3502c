/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_source.h"

enum { SOURCE_MAX = 64 << 20 }; /* bytes: more is no configuration; bulk belongs into CSV files */

enum token {
    TOKEN_WORD,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_ASSIGN,
    TOKEN_OTHER, /* comma, parentheses */
    TOKEN_END,
    TOKEN_BROKEN /* recorded; libconfuse must not see it */
};

struct scan {
    struct origin *origin;
    const char *at;
    int line;
    FILE *out;
    bool mute; /* only line ends go out */
    /* The token last taken */
    enum token token;
    const char *start;
    size_t len;
};

/* ---- Tokens: the same as those of libconfuse's lexer ---- */

/* What libconfuse skips without a word counts as white space here. */
static bool is_skipped(const char *at)
{
    return *at != '\0' && strchr(" \t\r*+", *at) != NULL && (at[0] != '+' || at[1] != '=');
}

static bool is_line_comment(const char *at)
{
    return at[0] == '#' || (at[0] == '/' && at[1] == '/');
}

static bool is_plain(char c)
{
    return c != '\0' && strchr(" #\"'\t\n\r={}()+,*", c) == NULL;
}

static void line_end(struct scan *s)
{
    fputc('\n', s->out);
    s->line++;
}

static enum token broken(struct scan *s, int line, const char *what)
{
    fault(s->origin, line, "%s", what);
    return TOKEN_BROKEN;
}

static bool skip_block_comment(struct scan *s)
{
    int opened = s->line;
    for (s->at += 2; *s->at != '\0'; s->at++) {
        if (s->at[0] == '*' && s->at[1] == '/') {
            s->at += 2;
            return true;
        }
        if (*s->at == '\n')
            line_end(s);
    }
    broken(s, opened, "comment without an end");
    return false;
}

static bool skip_blanks(struct scan *s)
{
    for (;;) {
        if (*s->at == '\n') {
            line_end(s);
            s->at++;
        } else if (is_line_comment(s->at)) {
            s->at += strcspn(s->at, "\n");
        } else if (s->at[0] == '/' && s->at[1] == '*') {
            if (!skip_block_comment(s))
                return false;
        } else if (is_skipped(s->at)) {
            s->at++;
        } else {
            return true;
        }
    }
}

/* "${NAME}": the environment's value; its text may hold anything but a closing brace. */
static size_t variable_len(const char *at)
{
    const char *end = at[0] == '$' && at[1] == '{' ? strchr(at, '}') : NULL;
    return end == NULL ? 0 : (size_t)(end + 1 - at);
}

static enum token quoted(struct scan *s)
{
    char quote = *s->at;
    const char *p = s->at + 1;
    while (*p != quote) {
        size_t step = quote == '"' ? variable_len(p) : 0;
        if (*p == '\\') {
            /* A wrong octal escape leaves libconfuse's lexer inside the string for good. */
            if (quote == '"' && isdigit((unsigned char)p[1]))
                return broken(s, s->line, "octal escape in a string");
            step = 2;
        }
        if (*p == '\0' || (*p == '\\' && p[1] == '\0'))
            return broken(s, s->line, "string without an end");
        p += step > 0 ? step : 1;
    }
    s->len = (size_t)(p + 1 - s->at);
    return TOKEN_WORD;
}

static enum token token_at(struct scan *s)
{
    s->len = 1;
    switch (*s->at) {
    case '\0':
        s->len = 0;
        return TOKEN_END;
    case '{':
        return TOKEN_OPEN;
    case '}':
        return TOKEN_CLOSE;
    case '=':
        return TOKEN_ASSIGN;
    case '+':
        s->len = 2;
        return TOKEN_ASSIGN;
    case ',':
    case '(':
    case ')':
        return TOKEN_OTHER;
    case '"':
    case '\'':
        return quoted(s);
    }
    s->len = variable_len(s->at);
    if (s->len > 0)
        return TOKEN_WORD;
    while (is_plain(s->at[s->len]))
        s->len++;
    return TOKEN_WORD;
}

static enum token next(struct scan *s)
{
    if (s->token == TOKEN_BROKEN || !skip_blanks(s))
        return s->token = TOKEN_BROKEN;
    s->start = s->at;
    s->token = token_at(s);
    if (s->token != TOKEN_BROKEN)
        s->at += s->len;
    return s->token;
}

static void put_text(struct scan *s, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            line_end(s);
        else if (!s->mute)
            fputc(text[i], s->out);
    }
}

static void put(struct scan *s)
{
    put_text(s, s->start, s->len);
    put_text(s, " ", 1);
}

/* ---- The walk. False: the rest makes no sense, which libconfuse will put in words. ---- */

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static const cfg_opt_t *find(const cfg_opt_t *options, const char *name, size_t len)
{
    if (is_quote(*name)) {
        name++;
        len -= 2;
    }
    for (; options->name != NULL; options++) {
        if (strlen(options->name) == len && memcmp(options->name, name, len) == 0 &&
            strcmp(options->name, SOURCE_NAME_KEY) != 0)
            return options;
    }
    return NULL;
}

/* After an assignment: a word, or a list in braces. */
static bool value(struct scan *s)
{
    enum token t = next(s);
    put(s);
    if (t == TOKEN_WORD)
        return true;
    if (t != TOKEN_OPEN)
        return false;
    do {
        t = next(s);
        put(s);
    } while (t == TOKEN_WORD || t == TOKEN_OTHER);
    return t == TOKEN_CLOSE;
}

static bool braces(struct scan *s)
{
    for (int depth = 1; depth > 0;) {
        switch (next(s)) {
        case TOKEN_OPEN:
            depth++;
            break;
        case TOKEN_CLOSE:
            depth--;
            break;
        case TOKEN_END:
        case TOKEN_BROKEN:
            return false;
        default:
            break;
        }
        put(s);
    }
    return true;
}

/* The rest of a statement whose key means nothing: a value, or a section with or without a name. */
static bool unknown(struct scan *s)
{
    switch (next(s)) {
    case TOKEN_ASSIGN:
        return value(s);
    case TOKEN_OPEN:
        return braces(s);
    case TOKEN_WORD:
        put(s);
        return next(s) == TOKEN_OPEN && braces(s);
    default:
        return false;
    }
}

static bool body(struct scan *s, const cfg_opt_t *options, const char *name);

static void put_name(struct scan *s, const char *title, size_t len)
{
    const char *quote = len > 0 && is_quote(*title) ? "" : "'";
    fprintf(s->out, "{ %s = %s", SOURCE_NAME_KEY, quote);
    for (size_t i = 0; i < len; i++) {
        if (title[i] != '\n')
            fputc(title[i], s->out);
    }
    fprintf(s->out, "%s ", quote);
}

static bool section(struct scan *s, const cfg_opt_t *option)
{
    const char *title = NULL;
    size_t title_len = 0;
    int opened = s->line;
    put(s);
    if (next(s) == TOKEN_WORD) {
        title = s->start;
        title_len = s->len;
        for (size_t i = 0; i < title_len; i++) {
            if (title[i] == '\n')
                line_end(s);
        }
        next(s);
    }
    if (s->token != TOKEN_OPEN) {
        put(s);
        return false;
    }
    put_name(s, title, title_len);
    if (body(s, option->subopts, option->name))
        return true;
    if (s->token == TOKEN_END) {
        fault(s->origin, opened, "section '%s' has no closing brace", option->name);
        s->token = TOKEN_BROKEN;
    }
    return false;
}

static bool statement(struct scan *s, const cfg_opt_t *options, const char *name, uint64_t *seen)
{
    const cfg_opt_t *option = find(options, s->start, s->len);
    if (option == NULL) {
        fault(s->origin, s->line, "unknown key '%.*s'%s%s", (int)s->len, s->start,
              name == NULL ? "" : " in section ", name == NULL ? "" : name);
        s->mute = true;
        put(s);
        if (!unknown(s))
            s->token = TOKEN_BROKEN; /* where it ends is anybody's guess */
        s->mute = false;
        return s->token != TOKEN_BROKEN;
    }
    if (option->type == CFGT_SEC)
        return section(s, option);

    int line = s->line;
    put(s);
    if (next(s) != TOKEN_ASSIGN) {
        put(s);
        return false;
    }
    uint64_t bit = UINT64_C(1) << (option - options);
    if (*s->start == '=' && (*seen & bit) != 0)
        fault(s->origin, line, "%s: given for the second time", option->name);
    *seen |= bit;
    put(s);
    return value(s);
}

/* Statements up to the closing brace; name NULL: up to the end of the file. */
static bool body(struct scan *s, const cfg_opt_t *options, const char *name)
{
    uint64_t seen = 0; /* bit: index in options */
    while (next(s) == TOKEN_WORD) {
        if (!statement(s, options, name, &seen))
            return false;
    }
    put(s);
    return s->token == (name == NULL ? TOKEN_END : TOKEN_CLOSE);
}

static char *rewrite(struct origin *origin, const char *text, const cfg_opt_t *schema)
{
    char *rewritten = NULL;
    size_t len;
    struct scan s = {.origin = origin, .at = text, .line = 1, .out = open_memstream(&rewritten, &len)};
    if (s.out == NULL)
        return NULL;
    if (!body(&s, schema, NULL)) {
        while (s.token != TOKEN_END && s.token != TOKEN_BROKEN) {
            next(&s);
            put(&s);
        }
        fputc('=', s.out); /* an error everywhere: libconfuse must not find a sense in it after all */
    }
    bool fit = s.token != TOKEN_BROKEN;
    if (fclose(s.out) == 0 && fit)
        return rewritten;
    free(rewritten);
    return NULL;
}

/* ---- The file ---- */

static char *slurp(int fd, size_t *len)
{
    char *text = NULL;
    size_t room = 0;
    *len = 0;
    for (;;) {
        if (*len + 1 >= room) {
            room = room == 0 ? 16384 : 2 * room;
            char *grown = room > SOURCE_MAX ? NULL : realloc(text, room);
            if (grown == NULL) {
                errno = EFBIG;
                break;
            }
            text = grown;
        }
        ssize_t n = read(fd, text + *len, room - *len - 1);
        if (n < 0)
            break;
        if (n == 0) {
            text[*len] = '\0';
            return text;
        }
        *len += (size_t)n;
    }
    free(text);
    return NULL;
}

static char *file_text(struct origin *origin, size_t *len)
{
    struct stat status;
    char *text = NULL;
    int fd = open(origin->path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0) {
        origin->mode = status.st_mode;
        text = slurp(fd, len);
    }
    if (text == NULL)
        fault(origin, 1, "cannot be read: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return text;
}

static int line_of(const char *text, const char *at)
{
    int line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

char *source_read(struct reading *reading, const cfg_opt_t *schema)
{
    struct origin *origin = &reading->origin;
    size_t len;
    char *text = file_text(origin, &len);
    if (text == NULL)
        return NULL;
    char *rewritten = NULL;
    if (strlen(text) == len)
        rewritten = rewrite(origin, text, schema);
    else
        fault(origin, line_of(text, text + strlen(text)), "a zero byte: this is no text file");
    free(text);
    return rewritten;
}
