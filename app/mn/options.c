/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"
#include "mip4.h"

#include <assert.h>
#include <getopt.h>
#include <net/if.h>
#include <stdio.h>

static const char help[] =
    "usage: homeport-mn --home-agent ADDRESS --care-of ADDRESS[,...] (--home ... --key ... | --mobile-nodes "
    "FILE)\n"
    "\n"
    "Simulates mobile nodes with co-located care-of addresses that register with a home agent: by Mobile "
    "IPv4\n"
    "(RFC 5944), or, where the addresses are IPv6, by Mobile IPv6 (RFC 6275, RFC 4285).\n"
    "\n"
    "who\n"
    "  --home ADDRESS[+COUNT]    home address of a mobile node, or of COUNT from it on; may be repeated\n"
    "  --spi N                   their security parameter index (256)\n"
    "  --key hex:...|file:PATH   their key\n"
    "  --algorithm NAME          hmac-md5 (IPv4's default), hmac-sha1 (IPv6's only one), hmac-sha256\n"
    "  --replay STYLE            timestamp (default); IPv4: nonce; IPv6: sequence\n"
    "  --mobile-nodes FILE       rows address,spi,key[,algorithm[,replay[,nai]]]\n"
    "where\n"
    "  --home-agent ADDRESS      the home agent\n"
    "  --care-of A[,B...]        addresses of this host: the first is where they start\n"
    "  --spread                  divide the mobile nodes among all care-of addresses\n"
    "  --port N                  local UDP port of IPv4 (434)\n"
    "what\n"
    "  --lifetime S              asked for, 1 to 65535 = infinite (600)\n"
    "  --renew S                 renew after S seconds (four fifths of the lifetime granted)\n"
    "  --rate N                  at most N requests/s of all together (1000); 0: no limit\n"
    "  --tries N                 requests before giving up, 1 s apart (IPv6: 1.5 s), then twice as long, ... "
    "(6);\n"
    "                            0: never give up\n"
    "  --roam-every S            move to the next care-of address every S seconds\n"
    "  --duration S              end after S seconds; 0: when everyone was answered (until stopped)\n"
    "  --deregister              deregister at the end, from abroad\n"
    "  --at-home INTERFACE       come home to this interface at the end, and deregister from there\n"
    "  --netmask BITS            of the home network (24; IPv6: 64)\n"
    "the tunnel\n"
    "  --tun NAME                a TUN device, made if needed, that bears the home addresses and gets what\n"
    "                            was decapsulated, so that the kernel answers\n"
    "  --reverse-tunnel          ask for a reverse tunnel (T, RFC 3024; IPv6 has it); what the kernel gives "
    "to the TUN\n"
    "                            device goes by it: route there what shall\n"
    "  --stream-port N           UDP port of numbered streams from homeport-stream (9); 0: none\n"
    "report\n"
    "  --json                    as JSON on standard output\n"
    "  --quiet                   no progress line\n"
    "  --help, --version\n"
    "\n"
    "Lines on standard input: roam ADDRESS[,...], home INTERFACE, register, deregister, wait, status, quit.\n"
    "SIGINT and SIGTERM end it as --duration does; a second one at once.\n"
    "Exit status: 0 every mobile node got what it asked for, 1 some did not, 2 usage.\n";

enum { HOMES_MAX = 256, NETMASK_IPV4 = 24, NETMASK_IPV6 = 64 };

struct state {
    struct command_line line;
    struct options *o;
    struct mobile_identity like; /* what belongs to all --home together, */
    bool has_key;
    const char *homes[HOMES_MAX]; /* which therefore wait until all options are read */
    size_t home_count;
};

/* What the roster says of a row goes there. */
static_assert((int)COMMAND_LINE_ERROR_MAX >= (int)ROSTER_ERROR_MAX, "an error of the roster fits");

static bool complain(struct state *s, const char *what)
{
    return command_line_complain(&s->line, what);
}

