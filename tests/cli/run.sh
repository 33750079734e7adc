#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Both programs at their command lines: every bad flag gives one clear line and the right status,
# the formats agree with each other, and a pipe gets neither colour nor chatter.
# usage: run.sh GPU_LABELER GPU_NFD_HOOK
set -u
labeler=$(realpath "$1")
hook=$(realpath "$2")
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
# shellcheck source=tests/lib.sh
. "$here/lib.sh"

# The exit status, and for a failure exactly one line on stderr that holds the text.
fails() { # status text command...
	status=$1 text=$2
	shift 2
	got=0
	"$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
	good=1
	[ "$got" = "$status" ] && [ "$(wc -l <"$work/err")" = 1 ] && [ ! -s "$work/out" ] &&
		grep -qF -e "$text" "$work/err" && good=0
	result "$(basename "$1") ${2:-} ${3:-} ${4:-}: $text" $good
}

# A described machine at $work/root; the one before it may hold what its user may not remove.
unpack() { # machine
	[ ! -d "$work/root" ] || chmod -R u+rwx "$work/root"
	rm -rf "$work/root"
	sh "$here/nodes/unpack.sh" "$here/nodes/$1/tree" "$work/root"
}

server=$work/server
sh "$here/nodes/unpack.sh" "$here/nodes/mi300x-sriov/tree" "$server"
printf '[amd]\ndriver-typ = auto\n' >"$work/bad.conf"
printf '{' >"$work/bad.json"
sh "$here/nodes/unpack.sh" "$here/nodes/no-gpu/tree" "$work/none"

fails 2 'COMMAND: there is no such command' "$labeler" COMMAND
fails 2 '--nope: no such option' "$labeler" detect --nope
fails 2 'the option lacks its value' "$labeler" detect --root
fails 2 'nothing to do with this argument' "$labeler" detect here
fails 2 'is neither table, labels, json nor inventory' "$labeler" detect --format xml
fails 2 '--driver-type: "bogus"' "$labeler" detect --driver-type bogus
fails 2 '--allow-ids: "0x123"' "$labeler" detect --allow-ids 0x123
fails 2 '--deny-ids: an element of the list is empty' "$labeler" detect --deny-ids 0x74b5,
fails 2 'both set' "$labeler" detect --allow-ids 0x74b5 --deny-ids 0x74a1
fails 2 '--device-id-format: "0X"' "$labeler" detect --device-id-format 0X
fails 2 '--device-table: /nonexistent' "$labeler" detect --device-table /nonexistent
fails 2 '/nonexistent: cannot be read' "$labeler" detect --config /nonexistent
fails 2 "$work/bad.conf:2: driver-typ" "$labeler" detect --config "$work/bad.conf"
fails 2 'leave --root and --sysfs away' "$labeler" detect --inventory - --root /
fails 1 'cannot open /nonexistent' "$labeler" detect --root /nonexistent
fails 1 "cannot open $work/sys" "$labeler" detect --root "$work"
fails 1 "cannot list $work/bus/pci/devices" "$labeler" detect --sysfs "$work"
fails 1 '/nonexistent: cannot be read' "$labeler" detect --inventory /nonexistent
fails 1 "$work/bad.json: is no whole JSON" "$labeler" detect --inventory "$work/bad.json"
fails 1 '-: is no whole JSON' "$labeler" detect --inventory -
fails 2 '--mode: is neither' "$labeler" doctor --mode host
fails 2 'nothing to do with this argument' "$labeler" doctor --json yes
fails 2 '--capture: reads no host' "$labeler" doctor --capture x --root /
fails 1 '/nonexistent' "$labeler" doctor --capture /nonexistent
fails 1 'cannot open /nonexistent' "$labeler" doctor --root /nonexistent
fails 2 '--format: is neither yaml nor json' "$labeler" kubevirt --format xml
fails 2 '--provider: is neither' "$labeler" kubevirt --provider me
fails 2 '--as: is neither' "$labeler" kubevirt --as disks
fails 1 'gpu-labeler doctor says why' "$labeler" kubevirt --root "$work/none"
fails 2 '--nope: no such option' "$hook" --nope
fails 2 'lacks its value' "$hook" --root
fails 2 'nothing to do with this argument' "$hook" here
fails 1 'cannot open /nonexistent' "$hook" --root /nonexistent
fails 1 '/nonexistent: there is no such directory' "$hook" --root "$server" --write=/nonexistent

