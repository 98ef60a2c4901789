"""``convtool train``: train a small convolutional network."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from convtool.cli._help import Command, option
from convtool.cli._kernels import read_kernel
from convtool.cli._options import FILE, give, json_option, names_of, taken, threads_option
from convtool.cli._pictures import DataOptions
from convtool.cli._terminal import say
from convtool.cli._training_line import ProgressLine
from convtool.cli._training_options import (
    arch_of,
    fitted_to,
    recipe_of,
    training_options,
    unused_settings,
)
from convtool.errors import ModelFileError, OptionError, TrainingError
from convtool.images.options import ReadOptions
from convtool.nn.architectures import with_filters
from convtool.nn.assemble import assemble, filter_bank
from convtool.nn.datasets import Split
from convtool.nn.metrics import Scores
from convtool.nn.model import Sequential
from convtool.nn.modelfile import save
from convtool.nn.rangetest import find_rate
from convtool.nn.training import Trainer, evaluate
from convtool.report.figures import check_drawing

SCHEMA = "convtool.train/1"
_INTERRUPTED = 130


@click.command(
    "train",
    cls=Command,
    usual=(
        "--output",
        "--epochs",
        "--arch",
        "--data",
        "--size",
        "--gray",
        "--lr",
        "--optimizer",
        "--seed",
        "--resume",
    ),
    epilog="""\b
Examples:
  convtool train digits --epochs 2 -o digits.safetensors
  convtool train digits --epochs 2 --arch "conv 16 3x3 same, relu, pool 2, dense 64, relu" --json
  convtool train digits --epochs 2 --fixed-filters sobel,prewitt,laplacian-8""",
)
@training_options
@option(
    "--fixed-filters",
    topic="network",
    metavar="KERNEL,…",
    help="Preset kernels for the filters of the first convolution, one for each. They are not "
    "trained, its bias stays 0, and stride and padding are kept.  [without --arch it has "
    "as many]",
)
@option(
    "--find-lr",
    topic="training",
    is_flag=True,
    help="Find the learning rate by a range test first.",
)
@threads_option
@option(
    "--output",
    "-o",
    "--out",
    "out",
    topic="output",
    type=FILE,
    help="The model's file.  [default: DATASET.safetensors]",
)
@option("--plot", topic="output", type=FILE, help="Draw the curves.")
@option(
    "--resume",
    topic="training",
    is_flag=True,
    help="Continue an interrupted training, or a finished one with more --epochs.",
)
@json_option
def command(
    arch: str | None,
    fixed_filters: str | None,
    dropout: float | None,
    find_lr: bool,
    seed: int,
    threads: int | None,
    out: Path | None,
    plot: Path | None,
    resume: bool,
    json_target: str | None,
    **choices: Any,
) -> None:
    """Train a network on DATASET, evaluate it on pictures that it has not seen, and save it.

    DATASET is digits, mnist, cifar10 (with --data), a folder of IDX files (idx:FOLDER) or of
    CIFAR-10's, an .npz, .csv or .arff file, or a folder of pictures with one sub-folder for each
    class, perhaps below train, test and val. For digits, the test pictures are the same for every
    seed, evenly spaced in each class. The weights of the epoch with the best validation are saved.
    Ctrl-C stops after the current batch; --resume then continues exactly from there, and after a
    kill -9 from the last complete epoch.
    """
    data, reading = taken(choices, DataOptions), taken(choices, ReadOptions)
    dataset = data.dataset
    out = out or Path(f"{Path(dataset.removeprefix('idx:')).name}.safetensors")
    if not out.parent.is_dir():
        raise ModelFileError(f"{out.parent}: no such folder to write the model to")
    if plot is not None:
        check_drawing(plot)
    recipe = recipe_of(dataset, seed, choices)
    for unused in unused_settings(recipe, choices):
        say(f"note: {unused} has no effect with the optimizer {recipe.optimizer}", err=True)
    own, arch = arch is None, arch_of(dataset, arch)
    bank = filter_bank([read_kernel(spec).weights for spec in names_of(fixed_filters)])
    if own and bank is not None:
        arch = with_filters(arch, len(bank))
    split = data.open(reading)
    recipe = fitted_to(recipe, split.train, choices)

    def build() -> Sequential:
        return assemble(
            split.train,
            arch,
            seed,
            bank=bank,
            dropout=dropout,
            threads=threads,
            background=data.colour,
        )

    if find_lr:
        recipe = find_rate(build(), split.train, recipe)
        say(f"learning rate found: {recipe.lr:.3g}", err=True)
    trainer = Trainer(build(), split.train, recipe, split.validation)
    trainer.model.record = {
        "dataset": dataset,
        "seed": seed,
        "arch": arch,
        "recipe": recipe.config(),
        "split": "fixed",
    }
    if data.limit is not None:
        trainer.model.record["limit"] = data.limit
    if data.classes:
        trainer.model.record["only"] = data.classes
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    if resume:
        trainer.load_checkpoint(out if out.exists() and not checkpoint.exists() else checkpoint)
    _train(trainer, out, checkpoint)
    scores = evaluate(trainer.model, split.test)
    _remember(trainer, scores)
    kept = trainer.checkpoint()
    save(trainer.model, out, (kept.arrays(), kept.about()))
    checkpoint.unlink(missing_ok=True)
    if plot is not None:
        _plot(trainer, plot)
    report = _report(trainer, split, scores, out)
    give(report, json_target, _lines(trainer, split, scores, out))


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collect Ctrl-C and `kill` instead of interrupting a batch."""
    seen: list[int] = []
    heard = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, lambda number, frame: seen.append(number)) for one in heard]
    try:
        yield seen
    finally:
        for one, handler in zip(heard, before, strict=True):
            signal.signal(one, handler)


