"""``convtool kernels``: list the preset kernels, or show one kernel."""

from dataclasses import asdict
from fractions import Fraction

import click

from convtool.cli._kernels import read_kernel
from convtool.cli._options import give, json_option
from convtool.cli._terminal import say
from convtool.cli._wording import as_options
from convtool.kernels.export import FORMATS, export
from convtool.kernels.facts import Facts, facts, group_notes
from convtool.kernels.parameters import Parameter
from convtool.kernels.presets import ALIASES, PRESETS
from convtool.kernels.spec import KernelSpec, parse
from convtool.kernels.weights import Weights
from convtool.report.json_report import finite
from convtool.report.matrix import common_denominator, line_text, matrix_lines, table

SCHEMA = "convtool.kernels/1"


@click.command(
    "kernels",
    epilog="""\b
Examples:
  convtool kernels
  convtool kernels gaussian:sigma=1,size=3
  convtool kernels 3x3:0,-1,0,-1,5,-1,0,-1,0
  convtool kernels sobel-vertical --as opencv
  convtool kernels emboss --json""",
)
@click.argument("spec", required=False)
@click.option(
    "--as",
    "form",
    type=click.Choice(list(FORMATS)),
    help="Print the kernel in the syntax of another tool, flipped if that tool correlates.",
)
@json_option
def command(spec: str | None, form: str | None, json_target: str | None) -> None:
    """List the preset kernels, or show the kernel SPEC.

    SPEC is a preset with parameters (gaussian:sigma=2,size=15, or gaussian:2 for the first), a file
    (.txt, .csv, .npy, .json), a picture (psf.tif, divided by its sum) or a literal
    (3x3:0,-1,0,-1,5,-1,0,-1,0, row by row). Each accepts normalize=none, sum or abs, and
    scale=NUMBER, as in sobel:scale=1/4.
    """
    if form is not None and (spec is None or json_target is not None):
        raise click.UsageError("--as prints one kernel SPEC; give one, and no --json")
    if spec is None:
        give(_list_report(), json_target, _list_lines())
        return
    kernel = read_kernel(spec)
    if form is not None:
        say(*export(kernel, form).splitlines())
        say(f"{form}: {FORMATS[form].note}", err=True)
        return
    known = [facts(weights) for weights in _singles(kernel)]
    give(_kernel_report(kernel, known), json_target, _kernel_lines(kernel, known))


def _singles(kernel: KernelSpec) -> list[Weights]:
    return list(kernel.weights) if kernel.is_group else [kernel.weights]


def _size(name: str) -> str:
    rows, columns = parse(name).weights.shape[-2:]
    return f"{rows}x{columns}"


def _default(parameter: Parameter) -> str:
    if parameter.default is None:
        return parameter.name
    if isinstance(parameter.default, tuple):
        return f"{parameter.name}={parameter.default[0]}x{parameter.default[1]}"
    return f"{parameter.name}={parameter.default:g}"


def _list_report() -> dict[str, object]:
    presets = [
        {
            "name": name,
            "size": _size(name),
            "summary": preset.summary,
            "source": preset.source,
            "pair": list(preset.parts) if preset.combination == "magnitude" else [],
            "parts": list(preset.parts),
            "combination": preset.combination,
            "parameters": [
                {**asdict(parameter), "range": parameter.range} for parameter in preset.parameters
            ],
        }
        for name, preset in PRESETS.items()
    ]
    return {"schema": SCHEMA, "presets": presets, "aliases": ALIASES}


def _list_lines() -> list[str]:
    sources = list(dict.fromkeys(preset.source for preset in PRESETS.values()))
    rows = [["NAME", "SIZE", "SOURCE", "WHAT IT DOES", "PARAMETERS"]]
    for name, preset in PRESETS.items():
        parameters = " ".join(map(_default, preset.parameters))
        source = f"[{sources.index(preset.source) + 1}]"
        rows.append([name, _size(name), source, preset.summary, parameters])
    also = ", ".join(f"{alias} = {name}" for alias, name in ALIASES.items())
    return [
        *table(rows),
        "",
        f"Also: {also}.",
        "The first parameter needs no name, as in gaussian:2.",
        "Every kernel also takes normalize=none|sum|abs and scale=NUMBER.",
        "",
        *(f"[{i}] {source}" for i, source in enumerate(sources, start=1)),
    ]


def _kernel_report(kernel: KernelSpec, known: list[Facts]) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "spec": kernel.text,
        "name": kernel.name,
        "gradient": kernel.is_gradient,
        "combination": kernel.combination,
        "kernel": kernel.weights.tolist(),
        "facts": [finite(asdict(one)) for one in known],
        "notes": _notes(kernel, known),
    }


def _kernel_lines(kernel: KernelSpec, known: list[Facts]) -> list[str]:
    preset = PRESETS.get(kernel.name)
    lines = [f"{kernel.name}: {preset.summary}" if preset else kernel.name]
    titles = preset.parts if preset and preset.parts else ("horizontal", "vertical")
    for title, weights, one in zip(titles, _singles(kernel), known, strict=False):
        lines += ["", title] if kernel.is_group else []
        lines += [
            "",
            *(f"  {line}" for line in matrix_lines(weights)),
            "",
            *_fact_lines(one, weights),
        ]
    notes = [f"mind: {note}" for note in _notes(kernel, known)]
    lines += ["", *notes] if notes else []
    if preset:
        lines += ["", f"source: {preset.source}", *_parameter_lines(preset.parameters)]
    return lines


def _notes(kernel: KernelSpec, known: list[Facts]) -> list[str]:
    group = kernel.combination
    notes = group_notes(kernel.weights, group) if group else known[0].notes
    return [as_options(note) for note in notes]


def _fact_lines(known: Facts, weights: Weights) -> list[str]:
    turned = "yes" if known.symmetric else "no, antisymmetric"
    factors = []
    if known.factors:
        column, row = line_text(known.factors.column), line_text(known.factors.row)
        factors = [["factors", f"{column}ᵀ {row}"]]
    rows = [
        ["size", "{}x{}".format(*known.shape)],
        ["sum", f"{known.sum:.6g}"],
        ["rank", f"{known.rank}"],
        ["separable", "yes" if known.separable else "no"],
        *factors,
        ["symmetric", turned if known.symmetric or known.antisymmetric else "no"],
        ["anchor", "row {}, column {} (from 0)".format(*known.anchor)],
        ["output", "{:.5g} to {:.5g} for an image of 0 to 1".format(*known.output)],
    ]
    gain = _gain_text(weights, known.noise_gain)
    return [*table(rows), f"noise gain {gain} (of the variance of white noise)"]


def _gain_text(weights: Weights, gain: float) -> str:
    """Format a noise gain as a number, with its fraction if it is rational."""
    denominator = common_denominator(weights)
    if denominator is None:
        return f"{gain:.6g}"
    numbers = [round(value * denominator) for value in weights.ravel().tolist()]
    exact = Fraction(sum(value * value for value in numbers), denominator**2)
    return f"{gain:.6g}" if exact.denominator == 1 else f"{exact} = {gain:.6g}"


def _parameter_lines(parameters: tuple[Parameter, ...]) -> list[str]:
    rows = [[_default(one), one.range, one.meaning] for one in parameters]
    return ["", *table([["PARAMETER", "RANGE", "MEANING"], *rows])] if rows else []
