"""The drawings of ``convtool inspect``, one file each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convtool.cli._pictures import PictureReader
from convtool.cli._progress import step_bar
from convtool.errors import ModelError
from convtool.images.options import ReadOptions
from convtool.images.paths import file_name
from convtool.nn._types import Array
from convtool.nn.inspection.attribution import (
    activations,
    occlusion_map,
    patch_size,
    saliency_map,
)
from convtool.nn.inspection.layers import layer_names
from convtool.nn.model import Sequential
from convtool.nn.preprocessing import Preprocessing
from convtool.records import replace
from convtool.report.figures import check_drawing

_MOST_NAMED = 32


def pictures(
    model: Sequential,
    model_path: Path,
    asked: dict[str, tuple[str, ...]],
    reading: ReadOptions,
    invert: bool,
    out: Path,
) -> dict[str, Any]:
    """Draw the requested maps of pictures; return one report, or a list for several pictures."""
    given = [(kind, name) for kind, names in asked.items() for name in names]
    if not given:
        return {}
    if model.preprocessing is None:
        raise ModelError(f"{model_path}: has no preprocessing: it was not trained on pictures")
    reader = PictureReader(model.preprocessing, reading, invert=invert)
    found: dict[str, list[dict[str, Any]]] = {}
    taken: set[str] = set()
    for kind, name in given:
        target = check_drawing(out / _drawing_name(Path(name).stem, kind, taken))
        drawn = _DRAWN[kind](model, model.preprocessing, name, reader(name), target)
        found.setdefault(kind, []).append({"image": name, "drawing": str(target)} | drawn)
    reader.tell()
    return {kind: each[0] if len(each) == 1 else each for kind, each in found.items()}


def _drawing_name(stem: str, kind: str, taken: set[str]) -> str:
    """Return a file name that is unique within this run."""
    ending = f"{kind.replace('_', '-')}.png"
    name, number = f"{stem}.{ending}", 2
    while name in taken:
        name, number = f"{stem}-{number}.{ending}", number + 1
    taken.add(name)
    return name


def _judged(model: Sequential, x: Array) -> tuple[int, dict[str, Any]]:
    row = model.predict_proba(x[None])[0]
    chosen = int(row.argmax())
    name = model.classes[chosen] if model.classes else str(chosen)
    return chosen, {"class": name, "probability": float(row[chosen])}


def _feature_maps(
    model: Sequential, preprocessing: Preprocessing, name: str, picture: Array, target: Path
) -> dict[str, Any]:
    from convtool.report.model_pictures import Activation, draw_activations

    x = preprocessing.tensor(picture[None])[0]
    outputs = activations(model, x)
    names = layer_names(model)
    shown = [
        Activation(f"{layer}  {' × '.join(map(str, values.shape))}", values)
        for layer, values in zip(names, outputs, strict=True)
    ]
    shown[-1] = replace(shown[-1], names=_answers(model, outputs[-1]))
    _, judged = _judged(model, x)
    draw_activations(picture, _title(name, judged), shown, target)
    return judged | {
        "layers": [
            {
                "name": layer,
                "least": float(values.min()),
                "mean": float(values.mean()),
                "greatest": float(values.max()),
            }
            for layer, values in zip(names, outputs, strict=True)
        ]
    }


def _answers(model: Sequential, scores: Array) -> Sequence[str]:
    """Return the class name of each output; empty if there are too many."""
    if scores.ndim > 1 or len(scores) > _MOST_NAMED:
        return ()
    if model.task == "binary":
        return model.classes[1:]
    return model.classes if len(model.classes) == len(scores) else ()


def _title(name: str, judged: dict[str, Any]) -> str:
    return f"{file_name(name)}, predicted: {judged['class']} ({judged['probability']:.1%})"


def _occlusion(
    model: Sequential, preprocessing: Preprocessing, name: str, picture: Array, target: Path
) -> dict[str, Any]:
    from convtool.report.model_pictures import draw_deciding

    x = preprocessing.tensor(picture[None])[0]
    chosen, judged = _judged(model, x)
    patch = patch_size(*x.shape[1:])
    with step_bar("occlusion", "places") as progress:
        found = occlusion_map(model, x, chosen, patch, progress)
    label = f"drop of the probability, occluded by {patch}×{patch}"
    draw_deciding(picture, found, _title(name, judged), label, target)
    return judged | {"patch": patch, "map": found.tolist()}


def _saliency(
    model: Sequential, preprocessing: Preprocessing, name: str, picture: Array, target: Path
) -> dict[str, Any]:
    from convtool.report.model_pictures import draw_deciding

    x = preprocessing.tensor(picture[None])[0]
    chosen, judged = _judged(model, x)
    found = saliency_map(model, x, chosen)
    draw_deciding(picture, found, _title(name, judged), "magnitude of its score's gradient", target)
    return judged | {"map": found.tolist()}


_DRAWN = {"feature_maps": _feature_maps, "occlusion": _occlusion, "saliency": _saliency}
