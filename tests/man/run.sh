#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The man pages, --help and the completion say the same, and can be read on one screen.
# usage: run.sh GPU_LABELER MAN_DIR
set -u
labeler=$(realpath "$1")
man=$(realpath "$2")
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/lib.sh
. "$here/lib.sh"

has() { command -v "$1" >/dev/null; }
fits() { awk 'length > 80 { bad = 1 } END { exit bad || NR > 48 }' "$1"; }
flags() { grep -o -e '--[a-z][a-z-]*' "$1" | sort -u; }
shown() { mandoc -Tascii "$man/$1" | sed "s/.\x08//g" >"$work/$1"; }

commands=$("$labeler" --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')
holds "there are commands" [ "$(echo "$commands" | wc -l)" -ge 3 ]
: >"$work/all-help"
for command in $commands; do
	"$labeler" "$command" --help >"$work/help"
	holds "$command --help fits one screen" fits "$work/help"
	cat "$work/help" >>"$work/all-help"
done
"$labeler" --help >"$work/help"
holds "--help fits one screen" fits "$work/help"

if has mandoc; then
	for page in gpu-labeler.1 gpu-nfd-hook.1 gpu-labeler.conf.5; do
		mandoc -Tlint -Wwarning "$man/$page" >"$work/lint" 2>&1
		holds "$page is clean" [ ! -s "$work/lint" ]
		shown "$page"
	done
	sed -n 's/^  \(--[a-z-]*\).*/\1/p' "$work/all-help" | sort -u >"$work/of-help"
	flags "$work/gpu-labeler.1" >"$work/of-page"
	holds "gpu-labeler(1) has the options of --help, and no other" cmp "$work/of-help" "$work/of-page"
	for command in $commands; do
		holds "gpu-labeler(1) tells of $command" grep -q "gpu-labeler $command" "$work/gpu-labeler.1"
	done
	sed -n 's/^\([a-z][a-z-]*\) *=.*/\1/p' "$here/../conf/gpu-labeler.conf" >"$work/keys"
	while read -r key; do
		grep -q "^ *$key\( \|$\)" "$work/gpu-labeler.conf.5" || echo "$key"
	done <"$work/keys" >"$work/missing"
	holds "gpu-labeler.conf(5) has every key" [ ! -s "$work/missing" ]
else
	echo "skip   the man pages: there is no mandoc"
fi

completes() { # words...: what the last of them is completed to
	PATH=$(dirname "$labeler"):$PATH bash -c '
		. "$0/deploy/completion/gpu-labeler"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_gpu_labeler
		printf "%s\n" "${COMPREPLY[@]}"' "$here/.." "$@" | sort | tr '\n' ' '
}
if has bash; then
	holds "a command is completed" [ "$(completes gpu-labeler det)" = 'detect ' ]
	holds "an option is" [ "$(completes gpu-labeler run --withd)" = '--withdraw-on-exit ' ]
	holds "its words are" [ "$(completes gpu-labeler run --log-level '')" = 'debug error info warning ' ]
	holds "a path before it is no pattern" \
		[ "$(completes gpu-labeler run --config /etc/x.conf --withd 2>&1)" = '--withdraw-on-exit ' ]
	holds "words with remarks are" \
		[ "$(completes gpu-labeler detect --format '')" = 'inventory json labels table ' ]
	holds "a directory is" [ "$(completes gpu-labeler detect --root "$here/no")" = "$here/nodes " ]
fi
finish
