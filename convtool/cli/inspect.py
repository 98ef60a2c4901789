"""``convtool inspect``: look inside a trained network."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from convtool.cli._inspection_report import report_text
from convtool.cli._kernels import read_single_kernel
from convtool.cli._options import json_option
from convtool.cli._pictures import PictureReader, pictures_to_judge
from convtool.errors import ModelError, OptionError
from convtool.nn._types import Array
from convtool.nn.inspection.attribution import (
    activations,
    occlusion_map,
    patch_size,
    saliency_map,
)
from convtool.nn.inspection.layers import (
    find_convolution,
    layer_names,
    layer_table,
)
from convtool.nn.inspection.likeness import nearest_presets
from convtool.nn.inspection.lines import probe
from convtool.nn.inspection.replacement import parse_replacement, replace_filter
from convtool.nn.metrics import Scores
from convtool.nn.model import Sequential
from convtool.nn.modelfile import load
from convtool.nn.preprocessing import Preprocessing
from convtool.nn.training import evaluate
from convtool.report.figures import check_drawing
from convtool.report.json_report import write_report

SCHEMA = "convtool.inspect/1"

_MOST_NAMED = 32


@click.command(
    "inspect",
    epilog="""\b
Examples:
  convtool inspect sample_images/network/digits.safetensors
  convtool inspect --probe --nearest --kernels out.png sample_images/network/digits.safetensors
  convtool inspect --replace conv1.1=line-vertical sample_images/network/digits.safetensors
  convtool inspect --occlusion sample_images/zone-plate.png sample_images/network/digits.safetensors
