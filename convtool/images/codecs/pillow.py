"""Pillow's decoders, which here obey the limits of this package and print nothing."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from convtool.errors import ImageReadError
from convtool.images.codecs.stderr import caught, first_line


@contextmanager
def strictly() -> Iterator[None]:
    """Turn a decoder's warnings into errors, without Pillow's own limit of pixels.

    Raises
    ------
    ImageReadError
        If the decoder refuses the file, warns, or prints.
    """
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    try:
        with caught() as printed, warnings.catch_warnings():
            warnings.simplefilter("error")
            Image.MAX_IMAGE_PIXELS = None
            yield
    except ImageReadError:
        raise
    except (
        EOFError,
        IndexError,
        OSError,
        OverflowError,
        SyntaxError,
        ValueError,
        Warning,
        struct.error,
    ) as error:
        reason = printed.text or first_line(str(error))
        raise ImageReadError(f"is cut off or damaged: {reason}") from None
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    if printed.text:
        raise ImageReadError(f"is cut off or damaged: {printed.text}")
