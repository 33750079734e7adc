// SPDX-License-Identifier: Apache-2.0

// Reads manifests, as YAML documents or as a JSON List, and decodes each into KubeVirt's own type
// for it. A field that the type does not have, or has as another type, is an error.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"

	v1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

type head struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Items      []json.RawMessage `json:"items"`
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func checkConfiguration(configuration v1.KubeVirtConfiguration) {
	if configuration.PermittedHostDevices == nil ||
		len(configuration.PermittedHostDevices.PciHostDevices) == 0 {
		fail("the CR permits nothing")
	}
	for _, device := range configuration.PermittedHostDevices.PciHostDevices {
		if device.PCIVendorSelector == "" || device.ResourceName == "" {
			fail("an entry is empty: %+v", device)
		}
	}
	if configuration.DeveloperConfiguration == nil ||
		len(configuration.DeveloperConfiguration.FeatureGates) == 0 {
		fail("the CR has no feature gate")
	}
}

func checkVM(spec v1.VirtualMachineSpec) {
	devices := spec.Template.Spec.Domain.Devices
	if len(devices.HostDevices)+len(devices.GPUs) != 1 {
		fail("the VM has %d hostDevices and %d gpus", len(devices.HostDevices), len(devices.GPUs))
	}
	if len(spec.Template.Spec.NodeSelector) == 0 {
		fail("the VM runs anywhere")
	}
}

// A patch is a KubeVirt without kind and name.
func check(text []byte) {
	var object head
	if err := yaml.Unmarshal(text, &object); err != nil {
		fail("%v", err)
	}
	for _, item := range object.Items {
		check(item)
	}
	switch object.APIVersion + " " + object.Kind {
	case "v1 List":
	case "kubevirt.io/v1 KubeVirt", " ":
		var kubevirt v1.KubeVirt
		if err := yaml.UnmarshalStrict(text, &kubevirt); err != nil {
			fail("KubeVirt: %v", err)
		}
		checkConfiguration(kubevirt.Spec.Configuration)
		fmt.Println("KubeVirt", kubevirt.Name)
	case "kubevirt.io/v1 VirtualMachine":
		var vm v1.VirtualMachine
		if err := yaml.UnmarshalStrict(text, &vm); err != nil {
			fail("VirtualMachine: %v", err)
		}
		checkVM(vm.Spec)
		fmt.Println("VirtualMachine", vm.Name)
	default:
		fail("%s %s: nobody knows this", object.APIVersion, object.Kind)
	}
}

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail("%v", err)
	}
	for _, document := range regexp.MustCompile(`(?m)^---\n`).Split(string(text), -1) {
		check([]byte(document))
	}
}
