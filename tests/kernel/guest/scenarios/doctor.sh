# shellcheck shell=sh disable=SC2034,SC2154 # a part of init
# SPDX-License-Identifier: Apache-2.0
# doctor on the way of a server from nothing to VFs for VMs, with the IOMMU on.
# host: machine=server iommu=on vfio=yes steps=9 limit=240

a=0000:01:00.0
b=0000:02:00.0
: >"$EVENTS"

insmod /modules/gpuid.ko \
	map=$a/1002:74a1:120000:00:1002:74a1:74b5,$b/1002:74a1:120000:00:1002:74a1:74b5
devices

step 'two GPUs for VMs, no driver'
doctor pf-passthrough 3 gpus=pass mode=fail iommu=pass iommu-group=pass group-viable=pass \
	isolation=pass vfio=pass vfio-pci=pass vfio-iommu-type1=pass pfs-bound=fail \
	dead-function=pass driver-override=pass unsafe-interrupts=pass amdgpu-blacklist=pass

step 'one of them on vfio-pci'
bind $a vfio-pci
doctor pf-passthrough 0 mode=warn pfs-bound=warn driver-override=pass

step 'both'
bind $b vfio-pci
doctor pf-passthrough 0 mode=pass pfs-bound=pass

step 'gim is meant, and is not there'
unbind $a
unbind $b
doctor vf-passthrough 3 mode=fail gim=fail vfs=fail sriov=pass

step 'gim without VFs'
insmod /modules/gim.ko
doctor vf-passthrough 3 gim=pass vfs=fail sriov=pass
says '0 of 4 VFs'

step '4 VFs on the first; the config space of a VF has no ids, which is not dead'
vfs $a 4
[ "$(hexdump -n 4 -e '"%08x"' "$PCI/devices/$(vf $a 0)/config")" = ffffffff ] ||
	echo 'FAIL the VF has ids in its config space'
doctor vf-passthrough 0 mode=warn gim=pass vfs=warn vfs-bound=warn ari=pass dead-function=pass

step 'they are on vfio-pci'
for i in 0 1 2 3; do
	bind "$(vf $a $i)" vfio-pci
done
doctor vf-passthrough 0 vfs-bound=pass group-viable=pass isolation=pass

step 'amdgpu takes one of them'
insmod /modules/amdgpu.ko
bind "$(vf $a 3)" amdgpu
doctor vf-passthrough 3 mode=fail amdgpu-blacklist=fail heterogeneous=warn vfs-bound=warn

step 'an override that was left over'
unbind "$(vf $a 3)"
echo vfio-pci >"$PCI/devices/$b/driver_override"
doctor vf-passthrough 0 driver-override=warn amdgpu-blacklist=warn
says "$b/driver_override: vfio-pci, driver gim"
