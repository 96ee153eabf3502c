# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What tests in the lab say and check. To be sourced after lab.sh.

# expect WHAT COMMAND...: it succeeds, or the test is over.
expect()
{
    local what=$1
    shift
    if "$@" >"$LAB_DIR/expect.log" 2>&1; then
        echo "ok: $what"
    else
        lab_fail "$what: $* ($(cat "$LAB_DIR/expect.log"))"
    fi
}

fails()
{
    ! "$@"
}

# within SECONDS COMMAND...
within()
{
    wait_for "$@"
}

# reaches NAMESPACE ADDRESS [OPTION OF ping...]
reaches()
{
    on "$1" ping -n -q -c 2 -i 0.2 -W 2 "${@:3}" "$2"
}
