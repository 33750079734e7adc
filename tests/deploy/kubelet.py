# SPDX-License-Identifier: Apache-2.0
"""What a kubelet does for a Pod of ours, on machines that are described.

Each Pod that the scheduler gave to one of its nodes runs: the container's own command line and
environment, its user and no right more, its volumes, the node's described /sys, a read-only root.
Probes are asked, what ends is told, and what is to be deleted is ended first.
"""

import copy
import http.client
import os
import shutil
import subprocess
import threading
import time

from cluster import MERGE, Refused

# Everything that the container does not have is made so before its program starts.
START = """
set -e
mount --make-rprivate /
mount --bind "$SYSFS" /sys
mount -t tmpfs tmpfs /etc
mount -t tmpfs tmpfs /run
touch /run/gpu-labeler
mount --bind "$PROGRAM" /run/gpu-labeler
for volume in $VOLUMES; do
	mkdir -p "${volume#*=}"
	mount --bind "${volume%%=*}" "${volume#*=}"
done
mount -o remount,bind,ro /
mount -o remount,ro /etc
mount -o remount,ro /run
exec setpriv --reuid "$RUN_AS" --regid "$RUN_AS" --clear-groups --no-new-privs --bounding-set=-all \\
	--inh-caps=-all env -u SYSFS -u PROGRAM -u VOLUMES -u RUN_AS /run/gpu-labeler "$@"
"""


