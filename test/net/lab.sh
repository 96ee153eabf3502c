# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A lab of network namespaces: real kernels as hosts around one appliance. To be sourced by tests and by the
# demo; it needs root, iproute2, ethtool and tcpdump, and leaves nothing behind.
#
#     cn ---- 10.9.0.0/24 ---- rtr ---- 10.2.0.0/24 (visited1) ---- mn
#     10.9.0.2                  |  \--- 10.3.0.0/24 (visited2) ----/ |
#                               | 10.1.0.1                           |
#     home link 10.1.0.0/24: ===+====+========+==================== /
#                                   pha      hh
#                              10.1.0.2    10.1.0.9
#
#   rtr   the kernel as router between all networks, .1 on each
#   cn    a correspondent
#   pha   holds hp0, the appliance's port; its kernel stays out of the way: no address, no ARP
#   hh    a host on the home link, to watch its neighbour cache
#   mn    the mobile node's host: interfaces home0, visited1, visited2, one of them up at a time
#   home  the bridge br0 that is the home link
#
# Everything hangs on namespaces homeport-PID-NAME and a directory LAB_BASE/PID. A run that was killed is
# cleared away by the next lab_up: by its namespaces, and by the processes that live in them.

LAB_BASE=/run/homeport-lab
LAB_ID=homeport-$$
LAB_DIR=$LAB_BASE/$$
LAB_NAMES=(home rtr cn pha hh mn)
LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_BUILD=${HOMEPORT_BUILD:-$LAB_ROOT/build}

LAB_HOME_AGENT=10.1.0.2
LAB_HOME_ADDRESS=10.1.0.50
# shellcheck disable=SC2034 # for whoever sources this
LAB_KEY=hex:000102030405060708090a0b0c0d0e0f
LAB_SKIP=77 # meson: skipped

declare -A LAB_PID=() # of what lab_spawn started, by its name

lab_say()
{
    printf '%s\n' "$*" >&2
}

lab_fail()
{
    lab_say "FAILED: $*"
    exit 1
}

# The whole name of the namespace of NAME.
lab_ns()
{
    printf '%s-%s' "$LAB_ID" "$1"
}

# on NAME COMMAND...: runs it in a namespace.
on()
{
    local name=$1
    shift
    ip netns exec "$LAB_ID-$name" "$@"
}

