#!/usr/bin/env bash
# Two hosts on one Ethernet segment over UDP, on this machine: network namespaces for hosts, a veth pair for the network between
# them, `vtep run` in each.
#
#   samples/two-hosts.sh [--discovery static|multicast] [--keep]
#   samples/two-hosts.sh --clean          removes what --keep left running
#
# Needs root, for the namespaces, and the .NET SDK. Missing Debian packages are installed. Takes less than a minute.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

readonly usage="Usage: samples/two-hosts.sh [--discovery static|multicast] [--keep] | --clean"
readonly vtep=$root/artifacts/bin/Vtep/release/vtep
readonly state=/run/vtep-two-hosts # configuration, control socket and log of both hosts
readonly hosts=(two-hosts-1 two-hosts-2)
discovery=static keep= clean=
while [[ $# -gt 0 ]]; do
    case $1 in
        --discovery) discovery=${2:-}; shift ;;
        --keep) keep=yes ;;
        --clean) clean=yes ;;
        -h | --help) echo "$usage"; exit 0 ;;
        *) echo "two-hosts.sh: '$1' is not understood. $usage" >&2; exit 2 ;;
    esac
    shift
done
[[ $discovery == static || $discovery == multicast ]] || { echo "$usage" >&2; exit 2; }

die() {
    echo "two-hosts.sh: $*" >&2
    exit 1
}

heading() {
    printf '\n%s\n' "--- $*"
}

# The namespaces are ours by name, so whatever runs in them was started here or by somebody looking around. vtep gets the
# time to take its TAP away; what is still there after that is killed.
clean_up() {
    local host pid
    for host in "${hosts[@]}"; do
        [[ -e /run/netns/$host ]] || continue
        for pid in $(ip netns pids "$host"); do kill -TERM "$pid" 2> /dev/null || true; done
        for ((i = 0; i < 50; i++)); do
            [[ -n $(ip netns pids "$host") ]] || break
            sleep 0.1
        done
        for pid in $(ip netns pids "$host"); do kill -KILL "$pid" 2> /dev/null || true; done
        ip netns del "$host"
    done
    rm -rf "$state"
}

need_programs() {
    local need missing=()
    for need in ip:iproute2 ping:iputils-ping iperf3:iperf3; do
        command -v "${need%%:*}" > /dev/null || missing+=("${need##*:}")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    command -v apt-get > /dev/null || die "missing: ${missing[*]}. Install them first."
    echo "Installing ${missing[*]} ..."
    export DEBIAN_FRONTEND=noninteractive
    echo "iperf3 iperf3/start_daemon boolean false" | debconf-set-selections
    { apt-get -q update && apt-get -qy --no-install-recommends install "${missing[@]}"; } > "$state.log" 2>&1 < /dev/null \
        || { tail -5 "$state.log" >&2; die "the packages could not be installed: apt-get install ${missing[*]}"; }
    rm -f "$state.log"
}

build() {
    local log
    if ! log=$(dotnet build "$root/src/Vtep" -c Release -v q --nologo 2>&1 < /dev/null); then
        echo "$log" >&2
        die "the build failed."
    fi
}

# add_host NUMBER: address and configuration. The other host is 3 - NUMBER.
add_host() {
    local number=$1 host=two-hosts-$1 find
    ip -n "$host" addr add "198.18.0.$number/24" dev eth0
    ip -n "$host" link set eth0 up
    ip -n "$host" link set lo up
    case $discovery in
        static) find="\"static\": { \"peers\": [ \"198.18.0.$((3 - number))\" ] }" ;;
        multicast) find="\"multicast\": { \"group\": \"239.1.1.100\", \"interface\": \"eth0\" }" ;;
    esac
    cat > "$state/$host.jsonc" << CONFIG
{
  "control": { "socket": "$state/$host.sock" },
  "underlay": { "local": "198.18.0.$number" },
  "bridgeDomains": [
    { "name": "blue", "vni": 100,
      "ports": [ { "tap": "tap-blue", "addresses": [ "198.19.0.$number/24", "fd00:19::$number/64" ] } ],
      "discovery": { $find } }
  ]
}
CONFIG
}

