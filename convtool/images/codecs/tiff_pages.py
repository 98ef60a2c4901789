"""The pages of a TIFF: directories without masks, and stacks whose planes one directory lists.

ImageJ writes stacks beyond 4 GB, and tifffile stacks "truncated" to one directory, as planes that
follow the first; the description says how many there are.

References
----------
TIFF 6.0, NewSubfileType (bit 2: a transparency mask). ImageJ, ``ij/io/TiffEncoder.java``:
``images=N`` in the description. tifffile's documentation: ``{"shape": [...]}``.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence

from convtool.errors import ImageReadError
from convtool.images.codecs.binary import Data
from convtool.images.codecs.exif import tags_of, without
from convtool.images.codecs.ifd import Directory, all_directories
from convtool.images.codecs.tiff_layout import STORED, blocks_of, layout_of
from convtool.images.image import Image
from convtool.records import Record, replace

DESCRIPTION, SUBFILE, SUB_DIRECTORIES = 270, 254, 330
_PHOTOMETRIC, _MASK, _MASK_BIT = 262, 4, 4
_IMAGEJ = re.compile(r"ImageJ=.*?^images=(\d+)", re.DOTALL | re.MULTILINE)
_OME_SIZE = re.compile(r'\bSize([XYZCT])\s*=\s*"(\d+)"')


class Page(Record):
    """One picture of a file."""

    number: int
    """Which directory of the file's chain describes it, 0 for the first."""
    directory: Directory
    """That directory."""
    notes: tuple[str, ...] = ()
    """What of the file is left out."""


def pages_of(data: Data) -> Iterator[Page]:
    """Return the pictures of a file, one after the other.

    Raises
    ------
    ImageReadError
        If the header or a directory is damaged.
    """
    waiting: Page | None = None
    masks = count = 0
    for number, directory in enumerate(all_directories(data)):
        if _is_mask(directory):
            masks += 1
            continue
        if waiting is not None:
            yield waiting
        waiting, count = Page(number, directory, _notes(directory)), count + 1
    if waiting is None:
        raise ImageReadError("holds transparency masks alone; a picture was expected")
    if masks:
        what = "an internal mask page is" if masks == 1 else f"{masks} internal mask pages are"
        waiting = replace(waiting, notes=(*waiting.notes, f"{what} left out"))
    if count > 1:
        yield waiting
    else:
        yield from _planes(waiting)


def _is_mask(page: Directory) -> bool:
    return page.value(_PHOTOMETRIC, 0) == _MASK or bool(page.value(SUBFILE, 0) & _MASK_BIT)


def _notes(page: Directory) -> tuple[str, ...]:
    tag = page.tags.get(SUB_DIRECTORIES)
    if tag is None or not tag.count:
        return ()
    what = "a picture" if tag.count == 1 else f"{tag.count} pictures"
    return (f"{what} in SubIFDs (smaller copies, or others) left out",)


def description_of(page: Directory) -> str:
    """Return a page's description, empty where it has none that can be read."""
    try:
        return page.content(DESCRIPTION).rstrip(b"\0").decode("utf-8", "replace")
    except ImageReadError:
        return ""


def planes_said(description: str, height: int, width: int, samples: int) -> int | None:
    r"""Return how many planes a description claims; None where it claims nothing.

    Examples
    --------
    >>> planes_said('{"shape": [15, 32, 40]}', 32, 40, 1)
    15
    >>> planes_said("ImageJ=1.53t\nimages=5\nslices=5", 32, 40, 1)
    5
    """
    if found := _IMAGEJ.match(description):
        return int(found[1])
    shape = _shape_said(description)
    if shape is None:
        return None
    plane = [height, width] if samples == 1 else [height, width, samples]
    planar = [samples, height, width]
    if shape[-len(plane) :] == plane or shape[-len(planar) :] == planar:
        return math.prod(shape) // math.prod(plane)
    return 0


def _shape_said(description: str) -> list[int] | None:
    """Return the shape that a description in JSON states."""
    if not description.startswith("{"):
        return None
    try:
        shape = json.loads(description).get("shape")
    except (ValueError, AttributeError, RecursionError):
        return None
    whole = isinstance(shape, list) and all(isinstance(n, int) and n > 0 for n in shape)
    return shape if whole and shape else None


def fits(description: str, pages: int, height: int, width: int, samples: int) -> bool:
    r"""Return whether what a description says of the pixels holds for pages that are written.

    Examples
    --------
    >>> fits("taken at dusk", 1, 32, 40, 1), fits("ImageJ=1.53t\nimages=15", 1, 32, 40, 1)
    (True, False)
    """
    if "<OME" in description:
        said = {axis: int(size) for axis, size in _OME_SIZE.findall(description)}
        planes = math.prod(said.get(axis, 1) for axis in "ZCT")
        sizes = said.get("X"), said.get("Y")
        return sizes == (width, height) and planes in (pages, pages * samples)
    claimed = planes_said(description, height, width, samples)
    listed = pages == 1 or '"truncated": true' not in description
    return claimed is None or (claimed == pages and listed)


def with_true_descriptions(
    pages: Sequence[Image], *, pyramid: bool = False
) -> tuple[list[Image], tuple[str, ...]]:
    """Return pages without descriptions that claim other pixels, and a remark where there are.

    Where smaller levels follow in a pyramid, tifffile's note of the shape is left out: it is read
    as that of all pages together.
    """
    kept, dropped = [], 0
    for image in pages:
        page = image
        entry = tags_of(page.metadata.exif)[0].get(DESCRIPTION) if page.metadata.exif else None
        text = entry.content.rstrip(b"\0").decode("utf-8", "replace") if entry else ""
        stale = bool(text) and not fits(text, len(pages), page.height, page.width, page.channels)
        if stale or (pyramid and _shape_said(text) is not None):
            block = without(page.metadata.exif, DESCRIPTION)
            page = replace(page, metadata=replace(page.metadata, exif=block))
            dropped += stale
        kept.append(page)
    remark = "the description claims another number of planes, or size, and is left out"
    return kept, (remark,) if dropped else ()


def _planes(page: Page) -> Iterator[Page]:
    """Return the planes of a stack that one directory lists, or the one page that it is."""
    first = page.directory
    description = description_of(first)
    if not description:
        yield page
        return
    layout = layout_of(first)
    claimed = planes_said(description, layout.height, layout.width, layout.samples)
    if claimed is None or claimed <= 1:
        yield page
        return
    blocks = list(blocks_of(first, layout)) if layout.compression == STORED else []
    ends = [block.offset + block.length for block in blocks]
    follow = bool(blocks) and [block.offset for block in blocks[1:]] == ends[:-1]
    plane = ends[-1] - blocks[0].offset if follow else 0
    if not follow or ends[-1] + (claimed - 1) * plane > len(first.data):
        note = f"its description claims {claimed} planes; the file holds one"
        yield replace(page, notes=(*page.notes, note))
        return
    for number in range(claimed):
        yield replace(page, directory=replace(first, shift=number * plane))
