#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds gpu-labeler with a libcurl inside that knows HTTPS and nothing else: Debian's brings some
# twenty libraries (LDAP, Kerberos, SSH), which cost each agent 4 MiB and the image 20. It is built
# from the distribution's own source package; TLS stays the distribution's OpenSSL.
# usage: static-libcurl.sh       LIBCURL_A=/path/to/libcurl.a static-libcurl.sh: takes that archive
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
		{ echo "static-libcurl.sh: $LIBCURL_A: there is no such archive" >&2 && exit 1; }
	echo "Building libcurl.a from the source package of curl"
	mkdir -p "$cache/$version"
	( cd "$cache/$version" && sh "$top/deploy/debian-source.sh" curl "$version" && build_archive ) \
		>"$cache/log" 2>&1 || { cat "$cache/log" >&2 && exit 1; }
fi
cmake --preset small -DSTATIC_LIBCURL="$archive" >/dev/null
cmake --build --preset small >/dev/null
echo "$(stat -c %s build/small/labeler/gpu-labeler) bytes: build/small/labeler/gpu-labeler"
