#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tests: installs what is missing, builds with ASan and UBSan, runs them all.
# usage: run.sh [--all]     --all: also other compilers, valgrind, linters, coverage, the static hook
set -eu
umask 022 # some tests read as nobody what they wrote as root
cd "$(dirname "$0")/.."

all=no
case ${1:-} in
'') ;;
--all) all=yes ;;
*) echo "usage: run.sh [--all]" >&2 && exit 2 ;;
esac

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0
: >"$scratch/summary"

# A named step; its output is shown where it fails, or where it is asked for.
step() {
	name=$1 show=$2
	shift 2
	begin=$(date +%s)
	printf '== %s\n' "$name"
	status=0
	"$@" >"$scratch/log" 2>&1 </dev/null || status=$?
	if [ "$status" = 0 ]; then
		word=ok
		passed=$((passed + 1))
		[ "$show" = quiet ] || cat "$scratch/log"
	elif [ "$status" = 77 ]; then # what it needs is not to be had here: loud, but no failure
		word=skip
		cat "$scratch/log"
	else
		word=FAILED
		failed=$((failed + 1))
		cat "$scratch/log"
	fi
	printf '%-6s %4ss  %s\n' "$word" $(($(date +%s) - begin)) "$name" >>"$scratch/summary"
}

dev() {
	cmake --preset dev >/dev/null && cmake --build --preset dev
}

with_gcc() {
	cmake --preset release >/dev/null && cmake --build --preset release
}

with_clang() {
	CC=clang cmake -S . -B build/clang -G Ninja -DCMAKE_BUILD_TYPE=Debug -DWERROR=ON >/dev/null &&
		cmake --build build/clang && ctest --test-dir build/clang --output-on-failure
}

# Everything that the tests run, under valgrind and without the sanitizers, which exclude it.
with_valgrind() {
	cmake -S . -B build/valgrind -G Ninja -DCMAKE_BUILD_TYPE=Debug >/dev/null &&
		cmake --build build/valgrind || return 1
	# Not "reachable": what OpenSSL keeps to itself after libkmod brought it is not ours.
	valgrind="valgrind -q --error-exitcode=9 --leak-check=full"
	valgrind="$valgrind --errors-for-leak-kinds=definite,indirect,possible"
	for test in build/valgrind/tests/unit/test_*; do
		case $test in
		*.cmake) continue ;;
		*/test_confine) continue ;; # valgrind is the kernel there: it knows no seccomp, no Landlock
		esac
		echo "$test"
		$valgrind "$test" || return 1
	done
	sh tests/nodes/run.sh --wrapper "$valgrind" build/valgrind/labeler/gpu-labeler
}

analyze() {
	cmake --preset analyze >/dev/null && cmake --build --preset analyze
}

sources() {
	find labeler nfd-hook tests -name '*.[ch]'
}

format() {
	sources | xargs clang-format --dry-run -Werror
}

shell_scripts() {
	find deploy labeler nfd-hook tests -name '*.sh' -exec shellcheck {} + && shellcheck .ci/run
}

# Other versions of the linters see other things: the tree is kept clean for Debian 12's.
has_14() {
	"$1" --version | grep -q 'version 14\.' && return
	printf '%-6s %5s  %s\n' skip - "$1: not version 14, Debian 12's" >>"$scratch/summary"
	return 1
}

killed_often() {
	KILLS=200 sh tests/agent/run.sh build/release/labeler/gpu-labeler
}

real_nfd() {
	cmake --preset release >/dev/null && cmake --build --preset release &&
		sh tests/nfd/run.sh build/release/labeler/gpu-labeler build/static/nfd-hook/gpu-nfd-hook
}

real_api_server() {
	sh tests/apiserver/build.sh && python3 tests/apiserver/run.py build/dev/labeler/gpu-labeler
}

doctor_beside_api_server() {
	sh tests/apiserver/build.sh && python3 tests/apiserver/doctor.py build/dev/labeler/gpu-labeler
}

kustomize_and_helm() {
	sh tests/deploy/run.sh build/dev/labeler/gpu-labeler
}

cost_beside_api_server() {
	sh tests/apiserver/build.sh && python3 tests/bench/api.py build/small/labeler/gpu-labeler
}

# The machines of a directory beside the repository, where there is one: more of the same.
more_machines() {
	sh tests/nodes/run.sh build/dev/labeler/gpu-labeler ../shared/nodes/amd ../shared/nodes/real
}

if [ "$all" = yes ]; then
	sh deploy/packages.sh all
else
	sh deploy/packages.sh test
fi
step "build with ASan and UBSan" quiet dev
step "unit and scenario tests" show ctest --preset dev
if [ "$all" = yes ]; then
	step "build with gcc, optimised" quiet with_gcc
	step "build and test with clang" quiet with_clang
	step "all of it under valgrind" quiet with_valgrind
	step "branch coverage of the pure stages" show sh tests/coverage.sh
	! has_14 clang-tidy || step "clang-tidy and cppcheck" quiet analyze
	! has_14 clang-format || step "format" quiet format
	step "shellcheck" quiet shell_scripts
	step "static hook in an empty root" show sh tests/hook/static.sh
	step "parity with the reference" show python3 tests/nodes/parity.py build/dev/labeler/gpu-labeler
	step "fuzzing" show sh tests/fuzz/run.sh
	step "small agent" show sh labeler/small.sh
	step "container image" show sh tests/image/run.sh
	step "Debian package" show sh tests/package/run.sh
	step "an agent that is killed 200 times" show killed_often
	step "KubeVirt's own types" show sh tests/kubevirt/run.sh --types build/dev/labeler/gpu-labeler
	step "real NFD" show real_nfd
	step "health, metrics and sandbox" show python3 tests/metrics/run.py build/dev/labeler/gpu-labeler
	step "real API server" show real_api_server
	step "doctor beside an API server" show doctor_beside_api_server
	step "kustomize and Helm" show kustomize_and_helm
	step "faults of an API server" show python3 tests/apiserver/faults.py build/dev/labeler/gpu-labeler
	step "real kernel" show sh tests/kernel/run.sh --install build/release/labeler/gpu-labeler
	step "cost of a scan" show sh tests/bench/scan.sh
	step "cost of an agent" show sh tests/bench/agent.sh
	step "cost beside an API server" show cost_beside_api_server
	[ ! -d ../shared/nodes ] || step "machines beside the repository" show more_machines
fi
printf '\n'
cat "$scratch/summary"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
