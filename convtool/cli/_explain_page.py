"""The pages of ``convtool explain``."""

from collections.abc import Sequence

from convtool.cli._explain_spectrum import border_text, difference_line, exact
from convtool.errors import OptionError
from convtool.explain import Backward, Layer, Theorem, Walk
from convtool.explain.activation import LEAKY_SLOPE
from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import parse
from convtool.records import replace
from convtool.report.spectrum_page import Spectra, spectrum_page
from convtool.report.walk_page import Opening, PageKernel, walk_page
from convtool.report.whole_file import write_file

PAGE_SIDE = 16
"""The longest side of a picture on the page with the sliding kernel."""

_PAGE_KERNEL = 9
_PAGE_SPECTRUM = 128


def write_page(
    path: str,
    one: Layer,
    kernels: Sequence[str],
    mode: str,
    *,
    back: Backward | None = None,
    drawn: bool = True,
) -> None:
    """Write the page with the sliding kernel.

    Parameters
    ----------
    path : str
        The file.
    one : Layer
        The initial layer.
    kernels : sequence of str
        The specs of the kernels.
    mode : str
        A mode, or ``padding``.
    back : Backward, optional
        The gradients.
    drawn : bool
        Whether to show the layer's image; otherwise the page draws one.
    """
    page = walk_page(_opening(one, kernels, mode, back, drawn), _page_kernels())
    write_file(path, page.encode(), "page")


def write_spectrum_page(path: str, one: Walk, shown: Theorem) -> None:
    """Write the page of the convolution theorem."""
    if max(shown.image.shape) > _PAGE_SPECTRUM:
        raise OptionError(
            f"the page shows spectra of up to {_PAGE_SPECTRUM}×{_PAGE_SPECTRUM}; "
            "choose a part with --crop"
        )
    spectra = {
        "image": shown.image_spectrum,
        "kernel": shown.kernel_spectrum,
        "product": shown.product,
    }
    text = spectrum_page(
        Spectra(
            image=shown.image.tolist(),
            kernel=shown.kernel.tolist(),
            spectra={
                name: (values.real.tolist(), values.imag.tolist())
                for name, values in spectra.items()
            },
            circular=exact(shown.circular, shown).tolist(),
            linear=shown.linear.tolist(),
            difference=exact(shown.difference, shown).tolist(),
            border=border_text(one),
            full=shown.image.shape != one.image.shape,
            words=difference_line(shown),
        )
    )
    write_file(path, text.encode(), "page")


def _opening(
    one: Layer, kernels: Sequence[str], mode: str, back: Backward | None, drawn: bool
) -> Opening:
    """Return the initial values of the page."""
    first = one.first
    if max(first.image.shape) > PAGE_SIDE:
        raise OptionError(
            f"the page shows up to {PAGE_SIDE}×{PAGE_SIDE} pixels; choose a part with --crop"
        )
    if max(first.kernel.shape) > _PAGE_KERNEL:
        raise OptionError(f"the page shows kernels of up to {_PAGE_KERNEL}×{_PAGE_KERNEL}")
    rows, columns = first.layout.rows, first.layout.columns
    images = one.walks if one.combination is None else one.walks[:1]
    opening = Opening(
        images=[walk.image.tolist() for walk in images] if drawn else None,
        kernels=[walk.kernel.tolist() for walk in one.walks],
        presets=one.names if one.combination else kernels,
        names=one.names,
        combination=one.combination,
        operation="convolution" if first.flipped else "correlation",
        mode=mode,
        border=first.border,
        cval=first.cval,
        padding=(-rows.start, -columns.start) if mode == "padding" else (1, 1),
        stride=(rows.stride, columns.stride),
        bias=one.bias,
        gradient=back.given.tolist() if back else None,
    )
    if one.activation:
        name, slope = one.activation.name, one.activation.slope
        opening = replace(opening, activation=name, leak=slope if name == "leaky" else LEAKY_SLOPE)
    if one.pooling:
        made = one.pooling
        opening = replace(opening, pool=made.kind, pool_size=made.size, pool_stride=made.stride)
    return opening


def _page_kernels() -> dict[str, PageKernel]:
    """Return the presets that are small enough for the page."""
    found = {name: parse(name) for name, preset in PRESETS.items() if not preset.parts}
    return {
        name: PageKernel(one.weights.tolist(), PRESETS[name].summary)
        for name, one in found.items()
        if max(one.weights.shape) <= _PAGE_KERNEL
    }
