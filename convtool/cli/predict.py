"""``convtool predict``: classify pictures with a trained network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import click
import numpy as np

from convtool.cli._file_options import page_reading_options
from convtool.cli._options import PLACE, json_option, taken
from convtool.cli._pictures import PictureReader, background_option, with_background
from convtool.cli._terminal import say
from convtool.cli._wording import as_options
from convtool.errors import ConvtoolError, ImageReadError, ModelError
from convtool.images.options import ReadOptions
from convtool.nn._types import Array
from convtool.nn.datasets.folder import visible_files
from convtool.nn.modelfile import load
from convtool.nn.preprocessing import Preprocessing
from convtool.report.csv_table import csv_text
from convtool.report.json_report import write_report

SCHEMA = "convtool.predict/1"
_SHOWN = 3


@click.command(
    "predict",
    epilog="""\b
Examples:
  convtool predict --invert sample_images/network/digits.safetensors sample_images/network/*.png
  convtool predict --csv sample_images/network/digits.safetensors sample_images/*.png""",
)
@click.argument("model_path", metavar="MODEL", type=PLACE)
@click.argument("images", metavar="IMAGE…", nargs=-1, required=True)
@click.option("--invert", is_flag=True, help="Exchange dark and bright first.")
@background_option
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Print comma-separated values; "
    "a name that a spreadsheet would take for a formula gets an apostrophe in front.",
)
@page_reading_options
@json_option
def command(
    model_path: Path,
    images: tuple[str, ...],
    invert: bool,
    background: str | None,
    as_csv: bool,
    json_target: str | None,
    **how: Any,
) -> None:
    """Predict the class and its probability for each IMAGE (or each picture in a folder).

    Each picture is preprocessed as the model requires: size, grey, scale. MODEL is what `convtool
    train` wrote, or an .onnx file that `convtool export` wrote.
    """
    model = _open(model_path)
    if model.preprocessing is None:
        raise ModelError(f"{model_path}: has no preprocessing: it was not trained on pictures")
    preprocessing = with_background(model.preprocessing, background)
    reader = PictureReader(preprocessing, taken(how, ReadOptions), invert=invert)
    results, failures = [], []
    for name in _expand(images):
        try:
            results.append(_judge(model, preprocessing, name, reader(name)))
        except ConvtoolError as error:
            failures.append({"image": name, "error": as_options(str(error))})
            say(f"convtool: error: {error}", err=True)
    reader.tell()
    if json_target is not None:
        report = {
            "schema": SCHEMA,
            "model": str(model_path),
            "results": results,
            "failures": failures,
        }
        write_report(report, json_target)
    elif as_csv:
        say(*csv_text(_table(results, model)).splitlines())
    else:
        say(*map(_line, results))
    if failures:
        say(f"{len(failures)} of {len(failures) + len(results)} pictures failed", err=True)
        raise click.exceptions.Exit(1)


class Network(Protocol):
    """The interface of a network for predictions."""

    task: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing | None

    def predict_proba(self, x: Array) -> Array:
        """Return each class's probability, shape (N, K); for a regression the values."""


def _open(path: Path) -> Network:
    if path.suffix.lower() != ".onnx":
        return load(path)
    from convtool.nn.onnx.session import open_network

    return open_network(path)


def _expand(names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        folder = Path(name)
        if not folder.is_dir():
            yield name
            continue
        files = [str(path) for path in visible_files(folder)]
        if not files:
            raise ImageReadError(f"{name}: an empty folder")
        yield from files


def _judge(
    model: Network, preprocessing: Preprocessing, name: str, picture: Array
) -> dict[str, Any]:
    row = model.predict_proba(preprocessing.tensor(picture[None]))[0]
    if model.task == "regression":
        return {"image": name, "values": [float(value) for value in row]}
    classes = model.classes or tuple(str(i) for i in range(len(row)))
    best = int(np.argmax(row))
    return {
        "image": name,
        "class": classes[best],
        "probability": float(row[best]),
        "probabilities": {c: float(p) for c, p in zip(classes, row, strict=True)},
    }


def _line(result: dict[str, Any]) -> str:
    if "values" in result:
        return f"{result['image']}  " + "  ".join(f"{value:.5g}" for value in result["values"])
    ranked = sorted(result["probabilities"].items(), key=lambda item: -item[1])[:_SHOWN]
    shown = "  ".join(f"{name} {share:.1%}" for name, share in ranked)
    return f"{result['image']}  {result['class']}  ({shown})"


def _table(results: list[dict[str, Any]], model: Network) -> list[list[object]]:
    if model.task == "regression":
        return [[result["image"], *result["values"]] for result in results]
    classes = list(results[0]["probabilities"]) if results else list(model.classes)
    rows = [["image", "class", *classes]]
    for result in results:
        shares = [f"{share:.6g}" for share in result["probabilities"].values()]
        rows.append([result["image"], result["class"], *shares])
    return rows
