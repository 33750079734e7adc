#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing of the distribution's packages, and nothing where nothing is.
# usage: packages.sh build|test|small|image|package|all     small: for the static programs;
#            image, package: for building and trying these; all: what tests/run.sh --all needs, but
#            these two, which their own scripts bring
#        packages.sh --list SET     names Debian's packages
set -eu

# What each set adds to the one before it: Debian's names, then Fedora's.
list() { # family-set
	case $1 in
	debian-build)
		echo gcc libc6-dev cmake ninja-build pkg-config
		echo libpci-dev libkmod-dev libinih-dev libjson-c-dev libyaml-dev pci.ids
		echo libcurl4-openssl-dev libdrm-dev libmicrohttpd-dev libseccomp-dev libmd-dev
		;;
	debian-test) list debian-build && echo libcmocka-dev ;;
	debian-small)
		list debian-build
		echo make dpkg-dev patch xz-utils file ca-certificates python3
		echo libssl-dev libzstd-dev liblzma-dev
		;;
	debian-image)
		echo buildah crun runc golang-github-containers-common mmdebstrap uidmap
		echo python3 openssl binutils gcc kmod
		;;
	debian-package) list debian-build && echo build-essential debhelper lintian mmdebstrap procps ;;
	debian-all)
		list debian-test
		list debian-small
		echo clang clang-tidy clang-format cppcheck valgrind gcovr shellcheck strace mandoc
		echo golang-go openssl
		echo libclang-rt-dev python3-yaml
		;;
	fedora-build)
		echo gcc cmake ninja-build pkgconf-pkg-config
		echo pciutils-devel kmod-devel inih-devel json-c-devel libyaml-devel hwdata
		echo libcurl-devel libdrm-devel libmicrohttpd-devel libseccomp-devel libmd-devel
		;;
	fedora-test) list fedora-build && echo libcmocka-devel libasan libubsan ;;
	fedora-all)
		list fedora-test
		echo clang clang-tools-extra cppcheck valgrind gcovr ShellCheck strace file make
		echo golang python3 openssl python3-pyyaml
		;;
	*) echo "usage: packages.sh [--list] build|test|small|image|package|all" >&2 && exit 2 ;;
	esac
}

is_installed() { # family package
	case $1 in
	debian) dpkg-query -W -f '${Status}' "$2" 2>/dev/null | grep -q ' installed$' ;;
	fedora) rpm -q --quiet "$2" ;;
	esac
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

install() { # family package...
	case $1 in
	debian)
		shift
		as_root apt-get update -q >/dev/null
		as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -q --no-install-recommends "$@" >/dev/null
		;;
	fedora)
		shift
		echo "(on Fedora this is untested)"
		as_root dnf install -y -q "$@"
		;;
	esac
}

if [ "${1:-}" = --list ]; then
	list "debian-${2:-}"
	exit 0
fi
if command -v apt-get >/dev/null; then
	family=debian
elif command -v dnf >/dev/null; then
	family=fedora
else
	wanted=$(list "debian-${1:-}")
	# shellcheck disable=SC2086
	echo "packages.sh: neither apt-get nor dnf is here: install what Debian calls" $wanted >&2
	exit 1
fi
wanted=$(list "$family-${1:-}")
set --
for package in $wanted; do
	is_installed "$family" "$package" || set -- "$@" "$package"
done
[ $# -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
	[ "$family" = debian ] && tool=apt-get || tool=dnf
	echo "packages.sh: neither root nor sudo is here: as root, run: $tool install $*" >&2
	exit 1
fi
echo "Installing: $*"
install "$family" "$@"
