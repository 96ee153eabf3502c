#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A stream of 100,000 packets at 10,000 packets/s, from a correspondent's kernel through the home agent to a mobile node, while 10,000
# other mobile nodes register at 1,000/s: none is lost, none is out of order.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"

packets=100000
others=10000

# The others live in a home network of their own on the same link.
crowd_conf() {
    appliance_conf 'mobile-nodes = "crowd.csv"' |
        sed -e 's|addresses = {"10.1.0.2/24"}|addresses = {"10.1.0.2/24", "10.50.0.2/16"}|' \
            -e 's|home-networks = {"10.1.0.0/24"}|home-networks = {"10.1.0.0/24", "10.50.0.0/16"}|'
}

crowd_csv() {
    local i
    for ((i = 0; i < others; i++)); do
        echo "10.50.$((1 + i / 250)).$((1 + i % 250)),256,$LAB_KEY"
    done
}

registered() {
    console -j show counters | grep -q "\"bindings_created\": $((others + 1))"
}

mobile_is_bound() {
    console -j show bindings "$LAB_HOME_ADDRESS" | grep -q '"10.2.0.50"'
}

# field NAME FILE: a number from homeport-mn's report.
field() {
    sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$2" | tail -n 1
}

lab_up
crowd_conf >"$LAB_DIR/homeport.conf"
crowd_csv >"$LAB_DIR/crowd.csv"
chmod 600 "$LAB_DIR/homeport.conf" "$LAB_DIR/crowd.csv"
start_appliance "$LAB_DIR/homeport.conf"
roam_to visited1
start_mobile --care-of 10.2.0.50 --json
wait_for 10 mobile_is_bound || lab_fail "the mobile node is not registered: $(lab_log mobile)"

lab_spawn crowd cn "$LAB_BUILD/app/mn/homeport-mn" --home-agent "$LAB_HOME_AGENT" --care-of 10.9.0.2 \
    --mobile-nodes "$LAB_DIR/crowd.csv" --rate 1000 --lifetime 600 --duration 60 --json --quiet </dev/null
lab_spawn stream cn "$LAB_BUILD/app/mn/homeport-stream" --to "$LAB_HOME_ADDRESS" --rate 10000 --count $packets </dev/null
wait_for 60 lab_ended stream || lab_fail "the stream did not end"
wait_for 60 registered || lab_fail "not all of $others mobile nodes are registered: $(console show counters)"
sleep 0.5
stop_mobile || lab_fail "homeport-mn: $(lab_log mobile)"
lab_stop crowd || lab_fail "the crowd: $(lab_log crowd)"

received=$(field received "$LAB_DIR/mobile.log")
disordered=$(field out_of_order "$LAB_DIR/mobile.log")
echo "stream: $(lab_log stream | tail -n 1); received $received, out of order $disordered; crowd: $(lab_log crowd)"
[ "$received" = "$packets" ] || lab_fail "$((packets - received)) of $packets packets lost: $(console show counters)"
[ "$disordered" = 0 ] || lab_fail "$disordered packets out of order"
[ "$(field retransmissions "$LAB_DIR/crowd.log")" = 0 ] || echo "note: some of the crowd had to ask again"
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"
echo "ok: $packets packets, none lost, none out of order, while $others mobile nodes registered"
