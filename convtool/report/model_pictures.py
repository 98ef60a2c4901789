"""Drawings of a network's filters, activations and attribution maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.errors import printable
from convtool.records import Record
from convtool.report.figures import new_figure, save_figure

Numbers = NDArray[Any]

_ACROSS = 16
_SIGNED, _UNSIGNED = "RdBu_r", "viridis"
_MOST_TILES = 1024
_ANNOTATED = 64
_MOST_NUMBERS = 300
_ROOM_FOR_NUMBER = 0.36
_EXTREME = 0.6
_MOST_NAMES = 64
_LARGEST_MAP = 2.0
_LONG_NAME = 3


def mosaic(planes: Numbers, across: int = _ACROSS) -> Numbers:
    """Arrange pictures of one size in rows, separated by NaN.

    Parameters
    ----------
    planes : ndarray, shape (N, H, W)

    Examples
    --------
    >>> mosaic(np.ones((3, 1, 2)), 2)
    array([[ 1.,  1., nan,  1.,  1.],
           [nan, nan, nan, nan, nan],
           [ 1.,  1., nan, nan, nan]])
    """
    count, height, width = planes.shape
    across = min(across, count)
    down = -(-count // across)
    sheet = np.full((down * (height + 1) - 1, across * (width + 1) - 1), np.nan)
    for number, plane in enumerate(planes):
        top, left = number // across * (height + 1), number % across * (width + 1)
        sheet[top : top + height, left : left + width] = plane
    return sheet


def draw_kernels(weights: Numbers, biases: Numbers | None, title: str, target: Path) -> None:
    """Draw the filters of a convolution, blue where negative, red where positive.

    Parameters
    ----------
    weights : ndarray, shape (O, I, KH, KW)
        One row of pictures per filter, one column per input channel; filters with a single channel
        are arranged in rows of several.
    biases : ndarray, shape (O,), or None
    title : str
    target : Path

    Raises
    ------
    OptionError, ReportWriteError
        If the file cannot be written.
    """
    filters, channels, height, width = weights.shape
    scale = float(np.abs(weights).max()) or 1.0
    if filters * channels > _ANNOTATED:
        figure = _many_kernels(weights, title, scale)
        save_figure(figure, target)
        return
    across = channels if channels > 1 else min(filters, 8)
    tiles = weights.reshape(-1, height, width)
    rows = -(-len(tiles) // across)
    numbered = len(tiles) * height * width <= _MOST_NUMBERS
    side = max(1.1, _ROOM_FOR_NUMBER * width) if numbered else 1.1
    figure = new_figure(
        max(4.0, side * across + 1.6), max(2.4, (side * height / width + 0.25) * rows + 1)
    )
    figure.suptitle(f"{title}, as filter.channel" if channels > 1 else title, fontsize=10)
    axes = figure.subplots(rows, across, squeeze=False).reshape(-1)
    for axis in axes:
        axis.set_axis_off()
    image = None
    for number, (axis, tile) in enumerate(zip(axes, tiles, strict=False)):
        image = axis.imshow(tile, cmap=_SIGNED, vmin=-scale, vmax=scale)
        own, channel = divmod(number, channels)
        name = f"{own + 1}.{channel + 1}" if channels > 1 else f"{own + 1}"
        bias = "" if biases is None or channel else f", bias {biases[own]:+.2g}"
        axis.set_title(f"{name}{bias}", fontsize=7)
        if numbered:
            _write_numbers(axis, tile, scale)
    figure.colorbar(image, ax=list(axes), shrink=0.8, aspect=20 * max(1, rows / across))
    save_figure(figure, target)


def _many_kernels(weights: Numbers, title: str, scale: float) -> Any:
    """Return a figure of many filters, without numbers: one row per filter, or 16 in a row."""
    filters, channels, height, width = weights.shape
    across = channels if channels > 1 else _ACROSS
    kept = min(filters, max(1, _MOST_TILES // channels))
    sheet = mosaic(weights[:kept].reshape(-1, height, width).astype(np.float64), across)
    figure = new_figure(12, min(30.0, max(2.5, 11 * sheet.shape[0] / sheet.shape[1] + 1)))
    more = f"; the first {kept}" if kept < filters else ""
    axis = figure.subplots()
    axis.set_title(f"{title}{more}", fontsize=10)
    image = axis.imshow(sheet, cmap=_SIGNED, vmin=-scale, vmax=scale, interpolation="nearest")
    rows = range(-(-kept * channels // across))
    first = 1 if channels > 1 else across
    _label_tiles(axis.yaxis, [str(first * row + 1) for row in rows], height)
    axis.set_ylabel("filter" if channels > 1 else "filters, from")
    if channels > 1:
        _label_tiles(axis.xaxis, [str(channel + 1) for channel in range(channels)], width)
        axis.xaxis.tick_top()
        axis.set_xlabel("channel of its input")
        axis.xaxis.set_label_position("top")
    else:
        axis.set_xticks([])
    axis.spines[:].set_visible(False)
    figure.colorbar(image, ax=axis, fraction=0.02, pad=0.02, aspect=40)
    return figure


def _label_tiles(axis: Any, names: Sequence[str], size: int) -> None:
    """Label the tiles of a mosaic, skipping labels that would overlap."""
    step = -(-len(names) // _MOST_NAMES)
    places = [number * (size + 1) + (size - 1) / 2 for number in range(len(names))]
    axis.set_ticks(places[::step], names[::step], fontsize=7)
    axis.set_tick_params(length=0)


def _write_numbers(axis: Any, tile: Numbers, scale: float) -> None:
    for (i, j), value in np.ndenumerate(tile):
        ink = "white" if abs(value) > _EXTREME * scale else "black"
        axis.text(j, i, f"{value:.2g}", ha="center", va="center", color=ink, fontsize=6)


class Activation(Record):
    """The output of one layer for a picture."""

    title: str
    values: Numbers
    """Shape (C, H, W) or (F,)."""
    names: Sequence[str] = ()
    """The labels of the values of a one-dimensional output."""


def draw_activations(
    picture: Numbers, title: str, layers: Sequence[Activation], target: Path
) -> None:
    """Draw a picture and below it every channel of every layer.

    The colour scale spans the layer's range, or is symmetric around 0 if both signs occur.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W) or (H, W, 3)
    title : str
    layers : sequence of Activation
    target : Path

    Raises
    ------
    OptionError, ReportWriteError
        If the file cannot be written.
    """
    sheets = [_sheet(layer.values) for layer in layers]
    heights = [_LARGEST_MAP, *map(_sheet_height, layers, sheets)]
    figure = new_figure(10.5, sum(heights) + 0.42 * len(heights))
    axes = figure.subplots(len(heights), 1, height_ratios=heights)
    axes[0].imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes[0].set_title(printable(title), fontsize=9, loc="left", parse_math=False)
    for axis, sheet, layer in zip(axes[1:], sheets, layers, strict=True):
        low, high = float(np.nanmin(sheet)), float(np.nanmax(sheet))
        signed = low < 0 < high
        largest = max(-low, high)
        limits = (-largest, largest) if signed else (low, high)
        colours = _SIGNED if signed else _UNSIGNED
        image = axis.imshow(
            sheet, cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest"
        )
        values = f"{low:.3g} to {high:.3g}" if low < high else f"{low:.3g}"
        axis.set_title(f"{layer.title}   {values}", fontsize=9, loc="left")
        figure.colorbar(image, ax=axis, fraction=0.03, pad=0.01)
        if layer.names:
            _name_cells(axis, layer.names)
        else:
            axis.set_axis_off()
    _frame(axes[0])
    for axis in axes:
        axis.set_anchor("W")
    save_figure(figure, target)


def _frame(axis: Any) -> None:
    """Replace a picture's axes by a thin frame, which makes a white edge visible."""
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_color("0.7")


