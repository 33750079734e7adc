#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks a source package of the distribution as ./src: fetched and verified by apt with lists of
# its own, so that nothing outside the current directory is changed.
# usage: debian-source.sh SOURCE-PACKAGE VERSION     that version where it is still to be had
set -eu
package=$1 version=$2

# The entries of the machine's sources, asked for source packages.
source_lists() { # directory to write into
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -f "$file" ] || sed -n 's/^deb\([[:space:]]\)/deb-src\1/p' "$file"
	done >"$1/all.list"
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -f "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"$1/$(basename "$file")"
	done
}

mkdir -p apt/sources apt/lists/partial
source_lists apt/sources
set -- -q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$PWD/apt/sources" \
	-o "Dir::State::Lists=$PWD/apt/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
[ "$(id -u)" != 0 ] || set -- "$@" -o APT::Sandbox::User=root
apt-get "$@" update || true # another repository may fail: what counts is whether the source comes
rm -rf src ./*.dsc
apt-get "$@" source --only-source --download-only "$package=$version" ||
	apt-get "$@" source --only-source --download-only "$package"
dpkg-source --no-check -x ./*.dsc src
