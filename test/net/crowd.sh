# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# A crowd: many mobile nodes in one host, each with its own home address in 10.50.0.0/16 on the home link, all of them visiting the first
# network, or one of their own. To be sourced after lab.sh.

CROWD_FIRST=10.50.1.0 # and those that follow
CROWD_HOST=mn
CROWD_CARE_OF=10.2.0.50
CROWD_CACHED=100 # a router has room for so many neighbours, whatever it is set to

# crowd_up COUNT: the link, its router and the correspondent know the crowd's network.
crowd_up()
{
    CROWD=$1
    lab_address rtr home0 10.50.0.1/16
    ((CROWD <= CROWD_CACHED)) || crowd_let_caches_grow
}

# crowd_apart: the crowd visits 10.4.0.0/24, in a host of its own; the lab's mobile node can roam meanwhile.
crowd_apart()
{
    CROWD_HOST=crowd
    CROWD_CARE_OF=10.4.0.50
    lab_host crowd
    lab_cable rtr visited3 crowd eth0
    lab_address rtr visited3 10.4.0.1/24
    lab_address crowd eth0 $CROWD_CARE_OF/24
    ip -n "$(lab_ns crowd)" route add default via 10.4.0.1
}

# A router for ten thousand hosts needs room for ten thousand neighbours. The limit is the machine's: it is put back.
crowd_let_caches_grow()
{
    local i
    CROWD_LIMITS=()
    for i in 1 2 3; do
        CROWD_LIMITS[i]=$(sysctl -n net.ipv4.neigh.default.gc_thresh$i)
    done
    trap 'crowd_down; lab_down' EXIT
    for i in 3 2 1; do
        sysctl -qw net.ipv4.neigh.default.gc_thresh$i=$((4 * CROWD + 4096))
    done
}

crowd_down()
{
    local i
    for i in 1 2 3; do
        sysctl -qw "net.ipv4.neigh.default.gc_thresh$i=${CROWD_LIMITS[i]}"
    done
}

# crowd_conf LINE...: an appliance's configuration on standard input, with an address in the crowd's network as well.
crowd_on_port()
{
    sed -e 's|addresses = {"10\.1\.0\.\([0-9]*\)/24"|&, "10.50.0.\1/16"|' \
        -e 's|home-networks = {"10.1.0.0/24"|&, "10.50.0.0/16"|'
}

# crowd_primary LINE...: the primary's configuration.
crowd_primary()
{
    local i
    for ((i = 0; i < CROWD; i++)); do
        echo "10.50.$((1 + i / 256)).$((i % 256)),256,$LAB_KEY"
    done >"$LAB_DIR/crowd.csv"
    appliance_conf 'mobile-nodes = "crowd.csv"' "$@" | families | crowd_on_port >"$LAB_DIR/pha.conf"
    chmod 600 "$LAB_DIR/pha.conf" "$LAB_DIR/crowd.csv"
}

# crowd_secondary N: starts shaN.
crowd_secondary()
{
    secondary_conf "$1" | crowd_on_port >"$LAB_DIR/sha$1.conf"
    chmod 600 "$LAB_DIR/sha$1.conf"
    start_appliance "$LAB_DIR/sha$1.conf" "sha$1"
}

# crowd_registers RATE: all of it.
crowd_registers()
{
    rm -f "$LAB_DIR/crowd.fifo"
    mkfifo "$LAB_DIR/crowd.fifo"
    # Open for both, as in start_mobile.
    exec {CROWD_FD}<>"$LAB_DIR/crowd.fifo"
    lab_spawn crowd $CROWD_HOST "$LAB_BUILD/app/mn/homeport-mn" --home-agent "$LAB_HOME_AGENT" --home "$CROWD_FIRST+$CROWD" --spi 256 \
        --key "$LAB_KEY" --care-of $CROWD_CARE_OF --rate "$1" --lifetime 900 --duration 600 --json --quiet <"$LAB_DIR/crowd.fifo"
}

crowd_stop()
{
    lab_stop crowd || lab_fail "the crowd: $(lab_log crowd)"
    exec {CROWD_FD}>&-
}

# crowd_status: asks for the numbers that crowd_total reads.
crowd_status()
{
    local lines
    lines=$(wc -l <"$LAB_DIR/crowd.log")
    printf 'status\n' >&"$CROWD_FD"
    wait_for 5 crowd_has_said "$lines" || lab_fail "the crowd does not answer: $(lab_log crowd)"
}

crowd_has_said()
{
    (($(wc -l <"$LAB_DIR/crowd.log") > $1))
}

# What becomes of a stream, from stream_begins to stream_ends: STREAM_SENT, STREAM_LOST, STREAM_DUPLICATES.
stream_begins()
{
    crowd_status
    STREAM_BEFORE=("$(crowd_total received)" "$(crowd_total duplicates)")
    crowd_stream "$1" "$2" 0
    sleep 0.5
}

stream_ends()
{
    lab_stop stream || lab_fail "the stream: $(lab_log stream)"
    sleep 0.5
    crowd_status
    STREAM_SENT=$(stream_sent)
    STREAM_DUPLICATES=$(($(crowd_total duplicates) - STREAM_BEFORE[1]))
    STREAM_LOST=$((STREAM_SENT - $(crowd_total received) + STREAM_BEFORE[0] + STREAM_DUPLICATES))
    echo "   stream: $STREAM_SENT sent, $STREAM_LOST lost, $STREAM_DUPLICATES duplicates"
}

# crowd_stream COUNT-OF-TARGETS RATE SECONDS [OPTION...]: 0 seconds: until it is stopped
crowd_stream()
{
    local targets=$1 rate=$2 seconds=$3
    shift 3
    lab_spawn stream cn "$LAB_BUILD/app/mn/homeport-stream" --to "$CROWD_FIRST+$targets" --rate "$rate" --count $((rate * seconds)) "$@" </dev/null
}

# holds N COUNT: shaN forwards so many bindings.
holds()
{
    [[ $(bindings_of "$1") == "$2" ]]
}

bindings_of()
{
    console -j show secondaries | tr -d '\n' | grep -o "\"name\": \"sha$1\"[^}]*" | sed -n 's/.*"bindings": \([0-9]*\).*/\1/p'
}

# crowd_of N: the home addresses that shaN forwards for, a line each.
crowd_of()
{
    console -j show bindings | tr -d '\n' | grep -o '{"home_address"[^}]*}' |
        sed -n "s/.*\"home_address\": \"\([^\"]*\)\".*\"forwarder\": \"sha$1\".*/\1/p"
}

# How many requests the primary has had.
registrations()
{
    console -j show counters | sed -n 's/.*"requests": \([0-9]*\).*/\1/p'
}

# crowd_total NAME: a number of all streams together, when the crowd has ended or been asked.
crowd_total()
{
    sed -n "s/.*\"stream_total\":{[^}]*\"$1\":\([0-9]*\).*/\1/p" "$LAB_DIR/crowd.log" | tail -n 1
}

# A line for each stream: home address, packets lost.
crowd_streams()
{
    tail -n 1 "$LAB_DIR/crowd.log" | grep -o '{"home_address":"[0-9.]*","received":[^}]*}' |
        sed 's/.*"home_address":"\([^"]*\)".*"lost":\([0-9]*\).*/\1 \2/'
}

stream_sent()
{
    sed -n 's/^\([0-9]*\) sent.*/\1/p' "$LAB_DIR/stream.log" | tail -n 1
}

seconds_since()
{
    local us=$((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}))
    printf '%d.%03d' $((us / 1000000)) $((us / 1000 % 1000))
}
