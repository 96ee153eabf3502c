#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The console command `doctor` at both ends: nothing to complain of in a healthy lab; then the switch drops what a secondary sends with its
# primary's address, a neighbour sends to the primary what is delegated, a link fails, key and SPI differ at one end.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"

# finding NAME CHECK ABOUT: the row, on one line.
finding()
{
    console_of "$1" -j doctor | grep "\"check\": \"$2\", \"about\": \"$3\""
}

# found VERDICT NAME CHECK ABOUT [WORDS]: the verdict, and what its detail has to say.
found()
{
    local row
    row=$(finding "$2" "$3" "$4")
    echo "$row"
    [[ $row == *"\"verdict\": \"$1\""*"${5:-}"* ]]
}

# healthy NAME: no warning, no fault, and an answer that is JSON.
healthy()
{
    local answer
    answer=$(console_of "$1" -j doctor)
    echo "$answer"
    /usr/bin/python3 -c 'import json, sys
rows = json.load(sys.stdin)["checks"]
sys.exit(not rows or any(row["verdict"] not in ("ok", "unknown") or not row["detail"] for row in rows))' <<<"$answer"
}

counter()
{
    console_of "$2" -j show counters | sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p"
}

more_returned_than()
{
    (($(counter probes_returned pha) > $1))
}

# filter on|off: on the home link, what sha1's port sends with the primary's address.
filter()
{
    if [[ $1 == off ]]; then
        on home nft delete table bridge guard
        return
    fi
    on home nft -f - <<NFT
table bridge guard {
    chain forward {
        type filter hook forward priority 0;
        ether saddr $(mac_of sha1 hp0) ip saddr $LAB_HOME_AGENT drop
    }
}
NFT
}

command -v nft >/dev/null || { lab_say "skipped: no nft"; exit "$LAB_SKIP"; }
lab_up
lab_secondary 1
appliance_conf "$(secondary_section 1)" 'delegation { when = manual  linger = 1 }' >"$LAB_DIR/pha.conf"
chmod 600 "$LAB_DIR/pha.conf"
start_appliance "$LAB_DIR/pha.conf"
start_secondary 1
expect "the secondary is ready" within 10 secondary_is ready 1
roam_to visited1
start_mobile --care-of 10.2.0.50 --tun mip0 --lifetime 300
expect "the mobile node registers" within 10 forwards_settled self
expect "delegate to sha1" console delegate "$LAB_HOME_ADDRESS" sha1
expect "sha1 forwards" within 3 forwards_settled sha1

echo "== All is well"
expect "the first probe comes back" within 5 found ok pha source-filter sha1 'the last probe of sha1 came back'
expect "sha1 says by which router it went" found ok sha1 source-filter pha 'router 10.1.0.1'
for node in pha sha1; do
    expect "what happened at $node's start is past" console_of "$node" clear counters
done
expect "the primary has nothing to complain of" within 20 healthy pha
expect "nor has sha1" within 20 healthy sha1
expect "for people as well" eval 'console doctor | grep -q "^source-filter *sha1 *ok *the last probe"'
expect "the MTU of sha1's ports is not known here" found unknown pha mtu sha1
expect "it is there" found ok sha1 mtu home 1500
expect "another probe after ten seconds" within 12 more_returned_than "$(counter probes_returned pha)"
expect "each that was sent has come back" test "$(counter probes_returned pha)" = "$(counter probes_sent sha1)"

echo "== The switch drops what sha1 sends with the primary's address"
filter on || { lab_say "skipped: no filter on a bridge here"; exit "$LAB_SKIP"; }
expect "that is a fault" within 40 found fault pha source-filter sha1 'no probe of sha1 came back for'
expect "though it has its lease" found ok pha session sha1 ready
expect "and sends probes" found ok sha1 source-filter pha
filter off
expect "the filter gone, all is well" within 12 found ok pha source-filter sha1

echo "== A neighbour still sends to the primary"
on hh ip neighbor replace "$LAB_HOME_ADDRESS" lladdr "$(mac_of pha hp0)" dev eth0 nud permanent
lab_spawn ping hh ping -n -q -i 0.05 "$LAB_HOME_ADDRESS" </dev/null
expect "that is a fault" within 5 found fault pha arp sha1 "$LAB_HOME_ADDRESS"
lab_stop ping
on hh ip neighbor del "$LAB_HOME_ADDRESS" dev eth0
expect "it is over" within 5 found ok pha arp sha1

echo "== A link"
ip -n "$(lab_ns sha1)" link set hp0 down
# This device does not tell that its link is down; it counts what it cannot send.
expect "is down" within 5 found warning sha1 link home 'lost by the device'
expect "the primary does not hear of sha1" within 5 found fault pha session sha1
ip -n "$(lab_ns sha1)" link set hp0 up
expect "the secondary is ready" within 10 secondary_is ready 1
expect "its lost lease is remembered" found fault sha1 lease self '1 lost'

echo "== A key differs at one end"
sed -i "s/$(lab_pair_key 1)/hex:$(printf '%064x' 1)/" "$LAB_DIR/sha1.conf"
expect "sha1 reloads" console_of sha1 reload
expect "the primary names it" within 20 found fault pha keys sha1 'compare the key of secondary \"sha1\" here with that of section primary there'
expect "sha1 does as well" within 20 found fault sha1 keys pha 'compare the key of primary \"pha\" here with that of section secondary there'
expect "no lease, so nothing is said of filters" found unknown pha source-filter sha1
expect "nor an SPI" test -z "$(finding pha keys sha1 | grep spi)"

echo "== The SPI"
sed -Ei "s/spi = 1001/spi = 1009/; s/hex:0*1\"/$(lab_pair_key 1)\"/" "$LAB_DIR/sha1.conf"
expect "sha1 reloads" console_of sha1 reload
expect "the primary names it" within 40 found fault pha keys sha1 'compare the spi'

echo "== Tunnels from the secondary's own address"
sed -i 's/^delegation {/& outer-source = own /' "$LAB_DIR/pha.conf"
expect "the primary reloads" console reload
expect "nothing is asked of the network" found ok pha source-filter sha1 'outer-source = own'

stop_mobile || lab_say "homeport-mn: $(lab_log mobile)"
for node in sha1 pha; do
    expect "$node ends well" stop_appliance "$node"
done
echo "ok: doctor finds what is broken, and nothing else"
