"""Self-contained pages, assembled from the parts in ``pages/``."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files

Matrix = Sequence[Sequence[float]]


def page(
    template: str, styles: Sequence[str], scripts: Sequence[str], data: Mapping[str, object]
) -> str:
    """Assemble a self-contained page.

    Parameters
    ----------
    template : str
        The HTML file, with the placeholders ``@style@``, ``@script@`` and ``@data@``.
    styles, scripts : sequence of str
        Names of the CSS and JavaScript files, without their extensions.
    data : mapping
        The script's data, as JSON.

    Returns
    -------
    str
        HTML.
    """
    parts = {
        "@style@": "\n".join(_part(f"{name}.css") for name in styles),
        "@script@": "\n".join(_part(f"{name}.js") for name in scripts),
        "@data@": json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c"),
    }
    made = _part(template)
    for mark, text in parts.items():
        made = made.replace(mark, text, 1)
    return made


def _part(name: str) -> str:
    return (files("convtool.report") / "pages" / name).read_text(encoding="utf-8")
