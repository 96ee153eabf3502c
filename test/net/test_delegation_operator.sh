#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What operators and strangers do to a delegation under way, while packets flow: keys are changed by reloads at both ends, a secondary is
# taken out of the configuration, and forged, replayed, reflected, truncated and re-keyed datagrams come in. Nothing is lost; what is refused is
# counted by its reason and changes nothing.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/crowd.sh
. "$(dirname "$0")/crowd.sh"

crowd=40
rate=2000
new_key=hex:$(printf '%064x' 0x5ec4e7)

halves() {
    holds 1 $((crowd / 2)) && holds 2 $((crowd / 2))
}

settled() {
    secondary_is ready "$1" && ! console show secondaries | grep -q '"pending": [1-9]'
}

# counter NAME APPLIANCE
counter() {
    console_of "$2" -j show counters | sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p"
}

# Who forwards for whom, and what secondaries hold; without what only time changes.
state_of_all() {
    local name
    for name in pha sha1 sha2; do
        console_of "$name" -j show bindings | tr -d '\n' | grep -o '{"home_address"[^}]*}' |
            sed 's/"lifetime_left": [0-9]*//; s/"packets".*//'
    done
    for name in sessions starts_sent stops_sent nodes_dead bindings_created bindings_moved; do
        echo "$name $(counter $name pha)"
    done
    for name in sessions starts_taken stops_taken leases_lost; do
        echo "$name $(counter $name sha1)"
    done
}

# counts_of NODE: what forge.py's lines are about, as it stands.
counts_of() {
    local name
    for name in peer_{replayed,forged,reflected,unknown,unknown_spi,wrong_epoch,bad_magic,bad_version,bad_length}; do
        echo "$name $(counter "$name" "$1")"
    done | sort
}

# refused NODE LINES-FILE BEFORE-FILE: its counters went up by as much as forge.py says, none more, none less.
refused() {
    local name number before now wrong=0
    counts_of "$1" >"$LAB_DIR/after"
    while read -r name before; do
        number=$(sed -n "s/^$4 $name \([0-9]*\)$/\1/p" "$2")
        now=$(sed -n "s/^$name \([0-9]*\)$/\1/p" "$LAB_DIR/after")
        ((now == before + ${number:-0})) || { echo "$name: $before, then $now, not ${number:-0} more"; wrong=1; }
    done <"$3"
    return $wrong
}

# keys SPI KEY [OTHER-SPI OTHER-KEY]: of the primary and its first secondary, in both configurations; both reload.
keys() {
    local file what="spi = $1  key = \"$2\""
    [[ $# == 2 ]] || what+="  other-spi = $3  other-key = \"$4\""
    for file in pha sha1; do
        sed -Ei "/^(secondary \"sha1\"|primary )/s/spi = .*\"hex:[0-9a-f]*\"/$what/" "$LAB_DIR/$file.conf"
        expect "$file reloads" console_of $file reload
    done
}

# What the first secondary sends bears this SPI.
speaks_with() {
    capture home sha1 "$LAB_DIR/spi.pcap" udp port 49434
    sleep 1.2
    capture_end "$LAB_DIR/spi.pcap"
    [[ $(hadp --json "$LAB_DIR/spi.pcap" | grep -o '"spi": [0-9]*' | sort -u) == "\"spi\": $1" ]]
}

hadp() {
    /usr/bin/python3 "$LAB_ROOT/test/delegation/hadp.py" "$@"
}

/usr/bin/python3 -c 'import scapy' 2>/dev/null || { lab_say "skipped: no python3-scapy"; exit "$LAB_SKIP"; }
lab_up
lab_secondary 1
lab_secondary 2
crowd_up $crowd
crowd_primary "$(secondary_section 1)" "$(secondary_section 2)" 'delegation { linger = 3 }'
start_appliance "$LAB_DIR/pha.conf"
capture home sha1 "$LAB_DIR/session.pcap" udp port 49434
crowd_secondary 1
crowd_secondary 2
expect "both secondaries are ready" within 10 eval 'settled 1 && settled 2'
roam_to visited1
crowd_registers 1000
expect "half of the bindings each" within 10 halves
home=$(crowd_of 1 | head -n 1)
expect "one goes to the other" console delegate "$home" sha2
expect "and is there" within 5 forwards_settled sha2 "$home"
expect "and comes back" console delegate "$home" sha1
expect "and is there" within 5 forwards_settled sha1 "$home"
sleep 4 # its linger there is over
stream_begins $crowd $rate

echo "== Datagrams of somebody who has no key"
capture_end "$LAB_DIR/session.pcap"
state_of_all >"$LAB_DIR/state"
counts_of pha >"$LAB_DIR/primary.before"
counts_of sha1 >"$LAB_DIR/secondary.before"
on hh /usr/bin/python3 "$LAB_ROOT/test/net/forge.py" "$LAB_DIR/session.pcap" eth0 "$(mac_of pha hp0)" "$(mac_of sha1 hp0)" >"$LAB_DIR/forged" ||
    lab_fail "forge.py"
sleep 0.5
sed 's/^/   /' "$LAB_DIR/forged"
expect "there were some of each kind" test "$(wc -l <"$LAB_DIR/forged")" = 18
expect "the primary has counted each by its reason" refused pha "$LAB_DIR/forged" "$LAB_DIR/primary.before" primary
expect "the secondary as well" refused sha1 "$LAB_DIR/forged" "$LAB_DIR/secondary.before" secondary
expect "nothing has changed" diff "$LAB_DIR/state" <(state_of_all)
stream_ends
expect "nothing was lost" test "$STREAM_LOST" = 0

echo "== Another key"
stream_begins $crowd $rate
dead=$(counter nodes_dead pha)
keys 1001 "$(lab_pair_key 1)" 1101 "$new_key"
expect "the old one is spoken" speaks_with 1001
keys 1101 "$new_key" 1001 "$(lab_pair_key 1)"
expect "the secondary is ready" within 5 settled 1
keys 1101 "$new_key"
expect "the secondary is ready" within 5 settled 1
expect "the new one is spoken" speaks_with 1101
expect "the secondary was not declared dead" test "$(counter nodes_dead pha)" = "$dead"
expect "nor has it lost a binding" halves
stream_ends
expect "nothing was lost" test "$STREAM_LOST" = 0
lab_kill homeportd-sha1
start_appliance "$LAB_DIR/sha1.conf" sha1
expect "started again, it is ready with the new one" within 10 settled 1
expect "and forwards again" within 40 fails holds 1 0

echo "== A secondary is taken out of the configuration"
stream_begins $crowd $rate
sed -i '/^secondary "sha2"/d' "$LAB_DIR/pha.conf"
expect "reload without sha2" console reload
expect "its bindings move" within 10 holds 1 $crowd
expect "then it is forgotten" within 10 fails eval 'console show secondaries | grep -q sha2'
expect "it holds nothing" within 5 eval 'console_of sha2 -j show bindings | tr -d "\n" | grep -q "\"bindings\": \[\]"'
stream_ends
expect "nothing was lost" test "$STREAM_LOST" = 0

crowd_stop
for node in sha2 sha1 pha; do
    expect "$node ends well" stop_appliance "$node"
done
echo "ok: strangers change nothing, operators lose nothing"
