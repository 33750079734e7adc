#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent beside a server that fails in every way, and with every bad setting. All faults run
side by side: the agent waits as long as it would in a cluster.

usage: faults.py GPU_LABELER [FAULT]
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from agent import Agent, Machine
from cluster import Authority, eventually
from fake import NODE, Fake, plain_listener

LABEL = "amd.com/gpu.mode"
MEGA = 1 << 20


def times(n, kind, answer):
    """The fault answers the first n requests of that kind."""
    def fault(fake, request):
        if request.kind != kind or fake.faults >= n:
            return False
        answer(request)
        return True
    return fault


def always(kind, answer):
    return times(1 << 30, kind, answer)


def status(code, n=2, kind="patch", **headers):
    return times(n, kind, lambda request: request.refuse(code, f"said {code}", **headers))


def text(code, body, n=3, kind="patch", **headers):
    return times(n, kind, lambda request: request.send(code, body, Content_Type="text/plain", **headers))


def body(data, n=2, kind="get"):
    return times(n, kind, lambda request: request.send(200, data))


def cut(request):
    request.send(200, b'{"kind":"Node","meta', length=1000)
    request.close()


def slow(request):
    request.send(200, b"{", length=100000)
    try:
        while True:
            time.sleep(1)
            request.handler.wfile.write(b" ")
            request.handler.wfile.flush()
    except OSError:
        request.close()


sent = {}


def endless(name, begin=b'{"metadata":{"name":"', streamed=False):
    """A hundred megabytes, or as many as the other side takes."""
    def answer(request):
        sent[name] = 0
        try:
            if streamed:
                request.begin_stream()
            else:
                request.send(200, begin, length=100 * MEGA)
            for _ in range(100):
                piece = b"x" * MEGA
                if streamed:
                    request.piece(piece)
                else:
                    request.handler.wfile.write(piece)
                sent[name] += MEGA
        except OSError:
            pass
        request.close()
    return answer


def stream(*pieces, then="hang"):
    def answer(request):
        request.begin_stream()
        for piece in pieces:
            request.piece(piece)
        if then == "hang":
            request.hang()
        else:
            request.piece(b"")
            request.close()
    return answer


def error_event(code):
    return (json.dumps({"type": "ERROR", "object": {
        "kind": "Status", "code": code, "message": f"event {code}"}}) + "\n").encode()


def one_label_refused(fake, request):
    """422 as long as the body has that label."""
    if request.kind != "patch" or b"vfio.driver" not in request.body:
        return False
    request.refuse(422, "Node is invalid", [{
        "field": "metadata.labels", "message": 'Invalid value: "vfio-pci": amd.com/gpu.vfio.driver'}])
    return True


def moved(request):
    request.send(302, b"", Location="https://127.0.0.1:1/elsewhere")


def nested(depth):
    return b'{"a":' * depth + b"1" + b"}" * depth


class Fault:
    """says: a pattern of the log. recovers: the labels come in the end. most: requests until then
    or, where it does not recover, in the first seconds."""

    def __init__(self, name, fault=None, says=None, recovers=True, most=40, check=None, cert="fake",
                 seconds=150):
        self.__dict__.update(locals())


def drift_is_seen(fake, agent, want):
    """After the fault the watch works: a label that goes comes back."""
    assert eventually(lambda: fake.watchers, 200), "no watch"
    before = fake.count("patch")
    fake.drift(LABEL, None)
    assert eventually(lambda: fake.count("patch") > before and fake.labels() == want, 60), \
        "drift is not seen any more"


def watches_again(fake, agent, want):
    assert eventually(lambda: fake.count("watch") >= 2, 200), "no second watch"
    drift_is_seen(fake, agent, want)


def looks_again(fake, agent, want):
    assert eventually(lambda: fake.count("get") >= 2, 60), "it does not look again"
    watches_again(fake, agent, want)


def bytewise(request):
    """Events that come a few bytes at a time."""
    fake = request.fake
    request.begin_stream()
    fake.node["metadata"]["labels"].pop(LABEL, None)
    fake.node["metadata"]["resourceVersion"] = "50"
    event = fake.event()
    for i in range(0, len(event), 7):
        request.piece(event[i:i + 7])
    request.hang()


def half_lines(fake, request):
    request.fake = fake
    return times(1, "watch", bytewise)(fake, request)


def repaired(fake, agent, want):
    assert eventually(lambda: fake.count("patch") >= 2 and fake.labels() == want, 60), "no repair"


def took_little(name, most):
    def check(fake, agent, want):
        assert eventually(lambda: name in sent, 60) and sent[name] < most, f"took {sent[name]} bytes"
    return check


