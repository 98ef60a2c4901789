"""Write JSON reports to stdout, or atomically to a file."""

import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from convtool.errors import ReportWriteError
from convtool.report.whole_file import write_file


class Spool:
    """A list in a report, stored in a temporary file until it is closed.

    It may be larger than memory.

    Examples
    --------
    >>> from contextlib import closing
    >>> with closing(Spool()) as spool:
    ...     for name in ("a", "b"):
    ...         spool.append({"name": name})
    ...     write_report({"schema": "x/1", "each": spool}, "-")
    {
      "schema": "x/1",
      "each": [
        {
          "name": "a"
        },
        {
          "name": "b"
        }
      ]
    }
    """

    def __init__(self) -> None:
        import tempfile

        try:
            self._file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115
        except OSError as error:
            raise self._failure(error) from error
        self._length = 0

    def append(self, item: object) -> None:
        """Append an item.

        Raises
        ------
        ReportWriteError
            If the temporary file cannot be written.
        """
        text = _text(item, 4)
        try:
            self._file.write(f"    {text}\n\n")
        except OSError as error:
            raise self._failure(error) from error
        self._length += 1

    def pieces(self) -> Iterator[str]:
        """Yield the text of the list, line by line."""
        if not self._length:
            yield "[]"
            return
        yield "["
        try:
            self._file.seek(0)
        except OSError as error:
            raise self._failure(error) from error
        opening = "\n"
        for line in self._file:
            if line == "\n":
                opening = ",\n"
            else:
                yield opening + line.rstrip("\n")
                opening = "\n"
        yield "\n  ]"

    def _failure(self, error: OSError) -> ReportWriteError:
        return ReportWriteError(
            f"a temporary file for the report cannot be written ({error.strerror or error}); "
            "TMPDIR names another folder for it"
        )

    def close(self) -> None:
        """Remove the temporary file."""
        with suppress(OSError):  # a failed write has already been reported
            self._file.close()


def finite(value: Any) -> Any:
    """Return a value as JSON can hold it: null for NaN and for infinity, at any depth.

    Examples
    --------
    >>> finite({"psnr": float("inf"), "where": (1, 2)})
    {'psnr': None, 'where': [1, 2]}
    """
    if isinstance(value, dict):
        return {name: finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: object, indent: int) -> str:
    """Format a value as JSON with an indentation."""
    import json

    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    lines = (line if line.isprintable() else _escaped(line) for line in text.split("\n"))
    return ("\n" + " " * indent).join(lines)


def _escaped(line: str) -> str:
    """Replace what a terminal would obey, or not show, by JSON's escapes."""
    import json

    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def _pieces(data: Mapping[str, object] | list[Any]) -> Iterator[str]:
    if isinstance(data, list):
        yield _text(data, 0) + "\n"
        return
    opening = "{"
    for key, value in data.items():
        yield f"{opening}\n  {_text(key, 0)}: "
        if isinstance(value, Spool):
            yield from value.pieces()
        else:
            yield _text(value, 2)
        opening = ","
    yield "\n}\n"


def write_report(data: Mapping[str, object] | list[Any], target: str) -> None:
    """Write a report as JSON.

    Parameters
    ----------
    data : mapping or list
        The report, with its ``schema``; finite numbers, text, lists and mappings, and spools. A
        list is a table that has no more to say than its rows.
    target : str
        A file, replaced atomically; or ``-`` for stdout.

    Raises
    ------
    ReportWriteError
        If the file cannot be written.
    """
    if target == "-":
        try:
            sys.stdout.writelines(_pieces(data))
        except (
            BrokenPipeError,
            ReportWriteError,
        ):  # whoever reads has enough; what is said already
            raise
        except OSError as error:
            raise ReportWriteError(
                f"standard output: cannot write the report ({error.strerror or error})"
            ) from error
        return
    write_file(target, (piece.encode() for piece in _pieces(data)), "report")
