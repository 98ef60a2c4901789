"""A picture that is in memory, as a store; for formats that are decoded as a whole."""

from convtool.images.codec import Header
from convtool.images.image import Image, Pixels
from convtool.images.stores.picture import Span, StorageLayout


class MemoryPicture:
    """A picture that was read; see `Picture`.

    Parameters
    ----------
    path : str
        The file it came from.
    image : Image
        The picture.
    identity : str
        Stands for the file as it was read.
    """

    def __init__(self, path: str, image: Image, identity: str) -> None:
        self.path, self._image, self._identity = path, image, identity
        self.layout = StorageLayout()
        self.bands = [(0, image.height)]
        self.header = Header(
            image.width,
            image.height,
            image.channels,
            image.pixels.dtype.name,
            image.has_alpha,
            metadata=image.metadata,
            notes=image.notes,
        )

    def window(self, rows: Span, columns: Span | None = None) -> Pixels:
        """Return part of the picture; see `Picture`."""
        return self._image.pixels[slice(*rows), slice(*columns) if columns else slice(None)]

    def identity(self) -> str:
        """Return what stands for the file."""
        return self._identity

    def close(self) -> None:
        """Do nothing."""