size_t options_addresses(const char *text, struct addr out[static NET_SOCKETS_MAX])
{
    for (size_t n = 0; n < NET_SOCKETS_MAX; n++) {
        char one[ADDR_TEXT_MAX];
        const size_t len = strcspn(text, ",");
        if (len >= sizeof(one))
            return 0;
        memcpy(one, text, len);
        one[len] = '\0';
        if (!addr_parse(one, &out[n]) || addr_is_unspecified(&out[n]))
            return 0;
        if (text[len] == '\0')
            return n + 1;
        text += len + 1;
    }
    return 0;
}

static bool parse_address(struct state *s, const char *text, struct addr *out)
{
    struct addr a;
    if (!addr_parse(text, &a) || addr_is_unspecified(&a)) {
        snprintf(s->line.error, sizeof(s->line.error), "%.60s is not an address", text);
        return false;
    }
    *out = a;
    return true;
}

static bool parse_interface(struct state *s, const char *text, const char **out)
{
    if (*text == '\0' || strlen(text) >= IF_NAMESIZE)
        return complain(s, "not the name of an interface");
    *out = text;
    return true;
}

NUMBER_OPTION(port, s->o->port, 1, 65535)
NUMBER_OPTION(lifetime, s->o->policy.lifetime_s, 1, MIP4_LIFETIME_INFINITE)
NUMBER_OPTION(renew, s->o->policy.renew_s, 1, 65535)
NUMBER_OPTION(rate, s->o->rate, 0, 10000000)
NUMBER_OPTION(tries, s->o->policy.tries, 0, 255)
NUMBER_OPTION(roam_every, s->o->roam_every_s, 1, 1000000)
NUMBER_OPTION(duration, s->o->duration_s, 0, 100000000)
NUMBER_OPTION(netmask, s->o->netmask_bits, 1, 128)
NUMBER_OPTION(stream_port, s->o->stream_port, 0, 65535)

FLAG_OPTION(spread, s->o->spread)
FLAG_OPTION(deregister, s->o->deregister)
FLAG_OPTION(json, s->o->json)
FLAG_OPTION(quiet, s->o->quiet)
FLAG_OPTION(reverse_tunnel, s->o->policy.reverse_tunnel)

static bool take_home(struct state *s, const char *text)
{
    if (s->home_count == HOMES_MAX)
        return complain(s, "too many --home; use --mobile-nodes");
    s->homes[s->home_count++] = text;
    return true;
}

static bool take_spi(struct state *s, const char *text)
{
    return roster_spi(text, &s->like.spi) || complain(s, "an SPI is a number from 256 to 4294967295");
}

static bool take_key(struct state *s, const char *text)
{
    s->has_key = true;
    return roster_key(text, &s->like.key, s->line.error);
}

static bool take_algorithm(struct state *s, const char *text)
{
    enum auth_algorithm algorithm;
    if (!auth_by_name(text, &algorithm))
        return complain(s, "no such algorithm");
    s->like.key.algorithm = (uint8_t)algorithm;
    return true;
}

static bool take_replay(struct state *s, const char *text)
{
    return roster_replay(text, &s->like.replay) ||
           complain(s, "replay protection is timestamp, nonce or sequence");
}

static bool take_mobile_nodes(struct state *s, const char *text)
{
    return roster_add_file(&s->o->roster, text, s->line.error);
}

static bool take_home_agent(struct state *s, const char *text)
{
    return parse_address(s, text, &s->o->home_agent);
}

static bool take_care_of(struct state *s, const char *text)
{
    s->o->care_of_count = options_addresses(text, s->o->care_of);
    return s->o->care_of_count > 0 || complain(s, "not a list of addresses");
}

static bool take_at_home(struct state *s, const char *text)
{
    return parse_interface(s, text, &s->o->at_home);
}

static bool take_tun(struct state *s, const char *text)
{
    return parse_interface(s, text, &s->o->tun);
}

static bool take_help(struct state *s, const char *text)
{
    (void)text;
    fputs(help, stdout);
    return s->line.done = true;
}

static bool take_version(struct state *s, const char *text)
{
    (void)text;
    puts("homeport-mn " HOMEPORT_VERSION);
    return s->line.done = true;
}

