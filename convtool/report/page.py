"""Self-contained pages, assembled from the parts in ``pages/``."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType

from convtool.errors import printable

Matrix = Sequence[Sequence[float]]


def page(
    template: str,
    styles: Sequence[str],
    scripts: Sequence[str],
    data: Mapping[str, object],
    texts: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Assemble a self-contained page.

    Parameters
    ----------
    template : str
        The HTML's file, with the marks ``@style@``, ``@script@`` and ``@data@``, and one for each
        of `texts`.
    styles, scripts : sequence of str
        Names of the CSS and JavaScript files, without their extensions.
    data : mapping
        What the script reads, as JSON.
    texts : mapping
        HTML by the mark that it takes the place of.

    Returns
    -------
    str
        HTML.
    """
    parts = {
        "style": "\n".join(part(f"{name}.css") for name in styles),
        "script": "\n".join(part(f"{name}.js") for name in scripts),
        "data": json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
        **texts,
    }
    return re.sub("@([a-z]+)@", lambda mark: parts[mark[1]], part(template))


def escaped(text: str) -> str:
    r"""Return text as HTML shows it, with what no terminal could show written out.

    Examples
    --------
    >>> escaped("a\x1b < b")
    'a\\x1b &lt; b'
    """
    return html.escape(printable(text))


def part(name: str) -> str:
    """Return the text of a file in ``pages/``."""
    return (files("convtool.report") / "pages" / name).read_text(encoding="utf-8")
