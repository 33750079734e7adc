#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs, upgrades and removes gpu-labeler by kustomize and by helm, on a real API server with the
real controllers and scheduler; the Pods run as kubelet.py says.

usage: run.py GPU_LABELER DIRECTORY_OF_BUILD_SH [SCENARIO]
"""

import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../apiserver"))

import yaml  # noqa: E402
from agent import Report  # noqa: E402
from cluster import Refused, eventually  # noqa: E402
from context import FEATURES, Context  # noqa: E402
from objects import CHART, DEPLOY, NAMESPACE, key, plain, run  # noqa: E402

FULL = ("fullnameOverride=gpu-labeler", "networkPolicy.enabled=true", "prometheus.enable=true")


# ---- renderings ----

OVERLAYS = ("api", "nodefeature", "nodefeature-hosts", "nfd", "nfd-clean", "api-clean", "kubevirt")
VARIANTS = (
    (), ("output=nodefeature",), ("output=file",), FULL, FULL + ("output=file",),
    FULL + ("output=nodefeature",), ("config.amd.driver-type=vf-passthrough", "port=9000"),
    ("serviceAccount.create=false", "serviceAccount.name=other", "rbac.create=false"),
    ("cleanUp.enable=false", "policy.enable=false", "priorityClassName="),
    ("output=file", "withdrawOnExit=true", "expiry=5m", "image.tag=@sha256:" + "0" * 64),
    ("nodeSelector.gpu=yes", "annotations.a=b", "labels.c=d", "daemonsetAnnotations.e=f",
     "extraArgs={--log-format=json}", "extraEnvs[0].name=A", "extraEnvs[0].value=b",
     "imagePullSecrets[0].name=s", "prometheus.enable=true", "prometheus.labels.x=y"),
)


def every_manifest(context):
    """the API server takes every manifest and every rendering of the chart, without a warning"""
    renderings = {overlay: context.renderer.kustomize("kustomize/overlays/" + overlay)
                  for overlay in OVERLAYS}
    renderings["monitoring"] = context.renderer.kustomize("monitoring")
    for values in VARIANTS:
        renderings[", ".join(values) or "chart"] = context.renderer.template(*values)
    namespaces = [NAMESPACE, "gpu-labeler-clean", "gpu-vms", "kubevirt"]
    for name in namespaces:  # a dry run makes none for what follows
        context.make_namespace(name, "privileged")
    n = 0
    try:
        for name, things in renderings.items():
            for thing in things:
                try:
                    context.objects.apply(thing, dry=True)
                    n += 1
                except Refused as refused:
                    raise AssertionError(f"{name}: {refused}") from refused
    finally:
        for name in namespaces:
            context.drop_namespace(name)
    return f"{n} objects of {len(renderings)} renderings"


def typing_error(context):
    """and a field that is none is refused, so that the above means something"""
    thing = context.renderer.kustomize("kustomize/overlays/api")[0]
    thing["metadata"]["lables"] = {}
    try:
        context.objects.apply(thing, dry=True)
    except Refused as refused:
        assert "lables" in refused.text, refused
        return
    raise AssertionError("it is taken")


def schema(context):
    """the chart's schema refuses what is no value"""
    bad = ("output=stdout", "ouput=node", "config.amb.labels=all", "port=http", "image.repository=",
           "expiry=soon", "policy.enabled=true", "prometheus.scrapeInterval=1", "resources=much",
           "image.tag=a b", "updateStrategy=OnDelete", "tolerations.a=b")
    for value in bad:
        done = context.renderer.template(value, ok=False)
        assert done.returncode != 0 and "schema" in done.stderr, f"{value} is taken"
    return f"{len(bad)} values"


