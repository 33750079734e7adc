# shellcheck shell=sh disable=SC2034,SC2154 # a part of init
# SPDX-License-Identifier: Apache-2.0
# doctor where the command line switches the IOMMU off, and the kernel came without vfio-pci.
# host: machine=server iommu=disabled vfio=no steps=3 limit=120

a=0000:01:00.0
: >"$EVENTS"

insmod /modules/gpuid.ko map=$a/1002:74a1:120000:00:1002:74a1:74b5

step 'the IOMMU is off and vfio-pci is missing'
doctor pf-passthrough 3 iommu=fail iommu-group=fail vfio=pass vfio-pci=fail vfio-iommu-type1=pass
says 'intel_iommu=off'
says 'vfio_pci: there is no such module'

step 'what passthrough needs is nothing to a container'
insmod /modules/amdgpu.ko
doctor container 0 mode=pass gpus=pass

step 'amdgpu is in the way of VMs'
doctor pf-passthrough 3 amdgpu-blacklist=fail
