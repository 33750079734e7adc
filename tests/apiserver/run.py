#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent beside a real API server, with its rights and policies on.

usage: run.py GPU_LABELER [SCENARIO]
"""

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from agent import Agent, Machine, Report
from cluster import HERE, NAMESPACE, Cluster, Refused, eventually, free_ports

NFD = "/apis/nfd.k8s-sigs.io/v1alpha1"
MODE = "amd.com/gpu.mode"


class Context:
    """What all scenarios share. Each takes a Node of its own."""

    def __init__(self, program, directory):
        self.dir = directory
        self.cluster = Cluster(os.path.join(directory, "cluster"))
        self.agent = Agent(program, directory)
        self.count = 0

    def machine(self, name="mi300x-sriov"):
        return Machine(self.dir, name)

    def name(self):
        self.count += 1
        return f"node-{self.count}"

    def node(self):
        """A registered Node and the kubeconfig of a Pod on it."""
        name = self.name()
        self.cluster.create_node(name)
        return name, self.account(name)

    def account(self, node, pod_name=None):
        pod = self.cluster.create_pod(pod_name or "agent-" + node, node)
        return self.cluster.kubeconfig(node, self.cluster.token(pod))

    def ours(self, node):
        """The Node's labels but those of others."""
        return {k: v for k, v in self.cluster.labels(node).items()
                if k not in ("kubernetes.io/hostname", "foreign")}

    def has(self, node, want, seconds=30):
        assert eventually(lambda: self.ours(node) == want, seconds), \
            f"{node} has {self.ours(node)}, expected {want}"

    def labelled(self, machine=None, **more):
        """A Node that the running agent has labelled."""
        machine = machine or self.machine()
        node, kubeconfig = self.node()
        self.agent.start(machine, kubeconfig, **more)
        self.has(node, self.agent.labels(machine))
        return node, machine, kubeconfig

    def version(self, node):
        return self.cluster.node(node)["metadata"]["resourceVersion"]

    def merge(self, node, labels, **more):
        self.cluster.merge(f"/api/v1/nodes/{node}", {"metadata": {"labels": labels}}, **more)


def first_labels(context):
    """the first labels are what detect says, and what others wrote stays"""
    node, machine, _ = context.labelled()
    assert context.cluster.labels(node)["foreign"] == "stays"
    entry = [e for e in context.cluster.node(node)["metadata"]["managedFields"]
             if e["manager"] == "gpu-labeler"]
    assert len(entry) == 1 and entry[0]["operation"] == "Apply", entry


def nothing_to_do(context):
    """a second agent finds all as it should be, and writes nothing"""
    node, machine, kubeconfig = context.labelled()
    before = context.version(node)
    context.agent.start(machine, kubeconfig)
    assert context.agent.says("15 labels"), "no line"
    time.sleep(1)
    assert context.version(node) == before
    assert context.agent.start(machine, kubeconfig, once=True).finish() == 0
    assert context.version(node) == before


def once(context):
    """run --once labels and leaves with 0"""
    node, kubeconfig = context.node()
    machine = context.machine("mi300x-pf")
    assert context.agent.start(machine, kubeconfig, once=True).finish() == 0
    context.has(node, context.agent.labels(machine))


def device_change(context):
    """a device that changes changes the labels"""
    node, machine, _ = context.labelled()
    before = context.ours(node)
    machine.unbind("vfio-pci")
    eventually(lambda: context.agent.labels(machine) != before)
    context.has(node, context.agent.labels(machine))
    assert context.ours(node) != before


def drift_by_delete(context):
    """a label that is deleted comes back"""
    node, machine, _ = context.labelled()
    time.sleep(0.5)
    context.cluster.merge(f"/api/v1/nodes/{node}", {"metadata": {
        "labels": {MODE: None}, "annotations": {"a": "b"}}}, manager="careless")
    context.has(node, context.agent.labels(machine))
    assert context.agent.says(f"{MODE} is gone.*careless")


def drift_by_overwrite(context):
    """a label that is overwritten is put right, and the log names the manager"""
    node, machine, _ = context.labelled()
    time.sleep(0.5)
    context.merge(node, {MODE: "container"}, manager="amd-gpu-operator")
    context.has(node, context.agent.labels(machine))
    assert context.agent.says(f'{MODE} was made "container" by amd-gpu-operator \\(Update\\)')


