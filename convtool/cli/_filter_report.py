"""What ``convtool filter`` says: its plan, its warnings, its report."""

from collections.abc import Sequence

import click

from convtool.images.filter import Step
from convtool.images.formats import FORMATS
from convtool.images.job import Kind, Outcome
from convtool.report.units import seconds_text

SCHEMA = "convtool.filter/1"

STORES = {"zarr": "Zarr", "ome-zarr": "OME-Zarr"}
"""Titles of what is a folder, not a file of a format."""


def as_json(source: str, target: str, outcome: Outcome, *, dry_run: bool) -> dict[str, object]:
    """Return the report of one picture."""
    return {
        "schema": SCHEMA,
        "input": {"path": source} | _kind(outcome.source),
        "output": {"path": target} | _kind(outcome.target),
        "steps": [_step(step) for step in outcome.steps],
    } | ({"dry_run": True} if dry_run else described(outcome))


def described(outcome: Outcome) -> dict[str, object]:
    """Return what a report says of a picture that was filtered."""
    return {
        "clipped_share": outcome.clipped_share,
        "warnings": list(outcome.warnings),
        "seconds": outcome.seconds,
    }


def _kind(kind: Kind) -> dict[str, object]:
    return {
        "format": kind.format,
        "shape": list(kind.shape),
        "depth": kind.depth,
        "pages": kind.pages,
    }


def _step(step: Step) -> dict[str, object]:
    return {
        "kernel": step.kernel,
        "engine": step.engine,
        "rank": step.rank,
        "costs": dict(step.costs),
        "reason": step.reason,
        "shape": list(step.shape),
        "seconds": step.seconds,
    }


def explain(steps: Sequence[Step]) -> None:
    """Say which engine is taken for each kernel, why, and what the others would take."""
    for number, step in enumerate(steps, 1):
        rank = f" (rank {step.rank})" if step.rank is not None else ""
        costs = sorted(step.costs.items(), key=lambda item: item[1])
        others = ", ".join(f"{name} {seconds_text(cost)}" for name, cost in costs)
        line = f"kernel {number}, {step.kernel}: engine {step.engine}{rank}: {step.reason}"
        click.echo(f"{line}\n  would take: {others}", err=True)


def say(words: str) -> None:
    """Say something in a line of its own."""
    click.echo(words, err=True)


def compare(steps: Sequence[Step]) -> None:
    """Say what each kernel took, beside what was expected of its engine."""
    for number, step in enumerate(steps, 1):
        if step.seconds is not None:
            expected = seconds_text(step.costs[step.engine])
            taken = seconds_text(step.seconds)
            line = f"kernel {number}, {step.kernel}: took {taken}, expected {expected}"
            click.echo(line, err=True)


def would_write(target: str, kind: Kind) -> None:
    """Say what a dry run did not do."""
    shape = "×".join(map(str, kind.shape))
    title = STORES.get(kind.format) or FORMATS[kind.format].title
    pages = f", {kind.pages} pages" if kind.pages > 1 else ""
    click.echo(f"would write {target}: {title}, {shape}, depth {kind.depth}{pages}", err=True)


def warn(outcome: Outcome) -> None:
    """Say what a user should know."""
    for warning in outcome.warnings:
        click.echo(f"convtool: warning: {warning}", err=True)
