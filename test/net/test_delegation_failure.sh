#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What fails while packets flow, and what it costs: the primary is killed and started again without a state, a secondary is, and the
# delegation's datagrams between the two are cut off for one second and for five, both ways and one way only.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/crowd.sh
. "$(dirname "$0")/crowd.sh"

crowd=40
rate=2000
lease_ms=1500
# Lease, detection and announcement of those of one secondary, half of all: 2.5 seconds.
bound=$((rate * 25 / 10 / 2))

all_are_bound() {
    [[ $(console -j show bindings | grep -c '"home_address"') == "$1" ]]
}

both_forward() {
    holds 1 $((crowd / 2)) && holds 2 $((crowd / 2))
}

all_forward() {
    (($(bindings_of 1) + $(bindings_of 2) == $1)) && nothing_is_pending
}

nothing_is_pending() {
    ! console -j show secondaries | grep -q '"pending": [1-9]'
}

# settled N: shaN is ready and nothing is under way.
settled() {
    secondary_is ready "$1" && nothing_is_pending
}

# leased_since N TIME: shaN has been given a lease since.
leased_since() {
    local elapsed_us=$((${EPOCHREALTIME/[.,]/} - ${2/[.,]/})) left
    left=$(console -j show secondaries | tr -d '\n' | grep -o "\"name\": \"sha$1\"[^}]*" | sed -n 's/.*"lease_left_ms": \([0-9]*\).*/\1/p')
    ((left > 0 && (lease_ms - left) * 1000 < elapsed_us))
}

care_of_is() {
    console -j show bindings "$LAB_HOME_ADDRESS" | grep -q "\"care_of_addresses\": \[\"$1\"\]"
}

sessions() {
    console -j show counters | sed -n 's/.*"sessions": \([0-9]*\).*/\1/p'
}

more_sessions_than() {
    [[ $(sessions) -gt $1 ]]
}

# answers_for ADDRESS: who answers ARP for it in a second, a MAC address a line.
answers_for() {
    on hh arping -w 1 -I eth0 "$1" 2>/dev/null | grep -io '[0-9a-f:]\{17\}' | sort -u
}

# Of one in five home addresses.
one_interceptor_each() {
    local i address wrong=0
    for ((i = 0; i < crowd; i += 5)); do
        answers_for "10.50.1.$i" >"$LAB_DIR/arp.$i" &
        pids[i]=$!
    done
    for ((i = 0; i < crowd; i += 5)); do
        wait "${pids[i]}"
        address=$(cat "$LAB_DIR/arp.$i")
        [[ $(wc -w <<<"$address") == 1 ]] || { echo "10.50.1.$i: $address"; wrong=1; }
    done
    return $wrong
}

# cut [primary|secondary]: no delegation datagram from it to the other gets through, or none at all. mend ends it.
cut() {
    local -A says=([primary]="ip saddr $LAB_HOME_AGENT ip daddr 10.1.0.3" [secondary]="ip saddr 10.1.0.3 ip daddr $LAB_HOME_AGENT")
    local end
    on home nft add table bridge cut
    on home nft 'add chain bridge cut forward { type filter hook forward priority 0; }'
    for end in "$@"; do
        # shellcheck disable=SC2086
        on home nft add rule bridge cut forward ${says[$end]} udp dport 49434 counter drop
    done
}

mend() {
    on home nft list table bridge cut | sed -n 's/.*counter packets \([0-9]*\).*/   \1 datagrams cut off/p'
    on home nft delete table bridge cut
}

request() {
    on mn python3 "$LAB_ROOT/test/net/request.py" "$@"
}

