#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# prepare.sh [--install] AGENT
#
# Makes what run.sh boots, below build/kernel: Debian's own kernel, unpacked and never installed,
# the guest's modules built for it, and an initramfs with busybox, vfio, AGENT and its libraries,
# and the guest's scripts. The kernel is fetched once for each of its versions.
#
# --install installs what is missing on this machine (qemu, kmod, xz, a compiler).
# Prints the directory that holds vmlinux and initramfs. Exit code 77: it cannot be had here.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/build/kernel
install=false
jobs=2

say() {
	printf 'prepare: %s\n' "$*" >&2
}

skip() {
	printf '%s\n' \
		'****************************************************************' \
		"SKIPPED: tests on a real kernel: $*" \
		'****************************************************************' >&2
	exit 77
}

while [ $# -gt 1 ]; do
	case $1 in
	--install) install=true ;;
	*) break ;;
	esac
	shift
done
if [ $# -ne 1 ] || [ ! -x "$1" ]; then
	echo "usage: prepare.sh [--install] AGENT" >&2
	exit 2
fi
agent=$1

# --- the tools of this machine ---

have() {
	command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]
}

tools() { # <program> <package>
	cat <<-'END'
		qemu-system-x86_64 qemu-system-x86
		depmod kmod
		xz xz-utils
		make make
		gcc gcc
	END
}

missing_packages() {
	tools | while read -r program package; do
		have "$program" || printf '%s ' "$package"
	done
}

PATH=$PATH:/usr/sbin:/sbin
if ! have apt-get || ! have dpkg-deb; then
	skip 'this machine has no apt'
fi
[ "$(dpkg --print-architecture)" = amd64 ] || skip 'the guest is an amd64 machine, this is none'
missing=$(missing_packages)
if [ -n "$missing" ] && $install; then
	say "installing $missing"
	# shellcheck disable=SC2086 # a list
	{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
		apt-get -qq install -y --no-install-recommends $missing; } >&2 || :
	missing=$(missing_packages)
fi
[ -z "$missing" ] || skip "not installed: $missing(prepare.sh --install does it)"

# --- the kernel, by version ---

first_dependency() { # <package> <pattern>
	apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *Depends: \($2\)\$/\1/p" | head -n 1
}

# Image and headers are of one version, so that the modules fit; an older version is soon gone from
# the mirrors. What the packages are called is asked of apt each time.
name_packages() {
	image=$(first_dependency linux-image-amd64 'linux-image-[0-9].*')
	abi=${image#linux-image-}
	version=$(apt-cache policy "$image" 2>/dev/null | sed -n 's/^ *Candidate: //p')
	headers=linux-headers-$abi
	common=$(first_dependency "$headers" 'linux-headers-.*-common')
	kbuild=$(first_dependency "$headers" 'linux-kbuild-.*')
	[ -n "$image" ] && [ -n "$version" ] && [ -n "$common" ] && [ -n "$kbuild" ]
}

download() {
	# apt's own user may not write here
	apt-get -qq -o APT::Sandbox::User=root download "$image=$version" "$headers=$version" \
		"$common=$version" "$kbuild" busybox-static >&2
}

# A bzImage names the place of the compressed kernel in its header.
number_at() { # <file> <offset> <bytes>
	od -An -tu"$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

unpack_kernel() { # <bzImage> <vmlinux>
	start=$((($(number_at "$1" 497 1) + 1) * 512 + $(number_at "$1" 584 4)))
	length=$(number_at "$1" 588 4)
	case $(od -An -tx1 -j "$start" -N 4 "$1" | tr -d ' ') in
	fd377a58) unpack='xz -dc --single-stream' ;;
	28b52ffd) unpack='zstd -dcq' ;;
	02214c18) unpack='lz4 -dcq' ;;
	1f8b*) unpack='gzip -dc' ;;
	*) skip "$image: its compression is not known here" ;;
	esac
	# The size of the kernel stands behind the compressed data, where the program stumbles on it.
	tail -c +$((start + 1)) "$1" | head -c "$length" | { $unpack 2>/dev/null || :; } >"$2"
	[ "$(head -c 4 "$2" | tr -d '\177')" = ELF ] || skip "$image: no vmlinux in it"
}

# The headers include each other by the path that they are installed at; make starts beside them.
make_relocatable() { # <tree>
	sed -i "s|/usr/src/|../|" "$1/usr/src/$headers/Makefile"
}

unpack_packages() { # <directory>
	for deb in "$1"/debs/*.deb; do
		case ${deb##*/} in
		linux-image-*) # a tenth of it; not every version has every directory
			dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$1/tree" --wildcards \
				'./boot/vmlinuz-*' './lib/modules/*/modules.*' \
				'./lib/modules/*/kernel/drivers/vfio/*' \
				'./lib/modules/*/kernel/drivers/iommu/*' \
				'./lib/modules/*/kernel/virt/*' 2>/dev/null || :
			;;
		*) dpkg-deb -x "$deb" "$1/tree" ;;
		esac
	done
}

# Complete or not there at all.
fetch_kernel() { # <directory>
	say "fetching $image $version"
	rm -rf "$1.new"
	mkdir -p "$1.new/debs" "$1.new/tree"
	if ! { (cd "$1.new/debs" && download) &&
		unpack_packages "$1.new" &&
		unpack_kernel "$1.new/tree/boot/vmlinuz-$abi" "$1.new/vmlinux" &&
		make_relocatable "$1.new/tree" &&
		depmod -b "$1.new/tree" "$abi" &&
		printf '%s\n' "$abi" >"$1.new/abi"; }; then
		rm -rf "$1.new"
		return 1
	fi
	rm -rf "$1.new/debs"
	# The only version that is kept.
	find "$cache" -mindepth 1 -maxdepth 1 -name 'linux-*' ! -name "${1##*/}.new" \
		-exec rm -rf {} +
	mv "$1.new" "$1"
}

