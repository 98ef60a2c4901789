"""The saved calibration of this machine: its file, its checks, reading it.

``convtool bench --calibrate`` measures and writes it. Without one the built-in rates hold.
"""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import numpy as np

from convtool import jsontext, reading
from convtool._version import __version__
from convtool.convolution import engines
from convtool.convolution.candidates import Rate
from convtool.convolution.planner import BUILT_IN, DEFAULT_RATES, Calibration
from convtool.errors import ConvtoolWarning
from convtool.records import replace

VARIABLE = "CONVTOOL_CALIBRATION"
"""The environment variable that names another file."""

SCHEMA = "convtool.calibration/1"
"""The schema of the file."""

_CPU_INFO = "/proc/cpuinfo"
_held: ContextVar[Calibration | None] = ContextVar("calibration", default=None)


def path() -> str:
    """Return the calibration's file, whether it exists or not."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return chosen
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or os.path.expanduser(r"~\AppData\Roaming")
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(base, "convtool", "calibration.json")


def cpu_model() -> str:
    """Return the processor's name."""
    try:
        with open(_CPU_INFO, encoding="utf-8") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() in ("model name", "Hardware", "Model"):
                    return value.strip()
    except OSError:
        pass
    import platform

    return platform.processor() or platform.machine()


def cores() -> int:
    """Return how many cores the machine has, however few of them this process may use."""
    return os.cpu_count() or 1


def fingerprint() -> dict[str, Any]:
    """Return what the rates depend on, as far as it is known without importing an engine."""
    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "convtool": __version__,
        "numpy": np.__version__,
    }


def as_report(rates: dict[str, Rate]) -> dict[str, Any]:
    """Return rates measured on this machine as the file's content."""
    return {
        "schema": SCHEMA,
        "machine": fingerprint(),
        "rates": {name: rate._asdict() for name, rate in rates.items()},
    }


def parse(text: str) -> Calibration:
    """Return the calibration that a file's text holds.

    Raises
    ------
    ValueError
        If it is damaged, incomplete or of another machine; the message says which.
    """
    try:
        report = jsontext.parse(text)
    except ValueError as error:
        raise ValueError("is damaged (no JSON)") from error
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise ValueError(f"is damaged (not of schema {SCHEMA})")
    if report.get("machine") != fingerprint():
        raise ValueError("was made on another machine or with other versions")
    rates = report.get("rates")
    if not isinstance(rates, dict) or set(rates) != set(DEFAULT_RATES):
        raise ValueError("is damaged (its rates are not the planner's)")
    return Calibration({name: _rate(rates[name]) for name in DEFAULT_RATES}, cores())


def _rate(numbers: object) -> Rate:
    fields = Rate._fields
    if not isinstance(numbers, dict) or set(numbers) != set(fields):
        raise ValueError("is damaged (a rate is incomplete)")
    for number in numbers.values():
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ValueError("is damaged (a rate is not a number)")
        if not 0 <= number <= sys.float_info.max:
            raise ValueError("is damaged (a rate is negative or not finite)")
    if numbers["parallel"] > 1:
        raise ValueError("is damaged (a share is more than 1)")
    return Rate(**numbers)


def read(file: str) -> Calibration:
    """Return the calibration in a file; with a warning the built-in one, where it cannot be used.

    Parameters
    ----------
    file : str
        The file; there need be none.
    """
    try:
        return parse(reading.load(file, "calibration").decode())
    except FileNotFoundError:
        return BUILT_IN
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except ValueError as error:
        problem = "is damaged (no text)" if isinstance(error, UnicodeError) else str(error)
    warnings.warn(
        f"the calibration {file} {problem} and is ignored; "
        "'convtool bench --calibrate' makes a new one",
        ConvtoolWarning,
        stacklevel=2,
    )
    return BUILT_IN


@lru_cache(maxsize=1)
def _own() -> Calibration:
    """Return what the file holds, for the engines of this installation."""
    found, available = read(path()), engines.available()
    return found if found.engines == available else replace(found, engines=available)


@contextmanager
def held(calibration: Calibration) -> Iterator[None]:
    """Use a calibration in this thread inside the block, in place of the saved and built-in ones.

    Work that is divided among processes is planned by the calibration of the one that divides it,
    so that all plan alike.

    Examples
    --------
    >>> from convtool.convolution.api import plan
    >>> with held(Calibration(DEFAULT_RATES, engines=frozenset({"direct", "separable"}))):
    ...     plan((3000, 4000), "float32", "gaussian").engine
    'separable'
    """
    before = _held.set(calibration)
    try:
        yield
    finally:
        _held.reset(before)


def load() -> Calibration:
    """Return the calibration that holds in this process; its file is read once.

    Examples
    --------
    >>> sorted(load().rates) == sorted(DEFAULT_RATES)
    True
    """
    held_one = _held.get()
    return _own() if held_one is None else held_one


def forget() -> None:
    """Read the file again next time."""
    _own.cache_clear()
