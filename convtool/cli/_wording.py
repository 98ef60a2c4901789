"""Turn the options that messages of the library name, which are Python's, into the command line's.

A message names options as code in backquotes: ``a larger `max_memory=` ``, ``use `depth='16'` ``,
``try `kernels='sobel:scale=1/5', range='abs'` ``.
"""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast

_OPTIONS = re.compile(r"(?<!`)`([a-z][a-z0-9_]*=[^`]*)`(?!`)")

_NAMES = {"kernels": "-k"}
"""Options that do not have their parameter's name with hyphens."""

_VALUES = {"float('nan')": "none"}
"""Expressions that the command line has a word for."""


def as_options(text: str) -> str:
    """Return a message with the options of the command line.

    Examples
    --------
    >>> as_options("a larger `max_memory=`, `gray=True`, `depth='16'` or `page=N`")
    'a larger --max-memory, --gray, --depth 16 or --page N'
    >>> as_options("`kernels=['box', 'sobel:scale=1/5'], range='abs'` keep them")
    '-k box -k sobel:scale=1/5 --range abs keep them'
    >>> as_options("the file `a=b c`.png")
    'the file `a=b c`.png'
    """
    return _OPTIONS.sub(_converted, text) if "`" in text else text


def report_as_options(value: Any) -> Any:
    """Return a report with `as_options` applied to each of its texts.

    Examples
    --------
    >>> report_as_options({"notes": ["`max_pixels=` raises it"], "pages": 2})
    {'notes': ['--max-pixels raises it'], 'pages': 2}
    """
    if isinstance(value, str):
        return as_options(value)
    if isinstance(value, dict):
        return {key: report_as_options(each) for key, each in value.items()}
    return [report_as_options(each) for each in value] if type(value) in (list, tuple) else value


def _converted(match: "re.Match[str]") -> str:
    import ast

    code = match[1]
    if code.endswith("="):
        return _named(code[:-1])
    try:
        call = ast.parse(f"f({code})", mode="eval").body
    except SyntaxError:
        return match[0]
    assert isinstance(call, ast.Call)
    return " ".join(_words(keyword.arg or "", keyword.value) for keyword in call.keywords)


def _named(name: str) -> str:
    return _NAMES.get(name, f"--{name.replace('_', '-')}")


def _words(name: str, value: "ast.expr") -> str:
    """Return the words of an option with its value, once for each of a list's."""
    import ast
    import shlex

    if isinstance(value, ast.List):
        return " ".join(_words(name, each) for each in value.elts)
    if not isinstance(value, ast.Constant):
        text = ast.unparse(value)
        return f"{_named(name)} {_VALUES.get(text, text)}"
    return (
        _named(name) if value.value is True else f"{_named(name)} {shlex.quote(str(value.value))}"
    )
