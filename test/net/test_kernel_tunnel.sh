#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The tunnel in other people's eyes: a mobile node whose kernel decapsulates with its own ipip device, and tshark on
# the link that it visits. Pings of all sizes, path MTU discovery by ping and by TCP, TOS and ECN.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/guest.sh
. "$(dirname "$0")/guest.sh"

transferred=4000000
tunnel_mtu=1480
narrow_mtu=1400
tos_size=57 # a size that no other ping has
tos_values=(0x00 0x01 0x02 0x03 0x10 0xb8 0xb9 0xba 0xbb 0xfc)

care_of_is()
{
    console -j show bindings "$LAB_HOME_ADDRESS" | grep -q "\"care_of_addresses\": \[\"$1\"\]"
}

# net_af_packet will not do here: it asks its kernel to put fragments together before it hands them on.
conf()
{
    appliance_conf | sed 's/"net_af_packet0,iface=hp0,[^"]*"/"net_pcap0,iface=hp0"/'
}

# The home address is the mobile node's wherever it is: what it starts itself comes from there, and takes the
# direct way (RFC 5944 section 4.3); only the registration names the care-of address as its source.
guest_tunnel()
{
    guest "ip tunnel add mip0 mode ipip local $GUEST_CARE_OF remote $LAB_HOME_AGENT ttl 64 &&
        ip address add $LAB_HOME_ADDRESS/32 dev mip0 && ip link set mip0 up &&
        ip route replace default via 10.2.0.1 src $LAB_HOME_ADDRESS"
}

guest_registers()
{
    guest "homeport-mn --home-agent $LAB_HOME_AGENT --home $LAB_HOME_ADDRESS --spi 256 --key $LAB_KEY --quiet \
        --care-of $GUEST_CARE_OF --duration 600 >/out/mobile.log 2>&1 </dev/null &"
}

guest_captures()
{
    guest "tcpdump -Z root -n -U --immediate-mode -i mip0 -w /out/inside.pcap >/out/capture.log 2>&1 </dev/null &"
    wait_for 10 grep -q 'listening on' "$GUEST_ROOT/out/capture.log" ||
        lab_fail "no capture in the guest: $(cat "$GUEST_ROOT/out/capture.log")"
}

# ping_home NAMESPACE SIZE dont|do: until three are answered. -w, since after a first answer -W waits for the next no
# longer than a moment, and on a busy machine a guest may take longer.
ping_home()
{
    on "$1" ping -n -q -c 3 -i 0.1 -w 10 -s "$2" -M "$3" "$LAB_HOME_ADDRESS"
}

# What the correspondent's kernel knows of the path to the home address: an MTU, or nothing.
path_mtu()
{
    ip -n "$(lab_ns cn)" route get "$LAB_HOME_ADDRESS" | sed -n 's/.* mtu \([0-9]*\).*/\1/p'
}

path_mtu_is()
{
    [[ $(path_mtu) == "$1" ]]
}

forget_path_mtu()
{
    ip -n "$(lab_ns cn)" route flush cache
    path_mtu_is ""
}

# A ping that is too big, DF set: status 0 if it is refused with this MTU.
refused_with()
{
    on cn ping -n -c 1 -W 5 -s "$1" -M "do" "$LAB_HOME_ADDRESS" |
        grep -F "From $LAB_HOME_AGENT icmp_seq=1 Frag needed and DF set (mtu = $2)"
}

# Sends a file to the home address; the guest says what it got.
transfer()
{
    [[ $(on cn timeout 60 busybox nc "$LAB_HOME_ADDRESS" "$GUEST_SINK_PORT" <"$1") == "$2  -" ]]
}

ping_all_tos()
{
    local tos
    for tos in "${tos_values[@]}"; do
        on cn ping -n -q -c 1 -W 5 -s $tos_size -Q "$tos" "$LAB_HOME_ADDRESS" || return 1
    done
}

# What the guest's tunnel device gave its kernel of those pings: their TOS, in order.
guest_saw_all_tos()
{
    local seen
    seen=$(fields "$GUEST_ROOT/out/inside.pcap" "icmp.type == 8 && ip.len == $((tos_size + 28))" ip.dsfield |
        tr '\n' ' ')
    echo "$seen"
    [[ $seen == "${tos_values[*]} " ]]
}

# ---- What captures hold ----

# fields FILE FILTER FIELD...: of the packets that match tshark's filter, one line each.
fields()
{
    local file=$1 filter=$2 name
    local -a wanted=()
    shift 2
    for name; do
        wanted+=(-e "$name")
    done
    tshark -n -r "$file" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
        -Y "$filter" -T fields "${wanted[@]}" 2>/dev/null
}

