"""``convtool view``: a page on this machine on which sliders filter a picture."""

import select
import threading
from collections.abc import Sequence
from typing import Any

import click

from convtool.cli import INTERRUPTED
from convtool.cli._file_options import page_reading_options, read_page
from convtool.cli._help import Command
from convtool.cli._kernels import read_kernel
from convtool.cli._options import taken
from convtool.cli._signals import signals
from convtool.cli._terminal import say
from convtool.cli._wording import as_options
from convtool.errors import OptionError
from convtool.images.options import ReadOptions
from convtool.images.paths import shown

_FIRST = "gaussian:sigma=2"
_STDIN = "-"


@click.command(
    "view",
    cls=Command,
    epilog="""\b
Examples:
  convtool view sample_images/photograph.jpg
  convtool view sample_images/photograph.jpg -k unsharp:amount=1.5,sigma=2
  convtool view sample_images/siemens-star.png -k gaussian -k sobel --port 8000""",
)
@click.argument("path", metavar="IMAGE")
@click.option(
    "--kernel",
    "-k",
    "specs",
    metavar="SPEC",
    multiple=True,
    help=f"Kernel to begin with, as for 'convtool filter'; may be repeated.  [default: {_FIRST}]",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port of this machine to serve the page at.  [default: a free one]",
)
@page_reading_options
def command(path: str, specs: tuple[str, ...], port: int | None, **how: Any) -> int:
    """Filter IMAGE on a page whose sliders change the kernel, and show before and after.

    The page also shows the command that writes what one sees. Open the printed address in a browser
    of this machine. It contains a secret; the page is served to this machine alone, until Ctrl-C.
    """
    if path == _STDIN:
        raise OptionError("a page shows commands that read the picture again; name a file")
    given = [read_kernel(spec) for spec in specs or (_FIRST,)]
    reading = taken(how, ReadOptions)
    image = read_page(path, reading)
    from convtool.view.server import ViewServer
    from convtool.view.viewer import Viewer

    viewer = Viewer(image, path, given, _reading_words(reading), as_options)
    with ViewServer(viewer, port or 0) as server, signals() as stop:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        say(server.address)
        say(f"convtool: {shown(path)} is served at this address; Ctrl-C ends it", err=True)
        select.select([stop], [], [])
        server.shutdown()
    return INTERRUPTED


def _reading_words(reading: ReadOptions) -> Sequence[str]:
    """Return the options of a command that reads the picture so."""
    plain = vars(ReadOptions())
    return [
        word
        for name, value in vars(reading).items()
        if value != plain[name]
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
