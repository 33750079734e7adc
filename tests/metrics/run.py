#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Health, metrics and sandbox of a running agent, and clients that mean it no good.

usage: run.py GPU_LABELER [WORD]    WORD: only the scenarios whose name has it
"""

import ctypes
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../apiserver"))

from agent import Agent, Machine, Report  # noqa: E402
from cluster import eventually, free_ports  # noqa: E402

SLOTS = 64  # connections that the agent holds at most


class Context:
    def __init__(self, program, parse, directory):
        self.parse = parse
        self.dir = directory
        self.agent = Agent(program, directory)
        self.machine = None
        self.features = os.path.join(directory, "etc", "features.d")
        self.port = free_ports(1)[0]

    def start(self, *more, listen=None):
        shutil.rmtree(os.path.dirname(self.features), ignore_errors=True)
        os.makedirs(self.features)
        self.machine = Machine(self.dir, "mi300x-pf")
        self.agent.start(self.machine, None, "--features-dir", self.features, "--listen",
                         listen or f"127.0.0.1:{self.port}", *more, output="file")
        return self

    def ask(self, path, method="GET", **more):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, **more)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def answers(self, path, status):
        def check():
            try:
                return self.ask(path)[0] == status
            except OSError:
                return False
        return eventually(check)

    def families(self):
        page = self.ask("/metrics")[1]
        parsed = subprocess.run([self.parse], input=page, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        assert parsed.returncode == 0, f"{parsed.stderr}: {page}"
        return json.loads(parsed.stdout)

    def value(self, name, **labels):
        for sample in self.families()["gpu_labeler_" + name]["samples"]:
            if labels.items() <= sample["labels"].items():
                return sample["value"]
        return None

    def publishes(self):
        """A change of the machine reaches the file."""
        self.machine.unbind("vfio-pci")
        expected = self.agent.labels(self.machine)
        path = os.path.join(self.features, "gpu-labeler")

        def check():
            if not os.path.exists(path):
                return False
            with open(path) as file:
                return dict(line.split("=", 1) for line in file.read().splitlines()) == expected
        return eventually(check)

    def status(self, key):
        with open(f"/proc/{self.agent.process.pid}/status") as file:
            for line in file:
                if line.startswith(key + ":"):
                    return line.split()[1]
        return None


class Settings:
    """A configuration file and an agent that goes by it."""

    def __init__(self, context):
        self.path = os.path.join(context.dir, "conf")
        self.set(f"[agent]\nlisten = 127.0.0.1:{context.port}\n[file]\ndir = {context.features}\n")
        os.makedirs(context.features, exist_ok=True)
        context.machine = Machine(context.dir, "mi300x-pf")
        context.agent.start(context.machine, None, "--config", self.path, output="file")
        assert context.answers("/readyz", 200)

    def set(self, text):
        with open(self.path, "w") as file:
            file.write(text)


def take_away(directory):
    """At once: an agent heals what is removed one by one."""
    gone = tempfile.mkdtemp(dir=os.path.dirname(directory))
    os.rename(directory, os.path.join(gone, "gone"))
    shutil.rmtree(gone, ignore_errors=True)  # its hands may still be in there


def connect(context):
    return socket.create_connection(("127.0.0.1", context.port), timeout=20)


def is_closed(connection):
    """Reads until the other side ends it."""
    connection.settimeout(30)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


# ---- what it shows ----

def page_is_read_by_prometheus(context):
    """Prometheus' own parser and linter take the page, and its numbers are those of detect"""
    context.start()
    assert context.answers("/readyz", 200)
    families = context.families()
    labels = context.agent.labels(context.machine)
    assert context.value("labels") == len(labels)
    assert context.value("gpus", vendor="amd", mode="pf-passthrough", state="counted") == int(
        labels["amd.com/gpu.vfio.count"]), families["gpu_labeler_gpus"]
    assert context.value("scans_total", result="ok") >= 1
    assert context.value("scan_duration_seconds") == context.value("scans_total", result="ok")
    assert context.value("publications_total", output="file", result="written") == 1
    since = time.time() - context.value("last_success_timestamp_seconds", output="file")
    assert -2 < since < 60, since
    return f"{len(families)} families"


def ready_follows_the_output(context):
    """/readyz is 503 while nothing can be published, with the reason, and 200 once it can"""
    context.start("--interval", "1s")
    assert context.answers("/readyz", 200)
    take_away(context.features)
    assert context.answers("/readyz", 503)
    assert "features.d" in context.ask("/readyz")[1]
    assert context.ask("/healthz")[0] == 200
    assert context.value("publications_total", output="file", result="failed") >= 1
    os.makedirs(context.features)
    assert context.answers("/readyz", 200)


