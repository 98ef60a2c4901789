"""The main program of the process that calls libraries.

It reads requests from standard input and answers on standard output, and ends with its input.
"""

import os
import signal
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from typing import Any

from convtool.errors import ConvtoolError
from convtool.images.codecs.stderr import first_line
from convtool.images.doors.client import Request
from convtool.images.doors.wire import receive, send


def main() -> None:  # pragma: no cover - it runs in the other process
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    while True:
        try:
            request = Request(*receive(requests))
        except EOFError:
            return
        answer = _answer(request)
        del request
        send(answers, answer)


def _answer(request: Request) -> tuple[str, Any]:
    _limit(None)
    try:
        function = getattr(import_module(request.module), request.function)
        _limit(request.memory)
        answer = function(*request.arguments)
        _limit(None)
        return "done", answer
    except MemoryError:
        _limit(None)
        return "too large", (
            f"needs more than the {request.memory >> 20} MB of memory that decoding it may take"
        )
    except ConvtoolError as error:
        return "failed", str(error)
    except Exception as error:  # libraries raise all kinds on damaged files
        _limit(None)
        reason = first_line(str(error)) or type(error).__name__
        return "failed", f"is cut off or damaged: {request.library} says: {reason}"


def _limit(more: int | None) -> None:  # pragma: no cover - likewise
    """Let the process take that much more memory than it has, or as much as the system allows."""
    with suppress(ImportError, OSError, ValueError):  # not on all systems
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        soft = most
        if more is not None:
            with open("/proc/self/statm", encoding="ascii") as file:
                pages = int(file.read().split()[0])
            soft = pages * resource.getpagesize() + more
            soft = soft if most == resource.RLIM_INFINITY else min(soft, most)
        resource.setrlimit(resource.RLIMIT_AS, (soft, most))


if __name__ == "__main__":
    main()