def metrics(context):
    """requests, and what was put right and who had changed it, are in the metrics"""
    node, kubeconfig = context.node()
    machine = context.machine()
    port = free_ports(1)[0]
    context.agent.start(machine, kubeconfig, "--listen", f"127.0.0.1:{port}")
    context.has(node, context.agent.labels(machine))
    time.sleep(0.5)
    context.merge(node, {MODE: "container"}, manager="amd-gpu-operator")
    context.has(node, context.agent.labels(machine))

    def page():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            return answer.read().decode()

    def shows(line):
        return eventually(lambda: re.search("^gpu_labeler_" + line, page(), re.MULTILINE))
    by = r'{output="node",verb="'
    assert shows(by.join(["api_requests_total", r'patch",code="200"} [23]$'])), page()
    assert shows(by.join(["api_requests_total", r'get",code="200"} [1-9]$'])), page()
    assert shows(by.join(["api_request_duration_seconds_count", r'patch"} [23]$'])), page()
    assert shows(r'watch_restarts_total{output="node"} 0$'), page()
    assert shows(r'drift_repairs_total{output="node"} 1$'), page()
    assert shows(r'drift_last_info{output="node",change=".*\\"container\\" by amd-gpu-operator'), page()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
        assert answer.status == 200


def all_deleted(context):
    """all labels deleted at once, as AMD's operator does, come back"""
    node, machine, _ = context.labelled()
    time.sleep(0.5)
    context.merge(node, {key: None for key in context.ours(node)}, manager="manager")
    context.has(node, context.agent.labels(machine))


def fight(context):
    """against one who writes again and again it repairs 20 times an hour, then warns and waits"""
    node, machine, _ = context.labelled()
    good = context.agent.labels(machine)
    for repaired in range(30):
        context.merge(node, {MODE: "container"}, manager="fighter")
        if not eventually(lambda: context.ours(node) == good, 3):
            break
    # one that comes before the agent has seen its own write is put right with it, and not counted
    assert 20 <= repaired <= 22, f"{repaired} repairs"
    assert context.agent.says("too often"), "no warning"
    warned = [line for line in context.agent.log().splitlines() if "fighter" in line]
    assert MODE in warned[-1], warned[-1]
    assert context.agent.is_alive()
    context.agent.process.send_signal(signal.SIGUSR1)
    assert context.agent.says(f'put right 20 times; the last: {MODE} was made "container" by fighter')


LEFT = {  # as the reference labeller leaves them, both prefixes, with counts and without
    "amd.com/gpu.vram": "64G", "amd.com/gpu.family": "AI", "beta.amd.com/gpu.family.AI": "8",
    "beta.amd.com/gpu.vram.64G": "8", "beta.amd.com/gpu.device-id.74a1": "8",
    "beta.amd.com/gpu.product-name.AMD_Instinct_MI300X": "8", "amd.com/gpu.mode": "container",
}
FOREIGN = {"amd.com/gpu": "true", "amd.com/cpu": "true", "amd.com/gpu.other": "x"}


def takeover(context):
    """what the reference labeller left goes, what is not ours by name stays"""
    node, kubeconfig = context.node()
    full = context.cluster.node(node)
    full["metadata"]["labels"].update({**LEFT, **FOREIGN})
    context.cluster.request("PUT", f"/api/v1/nodes/{node}?fieldManager=k8s-node-labeller", full)
    machine = context.machine()
    context.agent.start(machine, kubeconfig)
    context.has(node, {**context.agent.labels(machine), **FOREIGN})


def clean(context):
    """clean takes every label of ours away, also those of the reference, and nothing else"""
    node, machine, kubeconfig = context.labelled()
    context.agent.stop()
    context.merge(node, {**LEFT, **FOREIGN})
    done = context.agent.clean(machine, kubeconfig)
    assert done.returncode == 0, done.stdout
    context.has(node, FOREIGN)
    assert context.cluster.labels(node)["foreign"] == "stays"
    again = context.agent.clean(machine, kubeconfig)
    assert again.returncode == 0, again.stdout


def withdraw_on_exit(context):
    """withdraw-on-exit takes the labels away when the agent leaves"""
    machine = context.machine()
    node, kubeconfig = context.node()
    context.agent.start(machine, kubeconfig, "--withdraw-on-exit")
    context.has(node, context.agent.labels(machine))
    context.agent.stop()
    context.has(node, {})