start_vtep() {
    local host=$1
    ip netns exec "$host" "$vtep" run --config "$state/$host.jsonc" > "$state/$host.log" 2>&1 < /dev/null &
    disown
}

show() { # show HOST WHAT
    "$vtep" show "$2" --socket "$state/$1.sock"
}

wait_for_frames() {
    local deadline=$((SECONDS + 20)) host
    until ip netns exec two-hosts-1 ping -c 1 -W 1 198.19.0.2 > /dev/null 2>&1; do
        for host in "${hosts[@]}"; do
            [[ -n $(ip netns pids "$host") ]] || { cat "$state/$host.log" >&2; die "vtep ended on $host, its log is above."; }
        done
        [[ $SECONDS -lt $deadline ]] || { tail -n 5 "$state"/*.log >&2; die "no frame crossed within 20 s, the logs are above."; }
        sleep 0.1
    done
}

transfer() {
    ip netns exec two-hosts-2 iperf3 --server --one-off --forceflush --bind 198.19.0.2 > "$state/iperf3.log" 2>&1 < /dev/null &
    local server=$! deadline=$((SECONDS + 5)) result
    until grep -q listening "$state/iperf3.log"; do
        [[ $SECONDS -lt $deadline ]] || die "iperf3 does not start: $(cat "$state/iperf3.log")"
        sleep 0.05
    done
    result=$(ip netns exec two-hosts-1 iperf3 --client 198.19.0.2 --time 3 --format m) || die "the TCP transfer failed: $result"
    wait "$server" || true
    awk '/receiver/ { for (i = 1; i < NF; i++) { if ($i ~ /Bytes$/) size = $(i-1) " " $i; if ($i ~ /bits\/sec$/) rate = $(i-1) " " $i }
        print size " arrived in 3 s: " rate }' <<< "$result"
}

[[ $(id -u) -eq 0 ]] || die "needs root, to make network namespaces: sudo $0 $*"
if [[ -n $clean ]]; then
    clean_up
    echo "Removed."
    exit
fi
[[ ! -e $state && ! -e /run/netns/two-hosts-1 ]] || die "it is there already; remove it: $0 --clean"
command -v dotnet > /dev/null || die "needs the .NET 10 SDK: https://dotnet.microsoft.com/download"
[[ -c /dev/net/tun ]] || die "needs /dev/net/tun: modprobe tun"
need_programs

cat << PICTURE

       two-hosts-1                                   two-hosts-2
  +--------------------+                        +--------------------+
  |  198.19.0.1/24     |                        |     198.19.0.2/24  |
  |  tap-blue ............. Ethernet, VNI 100 .............. tap-blue  |
  |     |              |                        |              |     |
  |   vtep             |                        |             vtep   |
  |     |              |                        |              |     |
  |  eth0 =============== VXLAN in UDP :4789 ================= eth0  |
  |  198.18.0.1        |          veth          |        198.18.0.2  |
  +--------------------+                        +--------------------+

  discovery: $discovery
PICTURE

heading "build"
build
echo "$vtep"

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
heading "start"
mkdir -m 755 "$state"
for host in "${hosts[@]}"; do ip netns add "$host"; done
ip -n two-hosts-1 link add eth0 type veth peer name eth0 netns two-hosts-2
for number in 1 2; do add_host "$number"; done
for host in "${hosts[@]}"; do start_vtep "$host"; done
wait_for_frames
echo "frames cross."

heading "ping over the segment"
ip netns exec two-hosts-1 ping -q -c 100 -i 0.01 198.19.0.2 | tail -n 2
ip netns exec two-hosts-1 ping -q -c 100 -i 0.01 fd00:19::2 | tail -n 2

heading "TCP over the segment"
transfer

for what in fdb peers counters; do
    heading "vtep show $what   (on two-hosts-1)"
    show two-hosts-1 "$what"
done

if [[ -n $keep ]]; then
    trap - EXIT
    cat << KEPT

--- left running; to look around
  $vtep show status --socket $state/two-hosts-1.sock
  ip netns exec two-hosts-1 ping 198.19.0.2
  ip netns exec two-hosts-2 tcpdump -n -i eth0 udp port 4789
  cat $state/two-hosts-1.jsonc $state/two-hosts-1.log
--- to remove it
  $root/samples/two-hosts.sh --clean
KEPT
fi
