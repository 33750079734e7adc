#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A long run: a change every second, with the kernel's event for it, and the agent's memory over
# time. Red where a final state is missed, or where memory still grows after the first third.
# usage: soak.sh GPU_LABELER [SECONDS]      (root; an ASan build shows leaks at its end)
set -u
labeler=$(realpath "$1")
seconds=${2:-1800}
# ASan keeps what was freed, 256 MiB of it: that would be all the growth one sees.
export ASAN_OPTIONS="quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'kill -9 "$agent" 2>/dev/null; rm -rf "$work"' EXIT
root=$work/root features=$work/features
sh "$here/nodes/unpack.sh" "$here/nodes/mi300x-pf/tree" "$root"
mkdir "$features"
event_file=
for file in /sys/bus/pci/devices/*/uevent; do
	[ ! -w "$file" ] || event_file=$file
done
[ -n "$event_file" ] || { echo "soak.sh: no kernel event can be made here" >&2 && exit 1; }

"$labeler" run --root "$root" --features-dir "$features" --interval 1h 2>"$work/log" &
agent=$!
gpu=$root/sys/devices/pci0000:05/0000:05:00.0
link=$(readlink "$gpu/driver")
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$agent/status"; }

begin=$(date +%s)
changes=0 missed=0 third=
while [ $(($(date +%s) - begin)) -lt "$seconds" ]; do
	if [ -e "$gpu/driver" ] || [ -L "$gpu/driver" ]; then rm "$gpu/driver"; else ln -s "$link" "$gpu/driver"; fi
	echo change >"$event_file"
	changes=$((changes + 1))
	sleep 1
	if [ -z "$third" ] && [ $(($(date +%s) - begin)) -gt $((seconds / 3)) ]; then
		third=$(rss)
	fi
	[ $((changes % 60)) != 0 ] || {
		sleep 2 # for the spacing of two writes
		"$labeler" detect --root "$root" --format labels >"$work/expected" 2>/dev/null
		cmp -s "$work/expected" "$features/gpu-labeler" || missed=$((missed + 1))
	}
done
sleep 3
"$labeler" detect --root "$root" --format labels >"$work/expected" 2>/dev/null
cmp -s "$work/expected" "$features/gpu-labeler" || missed=$((missed + 1))
last=$(rss)
kill "$agent"
wait "$agent"
status=$?
echo "$changes changes in $seconds s: $missed states missed, exit $status"
echo "resident memory: $third KiB after a third, $last KiB at the end"
grep -c 'published' "$work/log" | sed 's/$/ publications/'
grep -E 'Sanitizer|runtime error' "$work/log" && status=1
# A hundredth may come and go with the heap's own bookkeeping.
[ "$missed" = 0 ] && [ "$status" = 0 ] && [ "$last" -le $((third + third / 100)) ]
