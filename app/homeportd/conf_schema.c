/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "conf_schema.h"
#include "conf_source.h"

/* libconfuse's lexer and callbacks have neither state nor user pointer of their own: one parse at a time. */
static pthread_mutex_t parser = PTHREAD_MUTEX_INITIALIZER;
static struct reading *parsing;

static int keep_word(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result)
{
    size_t size = strlen(value) + 1;
    struct word *w = malloc(sizeof(*w) + size);
    if (w == NULL)
        return -1;
    *w = (struct word){
        .key = option->name,
        .text = memcpy(w + 1, value, size),
        .origin = &parsing->origin,
        .line = cfg->line,
    };
    *(void **)result = w;
    return 0;
}

__attribute__((format(printf, 2, 0))) static void syntax_error(cfg_t *cfg, const char *format,
                                                               va_list arguments)
{
    fault_v(&parsing->origin, cfg->line, format, arguments);
}

/* Every value is kept as text with its line: libconfuse's own integers accept trailing blanks, octal and
 * overflow. Every section may stand several times: section_only says where one may not. */
#define VALUE(name)          CFG_PTR_CB(name, NULL, CFGF_NONE, keep_word, free)
#define LIST(name)           CFG_PTR_LIST_CB(name, NULL, CFGF_NONE, keep_word, free)
#define SECTION(name, array) CFG_SEC(name, array, CFGF_MULTI)
#define NAME                 VALUE(SOURCE_NAME_KEY)

static cfg_opt_t eal[] = {
    NAME, VALUE("lcores"), VALUE("memory"), VALUE("huge-pages"), VALUE("buffers"), VALUE("prefix"), CFG_END(),
};

static cfg_opt_t workers[] = {NAME, VALUE("idle"), VALUE("capacity"), CFG_END()};

static cfg_opt_t port[] = {NAME, VALUE("device"), LIST("addresses"), VALUE("mtu"), VALUE("mld"), CFG_END()};

static cfg_opt_t route[] = {NAME, VALUE("via"), CFG_END()};

static cfg_opt_t home_agent[] = {
    NAME,
    LIST("addresses"),
    LIST("home-networks"),
    VALUE("max-bindings"),
    VALUE("max-lifetime"),
    VALUE("max-care-of"),
    LIST("encapsulations"),
    VALUE("reverse-tunnel"),
    VALUE("timestamp-window"),
    VALUE("prefix-discovery"),
    CFG_END(),
};

static cfg_opt_t mobile_node[] = {
    NAME, VALUE("spi"), VALUE("key"), VALUE("algorithm"), VALUE("replay"), VALUE("nai"), CFG_END(),
};

#define ASSOCIATIONS                                                                              \
    VALUE("algorithm"), VALUE("spi-in"), VALUE("key-in"), VALUE("auth-key-in"), VALUE("spi-out"), \
        VALUE("key-out"), VALUE("auth-key-out"), VALUE("replay-protection")

static cfg_opt_t associations[] = {NAME, ASSOCIATIONS, CFG_END()};

static cfg_opt_t ipsec[] = {NAME, ASSOCIATIONS, SECTION("home-test", associations), CFG_END()};

static cfg_opt_t router_advertisement[] = {
    NAME,
    VALUE("interval"),
    VALUE("router-lifetime"),
    VALUE("preference"),
    VALUE("home-agent-lifetime"),
    VALUE("valid-lifetime"),
    VALUE("preferred-lifetime"),
    CFG_END(),
};

static cfg_opt_t foreign_agent[] = {NAME, VALUE("spi"), VALUE("key"), VALUE("algorithm"), CFG_END()};

static cfg_opt_t secondary[] = {
    NAME,
    VALUE("address"),
    VALUE("spi"),
    VALUE("key"),
    VALUE("other-spi"),
    VALUE("other-key"),
    VALUE("weight"),
    SECTION("ipsec", associations),
    CFG_END(),
};

