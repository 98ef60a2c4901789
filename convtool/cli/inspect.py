"""``convtool inspect``: inspect a trained network."""

from pathlib import Path
from typing import Any

import click

from convtool.cli._file_options import page_reading_options
from convtool.cli._help import Command, option
from convtool.cli._inspection_drawings import pictures
from convtool.cli._inspection_report import report_lines
from convtool.cli._kernels import read_single_kernel
from convtool.cli._options import PLACE, data_option, give, json_option, taken, whole_numbers
from convtool.cli._pictures import pictures_to_judge
from convtool.errors import OptionError
from convtool.images.options import ReadOptions
from convtool.nn._types import Shape
from convtool.nn.architectures import build_layers
from convtool.nn.inspection.layers import (
    find_convolution,
    layer_names,
    layer_table,
)
from convtool.nn.inspection.likeness import nearest_presets
from convtool.nn.inspection.lines import Probe, probe, probe_kernel
from convtool.nn.inspection.replacement import (
    kernel_and_bias,
    parse_replacement,
    replace_filter,
)
from convtool.nn.metrics import Scores
from convtool.nn.model import Sequential
from convtool.nn.modelfile import load
from convtool.nn.training import evaluate
from convtool.report.figures import check_drawing

SCHEMA = "convtool.inspect/1"

_ORDER = {"vertical": 0, "falling": 1, "horizontal": 2, "rising": 3}


@click.command(
    "inspect",
    cls=Command,
    usual=(
        "--kernels",
        "--probe",
        "--nearest",
        "--replace",
        "--layer",
        "--feature-maps",
        "--occlusion",
        "--saliency",
        "--output",
        "--json",
    ),
    epilog="""\b
Examples:
  convtool inspect sample_images/network/digits.safetensors
  convtool inspect --probe --nearest --kernels out.png sample_images/network/digits.safetensors
  convtool inspect --replace conv1.1=line-vertical sample_images/network/digits.safetensors
  convtool inspect --probe --filter 3x3:-1,0,1,-1,0,1,0,1,2,bias=-0.67
  convtool inspect --arch catdog --input 1x100x100
  convtool inspect --occlusion sample_images/zone-plate.png sample_images/network/digits.safetensors
""",
)
@click.argument("model_path", metavar="[MODEL]", required=False, type=PLACE)
@option(
    "--arch",
    topic="network",
    metavar="NAME|SPEC",
    help="Print the layers of a network before training.",
)
@option(
    "--input", "shape", topic="network", metavar="CxHxW", help="For --arch: the shape of a picture."
)
@option(
    "--outputs",
    topic="network",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="For --arch: 1 for two classes, else one for each class.",
)
@option("--kernels", topic="output", type=PLACE, help="Draw the filters of --layer.")
@option(
    "--layer",
    topic="network",
    metavar="NAME",
    help="For --kernels and --nearest.  [default: first convolution]",
)
@option(
    "--probe",
    "probed",
    topic="method",
    is_flag=True,
    help="Measure the first filters' responses to straight lines.",
)
@option(
    "--nearest", topic="method", is_flag=True, help="List the presets most similar to each filter."
)
@option(
    "--replace",
    "replacements",
    topic="network",
    multiple=True,
    metavar="LAYER[.FILTER]=SPEC[,bias=B]",
    help="Replace a filter by a kernel, and evaluate the network before and after.",
)
@option(
    "--filter",
    "filters",
    topic="network",
    multiple=True,
    metavar="SPEC[,bias=B]",
    help="For --probe: a kernel to measure, with or without a MODEL.",
)
@option(
    "--correlate/--convolve",
    topic="network",
    default=True,
    show_default="--correlate",
    help="Use the kernels of --replace and --filter unflipped, or flip them as convtool filter "
    "does.",
)
@option(
    "--dataset",
    topic="data",
    help="Data set to evaluate --replace on.  [default: what the model was trained on]",
)
@data_option
@option(
    "--feature-maps",
    topic="output",
    metavar="IMAGE",
    multiple=True,
    help="Draw each layer's output for a picture.",
)
@option(
    "--occlusion",
    topic="output",
    metavar="IMAGE",
    multiple=True,
    help="Draw how much the prediction drops when each place is hidden.",
)
@option(
    "--saliency",
    topic="output",
    metavar="IMAGE",
    multiple=True,
    help="Draw the gradient's magnitude at each pixel.",
)
@option("--invert", topic="data", is_flag=True, help="Exchange dark and bright of IMAGE first.")
@option(
    "--output",
    "-o",
    "--out",
    "out",
    topic="output",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    show_default=True,
    help="The folder for drawings of an IMAGE.",
)
@page_reading_options
@json_option
def command(
    model_path: Path | None,
    arch: str | None,
    shape: str | None,
    outputs: int,
    kernels: Path | None,
    layer: str | None,
    probed: bool,
    nearest: bool,
    replacements: tuple[str, ...],
    filters: tuple[str, ...],
    correlate: bool,
    dataset: str | None,
    data: Path | None,
    feature_maps: tuple[str, ...],
    occlusion: tuple[str, ...],
    saliency: tuple[str, ...],
    invert: bool,
    out: Path,
    json_target: str | None,
    **how: Any,
) -> None:
    """Inspect MODEL: its layers, its filters, and the pixels that determine a prediction.

    A kernel SPEC is used unflipped, since layers correlate; --convolve flips it. --arch prints the
    table of an untrained network, without a MODEL. Drawings of IMAGE are written to the folder
    --out, as IMAGE.feature-maps.png, IMAGE.occlusion.png or IMAGE.saliency.png.
    """
    reading = taken(how, ReadOptions)
    wanted = [parse_replacement(text) for text in replacements]
    for one in wanted:
        read_single_kernel(one.spec)
    if kernels is not None:
        check_drawing(kernels)
    if filters and not probed:
        raise OptionError("--filter gives a kernel to --probe; add --probe, or use --replace")
    given = [_probed_kernel(text, correlate) for text in filters]
    asked = {"feature_maps": feature_maps, "occlusion": occlusion, "saliency": saliency}
    if model_path is None:
        needed = {"kernels": kernels, "nearest": nearest, "replace": replacements} | asked
        report = _without_model(arch, shape, outputs, given, needed)
        give(report, json_target, report_lines(report))
        return
    if arch is not None or shape is not None:
        raise OptionError(
            "--arch and --input are for an untrained network; leave out MODEL or them"
        )
    model = load(model_path)
    report = {"schema": SCHEMA, "model": str(model_path)} | _layers(model)
    if probed:
        first, layer_ = find_convolution(model)
        report["probe"] = [_answer(one) for one in probe(layer_, model.preprocessing)]
    if nearest:
        report["nearest"] = _nearest(model, layer)
    if kernels is not None:
        report["kernels"] = _draw_kernels(model, layer, kernels)
    report |= pictures(model, model_path, asked, reading, invert, out)
    if wanted:
        name = dataset or model.record.get("dataset")
        if name is None:
            raise OptionError("--replace: this model does not name its data set; give --dataset")
        chosen = pictures_to_judge(model, model_path, str(name), data, None, reading)
        before = evaluate(model, chosen)
        for replacement in wanted:
            place, which = replace_filter(model, replacement, correlate=correlate)
            if probed and place == first:
                answers = probe(layer_, model.preprocessing)
                given.append({"kernel": replacement.spec} | _answer(answers[which], sources=True))
        report["replace"] = {
            "filters": list(replacements),
            "correlate": correlate,
            "dataset": str(name),
            "pictures": len(chosen),
            "before": _scores(before),
            "after": _scores(evaluate(model, chosen)),
        }
    if given:
        report["probes"] = given
    give(report, json_target, report_lines(report))


