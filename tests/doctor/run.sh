#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doctor on described machines: every check in every state (the table states), and the whole of what
# it says of the machines that have it written down beside them (NAME.tree, NAME.golden). Those in
# broken/ have one cause each, at the head of the tree, which must be the one to start with.
# usage: run.sh GPU_LABELER     GOLDEN=write writes the golden files anew: read them before a commit
set -u
umask 022
labeler=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
# shellcheck source=tests/lib.sh
. "$here/../lib.sh"

: >"$work/conf"
bus=sys/devices/pci0000:00/0000:00:01.1

# The words in braces that the table has for a path.
paths() {
	sed -e "s|{pf}|$bus/0000:05:00.0|g; s|{vf0}|$bus/0000:05:02.0|g; s|{vf1}|$bus/0000:05:02.1|g" \
		-e "s|{gpu}|$bus/0000:03:00.0|g; s|{audio}|$bus/0000:03:00.1|g; s|{amd}|$bus/0000:05:00.0|g" \
		-e 's|{unsafe}|sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts|g' \
		-e 's|{captured}|lib/modules/6.8.0/modules.captured|g' \
		-e 's|{ban}|etc/modprobe.d/blacklist-amdgpu.conf|g'
}

# Functions stand before what changes files, whatever the order here.
machine() { # tree more
	{
		grep -v '^[flxdm] ' "$1"
		printf '%s\n' "$2" | paths | sed 's/ *;; */\n/g' >"$work/more"
		grep '^function\|^vf ' "$work/more"
		grep '^[flxdm] ' "$1"
		grep -v '^function\|^vf ' "$work/more"
	} >"$work/tree"
	chmod -R u+rwx "$work/root" 2>/dev/null
	rm -rf "$work/root"
	sh "$here/../nodes/unpack.sh" "$work/tree" "$work/root"
}

examine() { # arguments...
	config=$work/conf
	[ ! -f "$work/root/etc/conf" ] || config=$work/root/etc/conf
	status=0
	"$labeler" doctor --config "$config" --root "$work/root" "$@" >"$work/log" 2>"$work/err" || status=$?
}

# The exit status goes by what the report counts.
is_status() { # strict|lenient
	set -- "$1" "$(sed -n 's/^\([0-9]*\) failed, \([0-9]*\) warned.*/\1 \2/p' "$work/log")"
	wanted=0
	[ "$1" = lenient ] || [ "${2#* }" = 0 ] || wanted=1
	[ "${2% *}" = 0 ] || wanted=3
	[ -n "$2" ] && [ "$status" = "$wanted" ] && [ ! -s "$work/err" ]
}

state_of() { # check
	awk -v id="$1" '$2 == id { print tolower($1); found = 1 } END { if (!found) print "absent" }' \
		"$work/log"
}

row() { # check state machine mode more
	machine "$here/$3.tree" "${5:-}"
	examine --mode "$4"
	good=1
	[ "$(state_of "$1")" = "$2" ] && is_status lenient && good=0
	examine --mode "$4" --strict
	is_status strict || good=1
	result "$1 $2, on $3 as $4: $(printf %s "${5:-in order}" | tr -d '\134')" $good
}

# The same machine, read out of a capture of it.
captured() { # arguments...
	rm -f "$work/capture"
	"$labeler" capture --config "$work/conf" --root "$work/root" "$work/capture" &&
		"$labeler" doctor --config "$work/conf" --capture "$work/capture" "$@"
}

grep -v '^ *#\|^$' "$here/states" >"$work/states"
while read -r check state name mode more; do
	row "$check" "$state" "$name" "$mode" "$more"
done <"$work/states"

for tree in "$here"/*.tree "$here"/broken/*.tree; do
	which=${tree#"$here/"}
	golden=${tree%.tree}.golden
	[ -f "$golden" ] || [ "${GOLDEN:-}" = write ] || continue
	machine "$tree" ''
	# shellcheck disable=SC2046 # words
	examine $(sed -n 's/^# flags: //p' "$tree")
	[ "${GOLDEN:-}" != write ] || cp "$work/log" "$golden"
	cause=$(sed -n 's/^# cause: //p' "$tree")
	holds "$which: its status" is_status lenient
	[ -z "$cause" ] || holds "$which: $cause is where to start" grep -q "^start with: $cause$" "$work/log"
	same "$which: what it says" "$golden" "$work/log"
	# shellcheck disable=SC2046 # words
	captured $(sed -n 's/^# flags: //p' "$tree") >"$work/captured"
	same "$which: a capture says the same" "$golden" "$work/captured"
done
# The same in JSON.
machine "$here/broken/audio-left.tree" ''
"$labeler" doctor --config "$work/conf" --root "$work/root" --json >"$work/json"
[ "${GOLDEN:-}" != write ] || cp "$work/json" "$here/broken/audio-left.json"
same 'audio-left.tree: what it says as JSON' "$here/broken/audio-left.json" "$work/json"
finish
