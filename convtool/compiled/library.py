"""The library of compiled functions that was built at installation: found, checked and loaded."""

import os
import warnings
from functools import lru_cache
from typing import Any

from convtool import reading
from convtool.compiled.functions import Types, symbol
from convtool.errors import ConvtoolWarning
from convtool.records import Record

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "built")
"""Where the build puts its files."""

SUMS = "SHA256SUMS"
"""The list of the built files and their digests, in the format of ``sha256sum``; a line
``# sources DIGEST`` says what they were built from."""

PROBE = "cpu"
"""The part of a file's name that stands for a library which only looks at the processor."""

VARIABLE = "CONVTOOL_LIBRARY"
"""Environment variable: the family whose library is loaded, a lower one than the processor's;
``none`` leaves the built library aside, as if it had not been built."""

_KIND = "compiled code"
REBUILD = "install convtool again to build it"


class Library(Record, eq=False):
    """A loaded library.

    Attributes
    ----------
    family : str
        The family of processors that it is for.
    path : str
        Its file.
    handle : ctypes.CDLL
        What its functions are looked up in.
    """

    family: str
    path: str
    handle: Any

    def address(self, name: str, types: Types) -> int:
        """Return the address of a function of :data:`~.functions.FUNCTIONS`.

        Raises
        ------
        AttributeError
            If the library has none of that name and types.
        """
        import ctypes

        function = getattr(self.handle, symbol(name, types))
        return ctypes.cast(function, ctypes.c_void_p).value or 0


class DamagedError(Exception):
    """What is wrong with a built library, and what to do."""


def file_name(family: str) -> str:
    """Return the name of the file for a family.

    Examples
    --------
    >>> file_name("x86-64-v3")
    'libconvtool-x86-64-v3.so'
    """
    return f"libconvtool-{family}.so"


def _read_sums() -> tuple[dict[str, str], str]:
    """Return the digest of each built file, and that of the sources; nothing if none was built."""
    try:
        lines = reading.load(os.path.join(FOLDER, SUMS), _KIND).decode("utf-8").splitlines()
    except FileNotFoundError:
        return {}, ""
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedError(f"{os.path.join(FOLDER, SUMS)} cannot be read: {error}") from error
    parts = [line.split() for line in lines]
    digests = {part[1]: part[0] for part in parts if len(part) == 2 and part[0] != "#"}
    sources = [part[2] for part in parts if part[:2] == ["#", "sources"] and len(part) == 3]
    return digests, sources[0] if sources else ""


def _sha256() -> Any:
    """Return SHA-256 of Python's own, which loads in no time; ``hashlib`` starts OpenSSL (5 ms)."""
    try:
        from _sha2 import sha256  # type: ignore[import-not-found]
    except ImportError:
        try:
            from _sha256 import sha256  # type: ignore[import-not-found]  # Python 3.11
        except ImportError:
            from hashlib import sha256
    return sha256


def _checked(name: str, digest: str) -> Any:
    """Load a file if it is whole."""
    import ctypes

    sha256 = _sha256()
    path = os.path.join(FOLDER, name)
    try:
        data = reading.load(path, _KIND)
    except OSError as error:
        raise DamagedError(f"{path} cannot be read: {error.strerror}") from error
    if sha256(data).hexdigest() != digest:
        raise DamagedError(f"{path} is damaged: its digest is not the one in {SUMS}")
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise DamagedError(f"{path} cannot be loaded: {error}") from error


def _find(wanted: str) -> Library | None:
    """Load the best library for this processor, or for the requested family."""
    digests, sources = _read_sums()
    if not digests:
        return None
    if _is_checkout() and sources != sources_digest():
        raise DamagedError(f"the library in {FOLDER} was built from other sources")
    best = None
    probe = file_name(PROBE)
    if probe in digests:
        level = _checked(probe, digests.pop(probe)).convtool_level()
        best = min(f"x86-64-v{level}", wanted or "x86-64-v9")
    for name, digest in digests.items():
        family = name.removeprefix("libconvtool-").removesuffix(".so")
        if best is None or family <= best:
            return Library(family, os.path.join(FOLDER, name), _checked(name, digest))
    raise DamagedError(f"the library in {FOLDER} is for {', '.join(digests)}, this is {best}")


def _is_checkout() -> bool:
    """Return whether the package lies in a checkout, where its sources change."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return os.path.exists(os.path.join(os.path.dirname(package), "hatch_build.py"))


SOURCES = (
    os.path.dirname(os.path.abspath(__file__)),
    os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "nn", "jit"),
    os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "ndimage", "jit"),
    os.path.join(
        os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "convolution", "engines", "jit"
    ),
)
"""The folders that the sources of compiled functions stand in."""

_NOT_COMPILED = frozenset(
    ("__init__.py", "build.py", "cache.py", "checksummed.py", "fill.py", "library.py", "target.py")
)
"""Files of the first folder that no compiled function depends on."""


@lru_cache(maxsize=1)
def sources_digest() -> str:
    """Return a name for this version of the sources: their checksum and length.

    Numba looks only at the file of the function that it compiles, not at those that it calls.
    """
    import zlib

    checksum = length = 0
    for folder in SOURCES:
        unused = _NOT_COMPILED if folder == SOURCES[0] else ()
        names = {name for name in os.listdir(folder) if name.endswith(".py")}
        for name in sorted(names.difference(unused)):
            with open(os.path.join(folder, name), "rb") as file:
                source = file.read()
            checksum, length = zlib.crc32(source, checksum), length + len(source)
    return f"{checksum:08x}{length:08x}"


@lru_cache(maxsize=1)
def load() -> Library | None:
    """Return the built library for this processor; None where none was built.

    One that is missing, damaged or for another processor is warned of, once, and left aside.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted == "none":
        return None
    try:
        return _find(wanted)
    except DamagedError as error:
        warnings.warn(
            f"compiled code is left aside: {error}; {REBUILD}", ConvtoolWarning, stacklevel=2
        )
        return None
