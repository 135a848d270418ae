#!/usr/bin/env bash
# Runs the benchmarks.
#
#   bench/run.sh                                     everything: micro, then e2e into artifacts/bench/e2e.json
#   bench/run.sh micro [ARGUMENTS]                   BenchmarkDotNet, in process, without root; ARGUMENTS are its own
#   bench/run.sh e2e [OPTIONS] --out FILE.json       beside real peers in network namespaces, as root; writes FILE.md and FILE.svg too
#       --only NAMES         scenarios: names, or beginnings of names, comma-separated (tcp-1,encap)
#       --contenders NAMES   of vtep,vtep-aot,kernel,ceiling,relay,ovs,wireguard-go
#       --seconds N          of each measurement, 3
#       --rounds N           how often each is measured, 3
#       --patience N         seconds that each measurement waits at most for other programs to leave the machine alone, 0
#   bench/run.sh control [OPTIONS] --out FILE.json   three VTEPs and a real etcd in network namespaces, as root; writes FILE.md too
#       --only NAMES         measurements: names, or beginnings of names, comma-separated (mac,churn)
#       --seconds N          of churn, 60
#   bench/run.sh operate [OPTIONS] --out FILE.json   what an operator waits for: start, control calls, scrapes, the dashboard; as root; writes FILE.md too
#       --only NAMES         measurements: names, or beginnings of names, comma-separated (start,calls)
#       --seconds N          of TCP beside calls and of all windows beside scrapes, 60
#   bench/run.sh compare REVISION [--rounds N]       what a frame costs here and in another revision, both in one process, without root
#
# As root it installs the Debian packages that are needed and missing; otherwise it names them. What it makes in the system is gone when it ends,
# however it ends. bench/README.md tells what is measured and how to read it.
set -euo pipefail
caller=$PWD
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

readonly usage="Usage: bench/run.sh [micro [ARGUMENTS] | e2e [--only NAMES] [--contenders NAMES] [--seconds N] [--rounds N] [--patience N] --out FILE.json | control [--only NAMES] [--seconds N] --out FILE.json | operate [--only NAMES] [--seconds N] --out FILE.json | compare REVISION [--rounds N]]"
readonly results=$root/artifacts/bench
readonly e2e=$root/artifacts/bin/VtepDataPlane.EndToEnd/release/VtepDataPlane.EndToEnd
readonly publish_limit=600 # seconds
readonly measurements_limit=1800
readonly e2e_needs=(ip:iproute2 bridge:iproute2 ping:iputils-ping sysctl:procps ethtool:ethtool nft:nftables iperf3:iperf3
    ovs-vswitchd:openvswitch-switch ovsdb-server:openvswitch-switch wireguard-go:wireguard-go wg:wireguard-tools)
readonly control_needs=(ip:iproute2 ping:iputils-ping sysctl:procps iperf3:iperf3 etcd:etcd-server etcdctl:etcd-client)
readonly operate_needs=(ip:iproute2 ping:iputils-ping sysctl:procps iperf3:iperf3)
job= scratch= made_policy= tree=

# Names the Debian packages of programs that are missing: PROGRAM:PACKAGE ...
missing_packages() {
    local need program
    for need in "$@"; do
        program=${need%%:*}
        PATH=$PATH:/usr/sbin:/sbin command -v "$program" > /dev/null || echo "${need##*:}"
    done | sort -u
}

