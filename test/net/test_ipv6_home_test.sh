#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The home test of the return routability procedure in ESP in tunnel mode (RFC 6275 section 10.4.6): a mobile node's init comes out of it
# and reaches the correspondent, the test goes back in it; from a new care-of address, while a secondary forwards, and again after it. In
# clear none passes, either way. What a mobile node may not have in ESP goes by the plain tunnel as soon as the configuration says so.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/ipv6.sh
. "$(dirname "$0")/ipv6.sh"

script=$LAB_ROOT/test/net/home_test.py
correspondent=2001:db8:9::2
key=000102030405060708090a0b0c0d0e0f
auth=${key}101112131415161718191a1b1c1d1e1f
decrypt=(-o esp.enable_encryption_decode:TRUE -o esp.enable_authentication_check:TRUE)
for spi in 3000 3001; do
    decrypt+=(-o "uat:esp_sa:\"IPv6\",\"*\",\"*\",\"$spi\",\"AES-CBC [RFC3602]\",\"0x$key\",\"HMAC-SHA-256-128 [RFC4868]\",\"0x$auth\"")
done

# conf [LINE...]: LINEs inside the ipsec section.
conf()
{
    appliance_conf6 "$(secondary_section 1)" 'delegation { when = manual  linger = 3 }' \
        "ipsec \"$LAB_HOME_ADDRESS6\" {" "spi-in = 2000  key-in = \"hex:${key}00000001\"  spi-out = 2001  key-out = \"hex:${key}00000002\"" \
        "$@" "}"
}

# counter APPLIANCE NAME
counter()
{
    console_of "$1" -j show counters | sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p" | head -n 1
}

# grew APPLIANCE NAME BEFORE COUNT
grew()
{
    test "$(counter "$1" "$2")" -eq $(($3 + $4))
}

number=0
# test_is PATTERN CARE-OF [OPTION...]: what an init there comes to.
test_is()
{
    local pattern=$1 said
    shift
    number=$((number + 1))
    said=$(on mn "$script" init "$@" --number $number) || return 1
    echo "$said"
    # shellcheck disable=SC2053 # a pattern
    [[ $said == $pattern ]]
}

# seen FILE FILTER: packets that match, ESP opened.
seen()
{
    tshark -n -r "$1" "${decrypt[@]}" -Y "$2" -T fields -e frame.number 2>/dev/null | wc -l
}

inits_at_correspondent()
{
    grep -c '^init from' "$LAB_DIR/correspondent.log"
}

# in_clear FILE: mobility headers of a home test that anybody can read.
in_clear()
{
    count "$1" "ipv6.nxt == 41 && (mip6.mhtype == 1 || mip6.mhtype == 3)"
}

ipv6_require
/usr/bin/python3 -c 'import cryptography, scapy.layers.ipsec' 2>/dev/null || { lab_say "skipped: no scapy, or not what it encrypts by"; exit "$LAB_SKIP"; }
lab_up
lab_ipv6
lab_secondary 1
protected="home-test { algorithm = aes-cbc-sha256  spi-in = 3000  key-in = \"hex:$key\"  auth-key-in = \"hex:$auth\"
    spi-out = 3001  key-out = \"hex:$key\"  auth-key-out = \"hex:$auth\" }"
conf "$protected" >"$LAB_DIR/pha.conf"
chmod 600 "$LAB_DIR/pha.conf"
start_appliance "$LAB_DIR/pha.conf"
start_secondary 1
expect "the secondary is ready" within 10 secondary_is ready 1
expect "the appliances have their IPv6 addresses" within 5 eval 'reaches hh 2001:db8:1::2 && reaches hh 2001:db8:1::3'
roam_to visited1
start_mobile6 --care-of 2001:db8:2::50 --json --lifetime 300
expect "the mobile node registers" within 10 bound6 2001:db8:2::50
lab_spawn correspondent cn "$script" correspond </dev/null
expect "the correspondent listens" within 10 grep -q listening "$LAB_DIR/correspondent.log"

capture rtr visited1 "$LAB_DIR/visited1.pcap" ip6
capture cn eth0 "$LAB_DIR/correspondent.pcap" ip6
expect "a home test goes and comes in ESP" test_is "test from $LAB_HOME_AGENT6 number 1 hops 62" 2001:db8:2::50
expect "and once more" test_is "test from $LAB_HOME_AGENT6 number 2 hops 62" 2001:db8:2::50
expect "the correspondent has had both" test "$(inits_at_correspondent)" = 2
before=$(counter pha home_test_init)
expect "in the plain tunnel there is none" test_is silence 2001:db8:2::50 --plain
expect "it was dropped and counted" grew pha home_test_init "$before" 1
expect "and has not reached the correspondent" test "$(inits_at_correspondent)" = 2
before=$(counter pha home_tests_discarded)
expect "nor is there one from elsewhere" test_is silence 2001:db8:2::51
expect "which was discarded and counted" grew pha home_tests_discarded "$before" 1
capture_end "$LAB_DIR/visited1.pcap"
capture_end "$LAB_DIR/correspondent.pcap"
expect "tshark finds the inits in ESP" test "$(seen "$LAB_DIR/visited1.pcap" "esp.spi == 3000 && mip6.mhtype == 1 && esp.icv_good == 1 &&
    ipv6.src == 2001:db8:2::50")" = 2
