# shellcheck shell=sh disable=SC2034,SC2154 # a part of init
# SPDX-License-Identifier: Apache-2.0
# The whole life of a server with two MI300X and a Flex 170.
# host: machine=server iommu=on steps=35 limit=300

a=0000:01:00.0
b=0000:02:00.0
flex=0000:03:00.0

insmod /modules/gpuid.ko \
	map=$a/1002:74a1:120000:00:1002:74a1:74b5,$b/1002:74a1:120000:00:1002:74a1:74b5,$flex/8086:56c0:038000:08:8086:4905:56c0

devices
start_agent

step 'three GPUs, no driver'
expect_none

# --- containers ---

step 'amdgpu takes the PFs'
insmod /modules/amdgpu.ko
expect "$(container_mode 2)"

step 'amdgpu loses one'
unbind $b
expect "$(container_mode 1)"

step 'amdgpu is unloaded'
rmmod amdgpu
expect_none

# --- VFs for VMs ---

step 'gim takes the PFs, and makes no VFs'
insmod /modules/gim.ko
expect_same

step '4 VFs on the first'
vfs $a 4
expect "$(vf_mode 4 0)"

step '4 VFs on the second'
vfs $b 4
devices
expect "$(vf_mode 8 0)"

for i in 0 1 2 3; do
	step "VF $i of the first to vfio-pci"
	bind "$(vf $a $i)" vfio-pci
	expect "$(vf_mode 8 $((i + 1)))"
done

step 'the VFs of the second to vfio-pci, all at once'
for i in 0 1 2 3; do
	bind "$(vf $b $i)" vfio-pci
done
devices
expect "$(vf_mode 8 8)"

step 'a capture of VFs, and what explain knows'
expect_commands

step 'one VF back'
unbind "$(vf $a 2)"
expect "$(vf_mode 8 7)"

foresee "numvfs $b 0"
step 'no VFs on the second'
vfs $b 0
expect "$(vf_mode 4 3)"

step 'that is what --what-if said'
expect_foreseen

step 'no VFs on the first'
vfs $a 0
expect_none

step 'gim is unloaded'
rmmod gim
expect_same

# --- whole GPUs for VMs ---

foresee "bind $a vfio-pci"
step 'the first PF to vfio-pci'
bind $a vfio-pci
expect "$(pf_mode 1)"

step 'that is what --what-if said'
expect_foreseen

foresee "bind $b vfio-pci"
step 'the second PF to vfio-pci'
bind $b vfio-pci
devices
expect "$(pf_mode 2)"

step 'that is what --what-if said'
expect_foreseen

# --- Intel beside it ---

step 'i915 takes the Flex'
insmod /modules/i915.ko
expect_same

step '2 VFs on the Flex, which i915 takes too'
vfs $flex 2
expect_same

step 'a capture of all that, and what explain knows'
expect_commands

step 'a VF of the Flex to vfio-pci'
bind "$(vf $flex 0)" vfio-pci
expect "$(pf_mode 2)" "$(flex_labels 1 vf)"

step 'the other VF of the Flex to vfio-pci'
bind "$(vf $flex 1)" vfio-pci
devices
expect "$(pf_mode 2)" "$(flex_labels 2 vf)"

# --- hot-unplug ---

step 'the first MI300X is removed'
echo 1 >"$PCI/devices/$a/remove"
expect "$(pf_mode 1)" "$(flex_labels 2 vf)"

step 'the second MI300X is pulled out'
host device_del gpu1
wait_for 10 is_gone $b || echo "FAIL $b is still there"
expect "$(flex_labels 2 vf)"

step 'no VFs on the Flex'
vfs $flex 0
expect_none

step 'the Flex itself to vfio-pci'
bind $flex vfio-pci
expect "$(flex_labels 1 pf)"

step 'the first MI300X is found again'
echo 1 >"$PCI/rescan"
wait_for 5 is_there $a || echo "FAIL $a is not there"
expect_same

step 'a second MI300X is plugged in'
host plug gpu1
wait_for 10 is_there $b || echo "FAIL $b is not there"
devices
expect_same

step 'both to vfio-pci'
bind $a vfio-pci
bind $b vfio-pci
expect "$(pf_mode 2)" "$(flex_labels 1 pf)"
