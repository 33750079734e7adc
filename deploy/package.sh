#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian package below build/package, by debhelper and from deploy/debian: it knows systemd
# units, conffiles and a distribution's rules better than we do. What can be built with is this
# machine's; what is installed is what `cmake --install` installs, the unit and the configuration.
# usage: package.sh [VERSION]      VERSION: another than the changelog's
set -eu
umask 022
cd "$(dirname "$0")/.."
out=$PWD/build/package

sh deploy/packages.sh package
rm -rf "$out"
mkdir -p "$out/source"
tar --exclude=./build --exclude=./.git -c . | tar -x --no-same-owner -C "$out/source"
cd "$out/source"
cp -r deploy/debian debian
cp deploy/systemd/gpu-labeler.service debian/gpu-node-labeler.gpu-labeler.service
# What a build needs is said once, in packages.sh; a C compiler goes without saying.
needs=$(sh deploy/packages.sh --list build | tr ' ' '\n' | grep -vx -e gcc -e libc6-dev | paste -sd,)
sed -i "s/@BUILD@/$needs/" debian/control
[ $# = 0 ] || sed -i "1s/(.*)/($1)/" debian/changelog
dpkg-buildpackage --build=binary --no-sign >"$out/log" 2>&1 || { cat "$out/log" >&2 && exit 1; }
cd "$out"
rm -r source
ls "$out"/gpu-node-labeler_*.deb