# The formats say the same, on every machine that can be read.
cd "$here/nodes" || exit 1
for machine in */; do
	[ -f "$machine/tree" ] || continue
	[ ! -f "$machine/exit" ] || continue
	unpack "${machine%/}"
	"$labeler" detect --root "$work/root" >"$work/labels" 2>/dev/null
	"$labeler" detect --root "$work/root" --format inventory >"$work/inventory"
	"$labeler" detect --inventory "$work/inventory" --format labels >"$work/replayed" 2>/dev/null
	"$labeler" detect --inventory - --format inventory <"$work/inventory" >"$work/again"
	"$labeler" detect --root "$work/root" --format json |
		sed -n '/"labels"/,/}/s/^ *"\(.*\)": "\(.*\)",*$/\1=\2/p' >"$work/json"
	"$labeler" detect --root "$work/root" --format table |
		sed -n '/^[0-9No]* label/,/^To know/s/^  \([^ ]*\/[^ ]*\)  *\([^ ]*\)$/\1=\2/p' >"$work/table"
	"$hook" --root "$work/root" >"$work/hook" 2>/dev/null
	cmp "$work/inventory" "$work/again" >"$work/out" &&
		cmp "$work/labels" "$work/replayed" >>"$work/out" &&
		cmp "$work/labels" "$work/json" >>"$work/out" &&
		cmp "$work/labels" "$work/table" >>"$work/out" &&
		cmp "$work/labels" "$work/hook" >>"$work/out"
	result "all formats, the replay and the hook agree on ${machine%/}" $?
done

# What a change would bring is what it brings: the driver's links are changed by hand.
rebind() { # driver, "" for none
	place=$(readlink -f "$work/root/sys/bus/pci/devices/0000:05:00.0")
	rm -f "$place/driver"
	[ -z "$1" ] || ln -s "../../../bus/pci/drivers/$1" "$place/driver"
}
changes() { # from to: as --what-if shows them
	diff "$1" "$2" | sed -n 's/^< /-/p; s/^> /+/p' | LC_ALL=C sort
}
for machine in pf-unbound gim-without-vf mi300x-pf mixed-vf-pf two-pf-ids mi300x-vf-unbound; do
	for driver in vfio-pci gim nouveau ''; do
		unpack $machine
		"$labeler" detect --root "$work/root" --format labels >"$work/before" 2>/dev/null
		step="bind 0000:05:00.0 $driver"
		[ -n "$driver" ] || step="unbind 0000:05:00.0"
		"$labeler" detect --root "$work/root" --what-if "$step" 2>/dev/null | LC_ALL=C sort >"$work/got"
		case $machine in mixed-vf-pf | mi300x-vf-unbound)
			[ "$driver" = gim ] || rm -rf "$work"/root/sys/devices/pci0000:05/0000:05:00.0/virtfn* \
				"$work"/root/sys/bus/pci/devices/0000:05:02.*
			;;
		esac
		rebind "$driver"
		"$labeler" detect --root "$work/root" --format labels >"$work/after" 2>/dev/null
		changes "$work/before" "$work/after" >"$work/expected"
		same "what if, on $machine: ${step#* }" "$work/expected" "$work/got"
	done
done
unpack gim-without-vf
"$labeler" detect --root "$work/root" --what-if 'numvfs 0000:05:00.0 1; bind 0000:05:00.1 vfio-pci' \
	>"$work/got" 2>"$work/err"
holds "VFs that would be made can be bound" grep -qx '+amd.com/gpu.vfio.count=1' "$work/got"
holds "what was assumed is told" grep -q 'is taken to be in an IOMMU group of its own' "$work/err"
"$labeler" detect --root "$work/root" --what-if 'bind 0000:05:00.0 gim' >"$work/got" 2>/dev/null
holds "no change, no line" [ ! -s "$work/got" ]
fails 2 'step 1: "drop" is neither bind' "$labeler" detect --root "$work/root" --what-if 'drop 0000:05:00.0'
fails 2 'leave --format away' "$labeler" detect --root "$work/root" --format json --what-if 'unbind x'

# The arguments of AMD's node labeller, which has no subcommands, as its DaemonSets give them.
unpack card-mi300x-whole
"$labeler" -vram -cu-count=true --family=false -driver_type=container --once --output stdout \
	--root "$work/root" 2>/dev/null | grep . | LC_ALL=C sort >"$work/got"
grep -e 'gpu.mode=' -e 'gpu.vram' -e 'gpu.cu-count' "$here/nodes/card-mi300x-whole/expected" |
	LC_ALL=C sort >"$work/expected"
same "the arguments of AMD's labeller work unchanged" "$work/expected" "$work/got"
fails 2 'run: -n: no such option' "$labeler" -nonsense
fails 2 'is neither auto, container' "$labeler" -driver_type=bogus --once

