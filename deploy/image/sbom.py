#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is in the image, as SPDX 2.3 JSON: the linker's maps say which archives went into the
programs, dpkg says which package and source these are of. Written into ROOT, with their licences.

usage: sbom.py REVISION ROOT MAP...      SOURCE_DATE_EPOCH in the environment: when it was made
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "../..")
# Of what can be linked in; another one is a NOASSERTION, and its copyright file is in the image.
LICENCES = {
    "curl": "curl",
    "gcc": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "inih": "BSD-3-Clause",
    "json-c": "MIT",
    "kmod": "LGPL-2.1-or-later",
    "libdrm": "MIT",
    "libinih": "BSD-3-Clause",
    "libmd": "BSD-3-Clause",
    "libmicrohttpd": "LGPL-2.1-or-later",
    "libseccomp": "LGPL-2.1-only",
    "libyaml": "MIT",
    "libzstd": "BSD-3-Clause OR GPL-2.0-only",
    "openssl": "Apache-2.0",
    "pci.ids": "BSD-3-Clause OR GPL-2.0-or-later",
    "pciutils": "GPL-2.0-or-later",
    "xz-utils": "0BSD",
}
DATA = ("/usr/share/libdrm/amdgpu.ids", "/usr/share/misc/pci.ids")


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def linked(map_file):
    """The archives and objects that gave something to the program, but our own."""
    files = set()
    with open(map_file) as text:
        head = text.read().split("\nMemory Configuration", 1)
    # An indented line says who asked for the member that stands above it.
    files |= set(re.findall(r"^(\S+\.a)\(", head[0], re.M))
    files |= set(re.findall(r"^LOAD (\S+\.o)$", head[1], re.M))
    return {os.path.realpath(f) for f in files if f.startswith("/") and ".ltrans" not in f}


def source_of(file):
    """Name, version and copyright file of the source package of a file."""
    built = re.match(r".*/build/static-[^/]+/[^/]+/", file)
    if built:  # by one of our scripts, from the source package unpacked there
        debian = built.group(0) + "src/debian/"
        with open(debian + "changelog") as changelog:
            return (*re.match(r"(\S+) \((\S+)\)", changelog.readline()).groups(),
                    debian + "copyright")
    package = run("dpkg", "-S", file).split(": ")[0].split(",")[0]
    name, version = run("dpkg-query", "-W", "-f", "${source:Package} ${source:Version}\n",
                        package).split()[:2]
    return name, version, f"/usr/share/doc/{package.split(':')[0]}/copyright"


def distribution():
    with open("/etc/os-release") as text:
        return re.search(r"(?m)^ID=(\S+)", text.read()).group(1)


def spdx_id(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def package(name, version, licence, **more):
    return {"SPDXID": spdx_id(name), "name": name, "versionInfo": version,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": licence,
            "copyrightText": "NOASSERTION", **more}


def of_distribution(name, version):
    licence = LICENCES.get(re.sub(r"-\d+$", "", name), "NOASSERTION")
    purl = f"pkg:deb/{distribution()}/{name}@{version.replace(':', '%3A')}?arch=source"
    return package(name, version, licence, externalRefs=[
        {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}])


def our_version():
    with open(os.path.join(TOP, "CMakeLists.txt")) as text:
        return re.search(r"project\(\S+ VERSION (\S+)", text.read()).group(1)


def contents(root):
    """SPDX files of all that is in the root."""
    found = []
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            with open(path, "rb") as file:
                data = file.read()
            found.append({"SPDXID": spdx_id("File-" + os.path.relpath(path, root)),
                          "fileName": "./" + os.path.relpath(path, root),
                          "checksums": [{"algorithm": kind.upper(),
                                         "checksumValue": hashlib.new(kind, data).hexdigest()}
                                        for kind in ("sha1", "sha256")],
                          "licenseConcluded": "NOASSERTION", "copyrightText": "NOASSERTION"})
    return sorted(found, key=lambda file: file["fileName"])


def main():
    revision, root, maps = sys.argv[1], sys.argv[2], sys.argv[3:]
    doc = os.path.join(root, "usr/share/doc/gpu-labeler")
    ours = package("gpu-node-labeler", our_version(), "Apache-2.0", sourceInfo=f"commit {revision}")
    parts = {(file, "STATIC_LINK") for name in maps for file in linked(name)}
    parts |= {(file, "CONTAINS") for file in DATA}
    sources = {(*source_of(file), kind) for file, kind in parts}
    sources = {(name, kind): (version, file) for name, version, file, kind in sources}
    for (name, _), (_, file) in sources.items():
        shutil.copyfile(file, os.path.join(doc, "copyright." + name))
    files = contents(root)
    packages = [ours] + [of_distribution(name, version) for name, version in sorted(
        {(name, version) for (name, _), (version, _) in sources.items()})]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", ours["SPDXID"])]
    relations += [(ours["SPDXID"], kind, spdx_id(name)) for name, kind in sorted(sources)]
    relations += [(ours["SPDXID"], "CONTAINS", file["SPDXID"]) for file in files]
    digest = hashlib.sha256(json.dumps([packages, files]).encode()).hexdigest()
    when = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    document = {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": "gpu-node-labeler", "documentNamespace": f"urn:gpu-node-labeler:sbom:{digest}",
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when)),
                         "creators": ["Tool: deploy/image/sbom.py"]},
        "packages": packages, "files": files,
        "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b}
                          for a, kind, b in relations]}
    with open(os.path.join(doc, "sbom.spdx.json"), "w") as file:
        json.dump(document, file, indent=1)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main()
