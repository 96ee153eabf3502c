#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Reverse tunnels of Mobile IPv6 (RFC 6275 section 10.4.5): a mobile node's packets leave the network that it visits encapsulated, and go
# on from its home agent; while it roams, while a secondary forwards to it, after a secondary's. What comes from elsewhere than the
# care-of address of the binding of the inner source is dropped and counted.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/ipv6.sh
. "$(dirname "$0")/ipv6.sh"

correspondent=2001:db8:9::2
other_home=2001:db8:1::51
port=7777

# counter NAME: of the primary's workers.
counter()
{
    console -j show counters | sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" | head -n 1
}

# mn_reaches ADDRESS [OPTION...]: from the home address.
mn_reaches()
{
    local to=$1
    shift
    on mn ping -n -q -c 2 -i 0.2 -W 2 -I "$LAB_HOME_ADDRESS6" "$@" "$to"
}

forged()
{
    on mn "$(dirname "$0")/reverse.py" "$@"
}

# arrived FILE COUNT: of the datagrams made by reverse.py.
arrived()
{
    test "$(tcpdump -nr "$1" "udp port $port" 2>/dev/null | wc -l)" -eq "$2"
}

# refused WHAT HOW OUTER-SOURCE INNER-SOURCE: dropped, counted, and nothing of it comes to the correspondent.
refused()
{
    local what=$1 before
    shift
    before=$(counter reverse_tunnel)
    forged "$@" "$correspondent" 3 || lab_fail "reverse.py $*"
    expect "dropped and counted: $what" within 3 eval "test \$(counter reverse_tunnel) -eq $((before + 3))"
}

ipv6_require
/usr/bin/python3 -c 'import scapy.layers.inet6' 2>/dev/null || { lab_say "skipped: no scapy"; exit "$LAB_SKIP"; }
lab_up
lab_ipv6
lab_secondary 1
appliance_conf6 "mobile-node \"$other_home\" { spi = 256  key = \"$LAB_KEY\" }" "$(secondary_section 1)" \
    'delegation { when = manual  linger = 3 }' >"$LAB_DIR/pha.conf"
chmod 600 "$LAB_DIR/pha.conf"
start_appliance "$LAB_DIR/pha.conf"
start_secondary 1
expect "the secondary is ready" within 10 secondary_is ready 1
expect "the appliances have their IPv6 addresses" within 5 eval 'reaches hh 2001:db8:1::2 && reaches hh 2001:db8:1::3'
roam_to visited1
start_mobile6 --care-of 2001:db8:2::50 --tun mip0 --reverse-tunnel --json --lifetime 300
expect "the mobile node registers" within 10 bound6 2001:db8:2::50
ip -n "$LAB_ID-mn" -6 route add "$correspondent/128" dev mip0
ip -n "$LAB_ID-mn" -6 route add 2001:db8:1::9/128 dev mip0

capture rtr visited1 "$LAB_DIR/visited.pcap" ip6
capture cn eth0 "$LAB_DIR/correspondent.pcap" ip6
expect "by the tunnel it reaches the correspondent" mn_reaches "$correspondent"
expect "with as much as fits" mn_reaches "$correspondent" -s 1412 -M "do"
expect "and a host on its home link" mn_reaches 2001:db8:1::9
forged ipv6 2001:db8:2::50 "$LAB_HOME_ADDRESS6" "$correspondent" 5
forged limit 2001:db8:2::50 "$LAB_HOME_ADDRESS6" "$correspondent" 4
expect "what others encapsulate in its name and place arrives, too, with an encapsulation limit or without" within 3 \
    arrived "$LAB_DIR/correspondent.pcap" 9
capture_end "$LAB_DIR/correspondent.pcap"
capture_end "$LAB_DIR/visited.pcap"
expect "decapsulated" test "$(count "$LAB_DIR/correspondent.pcap" "ipv6.nxt == 41")" = 0
expect "and nothing left the network visited in its home address's name" \
    test "$(tcpdump -nr "$LAB_DIR/visited.pcap" "src $LAB_HOME_ADDRESS6" 2>/dev/null | wc -l)" = 0
expect "tshark finds nothing wrong" sound "$LAB_DIR/visited.pcap"

capture cn eth0 "$LAB_DIR/forged.pcap" udp port "$port"
refused "a home address of somebody else's inside" ipv6 2001:db8:2::50 "$other_home"
refused "no home address inside" ipv6 2001:db8:2::50 2001:db8:9::99
refused "a link-local address inside" ipv6 2001:db8:2::50 fe80::50
refused "not from the care-of address" ipv6 2001:db8:2::51 "$LAB_HOME_ADDRESS6"
refused "the same with an encapsulation limit" limit 2001:db8:2::51 "$LAB_HOME_ADDRESS6"
refused "a tunnel in the tunnel" ipv6-twice 2001:db8:2::50 "$LAB_HOME_ADDRESS6"

roam_to visited2
ip -n "$LAB_ID-mn" -6 route replace "$correspondent/128" dev mip0
mobile6_do roam 2001:db8:3::50
expect "it roams" within 10 bound6 2001:db8:3::50
expect "and so does the reverse tunnel" mn_reaches "$correspondent"
refused "from the care-of address before" ipv6 2001:db8:2::50 "$LAB_HOME_ADDRESS6"

console delegate "$LAB_HOME_ADDRESS6" sha1 >/dev/null
expect "the secondary forwards" within 5 forwards_settled sha1 "$LAB_HOME_ADDRESS6"
expect "the primary goes on decapsulating" mn_reaches "$correspondent"
console recall "$LAB_HOME_ADDRESS6" >/dev/null
expect "the primary forwards again" within 5 forwards_settled self "$LAB_HOME_ADDRESS6"
capture_end "$LAB_DIR/forged.pcap"
expect "nothing that was refused has arrived" arrived "$LAB_DIR/forged.pcap" 0
mobile6_do deregister
expect "it deregisters" within 5 no_binding6
refused "there is no binding any more" ipv6 2001:db8:3::50 "$LAB_HOME_ADDRESS6"
stop_mobile6 || true
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"
