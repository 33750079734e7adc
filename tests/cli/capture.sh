#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# capture and --capture: an archive holds all that the program reads of a machine, and nothing else;
# it says the same as the machine itself, packed or unpacked; and what a stranger made is refused.
# usage: capture.sh GPU_LABELER
set -u
labeler=$(realpath "$1")
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
# shellcheck source=tests/lib.sh
. "$here/lib.sh"
mkdir "$work/tmp"
TMPDIR=$work/tmp
export TMPDIR

fresh() { # directory, which may hold what its user may not remove
	[ ! -d "$1" ] || chmod -R u+rwx "$1"
	rm -rf "$1"
}

unpack() { # machine
	fresh "$work/root"
	sh "$here/nodes/unpack.sh" "$here/nodes/$1/tree" "$work/root"
}

inventory() { # file arguments...
	out=$1
	shift
	"$labeler" detect --format inventory "$@" >"$out" 2>&1
}

for machine in "$here"/nodes/*/; do
	[ -f "$machine/tree" ] || continue
	[ ! -f "$machine/exit" ] || continue
	unpack "$(basename "$machine")"
	fresh "$work/untarred"
	fresh "$work/made"
	mkdir -p "$work/untarred/sys"
	inventory "$work/expected" --root "$work/root"
	"$labeler" capture --root "$work/root" "$work/tar" 2>"$work/err" &&
		inventory "$work/got" --capture "$work/tar" &&
		cmp "$work/expected" "$work/got" >"$work/out" &&
		tar -xf "$work/tar" -C "$work/untarred" 2>>"$work/out" &&
		inventory "$work/got" --root "$work/untarred" &&
		cmp "$work/expected" "$work/got" >>"$work/out"
	result "packed and unpacked, $(basename "$machine") says the same" $?
done
"$labeler" capture --root "$work/untarred" "$work/again" 2>"$work/err"
holds "what was captured gives the same archive" cmp "$work/tar" "$work/again"
"$labeler" detect --capture - --format inventory <"$work/again" >"$work/got"
same "standard input is read" "$work/expected" "$work/got"
"$labeler" capture --root "$work/untarred" - >"$work/again"
holds "and standard output written" cmp "$work/tar" "$work/again"

# A described machine from an archive, by one command.
for machine in mi300x-sriov card-half-known radeon-audio-left; do
	unpack $machine
	"$labeler" capture --root "$work/root" "$work/tar"
	fresh "$work/made"
	fresh "$work/copy"
	inventory "$work/expected" --root "$work/root"
	sh "$here/nodes/from-capture.sh" "$labeler" "$work/tar" "$work/made" >"$work/out" 2>&1 &&
		sh "$here/nodes/unpack.sh" "$work/made/tree" "$work/copy" &&
		cmp "$here/nodes/$machine/expected" "$work/made/expected" >>"$work/out" &&
		inventory "$work/got" --root "$work/copy" &&
		cmp "$work/expected" "$work/got" >>"$work/out"
	result "$machine is described by its capture" $?
done

# What is nobody's business. The word stands in all that a curious program would have found.
unpack card-mi300x-whole
device=$work/root/sys/bus/pci/devices/0000:05:00.0
mkdir -p "$work/root/etc/modprobe.d" "$work/root/proc" "$work/root/sys/class/net/eth0" \
	"$work/root/sys/class/dmi/id" "$work/root/root/.kube"
for file in sys/class/net/eth0/address sys/class/dmi/id/product_serial etc/machine-id etc/hostname \
	etc/passwd root/.kube/config proc/cpuinfo etc/modprobe.d/hidden~; do
	echo secret-word >"$work/root/$file"
done
echo secret-word >"$device/serial_number"
echo secret-word >"$device/unique_id"
echo secret-word >"$device/vpd"
find "$work/root/sys" -type d -exec sh -c 'echo secret-word >"$1/found-by-chance"' _ {} \;
echo 'ro root=UUID=secret-word intel_iommu=on token=secret-word' >"$work/root/proc/cmdline"
printf 'options wifi key=secret-word\nblacklist amdgpu\n' >"$work/root/etc/modprobe.d/a.conf"
id=1234567890123456789
for file in "$work"/root/sys/class/kfd/kfd/topology/nodes/*/properties; do
	echo "unique_id $id" >>"$file"
done
"$labeler" capture --root "$work/root" "$work/tar" 2>"$work/err"
holds "no secret of the machine is in it" [ "$(grep -ac secret-word "$work/tar")" = 0 ]
holds "no unique id is" [ "$(grep -ac "$id" "$work/tar")" = 0 ]
holds "but its hash" grep -aq 'unique_id [0-9]' "$work/tar"
holds "and what concerns GPUs" grep -aq 'intel_iommu=on' "$work/tar"
holds "such as a module that is kept away" grep -aq 'blacklist amdgpu' "$work/tar"
inventory "$work/expected" --root "$work/root"
inventory "$work/got" --capture "$work/tar"
same "the rest is all there" "$work/expected" "$work/got"
tar -tvf "$work/tar" | grep -v '^[-dl][-rwx]* 0/0  *[0-9]* 1970-01-01 00:00 ' >"$work/out"
holds "no owner and no time is" [ ! -s "$work/out" ]

# ---- what a stranger made ----

