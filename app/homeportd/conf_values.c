/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf_values.h"

/* ---- Numbers and names ---- */

/* Decimal, or hexadecimal after 0x; no sign, no blanks, nothing behind. */
static bool number(const char *text, uint64_t *out)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    char *end;
    if (!(hex ? isxdigit((unsigned char)*digits) : isdigit((unsigned char)*digits)))
        return false;
    errno = 0;
    *out = strtoull(digits, &end, hex ? 16 : 10);
    return *end == '\0' && errno == 0;
}

bool value_number(const struct word *w, uint32_t min, uint32_t max, uint32_t *out)
{
    uint64_t n;
    if (w == NULL)
        return true;
    if (!number(w->text, &n) || n < min || n > max)
        return word_fault(w, "'%s' is no whole number from %u to %u", w->text, min, max);
    *out = (uint32_t)n;
    return true;
}

bool value_bool(const struct word *w, bool *out)
{
    static const char *const choices[] = {"false", "true", "no", "yes", "off", "on", NULL};
    unsigned choice;
    if (w == NULL)
        return true;
    if (!value_choice(w, choices, &choice))
        return false;
    *out = choice % 2 == 1;
    return true;
}

bool value_choice(const struct word *w, const char *const choices[], unsigned *out)
{
    char list[256] = "";
    size_t used = 0;
    if (w == NULL)
        return true;
    for (unsigned i = 0; choices[i] != NULL; i++) {
        if (strcmp(w->text, choices[i]) == 0) {
            *out = i;
            return true;
        }
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i == 0 ? "" : ", ", choices[i]);
    }
    return word_fault(w, "'%s' is none of %s", w->text, list);
}

static bool copy(const struct word *w, char *out, size_t room)
{
    size_t len = strlen(w->text);
    if (len >= room)
        return word_fault(w, "longer than %zu characters", room - 1);
    memcpy(out, w->text, len + 1);
    return true;
}

bool value_name(const struct word *w, char out[static CONF_NAME_MAX])
{
    if (w == NULL)
        return true;
    if (w->text[0] == '\0')
        return word_fault(w, "a name is missing");
    for (const char *p = w->text; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && (p == w->text || strchr("._-", *p) == NULL))
            return word_fault(
                w, "'%s' is no name: letters, digits, '.', '_' and '-', the first a letter or digit",
                w->text);
    }
    return copy(w, out, CONF_NAME_MAX);
}

bool value_socket(const struct word *w, char out[static CONF_DEVICE_MAX])
{
    if (w == NULL)
        return true;
    if (w->text[0] != '/')
        return word_fault(w, "'%s' is no absolute path", w->text);
    return copy(w, out, sizeof(((struct sockaddr_un *)0)->sun_path));
}

/* ---- What EAL is given ---- */

enum { LCORES_MAX = 128 };

struct lcores {
    const char *at;
    bool named[LCORES_MAX];
    size_t n;
    unsigned twice; /* an lcore named more than once, + 1 */
};

static bool lcore_accept(struct lcores *l, char c)
{
    bool there = *l->at == c;
    l->at += there;
    return there;
}

static bool lcore_number(struct lcores *l, unsigned long *out)
{
    char *end;
    if (!isdigit((unsigned char)*l->at))
        return false;
    *out = strtoul(l->at, &end, 10);
    l->at = end;
    return *out < LCORES_MAX;
}

static void lcore_name(struct lcores *l, unsigned long id)
{
    if (l->named[id])
        l->twice = (unsigned)id + 1;
    l->named[id] = true;
    l->n++;
}

/* N or N-M; those of a set of CPUs are not counted. */
static bool lcore_range(struct lcores *l, bool cpus)
{
    unsigned long first, last;
    if (!lcore_number(l, &first))
        return false;
    last = first;
    if (lcore_accept(l, '-') && !lcore_number(l, &last))
        return false;
    for (unsigned long id = first; !cpus && id <= last; id++)
        lcore_name(l, id);
    return first <= last;
}

/* A range, or several in parentheses. */
static bool lcore_set(struct lcores *l, bool cpus)
{
    if (!lcore_accept(l, '('))
        return lcore_range(l, cpus);
    do {
        if (!lcore_range(l, cpus))
            return false;
    } while (lcore_accept(l, ','));
    return lcore_accept(l, ')');
}

static bool lcores_parse(struct lcores *l)
{
    do {
        if (!lcore_set(l, false))
            return false;
        if (lcore_accept(l, '@') && !lcore_set(l, true))
            return false;
    } while (lcore_accept(l, ','));
    return *l->at == '\0';
}

bool value_lcores(const struct word *w, char out[static CONF_NAME_MAX])
{
    if (w == NULL)
        return true;
    struct lcores l = {.at = w->text};
    if (!lcores_parse(&l))
        return word_fault(w, "'%s' is no list of lcores below %d, such as 0,1 or 0@0,1@0", w->text,
                          LCORES_MAX);
    if (l.twice > 0)
        return word_fault(w, "lcore %u is named twice", l.twice - 1);
    if (l.n < 2)
        return word_fault(w, "two lcores at least: the first runs control, the others are workers");
    return copy(w, out, CONF_NAME_MAX);
}

