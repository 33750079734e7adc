# SPDX-License-Identifier: Apache-2.0
"""Renderings of kustomize and helm, and the objects of a cluster."""

import copy
import http.client
import json
import os
import ssl
import subprocess

import yaml
from cluster import APPLY, HERE, Refused

DEPLOY = os.path.join(HERE, "../../deploy")
CHART = os.path.join(DEPLOY, "helm/gpu-node-labeler")
NAMESPACE = "gpu-labeler"


def run(*command, ok=True, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    assert not ok or done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done


class Renderer:
    def __init__(self, built, directory):
        self.built = built
        self.environment = {"PATH": os.environ["PATH"], "HOME": directory,
                            "HELM_CACHE_HOME": os.path.join(directory, "helm"),
                            "HELM_CONFIG_HOME": os.path.join(directory, "helm"),
                            "HELM_DATA_HOME": os.path.join(directory, "helm")}

    def kustomize(self, directory):
        text = run(os.path.join(self.built, "kustomize"), "build", os.path.join(DEPLOY, directory),
                   env=self.environment).stdout
        return list(yaml.safe_load_all(text))

    def helm(self, *args, ok=True):
        return run(os.path.join(self.built, "helm"), *args, ok=ok, env=self.environment)

    def template(self, *values, more=(), ok=True):
        """The objects of the chart with these values (key=value), hooks included."""
        sets = [word for value in values for word in ("--set", value)]
        done = self.helm("template", "gpu-labeler", CHART, "-n", NAMESPACE, *sets, *more, ok=ok)
        if not ok:
            return done
        return [document for document in yaml.safe_load_all(done.stdout) if document]


# ---- what a chart adds to every object, or has another name for ----

HELM_LABELS = ("helm.sh/chart", "app.kubernetes.io/instance", "app.kubernetes.io/version",
               "app.kubernetes.io/managed-by")


def key(thing):
    return thing["kind"], thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def _strip(labels):
    for label in HELM_LABELS:
        labels.pop(label, None)


def plain(thing):
    """The object without what the two ways of installing may differ in."""
    thing = copy.deepcopy(thing)
    metadata = thing["metadata"]
    for annotation in [name for name in metadata.get("annotations", {}) if name.startswith("helm.sh/")]:
        del metadata["annotations"][annotation]
    _strip(metadata.get("labels", {}))
    spec = thing.get("spec", {})
    for selector in ("selector", "podSelector"):
        _strip(spec.get(selector, {}).get("matchLabels", {}) if isinstance(spec.get(selector), dict)
               else {})
    if "template" in spec:
        _strip(spec["template"]["metadata"]["labels"])
    metadata.pop("labels", None)
    if not metadata.get("annotations"):
        metadata.pop("annotations", None)
    for expressions in (spec.get("variables", []), spec.get("validations", [])):
        for expression in expressions:  # kustomize folds lines in its own way
            expression["expression"] = " ".join(expression["expression"].split())
    # what the API server would fill in
    if thing["kind"] == "DaemonSet":
        assert spec.pop("revisionHistoryLimit", 10) == 10
        pod = spec["template"]["spec"]
        assert pod.pop("terminationGracePeriodSeconds", 30) == 30
        assert pod.pop("dnsPolicy", "ClusterFirst") == "ClusterFirst"
    return thing


# ---- a cluster ----

class Objects:
    def __init__(self, cluster):
        self.cluster = cluster
        self.kinds = {}

    def _resource(self, version, kind):
        if (version, kind) not in self.kinds:
            path = f"/api/{version}" if "/" not in version else f"/apis/{version}"
            for resource in self.cluster.request("GET", path)["resources"]:
                if "/" not in resource["name"]:
                    self.kinds[version, resource["kind"]] = (path, resource["name"],
                                                             resource["namespaced"])
        return self.kinds[version, kind]

    def path(self, thing):
        path, plural, namespaced = self._resource(thing["apiVersion"], thing["kind"])
        assert namespaced == ("namespace" in thing["metadata"]), f"{key(thing)}: namespaced?"
        if namespaced:
            path += f"/namespaces/{thing['metadata']['namespace']}"
        return f"{path}/{plural}/{thing['metadata']['name']}"

    def apply(self, thing, dry=False):
        """Server-side apply; unknown fields are errors, and so is a warning of the server."""
        context = ssl.create_default_context(cafile=self.cluster.path("ca.crt"))
        context.load_cert_chain(self.cluster.path("admin.crt"), self.cluster.path("admin.key"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.cluster.port, context=context,
                                                 timeout=60)
        query = "?fieldManager=admin&force=true&fieldValidation=Strict" + ("&dryRun=All" if dry else "")
        connection.request("PATCH", self.path(thing) + query, json.dumps(thing),
                           {"Content-Type": APPLY, "Accept": "application/json"})
        response = connection.getresponse()
        answer, warning = response.read().decode(), response.headers.get("Warning")
        connection.close()
        if response.status >= 300:
            raise Refused(response.status, f"{key(thing)}: {json.loads(answer).get('message', answer)}")
        assert not warning, f"{key(thing)}: {warning}"
        return json.loads(answer)

    def delete(self, thing):
        try:
            self.cluster.request("DELETE", self.path(thing), {"propagationPolicy": "Background"})
        except Refused as refused:
            if refused.code != 404:
                raise

    def exists(self, thing):
        try:
            self.cluster.request("GET", self.path(thing))
            return True
        except Refused as refused:
            if refused.code != 404:
                raise
            return False

    def all(self):
        """The name of every object of the cluster, but those that come and go by themselves."""
        found = set()
        versions = ["v1"] + [group["preferredVersion"]["groupVersion"]
                             for group in self.cluster.request("GET", "/apis")["groups"]]
        for version in versions:
            path = f"/api/{version}" if "/" not in version else f"/apis/{version}"
            for resource in self.cluster.request("GET", path)["resources"]:
                if "list" not in resource["verbs"] or "/" in resource["name"] or \
                        resource["kind"] in ("Event", "Lease", "ComponentStatus"):
                    continue
                for item in self.cluster.request("GET", f"{path}/{resource['name']}")["items"]:
                    found.add((resource["kind"], item["metadata"].get("namespace", ""),
                               item["metadata"]["name"]))
        return found
