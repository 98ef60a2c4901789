"""Quantities as people read them."""


def seconds_text(seconds: float) -> str:
    """Return a duration with three significant digits.

    Examples
    --------
    >>> seconds_text(0.01234), seconds_text(2.5)
    ('12.3 ms', '2.5 s')
    """
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
