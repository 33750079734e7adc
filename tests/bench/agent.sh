#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What an idle agent costs and how fast it is: memory, wake-ups, CPU, time from the kernel's event to
# the renamed file; NFD's own worker beside it in the same run, where it was built. Shown, not
# judged, but for memory beyond 3 MiB, which no noise explains. A wake-up here is an event of the
# kernel that somebody else made.
# usage: agent.sh [GPU_LABELER]      (root, for the events)
set -eu
cd "$(dirname "$0")/../.."
labeler=$(realpath "${1:-build/release/labeler/gpu-labeler}")
work=$(mktemp -d)
agent='' worker=''
trap 'kill -9 $agent $worker 2>/dev/null; rm -rf "$work"' EXIT
sh tests/nodes/unpack.sh tests/nodes/mi300x-pf/tree "$work/root"
mkdir "$work/features.d"
event_file=
for file in /sys/bus/pci/devices/*/uevent; do
	[ ! -w "$file" ] || event_file=$file
done

status() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"; }
wakeups() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$1/status"; }
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

"$labeler" run --root "$work/root" --features-dir "$work/features.d" --interval 1h 2>"$work/log" &
agent=$!
nfd=build/nfd/v0.19/nfd-worker
if [ -x "$nfd" ]; then
	nfd=$(realpath "$nfd")
	printf 'apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: "http://127.0.0.1:1"}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\ncurrent-context: a\nusers: [{name: a, user: {}}]\n' >"$work/kubeconfig"
	( cd "$work" && exec "$nfd" -no-publish -feature-sources=local -label-sources=local \
		-config=/nonexistent -kubeconfig="$work/kubeconfig" -port 0 2>"$work/nfd.log" ) &
	worker=$!
fi
sleep 4
before=$(wakeups $agent)
[ -z "$worker" ] || worker_before=$(wakeups $worker)
sleep 20
idle=$(($(wakeups $agent) - before))
rss=$(status $agent VmRSS)
echo "agent, idle for 20 s:       $idle wake-ups, $rss KiB resident ($(status $agent RssAnon) KiB its own)"
if [ -n "$worker" ]; then
	echo "NFD's worker beside it:     $(($(wakeups $worker) - worker_before)) wake-ups, $(status $worker VmRSS) KiB resident: $(($(status $worker VmRSS) / rss)) times the memory"
fi
if [ -n "$event_file" ]; then
	gpu=$work/root/sys/devices/pci0000:05/0000:05:00.0
	link=$(readlink "$gpu/driver")
	ticks=$(cpu_ticks $agent)
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rm "$gpu/driver" && echo change >"$event_file" && sleep 1.3
		ln -s "$link" "$gpu/driver" && echo change >"$event_file" && sleep 1.3
	done
	sed -n 's/.*cause: uevent.*ms: \([0-9]*\).*/\1/p' "$work/log" | sort -n | awk '
		{ ms[NR] = $1 }
		END { printf "event to renamed file:      %d ms median, %d to %d, of %d changes (50 ms of it to settle)\n", ms[int((NR + 1) / 2)], ms[1], ms[NR], NR }'
	echo "CPU for these 20 looks:     $(($(cpu_ticks $agent) - ticks)) ticks of 10 ms"
fi
[ "$rss" -le 3072 ]
