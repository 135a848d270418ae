#!/usr/bin/env bash
# Builds and runs every test, and ends with the line "N passed, N failed".
#
#   tests/run.sh [unit|system] [--filter EXPRESSION]
#
# unit     tests/VtepDataPlane.Tests: no root, no network
# system   tests/VtepDataPlane.SystemTests: network namespaces and real peers, as root
# EXPRESSION is what 'dotnet test --filter' takes, such as FullyQualifiedName~Ovs.
#
# As root it installs the Debian packages that the system tests need and lack; otherwise it names them.
# Results: artifacts/test-results/*.trx.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

readonly usage="Usage: tests/run.sh [unit|system] [--filter EXPRESSION]"
readonly results=$root/artifacts/test-results
readonly unit_limit=600 system_limit=2400 # seconds, for a slow hour; usually the whole run stays under 20 minutes
suites=(unit system)
filter=
while [[ $# -gt 0 ]]; do
    case $1 in
        unit | system) suites=("$1") ;;
        --filter) filter=${2:?$usage}; shift ;;
        -h | --help) echo "$usage"; exit 0 ;;
        *) echo "run.sh: '$1' is not understood. $usage" >&2; exit 2 ;;
    esac
    shift
done

passed=0 failed=0 job=

# Every failed test once more, at the end: NAME: the first line of why.
failures() {
    local trx
    for trx in "$results"/*.trx; do
        [[ ! -f $trx ]] || awk '
            /<UnitTestResult .*outcome="Failed"/ { name = $0; sub(/.* testName="/, "", name); sub(/".*/, "", name) }
            name != "" && /<Message>/ { sub(/.*<Message> */, ""); sub(/<\/Message>.*/, ""); print "Failed: " name ": " $0; name = "" }' "$trx"
    done | cut -c1-500
}

summary() {
    echo
    failures
    echo "$passed passed, $failed failed"
    [[ $failed -eq 0 && $passed -gt 0 ]]
}

# Programs of the system tests and the Debian packages they are in.
missing_packages() {
    local need program
    for need in ip:iproute2 bridge:iproute2 tc:iproute2 ping:iputils-ping tcpdump:tcpdump tshark:tshark mergecap:wireshark-common ethtool:ethtool \
        sysctl:procps nft:nftables setpriv:util-linux unshare:util-linux mknod:coreutils clang:clang nm:binutils objdump:binutils \
        ovs-vswitchd:openvswitch-switch ovsdb-server:openvswitch-switch etcd:etcd-server etcdctl:etcd-client openssl:openssl \
        systemd-nspawn:systemd-container systemd-analyze:systemd dbus-daemon:dbus-daemon nsenter:util-linux man:man-db mandoc:mandoc dpkg-deb:dpkg strip:binutils \
        promtool:prometheus prometheus:prometheus curl:curl script:bsdutils socat:socat git:git chromium:chromium; do
        program=${need%%:*}
        PATH=$PATH:/usr/sbin:/sbin command -v "$program" > /dev/null || echo "${need##*:}"
    done | sort -u
}

