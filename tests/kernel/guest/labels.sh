# shellcheck shell=sh disable=SC2034 # a part of init
# SPDX-License-Identifier: Apache-2.0
# The label sets that more than one scenario expects, written down from the label contract.

gim_src=$(modinfo -F srcversion /modules/gim.ko)
amdgpu_src=$(modinfo -F srcversion /modules/amdgpu.ko)

# What the container mode says of a card beyond its id, which no stub has: facts of amdgpu and KFD.
unchecked='^(beta\.)?amd\.com/gpu\.(family|product-name|vram|simd-count|cu-count|firmware|compute-memory-partition|(compute|memory)-partitioning-supported)[.=]'

container_mode() { # <MI300X>
	cat <<-END
		amd.com/gpu.device-id=74a1
		amd.com/gpu.driver-src-version=$amdgpu_src
		amd.com/gpu.driver-version=6.12.12
		amd.com/gpu.mode=container
		beta.amd.com/gpu.device-id.74a1=$1
		beta.amd.com/gpu.device-id=74a1
		beta.amd.com/gpu.mode=container
	END
}

vf_mode() { # <VFs of MI300X> <VFs bound to vfio-pci>
	cat <<-END
		amd.com/gpu.device-id=74b5
		amd.com/gpu.driver-src-version=$gim_src
		amd.com/gpu.driver-version=8.1.0.K
		amd.com/gpu.mode=vf-passthrough
		beta.amd.com/gpu.device-id.74b5=$1
		beta.amd.com/gpu.device-id=74b5
		beta.amd.com/gpu.mode=vf-passthrough
	END
	[ "$2" -eq 0 ] || cat <<-END
		amd.com/gpu.vfio.count=$2
		amd.com/gpu.vfio.device-id.74b5.count=$2
		amd.com/gpu.vfio.device-id.74b5.present=true
		amd.com/gpu.vfio.driver=vfio-pci
		amd.com/gpu.vfio.iommu-groups-viable=$2
		amd.com/gpu.vfio.iommu-groups=$2
		amd.com/gpu.vfio.present=true
		amd.com/gpu.vfio.type=vf
	END
}

pf_mode() { # <PFs: MI300X>
	cat <<-END
		amd.com/gpu.device-id=74a1
		amd.com/gpu.mode=pf-passthrough
		amd.com/gpu.vfio.count=$1
		amd.com/gpu.vfio.device-id.74a1.count=$1
		amd.com/gpu.vfio.device-id.74a1.present=true
		amd.com/gpu.vfio.driver=vfio-pci
		amd.com/gpu.vfio.iommu-groups-viable=$1
		amd.com/gpu.vfio.iommu-groups=$1
		amd.com/gpu.vfio.present=true
		amd.com/gpu.vfio.type=pf
		beta.amd.com/gpu.device-id.74a1=$1
		beta.amd.com/gpu.device-id=74a1
		beta.amd.com/gpu.mode=pf-passthrough
	END
}

flex_labels() { # <functions of Flex 170> <vf|pf>
	cat <<-END
		gpu.intel.com/vfio.count=$1
		gpu.intel.com/vfio.device-id.0380-56c0.count=$1
		gpu.intel.com/vfio.device-id.0380-56c0.present=true
		gpu.intel.com/vfio.driver=vfio-pci
		gpu.intel.com/vfio.iommu-groups-viable=$1
		gpu.intel.com/vfio.iommu-groups=$1
		gpu.intel.com/vfio.present=true
		gpu.intel.com/vfio.type=$2
	END
}
