# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A lab of network namespaces: real kernels as hosts around one appliance, or several. To be sourced by tests and by the
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
#   shaN  more of the same, made by lab_secondary: 10.1.0.(2 + N)
#   mn    the mobile node's host: interfaces home0, visited1, visited2, one of them up at a time
#   home  the bridge br0 that is the home link
#
# lab_ipv6 gives the hosts IPv6 as well: 2001:db8:1::/64 is the home link, 2001:db8:2::/64 and 2001:db8:3::/64 are visited,
# 2001:db8:9::/64 is the correspondent's; the router is ::1 on each, other hosts have the number that they have in IPv4. Without it
# nobody speaks a word of IPv6.
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
LAB_HOME_AGENT6=2001:db8:1::2
LAB_HOME_ADDRESS6=2001:db8:1::50
# shellcheck disable=SC2034 # for whoever sources this
LAB_KEY=hex:000102030405060708090a0b0c0d0e0f
LAB_SKIP=77 # meson: skipped

LAB_IPV6=false # lab_ipv6 was called

declare -A LAB_PID=() # of what lab_spawn started, by its name
declare -A LAB_FED=() # file descriptors that feed homeport-mn, by its name

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
    rm -rf "${LAB_BASE:?}/${2:?}" "/run/dpdk/$1" "/run/dpdk/$1"-*
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

    lab_plug_appliance pha
}

# lab_ipv6_on NAME: its kernel speaks IPv6: its link-local addresses are good at once, and no router is asked for.
lab_ipv6_on()
{
    # shellcheck disable=SC2016 # the inner shell's
    on "$1" sh -c 'cd /proc/sys/net/ipv6/conf && for i in *; do
        echo 0 >"$i/accept_ra"; echo 0 >"$i/accept_dad"; echo 0 >"$i/dad_transmits"; echo 0 >"$i/router_solicitations"
        echo 0 >"$i/disable_ipv6"; done'
}

# lab_address6 NAME IF ADDRESS/BITS
lab_address6()
{
    ip -n "$LAB_ID-$1" address add "$3" dev "$2" nodad
}

# IPv6 for the kernels of the lab's hosts, after lab_up.
lab_ipv6()
{
    local name
    LAB_IPV6=true
    set -E
    trap 'lab_fail "the lab has no IPv6: $BASH_COMMAND"' ERR
    for name in rtr cn hh mn; do
        lab_ipv6_on "$name"
    done
    on rtr sysctl -qw net.ipv6.conf.all.forwarding=1
    lab_address6 rtr home0 2001:db8:1::1/64
    lab_address6 rtr visited1 2001:db8:2::1/64
    lab_address6 rtr visited2 2001:db8:3::1/64
    lab_address6 rtr corr0 2001:db8:9::1/64
    lab_address6 hh eth0 2001:db8:1::9/64
    ip -n "$LAB_ID-hh" -6 route add default via 2001:db8:1::1
    lab_address6 cn eth0 2001:db8:9::2/64
    ip -n "$LAB_ID-cn" -6 route add default via 2001:db8:9::1
    trap - ERR
    set +E
}

# lab_plug_appliance NAME: its port hp0 on the home link, which its kernel does not touch.
lab_plug_appliance()
{
    lab_plug "$1" hp0 "$1"
    ip -n "$LAB_ID-$1" link set hp0 arp off up
}

