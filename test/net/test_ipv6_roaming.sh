#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Mobile IPv6 (RFC 6275) among real kernels: a mobile node leaves home, roams, and comes home; who reaches it where, what the
# neighbours on its home link believe meanwhile, and what tshark thinks of it all.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/ipv6.sh
. "$(dirname "$0")/ipv6.sh"

datagrams=6000

# Neighbour advertisements about the home address that FILE has from a MAC address, each as "destination R S O", in order.
advertised()
{
    fields "$1" "icmpv6.type == 136 && icmpv6.nd.na.target_address == $LAB_HOME_ADDRESS6 && eth.src == $2 && ipv6.dst == $3" \
        icmpv6.nd.na.flag.r icmpv6.nd.na.flag.s icmpv6.nd.na.flag.o | sort -u | tr '\t\n' '  '
}

# flags_are FILE MAC DESTINATION "R S O "
flags_are()
{
    advertised "$1" "$2" "$3"
    [[ $(advertised "$1" "$2" "$3") == "$4" ]]
}

is_at_least()
{
    echo "$1"
    [[ $1 -ge $2 ]]
}

ipv6_require
# shellcheck disable=SC2119
ipv6_up
appliance=$(mac_of pha hp0)
mobile=$(mac_of mn home0)
expect "and is reached through the router" reaches cn "$LAB_HOME_AGENT6"
expect "nobody answers for a home address that is not bound" fails reaches hh "$LAB_HOME_ADDRESS6"
on hh ip -6 neighbor flush dev eth0

link=$LAB_DIR/link.pcap visited=$LAB_DIR/visited.pcap
# On the bridge's port, which sees the mobile node's own frames too.
capture home pha "$link" ip6
capture rtr visited1 "$visited" ip6
roam_to visited1
start_mobile6 --care-of 2001:db8:2::50 --tun mip0 --lifetime 300 --json
expect "it registers from visited1" within 10 bound6 2001:db8:2::50
expect "the correspondent reaches it there" reaches cn "$LAB_HOME_ADDRESS6"
expect "so does a host on its home link" reaches hh "$LAB_HOME_ADDRESS6"
expect "which sends by the appliance" believes6 hh "$appliance"
expect "as the router does" believes6 rtr "$appliance"
capture_end "$visited"
expect "what came was tunnelled by the home agent to the care-of address" \
    is_at_least "$(count "$visited" "ipv6.nxt == 41 && ipv6.src == $LAB_HOME_AGENT6 && ipv6.dst == 2001:db8:2::50")" 4
expect "nothing came to it otherwise" \
    test "$(count "$visited" "!ipv6.nxt == 41 && ipv6.dst == $LAB_HOME_ADDRESS6")" = 0

# It has the next link before it gives up the last, so nothing need be lost.
lab_spawn stream cn "$LAB_BUILD/app/mn/homeport-stream" --to "$LAB_HOME_ADDRESS6" --rate 2000 --count $datagrams </dev/null
sleep 1
ip -n "$LAB_ID-mn" link set visited2 up
wait_for 5 lab_carrier visited2
ip -n "$LAB_ID-mn" address add 2001:db8:3::50/64 dev visited2 nodad
ip -n "$LAB_ID-mn" -6 route add default via 2001:db8:3::1 dev visited2 metric 10 onlink
mobile6_do roam 2001:db8:3::50
expect "it moves to visited2, make before break" within 10 bound6 2001:db8:3::50
expect "the stream ends" within 20 lab_ended stream
capture rtr visited1 "$LAB_DIR/left.pcap" ip6
roam_to visited2
expect "the correspondent reaches it there" reaches cn "$LAB_HOME_ADDRESS6"
capture_end "$LAB_DIR/left.pcap"
expect "nothing goes to where it was" test "$(count "$LAB_DIR/left.pcap" "ipv6.nxt == 41")" = 0

roam_to home
mobile6_do home home0
expect "it deregisters at home" within 10 no_binding6
capture rtr home0 "$LAB_DIR/after.pcap" ip6
expect "a host on its home link sends to itself" within 3 believes6 hh "$mobile"
expect "as the router does" within 3 believes6 rtr "$mobile"
expect "the correspondent reaches it there" reaches cn "$LAB_HOME_ADDRESS6"
expect "so does the host on its home link" reaches hh "$LAB_HOME_ADDRESS6"
sleep 2 # its three advertisements
capture_end "$LAB_DIR/after.pcap"
capture_end "$link"
expect "nothing is tunnelled any more" test "$(count "$LAB_DIR/after.pcap" "ipv6.nxt == 41")" = 0

# RFC 6275 section 10.4.1; RFC 4861 section 7.2.8.
expect "the appliance announced the home address: override, neither router nor solicited; without override to who asked for it by \
duplicate address detection" flags_are "$link" "$appliance" ff02::1 "0 0 0 0 0 1 "
expect "and answered who asked: solicited, without override" \
    flags_are "$link" "$appliance" 2001:db8:1::9 "0 1 0 "
expect "it asked from no address before it served" \
    is_at_least "$(count "$link" "icmpv6.type == 135 && eth.src == $appliance && ipv6.src == :: && icmpv6.nd.ns.target_address == $LAB_HOME_ADDRESS6")" 1
expect "the mobile node asked from no address for the home agent's" \
    is_at_least "$(count "$link" "icmpv6.type == 135 && eth.src == $mobile && ipv6.src == ::")" 1
expect "and never from its home address" \
    test "$(count "$link" "icmpv6.type == 135 && eth.src == $mobile && ipv6.src == $LAB_HOME_ADDRESS6 && icmpv6.nd.ns.target_address == $LAB_HOME_AGENT6")" = 0
expect "it announced itself on its return" flags_are "$link" "$mobile" ff02::1 "0 0 1 "
expect "after which the appliance says nothing about it" test "$(count "$LAB_DIR/after.pcap" \
    "icmpv6.type == 136 && eth.src == $appliance && icmpv6.nd.na.target_address == $LAB_HOME_ADDRESS6")" = 0
# The last binding acknowledgement went to the mobile node's MAC address, without a routing header.
expect "the acknowledgement at home" test "$(fields "$link" "mip6.mhtype == 6" ipv6.dst eth.dst ipv6.routing.type | tail -n 1 | tr '\t' ' ')" \
    = "$LAB_HOME_ADDRESS6 $mobile "
expect "tshark finds nothing wrong" sound "$link"
expect "nor where it was a visitor" sound "$visited"

roam_to visited1
mobile6_do roam 2001:db8:2::50
expect "it leaves again" within 10 bound6 2001:db8:2::50
expect "the neighbours on its home link are told" within 3 believes6 hh "$appliance"
expect "the correspondent reaches it" reaches cn "$LAB_HOME_ADDRESS6"
mobile6_do quit
expect "the mobile node's host ends well" within 10 lab_ended mobile6
echo "   stream of $datagrams over a move: $(stream_field received) received, $(stream_field lost) lost, $(stream_field duplicates) duplicates"
expect "no packet of the stream is lost" test "$(stream_field received)" = $datagrams -a "$(stream_field duplicates)" = 0
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"
