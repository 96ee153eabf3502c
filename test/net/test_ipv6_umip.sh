#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A mobile node of another make: UMIP's mip6d on a Linux kernel with Mobile IPv6 and IPsec of its own. It finds out by
# router advertisements where it is, registers by binding updates in ESP, roams, and comes home. For the straight way to a
# correspondent it has that test its home address, in ESP tunnels of its kernel's.
#
# Debian has no mip6d any more: the test is skipped where none is in PATH or named by HOMEPORT_MIP6D. As it was published it
# sends no test inits (sendmsg: Bad address, for mh_try_pad hands on a pad of no bytes), so that has to be mended first. Its
# policy is TunnelMh: with TunnelHomeTesting Linux 6.1 opens the home test, but finds no policy for it (XfrmInTmplMismatch).
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/guest.sh
. "$(dirname "$0")/guest.sh"

mip6d=${HOMEPORT_MIP6D:-$(command -v mip6d)}
key_auth=000102030405060708090a0b0c0d0e0f10111213
key_cipher=101112131415161718191a1b1c1d1e1f

able=2001:db8:9::3

# vec0 is on the home link, vec1 on the visited one; by vec2, on a third, the guest is told what to do.
GUEST_CARE_OF=10.3.0.50
GUEST_TAPS=(tap0 tap1 tap2)
GUEST_MODULES=(crc-ccitt ipv6 xfrm_algo xfrm_user tunnel6 ip6_tunnel mip6 sha512_generic jitterentropy_rng drbg hmac authenc
    cbc echainiv esp6)

guest_plug()
{
    guest_tap tap0 home0
    guest_tap tap1 visited1
    guest_tap tap2 visited2
}

# state FROM TO SPI REQID MODE: one direction of ESP. Where a tunnel begins and ends mip6d says as it roams.
state()
{
    echo "/bin/ip xfrm state add src $1 dst $2 proto esp spi $3 reqid $4 mode $5 \
        auth 'hmac(sha1)' 0x$key_auth enc 'cbc(aes)' 0x$key_cipher"
}

guest_configure()
{
    cat <<INIT
mount -t sysfs sys /sys
echo 1 >/proc/sys/net/ipv6/conf/vec2/disable_ipv6
ip address add $GUEST_CARE_OF/24 dev vec2
ip link set vec2 up
ip route add default via 10.3.0.1
$(state "$LAB_HOME_ADDRESS6" "$LAB_HOME_AGENT6" 1000 1 transport)
$(state "$LAB_HOME_AGENT6" "$LAB_HOME_ADDRESS6" 1001 2 transport)
$(state "$LAB_HOME_ADDRESS6" "$LAB_HOME_AGENT6" 1002 3 tunnel)
$(state "$LAB_HOME_AGENT6" "$LAB_HOME_ADDRESS6" 1003 4 tunnel)
INIT
}

# associations SPI-IN SPI-OUT
associations()
{
    cat <<CONF
    algorithm = aes-cbc-sha1
    spi-in    = $1  key-in  = "hex:$key_cipher"  auth-key-in  = "hex:$key_auth"
    spi-out   = $2  key-out = "hex:$key_cipher"  auth-key-out = "hex:$key_auth"
CONF
}

conf()
{
    appliance_conf6
    cat <<CONF
router-advertisement home { interval = 4  router-lifetime = 60  home-agent-lifetime = 60 }
ipsec "$LAB_HOME_ADDRESS6" {
    $(associations 1000 1001)
    home-test {
        $(associations 1002 1003)
    }
}
CONF
}

mip6d_conf()
{
    cat <<CONF
NodeConfig MN;
DebugLevel 10;
DoRouteOptimizationCN disabled;
DoRouteOptimizationMN enabled;
Interface "vec0";
Interface "vec1";
MnHomeLink "vec0" {
    HomeAgentAddress $LAB_HOME_AGENT6;
    HomeAddress $LAB_HOME_ADDRESS6/64;
}
UseMnHaIPsec enabled;
IPsecPolicySet {
    HomeAgentAddress $LAB_HOME_AGENT6;
    HomeAddress $LAB_HOME_ADDRESS6/64;
    IPsecPolicy Mh UseESP 1 2;
    IPsecPolicy TunnelMh UseESP 3 4;
}
CONF
}

# The visited link's router tells who is there.
advertise_visited()
{
    cat >"$LAB_DIR/radvd.conf" <<CONF
interface visited1 {
    AdvSendAdvert on;
    MinRtrAdvInterval 3;
    MaxRtrAdvInterval 4;
    prefix 2001:db8:2::/64 { AdvOnLink on; AdvAutonomous on; };
};
CONF
    lab_spawn radvd rtr radvd -n -m stderr -C "$LAB_DIR/radvd.conf" -p "$LAB_DIR/radvd.pid" </dev/null
}

binding()
{
    console -j show bindings "$LAB_HOME_ADDRESS6"
}

bound_abroad()
{
    binding | grep -q '"care_of_addresses": \["2001:db8:2:'
}

unbound()
{
    ! console -j show bindings | grep -q "\"home_address\": \"$LAB_HOME_ADDRESS6\""
}

