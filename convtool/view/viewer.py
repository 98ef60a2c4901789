"""One picture and its filtered versions, as the page shows them."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from convtool.errors import OptionError
from convtool.filtering.memory import FilterResult, filter_image
from convtool.filtering.plan import PictureKind, plan_filter
from convtool.images.formats import FORMATS
from convtool.images.image import Document, Image
from convtool.images.options import WriteOptions
from convtool.images.paths import file_name
from convtool.images.write import encoded
from convtool.kernels.spec import KernelSpec
from convtool.records import Record
from convtool.view import screen
from convtool.view.settings import Settings, command, parse_settings

MOST_SHOWN = 1280
"""The most pixels a side that are shown at once; larger pictures are reduced."""
MOST_PART = 1024
"""The most pixels a side of a part that is shown pixel by pixel."""
_KEPT = 2


class _Filtered(Record, eq=False):
    settings: Settings
    result: FilterResult
    seconds: float


class Viewer:
    """A picture, and what filters make of it.

    One picture is filtered at a time, and the last results are kept: the page asks for the numbers,
    the picture and a part of it one after the other.

    Parameters
    ----------
    image : Image
        The picture.
    path : str
        The path that commands name it by.
    given : sequence of KernelSpec
        The kernels of the command line.
    reading : sequence of str
        The options of commands that say how the picture is read.
    wording : callable, optional
        Turns the options that messages name into those of the command.
    """

    def __init__(
        self,
        image: Image,
        path: str,
        given: Sequence[KernelSpec],
        reading: Sequence[str] = (),
        wording: Callable[[str], str] = str,
    ) -> None:
        self.wording = wording
        self.image, self.path, self.given, self.reading = image, path, given, reading
        self.white = screen.white_of(image)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Filtered] = OrderedDict()

    @property
    def name(self) -> str:
        """The name of the picture's file."""
        return file_name(self.path)

    def before(self) -> bytes:
        """Return the picture for the screen, as PNG."""
        return screen.reduced_png(self.image, self.white, MOST_SHOWN)

    def after(self, asked: str) -> bytes:
        """Return the filtered picture for the screen, as PNG.

        Parameters
        ----------
        asked : str
            The settings, see `.settings.parse_settings`.
        """
        return screen.reduced_png(self._filtered(asked).result.image, self.white, MOST_SHOWN)

    def part(self, asked: str | None, box: screen.Box) -> bytes:
        """Return a part of the picture, filtered if settings are given, pixel by pixel as PNG.

        Raises
        ------
        OptionError
            If the part is empty, too large, or not in the picture.
        """
        inside = 0 <= box.left < self.image.width and 0 <= box.top < self.image.height
        if not inside or not (1 <= box.width <= MOST_PART and 1 <= box.height <= MOST_PART):
            raise OptionError(f"a part lies in the picture and has 1 to {MOST_PART} pixels a side")
        image = self.image if asked is None else self._filtered(asked).result.image
        return screen.part_png(image, self.white, box)

    def file(self, asked: str) -> tuple[bytes, str]:
        """Return the file that the command writes, and its name."""
        found = self._filtered(asked)
        target = self._target(found.result.image)
        return encoded(target, Document((found.result.image,)), WriteOptions())[0], target

    def about(self, asked: str) -> dict[str, Any]:
        """Return the command, and how the picture was filtered."""
        found = self._filtered(asked)
        target = self._target(found.result.image)
        return {
            "command": command(found.settings, self.path, self.reading, target),
            "steps": [
                {
                    "kernel": step.kernel,
                    "size": "×".join(map(str, kernel.weights.shape[-2:])),
                    "engine": step.plan.engine,
                    "reason": step.plan.reason,
                    "seconds": step.seconds,
                }
                for step, kernel in zip(found.result.steps, found.settings.kernels, strict=True)
            ],
            "seconds": found.seconds,
            "warnings": list(map(self.wording, found.result.warnings)),
        }

    def _target(self, image: Image) -> str:
        """Return the name of the output: PNG where that holds the pixels, else TIFF."""
        fits = FORMATS["png"].can_hold(image.channels, image.type.name, bands=image.has_bands)
        stem = self.name.rpartition(".")[0] or self.name
        return f"{stem}-filtered.{'png' if fits else 'tif'}"

    def _filtered(self, asked: str) -> _Filtered:
        """Filter the picture as `convtool filter` does."""
        with self._lock:
            if asked in self._kept:
                self._kept.move_to_end(asked)
                return self._kept[asked]
            settings = parse_settings(asked, self.given)
            start = time.perf_counter()
            kind = PictureKind.of_image(self.image)
            plan = plan_filter(kind, settings.kernels, settings.options)
            result = filter_image(self.image, settings.kernels, settings.options, plan)
            found = _Filtered(settings, result, time.perf_counter() - start)
            self._kept[asked] = found
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return found
