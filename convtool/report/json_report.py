"""Reports as JSON, on stdout or in a file that appears whole or not at all."""

import contextlib
import json
import os
import sys
from collections.abc import Mapping

from convtool.errors import ReportWriteError


def write_report(data: Mapping[str, object], target: str) -> None:
    """Write a report as JSON.

    Parameters
    ----------
    data : mapping
        The report, with its ``schema``; finite numbers, text, lists and mappings.
    target : str
        A file, replaced only by the complete report; or ``-`` for stdout.

    Raises
    ------
    ReportWriteError
        Where the file cannot be written.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    try:
        _replace(os.path.realpath(target), text)
    except OSError as error:
        raise ReportWriteError(
            f"{target}: cannot write the report ({error.strerror or error}); choose another file"
        ) from error


def _replace(path: str, text: str) -> None:
    """Write beside the path, then rename into place; a device or pipe is written as it is."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    beside = f"{path}.{os.getpid()}.part"
    try:
        with open(beside, "x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(beside)
        raise
