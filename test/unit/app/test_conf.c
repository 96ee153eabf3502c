/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf_check.h"

/* Every section and key of the schema, without a fault. The rows below change one place of it and rely on its
 * line numbers, which stand beside it. */
static const char good[] =
    /* 1 */ "node = \"pha1\"                     # this appliance's name\n"
            /* 2 */ "id   = 1   # comments must not move\n"
            /* 3 */ "role = primary   // the lines after them\n"
            /* 4 */ "eal {\n"
            /* 5 */ "    lcores     = \"0,1\"            # the first runs control\n"
            /* 6 */ "    memory     = 512              # MiB\n"
            /* 7 */ "    huge-pages = true\n"
            /* 8 */ "    prefix     = \"pha1\" /* several\n"
            /* 9 */ "    appliances */ }\n"
            /* 10 */ "workers { idle = adaptive }\n"
            /* 11 */ "port home {\n"
            /* 12 */ "    device    = \"0000:03:00.0\"\n"
            /* 13 */ "    addresses = {\"10.1.0.2/24\", \"2001:db8:1::2/64\"}\n"
            /* 14 */ "    mtu       = 1500\n"
            /* 15 */ "}\n"
            /* 16 */ "port net {\n"
            /* 17 */ "    device    = \"net_af_packet0,iface=eth1\"\n"
            /* 18 */ "    addresses = {\"10.9.0.2/16\"}\n"
            /* 19 */ "}\n"
            /* 20 */ "route \"0.0.0.0/0\" { via = \"10.1.0.1\" }\n"
            /* 21 */ "route \"::/0\"      { via = \"2001:db8:1::1\" }\n"
            /* 22 */ "home-agent {\n"
            /* 23 */ "    addresses     = {\"10.1.0.2\", \"2001:db8:1::2\"}\n"
            /* 24 */ "    home-networks = {\"10.1.0.0/24\", \"2001:db8:1::/64\"}\n"
            /* 25 */ "    max-bindings  = 1048576\n"
            /* 26 */ "    max-lifetime  = 1800\n"
            /* 27 */ "    max-care-of   = 3\n"
            /* 28 */ "    encapsulations = {ipip, minimal, gre}\n"
            /* 29 */ "    reverse-tunnel = optional\n"
            /* 30 */ "    timestamp-window = 9\n"
            /* 31 */ "}\n"
            /* 32 */ "mobile-node \"10.1.0.50\" { spi = 256  key = \"hex:" KEY16 "\"  algorithm = hmac-md5"
            "  replay = timestamp  nai = \"truck7@fleet.example\" }\n"
            /* 33 */ "mobile-node \"10.1.0.50\" { spi = 0x101  key = \"hex:FF\" algorithm = hmac-sha256 "
            "replay = nonce "
            "nai = \"truck7@fleet.example\" }\n"
            /* 34 */ "mobile-node '10.1.0.51' { spi = 256 key = 'file:key' algorithm = hmac-sha1 }\n"
            /* 35 */ "mobile-nodes = \"nodes.csv\"\n"
            /* 36 */ "foreign-agent \"10.2.0.1\" { spi = 300  key = \"hex:0011\" }\n"
            /* 37 */ "secondary \"sha1\" {\n"
            /* 38 */ "    address = \"10.1.0.3\"\n"
            /* 39 */ "    spi     = 1000\n"
            /* 40 */ "    key     = \"hex:" KEY32 "\"\n"
            /* 41 */ "    weight  = 1\n"
            /* 42 */ "}\n"
            /* 43 */ "delegation {\n"
            /* 44 */ "    when      = after-registration\n"
            /* 45 */ "    policy    = equal\n"
            /* 46 */ "    threshold = 100000\n"
            /* 47 */ "    outer-source = primary\n"
            /* 48 */ "}\n"
            /* 49 */ "console {\n"
            /* 50 */ "    listen = \"127.0.0.1:2323\"\n"
            /* 51 */ "    socket = \"/run/homeport.sock\"\n"
            /* 52 */ "}\n";

static const char good_rows[] =
    "# address,spi,key[,algorithm[,replay[,nai]]]\n"
    "\n"
    "10.1.0.100,256,hex:" KEY16 "\n"
    " 10.1.0.101 , 4294967295 , file:key , hmac-sha256 , nonce , van@fleet.example \r\n"
    "10.1.0.102,0x100,hex:" KEY16 ",,,lorry@fleet.example\n";

static void setup(void)
{
    directory_setup();
    write_text("nodes.csv", good_rows, 0600);
}

static char *changed(const char *find, const char *replace)
{
    return changed_in(good, find, replace);
}

static struct conf *loaded_with(const char *find, const char *replace)
{
    char *text = changed(find, replace);
    struct conf *conf = loaded(text);
    free(text);
    return conf;
}

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

static void assert_key(const struct auth_key *key, const char *hex)
{
    uint8_t bytes[AUTH_KEY_MAX];
    ck_assert_uint_eq(key->len, hex_bytes(hex, bytes, sizeof(bytes)));
    ck_assert_mem_eq(key->bytes, bytes, key->len);
}

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

static const char minimal[] = "node = n\nid = 65535\nrole = primary\n"
                              "port p { device = net_ring0 addresses = {10.1.0.2/24} }\n"
                              "home-agent { addresses = {10.1.0.2} home-networks = {10.1.0.0/24} }\n";

