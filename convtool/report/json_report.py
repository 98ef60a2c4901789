"""Reports as JSON, on stdout or in a file that appears whole or not at all."""

import os
import sys
from collections.abc import Mapping

from convtool.errors import ReportWriteError
from convtool.report.whole_file import replace_file


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
    import json

    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    try:
        replace_file(os.path.realpath(target), text.encode())
    except OSError as error:
        raise ReportWriteError(
            f"{target}: cannot write the report ({error.strerror or error}); choose another file"
        ) from error
