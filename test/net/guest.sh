# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# A host of another make for the lab: user-mode Linux, a kernel as a process, which brings the tunnels (ipip and its
# like) that the kernel of this machine need not have. To be sourced after lab.sh.
#
#     rtr ---- 10.2.0.0/24 (visited1) ----[ bridge visited in mn ]---- tap ---- guest 10.2.0.50
#
# A test may put the guest elsewhere: GUEST_CARE_OF, GUEST_TAPS, GUEST_MODULES, guest_plug and guest_configure are
# its to replace.
#
# The guest's root is a directory of the lab, mounted by hostfs: what it writes to /out is at GUEST_ROOT/out. It is
# told what to do by a shell on TCP port 2300 of its care-of address, so nothing but the link leads to it.

GUEST_ROOT=$LAB_DIR/guest
GUEST_CARE_OF=10.2.0.50
GUEST_TAPS=(tap0) # of its NICs vec0, vec1, ... in their order
GUEST_MODULES=(tunnel4 ip_tunnel ipip)
GUEST_SHELL_PORT=2300
# shellcheck disable=SC2034 # for whoever sources this
GUEST_SINK_PORT=2301 # answers with the SHA-256 sum of what it was sent
# shellcheck disable=SC2034
GUEST_FILTER="ip and not (icmp and host $GUEST_CARE_OF)"

# Skips the test where there can be no such guest.
guest_require()
{
    local tool
    for tool in linux.uml busybox; do
        command -v "$tool" >/dev/null || { lab_say "skipped: no $tool"; exit "$LAB_SKIP"; }
    done
    # It is copied into a root without libraries.
    if ldd "$(command -v busybox)" >/dev/null 2>&1; then
        lab_say "skipped: busybox is not linked statically (busybox-static is)"
        exit "$LAB_SKIP"
    fi
    [[ -c /dev/net/tun ]] || { lab_say "skipped: no /dev/net/tun"; exit "$LAB_SKIP"; }
}

# guest_install PROGRAM...: into the guest's root, each with its libraries.
guest_install()
{
    local program file
    for program; do
        cp -L "$program" "$GUEST_ROOT/bin/"
        while read -r file; do
            mkdir -p "$GUEST_ROOT${file%/*}"
            cp -Lu "$file" "$GUEST_ROOT$file"
        done < <(ldd "$program" 2>/dev/null | grep -o '/[^ ]*')
    done
}

# The modules of the guest's own kernel that GUEST_MODULES names.
guest_install_modules()
{
    local name file
    for name in "${GUEST_MODULES[@]}"; do
        file=$(find "/usr/lib/uml/modules/$(linux.uml --version)" -name "$name.ko" -print -quit)
        [[ -n $file ]] || { lab_say "skipped: the guest's kernel has no module $name"; exit "$LAB_SKIP"; }
        cp "$file" "$GUEST_ROOT/modules/"
    done
}

# What its init does to its NICs, on standard output.
guest_configure()
{
    cat <<INIT
ip address add $GUEST_CARE_OF/24 dev vec0
ip link set vec0 up
ip route add default via 10.2.0.1
INIT
}

guest_write_init()
{
    cat >"$GUEST_ROOT/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t tmpfs tmp /tmp
for module in ${GUEST_MODULES[*]}; do
    insmod /modules/\$module.ko
done
ip link set lo up
$(guest_configure)
printf '#!/bin/sh\nsha256sum\n' >/tmp/sink
chmod +x /tmp/sink
nc -ll -p $GUEST_SINK_PORT -e /tmp/sink &
exec nc -ll -p $GUEST_SHELL_PORT -e /bin/sh
INIT
    chmod +x "$GUEST_ROOT/init"
}

# guest_tap TAP INTERFACE: a tap on the link of an interface of the mobile node's namespace, behind a bridge there.
guest_tap()
{
    local ns=$LAB_ID-mn bridge=$2-$1
    ip -n "$ns" link add "$bridge" type bridge stp_state 0 forward_delay 0 mcast_snooping 0
    ip -n "$ns" tuntap add dev "$1" mode tap
    ip -n "$ns" link set "$2" master "$bridge" up
    ip -n "$ns" link set "$1" master "$bridge" up
    ip -n "$ns" link set "$bridge" up
}

guest_plug()
{
    guest_tap tap0 visited1
}

# The kernel's words for its NICs.
guest_nics()
{
    local i
    for i in "${!GUEST_TAPS[@]}"; do
        echo "vec$i:transport=tap,ifname=${GUEST_TAPS[i]},depth=128"
    done
}

# guest COMMAND...: what a shell in the guest says to it. Status 1: it had none, or not 0.
guest()
{
    local said status
    said=$(printf '%s\necho $?\nexit\n' "$*" |
        on rtr timeout 60 busybox nc -w 2 "$GUEST_CARE_OF" "$GUEST_SHELL_PORT" 2>/dev/null) || return 1
    status=${said##*$'\n'}
    [[ $said != *$'\n'* ]] || printf '%s\n' "${said%$'\n'*}"
    [[ $status == 0 ]]
}

# Its kernel got as far as to our init: what goes wrong from there on is no fault of this machine.
guest_began()
{
    lab_log guest | grep -q 'Run /init'
}

# Now and then this kernel misses that a packet has come, and takes it up only with the next one: so there is always
# a next one soon. Captures leave them out by GUEST_FILTER.
guest_keep_awake()
{
    lab_spawn guest-wake rtr ping -n -q -i 0.05 "$GUEST_CARE_OF" </dev/null
}

# guest_up PROGRAM...: boots a guest that has these programs too; it goes with the lab. Skips the test where the
# kernel does not run (it needs ptrace, and memory that may be executed).
guest_up()
{
    local -a nics
    mapfile -t nics < <(guest_nics)
    mkdir -p "$GUEST_ROOT"/{bin,dev,etc,modules,out,proc,tmp,var/run} "$LAB_DIR/uml"
    echo root:x:0:0::/:/bin/sh >"$GUEST_ROOT/etc/passwd"
    cp "$(command -v busybox)" "$GUEST_ROOT/bin/"
    guest_install "$@"
    guest_install_modules
    guest_write_init
    guest_plug
    lab_spawn guest mn linux.uml mem=128M umid=guest "uml_dir=$LAB_DIR/uml" rootfstype=hostfs "rootflags=$GUEST_ROOT" \
        rw init=/init con=null con0=null,fd:1 "${nics[@]}" </dev/null
    guest_keep_awake
    wait_for 30 guest true && return
    guest_began && lab_fail "the guest does not boot: $(lab_log guest)"
    lab_say "skipped: user-mode Linux does not run here: $(lab_log guest | tail -n 3)"
    exit "$LAB_SKIP"
}
