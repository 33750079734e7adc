#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What agents cost a real API server, and what it costs them.

usage: api.py GPU_LABELER [steady|memory|herd|repair]...     default: all four

steady  requests and bytes of one agent and hour, beside a poll every 60 s
memory  300 real agents with their TLS connections, with 300 Nodes and with 5,000 in the cluster
herd    5,000 simulated agents start within the agent's own spread: requests, refusals, losses
repair  1,000 labels deleted from 250 Nodes of real agents: when are they back

Figures are shown; only a promise that no noise can excuse fails the run: more than 2 requests or
130 KB an hour, 8 MiB an agent, a lost agent. How many are refused is a matter of what else the
machine does: the aim is less than 1 %.
"""

import asyncio
import json
import os
import random
import resource
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../apiserver"))
from agent import Agent, Machine  # noqa: E402
from cluster import APPLY, NAMESPACE, Cluster, eventually  # noqa: E402

PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
SPREAD_S = 30  # the agent's default
MODE = "amd.com/gpu.mode"
MANY = 5000
REAL = 300

failures = []


def promise(kept, sentence):
    print(f"        {'kept' if kept else 'BROKEN'}: {sentence}")
    if not kept:
        failures.append(sentence)


def full_status(beat):
    """What a kubelet reports of a large node: some 25 KB."""
    return {"status": {
        "conditions": [{"type": kind, "status": "False", "reason": "KubeletIsFine",
                        "lastHeartbeatTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(
                            time.time() + beat))}
                       for kind in ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")],
        "images": [{"names": [f"registry.example/{'x' * 100}/image-{i}@sha256:{'a' * 64}",
                              f"registry.example/{'x' * 100}/image-{i}:v1"], "sizeBytes": 1 << 30}
                   for i in range(50)]}}


def node_object(name):
    return {"metadata": {"name": name, "labels": {
        f"vendor.example/label-{i}": "value" for i in range(40)} | {"kubernetes.io/hostname": name}}}


def create_nodes(cluster, names):
    """With eight connections at once."""
    parts = [names[i::8] for i in range(8)]

    def create(part):
        own = Connection(cluster)
        for name in part:
            own.request("POST", "/api/v1/nodes", node_object(name))
            own.request("PATCH", f"/api/v1/nodes/{name}/status?fieldManager=kubelet",
                        full_status(0), "application/merge-patch+json")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, parts))


class Connection:
    """The cluster's requests on a connection of its own."""

    def __init__(self, cluster):
        self.cluster = cluster
        self._connection = None

    _connect = Cluster._connect
    request = Cluster.request

    def path(self, name):
        return self.cluster.path(name)

    @property
    def port(self):
        return self.cluster.port


class CountingProxy:
    """An HTTP proxy that counts the bytes of both directions, as they go over the wire."""

    def __init__(self, port):
        self.bytes = 0
        self.connections = 0
        self.target = port
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()
        self.ready.wait()

    def _run(self):
        async def serve():
            server = await asyncio.start_server(self._client, "127.0.0.1", 0)
            self.url = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
            self.ready.set()
            await server.serve_forever()
        self.loop.run_until_complete(serve())

    async def _client(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.bytes += len(head)
        self.connections += 1
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

        async def pump(source, sink):
            try:
                while data := await source.read(65536):
                    self.bytes += len(data)
                    sink.write(data)
                    await sink.drain()
            except OSError:
                pass
            sink.close()

        await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))


def steady(bench):
    """An hour has 12 reports of the kubelet, 60 bookmarks and 1.33 new watches (each lasts 30 to 60
    minutes). The reports and a new watch are measured, the bookmarks awaited for three minutes."""
    cluster = bench.cluster
    proxy = CountingProxy(cluster.port)
    node = "steady"
    cluster.create("/api/v1/nodes", node_object(node))
    cluster.request("PATCH", f"/api/v1/nodes/{node}/status", full_status(0),
                    "application/merge-patch+json")
    kubeconfig = bench.account(node, **{"proxy-url": proxy.url})
    machine = Machine(bench.dir, "mi300x-sriov")
    bench.agent.start(machine, kubeconfig, "--interval", "1h")
    assert bench.agent.says("published")
    time.sleep(2)
    start_bytes, start_connections = proxy.bytes, proxy.connections
    for beat in range(12):
        cluster.request("PATCH", f"/api/v1/nodes/{node}/status", full_status(60 * beat),
                        "application/merge-patch+json")
        time.sleep(0.3)
    time.sleep(2)
    reports = proxy.bytes - start_bytes
    before = proxy.bytes
    time.sleep(180)
    bookmarks = (proxy.bytes - before) * 20
    assert proxy.connections == start_connections, "a new connection"
    new_watch = start_bytes / start_connections  # its handshake is the better part
    total = reports + bookmarks + new_watch * 4 / 3
    whole = len(cluster.request("GET", f"/api/v1/nodes/{node}", raw=True))
    print(f"steady  {4 / 3:.2f} requests and {total / 1000:.0f} KB an hour: reports {reports / 1000:.0f}, "
          f"bookmarks {bookmarks / 1000:.0f}, new watches {new_watch * 4 / 3000:.0f} KB\n"
          f"        a GET of the Node ({whole / 1000:.0f} KB) every 60 s: 60 requests, "
          f"{60 * whole / 1000:.0f} KB: {60 * whole / total:.0f} times as much")
    promise(total < 130000, "at most 2 requests and 130 KB an hour")
    bench.agent.stop()


