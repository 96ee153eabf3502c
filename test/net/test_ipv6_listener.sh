#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A home link whose switch snoops MLD, and is its querier: the kernel's bridge. What nobody has reported does not pass it, so the
# appliance is heard of only by its reports (RFC 3810, RFC 2710): of its own address, of a bound home address, by either version; and
# not at all without them.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/ipv6.sh
. "$(dirname "$0")/ipv6.sh"

own_group=ff02::1:ff00:2
home_group=ff02::1:ff00:50

# In hundredths of a second: what is not reported again after a query is forgotten soon.
snoop()
{
    on home sysctl -qw net.ipv6.conf.br0.disable_ipv6=0
    wait_for 5 querier_has_an_address || lab_fail "the bridge has no link-local address"
    ip -n "$(lab_ns home)" link set br0 type bridge mcast_querier 0 mcast_mld_version "$1" mcast_query_interval 200 \
        mcast_query_response_interval 100 mcast_membership_interval 500 mcast_startup_query_interval 50
    # Once begun it waits for as long as answers may take before it prunes, as it was set then.
    ip -n "$(lab_ns home)" link set br0 type bridge mcast_snooping 1 mcast_querier 1
}

querier_has_an_address()
{
    ip -n "$(lab_ns home)" -6 address show dev br0 scope link -tentative | grep -q fe80
}

# Groups that the bridge has learnt on the appliance's port.
learnt()
{
    on home bridge mdb show dev br0 | grep "port pha " | grep -q "grp $1 "
}

ping6()
{
    on "$1" ping -n -q -c 2 -i 0.2 -W 2 "$2"
}

# groups_shown PATTERN [ARGUMENT]: what the console says of them.
groups_shown()
{
    console -j show groups ${2:+"$2"} | grep -q -- "$1"
}

# hh asks again, and with nothing but multicast.
resolves()
{
    ip -n "$(lab_ns hh)" -6 neighbor flush dev eth0
    ping6 hh "$1"
}

# start_with MLD: the appliance, with that in its port's configuration.
start_with()
{
    appliance_conf6 | sed "s|^\( *\)mtu .*|&\n\1mld = $1|" >"$LAB_DIR/appliance.conf"
    chmod 600 "$LAB_DIR/appliance.conf"
    start_appliance "$LAB_DIR/appliance.conf"
}

version()
{
    local file=$LAB_DIR/version$1.pcap report=$2 leave=$3
    snoop "$1"
    capture home pha "$file" ip6
    start_with all
    expect "version $1: the bridge learns the appliance's group" within 10 learnt "$own_group"
    expect "version $1: all nodes is no group to report" fails learnt ff02::1
    expect "version $1: a host resolves the appliance's address" within 5 resolves "$LAB_HOME_AGENT6"
    roam_to visited1
    start_mobile6 --care-of 2001:db8:2::50 --tun mip0 --lifetime 300
    expect "version $1: a mobile node registers" within 10 bound6 2001:db8:2::50
    expect "version $1: the bridge learns its group" within 5 learnt "$home_group"
    expect "version $1: a host resolves the home address" resolves "$LAB_HOME_ADDRESS6"
    expect "version $1: the console shows its group" groups_shown "\"$home_group\".*\"addresses\": 1" "$LAB_HOME_ADDRESS6"
    expect "version $1: and the version that is spoken" groups_shown "\"mld\": \"all\", \"version\": $1,"
    sleep 12
    expect "version $1: the appliance's group is kept by its answers" learnt "$own_group"
    expect "version $1: and that of the home address" learnt "$home_group"
    expect "version $1: a host resolves the home address again" resolves "$LAB_HOME_ADDRESS6"
    console clear binding "$LAB_HOME_ADDRESS6" >/dev/null
    expect "version $1: the group is left with the binding" within 5 fails learnt "$home_group"
    expect "version $1: the console shows it no more" within 20 fails groups_shown "$home_group" "$LAB_HOME_ADDRESS6"
    mobile6_do quit
    expect "version $1: the mobile node's host ends well" within 10 lab_ended mobile6
    stop_mobile6
    expect "version $1: queries were heard" test "$(counter_of "MLD_RECEIVED")" -gt 0
    stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"
    capture_end "$file"
    local appliance
    appliance=$(mac_of pha hp0)
    expect "version $1: tshark finds nothing wrong" sound "$file" "eth.src == $appliance"
    expect "version $1: it reports" test "$(count "$file" "eth.src == $appliance && icmpv6.type == $report")" -gt 3
    expect "version $1: it leaves" test "$(count "$file" "eth.src == $appliance && $leave")" -gt 0
    expect "version $1: hop limit 1, router alert, from its link or from nobody" \
        test "$(count "$file" "eth.src == $appliance && icmpv6.type in {131, 132, 143} &&
            !(ipv6.hlim == 1 && ipv6.opt.router_alert == 0 && (ipv6.src == fe80::/10 || ipv6.src == ::))")" = 0
    # RFC 4862 section 5.4.2: the report goes before the solicitation of a tentative address.
    expect "version $1: it reports before it asks for an address" reports_first "$file" "$appliance"
}

# Before the first solicitation from nobody for each address a report of its group is on the link.
reports_first()
{
    local address group from first
    for address in "$LAB_HOME_AGENT6" "$LAB_HOME_ADDRESS6"; do
        group=ff02::1:ff00:${address##*:}
        from=$(fields "$1" "eth.src == $2 && icmpv6.nd.ns.target_address == $address && ipv6.src == ::" frame.number | head -n 1)
        first=$(fields "$1" "eth.src == $2 && (icmpv6.mldr.mar.multicast_address == $group ||
            (icmpv6.type == 131 && icmpv6.mld.multicast_address == $group))" frame.number | head -n 1)
        echo "$address: asked for in frame $from, reported in frame $first"
        [[ -n $from && -n $first ]] && ((first < from)) || return 1
    done
}

counter_of()
{
    console -j show counters | sed -n 's/.*"'"${1,,}"'": *\([0-9]*\).*/\1/p' | head -n 1
}

ipv6_require
command -v bridge >/dev/null || { lab_say "skipped: no bridge"; exit "$LAB_SKIP"; }
lab_up
lab_ipv6

snoop 2
start_with off
sleep 4
expect "without reports the bridge knows of no group of the appliance's" fails learnt "$own_group"
expect "and no host resolves its address" fails resolves "$LAB_HOME_AGENT6"
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"

version 2 143 "icmpv6.mldr.mar.record_type == 3"
version 1 131 "icmpv6.type == 132"
