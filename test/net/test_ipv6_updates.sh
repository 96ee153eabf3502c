#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Binding updates made by other hands (mobile_node6.py), sound ones and one for each fault, and what the appliance answers: RFC 6275
# sections 9.2, 9.3.1, 9.5.1 and 10.3, RFC 4285. What is dropped without an answer leaves a binding as it was, as does a refusal.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/ipv6.sh
. "$(dirname "$0")/ipv6.sh"

stamped=2001:db8:1::51
silent="silence"

# says EXPECTED OPTION...: what a binding update from the care-of address is answered; EXPECTED is a pattern of bash's.
says()
{
    local pattern=$1 said
    shift
    said=$(on mn "$LAB_ROOT/test/net/mobile_node6.py" update 2001:db8:2::50 "$@") || return 1
    echo "$said"
    # shellcheck disable=SC2053
    [[ $said == $pattern ]]
}

still_bound()
{
    bound6 2001:db8:2::50
}

# Nobody answers at the care-of address.
tunnelled()
{
    on cn ping -n -q -c 1 -W 1 "$LAB_HOME_ADDRESS6"
    console -j show bindings "$LAB_HOME_ADDRESS6" | grep -q '"packets": [1-9]'
}

# dropped WHAT OPTION...: no answer, and the binding is as it was.
dropped()
{
    local what=$1
    shift
    expect "no answer: $what" says "$silent" --wait 0.7 "$@"
    expect "and nothing has changed" still_bound
}

# refused STATUS WHAT OPTION...
refused()
{
    local status=$1 what=$2
    shift 2
    expect "status $status: $what" says "ack $status *" "$@"
    expect "and nothing has changed" still_bound
    sleep 1.1 # signed refusals are at most one a second
}

ipv6_require
[[ -x /usr/bin/python3 ]] || { lab_say "skipped: no python3"; exit "$LAB_SKIP"; }
ipv6_up "mobile-node \"$stamped\" { spi = 256  key = \"$LAB_KEY\" }"
roam_to visited1

dropped_before_any()
{
    expect "no binding by $1" says "$2" --wait 1.8 --sequence 100 "${@:3}"
    expect "and indeed none" no_binding6
}
dropped_before_any "an update without authentication" "$silent" --fault no-auth
dropped_before_any "one with a wrong key" "ack 146 *" --fault wrong-key
dropped_before_any "a deregistration" "ack 133 *" --lifetime 0 --sequence 50

expect "a sound one is accepted, signed, with the home address in a routing header" \
    says "ack 0 sequence 100 lifetime 600 home $LAB_HOME_ADDRESS6" --sequence 100
expect "and makes a binding" still_bound
expect "a newer one renews it" says "ack 0 sequence 101 lifetime 300 home $LAB_HOME_ADDRESS6" --sequence 101 --lifetime 300

dropped "a wrong checksum" --sequence 102 --fault checksum
expect "a binding error for a type that nobody knows" says "error 2 home $LAB_HOME_ADDRESS6" --sequence 102 --fault type
sleep 1.1 # errors are at most one a second
# Behind the IPv6 header and the destination options header, 40 and 24 bytes.
expect "a parameter problem for something behind the Mobility Header" says "problem 0 pointer 64" --sequence 102 --fault proto
sleep 1.1
expect "and for a length that is too short for the type" says "problem 0 pointer 65" --sequence 102 --fault length
dropped "a length beyond the datagram" --sequence 102 --fault too-long
dropped "an option beyond the message" --sequence 102 --fault option-length
dropped "a home address that is a multicast one" --sequence 102 --home ff02::1
dropped "a link-local home address" --sequence 102 --home fe80::50
dropped "the Home Address option twice" --sequence 102 --fault home-twice
dropped "no Home Address option away from home" --sequence 102 --fault no-home-address
dropped "a care-of address that is a multicast one" --sequence 102 --alternate ff0e::1
dropped "an unspecified care-of address" --sequence 102 --alternate ::
dropped "a loopback care-of address" --sequence 102 --alternate ::1
dropped "a link-local care-of address" --sequence 102 --alternate fe80::5
dropped "nonce indices in a home registration" --sequence 102 --fault nonce
dropped "no authentication" --sequence 102 --fault no-auth
dropped "an SPI that nobody has" --sequence 102 --spi 999
refused 146 "a wrong key" --sequence 102 --fault wrong-key
refused 139 "no home registration any more" --sequence 102 --fault no-home-flag
refused 135 "the same sequence number again" --sequence 101
refused 140 "a mobile router" --sequence 105 --fault router
# RFC 6275 section 9.5.1: its sequence number counts all the same.
expect "with the last one that was judged" says "ack 135 sequence 105 *" --sequence 105
sleep 1.1
refused 174 "the home address as care-of address" --sequence 106 --alternate "$LAB_HOME_ADDRESS6"
expect "the correspondent's packets are tunnelled as before" within 5 tunnelled

expect "another care-of address than that of the datagram, if it is signed" \
    says "ack 0 sequence 110 *" --sequence 110 --alternate 2001:db8:2::51
expect "becomes the care-of address" bound6 2001:db8:2::51
expect "it is deregistered" says "ack 0 sequence 111 lifetime 0 home $LAB_HOME_ADDRESS6" --sequence 111 --lifetime 0
expect "and gone" no_binding6

# RFC 4285 section 6.
expect "where timestamps are wanted, an update without is refused" says "ack 145 *" --home "$stamped" --sequence 7
sleep 1.1
expect "one of ten seconds ago as well, with the home agent's time" says "ack 144 * timestamp *" --home "$stamped" --ahead -10
sleep 1.1
expect "a present one is accepted" says "ack 0 * lifetime 600 home $stamped timestamp *" --home "$stamped" --ahead 0
expect "a later one as well" says "ack 0 * lifetime 600 home $stamped timestamp *" --home "$stamped" --ahead 1
expect "and none older than that" says "ack 144 *" --home "$stamped" --ahead 0

# RFC 6275 section 10.3.1: somebody on the home link has it already.
lab_address6 hh eth0 "$LAB_HOME_ADDRESS6/64"
expect "a home address that is taken is refused" says "ack 134 *" --sequence 200
expect "and not bound" no_binding6
expect "its owner is reached" reaches cn "$LAB_HOME_ADDRESS6"
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"
