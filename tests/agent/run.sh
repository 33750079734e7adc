#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The agent as a process: what it publishes, when, and what it does about everything that goes wrong
# around it. The machine is a described one; the events are the kernel's own, made by writing to a
# real PCI device's uevent file, which needs root.
# usage: run.sh GPU_LABELER      KILLS=200 run.sh ...: kill -9 so often (default 20)
set -u
labeler=$(realpath "$1")
here=$(cd "$(dirname "$0")/.." && pwd)
kills=${KILLS:-20}
work=$(mktemp -d)
agent=
# shellcheck disable=SC2317
leave() {
	[ -z "$agent" ] || kill -9 "$agent" 2>/dev/null
	umount "$work/small" 2>/dev/null
	rm -rf "$work"
}
trap leave EXIT
# shellcheck source=tests/lib.sh
. "$here/lib.sh"

root=$work/root
features=$work/features
sh "$here/nodes/unpack.sh" "$here/nodes/mi300x-pf/tree" "$root"
gpu=$root/sys/devices/pci0000:05/0000:05:00.0
link=$(readlink "$gpu/driver")
unbind() { rm "$gpu/driver"; }
bind() { ln -s "$link" "$gpu/driver"; }
expect() { "$labeler" detect --root "$root" --format labels >"$work/expected" 2>/dev/null; }
is_true() { cmp -s "$work/expected" "${1:-$features/gpu-labeler}"; }
log_has() { grep -q -e "$1" "$work/log"; }

