/* SPDX-License-Identifier: BSD-3-Clause */
#include "roster.h"
#include "mip4.h"
#include "successor.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { NAI_MAX = 255, COLUMNS_MIN = 3, COLUMNS_MAX = 6 };

static bool refuse(char *error, const char *what, const char *detail)
{
    snprintf(error, ROSTER_ERROR_MAX, "%s%s%s", what, *detail != '\0' ? ": " : "", detail);
    return false;
}

void roster_clear(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++)
        free((char *)roster->rows[i].nai);
    free(roster->rows);
    *roster = (struct roster){0};
}

/* Takes over row->nai, on failure too. */
static bool add(struct roster *roster, const struct mobile_identity *row)
{
    if (roster->count == roster->room) {
        const size_t room = roster->room == 0 ? 16 : roster->room * 2;
        struct mobile_identity *rows = realloc(roster->rows, room * sizeof(*rows));
        if (rows == NULL) {
            free((char *)row->nai);
            return false;
        }
        roster->rows = rows;
        roster->room = room;
    }
    roster->rows[roster->count++] = *row;
    return true;
}

/* RFC 5944 section 5.1 knows all algorithms and no sequence numbers, RFC 4285 section 5.1 only HMAC-SHA-1 and
 * no nonces. */
static bool suit_family(struct mobile_identity *row, char *error)
{
    const bool ipv4 = addr_is_ipv4(&row->home);
    if (row->key.algorithm == ROSTER_ALGORITHM_OF_FAMILY)
        row->key.algorithm = ipv4 ? AUTH_HMAC_MD5 : AUTH_HMAC_SHA1;
    if (!ipv4 && row->key.algorithm != AUTH_HMAC_SHA1)
        return refuse(error, "an IPv6 home address takes hmac-sha1 alone", "");
    if (row->replay == (ipv4 ? MOBILE_SEQUENCE : MOBILE_NONCE))
        return refuse(error, "replay protection of IPv4 is timestamp or nonce, of IPv6 timestamp or sequence",
                      "");
    return true;
}

