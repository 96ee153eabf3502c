#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A mobile node of the real kernel's leaves home, roams, and comes home: who reaches it where, and what the
# neighbours on its home link believe meanwhile.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"

care_of_is()
{
    console -j show bindings "$LAB_HOME_ADDRESS" | grep -q "\"care_of_addresses\": \[\"$1\"\]"
}

no_binding()
{
    ! console -j show bindings | grep -q "\"home_address\": \"$LAB_HOME_ADDRESS\""
}

# believes NAMESPACE MAC: its neighbour cache has the home address at that MAC address.
believes()
{
    [[ $(neighbor_of "$1" "$LAB_HOME_ADDRESS") == "$2" ]]
}

# The MAC addresses that answer for the home address on its link.
answerers()
{
    on hh arping -b -c 2 -w 2 -I eth0 "$LAB_HOME_ADDRESS" | sed -n 's/.*reply from .* \[\(.*\)\].*/\L\1/p' | sort -u
}

# How many packets of a capture a filter matches.
packets()
{
    tcpdump -nr "$1" "$2" 2>/dev/null | wc -l
}

lab_up
appliance_conf "" >"$LAB_DIR/appliance.conf"
start_appliance "$LAB_DIR/appliance.conf"
appliance=$(mac_of pha hp0)
mobile=$(mac_of mn home0)
expect "the appliance is reached over its link" reaches hh "$LAB_HOME_AGENT"
expect "and through the router" reaches cn "$LAB_HOME_AGENT"
expect "in fragments both ways, over its link" reaches hh "$LAB_HOME_AGENT" -s 1900
expect "and through the router" reaches cn "$LAB_HOME_AGENT" -s 1900
expect "nobody answers for a home address that is not bound" test -z "$(answerers)"

capture rtr visited1 "$LAB_DIR/visited1.pcap" ip proto 4
roam_to visited1
start_mobile --care-of 10.2.0.50 --tun mip0 --duration 600
expect "it registers from visited1" within 10 care_of_is 10.2.0.50
expect "the correspondent reaches it there" reaches cn "$LAB_HOME_ADDRESS"
expect "so does a host on its home link" reaches hh "$LAB_HOME_ADDRESS"
expect "which sends by the appliance" believes hh "$appliance"
expect "that alone answers for the address" test "$(answerers)" = "$appliance"
expect "as the router does" believes rtr "$appliance"
capture_end "$LAB_DIR/visited1.pcap"
expect "what came was tunnelled by the home agent to the care-of address" \
    test "$(packets "$LAB_DIR/visited1.pcap" "src $LAB_HOME_AGENT and dst 10.2.0.50")" -eq 4

capture rtr visited1 "$LAB_DIR/left.pcap" ip proto 4
roam_to visited2
mobile_do roam 10.3.0.50
expect "it moves to visited2" within 10 care_of_is 10.3.0.50
expect "the correspondent reaches it there" reaches cn "$LAB_HOME_ADDRESS"
capture_end "$LAB_DIR/left.pcap"
expect "nothing goes to where it was" test "$(packets "$LAB_DIR/left.pcap" "")" -eq 0

roam_to home
mobile_do home home0
expect "it deregisters at home" within 10 no_binding
expect "the correspondent reaches it there" reaches cn "$LAB_HOME_ADDRESS"
expect "so does a host on its home link" reaches hh "$LAB_HOME_ADDRESS"
expect "which sends to itself" believes hh "$mobile"
expect "as the router does" believes rtr "$mobile"
expect "it alone answers for its address" test "$(answerers)" = "$mobile"

roam_to visited1
mobile_do roam 10.2.0.50
expect "it leaves again" within 10 care_of_is 10.2.0.50
expect "the neighbours on its home link are told" believes hh "$appliance"
expect "the correspondent reaches it" reaches cn "$LAB_HOME_ADDRESS"
mobile_do quit
expect "the mobile node's host ends well" within 10 lab_ended mobile
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"
