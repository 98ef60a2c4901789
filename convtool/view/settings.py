"""What the page asks for: kernels and options, checked, and the command that does the same."""

import shlex
from collections.abc import Sequence
from typing import Any

from convtool import jsontext
from convtool.convolution.borders import RULES
from convtool.convolution.engines import engines
from convtool.errors import OptionError, check_choice
from convtool.filtering.options import FilterOptions
from convtool.images.tone import RANGES
from convtool.kernels.spec import KernelSpec, parse
from convtool.records import Record
from convtool.view.sliders import spec_of, values_of

MOST_KERNELS = 8
"""The most kernels that the page applies in order."""
MOST_TEXT = 4096
"""The longest text that describes settings."""

BORDERS = tuple(RULES)
ENGINES = ("auto", *engines())


class Settings(Record, eq=False):
    """Kernels, and how they are applied."""

    kernels: tuple[KernelSpec, ...]
    options: FilterOptions


class _Asked(Record):
    """The page's JSON."""

    kernels: list[Any]
    border: str = BORDERS[0]
    cval: float = 0.0
    engine: str = ENGINES[0]
    range: str = RANGES[0]
    gray: bool = False
    linear: bool = False


def parse_settings(text: str, given: Sequence[KernelSpec]) -> Settings:
    """Check what the page asks for.

    Parameters
    ----------
    text : str
        JSON: ``kernels``, a list of ``{"preset": name, "values": {name: text}}`` or
        ``{"given": number}``, and ``border``, ``cval``, ``engine``, ``range``, ``gray``,
        ``linear``.
    given : sequence of KernelSpec
        The kernels of the command line, by number. The page can name no other file.

    Raises
    ------
    OptionError, KernelError
        If it is nothing that the page could ask for.

    Examples
    --------
    >>> asked = '{"kernels": [{"preset": "box", "values": {"size": "5"}}], "border": "wrap"}'
    >>> found = parse_settings(asked, [])
    >>> found.kernels[0].text, found.options.border
    ('box:size=5', 'wrap')
    """
    if len(text) > MOST_TEXT:
        raise OptionError(f"the settings have over {MOST_TEXT} characters; use fewer kernels")
    try:
        asked = jsontext.record_of(_Asked, jsontext.parse(text))
    except (ValueError, TypeError) as error:
        raise OptionError(f"the settings: {error}") from error
    check_choice("border", asked.border, BORDERS)
    check_choice("engine", asked.engine, ENGINES)
    if not 1 <= len(asked.kernels) <= MOST_KERNELS:
        raise OptionError(f"the page takes 1 to {MOST_KERNELS} kernels")
    options = FilterOptions(
        border=asked.border,
        cval=asked.cval if asked.border == "constant" else 0.0,
        engine=asked.engine,
        range=asked.range,
        gray=asked.gray,
        linear=asked.linear,
    )
    return Settings(tuple(_kernel(one, given) for one in asked.kernels), options)


def _kernel(asked: Any, given: Sequence[KernelSpec]) -> KernelSpec:
    match asked:
        case {"given": int(number), **rest} if not rest and 0 <= number < len(given):
            return given[number]
        case {"preset": str(name), "values": dict(values), **rest} if not rest:
            if all(isinstance(value, str) for value in values.values()):
                return parse(spec_of(name, values))
    raise OptionError("the settings: a kernel is a preset with texts as values, or a given one")


def first_settings(given: Sequence[KernelSpec]) -> dict[str, Any]:
    """Return the page's first JSON: the kernels of the command line."""
    kernels: list[dict[str, Any]] = []
    for number, one in enumerate(given):
        values = values_of(one)
        kernels.append(
            {"given": number} if values is None else {"preset": one.name, "values": values}
        )
    return vars(_Asked(kernels))


def command(settings: Settings, source: str, reading: Sequence[str], target: str) -> str:
    """Return the command that writes what the page shows, for a shell.

    Parameters
    ----------
    settings : Settings
        Kernels and options.
    source : str
        The picture's path.
    reading : sequence of str
        Options that say how it is read.
    target : str
        The file to write.

    Examples
    --------
    >>> asked = '{"kernels": [{"preset": "box", "values": {}}], "gray": true}'
    >>> command(parse_settings(asked, []), "a b.png", [], "out.png")
    "convtool filter -k box --gray 'a b.png' out.png"
    """
    options, plain = settings.options, FilterOptions(border=BORDERS[0])
    words = [word for kernel in settings.kernels for word in ("-k", kernel.text)]
    for name in ("border", "cval", "engine", "range"):
        value = getattr(options, name)
        if value != getattr(plain, name):
            words += [f"--{name}", f"{value:.17g}" if name == "cval" else value]
    words += [f"--{name}" for name in ("gray", "linear") if getattr(options, name)]
    files = [f"./{path}" if path.startswith("-") else path for path in (source, target)]
    return shlex.join(["convtool", "filter", *words, *reading, *files])