class Pod:
    def __init__(self, manifest, address):
        self.manifest = manifest
        self.name = manifest["metadata"]["name"]
        self.namespace = manifest["metadata"]["namespace"]
        self.path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"
        self.container = manifest["spec"]["containers"][0]
        self.address = address
        self.process = None
        self.deleted = None  # since when it is to go
        self.ready = None
        self.ended = False

    def ask(self, path):
        """The answer at the container's port: status and text; None where there is none."""
        port = self.container["ports"][0]["containerPort"]
        connection = http.client.HTTPConnection(self.address, port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def probe(self, which):
        get = self.container[which]["httpGet"]
        assert get["port"] == self.container["ports"][0]["name"], "a probe of no port"
        answer = self.ask(get["path"])
        return answer is not None and answer[0] == 200


class Kubelet:
    """Of all nodes."""

    def __init__(self, cluster, program, directory, machines):
        self.cluster = copy.copy(cluster)  # with a connection of its own: this is another thread
        self.cluster._connection = None
        self.program = os.path.abspath(program)
        self.dir = directory
        self.machines = machines  # by node
        self.pods = {}            # by uid
        self.log = []             # of Pods that have gone: name, what they said
        self.trouble = []
        self.patience = 0         # seconds that a Pod goes on after it was deleted
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self):
        self.stopped.set()
        self.thread.join()
        for pod in self.pods.values():
            if pod.process and pod.process.poll() is None:
                pod.process.kill()
                pod.process.wait()

    def host_path(self, node, path):
        return os.path.join(self.dir, "hosts", node, path.strip("/"))

    def running(self, name):
        """The Pods whose name starts so, whose process is alive."""
        return [pod for pod in list(self.pods.values())
                if pod.name.startswith(name) and pod.process and pod.process.poll() is None]

    def said(self, name):
        """What Pods whose name starts so have said."""
        text = "".join(text for pod, text in self.log if pod.startswith(name))
        for pod in list(self.pods.values()):
            if pod.name.startswith(name):
                text += self._log_of(pod)
        return text

    # ---- volumes ----

    def _volume(self, pod, volume, directory):
        """A directory with what the volume has; None: it has nothing to be mounted."""
        os.makedirs(directory, exist_ok=True)
        if "hostPath" in volume:
            path = self.host_path(pod.manifest["spec"]["nodeName"], volume["hostPath"]["path"])
            assert volume["hostPath"].get("type") == "DirectoryOrCreate"
            os.makedirs(path, exist_ok=True)
            return path
        if "configMap" in volume:
            self._config_map(pod, volume["configMap"], directory)
            return directory
        sources = volume.get("projected", {}).get("sources")
        assert sources, f"a volume of an unknown kind: {volume}"
        for source in sources:
            if "configMap" in source:
                self._config_map(pod, source["configMap"], directory)
            elif "serviceAccountToken" in source:
                self._write(directory, source["serviceAccountToken"]["path"], self.token(pod))
            else:
                item = source["downwardAPI"]["items"][0]
                assert item["fieldRef"]["fieldPath"] == "metadata.namespace"
                self._write(directory, item["path"], pod.namespace)
        return directory

    def _config_map(self, pod, source, directory):
        try:
            data = self.cluster.request(
                "GET", f"/api/v1/namespaces/{pod.namespace}/configmaps/{source['name']}")["data"]
        except Refused as refused:
            if refused.code == 404 and source.get("optional"):
                return
            raise
        items = source.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            self._write(directory, item["path"], data[item["key"]])

    @staticmethod
    def _write(directory, name, text):
        with open(os.path.join(directory, name), "w") as file:
            file.write(text)

    def token(self, pod):
        account = pod.manifest["spec"].get("serviceAccountName", "default")
        path = f"/api/v1/namespaces/{pod.namespace}/serviceaccounts/{account}/token"
        return self.cluster.create(path, {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600, "boundObjectRef": {
                "kind": "Pod", "apiVersion": "v1", "name": pod.name,
                "uid": pod.manifest["metadata"]["uid"]}}})["status"]["token"]

    # ---- one Pod ----

    def _environment(self, pod):
        environment = {"PATH": os.environ["PATH"], "KUBERNETES_SERVICE_HOST": "127.0.0.1",
                       "KUBERNETES_SERVICE_PORT": str(self.cluster.port)}
        for variable in pod.container.get("env", []):
            value = variable.get("value")
            if "valueFrom" in variable:
                assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "spec.nodeName"
                value = pod.manifest["spec"]["nodeName"]
            environment[variable["name"]] = value
        return environment

    def _start(self, pod):
        spec, container = pod.manifest["spec"], pod.container
        directory = os.path.join(self.dir, "pods", pod.manifest["metadata"]["uid"])
        volumes = {volume["name"]: self._volume(pod, volume, os.path.join(directory, volume["name"]))
                   for volume in spec.get("volumes", [])}
        confined, user = container["securityContext"], spec["securityContext"]["runAsUser"]
        assert confined["capabilities"]["drop"] == ["ALL"] and confined["readOnlyRootFilesystem"]
        assert confined["allowPrivilegeEscalation"] is False
        assert container["command"] == ["/usr/bin/gpu-labeler"]
        mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
        # All Pods share this machine's network: each has an address of its own.
        args = [arg.replace("--listen=:", f"--listen={pod.address}:") for arg in container["args"]]
        root = self.machines[spec["nodeName"]].root
        pod.log = open(os.path.join(directory, "log"), "w+")
        pod.process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", START, "sh", *args], stdout=pod.log,
            stderr=pod.log, env={
                **self._environment(pod), "SYSFS": os.path.join(root, "sys"), "RUN_AS": str(user),
                "PROGRAM": self.program,
                "VOLUMES": " ".join(f"{path}={at}" for at, path in mounts.items())})

    @staticmethod
    def _log_of(pod):
        if not pod.process:
            return ""
        with open(pod.log.name) as log:
            return log.read()

    def _tell(self, pod, phase, ready, status=None):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        state = {"running": {"startedAt": now}}
        if status is not None:
            state = {"terminated": {"exitCode": status, "startedAt": now, "finishedAt": now}}
        word = "True" if ready else "False"
        self.cluster.request("PATCH", pod.path + "/status?fieldManager=kubelet", {"status": {
            "phase": phase, "startTime": pod.manifest["metadata"]["creationTimestamp"],
            "podIP": pod.address, "podIPs": [{"ip": pod.address}],
            "conditions": [{"type": kind, "status": word, "lastTransitionTime": now}
                           for kind in ("Ready", "ContainersReady")],
            "containerStatuses": [{
                "name": pod.container["name"], "image": pod.container["image"], "imageID": "x",
                "restartCount": 0, "ready": ready, "started": True, "state": state}]}}, MERGE)

    def _care(self, pod):
        status = pod.process.poll()
        if status is not None and not pod.ended and not pod.deleted:
            pod.ended = True
            restarts = pod.manifest["spec"]["restartPolicy"] == "Always"
            if status != 0 or restarts:
                self.trouble.append(f"{pod.name} left with {status}: {self._log_of(pod)[-2000:]}")
            self._tell(pod, "Failed" if status else "Succeeded", False, status)
        elif status is None and "readinessProbe" in pod.container:
            ready = pod.probe("readinessProbe")
            if ready != pod.ready:
                pod.ready = ready
                self._tell(pod, "Running", ready)

    def _end(self, pod):
        """SIGTERM, and it is gone when it has left."""
        if time.monotonic() - pod.deleted < self.patience:
            return
        if pod.process.poll() is None:
            pod.process.terminate()
            try:
                pod.process.wait(60)
            except subprocess.TimeoutExpired:
                pod.process.kill()
                self.trouble.append(f"{pod.name} does not leave")
        if pod.process.wait() != 0 and not pod.ended:
            self.trouble.append(f"{pod.name} left with {pod.process.returncode}: "
                                f"{self._log_of(pod)[-2000:]}")
        uid = pod.manifest["metadata"]["uid"]
        self.log.append((pod.name, self._log_of(pod)))
        pod.log.close()
        del self.pods[uid]
        self.cluster.request("DELETE", pod.path + "?gracePeriodSeconds=0",
                             {"preconditions": {"uid": uid}})
        shutil.rmtree(os.path.join(self.dir, "pods", uid), ignore_errors=True)

    # ---- the loop ----

    def _turn(self):
        there = {}
        for manifest in self.cluster.request("GET", "/api/v1/pods")["items"]:
            if manifest["spec"].get("nodeName") in self.machines:
                there[manifest["metadata"]["uid"]] = manifest
        for uid, manifest in there.items():
            pod = self.pods.get(uid)
            deleted = "deletionTimestamp" in manifest["metadata"]
            if pod is None and not deleted:
                taken = {int(other.address.split(".")[3]) for other in self.pods.values()}
                number = next(n for n in range(2, 250) if n not in taken)
                pod = self.pods[uid] = Pod(manifest, f"127.0.0.{number}")
                self._start(pod)
                self._tell(pod, "Running", False)
            if pod is None:
                self.cluster.request("DELETE", f"/api/v1/namespaces/{manifest['metadata']['namespace']}"
                                     f"/pods/{manifest['metadata']['name']}?gracePeriodSeconds=0")
            elif deleted:
                pod.deleted = pod.deleted or time.monotonic()
                self._end(pod)
            else:
                self._care(pod)

    def _run(self):
        while not self.stopped.wait(0.1):
            try:
                self._turn()
            except Refused as refused:
                if refused.code not in (404, 409):
                    self.trouble.append(str(refused))
            except (OSError, http.client.HTTPException, AssertionError, KeyError) as error:
                self.trouble.append(f"{type(error).__name__}: {error}")
