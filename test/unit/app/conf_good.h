/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration of a primary without a fault, and the least that is one. */
#ifndef TEST_CONF_GOOD_H
#define TEST_CONF_GOOD_H

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

static const char minimal[] = "node = n\nid = 65535\nrole = primary\n"
                              "port p { device = net_ring0 addresses = {10.1.0.2/24} }\n"
                              "home-agent { addresses = {10.1.0.2} home-networks = {10.1.0.0/24} }\n";

static inline void setup(void)
{
    directory_setup();
    write_text("nodes.csv", good_rows, 0600);
}

static inline char *changed(const char *find, const char *replace)
{
    return changed_in(good, find, replace);
}

static inline struct conf *loaded_with(const char *find, const char *replace)
{
    char *text = changed(find, replace);
    struct conf *conf = loaded(text);
    free(text);
    return conf;
}

#endif
