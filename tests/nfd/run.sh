#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Our labels in the hands of the real NFD: nfd and nfd-worker of v0.19, and the hook run by the
# nfd-worker of v0.16 in a root that holds nothing else.
# usage: run.sh GPU_LABELER GPU_NFD_HOOK      (the static hook; root)
set -u
labeler=$(realpath "$1")
hook=$(realpath "$2")
here=$(cd "$(dirname "$0")/.." && pwd)
nfd=$(sh "$here/nfd/build.sh") || exit $?
work=$(mktemp -d)
agent='' worker=''
# shellcheck disable=SC2317
leave() {
	# shellcheck disable=SC2086
	kill -9 $agent $worker 2>/dev/null
	rm -rf "$work"
}
trap leave EXIT
# shellcheck source=tests/lib.sh
. "$here/lib.sh"

# Ours among the labels that NFD prints, as JSON or as the worker's YAML, in the form of detect.
ours() {
	sed -n 's/^[[:space:]]*"\{0,1\}\(\(beta\.\)\{0,1\}amd\.com\/[^":]*\|gpu\.intel\.com\/[^":]*\)"\{0,1\}: "\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1=\3/p' |
		LC_ALL=C sort -t= -k1,1 -u
}

kubeconfig=$work/kubeconfig
cat >"$kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: a, context: {cluster: a, user: a}}]
current-context: a
users: [{name: a, user: {}}]
END
options="-no-publish -v=1 -feature-sources=local -label-sources=local -config=/nonexistent"

cd "$work" || exit $?
mkdir features.d
for machine in mi300x-sriov mi300x-container two-vf-ids radeon-audio-left intel-mixed no-gpu mi300x-64-vfs; do
	rm -rf root
	sh "$here/nodes/unpack.sh" "$here/nodes/$machine/tree" root
	"$labeler" detect --root root --format labels >expected 2>/dev/null
	"$labeler" run --once --root root --features-dir features.d 2>log
	"$nfd/v0.19/nfd" export labels 2>/dev/null | ours >exported
	same "nfd v0.19 exports the labels of $machine ($(wc -l <expected))" expected exported
	# shellcheck disable=SC2086
	"$nfd/v0.19/nfd-worker" -oneshot $options -kubeconfig="$kubeconfig" 2>worker.log
	ours <worker.log >seen
	same "nfd-worker v0.19 sees them" expected seen
	# The grammar of v0.13 and before: no comment, no blank, no directive; key=value and nothing else.
	grep -v '^[a-z.]*/[-A-Za-z0-9_.]*=[-A-Za-z0-9_.]*$' features.d/gpu-labeler >strange 2>/dev/null
	same "every NFD reads the file" /dev/null strange
	# The hook, in an empty root, as NFD's own user.
	rm -rf empty
	mkdir -p empty/etc/kubernetes/node-feature-discovery/source.d empty/dev
	mknod -m 666 empty/dev/null c 1 3 # a container has this one
	cp "$hook" empty/etc/kubernetes/node-feature-discovery/source.d/gpu-nfd-hook
	cp "$nfd/v0.16/nfd-worker" empty/nfd-worker
	cp "$kubeconfig" empty/kubeconfig
	cp -a root/sys empty/host-sys
	chmod 755 "$work" empty
	# shellcheck disable=SC2086
	chroot --userspec=65534:65534 empty /nfd-worker -oneshot $options -kubeconfig=/kubeconfig \
		-options '{"sources":{"local":{"hooksEnabled":true}}}' 2>hook.log
	ours <hook.log >hooked
	same "nfd-worker v0.16 gets them from the hook" expected hooked
done

# A running worker, whose own tick is out of reach, and 20 changes by real events.
event_file=
for file in /sys/bus/pci/devices/*/uevent; do
	[ ! -w "$file" ] || event_file=$file
done
if [ -n "$event_file" ]; then
	rm -rf root features.d
	mkdir features.d
	sh "$here/nodes/unpack.sh" "$here/nodes/mi300x-pf/tree" root
	"$labeler" run --root root --features-dir features.d --interval 1h 2>agent.log &
	agent=$!
	# shellcheck disable=SC2086
	"$nfd/v0.19/nfd-worker" $options -kubeconfig="$kubeconfig" -port 0 \
		-options '{"core":{"sleepInterval":"1h"}}' 2>worker.log &
	worker=$!
	sleep 3
	gpu=root/sys/devices/pci0000:05/0000:05:00.0
	link=$(readlink "$gpu/driver")
	n=0 missed=0
	: >delays
	while [ $n -lt 20 ]; do
		n=$((n + 1))
		lines=$(wc -l <worker.log)
		if [ -L "$gpu/driver" ]; then rm "$gpu/driver" && want=7; else ln -s "$link" "$gpu/driver" && want=8; fi
		begin=$(date +%s%N)
		echo change >"$event_file"
		tries=0
		until sed "1,${lines}d" worker.log | grep -q "amd.com/gpu.vfio.count: \"$want\""; do
			tries=$((tries + 1))
			[ $tries -lt 500 ] || { missed=$((missed + 1)) && break; }
			sleep 0.02
		done
		echo $((($(date +%s%N) - begin) / 1000000)) >>delays
		sleep 0.3
	done
	[ "$missed" = 0 ] && echo "all seen" >seen || echo "$missed of 20 missed" >seen
	echo "all seen" >expected
	same "a running nfd-worker v0.19 sees each of 20 changes, its tick an hour away" expected seen
	sort -n delays | awk '{ ms[NR] = $1 } END {
		printf "        event to label in the worker: %d ms median, %d to %d (a second of it is the spacing that the worker needs)\n", ms[int((NR + 1) / 2)], ms[1], ms[NR] }'
else
	echo "SKIPPED the running worker: only root can make the kernel's events"
fi
finish