# One line on stderr that holds the text, nothing on stdout, nothing left behind.
refused() { # text, of the archive at $work/evil
	status=0
	"$labeler" detect --capture "$work/evil" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ "$status" = 1 ] && [ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" = 1 ] &&
		grep -qF -e "$1" "$work/err" && [ -z "$(ls -A "$work/tmp")" ]
	result "refused: $1" $?
}

# An archive of $work/evil.d, by GNU tar in the form that a capture has.
pack() { # arguments of tar
	rm -f "$work/evil"
	tar --format=gnu -cf "$work/evil" -C "$work/evil.d" "$@"
}

evil() { # a new, empty $work/evil.d
	fresh "$work/evil.d"
	mkdir -p "$work/evil.d/sys"
}

evil
: >"$work/evil"
refused 'ends in the middle'
head -c 4096 /dev/urandom >"$work/evil"
refused 'is no tar archive'
head -c 1024 /dev/zero >"$work/evil"
refused 'is empty'
cp "$work/tar" "$work/evil"
gzip -nf "$work/evil" && mv "$work/evil.gz" "$work/evil"
refused 'is no tar archive'
for length in 100 512 5000 $(($(wc -c <"$work/tar") - 1024)); do
	head -c "$length" "$work/tar" >"$work/evil"
	refused 'ends in the middle'
done
cp "$work/tar" "$work/evil"
printf X | dd of="$work/evil" bs=1 seek=20 conv=notrunc 2>/dev/null
refused 'or a damaged one'

echo x >"$work/evil.d/sys/x"
pack -P --transform='s|^sys/x$|sys/../../evil|' sys/x
refused 'its path leads out of the archive'
pack -P --transform="s|^sys/x\$|$work/escaped|" sys/x
refused 'its path leads out of the archive'
pack --transform='s|^sys/x$|home/x|' sys/x
refused 'home/x: is no part of a capture'
deep=sys$(printf '/d%.0s' $(seq 60))
pack --transform="s|^sys/x\$|$deep|" sys/x
refused 'is too deep'
esc=$(printf '\033')
pack --transform="s|^sys/x\$|home/${esc}[2J|" sys/x
refused 'home/?[2J: is no part'
long=$(printf 'n%.0s' $(seq 300))
pack --transform="s|^sys/x\$|sys/$long|" sys/x
refused 'its path leads out of the archive'
pack --hard-dereference sys/x sys/x
refused 'sys/x: stands there twice'
ln "$work/evil.d/sys/x" "$work/evil.d/sys/y"
pack sys/x sys/y
refused 'neither a file, a directory nor a symbolic link'
mkfifo "$work/evil.d/sys/fifo"
pack sys/fifo
refused 'neither a file, a directory nor a symbolic link'
tar --format=pax --pax-option=comment=x -cf "$work/evil" -C "$work/evil.d" sys/x
refused 'neither a file, a directory nor a symbolic link'

for target in /etc ../.. ../../etc a/../../../etc ../sys/../../etc . ..; do
	evil
	ln -s "$target" "$work/evil.d/sys/link"
	pack sys/link
	refused 'sys/link: is a link that could lead out'
done
evil
ln -s real "$work/evil.d/sys/link"
mkdir "$work/evil.d/sys/real" "$work/evil.d/other"
echo x >"$work/evil.d/other/x"
pack --transform='s|^other/x$|sys/link/x|' sys/real sys/link other/x
refused 'the directory above it is a file or a link'
echo x >"$work/evil.d/sys/file"
pack --transform='s|^other/x$|sys/file/x|' sys/file other/x
refused 'the directory above it is a file or a link'

evil
head -c 65537 /dev/zero >"$work/evil.d/sys/huge"
pack sys/huge
refused 'sys/huge: is larger than anything'
truncate -s 1G "$work/evil.d/sys/hole"
pack -S sys/hole
refused 'neither a file, a directory nor a symbolic link'
truncate -s 257M "$work/evil"
refused 'is larger than 256 MiB'
rm "$work/evil"
refused 'cannot be read'
holds "nothing was written outside" [ ! -e "$work/escaped" ]

# ---- bad usage ----

bad() { # status text command...
	wanted=$1 text=$2
	shift 2
	status=0
	"$labeler" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ "$status" = "$wanted" ] && [ "$(wc -l <"$work/err")" = 1 ] && [ ! -s "$work/out" ] &&
		grep -qF -e "$text" "$work/err"
	result "$1: $text" $?
}

bad 2 'FILE: it is missing' capture --root "$work/root"
bad 2 'nothing to do with this argument' capture a b
bad 2 'leave --root and --sysfs away' detect --capture "$work/tar" --root /
bad 2 'one of them is enough' detect --capture "$work/tar" --inventory x
bad 1 'cannot be written' capture --root "$work/root" /nonexistent/x
bad 1 'cannot open /nonexistent' capture --root /nonexistent "$work/x"
holds "a failed capture leaves no file" [ ! -e "$work/x" ]
status=0
"$labeler" capture --root "$work/root" - >/dev/full 2>"$work/err" || status=$?
holds "a full standard output is an error" [ "$status" = 1 ]
TMPDIR=/nonexistent bad 1 'set TMPDIR' detect --capture "$work/tar"
finish