def memory(bench):
    names = [f"real-{i}" for i in range(REAL)]
    create_nodes(bench.cluster, names)
    agents = bench.start_agents(names)
    small = bench.resident(agents)
    create_nodes(bench.cluster, [f"more-{i}" for i in range(MANY - REAL)])
    bench.cluster.merge(f"/api/v1/nodes/{names[0]}", {"metadata": {"labels": {"a": "b"}}})
    time.sleep(3)
    large = bench.resident(agents)
    print(f"memory  {REAL} agents: {statistics.median(small)} KiB resident (most {max(small)}) with "
          f"{REAL} Nodes, {statistics.median(large)} KiB (most {max(large)}) with {MANY}\n"
          f"        AMD's labeller: 30 MB and 366 MB: {366000 / statistics.median(large):.0f} times "
          "as much")
    promise(max(large) < 8192, "8 MiB an agent with TLS connected")
    bench.agents = agents


def repair(bench):
    """What AMD's GPU operator does to every node at once."""
    names = [f"real-{i}" for i in range(250)]
    if not bench.agents:
        create_nodes(bench.cluster, names)
        bench.agents = bench.start_agents(names)
    time.sleep(3)
    gone = [key for key in list(bench.want)[:4]]
    begin = {}
    back = {}

    def destroy(name):
        own = Connection(bench.cluster)
        own.request("PATCH", f"/api/v1/nodes/{name}?fieldManager=operator", {"metadata": {
            "labels": {key: None for key in gone}}}, "application/merge-patch+json")
        begin[name] = time.monotonic()
        while time.monotonic() < begin[name] + 60:
            labels = own.request("GET", f"/api/v1/nodes/{name}?resourceVersion=0",
                                 accept=PARTIAL)["metadata"]["labels"]
            if all(key in labels for key in gone):
                back[name] = time.monotonic() - begin[name]
                return
            time.sleep(0.05)

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(destroy, names))
    times = sorted(back.values())
    print(f"repair  {len(gone) * len(names)} labels deleted from {len(names)} Nodes: all back on "
          f"{len(times)}, median {statistics.median(times):.2f} s, 99 % {times[int(len(times) * .99)]:.2f} s")
    promise(len(times) == len(names), "all are back")


class Simulated:
    """One agent's start: look, apply, watch, each as the agent asks for it."""

    def __init__(self, herd, name):
        self.herd, self.name = herd, name

    async def run(self):
        await asyncio.sleep(random.uniform(0, SPREAD_S))
        begin = time.monotonic()
        while not await self.try_it():
            pass
        self.herd.done.append(time.monotonic() - begin)
        await self.herd.finished.wait()
        self.writer.transport.abort()

    async def try_it(self):
        herd = self.herd
        try:
            reader, self.writer = await asyncio.open_connection("127.0.0.1", herd.port,
                                                                ssl=herd.context)
            path = f"/api/v1/nodes/{self.name}"
            metadata = (await self.ask(reader, "GET", path))["metadata"]
            body = json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {
                "name": self.name, "uid": metadata["uid"], "labels": herd.labels}})
            metadata = (await self.ask(reader, "PATCH", path + "?fieldManager=gpu-labeler&force=true",
                                       body))["metadata"]
            await self.ask(reader, "GET", "/api/v1/nodes?watch=true&fieldSelector=metadata.name%3D"
                           f"{self.name}&resourceVersion={metadata['resourceVersion']}"
                           "&allowWatchBookmarks=true&timeoutSeconds=1800", watch=True)
            return True
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError) as error:
            herd.broken[type(error).__name__] = herd.broken.get(type(error).__name__, 0) + 1
            await asyncio.sleep(random.uniform(0.1, 2))
            return False

    async def ask(self, reader, method, path, body="", watch=False):
        while True:
            self.herd.requests += 1
            head = (f"{method} {path} HTTP/1.1\r\nHost: x\r\nAccept: {PARTIAL}\r\n"
                    f"Authorization: Bearer {self.herd.token}\r\nContent-Type: {APPLY}\r\n"
                    f"Content-Length: {len(body)}\r\nUser-Agent: gpu-labeler/simulated\r\n\r\n")
            self.writer.write((head + body).encode())
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            status = int(answer.split()[1])
            if watch and status == 200:
                return None
            text = await self.read_body(reader, answer)
            if status == 429:
                self.herd.refused += 1
                asked = int(answer.split("retry-after:")[1].split()[0])
                await asyncio.sleep(random.uniform(asked, 2 * asked))
                continue
            if status != 200:
                raise OSError(text[:200])
            return json.loads(text)

    @staticmethod
    async def read_body(reader, head):
        if "content-length:" in head:
            return await reader.readexactly(int(head.split("content-length:")[1].split()[0]))
        text = b""
        while size := int((await reader.readline()).strip() or b"0", 16):
            text += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return text