/* pattern: 'h' stands for a hexadecimal digit. */
static bool matches(const char *text, size_t len, const char *pattern)
{
    if (strlen(pattern) != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (pattern[i] == 'h' ? !isxdigit((unsigned char)text[i]) : text[i] != pattern[i])
            return false;
    }
    return true;
}

static bool is_vdev(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    }
    /* Every virtual driver's name has its kind in front: net_ring0, virtio_user0. */
    return isalpha((unsigned char)text[0]) && memchr(text, '_', len) != NULL;
}

bool value_device(const struct word *w, char out[static CONF_DEVICE_MAX])
{
    if (w == NULL)
        return true;
    size_t len = strcspn(w->text, ",");
    for (const char *p = w->text; *p != '\0'; p++) {
        if (!isgraph((unsigned char)*p))
            return word_fault(w, "'%s' holds blanks or control characters", w->text);
    }
    if (!matches(w->text, len, "hhhh:hh:hh.h") && !matches(w->text, len, "hh:hh.h") && !is_vdev(w->text, len))
        return word_fault(w,
                          "'%s' is neither a PCI address nor a virtual device; an interface of the kernel is "
                          "net_af_packet0,iface=NAME",
                          w->text);
    return copy(w, out, CONF_DEVICE_MAX);
}

/* ---- Addresses ---- */

static bool is_loopback(const struct addr *a)
{
    if (addr_is_ipv4(a))
        return addr_ipv4(a) >> 24 == 127;
    struct addr one = {.b[15] = 1};
    return addr_equal(a, &one);
}

/* 0.0.0.0/8, 127.0.0.0/8, 224.0.0.0 and up are no host's (RFC 1122 section 3.2.1.3). */
static bool is_host(const struct addr *a)
{
    if (addr_is_unspecified(a) || addr_is_multicast(a) || is_loopback(a))
        return false;
    return !addr_is_ipv4(a) || (addr_ipv4(a) >> 24 != 0 && addr_ipv4(a) >> 24 < 224);
}

bool prefix_is_network_address(const struct prefix *p, const struct addr *a)
{
    struct prefix network = prefix_network(p);
    return p->bits < (addr_is_ipv4(&p->addr) ? 31 : 127) && addr_equal(a, &network.addr);
}

static bool host_checked(const struct word *w, const struct addr *a)
{
    return is_host(a) || word_fault(w, "'%s' is no address of a host", w->text);
}

bool value_host(const struct word *w, struct addr *out)
{
    struct addr a;
    if (w == NULL)
        return true;
    if (!addr_parse(w->text, &a))
        return word_fault(w, "'%s' is no address", w->text);
    if (!host_checked(w, &a))
        return false;
    *out = a;
    return true;
}

static bool prefix_checked(const struct word *w, struct prefix *out)
{
    return prefix_parse(w->text, out) || word_fault(w, "'%s' is no address with a prefix length", w->text);
}

bool value_interface(const struct word *w, struct prefix *out)
{
    struct prefix p;
    if (w == NULL)
        return true;
    if (!prefix_checked(w, &p) || !host_checked(w, &p.addr))
        return false;
    struct addr broadcast = prefix_broadcast(&p);
    if (p.bits == 0)
        return word_fault(w, "'%s' has no prefix length", w->text);
    if (prefix_is_network_address(&p, &p.addr))
        return word_fault(w, "'%s' is the address of the network itself", w->text);
    if (addr_equal(&p.addr, &broadcast))
        return word_fault(w, "'%s' is the broadcast address of its network", w->text);
    *out = p;
    return true;
}

bool value_network(const struct word *w, struct prefix *out)
{
    struct prefix p;
    char text[ADDR_TEXT_MAX];
    if (w == NULL)
        return true;
    if (!prefix_checked(w, &p))
        return false;
    struct prefix network = prefix_network(&p);
    if (!addr_equal(&network.addr, &p.addr))
        return word_fault(w, "'%s' has bits set behind its prefix; the network is %s/%u", w->text,
                          addr_format(&network.addr, text), p.bits);
    *out = p;
    return true;
}

