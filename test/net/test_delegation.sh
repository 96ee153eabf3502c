#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A live binding moves between a primary and two secondaries while a correspondent's kernel sends 10,000 packets/s to it, through real
# neighbour caches: by hand from the primary to one, to the other, back to the primary; while the mobile node roams; while it comes home.
# No packet is lost; tunnels bear the primary's address; only the forwarder's port emits them.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"

# field NAME FILE: a number of the stream's in homeport-mn's report.
stream_field() {
    sed -n "s/.*\"streams\":.*\"$1\":\([0-9]*\).*/\1/p" "$2" | tail -n 1
}

cached_at() {
    [[ $(neighbor_of "$1" "$LAB_HOME_ADDRESS") == $(mac_of "$2" hp0) ]]
}

# The router has sent to it lately, so its cache holds it; the neighbour is asked to.
caches_follow() {
    expect "the router's cache follows to $1" within 3 cached_at rtr "$1"
    expect "the neighbour's cache follows to $1" within 3 cached_at hh "$1"
}

# tunnelled_by NAME: frames that left its port into a tunnel, in FILE's capture of the home link.
tunnelled_by() {
    tcpdump -n -r "$LAB_DIR/link.pcap" "ether src $(mac_of "$1" hp0) and proto 4" 2>/dev/null | wc -l
}

arp_answered_by() {
    on hh arping -q -f -c 3 -w 2 -I eth0 "$LAB_HOME_ADDRESS" >/dev/null 2>&1
    on hh arping -c 2 -w 2 -I eth0 "$LAB_HOME_ADDRESS" 2>/dev/null | grep -io '[0-9a-f:]\{17\}' | sort -u
}

lab_up
lab_secondary 1
lab_secondary 2
appliance_conf "$(secondary_section 1)" "$(secondary_section 2)" 'delegation { when = manual  linger = 3 }' >"$LAB_DIR/pha.conf"
chmod 600 "$LAB_DIR/pha.conf"
start_appliance "$LAB_DIR/pha.conf"
start_secondary 1
start_secondary 2
expect "both secondaries are ready" within 10 eval 'secondary_is ready 1 && secondary_is ready 2'

# Registration is the primary's alone: what is asked of a secondary stays unanswered.
asked_of_secondary() {
    on cn "$LAB_BUILD/app/mn/homeport-mn" --home-agent 10.1.0.3 --home "$LAB_HOME_ADDRESS" --spi 256 --key "$LAB_KEY" \
        --care-of 10.9.0.2 --tries 1 --duration 3 --json --quiet </dev/null
}
expect "a secondary answers no registration request" eval 'asked_of_secondary | grep -q "\"accepted\":0,\"denied\":{},\"timeouts\":1,"'

roam_to visited1
start_mobile --care-of 10.2.0.50 --tun mip0 --json --lifetime 300
expect "the mobile node registers" within 10 forwards_settled self
on hh ping -n -q -c 1 -W 2 "$LAB_HOME_ADDRESS" >/dev/null 2>&1 # its cache has the home address now

capture rtr home0 "$LAB_DIR/link.pcap" 'ip proto 4 or arp'
lab_spawn stream cn "$LAB_BUILD/app/mn/homeport-stream" --to "$LAB_HOME_ADDRESS" --rate 10000 --count 150000 </dev/null
sleep 1

expect "delegate to sha1" console delegate "$LAB_HOME_ADDRESS" sha1
expect "sha1 forwards" within 3 forwards_settled sha1
caches_follow sha1
expect "only sha1 answers ARP" test "$(arp_answered_by)" = "$(mac_of sha1 hp0 | tr a-f A-F)"
sleep 1

expect "move to sha2" console delegate "$LAB_HOME_ADDRESS" sha2
expect "sha2 forwards" within 3 forwards_settled sha2
caches_follow sha2
sleep 1

expect "recall" console recall "$LAB_HOME_ADDRESS"
expect "the primary forwards" within 3 forwards_settled self
caches_follow pha
sleep 1

expect "delegate to sha2" console delegate "$LAB_HOME_ADDRESS" sha2
expect "sha2 forwards again" within 3 forwards_settled sha2
caches_follow sha2
expect "the stream ends" within 30 lab_ended stream
sleep 0.5
capture_end "$LAB_DIR/link.pcap"

expect "every tunnel packet bears the primary's address and goes to the care-of address" \
    test "$(tcpdump -n -r "$LAB_DIR/link.pcap" "proto 4 and not (src $LAB_HOME_AGENT and dst 10.2.0.50)" 2>/dev/null | wc -l)" = 0
for node in pha sha1 sha2; do
    echo "   $node tunnelled $(tunnelled_by "$node") packets"
    expect "$node has tunnelled" test "$(tunnelled_by "$node")" -gt 1000
