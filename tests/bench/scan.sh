#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What one scan costs: CPU time and file opens of `detect` on a bus of 1,000 functions, 72 of them
# GPUs, beside a shell loop of cat over the same attributes. Red where a function that is no GPU
# costs more than 3 opens. The times are shown, not judged: machines are noisy.
# usage: scan.sh [GPU_LABELER]   (a release build; built where it is missing)
set -eu
cd "$(dirname "$0")/../.."
labeler=${1:-build/release/labeler/gpu-labeler}
[ -x "$labeler" ] || { cmake --preset release && cmake --build --preset release; } >/dev/null

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
bus=$tree/sys/bus/pci/devices
mkdir -p "$bus"

# 8 PFs on gim and 64 VFs on vfio-pci; the rest bridges, disks and NICs of Intel and others.
awk -v bus="$bus" 'BEGIN {
	for (i = 0; i < 1000; i++) {
		addr = sprintf("0000:%02x:%02x.0", int(i / 32), i % 32)
		dir = bus "/" addr
		vendor = i % 3 ? "8086" : "15b3"; device = "1234"; class = i % 2 ? "060400" : "020000"; driver = i % 2 ? "pcieport" : "mlx5_core"
		if (i < 8) { vendor = "1002"; device = "74a1"; class = "120000"; driver = "gim" }
		else if (i < 72) { vendor = "1002"; device = "74b5"; class = "120000"; driver = "vfio-pci" }
		print "mkdir", dir
		print "echo 0x" vendor " >" dir "/vendor; echo 0x" device " >" dir "/device; echo 0x" class " >" dir "/class; echo 0 >" dir "/numa_node"
		links = links dir "/driver ../../../bus/pci/drivers/" driver "\n" dir "/iommu_group ../../../kernel/iommu_groups/" i "\n"
		if (i < 8) {
			print "echo 8 >" dir "/sriov_totalvfs; echo 8 >" dir "/sriov_numvfs; echo 74b5 >" dir "/sriov_vf_device"
			for (v = 0; v < 8; v++) {
				n = 8 + i * 8 + v
				links = links dir "/virtfn" v " ../" sprintf("0000:%02x:%02x.0", int(n / 32), n % 32) "\n"
			}
		} else if (i < 72)
			links = links dir "/physfn ../" sprintf("0000:00:%02x.0", int((i - 8) / 8)) "\n"
	}
	printf "%s", links > (bus "/../links")
}' >"$tree/make.sh"
sh "$tree/make.sh"
while read -r link target; do
	ln -s "$target" "$link"
done <"$bus/../links"
mkdir -p "$tree/sys/module/gim"
echo 8.1.0.K >"$tree/sys/module/gim/version"
echo 0123456789ABCDEF >"$tree/sys/module/gim/srcversion"

# Eight GPUs in 64 partitions, in container mode: each attribute file is opened once at most.
partitions() {
	sh tests/nodes/unpack.sh tests/nodes/reference/mi300x-container-cpx-nps1/tree "$tree/cpx"
	cpx=$("$labeler" detect --root "$tree/cpx" --format labels | wc -l)
	strace -f -y -o "$tree/trace" "$labeler" detect --root "$tree/cpx" --format labels >/dev/null
	sed -n 's/.*openat([0-9A-Z_]*<\([^>]*\)>, "\([^"]*\)".*= [0-9].*/\1\/\2/p' "$tree/trace" |
		grep "^$tree" | while read -r path; do
			[ ! -f "$path" ] || echo "$path" # not the directories
		done | sort >"$tree/opened"
	twice=$(uniq -d "$tree/opened" | wc -l)
	echo "8 GPUs, 64 partitions, $cpx labels: $(wc -l <"$tree/opened") opens, $twice files opened twice"
	echo "system calls per label:       $(($(wc -l <"$tree/trace") / cpx)) (the program's start included)"
	uniq -d "$tree/opened"
	[ "$twice" = 0 ]
}

labels=$("$labeler" detect --root "$tree" --format labels | wc -l)
echo "1,000 functions, 72 GPU functions, $labels labels"

# CPU of 20 runs, the program's start included.
cpu_ms() { # command...: user and system time of its run, in ms
	( times >"$tree/before"; "$@" >/dev/null 2>&1; times >"$tree/after" )
	cat "$tree/before" "$tree/after" | awk '
		function ms(text, part) { split(text, part, /[ms]/); return (part[1] * 60 + part[2]) * 1000 }
		FNR == 2 { before = ms($1) + ms($2) }
		FNR == 4 { print ms($1) + ms($2) - before }'
}
twenty() { # tree
	n=0
	while [ $n -lt 20 ]; do
		"$labeler" detect --root "$1" --format labels
		n=$((n + 1))
	done
}
by_cat() { # a list of files
	while read -r file; do
		cat "$file"
	done <"$1"
}
compare() { # tree, list of the files that cat reads, what they are
	ours=$(cpu_ms twenty "$1")
	cats=$(cpu_ms by_cat "$2")
	awk -v ours="$ours" -v cats="$cats" -v what="$3" 'BEGIN {
		printf "CPU of one run of detect:      %8.1f ms\n", ours / 20
		printf "CPU of cat over %-15s%8.1f ms (%.0f times)\n", what ":", cats, ours ? cats * 20 / ours : 0
	}'
}
for dir in "$bus"/*; do
	printf '%s\n' "$dir/vendor" "$dir/device" "$dir/class"
done >"$tree/attributes"
compare "$tree" "$tree/attributes" "3 attributes"
if command -v strace >/dev/null; then
	partitions
	compare "$tree/cpx" "$tree/opened" "the same files"
fi

command -v strace >/dev/null || { echo "no strace: opens are not counted"; exit 0; }
strace -f -e trace=open,openat -o "$tree/trace" "$labeler" detect --root "$tree" --format labels >/dev/null
grep -o 'devices/[0-9a-f:.]*/[a-z_]*\|"[0-9a-f:.]*[.]0/[a-z_]*' "$tree/trace" | sed 's/^"//; s/^devices.//' |
	awk -F/ '{ opens[$1]++ } END {
		for (addr in opens) {
			split(addr, part, /[:.]/)
			gpu = part[2] == "00" || part[2] == "01" || (part[2] == "02" && part[3] < "08")
			if (gpu) { gpus++; of_gpus += opens[addr]; if (opens[addr] > most_gpu) most_gpu = opens[addr] }
			else { others++; of_others += opens[addr]; if (opens[addr] > most) most = opens[addr] }
		}
		printf "opens of a GPU function:       %8.1f (at most %d)\n", of_gpus / gpus, most_gpu
		printf "opens of any other function:   %8.1f (at most %d; 3 are allowed)\n", of_others / others, most
		exit most > 3 || others != 928 || gpus != 72
	}'
