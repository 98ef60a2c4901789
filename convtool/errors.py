"""Every error that convtool raises on purpose.

Each is a :class:`ConvtoolError` and also the built-in exception that it is by nature, so that
``except ValueError`` works as a NumPy user expects. A message is one line and says what is wrong,
where, and what would be right; only the command line turns it into an exit code.
"""

from collections.abc import Iterable


class ConvtoolError(Exception):
    """The root of all errors that convtool raises on purpose."""


class OptionError(ConvtoolError, ValueError):
    """An option has a value that it cannot have: a border, an engine, a stride, a range."""


class KernelError(ConvtoolError, ValueError):
    """A kernel, or the text or file that describes one, is not usable."""


class EngineError(ConvtoolError, ValueError):
    """The engine that was asked for cannot do this convolution."""


class ShapeError(ConvtoolError, ValueError):
    """The sizes of image, kernel, padding and stride leave no output or do not fit."""


class PixelTypeError(ConvtoolError, TypeError):
    """An array is of a type that has no meaning here: complex numbers, objects, text."""


class NonFiniteError(ConvtoolError, ValueError):
    """A picture holds NaN or infinity, where that was not to be."""


class FileRefusedError(ConvtoolError, OSError):
    """A file is not opened: it is no regular file, or longer than its kind may be."""


class ImageReadError(ConvtoolError, OSError):
    """A picture cannot be read: missing, empty, damaged or of no known format."""


class ImageTooLargeError(ImageReadError):
    """A picture claims more pixels than the limit allows."""


class ImageWriteError(ConvtoolError, OSError):
    """A picture cannot be written."""


class ImageFormatError(ConvtoolError, ValueError):
    """The output's format is unknown, or cannot hold what it is asked to hold."""


class JournalError(ConvtoolError, OSError):
    """A journal of finished work is foreign, damaged or in use, or cannot be written."""


class TimeLimitError(ConvtoolError, TimeoutError):
    """A picture took longer than it was given."""


class WorkerError(ConvtoolError, ChildProcessError):
    """A process that worked on a picture ended in the middle of it."""


class LimitError(ConvtoolError, OSError):
    """The system allows this process too little: open files or address space."""


class ClusterError(ConvtoolError, ConnectionError):
    """A scheduler cannot be reached, or its workers cannot do this work."""


class ModelError(ConvtoolError, ValueError):
    """The layers of a network do not fit together, or a network is asked what it cannot do."""


class ModelFileError(ConvtoolError, OSError):
    """A model file is damaged, foreign, of a newer version, or cannot be written."""


class DatasetError(ConvtoolError, ValueError):
    """Pictures or labels to learn from are missing, damaged or contradictory."""


class TrainingError(ConvtoolError, ArithmeticError):
    """Training cannot go on: the loss is no longer a finite number."""


class ReportReadError(ConvtoolError, OSError):
    """A report of an earlier run cannot be read."""


class ReportWriteError(ConvtoolError, OSError):
    """A report cannot be written."""


class ConvtoolWarning(UserWarning):
    """Something was ignored or done otherwise, and the answer is right all the same."""


def printable(text: str) -> str:
    r"""Return text with whatever a terminal would obey, or not show, written out.

    Examples
    --------
    >>> printable("chunk \0\x1b[2J")
    'chunk \\x00\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _written_out(c) for c in text)


def _written_out(character: str) -> str:
    code = ord(character)
    is_byte = 0xDC80 <= code <= 0xDCFF  # of a file's name that is not valid UTF-8
    return f"\\x{code - 0xDC00:02x}" if is_byte else ascii(character)[1:-1]


def check_choice(what: str, name: object, names: Iterable[str]) -> None:
    """Check that a name is one of those that there are.

    Raises
    ------
    OptionError
        If it is not; it lists them.

    Examples
    --------
    >>> check_choice("depth", "8", ("8", "16"))
    """
    valid = tuple(names)
    if not isinstance(name, str) or name not in valid:
        raise OptionError(f"{what} {name!r} is not known; one of {', '.join(valid)}")
