#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The container image under a real runtime, as a kubelet runs it: see bundle.py.

usage: run.py OCI_ARCHIVE SBOM      77: there is no runtime that runs containers here
"""

import hashlib
import http.client
import json
import lzma
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../apiserver"))
from agent import Machine  # noqa: E402
from bundle import Image, runtimes  # noqa: E402
from cluster import HERE, Cluster, eventually, free_ports  # noqa: E402

FEATURES = "/etc/kubernetes/node-feature-discovery/features.d"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
HOOK = "/usr/libexec/gpu-labeler/gpu-nfd-hook"
MACHINE = "mi300x-sriov"


class Context:
    def __init__(self, image, sbom, directory):
        self.image, self.dir = image, directory
        with open(sbom) as file:
            self.sbom = json.load(file)
        self.machine = Machine(directory, MACHINE)
        self.runtime = self.cluster = self.process = self.pid_file = None
        with open(os.path.join(HERE, "../nodes", MACHINE, "expected")) as file:
            self.expected = file.read()

    def labels(self):
        return dict(line.split("=", 1) for line in self.expected.splitlines())

    def run(self, *args, **more):
        """One that ends by itself: its standard output."""
        command, _ = self.runtime.container(self.image, *args, **more)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *args, **more):
        command, self.pid_file = self.runtime.container(self.image, *args, **more)
        with open(os.path.join(self.dir, "log"), "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def pid(self):
        with open(self.pid_file) as file:
            return int(file.read())

    def stop(self):
        """SIGTERM, as the kubelet sends it: it leaves with 0."""
        os.kill(self.pid(), signal.SIGTERM)
        status = self.process.wait(60)
        self.process = None
        assert status == 0, f"the agent left with {status}"

    def log(self):
        with open(os.path.join(self.dir, "log")) as file:
            return file.read()


def walk(root):
    return [os.path.relpath(os.path.join(directory, name), root)
            for directory, _, names in os.walk(root) for name in names]


# ---- the image as a file ----

def programs(context):
    """it holds two programs, both static, and nothing else that can be run"""
    root = context.image.root
    found = sorted(f for f in walk(root) if os.stat(os.path.join(root, f)).st_mode & 0o111)
    assert found == sorted(["usr/bin/gpu-labeler", HOOK[1:]]), found
    for file in found:
        headers = subprocess.run(["readelf", "-l", "-d", os.path.join(root, file)], check=True,
                                 stdout=subprocess.PIPE, text=True).stdout
        assert "INTERP" not in headers and "NEEDED" not in headers, file


def settings(context):
    """it says what it is, and that it runs as 65532"""
    config = context.image.config
    assert config["User"] == "65532:65532", config
    assert config["Entrypoint"] == ["/usr/bin/gpu-labeler"], config
    version = context.sbom["packages"][0]["versionInfo"]
    assert config["Labels"]["org.opencontainers.image.version"] == version, config


def sbom(context):
    """its SBOM has each file with its sum, and the source of all that is linked in"""
    root = context.image.root
    files = {f["fileName"][2:]: {c["algorithm"]: c["checksumValue"] for c in f["checksums"]}
             for f in context.sbom["files"]}
    there = [f for f in walk(root) if not f.endswith("sbom.spdx.json")]
    assert sorted(files) == sorted(there), set(files) ^ set(there)
    for name in there:
        with open(os.path.join(root, name), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == files[name]["SHA256"], name
    names = {p["name"] for p in context.sbom["packages"]}
    for needed in ("curl", "openssl", "glibc", "pciutils", "kmod", "json-c"):
        assert needed in names, f"{needed} is not in {names}"
    assert not [p for p in context.sbom["packages"] if p["licenseDeclared"] == "NOASSERTION"]
    return f"{len(names)} packages"


def daemon_set(_):
    """what the runtime is told here is what the DaemonSet asks for"""
    with open(os.path.join(HERE, "../../deploy/kustomize/base/daemonset.yaml")) as file:
        manifest = file.read()
    for line in ("runAsNonRoot: true", "runAsUser: 65532", "runAsGroup: 65532",
                 "type: RuntimeDefault", "allowPrivilegeEscalation: false",
                 "readOnlyRootFilesystem: true", 'drop: ["ALL"]'):
        assert re.search(rf"(?m)^ +{re.escape(line)}$", manifest), line
    assert "hostPath" not in manifest and "hostNetwork" not in manifest


# ---- the image under a runtime ----

def real_sys(context):
    """without any host path it reads in its own /sys what there is outside"""
    outside = subprocess.run([context.image.root + context.image.command[0], "detect",
                              "--format=inventory"], stdout=subprocess.PIPE, check=True,
                             text=True).stdout
    assert context.run("detect", "--format=inventory") == outside


def real_labels(context):
    """a function in its own /sys gives labels"""
    table = os.path.join(context.dir, "devices.ini")
    for address in sorted(os.listdir("/sys/bus/pci/devices")):
        def read(name, place=address):
            with open(f"/sys/bus/pci/devices/{place}/{name}") as file:
                return file.read().strip()[2:]
        if read("vendor") == "8086":
            break
    else:
        return "NOT TESTED: this machine shows no function of Intel's"
    with open(table, "w") as file:  # any function of Intel's is a GPU, then
        file.write(f"[intel]\n{read('device')} = GPU | A_function_of_this_machine\n")
    os.chmod(table, 0o644)
    labels = context.run("detect", "--format=labels", "--rule-labels", "--device-table=/devices.ini",
                         mounts=[(table, "/devices.ini", "ro")])
    key = f"gpu.intel.com/device-id.{read('class')[:4]}-{read('device')}.present=true"
    assert key in labels.splitlines(), labels


def described(context):
    """it gives a described machine its labels"""
    labels = context.run("detect", "--format=labels", "--root=/host",
                         mounts=[(context.machine.root, "/host", "ro")])
    assert labels == context.expected, labels


def module_file(context):
    """where gim shows no version, the compressed file of the module tells it"""
    root = os.path.join(context.dir, "host-of-" + context.runtime.name)
    modules = os.path.join(root, "lib/modules/6.8.0")
    shutil.copytree(context.machine.root, root, symlinks=True)
    os.unlink(os.path.join(root, "sys/module/gim/version"))
    os.makedirs(os.path.join(root, "proc/sys/kernel"))
    with open(os.path.join(root, "proc/sys/kernel/osrelease"), "w") as file:
        file.write("6.8.0\n")
    os.makedirs(modules)
    subprocess.run(["gcc", "-x", "c", "-c", "-", "-o", os.path.join(modules, "gim.ko")], check=True,
                   input='const char info[] __attribute__((section(".modinfo"), aligned(1))) ='
                         ' "version=9.9.9.K\\0name=gim";', text=True)
    with open(os.path.join(modules, "gim.ko"), "rb") as plain, \
            lzma.open(os.path.join(modules, "gim.ko.xz"), "w", check=lzma.CHECK_CRC32) as packed:
        packed.write(plain.read())
    os.unlink(plain.name)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        open(os.path.join(modules, name), "w").close()
    depmod = shutil.which("depmod", path="/usr/sbin:/sbin:" + os.environ.get("PATH", ""))
    subprocess.run([depmod, "-b", root, "6.8.0"], check=True)
    labels = context.run("detect", "--format=labels", "--root=/host", mounts=[(root, "/host", "ro")])
    assert "amd.com/gpu.driver-version=9.9.9.K" in labels.splitlines(), labels


def hook(context):
    """the hook in it gives the same labels from /host-sys"""
    labels = context.run(program=HOOK, mounts=[(context.machine.root + "/sys", "/host-sys", "ro")])
    assert labels == context.expected, labels


def confined(context, uid):
    """What the kernel says of the running agent."""
    with open(f"/proc/{context.pid()}/status") as file:
        status = dict(re.findall(r"(?m)^(\w+):\t(.*)$", file.read()))
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    assert int(status["Seccomp_filters"]) == 2, status  # the runtime's and its own
    for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
        assert int(status["Cap" + kind], 16) == 0, status
    assert status["Uid"].split() == [str(uid)] * 4, status
    assert status["Groups"].split() in ([], [str(uid)]), status
    with open(f"/proc/{context.pid()}/mountinfo") as file:
        mounts = {line.split()[4]: line.split()[5].split(",") for line in file}
    assert "ro" in mounts["/"] and "ro" in mounts["/sys"], mounts
    return int(status["VmRSS"].split()[0])


def feature_file(context, user="65532:65532"):
    """with nothing but the features directory it writes NFD's file"""
    features = tempfile.mkdtemp(dir=context.dir)
    uid, gid = (int(i) for i in user.split(":"))
    os.chown(features, uid, gid)
    os.chmod(features, 0o755)
    context.start("run", "--root=/host", user=user, mounts=[
        (context.machine.root, "/host", "ro"), (features, FEATURES, "rw")])
    file = os.path.join(features, "gpu-labeler")

    def is_true():
        if not os.path.exists(file):
            return False
        with open(file) as text:
            return text.read() == context.expected
    assert eventually(is_true), f"no feature file: {context.log()}"
    rss = confined(context, uid)
    context.stop()
    return f"{rss} KiB resident"


