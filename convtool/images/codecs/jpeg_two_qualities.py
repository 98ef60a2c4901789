"""A JPEG whose chroma has a quality of its own and fewer samples than luma.

OpenCV knows a quality of chroma only where all samples are stored; Pillow takes the very tables.
"""

from io import BytesIO

from convtool.errors import ImageFormatError
from convtool.images.codecs.jpeg_tables import table_of
from convtool.images.codecs.stderr import caught
from convtool.images.image import Pixels

SAMPLINGS = ("4:2:0", "4:2:2")
"""How Pillow can sample chroma, besides fully."""


def encode(
    pixels: Pixels, luma_quality: int, chroma_quality: int, sampling: str, *, progressive: bool
) -> bytes:
    """Encode colours with a quality for luma, one for chroma, and one of `SAMPLINGS`.

    Parameters
    ----------
    pixels : ndarray, shape (H, W, 3)
        Red, green, blue; uint8.

    Raises
    ------
    ImageFormatError
        If they are too many.
    """
    from PIL import Image

    tables = table_of(luma_quality), table_of(chroma_quality, chroma=True)
    file = BytesIO()
    try:
        with caught():
            Image.fromarray(pixels).save(
                file,
                "JPEG",
                qtables=[[int(value) for value in table] for table in tables],
                subsampling=sampling,
                progressive=progressive,
            )
    except OSError:
        height, width = pixels.shape[:2]
        raise ImageFormatError(f"{width}×{height} pixels are too many for the format") from None
    return file.getvalue()
