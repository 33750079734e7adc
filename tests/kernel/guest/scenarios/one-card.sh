# shellcheck shell=sh disable=SC2034,SC2154 # a part of init
# SPDX-License-Identifier: Apache-2.0
# An emulated card of AMD's own making, 1002:5159, with no help from gpuid: driver, IOMMU group,
# hotplug.
# host: machine=ati iommu=on steps=12 limit=120

gpu=0000:01:00.0

passed_through() {
	cat <<-'END'
		amd.com/gpu.device-id=5159
		amd.com/gpu.mode=pf-passthrough
		amd.com/gpu.vfio.count=1
		amd.com/gpu.vfio.device-id.5159.count=1
		amd.com/gpu.vfio.device-id.5159.present=true
		amd.com/gpu.vfio.driver=vfio-pci
		amd.com/gpu.vfio.iommu-groups-viable=1
		amd.com/gpu.vfio.iommu-groups=1
		amd.com/gpu.vfio.present=true
		amd.com/gpu.vfio.type=pf
		beta.amd.com/gpu.device-id.5159=1
		beta.amd.com/gpu.device-id=5159
		beta.amd.com/gpu.mode=pf-passthrough
	END
}

devices
start_agent

step 'a card without a driver'
expect_none

step 'driver_override alone'
echo vfio-pci >"$PCI/devices/$gpu/driver_override"
expect_same

step 'bound to vfio-pci'
echo $gpu >"$PCI/drivers_probe"
devices
expect "$(passed_through)"

step 'a change event that changes nothing'
echo change >"$PCI/devices/$gpu/uevent"
expect_same

step 'unbound'
unbind $gpu
expect_none

step 'bound again'
bind $gpu vfio-pci
expect "$(passed_through)"

step 'removed'
echo 1 >"$PCI/devices/$gpu/remove"
expect_none

step 'found again, without a driver'
echo 1 >"$PCI/rescan"
expect_same

step 'bound once more'
bind $gpu vfio-pci
expect "$(passed_through)"

step 'someone edits the file'
echo 'amd.com/gpu.mode=container' >"$FILE"
mark=$(n_events) # the hand that edits is ours
expect "$(passed_through)"

step 'someone deletes the file'
rm "$FILE"
mark=$(n_events)
expect "$(passed_through)"
