"""Tell a TIFF that holds what a camera's sensor saw, which TIFF's own codec cannot develop.

References
----------
Adobe, Digital Negative 1.6: DNGVersion and the photometric interpretation of sensor data.
"""

from convtool.errors import ImageReadError
from convtool.images.codecs.ifd import Directory, all_directories, directory_at

_PHOTOMETRIC, _SUBDIRECTORIES, _DNG_VERSION = 262, 330, 50706
_SENSOR = 32803
_CANON = slice(8, 10), b"CR"


def is_sensor(data: bytes) -> bool:
    r"""Return whether a TIFF is a camera's raw file, as far as its first directories say.

    Examples
    --------
    >>> is_sensor(b"II*\\0")
    False
    """
    if data[_CANON[0]] == _CANON[1]:
        return True
    try:
        first = next(all_directories(data))
        if _DNG_VERSION in first.tags or _sees(first):
            return True
        places = first.values(_SUBDIRECTORIES)
        return any(_sees(directory_at(data, first.order, place)) for place in places)
    except ImageReadError:
        return False


def _sees(directory: Directory) -> bool:
    return directory.value(_PHOTOMETRIC, 0) == _SENSOR