install_packages() {
    local packages
    mapfile -t packages < <(missing_packages "$@")
    [[ ${#packages[@]} -gt 0 ]] || return 0
    if ! command -v apt-get > /dev/null; then
        echo "Missing packages, without which parts of the bench are missing: ${packages[*]}" >&2
        return 0
    fi
    echo "Installing ${packages[*]}"
    # The bench starts programs of its own; the system's services are not wanted. policy-rc.d keeps packages from starting them.
    local policy=/usr/sbin/policy-rc.d ok=yes
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
        made_policy=$policy
    fi
    export DEBIAN_FRONTEND=noninteractive
    echo "iperf3 iperf3/start_daemon boolean false" | debconf-set-selections
    { apt-get -q update && apt-get -qy --no-install-recommends install "${packages[@]}"; } > "$results/apt.log" 2>&1 < /dev/null || ok=
    [[ -z $made_policy ]] || rm -f "$made_policy"
    made_policy=
    [[ -n $ok ]] || { tail -20 "$results/apt.log"; echo "The packages could not be installed, see $results/apt.log" >&2; }
}

# Namespaces are called vtb<pid>-...: those whose bench process is gone are leftovers. What runs in them was started by it.
sweep_namespaces() {
    [[ $(id -u) -eq 0 ]] && command -v ip > /dev/null || return 0
    local name pid process
    while read -r name _; do
        [[ $name =~ ^vtb([0-9]+)- ]] || continue
        pid=${BASH_REMATCH[1]}
        [[ ! -d /proc/$pid ]] || continue
        for process in $(ip netns pids "$name"); do
            kill -KILL "$process" 2> /dev/null || true
        done
        ip netns del "$name" || true
    done < <(ip netns list)
    for name in /var/run/wireguard/vtb*h[12].sock; do
        [[ ! $name =~ /vtb([0-9]+)h || -d /proc/${BASH_REMATCH[1]} ]] || rm -f "$name"
    done
}

# Ends the running command with all its children: a namespace is a leftover only when its bench process is really gone.
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

leave() {
    trap - EXIT INT TERM
    [[ -z $job ]] || end_job
    sweep_namespaces
    [[ -z $made_policy ]] || rm -f "$made_policy"
    [[ -z $tree ]] || git worktree remove --force "$tree"
    [[ -z $scratch ]] || rm -rf "$scratch"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs a command in a process group of its own, so that ^C reaches all of it, namespaces being swept afterwards.
run_job() {
    local code=0
    set -m
    "$@" < /dev/null &
    job=$!
    set +m
    wait "$job" || code=$?
    job=
    return "$code"
}

# The natively compiled program is a contender, not a condition: what keeps it from being made is said in the report.
publish_aot() {
    local log=$results/publish.log
    rm -rf "$root/artifacts/publish/Vtep/release_linux-x64"
    run_job timeout "$publish_limit" dotnet publish src/Vtep -c Release -r linux-x64 -v q --nologo > "$log" 2>&1 && return 0
    aot_problem="'dotnet publish src/Vtep -c Release -r linux-x64' failed: $(grep -m1 -o 'error.*' "$log" | cut -c1-300 || true)"
    echo "$aot_problem"
}

run_micro() {
    [[ $# -gt 0 ]] || set -- --filter '*'
    run_job dotnet run -c Release --project bench/VtepDataPlane.Benchmarks -- --artifacts "$results/micro" "$@"
}

# What all benches with namespaces need: root, the programs given, no leftovers, and our own programs.
prepare_lab() {
    if [[ $(id -u) -ne 0 ]]; then
        echo "This bench makes network namespaces and TAP devices: run it as root." >&2
        exit 1
    fi
    install_packages "$@"
    sweep_namespaces
    run_job dotnet build src/Vtep -c Release -v q --nologo
    run_job dotnet build bench/EndToEnd -c Release -v q --nologo
}

run_e2e() {
    prepare_lab "${e2e_needs[@]}"
    aot_problem=
    [[ -n ${contenders:-} && ,$contenders, != *,vtep-aot,* ]] || publish_aot
    TMPDIR=$scratch run_job "$e2e" run --aot-problem "$aot_problem" "$@"
}

run_control() {
    prepare_lab "${control_needs[@]}"
    TMPDIR=$scratch run_job timeout "$measurements_limit" "$e2e" control "$@"
}

run_operate() {
    prepare_lab "${operate_needs[@]}"
    publish_aot
    TMPDIR=$scratch run_job timeout "$measurements_limit" "$e2e" operate "$@"
}

# Another revision is built in a worktree of its own, which leave() takes away.
run_compare() {
    local revision=${1:?$usage}
    shift
    tree=$scratch/before
    git worktree add --quiet --detach "$tree" "$revision"
    run_job dotnet build "$tree/src/Vtep" -c Release -v q --nologo -p:RunAnalyzers=false
    run_job dotnet build src/Vtep -c Release -v q --nologo
    run_job dotnet build bench/EndToEnd -c Release -v q --nologo
    run_job "$e2e" compare "$tree/artifacts/bin/Vtep/release" artifacts/bin/Vtep/release "$@"
}

parse_e2e() {
    out= contenders= arguments=()
    while [[ $# -gt 0 ]]; do
        case $1 in
            --out) out=${2:?$usage} ;;
            --contenders) contenders=${2:?$usage}; arguments+=("$1" "$2") ;;
            --only | --seconds | --rounds | --patience) arguments+=("$1" "${2:?$usage}") ;;
            *) echo "run.sh: '$1' is not understood. $usage" >&2; exit 2 ;;
        esac
        shift 2
    done
    check_out e2e "FILE.md and FILE.svg lie beside it"
}

# Of control and of operate: parse_measurements NAME ARGUMENTS
parse_measurements() {
    local name=$1
    shift
    out= arguments=()
    while [[ $# -gt 0 ]]; do
        case $1 in
            --out) out=${2:?$usage} ;;
            --only | --seconds) arguments+=("$1" "${2:?$usage}") ;;
            *) echo "run.sh: '$1' is not understood. $usage" >&2; exit 2 ;;
        esac
        shift 2
    done
    check_out "$name" "FILE.md lies beside it"
}

check_out() {
    [[ -n $out ]] || { echo "run.sh: $1 needs --out FILE.json. $usage" >&2; exit 2; }
    [[ $out == /* ]] || out=$caller/$out
    [[ $out == *.json ]] || { echo "run.sh: the report's name must end with .json: $2." >&2; exit 2; }
}

if ! command -v dotnet > /dev/null; then
    echo "The .NET 10 SDK is missing: see https://dotnet.microsoft.com/download" >&2
    exit 1
fi
mkdir -p "$results"
scratch=$(mktemp -d /tmp/vtep-bench-run.XXXXXX)

case ${1:-all} in
    -h | --help) echo "$usage" ;;
    micro) shift; run_micro "$@" ;;
    e2e) shift; parse_e2e "$@"; mkdir -p "$(dirname "$out")"; run_e2e "${arguments[@]}" --out "$out" ;;
    control) parse_measurements "$@"; mkdir -p "$(dirname "$out")"; run_control "${arguments[@]}" --out "$out" ;;
    operate) parse_measurements "$@"; mkdir -p "$(dirname "$out")"; run_operate "${arguments[@]}" --out "$out" ;;
    compare) shift; run_compare "$@" ;;
    all) run_micro; contenders=; run_e2e --out "$results/e2e.json" ;;
    *) echo "run.sh: '$1' is not understood. $usage" >&2; exit 2 ;;
esac
