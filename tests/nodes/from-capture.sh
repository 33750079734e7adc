#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A described machine from what gpu-labeler capture wrote:
# usage: from-capture.sh GPU_LABELER CAPTURE MACHINE
#
# writes MACHINE/tree (see unpack.sh) and MACHINE/expected, the labels as they are now: read them
# before they are believed.
set -eu
labeler=$1
capture=$2
mkdir -p "$3"
machine=$(realpath "$3")
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
mkdir "$work/root"

# The program's own reader refuses what is no capture, before tar sees it.
"$labeler" detect --capture "$capture" --format labels >"$machine/expected"
tar -xf "$capture" -C "$work/root"

# The content of a file as printf's %b has it.
escaped() {
	od -An -v -to1 "$1" | awk '
	BEGIN { for (i = 32; i < 127; i++) char[sprintf("%03o", i)] = sprintf("%c", i); delete char["134"]; char["012"] = "\\n" }
	{ for (i = 1; i <= NF; i++) printf "%s", $i in char ? char[$i] : "\\0" $i }'
}

describe() { # path
	if [ -h "$1" ]; then
		echo "l $1 $(readlink "$1")"
	elif [ -d "$1" ]; then
		[ -n "$(ls -A "$1")" ] || echo "d $1"
	elif [ -n "$(find "$1" -perm 000)" ]; then
		printf 'f %s\nm %s 000\n' "$1" "$1"
	else
		printf 'f %s %s\n' "$1" "$(escaped "$1")"
	fi
}

cd "$work/root"
find . -mindepth 1 | sed 's|^\./||' | LC_ALL=C sort >"$work/paths"
if grep -q '[[:blank:]]' "$work/paths"; then
	echo "from-capture.sh: a name holds a blank, which no described machine can have" >&2
	exit 1
fi
{
	echo "# From a capture: what a node showed to gpu-labeler"
	while read -r path; do
		describe "$path"
	done <"$work/paths"
} >"$machine/tree"
