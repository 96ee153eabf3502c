#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The delegation protocol in ESP: to one secondary over IPv4 by AES-GCM, to another over IPv6 by AES-CBC with HMAC-SHA-256. A live binding
# moves between them without loss; the link sees no datagram in clear, and tshark, who is told the keys, finds the whole protocol in what
# it decrypts. What bears the right authenticator but comes in clear, or comes a second time, changes nothing.
set -u
# shellcheck source=test/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=test/net/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=test/net/ipv6.sh
. "$(dirname "$0")/ipv6.sh"

datagrams=6000
link=$LAB_DIR/link.pcap

# esp_key SPI BYTES
esp_key()
{
    printf '%0*x' $((2 * $2)) "$1"
}

# esp_section ALGORITHM SPI-IN SPI-OUT KEY-BYTES [AUTHENTICATION-KEY-BYTES]
esp_section()
{
    printf 'ipsec { algorithm = %s' "$1"
    printf '  spi-in = %d  key-in = "hex:%s"' "$2" "$(esp_key "$2" "$4")"
    printf '  spi-out = %d  key-out = "hex:%s"' "$3" "$(esp_key "$3" "$4")"
    [[ -z ${5-} ]] || printf '  auth-key-in = "hex:%s"  auth-key-out = "hex:%s"' "$(esp_key "$2" "$5")" "$(esp_key "$3" "$5")"
    printf ' }\n'
}

# protected_secondary N [ESP-SECTION]: starts shaN so, shaN and the primary over the family that the primary has.
protected_secondary()
{
    local n=$1 section=${2-} from=$LAB_HOME_AGENT to=$LAB_HOME_AGENT
    [[ $n == 1 ]] || to=$LAB_HOME_AGENT6
    secondary_conf "$n" | sed "s|^\(primary \"pha\" {.*\)\"$from\"\(.*\) }|\1\"$to\"\2 $section }|" >"$LAB_DIR/sha$n.conf"
    chmod 600 "$LAB_DIR/sha$n.conf"
    start_appliance "$LAB_DIR/sha$n.conf" "sha$n"
}

# counter NODE NAME
counter()
{
    console_of "$1" -j show counters | sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p"
}

# sa FAMILY SOURCE DESTINATION SPI CIPHER KEY-BYTES AUTHENTICATION KEY-BYTES: for tshark
sa()
{
    printf 'uat:esp_sa:"%s","%s","%s","0x%x","%s","0x%s","%s","%s"' "$1" "$2" "$3" "$4" "$5" "$(esp_key "$4" "$6")" "$7" \
        "$([[ $8 == 0 ]] || printf '0x%s' "$(esp_key "$4" "$8")")"
}

# decrypted FILTER FIELD...: of the capture, as tshark reads it with the keys.
decrypted()
{
    local filter=$1 name
    local -a wanted=()
    shift
    for name; do
        wanted+=(-e "$name")
    done
    tshark -n -r "$link" -X "lua_script:$LAB_ROOT/doc/homeport-delegation.lua" -o esp.enable_encryption_decode:TRUE \
        -o esp.enable_authentication_check:TRUE \
        -o "$(sa IPv4 10.1.0.3 10.1.0.2 2001 'AES-GCM with 16 octet ICV [RFC4106]' 20 NULL 0)" \
        -o "$(sa IPv4 10.1.0.2 10.1.0.3 2002 'AES-GCM with 16 octet ICV [RFC4106]' 20 NULL 0)" \
        -o "$(sa IPv6 2001:db8:1::4 2001:db8:1::2 2003 'AES-CBC [RFC3602]' 16 'HMAC-SHA-256-128 [RFC4868]' 32)" \
        -o "$(sa IPv6 2001:db8:1::2 2001:db8:1::4 2004 'AES-CBC [RFC3602]' 16 'HMAC-SHA-256-128 [RFC4868]' 32)" \
        -Y "$filter" -T fields "${wanted[@]}" 2>/dev/null
}

ipv6_require
lab_up
lab_ipv6
lab_secondary 1
lab_secondary 2
appliance_conf6 "$(secondary_section 1 "$(esp_section aes-gcm 2001 2002 20)")" \
    "$(secondary_section 2 "$(esp_section aes-cbc-sha256 2003 2004 16 32)" | sed 's|"10.1.0.4"|"2001:db8:1::4"|')" \
    'delegation { when = manual  linger = 3 }' >"$LAB_DIR/pha.conf"
