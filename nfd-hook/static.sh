#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds gpu-nfd-hook as a static executable, for NFD's image that holds nothing else. Debian ships
# no libpci.a, so it is built from the distribution's own source package.
# usage: static.sh [--archive]      --archive: builds libpci.a alone, and prints where it is
#        LIBPCI_A=/path/to/libpci.a static.sh: takes that archive instead
set -eu
cd "$(dirname "$0")/.."
top=$PWD
cache=$top/build/static-libpci

# zlib, DNS, hwdb and libkmod serve names and lspci alone.
build_archive() {
	make -C src SHARED=no ZLIB=no DNS=no HWDB=no LIBKMOD=no IDSDIR=/usr/share/misc \
		OPT="-O2 -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2 -g" lib/libpci.a
}

version=$(dpkg-query -W -f '${source:Version}' libpci-dev 2>/dev/null || echo unknown)
archive=${LIBPCI_A:-$cache/$version/src/lib/libpci.a}
if [ ! -f "$archive" ]; then
	[ -z "${LIBPCI_A:-}" ] || { echo "static.sh: $LIBPCI_A: there is no such archive" >&2 && exit 1; }
	echo "Building libpci.a from the source package of pciutils" >&2
	mkdir -p "$cache/$version"
	( cd "$cache/$version" && sh "$top/deploy/debian-source.sh" pciutils "$version" && build_archive ) \
		>"$cache/log" 2>&1 || { cat "$cache/log" >&2 && exit 1; }
fi
if [ "${1:-}" = --archive ]; then
	echo "$archive"
	exit 0
fi
cmake --preset static -DSTATIC_LIBPCI="$archive" >/dev/null
cmake --build --preset static >/dev/null
strip build/static/nfd-hook/gpu-nfd-hook
file build/static/nfd-hook/gpu-nfd-hook
echo "$(stat -c %s build/static/nfd-hook/gpu-nfd-hook) bytes"
