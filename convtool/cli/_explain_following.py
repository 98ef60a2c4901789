"""The activation function and the pooling of ``convtool explain``, as text."""

from convtool.cli._explain_blocks import SHOWN_STEPS, grid
from convtool.explain import Layer, Pooling, PoolStep
from convtool.report.units import number_text


def following_lines(one: Layer) -> list[str]:
    """Format the activated and the pooled values, window by window."""
    told: list[str] = []
    if one.activation:
        told += [f"after {one.activation.name}(z) = {one.activation.formula}:"]
        told += [*_indented(grid(one.activated)), ""]
    if one.pooling:
        steps = list(one.pooling.steps(one.activated))
        told += [f"pooling, {one.pooling.text}, including windows beyond the edge:"]
        told += [_step_line(one.pooling, step) for step in steps[:SHOWN_STEPS]]
        if len(steps) > SHOWN_STEPS:
            told.append(f"  … and {len(steps) - SHOWN_STEPS:,} more windows")
        told += ["pooled:", *_indented(grid(one.pooled)), ""]
    return told


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _step_line(pooling: Pooling, step: PoolStep) -> str:
    values = ", ".join(number_text(value) for value in step.window.ravel().tolist())
    return (
        f"  row {step.row}, column {step.column}: {pooling.kind} of {values} "
        f"= {number_text(step.value)}"
    )