# wait_for SECONDS COMMAND...: until it succeeds; status 1 when the time is over.
wait_for()
{
    local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    shift
    until "$@" >/dev/null 2>&1; do
        ((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
        sleep 0.05
    done
}

# ---- Clearing away ----

# When a process began, in clock ticks since boot: tells it from a later one with its number.
lab_began()
{
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The name, in parentheses, may hold blanks: count from behind it.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    printf '%s' "${20}"
}

# lab_lives PID: the lab of that process is in use.
lab_lives()
{
    local began
    began=$(lab_began "$1") && [[ $(cat "$LAB_BASE/$1/owner" 2>/dev/null) == "$began" ]]
}

# lab_remove ID PID: the namespaces ID-*, whoever still runs in them, and the directory of the lab.
lab_remove()
{
    local ns
    local -a pids
    while read -r ns _; do
        [[ $ns == "$1"-* ]] || continue
        mapfile -t pids < <(ip netns pids "$ns" 2>/dev/null)
        ((${#pids[@]} == 0)) || kill -KILL "${pids[@]}" 2>/dev/null
        ip netns delete "$ns"
    done < <(ip netns list)
    rm -rf "${LAB_BASE:?}/${2:?}" "/run/dpdk/$1"
}

lab_remove_dead()
{
    local pid
    {
        ip netns list | sed -n 's/^homeport-\([0-9][0-9]*\)-.*/\1/p'
        find "$LAB_BASE" -mindepth 1 -maxdepth 1 -name '[0-9]*' -printf '%f\n' 2>/dev/null
    } | sort -u | while read -r pid; do
        if [[ $pid != "$$" ]] && ! lab_lives "$pid"; then
            lab_say "clearing away what run $pid left behind"
            lab_remove "homeport-$pid" "$pid"
        fi
    done
}

# As far as it was built; safe to call twice.
lab_down()
{
    local name
    for name in "${!LAB_PID[@]}"; do
        lab_stop "$name"
    done
    lab_remove "$LAB_ID" "$$"
    rmdir "$LAB_BASE" 2>/dev/null || true
}

# ---- Building ----

lab_require()
{
    local tool
    for tool in ip ethtool tcpdump ping; do
        command -v "$tool" >/dev/null || { lab_say "skipped: no $tool"; exit $LAB_SKIP; }
    done
    if ! ip netns add "$LAB_ID-probe" 2>/dev/null; then
        lab_say "skipped: cannot make network namespaces (root is needed)"
        exit $LAB_SKIP
    fi
    ip netns delete "$LAB_ID-probe"
}

# A namespace with nothing but lo, without IPv6, and without reverse path filters: what a mobile node sends has
# its home address as source, wherever it is.
lab_host()
{
    ip netns add "$LAB_ID-$1"
    on "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 \
        net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
    ip -n "$LAB_ID-$1" link set lo up
}

# lab_cable NAME IF NAME IF: a veth pair, its offloads off: a port that sees raw frames would take checksums for
# wrong that the kernel left to a device, and lose what it left to segment.
lab_cable()
{
    ip -n "$LAB_ID-$1" link add "$2" type veth peer name "$4" netns "$LAB_ID-$3"
    local end
    for end in "$1 $2" "$3 $4"; do
        # shellcheck disable=SC2086
        set -- $end
        on "$1" ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null
    done
}

# lab_address NAME IF ADDRESS/BITS
lab_address()
{
    ip -n "$LAB_ID-$1" address add "$3" dev "$2"
    ip -n "$LAB_ID-$1" link set "$2" up
}

# lab_plug NAME IF PORT: onto the home link, as the bridge's PORT.
lab_plug()
{
    lab_cable "$1" "$2" home "$3"
    ip -n "$LAB_ID-home" link set "$3" master br0 up
}

lab_build()
{
    local name
    for name in "${LAB_NAMES[@]}"; do
        lab_host "$name"
    done
    ip -n "$LAB_ID-home" link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
    ip -n "$LAB_ID-home" link set br0 up
    on rtr sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 \
        net.ipv4.conf.default.send_redirects=0

    lab_plug rtr home0 rtr
    lab_address rtr home0 10.1.0.1/24
    lab_plug hh eth0 hh
    lab_address hh eth0 10.1.0.9/24
    ip -n "$LAB_ID-hh" route add default via 10.1.0.1

    lab_cable rtr corr0 cn eth0
    lab_address rtr corr0 10.9.0.1/24
    lab_address cn eth0 10.9.0.2/24
    ip -n "$LAB_ID-cn" route add default via 10.9.0.1

    lab_plug mn home0 mn
    lab_cable rtr visited1 mn visited1
    lab_address rtr visited1 10.2.0.1/24
    lab_cable rtr visited2 mn visited2
    lab_address rtr visited2 10.3.0.1/24

    lab_plug pha hp0 pha
    ip -n "$LAB_ID-pha" link set hp0 arp off up
}

# Builds the lab; it goes when the shell exits. Skips the test where that is impossible.
lab_up()
{
    lab_require
    lab_remove_dead
    trap lab_down EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    mkdir -p "$LAB_DIR"
    lab_began "$$" >"$LAB_DIR/owner"
    set -E
    trap 'lab_fail "the lab could not be built: $BASH_COMMAND"' ERR
    lab_build
    trap - ERR
    set +E
}

# ---- Programs ----

# lab_spawn NAME NAMESPACE COMMAND...: in the background, output to LAB_DIR/NAME.log. A command on
# standard input is read from what the caller redirects.
lab_spawn()
{
    local name=$1 ns=$2
    shift 2
    [[ -z ${LAB_PID[$name]:-} ]] || lab_fail "$name runs already"
    ip netns exec "$LAB_ID-$ns" "$@" <&0 >"$LAB_DIR/$name.log" 2>&1 &
    LAB_PID[$name]=$!
}

lab_runs()
{
    [[ -n ${LAB_PID[$1]:-} ]] && kill -0 "${LAB_PID[$1]}" 2>/dev/null
}

lab_ended()
{
    ! lab_runs "$1"
}

# lab_stop NAME: asks it to end, then makes it. Status: that of the program; 1 if it had to be killed.
lab_stop()
{
    local pid=${LAB_PID[$1]:-} status=0
    [[ -n $pid ]] || return 0
    kill -TERM "$pid" 2>/dev/null
    if ! wait_for 10 lab_ended "$1"; then
        lab_say "$1 does not end; killed"
        kill -KILL "$pid" 2>/dev/null
    fi
    wait "$pid" 2>/dev/null || status=$?
    unset "LAB_PID[$1]"
    return $status
}

# lab_kill NAME: at once.
lab_kill()
{
    local pid=${LAB_PID[$1]:-}
    [[ -n $pid ]] || return 0
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    unset "LAB_PID[$1]"
}

lab_log()
{
    cat "$LAB_DIR/$1.log" 2>/dev/null
}

# capture NAMESPACE IF FILE [FILTER...]: from the moment this returns. capture_end FILE ends it.
capture()
{
    local ns=$1 interface=$2 file=$3 name=capture-${3//\//_}
    shift 3
    lab_spawn "$name" "$ns" tcpdump -Z root -n -U --immediate-mode -s 0 -i "$interface" -w "$file" "$@"
    wait_for 10 grep -q 'listening on' "$LAB_DIR/$name.log" ||
        lab_fail "no capture on $ns $interface: $(lab_log "$name")"
}

capture_end()
{
    lab_stop "capture-${1//\//_}"
}

# ---- The appliance ----

# appliance_conf [LINE...]: the lab's configuration on standard output, LINEs at its end.
# shellcheck disable=SC2120
appliance_conf()
{
    cat <<CONF
node = "pha"
id   = 1
role = primary

eal {
    lcores     = "0@0,1@0"
    memory     = 256
    huge-pages = false
    prefix     = "$LAB_ID"
}

workers { idle = adaptive }

port home {
    device    = "net_af_packet0,iface=hp0,blocksz=65536,framesz=2048,framecnt=4096,qpairs=1,qdisc_bypass=0"
    addresses = {"$LAB_HOME_AGENT/24"}
    mtu       = 1500
}

route "0.0.0.0/0" { via = "10.1.0.1" }

home-agent {
    addresses     = {"$LAB_HOME_AGENT"}
    home-networks = {"10.1.0.0/24"}
    max-bindings  = 65536
}

mobile-node "$LAB_HOME_ADDRESS" { spi = 256  key = "$LAB_KEY" }

console { listen = "127.0.0.1:2323" }
CONF
    printf '%s\n' "$@"
}

# start_appliance CONF: returns when it serves.
start_appliance()
{
    rm -f "$LAB_DIR/homeportd.log" # what one before it said does not count
    lab_spawn homeportd pha "$LAB_BUILD/app/homeportd/homeportd" -c "$1" -f </dev/null
    wait_for 30 appliance_settled
    if lab_ended homeportd || ! appliance_serves; then
        lab_fail "homeportd does not serve: $(lab_log homeportd)"
    fi
}

appliance_serves()
{
    grep -q ' serves: ' "$LAB_DIR/homeportd.log"
}

appliance_settled()
{
    appliance_serves || lab_ended homeportd
}

stop_appliance()
{
    lab_stop homeportd
}

# console COMMAND...: asks the appliance.
console()
{
    on pha "$LAB_BUILD/app/homeportctl/homeportctl" "$@"
}

# ---- The mobile node ----

# roam_to visited1|visited2|home: moves the mobile node's host there, with the care-of address 10.2.0.50 or
# 10.3.0.50; at home it has no address but the one that homeport-mn puts there.
roam_to()
{
    local ns=$LAB_ID-mn interface address router
    case $1 in
    visited1) interface=visited1 address=10.2.0.50/24 router=10.2.0.1 ;;
    visited2) interface=visited2 address=10.3.0.50/24 router=10.3.0.1 ;;
    home) interface=home0 address='' router=10.1.0.1 ;;
    *) lab_fail "roam_to $1: no such place" ;;
    esac
    local other
    for other in home0 visited1 visited2; do
        if [[ $other != "$interface" ]]; then
            ip -n "$ns" address flush dev "$other"
            ip -n "$ns" link set "$other" down
        fi
    done
    ip -n "$ns" link set "$interface" up
    [[ -z $address ]] || ip -n "$ns" address replace "$address" dev "$interface"
    ip -n "$ns" route replace default via "$router" dev "$interface" onlink
    wait_for 5 lab_carrier "$interface" || lab_fail "no carrier on $interface"
}

lab_carrier()
{
    [[ $(on mn cat "/sys/class/net/$1/operstate") == up ]]
}

# start_mobile OPTION...: homeport-mn for the lab's mobile node, fed by mobile_do.
start_mobile()
{
    rm -f "$LAB_DIR/mobile.fifo"
    mkfifo "$LAB_DIR/mobile.fifo"
    # Open for both: neither side waits for the other, and there is no end of file between two commands.
    exec {LAB_MOBILE_FD}<>"$LAB_DIR/mobile.fifo"
    lab_spawn mobile mn "$LAB_BUILD/app/mn/homeport-mn" --home-agent "$LAB_HOME_AGENT" \
        --home "$LAB_HOME_ADDRESS" --spi 256 --key "$LAB_KEY" --quiet "$@" <"$LAB_DIR/mobile.fifo"
}

# mobile_do COMMAND...: one line to homeport-mn.
mobile_do()
{
    printf '%s\n' "$*" >&"$LAB_MOBILE_FD"
}

stop_mobile()
{
    local status=0
    lab_stop mobile || status=$?
    exec {LAB_MOBILE_FD}>&-
    return $status
}

# ---- What hosts know ----

# neighbor_of NAMESPACE ADDRESS: the MAC address in a kernel's neighbour cache, or nothing.
neighbor_of()
{
    ip -n "$LAB_ID-$1" neighbor show "$2" | sed -n 's/.* lladdr \([0-9a-f:]*\).*/\1/p'
}

# mac_of NAMESPACE IF
mac_of()
{
    on "$1" cat "/sys/class/net/$2/address"
}
