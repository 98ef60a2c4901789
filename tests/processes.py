"""The command line as real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}


def finished(*arguments, stdin=b"", timeout=100):
    """Run ``convtool`` to its end."""
    command = [sys.executable, "-m", "convtool", *arguments]
    return subprocess.run(
        command, input=stdin, capture_output=True, env=ENVIRONMENT, check=False, timeout=timeout
    )


def started(*arguments, **how):
    """Start ``convtool``, which hears Ctrl-C even where the tests were started without."""
    return subprocess.Popen(
        [sys.executable, "-m", "convtool", *arguments],
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        **how,
    )


def interrupted(running, number, ready, least=1, all_at_once=False):
    """Interrupt a process that has children as soon as something is so; return what it said.

    It has so many children at least, which are interrupted, too, if that is ``all_at_once``. It
    ends in moments, with the right code, and its children with it.
    """
    family = []
    while running.poll() is None and not (len(family) >= least and ready()):
        time.sleep(0.05)
        family = psutil.Process(running.pid).children(recursive=True)
    if all_at_once:
        os.killpg(running.pid, number)
    else:
        running.send_signal(number)
    _, said = running.communicate(timeout=20)
    assert running.returncode == 130, said
    assert said.endswith(b"convtool: error: interrupted\n"), said
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive
    return said
