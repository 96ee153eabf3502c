/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf_good.h"

/* ---- A good file ---- */

START_TEST(good_machine)
{
    struct conf *c = loaded(good);
    ck_assert_str_eq(c->path, conf_path);
    ck_assert_str_eq(c->node, "pha1");
    ck_assert_uint_eq(c->id, 1);
    ck_assert_int_eq(c->role, ROLE_PRIMARY);
    ck_assert_str_eq(c->eal.lcores, "0,1");
    ck_assert_uint_eq(c->eal.memory_mib, 512);
    ck_assert(c->eal.huge_pages);
    ck_assert_uint_eq(c->eal.buffers, 0);
    ck_assert_str_eq(c->eal.prefix, "pha1");
    ck_assert_int_eq(c->idle, IDLE_ADAPTIVE);
    assert_address(&c->console_address, "127.0.0.1");
    ck_assert_uint_eq(c->console_port, 2323);
    ck_assert_str_eq(c->console_socket, "/run/homeport.sock");
    conf_free(c);
}
END_TEST

START_TEST(good_network)
{
    struct conf *c = loaded(good);
    ck_assert_uint_eq(c->n_ports, 2);
    ck_assert_str_eq(c->ports[0].name, "home");
    ck_assert_str_eq(c->ports[0].device, "0000:03:00.0");
    ck_assert_uint_eq(c->ports[0].n_addresses, 2);
    assert_address(&c->ports[0].addresses[0].addr, "10.1.0.2");
    ck_assert_uint_eq(c->ports[0].addresses[0].bits, 24);
    assert_address(&c->ports[0].addresses[1].addr, "2001:db8:1::2");
    ck_assert_uint_eq(c->ports[0].addresses[1].bits, 64);
    ck_assert_uint_eq(c->ports[0].mtu, 1500);
    ck_assert_str_eq(c->ports[1].device, "net_af_packet0,iface=eth1");
    ck_assert_uint_eq(c->ports[1].mtu, 1500); /* the default */
    ck_assert_uint_eq(c->n_routes, 2);
    assert_address(&c->routes[0].destination.addr, "0.0.0.0");
    ck_assert_uint_eq(c->routes[0].destination.bits, 0);
    assert_address(&c->routes[0].via, "10.1.0.1");
    ck_assert_int_eq(c->routes[0].line, 20);
    assert_address(&c->routes[1].via, "2001:db8:1::1");
    conf_free(c);
}
END_TEST

START_TEST(good_home_agent)
{
    struct conf *c = loaded(good);
    static const char *const reserved[] = {"10.1.0.2", "2001:db8:1::2", "10.9.0.2",
                                           "10.1.0.1", "2001:db8:1::1", "10.1.0.3"};
    ck_assert_uint_eq(c->agent.n_home_agents, 2);
    assert_address(&c->agent.home_agents[0], "10.1.0.2");
    assert_address(&c->agent.home_agents[1], "2001:db8:1::2");
    ck_assert_uint_eq(c->agent.n_home_networks, 2);
    assert_address(&c->agent.home_networks[0].addr, "10.1.0.0");
    ck_assert_uint_eq(c->agent.home_networks[0].bits, 24);
    assert_address(&c->agent.home_networks[1].addr, "2001:db8:1::");
    ck_assert_uint_eq(c->agent.home_networks[1].bits, 64);
    ck_assert_ptr_eq(c->agent.reserved, c->reserved);
    ck_assert_uint_eq(c->agent.n_reserved, ROWS(reserved));
    for (int i = 0; i < ROWS(reserved); i++)
        assert_address(&c->reserved[i], reserved[i]);
    ck_assert_uint_eq(c->agent.max_bindings, 1048576);
    ck_assert_uint_eq(c->agent.max_lifetime_s, 1800);
    ck_assert_uint_eq(c->agent.max_care_of, 3);
    ck_assert_uint_eq(c->agent.timestamp_window_s, 9);
    ck_assert_uint_eq(c->agent.encapsulations, 1 << ENCAPSULATION_IPIP | 1 << ENCAPSULATION_IPV6_IN_IPV6 |
                                                   1 << ENCAPSULATION_MINIMAL | 1 << ENCAPSULATION_GRE);
    ck_assert_uint_eq(c->agent.reverse_tunnel, REVERSE_TUNNEL_OPTIONAL);
    conf_free(c);
}
END_TEST

