# shellcheck shell=sh disable=SC2034,SC2154 # a part of init
# SPDX-License-Identifier: Apache-2.0
# IOMMU off: there are no groups, so nothing can be passed through, whatever driver one asks for.
# Containers need none.
# host: machine=server iommu=off steps=7 limit=120

a=0000:01:00.0
b=0000:02:00.0

insmod /modules/gpuid.ko \
	map=$a/1002:74a1:120000:00:1002:74a1:74b5,$b/1002:74a1:120000:00:1002:74a1:74b5

devices
if [ -e "$PCI/devices/$a/iommu_group" ]; then
	fail_now 'this machine has an IOMMU'
fi
start_agent

step 'two GPUs, no driver'
expect_none

step 'the kernel refuses vfio-pci'
bind $a vfio-pci 2>/dev/null
[ "$(driver_of $a)" = none ] || echo "FAIL driver is $(driver_of $a)"
unbind $a 2>/dev/null
expect_same

step 'gim and 4 VFs, in no group'
insmod /modules/gim.ko
vfs $a 4
devices
expect_same

step 'the kernel refuses vfio-pci for a VF'
bind "$(vf $a 0)" vfio-pci 2>/dev/null
[ "$(driver_of "$(vf $a 0)")" = none ] || echo "FAIL it is bound"
expect_same

step 'no VFs, gim is unloaded'
vfs $a 0
rmmod gim
expect_same

step 'amdgpu takes the PFs'
insmod /modules/amdgpu.ko
expect "$(container_mode 2)"