def token_rotation(context):
    """a token that is replaced is used, the old one being refused"""
    machine = context.machine()
    node, kubeconfig = context.node()
    context.agent.start(machine, kubeconfig)
    context.has(node, context.agent.labels(machine))
    # without its Pod a token is worth nothing
    context.cluster.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}/pods/agent-{node}"
                            "?gracePeriodSeconds=0")
    pod = context.cluster.create_pod("again-" + node, node)
    with open(context.cluster.path(node + ".token"), "w") as file:
        file.write(context.cluster.token(pod) + "\n")
    machine.unbind("vfio-pci")
    context.has(node, context.agent.labels(machine), 60)


def token_refused(context):
    """with a token that is refused it says so once, goes on, and recovers"""
    machine = context.machine()
    node, kubeconfig = context.node()
    path = context.cluster.path(node + ".token")
    with open(path) as file:
        good = file.read()
    with open(path, "w") as file:
        file.write(good[:-8] + "AAAAAAAA")
    context.agent.start(machine, kubeconfig, "--node-name", node)
    assert context.agent.says("401|Unauthorized"), "nothing said"
    with open(path, "w") as file:
        file.write(good)
    context.has(node, context.agent.labels(machine), 60)


def apiserver_restart(context):
    """the API server is killed, a device changes meanwhile: the labels go out when it is back"""
    node, machine, _ = context.labelled()
    context.cluster.kill("kube-apiserver")
    machine.unbind("vfio-pci")
    assert context.agent.says("cannot connect|Connection refused")
    time.sleep(2)
    assert context.agent.is_alive()
    context.cluster.start_apiserver()
    assert eventually(context.cluster.is_ready, 60)
    context.has(node, context.agent.labels(machine), 90)
    lines = [line for line in context.agent.log().splitlines() if "error" in line]
    assert len(lines) <= 2, lines
    # and it watches again
    eventually(lambda: False, 1)
    context.merge(node, {MODE: None})
    context.has(node, context.agent.labels(machine), 90)


def etcd_restart(context):
    """etcd is killed and comes back: the labels go out"""
    node, machine, _ = context.labelled()
    context.cluster.kill("etcd")
    machine.unbind("vfio-pci")
    time.sleep(3)
    context.cluster.start_etcd()
    assert eventually(context.cluster.is_ready, 60)
    context.has(node, context.agent.labels(machine), 120)


def node_registered_again(context):
    """a Node that is deleted and registered again is labelled again"""
    node, machine, _ = context.labelled()
    context.cluster.request("DELETE", f"/api/v1/nodes/{node}")
    time.sleep(1)
    assert context.agent.is_alive()
    context.cluster.create_node(node)
    context.has(node, context.agent.labels(machine), 90)


def node_comes_late(context):
    """a Node that is not registered yet is waited for, and never created"""
    machine = context.machine()
    node = context.name()
    kubeconfig = context.account(node)
    context.agent.start(machine, kubeconfig)
    assert context.agent.says(f"{node}.*(not registered|no such|not found|there is no)"), "no line"
    try:
        context.cluster.node(node)
        raise AssertionError("the agent has made a Node")
    except Refused as refused:
        assert refused.code == 404
    # a token that is bound to a Node that is not there knows its name only
    context.cluster.create_node(node)
    context.has(node, context.agent.labels(machine), 90)


def wrong_node(context):
    """a node name that is not that of the token is an error at once"""
    machine = context.machine()
    node, kubeconfig = context.node()
    status = context.agent.start(machine, kubeconfig, "--node-name", "other").finish()
    assert status == 2, status
    assert len(context.agent.log().splitlines()) == 1, context.agent.log()
    assert node in context.agent.log() and "other" in context.agent.log()


def no_node_name(context):
    """without a node name and a token that knows it, it does not guess"""
    machine = context.machine()
    kubeconfig = context.cluster.kubeconfig("unbound", context.cluster.token())
    status = context.agent.start(machine, kubeconfig).finish()
    assert status == 2, status
    assert "node-name" in context.agent.log() or "NODE_NAME" in context.agent.log()


def unbound_token(context):
    """a token that is bound to no Pod is refused by the policy, and the agent says why"""
    machine = context.machine()
    node = context.name()
    context.cluster.create_node(node)
    kubeconfig = context.cluster.kubeconfig("unbound", context.cluster.token())
    context.agent.start(machine, kubeconfig, env={"NODE_NAME": node})
    assert context.agent.says("needs a token that is bound to a pod"), "nothing said"
    assert context.ours(node) == {}