static const struct {
    const char *home;
    uint32_t spi;
    enum auth_algorithm algorithm;
    enum replay_style replay;
    const char *key;
    const char *nai;
} mobiles[] = {
    {"10.1.0.50", 256, AUTH_HMAC_MD5, REPLAY_TIMESTAMP, KEY16, "truck7@fleet.example"},
    {"10.1.0.50", 257, AUTH_HMAC_SHA256, REPLAY_NONCE, "ff", "truck7@fleet.example"},
    {"10.1.0.51", 256, AUTH_HMAC_SHA1, REPLAY_TIMESTAMP, KEY16, NULL},
    {"10.1.0.100", 256, AUTH_HMAC_MD5, REPLAY_TIMESTAMP, KEY16, NULL},
    {"10.1.0.101", UINT32_MAX, AUTH_HMAC_SHA256, REPLAY_NONCE, KEY16, "van@fleet.example"},
    {"10.1.0.102", 256, AUTH_HMAC_MD5, REPLAY_TIMESTAMP, KEY16, "lorry@fleet.example"},
};

START_TEST(good_mobiles)
{
    struct conf *c = loaded(good);
    ck_assert_uint_eq(c->n_mobiles, ROWS(mobiles));
    for (int i = 0; i < ROWS(mobiles); i++) {
        const struct conf_mobile *m = &c->mobiles[i];
        assert_address(&m->home, mobiles[i].home);
        ck_assert_uint_eq(m->sa.spi, mobiles[i].spi);
        ck_assert_uint_eq(m->sa.key.algorithm, mobiles[i].algorithm);
        ck_assert_uint_eq(m->sa.replay, mobiles[i].replay);
        assert_key(&m->sa.key, mobiles[i].key);
        ck_assert_pstr_eq(m->nai, mobiles[i].nai);
    }
    ck_assert_uint_eq(c->n_foreign_agents, 1);
    assert_address(&c->foreign_agents[0].address, "10.2.0.1");
    ck_assert_uint_eq(c->foreign_agents[0].sa.spi, 300);
    ck_assert_uint_eq(c->foreign_agents[0].sa.key.algorithm, AUTH_HMAC_MD5);
    assert_key(&c->foreign_agents[0].sa.key, "0011");
    conf_free(c);
}
END_TEST

START_TEST(defaults)
{
    struct conf *c = loaded(minimal);
    ck_assert_uint_eq(c->id, 65535);
    ck_assert_str_eq(c->eal.lcores, "0,1");
    ck_assert_uint_eq(c->eal.memory_mib, 512);
    ck_assert(c->eal.huge_pages);
    ck_assert_uint_eq(c->eal.buffers, 0);
    ck_assert_str_eq(c->eal.prefix, "n");
    ck_assert_int_eq(c->idle, IDLE_ADAPTIVE);
    ck_assert_uint_eq(c->ports[0].mtu, 1500);
    ck_assert_uint_eq(c->agent.max_bindings, 1048576);
    ck_assert_uint_eq(c->agent.max_lifetime_s, 3600);
    ck_assert_uint_eq(c->agent.max_care_of, 1);
    ck_assert_uint_eq(c->agent.timestamp_window_s, 7);
    ck_assert_uint_eq(c->agent.encapsulations, 1 << ENCAPSULATION_IPIP | 1 << ENCAPSULATION_IPV6_IN_IPV6);
    ck_assert_uint_eq(c->agent.reverse_tunnel, REVERSE_TUNNEL_OFF);
    ck_assert_uint_eq(c->n_routes + c->n_mobiles + c->n_foreign_agents, 0);
    ck_assert_uint_eq(c->console_port, 0);
    ck_assert_str_eq(c->console_socket, "");
    ck_assert_str_eq(c->warnings, "");
    conf_free(c);
}
END_TEST

