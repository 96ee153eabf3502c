#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What an operator does to a running appliance while packets flow: reload, revoke, break it off and start it again; and what it
# tells him. What the appliance sent meanwhile is dissected by tshark.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"

conf=$LAB_DIR/appliance.conf

configure()
{
    appliance_conf "$@" >"$conf"
    chmod 600 "$conf"
}

care_of_is()
{
    console -j show bindings "$LAB_HOME_ADDRESS" | grep -q "\"care_of_addresses\": \[\"$1\"\]"
}

no_binding()
{
    ! console show bindings "$LAB_HOME_ADDRESS"
}

# refused WORDS COMMAND...: exit status 1, and those words on standard error.
refused()
{
    local words=$1 said status=0
    shift
    said=$(console "$@" 2>&1 >/dev/null) || status=$?
    [[ $status -eq 1 && $said == *"$words"* ]] || {
        echo "status $status: $said"
        return 1
    }
}

# Every name in the answer stands in the documentation.
documented()
{
    local name missing=0
    for name in $(console -j show counters | grep -oE '"[a-z_]+"' | tr -d '"' | sort -u); do
        grep -qE "\`$name\`|^## $name\$" "$LAB_ROOT/doc/counters.md" || {
            echo "doc/counters.md does not know $name"
            missing=1
        }
    done
    return $missing
}

faultless()
{
    local faults
    faults=$(tshark -r "$1" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
        -Y "eth.src == $2 && (_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0)" 2>/dev/null)
    echo "$faults"
    [[ -z $faults ]]
}

lab_up
configure
start_appliance "$conf"
capture home pha "$LAB_DIR/home.pcap"
roam_to visited1
start_mobile --care-of 10.2.0.50 --tun mip0 --duration 600
expect "it registers" within 10 care_of_is 10.2.0.50
expect "every counter is documented" documented

lab_spawn ping cn ping -n -i 0.01 -c 300 "$LAB_HOME_ADDRESS" </dev/null
configure 'mobile-node "10.1.0.60" { spi = 256 key = "hex:00" }' 'route "10.200.0.0/16" { via = "10.1.0.1" }'
expect "a reload adds a mobile node and a route" console reload
expect "the mobile node is there" grep -q '"mobile_nodes": 2' <(console -j show version)
expect "the route is there" grep -q '"10.200.0.0/16"' <(console -j show routes)
configure 'mobile-node "10.1.0.61" { spi = 5 key = "hex:00" }' 'colour = blue'
expect "a bad file is refused, by file and line" refused "appliance.conf:31" reload
expect "with every fault of it" refused "appliance.conf:32" reload
expect "and changes nothing" grep -q '"mobile_nodes": 2' <(console -j show version)
configure
sed -i 's/memory     = 256/memory     = 300/' "$conf"
expect "what only a restart can change is refused" refused "restart" reload
configure
expect "a reload takes them out again" console reload
expect "the binding lives on" care_of_is 10.2.0.50
expect "the ping ends" within 20 lab_ended ping
expect "and has lost nothing to all that" grep -q '300 received, 0% packet loss' "$LAB_DIR/ping.log"

expect "a binding is revoked" console clear binding "$LAB_HOME_ADDRESS"
expect "and is gone" no_binding
expect "once" refused "no binding" clear binding "$LAB_HOME_ADDRESS"
mobile_do register
expect "it registers anew" within 10 care_of_is 10.2.0.50

lab_kill homeportd
expect "nobody answers after kill -9" test "$(console show version >/dev/null 2>&1; echo $?)" -eq 2
start_appliance "$conf"
expect "started again, it has no binding" no_binding
mobile_do register
expect "the next registration is taken" within 10 care_of_is 10.2.0.50
expect "and the correspondent reaches it" reaches cn "$LAB_HOME_ADDRESS"

grep -v mobile-node "$conf" >"$conf.new" && mv "$conf.new" "$conf" && chmod 600 "$conf"
expect "a reload without the mobile node" console reload
expect "ends its binding" no_binding

capture_end "$LAB_DIR/home.pcap"
expect "tshark finds no fault with what the appliance sent" faultless "$LAB_DIR/home.pcap" "$(mac_of pha hp0)"
replies=$(tshark -r "$LAB_DIR/home.pcap" -Y "mip.type == 3" 2>/dev/null | wc -l)
expect "among it the replies" test "$replies" -ge 3
lab_stop mobile
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"

# ---- In the background ----

in_background()
{
    on pha "$LAB_BUILD/app/homeportd/homeportd" -c "$1" </dev/null
}

background_pid()
{
    local pid
    for pid in $(ip netns pids "$(lab_ns pha)"); do
        [[ $(cat "/proc/$pid/comm" 2>/dev/null) == homeportd ]] && echo "$pid"
    done
}

gone()
{
    [[ -z $(background_pid) ]]
}

configure
expect "it goes into the background, and serves when the command returns" in_background "$conf"
expect "so that it answers at once" console show version
kill -TERM "$(background_pid)"
expect "SIGTERM ends it" within 10 gone
sed -i 's/iface=hp0/iface=nowhere/' "$conf"
expect "what cannot start says so by its exit status" fails in_background "$conf"
expect "and is gone" gone
