#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Lets spin look at every state of a model; then leaves out one rule after the other, and wants an assertion to
# fail each time. Status 77: spin or gcc is not here.
#
#   check.sh MODEL [NAME=VALUE]    a bound that the model has
set -euo pipefail

model=$(realpath "$1")
bound=${2:-}
memory_mib=1900

for tool in spin gcc; do
    if ! command -v "$tool" >/dev/null; then
        echo "skipped: $tool is not installed"
        exit 77
    fi
done

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$dir"

# explore [RULE]: what the verifier says. What spin generates is not ours to be warned of.
explore()
{
    spin -a ${bound:+-D"$bound"} ${1:+-D"$1"} "$model" >spin.log 2>&1 || {
        cat spin.log
        return 1
    }
    gcc -w -O1 -DSAFETY -DNOFAIR -DMEMLIM="$memory_mib" -o pan pan.c
    ./pan -E -m1000000 >pan.log 2>&1 || true
    cat pan.log
}

# The options that the model names.
rules()
{
    sed -n 's/^ \*     \([A-Z_]\{8,\}\) .*/\1/p' "$model"
}

failed=0
said=$(explore)
if grep -q 'errors: 0' <<<"$said" && ! grep -qE 'max search depth too small|out of memory|memory bound' <<<"$said"; then
    echo "all rules: no assertion fails in $(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' <<<"$said") states${bound:+, $bound}"
else
    echo "all rules: FAILED"
    grep -vE '^Depth=' <<<"$said"
    failed=1
fi

for rule in $(rules); do
    said=$(explore "$rule")
    if found=$(grep -m 1 'assertion violated' <<<"$said"); then
        echo "$rule: found, ${found#*: }"
    else
        echo "$rule: FAILED, its absence is not noticed"
        failed=1
    fi
done
exit $failed
