#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three columns for each machine: what AMD's labeller printed on it (reference.labels: its
gpu-virtualization branch with all flags on), what the label contract asks for (expected), and ours.
Ours is the contract's everywhere, and each difference from the reference is one with a name.

usage: parity.py GPU_LABELER [DIR...]     default: the machines in reference/ beside this
"""

import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = re.compile(r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")


def read(path):
    with open(path) as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)


def is_legal(key, value):
    name = key.rsplit("/", 1)[-1]
    return len(name) < 64 and NAME.match(name) and len(value) < 64 and (not value or NAME.match(value))


def kind(key):
    return key.split("/gpu.", 1)[-1].split(".")[0]


def why(key, reference, ours):
    """The name of a difference; None where it has none."""
    old, new = reference.get(key), ours.get(key)
    if ".vfio." in key and old is None:
        return "vfio markers: the reference has none"
    if key == "beta.amd.com/gpu.mode" and old is None:
        return "the mode under both prefixes"
    bare = {k.replace(".0x", "."): v.replace("0x", "", 1) for k, v in reference.items()}
    if kind(key) == "device-id" and (".0x" in key or bare.get(key) == new):
        return "ids without 0x"
    if old == "":
        return "no label with an empty value"
    if any(kind(k) == kind(key) and not is_legal(k, v) for k, v in reference.items()):
        return "what Kubernetes refuses is cleaned, cut or left out"
    cards = sum(int(v) for k, v in ours.items() if k.startswith("beta.amd.com/gpu.device-id."))
    known = sum(int(v) for k, v in ours.items() if k.startswith(f"beta.amd.com/gpu.{kind(key)}."))
    if known < cards:
        return "not known of every GPU: not taken for all alike"
    return None


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    failed = machines = 0
    for directory in sys.argv[2:] or [os.path.join(HERE, "reference")]:
        for name in sorted(os.listdir(directory)):
            machine = os.path.join(directory, name)
            if not os.path.exists(os.path.join(machine, "reference.labels")):
                continue
            machines += 1
            tree = next(p for p in (machine + "/tree", machine + "/tree.txt") if os.path.exists(p))
            contract = next(p for p in (machine + "/expected", machine + "/expected.labels")
                            if os.path.exists(p))
            with tempfile.TemporaryDirectory() as root:
                subprocess.run(["sh", HERE + "/unpack.sh", tree, root], check=True)
                out = subprocess.run([program, "detect", "--root", root, "--format", "labels"],
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                     check=True).stdout
            ours = dict(line.split("=", 1) for line in out.splitlines())
            wanted, reference = read(contract), read(machine + "/reference.labels")
            print(f"{name}: {len(reference)} labels of the reference, {len(wanted)} of the contract, "
                  f"{len(ours)} of ours")
            for key in sorted(set(reference) | set(wanted) | set(ours)):
                columns = [side.get(key, "-") for side in (reference, wanted, ours)]
                reason = why(key, reference, ours)
                if columns[1] != columns[2]:
                    reason = "WRONG: not what the contract asks for"
                elif columns[0] == columns[2]:
                    continue
                elif not reason:
                    reason = "WRONG: a difference without a name"
                failed += reason.startswith("WRONG")
                print(f"  {key:58} {columns[0]:24} {columns[1]:24} {columns[2]:24} {reason}")
    print(f"{machines} machines, {failed} wrong")
    return 1 if failed or not machines else 0


if __name__ == "__main__":
    sys.exit(main())