# sound FILE: nothing malformed, no bad checksum, in any layer. TCP in an error's quote is cut off, which this
# tshark does not see.
sound()
{
    local found
    found=$(fields "$1" '_ws.malformed || ip.checksum.status == "Bad" || udp.checksum.status == "Bad" ||
        icmp.checksum.status == "Bad" || (tcp.checksum.status == "Bad" && !icmp)' frame.number _ws.col.Info) || return 1
    echo "$found"
    [[ -z $found ]]
}

# verified FILE PROTOCOL COUNT: at least as many packets of the protocol, whole or put together, have a checksum that
# tshark could compute and found good, inside a tunnel.
verified()
{
    local found
    found=$(fields "$1" "ip.proto == 4 && $2.checksum.status == \"Good\"" frame.number | wc -l)
    echo "$found"
    ((found >= $3))
}

# tunnelled FILE FILTER: tunnel packets for which tcpdump's filter holds: ip[0] begins the outer header, ip[20] the
# inner.
tunnelled()
{
    tcpdump -nvr "$1" "ip proto 4 and ($2)" 2>/dev/null
}

no_tunnelled()
{
    local found
    found=$(tunnelled "$@") || return 1
    echo "$found"
    [[ -z $found ]]
}

# RFC 6864 section 4.1: what may be fragmented needs an identification of its own.
identifications_differ()
{
    local all
    all=$(fields "$1" "ip.proto == 4" ip.id ip.flags.df | sed -n 's/,.*\t0,.*//p')
    echo "$all"
    [[ -n $all && -z $(sort <<<"$all" | uniq -d) ]]
}

guest_require
command -v tshark >/dev/null || { lab_say "skipped: no tshark"; exit "$LAB_SKIP"; }
lab_up
conf >"$LAB_DIR/appliance.conf"
start_appliance "$LAB_DIR/appliance.conf"
guest_up "$LAB_BUILD/app/mn/homeport-mn" "$(command -v tcpdump)"
expect "the guest's kernel has an ipip device" guest_tunnel
capture rtr visited1 "$LAB_DIR/visited.pcap" "$GUEST_FILTER"
capture cn eth0 "$LAB_DIR/cn.pcap" ip
guest_captures
guest_registers
expect "it registers its care-of address" within 10 care_of_is "$GUEST_CARE_OF"

expect "the correspondent reaches it" ping_home cn 56 dont
expect "so does a host on its home link" ping_home hh 56 dont
expect "1400 bytes, DF clear" ping_home cn 1400 dont
expect "as much as fits into the tunnel" ping_home cn $((tunnel_mtu - 28)) dont
expect "a byte more" ping_home cn $((tunnel_mtu - 27)) dont
expect "1472 bytes, DF clear" ping_home cn 1472 dont
expect "1472 bytes, DF clear, from the home link" ping_home hh 1472 dont
expect "4000 bytes in fragments that are too big themselves" ping_home cn 4000 dont
expect "no path MTU was needed so far" path_mtu_is ""
expect "1472 bytes, DF set, are refused" refused_with 1472 $tunnel_mtu
expect "which the correspondent's kernel believes" path_mtu_is $tunnel_mtu
expect "as much as fits, DF set" ping_home cn $((tunnel_mtu - 28)) "do"
expect "pings with all kinds of TOS and ECN" ping_all_tos
expect "which the guest's kernel sees as they were sent" within 5 guest_saw_all_tos

head -c $transferred /dev/urandom >"$LAB_DIR/sent"
sum=$(sha256sum <"$LAB_DIR/sent" | cut -d ' ' -f 1)
expect "the correspondent forgets the path MTU" forget_path_mtu
expect "$transferred bytes by TCP arrive as sent" transfer "$LAB_DIR/sent" "$sum"
expect "TCP found the path MTU" path_mtu_is $tunnel_mtu
capture_end "$LAB_DIR/visited.pcap"
capture_end "$LAB_DIR/cn.pcap"

visited=$LAB_DIR/visited.pcap
expect "tshark finds nothing wrong on the visited link" sound "$visited"
expect "nor at the correspondent" sound "$LAB_DIR/cn.pcap"
expect "it could check the pings" verified "$visited" icmp 30
expect "and TCP" verified "$visited" tcp $((transferred / 1500))
expect "all tunnel packets are from the home agent to the care-of address" \
    no_tunnelled "$visited" "not (src $LAB_HOME_AGENT and dst $GUEST_CARE_OF)"
expect "none is a fragment outside" no_tunnelled "$visited" "ip[6:2] & 0x3fff != 0"
expect "fragments are inside" test -n "$(tunnelled "$visited" "ip[26:2] & 0x3fff != 0")"
expect "none is too long" no_tunnelled "$visited" "ip[2:2] > 1500"
expect "each has the inner TOS outside" no_tunnelled "$visited" "ip[1] != ip[21]"
expect "and DF where it is set inside" no_tunnelled "$visited" "ip[26] & 0x40 != 0 and ip[6] & 0x40 == 0"
expect "an outer TTL of 64 that the router counted down" no_tunnelled "$visited" "ip[8] != 63"
expect "an inner one that router and home agent counted down" \
    no_tunnelled "$visited" "ip[32:4] == 0x0a090002 and ip[28] != 62"
expect "no two that may be fragmented have one identification" identifications_differ "$visited"

# A narrow link behind the home agent: the router complains of the outer packet (RFC 2003 section 5.1).
ip -n "$(lab_ns rtr)" link set visited1 mtu $narrow_mtu
guest "ip link set vec0 mtu $narrow_mtu" || lab_fail "the guest's MTU cannot be set"
expect "1400 bytes, DF set, are refused when the way to the care-of address is narrow" \
    refused_with 1400 $((narrow_mtu - 20))
expect "as much as fits, DF set" ping_home cn $((narrow_mtu - 48)) "do"
capture rtr visited1 "$LAB_DIR/narrow.pcap" "$GUEST_FILTER"
expect "1472 bytes, DF clear, from the home link" ping_home hh 1472 dont
expect "the correspondent forgets the path MTU" forget_path_mtu
expect "$transferred bytes by TCP arrive as sent" transfer "$LAB_DIR/sent" "$sum"
expect "TCP found the path MTU" path_mtu_is $((narrow_mtu - 20))
capture_end "$LAB_DIR/narrow.pcap"
expect "tshark finds nothing wrong on the narrow link" sound "$LAB_DIR/narrow.pcap"
expect "no tunnel packet had to be fragmented there" no_tunnelled "$LAB_DIR/narrow.pcap" "ip[6:2] & 0x3fff != 0"
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"
