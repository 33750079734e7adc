#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds gpu-labeler as a static executable: the smallest that it can be beside an API server, and all
# that an image needs. Debian's libcurl brings some twenty libraries (LDAP, Kerberos, SSH), which cost
# each agent 3 MiB: this one knows HTTPS and nothing else. What Debian does not ship as a small
# archive is built from the distribution's own source packages. The names of hosts are found in
# /etc/hosts and by DNS: glibc has these two within.
# usage: small.sh       LIBCURL_A=/path/to/libcurl.a small.sh: takes that archive
set -eu
cd "$(dirname "$0")/.."
top=$PWD
cache=$top/build/static-libcurl

build_archive() {
	cmake -S src -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
		-DCMAKE_C_FLAGS="-fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2" \
		-DBUILD_SHARED_LIBS=OFF -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DHTTP_ONLY=ON \
		-DCURL_USE_OPENSSL=ON -DCURL_DISABLE_OPENSSL_AUTO_LOAD_CONFIG=ON \
		-DCURL_ZLIB=OFF -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF -DUSE_NGHTTP2=OFF -DUSE_LIBIDN2=OFF \
		-DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF -DENABLE_UNIX_SOCKETS=OFF \
		-DCURL_DISABLE_ALTSVC=ON -DCURL_DISABLE_HSTS=ON -DCURL_DISABLE_COOKIES=ON \
		-DCURL_DISABLE_NETRC=ON -DCURL_DISABLE_NTLM=ON
	cmake --build build --target libcurl
}

version=$(dpkg-query -W -f '${source:Version}' libcurl4-openssl-dev 2>/dev/null || echo unknown)
archive=${LIBCURL_A:-$cache/$version/build/lib/libcurl.a}
if [ ! -f "$archive" ]; then
	[ -z "${LIBCURL_A:-}" ] ||
		{ echo "small.sh: $LIBCURL_A: there is no such archive" >&2 && exit 1; }
	echo "Building libcurl.a from the source package of curl"
	mkdir -p "$cache/$version"
	( cd "$cache/$version" && sh "$top/deploy/debian-source.sh" curl "$version" && build_archive ) \
		>"$cache/log" 2>&1 || { cat "$cache/log" >&2 && exit 1; }
fi
libpci=$(sh nfd-hook/static.sh --archive)
libkmod=$(sh labeler/static-archive.sh libkmod)
libmicrohttpd=$(sh labeler/static-archive.sh libmicrohttpd)
libdrm=$(sh labeler/static-archive.sh libdrm)
rm -f build/small/CMakeCache.txt # it may remember shared libraries
cmake --preset small -DSTATIC_LIBCURL="$archive" -DSTATIC_LIBPCI="$libpci" \
	-DSTATIC_LIBKMOD="$libkmod" -DSTATIC_LIBDRM="$libdrm" \
	-DSTATIC_LIBMICROHTTPD="$libmicrohttpd" >/dev/null
cmake --build --preset small >"$cache/log" || { cat "$cache/log" >&2 && exit 1; }
strip build/small/labeler/gpu-labeler
echo "$(stat -c %s build/small/labeler/gpu-labeler) bytes: build/small/labeler/gpu-labeler"
