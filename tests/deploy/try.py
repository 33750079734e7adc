#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A throw-away cluster to install on: four Nodes that have what described machines have, the real
API server, controllers and scheduler, and a kubelet that runs gpu-labeler's Pods without an image.
It ends with the terminal's interrupt, and nothing is left. Needs root: each Pod has mounts of its own.

usage: try.py GPU_LABELER DIRECTORY_OF_BUILD_SH
"""

import os
import signal
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../apiserver"))

from context import Context  # noqa: E402


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory() as directory:
        context = Context(sys.argv[1], sys.argv[2], directory)
        try:
            context.start()
            print(f"""In another terminal:

  export KUBECONFIG={context.renderer.environment["KUBECONFIG"]}
  export PATH={context.cluster.bin}:{os.path.abspath(context.built)}:$PATH
  kubectl apply -k deploy/kustomize/overlays/api
  kubectl get nodes -L amd.com/gpu.mode,amd.com/gpu.vfio.iommu-groups-viable

An interrupt here takes all of it away.""", flush=True)
            signal.pause()
        except KeyboardInterrupt:
            pass
        finally:
            context.stop()


if __name__ == "__main__":
    sys.exit(main())