def feature_file_of_root(context):
    """the same as a root without capabilities, whose directory it is on a host"""
    return feature_file(context, "0:0")


def node(context):
    """beside a real API server, as a Pod with its token and nothing else, it labels its Node"""
    if not context.cluster:
        context.cluster = Cluster(os.path.join(context.dir, "cluster"))
        context.cluster.start()
        context.cluster.install()
    cluster, name = context.cluster, "node-" + context.runtime.name
    cluster.create_node(name)
    account = tempfile.mkdtemp(dir=context.dir)
    with open(os.path.join(account, "token"), "w") as file:
        file.write(cluster.token(cluster.create_pod("agent-" + name, name)))
    with open(os.path.join(account, "namespace"), "w") as file:
        file.write("gpu-labeler")
    shutil.copy(cluster.path("ca.crt"), account)
    for path in [account] + [os.path.join(account, f) for f in os.listdir(account)]:
        os.chmod(path, 0o755)
    port, = free_ports(1)
    context.start(
        "run", "--output=node", "--root=/host", "--startup-spread=0", f"--listen=127.0.0.1:{port}",
        host_network=True, mounts=[(context.machine.root, "/host", "ro"), (account, ACCOUNT, "ro")],
        env=[f"NODE_NAME={name}", "KUBERNETES_SERVICE_HOST=127.0.0.1",
             f"KUBERNETES_SERVICE_PORT={cluster.port}"])

    def labels():
        return {k: v for k, v in cluster.labels(name).items()
                if k not in ("kubernetes.io/hostname", "foreign")}
    assert eventually(lambda: labels() == context.labels()), f"{labels()}: {context.log()}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/readyz")
    assert connection.getresponse().status == 200
    rss = confined(context, 65532)
    context.stop()
    context.run("clean", "--output=node", host_network=True, mounts=[(account, ACCOUNT, "ro")],
                env=[f"NODE_NAME={name}", "KUBERNETES_SERVICE_HOST=127.0.0.1",
                     f"KUBERNETES_SERVICE_PORT={cluster.port}"])
    assert labels() == {}, labels()
    return f"{rss} KiB resident, TLS connected"


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def run(self, scenario, context, where=""):
        sentence = where + " ".join(scenario.__doc__.split())
        try:
            said = scenario(context)
            self.passed += 1
            print(f"ok      {sentence}{': ' + said if said else ''}", flush=True)
        except Exception:
            self.failed += 1
            print(f"FAILED  {sentence}\n{traceback.format_exc()}", flush=True)
            if context.process:
                print("the agent said:\n" + context.log()[-3000:], flush=True)
                context.process.kill()
                context.process = None


def main():
    directory = tempfile.mkdtemp(prefix="image.")
    os.chmod(directory, 0o755)
    context, report = None, Report()
    try:
        context = Context(Image(sys.argv[1], directory), sys.argv[2], directory)
        for scenario in (programs, settings, sbom, daemon_set):
            report.run(scenario, context)
        usable = runtimes(context.image, directory)
        for context.runtime in usable:
            for scenario in (real_sys, real_labels, described, module_file, hook,
                             feature_file, feature_file_of_root, node):
                report.run(scenario, context, context.runtime.name + ": ")
    finally:
        if context and context.cluster:
            context.cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{report.passed} passed, {report.failed} failed")
    if report.failed:
        return 1
    if not usable:
        print("SKIPPED: the image was NOT RUN: no runtime runs containers here")
        return 77
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main())
