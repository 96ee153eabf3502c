#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A live binding of an IPv6 home address moves between a primary and two secondaries while a correspondent's kernel sends to it, through
# real neighbour caches that unsolicited neighbour advertisements correct: by hand from the primary to one, to the other, back; while
# the mobile node roams. No packet is lost; tunnels bear the primary's address. A secondary that dies is stood in for. Then it comes home.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/ipv6.sh
. "$(dirname "$0")/ipv6.sh"

datagrams=60000
link=$LAB_DIR/link.pcap

forwards6()
{
    forwards_settled "$1" "$LAB_HOME_ADDRESS6"
}

# The router has sent to it lately, so its cache holds it; the neighbour's as well.
caches_follow()
{
    expect "the router's cache follows to $1" within 3 believes6 rtr "$(mac_of "$1" hp0)"
    expect "the neighbour's cache follows to $1" within 3 believes6 hh "$(mac_of "$1" hp0)"
}

# tunnelled_by NAME: frames that left its port into a tunnel, in the capture of the home link.
tunnelled_by()
{
    tcpdump -n -r "$link" "ether src $(mac_of "$1" hp0) and ip6 proto 41" 2>/dev/null | wc -l
}

nothing_bound()
{
    console_of "$1" -j show bindings | tr -d '\n' | grep -q '"bindings": \[\]'
}

ipv6_require
lab_up
lab_ipv6
lab_secondary 1
lab_secondary 2
appliance_conf6 "$(secondary_section 1)" "$(secondary_section 2)" 'delegation { when = manual  linger = 3 }' >"$LAB_DIR/pha.conf"
chmod 600 "$LAB_DIR/pha.conf"
start_appliance "$LAB_DIR/pha.conf"
start_secondary 1
start_secondary 2
expect "both secondaries are ready" within 10 eval 'secondary_is ready 1 && secondary_is ready 2'
expect "the appliances have their IPv6 addresses" within 5 eval \
    'reaches hh 2001:db8:1::2 && reaches hh 2001:db8:1::3 && reaches hh 2001:db8:1::4'

roam_to visited1
# A secondary answers no binding update: registration is the primary's alone.
expect "a secondary says nothing to a binding update" test silence = \
    "$(on mn "$LAB_ROOT/test/net/mobile_node6.py" update 2001:db8:2::50 --home-agent 2001:db8:1::3 --wait 1.5)"
start_mobile6 --care-of 2001:db8:2::50 --tun mip0 --json --lifetime 300
expect "the mobile node registers" within 10 forwards6 self
on hh ping -n -q -c 1 -W 2 "$LAB_HOME_ADDRESS6" >/dev/null 2>&1 # its cache has the home address now

capture rtr home0 "$link" 'ip6 proto 41 or icmp6'
lab_spawn stream cn "$LAB_BUILD/app/mn/homeport-stream" --to "$LAB_HOME_ADDRESS6" --rate 4000 --count $datagrams </dev/null
sleep 1
for next in sha1 sha2; do
    expect "delegate to $next" console delegate "$LAB_HOME_ADDRESS6" $next
    expect "$next forwards" within 3 forwards6 $next
    caches_follow $next
    sleep 1
done
expect "recall" console recall "$LAB_HOME_ADDRESS6"
expect "the primary forwards" within 3 forwards6 self
caches_follow pha
sleep 1
expect "delegate to sha1" console delegate "$LAB_HOME_ADDRESS6" sha1
expect "sha1 forwards again" within 3 forwards6 sha1
caches_follow sha1
expect "the stream ends" within 30 lab_ended stream
sleep 0.5
capture_end "$link"

expect "every tunnel packet bears the primary's address and goes to the care-of address" \
    test "$(tcpdump -n -r "$link" "ip6 proto 41 and not (src $LAB_HOME_AGENT6 and dst 2001:db8:2::50)" 2>/dev/null | wc -l)" = 0
for node in pha sha1 sha2; do
    echo "   $node tunnelled $(tunnelled_by "$node") packets"
    expect "$node has tunnelled" test "$(tunnelled_by "$node")" -gt 1000
done
expect "what the appliances announced are overriding advertisements of the home address to all nodes" test "$(fields "$link" \
    "icmpv6.type == 136 && ipv6.dst == ff02::1 && icmpv6.nd.na.target_address == $LAB_HOME_ADDRESS6" \
    icmpv6.nd.na.flag.r icmpv6.nd.na.flag.s icmpv6.nd.na.flag.o | sort -u | tr '\t' ' ')" = "0 0 1"
expect "tshark finds nothing wrong" sound "$link"

roam_to visited2
mobile6_do roam 2001:db8:3::50
expect "it roams" within 5 bound6 2001:db8:3::50
expect "and is reached" within 2 reaches cn "$LAB_HOME_ADDRESS6"
expect "by sha1" forwards6 sha1
expect "which has the new care-of address" eval 'console_of sha1 -j show bindings | grep -q 2001:db8:3::50'

killed=$(date +%s%N)
lab_kill homeportd-sha1
expect "sha1 dies, and the primary notices and stands in for it" within 15 forwards6 self
expect "the router's cache follows" within 3 believes6 rtr "$(mac_of pha hp0)"
expect "it is reached" reaches cn "$LAB_HOME_ADDRESS6"
echo "   reached again $((($(date +%s%N) - killed) / 1000000)) ms after sha1 died"
expect "delegate to sha2 once more" console delegate "$LAB_HOME_ADDRESS6" sha2
expect "sha2 forwards once more" within 3 forwards6 sha2

capture rtr home0 "$LAB_DIR/after.pcap" 'ip6 proto 41 or icmp6'
roam_to home
mobile6_do home home0
expect "it is deregistered" within 5 no_binding6
expect "it is reached there" within 3 reaches cn "$LAB_HOME_ADDRESS6"
expect "the router finds it at home" within 3 believes6 rtr "$(mac_of mn home0)"
expect "the neighbour reaches it" within 3 reaches hh "$LAB_HOME_ADDRESS6"
expect "by its own MAC address" within 3 believes6 hh "$(mac_of mn home0)"
expect "sha2 lets go" within 6 nothing_bound sha2
sleep 2
capture_end "$LAB_DIR/after.pcap"
expect "no appliance advertises its address after it did" test "$(fields "$LAB_DIR/after.pcap" \
    "icmpv6.type == 136 && icmpv6.nd.na.target_address == $LAB_HOME_ADDRESS6 && ipv6.dst == ff02::1 && icmpv6.nd.na.flag.o == 1" eth.src |
    tail -n 1)" = "$(mac_of mn home0)"

stop_mobile6 || lab_say "homeport-mn: $(lab_log mobile6)"
received=$(stream_field received)
echo "   stream of $datagrams over four moves: $received received, $(stream_field duplicates) duplicates, $(stream_field out_of_order) out of order"
expect "no packet of the stream is lost" test "$((received))" = $datagrams
expect "at most a handful of duplicates" test "$(stream_field duplicates)" -le 20
for node in sha2 pha; do
    expect "$node ends well" stop_appliance "$node"
done
echo "ok: four moves of a live IPv6 binding, none of $datagrams packets lost"
