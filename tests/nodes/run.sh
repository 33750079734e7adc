#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Described machines against their expected labels: unpacks each, runs detect on it, compares.
# usage: run.sh [--wrapper COMMAND] GPU_LABELER [DIR...]
#
# A machine is a directory here, or in a DIR that takes the place of this one:
#   tree or tree.txt              the machine, as unpack.sh reads it
#   expected or expected.labels   the labels of detect, sorted; empty: no label may come out
#   flags                         more flags for detect
#   says                          a line each: stderr must hold this text, in any case of letters
#   exit                          the exit status, where it is not 0
# expected.NAME, flags.NAME, says.NAME: a variant of the same tree.
set -eu
umask 022 # what nobody must be able to read, too
here=$(cd "$(dirname "$0")" && pwd)


# One variant of one machine, its result to a file, so that several can run at once.
one() { # labeler wrapper machine variant
	labeler=$1 wrapper=$2 machine=$3 variant=$4
	name=$(basename "$machine")${variant:+ ($variant)}
	work=$(mktemp -d)
	chmod 755 "$work"
	tree=$machine/tree
	[ -f "$tree" ] || tree=$machine/tree.txt
	expected=$machine/expected$variant
	[ -f "$expected" ] || expected=$machine/expected.labels
	status=0
	sh "$here/unpack.sh" "$tree" "$work/root"
	cp "$expected" "$work/expected"
	# A root user reads what nobody else can: tried as nobody.
	as=
	if grep -q '^m ' "$tree" && [ "$(id -u)" = 0 ]; then
		as='setpriv --reuid 65534 --regid 65534 --clear-groups'
	fi
	# shellcheck disable=SC2046,SC2086
	$as timeout 120 $wrapper "$labeler" detect --format labels --root "$work/root" \
		$(cat "$machine/flags$variant" 2>/dev/null) >"$work/labels" 2>"$work/stderr" || status=$?
	{
		[ "$status" = "$(cat "$machine/exit" 2>/dev/null || echo 0)" ] ||
			echo "exit status $status"
		diff -u "$work/expected" "$work/labels" | tail -n +3 || true
		cut -d= -f1 "$work/labels" | LC_ALL=C sort -c 2>&1 || true
		grep -v '^[a-z.]*/[-A-Za-z0-9_.]*=[-A-Za-z0-9_.]*$' "$work/labels" || true
		if [ -f "$machine/says$variant" ]; then
			while read -r text; do
				grep -qiF -e "$text" "$work/stderr" || echo "stderr does not say: $text"
			done <"$machine/says$variant"
		fi
		grep -E 'runtime error|Sanitizer|==[0-9]+==' "$work/stderr" || true
	} >"$work/wrong"
	if [ -s "$work/wrong" ]; then
		echo "FAILED  $name"
		sed 's/^/        /' "$work/wrong" "$work/stderr"
	else
		echo "ok      $name"
	fi
	chmod -R u+rwx "$work"
	rm -rf "$work"
}

if [ "${1:-}" = --one ]; then
	shift
	one "$@"
	exit 0
fi
wrapper=
if [ "${1:-}" = --wrapper ]; then
	wrapper=$2
	shift 2
fi
labeler=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
[ $# -gt 0 ] || set -- "$here"

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# Where nobody else may enter the directory of the program, the machines that run as nobody could not.
chmod 755 "$results"
cp "$labeler" "$results/labeler"
labeler=$results/labeler
n=0
for dir in "$@"; do
	for machine in "$dir"/*/; do
		machine=${machine%/}
		[ -f "$machine/tree" ] || [ -f "$machine/tree.txt" ] || continue
		for flags in "$machine/flags" "$machine"/flags.*; do
			variant=${flags#"$machine/flags"}
			[ "$variant" != '.*' ] || continue
			n=$((n + 1))
			printf '%s\0%s\0%s\0' "$(printf %04d $n)" "$machine" "$variant"
		done
	done
done >"$results/list"
# shellcheck disable=SC2016
xargs -0 -n 3 -P 4 sh -c 'sh "$0" --one "$1" "$2" "$5" "$6" >"$3/$4.out" 2>&1 || echo "FAILED  $5: the runner itself" >>"$3/$4.out"' \
	"$0" "$labeler" "$wrapper" "$results" <"$results/list"
cat "$results"/*.out
passed=$(cat "$results"/*.out | grep -c '^ok ' || true)
failed=$(cat "$results"/*.out | grep -c '^FAILED ' || true)
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
