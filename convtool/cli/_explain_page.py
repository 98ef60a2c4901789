"""The pages of ``convtool explain``."""

import os
from collections.abc import Sequence

from convtool.errors import OptionError, ReportWriteError
from convtool.explain import Backward, Layer, Theorem, Walk
from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import parse
from convtool.report.walk_page import Opening, PageKernel, walk_page
from convtool.report.whole_file import replace_file

PAGE_SIDE = 16
"""The longest side of a picture on the page where the kernel slides."""

_PAGE_KERNEL = 9


def write_page(
    path: str,
    one: Layer,
    kernels: Sequence[str],
    mode: str,
    *,
    back: Backward | None = None,
    drawn: bool = True,
) -> None:
    """Write the page on which the kernel slides.

    Parameters
    ----------
    path : str
        The file.
    one : Layer
        What the page begins with.
    kernels : sequence of str
        How the kernels were named.
    mode : str
        A mode, or ``padding``.
    back : Backward, optional
        What goes back through the layer.
    drawn : bool
        Whether the layer's image is shown; without, the page draws one itself.
    """
    _write(path, walk_page(_opening(one, kernels, mode, back, drawn), _page_kernels()))


def write_spectrum_page(path: str, one: Walk, shown: Theorem) -> None:
    """Write the page of the convolution theorem."""


def _write(path: str, text: str) -> None:
    try:
        replace_file(os.path.realpath(path), text.encode())
    except OSError as error:
        raise ReportWriteError(
            f"{path}: cannot write the page ({error.strerror or error}); choose another file"
        ) from error


def _opening(
    one: Layer, kernels: Sequence[str], mode: str, back: Backward | None, drawn: bool
) -> Opening:
    """Return what the page begins with."""
    first = one.first
    if max(first.image.shape) > PAGE_SIDE:
        raise OptionError(
            f"the page shows up to {PAGE_SIDE}×{PAGE_SIDE} pixels; take a part with --crop"
        )
    if max(first.kernel.shape) > _PAGE_KERNEL:
        raise OptionError(f"the page shows kernels of up to {_PAGE_KERNEL}×{_PAGE_KERNEL}")
    rows, columns = first.layout.rows, first.layout.columns
    return Opening(
        image=first.image.tolist() if drawn else None,
        kernel=first.kernel.tolist(),
        name=kernels[0],
        operation="convolution" if first.flipped else "correlation",
        mode=mode,
        border=first.border,
        cval=first.cval,
        padding=(-rows.start, -columns.start) if mode == "padding" else (1, 1),
        stride=(rows.stride, columns.stride),
    )


def _page_kernels() -> dict[str, PageKernel]:
    """Return the presets that a page has room for."""
    found = {name: parse(name) for name, preset in PRESETS.items() if not preset.parts}
    return {
        name: PageKernel(one.weights.tolist(), PRESETS[name].summary)
        for name, one in found.items()
        if max(one.weights.shape) <= _PAGE_KERNEL
    }