# libdrm is asked for what sysfs has not, where the render node can be opened. No card is here, so
# another library answers in its place.
unpack card-mi300x-whole
mkdir -p "$work/root/dev/dri"
: >"$work/root/dev/dri/renderD128"
cat >"$work/drm.c" <<'END'
int amdgpu_device_initialize(int fd, unsigned *a, unsigned *b, void **device);
int amdgpu_device_deinitialize(void *device);
int amdgpu_query_firmware_version(void *, unsigned, unsigned, unsigned, unsigned *, unsigned *);
int amdgpu_device_initialize(int fd, unsigned *a, unsigned *b, void **device)
{
	*a = *b = 3;
	*device = device;
	return fd < 0;
}
int amdgpu_device_deinitialize(void *device) { return !device; }
int amdgpu_query_firmware_version(void *device, unsigned block, unsigned ip, unsigned index,
				  unsigned *version, unsigned *feature)
{
	*version = 1;
	*feature = 30 + block + ip + index;
	return !device || block == 1; /* none of VCE */
}
END
if cc -shared -fPIC -o "$work/libdrm_amdgpu.so.1" "$work/drm.c" 2>"$work/err"; then
	LD_LIBRARY_PATH=$work "$labeler" detect --root "$work/root" --format labels 2>/dev/null |
		grep -F '.feat.' >"$work/got"
	printf 'beta.amd.com/gpu.firmware.%s=1\n' CE.feat.36 MC.feat.33 ME.feat.34 MEC.feat.38 PFP.feat.35 \
		RLC.feat.37 SDMA0.feat.41 SMC.feat.40 UVD.feat.32 | LC_ALL=C sort >"$work/expected"
	LC_ALL=C sort "$work/got" -o "$work/got"
	same "features of the firmware come by libdrm" "$work/expected" "$work/got"
	LD_LIBRARY_PATH=$work "$labeler" detect --root "$work/root" --format labels --labels=vram >"$work/out" 2>/dev/null
	holds "and are not asked for where nobody wants them" [ "$(grep -c firmware "$work/out")" = 0 ]
	rm "$work/root/dev/dri/renderD128"
	LD_LIBRARY_PATH=$work "$labeler" detect --root "$work/root" --format labels >"$work/out" 2>/dev/null
	holds "nor where the node can't be opened" [ "$(grep -c '[.]feat[.]' "$work/out")" = 0 ]
fi
unpack card-radeon-names
"$labeler" detect --root "$work/root" --format inventory --pci-ids-names >"$work/out"
holds "pci.ids names what has no other name" grep -q '"marketing_name": "Navi 31' "$work/out"

"$labeler" detect --root "$server" --format table >"$work/table" 2>"$work/err"
holds "a pipe gets no colour" [ "$(grep -c "$(printf '\033')" "$work/table")" = 0 ]
holds "and no chatter" [ ! -s "$work/err" ]
"$labeler" --help >"$work/out"
holds "help names the commands" grep -q '^  detect ' "$work/out"
"$labeler" detect --help >"$work/out"
holds "and a command's help its options" grep -q -e '--allow-ids' "$work/out"
holds "the version is one line" [ "$("$labeler" --version | wc -w)" = 2 ]
holds "the hook's too" [ "$("$hook" --version | wc -w)" = 2 ]
status=0
"$labeler" detect --root "$server" >/dev/full 2>"$work/err" || status=$?
holds "a full standard output is an error" [ "$status" = 1 ]
holds "that is told" grep -q 'cannot write to standard output' "$work/err"

# The feature file.
features=$work/features
mkdir "$features"
"$labeler" detect --root "$server" >"$work/labels" 2>/dev/null
(umask 077 && "$hook" --root "$server" --write="$features")
same "the feature file holds the labels" "$work/labels" "$features/gpu-labeler"
holds "everybody may read it, whatever the umask" \
	[ "$(stat -c %a "$features/gpu-labeler")" = 644 ]
holds "nothing else is left for NFD to see" [ "$(ls "$features")" = gpu-labeler ]
before=$(stat -c '%i %y' "$features/gpu-labeler")
"$hook" --root "$server" --write="$features"
holds "the same labels are not written again" \
	[ "$(stat -c '%i %y' "$features/gpu-labeler")" = "$before" ]
echo 'foreign/label=x' >>"$features/gpu-labeler"
"$hook" --root "$server" --write="$features"
same "an edited file is healed" "$work/labels" "$features/gpu-labeler"
unpack no-gpu
"$hook" --root "$work/root" --write="$features"
holds "no label, no file" [ ! -e "$features/gpu-labeler" ]
holds "and none the second time" "$hook" --root "$work/root" --write="$features"

finish
