"""The text and the JSON of ``convtool learn``."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from convtool.cli._wording import as_options, report_as_options
from convtool.kernels.weights import Weights
from convtool.learn import Learned
from convtool.learn.convention import SURE, Convention
from convtool.learn.nearest import TURNS, Match, plain
from convtool.report.matrix import matrix_lines, table

SCHEMA = "convtool.learn/1"

_POOR = 0.99


def lines(
    pairs: int,
    size: tuple[int, int],
    learned: Learned,
    matches: Sequence[Match],
    known: Convention | None,
    given: str | None,
) -> list[str]:
    """Format the report as lines."""
    many = f"{pairs} pairs" if pairs > 1 else "one pair"
    told = [
        f"kernel of {size[0]}x{size[1]} from {many}, {learned.windows:,} windows",
        "",
        *(f"  {line}" for line in matrix_lines(_shown(learned.kernel))),
        "",
        *table(_facts(learned)),
    ]
    told += [f"mind: {one}" for one in _warnings(learned)]
    told += ["", *_nearest_lines(matches, given)]
    if known is not None:
        sentences = [f"  {as_options(one)}" for one in known.sentences]
        told += ["", "the program that made it:", *sentences]
        told += [f"  so does {' / '.join(known.programs)}"] if known.programs else []
    return told


def report(
    names: Sequence[tuple[str, str]],
    size: tuple[int, int],
    learned: Learned,
    matches: Sequence[Match],
    known: Convention | None,
) -> dict[str, object]:
    """Return the report as JSON values; it is also a valid kernel file."""
    return {
        "schema": SCHEMA,
        "pairs": [{"before": before, "after": after} for before, after in names],
        "size": list(size),
        "kernel": learned.kernel.tolist(),
        "bias": learned.bias,
        "residual": learned.residual,
        "r2": learned.r2,
        "windows": learned.windows,
        "clipped": learned.clipped,
        "rank": learned.rank,
        "unknowns": learned.unknowns,
        "decided": learned.decided,
        "nearest": _match_report(matches[0]) if matches else None,
        "others": [_match_report(one) for one in matches[1:]],
        "convention": report_as_options(asdict(known)) if known is not None else None,
        "warnings": _warnings(learned),
    }


def _match_report(match: Match) -> dict[str, object]:
    shown = ("name", "spec", "turn", "scale", "shift", "cosine", "difference")
    return {name: getattr(match, name) for name in shown}


def _shown(kernel: Weights) -> Weights:
    """Round a kernel to remove rounding noise."""
    largest = float(np.abs(kernel).max()) or 1.0
    places = 4 - int(np.floor(np.log10(largest)))
    return np.asarray(kernel.round(places) + 0.0)


def _facts(learned: Learned) -> list[list[str]]:
    rows = [["sum", f"{float(learned.kernel.sum()):.6g}"], ["bias", f"{learned.bias:.6g}"]]
    rows += [["residual", f"{learned.residual:.4g}"], ["R²", f"{learned.r2:.6f}"]]
    if learned.clipped:
        rows.append(["left out", f"{learned.clipped:,} values at the ends of their range"])
    return rows


def _warnings(learned: Learned) -> list[str]:
    found = []
    if not learned.decided:
        found.append(
            f"the windows span {learned.rank} of {learned.unknowns} directions: other kernels "
            "explain the pictures equally well, this is the smallest; use a picture with more "
            "detail, a smaller --size, or --l2"
        )
    if learned.residual_with_bias < learned.residual / 2 and learned.r2 < _POOR:
        found.append(
            f"with a bias the residual is {learned.residual_with_bias:.4g} instead of "
            f"{learned.residual:.4g}; use --bias"
        )
    elif learned.r2 < _POOR:
        found.append(
            f"a kernel of this size explains {max(0.0, learned.r2):.1%} of the variance: AFTER was "
            "not made by one convolution alone (clipping and JPEG spoil it), or by a larger "
            "kernel; try a larger --size"
        )
    return found


def _nearest_lines(matches: Sequence[Match], given: str | None) -> list[str]:
    if not matches:
        why = f"{given} does not fit into this size" if given else "nothing, all weights are 0"
        return [f"nearest: {why}"]
    first = matches[0]
    told = [
        f"nearest: {first.spec}{_how(first)}",
        f"  cosine {first.cosine:.6f}, no weight differs by more than {first.difference:.3g}",
    ]
    if first.cosine < SURE and len(matches) > 1:
        rest = ", ".join(f"{one.spec}{_how(one)} ({one.cosine:.4f})" for one in matches[1:])
        told.append(f"  then {rest}")
    return told


def _how(match: Match) -> str:
    fraction = plain(match.scale)
    scale = f"{match.scale:.6g}" if fraction is None else str(fraction)
    parts = [] if match.turn == "none" else [TURNS[match.turn].words]
    parts += [] if scale == "1" else [f"times {scale}"]
    parts += [] if match.shift == (0, 0) else ["moved by {:+d},{:+d}".format(*match.shift)]
    return "".join(f", {part}" for part in parts)