def in_cluster(context):
    """in a Pod it finds server, token and CA where every Pod has them"""
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        return "SKIPPED, there is no mount namespace to be had"
    machine = context.machine()
    node, _ = context.node()
    account = os.path.join(context.dir, "account")
    os.makedirs(account, exist_ok=True)
    shutil.copy(context.cluster.path("ca.crt"), account)
    shutil.copy(context.cluster.path(node + ".token"), os.path.join(account, "token"))
    with open(os.path.join(account, "namespace"), "w") as file:
        file.write(NAMESPACE)
    script = ('mount -t tmpfs tmpfs /run && mkdir -p /var/run/secrets/kubernetes.io && '
              f'ln -s {account} /var/run/secrets/kubernetes.io/serviceaccount && exec "$@"')
    context.agent.start(machine, None, wrapper=("unshare", "-m", "sh", "-c", script, "sh"),
                        env={"KUBERNETES_SERVICE_HOST": "127.0.0.1", "HOME": "/nonexistent",
                             "KUBERNETES_SERVICE_PORT": str(context.cluster.port)})
    context.has(node, context.agent.labels(machine))


def kubelet_identity(context):
    """the kubelet's certificate serves on a host without Pods"""
    machine = context.machine()
    node, other = context.name(), context.name()
    for name in (node, other):
        context.cluster.create_node(name)
    context.cluster.authority.issue("kubelet", f"/O=system:nodes/CN=system:node:{node}")
    kubeconfig = context.cluster.kubeconfig("kubelet", cert="kubelet")
    context.agent.start(machine, kubeconfig, env={"NODE_NAME": node})
    context.has(node, context.agent.labels(machine))
    context.agent.start(machine, kubeconfig, env={"NODE_NAME": other})
    assert context.agent.says("not allowed|forbidden|can only access"), "nothing said"
    assert context.ours(other) == {}


def kubeconfig_forms(context):
    """every form of a kubeconfig: data, inline token, exec plugin, server name, without checks"""
    machine = context.machine()
    cluster = context.cluster
    with open(cluster.path("ca.crt"), "rb") as file:
        ca = base64.b64encode(file.read()).decode()
    plugin = os.path.join(context.dir, "plugin")

    def write(cluster_part, user):
        path = os.path.join(context.dir, "form.kubeconfig")
        with open(path, "w") as out:
            json.dump({"current-context": "c", "contexts": [
                {"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": cluster.url, **cluster_part}}],
                "users": [{"name": "u", "user": user}]}, out)
        return path

    def exec_user(node, token):
        with open(plugin, "w") as out:
            out.write('#!/bin/sh\ncat <<END\n{"apiVersion":"client.authentication.k8s.io/v1",'
                      '"kind":"ExecCredential","status":{"token":"%s"}}\nEND\n' % token)
        os.chmod(plugin, 0o755)
        return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin",
                         "interactiveMode": "Never"}}

    cluster.authority.issue("named", "/CN=x", alt="DNS:only.this.name")
    forms = {
        "data and inline token": ({"certificate-authority-data": ca}, lambda n, t: {"token": t}),
        "exec plugin": ({"certificate-authority-data": ca}, exec_user),
        "tls-server-name": ({"certificate-authority-data": ca, "tls-server-name": "localhost"},
                            lambda n, t: {"token": t}),
        "no verification": ({"insecure-skip-tls-verify": True}, lambda n, t: {"token": t}),
    }
    for form, (part, user) in forms.items():
        node, _ = context.node()
        with open(cluster.path(node + ".token")) as file:
            token = file.read()
        context.agent.start(machine, write(part, user(node, token)), "--node-name", node)
        assert eventually(lambda: context.ours(node) == context.agent.labels(machine)), form
        if form == "no verification":
            assert "insecure-skip-tls-verify" in context.agent.log()
    # a name that the certificate does not have
    context.agent.start(machine, write({"certificate-authority-data": ca,
                                        "tls-server-name": "other.name"}, {"token": token}),
                        "--node-name", node)
    assert context.agent.says("does not match|no alternative|subject name|hostname"), "no line"


