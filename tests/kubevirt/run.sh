#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kubevirt on described machines: what it prints is what stands in golden/MACHINE, in every format.
# usage: run.sh GPU_LABELER            GOLDEN=write writes the files anew: read them before a commit
#        run.sh --types GPU_LABELER    every text is decoded strictly into KubeVirt's published types
# Exit status: 0, 1 failed, 77 where --types can't be had here (says why)
set -u
types=
if [ "$1" = --types ]; then
	types=yes
	shift
fi
labeler=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/lib.sh
. "$here/../lib.sh"
: >"$work/conf"

build_checker() {
	# shellcheck source=tests/go.sh
	. "$here/../go.sh"
	cd "$here" || exit 1
	go_fetch_modules .
	nice go build -trimpath -o "$work/checker" . >&2 || exit 1
}

print() { # machine arguments...
	tree=$work/$1
	[ -d "$tree" ] || sh "$here/../nodes/unpack.sh" "$here/../nodes/$1/tree" "$tree"
	shift
	"$labeler" kubevirt --config "$work/conf" --root "$tree" "$@" 2>"$work/err"
}

is_of_types() { # file
	"$work/checker" <"$1" >"$work/out" 2>&1
}

is_refused() { # file
	! is_of_types "$1"
}

# What the types refuse, so that we know that they can.
check_types_refuse() {
	print mi300x-sriov >"$work/good"
	sed 's/resourceName:/resourceNames:/' "$work/good" >"$work/bad"
	holds 'a field that KubeVirt has not is refused' is_refused "$work/bad"
	sed 's/cores: 4/cores: four/' "$work/good" >"$work/bad"
	holds 'a value of another type is refused' is_refused "$work/bad"
	sed 's/hostDevices:/hostdevice:/' "$work/good" >"$work/bad"
	holds 'a list that KubeVirt has not is refused' is_refused "$work/bad"
}

one() { # machine name arguments...
	machine=$1 golden=$here/golden/$2
	shift 2
	if [ -n "$types" ]; then
		for format in yaml json; do
			print "$machine" "$@" --format $format >"$work/log"
			holds "$machine $* as $format: KubeVirt's types take it" is_of_types "$work/log"
		done
		return
	fi
	print "$machine" "$@" >"$work/log"
	cat "$work/err" >>"$work/log"
	if [ "${GOLDEN:-}" = write ]; then
		mkdir -p "$here/golden"
		cp "$work/log" "$golden"
	fi
	same "$machine $*" "$golden" "$work/log"
}

[ -z "$types" ] || build_checker
one mi300x-sriov vf.yaml
one mi300x-sriov vf.json --format json
one mi300x-sriov vf-patch.json --format json --patch
one mi300x-sriov vf-patch.yaml --patch
one two-pf-ids two-ids.yaml
one intel-vf intel.yaml --as gpus
one intel-xe-vfio variant.yaml --provider kubevirt
one amd-and-intel both.yaml --provider kubevirt
one radeon-audio-left not-viable.yaml
one mi300x-sriov vf-0x.yaml --device-id-format 0x
if [ -n "$types" ]; then
	check_types_refuse
else
	one mi300x-container nothing.txt
fi
finish