event_file=
for file in /sys/bus/pci/devices/*/uevent; do
	[ ! -w "$file" ] || event_file=$file
done
event() { [ -z "$event_file" ] || echo change >"$event_file"; }
# With events the timer is out of reach; without them it has to do.
interval=1h
[ -n "$event_file" ] || interval=1s

start() { # more arguments
	: >"$work/log"
	"$labeler" run --root "$root" --features-dir "$features" --interval $interval "$@" \
		>"$work/stdout" 2>"$work/log" &
	agent=$!
}
stop() { # signal: the exit status
	kill "-${1:-TERM}" "$agent"
	wait "$agent"
	status=$?
	agent=
	return $status
}

mkdir "$features"
expect
start
soon "the first labels are those of detect" is_true
holds "everybody may read them" [ "$(stat -c %a "$features/gpu-labeler")" = 644 ]
soon "the log says why" log_has 'published 13 labels.*cause: start'

if [ -n "$event_file" ]; then
	unbind && expect && event
	soon "an event brings the change" is_true
	soon "the log names the event and the time" log_has 'cause: uevent change.*ms: [0-9]'
	bind && expect && event
	soon "the next change comes, too, a good second later" is_true
	before=$(stat -c '%i %y' "$features/gpu-labeler")
	event && sleep 0.2 && event && sleep 0.8
	holds "an event that changes nothing writes nothing" \
		[ "$(stat -c '%i %y' "$features/gpu-labeler")" = "$before" ]
	mv "$gpu/vendor" "$gpu/../vendor" && expect && event
	soon "a GPU that cannot be read any more costs its labels" is_true
	waited() { awk '/until a second look agrees/ { told = NR }
		/published/ { written = NR }
		END { exit !(told && told < written) }' "$work/log"; }
	holds "but not before a second look agreed" waited
	mv "$gpu/../vendor" "$gpu/vendor" && expect && event
	soon "and it counts again when it can be read" is_true
	for _ in 1 2 3 4 5; do
		unbind && event && sleep 0.05 && bind && event && sleep 0.05
	done
	unbind && expect && event
	soon "after a storm the last state is published" is_true
	bind && expect && event
	soon "and after it the next" is_true
	mv "$root/sys/bus/pci" "$root/sys/bus/gone" && event
	soon "a bus that is gone is told" log_has 'cannot list.*what is published stays'
	holds "and changes nothing that is published" is_true
	mv "$root/sys/bus/gone" "$root/sys/bus/pci" && event
	soon "its coming back is told as well" log_has 'the scan works again'
else
	echo "SKIPPED kernel events: only root can make one (or there is no PCI device)"
	skipped=$((skipped + 1))
fi

echo 'foreign/label=x' >>"$features/gpu-labeler"
soon "a file that somebody edited is healed" is_true
rm "$features/gpu-labeler"
soon "one that somebody removed, too" is_true
chmod 600 "$features/gpu-labeler" && echo x >>"$features/gpu-labeler"
soon "even with another mode" is_true
mv "$features" "$work/moved" && mkdir "$features"
soon "a directory that was replaced gets the file" is_true
rm -rf "$work/moved" "$features"
sleep 0.2
mkdir "$features"
soon "so does one that was gone for a while" is_true

status=0
"$labeler" run --root "$root" --features-dir "$features" 2>"$work/second" || status=$?
holds "a second agent on the same file refuses to start" [ "$status" = 1 ]
holds "and says who holds it" grep -q "another gpu-labeler holds it (pid $agent on host" "$work/second"
status=0
"$labeler" clean --features-dir "$features" 2>"$work/second" || status=$?
holds "clean leaves a running agent's file alone" [ "$status" = 1 ]
kill -USR1 "$agent"
soon "SIGUSR1 tells the state" log_has 'state: amd.com/gpu.mode=pf-passthrough'
stop
holds "SIGTERM leaves in peace" [ $? = 0 ]
holds "and leaves the labels" is_true
start --withdraw-on-exit
soon "they stand there already when the next one comes" log_has '13 labels stand in'
stop INT
holds "an agent that is to withdraw leaves nothing" [ -z "$(ls -A "$features")" ]

# A directory that is not there yet, two levels of it.
rm -rf "$features"
start
sleep 0.3
mkdir "$features"
soon "a directory that did not exist is waited for" is_true
stop

# Settings.
conf=$work/gpu-labeler.conf
printf '[devices]\nallow-ids = 0x7448\n' >"$conf"
start --config "$conf"
soon "no label, no file" [ ! -e "$features/gpu-labeler" ]
printf '[devices]\nallow-ids = 0x74a1\n' >"$conf"
expect
soon "a changed configuration is read by itself" is_true
printf '[devices]\nallow-ids = 0x74a1,\n' >"$conf"
kill -HUP "$agent"
soon "a bad one is refused with file and line" log_has "$conf:2: allow-ids.*the old settings stay"
event && sleep 0.3
holds "and changes nothing" is_true
mkdir "$work/other"
printf '[file]\ndir = %s\n' "$work/other" >"$work/new" && mv "$work/new" "$conf"
kill -HUP "$agent"
sleep 0.2
holds "a flag wins over the file, again and again" is_true
stop
"$labeler" clean --features-dir "$features" 2>"$work/log"
holds "clean leaves no trace" [ -z "$(ls -A "$features")" ]

agent_on_conf() {
	: >"$work/log"
	"$labeler" run --root "$root" --config "$conf" 2>"$work/log" &
	agent=$!
}
agent_on_conf
soon "the directory of the configuration" is_true "$work/other/gpu-labeler"
printf '[file]\ndir = %s\n' "$features" >"$conf"
soon "changes with it" is_true
soon "and the old one is left clean" [ -z "$(ls -A "$work/other")" ]
stop

"$labeler" run --once --root "$root" --features-dir "$work/other" --output file --output stdout \
	>"$work/stdout" 2>"$work/log"
holds "once: the file" is_true "$work/other/gpu-labeler"
expect && echo >>"$work/expected"
holds "and standard output" cmp -s "$work/expected" "$work/stdout"
expect
status=0
"$labeler" run --once --root "$root" --features-dir "$work/none" 2>"$work/log" || status=$?
holds "once: a directory that is not there is a failure" [ "$status" = 1 ]

start --expiry 4h
fresh() { head -1 "$features/gpu-labeler" | grep -q '^# +expiry-time=20..-..-..T..:..:..Z$' &&
	sed 1d "$features/gpu-labeler" | cmp -s - "$work/expected"; }
soon "an expiry stands before the labels" fresh
stop
start --log-format json
soon "without it, the line goes" is_true
json='^{"time":"[0-9TZ:-]*","level":"[a-z]*","msg":".*","cause":"start","ms":"[0-9]*","changes":".*"}$'
soon "the log as JSON" log_has "$json"
stop

# A disk without room: the old file stays whole, and the new one comes when there is room.
mkdir "$work/small"
if mount -t tmpfs -o size=16k tmpfs "$work/small" 2>/dev/null; then
	features=$work/small
	start
	soon "a small disk takes the labels" is_true
	cp "$features/gpu-labeler" "$work/old"
	dd if=/dev/zero of="$features/ballast" bs=4k 2>/dev/null
	unbind && expect && event
	soon "a full one is told" log_has 'No space left on device: the old labels stay'
	holds "and has the old file whole" cmp -s "$work/old" "$features/gpu-labeler"
	rm "$features/ballast"
	soon "with room again, the new labels come" is_true
	mount -o remount,ro "$work/small"
	bind && expect && event
	soon "a read-only one is told" log_has 'Read-only file system: the old labels stay'
	mount -o remount,rw "$work/small"
	soon "writable again, the new labels come" is_true
	stop
	umount "$work/small"
	features=$work/features
else
	echo "SKIPPED full and read-only disks: only root can mount one"
	skipped=$((skipped + 1))
fi

if [ -n "$event_file" ] && unshare --net true 2>/dev/null; then
	: >"$work/log"
	unshare --net "$labeler" run --root "$root" --features-dir "$features" --interval 1h \
		2>"$work/log" &
	agent=$!
	soon "in a network namespace of its own, as a pod has" is_true
	unbind && expect && event
	soon "the kernel's events arrive as well" is_true
	bind && expect && event
	soon "every one of them" is_true
	stop
else
	echo "SKIPPED a network namespace: only root can make one"
	skipped=$((skipped + 1))
fi

if unshare --user --map-root-user true 2>/dev/null; then
	: >"$work/log"
	unshare --user --map-root-user "$labeler" run --root "$root" --features-dir "$features" \
		--interval 1s 2>"$work/log" &
	agent=$!
	soon "a user namespace, which gets no events, is told" log_has 'user namespace.*timer alone'
	unbind && expect
	soon "and the timer does it" is_true
	bind
	stop
else
	echo "SKIPPED user namespaces: they are not to be had here"
	skipped=$((skipped + 1))
fi

# Killed at any moment: the file is one of the two sets, whole.
expect && cp "$work/expected" "$work/bound"
unbind && expect && cp "$work/expected" "$work/unbound" && bind
cp "$work/bound" "$features/gpu-labeler"
torn=0
n=0
while [ $n -lt "$kills" ]; do
	n=$((n + 1))
	if [ -e "$gpu/driver" ]; then unbind; else bind; fi
	start
	sleep "0.$(od -An -N1 -tu1 /dev/urandom | awk '{ printf "%03d", $1 }')"
	stop KILL
	is_true "$features/gpu-labeler" || {
		cmp -s "$work/bound" "$features/gpu-labeler" ||
			cmp -s "$work/unbound" "$features/gpu-labeler" || torn=$((torn + 1))
	}
done 2>/dev/null
holds "killed $kills times, the file was always whole" [ "$torn" = 0 ]
[ -e "$gpu/driver" ] || bind
expect
start
soon "and the next agent finds its way" is_true
holds "with nothing left over" [ "$(ls -A "$features/.gpu-labeler")" = lock ]
stop

finish
