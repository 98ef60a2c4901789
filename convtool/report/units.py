"""Format quantities for people."""

from math import inf


def seconds_text(seconds: float) -> str:
    """Format a duration with three significant digits.

    Examples
    --------
    >>> seconds_text(0.01234), seconds_text(2.5)
    ('12.3 ms', '2.5 s')
    """
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def decibel_text(value: float) -> str:
    """Return a level in dB with two places, ∞ or -∞.

    Examples
    --------
    >>> decibel_text(31.238), decibel_text(float("inf"))
    ('31.24', '∞')
    """
    return f"{value:.2f}" if abs(value) != inf else "∞" if value > 0 else "-∞"


def number_text(value: float) -> str:
    """Format a number with up to six significant digits and a typographic minus.

    Examples
    --------
    >>> number_text(-442.0), number_text(1 / 3), number_text(-0.0)
    ('−442', '0.333333', '0')
    """
    return f"{value + 0.0:.6g}".replace("-", "−", 1) if value else "0"