def only_get_and_head(context):
    """GET and HEAD are answered, other methods and paths are refused"""
    context.start()
    assert context.answers("/healthz", 200)
    status, text, headers = context.ask("/metrics", "HEAD")
    assert (status, text) == (200, "") and int(headers["Content-Length"]) > 1000
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "BREW"):
        status, _, headers = context.ask("/metrics", method)
        assert status == 405 and headers["Allow"] == "GET, HEAD", (method, status)
    for path in ("/", "/metrics/", "/metric", "/../etc/passwd", "/%2e%2e/etc/passwd"):
        assert context.ask(path)[0] == 404, path
    assert context.ask("/metrics?x=y")[0] == 200


def address_that_is_taken(context):
    """An address that is taken costs no labels, and is had once it is free"""
    taken = socket.create_server(("127.0.0.1", context.port))
    try:
        context.start("--interval", "1s")
        assert context.agent.says("listen 127.0.0.1:.*: Address already in use: no health")
        assert context.publishes()
    finally:
        taken.close()
    assert context.answers("/healthz", 200)


def reload_moves_it(context):
    """With other settings it listens elsewhere, or nowhere"""
    other = free_ports(1)[0]
    settings = Settings(context)
    settings.set(f"[agent]\nlisten = [::1]:{other}\n[file]\ndir = {context.features}\n")
    assert context.agent.says(rf"health and metrics at \[::1\]:{other}")
    socket.create_connection(("::1", other), timeout=20).close()
    try:
        connect(context).close()
        raise AssertionError("the old address still answers")
    except ConnectionRefusedError:
        pass


def all_addresses(context):
    """:PORT is every address of both families"""
    context.start(listen=f":{context.port}")
    assert context.answers("/healthz", 200)
    socket.create_connection(("::1", context.port), timeout=20).close()


# ---- clients that mean it no good ----

def slow_clients(context):
    """Clients that send a byte a second are closed in the end, and keep nobody out"""
    context.start("--interval", "1s")
    assert context.answers("/readyz", 200)
    slow = [connect(context) for _ in range(2 * SLOTS)]
    for i in range(15):
        for connection in slow:
            try:
                connection.send(b"GET /metrics HTTP/1.1\r\nX: y"[i:i + 1])
            except OSError:
                pass
        assert context.ask("/healthz")[0] == 200
        time.sleep(1)
    assert context.publishes()
    assert all(is_closed(connection) for connection in slow)


def huge_requests(context):
    """Headers and bodies without end cost nothing"""
    context.start("--interval", "1s")
    assert context.answers("/readyz", 200)
    before = int(context.status("VmRSS"))
    for start in (b"GET /" + b"x" * 100, b"GET /metrics HTTP/1.1\r\nX: ",
                  b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * 5000,
                  b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n",
                  b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
                  bytes(range(256))):
        connection = connect(context)
        try:
            connection.sendall(start)
            for _ in range(64):
                connection.sendall(b"x" * 65536)
        except OSError:
            pass
        assert is_closed(connection), start[:40]
    assert context.ask("/healthz")[0] == 200
    assert context.publishes()
    more = int(context.status("VmRSS")) - before
    assert more < 4096, more  # sanitizers keep freed memory for a while
    return f"{more} kB more"


def many_connections(context):
    """Thousands of connections: the agent holds a few, publishes, and lets the next one through"""
    context.start("--interval", "1s")
    assert context.answers("/readyz", 200)
    held = []
    most = 0
    for i in range(3000):
        try:
            held.append(connect(context))
        except OSError:
            pass
        if i % 100 == 0:
            most = max(most, len(os.listdir(f"/proc/{context.agent.process.pid}/fd")))
            held = held[-500:]
    assert context.ask("/healthz")[0] == 200
    assert context.publishes()
    assert most < SLOTS + 32, most
    for connection in held:
        connection.close()
    return f"{most} files open at most"


# ---- the sandbox ----

def sandbox_is_closed(context):
    """The kernel says that the agent has given its rights up, and the metrics agree"""
    context.start()
    assert context.answers("/readyz", 200)
    assert context.status("NoNewPrivs") == "1"
    assert context.status("Seccomp") == "2"
    assert int(context.status("CapPrm"), 16) == 0 == int(context.status("CapEff"), 16)
    for part in ("no_new_privs", "capabilities", "seccomp"):
        assert context.value("sandbox", part=part) == 1, part
    assert files_are_closed(context)
    assert context.agent.says("sandbox: no_new_privs yes, capabilities yes, seccomp yes")


def sandbox_is_off(context):
    """--sandbox no leaves all as it was"""
    context.start("--sandbox", "no")
    assert context.answers("/readyz", 200)
    assert context.status("Seccomp") == "0" or context.status("Seccomp") == open_seccomp()
    assert {sample["value"] for sample in
            context.families()["gpu_labeler_sandbox"]["samples"]} == {0}


def open_seccomp():
    with open("/proc/self/status") as file:
        return next(line.split()[1] for line in file if line.startswith("Seccomp:"))


def has_landlock():
    """Does the kernel have it, and may we use it? The version that lets files be renamed is 2."""
    return ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1) >= 2