class Herd:
    def __init__(self, bench):
        self.port = bench.cluster.port
        self.labels = bench.want
        self.context = ssl.create_default_context(cafile=bench.cluster.path("ca.crt"))
        # one account for all, as a DaemonSet has: the server's fairness sees one flow
        self.token = bench.cluster.token()
        self.requests = self.refused = 0
        self.done, self.broken = [], {}

    async def run(self, names):
        self.finished = asyncio.Event()
        begin = time.monotonic()
        tasks = [asyncio.create_task(Simulated(self, name).run()) for name in names]
        while len(self.done) < len(names) and time.monotonic() < begin + 300:
            await asyncio.sleep(0.2)
        self.seconds = time.monotonic() - begin
        self.finished.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def herd(bench):
    for agent in bench.agents:
        agent.stop()
    bench.agents = []
    names = [node["metadata"]["name"] for node in bench.cluster.request(
        "GET", "/api/v1/nodes?resourceVersion=0", accept=PARTIAL.replace(
            "PartialObjectMetadata", "PartialObjectMetadataList"))["items"] or []]
    missing = [f"more-{i}" for i in range(MANY) if f"more-{i}" not in set(names)][:MANY - len(names)]
    create_nodes(bench.cluster, missing)
    names = (names + missing)[:MANY]
    # the simulated agents share a token, which no policy of own Nodes would let through
    bench.cluster.request("DELETE", "/apis/admissionregistration.k8s.io/v1/"
                          "validatingadmissionpolicybindings/gpu-labeler-own-node")
    time.sleep(2)
    run = Herd(bench)
    asyncio.run(run.run(names))
    times = sorted(run.done)
    lost = len(names) - len(times)
    print(f"herd    {len(names)} agents within {SPREAD_S} s: {run.requests} requests, {run.refused} "
          f"refused with 429 ({100 * run.refused / run.requests:.2f} %), {lost} lost, all labelled and "
          f"watching after {run.seconds:.0f} s; one took {statistics.median(times):.1f} s, at most "
          f"{times[-1]:.1f} s{'; ' + str(run.broken) if run.broken else ''}")
    promise(lost == 0, "no agent is lost")


class Bench:
    def __init__(self, program, directory):
        self.dir = directory
        self.program = program
        self.cluster = Cluster(os.path.join(directory, "cluster"))
        self.agent = Agent(program, directory)
        self.agents = []
        self.machine = Machine(directory, "mi300x-sriov")
        self.want = self.agent.labels(self.machine)

    def account(self, node, **cluster):
        pod = self.cluster.create_pod("agent-" + node, node)
        if cluster:
            cluster["certificate-authority"] = "ca.crt"
        return self.cluster.kubeconfig(node, self.cluster.token(pod), **cluster)

    def start_agents(self, names):
        agents = []
        for name in names:
            directory = os.path.join(self.dir, "agent-" + name)
            os.mkdir(directory)
            agent = Agent(self.program, directory)
            agent.start(self.machine, self.account(name), "--interval", "1h")
            agents.append(agent)
        assert eventually(lambda: all("published" in agent.log() for agent in agents), 120), \
            "not all have published"
        time.sleep(2)
        return agents

    @staticmethod
    def resident(agents):
        sizes = []
        for agent in agents:
            with open(f"/proc/{agent.process.pid}/status") as status:
                sizes += [int(line.split()[1]) for line in status if line.startswith("VmRSS")]
        return sizes


def main():
    parts = {"steady": steady, "memory": memory, "repair": repair, "herd": herd}
    wanted = sys.argv[2:] or list(parts)
    if len(sys.argv) < 2 or not set(wanted) <= set(parts):
        sys.exit(__doc__)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    directory = tempfile.mkdtemp()
    bench = Bench(sys.argv[1], directory)
    try:
        bench.cluster.start()
        bench.cluster.install("api")
        time.sleep(2)
        for part in parts:
            if part in wanted:
                parts[part](bench)
    finally:
        for agent in [bench.agent, *bench.agents]:
            if agent.is_alive():
                agent.process.kill()
        bench.cluster.stop()
        shutil.rmtree(directory)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
