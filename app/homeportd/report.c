/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_WIDTH = 18, COUNT_WIDTH = 16, PREFIX_TEXT_MAX = ADDR_TEXT_MAX + 4 };

/* ---- Bytes ---- */

static void put_bytes(struct report *r, const char *bytes, size_t n)
{
    assert(n <= sizeof(r->text) - r->len); /* the writer asks report_full often enough */
    memcpy(r->text + r->len, bytes, n);
    r->len += n;
}

static void put(struct report *r, const char *text)
{
    put_bytes(r, text, strlen(text));
}

static void put_number(struct report *r, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    put(r, text);
}

static void put_padding(struct report *r, size_t have, size_t want)
{
    for (; have < want; have++)
        put_bytes(r, " ", 1);
}

/* Bytes of the well-formed UTF-8 character at s (RFC 3629 section 4); 0: there is none. */
static size_t utf8_character(const uint8_t *s)
{
    static const struct {
        uint8_t from, to, second_from, second_to, len;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (s[0] < forms[i].from || s[0] > forms[i].to)
            continue;
        if (s[1] < forms[i].second_from || s[1] > forms[i].second_to)
            return 0;
        for (size_t k = 2; k < forms[i].len; k++) {
            if ((s[k] & 0xc0) != 0x80)
                return 0;
        }
        return forms[i].len;
    }
    return 0;
}

static bool is_plain(uint8_t c)
{
    return c >= ' ' && c < 0x7f;
}

/* RFC 8259 section 7; what is no UTF-8 becomes U+FFFD. */
static void put_json_string(struct report *r, const char *text)
{
    put(r, "\"");
    for (const uint8_t *s = (const uint8_t *)text; *s != '\0';) {
        size_t n = is_plain(*s) ? 1 : utf8_character(s);
        if (*s == '"' || *s == '\\')
            put(r, "\\");
        if (n > 0) {
            put_bytes(r, (const char *)s, n);
            s += n;
            continue;
        }
        char escape[8];
        snprintf(escape, sizeof(escape), "\\u%04x", *s < 0x80 ? *s : 0xfffdU);
        put(r, escape);
        s++;
    }
    put(r, "\"");
}

/* For people: nothing that a terminal would obey. */
static void put_plain(struct report *r, const char *text)
{
    for (const uint8_t *s = (const uint8_t *)text; *s != '\0';) {
        size_t n = is_plain(*s) ? 1 : utf8_character(s);
        put_bytes(r, n > 0 ? (const char *)s : "?", n > 0 ? n : 1);
        s += n > 0 ? n : 1;
    }
}

/* ---- Nesting ---- */

static void separate(struct report *r)
{
    if (r->filled[r->depth])
        put(r, ", ");
    r->filled[r->depth] = true;
}

static void put_key(struct report *r, const char *key)
{
    separate(r);
    put(r, "\"");
    for (; *key != '\0'; key++) {
        char lower = (char)tolower((unsigned char)*key);
        put_bytes(r, &lower, 1);
    }
    put(r, "\": ");
}

static void open_nest(struct report *r, const char *bracket)
{
    assert(r->depth + 1 < REPORT_DEPTH);
    put(r, bracket);
    r->filled[++r->depth] = false;
}

static void close_nest(struct report *r, const char *bracket)
{
    assert(r->depth > 0);
    put(r, bracket);
    r->depth--;
}

void report_init(struct report *r, bool json)
{
    memset(r, 0, offsetof(struct report, text));
    r->json = json;
}

void report_taken(struct report *r)
{
    r->len = 0;
}

bool report_full(const struct report *r)
{
    return r->len >= REPORT_SLICE;
}

void report_begin(struct report *r)
{
    r->begun = true;
    if (r->json)
        open_nest(r, "{");
}

void report_end(struct report *r)
{
    if (!r->json)
        return;
    close_nest(r, "}");
    assert(r->depth == 0);
    put(r, "\n");
}

/* ---- Tables ---- */

/* The last column is not padded: no blanks at the end of a line. */
static void put_cell_text(struct report *r, const char *text)
{
    const struct report_column *column = &r->columns[r->column];
    bool last = r->column + 1 == r->n_columns;
    size_t len = strlen(text);
    size_t width = (size_t)column->width;
    if (column->right)
        put_padding(r, len, width);
    put_plain(r, text);
    if (!column->right && !last)
        put_padding(r, len, width);
    if (!last)
        put(r, "  ");
}

