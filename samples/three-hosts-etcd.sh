#!/usr/bin/env bash
# Three hosts on one Ethernet segment over UDP that know each other through an etcd, on this machine: network namespaces for hosts, a bridge
# in a fourth one for the network between them, where etcd is too. Shows that nothing is flooded to find a known address, and what
# happens when etcd is killed under a running transfer, when a station moves meanwhile, and when etcd comes back.
#
#   samples/three-hosts-etcd.sh [--keep]
#   samples/three-hosts-etcd.sh --clean          removes what --keep left running
#
# Needs root, for the namespaces, and the .NET SDK. Missing Debian packages are installed. Takes less than a minute after the build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

readonly usage="Usage: samples/three-hosts-etcd.sh [--keep] | --clean"
readonly vtep=$root/artifacts/bin/Vtep/release/vtep
readonly state=/run/vtep-three-hosts # configuration, control socket and log of all hosts, etcd's data
readonly net=three-hosts-net         # the network between them, and etcd
readonly hosts=(three-hosts-1 three-hosts-2 three-hosts-3)
readonly guest=three-hosts-guest     # the station that moves, a namespace of its own as a container has
readonly etcd_url=http://198.18.0.100:2379
readonly prefix=/vtep/v1/sample
readonly guest_mac=02:00:5e:10:00:99 guest_address=198.19.0.99
keep= clean=
while [[ $# -gt 0 ]]; do
    case $1 in
        --keep) keep=yes ;;
        --clean) clean=yes ;;
        -h | --help) echo "$usage"; exit 0 ;;
        *) echo "three-hosts-etcd.sh: '$1' is not understood. $usage" >&2; exit 2 ;;
    esac
    shift
done

die() {
    echo "three-hosts-etcd.sh: $*" >&2
    exit 1
}

heading() {
    printf '\n%s\n' "--- $*"
}

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

seconds_since() { awk -v ms=$(($(milliseconds) - $1)) 'BEGIN { printf "%.1f s", ms / 1000 }'; }

events=()
note() { # note WHAT: for the summary, with the time since the start
    events+=("$(printf '%8s  %s' "$(seconds_since "$started")" "$*")")
}

# The namespaces are ours by name, so whatever runs in them was started here or by somebody looking around. vtep gets the
# time to take its TAP away and its records back; what is still there after that is killed. The network goes last: etcd is in it.
clean_up() {
    local space
    trap '' INT TERM # a second ^C leaves nothing half removed
    for space in "$guest" "${hosts[@]}" "$net"; do remove_namespace "$space"; done
    rm -rf "$state"
}

remove_namespace() {
    local space=$1 pid i
    [[ -e /run/netns/$space ]] || return 0
    for pid in $(ip netns pids "$space"); do kill -TERM "$pid" 2> /dev/null || true; done
    for ((i = 0; i < 60; i++)); do
        [[ -n $(ip netns pids "$space") ]] || break
        sleep 0.1
    done
    for pid in $(ip netns pids "$space"); do kill -KILL "$pid" 2> /dev/null || true; done
    ip netns del "$space"
}

