"""Cyan, magenta, yellow and black to red, green and blue: by the file's profile, or by arithmetic.

References
----------
ICC.1:2022: profiles, here applied by Little CMS through Pillow, to sRGB, perceptually.
ITU-T T.872, 6.5: with an Adobe marker a JPEG holds what is left of white, without one the ink.

Pillow hands only 8-bit pixels to Little CMS.
"""

import io

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codec import Decoded
from convtool.images.codecs.pillow import strictly
from convtool.images.image import Pixels, peak_of


def from_jpeg(data: bytes, icc: bytes, rule: str, *, has_marker: bool) -> Decoded:
    """Decode a JPEG of four channels.

    Parameters
    ----------
    data : bytes
        The file, known to have its end marker.
    icc : bytes
        Its profile.
    rule : str
        ``profile`` or ``naive``.
    has_marker : bool
        Whether it has Adobe's marker.

    Raises
    ------
    ImageReadError
        If it is damaged, or has no usable profile and ``rule`` is ``profile``.
    """
    from PIL.JpegImagePlugin import JpegImageFile

    with strictly(), JpegImageFile(io.BytesIO(data)) as picture:
        amounts = np.asarray(picture)  # Pillow takes the marker to be always there
    return to_colours(amounts if has_marker else ~amounts, icc, rule)


def to_colours(amounts: Pixels, icc: bytes, rule: str) -> Decoded:
    """Convert CMYK to RGB.

    Parameters
    ----------
    amounts : ndarray, shape (H, W, 4)
        Of cyan, magenta, yellow, black; uint8 or uint16, 0 for none.
    icc : bytes
        The CMYK profile.
    rule : str
        ``profile`` or ``naive``: red is (1 - cyan)(1 - black), and so on.

    Returns
    -------
    Decoded
        Pixels of shape (H, W, 3) and the same type.

    Raises
    ------
    ImageReadError
        If the profile is needed and missing, unusable, or the pixels have 16 bits.

    Examples
    --------
    >>> to_colours(np.array([[[0, 255, 0, 51]]], np.uint8), b"", "naive").pixels.tolist()
    [[[204, 0, 204]]]
    """
    if rule == "naive":
        return Decoded(_naive(amounts), ("CMYK became RGB by arithmetic, without a profile",))
    check(icc, amounts.dtype.name)
    return Decoded(_by_profile(amounts, icc), ("CMYK became sRGB by the file's own profile",))


def check(icc: bytes, dtype: str) -> None:
    """Check that a profile can be applied to pixels of a type.

    Raises
    ------
    ImageReadError
        If there is none, or the pixels have 16 bits.
    """
    if not icc:
        raise ImageReadError(
            "holds CMYK without a profile that defines its colours; "
            "`cmyk='naive'` converts them by arithmetic"
        )
    if dtype != "uint8":
        raise ImageReadError(
            "holds CMYK of 16 bits, to which profiles are not applied; "
            "`cmyk='naive'` converts them by arithmetic"
        )


def _naive(amounts: Pixels) -> Pixels:
    peak = peak_of(amounts.dtype)
    left = peak - amounts.astype(np.float32)
    left[:, :, :3] *= left[:, :, 3:] / np.float32(peak)
    colours: Pixels = np.rint(left[:, :, :3]).astype(amounts.dtype)
    return colours


def _by_profile(amounts: Pixels, icc: bytes) -> Pixels:
    from PIL import Image as Pillow
    from PIL import ImageCms

    try:
        cmyk = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        transform = ImageCms.buildTransform(
            cmyk, ImageCms.createProfile("sRGB"), "CMYK", "RGB", ImageCms.Intent.PERCEPTUAL
        )
        size = (amounts.shape[1], amounts.shape[0])
        picture = Pillow.frombytes("CMYK", size, np.ascontiguousarray(amounts).tobytes())
        return np.asarray(ImageCms.applyTransform(picture, transform))
    except (ImageCms.PyCMSError, OSError, ValueError):
        raise ImageReadError(
            "holds CMYK, and its profile cannot be used; `cmyk='naive'` converts by arithmetic"
        ) from None