START_TEST(reverse_tunnel_policies)
{
    static const struct {
        const char *word;
        enum reverse_tunnel policy;
    } rows[] = {
        {"off", REVERSE_TUNNEL_OFF},
        {"optional", REVERSE_TUNNEL_OPTIONAL},
        {"required", REVERSE_TUNNEL_REQUIRED},
    };
    char text[64];
    snprintf(text, sizeof(text), "reverse-tunnel = %s", rows[_i].word);
    struct conf *c = loaded_with("reverse-tunnel = optional", text);
    ck_assert_uint_eq(c->agent.reverse_tunnel, rows[_i].policy);
    ck_assert_ptr_null(strstr(c->warnings, "reverse-tunnel"));
    conf_free(c);
}
END_TEST

/* ---- What is accepted otherwise ---- */

static const struct {
    const char *what;
    const char *find, *replace;
} accepted[] = {
    {"a name in single quotes", "node = \"pha1\"", "node = 'pha1'"},
    {"largest id", "id   = 1", "id   = 65535"},
    {"lcores that share a core", "\"0,1\"", "\"0@0,1@0\""},
    {"ranges and sets of lcores", "\"0,1\"", "\"(0,2)@(0-3),4-6@1,1\""},
    {"other words for true", "huge-pages = true", "huge-pages = yes"},
    {"busy workers", "idle = adaptive", "idle = busy"},
    {"short PCI address", "0000:03:00.0", "03:00.0"},
    {"PCI address with arguments", "0000:03:00.0", "0000:03:00.0,rx_burst=1"},
    {"smallest MTU with IPv6", "mtu       = 1500", "mtu = 1280"},
    {"largest MTU", "mtu       = 1500", "mtu = 9216"},
    {"own groups alone", "mtu       = 1500", "mtu = 1500\nmld = own"},
    {"no groups", "mtu       = 1500", "mtu = 1500\nmld = off"},
    {"smallest MTU without IPv6", "{\"10.9.0.2/16\"}", "{\"10.9.0.2/16\"} mtu = 68"},
    {"two addresses in one network", "{\"10.9.0.2/16\"}", "{\"10.9.0.2/16\", \"10.9.0.3/16\"}"},
    {"a list by parts", "{\"10.9.0.2/16\"}", "{\"10.9.0.2/16\"} addresses += {\"10.8.0.2/16\"}"},
    {"a list of one, without braces", "{\"10.9.0.2/16\"}", "\"10.9.0.2/16\""},
    {"point-to-point network", "{\"10.9.0.2/16\"}", "{\"10.9.0.2/31\"}"},
    {"home network that is part of the link's", "{\"10.1.0.0/24\",", "{\"10.1.0.0/25\", \"10.1.0.128/25\","},
    {"infinite lifetime", "max-lifetime  = 1800", "max-lifetime = 65535"},
    {"largest number of bindings", "1048576", "16777216"},
    {"longest key", "hex:FF", "hex:" KEY32 KEY32},
    {"largest SPI", "spi = 0x101", "spi = 4294967295"},
    {"foreign agent with its algorithm", "\"hex:0011\"", "\"hex:0011\" algorithm = hmac-sha256"},
    {"foreign agent with two SPIs", "foreign-agent \"10.2.0.1\" {",
     "foreign-agent \"10.2.0.1\" { spi = 301 key = \"hex:00\" }\nforeign-agent \"10.2.0.1\" {"},
    {"two files of mobile nodes", "mobile-nodes = \"nodes.csv\"",
     "mobile-nodes = {\"nodes.csv\", \"more.csv\"}"},
    {"no file of mobile nodes", "mobile-nodes = \"nodes.csv\"", ""},
    {"all of loopback", "127.0.0.1:2323", "127.9.9.9:1"},
    {"loopback of IPv6", "127.0.0.1:2323", "[::1]:65535"},
    {"lines of other systems", "mtu       = 1500\n", "mtu = 1500\r\n"},
    {"a string over two lines", "\"0000:03:00.0\"", "\"0000:\\\n03:00.0\""},
    {"a comment in an unusual place", "workers {", "workers /* { */ { # } \"\n"},
    {"a comment with quotes", "workers {", "# it's \"\nworkers {"},
};

