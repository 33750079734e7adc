# SPDX-License-Identifier: Apache-2.0
"""KubeVirt's definitions of its objects, which it keeps in its program: as YAML.

usage: crds.py DIRECTORY    where KubeVirt has validations_generated.go
"""

import os
import re
import sys

CRD = """---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: {plural}.kubevirt.io
spec:
  group: kubevirt.io
  scope: Namespaced
  names:
    plural: {plural}
    kind: {kind}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
"""

with open(os.path.join(sys.argv[1], "validations_generated.go")) as file:
    text = file.read()
for plural, kind in (("kubevirts", "KubeVirt"), ("virtualmachines", "VirtualMachine")):
    schema = re.search(r'\n\t"%s": `(.*?)`' % kind.lower(), text, re.S).group(1)
    print(CRD.format(plural=plural, kind=kind) + re.sub(r"(?m)^(?=.)", "        ", schema.rstrip()))
