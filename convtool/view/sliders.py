"""The sliders of a preset's parameters, from the registry of presets."""

from typing import Any

from convtool.errors import KernelError
from convtool.kernels import numerals
from convtool.kernels.options import NORMALIZATIONS, parse_options, parse_value
from convtool.kernels.parameters import Parameter, Value
from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import KernelSpec
from convtool.records import replace

LARGEST = 360
"""The largest number that a parameter may have on the page, so that each step is quick."""

_SCALE = Parameter("scale", "number", 1.0, "factor of all weights", -LARGEST, LARGEST)
_SPANS: dict[str, tuple[float, float, float]] = {
    "sigma": (0.2, 20, 0.1),
    "amount": (-1, 5, 0.05),
    "ratio": (1.1, 5, 0.1),
    "radius": (0.5, 50, 0.5),
    "length": (1, 100, 1),
    "wavelength": (2, 50, 0.5),
    "aspect": (0.1, 4, 0.1),
    "angle": (-180, 180, 1),
    "phase": (-180, 180, 1),
    "scale": (-4, 4, 0.05),
}
"""The usual span of a parameter and the slider's step; the field beside it takes all values."""
_KINDS: dict[str, tuple[float, float, float]] = {
    "odd number": (3, 31, 2),
    "whole number": (0, 4, 1),
    "odd size": (1, 65, 2),
    "size": (1, 64, 1),
    "number": (0, 20, 0.1),
    "numbers": (0, 20, 0.1),
}
"""The span of parameters without an entry in `_SPANS`, by kind."""


def preset_sliders() -> list[dict[str, Any]]:
    """Describe all presets and their parameters for the page.

    Examples
    --------
    >>> unsharp = next(one for one in preset_sliders() if one["name"] == "unsharp")
    >>> [one["name"] for one in unsharp["parameters"]]
    ['amount', 'sigma', 'size', 'scale']
    >>> unsharp["parameters"][0]["span"], unsharp["parameters"][0]["default"]
    ([-1, 5, 0.05], '1')
    """
    return [
        {
            "name": name,
            "summary": preset.summary,
            "parameters": [_slider(one) for one in (*preset.parameters, _SCALE)],
        }
        for name, preset in PRESETS.items()
    ]


def _slider(parameter: Parameter) -> dict[str, Any]:
    low, high, step = _SPANS.get(parameter.name, _KINDS[parameter.kind])
    return {
        "name": parameter.name,
        "meaning": parameter.meaning,
        "range": replace(parameter, high=min(parameter.high, LARGEST)).range,
        "default": _text(parameter.default),
        "span": [max(low, parameter.low), min(high, parameter.high), step],
    }


def _text(value: Value | None) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "x".join(f"{side:g}" for side in value)
    return f"{value:g}"


def spec_of(preset: str, values: dict[str, str]) -> str:
    """Return the spec of a preset with values; empty ones are left out.

    Parameters
    ----------
    preset : str
        The preset's name.
    values : dict of str to str
        Texts by the parameters' names, with ``scale`` and ``normalize``.

    Raises
    ------
    KernelError
        If a name is unknown, or a value is no such value or larger than `LARGEST`.

    Examples
    --------
    >>> spec_of("gaussian", {"sigma": "4,1", "size": ""})
    'gaussian:sigma=4,1'
    """
    if preset not in PRESETS:
        raise KernelError(f"{numerals.shown(preset)} is no preset; choose one of the list")
    known = {one.name: one for one in (*PRESETS[preset].parameters, _SCALE)}
    items = []
    for name in (*known, "normalize"):
        text = values.get(name, "").strip()
        if not text:
            continue
        if name != "normalize":
            _check_size(name, parse_value(known[name], text))
        elif text not in NORMALIZATIONS:
            raise KernelError(f"normalize: it is one of {', '.join(NORMALIZATIONS)}")
        items.append(f"{name}={text}")
    if unknown := set(values) - {*known, "normalize"}:
        raise KernelError(f"{preset} has no parameter {numerals.shown(min(unknown))}")
    return f"{preset}:{','.join(items)}" if items else preset


def _check_size(name: str, value: Value) -> None:
    largest = max(map(abs, value)) if isinstance(value, tuple) else abs(value)
    if largest > LARGEST:
        raise KernelError(
            f"{name}: the page goes up to {LARGEST}; 'convtool filter' takes larger ones"
        )


def values_of(spec: KernelSpec) -> dict[str, str] | None:
    """Return the values of a spec that sliders can show; None for any other kernel.

    Examples
    --------
    >>> from convtool.kernels.spec import parse
    >>> values_of(parse("gaussian:2,size=9")), values_of(parse("1x3:1,0,-1"))
    ({'sigma': '2', 'size': '9'}, None)
    """
    name, _, rest = spec.text.partition(":")
    if name.strip() != spec.name or spec.name not in PRESETS:
        return None
    try:
        values = parse_options(rest, PRESETS[spec.name].parameters)
        spec_of(spec.name, values)
    except KernelError:
        return None
    return values