# lab_secondary N: the place for a secondary, shaN.
lab_secondary()
{
    lab_host "sha$1"
    lab_plug_appliance "sha$1"
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
# standard input is read from what the caller redirects. It goes before whatever else this machine does: an
# appliance has cores of its own, and what a lab loses for want of them says nothing.
lab_spawn()
{
    local name=$1 ns=$2
    shift 2
    [[ -z ${LAB_PID[$name]:-} ]] || lab_fail "$name runs already"
    ip netns exec "$LAB_ID-$ns" nice -n -15 "$@" <&0 >"$LAB_DIR/$name.log" 2>&1 &
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

# lab_lcores ID: the lab's appliances take the machine's cores in turn, one for both lcores of each.
lab_lcores()
{
    local core=${LAB_CORE:-$((($1 - 1) % $(nproc)))}
    printf '0@%d,1@%d' "$core" "$core"
}

# machine_conf NAME ID ROLE ADDRESS: what every appliance of the lab has, on standard output.
machine_conf()
{
    cat <<CONF
node = "$1"
id   = $2
role = $3

eal {
    lcores     = "$(lab_lcores "$2")"
    memory     = 256
    huge-pages = false
    prefix     = "$LAB_ID-$1"
}

workers { idle = adaptive }

port home {
    device    = "net_af_packet0,iface=hp0,blocksz=65536,framesz=2048,framecnt=4096,qpairs=1,qdisc_bypass=0"
    addresses = {"$4/24"}
    mtu       = 1500
}

route "0.0.0.0/0" { via = "10.1.0.1" }

console { listen = "127.0.0.1:2323" }
CONF
}

# appliance_conf [LINE...]: the lab's configuration on standard output, LINEs at its end.
# shellcheck disable=SC2120
appliance_conf()
{
    machine_conf pha 1 primary "$LAB_HOME_AGENT"
    cat <<CONF

home-agent {
    addresses     = {"$LAB_HOME_AGENT"}
    home-networks = {"10.1.0.0/24"}
    max-bindings  = 65536
}

mobile-node "$LAB_HOME_ADDRESS" { spi = 256  key = "$LAB_KEY" }
CONF
    printf '%s\n' "$@"
}

# appliance_conf6 [LINE...]: the same for both families.
# shellcheck disable=SC2120
appliance_conf6()
{
    appliance_conf "$@" | with_ipv6
}

# What the configurations here have for IPv4, for IPv6 too; from standard input to standard output. An appliance's IPv6 address has
# the number of its IPv4 one.
with_ipv6()
{
    sed -e 's|^\( *addresses *= *{"10\.1\.0\.\([0-9]*\)/24"\)|\1, "2001:db8:1::\2/64"|' \
        -e 's|^route "0.0.0.0/0".*|&\nroute "::/0" { via = "2001:db8:1::1" }|' \
        -e "s|^\( *addresses *= *{\"$LAB_HOME_AGENT\"\)|\1, \"$LAB_HOME_AGENT6\"|" \
        -e 's|^\( *home-networks *= *{"10.1.0.0/24"\)|\1, "2001:db8:1::/64"|' \
        -e "s|^mobile-node \"$LAB_HOME_ADDRESS\" .*|&\nmobile-node \"$LAB_HOME_ADDRESS6\" { spi = 256  key = \"$LAB_KEY\"  replay = sequence }|"
}

# That where lab_ipv6 was called.
families()
{
    if $LAB_IPV6; then
        with_ipv6
    else
        cat
    fi
}

# The key that the primary and its secondary N share.
lab_pair_key()
{
    printf 'hex:%064x' $((0x5ec0000 + $1))
}

# secondary_section N [LINE...]: what makes shaN a secondary of the lab's appliance, for its configuration.
secondary_section()
{
    local n=$1
    shift
    printf 'secondary "sha%d" { address = "10.1.0.%d"  spi = %d  key = "%s"' "$n" $((2 + n)) $((1000 + n)) "$(lab_pair_key "$n")"
    printf '  %s' "$@"
    printf ' }\n'
}

# secondary_conf N [LINE...]: the configuration of shaN.
# shellcheck disable=SC2120
secondary_conf()
{
    local n=$1
    shift
    machine_conf "sha$n" $((1 + n)) secondary "10.1.0.$((2 + n))" | families
    printf 'primary "pha" { address = "%s"  spi = %d  key = "%s" }\n' "$LAB_HOME_AGENT" $((1000 + n)) "$(lab_pair_key "$n")"
    printf 'home-agent { max-bindings = 65536 }\n'
    printf '%s\n' "$@"
}

# The name of an appliance's process and log; the lab's first is homeportd.
appliance_name()
{
    [[ $1 == pha ]] && echo homeportd || echo "homeportd-$1"
}

# start_appliance CONF [NAME]: returns when it serves.
start_appliance()
{
    local ns=${2:-pha} name
    name=$(appliance_name "$ns")
    rm -f "$LAB_DIR/$name.log" # what one before it said does not count
    lab_spawn "$name" "$ns" "$LAB_BUILD/app/homeportd/homeportd" -c "$1" -f </dev/null
    wait_for 30 appliance_settled "$name"
    if lab_ended "$name" || ! appliance_serves "$name"; then
        lab_fail "homeportd does not serve: $(lab_log "$name")"
    fi
}

appliance_serves()
{
    grep -q ' serves: ' "$LAB_DIR/${1:-homeportd}.log"
}

appliance_settled()
{
    appliance_serves "$1" || lab_ended "$1"
}

# stop_appliance [NAME]
# shellcheck disable=SC2120
stop_appliance()
{
    lab_stop "$(appliance_name "${1:-pha}")"
}

# start_secondary N [LINE...]: shaN, in its place.
start_secondary()
{
    local n=$1
    secondary_conf "$@" >"$LAB_DIR/sha$n.conf"
    chmod 600 "$LAB_DIR/sha$n.conf"
    start_appliance "$LAB_DIR/sha$n.conf" "sha$n"
}

# console_of NAME COMMAND...: asks an appliance.
console_of()
{
    local ns=$1
    shift
    on "$ns" "$LAB_BUILD/app/homeportctl/homeportctl" "$@"
}

# console COMMAND...: asks the lab's first one.
console()
{
    console_of pha "$@"
}

# secondary_is STATE N: what the primary says of shaN.
secondary_is()
{
    console -j show secondaries | tr -d '\n' | grep -Eq "\"name\": \"sha$2\"[^}]*\"state\": \"$1\""
}

# forwarder_is NAME|self [HOME-ADDRESS]
forwarder_is()
{
    console -j show bindings "${2:-$LAB_HOME_ADDRESS}" | grep -q "\"forwarder\": \"$1\""
}

# forwards_settled NAME|self [HOME-ADDRESS]: and nothing about it is under way.
forwards_settled()
{
    forwarder_is "$@" && console -j show bindings "${2:-$LAB_HOME_ADDRESS}" | grep -Eq '"state": "(delegated|active|local)"'
}

# ---- The mobile node ----

# roam_to visited1|visited2|home: moves the mobile node's host there, with the care-of address 10.2.0.50 or
# 10.3.0.50 (2001:db8:2::50 or 2001:db8:3::50); at home it has no address but the one that homeport-mn puts there.
roam_to()
{
    local ns=$LAB_ID-mn interface address router net
    case $1 in
    visited1) interface=visited1 address=10.2.0.50/24 router=10.2.0.1 net=2001:db8:2: ;;
    visited2) interface=visited2 address=10.3.0.50/24 router=10.3.0.1 net=2001:db8:3: ;;
    home) interface=home0 address='' router=10.1.0.1 net=2001:db8:1: ;;
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
    $LAB_IPV6 || return 0
    [[ -z $address ]] || ip -n "$ns" address replace "$net:50/64" dev "$interface" nodad
    ip -n "$ns" -6 route replace default via "$net:1" dev "$interface" onlink
}

