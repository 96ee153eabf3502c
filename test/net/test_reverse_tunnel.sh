#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Reverse tunnels (RFC 3024): a mobile node's packets leave the network that it visits encapsulated, past a router that lets
# no foreign source address through, and go on from its home agent; while it roams, while a secondary forwards to it. What
# nobody was granted is dropped and counted.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"

correspondent=10.9.0.2
other_home=10.1.0.51
port=7777

conf()
{
    appliance_conf "mobile-node \"$other_home\" { spi = 256  key = \"$LAB_KEY\" }" "$(secondary_section 1)" \
        'delegation { when = manual  linger = 3 }' |
        sed "s/max-bindings  = .*/&\n    reverse-tunnel = $1/"
}

# counter NAME: of the primary's workers.
counter()
{
    console -j show counters | sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" | head -n 1
}

reverse_is()
{
    console -j show bindings "$LAB_HOME_ADDRESS" | grep -q "\"care_of_addresses\": \[\"$1\"\].*\"reverse_tunnel\": \"$2\""
}

# mn_reaches ADDRESS: from the home address.
mn_reaches()
{
    on mn ping -n -q -c 2 -i 0.2 -W 2 -I "$LAB_HOME_ADDRESS" "$1"
}

# packets FILE FILTER
packets()
{
    tcpdump -nr "$1" "$2" 2>/dev/null | wc -l
}

forged()
{
    on mn "$(dirname "$0")/reverse.py" "$@"
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

# asked REPLY-CODE OPTION...: what another mobile node is answered.
answered()
{
    local code=$1
    shift
    on mn "$LAB_BUILD/app/mn/homeport-mn" --home-agent "$LAB_HOME_AGENT" --home "$other_home" --spi 256 --key "$LAB_KEY" \
        --care-of 10.2.0.50 --port 5434 --tries 1 --duration 0 --deregister --json --quiet "$@" </dev/null |
        grep -q "\"denied\":{\"$code\":1}"
}

reloaded()
{
    conf "$1" >"$LAB_DIR/pha.conf"
    console reload >/dev/null
}

lab_up
lab_secondary 1
conf optional >"$LAB_DIR/pha.conf"
chmod 600 "$LAB_DIR/pha.conf"
start_appliance "$LAB_DIR/pha.conf"
start_secondary 1
expect "the secondary is ready" within 10 secondary_is ready 1
roam_to visited1

# What leaves the network visited must have a source address of that network (RFC 2827).
on rtr sysctl -qw net.ipv4.conf.visited1.rp_filter=1

start_mobile --care-of 10.2.0.50 --tun mip0 --reverse-tunnel --json --lifetime 300
expect "the mobile node registers and is granted a reverse tunnel" within 10 reverse_is 10.2.0.50 all
expect "without the tunnel its packets do not pass the router" fails mn_reaches "$correspondent"
ip -n "$LAB_ID-mn" route add "$correspondent/32" dev mip0
ip -n "$LAB_ID-mn" route add 10.1.0.9/32 dev mip0

capture rtr visited1 "$LAB_DIR/visited.pcap" ip
capture cn eth0 "$LAB_DIR/correspondent.pcap" ip
expect "by the tunnel it reaches the correspondent" mn_reaches "$correspondent"
expect "and a host on its home link" mn_reaches 10.1.0.9
forged ipip 10.2.0.50 "$LAB_HOME_ADDRESS" "$correspondent" 5
expect "what others encapsulate in its name and place arrives, too" within 3 \
    eval "test \$(packets \"$LAB_DIR/correspondent.pcap\" 'src $LAB_HOME_ADDRESS and udp port $port') -eq 5"
capture_end "$LAB_DIR/correspondent.pcap"
capture_end "$LAB_DIR/visited.pcap"
expect "decapsulated" test "$(packets "$LAB_DIR/correspondent.pcap" 'not icmp and not udp')" -eq 0
expect "and only encapsulated it left the network visited" \
    test "$(packets "$LAB_DIR/visited.pcap" "src 10.2.0.50 and dst $LAB_HOME_AGENT and proto 4")" -eq 9
expect "and nothing else" test "$(packets "$LAB_DIR/visited.pcap" "src $LAB_HOME_ADDRESS")" -eq 0

capture cn eth0 "$LAB_DIR/forged.pcap" udp port "$port"
refused "a home address of somebody else's inside" ipip 10.2.0.50 "$other_home"
refused "no home address inside" ipip 10.2.0.50 10.9.9.9
refused "not from the care-of address" ipip 10.2.0.51 "$LAB_HOME_ADDRESS"
refused "GRE, which was not asked for" gre 10.2.0.50 "$LAB_HOME_ADDRESS"
refused "minimal encapsulation, which was not asked for" minimal 10.2.0.50 "$LAB_HOME_ADDRESS"
refused "a tunnel in the tunnel" twice 10.2.0.50 "$LAB_HOME_ADDRESS"

roam_to visited2
ip -n "$LAB_ID-mn" route replace "$correspondent/32" dev mip0
mobile_do roam 10.3.0.50
expect "it roams, and so does the reverse tunnel" within 10 reverse_is 10.3.0.50 all
expect "by which it reaches the correspondent" mn_reaches "$correspondent"
refused "from the care-of address before" ipip 10.2.0.50 "$LAB_HOME_ADDRESS"

console delegate "$LAB_HOME_ADDRESS" sha1 >/dev/null
expect "the secondary forwards" within 5 forwards_settled sha1
expect "the primary goes on decapsulating" mn_reaches "$correspondent"
console recall "$LAB_HOME_ADDRESS" >/dev/null
expect "the primary forwards again" within 5 forwards_settled self

stop_mobile || true
start_mobile --care-of 10.3.0.50 --tun mip0 --json --lifetime 300
expect "it registers without asking for a reverse tunnel" within 10 reverse_is 10.3.0.50 none
refused "no reverse tunnel was granted" ipip 10.3.0.50 "$LAB_HOME_ADDRESS"
capture_end "$LAB_DIR/forged.pcap"
expect "nothing that was refused has arrived" test "$(packets "$LAB_DIR/forged.pcap" '')" -eq 0

roam_to visited1
expect "where reverse tunnels are the rule," reloaded required
expect "a request without T is answered 138" answered 138
expect "where there are none," reloaded off
expect "a request with T is answered 137" answered 137 --reverse-tunnel
stop_mobile || true
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"