newest_kept() {
	find "$cache" -mindepth 2 -maxdepth 2 -path '*/linux-*/abi' 2>/dev/null | sort -V | tail -n 1
}

get_kernel() {
	name_packages || return 1
	kernel=$cache/linux-${abi}_$version
	[ -e "$kernel/abi" ] || fetch_kernel "$kernel"
}

mkdir -p "$cache"
# Lists that are missing or old name what is not there.
if ! get_kernel && ! { apt-get -qq update >&2 && get_kernel; }; then
	kernel=
fi
if [ -z "$kernel" ]; then
	kept=$(newest_kept)
	[ -n "$kept" ] || skip 'apt has no kernel for us, and none was kept'
	kernel=${kept%/abi}
	say "apt has no kernel for us: using the one kept in ${kernel##*/}"
fi
abi=$(cat "$kernel/abi")
tree=$kernel/tree

# --- the guest's own programs ---

build_modules() {
	mkdir -p "$kernel/modules/drivers"
	cp -u "$here"/guest/Kbuild "$here"/guest/*.c "$kernel/modules/"
	cp -u "$here"/guest/drivers/* "$kernel/modules/drivers/"
	rm -f "$kernel/modules/uemon.c"
	make -s -j "$jobs" -C "$tree/usr/src/linux-headers-$abi" M="$kernel/modules" modules \
		>"$kernel/modules.log" 2>&1 || {
		cat "$kernel/modules.log" >&2
		exit 1
	}
	if grep 'warning:' "$kernel/modules.log" >&2; then
		exit 1
	fi
}

build_uemon() {
	[ -n "$(find "$kernel/uemon" -newer "$here/guest/uemon.c" 2>/dev/null)" ] ||
		gcc -std=gnu17 -O2 -Wall -Wextra -Werror -static -o "$kernel/uemon" \
			"$here/guest/uemon.c"
}

build_modules
build_uemon

# --- the initramfs ---

# In the order that insmod wants them.
vfio_modules() {
	for module in vfio_iommu_type1 vfio-pci; do
		modprobe -d "$tree" -S "$abi" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# Unpacked, under the number of its turn.
copy_vfio() { # <directory>
	n=10
	for module in $(vfio_modules); do
		name=${module##*/}
		case $name in
		*.xz) xz -dc "$module" >"$1/$n-${name%.xz}" ;;
		*) cp "$module" "$1/$n-$name" ;;
		esac
		n=$((n + 1))
	done
}

# The libraries of a program, and the loader that it names, at the paths where it looks for them.
copy_with_libraries() { # <program> <path in root>
	cp "$1" "$root$2"
	{ ldd "$1" 2>/dev/null || :; } | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$root${library%/*}"
		cp -L "$library" "$root$library"
	done
}

index_modules() { # <directory> <module>...
	mkdir -p "$scratch/lib/modules/$abi/kernel" "$root/$1"
	index=$scratch/lib/modules/$abi
	into=$root/$1
	shift
	for module; do
		name=${module##*/}
		cp "$module" "$index/kernel/${name#[0-9][0-9]-}"
	done
	cp "$tree/lib/modules/$abi"/modules.builtin* "$index/"
	: >"$index/modules.order"
	depmod -b "$scratch" "$abi"
	mv "$index" "$into/$abi"
}

root=$kernel/root
scratch=$kernel/scratch
rm -rf "$scratch"
busybox=$(find "$tree/bin" "$tree/usr/bin" -name busybox 2>/dev/null | head -n 1)
rm -rf "$root"
mkdir -p "$root/bin" "$root/modules/vfio" "$root/scenarios" "$root/etc"
cp "$busybox" "$kernel/uemon" "$root/bin/"
copy_vfio "$root/modules/vfio"
for module in gpuid gim amdgpu i915; do
	cp "$kernel/modules/$module.ko" "$root/modules/"
done
cp "$here/guest/init" "$root/init"
cp "$here/guest/steps.sh" "$here/guest/labels.sh" "$here/guest/checks.sh" "$root/"
cp "$here"/guest/scenarios/*.sh "$root/scenarios/"
chmod 755 "$root/init"
copy_with_libraries "$agent" /bin/gpu-labeler
# libkmod is loaded where it is asked for, so no program names it.
libkmod=$({ ldconfig -p 2>/dev/null || :; } | sed -n 's/.*libkmod\.so\.2 .*x86-64.*=> //p' | head -n 1)
[ -z "$libkmod" ] || { mkdir -p "$root${libkmod%/*}" && copy_with_libraries "$libkmod" "$libkmod"; }
# What modprobe would find on this machine; once more without vfio-pci, as a kernel may be packed.
index_modules "lib/modules" "$root"/modules/vfio/*.ko
index_modules "lib/modules.without" "$root"/modules/vfio/*vfio.ko "$root"/modules/vfio/*type1.ko
(cd "$root" && find . | LC_ALL=C sort | "$busybox" cpio -o -H newc 2>/dev/null) \
	>"$kernel/initramfs"
say "$abi, initramfs of $(($(wc -c <"$kernel/initramfs") / 1024)) KiB"
printf '%s\n' "$kernel"