lab_carrier()
{
    [[ $(on mn cat "/sys/class/net/$1/operstate") == up ]]
}

# start_mobile OPTION...: homeport-mn for the lab's mobile node, fed by mobile_do.
start_mobile()
{
    start_fed mobile "$LAB_HOME_AGENT" "$LAB_HOME_ADDRESS" "$@"
}

# mobile_do COMMAND...: one line to homeport-mn.
mobile_do()
{
    feed mobile "$@"
}

stop_mobile()
{
    stop_fed mobile
}

# The same for its IPv6 home address.
start_mobile6()
{
    start_fed mobile6 "$LAB_HOME_AGENT6" "$LAB_HOME_ADDRESS6" --replay sequence "$@"
}

mobile6_do()
{
    feed mobile6 "$@"
}

stop_mobile6()
{
    stop_fed mobile6
}

# start_fed NAME HOME-AGENT HOME-ADDRESS OPTION...: homeport-mn, its commands by feed NAME.
start_fed()
{
    local name=$1 agent=$2 home=$3 fifo=$LAB_DIR/$1.fifo fd
    shift 3
    rm -f "$fifo"
    mkfifo "$fifo"
    # Open for both: neither side waits for the other, and there is no end of file between two commands.
    exec {fd}<>"$fifo"
    LAB_FED[$name]=$fd
    lab_spawn "$name" mn "$LAB_BUILD/app/mn/homeport-mn" --home-agent "$agent" \
        --home "$home" --spi 256 --key "$LAB_KEY" --quiet "$@" <"$fifo"
}

# feed NAME WORD...
feed()
{
    printf '%s\n' "${*:2}" >&"${LAB_FED[$1]}"
}

stop_fed()
{
    local status=0 fd=${LAB_FED[$1]}
    lab_stop "$1" || status=$?
    exec {fd}>&-
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
