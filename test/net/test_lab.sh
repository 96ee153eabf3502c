#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The lab itself, with plain kernels for hosts: everybody reaches whom he should, the appliance's kernel keeps
# quiet, and a lab whose owner was killed is cleared away by the next one.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"

# A process that is only waited for by its parent any more counts as ended.
has_ended()
{
    local state
    state=$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null) || return 0
    [[ $state == [ZX] ]]
}

no_trace_of()
{
    wait_for 5 has_ended "$2" && [[ ! -e $LAB_BASE/$1 ]] && ! ip netns list | grep -q "^homeport-$1-"
}

# A lab in a process of its own that is killed in the middle, with a program running.
leave_a_lab()
{
    bash -c '. "$1"; lab_up; lab_spawn sleeper cn sleep 1000 </dev/null
        echo "${LAB_PID[sleeper]}" >"$2"; wait' bash "$LAB_ROOT/test/net/lab.sh" "$LAB_DIR/sleeper" >"$LAB_DIR/left.log" 2>&1 &
    left=$!
    wait_for 60 test -s "$LAB_DIR/sleeper" || lab_fail "the lab to be killed was not built"
    kill -KILL "$left"
    wait "$left" 2>/dev/null
    sleeper=$(cat "$LAB_DIR/sleeper")
    ! has_ended "$sleeper" || lab_fail "nothing was left behind to be cleared away"
}

lab_up
expect "the correspondent reaches the home link" reaches cn 10.1.0.9
expect "the home link's host reaches the router" reaches hh 10.1.0.1
expect "nobody answers for the appliance" fails reaches hh 10.1.0.2
expect "so its kernel is not to be seen" test -z "$(neighbor_of hh 10.1.0.2)"

capture rtr visited1 "$LAB_DIR/visited1.pcap" icmp
roam_to visited1
expect "the mobile node is reached at visited1" reaches cn 10.2.0.50
expect "it reaches the home link" reaches mn 10.1.0.9
capture_end "$LAB_DIR/visited1.pcap"
packets=$(tcpdump -nr "$LAB_DIR/visited1.pcap" 2>/dev/null | wc -l)
expect "the capture holds all of it" test "$packets" -eq 8
roam_to visited2
expect "the mobile node is reached at visited2" reaches cn 10.3.0.50
expect "and not at visited1 any more" fails reaches cn 10.2.0.50
roam_to home
ip -n "$(lab_ns mn)" address add "$LAB_HOME_ADDRESS/24" dev home0
expect "the mobile node is reached at home" reaches cn "$LAB_HOME_ADDRESS"
expect "by its own MAC address" test "$(neighbor_of rtr "$LAB_HOME_ADDRESS")" = "$(mac_of mn home0)"
roam_to visited1
expect "and not when it left" fails reaches cn "$LAB_HOME_ADDRESS"

leave_a_lab
lab_remove_dead 2>/dev/null
expect "what a killed run left is cleared away" no_trace_of "$left" "$sleeper"
expect "and nothing else" reaches cn 10.2.0.50