command -v nft >/dev/null || { lab_say "skipped: no nft"; exit "$LAB_SKIP"; }
lab_up
lab_secondary 1
lab_secondary 2
crowd_up $crowd
crowd_primary "$(secondary_section 1)" "$(secondary_section 2)" 'delegation { linger = 3 }'
start_appliance "$LAB_DIR/pha.conf"
crowd_secondary 1
crowd_secondary 2
expect "both secondaries are ready" within 10 eval 'settled 1 && settled 2'
roam_to visited1
crowd_registers 1000
expect "half of the bindings each" within 10 both_forward
echo "== The primary is killed and started again without a state"
stream_begins $crowd $rate
request make "$LAB_DIR/older" 10.2.0.60 5.5
request make "$LAB_DIR/newest" 10.2.0.50 6
ip -n "$(lab_ns mn)" address add 10.2.0.60/24 dev visited1
expect "a mobile node whose clock is ahead registers" test "$(request send "$LAB_DIR/older" 10.2.0.60)" = 1
expect "and moves" test "$(request send "$LAB_DIR/newest" 10.2.0.50)" = 1
expect "all are delegated" within 5 all_forward $((crowd + 1))
lab_kill homeportd
started=$EPOCHREALTIME
start_appliance "$LAB_DIR/pha.conf"
echo "   it serves again after $(seconds_since "$started") s"
expect "its bindings are there again" within 5 all_are_bound $((crowd + 1))
expect "the mobile node's last request is refused" test "$(request send "$LAB_DIR/newest" 10.2.0.50)" = 133
expect "the one before as well" test "$(request send "$LAB_DIR/older" 10.2.0.60)" = 133
expect "its binding is what it was" care_of_is 10.2.0.50
request make "$LAB_DIR/next" 10.2.0.60 6.5
expect "a new request is taken" test "$(request send "$LAB_DIR/next" 10.2.0.60)" = 1
expect "all are delegated" within 10 all_forward $((crowd + 1))
expect "and stay so" all_are_bound $((crowd + 1))
stream_ends
expect "forwarding had no gap" test "$STREAM_LOST" = 0
expect "nobody registered for it" test "$(registrations)" = 3
expect "one interceptor each" one_interceptor_each

echo "== A secondary is killed and started again"
console delegate all
expect "both forward" within 10 all_forward $((crowd + 1))
held=$(bindings_of 1)
before=$(sessions)
stream_begins $crowd $rate
lab_kill homeportd-sha1
started=$EPOCHREALTIME
start_appliance "$LAB_DIR/sha1.conf" sha1
echo "   it serves again after $(seconds_since "$started") s"
expect "a new session begins" within 5 more_sessions_than "$before"
expect "it is ready" within 10 settled 1
expect "it has bindings again" within 30 fails holds 1 0
echo "   $(bindings_of 1) of $held, after $(seconds_since "$started") s"
expect "somebody forwards for each" all_are_bound $((crowd + 1))
stream_ends
expect "what was lost is within the bound" test "$STREAM_LOST" -le $bound
expect "one interceptor each" one_interceptor_each

# cut_off SECONDS FROM...: what that costs, and that it ends well.
cut_off() {
    local seconds=$1 mended
    shift
    echo "== For $seconds s nothing gets through from $*"
    console delegate all
    expect "both forward" within 30 eval "all_forward $((crowd + 1)) && fails holds 1 0 && fails holds 2 0"
    stream_begins $crowd $rate
    cut "$@"
    sleep "$seconds"
    [[ $seconds -lt 5 ]] || expect "one interceptor each meanwhile" one_interceptor_each
    mend
    mended=$EPOCHREALTIME
    # Before its first KEEPALIVE, after 200 ms at most, the primary cannot know that its lease may be over.
    expect "sha1 has a lease again" within 10 leased_since 1 "$mended"
    expect "it is ready" within 10 settled 1
    stream_ends
    expect "nothing was lost: caches lead to one who forwards" test "$STREAM_LOST" = 0
    expect "one interceptor each" one_interceptor_each
    expect "every binding is there" all_are_bound $((crowd + 1))
}

cut_off 1 primary secondary
cut_off 5 primary secondary
cut_off 5 primary
cut_off 5 secondary

crowd_stop
for node in sha1 sha2 pha; do
    expect "$node ends well" stop_appliance "$node"
done
echo "ok: what failed cost no more than it may"