def _name_cells(axis: Any, names: Sequence[str]) -> None:
    """Label the cells of a one-dimensional output."""
    upright = max(map(len, names)) > _LONG_NAME
    axis.set_xticks(range(len(names)), names, fontsize=8, rotation=90 if upright else 0)
    axis.set_yticks([])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def _sheet_height(layer: Activation, sheet: Numbers) -> float:
    """Return the height of a layer's drawing in inches; few maps are no larger than the picture."""
    whole: float = max(0.55, 9 * sheet.shape[0] / sheet.shape[1])
    if layer.values.ndim == 1:
        return whole
    down = (sheet.shape[0] + 1) // (layer.values.shape[1] + 1)
    return float(min(9.0, whole, _LARGEST_MAP * down))


def _sheet(values: Numbers) -> Numbers:
    """Arrange a layer's channels side by side, or a one-dimensional output as rows of cells."""
    if values.ndim == 3:
        return mosaic(values.astype(np.float64))
    across = min(max(len(values), 32), 64 if len(values) <= 256 else 160)
    sheet = np.full((-(-len(values) // across), across), np.nan)
    sheet.reshape(-1)[: len(values)] = values
    return sheet


def draw_deciding(
    picture: Numbers, deciding: Numbers, title: str, label: str, target: Path
) -> None:
    """Draw a picture, its attribution map, and their overlay.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W) or (H, W, 3)
    deciding : ndarray, shape (H, W)
        The attribution of each pixel; negative where it opposes the class.
    title, label : str
        The title, and the label of the colour scale.
    target : Path

    Raises
    ------
    OptionError, ReportWriteError
        If the file cannot be written.
    """
    figure = new_figure(10.5, 4)
    figure.suptitle(printable(title), fontsize=10, parse_math=False)
    axes = figure.subplots(1, 3)
    largest = float(np.abs(deciding).max()) or 1.0
    signed = float(deciding.min()) < 0
    colours, low = (_SIGNED, -largest) if signed else (_UNSIGNED, 0.0)
    axes[0].imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes[0].set_title("the network's input", fontsize=9)
    image = axes[1].imshow(deciding, cmap=colours, vmin=low, vmax=largest)
    axes[1].set_title(label, fontsize=9)
    axes[2].imshow(picture, cmap="gray", vmin=0, vmax=255)
    strength = np.abs(deciding) / largest
    axes[2].imshow(deciding, cmap=colours, vmin=low, vmax=largest, alpha=0.75 * strength)
    axes[2].set_title("both", fontsize=9)
    for axis in axes:
        _frame(axis)
    figure.colorbar(image, ax=list(axes), shrink=0.8)
    save_figure(figure, target)