chmod 600 "$LAB_DIR/pha.conf"
capture home br0 "$link" '(udp port 49434) or (ip proto 50) or (ip6 proto 50)'
start_appliance "$LAB_DIR/pha.conf"
protected_secondary 1 "$(esp_section aes-gcm 2002 2001 20)"
protected_secondary 2 "$(esp_section aes-cbc-sha256 2004 2003 16 32)"
expect "both secondaries are ready" within 15 eval 'secondary_is ready 1 && secondary_is ready 2'

roam_to visited1
start_mobile --care-of 10.2.0.50 --tun mip0 --lifetime 300 --json
expect "the mobile node registers" within 10 forwards_settled self
lab_spawn stream cn "$LAB_BUILD/app/mn/homeport-stream" --to "$LAB_HOME_ADDRESS" --rate 1000 --count $datagrams </dev/null
sleep 1
for next in sha1 sha2; do
    expect "delegate to $next" console delegate "$LAB_HOME_ADDRESS" $next
    expect "$next forwards" within 3 forwards_settled $next
    sleep 1
done
expect "recall" console recall "$LAB_HOME_ADDRESS"
expect "the primary forwards" within 3 forwards_settled self
expect "the stream ends" within 30 lab_ended stream
sleep 0.5
capture_end "$link"

expect "the link sees nothing in clear" test "$(count "$link" 'udp.port == 49434')" = 0
expect "and ESP of both families" test "$(count "$link" 'ip && esp')" -gt 20 -a "$(count "$link" 'ipv6 && esp')" -gt 20
sealed=$(count "$link" esp)
expect "tshark decrypts all of it" test "$(decrypted 'esp && hadp' frame.number | wc -l)" = "$sealed"
expect "and finds every integrity check value right" test "$(decrypted esp.icv_good==1 frame.number | wc -l)" = "$sealed"
expect "and nothing wrong inside" test -z "$(decrypted '_ws.malformed || hadp.bad || udp.checksum.status == "Bad"' frame.number)"
decrypted hadp _ws.col.Info >"$LAB_DIR/decoded"
for kind in HELLO HELLO_ACK START START_ACK STOP STOP_ACK KEEPALIVE KEEPALIVE_ACK SYNC_REQ SYNC_DATA; do
    expect "there are some: $kind" grep -Eq "(^| )$kind( |$)" "$LAB_DIR/decoded"
done

# What was heard comes again.
taken=$(counter pha esp_opened)
expect "what was heard is sent again" on home "$LAB_ROOT/test/net/replay.py" "$link" br0 \
    "10.1.0.2=$(mac_of pha hp0)" "2001:db8:1::2=$(mac_of pha hp0)"
expect "it is opened" within 3 eval "((\$(counter pha esp_opened) > $taken + 40))"
expect "and refused" eval '(($(counter pha peer_replayed) + $(counter pha peer_wrong_epoch) + $(counter pha peer_unknown_spi) > 40))'
expect "and changes nothing" eval 'secondary_is ready 1 && secondary_is ready 2'
expect "the primary goes on" forwarder_is self

# Who has the key of the protocol, but not of ESP, is not heard.
expect "sha1 ends" stop_appliance sha1
before=$(counter pha peer_unprotected)
protected_secondary 1
expect "what comes in clear is counted" within 5 eval "((\$(counter pha peer_unprotected) > $before))"
expect "and sha1 is not ready" within 5 secondary_is dead 1
expect "the mobile node is reached" reaches cn "$LAB_HOME_ADDRESS"

stop_mobile || lab_say "homeport-mn: $(lab_log mobile)"
received=$(sed -n 's/.*"stream_total":.*"received":\([0-9]*\).*/\1/p' "$LAB_DIR/mobile.log" | tail -n 1)
expect "no packet of the stream is lost" test "$((received))" = $datagrams
for node in sha1 sha2 pha; do
    expect "$node ends well" stop_appliance "$node"
done
echo "ok: three moves by a protocol that nobody can read"
