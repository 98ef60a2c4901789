"""A Dask cluster of real processes, each with its own environment, as ``--scheduler`` meets it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
from processes import ENVIRONMENT

SECONDS_TO_START = 60


class RealCluster:
    """A scheduler and workers, started as the commands ``dask scheduler`` and ``dask worker``.

    Parameters
    ----------
    folder : path-like
        Where they keep their logs.
    **environment
        Variables of all of them.
    """

    def __init__(self, folder, **environment):
        self._folder, self._environment = Path(folder).absolute(), environment
        self._folder.mkdir(parents=True, exist_ok=True)
        self.processes = []
        self.workers = 0

    def scheduler(self, *options, port=0):
        """Start the scheduler and return its address."""
        file = self._folder / f"scheduler{len(self.processes)}.json"
        file.unlink(missing_ok=True)
        host = [] if "--protocol" in options else ["--host", "127.0.0.1"]
        how = [*host, "--port", str(port), "--no-dashboard", "--scheduler-file", str(file)]
        process = self._start("scheduler", [*how, *options])
        self._wait(lambda: file.exists() and file.read_text(), process)
        self.address = json.loads(file.read_text())["address"]
        return process

    def worker(self, *options, nanny=False, within=(), **environment):
        """Start a worker of one thread and wait until it has registered; return its process.

        ``within`` is a command that starts it, such as ``unshare -m``.
        """
        self.workers += 1
        how = ["--nthreads", "1", "--no-dashboard", "--local-directory", str(self._folder)]
        how += ["--nanny" if nanny else "--no-nanny", *options, self.address]
        process = self._start("worker", how, within, environment)
        self._wait(lambda: "Registered to" in process.log.read_text(), process)
        return process

    def _start(self, what, options, within=(), environment=None):
        log = self._folder / f"{what}{len(self.processes)}.log"
        command = [*within, sys.executable, "-m", "dask", what, *options]
        with open(log, "wb") as file:
            process = subprocess.Popen(
                command,
                env=ENVIRONMENT | self._environment | (environment or {}),
                stdout=file,
                stderr=file,
                cwd=self._folder,
            )
        process.log = log
        self.processes.append(process)
        return process

    @staticmethod
    def _wait(ready, process):
        end = time.monotonic() + SECONDS_TO_START
        while not ready():
            assert process.poll() is None, process.log.read_text()
            assert time.monotonic() < end, process.log.read_text()
            time.sleep(0.05)

    def close(self):
        """Kill all of them and what they have started."""
        for process in self.processes:
            family = []
            if process.poll() is None:
                family = psutil.Process(process.pid).children(recursive=True)
                process.kill()
            for one in family:
                one.kill()
            process.wait()
