"""``convtool import``: read an ONNX file as a network of convtool's layers."""

from pathlib import Path
from typing import Any

import click

from convtool.cli._help import Command
from convtool.cli._options import PLACE, give, json_option, names_of, output_option, target_of
from convtool.errors import OptionError
from convtool.nn.inspection.layers import layer_table
from convtool.nn.modelfile import save
from convtool.nn.onnx.importing import from_onnx

SCHEMA = "convtool.import/1"


@click.command(
    "import",
    cls=Command,
    epilog="""\b
Examples:
  convtool import digits.onnx digits.ct
  convtool import --classes cat,dog --mean 0.45 --std 0.22 other.onnx other.ct""",
)
@click.argument("source", metavar="MODEL.onnx", type=PLACE)
@output_option
@click.argument("place", metavar="MODEL", required=False)
@click.option("--classes", metavar="NAME,…", help="Class names, for a file without them.")
@click.option("--mean", type=float, default=0.0, show_default=True, help="The same: of the pixels.")
@click.option("--std", type=float, default=1.0, show_default=True, help="The same: of the pixels.")
@json_option
def command(
    source: Path,
    place: str | None,
    output: str | None,
    classes: str | None,
    mean: float,
    std: float,
    json_target: str | None,
) -> None:
    """Read the ONNX file MODEL.onnx and write it as MODEL, which the other commands take.

    Networks whose layers form a chain can be imported. Files that convtool exported hold their
    classes and preprocessing. For other files, pixels are scaled to 0 … 1, then --mean is
    subtracted and the result divided by --std.
    """
    target = Path(target_of(place, output, "MODEL"))
    if not std > 0:
        raise OptionError(f"--std {std:g}: pixels are divided by it; a number above 0")
    model = from_onnx(source, classes=tuple(names_of(classes)), mean=mean, std=std)
    save(model, target)
    rows = layer_table(model)
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "onnx": str(source),
        "model": str(target),
        "task": model.task,
        "classes": list(model.classes),
        "preprocessing": model.preprocessing.config() if model.preprocessing else None,
        "layers": [row.name for row in rows],
    }
    line = f"{target}: {len(rows)} layers, {model.task}: {', '.join(report['layers'])}"
    give(report, json_target, [line])
