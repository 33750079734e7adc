# shellcheck shell=sh disable=SC2034,SC2154 # a part of init
# SPDX-License-Identifier: Apache-2.0
# doctor on a Radeon whose audio function is in its IOMMU group, on a driver of the host.
# host: machine=audio iommu=on vfio=yes steps=3 limit=120

gpu=0000:01:00.0
audio=0000:01:00.1
: >"$EVENTS"

insmod /modules/i915.ko # plays the driver of the host
bind $gpu vfio-pci
bind $audio i915
devices
[ "$(driver_of $audio)" = i915 ] || echo "FAIL $audio is on $(driver_of $audio)"

step 'the audio function is on a driver of the host'
doctor pf-passthrough 3 mode=pass pfs-bound=pass iommu=pass group-viable=fail audio-sibling=fail
says "$audio/driver: i915"

step 'it has no driver'
unbind $audio
doctor pf-passthrough 0 group-viable=pass audio-sibling=warn

step 'it is on vfio-pci'
bind $audio vfio-pci
doctor pf-passthrough 0 group-viable=pass audio-sibling=pass
