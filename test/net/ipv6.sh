# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What tests of IPv6 in the lab have in common. To be sourced after lab.sh and expect.sh.

# fields FILE FILTER FIELD...: of the packets that match tshark's filter, one line each.
fields()
{
    local file=$1 filter=$2 name
    local -a wanted=()
    shift 2
    for name; do
        wanted+=(-e "$name")
    done
    tshark -n -r "$file" -o udp.check_checksum:TRUE -Y "$filter" -T fields "${wanted[@]}" 2>/dev/null
}

# count FILE FILTER: how many packets match.
count()
{
    fields "$1" "$2" frame.number | wc -l
}

# sound FILE [FILTER]: nothing malformed and no bad checksum in what matches, in any layer. What an ICMPv6 error quotes may be
# cut short.
sound()
{
    local found
    found=$(fields "$1" "${2:-frame} && ((_ws.malformed && !(icmpv6.type < 128)) || udp.checksum.status == \"Bad\" ||
        icmpv6.checksum.status == \"Bad\")" frame.number _ws.col.Info) || return 1
    echo "$found"
    [[ -z $found ]]
}

# bound6 CARE-OF
bound6()
{
    console -j show bindings "$LAB_HOME_ADDRESS6" | grep -q "\"care_of_addresses\": \[\"$1\"\]"
}

no_binding6()
{
    ! console -j show bindings | grep -q "\"home_address\": \"$LAB_HOME_ADDRESS6\""
}

# believes6 NAMESPACE MAC: its neighbour cache has the home address at that MAC address.
believes6()
{
    [[ $(neighbor_of "$1" "$LAB_HOME_ADDRESS6") == "$2" ]]
}

# stream_field NAME: of the streams' total in homeport-mn's report.
stream_field()
{
    sed -n "s/.*\"stream_total\":.*\"$1\":\([0-9]*\).*/\1/p" "$LAB_DIR/mobile6.log" | tail -n 1
}

ipv6_require()
{
    command -v tshark >/dev/null || { lab_say "skipped: no tshark"; exit "$LAB_SKIP"; }
    [[ -d /proc/sys/net/ipv6 ]] || { lab_say "skipped: the kernel has no IPv6"; exit "$LAB_SKIP"; }
}

# ipv6_up [LINE...]: the lab with IPv6, and its appliance, LINEs at the end of its configuration.
ipv6_up()
{
    lab_up
    lab_ipv6
    appliance_conf6 "$@" >"$LAB_DIR/appliance.conf"
    chmod 600 "$LAB_DIR/appliance.conf"
    start_appliance "$LAB_DIR/appliance.conf"
    # Duplicate address detection for its own (RFC 4862).
    expect "the appliance has its IPv6 address" within 5 on hh ping -n -q -c 1 -W 1 "$LAB_HOME_AGENT6"
}
