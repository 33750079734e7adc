# SPDX-License-Identifier: Apache-2.0
"""An OCI image as a container of crun or runc, with what a kubelet gives a restricted pod: the
runtime's default mounts, the image's user, a read-only root, no capability, no new privileges, and
containers-common's default seccomp profile, which is Docker's and containerd's in essence."""

import json
import os
import platform
import shutil
import subprocess
import tarfile

PROFILE = "/usr/share/containers/seccomp.json"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Image:
    """An oci-archive, its one image unpacked."""

    def __init__(self, archive, directory):
        self.root = os.path.join(directory, "rootfs")
        os.mkdir(self.root)
        with tarfile.open(archive) as tar:
            def blob(digest):
                return tar.extractfile("blobs/" + digest.replace(":", "/"))
            index = json.load(tar.extractfile("index.json"))
            manifest = json.load(blob(index["manifests"][0]["digest"]))
            self.config = json.load(blob(manifest["config"]["digest"]))["config"]
            for layer in manifest["layers"]:
                with tarfile.open(fileobj=blob(layer["digest"])) as files:
                    files.extractall(self.root)
        os.chmod(self.root, 0o755)
        self.command = self.config["Entrypoint"]


def holds(rule):
    """A profile's rule is for some architectures, and for containers with or without capabilities:
    ours has none."""
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
    arch = ARCHITECTURES.get(platform.machine())
    return not includes.get("caps") and arch in includes.get("arches", [arch]) and \
        arch not in excludes.get("arches", [])


def seccomp():
    """The default profile as the runtime wants it."""
    with open(PROFILE) as file:
        profile = json.load(file)
    arch = "SCMP_ARCH_" + platform.machine().upper()
    also = [a for row in profile["archMap"] if row["architecture"] == arch
            for a in row.get("subArchitectures") or []]
    rules = [{key: rule[key] for key in ("names", "action", "errnoRet", "args") if rule.get(key)}
             for rule in profile["syscalls"] if holds(rule)]
    return {"defaultAction": profile["defaultAction"], "architectures": [arch, *also],
            "defaultErrnoRet": profile.get("defaultErrnoRet", 1), "syscalls": rules}


def in_user_namespace():
    with open("/proc/self/uid_map") as file:
        return file.read().split() != ["0", "0", "4294967295"]


def is_kept(mount, host_network):
    """No control groups; and only who has a network namespace may mount its sysfs."""
    return mount["destination"] != "/sys/fs/cgroup" and not (
        mount["destination"] == "/sys" and host_network and in_user_namespace())


class Runtime:
    """crun or runc. Without control groups: these are the kubelet's affair."""

    def __init__(self, name, directory):
        self.name, self.dir = name, directory
        os.mkdir(directory)
        self.options = ["--root", os.path.join(directory, "state")]
        if name == "crun":
            self.options += ["--cgroup-manager", "disabled"]
        self.count = 0

    def container(self, image, *args, mounts=(), env=(), user=None, host_network=False,
                  program=None):
        """mounts: (source, place, 'ro' or 'rw'). The command line that runs it, and its name."""
        self.count += 1
        name = f"gpu-labeler-{os.getpid()}-{self.count}"
        bundle = os.path.join(self.dir, name)
        os.mkdir(bundle)
        subprocess.run([self.name, "spec"], cwd=bundle, check=True)
        path = os.path.join(bundle, "config.json")
        with open(path) as file:
            spec = json.load(file)
        uid, gid = (int(i) for i in (user or image.config["User"]).split(":"))
        spec["process"].update(
            terminal=False, noNewPrivileges=True, user={"uid": uid, "gid": gid},
            args=[*([program] if program else image.command), *args],
            env=[*image.config.get("Env", []), *env],
            capabilities={kind: [] for kind in spec["process"]["capabilities"]})
        spec["root"] = {"path": image.root, "readonly": True}
        spec["mounts"] = [m for m in spec["mounts"] if is_kept(m, host_network)]
        if "/sys" not in [m["destination"] for m in spec["mounts"]]:
            mounts = [*mounts, ("/sys", "/sys", "ro")]
        spec["mounts"] += [{"destination": place, "source": source, "type": "bind",
                            "options": ["rbind", how, "nosuid", "nodev"]}
                           for source, place, how in mounts]
        linux = spec["linux"]
        without = {"cgroup"} | ({"network"} if host_network else set())
        linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] not in without]
        linux.pop("resources", None)
        linux["seccomp"] = seccomp()
        with open(path, "w") as file:
            json.dump(spec, file, indent=1)
        return [self.name, *self.options, "run", "--bundle", bundle, "--pid-file",
                os.path.join(bundle, "pid"), name], os.path.join(bundle, "pid")

    def why_not(self, image):
        """None where it runs a container here."""
        command, _ = self.container(image, "--version")
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.strip() if done.returncode else None


def runtimes(image, directory):
    """Those that run containers here; says why the others do not."""
    usable = []
    for name in ("crun", "runc"):
        if not shutil.which(name):
            print(f"        {name}: is not installed")
            continue
        runtime = Runtime(name, os.path.join(directory, name))
        why = runtime.why_not(image)
        if why:
            print(f"        {name}: {why}")
        else:
            usable.append(runtime)
    return usable
