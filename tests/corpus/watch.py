"""Run commands and tell how they ended. This is a program of its own, in one of two ways.

``python watch.py SECONDS MEBIBYTES FILE COMMAND...`` runs a command, and writes its ending and the
most memory it held to FILE as JSON. (The kernel counts towards a program the memory of whoever
started it, and a process that runs tests may be large.)

``python watch.py SECONDS MEBIBYTES`` loads convtool once and then reads lines from standard input,
each a JSON list of runs that are to begin at once: arguments, folder, and the files that are
standard input, output and error. Each run is a process forked from this one; their endings are
printed as a line of JSON. A run may have "signal", a number and the seconds after which the process
gets it, "patience", how many seconds it then has, and "file_bytes", how long its files can become.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from importlib import import_module

SIGNALS = (signal.SIGINT, signal.SIGTERM)
LOADED = ("cv2", "PIL.Image", "convtool.cli.filter", "convtool.filtering.picture")


def ending(pid, seconds, number=None, after=0.0):
    """Wait for a process, kill it if it hangs, and tell how it ended.

    With a ``number``, it gets that signal after some time, if it runs for so long; ``seconds``
    count from then on.
    """
    hung, over = threading.Event(), threading.Event()

    def watch():
        if number is not None and not over.wait(after):
            os.kill(pid, number)
        if not over.wait(seconds):
            hung.set()
            os.kill(pid, signal.SIGKILL)

    began = time.monotonic()
    watcher = threading.Thread(target=watch)
    watcher.start()
    # Waited for, but not yet reaped, so that no other process can get its number meanwhile.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    taken = time.monotonic() - began
    over.set()
    watcher.join()
    _, status, used = os.wait4(pid, 0)
    return {
        "seconds": taken,
        "code": os.waitstatus_to_exitcode(status),
        "hung": hung.is_set(),
        "mebibytes": used.ru_maxrss / 1024,
    }


def serve(seconds):
    """Fork a process for each line of standard input."""
    for name in LOADED:
        import_module(name)
    program = import_module("convtool.__main__")
    for line in sys.stdin:
        runs = json.loads(line)
        pids = [_fork(program, run) for run in runs]
        endings = [
            ending(pid, run.get("patience", seconds), *run.get("signal", ()))
            for pid, run in zip(pids, runs, strict=True)
        ]
        print(json.dumps(endings), flush=True)


def _fork(program, run):
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until it can answer them
    pid = os.fork()
    if not pid:
        os._exit(_forked(program, run))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    return pid


def _forked(program, run):
    """Run the command line in this process, its arguments and files those of a run.

    A signal that comes before the program has started is answered as it does in its first moments.
    """
    for one in SIGNALS:
        signal.signal(one, program._end)
    os.chdir(run["folder"])
    if "file_bytes" in run:
        resource.setrlimit(resource.RLIMIT_FSIZE, (run["file_bytes"], run["file_bytes"]))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY
        os.dup2(os.open(run[name], flags, 0o600), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.argv = ["convtool", *run["arguments"]]
    try:
        program.main()
    except SystemExit as stop:
        sys.stdout.flush()
        return stop.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def main(seconds, mebibytes, report=None, *command):
    """Watch one command, or serve."""
    limit = int(mebibytes) << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    if report is None:
        serve(float(seconds))
        return
    found = ending(subprocess.Popen(command).pid, float(seconds))
    with open(report, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
