#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The appliance as a router and home agent on its link, and its own addresses there, among real kernels (RFC 4861 section 6.2, RFC
# 4862 section 5.4, RFC 6275 section 7).
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/ipv6.sh
. "$(dirname "$0")/ipv6.sh"

advertisement='router-advertisement "home" { interval = 600  router-lifetime = 1800  preference = 7  home-agent-lifetime = 90  valid-lifetime = 600  preferred-lifetime = 300 }'

# host6 SETTING VALUE: of the home link's host.
host6()
{
    on hh sysctl -qw "net.ipv6.conf.eth0.$1=$2"
}

# The host made itself an address of the prefix that is advertised (RFC 4862 section 5.5).
configured()
{
    ip -n "$(lab_ns hh)" -6 address show dev eth0 | grep 'scope global dynamic' | grep -q '2001:db8:1:'
}

default_router()
{
    ip -n "$(lab_ns hh)" -6 route show default proto ra | grep -q "via $1 "
}

neighbor_is_router()
{
    ip -n "$(lab_ns hh)" -6 neighbor show "$1" | grep -q router
}

# advertised FIELD VALUE: by the last router advertisement of the capture.
advertised()
{
    local said
    said=$(fields "$LAB_DIR/hh.pcap" "icmpv6.type == 134 && eth.src == $appliance" "$1" | tail -n 1)
    echo "$said"
    [[ $said == "$2" ]]
}

# How often the appliance has said that it has the address.
answers()
{
    count "$LAB_DIR/hh.pcap" "icmpv6.type == 136 && eth.src == $appliance && icmpv6.nd.na.target_address == $1"
}

said_farewell()
{
    [[ $(count "$LAB_DIR/hh.pcap" "icmpv6.type == 134 && eth.src == $appliance && icmpv6.nd.ra.router_lifetime == 0") == 1 ]]
}

# More than three seconds lie between any two to all nodes (RFC 4861 section 6.2.6), the last of all excepted.
apart()
{
    fields "$LAB_DIR/hh.pcap" "icmpv6.type == 134 && icmpv6.nd.ra.router_lifetime > 0 && eth.src == $appliance" frame.time_epoch |
        awk 'NR > 1 && $1 - last < 2.9 { print $1 - last; bad = 1 } { last = $1 } END { exit bad }'
}

log_says()
{
    lab_log homeportd | grep -q "$1"
}

write_conf()
{
    appliance_conf "$@" | with_ipv6 >"$LAB_DIR/appliance.conf"
    chmod 600 "$LAB_DIR/appliance.conf"
}

ipv6_require
lab_up
lab_ipv6
host6 accept_ra 2
host6 autoconf 1
write_conf "$advertisement"
capture hh eth0 "$LAB_DIR/hh.pcap" ip6
appliance=$(mac_of pha hp0)
# The address is taken: the host has it.
lab_address6 hh eth0 "$LAB_HOME_AGENT6/64"
start_appliance "$LAB_DIR/appliance.conf"
expect "an address that another station has is not used" within 5 log_says "address conflict: .* has our address $LAB_HOME_AGENT6, which is not used"
expect "its owner is reached" on rtr ping -n -q -c 1 -W 1 "$LAB_HOME_AGENT6"
expect "by its own answer alone" test "$(answers "$LAB_HOME_AGENT6")" = 0
expect "nor advertised" fails configured
ip -n "$(lab_ns hh)" address del "$LAB_HOME_AGENT6/64" dev eth0
console reload >/dev/null
expect "it is asked for again on reload, and then used" within 5 on hh ping -n -q -c 1 -W 1 "$LAB_HOME_AGENT6"

link_local=$(console show ports | grep -o 'fe80:[0-9a-f:]*' | head -n 1)
expect "a host takes it for its router" within 10 default_router "$link_local"
expect "and configures an address of its prefix" within 10 configured
expect "its address is a router's" within 5 neighbor_is_router "$LAB_HOME_AGENT6"
expect "it is a home agent" advertised icmpv6.nd.ra.flag.h 1
expect "of that preference" advertised icmpv6.opt.home_agent_preference 7
expect "and lifetime" advertised icmpv6.opt.home_agent_lifetime 90
expect "the prefix option has its whole address" advertised icmpv6.opt.prefix "$LAB_HOME_AGENT6"
expect "and says so" advertised icmpv6.opt.prefix.flag.r 1
expect "its lifetimes" advertised icmpv6.opt.prefix.valid_lifetime 600
expect "how often it is heard at least" advertised icmpv6.opt.advertisement_interval 600000

host6 router_solicitations 3
ip -n "$(lab_ns hh)" link set eth0 down
ip -n "$(lab_ns hh)" link set eth0 up
# The next one by itself would be sixteen seconds after the last.
expect "a router solicitation is answered" within 5 default_router "$link_local"

write_conf
console reload >/dev/null
expect "it says farewell" within 3 said_farewell
expect "which the host believes" within 3 fails default_router "$link_local"
capture_end "$LAB_DIR/hh.pcap"
expect "no two advertisements within three seconds" apart
expect "tshark finds nothing wrong" sound "$LAB_DIR/hh.pcap" "eth.src == $appliance"
expect "every advertisement is from its link-local address" \
    test "$(count "$LAB_DIR/hh.pcap" "icmpv6.type == 134 && eth.src == $appliance && ipv6.src != $link_local")" = 0
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"