static cfg_opt_t primary[] = {
    NAME,
    VALUE("address"),
    VALUE("spi"),
    VALUE("key"),
    VALUE("other-spi"),
    VALUE("other-key"),
    LIST("home-networks"),
    SECTION("ipsec", associations),
    CFG_END(),
};

static cfg_opt_t delegation[] = {
    NAME,          VALUE("when"),   VALUE("policy"), VALUE("threshold"),     VALUE("outer-source"),
    VALUE("port"), VALUE("linger"), VALUE("moves"),  VALUE("announcements"), CFG_END(),
};

static cfg_opt_t console[] = {NAME, VALUE("listen"), VALUE("socket"), CFG_END()};

static cfg_opt_t file[] = {
    VALUE("node"),
    VALUE("id"),
    VALUE("role"),
    SECTION("eal", eal),
    SECTION("workers", workers),
    SECTION("port", port),
    SECTION("route", route),
    SECTION("home-agent", home_agent),
    SECTION("mobile-node", mobile_node),
    LIST("mobile-nodes"),
    SECTION("ipsec", ipsec),
    SECTION("router-advertisement", router_advertisement),
    SECTION("foreign-agent", foreign_agent),
    SECTION("secondary", secondary),
    SECTION("primary", primary),
    SECTION("delegation", delegation),
    SECTION("console", console),
    CFG_END(),
};

cfg_t *schema_parse(struct reading *reading)
{
    char *text = source_read(reading, file);
    if (text == NULL)
        return NULL;

    pthread_mutex_lock(&parser);
    parsing = reading;
    cfg_t *cfg = cfg_init(file, CFGF_NONE);
    if (cfg != NULL) {
        cfg_set_error_function(cfg, syntax_error);
        if (cfg_parse_buf(cfg, text) != CFG_SUCCESS) {
            cfg_free(cfg);
            cfg = NULL;
        }
    }
    pthread_mutex_unlock(&parser);
    free(text);
    /* libconfuse does not say that memory ran out. */
    if (cfg == NULL && reading->faults == 0)
        fault(&reading->origin, 1, "cannot be parsed");
    return cfg;
}

struct section section_root(struct reading *reading, cfg_t *cfg)
{
    return (struct section){
        .cfg = cfg,
        .name = {.key = "configuration", .text = "", .origin = &reading->origin, .line = 1},
    };
}

size_t section_count(const struct section *parent, const char *kind)
{
    return cfg_size(parent->cfg, kind);
}

struct section section_at(const struct section *parent, const char *kind, size_t i)
{
    struct section s = {.cfg = cfg_getnsec(parent->cfg, kind, (unsigned)i)};
    s.name = *(const struct word *)cfg_getptr(s.cfg, SOURCE_NAME_KEY);
    s.name.key = kind;
    return s;
}

bool section_only(const struct section *parent, const char *kind, struct section *out)
{
    size_t n = section_count(parent, kind);
    for (size_t i = 0; i < n; i++) {
        struct section s = section_at(parent, kind, i);
        if (s.name.text[0] != '\0')
            word_fault(&s.name, "this section has no name, but '%s' is given", s.name.text);
        if (i == 0)
            *out = s;
        else
            word_fault(&s.name, "a second section; the first is at line %d", out->name.line);
    }
    return n > 0;
}

const struct word *section_word(const struct section *s, const char *key)
{
    return cfg_getptr(s->cfg, key);
}

const struct word *section_require(const struct section *s, const char *key)
{
    const struct word *w = section_word(s, key);
    const char *name = s->name.text;
    if (w == NULL)
        fault(s->name.origin, s->name.line, "%s%s%s: %s is missing", s->name.key, name[0] == '\0' ? "" : " ",
              name, key);
    return w;
}

size_t section_words(const struct section *s, const char *key)
{
    return cfg_size(s->cfg, key);
}

const struct word *section_word_at(const struct section *s, const char *key, size_t i)
{
    return cfg_getnptr(s->cfg, key, (unsigned)i);
}
