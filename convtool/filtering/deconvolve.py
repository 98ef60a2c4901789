"""Deconvolution of a picture, for ``convtool deconvolve``: alpha, depth, all pages."""

import math
import time

import numpy as np

from convtool.deconvolution import Restored, restore
from convtool.deconvolution.api import Options, check_method, rounding_of
from convtool.errors import NonFiniteError, OptionError, ShapeError
from convtool.filtering import alpha_rules, nonfinite
from convtool.filtering.advice import CLIPPED_WORTH_A_WARNING
from convtool.filtering.alpha import is_opaque
from convtool.images import alpha as transparency
from convtool.images import tone
from convtool.images.background import channels_on
from convtool.images.image import Image
from convtool.images.options import ReadOptions, WriteOptions
from convtool.images.paths import shown
from convtool.images.read import open_document
from convtool.images.tone import Values
from convtool.images.write import STDOUT, check_writable, time_to_keep, write_document
from convtool.kernels.spec import KernelSpec
from convtool.records import Record, names_of, replace


class DeconvolveOptions(Record):
    """How a blurred picture is restored."""

    method: str = "wiener"
    noise: float | None = None
    balance: float | None = None
    iterations: int | None = None
    border: str = "reflect"
    cval: float = 0.0
    correlate: bool = False
    threads: int | None = None
    """As for `convtool.deconvolve`; noise and cval in units of the picture's pixels."""
    alpha: str = "premultiply"
    """``premultiply`` or ``keep``, as for filtering."""
    depth: str = "keep"
    """The output's depth, see `tone.OUTPUT_DEPTHS`."""


class Deblurred(Record, eq=False):
    """A restored picture."""

    image: Image
    """The picture; format and metadata are the input's."""
    found: Restored
    """What is known about the way back, of its colours."""
    warnings: tuple[str, ...]
    """What a user should know."""


class Deconvolution(Record, eq=False):
    """What became of a file."""

    before: Image
    """The first page as it was read."""
    first: Deblurred
    """The first page restored."""
    pages: int
    """How many there are."""
    warnings: tuple[str, ...]
    """What a user should know."""
    seconds: float
    """What all of it took."""


def deconvolve_image(image: Image, kernel: KernelSpec, options: DeconvolveOptions) -> Deblurred:
    """Undo the blur of a picture by a known kernel.

    Parameters
    ----------
    image : Image
        The blurred picture, as `filter_image` made it with this kernel, border and rule for alpha.
    kernel : KernelSpec
        A single kernel.
    options : DeconvolveOptions
        How.

    Raises
    ------
    OptionError, KernelError, NonFiniteError
        If picture, kernel and options cannot be combined.

    Notes
    -----
    Alpha is restored with the kernel divided by its sum, and the colours multiplied by
    alpha, so that transparent pixels do not affect their neighbours. A kernel whose sum is not
    positive left alpha as it was.

    Examples
    --------
    >>> from convtool.kernels.spec import parse
    >>> flat = Image(np.full((8, 8), 100, np.uint8))
    >>> deconvolve_image(flat, parse("box"), DeconvolveOptions()).image.pixels[0, :3]
    array([100, 100, 100], dtype=uint8)
    """
    pixels, source = image.pixels, image.type
    holes = nonfinite.counted(pixels, nodata=image.metadata.nodata)
    if holes:
        raise NonFiniteError(
            f"{holes}; a deconvolution would spread them everywhere; fill them first, as "
            "convtool filter -k identity --nan fill does"
        )
    noise = options.noise
    if options.balance is None:
        noise = math.hypot(noise or 0.0, rounding_of(pixels))
    how = replace(_blur(options), noise=noise)
    alpha: Values | None = None
    colours = pixels.astype(np.float64)
    if image.has_alpha:
        colours, alpha = colours[:, :, :-1], colours[:, :, -1]
    weighs = options.alpha == "premultiply"
    meets = weighs and alpha is not None and not is_opaque(alpha, image.peak)
    if alpha is not None and meets:
        colours = transparency.premultiply(colours, alpha, image.peak)
    found = restore(colours, kernel.weights, how)
    values = found.values
    if alpha is not None and meets:
        if alpha_rules.smooths(kernel.weights):
            total = kernel.weights.sum()
            missing = (image.peak - alpha) * total
            how = replace(how, noise=noise and noise * total, cval=0.0)
            gone = restore(missing, kernel.weights, how).values
            alpha = np.clip(image.peak - gone, 0, image.peak)
        values = transparency.divide(values, alpha, image.peak)
    toned = tone.finish(values, source=source, depth=options.depth, threads=options.threads)
    share = toned.clipped / toned.pixels.size
    answer, bits = toned.pixels, tone.output_type(options.depth, source).bits
    if alpha is not None:
        opacity = tone.finish(alpha, source=source, depth=options.depth).pixels
        answer = np.dstack([answer, opacity])
    remarks = []
    if share > CLIPPED_WORTH_A_WARNING:
        remarks.append(
            f"{share:.1%} of the values were outside the output's range and were clipped; "
            "`depth='float'` keeps them, more `noise=` makes them fewer"
        )
    known = replace(found, values=values)
    return Deblurred(replace(image, pixels=answer, bits=bits), known, (*image.notes, *remarks))