install_packages() {
    local packages
    mapfile -t packages < <(missing_packages)
    [[ ${#packages[@]} -gt 0 ]] || return 0
    if [[ $(id -u) -ne 0 ]] || ! command -v apt-get > /dev/null; then
        echo "Missing packages, without which system tests fail: apt-get install ${packages[*]}" >&2
        return 0
    fi
    echo "Installing ${packages[*]}"
    local log=$results/apt.log
    # The tests start an Open vSwitch of their own; the system's is not wanted. policy-rc.d keeps packages from starting services.
    local policy=/usr/sbin/policy-rc.d made_policy=
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
        made_policy=yes
    fi
    export DEBIAN_FRONTEND=noninteractive
    echo "wireshark-common wireshark-common/install-setuid boolean false" | debconf-set-selections
    local ok=yes
    { apt-get -q update && apt-get -qy --no-install-recommends install "${packages[@]}"; } > "$log" 2>&1 < /dev/null || ok=
    [[ -z $made_policy ]] || rm -f "$policy"
    [[ -n $ok ]] || { tail -20 "$log"; echo "The packages could not be installed, see $log" >&2; }
}

# Namespaces are called vt<pid>-...: those whose test process is gone are leftovers. What runs in them was started by it.
sweep_namespaces() {
    [[ $(id -u) -eq 0 ]] && command -v ip > /dev/null || return 0
    local name pid process
    while read -r name _; do
        [[ $name =~ ^vt([0-9]+)- ]] || continue
        pid=${BASH_REMATCH[1]}
        [[ ! -d /proc/$pid ]] || continue
        for process in $(ip netns pids "$name"); do
            kill -KILL "$process" 2> /dev/null || true
        done
        ip netns del "$name" || true
    done < <(ip netns list)
}

# Ends the running command with all its children: a namespace is a leftover only when its test process is really gone.
end_job() {
    kill -TERM -- "-$job" 2> /dev/null || return 0
    local i
    for ((i = 0; i < 50; i++)); do
        kill -0 -- "-$job" 2> /dev/null || return 0
        sleep 0.1
    done
    kill -KILL -- "-$job" 2> /dev/null || true
    wait "$job" 2> /dev/null || true
}

scratch=
leave() {
    trap - EXIT INT TERM
    [[ -z $job ]] || end_job
    sweep_namespaces
    [[ -z $scratch ]] || rm -rf "$scratch"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs a command in a process group of its own, so that ^C and the time limit reach all of it, namespaces being swept afterwards.
run_limited() {
    local limit=$1 code=0
    shift
    set -m
    timeout --kill-after=10 "$limit" "$@" < /dev/null &
    job=$!
    set +m
    wait "$job" || code=$?
    job=
    return "$code"
}

counter() { # of a .trx file: counter FILE NAME
    [[ ! -f $1 ]] || sed -n "s/.*<Counters [^>]*\\b$2=\"\\([0-9]*\\)\".*/\\1/p" "$1" | head -1 # none: the run was ended
}

run_suite() {
    local name=$1 project=$2 limit=$3 code=0 good bad ran
    local trx=$results/$name.trx
    echo
    echo "== $name tests"
    TMPDIR=$scratch run_limited "$limit" dotnet test "tests/$project" -c Release --no-build --results-directory "$results" \
        --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" ${filter:+--filter "$filter"} \
        -- NUnit.DisplayName=FullName || code=$?
    good=$(counter "$trx" passed) bad=$(counter "$trx" failed) ran=$(counter "$trx" total)
    good=${good:-0} bad=${bad:-0} ran=${ran:-0}
    if [[ $code -eq 124 || $code -eq 137 ]]; then
        echo "$name tests took longer than $limit s and were ended."
        bad=$((bad + 1))
    elif [[ $ran -eq 0 && -z $filter ]]; then
        echo "$name tests: not one ran (exit code $code)."
        bad=$((bad + 1))
    elif [[ $good -ne $ran && $bad -eq 0 ]]; then
        echo "$name tests: $((ran - good)) of $ran did neither pass nor fail."
        bad=$((ran - good))
    elif [[ $code -ne 0 && $bad -eq 0 && $ran -gt 0 ]]; then
        echo "$name tests ended with exit code $code."
        bad=1
    fi
    passed=$((passed + good)) failed=$((failed + bad))
}

if ! command -v dotnet > /dev/null; then
    echo "The .NET 10 SDK is missing: see https://dotnet.microsoft.com/download" >&2
    exit 1
fi

rm -rf "$results"
mkdir -p "$results"
scratch=$(mktemp -d /tmp/vtep-run.XXXXXX)
chmod 711 "$scratch" # tests that run as another user have folders of their own in it
[[ " ${suites[*]} " != *" system "* ]] || install_packages

echo "== build"
if ! run_limited 600 dotnet build VtepDataPlane.sln -c Release -v q --nologo; then
    failed=1
    echo "The build failed."
    summary
    exit
fi

# The system tests run the native build as well; made here, its minute doesn't count as theirs. Without it its tests fail, and say why.
if [[ " ${suites[*]} " == *" system "* ]]; then
    echo
    echo "== publish"
    run_limited 600 dotnet publish src/Vtep -c Release -r linux-x64 -v q --nologo || echo "The native build failed."
fi

for suite in "${suites[@]}"; do
    case $suite in
        unit) run_suite unit VtepDataPlane.Tests $unit_limit ;;
        system) run_suite system VtepDataPlane.SystemTests $system_limit ;;
    esac
done
summary
