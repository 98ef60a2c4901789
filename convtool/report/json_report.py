"""Reports as JSON, on stdout or in a file that appears whole or not at all."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from convtool.errors import ReportWriteError
from convtool.report.whole_file import write_pieces


class Spool:
    """A list of a report that is kept in a temporary file until it is closed.

    So it may grow longer than memory.

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

        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115
        self._length = 0

    def append(self, item: object) -> None:
        """Add an item.

        Raises
        ------
        ReportWriteError
            Where the temporary file cannot be written.
        """
        text = _text(item, 4)
        try:
            self._file.write(f"    {text}\n\n")
        except OSError as error:
            raise ReportWriteError(
                f"a temporary file for the report cannot be written ({error.strerror or error}); "
                "TMPDIR names another folder for it"
            ) from error
        self._length += 1

    def pieces(self) -> Iterator[str]:
        """Yield the text of the list, line by line."""
        if not self._length:
            yield "[]"
            return
        yield "["
        self._file.seek(0)
        opening = "\n"
        for line in self._file:
            if line == "\n":
                opening = ",\n"
            else:
                yield opening + line.rstrip("\n")
                opening = "\n"
        yield "\n  ]"

    def close(self) -> None:
        """Remove the temporary file."""
        with suppress(OSError):  # of what could not be written, which was said when it was tried
            self._file.close()


def _text(value: object, indent: int) -> str:
    """Return a value as JSON that begins so far to the right."""
    import json

    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("\n", "\n" + " " * indent)


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
        A file, replaced only by the complete report; or ``-`` for stdout.

    Raises
    ------
    ReportWriteError
        Where the file cannot be written.
    """
    if target == "-":
        sys.stdout.writelines(_pieces(data))
        return
    try:
        write_pieces(os.path.realpath(target), (piece.encode() for piece in _pieces(data)))
    except OSError as error:
        raise ReportWriteError(
            f"{target}: cannot write the report ({error.strerror or error}); choose another file"
        ) from error
