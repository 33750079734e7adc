#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds gpu-nfd-hook as a static executable, for NFD's image that holds nothing else. Debian ships
# no libpci.a, so it is built from the distribution's own source package, fetched and verified by
# apt with lists of its own: nothing outside build/ is changed.
# usage: static.sh       LIBPCI_A=/path/to/libpci.a static.sh: takes that archive instead
set -eu
cd "$(dirname "$0")/.."
cache=$PWD/build/static-libpci

# The entries of the machine's sources, asked for source packages.
source_lists() { # directory to write into
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -f "$file" ] || sed -n 's/^deb\([[:space:]]\)/deb-src\1/p' "$file"
	done >"$1/all.list"
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -f "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"$1/$(basename "$file")"
	done
}

fetch_pciutils() { # into the current directory, unpacked as ./src
	mkdir -p apt/sources apt/lists/partial
	source_lists apt/sources
	set -- -q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$PWD/apt/sources" \
		-o "Dir::State::Lists=$PWD/apt/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
	[ "$(id -u)" != 0 ] || set -- "$@" -o APT::Sandbox::User=root
	apt-get "$@" update || true # another repository may fail: what counts is whether the source comes
	rm -rf src ./*.dsc
	# The version of the installed header, where it is still to be had.
	apt-get "$@" source --only-source --download-only "pciutils=$version" ||
		apt-get "$@" source --only-source --download-only pciutils || return 1
	dpkg-source --no-check -x ./*.dsc src
}

# zlib, DNS, hwdb and libkmod serve names and lspci alone.
build_archive() {
	make -C src SHARED=no ZLIB=no DNS=no HWDB=no LIBKMOD=no \
		OPT="-O2 -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2 -g" lib/libpci.a
}

version=$(dpkg-query -W -f '${source:Version}' libpci-dev 2>/dev/null || echo unknown)
archive=${LIBPCI_A:-$cache/$version/src/lib/libpci.a}
if [ ! -f "$archive" ]; then
	[ -z "${LIBPCI_A:-}" ] || { echo "static.sh: $LIBPCI_A: there is no such archive" >&2 && exit 1; }
	echo "Building libpci.a from the source package of pciutils"
	mkdir -p "$cache/$version"
	( cd "$cache/$version" && fetch_pciutils && build_archive ) >"$cache/log" 2>&1 ||
		{ cat "$cache/log" >&2 && exit 1; }
fi
cmake --preset static -DSTATIC_LIBPCI="$archive" >/dev/null
cmake --build --preset static >/dev/null
strip build/static/nfd-hook/gpu-nfd-hook
file build/static/nfd-hook/gpu-nfd-hook
echo "$(stat -c %s build/static/nfd-hook/gpu-nfd-hook) bytes"