expect "and the tests" test "$(seen "$LAB_DIR/visited1.pcap" "esp.spi == 3001 && mip6.mhtype == 3 && esp.icv_good == 1 &&
    ipv6.src == $correspondent && ipv6.dst == 2001:db8:2::50")" = 2
expect "nothing of them is malformed" test "$(seen "$LAB_DIR/visited1.pcap" "_ws.malformed || esp.icv_bad == 1")" = 0
expect "in clear there was but the one that was to be refused" test "$(in_clear "$LAB_DIR/visited1.pcap")" = 1
expect "the correspondent had them as if there were no tunnel" test "$(count "$LAB_DIR/correspondent.pcap" \
    "mip6.mhtype == 1 && ipv6.src == $LAB_HOME_ADDRESS6 && ipv6.hlim == 62 && !esp && ipv6.nxt == 135")" = 2

roam_to visited2
mobile6_do roam 2001:db8:3::50
expect "it roams" within 10 bound6 2001:db8:3::50
capture rtr visited2 "$LAB_DIR/visited2.pcap" ip6
capture rtr home0 "$LAB_DIR/home.pcap" ip6
capture home pha "$LAB_DIR/primary.pcap" ip6
expect "a home test comes to the new care-of address" test_is "test from $LAB_HOME_AGENT6 number 3 hops 62" 2001:db8:3::50

console delegate "$LAB_HOME_ADDRESS6" sha1 >/dev/null
expect "the secondary forwards" within 5 forwards_settled sha1 "$LAB_HOME_ADDRESS6"
reaches cn "$LAB_HOME_ADDRESS6" >/dev/null # nobody answers, but the router's cache has it then
expect "and attracts" within 5 believes6 rtr "$(mac_of sha1 hp0)"
expect "a home test comes all the same" test_is "test from $LAB_HOME_AGENT6 number 4 hops 62" 2001:db8:3::50
expect "the secondary passed it on" grew sha1 home_tests_passed 0 1
expect "to the primary, as it came" test "$(count "$LAB_DIR/primary.pcap" \
    "mip6.mhtype == 3 && eth.src == $(mac_of sha1 hp0) && eth.dst == $(mac_of pha hp0) && ipv6.hlim == 63 && ipv6.nxt == 135")" = 1
before=$(counter sha1 tunnelled)
on cn ping -n -q -c 3 -i 0.2 -W 1 "$LAB_HOME_ADDRESS6" >/dev/null
expect "what else comes it tunnels itself" eval "test \$(counter sha1 tunnelled) -ge $((before + 3))"
console recall "$LAB_HOME_ADDRESS6" >/dev/null
expect "the primary forwards again" within 5 forwards_settled self "$LAB_HOME_ADDRESS6"
expect "and the test goes on" test_is "test from $LAB_HOME_AGENT6 number 5 hops 62" 2001:db8:3::50
capture_end "$LAB_DIR/visited2.pcap"
capture_end "$LAB_DIR/home.pcap"
capture_end "$LAB_DIR/primary.pcap"
expect "none was in clear where it visits" test "$(in_clear "$LAB_DIR/visited2.pcap")" = 0
expect "nor in a tunnel on the home link" test "$(in_clear "$LAB_DIR/home.pcap")" = 0
expect "tshark finds all of them in ESP" test "$(seen "$LAB_DIR/visited2.pcap" "esp.spi == 3001 && mip6.mhtype == 3 && esp.icv_good == 1")" = 3

console delegate "$LAB_HOME_ADDRESS6" sha1 >/dev/null
expect "delegated again" within 5 forwards_settled sha1 "$LAB_HOME_ADDRESS6"
conf >"$LAB_DIR/pha.conf"
expect "another configuration" console reload
capture rtr visited2 "$LAB_DIR/plain.pcap" ip6
test_is silence 2001:db8:3::50 --plain >/dev/null
expect "lets it by the plain tunnel" within 5 eval "test \$(in_clear $LAB_DIR/plain.pcap) = 2"
expect "whose forwarder knows it, too" grew sha1 home_tests_passed 0 1
capture_end "$LAB_DIR/plain.pcap"

mobile6_do deregister
expect "it deregisters" within 5 no_binding6
stop_mobile6 || true
for node in sha1 pha; do
    expect "$node ends well" stop_appliance "$node"
done
