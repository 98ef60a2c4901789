"""``convtool gridsearch``: train every combination of some options, and plot the results."""

import json
import shlex
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from convtool.cli._help import Command, option
from convtool.cli._options import FILE, give, json_option, taken
from convtool.cli._pictures import DataOptions
from convtool.cli._progress import step_bar
from convtool.cli._terminal import say
from convtool.cli._training_options import arch_of, fitted_to, recipe_of, training_options
from convtool.convolution.threads import usable_cores
from convtool.errors import OptionError
from convtool.images.options import ReadOptions
from convtool.nn.gridsearch.axes import ASKED_BEYOND, Axis, Value, combinations, parse_axis, size
from convtool.nn.gridsearch.journal import Outcome, SearchJournal
from convtool.nn.gridsearch.run import train_all
from convtool.nn.gridsearch.training import Search
from convtool.report.figures import check_drawing
from convtool.report.heat_maps import HeatMap, draw_heat_maps
from convtool.report.matrix import table

SCHEMA = "convtool.gridsearch/1"
_SHOWN = 5
_READ = vars(ReadOptions())
_INTERRUPTED = 130


@click.command(
    "gridsearch",
    cls=Command,
    usual=(
        "--grid",
        "--output",
        "--epochs",
        "--arch",
        "--data",
        "--size",
        "--lr",
        "--jobs",
        "--seed",
        "--resume",
    ),
    epilog="""\b
Examples:
  convtool gridsearch digits --epochs 2 --grid lr=1e-4:1e-2:3log --grid l2=0,1e-3
  convtool gridsearch digits --epochs 2 --arch digits --grid lr=0.01,0.1 --grid batch-size=32,64""",
)
@training_options
@option(
    "--grid",
    "grid",
    topic="training",
    multiple=True,
    metavar="NAME=VALUES",
    help="An axis of the search: lr=1e-5:1e1:7log, momentum=0:0.9:4lin or optimizer=sgd,adam. "
    "It can be any option above, from --arch on.",
)
@option(
    "--jobs",
    topic="machine",
    type=click.IntRange(1),
    help="Number of processes, one thread each.  [default: cores]",
)
@option(
    "--yes",
    topic="training",
    is_flag=True,
    help=f"Start even more than {ASKED_BEYOND:,} trainings.",
)
@option(
    "--resume",
    topic="training",
    is_flag=True,
    help="Continue an interrupted search and keep its results.",
)
@option(
    "--output",
    "-o",
    "--out",
    "out",
    topic="output",
    type=FILE,
    help="File of the heat maps; the results are saved beside it as .jsonl.  [default: "
    "DATASET-grid.png]",
)
@json_option
def command(
    arch: str | None,
    dropout: float | None,
    seed: int,
    grid: tuple[str, ...],
    jobs: int | None,
    yes: bool,
    resume: bool,
    out: Path | None,
    json_target: str | None,
    **choices: Any,
) -> None:
    """Train every combination of the --grid axes on DATASET, and plot the results as heat maps.

    The heat maps show the training and validation accuracy; with more than two axes, the best over
    the remaining ones. A training stops when its loss is no longer finite. Each result is saved
    when its training ends, so that --resume continues after Ctrl-C.
    """
    axes = [parse_axis(text) for text in grid]
    data, reading = taken(choices, DataOptions), taken(choices, ReadOptions)
    dataset = data.dataset
    out = check_drawing(out or Path(f"{Path(dataset.removeprefix('idx:')).name}-grid.png"))
    _check_size(axes, yes)
    arch = arch_of(dataset, arch)
    recipe = recipe_of(dataset, seed, choices)
    split = data.open(reading)
    recipe = fitted_to(recipe, split.train, choices)
    search = Search(split.train, arch, dropout, recipe, split.validation)
    wanted = combinations(axes)
    for choice in wanted:
        search.with_choice(choice)
    about = {
        "dataset": dataset,
        "classes": list(split.train.classes),
        "pictures": len(split.train),
        "shape": list(split.train.images.shape[1:]),
        "background": data.colour,
        "arch": arch,
        "dropout": dropout,
        "recipe": recipe.config(),
    }
    if read := {name: value for name, value in vars(reading).items() if value != _READ[name]}:
        about["reading"] = read
    with closing(SearchJournal(out.with_suffix(".jsonl"), about, resume=resume)) as journal:
        outcomes = _train(search, wanted, journal, jobs)
    best = _best(outcomes)
    draw_heat_maps(_heat_maps(axes, outcomes, best), out)
    given = vars(data) | {"dataset": None, "arch": arch, "dropout": dropout, "seed": seed or None}
    given["size"] = None if data.size == (64, 64) else "x".join(map(str, data.size))
    given["classes"] = ",".join(data.classes) if data.classes else None
    given |= {name: value for name, value in choices.items() if value is not None} | read
    report = {
        "schema": SCHEMA,
        **about,
        "axes": {axis.name: list(axis.values) for axis in axes},
        "outcomes": [asdict(outcome) for outcome in outcomes],
        "best": asdict(best) if best else None,
        "train": _again(dataset, given, best) if best else None,
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 3),
        "drawing": str(out),
    }
    give(report, json_target, _lines(report, outcomes))