def capabilities(context):
    """policies are there where the server has them, and not in a Kubernetes that has none"""
    def policies(*more):
        return sum(thing["kind"].startswith("ValidatingAdmission")
                   for thing in context.renderer.template(more=more))

    old = ("--kube-version", "1.29.0")
    assert policies() == 4 and policies(*old) == 0
    assert policies("--api-versions", "v1/Pod") == 0  # a server that was asked, and has none
    assert policies(*old, "--api-versions", "v1/Pod", "--api-versions",
                    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy") == 4


def one_truth(context):
    """kustomize and the chart make the same objects for each output"""
    n = 0
    extra = context.renderer.kustomize("monitoring")
    with open(os.path.join(DEPLOY, "kustomize/components/networkpolicy/networkpolicy.yaml")) as file:
        extra.append(yaml.safe_load(file))
    extra = [thing for thing in extra if thing["kind"] in ("PodMonitor", "NetworkPolicy")]
    for output, overlay in (("node", "api"), ("nodefeature", "nodefeature"), ("file", "nfd")):
        things = context.renderer.kustomize("kustomize/overlays/" + overlay) + extra
        want = {key(thing): plain(thing) for thing in things if thing["kind"] != "Namespace"}
        if output == "file":  # which speaks to nobody
            want["NetworkPolicy", NAMESPACE, "gpu-labeler"]["spec"]["egress"] = []
        chart = context.renderer.template("output=" + output, *FULL)
        have = {key(thing): plain(thing) for thing in chart
                if "helm.sh/hook" not in thing["metadata"].get("annotations", {})}
        assert set(have) == set(want), f"{output}: {set(have) ^ set(want)}"
        for name, thing in want.items():
            assert have[name] == thing, f"{output}: {name}\n{yaml.dump(thing)}\n{yaml.dump(have[name])}"
        n += len(want)
    # the Job behind an uninstall: the same, in the release's namespace
    text = yaml.dump_all(context.renderer.kustomize("kustomize/overlays/api-clean"))
    text = re.sub("namespace: gpu-labeler-clean", "namespace: gpu-labeler", text)
    text = text.replace("serviceaccount:gpu-labeler-clean:", "serviceaccount:gpu-labeler:")
    want = {key(thing): plain(thing) for thing in yaml.safe_load_all(text) if thing["kind"] != "Namespace"}
    have = {key(thing): plain(thing) for thing in context.renderer.template(*FULL)
            if "helm.sh/hook" in thing["metadata"].get("annotations", {})}
    assert have == want, f"{yaml.dump_all(want.values())}\n{yaml.dump_all(have.values())}"
    return f"{n + len(want)} objects"


def one_version(context):
    """the chart, its image and those of kustomize are of this version; helm's linter is content"""
    with open(os.path.join(DEPLOY, "../CMakeLists.txt")) as file:
        version = re.search(r"project\(\S+ VERSION (\S+)", file.read()).group(1)
    things = context.renderer.template() + context.renderer.kustomize("kustomize/overlays/api-clean") \
        + context.renderer.kustomize("kustomize/overlays/api")
    images = {container["image"] for thing in things if thing["kind"] in ("DaemonSet", "Job")
              for container in thing["spec"]["template"]["spec"]["containers"]}
    assert images == {f"gpu-node-labeler:{version}"}, images
    with open(os.path.join(CHART, "Chart.yaml")) as file:
        chart = yaml.safe_load(file)
    assert chart["version"] == chart["appVersion"] == version, chart
    context.renderer.helm("lint", "--strict", CHART)


def virtual_machines(context):
    """each example VM selects the node that has its GPU, and no other"""
    machines = [thing for thing in context.renderer.kustomize("kustomize/overlays/kubevirt")
                if thing["kind"] == "VirtualMachine"]
    for machine in machines:
        wanted = machine["spec"]["template"]["spec"]["nodeSelector"].items()
        fits = [node for node in context.machines if wanted <= context.expected(node).items()]
        assert fits == [machine["metadata"]["name"]], f"{machine['metadata']['name']}: {fits}"
    return f"{len(machines)} VMs"


# ---- life ----

def restricted(context):
    """the namespace of the agents takes no Pod that may more than restricted"""
    context.make_namespace(NAMESPACE, "restricted")
    pod = {"metadata": {"name": "greedy"}, "spec": context.renderer.kustomize(
        "kustomize/overlays/nfd")[-1]["spec"]["template"]["spec"]}
    try:
        context.cluster.create(f"/api/v1/namespaces/{NAMESPACE}/pods", pod)
        raise AssertionError("a host path is let in")
    except Refused as refused:
        assert "hostPath" in refused.text and "restricted" in refused.text, refused
    finally:
        context.drop_namespace(NAMESPACE)


def kustomize_api(context):
    """kustomize, overlay api: labels on every Node, and back to nothing with api-clean"""
    before = context.objects.all()
    context.apply("api")
    context.labelled()
    context.rolled_out()
    page = context.kubelet.running("gpu-labeler-")[0].ask("/metrics")
    assert page[0] == 200
    with open(os.path.join(context.dir, "page"), "w") as file:
        file.write(page[1])
    context.delete("api")
    context.labelled()  # they stay: only the agents are gone
    context.apply("api-clean")
    context.kubectl("-n", "gpu-labeler-clean", "wait", "--for=condition=complete",
                    "job/gpu-labeler-clean", "--timeout=2m")
    context.unlabelled()
    said = context.kubelet.said("gpu-labeler-clean")
    assert "cleaned 3 of 4 nodes" in said, said
    context.delete("api-clean")
    context.same_objects(before)
    context.well()


def kustomize_node_feature(context):
    """kustomize, overlay nodefeature: an object for each Node with GPUs, which goes with the rest"""
    before = context.objects.all()
    context.apply("nodefeature")
    path = f"/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/{NAMESPACE}/nodefeatures"

    def features():
        return {item["metadata"]["labels"]["nfd.node.kubernetes.io/node-name"]: item["spec"]["labels"]
                for item in context.cluster.request("GET", path)["items"]}

    want = {node: context.expected(node) for node in context.machines if context.expected(node)}
    assert eventually(lambda: features() == want, 60), features()
    context.rolled_out()
    context.delete("nodefeature")
    context.same_objects(before)
    context.unlabelled()
    context.well()


def kustomize_file(context):
    """kustomize, overlay nfd: a file on each host with GPUs, and none after nfd-clean"""
    before = context.objects.all()
    context.apply("nfd")
    want = {node: context.expected(node) for node in context.machines if context.expected(node)}
    assert eventually(lambda: context.files() == want, 60), context.files()
    context.rolled_out()
    context.delete("nfd")
    assert context.files() == want  # until NFD forgets them: expiry
    with open(context.kubelet.host_path("amd-pf", FEATURES + "/gpu-labeler")) as file:
        assert file.readline().startswith("# +expiry-time=")
    context.apply("nfd")
    context.rolled_out()
    context.apply("nfd-clean")
    context.rolled_out()
    context.delete("nfd-clean")
    context.same_objects(before)
    for node in context.machines:
        left = os.listdir(context.kubelet.host_path(node, FEATURES))
        assert left == [], f"{node}: {left}"
    context.well()


def own_node_only(context):
    """The policy knows the account that the chart gave to the agents."""
    pod = next(pod for pod in context.kubelet.running("labels-")
               if pod.manifest["spec"]["nodeName"] == "none")
    token = context.kubelet.token(pod)
    for node, name in (("amd-pf", "amd.com/gpu.mode"), ("none", "foreign")):
        try:
            context.cluster.merge(f"/api/v1/nodes/{node}", {"metadata": {"labels": {name: "x"}}},
                                  token=token)
            raise AssertionError(f"an agent may set {name} of another's {node}")
        except Refused as refused:
            assert "ValidatingAdmissionPolicy" in refused.text, refused


def helm_node(context):
    """helm, output node: install, upgrade without a label missing, uninstall, and nothing is left"""
    helm = context.renderer.helm
    before = context.objects.all()
    context.make_namespace(NAMESPACE, "restricted")
    there = context.objects.all()
    done = helm("install", "labels", CHART, "-n", NAMESPACE, "--wait", "--timeout", "3m")
    assert "WARNING" not in done.stdout, done.stdout
    context.labelled()
    missing = []

    def look():
        missing.extend(node for node in context.machines
                       if context.ours(node).items() < context.expected(node).items())

    with subprocess.Popen([os.path.join(context.built, "helm"), "upgrade", "labels", CHART, "-n",
                           NAMESPACE, "--wait", "--timeout", "3m", "--set", "extraArgs={--interval=2s}",
                           "--set", "networkPolicy.enabled=true"], env=context.renderer.environment,
                          stdout=subprocess.DEVNULL) as upgrade:
        while upgrade.poll() is None:
            look()
            time.sleep(0.2)
    assert upgrade.returncode == 0 and not missing, missing
    context.rolled_out()
    assert all("--interval=2s" in pod.container["args"]
               for pod in context.kubelet.running("labels-"))
    own_node_only(context)
    # Pods that take their time to leave can put nothing back: their rights have gone.
    context.kubelet.patience = 5
    helm("uninstall", "labels", "-n", NAMESPACE, "--wait", "--timeout", "3m")
    context.kubelet.patience = 0
    context.unlabelled()
    context.same_objects(there)
    context.unlabelled()
    context.drop_namespace(NAMESPACE)
    context.same_objects(before)
    context.well()


def helm_node_feature(context):
    """helm, output nodefeature: install, uninstall, and no object is left"""
    helm = context.renderer.helm
    context.make_namespace(NAMESPACE, "restricted")
    before = context.objects.all()
    helm("install", "gpu-labeler", CHART, "-n", NAMESPACE, "--wait", "--timeout", "3m", "--set",
         "output=nodefeature")
    want = sum(bool(context.expected(node)) for node in context.machines)
    assert eventually(lambda: sum(kind == "NodeFeature" for kind, _, _ in context.objects.all()) == want, 60)
    helm("uninstall", "gpu-labeler", "-n", NAMESPACE, "--wait", "--timeout", "3m")
    context.same_objects(before)
    context.drop_namespace(NAMESPACE)
    context.well()


def helm_file(context):
    """helm, output file: install with a configuration, withdraw, uninstall, and no file is left"""
    helm = context.renderer.helm
    context.make_namespace(NAMESPACE, "privileged")
    before = context.objects.all()
    values = ("--set", "output=file", "--set", "config.amd.device-id-format=0x")
    helm("install", "gpu-labeler", CHART, "-n", NAMESPACE, "--wait", "--timeout", "3m", *values)
    assert eventually(lambda: "amd-pf" in context.files(), 60)
    assert context.files()["amd-pf"]["amd.com/gpu.device-id"] == "0x74a1", context.files()["amd-pf"]
    helm("upgrade", "gpu-labeler", CHART, "-n", NAMESPACE, "--wait", "--timeout", "3m", "--reuse-values",
         "--set", "withdrawOnExit=true")
    context.rolled_out()
    helm("uninstall", "gpu-labeler", "-n", NAMESPACE, "--wait", "--timeout", "3m")
    context.same_objects(before)
    assert context.files() == {}, context.files()
    context.drop_namespace(NAMESPACE)
    context.well()


def policy_of_the_job(context):
    """the Job's account may take our labels away, and do nothing else to a Node"""
    things = [thing for thing in context.renderer.kustomize("kustomize/overlays/api-clean")
              if thing["kind"] != "Job"]
    for thing in things:
        context.objects.apply(thing)
    token = context.cluster.create(
        "/api/v1/namespaces/gpu-labeler-clean/serviceaccounts/gpu-labeler-clean/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})["status"]["token"]
    node = "/api/v1/nodes/none"
    mode = "amd.com/gpu.mode"
    context.cluster.merge(node, {"metadata": {"labels": {mode: "container", "amd.com/gpu.mod": "x"}}})

    def may(body, where=node):
        try:
            context.cluster.merge(where, body, token=token)
            return True
        except Refused as refused:
            assert refused.code in (403, 422), refused
            return False

    def label(name, value):
        return {"metadata": {"labels": {name: value}}}

    assert eventually(lambda: not may(label("new", str(time.monotonic_ns()))), 10), \
        "the policy does not come up"
    for body in (label(mode, "x"), label("amd.com/gpu.family", "AI"), label("amd.com/gpu.mod", None),
                 label("amd.com/cpu", None), label("kubernetes.io/os", None),
                 {"metadata": {"labels": None}}, {"metadata": {"annotations": {"a": "b"}}},
                 {"spec": {"unschedulable": True}}):
        assert not may(body), body
    assert not may({"status": {"phase": "x"}}, node + "/status")
    assert may(label(mode, None)) and mode not in context.cluster.labels("none")
    for name in ("new", "amd.com/gpu.mod"):
        context.cluster.merge(node, label(name, None))
    context.delete("api-clean", "--ignore-not-found")


def every_page(context):
    """clean --every-node goes through all pages of a large cluster, and takes our labels alone"""
    names = [f"many-{n}" for n in range(250)]
    for name in names:
        context.cluster.create("/api/v1/nodes", {"metadata": {"name": name, "labels": {
            "amd.com/gpu.mode": "container", "gpu.intel.com/vfio.count": "2", "amd.com/gpu": "true"}}})
    command = (context.program, "clean", "--every-node", "--output", "node", "--kubeconfig",
               context.renderer.environment["KUBECONFIG"])
    said = run(*command).stderr
    assert f"cleaned 250 of {250 + len(context.machines)} nodes" in said, said
    for name in names:
        assert context.cluster.labels(name) == {"amd.com/gpu": "true"}, name
    assert "cleaned 0 of" in run(*command).stderr
    for name in names:
        context.cluster.request("DELETE", f"/api/v1/nodes/{name}")
    for output in ("file", "node,file", "stdout"):
        refused = run(*command[:3], "--output", output, ok=False)
        assert refused.returncode == 2 and "every-node" in refused.stderr, refused


def alerts_and_dashboard(context):
    """alerts fire for what they are for, by Prometheus' engine, and ask for what agents serve"""
    rules = [thing for thing in context.renderer.kustomize("monitoring")
             if thing["kind"] == "PrometheusRule"][0]["spec"]
    path = os.path.join(context.dir, "rules.yaml")
    with open(path, "w") as file:
        yaml.dump(rules, file)
    page = os.path.join(context.dir, "page")
    if not os.path.exists(page):
        kustomize_api(context)
    run(os.path.join(context.built, "rules.test"), env={
        "PATH": os.environ["PATH"], "HOME": context.dir, "RULES": path, "PAGE": page,
        "DASHBOARD": os.path.join(DEPLOY, "monitoring/dashboard.json")}, cwd=context.dir)
    return f"{sum(len(group['rules']) for group in rules['groups'])} alerts"


SCENARIOS = [every_manifest, typing_error, schema, capabilities, one_truth, one_version,
             virtual_machines, restricted,
             kustomize_api, kustomize_node_feature, kustomize_file, helm_node, helm_node_feature,
             helm_file, policy_of_the_job, every_page, alerts_and_dashboard]


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        print("SKIPPED: there is no mount namespace to be had: run it as root", file=sys.stderr)
        sys.exit(77)
    with tempfile.TemporaryDirectory() as directory:
        context = Context(sys.argv[1], sys.argv[2], directory)
        try:
            context.start()
            return Report(context.agent).run(SCENARIOS, context, *sys.argv[3:])
        finally:
            context.stop()


if __name__ == "__main__":
    sys.exit(main())
