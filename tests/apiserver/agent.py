# SPDX-License-Identifier: Apache-2.0
"""The agent under test, the described machine it looks at, and the way a result is told."""

import os
import re
import shutil
import signal
import subprocess
import time
import traceback

from cluster import HERE, eventually

NODES = os.path.join(HERE, "../nodes")


class Machine:
    """A described machine of tests/nodes, unpacked."""

    def __init__(self, directory, name):
        self.root = os.path.join(directory, "machine-" + name)
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["sh", os.path.join(NODES, "unpack.sh"), os.path.join(NODES, name, "tree"),
                        self.root], check=True)

    def drivers(self, driver):
        """The driver links of all functions bound to it."""
        found = []
        for directory, subdirs, _ in os.walk(os.path.join(self.root, "sys/devices")):
            link = os.path.join(directory, "driver")
            if os.path.islink(link) and os.path.basename(os.readlink(link)) == driver:
                found.append(link)
        return sorted(found)

    def unbind(self, driver):
        """Takes the driver from one of its functions."""
        os.unlink(self.drivers(driver)[-1])


class Agent:
    def __init__(self, program, directory):
        self.program = os.path.abspath(program)
        self.dir = directory
        self.log_path = os.path.join(directory, "log")
        self.process = None

    def labels(self, machine):
        """What detect says of the machine: the labels that must be on its Node."""
        text = subprocess.run([self.program, "detect", "--root", machine.root, "--format", "labels"],
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout
        return dict(line.split("=", 1) for line in text.splitlines())

    def start(self, machine, kubeconfig, *more, env=None, output="node", wrapper=(), once=False):
        self.stop()
        args = [*wrapper, self.program, "run", "--root", machine.root, "--output", output]
        if kubeconfig:
            args += ["--kubeconfig", kubeconfig]
        if "--interval" not in more:
            args += ["--interval", "1s"]
        args += ["--startup-spread", "0", *more]
        if once:
            args.append("--once")
        environment = {k: v for k, v in os.environ.items()
                       if k not in ("KUBECONFIG", "NODE_NAME", "KUBERNETES_SERVICE_HOST")}
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(args, stdout=log, stderr=log,
                                            env={**environment, **(env or {})})
        return self

    def finish(self, seconds=60):
        """The exit status of an agent that leaves by itself."""
        status = self.process.wait(seconds)
        self.process = None
        return status

    def clean(self, machine, kubeconfig, *more, output="node"):
        return subprocess.run([self.program, "clean", "--output", output, "--kubeconfig", kubeconfig,
                               *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        with open(self.log_path) as log:
            return log.read()

    def says(self, pattern, seconds=30):
        return eventually(lambda: re.search(pattern, self.log()), seconds)

    def stop(self):
        """It leaves when it is asked to, with 0: also a leak that a sanitizer found is a failure."""
        if not self.process:
            return
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        assert status == 0, f"the agent left with {status}: {self.log()[-3000:]}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None


class Report:
    def __init__(self, agent):
        self.agent = agent
        self.passed = self.failed = 0

    def run(self, scenarios, context, only=None):
        """Each scenario says by its docstring what holds; an assertion that fails says why not."""
        begin = time.monotonic()
        for scenario in scenarios:
            if only and only not in scenario.__name__:
                continue
            sentence = " ".join(scenario.__doc__.split())
            try:
                said = scenario(context)
                self.agent.stop()
                self.passed += 1
                print(f"ok      {sentence}{': ' + said if said else ''}", flush=True)
            except Exception:
                self.failed += 1
                print(f"FAILED  {sentence}\n{traceback.format_exc()}", flush=True)
                if os.path.exists(self.agent.log_path):
                    print("the agent said:\n" + self.agent.log()[-3000:], flush=True)
                if self.agent.process:
                    self.agent.kill()
        print(f"{self.passed} passed, {self.failed} failed in {time.monotonic() - begin:.0f} s")
        return 1 if self.failed else 0
