#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes what comes from outside: files of the host, answers of the API server, kubeconfigs, captures. The
# corpus begins with the described machines' own files and a few texts of each kind.
# usage: run.sh [RUNS]     for each target (default 50000)
# Exit status: 0, 77 where clang has no libFuzzer (libclang-rt-*-dev), 1 something was found
set -eu
cd "$(dirname "$0")/../.."
runs=${1:-50000}
work=$(mktemp -d)
trap 'rm -rf "$work" /dev/shm/gpu-labeler-fuzz-*' EXIT

echo 'int LLVMFuzzerTestOneInput(const char *d, long n); int LLVMFuzzerTestOneInput(const char *d, long n) { return !d && n; }' >"$work/try.c"
clang -fsanitize=fuzzer "$work/try.c" -o "$work/try" 2>/dev/null || {
	echo "SKIPPED: clang has no libFuzzer here: install libclang-rt-dev of its version"
	exit 77
}
CC=clang cmake -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=Debug -DWERROR=ON -DSANITIZE=ON -DFUZZ=ON >/dev/null
cmake --build build/fuzz --target fuzz_capture fuzz_host fuzz_kube gpu-labeler >/dev/null

mkdir "$work/capture" "$work/host" "$work/kube"
n=0
seed() { # target, number of the reader, text
	n=$((n + 1))
	printf "\\$(printf '%03o' "$2")%b" "$3" >"$work/$1/seed-$n"
}
sed -n 's/^f [^ ]*\/topology\/nodes\/[0-9]*\/properties //p' tests/nodes/card-*/tree | sort -u |
	while read -r text; do seed host 0 "$text"; n=$((n + 1)); printf '\000%b' "$text" >"$work/host/properties-$n"; done
seed host 1 'heap_type 1\nsize_in_bytes 206141652992\n'
seed host 2 '# x\n74A1,\t00,\tAMD Instinct MI300X\n'
seed host 3 'AMD Instinct (MI300X) OAM\n'
seed host 4 'SPX\n'
seed host 5 '206141652992\n'
seed host 6 '0x000000ab\n'
seed host 7 '0x00\n'
seed kube 0 '{"metadata":{"uid":"u","resourceVersion":"7","labels":{"amd.com/gpu.mode":"x"},"managedFields":[{"manager":"gpu-labeler","operation":"Apply","fieldsV1":{"f:metadata":{"f:labels":{"f:amd.com/gpu.mode":{}}}}}]}}'
seed kube 1 '{"message":"m","details":{"causes":[{"field":"metadata.labels","message":"amd.com/gpu.mode"}]}}'
seed kube 2 '{"type":"MODIFIED","object":{"metadata":{"uid":"u","resourceVersion":"7"}}}\n{"type":"ERROR","object":{"code":410,"message":"m"}}\n'
seed kube 3 'eyJhIjoxfQ.eyJrdWJlcm5ldGVzLmlvIjp7Im5vZGUiOnsibmFtZSI6Im4ifX19.c2ln'
seed kube 4 'current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: "https://h"}}]\nusers: [{name: u, user: {token: t, exec: {command: x, args: [a]}}}]\n'
seed kube 5 '{"metadata":{"continue":"eyJ2"},"items":[{"metadata":{"name":"n","labels":{"a":"1"}}}]}'
sh tests/nodes/unpack.sh tests/nodes/gpu-on-stub/tree "$work/root"
build/fuzz/labeler/gpu-labeler capture --root "$work/root" "$work/tar"
{ printf '\001' && cat "$work/tar"; } >"$work/capture/archive"
seed capture 2 'bind 0000:05:00.0 vfio-pci; unbind 0000:05:00.0'
seed capture 2 'numvfs 0000:05:00.0 8;'
seed capture 3 'unique_id 123\n'
seed capture 3 'blacklist amdgpu\ninstall vfio-pci /bin/false\nro intel_iommu=on\n'

for target in capture host kube; do
	most=4096
	[ "$target" != capture ] || most=65536 # an archive of a machine
	echo "$target: $runs runs"
	if ! build/fuzz/tests/fuzz/fuzz_$target -runs="$runs" -max_len=$most -artifact_prefix="$work/found-" \
		"$work/$target" >"$work/log" 2>&1; then
		tail -40 "$work/log"
		for file in "$work"/found-*; do
			echo "the input, in base64:" && base64 <"$file"
		done
		exit 1
	fi
	tail -n 1 "$work/log"
done
