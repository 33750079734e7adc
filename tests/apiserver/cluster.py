#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A throw-away cluster on loopback: the real etcd, kube-apiserver and kube-scheduler.

usage: cluster.py up DIR      starts it below DIR and says how to run the agent against it
       cluster.py down DIR    stops it and removes DIR

There is no kubelet and no controller-manager: Nodes and Pods are objects and nothing runs on them.
Needs python3 and openssl, go once (see build.sh), and no root.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DEPLOY = os.path.join(HERE, "../../deploy/kustomize/overlays")
NAMESPACE = "gpu-labeler"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


def binaries():
    """The directory of the servers; leaves with 77 where they can't be had."""
    built = subprocess.run(["sh", os.path.join(HERE, "build.sh")], stdout=subprocess.PIPE, text=True)
    if built.returncode:
        sys.exit(built.returncode)
    return built.stdout.strip()


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def eventually(check, seconds=30):
    """The first true result of check, or the last false one."""
    end = time.monotonic() + seconds
    while True:
        result = check()
        if result or time.monotonic() > end:
            return result
        time.sleep(0.02)


class Authority:
    """Certificates of one cluster, made by openssl."""

    def __init__(self, directory):
        self.dir = directory
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-days", "2", "-subj", "/CN=throw-away", "-keyout", self.path("ca.key"),
                  "-out", self.path("ca.crt"))

    def path(self, name):
        return os.path.join(self.dir, name)

    def issue(self, name, subject, alt="DNS:localhost,IP:127.0.0.1", days=1, extra=()):
        """name.crt and name.key, signed."""
        with open(self.path(name + ".ext"), "w") as ext:
            ext.write(f"subjectAltName={alt}\n")
        self._run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                  subject, "-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr"))
        self._run("x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.path("ca.crt"),
                  "-CAkey", self.path("ca.key"), "-CAcreateserial", "-days", str(days),
                  "-extfile", self.path(name + ".ext"), "-out", self.path(name + ".crt"), *extra)

    @staticmethod
    def _run(*args):
        subprocess.run(["openssl", *args], check=True, stderr=subprocess.PIPE)


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Cluster:
    def __init__(self, directory, port=None):
        self.dir = os.path.abspath(directory)
        os.makedirs(self.dir, exist_ok=True)
        self.bin = binaries()
        self.authority = Authority(self.dir)
        self.authority.issue("server", "/CN=kube-apiserver")
        self.authority.issue("admin", "/O=system:masters/CN=admin")
        self.authority.issue("scheduler", "/CN=system:kube-scheduler")
        subprocess.run(["openssl", "genrsa", "-out", self.path("sa.key"), "2048"], check=True,
                       stderr=subprocess.PIPE)
        self.port, self.etcd_port, self.peer_port = free_ports(3)
        if port:
            self.port = port
        self.url = f"https://127.0.0.1:{self.port}"
        self.processes = {}
        self._connection = None

    def path(self, name):
        return os.path.join(self.dir, name)

    # ---- servers ----

    def _start(self, name, *args):
        log = open(self.path(name + ".log"), "a")
        self.processes[name] = subprocess.Popen([os.path.join(self.bin, name), *args], stdout=log,
                                                stderr=log, start_new_session=True)
        with open(self.path("pids"), "w") as pids:
            pids.write(" ".join(str(p.pid) for p in self.processes.values()))

    def start_etcd(self):
        client = f"http://127.0.0.1:{self.etcd_port}"
        peer = f"http://127.0.0.1:{self.peer_port}"
        self._start("etcd", "--data-dir", self.path("etcd"), "--unsafe-no-fsync",
                    "--listen-client-urls", client, "--advertise-client-urls", client,
                    "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                    "--initial-cluster", f"default={peer}", "--log-level", "error",
                    "--quota-backend-bytes", str(2 << 30))

    def start_apiserver(self):
        self._start("kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
                    "--bind-address=127.0.0.1", f"--secure-port={self.port}",
                    "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
                    f"--tls-cert-file={self.path('server.crt')}",
                    f"--tls-private-key-file={self.path('server.key')}",
                    f"--client-ca-file={self.path('ca.crt')}",
                    "--authorization-mode=Node,RBAC",
                    "--enable-admission-plugins=NodeRestriction",
                    "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
                    "--service-account-issuer=https://kubernetes.default.svc",
                    f"--service-account-key-file={self.path('sa.key')}",
                    f"--service-account-signing-key-file={self.path('sa.key')}",
                    "--service-cluster-ip-range=10.0.0.0/24", "--allow-privileged=true")

    def start_scheduler(self):
        config = self.kubeconfig("scheduler", cert="scheduler")
        self._start("kube-scheduler", f"--kubeconfig={config}",
                    f"--authentication-kubeconfig={config}", f"--authorization-kubeconfig={config}",
                    "--secure-port=0", "--leader-elect=false")

    def start_controllers(self):
        """Those that make Pods of DaemonSets and Jobs, and clean up behind what is deleted."""
        self._start("kube-controller-manager", f"--kubeconfig={self.kubeconfig('admin', cert='admin')}",
                    "--secure-port=0", "--leader-elect=false", "--min-resync-period=30s",
                    f"--root-ca-file={self.path('ca.crt')}",
                    "--controllers=daemonset-controller,job-controller,namespace-controller,"
                    "garbage-collector-controller,root-ca-certificate-publisher-controller")

    def is_ready(self):
        try:
            return self.request("GET", "/readyz", raw=True) == b"ok"
        except (OSError, http.client.HTTPException, Refused):
            return False

    def start(self):
        self.start_etcd()
        self.start_apiserver()
        if not eventually(self.is_ready, 120):
            with open(self.path("kube-apiserver.log")) as log:
                sys.exit("kube-apiserver does not get ready:\n" + log.read()[-3000:])
        for namespace in ("default", NAMESPACE):
            try:
                self.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
            except Refused as refused:
                if refused.code != 409:
                    raise

    def kill(self, name):
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._connection = None

    def stop(self):
        for name in list(self.processes):
            self.kill(name)

    # ---- requests, as the cluster's administrator or by a token ----

    def request(self, method, path, body=None, kind="application/json", token=None, raw=False,
                accept="application/json"):
        """The answer's JSON; a connection is kept for the administrator."""
        headers = {"Content-Type": kind, "Accept": accept}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        for attempt in (1, 2):
            connection = self._connect(token)
            try:
                connection.request(method, path, data, headers)
                response = connection.getresponse()
                answer = response.read()
                break
            except (OSError, http.client.HTTPException):
                self._connection = None
                if attempt == 2:
                    raise
        if response.status >= 300:
            try:
                text = json.loads(answer)["message"]
            except (ValueError, KeyError):
                text = answer.decode(errors="replace")
            raise Refused(response.status, text)
        return answer if raw else json.loads(answer)

    def _connect(self, token):
        context = ssl.create_default_context(cafile=self.path("ca.crt"))
        if token:
            return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=60)
        if not self._connection:
            context.load_cert_chain(self.path("admin.crt"), self.path("admin.key"))
            self._connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context,
                                                           timeout=60)
        return self._connection

    def create(self, path, body):
        return self.request("POST", path, body)

    def merge(self, path, body, manager="somebody", token=None):
        return self.request("PATCH", f"{path}?fieldManager={manager}", body, MERGE, token)

    def apply_file(self, file):
        """Server-side apply of each document of a YAML file, as kubectl apply --server-side."""
        with open(file) as text:
            for document in re.split(r"(?m)^---$", text.read()):
                if re.search(r"(?m)^kind:", document):
                    self.apply(document)

    def apply(self, document):
        def field(pattern):
            found = re.search(pattern, document, re.M)
            return found.group(1).strip("\"'") if found else None

        version, kind = field(r"^apiVersion: *(\S+)"), field(r"^kind: *(\S+)")
        metadata = re.search(r"(?m)^metadata:\n((?:  .*\n|\n)+)", document).group(1)
        name = re.search(r"(?m)^  name: *(\S+)", metadata).group(1)
        namespace = re.search(r"(?m)^  namespace: *(\S+)", metadata)
        plural = kind.lower() + "s"
        plural = re.sub(r"ys$", "ies", plural)
        path = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        if namespace:
            path += f"/namespaces/{namespace.group(1)}"
        return self.request("PATCH", f"{path}/{plural}/{name}?fieldManager=admin&force=true",
                            document, APPLY)

    # ---- objects ----

    def create_node(self, name, **metadata):
        self.create("/api/v1/nodes", {"metadata": {
            "name": name, "labels": {"kubernetes.io/hostname": name, "foreign": "stays"},
            # every kubelet's Node has this one, and NFD's master relies on there being some
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
            **metadata}})
        self.request("PATCH", f"/api/v1/nodes/{name}/status?fieldManager=kubelet", {"status": {
            "capacity": {"cpu": "8", "memory": "32Gi", "pods": "110"},
            "allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}}, MERGE)

    def node(self, name):
        return self.request("GET", f"/api/v1/nodes/{name}")

    def labels(self, name):
        return self.node(name)["metadata"].get("labels", {})

    def create_account(self):
        self.apply_file(os.path.join(DEPLOY, "api/serviceaccount.yaml"))

    def create_pod(self, name, node):
        return self.create(f"/api/v1/namespaces/{NAMESPACE}/pods", {
            "metadata": {"name": name}, "spec": {
                "serviceAccountName": "gpu-labeler", "nodeName": node,
                "containers": [{"name": "gpu-labeler", "image": "gpu-labeler"}]}})

    def token(self, pod=None, seconds=3600):
        """A token of the agent's account, bound to a Pod where one is given."""
        spec = {"expirationSeconds": seconds}
        if pod:
            spec["boundObjectRef"] = {"kind": "Pod", "apiVersion": "v1",
                                      "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
        answer = self.create(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/gpu-labeler/token",
                             {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                              "spec": spec})
        return answer["status"]["token"]

    def kubeconfig(self, name, token=None, cert=None, server=None, **cluster):
        """A kubeconfig file; JSON is YAML, too."""
        user = {}
        if token:
            with open(self.path(name + ".token"), "w") as file:
                file.write(token)
            user["tokenFile"] = name + ".token"
        if cert:
            user |= {"client-certificate": cert + ".crt", "client-key": cert + ".key"}
        if not cluster:
            cluster = {"certificate-authority": "ca.crt"}
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "it",
                  "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it",
                                                          "namespace": NAMESPACE}}],
                  "clusters": [{"name": "it", "cluster": {"server": server or self.url, **cluster}}],
                  "users": [{"name": "it", "user": user}]}
        with open(self.path(name + ".kubeconfig"), "w") as file:
            json.dump(config, file, indent=1)
        return file.name

    def install(self, overlay="api"):
        """What an administrator applies before the agent runs."""
        for part in ("serviceaccount", "rbac", "policy"):
            self.apply_file(os.path.join(DEPLOY, overlay, part + ".yaml"))


