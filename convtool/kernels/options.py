"""Parse the parameters of a kernel spec, ``name=value,name=value``, and apply common options."""

import re

import numpy as np

from convtool.errors import KernelError
from convtool.kernels import numerals
from convtool.kernels.numerals import shown
from convtool.kernels.parameters import Parameter, Value
from convtool.kernels.weights import Weights, check_finite

_ITEM_END = re.compile(r",|:(?=\s*[A-Za-z][A-Za-z_-]*\s*=)")

NORMALIZATIONS = ("none", "sum", "abs")
SHARED = ("scale", "normalize")
"""The options of every kernel."""


def parse_options(text: str, parameters: tuple[Parameter, ...] = ()) -> dict[str, str]:
    """Parse ``name=value,name=value``; a colon between them is read as a comma.

    The first parameter needs no name; a parameter of two numbers separates them by a comma.

    Raises
    ------
    KernelError
        If an item is not ``name=value``, or a name is given twice.

    Examples
    --------
    >>> parse_options("scale=1/4,normalize=abs")
    {'scale': '1/4', 'normalize': 'abs'}
    """
    options: dict[str, str] = {}
    several = {one.name for one in parameters if one.kind == "numbers"}
    last = ""
    for index, item in enumerate(_ITEM_END.split(text) if text.strip() else []):
        name, equals, value = (part.strip() for part in item.partition("="))
        if not equals and name and index == 0 and parameters:
            name, value = parameters[0].name, name
        elif not equals and name and last in several:
            options[last] += f",{name}"
            last = ""
            continue
        elif not equals or not name:
            raise KernelError(f"{shown(item.strip())} is not name=value")
        if name in options:
            raise KernelError(f"{name} is given twice; give it once")
        options[name] = value
        last = name
    return options


def check_names(options: dict[str, str], valid: tuple[str, ...], what: str) -> None:
    """Raise an error for an option that `what` does not accept."""
    for name in options:
        if name not in valid:
            raise KernelError(f"unknown parameter {shown(name)}; {what} takes {', '.join(valid)}")


def parse_value(parameter: Parameter, text: str) -> Value:
    """Parse the value of a parameter; the error names the parameter."""
    try:
        return parameter.parse(text)
    except KernelError as error:
        raise KernelError(f"{parameter.name}: {error}") from error


def adjusted(weights: Weights, options: dict[str, str]) -> Weights:
    """Normalise, then scale the weights by the options; convert negative zeros to zeros."""
    rule = options.get("normalize", "none")
    if rule not in NORMALIZATIONS:
        raise KernelError(f"normalize: {shown(rule)} is none of {', '.join(NORMALIZATIONS)}")
    factor = 1.0
    if "scale" in options:
        try:
            factor = numerals.number(options["scale"])
        except KernelError as error:
            raise KernelError(f"scale: {error}") from error
    with np.errstate(over="ignore"):
        scaled = weights / _divisors(weights, rule) * factor
    check_finite(scaled)
    return np.ascontiguousarray(scaled + 0.0)


def _divisors(weights: Weights, rule: str) -> Weights:
    """Return the divisor of each kernel, in a shape that divides `weights`."""
    with np.errstate(over="ignore", invalid="ignore"):
        magnitudes = np.abs(weights).sum(axis=(-2, -1), keepdims=True)
        sums = weights.sum(axis=(-2, -1), keepdims=True)
    divisors: Weights = {"none": np.ones_like(sums), "sum": sums, "abs": magnitudes}[rule]
    rounding = np.finfo(np.float64).eps * weights.size
    if rule != "none" and not np.isfinite(magnitudes).all():
        raise KernelError(f"normalize={rule}: the weights sum to more than float64 holds")
    if rule != "none" and (abs(divisors) <= rounding * magnitudes).any():
        other = " or abs" if magnitudes.all() else ""
        raise KernelError(f"normalize={rule}: the weights sum to zero; take none{other}")
    return divisors
