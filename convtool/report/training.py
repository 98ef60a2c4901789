"""Plots of a training and of its confusion matrix, by Matplotlib."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from convtool.errors import printable
from convtool.report.figures import new_figure, plain_text, save_figure

_FEW = 20
_SHORT_NAME = 3


def draw_curves(history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw loss and accuracy over the epochs.

    Parameters
    ----------
    history : sequence of mapping
        With ``epoch``, ``loss``, ``accuracy`` and perhaps ``validation_loss`` and
        ``validation_accuracy``.
    path : Path
        The file; its extension determines the format.

    Raises
    ------
    ReportWriteError
        If it cannot be written.
    """
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(9, 4)
    epochs = [entry["epoch"] for entry in history]
    marker = "o" if len(epochs) < _FEW else ""
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axes.plot(epochs, [entry[name] for entry in history], marker=marker, label="training")
        watched = [entry.get(f"validation_{name}") for entry in history]
        if watched and watched[0] is not None:
            axes.plot(epochs, watched, "--", marker=marker, label="validation")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set(xlabel="epoch", title=name)
        axes.legend()
    save_figure(figure, path)


def draw_confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix: rows are the true classes, columns the predicted ones.

    Raises
    ------
    ReportWriteError
        If it cannot be written.
    """
    size = max(4.0, 0.5 * len(classes) + 2)
    figure = new_figure(size, size)
    with plain_text():
        _fill_confusion(figure.subplots(), matrix, classes)
        save_figure(figure, path)


def _fill_confusion(axes: Any, matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> None:
    shares = [[count / max(sum(row), 1) for count in row] for row in matrix]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [printable(name) for name in classes]
    upright = max(map(len, names), default=0) > _SHORT_NAME
    axes.set_xticks(range(len(names)), names, rotation=90 if upright else 0)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true")
    for i, row in enumerate(matrix):
        for j, count in enumerate(row):
            if count:
                colour = "white" if shares[i][j] > 0.5 else "black"
                axes.text(j, i, str(count), ha="center", va="center", color=colour, fontsize=8)
