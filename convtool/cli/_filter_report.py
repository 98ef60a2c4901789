"""The output of ``convtool filter``: its plan, warnings and report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convtool.cli._terminal import say
from convtool.cli._wording import report_as_options
from convtool.filtering.execution import Execution
from convtool.filtering.job import Kind, Outcome
from convtool.images.formats import FORMATS
from convtool.images.paths import shown
from convtool.report.units import seconds_text

if TYPE_CHECKING:
    from convtool.filtering.part import Part
    from convtool.filtering.plan import FilterPlan, Step

SCHEMA = "convtool.filter/1"

STORES = {"zarr": "Zarr", "ome-zarr": "OME-Zarr"}
"""Titles of stores, which are folders."""


def as_json(source: str, target: str, outcome: Outcome, *, dry_run: bool) -> dict[str, object]:
    """Return the report of one picture."""
    return {
        "schema": SCHEMA,
        "input": {"path": source} | _kind(outcome.source),
        "output": {"path": target} | _kind(outcome.target),
    } | (planned(outcome) | {"dry_run": True} if dry_run else described(outcome))


def skipped(source: str, target: str) -> dict[str, object]:
    """Return the report of a picture whose output exists and is kept."""
    return {
        "schema": SCHEMA,
        "input": {"path": source},
        "output": {"path": target},
        "skipped": True,
    }


def planned(outcome: Outcome) -> dict[str, object]:
    """Return the report of a planned picture."""
    return {
        "steps": [_step(step) for step in outcome.steps],
        "where": _where(outcome.part),
        "execution": _execution(outcome.execution),
    }


def described(outcome: Outcome) -> dict[str, object]:
    """Return the report of a filtered picture."""
    return planned(outcome) | {
        "clipped_share": outcome.clipped_share,
        "warnings": report_as_options(list(outcome.warnings)),
        "seconds": outcome.seconds,
    }


def _kind(kind: Kind) -> dict[str, object]:
    return {
        "format": kind.format,
        "shape": list(kind.shape),
        "depth": kind.depth,
        "pages": kind.pages,
    }


def _where(part: "Part | None") -> dict[str, object] | None:
    if part is None:
        return None
    return {
        "region": list(part.region),
        "mask": part.mask,
        "channels": part.channels and list(part.channels),
        "computed": [part.read[1], part.read[0], part.planes],
    }


def _execution(execution: Execution) -> dict[str, object]:
    found: dict[str, object] = {"way": execution.way}
    if execution.by_rows:
        found |= {"rows_at_once": execution.step, "halo": execution.halo}
    if execution.workers:
        found |= {"block_rows": execution.rows, "workers": execution.workers}
    return found


def _step(step: "Step") -> dict[str, object]:
    return {
        "kernel": step.kernel,
        "engine": step.plan.engine,
        "rank": step.plan.rank,
        "costs": dict(step.plan.costs),
        "reason": step.plan.reason,
        "shape": list(step.shape),
        "seconds": step.seconds,
    }


def explain(plan: "FilterPlan | Outcome") -> None:
    """Print the plan: the part, the engine of each kernel, the reason, and all costs."""
    if plan.part is not None:
        read = "×".join(map(str, (*reversed(plan.part.read), plan.part.planes)))
        say(f"{_words(plan.part)}: computed from {read} values", err=True)
    for number, step in enumerate(plan.steps, 1):
        chosen = step.plan
        rank = f" (rank {chosen.rank})" if chosen.rank is not None else ""
        costs = sorted(chosen.costs.items(), key=lambda item: item[1])
        others = ", ".join(f"{name} {seconds_text(cost)}" for name, cost in costs)
        line = f"kernel {number}, {step.kernel}: engine {chosen.engine}{rank}: {chosen.reason}"
        say(line, f"  would take: {others}", err=True)
    if plan.execution.by_rows:
        say(plan.execution.explained(), err=True)


def compare(steps: "Sequence[Step]") -> None:
    """Print the measured and the expected time of each kernel."""
    for number, step in enumerate(steps, 1):
        if step.seconds is not None:
            expected = seconds_text(step.plan.costs[step.plan.engine])
            taken = seconds_text(step.seconds)
            line = f"kernel {number}, {step.kernel}: took {taken}, expected {expected}"
            say(line, err=True)


def _words(part: "Part") -> str:
    """Describe the filtered part of a picture."""
    said = [f"region {','.join(map(str, part.region))}"]
    if part.mask is not None:
        said.append(f"mask {part.mask}")
    if part.channels is not None:
        said.append(f"channels {','.join(part.channels)}")
    return ", ".join(said)


def would_write(target: str, outcome: Outcome) -> None:
    """Print the output that a dry run would write."""
    kind = outcome.target
    height, width, *channels = kind.shape
    size = f"{width}×{height} (width × height)"
    if channels:
        size += f", {channels[0]} channels"
    title = STORES.get(kind.format) or FORMATS[kind.format].title
    pages = f", {kind.pages} pages" if kind.pages > 1 else ""
    where = f"; filtered: {_words(outcome.part)}" if outcome.part else ""
    line = f"would write {shown(target)}: {title}, {size}, depth {kind.depth}{pages}{where}"
    say(line, err=True)
    warn(outcome)


def warn(outcome: Outcome) -> None:
    """Print the warnings of an outcome."""
    for warning in outcome.warnings:
        say(f"convtool: warning: {warning}", err=True)
