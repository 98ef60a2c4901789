"""Description of the machine: versions, processor, threads, libraries."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from convtool._version import __version__
from convtool.convolution.calibration import cpu_model
from convtool.convolution.threads import usable_cores

PACKAGES = ("numpy", "scipy", "opencv-python", "opencv-python-headless", "numba", "llvmlite")
"""Distributions whose versions are reported."""

BUILD_WORDS = ("Intel IPP:", "Baseline:", "Dispatched code generation:", "Parallel framework:")
"""The reported lines of OpenCV's build information."""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _opencv_build() -> dict[str, str]:
    import cv2

    found = {}
    for line in cv2.getBuildInformation().splitlines():
        key, _, value = line.strip().partition(":")
        if f"{key}:" in BUILD_WORDS:
            found[key] = value.strip()
    return found


def _blas() -> list[dict[str, Any]]:
    """Return the BLAS in use, by threadpoolctl, else by NumPy's build information."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return [{key: built.get(key) for key in ("name", "version")}]
    keys = ("internal_api", "version", "num_threads", "architecture")
    return [
        {key: pool.get(key) for key in keys}
        for pool in threadpool_info()
        if pool.get("user_api") == "blas"
    ]


def describe(threads: int) -> dict[str, Any]:
    """Return the machine's description for a report.

    Parameters
    ----------
    threads : int
        Number of threads of each contender.

    Returns
    -------
    dict
        Strings, numbers, lists and dicts.

    Examples
    --------
    >>> describe(2)["threads"]
    2
    """
    return {
        "convtool": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: known for name in PACKAGES if (known := _version(name)) is not None},
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "threads": threads,
        "blas": _blas(),
        "opencv": _opencv_build(),
    }


def in_words(machine: dict[str, Any]) -> list[str]:
    """Format the description as a few lines of text."""
    packages = ", ".join(f"{name} {known}" for name, known in machine["packages"].items())
    blas = ", ".join(
        sorted({" ".join(map(str, list(pool.values())[:2])) for pool in machine["blas"]})
    )
    ipp = machine["opencv"].get("Intel IPP", "none")
    return [
        f"{machine['cpu']}, {machine['usable_cores']} of {machine['cores']} cores, "
        f"{machine['threads']} threads",
        f"convtool {machine['convtool']}, Python {machine['python']}, {packages}",
        f"BLAS {blas}; OpenCV with IPP {ipp}",
    ]
