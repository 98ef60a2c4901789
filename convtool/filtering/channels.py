"""Select the channels of a picture that are filtered."""

from convtool.errors import OptionError
from convtool.records import Record

COLOURS = "RGB"
LUMINANCE = "L"
ALPHA = "A"
_LETTERS = COLOURS + LUMINANCE + ALPHA


class Selection(Record):
    """The channels of one picture that are filtered; the others stay as they are."""

    planes: tuple[int, ...]
    """The colours, by their place in a pixel."""
    luminance: bool
    """Whether of three colours their luminance is filtered, and what colour they have stays."""
    alpha: bool
    """Whether alpha is filtered."""


def letters(text: str) -> str:
    """Return the letters of a list of channels, in the order of a pixel.

    Raises
    ------
    OptionError
        If it names other channels than R, G, B, A and L, one of them twice, or L beside a colour.

    Examples
    --------
    >>> letters("b,R")
    'RB'
    """
    named = text.upper().replace(",", "").replace(" ", "")
    if not named or len(set(named)) < len(named) or not set(named) <= set(_LETTERS):
        raise OptionError(
            f"channels {text!r}: name some of R, G, B and A, or L for the luminance, as in R,G"
        )
    if LUMINANCE in named and set(named) & set(COLOURS):
        raise OptionError(f"channels {text!r}: L is the luminance of all colours; name it or them")
    return "".join(sorted(named, key=_LETTERS.index))


def select(text: str | None, channels: int, *, has_alpha: bool) -> Selection:
    """Return which channels of a picture are filtered.

    Parameters
    ----------
    text : str or None
        A list of channels, as for `letters`; None for all.
    channels : int
        How many the picture has, alpha included.
    has_alpha : bool
        Whether the last of them is alpha.

    Raises
    ------
    OptionError
        If the picture has no such channel.

    Examples
    --------
    >>> select("L", 4, has_alpha=True)
    Selection(planes=(0, 1, 2), luminance=True, alpha=False)
    """
    colours = channels - int(has_alpha)
    everything = tuple(range(colours))
    if text is None:
        return Selection(everything, False, has_alpha)
    named = letters(text)
    if ALPHA in named and not has_alpha:
        raise OptionError(f"channels {text!r}: the picture has no alpha; leave A out")
    if LUMINANCE in named:
        return Selection(everything, colours > 1, ALPHA in named)
    planes = tuple(COLOURS.index(letter) for letter in named if letter in COLOURS)
    if planes and colours == 1:
        raise OptionError(f"channels {text!r}: the picture is grey; name L, or no channels")
    return Selection(planes, False, ALPHA in named)
