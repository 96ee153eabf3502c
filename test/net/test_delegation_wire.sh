#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the home link sees of a registration, a delegation, a move, a recall and the return home: an independent decoder finds every
# datagram whole, authentic and within the protocol, tshark finds none malformed, and all comes in the order that it has to.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"

link=$LAB_DIR/link.pcap

cached_at() {
    [[ $(neighbor_of rtr "$LAB_HOME_ADDRESS") == $(mac_of "$1" hp0) ]]
}

# goes_to NAME COMMAND...: by that command; then all announcements are awaited.
goes_to() {
    local name=$1
    shift
    expect "$*" console "$@"
    expect "it forwards" within 3 forwards_settled "$([[ $name == pha ]] && echo self || echo "$name")"
    expect "the router's cache follows" within 3 cached_at "$name"
    sleep 4
}

pair_key() {
    printf '%s:%s' "$1" "$(lab_pair_key "$2" | cut -d : -f 2)"
}

# dissected FILTER: what tshark says of these.
dissected() {
    tshark -n -X "lua_script:$LAB_ROOT/doc/homeport-delegation.lua" -r "$link" -Y "$1" 2>/dev/null
}

/usr/bin/python3 -c 'import scapy' 2>/dev/null || { lab_say "skipped: no python3-scapy"; exit "$LAB_SKIP"; }
lab_up
lab_secondary 1
lab_secondary 2
appliance_conf "$(secondary_section 1)" "$(secondary_section 2)" 'delegation { when = manual  linger = 3 }' >"$LAB_DIR/pha.conf"
chmod 600 "$LAB_DIR/pha.conf"
capture home br0 "$link" '(udp port 49434) or (udp port 434) or arp or ip proto 4'
start_appliance "$LAB_DIR/pha.conf"
start_secondary 1
start_secondary 2
expect "both secondaries are ready" within 10 eval 'secondary_is ready 1 && secondary_is ready 2'

roam_to visited1
start_mobile --care-of 10.2.0.50 --tun mip0 --lifetime 300
expect "the mobile node registers" within 10 forwards_settled self
lab_spawn stream cn "$LAB_BUILD/app/mn/homeport-stream" --to "$LAB_HOME_ADDRESS" --rate 100 --count 0 </dev/null
sleep 0.5
goes_to sha1 delegate "$LAB_HOME_ADDRESS" sha1
goes_to sha2 delegate "$LAB_HOME_ADDRESS" sha2
goes_to pha recall "$LAB_HOME_ADDRESS"
goes_to sha1 delegate "$LAB_HOME_ADDRESS" sha1
roam_to home
mobile_do home home0
expect "it is deregistered" within 5 eval 'console -j show bindings | tr -d "\n" | grep -q "\"bindings\": \[\]"'
sleep 2
lab_stop stream
stop_mobile || lab_say "homeport-mn: $(lab_log mobile)"
sleep 0.5
capture_end "$link"

expect "every datagram is whole, authentic and within the protocol" \
    "$LAB_ROOT/test/delegation/hadp.py" "$link" --key "$(pair_key 1001 1)" --key "$(pair_key 1002 2)" --strict
cp "$LAB_DIR/expect.log" "$LAB_DIR/decoded"
for kind in HELLO HELLO_ACK START START_ACK STOP STOP_ACK KEEPALIVE KEEPALIVE_ACK SYNC_REQ SYNC_DATA; do
    expect "there are some: $kind" grep -q " $kind node " "$LAB_DIR/decoded"
done
if command -v tshark >/dev/null; then
    expect "tshark finds nothing malformed" test -z "$(dissected '_ws.malformed || hadp.bad')"
    expect "and knows the delegation's datagrams" test "$(dissected hadp | wc -l)" -gt 50
fi
expect "all is in its order" "$LAB_ROOT/test/net/check_wire.py" "$link" "pha=$(mac_of pha hp0)" "sha1=$(mac_of sha1 hp0)" "sha2=$(mac_of sha2 hp0)" \
    "mn=$(mac_of mn home0)"
sed 's/^/   /' "$LAB_DIR/expect.log"
for node in sha1 sha2 pha; do
    expect "$node ends well" stop_appliance "$node"
done
echo "ok: the link has seen what the protocol says"