done
capture rtr home0 "$LAB_DIR/link.pcap" 'ip proto 4'
expect "a ping passes" reaches cn "$LAB_HOME_ADDRESS"
capture_end "$LAB_DIR/link.pcap"
expect "by sha2 alone" test "$(tunnelled_by pha)" = 0 -a "$(tunnelled_by sha1)" = 0 -a "$(tunnelled_by sha2)" -ge 2

# A frame that a stale neighbour cache still sends to the primary is tunnelled all the same.
before=$(console -j show counters | sed -n 's/.*"tunnelled": \([0-9]*\).*/\1/p')
on hh ip neighbor replace "$LAB_HOME_ADDRESS" lladdr "$(mac_of pha hp0)" dev eth0 nud permanent
expect "through the primary, too" reaches hh "$LAB_HOME_ADDRESS"
after=$(console -j show counters | sed -n 's/.*"tunnelled": \([0-9]*\).*/\1/p')
expect "the primary tunnelled it" test "$after" -gt "$before"
on hh ip neighbor del "$LAB_HOME_ADDRESS" dev eth0

# Second chance: a frame to a secondary that no longer holds the binding (linger is over) goes on to the primary.
sleep 4
on hh ip neighbor replace "$LAB_HOME_ADDRESS" lladdr "$(mac_of sha1 hp0)" dev eth0 nud permanent
expect "through a secondary that has forgotten it" reaches hh "$LAB_HOME_ADDRESS"
on hh ip neighbor del "$LAB_HOME_ADDRESS" dev eth0

# The mobile node roams: the next packet goes to the new care-of address, from sha2.
roam_to visited2
mobile_do roam 10.3.0.50
expect "it roams" within 5 eval 'console -j show bindings | grep -q 10.3.0.50'
expect "and is reached" within 2 reaches cn "$LAB_HOME_ADDRESS"
expect "by sha2" forwards_settled sha2
expect "which has the new care-of address" eval 'console_of sha2 -j show bindings | grep -q 10.3.0.50'

# On request tunnels bear the secondary's own address.
sed -i 's/^delegation { /&outer-source = own  /' "$LAB_DIR/pha.conf"
expect "outer-source = own by reload" console reload
expect "delegate to sha1 once more" console delegate "$LAB_HOME_ADDRESS" sha1
expect "sha1 forwards once more" within 3 forwards_settled sha1
capture rtr home0 "$LAB_DIR/link.pcap" "ip proto 4 and ether src $(mac_of sha1 hp0)"
on cn ping -n -q -c 3 -i 0.2 -W 1 "$LAB_HOME_ADDRESS" >/dev/null 2>&1 # homeport-mn takes no tunnel but its home agent's
capture_end "$LAB_DIR/link.pcap"
expect "from its own address" \
    test "$(tcpdump -n -r "$LAB_DIR/link.pcap" src 10.1.0.3 2>/dev/null | wc -l)" -ge 3
expect "and no other" test "$(tcpdump -n -r "$LAB_DIR/link.pcap" not src 10.1.0.3 2>/dev/null | wc -l)" = 0

# It comes home: nobody forwards any more, and the secondary lets go.
roam_to home
mobile_do home home0
expect "it is deregistered" within 5 eval 'console -j show bindings | tr -d "\n" | grep -q "\"bindings\": \[\]"'
expect "the router finds it at home" within 3 test "$(neighbor_of rtr "$LAB_HOME_ADDRESS")" = "$(mac_of mn home0)"
expect "nobody else answers for it" test "$(arp_answered_by)" = "$(mac_of mn home0 | tr a-f A-F)"
expect "sha1 holds nothing any more" within 6 eval 'console_of sha1 -j show bindings | tr -d "\n" | grep -q "\"bindings\": \[\]"'
expect "sha2 holds nothing after its linger" within 6 eval 'console_of sha2 -j show bindings | tr -d "\n" | grep -q "\"bindings\": \[\]"'

stop_mobile || lab_say "homeport-mn: $(lab_log mobile)"
received=$(stream_field received "$LAB_DIR/mobile.log")
duplicates=$(stream_field duplicates "$LAB_DIR/mobile.log")
echo "   stream of 150000 over four moves: $received received, $duplicates duplicates, $(stream_field out_of_order "$LAB_DIR/mobile.log") out of order"
expect "no packet of the stream is lost" test "$((received))" = 150000
expect "at most a handful of duplicates" test "$duplicates" -le 20
for node in sha1 sha2 pha; do
    expect "$node ends well" stop_appliance "$node"
done
echo "ok: four moves of a live binding, none of 150000 packets lost"
