#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The package on a host whose Node is labelled through a real API server, by the README: installed,
configured with the kubelet's identity, labelled, removed, and the Node is clean.

usage: hosts.py INIT ROOT MACHINE EXPECTED      to be run in the network of the booted machine
       INIT: process 1 of it   ROOT: its files   MACHINE: the described machine, as it sees it
"""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../apiserver"), os.path.join(HERE, "../deploy")]

from cluster import Cluster, Refused, eventually  # noqa: E402
from objects import Objects, Renderer  # noqa: E402

NODE = "gpu-host"
FEATURES = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/gpu-labeler/nodefeatures"
CONF = """[host]
root = {machine}
[agent]
output = {output}
[kube]
kubeconfig = /etc/kubernetes/kubelet.conf
node-name = {node}
namespace = gpu-labeler
"""


def built(script):
    done = subprocess.run(["sh", os.path.join(HERE, "..", script)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout.strip()


class Host:
    def __init__(self, init, root, machine, directory):
        self.init, self.root, self.machine = init, root, machine
        self.cluster = Cluster(os.path.join(directory, "cluster"))
        self.renderer = Renderer(built("deploy/build.sh"), directory)
        self.master = None

    def path(self, name):
        return self.root + name

    def inside(self, *command, ok=True):
        done = subprocess.run(
            ["nsenter", "--target", self.init, "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup",
             "--root", "--wd", "env", "DEBIAN_FRONTEND=noninteractive", *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert not ok or done.returncode == 0, f"{' '.join(command)}: {done.stdout}"
        return done.stdout

    # ---- the cluster ----

    def start(self):
        cluster = self.cluster
        cluster.start()
        cluster.create_node(NODE)
        cluster.authority.issue("kubelet", f"/O=system:nodes/CN=system:node:{NODE}")
        kubeconfig = cluster.kubeconfig("kubelet", cert="kubelet")
        os.makedirs(self.path("/etc/kubernetes"), exist_ok=True)
        shutil.copy(kubeconfig, self.path("/etc/kubernetes/kubelet.conf"))
        for name in ("ca.crt", "kubelet.crt", "kubelet.key"):
            shutil.copy(cluster.path(name), self.path("/etc/kubernetes"))

    def add_nfd(self):
        nfd = built("nfd/build.sh") + "/v0.19"
        self.cluster.apply_file(nfd + "/nfd-api-crds.yaml")

        def serves():
            try:
                return self.cluster.request("GET", FEATURES)
            except Refused:
                return None

        assert eventually(serves), "the CRDs do not come up"
        objects = Objects(self.cluster)
        for thing in self.renderer.kustomize("kustomize/overlays/nodefeature-hosts"):
            objects.apply(thing)
        admin = self.cluster.kubeconfig("admin", cert="admin")
        self.master = subprocess.Popen([nfd + "/nfd-master", "-kubeconfig", admin, "-port", "0"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       env={"NODE_NAME": NODE})

    def stop(self):
        if self.master:
            self.master.kill()
            self.master.wait()
        self.cluster.stop()
        shutil.rmtree(self.path("/etc/kubernetes"))

    def labels(self):
        return {key: value for key, value in self.cluster.labels(NODE).items()
                if key.split("/")[0].removeprefix("beta.") in ("amd.com", "gpu.intel.com")}

    # ---- the package ----

    def install(self, output):
        self.inside("apt-get", "-q", "-y", "install", "/srv/first.deb")
        with open(self.path("/etc/gpu-labeler/gpu-labeler.conf"), "w") as file:
            file.write(CONF.format(machine=self.machine, output=output, node=NODE))
        drop_in = "/etc/systemd/system/gpu-labeler.service.d"
        os.makedirs(self.path(drop_in))
        shutil.copy(os.path.join(HERE, "../../deploy/systemd/node-output.conf"), self.path(drop_in))
        self.inside("systemctl", "daemon-reload")
        self.inside("systemctl", "restart", "gpu-labeler")

    def remove(self):
        said = self.inside("apt-get", "-q", "-y", "remove", "gpu-node-labeler")
        assert "labels may be left" not in said, said
        self.inside("apt-get", "-q", "-y", "purge", "gpu-node-labeler")
        shutil.rmtree(self.path("/etc/systemd/system/gpu-labeler.service.d"))
        self.inside("systemctl", "daemon-reload")

    def log(self):
        return self.inside("journalctl", "--no-pager", "-u", "gpu-labeler", ok=False)[-3000:]


def through(host, output, expected):
    """From nothing to a labelled Node and back."""
    host.install(output)
    assert eventually(lambda: host.labels() == expected, 90), f"{host.labels()}\n{host.log()}"
    print(f"ok      output {output}: the Node has the labels")
    host.remove()
    assert eventually(lambda: host.labels() == {}, 60), host.labels()
    assert host.cluster.labels(NODE)["foreign"] == "stays"
    print(f"ok      output {output}: the package is removed, and the Node is clean")


def other_object_is_refused(host):
    """A kubelet may write its own Node's object, and no other, by the policy for hosts."""
    body = {"apiVersion": "nfd.k8s-sigs.io/v1alpha1", "kind": "NodeFeature",
            "metadata": {"name": "gpu-labeler-features-for-other"}, "spec": {"labels": {}}}
    context = ssl.create_default_context(cafile=host.cluster.path("ca.crt"))
    context.load_cert_chain(host.cluster.path("kubelet.crt"), host.cluster.path("kubelet.key"))
    kubelet = http.client.HTTPSConnection("127.0.0.1", host.cluster.port, context=context, timeout=60)
    kubelet.request("POST", FEATURES + "?dryRun=All", json.dumps(body),
                    {"Content-Type": "application/json"})
    said = kubelet.getresponse().read().decode()
    assert "may not write NodeFeature gpu-labeler-features-for-other" in said, said
    print("ok      the policy denies a kubelet the object of another Node")


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    init, root, machine, expected_file = sys.argv[1:]
    with open(expected_file) as file:
        expected = dict(line.rstrip("\n").split("=", 1) for line in file)
    directory = tempfile.mkdtemp()
    host = Host(init, root, machine, directory)
    try:
        host.start()
        through(host, "node", expected)
        host.add_nfd()
        through(host, "nodefeature", expected)
        left = host.cluster.request("GET", FEATURES)["items"]
        assert left == [], left
        other_object_is_refused(host)
    except (AssertionError, Refused) as error:
        print(f"FAILED  {error}")
        return 1
    finally:
        host.stop()
        shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
