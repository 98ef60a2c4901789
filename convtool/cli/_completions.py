"""The values that a shell is offered for an option: kernels and engines."""

import os
from collections.abc import Iterator
from typing import Any

from click.shell_completion import CompletionItem


def specs(_context: Any, _option: Any, incomplete: str) -> list[CompletionItem]:
    """Return the kernels that begin so: presets, then their parameters, and files of kernels.

    Examples
    --------
    >>> [item.value for item in specs(None, None, "gaussian:si")]
    ['gaussian:sigma=', 'gaussian:size=']
    >>> [item.value for item in specs(None, None, "box:normalize=a")]
    ['box:normalize=abs']
    """
    name, colon, rest = incomplete.partition(":")
    found = _with_parameters(name, rest) if colon else [*_presets(name), *_files(name)]
    return [item for item in found if item.value.startswith(incomplete)]


def _presets(name: str) -> Iterator[CompletionItem]:
    from convtool.kernels.presets import ALIASES, PRESETS

    for known, preset in PRESETS.items():
        more = bool(preset.parameters) and known != name
        yield CompletionItem(known, type="part" if more else "plain", help=preset.summary)
    if name in PRESETS:
        yield CompletionItem(f"{name}:", type="part", help="with parameters")
    for alias, known in ALIASES.items():
        if ":" not in alias:
            yield CompletionItem(alias, help=f"the same as {known}")


def _with_parameters(name: str, rest: str) -> Iterator[CompletionItem]:
    from convtool.kernels.options import NORMALIZATIONS
    from convtool.kernels.presets import ALIASES, PRESETS

    preset = PRESETS.get(ALIASES.get(name, name))
    if preset is None and not os.path.isfile(name):
        return
    before, comma, last = rest.rpartition(",")
    head = f"{name}:{before}{comma}"
    key, equals, _ = last.partition("=")
    if equals:
        if key == "normalize":
            for rule in NORMALIZATIONS:
                yield CompletionItem(f"{head}normalize={rule}")
        return
    given = {item.partition("=")[0] for item in before.split(",")}
    texts = (
        {one.name: f"{one.meaning} ({one.range})" for one in preset.parameters} if preset else {}
    )
    texts |= {"normalize": "divide by the sum of the weights", "scale": "multiply by a number"}
    for parameter, text in texts.items():
        if parameter not in given:
            yield CompletionItem(f"{head}{parameter}=", type="part", help=text)


def _files(start: str) -> Iterator[CompletionItem]:
    from convtool.kernels.files import FILE_TYPES

    folder, name = os.path.split(start)
    if not start or not os.path.isdir(folder or os.curdir):
        return
    for entry in sorted(os.scandir(folder or os.curdir), key=lambda one: one.name):
        if entry.name.startswith(name) and entry.name.lower().endswith(FILE_TYPES):
            yield CompletionItem(os.path.join(folder, entry.name))


def engine_names(_context: Any, _option: Any, incomplete: str) -> list[CompletionItem]:
    """Return the engines that begin so.

    Examples
    --------
    >>> [item.value for item in engine_names(None, None, "sep")]
    ['separable', 'separable:rank=']
    """
    from convtool.convolution.engines import engines

    names = [CompletionItem(name) for name in ("auto", *engines())]
    names.append(CompletionItem("separable:rank=", type="part", help="with so many factors"))
    return [item for item in names if item.value.startswith(incomplete)]