# believes NAMESPACE MAC
believes()
{
    [[ $(neighbor_of "$1" "$LAB_HOME_ADDRESS6") == "$2" ]]
}

# sound FILE: tshark finds nothing malformed, and no wrong checksum.
sound()
{
    local found
    found=$(tshark -n -r "$1" -Y '_ws.malformed || icmpv6.checksum.status == "Bad" || mip6.csum.status == "Bad"' 2>/dev/null) ||
        found=$(tshark -n -r "$1" -Y '_ws.malformed || icmpv6.checksum.status == "Bad"' 2>/dev/null)
    echo "$found"
    [[ -z $found ]]
}

[[ -n $mip6d && -x $mip6d ]] || { lab_say "skipped: no mip6d"; exit "$LAB_SKIP"; }
command -v radvd >/dev/null || { lab_say "skipped: no radvd"; exit "$LAB_SKIP"; }
command -v tshark >/dev/null || { lab_say "skipped: no tshark"; exit "$LAB_SKIP"; }
guest_require
lab_up
lab_ipv6
conf >"$LAB_DIR/appliance.conf"
chmod 600 "$LAB_DIR/appliance.conf"
start_appliance "$LAB_DIR/appliance.conf"
appliance=$(mac_of pha hp0)
advertise_visited
mkdir -p "$GUEST_ROOT/etc" "$GUEST_ROOT/sys" "$GUEST_ROOT/lib/x86_64-linux-gnu"
mip6d_conf >"$GUEST_ROOT/etc/mip6d.conf"
cp -L /lib/x86_64-linux-gnu/libgcc_s.so.1 "$GUEST_ROOT/lib/x86_64-linux-gnu/" # its threads end by it
guest_up "$(command -v ip)" "$mip6d"
capture rtr visited1 "$LAB_DIR/visited.pcap" ip6
capture rtr home0 "$LAB_DIR/home.pcap" ip6

guest "mip6d -c /etc/mip6d.conf >/out/mip6d.log 2>&1 </dev/null &" || lab_fail "mip6d does not start"
guest "ip link set vec1 up" || lab_fail "vec1 does not come up"
expect "it registers from the visited link" within 30 bound_abroad
expect "the correspondent reaches its home address" within 10 reaches cn "$LAB_HOME_ADDRESS6"
expect "so does a host on its home link" reaches hh "$LAB_HOME_ADDRESS6"
expect "which sends by the appliance" believes hh "$appliance"
expect "and by its reverse tunnel it reaches the correspondent" guest "ping6 -c 2 -W 5 -I $LAB_HOME_ADDRESS6 2001:db8:9::2"

guest "ip link set vec1 down; ip link set vec0 up" || lab_fail "it does not move"
expect "it deregisters at home" within 40 unbound
home=$(guest "cat /sys/class/net/vec0/address")
expect "the correspondent reaches it there" within 10 reaches cn "$LAB_HOME_ADDRESS6"
expect "so does a host on its home link" reaches hh "$LAB_HOME_ADDRESS6"
expect "which sends to itself" within 5 believes hh "$home"

guest "ip link set vec0 down; ip link set vec1 up" || lab_fail "it does not move"
expect "it leaves again" within 30 bound_abroad
expect "the neighbours on its home link are told" within 5 believes hh "$appliance"
expect "the correspondent reaches it" within 10 reaches cn "$LAB_HOME_ADDRESS6"

# One who knows mobility headers writes to it. What its kernel makes of the binding update at the end is its own business.
lab_address cn eth0 $able/64
lab_spawn correspondent cn "$LAB_ROOT/test/net/home_test.py" correspond </dev/null
expect "another correspondent listens" within 10 grep -q listening "$LAB_DIR/correspondent.log"
capture cn eth0 "$LAB_DIR/correspondent.pcap" "host $able"
on cn ping -n -q -c 1 -W 2 -I $able "$LAB_HOME_ADDRESS6" >/dev/null 2>&1
expect "it is asked for a home test" within 10 grep -q "^init from $LAB_HOME_ADDRESS6" "$LAB_DIR/correspondent.log"
expect "and for a care-of test" within 10 grep -q "^care-of init from 2001:db8:2:" "$LAB_DIR/correspondent.log"
sleep 2
capture_end "$LAB_DIR/correspondent.pcap"
expect "both tests have come, for it is sent a binding update" test "$(tshark -n -r "$LAB_DIR/correspondent.pcap" -Y \
    "mip6.mhtype == 5 && ipv6.dst == $able && ipv6.opt.mipv6.home_address == $LAB_HOME_ADDRESS6" 2>/dev/null | wc -l)" -ge 1
capture_end "$LAB_DIR/visited.pcap"
capture_end "$LAB_DIR/home.pcap"
expect "no home test was in clear on the visited link" test "$(tshark -n -r "$LAB_DIR/visited.pcap" -Y \
    '(mip6.mhtype == 1 || mip6.mhtype == 3) && !icmpv6' 2>/dev/null | wc -l)" = 0
expect "tshark finds nothing wrong on the visited link" sound "$LAB_DIR/visited.pcap"
expect "nor on the home link" sound "$LAB_DIR/home.pcap"
stop_appliance || lab_fail "homeportd did not end well: $(lab_log homeportd)"