void report_table(struct report *r, const char *key, const struct report_column *columns, unsigned n)
{
    r->columns = columns;
    r->n_columns = n;
    if (r->json) {
        put_key(r, key);
        open_nest(r, "[");
        return;
    }
    for (r->column = 0; r->column < n; r->column++)
        put_cell_text(r, columns[r->column].heading);
    put(r, "\n");
}

void report_table_end(struct report *r)
{
    if (r->json)
        close_nest(r, "]");
}

void report_row(struct report *r)
{
    r->column = 0;
    if (!r->json)
        return;
    /* A line a row: a listing of a million stays readable for line-wise tools. */
    put(r, r->filled[r->depth] ? ",\n" : "\n");
    r->filled[r->depth] = true;
    open_nest(r, "{");
}

void report_row_end(struct report *r)
{
    assert(r->column == r->n_columns);
    if (r->json)
        close_nest(r, "}");
    else
        put(r, "\n");
}

static void next_key(struct report *r)
{
    assert(r->column < r->n_columns);
    put_key(r, r->columns[r->column].key);
}

void report_string(struct report *r, const char *text)
{
    if (r->json) {
        next_key(r);
        put_json_string(r, text);
    } else {
        put_cell_text(r, text);
    }
    r->column++;
}

void report_number(struct report *r, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    if (r->json) {
        next_key(r);
        put(r, text);
    } else {
        put_cell_text(r, text);
    }
    r->column++;
}

void report_none(struct report *r, const char *text)
{
    if (r->json) {
        next_key(r);
        put(r, "null");
    } else {
        put_cell_text(r, text);
    }
    r->column++;
}

void report_addr(struct report *r, const struct addr *address)
{
    char text[ADDR_TEXT_MAX];
    report_string(r, addr_format(address, text));
}

void report_prefix(struct report *r, const struct prefix *prefix)
{
    char address[ADDR_TEXT_MAX], text[PREFIX_TEXT_MAX];
    snprintf(text, sizeof(text), "%s/%u", addr_format(&prefix->addr, address), prefix->bits);
    report_string(r, text);
}

void report_mac(struct report *r, const struct mac *mac)
{
    char text[MAC_TEXT_MAX];
    report_string(r, mac_format(mac, text));
}

void report_list(struct report *r)
{
    r->list_start = r->len;
    if (!r->json)
        return;
    next_key(r);
    open_nest(r, "[");
}

void report_list_item(struct report *r, const char *text)
{
    if (r->json) {
        separate(r);
        put_json_string(r, text);
        return;
    }
    if (r->len > r->list_start)
        put(r, ",");
    put_plain(r, text);
}

void report_list_end(struct report *r)
{
    bool last = ++r->column == r->n_columns;
    if (r->json) {
        close_nest(r, "]");
        return;
    }
    if (r->len == r->list_start)
        put(r, "-");
    if (last)
        return;
    put_padding(r, r->len - r->list_start, (size_t)r->columns[r->column - 1].width);
    put(r, "  ");
}

/* ---- Named values ---- */

void report_group(struct report *r, const char *key, const char *heading)
{
    if (r->json) {
        put_key(r, key);
        open_nest(r, "{");
        return;
    }
    if (r->filled[0])
        put(r, "\n");
    r->filled[0] = true;
    put(r, heading);
    put(r, "\n");
}

void report_group_end(struct report *r)
{
    if (r->json)
        close_nest(r, "}");
}

static void put_label(struct report *r, const char *label)
{
    put(r, label);
    put(r, ":");
    put_padding(r, strlen(label) + 1, LABEL_WIDTH);
}

void report_fact(struct report *r, const char *key, const char *label, const char *text)
{
    if (r->json) {
        put_key(r, key);
        put_json_string(r, text);
        return;
    }
    put_label(r, label);
    put_plain(r, text);
    put(r, "\n");
}

void report_fact_number(struct report *r, const char *key, const char *label, uint64_t number)
{
    if (r->json) {
        put_key(r, key);
        put_number(r, number);
        return;
    }
    put_label(r, label);
    put_number(r, number);
    put(r, "\n");
}

void report_count(struct report *r, const char *key, const char *text, uint64_t number)
{
    if (r->json) {
        put_key(r, key);
        put_number(r, number);
        return;
    }
    char count[24];
    snprintf(count, sizeof(count), "%*" PRIu64, COUNT_WIDTH, number);
    put(r, count);
    put(r, "  ");
    put(r, text);
    put(r, "\n");
}