START_TEST(accepts)
{
    write_text("more.csv", "10.1.0.200,256,file:key\n", 0644); /* no key inside: no secret */
    char *text = changed(accepted[_i].find, accepted[_i].replace);
    char *errors;
    struct conf *conf = load(text, &errors);
    ck_assert_msg(conf != NULL, "%s: %s", accepted[_i].what, errors);
    free(errors);
    free(text);
    conf_free(conf);
}
END_TEST

/* ---- Accepted, but without effect yet ---- */

static const struct {
    const char *what;
    const char *text; /* in place of workers in the minimal configuration below */
    int line;
    const char *says; /* NULL: no warning */
} warnings[] = {
    {"nothing special", "", 0, NULL},
    {"secondary", "secondary s { address = 10.1.0.3 spi = 1000 key = 'hex:" KEY32 "' }", 0, NULL},
    {"delegation", "delegation { when = manual }", 0, NULL},
    {"all encapsulations", "home-agent { encapsulations = {ipip,\n minimal, gre} ", 0, NULL},
    {"IP-in-IP", "home-agent { encapsulations = {ipip} ", 0, NULL},
    {"several care-of addresses", "home-agent { max-care-of = 2 ", 0, NULL},
};

START_TEST(warns)
{
    const char *extra = warnings[_i].text;
    bool in_home_agent = strncmp(extra, "home-agent", 10) == 0;
    char *text;
    ck_assert_int_ge(asprintf(&text,
                              "node = n\nid = 1\nrole = primary\n"
                              "port p { device = net_ring0 addresses = {10.1.0.2/24} }\n"
                              "%s%s addresses = {10.1.0.2} home-networks = {10.1.0.0/24} }\n",
                              extra, in_home_agent ? "" : "\nhome-agent {"),
                     0);
    struct conf *conf = loaded(text);
    if (warnings[_i].says == NULL)
        ck_assert_str_eq(conf->warnings, "");
    else
        assert_line(conf->warnings, "t.conf", warnings[_i].line, warnings[_i].says);
    ck_assert_uint_ne(conf->agent.encapsulations & 1 << ENCAPSULATION_IPIP, 0);
    ck_assert_uint_eq(conf->n_mobiles, 0);
    conf_free(conf);
    free(text);
}
END_TEST

/* A file of keys that others can read draws a line; so many that not all of them fit. */
START_TEST(warnings_keep_whole_lines)
{
    enum { FILES = 100 };
    char *text, name[32], row[64];
    size_t len;
    FILE *f = open_memstream(&text, &len);
    fputs(minimal, f);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "readable%d.csv", i);
        snprintf(row, sizeof(row), "10.1.0.60,%d,hex:00\n", 1000 + i);
        write_text(name, row, 0644);
        fprintf(f, "mobile-nodes %s %s\n", i == 0 ? "=" : "+=", name);
    }
    fclose(f);
    struct conf *conf = loaded(text);
    size_t used = strlen(conf->warnings);
    ck_assert_uint_gt(used, sizeof(conf->warnings) / 2);
    ck_assert_int_eq(conf->warnings[used - 1], '\n');
    conf_free(conf);
    free(text);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "readable%d.csv", i);
        unlink(in_directory(name));
    }
}
END_TEST

