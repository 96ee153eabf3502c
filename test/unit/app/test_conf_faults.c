/* SPDX-License-Identifier: BSD-3-Clause */
/* One fault, one line. */
#include "conf_good.h"

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
    {"whose groups", "mtu       = 1500", "mtu = 1500\nmld = some", 15,
     "mld: 'some' is none of all, own, off"},
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
    {"too many buffers", "memory     = 512", "memory = 512\n    buffers = 16777217", 7, "from 0 to 16777216"},
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

int main(void)
{
    Suite *suite = suite_create("conf_faults");
    TCase *tests = conf_case(suite, "conf_faults", setup);
    tcase_add_loop_test(tests, refuses, 0, ROWS(faults));
    tcase_add_test(tests, refuses_all_at_once);
    tcase_add_test(tests, refuses_no_text);
    return check_main(suite);
}
