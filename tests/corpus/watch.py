"""Run one command and tell how it ended: ``python watch.py SECONDS MEBIBYTES FILE COMMAND...``.

The command's ending, and the most memory it held, are written to FILE as JSON. This is a program of
its own because the kernel counts towards a program the memory of whoever started it, and a process
that runs tests may be large.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading


def main(seconds, mebibytes, report, *command):
    """Run, wait, kill what hangs."""
    limit = int(mebibytes) << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    process = subprocess.Popen(command)
    hung = threading.Event()

    def kill():
        hung.set()
        os.kill(process.pid, signal.SIGKILL)

    timer = threading.Timer(float(seconds), kill)
    timer.start()
    _, status, used = os.wait4(process.pid, 0)
    timer.cancel()
    ending = {
        "code": os.waitstatus_to_exitcode(status),
        "hung": hung.is_set(),
        "mebibytes": used.ru_maxrss / 1024,
    }
    with open(report, "w", encoding="utf-8") as file:
        json.dump(ending, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