def _without_model(
    arch: str | None,
    shape: str | None,
    outputs: int,
    given: list[dict[str, Any]],
    needed: dict[str, Any],
) -> dict[str, Any]:
    """Return the report on an untrained network, or on kernels alone."""
    for name, value in needed.items():
        if value:
            option = f"--{name.replace('_', '-')}"
            raise OptionError(f"{option} needs a trained network; give its MODEL")
    if (arch is None) != (shape is None) or (arch is None and not given):
        raise OptionError(
            "it takes a MODEL, or --arch with --input CxHxW, or --probe with --filter SPEC"
        )
    report: dict[str, Any] = {"schema": SCHEMA}
    if arch is not None and shape is not None:
        size = _shape(shape)
        model = Sequential(build_layers(arch, size, outputs, 0), size)
        report |= {"model": arch, "arch": arch} | _layers(model)
        report["task"] = "not trained"
    return report | ({"probes": given} if given else {})


def _shape(text: str) -> Shape:
    """Return ``CxHxW`` as three numbers."""
    sizes = whole_numbers(text, "x")
    if len(sizes) != 3 or min(sizes) < 1:
        raise OptionError(f"--input {text!r} is not channels x height x width, as in 1x28x28")
    return sizes


def _probed_kernel(text: str, correlate: bool) -> dict[str, Any]:
    spec, bias = kernel_and_bias(text)
    weights = read_single_kernel(spec).weights
    laid = weights if correlate else weights[::-1, ::-1]
    return {"kernel": spec} | _answer(probe_kernel(laid, bias or 0.0), sources=True)


def _layers(model: Sequential) -> dict[str, Any]:
    rows = layer_table(model)
    return {
        "input": list(model.input_shape or ()),
        "task": model.task,
        "classes": list(model.classes),
        "preprocessing": model.preprocessing.config() if model.preprocessing else None,
        "layers": [
            vars(row) | {"output": list(row.output), "arguments": layer.config()}
            for row, layer in zip(rows, model.layers, strict=True)
        ],
        "trained": sum(row.trained for row in rows),
        "fixed": sum(row.fixed for row in rows),
        "multiply_adds": sum(row.multiply_adds for row in rows),
        "memory": sum(row.memory for row in rows),
    }


def _answer(answer: Probe, *, sources: bool = False) -> dict[str, Any]:
    """Return a filter's responses; ``sources``: columns, falling diagonal, rows, rising."""
    responses = dict(answer.responses)
    if sources:
        responses = dict(sorted(responses.items(), key=lambda item: _ORDER[item[0].split()[0]]))
    return {
        "filter": answer.number,
        "bias": answer.bias,
        "responses": responses,
        "seen": dict(answer.seen),
        "words": answer.words,
    }


def _nearest(model: Sequential, name: str | None) -> list[dict[str, Any]]:
    _, layer = find_convolution(model, name)
    weights = layer.params["weight"].sum(axis=1)
    return [
        {"filter": number, "presets": [vars(likeness) for likeness in nearest_presets(weight)]}
        for number, weight in enumerate(weights, 1)
    ]


def _draw_kernels(model: Sequential, name: str | None, target: Path) -> dict[str, Any]:
    from convtool.report.model_pictures import draw_kernels

    place, layer = find_convolution(model, name)
    weight, own = layer.params["weight"], layer_names(model)[place]
    number = "1 filter" if len(weight) == 1 else f"{len(weight)} filters"
    title = f"{own}: {number} of {weight.shape[2]}×{weight.shape[3]}"
    draw_kernels(weight, layer.params.get("bias"), title, target)
    return {"layer": own, "drawing": str(target)}


def _scores(scores: Scores) -> dict[str, float]:
    return {"loss": scores.loss, "accuracy": scores.accuracy}