bool roster_add_range(struct roster *roster, const struct mobile_identity *like, uint32_t count,
                      char error[static ROSTER_ERROR_MAX])
{
    struct mobile_identity row = *like;
    if (count == 0 || !addr_successor(&like->home, count - 1, &row.home))
        return refuse(error, "no such range of home addresses", "");
    if (!suit_family(&row, error))
        return false;

    row.nai = NULL;
    for (uint32_t i = 0; i < count; i++) {
        addr_successor(&like->home, i, &row.home);
        if (!add(roster, &row))
            return refuse(error, "out of memory", "");
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hex(const char *text, struct auth_key *key, char *error)
{
    const size_t digits = strlen(text);
    uint8_t bytes[AUTH_KEY_MAX];

    if (digits == 0 || digits % 2 != 0 || digits / 2 > sizeof(bytes))
        return refuse(error, "a key is 2 to 128 hexadecimal digits, two for each byte", "");
    for (size_t i = 0; i < digits; i += 2) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return refuse(error, "not a hexadecimal digit in a key", "");
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    memcpy(key->bytes, bytes, digits / 2);
    key->len = (uint8_t)(digits / 2);
    return true;
}

static bool read_first_line(const char *path, char *line, size_t size, char *error)
{
    FILE *file = fopen(path, "re");
    struct stat st;
    bool read = false;

    if (file == NULL || fstat(fileno(file), &st) != 0)
        refuse(error, path, strerror(errno));
    else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        refuse(error, path, "a key file that others may read is refused");
    else if (fgets(line, (int)size, file) == NULL)
        refuse(error, path, "empty");
    else
        read = true;
    if (file != NULL)
        fclose(file);
    return read;
}

static bool parse_key_file(const char *path, struct auth_key *key, char *error)
{
    char line[5 + 2 * AUTH_KEY_MAX + 2];
    if (!read_first_line(path, line, sizeof(line), error))
        return false;
    line[strcspn(line, " \t\r\n")] = '\0';
    return parse_hex(strncmp(line, "hex:", 4) == 0 ? line + 4 : line, key, error);
}

bool roster_key(const char *text, struct auth_key *key, char error[static ROSTER_ERROR_MAX])
{
    if (strncmp(text, "hex:", 4) == 0)
        return parse_hex(text + 4, key, error);
    if (strncmp(text, "file:", 5) == 0)
        return parse_key_file(text + 5, key, error);
    return refuse(error, "a key begins with hex: or file:", "");
}

bool roster_spi(const char *text, uint32_t *spi)
{
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end != '\0' || errno != 0 || value < MIP4_SPI_MIN ||
        value > UINT32_MAX)
        return false;
    *spi = (uint32_t)value;
    return true;
}

bool roster_replay(const char *text, uint8_t *replay)
{
    if (strcmp(text, "timestamp") == 0)
        *replay = MOBILE_TIMESTAMP;
    else if (strcmp(text, "nonce") == 0)
        *replay = MOBILE_NONCE;
    else if (strcmp(text, "sequence") == 0)
        *replay = MOBILE_SEQUENCE;
    else
        return false;
    return true;
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    text[len] = '\0';
    return text;
}

/* Columns left out are empty. False: too few or too many. */
static bool split(char *line, char *columns[static COLUMNS_MAX])
{
    static char none[] = "";
    int n = 0;

    for (char *rest = line; rest != NULL; n++) {
        char *column = strsep(&rest, ",");
        if (n == COLUMNS_MAX)
            return false;
        columns[n] = trim(column);
    }
    for (int i = n; i < COLUMNS_MAX; i++)
        columns[i] = none;
    return n >= COLUMNS_MIN;
}

/* row->nai points into the line. */
static bool parse_row(char *line, struct mobile_identity *row, char *error)
{
    char *columns[COLUMNS_MAX];
    enum auth_algorithm algorithm;

    if (!split(line, columns))
        return refuse(error, "a row is address,spi,key[,algorithm[,replay[,nai]]]", "");
    if (!addr_parse(columns[0], &row->home) || addr_is_unspecified(&row->home))
        return refuse(error, "not an address", columns[0]);
    if (!roster_spi(columns[1], &row->spi))
        return refuse(error, "an SPI is a number from 256 to 4294967295", columns[1]);
    if (!roster_key(columns[2], &row->key, error))
        return false;
    row->key.algorithm = ROSTER_ALGORITHM_OF_FAMILY;
    if (*columns[3] != '\0') {
        if (!auth_by_name(columns[3], &algorithm))
            return refuse(error, "no such algorithm", columns[3]);
        row->key.algorithm = (uint8_t)algorithm;
    }
    if (*columns[4] != '\0' && !roster_replay(columns[4], &row->replay))
        return refuse(error, "replay protection is timestamp, nonce or sequence", columns[4]);
    if (strlen(columns[5]) > NAI_MAX)
        return refuse(error, "a network access identifier has at most 255 bytes", "");
    row->nai = *columns[5] != '\0' ? columns[5] : NULL;
    return suit_family(row, error);
}

static bool add_line(struct roster *roster, char *line, char *error)
{
    line = trim(line);
    if (*line == '\0' || *line == '#')
        return true;

    struct mobile_identity row = {.replay = MOBILE_TIMESTAMP};
    if (!parse_row(line, &row, error))
        return false;
    if (row.nai != NULL && (row.nai = strdup(row.nai)) == NULL)
        return refuse(error, "out of memory", "");
    return add(roster, &row) || refuse(error, "out of memory", "");
}

bool roster_add_file(struct roster *roster, const char *path, char error[static ROSTER_ERROR_MAX])
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return refuse(error, path, strerror(errno));

    char what[ROSTER_ERROR_MAX];
    char *line = NULL;
    size_t room = 0;
    unsigned number = 0;
    bool good = true;
    while (good && getline(&line, &room, file) >= 0) {
        number++;
        good = add_line(roster, line, what);
    }
    free(line);
    fclose(file);
    if (!good)
        snprintf(error, ROSTER_ERROR_MAX, "%s:%u: %.180s", path, number, what);
    return good;
}
