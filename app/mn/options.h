/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the command line asks for. Nobody changes it after options_parse.
 */
#ifndef MN_OPTIONS_H
#define MN_OPTIONS_H

#include "command_line.h"
#include "net.h"
#include "roster.h"

enum { OPTIONS_UNTIL_STOPPED = -1, OPTIONS_UNTIL_ANSWERED = 0 };

struct options {
    struct roster roster;
    struct addr home_agent;
    struct addr care_of[NET_SOCKETS_MAX];
    size_t care_of_count;
    struct mobile_policy policy;
    uint32_t rate;
    uint32_t roam_every_s; /* 0: stays */
    int32_t duration_s;    /* or OPTIONS_UNTIL_... */
    uint16_t port;
    uint16_t stream_port;
    uint8_t netmask_bits;
    bool spread;
    bool deregister;
    bool json;
    bool quiet;
    const char *at_home; /* interface on the home link; NULL: stays abroad */
    const char *tun;     /* NULL: none */
};

/* OPTIONS_DONE: help or version was printed; OPTIONS_BAD: what is wrong is on stderr. */
enum options_result options_parse(int argc, char **argv, struct options *o);
/* "A[,B...]". How many; 0: malformed or too many. */
size_t options_addresses(const char *text, struct addr out[static NET_SOCKETS_MAX]);
void options_clear(struct options *o);

#endif
