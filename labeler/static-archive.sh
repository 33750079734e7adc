#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds a static library that Debian does not ship, or not as small, from the distribution's own
# source package, and prints where it is.
# usage: static-archive.sh libkmod|libdrm|libmicrohttpd
set -eu
cd "$(dirname "$0")/.."
top=$PWD
flags="-O2 -fPIE -ffunction-sections -D_GNU_SOURCE -fstack-protector-strong -fstack-clash-protection"
flags="$flags -D_FORTIFY_SOURCE=2 -w"

# Into one object of the archive $archive; what no caller of the library sees keeps its name to itself.
compile() { # public-names source-file...
	public=$1
	shift
	rm -f ./*.o
	for file; do
		# shellcheck disable=SC2086
		cc $flags -c "$file" -o "$(basename "$file" .c).o" || return
	done
	ld -r -o all.o ./*.o && objcopy -w --keep-global-symbol="$public" all.o &&
		ar rcs "$archive" all.o
}

# The module file's version is all that is asked for: compressed ones are read, signatures are not.
# Like libdrm's, its own build system knows shared libraries only.
libkmod() {
	flags="$flags -std=gnu11 -I. -Ishared -DENABLE_XZ -DENABLE_ZSTD -DHAVE_DECL_STRNDUPA=1"
	flags="$flags -DHAVE_DECL_BE32TOH=1 -DHAVE_SECURE_GETENV=1 -DHAVE_STATIC_ASSERT=1"
	flags="$flags -DHAVE___BUILTIN_CLZ=1 -DHAVE___BUILTIN_TYPES_COMPATIBLE_P=1"
	flags="$flags -DHAVE___BUILTIN_UADDL_OVERFLOW=1 -DHAVE___BUILTIN_UADDLL_OVERFLOW=1"
	flags="$flags -DDISTCONFDIR=\"/usr/lib\" -DMODULE_DIRECTORY=\"/lib/modules\" -DHAVE_DECL_BASENAME=1"
	flags="$flags -DSYSCONFDIR=\"/etc\" -DPACKAGE=\"libkmod\" -DVERSION=\"$version\" -DKMOD_FEATURES=\"\""
	# From version 34 on these are asked for their value, before for being there.
	[ ! -f meson.build ] || flags="$flags -DENABLE_LOGGING=0 -DENABLE_DEBUG=0 -DENABLE_ELFDBG=0"
	rm -f libkmod/libkmod-file-zlib.c # no distribution's modules are .gz
	compile 'kmod_*' libkmod/*.c shared/*.c
}

libdrm() {
	python3 gen_table_fourcc.py include/drm/drm_fourcc.h generated_static_table_fourcc.h || return
	flags="$flags -std=gnu11 -I. -Iinclude -Iinclude/drm -Iamdgpu -DHAVE_LIBDRM_ATOMIC_PRIMITIVES=1"
	flags="$flags -DMAJOR_IN_SYSMACROS=1 -DHAVE_OPEN_MEMSTREAM=1 -DHAVE_SECURE_GETENV=1"
	flags="$flags -DHAVE_VISIBILITY=1 -DAMDGPU_ASIC_ID_TABLE=\"/usr/share/libdrm/amdgpu.ids\""
	compile 'amdgpu_*' xf86drm*.c amdgpu/*.c
}

# HTTP for a few pages: Debian's brings GnuTLS.
libmicrohttpd() {
	./configure --quiet --disable-shared --enable-static --with-pic --disable-https --disable-doc \
		--disable-examples --disable-curl --disable-nls --disable-bauth --disable-dauth \
		--disable-postprocessor --disable-httpupgrade CFLAGS="$flags" &&
		make -C src/microhttpd libmicrohttpd.la && cp src/microhttpd/.libs/libmicrohttpd.a "$archive"
}

case ${1:-} in
libkmod) source=kmod package=libkmod-dev ;;
libdrm) source=libdrm package=libdrm-dev ;;
libmicrohttpd) source=libmicrohttpd package=libmicrohttpd-dev ;;
*) echo "usage: static-archive.sh libkmod|libdrm|libmicrohttpd" >&2 && exit 2 ;;
esac
version=$(dpkg-query -W -f '${source:Version}' "$package" 2>/dev/null || echo unknown)
cache=$top/build/static-$1
archive=$cache/$version/$1.a
if [ ! -f "$archive" ]; then
	echo "Building $1.a from the source package of $source" >&2
	mkdir -p "$cache/$version"
	(cd "$cache/$version" && sh "$top/deploy/debian-source.sh" "$source" "$version" && cd src && "$1") \
		>"$cache/log" 2>&1 || { cat "$cache/log" >&2 && rm -f "$archive" && exit 1; }
fi
echo "$archive"
