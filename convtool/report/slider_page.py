"""A self-contained web page with a slider over pictures and their numbers."""

import base64
from collections.abc import Sequence

from convtool.records import Record
from convtool.report.page import escaped, page


class Frame(Record):
    """One position of the slider."""

    label: str
    """The label of the position: the value of k."""
    png: bytes
    """The picture, a PNG file."""
    numbers: Sequence[str]
    """One for each title of the table."""


def slider_page(
    title: str,
    about: str,
    remarks: Sequence[str],
    titles: Sequence[str],
    frames: Sequence[Frame],
    original: bytes,
) -> str:
    """Return a page that shows one of several pictures, selected by a slider.

    The page is self-contained. Arrow keys, buttons, the table's first column and touch move the
    slider; ``#k=50`` in the page's address sets its initial position.

    Parameters
    ----------
    title : str
        The page's heading.
    about : str
        A line below it.
    remarks : sequence of str
        Lines at the end.
    titles : sequence of str
        The titles of the numbers.
    frames : sequence of Frame
        The positions of the slider.
    original : bytes
        The original picture, a PNG file.

    Returns
    -------
    str
        The page, in HTML.
    """
    pictures = [_picture(frame.png, f"{title}, k = {frame.label}") for frame in frames]
    pictures.append(_picture(original, f"{title}, the original"))
    data = {
        "labels": [frame.label for frame in frames],
        "numbers": [list(frame.numbers) for frame in frames],
    }
    texts = {
        "title": escaped(title),
        "about": escaped(about),
        "pictures": "".join(pictures),
        "last": str(len(frames) - 1),
        "terms": "".join(f"<dt>{escaped(one)}</dt><dd></dd>" for one in titles),
        "heads": "".join(
            f'<th role="columnheader" scope="col">{escaped(one)}</th>' for one in ("k", *titles)
        ),
        "rows": "\n".join(_row(frame, titles) for frame in frames),
        "notes": "".join(f"<p>{escaped(one)}</p>\n" for one in remarks),
    }
    return page("slider.html", ("slider",), ("slider",), data, texts)


def _picture(png: bytes, words: str) -> str:
    """Return a hidden HTML image with embedded data."""
    source = base64.b64encode(png).decode("ascii")
    return f'<img hidden alt="{escaped(words)}" src="data:image/png;base64,{source}">\n'


def _row(frame: Frame, titles: Sequence[str]) -> str:
    """Return a row of the table; narrow screens show each number under its own title."""
    cells = "".join(
        f'<td role="cell" data-title="{escaped(title)}">{escaped(one)}</td>'
        for title, one in zip(titles, frame.numbers, strict=True)
    )
    button = f'<button type="button">{escaped(frame.label)}</button>'
    return f'<tr role="row"><th role="rowheader" scope="row">{button}</th>{cells}</tr>'