def up(directory):
    cluster = Cluster(directory)
    cluster.start()
    cluster.install()
    cluster.create_node("gpu-0")
    pod = cluster.create_pod("gpu-labeler-0", "gpu-0")
    admin = cluster.kubeconfig("admin", cert="admin")
    agent = cluster.kubeconfig("agent", cluster.token(pod, 24 * 3600))
    cluster.start_scheduler()
    print(f"""A cluster with one Node, gpu-0, listens at {cluster.url}
The agent as a Pod of that Node would run it:

  gpu-labeler run --output node --kubeconfig {agent}

Its labels:

  curl -s --cacert {cluster.path('ca.crt')} --cert {cluster.path('admin.crt')} \\
    --key {cluster.path('admin.key')} {cluster.url}/api/v1/nodes/gpu-0 | grep gpu
  kubectl --kubeconfig {admin} get node gpu-0 --show-labels

It goes with: python3 {sys.argv[0]} down {directory}""")


def down(directory):
    try:
        with open(os.path.join(directory, "pids")) as pids:
            for pid in pids.read().split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
    except FileNotFoundError:
        sys.exit(f"{directory}: there is no cluster")
    shutil.rmtree(directory)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("up", "down"):
        sys.exit(__doc__)
    {"up": up, "down": down}[sys.argv[1]](sys.argv[2])
