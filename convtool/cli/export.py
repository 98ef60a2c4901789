"""``convtool export``: write a trained network as an ONNX file."""

from pathlib import Path

import click

from convtool.cli._help import Command
from convtool.cli._options import PLACE, give, json_option, output_option, target_of
from convtool.cli._progress import step_bar
from convtool.errors import OptionError
from convtool.nn.modelfile import load
from convtool.nn.onnx.export import export

SCHEMA = "convtool.export/1"


@click.command(
    "export",
    cls=Command,
    epilog="""\b
Examples:
  convtool export sample_images/network/digits.safetensors digits.onnx
  convtool predict --invert digits.onnx sample_images/network/seven.png""",
)
@click.argument("model_path", metavar="MODEL", type=PLACE)
@output_option
@click.argument("place", metavar="MODEL.onnx", required=False)
@json_option
def command(
    model_path: Path, place: str | None, output: str | None, json_target: str | None
) -> None:
    """Write MODEL as an ONNX file, for other programs to run.

    The graph's input is preprocessed pictures, its output probabilities. The metadata hold the
    preprocessing and the names of the classes. The file is written after onnx.checker accepts it
    and onnxruntime gives the same probabilities.
    """
    target = Path(target_of(place, output, "MODEL.onnx"))
    if target.suffix.lower() != ".onnx":
        raise OptionError(f"{target}: an ONNX file ends in .onnx, by which predict knows it")
    with step_bar("comparing", "pictures") as progress:
        done = export(load(model_path), target, progress=progress)
    report = {
        "schema": SCHEMA,
        "model": str(model_path),
        "onnx": str(target),
        "opset": done.opset,
        "operators": done.nodes,
        "bytes": done.size,
        "pictures": done.inputs,
        "difference": done.difference,
    }
    lines = [
        f"{target}: opset {done.opset}, {done.nodes} operators, {done.size:,} bytes, passed by"
        " onnx.checker",
        f"onnxruntime's probabilities are within {done.difference:.1e} of convtool's on"
        f" {done.inputs:,} random pictures",
    ]
    give(report, json_target, lines)