START_TEST(defaults)
{
    struct conf *c = loaded(minimal);
    ck_assert_uint_eq(c->id, 65535);
    ck_assert_str_eq(c->eal.lcores, "0,1");
    ck_assert_uint_eq(c->eal.memory_mib, 512);
    ck_assert(c->eal.huge_pages);
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

/* ---- One fault, one line ---- */

static const struct fault faults[] = {
    /* The text itself */
    {"unknown key", "id   = 1", "id   = 1\nidd = 2", 3, "unknown key 'idd'"},
    {"unknown key in a section", "mtu       = 1500", "mtu = 1500\nspeed = 10", 15,
     "unknown key 'speed' in section port"},
    {"unknown section", "workers {", "worker { idle = adaptive }\nworkers {", 10, "unknown key 'worker'"},
    {"unknown section with a name and sections in it", "workers {",
     "vlan \"7\" { a { b = {1, 2} } c = 3 }\nworkers {", 10, "unknown key 'vlan'"},
    {"unknown key without sense behind it", "workers {", "speed fast please\nworkers {", 10,
     "unknown key 'speed'"},
    {"unknown list", "workers {", "dns = {\"10.0.0.1\",\n\"10.0.0.2\"}\nworkers {", 10, "unknown key 'dns'"},
    {"our own key for names", "idle = adaptive", "'@' = x", 10, "unknown key ''@'' in section workers"},
    {"path to another section's key", "workers {", "eal|memory = 5\nworkers {", 10,
     "unknown key 'eal|memory'"},
    {"a key twice", "mtu       = 1500", "mtu = 1500\nmtu = 1400", 15, "mtu: given for the second time"},
    {"a section without its end", "    socket = \"/run/homeport.sock\"\n}\n", "", 49,
     "section 'console' has no closing brace"},
    {"a string without its end", "/run/homeport.sock\"", "/run/homeport.sock", 51, "string without an end"},
    {"a comment without its end", "appliances */", "appliances", 8, "comment without an end"},
    {"an octal escape", "prefix     = \"pha1\"", "prefix = \"pha\\91\"", 8, "octal escape"},
    {"no equal sign", "mtu       = 1500", "mtu 1500", 14, "missing equal sign after option 'mtu'"},
    {"no value", "memory     = 512", "memory =", 7, "unexpected token '='"},
    {"a brace too many", "workers { idle = adaptive }", "workers { idle = adaptive } }", 10,
     "unexpected closing brace"},
    {"a list for a single value", "mtu       = 1500", "mtu = {1500}", 14, "unexpected token '{'"},
    {"a value for a section", "workers { idle = adaptive }", "workers = adaptive", 10,
     "missing opening brace for section 'workers'"},
    {"a name for a section without one", "workers {", "workers x {", 10, "this section has no name"},
    {"a section twice", "workers {", "workers {}\nworkers {", 11,
     "a second section; the first is at line 10"},
    /* Identity */
    {"node missing", "node = \"pha1\"", "", 1, "node is missing"},
    {"node empty", "node = \"pha1\"", "node = \"\"", 1, "node: a name is missing"},
    {"node with a blank", "node = \"pha1\"", "node = \"pha 1\"", 1, "node: 'pha 1' is no name"},
    {"node too long", "node = \"pha1\"",
     "node = a123456789012345678901234567890123456789012345678901234567890123", 1,
     "longer than 63 characters"},
    {"id missing", "id   = 1", "", 1, "id is missing"},
    {"id 0", "id   = 1", "id = 0", 2, "id: '0' is no whole number from 1 to 65535"},
    {"id too large", "id   = 1", "id = 65536", 2, "from 1 to 65535"},
    {"id negative", "id   = 1", "id = -1", 2, "from 1 to 65535"},
    {"id overflowing", "id   = 1", "id = 18446744073709551617", 2, "from 1 to 65535"},
    {"id with something behind", "id   = 1", "id = \"1 \"", 2, "from 1 to 65535"},
    {"id not decimal", "id   = 1", "id = 1e3", 2, "from 1 to 65535"},
    {"role missing", "role = primary ", "", 1, "role is missing"},
    {"role unknown", "role = primary ", "role = home-agent ", 3,
     "is none of primary, secondary, foreign-agent"},
    {"role foreign agent", "role = primary ", "role = foreign-agent ", 3,
     "role foreign-agent is not available in this version"},
    /* The machine */
    {"lcores malformed", "\"0,1\"", "\"0;1\"", 5, "'0;1' is no list of lcores"},
    {"lcores with an open set", "\"0,1\"", "\"(0,1@0\"", 5, "is no list of lcores"},
    {"lcores backwards", "\"0,1\"", "\"3-1\"", 5, "is no list of lcores"},
    {"lcore too large", "\"0,1\"", "\"0,128\"", 5, "lcores below 128"},
    {"one lcore alone", "\"0,1\"", "\"0@(0,1)\"", 5, "two lcores at least"},
    {"an lcore twice", "\"0,1\"", "\"0-3,2\"", 5, "lcore 2 is named twice"},
    {"memory too small", "memory     = 512", "memory = 63", 6, "from 64 to 1048576"},
    {"huge-pages", "huge-pages = true", "huge-pages = 1", 7, "is none of false, true"},
    {"prefix", "prefix     = \"pha1\"", "prefix = \"../pha1\"", 8, "prefix: '../pha1' is no name"},
    {"idle", "idle = adaptive", "idle = sleepy", 10, "idle: 'sleepy' is none of busy, adaptive"},
    /* Ports */
    {"port without a name", "port net {", "port {", 16, "port: a name is missing"},
    {"two ports of one name", "port net {", "port home {", 16, "a second port 'home'"},
    {"device missing", "device    = \"0000:03:00.0\"", "", 11, "port home: device is missing"},
    {"a kernel's interface as device", "\"0000:03:00.0\"", "eth1", 12, "neither a PCI address nor a virtual"},
    {"half a PCI address", "0000:03:00.0", "0000:03:00", 12, "neither a PCI address nor a virtual"},
    {"device with a blank", "packet0,iface=eth1", "packet0, iface=eth1", 17, "blanks or control characters"},
    {"one device for two ports", "\"net_af_packet0,iface=eth1\"", "\"0000:03:00.0\"", 17,
     "is the device of port home already"},
    {"port without addresses", "addresses = {\"10.9.0.2/16\"}", "", 16, "port net: addresses is missing"},
    {"port with an empty list", "{\"10.9.0.2/16\"}", "{}", 16, "port net: addresses is missing"},
    {"address without length", "10.9.0.2/16", "10.9.0.2", 18, "no address with a prefix length"},
    {"address with too long a length", "10.9.0.2/16", "10.9.0.2/33", 18, "no address with a prefix length"},
    {"address of the network", "10.9.0.2/16", "10.9.0.0/16", 18, "is the address of the network itself"},
    {"address of broadcast", "10.9.0.2/16", "10.9.255.255/16", 18, "is the broadcast address of its network"},
    {"address of multicast", "10.9.0.2/16", "224.0.0.5/24", 18, "no address of a host"},
    {"address of loopback", "10.9.0.2/16", "127.0.0.1/8", 18, "no address of a host"},
    {"address with length 0", "10.9.0.2/16", "10.9.0.2/0", 18, "has no prefix length"},
    {"the same address on two ports", "10.9.0.2/16", "10.1.0.2/24", 18, "is an address of port home already"},
    {"the same network on two ports", "10.9.0.2/16", "10.1.0.9/24", 18, "is that of port home already"},
    {"MTU too small", "{\"10.9.0.2/16\"}", "{\"10.9.0.2/16\"} mtu = 67", 18, "from 68 to 9216"},
    {"MTU too small for IPv6", "mtu       = 1500", "mtu = 1279", 14, "from 1280 to 9216"},
    {"MTU too large", "mtu       = 1500", "mtu = 9217", 14, "from 1280 to 9216"},
    /* Routes */
    {"route malformed", "\"0.0.0.0/0\"", "default", 20, "'default' is no address with a prefix length"},
    {"route with a host part", "\"0.0.0.0/0\"", "\"10.7.0.1/16\"", 20, "the network is 10.7.0.0/16"},
    {"route without next hop", "via = \"10.1.0.1\"", "", 20, "route 0.0.0.0/0: via is missing"},
    {"next hop of the other family", "via = \"10.1.0.1\"", "via = \"2001:db8:1::1\"", 20,
     "not of the family of"},
    {"next hop elsewhere", "via = \"10.1.0.1\"", "via = \"10.3.0.1\"", 20,
     "no port is connected to '10.3.0.1'"},
    {"next hop that we are", "via = \"10.1.0.1\"", "via = \"10.9.0.2\"", 20,
     "is the appliance's own address"},
    {"next hop of broadcast", "via = \"10.1.0.1\"", "via = \"10.1.0.255\"", 20, "its broadcast address"},
    {"route twice", "route \"::/0\"", "route \"0.0.0.0/0\" { via = \"10.1.0.4\" }\nroute \"::/0\"", 21,
     "a second route to 0.0.0.0/0; the first is at line 20"},
    {"route to a network of a port", "\"0.0.0.0/0\"", "\"10.9.0.0/16\"", 20, "port net is connected to"},
    /* The home agent */
    {"home agent on no port", "{\"10.1.0.2\", ", "{\"10.1.0.2\", \"10.1.0.4\", ", 23,
     "'10.1.0.4' is on no port"},
    {"home agent twice", "{\"10.1.0.2\", ", "{\"10.1.0.2\", \"10.1.0.2\", ", 23, "for the second time"},
    {"home agent malformed", "{\"10.1.0.2\", ", "{\"10.1.0.2\", \"10.1.0\", ", 23, "'10.1.0' is no address"},
    {"home network on no port", "{\"10.1.0.0/24\", ", "{\"10.1.0.0/24\", \"10.3.0.0/24\", ", 24,
     "no port is connected to '10.3.0.0/24'"},
    {"home network beyond its link", "{\"10.1.0.0/24\", ", "{\"10.1.0.0/23\", ", 24,
     "no port is connected to '10.1.0.0/23'"},
    {"home network with a host part", "{\"10.1.0.0/24\", ", "{\"10.1.0.2/24\", ", 24,
     "the network is 10.1.0.0/24"},
    {"home networks that overlap", "{\"10.1.0.0/24\", ", "{\"10.1.0.0/24\", \"10.1.0.0/25\", ", 24,
     "overlaps"},
    {"no binding", "1048576", "0", 25, "from 1 to 16777216"},
    {"too many bindings", "1048576", "16777217", 25, "from 1 to 16777216"},
    {"no lifetime", "max-lifetime  = 1800", "max-lifetime = 0", 26, "from 1 to 65535"},
    {"too long a lifetime", "max-lifetime  = 1800", "max-lifetime = 65536", 26, "from 1 to 65535"},
    {"no care-of address", "max-care-of   = 3", "max-care-of = 0", 27, "from 1 to 8"},
    {"too many care-of addresses", "max-care-of   = 3", "max-care-of = 9", 27, "from 1 to 8"},
    {"encapsulation", "{ipip, minimal, gre}", "{ipip, vxlan}", 28, "'vxlan' is none of ipip, minimal, gre"},
    {"reverse tunnel", "reverse-tunnel = optional", "reverse-tunnel = on", 29,
     "is none of off, optional, required"},
    {"no window", "timestamp-window = 9", "timestamp-window = 0", 30, "from 1 to 3600"},
    /* Mobile nodes */
    {"home address malformed", "'10.1.0.51'", "'10.1.0.51/24'", 34, "'10.1.0.51/24' is no address"},
    {"home address outside", "'10.1.0.51'", "'10.2.0.51'", 34,
     "mobile-node: '10.2.0.51' is in no home network"},
    {"home address that we have", "'10.1.0.51'", "'10.1.0.2'", 34, "is the appliance's own address"},
    {"home address of a router", "'10.1.0.51'", "'10.1.0.1'", 34, "is the address of a router"},
    {"home address of the network", "'10.1.0.51'", "'10.1.0.0'", 34, "is the address of a network"},
    {"home address of broadcast", "'10.1.0.51'", "'10.1.0.255'", 34, "is the broadcast address of a network"},
    {"SPI missing", "spi = 256 key", "key", 34, "mobile-node 10.1.0.51: spi is missing"},
    {"SPI reserved", "spi = 256 key", "spi = 255 key", 34, "from 256 to 4294967295"},
    {"SPI too large", "spi = 256 key", "spi = 4294967296 key", 34, "from 256 to 4294967295"},
    {"same home address and SPI", "'10.1.0.51' {", "'10.1.0.50' {", 34,
     "10.1.0.50: a second association with the same SPI; the first is at"},
    {"key missing", "key = \"hex:FF\"", "", 33, "mobile-node 10.1.0.50: key is missing"},
    {"key of no kind", "hex:FF", "FF", 33, "key: neither hex:DIGITS nor file:PATH"},
    {"key empty", "hex:FF", "hex:", 33, "0 bytes; it must be from 1 to 64"},
    {"key with half a byte", "hex:FF", "hex:FFF", 33, "an odd number of hexadecimal digits (3)"},
    {"key with a wrong digit", "hex:FF", "hex:FFFG", 33, "digit 4 is not hexadecimal"},
    {"key too long", "hex:FF", "hex:" KEY32 KEY32 "00", 33, "65 bytes; it must be from 1 to 64"},
    {"key file missing", "file:key", "file:nokey", 34, "nokey: No such file or directory"},
    {"key file that is a directory", "file:key", "file:.", 34, "is no regular file"},
    {"algorithm", "hmac-sha1", "md5", 34, "'md5' is none of hmac-md5, hmac-sha1, hmac-sha256"},
    {"replay", "replay = nonce", "replay = none", 33, "'none' is none of timestamp, nonce"},
    {"replay of the other family", "replay = nonce", "replay = sequence", 33,
     "sequence is for IPv6 home addresses"},
    {"NAI empty", "replay = nonce nai = \"truck7@fleet.example\"", "nai = \"\"", 33, "from 1 to 255"},
    {"NAI with a blank", "replay = nonce nai = \"truck7@fleet.example\"", "nai = \"truck 7\"", 33,
     "'truck 7' holds blanks"},
    {"NAI of another home address", "algorithm = hmac-sha1", "nai = \"truck7@fleet.example\"", 34,
     "10.1.0.51: the NAI of another home address; the first is at"},
    {"CSV file missing", "\"nodes.csv\"", "\"nonodes.csv\"", 35, "nonodes.csv: No such file or directory"},
    {"CSV file that is a directory", "\"nodes.csv\"", "\".\"", 35, "is no regular file"},
    /* Foreign agents */
    {"foreign agent malformed", "foreign-agent \"10.2.0.1\"", "foreign-agent fa1", 36, "'fa1' is no address"},
    {"foreign agent of IPv6", "foreign-agent \"10.2.0.1\"", "foreign-agent \"2001:db8::1\"", 36,
     "is not IPv4"},
    {"foreign agent that we are", "foreign-agent \"10.2.0.1\"", "foreign-agent \"10.9.0.2\"", 36,
     "is the appliance's own address"},
    {"foreign agent's SPI", "spi = 300", "spi = 25", 36, "from 256 to 4294967295"},
    {"foreign agent's key missing", "key = \"hex:0011\"", "", 36, "foreign-agent 10.2.0.1: key is missing"},
    {"foreign agent twice", "secondary \"sha1\" {",
     "foreign-agent \"10.2.0.1\" { spi = 300 key = \"hex:00\" }\nsecondary \"sha1\" {", 37,
     "a second association with 10.2.0.1 and SPI 300"},
    /* Delegation */
    {"secondary with our name", "secondary \"sha1\"", "secondary \"pha1\"", 37,
     "is the name of this appliance"},
    {"secondary without address", "    address = \"10.1.0.3\"", "", 37, "secondary sha1: address is missing"},
    {"secondary at our address", "address = \"10.1.0.3\"", "address = \"10.1.0.2\"", 38,
     "is the appliance's own address"},
    {"secondary without SPI", "    spi     = 1000", "", 37, "secondary sha1: spi is missing"},
    {"secondary without a key", "    key     = \"hex:" KEY32 "\"", "", 37, "secondary sha1: key is missing"},
    {"secondary with a short key", "\"hex:" KEY32 "\"", "\"hex:" KEY16 "\"", 40, "16 bytes; it must be 32"},
    {"secondary without weight", "weight  = 1", "weight = 0", 41, "from 1 to 1000"},
    {"secondary twice", "delegation {",
     "secondary sha1 { address = 10.1.0.4 spi = 1001 key = \"hex:" KEY32 "\" }\ndelegation {", 43,
     "a second 'sha1'"},
    {"two secondaries at one address", "delegation {",
     "secondary sha2 { address = 10.1.0.3 spi = 1001 key = \"hex:" KEY32 "\" }\ndelegation {", 43,
     "address: that of 'sha1' already"},
    {"two secondaries of one SPI", "delegation {",
     "secondary sha2 { address = 10.1.0.4 spi = 1000 key = \"hex:" KEY32 "\" }\ndelegation {", 43,
     "1000 is that of 'sha1' already"},
    {"a primary's primary", "delegation {",
     "primary pha2 { address = 10.1.0.4 spi = 1000 key = \"hex:" KEY32 "\" }\ndelegation {", 43,
     "only an appliance with role = secondary has primaries"},
    {"secondary's other key without its SPI", "weight  = 1", "other-key = 'hex:" KEY32 "'", 41,
     "other-spi and other-key go together"},
    {"secondary's other SPI without its key", "weight  = 1", "other-spi = 1001", 41,
     "other-spi and other-key go together"},
    {"secondary's other SPI the same", "weight  = 1", "other-spi = 1000 other-key = 'hex:" KEY32 "'", 41,
     "other-spi: 1000 is that of the key already"},
    {"mobile node at a secondary's address", "10.1.0.51", "10.1.0.3", 34,
     "is the address of another appliance"},
    {"when", "after-registration", "before-registration", 44, "is none of after-registration"},
    {"policy", "policy    = equal", "policy = fair", 45, "is none of equal, rate"},
    {"threshold", "threshold = 100000", "threshold = 0", 46, "from 1 to 4294967295"},
    {"outer source", "outer-source = primary", "outer-source = any", 47, "is none of primary, own"},
    {"delegation on the registration port", "outer-source = primary", "port = 434", 47,
     "434 is the port of registrations"},
    {"linger", "outer-source = primary", "linger = 0", 47, "from 1 to 600"},
    {"moves", "outer-source = primary", "moves = 0", 47, "from 1 to 1000000"},
    {"announcements", "outer-source = primary", "announcements = 0", 47, "from 1 to 1000000"},
    {"capacity", "idle = adaptive", "capacity = 0", 10, "from 1 to 4294967295"},
    /* Console */
    {"console for others", "127.0.0.1:2323", "10.1.0.2:2323", 50, "anything but loopback needs users"},
    {"console for everybody", "127.0.0.1:2323", "0.0.0.0:2323", 50, "anything but loopback needs users"},
    {"console without a port", "127.0.0.1:2323", "127.0.0.1", 50, "is no ADDRESS:PORT"},
    {"console with a port too large", "127.0.0.1:2323", "127.0.0.1:65536", 50, "is no ADDRESS:PORT"},
    {"console with IPv6 without brackets", "127.0.0.1:2323", "::1:2323", 50, "in brackets"},
    {"console with a name", "127.0.0.1:2323", "localhost:2323", 50, "is no ADDRESS:PORT"},
    {"socket with a relative path", "/run/homeport.sock", "homeport.sock", 51, "is no absolute path"},
    {"socket with too long a path", "/run/homeport.sock", "/run/" KEY32 KEY32, 51,
     "longer than 107 characters"},
};

START_TEST(refuses)
{
    refuse(good, &faults[_i]);
}
END_TEST

START_TEST(refuses_all_at_once)
{
    char *errors;
    ck_assert_ptr_null(load("node = n\n"
                            "id = 0\n"
                            "colour = red\n"
                            "role = primary\n"
                            "port p {\n"
                            "  device = eth0\n"
                            "  adresses = {10.1.0.2/24}\n"
                            "  mtu = 10\n"
                            "}\n"
                            "shape = {round, square}\n"
                            "workers { idle = no }\n"
                            "home-agent { addresses = {10.1} home-networks = {10.1.0.0/24,\n"
                            " 10.1.0.9/24} max-care-of = 99 }\n"
                            "mobile-node 10.1.0.50 { spi = 1 key = x algorithm = y nai = '' }\n",
                            &errors));
    assert_line(errors, "t.conf", 2, "id: ");
    assert_line(errors, "t.conf", 3, "unknown key 'colour'");
    assert_line(errors, "t.conf", 6, "device: ");
    assert_line(errors, "t.conf", 7, "unknown key 'adresses' in section port");
    assert_line(errors, "t.conf", 5, "port p: addresses is missing");
    assert_line(errors, "t.conf", 8, "mtu: ");
    assert_line(errors, "t.conf", 10, "unknown key 'shape'");
    assert_line(errors, "t.conf", 11, "idle: ");
    assert_line(errors, "t.conf", 12, "addresses: ");
    assert_line(errors, "t.conf", 13, "home-networks: ");
    assert_line(errors, "t.conf", 13, "max-care-of: ");
    assert_line(errors, "t.conf", 14, "spi: ");
    assert_line(errors, "t.conf", 14, "key: ");
    assert_line(errors, "t.conf", 14, "algorithm: ");
    assert_line(errors, "t.conf", 14, "nai: ");
    ck_assert_uint_eq(lines_in(errors), 15);
    free(errors);
}
END_TEST

START_TEST(refuses_no_text)
{
    char *errors;
    ck_assert_ptr_null(load_path(in_directory("nothing.conf"), &errors));
    assert_only_line(errors, "nothing.conf", 1, "cannot be read: No such file or directory");
    free(errors);

    ck_assert_ptr_null(load("", &errors));
    assert_line(errors, "t.conf", 1, "node is missing");
    assert_line(errors, "t.conf", 1, "a port section is missing");
    assert_line(errors, "t.conf", 1, "the home-agent section is missing");
    free(errors);

    write_file("t.conf", "node = n\nid\0 = 1", 16, 0600);
    ck_assert_ptr_null(load_path(conf_path, &errors));
    assert_only_line(errors, "t.conf", 2, "a zero byte");
    free(errors);

    ck_assert_ptr_null(load_path(directory, &errors));
    ck_assert_ptr_nonnull(strstr(errors, ":1: cannot be read: Is a directory"));
    free(errors);
}
END_TEST

/* ---- Key files ---- */

static const struct {
    const char *text;
    mode_t mode;
    const char *says; /* NULL: good */
} key_files[] = {
    {KEY16, 0600, NULL},
    {KEY16 "\n", 0400, NULL},
    {"hex:" KEY16 "\r\n", 0600, NULL},
    {KEY32 KEY32 "\n", 0600, NULL},
    {KEY16, 0644, "/key: others can use this file (mode 0644)"},
    {KEY16, 0640, "/key: others can use this file (mode 0640)"},
    {KEY16, 0602, "/key: others can use this file (mode 0602)"},
    {"", 0600, "0 bytes"},
    {"secret", 0600, "digit 1 is not hexadecimal"},
    {KEY16 "\n" KEY16 "\n", 0600, "digit 33 is not hexadecimal"},
    {KEY32 KEY32 "00", 0600, "65 bytes; it must be from 1 to 64"},
    {KEY32 KEY32 KEY32 KEY32 KEY32, 0600, "holds no key"},
};

START_TEST(key_file)
{
    write_text("nodes.csv", "", 0600);
    write_text("key", key_files[_i].text, key_files[_i].mode);
    char *errors;
    struct conf *conf = load(good, &errors);
    if (key_files[_i].says == NULL)
        ck_assert_msg(conf != NULL, "%s", errors);
    else
        assert_only_line(errors, "t.conf", 34, key_files[_i].says);
    free(errors);
    conf_free(conf);
}
END_TEST

START_TEST(key_in_readable_file)
{
    char *errors;
    write_text("t.conf", good, 0640);
    struct conf *conf = load_path(conf_path, &errors);
    assert_line(conf->warnings, "t.conf", 40, "a key in a file that others can use (mode 0640)");
    free(errors);
    conf_free(conf);
}
END_TEST

/* ---- Mobile nodes in bulk ---- */

static const struct {
    const char *rows;
    int line;
    const char *says;
} csv_faults[] = {
    {"10.1.0.100,256\n", 1, "key is missing"},
    {"# one\n\n10.1.0.100\n", 3, "spi is missing"},
    {"10.1.0.100,256,hex:00,,,,\n", 1, "more than 6 fields"},
    {"address,256,hex:00\n", 1, "address: 'address' is no address"},
    {"10.2.0.100,256,hex:00\n", 1, "address: '10.2.0.100' is in no home network"},
    {"10.1.0.1,256,hex:00\n", 1, "address: '10.1.0.1' is the address of a router"},
    {"10.1.0.100,,hex:00\n", 1, "spi: '' is no whole number"},
    {"10.1.0.100,0xff,hex:00\n", 1, "spi: '0xff' is no whole number"},
    {"10.1.0.100,256,\n", 1, "key: neither hex:DIGITS nor file:PATH"},
    {"10.1.0.100,256,hex:00,sha1\n", 1, "algorithm: 'sha1' is none of"},
    {"10.1.0.100,256,hex:00,,later\n", 1, "replay: 'later' is none of"},
    {"10.1.0.100,256,hex:00,,,a b\n", 1, "nai: 'a b' holds blanks"},
    {"10.1.0.100,256,hex:00\n10.1.0.101,256,hex:00\n10.1.0.100,256,hex:01\n", 3,
     "10.1.0.100: a second association with the same SPI; the first is at"},
    {"10.1.0.50,256,hex:00\n", 1, "t.conf:32"},
    {"10.1.0.100,256,hex:00,,,x\n10.1.0.101,256,hex:00,,,x\n", 2, "the NAI of another home address"},
    {"10.1.0.100,256,hex:00,,,truck7@fleet.example", 1, "the NAI of another home address"},
};

START_TEST(csv_refuses)
{
    write_text("nodes.csv", csv_faults[_i].rows, 0600);
    char *errors;
    ck_assert_ptr_null(load(good, &errors));
    assert_only_line(errors, "nodes.csv", csv_faults[_i].line, csv_faults[_i].says);
    free(errors);
}
END_TEST

START_TEST(csv_many_associations)
{
    enum { SPIS = 500 };
    char *rows;
    size_t len;
    FILE *f = open_memstream(&rows, &len);
    for (int i = 0; i < SPIS; i++)
        fprintf(f, "10.1.0.100,%d,hex:00,,,van@fleet.example\n", 256 + i);
    fclose(f);
    write_text("nodes.csv", rows, 0600);
    struct conf *conf = loaded(good);
    ck_assert_uint_eq(conf->n_mobiles, 3 + SPIS);
    conf_free(conf);
    free(rows);
}
END_TEST

START_TEST(csv_refuses_zero_bytes)
{
    static const char rows[] = "10.1.0.100,256,hex:00\n10.1.0.101,256,hex:00\0\n";
    char *errors;
    write_file("nodes.csv", rows, sizeof(rows) - 1, 0600);
    ck_assert_ptr_null(load(good, &errors));
    assert_only_line(errors, "nodes.csv", 2, "a zero byte");
    free(errors);
}
END_TEST

START_TEST(csv_secret)
{
    char *errors;
    write_text("nodes.csv", good_rows, 0640);
    struct conf *conf = load(good, &errors);
    ck_assert_msg(conf != NULL, "%s", errors);
    assert_line(conf->warnings, "nodes.csv", 3, "a key in a file that others can use (mode 0640)");
    conf_free(conf);
    free(errors);
}
END_TEST

START_TEST(csv_faults_are_capped)
{
    char *rows;
    char *errors;
    size_t len;
    FILE *f = open_memstream(&rows, &len);
    for (int i = 0; i < 100000; i++)
        fputs("10.1.0.100;256;hex:00\n", f);
    fclose(f);
    write_text("nodes.csv", rows, 0600);
    ck_assert_ptr_null(load(good, &errors));
    ck_assert_uint_eq(lines_in(errors), 101);
    assert_line(errors, "nodes.csv", 100, "spi is missing");
    assert_line(errors, "t.conf", 1, "and 99900 more faults, not shown");
    free(errors);
    free(rows);
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

/* ---- Delegation ---- */

static void assert_delegation(const struct delegation_settings *a, const struct delegation_settings *b)
{
    ck_assert_uint_eq(a->port, b->port);
    ck_assert_uint_eq(a->when, b->when);
    ck_assert_uint_eq(a->policy, b->policy);
    ck_assert_int_eq(a->own_source, b->own_source);
    ck_assert_uint_eq(a->threshold_pps, b->threshold_pps);
    ck_assert_uint_eq(a->linger_ms, b->linger_ms);
    ck_assert_uint_eq(a->lease_ms, b->lease_ms);
    ck_assert_uint_eq(a->moves_per_s, b->moves_per_s);
    ck_assert_uint_eq(a->announcements_per_s, b->announcements_per_s);
}

START_TEST(good_delegation)
{
    struct conf *c =
        loaded_with("    outer-source = primary\n", "    outer-source = own port = 5000 linger = 5 "
                                                    "moves = 7 announcements = 8\n");
    const struct delegation_settings *d = &c->agent.delegation;
    ck_assert_uint_eq(c->agent.role, AGENT_PRIMARY);
    ck_assert_uint_eq(c->agent.id, 1);
    ck_assert_uint_eq(d->when, WHEN_AFTER_REGISTRATION);
    ck_assert_uint_eq(d->policy, POLICY_EQUAL);
    ck_assert_uint_eq(d->threshold_pps, 100000);
    ck_assert(d->own_source);
    ck_assert_uint_eq(d->port, 5000);
    ck_assert_uint_eq(d->linger_ms, 5000);
    ck_assert_uint_eq(d->moves_per_s, 7);
    ck_assert_uint_eq(d->announcements_per_s, 8);
    ck_assert_uint_eq(c->n_peers, 1);
    ck_assert_str_eq(c->peers[0].name, "sha1");
    assert_address(&c->peers[0].address, "10.1.0.3");
    assert_address(&c->peers[0].local, "10.1.0.2");
    ck_assert_uint_eq(c->peers[0].spi, 1000);
    ck_assert_uint_eq(c->peers[0].key.algorithm, AUTH_HMAC_SHA256);
    assert_key(&c->peers[0].key, KEY32);
    ck_assert_uint_eq(c->peers[0].weight, 1);
    conf_free(c);
}
END_TEST

START_TEST(delegation_defaults_are_the_agents)
{
    struct conf *c = loaded(minimal);
    const struct delegation_settings expected = delegation_defaults();
    assert_delegation(&c->agent.delegation, &expected);
    conf_free(c);
}
END_TEST

#define SECONDARY                                               \
    "node = sha1\nid = 2\nrole = secondary\n"                   \
    "port p { device = net_ring0 addresses = {10.1.0.3/24} }\n" \
    "port q { device = net_ring1 addresses = {10.2.0.3/24} }\n" \
    "port r { device = net_ring2 addresses = {10.3.0.3/24} }\n"

/* That is all it takes to add one: its own file, and a section at the primary. */
START_TEST(a_secondary)
{
    struct conf *c = loaded(SECONDARY "primary pha1 { address = 10.1.0.2 spi = 1000 key = 'hex:" KEY32 "' }\n"
                                      "primary pha2 { address = 10.2.0.2 spi = 1001 key = 'hex:" KEY32
                                      "' other-spi = 1002 other-key = 'hex:" KEY32 "'\n"
                                      " home-networks = {10.2.0.0/25} }\n");
    ck_assert_int_eq(c->role, ROLE_SECONDARY);
    ck_assert_uint_eq(c->agent.role, AGENT_SECONDARY);
    ck_assert_uint_eq(c->agent.n_home_agents, 0);
    ck_assert_uint_eq(c->agent.n_home_networks, 2); /* nothing of port r, where care-of addresses may be */
    assert_address(&c->agent.home_networks[0].addr, "10.1.0.0");
    assert_address(&c->agent.home_networks[1].addr, "10.2.0.0");
    ck_assert_uint_eq(c->agent.home_networks[1].bits, 25);
    ck_assert_uint_eq(c->n_peers, 2);
    assert_address(&c->peers[0].local, "10.1.0.3");
    ck_assert_uint_eq(c->peers[0].n_prefixes, 1);
    assert_address(&c->peers[0].prefixes[0].addr, "10.1.0.0");
    ck_assert_uint_eq(c->peers[0].other_spi, 0);
    assert_address(&c->peers[1].local, "10.2.0.3");
    ck_assert_uint_eq(c->peers[1].n_prefixes, 1);
    ck_assert_uint_eq(c->peers[1].prefixes[0].bits, 25);
    ck_assert_uint_eq(c->peers[1].other_spi, 1002);
    ck_assert_str_eq(c->warnings, "");
    conf_free(c);
}
END_TEST

static const struct {
    const char *what;
    const char *text;
    int line;
    const char *says;
} secondary_faults[] = {
    {"no primary", SECONDARY, 1, "a primary section is missing, which role = secondary needs"},
    {"a secondary's secondary",
     SECONDARY "primary pha1 { address = 10.1.0.2 spi = 1000 key = 'hex:" KEY32 "' }\n"
               "secondary sha2 { address = 10.1.0.4 spi = 1001 key = 'hex:" KEY32 "' }\n",
     8, "only an appliance with role = primary has secondaries"},
    {"a primary that is not on our links",
     SECONDARY "primary pha1 { address = 10.9.0.2 spi = 1000 key = 'hex:" KEY32 "' }\n", 7,
     "is on no link of ours: its home-networks must be given"},
    {"addresses to register with",
     SECONDARY "primary pha1 { address = 10.1.0.2 spi = 1000 key = 'hex:" KEY32 "' }\n"
               "home-agent { addresses = {10.1.0.3} }\n",
     8, "mobile nodes register with the primary alone"},
    {"a network that no port is on",
     SECONDARY "primary pha1 { address = 10.1.0.2 spi = 1000 key = 'hex:" KEY32 "'\n"
               " home-networks = {10.9.0.0/24} }\n",
     8, "no port is connected to '10.9.0.0/24'"},
};

START_TEST(refuses_a_secondary)
{
    char *errors;
    struct conf *conf = load(secondary_faults[_i].text, &errors);
    ck_assert_msg(conf == NULL, "%s: accepted", secondary_faults[_i].what);
    assert_only_line(errors, "t.conf", secondary_faults[_i].line, secondary_faults[_i].says);
    free(errors);
}
END_TEST

/* ---- The samples ---- */

static char *sample(const char *name)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", SAMPLES, name);
    FILE *in = fopen(path, "r");
    ck_assert_msg(in != NULL, "%s", path);
    for (int c; (c = fgetc(in)) != EOF;)
        fputc(c, out);
    fclose(in);
    fclose(out);
    return text;
}

static struct conf *sample_loaded(const char *name)
{
    char *text = sample(name);
    char *errors;
    write_text(name, text, 0600);
    struct conf *conf = load_path(in_directory(name), &errors);
    ck_assert_msg(conf != NULL, "%s", errors);
    ck_assert_str_eq(conf->warnings, "");
    free(errors);
    free(text);
    return conf;
}

START_TEST(sample_primary)
{
    struct conf *conf = sample_loaded("primary.conf");
    ck_assert_str_eq(conf->node, "pha1");
    ck_assert_uint_eq(conf->n_ports, 2);
    ck_assert_uint_eq(conf->n_mobiles, 3);
    conf_free(conf);
}
END_TEST

static char *sample_uncommented(const char *name)
{
    char *text = sample(name);
    for (char *at = text; (at = strstr(at, "\n    # ")) != NULL; at++)
        memcpy(at, "\n      ", 7);
    return text;
}

/* What a sample shows as a default, and its other commented keys, must be true: without the mark in front of
 * them they are accepted and change nothing. */
START_TEST(sample_primary_uncommented)
{
    char *text = sample_uncommented("primary.conf");
    char *socket = strstr(text, "socket =");
    ck_assert_ptr_nonnull(socket);
    socket[-1] = '#'; /* no default, as capacity is none */
    struct conf *shown = loaded(text), *conf = sample_loaded("primary.conf");
    ck_assert_mem_eq(&shown->eal, &conf->eal, sizeof(conf->eal));
    ck_assert_int_eq(shown->idle, conf->idle);
    ck_assert_mem_eq(&shown->ports, &conf->ports, sizeof(conf->ports));
    ck_assert_uint_eq(shown->agent.max_bindings, conf->agent.max_bindings);
    ck_assert_uint_eq(shown->agent.max_lifetime_s, conf->agent.max_lifetime_s);
    ck_assert_uint_eq(shown->agent.timestamp_window_s, conf->agent.timestamp_window_s);
    assert_delegation(&shown->agent.delegation, &conf->agent.delegation);
    ck_assert_uint_eq(shown->capacity_pps, 5000000);
    ck_assert_str_eq(shown->warnings, "");
    conf_free(shown);
    conf_free(conf);
    free(text);
}
END_TEST

/* The router advertisement of the sample is the one of a section that says nothing. */
START_TEST(sample_advertisement)
{
    static const char mark[] = "\n# router-advertisement \"home\" {";
    char *text = sample("primary.conf"), *plain;
    char *at = strstr(text, mark);
    ck_assert_ptr_nonnull(at);
    ck_assert_int_ge(asprintf(&plain, "%.*s\nrouter-advertisement home {}\n", (int)(at - text), text), 0);
    ck_assert_ptr_nonnull(plain = realloc(plain, strlen(plain) + strlen(text) + 1));
    strcat(plain, strchr(at + 1, '\n') + 1);
    at[1] = ' ';
    struct conf *shown = loaded(text), *silent = loaded(plain);
    ck_assert(shown->ports[0].advertisement.on);
    ck_assert_mem_eq(&shown->ports[0].advertisement, &silent->ports[0].advertisement,
                     sizeof(silent->ports[0].advertisement));
    conf_free(shown);
    conf_free(silent);
    free(plain);
    free(text);
}
END_TEST

START_TEST(sample_secondary)
{
    struct conf *conf = sample_loaded("secondary.conf");
    char *text = sample_uncommented("secondary.conf");
    struct conf *shown = loaded(text);
    ck_assert_int_eq(conf->role, ROLE_SECONDARY);
    ck_assert_uint_eq(conf->n_peers, 1);
    ck_assert_mem_eq(&shown->eal, &conf->eal, sizeof(conf->eal));
    ck_assert_uint_eq(shown->agent.max_bindings, conf->agent.max_bindings);
    ck_assert_uint_eq(shown->agent.n_home_networks, conf->agent.n_home_networks);
    ck_assert_mem_eq(shown->peers[0].prefixes, conf->peers[0].prefixes, sizeof(conf->peers[0].prefixes));
    assert_delegation(&shown->agent.delegation, &conf->agent.delegation);
    conf_free(conf);
    conf_free(shown);
    free(text);
}
END_TEST

/* The secondary that conf/primary.conf describes is the one of conf/secondary.conf. */
START_TEST(samples_fit_together)
{
    char *text = sample("primary.conf");
    struct conf *primary = sample_loaded("primary.conf"), *secondary = sample_loaded("secondary.conf");
    ck_assert_ptr_nonnull(strstr(text, "# secondary \"sha1\" { address = \"10.1.0.3\"  spi = 1000 "));
    ck_assert_str_eq(secondary->node, "sha1");
    assert_address(&secondary->peers[0].local, "10.1.0.3");
    ck_assert_uint_eq(secondary->peers[0].spi, 1000);
    ck_assert(addr_equal(&secondary->peers[0].address, &primary->agent.home_agents[0]));
    ck_assert_uint_ne(secondary->id, primary->id);
    conf_free(primary);
    conf_free(secondary);
    free(text);
}
END_TEST

START_TEST(sample_lab)
{
    struct conf *conf = sample_loaded("lab.conf");
    ck_assert_str_eq(conf->eal.lcores, "0@0,1@0");
    ck_assert(!conf->eal.huge_pages);
    ck_assert_int_eq(conf->idle, IDLE_ADAPTIVE);
    ck_assert_ptr_nonnull(strstr(conf->ports[0].device, "net_af_packet0,iface="));
    conf_free(conf);
}
END_TEST

START_TEST(sample_mobile_nodes)
{
    char *rows = sample("mobile-nodes.csv");
    write_text("nodes.csv", rows, 0600);
    struct conf *conf = loaded(good);
    struct addr last = address("10.1.0.102");
    ck_assert_uint_eq(conf->n_mobiles, 3 + 3);
    ck_assert(addr_equal(&conf->mobiles[5].home, &last));
    ck_assert_uint_eq(conf->mobiles[4].sa.key.algorithm, AUTH_HMAC_SHA256);
    conf_free(conf);
    free(rows);
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
    tcase_add_loop_test(tests, refuses, 0, ROWS(faults));
    tcase_add_test(tests, refuses_all_at_once);
    tcase_add_test(tests, refuses_no_text);
    tcase_add_loop_test(tests, key_file, 0, ROWS(key_files));
    tcase_add_test(tests, key_in_readable_file);
    tcase_add_loop_test(tests, csv_refuses, 0, ROWS(csv_faults));
    tcase_add_test(tests, csv_many_associations);
    tcase_add_test(tests, csv_refuses_zero_bytes);
    tcase_add_test(tests, csv_secret);
    tcase_add_test(tests, csv_faults_are_capped);
    tcase_add_loop_test(tests, warns, 0, ROWS(warnings));
    tcase_add_test(tests, warnings_keep_whole_lines);
    tcase_add_loop_test(tests, reload, 0, ROWS(reloads));
    tcase_add_test(tests, reload_of_another_role);
    tcase_add_test(tests, good_delegation);
    tcase_add_test(tests, delegation_defaults_are_the_agents);
    tcase_add_test(tests, a_secondary);
    tcase_add_loop_test(tests, refuses_a_secondary, 0, ROWS(secondary_faults));
    tcase_add_test(tests, sample_primary);
    tcase_add_test(tests, sample_primary_uncommented);
    tcase_add_test(tests, sample_advertisement);
    tcase_add_test(tests, sample_secondary);
    tcase_add_test(tests, samples_fit_together);
    tcase_add_test(tests, sample_lab);
    tcase_add_test(tests, sample_mobile_nodes);
    return check_main(suite);
}