def _check_size(axes: Sequence[Axis], yes: bool) -> None:
    count = size(axes)
    if axes and count > ASKED_BEYOND and not yes:
        raise OptionError(f"this grid takes {count:,} trainings; --yes starts them")


def _train(
    search: Search, wanted: Sequence[dict[str, Value]], journal: SearchJournal, jobs: int | None
) -> list[Outcome]:
    missing = _missing(wanted, journal)
    jobs = min(jobs or usable_cores(), max(1, len(missing)))
    known = f", {len(wanted) - len(missing)} of them known" if len(missing) < len(wanted) else ""
    say(f"{len(wanted):,} trainings{known}, {jobs} at a time", err=True)

    try:
        with step_bar("", "trainings") as bar:
            advance = bar(len(missing))

            def keep(outcome: Outcome) -> None:
                journal.add(outcome)
                advance(1)

            train_all(search, missing, jobs, keep)
    except KeyboardInterrupt:
        left = len(_missing(wanted, journal))
        say(f"interrupted: {left} of {len(wanted)} are left; --resume continues", err=True)
        raise click.exceptions.Exit(_INTERRUPTED) from None
    found = _found(journal)
    return [found[_key(choice)] for choice in wanted]


def _found(journal: SearchJournal) -> dict[str, Outcome]:
    return {_key(outcome.choice): outcome for outcome in journal.outcomes}


def _missing(wanted: Sequence[dict[str, Value]], journal: SearchJournal) -> list[dict[str, Value]]:
    """Return the choices of which the journal holds no outcome."""
    found = _found(journal)
    return [choice for choice in wanted if _key(choice) not in found]


def _key(choice: dict[str, Value]) -> str:
    """Return the text that identifies a combination."""
    return json.dumps(choice, sort_keys=True)


def _best(outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return the outcome with the highest validation accuracy, then the lowest loss."""
    whole = [outcome for outcome in outcomes if not outcome.diverged]
    return max(whole, key=_validation_score, default=None)


def _validation_score(outcome: Outcome) -> tuple[float, float]:
    accuracy, loss = outcome.validation_accuracy, outcome.validation_loss
    return (-1.0 if accuracy is None else accuracy, 0.0 if loss is None else -loss)


def _heat_maps(
    axes: Sequence[Axis], outcomes: Sequence[Outcome], best: Outcome | None
) -> list[HeatMap]:
    rows = axes[0] if len(axes) > 1 else Axis("", ("",))
    columns = axes[min(1, len(axes) - 1)]
    chosen: dict[tuple[int, int], Outcome] = {}
    for outcome in outcomes:
        place = _place(outcome, rows, columns)
        if place not in chosen or _validation_score(outcome) > _validation_score(chosen[place]):
            chosen[place] = outcome
    over = ", ".join(axis.name for axis in axes[2:])
    return [
        HeatMap(
            f"{title} accuracy (%)" + (f", best over {over}" if over else ""),
            [
                [getattr(chosen[i, j], field) for j in range(len(columns.values))]
                for i in range(len(rows.values))
            ],
            [_shown(value) for value in rows.values],
            [_shown(value) for value in columns.values],
            rows.name,
            columns.name,
            _place(best, rows, columns) if best else None,
            "diverged",
        )
        for title, field in (("training", "train_accuracy"), ("validation", "validation_accuracy"))
    ]


def _place(outcome: Outcome, rows: Axis, columns: Axis) -> tuple[int, int]:
    row = rows.values.index(outcome.choice[rows.name]) if rows.name else 0
    return row, columns.values.index(outcome.choice[columns.name])


def _shown(value: Value) -> str:
    """Format a hyperparameter's value."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _again(dataset: str, given: dict[str, Any], best: Outcome) -> str:
    """Return the command that trains the best combination."""
    words = ["convtool", "train", dataset]
    for name, value in (given | best.choice).items():
        if value is not None and value is not False:
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [_shown(value)])]
    return shlex.join(words)


def _lines(report: dict[str, Any], outcomes: Sequence[Outcome]) -> list[str]:
    diverged = sum(outcome.diverged for outcome in outcomes)
    lines = [
        f"{len(outcomes):,} trainings of {report['arch']} on {report['dataset']}, {diverged} of"
        f" them diverged; {report['seconds']:.0f} s of one processor"
    ]
    if report["best"] is None:
        return [*lines, f"heat maps: {report['drawing']}"]
    names = list(report["axes"])
    ranked = sorted((o for o in outcomes if not o.diverged), key=_validation_score, reverse=True)[
        :_SHOWN
    ]
    cells = [
        [
            *(_shown(outcome.choice[name]) for name in names),
            f"{outcome.validation_accuracy:.2%}",
            f"{outcome.validation_loss:.4f}",
            f"{outcome.train_accuracy:.2%}",
        ]
        for outcome in ranked
    ]
    head = [*names, "validation", "its loss", "training"]
    return [
        *lines,
        "the best:",
        *table([head, *cells], right=True),
        f"heat maps: {report['drawing']}",
        f"train it: {report['train']}",
    ]
