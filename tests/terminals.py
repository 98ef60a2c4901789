"""The command line on a terminal."""

import os
import pty
import signal
import subprocess
import sys
import time

from processes import ENVIRONMENT


class Terminal:
    """``convtool`` with standard input, error and, unless told otherwise, output on a terminal."""

    def __init__(self, *arguments, own_stdout=False, **environment):
        self._main, other = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "convtool", *arguments],
            stdin=other,
            stdout=subprocess.PIPE if own_stdout else other,
            stderr=other,
            env={**ENVIRONMENT, "COLUMNS": "100", "TERM": "xterm", **environment},
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        os.close(other)
        self.said = ""

    def _read(self):
        try:
            some = os.read(self._main, 1 << 16)
        except OSError:  # Linux tells the end of a terminal so
            some = b""
        self.said += some.decode(errors="replace").replace("\r\n", "\n")
        return some

    def until(self, text, seconds=100):
        """Wait until the terminal shows a text."""
        limit = time.monotonic() + seconds
        while text not in self.said:
            assert self._read(), self.said
            assert time.monotonic() < limit, self.said

    def type(self, text):
        """Type something."""
        os.write(self._main, text.encode())

    def end(self):
        """Wait for the end; return the exit code."""
        while self._read():
            pass
        os.close(self._main)
        code = self.process.wait(100)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code
