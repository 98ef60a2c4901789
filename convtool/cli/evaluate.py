"""``convtool evaluate``: evaluate a trained network on a data set."""

import shlex
from pathlib import Path
from typing import Any

import click

from convtool.cli._file_options import dataset_reading_options
from convtool.cli._help import Command, option
from convtool.cli._options import FILE, PLACE, data_option, give, json_option, taken
from convtool.cli._pictures import background_option, pictures_to_judge
from convtool.cli._progress import step_bar
from convtool.images.options import ReadOptions
from convtool.nn.datasets import Dataset
from convtool.nn.metrics import Scores
from convtool.nn.model import Sequential
from convtool.nn.modelfile import load
from convtool.nn.training import evaluate
from convtool.report.figures import check_drawing

SCHEMA = "convtool.evaluate/1"
PARTS = ("test", "train", "all")


@click.command(
    "evaluate",
    cls=Command,
    epilog="""\b
Examples:
  convtool evaluate sample_images/network/digits.safetensors digits
  convtool evaluate --confusion out.png sample_images/network/digits.safetensors digits""",
)
@click.argument("model_path", metavar="MODEL", type=PLACE)
@click.argument("dataset")
@data_option
@option(
    "--part",
    topic="data",
    type=click.Choice(PARTS),
    help="[default: test, what the training held back; all of a folder it was not trained on]",
)
@option("--limit", topic="data", type=click.IntRange(1), help="Evaluate at most N pictures.")
@background_option
@option("--worst", topic="report", type=click.IntRange(0), default=10, show_default=True)
@option("--confusion", topic="output", type=FILE, help="Draw the confusion matrix.")
@dataset_reading_options
@json_option
def command(
    model_path: Path,
    dataset: str,
    data: Path | None,
    part: str | None,
    limit: int | None,
    background: str | None,
    worst: int,
    confusion: Path | None,
    json_target: str | None,
    **how: Any,
) -> None:
    """Evaluate MODEL on DATASET: loss, accuracy, each class, and the worst predictions.

    A data set without a test part is split as it was in training, so that the model has not seen
    the test pictures. `convtool show` draws the pictures that the report names.
    """
    if confusion is not None:
        check_drawing(confusion)
    model = load(model_path)
    reading = taken(how, ReadOptions)
    chosen = pictures_to_judge(
        model, model_path, dataset, data, part, reading, background=background, limit=limit
    )
    with step_bar("evaluating", "pictures") as progress:
        scores = evaluate(model, chosen, progress)
    probabilities = _probabilities(model, chosen, scores.worst[:worst])
    if confusion is not None:
        from convtool.report.training import draw_confusion

        draw_confusion(scores.confusion.tolist(), model.classes, confusion)
    report = _report(model, chosen, scores, probabilities)
    report |= {
        "model": str(model_path),
        "dataset": dataset,
        "show": _show(dataset, data, report["worst"]),
    }
    give(report, json_target, _lines(report, scores))


def _probabilities(model: Sequential, data: Dataset, places: Any) -> list[dict[str, Any]]:
    if not len(places) or model.preprocessing is None:
        return []
    rows = model.predict_proba(model.preprocessing.tensor(data.images[places]))
    return [
        {
            "image": data.called(place),
            "right": model.classes[data.labels[place]],
            "predicted": model.classes[int(row.argmax())],
            "probability": float(row.max()),
        }
        for place, row in zip(places, rows, strict=True)
    ]


def _show(dataset: str, data: Path | None, worst: list[dict[str, Any]]) -> str | None:
    """Return the command that draws the worst pictures."""
    if not worst:
        return None
    words = ["convtool", "show", dataset, *(["--data", str(data)] if data else [])]
    return shlex.join([*words, *(w for e in worst for w in ("--picture", str(e["image"])))])


def _report(
    model: Sequential, data: Dataset, scores: Scores, worst: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "pictures": len(data),
        "loss": scores.loss,
        "accuracy": scores.accuracy,
        "classes": [
            {"class": name, "precision": float(p), "recall": float(r), "pictures": int(n)}
            for name, p, r, n in zip(
                model.classes,
                scores.precision,
                scores.recall,
                scores.confusion.sum(axis=1),
                strict=True,
            )
        ],
        "confusion_matrix": scores.confusion.tolist(),
        "worst": worst,
    }


def _lines(report: dict[str, Any], scores: Scores) -> list[str]:
    names = [entry["class"] for entry in report["classes"]]
    wide = max(len(name) for name in [*names, "class"])
    lines = [
        f"{report['pictures']} pictures, accuracy {report['accuracy']:.2%},"
        f" loss {report['loss']:.4f}",
        "",
        f"{'class':<{wide}}  precision  recall  pictures",
    ]
    lines += [
        f"{entry['class']:<{wide}}  {entry['precision']:>9.2%}  {entry['recall']:>6.1%}"
        f"  {entry['pictures']:>8}"
        for entry in report["classes"]
    ]
    cell = max(len(str(scores.confusion.max())), *(len(name) for name in names)) + 1
    lines += ["", "confusion matrix: rows are the true classes, columns the predicted ones"]
    lines.append(" " * wide + "".join(f"{name:>{cell}}" for name in names))
    for name, row in zip(names, scores.confusion.tolist(), strict=True):
        lines.append(f"{name:<{wide}}" + "".join(f"{count or '.':>{cell}}" for count in row))
    if report["worst"]:
        lines += ["", "most wrong:"]
    lines += [
        f"  picture {entry['image']}: is {entry['right']}, predicted {entry['predicted']}"
        f" ({entry['probability']:.1%})"
        for entry in report["worst"]
    ]
    if report["show"]:
        lines.append(f"draw them: {report['show']}")
    return lines
