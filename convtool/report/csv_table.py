"""Tables as comma-separated values that neither a terminal nor a spreadsheet obeys."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from convtool.errors import printable

_FORMULA = tuple("=+-@\t\r")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z|[+-](inf|nan)\Z", re.ASCII)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    r"""Format a table as CSV, one line for each row.

    Control characters are written out. A field that a spreadsheet would take for a formula, as it
    begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return, gets an apostrophe in front,
    unless it is a number.

    Parameters
    ----------
    rows : iterable of sequences
        Text and numbers.

    Returns
    -------
    str
        The lines, each with its line feed.

    References
    ----------
    OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection

    Examples
    --------
    >>> csv_text([["image", "value"], ["=1+1.png", -1.5], ["a\x1b,b.png", "-1.5"]])
    'image,value\n\'=1+1.png,-1.5\n"a\\x1b,b.png",-1.5\n'
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_field(one) for one in row] for row in rows)
    return text.getvalue()


def _field(value: object) -> object:
    if not isinstance(value, str):
        return value
    is_formula = value.startswith(_FORMULA) and not _NUMBER.match(value)
    return ("'" if is_formula else "") + printable(value)