def by_proxy(context):
    """a proxy of the kubeconfig is used, and one that is down is waited for"""
    machine = context.machine()
    node, _ = context.node()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    kubeconfig = context.cluster.kubeconfig(node + "p", open(
        context.cluster.path(node + ".token")).read(), **{
            "certificate-authority": "ca.crt", "proxy-url": f"http://127.0.0.1:{port}"})
    context.agent.start(machine, kubeconfig)
    assert context.agent.says("cannot connect"), "nothing said"
    listener = socket.create_server(("127.0.0.1", port))
    seen = []

    def pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        b.close()

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            seen.append(head.split(b"\r\n")[0])
            server = socket.create_connection(("127.0.0.1", context.cluster.port))
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=pump, args=(client, server), daemon=True).start()
            threading.Thread(target=pump, args=(server, client), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    context.has(node, context.agent.labels(machine), 60)
    listener.close()
    assert seen[0].startswith(b"CONNECT "), seen


def no_rights(context):
    """without RBAC it says what is refused and goes on"""
    machine = context.machine()
    node, kubeconfig = context.node()
    binding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/gpu-labeler"
    context.cluster.request("DELETE", binding)
    try:
        assert eventually(lambda: _forbidden(context, node)), "the right stays"
        context.agent.start(machine, kubeconfig)
        assert context.agent.says("forbidden|cannot (get|patch)"), "nothing said"
        assert context.agent.is_alive()
    finally:
        context.cluster.install("api")
    assert eventually(lambda: not _forbidden(context, node))


def _forbidden(context, node):
    with open(context.cluster.path(node + ".token")) as file:
        token = file.read()
    try:
        context.cluster.request("GET", f"/api/v1/nodes/{node}", token=token)
        return False
    except Refused as refused:
        return refused.code == 403


def policy_of_nodes(context):
    """the policy denies an agent's account everything but its own labels of its own Node"""
    cluster = context.cluster
    node, _ = context.node()
    other = context.name()
    cluster.create_node(other)
    with open(cluster.path(node + ".token")) as file:
        token = file.read()
    path = f"/api/v1/nodes/{node}"
    unbound = cluster.token()

    def label(key, value="1"):
        return {"metadata": {"labels": {key: value}}}

    allowed = [label(MODE, "container"), label("beta.amd.com/gpu.device-id.74a1"), label(MODE, None),
               label("gpu.intel.com/vfio.present", "true"), label("gpu.intel.com/product", "Flex"),
               label("amd.com/gpu.firmware.VCE.fw.1.2"), {"metadata": {}}]
    denied = [label("amd.com/gpu"), label("amd.com/cpu"), label("amd.com/gpu.modes"),
              label("x.amd.com/gpu.mode"), label("amd.com.evil/gpu.mode"), label("foreign", "no"),
              label("foreign", None), label("node-role.kubernetes.io/control-plane", ""),
              label("kubernetes.io/hostname", "x"), label("gpu.intel.com/other"),
              {"metadata": {"labels": None}}, {"metadata": {"annotations": {"a": "b"}}},
              {"metadata": {"finalizers": ["a.b/c"]}},
              {"spec": {"unschedulable": True}},
              {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}]
    cases = [(path, body, token, True) for body in allowed]
    cases += [(path, body, token, False) for body in denied]
    cases += [(f"/api/v1/nodes/{other}", label(MODE), token, False),
              (path, label(MODE), unbound, False),
              (path + "/status", {"status": {"phase": "x"}}, token, False)]
    for where, body, who, good in cases:
        try:
            cluster.merge(where, body, token=who)
            got = True
        except Refused as refused:
            assert refused.code in (403, 422), refused
            got = False
        assert got == good, f"{where} {body}: {'allowed' if got else 'denied'}"
    for method, where, body in (("DELETE", path, None),
                                ("POST", "/api/v1/nodes", {"metadata": {"name": "new"}}),
                                ("GET", "/api/v1/nodes", None), ("GET", "/api/v1/pods", None),
                                ("GET", "/api/v1/secrets", None)):
        try:
            cluster.request(method, where, body, token=token)
            raise AssertionError(f"{method} {where} is allowed")
        except Refused as refused:
            assert refused.code == 403, refused
    return f"{len(allowed)} allowed, {len(cases) - len(allowed) + 5} denied"


def scheduled(context):
    """a Pod that selects vf-passthrough is bound to the right one of three Nodes"""
    cluster = context.cluster
    if "kube-scheduler" not in cluster.processes:
        cluster.start_scheduler()
    nodes = {}
    for name in ("mi300x-sriov", "mi300x-pf", "mi300x-container"):
        node, kubeconfig = context.node()
        machine = context.machine(name)
        assert context.agent.start(machine, kubeconfig, once=True).finish() == 0
        nodes[name] = node
        cluster.merge(f"/api/v1/nodes/{node}", {"metadata": {"labels": {"pool": "three"}}})
    for name, mode in (("mi300x-sriov", "vf-passthrough"), ("mi300x-pf", "pf-passthrough"),
                       ("mi300x-container", "container")):
        pod = "vm-" + mode
        cluster.create("/api/v1/namespaces/default/pods", {
            "metadata": {"name": pod}, "spec": {
                "nodeSelector": {MODE: mode, "pool": "three"},
                "containers": [{"name": "c", "image": "c"}]}})
        path = f"/api/v1/namespaces/default/pods/{pod}"
        bound = eventually(lambda: cluster.request("GET", path)["spec"].get("nodeName"), 60)
        assert bound == nodes[name], f"{pod} is bound to {bound}, not {nodes[name]}"


# ---- NodeFeature objects ----

def feature_path(node):
    return f"{NFD}/namespaces/{NAMESPACE}/nodefeatures/gpu-labeler-features-for-{node}"


def nfd(context):
    """NFD as its module has it, with the CRDs applied once; its directory."""
    built = subprocess.run(["sh", os.path.join(HERE, "../nfd/build.sh")], stdout=subprocess.PIPE,
                           text=True, check=True).stdout.strip() + "/v0.19"
    try:
        context.cluster.request("GET", f"{NFD}/nodefeatures")
    except Refused:
        context.cluster.apply_file(built + "/nfd-api-crds.yaml")

        def serves():
            try:
                return context.cluster.request("GET", f"{NFD}/nodefeatures")
            except Refused:
                return None

        assert eventually(serves), "the CRDs do not come up"
        context.cluster.install("nodefeature")
    return built


def node_feature(context):
    """a NodeFeature object is written, kept, and owned by the Node"""
    nfd(context)
    cluster = context.cluster
    machine = context.machine()
    node, kubeconfig = context.node()
    context.agent.start(machine, kubeconfig, output="nodefeature")

    def labels():
        try:
            return cluster.request("GET", feature_path(node))["spec"].get("labels")
        except Refused:
            return None

    assert eventually(lambda: labels() == context.agent.labels(machine)), labels()
    metadata = cluster.request("GET", feature_path(node))["metadata"]
    assert metadata["labels"]["nfd.node.kubernetes.io/node-name"] == node
    owner = metadata["ownerReferences"][0]
    assert owner["kind"] == "Node" and owner["uid"] == cluster.node(node)["metadata"]["uid"]
    machine.unbind("vfio-pci")
    assert eventually(lambda: labels() == context.agent.labels(machine)), labels()
    time.sleep(0.5)
    cluster.request("DELETE", feature_path(node))
    assert eventually(lambda: labels() == context.agent.labels(machine)), "it does not come back"
    context.agent.stop()
    done = context.agent.clean(machine, kubeconfig, output="nodefeature")
    assert done.returncode == 0, done.stdout
    assert labels() is None


def node_feature_to_labels(context):
    """the real nfd-master turns it into labels of the Node, and takes them away with it"""
    directory = nfd(context)
    machine = context.machine()
    node, kubeconfig = context.node()
    admin = context.cluster.kubeconfig("admin", cert="admin")
    with open(os.path.join(context.dir, "nfd-master.log"), "w") as log:
        master = subprocess.Popen([directory + "/nfd-master", "-kubeconfig", admin, "-port", "0"],
                                  stdout=log, stderr=log, env={"NODE_NAME": node})
    try:
        context.agent.start(machine, kubeconfig, output="nodefeature")
        context.has(node, context.agent.labels(machine), 60)
        context.agent.stop()
        assert context.agent.clean(machine, kubeconfig, output="nodefeature").returncode == 0
        context.has(node, {}, 60)
    finally:
        master.kill()
        master.wait()


def policy_of_node_features(context):
    """the policy denies every other NodeFeature object, owner and label"""
    nfd(context)
    cluster = context.cluster
    node, _ = context.node()
    with open(cluster.path(node + ".token")) as file:
        token = file.read()

    def body(of=node, labels=None, **metadata):
        return {"apiVersion": "nfd.k8s-sigs.io/v1alpha1", "kind": "NodeFeature", "metadata": {
            "name": metadata.pop("name", feature_path(node).split("/")[-1]),
            "labels": {"nfd.node.kubernetes.io/node-name": of}, **metadata},
            "spec": {"labels": labels or {MODE: "container"}}}

    def apply(where, what, who=token):
        return cluster.request("PATCH", where + "?fieldManager=gpu-labeler&force=true",
                               json.dumps(what), "application/apply-patch+yaml", token=who)

    other_owner = [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "b"}]
    features = body()
    features["spec"]["features"] = {"flags": {"a.b": {"elements": {"c": {}}}}}
    path = feature_path(node)
    apply(path, body())
    denied = [(feature_path("other"), body(name="gpu-labeler-features-for-other"), token), (path, body("other"), token),
              (path, body(labels={"foreign": "x"}), token), (path, features, token),
              (path, body(labels={"feature.node.kubernetes.io/cpu-x": "true"}), token),
              (path, body(ownerReferences=other_owner), token),
              (path, body(finalizers=["a.b/c"]), token), (path, body(), cluster.token()),
              (path.replace(NAMESPACE, "default"), body(), token)]
    for where, what, who in denied:
        try:
            apply(where, what, who)
            raise AssertionError(f"{where} {what} is allowed")
        except Refused as refused:
            assert refused.code in (403, 422), refused
    cluster.request("DELETE", path, token=token)
    return f"{len(denied)} denied"


