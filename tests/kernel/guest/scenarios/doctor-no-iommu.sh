# shellcheck shell=sh disable=SC2034,SC2154 # a part of init
# SPDX-License-Identifier: Apache-2.0
# doctor on a machine without an IOMMU, whose command line says amd_iommu=on: no word makes one.
# host: machine=server iommu=off vfio=yes steps=2 limit=120

a=0000:01:00.0
: >"$EVENTS"

insmod /modules/gpuid.ko map=$a/1002:74a1:120000:00:1002:74a1:74b5

step 'a GPU for a VM, and no IOMMU'
doctor pf-passthrough 3 iommu=fail iommu-group=fail mode=fail vfio-pci=pass
says 'amd_iommu=on'

step 'the kernel refuses vfio-pci, and doctor knows why'
bind $a vfio-pci 2>/dev/null
doctor pf-passthrough 3 iommu=fail pfs-bound=fail