""",
)
@click.argument("model_path", metavar="MODEL", type=click.Path(path_type=Path))
@click.option("--kernels", type=click.Path(path_type=Path), help="Draw the filters of --layer.")
@click.option(
    "--layer", metavar="NAME", help="For --kernels and --nearest.  [default: first convolution]"
)
@click.option("--probe", "probed", is_flag=True, help="Ask the first filters with straight lines.")
@click.option("--nearest", is_flag=True, help="Name the presets that each filter resembles most.")
@click.option(
    "--replace",
    "replacements",
    multiple=True,
    metavar="LAYER[.FILTER]=SPEC[,bias=B]",
    help="Put a kernel in a filter's place, and judge the network before and after.",
)
@click.option("--dataset", help="To judge --replace on.  [default: what the model was trained on]")
@click.option("--data", type=click.Path(path_type=Path), help="The folder of a named set's files.")
@click.option("--feature-maps", metavar="IMAGE", help="Draw what each layer makes of a picture.")
@click.option("--occlusion", metavar="IMAGE", help="Draw what is missed when a place is hidden.")
@click.option("--saliency", metavar="IMAGE", help="Draw the gradient's magnitude at each pixel.")
@click.option("--invert", is_flag=True, help="Exchange dark and bright of IMAGE first.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    show_default=True,
    help="The folder for drawings of an IMAGE.",
)
@json_option
def command(
    model_path: Path,
    kernels: Path | None,
    layer: str | None,
    probed: bool,
    nearest: bool,
    replacements: tuple[str, ...],
    dataset: str | None,
    data: Path | None,
    feature_maps: str | None,
    occlusion: str | None,
    saliency: str | None,
    invert: bool,
    out: Path,
    json_target: str | None,
) -> None:
    """Look inside MODEL: its layers, its filters, and which pixels decide.

    Kernels named by a SPEC do in a layer what `convtool filter --kernel SPEC` does. A drawing of
    IMAGE is written to the folder --out, as IMAGE.feature-maps.png, IMAGE.occlusion.png or
    IMAGE.saliency.png.
    """
    wanted = [parse_replacement(text) for text in replacements]
    for one in wanted:
        read_single_kernel(one.spec)
    if kernels is not None:
        check_drawing(kernels)
    model = load(model_path)
    report: dict[str, Any] = {"schema": SCHEMA, "model": str(model_path)} | _layers(model)
    if probed:
        report["probe"] = _probe(model)
    if nearest:
        report["nearest"] = _nearest(model, layer)
    if kernels is not None:
        report["kernels"] = _draw_kernels(model, layer, kernels)
    asked = {"feature_maps": feature_maps, "occlusion": occlusion, "saliency": saliency}
    report |= _pictures(model, model_path, asked, invert, out)
    if wanted:
        name = dataset or model.record.get("dataset")
        if name is None:
            raise OptionError("--replace: this model does not say its data set; give --dataset")
        chosen = pictures_to_judge(model, model_path, str(name), data, None)
        before = evaluate(model, chosen)
        for replacement in wanted:
            replace_filter(model, replacement)
        report["replace"] = {
            "filters": list(replacements),
            "dataset": str(name),
            "pictures": len(chosen),
            "before": _scores(before),
            "after": _scores(evaluate(model, chosen)),
        }
    if json_target is not None:
        write_report(report, json_target)
    if json_target != "-":
        click.echo(report_text(report))


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


def _probe(model: Sequential) -> list[dict[str, Any]]:
    _, first = find_convolution(model)
    return [
        {
            "filter": answer.number,
            "bias": answer.bias,
            "responses": dict(answer.responses),
            "seen": dict(answer.seen),
            "words": answer.words,
        }
        for answer in probe(first, model.preprocessing)
    ]


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


def _pictures(
    model: Sequential, model_path: Path, asked: dict[str, str | None], invert: bool, out: Path
) -> dict[str, Any]:
    given = {kind: name for kind, name in asked.items() if name is not None}
    if not given:
        return {}
    if model.preprocessing is None:
        raise ModelError(f"{model_path}: has no preprocessing: it was not trained on pictures")
    reader = PictureReader(model.preprocessing, invert=invert)
    report = {}
    for kind, name in given.items():
        target = check_drawing(out / f"{Path(name).stem}.{kind.replace('_', '-')}.png")
        picture = reader(name)
        report[kind] = {"image": name, "drawing": str(target)} | _DRAWN[kind](
            model, model.preprocessing, picture, target
        )
    reader.tell()
    return report


def _judged(model: Sequential, x: Array) -> tuple[int, dict[str, Any]]:
    row = model.predict_proba(x[None])[0]
    chosen = int(row.argmax())
    name = model.classes[chosen] if model.classes else str(chosen)
    return chosen, {"class": name, "probability": float(row[chosen])}


def _feature_maps(
    model: Sequential, preprocessing: Preprocessing, picture: Array, target: Path
) -> dict[str, Any]:
    from convtool.report.model_pictures import Activation, draw_activations

    x = preprocessing.tensor(picture[None])[0]
    outputs = activations(model, x)
    names = layer_names(model)
    shown = [
        Activation(f"{name}  {' × '.join(map(str, values.shape))}", values)
        for name, values in zip(names, outputs, strict=True)
    ]
    shown[-1] = replace(shown[-1], names=_answers(model, outputs[-1]))
    _, judged = _judged(model, x)
    draw_activations(picture, _title(judged), shown, target)
    return judged | {
        "layers": [
            {
                "name": name,
                "least": float(values.min()),
                "mean": float(values.mean()),
                "greatest": float(values.max()),
            }
            for name, values in zip(names, outputs, strict=True)
        ]
    }


def _answers(model: Sequential, scores: Array) -> Sequence[str]:
    """Return which class each of the last scores speaks for; of too many to name, none."""
    if scores.ndim > 1 or len(scores) > _MOST_NAMED:
        return ()
    if model.task == "binary":
        return model.classes[1:]
    return model.classes if len(model.classes) == len(scores) else ()


def _title(judged: dict[str, Any]) -> str:
    return f"taken for {judged['class']} ({judged['probability']:.1%})"


def _occlusion(
    model: Sequential, preprocessing: Preprocessing, picture: Array, target: Path
) -> dict[str, Any]:
    from convtool.report.model_pictures import draw_deciding

    x = preprocessing.tensor(picture[None])[0]
    chosen, judged = _judged(model, x)
    patch = patch_size(*x.shape[1:])
    found = occlusion_map(model, x, chosen, patch)
    label = f"fall of its probability, hidden by {patch}×{patch}"
    draw_deciding(picture, found, _title(judged), label, target)
    return judged | {"patch": patch, "map": found.tolist()}


def _saliency(
    model: Sequential, preprocessing: Preprocessing, picture: Array, target: Path
) -> dict[str, Any]:
    from convtool.report.model_pictures import draw_deciding

    x = preprocessing.tensor(picture[None])[0]
    chosen, judged = _judged(model, x)
    found = saliency_map(model, x, chosen)
    draw_deciding(picture, found, _title(judged), "magnitude of its score's gradient", target)
    return judged | {"map": found.tolist()}


_DRAWN = {"feature_maps": _feature_maps, "occlusion": _occlusion, "saliency": _saliency}


def _scores(scores: Scores) -> dict[str, float]:
    return {"loss": scores.loss, "accuracy": scores.accuracy}