def _blur(options: DeconvolveOptions) -> Options:
    """Return what the options say of the blur and the method."""
    return Options(**{name: getattr(options, name) for name in names_of(Options)})


def check_options(kernel: KernelSpec, options: DeconvolveOptions) -> None:
    """Check what can be without a picture.

    Raises
    ------
    OptionError, KernelError
        If an option cannot be so, or not with this kernel.
    """
    check_method(kernel.weights, _blur(options))
    if not math.isfinite(options.cval):
        raise OptionError(f"cval must be a finite number, not {options.cval}")


def _channels(channels: int, writing: WriteOptions) -> int:
    return channels if writing.background is None else channels_on(channels, writing.background)


def deconvolve_file(
    source: str,
    target: str,
    kernel: KernelSpec,
    options: DeconvolveOptions,
    reading: ReadOptions | None = None,
    writing: WriteOptions | None = None,
    *,
    reference: Image | None = None,
) -> Deconvolution:
    """Read a picture, restore each of its pages, and write it.

    Parameters
    ----------
    source, target : str
        Files, or ``-``.
    kernel, options
        As for `deconvolve_image`.
    reading : ReadOptions, optional
        How it is read.
    writing : WriteOptions, optional
        How it is written.
    reference : Image, optional
        What the first page is to be compared with: one of another size or colours is refused.

    Raises
    ------
    ConvtoolError
        If the picture cannot be read, restored so, or written; nothing is written then.
    """
    start = time.perf_counter()
    check_options(kernel, options)
    writing = writing or WriteOptions()
    opened = open_document(source, reading or ReadOptions())
    modified = time_to_keep(source, target, writing)
    if writing.format is None and target == STDOUT:
        writing = replace(writing, format=opened.format.name)
    first = opened.headers[0].shape
    if reference is not None and reference.pixels.shape != first:
        raise ShapeError(
            f"the reference is a picture of {reference.pixels.shape}, {shown(source)} has {first}; "
            "give the picture before the blur"
        )
    for header in opened.headers:
        shape = header.shape
        check_writable(
            target,
            _channels(1 if len(shape) == 2 else shape[2], writing),
            tone.output_type(options.depth, header.type),
            format=writing.format,
            quality=writing.quality,
            pages=len(opened.headers),
            animated=opened.is_animation,
            bands=not header.has_alpha and header.channels not in (1, 3),
        )
    document = opened.decode()
    made = []
    for number, page in enumerate(document.pages, 1):
        try:
            made.append(deconvolve_image(page, kernel, options))
        except NonFiniteError as error:
            where = f"{shown(source)}, page {number}" if len(document.pages) > 1 else shown(source)
            raise NonFiniteError(f"{where}: {error}") from error
    results = replace(document, pages=tuple(one.image for one in made))
    remarks = write_document(target, results, writing, modified=modified)
    warnings = (*dict.fromkeys(text for one in made for text in one.warnings), *remarks)
    return Deconvolution(
        document.pages[0], made[0], len(made), warnings, time.perf_counter() - start
    )