def paced(fake, agent, want):
    """Retry-After: 2 is kept."""
    tries = [at for at, kind in fake.requests if kind == "patch"]
    gaps = [b - a for a, b in zip(tries, tries[1:])][:3]
    assert all(gap >= 1.9 for gap in gaps), gaps


def merges(fake, agent, want):
    fake.drift(LABEL, None)
    assert eventually(lambda: fake.labels() == want, 60), "no repair by merge patch"


def lacks_one(fake, agent, want):
    short = {k: v for k, v in want.items() if k != "amd.com/gpu.vfio.driver"}
    assert eventually(lambda: fake.labels() == short, 60), fake.labels()
    assert fake.count("patch") <= 4


FAULTS = [
    Fault("400 is not tried again soon", status(400, 1 << 30), "said 400", recovers=False, most=3),
    Fault("422 without a name is not tried again soon", status(422, 1 << 30), "said 422",
          recovers=False, most=3),
    Fault("422 that names a label: the others go out", one_label_refused,
          "vfio.driver is left out", recovers=False, check=lacks_one),
    Fault("401 of the write", status(401), "said 401"),
    Fault("401 of the read", status(401, kind="get"), "said 401"),
    Fault("403 is tried again after a minute", status(403, 1), "said 403", most=6),
    Fault("404 of the read", status(404, kind="get"), "not registered"),
    Fault("404 of the write", status(404)),
    Fault("409", status(409), "said 409"),
    Fault("415: merge patches", always("patch", lambda r: r.refuse(415, "said 415")),
          "merge patches", recovers=False, check=lambda f, a, w: None),
    Fault("429 in plain text keeps Retry-After", text(429, b"Too many requests", Retry_After="2"),
          "429", check=paced),
    Fault("429 without Retry-After", text(429, b"Too many requests", n=2), "429"),
    Fault("500", status(500), "said 500"),
    Fault("502 in HTML", text(502, b"<html>Bad Gateway</html>", n=2), "502"),
    Fault("503 keeps Retry-After", status(503, 3, Retry_After="2"), "said 503", check=paced),
    Fault("504", status(504), "said 504"),
    Fault("302 is not followed", times(2, "get", moved), "302"),
    Fault("500 of the read, without a body", text(500, b"", n=2, kind="get"), "500"),
    Fault("an answer that is cut off", times(2, "get", cut), "."),
    Fault("a write's answer that is cut off", times(2, "patch", cut)),
    Fault("an answer a byte a second", times(1, "get", slow), "no answer in time"),
    Fault("no answer at all", times(1, "patch", lambda r: r.hang()), "no answer in time"),
    Fault("garbage", body(b"\x00\xff{{{"), "."),
    Fault("nothing", body(b""), "."),
    Fault("an array", body(b"[1,2]"), "."),
    Fault("labels that are a list", body(b'{"metadata":{"uid":"u","resourceVersion":"1","labels":[]}}'),
          "labels"),
    Fault("a label that is a number",
          body(b'{"metadata":{"uid":"u","resourceVersion":"1","labels":{"a":1}}}'), "labels"),
    Fault("JSON 10,000 deep", body(nested(10000)), "."),
    Fault("100 MB", times(1, "get", endless("get")), ".", check=took_little("get", 24 * MEGA)),
    Fault("100 MB of a write", times(1, "patch", endless("patch")),
          check=took_little("patch", 24 * MEGA)),
    Fault("a watch that is silent for 150 s", times(1, "watch", lambda r: (r.begin_stream(), r.hang())),
          check=watches_again, seconds=400),
    Fault("a watch that comes in half lines", half_lines, check=repaired),
    Fault("a watch that says 410", times(1, "watch", stream(error_event(410))), check=looks_again),
    Fault("a watch that is answered 410", status(410, 1, kind="watch"), check=looks_again),
    Fault("a watch that says 500", times(1, "watch", stream(error_event(500), then="end")),
          check=watches_again),
    Fault("a watch of garbage", times(1, "watch", stream(b"garbage\n")), check=watches_again),
    Fault("a watch's line of 100 MB", times(1, "watch", endless("watch", streamed=True)),
          check=took_little("watch", 24 * MEGA)),
    Fault("a watch that is refused", always("watch", lambda r: r.refuse(403, "said 403")),
          "no watch: changes by others are seen within 5 minutes", most=6),
    Fault("a watch that ends at once, always", always("watch", stream(then="end")), most=20),
    Fault("a certificate of somebody else", says="certificate", recovers=False, cert="alien"),
    Fault("a certificate of yesterday", says="certificate|expired", recovers=False, cert="old"),
    Fault("a certificate of another name", says="certificate|name", recovers=False, cert="named"),
    Fault("no TLS", says="SSL|TLS|wrong version", recovers=False, cert=None),
]