def explained(context):
    """explain --node tells who set each label, what is missing and what is stale"""
    node, machine, kubeconfig = context.labelled()

    def explain(*more):
        return subprocess.run(
            [context.agent.program, "explain", "--node", "--root", machine.root, "--node-name", node,
             "--kubeconfig", kubeconfig, *more], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert f"on node {node}: the same, applied by gpu-labeler\n" in explain(MODE), explain(MODE)
    context.agent.stop()
    context.merge(node, {MODE: "container", "amd.com/gpu.vram": "64G", "amd.com/gpu.vfio.count": None,
                         "amd.com/gpu.other": "x"}, manager="amd-gpu-operator")
    assert f"on node {node}: container, set by amd-gpu-operator (Update)\n" in explain(MODE)
    lines = explain().splitlines()
    told = {re.split("[=:]", line)[0]: line.rsplit("; ", 1)[1] for line in lines}
    assert told["amd.com/gpu.vfio.count"] == f"on node {node}: not there", told
    assert told["amd.com/gpu.vram"] == f"on node {node}: 64G, although it should not be there, " \
        "set by amd-gpu-operator (Update)", told
    assert told["amd.com/gpu.family"] == f"on node {node}: not there either", told
    assert not {"amd.com/gpu.other", "kubernetes.io/hostname", "foreign"} & set(told)
    answer = json.loads(explain("--format", "json", MODE))
    assert answer["node"] == node and answer["labels"][0]["on_node"] == {
        "state": "other", "value": "container", "owner": "amd-gpu-operator (Update)",
        "applied": False, "next": answer["labels"][0]["on_node"]["next"]}, answer
    wrong = subprocess.run([context.agent.program, "explain", "--node", "--root", machine.root,
                            "--node-name", "other", "--kubeconfig", kubeconfig],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert wrong.returncode == 2 and not wrong.stdout, wrong
    assert f'the token is for node "{node}"' in wrong.stderr, wrong.stderr


SCENARIOS = [
    first_labels, nothing_to_do, once, device_change, drift_by_delete, drift_by_overwrite,
    metrics, all_deleted, fight, takeover, clean, withdraw_on_exit, token_rotation, token_refused,
    node_registered_again, node_comes_late, wrong_node, no_node_name, unbound_token, in_cluster,
    kubelet_identity, kubeconfig_forms, by_proxy, no_rights, policy_of_nodes, scheduled,
    node_feature, node_feature_to_labels, policy_of_node_features, explained, apiserver_restart, etcd_restart,
]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    directory = tempfile.mkdtemp()
    context = Context(sys.argv[1], directory)
    try:
        context.cluster.start()
        context.cluster.install("api")
        time.sleep(2)  # policies take effect a moment after they are made
        return Report(context.agent).run(SCENARIOS, context, *sys.argv[2:])
    finally:
        context.agent.stop()
        context.cluster.stop()
        shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
