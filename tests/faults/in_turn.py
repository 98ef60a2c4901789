"""Run commands one after another in one process, which loads convtool once, and tell how they end.

``python in_turn.py SECONDS`` reads a line from standard input, a JSON list of commands, each a list
of arguments, and prints one: of each command its exit code, what it wrote to standard output and
error, whether it took longer than SECONDS, and how many MiB more the process held at most than
before it.
"""

import json
import os
import resource
import signal
import sys
import tempfile
import traceback

from convtool.cli import run

_ADDRESSES = 6 << 30


class _HungError(BaseException):
    pass


def _hung(number, frame):
    raise _HungError


def ending(command, seconds):
    """Run a command and return how it ended."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kept = [os.dup(number) for number in (1, 2)]
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as said:
        for number, file in enumerate((out, said), 1):
            os.dup2(file.fileno(), number)
        code = None
        signal.alarm(seconds)
        try:
            code = run(command)
        except _HungError:
            pass
        except BaseException:
            traceback.print_exc()
        signal.alarm(0)
        sys.stdout.flush()
        sys.stderr.flush()
        for number, handle in enumerate(kept, 1):
            os.dup2(handle, number)
            os.close(handle)
        texts = [file.seek(0) or file.read().decode("utf-8", "replace") for file in (out, said)]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"code": code, "out": texts[0], "said": texts[1], "hung": code is None, "grown": grown}


def main(seconds):
    """Run the commands on standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    signal.signal(signal.SIGALRM, _hung)
    print(json.dumps([ending(command, int(seconds)) for command in json.loads(sys.stdin.read())]))


if __name__ == "__main__":
    main(*sys.argv[1:])
