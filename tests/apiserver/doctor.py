#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""doctor and kubevirt beside a real API server: what the cluster knows of the node's GPUs.

usage: doctor.py GPU_LABELER [SCENARIO]
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time

from agent import Report
from cluster import Refused, eventually
from run import Context

KUBEVIRTS = "/apis/kubevirt.io/v1/namespaces/default/kubevirts"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def crd(group, version, plural, kind):
    """One that takes whatever it is given: the types are checked elsewhere."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced",
                     "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
                     "versions": [{"name": version, "served": True, "storage": True,
                                   "schema": {"openAPIV3Schema": schema}}]}}


class Ward(Context):
    """The cluster of a doctor."""

    def admin(self):
        return self.cluster.kubeconfig("admin", cert="admin")

    def run_program(self, command, machine, *more):
        return subprocess.run([self.agent.program, command, "--root", machine.root, *more],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def doctor(self, node, *more, kubeconfig=None, machine=None, output="node"):
        """State and evidence of each check."""
        done = self.run_program("doctor", machine or self.machine(), "--json", "--output", output,
                                "--kubeconfig", kubeconfig or self.admin(), "--node-name", node,
                                *more)
        assert done.returncode in (0, 3), done.stderr
        checks = json.loads(done.stdout)["checks"]
        failed = any(check["state"] == "fail" for check in checks)
        assert done.returncode == (3 if failed else 0), done.returncode
        return {check["id"]: check for check in checks}

    def state(self, check, *args, **more):
        return self.doctor(*args, **more)[check]["state"]

    def expect(self, wanted, *args, **more):
        checks = self.doctor(*args, **more)
        got = {name: checks.get(name, {}).get("state") for name in wanted}
        assert got == wanted, f"{got}, expected {wanted}: {json.dumps(checks, indent=1)}"

    def allocatable(self, node, resource, quantity):
        self.cluster.request("PATCH", f"/api/v1/nodes/{node}/status?fieldManager=kubelet",
                             {"status": {"capacity": {resource: "8"},
                                         "allocatable": {resource: quantity}}},
                             "application/merge-patch+json")

    def serve(self, definition):
        self.cluster.create(CRDS, definition)
        spec = definition["spec"]
        path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"

        def is_served():
            try:
                return self.cluster.request("GET", path)
            except Refused:
                return None
        assert eventually(is_served), path

    def kubevirt(self, configuration):
        """The cluster's KubeVirt CR, in the place of the one that was there."""
        try:
            self.cluster.request("DELETE", KUBEVIRTS + "/kubevirt")
        except Refused:
            pass
        self.cluster.create(KUBEVIRTS, {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt",
                                        "metadata": {"name": "kubevirt"},
                                        "spec": {"configuration": configuration}})


def nothing_there(ward):
    """a bare cluster: no KubeVirt is a warning, nothing advertised and no labels are failures"""
    node, _ = ward.node()
    ward.expect({"cluster": "pass", "allocatable": "fail", "kubevirt-gate": "warn",
                 "kubevirt-permitted": None, "node-labels": "fail", "rbac": "pass",
                 "policy": "pass", "nfd": None}, node)


def no_nfd(ward):
    """without NFD the outputs that need it fail, and the other does not ask"""
    node, _ = ward.node()
    for output in ("file", "nodefeature"):
        assert ward.state("nfd", node, output=output) == "fail"
    assert "nfd" not in ward.doctor(node, output="node")


def nfd_there(ward):
    """an NFD that has not seen the Node is a warning, one that has is well"""
    ward.serve(crd("nfd.k8s-sigs.io", "v1alpha1", "nodefeatures", "NodeFeature"))
    node, _ = ward.node()
    assert ward.state("nfd", node, output="file") == "warn"
    ward.cluster.merge(f"/api/v1/nodes/{node}", {"metadata": {"annotations": {
        "nfd.node.kubernetes.io/feature-labels": "cpu-cpuid.AVX"}}})
    assert ward.state("nfd", node, output="file") == "pass"


def kubevirt_checks(ward):
    """KubeVirt's gate and its entry for each id are looked for one by one"""
    ward.serve(crd("kubevirt.io", "v1", "kubevirts", "KubeVirt"))
    node, _ = ward.node()
    assert ward.state("kubevirt-gate", node) == "warn", "there is no CR yet"
    ward.kubevirt({})
    ward.expect({"kubevirt-gate": "fail", "kubevirt-permitted": "fail"}, node)
    ward.kubevirt({"developerConfiguration": {"featureGates": ["LiveMigration", "HostDevices"]},
                   "permittedHostDevices": {"pciHostDevices": [
                       {"pciVendorSelector": "10de:1eb8", "resourceName": "nvidia.com/T4"}]}})
    ward.expect({"kubevirt-gate": "pass", "kubevirt-permitted": "fail"}, node)
    ward.kubevirt({"permittedHostDevices": {"pciHostDevices": [
        {"pciVendorSelector": "1002:74B5", "resourceName": "amd.com/gpu",
         "externalResourceProvider": True}]}})
    ward.expect({"kubevirt-gate": "fail", "kubevirt-permitted": "pass"}, node)