def files_are_closed(context):
    return eventually(lambda: context.value("sandbox", part="landlock") == has_landlock())


def directory_that_comes_later(context):
    """Files are closed off once the features directory has a parent, and it publishes there"""
    shutil.rmtree(os.path.dirname(context.features), ignore_errors=True)
    context.machine = Machine(context.dir, "mi300x-pf")
    context.agent.start(context.machine, None, "--features-dir", context.features, "--interval", "1s",
                        "--listen", f"127.0.0.1:{context.port}", output="file")
    assert context.agent.says("landlock no")
    os.makedirs(context.features)
    assert context.answers("/readyz", 200)
    assert context.publishes()
    assert files_are_closed(context)
    return None if has_landlock() else "this kernel has no Landlock"


def directory_by_a_link(context):
    """A features directory behind a link is written, and made anew where the link leads"""
    shutil.rmtree(os.path.dirname(context.features), ignore_errors=True)
    real = os.path.join(context.dir, "elsewhere", "features.d")
    os.makedirs(real, exist_ok=True)
    os.makedirs(os.path.dirname(context.features))
    os.symlink(real, context.features)
    context.machine = Machine(context.dir, "mi300x-pf")
    context.agent.start(context.machine, None, "--features-dir", context.features, "--interval", "1s",
                        "--listen", f"127.0.0.1:{context.port}", output="file")
    assert context.answers("/readyz", 200)
    assert files_are_closed(context)
    take_away(real)
    os.makedirs(real)
    assert context.publishes()


def config_of_a_volume(context):
    """A ConfigMap that is swapped, as the kubelet does it, asks for no other place"""
    volume = os.path.join(context.dir, "volume")
    shutil.rmtree(volume, ignore_errors=True)
    for version, interval in (("..1", "1h"), ("..2", "30m")):
        os.makedirs(os.path.join(volume, version))
        with open(os.path.join(volume, version, "conf"), "w") as file:
            file.write(f"[agent]\ninterval = {interval}\nlisten = 127.0.0.1:{context.port}\n"
                       f"[file]\ndir = {context.features}\n")
    os.symlink("..1", os.path.join(volume, "..data"))
    os.symlink("..data/conf", os.path.join(volume, "conf"))
    os.makedirs(context.features, exist_ok=True)
    context.machine = Machine(context.dir, "mi300x-pf")
    context.agent.start(context.machine, None, "--config", os.path.join(volume, "conf"),
                        "--interval", "1s", output="file")
    assert context.answers("/readyz", 200)
    os.symlink("..2", os.path.join(volume, "..new"))
    os.replace(os.path.join(volume, "..new"), os.path.join(volume, "..data"))
    assert context.agent.says("settings read again")
    time.sleep(0.5)
    assert "restart the agent" not in context.agent.log(), context.agent.log()


def refused_reload(context):
    """New settings that cannot be had cost no labels: what was withdrawn is there again at once"""
    settings = Settings(context)
    other = os.path.join(os.path.dirname(context.features), "other.d")
    os.makedirs(other)
    directory = tempfile.mkdtemp()
    holder = Agent(context.agent.program, directory)
    try:
        holder.start(context.machine, None, "--features-dir", other, output="file")
        assert eventually(lambda: os.path.exists(os.path.join(other, "gpu-labeler")))
        settings.set(f"[agent]\nlisten = 127.0.0.1:{context.port}\ninterval = 1h\n"
                     f"[file]\ndir = {other}\n")
        assert context.agent.says("the old settings stay")
        path = os.path.join(context.features, "gpu-labeler")
        assert eventually(lambda: os.path.exists(path), 20), "the labels are gone"
        assert context.answers("/readyz", 200)
    finally:
        holder.stop()
        shutil.rmtree(directory)


def closed_place_after_reload(context):
    """Settings that ask for a place that is closed are told to restart the agent"""
    elsewhere = tempfile.mkdtemp()
    Settings(context).set(f"[file]\ndir = {elsewhere}/d\n")
    assert context.agent.says("the sandbox stays as it was closed at the start: restart")
    shutil.rmtree(elsewhere)


SCENARIOS = [page_is_read_by_prometheus, ready_follows_the_output, only_get_and_head,
             address_that_is_taken, reload_moves_it, all_addresses, slow_clients, huge_requests,
             many_connections, sandbox_is_closed, sandbox_is_off, directory_that_comes_later,
             directory_by_a_link, config_of_a_volume, refused_reload, closed_place_after_reload]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    built = subprocess.run(["sh", os.path.join(HERE, "build.sh")], stdout=subprocess.PIPE, text=True)
    if built.returncode:
        return built.returncode
    directory = tempfile.mkdtemp(prefix="gpu-labeler-metrics-")
    try:
        context = Context(sys.argv[1], built.stdout.strip(), directory)
        return Report(context.agent).run(SCENARIOS, context, *sys.argv[2:])
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
