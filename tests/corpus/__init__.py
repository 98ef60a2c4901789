"""Awkward and hostile files, made byte by byte with the standard library, and what they must give.

No library that is tested makes the truth: files come from `make`, expected pixels from `picture`,
and `output` reads what the command wrote.
"""

from .cases import CASES

__all__ = ["CASES"]