static const struct command_line_option options[] = {
    {"home", take_home, required_argument},
    {"spi", take_spi, required_argument},
    {"key", take_key, required_argument},
    {"algorithm", take_algorithm, required_argument},
    {"replay", take_replay, required_argument},
    {"mobile-nodes", take_mobile_nodes, required_argument},
    {"home-agent", take_home_agent, required_argument},
    {"care-of", take_care_of, required_argument},
    {"spread", take_spread, no_argument},
    {"port", take_port, required_argument},
    {"lifetime", take_lifetime, required_argument},
    {"renew", take_renew, required_argument},
    {"rate", take_rate, required_argument},
    {"tries", take_tries, required_argument},
    {"roam-every", take_roam_every, required_argument},
    {"duration", take_duration, required_argument},
    {"deregister", take_deregister, no_argument},
    {"at-home", take_at_home, required_argument},
    {"netmask", take_netmask, required_argument},
    {"tun", take_tun, required_argument},
    {"reverse-tunnel", take_reverse_tunnel, no_argument},
    {"stream-port", take_stream_port, required_argument},
    {"json", take_json, no_argument},
    {"quiet", take_quiet, no_argument},
    {"help", take_help, no_argument},
    {"version", take_version, no_argument},
};

/* ADDRESS or ADDRESS+COUNT. */
static bool add_home(struct state *s, const char *text)
{
    char first[ADDR_TEXT_MAX];
    const size_t len = strcspn(text, "+");
    uint32_t count = 1;

    if (len >= sizeof(first))
        return complain(s, "not an IPv4 address");
    memcpy(first, text, len);
    first[len] = '\0';
    if (!parse_address(s, first, &s->like.home))
        return false;
    if (text[len] == '+' && !command_line_number(&s->line, text + len + 1, 1, UINT32_C(1) << 24, &count))
        return false;
    return roster_add_range(&s->o->roster, &s->like, count, s->line.error);
}

/* A mobile node, its care-of addresses and its home agent: there are no tunnels from one to the other. */
static bool one_family(struct state *s)
{
    const bool ipv4 = addr_is_ipv4(&s->o->home_agent);
    for (size_t i = 0; i < s->o->care_of_count; i++)
        if (addr_is_ipv4(&s->o->care_of[i]) != ipv4)
            return complain(s, "--care-of is not of the home agent's family");
    for (size_t i = 0; i < s->o->roster.count; i++)
        if (addr_is_ipv4(&s->o->roster.rows[i].home) != ipv4)
            return complain(s, "a home address is not of the home agent's family");
    if (s->o->netmask_bits == 0)
        s->o->netmask_bits = ipv4 ? NETMASK_IPV4 : NETMASK_IPV6;
    return !ipv4 || s->o->netmask_bits <= 32 || complain(s, "--netmask has at most 32 bits");
}

/* What only all options together show. */
static bool complete(struct state *s)
{
    if (s->home_count > 0 && !s->has_key)
        return complain(s, "--home needs --key");
    for (size_t i = 0; i < s->home_count; i++)
        if (!add_home(s, s->homes[i]))
            return false;
    if (s->o->roster.count == 0)
        return complain(s, "no mobile nodes: --home or --mobile-nodes");
    if (addr_is_unspecified(&s->o->home_agent))
        return complain(s, "--home-agent is missing");
    if (s->o->care_of_count == 0)
        return complain(s, "--care-of is missing");
    return one_family(s);
}

enum options_result options_parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){
        .policy = {.lifetime_s = 600, .tries = 6},
        .rate = 1000,
        .duration_s = OPTIONS_UNTIL_STOPPED,
        .port = MIP4_PORT,
        .stream_port = 9, /* "discard" (RFC 863) */
    };
    struct state s = {
        .line = {.program = "homeport-mn",
                 .options = options,
                 .n_options = sizeof(options) / sizeof(options[0])},
        .o = o,
        .like = {.spi = MIP4_SPI_MIN,
                 .key.algorithm = ROSTER_ALGORITHM_OF_FAMILY,
                 .replay = MOBILE_TIMESTAMP},
    };
    return command_line_read(&s.line, &s, complete, argc, argv);
}

void options_clear(struct options *o)
{
    roster_clear(&o->roster);
}
