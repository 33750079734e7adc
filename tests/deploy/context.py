# SPDX-License-Identifier: Apache-2.0
"""A cluster with four described machines, and what must hold of it."""

import os

import yaml
from agent import Agent, Machine
from cluster import Cluster, Refused, eventually
from kubelet import Kubelet
from objects import DEPLOY, NAMESPACE, Objects, Renderer, run

MACHINES = {"amd-vf": "mi300x-sriov", "amd-pf": "mi300x-pf", "intel-flex": "intel-vf", "none": "no-gpu"}
FEATURES = "/etc/kubernetes/node-feature-discovery/features.d"
FOREIGN = {"kubernetes.io/hostname", "kubernetes.io/os", "amd.com/cpu"}


class Context:
    def __init__(self, program, built, directory):
        self.dir = directory
        self.built = built
        self.agent = Agent(program, directory)
        self.program = program
        self.renderer = Renderer(built, directory)
        self.cluster = Cluster(os.path.join(directory, "cluster"))
        self.objects = Objects(self.cluster)
        self.machines = {node: Machine(directory, name) for node, name in MACHINES.items()}
        self.kubelet = None

    def start(self):
        self.cluster.start()
        self.renderer.environment["KUBECONFIG"] = self.cluster.kubeconfig("admin", cert="admin")
        self.cluster.start_controllers()
        self.cluster.start_scheduler()
        with open(os.path.join(self.built, "crds.yaml")) as file:
            crds = [document for document in yaml.safe_load_all(file) if document]
        for crd in crds:
            self.cluster.request("PATCH", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
                                 f"{crd['metadata']['name']}?fieldManager=admin", yaml.dump(crd),
                                 "application/apply-patch+yaml")
        assert eventually(self.serves_all, 60), "the definitions do not come up"
        self.cluster.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}")
        assert eventually(lambda: not self.namespace_exists(NAMESPACE), 60), "no namespace controller"
        for node in self.machines:
            self.cluster.create_node(node, labels={"kubernetes.io/hostname": node, "amd.com/cpu": "true",
                                                   "kubernetes.io/os": "linux"})
        self.kubelet = Kubelet(self.cluster, self.program, self.dir, self.machines)

    def serves_all(self):
        try:
            return self.objects.all()
        except Refused:
            return None

    def stop(self):
        if self.kubelet:
            self.kubelet.stop()
        self.cluster.stop()

    def namespace_exists(self, name):
        return self.objects.exists({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def make_namespace(self, name, standard):
        self.cluster.create("/api/v1/namespaces", {"metadata": {
            "name": name, "labels": {"pod-security.kubernetes.io/enforce": standard}}})
        authority = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": "kube-root-ca.crt", "namespace": name}}
        assert eventually(lambda: self.objects.exists(authority)), "no authority is published"

    def drop_namespace(self, name):
        self.cluster.request("DELETE", f"/api/v1/namespaces/{name}")
        assert eventually(lambda: not self.namespace_exists(name), 60), f"{name} stays"

    # ---- what must hold ----

    def expected(self, node):
        return self.agent.labels(self.machines[node])

    def ours(self, node):
        return {k: v for k, v in self.cluster.labels(node).items() if k not in FOREIGN}

    def labelled(self, seconds=90):
        for node in self.machines:
            assert eventually(lambda n=node: self.ours(n) == self.expected(n), seconds), \
                f"{node} has {self.ours(node)}: {self.kubelet.said('')[-3000:]}"
        self.well()

    def unlabelled(self):
        for node in self.machines:
            assert self.ours(node) == {}, f"{node} has {self.ours(node)}"
            assert set(self.cluster.labels(node)) == FOREIGN, self.cluster.labels(node)

    def well(self):
        assert not self.kubelet.trouble, self.kubelet.trouble

    def rolled_out(self, namespace=NAMESPACE):
        path = f"/apis/apps/v1/namespaces/{namespace}/daemonsets"

        def done():
            for item in self.cluster.request("GET", path)["items"]:
                status = item["status"]
                if status.get("observedGeneration") != item["metadata"]["generation"] or \
                        status.get("updatedNumberScheduled", 0) != len(self.machines) or \
                        status.get("numberAvailable", 0) != len(self.machines):
                    return False
            return True

        assert eventually(done, 120), self.kubelet.trouble or self.cluster.request("GET", path)["items"]
        self.well()

    def same_objects(self, before):
        """No object is there that was not there before; endings take a moment."""
        eventually(lambda: self.objects.all() <= before, 60)
        left = self.objects.all() - before
        assert not left, f"these are left: {sorted(left)}"

    def files(self):
        """What is in NFD's directory of each host with a GPU."""
        found = {}
        for node in self.machines:
            path = self.kubelet.host_path(node, FEATURES + "/gpu-labeler")
            if os.path.exists(path):
                with open(path) as file:
                    lines = [line for line in file.read().splitlines() if not line.startswith("#")]
                found[node] = dict(line.split("=", 1) for line in lines)
        return found

    # ---- as an administrator ----

    def kubectl(self, *args):
        return run(os.path.join(self.cluster.bin, "kubectl"), *args, env=self.renderer.environment,
                   cwd=os.path.join(DEPLOY, "..")).stdout

    def apply(self, overlay):
        self.kubectl("apply", "-k", "deploy/kustomize/overlays/" + overlay)

    def delete(self, overlay, *more):
        self.kubectl("delete", "-k", "deploy/kustomize/overlays/" + overlay, "--timeout=2m", *more)
