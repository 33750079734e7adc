#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# explain at its command line: what it says of described machines is as in tests/cli/explain, and of
# every machine the same labels as detect's, each with its reasons.
# usage: explain.sh GPU_LABELER
set -u
labeler=$(realpath "$1")
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
# shellcheck source=tests/lib.sh
. "$here/lib.sh"

unpack() { # machine
	[ ! -d "$work/root" ] || chmod -R u+rwx "$work/root"
	rm -rf "$work/root"
	sh "$here/nodes/unpack.sh" "$here/nodes/$1/tree" "$work/root"
}

# The first line of each file is the machine and the arguments.
for file in "$here"/cli/explain/*; do
	read -r _ machine arguments <"$file"
	unpack "$machine"
	sed 1d "$file" >"$work/expected"
	# shellcheck disable=SC2086
	"$labeler" explain --root "$work/root" $arguments >"$work/got" 2>"$work/err"
	# versions of json-c write an empty list on one line or on two
	sed -z -i 's/\[\n *\]/[]/g' "$work/expected" "$work/got"
	same "explain says $(basename "$file")" "$work/expected" "$work/got"
done

# Each label of detect and no other is there; each absent one has its reason; a label explained alone
# names as many functions as its line says.
for machine in "$here"/nodes/*/; do
	[ -f "$machine/tree" ] || continue
	[ ! -f "$machine/exit" ] || continue
	unpack "$(basename "$machine")"
	"$labeler" detect --root "$work/root" >"$work/labels" 2>/dev/null
	"$labeler" explain --root "$work/root" >"$work/lines" 2>"$work/err"
	status=$?
	sed -n 's/^\([^ ]*=[^ ]*\): .*/\1/p' "$work/lines" >"$work/there"
	diff "$work/labels" "$work/there" >"$work/out" && [ $status = 0 ] &&
		! grep -v -e '^[^ ]*=' -e '^[^ ]*: absent: .' "$work/lines" >>"$work/out"
	result "explain knows each label of $(basename "$machine")" $?
	"$labeler" detect --root "$work/root" --format inventory >"$work/inventory"
	"$labeler" explain --inventory "$work/inventory" >"$work/replayed" 2>"$work/err"
	same "and its inventory says the same" "$work/lines" "$work/replayed"
done

unpack radeon-audio-left
status=0
"$labeler" explain --root "$work/root" --format yaml 2>"$work/err" >"$work/out" || status=$?
holds "another format is bad usage" [ "$status" = 2 ]
holds "that is told" grep -q 'is neither text nor json' "$work/err"
status=0
"$labeler" explain --root "$work/root" a b 2>"$work/err" >"$work/out" || status=$?
holds "two labels are, too" [ "$status" = 2 ]
status=0
"$labeler" explain --root "$work/root" amd.com/gpu.mode >/dev/full 2>"$work/err" || status=$?
holds "a full standard output is an error" [ "$status" = 1 ]
finish