def advertised(ward):
    """what is bound must be allocatable, under the name that KubeVirt's entry gives it"""
    node, _ = ward.node()
    ward.allocatable(node, "amd.com/gpu", "0")
    assert ward.state("allocatable", node) == "fail"
    ward.allocatable(node, "amd.com/gpu", "8")
    assert ward.state("allocatable", node) == "pass"
    ward.kubevirt({"permittedHostDevices": {"pciHostDevices": [
        {"pciVendorSelector": "1002:74b5", "resourceName": "amd.com/MI300X_VF"}]}})
    check = ward.doctor(node)["allocatable"]
    assert check["state"] == "fail" and "MI300X_VF" in check["evidence"][0]["path"], check


def labels_arrive(ward):
    """the Node's labels are compared with what follows from the machine"""
    node, machine, _ = ward.labelled()
    assert ward.state("node-labels", node) == "pass"
    ward.agent.stop()
    ward.merge(node, {"amd.com/gpu.mode": "container"})
    check = ward.doctor(node)["node-labels"]
    wrong = [item for item in check["evidence"] if item["state"] == "fail"]
    assert check["state"] == "fail" and wrong == [
        {"state": "fail", "path": "amd.com/gpu.mode", "value": "container"}], wrong


def agents_own_eyes(ward):
    """as the agent's account: what it may not read is unknown, never failed"""
    node, kubeconfig = ward.node()
    ward.expect({"cluster": "pass", "kubevirt-gate": "unknown", "rbac": "pass",
                 "policy": "unknown"}, node, kubeconfig=kubeconfig)
    assert ward.state("rbac", node, kubeconfig=kubeconfig, output="nodefeature") == "fail"


def no_policy(ward):
    """a policy or a binding that is missing is a warning"""
    node, _ = ward.node()
    for path in (BINDINGS, POLICIES):
        ward.cluster.request("DELETE", path + "/gpu-labeler-own-node")
        assert eventually(lambda: ward.state("policy", node) == "warn", 10)
    ward.cluster.install("api")


def no_node(ward):
    """a Node that the cluster does not know is a failure that says so"""
    ward.node()
    ward.expect({"cluster": "fail", "node-labels": None, "allocatable": None}, "nowhere")


def no_server(ward):
    """a server that does not answer is unknown, and the rest of the report is there"""
    dead = ward.cluster.kubeconfig("dead", cert="admin", server="https://127.0.0.1:1")
    checks = ward.doctor("somewhere", kubeconfig=dead)
    assert checks["cluster"]["state"] == "unknown", checks["cluster"]
    assert checks["iommu-group"]["state"] == "pass", checks["iommu-group"]
    assert "rbac" not in checks, "one line is enough for it"


def patch_keeps(ward):
    """the patch that kubevirt prints makes doctor content, and keeps what others have in the CR"""
    node, _ = ward.node()
    other = {"pciVendorSelector": "10DE:1EB8", "resourceName": "nvidia.com/T4"}
    old = {"pciVendorSelector": "1002:74b5", "resourceName": "amd.com/old"}
    ours = {"pciVendorSelector": "1002:74B5", "resourceName": "amd.com/gpu",
            "externalResourceProvider": True}
    ward.kubevirt({"developerConfiguration": {"featureGates": ["LiveMigration"],
                                              "logVerbosity": {"virtAPI": 3}},
                   "permittedHostDevices": {"pciHostDevices": [other, old],
                                            "mediatedDevices": [{"mdevNameSelector": "x",
                                                                 "resourceName": "a.b/x"}]}})

    def patched():
        done = ward.run_program("kubevirt", ward.machine(), "--patch", "--format", "json",
                                "--kubeconfig", ward.admin())
        assert done.returncode == 0, done.stderr
        ward.cluster.merge(KUBEVIRTS + "/kubevirt", json.loads(done.stdout))
        return ward.cluster.request("GET", KUBEVIRTS + "/kubevirt")["spec"]["configuration"], done.stderr

    got, said = patched()
    assert "stays the resource amd.com/old" in said, said
    assert got == {
        "developerConfiguration": {"featureGates": ["LiveMigration", "HostDevices"],
                                   "logVerbosity": {"virtAPI": 3}},
        "permittedHostDevices": {
            "mediatedDevices": [{"mdevNameSelector": "x", "resourceName": "a.b/x"}],
            "pciHostDevices": [other, old]}}, got
    ward.cluster.merge(KUBEVIRTS + "/kubevirt", {"spec": {"configuration": {
        "permittedHostDevices": {"pciHostDevices": [other]}}}})
    got, said = patched()
    assert got["permittedHostDevices"]["pciHostDevices"] == [other, ours] and not said, (got, said)
    ward.expect({"kubevirt-gate": "pass", "kubevirt-permitted": "pass"}, node)


SCENARIOS = [
    nothing_there, no_nfd, nfd_there, kubevirt_checks, advertised, labels_arrive, agents_own_eyes,
    no_policy, no_node, no_server, patch_keeps,
]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    directory = tempfile.mkdtemp()
    ward = Ward(sys.argv[1], directory)
    try:
        ward.cluster.start()
        ward.cluster.install("api")
        time.sleep(2)  # policies take effect a moment after they are made
        return Report(ward.agent).run(SCENARIOS, ward, *sys.argv[2:])
    finally:
        ward.agent.stop()
        ward.cluster.stop()
        shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
