#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The appliance as an IPv6 host and hop among real kernels (RFC 4443, RFC 4861, RFC 8200): neighbour discovery both ways, echo, hop
# limit, packet too big, parameter problems.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/ipv6.sh
. "$(dirname "$0")/ipv6.sh"

tunnel_mtu=1460

# says WHAT EXPECTED: of an odd datagram from the home link's host.
says()
{
    local said
    said=$(on hh "$LAB_ROOT/test/net/odd6.py" "$1" 2001:db8:1::9 "$LAB_HOME_AGENT6" 2>/dev/null) || return 1
    echo "$said"
    [[ $said == "$2" ]]
}

ping6()
{
    local ns=$1
    shift
    on "$ns" ping -n -q -c 2 -i 0.2 -W 2 "$@"
}

# What the kernel says of an answer from elsewhere.
hears()
{
    local ns=$1 expected=$2
    shift 2
    on "$ns" ping -n -c 1 -W 2 "$@" | grep -F "$expected"
}

path_mtu_is()
{
    [[ $(ip -n "$(lab_ns "$1")" -6 route get "$LAB_HOME_ADDRESS6" | sed -n 's/.* mtu \([0-9]*\).*/\1/p') == "$2" ]]
}

# What a kernel believes.
is_router()
{
    ip -n "$LAB_ID-$1" -6 neighbor show "$2" | grep -q router
}

# Neighbours of the appliance's that have the home link's IPv6 addresses.
knows()
{
    console show neighbors | grep "^$1 " | grep -q "$2"
}

ipv6_require
/usr/bin/python3 -c 'import scapy.layers.inet6' 2>/dev/null || { lab_say "skipped: no scapy"; exit "$LAB_SKIP"; }
# shellcheck disable=SC2119
ipv6_up
appliance=$(mac_of pha hp0)
capture hh eth0 "$LAB_DIR/hh.pcap" ip6

expect "a neighbour finds it by neighbour discovery" test "$(neighbor_of hh "$LAB_HOME_AGENT6")" = "$appliance"
expect "and does not take it for a router" fails is_router hh "$LAB_HOME_AGENT6"
expect "it knows its neighbour" knows 2001:db8:1::9 "$(mac_of hh eth0)"
expect "a ping through the router" ping6 cn "$LAB_HOME_AGENT6"
expect "as large as the link" ping6 hh -s 1452 "$LAB_HOME_AGENT6"
expect "larger, in fragments both ways" ping6 hh -s 1900 "$LAB_HOME_AGENT6"
expect "and through the router" ping6 cn -s 1900 "$LAB_HOME_AGENT6"
link_local=$(console show ports | grep -o 'fe80:[0-9a-f:]*' | head -n 1)
expect "its link-local address" ping6 hh "$link_local%eth0"
expect "nobody has this address" fails ping6 hh 2001:db8:1::77

expect "padding is of no account" says padded reply
expect "an option to be skipped" says option-skip reply
expect "one to be dropped for" says option-drop silence
expect "one to be told of" says option-tell "4 2 42"
sleep 1.1 # errors are rationed
expect "told of to who sent it to one host" says option-tell-unicast "4 2 42"
sleep 1.1
expect "a protocol that it does not serve" says next-header "4 1 6"
sleep 1.1
expect "a source route (RFC 5095)" says routing-type-0 "4 0 42"
expect "a wrong checksum" says checksum silence
expect "no next header at all" says empty silence

roam_to visited1
start_mobile6 --care-of 2001:db8:2::50 --tun mip0 --lifetime 300
expect "a mobile node registers" within 10 bound6 2001:db8:2::50
expect "the correspondent reaches it" ping6 cn "$LAB_HOME_ADDRESS6"
sleep 1.1
expect "it is a hop on the way" hears cn "From $LAB_HOME_AGENT6 icmp_seq=1 Time exceeded: Hop limit" -t 2 "$LAB_HOME_ADDRESS6"
expect "as much as fits into the tunnel" ping6 cn -s $((tunnel_mtu - 48)) -M "do" "$LAB_HOME_ADDRESS6"
expect "no path MTU was needed so far" path_mtu_is cn ""
sleep 1.1
expect "a byte more is too big" hears cn "From $LAB_HOME_AGENT6 icmp_seq=1 Packet too big: mtu=$tunnel_mtu" -s $((tunnel_mtu - 47)) -M "do" \
    "$LAB_HOME_ADDRESS6"
expect "which the correspondent's kernel believes" path_mtu_is cn $tunnel_mtu
expect "and so sends fragments" ping6 cn -s 3000 "$LAB_HOME_ADDRESS6"
sleep 1.1
expect "the same from the home link" hears hh "From $LAB_HOME_AGENT6 icmp_seq=1 Packet too big: mtu=$tunnel_mtu" -s 1452 -M "do" \
    "$LAB_HOME_ADDRESS6"
expect "a link-local address is nobody's to tunnel" fails on hh ping -n -q -c 1 -W 1 "fe80::50%eth0"
capture_end "$LAB_DIR/hh.pcap"
expect "tshark finds nothing wrong" sound "$LAB_DIR/hh.pcap" "eth.src == $appliance"
expect "all of neighbour discovery has hop limit 255" \
    test "$(count "$LAB_DIR/hh.pcap" "eth.src == $appliance && icmpv6.type in {133..137} && ipv6.hlim != 255")" = 0
mobile6_do quit
expect "the mobile node's host ends well" within 10 lab_ended mobile6
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"