class Case:
    """One agent beside one server."""

    def __init__(self, fault, program, directory, authority, number):
        self.fault = fault
        self.dir = os.path.join(directory, str(number))
        os.makedirs(self.dir)
        self.agent = Agent(program, self.dir)
        self.machine = Machine(self.dir, "mi300x-sriov")
        self.want = self.agent.labels(self.machine)
        self.fake = Fake(authority, fault.cert, fault.fault)
        self.kubeconfig = kubeconfig(self.dir, self.fake.url, authority)
        self.wrong = None

    def run(self):
        try:
            self.agent.start(self.machine, self.kubeconfig, "--node-name", NODE)
            self.look()
        except AssertionError as wrong:
            self.wrong = str(wrong) or "assertion"
        finally:
            if not self.agent.is_alive():
                self.wrong = "the agent died; " + (self.wrong or "")
            try:
                self.agent.stop()
            except AssertionError as wrong:
                self.wrong = str(wrong)
            self.fake.stop()

    def look(self):
        fault = self.fault
        if fault.recovers:
            assert eventually(lambda: self.fake.labels() == self.want, fault.seconds), \
                f"not published: {self.fake.labels()}"
        elif fault.says:
            assert self.agent.says(fault.says, 60), "nothing said"
        if fault.check:
            fault.check(self.fake, self.agent, self.want)
        else:
            time.sleep(10 if not fault.recovers or fault.most < 40 else 0)
        if fault.says:
            assert self.agent.says(fault.says), "nothing said"
        assert len(self.fake.requests) <= fault.most, f"{len(self.fake.requests)} requests"
        errors = [line for line in self.agent.log().splitlines() if ": error: " in line]
        assert len(errors) <= 3, errors
        if not fault.recovers and not fault.check:
            assert self.fake.labels() == {}, self.fake.labels()


def kubeconfig(directory, server, authority, name="kubeconfig", **changes):
    config = {"current-context": "c", "contexts": [{"name": "c", "context": {
        "cluster": "c", "user": "u"}}], "clusters": [{"name": "c", "cluster": {
            "server": server, "certificate-authority": authority.path("ca.crt")}}],
        "users": [{"name": "u", "user": {"token": "secret-token"}}]}
    config["clusters"][0]["cluster"].update(changes.get("cluster", {}))
    config["users"][0]["user"] = changes.get("user", config["users"][0]["user"])
    path = os.path.join(directory, name)
    with open(path, "w") as file:
        json.dump(config, file)
    return path