bool value_loopback(const struct word *w, struct addr *address, uint16_t *port)
{
    char host[ADDR_TEXT_MAX + 2];
    uint64_t number_of_port;
    struct addr a;
    if (w == NULL)
        return true;
    const char *colon = strrchr(w->text, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - w->text);
    if (len == 0 || len >= sizeof(host) || !number(colon + 1, &number_of_port) || number_of_port < 1 ||
        number_of_port > UINT16_MAX)
        return word_fault(w, "'%s' is no ADDRESS:PORT with a port from 1 to 65535", w->text);

    bool bracketed = w->text[0] == '[' && w->text[len - 1] == ']';
    snprintf(host, sizeof(host), "%.*s", (int)(bracketed ? len - 2 : len), w->text + bracketed);
    if (!addr_parse(host, &a) || addr_is_ipv4(&a) == bracketed)
        return word_fault(w, "'%s' is no ADDRESS:PORT; an IPv6 address stands in brackets", w->text);
    if (!is_loopback(&a))
        return word_fault(w, "'%s' is refused: anything but loopback needs users, which are not supported",
                          w->text);
    *address = a;
    *port = (uint16_t)number_of_port;
    return true;
}

/* ---- Security associations. No message shows a key. ---- */

FILE *value_open(const struct word *w, const char *path, mode_t *mode)
{
    struct stat status;
    /* Not blocking: a FIFO would hold up the start for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *f = NULL;
    if (fd < 0 || fstat(fd, &status) != 0)
        word_fault(w, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        word_fault(w, "%s is no regular file", path);
    else if ((f = fdopen(fd, "r")) == NULL)
        word_fault(w, "%s: %s", path, strerror(errno));
    if (f == NULL) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    *mode = status.st_mode;
    return f;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool key_from_hex(const struct word *w, const char *digits, size_t min, size_t max,
                         struct auth_key *out)
{
    size_t len = strlen(digits);
    for (size_t i = 0; i < len; i++) {
        if (hex_digit(digits[i]) < 0)
            return word_fault(w, "digit %zu is not hexadecimal", i + 1);
    }
    if (len % 2 != 0)
        return word_fault(w, "an odd number of hexadecimal digits (%zu)", len);
    if (len / 2 < min || len / 2 > max)
        return min == max ? word_fault(w, "%zu bytes; it must be %zu", len / 2, min)
                          : word_fault(w, "%zu bytes; it must be from %zu to %zu", len / 2, min, max);
    for (size_t i = 0; i < len / 2; i++)
        out->bytes[i] = (uint8_t)(hex_digit(digits[2 * i]) << 4 | hex_digit(digits[2 * i + 1]));
    out->len = (uint8_t)(len / 2);
    return true;
}

static const char *without_hex(const char *text)
{
    return strncmp(text, "hex:", 4) == 0 ? text + 4 : text;
}

/* text: the file's content, room bytes at most. */
static bool key_file_text(const struct word *w, const char *path, char *text, size_t room)
{
    mode_t mode;
    FILE *f = value_open(w, path, &mode);
    if (f == NULL)
        return false;
    size_t len = fread(text, 1, room, f);
    bool failed = ferror(f) != 0;
    fclose(f);
    if ((mode & 077) != 0)
        return word_fault(w, "%s: others can use this file (mode %04o): chmod 600", path, mode & 07777u);
    if (failed || len == room)
        return word_fault(w, "%s holds no key", path);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    text[len] = '\0';
    return strlen(text) == len || word_fault(w, "%s holds a zero byte", path);
}

static bool key_from_file(const struct word *w, const char *name, size_t min, size_t max,
                          struct auth_key *out)
{
    char text[4 * AUTH_KEY_MAX];
    char *path = reading_resolve(w->origin->reading, name);
    bool ok = path != NULL && key_file_text(w, path, text, sizeof(text)) &&
              key_from_hex(w, without_hex(text), min, max, out);
    explicit_bzero(text, sizeof(text));
    free(path);
    return ok;
}

bool value_key(const struct word *w, size_t min, size_t max, struct auth_key *out)
{
    if (w == NULL)
        return true;
    if (strncmp(w->text, "file:", 5) == 0)
        return key_from_file(w, w->text + 5, min, max, out);
    if (strncmp(w->text, "hex:", 4) != 0)
        return word_fault(w, "neither hex:DIGITS nor file:PATH");
    if (w->origin->inline_key_line == 0)
        w->origin->inline_key_line = w->line;
    return key_from_hex(w, w->text + 4, min, max, out);
}

bool value_algorithm(const struct word *w, uint8_t *out)
{
    enum auth_algorithm algorithm;
    if (w == NULL)
        return true;
    if (!auth_by_name(w->text, &algorithm))
        return word_fault(w, "'%s' is none of hmac-md5, hmac-sha1, hmac-sha256", w->text);
    *out = (uint8_t)algorithm;
    return true;
}

bool value_nai(const struct word *w)
{
    if (w == NULL)
        return true;
    size_t len = strlen(w->text);
    if (len < 1 || len > AGENT_NAI_MAX)
        return word_fault(w, "%zu characters; it must have from 1 to %d", len, AGENT_NAI_MAX);
    for (size_t i = 0; i < len; i++) {
        if (!isgraph((unsigned char)w->text[i]) && (unsigned char)w->text[i] < 0x80)
            return word_fault(w, "'%s' holds blanks or control characters", w->text);
    }
    return true;
}
