"""The description of an ICC profile.

References
----------
ICC.1:2022, sections 7.2 (header), 7.3 (tag table), 9.2.41 (profileDescriptionTag), 10.15
(multiLocalizedUnicodeType); ICC.1:2001, 6.5.17 (textDescriptionType).
"""

from convtool.errors import ImageReadError
from convtool.images.codecs.binary import unpack

_TABLE, _MOST_TAGS, _LONGEST = 128, 200, 200


def description(profile: bytes) -> str:
    """Return the name of a profile, empty where it has none that can be read.

    Examples
    --------
    >>> description(b"no profile")
    ''
    """
    try:
        (count,) = unpack(">I", profile, _TABLE)
        for number in range(min(count, _MOST_TAGS)):
            name, offset, size = unpack(">4sII", profile, _TABLE + 4 + 12 * number)
            if name == b"desc":
                return _text(profile[offset : offset + size])
    except ImageReadError:
        return ""
    return ""


def _text(content: bytes) -> str:
    if content.startswith(b"mluc"):
        length, offset = unpack(">II", content, 20)
        text = content[offset : offset + length].decode("utf-16-be", "replace")
    else:
        (length,) = unpack(">I", content, 8)
        text = content[12 : 12 + length].decode("latin-1")
    return " ".join(text.replace("\0", " ").split())[:_LONGEST]
