"""Kill a run before each of its changes to the disk in turn, and resume it each time.

``python moments.py ARGUMENTS…`` runs ``convtool ARGUMENTS…`` in the current folder: first as it is,
then killed before its first change to what is called ``out.*``, its second, and so on. Each time
``out.*`` is as in ``before/`` at first. Prints a line of JSON for each moment: what it came before,
what was there after the kill, what the run that goes on (``--resume``) has ended with, and whether
that leaves exactly what an undisturbed run does.
"""

import json
import os
import shutil
import signal
import sys
from importlib import import_module
from pathlib import Path

from convtool.cli import run

CHANGES = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "shutil.rmtree")


COSTLY = ("zarr", "convtool.filtering.strips.job", "convtool.images.stores.zarr_writer")
"""Imported before there are other processes, which then have them."""


def is_change(event, arguments):
    """Return whether an audit event comes before a change to what is called out.*."""
    if event not in CHANGES or not any("out." in str(one) for one in arguments[:2]):
        return False
    return event != "open" or bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))


def forked(line, moment=None):
    """Run a command in a process that is killed before a change; return how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seen = []

    def hook(event, arguments):
        if is_change(event, arguments):
            seen.append(event)
            if len(seen) > moment:
                Path("moment").write_text(f"{event} {Path(str(arguments[0])).name}")
                os.kill(os.getpid(), signal.SIGKILL)

    if moment is not None:
        sys.addaudithook(hook)
    os._exit(run(line))


def contents():
    """Return the files that are called out.*, and what they hold."""
    files = (path for place in Path().glob("out.*") for path in [place, *place.rglob("*")])
    return {str(path): path.read_bytes() for path in files if path.is_file()}


def begin():
    """Put what is called out.* as it was."""
    for place in Path().glob("out.*"):
        shutil.rmtree(place)
    shutil.copytree("before", ".", dirs_exist_ok=True)


def main(line):
    """Try all moments."""
    for module in COSTLY:
        import_module(module)
    begin()
    assert forked(line) == 0
    expected, moment, ended = contents(), 0, -signal.SIGKILL
    while ended:
        begin()
        ended = forked(line, moment)
        places = sorted(str(place) for place in Path().glob("out.*"))
        code = forked([*line, "--resume"])
        what = Path("moment").read_text() if ended else "none"
        found = {"before": what, "left": places, "code": code, "same": contents() == expected}
        print(json.dumps(found))
        moment += 1


if __name__ == "__main__":
    main(sys.argv[1:])
