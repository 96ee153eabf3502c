# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# The Debian packages that building, the lab and the tests need, and their installation where they are missing. To be sourced.

# shellcheck disable=SC2034 # the lists are for whoever sources this
PACKAGES_BUILD=(build-essential check libconfuse-dev libdpdk-dev libpcap-dev libssl-dev meson ninja-build
    pkg-config uthash-dev)
# shellcheck disable=SC2034
PACKAGES_LAB=(ethtool iproute2 iputils-arping iputils-ping nftables procps tcpdump)
# Another kernel, as a process: 42 MB to fetch, 118 MB installed. Not every release and architecture has it.
# shellcheck disable=SC2034
PACKAGES_VM=(busybox-static user-mode-linux)
# DPDK's own programs, beside which test/perf/end-to-end measures homeportd.
# shellcheck disable=SC2034
PACKAGES_BENCH=(dpdk-dev)
# What checks the model of the delegation protocol.
# shellcheck disable=SC2034
PACKAGES_MODEL=(spin)

# packages_install PACKAGE...: status 1 where that fails, with apt's words on standard error.
packages_install() {
    local missing=() name log
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "Installing ${missing[*]} ..."
    log=$(mktemp)
    if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    cat "$log" >&2
    rm -f "$log"
    return 1
}