def _train(trainer: Trainer, out: Path, checkpoint: Path) -> None:
    line = ProgressLine()
    try:
        with _interrupts() as seen:
            done = trainer.run(
                line, lambda: bool(seen), lambda: trainer.save_checkpoint(checkpoint)
            )
    except TrainingError:
        line.close()
        checkpoint.unlink(missing_ok=True)
        if trainer.history:
            save(trainer.model, out)
        raise
    line.close()
    if not done:
        trainer.save_checkpoint(checkpoint)
        trainer.keep_best()
        save(trainer.model, out)
        say(f"interrupted: {out} has the best weights; --resume continues", err=True)
        raise click.exceptions.Exit(_INTERRUPTED)


def _history(trainer: Trainer) -> list[dict[str, Any]]:
    return [vars(epoch) for epoch in trainer.history]


def _remember(trainer: Trainer, scores: Scores) -> None:
    trainer.model.record |= {
        "test_accuracy": scores.accuracy,
        "test_loss": scores.loss,
        "best_epoch": trainer.best_epoch,
        "seconds": trainer.seconds,
        "history": _history(trainer),
    }


def _report(trainer: Trainer, split: Split, scores: Scores, out: Path) -> dict[str, object]:
    trained, fixed = (
        sum(counts) for counts in zip(*(x.count() for x in trainer.model.layers), strict=True)
    )
    return {
        "schema": SCHEMA,
        "model": str(out),
        "dataset": trainer.model.record["dataset"],
        "arch": trainer.model.record["arch"],
        "recipe": trainer.recipe.config(),
        "split": trainer.model.record["split"],
        "parameters": {"trained": trained, "fixed": fixed},
        "pictures": {
            "train": len(trainer.train),
            "validation": len(trainer.validation) if trainer.validation else 0,
            "test": len(split.test),
        },
        "skipped": list(split.skipped),
        "classes": list(trainer.model.classes),
        "test_accuracy": scores.accuracy,
        "test_loss": scores.loss,
        "best_epoch": trainer.best_epoch,
        "seconds": trainer.seconds,
        "history": _history(trainer),
        "confusion_matrix": scores.confusion.tolist(),
    }


def _lines(trainer: Trainer, split: Split, scores: Scores, out: Path) -> list[str]:
    right = round(scores.accuracy * len(split.test))
    epochs = len(trainer.history)
    best = trainer.best_epoch
    kept = f"; kept: epoch {best}, the best in validation" if best is not None else ""
    return [
        *trainer.model.summary().splitlines(),
        "",
        f"{epochs} epoch{'s' * (epochs != 1)} over {len(trainer.train)} pictures in"
        f" {trainer.seconds:.1f} s{kept}",
        f"test: {scores.accuracy:.2%} ({right} of {len(split.test)} pictures that it had not"
        f" seen), loss {scores.loss:.4f}",
        f"model: {out}",
    ]


def _plot(trainer: Trainer, path: Path) -> None:
    if not trainer.history:
        raise OptionError("--plot: there is no finished epoch to draw")
    from convtool.report.training import draw_curves

    draw_curves(_history(trainer), path)