need_programs() {
    local need missing=()
    for need in ip:iproute2 ping:iputils-ping arping:iputils-arping socat:socat etcd:etcd-server etcdctl:etcd-client; do
        command -v "${need%%:*}" > /dev/null || missing+=("${need##*:}")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    command -v apt-get > /dev/null || die "missing: ${missing[*]}. Install them first."
    echo "Installing ${missing[*]} ..."
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 # no etcd of its own is wanted
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

# wait_until SECONDS WHAT COMMAND...: until the command succeeds.
wait_until() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" > /dev/null 2>&1; do
        [[ $SECONDS -lt $deadline ]] || { tail -n 5 "$state"/*.log >&2; die "$what does not happen, the logs are above."; }
        sleep 0.1
    done
}

on() { # on NUMBER COMMAND...: in a host
    local number=$1
    shift
    ip netns exec "three-hosts-$number" "$@"
}

show() { # show NUMBER WHAT...
    local number=$1
    shift
    "$vtep" show "$@" --socket "$state/three-hosts-$number.sock"
}

store() { # store ARGUMENTS...: etcdctl
    ETCDCTL_API=3 ip netns exec "$net" etcdctl --endpoints "$etcd_url" --command-timeout 2s "$@"
}

add_network() {
    ip netns add "$net"
    ip -n "$net" link set lo up
    ip -n "$net" link add br0 type bridge
    ip -n "$net" addr add 198.18.0.100/24 dev br0
    ip -n "$net" link set br0 up
}

# add_host NUMBER: its namespace, its way into the network, its configuration. The MAC is given, so that it can be told in the tables.
add_host() {
    local number=$1 host=three-hosts-$1
    ip netns add "$host"
    ip -n "$net" link add "eth$number" type veth peer name eth0 netns "$host"
    ip -n "$net" link set "eth$number" master br0 up
    ip -n "$host" addr add "198.18.0.$number/24" dev eth0
    ip -n "$host" link set eth0 up
    ip -n "$host" link set lo up
    # Without IPv6 on the segment its devices say nothing by themselves, and the counters of flooding tell of the pings alone.
    ip netns exec "$host" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'
    cat > "$state/$host.jsonc" << CONFIG
{
  "control": { "socket": "$state/$host.sock" },
  "underlay": { "local": "198.18.0.$number" },
  "controllers": {
    "main": { "etcd": {
      "endpoints": [ "$etcd_url" ], "prefix": "$prefix", "node": "h$number", "leaseSeconds": 60,
      "cache": "$state/$host.cache", "allowedVteps": [ "198.18.0.0/24" ] } }
  },
  "bridgeDomains": [
    { "name": "blue", "vni": 100,
      "ports": [ { "tap": "tap-blue", "mac": "02:00:5e:10:00:0$number", "addresses": [ "198.19.0.$number/24" ] } ],
      "discovery": { "controller": { "name": "main", "mode": "watch" } } }
  ]
}
CONFIG
}

start_etcd() {
    ip netns exec "$net" etcd --name sample --data-dir "$state/etcd" --listen-client-urls "$etcd_url" --advertise-client-urls "$etcd_url" \
        --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
        --initial-cluster sample=http://127.0.0.1:2380 >> "$state/etcd.log" 2>&1 < /dev/null &
    etcd_pid=$!
    disown
    wait_until 20 "etcd's start" store endpoint health
}

kill_etcd() {
    kill -KILL "$etcd_pid"
    wait_until 5 "etcd's end" test ! -e "/proc/$etcd_pid"
}

start_vtep() {
    local host=three-hosts-$1
    ip netns exec "$host" "$vtep" run --config "$state/$host.jsonc" > "$state/$host.log" 2>&1 < /dev/null &
    disown
}

is_up() { show "$1" ports --json | grep '"up":true'; }

# One gratuitous ARP, as systems send when they get an address: the only thing a host does to be known.
announce() { # announce NAMESPACE DEVICE ADDRESS
    ip netns exec "$1" arping -q -U -c 1 -I "$2" "$3" > /dev/null 2>&1 || true
}

knows() { show "$1" neighbors | grep " $2 "; }               # knows NUMBER ADDRESS
has_behind() { show "$1" fdb | grep "$2 .* $3:4789"; }       # has_behind NUMBER MAC VTEP
has_here() { show "$1" fdb | grep "$2 .* tap-blue "; }       # has_here NUMBER MAC
is_state() { show "$1" status --json | grep "\"state\":\"$2\""; }
has_been_degraded() { show 1 status --json | grep '"stateSeconds":[2-9]'; }
is_same() { "$vtep" diff --socket "$state/three-hosts-$1.sock"; }

counter() { # counter NUMBER NAME
    show "$1" counters --json | grep -o "\"$2\":[0-9]*" | cut -d: -f2
}

from_underlay() { show "$1" domains --json | grep -o '"fromUnderlay":[0-9]*' | cut -d: -f2; }

flooding() { # a line of what tells flooding
    echo "frames replicated by h1: $(counter 1 replicated), by h2: $(counter 2 replicated); frames that came to h3: $(from_underlay 3)"
}

# The guest's only device is a macvlan on a host's TAP: frames of its own MAC come out of the TAP beside the host's.
plug_guest() { # plug_guest NUMBER
    ip -n "three-hosts-$1" link add link tap-blue name guest address "$guest_mac" netns "$guest" type macvlan mode bridge
    ip -n "$guest" addr add "$guest_address/24" dev guest
    ip -n "$guest" link set guest up
    announce "$guest" guest "$guest_address"
}

unplug_guest() { ip -n "$guest" link del guest; }

# Random bytes from h1 to h2 over one TCP connection, some 30 MB/s, until end_transfer. Both ends take a checksum, and h2 looks ten times
# a second how much has come.
start_transfer() {
    on 2 bash -c "socat -u TCP-LISTEN:5001,bind=198.19.0.2 STDOUT | tee >(wc -c > '$state/bytes') | sha256sum > '$state/received'" 2> "$state/receiver.log" &
    receiver_pid=$!
    wait_until 5 "the receiver's start" sh -c "ip netns exec three-hosts-2 ss -Hltn | grep -q :5001"
    on 1 bash -c "while [[ ! -e '$state/enough' ]]; do head -c 1M /dev/urandom; sleep 0.02; done \
        | tee >(sha256sum > '$state/sent') | socat -u STDIN TCP:198.19.0.2:5001" 2> "$state/sender.log" &
    sender_pid=$!
    on 2 bash -c "while [[ ! -e '$state/enough' ]]; do cat /sys/class/net/tap-blue/statistics/rx_bytes; sleep 0.1; done" > "$state/progress" &
    watch_pid=$!
    transfer_since=$(milliseconds)
    wait_until 5 "the transfer" sh -c "[ \$(wc -l < '$state/progress') -gt 10 ]"
}

end_transfer() {
    local took pause
    touch "$state/enough"
    wait "$sender_pid" && wait "$receiver_pid" || { cat "$state"/{sender,receiver}.log >&2; die "the TCP transfer broke."; }
    wait "$watch_pid"
    took=$(seconds_since "$transfer_since")
    wait_until 5 "the end of the count" test -s "$state/bytes" -a -s "$state/sent"
    pause=$(awk 'NR > 1 { still = $1 - last < 10000 ? still + 1 : 0; if (still > most) most = still } { last = $1 } END { printf "%.1f s", most / 10 }' "$state/progress")
    echo "$(($(cat "$state/bytes") / 1000000)) MB in $took over one TCP connection; the longest time without a byte, looking every 0.1 s: $pause"
    echo "SHA-256 sent      $(cut -d' ' -f1 "$state/sent")"
    echo "SHA-256 received  $(cut -d' ' -f1 "$state/received")"
    cmp -s "$state/sent" "$state/received" || die "other bytes arrived than were sent."
}

controller_lines() { show "$1" status | sed -n '/^controller/,/last event/p'; }

records() { show "$1" directory | awk 'NR == 1 || /'"$guest_mac"'/' | cut -c13-; } # records NUMBER: those of the guest

ping_guest() { # from h2; all three must come back
    local answers
    answers=$(on 2 ping -c 3 -i 0.2 -W 2 "$guest_address" || true)
    tail -n 2 <<< "$answers"
    grep -q " 3 received" <<< "$answers" || die "the guest doesn't answer."
}

[[ $(id -u) -eq 0 ]] || die "needs root, to make network namespaces: sudo $0 $*"
if [[ -n $clean ]]; then
    clean_up
    echo "Removed."
    exit
fi
[[ ! -e $state && ! -e /run/netns/$net && ! -e /run/netns/three-hosts-1 ]] || die "it is there already; remove it: $0 --clean"
command -v dotnet > /dev/null || die "needs the .NET 10 SDK: https://dotnet.microsoft.com/download"
[[ -c /dev/net/tun ]] || die "needs /dev/net/tun: modprobe tun"
need_programs

cat << PICTURE

     three-hosts-1             three-hosts-2             three-hosts-3
  +------------------+      +------------------+      +------------------+
  |  198.19.0.1/24   |      |  198.19.0.2/24   |      |  198.19.0.3/24   |
  |     tap-blue ................ tap-blue ................ tap-blue     |   Ethernet, VNI 100
  |        |         |      |        |         |      |        |         |
  |  vtep, node h1   |      |  vtep, node h2   |      |  vtep, node h3   |
  |        |         |      |        |         |      |        |         |
  |  198.18.0.1      |      |  198.18.0.2      |      |  198.18.0.3      |
  +------- | --------+      +------- | --------+      +------- | --------+
           |                         |                         |
    =======+=========================+=========================+========     VXLAN in UDP :4789
                                     |
                        etcd, http://198.18.0.100:2379                       three-hosts-net
PICTURE

heading "build"
build
echo "$vtep"

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
started=$(milliseconds)
heading "start: etcd, then a vtep on each host"
mkdir -m 755 "$state"
add_network
start_etcd
for number in 1 2 3; do add_host "$number"; done
for number in 1 2 3; do start_vtep "$number"; done
for number in 1 2 3; do wait_until 20 "the start of vtep on three-hosts-$number" is_up "$number"; done
for number in 1 2 3; do wait_until 20 "h$number's connection to etcd" is_state "$number" connected; done
for number in 1 2 3; do announce "three-hosts-$number" tap-blue "198.19.0.$number"; done
for number in 1 2 3; do
    for other in $((number % 3 + 1)) $(((number + 1) % 3 + 1)); do wait_until 20 "that h$number knows 198.19.0.$other" knows "$number" "198.19.0.$other"; done
done
note "three hosts run, each announced its address once, and all know all"
echo "Every host announced its address once, and all know all. etcd has:"
store get --prefix "$prefix/s/" | awk 'NF && ++n % 2 { key = $0; next } NF { printf "  %-50s %s\n", key, $0 }'
echo "and h1:"
show 1 neighbors | sed 's/^/  /'

heading "the first ping from h1 to h2"
before=$(flooding)
echo "before  $before"
on 1 ping -c 3 -i 0.2 198.19.0.2 | sed -n '2,4s/^/  /p'
after=$(flooding)
echo "after   $after"
[[ $after == "$before" ]] || die "something was flooded, compare the two lines."
echo "No frame was flooded: h1's own vtep answered the ARP request, the ping went to h2 only, and h3 saw nothing of it."
note "first ping from h1 to h2, without a flooded frame"

heading "a guest is plugged in on h3: $guest_mac, $guest_address"
ip netns add "$guest"
ip netns exec "$guest" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'
plug_guest 3
wait_until 10 "that h2 has the guest behind h3" has_behind 2 "$guest_mac" 198.18.0.3
echo "h2 knows it from the store:"
records 2
note "a guest on h3, known to all"

heading "etcd is killed (SIGKILL) under a running transfer from h1 to h2"
start_transfer
killed=$(milliseconds)
kill_etcd
for number in 1 2 3; do wait_until 10 "that h$number notices" is_state "$number" degraded; done
note "etcd killed; within $(seconds_since "$killed") every vtep says degraded"
wait_until 10 "that time passes" has_been_degraded
echo "vtep show status on h1:"
controller_lines 1
echo "The last known state is in force; h2 still reaches the guest on h3:"
ping_guest

heading "meanwhile the guest moves from h3 to h1, and etcd is still away"
unplug_guest
plug_guest 1
wait_until 10 "that h1 has the guest" has_here 1 "$guest_mac"
note "the guest moved from h3 to h1, while etcd is away"
echo "h1, where it is now:"
show 1 fdb | awk 'NR == 1 || /'"$guest_mac"'/'
echo "h2, which the store can't tell yet:"
show 2 fdb | awk 'NR == 1 || /'"$guest_mac"'/'
echo "h1 has something to write:"
show 1 status | grep "^  published"

heading "etcd is started again, with its data"
start_etcd
back=$(milliseconds)
for number in 2 3; do wait_until 30 "that h$number has the guest behind h1" has_behind "$number" "$guest_mac" 198.18.0.1; done
note "etcd is back; within $(seconds_since "$back") h2 and h3 have the guest behind h1"
for number in 1 2 3; do wait_until 30 "that h$number is connected again" is_state "$number" connected; done
echo "h2 has it from the store, with a higher sequence:"
records 2
ping_guest

heading "the transfer, all the while"
end_transfer
note "the transfer ends: not one byte lost"

heading "vtep diff   (what the store says against what the data plane does)"
for number in 1 2 3; do
    wait_until 20 "that store and data plane of h$number agree" is_same "$number"
    echo "h$number: $(is_same "$number")"
done
note "store and data planes agree"

heading "vtep show status   (on three-hosts-1)"
show 1 status

heading "what happened"
printf '%s\n' "${events[@]}"

if [[ -n $keep ]]; then
    trap - EXIT
    cat << KEPT

--- left running; to look around
  $vtep show directory --socket $state/three-hosts-1.sock
  $vtep diff --socket $state/three-hosts-2.sock
  ip netns exec three-hosts-1 ping 198.19.0.2
  ETCDCTL_API=3 ip netns exec $net etcdctl --endpoints $etcd_url get --prefix $prefix/
  ip netns exec $net tcpdump -n -i br0 udp port 4789
  cat $state/three-hosts-1.jsonc $state/three-hosts-1.log
--- to remove it
  $root/samples/three-hosts-etcd.sh --clean
KEPT
fi
