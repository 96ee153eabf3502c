#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Twenty thousand mobile nodes register with a primary and are shared out, live, while a stream of 10,000 packets/s goes to a thousand of them:
# a second secondary is added by configuration and reload; the first is drained while one in ten of the delegation's datagrams is lost; the second
# is killed. Nobody registers anew for it. Nothing is lost but by the kill, and that for less than 2.5 seconds, and only to those whom it served.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/crowd.sh
. "$(dirname "$0")/crowd.sh"

crowd=20000
watched=1000

# One in ten delegation datagrams that crosses the home link is lost.
lose_datagrams() {
    on home nft -f - <<'NFT'
table bridge faulty {
    chain forward {
        type filter hook forward priority 0;
        udp dport 49434 numgen random mod 10 == 0 counter drop
    }
}
NFT
}

told_of_stream() {
    echo "   stream: $(stream_sent) sent, $(crowd_total received) received, $(crowd_total duplicates) of them twice," \
        "longest gap $(crowd_total longest_gap_us) us"
}

half_each() {
    holds 1 $((crowd / 2)) && holds 2 $((crowd / 2))
}

drained() {
    holds 2 $crowd && holds 1 0
}

rescued() {
    holds 2 0 && holds 1 $crowd
}

registered() {
    [[ $(registrations) -ge $1 ]]
}

# load_has N KEY NUMBER: what the primary thinks of shaN.
load_has() {
    console -j show load | tr -d '\n' | grep -o "\"name\": \"sha$1\"[^}]*" | grep -q "\"$2\": $3\b"
}

configure() {
    crowd_primary "$@" 'delegation { linger = 5  moves = 5000 }'
}

command -v nft >/dev/null || { lab_say "skipped: no nft"; exit "$LAB_SKIP"; }
lab_up
lab_secondary 1
lab_secondary 2
crowd_up $crowd
configure "$(secondary_section 1)"
start_appliance "$LAB_DIR/pha.conf"
crowd_secondary 1
expect "the first secondary is ready" within 10 secondary_is ready 1
roam_to visited1
crowd_registers 5000
expect "all $crowd are delegated to it" within 30 holds 1 $crowd
asked=$(registrations)

crowd_stream $watched 10000 0
crowd_secondary 2
configure "$(secondary_section 1 weight=100)" "$(secondary_section 2 weight=100)"
started=$EPOCHREALTIME
expect "a second secondary is added by reload" console reload
expect "it is given bindings by itself" within 30 fails holds 2 0
echo "   after $(seconds_since "$started") s"
expect "its weight grows to what is configured" within 20 load_has 2 weight 100
started=$EPOCHREALTIME
expect "the operator does not wait for the rest" console delegate all
expect "half each" within 20 half_each
echo "   after $(seconds_since "$started") s"

lose_datagrams
started=$EPOCHREALTIME
expect "drain the first while every tenth delegation datagram is lost" console drain sha1
expect "all are moved within 10 s" within 10 drained
echo "   after $(seconds_since "$started") s, $(on home nft list table bridge faulty | sed -n 's/.*counter packets \([0-9]*\).*/\1/p') datagrams lost"
on home nft delete table bridge faulty
sleep 6 # the linger
lab_stop stream || lab_fail "the stream: $(lab_log stream)"
sleep 1
crowd_stop
told_of_stream
expect "no packet was lost" test "$(crowd_total received)" -ge 200000 -a "$(crowd_total lost)" = 0
expect "all that were sent came" test "$(($(crowd_total received) - $(crowd_total duplicates)))" = "$(stream_sent)"
expect "nobody registered anew for it" test "$(registrations)" = "$asked"

# The kill: those who were at the second resume at the primary and the first.
expect "undrain" console undrain sha1
crowd_registers 5000
expect "all are registered again" within 30 registered $((asked + crowd))
expect "the first is trusted again" within 30 load_has 1 weight 100
expect "divide them all" console delegate all
expect "half each again" within 20 half_each
crowd_stream $watched 10000 0
sleep 3
crowd_of 1 >"$LAB_DIR/untouched"
lab_kill homeportd-sha2
expect "its bindings are forwarded by the others" within 15 rescued
sleep 2
lab_stop stream || lab_fail "the stream: $(lab_log stream)"
sleep 1
crowd_stop
told_of_stream
expect "every stream has resumed" test "$(crowd_streams | wc -l)" = $watched
expect "within 2.5 s" test "$(crowd_total longest_gap_us)" -le 2500000
expect "the kill was felt" test "$(crowd_total lost)" -gt 0
crowd_streams | grep -v ' 0$' | cut -d ' ' -f 1 | sort >"$LAB_DIR/touched"
expect "those of the living secondary were not touched" test -z "$(sort "$LAB_DIR/untouched" | join - "$LAB_DIR/touched")"
expect "the primary ends well" stop_appliance
expect "sha1 ends well" stop_appliance sha1
echo "ok: $crowd bindings shared out, moved, drained under loss and rescued"