def bad_settings(program, directory, authority):
    """Each: exit status 2, as it can never work, or 1 where a file may be put right any time, and
    one line that says what, where. Yields (sentence, what is wrong)."""
    machine = Machine(directory, "no-gpu")

    def file(name, data):
        path = os.path.join(directory, name)
        with open(path, "wb") as out:
            out.write(data)
        return path

    def config(name, **changes):
        return kubeconfig(directory, "https://127.0.0.1:1", authority, name, **changes)

    cycle = b"a: &x\n  b: *x\n"
    rows = [
        ("a kubeconfig that is not there", "/nonexistent/config", "/nonexistent/config"),
        ("a kubeconfig that is a directory", directory, directory),
        ("a kubeconfig with a cycle", file("cycle", cycle), "cycle:"),
        ("a kubeconfig of 100 MB", file("large", b"# " + b"x" * (100 * MEGA)), "large"),
        ("a kubeconfig that is no YAML", file("noyaml", b"a: [\n"), "noyaml:"),
        ("a kubeconfig that is a list", file("list", b"- a\n"), "list"),
        ("an empty kubeconfig", file("empty", b""), "empty"),
        ("clusters that are a text", file("types", b"current-context: a\ncontexts: text\n"), "types:2"),
        ("a server without a scheme", config("scheme", cluster={"server": "127.0.0.1:6443"}),
         "does not start with https://"),
        ("a server over http", config("http", cluster={"server": "http://127.0.0.1:8080"}),
         "does not start with https://"),
        ("an empty token", config("notoken", user={"token": ""}), "token"),
        ("basic auth", config("basic", user={"username": "a", "password": "b"}), "basic auth"),
        ("an auth provider", config("provider", user={"auth-provider": {"name": "gcp"}}),
         "auth-provider"),
        ("a certificate without a key", config("nokey", user={
            "client-certificate": authority.path("fake.crt")}), "client-key"),
    ]
    retried = [
        ("a CA that is no PEM", config("pem", cluster={
            "certificate-authority": file("nopem", b"hello")}), "nopem"),
        ("a token file that is empty", config("emptytoken", user={
            "tokenFile": file("empty.token", b"\n")}), "empty.token"),
        ("a token of two lines", config("twolines", user={
            "tokenFile": file("two.token", b"a\nX-Evil: b\n")}), "two.token"),
        ("a client key that is no PEM", config("nokeypem", user={
            "client-certificate": authority.path("fake.crt"),
            "client-key": file("key.pem", b"key")}), "key.pem"),
    ]
    for status, (sentence, path, says) in [(2, row) for row in rows] + [(1, row) for row in retried]:
        done = subprocess.run(
            [program, "run", "--once", "--root", machine.root, "--output", "node", "--node-name",
             NODE, "--startup-spread", "0", "--kubeconfig", path],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        lines = [line for line in done.stdout.splitlines() if "gpu-labeler: " in line]
        wrong = None
        if done.returncode != status or len(lines) != 1 or says not in done.stdout:
            wrong = f"status {done.returncode}: {done.stdout[:600]}"
        yield sentence + " is refused", wrong


def comes_later(program, directory, authority):
    """What may come later is waited for. Yields (sentence, what is wrong)."""
    missing = os.path.join(directory, "later.token")
    fake = Fake(authority)
    agent = Agent(program, directory)
    machine = Machine(directory, "mi300x-sriov")
    path = kubeconfig(directory, fake.url, authority, "later", user={"tokenFile": missing})
    agent.start(machine, path, "--node-name", NODE)
    wrong = None if agent.says("later.token") and agent.is_alive() else agent.log()
    with open(missing, "w") as file:
        file.write("secret\n")
    if not eventually(lambda: fake.labels() == agent.labels(machine), 60):
        wrong = "not published: " + agent.log()
    agent.stop()
    fake.stop()
    yield "a token file that is not there yet is waited for", wrong


def cleans(program, directory, authority):
    """clean --every-node, of a server that is not well. Yields (sentence, what is wrong)."""
    rows = [
        ("is told to come again", status(503, kind="get", Retry_After="1"), 0, "cleaned 1 of 1"),
        ("is told to come again with a patch", status(429, Retry_After="1"), 0, "cleaned 1 of 1"),
        ("is cut off", times(2, "patch", lambda request: request.close()), 0, "cleaned 1 of 1"),
        ("finds a Node that goes meanwhile", status(404, n=9), 0, "cleaned 0 of 1"),
        ("has no right", status(403, n=99, kind="get"), 1, "said 403"),
        ("gets a list that is none", body(b"[]"), 1, "no list"),
        ("gets half a list", always("get", cut), 1, "/api/v1/nodes"),
    ]
    for n, (sentence, fault, wanted, says) in enumerate(rows):
        fake = Fake(authority, fault=fault)
        fake.node["metadata"]["labels"][LABEL] = "container"
        path = kubeconfig(directory, fake.url, authority, f"clean-{n}")
        done = subprocess.run([program, "clean", "--every-node", "--output", "node", "--kubeconfig",
                               path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=300)
        fake.stop()
        wrong = None
        if done.returncode != wanted or says not in done.stdout or \
                ("cleaned 1" in says) != (fake.labels() == {}):
            wrong = f"status {done.returncode}, {fake.labels()}: {done.stdout[:600]}"
        yield f"clean --every-node that {sentence} ends with {wanted}", wrong


def hang_up(connection):
    connection.close()


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    directory = tempfile.mkdtemp()
    only = sys.argv[2] if len(sys.argv) == 3 else ""
    begin = time.monotonic()
    passed = failed = 0

    def tell(sentence, wrong, log=""):
        nonlocal passed, failed
        if wrong:
            failed += 1
            print(f"FAILED  {sentence}: {wrong}\n{log}", flush=True)
        else:
            passed += 1
            print(f"ok      {sentence}", flush=True)

    try:
        authority = Authority(directory)
        authority.issue("fake", "/CN=fake")
        authority.issue("named", "/CN=fake", alt="DNS:other.name")
        alien = os.path.join(directory, "alien")
        os.mkdir(alien)
        Authority(alien).issue("alien", "/CN=fake")
        for end in (".crt", ".key"):
            shutil.copy(os.path.join(alien, "alien" + end), directory)
        authority.issue("old", "/CN=fake", days=-1)
        cases = [Case(fault, program, directory, authority, n) for n, fault in enumerate(FAULTS)
                 if only in fault.name]
        threads = [threading.Thread(target=case.run) for case in cases]
        for thread in threads:
            thread.start()
        if not only:
            for sentence, wrong in bad_settings(program, directory, authority):
                tell(sentence, wrong)
            for check in (comes_later, cleans):
                for sentence, wrong in check(program, directory, authority):
                    tell(sentence, wrong)
        for thread, case in zip(threads, cases):
            thread.join()
            tell(case.fault.name, case.wrong, case.agent.log()[-2000:])
    finally:
        shutil.rmtree(directory)
    print(f"{passed} passed, {failed} failed in {time.monotonic() - begin:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