/* ---- Reload ---- */

static const struct {
    const char *find, *replace;
    const char *says; /* NULL: can be reloaded */
} reloads[] = {
    {"\"0,1\"", "\"0,2\"", "eal: lcores"},
    {"memory     = 512", "memory = 511", "eal: memory"},
    {"huge-pages = true", "huge-pages = false", "eal: huge-pages"},
    {"prefix     = \"pha1\"", "buffers = 1", "eal: buffers"},
    {"prefix     = \"pha1\"", "prefix = pha2", "eal: prefix"},
    {"port net {", "port west {", "port net: its name"},
    {"0000:03:00.0", "0000:03:00.1", "port home: device"},
    {"port net {", "port w { device = net_ring0 addresses = {10.8.0.2/16} }\nport net {",
     "the number of ports"},
    {"mtu       = 1500", "mtu = 1400", "port home: mtu"},
    {"idle = adaptive", "idle = busy", "workers: idle"},
    {"1048576", "1048575", "home-agent: max-bindings"},
    {"127.0.0.1:2323", "127.0.0.1:2324", "console: listen"},
    {"127.0.0.1:2323", "127.0.0.2:2323", "console: listen"},
    {"/run/homeport.sock", "/run/h.sock", "console: socket"},
    {"max-lifetime  = 1800", "max-lifetime = 60", NULL},
    {"via = \"10.1.0.1\"", "via = \"10.1.0.4\"", NULL},
    {"hex:FF", "hex:00", NULL},
    {"weight  = 1", "weight = 2", NULL},
    {"delegation {", "secondary sha2 { address = 10.1.0.4 spi = 1001 key = 'hex:" KEY32 "' }\ndelegation {",
     NULL},
    {"policy    = equal", "policy = rate", NULL},
    {"mobile-nodes = \"nodes.csv\"", "", NULL},
};

START_TEST(reload)
{
    struct conf *now = loaded(good);
    struct conf *next = loaded_with(reloads[_i].find, reloads[_i].replace);
    char *errors;
    size_t len;
    FILE *f = open_memstream(&errors, &len);
    ck_assert_int_eq(conf_can_reload(now, next, f), reloads[_i].says == NULL);
    fclose(f);
    if (reloads[_i].says != NULL)
        assert_line(errors, "t.conf", 1, reloads[_i].says);
    ck_assert_uint_eq(lines_in(errors) > 0, reloads[_i].says != NULL);
    free(errors);
    conf_free(now);
    conf_free(next);
}
END_TEST

START_TEST(reload_of_another_role)
{
    struct conf *now = loaded(good), *next = loaded(good);
    char *errors;
    size_t len;
    FILE *f = open_memstream(&errors, &len);
    next->role = ROLE_SECONDARY;
    ck_assert(!conf_can_reload(now, next, f));
    fclose(f);
    assert_only_line(errors, "t.conf", 1, "role cannot change at run time");
    free(errors);
    conf_free(now);
    conf_free(next);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf");
    TCase *tests = conf_case(suite, "conf", setup);
    tcase_add_test(tests, good_machine);
    tcase_add_test(tests, good_network);
    tcase_add_test(tests, good_home_agent);
    tcase_add_test(tests, good_mobiles);
    tcase_add_test(tests, defaults);
    tcase_add_loop_test(tests, reverse_tunnel_policies, 0, 3);
    tcase_add_loop_test(tests, accepts, 0, ROWS(accepted));
    tcase_add_loop_test(tests, warns, 0, ROWS(warnings));
    tcase_add_test(tests, warnings_keep_whole_lines);
    tcase_add_loop_test(tests, reload, 0, ROWS(reloads));
    tcase_add_test(tests, reload_of_another_role);
    return check_main(suite);
}
